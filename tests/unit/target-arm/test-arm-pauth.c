// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pointer authentication: the cipher's published vector, and codes that go in, come out and are
 * refused.
 */
#include <string.h>
#include "target-arm/cpu.h"
#include "target-arm/helpers.h"

static ArmCpu *new_cpu(void)
{
    ArmCpu *c = g_aligned_alloc0(1, sizeof(ArmCpu), 64);

    c->cpu.arch = target_arch;
    c->aarch64_prop = true;
    c->pstate = 1 << PSTATE_EL_SHIFT;
    c->sctlr[1] = SCTLR_EnIA | SCTLR_EnIB | SCTLR_EnDA | SCTLR_EnDB;
    c->tcr[1] = 16 | 16 << 16;
    return c;
}

/* Avanzi, "The QARMA Block Cipher Family", test vectors of QARMA5-64 with the S-box sigma 2. */
static void test_vector(void)
{
    ArmCpu *c = new_cpu();

    c->apkey[4][1] = 0x84be85ce9804e94bull;
    c->apkey[4][0] = 0xec2802d4e0a488e9ull;
    g_assert_cmphex(helper_pauth_generic(&c->cpu, 0xfb623599da6e8127ull, 0x477d469dec0b8762ull), ==,
                    0xc003b93900000000ull);
    g_aligned_free(c);
}

static void test_round_trip(void)
{
    ArmCpu *c = new_cpu();

    for (unsigned key = 0; key < 4; key++) {
        c->apkey[key][0] = 0x0123456789abcdefull * (key + 1);
        for (unsigned upper = 0; upper < 2; upper++) {
            uint64_t p = upper ? 0xffff800008123456ull : 0x0000aaaacafe1000ull;
            uint64_t signed_p = helper_pauth_add(&c->cpu, p, 0x1234, key);

            g_assert_cmphex(signed_p, !=, p);
            g_assert_cmphex(helper_pauth_auth(&c->cpu, signed_p, 0x1234, key), ==, p);
            g_assert_cmphex(helper_pauth_auth(&c->cpu, signed_p, 0x1235, key), !=, p);
            g_assert_cmphex(helper_pauth_strip(&c->cpu, signed_p, 0), ==, p);
        }
    }
    c->sctlr[1] = 0;
    g_assert_cmphex(helper_pauth_add(&c->cpu, 0x1000, 5, 0), ==, 0x1000);
    g_aligned_free(c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arm/pauth/vector", test_vector);
    g_test_add_func("/arm/pauth/round-trip", test_round_trip);
    return g_test_run();
}
