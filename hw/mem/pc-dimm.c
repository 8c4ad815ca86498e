// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory modules: pc-dimm, plain memory, and nvdimm, whose contents outlive the machine and whose
 * last bytes may hold the labels of namespaces (NVDIMM Namespace Specification; the guest reaches
 * them by methods of ACPI, hw/acpi/nvdimm.c). Modules sit in the slots that -m slots= gives.
 */
#include <inttypes.h>
#include <json-c/json.h>

#include "exec/numa.h"
#include "hw/mem/memory-device.h"
#include "qapi/qapi-types.h"
#include "util/error.h"

#define LABELS_MIN (128 * KIB)
#define DATA_MIN (2 * MIB)

typedef struct SlotSearch {
    uint8_t *used; /* of each slot */
} SlotSearch;

void pc_dimm_foreach(Vm *vm, void (*fn)(PcDimm *d, void *opaque), void *opaque)
{
    const DeviceMemory *all = device_memory(vm);

    for (guint i = 0; all && i < all->devices->len; i++) {
        const MemoryDevice *m = all->devices->pdata[i];

        if (m->module) {
            fn((PcDimm *)m->dev, opaque);
        }
    }
}

static void mark_slot(PcDimm *d, void *opaque)
{
    ((SlotSearch *)opaque)->used[d->slot] = 1;
}

static bool find_slot(PcDimm *d, GError **error)
{
    unsigned slots = d->dev.vm->ram_slots, i = 0;
    g_autofree uint8_t *used = g_new0(uint8_t, slots + 1);
    SlotSearch search = {used};

    if (slots == 0) {
        return fail(error, "no slots where allocated, please specify the 'slots' option");
    }
    if (d->slot != -1 && (d->slot < 0 || d->slot >= (int32_t)slots)) {
        return fail(error, "invalid slot number %d, valid range is [0-%u]", d->slot, slots - 1);
    }
    pc_dimm_foreach(d->dev.vm, mark_slot, &search);
    if (d->slot >= 0) {
        return !used[d->slot] || fail(error, "slot %d is busy", d->slot);
    }
    while (i < slots && used[i]) {
        i++;
    }
    if (i == slots) {
        return fail(error, "no free slots available");
    }
    d->slot = (int32_t)i;
    return true;
}

/* What the board and the command line must have said. */
static bool check_board(PcDimm *d, ModuleSlots **slots, GError **error)
{
    Vm *vm = d->dev.vm;
    unsigned nodes = MAX(numa_count(vm), 1);

    *slots = vm_published(vm, "memory-hotplug");
    if (!*slots) {
        return fail(error, "Device '%s' is not supported by machine '%s'", d->dev.obj.type->name,
                    vm->machine_type->machine_name);
    }
    if ((*slots)->missing) {
        return fail(error, "memory hotplug is not enabled: %s", (*slots)->missing);
    }
    if (d->nonvolatile && !vm->machine->nvdimm) {
        return fail(error, "nvdimm is not enabled: missing 'nvdimm' in '-M'");
    }
    if (!find_slot(d, error)) {
        return false;
    }
    return d->node < nodes ||
           fail(error,
                "'DIMM property node has value %u' which exceeds the number of numa nodes: "
                "%u",
                d->node, nodes);
}

static uint64_t module_plugged(const MemoryDevice *m)
{
    return m->size;
}

static MemoryDeviceInfo *module_describe(const MemoryDevice *m)
{
    const PcDimm *d = (const PcDimm *)m->dev;
    MemoryDeviceInfo *info = g_new0(MemoryDeviceInfo, 1);
    PCDIMMDeviceInfo *p = g_new0(PCDIMMDeviceInfo, 1);

    p->id = g_strdup(d->dev.id);
    p->addr = (int64_t)m->addr;
    p->size = (int64_t)m->size;
    p->slot = d->slot;
    p->node = d->node;
    p->memdev = object_path(d->backend);
    p->hotplugged = d->dev.hotplugged;
    p->hotpluggable = true;
    if (d->nonvolatile) {
        info->type = MEMORY_DEVICE_INFO_KIND_NVDIMM;
        info->u.nvdimm = g_new0(PCDIMMDeviceInfoWrapper, 1);
        info->u.nvdimm->data = p;
    } else {
        info->type = MEMORY_DEVICE_INFO_KIND_DIMM;
        info->u.dimm = g_new0(PCDIMMDeviceInfoWrapper, 1);
        info->u.dimm->data = p;
    }
    return info;
}

/* The data of an nvdimm: whole units of 2 MiB before the labels. */
static bool make_data(PcDimm *d, MemoryBackend *b, GError **error)
{
    if (d->label_size && d->label_size < LABELS_MIN) {
        return fail(error, "Property 'nvdimm.label-size' (0x%" PRIx64 ") is required at least 0x%x",
                    d->label_size, (unsigned)LABELS_MIN);
    }
    if (b->size < DATA_MIN || d->label_size > b->size - DATA_MIN) {
        return fail(error,
                    "the size of memdev %s (0x%" PRIx64 ") is too small to contain nvdimm "
                    "label (0x%" PRIx64 ") and aligned PMEM (0x%x)",
                    b->obj.name, b->size, d->label_size, (unsigned)DATA_MIN);
    }
    d->mem.size = (b->size - d->label_size) & ~(uint64_t)(DATA_MIN - 1);
    region_init_alias(&d->data, &d->dev.obj, "nvdimm-memory", &b->region, 0, d->mem.size);
    d->mem.region = &d->data;
    return true;
}

static bool module_realize(Device *dev, GError **error)
{
    PcDimm *d = (PcDimm *)dev;
    ModuleSlots *slots;
    const int32_t wanted = d->slot;

    d->nonvolatile = type_is_a(dev->obj.type, "nvdimm");
    if (!check_board(d, &slots, error) || !memory_device_take(d->backend, error)) {
        d->slot = wanted;
        return false;
    }
    MemoryBackend *b = (MemoryBackend *)d->backend;

    d->mem = (MemoryDevice){.dev = dev,
                            .region = &b->region,
                            .size = b->size,
                            .module = true,
                            .node = d->node,
                            .describe = module_describe,
                            .plugged = module_plugged};
    if ((d->nonvolatile && !make_data(d, b, error)) ||
        !memory_device_plug(&d->mem, d->addr, error)) {
        if (d->mem.region == &d->data) {
            region_fini(&d->data);
        }
        memory_device_release(d->backend);
        return false;
    }
    d->addr = d->mem.addr;
    slots->plugged(slots->controller, d);
    return true;
}

static void module_unrealize(Device *dev)
{
    PcDimm *d = (PcDimm *)dev;
    ModuleSlots *slots = vm_published(dev->vm, "memory-hotplug");

    slots->unplugged(slots->controller, d);
    memory_device_unplug(&d->mem);
    if (d->nonvolatile) {
        region_fini(&d->data);
    }
    memory_device_release(d->backend);
}

static bool module_unplug_request(Device *dev, GError **error)
{
    ModuleSlots *slots = vm_published(dev->vm, "memory-hotplug");

    if (((PcDimm *)dev)->nonvolatile) {
        return fail(error, "nvdimm device hot unplug is not supported yet.");
    }
    return slots->request(slots->controller, (PcDimm *)dev, error);
}

/* Before it has a place, its size is that of the back end. */
static struct json_object *size_to_json(Object *o, const Prop *p, const void *field)
{
    const PcDimm *d = (const PcDimm *)o;
    const MemoryBackend *b = (const MemoryBackend *)d->backend;

    return json_object_new_uint64(d->mem.size ? d->mem.size : b ? b->size : 0);
}

static const PropType prop_module_size = {.name = "uint64", .to_json = size_to_json};

static const Prop module_props[] = {
    PROP_LINK(PcDimm, backend, "memdev", "memory-backend"),
    PROP_U64(PcDimm, addr, "addr", 0),
    PROP_U32(PcDimm, node, "node", 0),
    PROP_I32(PcDimm, slot, "slot", -1),
    PROP(PcDimm, mem, "size", prop_module_size, .flags = PROP_READ_ONLY),
    PROP_END,
};

static const StateField module_state[] = {
    HOST_ONLY(PcDimm, mem, "its place, by the properties"),
    HOST_ONLY(PcDimm, nonvolatile, "by the type"),
    HOST_ONLY(PcDimm, data, "region"),
    HOST_ONLY(PcDimm, label_size, "property of nvdimm"),
    HOST_ONLY(PcDimm, unarmed, "property of nvdimm"),
    HOST_ONLY(PcDimm, uuid, "property of nvdimm"),
    HOST_ONLY(PcDimm, uuid_set, "property of nvdimm"),
    STATE_END,
};

static const DeviceType module_type = {
    .name = "pc-dimm",
    .category = "misc",
    .desc = "DIMM memory module",
    .size = sizeof(PcDimm),
    .hotpluggable = true,
    .state_version = 1,
    .props = module_props,
    .state = module_state,
    .realize = module_realize,
    .unrealize = module_unrealize,
    .unplug_request = module_unplug_request,
};
DEVICE_TYPE(module_type);
