// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The disassembler of ARM's decode tables. Without arguments: each row of each table, on random
 * words, prints something that has no template left in it. "rows TABLE ROUNDS [SEED [ROW]]"
 * writes random words and their text for tests/disas-arm, which compares them with GNU objdump;
 * "eval" reads "printer address word value" and writes what the printer makes of it.
 */
#include <stdio.h>
#include <string.h>
#include "target-arm/a32-trans.h"
#include "target-arm/a64-decode.h"
#include "target-arm/disas.h"
#include "target-arm/m-decode.h"
#include "target-arm/neon-decode.h"
#include "target-arm/neonx-decode.h"
#include "target-arm/vfp-decode.h"

typedef struct Row {
    const char *name;
    uint32_t mask, value, ignored;
} Row;

typedef struct Table {
    const char *name;
    const A32Row *rows; /* NULL: A64's */
    const unsigned *count;
    bool (*decode)(A32Insn *i, uint32_t word);
    bool (*print)(Disas *d);
    uint32_t above; /* what A32 has where the row is empty */
} Table;

static const Table tables[] = {
    {"a64", NULL, &a64_num_rows, NULL, disas_a64, 0},
    {"a32", a32_rows, &a32_num_rows, a32_decode, disas_a32, 0xe0000000},
    {"a32u", a32u_rows, &a32u_num_rows, a32u_decode, disas_a32, 0},
    {"vfp", vfp_rows, &vfp_num_rows, vfp_decode, disas_a32, 0xe0000000},
    {"neon", neon_rows, &neon_num_rows, neon_decode, disas_a32, 0},
    {"neonx", neonx_rows, &neonx_num_rows, neonx_decode, disas_a32, 0},
    {"t32", t32_rows, &t32_num_rows, t32_decode, disas_t32, 0},
    {"t16", t16_rows, &t16_num_rows, t16_decode, disas_t16, 0},
    {"m", m_rows, &m_num_rows, m_decode, disas_t32, 0},
};

static uint64_t seed = 88172645463325252ull;

static uint32_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static Row row_of(const Table *t, unsigned n)
{
    if (!t->rows) {
        const A64Row *r = &a64_rows[n];

        return (Row){r->name, r->mask, r->value, r->ignored};
    }
    const A32Row *r = &t->rows[n];
    return (Row){r->name, r->mask, r->value, r->ignored};
}

/* A word of the row; fields are often all ones or zeros, as aliases want them. False: another's. */
static bool make_word(const Table *t, unsigned n, unsigned round, uint32_t *word)
{
    Row r = row_of(t, n);
    uint32_t w = rnd(), blank = r.ignored & (t->print == disas_t16 ? 0xffff : UINT32_MAX);

    if (round % 4 == 1) {
        w |= 31u << (rnd() & 31);
        w |= 15u << (rnd() & 31);
    } else if (round % 4 == 2) {
        w &= ~(31u << (rnd() & 31));
        w &= ~(31u << (rnd() & 31));
    } else if (round % 4 == 3) {
        w &= ~(255u << (rnd() & 31));
        w |= 31u << (rnd() & 31);
    }
    w = (w & ~r.mask & (t->print == disas_t16 ? 0xffff : UINT32_MAX)) | r.value;
    for (unsigned nibble = 0; nibble < 32; nibble += 4) { /* should-be-ones or -zeros */
        uint32_t m = blank & 15u << nibble;

        w = rnd() & 1 ? w | m : w & ~m;
    }
    if (t->print == disas_a32 && r.mask >> 28 == 0) {
        w = (w & 0x0fffffff) | (round % 5 == 4 && t->above ? rnd() % 15 << 28 : t->above);
    }
    *word = w;
    if (!t->rows) {
        A64Insn i;

        return a64_decode(&i, w) && !strcmp(i.row->name, r.name);
    }
    A32Insn i;
    return t->decode(&i, w) && !strcmp(i.row->name, r.name);
}

static void text_of(const Table *t, uint32_t word, uint64_t va, GString *out)
{
    Disas d = {.out = out, .va = va, .word = word, .m_profile = !strcmp(t->name, "m")};

    g_string_truncate(out, 0);
    if (!t->print(&d)) {
        PUT(&d, ".inst\t0x%08x", word);
    }
}

static int list_rows(const char *table, unsigned rounds, uint64_t first, const char *only)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint64_t va = 0;

    for (unsigned k = 0; k < G_N_ELEMENTS(tables); k++) {
        const Table *t = &tables[k];

        if (strcmp(t->name, table)) {
            continue;
        }
        for (unsigned n = 0; n < *t->count; n++) {
            Row r = row_of(t, n);
            uint32_t word;

            if (only && strcmp(only, r.name)) {
                continue;
            }
            for (unsigned c = 0; c < rounds; c++) {
                seed = first + c * 7919ull + n * 104729ull;
                rnd();
                if (make_word(t, n, c, &word)) {
                    text_of(t, word, va, text);
                    printf("%s\t%08x\t%08x\t%s\n", r.name, word,
                           word & r.ignored & (t->above ? 0x0fffffff : UINT32_MAX), text->str);
                    va += t->print == disas_t16 ? 16 : 4;
                }
            }
        }
    }
    return 0;
}

/* "word" a line, at address 0: their text. */
static int list_words(const char *table)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned word;

    while (scanf("%x", &word) == 1) {
        for (unsigned k = 0; k < G_N_ELEMENTS(tables); k++) {
            if (!strcmp(tables[k].name, table)) {
                text_of(&tables[k], word, 0, text);
                printf("%s\n", text->str);
            }
        }
    }
    return 0;
}

static int evaluate(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char name[32];
    unsigned long va;
    unsigned word, value;

    while (scanf("%31s %lx %x %x", name, &va, &word, &value) == 4) {
        Disas d = {.out = text, .va = va, .word = word, .cond = 14};

        g_string_truncate(text, 0);
        disas_print(&d, name, strlen(name), value);
        printf("%s\n", text->str);
    }
    return 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned bad = 0, rows = 0;

    if (argc > 3 && !strcmp(argv[1], "rows")) {
        return list_rows(argv[2], (unsigned)g_ascii_strtoull(argv[3], NULL, 0),
                         argc > 4 ? g_ascii_strtoull(argv[4], NULL, 0) : seed,
                         argc > 5 ? argv[5] : NULL);
    }
    if (argc > 2 && !strcmp(argv[1], "words")) {
        return list_words(argv[2]);
    }
    if (argc > 1 && !strcmp(argv[1], "eval")) {
        return evaluate();
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(tables); k++) {
        for (unsigned n = 0; n < *tables[k].count; n++, rows++) {
            for (unsigned c = 0; c < 64; c++) {
                uint32_t word;

                if (!make_word(&tables[k], n, c, &word)) {
                    continue;
                }
                text_of(&tables[k], word, 0x1000, text);
                if (!text->len || strpbrk(text->str, "%|?\x7f")) {
                    printf("# %s %s %08x: %s\n", tables[k].name, row_of(&tables[k], n).name, word,
                           text->str);
                    bad++;
                    break;
                }
            }
        }
    }
    printf("%s 1 - %u rows print, %u do not\n1..1\n", bad ? "not ok" : "ok", rows - bad, bad);
    return bad != 0;
}
