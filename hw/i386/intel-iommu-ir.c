// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt remapping (VT-d 3.4, chapter 5): messages of I/O APICs and functions become interrupts
 * by the entry of a table that they name. Left out: posted interrupts.
 */
#include "intel-iommu.h"

#define TABLE_ADDRESS 0xfffffffffffff000ull
#define TABLE_EXTENDED (1u << 11)
enum { VERIFY_SOURCE = 1, VERIFY_BUS = 2 };

/* 9.9, SVT and SQ */
static bool source_ok(uint64_t high, uint16_t source)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };
    uint16_t want = high;

    switch (high >> 18 & 3) {
    case 0:
        return true;
    case VERIFY_SOURCE:
        return ((want ^ source) & ~ignored[high >> 16 & 3]) == 0;
    case VERIFY_BUS:
        return source >> 8 >= want >> 8 && source >> 8 <= (want & 0xff);
    default:
        return false;
    }
}

static uint8_t look_up(Vtd *s, uint16_t source, uint32_t index, bool *quiet, X86Interrupt *out)
{
    uint32_t entries = 2u << (s->remap_table & 15);
    uint64_t e[2];

    if (index >= entries) {
        return VTD_FR_IR_INDEX;
    }
    if (!vtd_load(s, (s->remap_table & TABLE_ADDRESS) + index * 16ull, e, 2)) {
        return VTD_FR_IR_ACCESS;
    }
    *quiet = e[0] & 2;
    if (!(e[0] & 1)) {
        return VTD_FR_IR_ABSENT;
    }
    if ((e[0] & 0xff008000ull) || e[1] >> 20) {
        return VTD_FR_IRTE_RESERVED;
    }
    if (!source_ok(e[1], source)) {
        return VTD_FR_IR_SOURCE;
    }
    uint32_t dest = e[0] >> 32;

    *out = (X86Interrupt){
        .dest = s->remap_table & TABLE_EXTENDED ? dest : dest >> 8 & 0xff,
        .logical = e[0] >> 2 & 1,
        .level = e[0] >> 4 & 1,
        .mode = e[0] >> 5 & 7,
        .vector = e[0] >> 16,
    };
    return 0;
}

bool vtd_remap(void *opaque, uint16_t source, uint64_t address, uint32_t data, X86Interrupt *out)
{
    Vtd *s = opaque;
    bool remappable = address >> 4 & 1, quiet = false;
    uint32_t index = (address >> 5 & 0x7fff) | (address >> 2 & 1) << 15;
    uint8_t reason = 0;

    pthread_mutex_lock(&s->lock);
    if (!(s->gsts & VTD_GSTS_IRES)) {
        *out = x86_message_decode(address, data);
    } else if (remappable) {
        index += address >> 3 & 1 ? data & 0xffff : 0;
        reason = look_up(s, source, index, &quiet, out);
    } else if ((s->gsts & VTD_GSTS_CFIS) && !(s->remap_table & TABLE_EXTENDED)) {
        *out = x86_message_decode(address, data);
    } else {
        reason = VTD_FR_IR_COMPAT;
        index = 0;
    }
    if (reason && !quiet) {
        /* The index stands where a page's address would. */
        vtd_fault(s, source, (uint64_t)index << 48, reason, true);
    }
    pthread_mutex_unlock(&s->lock);
    return reason == 0;
}
