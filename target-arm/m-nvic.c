// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile: exceptions that are pending and active, their priorities and the execution priority
 * (B3.9 to B3.14). The state is the CPU's; the device `armv7m_nvic` (hw/intc) brings lines and
 * register accesses here. Machine lock.
 */
#include "target-arm/models.h"


static bool banked(unsigned exc)
{
    return exc == M_HARD || exc == M_MEM || exc == M_USAGE || exc == M_SVC || exc == M_PENDSV ||
           exc == M_SYSTICK;
}

ArmMVector *arm_m_vector(ArmCpu *c, unsigned exc, bool secure)
{
    return secure && exc < 16 && banked(exc) ? &c->m.svec[exc] : &c->m.vec[exc];
}

bool arm_m_targets_secure(const ArmCpu *c, unsigned exc, bool bank)
{
    if (!arm_has(c, FEATURE_M_SEC)) {
        return false;
    }
    if (exc >= M_IRQ0) {
        return !c->m.vec[exc].ns;
    }
    if (banked(exc)) {
        return bank;
    }
    switch (exc) {
    case M_NMI:
    case M_BUS:
        return !(c->m.aircr & AIRCR_BFHFNMINS);
    case M_SECURE:
    case M_RESET:
        return true;
    case M_DEBUG:
        return c->m.demcr >> 20 & 1;
    default:
        return false;
    }
}

/* Priorities of the Non-secure state are in the lower half with AIRCR.PRIS. */
static int scale(const ArmCpu *c, int prio, bool secure)
{
    return !secure && arm_has(c, FEATURE_M_SEC) && c->m.aircr & AIRCR_PRIS && prio >= 0
               ? (prio >> 1) + 0x80
               : prio;
}

static int group_of(const ArmCpu *c, int prio, bool secure)
{
    return prio < 0 ? prio
                    : scale(c, prio & ~((1 << (c->m.prigroup[secure] + 1)) - 1) & 0xff, secure);
}

/* Fixed, or as set. */
static int raw_priority(const ArmCpu *c, unsigned exc, bool secure)
{
    switch (exc) {
    case M_RESET:
        return -4;
    case M_NMI:
        return -2;
    case M_HARD:
        return secure && c->m.aircr & AIRCR_BFHFNMINS ? -3 : -1;
    default:
        return (secure && exc < 16 && banked(exc) ? &c->m.svec[exc] : &c->m.vec[exc])->prio;
    }
}

int arm_m_group_priority(const ArmCpu *c, unsigned exc, bool secure)
{
    return group_of(c, raw_priority(c, exc, secure), arm_m_targets_secure(c, exc, secure));
}

int arm_m_priority(const ArmCpu *c, bool with_primask)
{
    const ArmM *m = &c->m;
    bool sec = arm_has(c, FEATURE_M_SEC);
    int best = M_IDLE_PRIO, boost = M_IDLE_PRIO;

    for (unsigned n = 1; n < M_IRQ0 + m->config.num_irqs; n++) {
        if (m->vec[n].active) {
            best = MIN(best, arm_m_group_priority(c, n, false));
        }
        if (n < 16 && m->svec[n].active) {
            best = MIN(best, arm_m_group_priority(c, n, true));
        }
    }
    for (unsigned s = 0; s <= sec; s++) {
        if (m->basepri[s]) {
            boost = MIN(boost, group_of(c, (int)m->basepri[s], s));
        }
        if (m->primask[s] && with_primask) {
            boost = MIN(boost, scale(c, 0, s));
        }
        if (m->faultmask[s]) {
            int full = s && m->aircr & AIRCR_BFHFNMINS ? -3 : -1;

            boost = MIN(boost, s || !sec || m->aircr & AIRCR_BFHFNMINS ? full : scale(c, 0, false));
        }
    }
    return MIN(best, boost);
}

static void consider(const ArmCpu *c, const ArmMVector *v, unsigned n, bool bank, int *best,
                     unsigned *exc, bool *secure, int *group)
{
    if (!v->pending || !v->enabled) {
        return;
    }
    bool s = arm_m_targets_secure(c, n, bank);
    int prio = scale(c, raw_priority(c, n, bank), s);

    if (prio < *best) {
        *best = prio;
        *exc = n;
        *secure = s;
        *group = arm_m_group_priority(c, n, bank);
    }
}

unsigned arm_m_pending(const ArmCpu *c, bool *secure, int *group)
{
    const ArmM *m = &c->m;
    unsigned exc = 0;
    int best = M_IDLE_PRIO;

    *secure = false;
    *group = M_IDLE_PRIO;
    for (unsigned n = 2; n < M_IRQ0 + m->config.num_irqs; n++) {
        if (n < 16 && arm_has(c, FEATURE_M_SEC)) {
            consider(c, &m->svec[n], n, true, &best, &exc, secure, group);
        }
        consider(c, &m->vec[n], n, false, &best, &exc, secure, group);
    }
    return exc;
}

/* Something that would be taken, were PRIMASK 0, also ends WFI: it makes the request. */
void arm_m_update(ArmCpu *c)
{
    bool secure;
    int group;
    unsigned exc = arm_m_pending(c, &secure, &group);

    c->m.negative = arm_m_priority(c, true) < 0;
    if (exc && group < arm_m_priority(c, false) && !c->m.lockup) {
        cpu_interrupt(&c->cpu, CPU_PENDING_HARD);
    } else {
        cpu_interrupt_clear(&c->cpu, CPU_PENDING_HARD);
    }
}

static void send_event(ArmCpu *c)
{
    if ((c->m.scr[M_NS] | c->m.scr[M_S]) & 16) {    /* SEVONPEND */
        c->event = true;
        cpu_interrupt(&c->cpu, ARM_PENDING_EVENT);
    }
}

void arm_m_set_pending(ArmCpu *c, unsigned exc, bool secure)
{
    ArmMVector *v = arm_m_vector(c, exc, secure);

    if (!v->pending) {
        v->pending = true;
        send_event(c);
    }
    arm_m_update(c);
}

void arm_m_nvic_reset(ArmCpu *c)
{
    ArmM *m = &c->m;

    for (unsigned i = 0; i < 2; i++) {
        ArmMVector *t = i ? m->svec : m->vec;

        t[M_RESET].enabled = t[M_NMI].enabled = t[M_HARD].enabled = true;
        t[M_SVC].enabled = t[M_PENDSV].enabled = t[M_SYSTICK].enabled = true;
        t[M_RESET].prio = -4;
        t[M_NMI].prio = -2;
        t[M_HARD].prio = -1;
    }
    m->negative = false;
    cpu_interrupt_clear(&c->cpu, CPU_PENDING_HARD);
}

/* ---- from the device ---- */

bool arm_m_is(Cpu *cpu)
{
    return arm_has(ARM(cpu), FEATURE_M) || (ARM(cpu)->model && ARM(cpu)->model->m_profile);
}

bool arm_m_has_security(Cpu *cpu)
{
    return arm_has(ARM(cpu), FEATURE_M_SEC);
}

void arm_m_configure(Cpu *cpu, const ArmMConfig *config)
{
    ARM(cpu)->m.config = *config;
}

void arm_m_set_vtor_secure(Cpu *cpu, uint32_t vtor)
{
    ARM(cpu)->m.config.vtor_secure = vtor & 0xffffff80;
}

void arm_m_irq(Cpu *cpu, unsigned n, int level)
{
    ArmCpu *c = ARM(cpu);
    ArmMVector *v = &c->m.vec[M_IRQ0 + n];

    if (v->level == (level != 0)) {
        return;
    }
    v->level = level != 0;
    if (level) {
        arm_m_set_pending(c, M_IRQ0 + n, false);
    }
}

void arm_m_nmi(Cpu *cpu, int level)
{
    if (level) {
        arm_m_set_pending(ARM(cpu), M_NMI, false);
    }
}

void arm_m_systick(Cpu *cpu, bool secure)
{
    arm_m_set_pending(ARM(cpu), M_SYSTICK, secure);
}

bool arm_m_scs(Cpu *cpu, uint32_t offset, uint32_t *value, unsigned size, bool write, bool secure,
               bool user)
{
    ArmCpu *c = ARM(cpu);
    unsigned shift = 8 * (offset & 3);
    uint32_t mask = (size == 4 ? ~0u : (1u << (8 * size)) - 1) << shift;

    secure = secure && arm_has(c, FEATURE_M_SEC);
    if (user && !(write && offset == 0xf00 && size == 4 && c->m.ccr[secure] & CCR_USERSETMPEND)) {
        return false;
    }
    if (write) {
        arm_m_scs_write(c, offset & ~3u, *value << shift, mask, secure);
    } else {
        *value = (arm_m_scs_read(c, offset & ~3u, secure) & mask) >> shift;
    }
    return true;
}
