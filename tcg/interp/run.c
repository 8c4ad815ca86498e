// SPDX-License-Identifier: GPL-2.0-or-later
/* The interpreter's run loop: variables, control flow, and the engine's table. */
#include "tcg/interp/interp.h"

#include <string.h>

bool interp_generate(CodeBuffer *c, IrFunc *f, CodeBlock *cb, bool opt);

/* ---- variables ---- */

static unsigned type_bytes(uint8_t t)
{
    return ir_type_bits((IrType)t) / 8;
}

static void *var_at(const Insn *i, Run *r)
{
    return i->imm[1] ? r->frame + i->imm[0] : (uint8_t *)r->cpu + i->imm[0];
}

static const Insn *run_get(const Insn *i, Run *r)
{
    if (i->type == IR_I32 || i->type == IR_F32) {
        put64(i, r, *(uint32_t *)var_at(i, r));
    } else {
        memcpy(dst_at(i, r), var_at(i, r), type_bytes(i->type));
    }
    return i + 1;
}

static const Insn *run_set(const Insn *i, Run *r)
{
    memcpy(var_at(i, r), arg_at(i, r, 0), type_bytes(i->type));
    return i + 1;
}

static const Insn *run_nothing(const Insn *i, Run *r)
{
    return i + 1;
}

static const Insn *run_insn(const Insn *i, Run *r)
{
    r->cpu->running_insn = (uint32_t)i->imm[0];
    return i + 1;
}

static const Insn *run_env_ptr(const Insn *i, Run *r)
{
    put64(i, r, (uintptr_t)r->cpu + i->imm[0]);
    return i + 1;
}

/* ---- comparisons ---- */

bool interp_cond(IrCond c, IrType type, uint64_t x, uint64_t y)
{
    const int64_t sx = type == IR_I32 ? (int32_t)x : (int64_t)x;
    const int64_t sy = type == IR_I32 ? (int32_t)y : (int64_t)y;

    switch (c) {
    case COND_NEVER: return false;
    case COND_ALWAYS: return true;
    case COND_EQ: return x == y;
    case COND_NE: return x != y;
    case COND_LT: return sx < sy;
    case COND_GE: return sx >= sy;
    case COND_LE: return sx <= sy;
    case COND_GT: return sx > sy;
    case COND_LTU: return x < y;
    case COND_GEU: return x >= y;
    case COND_LEU: return x <= y;
    case COND_GTU: return x > y;
    case COND_TSTZ: return (x & y) == 0;
    case COND_TSTNZ: return (x & y) != 0;
    }
    return false;
}

static bool holds(const Insn *i, Run *r)
{
    return interp_cond((IrCond)i->cc, (IrType)i->arg_type[0], arg64(i, r, 0), arg64(i, r, 1));
}

const Insn *interp_compare(const Insn *i, Run *r)
{
    if (i->opcode == OP_SETCOND) {
        put64(i, r, holds(i, r));
    } else {
        memcpy(dst_at(i, r), arg_at(i, r, holds(i, r) ? 2 : 3),
               i->dst_type <= IR_F64 ? 8 : type_bytes(i->dst_type));
    }
    return i + 1;
}

/* ---- control ---- */

static const Insn *run_br(const Insn *i, Run *r)
{
    return i->to[0];
}

static const Insn *run_brcond(const Insn *i, Run *r)
{
    return i->to[holds(i, r) ? 0 : 1];
}

static const Insn *leave(Run *r, unsigned why)
{
    r->exit = why;
    return NULL;
}

/* Goes on with another block; interrupts are looked for first. */
static const Insn *enter(Run *r, CodeBlock *cb)
{
    const InterpCode *code = cb->code.entry;

    r->cb = cb;
    if (atomic_load_explicit(&r->cpu->attention, memory_order_relaxed)) {
        return leave(r, IR_EXIT_ENTRY);
    }
    r->cpu->running = cb;
    r->cpu->running_insn = 0;
    r->base[1] = (uint8_t *)code->consts;
    return code->start;
}

static const Insn *run_exit(const Insn *i, Run *r)
{
    return leave(r, (unsigned)i->imm[0]);
}

static const Insn *run_exit_chain(const Insn *i, Run *r)
{
    CodeBlock *to = (CodeBlock *)(uintptr_t)__atomic_load_n(&i->imm[1], __ATOMIC_ACQUIRE);

    return to ? enter(r, to) : leave(r, IR_EXIT_CHAIN0 + (unsigned)i->imm[0]);
}

static const Insn *run_exit_lookup(const Insn *i, Run *r)
{
    const InterpCode *here = r->cb->code.entry;
    const uint64_t pc = arg64(i, r, 0), place = pc - block_moved(r->cpu, r->cb);

    for (uint32_t n = 0;
         n < here->num_targets && !atomic_load_explicit(&r->cpu->attention, memory_order_relaxed);
         n++) {
        if (here->targets[n].pc == place) {
            return here->targets[n].to;
        }
    }
    if (r->cb->key.flags) {
        return leave(r, IR_EXIT_LOOKUP);
    }
    const InterpCode *code = tcg_lookup(r->cpu, pc, WAY_ANY, NULL);

    if (code) {
        return enter(r, code->cb);
    }
    r->cb = NULL;
    return leave(r, IR_EXIT_LOOKUP);
}

static const Insn *run_fence(const Insn *i, Run *r)
{
    atomic_thread_fence(memory_order_seq_cst);
    return i + 1;
}

InsnFn *interp_handler(const IrOp *o)
{
    switch (o->opcode) {
    case OP_GET: return run_get;
    case OP_SET: return run_set;
    case OP_DISCARD: return run_nothing;
    case OP_INSN: return run_insn;
    case OP_ENV_LOAD: return interp_env_load;
    case OP_ENV_STORE: return interp_env_store;
    case OP_ENV_PTR: return run_env_ptr;
    case OP_SETCOND: case OP_SELECT: return interp_compare;
    case OP_LOAD: return interp_load;
    case OP_STORE: return interp_store;
    case OP_XCHG: case OP_FETCH_ADD: case OP_FETCH_AND: case OP_FETCH_OR: case OP_FETCH_XOR:
    case OP_CMPXCHG:
        return interp_atomic;
    case OP_FENCE: return run_fence;
    case OP_CALL: return interp_call;
    case OP_BR: return run_br;
    case OP_BRCOND: return run_brcond;
    case OP_EXIT_CHAIN: return run_exit_chain;
    case OP_EXIT_LOOKUP: return run_exit_lookup;
    case OP_EXIT: return run_exit;
    case OP_FCMP_MASK: return interp_float;
    case OP_FGUARD: return interp_guard;
    case OP_S_FADD ... OP_S_MERGE: return interp_lowest;
    default:
        if (o->opcode < OP_FADD) {
            return interp_int;
        }
        return o->opcode < OP_V_ZERO ? interp_float : interp_vector;
    }
}

/* ---- engine ---- */

static bool interp_init(CodeBuffer *c, const CpuArch *arch, GError **error)
{
    return true;
}

static unsigned interp_run(Cpu *cpu, CodeBlock *cb, CodeBlock **last)
{
    Run r;          /* the frame is not cleared: values are written before they are read */

    r.cpu = cpu;
    r.exit = IR_EXIT_LOOP;
    r.base[0] = r.frame;
    for (const Insn *i = enter(&r, cb); i;) {
        i = i->fn(i, &r);
    }
    cpu->running = NULL;
    *last = r.cb;
    return r.exit;
}

static void interp_chain(CodeBlock *from, unsigned slot, CodeBlock *to)
{
    const InterpCode *code = from->code.entry;
    Insn *exit = (Insn *)(uintptr_t)code->start + from->code.chains[slot].site;

    __atomic_store_n(&exit->imm[1], (uintptr_t)to, __ATOMIC_RELEASE);
}

static void interp_dump(const CodeBlock *cb, GString *out)
{
    g_string_append_printf(out, "  %u bytes of decoded IR\n", cb->code.size);
}

static bool interp_locate(Cpu *cpu, uintptr_t host_pc, CodeBlock **cb, uint32_t *insn)
{
    *cb = cpu->running;
    *insn = cpu->running_insn;
    return host_pc != 0 && cpu->running;
}

const CodeEngine engine_interp = {
    .name = "interp",
    .init = interp_init,
    .generate = interp_generate,
    .run = interp_run,
    .chain = interp_chain,
    .dump = interp_dump,
    .locate = interp_locate,
};
