// SPDX-License-Identifier: GPL-2.0-or-later
/* The first tier's ops: each takes operands from first.c and emits plain instructions. */
#include "tcg/i386/first.h"

static uint32_t type_wide(const First *q, uint32_t v)
{
    return q->vals[v].type == IR_I64 ? X_W : 0;
}

/* ---------------------------------------------------------------- variables and the CPU struct */

static void first_insn(First *q, const IrOp *o)
{
    first_point(q, o->insn.pc, o->insn.meta);
}

/* Nothing is read before somebody wants it. */
static void first_get(First *q, const IrOp *o)
{
    first_leave_home(q, o->var.var);
    q->vals[o->dst].home = o->var.var + 1;
    q->var_val[o->var.var] = o->dst;
}

static void store_const(Asm *a, uint32_t w, Mem m, uint64_t bits)
{
    if (!w || (int64_t)bits == (int32_t)bits) {
        x_mov_mi(a, w, m, (int32_t)bits);
        return;
    }
    x_mov_mi(a, 0, m, (int32_t)bits);
    m.disp += 4;
    x_mov_mi(a, 0, m, (int32_t)(bits >> 32));
}

static void first_set(First *q, const IrOp *o)
{
    const uint32_t var = o->var.var, v = o->args[0];
    FirstVal *x = &q->vals[v];
    Mem home = first_home(q, var);

    if (x->is_const) {
        first_leave_home(q, var);
        store_const(&q->g->a, type_wide(q, v), home, x->bits);
        return;
    }
    int reg = first_use(q, v);
    first_leave_home(q, var);
    x_rm(&q->g->a, X_MOV_MR | type_wide(q, v), reg, home);
    if (!x->home) {
        x->home = var + 1;
        q->var_val[var] = v;
    }
}

static void first_env_load(First *q, const IrOp *o)
{
    static const uint32_t forms[2][4] = {{X_MOVZX8, X_MOVZX16, X_MOV_RM, X_MOV_RM | X_W},
                                         {X_MOVSX8, X_MOVSX16, X_MOVSXD, X_MOV_RM | X_W}};
    const uint32_t w = type_wide(q, o->dst);
    const bool sign = o->env.op & MEM_SIGN && !(!w && (o->env.op & MEM_SIZE) == MEM_32);
    int dst = first_def(q, o->dst);

    x_rm(&q->g->a, forms[sign][o->env.op & 3] | (sign ? w : 0), dst,
         gen_env(q->g, (uint32_t)o->env.offset));
}

static void first_env_store(First *q, const IrOp *o)
{
    static const uint32_t forms[4] = {X_MOV8_MR, X_MOV16_MR, X_MOV_MR, X_MOV_MR | X_W};
    const unsigned size = o->env.op & 3;
    Opnd p = first_opnd(q, o->args[0], size >= 2 ? OPND_ALLOW_IMM : 0);
    Mem m = gen_env(q->g, (uint32_t)o->env.offset);

    if (p.kind == OPND_IMM) {
        x_mov_mi(&q->g->a, size == 3 ? X_W : 0, m, p.imm);
    } else {
        x_rm(&q->g->a, forms[size], p.reg, m);
    }
}

static void first_env_ptr(First *q, const IrOp *o)
{
    x_rm(&q->g->a, X_LEA | X_W, first_def(q, o->dst), gen_env(q->g, (uint32_t)o->imm[0]));
}

/* ---------------------------------------------------------------- arithmetic */

static bool dies_in_reg(const First *q, uint32_t v)
{
    return q->vals[v].reg >= 0 && q->vals[v].last == q->pos;
}

/* form: ALU_* */
static void first_alu(First *q, const IrOp *o)
{
    const FirstRow *row = &first_rows[o->opcode];
    const uint32_t w = type_wide(q, o->dst);
    uint32_t a = o->args[0], b = o->args[1];

    if (ir_desc(o)->flags & IRF_COMM &&
        (q->vals[a].is_const || (dies_in_reg(q, b) && !dies_in_reg(q, a)))) {
        a = o->args[1];
        b = o->args[0];
    }
    first_pin(q, a);
    Opnd p = first_opnd(q, b, OPND_ANY);
    if (row->form == ALU_ADD && p.kind == OPND_IMM && q->vals[a].reg >= 0 && !dies_in_reg(q, a)) {
        int from = q->vals[a].reg;
        x_rm(&q->g->a, X_LEA | w, first_def(q, o->dst), mem_bd(from, p.imm));
        return;
    }
    gen_alu(q->g, w, row->form, first_def_from(q, o->dst, a), &p);
}

static void first_add_shl(First *q, const IrOp *o)
{
    Mem m = mem_bi(first_use(q, o->args[0]), first_use(q, o->args[1]), 0);

    m.scale = (uint8_t)o->imm[0];
    x_rm(&q->g->a, X_LEA | type_wide(q, o->dst), first_def(q, o->dst), m);
}

static void first_mul(First *q, const IrOp *o)
{
    first_pin(q, o->args[0]);
    Opnd p = first_opnd(q, o->args[1], OPND_ALLOW_MEM);

    gen_rm(q->g, X_IMUL | type_wide(q, o->dst), first_def_from(q, o->dst, o->args[0]), &p);
}

/* form: F7_MUL or F7_IMUL */
static void first_mulh(First *q, const IrOp *o)
{
    const uint32_t w = type_wide(q, o->dst);

    first_clear(q, RAX, true);
    first_use_in(q, o->args[1], RDX);
    first_use_in(q, o->args[0], RAX);
    x_f7(&q->g->a, w, first_rows[o->opcode].form, RDX);
    x_mov_rr(&q->g->a, w, first_def(q, o->dst), RDX);
}

/* form: X_BSR or X_BSF, which leave what was there where no bit is set. */
static void first_count_zeros(First *q, const IrOp *o)
{
    const uint32_t w = type_wide(q, o->dst), form = first_rows[o->opcode].form;
    const int32_t bits = w ? 64 : 32;
    Asm *a = &q->g->a;

    first_use_in(q, o->args[0], RSI);
    x_rr(a, form | w, RDX, RSI);
    int dst = first_def(q, o->dst);
    x_mov_ri(a, dst, (uint64_t)(form == X_BSR ? 2 * bits - 1 : bits));
    x_rr(a, X_CMOV | CC_NE | w, dst, RDX);
    if (form == X_BSR) {
        x_alu_ri(a, 0, ALU_XOR, dst, bits - 1);
    }
}

static void first_andc(First *q, const IrOp *o)
{
    const uint32_t w = type_wide(q, o->dst);

    first_use_in(q, o->args[1], RDX);
    x_f7(&q->g->a, w, F7_NOT, RDX);
    x_alu_rr(&q->g->a, w, ALU_AND, first_def_from(q, o->dst, o->args[0]), RDX);
}

/* form: F7_NEG or F7_NOT */
static void first_neg(First *q, const IrOp *o)
{
    int dst = first_def_from(q, o->dst, o->args[0]);

    x_f7(&q->g->a, type_wide(q, o->dst), first_rows[o->opcode].form, dst);
}

/* form: SH_*; aux: BMI2 form or 0 */
static void first_shift(First *q, const IrOp *o)
{
    const FirstRow *row = &first_rows[o->opcode];
    const uint32_t w = type_wide(q, o->dst), a = o->args[0], b = o->args[1];
    Asm *as = &q->g->a;

    if (q->vals[b].is_const) {
        unsigned n = (unsigned)q->vals[b].bits & (w ? 63 : 31);
        int dst = first_def_from(q, o->dst, a);
        if (n) {
            x_shift_ri(as, w, row->form, dst, n);
        }
    } else if (q->g->host.bmi2 && row->aux) {
        int n = first_use(q, b), x = first_use(q, a);
        v_rrr(as, row->aux | w, first_def(q, o->dst), n, x);
    } else {
        first_clear(q, RCX, true);
        q->pinned |= 1 << RCX;
        first_use_in(q, b, RCX);
        x_shift_cl(as, w, row->form, first_def_from(q, o->dst, a));
    }
}

static void first_bswap(First *q, const IrOp *o)
{
    x_bswap(&q->g->a, type_wide(q, o->dst), first_def_from(q, o->dst, o->args[0]));
}

/* ---------------------------------------------------------------- bits and bytes */

/* form: the move with extension; aux: it sign-extends, so width matters */
static void first_ext(First *q, const IrOp *o)
{
    const FirstRow *row = &first_rows[o->opcode];
    uint32_t w = row->aux ? type_wide(q, o->dst) : 0;
    Opnd p = first_opnd(q, o->args[0], OPND_ALLOW_MEM);
    int dst =
        p.kind == OPND_REG && first_rename(q, o->dst, o->args[0]) ? p.reg : first_def(q, o->dst);

    gen_rm(q->g, row->form | w, dst, &p);
}

static void first_zextq(First *q, const IrOp *o)
{
    if (!first_rename(q, o->dst, o->args[0])) {
        first_ext(q, o);
    }
}

static void first_concat(First *q, const IrOp *o)
{
    first_use_in(q, o->args[0], RDX);
    int dst = first_def_from(q, o->dst, o->args[1]);

    x_shift_ri(&q->g->a, X_W, SH_SHL, dst, 32);
    x_alu_rr(&q->g->a, X_W, ALU_OR, dst, RDX);
}

static void shift(Asm *a, uint32_t w, unsigned op, int reg, unsigned n)
{
    if (n) {
        x_shift_ri(a, w, op, reg, n);
    }
}

/* aux: sign-extends */
static void first_extract(First *q, const IrOp *o)
{
    const uint32_t w = type_wide(q, o->dst);
    const unsigned bits = w ? 64 : 32, pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    const bool sign = first_rows[o->opcode].aux;
    int dst = first_def_from(q, o->dst, o->args[0]);
    Asm *a = &q->g->a;

    if (!sign && len == 8) {
        shift(a, w, SH_SHR, dst, pos);
        x_rr(a, X_MOVZX8, dst, dst);
        return;
    }
    shift(a, w, SH_SHL, dst, bits - pos - len);
    shift(a, w, sign ? SH_SAR : SH_SHR, dst, bits - len);
}

static void first_deposit(First *q, const IrOp *o)
{
    const uint32_t w = type_wide(q, o->dst);
    const unsigned bits = w ? 64 : 32, pos = (unsigned)o->imm[0], len = (unsigned)o->imm[1];
    Asm *a = &q->g->a;

    if (len == bits) {
        first_def_from(q, o->dst, o->args[1]);
        return;
    }
    first_use_in(q, o->args[1], RDX);
    int dst = first_def_from(q, o->dst, o->args[0]);
    shift(a, w, SH_ROR, dst, pos);
    if (len == 8 || len == 16) {
        x_rr(a, len == 8 ? X_MOV8_MR | X_M8 : X_MOV16_MR, RDX, dst);
    } else {
        x_shift_ri(a, w, SH_SHR, dst, len);
        x_shift_ri(a, w, SH_SHL, dst, len);
        x_shift_ri(a, w, SH_SHL, RDX, bits - len);
        x_shift_ri(a, w, SH_SHR, RDX, bits - len);
        x_alu_rr(a, w, ALU_OR, dst, RDX);
    }
    shift(a, w, SH_ROL, dst, pos);
}

/* ---------------------------------------------------------------- conditions */

static const uint8_t host_conds[] = {
    [COND_EQ] = CC_E,   [COND_NE] = CC_NE, [COND_LT] = CC_L,   [COND_GE] = CC_GE,
    [COND_LE] = CC_LE,  [COND_GT] = CC_G,  [COND_LTU] = CC_B,  [COND_GEU] = CC_AE,
    [COND_LEU] = CC_BE, [COND_GTU] = CC_A, [COND_TSTZ] = CC_E, [COND_TSTNZ] = CC_NE,
};

static HostCond compare(First *q, const IrOp *o)
{
    uint32_t a = o->args[0], b = o->args[1];
    const uint32_t w = type_wide(q, a);
    IrCond cond = (IrCond)o->cc;
    Asm *as = &q->g->a;

    if (cond == COND_ALWAYS || cond == COND_NEVER) {
        x_alu_rr(as, 0, ALU_CMP, RSP, RSP);
        return cond == COND_ALWAYS ? CC_E : CC_NE;
    }
    if (q->vals[a].is_const && !q->vals[b].is_const) {
        a = o->args[1];
        b = o->args[0];
        cond = ir_cond_swap(cond);
    }
    int ra = first_use(q, a);
    if (cond == COND_TSTZ || cond == COND_TSTNZ) {
        Opnd p = first_opnd(q, b, OPND_ALLOW_IMM);
        if (p.kind == OPND_IMM) {
            x_test_ri(as, w, ra, p.imm);
        } else {
            x_rr(as, X_TEST | w, p.reg, ra);
        }
    } else {
        Opnd p = first_opnd(q, b, OPND_ANY);
        if (p.kind == OPND_IMM && p.imm == 0) {
            x_rr(as, X_TEST | w, ra, ra);
        } else {
            gen_alu(q->g, w, ALU_CMP, ra, &p);
        }
    }
    return (HostCond)host_conds[cond];
}

static void first_setcond(First *q, const IrOp *o)
{
    HostCond c = compare(q, o);
    int dst = first_def(q, o->dst);

    x_rr(&q->g->a, X_SETCC | c, 0, RDX);
    x_rr(&q->g->a, X_MOVZX8, dst, RDX);
}

/* Nothing between the comparison and the move changes flags. */
static void first_select(First *q, const IrOp *o)
{
    HostCond c = compare(q, o);
    const uint32_t yes = o->args[2], no = o->args[3];

    if (yes == no) {
        first_def_from(q, o->dst, no);
        return;
    }
    first_pin(q, no);
    Opnd p = first_opnd(q, yes, OPND_ALLOW_MEM);
    gen_rm(q->g, X_CMOV | c | type_wide(q, o->dst), first_def_from(q, o->dst, no), &p);
}

/* ---------------------------------------------------------------- guest memory */

/* The address in rsi. */
static void put_address(First *q, uint32_t v)
{
    if (!q->vals[v].folded) {
        first_use_in(q, v, RSI);
        return;
    }
    const IrOp *sum = &q->f->ops[q->f->values[v].def];
    const int32_t k = (int32_t)q->vals[sum->args[1]].bits;
    const int base = q->vals[sum->args[0]].reg;

    if (base >= 0) {
        x_rm(&q->g->a, X_LEA | X_W, RSI, mem_bd(base, k));
    } else {
        first_use_in(q, sum->args[0], RSI);
        x_alu_ri(&q->g->a, X_W, ALU_ADD, RSI, k);
    }
}

static const void *memory_stub(const First *q, const IrOp *o, bool store)
{
    return q->g->first_mem[store][(o->mem.op & MEM_ALIGN) != 0][o->mem.mmu][o->mem.op & 3];
}

static void first_load(First *q, const IrOp *o)
{
    static const uint32_t sign_forms[] = {X_MOVSX8, X_MOVSX16, X_MOVSXD};
    const unsigned size = o->mem.op & MEM_SIZE;
    const uint32_t w = type_wide(q, o->dst);

    put_address(q, o->args[0]);
    first_clear(q, RAX, false);
    x_call(&q->g->a, memory_stub(q, o, false));
    if (o->mem.op & MEM_SIGN && size < (w ? 3 : 2)) {
        x_rr(&q->g->a, sign_forms[size] | w, RAX, RAX);
    }
    first_def_fixed(q, o->dst, RAX);
}

static void first_store(First *q, const IrOp *o)
{
    put_address(q, o->args[1]);
    first_use_in(q, o->args[0], RDI);
    first_clear(q, RAX, false);
    x_call(&q->g->a, memory_stub(q, o, true));
}

static void first_fence(First *q, const IrOp *o)
{
    emit_fence(q->g, o);
}

/* ---------------------------------------------------------------- calls */

/* Values in registers that C destroys get places; those in homes that the helper changes, too. */
static void before_call(First *q, bool writes_vars)
{
    for (uint32_t m = q->busy & FIRST_CALLED; m; m &= m - 1) {
        uint32_t v = q->reg_val[__builtin_ctz(m)];
        if (q->vals[v].last > q->pos) {
            first_save(q, v);
        }
    }
    for (uint32_t var = 0; writes_vars && var < q->f->num_vars; var++) {
        uint32_t v = q->var_val[var];
        if (!v || q->vals[v].home != var + 1) {
            continue;
        }
        if (q->vals[v].last > q->pos) {
            first_use(q, v);
            q->pinned = 0;
            q->vals[v].home = 0;
            first_save(q, v);
            q->vals[v].home = var + 1; /* until the arguments are taken */
        }
    }
}

static void after_call(First *q, bool writes_vars)
{
    for (uint32_t m = q->busy & FIRST_CALLED; m; m &= m - 1) {
        int reg = __builtin_ctz(m);
        q->vals[q->reg_val[reg]].reg = -1;
        q->reg_val[reg] = 0;
        q->busy &= ~(1u << reg);
    }
    for (uint32_t var = 0; writes_vars && var < q->f->num_vars; var++) {
        uint32_t v = q->var_val[var];
        if (v && q->vals[v].home == var + 1) {
            q->vals[v].home = 0;
        }
        q->var_val[var] = 0;
    }
}

static const uint8_t int_args[6] = {RDI, RSI, RDX, RCX, R8, R9};

/* Pushes an argument of a call, after those before it. */
static void push_arg(First *q, const IrOp *o, unsigned i)
{
    Asm *a = &q->g->a;
    Mem m;

    if (first_place(q, o->args[i], &m)) {
        if (m.base == RSP) {
            m.disp += 8 * (int32_t)i;
        }
        x_rm(a, X_MOV_RM | type_wide(q, o->args[i]), RDX, m);
    } else {
        first_use_in(q, o->args[i], RDX);
    }
    x_push(a, RDX);
}

/* From the fourth on arguments go where values may lie: all are pushed first. */
static void place_args(First *q, const IrOp *o, unsigned first)
{
    Asm *a = &q->g->a;

    for (unsigned i = 0; i < o->num_args; i++) {
        if (first + o->num_args <= 3) {
            first_use_in(q, o->args[i], int_args[first + i]);
            continue;
        }
        push_arg(q, o, i);
    }
    for (unsigned i = o->num_args; first + o->num_args > 3 && i-- > 0;) {
        x_pop(a, int_args[first + i]);
    }
}

static void first_call(First *q, const IrOp *o)
{
    const IrHelper *h = o->call.helper;
    const bool writes = ir_op_writes_homes(o);

    before_call(q, writes);
    place_args(q, o, h->env);
    after_call(q, writes);
    if (h->env) {
        gen_cpu_arg(q->g);
    }
    x_call(&q->g->a, h->fn);
    if (o->dst) {
        if (q->vals[o->dst].type == IR_I32) {
            x_mov_rr(&q->g->a, 0, RAX, RAX);
        }
        first_def_fixed(q, o->dst, RAX);
    }
}

/*
 * Atomic operations are calls; form: IrAtomic or TCG_CMPXCHG. The place that the slow path is told
 * of is behind the instruction's beginning, where its point is.
 */
static void first_atomic(First *q, const IrOp *o)
{
    const unsigned kind = first_rows[o->opcode].form;
    const uint32_t oi = MEM_KIND_OI(kind, o->mem.op, o->mem.mmu);
    const bool three = kind == TCG_CMPXCHG;
    Asm *a = &q->g->a;

    before_call(q, false);
    for (unsigned i = 0; i < o->num_args; i++) {
        push_arg(q, o, i);
    }
    x_pop(a, RSI);
    x_pop(a, RDX);
    if (three) {
        x_pop(a, RCX);
    }
    after_call(q, false);
    x_mov_ri(a, R8, oi);
    x_patch32(x_lea_rip(a, R9), a->p);
    gen_cpu_arg(q->g);
    x_call(a, (const void *)(uintptr_t)tcg_atomic);
    if (q->vals[o->dst].type == IR_I32) {
        x_mov_rr(a, 0, RAX, RAX);
    }
    first_def_fixed(q, o->dst, RAX);
}

/* ---------------------------------------------------------------- branches and exits */

static void jump_to(First *q, HostCond c, const IrBlock *to)
{
    Fixup f = {.at = x_jcc32(&q->g->a, c), .block = to->id};

    g_array_append_val(q->g->fixups, f);
}

static void first_br(First *q, const IrOp *o)
{
    (void)o;
    if (q->block->succ[0] != q->block->next) {
        jump_to(q, CC_ALWAYS, q->block->succ[0]);
    }
}

static void first_brcond(First *q, const IrOp *o)
{
    IrBlock *yes = q->block->succ[0], *no = q->block->succ[1];
    HostCond c = compare(q, o);

    if (yes == q->block->next) {
        yes = no;
        no = q->block->succ[0];
        c = x_cond_not(c);
    }
    jump_to(q, c, yes);
    if (no != q->block->next) {
        jump_to(q, CC_ALWAYS, no);
    }
}

void first_chain(First *q, unsigned slot, uint64_t pc)
{
    Gen *g = q->g;

    while (((uintptr_t)g->a.p + 1) & 3) {
        x_u8(&g->a, 0x90);
    }
    q->exits[q->num_exits].jump = x_jcc32(&g->a, CC_ALWAYS);
    q->exits[q->num_exits].pc = (int32_t)(pc - g->cb->key.pc);
    q->exits[q->num_exits++].slot = slot;
}

static void first_exit_chain(First *q, const IrOp *o)
{
    first_chain(q, (unsigned)o->chain.slot, o->chain.pc);
}

void first_lookup(First *q, IrWay way)
{
    Gen *g = q->g;
    const uint64_t context = block_context(&g->cb->key);

    if ((uint32_t)context) {
        gen_jump_cache(g, way);
        return;
    }
    x_mov_ri(&g->a, RCX, (uintptr_t)g->cb);
    x_mov_ri(&g->a, RDX, context >> 32);
    x_jmp(&g->a, g->first_lookup[way]);
}

static void first_exit_lookup(First *q, const IrOp *o)
{
    if (q->g->cb->key.flags) {
        gen_exit(q->g, IR_EXIT_LOOKUP);
        return;
    }
    first_use_in(q, o->args[0], RSI);
    first_lookup(q, (IrWay)o->imm[0]);
}

static void first_exit(First *q, const IrOp *o)
{
    Gen *g = q->g;

    if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOKUP) {
        x_jmp(&g->a, g->lookup[WAY_ANY]);
    } else if (g->cb->key.flags == 0 && o->imm[0] == IR_EXIT_LOOP) {
        x_jmp(&g->a, g->look);
    } else {
        gen_exit(g, (unsigned)o->imm[0]);
    }
}

const FirstRow first_rows[OP_COUNT] = {
    [OP_GET] = {first_get, 0, 0},
    [OP_SET] = {first_set, 0, 0},
    [OP_DISCARD] = {first_insn, 0, 0},
    [OP_INSN] = {first_insn, 0, 0},
    [OP_ENV_LOAD] = {first_env_load, 0, 0},
    [OP_ENV_STORE] = {first_env_store, 0, 0},
    [OP_ENV_PTR] = {first_env_ptr, 0, 0},
    [OP_ADD] = {first_alu, ALU_ADD, 0},
    [OP_SUB] = {first_alu, ALU_SUB, 0},
    [OP_ADD_SHL] = {first_add_shl, 0, 0},
    [OP_MUL] = {first_mul, 0, 0},
    [OP_MULHU] = {first_mulh, F7_MUL, 0},
    [OP_MULHS] = {first_mulh, F7_IMUL, 0},
    [OP_CLZ] = {first_count_zeros, X_BSR, 0},
    [OP_CTZ] = {first_count_zeros, X_BSF, 0},
    [OP_AND] = {first_alu, ALU_AND, 0},
    [OP_OR] = {first_alu, ALU_OR, 0},
    [OP_XOR] = {first_alu, ALU_XOR, 0},
    [OP_ANDC] = {first_andc, 0, 0},
    [OP_NEG] = {first_neg, F7_NEG, 0},
    [OP_NOT] = {first_neg, F7_NOT, 0},
    [OP_SHL] = {first_shift, SH_SHL, V_SHLX},
    [OP_SHR] = {first_shift, SH_SHR, V_SHRX},
    [OP_SAR] = {first_shift, SH_SAR, V_SARX},
    [OP_ROTL] = {first_shift, SH_ROL, 0},
    [OP_ROTR] = {first_shift, SH_ROR, 0},
    [OP_BSWAP] = {first_bswap, 0, 0},
    [OP_ZEXT8] = {first_ext, X_MOVZX8, 0},
    [OP_ZEXT16] = {first_ext, X_MOVZX16, 0},
    [OP_ZEXT32] = {first_ext, X_MOV_RM, 0},
    [OP_SEXT8] = {first_ext, X_MOVSX8, 1},
    [OP_SEXT16] = {first_ext, X_MOVSX16, 1},
    [OP_SEXT32] = {first_ext, X_MOVSXD, 1},
    [OP_TRUNC] = {first_ext, X_MOV_RM, 0},
    [OP_ZEXTQ] = {first_zextq, X_MOV_RM, 0},
    [OP_SEXTQ] = {first_ext, X_MOVSXD, 1},
    [OP_CONCAT] = {first_concat, 0, 0},
    [OP_EXTRACT] = {first_extract, 0, 0},
    [OP_SEXTRACT] = {first_extract, 0, 1},
    [OP_DEPOSIT] = {first_deposit, 0, 0},
    [OP_SETCOND] = {first_setcond, 0, 0},
    [OP_SELECT] = {first_select, 0, 0},
    [OP_LOAD] = {first_load, 0, 0},
    [OP_STORE] = {first_store, 0, 0},
    [OP_XCHG] = {first_atomic, ATOMIC_XCHG, 0},
    [OP_FETCH_ADD] = {first_atomic, ATOMIC_ADD, 0},
    [OP_FETCH_AND] = {first_atomic, ATOMIC_AND, 0},
    [OP_FETCH_OR] = {first_atomic, ATOMIC_OR, 0},
    [OP_FETCH_XOR] = {first_atomic, ATOMIC_XOR, 0},
    [OP_CMPXCHG] = {first_atomic, TCG_CMPXCHG, 0},
    [OP_FENCE] = {first_fence, 0, 0},
    [OP_CALL] = {first_call, 0, 0},
    [OP_BR] = {first_br, 0, 0},
    [OP_BRCOND] = {first_brcond, 0, 0},
    [OP_EXIT_CHAIN] = {first_exit_chain, 0, 0},
    [OP_EXIT_LOOKUP] = {first_exit_lookup, 0, 0},
    [OP_EXIT] = {first_exit, 0, 0},
};

/* ---------------------------------------------------------------- common stubs */

enum {
    MEM_SIZES = 4
};

/*
 * Address in rsi, a store's value in rdi, a load's result in rax; besides these only rdx is lost.
 * What misses goes on as if the block had called the slow path's stub.
 */
static uint8_t *memory_stub_new(Gen *g, bool store, bool align, unsigned mmu, unsigned size)
{
    static const uint32_t loads[] = {X_MOVZX8, X_MOVZX16, X_MOV_RM, X_MOV_RM | X_W};
    static const uint32_t stores[] = {X_MOV8_MR, X_MOV16_MR, X_MOV_MR, X_MOV_MR | X_W};
    const uint32_t table = (uint32_t)(offsetof(Cpu, tlb) + offsetof(CpuTlb, table) +
                                      mmu * sizeof(TlbEntry) * TLB_SIZE);
    const int32_t last = (1 << size) - 1;
    Asm *a = &g->a;
    uint8_t *at = a->p, *miss;
    Mem m;

    x_mov_rr(a, X_W, RAX, RSI);
    x_shift_ri(a, X_W, SH_SHR, RAX, PAGE_BITS_MIN - 5);
    x_alu_ri(a, 0, ALU_AND, RAX, (TLB_SIZE - 1) << 5);
    if (align || last == 0) {
        x_mov_rr(a, X_W, RDX, RSI);
        x_alu_ri(a, X_W, ALU_AND, RDX, -(1 << PAGE_BITS_MIN) | last);
    } else {
        x_rm(a, X_LEA | X_W, RDX, mem_bd(RSI, last));
        x_alu_ri(a, X_W, ALU_AND, RDX, -(1 << PAGE_BITS_MIN));
    }
    m = gen_env(g, table + (store ? (uint32_t)offsetof(TlbEntry, write)
                                  : (uint32_t)offsetof(TlbEntry, read)));
    m.index = RAX;
    x_alu_rm(a, X_W, ALU_CMP, RDX, m);
    miss = x_jcc8(a, CC_NE);
    m = gen_env(g, table + (uint32_t)offsetof(TlbEntry, addend));
    m.index = RAX;
    x_alu_rm(a, X_W, ALU_ADD, RSI, m);
    x_rm(a, store ? stores[size] : loads[size], store ? RDI : RAX, mem_bd(RSI, 0));
    x_ret(a);
    x_here8(a, miss);
    x_pop(a, RDX);
    x_push_i(a, (int32_t)MEM_OI(size | (align ? MEM_ALIGN : 0), mmu));
    if (store) {
        x_push(a, RDI);
    }
    x_push(a, RSI);
    x_push(a, RDX);
    x_jmp(a, g->slow_short[store ? SHORT_STORE : SHORT_LOAD]);
    return at;
}

static uint8_t *lookup_stub_new(Gen *g, IrWay way)
{
    Asm *a = &g->a;
    uint8_t *at = a->p;

    x_rr(a, X_MOVZX16, RAX, RSI);
    x_shift_ri(a, 0, SH_SHL, RAX, 5);
    x_alu_rm(a, X_W, ALU_ADD, RAX, gen_env(g, offsetof(Cpu, block_cache)));
    x_alu_rm(a, X_W, ALU_CMP, RSI, mem_bd(RAX, offsetof(JumpCacheEntry, pc)));
    x_jcc(a, CC_NE, g->lookup_other[way]);
    x_alu_rm(a, 0, ALU_CMP, RDX, mem_bd(RAX, offsetof(JumpCacheEntry, context) + 4));
    x_jcc(a, CC_NE, g->lookup_other[way]);
    x_jmp_m(a, mem_bd(RAX, offsetof(JumpCacheEntry, entry)));
    return at;
}

void gen_first_stubs(Gen *g)
{
    for (unsigned i = 0; i < 2 * 2 * MMU_MODES * MEM_SIZES; i++) {
        unsigned size = i % MEM_SIZES, mmu = i / MEM_SIZES % MMU_MODES;
        bool align = i / (MEM_SIZES * MMU_MODES) & 1, store = i / (2 * MEM_SIZES * MMU_MODES);
        g->first_mem[store][align][mmu][size] = memory_stub_new(g, store, align, mmu, size);
    }
    for (unsigned way = 0; way <= WAY_RETURN; way++) {
        g->first_lookup[way] = lookup_stub_new(g, (IrWay)way);
    }
    g->first_exit = g->a.p; /* called by who has pushed the reason; the block follows */
    x_pop(&g->a, RAX);
    x_pop(&g->a, RDX);
    x_rm(&g->a, X_MOV_RM | X_W, RAX, mem_bd(RAX, 0));
    x_jmp(&g->a, g->leave);
}
