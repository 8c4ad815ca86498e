// SPDX-License-Identifier: GPL-2.0-or-later
/* Regions of devices' register banks: built from the rows on first use, indexed, O(1). */
#ifndef EXEC_BANK_H
#define EXEC_BANK_H

#include "exec/memory.h"

/* The region of bank `name`; created and indexed at the first call. A wrong name is our bug. */
Region *device_region(Device *d, const char *name);
/* Boards: maps a bank into system memory or port space (by the bank's own kind). */
void device_map(Device *d, const char *bank, hwaddr addr);
void device_map_priority(Device *d, const char *bank, hwaddr addr, int priority);
void device_unmap(Device *d, const char *bank);
/* The bank of that name, own or inherited, or NULL; and all of them. */
const RegBank *device_bank(Device *d, const char *name);
void device_foreach_bank(Device *d, void (*fn)(Device *d, const RegBank *b, void *opaque),
                         void *opaque);
/* Direct access to a bank's rows, for tests and indexed register pairs. */
uint64_t bank_read(Device *d, const char *bank, hwaddr offset, unsigned size);
void bank_write(Device *d, const char *bank, hwaddr offset, uint64_t value, unsigned size);
#endif
