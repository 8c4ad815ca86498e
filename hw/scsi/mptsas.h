// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a Fusion-MPT SAS controller, shared by its messages and its configuration pages. */
#ifndef HW_SCSI_MPTSAS_H
#define HW_SCSI_MPTSAS_H

#include "host-command.h"
#include "hw/pci/pci.h"

#define MPT_PHYS 8u
#define MPT_CREDITS 128u
#define MPT_FIFO 256u
#define MPT_FRAME 128u
#define MPT_PAGE_MAX 256u
/* Handles: of the controller at each phy, then of what is attached to it. */
#define MPT_HANDLE_CONTROLLER 1u
#define MPT_HANDLE_ATTACHED (MPT_HANDLE_CONTROLLER + MPT_PHYS)

enum {
    IOCSTATUS_SUCCESS = 0,
    IOCSTATUS_INVALID_FUNCTION = 1,
    IOCSTATUS_INVALID_SGL = 3,
    IOCSTATUS_RESOURCES = 6,
    IOCSTATUS_INVALID_FIELD = 7,
    IOCSTATUS_INVALID_STATE = 8,
    IOCSTATUS_INVALID_ACTION = 0x20,
    IOCSTATUS_INVALID_PAGE = 0x22,
    IOCSTATUS_NO_DEVICE = 0x43,
    IOCSTATUS_UNDERRUN = 0x45,
    IOCSTATUS_TERMINATED = 0x48,
    IOCSTATUS_IOC_TERMINATED = 0x4b };

typedef struct MptFifo {
    uint32_t item[MPT_FIFO];
    uint32_t head, count;
} MptFifo;

typedef struct Mptsas {
    PciDevice pci;
    ScsiBus bus;
    uint64_t sas_address; /* property */
    int msi; /* property, OnOffAuto */
    /* registers */
    uint32_t intr_mask, diag;
    /* state */
    uint32_t ioc_state, who_init, keys;
    bool doorbell_intr;
    /* a handshake: words that come, then half words that go */
    uint32_t in[MPT_FRAME / 4], in_words, in_pos;
    uint16_t out[MPT_FRAME / 2];
    uint32_t out_halves, out_pos;
    uint32_t high_mfa, high_sense, reply_size;
    bool events_on;
    uint32_t event_context;
    MptFifo reply_free, reply_post;
    GPtrArray *requests; /* MptRequest *, under way */
} Mptsas;

/* hw/scsi/mptsas-config.c: fills a page with its header; its bytes, 0: there is none. */
uint32_t mptsas_page(Mptsas *s, uint8_t type, uint8_t ext_type, uint8_t number, uint32_t address,
                     uint8_t *page);
/* The drive at a phy, NULL: none. */
ScsiDevice *mptsas_attached(Mptsas *s, unsigned phy);
uint64_t mptsas_address(Mptsas *s, unsigned phy, bool attached);
uint32_t mptsas_device_info(bool attached);

#endif
