// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers and watchdog of the Allwinner H3 (H3 Datasheet 4.8): two down-counters at 24 MHz or the 32
 * kHz clock, and a watchdog that only resets when asked to. Left out: AVS counters, the clock of 32
 * kHz's calibration.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "qom/vm.h"

#define OSC24M 24000000u
#define OSC32K 32768u

enum { CTRL_ENABLE = 1, CTRL_RELOAD = 2, CTRL_SINGLE = 0x80 };

typedef struct SunxiTimer {
    Device dev;
    Irq irq[2];
    uint32_t irq_en, irq_sta;
    uint32_t ctrl[2], interval[2];
    Countdown count[2];
    uint32_t wdog_irq_en, wdog_irq_sta, wdog_cfg, wdog_mode;
    Timer wdog;
} SunxiTimer;

static void timer_update(SunxiTimer *s)
{
    for (unsigned i = 0; i < 2; i++) {
        irq_set(&s->irq[i], s->irq_en & s->irq_sta & 1u << i);
    }
}

static void timer_zero(SunxiTimer *s, unsigned i)
{
    s->irq_sta |= 1u << i;
    if (s->ctrl[i] & CTRL_SINGLE) {
        s->ctrl[i] &= ~(uint32_t)CTRL_ENABLE;
    }
    timer_update(s);
}

static void timer_zero0(void *opaque)
{
    timer_zero(opaque, 0);
}

static void timer_zero1(void *opaque)
{
    timer_zero(opaque, 1);
}

static unsigned timer_index(const RegAccess *a)
{
    return (a->reg->offset >> 4) - 1;
}

static uint64_t timer_ctrl_read(Device *d, const RegAccess *a)
{
    return ((SunxiTimer *)d)->ctrl[timer_index(a)];
}

static void timer_ctrl_write(Device *d, const RegAccess *a)
{
    SunxiTimer *s = (SunxiTimer *)d;
    unsigned i = timer_index(a);
    uint32_t v = (uint32_t)a->value;

    countdown_set_hz(&s->count[i], ((v >> 2 & 3) == 0 ? OSC32K : OSC24M) >> (v >> 4 & 7));
    countdown_set_period(&s->count[i], v & CTRL_SINGLE ? 0 : MAX(s->interval[i], 1));
    if (v & CTRL_RELOAD) {
        countdown_set(&s->count[i], s->interval[i]);
    }
    s->ctrl[i] = v & ~(uint32_t)CTRL_RELOAD & 0xff;
    countdown_run(&s->count[i], v & CTRL_ENABLE);
}

static uint64_t timer_interval_read(Device *d, const RegAccess *a)
{
    return ((SunxiTimer *)d)->interval[timer_index(a)];
}

static void timer_interval_write(Device *d, const RegAccess *a)
{
    SunxiTimer *s = (SunxiTimer *)d;
    unsigned i = timer_index(a);

    s->interval[i] = (uint32_t)a->value;
    countdown_set_period(&s->count[i], s->ctrl[i] & CTRL_SINGLE ? 0 : MAX(s->interval[i], 1));
}

static uint64_t timer_value_read(Device *d, const RegAccess *a)
{
    return countdown_value(&((SunxiTimer *)d)->count[timer_index(a)]);
}

static void timer_value_write(Device *d, const RegAccess *a)
{
    countdown_set(&((SunxiTimer *)d)->count[timer_index(a)], (uint32_t)a->value);
}

static void timer_changed(Device *d, const RegAccess *a)
{
    timer_update((SunxiTimer *)d);
}

/* ---- watchdog: 4.9 ---- */

static void wdog_expired(void *opaque)
{
    SunxiTimer *s = opaque;

    s->wdog_irq_sta = 1;
    if ((s->wdog_cfg & 3) == 1) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static void wdog_start(SunxiTimer *s)
{
    static const uint8_t half_seconds[16] = {1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32};

    timer_cancel(&s->wdog);
    if (s->wdog_mode & 1) {
        timer_set_ns(&s->wdog,
                     clock_now_ns(CLOCK_GUEST) +
                         MAX(half_seconds[s->wdog_mode >> 4 & 15], 1) * NANOSECONDS_PER_SECOND / 2);
    }
}

static void wdog_mode_write(Device *d, const RegAccess *a)
{
    wdog_start((SunxiTimer *)d);
}

/* A restart needs the key. */
static void wdog_ctrl_write(Device *d, const RegAccess *a)
{
    if ((a->value & 1) && (a->value >> 1 & 0xfff) == 0xa57) {
        wdog_start((SunxiTimer *)d);
    }
}

/* clang-format off */
static const Reg sunxi_timer_regs[] = {
    REG(SunxiTimer, 0x00, irq_en, .wmask = 3, .write = timer_changed, .help = "interrupt enables"),
    REG(SunxiTimer, 0x04, irq_sta, .w1c = 3, .write = timer_changed, .help = "interrupt status"),
    REG_HOOK(0x10, 4, "tmr0_ctrl", .read = timer_ctrl_read, .write = timer_ctrl_write, .help = "control of timer 0"),
    REG_HOOK(0x14, 4, "tmr0_intv", .read = timer_interval_read, .write = timer_interval_write, .help = "its interval"),
    REG_HOOK(0x18, 4, "tmr0_cur", .read = timer_value_read, .write = timer_value_write, .help = "its count"),
    REG_HOOK(0x20, 4, "tmr1_ctrl", .read = timer_ctrl_read, .write = timer_ctrl_write, .help = "control of timer 1"),
    REG_HOOK(0x24, 4, "tmr1_intv", .read = timer_interval_read, .write = timer_interval_write, .help = "its interval"),
    REG_HOOK(0x28, 4, "tmr1_cur", .read = timer_value_read, .write = timer_value_write, .help = "its count"),
    REG(SunxiTimer, 0xa0, wdog_irq_en, .wmask = 1, .help = "watchdog interrupt enable"),
    REG(SunxiTimer, 0xa4, wdog_irq_sta, .w1c = 1, .help = "watchdog interrupt status"),
    REG_HOOK(0xb0, 4, "wdog_ctrl", .write = wdog_ctrl_write, .help = "watchdog restart"),
    REG(SunxiTimer, 0xb4, wdog_cfg, .wmask = 3, .reset = 1, .help = "what the watchdog does"),
    REG(SunxiTimer, 0xb8, wdog_mode, .wmask = 0xf1, .write = wdog_mode_write, .help = "watchdog on, and how long"),
};
/* clang-format on */

static const RegBank sunxi_timer_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(sunxi_timer_regs), .help = "timers and watchdog"}, {0},
};
static const PinRow sunxi_timer_pins[] = {PIN_OUT_ARRAY(SunxiTimer, irq, "irq"), PIN_END};
static const StateField sunxi_timer_state[] = {
    STATE_ARRAY(SunxiTimer, ctrl), STATE_ARRAY(SunxiTimer, interval), STATE_STRUCTS(SunxiTimer, count, countdown_state),
    STATE_TIMER_FIELD(SunxiTimer, wdog), STATE_END,
};

static bool sunxi_timer_realize(Device *d, GError **error)
{
    SunxiTimer *s = (SunxiTimer *)d;

    countdown_init(&s->count[0], OSC24M, timer_zero0, s);
    countdown_init(&s->count[1], OSC24M, timer_zero1, s);
    timer_init(&s->wdog, CLOCK_GUEST, wdog_expired, s);
    return true;
}

static void sunxi_timer_unrealize(Device *d)
{
    SunxiTimer *s = (SunxiTimer *)d;

    countdown_reset(&s->count[0]);
    countdown_reset(&s->count[1]);
    timer_cancel(&s->wdog);
}

static void sunxi_timer_reset(Device *d)
{
    SunxiTimer *s = (SunxiTimer *)d;

    for (unsigned i = 0; i < 2; i++) {
        s->ctrl[i] = 4;
        s->interval[i] = 0;
        countdown_reset(&s->count[i]);
    }
    timer_cancel(&s->wdog);
}

static const DeviceType sunxi_timer_type = {
    .name = "allwinner-h3-timer", .category = "misc", .desc = "Allwinner timers and watchdog", .internal = true,
    .size = sizeof(SunxiTimer), .state_version = 1, .banks = sunxi_timer_banks, .pins = sunxi_timer_pins,
    .state = sunxi_timer_state, .realize = sunxi_timer_realize, .unrealize = sunxi_timer_unrealize,
    .reset = sunxi_timer_reset,
};
DEVICE_TYPE(sunxi_timer_type);
