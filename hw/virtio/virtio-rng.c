// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio entropy device (Virtual I/O Device 1.1, 5.4): fills the driver's buffers from the
 * host's generator, limited by max-bytes per period.
 */
#include <sys/random.h>
#include "hw/virtio/virtio.h"
#include "util/timer.h"

#define NS_PER_MS 1000000ll

typedef struct VirtioRng {
    VirtioDevice v;
    Object *rng;                 /* property: back end; NULL: the host's getrandom() */
    uint64_t max_bytes;
    uint32_t period_ms;
    uint64_t quota;              /* bytes left in this period */
    Timer timer;
} VirtioRng;

static void rng_fill(VirtioRng *s)
{
    VirtioDevice *v = &s->v;
    VirtqElem *e;
    bool any = false;

    while (s->quota && (e = virtq_pop(v, &v->vq[0])) != NULL) {
        uint8_t buf[256];
        uint64_t done = 0, want = MIN(e->in_len, s->quota);

        while (done < want) {
            ssize_t n = getrandom(buf, MIN(sizeof(buf), want - done), 0);

            if (n <= 0 || virtq_write(v, e, done, buf, n) != (size_t)n) {
                break;
            }
            done += n;
        }
        s->quota -= MIN(done, s->quota);
        virtq_push(v, e, done);
        g_free(e);
        any = true;
    }
    if (any) {
        virtq_notify(v, &v->vq[0]);
    }
    if (s->quota == 0 && !s->timer.pending) {
        timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + s->period_ms * NS_PER_MS);
    }
}

static void rng_new_period(void *opaque)
{
    VirtioRng *s = opaque;

    s->quota = s->max_bytes;
    rng_fill(s);
}

static void rng_notify(VirtioDevice *v, unsigned n)
{
    rng_fill((VirtioRng *)v);
}

static bool rng_realize(VirtioDevice *v, GError **error)
{
    VirtioRng *s = (VirtioRng *)v;

    if (s->period_ms == 0) {
        return fail(error, "virtio-rng: property 'period' must be above 0");
    }
    s->quota = s->max_bytes;
    timer_init(&s->timer, CLOCK_GUEST, rng_new_period, s);
    virtio_add_queue(v, 8);
    return true;
}

static void rng_unrealize(VirtioDevice *v)
{
    timer_cancel(&((VirtioRng *)v)->timer);
}

static void rng_reset(VirtioDevice *v)
{
    timer_cancel(&((VirtioRng *)v)->timer);
    ((VirtioRng *)v)->quota = ((VirtioRng *)v)->max_bytes;
}

static const Prop rng_props[] = {
    PROP_LINK(VirtioRng, rng, "rng", "rng-backend"),
    PROP_U64(VirtioRng, max_bytes, "max-bytes", INT64_MAX),
    PROP_U32(VirtioRng, period_ms, "period", 1 << 16),
    PROP_END,
};

static const StateField rng_state[] = {
    STATE(VirtioRng, quota), STATE_TIMER_FIELD(VirtioRng, timer), STATE_END,
};

static const VirtioType rng_type = {
    .name = "virtio-rng", .desc = "Entropy source", .category = "misc",
    .id = 4, .legacy_pci_id = 0x1005, .pci_class = 0x00ff00, .size = sizeof(VirtioRng),
    .props = rng_props, .state = rng_state,
    .realize = rng_realize, .unrealize = rng_unrealize, .reset = rng_reset, .notify = rng_notify,
};
VIRTIO_TYPE(rng_type);

/* ---- back ends: both end in the kernel's generator ---- */

typedef struct RngBackend {
    Object obj;
    char *filename;
} RngBackend;

static const Prop rng_random_props[] = {
    PROP_STRING(RngBackend, filename, "filename", .def_str = "/dev/urandom"), PROP_END,
};

static const ObjectType rng_backend_type = { .name = "rng-backend", .abstract = true };
OBJECT_TYPE(rng_backend_type);
static const ObjectType rng_builtin_type = {
    .name = "rng-builtin", .parent = "rng-backend", .size = sizeof(RngBackend), .user_creatable = true,
};
OBJECT_TYPE(rng_builtin_type);

static bool rng_random_complete(Object *o, GError **error)
{
    RngBackend *b = (RngBackend *)o;

    if (strcmp(b->filename, "/dev/urandom") != 0 && strcmp(b->filename, "/dev/random") != 0) {
        return fail(error,
                    "rng-random: filename '%s' is not supported, only /dev/urandom and /dev/random",
                    b->filename);
    }
    return true;
}

static const ObjectType rng_random_type = {
    .name = "rng-random", .parent = "rng-backend", .size = sizeof(RngBackend), .user_creatable = true,
    .props = rng_random_props, .complete = rng_random_complete,
};
OBJECT_TYPE(rng_random_type);
