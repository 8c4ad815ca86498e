// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 3DNow! operations against the tables of AMD 21928 and 22466; decoding of the form with the opcode
 * last.
 */
#include <math.h>
#include <string.h>
#include "target-i386/cpu.h"
#include "target-i386/decode.h"
#include "target-i386/helpers.h"

enum {
    ZERO = 0,
    MINUS_ZERO = 0x80000000,
    ONE = 0x3f800000,
    MAX = 0x7f7fffff,
    LEAST = 0x00800000,
    SIGN = 0x80000000u
};

/* One element: both are given the same operands and have the same result. */
static const struct {
    const char *name;
    uint8_t opcode;
    uint32_t d, s, r;
} table[] = {
    {"PFADD zeros", 0x9e, ZERO, ZERO, ZERO},
    {"PFADD zeros", 0x9e, ZERO, MINUS_ZERO, ZERO},
    {"PFADD zeros", 0x9e, MINUS_ZERO, MINUS_ZERO, MINUS_ZERO},
    {"PFADD zero, normal", 0x9e, MINUS_ZERO, ONE, ONE},
    {"PFADD normal, zero", 0x9e, ONE | SIGN, ZERO, ONE | SIGN},
    {"PFADD denormal is zero", 0x9e, 0x007fffff, ONE, ONE},
    {"PFADD equal, sign of the first", 0x9e, ONE, ONE | SIGN, ZERO},
    {"PFADD equal, sign of the first", 0x9e, ONE | SIGN, ONE, MINUS_ZERO},
    {"PFADD underflow, sign of the larger", 0x9e, LEAST, LEAST + 1 + SIGN, MINUS_ZERO},
    {"PFADD overflow", 0x9e, MAX, MAX, MAX},
    {"PFADD overflow", 0x9e, MAX | SIGN, MAX | SIGN, MAX | SIGN},
    {"PFADD tie to even", 0x9e, 0x4b800000, ONE, 0x4b800000},
    {"PFADD tie to even", 0x9e, 0x4b800001, ONE, 0x4b800002},
    {"PFSUB zeros", 0x9a, ZERO, ZERO, ZERO},
    {"PFSUB zeros", 0x9a, MINUS_ZERO, ZERO, MINUS_ZERO},
    {"PFSUB zero, normal", 0x9a, ZERO, ONE, ONE | SIGN},
    {"PFSUB equal", 0x9a, ONE | SIGN, ONE | SIGN, MINUS_ZERO},
    {"PFSUBR", 0xaa, ONE, 0x40400000, 0x40000000},
    {"PFMUL zero", 0xb4, MINUS_ZERO, ONE, MINUS_ZERO},
    {"PFMUL zero", 0xb4, MINUS_ZERO, ONE | SIGN, ZERO},
    {"PFMUL underflow", 0xb4, LEAST, 0xbf000000, MINUS_ZERO},
    {"PFMUL just not", 0xb4, 0x01000000, 0x3f000000, LEAST},
    {"PFMUL overflow", 0xb4, MAX, 0xc0000000, MAX | SIGN},
    {"PFMIN zeros are positive", 0x94, MINUS_ZERO, MINUS_ZERO, ZERO},
    {"PFMIN zero, positive", 0x94, MINUS_ZERO, ONE, ZERO},
    {"PFMIN zero, negative", 0x94, ZERO, ONE | SIGN, ONE | SIGN},
    {"PFMAX zero, negative", 0xa4, MINUS_ZERO, ONE | SIGN, ZERO},
    {"PFMAX zero, positive", 0xa4, ONE, MINUS_ZERO, ONE},
    {"PFMAX", 0xa4, ONE, 0x40000000, 0x40000000},
    {"PFCMPEQ zeros", 0xb0, ZERO, MINUS_ZERO, UINT32_MAX},
    {"PFCMPEQ", 0xb0, ONE, ONE | SIGN, 0},
    {"PFCMPGE zeros", 0x90, MINUS_ZERO, ZERO, UINT32_MAX},
    {"PFCMPGE", 0x90, ONE | SIGN, ZERO, 0},
    {"PFCMPGT zeros", 0xa0, ZERO, MINUS_ZERO, 0},
    {"PFCMPGT", 0xa0, ONE, ONE | SIGN, UINT32_MAX},
    {"PF2ID truncates", 0x1d, 0, 0xbfffffff, (uint32_t)-1},
    {"PF2ID saturates", 0x1d, 0, 0x4f000000, 0x7fffffff},
    {"PF2ID saturates", 0x1d, 0, 0xcf000001, 0x80000000},
    {"PF2ID below one", 0x1d, 0, 0x3f7fffff, 0},
    {"PF2IW saturates", 0x1c, 0, 0x47000000, 0x7fff},
    {"PF2IW saturates", 0x1c, 0, 0xc7000100, 0xffff8000},
    {"PI2FD truncates", 0x0d, 0, 0x7fffffff, 0x4effffff},
    {"PI2FD truncates", 0x0d, 0, 0x80000001, 0xceffffff},
    {"PI2FD", 0x0d, 0, 0x80000000, 0xcf000000},
    {"PI2FD", 0x0d, 0, 0, 0},
    {"PI2FW", 0x0c, 0, 0x7fff8000, 0xc7000000},
    {"PFRCP zero", 0x96, 0, MINUS_ZERO, MAX | SIGN},
    {"PFRCP", 0x96, 0, 0xc0800000, 0xbe800000},
    {"PFRCP underflow", 0x96, 0, MAX, ZERO},
    {"PFRSQRT zero", 0x97, 0, ZERO, MAX},
    {"PFRSQRT keeps the sign", 0x97, 0, 0xc1800000, 0xbe800000},
    {"PMULHRW", 0xb7, 0x80008000, 0x80008000, 0x40004000},
    {"PMULHRW rounds", 0xb7, 0x00010001, 0x80007fff, 0x00000000},
};

static void test_tables(void)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(table); k++) {
        uint64_t d = (uint64_t)table[k].d << 32 | table[k].d,
                 s = (uint64_t)table[k].s << 32 | table[k].s;
        uint64_t r = helper_amd3dnow(d, s, table[k].opcode);

        if (r != ((uint64_t)table[k].r << 32 | table[k].r)) {
            g_test_message("%s: %#x, %#x: %#" G_GINT64_MODIFIER "x", table[k].name, table[k].d,
                           table[k].s, r);
            g_test_fail();
        }
    }
}

/* Operations that bring both elements together: of 2:1 and 4:3. */
static const struct {
    uint8_t opcode;
    uint64_t r;
} pairs[] = {
    {0xae, 0x40e0000040400000}, /* PFACC: 7:3 */
    {0x8a, 0xbf800000bf800000}, /* PFNACC: -1:-1 */
    {0x8e, 0x40e00000bf800000}, /* PFPNACC: 7:-1 */
    {0xbb, 0x4040000040800000}, /* PSWAPD: 3:4 */
};

static void test_pairs(void)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(pairs); k++) {
        g_assert_cmphex(helper_amd3dnow(0x400000003f800000, 0x4080000040400000, pairs[k].opcode),
                        ==, pairs[k].r);
    }
}

static float as_float(uint64_t v)
{
    uint32_t bits = (uint32_t)v;
    float f;

    memcpy(&f, &bits, sizeof(f));
    return f;
}

/* The manual's sequences for full precision, within one unit of the last place. */
static void test_newton(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(3);

    for (unsigned k = 0; k < 10000; k++) {
        uint32_t bits = (uint32_t)g_rand_int_range(rand, 64 << 23, 190 << 23);
        uint64_t b = bits, x0 = helper_amd3dnow(0, b, 0x96);
        uint64_t x1 = helper_amd3dnow(b, x0, 0xa6), x2 = helper_amd3dnow(x1, x0, 0xb6);
        double exact = 1 / (double)as_float(b);

        g_assert_cmpfloat(fabs(as_float(x0) / exact - 1), <, 0x1p-14);
        g_assert_cmpfloat(fabs(as_float(x2) / exact - 1), <=, 0x1p-23);

        x0 = helper_amd3dnow(0, b, 0x97);
        x1 = helper_amd3dnow(x0, x0, 0xb4);
        x2 = helper_amd3dnow(helper_amd3dnow(b, x1, 0xa7), x0, 0xb6);
        exact = 1 / sqrt((double)as_float(b));
        g_assert_cmpfloat(fabs(as_float(x0) / exact - 1), <, 0x1p-15);
        g_assert_cmpfloat(fabs(as_float(x2) / exact - 1), <=, 0x1p-22);
    }
}

/* test-insn leaves these rows to this test. */
static void test_every_row(void)
{
    static const uint8_t elsewhere[] = {0x96, 0x97, 0xa6, 0xa7, 0xb6, /* test_newton */
                                        0xbf}; /* PAVGB: as SSE's */

    for (unsigned n = 0; n < x86_num_rows; n++) {
        bool found = x86_rows[n].map != X86_MAP_3D;
        for (unsigned k = 0; k < G_N_ELEMENTS(table); k++) {
            found |= table[k].opcode == x86_rows[n].opcode;
        }
        for (unsigned k = 0; k < G_N_ELEMENTS(pairs); k++) {
            found |= pairs[k].opcode == x86_rows[n].opcode;
        }
        for (unsigned k = 0; k < sizeof(elsewhere); k++) {
            found |= elsewhere[k] == x86_rows[n].opcode;
        }
        if (!found) {
            g_test_message("%s has no line", x86_rows[n].text);
            g_test_fail();
        }
    }
}

static void test_decode(void)
{
    static const X86DecodeMode mode = {.code64 = true};
    static const uint8_t code[] = {0x0f, 0x0f, 0x44, 0x8b, 0x10, 0x9e},
                         bad[] = {0x0f, 0x0f, 0xc1, 0x00};
    g_autoptr(GString) text = g_string_new(NULL);
    X86Insn i;

    for (unsigned n = 0; n < sizeof(code); n++) {
        g_assert_cmpint(x86_decode(&i, code, n, mode), ==, X86_MORE);
    }
    g_assert_cmpint(x86_decode(&i, code, sizeof(code), mode), ==, X86_OK);
    g_assert_cmpuint(i.len, ==, sizeof(code));
    x86_print_insn(&i, 0, mode, text);
    g_assert_cmpstr(text->str, ==, "pfadd 0x10(%rbx,%rcx,4),%mm0");
    g_assert_cmpint(x86_decode(&i, bad, sizeof(bad), mode), ==, X86_UD);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/3dnow/tables", test_tables);
    g_test_add_func("/x86/3dnow/pairs", test_pairs);
    g_test_add_func("/x86/3dnow/newton", test_newton);
    g_test_add_func("/x86/3dnow/every-row", test_every_row);
    g_test_add_func("/x86/3dnow/decode", test_decode);
    return g_test_run();
}
