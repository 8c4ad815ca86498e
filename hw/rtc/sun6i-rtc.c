// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clocks of Allwinner processors (H3 Datasheet 4.19; A10 User Manual 1.5, 15): date and
 * time in fields, relative to the host's clock; scratch registers. Left out: alarms.
 */
#include <time.h>

#include "exec/bank.h"
#include "util/timer.h"

typedef struct Sun6iRtc {
    Device dev;
    uint32_t losc, auto_switch, prescaler, alarm[8], out, scratch[4];
    int64_t offset_s;      /* guest's time less the host's */
} Sun6iRtc;

static int first_year(const Sun6iRtc *s)
{
    return *(const int *)device_type(&s->dev)->bus_info;
}

static struct tm now_of(const Sun6iRtc *s)
{
    time_t t = (time_t)(clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND + s->offset_s);
    struct tm tm;

    gmtime_r(&t, &tm);
    return tm;
}

static uint64_t rtc_date_read(Device *d, const RegAccess *a)
{
    struct tm tm = now_of((Sun6iRtc *)d);
    int year = tm.tm_year + 1900;
    uint32_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return leap << 22 | (uint32_t)((year - first_year((Sun6iRtc *)d)) & 0x3f) << 16 |
           (uint32_t)(tm.tm_mon + 1) << 8 | (uint32_t)tm.tm_mday;
}

static uint64_t rtc_time_read(Device *d, const RegAccess *a)
{
    struct tm tm = now_of((Sun6iRtc *)d);

    return (uint32_t)((tm.tm_wday + 6) % 7) << 29 | (uint32_t)tm.tm_hour << 16 |
           (uint32_t)tm.tm_min << 8 | (uint32_t)tm.tm_sec;
}

static void set_time(Sun6iRtc *s, struct tm *tm)
{
    s->offset_s = (int64_t)timegm(tm) - clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND;
}

static void rtc_date_write(Device *d, const RegAccess *a)
{
    Sun6iRtc *s = (Sun6iRtc *)d;
    struct tm tm = now_of(s);

    tm.tm_year = first_year(s) - 1900 + (a->value >> 16 & 0x3f);
    tm.tm_mon = (int)(a->value >> 8 & 15) - 1;
    tm.tm_mday = a->value & 31;
    set_time(s, &tm);
}

static void rtc_time_write(Device *d, const RegAccess *a)
{
    Sun6iRtc *s = (Sun6iRtc *)d;
    struct tm tm = now_of(s);

    tm.tm_hour = a->value >> 16 & 31;
    tm.tm_min = a->value >> 8 & 63;
    tm.tm_sec = a->value & 63;
    set_time(s, &tm);
}

/* Bits 7 to 9, which say that a value is being taken over, are never seen set. */
static const Reg rtc_regs[] = {
    REG(Sun6iRtc, 0x00, losc, .reset = 0x4000, .wmask = 0xffff407f, .help = "oscillator control"),
    REG(Sun6iRtc, 0x04, auto_switch, .wmask = 0xffffffff, .help = "oscillator status"),
    REG(Sun6iRtc, 0x08, prescaler, .reset = 0xf, .wmask = 0x1f, .help = "prescaler"),
    REG_HOOK(0x10, 4, "rtc_yy_mm_dd", .read = rtc_date_read, .write = rtc_date_write, .help = "date"),
    REG_HOOK(0x14, 4, "rtc_hh_mm_ss", .read = rtc_time_read, .write = rtc_time_write, .help = "time"),
    REG_ARRAY(Sun6iRtc, 0x20, alarm, .wmask = 0xffffffff, .help = "alarms"),
    REG(Sun6iRtc, 0x60, out, .wmask = 0xffffffff, .help = "clock output"),
    REG_ARRAY(Sun6iRtc, 0x100, scratch, .wmask = 0xffffffff, .help = "for software"),
};
static const RegBank rtc_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(rtc_regs), .help = "clock"}, {0}};
static const Reg sun4i_rtc_regs[] = {
    REG(Sun6iRtc, 0x00, losc, .reset = 0x4000, .wmask = 0xffff407f, .help = "oscillator control"),
    REG_HOOK(0x04, 4, "rtc_yy_mm_dd", .read = rtc_date_read, .write = rtc_date_write, .help = "date"),
    REG_HOOK(0x08, 4, "rtc_hh_mm_ss", .read = rtc_time_read, .write = rtc_time_write, .help = "time"),
    REG_ARRAY(Sun6iRtc, 0x0c, alarm, .wmask = 0xffffffff, .help = "alarms, interrupts"),
    REG_ARRAY(Sun6iRtc, 0x100, scratch, .wmask = 0xffffffff, .help = "for software"),
};
static const RegBank sun4i_rtc_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(sun4i_rtc_regs), .help = "clock"}, {0}};
static const StateField rtc_state[] = {
    STATE(Sun6iRtc, offset_s),
    HOST_ONLY(Sun6iRtc, auto_switch, "of the sun6i, there a register"),
    HOST_ONLY(Sun6iRtc, prescaler, "of the sun6i, there a register"),
    HOST_ONLY(Sun6iRtc, out, "of the sun6i, there a register"),
    STATE_END,
};
static const int sun4i_year = 2010, sun6i_year = 1970;
static const DeviceType sun6i_rtc_type = {
    .name = "allwinner-rtc-sun6i", .category = "misc", .desc = "Allwinner real-time clock", .internal = true,
    .size = sizeof(Sun6iRtc), .state_version = 1, .bus_info = &sun6i_year, .banks = rtc_banks, .state = rtc_state,
};
DEVICE_TYPE(sun6i_rtc_type);

static const DeviceType sun4i_rtc_type = {
    .name = "allwinner-rtc-sun4i", .category = "misc", .desc = "Allwinner A10 real-time clock", .internal = true,
    .size = sizeof(Sun6iRtc), .state_version = 1, .bus_info = &sun4i_year, .banks = sun4i_rtc_banks, .state = rtc_state,
};
DEVICE_TYPE(sun4i_rtc_type);
