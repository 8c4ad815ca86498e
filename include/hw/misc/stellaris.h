// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between the blocks of Stellaris controllers: the system clock, which system control sets. Machine
 * lock.
 */
#ifndef HW_MISC_STELLARIS_H
#define HW_MISC_STELLARIS_H

#include "qom/device.h"

/* fn(opaque, hz) when software has chosen another system clock. */
void stellaris_sys_on_clock(Device *sys, void (*fn)(void *opaque, uint64_t hz), void *opaque);
void stellaris_gptm_set_hz(Device *gptm, uint64_t hz);

#endif
