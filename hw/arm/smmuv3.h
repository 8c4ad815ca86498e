// SPDX-License-Identifier: GPL-2.0-or-later
/* The SMMUv3 model: registers, queues and commands in smmuv3.c, translation in smmuv3-walk.c. */
#ifndef HW_ARM_SMMUV3_H
#define HW_ARM_SMMUV3_H

#include <pthread.h>
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/pci/pci.h"

#define SMMU_TLB 1024

/* Events (ARM IHI 0070, 7.3). */
enum {
    SMMU_C_BAD_STREAMID = 0x02,
    SMMU_F_STE_FETCH = 0x03,
    SMMU_C_BAD_STE = 0x04,
    SMMU_F_STREAM_DISABLED = 0x06,
    SMMU_F_CD_FETCH = 0x09,
    SMMU_C_BAD_CD = 0x0a,
    SMMU_F_WALK_EABT = 0x0b,
    SMMU_F_TRANSLATION = 0x10,
    SMMU_F_ADDR_SIZE = 0x11,
    SMMU_F_ACCESS = 0x12,
    SMMU_F_PERMISSION = 0x13 };

/* What a stream's table entries say; valid until CFGI. */
typedef struct SmmuConfig {
    bool valid, abort, bypass, stage1;
    bool aa64, wxn, affd, record;
    struct { uint64_t base; uint8_t size_bits, page_bits; bool disabled, hierarchical_off, tbi; } tt[2];
    uint8_t output_bits;
    uint16_t asid;
} SmmuConfig;

typedef struct SmmuEntry {
    uint64_t page, translated, mask;   /* of the input address; mask: size - 1 */
    uint16_t stream;
    bool valid, read, write;
} SmmuEntry;

/* A stream: what one PCI function's accesses go through. */
typedef struct SmmuStream {
    struct Smmu *smmu;
    uint16_t id;
    Region region;
    AddressSpace as;
    SmmuConfig config;
} SmmuStream;

typedef struct SmmuFault {
    uint8_t type;                      /* 0: none */
    uint64_t address, ipa;
    uint8_t class_;                    /* 0 CD, 1 TTD, 2 IN */
} SmmuFault;

typedef struct Smmu {
    Device dev;
    Object *bus_object;
    Irq eventq, priq, cmdq_sync, gerror_irq;
    uint32_t cr0, cr1, cr2, gbpa, irq_ctrl, gerror, gerrorn, strtab_cfg;
    uint32_t cmdq_prod, cmdq_cons, eventq_prod, eventq_cons;
    uint64_t strtab_base, cmdq_base, eventq_base, gerror_cfg0, eventq_cfg0;
    uint32_t gerror_cfg1, gerror_cfg2, eventq_cfg1, eventq_cfg2;
    GHashTable *streams;               /* number -> SmmuStream */
    pthread_mutex_t lock;              /* caches: translations come from any thread */
    SmmuEntry tlb[SMMU_TLB];
    bool tlb_used;
} Smmu;

/* smmuv3-walk.c; with the lock. False: fault says why (or nothing is to be recorded). */
bool smmu_load_config(Smmu *s, SmmuStream *t, SmmuFault *fault);
bool smmu_walk(Smmu *s, SmmuStream *t, uint64_t iova, bool write, SmmuEntry *e, SmmuFault *fault);

#endif
