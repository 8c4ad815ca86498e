// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits and types of segments on accesses outside of 64-bit mode (SDM 3A 5.3, 5.5).
 *
 * seg_last holds for each segment register the highest offset that may be read and written, so that
 * translated code compares and selects: an access beyond goes to an address that no page table can
 * map, x86_bad_address, and x86_tlb_fill raises #SS or #GP there. Flat writable segments
 * (MODE_NOFLAT clear) are not looked at. Segments that grow down are checked by a helper
 * (MODE_EXPDOWN).
 */
#include "target-i386/helpers.h"
#include "target-i386/seg.h"
#include "target-i386/decode.h"
#include "target-i386/trans.h"

#include <string.h>

static bool protected_mode(const X86Cpu *c)
{
    return (c->cr0 & CR0_PE) && !(c->eflags & FLAG_VM);
}

static bool may_access(const X86Cpu *c, const X86Seg *s, bool write)
{
    if (!protected_mode(c)) {
        return true;
    }
    if (!(s->flags & SEG_P) || !(s->flags & SEG_S)) {
        return false;
    }
    return s->flags & SEG_CODE ? !write && (s->flags & SEG_R) : !write || (s->flags & SEG_W);
}

static bool grows_down(const X86Cpu *c, const X86Seg *s)
{
    return protected_mode(c) &&
           (s->flags & (SEG_P | SEG_S | SEG_CODE | SEG_E)) == (SEG_P | SEG_S | SEG_E);
}

bool x86_seg_covers(const X86Cpu *c, const X86Seg *s, uint64_t offset, unsigned bytes, bool write)
{
    uint64_t last = offset + bytes - 1;

    if (!may_access(c, s, write)) {
        return false;
    }
    if (grows_down(c, s)) {
        return offset > s->limit && last <= (s->flags & SEG_B ? 0xffffffff : 0xffff);
    }
    return last <= s->limit;
}

void x86_seg_derive(X86Cpu *c)
{
    uint32_t mode = c->segs[S_CS].limit == UINT32_MAX ? 0 : MODE_CSLIMIT;

    for (unsigned i = 0; i < 6; i++) {
        const X86Seg *s = &c->segs[i];

        for (unsigned w = 0; w < 2; w++) {
            c->seg_last[w][i] = may_access(c, s, w) && !grows_down(c, s) ? (int64_t)s->limit : -1;
        }
        mode |= grows_down(c, s) ? MODE_EXPDOWN : 0;
        if (i != S_CS && i < S_FS && c->seg_last[1][i] != UINT32_MAX) {
            mode |= MODE_NOFLAT;
        }
    }
    c->seg_mode = mode;
}

static _Noreturn void seg_fault(X86Cpu *c, unsigned seg, uintptr_t host_pc)
{
    x86_raise_error(c, seg == S_SS ? EXC_SS : EXC_GP, 0, host_pc);
}

uint64_t x86_seg_linear(X86Cpu *c, unsigned seg, uint64_t offset, unsigned bytes, bool write,
                        uintptr_t host_pc)
{
    if (x86_code64(c)) {
        return seg >= S_FS ? offset + c->segs[seg].base : offset;
    }
    if (!x86_seg_covers(c, &c->segs[seg], offset, bytes, write)) {
        seg_fault(c, seg, host_pc);
    }
    return (uint32_t)(offset + c->segs[seg].base);
}

uint64_t helper_seg_linear(Cpu *cpu, uint64_t offset, uint32_t word)
{
    return x86_seg_linear(X86(cpu), word & 7, offset, word >> 4, word >> 3 & 1, HOST_PC());
}

/* An instruction that reaches beyond the end of CS. */
void helper_cs_limit(Cpu *cpu, uint64_t last)
{
    X86Cpu *c = X86(cpu);

    if (last > c->segs[S_CS].limit) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
}

void x86_bad_address_fault(X86Cpu *c, uint64_t va, uintptr_t host_pc)
{
    seg_fault(c, va >> 56 & 7, host_pc);
}

/* ---- 64-bit mode: which fault a non-canonical address is (SDM 3A 6.15, #SS) ---- */

static bool uses_stack(const X86Insn *i)
{
    static const char *const names[] = {"PUSH",  "POP",   "CALL", "RET",
                                        "ENTER", "LEAVE", "IRET", "INT"};

    for (unsigned n = 0; n < ARRAY_COUNT(names); n++) {
        if (strncmp(i->row->name, names[n], strlen(names[n])) == 0 &&
            strncmp(i->row->name, "POPCNT", 6) != 0) {
            return true;
        }
    }
    return false;
}

static bool decode_present(X86Cpu *c, X86Insn *i)
{
    const X86DecodeMode mode = {.code64 = x86_code64(c), .code32 = c->segs[S_CS].flags & SEG_B,
                                .no_vex = !protected_mode(c)};
    uint64_t pc = mode.code64 ? c->rip : (uint32_t)(c->rip + c->segs[S_CS].base);
    uint8_t bytes[16];
    unsigned n = 0;

    while (n < sizeof(bytes) && cpu_debug_rw(&c->cpu, pc + n, bytes + n, 1, false)) {
        n++;
    }
    return x86_decode(i, bytes, n, mode) == X86_OK;
}

bool x86_insn_is_vector(X86Cpu *c)
{
    X86Insn i;

    return decode_present(c, &i) && i.row->flags & X86_ROW_SSE;
}

unsigned x86_insn_length(X86Cpu *c)
{
    X86Insn i;

    return decode_present(c, &i) ? i.len : 0;
}

bool x86_insn_modifies(X86Cpu *c)
{
    bool write;
    X86Insn i;

    if (!decode_present(c, &i) || i.op[0].kind != X86_MEM || i.row->trans == trans_POP) {
        return false;
    }
    x86_operand_extent(&i, &write);
    return write;
}

bool x86_access_is_stack(X86Cpu *c, uint64_t va)
{
    uint64_t around = c->regs[R_SP] - va + 256;
    X86Insn i;

    if (!decode_present(c, &i)) {
        return false;
    }
    if (uses_stack(&i) && (around < 512 || !x86_has_mem(&i))) {
        return true;
    }
    return x86_has_mem(&i) && x86_data_seg(&i) == S_SS;
}
