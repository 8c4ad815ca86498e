// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EFLAGS: the six arithmetic flags are kept as the operands of what made them (cpu.h lists the
 * kinds) and computed here when somebody looks; the rest is stored. SDM 1, 3.4.3, and the
 * instruction pages of PUSHF, POPF, CLI, STI.
 */
#include "target-i386/cpu.h"
#include "target-i386/helpers.h"

static inline uint64_t size_mask(unsigned size)
{
    return size == 3 ? UINT64_MAX : (1ull << (8u << size)) - 1;
}

static inline uint32_t flag_parity(uint64_t v)
{
    return __builtin_parity((unsigned)(v & 0xff)) ? 0 : FLAG_P;
}

/* S, Z and P of a result. */
static inline uint32_t flags_szp(uint64_t r, unsigned size)
{
    unsigned top = (8u << size) - 1;

    return flag_parity(r) | (r == 0 ? FLAG_Z : 0) | ((r >> top) & 1 ? FLAG_S : 0);
}

/* O from bit `top` of v. */
static inline uint32_t flag_overflow(uint64_t v, unsigned size)
{
    return (v >> ((8u << size) - 1)) & 1 ? FLAG_O : 0;
}

static uint32_t cc_add(uint64_t dst, uint64_t src, uint64_t carry_in, unsigned size)
{
    uint64_t m = size_mask(size), r = dst & m, b = src & m, a = (r - b - carry_in) & m;
    uint32_t c = carry_in ? r <= a : r < a;     /* the sum wrapped */

    return flags_szp(r, size) | c | ((r ^ a ^ b) & FLAG_A) |
           flag_overflow((a ^ r) & (b ^ r), size);
}

static uint32_t cc_sub(uint64_t dst, uint64_t src, uint64_t borrow_in, unsigned size)
{
    uint64_t m = size_mask(size), r = dst & m, b = src & m, a = (r + b + borrow_in) & m;
    uint32_t c = borrow_in ? a <= b : a < b;

    return flags_szp(r, size) | c | ((r ^ a ^ b) & FLAG_A) |
           flag_overflow((a ^ b) & (a ^ r), size);
}

static uint32_t cc_inc_dec(uint64_t dst, uint64_t carry, bool dec, unsigned size)
{
    uint64_t m = size_mask(size), r = dst & m, top = (m >> 1) + 1;
    uint32_t a = dec ? ((r & 15) == 15 ? FLAG_A : 0) : ((r & 15) == 0 ? FLAG_A : 0);
    uint32_t o = r == (dec ? top - 1 : top) ? FLAG_O : 0;

    return flags_szp(r, size) | a | o | (uint32_t)(carry & 1);
}

static uint32_t cc_shl(uint64_t dst, uint64_t src, unsigned size)
{
    uint64_t m = size_mask(size), r = dst & m;
    uint32_t c = (src >> ((8u << size) - 1)) & 1;

    return flags_szp(r, size) | c | flag_overflow(src ^ r, size);
}

static uint32_t cc_sar(uint64_t dst, uint64_t src, unsigned size)
{
    uint64_t m = size_mask(size), r = dst & m;

    return flags_szp(r, size) | (uint32_t)(src & 1) | flag_overflow(src ^ r, size);
}

static uint32_t cc_mul(uint64_t dst, uint64_t src, unsigned size)
{
    return flags_szp(dst & size_mask(size), size) | (src ? FLAG_C | FLAG_O : 0);
}

static uint32_t cc_bmi(uint64_t dst, uint64_t src, unsigned size)
{
    uint64_t m = size_mask(size);

    return (flags_szp(dst & m, size) & ~FLAG_P) | ((src & m) == 0 ? FLAG_C : 0);
}

uint32_t x86_cc_all(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op)
{
    unsigned size = op & 3;

    switch (op) {
    case CC_EFLAGS:
        return src & FLAGS_CC;
    case CC_CLR:
        return FLAG_Z | FLAG_P;
    case CC_POPCNT:
        return dst ? 0 : FLAG_Z;
    case CC_ADCX:
        return (src & FLAGS_CC & ~FLAG_C) | (dst & 1);
    case CC_ADOX:
        return (src & FLAGS_CC & ~FLAG_O) | (src2 & 1 ? FLAG_O : 0);
    case CC_ADCOX:
        return (src & FLAGS_CC & ~(FLAG_C | FLAG_O)) | (dst & 1) | (src2 & 1 ? FLAG_O : 0);
    default:
        break;
    }
    switch (op & ~3u) {
    case CC_ADDB:
        return cc_add(dst, src, 0, size);
    case CC_ADCB:
        return cc_add(dst, src, src2 & 1, size);
    case CC_SUBB:
        return cc_sub(dst, src, 0, size);
    case CC_SBBB:
        return cc_sub(dst, src, src2 & 1, size);
    case CC_LOGICB:
        return flags_szp(dst & size_mask(size), size);
    case CC_INCB:
        return cc_inc_dec(dst, src, false, size);
    case CC_DECB:
        return cc_inc_dec(dst, src, true, size);
    case CC_SHLB:
        return cc_shl(dst, src, size);
    case CC_SARB:
        return cc_sar(dst, src, size);
    case CC_MULB:
        return cc_mul(dst, src, size);
    case CC_CMPB:
        return cc_sub(dst - src, src, 0, size);
    case CC_BMIB:
        return cc_bmi(dst, src, size);
    default:
        return 0;
    }
}

uint32_t x86_cc_carry(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op)
{
    uint64_t m = size_mask(op & 3);

    switch (op & ~3u) {
    case CC_ADDB:
        return (dst & m) < (src & m);
    case CC_SUBB:
        return ((dst + src) & m) < (src & m);
    case CC_CMPB:
        return (dst & m) < (src & m);
    case CC_LOGICB:
        return 0;
    case CC_INCB:
    case CC_DECB:
        return src & 1;
    default:
        return x86_cc_all(dst, src, src2, op) & FLAG_C;
    }
}

uint32_t x86_get_eflags(const X86Cpu *c)
{
    return c->eflags | FLAG_1 | x86_cc_all(c->cc_dst, c->cc_src, c->cc_src2, c->cc_op) |
           (c->df < 0 ? FLAG_DF : 0);
}

void x86_set_eflags(X86Cpu *c, uint32_t value, uint32_t mask)
{
    uint32_t rest = mask & ~(FLAGS_CC | FLAG_DF | FLAG_1);

    if (mask & FLAGS_CC) {
        uint32_t old = x86_cc_all(c->cc_dst, c->cc_src, c->cc_src2, c->cc_op);

        c->cc_src = (old & ~mask) | (value & mask & FLAGS_CC);
        c->cc_op = CC_EFLAGS;
    }
    if (mask & FLAG_DF) {
        c->df = value & FLAG_DF ? -1 : 1;
    }
    c->eflags = (c->eflags & ~rest) | (value & rest) | FLAG_1;
}

uint64_t helper_cc_all(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op)
{
    return x86_cc_all(dst, src, src2, op);
}

uint64_t helper_cc_carry(uint64_t dst, uint64_t src, uint64_t src2, uint32_t op)
{
    return x86_cc_carry(dst, src, src2, op);
}

static inline unsigned iopl(const X86Cpu *c)
{
    return (c->eflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT;
}

uint64_t helper_pushf(Cpu *cpu, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uint32_t f = x86_get_eflags(c);

    if ((c->eflags & FLAG_VM) && iopl(c) < 3) {
        if (size != 1 || !(c->cr4 & CR4_VME)) {
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
        /* SDM 3B 20.3: IF shows VIF, IOPL shows 3 */
        f = (f & ~FLAG_IF) | (f & FLAG_VIF ? FLAG_IF : 0) | FLAG_IOPL;
    }
    return f & ~(FLAG_VM | FLAG_RF);
}

void helper_popf(Cpu *cpu, uint64_t value, uint32_t size)
{
    X86Cpu *c = X86(cpu);
    uint32_t v = value;
    uint32_t mask = FLAGS_CC | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;

    if (c->eflags & FLAG_VM) {
        if (iopl(c) == 3) {
            mask |= FLAG_IF;
        } else if (size == 1 && (c->cr4 & CR4_VME)) {
            if ((v & FLAG_TF) || ((v & FLAG_IF) && (c->eflags & FLAG_VIP))) {
                x86_raise_error(c, EXC_GP, 0, HOST_PC());
            }
            v = (v & ~FLAG_VIF) | (v & FLAG_IF ? FLAG_VIF : 0);
            x86_set_eflags(c, v, (mask & 0xffff) | FLAG_VIF);
            return;
        } else {
            x86_raise_error(c, EXC_GP, 0, HOST_PC());
        }
    } else if (!(c->cr0 & CR0_PE) || c->cpl == 0) {
        mask |= FLAG_IF | FLAG_IOPL;
    } else if (c->cpl <= iopl(c)) {
        mask |= FLAG_IF;
    }
    if (size == 1) {
        mask &= 0xffff;
    } else {
        mask |= FLAG_RF;
        v &= ~FLAG_RF;
    }
    x86_set_eflags(c, v, mask);
}

/* What CLI and STI touch: IF, VIF, or they fault (SDM 2A, table of CLI). */
static uint32_t interrupt_flag(X86Cpu *c, uintptr_t host_pc)
{
    unsigned level = c->eflags & FLAG_VM ? 3 : c->cpl;

    if (!(c->cr0 & CR0_PE) || level <= iopl(c)) {
        return FLAG_IF;
    }
    if (c->eflags & FLAG_VM ? (c->cr4 & CR4_VME) : (c->cpl == 3 && (c->cr4 & CR4_PVI))) {
        return FLAG_VIF;
    }
    x86_raise_error(c, EXC_GP, 0, host_pc);
}

void helper_cli(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    c->eflags &= ~interrupt_flag(c, HOST_PC());
}

void helper_sti(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t flag = interrupt_flag(c, HOST_PC());

    if (flag == FLAG_VIF && (c->eflags & FLAG_VIP)) {
        x86_raise_error(c, EXC_GP, 0, HOST_PC());
    }
    if (flag == FLAG_IF && !(c->eflags & FLAG_IF)) {
        c->inhibit_irq = 1;
    }
    c->eflags |= flag;
}

void helper_clac(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if (c->cpl != 0 || !x86_has_feature(c, FEAT_SMAP)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    c->eflags &= ~FLAG_AC;
}

void helper_stac(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if (c->cpl != 0 || !x86_has_feature(c, FEAT_SMAP)) {
        x86_raise(c, EXC_UD, HOST_PC());
    }
    c->eflags |= FLAG_AC;
}
