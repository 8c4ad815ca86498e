// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be booted from beside devices with a bootindex. */
#ifndef HW_NVRAM_BOOT_ORDER_H
#define HW_NVRAM_BOOT_ORDER_H

#include "qom/vm.h"

/*
 * MachineType.init or .done: adds a firmware path ("/rom@genroms/x.bin") to the boot order. The
 * text is not copied.
 */
void boot_order_add(Vm *vm, const char *path, int64_t index);

#endif
