// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulator's side of test-insn: a processor whose TLB knows the few pages of the test, and the
 * engines that run its code.
 */
#include <sys/mman.h>
#include "util/main-loop.h"
#include "tests/unit/target-i386/insn.h"

/* Per process: the tests run on one processor. */
X86Cpu *the_cpu;
static Region tables; /* all zero: nothing is mapped but what is in the TLB */
static IrBuilder *builder;
static CodeBuffer buffers[2];

static void set_segments(X86Cpu *c, const NativeState *st, bool compat)
{
    const uint32_t data = SEG_P | SEG_S | SEG_DPL | SEG_W | SEG_A | SEG_G | SEG_B;

    for (unsigned n = 0; n < 6; n++) {
        bool flat = n == S_SS || ((n == S_DS || n == S_ES) && st->data_seg);
        x86_set_seg(c, n, flat ? USER_DS : 0, 0, flat ? UINT32_MAX : 0, flat ? data : 0);
    }
    x86_set_seg(c, S_CS, compat ? USER_CS32 : USER_CS64, 0, UINT32_MAX,
                SEG_P | SEG_S | SEG_DPL | SEG_CODE | SEG_R | SEG_A | SEG_G |
                    (compat ? SEG_B : SEG_L));
    x86_set_cpl(c, 3);
    c->segs[S_FS].base = st->fs_base;
    c->segs[S_GS].base = 0;
}

void state_to_cpu(X86Cpu *c, const NativeState *st, bool compat)
{
    set_segments(c, st, compat);
    c->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX | (st->wide ? XCR0_AVX512 : 0);
    for (unsigned n = 0; st->wide && n < 32; n++) {
        if (n < 16) {
            memcpy(c->zmm_hi[n], st->zmm[n] + 32, 32);
        } else {
            memcpy(c->zmm_more[n - 16], st->zmm[n], 64);
        }
    }
    memcpy(c->opmask, st->opmask, sizeof(c->opmask));
    c->rip = st->entry;
    memcpy(c->regs, st->regs, sizeof(c->regs));
    for (unsigned n = 0; n < 16; n++) {
        memcpy(&c->xmm[n], st->ymm[n], 16);
        memcpy(&c->ymm_hi[n], st->ymm[n] + 16, 16);
    }
    c->cc_op = CC_EFLAGS;
    c->cc_src = st->rflags & FLAGS_CC;
    c->df = st->rflags & FLAG_DF ? -1 : 1;
    c->eflags = 2 | FLAG_IF;
    c->mxcsr = st->mxcsr;
    c->fp_cw = st->fx.fcw;
    x87_set_status(c, st->fx.fsw);
    for (unsigned k = 0; k < 8; k++) {
        c->fp_tag[k] = !(st->fx.ftw >> k & 1);
        memcpy(&c->fpr[(c->fp_top + k) & 7].mant, st->fx.st[k], 8);
        memcpy(&c->fpr[(c->fp_top + k) & 7].sign_exp, st->fx.st[k] + 8, 2);
    }
}

void state_from_cpu(X86Cpu *c, NativeState *st)
{
    memcpy(st->regs, c->regs, sizeof(c->regs));
    for (unsigned n = 0; n < 16; n++) {
        memcpy(st->ymm[n], &c->xmm[n], 16);
        memcpy(st->ymm[n] + 16, &c->ymm_hi[n], 16);
    }
    for (unsigned n = 0; st->wide && n < 32; n++) {
        if (n < 16) {
            memcpy(st->zmm[n], st->ymm[n], 32);
            memcpy(st->zmm[n] + 32, c->zmm_hi[n], 32);
        } else {
            memcpy(st->zmm[n], c->zmm_more[n - 16], 64);
        }
    }
    memcpy(st->opmask, c->opmask, sizeof(c->opmask));
    st->rflags = x86_cc_all(c->cc_dst, c->cc_src, c->cc_src2, c->cc_op);
    st->rflags |= c->df < 0 ? FLAG_DF : 0;
    st->mxcsr = c->mxcsr;
    for (unsigned n = 0; n < 4; n++) {
        st->seg[n] = (uint16_t)c->segs[n].selector;
    }
    st->fs = (uint16_t)c->segs[S_FS].selector;
    st->gs = (uint16_t)c->segs[S_GS].selector;
    st->fs_base = c->segs[S_FS].base;
    st->gs_base = c->segs[S_GS].base;
    st->fx.fcw = (uint16_t)c->fp_cw;
    st->fx.fsw = (uint16_t)x87_status(c);
    st->fx.ftw = 0;
    for (unsigned k = 0; k < 8; k++) {
        st->fx.ftw |= (uint8_t)(!c->fp_tag[k] << k);
        memcpy(st->fx.st[k], &c->fpr[(c->fp_top + k) & 7].mant, 8);
        memcpy(st->fx.st[k] + 8, &c->fpr[(c->fp_top + k) & 7].sign_exp, 2);
    }
}

/* One block at c->rip. */
static void run_block(unsigned n, bool print)
{
    const CodeEngine *engine = test_engine(n);
    const bool opt = n > 0;
    X86Cpu *c = the_cpu;
    CodeBuffer *buffer = &buffers[engine != &engine_interp];
    CodeMark mark = code_buffer_mark(buffer);
    CodeBlock *cb = aligned_alloc(64, sizeof(CodeBlock));
    CodeBlock *last;
    BlockKey key = {0};
    GError *error = NULL;

    memset(cb, 0, sizeof(*cb));
    c->cpu.arch->block_key(&c->cpu, &key);
    cb->key = key;
    const bool direct = n == TEST_FIRST_TIER && engine->generate_direct && !print &&
                        engine->generate_direct(buffer, &c->cpu, &key, cb, 64, NULL) == FIRST_DONE;
    cb->code = direct ? cb->code : (GeneratedCode){0};
    IrFunc *f = ir_begin(builder);
    /* the optimising interpreter has v256 as well, the other one halves */
    ir_set_v256(builder, opt && (!engine->has_v256 || engine->has_v256()));
    x86_translate(&c->cpu, builder, &key, 64);
    if (!ir_verify(f, &error)) {
        printf("# verifier: %s\n", error->message);
        g_clear_error(&error);
    }
    if (print) {
        g_autoptr(GString) text = g_string_new(NULL);
        ir_print(f, text);
        printf("%s", text->str);
    }
    if (!direct && (n != TEST_FIRST_TIER || !engine->generate_first ||
                    engine->generate_first(buffer, f, cb, NULL) != FIRST_DONE)) {
        g_assert_true(engine->generate(buffer, f, cb, opt));
    }
    if (sigsetjmp(c->cpu.jump, 0) == 0) {
        x86_exec_enter(&c->cpu);
        unsigned reason = engine->run(&c->cpu, cb, &last);
        if (reason >= IR_EXIT_CHAIN0) {
            x86_restore(&c->cpu, &cb->key, chain_pc(cb, reason - IR_EXIT_CHAIN0), 0);
        }
    }
    x86_exec_leave(&c->cpu);
    /* The interpreter remembers where it was until it runs again; the block goes away now. */
    c->cpu.running = NULL;
    code_buffer_release(buffer, mark);
    free(cb);
}

int emulate(uint64_t end, unsigned engine, bool print)
{
    X86Cpu *c = the_cpu;

    c->cpu.exception = CPU_EXC_NONE;
    c->old_exception = -1;
    for (unsigned n = 0; n < 64 && c->rip != end && c->cpu.exception == CPU_EXC_NONE; n++) {
        run_block(engine, print);
        if (c->cpu.exception == CPU_EXC_YIELD) {
            c->cpu.exception = CPU_EXC_NONE;
        }
    }
    return c->cpu.exception;
}

const CodeEngine *test_engine(unsigned n)
{
    return n < 2 ? &engine_interp : engine_native();
}

void map_identity(uint64_t va, uint64_t size)
{
    mmap((void *)va, size, PROT_READ | PROT_WRITE | PROT_EXEC,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (uint64_t at = va; at < va + size; at += 4096) {
        for (unsigned mmu = 0; mmu < MMU_INDEX_COUNT; mmu++) {
            the_cpu->cpu.tlb.table[mmu][at >> 12 & (TLB_SIZE - 1)] =
                (TlbEntry){.read = at, .write = at, .code = at};
        }
    }
}

/*
 * Descriptors of user code and data as LAR and LSL show the host's; what they do not show is not
 * there, which is the same to a program.
 */
static void make_gdt(void)
{
    uint64_t *gdt = (uint64_t *)GDT;

    for (unsigned n = 1; n < 32; n++) {
        uint64_t rights = 0, limit = 0;
        uint8_t good;

        __asm__("lar %2, %0; setz %1" : "+r"(rights), "=q"(good) : "r"((uint64_t)(n * 8 + 3)));
        if (good) {
            __asm__("lsl %1, %0" : "+r"(limit) : "r"((uint64_t)(n * 8 + 3)));
            limit = rights & SEG_G ? limit >> 12 : limit;
            gdt[n] = (rights & 0xf0ff00) << 32 | (limit & 0xffff) | (limit & 0xf0000) << 32;
        }
    }
    the_cpu->gdt = (X86TableReg){.base = GDT, .limit = 0x7f};
}

static void make_cpu(void)
{
    the_cpu = aligned_alloc(64, (sizeof(X86Cpu) + 63) & ~63ul);
    memset(the_cpu, 0, sizeof(X86Cpu));
    memset(the_cpu->features, 0xff, sizeof(the_cpu->features));
    the_cpu->cpu.arch = target_arch;
    the_cpu->cpu.accel = g_malloc0(32 * MIB); /* accel/tcg's; fetching looks into it */
    the_cpu->cpu.in_exclusive = true; /* unaligned atomics need no others stopped */
    the_cpu->cpu.singlestep = true; /* no block is looked up */
    the_cpu->cpu.block_cache = g_new0(struct BlockCache, 1);
    the_cpu->cpl = 3;
    the_cpu->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_MP;
    the_cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXSAVE | CR4_OSXMMEXCPT | CR4_FSGSBASE;
    the_cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
    the_cpu->efer = EFER_LMA | EFER_LME | EFER_NXE;
    memset(the_cpu->cpu.tlb.table, 0xff, sizeof(the_cpu->cpu.tlb.table)); /* page 0 is none */
    memset(the_cpu->cpu.tlb.victim, 0xff, sizeof(the_cpu->cpu.tlb.victim));
    map_identity(DATA, DATA_SIZE);
    map_identity(CODE, 4096);
    map_identity(GDT, 4096);
    make_gdt();
}

static void make_engines(void)
{
    const CodeEngine *const engines[2] = {&engine_interp, engine_native()};
    char *list[] = {(char *)"tcg,interp=on,tb-size=4", NULL};
    GError *error = NULL;

    main_loop_init();
    Vm *vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(accel_start(vm, list, &error));
    g_assert_true(region_init_ram(&tables, NULL, "ram", 4096, &error));
    region_add(vm->memory, 0, &tables, 0);
    the_cpu->cpu.as = vm->memory_as;
    the_cpu->cpu.dev.vm = vm;
    for (unsigned e = 0; e < 2; e++) {
        if (engines[e] && (!code_buffer_init(&buffers[e], 4 * MIB, &error) ||
                           !engines[e]->init(&buffers[e], target_arch, &error))) {
            printf("Bail out! %s\n", error->message);
            exit(1);
        }
    }
    builder = ir_builder_new(target_arch->vars, target_arch->num_vars);
}

void emulator_init(void)
{
    make_cpu();
    make_engines();
}
