// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the IOMMUs of PCs have in common: an address space for each requester, in which memory is
 * seen directly or translated and messages are interrupts; and a cache of translations.
 */
#ifndef HW_I386_X86_IOMMU_H
#define HW_I386_X86_IOMMU_H

#include "exec/x86-apic.h"
#include "hw/pci/pci.h"

#define X86_IOMMU_TLB 1024
#define X86_IOMMU_PAGE 0xfffull

typedef struct X86IommuEntry {
    uint64_t page, mask, translated; /* mask: size - 1 */
    uint16_t source, domain;
    bool valid, read, write;
} X86IommuEntry;

/* A direct-mapped cache; its owner's lock guards it. */
typedef struct X86IommuTlb {
    X86IommuEntry entry[X86_IOMMU_TLB];
    bool used;
} X86IommuTlb;
/* The entry that allows the access, NULL: none. */
const X86IommuEntry *x86_iommu_tlb_find(X86IommuTlb *t, uint16_t source, uint64_t iova, bool write);
void x86_iommu_tlb_enter(X86IommuTlb *t, const X86IommuEntry *e, uint64_t iova);
void x86_iommu_tlb_flush(X86IommuTlb *t);
/* Entries that share a byte with what `mask` covers around address. */
void x86_iommu_tlb_flush_domain(X86IommuTlb *t, uint16_t domain, uint64_t address, uint64_t mask);

typedef struct X86Iommu X86Iommu;
/* A requester: what its accesses go through. Its owner may embed it first in something larger. */
typedef struct X86IommuSource {
    X86Iommu *iommu;
    uint16_t id;
    Region root, direct, translated, messages;
    AddressSpace as;
} X86IommuSource;

struct X86Iommu {
    Device *owner;
    size_t source_size;
    /* Of a source's region `translated`. */
    bool (*translate)(Region *r, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out);
    bool (*translates)(X86IommuSource *s);
    X86Remapper remapper; /* of messages, of I/O APICs too */
    GHashTable *sources; /* requester -> X86IommuSource */
};

/* The members above `sources` are set. From now on DMA below root and interrupts pass here. */
void x86_iommu_init(X86Iommu *u, PciBus *root);
void x86_iommu_fini(X86Iommu *u, PciBus *root);
/* What translates() says has changed. */
void x86_iommu_update(X86Iommu *u);
void x86_iommu_foreach(X86Iommu *u, void (*fn)(X86IommuSource *s));
/* Words of the guest's tables, in host byte order. */
bool x86_iommu_load(X86Iommu *u, uint64_t address, uint64_t *words, unsigned n);

#endif
