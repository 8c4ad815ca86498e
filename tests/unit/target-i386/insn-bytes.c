// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random bytes as instructions, executed by a single step on the host and in the emulator with each
 * engine: the same exception with the same error code and address, or the same place behind the
 * instruction with the same registers, flags and memory. That is what shows undefined encodings,
 * prefixes in any order and number, lengths above 15 bytes and instructions that end beyond the
 * page, be they ones that the tables know or not. What would leave the process, or whose result is
 * the processor's own business, is not executed.
 */
#include "tests/unit/target-i386/insn.h"

enum {
    LEN = 24,
    FAR_AWAY = 0x100000, /* from DATA: nothing is mapped there */
    PAGE_END = CODE + 4096,
};

typedef struct Bytes {
    uint8_t b[LEN];
    uint64_t at; /* where the instruction lies */
    unsigned there; /* bytes before the page ends */
    bool compat;
    X86Insn insn;
    X86Decoded decoded;
    NativeState input;
    uint8_t before[DATA_SIZE], after[DATA_SIZE];
} Bytes;

static uint8_t random_prefix(void)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x66,
                                       0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x41, 0x44, 0x4f};
    return prefixes[rnd() % sizeof(prefixes)];
}

/* Any bytes, but with the maps and prefixes more often than chance has them. */
static void random_bytes(Bytes *t)
{
    static const uint8_t starts[] = {0x0f, 0x0f, 0x0f, 0xc4, 0xc5, 0x62, 0xd9, 0xdb, 0xdd, 0xdf};
    unsigned n = 0, prefixes = rnd() % 4 ? (unsigned)(rnd() % 3) : (unsigned)(rnd() % 16);

    for (unsigned k = 0; k < LEN; k++) {
        t->b[k] = (uint8_t)rnd();
    }
    while (n < prefixes) {
        t->b[n++] = random_prefix();
    }
    if (rnd() % 2) {
        uint8_t start = starts[rnd() % sizeof(starts)];

        t->b[n++] = start;
        if (start == 0x0f && rnd() % 2) {
            t->b[n++] = rnd() & 1 ? 0x38 : 0x3a;
        } else if (start == 0xc4 && rnd() % 4) {
            t->b[n++] = (uint8_t)((rnd() & 0xe0) | (1 + rnd() % 3));
        } else if (start == 0x62 && rnd() % 4) {
            t->b[n++] = (uint8_t)((rnd() & 0xf0) | (1 + rnd() % 3));
            t->b[n] |= 4;
        }
    }
    t->compat = rnd() % 3 == 0;
    t->there = rnd() % 4 ? LEN : 1 + rnd() % 15;
    t->at = t->there < LEN ? PAGE_END - t->there : CODE + 0x100;
}

static void random_input(Bytes *t)
{
    NativeState *st = &t->input;

    memset(st, 0, sizeof(*st));
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        uint64_t v = rnd_value();
        memcpy(t->before + n, &v, 8);
    }
    for (unsigned n = 0; n < 16; n++) {
        uint64_t k = rnd() % 8;
        st->regs[n] = k < 4   ? MIDDLE + (rnd() % 256) - 128
                      : k < 7 ? rnd() % 64
                              : rnd_value() & (t->compat ? UINT32_MAX : UINT64_MAX);
        for (unsigned q = 0; q < 32; q += 8) {
            uint64_t v = rnd_value();
            memcpy(&st->ymm[n][q], &v, 8);
        }
    }
    st->wide = host_wide();
    for (unsigned n = 0; n < 16; n++) {
        memcpy(st->zmm[n], st->ymm[n], 32);
    }
    for (unsigned n = 0; n < 8; n++) {
        st->opmask[n] = rnd();
    }
    st->regs[R_SP] = DATA + 0x800 + rnd() % 8;
    st->fx.fcw = 0x37f;
    st->fx.ftw = 0xff;
    st->mxcsr = st->fx.mxcsr = MXCSR_DEFAULT;
    st->rflags = 0x302 | (rnd() & FLAGS_CC);
    st->entry = t->at;
    st->fs_base = host_fs_base();
    st->step = 1;
    st->step_cs = t->compat ? USER_CS32 : USER_CS64;
    st->step_ss = USER_DS;
    st->data_seg = t->compat ? USER_DS : 0;
}

/*
 * Opcodes that would change what the process stands on, or enter the kernel: segment registers, far
 * transfers, interrupts, POPF (AC and NT stay), bases. By the bytes, whatever our decoder thinks.
 */
static bool dangerous(const Bytes *t)
{
    unsigned n = 0;
    uint8_t op;

    for (unsigned k = 0; k + 1 < LEN; k++) {
        uint8_t next = t->b[k + 1];
        if ((t->b[k] == 0x0f && (next == 0x05 || next == 0x34 || next == 0x01 || next == 0x0b)) ||
            t->b[k] == 0xcd) {
            return true;
        }
    }
    while (n < 15 && (strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", t->b[n]) ||
                      (!t->compat && t->b[n] >> 4 == 4))) {
        n++;
    }
    op = t->b[n];
    if (op == 0x0f) {
        op = t->b[n + 1];
        return op == 0xa1 || op == 0xa9 || op == 0xb2 || op == 0xb4 || op == 0xb5 || op == 0xae ||
               op == 0xc7;
    }
    return op == 0x8e || op == 0x9a || op == 0xea || op == 0x9d || (op >= 0xca && op <= 0xcf) ||
           op == 0xf1 || (op == 0xff && (t->b[n + 1] >> 3 & 7) % 2 && (t->b[n + 1] >> 3 & 7) > 1) ||
           (t->compat && (op == 0x07 || op == 0x17 || op == 0x1f || op == 0xc4 || op == 0xc5));
}

/* Results that differ from processor to processor, or from one run to the next. */
static bool own_business(const Bytes *t)
{
    static X86TransFn *const rows[] = {
        trans_CPUID,   trans_RDTSC, trans_RDPMC, trans_RDRAND, trans_XGETBV,  trans_FXSAVE,
        trans_FXRSTOR, trans_XSAVE, trans_LAR,   trans_LSL,    trans_VERR,    trans_VERW,
        trans_SLDT,    trans_STR,   trans_INT3,  trans_LxS,    trans_INVLPGA,
    };
    const X86Insn *i = &t->insn;
    bool near = i->op[0].kind == X86_REL || i->row->trans == trans_RET ||
                i->row->trans == trans_CALL_ind || i->row->trans == trans_JMP_ind;

    for (unsigned k = 0; k < G_N_ELEMENTS(rows); k++) {
        if (i->row->trans == rows[k]) {
            return true;
        }
    }
    return !row_usable(i->row) || special_image(i->row) ||
           (near && i->opsize_prefix) || /* AMD: IP of 16 bits; Intel: not in 64-bit mode */
           i->row->trans == trans_ARPL || /* AMD: writable only when written */
           /* undefined for counts above 16; UD0 has no operands on AMD's */
           (i->row->flags & X86_ROW_SHD && i->op[0].size == 1) ||
           (i->map == X86_MAP_0F && i->opcode == 0xff) ||
           (i->row->trans == trans_LOOP && i->rep) || /* AMD: another condition */
           (!strncmp(i->row->name, "SHA", 3) && x86_has_mem(i)) || /* AMD: may be misaligned */
           (i->map == X86_MAP_0F && i->opcode == 0x0d); /* AMD: PREFETCH has memory operands */
}

/* Where the operand is: in the test's data, or where neither side has anything. */
static bool safe_operand(const Bytes *t)
{
    const X86Insn *i = &t->insn;
    uint64_t va = (uint64_t)i->disp;
    bool fs = i->seg == S_FS || i->seg == S_GS;

    if (!x86_has_mem(i)) {
        return true;
    }
    if (i->row->flags & X86_ROW_VSIB || fs || !strncmp(i->row->name, "BT", 2)) {
        return false;
    }
    va += i->base == 16 ? t->at + i->len : i->base >= 0 ? t->input.regs[i->base] : 0;
    va += i->index >= 0 ? t->input.regs[i->index] << i->scale : 0;
    va = i->addrsize == 1 ? (uint16_t)va : i->addrsize == 2 ? (uint32_t)va : va;
    return va < 0x8000 || (va >= DATA - 64 && va < DATA + FAR_AWAY - 0x1000) ||
           (va >> 47 && va >> 47 != 0x1ffff);
}

/* Strings use no ModRM: their registers are looked at. */
static bool safe_string(const Bytes *t)
{
    const X86Insn *i = &t->insn;

    for (unsigned k = 0; k < 4; k++) {
        if (i->op[k].kind == X86_STR) {
            uint64_t va = t->input.regs[i->op[k].reg];
            va = i->addrsize == 1 ? (uint16_t)va : i->addrsize == 2 ? (uint32_t)va : va;
            if (i->seg == S_FS || i->seg == S_GS ||
                !(va < 0x8000 || (va >= DATA && va < DATA + DATA_SIZE))) {
                return false;
            }
        }
    }
    return true;
}

/* Absolute addresses in the instruction, RDI of MASKMOV, XLAT's, frames. */
static bool other_memory(const Bytes *t)
{
    const X86Insn *i = &t->insn;

    return has_op(i->row, X86_OP_O) || !strncmp(i->row->name, "MASKMOV", 7) ||
           i->row->trans == trans_XLAT || i->row->trans == trans_ENTER ||
           i->row->trans == trans_LEAVE;
}

static bool usable(Bytes *t)
{
    X86DecodeMode mode = {.code64 = !t->compat, .code32 = true};

    t->decoded = x86_decode(&t->insn, t->b, LEN, mode);
    if (dangerous(t)) {
        return false;
    }
    if (t->decoded != X86_OK) {
        return true;
    }
    return !own_business(t) && !other_memory(t) && safe_operand(t) && safe_string(t);
}

static bool differs(const char *what, unsigned n, const void *ours, const void *host, unsigned size)
{
    uint64_t a = 0, b = 0;

    if (!memcmp(ours, host, size)) {
        return false;
    }
    memcpy(&a, ours, MIN(size, 8));
    memcpy(&b, host, MIN(size, 8));
    printf("# %s%u is %" PRIx64 ", on the host %" PRIx64 "\n", what, n, a, b);
    return true;
}

/* The host's state is at_fault: after its step, or at a fault. */
static bool same(const Bytes *t, const NativeState *emu, bool ran, unsigned engine)
{
    uint32_t undefined = t->decoded == X86_OK ? t->insn.row->undefined : 0;
    uint32_t known = (FLAGS_CC | FLAG_DF) & ~undefined;
    uint32_t ours = (uint32_t)emu->rflags & known, theirs = (uint32_t)at_fault.rflags & known;
    uint64_t rip = the_cpu->rip;
    bool bad = false;

    if (ran || engine == 0) {
        bad |= differs("rip", 0, &rip, &at_fault.entry, 8);
        bad |= differs("flags", 0, &ours, &theirs, 4);
    }
    for (unsigned n = 0; n < 16; n++) {
        bad |= differs("reg ", n, &emu->regs[n], &at_fault.regs[n], t->compat ? n < 8 ? 4 : 0 : 8);
        bad |= differs("xmm", n, emu->ymm[n], at_fault.ymm[n], 16);
    }
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        bad |= differs("memory ", n, (uint8_t *)DATA + n, t->after + n, 8);
    }
    if (!ran && fault_vector == EXC_PF) {
        bad |= differs("cr2", 0, &the_cpu->cr2, &fault_cr2, 8);
    }
    if (!ran && (fault_vector == EXC_PF || fault_vector == EXC_GP)) {
        uint32_t known_bits = fault_vector == EXC_PF ? ~2u : ~0u; /* as in same_fault */
        uint32_t a = the_cpu->error_code & known_bits, b = fault_error & known_bits;
        bad |= differs("error code", 0, &a, &b, 4);
    }
    return !bad;
}

static void print_bytes(const Bytes *t)
{
    X86DecodeMode mode = {.code64 = !t->compat, .code32 = true};
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned k = 0; k < 16; k++) {
        g_string_append_printf(text, "%s%02x", k == t->there ? " | " : " ", t->b[k]);
    }
    if (t->decoded == X86_OK) {
        g_string_append_printf(text, "  length %u  ", t->insn.len);
        x86_print_insn(&t->insn, t->at, mode, text);
    } else {
        g_string_append(text, t->decoded == X86_UD ? "  undefined" : "  too long");
    }
    printf("# %s%s\n", t->compat ? "32-bit:" : "", text->str);
}

/* An instruction that is not there, is too long, or ends beyond the page. */
static bool no_instruction(const Bytes *t, int vector, uint64_t cr2)
{
    return vector == EXC_UD || (vector == EXC_PF && cr2 == PAGE_END) ||
           (vector == EXC_GP && t->decoded != X86_OK && t->decoded != X86_UD);
}

static bool run_engine(const Bytes *t, unsigned e, bool ran)
{
    NativeState emu = t->input;
    /* whose stack a non-canonical address is takes page tables to know, which there are none of */
    int expect = ran ? EXC_DB : fault_vector == EXC_SS ? EXC_GP : (int)fault_vector;
    bool good;

    memcpy((void *)DATA, t->before, DATA_SIZE);
    the_cpu->efer = EFER_LMA | EFER_LME | EFER_NXE;
    state_to_cpu(the_cpu, &emu, t->compat);
    the_cpu->eflags |= FLAG_TF;
    int got = emulate(0, e, false);
    the_cpu->eflags &= ~(uint32_t)FLAG_TF;
    state_from_cpu(the_cpu, &emu);
    good = got == expect;
    /* How long an instruction is that one of them does not know is its own business. */
    if (!good && !ran && (got == EXC_UD || expect == EXC_UD) &&
        no_instruction(t, got, the_cpu->cr2) && no_instruction(t, expect, fault_cr2)) {
        return true;
    }
    if (!good) {
        printf("# exception %d (rip %" PRIx64 ", cr2 %" PRIx64 "), on the host %d (rip %" PRIx64
               ", cr2 %" PRIx64 ")\n",
               got, the_cpu->rip, the_cpu->cr2, expect, at_fault.entry, fault_cr2);
    } else {
        good = same(t, &emu, ran, e);
    }
    if (!good) {
        printf("# bytes, engine %s%s\n", test_engine(e)->name,
               e == TEST_FIRST_TIER ? ", first tier"
               : e                  ? ", optimised"
                                    : "");
        print_bytes(t);
    }
    return good;
}

/*
 * The host may lack instructions that there are here. How long an undefined one is, which matters
 * where it is too long or reaches beyond the page, is not documented.
 */
static bool host_lacks_it(const Bytes *t)
{
    return t->decoded == X86_OK && t->insn.row->feature >= 0 && fault_vector == EXC_UD;
}

static bool length_unknown(const Bytes *t)
{
    bool near16 = memchr(t->b, 0x66, 15), ud1 = memmem(t->b, 15, "\x0f\xb9", 2) != NULL;
    bool xop = memchr(t->b, 0x8f, 15);

    return t->decoded == X86_TOO_LONG && (near16 || ud1 || xop); /* as AMD's have it: shorter */
}

/* MOVDIRI, MOVDIR64B, AVX-VNNI; VERR and VERW with LOCK, which AMD's take. */
static bool host_knows_it(const Bytes *t)
{
    static const char *const codes[] = {"\x0f\x38\xf8", "\x0f\x38\xf9"};
    const uint8_t *vex = memchr(t->b, 0xc4, 15), *group6 = memmem(t->b, LEN, "\x0f\x00", 2);

    for (unsigned k = 0; k < G_N_ELEMENTS(codes); k++) {
        if (memmem(t->b, LEN, codes[k], 3)) {
            return t->decoded == X86_UD;
        }
    }
    return t->decoded == X86_UD &&
           ((vex && (vex[3] & 0xfc) == 0x50) || (group6 && memchr(t->b, 0xf0, 15)));
}

/* Noticed where the branch leads, if it is an address that is not canonical. */
static bool branches_away(const Bytes *t)
{
    X86TransFn *f = t->decoded == X86_OK ? t->insn.row->trans : NULL;

    return fault_vector == EXC_GP && !t->compat &&
           (f == trans_RET || f == trans_CALL_ind || f == trans_JMP_ind);
}

static bool undefined_on_both(const Bytes *t)
{
    bool crosses = fault_vector == EXC_PF && fault_cr2 == PAGE_END;

    return t->decoded != X86_OK && (fault_vector == EXC_UD || fault_vector == EXC_GP || crosses);
}

static bool run_one(Bytes *t)
{
    bool good = true, ran;

    memset((void *)CODE, 0xcc, 0x200);
    memcpy((void *)t->at, t->b, MIN(t->there, LEN));
    *live_state() = t->input;
    memcpy((void *)DATA, t->before, DATA_SIZE);
    if (g_getenv("X86_BYTES_PRINT")) {
        print_bytes(t);
        fflush(stdout);
    }
    host_run();
    ran = fault_vector == EXC_DB;
    memcpy(t->after, (void *)DATA, DATA_SIZE);
    if (host_lacks_it(t) || host_knows_it(t) || length_unknown(t) || branches_away(t) ||
        (undefined_on_both(t) && (t->there < LEN || fault_vector == EXC_GP))) {
        return true;
    }
    for (unsigned e = 0; e < TEST_ENGINES && good; e++) {
        good = !test_engine(e) || run_engine(t, e, ran);
    }
    return good;
}

unsigned run_bytes(unsigned count, uint64_t first)
{
    g_autofree Bytes *t = g_new0(Bytes, 1);
    unsigned bad = 0, done = 0;

    for (unsigned k = 0; k < count && bad < 20; k++) {
        rnd_seed(first + k * 7919ull);
        random_bytes(t);
        random_input(t);
        if (usable(t)) {
            done++;
            bad += !run_one(t);
        }
    }
    printf("# %u instructions of random bytes\n", done);
    return bad;
}
