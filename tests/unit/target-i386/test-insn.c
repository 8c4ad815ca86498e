// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random instructions of the opcode tables, run on the host CPU and by the translator with every
 * engine: registers, flags, x87, MMX, vector state and memory must agree. Flags that a row calls
 * undefined are not compared. 64-bit mode at CPL 3, and 32-bit code for rows that it does not have:
 * that is what a host process can run; insn-table.c has the rest from the manuals. Needs an x86-64
 * host with AVX2. Operands lie across pages and before an unmapped one too: vector, error code, CR2
 * and the state at a fault must agree as well. A row without a test fails. Arguments: -help tells.
 */
#include <signal.h>
#include "tests/unit/target-i386/insn.h"

enum {
    BYTES_A_ROUND = 500,
    SEQUENCES_A_ROUND = 200
};

static uint64_t seed;

uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull;
}

void rnd_seed(uint64_t v)
{
    seed = v;
    rnd();
}

uint64_t rnd_value(void)
{
    static const uint64_t edge[] = {0,
                                    1,
                                    2,
                                    0x7f,
                                    0x80,
                                    0xff,
                                    0x7fff,
                                    0x8000,
                                    0xffff,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    ~0ull,
                                    ~1ull};
    uint64_t r = rnd();

    return r & 0x300 ? rnd() >> (r & 0x400 ? 0 : r >> 20 & 63) : edge[r & 15];
}

void put(Code *c, uint64_t v, unsigned bytes)
{
    for (unsigned k = 0; k < bytes; k++) {
        c->b[c->n++] = (uint8_t)(v >> (8 * k));
    }
}

/* Something in front that sets flags in one of the lazy ways. */
static bool put_flag_setter(Code *c, bool compat)
{
    static const uint8_t opcodes[] = {0x01, 0x29, 0x11, 0x19, 0x21, 0x39,
                                      0x31, 0xff, 0xfe, 0xd1, 0xf7};
    unsigned k = rnd() % 16;

    if (k >= sizeof(opcodes)) {
        return false;
    }
    static const uint8_t sources[] = {0, 1, 2, 6, 7, 0, 1, 2, 3, 6, 7, 4};
    unsigned reg = k < 7                ? sources[rnd() % (compat ? 5 : 12)]
                   : opcodes[k] == 0xd1 ? (rnd() & 1 ? 4 : 7)
                   : opcodes[k] == 0xf7 ? 3
                                        : rnd() & 1;
    put(c, 0x48, rnd() & 1 && opcodes[k] != 0xfe && !compat);
    put(c, opcodes[k], 1);
    put(c, 0xc0 | reg << 3 | (rnd() & 2), 1);
    return true;
}

/* SETcc [rbx - 16 + k] for the conditions that are defined. */
static void put_setcc(Code *c, uint32_t undefined)
{
    static const uint32_t uses[8] = {FLAG_O, FLAG_C, FLAG_Z,          FLAG_C | FLAG_Z,
                                     FLAG_S, FLAG_P, FLAG_S | FLAG_O, FLAG_S | FLAG_O | FLAG_Z};

    for (unsigned k = 0; k < 16; k++) {
        if (!(uses[k >> 1] & undefined)) {
            put(c, 0x43000f | (0x90u + k) << 8, 3);
            put(c, (uint64_t)(-16 + (int)k), 1);
        }
    }
}

/* ---- making states ---- */

static void random_x87(NativeState *st)
{
    unsigned top = rnd() % 8;

    st->fx.fcw = 0x37f;
    st->fx.fsw = (uint16_t)(top << 11);
    /* ST5..7 empty */
    st->fx.ftw = rnd() % 4 ? 0xff : (uint8_t)(0x1f << top | 0x1f >> (8 - top));
    if (rnd() & 1) {
        st->fx.ftw &= (uint8_t) ~(1u << ((top + 7) & 7));
    }
    for (unsigned k = 0; k < 8; k++) {
        uint64_t mant = rnd_value() | 1ull << 63;
        uint16_t exp = (uint16_t)(16383 + (int)(rnd() % 60) - 20) | (uint16_t)(rnd() & 0x8000);
        memcpy(st->fx.st[k], &mant, 8);
        memcpy(st->fx.st[k] + 8, &exp, 2);
    }
}

/* All of 32 registers and the masks. */
static void random_wide(NativeState *st)
{
    st->wide = 1;
    for (unsigned n = 0; n < 32; n++) {
        for (unsigned q = 0; q < 64; q += 4) {
            uint32_t v = (uint32_t)rnd_value();
            if (rnd() & 1) {
                v = (v & 0x807fffff) | (uint32_t)(100 + rnd() % 60) << 23;
            }
            memcpy(&st->zmm[n][q], &v, 4);
        }
        if (n < 16) {
            memcpy(st->zmm[n], st->ymm[n], 32);
        }
    }
    for (unsigned n = 0; n < 8; n++) {
        st->opmask[n] = rnd() & 3 ? rnd() : rnd() & 1 ? UINT64_MAX : rnd() & rnd() & rnd();
    }
}

static void random_state(Case *t, NativeState *st)
{
    memset(st, 0, sizeof(*st));
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        uint64_t v = rnd_value();
        memcpy(t->before + n, &v, 8);
    }
    for (unsigned n = 0; n < 16; n++) {
        st->regs[n] = rnd_value();
        for (unsigned q = 0; q < 32; q += 4) {
            uint32_t v = (uint32_t)rnd_value();
            if (rnd() & 1) { /* a float near 1 */
                v = (v & 0x807fffff) | (uint32_t)(100 + rnd() % 60) << 23;
            }
            memcpy(&st->ymm[n][q], &v, 4);
        }
        if (!strncmp(t->row->name, "BT", 2)) { /* bit numbers reach far */
            st->regs[n] = (uint64_t)(int64_t)(int16_t)(rnd() & 0x3fff) - 0x2000;
        }
    }
    if (rnd() & 1) {
        st->regs[R_CX] = rnd() & 63;
    }
    if (!strcmp(t->row->name, "DIV") || !strcmp(t->row->name, "IDIV")) { /* quotients that fit */
        st->regs[R_DX] = rnd() % 4 ? (rnd() & 1 ? 0 : (uint64_t)((int64_t)st->regs[R_AX] >> 63))
                                   : st->regs[R_DX];
        st->regs[R_AX] = rnd() & 1 ? (uint16_t)st->regs[R_AX] : st->regs[R_AX];
    }
    /* strings: equal runs too, overlapping, both directions */
    if (t->row->flags & X86_ROW_REP) {
        st->regs[R_SI] = MIDDLE + rnd() % 256;
        st->regs[R_DI] = rnd() & 1 ? st->regs[R_SI] + rnd() % 24 - 12 : MIDDLE - 64 + rnd() % 256;
        st->regs[R_CX] = rnd() % 4 ? rnd() % 40 : 0;
        st->rflags = rnd() & 1 ? FLAG_DF : 0;
        for (unsigned n = DATA_SIZE / 2 - 0x200; n < DATA_SIZE / 2 + 0x200 && rnd() & 7; n++) {
            t->before[n] = (uint8_t)(n % 64 ? 0x55 : rnd());
        }
    }
    if (t->row->driver || (t->row->flags & X86_ROW_VEX && rnd() & 1 && host_wide())) {
        random_wide(st);
    }
    if (t->row->flags & X86_ROW_VSIB) { /* near indices */
        unsigned bytes = t->row->opcode & 1 ? 8 : 4;
        for (unsigned at = 0; at < 64; at += bytes) {
            int64_t v = (int64_t)(rnd() % 48) - 16;
            memcpy(st->zmm[t->insn.vsib] + at, &v, bytes);
            if (at < 32 && t->insn.vsib < 16) {
                memcpy(st->ymm[t->insn.vsib] + at, &v, bytes);
            }
        }
    }
    random_x87(st);
    st->regs[R_BX] = st->regs[R_BP] = t->where;
    st->regs[R_13] = (uint64_t)((int64_t)(rnd() % 16) - 8);
    st->regs[R_SP] = DATA + 0x800;
    st->rflags = 0x202 | (rnd() & FLAGS_CC) | (st->rflags & FLAG_DF);
    st->entry = CODE;
    st->fs_base = host_fs_base();
    if (t->compat) {
        st->entry32[0] = CODE;
        st->entry32[1] = USER_CS32;
        st->data_seg = USER_DS;
        for (unsigned n = 0; n < 8; n++) {
            st->regs[n] = (uint32_t)st->regs[n];
        }
    }
    st->mxcsr = st->fx.mxcsr = t->mxcsr;
    special_state(t);
}

/* ---- running ---- */

/* ---- comparing ---- */

static bool differs(const char *what, unsigned n, const void *ours, const void *host,
                    const void *was, unsigned size)
{
    const uint8_t *a = ours, *b = host, *c = was;

    if (!memcmp(a, b, size)) {
        return false;
    }
    printf("# %s%u is ", what, n);
    for (unsigned p = 0; p < 3; p++) {
        const uint8_t *x = p == 0 ? a : p == 1 ? b : c;
        for (unsigned k = size; k-- > 0;) {
            printf("%02x", x[k]);
        }
        printf("%s", p == 0 ? ", on the host " : p == 1 ? " (was " : ")\n");
    }
    return true;
}

static bool same_state(const Case *t, const NativeState *emu)
{
    const NativeState *host = &t->host, *was = &t->input;
    bool bad = false;

    for (unsigned n = 0; n < 16; n++) {
        if (!(t->loose >> n & 1)) {
            bad |=
                differs("reg ", n, &emu->regs[n], &host->regs[n], &was->regs[n], t->compat ? 4 : 8);
        }
        bad |= differs("xmm", n, emu->ymm[n], host->ymm[n], was->ymm[n], 32);
    }
    for (unsigned n = 0; was->wide && n < 32; n++) {
        bad |= differs("zmm", n, emu->zmm[n], host->zmm[n], was->zmm[n], 64);
        bad |= n < 8 && differs("k", n, &emu->opmask[n], &host->opmask[n], &was->opmask[n], 8);
    }
    uint32_t known = (FLAGS_CC | FLAG_DF) & ~t->undefined;
    uint32_t ours = (uint32_t)emu->rflags & known, theirs = (uint32_t)host->rflags & known;
    if (t->has_setter && (ours ^ theirs) == FLAG_A) {
        theirs ^= FLAG_A; /* logic leaves it undefined */
    }
    bad |= differs("flags", 0, &ours, &theirs, &was->rflags, 4);
    bad |= differs("segments", 0, emu->seg, host->seg, was->seg, 8);
    bad |= differs("FS, GS", 0, &emu->fs, &host->fs, &was->fs, 4);
    if (t->row->trans == trans_RDFSGSBASE || t->row->trans == trans_WRFSGSBASE) {
        bad |= differs("FS base", 0, &emu->fs_base, &host->fs_base, &was->fs_base, 8);
        bad |= differs("GS base", 0, &emu->gs_base, &host->gs_base, &was->gs_base, 8);
    }
    if (t->row->flags & (X86_ROW_SSE | X86_ROW_EVEX)) {
        uint32_t a = emu->mxcsr & MXCSR_STICKY, b = host->fx.mxcsr & MXCSR_STICKY;
        bad |= differs("mxcsr", 0, &a, &b, &was->mxcsr, 4);
    }
    for (unsigned n = 0; n < DATA_SIZE; n += 8) {
        bad |= differs("memory ", n, (uint8_t *)DATA + n, t->after + n, t->before + n, 8);
    }
    if (t->row->flags & MXCSR_AND_X87) {
        uint16_t mask = t->row->flags & X86_ROW_MMX ? 0x3800 : 0x7dff; /* C1 is left out */
        uint16_t a = emu->fx.fsw & mask, b = host->fx.fsw & mask;
        bad |= differs("fsw", 0, &a, &b, &was->fx.fsw, 2);
        bad |= differs("fcw", 0, &emu->fx.fcw, &host->fx.fcw, &was->fx.fcw, 2);
        bad |= differs("ftw", 0, &emu->fx.ftw, &host->fx.ftw, &was->fx.ftw, 1);
        for (unsigned n = 0; n < 8; n++) {
            bad |= differs("st", n, emu->fx.st[n], host->fx.st[n], was->fx.st[n], 10);
        }
    }
    return !bad;
}

/*
 * What is there when a fault is taken; flags and rip only from the interpreter, which knows where
 * it was.
 */
static bool same_fault(const Case *t, const NativeState *emu, bool interp)
{
    uint32_t ours = (uint32_t)emu->rflags & FLAGS_CC, theirs = (uint32_t)at_fault.rflags & FLAGS_CC;
    bool bad = false;

    for (unsigned n = 0; n < 16; n++) {
        bad |= differs("reg at fault ", n, &emu->regs[n], &at_fault.regs[n], &emu->regs[n],
                       t->compat ? 4 : 8);
        bad |= differs("xmm at fault ", n, emu->ymm[n], at_fault.ymm[n], emu->ymm[n], 16);
    }
    if (interp && (ours ^ theirs) & ~(uint32_t)FLAG_A) {
        bad |= differs("flags at fault", 0, &ours, &theirs, &theirs, 4);
    }
    if (fault_vector == EXC_PF) {
        /* which of a masked operand's elements is touched first is the processor's business */
        uint64_t loose = t->row->flags & X86_ROW_EVEX ? 0xfff : 0;
        uint64_t got = the_cpu->cr2 | loose, wanted = fault_cr2 | loose;
        bad |= differs("cr2", 0, &got, &wanted, &fault_cr2, 8);
    }
    uint32_t unknown = 2; /* a write: told by the instruction, which nothing maps here */
    if ((the_cpu->error_code ^ fault_error) & ~unknown &&
        (fault_vector == EXC_PF || fault_vector == EXC_GP || fault_vector == EXC_NP ||
         fault_vector == EXC_SS)) {
        bad |= differs("error code", 0, &the_cpu->error_code, &fault_error, &fault_error, 4);
    }
    if (fault_vector == EXC_XM) {
        bad |= differs("mxcsr", 0, &emu->mxcsr, &at_fault.mxcsr, &at_fault.mxcsr, 4);
    }
    return !bad;
}

static void print_case(const Case *t)
{
    g_autoptr(GString) text = g_string_new(NULL);
    X86DecodeMode mode = {.code64 = !t->compat, .code32 = true};

    for (unsigned n = 0; n < 16; n++) {
        printf("#  r%u=%016" PRIx64 "%s", n, t->input.regs[n], n % 4 == 3 ? "\n" : "");
    }
    for (unsigned at = 0; at < t->code.n;) {
        X86Insn i;
        if (x86_decode(&i, t->code.b + at, t->code.n - at, mode) != X86_OK) {
            break;
        }
        x86_print_insn(&i, CODE + at, mode, text);
        g_string_append(text, at + i.len < t->code.n ? "; " : "");
        at += i.len;
        if (text->len > 150) {
            break;
        }
    }
    printf("#  %s\n", text->str);
}

/* Exceptions unmasked, rounding modes, denormals as zeros: now and then. */
static uint32_t random_mxcsr(const X86Row *r)
{
    bool reduce = r->kernel == ev_reduce || r->kernel == ev_reduce2;
    /* AMD's processors take denormals as zeros in VREDUCE */
    uint32_t v = MXCSR_DEFAULT | (reduce ? MXCSR_DAZ : 0);

    if (r->flags & (X86_ROW_SSE | X86_ROW_EVEX) && rnd() % 4 == 0) {
        v = (uint32_t)(rnd() & 0xe040) |
            (rnd() & 1 ? MXCSR_MASKS : MXCSR_MASKS & ~(1u << (7 + rnd() % 6)));
        v |= reduce ? MXCSR_DAZ : 0;
        /* of VREDUCE overflow and underflow have the host's flags only */
        v |= reduce ? (MXCSR_OE | MXCSR_UE) << MXCSR_MASK_SHIFT : 0;
    }
    return v;
}

static void put_exit(Case *t)
{
    if (t->compat) {
        put(&t->code, 0xea, 1);
        put(&t->code, CODE_EXIT32, 4);
        put(&t->code, USER_CS64, 2);
    } else {
        put(&t->code, 0x25ff, 6);
        put(&t->code, (uint64_t)(uintptr_t)native_exit, 8);
    }
}

/* Gates that Linux opens to programs. */
static bool open_gate(const X86Insn *i)
{
    unsigned vector = i->op[0].imm & 0xff;

    return vector == 0x80 || vector - 1 < 4;
}

/* Takes registers or AF as they are. */
static bool own_flags(const X86Row *r)
{
    return !strncmp(r->name, "BT", 2) || special_branches(r) || special_image(r) ||
           r->trans == trans_DAA || r->trans == trans_DAS || r->trans == trans_AAA ||
           r->trans == trans_AAS || r->trans == trans_PUSHF || r->trans == trans_LAHF;
}

/* False: what was made is not to be run. *wrong: the decoder disagrees with the encoder. */
static bool make_case(Case *t, bool *wrong)
{
    t->compat = t->row->flags & X86_ROW_I64;
    X86DecodeMode mode = {.code64 = !t->compat, .code32 = true};

    /* in the middle of what is mapped, over its page boundary, over its end */
    uint64_t k = rnd() % (special_image(t->row) ? 13 : 16);
    t->where = k < 10 ? MIDDLE : k < 13 ? MIDDLE - 64 : DATA + DATA_SIZE - 128;
    t->mxcsr = random_mxcsr(t->row);
    t->code.n = 0;
    t->undefined = t->row->undefined;
    t->has_setter = !own_flags(t->row) && !(t->row->flags & X86_ROW_REP) &&
                    put_flag_setter(&t->code, t->compat);
    unsigned start = t->code.n;
    put_row(t);
    X86Decoded d = x86_decode(&t->insn, t->code.b + start, t->insn_end - start, mode);
    if (d == X86_OK && t->insn.row != t->row) {
        return false; /* a prefix made it another row */
    }
    if (d != X86_OK || t->insn.len != t->insn_end - start) {
        printf("# decoder: result %u, length %u of %u\n", d, t->insn.len, t->insn_end - start);
        *wrong = true;
        return false;
    }
    if (t->row->flags & X86_ROW_SHD && t->insn.op[0].size == 1) {
        return false; /* undefined for counts above 16 */
    }
    if (t->row->trans == trans_INT && open_gate(&t->insn)) {
        return false;
    }
    if (!strncmp(t->row->name, "SH", 2) && t->row->undefined && t->insn.op[0].size < 2) {
        t->undefined |= FLAG_C;
    }
    if (t->row->trans == trans_RDRAND) {
        t->undefined |= FLAG_C; /* it may have none at the moment */
    }
    if (t->row->trans != trans_CPUID) { /* which changes RBX */
        put_setcc(&t->code, t->undefined | FLAG_A);
    }
    put_exit(t);
    return true;
}

/* The exception that the emulator should raise. */
static int expected(const Case *t, bool ran)
{
    if (ran) {
        return CPU_EXC_NONE;
    }
    if (t->row->trans == trans_INT) { /* the gate is looked at when it is delivered */
        return (int)t->insn.op[0].imm & 0xff;
    }
    /* where the host's kernel has enabled VMX, #GP comes first */
    return t->row->feature == FEAT_VMX ? EXC_UD : (int)fault_vector;
}

/* One engine; prints what differs. */
static bool run_engine(const Case *t, unsigned e, bool ran, bool print)
{
    NativeState emu = t->input;
    int expect = expected(t, ran);
    bool svme = !ran && t->row->feature == FEAT_SVM && fault_vector == EXC_GP, good;

    memcpy((void *)DATA, t->before, DATA_SIZE);
    the_cpu->efer = EFER_LMA | EFER_LME | EFER_NXE | (svme ? EFER_SVME : 0);
    state_to_cpu(the_cpu, &emu, t->compat);
    int got = emulate(t->compat ? CODE_EXIT32 : (uint64_t)(uintptr_t)native_exit, e, print);
    state_from_cpu(the_cpu, &emu);
    special_loose(t, (uint8_t *)DATA);
    if (got != expect) {
        printf("# exception %d (cr2 %" PRIx64 ", rip %" PRIx64 "), on the host %d\n", got,
               the_cpu->cr2, the_cpu->rip, expect);
        good = false;
    } else if (ran) {
        good = same_state(t, &emu);
    } else {
        good = t->row->trans == trans_INT || expect != (int)fault_vector ||
               same_fault(t, &emu, e == 0);
    }
    if (!good) {
        printf("# %s (%s), engine %s%s\n", t->row->name, t->row->text, test_engine(e)->name,
               e == TEST_FIRST_TIER ? ", first tier" : e ? ", optimised" : "");
        print_case(t);
    }
    return good;
}

/* AMD's processors know PREFETCH with memory only. */
static bool host_may_lack(const X86Row *r)
{
    return (r->feature >= 0 && !special_faults(r)) || (r->map == X86_MAP_0F && r->opcode == 0x0d);
}

/* *seen: the host has the instruction. */
static bool run_case(Case *t, bool print, bool *seen)
{
    bool good = true, wrong = false;

    if (!make_case(t, &wrong)) {
        return !wrong;
    }
    memcpy((void *)CODE, t->code.b, t->code.n);
    random_state(t, &t->input);
    if (t->row->driver && !host_wide()) {
        return true;
    }
    *live_state() = t->input;
    memcpy((void *)DATA, t->before, DATA_SIZE);
    bool ran = host_run();
    special_loose(t, (uint8_t *)DATA);
    memcpy(t->after, (void *)DATA, DATA_SIZE);
    t->host = *live_state();
    if (!ran && fault_signal == SIGILL && host_may_lack(t->row)) {
        return true;
    }
    *seen = true;
    for (unsigned e = 0; e < TEST_ENGINES && good; e++) {
        good = !test_engine(e) || run_engine(t, e, ran, print);
    }
    return good;
}

/* What 32-bit code jumps to when it is done. */
static void put_exit_stub(void)
{
    static const uint8_t jump[6] = {0xff, 0x25};
    uint64_t to = (uint64_t)(uintptr_t)native_exit;

    memcpy((uint8_t *)CODE_EXIT32, jump, sizeof(jump));
    memcpy((uint8_t *)CODE_EXIT32 + sizeof(jump), &to, 8);
}

/* Rows that neither the host has shown nor a table knows. */
static unsigned print_untested(const bool *seen)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned count = 0;

    for (unsigned n = 0; n < x86_num_rows; n++) {
        if (!seen[n]) {
            count++;
            g_string_append_printf(text, " %s(%s)", x86_rows[n].where, x86_rows[n].text);
        }
    }
    printf("# %u rows have no test%s%s\n", count, count ? ":" : "", text->str);
    return count;
}

static const char help[] =
    "usage: test-insn [ROUNDS [FUNCTION [SEED [print]]]]\n"
    "  ROUNDS    random forms of each row (24; X86_ROUNDS in the environment likewise)\n"
    "  FUNCTION  only rows of this trans_ function\n"
    "  SEED      other sequences (X86_SEED likewise); what ran is printed\n"
    "  print     the IR of each case too\n"
    "make check-insn-long runs more than a million, with a new seed each time\n";

static unsigned run_rows(unsigned rounds, const char *only, bool print, uint64_t first, bool *seen)
{
    g_autofree Case *t = g_new0(Case, 1);
    uint64_t cases = 0;
    unsigned bad = 0;

    for (unsigned n = 0; n < x86_num_rows; n++) {
        t->row = &x86_rows[n];
        if (!row_usable(t->row) || (only && strcmp(t->row->name, only))) {
            continue;
        }
        for (unsigned k = 0; k < rounds; k++) {
            rnd_seed(first + k * 7919 + n * 104729);
            cases++;
            if (!run_case(t, print, &seen[n])) {
                bad++;
                break;
            }
        }
    }
    printf("# %" PRIu64 " sequences, seed %" PRIu64 "\n", cases, first);
    return bad;
}

int main(int argc, char **argv)
{
    if (argc > 1 && g_str_has_suffix(argv[1], "-help")) {
        printf("%s", help);
        return 0;
    }
    bool by_hand = argc > 1 && argv[1][0] != '-';
    const char *given = by_hand ? argv[1] : g_getenv("X86_ROUNDS");
    const char *only = by_hand && argc > 2 ? argv[2] : NULL;
    const char *first = by_hand && argc > 3 ? argv[3] : g_getenv("X86_SEED");
    unsigned rounds = given ? (unsigned)g_ascii_strtoull(given, NULL, 0) : 24;
    g_autofree bool *seen = g_new0(bool, x86_num_rows);

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (host_lacks()) {
        printf("1..0 # SKIP %s\n", host_lacks());
        return 0;
    }
    emulator_init();
    host_catch_signals();
    map_identity(NATIVE_STATE_AT, 4096);
    put_exit_stub();
    uint64_t start = first ? g_ascii_strtoull(first, NULL, 0) : 88172645463325252ull;
    unsigned bad = run_rows(rounds, only, argc > 4, start, seen);
    printf("%s 1 - the host's results, %u rows differ\n", bad ? "not ok" : "ok", bad);
    if (only) {
        printf("1..1\n");
        return bad != 0;
    }
    unsigned wrong = run_manual_table(seen);
    printf("%s 2 - the manuals' results, %u differ\n", wrong ? "not ok" : "ok", wrong);
    unsigned untested = print_untested(seen);
    printf("%s 3 - every row has a test\n", untested ? "not ok" : "ok");
    unsigned odd = run_bytes(rounds * BYTES_A_ROUND, start);
    printf("%s 4 - random bytes, %u differ\n", odd ? "not ok" : "ok", odd);
    unsigned apart = run_sequences(rounds * SEQUENCES_A_ROUND, start);
    printf("%s 5 - sequences, %u differ between engines\n1..5\n", apart ? "not ok" : "ok", apart);
    return bad || wrong || untested || odd || apart;
}
