// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The functions behind tcg/x87.h, for engines that do not emit these operations in line, and what a
 * block looks at before it uses them. SDM 1 chapter 8.
 */
#include "target-i386/x87.h"

#include "target-i386/helpers.h"
#include "target-i386/x87-host.h"
#include "target-i386/x87-quick.h"
#include "tcg/x87.h"

uint32_t helper_x87_ready(Cpu *cpu)
{
    X86Cpu *c = X86(cpu);

    if (!x87_is_quick(c)) {
        return 0;
    }
    host_x87_clear();
    c->fp_host_clean = 1;
    return 1;
}

/* Masked exceptions: the result always counts. */
static void finish(X86Cpu *c, X87Reg *to, const X87Reg *r, uint32_t sw)
{
    x87_host_flags(c, sw);
    *to = *r;
}

static void compare_done(X86Cpu *c, uint32_t sw)
{
    x87_flags(c, sw & FPSW_EXCEPTIONS);
    c->fp_sw = (c->fp_sw & ~FPSW_CC) | (sw & (FPSW_C0 | FPSW_C2 | FPSW_C3));
}

static void unary(X86Cpu *c, X87Reg *a, unsigned op)
{
    X87Reg r = {0};

    switch (op) {
    case 0xe0:
        a->sign_exp ^= 0x8000;
        c->fp_sw &= ~FPSW_C1;
        return;
    case 0xe1:
        a->sign_exp &= 0x7fff;
        c->fp_sw &= ~FPSW_C1;
        return;
    default: {
        uint32_t sw = op == 0xfa ? x87_sqrt(&r, a, c->fp_cw) : x87_rndint(&r, a, c->fp_cw);
        finish(c, a, &r, sw);
    }
    }
}

void helper_x87_do(Cpu *cpu, uint32_t code)
{
    X86Cpu *c = X86(cpu);
    X87Reg *a = &c->fpr[x87_code_a(code)], *b = &c->fpr[x87_code_b(code)], r = *a;
    const unsigned op = x87_code_op(code);
    uint32_t sw;

    switch (x87_code_kind(code)) {
    case X87K_ARITH:
        sw = x87_arith(&r, op, a, b, c->fp_cw);
        finish(c, a, &r, sw);
        return;
    case X87K_MOVE:
        *a = *b;
        c->fp_sw &= op ? ~FPSW_C1 : ~0u;
        return;
    case X87K_XCH:
        *a = *b;
        *b = r;
        c->fp_sw &= ~FPSW_C1;
        return;
    case X87K_UNARY:
        unary(c, a, op);
        return;
    case X87K_CONST:
        *a = x87_constant(c, op - 0xe8);
        c->fp_sw &= ~FPSW_C1;
        return;
    case X87K_COM:
        compare_done(c, op ? x87_ucom(a, b) : x87_com(a, b));
        return;
    default:
        return;
    }
}

static uint32_t from_format(X87Reg *r, unsigned format, uint64_t value)
{
    return format == X87F_F32   ? x87_from_f32(r, (uint32_t)value)
           : format == X87F_F64 ? x87_from_f64(r, value)
                                : x87_from_i64(r, (int64_t)value);
}

void helper_x87_in(Cpu *cpu, uint32_t code, uint64_t value)
{
    X86Cpu *c = X86(cpu);
    X87Reg *a = &c->fpr[x87_code_a(code)], r = {0}, v = {0};
    const unsigned op = x87_code_op(code);
    uint32_t sw;

    switch (x87_code_kind(code)) {
    case X87K_LOAD:
        x87_flags(c, from_format(a, op, value) & FPSW_EXCEPTIONS);
        c->fp_sw &= ~FPSW_C1;
        return;
    case X87K_ARITH_MEM:
        x87_flags(c, x87_operand_flags(a, op & 7, from_format(&v, op >> 4, value)));
        sw = x87_arith(&r, op & 7, a, &v, c->fp_cw);
        finish(c, a, &r, sw);
        return;
    case X87K_COM_MEM:
        x87_flags(c, x87_operand_flags(a, 2, from_format(&v, op, value)));
        compare_done(c, x87_com(a, &v));
        return;
    default:
        if (value) {
            *a = c->fpr[x87_code_b(code)];
        }
    }
}

void helper_x87_in80(Cpu *cpu, uint32_t code, uint64_t mant, uint32_t sign_exp)
{
    X86Cpu *c = X86(cpu);

    c->fpr[x87_code_a(code)] = (X87Reg){.mant = mant, .sign_exp = (uint16_t)sign_exp};
    c->fp_sw &= ~FPSW_C1;
}

static uint64_t store(X86Cpu *c, const X87Reg *a, unsigned op)
{
    const uint32_t cw = op & X87F_TRUNCATE ? c->fp_cw | 0xc00 : c->fp_cw;
    uint32_t f32 = 0, sw;
    uint64_t f64 = 0;
    int64_t i64 = 0;
    int32_t i32 = 0;
    int16_t i16 = 0;

    switch (op & 7) {
    case X87F_F32:
        sw = x87_to_f32(&f32, a, cw);
        f64 = f32;
        break;
    case X87F_F64:
        sw = x87_to_f64(&f64, a, cw);
        break;
    case X87F_I64:
        sw = x87_to_i64(&i64, a, cw);
        f64 = (uint64_t)i64;
        break;
    case X87F_I32:
        sw = x87_to_i32(&i32, a, cw);
        f64 = (uint64_t)(int64_t)i32;
        break;
    default:
        sw = x87_to_i16(&i16, a, cw);
        f64 = (uint64_t)(int64_t)i16;
    }
    x87_host_flags(c, sw);
    return f64;
}

uint64_t helper_x87_out(Cpu *cpu, uint32_t code)
{
    X86Cpu *c = X86(cpu);
    const X87Reg *a = &c->fpr[x87_code_a(code)], *b = &c->fpr[x87_code_b(code)];
    const unsigned op = x87_code_op(code);
    uint32_t sw;

    if (x87_code_kind(code) == X87K_STORE) {
        return store(c, a, op);
    }
    sw = op ? x87_ucom(a, b) : x87_com(a, b);
    x87_flags(c, sw & FPSW_EXCEPTIONS);
    c->fp_sw &= ~FPSW_C1;
    return (sw & FPSW_C0 ? FLAG_C : 0) | (sw & FPSW_C2 ? FLAG_P : 0) | (sw & FPSW_C3 ? FLAG_Z : 0);
}
