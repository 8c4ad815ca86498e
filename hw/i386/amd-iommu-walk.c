// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of the AMD IOMMU (specification 48882, 2.2): the device table, host page tables of up to
 * six levels with pages of any power of two, and interrupt tables with entries of 32 and 128 bits.
 * Everything read here comes from the guest.
 */
#include "amd-iommu.h"

#define ADDRESS_BITS 0x000ffffffffff000ull
#define INTERRUPT_TABLE_BITS 0x000fffffffffffc0ull
#define DTE_BYTES 32
#define MAX_LEVELS 6
enum {
    DTE_VALID = 1,
    DTE_TRANSLATION = 2
};
#define RIGHT_READ (1ull << 61)
#define RIGHT_WRITE (1ull << 62)
enum {
    NEXT_PAGE = 0,
    NEXT_SIZED = 7
};
/* Of the third word. */
enum {
    IR_VALID = 1,
    IR_IGNORE = 0x20
};
#define IR_INIT_PASS (1ull << 56)
#define IR_EXTINT_PASS (1ull << 57)
#define IR_NMI_PASS (1ull << 58)
enum {
    IR_CONTROL_ABORT = 0,
    IR_CONTROL_PASS = 1,
    IR_CONTROL_REMAP = 2
};
enum {
    MODE_FIXED = 0,
    MODE_LOWEST = 1,
    MODE_SMI = 2,
    MODE_NMI = 4,
    MODE_INIT = 5,
    MODE_EXTINT = 7
};

static AmdviFault fault(uint8_t code, uint16_t flags)
{
    return (AmdviFault){.code = code, .flags = flags};
}

AmdviFault amdvi_load_dte(Amdvi *s, uint16_t source, uint64_t dte[4])
{
    uint64_t size = ((s->devtab & 0x1ff) + 1) << 12;

    memset(dte, 0, 4 * sizeof(dte[0]));
    if (source * (uint64_t)DTE_BYTES >= size) {
        return fault(AMDVI_EV_ILLEGAL_DTE, 0);
    }
    if (!x86_iommu_load(&s->iommu, (s->devtab & ADDRESS_BITS) + source * (uint64_t)DTE_BYTES, dte,
                        4)) {
        return fault(AMDVI_EV_DTE_HARDWARE, 0);
    }
    return fault(0, 0);
}

/* A page of 1 << shift bytes (shift up to 63). */
static AmdviFault page_found(uint64_t pte, uint64_t rights, unsigned shift, uint64_t iova,
                             bool write, X86IommuEntry *e)
{
    if (!(rights & (write ? RIGHT_WRITE : RIGHT_READ))) {
        return fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_PRESENT | AMDVI_FLAG_RIGHTS);
    }
    e->mask = (1ull << shift) - 1;
    e->page = iova & ~e->mask;
    e->translated = pte & ADDRESS_BITS & ~e->mask;
    e->read = rights & RIGHT_READ;
    e->write = rights & RIGHT_WRITE;
    return fault(0, 0);
}

/* 2.2.3: a size is what the address' lowest 0 bit says. */
static unsigned sized_shift(uint64_t pte)
{
    uint64_t address = (pte & ADDRESS_BITS) | X86_IOMMU_PAGE;

    return MIN((unsigned)__builtin_ctzll(~address) + 1, 63u);
}

/* Untranslated as far as the entry's rights go: the page seen is the page meant. */
static AmdviFault pass(uint64_t rights, uint64_t iova, bool write, X86IommuEntry *e)
{
    AmdviFault f = page_found(0, rights, 12, iova, write, e);

    e->translated = e->page;
    return f;
}

AmdviFault amdvi_walk(Amdvi *s, const uint64_t dte[4], uint64_t iova, bool write, X86IommuEntry *e)
{
    uint64_t rights = dte[0], table = dte[0] & ADDRESS_BITS, pte;
    unsigned level = dte[0] >> 9 & 7;

    if (!(dte[0] & DTE_VALID)) {
        return pass(RIGHT_READ | RIGHT_WRITE, iova, write, e);
    }
    if (!(dte[0] & DTE_TRANSLATION)) {
        return fault(AMDVI_EV_PAGE_FAULT, 0);
    }
    if (level == 0) {
        return pass(rights, iova, write, e);
    }
    if (level > MAX_LEVELS) {
        return fault(AMDVI_EV_ILLEGAL_DTE, 0);
    }
    if (level < MAX_LEVELS && iova >> (12 + 9 * level)) {
        return fault(AMDVI_EV_PAGE_FAULT, 0);
    }
    for (;;) {
        unsigned shift = 12 + 9 * (level - 1);

        if (!x86_iommu_load(&s->iommu, table + (iova >> shift & 0x1ff) * 8, &pte, 1)) {
            return fault(AMDVI_EV_TABLE_HARDWARE, 0);
        }
        if (!(pte & 1)) {
            return fault(AMDVI_EV_PAGE_FAULT, 0);
        }
        rights &= pte;
        unsigned next = pte >> 9 & 7;

        if (next == NEXT_PAGE || next == NEXT_SIZED) {
            return page_found(pte, rights, next == NEXT_PAGE ? shift : sized_shift(pte), iova,
                              write, e);
        }
        /* Levels may be left out where the address has zeros. */
        if (next >= level || (iova >> (12 + 9 * next) & ((1ull << 9 * (level - 1 - next)) - 1))) {
            return fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_PRESENT);
        }
        level = next;
        table = pte & ADDRESS_BITS;
    }
}

/* ---- interrupts, 2.2.5 ---- */

static AmdviFault look_up(Amdvi *s, const uint64_t dte[4], uint32_t data, bool *quiet,
                          X86Interrupt *out)
{
    bool wide = s->control & AMDVI_CONTROL_GA;
    uint64_t table = dte[2] & INTERRUPT_TABLE_BITS, e[2];
    uint32_t index = data & 0x7ff, entries = 1u << MIN(dte[2] >> 1 & 15, 11);
    /* 32-bit entries are read with their neighbour. */
    uint64_t at = wide ? table + index * 16ull : table + (index & ~1u) * 4ull;

    if (index >= entries) {
        return fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_INTERRUPT);
    }
    if (!x86_iommu_load(&s->iommu, at, e, wide ? 2 : 1)) {
        return fault(AMDVI_EV_TABLE_HARDWARE, AMDVI_FLAG_INTERRUPT);
    }
    uint32_t low = (uint32_t)(wide || !(index & 1) ? e[0] : e[0] >> 32);

    *quiet |= low >> 1 & 1;
    if (!(low & 1)) {
        return fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_INTERRUPT);
    }
    if (wide && (low & 0x80)) { /* for guests of the guest: not offered */
        return fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_INTERRUPT | AMDVI_FLAG_PRESENT);
    }
    *out = (X86Interrupt){
        .dest = wide ? low >> 8 | (uint32_t)(e[1] >> 56) << 24 : low >> 8 & 0xff,
        .logical = low >> 6 & 1,
        .mode = low >> 2 & 7,
        .vector = wide ? e[1] & 0xff : low >> 16 & 0xff,
        .level = data >> 15 & 1,
    };
    return fault(0, 0);
}

/* What becomes of a message by its kind alone. */
static unsigned kind_control(const uint64_t dte[4], unsigned mode)
{
    bool passes = mode == MODE_SMI || (mode == MODE_NMI && (dte[2] & IR_NMI_PASS)) ||
                  (mode == MODE_INIT && (dte[2] & IR_INIT_PASS)) ||
                  (mode == MODE_EXTINT && (dte[2] & IR_EXTINT_PASS));

    if (mode == MODE_FIXED || mode == MODE_LOWEST) {
        return dte[2] >> 60 & 3;
    }
    return passes ? IR_CONTROL_PASS : IR_CONTROL_ABORT;
}

bool amdvi_remap(void *opaque, uint16_t source, uint64_t address, uint32_t data, X86Interrupt *out)
{
    Amdvi *s = opaque;
    uint16_t id = source == X86_IOAPIC_SOURCE ? X86_AMD_IOAPIC_SOURCE : source;
    AmdviFault f = fault(0, 0);
    uint64_t dte[4] = {0};
    bool quiet = false;

    pthread_mutex_lock(&s->lock);
    if (s->remaps && (s->control & AMDVI_CONTROL_ENABLE)) {
        f = amdvi_load_dte(s, id, dte);
    }
    if (f.code == 0 && (dte[2] & IR_VALID)) {
        unsigned control = kind_control(dte, data >> 8 & 7);

        quiet = dte[2] & IR_IGNORE;
        if (control == IR_CONTROL_REMAP) {
            f = look_up(s, dte, data, &quiet, out);
        } else if (control == IR_CONTROL_PASS) {
            *out = x86_message_decode(address, data);
        } else {
            f = fault(AMDVI_EV_PAGE_FAULT, AMDVI_FLAG_INTERRUPT);
        }
    } else if (f.code == 0) {
        *out = x86_message_decode(address, data);
    }
    if (f.code && !quiet) {
        amdvi_event(s, f.code, id, amdvi_domain(dte), f.flags, address);
    }
    pthread_mutex_unlock(&s->lock);
    return f.code == 0;
}
