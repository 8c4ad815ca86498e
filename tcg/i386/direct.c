// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations of tcg/direct.h: each is an x86-64 instruction or two. What such a function begins
 * and ends with is the first tier's (first.c), as are its stubs for memory and look-ups.
 */
#include "tcg/direct.h"
#include "tcg/i386/first.h"

typedef struct HostDirect {
    Direct d;
    First *q;
    uint8_t *branch;                    /* the displacement of the one under way */
    uint32_t holds[4];                  /* by DirectReg: the home that has the same; 0: none */
    uint8_t bits32[4];                  /* only in its lower half, with zeros above in the register */
} HostDirect;

/* rdx is free within an operation. */
static const int8_t regs[] = {[D_RES] = RAX, [D_OTHER] = RCX, [D_ADDR] = RSI, [D_VALUE] = RDI};

static Gen *gen_of(Direct *d)
{
    return ((HostDirect *)d)->q->g;
}

static Asm *asm_of(Direct *d)
{
    return &gen_of(d)->a;
}

static uint32_t w_of(unsigned size)
{
    return size == 3 ? X_W : 0;
}

/* ---- what registers hold: homes are not read again ---- */

static void lose(Direct *d, DirectReg r)
{
    ((HostDirect *)d)->holds[r] = 0;
}

static void changes(Direct *d, uint32_t offset)
{
    for (unsigned r = D_RES; r <= D_VALUE; r++) {
        if (((HostDirect *)d)->holds[r] == offset) {
            lose(d, (DirectReg)r);
        }
    }
}

static void holds(Direct *d, DirectReg r, uint32_t offset, bool bits32)
{
    ((HostDirect *)d)->holds[r] = offset;
    ((HostDirect *)d)->bits32[r] = bits32;
}

/* A register with the home's low `size` bytes, -1: none. */
static int holder(const Direct *d, uint32_t offset, unsigned size)
{
    const HostDirect *h = (const HostDirect *)d;

    for (int r = D_RES; r <= D_VALUE; r++) {
        if (h->holds[r] == offset && !(h->bits32[r] && size == 3)) {
            return r;
        }
    }
    return -1;
}

/* ---- operations ---- */

static bool d_insn(Direct *d, uint64_t pc, uint64_t meta)
{
    First *q = ((HostDirect *)d)->q;

    if (!gen_has_room(q->g)) {
        return false;
    }
    first_point(q, pc, meta);
    return !q->full;
}

static void d_get(Direct *d, DirectReg r, uint32_t offset, unsigned size)
{
    static const uint32_t forms[] = {X_MOVZX8, X_MOVZX16, X_MOV_RM, X_MOV_RM | X_W};
    const HostDirect *h = (const HostDirect *)d;
    const int have = holder(d, offset, size);

    if (have < 0) {
        x_rm(asm_of(d), forms[size], regs[r], gen_env(gen_of(d), offset));
    } else if (have != (int)r || size < 2 || (size == 2 && !h->bits32[r])) {
        x_rr(asm_of(d), forms[size], regs[r], regs[have]);
    }
    if (size >= 2) {
        holds(d, r, offset, size == 2);
    } else {
        lose(d, r);
    }
}

static void d_put(Direct *d, uint32_t offset, DirectReg r, unsigned size)
{
    static const uint32_t forms[] = {X_MOV8_MR, X_MOV16_MR, X_MOV_MR | X_W, X_MOV_MR | X_W};

    x_rm(asm_of(d), forms[size], regs[r], gen_env(gen_of(d), offset));
    changes(d, offset);
    if (size >= 2 && !((HostDirect *)d)->holds[r]) {
        holds(d, r, offset, false);
    }
}

static void d_put_imm(Direct *d, uint32_t offset, uint64_t v, unsigned size)
{
    Mem m = gen_env(gen_of(d), offset);

    changes(d, offset);
    if (size < 3 || (int64_t)v == (int32_t)v) {
        x_mov_mi(asm_of(d), w_of(size), m, (int32_t)v);
        return;
    }
    x_mov_mi(asm_of(d), 0, m, (int32_t)v);
    m.disp += 4;
    x_mov_mi(asm_of(d), 0, m, (int32_t)(v >> 32));
}

static void d_imm(Direct *d, DirectReg r, uint64_t v)
{
    x_mov_ri(asm_of(d), regs[r], v);
    lose(d, r);
}

static void d_move(Direct *d, DirectReg dst, DirectReg src)
{
    const HostDirect *h = (const HostDirect *)d;

    x_mov_rr(asm_of(d), X_W, regs[dst], regs[src]);
    holds(d, dst, h->holds[src], h->bits32[src]);
}

static void d_extend(Direct *d, DirectReg dst, DirectReg src, unsigned size, bool sign, bool wide)
{
    static const uint32_t forms[2][3] = {{X_MOVZX8, X_MOVZX16, X_MOV_RM},
                                         {X_MOVSX8, X_MOVSX16, X_MOVSXD}};
    const bool plain = size == 2 && !(sign && wide);

    x_rr(asm_of(d), plain ? X_MOV_RM : forms[sign][size] | (sign && wide ? X_W : 0), regs[dst],
         regs[src]);
    lose(d, dst);
}

static void d_add(Direct *d, DirectReg r, int32_t v)
{
    if (v) {
        x_rm(asm_of(d), X_LEA | X_W, regs[r], mem_bd(regs[r], v));
        lose(d, r);
    }
}

static void d_add_home(Direct *d, DirectReg r, uint32_t offset)
{
    x_rm(asm_of(d), X_MOV_RM | X_W, RDX, gen_env(gen_of(d), offset));
    x_rm(asm_of(d), X_LEA | X_W, regs[r], mem_bi(regs[r], RDX, 0));
    lose(d, r);
}

/* The register with a home's content: `into`, unless some other has it. */
static int8_t home_in(Direct *d, uint32_t offset, int8_t into)
{
    const int have = holder(d, offset, 3);

    if (have >= 0) {
        return regs[have];
    }
    x_rm(asm_of(d), X_MOV_RM | X_W, into, gen_env(gen_of(d), offset));
    return into;
}

static void d_address(Direct *d, uint32_t base, uint32_t index, unsigned scale, int32_t disp)
{
    Asm *a = asm_of(d);
    Mem m = {.base = NO_REG, .index = NO_REG, .scale = (uint8_t)scale, .disp = disp};

    if (index) {
        m.index = home_in(d, index, RDX);
    }
    if (base) {
        /* rsi may be the index; else it is not needed any more */
        m.base = home_in(d, base, m.index == RSI ? RDX : RSI);
    }
    lose(d, D_ADDR);
    if (!base && !index) {
        x_mov_ri(a, RSI, (uint64_t)(int64_t)disp);
    } else if (index || disp) {
        x_rm(a, X_LEA | X_W, RSI, m);
    } else {
        x_mov_rr(a, X_W, RSI, m.base);
    }
}

/* op r/m, r of the size. */
static void two(Direct *d, uint32_t opcode, unsigned size, DirectReg dst, DirectReg src)
{
    static const uint32_t sizes[] = {X_R8 | X_M8, 1 | X_66, 1, 1 | X_W};

    x_rr(asm_of(d), opcode | sizes[size], regs[src], regs[dst]);
}

static void d_alu(Direct *d, unsigned op, unsigned size, DirectReg dst, DirectReg src)
{
    two(d, op << 3, size, dst, src);
    lose(d, dst);
}

static void d_alu_imm(Direct *d, unsigned op, unsigned size, DirectReg dst, int32_t v)
{
    x_alu_ri(asm_of(d), w_of(size), op, regs[dst], v);
    lose(d, dst);
}

static void d_test(Direct *d, unsigned size, DirectReg a, DirectReg b)
{
    two(d, 0x84, size, a, b);
}

static void d_shift(Direct *d, unsigned op, unsigned size, DirectReg r, unsigned n)
{
    x_shift_ri(asm_of(d), w_of(size), op, regs[r], n);
    lose(d, r);
}

static void d_shift_other(Direct *d, unsigned op, unsigned size, DirectReg r)
{
    x_shift_cl(asm_of(d), w_of(size), op, regs[r]);
    lose(d, r);
}

static void d_mul(Direct *d, unsigned size, DirectReg dst, DirectReg src)
{
    x_rr(asm_of(d), X_IMUL | w_of(size), regs[dst], regs[src]);
    lose(d, dst);
}

static void d_load(Direct *d, unsigned size, unsigned mmu)
{
    x_call(asm_of(d), gen_of(d)->first_mem[0][0][mmu][size]);
    lose(d, D_RES);
    lose(d, D_ADDR);
}

static void d_store(Direct *d, unsigned size, unsigned mmu)
{
    x_call(asm_of(d), gen_of(d)->first_mem[1][0][mmu][size]);
    lose(d, D_RES);
    lose(d, D_ADDR);
}

static void d_add_to_home(Direct *d, uint32_t offset, int32_t v)
{
    x_alu_mi(asm_of(d), X_W, ALU_ADD, gen_env(gen_of(d), offset), v);
    changes(d, offset);
}

static void d_not(Direct *d, unsigned size, DirectReg r)
{
    x_f7(asm_of(d), w_of(size), F7_NOT, regs[r]);
    lose(d, r);
}

static void d_bswap(Direct *d, unsigned size, DirectReg r)
{
    x_bswap(asm_of(d), w_of(size), regs[r]);
    lose(d, r);
}

static void d_set_cond(Direct *d, unsigned cond, DirectReg r)
{
    x_rr(asm_of(d), X_SETCC | cond, 0, RDX);
    x_rr(asm_of(d), X_MOVZX8, regs[r], RDX);
    lose(d, r);
}

static void d_move_cond(Direct *d, unsigned cond, unsigned size, DirectReg dst, DirectReg src)
{
    x_rr(asm_of(d), X_CMOV | cond | w_of(size), regs[dst], regs[src]);
    lose(d, dst);
}

static void d_branch(Direct *d, unsigned cond)
{
    ((HostDirect *)d)->branch = x_jcc32(asm_of(d), (HostCond)cond);
}

static void d_branch_here(Direct *d)
{
    x_patch32(((HostDirect *)d)->branch, asm_of(d)->p);
    for (unsigned r = D_RES; r <= D_VALUE; r++) {
        lose(d, (DirectReg)r);
    }
}

static void d_exit_chain(Direct *d, unsigned slot, uint64_t pc)
{
    first_chain(((HostDirect *)d)->q, slot, pc);
}

static void d_exit_lookup(Direct *d, IrWay way)
{
    first_lookup(((HostDirect *)d)->q, way);
}

static const DirectOps ops = {
    .insn = d_insn,
    .get = d_get,
    .put = d_put,
    .put_imm = d_put_imm,
    .imm = d_imm,
    .move = d_move,
    .extend = d_extend,
    .add = d_add,
    .add_home = d_add_home,
    .address = d_address,
    .alu = d_alu,
    .alu_imm = d_alu_imm,
    .test = d_test,
    .shift = d_shift,
    .shift_other = d_shift_other,
    .mul = d_mul,
    .load = d_load,
    .store = d_store,
    .add_to_home = d_add_to_home,
    .not = d_not,
    .bswap = d_bswap,
    .set_cond = d_set_cond,
    .move_cond = d_move_cond,
    .branch = d_branch,
    .branch_here = d_branch_here,
    .exit_chain = d_exit_chain,
    .exit_lookup = d_exit_lookup,
};

CodeFirst gen_direct(Gen *g, CodeBuffer *c, Cpu *cpu, const BlockKey *key, CodeBlock *cb,
                     unsigned max_insns, int32_t *trips)
{
    uint8_t points[2048];
    HostDirect h = {.d.ops = &ops, .q = first_begin(g, c, cb, points, sizeof(points), trips)};

    if (!h.q) {
        return FIRST_FULL;
    }
    if (!g->arch->translate_direct(cpu, &h.d, key, max_insns)) {
        return gen_has_room(g) ? FIRST_UNFIT : FIRST_FULL;
    }
    cb->insns = (uint8_t)MIN(h.d.insns, UINT8_MAX);
    cb->bytes = (uint16_t)h.d.bytes;
    return first_end(h.q, points);
}
