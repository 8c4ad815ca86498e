// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System timer of the BCM2835 (BCM2835 ARM Peripherals, 12): a free-running counter of microseconds
 * and four comparators.
 */
#include "exec/bank.h"
#include "util/timer.h"

typedef struct SysTimer {
    Device dev;
    uint32_t status, compare[4];
    Timer timer[4];
    Irq irq[4];
} SysTimer;

/*
 * A comparator matches when the counter has its value. A guest that sets one a few microseconds
 * ahead, as drivers do, and then waits for a busy host's turn would wait for the counter to come
 * round, 71 minutes: a value that has passed so recently matches at once.
 */
enum { MISSED_US = 1000000 };

static uint64_t now_us(void)
{
    return (uint64_t)clock_now_ns(CLOCK_GUEST) / 1000;
}

static void systmr_fired(SysTimer *s, unsigned i)
{
    s->status |= 1u << i;
    irq_set(&s->irq[i], 1);
}

/* clang-format off */
static void fired0(void *opaque) { systmr_fired(opaque, 0); }
static void fired1(void *opaque) { systmr_fired(opaque, 1); }
static void fired2(void *opaque) { systmr_fired(opaque, 2); }
static void fired3(void *opaque) { systmr_fired(opaque, 3); }
/* clang-format on */

static void systmr_compare_write(Device *d, const RegAccess *a)
{
    SysTimer *s = (SysTimer *)d;
    uint64_t now = now_us();
    uint32_t left = (uint32_t)a->value - (uint32_t)now;

    if (left > UINT32_MAX - MISSED_US) {
        left = 0;
    }
    timer_set_ns(&s->timer[a->index], (int64_t)(now + MAX(left, 1)) * 1000);
}

static void systmr_status_write(Device *d, const RegAccess *a)
{
    SysTimer *s = (SysTimer *)d;

    for (unsigned i = 0; i < 4; i++) {
        irq_set(&s->irq[i], s->status >> i & 1);
    }
}

static uint64_t systmr_count_read(Device *d, const RegAccess *a)
{
    return a->reg->offset == 4 ? (uint32_t)now_us() : now_us() >> 32;
}

static bool systmr_realize(Device *d, GError **error)
{
    static TimerFn *const fns[] = {fired0, fired1, fired2, fired3};

    for (unsigned i = 0; i < 4; i++) {
        timer_init(&((SysTimer *)d)->timer[i], CLOCK_GUEST, fns[i], d);
    }
    return true;
}

static void systmr_reset(Device *d)
{
    for (unsigned i = 0; i < 4; i++) {
        timer_cancel(&((SysTimer *)d)->timer[i]);
    }
}

static const Reg systmr_regs[] = {
    REG(SysTimer, 0x00, status, .w1c = 15, .write = systmr_status_write, .help = "matches"),
    REG_HOOK(0x04, 4, "counter_lo", .read = systmr_count_read, .help = "microseconds"),
    REG_HOOK(0x08, 4, "counter_hi", .read = systmr_count_read, .help = "their upper half"),
    REG_ARRAY(SysTimer, 0x0c, compare, .wmask = 0xffffffff, .write = systmr_compare_write, .help = "comparators"),
};
static const RegBank systmr_banks[] = {
    {.name = "mmio", .size = 0x20, BANK_REGS(systmr_regs), .help = "system timer"}, {0}};
static const PinRow systmr_pins[] = {PIN_OUT_ARRAY(SysTimer, irq, "irq"), PIN_END};
static const StateField systmr_state[] = {
    STATE_TIMER_FIELD(SysTimer, timer[0]), STATE_TIMER_FIELD(SysTimer, timer[1]), STATE_TIMER_FIELD(SysTimer, timer[2]),
    STATE_TIMER_FIELD(SysTimer, timer[3]), STATE_END,
};

static const DeviceType systmr_type = {
    .name = "bcm2835-sys-timer", .category = "misc", .desc = "BCM2835 system timer", .internal = true, .size = sizeof(SysTimer),
    .state_version = 1, .banks = systmr_banks, .pins = systmr_pins, .state = systmr_state, .realize = systmr_realize, .reset = systmr_reset,
};
DEVICE_TYPE(systmr_type);
