// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clock of Aspeed's BMCs (AST2500 datasheet, chapter 36): date and time in fields,
 * relative to the host's clock, once it was set and started. Left out: alarms.
 */
#include <time.h>

#include "exec/bank.h"
#include "qom/vm.h"
#include "util/timer.h"

enum {
    CTRL_ENABLE = 1,
    CTRL_UNLOCK = 2
};

typedef struct AspeedRtc {
    Device dev;
    uint32_t counter[2], alarm, ctrl, alarm_status;
    int64_t offset_s; /* guest's time less the host's, while it runs */
} AspeedRtc;

static int64_t host_s(void)
{
    return clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND;
}

static void rtc_take(AspeedRtc *s)
{
    time_t t = (time_t)(host_s() + s->offset_s);
    struct tm tm;

    gmtime_r(&t, &tm);
    int year = tm.tm_year + 1900;

    s->counter[0] = (uint32_t)tm.tm_mday << 24 | (uint32_t)tm.tm_hour << 16 |
                    (uint32_t)tm.tm_min << 8 | (uint32_t)tm.tm_sec;
    s->counter[1] =
        (uint32_t)(year / 100 & 31) << 16 | (uint32_t)(year % 100) << 8 | (uint32_t)(tm.tm_mon + 1);
}

static void rtc_set(AspeedRtc *s)
{
    uint32_t a = s->counter[0], b = s->counter[1];
    struct tm tm = {.tm_sec = a & 0x3f,
                    .tm_min = a >> 8 & 0x3f,
                    .tm_hour = a >> 16 & 0x1f,
                    .tm_mday = a >> 24 & 0x1f,
                    .tm_mon = (int)(b & 15) - 1,
                    .tm_year = (int)((b >> 16 & 31) * 100 + (b >> 8 & 0x7f)) - 1900};

    s->offset_s = (int64_t)timegm(&tm) - host_s();
}

static uint64_t rtc_counter_read(Device *d, const RegAccess *a)
{
    AspeedRtc *s = (AspeedRtc *)d;

    if (s->ctrl & CTRL_ENABLE) {
        rtc_take(s);
    }
    return s->counter[a->index];
}

static void rtc_counter_write(Device *d, const RegAccess *a)
{
    AspeedRtc *s = (AspeedRtc *)d;

    if (!(s->ctrl & CTRL_UNLOCK)) {
        s->counter[a->index] = (uint32_t)a->old;
    } else if (s->ctrl & CTRL_ENABLE) {
        rtc_set(s);
    }
}

static void rtc_ctrl_write(Device *d, const RegAccess *a)
{
    AspeedRtc *s = (AspeedRtc *)d;

    if (!(a->old & CTRL_ENABLE) && s->ctrl & CTRL_ENABLE) {
        rtc_set(s);
    } else if (a->old & CTRL_ENABLE && !(s->ctrl & CTRL_ENABLE)) {
        rtc_take(s);
    }
}

/* clang-format off */
static const Reg rtc_regs[] = {
    REG_ARRAY(AspeedRtc, 0x00, counter, .wmask = 0xffffffff, .read = rtc_counter_read, .write = rtc_counter_write, .help = "day and time; century, year, month"),
    REG(AspeedRtc, 0x08, alarm, .wmask = 0xffffffff, .help = "alarm"),
    REG(AspeedRtc, 0x10, ctrl, .wmask = 0xff, .write = rtc_ctrl_write, .help = "bit 0 runs, 1 unlocked"),
    REG(AspeedRtc, 0x14, alarm_status, .w1c = 0x1f, .help = "alarms"),
};
static const RegBank rtc_banks[] = {{.name = "mmio", .size = 0x18, BANK_REGS(rtc_regs), .help = "clock"}, {0}};
static const StateField rtc_state[] = {STATE(AspeedRtc, offset_s), STATE_END};

static const DeviceType aspeed_rtc_type = {
    .name = "aspeed.rtc", .category = "misc", .desc = "Aspeed real-time clock", .internal = true, .size = sizeof(AspeedRtc), .state_version = 1,
    .banks = rtc_banks, .state = rtc_state,
};
DEVICE_TYPE(aspeed_rtc_type);
/* clang-format on */
