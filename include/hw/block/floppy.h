// SPDX-License-Identifier: GPL-2.0-or-later
/* The floppy controller, for boards. */
#ifndef HW_BLOCK_FLOPPY_H
#define HW_BLOCK_FLOPPY_H

#include "hw/isa/isa.h"

/*
 * Makes an isa-fdc with the drives of -fda, -fdb, -drive if=floppy; by default with an empty one.
 */
bool fdc_create(Bus *isa, GError **error);
/* The first controller on the bus; NULL: none. */
Device *fdc_find(Bus *isa);
/* Byte 10h of the CMOS: the first drive's type above the second's. */
uint8_t fdc_cmos_types(Device *fdc);

#endif
