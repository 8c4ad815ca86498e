// SPDX-License-Identifier: GPL-2.0-or-later
/* The state of a MegaRAID SAS adapter, shared by its frames and its direct commands. */
#ifndef HW_SCSI_MEGASAS_H
#define HW_SCSI_MEGASAS_H

#include "host-command.h"
#include "hw/pci/pci.h"

#define MEGASAS_EVENTS 32
#define MEGASAS_FRAME 64u
#define MEGASAS_LDS 64u
/* More data than any direct command has. */
#define MEGASAS_DCMD_MAX 8192u

enum {
    MFI_OK = 0,
    MFI_INVALID_CMD = 1,
    MFI_INVALID_DCMD = 2,
    MFI_INVALID_PARAMETER = 3,
    MFI_ABORT_NOT_POSSIBLE = 5,
    MFI_DEVICE_NOT_FOUND = 0x0c,
    MFI_MEMORY_NOT_AVAILABLE = 0x20,
    MFI_DONE_WITH_ERROR = 0x2d,
    MFI_IO_FAILED = 0x2e,
    MFI_WRONG_STATE = 0x32,
    MFI_PENDING = 0xff };
enum { MFI_STATE_READY = 0xb, MFI_STATE_OPERATIONAL = 0xc, MFI_STATE_FAULT = 0xf };

typedef struct MegasasEvent {
    uint32_t seq, code;
    uint8_t target;
} MegasasEvent;

/* What the two models differ in: DeviceType.bus_info points to pci. */
typedef struct MegasasModel {
    PciInfo pci;
    const char *product;
    uint32_t reply_bit; /* of the interrupt status */
    uint8_t regs_bar, io_bar;
    bool express;
} MegasasModel;

typedef struct Megasas {
    PciDevice pci;
    ScsiBus bus;
    /* properties */
    uint32_t max_sge, max_cmds;
    char *hba_serial;
    uint64_t sas_address;
    int msi, msix; /* OnOffAuto */
    bool use_jbod;
    /* registers */
    uint32_t intr_status, intr_mask, queue_high, diag;
    /* state */
    uint32_t fw_state, diag_keys;
    bool queue_on, wide_context;
    uint64_t queue, producer_addr, consumer_addr;
    uint32_t queue_entries, producer;
    uint64_t boot_ns;
    uint32_t event_seq; /* of the newest */
    MegasasEvent events[MEGASAS_EVENTS];
    /* EVENT_WAIT: its frame; 0: none */
    uint64_t waiter;
    uint32_t waiter_seq;
    GPtrArray *requests; /* MegasasRequest *, under way */
} Megasas;

static inline const MegasasModel *megasas_model(Megasas *s)
{
    return (const MegasasModel *)pci_info(&s->pci);
}

/*
 * hw/scsi/megasas-dcmd.c: the status; MFI_PENDING when the frame ends later. f: its first 64 bytes.
 */
uint8_t megasas_dcmd(Megasas *s, uint64_t frame, const uint8_t *f);
void megasas_event(Megasas *s, uint32_t code, uint8_t target);

/* hw/scsi/megasas.c */
/* The frame's list of memory at offset at; false: it is not valid. */
bool megasas_sgl(Megasas *s, DmaList *l, uint64_t frame, const uint8_t *f, uint32_t at);
void megasas_complete(Megasas *s, uint64_t frame, const uint8_t *f, uint8_t status,
                      uint8_t scsi_status);
/* Ends what runs on its devices. */
void megasas_reset_devices(Megasas *s, int target);
void megasas_stop(Megasas *s);

#endif
