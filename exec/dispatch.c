// SPDX-License-Identifier: GPL-2.0-or-later
/* Accesses of any size and alignment, made into what a device's functions declared. */
#include "exec/dispatch.h"

typedef struct Sizes {
    unsigned min, max;                /* the functions */
    unsigned min_valid, max_valid;    /* the bus */
} Sizes;

static Sizes sizes_of(const RegionOps *ops)
{
    Sizes s = {ops->min_size, ops->max_size, ops->min_valid, ops->max_valid};

    s.min = s.min != 0 ? s.min : 1;
    s.max = s.max != 0 ? s.max : 4;
    s.min_valid = s.min_valid != 0 ? s.min_valid : 1;
    s.max_valid = s.max_valid != 0 ? s.max_valid : 8;
    return s;
}

/* An access of `size` bytes (a power of two, aligned unless the functions do not care). */
static uint64_t read_piece(const RegionOps *ops, const Sizes *s, void *opaque, hwaddr offset,
                           unsigned size)
{
    uint64_t v = 0;

    if (size < s->min) {
        hwaddr base = offset & ~(hwaddr)(s->min - 1);
        unsigned at = offset - base;

        v = ops->read(opaque, base, s->min);
        return v >> lane_shift(ops->endian, at, size, s->min) & size_mask(size);
    }
    for (unsigned at = 0; at < size;) {
        unsigned step = size - at < s->max ? size - at : s->max;
        uint64_t part = ops->read(opaque, offset + at, step) & size_mask(step);

        v |= part << lane_shift(ops->endian, at, step, size);
        at += step;
    }
    return v;
}

static void write_piece(const RegionOps *ops, const Sizes *s, void *opaque, hwaddr offset,
                        uint64_t v, unsigned size)
{
    if (size < s->min) {
        hwaddr base = offset & ~(hwaddr)(s->min - 1);
        unsigned at = offset - base;

        ops->write(opaque, base, v << lane_shift(ops->endian, at, size, s->min), s->min);
        return;
    }
    for (unsigned at = 0; at < size;) {
        unsigned step = size - at < s->max ? size - at : s->max;

        ops->write(opaque, offset + at,
                   v >> lane_shift(ops->endian, at, step, size) & size_mask(step), step);
        at += step;
    }
}

/* The next piece that can be given to the functions, or 0: refused. */
static unsigned next_piece(const RegionOps *ops, const Sizes *s, hwaddr offset, unsigned left)
{
    unsigned piece = ops->unaligned && (left & (left - 1)) == 0 ? left
                                                                : aligned_piece(offset, left);

    if (piece > s->max_valid) {
        /* wider than the device's bus port: the bus splits it */
        piece = s->max_valid;
    }
    return piece < s->min_valid ? 0 : piece;
}

/* The usual case: what the functions take as it is. */
static bool fits_as_it_is(const Sizes *s, hwaddr offset, unsigned size)
{
    return size >= s->min && size <= s->max && size >= s->min_valid && size <= s->max_valid &&
           ((offset | size) & (size - 1)) == 0;
}

bool ops_read(const RegionOps *ops, void *opaque, hwaddr offset, uint64_t *value, unsigned size)
{
    Sizes s = sizes_of(ops);
    bool ok = ops->read != NULL;

    if (ok && fits_as_it_is(&s, offset, size)) {
        *value = ops->read(opaque, offset, size) & size_mask(size);
        return true;
    }
    *value = 0;
    for (unsigned at = 0; ok && at < size;) {
        unsigned piece = next_piece(ops, &s, offset + at, size - at);

        if (piece == 0) {
            ok = false;
            break;
        }
        *value |= read_piece(ops, &s, opaque, offset + at, piece)
                  << lane_shift(ops->endian, at, piece, size);
        at += piece;
    }
    if (!ok) {
        *value = size_mask(size);
    }
    return ok;
}

bool ops_write(const RegionOps *ops, void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Sizes s = sizes_of(ops);

    if (ops->write == NULL) {
        return false;
    }
    if (fits_as_it_is(&s, offset, size)) {
        ops->write(opaque, offset, value & size_mask(size), size);
        return true;
    }
    for (unsigned at = 0; at < size;) {
        unsigned piece = next_piece(ops, &s, offset + at, size - at);

        if (piece == 0) {
            return false;
        }
        write_piece(ops, &s, opaque, offset + at,
                    value >> lane_shift(ops->endian, at, piece, size) & size_mask(piece), piece);
        at += piece;
    }
    return true;
}
