// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gdb remote stub: serves one debugger over a chardev. Main loop, machine lock held,
 * except where stated.
 */
#ifndef MONITOR_GDBSTUB_H
#define MONITOR_GDBSTUB_H

#include "exec/semihost.h"

struct ChardevFe;

/*
 * `-gdb SPEC`: "tcp::1234" and other chardev short forms, or "chardev:ID"; "none" or NULL ends a
 * stub. Fails on a machine without CPUs. The machine stops when a debugger connects.
 */
bool gdb_start(Vm *vm, const char *spec, GError **error);
void gdb_stop(void);
/* Runs an HMP command line and returns its output (new string); set by the monitor for qRcmd. */
typedef char *GdbMonitorFn(Vm *vm, const char *line);
void gdb_set_monitor(GdbMonitorFn *fn);
/*
 * The vCPU that stopped for the debugger; call before request_stop(RUN_STATE_DEBUG). Any thread,
 * machine lock.
 */
void gdb_cpu_stopped(Cpu *cpu);
/* It is about to be freed. */
void gdb_cpu_gone(Cpu *cpu);
/* Whether a debugger is there. Machine lock. */
bool gdb_is_connected(void);
/* The debugger's files, for semihosting. */
const SemihostGdb *gdb_files(void);
/* The process ends: tells the debugger. */
void gdb_exit(int code);

#endif
