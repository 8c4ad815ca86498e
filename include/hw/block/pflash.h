// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parallel flash with the Intel command set: device "cfi.pflash01". A board creates it with its
 * geometry and maps its region.
 */
#ifndef HW_BLOCK_PFLASH_H
#define HW_BLOCK_PFLASH_H

#include "exec/memory.h"

typedef struct PflashConfig {
    const char *name; /* of the child of /machine and of the memory region */
    const char *drive; /* drive id or node name; NULL: erased, contents are lost */
    uint64_t size; /* bytes; 0: that of the drive */
    uint64_t sector_size; /* bytes erased at once */
    unsigned width; /* bytes of the data bus */
    unsigned device_width; /* ... of one chip on it; 0: width */
    uint16_t ids[4];
    bool big_endian;
} PflashConfig;

/* Realized, but not mapped; NULL with *error set. */
Device *pflash_create(Vm *vm, const PflashConfig *c, GError **error);
Region *pflash_region(Device *d);
uint64_t pflash_size(Device *d);

#endif
