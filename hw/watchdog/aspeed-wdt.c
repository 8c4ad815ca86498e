// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watchdog of Aspeed's BMCs (AST2500 datasheet, chapter 38): counts down from the reload value at
 * the bus clock or 1 MHz; at the end what -watchdog-action says, if it is to reset. Left out: its
 * output pin, partial resets, the interrupt before.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "qom/runstate.h"

enum {
    CTRL_ENABLE = 1,
    CTRL_RESET = 2,
    CTRL_1MHZ = 0x10
};
#define RESTART_KEY 0x4755

typedef struct AspeedWdt {
    Device dev;
    uint32_t freq, reload_reset, ctrl_reset; /* properties */
    uint32_t reload, ctrl, timeout, clear, width, mask;
    Countdown count;
} AspeedWdt;

static void wdt_expired(void *opaque)
{
    AspeedWdt *s = opaque;

    s->timeout = (s->timeout | 1) + 0x100;
    countdown_run(&s->count, false);
    if (s->ctrl & CTRL_RESET) {
        watchdog_expired();
    }
}

static void wdt_restart(AspeedWdt *s)
{
    countdown_set_hz(&s->count, s->ctrl & CTRL_1MHZ ? 1000000 : s->freq);
    countdown_set(&s->count, MAX(s->reload, 1));
    countdown_run(&s->count, s->ctrl & CTRL_ENABLE);
}

static uint64_t wdt_count_read(Device *d, const RegAccess *a)
{
    AspeedWdt *s = (AspeedWdt *)d;

    return s->ctrl & CTRL_ENABLE ? (uint32_t)countdown_value(&s->count) : s->reload;
}

static void wdt_restart_write(Device *d, const RegAccess *a)
{
    if ((a->value & 0xffff) == RESTART_KEY) {
        wdt_restart((AspeedWdt *)d);
    }
}

static void wdt_ctrl_write(Device *d, const RegAccess *a)
{
    AspeedWdt *s = (AspeedWdt *)d;

    if (!(s->ctrl & CTRL_ENABLE)) {
        countdown_run(&s->count, false);
    } else if (!(a->old & CTRL_ENABLE)) {
        wdt_restart(s);
    }
}

static void wdt_clear_write(Device *d, const RegAccess *a)
{
    AspeedWdt *s = (AspeedWdt *)d;

    s->clear = 0;
    if (a->value & 1) {
        s->timeout = 0;
    }
}

static bool wdt_realize(Device *d, GError **error)
{
    countdown_init(&((AspeedWdt *)d)->count, ((AspeedWdt *)d)->freq, wdt_expired, d);
    return true;
}

static void wdt_unrealize(Device *d)
{
    countdown_reset(&((AspeedWdt *)d)->count);
}

static void wdt_reset(Device *d)
{
    AspeedWdt *s = (AspeedWdt *)d;

    countdown_reset(&s->count);
    s->reload = s->reload_reset;
    s->ctrl = s->ctrl_reset;
}

/* clang-format off */
static const Reg wdt_regs[] = {
    REG_HOOK(0x00, 4, "count", .read = wdt_count_read, .help = "count"),
    REG(AspeedWdt, 0x04, reload, .wmask = 0xffffffff, .help = "value to count from"),
    REG_HOOK(0x08, 4, "restart", .write = wdt_restart_write, .help = "4755h starts again"),
    REG(AspeedWdt, 0x0c, ctrl, .wmask = 0xff, .write = wdt_ctrl_write, .help = "bit 0 enable, 1 reset, 4 1 MHz"),
    REG(AspeedWdt, 0x10, timeout, .help = "it has ended, and how often"),
    REG(AspeedWdt, 0x14, clear, .wmask = 0xff, .write = wdt_clear_write, .help = "clears that"),
    REG(AspeedWdt, 0x18, width, .reset = 0xff, .wmask = 0xffffffff, .help = "length of the reset"),
    REG(AspeedWdt, 0x1c, mask, .wmask = 0xffffffff, .help = "what is reset"),
};
static const RegBank wdt_banks[] = {{.name = "mmio", .size = 0x20, BANK_REGS(wdt_regs), .help = "watchdog"}, {0}};
static const Prop wdt_props[] = {
    PROP_U32(AspeedWdt, freq, "freq", 24750000), PROP_U32(AspeedWdt, reload_reset, "reload", 0x14fb180), PROP_U32(AspeedWdt, ctrl_reset, "control", 0x10),
    PROP_END};
static const StateField wdt_state[] = {STATE_STRUCT(AspeedWdt, count, countdown_state), STATE_END};

static const DeviceType aspeed_wdt_type = {
    .name = "aspeed.wdt", .category = "watchdog", .desc = "Aspeed watchdog", .internal = true, .size = sizeof(AspeedWdt), .state_version = 1,
    .props = wdt_props, .banks = wdt_banks, .state = wdt_state, .realize = wdt_realize, .unrealize = wdt_unrealize, .reset = wdt_reset,
};
DEVICE_TYPE(aspeed_wdt_type);
/* clang-format on */
