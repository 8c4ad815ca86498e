// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x87 loads, stores, arithmetic, comparison and functions. SDM 1 chapter 8; SDM volume 2 for
 * each instruction. Results come from the host's own x87.
 */
#include "target-i386/x87.h"

#include <string.h>
#include "target-i386/helpers.h"
#include "target-i386/x87-host.h"
#include "target-i386/x87-quick.h"

void x87_enter(X86Cpu *c, bool waiting, uintptr_t host_pc)
{
    if (c->cr0 & (CR0_EM | CR0_TS)) {
        x86_raise(c, EXC_NM, host_pc);
    }
    if (waiting && (c->fp_sw & FPSW_ES)) {
        x86_raise(c, EXC_MF, host_pc);
    }
}

void x87_update_summary(X86Cpu *c)
{
    if (c->fp_sw & ~c->fp_cw & FPSW_EXCEPTIONS) {
        c->fp_sw |= FPSW_ES | FPSW_B;
    } else {
        c->fp_sw &= ~(FPSW_ES | FPSW_B);
    }
}

bool x87_flags(X86Cpu *c, uint32_t flags)
{
    c->fp_sw |= flags & (FPSW_EXCEPTIONS | FPSW_SF);
    x87_update_summary(c);
    return flags & ~c->fp_cw & (FPSW_IE | FPSW_DE | FPSW_ZE);
}

bool x87_host_flags(X86Cpu *c, uint32_t host_sw)
{
    c->fp_sw = (c->fp_sw & ~FPSW_C1) | (host_sw & FPSW_C1);
    if (!(host_sw & FPSW_EXCEPTIONS)) {
        return false;
    }
    return x87_flags(c, host_sw & FPSW_EXCEPTIONS);
}

void x87_push(X86Cpu *c, const X87Reg *v)
{
    unsigned top = (c->fp_top - 1) & 7;
    X87Reg value = *v;

    c->fp_sw &= ~FPSW_C1;
    if (!c->fp_tag[top]) {
        c->fp_sw |= FPSW_C1;
        if (x87_flags(c, FPSW_IE | FPSW_SF)) {
            return;
        }
        value = X87_INDEFINITE;
    }
    c->fp_top = top;
    c->fp_tag[top] = 0;
    c->fpr[top] = value;
}

bool x87_have(X86Cpu *c, unsigned i, bool *stop)
{
    *stop = false;
    if (!x87_empty(c, i)) {
        return true;
    }
    c->fp_sw &= ~FPSW_C1;
    *stop = x87_flags(c, FPSW_IE | FPSW_SF);
    return false;
}

static void set_st(X86Cpu *c, unsigned i, X87Reg v)
{
    *x87_st(c, i) = v;
    c->fp_tag[x87_index(c, i)] = 0;
}

static bool stack_full(const X86Cpu *c)
{
    return !c->fp_tag[(c->fp_top - 1) & 7];
}

/* ---- loads ---- */

static void push_converted(X86Cpu *c, const X87Reg *v, uint32_t host_sw)
{
    /* stack overflow comes before what the operand raises (SDM 1 8.6) */
    if (!stack_full(c) && x87_flags(c, host_sw & FPSW_EXCEPTIONS)) {
        return;
    }
    x87_push(c, v);
}

void helper_fld_f32(Cpu *cpu, uint32_t bits)
{
    X86Cpu *c = X86(cpu);
    X87Reg v = {0};
    uint32_t sw;

    x87_enter(c, true, HOST_PC());
    if (!stack_full(c) && x87_from_f32_bits(&v, bits)) {
        x87_move(x87_quick_push(c), &v);
        return;
    }
    sw = x87_from_f32(&v, bits);
    push_converted(c, &v, sw);
}

void helper_fld_f64(Cpu *cpu, uint64_t bits)
{
    X86Cpu *c = X86(cpu);
    X87Reg v = {0};
    uint32_t sw;

    x87_enter(c, true, HOST_PC());
    if (!stack_full(c) && x87_from_f64_bits(&v, bits)) {
        x87_move(x87_quick_push(c), &v);
        return;
    }
    sw = x87_from_f64(&v, bits);
    push_converted(c, &v, sw);
}

void helper_fld_f80(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    X87Reg v = {0};

    x87_enter(c, true, host_pc);
    cpu_load_bytes(cpu, va, &v, 10, x86_mmu_index(c), host_pc);
    x87_push(c, &v);
}

void helper_fild(Cpu *cpu, uint64_t value)
{
    X86Cpu *c = X86(cpu);
    X87Reg v = {0};

    x87_enter(c, true, HOST_PC());
    x87_from_i64(&v, value);
    x87_push(c, &v);
}

void helper_fbld(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t bcd[10];
    X87Reg v = {0};

    x87_enter(c, true, host_pc);
    cpu_load_bytes(cpu, va, bcd, 10, x86_mmu_index(c), host_pc);
    x87_from_bcd(&v, bcd);
    x87_push(c, &v);
}

void helper_fld_st(Cpu *cpu, uint32_t i)
{
    X86Cpu *c = X86(cpu);
    X87Reg v = X87_INDEFINITE;
    bool stop;

    if (x87_is_quick_on(c, i, i) && !stack_full(c)) {
        const X87Reg *from = x87_st(c, i);
        x87_move(x87_quick_push(c), from);
        return;
    }
    x87_enter(c, true, HOST_PC());
    if (x87_have(c, i, &stop)) {
        v = *x87_st(c, i);
    } else if (stop) {
        return;
    }
    x87_push(c, &v);
}

/* ---- stores ---- */

uint32_t helper_fst_f32(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint32_t r = 0xffc00000;
    bool stop;

    uint32_t sw = c->fp_sw;

    if (x87_is_quick_on(c, 0, 0) && x87_quick_to_f32(&r, x87_st(c, 0), &sw)) {
        c->fp_sw = (c->fp_sw & ~FPSW_C1) | (sw & FPSW_C1);
        return r;
    }
    x87_enter(c, true, HOST_PC());
    if (x87_have(c, 0, &stop)) {
        x87_host_flags(c, x87_to_f32(&r, x87_st(c, 0), c->fp_cw));
    }
    return r;
}

uint64_t helper_fst_f64(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);
    uint64_t r = 0xfff8000000000000ull;
    bool stop;

    uint32_t sw = c->fp_sw;

    if (x87_is_quick_on(c, 0, 0) && x87_quick_to_f64(&r, x87_st(c, 0), &sw)) {
        c->fp_sw = (c->fp_sw & ~FPSW_C1) | (sw & FPSW_C1);
        return r;
    }
    x87_enter(c, true, HOST_PC());
    if (x87_have(c, 0, &stop)) {
        x87_host_flags(c, x87_to_f64(&r, x87_st(c, 0), c->fp_cw));
    }
    return r;
}

void helper_fst_f80(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    X87Reg v = X87_INDEFINITE;
    bool stop;

    x87_enter(c, true, host_pc);
    if (!x87_empty(c, 0)) {
        v = *x87_st(c, 0);
    }
    cpu_store_bytes(cpu, va, &v, 10, x86_mmu_index(c), host_pc);
    x87_have(c, 0, &stop);
}

void helper_fst_st(Cpu *cpu, uint32_t i)
{
    X86Cpu *c = X86(cpu);
    bool stop;

    if (x87_is_quick_on(c, 0, 0)) {
        x87_move(x87_st(c, i), x87_st(c, 0));
        c->fp_tag[x87_index(c, i)] = 0;
        return;
    }
    x87_enter(c, true, HOST_PC());
    if (x87_have(c, 0, &stop)) {
        set_st(c, i, *x87_st(c, 0));
    } else if (!stop) {
        set_st(c, i, X87_INDEFINITE);
    }
}

uint64_t helper_fist(Cpu *cpu, uint32_t size, uint32_t truncate)
{
    X86Cpu *c = X86(cpu);
    uint32_t cw = truncate ? c->fp_cw | 0xc00 : c->fp_cw, sw;
    int64_t r = size == 1 ? INT16_MIN : size == 2 ? INT32_MIN : INT64_MIN;
    int16_t r16;
    int32_t r32;
    bool stop;

    x87_enter(c, true, HOST_PC());
    if (!x87_have(c, 0, &stop)) {
        return r;
    }
    if (size == 1) {
        sw = x87_to_i16(&r16, x87_st(c, 0), cw);
        r = r16;
    } else if (size == 2) {
        sw = x87_to_i32(&r32, x87_st(c, 0), cw);
        r = r32;
    } else {
        sw = x87_to_i64(&r, x87_st(c, 0), cw);
    }
    x87_host_flags(c, sw);
    return r;
}

void helper_fbst(Cpu *cpu, uint64_t va)
{
    X86Cpu *c = X86(cpu);
    uintptr_t host_pc = HOST_PC();
    uint8_t bcd[10] = {0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff};
    uint32_t sw = FPSW_IE | FPSW_SF;

    x87_enter(c, true, host_pc);
    if (!x87_empty(c, 0)) {
        sw = x87_to_bcd(bcd, x87_st(c, 0), c->fp_cw) & ~FPSW_SF;
    }
    cpu_store_bytes(cpu, va, bcd, 10, x86_mmu_index(c), host_pc);
    x87_flags(c, sw);
}

void helper_f_pop(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    /* not after an unmasked exception that keeps the instruction from being done (SDM 1 8.5.1) */
    if (!(c->fp_sw & ~c->fp_cw & (FPSW_IE | FPSW_DE | FPSW_ZE))) {
        x87_pop(c);
    }
}

void helper_fxch(Cpu *cpu, uint32_t i)
{
    X86Cpu *c = X86(cpu);
    bool stop, stop_i;
    bool have0, have_i;
    X87Reg a, b;

    if (x87_is_quick_on(c, 0, i)) {
        x87_move(&a, x87_st(c, 0));
        x87_move(x87_st(c, 0), x87_st(c, i));
        x87_move(x87_st(c, i), &a);
        c->fp_sw &= ~FPSW_C1;
        return;
    }
    x87_enter(c, true, HOST_PC());
    have0 = x87_have(c, 0, &stop);
    have_i = x87_have(c, i, &stop_i);
    if (stop || stop_i) {
        return;
    }
    a = have0 ? *x87_st(c, 0) : X87_INDEFINITE;
    b = have_i ? *x87_st(c, i) : X87_INDEFINITE;
    set_st(c, 0, b);
    set_st(c, i, a);
    c->fp_sw &= ~FPSW_C1;
}

void helper_ffree(Cpu *cpu, uint32_t i)
{
    X86Cpu *c = X86(cpu);

    x87_enter(c, true, HOST_PC());
    c->fp_tag[x87_index(c, i)] = 1;
}

void helper_fcmov(Cpu *cpu, uint32_t i, uint32_t condition)
{
    X86Cpu *c = X86(cpu);
    bool stop, have;

    if (x87_is_quick_on(c, 0, i)) {
        if (condition) {
            x87_move(x87_st(c, 0), x87_st(c, i));
        }
        return;
    }
    x87_enter(c, true, HOST_PC());
    have = (int)x87_have(c, 0, &stop) & (int)x87_have(c, i, &stop);
    if (!have) {
        if (!stop) {
            set_st(c, 0, X87_INDEFINITE);
        }
    } else if (condition) {
        set_st(c, 0, *x87_st(c, i));
    }
}

/* ---- arithmetic ---- */

uint32_t x87_arith(X87Reg *r, unsigned op, const X87Reg *a, const X87Reg *b, uint32_t cw)
{
    switch (op) {
    case 0:
        return x87_add(r, a, b, cw);
    case 1:
        return x87_mul(r, a, b, cw);
    case 4:
        return x87_sub(r, a, b, cw);
    case 5:
        return x87_sub(r, b, a, cw);
    case 6:
        return x87_div(r, a, b, cw);
    default:
        return x87_div(r, b, a, cw);
    }
}

/* ST(dst) = ST(dst) op *b (op by /r), with underflow and unmasked exceptions as they should be. */
static void arith_to(X86Cpu *c, unsigned dst, unsigned op, const X87Reg *b)
{
    X87Reg r = {0};

    if (!x87_host_flags(c, x87_arith(&r, op, x87_st(c, dst), b, c->fp_cw))) {
        *x87_st(c, dst) = r;
    }
}

static bool both(X86Cpu *c, unsigned dst, unsigned other)
{
    bool stop, stop2;
    bool have = (int)x87_have(c, dst, &stop) & (int)x87_have(c, other, &stop2);

    if (!have && !stop && !stop2) {
        set_st(c, dst, X87_INDEFINITE);
    }
    return have;
}

void helper_farith_st0(Cpu *cpu, uint32_t op, uint32_t i)
{
    X86Cpu *c = X86(cpu);

    if (x87_is_quick_on(c, 0, i) && x87_quick_arith_to(c, 0, op, x87_st(c, i))) {
        return;
    }
    x87_enter(c, true, HOST_PC());
    if (both(c, 0, i)) {
        X87Reg b = *x87_st(c, i);

        arith_to(c, 0, op, &b);
    }
}

void helper_farith_sti(Cpu *cpu, uint32_t op, uint32_t i)
{
    X86Cpu *c = X86(cpu);

    /* DC E0..: FSUBR has /r 4, FSUB 5; likewise FDIVR 6 and FDIV 7 */
    op = op >= 4 ? op ^ 1 : op;
    if (x87_is_quick_on(c, 0, i) && x87_quick_arith_to(c, i, op, x87_st(c, 0))) {
        return;
    }
    x87_enter(c, true, HOST_PC());
    if (both(c, i, 0)) {
        X87Reg b = *x87_st(c, 0);

        arith_to(c, i, op, &b);
    }
}

static void arith_mem(X86Cpu *c, unsigned op, const X87Reg *b, uint32_t load_sw)
{
    bool stop;

    if (x87_flags(c, x87_operand_flags(x87_st(c, 0), op, load_sw))) {
        return;
    }
    if (x87_have(c, 0, &stop)) {
        arith_to(c, 0, op, b);
    } else if (!stop) {
        set_st(c, 0, X87_INDEFINITE);
    }
}

void helper_farith_f32(Cpu *cpu, uint32_t op, uint32_t bits)
{
    X87Reg b = {0};
    uint32_t sw;

    if (x87_is_quick_on(X86(cpu), 0, 0) && x87_from_f32_bits(&b, bits) &&
        x87_quick_arith_to(X86(cpu), 0, op, &b)) {
        return;
    }
    x87_enter(X86(cpu), true, HOST_PC());
    sw = x87_from_f32(&b, bits);
    arith_mem(X86(cpu), op, &b, sw);
}

void helper_farith_f64(Cpu *cpu, uint32_t op, uint64_t bits)
{
    X87Reg b = {0};
    uint32_t sw;

    if (x87_is_quick_on(X86(cpu), 0, 0) && x87_from_f64_bits(&b, bits) &&
        x87_quick_arith_to(X86(cpu), 0, op, &b)) {
        return;
    }
    x87_enter(X86(cpu), true, HOST_PC());
    sw = x87_from_f64(&b, bits);
    arith_mem(X86(cpu), op, &b, sw);
}

void helper_farith_int(Cpu *cpu, uint32_t op, uint64_t value)
{
    X87Reg b = {0};

    x87_enter(X86(cpu), true, HOST_PC());
    x87_from_i64(&b, value);
    arith_mem(X86(cpu), op, &b, 0);
}

/* ---- comparison ---- */

static void set_cc(X86Cpu *c, uint32_t cc)
{
    c->fp_sw = (c->fp_sw & ~FPSW_CC) | (cc & FPSW_CC);
}

#define CC_UNORDERED (FPSW_C0 | FPSW_C2 | FPSW_C3)

static uint32_t compare(X86Cpu *c, const X87Reg *b, bool quiet)
{
    uint32_t sw = c->fp_sw;

    if (x87_is_quick(c) &&
        (quiet ? x87_quick_ucom(x87_st(c, 0), b, &sw) : x87_quick_com(x87_st(c, 0), b, &sw))) {
        return sw & (FPSW_C0 | FPSW_C2 | FPSW_C3);
    }
    sw = quiet ? x87_ucom(x87_st(c, 0), b) : x87_com(x87_st(c, 0), b);
    x87_flags(c, sw & FPSW_EXCEPTIONS);
    return sw & (FPSW_C0 | FPSW_C2 | FPSW_C3);
}

static void compare_mem(X86Cpu *c, const X87Reg *b)
{
    bool stop;

    set_cc(c, x87_have(c, 0, &stop) ? compare(c, b, false) : CC_UNORDERED);
}

void helper_fcom_st(Cpu *cpu, uint32_t i, uint32_t quiet)
{
    X86Cpu *c = X86(cpu);
    bool stop;

    x87_enter(c, true, HOST_PC());
    if ((int)x87_have(c, 0, &stop) & (int)x87_have(c, i, &stop)) {
        set_cc(c, compare(c, x87_st(c, i), quiet));
    } else {
        set_cc(c, CC_UNORDERED);
    }
}

void helper_fcom_f32(Cpu *cpu, uint32_t bits)
{
    X87Reg b = {0};

    x87_enter(X86(cpu), true, HOST_PC());
    x87_flags(X86(cpu), x87_operand_flags(x87_st(X86(cpu), 0), 2, x87_from_f32(&b, bits)));
    compare_mem(X86(cpu), &b);
}

void helper_fcom_f64(Cpu *cpu, uint64_t bits)
{
    X87Reg b = {0};

    x87_enter(X86(cpu), true, HOST_PC());
    x87_flags(X86(cpu), x87_operand_flags(x87_st(X86(cpu), 0), 2, x87_from_f64(&b, bits)));
    compare_mem(X86(cpu), &b);
}

void helper_fcom_int(Cpu *cpu, uint64_t value)
{
    X87Reg b = {0};

    x87_enter(X86(cpu), true, HOST_PC());
    x87_from_i64(&b, value);
    compare_mem(X86(cpu), &b);
}

uint64_t helper_fcomi(Cpu *cpu, uint32_t i, uint32_t quiet)
{
    X86Cpu *c = X86(cpu);
    uint32_t cc = CC_UNORDERED;
    bool stop;

    x87_enter(c, true, HOST_PC());
    if ((int)x87_have(c, 0, &stop) & (int)x87_have(c, i, &stop)) {
        cc = compare(c, x87_st(c, i), quiet);
    }
    c->fp_sw &= ~FPSW_C1;
    return (cc & FPSW_C0 ? FLAG_C : 0) | (cc & FPSW_C2 ? FLAG_P : 0) | (cc & FPSW_C3 ? FLAG_Z : 0);
}

/* ---- D9 E0 .. D9 FF ---- */

X87Reg x87_constant(const X86Cpu *c, unsigned n)
{
    /*
     * FLD1 FLDL2T FLDL2E FLDPI FLDLG2 FLDLN2 FLDZ: significand rounded down, its next bits,
     * exponent
     */
    static const struct { uint64_t mant; uint16_t exp; int8_t nearest; } k[] = {
        {0x8000000000000000ull, 0x3fff, 0}, {0xd49a784bcd1b8afeull, 0x4000, 0},
        {0xb8aa3b295c17f0bbull, 0x3fff, 1}, {0xc90fdaa22168c234ull, 0x4000, 1},
        {0x9a209a84fbcff798ull, 0x3ffd, 1}, {0xb17217f7d1cf79abull, 0x3ffe, 1}, {0, 0, 0},
    };
    unsigned rc = c->fp_cw >> 10 & 3;
    X87Reg v = {.mant = k[n].mant, .sign_exp = k[n].exp};

    if (rc == 0) {
        v.mant += k[n].nearest;
    } else if (rc == 2 && n != 0 && n != 6) {
        v.mant += 1;
    }
    return v;
}

static void xam(X86Cpu *c)
{
    uint32_t sign = x87_st(c, 0)->sign_exp & 0x8000 ? FPSW_C1 : 0;

    if (x87_empty(c, 0)) {
        set_cc(c, FPSW_C3 | FPSW_C0 | sign);
    } else {
        set_cc(c, x87_xam(x87_st(c, 0), x87_st(c, 0)));
    }
}

/* One operand, one result. */
static void unary(X86Cpu *c, uint32_t (*fn)(X87Reg *, const X87Reg *, uint32_t), bool range)
{
    X87Reg r = {0};
    uint32_t sw;
    bool stop;

    if (!x87_have(c, 0, &stop)) {
        if (!stop) {
            set_st(c, 0, X87_INDEFINITE);
        }
        return;
    }
    sw = fn(&r, x87_st(c, 0), c->fp_cw);
    if (range) {
        c->fp_sw = (c->fp_sw & ~FPSW_C2) | (sw & FPSW_C2);
    }
    if (!x87_host_flags(c, sw)) {
        *x87_st(c, 0) = r;
    }
}

/* ST(0) = fn(ST(0), ST(1)), C0..C3 from the host for remainders. */
static void binary(X86Cpu *c, uint32_t (*fn)(X87Reg *, const X87Reg *, const X87Reg *, uint32_t),
                   bool cc)
{
    X87Reg r = {0};
    uint32_t sw;

    if (!both(c, 0, 1)) {
        return;
    }
    sw = fn(&r, x87_st(c, 0), x87_st(c, 1), c->fp_cw);
    if (!x87_host_flags(c, sw)) {
        *x87_st(c, 0) = r;
    }
    if (cc) {
        set_cc(c, sw);
    }
}

/* ST(1) = fn(ST(0), ST(1)), popped. */
static void popping(X86Cpu *c, uint32_t (*fn)(X87Reg *, const X87Reg *, const X87Reg *, uint32_t))
{
    X87Reg r = {0};

    if (!both(c, 1, 0)) {
        x87_pop(c);
        return;
    }
    if (!x87_host_flags(c, fn(&r, x87_st(c, 0), x87_st(c, 1), c->fp_cw))) {
        *x87_st(c, 1) = r;
        x87_pop(c);
    }
}

/* ST(0) becomes `below`, `top` is pushed. */
static void split(X86Cpu *c, uint32_t (*fn)(X87Reg *, X87Reg *, const X87Reg *, uint32_t))
{
    X87Reg top = X87_INDEFINITE, below = X87_INDEFINITE;
    uint32_t sw = 0;
    bool stop;

    if (stack_full(c)) {
        stop = x87_flags(c, FPSW_IE | FPSW_SF);
    } else if (x87_have(c, 0, &stop)) {
        sw = fn(&top, &below, x87_st(c, 0), c->fp_cw);
        c->fp_sw = (c->fp_sw & ~FPSW_C2) | (sw & FPSW_C2);
        if (sw & FPSW_C2) {
            return;
        }
        stop = x87_host_flags(c, sw);
    }
    if (!stop) {
        set_st(c, 0, below);
        x87_push(c, &top);
    }
}

static uint32_t xtract(X87Reg *top, X87Reg *below, const X87Reg *a, uint32_t cw)
{
    return x87_xtract(top, below, a) & ~FPSW_C2;
}

static void sign_op(X86Cpu *c, unsigned modrm)
{
    static const X87Reg zero;
    bool stop, have = x87_have(c, 0, &stop);

    if (!have && modrm < 0xe2) {
        if (!stop) {
            set_st(c, 0, X87_INDEFINITE);
        }
        return;
    }
    c->fp_sw &= ~FPSW_C1;
    if (modrm == 0xe0) {
        x87_st(c, 0)->sign_exp ^= 0x8000;
    } else if (modrm == 0xe1) {
        x87_st(c, 0)->sign_exp &= 0x7fff;
    } else {
        set_cc(c, have ? compare(c, &zero, false) : CC_UNORDERED);
    }
}

static void function_op(X86Cpu *c, unsigned modrm)
{
    switch (modrm) {
    case 0xf0:
        unary(c, x87_f2xm1, false);
        break;
    case 0xf1:
        popping(c, x87_yl2x);
        break;
    case 0xf2:
        split(c, x87_ptan);
        break;
    case 0xf3:
        popping(c, x87_patan);
        break;
    case 0xf4:
        split(c, xtract);
        break;
    case 0xf5:
        binary(c, x87_prem1, true);
        break;
    case 0xf6:
        c->fp_top = (c->fp_top - 1) & 7;
        c->fp_sw &= ~FPSW_C1;
        break;
    case 0xf7:
        c->fp_top = (c->fp_top + 1) & 7;
        c->fp_sw &= ~FPSW_C1;
        break;
    case 0xf8:
        binary(c, x87_prem, true);
        break;
    case 0xf9:
        popping(c, x87_yl2xp1);
        break;
    case 0xfa:
        unary(c, x87_sqrt, false);
        break;
    case 0xfb:
        split(c, x87_sincos);
        break;
    case 0xfc:
        unary(c, x87_rndint, false);
        break;
    case 0xfd:
        binary(c, x87_scale, false);
        break;
    case 0xfe:
        unary(c, x87_sin, true);
        break;
    default:
        unary(c, x87_cos, true);
        break;
    }
}

void helper_f_d9(Cpu *cpu, uint32_t modrm)
{
    X86Cpu *c = X86(cpu);

    x87_enter(c, true, HOST_PC());
    if (modrm >= 0xf0) {
        function_op(c, modrm);
    } else if (modrm >= 0xe8) {
        if (modrm == 0xef) {
            x86_raise(c, EXC_UD, HOST_PC());
        }
        X87Reg v = x87_constant(c, modrm - 0xe8);

        x87_push(c, &v);
    } else if (modrm == 0xe5) {
        xam(c);
    } else if (modrm == 0xe0 || modrm == 0xe1 || modrm == 0xe4) {
        sign_op(c, modrm);
    } else {
        x86_raise(c, EXC_UD, HOST_PC());
    }
}
