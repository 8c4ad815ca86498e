// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMCSs with random contents: each VMLAUNCH fails or comes back, whatever is in it. EPT keeps the
 * guest from writing where the test lives.
 */
// run: -cpu max,+vmx
#include "bare64.h"
#include "vmx.h"

enum { ROUNDS = 1500 };
static uint64_t state;

static uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Mostly values that something depends on. */
static uint64_t value(void)
{
    switch (rnd() % 8) {
    case 0:
        return 0;
    case 1:
        return ~0ull;
    case 2:
        return 1ull << rnd() % 64;
    case 3:
        return 0xfee00000 + (rnd() & 0xff8);
    case 4:
        return (uint64_t)PAGE(rnd() % 64);
    case 5:
        return 0x0000800000000000 - 8 + rnd() % 16;
    case 6:
        return rnd() & 0xffff;
    default:
        return rnd();
    }
}

GUEST(g_mixed, "cpuid; rdtsc; pushfq; popfq; movl 0x1064000, %eax; movq %cr0, %rax; movq %rax, "
               "%cr0; sti; nop; int3; ud2");

static void fence(void)
{
    volatile uint64_t *e = ept_identity();

    for (unsigned k = 0; k < 2048; k++) {
        if (k != 8) {
            ept[1024 + k] &= ~2ull;
        }
    }
    for (unsigned k = 0; k < 64; k++) {
        e[k] &= ~2ull;
    }
    e[16] |= 2;
}

/*
 * Any field of the controls (0), the guest's state (2); now and then of the hypervisor's (3), which
 * must then be refused.
 */
static void mutate(void)
{
    unsigned type = rnd() % 2 ? 2 : 0;

    for (unsigned n = 1 + rnd() % 4; n; n--) {
        unsigned field = (rnd() % 4) << 13 | type << 10 | (rnd() % 24) << 1;

        put(field, rnd() % 2 ? value() : get(field) ^ 1ull << rnd() % 64);
    }
}

/* What lets the hypervisor back in; no ports and no MSRs, no areas of MSRs. */
static void keep_control(void)
{
    put(PIN, get(PIN) | 9);
    put(PROC, (get(PROC) | 1u << 24 | 1u << 31) & ~(1ull << 25 | 1ull << 28));
    put(PROC2, get(PROC2) | 2);
    put(EPTP, (uint64_t)ept | 6 | 3 << 3 | 1 << 6);
    put(LOAD_COUNT, 0);
    put(STORE_COUNT, 0);
}

void cpu_tests(unsigned cpu)
{
    unsigned refused = 0, bad = 0, ran = 0;
    uint64_t before = cr(0), after;

    state = 0x9e3779b97f4a7c15;
    vmx_on();
    before = cr(0);
    WITH("vmxon", PAGE(1));
    guest_reset();
    fence();
    *(volatile uint32_t *)0xfee00320 = 0x20040;         /* periodic, vector 40h */
    *(volatile uint32_t *)0xfee003e0 = 0xb;
    *(volatile uint32_t *)0xfee00380 = 200000;
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
    /* a fast run ends before the timer's first tick */
    while (irq_count[0] == 0) {
        __asm__ volatile("sti; hlt; cli");
    }
    ok(irq_count[0] > 0, "interrupts came through");
    note("refused", refused);
    note("failed", bad);
    note("ran", ran);
}
