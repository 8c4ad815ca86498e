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

#include "filter.h"
#include "util/bswap.h"
#include "util/error.h"

#define MAGIC 0xa1b2c3d4u
#define LINK_ETHERNET 1

typedef struct FilterDump {
    NetFilter filter;
    char *file;
    uint32_t maxlen;
    int fd;
} FilterDump;

static bool dump_frame(NetFilter *filter, bool sent_by, const uint8_t *frame, size_t len)
{
    FilterDump *f = (FilterDump *)filter;
    size_t part = MIN(len, f->maxlen);
    int64_t now_us = g_get_real_time();
    uint8_t h[16];
    struct iovec iov[2] = { { h, sizeof(h) }, { (void *)frame, part } };

    if (f->fd < 0) {
        return false;
    }
    store_le32(h, (uint32_t)(now_us / 1000000));
    store_le32(h + 4, (uint32_t)(now_us % 1000000));
    store_le32(h + 8, (uint32_t)part);
    store_le32(h + 12, (uint32_t)len);
    if (writev(f->fd, iov, 2) < 0) {
        warn_report("filter-dump '%s': %s: %s", filter->obj.name, f->file, g_strerror(errno));
        close(f->fd);
        f->fd = -1;
    }
    return false;
}

static bool dump_complete(Object *o, GError **error)
{
    FilterDump *f = (FilterDump *)o;
    uint8_t h[24] = { 0 };

    f->fd = -1;
    f->filter.frame = dump_frame;
    if (!f->filter.netdev) {
        return fail(error, "Parameter 'netdev' is required");
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
    return net_filter_attach(&f->filter, error);
}

static void dump_finalize(Object *o)
{
    FilterDump *f = (FilterDump *)o;

    net_filter_detach(&f->filter);
    if (f->fd > 0) {
        close(f->fd);
    }
}

static const Prop dump_props[] = {
    NET_FILTER_PROPS(FilterDump),
    PROP_STRING(FilterDump, file, "file", .help = "where to"),
    PROP_U32(FilterDump, maxlen, "maxlen", 65536, .help = "bytes of a frame that are kept"),
    PROP_END,
};

static const ObjectType filter_dump_type = {
    .name = "filter-dump", .desc = "Frames of a back end into a file", .size = sizeof(FilterDump), .props = dump_props,
    .user_creatable = true, .complete = dump_complete, .finalize = dump_finalize,
};
OBJECT_TYPE(filter_dump_type);
