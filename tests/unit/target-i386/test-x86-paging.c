// SPDX-License-Identifier: GPL-2.0-or-later
/* Page walks over tables made by hand: formats, rights, accessed and dirty bits, error codes. */
#include <string.h>
#include "qom/vm.h"
#include "target-i386/cpu.h"
#include "util/main-loop.h"

#define RAM_SIZE (16 * MIB)
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, PS = 0x80, G = 0x100 };
#define NX (1ull << 63)

/* One machine with RAM at 0 for all tests; each makes its own tables in it. */
static Vm *vm;
static Region ram;

static X86Cpu *new_cpu(void)
{
    X86Cpu *c = g_aligned_alloc0(1, sizeof(X86Cpu), 64);

    c->cpu.dev.vm = vm;
    c->cpu.as = vm->memory_as;
    c->phys_bits = 40;
    c->features[FW_8000_0001_EDX] = 1u << 26;    /* 1 GiB pages */
    memset(region_host(&ram), 0, RAM_SIZE);
    return c;
}

static uint64_t *entry(uint64_t table, unsigned i)
{
    return (uint64_t *)((uint8_t *)region_host(&ram) + table) + i;
}

static uint32_t *entry32(uint64_t table, unsigned i)
{
    return (uint32_t *)((uint8_t *)region_host(&ram) + table) + i;
}

/* Four levels at 1000h..4000h, so that va 0 + n * 4096 is entry n of the table at 4000h. */
static X86Cpu *new_long_mode(uint64_t rights)
{
    X86Cpu *c = new_cpu();

    c->cr0 = CR0_PE | CR0_PG | CR0_WP;
    c->cr4 = CR4_PAE;
    c->efer = EFER_LMA | EFER_LME | EFER_NXE;
    c->cr3 = 0x1000;
    *entry(0x1000, 0) = 0x2000 | rights;
    *entry(0x2000, 0) = 0x3000 | rights;
    *entry(0x3000, 0) = 0x4000 | rights;
    return c;
}

static void expect_page(X86Cpu *c, uint64_t va, MmuAccess access, unsigned mmu, hwaddr pa,
                        unsigned prot)
{
    X86Page p;

    g_assert_true(x86_page_walk(c, va, access, mmu, &p));
    g_assert_cmphex(p.pa, ==, pa);
    g_assert_cmphex(p.prot, ==, prot);
}

static void expect_fault(X86Cpu *c, uint64_t va, MmuAccess access, unsigned mmu, uint32_t error)
{
    X86Page p;

    g_assert_false(x86_page_walk(c, va, access, mmu, &p));
    g_assert_cmphex(p.error, ==, error);
}

#define RWX (TLB_PROT_READ | TLB_PROT_WRITE | TLB_PROT_EXEC)
#define RX (TLB_PROT_READ | TLB_PROT_EXEC)
#define RW (TLB_PROT_READ | TLB_PROT_WRITE)

static void test_long(void)
{
    X86Cpu *c = new_long_mode(P | W | U);

    *entry(0x4000, 0) = 0x5000 | P | W | U;
    *entry(0x4000, 1) = 0x6000 | P | U;
    *entry(0x4000, 2) = 0x7000 | P | W;
    *entry(0x4000, 3) = 0x8000 | P | W | NX;
    /* a clean page is read-only until it is written */
    expect_page(c, 0x123, ACCESS_LOAD, MMU_USER, 0x5000, RX);
    g_assert_cmphex(*entry(0x4000, 0), ==, (0x5000 | P | W | U | A));
    g_assert_cmphex(*entry(0x1000, 0), ==, (0x2000 | P | W | U | A));
    expect_page(c, 0x123, ACCESS_STORE, MMU_USER, 0x5000, RWX);
    g_assert_cmphex(*entry(0x4000, 0), ==, (0x5000 | P | W | U | A | D));
    expect_fault(c, 0x1000, ACCESS_STORE, MMU_USER, 7);
    expect_fault(c, 0x1000, ACCESS_STORE, MMU_KERNEL, 3);
    expect_fault(c, 0x2000, ACCESS_LOAD, MMU_USER, 5);
    expect_page(c, 0x3000, ACCESS_STORE, MMU_KERNEL, 0x8000, RW);
    expect_fault(c, 0x3000, ACCESS_FETCH, MMU_KERNEL, 0x11);
    expect_fault(c, 0x9000, ACCESS_LOAD, MMU_KERNEL, 0);
    expect_fault(c, 0x9000, ACCESS_STORE, MMU_USER, 6);
    *entry(0x4000, 9) = 0xa000 | P | 1ull << 45;
    expect_fault(c, 0x9000, ACCESS_LOAD, MMU_KERNEL, 9);
    c->cr0 &= ~(uint64_t)CR0_WP;
    expect_page(c, 0x1000, ACCESS_STORE, MMU_KERNEL, 0x6000, RWX);
    g_aligned_free(c);
}

static void test_large(void)
{
    X86Cpu *c = new_long_mode(P | W);
    X86Page p;

    *entry(0x3000, 1) = 0x400000 | P | W | PS | G;
    *entry(0x2000, 1) = 0x40000000 | P | W | PS;
    *entry(0x3000, 2) = 0x402000 | P | W | PS;    /* a reserved bit */
    c->cr4 |= CR4_PGE;
    g_assert_true(x86_page_walk(c, 0x212345, ACCESS_LOAD, MMU_KERNEL, &p));
    g_assert_cmphex(p.pa, ==, 0x412000);
    g_assert_cmpuint(p.page_bits, ==, 21);
    g_assert_true(p.global);
    g_assert_true(x86_page_walk(c, 0x40123456, ACCESS_LOAD, MMU_KERNEL, &p));
    g_assert_cmphex(p.pa, ==, 0x40123000);
    g_assert_cmpuint(p.page_bits, ==, 30);
    expect_fault(c, 0x400000, ACCESS_LOAD, MMU_KERNEL, 9);
    g_aligned_free(c);
}

static void test_smep_smap(void)
{
    X86Cpu *c = new_long_mode(P | W | U);

    *entry(0x4000, 0) = 0x5000 | P | W | U | A | D;
    c->cr4 |= CR4_SMEP | CR4_SMAP;
    expect_fault(c, 0, ACCESS_FETCH, MMU_KERNEL, 0x11);
    expect_page(c, 0, ACCESS_LOAD, MMU_KERNEL, 0x5000, RW);
    expect_fault(c, 0, ACCESS_LOAD, MMU_KERNEL_SMAP, 1);
    expect_fault(c, 0, ACCESS_STORE, MMU_KERNEL_SMAP, 3);
    g_assert_cmpuint(x86_mmu_index(c), ==, MMU_KERNEL_SMAP);
    c->eflags |= FLAG_AC;
    g_assert_cmpuint(x86_mmu_index(c), ==, MMU_KERNEL);
    c->cpl = 3;
    g_assert_cmpuint(x86_mmu_index(c), ==, MMU_USER);
    g_aligned_free(c);
}

static void test_legacy(void)
{
    X86Cpu *c = new_cpu();
    X86Page p;

    c->cr0 = CR0_PE | CR0_PG;
    c->cr4 = CR4_PSE;
    c->cr3 = 0x1000;
    *entry32(0x1000, 0) = 0x2000 | P | W | U;
    *entry32(0x1000, 1) = 0x400000 | P | W | PS;
    *entry32(0x2000, 5) = 0x7000 | P | U;
    expect_page(c, 0x5abc, ACCESS_LOAD, MMU_USER, 0x7000, RX);
    g_assert_cmphex(*entry32(0x2000, 5), ==, (0x7000 | P | U | A));
    expect_fault(c, 0x5abc, ACCESS_STORE, MMU_USER, 7);
    g_assert_true(x86_page_walk(c, 0x456789, ACCESS_STORE, MMU_KERNEL, &p));
    g_assert_cmphex(p.pa, ==, 0x456000);
    g_assert_cmpuint(p.page_bits, ==, 22);
    g_assert_cmphex(*entry32(0x1000, 1), ==, (0x400000 | P | W | PS | A | D));
    g_aligned_free(c);
}

static void test_pae(void)
{
    X86Cpu *c = new_cpu();

    c->cr0 = CR0_PE | CR0_PG;
    c->cr4 = CR4_PAE;
    c->cr3 = 0x1020;
    *entry(0x1020, 3) = 0x2000 | P;
    *entry(0x2000, 0) = 0x3000 | P | W | U;
    *entry(0x3000, 1) = 0x5000 | P | W | U;
    expect_page(c, 0xc0001000, ACCESS_STORE, MMU_USER, 0x5000, RWX);
    *entry(0x3000, 1) |= NX;    /* reserved without EFER.NXE */
    expect_fault(c, 0xc0001000, ACCESS_LOAD, MMU_USER, 0xd);
    expect_fault(c, 0x80000000, ACCESS_LOAD, MMU_USER, 4);
    g_aligned_free(c);
}

static void test_no_paging(void)
{
    X86Cpu *c = new_cpu();
    MemAttrs attrs;
    hwaddr pa;

    expect_page(c, 0x123456, ACCESS_STORE, MMU_KERNEL, 0x123000, RWX);
    c->a20_mask_bit = 1u << 20;
    expect_page(c, 0x123456, ACCESS_STORE, MMU_KERNEL, 0x23000, RWX);
    g_assert_true(x86_debug_translate(&c->cpu, 0x123456, &pa, &attrs));
    g_assert_cmphex(pa, ==, 0x23456);
    g_aligned_free(c);
}

/* SDM 3A 4.6.2: a key's two bits deny access and writing to user pages, at all levels. */
static void test_keys(void)
{
    X86Cpu *c = new_long_mode(P | W | U);

    *entry(0x4000, 0) = 0x5000 | P | W | U | 3ull << 59;
    *entry(0x4000, 1) = 0x6000 | P | W | 3ull << 59;
    c->pkru = 2u << 6;
    expect_page(c, 0, ACCESS_STORE, MMU_USER, 0x5000, RWX);         /* not without CR4.PKE */
    c->cr4 |= CR4_PKE;
    expect_page(c, 0, ACCESS_LOAD, MMU_USER, 0x5000, RX);
    expect_fault(c, 0, ACCESS_STORE, MMU_USER, 32 | 4 | 2 | 1);
    expect_fault(c, 0, ACCESS_STORE, MMU_KERNEL, 32 | 2 | 1);
    expect_page(c, 0x1000, ACCESS_STORE, MMU_KERNEL, 0x6000, RWX);  /* not for supervisor pages */
    c->cr0 &= ~(uint64_t)CR0_WP;
    expect_page(c, 0, ACCESS_STORE, MMU_KERNEL, 0x5000, RWX);
    c->pkru = 1u << 6;
    expect_fault(c, 0, ACCESS_LOAD, MMU_KERNEL, 32 | 1);
    expect_page(c, 0, ACCESS_FETCH, MMU_USER, 0x5000, TLB_PROT_EXEC);
    g_aligned_free(c);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    vm = vm_new();
    address_spaces_init(vm);
    g_assert_true(region_init_ram(&ram, NULL, "test.ram", RAM_SIZE, &error));
    region_add(vm->memory, 0, &ram, 0);
    g_test_add_func("/x86/paging/keys", test_keys);
    g_test_add_func("/x86/paging/long", test_long);
    g_test_add_func("/x86/paging/large", test_large);
    g_test_add_func("/x86/paging/smep-smap", test_smep_smap);
    g_test_add_func("/x86/paging/legacy", test_legacy);
    g_test_add_func("/x86/paging/pae", test_pae);
    g_test_add_func("/x86/paging/none", test_no_paging);
    return g_test_run();
}
