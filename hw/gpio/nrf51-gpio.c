// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GPIO of the nRF51 (Series Reference Manual v3.0, 15): 32 pins with pulls. Input lines are 0 or 1
 * once something drives them; before that the pull says what is read. Sensing is left out.
 */
#include "exec/bank.h"

#define PINS 32

typedef struct Nrf51Gpio {
    Device dev;
    uint32_t out, dir, driven, level;
    uint32_t cnf[PINS];
    Irq pins[PINS];
} Nrf51Gpio;

static bool gpio_pulled_up(uint32_t cnf)
{
    return (cnf >> 2 & 3) == 3;
}

static void gpio_update(Nrf51Gpio *s)
{
    for (unsigned i = 0; i < PINS; i++) {
        bool out = s->dir >> i & 1;

        irq_set(&s->pins[i], out ? s->out >> i & 1 : gpio_pulled_up(s->cnf[i]));
    }
}

static uint64_t gpio_in_read(Device *d, const RegAccess *a)
{
    Nrf51Gpio *s = (Nrf51Gpio *)d;
    uint32_t v = 0;

    for (unsigned i = 0; i < PINS; i++) {
        bool level = s->driven >> i & 1 ? s->level >> i & 1
                     : s->dir >> i & 1  ? s->out >> i & 1
                                        : gpio_pulled_up(s->cnf[i]);

        /* bit 1 of the configuration disconnects the input */
        v |= level && !(s->cnf[i] & 2) ? 1u << i : 0;
    }
    return v;
}

/* Direction is in DIR and in every pin's configuration. */
static void gpio_set_dir(Nrf51Gpio *s, uint32_t dir)
{
    s->dir = dir;
    for (unsigned i = 0; i < PINS; i++) {
        s->cnf[i] = (s->cnf[i] & ~1u) | (dir >> i & 1);
    }
    gpio_update(s);
}

static void gpio_write(Device *d, const RegAccess *a)
{
    Nrf51Gpio *s = (Nrf51Gpio *)d;
    uint32_t v = (uint32_t)a->value;

    switch (a->reg->offset) {
    case 0x508:
        s->out |= v;
        break;
    case 0x50c:
        s->out &= ~v;
        break;
    case 0x514:
        gpio_set_dir(s, v);
        break;
    case 0x518:
        gpio_set_dir(s, s->dir | v);
        break;
    case 0x51c:
        gpio_set_dir(s, s->dir & ~v);
        break;
    default:
        break;
    }
    gpio_update(s);
}

static void gpio_cnf_write(Device *d, const RegAccess *a)
{
    Nrf51Gpio *s = (Nrf51Gpio *)d;

    s->dir = (s->dir & ~(1u << a->index)) | (s->cnf[a->index] & 1) << a->index;
    gpio_update(s);
}

static uint64_t gpio_out_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Gpio *)d)->out;
}

static uint64_t gpio_dir_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Gpio *)d)->dir;
}

static void gpio_input(Device *d, unsigned pin, int level)
{
    Nrf51Gpio *s = (Nrf51Gpio *)d;

    s->driven |= 1u << pin;
    s->level = level ? s->level | 1u << pin : s->level & ~(1u << pin);
}

static void gpio_reset(Device *d)
{
    ((Nrf51Gpio *)d)->driven = ((Nrf51Gpio *)d)->level = 0;
}

/* clang-format off */
static const Reg nrf51_gpio_regs[] = {
    REG(Nrf51Gpio, 0x504, out, .wmask = 0xffffffff, .write = gpio_write, .help = "levels of outputs"),
    REG_HOOK(0x508, 4, "outset", .read = gpio_out_read, .write = gpio_write), REG_HOOK(0x50c, 4, "outclr", .read = gpio_out_read, .write = gpio_write),
    REG_HOOK(0x510, 4, "in", .read = gpio_in_read, .help = "levels of inputs"),
    REG(Nrf51Gpio, 0x514, dir, .wmask = 0xffffffff, .write = gpio_write, .help = "1: output"),
    REG_HOOK(0x518, 4, "dirset", .read = gpio_dir_read, .write = gpio_write), REG_HOOK(0x51c, 4, "dirclr", .read = gpio_dir_read, .write = gpio_write),
    REG_ARRAY(Nrf51Gpio, 0x700, cnf, .reset = 2, .wmask = 0x3070f, .write = gpio_cnf_write, .help = "direction, input, pull, drive, sense"),
};
/* clang-format on */
static const RegBank nrf51_gpio_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(nrf51_gpio_regs), .help = "pins"}, {0}};
static const PinRow nrf51_gpio_pins[] = {PIN_IN("in", PINS, gpio_input),
                                         PIN_OUT_ARRAY(Nrf51Gpio, pins, "out"), PIN_END};
static const StateField nrf51_gpio_state[] = {STATE(Nrf51Gpio, driven), STATE(Nrf51Gpio, level),
                                              STATE_END};

static const DeviceType nrf51_gpio_type = {
    .name = "nrf51_soc.gpio", .category = "misc", .desc = "nRF51 GPIO", .internal = true, .size = sizeof(Nrf51Gpio), .state_version = 1,
    .banks = nrf51_gpio_banks, .pins = nrf51_gpio_pins, .state = nrf51_gpio_state, .reset = gpio_reset,
};
DEVICE_TYPE(nrf51_gpio_type);
