// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile: faults and their escalation, exception entry with its stack frames, tail-chaining,
 * exception return, function return to Secure state, lockup (B3.18 to B3.25, B3.33). Everything
 * runs between translations; faults met on the way are derived exceptions, never jumps.
 */
#include "target-arm/cpu.h"

#include "target-arm/helpers.h"
#include "util/log.h"

void arm_m_fault(ArmCpu *c, unsigned exc, uint32_t bits, const uint32_t *addr, uintptr_t host_pc)
{
    c->m.fault_exc = exc;
    c->m.fault_bits = bits;
    c->m.fault_has_addr = addr != NULL;
    c->m.fault_addr = addr ? *addr : 0;
    cpu_raise(&c->cpu, ARM_EXC_M_FAULT, host_pc);
}

void helper_m_fault(Cpu *cpu, uint32_t exc, uint32_t bits)
{
    arm_m_fault(ARM(cpu), exc, bits, NULL, HOST_PC());
}

void helper_m_div0(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);

    if (c->m.ccr[c->m.secure] & CCR_DIV0) {
        arm_m_fault(c, M_USAGE, CFSR_DIVBYZERO, NULL, HOST_PC());
    }
}

/* ---- faults ---- */

/* Nothing can be taken any more: the CPU stops until its reset. */
static void lockup(ArmCpu *c, unsigned exc)
{
    guest_error("CPU %u: lockup: exception %u cannot be taken at pc 0x%08x", c->cpu.index, exc,
                (uint32_t)c->pc);
    c->m.lockup = true;
    c->cpu.halted = true;
    cpu_interrupt_clear(&c->cpu, CPU_PENDING_HARD);
    cpu_interrupt(&c->cpu, CPU_PENDING_EXIT);
}

static bool enabled(ArmCpu *c, unsigned exc, bool secure)
{
    return exc == M_DEBUG ? c->m.demcr >> 16 & 1 : arm_m_vector(c, exc, secure)->enabled;
}

/*
 * Makes a synchronous exception pending, escalated where its priority does not let it in (B3.13).
 */
static void pend(ArmCpu *c, unsigned exc, bool secure)
{
    int now = arm_m_priority(c, true);

    if (exc != M_HARD && exc != M_NMI) {
        if (enabled(c, exc, secure) && arm_m_group_priority(c, exc, secure) < now) {
            arm_m_vector(c, exc, secure)->pending = true;
            arm_m_update(c);
            return;
        }
        if (exc == M_DEBUG) {
            c->m.hfsr |= HFSR_DEBUGEVT;
        } else {
            c->m.hfsr |= HFSR_FORCED;
        }
        secure = arm_has(c, FEATURE_M_SEC) &&
                 (!(c->m.aircr & AIRCR_BFHFNMINS) || arm_m_targets_secure(c, exc, secure));
    }
    if (arm_m_group_priority(c, M_HARD, secure) >= now) {
        lockup(c, exc);
        return;
    }
    arm_m_vector(c, M_HARD, secure)->pending = true;
    arm_m_update(c);
}

/* Status registers of a fault. bits are CFSR's, or SFSR's. */
static void record(ArmCpu *c, unsigned exc, uint32_t bits, bool has_addr, uint32_t addr,
                   bool secure)
{
    if (!arm_has(c, FEATURE_M_MAIN)) {
        return;
    }
    switch (exc) {
    case M_SECURE:
        c->m.sfsr |= bits | (has_addr ? SFSR_SFARVALID : 0);
        c->m.sfar = has_addr ? addr : c->m.sfar;
        break;
    case M_MEM:
        c->m.cfsr[secure] |= bits | (has_addr ? CFSR_MMARVALID : 0);
        c->m.mmfar[secure] = has_addr ? addr : c->m.mmfar[secure];
        break;
    case M_BUS:
        c->m.cfsr[M_NS] |= bits | (has_addr ? CFSR_BFARVALID : 0);
        c->m.bfar = has_addr ? addr : c->m.bfar;
        break;
    default:
        c->m.cfsr[secure] |= bits;
    }
}

static void fault(ArmCpu *c, unsigned exc, uint32_t bits, bool secure)
{
    record(c, exc, bits, false, 0, secure);
    pend(c, exc, secure);
}

/* ---- memory on the way ---- */

typedef enum StackAccess { STACK_PUSH, STACK_POP, STACK_LAZY } StackAccess;

static bool stack_fault(ArmCpu *c, const ArmMAccess *a, StackAccess kind, bool secure)
{
    static const uint32_t mem[] = {CFSR_MSTKERR, CFSR_MUNSTKERR, CFSR_MLSPERR},
                          bus[] = {CFSR_STKERR, CFSR_UNSTKERR, CFSR_LSPERR};

    if (a->exc == M_SECURE) {
        fault(c, M_SECURE, kind == STACK_LAZY ? SFSR_LSPERR : SFSR_AUVIOL, true);
    } else if (a->exc == M_MEM) {
        fault(c, M_MEM, mem[kind], secure);
    } else {
        fault(c, M_BUS, bus[kind], secure);
    }
    return false;
}

/* A word of a stack frame; false: a derived exception is pending. */
static bool stack_word(ArmCpu *c, uint32_t addr, uint32_t *v, bool write, unsigned mmu,
                       StackAccess kind)
{
    bool secure = mmu >= MMU_M_S_USER;
    MemAttrs attrs = {.is_cpu = 1,
                      .cpu_index = c->cpu.index & 0x1fff,
                      .user = mmu == MMU_M_NS_USER || mmu == MMU_M_S_USER};
    MemResult r;
    ArmMAccess a;

    if (!arm_m_check(c, addr, write ? ACCESS_STORE : ACCESS_LOAD, mmu, &a)) {
        return stack_fault(c, &a, kind, secure);
    }
    attrs.secure = a.secure;
    if (write) {
        r = address_space_store(c->cpu.as, addr, *v, 4, DEV_LITTLE, attrs);
    } else {
        *v = (uint32_t)address_space_load(c->cpu.as, addr, 4, DEV_LITTLE, attrs, &r);
    }
    if (r != MEM_OK) {
        a.exc = M_BUS;
        return stack_fault(c, &a, kind, secure);
    }
    return true;
}

/* ---- FP registers on the stack ---- */

static uint32_t get_s(const ArmCpu *c, unsigned n)
{
    Vec128Lanes v = {.v = c->z[n / 4].q[0]};

    return (uint32_t)(v.q[n / 2 & 1] >> (n & 1 ? 32 : 0));
}

static void set_s(ArmCpu *c, unsigned n, uint32_t x)
{
    Vec128Lanes v = {.v = c->z[n / 4].q[0]};
    uint64_t *q = &v.q[n / 2 & 1];

    *q = n & 1 ? (*q & UINT32_MAX) | (uint64_t)x << 32 : (*q & ~(uint64_t)UINT32_MAX) | x;
    c->z[n / 4].q[0] = v.v;
}

/* S0..S15 and FPSCR at addr, S16..S31 behind them for Secure state's. */
static bool fp_save(ArmCpu *c, uint32_t addr, bool upper, unsigned mmu, StackAccess kind)
{
    bool ok = true;
    uint32_t v;

    for (unsigned n = 0; ok && n < (upper ? 32 : 16); n++) {
        v = get_s(c, n);
        ok = stack_word(c, addr + 4 * n + (n >= 16 ? 8 : 0), &v, true, mmu, kind);
    }
    v = arm_get_fpscr(c);
    return ok && stack_word(c, addr + 0x40, &v, true, mmu, kind);
}

static bool fp_load(ArmCpu *c, uint32_t addr, bool upper, unsigned mmu)
{
    bool ok = true;
    uint32_t v;

    for (unsigned n = 0; ok && n < (upper ? 32 : 16); n++) {
        ok = stack_word(c, addr + 4 * n + (n >= 16 ? 8 : 0), &v, false, mmu, STACK_POP);
        if (ok) {
            set_s(c, n, v);
        }
    }
    ok = ok && stack_word(c, addr + 0x40, &v, false, mmu, STACK_POP);
    if (ok) {
        arm_set_fpscr(c, v);
    }
    return ok;
}

static void fp_clear(ArmCpu *c, bool upper)
{
    for (unsigned n = 0; n < (upper ? 32 : 16); n++) {
        set_s(c, n, 0);
    }
    arm_set_fpscr(c, 0);
}

/* Whether the callee's half of Secure FP state goes onto the stack as well. */
static bool fp_upper(const ArmCpu *c, bool secure)
{
    return secure && c->m.fpccr[M_S] & FPCCR_TS;
}

bool arm_m_fp_needs_prepare(const ArmCpu *c)
{
    const ArmM *m = &c->m;

    if ((m->fpccr[M_NS] | m->fpccr[M_S]) & FPCCR_LSPACT) {
        return true;
    }
    if (arm_has(c, FEATURE_M_SEC) && ((m->fpccr[M_S] & FPCCR_S) != 0) != m->secure) {
        return true;
    }
    return m->fpccr[m->secure] & FPCCR_ASPEN && (!m->fpca || (m->secure && !m->sfpa));
}

/* Where the state will go when an FP instruction comes (UpdateFPCCR). */
void arm_m_fp_lazy(ArmCpu *c, uint32_t frame)
{
    ArmM *m = &c->m;
    bool s = m->secure;
    int now = arm_m_priority(c, true);
    uint32_t v = m->fpccr[s] &
                 ~(uint32_t)(FPCCR_USER | FPCCR_THREAD | FPCCR_HFRDY | FPCCR_MMRDY | FPCCR_BFRDY |
                             FPCCR_UFRDY | FPCCR_SFRDY | FPCCR_MONRDY | FPCCR_SPLIMVIOL);

    m->fpcar[s] = frame & ~7u;
    v |= FPCCR_LSPACT | (arm_m_privileged(c, s) ? 0 : FPCCR_USER) |
         (arm_m_handler(m) ? 0 : FPCCR_THREAD);
    v |= now > -1 ? FPCCR_HFRDY : 0;
    v |= m->vec[M_BUS].enabled && arm_m_group_priority(c, M_BUS, false) < now ? FPCCR_BFRDY : 0;
    v |= arm_m_vector(c, M_MEM, s)->enabled && arm_m_group_priority(c, M_MEM, s) < now ? FPCCR_MMRDY
                                                                                       : 0;
    v |= arm_m_vector(c, M_USAGE, s)->enabled && arm_m_group_priority(c, M_USAGE, s) < now
             ? FPCCR_UFRDY
             : 0;
    if (arm_has(c, FEATURE_M_SEC)) {
        v |= m->vec[M_SECURE].enabled && arm_m_group_priority(c, M_SECURE, true) < now ? FPCCR_SFRDY
                                                                                       : 0;
    }
    m->fpccr[s] = v;
    if (arm_has(c, FEATURE_M_SEC)) {
        m->fpccr[M_S] = s ? m->fpccr[M_S] | FPCCR_S : m->fpccr[M_S] & ~(uint32_t)FPCCR_S;
    }
}

/* Lazy state is written out; false: a fault is pending instead. */
static bool fp_preserve(ArmCpu *c)
{
    ArmM *m = &c->m;

    for (unsigned s = 0; s < 2; s++) {
        if (!(m->fpccr[s] & FPCCR_LSPACT)) {
            continue;
        }
        unsigned mmu = arm_m_mmu_index(c, s, !(m->fpccr[s] & FPCCR_USER));

        if (!fp_save(c, m->fpcar[s], fp_upper(c, s), mmu, STACK_LAZY)) {
            return false;
        }
        m->fpccr[s] &= ~(uint32_t)FPCCR_LSPACT;
        if (fp_upper(c, s)) {
            fp_clear(c, true);
        }
    }
    return true;
}

/*
 * Before an FP instruction: lazy state goes out, a new context begins. Then the instruction again.
 */
void helper_m_fp_prepare(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    bool taken, ok;

    cpu_restore_state(cpu, HOST_PC());
    taken = arm_lock();
    ok = fp_preserve(c);
    arm_unlock(taken);
    if (!ok) {
        m->fault_exc = 0;               /* it is pending already */
        cpu_raise(cpu, ARM_EXC_M_FAULT, 0);
    }
    if (arm_has(c, FEATURE_M_SEC)) {
        m->fpccr[M_S] = m->secure ? m->fpccr[M_S] | FPCCR_S : m->fpccr[M_S] & ~(uint32_t)FPCCR_S;
    }
    if (m->fpccr[m->secure] & FPCCR_ASPEN && (!m->fpca || (m->secure && !m->sfpa))) {
        arm_set_fpscr(c, m->fpdscr[m->secure]);
        m->fpca = true;
        m->sfpa = m->secure || m->sfpa;
    }
    cpu_leave(cpu, 0);
}

/* ---- entry ---- */

static bool push_limit(ArmCpu *c, uint32_t *sp)
{
    uint32_t limit = arm_m_sp_limit(c);

    if (arm_has(c, FEATURE_M_V8) && *sp < limit) {
        *sp = limit;
        return false;
    }
    return true;
}

/* The basic frame with the return address, and that of FP (B3.19). *lr is EXC_RETURN. */
static void push_frame(ArmCpu *c, uint32_t *lr)
{
    ArmM *m = &c->m;
    bool s = m->secure, privileged = arm_m_privileged(c, s), upper = fp_upper(c, s), ok;
    bool fp = m->fpca && (s || !arm_has(c, FEATURE_M_SEC) || m->nsacr & 1 << 10);
    uint32_t size = fp ? upper ? 0xa8 : 0x68 : 0x20, sp = (uint32_t)c->x[13], frame;
    bool align = sp & 4 && m->ccr[s] & CCR_STKALIGN;
    unsigned mmu = arm_m_mmu_index(c, s, privileged);
    uint32_t xpsr = (arm_m_xpsr(c) & ~(1u << 9)) | (align ? 1u << 9 : 0);

    if (s && m->sfpa) {
        xpsr |= 1u << 20;
    }
    *lr = 0xffffff80 | (s ? EXC_RETURN_S : 0);
    *lr |=
        arm_has(c, FEATURE_M_V8) ? EXC_RETURN_DCRS : EXC_RETURN_S | EXC_RETURN_DCRS | EXC_RETURN_ES;
    *lr |= (m->fpca ? 0 : EXC_RETURN_FTYPE) | (arm_m_handler(m) ? 0 : EXC_RETURN_THREAD);
    *lr |= !arm_m_handler(m) && m->control[s] & CONTROL_SPSEL ? EXC_RETURN_SPSEL : 0;
    frame = (sp - size) & (m->ccr[s] & CCR_STKALIGN ? ~7u : ~3u);
    if (!push_limit(c, &frame)) {
        c->x[13] = frame;
        fault(c, M_USAGE, CFSR_STKOF, s);
        return;
    }
    c->x[13] = frame;
    const uint32_t words[8] = {
        (uint32_t)c->x[0],  (uint32_t)c->x[1],  (uint32_t)c->x[2], (uint32_t)c->x[3],
        (uint32_t)c->x[12], (uint32_t)c->x[14], (uint32_t)c->pc,   xpsr};

    ok = true;
    for (unsigned i = 0; ok && i < 8; i++) {
        uint32_t v = words[i];

        ok = stack_word(c, frame + 4 * i, &v, true, mmu, STACK_PUSH);
    }
    if (ok && fp) {
        if (m->fpccr[s] & FPCCR_LSPEN) {
            arm_m_fp_lazy(c, frame + 0x20);
        } else {
            fp_save(c, frame + 0x20, upper, mmu, STACK_PUSH);
            if (upper) {
                fp_clear(c, true);
            }
        }
    }
}

/* R4 to R11 and a signature, below a Secure frame when a Non-secure exception follows. */
static bool push_callee(ArmCpu *c, uint32_t lr)
{
    ArmM *m = &c->m;
    bool thread = lr & EXC_RETURN_THREAD, process = thread && (m->control[M_S] & CONTROL_SPSEL);
    bool privileged = !thread || !(m->control[M_S] & CONTROL_NPRIV), ok;
    unsigned mmu = arm_m_mmu_index(c, true, privileged);

    arm_m_sp_save(c);
    uint32_t *sp = arm_m_sp(c, true, process),
             limit = process ? m->lim_process[M_S] : m->lim_main[M_S];
    uint32_t frame = *sp - 0x28, v = 0xfefa125a | !!(lr & EXC_RETURN_FTYPE);

    if (frame < limit) {
        *sp = limit;
        arm_m_sp_load(c);
        fault(c, M_USAGE, CFSR_STKOF, true);
        return false;
    }
    ok = stack_word(c, frame, &v, true, mmu, STACK_PUSH);
    for (unsigned i = 0; ok && i < 8; i++) {
        v = (uint32_t)c->x[4 + i];
        ok = stack_word(c, frame + 8 + 4 * i, &v, true, mmu, STACK_PUSH);
    }
    *sp = frame;
    arm_m_sp_load(c);
    return ok;
}

static bool read_vector(ArmCpu *c, unsigned exc, bool secure, uint32_t *pc)
{
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = c->cpu.index & 0x1fff, .secure = secure};
    uint32_t addr = c->m.vtor[secure] + 4 * exc;
    MemResult r = MEM_ERROR;
    ArmMSecurity a;

    arm_m_security(c, addr, &a);
    attrs.secure = secure && !a.ns;
    if (!arm_has(c, FEATURE_M_SEC) || secure || a.ns) {
        *pc = (uint32_t)address_space_load(c->cpu.as, addr, 4, DEV_LITTLE, attrs, &r);
    }
    return r == MEM_OK;
}

static void clear_for_nonsecure(ArmCpu *c, bool callee)
{
    for (unsigned i = 0; i < 13; i++) {
        if (i < 4 || i == 12 || callee) {
            c->x[i] = 0;
        }
    }
    arm_m_set_xpsr(c, 0, 0xf80f0000);
}

/*
 * The handler of what is pending begins (ExceptionTaken). The frame is on the stack, lr says how.
 */
static void take(ArmCpu *c, uint32_t lr)
{
    ArmM *m = &c->m;
    bool v8 = arm_has(c, FEATURE_M_V8), secure;
    uint32_t pc = 0;
    int group;
    unsigned exc;

    for (unsigned tries = 0;; tries++) {
        exc = arm_m_pending(c, &secure, &group);
        if (m->lockup || exc == 0 || tries > 8) {
            return;
        }
        if (arm_has(c, FEATURE_M_SEC) && lr & EXC_RETURN_S && !secure && lr & EXC_RETURN_DCRS) {
            bool ok = push_callee(c, lr);

            lr &= ~(uint32_t)EXC_RETURN_DCRS;
            if (!ok) {
                continue;
            }
        }
        if (read_vector(c, exc, secure, &pc)) {
            break;
        }
        m->hfsr |= HFSR_VECTTBL;
        if (exc == M_HARD || exc == M_NMI) {
            lockup(c, exc);
            return;
        }
        pend(c, M_HARD, arm_has(c, FEATURE_M_SEC) && (secure || !(m->aircr & AIRCR_BFHFNMINS)));
    }
    if (arm_has(c, FEATURE_M_SEC) && !secure && lr & EXC_RETURN_S) {
        clear_for_nonsecure(c, true);
    }
    arm_m_sp_save(c);
    if (v8) {
        lr = (lr & ~(uint32_t)(EXC_RETURN_ES | EXC_RETURN_SPSEL)) | (secure ? EXC_RETURN_ES : 0);
        lr |= m->control[secure] & CONTROL_SPSEL ? EXC_RETURN_SPSEL : 0;
    }
    m->control[secure] &= ~(uint32_t)CONTROL_SPSEL;
    m->secure = secure;
    m->exception = exc;
    arm_m_sp_load(c);
    ArmMVector *v = arm_m_vector(c, exc, secure);

    v->active = true;
    v->pending = false;
    m->fpca = m->sfpa = false;
    c->it = 0;
    c->x[14] = lr;
    c->pc = pc & ~1u;
    c->pstate = pc & 1 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
    c->excl_addr = UINT64_MAX;
    c->event = true;
    arm_m_update(c);
    log_mask(LOG_INT, "M profile: taking exception %u (%s), lr %08x, handler %08x\n", exc,
             secure ? "secure" : "non-secure", lr, pc);
}

static void enter(ArmCpu *c)
{
    uint32_t lr;

    if (c->m.lockup) {
        return;
    }
    push_frame(c, &lr);
    take(c, lr);
}

bool arm_m_interrupt(ArmCpu *c)
{
    bool secure;
    int group;

    if (c->m.lockup) {
        c->cpu.halted = true;
        return false;
    }
    if (arm_m_pending(c, &secure, &group) == 0 || group >= arm_m_priority(c, true)) {
        return false;
    }
    c->cpu.halted = false;
    enter(c);
    return true;
}

/* ---- return ---- */

/* Not a way back: a fault in its place, taken with the frame that is there. */
static void bad_return(ArmCpu *c, unsigned exc, uint32_t bits, bool secure, uint32_t magic)
{
    log_mask(LOG_GUEST_ERRORS, "M profile: bad exception return %08x\n", magic);
    fault(c, exc, bits, secure);
    take(c, magic);
}

static unsigned active_count(const ArmCpu *c)
{
    unsigned n = 0;

    for (unsigned i = 1; i < M_IRQ0 + c->m.config.num_irqs; i++) {
        n += c->m.vec[i].active + (i < 16 && c->m.svec[i].active);
    }
    return n;
}

/* A handler is done; its line may ask again. */
static void deactivate(ArmCpu *c, unsigned exc, bool secure)
{
    ArmMVector *v = arm_m_vector(c, exc, secure);

    v->active = false;
    if (exc >= M_IRQ0 && v->level) {
        v->pending = true;
    }
}

/* What must hold before anything of the frame is read. False: dealt with. */
static bool check_return(ArmCpu *c, uint32_t magic, bool *exc_secure)
{
    ArmM *m = &c->m;
    bool sec = arm_has(c, FEATURE_M_SEC), v8 = arm_has(c, FEATURE_M_V8), thread, bad;
    uint32_t fixed = v8 ? 0xffffff80 : arm_has(c, FEATURE_VFP) ? 0xffffffe1 : 0xfffffff1;

    *exc_secure = sec && magic & EXC_RETURN_ES;
    if (sec && !m->secure && (magic & EXC_RETURN_ES || !(magic & EXC_RETURN_DCRS))) {
        bad_return(c, M_SECURE, SFSR_INVER, true, magic | EXC_RETURN_DCRS);
        return false;
    }
    bad = (magic & fixed) != fixed || magic & 2 ||
          (v8 && !sec && magic & (EXC_RETURN_ES | EXC_RETURN_S)) || !(v8 || (magic & 0xd) != 5);
    if (bad || !arm_m_vector(c, m->exception, *exc_secure)->active) {
        bad_return(c, M_USAGE, CFSR_INVPC, m->secure, magic);
        return false;
    }
    thread = magic & EXC_RETURN_THREAD;
    if ((thread ? active_count(c) != 1 && !(m->ccr[m->secure] & CCR_NONBASE)
                : active_count(c) == 1) &&
        !v8) {
        deactivate(c, m->exception, *exc_secure);
        bad_return(c, M_USAGE, CFSR_INVPC, m->secure, magic);
        return false;
    }
    return true;
}

static bool pop_callee(ArmCpu *c, uint32_t magic, uint32_t *sp, unsigned mmu, bool *signed_ok)
{
    uint32_t v, want = 0xfefa125a | !!(magic & EXC_RETURN_FTYPE);
    bool ok = stack_word(c, *sp, &v, false, mmu, STACK_POP);

    *signed_ok = !ok || v == want;
    for (unsigned i = 0; ok && *signed_ok && i < 8; i++) {
        ok = stack_word(c, *sp + 8 + 4 * i, &v, false, mmu, STACK_POP);
        c->x[4 + i] = v;
    }
    *sp += 0x28;
    return ok && *signed_ok;
}

/* FP registers of the frame, or the knowledge that they never left. False: a fault is pending. */
static bool pop_fp(ArmCpu *c, uint32_t magic, uint32_t frame, bool s, unsigned mmu)
{
    ArmM *m = &c->m;

    if (magic & EXC_RETURN_FTYPE) {
        return true;
    }
    if (m->fpccr[s] & FPCCR_LSPACT) {
        m->fpccr[s] &= ~(uint32_t)FPCCR_LSPACT;
        return true;
    }
    return fp_load(c, frame + 0x20, fp_upper(c, s), mmu);
}

/* Unstacks and goes back; false: a derived exception is pending. */
static bool pop_frame(ArmCpu *c, uint32_t magic)
{
    ArmM *m = &c->m;
    bool sec = arm_has(c, FEATURE_M_SEC), s = sec && magic & EXC_RETURN_S,
         thread = magic & EXC_RETURN_THREAD, signed_ok = true, ok;
    bool process = thread && (arm_has(c, FEATURE_M_V8) ? m->control[s] & CONTROL_SPSEL
                                                       : magic & EXC_RETURN_SPSEL);
    bool privileged = !thread || !(m->control[s] & CONTROL_NPRIV);
    unsigned mmu = arm_m_mmu_index(c, s, privileged);
    uint32_t sp, frame, size, w[8];

    arm_m_sp_save(c);
    sp = *arm_m_sp(c, s, process);
    if (s && (!(magic & EXC_RETURN_ES) || !(magic & EXC_RETURN_DCRS)) &&
        !pop_callee(c, magic, &sp, mmu, &signed_ok)) {
        if (!signed_ok) {
            fault(c, M_SECURE, SFSR_INVIS, true);
        }
        return false;
    }
    frame = sp;
    ok = true;
    for (unsigned i = 0; ok && i < 8; i++) {
        ok = stack_word(c, frame + 4 * i, &w[i], false, mmu, STACK_POP);
    }
    if (!ok || !pop_fp(c, magic, frame, s, mmu)) {
        return false;
    }
    if (((w[7] & 0x1ff) == 0) != thread) {
        fault(c, M_USAGE, CFSR_INVPC, s);
        return false;
    }
    size = magic & EXC_RETURN_FTYPE ? 0x20 : fp_upper(c, s) ? 0xa8 : 0x68;
    for (unsigned i = 0; i < 4; i++) {
        c->x[i] = w[i];
    }
    c->x[12] = w[4];
    c->x[14] = w[5];
    c->pc = w[6] & ~1u;
    m->secure = s;
    *arm_m_sp(c, s, process) =
        (frame + size) | (w[7] & 1u << 9 && m->ccr[s] & CCR_STKALIGN ? 4 : 0);
    if (!arm_has(c, FEATURE_M_V8)) {
        m->control[M_NS] =
            (m->control[M_NS] & ~(uint32_t)CONTROL_SPSEL) | (process ? CONTROL_SPSEL : 0);
    }
    m->exception = w[7] & 0x1ff;
    arm_m_sp_load(c);
    arm_m_set_xpsr(c, w[7], 0xff0ffc00);
    m->fpca = arm_has(c, FEATURE_VFP) && !(magic & EXC_RETURN_FTYPE);
    m->sfpa = s && w[7] & 1u << 20;
    c->excl_addr = UINT64_MAX;
    c->event = true;
    return true;
}

static void exception_return(ArmCpu *c, uint32_t magic)
{
    ArmM *m = &c->m;
    bool exc_secure, other;
    int group;

    if (!check_return(c, magic, &exc_secure)) {
        return;
    }
    if (arm_m_group_priority(c, m->exception, exc_secure) > -1 && m->exception != M_NMI) {
        m->faultmask[exc_secure] = 0;
    }
    if (arm_has(c, FEATURE_VFP) && m->fpca &&
        m->fpccr[arm_has(c, FEATURE_M_SEC)] & FPCCR_CLRONRET &&
        !(m->fpccr[m->secure] & FPCCR_LSPACT)) {
        fp_clear(c, false);
    }
    arm_m_sp_save(c);
    if (arm_has(c, FEATURE_M_V8)) {
        m->control[exc_secure] = (m->control[exc_secure] & ~(uint32_t)CONTROL_SPSEL) |
                                 (magic & EXC_RETURN_SPSEL ? CONTROL_SPSEL : 0);
    }
    deactivate(c, m->exception, exc_secure);
    arm_m_update(c);
    /* tail-chaining: the frame serves again */
    if (arm_m_pending(c, &other, &group) && group < arm_m_priority(c, true)) {
        take(c, magic);
        return;
    }
    if (!pop_frame(c, magic)) {
        take(c, magic);
        return;
    }
    arm_m_update(c);
    /* SLEEPONEXIT */
    if (!arm_m_handler(m) && m->scr[m->secure] & 2 && !arm_m_pending(c, &other, &group)) {
        c->cpu.halted = true;
        cpu_interrupt(&c->cpu, CPU_PENDING_EXIT);
    }
}

/* Back to Secure state from a function that BLXNS called (B3.15). */
static void function_return(ArmCpu *c)
{
    ArmM *m = &c->m;
    bool process, handler = arm_m_handler(m);
    uint32_t sp, pc, psr;
    unsigned mmu;

    arm_m_sp_save(c);
    process = !handler && m->control[M_S] & CONTROL_SPSEL;
    sp = *arm_m_sp(c, true, process);
    mmu = arm_m_mmu_index(c, true, handler || !(m->control[M_S] & CONTROL_NPRIV));
    if (!stack_word(c, sp, &pc, false, mmu, STACK_POP) ||
        !stack_word(c, sp + 4, &psr, false, mmu, STACK_POP)) {
        enter(c);
        return;
    }
    if (!((m->exception == 0 && (psr & 0x1ff) == 0) || (m->exception == 1 && (psr & 0x1ff) != 0))) {
        fault(c, M_USAGE, CFSR_INVPC, false);
        enter(c);
        return;
    }
    *arm_m_sp(c, true, process) = sp + 8;
    m->secure = true;
    m->exception = psr & 0x1ff;
    m->sfpa = psr >> 20 & 1;
    arm_m_sp_load(c);
    c->it = 0;
    c->pc = pc & ~1u;
    c->pstate = pc & 1 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
    arm_m_update(c);
}

/* BX and loads of PC with a value that may be no address (NORETURN). */
void helper_m_bx(Cpu *cpu, uint32_t target)
{
    ArmCpu *c = ARM(cpu);

    cpu_restore_state(cpu, HOST_PC());
    if ((target >= 0xff000000 && arm_m_handler(&c->m)) ||
        (arm_has(c, FEATURE_M_SEC) && !c->m.secure && (target & ~1u) == FNC_RETURN)) {
        c->m.magic = target;
        cpu_raise(cpu, ARM_EXC_M_RETURN, 0);
    }
    c->it = 0;
    c->pc = target & ~1u;
    c->pstate = target & 1 ? c->pstate | PSTATE_T : c->pstate & ~PSTATE_T;
    cpu_leave(cpu, 0);
}

/* ---- delivery ---- */

static void deliver_fault(ArmCpu *c)
{
    ArmM *m = &c->m;
    unsigned exc = m->fault_exc;

    if (exc) {
        record(c, exc, m->fault_bits, m->fault_has_addr, m->fault_addr, m->secure);
        pend(c, exc, m->secure);
    }
    enter(c);
}

void arm_m_deliver(ArmCpu *c, unsigned kind)
{
    ArmM *m = &c->m;
    bool taken = arm_lock();

    switch (kind) {
    case ARM_EXC_M_FAULT:
        deliver_fault(c);
        break;
    case ARM_EXC_M_RETURN:
        if ((m->magic & ~1u) == FNC_RETURN) {
            function_return(c);
        } else {
            exception_return(c, m->magic);
        }
        break;
    case ARM_EXC_SVC:
        pend(c, M_SVC, m->secure);
        enter(c);
        break;
    case ARM_EXC_PC_ALIGN:              /* not in Thumb state */
        fault(c, M_USAGE, CFSR_INVSTATE, m->secure);
        enter(c);
        break;
    case ARM_EXC_BKPT:
        m->dfsr |= 2;
        pend(c, M_DEBUG, false);
        enter(c);
        break;
    default:
        fault(c, M_USAGE, CFSR_UNDEFINSTR, m->secure);
        enter(c);
    }
    arm_unlock(taken);
    if (m->lockup) {
        c->cpu.halted = true;
    }
}

/* ---- FP instructions that may not run, and lazy state of Secure callers ---- */

void helper_m_nocp(Cpu *cpu)
{
    ArmCpu *c = ARM(cpu);
    uintptr_t host_pc = HOST_PC();
    unsigned denied = arm_has(c, FEATURE_VFP)
                          ? arm_m_fp_denied(c, c->m.secure, arm_m_privileged(c, c->m.secure))
                          : 1;
    uint32_t insn = 0;

    cpu_restore_state(cpu, host_pc);
    /* allowed meanwhile, in this very block: again, with another key */
    if (!denied && cpu_debug_rw(cpu, (uint32_t)c->pc, &insn, 4, false) && (insn >> 25 & 7) == 5) {
        cpu_leave(cpu, 0);
    }
    arm_m_fault(c, M_USAGE, CFSR_NOCP, NULL, 0);
}

static void check_lazy_instruction(ArmCpu *c, uint32_t addr, uintptr_t host_pc)
{
    if (!c->m.secure) {
        arm_m_fault(c, M_USAGE, CFSR_UNDEFINSTR, NULL, host_pc);
    }
    if (arm_m_fp_denied(c, true, arm_m_privileged(c, true))) {
        arm_m_fault(c, M_USAGE, CFSR_NOCP, NULL, host_pc);
    }
    if (addr & 7) {
        arm_m_fault(c, M_USAGE, CFSR_UNALIGNED, NULL, host_pc);
    }
}

void helper_m_vlstm(Cpu *cpu, uint32_t addr)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_m_mmu_index(c, true, arm_m_privileged(c, true));

    if (!m->sfpa) {
        return;
    }
    if (m->fpccr[M_S] & FPCCR_LSPACT) {
        arm_m_fault(c, M_SECURE, SFSR_LSERR, NULL, host_pc);
    }
    check_lazy_instruction(c, addr, host_pc);
    if (m->fpccr[M_S] & FPCCR_LSPEN) {
        bool taken = arm_lock();

        arm_m_fp_lazy(c, addr);
        arm_unlock(taken);
    } else {
        bool upper = fp_upper(c, true);

        for (unsigned n = 0; n < (upper ? 32 : 16); n++) {
            cpu_store(cpu, addr + 4 * n + (n >= 16 ? 8 : 0), get_s(c, n), 2, mmu, host_pc);
        }
        cpu_store(cpu, addr + 0x40, arm_get_fpscr(c), 2, mmu, host_pc);
        fp_clear(c, upper);
    }
    m->fpca = false;
}

void helper_m_vlldm(Cpu *cpu, uint32_t addr)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_m_mmu_index(c, true, arm_m_privileged(c, true));

    if (!m->sfpa) {
        return;
    }
    check_lazy_instruction(c, addr, host_pc);
    if (m->fpccr[M_S] & FPCCR_LSPACT) {         /* it never left */
        m->fpccr[M_S] &= ~(uint32_t)FPCCR_LSPACT;
    } else {
        for (unsigned n = 0; n < (fp_upper(c, true) ? 32u : 16u); n++) {
            set_s(c, n, (uint32_t)cpu_load(cpu, addr + 4 * n + (n >= 16 ? 8 : 0), 2, mmu, host_pc));
        }
        arm_set_fpscr(c, (uint32_t)cpu_load(cpu, addr + 0x40, 2, mmu, host_pc));
    }
    m->fpca = true;
}
