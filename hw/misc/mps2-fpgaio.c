// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I/O block of MPS2 FPGA images (ARM DAI 0385D, 4.6): LEDs, buttons and counters, which run with
 * guest time. Nobody presses buttons.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

typedef struct Fpgaio {
    Device dev;
    uint32_t prescale_clk, num_leds;   /* properties */
    bool has_switches, has_dbgctrl;
    uint32_t led0, prescale, misc, dbgctrl;
    int64_t hz1_since_ns, hz100_since_ns, counter_since_ns, pscntr_since_ns;
    uint32_t pscntr_start;
    uint32_t counter_start;
} Fpgaio;

static int64_t now(void)
{
    return clock_now_ns(CLOCK_GUEST);
}

static int64_t *hz_since(Fpgaio *s, const RegAccess *a)
{
    return a->reg->offset == 0x10 ? &s->hz1_since_ns : &s->hz100_since_ns;
}

static uint64_t clk_read(Device *d, const RegAccess *a)
{
    return (uint32_t)ticks_of_ns(now() - *hz_since((Fpgaio *)d, a),
                                 a->reg->offset == 0x10 ? 1 : 100);
}

static void clk_write(Device *d, const RegAccess *a)
{
    *hz_since((Fpgaio *)d, a) = now() - ns_of_ticks(a->value, a->reg->offset == 0x10 ? 1 : 100);
}

static uint32_t counter_now(const Fpgaio *s)
{
    return s->counter_start + (uint32_t)(ticks_of_ns(now() - s->counter_since_ns, s->prescale_clk) /
                                         ((uint64_t)s->prescale + 1));
}

static uint64_t counter_read(Device *d, const RegAccess *a)
{
    return counter_now((Fpgaio *)d);
}

static void counter_write(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;

    s->counter_start = (uint32_t)a->value;
    s->counter_since_ns = now();
}

static void prescale_write(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;
    uint32_t next = s->prescale;

    s->prescale = (uint32_t)a->old;
    s->counter_start = counter_now(s);
    s->counter_since_ns = now();
    s->prescale = next;
}

/* Counts down from PRESCALE to 0 again and again. */
static uint64_t pscntr_read(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;
    uint64_t passed = ticks_of_ns(now() - s->pscntr_since_ns, s->prescale_clk);

    return passed <= s->pscntr_start
               ? s->pscntr_start - passed
               : s->prescale - (passed - s->pscntr_start - 1) % ((uint64_t)s->prescale + 1);
}

static void pscntr_write(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;

    s->pscntr_start = (uint32_t)a->value;
    s->pscntr_since_ns = now();
}

static void led_write(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;

    s->led0 &= s->num_leds >= 32 ? ~0u : (1u << s->num_leds) - 1;
}

static uint64_t dbgctrl_read(Device *d, const RegAccess *a)
{
    Fpgaio *s = (Fpgaio *)d;

    return s->has_dbgctrl ? s->dbgctrl : 0;
}

static void fpgaio_reset(Device *d)
{
    Fpgaio *s = (Fpgaio *)d;

    s->hz1_since_ns = s->hz100_since_ns = s->counter_since_ns = s->pscntr_since_ns = now();
    s->counter_start = s->pscntr_start = 0;
}

/* clang-format off */
static const Reg fpgaio_regs[] = {
    REG(Fpgaio, 0x00, led0, .wmask = 0xffffffff, .write = led_write, .help = "LEDs"),
    REG(Fpgaio, 0x04, dbgctrl, .wmask = 0xffffffff, .read = dbgctrl_read, .help = "debug control"),
    REG_HOOK(0x08, 4, "button", .help = "buttons"),
    REG_HOOK(0x10, 4, "clk1hz", .read = clk_read, .write = clk_write, .help = "seconds"),
    REG_HOOK(0x14, 4, "clk100hz", .read = clk_read, .write = clk_write, .help = "hundredths of seconds"),
    REG_HOOK(0x18, 4, "counter", .read = counter_read, .write = counter_write, .help = "counts prescaled clocks"),
    REG(Fpgaio, 0x1c, prescale, .wmask = 0xffffffff, .write = prescale_write, .help = "prescaler"),
    REG_HOOK(0x20, 4, "pscntr", .read = pscntr_read, .write = pscntr_write, .help = "prescale counter"),
    REG_HOOK(0x28, 4, "switch", .help = "switches"),
    REG(Fpgaio, 0x4c, misc, .wmask = 0x3ff, .help = "display and chip selects"),
};
/* clang-format on */
static const RegBank fpgaio_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(fpgaio_regs), .help = "FPGA I/O"}, {0}};
static const Prop fpgaio_props[] = {
    PROP_U32(Fpgaio, prescale_clk, "prescale-clk", 20000000), PROP_U32(Fpgaio, num_leds, "num-leds", 2, .min = 1, .max = 32),
    PROP_BOOL(Fpgaio, has_switches, "has-switches", false), PROP_BOOL(Fpgaio, has_dbgctrl, "has-dbgctrl", false), PROP_END,
};
static const StateField fpgaio_state[] = {
    STATE(Fpgaio, hz1_since_ns), STATE(Fpgaio, hz100_since_ns), STATE(Fpgaio, counter_since_ns), STATE(Fpgaio, pscntr_since_ns),
    STATE(Fpgaio, pscntr_start), STATE(Fpgaio, counter_start), STATE_END,
};

static const DeviceType fpgaio_type = {
    .name = "mps2-fpgaio", .category = "misc", .desc = "MPS2 FPGA I/O", .internal = true, .size = sizeof(Fpgaio), .state_version = 1,
    .props = fpgaio_props, .banks = fpgaio_banks, .state = fpgaio_state, .reset = fpgaio_reset,
};
DEVICE_TYPE(fpgaio_type);
