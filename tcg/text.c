// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IR as text. Values are numbered in the order of their definition, so that text that was parsed
 * prints as it was:
 *
 *   func insns=1 bytes=3
 *   local %0:i32
 *   b0:
 *     insn #0x1000, #0x0
 *     v1:i64 = get rax
 *     v2:i64 = add v1, 0x5:i64
 *     v3:i32 = load v2, m32.sign mmu1
 *     v4:i64 = call cc_all(v1, v2)
 *     brcond.eq v1, v2, b1, b2
 *   b1 cold:
 */
#include "tcg/text.h"

const char *const ir_type_names[IR_TYPES + 1] = {"void", "i32",  "i64", "f32",
                                                 "f64",  "v128", "v256"};
const char *const ir_cond_names[] = {"never", "always", "eq", "ne", "lt", "ge", "le", "gt",
                                     "ltu", "geu", "leu", "gtu", "tstz", "tstnz", NULL};
const char *const ir_lane_names[] = {"i8", "i16", "i32", "i64", "f32", "f64", NULL};

static void print_value(const IrFunc *f, const uint32_t *number, uint32_t v, GString *out)
{
    if (f->values[v].is_const) {
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x:%s", f->values[v].k,
                               ir_type_names[f->values[v].type]);
    } else {
        g_string_append_printf(out, "v%u", v < f->num_values ? number[v] : 0);
    }
}

static void print_memop(MemOp op, GString *out)
{
    g_string_append_printf(out, "m%u%s%s%s%s", 8u << (op & MEM_SIZE), op & MEM_SIGN ? ".sign" : "",
                           op & MEM_BIG ? ".big" : "", op & MEM_ALIGN ? ".align" : "",
                           op & MEM_ATOMIC ? ".atomic" : "");
}

static void print_var(const IrFunc *f, IrVar v, GString *out)
{
    if (ir_var_is_local(f, v)) {
        g_string_append_printf(out, "%%%u", v - f->num_vars);
    } else {
        g_string_append(out, f->vars[v].name);
    }
}

/* Lists everything after the op's name: each item is preceded by this. */
static void separate(GString *out, bool *first)
{
    g_string_append(out, *first ? " " : ", ");
    *first = false;
}

static void print_tail(const IrFunc *f, const IrBlock *b, const IrOp *o, GString *out, bool first)
{
    switch (o->opcode) {
    case OP_ENV_LOAD:
    case OP_ENV_STORE:
        separate(out, &first);
        g_string_append_printf(out, "#0x%" G_GINT64_MODIFIER "x, ", o->env.offset);
        print_memop((MemOp)o->env.op, out);
        return;
    case OP_BR:
    case OP_BRCOND:
        for (unsigned i = 0; i < 2 && b->succ[i]; i++) {
            separate(out, &first);
            g_string_append_printf(out, "b%u", b->succ[i]->id);
        }
        return;
    case OP_GET: case OP_SET: case OP_DISCARD: case OP_CALL:
        return;
    default:
        break;
    }
    if (ir_desc(o)->flags & IRF_MEM) {
        separate(out, &first);
        print_memop((MemOp)o->mem.op, out);
        g_string_append_printf(out, " mmu%u", o->mem.mmu);
        return;
    }
    for (unsigned i = 0; i < ir_desc(o)->num_imms; i++) {
        separate(out, &first);
        g_string_append_printf(out, "#0x%" G_GINT64_MODIFIER "x", o->imm[i]);
    }
}

static void print_op(const IrFunc *f, const IrBlock *b, const IrOp *o, const uint32_t *number,
                     GString *out)
{
    const IrOpDesc *d = ir_desc(o);
    bool first = true;

    g_string_append(out, "  ");
    if (o->dst) {
        g_string_append_printf(out, "v%u:%s = ", number[o->dst], ir_type_names[ir_dst_type(f, o)]);
    }
    g_string_append(out, d->name);
    if (d->flags & IRF_COND) {
        g_string_append_printf(out, ".%s", ir_cond_names[o->cc]);
    }
    if (d->flags & IRF_LANE) {
        g_string_append_printf(out, ".%s", ir_lane_names[o->cc]);
    }
    if (o->opcode == OP_CALL) {
        g_string_append_printf(out, " %s(", o->call.helper->name);
    }
    if (ir_op_names_var(o)) {
        separate(out, &first);
        print_var(f, o->var.var, out);
    }
    for (unsigned i = 0; i < o->num_args; i++) {
        if (o->opcode != OP_CALL) {
            separate(out, &first);
        } else if (i) {
            g_string_append(out, ", ");
        }
        print_value(f, number, o->args[i], out);
    }
    print_tail(f, b, o, out, first);
    g_string_append(out, o->opcode == OP_CALL ? ")\n" : "\n");
}

void ir_print(const IrFunc *f, GString *out)
{
    g_autofree uint32_t *number = g_new0(uint32_t, f->num_values);
    uint32_t n = 0;

    for (const IrBlock *b = f->entry; b; b = b->next) {
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            if (f->ops[op].dst) {
                number[f->ops[op].dst] = ++n;
            }
        }
    }
    g_string_append_printf(out, "func insns=%u bytes=%" G_GINT64_MODIFIER "u\n", f->num_insns,
                           f->bytes);
    for (uint32_t i = 0; i < f->num_locals; i++) {
        g_string_append_printf(out, "local %%%u:%s\n", i, ir_type_names[f->locals[i]]);
    }
    for (uint32_t i = 0; i < f->num_targets; i++) {
        g_string_append_printf(out, "target b%u #0x%" G_GINT64_MODIFIER "x\n",
                               f->targets[i].block->id, f->targets[i].pc);
    }
    for (const IrBlock *b = f->entry; b; b = b->next) {
        g_string_append_printf(out, "b%u%s:\n", b->id, b->cold ? " cold" : "");
        for (uint32_t op = b->first; op; op = f->ops[op].next) {
            print_op(f, b, &f->ops[op], number, out);
        }
    }
}
