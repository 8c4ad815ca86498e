// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random sequences of the commonest instructions, by all engines: the interpreter says what the
 * others have to come to. What one instruction leaves to the next (flags above all) differs between
 * the ways of translating; single instructions do not show it.
 */
#include "tests/unit/target-i386/insn.h"

enum { END = CODE + 0xe00, STACK = MIDDLE + 0x400 };

/* rsp and rbx, which points to memory, stay. */
static unsigned random_reg(void)
{
    static const uint8_t regs[] = {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    return regs[rnd() % G_N_ELEMENTS(regs)];
}

/* Prefixes, opcode (of `map` 0F when above 255) and ModRM; size: 0 bytes, 1 words, 2, 3. */
static void put_modrm(Code *c, unsigned opcode, unsigned size, unsigned reg, int rm)
{
    const unsigned base = rm < 0 ? 3 : (unsigned)rm;

    if (size == 1) {
        put(c, 0x66, 1);
    }
    put(c, 0x40 | (size == 3) << 3 | (reg >> 3) << 2 | base >> 3, 1);
    if (opcode > 0xff) {
        put(c, 0x0f, 1);
    }
    put(c, opcode & 0xff, 1);
    if (rm < 0) {
        put(c, 0x40 | (reg & 7) << 3 | 3, 1);
        put(c, rnd() & 0x7f, 1);
    } else {
        put(c, 0xc0 | (reg & 7) << 3 | (base & 7), 1);
    }
}

static int random_rm(void)
{
    return rnd() % 4 ? (int)random_reg() : -1;
}

static void put_imm(Code *c, unsigned size)
{
    put(c, rnd_value(), size == 3 ? 4 : 1u << size);
}

static void put_lea(Code *c, unsigned size)
{
    unsigned reg = random_reg(), base = random_reg(), index = random_reg();

    put(c, 0x40 | (size == 3) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3, 1);
    put(c, 0x8d, 1);
    put(c, 0x84 | (reg & 7) << 3, 1);
    put(c, (rnd() & 3) << 6 | (index & 7) << 3 | (base & 7), 1);
    put(c, rnd(), 4);
}

/* Over a move. */
static void put_jcc(Code *c)
{
    put(c, 0x70 | (rnd() & 15), 1);
    put(c, 5, 1);
    put(c, 0xb8 | (rnd() & 1), 1);
    put(c, rnd(), 4);
}

static void put_stack(Code *c)
{
    unsigned reg = random_reg();

    put(c, 0x40 | reg >> 3, 1);
    put(c, 0x50 | (reg & 7), 1);
    reg = random_reg();
    put(c, 0x40 | reg >> 3, 1);
    put(c, 0x58 | (reg & 7), 1);
}

static void put_one(Code *c)
{
    static const uint8_t shifts[] = {0, 1, 4, 5, 7};
    const unsigned size = rnd() % 8 < 5 ? 2 + (rnd() & 1) : rnd() & 3, wide = size != 0;
    const unsigned big = MAX(size, 2);

    switch (rnd() % 19) {
    case 0: case 1: case 2:             /* ADC and SBB among them */
        put_modrm(c, (rnd() & 7) << 3 | (rnd() & 2) | wide, size, random_reg(), random_rm());
        break;
    case 3: case 4:
        put_modrm(c, 0x80 | wide, size, rnd() & 7, random_rm());
        put_imm(c, size);
        break;
    case 5:
        put_modrm(c, 0x83, big, rnd() & 7, random_rm());
        put_imm(c, 0);
        break;
    case 6:
        put_modrm(c, 0x84 | wide, size, random_reg(), random_rm());
        break;
    case 7:
        put_modrm(c, 0xf6 | wide, size, 2 + (rnd() & 1), random_rm());
        break;
    case 8:
        put_modrm(c, 0xfe | wide, size, rnd() & 1, random_rm());
        break;
    case 9:
        put_modrm(c, 0xc0 | wide, size,
                  shifts[rnd() % G_N_ELEMENTS(shifts)], random_rm());
        put(c, rnd() & 1 ? 1 : rnd() & 0x3f, 1);
        break;
    case 10:
        put_modrm(c, 0x88 | (rnd() & 2) | wide, size, random_reg(), random_rm());
        break;
    case 11:
        put_modrm(c, 0x1b6 | (rnd() & 9), 1 + rnd() % 3, random_reg(), random_rm());
        break;
    case 12:
        put_lea(c, big);
        break;
    case 13:
        put_modrm(c, 0x1af, big, random_reg(), random_rm());
        break;
    case 14:
        put_modrm(c, 0x190 | (rnd() & 15), 0, 0, random_rm());
        break;
    case 15:
        put_modrm(c, 0x140 | (rnd() & 15), big, random_reg(), random_rm());
        break;
    case 16:
        put_stack(c);
        break;
    case 17:
        put_jcc(c);
        break;
    default:
        put(c, rnd() & 1 ? 0x98 | (rnd() & 1) : 0x90, 1);
        break;
    }
}

static void put_end(Code *c)
{
    put(c, 0xff, 1);
    put(c, 0x25, 1);
    put(c, 0, 4);
    put(c, END, 8);
}

static void random_state(NativeState *st)
{
    memset(st, 0, sizeof(*st));
    for (unsigned n = 0; n < 16; n++) {
        st->regs[n] = rnd_value();
    }
    st->regs[3] = MIDDLE;
    st->regs[4] = STACK;
    st->rflags = rnd() & FLAGS_CC;
    st->entry = CODE;
    st->mxcsr = 0x1f80;
    st->fx.fcw = 0x37f;
}

typedef struct Outcome {
    NativeState state;
    uint8_t memory[DATA_SIZE];
    int exception;
} Outcome;

static void run_engine(Outcome *o, const NativeState *input, unsigned e)
{
    for (unsigned n = 0; n < DATA_SIZE; n++) {
        ((uint8_t *)DATA)[n] = (uint8_t)(n * 37 + (n >> 8));
    }
    state_to_cpu(the_cpu, input, false);
    o->exception = emulate(END, e, false);
    o->state = *input;
    state_from_cpu(the_cpu, &o->state);
    memcpy(o->memory, (void *)DATA, DATA_SIZE);
}

static bool same(const Outcome *a, const Outcome *b)
{
    return a->exception == b->exception &&
           !memcmp(a->state.regs, b->state.regs, sizeof(a->state.regs)) &&
           !((a->state.rflags ^ b->state.rflags) & FLAGS_CC) &&
           !memcmp(a->memory, b->memory, DATA_SIZE);
}

static void print_difference(const Code *c, const Outcome *a, const Outcome *b, unsigned e)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned at = 0; at < c->n - 14;) {
        X86Insn i;
        x86_decode(&i, c->b + at, 15, (X86DecodeMode){.code64 = true});
        g_string_append(text, "# ");
        x86_print_insn(&i, CODE + at, (X86DecodeMode){.code64 = true}, text);
        g_string_append_c(text, '\n');
        at += MAX(i.len, 1);
    }
    printf("# engine %u, exception %d and %d, flags %#x and %#x\n%s", e, a->exception, b->exception,
           (unsigned)a->state.rflags, (unsigned)b->state.rflags, text->str);
    for (unsigned n = 0; n < 16; n++) {
        if (a->state.regs[n] != b->state.regs[n]) {
            printf("# register %u: %" G_GINT64_MODIFIER "x and %" G_GINT64_MODIFIER "x\n", n,
                   a->state.regs[n], b->state.regs[n]);
        }
    }
}

unsigned run_sequences(unsigned count, uint64_t first)
{
    g_autofree Outcome *o = g_new0(Outcome, 2);
    unsigned bad = 0;

    for (unsigned k = 0; k < count && bad < 5; k++) {
        Code c = {.n = 0};
        NativeState input;
        rnd_seed(first + k * 7919ull);
        for (unsigned n = 3 + rnd() % 12; n > 0; n--) {
            put_one(&c);
        }
        put_end(&c);
        memcpy((void *)CODE, c.b, c.n);
        random_state(&input);
        run_engine(&o[0], &input, 0);
        for (unsigned e = 1; e < TEST_ENGINES; e++) {
            if (!test_engine(e)) {
                continue;
            }
            run_engine(&o[1], &input, e);
            if (!same(&o[0], &o[1])) {
                bad++;
                print_difference(&c, &o[0], &o[1], e);
            }
        }
    }
    printf("# %u sequences of common instructions\n", count);
    return bad;
}
