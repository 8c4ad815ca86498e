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
void suspend_watch(void (*fn)(void *opaque), void *opaque);
void wakeup_watch(void (*fn)(void *opaque), void *opaque);

/* What happened, for the monitor's events. */
typedef enum VmEvent {
    VM_EVENT_SHUTDOWN, VM_EVENT_POWERDOWN, VM_EVENT_RESET, VM_EVENT_STOP, VM_EVENT_RESUME,
    VM_EVENT_SUSPEND, VM_EVENT_SUSPEND_DISK, VM_EVENT_WAKEUP, VM_EVENT_WATCHDOG,
    VM_EVENT_GUEST_PANICKED, VM_EVENT_GUEST_CRASHLOADED, VM_EVENT_DEVICE_DELETED,
} VmEvent;

typedef struct VmEventInfo {
    VmEvent event;
    ShutdownCause cause;           /* SHUTDOWN, RESET */
    const char *device, *path;     /* DEVICE_DELETED: id (may be NULL) and QOM path */
    const char *action;            /* WATCHDOG, GUEST_PANICKED: what is done about it */
} VmEventInfo;

/* fn(opaque, info) at each event; main loop or vCPU thread, machine lock. */
void vm_event_watch(void (*fn)(void *opaque, const VmEventInfo *info), void *opaque);
void vm_event_unwatch(void (*fn)(void *opaque, const VmEventInfo *info), void *opaque);
/* Tells the watchers. cpus.c reports STOP and RESUME, qom the others. */
void vm_event(const VmEventInfo *info);
/* "guest-shutdown": QMP's spelling. shutdown_by_guest: the event's `guest` member. */
const char *shutdown_cause_name(ShutdownCause cause);
bool shutdown_by_guest(ShutdownCause cause);

/* -action and its short forms (-no-reboot, -no-shutdown, -watchdog-action). */
typedef enum RebootAction { REBOOT_RESET, REBOOT_SHUTDOWN } RebootAction;
typedef enum ShutdownAction { SHUTDOWN_POWEROFF, SHUTDOWN_PAUSE } ShutdownAction;
typedef enum PanicAction {
    PANIC_PAUSE,
    PANIC_SHUTDOWN,
    PANIC_EXIT_FAILURE,
    PANIC_NONE
} PanicAction;
typedef enum WatchdogAction {
    WATCHDOG_RESET, WATCHDOG_SHUTDOWN, WATCHDOG_POWEROFF, WATCHDOG_PAUSE, WATCHDOG_DEBUG,
    WATCHDOG_NONE, WATCHDOG_INJECT_NMI,
} WatchdogAction;
typedef struct RunActions {
    RebootAction reboot;
    ShutdownAction shutdown;
    PanicAction panic;
    WatchdogAction watchdog;
} RunActions;
/* The settings in force; written by the command line and set-action. */
RunActions *run_actions(void);

/* A watchdog ran out: does what the action says. Any thread with the machine lock. */
void watchdog_expired(void);
/* The guest reported a panic. */
void guest_panicked(void);
/* The guest is about to run its crash kernel: reported, and it goes on. */
void guest_crashloaded(void);

/*
 * The main loop, after each iteration: carries out what was requested. True when the process
 * is to end, with *status as its exit status.
 */
bool runstate_carry_out(Vm *vm, int *status);
/* Whether a shutdown is pending; long jobs look. Any thread. */
bool shutdown_requested(void);

#endif
