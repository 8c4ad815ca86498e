// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random number generator of the nRF51 (Series Reference Manual v3.0, 22): a byte every 167 us, or
 * 660 us with bias correction.
 */
#include "exec/bank.h"
#include "util/cipher.h"
#include "util/timer.h"

typedef struct Nrf51Rng {
    Device dev;
    uint16_t period_unfiltered_us, period_filtered_us;         /* properties */
    uint32_t valrdy, shorts, inten, config, value;
    bool active;
    Timer timer;
    Irq irq;
} Nrf51Rng;

static void rng_update(Nrf51Rng *s)
{
    irq_set(&s->irq, s->valrdy && s->inten);
}

static void rng_arm(Nrf51Rng *s)
{
    if (s->active) {
        timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) +
                                    1000ll * (s->config & 1 ? s->period_filtered_us
                                                            : s->period_unfiltered_us));
    } else {
        timer_cancel(&s->timer);
    }
}

static void rng_expired(void *opaque)
{
    Nrf51Rng *s = opaque;
    uint8_t b = 0;

    random_bytes(&b, 1);
    s->value = b;
    s->valrdy = 1;
    if (s->shorts & 1) {
        s->active = false;
    }
    rng_arm(s);
    rng_update(s);
}

static void rng_task(Device *d, const RegAccess *a)
{
    Nrf51Rng *s = (Nrf51Rng *)d;

    if (a->value == 1) {
        s->active = a->reg->offset == 0;
        rng_arm(s);
    }
}

static void rng_changed(Device *d, const RegAccess *a)
{
    rng_update((Nrf51Rng *)d);
}

static void rng_intenset(Device *d, const RegAccess *a)
{
    ((Nrf51Rng *)d)->inten |= a->value & 1;
    rng_update((Nrf51Rng *)d);
}

static void rng_intenclr(Device *d, const RegAccess *a)
{
    ((Nrf51Rng *)d)->inten &= ~(uint32_t)a->value;
    rng_update((Nrf51Rng *)d);
}

static uint64_t rng_inten_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Rng *)d)->inten;
}

static bool rng_realize(Device *d, GError **error)
{
    Nrf51Rng *s = (Nrf51Rng *)d;

    timer_init(&s->timer, CLOCK_GUEST, rng_expired, s);
    return true;
}

static void rng_unrealize(Device *d)
{
    timer_cancel(&((Nrf51Rng *)d)->timer);
}

static void rng_reset(Device *d)
{
    Nrf51Rng *s = (Nrf51Rng *)d;

    timer_cancel(&s->timer);
    s->active = false;
    s->inten = 0;
}

/* clang-format off */
static const Reg nrf51_rng_regs[] = {
    REG_HOOK(0x000, 4, "start", .write = rng_task), REG_HOOK(0x004, 4, "stop", .write = rng_task),
    REG(Nrf51Rng, 0x100, valrdy, .wmask = 1, .write = rng_changed, .help = "event: a value is there"),
    REG(Nrf51Rng, 0x200, shorts, .wmask = 1, .help = "stops after a value"),
    REG_HOOK(0x304, 4, "intenset", .read = rng_inten_read, .write = rng_intenset, .help = "interrupt enable"),
    REG_HOOK(0x308, 4, "intenclr", .read = rng_inten_read, .write = rng_intenclr),
    REG(Nrf51Rng, 0x504, config, .wmask = 1, .help = "bias correction"),
    REG(Nrf51Rng, 0x508, value, .help = "the byte"),
};
/* clang-format on */
static const RegBank nrf51_rng_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(nrf51_rng_regs), .help = "random numbers"}, {0}};
static const Prop nrf51_rng_props[] = {
    PROP_U16(Nrf51Rng, period_unfiltered_us, "period_unfiltered_us", 167), PROP_U16(Nrf51Rng, period_filtered_us, "period_filtered_us", 660), PROP_END,
};
static const PinRow nrf51_rng_pins[] = {PIN_OUT(Nrf51Rng, irq, "irq"), PIN_END};
static const StateField nrf51_rng_state[] = {
    STATE(Nrf51Rng, inten), STATE(Nrf51Rng, active), STATE_TIMER_FIELD(Nrf51Rng, timer), STATE_END,
};

static const DeviceType nrf51_rng_type = {
    .name = "nrf51_soc.rng", .category = "misc", .desc = "nRF51 random number generator", .internal = true, .size = sizeof(Nrf51Rng),
    .state_version = 1, .props = nrf51_rng_props, .banks = nrf51_rng_banks, .pins = nrf51_rng_pins, .state = nrf51_rng_state, .realize = rng_realize,
    .unrealize = rng_unrealize, .reset = rng_reset,
};
DEVICE_TYPE(nrf51_rng_type);
