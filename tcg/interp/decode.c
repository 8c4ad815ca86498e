// SPDX-License-Identifier: GPL-2.0-or-later
/* The interpreter's generate(): IR to Insn arrays in the code buffer. */
#include "tcg/interp/interp.h"

#include <string.h>

typedef struct Decode {
    const IrFunc *f;
    Insn *insns;
    uint8_t *consts;
    uint32_t num_consts;        /* bytes */
    uint32_t *slot;             /* place of each value; constants: bit 0, plus 2 when given one */
    uint32_t frame;             /* next free byte */
    uint32_t locals;            /* bytes in front that locals take, 32 each */
    uint32_t guest_insn;
    ChainSlot *chains;
    CodeBlock *cb;
} Decode;

static uint32_t type_bytes(uint8_t t)
{
    return t == IR_V256 ? 32 : t == IR_V128 ? 16 : 8;
}

static uint32_t value_place(Decode *d, uint32_t v)
{
    const IrValue *value = &d->f->values[v];

    if (value->is_const && !d->slot[v]) {
        memcpy(d->consts + d->num_consts, &value->k, 8);
        d->slot[v] = d->num_consts | 1;
        d->num_consts += 8;
    }
    return d->slot[v];
}

/* A variable: guest registers by offset from the CPU struct, locals by place in the frame. */
static uint64_t var_place(const Decode *d, IrVar v)
{
    return ir_var_is_local(d->f, v) ? (v - d->f->num_vars) * 32ull : d->f->vars[v].offset;
}

static void decode_op(Decode *d, const IrOp *o, Insn *i)
{
    const IrFunc *f = d->f;

    *i = (Insn){.fn = interp_handler(o), .opcode = o->opcode, .type = o->type, .cc = o->cc,
                .num_args = o->num_args};
    for (unsigned n = 0; n < o->num_args; n++) {
        i->arg[n] = value_place(d, o->args[n]);
        if (n < 2) {
            i->arg_type[n] = f->values[o->args[n]].type;
        }
    }
    if (o->dst) {
        i->dst_type = f->values[o->dst].type;
        uint32_t bytes = type_bytes(i->dst_type);
        d->frame = (d->frame + bytes - 1) & ~(bytes - 1);
        d->slot[o->dst] = i->dst = d->frame;
        d->frame += bytes;
    }
    switch (o->opcode) {
    case OP_GET:
    case OP_SET:
        i->imm[0] = var_place(d, o->var.var);
        i->imm[1] = ir_var_is_local(f, o->var.var);
        break;
    case OP_ENV_LOAD:
    case OP_ENV_STORE:
        i->imm[0] = o->env.offset;
        i->imm[1] = o->env.op;
        break;
    case OP_CALL:
        i->helper = o->call.helper;
        break;
    case OP_INSN:
        i->imm[0] = d->guest_insn++;
        break;
    case OP_EXIT_CHAIN:
        i->imm[0] = o->chain.slot;
        d->chains[o->chain.slot] = (ChainSlot){.site = (uint32_t)(i - d->insns),
                                               .pc = (int32_t)(o->chain.pc - d->cb->key.pc)};
        break;
    default:
        if (ir_desc(o)->flags & IRF_MEM) {
            i->imm[0] = MEM_OI(o->mem.op, o->mem.mmu);
        } else {
            i->imm[0] = o->imm[0];
            i->imm[1] = o->imm[1];
        }
    }
}

/* What the function needs in the buffer at most. */
static void count(const IrFunc *f, uint32_t *ops, uint32_t *args, uint32_t *guest_insns,
                  uint32_t *chains)
{
    *ops = *args = *guest_insns = *chains = 0;
    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            ++*ops;
            *args += f->ops[op].num_args;
            *guest_insns += f->ops[op].opcode == OP_INSN;
            if (f->ops[op].opcode == OP_EXIT_CHAIN) {
                *chains = MAX(*chains, (uint32_t)f->ops[op].chain.slot + 1);
            }
        }
    }
}

static void *take(CodeBuffer *c, size_t bytes)
{
    void *p = (void *)(((uintptr_t)c->ptr + 31) & ~(uintptr_t)31);

    c->ptr = (uint8_t *)p + bytes;
    return p;
}

static bool decode_blocks(Decode *d, IrFunc *f, InsnPoint *points, InterpTarget *targets)
{
    Insn **start = ir_arena(f, f->num_blocks * sizeof(Insn *));
    Insn *i = d->insns;

    for (const IrBlock *b = f->entry; b; b = b->next) {
        start[b->id] = i;
        d->frame = d->locals;   /* values live in one block: each starts over */
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            if (f->ops[op].opcode == OP_INSN) {
                points[d->guest_insn] = (InsnPoint){f->ops[op].insn.pc, f->ops[op].insn.meta};
            }
            decode_op(d, &f->ops[op], i++);
        }
        if (d->frame > FRAME_BYTES) {
            return false;
        }
    }
    for (uint32_t n = 0; n < f->num_targets; n++) {
        targets[n] = (InterpTarget){.pc = f->targets[n].pc, .to = start[f->targets[n].block->id]};
    }
    i = d->insns;
    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (uint32_t op = b->first; op; op = f->ops[op].next, i++) {
            if (op == b->last && b->succ[0]) {
                i->to[0] = start[b->succ[0]->id];
                i->to[1] = b->succ[1] ? start[b->succ[1]->id] : NULL;
            }
        }
    }
    return true;
}

bool interp_generate(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt);

bool interp_generate(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt)
{
    uint32_t ops, args, guest_insns, chains;

    if (opt) {
        ir_optimize(f);
    } else {
        ir_finish(f);
    }
    count(f, &ops, &args, &guest_insns, &chains);
    size_t need = sizeof(InterpCode) + ops * sizeof(Insn) + args * 8 +
                  guest_insns * sizeof(InsnPoint) + chains * sizeof(ChainSlot) +
                  f->num_targets * sizeof(InterpTarget);
    if (need + 6 * 32 > (size_t)(c->end - c->ptr)) {
        return false;
    }
    InterpCode *code = take(c, sizeof(*code));
    InsnPoint *points = take(c, guest_insns * sizeof(*points));
    ChainSlot *slots = code_buffer_slots(c, chains);
    if (!slots || guest_insns > UINT16_MAX) {
        return false;
    }
    InterpTarget *targets = take(c, f->num_targets * sizeof(*targets));
    Decode d = {.f = f,
                .cb = cb,
                .chains = slots,
                .insns = take(c, ops * sizeof(Insn)),
                .locals = f->num_locals * 32};
    d.slot = ir_arena(f, f->num_values * sizeof(uint32_t));
    memset(d.slot, 0, f->num_values * sizeof(uint32_t));
    d.consts = take(c, args * 8);
    /* Too many values for the frame: front ends end a function long before (ir_full). */
    bool fits = decode_blocks(&d, f, points, targets);
    g_assert(fits);
    *code = (InterpCode){cb, d.consts, d.insns, targets, f->num_targets};
    c->ptr = d.consts + d.num_consts;
    cb->code = (GeneratedCode){
        .entry = code, .size = (uint32_t)(c->ptr - (uint8_t *)code),
        .tables = (uint32_t)((uint8_t *)points - (uint8_t *)code),
        .num_insns = (uint16_t)d.guest_insn, .num_chains = (uint8_t)chains, .chains = slots,
    };
    cb->insns = (uint8_t)MIN(f->num_insns, UINT8_MAX);
    cb->bytes = (uint16_t)MIN(f->bytes, UINT16_MAX);
    return true;
}
