// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of an SD host controller, for the variants of SoCs that arrange its registers
 * differently.
 */
#ifndef HW_SD_SDHCI_H
#define HW_SD_SDHCI_H

#include "exec/bank.h"
#include "hw/pci/pci.h"
#include "hw/sd/sd.h"

enum {
    INT_COMMAND = 1,
    INT_TRANSFER = 2,
    INT_DMA = 8,
    INT_WRITE_READY = 0x10,
    INT_READ_READY = 0x20,
    INT_INSERT = 0x40,
    INT_REMOVE = 0x80
};
enum { ERR_CMD_TIMEOUT = 1, ERR_DATA_TIMEOUT = 0x10, ERR_ADMA = 0x200 };

typedef struct Sdhci {
    union {
        Device dev;
        PciDevice pci;                 /* of sdhci-pci only */
    };
    SdBus bus;
    Irq irq;
    uint8_t spec_version;              /* property */
    uint64_t capareg, maxcurr;         /* properties */
    uint8_t uhs, vendor;               /* properties of sdhci-pci */
    uint32_t sdmasysad, argument, response[4], admaerr;
    uint16_t blksize, blkcnt, trnmod, cmdreg, clkcon, norintsts, errintsts, norinten, errinten, norintsig, errintsig, acmd12err, hostctl2;
    uint8_t hostctl, pwrcon, blkgap, wakcon, timeoutcon;
    uint64_t admasysaddr;
    bool active, open_ended, dma_wait, adma_valid, wait_busy;
    uint32_t blocks;                   /* left of the transfer */
    uint32_t buf_pos, buf_fill;        /* of the block in buf; DMA: buf_pos bytes of it are moved */
    uint8_t buf[4096];
    uint8_t adma_attr;
    uint32_t adma_left;
    uint64_t adma_addr;
} Sdhci;

extern const SdHostOps sdhci_host_ops;
extern const RegBank sdhci_banks[];
extern const PinRow sdhci_pins[];
extern const StateField sdhci_state[];
bool sdhci_realize(Device *d, GError **error);
void sdhci_unrealize(Device *d);
void sdhci_reset(Device *d);
bool sdhci_check_load(Device *d, GError **error);
void sdhci_send_command(Sdhci *s);
void sdhci_abort_data(Sdhci *s);
uint32_t sdhci_buffer_get(Sdhci *s);
void sdhci_buffer_put(Sdhci *s, uint32_t value);
uint32_t sdhci_present(const Sdhci *s);

#endif
