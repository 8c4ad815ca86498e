// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A block with x87 instructions is made for the stack that there was at translation (x87-fast.c):
 * with that it runs to its end; with any other state it does its first x87 instruction the general
 * way and leaves for the second. And random sequences of x87 instructions, which keep registers on
 * the host's stack in between: the interpreter and the back end agree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "accel/accel.h"
#include "target-i386/translate.h"
#include "target-i386/x87.h"
#include "tcg/codegen.h"
#include "util/main-loop.h"

enum { CODE = 0x21000000, DATA = 0x21001000 };

static const X87Reg one = {.mant = 1ull << 63, .sign_exp = 0x3fff};
static const X87Reg two = {.mant = 1ull << 63, .sign_exp = 0x4000};

typedef struct Fixture {
    X86Cpu *c;
    CodeBuffer buffer;
    CodeBlock *block;
    IrBuilder *builder;
    const CodeEngine *engine;
} Fixture;

/* TOP, with ST(0) = 1 and nothing else. */
static void set_stack(X86Cpu *c, unsigned top)
{
    c->fp_top = top;
    c->fp_sw = 0;
    c->fp_cw = 0x37f;
    memset(c->fp_tag, 1, sizeof(c->fp_tag));
    memset(c->fpr, 0, sizeof(c->fpr));
    c->fp_tag[top] = 0;
    c->fpr[top] = one;
}

static void run(Fixture *f, void (*spoil)(X86Cpu *c))
{
    CodeBlock *last = NULL;

    f->c->cpu.exception = CPU_EXC_NONE;
    f->c->rip = CODE;
    if (sigsetjmp(f->c->cpu.jump, 0) == 0) {
        x86_exec_enter(&f->c->cpu);
        spoil(f->c);
        f->engine->run(&f->c->cpu, f->block, &last);
    }
    x86_exec_leave(&f->c->cpu);
    f->c->cpu.running = NULL;
    g_assert_cmpint(f->c->cpu.exception, ==, CPU_EXC_NONE);
}

static void assert_reg(const X86Cpu *c, unsigned n, const X87Reg *v)
{
    g_assert_cmphex(c->fpr[n].mant, ==, v->mant);
    g_assert_cmphex(c->fpr[n].sign_exp, ==, v->sign_exp);
}

static void as_it_was(X86Cpu *c)
{
}

static void other_top(X86Cpu *c)
{
    set_stack(c, 5);
}

static void other_tags(X86Cpu *c)
{
    c->fp_tag[3] = 0;
}

static void other_control(X86Cpu *c)
{
    c->fp_cw = 0x27f;
}

static void unclean_host(X86Cpu *c)
{
    c->fp_host_clean = 0;
}

/* fld1; faddp; fnstsw %ax: to the end, or one instruction. */
static void check(Fixture *f)
{
    static void (*const others[])(X86Cpu *) = {other_top, other_tags, other_control, unclean_host};

    set_stack(f->c, 2);
    run(f, as_it_was);
    assert_reg(f->c, 2, &two);
    g_assert_cmpuint(f->c->fp_top, ==, 2);
    g_assert_cmpuint(f->c->fp_tag[1], ==, 1);
    g_assert_cmphex(f->c->regs[R_AX] & 0xffff, ==, 2 << 11);
    for (unsigned n = 0; n < G_N_ELEMENTS(others); n++) {
        set_stack(f->c, 2);
        run(f, others[n]);
        unsigned top = n == 0 ? 4 : 1;
        g_assert_cmpuint(f->c->rip, ==, CODE + 2);
        g_assert_cmpuint(f->c->fp_top, ==, top);
        g_assert_cmpuint(f->c->fp_tag[top], ==, 0);
        assert_reg(f->c, top, &one);
        assert_reg(f->c, top + 1, &one);
    }
}

static X86Cpu *make_cpu(void)
{
    X86Cpu *c = aligned_alloc(64, (sizeof(X86Cpu) + 63) & ~63ul);

    memset(c, 0, sizeof(X86Cpu));
    memset(c->features, 0xff, sizeof(c->features));
    c->cpu.arch = target_arch;
    c->cpu.accel = g_malloc0(32 * MIB);         /* accel/tcg's; fetching looks into it */
    c->cpu.singlestep = true;                   /* look-ups find nothing: blocks come back */
    c->cpl = 3;
    c->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_MP;
    c->efer = EFER_LMA | EFER_LME;
    c->segs[S_CS].flags = SEG_P | SEG_S | SEG_CODE | SEG_L | SEG_DPL;
    memset(&c->cpu.tlb.table, 0xff, sizeof(c->cpu.tlb.table));
    for (uint64_t at = CODE; at <= DATA; at += 4096) {
        c->cpu.tlb.table[MMU_USER][at >> 12 & (TLB_SIZE - 1)] =
            (TlbEntry){.read = at, .write = at, .code = at};
    }
    return c;
}

static void open_fixture(Fixture *f, const CodeEngine *engine)
{
    GError *error = NULL;

    *f = (Fixture){.c = make_cpu(), .engine = engine};
    g_assert_true(code_buffer_init(&f->buffer, 4 * MIB, &error));
    g_assert_true(engine->init(&f->buffer, target_arch, &error));
    f->builder = ir_builder_new(target_arch->vars, target_arch->num_vars);
    f->block = g_new0(CodeBlock, 1);
}

static void close_fixture(Fixture *f)
{
    ir_builder_free(f->builder);
    code_buffer_fini(&f->buffer);
    g_free(f->block);
    g_free(f->c->cpu.accel);
    free(f->c);
}

static void translate(Fixture *f, const uint8_t *code, size_t size, unsigned insns)
{
    BlockKey key = {.pc = CODE,
                    .mode = MODE_CS64 | MODE_LMA | MODE_PE | 3 | MODE_OSFXSR,
                    .flags = KEY_UNCHAINED};

    memcpy((void *)CODE, code, size);
    *f->block = (CodeBlock){.key = key};
    IrFunc *func = ir_begin(f->builder);
    x86_translate(&f->c->cpu, f->builder, &key, insns);
    g_assert_true(f->engine->generate(&f->buffer, func, f->block, true));
}

static void test_guess(const void *engine)
{
    static const uint8_t code[] = {0xd9, 0xe8, 0xde, 0xc1, 0xdf, 0xe0};
    Fixture f;

    open_fixture(&f, engine);
    set_stack(f.c, 2);
    translate(&f, code, sizeof(code), 3);
    check(&f);
    close_fixture(&f);
}

/* ---- sequences ---- */

/* Accesses to DATA take the slow path, or do not. */
static void slow_data(X86Cpu *c, bool slow)
{
    const uint64_t flags = slow ? TLB_WATCH : 0;

    c->cpu.tlb.table[MMU_USER][DATA >> 12 & (TLB_SIZE - 1)] =
        (TlbEntry){.read = DATA | flags, .write = DATA | flags, .code = DATA};
}

static uint64_t random_bits(void)
{
    return (uint64_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
}

/* Mostly ordinary numbers near 1, some of every other kind. */
static X87Reg random_reg(void)
{
    static const X87Reg odd[] = {
        {.mant = 0, .sign_exp = 0},
        {.mant = 0, .sign_exp = 0x8000},
        {.mant = 1ull << 63, .sign_exp = 0x7fff},
        {.mant = 3ull << 62, .sign_exp = 0x7fff},
        {.mant = 1ull << 63 | 5, .sign_exp = 0xffff},
        {.mant = 77, .sign_exp = 0},
        {.mant = 1ull << 63, .sign_exp = 1},
        {.mant = ~0ull, .sign_exp = 0x7ffe},
    };

    if (g_test_rand_int_range(0, 5) == 0) {
        return odd[g_test_rand_int_range(0, G_N_ELEMENTS(odd))];
    }
    return (X87Reg){
        .mant = random_bits() | 1ull << 63,
        .sign_exp = (uint16_t)(0x3fff + g_test_rand_int_range(-3, 40) + (random_bits() & 0x8000))};
}

/* One instruction: rsi is DATA. */
static unsigned random_insn(uint8_t *p)
{
    static const uint8_t bases[][2] = {
        {0xd8, 0xc0}, {0xd8, 0xc8}, {0xd8, 0xe0}, {0xd8, 0xe8}, {0xd8, 0xf0}, {0xd8, 0xf8},
        {0xdc, 0xc0}, {0xdc, 0xc8}, {0xdc, 0xe0}, {0xdc, 0xe8}, {0xdc, 0xf0}, {0xdc, 0xf8},
        {0xde, 0xc0}, {0xde, 0xe8}, {0xde, 0xf8}, {0xd9, 0xc0}, {0xd9, 0xc8}, {0xd9, 0xc8},
        {0xdd, 0xd0}, {0xdd, 0xd8}, {0xdd, 0xe0}, {0xd8, 0xd0}, {0xdb, 0xe8}, {0xdb, 0xf0},
        {0xda, 0xc0}, {0xdb, 0xc8}, {0xda, 0xd8},
    };
    static const uint8_t single[][2] = {
        {0xd9, 0xe0}, {0xd9, 0xe1}, {0xd9, 0xe8}, {0xd9, 0xeb}, {0xd9, 0xee},
        {0xd9, 0xfa}, {0xd9, 0xfc}, {0xdf, 0xe0}, {0xde, 0xd9}, {0xda, 0xe9},
        {0xd9, 0xd0}, {0xdb, 0xe2}, {0xd9, 0xe5},
    };
    static const uint8_t memory[][2] = {
        /* opcode, /r: of 16-byte cells */
        {0xd9, 0}, {0xdd, 0}, {0xdb, 5}, {0xdf, 5}, {0xdb, 0}, {0xdf, 0}, {0xd9, 2}, {0xd9, 3},
        {0xdd, 2}, {0xdd, 3}, {0xdb, 7}, {0xdf, 7}, {0xdb, 3}, {0xdf, 2}, {0xdd, 1}, {0xdb, 1},
        {0xd8, 0}, {0xdc, 4}, {0xda, 1}, {0xde, 5}, {0xd8, 2}, {0xdc, 3}, {0xda, 2}, {0xdc, 7},
    };
    const uint8_t *r;

    switch (g_test_rand_int_range(0, 4)) {
    case 0:
        r = single[g_test_rand_int_range(0, G_N_ELEMENTS(single))];
        memcpy(p, r, 2);
        return 2;
    case 1:
        r = memory[g_test_rand_int_range(0, G_N_ELEMENTS(memory))];
        p[0] = r[0];
        p[1] = (uint8_t)(0x46 | r[1] << 3);
        p[2] = (uint8_t)(16 * g_test_rand_int_range(0, 8));
        return 3;
    default:
        r = bases[g_test_rand_int_range(0, G_N_ELEMENTS(bases))];
        p[0] = r[0];
        p[1] = (uint8_t)(r[1] + g_test_rand_int_range(0, 8));
        return 2;
    }
}

static void random_state(X86Cpu *c)
{
    c->fp_top = (uint32_t)g_test_rand_int_range(0, 8);
    c->fp_sw = (uint32_t)g_test_rand_int_range(0, 64) | (g_test_rand_int_range(0, 2) ? 0x200u : 0);
    c->fp_cw = 0x37f;
    for (unsigned n = 0; n < 8; n++) {
        c->fp_tag[(c->fp_top + n) & 7] = n > 4;
        c->fpr[n] = random_reg();
    }
    c->regs[R_SI] = DATA;
    c->regs[R_AX] = random_bits();
    c->cc_op = CC_EFLAGS;
    c->cc_dst = random_bits() & 0x8d5;
    for (unsigned n = 0; n < 8; n++) {
        X87Reg r = random_reg();
        memcpy((uint8_t *)DATA + 16 * n, &r, 10);
    }
}

static void assert_same(const X86Cpu *a, const X86Cpu *b)
{
    g_assert_cmphex(x87_status(a), ==, x87_status(b));
    g_assert_cmpmem(a->fp_tag, 8, b->fp_tag, 8);
    for (unsigned n = 0; n < 8; n++) {
        assert_reg(a, n, &b->fpr[n]);
    }
    g_assert_cmphex(a->regs[R_AX], ==, b->regs[R_AX]);
    g_assert_cmphex(x86_cc_all(a->cc_dst, a->cc_src, a->cc_src2, a->cc_op), ==,
                    x86_cc_all(b->cc_dst, b->cc_src, b->cc_src2, b->cc_op));
}

static void test_sequences(void)
{
    enum { ROUNDS = 4000, DATA_SIZE = 128 };
    Fixture f[2];
    CodeMark mark[2];

    open_fixture(&f[0], &engine_interp);
    open_fixture(&f[1], engine_native());
    for (unsigned e = 0; e < 2; e++) {
        mark[e] = code_buffer_mark(&f[e].buffer);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned insns = (unsigned)g_test_rand_int_range(1, 16), size = 0;
        uint8_t code[64], data[3][DATA_SIZE];

        for (unsigned n = 0; n < insns; n++) {
            size += random_insn(code + size);
        }
        random_state(f[0].c);
        memcpy(data[0], (void *)DATA, DATA_SIZE);
        memcpy(f[1].c->regs, f[0].c->regs, sizeof(f[0].c->regs));
        memcpy(f[1].c->fpr, f[0].c->fpr, sizeof(f[0].c->fpr));
        memcpy(f[1].c->fp_tag, f[0].c->fp_tag, sizeof(f[0].c->fp_tag));
        f[1].c->fp_top = f[0].c->fp_top;
        f[1].c->fp_sw = f[0].c->fp_sw;
        f[1].c->fp_cw = f[0].c->fp_cw;
        f[1].c->cc_op = f[0].c->cc_op;
        f[1].c->cc_dst = f[0].c->cc_dst;
        for (unsigned e = 0; e < 2; e++) {
            memcpy((void *)DATA, data[0], DATA_SIZE);
            translate(&f[e], code, size, insns);
            slow_data(f[e].c, e == 1 && round % 2);
            run(&f[e], as_it_was);
            memcpy(data[1 + e], (void *)DATA, DATA_SIZE);
            code_buffer_release(&f[e].buffer, mark[e]);
        }
        if (g_test_verbose()) {
            for (unsigned n = 0; n < size; n++) {
                printf("%02x%s", code[n], n + 1 < size ? " " : "\n");
            }
        }
        assert_same(f[0].c, f[1].c);
        g_assert_cmpmem(data[1], DATA_SIZE, data[2], DATA_SIZE);
    }
    close_fixture(&f[0]);
    close_fixture(&f[1]);
}

/* Fetching code needs the accelerator. */
static void start(void)
{
    char *list[] = {(char *)"tcg,interp=on,tb-size=4", NULL};
    GError *error = NULL;

    main_loop_init();
    Vm *vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    start();
    g_assert_true(mmap((void *)CODE, 8192, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)CODE);
    g_test_add_data_func("/x87-guess/interp", &engine_interp, test_guess);
    if (engine_native()) {
        g_test_add_data_func("/x87-guess/native", engine_native(), test_guess);
        g_test_add_func("/x87-guess/sequences", test_sequences);
    }
    return g_test_run();
}
