// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether the machine runs: the table of allowed changes, requests from any thread, and the
 * function of the main loop that carries them out. Contract: include/qom/runstate.h.
 */
#include "qom/vm.h"

#include <stdatomic.h>

#include "util/main-loop.h"

/* ---- states ---- */

static const char *const state_names[RUN_STATE_COUNT] = {
    [RUN_STATE_DEBUG] = "debug",
    [RUN_STATE_INMIGRATE] = "inmigrate",
    [RUN_STATE_INTERNAL_ERROR] = "internal-error",
    [RUN_STATE_IO_ERROR] = "io-error",
    [RUN_STATE_PAUSED] = "paused",
    [RUN_STATE_POSTMIGRATE] = "postmigrate",
    [RUN_STATE_PRELAUNCH] = "prelaunch",
    [RUN_STATE_FINISH_MIGRATE] = "finish-migrate",
    [RUN_STATE_RESTORE_VM] = "restore-vm",
    [RUN_STATE_RUNNING] = "running",
    [RUN_STATE_SAVE_VM] = "save-vm",
    [RUN_STATE_SHUTDOWN] = "shutdown",
    [RUN_STATE_SUSPENDED] = "suspended",
    [RUN_STATE_WATCHDOG] = "watchdog",
    [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
    [RUN_STATE_COLO] = "colo",
};

#define S(name) (1u << RUN_STATE_##name)
/* What stops a running machine, and what every stopped one may become. */
#define STOPS                                                                                     \
    (S(DEBUG) | S(INTERNAL_ERROR) | S(IO_ERROR) | S(PAUSED) | S(FINISH_MIGRATE) | S(RESTORE_VM) | \
     S(SAVE_VM) | S(SHUTDOWN) | S(SUSPENDED) | S(WATCHDOG) | S(GUEST_PANICKED) | S(COLO))
#define IDLE                                                                               \
    (S(PAUSED) | S(PRELAUNCH) | S(FINISH_MIGRATE) | S(SAVE_VM) | S(RESTORE_VM) | S(COLO) | \
     S(POSTMIGRATE))

/* Which states may follow. After an internal error or a shutdown a reset must come first. */
static const uint32_t transitions[RUN_STATE_COUNT] = {
    [RUN_STATE_DEBUG] = S(RUNNING) | S(SUSPENDED) | IDLE,
    [RUN_STATE_INMIGRATE] = S(RUNNING) | S(POSTMIGRATE) | S(PRELAUNCH) | STOPS,
    [RUN_STATE_INTERNAL_ERROR] = IDLE,
    [RUN_STATE_IO_ERROR] = S(RUNNING) | IDLE,
    [RUN_STATE_PAUSED] = S(RUNNING) | S(POSTMIGRATE) | S(PRELAUNCH) | STOPS,
    [RUN_STATE_POSTMIGRATE] = S(RUNNING) | S(SHUTDOWN) | IDLE,
    [RUN_STATE_PRELAUNCH] = S(RUNNING) | S(INMIGRATE) | STOPS,
    [RUN_STATE_FINISH_MIGRATE] = S(RUNNING) | S(POSTMIGRATE) | S(PRELAUNCH) | STOPS,
    [RUN_STATE_RESTORE_VM] = S(RUNNING) | S(PRELAUNCH) | STOPS,
    [RUN_STATE_RUNNING] = STOPS,
    [RUN_STATE_SAVE_VM] = S(RUNNING) | S(POSTMIGRATE) | S(PRELAUNCH) | STOPS,
    [RUN_STATE_SHUTDOWN] = IDLE,
    [RUN_STATE_SUSPENDED] = S(RUNNING) | S(SHUTDOWN) | IDLE,
    [RUN_STATE_WATCHDOG] = S(RUNNING) | IDLE,
    [RUN_STATE_GUEST_PANICKED] = S(RUNNING) | S(SHUTDOWN) | IDLE,
    [RUN_STATE_COLO] = S(RUNNING) | S(PRELAUNCH) | STOPS,
};

typedef struct Watcher {
    void *fn, *opaque;
} Watcher;

/* One machine in a process: its state, the pending requests and who wants to know. The atomics
 * are written by any thread, the rest under the machine lock. */
static _Atomic RunState current = RUN_STATE_PRELAUNCH;
static _Atomic int pending_shutdown, pending_reset, pending_exit_code = -1;
static _Atomic int pending_stop = RUN_STATE_COUNT;
static _Atomic bool pending_powerdown, pending_suspend, pending_wakeup;
static RunActions actions = {.panic = PANIC_SHUTDOWN};
static GArray *run_watchers, *powerdown_watchers, *suspend_watchers, *wakeup_watchers,
    *event_watchers;

RunState runstate(void)
{
    return current;
}

bool runstate_is(RunState s)
{
    return current == s;
}

bool runstate_running(void)
{
    return current == RUN_STATE_RUNNING;
}

const char *runstate_name(RunState s)
{
    return s < RUN_STATE_COUNT ? state_names[s] : "unknown";
}

void runstate_set(RunState s)
{
    RunState from = current;
    bool was_running = runstate_running();

    g_assert(s < RUN_STATE_COUNT);
    if (s == from) {
        return;
    }
    if (!(transitions[from] & 1u << s)) {
        g_error("run state: no way from '%s' to '%s'", state_names[from], state_names[s]);
    }
    current = s;
    if (was_running != runstate_running()) {
        for (unsigned i = 0; run_watchers != NULL && i < run_watchers->len; i++) {
            typedef void RunFn(void *opaque, bool running);
            const Watcher *w = &g_array_index(run_watchers, Watcher, i);

            ((RunFn *)w->fn)(w->opaque, runstate_running());
        }
    }
}

/* ---- who wants to know; each array holds Watchers ---- */

static void watch(GArray **list, void *fn, void *opaque)
{
    Watcher w = {fn, opaque};

    if (*list == NULL) {
        *list = g_array_new(FALSE, FALSE, sizeof(w));
    }
    g_array_append_val(*list, w);
}

static void unwatch(GArray *list, void *fn, void *opaque)
{
    for (unsigned i = 0; list != NULL && i < list->len; i++) {
        const Watcher *w = &g_array_index(list, Watcher, i);

        if (w->fn == fn && w->opaque == opaque) {
            g_array_remove_index(list, i);
            return;
        }
    }
}

static void tell(GArray *list)
{
    for (unsigned i = 0; list != NULL && i < list->len; i++) {
        typedef void PlainFn(void *opaque);
        const Watcher *w = &g_array_index(list, Watcher, i);

        ((PlainFn *)w->fn)(w->opaque);
    }
}

void runstate_watch(void (*fn)(void *opaque, bool running), void *opaque)
{
    watch(&run_watchers, fn, opaque);
}

void runstate_unwatch(void (*fn)(void *opaque, bool running), void *opaque)
{
    unwatch(run_watchers, fn, opaque);
}

void powerdown_watch(void (*fn)(void *opaque), void *opaque)
{
    watch(&powerdown_watchers, fn, opaque);
}

void suspend_watch(void (*fn)(void *opaque), void *opaque)
{
    watch(&suspend_watchers, fn, opaque);
}

void wakeup_watch(void (*fn)(void *opaque), void *opaque)
{
    watch(&wakeup_watchers, fn, opaque);
}

void vm_event_watch(void (*fn)(void *opaque, const VmEventInfo *info), void *opaque)
{
    watch(&event_watchers, fn, opaque);
}

void vm_event_unwatch(void (*fn)(void *opaque, const VmEventInfo *info), void *opaque)
{
    unwatch(event_watchers, fn, opaque);
}

void vm_event(const VmEventInfo *info)
{
    for (unsigned i = 0; event_watchers != NULL && i < event_watchers->len; i++) {
        typedef void EventFn(void *opaque, const VmEventInfo *info);
        const Watcher *w = &g_array_index(event_watchers, Watcher, i);

        ((EventFn *)w->fn)(w->opaque, info);
    }
}

static void plain_event(VmEvent event, ShutdownCause cause)
{
    vm_event(&(VmEventInfo){.event = event, .cause = cause});
}

/* ---- causes and actions ---- */

const char *shutdown_cause_name(ShutdownCause cause)
{
    static const char *const names[] = {
        [SHUTDOWN_NONE] = "none",
        [SHUTDOWN_HOST_ERROR] = "host-error",
        [SHUTDOWN_HOST_QMP_QUIT] = "host-qmp-quit",
        [SHUTDOWN_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
        [SHUTDOWN_HOST_SIGNAL] = "host-signal",
        [SHUTDOWN_HOST_UI] = "host-ui",
        [SHUTDOWN_GUEST_SHUTDOWN] = "guest-shutdown",
        [SHUTDOWN_GUEST_RESET] = "guest-reset",
        [SHUTDOWN_GUEST_PANIC] = "guest-panic",
        [SHUTDOWN_SUBSYSTEM_RESET] = "subsystem-reset",
        [SHUTDOWN_SNAPSHOT_LOAD] = "snapshot-load",
    };

    return cause < G_N_ELEMENTS(names) ? names[cause] : "none";
}

bool shutdown_by_guest(ShutdownCause cause)
{
    return cause >= SHUTDOWN_GUEST_SHUTDOWN;
}

RunActions *run_actions(void)
{
    return &actions;
}

/* ---- requests ---- */

void request_shutdown(ShutdownCause cause)
{
    pending_shutdown = cause;
    main_loop_wake();
}

void request_shutdown_with_code(ShutdownCause cause, int exit_code)
{
    pending_exit_code = exit_code;
    request_shutdown(cause);
}

bool shutdown_requested(void)
{
    return pending_shutdown != SHUTDOWN_NONE;
}

void request_reset(ShutdownCause cause)
{
    if (actions.reboot == REBOOT_SHUTDOWN && cause != SHUTDOWN_SUBSYSTEM_RESET) {
        pending_shutdown = cause;
    } else {
        pending_reset = cause;
    }
    main_loop_wake();
}

void request_powerdown(void)
{
    pending_powerdown = true;
    main_loop_wake();
}

void request_suspend(void)
{
    if (!runstate_is(RUN_STATE_SUSPENDED)) {
        pending_suspend = true;
        main_loop_wake();
    }
}

void request_wakeup(void)
{
    if (runstate_is(RUN_STATE_SUSPENDED)) {
        pending_wakeup = true;
        main_loop_wake();
    }
}

void request_stop(RunState state)
{
    pending_stop = state;
    main_loop_wake();
}

void watchdog_expired(void)
{
    static const char *const names[] = {
        [WATCHDOG_RESET] = "reset", [WATCHDOG_SHUTDOWN] = "shutdown",
        [WATCHDOG_POWEROFF] = "poweroff", [WATCHDOG_PAUSE] = "pause",
        [WATCHDOG_DEBUG] = "debug", [WATCHDOG_NONE] = "none",
        [WATCHDOG_INJECT_NMI] = "inject-nmi",
    };

    vm_event(&(VmEventInfo){.event = VM_EVENT_WATCHDOG, .action = names[actions.watchdog]});
    switch (actions.watchdog) {
    case WATCHDOG_RESET: request_reset(SHUTDOWN_GUEST_RESET); break;
    case WATCHDOG_SHUTDOWN: request_powerdown(); break;
    case WATCHDOG_POWEROFF: request_shutdown(SHUTDOWN_GUEST_SHUTDOWN); break;
    case WATCHDOG_PAUSE: request_stop(RUN_STATE_WATCHDOG); break;
    case WATCHDOG_DEBUG: info_report("watchdog: timer fired"); break;
    case WATCHDOG_NONE: break;
    case WATCHDOG_INJECT_NMI: break;    /* the event's watchers know the CPUs */
    }
}

void guest_panicked(void)
{
    static const char *const names[] = {[PANIC_PAUSE] = "pause", [PANIC_SHUTDOWN] = "poweroff",
                                        [PANIC_EXIT_FAILURE] = "poweroff", [PANIC_NONE] = "run"};

    vm_event(&(VmEventInfo){.event = VM_EVENT_GUEST_PANICKED, .action = names[actions.panic]});
    switch (actions.panic) {
    case PANIC_PAUSE: request_stop(RUN_STATE_GUEST_PANICKED); break;
    case PANIC_SHUTDOWN: request_shutdown(SHUTDOWN_GUEST_PANIC); break;
    case PANIC_EXIT_FAILURE: request_shutdown_with_code(SHUTDOWN_GUEST_PANIC, 1); break;
    case PANIC_NONE: break;
    }
}

void guest_crashloaded(void)
{
    vm_event(&(VmEventInfo){.event = VM_EVENT_GUEST_CRASHLOADED, .action = "run"});
}

/* ---- carrying them out ---- */

/* True: the process ends. */
static bool do_shutdown(Vm *vm, ShutdownCause cause, int *status)
{
    int code = atomic_exchange(&pending_exit_code, -1);

    plain_event(VM_EVENT_SHUTDOWN, cause);
    if (actions.shutdown == SHUTDOWN_PAUSE && cause != SHUTDOWN_HOST_QMP_QUIT &&
        cause != SHUTDOWN_HOST_SIGNAL && cause != SHUTDOWN_HOST_UI) {
        vm_stop(vm, RUN_STATE_SHUTDOWN);
        return false;
    }
    *status = code >= 0 ? code : 0;
    return true;
}

static void do_reset(Vm *vm, ShutdownCause cause)
{
    vm_pause_cpus(vm);
    vm_reset(vm);
    plain_event(VM_EVENT_RESET, cause);
    if (!runstate_running() && !runstate_is(RUN_STATE_INMIGRATE)) {
        runstate_set(RUN_STATE_PRELAUNCH);
    }
    vm_resume_cpus(vm);
}

static void do_suspend(Vm *vm)
{
    if (!runstate_running()) {
        return;
    }
    vm_pause_cpus(vm);
    runstate_set(RUN_STATE_SUSPENDED);
    tell(suspend_watchers);
    plain_event(VM_EVENT_SUSPEND, SHUTDOWN_NONE);
}

static void do_wakeup(Vm *vm)
{
    if (!runstate_is(RUN_STATE_SUSPENDED)) {
        return;
    }
    vm_reset(vm);
    tell(wakeup_watchers);
    runstate_set(RUN_STATE_RUNNING);
    vm_resume_cpus(vm);
    plain_event(VM_EVENT_WAKEUP, SHUTDOWN_NONE);
}

bool runstate_carry_out(Vm *vm, int *status)
{
    int stop = atomic_exchange(&pending_stop, RUN_STATE_COUNT);
    int cause;

    if (stop != RUN_STATE_COUNT) {
        vm_stop(vm, stop);
    }
    if (atomic_exchange(&pending_suspend, false)) {
        do_suspend(vm);
    }
    cause = atomic_exchange(&pending_shutdown, SHUTDOWN_NONE);
    if (cause != SHUTDOWN_NONE && do_shutdown(vm, cause, status)) {
        return true;
    }
    cause = atomic_exchange(&pending_reset, SHUTDOWN_NONE);
    if (cause != SHUTDOWN_NONE) {
        do_reset(vm, cause);
    }
    if (atomic_exchange(&pending_wakeup, false)) {
        do_wakeup(vm);
    }
    if (atomic_exchange(&pending_powerdown, false)) {
        plain_event(VM_EVENT_POWERDOWN, SHUTDOWN_NONE);
        tell(powerdown_watchers);
    }
    return false;
}
