// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How devices reach guest memory: always through their own address space (d->dma, set by the
 * bus), so that an IOMMU works for every device.
 */
#ifndef EXEC_DMA_H
#define EXEC_DMA_H

#include <sys/uio.h>
#include "exec/memory.h"

/*
 * False when part of the range decodes to nothing; that part reads as ones. Machine lock or
 * lockless RAM.
 */
bool dma_read(Device *d, hwaddr addr, void *buf, size_t len);
bool dma_write(Device *d, hwaddr addr, const void *buf, size_t len);
bool dma_fill(Device *d, hwaddr addr, uint8_t byte, uint64_t len);
/*
 * Loads and stores of a stated byte order; a failed load gives all ones and *ok = false (ok may be
 * NULL).
 */
uint64_t dma_load(Device *d, hwaddr addr, unsigned size, Endian e, bool *ok);
bool dma_store(Device *d, hwaddr addr, uint64_t value, unsigned size, Endian e);

/* A guest scatter list, built element by element, then mapped for I/O on host memory. */
typedef struct DmaSg { hwaddr addr; uint64_t len; } DmaSg;
typedef struct DmaList {
    Device *dev;
    GArray *sg;               /* DmaSg */
    uint64_t size;            /* total bytes */
    struct iovec *iov;        /* after dma_list_map */
    unsigned niov;
    bool is_write;            /* the device writes guest memory */
} DmaList;
void dma_list_init(DmaList *l, Device *d);
void dma_list_add(DmaList *l, hwaddr addr, uint64_t len);
/* Maps everything (bounce buffers where needed, at most 16 MiB of them); false: guest error. */
bool dma_list_map(DmaList *l, bool is_write);
/* Marks `done` bytes as written and drops the mapping; safe when never mapped. */
void dma_list_unmap(DmaList *l, uint64_t done);
void dma_list_free(DmaList *l);
/* iov from the elements at once; the one-line form for devices with ready lists. */
bool dma_iov(DmaList *l, const DmaSg *sg, unsigned n, bool is_write);

#endif
