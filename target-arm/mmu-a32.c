// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation of AArch32 regimes: short descriptors with domains (G5.4), and LPAE's long ones by
 * the walker of mmu.c.
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

static bool short_fail(ArmWalk *w, unsigned type, const Short *d)
{
    w->fault->domain = d->domain;
    w->fault->domain_valid = true;
    return arm_walk_fail(w, type, d->level);
}

static bool walk_short(ArmWalk *w, ArmPage *page)
{
    ArmCpu *c = w->c;
    uint32_t va = (uint32_t)w->va, ttbcr = (uint32_t)c->tcr[w->regime], n = ttbcr & 7;
    bool second = n && va >> (32 - n), afe = c->sctlr[w->regime] & SCTLR_AFE;
    hwaddr base = second ? c->ttbr1[w->regime] & 0xffffc000
                         : c->ttbr0[w->regime] & ~((1ull << (14 - n)) - 1) & UINT32_MAX;
    Short d = {.level = 1};
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
    if (d.desc & 2) {
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
    page->prot = short_rights(w, &d, afe);
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
