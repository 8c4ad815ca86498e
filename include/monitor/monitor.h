// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Monitors, and how other folders add to the human one: rows in a linker section.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "qom/vm.h"

struct Cpu;
struct Chardev;
typedef struct Monitor Monitor;

/* Opens a monitor on chr for the life of the process: QMP (control) or for people. */
bool monitor_new(Vm *vm, struct Chardev *chr, bool control, bool pretty, GError **error);
/*
 * Runs one line of the human monitor, as for human-monitor-command; its output, freed by the
 * caller.
 */
char *monitor_run_line(Vm *vm, const char *line, int cpu_index);

#endif
