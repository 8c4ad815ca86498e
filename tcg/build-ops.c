// SPDX-License-Identifier: GPL-2.0-or-later
/* Builders written by hand: variables, guest memory, calls, control flow, shorthands. */
#include "tcg/builder.h"

/* Code after a block's end is dropped: front ends need not look after each instruction. */
static bool dropped(IrBuilder *b)
{
    return !builder_is_open(b) && !b->before;
}

static IrVal no_value(IrBuilder *b, IrType t)
{
    return t == IR_VOID || t == IR_V128 || t == IR_V256 ? (IrVal){0} : ir_const(b, t, 0);
}

static IrVal emit(IrBuilder *b, const IrOp *o, IrType t)
{
    if (dropped(b)) {
        return no_value(b, t);
    }
    uint32_t op = builder_append(b, o);
    if (t == IR_VOID) {
        return (IrVal){0};
    }
    uint32_t v = ir_value_new(&b->f, t, op);
    b->f.ops[op].dst = v;
    b->f.values[v].k = builder_zero_bits(&b->f, &b->f.ops[op], t);
    return (IrVal){v};
}

/* ---- variables ---- */

IrVal ir_get(IrBuilder *b, IrVar v)
{
    uint32_t known = builder_var_value(b, v);

    if (known) {
        return (IrVal){known};
    }
    IrType t = ir_var_type(&b->f, v);
    IrVal r = emit(b, &(IrOp){.opcode = OP_GET, .type = (uint8_t)t, .var = {v}}, t);
    builder_var_is(b, v, r.id);
    return r;
}

void ir_set(IrBuilder *b, IrVar v, IrVal x)
{
    if (dropped(b) || builder_var_value(b, v) == x.id) {
        return;
    }
    emit(b, &(IrOp){.opcode = OP_SET, .type = (uint8_t)ir_type(b, x), .num_args = 1,
                    .args = {x.id}, .var = {v}}, IR_VOID);
    builder_var_is(b, v, x.id);
}

void ir_discard(IrBuilder *b, IrVar v)
{
    emit(b, &(IrOp){.opcode = OP_DISCARD, .var = {v}}, IR_VOID);
    builder_var_is(b, v, 0);
}

void ir_insn(IrBuilder *b, uint64_t pc, uint64_t meta)
{
    emit(b, &(IrOp){.opcode = OP_INSN, .insn = {pc, meta}}, IR_VOID);
    b->insn_pc = pc;
    b->insn_meta = meta;
    b->in_insn = true;
}

IrVal ir_env_load(IrBuilder *b, IrType t, uint32_t offset, MemOp op)
{
    return emit(b, &(IrOp){.opcode = OP_ENV_LOAD, .type = (uint8_t)t,
                           .env = {offset, (uint16_t)op}}, t);
}

/* What of an integer matters when only its low bits are stored. */
static IrVal low_part(IrBuilder *b, IrVal v, MemOp op)
{
    unsigned bits = 8u << (op & MEM_SIZE);

    while (!b->f.values[v.id].is_const) {
        const IrOp *d = ir_def(&b->f, v.id);
        unsigned keeps = 0;
        switch (d->opcode) {
        case OP_ZEXT8: case OP_SEXT8: keeps = 8; break;
        case OP_ZEXT16: case OP_SEXT16: keeps = 16; break;
        case OP_ZEXT32: case OP_SEXT32: keeps = 32; break;
        default: break;
        }
        if (keeps < bits) {
            break;
        }
        v.id = d->args[0];
    }
    return v;
}

IrVal ir_widen(IrBuilder *b, IrVal v)
{
    const IrOp *d = ir_def(&b->f, v.id);

    if (!b->f.values[v.id].is_const && d->opcode == OP_TRUNC) {
        return (IrVal){d->args[0]};
    }
    return ir_zextq(b, v);
}

void ir_env_store(IrBuilder *b, IrVal v, uint32_t offset, MemOp op)
{
    v = low_part(b, v, op);
    emit(b, &(IrOp){.opcode = OP_ENV_STORE, .type = (uint8_t)ir_type(b, v), .num_args = 1,
                    .args = {v.id}, .env = {offset, (uint16_t)op}}, IR_VOID);
}

/* ---- guest memory ---- */

IrVal ir_load(IrBuilder *b, IrType t, IrVal addr, MemOp op, unsigned mmu_idx)
{
    if (t == IR_I32 && (op & MEM_SIZE) == MEM_32) {
        op &= ~MEM_SIGN;
    } else if ((op & MEM_SIZE) >= MEM_64) {
        op &= ~MEM_SIGN;
    }
    return emit(b, &(IrOp){.opcode = OP_LOAD, .type = (uint8_t)t, .num_args = 1, .args = {addr.id},
                           .mem = {(uint16_t)op, (uint8_t)mmu_idx}}, t);
}

void ir_store(IrBuilder *b, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx)
{
    value = low_part(b, value, op);
    emit(b, &(IrOp){.opcode = OP_STORE, .type = (uint8_t)ir_type(b, value), .num_args = 2,
                    .args = {value.id, addr.id}, .mem = {(uint16_t)op, (uint8_t)mmu_idx}}, IR_VOID);
}

IrVal ir_atomic(IrBuilder *b, IrAtomic kind, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx)
{
    static const uint8_t opcodes[] = {
        [ATOMIC_XCHG] = OP_XCHG, [ATOMIC_ADD] = OP_FETCH_ADD, [ATOMIC_AND] = OP_FETCH_AND,
        [ATOMIC_OR] = OP_FETCH_OR, [ATOMIC_XOR] = OP_FETCH_XOR,
    };
    IrType t = ir_type(b, value);

    return emit(b,
                &(IrOp){.opcode = opcodes[kind],
                        .type = (uint8_t)t,
                        .num_args = 2,
                        .args = {value.id, addr.id},
                        .mem = {(uint16_t)op, (uint8_t)mmu_idx}},
                t);
}

IrVal ir_cmpxchg(IrBuilder *b, IrVal expect, IrVal value, IrVal addr, MemOp op, unsigned mmu_idx)
{
    IrType t = ir_type(b, value);

    return emit(b, &(IrOp){.opcode = OP_CMPXCHG, .type = (uint8_t)t, .num_args = 3,
                           .args = {expect.id, value.id, addr.id},
                           .mem = {(uint16_t)op, (uint8_t)mmu_idx}}, t);
}

/* ---- calls ---- */

IrVal ir_call(IrBuilder *b, const IrHelper *h, const IrVal *args, unsigned n)
{
    IrOp o = {.opcode = OP_CALL, .type = (uint8_t)h->ret, .num_args = (uint8_t)n, .call = {h}};

    g_assert(n + h->env == h->num_args);
    for (unsigned i = 0; i < n; i++) {
        o.args[i] = args[i].id;
    }
    if (dropped(b)) {
        return no_value(b, h->ret);
    }
    if (h->flags & HELPER_PURE) {
        uint32_t same = builder_cse_find(b, &o, h->ret);
        if (same) {
            return (IrVal){same};
        }
    }
    IrVal r = emit(b, &o, h->ret);
    if (h->flags & HELPER_PURE && r.id) {
        uint32_t op = b->f.values[r.id].def;
        builder_cse_enter(b, &b->f.ops[op], op);
    }
    if (h->flags & HELPER_WRITES_VARS) {
        builder_forget_vars(b);
    }
    return r;
}

/* ---- control ---- */

void ir_br(IrBuilder *b, IrBlock *to)
{
    if (!dropped(b)) {
        b->cur->succ[0] = to;
        emit(b, &(IrOp){.opcode = OP_BR}, IR_VOID);
    }
}

void ir_brcond(IrBuilder *b, IrCond c, IrVal x, IrVal y, IrBlock *yes, IrBlock *no)
{
    IrOp o = {.opcode = OP_BRCOND, .type = (uint8_t)ir_type(b, x), .cc = (uint8_t)c, .num_args = 2,
              .args = {x.id, y.id}};

    if (dropped(b)) {
        return;
    }
    ir_simplify_cond(b, &o);
    if (o.cc <= COND_ALWAYS || yes == no) {
        ir_br(b, o.cc == COND_NEVER ? no : yes);
        return;
    }
    o.type = b->f.values[o.args[0]].type;
    b->cur->succ[0] = yes;
    b->cur->succ[1] = no;
    emit(b, &o, IR_VOID);
}

void ir_exit_chain(IrBuilder *b, unsigned slot, uint64_t pc)
{
    emit(b, &(IrOp){.opcode = OP_EXIT_CHAIN, .chain = {slot, pc}}, IR_VOID);
}

void ir_exit_jump(IrBuilder *b, IrVal pc, IrWay way)
{
    emit(
        b,
        &(IrOp){
            .opcode = OP_EXIT_LOOKUP, .type = IR_I64, .num_args = 1, .args = {pc.id}, .imm = {way}},
        IR_VOID);
}

void ir_exit_lookup(IrBuilder *b, IrVal pc)
{
    ir_exit_jump(b, pc, WAY_ANY);
}

bool ir_target(IrBuilder *b, uint64_t pc, IrBlock *to)
{
    IrFunc *f = &b->f;

    if (f->num_targets == IR_TARGETS) {
        return false;
    }
    f->targets[f->num_targets++] = (IrTarget){.pc = pc, .block = to};
    return true;
}

void ir_no_target(IrBuilder *b, const IrBlock *to)
{
    IrFunc *f = &b->f;
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->num_targets; i++) {
        if (f->targets[i].block != to) {
            f->targets[n++] = f->targets[i];
        }
    }
    f->num_targets = n;
}

void ir_exit(IrBuilder *b, unsigned reason)
{
    emit(b, &(IrOp){.opcode = OP_EXIT, .imm = {reason}}, IR_VOID);
}

/* ---- shorthands ---- */

IrVal ir_addi(IrBuilder *b, IrVal a, int64_t i)
{
    return i ? ir_add(b, a, ir_const(b, ir_type(b, a), (uint64_t)i)) : a;
}

IrVal ir_andi(IrBuilder *b, IrVal a, uint64_t i)
{
    return ir_and(b, a, ir_const(b, ir_type(b, a), i));
}

IrVal ir_shli(IrBuilder *b, IrVal a, unsigned i)
{
    return i ? ir_shl(b, a, ir_const(b, ir_type(b, a), i)) : a;
}

IrVal ir_shri(IrBuilder *b, IrVal a, unsigned i)
{
    return i ? ir_shr(b, a, ir_const(b, ir_type(b, a), i)) : a;
}

IrVal ir_sari(IrBuilder *b, IrVal a, unsigned i)
{
    return i ? ir_sar(b, a, ir_const(b, ir_type(b, a), i)) : a;
}
