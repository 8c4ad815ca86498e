// SPDX-License-Identifier: GPL-2.0-or-later
/* The local APIC: priorities, end of interrupt, IPIs, MSI window, timer, mode changes. */
#include "accel/accel.h"
#include "exec/bank.h"
#include "exec/memory.h"
#include "exec/x86-apic.h"
#include "qom/vm.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define PAGE APIC_BASE_ADDRESS
enum {
    ID = 0x20, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0, ISR = 0x100, IRR = 0x200,
    ICR = 0x300, ICR2 = 0x310, LVT_TIMER = 0x320, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0,
};

static const DeviceType test_cpu_type = {
    .name = "test-apic-cpu", .desc = "owner of an APIC", .category = "misc", .internal = true, .size = sizeof(Cpu),
};
DEVICE_TYPE(test_cpu_type);

/* An accelerator without vCPU threads, one machine and two CPUs for all tests. */
static const AccelType no_accel = {.object = {.name = "test-apic-accel"}, .no_cpus = true};
static Accel accel = {.type = &no_accel};
static Vm *vm;
static Cpu *cpus[2];
static Device *apics[2];

static void make_cpu(unsigned i)
{
    g_autoptr(GError) error = NULL;

    cpus[i] = (Cpu *)device_create(vm, "test-apic-cpu", NULL, NULL, &error, NULL);
    g_assert_no_error(error);
    cpus[i]->index = i;
    apics[i] = apic_create(cpus[i], i, true, &error);
    g_assert_no_error(error);
}

static MemAttrs attrs(unsigned i)
{
    return (MemAttrs){ .is_cpu = 1, .cpu_index = i };
}

static uint32_t get(unsigned i, unsigned reg)
{
    return address_space_load(vm->memory_as, PAGE + reg, 4, DEV_LITTLE, attrs(i), NULL);
}

static void put(unsigned i, unsigned reg, uint32_t v)
{
    address_space_store(vm->memory_as, PAGE + reg, v, 4, DEV_LITTLE, attrs(i));
}

/* A device's message: destination 0xff000 bits 12-19, logical mode bit 2. */
static void msi(uint32_t address, uint32_t data)
{
    address_space_store(vm->memory_as, PAGE | address, data, 4, DEV_LITTLE, ATTRS_NONE);
}

static void fresh(void)
{
    for (unsigned i = 0; i < 2; i++) {
        device_reset(apics[i]);
        cpus[i]->pending = 0;
        put(i, SVR, 0x1ff);
    }
}

static void test_priority(void)
{
    fresh();
    g_assert_cmphex(get(1, ID), ==, 1u << 24);
    msi(0, 0x41);
    msi(0, 0x52);
    g_assert_true(cpus[0]->pending & CPU_PENDING_HARD);
    g_assert_false(cpus[1]->pending & CPU_PENDING_HARD);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x52);
    g_assert_cmphex(get(0, PPR), ==, 0x50);
    g_assert_cmphex(get(0, ISR + 0x20), ==, 1u << 18);
    g_assert_false(apic_has_interrupt(apics[0]));    /* 41h waits behind 52h */
    put(0, EOI, 0);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x41);
    put(0, EOI, 0);
    apic_set_cr8(apics[0], 6);
    g_assert_cmphex(get(0, TPR), ==, 0x60);
    msi(0, 0x61);
    g_assert_false(apic_has_interrupt(apics[0]));
    put(0, TPR, 0x50);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x61);
}

static void test_destinations(void)
{
    fresh();
    msi(1u << 12, 0x41);
    g_assert_true(apic_has_interrupt(apics[1]) && !apic_has_interrupt(apics[0]));
    msi(0xffu << 12, 0x42);
    g_assert_true(apic_has_interrupt(apics[0]));
    fresh();
    put(0, LDR, 1u << 24);
    put(1, LDR, 2u << 24);
    msi(2u << 12 | 4, 0x43);
    g_assert_true(apic_has_interrupt(apics[1]) && !apic_has_interrupt(apics[0]));
    fresh();
    put(0, TPR, 0x20);
    msi(0xffu << 12, 0x143);    /* lowest priority: CPU 1 is less busy */
    g_assert_true(apic_has_interrupt(apics[1]) && !apic_has_interrupt(apics[0]));
}

static void test_ipi(void)
{
    fresh();
    put(0, ICR2, 1u << 24);
    put(0, ICR, 0x4500);
    g_assert_true(cpus[1]->pending & X86_PENDING_INIT);
    put(0, ICR, 0x4699);
    g_assert_true(cpus[1]->pending & X86_PENDING_SIPI);
    g_assert_cmphex(apic_sipi_vector(apics[1]), ==, 0x99);
    put(0, ICR, 3u << 18 | 0x4400);    /* NMI to all but self */
    g_assert_true(cpus[1]->pending & CPU_PENDING_NMI);
    g_assert_false(cpus[0]->pending & CPU_PENDING_NMI);
    put(0, ICR, 1u << 18 | 0x4055);    /* self */
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x55);
}

static void test_timer(void)
{
    int64_t now;

    fresh();
    now = clock_now_ns(CLOCK_GUEST);
    put(0, DIVIDE, 0);    /* by 2 */
    put(0, LVT_TIMER, 0x20040);    /* periodic */
    put(0, INITIAL, 500);
    g_assert_cmpuint(get(0, CURRENT), ==, 500);
    clock_guest_advance_to(now + 500);
    g_assert_cmpuint(get(0, CURRENT), ==, 250);
    g_assert_false(apic_has_interrupt(apics[0]));
    clock_guest_advance_to(now + 1000);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x40);
    put(0, EOI, 0);
    clock_guest_advance_to(now + 2000);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x40);
    put(0, EOI, 0);
    put(0, LVT_TIMER, 0x40041);    /* TSC deadline */
    apic_set_tsc_deadline(apics[0], 77, now + 3000);
    g_assert_cmpuint(apic_tsc_deadline(apics[0]), ==, 77);
    clock_guest_advance_to(now + 3000);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x41);
    g_assert_cmpuint(apic_tsc_deadline(apics[0]), ==, 0);
}

static void test_x2apic(void)
{
    uint64_t v;

    fresh();
    g_assert_false(apic_msr_read(apics[1], 2, &v));
    g_assert_false(apic_set_base(apics[1], PAGE | APIC_BASE_X2APIC));
    g_assert_true(apic_set_base(apics[1], PAGE | APIC_BASE_ENABLE | APIC_BASE_X2APIC));
    g_assert_true(apic_msr_read(apics[1], 2, &v));
    g_assert_cmphex(v, ==, 1);
    g_assert_true(apic_msr_read(apics[1], 0xd, &v));
    g_assert_cmphex(v, ==, 2);
    g_assert_true(apic_msr_write(apics[1], 0x3f, 0x66));    /* self IPI */
    g_assert_cmpint(apic_take_interrupt(apics[1]), ==, 0x66);
    g_assert_false(apic_msr_write(apics[1], 0xb, 1));
    g_assert_true(apic_msr_write(apics[1], 0xb, 0));
    g_assert_false(apic_msr_write(apics[1], 2, 0));
    g_assert_false(apic_set_base(apics[1], PAGE | APIC_BASE_ENABLE));
    g_assert_true(apic_set_base(apics[1], PAGE));
}

static void ioapic_write(Device *d, unsigned reg, uint32_t value)
{
    bank_write(d, "mmio", 0, reg, 4);
    bank_write(d, "mmio", 0x10, value, 4);
}

/* A level that is still there at the end of interrupt, or there again, comes once more. */
static void test_level(void)
{
    g_autoptr(GError) error = NULL;
    Device *ioapic = device_create(vm, "ioapic", NULL, NULL, &error, NULL);

    g_assert_no_error(error);
    fresh();
    ioapic_write(ioapic, 0x10 + 2 * 10 + 1, 0);
    ioapic_write(ioapic, 0x10 + 2 * 10, 1 << 15 | 0x46);
    g_assert_true(device_pin_in(ioapic, "in", 10, 1));
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x46);
    device_pin_in(ioapic, "in", 10, 0);
    device_pin_in(ioapic, "in", 10, 1);
    g_assert_false(apic_has_interrupt(apics[0]));
    put(0, EOI, 0);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x46);
    put(0, EOI, 0);
    g_assert_cmpint(apic_take_interrupt(apics[0]), ==, 0x46);
    device_pin_in(ioapic, "in", 10, 0);
    put(0, EOI, 0);
    g_assert_false(apic_has_interrupt(apics[0]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    clock_guest_manual();
    vm = vm_new();
    vm->accel = &accel;
    address_spaces_init(vm);
    system_bus_new(vm);
    make_cpu(0);
    make_cpu(1);
    g_test_add_func("/apic/priority", test_priority);
    g_test_add_func("/apic/destinations", test_destinations);
    g_test_add_func("/apic/ipi", test_ipi);
    g_test_add_func("/apic/timer", test_timer);
    g_test_add_func("/apic/x2apic", test_x2apic);
    g_test_add_func("/apic/level", test_level);
    return g_test_run();
}
