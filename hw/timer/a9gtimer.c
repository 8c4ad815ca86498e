// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Global timer of the Cortex-A9 MPCore (ARM DDI 0407I, 4.3): a 64-bit up-counter for all CPUs and a
 * comparator for each. One device for a CPU; the first has the counter.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

enum { CTRL_ENABLE = 1, CTRL_COMPARE = 2, CTRL_INT = 4, CTRL_INCREMENT = 8, CTRL_SHARED = 0xff01 };

typedef struct A9Gtimer A9Gtimer;
struct A9Gtimer {
    Device dev;
    Object *first_obj;             /* property: the device of CPU 0; NULL: this one */
    A9Gtimer *first;
    uint32_t freq;                 /* property */
    GPtrArray *all;                /* of the first: all */
    uint32_t ctrl, status, compare_lo, compare_hi, increment;
    uint64_t base;                 /* of the first: counter at since_ns */
    int64_t since_ns;
    Timer timer;
    Irq irq;
};

static uint64_t gtimer_hz(const A9Gtimer *f)
{
    return f->freq / ((f->ctrl >> 8 & 0xff) + 1);
}

static uint64_t gtimer_count(const A9Gtimer *s)
{
    const A9Gtimer *f = s->first;

    return f->base + (f->ctrl & CTRL_ENABLE
                          ? ticks_of_ns(clock_now_ns(CLOCK_GUEST) - f->since_ns, gtimer_hz(f))
                          : 0);
}

static void gtimer_rebase(A9Gtimer *f)
{
    f->base = gtimer_count(f);
    f->since_ns = clock_now_ns(CLOCK_GUEST);
}

static void gtimer_check(A9Gtimer *s)
{
    uint64_t now = gtimer_count(s), at = (uint64_t)s->compare_hi << 32 | s->compare_lo;

    timer_cancel(&s->timer);
    if (s->first->ctrl & CTRL_ENABLE && s->ctrl & CTRL_COMPARE) {
        if (now >= at) {
            s->status = 1;
            if (s->ctrl & CTRL_INCREMENT && s->increment) {
                at += (now - at) / s->increment * s->increment + s->increment;
                s->compare_lo = (uint32_t)at;
                s->compare_hi = at >> 32;
            }
        }
        if (at > now) {
            timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) +
                                        MAX(ns_of_ticks(at - now, gtimer_hz(s->first)), 10000));
        }
    }
    irq_set(&s->irq, s->status && s->ctrl & CTRL_INT);
}

static void gtimer_expired(void *opaque)
{
    gtimer_check(opaque);
}

static void gtimer_check_all(A9Gtimer *f)
{
    for (unsigned i = 0; i < f->all->len; i++) {
        gtimer_check(f->all->pdata[i]);
    }
}

static uint64_t gtimer_count_read(Device *d, const RegAccess *a)
{
    uint64_t v = gtimer_count((A9Gtimer *)d);

    return a->reg->offset ? v >> 32 : (uint32_t)v;
}

static void gtimer_count_write(Device *d, const RegAccess *a)
{
    A9Gtimer *f = ((A9Gtimer *)d)->first;

    gtimer_rebase(f);
    f->base = a->reg->offset ? (uint32_t)f->base | a->value << 32
                             : (f->base & ~(uint64_t)UINT32_MAX) | a->value;
    gtimer_check_all(f);
}

static uint64_t gtimer_ctrl_read(Device *d, const RegAccess *a)
{
    A9Gtimer *s = (A9Gtimer *)d;

    return (s->ctrl & ~CTRL_SHARED) | (s->first->ctrl & CTRL_SHARED);
}

static void gtimer_ctrl_write(Device *d, const RegAccess *a)
{
    A9Gtimer *s = (A9Gtimer *)d, *f = s->first;

    gtimer_rebase(f);
    s->ctrl = (s->ctrl & CTRL_SHARED) | (a->value & 0xe);
    f->ctrl = (f->ctrl & ~CTRL_SHARED) | (a->value & CTRL_SHARED);
    gtimer_check_all(f);
}

static void gtimer_compare_write(Device *d, const RegAccess *a)
{
    gtimer_check((A9Gtimer *)d);
}

static bool gtimer_realize(Device *d, GError **error)
{
    A9Gtimer *s = (A9Gtimer *)d;

    timer_init(&s->timer, CLOCK_GUEST, gtimer_expired, s);
    s->first = s->first_obj ? (A9Gtimer *)s->first_obj : s;
    if (s->first == s) {
        s->all = g_ptr_array_new();
    }
    g_ptr_array_add(s->first->all, s);
    return true;
}

static void gtimer_unrealize(Device *d)
{
    A9Gtimer *s = (A9Gtimer *)d;

    timer_cancel(&s->timer);
    g_clear_pointer(&s->all, g_ptr_array_unref);
}

static void gtimer_reset(Device *d)
{
    A9Gtimer *s = (A9Gtimer *)d;

    timer_cancel(&s->timer);
    s->ctrl = 0;
    s->base = 0;
    s->since_ns = 0;
}

/* clang-format off */
static const Reg gtimer_regs[] = {
    REG_HOOK(0x00, 4, "counter_lo", .read = gtimer_count_read, .write = gtimer_count_write, .help = "counter"),
    REG_HOOK(0x04, 4, "counter_hi", .read = gtimer_count_read, .write = gtimer_count_write, .help = "its upper half"),
    REG_HOOK(0x08, 4, "control", .read = gtimer_ctrl_read, .write = gtimer_ctrl_write, .help = "prescaler, enables"),
    REG(A9Gtimer, 0x0c, status, .w1c = 1, .write = gtimer_compare_write, .help = "event flag"),
    REG(A9Gtimer, 0x10, compare_lo, .wmask = 0xffffffff, .write = gtimer_compare_write, .help = "comparator"),
    REG(A9Gtimer, 0x14, compare_hi, .wmask = 0xffffffff, .write = gtimer_compare_write, .help = "its upper half"),
    REG(A9Gtimer, 0x18, increment, .wmask = 0xffffffff, .help = "added to the comparator at each event"),
};
/* clang-format on */

static const RegBank gtimer_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(gtimer_regs), .help = "as one CPU sees it"}, {0}};
static const Prop gtimer_props[] = {
    PROP_LINK(A9Gtimer, first_obj, "first", "arm.cortex-a9-global-timer"),
    PROP_U32(A9Gtimer, freq, "freq", 100000000, .help = "of the peripheral clock, in Hz"), PROP_END};
static const PinRow gtimer_pins[] = {PIN_OUT(A9Gtimer, irq, "irq"), PIN_END};

static const StateField gtimer_state[] = {
    HOST_ONLY(A9Gtimer, first, "from the property"), HOST_ONLY(A9Gtimer, all, "rebuilt at realize"), STATE(A9Gtimer, ctrl), STATE(A9Gtimer, base),
    STATE(A9Gtimer, since_ns), STATE_TIMER_FIELD(A9Gtimer, timer), STATE_END,
};

static const DeviceType gtimer_type = {
    .name = "arm.cortex-a9-global-timer",
    .category = "misc",
    .desc = "Cortex-A9 global timer",
    .internal = true,
    .size = sizeof(A9Gtimer),
    .state_version = 1,
    .props = gtimer_props,
    .banks = gtimer_banks,
    .pins = gtimer_pins,
    .state = gtimer_state,
    .realize = gtimer_realize,
    .unrealize = gtimer_unrealize,
    .reset = gtimer_reset,
};
DEVICE_TYPE(gtimer_type);
