// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SCSI controller core of NCR 53C90 and its relatives (53C94, FAS236, Am53C974), for boards and
 * functions that give it registers and DMA of their own.
 */
#ifndef HW_SCSI_ESP_H
#define HW_SCSI_ESP_H

#include "scsi-phase.h"

#define ESP_FIFO 16u

typedef struct EspCore EspCore;

/* How an owner moves data; all are called by the core. */
typedef struct EspOps {
    void (*irq)(Device *owner, bool level);
    /*
     * Moves up to len bytes from or to memory; how many. 0 when the DMA engine is not ready: esp_dma_ready()
     * goes on. dma_room says how many dma_write would take.
     */
    uint32_t (*dma_read)(Device *owner, uint8_t *buf, uint32_t len);
    uint32_t (*dma_room)(Device *owner, uint32_t len);
    void (*dma_write)(Device *owner, const uint8_t *buf, uint32_t len);
} EspOps;

struct EspCore {
    Device *owner;
    const EspOps *ops;
    ScsiPhaseBus wire;
    uint8_t uid; /* what TCHI tells after a reset */
    /* registers */
    uint8_t status, interrupt, step, command, bus_id, cfg1, cfg2, cfg3, cfg4;
    uint32_t count, count_start; /* transfer counter, and what it is loaded with */
    uint8_t fifo[ESP_FIFO], fifo_len;
    /* a command that waits */
    uint8_t pending; /* 0: none */
    bool pending_dma, uid_shown;
    uint8_t sent; /* bytes of a selection so far */
};

/* changed: calls esp_changed() of owner's core. */
void esp_init(EspCore *e, Device *owner, const EspOps *ops, ScsiBus *bus,
              void (*changed)(Device *owner), uint8_t uid);
void esp_changed(EspCore *e);
/* After bus_fini() of the SCSI bus. */
void esp_fini(EspCore *e);
void esp_reset(EspCore *e);
/* Registers 0 to 15; 8 bits. */
uint8_t esp_read(EspCore *e, unsigned reg);
void esp_write(EspCore *e, unsigned reg, uint8_t v);
/* The DMA engine can move data now. */
void esp_dma_ready(EspCore *e);
/* For ScsiBusOps.unplugged. */
void esp_unplugged(EspCore *e, ScsiDevice *d);

extern const StateField esp_state[];

#endif
