// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GPIO of the BCM2835 (BCM2835 ARM Peripherals, 6): functions, levels. The functions of lines 48 to
 * 53 say which of the two SD hosts the card belongs to. Left out: edge detection, pulls.
 */
#include "exec/bank.h"
#include "hw/sd/sd.h"

#define LINES 54
#define ALT0 4
#define ALT3 7

typedef struct Bcm2835Gpio {
    Device dev;
    Object *sdhci, *sdhost;        /* properties */
    uint32_t fsel[6], level[2], event[2], enables[12], pud, pudclk[2];
    bool at_sdhost;
    Irq out[LINES];
} Bcm2835Gpio;

static unsigned gpio_function(const Bcm2835Gpio *s, unsigned line)
{
    return s->fsel[line / 10] >> line % 10 * 3 & 7;
}

/* The first SD bus of a device. */
static SdBus *gpio_bus(Object *o)
{
    return o ? g_ptr_array_index(((Device *)o)->buses, 0) : NULL;
}

static void gpio_route_card(Bcm2835Gpio *s)
{
    unsigned f = gpio_function(s, 48);
    bool want = f == ALT0, same = true;
    SdBus *from, *to;

    for (unsigned i = 49; i < LINES; i++) {
        same = same && gpio_function(s, i) == f;
    }
    if (!same || (f != ALT0 && f != ALT3) || want == s->at_sdhost) {
        return;
    }
    s->at_sdhost = want;
    from = gpio_bus(want ? s->sdhci : s->sdhost);
    to = gpio_bus(want ? s->sdhost : s->sdhci);
    if (from && to) {
        sd_bus_lend(from, to);
    }
}

static void gpio_fsel_write(Device *d, const RegAccess *a)
{
    gpio_route_card((Bcm2835Gpio *)d);
}

static void gpio_set(Bcm2835Gpio *s, unsigned word, uint32_t bits, bool on)
{
    for (unsigned i = 0; i < 32 && word * 32 + i < LINES; i++) {
        if (bits >> i & 1) {
            s->level[word] = on ? s->level[word] | 1u << i : s->level[word] & ~(1u << i);
            if (gpio_function(s, word * 32 + i) == 1) {
                irq_set(&s->out[word * 32 + i], on);
            }
        }
    }
}

static void gpio_set_write(Device *d, const RegAccess *a)
{
    gpio_set((Bcm2835Gpio *)d, a->index, (uint32_t)a->value, true);
}

static void gpio_clear_write(Device *d, const RegAccess *a)
{
    gpio_set((Bcm2835Gpio *)d, a->index, (uint32_t)a->value, false);
}

static void gpio_reset(Device *d)
{
    Bcm2835Gpio *s = (Bcm2835Gpio *)d;

    if (s->at_sdhost) {
        s->at_sdhost = false;
        sd_bus_lend(gpio_bus(s->sdhost), gpio_bus(s->sdhci));
    }
}

/* clang-format off */
static const Reg gpio_regs[] = {
    REG_ARRAY(Bcm2835Gpio, 0x00, fsel, .wmask = 0x3fffffff, .write = gpio_fsel_write, .help = "functions, ten lines each"),
    REG_HOOK(0x1c, 4, "set", .count = 2, .write = gpio_set_write, .help = "sets lines"),
    REG_HOOK(0x28, 4, "clear", .count = 2, .write = gpio_clear_write, .help = "clears lines"),
    REG_ARRAY(Bcm2835Gpio, 0x34, level, .help = "levels"),
    REG_ARRAY(Bcm2835Gpio, 0x40, event, .w1c = 0xffffffff, .help = "events"),
    REG_ARRAY(Bcm2835Gpio, 0x4c, enables, .wmask = 0xffffffff, .help = "event enables"),
    REG(Bcm2835Gpio, 0x94, pud, .wmask = 3, .help = "pull"),
    REG_ARRAY(Bcm2835Gpio, 0x98, pudclk, .wmask = 0xffffffff, .help = "lines that take it"),
};
/* clang-format on */
static const RegBank gpio_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(gpio_regs), .help = "GPIO"}, {0}};
static const Prop gpio_props[] = {
    PROP_LINK(Bcm2835Gpio, sdhci, "sdhci", "generic-sdhci"), PROP_LINK(Bcm2835Gpio, sdhost, "sdhost", "bcm2835-sdhost"), PROP_END,
};
static const PinRow gpio_pins[] = {PIN_OUT_ARRAY(Bcm2835Gpio, out, "out"), PIN_END};
static const StateField gpio_state[] = {STATE(Bcm2835Gpio, at_sdhost), STATE_END};

static const DeviceType gpio_type = {
    .name = "bcm2835_gpio", .category = "misc", .desc = "BCM2835 GPIO", .internal = true, .size = sizeof(Bcm2835Gpio), .state_version = 1,
    .props = gpio_props, .banks = gpio_banks, .pins = gpio_pins, .state = gpio_state, .reset = gpio_reset,
};
DEVICE_TYPE(gpio_type);
