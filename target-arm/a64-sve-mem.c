// SPDX-License-Identifier: GPL-2.0-or-later
/* A64: loads and stores of SVE and SVE2. C8.2. */
#include "target-arm/a64-sve.h"

/* As in sve-mem.c. */
enum {
    ACC_BIG = 16,
    ACC_ALIGN = 32,
    ACC_FF = 64,
    ACC_NF = 128,
    ACC_SIGNED = 256,
    ACC_SCALE = 512,
    ACC_XS = 1024,
    ACC_MTE = 2048
};

static unsigned access_flags(const ArmCtx *s)
{
    return s->mmu | (s->mem & MEM_BIG ? ACC_BIG : 0) | (s->mem & MEM_ALIGN ? ACC_ALIGN : 0) |
           (s->tag_checked && s->mode & MODE_MTE ? ACC_MTE : 0);
}

static IrVal desc_mem(ArmCtx *s, unsigned rd, unsigned rm, unsigned regs, unsigned pg,
                      unsigned size, unsigned op, unsigned flags)
{
    s->zcleared = 0;
    return ir_i64(s->b, sv_desc(rd, 0, rm, regs, pg, size, op) |
                            sv_imm_bits((int)(flags | access_flags(s))) |
                            (uint64_t)(arm_vl(s) / 16 - 1) << 60);
}

/* Xn|SP plus Xm << shift, or plus a constant. */
static IrVal base_plus(ArmCtx *s, const A64Insn *i, unsigned shift, int64_t constant)
{
    IrVal x = arm_xsp(s, (unsigned)i->rn);

    s->tag_checked = s->mode & MODE_MTE && (i->reg || i->rn != 31);
    return i->reg ? ir_add(s->b, x, arm_shift(s, true, arm_x(s, (unsigned)i->rm), 0, shift))
                  : ir_addi(s->b, x, constant);
}

bool trans_sve_ldstr(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = ir_addi(s->b, arm_xsp(s, (unsigned)i->rn),
                           (int64_t)i->imm * (int)(i->op ? arm_vl(s) / 8 : arm_vl(s)));
        IrVal d = desc_mem(s, (unsigned)i->rd, 0, 0, 0, 0, (unsigned)i->op, 0);

        if (i->load) {
            ir_call_sve_ldr(s->b, d, va);
        } else {
            ir_call_sve_str(s->b, d, va);
        }
    }
    return true;
}

/* dtype of contiguous loads: bytes in memory and in the register (log2), sign. */
static const struct { uint8_t mem, reg, sign; } dtypes[16] = {
    {0, 0, 0}, {0, 1, 0}, {0, 2, 0}, {0, 3, 0}, {2, 3, 1}, {1, 1, 0}, {1, 2, 0}, {1, 3, 0},
    {1, 3, 1}, {1, 2, 1}, {2, 2, 0}, {2, 3, 0}, {0, 3, 1}, {0, 2, 1}, {0, 1, 1}, {3, 3, 0},
};

bool trans_sve_ld1(ArmCtx *s, const A64Insn *i)
{
    unsigned mem = dtypes[i->dtype].mem, size = dtypes[i->dtype].reg;

    if (!arm_sve_valid(s, i) || (i->reg && i->rm == 31 && !i->ff)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = base_plus(s, i, mem, (int64_t)i->imm * (int)(arm_vl(s) >> size << mem));
        unsigned flags = (dtypes[i->dtype].sign ? ACC_SIGNED : 0) | (i->ff == 1   ? ACC_FF
                                                                     : i->ff == 2 ? ACC_NF
                                                                                  : 0);

        ir_call_sve_ld(s->b, desc_mem(s, (unsigned)i->rd, mem, 0, (unsigned)i->pg, size, 0, flags),
                       va);
    }
    return true;
}

/* LDNT1, LD2 to LD4, and their stores. */
static IrVal structure_address(ArmCtx *s, const A64Insn *i)
{
    return base_plus(s, i, (unsigned)i->size, (int64_t)i->imm * (i->nreg + 1) * (int)arm_vl(s));
}

bool trans_sve_ldn(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i) || (i->reg && i->rm == 31)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = structure_address(s, i);

        ir_call_sve_ld(s->b,
                       desc_mem(s, (unsigned)i->rd, (unsigned)i->size, (unsigned)i->nreg,
                                (unsigned)i->pg, (unsigned)i->size, 0, 0),
                       va);
    }
    return true;
}

bool trans_sve_stn(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i) || (i->reg && i->rm == 31)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = structure_address(s, i);

        ir_call_sve_st(s->b,
                       desc_mem(s, (unsigned)i->rd, (unsigned)i->size, (unsigned)i->nreg,
                                (unsigned)i->pg, (unsigned)i->size, 0, 0),
                       va);
    }
    return true;
}

bool trans_sve_st1(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i) || i->esz < i->size || (i->reg && i->rm == 31)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = base_plus(s, i, (unsigned)i->size,
                             (int64_t)i->imm * (int)(arm_vl(s) >> i->esz << i->size));

        ir_call_sve_st(s->b,
                       desc_mem(s, (unsigned)i->rd, (unsigned)i->size, 0, (unsigned)i->pg,
                                (unsigned)i->esz, 0, 0),
                       va);
    }
    return true;
}

bool trans_sve_ld1rq(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i) || (i->reg && i->rm == 31) ||
        (i->op && arm_vl(s) < 32 && !(s->mode & MODE_SVE_TRAP))) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = base_plus(s, i, (unsigned)i->size, (int64_t)i->imm * (i->op ? 32 : 16));

        ir_call_sve_ld1rq(s->b,
                          desc_mem(s, (unsigned)i->rd, 0, 0, (unsigned)i->pg, (unsigned)i->size,
                                   (unsigned)i->op, 0),
                          va);
    }
    return true;
}

bool trans_sve_ld1r(ArmCtx *s, const A64Insn *i)
{
    unsigned mem = dtypes[i->dtype].mem;

    if (!arm_sve_valid(s, i)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal va = base_plus(s, i, 0, (int64_t)i->imm << mem);

        ir_call_sve_ld1r(s->b,
                         desc_mem(s, (unsigned)i->rd, mem, 0, (unsigned)i->pg, dtypes[i->dtype].reg,
                                  0, dtypes[i->dtype].sign ? ACC_SIGNED : 0),
                         va);
    }
    return true;
}

/* ---- gathers and scatters ---- */

static IrVal vector_base(ArmCtx *s, const A64Insn *i)
{
    s->tag_checked = s->mode & MODE_MTE;
    return i->mode == SVG_IMM  ? ir_i64(s->b, (uint64_t)i->imm << i->size)
           : i->mode == SVG_NT ? arm_x(s, (unsigned)i->rn)
                               : arm_xsp(s, (unsigned)i->rn);
}

static IrVal vector_desc(ArmCtx *s, const A64Insn *i, unsigned flags)
{
    flags |= (i->scale ? ACC_SCALE : 0) | (i->xs ? ACC_XS : 0);
    return desc_mem(s, (unsigned)i->rd, (unsigned)i->rm, 0, (unsigned)i->pg, (unsigned)i->esz,
                    (unsigned)(i->mode | i->size << 4), flags);
}

bool trans_sve_gather(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i) || (!i->u && i->size == i->esz)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal base = vector_base(s, i);

        ir_call_sve_gather(s->b, vector_desc(s, i, (i->u ? 0 : ACC_SIGNED) | (i->ff ? ACC_FF : 0)),
                           base);
    }
    return true;
}

bool trans_sve_scatter(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i)) {
        return false;
    }
    if (arm_sve_ok(s)) {
        IrVal base = vector_base(s, i);

        ir_call_sve_scatter(s->b, vector_desc(s, i, 0), base);
    }
    return true;
}

/* ---- prefetches ---- */

bool trans_sve_prf(ArmCtx *s, const A64Insn *i)
{
    if (!arm_sve_valid(s, i)) {
        return false;
    }
    arm_sve_ok(s);
    return true;
}

bool trans_sve_prfr(ArmCtx *s, const A64Insn *i)
{
    return i->rm != 31 && trans_sve_prf(s, i);
}
