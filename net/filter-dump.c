// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -object filter-dump: what passes a back end goes into a file as well, in the format of libpcap
 * 2.4 (draft-ietf-opsawg-pcap).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net-internal.h"
#include "qapi/startup.h"
#include "qom/object.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/error.h"

enum { QUEUE_ALL, QUEUE_RX, QUEUE_TX };
#define MAGIC 0xa1b2c3d4u
#define LINK_ETHERNET 1

static const char *const queue_names[] = { "all", "rx", "tx", NULL };

typedef struct FilterDump {
    Object obj;
    char *netdev, *file, *status;
    uint32_t maxlen;
    int queue;
    NetClient *client;       /* NULL: gone, or not complete */
    int fd;
    NetWatch watch;
} FilterDump;

static void dump_frame(void *opaque, bool sent_by, const uint8_t *frame, size_t len)
{
    FilterDump *f = opaque;
    size_t part = MIN(len, f->maxlen);
    int64_t now_us = g_get_real_time();
    uint8_t h[16];
    struct iovec iov[2] = { { h, sizeof(h) }, { (void *)frame, part } };

    if (f->fd < 0 || g_strcmp0(f->status, "off") == 0 ||
        f->queue == (sent_by ? QUEUE_RX : QUEUE_TX)) {
        return;
    }
    store_le32(h, (uint32_t)(now_us / 1000000));
    store_le32(h + 4, (uint32_t)(now_us % 1000000));
    store_le32(h + 8, (uint32_t)part);
    store_le32(h + 12, (uint32_t)len);
    if (writev(f->fd, iov, 2) < 0) {
        warn_report("filter-dump '%s': %s: %s", f->obj.name, f->file, g_strerror(errno));
        close(f->fd);
        f->fd = -1;
    }
}

static void dump_client_gone(void *opaque)
{
    ((FilterDump *)opaque)->client = NULL;
}

static bool dump_attach(FilterDump *f, GError **error)
{
    f->client = netdev_find(f->netdev);
    if (!f->client) {
        return fail(error, "Parameter 'netdev' expects a network backend id");
    }
    f->watch = (NetWatch){ .frame = dump_frame, .gone = dump_client_gone, .opaque = f };
    net_watch(f->client, &f->watch);
    return true;
}

/* -object comes before -netdev: until then they wait. One command line. */
static struct {
    bool netdevs_there;
    GPtrArray *filters;      /* FilterDump * */
} waiting;

static bool dump_attach_waiting(Vm *vm, GError **error)
{
    waiting.netdevs_there = true;
    for (unsigned i = 0; waiting.filters && i < waiting.filters->len; i++) {
        FilterDump *f = g_ptr_array_index(waiting.filters, i);

        if (!dump_attach(f, error)) {
            g_prefix_error(error, "-object filter-dump,id=%s: ", f->obj.name);
            return false;
        }
    }
    g_clear_pointer(&waiting.filters, g_ptr_array_unref);
    return true;
}
START_HOOK(net_filters, { .phase = START_NET, .name = "filters", .start = dump_attach_waiting });

static bool dump_complete(Object *o, GError **error)
{
    FilterDump *f = (FilterDump *)o;
    uint8_t h[24] = { 0 };

    f->fd = -1;
    if (!f->netdev) {
        return fail(error, "Parameter 'netdev' is required");
    }
    if (f->status && strcmp(f->status, "on") != 0 && strcmp(f->status, "off") != 0) {
        return fail(error, "Invalid value for status, should be 'on' or 'off'");
    }
    if (!f->file) {
        return fail(error, "dump filter needs 'file' property set!");
    }
    f->fd = open(f->file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    store_le32(h, MAGIC);
    store_le16(h + 4, 2);
    store_le16(h + 6, 4);
    store_le32(h + 16, f->maxlen);
    store_le32(h + 20, LINK_ETHERNET);
    if (f->fd < 0 || write(f->fd, h, sizeof(h)) != sizeof(h)) {
        return fail(error, "net dump: can't open %s: %s", f->file, g_strerror(errno));
    }
    if (waiting.netdevs_there) {
        return dump_attach(f, error);
    }
    if (!waiting.filters) {
        waiting.filters = g_ptr_array_new();
    }
    g_ptr_array_add(waiting.filters, f);
    return true;
}

static void dump_finalize(Object *o)
{
    FilterDump *f = (FilterDump *)o;

    if (f->client) {
        net_unwatch(f->client, &f->watch);
    }
    if (waiting.filters) {
        g_ptr_array_remove(waiting.filters, f);
    }
    if (f->fd > 0) {
        close(f->fd);
    }
}

static const Prop dump_props[] = {
    PROP_STRING(FilterDump, netdev, "netdev", .help = "back end"),
    PROP_STRING(FilterDump, file, "file", .help = "where to"),
    PROP_U32(FilterDump, maxlen, "maxlen", 65536, .help = "bytes of a frame that are kept"),
    PROP_ENUM(FilterDump, queue, "queue", QUEUE_ALL, queue_names, .link = "NetFilterDirection"),
    PROP_STRING(FilterDump, status, "status", .flags = PROP_LIVE, .help = "on, off"),
    PROP_END,
};

static const ObjectType filter_dump_type = {
    .name = "filter-dump", .desc = "Frames of a back end into a file", .size = sizeof(FilterDump), .props = dump_props,
    .user_creatable = true, .complete = dump_complete, .finalize = dump_finalize,
};
OBJECT_TYPE(filter_dump_type);
