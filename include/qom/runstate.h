// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether the machine runs, and requests to change it. Requests may come from any thread;
 * the main loop carries them out.
 */
#ifndef QOM_RUNSTATE_H
#define QOM_RUNSTATE_H

#include <stdbool.h>

typedef struct Vm Vm;

/* QMP's RunState, in its order. */
typedef enum RunState {
    RUN_STATE_DEBUG, RUN_STATE_INMIGRATE, RUN_STATE_INTERNAL_ERROR, RUN_STATE_IO_ERROR,
    RUN_STATE_PAUSED, RUN_STATE_POSTMIGRATE, RUN_STATE_PRELAUNCH, RUN_STATE_FINISH_MIGRATE,
    RUN_STATE_RESTORE_VM, RUN_STATE_RUNNING, RUN_STATE_SAVE_VM, RUN_STATE_SHUTDOWN,
    RUN_STATE_SUSPENDED, RUN_STATE_WATCHDOG, RUN_STATE_GUEST_PANICKED, RUN_STATE_COLO,
    RUN_STATE_COUNT,
} RunState;

/* QMP's ShutdownCause, in its order. */
typedef enum ShutdownCause {
    SHUTDOWN_NONE, SHUTDOWN_HOST_ERROR, SHUTDOWN_HOST_QMP_QUIT, SHUTDOWN_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_HOST_SIGNAL, SHUTDOWN_HOST_UI, SHUTDOWN_GUEST_SHUTDOWN, SHUTDOWN_GUEST_RESET,
    SHUTDOWN_GUEST_PANIC, SHUTDOWN_SUBSYSTEM_RESET, SHUTDOWN_SNAPSHOT_LOAD,
} ShutdownCause;

/* Any thread. */
void request_shutdown(ShutdownCause cause);
void request_shutdown_with_code(ShutdownCause cause, int exit_code);    /* isa-debug-exit */
void request_reset(ShutdownCause cause);
void request_powerdown(void);
void request_suspend(void);
void request_wakeup(void);
/* Stops the machine soon: debugger, I/O error. */
void request_stop(RunState state);

RunState runstate(void);
bool runstate_is(RunState s);
bool runstate_running(void);
const char *runstate_name(RunState s);
/* Main loop. A transition that the table forbids is a bug of ours and ends the process. */
void runstate_set(RunState s);

/* fn(opaque, running) on every start and stop of the machine; main loop, machine lock. */
void runstate_watch(void (*fn)(void *opaque, bool running), void *opaque);
void runstate_unwatch(void (*fn)(void *opaque, bool running), void *opaque);
/* fn(opaque) when the host asks for power-down (ACPI button), suspend ended ... */
void powerdown_watch(void (*fn)(void *opaque), void *opaque);
void wakeup_watch(void (*fn)(void *opaque), void *opaque);

#endif
