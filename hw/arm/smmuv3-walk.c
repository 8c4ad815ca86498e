// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation of the SMMUv3 (ARM IHI 0070E, chapters 3 and 5): stream table entry, context
 * descriptor, VMSAv8-64 tables of stage 1 with granules of 4, 16 and 64 KiB. Everything read here
 * comes from the guest.
 */
#include "smmuv3.h"

#define STE_WORDS 8
#define CD_WORDS 8
#define OUTPUT_BITS 44

static bool load(Smmu *s, uint64_t address, uint64_t *words, unsigned n)
{
    if (!dma_read(&s->dev, address, words, n * 8)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = GUINT64_FROM_LE(words[i]);
    }
    return true;
}

static bool faulted(SmmuFault *f, uint8_t type)
{
    f->type = type;
    return false;
}

/* 3.3.1: linear or two-level stream table. */
static bool find_ste(Smmu *s, uint32_t id, uint64_t *at, SmmuFault *f)
{
    unsigned log2 = MIN(s->strtab_cfg & 0x3f, 16), split = s->strtab_cfg >> 6 & 0x1f;
    uint64_t base = s->strtab_base & 0x000fffffffffffc0ull, l1;

    if (id >= 1u << log2) {
        return faulted(f, SMMU_C_BAD_STREAMID);
    }
    if ((s->strtab_cfg >> 16 & 3) == 0) {
        *at = (base & ~((64ull << log2) - 1)) + id * 64ull;
        return true;
    }
    if (split != 6 && split != 8 && split != 10) {
        return faulted(f, SMMU_C_BAD_STREAMID);
    }
    if (!load(s, base + (id >> split) * 8ull, &l1, 1)) {
        return faulted(f, SMMU_F_STE_FETCH);
    }
    unsigned span = l1 & 0x1f;

    if (span == 0 || span > 12 || (id & ((1u << split) - 1)) >= 1u << (span - 1)) {
        return faulted(f, SMMU_C_BAD_STREAMID);
    }
    *at = (l1 & 0x000fffffffffffc0ull) + (id & ((1u << split) - 1)) * 64ull;
    return true;
}

static bool granule(unsigned tg, bool second, uint8_t *bits)
{
    static const uint8_t tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };

    *bits = (second ? tg1 : tg0)[tg & 3];
    return *bits != 0;
}

/* 5.4 */
static bool parse_cd(SmmuConfig *c, const uint64_t cd[CD_WORDS])
{
    static const uint8_t sizes[] = { 32, 36, 40, 42, 44, 48, 52, 52 };
    uint32_t w0 = cd[0], w1 = cd[0] >> 32;

    c->aa64 = w1 >> 9 & 1;
    if (!(w0 >> 31) || !c->aa64 || (w0 >> 15 & 1)) {
        return false;
    }
    c->output_bits = MIN(sizes[w1 & 7], OUTPUT_BITS);
    c->affd = w1 >> 3 & 1;
    c->wxn = w1 >> 4 & 1;
    c->record = w1 >> 13 & 1;
    c->asid = w1 >> 16;
    for (unsigned i = 0; i < 2; i++) {
        unsigned tsz = w0 >> (i ? 16 : 0) & 0x3f;

        c->tt[i].disabled = w0 >> (i ? 30 : 14) & 1;
        c->tt[i].tbi = w1 >> (6 + i) & 1;
        c->tt[i].base = cd[1 + i] & 0x000ffffffffffff0ull;
        c->tt[i].hierarchical_off = cd[1 + i] >> 60 & 1;
        c->tt[i].size_bits = 64 - tsz;
        if (c->tt[i].disabled) {
            continue;
        }
        if (tsz < 16 || tsz > 39 || !granule(w0 >> (i ? 22 : 6), i, &c->tt[i].page_bits)) {
            return false;
        }
    }
    return true;
}

static bool load_cd(Smmu *s, SmmuConfig *c, const uint64_t *ste, SmmuFault *f)
{
    uint64_t cd[CD_WORDS], at = ste[0] & 0x000fffffffffffc0ull;
    unsigned max = ste[0] >> 59, format = ste[0] >> 4 & 3;

    f->class_ = 0;
    /* No substreams in requests: descriptor 0, unless the table has levels. */
    if (max && format != 0) {
        uint64_t l1;

        if (!load(s, at, &l1, 1)) {
            return faulted(f, SMMU_F_CD_FETCH);
        }
        if (!(l1 & 1)) {
            return faulted(f, SMMU_C_BAD_CD);
        }
        at = l1 & 0x000ffffffffff000ull;
    }
    if (!load(s, at, cd, CD_WORDS)) {
        return faulted(f, SMMU_F_CD_FETCH);
    }
    return parse_cd(c, cd) || faulted(f, SMMU_C_BAD_CD);
}

bool smmu_load_config(Smmu *s, SmmuStream *t, SmmuFault *f)
{
    uint64_t ste[STE_WORDS], at;
    SmmuConfig c = { .valid = true };

    if (!find_ste(s, t->id, &at, f)) {
        return false;
    }
    if (!load(s, at, ste, STE_WORDS)) {
        return faulted(f, SMMU_F_STE_FETCH);
    }
    if (!(ste[0] & 1)) {
        return faulted(f, SMMU_C_BAD_STE);
    }
    switch (ste[0] >> 1 & 7) {
    case 0:
        c.abort = true;
        break;
    case 4:
        c.bypass = true;
        break;
    case 5:
        /* With substreams, requests without one may bypass or abort (S1DSS). */
        if (ste[0] >> 59 && (ste[1] & 3) != 2) {
            c.bypass = (ste[1] & 3) == 1;
            c.abort = !c.bypass;
            break;
        }
        c.stage1 = true;
        if (!load_cd(s, &c, ste, f)) {
            return false;
        }
        break;
    default:
        return faulted(f, SMMU_C_BAD_STE);
    }
    t->config = c;
    return true;
}

/* ---- VMSAv8-64 ---- */

typedef struct Walk {
    unsigned page_bits, stride, level;
    uint64_t table;
    bool read_only;              /* by APTable */
} Walk;

static bool start_walk(const SmmuConfig *c, uint64_t iova, Walk *w, unsigned *which)
{
    *which = iova >> 55 & 1;
    unsigned bits = c->tt[*which].size_bits;
    uint64_t top = c->tt[*which].tbi ? iova << 8 >> 8 >> bits : iova >> bits;
    uint64_t ones = (c->tt[*which].tbi ? UINT64_MAX >> 8 : UINT64_MAX) >> bits;

    if (c->tt[*which].disabled || top != (*which ? ones : 0)) {
        return false;
    }
    w->page_bits = c->tt[*which].page_bits;
    w->stride = w->page_bits - 3;
    w->level = 4 - (bits - w->page_bits + w->stride - 1) / w->stride;
    w->table = c->tt[*which].base;
    /* The first table may be smaller than a page. */
    unsigned used = bits - (w->page_bits + w->stride * (3 - w->level));

    w->table &= ~((8ull << used) - 1);
    w->read_only = false;
    return true;
}

static bool check_leaf(const SmmuConfig *c, const Walk *w, uint64_t d, bool write, SmmuEntry *e,
                       SmmuFault *f)
{
    if (!(d >> 10 & 1) && !c->affd) {
        return faulted(f, SMMU_F_ACCESS);
    }
    e->read = true;
    e->write = !(d >> 7 & 1) && !w->read_only;
    return !write || e->write || faulted(f, SMMU_F_PERMISSION);
}

static bool is_leaf(const Walk *w, uint64_t d)
{
    if (w->level == 3) {
        return (d & 3) == 3;
    }
    return (d & 3) == 1 && (w->level == 2 || (w->level == 1 && w->page_bits == 12));
}

bool smmu_walk(Smmu *s, SmmuStream *t, uint64_t iova, bool write, SmmuEntry *e, SmmuFault *f)
{
    const SmmuConfig *c = &t->config;
    unsigned which;
    Walk w;

    f->class_ = 2;
    if (!start_walk(c, iova, &w, &which)) {
        return faulted(f, SMMU_F_TRANSLATION);
    }
    uint64_t va = iova & (UINT64_MAX >> (64 - c->tt[which].size_bits));

    for (; w.level < 4; w.level++) {
        unsigned shift = w.page_bits + w.stride * (3 - w.level);
        uint64_t index = va >> shift & ((1ull << w.stride) - 1);
        uint64_t d, out_mask = (1ull << c->output_bits) - 1;

        if (!load(s, w.table + index * 8, &d, 1)) {
            f->class_ = 1;
            return faulted(f, SMMU_F_WALK_EABT);
        }
        if (!(d & 1)) {
            return faulted(f, SMMU_F_TRANSLATION);
        }
        uint64_t address = d & 0x0000fffffffff000ull & ~((1ull << w.page_bits) - 1);

        if (address & ~out_mask) {
            return faulted(f, SMMU_F_ADDR_SIZE);
        }
        if (is_leaf(&w, d)) {
            e->mask = (1ull << shift) - 1;
            e->page = iova & ~e->mask;
            e->translated = address & ~e->mask;
            return check_leaf(c, &w, d, write, e, f);
        }
        if ((d & 3) != 3 || w.level == 3) {
            return faulted(f, SMMU_F_TRANSLATION);
        }
        w.read_only |= !c->tt[which].hierarchical_off && (d >> 62 & 1);
        w.table = address;
    }
    return faulted(f, SMMU_F_TRANSLATION);
}
