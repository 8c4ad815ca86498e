// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation of DMA (VT-d 3.4, chapters 3 and 9): root and context tables, legacy and scalable,
 * and second-level page tables of three or four levels. Everything read here comes from the guest.
 */
#include "intel-iommu.h"

#define ADDRESS_BITS 0x000ffffffffff000ull
enum { TT_UNTRANSLATED = 0, TT_DEVICE = 1, TT_PASS = 2 };
enum { PGTT_SECOND = 2, PGTT_PASS = 4 };

/* 3 or 4 levels, of those that CAP.SAGAW lists. */
static bool width_ok(const Vtd *s, unsigned aw)
{
    return s->dma_translation && (aw == 1 || (aw == 2 && s->aw_bits == 48));
}

/* 9.3 */
static uint8_t parse_context(const Vtd *s, const uint64_t w[2], VtdContext *c)
{
    unsigned type = w[0] >> 2 & 3, aw = w[1] & 7;

    if (!(w[0] & 1)) {
        return VTD_FR_CONTEXT_ABSENT;
    }
    c->quiet = w[0] & 2;
    if ((type == TT_DEVICE && !s->device_iotlb) || (type == TT_PASS && !s->pass_through) ||
        type == 3 || !width_ok(s, aw)) {
        return VTD_FR_CONTEXT_INVALID;
    }
    c->pass = type == TT_PASS;
    c->levels = aw + 2;
    c->domain = w[1] >> 8;
    c->table = w[0] & ADDRESS_BITS;
    return 0;
}

/* 9.4 to 9.6: requests without a PASID use the context's RID_PASID. */
static uint8_t scalable_context(Vtd *s, uint64_t at, VtdContext *c)
{
    uint64_t w[4], dir, p[8];

    if (!vtd_load(s, at, w, 4)) {
        return VTD_FR_CONTEXT_ACCESS;
    }
    if (!(w[0] & 1)) {
        return VTD_FR_CONTEXT_ABSENT;
    }
    c->quiet = w[0] & 2;
    uint32_t pasid = w[1] & 0xfffff;

    if (pasid >> 6 >= 1u << ((w[0] >> 9 & 7) + 7)) {
        return VTD_FR_CONTEXT_INVALID;
    }
    if (!vtd_load(s, (w[0] & ADDRESS_BITS) + (pasid >> 6) * 8ull, &dir, 1)) {
        return VTD_FR_PASID_DIR_ACCESS;
    }
    if (!(dir & 1)) {
        return VTD_FR_PASID_DIR_ABSENT;
    }
    if (!vtd_load(s, (dir & ADDRESS_BITS) + (pasid & 63) * 64ull, p, 8)) {
        return VTD_FR_PASID_ACCESS;
    }
    if (!(p[0] & 1)) {
        return VTD_FR_PASID_ABSENT;
    }
    unsigned type = p[0] >> 6 & 7, aw = p[0] >> 2 & 7;

    c->quiet |= p[0] >> 1 & 1;
    c->pass = type == PGTT_PASS && s->pass_through;
    if (!c->pass && (type != PGTT_SECOND || !width_ok(s, aw))) {
        return VTD_FR_PASID_INVALID;
    }
    c->levels = aw + 2;
    c->domain = p[1];
    c->table = p[0] & ADDRESS_BITS;
    return 0;
}

uint8_t vtd_load_context(Vtd *s, uint16_t source, VtdContext *c)
{
    unsigned bus = source >> 8, function = source & 0xff;
    bool scalable = s->scalable && (s->root_table >> 10 & 3) == 1;
    uint64_t root[2], w[2];

    *c = (VtdContext){ 0 };
    if (!vtd_load(s, (s->root_table & ADDRESS_BITS) + bus * 16ull, root, 2)) {
        return VTD_FR_ROOT_ACCESS;
    }
    uint64_t half = scalable && function >= 0x80 ? root[1] : root[0];

    if (!(half & 1)) {
        return VTD_FR_ROOT_ABSENT;
    }
    if ((half & 0xffe) || (!scalable && root[1])) {
        return VTD_FR_ROOT_RESERVED;
    }
    uint8_t reason;

    if (scalable) {
        reason = scalable_context(s, (half & ADDRESS_BITS) + (function & 0x7f) * 32ull, c);
    } else if (!vtd_load(s, (half & ADDRESS_BITS) + function * 16ull, w, 2)) {
        reason = VTD_FR_CONTEXT_ACCESS;
    } else {
        reason = parse_context(s, w, c);
    }
    c->valid = reason == 0;
    return reason;
}

/* 3.7: a page's rights are those of all levels together. */
uint8_t vtd_walk(Vtd *s, const VtdContext *c, uint64_t iova, bool write, VtdEntry *e)
{
    unsigned bits = MIN(12 + 9 * c->levels, s->aw_bits);
    uint64_t table = c->table, d, rights = 3;

    if (iova >> bits) {
        return VTD_FR_BEYOND;
    }
    for (unsigned level = c->levels; level > 0; level--) {
        unsigned shift = 12 + 9 * (level - 1);

        if (!vtd_load(s, table + (iova >> shift & 0x1ff) * 8, &d, 1)) {
            return VTD_FR_TABLE_ACCESS;
        }
        rights &= d;
        if (!(rights & (write ? 2 : 1))) {
            return write ? VTD_FR_WRITE : VTD_FR_READ;
        }
        bool large = level > 1 && (d & 0x80);

        if (large && level > 3) {
            return VTD_FR_PAGE_RESERVED;
        }
        if (level == 1 || large) {
            e->mask = (1ull << shift) - 1;
            e->page = iova & ~e->mask;
            e->translated = d & ADDRESS_BITS & ~e->mask;
            e->read = rights & 1;
            e->write = rights & 2;
            return 0;
        }
        table = d & ADDRESS_BITS;
    }
    return VTD_FR_PAGE_RESERVED;
}
