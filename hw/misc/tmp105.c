// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Temperature sensors on I2C: TMP105 (TI SBOS311), which is an LM75 with more bits, and TMP423 (TI
 * SBOS398) with four of them. Temperatures are QOM properties in thousandths of a degree. Left out:
 * the alert output, one-shot conversions.
 */
#include "hw/i2c/i2c.h"
#include "qom/prop.h"

typedef struct Tmp105 {
    I2cDevice i2c;
    int32_t temperature; /* property, milli degrees Celsius */
    uint8_t at, config, count;
    uint16_t limit[2]; /* low, high */
} Tmp105;

/* Twelve bits of sixteenths of a degree, in the upper part of a word. */
static uint16_t tmp105_code(int32_t milli)
{
    int32_t v = CLAMP(milli, -128000, 127999) * 16 / 1000;

    return (uint16_t)((uint32_t)v << 4);
}

static uint16_t tmp105_register(const Tmp105 *s)
{
    switch (s->at & 3) {
    case 0:
        return tmp105_code(s->temperature);
    case 1:
        return (uint16_t)(s->config << 8);
    default:
        return s->limit[(s->at & 3) - 2];
    }
}

static bool tmp105_start(Device *d, bool read)
{
    ((Tmp105 *)d)->count = 0;
    return true;
}

static uint8_t tmp105_read(Device *d)
{
    Tmp105 *s = (Tmp105 *)d;
    uint16_t v = tmp105_register(s);

    return s->count++ & 1 && (s->at & 3) != 1 ? v & 0xff : v >> 8;
}

static bool tmp105_write(Device *d, uint8_t byte)
{
    Tmp105 *s = (Tmp105 *)d;
    unsigned n = s->count++;

    if (n == 0) {
        s->at = byte;
    } else if ((s->at & 3) == 1 && n == 1) {
        s->config = byte & 0x7f;
    } else if (s->at & 2 && n <= 2) {
        uint16_t *l = &s->limit[s->at & 1];

        *l = n == 1 ? (uint16_t)((*l & 0xff) | byte << 8) : (*l & 0xff00) | (byte & 0xf0);
    }
    s->count = MIN(s->count, 3);
    return true;
}

static void tmp105_reset(Device *d)
{
    Tmp105 *s = (Tmp105 *)d;

    s->at = s->config = s->count = 0;
    s->limit[0] = 0x4b00;
    s->limit[1] = 0x5000;
}

static const I2cInfo tmp105_i2c = {
    .start = tmp105_start, .write = tmp105_write, .read = tmp105_read};
static const Prop tmp105_props[] = {
    I2C_DEVICE_PROPS(Tmp105, i2c),
    PROP_I32(Tmp105, temperature, "temperature", 0, .flags = PROP_LIVE,
             .help = "in thousandths of a degree Celsius"),
    PROP_END,
};
static const StateField tmp105_state[] = {
    STATE(Tmp105, temperature), STATE(Tmp105, at),          STATE(Tmp105, config),
    STATE(Tmp105, count),       STATE_ARRAY(Tmp105, limit), STATE_END,
};

static const DeviceType tmp105_type = {
    .name = "tmp105",
    .bus = "i2c-bus",
    .category = "misc",
    .desc = "Temperature sensor",
    .internal = true,
    .size = sizeof(Tmp105),
    .state_version = 1,
    .bus_info = &tmp105_i2c,
    .props = tmp105_props,
    .state = tmp105_state,
    .reset = tmp105_reset,
};
DEVICE_TYPE(tmp105_type);

/* ---- TMP423 ---- */

typedef struct Tmp423 {
    I2cDevice i2c;
    int32_t temperature[4]; /* properties */
    uint8_t at, count, config[2], rate;
} Tmp423;

static uint8_t tmp423_register(const Tmp423 *s)
{
    unsigned n = s->at & 3;

    switch (s->at) {
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x03:
        return (uint8_t)(tmp105_code(s->temperature[n]) >> 8);
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13:
        return (uint8_t)tmp105_code(s->temperature[n]);
    case 0x09:
    case 0x0a:
        return s->config[s->at - 9];
    case 0x0b:
        return s->rate;
    case 0xfe:
        return 0x55;
    case 0xff:
        return 0x23;
    default:
        return 0;
    }
}

static bool tmp423_start(Device *d, bool read)
{
    ((Tmp423 *)d)->count = 0;
    return true;
}

static uint8_t tmp423_read(Device *d)
{
    Tmp423 *s = (Tmp423 *)d;
    uint8_t v = tmp423_register(s);

    s->at = s->at < 0x13 ? s->at + 1 : s->at;
    return v;
}

static bool tmp423_write(Device *d, uint8_t byte)
{
    Tmp423 *s = (Tmp423 *)d;

    if (s->count == 0) {
        s->at = byte;
        s->count = 1;
    } else if (s->at == 0x09 || s->at == 0x0a) {
        s->config[s->at - 9] = byte;
    } else if (s->at == 0x0b) {
        s->rate = byte & 7;
    }
    return true;
}

static void tmp423_reset(Device *d)
{
    Tmp423 *s = (Tmp423 *)d;

    s->at = s->count = s->config[0] = 0;
    s->config[1] = 0x7c;
    s->rate = 7;
}

#define TMP423_PROP(n) PROP_I32(Tmp423, temperature[n], "temperature" #n, 0, .flags = PROP_LIVE)
static const I2cInfo tmp423_i2c = {
    .start = tmp423_start, .write = tmp423_write, .read = tmp423_read};
static const Prop tmp423_props[] = {I2C_DEVICE_PROPS(Tmp423, i2c),
                                    TMP423_PROP(0),
                                    TMP423_PROP(1),
                                    TMP423_PROP(2),
                                    TMP423_PROP(3),
                                    PROP_END};
static const StateField tmp423_state[] = {
    STATE_ARRAY(Tmp423, temperature), STATE(Tmp423, at),   STATE(Tmp423, count),
    STATE_RAW(Tmp423, config),        STATE(Tmp423, rate), STATE_END,
};

static const DeviceType tmp423_type = {
    .name = "tmp423",
    .bus = "i2c-bus",
    .category = "misc",
    .desc = "Four temperature sensors",
    .internal = true,
    .size = sizeof(Tmp423),
    .state_version = 1,
    .bus_info = &tmp423_i2c,
    .props = tmp423_props,
    .state = tmp423_state,
    .reset = tmp423_reset,
};
DEVICE_TYPE(tmp423_type);
