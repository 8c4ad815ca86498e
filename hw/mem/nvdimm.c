// SPDX-License-Identifier: GPL-2.0-or-later
/* nvdimm: a module that keeps its contents, and the labels at the end of its back end. */
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "hw/mem/memory-device.h"
#include "util/error.h"

static uint8_t *labels(PcDimm *d)
{
    MemoryBackend *b = (MemoryBackend *)d->backend;

    return (uint8_t *)region_host(&b->region) + (b->size - d->label_size);
}

static bool in_range(const PcDimm *d, uint64_t offset, uint64_t len)
{
    return offset <= d->label_size && len <= d->label_size - offset;
}

bool nvdimm_label_read(PcDimm *d, uint64_t offset, void *buf, uint64_t len)
{
    bool good = in_range(d, offset, len);

    if (good) {
        memcpy(buf, labels(d) + offset, len);
    }
    return good;
}

bool nvdimm_label_write(PcDimm *d, uint64_t offset, const void *buf, uint64_t len)
{
    MemoryBackend *b = (MemoryBackend *)d->backend;
    bool good = in_range(d, offset, len) && !d->unarmed;

    if (good) {
        memcpy(labels(d) + offset, buf, len);
        region_dirty_set(&b->region, b->size - d->label_size + offset, len);
    }
    return good;
}

/* Sizes of labels are sizes in text, and "int" to clients. */
static struct json_object *label_size_to_json(Object *o, const Prop *p, const void *field)
{
    return json_object_new_uint64(*(const uint64_t *)field);
}

static bool label_size_parse(Object *o, const Prop *p, void *field, const char *text,
                             GError **error)
{
    return prop_size.parse(o, p, field, text, error);
}

static bool label_size_from_json(Object *o, const Prop *p, void *field, struct json_object *v,
                                 GError **error)
{
    return prop_size.from_json(o, p, field, v, error);
}

static const PropType prop_label_size = {
    .name = "int",
    .parse = label_size_parse,
    .from_json = label_size_from_json,
    .to_json = label_size_to_json,
};

static const Prop nvdimm_props[] = {
    PROP(PcDimm, label_size, "label-size", prop_label_size,
         .help = "bytes at the end of the back end for labels"),
    PROP_BOOL(PcDimm, unarmed, "unarmed", false),
    PROP(PcDimm, uuid, "uuid", prop_uuid),
    PROP_END,
};

static const DeviceType nvdimm_type = {
    .name = "nvdimm",
    .parent = "pc-dimm",
    .category = "misc",
    .desc = "DIMM memory module",
    .size = sizeof(PcDimm),
    .hotpluggable = true,
    .state_version = 1,
    .props = nvdimm_props,
};
DEVICE_TYPE(nvdimm_type);
