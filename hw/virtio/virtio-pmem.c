// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio persistent memory (Virtual I/O Device 1.2, 5.19): the guest sees a back end's memory; what
 * it has written is kept once a flush request has come back.
 */
#include <errno.h>
#include <unistd.h>

#include "hw/mem/memory-device.h"
#include "hw/virtio/virtio.h"
#include "util/bswap.h"
#include "util/error.h"

enum {
    REQ_FLUSH = 0
};

typedef struct VirtioPmem {
    VirtioDevice v;
    MemoryDevice mem;
    Object *backend;
    uint64_t memaddr;
    GThreadPool *flusher; /* writes back, off the main loop; one at a time */
    GAsyncQueue *flushed; /* Flush *, to be handed back */
    Bh *bh;
    unsigned epoch; /* counts resets: what was asked before is dropped */
    unsigned in_flight;
} VirtioPmem;

typedef struct Flush {
    VirtqElem *elem;
    unsigned epoch;
    bool good;
} Flush;

static void flush_file(gpointer data, gpointer opaque)
{
    VirtioPmem *s = opaque;
    Flush *f = data;
    int fd = region_ram_block(s->mem.region)->fd;

    f->good = fd < 0 || fsync(fd) == 0 || errno == EINVAL;
    g_async_queue_push(s->flushed, f);
    bh_schedule(s->bh);
}

static void hand_back(void *opaque)
{
    VirtioPmem *s = opaque;
    Flush *f;

    while ((f = g_async_queue_try_pop(s->flushed)) != NULL) {
        uint8_t ret[4];

        s->in_flight--;
        if (f->epoch == s->epoch) {
            store_le32(ret, !f->good);
            virtq_push(&s->v, f->elem, (uint32_t)virtq_write(&s->v, f->elem, 0, ret, sizeof(ret)));
            virtq_notify(&s->v, &s->v.vq[0]);
        }
        g_free(f->elem);
        g_free(f);
    }
}

static void pmem_notify(VirtioDevice *v, unsigned n)
{
    VirtioPmem *s = (VirtioPmem *)v;
    VirtqElem *e;

    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        uint8_t type[4];

        if (virtq_read(v, e, 0, type, sizeof(type)) < sizeof(type) || e->in_len < 4 ||
            load_le32(type) != REQ_FLUSH) {
            virtio_error(v, "virtio-pmem: a request that is none");
            g_free(e);
            return;
        }
        Flush *f = g_new0(Flush, 1);

        *f = (Flush){.elem = e, .epoch = s->epoch};
        s->in_flight++;
        g_thread_pool_push(s->flusher, f, NULL);
    }
}

static void pmem_reset(VirtioDevice *v)
{
    ((VirtioPmem *)v)->epoch++;
}

static uint64_t pmem_features(VirtioDevice *v)
{
    return 0;
}

static void pmem_config_read(VirtioDevice *v)
{
    const VirtioPmem *s = (const VirtioPmem *)v;

    store_le64(v->config, s->mem.addr);
    store_le64(v->config + 8, s->mem.size);
}

static uint64_t pmem_plugged(const MemoryDevice *m)
{
    return 0;
}

static MemoryDeviceInfo *pmem_describe(const MemoryDevice *m)
{
    const VirtioPmem *s = (const VirtioPmem *)m->dev;
    MemoryDeviceInfo *info = g_new0(MemoryDeviceInfo, 1);
    VirtioPMEMDeviceInfo *d = g_new0(VirtioPMEMDeviceInfo, 1);

    d->id = g_strdup(m->dev->id);
    d->memaddr = m->addr;
    d->size = m->size;
    d->memdev = object_path(s->backend);
    info->type = MEMORY_DEVICE_INFO_KIND_VIRTIO_PMEM;
    info->u.virtio_pmem = g_new0(VirtioPMEMDeviceInfoWrapper, 1);
    info->u.virtio_pmem->data = d;
    return info;
}

static bool pmem_realize(VirtioDevice *v, GError **error)
{
    VirtioPmem *s = (VirtioPmem *)v;
    MemoryBackend *b = (MemoryBackend *)s->backend;

    if (!device_memory(v->pci.dev.vm)) {
        return fail(error, "memory devices (e.g. for memory hotplug) are not enabled, please "
                           "specify the maxmem option");
    }
    if (!memory_device_take(s->backend, error)) {
        return false;
    }
    s->mem = (MemoryDevice){.dev = &v->pci.dev,
                            .region = &b->region,
                            .size = b->size,
                            .describe = pmem_describe,
                            .plugged = pmem_plugged};
    if (!memory_device_plug(&s->mem, s->memaddr, error)) {
        memory_device_release(s->backend);
        return false;
    }
    s->memaddr = s->mem.addr;
    s->flushed = g_async_queue_new();
    s->bh = bh_new(hand_back, s);
    s->flusher = g_thread_pool_new(flush_file, s, 1, FALSE, NULL);
    virtio_add_queue(v, 128);
    return true;
}

static void pmem_unrealize(VirtioDevice *v)
{
    VirtioPmem *s = (VirtioPmem *)v;

    g_thread_pool_free(s->flusher, FALSE, TRUE); /* waits for what is under way */
    s->epoch++;
    hand_back(s);
    bh_free(s->bh);
    g_async_queue_unref(s->flushed);
    memory_device_unplug(&s->mem);
    memory_device_release(s->backend);
}

static bool pmem_unplug_request(Device *d, GError **error)
{
    return fail(error, "virtio based memory devices cannot be unplugged.");
}

static const Prop pmem_props[] = {
    PROP_LINK(VirtioPmem, backend, "memdev", "memory-backend"),
    PROP_U64(VirtioPmem, memaddr, "memaddr", 0),
    PROP_END,
};

static const StateField pmem_state[] = {
    HOST_ONLY(VirtioPmem, mem, "its place, by the properties"),
    HOST_ONLY(VirtioPmem, flusher, "threads"),
    HOST_ONLY(VirtioPmem, flushed, "drained before saving"),
    HOST_ONLY(VirtioPmem, bh, "host side"),
    HOST_ONLY(VirtioPmem, epoch, "host side"),
    HOST_ONLY(VirtioPmem, in_flight, "host side"),
    STATE_END,
};

static const VirtioType pmem_type = {
    .name = "virtio-pmem-pci",
    .desc = "Persistent memory",
    .category = "misc",
    .id = 27,
    .pci_class = 0x00ff00,
    .size = sizeof(VirtioPmem),
    .config_size = 16,
    .pci_only = true,
    .props = pmem_props,
    .state = pmem_state,
    .realize = pmem_realize,
    .unrealize = pmem_unrealize,
    .reset = pmem_reset,
    .features = pmem_features,
    .config_read = pmem_config_read,
    .notify = pmem_notify,
    .unplug_request = pmem_unplug_request,
};
VIRTIO_TYPE(pmem_type);
