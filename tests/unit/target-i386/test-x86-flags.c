// SPDX-License-Identifier: GPL-2.0-or-later
/* Lazy flags against the flags that the host's own instructions leave (x86 hosts only). */
#include "target-i386/cpu.h"

static const uint64_t values[] = {
    0, 1, 2, 0xf, 0x10, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff,
    0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
    0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe, 0xffffffffffffffff, 0x123456789abcdef0,
};

#if defined(__x86_64__)
/* name(a, b, carry, &result): the host's INSN at four sizes; returns its flags. */
#define HOST_BINARY(name, insn)                                                                    \
    static uint32_t name(unsigned size, uint64_t a, uint64_t b, unsigned carry, uint64_t *r)       \
    {                                                                                              \
        uint64_t f;                                                                                \
        uint8_t c = carry;                                                                         \
                                                                                                   \
        switch (size) {                                                                            \
        case 0:                                                                                    \
            __asm__("addb $0xff, %b2; " insn "b %b3, %b0; pushfq; popq %1"                         \
                    : "+q"(a), "=r"(f), "+q"(c) : "q"(b) : "cc");                                  \
            break;                                                                                 \
        case 1:                                                                                    \
            __asm__("addb $0xff, %b2; " insn "w %w3, %w0; pushfq; popq %1"                         \
                    : "+q"(a), "=r"(f), "+q"(c) : "q"(b) : "cc");                                  \
            break;                                                                                 \
        case 2:                                                                                    \
            __asm__("addb $0xff, %b2; " insn "l %k3, %k0; pushfq; popq %1"                         \
                    : "+q"(a), "=r"(f), "+q"(c) : "q"(b) : "cc");                                  \
            break;                                                                                 \
        default:                                                                                   \
            __asm__("addb $0xff, %b2; " insn "q %3, %0; pushfq; popq %1"                           \
                    : "+q"(a), "=r"(f), "+q"(c) : "q"(b) : "cc");                                  \
            break;                                                                                 \
        }                                                                                          \
        *r = a;                                                                                    \
        return f & FLAGS_CC;                                                                       \
    }
#define HOST_UNARY(name, insn)                                                   \
    static uint32_t name(unsigned size, uint64_t a, unsigned carry, uint64_t *r) \
    {                                                                            \
        uint64_t f;                                                              \
        uint8_t c = carry;                                                       \
                                                                                 \
        switch (size) {                                                          \
        case 0:                                                                  \
            __asm__("addb $0xff, %b2; " insn "b %b0; pushfq; popq %1"            \
                    : "+q"(a), "=r"(f), "+q"(c)                                  \
                    :                                                            \
                    : "cc");                                                     \
            break;                                                               \
        case 1:                                                                  \
            __asm__("addb $0xff, %b2; " insn "w %w0; pushfq; popq %1"            \
                    : "+q"(a), "=r"(f), "+q"(c)                                  \
                    :                                                            \
                    : "cc");                                                     \
            break;                                                               \
        case 2:                                                                  \
            __asm__("addb $0xff, %b2; " insn "l %k0; pushfq; popq %1"            \
                    : "+q"(a), "=r"(f), "+q"(c)                                  \
                    :                                                            \
                    : "cc");                                                     \
            break;                                                               \
        default:                                                                 \
            __asm__("addb $0xff, %b2; " insn "q %0; pushfq; popq %1"             \
                    : "+q"(a), "=r"(f), "+q"(c)                                  \
                    :                                                            \
                    : "cc");                                                     \
            break;                                                               \
        }                                                                        \
        *r = a;                                                                  \
        return f & FLAGS_CC;                                                     \
    }

HOST_BINARY(host_add, "add")
HOST_BINARY(host_adc, "adc")
HOST_BINARY(host_sub, "sub")
HOST_BINARY(host_sbb, "sbb")
HOST_BINARY(host_and, "and")
HOST_UNARY(host_inc, "inc")
HOST_UNARY(host_dec, "dec")
HOST_UNARY(host_shl1, "shl")
HOST_UNARY(host_sar1, "sar")
HOST_UNARY(host_shr1, "shr")

typedef uint32_t BinaryFn(unsigned size, uint64_t a, uint64_t b, unsigned carry, uint64_t *r);
typedef uint32_t UnaryFn(unsigned size, uint64_t a, unsigned carry, uint64_t *r);

static void check_binary(BinaryFn *fn, unsigned op, uint32_t mask)
{
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(values); j++) {
            for (unsigned k = 0; k < 8; k++) {
                uint64_t r;
                uint32_t want = fn(k & 3, values[i], values[j], k >> 2, &r);
                uint32_t got = x86_cc_all(r, values[j], k >> 2, op + (k & 3));

                g_assert_cmphex(got & mask, ==, want & mask);
                g_assert_cmphex(x86_cc_carry(r, values[j], k >> 2, op + (k & 3)), ==,
                                want & FLAG_C);
            }
        }
    }
}

static void check_unary(UnaryFn *fn, unsigned op, bool src_is_operand, uint32_t mask)
{
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        for (unsigned k = 0; k < 8; k++) {
            uint64_t r;
            uint32_t want = fn(k & 3, values[i], k >> 2, &r);
            uint64_t src = src_is_operand ? values[i] : k >> 2;

            g_assert_cmphex(x86_cc_all(r, src, 0, op + (k & 3)) & mask, ==, want & mask);
        }
    }
}

static void test_host(void)
{
    check_binary(host_add, CC_ADDB, FLAGS_CC);
    check_binary(host_adc, CC_ADCB, FLAGS_CC);
    check_binary(host_sub, CC_SUBB, FLAGS_CC);
    check_binary(host_sbb, CC_SBBB, FLAGS_CC);
    check_binary(host_and, CC_LOGICB, FLAGS_CC & ~FLAG_A);
    check_unary(host_inc, CC_INCB, false, FLAGS_CC);
    check_unary(host_dec, CC_DECB, false, FLAGS_CC);
    check_unary(host_shl1, CC_SHLB, true, FLAGS_CC & ~FLAG_A);
    check_unary(host_sar1, CC_SARB, true, FLAGS_CC & ~FLAG_A);
    check_unary(host_shr1, CC_SARB, true, FLAGS_CC & ~FLAG_A);
}
#else
static void test_host(void)
{
    g_test_skip("needs an x86-64 host");
}
#endif

static void test_fixed(void)
{
    g_assert_cmphex(x86_cc_all(0, 0x8d5, 0, CC_EFLAGS), ==, 0x8d5);
    g_assert_cmphex(x86_cc_all(7, 7, 7, CC_CLR), ==, FLAG_Z | FLAG_P);
    g_assert_cmphex(x86_cc_all(0, 7, 7, CC_POPCNT), ==, FLAG_Z);
    g_assert_cmphex(x86_cc_all(1, 0, 7, CC_ADCX), ==, FLAG_C);
    g_assert_cmphex(x86_cc_all(0, FLAG_C, 1, CC_ADOX), ==, FLAG_C | FLAG_O);
    g_assert_cmphex(x86_cc_all(0, 1ull << 40, 0, CC_MULL) & (FLAG_C | FLAG_O), ==, FLAG_C | FLAG_O);
    for (unsigned size = 0; size < 4; size++) {
        const uint64_t top = 1ull << ((8u << size) - 1), edges[] = {0, 1, 5, top - 1, top, ~0ull};
        for (unsigned i = 0; i < 36; i++) {
            const uint64_t a = edges[i / 6], b = edges[i % 6];
            g_assert_cmphex(x86_cc_all(a, b, 0, CC_CMPB + size), ==,
                            x86_cc_all(a - b, b, 0, CC_SUBB + size));
            g_assert_cmphex(x86_cc_carry(a, b, 0, CC_CMPB + size), ==,
                            x86_cc_carry(a - b, b, 0, CC_SUBB + size));
        }
    }
    g_assert_cmphex(x86_cc_all(0x80, 0x100, 0, CC_BMIB), ==, FLAG_S | FLAG_C);
}

static void test_eflags(void)
{
    g_autofree X86Cpu *c = g_aligned_alloc0(1, sizeof(X86Cpu), 64);

    c->df = 1;
    x86_set_eflags(c, FLAG_C | FLAG_DF | FLAG_IF | FLAG_IOPL, UINT32_MAX);
    g_assert_cmphex(x86_get_eflags(c), ==, FLAG_C | FLAG_DF | FLAG_IF | FLAG_IOPL | FLAG_1);
    g_assert_cmpint(c->df, ==, -1);
    x86_set_eflags(c, 0, FLAG_DF | FLAG_C);
    g_assert_cmphex(x86_get_eflags(c), ==, FLAG_IF | FLAG_IOPL | FLAG_1);
    g_aligned_free(g_steal_pointer(&c));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/flags/host", test_host);
    g_test_add_func("/x86/flags/fixed", test_fixed);
    g_test_add_func("/x86/flags/eflags", test_eflags);
    return g_test_run();
}
