// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMSAv8-64 translation (D8): 4, 16 and 64 KiB granules, both address ranges, two stages, access
 * and dirty flags in hardware, PAN, execute-never; VMSAv8-32 long descriptors go the same way
 * (mmu-a32.c has the short ones). Tagged addresses are entered into the TLB with their tags.
 */
#include "target-arm/mmu.h"

#include <string.h>
#include "qom/vm.h"
#include "util/log.h"
#include "util/rcu.h"

/* ---- reading descriptors ---- */

static void *entry_host(ArmCpu *c, hwaddr pa, MemAttrs attrs)
{
    Section s = address_space_lookup(c->cpu.as, pa, false, attrs);

    if (!s.region || s.region->kind != REGION_RAM || s.readonly || !s.region->ram || s.len < 8) {
        return NULL;
    }
    return s.region->ram->host + s.region->ram_offset + s.offset;
}

bool arm_entry_read(ArmCpu *c, hwaddr pa, unsigned size, MemAttrs attrs, bool big, uint64_t *v,
                    void **host)
{
    MemResult result = MEM_OK;

    *host = entry_host(c, pa, attrs);
    if (*host) {
        *v = size == 8 ? __atomic_load_n((uint64_t *)*host, __ATOMIC_RELAXED)
                       : __atomic_load_n((uint32_t *)*host, __ATOMIC_RELAXED);
        if (big) {
            *v = size == 8 ? __builtin_bswap64(*v) : __builtin_bswap32((uint32_t)*v);
        }
        return true;
    }
    *v = address_space_load(c->cpu.as, pa, size, big ? DEV_BIG : DEV_LITTLE, attrs, &result);
    return result == MEM_OK;
}

/* Changes a descriptor; false when it is another meanwhile. */
static bool entry_update(ArmWalk *w, hwaddr pa, void *host, uint64_t old, uint64_t new)
{
    if (old == new) {
        return true;
    }
    if (!host) {
        address_space_store(w->c->cpu.as, pa, new, 8, w->big ? DEV_BIG : DEV_LITTLE, w->attrs);
        return true;
    }
    if (w->big) {
        old = __builtin_bswap64(old);
        new = __builtin_bswap64(new);
    }
    return __atomic_compare_exchange_n((uint64_t *)host, &old, new, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

bool arm_walk_fail(ArmWalk *w, unsigned type, unsigned level)
{
    w->fault->type = type;
    w->fault->level = level;
    return false;
}

/* ---- what a stage's control register says ---- */

typedef struct Stage {
    unsigned granule;           /* log2 of a table's bytes: 12, 14, 16 */
    unsigned va_bits;           /* input address size */
    unsigned start;             /* level to start at */
    hwaddr base;
    unsigned pa_bits;
    bool two_ranges, ha, hd, hpd, disabled, ipa;
    unsigned txsz;
} Stage;

static unsigned decode_ps(unsigned ps)
{
    static const uint8_t bits[8] = {32, 36, 40, 42, 44, 48, 52, 52};

    return bits[ps & 7];
}

unsigned arm_pa_bits(const ArmCpu *c)
{
    return MIN(decode_ps(c->id.mmfr0 & 15), 48u);
}

/* A size that the CPU does not have counts as 4 KiB, or as 64 KiB where that is missing too. */
static unsigned granule_of(const ArmCpu *c, unsigned tg, bool range1)
{
    static const uint8_t tg0[4] = {12, 16, 14, 12}, tg1[4] = {12, 14, 12, 16};
    unsigned g = range1 ? tg1[tg] : tg0[tg];
    uint64_t sizes = c->id.mmfr0;
    bool has4 = (sizes >> 28 & 15) != 15, has16 = sizes >> 20 & 15,
         has64 = (sizes >> 24 & 15) != 15;

    return (g == 14 && has16) || (g == 16 && has64) ? g : has4 ? 12 : 16;
}

/* LPAE in AArch32: 32-bit addresses, TTBCR's sizes (G5.5). */
static bool stage1_a32(ArmWalk *w, Stage *s)
{
    ArmCpu *c = w->c;
    uint64_t tcr = c->tcr[w->regime];
    uint32_t va = (uint32_t)w->va;
    unsigned t0 = tcr & 7, t1 = tcr >> 16 & 7;
    bool upper = false;

    s->two_ranges = w->regime != 2;
    if (s->two_ranges && (t0 || t1)) {
        upper = t1 ? va >= (uint32_t)(0 - (1ull << (32 - t1))) : va >> (32 - t0);
        if (t0 && t1 && !upper && va >> (32 - t0)) {
            return false;
        }
    }
    s->txsz = 32 + (upper ? t1 : t0);
    s->granule = 12;
    s->pa_bits = 40;
    s->va_bits = 64 - s->txsz;
    s->disabled = s->two_ranges && tcr >> (upper ? 23 : 7) & 1;
    s->base = (upper ? c->ttbr1[w->regime] : c->ttbr0[w->regime]) & 0x000000ffffffffe0ull;
    s->start = s->va_bits > 30 ? 1 : 2;
    return !s->disabled;
}

/* Stage 1 of the regime for va; false: a translation fault at level 0. */
static bool stage1(ArmWalk *w, Stage *s)
{
    ArmCpu *c = w->c;
    uint64_t tcr = c->tcr[w->regime];
    bool upper = false;
    unsigned min_tsz = 16;

    memset(s, 0, sizeof(*s));
    if (w->a32) {
        return stage1_a32(w, s);
    }
    s->two_ranges = w->regime == 1 || (w->regime == 2 && arm_e2h(c));
    if (s->two_ranges) {
        upper = w->va >> 55 & 1;
        s->txsz = (upper ? tcr >> 16 : tcr) & 63;
        s->granule = granule_of(c, upper ? tcr >> 30 & 3 : tcr >> 14 & 3, upper);
        s->disabled = tcr >> (upper ? 23 : 7) & 1;
        s->pa_bits = decode_ps(tcr >> 32 & 7);
        s->ha = tcr >> 39 & 1;
        s->hd = tcr >> 40 & 1;
        s->hpd = tcr >> (upper ? 42 : 41) & 1;
        w->tbi = tcr >> (upper ? 38 : 37) & 1;
        w->epd_user = w->user && tcr >> (upper ? 56 : 55) & 1;
    } else {
        s->txsz = tcr & 63;
        s->granule = granule_of(c, tcr >> 14 & 3, false);
        s->pa_bits = decode_ps(tcr >> 16 & 7);
        s->ha = tcr >> 21 & 1;
        s->hd = tcr >> 22 & 1;
        s->hpd = tcr >> 24 & 1;
        w->tbi = tcr >> 20 & 1;
        upper = false;
    }
    s->ha = s->ha && arm_has(c, FEATURE_HAFDBS);
    s->hd = s->ha && s->hd;
    s->pa_bits = MIN(s->pa_bits, arm_pa_bits(c));
    s->txsz = MAX(s->txsz, min_tsz);
    s->txsz = MIN(s->txsz, arm_has(c, FEATURE_TTST) ? 48u - (s->granule == 16) : 39u);
    s->va_bits = 64 - s->txsz;
    s->base = (upper ? c->ttbr1[w->regime] : c->ttbr0[w->regime]) & 0x0000fffffffffffeull;

    unsigned top = w->tbi ? 56 : 64;
    uint64_t high = w->va << (64 - top) >> (64 - top) >> s->va_bits;
    uint64_t want = upper ? UINT64_MAX << (64 - top) >> (64 - top) >> s->va_bits : 0;

    if (high != want || s->disabled || w->epd_user) {
        return false;
    }
    unsigned stride = s->granule - 3;

    s->start = 4 - (s->va_bits - 4) / stride;
    if (s->va_bits <= s->granule) {
        s->start = 3;
    } else {
        s->start = 4 - (s->va_bits - s->granule + stride - 1) / stride;
    }
    return true;
}

static bool stage2(ArmWalk *w, Stage *s, hwaddr ipa)
{
    ArmCpu *c = w->c;
    uint64_t tcr = c->vtcr;
    unsigned sl0 = tcr >> 6 & 3;

    memset(s, 0, sizeof(*s));
    s->granule = granule_of(c, tcr >> 14 & 3, false);
    s->txsz = MIN(MAX((unsigned)tcr & 63, 16u), 39u);
    s->va_bits = 64 - s->txsz;
    s->pa_bits = MIN(decode_ps(tcr >> 16 & 7), arm_pa_bits(c));
    s->ha = tcr >> 21 & 1 && arm_has(c, FEATURE_HAFDBS);
    s->hd = s->ha && tcr >> 22 & 1;
    if (!arm_el_is_a64(c, 2)) {         /* VTCR: sizes from 24 to 40 bits, G8.2.172 */
        s->granule = 12;
        s->txsz = 32 + (tcr & 7) - (tcr & 8);
        s->va_bits = 64 - s->txsz;
        s->pa_bits = 40;
        s->ha = s->hd = false;
    }
    s->base = c->vttbr & 0x0000fffffffffffeull;
    s->start = s->granule == 12 ? 2 - sl0 : 3 - sl0;
    s->ipa = true;
    return s->va_bits >= 64 || ipa >> s->va_bits == 0;
}

/* ---- the walk ---- */

/* A leaf: block or page. */
typedef struct Leaf {
    uint64_t desc;
    hwaddr pa;
    unsigned bits, level;
    hwaddr entry;
    void *host;
    bool ns_table, apt_ro, apt_nouser, xn_table, pxn_table;
} Leaf;

static bool stage2_translate(ArmWalk *w, hwaddr ipa, MmuAccess access, bool for_walk,
                             ArmPage *page);

/* Walks the tables of a stage for `in`; tables of stage 1 are read through stage 2. */
static bool walk_tables(ArmWalk *w, const Stage *s, uint64_t in, Leaf *leaf)
{
    ArmCpu *c = w->c;
    unsigned stride = s->granule - 3, level = s->start;
    uint64_t in_mask = s->va_bits >= 64 ? UINT64_MAX : (1ull << s->va_bits) - 1;
    hwaddr table = s->base & ~(hwaddr)0xfff;
    unsigned first_bits = s->va_bits - (s->granule + (3 - level) * stride);

    in &= in_mask;
    memset(leaf, 0, sizeof(*leaf));
    table = s->base & ~((1ull << MAX(first_bits + 3, 4u)) - 1);
    if (s->pa_bits < 64 && table >> s->pa_bits) {
        return arm_walk_fail(w, FAULT_ADDRESS_SIZE, 0);
    }
    for (;; level++) {
        unsigned shift = s->granule + (3 - level) * stride;
        uint64_t index = in >> shift & (level == s->start ? UINT64_MAX : (1ull << stride) - 1);
        hwaddr at = table + index * 8;
        uint64_t d;

        if (!s->ipa && w->stage2_on) {
            ArmPage p;

            if (!stage2_translate(w, at, ACCESS_LOAD, true, &p)) {
                return false;
            }
            at = p.pa | (at & 0xfff);
        }
        if (!arm_entry_read(c, at, 8, w->attrs, w->big, &d, &leaf->host)) {
            return arm_walk_fail(w, FAULT_EXTERNAL_WALK, level);
        }
        bool table_desc = (d & 3) == 3 && level < 3;
        bool block = (d & 3) == 1 && (s->granule == 12 ? level == 1 || level == 2 : level == 2),
             page = (d & 3) == 3 && level == 3;
        hwaddr out = d & 0x0000fffffffff000ull & ~((1ull << s->granule) - 1);

        if (!table_desc && !block && !page) {
            return arm_walk_fail(w, FAULT_TRANSLATION, level);
        }
        if (out >> s->pa_bits) {
            return arm_walk_fail(w, FAULT_ADDRESS_SIZE, level);
        }
        if (table_desc) {
            if (!s->ipa && !s->hpd) {
                leaf->ns_table |= d >> 63 & 1;
                leaf->apt_ro |= d >> 62 & 1;
                leaf->apt_nouser |= d >> 61 & 1;
                leaf->xn_table |= d >> 60 & 1;
                leaf->pxn_table |= d >> 59 & 1;
            }
            table = out;
            continue;
        }
        leaf->desc = d;
        leaf->bits = shift;
        leaf->level = level;
        leaf->entry = at;
        leaf->pa = (out & ~((1ull << shift) - 1)) | (in & ((1ull << shift) - 1) & ~0xfffull);
        return true;
    }
}

/*
 * Access flag and dirty state; *again: the descriptor changed. dbm_ro: read-only but for the dirty
 * state.
 */
static bool flags(ArmWalk *w, const Stage *s, Leaf *leaf, bool writing, uint64_t ro_bit,
                  bool ro_value, bool *again)
{
    uint64_t new = leaf->desc;

    if (!(new & 1 << 10)) {
        if (!s->ha) {
            return arm_walk_fail(w, FAULT_ACCESS, leaf->level);
        }
        new |= 1 << 10;
    }
    if (writing && s->hd && new & 1ull << 51 && !!(new & ro_bit) == ro_value) {
        new ^= ro_bit;
    }
    if (w->debug) {
        return true;
    }
    if (!entry_update(w, leaf->entry, leaf->host, leaf->desc, new)) {
        *again = true;
        return false;
    }
    leaf->desc = new;
    return true;
}

static bool permitted(unsigned prot, MmuAccess access)
{
    return prot & (access == ACCESS_LOAD    ? TLB_PROT_READ
                   : access == ACCESS_STORE ? TLB_PROT_WRITE
                                            : TLB_PROT_EXEC);
}

static bool stage2_once(ArmWalk *w, hwaddr ipa, MmuAccess access, bool for_walk, ArmPage *page,
                        bool *again)
{
    Stage s;
    Leaf leaf;

    w->fault->stage = 2;
    w->fault->ipa = ipa;
    w->fault->s1ptw = for_walk;
    if (!stage2(w, &s, ipa)) {
        return arm_walk_fail(w, FAULT_TRANSLATION, 0);
    }
    if (!walk_tables(w, &s, ipa, &leaf) ||
        !flags(w, &s, &leaf, access == ACCESS_STORE, 1ull << 7, false, again)) {
        return false;
    }
    unsigned s2ap = leaf.desc >> 6 & 3, xn = leaf.desc >> 53 & 3, prot = 0;

    prot |= s2ap & 1 ? TLB_PROT_READ : 0;
    prot |= s2ap & 2 ? TLB_PROT_WRITE : 0;
    if (arm_has(w->c, FEATURE_XNX)) {
        prot |= xn == 0 || (xn == 1 && w->user) || (xn == 3 && !w->user) ? TLB_PROT_EXEC : 0;
    } else {
        prot |= xn & 2 ? 0 : TLB_PROT_EXEC;
    }
    prot = prot & TLB_PROT_READ || !(prot & TLB_PROT_EXEC) ? prot : prot & ~TLB_PROT_EXEC;
    if (!w->debug && !permitted(prot, access)) {
        return arm_walk_fail(w, FAULT_PERMISSION, leaf.level);
    }
    page->pa = leaf.pa;
    page->prot = prot;
    page->page_bits = leaf.bits;
    page->device = (leaf.desc >> 4 & 3) == 0;
    w->fault->stage = 1;
    w->fault->s1ptw = false;
    return true;
}

static bool stage2_translate(ArmWalk *w, hwaddr ipa, MmuAccess access, bool for_walk, ArmPage *page)
{
    bool again, ok;

    do {
        again = false;
        ok = stage2_once(w, ipa, access, for_walk, page, &again);
    } while (again);
    return ok;
}

/* Rights of a stage 1 leaf (D8.4). */
static unsigned rights(const ArmWalk *w, const Stage *s, const Leaf *leaf, bool *user_readable)
{
    ArmCpu *c = w->c;
    uint64_t d = leaf->desc, sctlr = c->sctlr[w->regime];
    bool ro = d >> 7 & 1 || leaf->apt_ro, user = d >> 6 & 1 && !leaf->apt_nouser;
    bool uxn = d >> 54 & 1 || leaf->xn_table, pxn = d >> 53 & 1 || leaf->pxn_table,
         wxn = sctlr & SCTLR_WXN;
    unsigned prot = TLB_PROT_READ | (ro ? 0 : TLB_PROT_WRITE);

    if (!s->two_ranges) {
        *user_readable = false;
        return prot | (uxn || (wxn && !ro) ? 0 : TLB_PROT_EXEC);
    }
    *user_readable = user;
    if (w->user) {
        if (!user) {
            return uxn ? 0 : TLB_PROT_EXEC;
        }
        return prot | (uxn || (wxn && !ro) ? 0 : TLB_PROT_EXEC);
    }
    /*
     * What EL0 may write, EL1 does not execute; AArch32: only with UWXN, and XN is for both levels
     * (G5.7.1).
     */
    bool exec = !pxn && !(wxn && !ro) &&
                (w->a32 ? !uxn && !(sctlr & SCTLR_UWXN && user && !ro) : !(user && !ro));

    return (w->pan && user ? 0 : prot) | (exec ? TLB_PROT_EXEC : 0);
}

static bool stage1_once(ArmWalk *w, ArmPage *page, bool *again)
{
    ArmCpu *c = w->c;
    Stage s;
    Leaf leaf;
    bool user_readable;

    w->fault->stage = 1;
    if (!stage1(w, &s)) {
        return arm_walk_fail(w, FAULT_TRANSLATION, w->a32);
    }
    if (!walk_tables(w, &s, w->va, &leaf) ||
        !flags(w, &s, &leaf, w->access == ACCESS_STORE, 1ull << 7, true, again)) {
        return false;
    }
    unsigned prot = rights(w, &s, &leaf, &user_readable);

    if (!w->debug && !permitted(prot, w->access)) {
        return arm_walk_fail(w, FAULT_PERMISSION, leaf.level);
    }
    page->pa = leaf.pa;
    page->prot = prot;
    page->page_bits = leaf.bits;
    page->global = !(leaf.desc >> 11 & 1) || !s.two_ranges;
    page->mair = c->mair[w->regime] >> (8 * (leaf.desc >> 2 & 7));
    page->device = (page->mair & 0xf0) == 0;
    page->sh = leaf.desc >> 8 & 3;
    page->tagged = page->mair == 0xf0 && arm_has(c, FEATURE_MTE);
    page->guarded = leaf.desc >> 50 & 1 && arm_has(c, FEATURE_BTI);
    if (page->attrs.secure && (leaf.desc & 1 << 5 || leaf.ns_table)) {
        page->attrs.secure = 0;
    }
    return true;
}

static bool stage1_walk(ArmWalk *w, ArmPage *page)
{
    bool again, ok;

    do {
        again = false;
        ok = stage1_once(w, page, &again);
    } while (again);
    return ok;
}

bool arm_walk_long32(ArmWalk *w, ArmPage *page)
{
    return stage1_walk(w, page);
}

/* The MMU of the regime is off: a flat map (D8.2.10). */
static bool flat(ArmWalk *w, ArmPage *page)
{
    uint64_t tcr = w->c->tcr[w->regime];
    bool upper = w->va >> 55 & 1;
    bool tbi = w->regime == 1 || (w->regime == 2 && arm_e2h(w->c)) ? tcr >> (upper ? 38 : 37) & 1
                                                                   : tcr >> 20 & 1;
    uint64_t va = w->a32 ? (uint32_t)w->va : tbi ? w->va & 0x00ffffffffffffffull : w->va;

    if (va >> arm_pa_bits(w->c) && !w->a32) {
        return arm_walk_fail(w, FAULT_ADDRESS_SIZE, 0);
    }
    page->pa = va & ~0xfffull;
    page->prot = TLB_PROT_READ | TLB_PROT_WRITE | TLB_PROT_EXEC;
    page->page_bits = 12;
    page->global = true;
    page->mair = w->access == ACCESS_FETCH ? 0xbb : 0;
    return true;
}

static unsigned regime_of(const ArmCpu *c, unsigned mmu_idx)
{
    switch (mmu_idx) {
    case MMU_EL0:
        return arm_regime_el(c, 0);
    case MMU_EL2:
    case MMU_EL2_PAN:
        return 2;
    case MMU_EL3:
        return c->aarch64_prop ? 3 : 1;
    default:
        return 1;
    }
}

bool arm_page_walk(ArmCpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx, bool debug,
                   ArmPage *page, ArmFault *f)
{
    ArmWalk w = {
        .c = c,
        .va = va,
        .access = access,
        .debug = debug,
        .user = mmu_idx == MMU_EL0,
        .regime = regime_of(c, mmu_idx),
        .pan = (mmu_idx == MMU_EL1_PAN || mmu_idx == MMU_EL2_PAN) && access != ACCESS_FETCH,
        .fault = f,
    };
    uint64_t hcr = arm_hcr(c);
    bool ok;

    memset(page, 0, sizeof(*page));
    memset(f, 0, sizeof(*f));
    f->stage = 1;
    w.attrs = (MemAttrs){.is_cpu = 1, .cpu_index = c->cpu.index, .user = w.user,
                         .secure = c->has_el3 && (mmu_idx == MMU_EL3 || arm_secure_below_el3(c))};
    page->attrs = w.attrs;
    w.big = c->sctlr[w.regime] & SCTLR_EE;
    w.a32 = !arm_el_is_a64(c, w.regime);
    w.stage2_on = w.regime == 1 && hcr & (HCR_VM | HCR_DC);
    bool on = c->sctlr[w.regime] & SCTLR_M && !(w.regime == 1 && hcr & (HCR_DC | HCR_TGE));

    rcu_read_lock();
    if (!on) {
        ok = flat(&w, page);
    } else if (w.a32) {
        ok = arm_walk_a32(&w, page);
    } else {
        ok = stage1_walk(&w, page);
    }
    if (ok && w.stage2_on && hcr & HCR_VM) {
        ArmPage p2;
        hwaddr ipa = page->pa;

        ok = stage2_translate(&w, ipa | (va & 0xfff), access, false, &p2);
        if (ok) {
            page->pa = p2.pa;
            page->prot &= p2.prot;
            page->page_bits = MIN(page->page_bits, p2.page_bits);
        }
    }
    rcu_read_unlock();
    return ok;
}

/* ---- the TLB ---- */

uint32_t arm_fault_esr_code(const ArmFault *f)
{
    return f->type >= FAULT_ALIGNMENT && f->type != FAULT_DOMAIN ? f->type
           : f->type == FAULT_EXTERNAL                           ? 0x10
                                                                 : f->type | f->level;
}

void arm_raise_fault(ArmCpu *c, const ArmFault *f, uint64_t va, MmuAccess access, uintptr_t host_pc)
{
    unsigned el = arm_el(c), target = f->stage == 2 ? 2 : arm_default_el(c);
    bool fetch = access == ACCESS_FETCH;
    uint32_t iss =
        arm_fault_esr_code(f) | (access == ACCESS_STORE ? 1 << 6 : 0) | (f->s1ptw ? 1 << 7 : 0) |
        (f->maintenance ? 1 << 8 : 0);

    c->exc.va = va;
    c->exc.has_va = true;
    c->exc.has_ipa = f->stage == 2;
    c->exc.ipa = f->ipa;
    c->exc.fsr = arm_fault_fsr(c, f, target) | (access == ACCESS_STORE ? 1 << 11 : 0) |
                 (f->maintenance ? 1 << 13 : 0);
    if (fetch) {
        iss &= ~(uint32_t)(1 << 6);
    } else if (f->stage == 2 && !f->s1ptw) {
        cpu_restore_state(&c->cpu, host_pc);
        host_pc = 0;
        iss |= arm_access_syndrome(c);
    }
    log_mask(LOG_MMU, "fault at %#" PRIx64 ", access %d, ISS %#x\n", va, access, iss);
    arm_raise(c, fetch ? ARM_EXC_PREFETCH : ARM_EXC_DATA,
              esr(fetch         ? (el < target ? EC_PREFETCH_LOW : EC_PREFETCH)
                  : el < target ? EC_DATA_LOW
                                : EC_DATA,
                  iss),
              target, host_pc);
}

bool arm_tlb_fill(Cpu *cpu, uint64_t va, unsigned size, MmuAccess access, unsigned mmu_idx,
                  bool probe, uintptr_t host_pc)
{
    ArmCpu *c = ARM(cpu);
    ArmPage page;
    ArmFault f = {0};

    if (arm_has(c, FEATURE_M)) {
        return arm_m_tlb_fill(c, (uint32_t)va, access, mmu_idx, probe, host_pc);
    }
    if (arm_page_walk(c, va, access, mmu_idx, false, &page, &f)) {
        uint64_t tag = va >> 56;

        if (page.guarded && access == ACCESS_FETCH && !c->guarded_seen) {
            c->guarded_seen = true;
            if (!probe) {       /* this code's translation has to be another */
                cpu_raise(cpu, CPU_EXC_YIELD, host_pc);
            }
        }
        if (tag != 0 && tag != 0xff) {
            c->tagged_seen = true;
        }
        /*
         * a page that is not dirty yet is entered without write access unless it was just made so
         */
        tlb_set(cpu, mmu_idx, va & ~0xfffull, page.pa, page.attrs,
                page.prot | (page.tagged ? TLB_PROT_TARGET : 0), page.page_bits, page.global);
        return true;
    }
    if (probe) {
        return false;
    }
    arm_raise_fault(c, &f, va, access, host_pc);
}

void arm_unaligned(Cpu *cpu, uint64_t va, MmuAccess access, unsigned mmu_idx, uintptr_t host_pc)
{
    ArmFault f = {.type = FAULT_ALIGNMENT, .stage = 1};

    if (arm_has(ARM(cpu), FEATURE_M)) {
        arm_m_fault(ARM(cpu), M_USAGE, CFSR_UNALIGNED, NULL, host_pc);
    }
    arm_raise_fault(ARM(cpu), &f, va, access, host_pc);
}

void arm_bus_error(Cpu *cpu, hwaddr pa, uint64_t va, MmuAccess access, uintptr_t host_pc)
{
    ArmFault f = {.type = FAULT_EXTERNAL, .stage = 1};

    if (arm_has(ARM(cpu), FEATURE_M)) {
        arm_m_bus_error(ARM(cpu), (uint32_t)va, access, host_pc);
    }
    arm_raise_fault(ARM(cpu), &f, va, access, host_pc);
}

unsigned arm_mmu_index_hook(Cpu *cpu, bool fetch)
{
    unsigned i = arm_mmu_index(ARM(cpu));

    if (arm_has(ARM(cpu), FEATURE_M)) {
        return i;
    }
    return fetch && i == MMU_EL1_PAN ? MMU_EL1 : fetch && i == MMU_EL2_PAN ? MMU_EL2 : i;
}

bool arm_page_is_ram(ArmCpu *c, const ArmPage *page)
{
    rcu_read_lock();
    bool ram = entry_host(c, page->pa, page->attrs) != NULL;

    rcu_read_unlock();
    return ram;
}

bool arm_guarded(ArmCpu *c, uint64_t va)
{
    ArmPage page;
    ArmFault f = {0};

    return arm_page_walk(c, va, ACCESS_FETCH, arm_mmu_index_hook(&c->cpu, true), true, &page, &f) &&
           page.guarded;
}

unsigned arm_resolve_btype(ArmCpu *c)
{
    unsigned type = c->pstate >> PSTATE_BTYPE_SHIFT & 3;

    if (type == 3 && !(c->bti_source & 1) && !arm_guarded(c, c->bti_source)) {
        type = 1;
        c->pstate ^= 2u << PSTATE_BTYPE_SHIFT;
    }
    c->bti_source |= 1;
    return type;
}

bool arm_debug_translate(Cpu *cpu, uint64_t va, hwaddr *pa, MemAttrs *attrs)
{
    ArmPage page;
    ArmFault f = {0};

    if (arm_has(ARM(cpu), FEATURE_M)) {
        *pa = (uint32_t)va;
        *attrs =
            (MemAttrs){.is_cpu = 1, .cpu_index = cpu->index & 0x1fff, .secure = ARM(cpu)->m.secure};
        return true;
    }
    if (!arm_page_walk(ARM(cpu), va, ACCESS_LOAD, arm_mmu_index(ARM(cpu)), true, &page, &f)) {
        return false;
    }
    *pa = page.pa | (va & 0xfff);
    *attrs = page.attrs;
    return true;
}

uint64_t arm_address_translate(ArmCpu *c, uint64_t va, MmuAccess access, unsigned mmu_idx,
                               unsigned stages)
{
    uint64_t saved = c->hcr;
    ArmPage page;
    ArmFault f = {0};
    bool ok;

    if (stages == 1) {
        c->hcr &= ~HCR_VM;      /* stage 1 only; tables are then read as if stage 2 were flat */
    }
    ok = arm_page_walk(c, va, access, mmu_idx, false, &page, &f);
    c->hcr = saved;
    if (!ok && f.type == FAULT_EXTERNAL_WALK) {
        /* D8.15: a Data Abort, as of a cache operation */
        f.maintenance = true;
        arm_raise_fault(c, &f, va, ACCESS_STORE, c->cpu.mem_host_pc);
    }
    if (ok) {
        return (page.pa & 0x0000fffffffff000ull) | (uint64_t)page.mair << 56 | 1 << 11 |
               (uint64_t)page.sh << 7 | (page.attrs.secure ? 0 : 1 << 9);
    }
    return 1 | arm_fault_esr_code(&f) << 1 | (f.stage == 2 ? 1 << 9 : 0) | (f.s1ptw ? 1 << 8 : 0) |
           1 << 11;
}
