// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watchdog of the Cortex-M System Design Kit (ARM DDI 0479C, 4.5), which is SP805; Stellaris
 * controllers have the same with other identification. The first time the counter gets to 0 there
 * is an interrupt, the second time what -watchdog-action says.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "qom/runstate.h"

enum { CTRL_INTEN = 1, CTRL_RESEN = 2 };
#define UNLOCK 0x1acce551

typedef struct CmsdkWatchdog {
    Device dev;
    uint32_t wdogclk_frq;              /* property */
    uint32_t load, control, ris, itcr, itop, test;
    bool locked;
    Countdown count;
    Irq irq;
} CmsdkWatchdog;

static void wd_update(CmsdkWatchdog *s)
{
    bool level = s->itcr ? s->itop & 2 : s->ris && s->control & CTRL_INTEN;

    irq_set(&s->irq, level);
}

static void wd_zero(void *opaque)
{
    CmsdkWatchdog *s = opaque;

    if (!s->ris) {
        s->ris = 1;
        wd_update(s);
    } else if (s->control & CTRL_RESEN) {
        countdown_run(&s->count, false);
        watchdog_expired();
    }
}

static void wd_restart(CmsdkWatchdog *s)
{
    countdown_set_period(&s->count, MAX((uint64_t)s->load, 1));
    countdown_set(&s->count, MAX((uint64_t)s->load, 1));
    countdown_run(&s->count, s->control & CTRL_INTEN);
}

static void wd_load_write(Device *d, const RegAccess *a)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    s->load = s->locked ? (uint32_t)a->old : s->load;
    if (!s->locked) {
        wd_restart(s);
    }
}

static uint64_t wd_value_read(Device *d, const RegAccess *a)
{
    return countdown_value(&((CmsdkWatchdog *)d)->count);
}

static void wd_control_write(Device *d, const RegAccess *a)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    if (s->locked) {
        s->control = (uint32_t)a->old;
    } else if ((a->old ^ s->control) & CTRL_INTEN) {
        if (s->control & CTRL_INTEN) {
            wd_restart(s);
        } else {
            countdown_run(&s->count, false);
        }
    }
    wd_update(s);
}

static void wd_intclr_write(Device *d, const RegAccess *a)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    if (!s->locked) {
        s->ris = 0;
        wd_restart(s);
        wd_update(s);
    }
}

static uint64_t wd_mis_read(Device *d, const RegAccess *a)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    return s->ris && s->control & CTRL_INTEN;
}

static uint64_t wd_lock_read(Device *d, const RegAccess *a)
{
    return ((CmsdkWatchdog *)d)->locked;
}

static void wd_lock_write(Device *d, const RegAccess *a)
{
    ((CmsdkWatchdog *)d)->locked = a->value != UNLOCK;
}

static void wd_test_write(Device *d, const RegAccess *a)
{
    wd_update((CmsdkWatchdog *)d);
}

static bool wd_realize(Device *d, GError **error)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    countdown_init(&s->count, MAX(s->wdogclk_frq, 1), wd_zero, s);
    return true;
}

static void wd_unrealize(Device *d)
{
    countdown_reset(&((CmsdkWatchdog *)d)->count);
}

static void wd_reset(Device *d)
{
    CmsdkWatchdog *s = (CmsdkWatchdog *)d;

    countdown_reset(&s->count);
    s->count.left = UINT32_MAX;
    s->locked = false;
}

/* clang-format off */
#define WD_REGS                                                                                                           \
    REG(CmsdkWatchdog, 0x000, load, .reset = 0xffffffff, .wmask = 0xffffffff, .write = wd_load_write, .help = "value to count from"), \
    REG_HOOK(0x004, 4, "value", .read = wd_value_read, .help = "present value"),                                           \
    REG(CmsdkWatchdog, 0x008, control, .wmask = 3, .write = wd_control_write, .help = "interrupt, reset"),                 \
    REG_HOOK(0x00c, 4, "intclr", .write = wd_intclr_write, .help = "clears the interrupt and reloads"),                    \
    REG(CmsdkWatchdog, 0x010, ris, .help = "raw interrupt"),                                                               \
    REG_HOOK(0x014, 4, "mis", .read = wd_mis_read, .help = "masked interrupt")
#define WD_LOCK                                                                                                            \
    REG_HOOK(0xc00, 4, "lock", .read = wd_lock_read, .write = wd_lock_write, .help = "1ACCE551 unlocks"),                   \
    REG(CmsdkWatchdog, 0xf00, itcr, .wmask = 1, .write = wd_test_write, .help = "test mode"),                              \
    REG(CmsdkWatchdog, 0xf04, itop, .wmask = 3, .write = wd_test_write, .help = "outputs in test mode")
#define WD_IDS(p4, p0, p1, p2)                                                                                             \
    REG_HOOK(0xfd0, 4, "pid4", .reset = p4),                                                                               \
    REG_HOOK(0xfe0, 4, "pid0", .reset = p0), REG_HOOK(0xfe4, 4, "pid1", .reset = p1), REG_HOOK(0xfe8, 4, "pid2", .reset = p2), \
    REG_HOOK(0xfec, 4, "pid3", .reset = p2 == 0x1b ? 0 : 1), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d),                    \
    REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0), REG_HOOK(0xff8, 4, "cid2", .reset = p2 == 0x1b ? 0x05 : 0x06), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1)
static const Reg wd_regs[] = {WD_REGS, WD_LOCK, WD_IDS(0x04, 0x24, 0xb8, 0x1b)};
static const Reg wd_luminary_regs[] = {
    WD_REGS, REG(CmsdkWatchdog, 0x418, test, .wmask = 0x100, .help = "stalls with the debugger"), WD_LOCK, WD_IDS(0x00, 0x05, 0x18, 0x18),
};
/* clang-format on */
static const RegBank wd_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(wd_regs), .help = "watchdog"}, {0}};
static const RegBank wd_luminary_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(wd_luminary_regs), .help = "watchdog"}, {0}};
static const Prop wd_props[] = {
    PROP_U32(CmsdkWatchdog, wdogclk_frq, "wdogclk-frq", 25000000, .help = "clock, Hz"), PROP_END};
static const PinRow wd_pins[] = {PIN_OUT(CmsdkWatchdog, irq, "irq"), PIN_END};
static const StateField wd_state[] = {
    STATE(CmsdkWatchdog, locked), STATE(CmsdkWatchdog, test), STATE_STRUCT(CmsdkWatchdog, count, countdown_state), STATE_END,
};

static const DeviceType wd_type = {
    .name = "cmsdk-apb-watchdog", .category = "watchdog", .desc = "CMSDK watchdog", .internal = true, .size = sizeof(CmsdkWatchdog),
    .state_version = 1, .props = wd_props, .banks = wd_banks, .pins = wd_pins, .state = wd_state, .realize = wd_realize,
    .unrealize = wd_unrealize, .reset = wd_reset,
};
DEVICE_TYPE(wd_type);

static const DeviceType wd_luminary_type = {
    .name = "luminary-watchdog", .category = "watchdog", .desc = "Stellaris watchdog", .internal = true, .size = sizeof(CmsdkWatchdog),
    .state_version = 1, .props = wd_props, .banks = wd_luminary_banks, .pins = wd_pins, .state = wd_state, .realize = wd_realize,
    .unrealize = wd_unrealize, .reset = wd_reset,
};
DEVICE_TYPE(wd_luminary_type);
