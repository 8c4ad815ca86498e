// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * M profile: registers of the System Control Space as rows: NVIC, SCB, MPU, SAU, FP (D1.2).
 * Accesses are words with a mask of the bytes that are written; who may come here and how (alias,
 * size, privilege) is the device's business. Machine lock.
 */
#include "target-arm/models.h"

#include "qom/vm.h"

typedef struct ScsAccess {
    uint32_t offset, n;                 /* n: which word of the row */
    uint32_t value, mask;               /* of a write: value & ~mask is 0 */
    bool s;
} ScsAccess;

typedef struct ScsRow {
    uint16_t offset, words;
    uint8_t needs;                      /* NEED_* */
    uint32_t (*read)(ArmCpu *c, const ScsAccess *a);
    void (*write)(ArmCpu *c, const ScsAccess *a);
    const char *help;
} ScsRow;

enum { NEED_MAIN = 1, NEED_V8 = 2, NEED_SEC = 4, NEED_FP = 8, NEED_S_STATE = 16 };

static bool visible(const ArmCpu *c, unsigned exc, bool s)
{
    return s || !arm_has(c, FEATURE_M_SEC) || c->m.vec[exc].ns;
}

static uint32_t merge(uint32_t old, const ScsAccess *a, uint32_t writable)
{
    uint32_t m = a->mask & writable;

    return (old & ~m) | (a->value & m);
}

/* ---- NVIC ---- */

typedef bool BitGet(const ArmMVector *v);

static uint32_t bits_read(ArmCpu *c, const ScsAccess *a, BitGet *get)
{
    uint32_t v = 0;

    for (unsigned i = 0, n = 32 * a->n; i < 32 && n + i < c->m.config.num_irqs; i++) {
        v |= visible(c, M_IRQ0 + n + i, a->s) && get(&c->m.vec[M_IRQ0 + n + i]) ? 1u << i : 0;
    }
    return v;
}

static bool get_enabled(const ArmMVector *v)
{
    return v->enabled;
}

static bool get_pending(const ArmMVector *v)
{
    return v->pending;
}

static bool get_active(const ArmMVector *v)
{
    return v->active;
}

static bool get_ns(const ArmMVector *v)
{
    return v->ns;
}

static uint32_t enabled_read(ArmCpu *c, const ScsAccess *a)
{
    return bits_read(c, a, get_enabled);
}

static uint32_t pending_read(ArmCpu *c, const ScsAccess *a)
{
    return bits_read(c, a, get_pending);
}

static uint32_t active_read(ArmCpu *c, const ScsAccess *a)
{
    return bits_read(c, a, get_active);
}

static uint32_t itns_read(ArmCpu *c, const ScsAccess *a)
{
    return bits_read(c, a, get_ns);
}

static void enabled_set(ArmCpu *c, const ScsAccess *a, bool on)
{
    for (unsigned i = 0, n = 32 * a->n; i < 32 && n + i < c->m.config.num_irqs; i++) {
        if (a->value >> i & 1 && visible(c, M_IRQ0 + n + i, a->s)) {
            c->m.vec[M_IRQ0 + n + i].enabled = on;
        }
    }
    arm_m_update(c);
}

static void iser_write(ArmCpu *c, const ScsAccess *a)
{
    enabled_set(c, a, true);
}

static void icer_write(ArmCpu *c, const ScsAccess *a)
{
    enabled_set(c, a, false);
}

static void pending_set(ArmCpu *c, const ScsAccess *a, bool on)
{
    for (unsigned i = 0, n = 32 * a->n; i < 32 && n + i < c->m.config.num_irqs; i++) {
        ArmMVector *v = &c->m.vec[M_IRQ0 + n + i];

        /* a line that is up asks again at once, unless its handler runs */
        if (a->value >> i & 1 && visible(c, M_IRQ0 + n + i, a->s)) {
            v->pending = on || (v->level && !v->active);
        }
    }
    arm_m_update(c);
}

static void ispr_write(ArmCpu *c, const ScsAccess *a)
{
    pending_set(c, a, true);
}

static void icpr_write(ArmCpu *c, const ScsAccess *a)
{
    pending_set(c, a, false);
}

static void itns_write(ArmCpu *c, const ScsAccess *a)
{
    for (unsigned i = 0, n = 32 * a->n; i < 32 && n + i < c->m.config.num_irqs; i++) {
        if (a->mask >> i & 1) {
            c->m.vec[M_IRQ0 + n + i].ns = a->value >> i & 1;
        }
    }
    arm_m_update(c);
}

/* Four priorities in a word, of exceptions from `first` on. */
static uint32_t priorities_read(ArmCpu *c, unsigned first, bool s, bool check)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (first + i < M_VECTORS &&
            (!check || (first + i < M_IRQ0 + c->m.config.num_irqs && visible(c, first + i, s)))) {
            v |= (uint32_t)(uint8_t)arm_m_vector(c, first + i, s)->prio << (8 * i);
        }
    }
    return v;
}

static uint32_t ipr_read(ArmCpu *c, const ScsAccess *a)
{
    return priorities_read(c, M_IRQ0 + 4 * a->n, a->s, true);
}

static void priority_write(ArmCpu *c, unsigned exc, bool s, uint32_t v)
{
    arm_m_vector(c, exc, s)->prio = (int16_t)(v & c->m.prio_mask);
}

static void ipr_write(ArmCpu *c, const ScsAccess *a)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned exc = M_IRQ0 + 4 * a->n + i;

        if (a->mask >> (8 * i) & 0xff && exc < M_IRQ0 + c->m.config.num_irqs &&
            visible(c, exc, a->s)) {
            priority_write(c, exc, false, a->value >> (8 * i) & 0xff);
        }
    }
    arm_m_update(c);
}

static uint32_t ictr_read(ArmCpu *c, const ScsAccess *a)
{
    return (c->m.config.num_irqs + 31) / 32 - 1;
}

static void stir_write(ArmCpu *c, const ScsAccess *a)
{
    unsigned exc = M_IRQ0 + (a->value & 0x1ff);

    if (exc < M_IRQ0 + c->m.config.num_irqs && visible(c, exc, a->s)) {
        arm_m_set_pending(c, exc, false);
    }
}

/* ---- SCB ---- */

static uint32_t cpuid_read(ArmCpu *c, const ScsAccess *a)
{
    return (uint32_t)c->id.midr;
}

static uint32_t icsr_read(ArmCpu *c, const ScsAccess *a)
{
    const ArmM *m = &c->m;
    bool secure, s = a->s && arm_has(c, FEATURE_M_SEC);
    unsigned exc, active = 0;
    int group;
    uint32_t v = m->exception;

    exc = arm_m_pending(c, &secure, &group);
    if (exc && secure && !a->s) {
        exc = arm_has(c, FEATURE_M_V8) ? 1 : exc;
    }
    v |= exc << 12;
    for (unsigned i = 1; i < M_IRQ0 + m->config.num_irqs; i++) {
        v |= i >= M_IRQ0 && m->vec[i].pending ? 1u << 22 : 0;
        active += m->vec[i].active + (i < 16 && m->svec[i].active);
    }
    v |= arm_has(c, FEATURE_M_MAIN) && active <= 1 ? 1u << 11 : 0;
    v |= arm_m_vector(c, M_SYSTICK, s)->pending ? 1u << 26 : 0;
    v |= arm_m_vector(c, M_PENDSV, s)->pending ? 1u << 28 : 0;
    v |= m->vec[M_NMI].pending && (s || m->aircr & AIRCR_BFHFNMINS) ? 1u << 31 : 0;
    return v;
}

static void icsr_write(ArmCpu *c, const ScsAccess *a)
{
    bool s = a->s && arm_has(c, FEATURE_M_SEC);

    if (a->value & 1u << 31 && (s || c->m.aircr & AIRCR_BFHFNMINS)) {
        arm_m_set_pending(c, M_NMI, false);
    }
    if (a->value & 1u << 27) {
        arm_m_vector(c, M_PENDSV, s)->pending = false;
    }
    if (a->value & 1u << 28) {
        arm_m_set_pending(c, M_PENDSV, s);
    }
    if (a->value & 1u << 25) {
        arm_m_vector(c, M_SYSTICK, s)->pending = false;
    }
    if (a->value & 1u << 26) {
        arm_m_set_pending(c, M_SYSTICK, s);
    }
    arm_m_update(c);
}

static uint32_t vtor_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.vtor[a->s];
}

static void vtor_write(ArmCpu *c, const ScsAccess *a)
{
    if (arm_has(c, FEATURE_M_MAIN)) {
        c->m.vtor[a->s] = merge(c->m.vtor[a->s], a, 0xffffff80);
    }
}

static uint32_t aircr_read(ArmCpu *c, const ScsAccess *a)
{
    uint32_t v = 0xfa050000 | c->m.prigroup[a->s] << 8;

    if (arm_has(c, FEATURE_M_SEC)) {
        v |= c->m.aircr & AIRCR_BFHFNMINS;
        v |= a->s ? c->m.aircr & (AIRCR_PRIS | AIRCR_SYSRESETREQS) : 0;
    }
    return v;
}

static void aircr_write(ArmCpu *c, const ScsAccess *a)
{
    ArmM *m = &c->m;

    if (a->mask != ~0u || a->value >> 16 != 0x05fa) {
        return;
    }
    if (a->value & 4 && (a->s || !(m->aircr & AIRCR_SYSRESETREQS))) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
    if (arm_has(c, FEATURE_M_MAIN)) {
        m->prigroup[a->s] = a->value >> 8 & 7;
    }
    if (a->s && arm_has(c, FEATURE_M_SEC)) {
        m->aircr = a->value & (AIRCR_PRIS | AIRCR_SYSRESETREQS | AIRCR_BFHFNMINS);
    }
    arm_m_update(c);
}

static uint32_t scr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.scr[a->s];
}

static void scr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.scr[a->s] = merge(c->m.scr[a->s], a, 0x16);
}

static uint32_t ccr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.ccr[a->s] | (a->s ? c->m.ccr[M_NS] & CCR_BFHFNMIGN : 0);
}

static void ccr_write(ArmCpu *c, const ScsAccess *a)
{
    uint32_t writable = CCR_USERSETMPEND | CCR_UNALIGN | CCR_DIV0 | CCR_BFHFNMIGN | 0x70000;

    if (!arm_has(c, FEATURE_M_MAIN)) {
        return;
    }
    writable |= arm_has(c, FEATURE_M_V8) ? CCR_STKOFHFNMIGN : CCR_STKALIGN | CCR_NONBASE;
    c->m.ccr[a->s] = merge(c->m.ccr[a->s], a, writable);
}

static uint32_t shpr_read(ArmCpu *c, const ScsAccess *a)
{
    return priorities_read(c, 4 + 4 * a->n, a->s, false);
}

static void shpr_write(ArmCpu *c, const ScsAccess *a)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned exc = 4 + 4 * a->n + i;

        if (!(a->mask >> (8 * i) & 0xff) || exc == 8 || exc == 9 || exc == 10 || exc == 13) {
            continue;
        }
        if ((exc == M_SECURE && !(arm_has(c, FEATURE_M_SEC) && a->s)) ||
            (exc < 8 && !arm_has(c, FEATURE_M_MAIN))) {
            continue;
        }
        priority_write(c, exc, a->s, a->value >> (8 * i) & 0xff);
    }
    arm_m_update(c);
}

/* Bits of SHCSR: exception and which of its flags. */
typedef struct ShcsrBit {
    uint8_t bit, exc, what;             /* 0 active, 1 pending, 2 enabled */
} ShcsrBit;

static const ShcsrBit shcsr_bits[] = {
    {0, M_MEM, 0}, {1, M_BUS, 0}, {2, M_HARD, 0}, {3, M_USAGE, 0}, {4, M_SECURE, 0}, {5, M_NMI, 0}, {7, M_SVC, 0}, {8, M_DEBUG, 0},
    {10, M_PENDSV, 0}, {11, M_SYSTICK, 0}, {12, M_USAGE, 1}, {13, M_MEM, 1}, {14, M_BUS, 1}, {15, M_SVC, 1}, {16, M_MEM, 2},
    {17, M_BUS, 2}, {18, M_USAGE, 2}, {19, M_SECURE, 2}, {20, M_SECURE, 1}, {21, M_HARD, 1},
};

static bool *shcsr_flag(ArmCpu *c, const ShcsrBit *b, bool s)
{
    ArmMVector *v = arm_m_vector(c, b->exc, s);
    bool sec = arm_has(c, FEATURE_M_SEC);

    if (!arm_has(c, FEATURE_M_MAIN) && b->bit != 15) {
        return NULL;
    }
    if (b->exc == M_SECURE && !(sec && s)) {
        return NULL;
    }
    if ((b->exc == M_HARD || b->exc == M_NMI) && !arm_has(c, FEATURE_M_V8)) {
        return NULL;
    }
    if (sec && !s && (b->exc == M_BUS || b->exc == M_NMI || b->exc == M_HARD) &&
        !(c->m.aircr & AIRCR_BFHFNMINS)) {
        return NULL;
    }
    return b->what == 0 ? &v->active : b->what == 1 ? &v->pending : &v->enabled;
}

static uint32_t shcsr_read(ArmCpu *c, const ScsAccess *a)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < ARRAY_COUNT(shcsr_bits); i++) {
        bool *f = shcsr_flag(c, &shcsr_bits[i], a->s);

        v |= f && *f ? 1u << shcsr_bits[i].bit : 0;
    }
    return v;
}

static void shcsr_write(ArmCpu *c, const ScsAccess *a)
{
    for (unsigned i = 0; i < ARRAY_COUNT(shcsr_bits); i++) {
        const ShcsrBit *b = &shcsr_bits[i];
        bool *f = shcsr_flag(c, b, a->s);

        /* NMIACT and HARDFAULTACT are not for software */
        if (f && a->mask >> b->bit & 1 && b->exc != M_NMI && b->bit != 2) {
            *f = a->value >> b->bit & 1;
        }
    }
    arm_m_update(c);
}

static bool bus_visible(const ArmCpu *c, bool s)
{
    return s || !arm_has(c, FEATURE_M_SEC) || c->m.aircr & AIRCR_BFHFNMINS;
}

static uint32_t cfsr_read(ArmCpu *c, const ScsAccess *a)
{
    return (c->m.cfsr[a->s] & ~(uint32_t)CFSR_BUS) |
           (bus_visible(c, a->s) ? c->m.cfsr[M_NS] & CFSR_BUS : 0);
}

static void cfsr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.cfsr[a->s] &= ~(a->value & ~(uint32_t)CFSR_BUS);
    if (bus_visible(c, a->s)) {
        c->m.cfsr[M_NS] &= ~(a->value & CFSR_BUS);
    }
}

static uint32_t hfsr_read(ArmCpu *c, const ScsAccess *a)
{
    return bus_visible(c, a->s) ? c->m.hfsr : 0;
}

static void hfsr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.hfsr &= bus_visible(c, a->s) ? ~a->value : ~0u;
}

static uint32_t dfsr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.dfsr;
}

static void dfsr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.dfsr &= ~a->value;
}

static uint32_t mmfar_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.mmfar[a->s];
}

static void mmfar_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.mmfar[a->s] = merge(c->m.mmfar[a->s], a, ~0u);
}

static uint32_t bfar_read(ArmCpu *c, const ScsAccess *a)
{
    return bus_visible(c, a->s) ? c->m.bfar : 0;
}

static void bfar_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.bfar = bus_visible(c, a->s) ? merge(c->m.bfar, a, ~0u) : c->m.bfar;
}

static uint32_t demcr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.demcr;
}

static void demcr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.demcr = merge(c->m.demcr, a, 0x010f07f1);
}

static uint32_t actlr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.actlr[a->s];
}

static void actlr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.actlr[a->s] = merge(c->m.actlr[a->s], a, 0x3ff);
}

static uint32_t cppwr_read(ArmCpu *c, const ScsAccess *a)
{
    return 0;
}

/* ---- identification ---- */

static uint32_t id_read(ArmCpu *c, const ScsAccess *a)
{
    const ArmIdRegs *id = &c->id;
    const uint32_t v[16] = {
        id->a32_pfr0,    id->a32_pfr1,    id->a32_dfr0,        id->a32_afr0,
        id->a32_mmfr[0], id->a32_mmfr[1], id->a32_mmfr[2],     id->a32_mmfr[3],
        id->a32_isar[0], id->a32_isar[1], id->a32_isar[2],     id->a32_isar[3],
        id->a32_isar[4], id->a32_isar[5], (uint32_t)id->clidr, (uint32_t)id->ctr};

    return v[a->n];
}

static uint32_t mvfr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->id.mvfr[a->n];
}

static uint32_t csselr_read(ArmCpu *c, const ScsAccess *a)
{
    return a->n == 0 ? (uint32_t)c->id.ccsidr[c->csselr & 7] : (uint32_t)c->csselr;
}

static void csselr_write(ArmCpu *c, const ScsAccess *a)
{
    c->csselr = a->n == 1 ? a->value & 7 : c->csselr;
}

/* ---- FP ---- */

static uint32_t cpacr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.cpacr[a->s];
}

static void cpacr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.cpacr[a->s] = merge(c->m.cpacr[a->s], a, 0x00f00000);
}

static uint32_t nsacr_read(ArmCpu *c, const ScsAccess *a)
{
    return a->s ? c->m.nsacr : c->m.nsacr | 0xcff;
}

static void nsacr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.nsacr = merge(c->m.nsacr, a, 0xcff);
}

static uint32_t fpccr_read(ArmCpu *c, const ScsAccess *a)
{
    const uint32_t shared = FPCCR_LSPEN | FPCCR_CLRONRET;

    if (!arm_has(c, FEATURE_M_SEC) || !a->s) {
        return c->m.fpccr[M_NS] | (arm_has(c, FEATURE_M_SEC) ? c->m.fpccr[M_S] & shared : 0);
    }
    return c->m.fpccr[M_S];
}

static void fpccr_write(ArmCpu *c, const ScsAccess *a)
{
    bool sec = arm_has(c, FEATURE_M_SEC);
    uint32_t writable = FPCCR_ASPEN | FPCCR_LSPEN;

    if (arm_has(c, FEATURE_M_V8)) {
        writable |= 0x7f9 | FPCCR_CLRONRET |
                    (sec && a->s ? FPCCR_TS | FPCCR_CLRONRETS | FPCCR_LSPENS | FPCCR_S : 0);
    } else {
        writable |= 0x57b;      /* UFRDY is not there, but shows */
    }
    if (sec && !a->s) {                 /* both states share LSPEN and CLRONRET */
        c->m.fpccr[M_NS] =
            merge(c->m.fpccr[M_NS], a, writable & ~(uint32_t)(FPCCR_LSPEN | FPCCR_CLRONRET));
        if (!(c->m.fpccr[M_S] & FPCCR_LSPENS)) {
            c->m.fpccr[M_S] = merge(c->m.fpccr[M_S], a, FPCCR_LSPEN);
            c->m.fpccr[M_NS] = merge(c->m.fpccr[M_NS], a, FPCCR_LSPEN);
        }
        if (!(c->m.fpccr[M_S] & FPCCR_CLRONRETS)) {
            c->m.fpccr[M_S] = merge(c->m.fpccr[M_S], a, FPCCR_CLRONRET);
        }
        return;
    }
    c->m.fpccr[a->s] = merge(c->m.fpccr[a->s], a, writable) &
                       ~(arm_has(c, FEATURE_M_V8) ? 0 : (uint32_t)FPCCR_UFRDY);
    if (sec) {
        c->m.fpccr[M_NS] = merge(c->m.fpccr[M_NS], a, FPCCR_LSPEN);
    }
}

static uint32_t fpcar_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.fpcar[a->s];
}

static void fpcar_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.fpcar[a->s] = merge(c->m.fpcar[a->s], a, ~7u);
}

static uint32_t fpdscr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.fpdscr[a->s];
}

static void fpdscr_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.fpdscr[a->s] = merge(c->m.fpdscr[a->s], a, 0x07c00000);
}

/* ---- MPU ---- */

static uint32_t mpu_type_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.mpu_regions << 8;
}

static uint32_t mpu_ctrl_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.mpu_ctrl[a->s];
}

static void mpu_ctrl_write(ArmCpu *c, const ScsAccess *a)
{
    if (c->m.mpu_regions) {
        c->m.mpu_ctrl[a->s] = merge(c->m.mpu_ctrl[a->s], a, 7);
        tlb_flush(&c->cpu);
    }
}

static uint32_t mpu_rnr_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.mpu_rnr[a->s];
}

static void mpu_rnr_write(ArmCpu *c, const ScsAccess *a)
{
    if ((a->value & 0xff) < c->m.mpu_regions) {
        c->m.mpu_rnr[a->s] = a->value & 0xff;
    }
}

/* Which region a register of the four pairs means. */
static unsigned mpu_region(const ArmCpu *c, const ScsAccess *a)
{
    unsigned rnr = c->m.mpu_rnr[a->s], alias = a->n / 2;

    return arm_has(c, FEATURE_M_V8) && alias ? (rnr & ~3u) + alias : rnr;
}

static uint32_t mpu_pair_read(ArmCpu *c, const ScsAccess *a)
{
    unsigned r = mpu_region(c, a);

    if (r >= c->m.mpu_regions) {
        return 0;
    }
    if (arm_has(c, FEATURE_M_V8)) {
        return a->n & 1 ? c->m.mpu_rlar[a->s][r] : c->m.mpu_rbar[a->s][r];
    }
    return a->n & 1 ? c->m.mpu_racr[r] | c->m.mpu_rlar[M_NS][r] : c->m.mpu_rbar[M_NS][r] | r;
}

static void mpu_pair_write(ArmCpu *c, const ScsAccess *a)
{
    unsigned r = mpu_region(c, a);
    uint32_t v = merge(mpu_pair_read(c, a), a, ~0u);

    if (arm_has(c, FEATURE_M_V8)) {
        if (r < c->m.mpu_regions) {
            *(a->n & 1 ? &c->m.mpu_rlar[a->s][r] : &c->m.mpu_rbar[a->s][r]) = v;
        }
        tlb_flush(&c->cpu);
        return;
    }
    if (!(a->n & 1) && a->value & 16) {         /* VALID: the number is in here */
        r = a->value & 15;
        if (r >= c->m.mpu_regions) {
            return;
        }
        c->m.mpu_rnr[M_NS] = r;
    }
    if (r >= c->m.mpu_regions) {
        return;
    }
    if (a->n & 1) {
        c->m.mpu_rlar[M_NS][r] = v & 0xff3f;
        c->m.mpu_racr[r] = v & 0x173f0000;
    } else {
        c->m.mpu_rbar[M_NS][r] = v & ~31u;
    }
    tlb_flush(&c->cpu);
}

static uint32_t mair_read(ArmCpu *c, const ScsAccess *a)
{
    return c->m.mpu_mair[a->s][a->n];
}

static void mair_write(ArmCpu *c, const ScsAccess *a)
{
    c->m.mpu_mair[a->s][a->n] = c->m.mpu_regions ? merge(c->m.mpu_mair[a->s][a->n], a, ~0u) : 0;
}

/* ---- SAU, SecureFault ---- */

static uint32_t sau_read(ArmCpu *c, const ScsAccess *a)
{
    const ArmM *m = &c->m;

    switch (a->n) {
    case 0:
        return m->sau_ctrl;
    case 1:
        return ARRAY_COUNT(m->sau_rbar);
    case 2:
        return m->sau_rnr;
    case 3:
        return m->sau_rbar[m->sau_rnr];
    default:
        return m->sau_rlar[m->sau_rnr];
    }
}

static void sau_write(ArmCpu *c, const ScsAccess *a)
{
    ArmM *m = &c->m;

    switch (a->n) {
    case 0:
        m->sau_ctrl = a->value & 3;
        break;
    case 2:
        m->sau_rnr = (a->value & 0xff) < ARRAY_COUNT(m->sau_rbar) ? a->value & 0xff : m->sau_rnr;
        break;
    case 3:
        m->sau_rbar[m->sau_rnr] = a->value & ~31u;
        break;
    case 4:
        m->sau_rlar[m->sau_rnr] = a->value & ~0x1cu;
        break;
    default:
        break;
    }
    tlb_flush(&c->cpu);
}

static uint32_t sfsr_read(ArmCpu *c, const ScsAccess *a)
{
    return a->n ? c->m.sfar : c->m.sfsr;
}

static void sfsr_write(ArmCpu *c, const ScsAccess *a)
{
    if (a->n) {
        c->m.sfar = merge(c->m.sfar, a, ~0u);
    } else {
        c->m.sfsr &= ~a->value;
    }
}

/* ---- the table ---- */

// clang-format off
static const ScsRow scs_rows[] = {
    {0x004, 1, NEED_MAIN, ictr_read, NULL, "interrupt lines, in 32"},
    {0x008, 1, NEED_MAIN, actlr_read, actlr_write, "auxiliary control"},
    {0x00c, 1, NEED_MAIN | NEED_V8, cppwr_read, NULL, "coprocessor power"},
    {0x100, 16, 0, enabled_read, iser_write, "set enable"},
    {0x180, 16, 0, enabled_read, icer_write, "clear enable"},
    {0x200, 16, 0, pending_read, ispr_write, "set pending"},
    {0x280, 16, 0, pending_read, icpr_write, "clear pending"},
    {0x300, 16, NEED_MAIN, active_read, NULL, "active"},
    {0x380, 16, NEED_SEC | NEED_S_STATE, itns_read, itns_write, "target state"},
    {0x400, 124, 0, ipr_read, ipr_write, "priorities"},
    {0xd00, 1, 0, cpuid_read, NULL, "CPUID"},
    {0xd04, 1, 0, icsr_read, icsr_write, "interrupt control and state"},
    {0xd08, 1, 0, vtor_read, vtor_write, "vector table"},
    {0xd0c, 1, 0, aircr_read, aircr_write, "reset, priority groups"},
    {0xd10, 1, 0, scr_read, scr_write, "system control"},
    {0xd14, 1, 0, ccr_read, ccr_write, "configuration and control"},
    {0xd18, 3, 0, shpr_read, shpr_write, "priorities of system handlers"},
    {0xd24, 1, 0, shcsr_read, shcsr_write, "system handlers"},
    {0xd28, 1, NEED_MAIN, cfsr_read, cfsr_write, "configurable faults"},
    {0xd2c, 1, NEED_MAIN, hfsr_read, hfsr_write, "hard fault"},
    {0xd30, 1, NEED_MAIN, dfsr_read, dfsr_write, "debug fault"},
    {0xd34, 1, NEED_MAIN, mmfar_read, mmfar_write, "address of a memory fault"},
    {0xd38, 1, NEED_MAIN, bfar_read, bfar_write, "address of a bus fault"},
    {0xd40, 16, NEED_MAIN, id_read, NULL, "identification"},
    {0xd80, 2, NEED_MAIN, csselr_read, csselr_write, "cache size and its selection"},
    {0xd88, 1, NEED_MAIN | NEED_FP, cpacr_read, cpacr_write, "coprocessor access"},
    {0xd8c, 1, NEED_MAIN | NEED_SEC | NEED_FP, nsacr_read, nsacr_write, "coprocessor access of Non-secure state"},
    {0xd90, 1, 0, mpu_type_read, NULL, "MPU type"},
    {0xd94, 1, 0, mpu_ctrl_read, mpu_ctrl_write, "MPU control"},
    {0xd98, 1, 0, mpu_rnr_read, mpu_rnr_write, "MPU region"},
    {0xd9c, 8, 0, mpu_pair_read, mpu_pair_write, "its base, its size or limit; aliases"},
    {0xdc0, 2, NEED_V8, mair_read, mair_write, "memory attributes"},
    {0xdd0, 5, NEED_SEC | NEED_S_STATE, sau_read, sau_write, "SAU"},
    {0xde4, 2, NEED_MAIN | NEED_SEC | NEED_S_STATE, sfsr_read, sfsr_write, "secure fault and its address"},
    {0xdfc, 1, NEED_MAIN, demcr_read, demcr_write, "debug monitor"},
    {0xf00, 1, NEED_MAIN, NULL, stir_write, "software interrupt"},
    {0xf34, 1, NEED_FP, fpccr_read, fpccr_write, "FP context control"},
    {0xf38, 1, NEED_FP, fpcar_read, fpcar_write, "FP context address"},
    {0xf3c, 1, NEED_FP, fpdscr_read, fpdscr_write, "FP status by default"},
    {0xf40, 3, NEED_FP, mvfr_read, NULL, "FP identification"},
};
// clang-format on

static const ScsRow *find(ArmCpu *c, ScsAccess *a)
{
    for (unsigned i = 0; i < ARRAY_COUNT(scs_rows); i++) {
        const ScsRow *r = &scs_rows[i];

        if (a->offset < r->offset || a->offset - r->offset >= 4u * r->words) {
            continue;
        }
        a->n = (a->offset - r->offset) / 4;
        if ((r->needs & NEED_MAIN && !arm_has(c, FEATURE_M_MAIN)) ||
            (r->needs & NEED_V8 && !arm_has(c, FEATURE_M_V8)) ||
            (r->needs & NEED_SEC && !arm_has(c, FEATURE_M_SEC)) ||
            (r->needs & NEED_FP && !arm_has(c, FEATURE_VFP)) ||
            (r->needs & NEED_S_STATE && !a->s)) {
            return NULL;
        }
        return r;
    }
    return NULL;
}

uint32_t arm_m_scs_read(ArmCpu *c, uint32_t offset, bool secure)
{
    ScsAccess a = {.offset = offset, .s = secure};
    const ScsRow *r = find(c, &a);

    return r && r->read ? r->read(c, &a) : 0;
}

void arm_m_scs_write(ArmCpu *c, uint32_t offset, uint32_t value, uint32_t mask, bool secure)
{
    ScsAccess a = {.offset = offset, .value = value & mask, .mask = mask, .s = secure};
    const ScsRow *r = find(c, &a);

    if (r && r->write) {
        r->write(c, &a);
        cpu_interrupt(&c->cpu, CPU_PENDING_EXIT);       /* translations depend on much of this */
    }
}
