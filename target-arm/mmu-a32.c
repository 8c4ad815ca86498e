// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation of AArch32 regimes: short descriptors with domains (G5.4), and LPAE's long ones by
 * the walker of mmu.c; the form of short descriptors before ARMv6, which ARMv6 still has with
 * SCTLR.XP clear (DDI 0100I, B4.7): subpages with rights of their own, fine tables.
 */
#include "target-arm/mmu.h"

typedef struct Short {
    uint32_t desc;
    bool section, super;
    unsigned ap, domain, level;
    bool xn, pxn, ng, ns;
} Short;

/* AP[2:0] (D1.2: with AFE AP[0] is the access flag) into rights. */
static unsigned short_rights(const ArmWalk *w, const Short *d, bool afe)
{
    unsigned ap = d->ap, rw = TLB_PROT_READ | TLB_PROT_WRITE, prot;
    bool user_read;

    if (afe) {
        ap = ap & 4 ? ap & 2 ? 7 : 5 : ap & 2 ? 3 : 1;
    }
    switch (ap) {
    case 0:
        return 0;
    case 1:
        prot = w->user ? 0 : rw;
        break;
    case 2:
        prot = w->user ? TLB_PROT_READ : rw;
        break;
    case 3:
        prot = rw;
        break;
    case 5:
        prot = w->user ? 0 : TLB_PROT_READ;
        break;
    case 6:
    case 7:
        prot = TLB_PROT_READ;
        break;
    default:
        return 0;
    }
    user_read = ap == 2 || ap == 3 || ap >= 6;
    bool wxn = w->c->sctlr[w->regime] & SCTLR_WXN && prot & TLB_PROT_WRITE;

    if (prot && !d->xn && !wxn && !(d->pxn && !w->user)) {
        prot |= TLB_PROT_EXEC;
    }
    if (w->pan && user_read && !w->user) {
        prot &= TLB_PROT_EXEC;
    }
    return prot;
}

/* Rights before v6: two bits, and SCTLR.S and R. */
static unsigned old_rights(const ArmWalk *w, unsigned ap)
{
    unsigned rw = TLB_PROT_READ | TLB_PROT_WRITE, prot;
    uint64_t sctlr = w->c->sctlr[w->regime];

    switch (ap) {
    case 0:
        prot = (sctlr >> 9 & 1) || ((sctlr >> 8 & 1) && !w->user) ? TLB_PROT_READ : 0;
        break;
    case 1:
        prot = w->user ? 0 : rw;
        break;
    case 2:
        prot = w->user ? TLB_PROT_READ : rw;
        break;
    default:
        prot = rw;
        break;
    }
    return prot ? prot | TLB_PROT_EXEC : 0;
}

static bool short_fail(ArmWalk *w, unsigned type, const Short *d)
{
    w->fault->domain = d->domain;
    w->fault->domain_valid = true;
    return arm_walk_fail(w, type, d->level);
}

/*
 * The second level before v6. Tiny pages (of fine tables) must lie where they are in their 4 KiB;
 * elsewhere they are not there.
 */
static bool old_page(ArmWalk *w, ArmPage *page, Short *d, bool fine)
{
    uint32_t va = (uint32_t)w->va;
    hwaddr at = fine ? (d->desc & 0xfffff000) | (va >> 8 & 0xffc)
                     : (d->desc & 0xfffffc00) | (va >> 10 & 0x3fc);
    uint64_t e;
    void *host;

    d->level = 2;
    if (!arm_entry_read(w->c, at, 4, w->attrs, w->big, &e, &host)) {
        return arm_walk_fail(w, FAULT_EXTERNAL_WALK, 2);
    }
    switch (e & 3) {
    case 1:     /* 64 KiB, in four parts */
        d->ap = e >> (4 + 2 * (va >> 14 & 3)) & 3;
        page->page_bits = 14;
        page->pa = (e & 0xffff0000) | (va & 0xc000);
        return true;
    case 2:     /* 4 KiB, in four parts */
        d->ap = e >> (4 + 2 * (va >> 10 & 3)) & 3;
        page->page_bits = (e >> 4 & 0xff) == d->ap * 0x55 ? 12 : 10;
        page->pa = e & 0xfffff000;
        return true;
    case 3:     /* in fine tables 1 KiB, in others v6's 4 KiB with one set of rights */
        d->ap = e >> 4 & 3;
        page->page_bits = fine ? 10 : 12;
        page->pa = e & 0xfffff000;
        if (fine ? ((e ^ va) & 0xc00) == 0 : arm_has(w->c, FEATURE_V6)) {
            return true;
        }
        break;
    default:
        break;
    }
    return short_fail(w, FAULT_TRANSLATION, d);
}

static bool walk_short(ArmWalk *w, ArmPage *page)
{
    ArmCpu *c = w->c;
    uint32_t va = (uint32_t)w->va, ttbcr = (uint32_t)c->tcr[w->regime], n = ttbcr & 7;
    bool second = n && va >> (32 - n), afe = c->sctlr[w->regime] & SCTLR_AFE;
    hwaddr base = second ? c->ttbr1[w->regime] & 0xffffc000
                         : c->ttbr0[w->regime] & ~((1ull << (14 - n)) - 1) & UINT32_MAX;
    Short d = {.level = 1};
    bool old = !arm_has(c, FEATURE_V7) && !(c->sctlr[w->regime] >> 23 & 1);
    uint64_t e;
    void *host;

    if (ttbcr >> (second ? 5 : 4) & 1) {
        return short_fail(w, FAULT_TRANSLATION, &d);
    }
    uint32_t index = second ? va >> 20 : va << n >> n >> 20;

    if (!arm_entry_read(c, base | (hwaddr)index << 2, 4, w->attrs, w->big, &e, &host)) {
        return arm_walk_fail(w, FAULT_EXTERNAL_WALK, 1);
    }
    d.desc = (uint32_t)e;
    if ((d.desc & 3) == 0) {
        return short_fail(w, FAULT_TRANSLATION, &d);
    }
    d.domain = d.desc >> 5 & 15;
    if (old && d.desc & 1) {
        if (d.desc & 2 && arm_has(c, FEATURE_V6)) {
            return short_fail(w, FAULT_TRANSLATION, &d);
        }
        if (!old_page(w, page, &d, d.desc & 2)) {
            return false;
        }
    } else if (old) {
        d.section = true;
        d.ap = d.desc >> 10 & 3;
        page->page_bits = 20;
        page->pa = d.desc & 0xfff00000;
    } else if (d.desc & 2) {
        d.section = true;
        d.super = d.desc >> 18 & 1;
        d.domain = d.super ? 0 : d.domain;
        d.ap = (d.desc >> 10 & 3) | (d.desc >> 13 & 4);
        d.xn = d.desc >> 4 & 1;
        d.pxn = d.desc & 1;
        d.ng = d.desc >> 17 & 1;
        page->page_bits = d.super ? 24 : 20;
        page->pa = d.super ? (d.desc & 0xff000000) | (hwaddr)(d.desc >> 20 & 15) << 32 |
                                 (hwaddr)(d.desc >> 5 & 15) << 36
                           : d.desc & 0xfff00000;
    } else {
        d.level = 2;
        d.pxn = d.desc >> 2 & 1;
        if (!arm_entry_read(c, (d.desc & 0xfffffc00) | (va >> 10 & 0x3fc), 4, w->attrs, w->big, &e,
                            &host)) {
            return arm_walk_fail(w, FAULT_EXTERNAL_WALK, 2);
        }
        if ((e & 3) == 0) {
            return short_fail(w, FAULT_TRANSLATION, &d);
        }
        d.ap = (e >> 4 & 3) | (e >> 7 & 4);
        d.ng = e >> 11 & 1;
        d.xn = (e & 3) == 1 ? e >> 15 & 1 : e & 1;
        page->page_bits = (e & 3) == 1 ? 16 : 12;
        page->pa = e & ((e & 3) == 1 ? 0xffff0000 : 0xfffff000);
    }
    page->pa |= va & ((1ull << page->page_bits) - 1) & ~0xfffull;
    page->global = !d.ng;
    c->global_domains |= page->global ? 3u << (2 * d.domain) : 0;
    unsigned access = (unsigned)(c->dacr >> (2 * d.domain)) & 3;

    if (access == 0 || access == 2) {
        return short_fail(w, FAULT_DOMAIN, &d);
    }
    if (access == 3) {
        page->prot = TLB_PROT_READ | TLB_PROT_WRITE | TLB_PROT_EXEC;
        return true;
    }
    if (afe && !(d.ap & 1)) {
        return short_fail(w, FAULT_ACCESS, &d);
    }
    page->prot = old ? old_rights(w, d.ap) : short_rights(w, &d, afe);
    if (!w->debug && !(page->prot & (w->access == ACCESS_LOAD    ? TLB_PROT_READ
                                     : w->access == ACCESS_STORE ? TLB_PROT_WRITE
                                                                 : TLB_PROT_EXEC))) {
        return short_fail(w, FAULT_PERMISSION, &d);
    }
    return true;
}

bool arm_walk_a32(ArmWalk *w, ArmPage *page)
{
    if (w->regime == 2 || (arm_has(w->c, FEATURE_LPAE) && w->c->tcr[w->regime] >> 31 & 1)) {
        return arm_walk_long32(w, page);
    }
    return walk_short(w, page);
}
