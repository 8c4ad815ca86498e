// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * target-arm/kvm against a kernel that writes everything down (kvm-mock.h): the order of requests
 * and their arguments when a VM, vCPUs and a GIC come to be, registers both ways, exits, lines,
 * breakpoints, and what happens when the kernel refuses (Documentation/virt/kvm).
 */
#include "../kvm-mock.h"

#include "exec/bank.h"
#include "qom/vm.h"
#include "target-arm/kvm/arm-kvm.h"
#include "target-arm/kvm/gic.h"
#include "util/main-loop.h"

enum {
    MPIDR_AFF = 0x80000000,
    REGS = 64
};

/* One register file for all vCPUs and attributes: a number and its value. */
static GHashTable *kept; /* "fd group attr" -> GBytes */
static Vm *vm;
static KvmGic *gic;

static const uint64_t listed[] = {
    KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | 0,
    ARM64_SYS_REG(3, 0, 0, 0, 0), /* MIDR_EL1: the kernel's */
    ARM64_SYS_REG(3, 0, 1, 0, 0), /* SCTLR_EL1 */
    ARM64_SYS_REG(3, 0, 2, 0, 0), /* TTBR0_EL1 */
    ARM64_SYS_REG(3, 0, 12, 0, 0), /* VBAR_EL1 */
    KVM_REG_ARM_TIMER_CNT, /* time: the kernel's */
    KVM_REG_ARM_PSCI_VERSION,
};

static char *key(int fd, uint64_t group, uint64_t attr)
{
    return g_strdup_printf("%d %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER "x", fd, group, attr);
}

static void keep(int fd, uint64_t group, uint64_t attr, const void *data, size_t size)
{
    g_hash_table_replace(kept, key(fd, group, attr), g_bytes_new(data, size));
}

static bool fetch(int fd, uint64_t group, uint64_t attr, void *data, size_t size)
{
    g_autofree char *k = key(fd, group, attr);
    GBytes *b = g_hash_table_lookup(kept, k);

    memset(data, 0, size);
    if (b) {
        g_assert_cmpuint(g_bytes_get_size(b), ==, size);
        memcpy(data, g_bytes_get_data(b, NULL), size);
    }
    return b != NULL;
}

static int one_reg(int fd, const struct kvm_one_reg *r, bool set)
{
    void *at = (void *)(uintptr_t)r->addr;
    const size_t size = KVM_REG_SIZE(r->id);
    const uint64_t id = r->id & 0xffff;

    if (set) {
        keep(fd, REGS, r->id, at, size);
    } else if (!fetch(fd, REGS, r->id, at, size) && r->id == ARM64_SYS_REG(3, 0, 0, 4, 0)) {
        *(uint64_t *)at = 0x11; /* ID_AA64PFR0_EL1: EL0 and EL1 in AArch64 */
    } else if (id == 0xffffff) {
        return mock_fail(ENOENT);
    }
    return 0;
}

static int reg_list(struct kvm_reg_list *list)
{
    const uint64_t room = list->n;

    list->n = G_N_ELEMENTS(listed);
    if (room < list->n) {
        return mock_fail(E2BIG);
    }
    memcpy(list->reg, listed, sizeof(listed));
    return 0;
}

static int attribute(int fd, unsigned long request, const struct kvm_device_attr *a)
{
    static const uint8_t sizes[] = {8, 4, 4, 4, 0, 4, 8, 4};
    const bool device = fd >= MOCK_DEVICE;
    const size_t size = device ? sizes[a->group] : 4;
    void *at = (void *)(uintptr_t)a->addr;

    if (request == KVM_HAS_DEVICE_ATTR) {
        return 0;
    }
    if (request == KVM_GET_DEVICE_ATTR) {
        fetch(fd, a->group, a->attr, at, size);
        return 0;
    }
    if (at && size) {
        keep(fd, a->group, a->attr, at, size);
    }
    if (!device || a->group == KVM_DEV_ARM_VGIC_GRP_ADDR ||
        a->group == KVM_DEV_ARM_VGIC_GRP_NR_IRQS || a->group == KVM_DEV_ARM_VGIC_GRP_CTRL) {
        uint64_t v = 0;
        memcpy(&v, at ? at : &v, at ? (size ? size : 4) : 0);
        mock_note("set %s %u.%llu 0x%" G_GINT64_MODIFIER "x", device ? "device" : "vcpu", a->group,
                  a->attr, v);
    }
    return 0;
}

static int create_device(struct kvm_create_device *d)
{
    if (d->flags & KVM_CREATE_DEVICE_TEST) {
        return 0;
    }
    mock_note("create_device %u", d->type);
    mock.open++;
    d->fd = MOCK_DEVICE + mock.num_devices++;
    return 0;
}

static int arm_control(int fd, unsigned long request, void *arg)
{
    const struct kvm_vcpu_init *init = arg;
    const struct kvm_irq_level *line = arg;
    struct kvm_mp_state *power = arg;

    switch (request) {
    case KVM_ARM_PREFERRED_TARGET:
        *(struct kvm_vcpu_init *)arg = (struct kvm_vcpu_init){.target = KVM_ARM_TARGET_GENERIC_V8};
        return 0;
    case KVM_ARM_VCPU_INIT:
        g_assert_cmpuint(init->target, ==, KVM_ARM_TARGET_GENERIC_V8);
        mock_note("vcpu_init %d features 0x%x", fd - MOCK_CPU, init->features[0]);
        return 0;
    case KVM_GET_REG_LIST:
        return reg_list(arg);
    case KVM_GET_ONE_REG:
        return one_reg(fd, arg, false);
    case KVM_SET_ONE_REG:
        return one_reg(fd, arg, true);
    case KVM_SET_DEVICE_ATTR:
    case KVM_GET_DEVICE_ATTR:
    case KVM_HAS_DEVICE_ATTR:
        return attribute(fd, request, arg);
    case KVM_CREATE_DEVICE:
        return create_device(arg);
    case KVM_IRQ_LINE:
        mock_note("irq 0x%x %u", line->irq, line->level);
        return 0;
    case KVM_SIGNAL_MSI: {
        const struct kvm_msi *m = arg;
        mock_note("msi 0x%x %u devid 0x%x flags 0x%x", m->address_lo, m->data, m->devid, m->flags);
        return 1;
    }
    case KVM_SET_MP_STATE:
        mock_note("power %d %u", fd - MOCK_CPU, power->mp_state);
        return 0;
    case KVM_GET_MP_STATE:
        power->mp_state = KVM_MP_STATE_RUNNABLE;
        return 0;
    case KVM_SET_GUEST_DEBUG: {
        const struct kvm_guest_debug *d = arg;
        mock_note("bp 0x%llx 0x%llx wp 0x%llx 0x%llx", d->arch.dbg_bvr[0], d->arch.dbg_bcr[0],
                  d->arch.dbg_wvr[0], d->arch.dbg_wcr[0]);
        return 0;
    }
    default:
        return MOCK_OTHER;
    }
}

/* ---- coming to be ---- */

static Cpu *new_cpu(const char *more)
{
    g_autofree char *model = g_strdup_printf("host%s", more);
    GError *error = NULL;
    Cpu *cpu = target_arch->create(vm, model, &error);

    g_assert_no_error(error);
    g_assert_true(object_set_text(&cpu->dev.obj, "has_el2", "off", &error) &&
                  object_set_text(&cpu->dev.obj, "has_el3", "off", &error) &&
                  object_set_text(&cpu->dev.obj, "start-powered-off",
                                  vm->cpus && vm->cpus->len ? "on" : "off", &error));
    device_realize(&cpu->dev, NULL, NULL, &error);
    g_assert_no_error(error);
    return cpu;
}

static void test_begin(void)
{
    char *list[] = {(char *)"kvm", NULL};
    GError *error = NULL;

    mock.capability[KVM_CAP_ONE_REG] = mock.capability[KVM_CAP_ARM_PSCI_0_2] = 1;
    mock.capability[KVM_CAP_DEVICE_CTRL] = 1;
    mock.capability[KVM_CAP_ARM_PMU_V3] = 1;
    mock.capability[KVM_CAP_ARM_VM_IPA_SIZE] = 36;
    mock.capability[KVM_CAP_GUEST_DEBUG_HW_BPS] = mock.capability[KVM_CAP_GUEST_DEBUG_HW_WPS] = 2;
    g_assert_false(accel_start(vm, list, &error)); /* something is missing: all is closed */
    g_assert_nonnull(strstr(error->message, "KVM_CAP_MP_STATE"));
    g_clear_error(&error);
    g_assert_cmpint(mock.open, ==, 0);
    g_string_truncate(mock.log, 0);

    mock.capability[KVM_CAP_MP_STATE] = 1;
    mock.num_vms = 0;
    accel_start(vm, list, &error);
    g_assert_no_error(error);
    /* a second VM, with a vCPU, tells what the host is */
    mock_expect("open\napi_version\ncreate_vm 36\nmmap_size\ncreate_vm 0\ncreate_vcpu 0\n"
                "vcpu_init 0 features 0x0\nclose 1100\nclose 1002\n");
    mock.num_cpus = 0;
}

static void test_cpus(void)
{
    GError *error = NULL;

    g_assert_null(target_arch->create(vm, "cortex-a53", &error));
    g_assert_nonnull(strstr(error->message, "must be 'host'"));
    g_clear_error(&error);
    new_cpu("");
    /* PSCI 0.2 and a PMU; the second one is off */
    mock_expect("create_vcpu 0\nmap 0\nvcpu_init 0 features 0xc\n");
    new_cpu("");
    mock_expect("create_vcpu 1\nmap 1\nvcpu_init 1 features 0xd\n");
}

static void test_gic(void)
{
    GError *error = NULL;

    g_assert_null(device_create(vm, "kvm-arm-gicv3", NULL, NULL, &error, "num-irq", "65", NULL));
    g_assert_nonnull(strstr(error->message, "num-irq=65"));
    g_clear_error(&error);
    mock.fail_request = KVM_SET_DEVICE_ATTR;
    g_assert_null(device_create(vm, "kvm-arm-gicv3", NULL, NULL, &error, "num-irq", "96", NULL));
    g_assert_nonnull(strstr(error->message, "number of interrupts"));
    g_clear_error(&error);
    mock_expect("create_device 7\nrefused\nclose 1200\n");
    gic = (KvmGic *)device_create(vm, "kvm-arm-gicv3", NULL, NULL, &error, "num-irq", "96",
                                  "dist-base", "0x8000000", "redist-base", "0x80a0000",
                                  "redist-count", "1", "redist-base-high", "0x4000000000", NULL);
    g_assert_no_error(error);
    /* number, distributor, both regions, init; then the PMUs */
    mock_expect("create_device 7\nset device 3.0 0x60\nset device 0.2 0x8000000\n"
                "set device 0.5 0x100000080a0000\nset device 0.5 0x10004000000001\n"
                "set device 4.0 0x0\n"
                "set vcpu 0.0 0x17\nset vcpu 0.1 0x0\nset vcpu 0.0 0x17\nset vcpu 0.1 0x0\n");
}

static void test_its(void)
{
    GError *error = NULL;
    Device *its;
    const MemAttrs attrs = {.requester_id = 0x123};

    g_assert_cmpuint(vm->accel->type->gic_versions(vm->accel), ==, 1u << 2 | 1u << 3);
    mock.capability[KVM_CAP_MSI_DEVID] = 1;
    g_assert_cmpuint(vm->accel->type->gic_versions(vm->accel), ==,
                     1u << 2 | 1u << 3 | ACCEL_GIC_ITS);
    mock.fail_request = KVM_SET_DEVICE_ATTR;
    g_assert_null(device_create(vm, "kvm-arm-its", NULL, NULL, &error, NULL));
    g_assert_nonnull(strstr(error->message, "ITS's address"));
    g_clear_error(&error);
    mock_expect("create_device 8\nrefused\nclose 1202\n");
    its = device_create(vm, "kvm-arm-its", NULL, NULL, &error, "base", "0x8080000", NULL);
    g_assert_no_error(error);
    mock_expect("create_device 8\nset device 0.4 0x8080000\nset device 4.0 0x0\n");
    /* messages of devices go on with their requester; what is no message does not */
    device_map(its, "translation", 0x8090000);
    address_space_store(vm->memory_as, 0x8090040, 7, 4, DEV_LITTLE, attrs);
    address_space_store(vm->memory_as, 0x8090044, 9, 4, DEV_LITTLE, attrs);
    mock_expect("msi 0x8090040 7 devid 0x123 flags 0x1\n");
    mock.fail_request = KVM_SIGNAL_MSI;
    address_space_store(vm->memory_as, 0x8090040, 8, 4, DEV_LITTLE, attrs);
    mock_expect("refused\n");
    device_reset(its);
    mock_expect("set device 4.4 0x0\n");
}

/* ---- registers ---- */

static void test_gic_state(void)
{
    const int fd = gic->fd;
    const uint64_t second = 1ull << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT;
    uint32_t v = 0x55, enabled;
    uint64_t pmr = 0xf8;
    GArray *image;

    keep(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x104, &v, 4);
    keep(fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, second | 0x10100, &v, 4);
    keep(fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, second | 0xc230, &pmr, 8);
    image = kvm_gic_save(gic);
    g_assert_nonnull(image);
    g_assert_true(kvm_gic_clear(gic));
    g_assert_true(fetch(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x104, &enabled, 4));
    g_assert_cmpuint(enabled, ==, 0);
    /* what is set by ones is cleared by ones of another register */
    g_assert_true(fetch(fd, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x184, &enabled, 4));
    g_assert_cmpuint(enabled, ==, UINT32_MAX);
    g_assert_true(kvm_gic_restore(gic, image));
    fetch(fd, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, second | 0x10100, &enabled, 4);
    g_assert_cmpuint(enabled, ==, 0x55);
    fetch(fd, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, second | 0xc230, &pmr, 8);
    g_assert_cmpuint(pmr, ==, 0xf8);
    g_array_set_size(image, image->len - 1);
    g_assert_false(kvm_gic_restore(gic, image)); /* of another GIC */
    g_array_free(image, TRUE);
    mock.fail_request = KVM_GET_DEVICE_ATTR;
    g_assert_null(kvm_gic_save(gic));
    mock_expect("refused\n");
}

static void test_registers(void)
{
    Cpu *cpu = g_ptr_array_index(vm->cpus, 1);
    ArmCpu *c = ARM(cpu);
    const int fd = kvm_cpu(cpu)->fd;
    uint64_t v;

    arm_set_pstate(c, 0x3c5); /* EL1h */
    for (unsigned i = 0; i < 31; i++) {
        c->x[i] = i * 0x1111;
    }
    c->x[31] = 0xffff0000; /* SP_EL1 */
    c->sp_el[0] = 0x1000;
    c->pc = 0x40080000;
    c->sctlr[1] = 0x30d00801;
    c->z[7].d[0] = 7;
    c->powered_off = true;
    g_assert_true(arm_kvm_put(cpu));
    mock_expect("vcpu_init 1 features 0xd\npower 1 5\n"); /* it was reset since */
    g_assert_true(fetch(fd, REGS, listed[0] + 2 * 31, &v, 8));
    g_assert_cmpuint(v, ==, 0x1000); /* sp is SP_EL0 */
    g_assert_true(fetch(fd, REGS, listed[0] + KVM_REG_ARM_CORE_REG(sp_el1), &v, 8));
    g_assert_cmpuint(v, ==, 0xffff0000);
    g_assert_true(fetch(fd, REGS, listed[2], &v, 8));
    g_assert_cmpuint(v, ==, 0x30d00801);
    g_assert_false(fetch(fd, REGS, listed[1], &v, 8)); /* never written */
    g_assert_false(fetch(fd, REGS, KVM_REG_ARM_TIMER_CNT, &v, 8));

    v = 0x3c4; /* EL1t: the other stack pointer */
    keep(fd, REGS, listed[0] + KVM_REG_ARM_CORE_REG(regs.pstate), &v, 8);
    memset(c->x, 0, sizeof(c->x));
    c->z[7].d[0] = c->sctlr[1] = c->pc = 0;
    g_assert_true(arm_kvm_get(cpu));
    g_assert_cmpuint(c->x[30], ==, 30 * 0x1111);
    g_assert_cmpuint(c->x[31], ==, 0x1000);
    g_assert_cmpuint(c->sp_el[1], ==, 0xffff0000);
    g_assert_cmpuint(c->pc, ==, 0x40080000);
    g_assert_cmpuint(c->sctlr[1], ==, 0x30d00801);
    g_assert_cmpuint(c->z[7].d[0], ==, 7);
    g_assert_false(c->powered_off);
    g_assert_true(arm_kvm_put(cpu));
    mock_expect("power 1 0\n");
    mock.fail_request = KVM_SET_ONE_REG;
    g_assert_false(arm_kvm_put(cpu));
    g_string_truncate(mock.log, 0);
}

static void test_a32_registers(void)
{
    Cpu *cpu = g_ptr_array_index(vm->cpus, 1);
    ArmCpu *c = ARM(cpu);
    const int fd = kvm_cpu(cpu)->fd;
    uint64_t v;

    arm_set_pstate(c, 0x1d3); /* Supervisor mode */
    for (unsigned i = 0; i < 15; i++) {
        c->x[i] = 0x100 + i;
    }
    c->bank_sp[BANK_USR] = 0x2000;
    c->bank_lr[BANK_IRQ] = 0x3000;
    g_assert_true(arm_kvm_put(cpu));
    fetch(fd, REGS, listed[0] + 2 * 19, &v, 8);
    g_assert_cmpuint(v, ==, 0x100 + 13); /* SP_svc */
    fetch(fd, REGS, listed[0] + 2 * 13, &v, 8);
    g_assert_cmpuint(v, ==, 0x2000); /* SP_usr */
    memset(c->x, 0, sizeof(c->x));
    c->bank_lr[BANK_IRQ] = 0;
    g_assert_true(arm_kvm_get(cpu));
    g_assert_cmpuint(c->x[13], ==, 0x100 + 13);
    g_assert_cmpuint(c->x[14], ==, 0x100 + 14);
    g_assert_cmpuint(c->x[8], ==, 0x108);
    g_assert_cmpuint(c->bank_lr[BANK_IRQ], ==, 0x3000);
    arm_set_pstate(c, 0x3c5);
    g_string_truncate(mock.log, 0);
}

/* ---- running ---- */

static unsigned steps;
static uint64_t stored;

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0x1234 + offset;
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    stored = value + offset;
}

static int some_exits(unsigned cpu, struct kvm_run *run)
{
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = 0x9000004;
    run->mmio.len = 4;
    switch (steps++) {
    case 0:
        run->mmio.is_write = 0;
        return 0;
    case 1:
        g_assert_cmphex(run->mmio.data[0] | run->mmio.data[1] << 8, ==, 0x1238);
        run->mmio.is_write = 1;
        memcpy(run->mmio.data, "\x10\0\0\0", 4);
        return 0;
    case 2:
        return mock_fail(EINTR);
    default:
        run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
        run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
        return 0;
    }
}

static void test_run(void)
{
    static const RegionOps ops = {
        .read = device_read, .write = device_write, .min_size = 1, .max_size = 8};
    static Region mmio;
    Cpu *cpu = g_ptr_array_index(vm->cpus, 0);

    region_init_io(&mmio, NULL, "device", 0x1000, &ops, NULL);
    region_add(vm->memory, 0x9000000, &mmio, 0);
    g_assert_true(arm_kvm_put(cpu));
    kvm_cpu(cpu)->synced = false;
    atomic_store(&cpu->pending, 0);
    g_string_truncate(mock.log, 0);
    mock.step = some_exits;
    machine_unlock();
    g_assert_cmpint(kvm_cpu_exec(cpu), ==, CPU_EXEC_AGAIN);
    machine_lock();
    mock_expect("run 0\nrun 0\nrun 0\nrun 0\n");
    g_assert_cmphex(stored, ==, 0x14);
    g_assert_true(cpu->stop_requested);
    cpu->stop_requested = false;
    kvm_cpu(cpu)->synced = true;
}

static void test_lines(void)
{
    device_pin_in(&gic->dev, "spi", 5, 1);
    device_pin_in(&gic->dev, "spi", 5, 0);
    device_pin_in(&gic->dev, "ppi", 32 + 23, 1);
    mock_expect("irq 0x1000025 1\nirq 0x1000025 0\nirq 0x2010017 1\n");
}

static void test_debug(void)
{
    Cpu *cpu = g_ptr_array_index(vm->cpus, 0);
    Breakpoint b = {.va = 0x40080000, .len = 4, .flags = BP_DEBUGGER | BP_EXEC};
    Breakpoint w = {.va = 0x40090002, .len = 2, .flags = BP_DEBUGGER | BP_WRITE};

    cpu->breakpoints = g_array_new(FALSE, FALSE, sizeof(Breakpoint));
    cpu->watchpoints = g_array_new(FALSE, FALSE, sizeof(Breakpoint));
    g_array_append_val(cpu->breakpoints, b);
    g_array_append_val(cpu->watchpoints, w);
    kvm_debug_changed(cpu);
    mock_expect("guest_debug 0 0x20001\nbp 0x40080000 0x1e7 wp 0x40090000 0x197\n");
    g_clear_pointer(&cpu->breakpoints, g_array_unref);
    g_clear_pointer(&cpu->watchpoints, g_array_unref);
    kvm_debug_changed(cpu);
    mock_expect("guest_debug 0 0x0\nbp 0x0 0x0 wp 0x0 0x0\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    mock_start(arm_control);
    vm = vm_new();
    system_bus_new(vm);
    address_spaces_init(vm);
    g_test_add_func("/arm-kvm/begin", test_begin);
    g_test_add_func("/arm-kvm/cpus", test_cpus);
    g_test_add_func("/arm-kvm/gic", test_gic);
    g_test_add_func("/arm-kvm/its", test_its);
    g_test_add_func("/arm-kvm/gic-state", test_gic_state);
    g_test_add_func("/arm-kvm/registers", test_registers);
    g_test_add_func("/arm-kvm/a32-registers", test_a32_registers);
    g_test_add_func("/arm-kvm/run", test_run);
    g_test_add_func("/arm-kvm/lines", test_lines);
    g_test_add_func("/arm-kvm/debug", test_debug);
    return g_test_run();
}
