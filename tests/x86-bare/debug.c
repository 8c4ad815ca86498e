// SPDX-License-Identifier: GPL-2.0-or-later
/* Debug registers, single step, RF, the shadow of MOV SS: SDM 3B chapter 17. */
#include "bare.h"

#define DR(n, v) __asm__ volatile("movl %0, %%dr" #n ::"r"((uint32_t)(v)))
volatile uint32_t target[4]; /* named in the text */
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

void repeat(void);
void repeat_at(void);
void repeat_end(void);
__asm__("repeat:\n  cld\n  pushfl\n  orl $0x100, (%esp)\n  popfl\n"
        "repeat_at: rep stosb\n"
        "repeat_end: int3\n  ret\n");

void repeat_ports(void);
void ports_at(void);
void ports_end(void);
__asm__("repeat_ports:\n  cld\n  pushfl\n  orl $0x100, (%esp)\n  popfl\n"
        "ports_at: rep outsb\n"
        "ports_end: int3\n  ret\n");

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
    TRY(__asm__ volatile("call repeat" ::"D"(target), "c"(3), "a"(0x11) : "memory"));
    ok(hits == 4 && places[0] == (uint32_t)repeat_at && places[1] == (uint32_t)repeat_at &&
           places[2] == (uint32_t)repeat_end, "each round of a string instruction");
    ok(target[0] == 0x111111, "does one");
    begin();
    TRY(__asm__ volatile("call repeat_ports" ::"S"(target), "c"(2), "d"(0x80) : "memory"));
    ok(hits == 3 && places[0] == (uint32_t)ports_at && places[1] == (uint32_t)ports_end,
       "and of one on a port");
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

void port_code(void);
void port_in(void);
void port_string(void);
void port_done(void);
__asm__("port_code:\n  movl $0x84, %edx\n  outb %al, $0x80\n  movl $0x55aa, %eax\n  inb %dx, %al\n"
        "port_in: movl %eax, target\n  outb %al, $0x85\n  rep outsb\n"
        "port_done: ret\n");
static void ports(void)
{
    uint32_t cr4;

    __asm__ volatile("movl %%cr4, %0; orl $8, %0; movl %0, %%cr4" : "=r"(cr4));
    begin();
    DR(2, 0x84);
    DR(7, 0x400 | 0x20 | 2u << 24);
    TRY(__asm__ volatile("call port_code" ::"S"(target + 1), "c"(2) : "eax", "edx", "memory"));
    ok(caught == -1 && hits == 3 && places[0] == (uint32_t)port_in, "a port, after its access");
    ok((dr6s[0] & 0x400f) == 4 && target[0] >> 8 == 0x55, "DR6.B2, and what was read");
    ok(places[1] == (uint32_t)port_done - 2 && places[2] == (uint32_t)port_done,
       "each round of a string instruction on it");
    begin();
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4 & ~8u));
    TRY(__asm__ volatile("call port_code" ::"S"(target + 1), "c"(2) : "eax", "edx", "memory"));
    ok(hits == 0, "not without CR4.DE");
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
    ports();
    registers();
}
