// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Private timer and watchdog of one CPU of an MPCore processor (Cortex-A9 MPCore TRM, ARM DDI
 * 0407I, 4.2). The watchdog in watchdog mode resets the machine.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"
#include "qom/vm.h"

enum { CTRL_ENABLE = 1, CTRL_RELOAD = 2, CTRL_INT = 4, CTRL_WATCHDOG = 8 };

typedef struct MpTimer {
    Device dev;
    uint32_t freq;                 /* property */
    uint32_t load[2], ctrl[2], status[2], reset_status, disable_step;
    Countdown count[2];            /* timer, watchdog */
    Irq irq[2];
} MpTimer;

static void mptimer_update(MpTimer *s)
{
    for (unsigned i = 0; i < 2; i++) {
        irq_set(&s->irq[i], s->status[i] && s->ctrl[i] & CTRL_INT);
    }
}

static void mptimer_zero(MpTimer *s, unsigned i)
{
    if (i == 1 && s->ctrl[1] & CTRL_WATCHDOG) {
        s->reset_status = 1;
        request_reset(SHUTDOWN_GUEST_RESET);
        return;
    }
    s->status[i] = 1;
    mptimer_update(s);
}

static void mptimer_zero0(void *opaque)
{
    mptimer_zero(opaque, 0);
}

static void mptimer_zero1(void *opaque)
{
    mptimer_zero(opaque, 1);
}

static unsigned mptimer_index(const RegAccess *a)
{
    return a->reg->offset >> 5 & 1;
}

static void mptimer_configure(MpTimer *s, unsigned i)
{
    bool repeat = s->ctrl[i] & CTRL_RELOAD && !(i == 1 && s->ctrl[i] & CTRL_WATCHDOG);

    countdown_set_hz(&s->count[i], s->freq / ((s->ctrl[i] >> 8 & 0xff) + 1));
    countdown_set_period(&s->count[i], repeat && s->load[i] ? (uint64_t)s->load[i] + 1 : 0);
    countdown_run(&s->count[i], s->ctrl[i] & CTRL_ENABLE);
}

static uint64_t mptimer_load_read(Device *d, const RegAccess *a)
{
    return ((MpTimer *)d)->load[mptimer_index(a)];
}

static void mptimer_load_write(Device *d, const RegAccess *a)
{
    MpTimer *s = (MpTimer *)d;
    unsigned i = mptimer_index(a);

    s->load[i] = a->value;
    countdown_set(&s->count[i], a->value);
    mptimer_configure(s, i);
}

static uint64_t mptimer_value_read(Device *d, const RegAccess *a)
{
    return countdown_value(&((MpTimer *)d)->count[mptimer_index(a)]);
}

static void mptimer_value_write(Device *d, const RegAccess *a)
{
    MpTimer *s = (MpTimer *)d;
    unsigned i = mptimer_index(a);

    if (i == 0 || !(s->ctrl[1] & CTRL_WATCHDOG)) {
        countdown_set(&s->count[i], a->value);
    }
}

static uint64_t mptimer_ctrl_read(Device *d, const RegAccess *a)
{
    return ((MpTimer *)d)->ctrl[mptimer_index(a)];
}

static void mptimer_ctrl_write(Device *d, const RegAccess *a)
{
    MpTimer *s = (MpTimer *)d;
    unsigned i = mptimer_index(a);
    uint32_t keep = i == 1 ? s->ctrl[1] & CTRL_WATCHDOG : 0, old = s->ctrl[i];

    s->ctrl[i] = (a->value & (i == 1 ? 0xff0f : 0xff07)) | keep;
    if (!(old & CTRL_ENABLE) && s->ctrl[i] & CTRL_ENABLE && s->ctrl[i] & CTRL_RELOAD &&
        countdown_value(&s->count[i]) == 0) {
        countdown_set(&s->count[i], s->load[i]);
    }
    mptimer_configure(s, i);
    mptimer_update(s);
}

static uint64_t mptimer_status_read(Device *d, const RegAccess *a)
{
    return ((MpTimer *)d)->status[mptimer_index(a)];
}

static void mptimer_status_write(Device *d, const RegAccess *a)
{
    MpTimer *s = (MpTimer *)d;

    s->status[mptimer_index(a)] &= ~(uint32_t)a->value;
    mptimer_update(s);
}

/* 4.2.9: the two words in this order leave watchdog mode. */
static void mptimer_disable_write(Device *d, const RegAccess *a)
{
    MpTimer *s = (MpTimer *)d;

    if (a->value == 0x87654321 && s->disable_step == 1) {
        s->ctrl[1] &= ~CTRL_WATCHDOG;
        mptimer_configure(s, 1);
    }
    s->disable_step = a->value == 0x12345678;
}

static bool mptimer_realize(Device *d, GError **error)
{
    MpTimer *s = (MpTimer *)d;

    countdown_init(&s->count[0], s->freq, mptimer_zero0, s);
    countdown_init(&s->count[1], s->freq, mptimer_zero1, s);
    return true;
}

static void mptimer_reset(Device *d)
{
    MpTimer *s = (MpTimer *)d;
    uint32_t why = s->reset_status;

    for (unsigned i = 0; i < 2; i++) {
        countdown_reset(&s->count[i]);
        s->load[i] = s->ctrl[i] = s->status[i] = 0;
    }
    s->reset_status = why;
    s->disable_step = 0;
}

/* clang-format off */
#define MPTIMER_ROWS(base)                                                                                                   \
    REG_HOOK(base + 0x00, 4, "load", .read = mptimer_load_read, .write = mptimer_load_write, .help = "value to count from"), \
    REG_HOOK(base + 0x04, 4, "counter", .read = mptimer_value_read, .write = mptimer_value_write, .help = "value now"),      \
    REG_HOOK(base + 0x08, 4, "control", .read = mptimer_ctrl_read, .write = mptimer_ctrl_write, .help = "prescaler, mode, enables"), \
    REG_HOOK(base + 0x0c, 4, "status", .read = mptimer_status_read, .write = mptimer_status_write, .help = "event flag")
static const Reg mptimer_regs[] = {
    MPTIMER_ROWS(0x00), MPTIMER_ROWS(0x20),
    REG(MpTimer, 0x30, reset_status, .w1c = 1, .help = "the watchdog has reset the system"),
    REG_HOOK(0x34, 4, "disable", .write = mptimer_disable_write, .help = "leaves watchdog mode"),
};
/* clang-format on */

static const RegBank mptimer_banks[] = {{.name = "mmio",
                                         .size = 0x100,
                                         BANK_REGS(mptimer_regs),
                                         .help = "timer and watchdog of one CPU"},
                                        {0}};

static const Prop mptimer_props[] = {
    PROP_U32(MpTimer, freq, "freq", 100000000, .help = "of the peripheral clock, in Hz"), PROP_END};
static const PinRow mptimer_pins[] = {PIN_OUT_ARRAY(MpTimer, irq, "irq"), PIN_END};

static const StateField mptimer_state[] = {
    STATE_ARRAY(MpTimer, load), STATE_ARRAY(MpTimer, ctrl), STATE_ARRAY(MpTimer, status), STATE(MpTimer, disable_step),
    STATE_STRUCTS(MpTimer, count, countdown_state), STATE_END,
};

static const DeviceType mptimer_type = {
    .name = "arm_mptimer",
    .category = "misc",
    .desc = "MPCore private timer and watchdog",
    .internal = true,
    .size = sizeof(MpTimer),
    .state_version = 1,
    .props = mptimer_props,
    .banks = mptimer_banks,
    .pins = mptimer_pins,
    .state = mptimer_state,
    .realize = mptimer_realize,
    .reset = mptimer_reset,
};
DEVICE_TYPE(mptimer_type);
