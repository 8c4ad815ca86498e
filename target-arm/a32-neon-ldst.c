// SPDX-License-Identifier: GPL-2.0-or-later
/* Loads and stores of elements and structures, A32 and T32 (F6.1: VLD1 to VLD4, VST1 to VST4). */
#include "target-arm/a32-trans.h"
#include "target-arm/neon-decode.h"

typedef struct Access {
    IrVar at;                   /* address, i32 */
    bool load;
} Access;

/* The base, checked for the alignment that the instruction asks for (in bytes). */
static Access begin(ArmCtx *s, const A32Insn *i, bool load, unsigned align)
{
    IrBuilder *b = s->b;
    IrVal base = a32_reg(s, i->rn);
    Access a = {.at = ir_local(b, IR_I32), .load = load};

    ir_set(b, a.at, base);
    if (align > 1) {
        IrBlock *bad = ir_cold_block(b), *good = ir_block(b);

        ir_brcond(b, COND_TSTNZ, base, ir_i32(b, align - 1), bad, good);
        ir_place(b, bad);
        ir_call_a32_misaligned(b, ir_zextq(b, ir_get(b, a.at)), ir_i32(b, load));
        if (ir_is_open(b)) {
            ir_exit(b, IR_EXIT_LOOP);
        }
        ir_place(b, good);
    }
    return a;
}

/* Element `index` of D register d at offset. */
static void element(ArmCtx *s, const Access *a, unsigned size, unsigned d, unsigned index,
                    unsigned offset)
{
    IrBuilder *b = s->b;
    IrLane lane = LANE_I8 + size;
    IrVal addr = ir_zextq(b, ir_addi(b, ir_get(b, a->at), offset));
    unsigned n = index + (d & 1 ? 8u >> size : 0);

    if (a->load) {
        IrVal v = arm_load(s, size == 3 ? IR_I64 : IR_I32, addr, size, s->mmu);

        ir_set(b, V_V0 + d / 2, ir_v_insert(b, lane, arm_v(s, d / 2), v, n));
    } else {
        arm_store(s, ir_v_extract(b, lane, arm_v(s, d / 2), n), addr, size, s->mmu);
    }
}

/* rm: 15 nothing, 13 the bytes transferred, else an index. */
static void write_back(ArmCtx *s, const A32Insn *i, const Access *a, unsigned bytes)
{
    if (i->rm == 15) {
        return;
    }
    IrVal base = ir_get(s->b, a->at);

    a32_set_plain(s, i->rn,
                  i->rm == 13 ? ir_addi(s->b, base, bytes) : ir_add(s->b, base, a32_reg(s, i->rm)));
}

bool trans_neon_ldst(ArmCtx *s, const A32Insn *i)
{
    unsigned members = (unsigned)i->op, regs = (unsigned)i->len, step = (unsigned)i->index,
             size = (unsigned)i->size, align = (unsigned)i->align;
    unsigned d = a32_vreg(true, i->vd, i->bits), last = d + (members - 1) * step + regs - 1, at = 0;

    if ((members > 1 && size == 3) ||
        (align == 3 && (members == 2 ? regs == 1 : members == 1 && regs == 2)) ||
        (align & 2 && (members == 3 || (members == 1 && (regs == 1 || regs == 3)))) || last > 31 ||
        i->rn == 15) {
        return false;
    }
    FP_OR_RETURN(s);
    Access a = begin(s, i, i->load, align ? 4u << align : 1);

    if (members == 1 && !(s->mem & (MEM_BIG | MEM_ALIGN))) {
        size = 3;
    }
    for (unsigned r = 0; r < regs; r++) {
        for (unsigned e = 0; e < 8u >> size; e++) {
            for (unsigned m = 0; m < members; m++) {
                element(s, &a, size, d + m * step + r, e, at);
                at += 1u << size;
            }
        }
    }
    write_back(s, i, &a, at);
    return true;
}

/* Takes index, distance of registers and alignment out of the field; false: reserved. */
static bool lane_fields(unsigned members, unsigned size, unsigned field, unsigned *index,
                        unsigned *step, unsigned *align)
{
    *index = field >> (size + 1);
    *step = size && members > 1 && field >> size & 1 ? 2 : 1;
    *align = 1;
    switch (members) {
    case 1:
        if (size == 0) {
            return !(field & 1);
        }
        if (size == 1) {
            *align = field & 1 ? 2 : 1;
            return !(field & 2);
        }
        *align = field & 3 ? 4 : 1;
        return !(field & 4) && ((field & 3) == 0 || (field & 3) == 3);
    case 2:
        *align = field & 1 ? 2u << size : 1;
        return size < 2 || !(field & 2);
    case 3:
        return size == 0 ? !(field & 1) : size == 1 ? !(field & 1) : !(field & 3);
    default:
        *align = size < 2 ? (field & 1 ? 4u << size : 1) : field & 3 ? 4u << (field & 3) : 1;
        return size < 2 || (field & 3) != 3;
    }
}

bool trans_neon_ldst_lane(ArmCtx *s, const A32Insn *i)
{
    unsigned members = (unsigned)i->op, size = (unsigned)i->size,
             d = a32_vreg(true, i->vd, i->bits), index, step, align;

    if (size == 3 || !lane_fields(members, size, (unsigned)i->index, &index, &step, &align) ||
        d + (members - 1) * step > 31 || i->rn == 15) {
        return false;
    }
    FP_OR_RETURN(s);
    Access a = begin(s, i, i->load, align);

    for (unsigned m = 0; m < members; m++) {
        element(s, &a, size, d + m * step, index, m << size);
    }
    write_back(s, i, &a, members << size);
    return true;
}

bool trans_neon_ld_all(ArmCtx *s, const A32Insn *i)
{
    unsigned members = (unsigned)i->op, size = (unsigned)i->size,
             d = a32_vreg(true, i->vd, i->bits), align = 1;
    unsigned regs = members == 1 && i->index ? 2 : 1, step = members > 1 && i->index ? 2 : 1;

    if (size == 3 && (members != 4 || !i->align)) {
        return false;
    }
    if ((members == 1 && size == 0 && i->align) || (members == 3 && i->align) ||
        d + (members - 1) * step + regs - 1 > 31 || i->rn == 15) {
        return false;
    }
    if (i->align) {
        align = size == 3 ? 16 : members == 4 && size == 2 ? 8 : members << size;
    }
    size = size == 3 ? 2 : size;
    FP_OR_RETURN(s);
    Access a = begin(s, i, true, align);

    for (unsigned m = 0; m < members; m++) {
        IrVal addr = ir_zextq(s->b, ir_addi(s->b, ir_get(s->b, a.at), m << size));
        IrVal v =
            ir_v_splat(s->b, IR_V128, LANE_I8 + size, arm_load(s, IR_I32, addr, size, s->mmu));

        for (unsigned r = 0; r < regs; r++) {
            a32_put_vec(s, false, d + m * step + r, v);
        }
    }
    write_back(s, i, &a, members << size);
    return true;
}
