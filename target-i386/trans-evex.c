// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translation of AVX-512 rows: as IR (wide.c), or a call of the helper that does all (evex.c).
 */
#include "target-i386/wide.h"

/* Lengths below 512 bits are AVX512VL's, unless the row has but one. */
static bool length_there(X86Ctx *s, const X86Insn *i)
{
    for (unsigned k = 0; k < 4; k++) {
        uint8_t size = i->row->ops[k].size;
        if (i->evex && i->vex_l < 2 &&
            (size == X86_SZ_X || size == X86_SZ_XH || size == X86_SZ_XQ || size == X86_SZ_XE)) {
            return x86_has_feature(s->cpu, FEAT_AVX512VL);
        }
    }
    return true;
}

static EvexWord word_of(const X86Ctx *s, const X86Insn *i)
{
    EvexWord w = {.row = (uint64_t)(i->row - x86_rows),
                  .l = i->vex_l,
                  .z = i->evex_z,
                  .b = i->evex_b,
                  .aaa = i->evex_aaa,
                  .rc = i->evex_rc,
                  .d = i->op[0].reg,
                  .w = i->rex >> 3 & 1,
                  .mmu = s->mmu,
                  .dst_mem = i->op[0].kind == X86_MEM,
                  .size0 = i->op[0].size,
                  .scale = i->scale};

    for (unsigned k = 1; k < 4 && i->op[k].kind != X86_NONE; k++) {
        uint8_t op = i->row->ops[k].op;
        if (i->op[k].kind == X86_IMM) {
            w.imm = i->op[k].imm & 0xff;
        } else if (op == X86_OP_H || op == X86_OP_T) {
            w.a = i->op[k].reg;
        } else {
            w.src = i->op[k].reg;
            w.src_mem = i->op[k].kind == X86_MEM;
            w.size1 = i->op[k].size;
        }
    }
    return w;
}

void x86_evex_call(X86Ctx *s, X86Insn *i, EvexWord w)
{
    IrVal va = ir_i64(s->b, 0);

    if (w.src_mem || w.dst_mem) {
        va = x86_addr(s, i);
    }
    x86_sync(s);
    ir_call_evex(s->b, ir_i64(s->b, (int64_t)w.all), va, ir_i64(s->b, 0));
}

/* Gathers and scatters: addresses of elements are the helper's. */
static void by_element(X86Ctx *s, X86Insn *i, EvexWord w)
{
    unsigned seg = x86_data_seg(i);
    bool scatter = w.dst_mem;
    IrVal base = ir_i64(s->b, 0);

    if ((i->modrm & 7) != 4 || (!scatter && w.d == i->vsib)) {
        x86_ud(s);
        return;
    }
    w.d = scatter ? i->op[1].reg : w.d;
    w.src = i->vsib;
    IrVal va = x86_lea(s, i);
    if (s->code64 ? seg >= S_FS : seg >= S_FS || s->mode & MODE_ADDSEG || seg == S_CS) {
        base = ir_get(s->b, V_ES_BASE + seg);
    }
    x86_sync(s);
    ir_call_evex(s->b, ir_i64(s->b, (int64_t)w.all), va, base);
}

void trans_EVEX(X86Ctx *s, X86Insn *i)
{
    EvexWord w = word_of(s, i);

    if (!length_there(s, i)) {
        x86_ud(s);
    } else if (i->row->flags & X86_ROW_VSIB) {
        by_element(s, i, w);
    } else if (s->mode & MODE_XM || !x86_wide(s, i, w)) {      /* exact flags are the helper's */
        x86_evex_call(s, i, w);
        if (i->row->kernel == ev_kortest || i->row->kernel == ev_ktest ||
            i->row->kernel == ev_ucomis || i->row->kernel == ev_comis) {
            x86_cc_by_helper(s);
        }
    }
}
