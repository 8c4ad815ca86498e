// SPDX-License-Identifier: GPL-2.0-or-later
/* One access to RegionOps: split, joined, put into byte order. Shared by regions and banks. */
#ifndef EXEC_DISPATCH_H
#define EXEC_DISPATCH_H

#include "qom/region-ops.h"

/*
 * size 1..8 bytes at offset, any alignment; the value is in the device's byte order as a number
 * (a load by a CPU of that order). False: the device refuses the size (reads give ones).
 * A narrow part of a wide read carries the wide read's side effects; see region-ops.h.
 */
bool ops_read(const RegionOps *ops, void *opaque, hwaddr offset, uint64_t *value, unsigned size);
bool ops_write(const RegionOps *ops, void *opaque, hwaddr offset, uint64_t value, unsigned size);

static inline uint64_t size_mask(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

/* Where byte `at` of `total` lies in a number of that byte order: the shift of a piece. */
static inline unsigned lane_shift(Endian e, unsigned at, unsigned piece, unsigned total)
{
    return 8 * (e == DEV_LITTLE ? at : total - at - piece);
}

/* Reverses the low `size` bytes. */
static inline uint64_t swap_bytes(uint64_t v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - 8 * size);
}

/* The largest naturally aligned power of two at offset that is not longer than left. */
static inline unsigned aligned_piece(hwaddr offset, unsigned left)
{
    unsigned piece = 8;

    while (piece > left || (offset & (piece - 1)) != 0) {
        piece /= 2;
    }
    return piece;
}

#endif
