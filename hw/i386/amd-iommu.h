// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AMD IOMMU: registers, commands and events in amd-iommu.c, the tables of DMA and interrupts
 * in amd-iommu-walk.c.
 */
#ifndef HW_I386_AMD_IOMMU_H
#define HW_I386_AMD_IOMMU_H

#include <pthread.h>
#include "exec/bank.h"
#include "hw/i386/pc.h"
#include "hw/i386/x86-iommu.h"
#include "util/main-loop.h"

#define AMDVI_EVENTS 64 /* that wait for the main loop */

/* Event codes (AMD IOMMU specification 48882, 2.5) and flags of page faults. */
enum {
    AMDVI_EV_ILLEGAL_DTE = 1,
    AMDVI_EV_PAGE_FAULT = 2,
    AMDVI_EV_DTE_HARDWARE = 3,
    AMDVI_EV_TABLE_HARDWARE = 4,
    AMDVI_EV_ILLEGAL_COMMAND = 5,
    AMDVI_EV_COMMAND_HARDWARE = 6
};
enum {
    AMDVI_FLAG_INTERRUPT = 0x08,
    AMDVI_FLAG_PRESENT = 0x10,
    AMDVI_FLAG_WRITE = 0x20,
    AMDVI_FLAG_RIGHTS = 0x40
};
enum {
    AMDVI_CONTROL_ENABLE = 1,
    AMDVI_CONTROL_GA = 1 << 17
};

typedef struct AmdviSource {
    X86IommuSource source;
    uint64_t dte[4];
    bool dte_valid;
} AmdviSource;

/* What a table walk found wrong; code 0: nothing. */
typedef struct AmdviFault {
    uint8_t code;
    uint16_t flags;
} AmdviFault;

typedef struct Amdvi {
    Device dev;
    /* properties */
    int intremap;
    bool device_iotlb, pass_through;
    /* registers */
    uint64_t devtab, cmd_base, event_base, control, exclusion[2], ppr_base, ga_base, ga_status;
    uint64_t cmd_head, cmd_tail, event_head, event_tail, status, ppr_head, ppr_tail, ga_head,
        ga_tail;
    /* Events on their way into the guest's log, which only the main loop writes. */
    uint64_t events[AMDVI_EVENTS][2];
    uint32_t num_events;
    /* host side */
    bool remaps; /* intremap= came out as on */
    PciDevice *function; /* whose MSI tells of events */
    pthread_mutex_t lock; /* caches and events: translations come from any thread */
    X86Iommu iommu;
    X86IommuTlb tlb;
    Bh *event_bh;
} Amdvi;

/* amd-iommu-walk.c; with the lock. */
AmdviFault amdvi_load_dte(Amdvi *s, uint16_t source, uint64_t dte[4]);
AmdviFault amdvi_walk(Amdvi *s, const uint64_t dte[4], uint64_t iova, bool write, X86IommuEntry *e);
/* X86Remapper.remap; takes the lock. */
bool amdvi_remap(void *opaque, uint16_t source, uint64_t address, uint32_t data, X86Interrupt *out);
/* amd-iommu.c: records an event; with the lock. */
void amdvi_event(Amdvi *s, uint8_t code, uint16_t source, uint16_t domain, uint16_t flags,
                 uint64_t address);

static inline uint16_t amdvi_domain(const uint64_t dte[4])
{
    return dte[1] & 0xffff;
}
/* Page faults of this requester are not reported. */
static inline bool amdvi_quiet(const uint64_t dte[4])
{
    return dte[1] >> 34 & 1;
}

#endif
