// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Eight processors at once: locks, atomic instructions aligned and split, ordering of stores and
 * loads, interrupts between processors, changes of page tables and of code. SDM 3A chapter 8.
 */
// run: -smp 8
#include "bare64.h"

enum { ROUNDS = 3000, MAX = 8 };
static volatile uint64_t counter, plain, ticket_next, ticket_now, lost[4];
static volatile uint32_t lock;
static volatile struct { uint64_t low, high; } pair __attribute__((aligned(16)));
static volatile uint8_t seen[MAX * ROUNDS];
static uint8_t split_area[8192] __attribute__((aligned(4096)));
static volatile uint64_t flag_x, flag_y, seen_x, seen_y, both_zero, message, message_ready,
    bad_message;

static void begin(unsigned cpu)
{
    barrier();
    if (cpu == 0) {
        counter = plain = 0;
    }
    barrier();
}

static void atomics(unsigned cpu)
{
    volatile uint64_t *split = (volatile uint64_t *)(split_area + 4096 - 3);
    volatile uint32_t *line = (volatile uint32_t *)(split_area + 62);

    begin(cpu);
    for (unsigned k = 0; k < ROUNDS; k++) {
        uint64_t v = 1;
        __asm__ volatile("lock xaddq %0, %1" : "+r"(v), "+m"(counter)::"memory", "cc");
        seen[v]++;
    }
    barrier();
    if (cpu == 0) {
        unsigned wrong = 0;
        for (unsigned k = 0; k < num_cpus * ROUNDS; k++) {
            wrong += seen[k] != 1;
        }
        ok(counter == num_cpus * ROUNDS && !wrong, "lock xadd gives each number once");
    }
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS; k++) {
        __asm__ volatile("lock incq %0" : "+m"(*split)::"memory", "cc");
        __asm__ volatile("lock incl %0" : "+m"(*line)::"memory", "cc");
        __asm__ volatile("lock xorb $1, %0" : "+m"(split_area[100])::"memory", "cc");
    }
    barrier();
    if (cpu == 0) {
        ok(*split == num_cpus * ROUNDS, "lock inc over the end of a page");
        ok(*line == num_cpus * ROUNDS, "and of a cache line");
        ok(split_area[100] == (num_cpus * ROUNDS & 1), "lock xor of a byte");
    }
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS; k++) {
        uint64_t old;
        do {
            old = counter;
        } while (!__atomic_compare_exchange_n((uint64_t *)&counter, &old, old + 3, false,
                                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    }
    barrier();
    if (cpu == 0) {
        ok(counter == 3ull * num_cpus * ROUNDS, "lock cmpxchg");
    }
}

static void pairs(unsigned cpu)
{
    if (cpu == 0) {
        pair.low = 0;
        pair.high = ~0ull;
    }
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS; k++) {
        uint64_t a = pair.low, d = pair.high;
        uint8_t done;
        do {
            __asm__ volatile("lock cmpxchg16b %1; setz %0"
                             : "=q"(done), "+m"(pair), "+a"(a), "+d"(d)
                             : "b"(a + 1), "c"(~(a + 1))
                             : "memory", "cc");
        } while (!done);
        if (d != ~a) {
            lost[0]++;
        }
    }
    barrier();
    if (cpu == 0) {
        ok(pair.low == num_cpus * ROUNDS && pair.high == ~pair.low && !lost[0],
           "lock cmpxchg16b keeps both halves together");
    }
}

static void locks(unsigned cpu)
{
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS / 4; k++) {
        uint32_t v = 1;
        for (;;) {
            __asm__ volatile("xchgl %0, %1" : "+r"(v), "+m"(lock)::"memory");
            if (!v) {
                break;
            }
            while (lock) {
                pause_cpu();
            }
            v = 1;
        }
        plain = plain + 1;
        __asm__ volatile("" ::: "memory");
        lock = 0;
    }
    barrier();
    if (cpu == 0) {
        ok(plain == num_cpus * (ROUNDS / 4), "a lock of XCHG and a plain store");
    }
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS / 16; k++) {
        uint64_t mine = __atomic_fetch_add((uint64_t *)&ticket_next, 1, __ATOMIC_SEQ_CST);
        while (ticket_now != mine) {
            pause_cpu();
        }
        plain = plain + 1;
        ticket_now = mine + 1;
    }
    barrier();
    if (cpu == 0) {
        ok(plain == num_cpus * (ROUNDS / 16), "a ticket lock");
    }
    begin(cpu);
    for (unsigned k = 0; k < ROUNDS / 4; k++) {
        while (__builtin_expect(({
                                    bool c;
                                    __asm__ volatile("lock btsl $7, %1; setc %0"
                                                     : "=q"(c), "+m"(lock)::"memory", "cc");
                                    c;
                                }),
                                0)) {
            pause_cpu();
        }
        plain = plain + 1;
        __asm__ volatile("lock btrl $7, %0" : "+m"(lock)::"memory", "cc");
    }
    barrier();
    if (cpu == 0) {
        ok(plain == num_cpus * (ROUNDS / 4), "a lock of BTS and BTR");
    }
}

/* SDM 3A 8.2.3: with MFENCE not both see the other's old value; stores are seen in order. */
static void ordering(unsigned cpu)
{
    for (unsigned k = 0; k < 200; k++) {
        barrier();
        if (cpu == 0) {
            flag_x = flag_y = 0;
        }
        barrier();
        if (cpu == 0) {
            flag_x = 1;
            __asm__ volatile("mfence" ::: "memory");
            seen_y = flag_y;
        } else if (cpu == 1) {
            flag_y = 1;
            __asm__ volatile("mfence" ::: "memory");
            seen_x = flag_x;
        }
        barrier();
        if (cpu == 0 && !seen_x && !seen_y) {
            both_zero++;
        }
    }
    if (cpu == 0) {
        ok(num_cpus < 2 || !both_zero, "stores before MFENCE are seen");
    }
    barrier();
    for (uint64_t k = 1; k <= ROUNDS; k++) {
        if (cpu == 0) {
            message = k;
            message_ready = k;
        } else {
            uint64_t r = message_ready, m = message;
            if (m < r) {
                bad_message++;
            }
        }
    }
    barrier();
    if (cpu == 0) {
        ok(!bad_message, "stores are seen in their order");
    }
}

static void interrupts(unsigned cpu)
{
    barrier();
    __asm__ volatile("sti");
    if (cpu == 0) {
        for (unsigned k = 0; k < 50; k++) {
            for (unsigned n = 1; n < num_cpus; n++) {
                uint32_t before = irq_count[n];
                send_ipi(n, 0x4040);
                while (irq_count[n] == before) {
                    pause_cpu();
                }
            }
        }
        message = 0;
        __atomic_store_n(&message_ready, 0, __ATOMIC_SEQ_CST);
        ok(true, "every interrupt arrives");
        for (unsigned n = 1; n < num_cpus; n++) {
            send_ipi(n, 0x4040);
        }
    } else {
        while (message_ready) {
            __asm__ volatile("hlt");
        }
    }
    __asm__ volatile("cli");
    barrier();
    if (cpu == 0) {
        unsigned wrong = 0;
        for (unsigned n = 1; n < num_cpus; n++) {
            wrong += irq_count[n] < 51;
        }
        ok(!wrong, "HLT ends by it");
    }
}

static volatile uint32_t *const window = (volatile uint32_t *)0x40000000;
static volatile uint32_t stale;

/* The first moves a page under the others, who drop their translations when told. */
static void page_tables(unsigned cpu)
{
    volatile uint64_t *entry = (volatile uint64_t *)0x93000;

    for (unsigned k = 0; k < 40; k++) {
        barrier();
        if (cpu == 0) {
            *(volatile uint32_t *)(0x200000ull + k % 2 * 0x200000) = k;
            *entry = (0x200000 + k % 2 * 0x200000) | 0x87;
        }
        barrier();
        __asm__ volatile("invlpg %0" ::"m"(*window) : "memory");
        if (*window != k) {
            __atomic_add_fetch(&stale, 1, __ATOMIC_SEQ_CST);
        }
        barrier();
    }
    if (cpu == 0) {
        ok(!stale, "a moved page is seen after INVLPG");
    }
}

/*
 * Code that the first writes is run by the others after a serializing instruction (SDM 3A 8.1.3).
 */
static void code(unsigned cpu)
{
    uint8_t *p = (uint8_t *)0x300000;
    uint32_t (*fn)(void) = (uint32_t (*)(void))p;

    for (uint32_t k = 0; k < 60; k++) {
        barrier();
        if (cpu == 0) {
            p[0] = 0xb8;
            *(volatile uint32_t *)(p + 1) = k;
            p[5] = 0xc3;
        }
        barrier();
        __asm__ volatile("cpuid" ::"a"(0), "c"(0) : "rbx", "rdx", "memory");
        if (fn() != k) {
            __atomic_add_fetch(&stale, 1, __ATOMIC_SEQ_CST);
        }
    }
    barrier();
    if (cpu == 0) {
        ok(!stale, "new code is run by all");
    }
}

void cpu_tests(unsigned cpu)
{
    atomics(cpu);
    pairs(cpu);
    locks(cpu);
    ordering(cpu);
    message_ready = 1;
    interrupts(cpu);
    page_tables(cpu);
    code(cpu);
}
