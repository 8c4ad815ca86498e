// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCO watchdog of the ICH9 (Intel 316972, 13.9): counts down in ticks of 0.6 s from TCO_TMR; at
 * zero it asks for an SMI and begins again, at the next zero it resets the machine unless a strap
 * or the root complex's GCS says no. It stands until it is loaded or let go for the first time.
 * Left out: intruder detection, NMIs, the messages' effect.
 */
#include "hw/acpi/tco.h"
#include "qom/runstate.h"

#define TCO_TICK_NS (600 * INT64_C(1000000))
enum {
    TCO_RLD = 0x00,
    TCO_DAT_IN = 0x02,
    TCO_DAT_OUT = 0x03,
    TCO1_STS = 0x04,
    TCO2_STS = 0x06,
    TCO1_CNT = 0x08,
    TCO2_CNT = 0x0a,
    TCO_MESSAGE = 0x0c,
    TCO_WDCNT = 0x0e,
    SW_IRQ_GEN = 0x10,
    TCO_TMR = 0x12,
};
enum {
    STS1_SW_SMI = 2,
    STS1_INT = 4,
    STS1_TIMEOUT = 8
};
enum {
    STS2_SECOND = 2,
    STS2_BOOT = 4
};
enum {
    CNT1_LOCK = 0x1000,
    CNT1_HALT = 0x0800,
    CNT1_NEVER = 0x0100
};
#define TCO_COUNT_MASK 0x3ff

static void tco_load(Tco *t)
{
    t->running = true;
    timer_set_ns(&t->timer,
                 clock_now_ns(CLOCK_GUEST) + MAX(t->initial & TCO_COUNT_MASK, 1) * TCO_TICK_NS);
}

static void tco_stand(Tco *t)
{
    t->running = false;
    timer_cancel(&t->timer);
}

static void tco_expired(void *opaque)
{
    Tco *t = opaque;

    if (++t->expiries == 1) {
        t->sts1 |= STS1_TIMEOUT;
        t->smi(t->owner);
        tco_load(t);
        return;
    }
    t->sts2 |= STS2_SECOND | STS2_BOOT;
    tco_stand(t);
    if (t->may_reboot(t->owner)) {
        watchdog_expired();
    }
}

static uint16_t tco_count(const Tco *t)
{
    int64_t left_ns = t->running ? t->timer.deadline_ns - clock_now_ns(CLOCK_GUEST) : 0;

    return t->running ? (uint16_t)(MAX(left_ns, 0) / TCO_TICK_NS) & TCO_COUNT_MASK : t->reload;
}

bool tco_locked(const Tco *t)
{
    return t->cnt1 & CNT1_LOCK;
}

/* The lock stays until reset. */
static void tco_write_control(Tco *t, uint16_t value)
{
    bool was = t->cnt1 & CNT1_HALT;

    t->cnt1 = (value & ~CNT1_NEVER) | (t->cnt1 & CNT1_LOCK);
    if (t->cnt1 & CNT1_HALT) {
        t->reload = tco_count(t);
        tco_stand(t);
    } else if (was) {
        tco_load(t);
    }
}

static uint64_t tco_read(void *opaque, hwaddr offset, unsigned size)
{
    Tco *t = opaque;

    switch (offset) {
    case TCO_RLD:
        return tco_count(t);
    case TCO_DAT_IN:
        return t->dat_in | t->dat_out << 8;
    case TCO1_STS:
        return t->sts1;
    case TCO2_STS:
        return t->sts2;
    case TCO1_CNT:
        return t->cnt1;
    case TCO2_CNT:
        return t->cnt2;
    case TCO_MESSAGE:
        return t->message[0] | t->message[1] << 8;
    case TCO_WDCNT:
        return t->wdcnt;
    case SW_IRQ_GEN:
        return t->sw_irq;
    case TCO_TMR:
        return t->initial;
    default:
        return 0;
    }
}

static void tco_write_data(Tco *t, uint16_t value)
{
    if ((value & 0xff) && (value & 0xff) != t->dat_in) {
        t->sts1 |= STS1_SW_SMI;
        t->smi(t->owner);
    }
    if (value >> 8 && value >> 8 != t->dat_out) {
        t->sts1 |= STS1_INT;
    }
    t->dat_in = (uint8_t)value;
    t->dat_out = value >> 8;
}

static void tco_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Tco *t = opaque;

    switch (offset) {
    case TCO_RLD:
        t->expiries = 0;
        t->reload = (uint16_t)value;
        if (!(t->cnt1 & CNT1_HALT)) {
            tco_load(t);
        }
        break;
    case TCO_DAT_IN:
        tco_write_data(t, (uint16_t)value);
        break;
    case TCO1_STS:
        t->sts1 &= ~value;
        break;
    case TCO2_STS:
        t->sts2 &= ~value;
        break;
    case TCO1_CNT:
        tco_write_control(t, (uint16_t)value);
        break;
    case TCO2_CNT:
        t->cnt2 = (uint16_t)value;
        break;
    case TCO_MESSAGE:
        t->message[0] = (uint8_t)value;
        t->message[1] = (uint8_t)(value >> 8);
        break;
    case TCO_WDCNT:
        t->wdcnt = (uint8_t)value;
        break;
    case SW_IRQ_GEN:
        t->sw_irq = value & 3;
        break;
    case TCO_TMR:
        t->initial = (uint16_t)value;
        break;
    default:
        break;
    }
}

static const RegionOps tco_ops = {
    .read = tco_read,
    .write = tco_write,
    .min_size = 2,
    .max_size = 2,
};

void tco_init(Tco *t, Device *owner, Region *pm, void (*smi)(Device *owner),
              bool (*may_reboot)(Device *owner))
{
    t->owner = owner;
    t->smi = smi;
    t->may_reboot = may_reboot;
    timer_init(&t->timer, CLOCK_GUEST, tco_expired, t);
    region_init_io(&t->region, &owner->obj, "acpi-tco", TCO_PORTS, &tco_ops, t);
    region_add(pm, TCO_OFFSET, &t->region, 0);
}

void tco_reset(Tco *t)
{
    tco_stand(t);
    t->reload = t->sts1 = t->sts2 = t->cnt1 = 0;
    t->cnt2 = 8;
    t->initial = 4;
    t->dat_in = t->dat_out = t->message[0] = t->message[1] = t->wdcnt = 0;
    t->sw_irq = 3;
    t->expiries = 0;
}

void tco_fini(Tco *t)
{
    timer_cancel(&t->timer);
}

const StateField tco_state[] = {
    HOST_ONLY(Tco, owner, "place"),
    HOST_ONLY(Tco, region, "region"),
    HOST_ONLY(Tco, smi, "constant"),
    HOST_ONLY(Tco, may_reboot, "constant"),
    STATE(Tco, reload),
    STATE(Tco, sts1),
    STATE(Tco, sts2),
    STATE(Tco, cnt1),
    STATE(Tco, cnt2),
    STATE(Tco, initial),
    STATE(Tco, dat_in),
    STATE(Tco, dat_out),
    STATE_RAW(Tco, message),
    STATE(Tco, wdcnt),
    STATE(Tco, sw_irq),
    STATE(Tco, running),
    STATE(Tco, expiries),
    STATE_TIMER_FIELD(Tco, timer),
    STATE_END,
};
