// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clock of Zynq UltraScale+ and Versal (UG1087, RTC module): seconds, alarm, an
 * interrupt a second. The clock follows the host's; what is written takes effect at once. Left
 * out: calibration, fractions of seconds.
 */
#include "exec/bank.h"
#include "util/timer.h"

enum { RTC_SECOND = 1, RTC_ALARM = 2 };

typedef struct XlnxRtc {
    Device dev;
    uint32_t set, calib, alarm, status, mask, addr_status, addr_mask, control, safety;
    int64_t offset_s;          /* guest's time less the host's */
    Irq irqs[2];               /* alarm, second */
    Timer tick;
} XlnxRtc;

static uint32_t rtc_now(const XlnxRtc *s)
{
    return (uint32_t)(clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND + s->offset_s);
}

static void rtc_update(XlnxRtc *s)
{
    uint32_t on = s->status & ~s->mask;

    irq_set(&s->irqs[0], (on & RTC_ALARM) != 0);
    irq_set(&s->irqs[1], (on & RTC_SECOND) != 0);
}

/* The timer runs only while somebody is told of seconds. */
static void rtc_arm(XlnxRtc *s)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);

    if ((s->mask & (RTC_SECOND | RTC_ALARM)) == (RTC_SECOND | RTC_ALARM)) {
        timer_cancel(&s->tick);
    } else if (!s->tick.pending) {
        timer_set_ns(&s->tick, now + NANOSECONDS_PER_SECOND);
    }
}

static void rtc_tick(void *opaque)
{
    XlnxRtc *s = opaque;

    s->status |= RTC_SECOND | (rtc_now(s) >= s->alarm && s->alarm ? RTC_ALARM : 0);
    rtc_update(s);
    rtc_arm(s);
}

static void rtc_set_write(Device *d, const RegAccess *a)
{
    XlnxRtc *s = (XlnxRtc *)d;

    s->offset_s =
        (int64_t)(uint32_t)a->value - clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND;
}

static uint64_t rtc_now_read(Device *d, const RegAccess *a)
{
    return rtc_now((XlnxRtc *)d);
}

static uint64_t rtc_calib_read(Device *d, const RegAccess *a)
{
    return ((XlnxRtc *)d)->calib;
}

static void rtc_changed(Device *d, const RegAccess *a)
{
    rtc_update((XlnxRtc *)d);
}

static void rtc_mask_write(Device *d, const RegAccess *a)
{
    XlnxRtc *s = (XlnxRtc *)d;
    bool on = a->reg->offset == 0x28 || a->reg->offset == 0x38;
    uint32_t *mask = a->reg->offset < 0x30 ? &s->mask : &s->addr_mask;
    uint32_t bits = (uint32_t)a->value & (mask == &s->mask ? 3 : 1);

    *mask = on ? *mask & ~bits : *mask | bits;
    rtc_update(s);
    rtc_arm(s);
}

static bool rtc_realize(Device *d, GError **error)
{
    XlnxRtc *s = (XlnxRtc *)d;

    timer_init(&s->tick, CLOCK_GUEST, rtc_tick, s);
    return true;
}

static void rtc_unrealize(Device *d)
{
    timer_cancel(&((XlnxRtc *)d)->tick);
}

static void rtc_reset(Device *d)
{
    timer_cancel(&((XlnxRtc *)d)->tick);
}

static const Reg rtc_regs[] = {
    REG(XlnxRtc, 0x00, set, .wmask = 0xffffffff, .write = rtc_set_write, .help = "sets the time"),
    REG_HOOK(0x04, 4, "set_time_read", .read = rtc_now_read, .help = "time last set, going on"),
    REG(XlnxRtc, 0x08, calib, .wmask = 0x1fffff, .help = "calibration"),
    REG_HOOK(0x0c, 4, "calib_read", .read = rtc_calib_read, .help = "calibration"),
    REG_HOOK(0x10, 4, "current_time", .read = rtc_now_read, .help = "seconds"),
    REG(XlnxRtc, 0x18, alarm, .wmask = 0xffffffff, .help = "alarm"),
    REG(XlnxRtc, 0x20, status, .w1c = 3, .write = rtc_changed, .help = "interrupts"),
    REG(XlnxRtc, 0x24, mask, .reset = 3, .help = "interrupts that are off"),
    REG_HOOK(0x28, 4, "int_en", .write = rtc_mask_write, .help = "interrupts on"),
    REG_HOOK(0x2c, 4, "int_dis", .write = rtc_mask_write, .help = "interrupts off"),
    REG(XlnxRtc, 0x30, addr_status, .w1c = 1, .help = "address errors"),
    REG(XlnxRtc, 0x34, addr_mask, .reset = 1, .help = "address errors that are off"),
    REG_HOOK(0x38, 4, "addr_en", .write = rtc_mask_write, .help = "address errors on"),
    REG_HOOK(0x3c, 4, "addr_dis", .write = rtc_mask_write, .help = "address errors off"),
    REG(XlnxRtc, 0x40, control, .reset = 0x01000000, .wmask = 0x8f000001, .help = "battery, oscillator"),
    REG(XlnxRtc, 0x50, safety, .wmask = 0xffffffff, .help = "for software"),
};
static const RegBank rtc_banks[] = {
    {.name = "mmio", .size = 0x54, BANK_REGS(rtc_regs), .help = "clock"}, {0}};
static const PinRow rtc_pins[] = {PIN_OUT_ARRAY(XlnxRtc, irqs, "irq"), PIN_END};
static const StateField rtc_state[] = {STATE(XlnxRtc, offset_s), STATE_TIMER_FIELD(XlnxRtc, tick),
                                       STATE_END};
static const DeviceType xlnx_rtc_type = {
    .name = "xlnx-zynmp.rtc", .category = "misc", .desc = "Xilinx real-time clock", .internal = true, .size = sizeof(XlnxRtc),
    .state_version = 1, .banks = rtc_banks, .pins = rtc_pins, .state = rtc_state, .realize = rtc_realize,
    .unrealize = rtc_unrealize, .reset = rtc_reset,
};
DEVICE_TYPE(xlnx_rtc_type);
