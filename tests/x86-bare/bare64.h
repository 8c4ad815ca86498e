// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What 64-bit images share: TAP on the debug console, processors that meet at barriers, the local
 * APIC.
 */
#ifndef X86_BARE64_H
#define X86_BARE64_H

#include <stdbool.h>
#include <stdint.h>

/* What bare_trap gets. */
typedef struct Frame64 {
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
} Frame64;

extern volatile uint32_t cpu_count;
extern volatile unsigned num_cpus;              /* that take part; set by the first */
extern volatile uint32_t irq_count[64];         /* interrupts 40h taken, by processor */
extern bool (*volatile on_trap)(Frame64 *f);    /* true: return to where it struck */

void ok(bool good, const char *name);
void note(const char *text, uint64_t v);
void barrier(void);
unsigned cpu_number(void);                      /* by local APIC ID */
void send_ipi(unsigned apic_id, uint32_t low);

/* Every processor runs it, between barriers; only the first may call ok. */
void cpu_tests(unsigned cpu);

static inline void pause_cpu(void)
{
    __asm__ volatile("pause" ::: "memory");
}

static inline uint64_t rdmsr(uint32_t n)
{
    uint32_t a, d;

    __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n));
    return a | (uint64_t)d << 32;
}

static inline void wrmsr(uint32_t n, uint64_t v)
{
    __asm__ volatile("wrmsr" ::"a"((uint32_t)v), "d"((uint32_t)(v >> 32)), "c"(n));
}

#endif
