// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between an x86 vCPU and its local APIC (hw/intc/apic.c). Machine lock for all. The APIC
 * speaks to its CPU by cpu_interrupt() with the bits below.
 *
 * Boards: a CPU device has the input pins "intr" (0: output of the master 8259A, of CPU 0 only),
 * "nmi" (0), "smi" (0) and "a20" (0: keyboard controller, 1: port 92h; A20 is on when either is
 * high; of CPU 0 only, it acts on all). The APICs map the page and the MSI window at FEE00000h
 * themselves, into vm->memory.
 */
#ifndef EXEC_X86_APIC_H
#define EXEC_X86_APIC_H

#include "exec/cpu.h"

/* x86 bits of Cpu.pending beside CPU_PENDING_HARD and CPU_PENDING_NMI. */
enum {
    X86_PENDING_SMI = CPU_PENDING_TARGET,
    X86_PENDING_INIT = CPU_PENDING_TARGET << 1,
    X86_PENDING_SIPI = CPU_PENDING_TARGET << 2,
    X86_PENDING_MCE = CPU_PENDING_TARGET << 3,
};

#define APIC_BASE_ADDRESS 0xfee00000u
#define APIC_BASE_BSP (1u << 8)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)

/* Makes and realizes the local APIC of cpu as its child "lapic". */
Device *apic_create(Cpu *cpu, unsigned apic_id, bool x2apic, GError **error);
uint64_t apic_base(Device *apic);
/* WRMSR to IA32_APIC_BASE; false: #GP. */
bool apic_set_base(Device *apic, uint64_t value);
/* CR8. */
unsigned apic_cr8(Device *apic);
void apic_set_cr8(Device *apic, unsigned value);
/* Acknowledges: the vector to deliver, -1: none after all. */
int apic_take_interrupt(Device *apic);
bool apic_has_interrupt(Device *apic);
/* What was taken has ended, as by a write of EOI. */
void apic_end_interrupt(Device *apic);
/* x2APIC MSR 800h + reg; false: #GP. */
bool apic_msr_read(Device *apic, unsigned reg, uint64_t *value);
bool apic_msr_write(Device *apic, unsigned reg, uint64_t value);
/* IA32_TSC_DEADLINE: the TSC value (0: disarmed) and the guest time that it stands for. */
uint64_t apic_tsc_deadline(Device *apic);
void apic_set_tsc_deadline(Device *apic, uint64_t tsc, int64_t deadline_ns);
/* State after INIT (SDM 3A 10.4.7.3); the base MSR stays. */
void apic_init_reset(Device *apic);
/* Whether `vector` waits in an APIC that a message to dest reaches. */
bool apic_bus_waits(Vm *vm, uint32_t dest, bool logical, unsigned vector);
/*
 * fn(opaque) after a CPU took an interrupt: a timer may send what it held back. One per machine,
 * after the CPUs are made.
 */
void apic_watch_taken(Vm *vm, void (*fn)(void *opaque), void *opaque);
/* An interrupt as it travels to local APICs. */
typedef struct X86Interrupt {
    uint32_t dest;
    uint8_t mode, vector;
    bool logical, level;
} X86Interrupt;
void x86_interrupt_deliver(Vm *vm, X86Interrupt i);
/*
 * Interrupt controllers of the host's kernel: an accelerator publishes them under this name before
 * there are CPUs. Local APICs are among them: the "apic" devices keep the lines of the 8259A and
 * LINT1, and no more. Machine lock.
 */
#define X86_KERNEL_IRQ "x86-kernel-irq"
typedef struct X86KernelIrq {
    void (*deliver)(void *opaque, const X86Interrupt *i);
    /*
     * 8259As and I/O APICs are devices: what a pin (of the second I/O APIC from 24) now sends; NULL:
     * nothing. When such a level-triggered one ends, ioapic_eoi_broadcast is called. NULL: the
     * kernel's.
     */
    void (*route)(void *opaque, unsigned pin, const X86Interrupt *i);
    /* They are the kernel's: level of a line, reset of the chips. NULL: devices. */
    void (*line)(void *opaque, unsigned gsi, int level);
    void (*reset)(void *opaque);
    void *opaque;
} X86KernelIrq;
bool apic_in_kernel(const Device *apic);
/* A local APIC ended a level-triggered interrupt of this vector; hw/intc/ioapic.c. */
void ioapic_eoi_broadcast(Vm *vm, uint8_t vector);
/* A message in its plain form (SDM 3A 11.11). */
static inline X86Interrupt x86_message_decode(uint64_t address, uint32_t data)
{
    return (X86Interrupt){
        .dest = address >> 12 & 0xff,
        .logical = address >> 2 & 1,
        .mode = data >> 8 & 7,
        .vector = data,
        .level = data >> 15 & 1,
    };
}
/*
 * An IOMMU through which the messages of I/O APICs pass; those of PCI functions it sees in their
 * address spaces. remap is false for what it blocks. Published under this name.
 */
#define X86_REMAPPER "x86-remapper"
#define X86_IOAPIC_SOURCE 0xff00             /* requester of I/O APICs, as told in its table */
#define X86_AMD_IOAPIC_SOURCE 0x00a0         /* ... in AMD's: drivers know it by this */
typedef struct X86Remapper {
    bool (*remap)(void *opaque, uint16_t source, uint64_t address, uint32_t data, X86Interrupt *out);
    void *opaque;
} X86Remapper;

/* Vector of the SIPI that X86_PENDING_SIPI announced. */
unsigned apic_sipi_vector(Device *apic);
/* Level of the CPU's INTR line from the 8259A (LINT0), and of LINT1. */
void apic_set_lint(Device *apic, unsigned n, int level);
/* Text for HMP info lapic. */
void apic_print(Device *apic, GString *out);

#endif
