// SPDX-License-Identifier: GPL-2.0-or-later
/* The device test protocol: docs/devel/poke.md. */
#ifndef MONITOR_QTEST_H
#define MONITOR_QTEST_H

#include "qom/vm.h"

/*
 * Serves the protocol on a chardev ("stdio", "unix:path", ...; -qtest). log: file that gets a
 * copy of each line (-qtest-log), NULL: none. After the board is built; main loop, machine lock.
 */
bool qtest_serve(Vm *vm, const char *chardev, const char *log, GError **error);
/* Ends what qtest_serve began; nothing if it did not. Before the chardevs go. */
void qtest_end(Vm *vm);

#endif
