// SPDX-License-Identifier: GPL-2.0-or-later
/* A64: memory tagging. C6.2. */
#include "target-arm/translate.h"

void arm_mte_check(ArmCtx *s, IrVal addr, unsigned bytes, bool write, unsigned mmu)
{
    if (s->tag_checked && s->mode & (mmu == s->mmu ? MODE_MTE : MODE_MTE_USER)) {
        ir_call_mte_check(s->b, addr, ir_i32(s->b, bytes | (uint32_t)write << 8 | mmu << 12));
    }
}

/*
 * Accesses relative to the program counter, and to SP without an index or write-back, are not
 * checked (D6.8.1).
 */
bool arm_mte_checked_row(uint32_t w)
{
    bool index = (w & 0x3b200c00) == 0x38200800;
    bool wback = (w & 0x3b200400) == 0x38000400 ||
                 ((w & 0x3a000000) == 0x28000000 && w & 1 << 23) ||
                 ((w & 0xbe000000) == 0x0c000000 && w & 1 << 23);

    if ((w & 0x3b000000) == 0x18000000) {
        return false;
    }
    return (w >> 5 & 31) != 31 || index || wback;
}

static bool there(const ArmCtx *s)
{
    return arm_has(s->cpu, FEATURE_MTE);
}

bool trans_IRG(ArmCtx *s, const A64Insn *i)
{
    if (there(s)) {
        arm_set_xsp(s, (unsigned)i->rd,
                    ir_call_irg(s->b, arm_xsp(s, (unsigned)i->rn), arm_x(s, (unsigned)i->rm),
                                ir_i32(s->b, !!(s->mode & MODE_ATA))));
    }
    return there(s);
}

bool trans_GMI(ArmCtx *s, const A64Insn *i)
{
    if (there(s)) {
        IrVal tag = ir_andi(s->b, ir_shri(s->b, arm_xsp(s, (unsigned)i->rn), 56), 15);

        arm_set_x(s, (unsigned)i->rd,
                  ir_or(s->b, arm_x(s, (unsigned)i->rm), ir_shl(s->b, ir_i64(s->b, 1), tag)));
    }
    return there(s);
}

bool trans_addg(ArmCtx *s, const A64Insn *i)
{
    int64_t offset = (int64_t)i->imm * (i->sub ? -16 : 16);

    if (!there(s)) {
        return false;
    }
    IrVal va = arm_xsp(s, (unsigned)i->rn);

    if (s->mode & MODE_ATA) {
        va = ir_call_addg(s->b, va, ir_i64(s->b, (uint64_t)offset), ir_i32(s->b, (uint32_t)i->tag));
    } else {
        va = ir_andi(s->b, ir_addi(s->b, va, offset), (int64_t)~(15ull << 56));
    }
    arm_set_xsp(s, (unsigned)i->rd, va);
    return true;
}

bool trans_subp(ArmCtx *s, const A64Insn *i)
{
    if (!there(s)) {
        return false;
    }
    IrVal a = ir_sari(s->b, ir_shli(s->b, arm_xsp(s, (unsigned)i->rn), 8), 8),
          b = ir_sari(s->b, ir_shli(s->b, arm_xsp(s, (unsigned)i->rm), 8), 8);

    if (i->setf) {
        arm_cc(s, CC_SUB64, a, b);
    }
    arm_set_x(s, (unsigned)i->rd, ir_sub(s->b, a, b));
    return true;
}

bool trans_LDG(ArmCtx *s, const A64Insn *i)
{
    if (!there(s)) {
        return false;
    }
    IrVal va = ir_addi(s->b, arm_xsp(s, (unsigned)i->rn), (int64_t)i->imm * 16),
          old = arm_x(s, (unsigned)i->rt);

    arm_set_x(s, (unsigned)i->rt,
              s->mode & MODE_ATA ? ir_call_ldg(s->b, va, old)
                                 : ir_andi(s->b, old, (int64_t) ~(15ull << 56)));
    return true;
}

static void store_tags(ArmCtx *s, IrVal va, IrVal value, unsigned count, bool zero)
{
    ir_call_stg(s->b, va, value,
                ir_i32(s->b, count | (zero ? 16u : 0) | (s->mode & MODE_ATA ? 32u : 0)));
}

bool trans_stg(ArmCtx *s, const A64Insn *i)
{
    if (!there(s)) {
        return false;
    }
    IrVal b = arm_xsp(s, (unsigned)i->rn), updated = ir_addi(s->b, b, (int64_t)i->imm * 16);

    store_tags(s, i->mode == 1 ? b : updated, arm_xsp(s, (unsigned)i->rt), 1 + (unsigned)i->two,
               i->zero);
    if (i->mode) {
        arm_set_xsp(s, (unsigned)i->rn, updated);
    }
    return true;
}

bool trans_stgp(ArmCtx *s, const A64Insn *i)
{
    if (!there(s)) {
        return false;
    }
    IrVal b = arm_xsp(s, (unsigned)i->rn), updated = ir_addi(s->b, b, (int64_t)i->imm * 16),
          va = i->mode == 1 ? b : updated;
    IrVal x = arm_x(s, (unsigned)i->rt), y = arm_x(s, (unsigned)i->rt2);

    s->tag_checked = false;
    store_tags(s, va, va, 1, false);
    arm_store(s, x, va, MEM_64, s->mmu);
    arm_store(s, y, ir_addi(s->b, va, 8), MEM_64, s->mmu);
    if (i->mode) {
        arm_set_xsp(s, (unsigned)i->rn, updated);
    }
    return true;
}

/* op: 0 LDGM, 1 STGM, 2 STZGM. */
bool trans_ldgm(ArmCtx *s, const A64Insn *i)
{
    if (!there(s) || s->el == 0) {
        return false;
    }
    IrVal va = arm_xsp(s, (unsigned)i->rn);

    if (!(s->mode & MODE_ATA)) {
        if (i->op == 0) {
            arm_set_x(s, (unsigned)i->rt, ir_i64(s->b, 0));
        } else if (i->op == 2) {
            ir_call_dc_zva(s->b, va);
        }
    } else if (i->op == 0) {
        arm_set_x(s, (unsigned)i->rt, ir_call_ldgm(s->b, va));
    } else {
        ir_call_stgm(s->b, va, arm_x(s, (unsigned)i->rt), ir_i32(s->b, i->op == 2));
    }
    return true;
}
