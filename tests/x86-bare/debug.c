// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug registers, single step, RF, the shadow of MOV SS: SDM 3B chapter 17. */
#include "bare.h"

#define DR(n, v) __asm__ volatile("movl %0, %%dr" #n ::"r"((uint32_t)(v)))
static volatile uint32_t target[4];
static volatile unsigned hits, resume_flags;
static volatile uint32_t places[16], dr6s[16];

static uint32_t dr6(void)
{
    uint32_t v;

    __asm__ volatile("movl %%dr6, %0" : "=r"(v));
    return v;
}

/* Notes #DB and goes on, with RF for instruction breakpoints. */
static bool on_debug(Frame *f)
{
    if (f->vector != 1 && f->vector != 3) {
        return false;
    }
    if (hits < 16) {
        places[hits] = f->eip;
        dr6s[hits] = dr6();
    }
    hits++;
    DR(6, 0xffff0ff0);
    if (f->vector == 1 && dr6s[hits - 1] & 15 && resume_flags) {
        f->eflags |= 0x10000;
    }
    if (f->vector == 3) {
        f->eflags &= ~0x100u;
    }
    return true;
}

static void begin(void)
{
    hits = 0;
    resume_flags = 1;
    on_trap = on_debug;
    DR(6, 0xffff0ff0);
}

void step_from(void);
void step_1(void);
void step_2(void);
void step_3(void);
__asm__("step_from:\n  pushfl\n  orl $0x100, (%esp)\n  popfl\n"
        "step_1: nop\n"
        "step_2: incl %eax\n"
        "step_3: int3\n  ret\n");

void shadow(void);
void shadow_end(void);
__asm__(
    "shadow:\n  movl %ss, %ecx\n  pushfl\n  orl $0x100, (%esp)\n  popfl\n  movl %ecx, %ss\n  nop\n"
    "shadow_end:\n  int3\n  ret\n");

static void stepping(void)
{
    begin();
    TRY(step_from());
    ok(hits == 3 && places[0] == (uint32_t)step_2 && places[1] == (uint32_t)step_3,
       "single step stops after each instruction");
    ok((dr6s[0] & 0x400f) == 0x4000, "DR6.BS");
    begin();
    TRY(shadow());
    ok(hits == 2 && places[0] == (uint32_t)shadow_end, "not between MOV SS and the next");
    begin();
    TRY(__asm__ volatile(".byte 0xf1"));
    ok(hits == 1 && !(dr6s[0] & 0x400f), "INT1");
}

void bp_code(void);
void bp_here(void);
__asm__("bp_code:\n  nop\nbp_here:\n  incl %eax\n  ret\n");

static void breakpoints(void)
{
    begin();
    DR(0, bp_here);
    DR(7, 0x402);
    TRY(bp_code());
    ok(caught == -1 && hits == 1 && places[0] == (uint32_t)bp_here,
       "an instruction breakpoint strikes before it, and RF passes it");
    ok((dr6s[0] & 0x400f) == 1, "DR6.B0");
    DR(7, 0x400);
    begin();
    DR(1, &target[1]);
    DR(7, 0x408 | 0xdu << 20);
    TRY(target[0] = 1; target[1] = 2; target[2] = 3);
    ok(caught == -1 && hits == 1 && target[1] == 2 && (dr6s[0] & 0x400f) == 2,
       "a write to watched data, after it");
    begin();
    TRY((void)target[1]);
    ok(hits == 0, "a read is none");
    DR(7, 0x408 | 0xfu << 20);
    TRY((void)target[1]);
    ok(hits == 1, "but with R/W 3 it is");
    begin();
    TRY(__asm__ volatile("movb %%al, %0" ::"m"(*((volatile uint8_t *)target + 6))));
    ok(hits == 1, "one byte inside");
    begin();
    TRY(__asm__ volatile("cld; rep stosl" ::"D"(target), "c"(4), "a"(0) : "memory"));
    ok(hits == 1, "a string");
    DR(7, 0x400);
    begin();
    DR(7, 0x2400);
    TRY((void)dr6());
    ok(hits >= 1 && dr6s[0] & 0x2000, "general detect");
    DR(7, 0x400);
}

static void registers(void)
{
    uint32_t v, cr4;

    DR(7, 0xffffffff);
    __asm__ volatile("movl %%dr7, %0" : "=r"(v));
    DR(7, 0x400);
    ok((v & 0xdc00) == 0x400 || (v & 0xd400) == 0x400, "fixed bits of DR7");
    DR(6, 0);
    ok(dr6() == 0xffff0ff0, "fixed bits of DR6");
    on_trap = 0;
    EXPECT("DR4 is DR6", -1, 0, __asm__ volatile("movl %%db4, %0" : "=r"(v)));
    __asm__ volatile("movl %%cr4, %0; orl $8, %0; movl %0, %%cr4" : "=r"(cr4));
    EXPECT("not with CR4.DE", 6, 0, __asm__ volatile("movl %%db4, %0" : "=r"(v)));
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4 & ~8u));
}

void tests(void)
{
    stepping();
    breakpoints();
    registers();
}
