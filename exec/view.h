// SPDX-License-Identifier: GPL-2.0-or-later
/* The flat view of an address space: what exec/ shares inside. */
#ifndef EXEC_VIEW_H
#define EXEC_VIEW_H

#include <stdatomic.h>
#include "exec/memory.h"

/* Addresses with room for sums, and for bases below 0 (aliases of a region's middle). */
typedef __int128 WideAddr;

typedef struct FlatRange {
    hwaddr first, last;       /* inclusive: the whole 2^64 can be one range */
    Region *region;
    hwaddr offset;            /* of `first` in the region */
    bool readonly, romd;      /* as they were when it was rendered */
} FlatRange;

/* Immutable once published, apart from the hint. */
typedef struct FlatView {
    unsigned refs;            /* address spaces that show it; machine lock */
    unsigned count;
    _Atomic unsigned hint;    /* where the last lookup ended; any value is fine */
    FlatRange ranges[];       /* in order of addresses, disjoint */
} FlatView;

/* Renders the tree below root; NULL root: nothing. */
FlatView *view_render(Region *root);
bool view_equal(const FlatView *a, const FlatView *b);
void view_unref(FlatView *v);
/* The range at addr, or NULL; then *gap is how many bytes up to the next range (saturated). */
const FlatRange *view_find(FlatView *v, hwaddr addr, uint64_t *gap);

/* The last offset in a region of `size` bytes (not 0). */
static inline hwaddr last_offset(uint64_t size)
{
    return size == UINT64_MAX ? UINT64_MAX : size - 1;
}

/* All address spaces, in order of creation; machine lock. */
AddressSpace *address_spaces(void);
/* What a root comes down to when containers and aliases that change nothing are skipped. */
Region *root_resolve(Region *root);

/* ram.c: a block for region r. fd -1: anonymous. */
RamBlock *ram_block_new(const char *id, uint64_t size, int fd, RamFlags flags, GError **error);
/* After readers are gone. */
void ram_block_free(RamBlock *b);

#endif
