// SPDX-License-Identifier: GPL-2.0-or-later
/* Local APIC: what its core, its register page and its timer share. */
#ifndef HW_INTC_APIC_INTERNAL_H
#define HW_INTC_APIC_INTERNAL_H

#include <string.h>
#include "exec/x86-apic.h"
#include "util/timer.h"

enum { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };
enum { MODE_FIXED, MODE_LOWEST, MODE_SMI, MODE_NMI = 4, MODE_INIT, MODE_SIPI, MODE_EXTINT };
#define LVT_MODE(e) ((e) >> 8 & 7)
#define LVT_LEVEL (1u << 15)
#define LVT_MASKED (1u << 16)
#define LVT_TIMER_MODE(e) ((e) >> 17 & 3)
enum { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };
#define SVR_ENABLE (1u << 8)
#define SVR_NO_EOI_BROADCAST (1u << 12)
#define ESR_SEND_ILLEGAL (1u << 5)
#define ESR_RECEIVE_ILLEGAL (1u << 6)
#define ESR_ILLEGAL_REGISTER (1u << 7)

typedef struct Apic {
    Device dev;
    Cpu *cpu;
    uint32_t id;                    /* x2APIC ID */
    bool x2apic;                    /* the mode exists */
    uint64_t base;                  /* IA32_APIC_BASE */
    uint8_t xapic_id, tpr, ldr;
    uint32_t dfr, svr, esr, esr_pending;
    uint64_t icr;
    uint32_t lvt[LVT_COUNT];
    uint32_t irr[8], isr[8], tmr[8];
    uint32_t initial_count, divide;
    int64_t timer_start_ns;         /* when initial_count was loaded last */
    uint64_t tsc_deadline;
    uint32_t sipi_vector;
    bool lint_level[2];
    Timer timer;
    const X86KernelIrq *kernel;         /* the real one is the kernel's; NULL: this is it */
    void (*taken)(void *opaque);        /* apic_watch_taken */
    void *taken_opaque;
} Apic;

#define APIC(d) ((Apic *)(d))

unsigned apic_ppr(const Apic *s);
/* Raises or lowers the CPU's interrupt request. */
void apic_update(Apic *s);
void apic_eoi(Apic *s);
void apic_send_ipi(Apic *s, uint64_t icr);
void apic_local_event(Apic *s, unsigned lvt);
void apic_bus_deliver(Vm *vm, uint32_t dest, bool logical, unsigned mode, unsigned vector,
                      bool level);
Apic *apic_by_cpu_index(Vm *vm, unsigned index);
void apic_map_window(Vm *vm);

void apic_timer_expired(void *opaque);
void apic_timer_start(Apic *s);
uint32_t apic_timer_count(const Apic *s);

#endif
