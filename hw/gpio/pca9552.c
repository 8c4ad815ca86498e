// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LED driver PCA9552 on I2C (NXP PCA9552 datasheet, revision 6): sixteen pins with a state each and
 * two blink rates. Pins that are driven read as 0, others as 1: nothing is connected.
 */
#include <string.h>
#include "hw/i2c/i2c.h"
#include "qom/prop.h"

#define AUTO_INCREMENT 0x10
enum {
    INPUT0,
    INPUT1,
    PSC0,
    PWM0,
    PSC1,
    PWM1,
    LS0,
    LS3 = 9,
    REGS
};

typedef struct Pca9552 {
    I2cDevice i2c;
    uint8_t r[REGS];
    uint8_t control;
    bool addressed; /* the control byte was there */
} Pca9552;

/* A pin is driven when it is on (0); while it blinks that is taken for on. */
static uint8_t pins_of(const Pca9552 *s, unsigned half)
{
    uint8_t v = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned state = s->r[LS0 + 2 * half + i / 4] >> 2 * (i % 4) & 3;

        v |= (uint8_t)((state == 1) << i);
    }
    return v;
}

static void pca_advance(Pca9552 *s)
{
    if (s->control & AUTO_INCREMENT) {
        s->control = (uint8_t)(AUTO_INCREMENT | ((s->control & 15) + 1) % REGS);
    }
}

static bool pca_start(Device *d, bool read)
{
    ((Pca9552 *)d)->addressed = read;
    return true;
}

static uint8_t pca_read(Device *d)
{
    Pca9552 *s = (Pca9552 *)d;
    unsigned at = s->control & 15;
    uint8_t v = at <= INPUT1 ? pins_of(s, at) : at < REGS ? s->r[at] : 0xff;

    pca_advance(s);
    return v;
}

static bool pca_write(Device *d, uint8_t byte)
{
    Pca9552 *s = (Pca9552 *)d;
    unsigned at = s->control & 15;

    if (!s->addressed) {
        s->control = byte & 0x1f;
        s->addressed = true;
        return true;
    }
    if (at >= PSC0 && at < REGS) {
        s->r[at] = byte;
    }
    pca_advance(s);
    return true;
}

static void pca_reset(Device *d)
{
    static const uint8_t start[REGS] = {
        [PSC0] = 0xff, [PWM0] = 0x80, [PSC1] = 0xff, [PWM1] = 0x80, [LS0] = 0x55, 0x55, 0x55, 0x55};
    Pca9552 *s = (Pca9552 *)d;

    memcpy(s->r, start, sizeof(s->r));
    s->control = 0;
    s->addressed = false;
}

static const I2cInfo pca_i2c = {.start = pca_start, .write = pca_write, .read = pca_read};
static const Prop pca_props[] = {I2C_DEVICE_PROPS(Pca9552, i2c), PROP_END};
static const StateField pca_state[] = {STATE_RAW(Pca9552, r), STATE(Pca9552, control),
                                       STATE(Pca9552, addressed), STATE_END};

static const DeviceType pca_type = {
    .name = "pca9552",
    .bus = "i2c-bus",
    .category = "misc",
    .desc = "Driver of sixteen LEDs",
    .internal = true,
    .size = sizeof(Pca9552),
    .state_version = 1,
    .bus_info = &pca_i2c,
    .props = pca_props,
    .state = pca_state,
    .reset = pca_reset,
};
DEVICE_TYPE(pca_type);
