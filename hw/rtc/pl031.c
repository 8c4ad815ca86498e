// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell real-time clock PL031 (ARM DDI 0224C): seconds since the epoch, loadable, with one
 * alarm. The clock always runs.
 */
#include "exec/bank.h"
#include "qapi/qapi-events.h"
#include "qom/vm.h"
#include "util/timer.h"

typedef struct Pl031 {
    Device dev;
    Irq irq;
    uint32_t mr, lr, imsc, ris;
    int64_t offset_ns; /* RTC time since the epoch less guest time */
    Timer timer;
} Pl031;

static uint32_t pl031_seconds(const Pl031 *s)
{
    return (clock_now_ns(CLOCK_GUEST) + s->offset_ns) / NANOSECONDS_PER_SECOND;
}

static void pl031_update(Pl031 *s)
{
    irq_set(&s->irq, s->ris & s->imsc);
}

/* The alarm comes when the 32-bit counter next equals MR. */
static void pl031_arm(Pl031 *s)
{
    uint32_t left = s->mr - pl031_seconds(s);

    if (left == 0) {
        timer_cancel(&s->timer);
        s->ris = 1;
        pl031_update(s);
    } else {
        int64_t now = clock_now_ns(CLOCK_GUEST), rtc = now + s->offset_ns;
        int64_t boundary = rtc - rtc % NANOSECONDS_PER_SECOND + left * NANOSECONDS_PER_SECOND;

        timer_set_ns(&s->timer, boundary - s->offset_ns);
    }
}

static void pl031_expired(void *opaque)
{
    Pl031 *s = opaque;

    s->ris = 1;
    pl031_update(s);
}

static uint64_t pl031_dr_read(Device *d, const RegAccess *a)
{
    return pl031_seconds((Pl031 *)d);
}

static void pl031_mr_write(Device *d, const RegAccess *a)
{
    pl031_arm((Pl031 *)d);
}

static void pl031_lr_write(Device *d, const RegAccess *a)
{
    Pl031 *s = (Pl031 *)d;
    int64_t now = clock_now_ns(CLOCK_GUEST);
    g_autofree char *path = object_path(&d->obj);

    s->offset_ns = (int64_t)s->lr * NANOSECONDS_PER_SECOND - now;
    qapi_event_rtc_change(&(RtcChangeEvent){
        .offset = (now + s->offset_ns - clock_now_ns(CLOCK_HOST)) / NANOSECONDS_PER_SECOND -
                  d->vm->rtc_offset_s,
        .qom_path = path});
    pl031_arm(s);
}

static void pl031_imsc_write(Device *d, const RegAccess *a)
{
    pl031_update((Pl031 *)d);
}

static uint64_t pl031_mis_read(Device *d, const RegAccess *a)
{
    return ((Pl031 *)d)->ris & ((Pl031 *)d)->imsc;
}

static void pl031_icr_write(Device *d, const RegAccess *a)
{
    ((Pl031 *)d)->ris &= ~a->value;
    pl031_update((Pl031 *)d);
}

static bool pl031_realize(Device *d, GError **error)
{
    Pl031 *s = (Pl031 *)d;

    timer_init(&s->timer, CLOCK_GUEST, pl031_expired, s);
    s->offset_ns = clock_now_ns(CLOCK_HOST) - clock_now_ns(CLOCK_GUEST) +
                   d->vm->rtc_offset_s * NANOSECONDS_PER_SECOND;
    vm_publish(d->vm, "rtc", d);
    return true;
}

static void pl031_unrealize(Device *d)
{
    timer_cancel(&((Pl031 *)d)->timer);
}

static void pl031_reset(Device *d)
{
    timer_cancel(&((Pl031 *)d)->timer);
}

/* clang-format off */
static const Reg pl031_regs[] = {
    REG_HOOK(0x00, 4, "dr", .read = pl031_dr_read, .help = "seconds now"),
    REG(Pl031, 0x04, mr, .wmask = 0xffffffff, .write = pl031_mr_write, .help = "alarm"),
    REG(Pl031, 0x08, lr, .wmask = 0xffffffff, .write = pl031_lr_write, .help = "sets the clock"),
    REG_HOOK(0x0c, 4, "cr", .reset = 1, .help = "control: the clock runs"),
    REG(Pl031, 0x10, imsc, .wmask = 1, .write = pl031_imsc_write, .help = "interrupt mask"),
    REG(Pl031, 0x14, ris, .help = "raw interrupt"),
    REG_HOOK(0x18, 4, "mis", .read = pl031_mis_read, .help = "masked interrupt"),
    REG_HOOK(0x1c, 4, "icr", .write = pl031_icr_write, .help = "interrupt clear"),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x31), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x10),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x14), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */

static const RegBank pl031_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl031_regs), .help = "clock registers"},
    {0},
};

static const PinRow pl031_pins[] = {PIN_OUT(Pl031, irq, "irq"), PIN_END};

static const StateField pl031_state[] = {
    STATE(Pl031, offset_ns),
    STATE_TIMER_FIELD(Pl031, timer),
    STATE_END,
};

static const DeviceType pl031_type = {
    .name = "pl031",
    .category = "misc",
    .desc = "PrimeCell real-time clock",
    .internal = true,
    .size = sizeof(Pl031),
    .state_version = 1,
    .banks = pl031_banks,
    .pins = pl031_pins,
    .state = pl031_state,
    .realize = pl031_realize,
    .unrealize = pl031_unrealize,
    .reset = pl031_reset,
};
DEVICE_TYPE(pl031_type);
