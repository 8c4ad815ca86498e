// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generic timers (D12): counter and compare registers on the guest's clock, outputs to the GIC.
 */
#include "target-arm/cpu.h"

static uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    return (uint64_t)((__uint128_t)a * b / c);
}

uint64_t arm_counter(const ArmCpu *c)
{
    return muldiv((uint64_t)clock_now_ns(CLOCK_GUEST), c->gt_scale_hz, NANOSECONDS_PER_SECOND);
}

uint64_t arm_timer_offset(const ArmCpu *c, unsigned which)
{
    return which == GT_VIRT && arm_has(c, FEATURE_GENERIC_TIMER) ? c->cntvoff : 0;
}

enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

void arm_timer_update(ArmCpu *c, unsigned which)
{
    ArmTimer *t = &c->gt[which];
    uint64_t offset = arm_timer_offset(c, which), now = arm_counter(c) - offset;
    bool expired = (int64_t)(now - t->cval) >= 0;

    if (!(t->ctl & CTL_ENABLE)) {
        t->ctl &= ~(uint64_t)CTL_ISTATUS;
        irq_set(&t->out, 0);
        timer_cancel(&t->timer);
        return;
    }
    t->ctl = expired ? t->ctl | CTL_ISTATUS : t->ctl & ~(uint64_t)CTL_ISTATUS;
    irq_set(&t->out, expired && !(t->ctl & CTL_IMASK));
    if (expired) {
        timer_cancel(&t->timer);
        return;
    }
    uint64_t left = t->cval - now;
    __uint128_t ns =
        ((__uint128_t)left * NANOSECONDS_PER_SECOND + c->gt_scale_hz - 1) / c->gt_scale_hz;

    timer_set_ns(&t->timer,
                 ns > INT64_MAX / 2 ? INT64_MAX / 2 : clock_now_ns(CLOCK_GUEST) + (int64_t)ns);
}

void arm_timers_update(ArmCpu *c)
{
    for (unsigned i = 0; i < GT_COUNT; i++) {
        arm_timer_update(c, i);
    }
}

static void phys_due(void *opaque)
{
    arm_timer_update(opaque, GT_PHYS);
}

static void virt_due(void *opaque)
{
    arm_timer_update(opaque, GT_VIRT);
}

static void hyp_due(void *opaque)
{
    arm_timer_update(opaque, GT_HYP);
}

static void sec_due(void *opaque)
{
    arm_timer_update(opaque, GT_SEC);
}

static void hypvirt_due(void *opaque)
{
    arm_timer_update(opaque, GT_HYPVIRT);
}

void arm_timers_init(ArmCpu *c)
{
    static TimerFn *const due[GT_COUNT] = {phys_due, virt_due, hyp_due, sec_due, hypvirt_due};

    for (unsigned i = 0; i < GT_COUNT; i++) {
        timer_init(&c->gt[i].timer, CLOCK_GUEST, due[i], c);
    }
}
