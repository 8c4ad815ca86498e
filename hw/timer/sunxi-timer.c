// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers and watchdog of the Allwinner H3 (H3 Datasheet 4.8) and A10 (A10 User Manual 1.5, 12): two
 * or six down-counters at 24 MHz or the 32 kHz clock, and a watchdog that only resets when asked
 * to; of the A10, a counter of 64 bits. Left out: AVS counters, the clock of 32 kHz's calibration.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "qom/vm.h"

#define TIMERS 6
#define OSC24M 24000000u
#define OSC32K 32768u

enum { CTRL_ENABLE = 1, CTRL_RELOAD = 2, CTRL_SINGLE = 0x80 };

typedef struct SunxiTimer {
    Device dev;
    Irq irq[TIMERS];
    uint32_t irq_en, irq_sta;
    uint32_t ctrl[TIMERS], interval[TIMERS];
    Countdown count[TIMERS];
    uint32_t count64_ctrl, count64[2];     /* lower and upper half */
    uint32_t wdog_irq_en, wdog_irq_sta, wdog_cfg, wdog_mode;
    Timer wdog;
} SunxiTimer;

static void timer_update(SunxiTimer *s)
{
    for (unsigned i = 0; i < TIMERS; i++) {
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

static void timer_zero2(void *opaque)
{
    timer_zero(opaque, 2);
}

static void timer_zero3(void *opaque)
{
    timer_zero(opaque, 3);
}

static void timer_zero4(void *opaque)
{
    timer_zero(opaque, 4);
}

static void timer_zero5(void *opaque)
{
    timer_zero(opaque, 5);
}

static void (*const timer_zeros[TIMERS])(void *) = {timer_zero0, timer_zero1, timer_zero2,
                                                    timer_zero3, timer_zero4, timer_zero5};

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

static void wdog_start(SunxiTimer *s, unsigned time)
{
    static const uint8_t half_seconds[16] = {1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32};

    timer_cancel(&s->wdog);
    if (s->wdog_mode & 1) {
        timer_set_ns(&s->wdog,
                     clock_now_ns(CLOCK_GUEST) +
                         MAX(half_seconds[time & 15], 1) * NANOSECONDS_PER_SECOND / 2);
    }
}

static unsigned wdog_time(const SunxiTimer *s)
{
    return s->wdog_mode >> (device_type(&s->dev)->bus_info ? 2 : 4) & 15;
}

static void wdog_mode_write(Device *d, const RegAccess *a)
{
    wdog_start((SunxiTimer *)d, wdog_time((SunxiTimer *)d));
}

/* Bit 1 says that the watchdog resets. */
static void sun4i_wdog_write(Device *d, const RegAccess *a)
{
    SunxiTimer *s = (SunxiTimer *)d;

    s->wdog_cfg = a->value & 2 ? 1 : 0;
    wdog_start(s, wdog_time(s));
}

/* A restart needs the key. */
static void wdog_ctrl_write(Device *d, const RegAccess *a)
{
    if ((a->value & 1) && (a->value >> 1 & 0xfff) == 0xa57) {
        wdog_start((SunxiTimer *)d, wdog_time((SunxiTimer *)d));
    }
}

/* The A10's counter: what is read was latched. */
static void count64_ctrl_write(Device *d, const RegAccess *a)
{
    SunxiTimer *s = (SunxiTimer *)d;
    uint64_t now = ticks_of_ns(clock_now_ns(CLOCK_GUEST), OSC24M);

    if (a->value & 2) {
        s->count64[0] = (uint32_t)now;
        s->count64[1] = (uint32_t)(now >> 32);
    }
    s->count64_ctrl &= 4;
}

/* clang-format off */
#define SUN4I_TIMER(n) \
    REG_HOOK(0x10 * ((n) + 1), 4, "tmr" #n "_ctrl", .read = timer_ctrl_read, .write = timer_ctrl_write, .help = "control of a timer"), \
    REG_HOOK(0x10 * ((n) + 1) + 4, 4, "tmr" #n "_intv", .read = timer_interval_read, .write = timer_interval_write, .help = "its interval"), \
    REG_HOOK(0x10 * ((n) + 1) + 8, 4, "tmr" #n "_cur", .read = timer_value_read, .write = timer_value_write, .help = "its count")
static const Reg sun4i_timer_regs[] = {
    REG(SunxiTimer, 0x00, irq_en, .wmask = 0x13f, .write = timer_changed, .help = "interrupt enables"),
    REG(SunxiTimer, 0x04, irq_sta, .w1c = 0x13f, .write = timer_changed, .help = "interrupt status"),
    SUN4I_TIMER(0), SUN4I_TIMER(1), SUN4I_TIMER(2), SUN4I_TIMER(3), SUN4I_TIMER(4), SUN4I_TIMER(5),
    REG_HOOK(0x90, 4, "wdog_ctrl", .write = wdog_ctrl_write, .help = "watchdog restart"),
    REG(SunxiTimer, 0x94, wdog_mode, .wmask = 0x3f, .write = sun4i_wdog_write, .help = "watchdog on, and how long"),
    REG(SunxiTimer, 0xa0, count64_ctrl, .wmask = 7, .write = count64_ctrl_write, .help = "counter of 64 bits"),
    REG_ARRAY(SunxiTimer, 0xa4, count64, .help = "its value when it was latched"),
};
static const RegBank sun4i_timer_banks[] = {
    {.name = "mmio", .size = 0x90 + 0x20, BANK_REGS(sun4i_timer_regs), .help = "timers and watchdog"}, {0},
};
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
    STATE_TIMER_FIELD(SunxiTimer, wdog), STATE(SunxiTimer, wdog_cfg), HOST_ONLY(SunxiTimer, wdog_irq_en, "of the H3, there a register"),
    STATE(SunxiTimer, wdog_irq_sta), STATE(SunxiTimer, count64_ctrl), STATE_ARRAY(SunxiTimer, count64), STATE_END,
};

static bool sunxi_timer_realize(Device *d, GError **error)
{
    SunxiTimer *s = (SunxiTimer *)d;

    for (unsigned i = 0; i < TIMERS; i++) {
        countdown_init(&s->count[i], OSC24M, timer_zeros[i], s);
    }
    timer_init(&s->wdog, CLOCK_GUEST, wdog_expired, s);
    return true;
}

static void sunxi_timer_unrealize(Device *d)
{
    SunxiTimer *s = (SunxiTimer *)d;

    for (unsigned i = 0; i < TIMERS; i++) {
        countdown_reset(&s->count[i]);
    }
    timer_cancel(&s->wdog);
}

static void sunxi_timer_reset(Device *d)
{
    SunxiTimer *s = (SunxiTimer *)d;

    for (unsigned i = 0; i < TIMERS; i++) {
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

static const bool sun4i_layout = true;
static const DeviceType sun4i_timer_type = {
    .name = "allwinner-A10-timer", .category = "misc", .desc = "Allwinner A10 timers and watchdog", .internal = true,
    .size = sizeof(SunxiTimer), .state_version = 1, .bus_info = &sun4i_layout, .banks = sun4i_timer_banks,
    .pins = sunxi_timer_pins, .state = sunxi_timer_state, .realize = sunxi_timer_realize,
    .unrealize = sunxi_timer_unrealize, .reset = sunxi_timer_reset,
};
DEVICE_TYPE(sun4i_timer_type);
