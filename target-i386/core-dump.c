// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of a vCPU for ELF cores: NT_PRSTATUS as Linux has it, of 64 bits in long mode and of 32
 * bits otherwise, and a note "QEMU" with segments and control registers, which crash reads.
 */
#include "exec/core-dump.h"
#include "target-i386/arch.h"
#include "target-i386/cpu.h"

#include <elf.h>

#define STATE_VERSION 1
#define STATE_BYTES 440

static void status64(X86Cpu *c, GByteArray *out)
{
    /* in the order of the kernel's user_regs_struct; -1: not a general register */
    static const int8_t order[] = {15, 14, 13, 12, 5, 3, 11, 10, 9, 8, 0, 1, 2, 6, 7};
    uint8_t d[336] = {0};
    unsigned at = 112;

    core_put32(d, 32, c->cpu.index + 1);
    for (unsigned i = 0; i < ARRAY_COUNT(order); i++, at += 8) {
        core_put64(d, at, c->regs[order[i]]);
    }
    const uint64_t rest[] = {
        0, c->rip, c->segs[S_CS].selector, x86_get_eflags(c), c->regs[4], c->segs[S_SS].selector,
        c->segs[S_FS].base, c->segs[S_GS].base, c->segs[S_DS].selector,
        c->segs[S_ES].selector, c->segs[S_FS].selector, c->segs[S_GS].selector};

    for (unsigned i = 0; i < ARRAY_COUNT(rest); i++, at += 8) {
        core_put64(d, at, rest[i]);
    }
    core_note(out, "CORE", NT_PRSTATUS, d, sizeof(d));
}

static void status32(X86Cpu *c, GByteArray *out)
{
    uint8_t d[144] = {0};
    const uint64_t regs[] = {
        c->regs[3], c->regs[1], c->regs[2], c->regs[6], c->regs[7], c->regs[5], c->regs[0],
        c->segs[S_DS].selector, c->segs[S_ES].selector, c->segs[S_FS].selector,
        c->segs[S_GS].selector, 0, c->rip, c->segs[S_CS].selector, x86_get_eflags(c), c->regs[4],
        c->segs[S_SS].selector};

    core_put32(d, 24, c->cpu.index + 1);
    for (unsigned i = 0; i < ARRAY_COUNT(regs); i++) {
        core_put32(d, 72 + 4 * i, (uint32_t)regs[i]);
    }
    core_note(out, "CORE", NT_PRSTATUS, d, sizeof(d));
}

static unsigned put_segment(uint8_t *d, unsigned at, uint32_t selector, uint32_t limit,
                            uint32_t flags, uint64_t base)
{
    core_put32(d, at, selector);
    core_put32(d, at + 4, limit);
    core_put32(d, at + 8, flags);
    core_put64(d, at + 16, base);
    return at + 24;
}

static void more(X86Cpu *c, GByteArray *out)
{
    static const uint8_t regs[] = {0, 3, 1, 2, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
    static const uint8_t segs[] = {S_CS, S_DS, S_ES, S_FS, S_GS, S_SS};
    uint8_t d[STATE_BYTES] = {0};
    unsigned at = 8;

    core_put32(d, 0, STATE_VERSION);
    core_put32(d, 4, STATE_BYTES);
    for (unsigned i = 0; i < ARRAY_COUNT(regs); i++, at += 8) {
        core_put64(d, at, c->regs[regs[i]]);
    }
    core_put64(d, at, c->rip);
    core_put64(d, at + 8, x86_get_eflags(c));
    at += 16;
    for (unsigned i = 0; i < ARRAY_COUNT(segs); i++) {
        const X86Seg *s = &c->segs[segs[i]];

        at = put_segment(d, at, s->selector, s->limit, s->flags, s->base);
    }
    at = put_segment(d, at, c->ldt.selector, c->ldt.limit, c->ldt.flags, c->ldt.base);
    at = put_segment(d, at, c->tr.selector, c->tr.limit, c->tr.flags, c->tr.base);
    at = put_segment(d, at, 0, c->gdt.limit, 0, c->gdt.base);
    at = put_segment(d, at, 0, c->idt.limit, 0, c->idt.base);
    const uint64_t cr[] = {c->cr0, 0, c->cr2, c->cr3, c->cr4, c->kernel_gs_base};

    for (unsigned i = 0; i < ARRAY_COUNT(cr); i++, at += 8) {
        core_put64(d, at, cr[i]);
    }
    core_note(out, "QEMU", 0, d, sizeof(d));
}

void x86_core_notes(Cpu *cpu, unsigned *machine, GByteArray *status, GByteArray *extra)
{
    X86Cpu *c = (X86Cpu *)cpu;

    if (c->efer & EFER_LMA) {
        *machine = EM_X86_64;
        status64(c, status);
    } else {
        *machine = *machine ? *machine : EM_386;
        status32(c, status);
    }
    more(c, extra);
}
