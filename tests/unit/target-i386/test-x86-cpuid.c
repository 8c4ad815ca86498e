// SPDX-License-Identifier: GPL-2.0-or-later
/* Models, feature names, -cpu text and what CPUID answers. */
#include <string.h>
#include "qom/vm.h"
#include "target-i386/models.h"
#include "util/main-loop.h"

enum { EAX, EBX, ECX, EDX };
static Vm *vm;    /* one machine-to-be for all tests */

static X86Cpu *make(const char *text)
{
    g_autoptr(GError) error = NULL;
    X86Cpu *c = (X86Cpu *)x86_cpu_create(vm, text, &error);

    g_assert_no_error(error);
    g_assert_nonnull(c);
    g_assert_true(x86_model_finish(c, &error));
    return c;
}

static void expect_error(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(x86_cpu_create(vm, text, &error));
    g_assert_nonnull(error);
    /* Types have the name of the target that is built. */
    g_auto(GStrv) parts = g_strsplit(error->message, "-x86_64-cpu", 2);
    g_autofree char *said = g_strjoinv("-i386-cpu", parts);

    g_assert_cmpstr(said, ==, message);
}

static void test_qemu64(void)
{
    X86Cpu *c = make("qemu64");
    uint32_t r[4];
    char name[49] = {0};

    x86_cpuid(c, 0, 0, r);
    g_assert_cmpuint(r[EAX], ==, 13);
    g_assert_cmpmem(&r[EBX], 4, "Auth", 4);
    g_assert_cmpmem(&r[EDX], 4, "enti", 4);
    g_assert_cmpmem(&r[ECX], 4, "cAMD", 4);
    x86_cpuid(c, 1, 0, r);
    g_assert_cmphex(r[EAX], ==, 0x00060fb1);    /* family 15, model 107, stepping 1 */
    g_assert_cmphex(r[ECX], ==, 0x80002001);
    g_assert_cmphex(r[EDX] | 1u << 9, ==, 0x078bfbfd);    /* no APIC yet */
    for (unsigned i = 0; i < 3; i++) {
        x86_cpuid(c, 0x80000002 + i, 0, (uint32_t *)(name + 16 * i));
    }
    g_assert_cmpstr(name, ==, "QEMU Virtual CPU version 2.5+");
    x86_cpuid(c, 0x80000001, 0, r);
    /* the i386 binary has no long mode */
    g_assert_cmphex(r[EDX], ==, target_arch->word_bits == 64 ? 0x2193fbfd : 0x0193fbfd);
    x86_cpuid(c, 0x80000008, 0, r);
    g_assert_cmphex(r[EAX], ==, target_arch->word_bits == 64 ? 48 << 8 | 40 : 36);
    x86_cpuid(c, 0x40000000, 0, r);
    g_assert_cmpmem(&r[EBX], 12, "TCGTCGTCGTCG", 12);
    object_unref(&c->cpu.dev.obj);
}

static void test_switches(void)
{
    X86Cpu *c =
        make("qemu64,+popcnt,-sse3,movbe=on,cx16=off,level=7,model-id=Zebra,family=6,model=26");
    uint32_t r[4];

    g_assert_true(x86_has_feature(c, FEAT_POPCNT));
    g_assert_true(x86_has_feature(c, FEAT_MOVBE));
    g_assert_false(x86_has_feature(c, FEAT_SSE3));
    g_assert_false(x86_has_feature(c, FEAT_CX16));
    x86_cpuid(c, 0, 0, r);
    g_assert_cmpuint(r[EAX], ==, 7);
    x86_cpuid(c, 1, 0, r);
    g_assert_cmphex(r[EAX], ==, 0x000106a1);
    x86_cpuid(c, 0x80000002, 0, r);
    g_assert_cmpmem(r, 6, "Zebra", 6);
    object_unref(&c->cpu.dev.obj);
}

static void expect_leaf(const char *model, uint32_t leaf, uint32_t subleaf, uint32_t a, uint32_t b,
                        uint32_t cx, uint32_t d)
{
    X86Cpu *c = make(model);
    uint32_t r[4];

    x86_cpuid(c, leaf, subleaf, r);
    g_assert_cmphex(r[EAX], ==, a);
    g_assert_cmphex(r[EBX], ==, b);
    g_assert_cmphex(r[ECX], ==, cx);
    g_assert_cmphex(r[EDX], ==, d);
    object_unref(&c->cpu.dev.obj);
}

/* Answers of the reference. */
static void test_cache_switches(void)
{
    expect_leaf("core2duo,l3-cache=off", 2, 0, 1, 0, 0, 0x2c307d);
    expect_leaf("core2duo,l3-cache=off", 4, 3, 0, 0, 0, 0);
    expect_leaf("EPYC", 0x80000006, 0, 0, 0x42004200, 0x02006140, 0x00408140);
    expect_leaf("EPYC,l3-cache=off", 0x80000006, 0, 0, 0x42004200, 0x02006140, 0);
    expect_leaf("EPYC,legacy-cache=on", 0x80000005, 0, 0x01ff01ff, 0x01ff01ff, 0x40020140,
                0x40020140);
    expect_leaf("EPYC", 0x8000001d, 2, 0x43, 0x01c0003f, 0x3ff, 0);
    expect_leaf("EPYC,legacy-cache=on", 0x8000001d, 2, 0x43, 0x03c0003f, 0x1ff, 0);
    expect_leaf("Skylake-Server,cpuid-0xb=off", 0xb, 1, 0, 0, 0, 0);
    expect_leaf("qemu64,tcg-cpuid=off", 0x40000000, 0, 0, 0, 0, 0);
}

/* The tests link the first binary by name, which is i386. */
#define GLOBAL(word) "can't apply global qemu64-i386-cpu." word ": "

static void test_errors(void)
{
    expect_error("qemu46", "unable to find CPU model 'qemu46' (did you mean 'qemu64'?)");
    expect_error("qemu64,+popcmt",
                 "Property 'qemu64-i386-cpu.popcmt' not found (did you mean 'popcnt'?)");
    expect_error("qemu64,popcnt=maybe",
                 GLOBAL("popcnt=maybe") "Parameter 'popcnt' expects 'on' or 'off'");
    expect_error("qemu64,l3-cache=some",
                 GLOBAL("l3-cache=some") "Parameter 'l3-cache' expects 'on' or 'off'");
    expect_error("qemu64,level=x", GLOBAL("level=x") "Parameter 'level' expects uint64");
    expect_error("qemu64,vendor=me",
                 GLOBAL("vendor=me") "Property '.vendor' doesn't take value 'me'");
    expect_error("qemu64,family=300",
                 GLOBAL("family=300")
                 "Property .family doesn't take value 300 (minimum: 0, maximum: 270)");
    expect_error("qemu64,stepping=-1",
                 GLOBAL("stepping=-1")
                 "Property .stepping doesn't take value -1 (minimum: 0, maximum: 15)");
}

static void test_names(void)
{
    for (unsigned i = 0; i < x86_num_model_aliases; i++) {
        g_assert_nonnull(x86_model_find(x86_model_aliases[i].name));
    }
    g_assert_cmpint(x86_feature_find("lahf_lm"), ==, FEAT_LAHF_LM);
    g_assert_cmpint(x86_feature_find("sse4_1"), ==, FEAT_SSE41);
    g_assert_cmpint(x86_feature_find("xd"), ==, FEAT_NX);
    g_assert_cmpint(x86_feature_find("zebra"), ==, -1);
}

/* Nothing is shown that does not work. */
static void test_filter(void)
{
    const CpuModelInfo *info;

    for (unsigned i = 0; (info = x86_model_info(i)) != NULL; i++) {
        if (!strcmp(info->name, "host")) {
            g_assert_cmpstr(info->unavailable[0], ==, "kvm");
            g_assert_null(info->unavailable[1]);
            continue;
        }
        X86Cpu *c = make(info->name);

        for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
            g_assert_cmphex(c->features[w] & ~x86_supported_features[w], ==, 0);
        }
        object_unref(&c->cpu.dev.obj);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    g_test_add_func("/x86/cpuid/qemu64", test_qemu64);
    g_test_add_func("/x86/cpuid/switches", test_switches);
    g_test_add_func("/x86/cpuid/cache-switches", test_cache_switches);
    g_test_add_func("/x86/cpuid/errors", test_errors);
    g_test_add_func("/x86/cpuid/names", test_names);
    g_test_add_func("/x86/cpuid/filter", test_filter);
    return g_test_run();
}
