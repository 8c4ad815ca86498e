// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPU threads: one for each vCPU, its sleep and wake-up, its work queue, stopping and starting
 * all of them, and sections that run beside no guest code. What a thread does between two
 * looks around is the accelerator's cpu_exec.
 *
 * Locks: the machine lock guards everything here but the work queues (each has its own lock) and
 * exclusive sections (exclusive.lock). Order: machine lock, then work_lock; exclusive.lock is
 * taken with neither held, except the registry's change at thread start.
 */
#include <unistd.h>
#include "accel/accel.h"
#include "block/block.h"
#include "monitor/gdbstub.h"
#include "util/event-loop.h"
#include "util/thread.h"
#include "util/timer.h"

/* The vCPU of this thread: what current_cpu() is about. */
static _Thread_local Cpu *this_cpu;

/*
 * Signalled under the machine lock when a vCPU has stopped, started or ended. One for the process.
 */
static pthread_cond_t cpus_changed = PTHREAD_COND_INITIALIZER;

/*
 * Exclusive sections, one at a time in the process. `wanted` is read without the lock: a vCPU sets
 * in_guest, then looks at wanted; the section's owner sets wanted, then looks at each in_guest.
 */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t quiet;              /* somebody left guest code */
    pthread_cond_t done;               /* the section ended */
    _Atomic bool wanted;
    Cpu *owner;
    GPtrArray *cpus;                   /* all that may run guest code */
} exclusive = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .quiet = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
};

/* Completion of cpu_run_on_wait, for all waiters of the process. */
static pthread_mutex_t work_done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_done = PTHREAD_COND_INITIALIZER;

typedef struct CpuWork {
    CpuWorkFn *fn;
    uint64_t data;
    bool waited_for;                   /* on the waiter's stack; else freed when done */
    bool done;                         /* with work_done_lock */
} CpuWork;

Cpu *current_cpu(void)
{
    return this_cpu;
}

Cpu *cpu_by_index(const Vm *vm, unsigned index)
{
    for (unsigned i = 0; i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];

        if (cpu->index == index) {
            return cpu;
        }
    }
    return NULL;
}

static const AccelType *cpu_accel(const Cpu *cpu)
{
    return cpu->dev.vm->accel->type;
}

/* ---- attention ---- */

static void cpu_signal(Cpu *cpu)
{
    if (!atomic_load(&cpu->sleeping)) {
        return;
    }
    if (machine_locked()) {
        machine_lock_notify(&cpu->wake);
    } else {
        machine_lock();
        machine_lock_notify(&cpu->wake);
        machine_unlock();
    }
}

static void cpu_kick(Cpu *cpu)
{
    Vm *vm = cpu->dev.vm;

    atomic_store(&cpu->attention, 1);
    if (vm && vm->accel && vm->accel->type->cpu_kick && cpu != this_cpu) {
        vm->accel->type->cpu_kick(cpu);
    }
}

void cpu_interrupt(Cpu *cpu, uint32_t bits)
{
    bits &= ~(uint32_t)CPU_PENDING_EXIT;
    if (bits) {
        atomic_fetch_or(&cpu->pending, bits);
    }
    cpu_kick(cpu);
    cpu_signal(cpu);
}

void cpu_interrupt_clear(Cpu *cpu, uint32_t bits)
{
    atomic_fetch_and(&cpu->pending, ~bits);
}

void cpu_wake(Cpu *cpu)
{
    cpu_kick(cpu);
    cpu_signal(cpu);
}

/* ---- work queues ---- */

static void cpu_queue(Cpu *cpu, CpuWork *w)
{
    pthread_mutex_lock(&cpu->work_lock);
    g_queue_push_tail(&cpu->work, w);
    pthread_mutex_unlock(&cpu->work_lock);
    cpu_interrupt(cpu, CPU_PENDING_WORK);
}

void cpu_run_on(Cpu *cpu, CpuWorkFn *fn, uint64_t data)
{
    CpuWork *w;

    if (cpu->dev.vm->accel->type->no_cpus) {
        fn(cpu, data);
        return;
    }
    w = g_new0(CpuWork, 1);
    w->fn = fn;
    w->data = data;
    cpu_queue(cpu, w);
}

void cpu_run_on_wait(Cpu *cpu, CpuWorkFn *fn, uint64_t data)
{
    CpuWork w = {.fn = fn, .data = data, .waited_for = true};
    bool locked = machine_locked();

    if (cpu == this_cpu || !cpu->created || cpu->dev.vm->accel->type->no_cpus) {
        fn(cpu, data);
        return;
    }
    cpu_queue(cpu, &w);
    if (locked) {
        machine_unlock();
    }
    pthread_mutex_lock(&work_done_lock);
    while (!w.done) {
        pthread_cond_wait(&work_done, &work_done_lock);
    }
    pthread_mutex_unlock(&work_done_lock);
    if (locked) {
        machine_lock();
    }
}

static void nothing(Cpu *cpu, uint64_t data)
{
}

void cpu_synchronize(Cpu *cpu)
{
    if (cpu_accel(cpu)->cpu_sync && cpu != this_cpu && !cpu->stopped) {
        cpu_run_on_wait(cpu, nothing, 0);      /* whoever works the queue has the state */
    }
}

static void cpu_run_queue(Cpu *cpu)
{
    if (!(atomic_load(&cpu->pending) & CPU_PENDING_WORK)) {
        return;
    }
    atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_PENDING_WORK);
    for (;;) {
        pthread_mutex_lock(&cpu->work_lock);
        CpuWork *w = g_queue_pop_head(&cpu->work);
        pthread_mutex_unlock(&cpu->work_lock);
        if (!w) {
            return;
        }
        w->fn(cpu, w->data);
        if (w->waited_for) {
            pthread_mutex_lock(&work_done_lock);
            w->done = true;
            pthread_cond_broadcast(&work_done);
            pthread_mutex_unlock(&work_done_lock);
        } else {
            g_free(w);
        }
    }
}

/* ---- exclusive sections ---- */

static void guest_enter_slow(Cpu *cpu)
{
    pthread_mutex_lock(&exclusive.lock);
    while (exclusive.owner && exclusive.owner != cpu) {
        atomic_store(&cpu->in_guest, 0);
        pthread_cond_broadcast(&exclusive.quiet);
        pthread_cond_wait(&exclusive.done, &exclusive.lock);
    }
    atomic_store(&cpu->in_guest, 1);
    pthread_mutex_unlock(&exclusive.lock);
}

void cpu_guest_enter(Cpu *cpu)
{
    atomic_store(&cpu->in_guest, 1);
    if (atomic_load(&exclusive.wanted)) {
        guest_enter_slow(cpu);
    }
}

void cpu_guest_leave(Cpu *cpu)
{
    atomic_store(&cpu->in_guest, 0);
    if (atomic_load(&exclusive.wanted)) {
        pthread_mutex_lock(&exclusive.lock);
        pthread_cond_broadcast(&exclusive.quiet);
        pthread_mutex_unlock(&exclusive.lock);
    }
}

/* Somebody else is still in guest code. exclusive.lock. */
static bool others_in_guest(Cpu *cpu)
{
    for (unsigned i = 0; i < exclusive.cpus->len; i++) {
        Cpu *other = exclusive.cpus->pdata[i];
        if (other != cpu && atomic_load(&other->in_guest)) {
            return true;
        }
    }
    return false;
}

void cpu_exclusive_begin(Cpu *cpu)
{
    g_assert(!cpu->in_exclusive && !machine_locked());
    cpu_guest_leave(cpu);
    pthread_mutex_lock(&exclusive.lock);
    while (exclusive.owner) {
        pthread_cond_wait(&exclusive.done, &exclusive.lock);
    }
    exclusive.owner = cpu;
    atomic_store(&exclusive.wanted, true);
    for (unsigned i = 0; i < exclusive.cpus->len; i++) {
        Cpu *other = exclusive.cpus->pdata[i];
        if (other != cpu && atomic_load(&other->in_guest)) {
            cpu_kick(other);
        }
    }
    while (others_in_guest(cpu)) {
        pthread_cond_wait(&exclusive.quiet, &exclusive.lock);
    }
    pthread_mutex_unlock(&exclusive.lock);
    cpu->in_exclusive = true;
}

void cpu_exclusive_end(Cpu *cpu)
{
    cpu->in_exclusive = false;
    pthread_mutex_lock(&exclusive.lock);
    exclusive.owner = NULL;
    atomic_store(&exclusive.wanted, false);
    pthread_cond_broadcast(&exclusive.done);
    pthread_mutex_unlock(&exclusive.lock);
    cpu_guest_enter(cpu);
}

static void exclusive_register(Cpu *cpu, bool add)
{
    pthread_mutex_lock(&exclusive.lock);
    if (!exclusive.cpus) {
        exclusive.cpus = g_ptr_array_new();
    }
    if (add) {
        g_ptr_array_add(exclusive.cpus, cpu);
    } else {
        g_ptr_array_remove(exclusive.cpus, cpu);
    }
    pthread_mutex_unlock(&exclusive.lock);
}

/* ---- the thread ---- */

static bool cpu_can_run(const Cpu *cpu)
{
    return !cpu->stopped && !cpu->stop_requested && !cpu->hold && runstate_running();
}

static bool cpu_idle(Cpu *cpu)
{
    if (cpu->stop_requested || cpu->unplug ||
        (atomic_load(&cpu->pending) & CPU_PENDING_WORK)) {
        return false;
    }
    if (!cpu_can_run(cpu)) {
        return true;
    }
    return cpu->halted && !cpu->arch->has_work(cpu);
}

/* Sleeps until there is something to do; runs the queue; stops when asked. Machine lock. */
static void cpu_look_around(Cpu *cpu)
{
    while (cpu_idle(cpu)) {
        atomic_store(&cpu->sleeping, true);
        if (cpu_idle(cpu)) {           /* again: a kick before `sleeping` was set sent no signal */
            machine_lock_wait(&cpu->wake);
        }
        atomic_store(&cpu->sleeping, false);
    }
    if (cpu_accel(cpu)->cpu_sync &&
        (cpu->stop_requested || (atomic_load(&cpu->pending) & CPU_PENDING_WORK))) {
        cpu_accel(cpu)->cpu_sync(cpu);
    }
    if (cpu->stop_requested) {
        cpu->stop_requested = false;
        cpu->stopped = true;
        machine_lock_notify(&cpus_changed);
    }
    atomic_fetch_and(&cpu->pending, ~(uint32_t)CPU_PENDING_STOP);
    cpu_run_queue(cpu);
}

static void cpu_after(Cpu *cpu, CpuExecResult r)
{
    switch (r) {
    case CPU_EXEC_DEBUG:
        cpu->stopped = true;
        gdb_cpu_stopped(cpu);
        request_stop(RUN_STATE_DEBUG);
        break;
    case CPU_EXEC_FAILED:
        cpu->stopped = true;
        request_stop(RUN_STATE_INTERNAL_ERROR);
        break;
    default:
        break;
    }
}

static void *cpu_thread(void *opaque)
{
    Cpu *cpu = opaque;
    const AccelType *accel = cpu_accel(cpu);

    this_cpu = cpu;
    machine_lock();
    cpu->thread_id = gettid();
    cpu->created = true;
    machine_lock_notify(&cpus_changed);
    while (!cpu->unplug) {
        cpu_look_around(cpu);
        if (!cpu_can_run(cpu) || cpu->unplug) {
            continue;
        }
        machine_unlock();
        CpuExecResult r = accel->cpu_exec(cpu);
        if (r == CPU_EXEC_ATOMIC) {
            accel->cpu_exec_atomic(cpu);
        }
        machine_lock();
        cpu_after(cpu, r);
    }
    cpu->created = false;
    cpu->stopped = true;
    machine_lock_notify(&cpus_changed);
    machine_unlock();
    return NULL;
}

bool cpu_start_thread(Cpu *cpu, GError **error)
{
    Accel *accel = cpu->dev.vm->accel;
    g_autofree char *name = NULL;

    pthread_cond_init(&cpu->wake, NULL);
    pthread_mutex_init(&cpu->work_lock, NULL);
    g_queue_init(&cpu->work);
    cpu->exception = CPU_EXC_NONE;
    cpu->stopped = !runstate_running();
    if (!accel->type->cpu_create(cpu, error)) {
        return false;
    }
    if (accel->type->no_cpus) {
        cpu->created = cpu->stopped = true;
        return true;
    }
    exclusive_register(cpu, true);

    name = g_strdup_printf("CPU %u/%s", cpu->index, accel->type->thread_name);
    if (!thread_start(&cpu->thread, name, cpu_thread, cpu, error)) {
        exclusive_register(cpu, false);
        return false;
    }
    while (!cpu->created) {
        machine_lock_wait(&cpus_changed);
    }
    return true;
}

void cpu_stop_thread(Cpu *cpu)
{
    const AccelType *accel = cpu_accel(cpu);

    if (!accel->no_cpus) {
        cpu->unplug = true;
        cpu_interrupt(cpu, CPU_PENDING_STOP);
        while (cpu->created) {
            machine_lock_wait(&cpus_changed);
        }
        machine_unlock();
        pthread_join(cpu->thread, NULL);
        machine_lock();
        exclusive_register(cpu, false);
    }
    if (accel->cpu_destroy) {
        accel->cpu_destroy(cpu);
    }
    gdb_cpu_gone(cpu);
    g_clear_pointer(&cpu->breakpoints, g_array_unref);
    g_clear_pointer(&cpu->watchpoints, g_array_unref);
}

/* ---- the machine starts and stops ---- */

static bool all_stopped(const Vm *vm)
{
    for (unsigned i = 0; i < vm->cpus->len; i++) {
        const Cpu *cpu = vm->cpus->pdata[i];
        if (cpu->created && !cpu->stopped) {
            return false;
        }
    }
    return true;
}

void vm_pause_cpus(Vm *vm)
{
    if (!vm->accel || vm->accel->type->no_cpus || !vm->cpus) {
        return;
    }
    for (unsigned i = 0; i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];
        if (cpu == this_cpu) {
            cpu->stopped = true;
        } else if (cpu->created && !cpu->stopped) {
            cpu->stop_requested = true;
            cpu_interrupt(cpu, CPU_PENDING_STOP);
        }
    }
    while (!all_stopped(vm)) {
        machine_lock_wait(&cpus_changed);
    }
}

void vm_resume_cpus(Vm *vm)
{
    if (!vm->accel || vm->accel->type->no_cpus || !vm->cpus) {
        return;
    }
    for (unsigned i = 0; i < vm->cpus->len; i++) {
        Cpu *cpu = vm->cpus->pdata[i];
        cpu->stop_requested = false;
        cpu->stopped = false;
        cpu_wake(cpu);
    }
}

void vm_start(Vm *vm)
{
    if (runstate_running()) {
        return;
    }
    clock_guest_run(true);
    runstate_set(RUN_STATE_RUNNING);
    vm_event(&(VmEventInfo){.event = VM_EVENT_RESUME});
    vm_resume_cpus(vm);
}

void vm_stop(Vm *vm, RunState state)
{
    if (this_cpu) {
        request_stop(state);
        this_cpu->stop_requested = true;
        cpu_interrupt(this_cpu, CPU_PENDING_STOP);
        return;
    }
    if (!runstate_running()) {
        return;                        /* why it stands has been said */
    }
    clock_guest_run(false);
    vm_pause_cpus(vm);
    event_loop_sync_all();      /* kicks that came before are handled */
    block_drain_all();
    runstate_set(state);
    vm_event(&(VmEventInfo){.event = VM_EVENT_STOP});
}
