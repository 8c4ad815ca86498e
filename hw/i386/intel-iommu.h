// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The DMA remapping unit: registers and queues in intel-iommu.c, tables in intel-iommu-walk.c,
 * interrupts in intel-iommu-ir.c.
 */
#ifndef HW_I386_INTEL_IOMMU_H
#define HW_I386_INTEL_IOMMU_H

#include <pthread.h>
#include "exec/bank.h"
#include "hw/i386/pc.h"
#include "hw/i386/x86-iommu.h"
#include "util/main-loop.h"

#define VTD_PAGE X86_IOMMU_PAGE

/* Fault reasons (VT-d 3.4, table 27 and 5.1.4.1). */
enum {
    VTD_FR_ROOT_ABSENT = 0x01,
    VTD_FR_CONTEXT_ABSENT = 0x02,
    VTD_FR_CONTEXT_INVALID = 0x03,
    VTD_FR_BEYOND = 0x04,
    VTD_FR_WRITE = 0x05,
    VTD_FR_READ = 0x06,
    VTD_FR_TABLE_ACCESS = 0x07,
    VTD_FR_ROOT_ACCESS = 0x08,
    VTD_FR_CONTEXT_ACCESS = 0x09,
    VTD_FR_ROOT_RESERVED = 0x0a,
    VTD_FR_CONTEXT_RESERVED = 0x0b,
    VTD_FR_PAGE_RESERVED = 0x0c,
    VTD_FR_IR_RESERVED = 0x20,
    VTD_FR_IR_INDEX = 0x21,
    VTD_FR_IR_ABSENT = 0x22,
    VTD_FR_IR_ACCESS = 0x23,
    VTD_FR_IRTE_RESERVED = 0x24,
    VTD_FR_IR_COMPAT = 0x25,
    VTD_FR_IR_SOURCE = 0x26,
    VTD_FR_PASID_DIR_ACCESS = 0x50,
    VTD_FR_PASID_DIR_ABSENT = 0x51,
    VTD_FR_PASID_ACCESS = 0x58,
    VTD_FR_PASID_ABSENT = 0x59,
    VTD_FR_PASID_INVALID = 0x5b };

/* What the tables say of one requester; valid until it is invalidated. */
typedef struct VtdContext {
    bool valid, pass, quiet;             /* quiet: its faults are not recorded */
    uint8_t levels;
    uint16_t domain;
    uint64_t table;
} VtdContext;

typedef X86IommuEntry VtdEntry;

typedef struct VtdSource {
    X86IommuSource source;
    VtdContext context;
} VtdSource;

typedef struct Vtd {
    Device dev;
    /* properties */
    uint32_t version;
    uint8_t aw_bits;
    int intremap, eim;
    bool caching_mode, device_iotlb, dma_drain, dma_translation, snoop_control, pass_through, scalable, pasid,
        buggy_eim;
    /* registers */
    uint64_t rtaddr, ccmd, iva, iotlb, iqa, iqh, iqt, irta, phmbase, phmlimit;
    uint32_t gsts, fsts, fectl, fedata, feaddr, feuaddr, ics, iectl, iedata, ieaddr, ieuaddr, pmen, plmbase, plmlimit;
    uint64_t frcd[2];
    /* What was latched by SRTP and SIRTP. */
    uint64_t root_table, remap_table;
    bool fault_message;                  /* to be sent by the bottom half */
    /* host side */
    bool remaps;                         /* intremap= came out as on */
    X86Iommu iommu;
    pthread_mutex_t lock;                /* caches and fault registers: translations come from any thread */
    X86IommuTlb tlb;
    Bh *fault_bh;
} Vtd;

enum {
    VTD_GSTS_TES = 1u << 31,
    VTD_GSTS_RTPS = 1u << 30,
    VTD_GSTS_QIES = 1u << 26,
    VTD_GSTS_IRES = 1u << 25,
    VTD_GSTS_IRTPS = 1u << 24,
    VTD_GSTS_CFIS = 1u << 23 };

/* intel-iommu.c: records a fault; with the lock. */
void vtd_fault(Vtd *s, uint16_t source, uint64_t address, uint8_t reason, bool write);
/*
 * intel-iommu-walk.c; with the lock. 0 or a fault's reason; context.quiet is valid in either case.
 */
uint8_t vtd_load_context(Vtd *s, uint16_t source, VtdContext *c);
uint8_t vtd_walk(Vtd *s, const VtdContext *c, uint64_t iova, bool write, VtdEntry *e);
static inline bool vtd_load(Vtd *s, uint64_t address, uint64_t *words, unsigned n)
{
    return x86_iommu_load(&s->iommu, address, words, n);
}
/* intel-iommu-ir.c: X86Remapper.remap. */
bool vtd_remap(void *opaque, uint16_t source, uint64_t address, uint32_t data, X86Interrupt *out);

#endif
