// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timer of the Cortex-M System Design Kit (ARM DDI 0479C, 4.4): a 32-bit down-counter that reloads
 * at 0. External clock and enable are left out.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

enum { CTRL_EN = 1, CTRL_IRQEN = 8 };

typedef struct CmsdkTimer {
    Device dev;
    uint32_t pclk_frq;                 /* property */
    uint32_t ctrl, reload, intstatus;
    Countdown count;
    Irq irq;
} CmsdkTimer;

static void timer_update(CmsdkTimer *s)
{
    irq_set(&s->irq, s->intstatus != 0);
}

static void timer_zero(void *opaque)
{
    CmsdkTimer *s = opaque;

    s->intstatus |= s->ctrl & CTRL_IRQEN ? 1 : 0;
    timer_update(s);
}

static void timer_configure(CmsdkTimer *s)
{
    bool on = s->ctrl & CTRL_EN;

    countdown_set_period(&s->count, s->reload ? (uint64_t)s->reload + 1 : 0);
    if (on && countdown_value(&s->count) == 0 && s->reload) {
        countdown_set(&s->count, s->reload);
    }
    countdown_run(&s->count, on && (s->reload || countdown_value(&s->count)));
}

static void timer_ctrl_write(Device *d, const RegAccess *a)
{
    timer_configure((CmsdkTimer *)d);
}

static uint64_t timer_value_read(Device *d, const RegAccess *a)
{
    CmsdkTimer *s = (CmsdkTimer *)d;
    uint64_t v = countdown_value(&s->count);

    return s->reload && v > s->reload && v == (uint64_t)s->reload + 1 ? 0 : v;
}

static void timer_value_write(Device *d, const RegAccess *a)
{
    CmsdkTimer *s = (CmsdkTimer *)d;

    countdown_set(&s->count, a->value);
    timer_configure(s);
}

/* A new reload value begins at once. */
static void timer_reload_write(Device *d, const RegAccess *a)
{
    CmsdkTimer *s = (CmsdkTimer *)d;

    countdown_set(&s->count, s->reload);
    timer_configure(s);
}

static void timer_int_write(Device *d, const RegAccess *a)
{
    timer_update((CmsdkTimer *)d);
}

static bool timer_realize(Device *d, GError **error)
{
    CmsdkTimer *s = (CmsdkTimer *)d;

    countdown_init(&s->count, MAX(s->pclk_frq, 1), timer_zero, s);
    return true;
}

static void timer_unrealize(Device *d)
{
    countdown_reset(&((CmsdkTimer *)d)->count);
}

static void timer_reset(Device *d)
{
    countdown_reset(&((CmsdkTimer *)d)->count);
}

/* clang-format off */
static const Reg cmsdk_timer_regs[] = {
    REG(CmsdkTimer, 0x00, ctrl, .wmask = 0xf, .write = timer_ctrl_write, .help = "enable, external inputs, interrupt"),
    REG_HOOK(0x04, 4, "value", .read = timer_value_read, .write = timer_value_write, .help = "present value"),
    REG(CmsdkTimer, 0x08, reload, .wmask = 0xffffffff, .write = timer_reload_write, .help = "value after 0"),
    REG(CmsdkTimer, 0x0c, intstatus, .w1c = 1, .write = timer_int_write, .help = "interrupt"),
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x22), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), REG_HOOK(0xfe8, 4, "pid2", .reset = 0x1b),
    REG_HOOK(0xfec, 4, "pid3", .reset = 0x00), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank cmsdk_timer_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(cmsdk_timer_regs), .help = "timer"}, {0}};
static const Prop cmsdk_timer_props[] = {
    PROP_U32(CmsdkTimer, pclk_frq, "pclk-frq", 25000000, .help = "clock, Hz"), PROP_END};
static const PinRow cmsdk_timer_pins[] = {PIN_OUT(CmsdkTimer, irq, "irq"), PIN_END};
static const StateField cmsdk_timer_state[] = {STATE_STRUCT(CmsdkTimer, count, countdown_state),
                                               STATE_END};

static const DeviceType cmsdk_timer_type = {
    .name = "cmsdk-apb-timer", .category = "misc", .desc = "CMSDK timer", .internal = true, .size = sizeof(CmsdkTimer), .state_version = 1,
    .props = cmsdk_timer_props, .banks = cmsdk_timer_banks, .pins = cmsdk_timer_pins, .state = cmsdk_timer_state, .realize = timer_realize,
    .unrealize = timer_unrealize, .reset = timer_reset,
};
DEVICE_TYPE(cmsdk_timer_type);
