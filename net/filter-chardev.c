// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -object filter-mirror: copies of frames go to a character device. -object filter-redirector:
 * frames go there instead of on, and come from another one. On both a frame is preceded by its
 * length in network byte order, as on the sockets of -netdev socket; with vnet_hdr_support by
 * the length of a virtio header, and that header, as well: it says nothing, for frames are
 * finished.
 */
#include <string.h>

#include "chardev/chardev.h"
#include "filter.h"
#include "util/bswap.h"
#include "util/error.h"

#define VNET_HEADER 12u

typedef struct FrameReader {
    uint8_t head[8];
    unsigned head_len;       /* bytes of it that are there */
    uint8_t *frame;          /* header and frame; NULL: the head is not complete */
    size_t size, len;
} FrameReader;

typedef struct FilterChardev {
    NetFilter filter;
    char *in, *out;
    bool vnet;
    ChardevFe in_fe, out_fe;
    FrameReader reader;
} FilterChardev;

/* All or nothing: a stream that lost bytes in its middle is of no use. */
static void write_frame(FilterChardev *f, const uint8_t *frame, size_t len)
{
    uint8_t head[8 + VNET_HEADER] = { 0 };
    size_t n = f->vnet ? sizeof(head) : 4;

    store_be32(head, (uint32_t)(len + (f->vnet ? VNET_HEADER : 0)));
    store_be32(head + 4, VNET_HEADER);
    if (chardev_write_room(&f->out_fe) < n + len) {
        return;
    }
    chardev_write(&f->out_fe, head, n);
    chardev_write(&f->out_fe, frame, len);
}

static bool mirror_frame(NetFilter *filter, bool sent_by, const uint8_t *frame, size_t len)
{
    write_frame((FilterChardev *)filter, frame, len);
    return false;
}

static bool redirect_frame(NetFilter *filter, bool sent_by, const uint8_t *frame, size_t len)
{
    FilterChardev *f = (FilterChardev *)filter;

    if (!f->out) {
        return false;
    }
    write_frame(f, frame, len);
    return true;
}

/* ---- frames that come in ---- */

static void reader_reset(FrameReader *r)
{
    g_free(r->frame);
    *r = (FrameReader){ 0 };
}

static void frame_came(FilterChardev *f)
{
    FrameReader *r = &f->reader;
    size_t skip = f->vnet ? load_be32(r->head + 4) : 0;

    if (net_filter_on(&f->filter) && skip <= r->size) {
        if (f->filter.queue != QUEUE_RX) {
            net_filter_pass_on(&f->filter, true, r->frame + skip, r->size - skip);
        }
        if (f->filter.queue != QUEUE_TX) {
            net_filter_pass_on(&f->filter, false, r->frame + skip, r->size - skip);
        }
    }
    reader_reset(r);
}

static size_t in_room(void *opaque)
{
    return 4096;
}

static void in_receive(void *opaque, const uint8_t *buf, size_t len)
{
    FilterChardev *f = opaque;
    FrameReader *r = &f->reader;
    unsigned head = f->vnet ? 8 : 4;

    while (len) {
        if (!r->frame) {
            r->head[r->head_len++] = *buf++;
            len--;
            if (r->head_len < head) {
                continue;
            }
            r->size = load_be32(r->head);
            if (r->size == 0 || r->size > NET_MAX_FRAME) {
                warn_report("%s '%s': a frame of %zu bytes", f->filter.obj.type->name,
                            f->filter.obj.name, r->size);
                reader_reset(r);
                chardev_fe_disconnect(&f->in_fe);
                return;
            }
            r->frame = g_malloc(r->size);
            continue;
        }
        size_t n = MIN(len, r->size - r->len);

        memcpy(r->frame + r->len, buf, n);
        r->len += n;
        buf += n;
        len -= n;
        if (r->len == r->size) {
            frame_came(f);
        }
    }
}

static void in_event(void *opaque, ChardevEvent event)
{
    if (event == CHARDEV_CLOSED) {
        reader_reset(&((FilterChardev *)opaque)->reader);
    }
}

static const ChardevFeOps in_ops = {
    .can_receive = in_room, .receive = in_receive, .event = in_event,
};

static bool attach_chardev(ChardevFe *fe, const char *id, const ChardevFeOps *ops, void *opaque,
                           GError **error)
{
    Chardev *c = id ? chardev_find(id, error) : NULL;

    return !id || (c && chardev_fe_attach(fe, c, ops, opaque, error));
}

static bool mirror_complete(Object *o, GError **error)
{
    FilterChardev *f = (FilterChardev *)o;

    f->filter.frame = mirror_frame;
    f->filter.finished = true;
    if (!f->out) {
        return fail(error, "filter mirror needs 'outdev' property set!");
    }
    return attach_chardev(&f->out_fe, f->out, NULL, f, error) &&
           net_filter_attach(&f->filter, error);
}

static bool redirector_complete(Object *o, GError **error)
{
    FilterChardev *f = (FilterChardev *)o;

    f->filter.frame = redirect_frame;
    f->filter.finished = true;
    if (!f->in && !f->out) {
        return fail(error, "filter redirector needs 'indev' or 'outdev' at least one property set");
    }
    if (f->in && g_strcmp0(f->in, f->out) == 0) {
        return fail(error, "'indev' and 'outdev' could not be same for filter redirector");
    }
    return attach_chardev(&f->out_fe, f->out, NULL, f, error) &&
           attach_chardev(&f->in_fe, f->in, &in_ops, f, error) &&
           net_filter_attach(&f->filter, error);
}

static void chardev_finalize(Object *o)
{
    FilterChardev *f = (FilterChardev *)o;

    net_filter_detach(&f->filter);
    chardev_fe_detach(&f->in_fe);
    chardev_fe_detach(&f->out_fe);
    reader_reset(&f->reader);
}

#define VNET_PROP                                                \
    PROP_BOOL(FilterChardev, vnet, "vnet_hdr_support", false,    \
              .help = "a virtio header before frames")

static const Prop mirror_props[] = {
    NET_FILTER_PROPS(FilterChardev),
    PROP_STRING(FilterChardev, out, "outdev", .help = "chardev that gets copies"), VNET_PROP,
    PROP_END,
};

static const Prop redirector_props[] = {
    NET_FILTER_PROPS(FilterChardev),
    PROP_STRING(FilterChardev, in, "indev", .help = "chardev that frames come from"),
    PROP_STRING(FilterChardev, out, "outdev", .help = "chardev that frames go to"), VNET_PROP,
    PROP_END,
};

static const ObjectType filter_mirror_type = {
    .name = "filter-mirror", .desc = "Copies of frames to a chardev", .size = sizeof(FilterChardev), .props = mirror_props,
    .user_creatable = true, .complete = mirror_complete, .finalize = chardev_finalize,
};
OBJECT_TYPE(filter_mirror_type);

static const ObjectType filter_redirector_type = {
    .name = "filter-redirector", .desc = "Frames to a chardev and from one", .size = sizeof(FilterChardev),
    .props = redirector_props, .user_creatable = true, .complete = redirector_complete, .finalize = chardev_finalize,
};
OBJECT_TYPE(filter_redirector_type);
