// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio memory device (Virtual I/O Device 1.2, 5.15): a range of guest addresses of which the
 * driver plugs and unplugs blocks, until it has as much as the host asks for.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <linux/falloc.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "exec/numa.h"
#include "hw/mem/memory-device.h"
#include "hw/virtio/virtio.h"
#include "qapi/qapi-events.h"
#include "util/bswap.h"
#include "util/error.h"

#define DEFAULT_BLOCK (2 * MIB)
#define USABLE_EXTENT (256 * MIB) /* more than is asked for, for a driver to choose from */
#define REQUEST_LEN 24
#define RESPONSE_LEN 10

enum {
    F_ACPI_PXM = 0,
    F_UNPLUGGED_INACCESSIBLE = 1
};
enum {
    REQ_PLUG,
    REQ_UNPLUG,
    REQ_UNPLUG_ALL,
    REQ_STATE
};
enum {
    RESP_ACK,
    RESP_NACK,
    RESP_BUSY,
    RESP_ERROR
};
enum {
    PLUGGED,
    UNPLUGGED,
    MIXED
};

typedef struct VirtioMem {
    VirtioDevice v;
    MemoryDevice mem;
    Object *backend;
    uint64_t memaddr, block_size, requested; /* properties */
    uint32_t node;
    int inaccessible; /* OnOffAuto */
    bool prealloc;
    uint64_t accepted; /* the last good value of `requested` */
    uint64_t size, usable; /* bytes that are plugged; that may be */
    uint8_t *plugged; /* a byte for each block */
} VirtioMem;

static uint64_t num_blocks(const VirtioMem *s)
{
    return s->mem.size / s->block_size;
}

/* ---- blocks ---- */

/* Gives the host its memory back; the guest reads zeros there. */
static bool discard(VirtioMem *s, uint64_t offset, uint64_t len)
{
    RamBlock *b = region_ram_block(s->mem.region);
    bool good = b->fd >= 0 && b->shared
                    ? fallocate(b->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                                (off_t)len) == 0
                    : madvise(b->host + offset, len, MADV_DONTNEED) == 0;

    ram_written(b, offset, len);
    return good;
}

static bool all_are(const VirtioMem *s, uint64_t first, uint64_t count, bool plugged)
{
    return memchr(s->plugged + first, !plugged, count) == NULL;
}

static void tell_size(VirtioMem *s)
{
    g_autofree char *path = object_path(&s->v.pci.dev.obj);

    qapi_event_memory_device_size_change(
        &(MemoryDeviceSizeChangeEvent){.id = s->v.pci.dev.id, .size = s->size, .qom_path = path});
}

/* It gets smaller only when nothing is plugged. */
static void fit_usable(VirtioMem *s, bool may_shrink)
{
    uint64_t wanted =
        s->accepted ? MIN(s->mem.size, s->accepted + USABLE_EXTENT) & ~(s->block_size - 1) : 0;

    if (may_shrink || wanted > s->usable) {
        s->usable = wanted;
    }
}

static bool unplug_all(VirtioMem *s)
{
    if (s->size > 0) {
        if (!discard(s, 0, s->mem.size)) {
            return false;
        }
        memset(s->plugged, 0, num_blocks(s));
        s->size = 0;
        tell_size(s);
    }
    fit_usable(s, true);
    return true;
}

/* ---- requests ---- */

/* [*first, *first + *count) in blocks, if the request's range is good. */
static bool range_of(const VirtioMem *s, const uint8_t *req, uint64_t *first, uint64_t *count)
{
    uint64_t addr = load_le64(req + 8), offset = addr - s->mem.addr;

    *count = load_le16(req + 16);
    *first = offset / s->block_size;
    return addr >= s->mem.addr && offset % s->block_size == 0 && *count > 0 && offset < s->usable &&
           *count <= (s->usable - offset) / s->block_size;
}

static uint16_t plug(VirtioMem *s, uint64_t first, uint64_t count)
{
    uint64_t len = count * s->block_size;

    if (!all_are(s, first, count, false)) {
        return RESP_ERROR;
    }
    if (s->size > s->accepted || len > s->accepted - s->size) {
        return RESP_NACK;
    }
    if (s->prealloc && madvise(region_ram_block(s->mem.region)->host + first * s->block_size, len,
                               MADV_POPULATE_WRITE) != 0) {
        return RESP_BUSY;
    }
    memset(s->plugged + first, 1, count);
    s->size += len;
    tell_size(s);
    return RESP_ACK;
}

static uint16_t unplug(VirtioMem *s, uint64_t first, uint64_t count)
{
    uint64_t len = count * s->block_size;

    if (!all_are(s, first, count, true)) {
        return RESP_ERROR;
    }
    if (!discard(s, first * s->block_size, len)) {
        return RESP_BUSY;
    }
    memset(s->plugged + first, 0, count);
    s->size -= len;
    tell_size(s);
    return RESP_ACK;
}

static uint16_t handle(VirtioMem *s, const uint8_t *req, uint16_t *state)
{
    uint64_t first, count;

    switch (load_le16(req)) {
    case REQ_PLUG:
        return range_of(s, req, &first, &count) ? plug(s, first, count) : RESP_ERROR;
    case REQ_UNPLUG:
        return range_of(s, req, &first, &count) ? unplug(s, first, count) : RESP_ERROR;
    case REQ_UNPLUG_ALL:
        return unplug_all(s) ? RESP_ACK : RESP_BUSY;
    case REQ_STATE:
        if (!range_of(s, req, &first, &count)) {
            return RESP_ERROR;
        }
        *state = all_are(s, first, count, true)    ? PLUGGED
                 : all_are(s, first, count, false) ? UNPLUGGED
                                                   : MIXED;
        return RESP_ACK;
    default:
        return RESP_ERROR;
    }
}

static void mem_notify(VirtioDevice *v, unsigned n)
{
    VirtioMem *s = (VirtioMem *)v;
    VirtqElem *e;

    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        uint8_t req[REQUEST_LEN], resp[RESPONSE_LEN] = {0};
        uint16_t state = 0;

        if (virtq_read(v, e, 0, req, sizeof(req)) < sizeof(req) || e->in_len < sizeof(resp)) {
            virtio_error(
                v, "virtio-mem: a request of %" PRIu64 " bytes with %" PRIu64 " for the response",
                e->out_len, e->in_len);
            g_free(e);
            return;
        }
        store_le16(resp, handle(s, req, &state));
        store_le16(resp + 8, state);
        virtq_write(v, e, 0, resp, sizeof(resp));
        virtq_push(v, e, sizeof(resp));
        virtq_notify(v, &v->vq[n]);
        g_free(e);
    }
}

/* ---- the device ---- */

static bool inaccessible(const VirtioMem *s)
{
    const MemoryBackend *b = (const MemoryBackend *)s->backend;

    /* Reading anonymous private memory that there is not costs the host nothing. */
    return s->inaccessible == ON_OFF_AUTO_ON ||
           (s->inaccessible == ON_OFF_AUTO_AUTO &&
            (b->share || !type_is_a(s->backend->type, "memory-backend-ram")));
}

static uint64_t mem_features(VirtioDevice *v)
{
    const VirtioMem *s = (const VirtioMem *)v;

    return (numa_count(v->pci.dev.vm) ? VIRTIO_BIT(F_ACPI_PXM) : 0) |
           (inaccessible(s) ? VIRTIO_BIT(F_UNPLUGGED_INACCESSIBLE) : 0);
}

static void mem_config_read(VirtioDevice *v)
{
    const VirtioMem *s = (const VirtioMem *)v;

    store_le64(v->config, s->block_size);
    store_le64(v->config + 8, s->node);
    store_le64(v->config + 16, s->mem.addr);
    store_le64(v->config + 24, s->mem.size);
    store_le64(v->config + 32, s->usable);
    store_le64(v->config + 40, s->size);
    store_le64(v->config + 48, s->accepted);
}

static uint64_t mem_plugged(const MemoryDevice *m)
{
    return ((const VirtioMem *)m->dev)->size;
}

static MemoryDeviceInfo *mem_describe(const MemoryDevice *m)
{
    const VirtioMem *s = (const VirtioMem *)m->dev;
    MemoryDeviceInfo *info = g_new0(MemoryDeviceInfo, 1);
    VirtioMEMDeviceInfo *d = g_new0(VirtioMEMDeviceInfo, 1);

    d->id = g_strdup(m->dev->id);
    d->memaddr = m->addr;
    d->requested_size = s->accepted;
    d->size = s->size;
    d->max_size = m->size;
    d->block_size = s->block_size;
    d->node = s->node;
    d->memdev = object_path(s->backend);
    info->type = MEMORY_DEVICE_INFO_KIND_VIRTIO_MEM;
    info->u.virtio_mem = g_new0(VirtioMEMDeviceInfoWrapper, 1);
    info->u.virtio_mem->data = d;
    return info;
}

static bool check_requested(const VirtioMem *s, GError **error)
{
    const MemoryBackend *b = (const MemoryBackend *)s->backend;

    if (s->requested & (s->block_size - 1)) {
        return fail(error, "'requested-size' has to be multiples of 'block-size' (0x%" PRIx64 ")",
                    s->block_size);
    }
    return s->requested <= b->size ||
           fail(error, "'requested-size' cannot exceed the memory backend size(0x%" PRIx64 ")",
                b->size);
}

static bool check_config(VirtioMem *s, GError **error)
{
    Vm *vm = s->v.pci.dev.vm;
    unsigned nodes = MAX(numa_count(vm), 1);

    if (!device_memory(vm)) {
        return fail(error, "memory devices (e.g. for memory hotplug) are not enabled, please "
                           "specify the maxmem option");
    }
    if (!s->backend) {
        return fail(error, "'memdev' property must be set");
    }
    if (s->node >= nodes) {
        return fail(error,
                    "'node' property has value '%u', which exceeds the number of numa "
                    "nodes: %u",
                    s->node, nodes);
    }
    s->block_size = s->block_size ? s->block_size : DEFAULT_BLOCK;
    if (s->block_size & (s->block_size - 1)) {
        return fail(error, "'block-size' property has to be a power of two");
    }
    if (s->block_size < MIB) {
        return fail(error, "'block-size' property has to be at least 0x%x", (unsigned)MIB);
    }
    if (s->block_size < DEFAULT_BLOCK) {
        warn_report("'block-size' property is smaller than the default block size (2 MiB)");
    }
    if (s->memaddr & (s->block_size - 1)) {
        return fail(error, "'memaddr' property has to be multiples of 'block-size' (0x%" PRIx64 ")",
                    s->block_size);
    }
    if (((const MemoryBackend *)s->backend)->size & (s->block_size - 1)) {
        return fail(error, "'memdev' size has to be multiples of 'block-size' (0x%" PRIx64 ")",
                    s->block_size);
    }
    return check_requested(s, error);
}

static bool mem_realize(VirtioDevice *v, GError **error)
{
    VirtioMem *s = (VirtioMem *)v;
    MemoryBackend *b = (MemoryBackend *)s->backend;

    if (!check_config(s, error) || !memory_device_take(s->backend, error)) {
        return false;
    }
    s->mem = (MemoryDevice){.dev = &v->pci.dev,
                            .region = &b->region,
                            .size = b->size,
                            .node = s->node,
                            .align = s->block_size,
                            .describe = mem_describe,
                            .plugged = mem_plugged};
    if (!memory_device_plug(&s->mem, s->memaddr, error)) {
        memory_device_release(s->backend);
        return false;
    }
    s->memaddr = s->mem.addr;
    s->accepted = s->requested;
    s->plugged = g_malloc0(num_blocks(s));
    fit_usable(s, true);
    virtio_add_queue(v, 128);
    return true;
}

static void mem_unrealize(VirtioDevice *v)
{
    VirtioMem *s = (VirtioMem *)v;

    memory_device_unplug(&s->mem);
    memory_device_release(s->backend);
    g_clear_pointer(&s->plugged, g_free);
}

/* The machine begins anew: the guest has nothing until it asks. */
static void mem_system_reset(VirtioDevice *v)
{
    unplug_all((VirtioMem *)v);
}

static bool requested_changed(Object *o, const Prop *p, GError **error)
{
    VirtioMem *s = (VirtioMem *)o;

    if (!s->v.pci.dev.realized) {
        return true;
    }
    if (!check_requested(s, error)) {
        s->requested = s->accepted;
        return false;
    }
    if (s->requested != s->accepted) {
        s->accepted = s->requested;
        fit_usable(s, s->size == 0);
        virtio_config_changed(&s->v);
    }
    return true;
}

static bool mem_unplug_request(Device *d, GError **error)
{
    return fail(error, "virtio based memory devices cannot be unplugged.");
}

static struct json_object *plugged_to_json(Object *o, const Prop *p, const void *field)
{
    return json_object_new_uint64(*(const uint64_t *)field);
}

static const PropType prop_plugged = {.name = "size", .to_json = plugged_to_json};

static const Prop mem_props[] = {
    PROP_LINK(VirtioMem, backend, "memdev", "memory-backend"),
    PROP_U64(VirtioMem, memaddr, "memaddr", 0),
    PROP_U32(VirtioMem, node, "node", 0),
    PROP_SIZE(VirtioMem, block_size, "block-size", 0),
    PROP_SIZE(VirtioMem, requested, "requested-size", 0, .flags = PROP_LIVE,
              .changed = requested_changed),
    PROP(VirtioMem, size, "size", prop_plugged, .flags = PROP_READ_ONLY),
    PROP_ON_OFF_AUTO(VirtioMem, inaccessible, "unplugged-inaccessible", ON_OFF_AUTO_AUTO),
    PROP_BOOL(VirtioMem, prealloc, "prealloc", false),
    PROP_END,
};

static size_t plugged_len(Device *d)
{
    return num_blocks((const VirtioMem *)d);
}

static const StateField mem_state[] = {
    STATE(VirtioMem, accepted),
    STATE(VirtioMem, usable),
    STATE(VirtioMem, size),
    STATE_BUF(VirtioMem, plugged, plugged_len),
    HOST_ONLY(VirtioMem, mem, "its place, by the properties"),
    STATE_END,
};

static const VirtioType mem_type = {
    .name = "virtio-mem-pci",
    .desc = "Memory of changing size",
    .category = "misc",
    .id = 24,
    .pci_class = 0x00ff00,
    .size = sizeof(VirtioMem),
    .config_size = 56,
    .pci_only = true,
    .props = mem_props,
    .state = mem_state,
    .realize = mem_realize,
    .unrealize = mem_unrealize,
    .system_reset = mem_system_reset,
    .features = mem_features,
    .config_read = mem_config_read,
    .notify = mem_notify,
    .unplug_request = mem_unplug_request,
};
VIRTIO_TYPE(mem_type);
