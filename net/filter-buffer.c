// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -object filter-buffer: holds frames back and lets them go every so many microseconds of guest
 * time.
 */
#include <string.h>

#include "filter.h"
#include "util/error.h"
#include "util/timer.h"

/* When more than this waits, it goes early. */
#define MOST_BYTES (16 * MIB)

typedef struct HeldFrame {
    bool sent_by;
    size_t len;
    uint8_t data[];
} HeldFrame;

typedef struct FilterBuffer {
    NetFilter filter;
    uint32_t interval_us;
    GQueue held;             /* HeldFrame * */
    size_t bytes;
    Timer timer;
} FilterBuffer;

static void release(FilterBuffer *f)
{
    HeldFrame *h;

    while ((h = g_queue_pop_head(&f->held)) != NULL) {
        f->bytes -= h->len;
        net_filter_pass_on(&f->filter, h->sent_by, h->data, h->len);
        g_free(h);
    }
}

static void wind_up(FilterBuffer *f)
{
    timer_set_ns(&f->timer, clock_now_ns(CLOCK_GUEST) + (int64_t)f->interval_us * 1000);
}

static void interval_over(void *opaque)
{
    FilterBuffer *f = opaque;

    release(f);
    wind_up(f);
}

static bool buffer_frame(NetFilter *filter, bool sent_by, const uint8_t *frame, size_t len)
{
    FilterBuffer *f = (FilterBuffer *)filter;
    HeldFrame *h = g_malloc(sizeof(*h) + len);

    *h = (HeldFrame){ .sent_by = sent_by, .len = len };
    memcpy(h->data, frame, len);
    g_queue_push_tail(&f->held, h);
    f->bytes += len;
    if (f->bytes > MOST_BYTES) {
        release(f);
    }
    return true;
}

static void buffer_switched(NetFilter *filter, bool on)
{
    FilterBuffer *f = (FilterBuffer *)filter;

    if (on) {
        wind_up(f);
    } else {
        timer_cancel(&f->timer);
        release(f);
    }
}

static bool buffer_complete(Object *o, GError **error)
{
    FilterBuffer *f = (FilterBuffer *)o;

    timer_init(&f->timer, CLOCK_GUEST, interval_over, f);
    g_queue_init(&f->held);
    f->filter.frame = buffer_frame;
    f->filter.finished = true;
    f->filter.switched = buffer_switched;
    if (f->interval_us == 0) {
        return fail(error, "Property 'filter-buffer.interval' requires a positive value");
    }
    if (!net_filter_attach(&f->filter, error)) {
        return false;
    }
    if (net_filter_on(&f->filter)) {
        wind_up(f);
    }
    return true;
}

static void buffer_finalize(Object *o)
{
    FilterBuffer *f = (FilterBuffer *)o;

    if (f->interval_us) {
        timer_cancel(&f->timer);
    }
    release(f);
    net_filter_detach(&f->filter);
}

static const Prop buffer_props[] = {
    NET_FILTER_PROPS(FilterBuffer),
    PROP_U32(FilterBuffer, interval_us, "interval", 0, .help = "microseconds"),
    PROP_END,
};

static const ObjectType filter_buffer_type = {
    .name = "filter-buffer", .desc = "Holds frames back for a while", .size = sizeof(FilterBuffer), .props = buffer_props,
    .user_creatable = true, .complete = buffer_complete, .finalize = buffer_finalize,
};
OBJECT_TYPE(filter_buffer_type);
