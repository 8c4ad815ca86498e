// SPDX-License-Identifier: GPL-2.0-or-later
/* The text form of IR parses back for every row of ops.def; the verifier rejects what is wrong. */
#include "tcg/builder.h"
#include "util/error.h"

#include <string.h>

static const IrVarDecl vars[] = {
    {"r32", IR_I32, 0}, {"r64", IR_I64, 8}, {"s", IR_F32, 16}, {"d", IR_F64, 24},
    {"x", IR_V128, 32}, {"y", IR_V256, 64},
};
static const IrHelper plain = {.name = "plain", .ret = IR_I64, .num_args = 3, .env = true,
                               .args = {IR_I64, IR_I32, IR_V128}, .flags = HELPER_READS_VARS};
static const IrHelper *const helpers[] = {&plain, NULL};

static IrType operand_type(uint8_t kind, IrType t, unsigned variant)
{
    switch (kind) {
    case IRK_T: return t;
    case IRK_I: return variant & 1 ? IR_I64 : IR_I32;
    case IRK_F: return variant & 1 ? IR_F64 : IR_F32;
    case IRK_V: return variant & 1 ? IR_V256 : IR_V128;
    case IRK_A: return (IrType)(IR_I32 + variant % 6);
    default: return (IrType)kind;
    }
}

/* A value of type t in the current block. */
static uint32_t some_value(IrBuilder *b, IrType t)
{
    return ir_get(b, (IrVar)(t - IR_I32)).id;
}

/* An op of this row with the variant'th choice of types, followed by an exit unless it ends. */
static void build_row(IrBuilder *b, IrOpcode opcode, unsigned variant)
{
    const IrOpDesc *d = &ir_op_desc[opcode];
    IrOp o = {.opcode = (uint8_t)opcode};
    uint8_t own_kind = d->result == IRK_T ? IRK_I : d->result;
    IrType t = operand_type(own_kind, IR_VOID, variant);

    ir_begin(b);
    IrBlock *other = ir_block(b), *third = ir_cold_block(b);
    if (opcode == OP_CALL) {
        o.call.helper = &plain;
        o.num_args = 2;
        o.args[0] = some_value(b, IR_I32);
        o.args[1] = some_value(b, IR_V128);
        t = IR_I64;
    } else {
        o.num_args = d->num_operands;
        for (unsigned i = 0; i < d->num_operands; i++) {
            o.args[i] = some_value(b, operand_type(d->operands[i], t, variant));
        }
    }
    if (opcode == OP_GET) {
        o.var.var = t - IR_I32;
    } else if (opcode == OP_SET) {
        o.var.var = b->f.values[o.args[0]].type - IR_I32;
    } else if (d->flags & IRF_MEM) {
        o.mem.op = MEM_32 | (variant & 1 ? MEM_SIGN | MEM_BIG : MEM_ALIGN | MEM_ATOMIC);
        o.mem.mmu = (uint8_t)variant;
    } else if (opcode == OP_ENV_LOAD || opcode == OP_ENV_STORE) {
        o.env.offset = 200;
        o.env.op = MEM_8;
    } else if (opcode != OP_CALL) {
        o.imm[0] = d->num_imms > 0 ? 1 : 0;
        o.imm[1] = d->num_imms > 1 ? 2 + variant : 0;
    }
    o.cc = d->flags & IRF_COND ? COND_LTU : d->flags & IRF_LANE ? LANE_I16 : 0;
    if (opcode == OP_V_EXTRACT) {
        t = IR_I32;
    }
    IrType own = ir_own_type(&b->f, &o);
    o.type = (uint8_t)(opcode == OP_CALL || own == IR_VOID ? t : own);
    uint32_t op = builder_append(b, &o);
    if (d->result != IR_VOID) {
        b->f.ops[op].dst = ir_value_new(&b->f, t, op);
    }
    if (d->flags & IRF_END) {
        b->cur->succ[0] = opcode == OP_BR || opcode == OP_BRCOND ? other : NULL;
        b->cur->succ[1] = opcode == OP_BRCOND ? third : NULL;
    } else {
        ir_br(b, other);
    }
    ir_place(b, third);
    ir_br(b, other);
    ir_place(b, other);
    ir_exit(b, IR_EXIT_LOOP);
    ir_finish(&b->f);
}

static void test_round_trip(void)
{
    IrBuilder *b = ir_builder_new(vars, ARRAY_COUNT(vars));
    IrBuilder *b2 = ir_builder_new(vars, ARRAY_COUNT(vars));

    for (unsigned opcode = OP_NONE + 1; opcode < OP_COUNT; opcode++) {
        for (unsigned variant = 0; variant < 6; variant++) {
            g_autoptr(GError) error = NULL;
            g_autoptr(GString) one = g_string_new(NULL);
            g_autoptr(GString) two = g_string_new(NULL);
            build_row(b, (IrOpcode)opcode, variant);
            ir_print(&b->f, one);
            if (!ir_verify(&b->f, &error)) {
                g_error("%s\n%s", error->message, one->str);
            }
            IrFunc *f = ir_parse(b2, one->str, helpers, &error);
            if (!f) {
                g_error("%s\n%s", error->message, one->str);
            }
            ir_print(f, two);
            g_assert_cmpstr(one->str, ==, two->str);
            g_assert_true(ir_verify(f, &error));
        }
    }
    ir_builder_free(b);
    ir_builder_free(b2);
}

static void test_constants_and_locals(void)
{
    static const char text[] =
        "func insns=2 bytes=7\n"
        "local %0:i32\n"
        "target b1 #0x2000\n"
        "b0:\n"
        "  insn #0x1000, #0x3\n"
        "  v1:i64 = get r64\n"
        "  v2:i64 = add v1, 0xfffffffffffffff0:i64\n"
        "  set %0, 0x5:i32\n"
        "  store v2, v1, m64.big mmu2\n"
        "  v3:i64 = call plain(0x1:i32, v4)\n"
        "  brcond.ltu v1, v2, b0, b1\n"
        "b1 cold:\n"
        "  exit #0x0\n";
    IrBuilder *b = ir_builder_new(vars, ARRAY_COUNT(vars));
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_null(ir_parse(b, text, helpers, &error));
    g_assert_nonnull(strstr(error->message, "line 10: "));
    g_clear_error(&error);

    g_auto(GStrv) parts = g_strsplit(text, "call plain(0x1:i32, v4)", 2);
    g_autofree char *good = g_strjoinv("get r64", parts);
    IrFunc *f = ir_parse(b, good, helpers, &error);
    g_assert_no_error(error);
    ir_print(f, out);
    g_assert_cmpstr(out->str, ==, good);
    ir_builder_free(b);
}

static void test_parser_rejects(void)
{
    static const char *const texts[] = {
        "",
        "rubbish",
        "target b1\n",
        "target 1 #0x1\n",
        "b0:\n",
        "b0:\n  exit\n",
        "b0:\n  exit #0, #1\n",
        "b0:\n  frobnicate\n",
        "b0:\n  br b999999999\n",
        "b0:\n  exit #0x0\nb0:\n  exit #0x0\n",
        "  exit #0x0\n",
        "b0:\n  v1:i64 = get nothing\n",
        "b0:\n  v1:i65 = get r64\n",
        "local %1:i32\n",
        "b0:\n  v1:i64 = load v1, m64 mmu0\n",
        "b0:\n  v1:i64 = load 0x0:i64, m7 mmu0\n",
        "b0:\n  v1:i64 = add 0x0:i64\n",
        "b0:\n  exit #0x0\n  exit #0x0\n",
        "b0:\n  set r64, 0x0:v128\n",
        "b0:\n  v99999999:i64 = get r64\n",
        "b0:\n  set %4, 0x0:i32\n",
    };
    IrBuilder *b = ir_builder_new(vars, ARRAY_COUNT(vars));

    for (unsigned i = 0; i < ARRAY_COUNT(texts); i++) {
        g_autoptr(GError) error = NULL;
        if (ir_parse(b, texts[i], helpers, &error)) {
            g_error("accepted: %s", texts[i]);
        }
        g_assert_error(error, EMU_ERROR, ERROR_GENERIC);
    }
    ir_builder_free(b);
}

static void test_verifier_rejects(void)
{
    static const struct { const char *text, *why; } rows[] = {
        {"  v1:i64 = get r32\n", "not the variable's type"},
        {"  set r32, 0x0:i64\n", "not the variable's type"},
        {"  v1:i64 = add 0x1:i64, 0x2:i32\n", "operand has the wrong type"},
        {"  v1:i32 = add 0x1:i64, 0x2:i64\n", "result has the wrong type"},
        {"  add 0x1:i64, 0x2:i64\n", "has no result"},
        {"  v1:i64 = set r64, 0x2:i64\n", "has a result"},
        {"  v1:i32 = setcond.eq 0x1:i32, 0x2:i64\n", "compares different types"},
        {"  v1:i32 = setcond.always 0x1:i32, 0x2:i32\n", "bad condition"},
        {"  v1:i32 = extract 0x1:i32, #0x1f, #0x2\n", "bits outside the value"},
        {"  v1:i64 = call plain(0x1:i32)\n", "wrong number of arguments"},
        {"  v1:i64 = call plain(0x1:i32, 0x2:i32)\n", "argument has the wrong type"},
        {"  exit_chain #0x2, #0x0\nb2:\n", "bad slot"},
        {"  br b7\nb2:\n", "branch to a block that is not placed"},
        {"  v1:i64 = get r64\n  br b2\nb2:\n  set r64, v1\n", "not defined before, in this block"},
    };
    IrBuilder *b = ir_builder_new(vars, ARRAY_COUNT(vars));

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("b0:\n%s  exit #0x0\n", rows[i].text);
        IrFunc *f = ir_parse(b, text, helpers, &error);
        g_assert_no_error(error);
        g_assert_false(ir_verify(f, &error));
        if (!strstr(error->message, rows[i].why)) {
            g_error("%s: %s", rows[i].text, error->message);
        }
    }
    ir_builder_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir-text/round-trip", test_round_trip);
    g_test_add_func("/ir-text/constants", test_constants_and_locals);
    g_test_add_func("/ir-text/parser-rejects", test_parser_rejects);
    g_test_add_func("/ir-text/verifier-rejects", test_verifier_rejects);
    return g_test_run();
}
