// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMX guests against the clock: the preemption timer, the monitor trap flag, loops of PAUSE. SDM 3C
 * 25.6.13 (PAUSE-loop exiting), 26.5.1, 26.5.2.
 */
#include "qom/vm.h"
#include "target-i386/seg.h"
#include "target-i386/vmx.h"

static void look_again(X86Cpu *c)
{
    bool taken = x86_lock_machine();

    cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
    x86_unlock_machine(taken);
}

/* ---- the preemption timer ---- */

/* The hypervisor's own TSC. */
static uint64_t host_tsc(X86Cpu *c)
{
    uint64_t scale = c->guest_tsc_scale, now;
    int64_t offset = c->guest_tsc_offset;

    c->guest_tsc_scale = 0;
    c->guest_tsc_offset = 0;
    now = x86_tsc(c);
    c->guest_tsc_scale = scale;
    c->guest_tsc_offset = offset;
    return now;
}

static void timer_fires(void *opaque)
{
    X86Cpu *c = opaque;

    cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
}

void x86_vmx_init(X86Cpu *c)
{
    timer_init(&c->vmx_timer, CLOCK_GUEST, timer_fires, c);
}

void x86_vmx_finish(X86Cpu *c)
{
    timer_cancel(&c->vmx_timer);
}

static bool timer_runs(const X86Cpu *c)
{
    return vmx_get(c, VM_PIN) & PIN_TIMER;
}

void vmx_timer_start(X86Cpu *c)
{
    uint64_t ticks = vmx_get(c, VM_G_TIMER) << VM_TIMER_SHIFT;
    bool taken;

    if (!timer_runs(c)) {
        return;
    }
    c->vmx.timer_end = host_tsc(c) + ticks;
    taken = x86_lock_machine();
    if (ticks) {
        timer_set_ns(&c->vmx_timer,
                     clock_now_ns(CLOCK_GUEST) +
                         (int64_t)((__int128)ticks * NANOSECONDS_PER_SECOND / c->tsc_hz) + 1);
    } else {
        cpu_interrupt(&c->cpu, X86_PENDING_VIRTUAL);
    }
    x86_unlock_machine(taken);
}

void vmx_timer_save(X86Cpu *c)
{
    if (timer_runs(c) && (vmx_get(c, VM_EXIT_CTL) & EXIT_SAVE_TIMER)) {
        int64_t left = (int64_t)(c->vmx.timer_end - host_tsc(c));

        vmx_set(c, VM_G_TIMER, left > 0 ? (uint64_t)left >> VM_TIMER_SHIFT : 0);
    }
}

bool vmx_timer_ended(X86Cpu *c)
{
    int64_t left;

    if (!timer_runs(c)) {
        return false;
    }
    left = (int64_t)(c->vmx.timer_end - host_tsc(c));
    if (left >> VM_TIMER_SHIFT > 0) {
        return false;
    }
    if (left > 0) { /* the last tick is under way: the rest of it is nothing to wait for */
        c->vmx.timer_end -= (uint64_t)left;
    }
    return true;
}

/* ---- the monitor trap flag ---- */

void vmx_stepped(X86Cpu *c, bool insn)
{
    c->vmx.step_done = true;
    c->vmx.pending_debug = insn && c->vmx.entered_tf ? DR6_BS : 0;
    look_again(c);
}

/* ---- PAUSE loops ---- */

bool vmx_pause_loop(X86Cpu *c)
{
    X86Vmx *v = &c->vmx;
    uint64_t now;

    if (!vmx_proc2(c, PROC2_PAUSE_LOOP) || c->cpl != 0) {
        return false;
    }
    now = x86_tsc(c);
    if (!v->pause_last || now - v->pause_last > vmx_get(c, VM_PLE_GAP)) {
        v->pause_first = now;
    }
    v->pause_last = now;
    return now - v->pause_first > vmx_get(c, VM_PLE_WINDOW);
}
