// SPDX-License-Identifier: GPL-2.0-or-later
/* -smp. */
#ifndef QOM_SMP_H
#define QOM_SMP_H

#include "qom/vm.h"

/* Fills in what -smp left open and checks it against the machine type. */
bool smp_complete(Vm *vm, GError **error);

#endif
