// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real-time clocks DS1307, DS1338 and DS1339 on I2C (Maxim 19-6024): date and time as decimal
 * digits, relative to the host's clock, and 56 bytes of memory. Left out: stopping the clock, the
 * square wave, twelve-hour writes other than as they are read.
 */
#include <time.h>

#include "hw/i2c/i2c.h"
#include "qom/prop.h"
#include "util/timer.h"

#define DS_BYTES 64
#define DS_CLOCK 7

typedef struct Ds1338 {
    I2cDevice i2c;
    uint8_t r[DS_BYTES];
    uint8_t at;
    bool addressed, changed;
    int64_t offset_s; /* guest's time less the host's */
} Ds1338;

static uint8_t to_digits(int v)
{
    return (uint8_t)(v / 10 << 4 | v % 10);
}

static int of_digits(uint8_t v)
{
    return (v >> 4) * 10 + (v & 15);
}

static int64_t host_s(void)
{
    return clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND;
}

/* Date and time are taken when a transfer begins, so that they belong together. */
static void ds_take(Ds1338 *s)
{
    time_t t = (time_t)(host_s() + s->offset_s);
    struct tm tm;

    gmtime_r(&t, &tm);
    s->r[0] = to_digits(tm.tm_sec);
    s->r[1] = to_digits(tm.tm_min);
    s->r[2] = to_digits(tm.tm_hour);
    s->r[3] = (uint8_t)(tm.tm_wday + 1);
    s->r[4] = to_digits(tm.tm_mday);
    s->r[5] = to_digits(tm.tm_mon + 1);
    s->r[6] = to_digits(tm.tm_year % 100);
}

static bool ds_start(Device *d, bool read)
{
    Ds1338 *s = (Ds1338 *)d;

    if (!s->changed) {
        ds_take(s);
    }
    s->addressed = read;
    return true;
}

static bool ds_write(Device *d, uint8_t byte)
{
    Ds1338 *s = (Ds1338 *)d;

    if (!s->addressed) {
        s->at = byte % DS_BYTES;
        s->addressed = true;
        return true;
    }
    s->changed |= s->at < DS_CLOCK;
    s->r[s->at] = byte;
    s->at = (s->at + 1) % DS_BYTES;
    return true;
}

static uint8_t ds_read(Device *d)
{
    Ds1338 *s = (Ds1338 *)d;
    uint8_t v = s->r[s->at];

    s->at = (s->at + 1) % DS_BYTES;
    return v;
}

static void ds_stop(Device *d)
{
    Ds1338 *s = (Ds1338 *)d;
    int hour = s->r[2] & 0x40 ? of_digits(s->r[2] & 0x1f) % 12 + (s->r[2] & 0x20 ? 12 : 0)
                              : of_digits(s->r[2] & 0x3f);
    struct tm tm = {.tm_sec = of_digits(s->r[0] & 0x7f),
                    .tm_min = of_digits(s->r[1] & 0x7f),
                    .tm_hour = hour,
                    .tm_mday = of_digits(s->r[4] & 0x3f),
                    .tm_mon = of_digits(s->r[5] & 0x1f) - 1,
                    .tm_year = of_digits(s->r[6]) + 100};

    if (s->changed) {
        s->offset_s = (int64_t)timegm(&tm) - host_s();
        s->changed = false;
    }
}

static void ds_reset(Device *d)
{
    Ds1338 *s = (Ds1338 *)d;

    s->at = 0;
    s->addressed = s->changed = false;
}

static void ds_post_load(Device *d)
{
    ((Ds1338 *)d)->at %= DS_BYTES;
}

static const I2cInfo ds_i2c = {
    .start = ds_start, .write = ds_write, .read = ds_read, .stop = ds_stop};
static const Prop ds_props[] = {I2C_DEVICE_PROPS(Ds1338, i2c), PROP_END};
static const StateField ds_state[] = {
    STATE_RAW(Ds1338, r),   STATE_INDEX(Ds1338, at, r),       STATE(Ds1338, addressed),
    STATE(Ds1338, changed), STATE(Ds1338, offset_s), STATE_END,
};

static const DeviceType ds_type = {
    .name = "ds1338",
    .bus = "i2c-bus",
    .category = "misc",
    .desc = "Real-time clock",
    .internal = true,
    .size = sizeof(Ds1338),
    .state_version = 1,
    .bus_info = &ds_i2c,
    .props = ds_props,
    .state = ds_state,
    .reset = ds_reset,
    .post_load = ds_post_load,
};
DEVICE_TYPE(ds_type);
