// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * target-i386/kvm against a kernel that writes everything down (kvm-mock.h): the order of requests
 * when a VM and a vCPU come to be, registers both ways, exits, interrupts, breakpoints, and what
 * happens when the kernel refuses (Documentation/virt/kvm/api.rst).
 */
#include "../kvm-mock.h"

#include "qom/vm.h"
#include "target-i386/kvm/x86-kvm.h"
#include "util/main-loop.h"

static Vm *vm;
static Cpu *cpu;
static GHashTable *msrs; /* index -> value */

static struct {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_xsave xsave;
    struct kvm_xcrs xcrs;
    struct kvm_debugregs debug;
    struct kvm_vcpu_events events;
} kept;

/* A request that sets or gets one structure. */
static const struct {
    unsigned long set, get;
    void *at;
    size_t size;
    const char *name;
} plain[] = {
    {KVM_SET_REGS, KVM_GET_REGS, &kept.regs, sizeof(kept.regs), "regs"},
    {KVM_SET_SREGS, KVM_GET_SREGS, &kept.sregs, sizeof(kept.sregs), "sregs"},
    {KVM_SET_XSAVE, KVM_GET_XSAVE, &kept.xsave, sizeof(kept.xsave), "xsave"},
    {KVM_SET_XCRS, KVM_GET_XCRS, &kept.xcrs, sizeof(kept.xcrs), "xcrs"},
    {KVM_SET_DEBUGREGS, KVM_GET_DEBUGREGS, &kept.debug, sizeof(kept.debug), "debugregs"},
    {KVM_SET_VCPU_EVENTS, KVM_GET_VCPU_EVENTS, &kept.events, sizeof(kept.events), "events"},
};

static int msr_list(struct kvm_msr_list *list)
{
    static const uint32_t there[] = {0x174, 0xc0000081, 0xc0000082, 0xc0000102};
    const unsigned room = list->nmsrs;

    list->nmsrs = G_N_ELEMENTS(there);
    if (room < list->nmsrs) {
        return mock_fail(E2BIG);
    }
    memcpy(list->indices, there, sizeof(there));
    return 0;
}

static int some_msrs(struct kvm_msrs *m, bool set)
{
    for (unsigned i = 0; i < m->nmsrs; i++) {
        gpointer index = GUINT_TO_POINTER(m->entries[i].index);

        if (set) {
            g_hash_table_insert(msrs, index, GSIZE_TO_POINTER(m->entries[i].data));
        } else {
            m->entries[i].data = GPOINTER_TO_SIZE(g_hash_table_lookup(msrs, index));
        }
    }
    return (int)m->nmsrs;
}

static int supported(struct kvm_cpuid2 *c)
{
    c->nent = 2;
    c->entries[0] = (struct kvm_cpuid_entry2){.function = 1, .ecx = 0x80000001, .edx = 0x0781abfd};
    c->entries[1] = (struct kvm_cpuid_entry2){.function = 0x80000001, .edx = 0x20100800};
    return 0;
}

static int x86_control(int fd, unsigned long request, void *arg)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(plain); i++) {
        if (request == plain[i].set) {
            mock_note("set %s", plain[i].name);
            memcpy(plain[i].at, arg, plain[i].size);
            return 0;
        }
        if (request == plain[i].get) {
            memcpy(arg, plain[i].at, plain[i].size);
            return 0;
        }
    }
    switch (request) {
    case KVM_SET_IDENTITY_MAP_ADDR:
        mock_note("identity_map 0x%" G_GINT64_MODIFIER "x", *(const uint64_t *)arg);
        return 0;
    case KVM_SET_TSS_ADDR:
        mock_note("tss 0x%lx", (unsigned long)(uintptr_t)arg);
        return 0;
    case KVM_GET_MSR_INDEX_LIST:
        return msr_list(arg);
    case KVM_GET_SUPPORTED_CPUID:
        mock_note("supported_cpuid");
        return supported(arg);
    case KVM_SET_CPUID2:
        mock_note("cpuid2");
        return 0;
    case KVM_SET_MSRS:
        return some_msrs(arg, true);
    case KVM_GET_MSRS:
        return some_msrs(arg, false);
    case KVM_NMI:
        mock_note("nmi");
        return 0;
    case KVM_SET_GUEST_DEBUG: {
        const struct kvm_guest_debug *d = arg;
        mock_note("dr0 0x%llx dr7 0x%llx", d->arch.debugreg[0], d->arch.debugreg[7]);
        return 0;
    }
    default:
        return MOCK_OTHER;
    }
}

static void test_begin(void)
{
    char *list[] = {(char *)"kvm", NULL};
    GError *error = NULL;

    mock.capability[KVM_CAP_SET_IDENTITY_MAP_ADDR] = mock.capability[KVM_CAP_SET_TSS_ADDR] = 1;
    mock.capability[KVM_CAP_XSAVE] = mock.capability[KVM_CAP_XCRS] = 1;
    mock.fail_request = KVM_SET_TSS_ADDR;
    g_assert_false(accel_start(vm, list, &error));
    g_assert_nonnull(strstr(error->message, "KVM_SET_TSS_ADDR"));
    g_clear_error(&error);
    mock_expect("open\napi_version\ncreate_vm 0\nmmap_size\nidentity_map 0xfeffc000\nrefused\n"
                "close 1001\nclose 1000\n");
    mock.open = 0;
    accel_start(vm, list, &error);
    g_assert_no_error(error);
    mock_expect("open\napi_version\ncreate_vm 0\nmmap_size\nidentity_map 0xfeffc000\n"
                "tss 0xfeffd000\nsupported_cpuid\n");
}

static void test_cpu(void)
{
    GError *error = NULL;

    cpu = target_arch->create(vm, "host,-apic", &error);
    g_assert_no_error(error);
    device_realize(&cpu->dev, NULL, NULL, &error);
    g_assert_no_error(error);
    mock_expect("create_vcpu 0\nmap 0\ncpuid2\n");
}

static void test_registers(void)
{
    X86Cpu *c = X86(cpu);

    c->rip = 0x7c00;
    c->regs[0] = 0x1122334455667788;
    c->lstar = 0xffffffff81000000;
    g_assert_true(x86_kvm_put(cpu));
    g_assert_nonnull(strstr(mock.log->str, "set sregs"));
    g_assert_nonnull(strstr(mock.log->str, "set regs"));
    g_assert_null(strstr(mock.log->str, "unknown"));
    g_string_truncate(mock.log, 0);
    g_assert_cmphex(kept.regs.rip, ==, 0x7c00);
    g_assert_cmphex(kept.regs.rax, ==, 0x1122334455667788);
    g_assert_cmphex(GPOINTER_TO_SIZE(g_hash_table_lookup(msrs, GUINT_TO_POINTER(0xc0000082))), ==,
                    0xffffffff81000000);
    g_assert_false(g_hash_table_contains(msrs, GUINT_TO_POINTER(0xc0000103))); /* not listed */
    kept.regs.rbx = 0xb;
    kept.sregs.cr3 = 0x1000;
    c->rip = c->regs[0] = c->lstar = 0;
    g_assert_true(x86_kvm_get(cpu));
    g_assert_cmphex(c->rip, ==, 0x7c00);
    g_assert_cmphex(c->regs[0], ==, 0x1122334455667788);
    g_assert_cmphex(c->regs[3], ==, 0xb);
    g_assert_cmphex(c->cr3, ==, 0x1000);
    g_assert_cmphex(c->lstar, ==, 0xffffffff81000000);
    mock.fail_request = KVM_SET_SREGS;
    g_assert_false(x86_kvm_put(cpu));
    g_string_truncate(mock.log, 0);
}

/* ---- running ---- */

static unsigned steps;
static uint64_t stored;

static uint64_t port_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0x5a;
}

static void port_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    stored = stored << 8 | value;
}

static int some_exits(unsigned n, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + 2048;

    run->exit_reason = KVM_EXIT_IO;
    run->io.port = 0x80;
    run->io.size = 1;
    run->io.data_offset = 2048;
    switch (steps++) {
    case 0: /* REP OUTSB: three at once */
        run->io.direction = KVM_EXIT_IO_OUT;
        run->io.count = 3;
        memcpy(data, "\1\2\3", 3);
        return 0;
    case 1:
        run->io.direction = KVM_EXIT_IO_IN;
        run->io.count = 1;
        return 0;
    case 2:
        g_assert_cmphex(data[0], ==, 0x5a);
        return mock_fail(EAGAIN);
    default:
        run->exit_reason = KVM_EXIT_SHUTDOWN;
        return 0;
    }
}

static void test_run(void)
{
    static const RegionOps ops = {
        .read = port_read, .write = port_write, .min_size = 1, .max_size = 4};
    static Region port;

    region_init_io(&port, NULL, "port", 1, &ops, NULL);
    region_add(vm->io, 0x80, &port, 0);
    cpu->halted = false;
    kvm_cpu(cpu)->synced = false;
    atomic_store(&cpu->pending, CPU_PENDING_NMI);
    mock.step = some_exits;
    machine_unlock();
    g_assert_cmpint(kvm_cpu_exec(cpu), ==, CPU_EXEC_AGAIN);
    machine_lock();
    mock_expect("nmi\nrun 0\nrun 0\nrun 0\nrun 0\n");
    g_assert_cmphex(stored, ==, 0x010203);
    g_assert_true(cpu->stop_requested);
    cpu->stop_requested = false;
}

static void test_debug(void)
{
    Breakpoint w = {.va = 0x1000, .len = 4, .flags = BP_DEBUGGER | BP_WRITE};

    cpu->watchpoints = g_array_new(FALSE, FALSE, sizeof(Breakpoint));
    g_array_append_val(cpu->watchpoints, w);
    kvm_debug_changed(cpu);
    mock_expect("guest_debug 0 0x20001\ndr0 0x1000 dr7 0xd0602\n");
    g_clear_pointer(&cpu->watchpoints, g_array_unref);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    msrs = g_hash_table_new(NULL, NULL);
    mock_start(x86_control);
    vm = vm_new();
    system_bus_new(vm);
    address_spaces_init(vm);
    g_test_add_func("/x86-kvm/begin", test_begin);
    g_test_add_func("/x86-kvm/cpu", test_cpu);
    g_test_add_func("/x86-kvm/registers", test_registers);
    g_test_add_func("/x86-kvm/run", test_run);
    g_test_add_func("/x86-kvm/debug", test_debug);
    return g_test_run();
}
