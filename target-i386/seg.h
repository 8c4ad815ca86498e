// SPDX-License-Identifier: GPL-2.0-or-later
/* What the files on segmentation, gates and task switches share. */
#ifndef TARGET_I386_SEG_H
#define TARGET_I386_SEG_H

#include "target-i386/cpu.h"

/* A descriptor's two words. */
typedef struct Desc {
    uint32_t lo, hi;
} Desc;

static inline uint32_t desc_base(Desc d)
{
    return (d.lo >> 16) | (d.hi & 0xff) << 16 | (d.hi & 0xff000000);
}

static inline uint32_t desc_limit(Desc d)
{
    uint32_t limit = (d.lo & 0xffff) | (d.hi & 0xf0000);

    return d.hi & SEG_G ? limit << 12 | 0xfff : limit;
}

static inline unsigned desc_dpl(Desc d)
{
    return (d.hi & SEG_DPL) >> SEG_DPL_SHIFT;
}

static inline unsigned desc_type(Desc d)
{
    return (d.hi & SEG_TYPE) >> SEG_TYPE_SHIFT;
}

static inline bool desc_is_code(Desc d)
{
    return (d.hi & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}

/* System descriptor types. */
enum {
    SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4, SYS_TASK_GATE = 5, SYS_INT16 = 6,
    SYS_TRAP16 = 7, SYS_TSS32 = 9, SYS_TSS32_BUSY = 11, SYS_CALL32 = 12, SYS_INT32 = 14, SYS_TRAP32 = 15,
};

/* The descriptor that selector names; false when it is beyond its table. Reads as the system. */
bool x86_desc_read(X86Cpu *c, uint32_t selector, Desc *d, uintptr_t host_pc);
/* Second half of a 16-byte system descriptor; the caller has read the first. */
bool x86_desc_read_upper(X86Cpu *c, uint32_t selector, uint32_t *base_high, uintptr_t host_pc);
/* Sets bits in a descriptor's second word in memory (accessed, busy). */
void x86_desc_or(X86Cpu *c, uint32_t selector, uint32_t bits, uintptr_t host_pc);
void x86_desc_clear(X86Cpu *c, uint32_t selector, uint32_t bits, uintptr_t host_pc);
/* Loads a segment register from a checked descriptor. Sets CPL for CS where rpl says so. */
void x86_seg_from_desc(X86Cpu *c, unsigned seg, uint32_t selector, Desc d);
/* The same, and marks it accessed in memory first. */
void x86_seg_load_checked(X86Cpu *c, unsigned seg, uint32_t selector, Desc d, uintptr_t host_pc);
/* MOV/POP to a segment register but CS, protected mode, all checks. */
void x86_seg_load(X86Cpu *c, unsigned seg, uint32_t selector, unsigned cpl, uintptr_t host_pc);
/* Drops data segments that the new, outer CPL may not use (SDM 2A, RET). */
void x86_seg_validate_return(X86Cpu *c, unsigned cpl);

static inline bool x86_long_mode(const X86Cpu *c)
{
    return c->efer & EFER_LMA;
}

static inline bool x86_code64(const X86Cpu *c)
{
    return x86_long_mode(c) && (c->segs[S_CS].flags & SEG_L);
}

static inline bool x86_canonical(const X86Cpu *c, uint64_t va)
{
    unsigned bits = c->cr4 & CR4_LA57 ? 57 : 48;

    return (uint64_t)((int64_t)(va << (64 - bits)) >> (64 - bits)) == va;
}

/* Whether the segment allows the access (SDM 3A 5.3, 5.5). */
bool x86_seg_covers(const X86Cpu *c, const X86Seg *s, uint64_t offset, unsigned bytes, bool write);

/* A stack being pushed to or popped from; the register is written by the caller at the end. */
typedef struct Stack {
    X86Cpu *c;
    uint64_t sp, base, mask;
    unsigned mmu;
    uintptr_t host_pc;
    bool flat64;
    uint32_t limit, flags;              /* as in X86Seg; unless flat64 */
    uint32_t error;                     /* of #SS */
} Stack;

/* The current stack as SS:SP describe it. */
Stack x86_stack(X86Cpu *c, unsigned mmu, uintptr_t host_pc);
/* That of an inner level: SS and its descriptor, accesses as the system. */
Stack x86_inner_stack(X86Cpu *c, uint32_t ss, Desc d, uint32_t esp, uint32_t ext,
                      uintptr_t host_pc);
void stack_push(Stack *s, uint64_t value, unsigned size);
uint64_t stack_pop(Stack *s, unsigned size);
/* Writes s->sp back to RSP under s->mask. */
void stack_commit(Stack *s);

typedef enum TaskSwitch { TASK_JMP, TASK_CALL, TASK_IRET, TASK_INT } TaskSwitch;
/* SDM 3A 7.3. Everything is switched; an error code is the caller's to push. */
void x86_task_switch(X86Cpu *c, uint32_t selector, Desc d, TaskSwitch why, uint64_t next_rip,
                     uintptr_t host_pc);
/* SS:ESP of privilege level dpl from the TSS; #TS if it lies beyond the limit. */
void x86_tss_stack(X86Cpu *c, unsigned dpl, uint32_t *ss, uint32_t *esp, uintptr_t host_pc);
/* RSP0..2 (level 0..2) or IST1..7 (level 4..10) of a 64-bit TSS. */
uint64_t x86_tss_rsp(X86Cpu *c, unsigned level, uintptr_t host_pc);
/* Checks and reads the new stack segment of an inward transfer; faults with `vector`. */
Desc x86_check_inner_ss(X86Cpu *c, uint32_t ss, unsigned dpl, unsigned vector, uintptr_t host_pc);

#endif
