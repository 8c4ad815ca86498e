// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces of RAM beside -m, and further names for them: FPGA boards and controllers have several.
 * Start-up.
 */
#ifndef HW_ARM_MPS2_MEMORY_H
#define HW_ARM_MPS2_MEMORY_H

#include "exec/memory.h"
#include "qom/vm.h"

typedef struct Mps2Memory {
    Region ram[8], mirror[8];
    unsigned num_ram, num_mirrors;
} Mps2Memory;

/* RAM at an address of system memory. */
static inline bool mps2_ram(Mps2Memory *m, Vm *vm, const char *name, hwaddr at, uint64_t size,
                            GError **error)
{
    Region *r = &m->ram[m->num_ram++];

    if (!region_init_ram(r, NULL, name, size, error)) {
        return false;
    }
    region_add(vm->memory, at, r, 0);
    return true;
}

/* The n-th of them once more. */
static inline void mps2_mirror(Mps2Memory *m, Vm *vm, const char *name, unsigned n, hwaddr at)
{
    Region *r = &m->mirror[m->num_mirrors++];

    region_init_alias(r, NULL, name, &m->ram[n], 0, m->ram[n].size);
    region_add(vm->memory, at, r, 0);
}

#endif
