// SPDX-License-Identifier: GPL-2.0-or-later
/* Folding against the interpreter's arithmetic for every integer op, and what the builder and the
 * passes are expected to make of code that front ends emit. */
#include "tcg/builder.h"
#include "tcg/codegen.h"
#include "tcg/interp/interp.h"

#include <string.h>

static const IrVarDecl vars[] = {
    {"a", IR_I64, 0}, {"c", IR_I64, 8}, {"w", IR_I32, 16}, {"x", IR_V128, 32}};
enum { A, C, W, X };

static uint64_t random_bits(void)
{
    static const uint64_t edges[] = {0, 1, 0x80, 0xff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
                                     0xffffffff, 0x8000000000000000, ~0ull};
    uint64_t v = (uint64_t)(uint32_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();

    switch (g_test_rand_int_range(0, 4)) {
    case 0: return edges[g_test_rand_int_range(0, ARRAY_COUNT(edges))];
    case 1: return v & 0xff;
    default: return v;
    }
}

static bool is_integer_op(const IrOpDesc *d)
{
    if (!(d->flags & IRF_PURE) || d->num_operands == 0 || d->num_operands > 2 ||
        d->flags & (IRF_COND | IRF_LANE | IRF_TYPED)) {
        return false;
    }
    for (unsigned i = 0; i < d->num_operands; i++) {
        if (d->operands[i] != IRK_T && d->operands[i] != IR_I32 && d->operands[i] != IR_I64) {
            return false;
        }
    }
    return d->result == IRK_I || d->result == IR_I32 || d->result == IR_I64;
}

static void test_fold(void)
{
    unsigned covered = 0;

    for (unsigned opcode = 1; opcode < OP_COUNT; opcode++) {
        const IrOpDesc *d = &ir_op_desc[opcode];
        if (!is_integer_op(d)) {
            continue;
        }
        unsigned folded = 0;
        for (unsigned round = 0; round < 4000; round++) {
            IrType t = d->result == IRK_I ? (round & 1 ? IR_I64 : IR_I32) : (IrType)d->result;
            unsigned width = ir_type_bits(t), pos = (unsigned)g_test_rand_int_range(0, (int)width);
            uint64_t imm[2] = {pos, d->num_imms > 1
                                        ? 1 + (unsigned)g_test_rand_int_range(0, (int)(width - pos))
                                        : 0};
            uint64_t k[2], got;
            for (unsigned i = 0; i < 2; i++) {
                IrType want =
                    i < d->num_operands && d->operands[i] < IRK_T ? (IrType)d->operands[i] : t;
                k[i] = random_bits() & ir_mask(want);
            }
            if (opcode >= OP_SHL && opcode <= OP_ROTR && round & 2) {
                k[1] &= width - 1;
            }
            if (!ir_fold((IrOpcode)opcode, t, k, imm, &got)) {
                continue;
            }
            folded++;
            uint64_t want = interp_int_value((IrOpcode)opcode, t, k[0], k[1], imm);
            if ((got ^ want) & ir_mask(t)) {
                g_error("%s.%u %#" G_GINT64_MODIFIER "x %#" G_GINT64_MODIFIER
                        "x: %#" G_GINT64_MODIFIER "x, not %#" G_GINT64_MODIFIER "x",
                        d->name, width, k[0], k[1], got, want);
            }
        }
        if (opcode != OP_CRC32C && folded < 100) {
            g_error("%s is hardly ever folded", d->name);
        }
        covered++;
    }
    g_assert_cmpuint(covered, >, 35);
}

static void test_conditions(void)
{
    for (unsigned c = COND_NEVER; c <= COND_TSTNZ; c++) {
        for (unsigned round = 0; round < 1000; round++) {
            IrType t = round & 1 ? IR_I64 : IR_I32;
            uint64_t x = random_bits() & ir_mask(t), y = round % 5 ? random_bits() & ir_mask(t) : x;
            bool holds = interp_cond((IrCond)c, t, x, y);
            g_assert_cmpint(ir_fold_cond((IrCond)c, t, x, y), ==, holds);
            g_assert_cmpint(interp_cond(ir_cond_invert((IrCond)c), t, x, y), ==, !holds);
            g_assert_cmpint(interp_cond(ir_cond_swap((IrCond)c), t, y, x), ==, holds);
        }
    }
}

/* ---- what code becomes ---- */

static void finish_and_expect(IrBuilder *b, const char *body)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *want = g_strdup_printf("func insns=0 bytes=0\n%s", body);

    if (ir_is_open(b)) {
        ir_exit(b, IR_EXIT_LOOP);
    }
    ir_optimize(ir_func(b));
    ir_print(ir_func(b), out);
    g_assert_cmpstr(out->str, ==, want);
    ir_builder_free(b);
}

static IrBuilder *begin(void)
{
    IrBuilder *b = ir_builder_new(vars, ARRAY_COUNT(vars));

    ir_begin(b);
    return b;
}

static void test_compare_and_branch(void)
{
    IrBuilder *b = begin();
    IrBlock *yes = ir_block(b), *no = ir_block(b);
    IrVal a = ir_get(b, A), c = ir_get(b, C);
    IrVal less = ir_setcond(b, COND_LTU, a, c);

    ir_brcond(b, COND_NE, ir_zextq(b, less), ir_i64(b, 0), yes, no);
    ir_place(b, yes);
    ir_set(b, A, ir_i64(b, 1));
    ir_br(b, no);
    ir_place(b, no);
    finish_and_expect(b, "b0:\n  v1:i64 = get a\n  v2:i64 = get c\n  brcond.ltu v1, v2, b1, b2\n"
                         "b1:\n  set a, 0x1:i64\n  br b2\nb2:\n  exit #0x0\n");
}

static void test_test_and_branch(void)
{
    IrBuilder *b = begin();
    IrBlock *yes = ir_block(b), *no = ir_cold_block(b);

    ir_brcond(b, COND_EQ, ir_zext8(b, ir_get(b, A)), ir_i64(b, 0), yes, no);
    ir_place(b, no);
    ir_exit_chain(b, 1, 0x20);
    ir_place(b, yes);
    ir_exit_chain(b, 0, 0x10);
    finish_and_expect(b, "b0:\n  v1:i64 = get a\n  brcond.tstz v1, 0xff:i64, b1, b2\n"
                         "b1:\n  exit_chain #0x0, #0x10\nb2 cold:\n  exit_chain #0x1, #0x20\n");
}

static void test_dead_sets(void)
{
    IrBuilder *b = begin();
    IrVal a = ir_get(b, A);

    ir_set(b, C, ir_addi(b, a, 1));             /* nobody looks before it is set again */
    ir_set(b, C, ir_addi(b, a, 2));
    ir_set(b, W, ir_load(b, IR_I32, a, MEM_8, 0));
    ir_set(b, C, ir_addi(b, a, 3));
    finish_and_expect(b, "b0:\n  v1:i64 = get a\n  v2:i64 = add v1, 0x2:i64\n  set c, v2\n"
                         "  v3:i32 = load v1, m8 mmu0\n  set w, v3\n  v4:i64 = add v1, 0x3:i64\n"
                         "  set c, v4\n  exit #0x0\n");
}

static void test_locals_and_merging(void)
{
    IrBuilder *b = begin();
    IrBlock *next = ir_block(b), *empty = ir_block(b), *last = ir_block(b);
    IrVar t = ir_local(b, IR_I64);

    ir_set(b, t, ir_addi(b, ir_get(b, A), 5));
    ir_br(b, empty);
    ir_place(b, empty);
    ir_br(b, next);
    ir_place(b, next);
    ir_set(b, A, ir_addi(b, ir_get(b, t), -5));
    ir_place(b, last);
    finish_and_expect(b, "local %0:i64\nb0:\n  exit #0x0\n");
}

static void test_constant_across_blocks(void)
{
    IrBuilder *b = begin();
    IrBlock *yes = ir_block(b), *no = ir_block(b), *never = ir_block(b);

    ir_set(b, W, ir_i32(b, 7));
    IrVal a = ir_get(b, A), c = ir_get(b, C);
    ir_brcond(b, COND_LT, a, c, yes, no);
    ir_place(b, yes);
    ir_brcond(b, COND_NE, ir_get(b, W), ir_i32(b, 7), never, no);
    ir_place(b, never);
    ir_set(b, A, ir_i64(b, 0));
    ir_place(b, no);
    finish_and_expect(b, "b0:\n  set w, 0x7:i32\n  v1:i64 = get a\n  v2:i64 = get c\n"
                         "  brcond.lt v1, v2, b1, b2\nb1:\n  br b2\nb2:\n  exit #0x0\n");
}

/* What a loop's rounds find as they would set it: a constant, a copy. */
static void test_same_in_loop(void)
{
    IrBuilder *b = begin();
    IrBlock *loop = ir_block(b), *end = ir_block(b);

    ir_set(b, W, ir_i32(b, 7));
    ir_set(b, C, ir_get(b, A));
    ir_place(b, loop);
    IrVal a = ir_get(b, A);
    ir_set(b, W, ir_i32(b, 7));
    ir_set(b, C, a);
    ir_brcond(b, COND_NE, ir_load(b, IR_I64, a, MEM_64, 0), ir_i64(b, 0), loop, end);
    ir_place(b, end);
    finish_and_expect(b, "b0:\n  set w, 0x7:i32\n  v1:i64 = get a\n  set c, v1\n  br b1\n"
                         "b1:\n  v2:i64 = get a\n  v3:i64 = load v2, m64 mmu0\n"
                         "  brcond.ne v3, 0x0:i64, b1, b2\nb2:\n  exit #0x0\n");
}

/* Not so when the rounds change what was copied, or come in with something else. */
static void test_not_same_in_loop(void)
{
    IrBuilder *b = begin();
    IrBlock *loop = ir_block(b), *end = ir_block(b);

    ir_set(b, C, ir_get(b, A));
    ir_place(b, loop);
    IrVal a = ir_get(b, A), next = ir_load(b, IR_I64, a, MEM_64, 0);
    ir_set(b, W, ir_i32(b, 7));
    ir_set(b, C, a);
    ir_set(b, A, next);
    ir_brcond(b, COND_NE, ir_get(b, A), ir_i64(b, 0), loop, end);
    ir_place(b, end);
    finish_and_expect(b, "b0:\n  v1:i64 = get a\n  set c, v1\n  br b1\n"
                         "b1:\n  v2:i64 = get a\n  v3:i64 = load v2, m64 mmu0\n"
                         "  set w, 0x7:i32\n  set c, v2\n  set a, v3\n"
                         "  brcond.ne v3, 0x0:i64, b1, b2\nb2:\n  exit #0x0\n");
}

static void test_extensions(void)
{
    IrBuilder *b = begin();
    IrVal byte = ir_load(b, IR_I64, ir_get(b, A), MEM_8, 0);

    ir_set(b, C, ir_zext32(b, ir_zext16(b, ir_andi(b, byte, 0xfff))));
    ir_store(b, ir_zext32(b, ir_sext8(b, ir_get(b, A))), ir_get(b, A), MEM_8, 0);
    ir_set(b, W, ir_trunc(b, ir_zextq(b, ir_get(b, W))));
    finish_and_expect(b, "b0:\n  v1:i64 = get a\n  v2:i64 = load v1, m8 mmu0\n  set c, v2\n"
                         "  store v1, v1, m8 mmu0\n  exit #0x0\n");
}

static void test_partial_registers(void)
{
    IrBuilder *b = begin();

    /* mov al, cl; mov ah, cl; movzx c, al */
    IrVal a = ir_get(b, A), c = ir_get(b, C);
    ir_set(b, A, ir_deposit(b, a, c, 0, 8));
    ir_set(b, A, ir_deposit(b, ir_get(b, A), c, 8, 8));
    ir_set(b, C, ir_zext8(b, ir_get(b, A)));
    finish_and_expect(
        b, "b0:\n  v1:i64 = get a\n  v2:i64 = get c\n  v3:i64 = deposit v1, v2, #0x0, #0x8\n"
           "  v4:i64 = deposit v3, v2, #0x8, #0x8\n  set a, v4\n  v5:i64 = zext8 v2\n"
           "  set c, v5\n  exit #0x0\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir-fold/values", test_fold);
    g_test_add_func("/ir-fold/conditions", test_conditions);
    g_test_add_func("/ir-fold/compare-and-branch", test_compare_and_branch);
    g_test_add_func("/ir-fold/test-and-branch", test_test_and_branch);
    g_test_add_func("/ir-fold/dead-sets", test_dead_sets);
    g_test_add_func("/ir-fold/locals", test_locals_and_merging);
    g_test_add_func("/ir-fold/constant-across-blocks", test_constant_across_blocks);
    g_test_add_func("/ir-fold/same-in-loop", test_same_in_loop);
    g_test_add_func("/ir-fold/not-same-in-loop", test_not_same_in_loop);
    g_test_add_func("/ir-fold/extensions", test_extensions);
    g_test_add_func("/ir-fold/partial-registers", test_partial_registers);
    return g_test_run();
}
