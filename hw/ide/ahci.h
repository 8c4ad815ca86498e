// SPDX-License-Identifier: GPL-2.0-or-later
/* What the two files of the AHCI controller share: registers and command lists. */
#ifndef HW_IDE_AHCI_H
#define HW_IDE_AHCI_H

#include "ata.h"
#include "hw/pci/pci.h"

#define AHCI_PORTS 6
#define AHCI_SLOTS 32

enum { GHC_HR = 1u, GHC_IE = 2u, GHC_AE = 1u << 31 };
enum { CMD_ST = 1u, CMD_SUD = 2u, CMD_POD = 4u, CMD_CLO = 8u, CMD_FRE = 1u << 4, CMD_CCS = 31u << 8,
       CMD_FR = 1u << 14, CMD_CR = 1u << 15, CMD_ATAPI = 1u << 24, CMD_ICC = 15u << 28 };
enum {
    IS_DHRS = 1u,
    IS_PSS = 2u,
    IS_SDBS = 8u,
    IS_PCS = 1u << 6,
    IS_OFS = 1u << 24,
    IS_HBDS = 1u << 28,
    IS_HBFS = 1u << 29,
    IS_TFES = 1u << 30 };

typedef struct Ahci Ahci;

/* The part of a port that is no register. */
typedef struct AhciPort {
    Ahci *hba;
    IdeBus bus;
    int8_t slot;                /* command under way, -1: none */
    bool halted;                /* a command failed: waits for ST to be cleared */
    bool in_run, pio_in, srst;
    uint8_t last_slot;
    uint64_t table;             /* its command table */
    uint32_t prds, moved;       /* its length; bytes moved so far */
    AtaRequest *ncq[ATA_NCQ_TAGS];
} AhciPort;

struct Ahci {
    PciDevice pci;              /* on the system bus only its first member, the device, is used */
    bool on_system_bus;
    uint32_t ports;
    Irq irq;                    /* of the system bus */
    uint32_t vendor[32], dma_control;      /* of Allwinner's */
    /* registers */
    uint32_t cap, ghc, is, pi, vs;
    uint32_t clb[AHCI_PORTS], clbu[AHCI_PORTS], fb[AHCI_PORTS], fbu[AHCI_PORTS];
    uint32_t port_is[AHCI_PORTS], ie[AHCI_PORTS], cmd[AHCI_PORTS], tfd[AHCI_PORTS], sig[AHCI_PORTS];
    uint32_t ssts[AHCI_PORTS], sctl[AHCI_PORTS], serr[AHCI_PORTS], sact[AHCI_PORTS], ci[AHCI_PORTS];
    AhciPort port[AHCI_PORTS];
};

static inline AtaDrive *ahci_drive(AhciPort *p)
{
    return p->bus.drives[0];
}

static inline unsigned ahci_index(const AhciPort *p)
{
    return p->bus.index;
}

extern const IdeBusOps ahci_ops;

/* Sets bits of a port's interrupt status and tells the guest. */
void ahci_interrupt(AhciPort *p, uint32_t bits);
/* Starts what waits in the command list. */
void ahci_run(AhciPort *p);
/* Drops what is under way. */
void ahci_stop(AhciPort *p);
/* The drive's registers as a register FIS; interrupt: its I bit, and DHRS. */
void ahci_post_d2h(AhciPort *p, bool interrupt);

#endif
