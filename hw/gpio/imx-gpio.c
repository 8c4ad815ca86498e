// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GPIO of i.MX processors (i.MX 6Dual/6Quad Reference Manual, 28): 32 pins, interrupts by level or
 * edge, two lines of them.
 */
#include "exec/bank.h"

#define PINS 32

typedef struct ImxGpio {
    Device dev;
    uint32_t dr, gdir, icr[2], imr, isr, both;
    uint32_t levels;               /* of pins as driven from outside */
    Irq irq[2], out[PINS];
} ImxGpio;

static uint32_t pad(const ImxGpio *s)
{
    return (s->dr & s->gdir) | (s->levels & ~s->gdir);
}

static void gpio_update(ImxGpio *s)
{
    irq_set(&s->irq[0], (s->isr & s->imr & 0xffff) != 0);
    irq_set(&s->irq[1], (s->isr & s->imr & 0xffff0000) != 0);
}

/* 28.5: 0 low, 1 high, 2 rising, 3 falling; one bit each makes that both edges. */
static void gpio_look(ImxGpio *s, uint32_t before)
{
    uint32_t now = pad(s), changed = now ^ before;

    for (unsigned i = 0; i < PINS; i++) {
        unsigned kind = s->icr[i / 16] >> 2 * (i % 16) & 3;
        bool up = now >> i & 1, edge = changed >> i & 1;

        if (s->both >> i & 1     ? edge
            : kind == 0          ? !up
            : kind == 1          ? up
                                 : edge && up == (kind == 2)) {
            s->isr |= 1u << i;
        }
    }
    gpio_update(s);
}

static void gpio_drive(ImxGpio *s, uint32_t before)
{
    for (unsigned i = 0; i < PINS; i++) {
        irq_set(&s->out[i], (s->dr & s->gdir) >> i & 1);
    }
    gpio_look(s, before);
}

static void gpio_dr_write(Device *d, const RegAccess *a)
{
    ImxGpio *s = (ImxGpio *)d;

    gpio_drive(s, ((uint32_t)a->old & s->gdir) | (s->levels & ~s->gdir));
}

static void gpio_gdir_write(Device *d, const RegAccess *a)
{
    ImxGpio *s = (ImxGpio *)d;
    uint32_t dir = (uint32_t)a->old;

    gpio_drive(s, (s->dr & dir) | (s->levels & ~dir));
}

static uint64_t gpio_dr_read(Device *d, const RegAccess *a)
{
    ImxGpio *s = (ImxGpio *)d;

    return (s->dr & s->gdir) | (pad(s) & ~s->gdir);
}

static uint64_t gpio_psr_read(Device *d, const RegAccess *a)
{
    return pad((ImxGpio *)d);
}

static void gpio_changed(Device *d, const RegAccess *a)
{
    gpio_look((ImxGpio *)d, pad((ImxGpio *)d));
}

static void gpio_in(Device *d, unsigned pin, int level)
{
    ImxGpio *s = (ImxGpio *)d;
    uint32_t before = pad(s);

    s->levels = level ? s->levels | 1u << pin : s->levels & ~(1u << pin);
    gpio_look(s, before);
}

static const Reg gpio_regs[] = {
    REG(ImxGpio, 0x00, dr, .wmask = 0xffffffff, .read = gpio_dr_read, .write = gpio_dr_write, .help = "data"),
    REG(ImxGpio, 0x04, gdir, .wmask = 0xffffffff, .write = gpio_gdir_write, .help = "direction"),
    REG_HOOK(0x08, 4, "psr", .read = gpio_psr_read, .help = "levels of the pads"),
    REG_ARRAY(ImxGpio, 0x0c, icr, .wmask = 0xffffffff, .write = gpio_changed, .help = "what interrupts"),
    REG(ImxGpio, 0x14, imr, .wmask = 0xffffffff, .write = gpio_changed, .help = "interrupts that are on"),
    REG(ImxGpio, 0x18, isr, .w1c = 0xffffffff, .write = gpio_changed, .help = "interrupts"),
    REG(ImxGpio, 0x1c, both, .wmask = 0xffffffff, .write = gpio_changed, .help = "both edges"),
};
static const RegBank gpio_banks[] = {
    {.name = "mmio", .size = 0x20, BANK_REGS(gpio_regs), .help = "GPIO"}, {0}};
static const PinRow gpio_pins[] = {PIN_OUT_ARRAY(ImxGpio, irq, "irq"), PIN_OUT_ARRAY(ImxGpio, out, "out"),
                                   PIN_IN("in", PINS, gpio_in), PIN_END};
static const StateField gpio_state[] = {STATE(ImxGpio, levels), STATE_END};
static const DeviceType imx_gpio_type = {
    .name = "imx.gpio", .category = "misc", .desc = "i.MX GPIO", .internal = true, .size = sizeof(ImxGpio), .state_version = 1,
    .banks = gpio_banks, .pins = gpio_pins, .state = gpio_state,
};
DEVICE_TYPE(imx_gpio_type);
