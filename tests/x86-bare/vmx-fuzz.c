// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMCSs with random contents: each VMLAUNCH fails or comes back, whatever is in it. EPT keeps the
 * guest from writing where the test lives.
 */
// run: -cpu max,+vmx
#include "bare64.h"
#include "vmx.h"

enum { ROUNDS = 1500 };

GUEST(g_mixed, "cpuid; rdtsc; pushfq; popfq; movl 0x1064000, %eax; movq %cr0, %rax; movq %rax, "
               "%cr0; sti; nop; int3; ud2");

/*
 * Any field of the controls (0), the guest's state (2); now and then of the hypervisor's (3), which
 * must then be refused.
 */
static void mutate(void)
{
    unsigned type = rnd() % 2 ? 2 : 0;

    for (unsigned n = 1 + rnd() % 4; n; n--) {
        unsigned field = (rnd() % 4) << 13 | type << 10 | (rnd() % 24) << 1;

        put(field, rnd() % 2 ? rnd_value() : get(field) ^ 1ull << rnd() % 64);
    }
}

/* What lets the hypervisor back in; no ports and no MSRs, no areas of MSRs. */
static void keep_control(void)
{
    put(PIN, get(PIN) | 9);
    put(PROC, (get(PROC) | 1u << 24 | 1u << 31) & ~(1ull << 25 | 1ull << 28));
    put(PROC2, get(PROC2) | 2);
    put(EPTP, (uint64_t)second_tables | 6 | 3 << 3 | 1 << 6);
    put(LOAD_COUNT, 0);
    put(STORE_COUNT, 0);
}

void cpu_tests(unsigned cpu)
{
    unsigned refused = 0, bad = 0, ran = 0;
    uint64_t before = cr(0), after;

    vmx_on();
    before = cr(0);
    WITH("vmxon", PAGE(1));
    guest_reset();
    second_fence(ept_identity());
    start_timer();
    for (unsigned round = 0; round < ROUNDS; round++) {
        long r;

        guest_reset();
        put(PROC2, get(PROC2) | 2);
        mutate();
        if (round % 64) {
            keep_control();
        } else {
            put(ENTRY_COUNT, rnd() % 8);            /* of whatever lies there */
            keep_control();
        }
        put(G_RIP, get(G_RIP) ? get(G_RIP) : (uint64_t)g_mixed);
        put(G_RSP, (uint64_t)guest_stack);
        r = enter(false);
        if (r < -1 && r > -0x1000) {
            refused++;
        } else if (r & 0x80000000) {
            bad++;
        } else {
            ran++;
            enter(true);
        }
        __asm__ volatile("sti; nop; cli");
    }
    after = cr(0);
    ok(refused + bad + ran == ROUNDS, "every entry came to an end");
    ok(refused > 20 && bad > 20 && ran > 20, "some were refused, some failed, some ran");
    ok(before == after, "CR0 is as it was");
    check_timer();
    note("refused", refused);
    note("failed", bad);
    note("ran", ran);
}
