// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA for ISA devices: a pair of 8237A on the bus. A device moves data when it likes; the channel
 * says how much of it the guest has asked for. Machine lock.
 */
#ifndef HW_ISA_DMA_H
#define HW_ISA_DMA_H

#include "hw/isa/isa.h"

/* ready() is called when the guest opens the channel (its mask goes away). NULL: nobody listens. */
void isa_dma_listen(Device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque);
/*
 * Moves up to len bytes from the device into memory, or the other way; returns how many. Fewer than
 * len: the channel is masked, or its count is over (*last is set when this was the last byte of
 * it).
 */
size_t isa_dma_to_memory(Device *dma, unsigned channel, const void *buf, size_t len, bool *last);
size_t isa_dma_from_memory(Device *dma, unsigned channel, void *buf, size_t len, bool *last);

#endif
