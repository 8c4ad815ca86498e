// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accelerators: what runs guest code (tcg, kvm) or stands in for it (qtest). An accelerator is
 * an object type "NAME-accel" whose properties are what `-accel NAME,prop=value` takes; the
 * first one that starts is the process's accelerator, vm->accel.
 */
#ifndef ACCEL_ACCEL_H
#define ACCEL_ACCEL_H

#include "exec/cpu.h"
#include "qom/vm.h"

typedef struct Accel Accel;
#define ACCEL_GIC_ITS (1u << 16)        /* in gic_versions */

typedef struct AccelType AccelType;

/* Why cpu_exec came back. */
typedef enum CpuExecResult {
    CPU_EXEC_AGAIN,        /* somebody asked for attention: look at the queue and at requests */
    CPU_EXEC_HALTED,       /* nothing to do until cpu_wake() */
    CPU_EXEC_DEBUG,        /* the debugger's breakpoint, watchpoint or step */
    CPU_EXEC_ATOMIC,       /* call cpu_exec_atomic: one instruction with all others stopped */
    CPU_EXEC_FAILED,       /* the host cannot go on: the machine stops with internal-error */
} CpuExecResult;

/* Hooks marked * may be NULL. */
struct AccelType {
    /* .name "tcg-accel", .parent "accel", .size >= sizeof(Accel) */
    ObjectType object;
    const char *thread_name;           /* "TCG": vCPU threads are called "CPU 0/TCG" */
    /*
     * Whether it can run this VM here; the reason goes into *error and start-up tries the next.
     * Once.
     */
    bool (*init)(Accel *a, Vm *vm, GError **error);
    void (*fini)(Accel *a);            /* * */
    /* A vCPU comes / goes. Machine lock. */
    bool (*cpu_create)(Cpu *cpu, GError **error);
    void (*cpu_destroy)(Cpu *cpu);     /* * */
    /*
     * On the vCPU's thread, without the machine lock: runs guest code until something wants
     * attention.
     */
    CpuExecResult (*cpu_exec)(Cpu *cpu);
    void (*cpu_exec_atomic)(Cpu *cpu); /* * */
    /*
     * A vCPU that runs guest code shall come back soon. Any thread; pending bits are set already. *
     */
    void (*cpu_kick)(Cpu *cpu);
    /*
     * The guest's state into the CPU struct, since somebody wants to see or change it; it goes back
     * before the vCPU runs again. Own thread, machine lock. NULL: it is always there.
     */
    void (*cpu_sync)(Cpu *cpu);
    /*
     * Breakpoints, watchpoints or single-stepping of cpu changed. Machine lock, vCPU not in guest
     * code. *
     */
    void (*debug_changed)(Cpu *cpu);
    /* HMP `info jit`. * */
    void (*info)(Accel *a, GString *out);
    /*
     * ARM: interrupt controllers are the kernel's (devices kvm-arm-gic, kvm-arm-gicv3); bit n: a
     * GICv<n> is there, ACCEL_GIC_ITS: an ITS (kvm-arm-its). NULL: they are devices like others.
     */
    unsigned (*gic_versions)(Accel *a);
    /* x86: there is no system management mode. */
    bool no_smm;
    /* Guest time is stepped by hand; there are no vCPU threads (qtest). */
    bool no_cpus;
};

struct Accel {
    Object obj;
    const AccelType *type;
    Vm *vm;
};

#define ACCEL_TYPE(t) TYPE_ROW_(KIND_OBJECT, t)

/*
 * Starts vm->accel. `list` has the command line's -accel values ("tcg,thread=multi") in order, or
 * -machine accel=kvm:tcg split at the colons; empty: the default order. Each one that cannot start
 * is reported on one line when another follows; when none starts, *error names the last reason.
 */
bool accel_start(Vm *vm, char *const *list, GError **error);
void accel_stop(Vm *vm);
/* "-accel help": a line for each type. */
void accel_help(GString *out);
/* "tcg": the name without "-accel". */
const char *accel_name(const Accel *a);
/* Text of HMP `info jit`; says so when the accelerator has no translator. */
void accel_info(Vm *vm, GString *out);

#endif
