// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile memory: the default map, PMSAv7 and PMSAv8 regions, security attribution by SAU and
 * IDAU (B6 to B8), TT, and the way into the TLB. Regions that do not cover a page of 4 KiB as a
 * whole make entries that are asked again for each access.
 */
#include "target-arm/cpu.h"

#include <string.h>
#include "target-arm/helpers.h"
#include "target-arm/models.h"

enum { PROT_RW = TLB_PROT_READ | TLB_PROT_WRITE, PROT_RWX = PROT_RW | TLB_PROT_EXEC };

static bool is_ppb(uint32_t va)
{
    return va >> 20 == 0xe00;
}

/* [base, last] covers a part of va's page only. */
static bool part_of_page(uint32_t va, uint32_t base, uint32_t last)
{
    uint32_t page = va & ~0xfffu, end = page | 0xfff;

    return base <= end && last >= page && (base > page || last < end);
}

/* ---- attribution ---- */

static void sau(const ArmCpu *c, uint32_t va, ArmMSecurity *out, bool *nsc)
{
    const ArmM *m = &c->m;
    unsigned hits = 0;

    *nsc = false;
    if (!(m->sau_ctrl & 1)) {
        out->ns = m->sau_ctrl & 2;      /* ALLNS */
        return;
    }
    out->ns = false;
    for (unsigned i = 0; i < ARRAY_COUNT(m->sau_rbar); i++) {
        uint32_t base = m->sau_rbar[i] & ~31u, last = m->sau_rlar[i] | 31;

        if (!(m->sau_rlar[i] & 1) || base > last) {
            continue;
        }
        out->partial |= part_of_page(va, base, last);
        if (va >= base && va <= last) {
            hits++;
            out->ns = !(m->sau_rlar[i] & 2);
            *nsc = m->sau_rlar[i] & 2;
            out->sau_region = (uint8_t)i;
            out->in_sau = true;
        }
    }
    if (hits > 1) {     /* overlap is Secure */
        out->ns = *nsc = out->in_sau = false;
        out->sau_region = 0;
    }
}

void arm_m_security(const ArmCpu *c, uint32_t va, ArmMSecurity *out)
{
    ArmIdau idau = {.ns = true};
    bool sau_nsc;

    memset(out, 0, sizeof(*out));
    if (!arm_has(c, FEATURE_M_SEC)) {
        out->ns = true;
        return;
    }
    if (is_ppb(va) && (va < 0xe0002000 || (va >= 0xe000e000 && va < 0xe000f000) ||
                       (va >= 0xe002e000 && va < 0xe002f000) ||
                       (va >= 0xe0040000 && va < 0xe0042000) || va >= 0xe00ff000)) {
        out->ns = !c->m.secure;         /* as the state */
        out->exempt = true;
        return;
    }
    if (c->m.config.idau) {
        c->m.config.idau(c->m.config.idau_opaque, va, &idau);
    }
    sau(c, va, out, &sau_nsc);
    out->in_idau = idau.has_region;
    out->idau_region = idau.region;
    if (idau.exempt) {
        out->ns = !c->m.secure;
        out->exempt = true;
        return;
    }
    /* the more secure of both */
    out->nsc = sau_nsc;
    if (c->m.config.idau && !idau.ns && (out->ns || (!idau.nsc && out->nsc))) {
        out->ns = false;
        out->nsc = idau.nsc;
    }
}

/* ---- regions ---- */

static unsigned default_map(const ArmCpu *c, uint32_t va, bool user)
{
    switch (va >> 29) {
    case 0:
    case 1:
    case 3:
    case 4:
        return PROT_RWX;
    default:
        return PROT_RW;
    }
}

static unsigned access_v7(unsigned ap, bool user)
{
    static const uint8_t privileged[8] = {0, PROT_RW,       PROT_RW,       PROT_RW,
                                          0, TLB_PROT_READ, TLB_PROT_READ, TLB_PROT_READ};
    static const uint8_t unprivileged[8] = {0, 0, TLB_PROT_READ, PROT_RW,
                                            0, 0, TLB_PROT_READ, TLB_PROT_READ};

    return user ? unprivileged[ap] : privileged[ap];
}

static bool mpu_v7(const ArmCpu *c, uint32_t va, bool user, ArmMAccess *a)
{
    const ArmM *m = &c->m;

    for (int i = (int)m->mpu_regions - 1; i >= 0; i--) {
        uint32_t size = m->mpu_rlar[M_NS][i], racr = m->mpu_racr[i], bits = (size >> 1 & 31) + 1;
        uint32_t mask = bits >= 32 ? 0xffffffff : (1u << bits) - 1,
                 base = m->mpu_rbar[M_NS][i] & ~mask;

        if (!(size & 1) || bits < 5) {
            continue;
        }
        a->partial |= part_of_page(va, base, base | mask) ||
                      (size & 0xff00 && bits < 15 && ((va ^ base) & ~(mask | 0xfff)) == 0);
        if ((va & ~mask) != base || a->region >= 0) {
            continue;
        }
        if (bits >= 8 && size >> (8 + ((va - base) >> (bits - 3))) & 1) {
            continue;
        }
        a->region = i;
        a->prot = access_v7(racr >> 24 & 7, user);
        if (a->prot & TLB_PROT_READ && !(racr >> 28 & 1)) {
            a->prot |= TLB_PROT_EXEC;
        }
    }
    return a->region >= 0;
}

static bool mpu_v8(const ArmCpu *c, uint32_t va, bool bank, bool user, ArmMAccess *a)
{
    const ArmM *m = &c->m;
    unsigned hits = 0;

    for (unsigned i = 0; i < m->mpu_regions; i++) {
        uint32_t rbar = m->mpu_rbar[bank][i], rlar = m->mpu_rlar[bank][i], base = rbar & ~31u,
                 last = rlar | 31;

        if (!(rlar & 1) || base > last) {
            continue;
        }
        a->partial |= part_of_page(va, base, last);
        if (va < base || va > last) {
            continue;
        }
        hits++;
        a->region = (int)i;
        a->prot = user && !(rbar & 2) ? 0 : rbar & 4 ? TLB_PROT_READ : PROT_RW;
        if (a->prot && !(rbar & 1)) {
            a->prot |= TLB_PROT_EXEC;
        }
    }
    if (hits > 1) {
        a->region = -1;
        a->prot = 0;
    }
    return hits != 0;
}

/* Rights by the MPU of that state or the default map. */
static void mpu(const ArmCpu *c, uint32_t va, unsigned mmu_idx, ArmMAccess *a)
{
    const ArmM *m = &c->m;
    bool bank = mmu_idx >= MMU_M_S_USER, user = mmu_idx == MMU_M_NS_USER || mmu_idx == MMU_M_S_USER;
    bool bare = mmu_idx == MMU_M_NS_BARE || mmu_idx == MMU_M_S_BARE, hit;

    a->region = -1;
    a->prot = default_map(c, va, user);
    if (!(m->mpu_ctrl[bank] & MPU_ENABLE) || bare || is_ppb(va)) {
        return;
    }
    hit = arm_has(c, FEATURE_M_V8) ? mpu_v8(c, va, bank, user, a) : mpu_v7(c, va, user, a);
    if (!hit && (user || !(m->mpu_ctrl[bank] & MPU_PRIVDEFENA))) {
        a->prot = 0;
    }
    if (va >> 29 >= 7) {                /* system space never executes */
        a->prot &= ~(unsigned)TLB_PROT_EXEC;
    }
}

static bool is_sg(ArmCpu *c, uint32_t va)
{
    MemAttrs attrs = {.is_cpu = 1, .cpu_index = c->cpu.index & 0x1fff, .secure = 1};
    MemResult r1, r2;
    uint64_t a = address_space_load(c->cpu.as, va, 2, DEV_LITTLE, attrs, &r1),
             b = address_space_load(c->cpu.as, va + 2, 2, DEV_LITTLE, attrs, &r2);

    return r1 == MEM_OK && r2 == MEM_OK && a == 0xe97f && b == 0xe97f;
}

bool arm_m_check(ArmCpu *c, uint32_t va, MmuAccess access, unsigned mmu_idx, ArmMAccess *a)
{
    static const unsigned need[] = {[ACCESS_LOAD] = TLB_PROT_READ,
                                    [ACCESS_STORE] = TLB_PROT_WRITE,
                                    [ACCESS_FETCH] = TLB_PROT_EXEC};
    bool secure = mmu_idx >= MMU_M_S_USER;

    memset(a, 0, sizeof(*a));
    if (arm_has(c, FEATURE_M_SEC)) {
        ArmMSecurity s;

        arm_m_security(c, va, &s);
        a->partial = s.partial;
        a->secure = !s.ns;
        if (access == ACCESS_FETCH) {
            if (secure && s.ns && !is_ppb(va)) {
                a->exc = M_SECURE;
                a->bits = SFSR_INVTRAN;
                return false;
            }
            if (!secure && !s.ns) {
                /* the bytes of it are fetched one by one where there is no plain memory */
                if (!s.nsc || !(is_sg(c, va) || (va & 3 && is_sg(c, va & ~3u)))) {
                    a->exc = M_SECURE;
                    a->bits = SFSR_INVEP;
                    return false;
                }
                a->partial = true;
                mmu_idx += MMU_M_S_USER;        /* the Secure MPU counts */
            }
        } else if (!secure && !s.ns) {
            a->exc = M_SECURE;
            a->bits = SFSR_AUVIOL;
            return false;
        }
    }
    mpu(c, va, mmu_idx, a);
    if (!(a->prot & need[access])) {
        a->exc = M_MEM;
        a->bits = access == ACCESS_FETCH ? CFSR_IACCVIOL : CFSR_DACCVIOL;
        return false;
    }
    return true;
}

bool arm_m_tlb_fill(ArmCpu *c, uint32_t va, MmuAccess access, unsigned mmu_idx, bool probe,
                    uintptr_t host_pc)
{
    bool user = mmu_idx == MMU_M_NS_USER || mmu_idx == MMU_M_S_USER;
    ArmMAccess a;

    if (arm_m_check(c, va, access, mmu_idx, &a)) {
        MemAttrs attrs = {
            .is_cpu = 1, .cpu_index = c->cpu.index & 0x1fff, .user = user, .secure = a.secure};
        unsigned prot = a.prot;

        /* what may be read may not be what may be executed: attribution differs by access */
        if (arm_has(c, FEATURE_M_SEC) && a.secure != (mmu_idx >= MMU_M_S_USER)) {
            prot &= access == ACCESS_FETCH ? TLB_PROT_EXEC : PROT_RW;
        }
        tlb_set(&c->cpu, mmu_idx, va & ~0xfffu, va & ~0xfffu, attrs, prot, a.partial ? 5 : 12,
                false);
        return true;
    }
    if (probe) {
        return false;
    }
    arm_m_fault(c, a.exc, a.bits, access == ACCESS_FETCH ? NULL : &va, host_pc);
}

void arm_m_bus_error(ArmCpu *c, uint32_t va, MmuAccess access, uintptr_t host_pc)
{
    arm_m_fault(c, M_BUS, access == ACCESS_FETCH ? CFSR_IBUSERR : CFSR_PRECISERR,
                access == ACCESS_FETCH ? NULL : &va, host_pc);
}

/* ---- TT ---- */

uint32_t arm_m_tt(ArmCpu *c, uint32_t va, bool alternate, bool user)
{
    bool bank = c->m.secure && !alternate, forced = user || !arm_m_privileged(c, bank);
    unsigned index = (bank ? MMU_M_S_USER : MMU_M_NS_USER) + (forced ? 0 : 1);
    ArmMAccess a = {0};
    ArmMSecurity s;
    uint32_t v = 0;

    mpu(c, va, index, &a);
    if (a.region >= 0) {
        v |= (uint32_t)a.region | 1u << 16;
    }
    if (arm_m_privileged(c, c->m.secure) || alternate) {
        v |= a.prot & TLB_PROT_READ ? 1u << 18 : 0;
        v |= a.prot & TLB_PROT_WRITE ? 1u << 19 : 0;
    } else {
        v = a.prot & TLB_PROT_READ ? 1u << 18 : 0;
        v |= a.prot & TLB_PROT_WRITE ? 1u << 19 : 0;
    }
    if (!c->m.secure) {
        return v;
    }
    arm_m_security(c, va, &s);
    s.ns = s.ns || (s.exempt && alternate);
    v |= s.ns && v & 1u << 18 ? 1u << 20 : 0;
    v |= s.ns && v & 1u << 19 ? 1u << 21 : 0;
    v |= s.ns ? 0 : 1u << 22;
    v |= s.in_sau ? (uint32_t)s.sau_region << 8 | 1u << 17 : 0;
    v |= s.in_idau ? (uint32_t)s.idau_region << 24 | 1u << 23 : 0;
    return v;
}

/* how: bit 0 A, bit 1 T */
uint32_t helper_m_tt(Cpu *cpu, uint32_t va, uint32_t how)
{
    return arm_m_tt(ARM(cpu), va, how & 1, how & 2);
}

/* SG: true when the state changes (B3.15). */
uint32_t helper_m_sg(Cpu *cpu, uint32_t pc)
{
    ArmCpu *c = ARM(cpu);
    ArmMSecurity s;

    if (c->m.secure) {
        return 1;
    }
    arm_m_security(c, pc, &s);
    if (!s.ns) {
        arm_m_sp_save(c);
        c->m.secure = true;
        c->m.sfpa = false;
        arm_m_sp_load(c);
        c->x[14] &= ~1ull;
    }
    return 1;
}

/* BXNS and BLXNS; next: 0, or the address behind a BLXNS (NORETURN). */
void helper_m_bxns(Cpu *cpu, uint32_t target, uint32_t next)
{
    ArmCpu *c = ARM(cpu);
    ArmM *m = &c->m;
    uintptr_t host_pc = HOST_PC();
    unsigned mmu = arm_m_mmu_index(c, true, arm_m_privileged(c, true));

    if (!next && (target & ~1u) == FNC_RETURN) {
        cpu_restore_state(cpu, host_pc);
        helper_m_bx(cpu, target);
    }
    if (next && !(target & 1)) {
        uint32_t sp = (uint32_t)c->x[13] - 8, psr = m->exception | (m->sfpa ? 1u << 20 : 0);

        if (sp < arm_m_sp_limit(c)) {
            arm_m_fault(c, M_USAGE, CFSR_STKOF, NULL, host_pc);
        }
        cpu_store(cpu, sp, next | 1, 2, mmu, host_pc);
        cpu_store(cpu, sp + 4, psr, 2, mmu, host_pc);
        cpu_restore_state(cpu, host_pc);
        c->x[13] = sp;
        c->x[14] = 0xfeffffff;
        m->exception = m->exception ? 1 : 0;
    } else {
        cpu_restore_state(cpu, host_pc);
        if (next) {
            c->x[14] = next | 1;
        }
    }
    c->it = 0;
    c->pc = target & ~1u;
    if (!(target & 1)) {
        /* to Non-secure state; bit 0 is not T here */
        arm_m_sp_save(c);
        m->secure = false;
        arm_m_sp_load(c);
        m->sfpa = false;
    }
    c->pstate |= PSTATE_T;
    cpu_leave(cpu, 0);
}
