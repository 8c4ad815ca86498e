// SPDX-License-Identifier: GPL-2.0-or-later
/* The runtime of bare64.h. */
#include "bare64.h"

#define APIC(n) (*(volatile uint32_t *)(0xfee00000ull + (n)))

volatile uint32_t cpu_count;
volatile unsigned num_cpus;
volatile uint32_t irq_count[64];
bool (*volatile on_trap)(Frame64 *f);
extern const char trap_stubs[];
static struct { uint64_t low, high; } idt[72];
static unsigned count;
static volatile uint32_t arrived, round_number, gone;

static void out8(unsigned port, unsigned v)
{
    __asm__ volatile("outb %%al, %%dx" ::"a"(v), "d"(port));
}

static unsigned in8(unsigned port)
{
    uint8_t v;

    __asm__ volatile("inb %%dx, %0" : "=a"(v) : "d"(port));
    return v;
}

static void put(const char *s)
{
    for (; *s; s++) {
        out8(0xe9, (unsigned char)*s);
    }
}

static void put_number(unsigned n)
{
    if (n > 9) {
        put_number(n / 10);
    }
    out8(0xe9, '0' + n % 10);
}

void note(const char *text, uint64_t v)
{
    put("# ");
    put(text);
    put(" ");
    for (int k = 60; k >= 0; k -= 4) {
        out8(0xe9, (unsigned char)"0123456789abcdef"[v >> k & 15]);
    }
    put("\n");
}

void ok(bool good, const char *name)
{
    put(good ? "ok " : "not ok ");
    put_number(++count);
    put(" - ");
    put(name);
    put("\n");
}

unsigned cpu_number(void)
{
    return APIC(0x20) >> 24;
}

void send_ipi(unsigned apic_id, uint32_t low)
{
    APIC(0x310) = apic_id << 24;
    APIC(0x300) = low;
    while (APIC(0x300) & 0x1000) {
        pause_cpu();
    }
}

void bare_trap(Frame64 *f);
void bare_trap(Frame64 *f)
{
    if (f->vector == 0x40) {
        irq_count[cpu_number()]++;
        APIC(0xb0) = 0;
        return;
    }
    if (on_trap && on_trap(f)) {
        return;
    }
    put("Bail out! exception\n");
    note("cpu", cpu_number());
    note("vector", f->vector);
    note("error", f->error);
    note("rip", f->rip);
    out8(0xf4, 1);
}

void barrier(void)
{
    uint32_t now = round_number;

    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == num_cpus) {
        arrived = 0;
        __atomic_store_n(&round_number, now + 1, __ATOMIC_SEQ_CST);
    }
    while (round_number == now) {
        pause_cpu();
    }
}

static void tables(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) r = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lidt %0" ::"m"(r));
    APIC(0xf0) = 0x1ff;
}

/* fw_cfg key 5: the number of processors. */
static unsigned present_cpus(void)
{
    __asm__ volatile("outw %%ax, %%dx" ::"a"(5), "d"(0x510));
    return in8(0x511);
}

void bare_cpu(unsigned n);
void bare_cpu(unsigned n)
{
    if (n == 0) {
        for (unsigned k = 0; k < 72; k++) {
            uint64_t at = (uint64_t)trap_stubs + k * 16;
            idt[k].low = (at & 0xffff) | 24 << 16 | 0x8eull << 40 | (at >> 16 & 0xffff) << 48;
            idt[k].high = at >> 32;
        }
        tables();
        num_cpus = present_cpus();
        if (num_cpus > 1) {
            APIC(0x300) = 0xc4500;      /* INIT, all but self */
            for (unsigned k = 0; k < 1000; k++) {
                in8(0x80);
            }
            APIC(0x300) = 0xc46f0;      /* SIPI F0h */
        }
    } else {
        tables();
    }
    barrier();
    cpu_tests(cpu_number());
    barrier();
    if (n == 0) {
        put("1..");
        put_number(count);
        put("\n");
        out8(0xf4, 0);
    }
}
