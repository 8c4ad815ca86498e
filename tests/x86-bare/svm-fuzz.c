// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Control blocks with random contents: VMRUN of each comes back, whatever is in it, and the
 * hypervisor is as it was. Nested tables keep the guest from writing where the test lives.
 */
#include "bare64.h"
#include "svm.h"

enum { ROUNDS = 2000 };

GUEST(g_mixed, "cpuid; rdtsc; inb $0x71; movl $0x174, %ecx; rdmsr; pushfq; popfq; movl 0x1064000, "
               "%eax; movq %cr0, %rax; "
               "movq %rax, %cr0; sti; nop; int3; ud2");

static void mutate_control(void)
{
    for (unsigned n = 1 + rnd() % 4; n; n--) {
        unsigned at = rnd() % 0x1a * 8;

        V64(at) = rnd() % 2 ? rnd_value() : V64(at) ^ 1ull << rnd() % 64;
    }
}

static void mutate_state(void)
{
    for (unsigned n = 1 + rnd() % 4; n; n--) {
        unsigned at = 0x400 + rnd() % 0x50 * 8;

        V64(at) = rnd() % 2 ? rnd_value() : V64(at) ^ 1ull << rnd() % 64;
    }
}

/* What lets the hypervisor back in, and keeps the guest from memory by VMSAVE, and from ports. */
static void keep_control(bool state_mutated)
{
    V32(MISC) |= 1u << 0 | 1u << 1 | 1u << 27 | 1u << 28 | 1u << 31;
    V32(MISC + 4) |= 0x7f;
    V64(INT_CONTROL) |= 1 << 24;
    if (state_mutated) {
        V64(IOPM) = (uint64_t)io_map;
        V64(MSRPM) = (uint64_t)msr_map;
    }
}

void cpu_tests(unsigned cpu)
{
    uint64_t exits = 0, invalid = 0, before[3], after[3];

    svm_on();
    fill(io_map, 0xff, 0x3000);
    fill(msr_map, 0xff, 0x2000);
    fill(guest_idt, 0, 0x1000);
    start_timer();
    __asm__ volatile("movq %%cr0, %0; movq %%cr3, %1; movq %%cr4, %2"
                     : "=r"(before[0]), "=r"(before[1]), "=r"(before[2]));
    second_fence(nested_identity());
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool in_state = rnd() % 2;

        guest_reset();
        V64(RIP) = (uint64_t)g_mixed;
        V64(RSP) = (uint64_t)guest_stack;
        if (in_state) {
            mutate_state();
        } else {
            mutate_control();
        }
        keep_control(in_state);
        if (in_state || rnd() % 2) {
            V64(NP) = 1;
            V64(NCR3) = (uint64_t)second_tables;
        } else {
            V64(NP) |= 1;
        }
        exits++;
        invalid += guest_continue() == ~0ull;
        if (round % 4 == 0 && V64(EXIT_CODE) != ~0ull) {
            guest_continue();
        }
        __asm__ volatile("sti; nop; cli");
    }
    __asm__ volatile("movq %%cr0, %0; movq %%cr3, %1; movq %%cr4, %2"
                     : "=r"(after[0]), "=r"(after[1]), "=r"(after[2]));
    ok(exits == ROUNDS, "every guest came to an end");
    ok(invalid > ROUNDS / 20 && invalid < ROUNDS / 2, "some were refused, some ran");
    ok(before[0] == after[0] && before[1] == after[1] && before[2] == after[2],
       "control registers are as they were");
    check_timer();
    note("refused", invalid);
}
