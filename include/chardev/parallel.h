// SPDX-License-Identifier: GPL-2.0-or-later
/* What -parallel asked for, and the parallel port that a machine has when nobody said. */
#ifndef CHARDEV_PARALLEL_H
#define CHARDEV_PARALLEL_H

#include "qom/vm.h"

#define PARALLEL_PORTS 3u

/*
 * The id of the chardev of parallel port i, for a board that has such ports; NULL: none, or an
 * error. The default one is made here.
 */
const char *parallel_chardev(Vm *vm, unsigned i, GError **error);

#endif
