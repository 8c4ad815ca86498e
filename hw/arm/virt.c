// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The board virt: a machine for virtual guests, made of a GIC, PrimeCell UART, clock and GPIO,
 * flash, PCI Express, virtio transports, and fw_cfg, all described to the guest by a device tree
 * (virt-dt.c) and ACPI tables (virt-acpi.c). Secure devices are reached through gates that let
 * only secure accesses pass.
 */
#include "accel/accel.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/nvdimm.h"
#include "hw/mem/memory-device.h"
#include "hw/arm/virt.h"
#include <stdio.h>
#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/loader.h"
#include "exec/memory-backend.h"
#include "hw/block/pflash.h"
#include "hw/nvram/smbios.h"
#include "hw/virtio/virtio-mmio.h"
#include "net/net.h"
#include "qom/runstate.h"

#define FLASH_SECTOR (256 * KIB)
#define REDIST_SIZE 0x20000
#define RAM_LIMIT (255 * GIB)
#define HIGH_BASE (256 * GIB)
#define LOW_LIMIT (4 * GIB)

const VirtRange virt_map[VIRT_PLACES] = {
    [VIRT_FLASH] = { 0x00000000, 0x08000000 },
    [VIRT_GIC_DIST] = { 0x08000000, 0x00010000 },
    [VIRT_GIC_CPU] = { 0x08010000, 0x00010000 },
    [VIRT_GIC_V2M] = { 0x08020000, 0x00001000 },
    [VIRT_GIC_HYP] = { 0x08030000, 0x00010000 },
    [VIRT_GIC_VCPU] = { 0x08040000, 0x00010000 },
    [VIRT_GIC_ITS] = { 0x08080000, 0x00020000 },
    [VIRT_GIC_REDIST] = { 0x080a0000, 0x00f60000 },
    [VIRT_UART] = { 0x09000000, 0x00001000 },
    [VIRT_RTC] = { 0x09010000, 0x00001000 },
    [VIRT_FW_CFG] = { 0x09020000, 0x00000018 },
    [VIRT_GPIO] = { 0x09030000, 0x00001000 },
    [VIRT_SECURE_UART] = { 0x09040000, 0x00001000 },
    [VIRT_SMMU] = { 0x09050000, 0x00020000 },
    [VIRT_MEMORY_SLOTS] = { 0x09070000, 0x00000018 },
    [VIRT_GED] = { 0x09080000, 0x00000010 },
    [VIRT_NVDIMM] = { 0x09090000, 0x00000004 },
    [VIRT_SECURE_GPIO] = { 0x090b0000, 0x00001000 },
    [VIRT_MMIO] = { 0x0a000000, 0x00000200 },
    [VIRT_PLATFORM_BUS] = { 0x0c000000, 0x02000000 },
    [VIRT_SECURE_MEM] = { 0x0e000000, 0x01000000 },
    [VIRT_PCIE_MMIO] = { 0x10000000, 0x2eff0000 },
    [VIRT_PCIE_PIO] = { 0x3eff0000, 0x00010000 },
    [VIRT_PCIE_ECAM] = { 0x3f000000, 0x01000000 },
    [VIRT_MEM] = { 0x40000000, RAM_LIMIT },
};

/* ---- what -machine asked for ---- */

/* What the board of that version lacks. */
static void set_compat(VirtBoard *b)
{
    unsigned major = 0, minor = 0;

    if (sscanf(b->vm->machine_type->machine_name, "virt-%u.%u", &major, &minor) != 2) {
        return;
    }
    unsigned v = major * 100 + minor;

    b->compat = (VirtCompat){
        .no_pmu = v <= 206,
        .edge_timers = v <= 208,
        .no_highmem_ecam = v <= 212,
        .no_ged = v <= 401,
        .no_secure_gpio = v <= 502,
        .no_its = v <= 601,
        .no_cpu_map = v <= 601,
    };
}

/* Whose interrupt controllers are the kernel's: a bit for each version that it has; else 0. */
static unsigned kernel_gics(const VirtBoard *b)
{
    Accel *a = b->vm->accel;

    return a->type->gic_versions ? a->type->gic_versions(a) : 0;
}

static bool pick_kernel_gic(VirtBoard *b, GError **error)
{
    const char *v = b->machine->gic_version;
    const unsigned there = kernel_gics(b), best = there & 1u << 3 ? 3 : 2;

    b->kernel_gic = true;
    if (b->machine->secure || b->machine->virtualization) {
        return fail(error,
                    "mach-virt: KVM does not support providing %s extensions to the guest CPU",
                    b->machine->secure ? "Security" : "Virtualization");
    }
    b->gic_version = !v                       ? (there & 1u << 2 ? 2 : 3)
                     : strcmp(v, "2") == 0    ? 2
                     : strcmp(v, "3") == 0    ? 3
                     : strcmp(v, "host") == 0 ? best
                     : strcmp(v, "max") == 0  ? best
                                              : 0;
    if (b->gic_version == 0) {
        return fail(error, "Invalid gic-version value: '%s' (valid values are 2, 3, host, max)", v);
    }
    if (!(there >> b->gic_version & 1)) {
        return fail(error, "gic-version=%u is not supported by the host kernel", b->gic_version);
    }
    return true;
}

static bool pick_gic(VirtBoard *b, GError **error)
{
    const char *v = b->machine->gic_version ? b->machine->gic_version : "2";

    if (kernel_gics(b)) {
        if (!pick_kernel_gic(b, error)) {
            return false;
        }
    } else if (strcmp(v, "2") == 0 || strcmp(v, "3") == 0) {
        b->gic_version = v[0] - '0';
    } else if (strcmp(v, "max") == 0) {
        b->gic_version = 3;
    } else if (strcmp(v, "host") == 0) {
        return fail(error, "gic-version=host requires KVM");
    } else if (strcmp(v, "4") == 0) {
        return fail(error, "gic-version=4 is not supported yet");
    } else {
        return fail(error, "Invalid gic-version value: '%s' (valid values are 2, 3, 4, host, max)",
                    v);
    }
    unsigned max = b->gic_version == 2 ? 8 : 512;

    if (b->vm->smp.cpus > max) {
        return fail(error,
                    "Number of SMP CPUs requested (%u) exceeds max CPUs supported by machine "
                    "'mach-virt' (%u)",
                    b->vm->smp.cpus, max);
    }
    return true;
}

static bool pick_iommu(VirtBoard *b, GError **error)
{
    const char *v = b->machine->iommu ? b->machine->iommu : "none";

    b->smmu = strcmp(v, "smmuv3") == 0;
    return b->smmu || strcmp(v, "none") == 0
               ? true
               : fail(error, "Invalid iommu value: '%s' (valid values are none, smmuv3)", v);
}

/* Places above RAM, each aligned to its size, 7.2's order. */
static void lay_out_high(VirtBoard *b)
{
    hwaddr ram_end = (virt_map[VIRT_MEM].base + b->vm->ram_size + GIB - 1) & ~(GIB - 1);
    uint64_t devices = device_memory_size(b->vm);
    hwaddr at = MAX(HIGH_BASE, ram_end + ((devices + GIB - 1) & ~(GIB - 1)));
    unsigned low_cpus = virt_map[VIRT_GIC_REDIST].size / REDIST_SIZE;

    b->ecam = virt_map[VIRT_PCIE_ECAM];
    if (!b->machine->highmem) {
        return;
    }
    if (b->gic_version == 3 && b->vm->smp.cpus > low_cpus) {
        b->high_redist = (VirtRange){ at, 64 * MIB };
    }
    at = (at + 64 * MIB + 256 * MIB - 1) & ~(256 * MIB - 1);
    if (!b->compat.no_highmem_ecam) {
        b->highmem_ecam = true;
        b->ecam = (VirtRange){ at, 256 * MIB };
    }
    at = (at + 256 * MIB + 512 * GIB - 1) & ~(512 * GIB - 1);
    b->mmio64 = (VirtRange){ at, 512 * GIB };
}

static bool virt_configure(VirtBoard *b, GError **error)
{
    Vm *vm = b->vm;
    VirtMachine *m = b->machine;

    if (!pick_gic(b, error) || !pick_iommu(b, error)) {
        return false;
    }
    if (vm->max_ram_size - vm->ram_size > (1ull << 40)) {
        return fail(error, "Unsupported maxmem: at most 1 TiB more than the initial memory");
    }
    if (vm->ram_size > RAM_LIMIT ||
        (!m->highmem && virt_map[VIRT_MEM].base + vm->ram_size > LOW_LIMIT)) {
        return fail(error, "mach-virt: cannot model more than %s",
                    m->highmem ? "255GB RAM" : "3GB RAM without highmem");
    }
    if (b->smmu && !type_find("arm-smmuv3", NULL)) {
        return fail(error, "machine property 'iommu': smmuv3 is not supported yet");
    }
    b->firmware = vm->firmware || drive_at("pflash", 0, 0) || m->pflash0;
    b->has_pmu = !b->compat.no_pmu;
    b->acpi = m->machine.acpi != ON_OFF_AUTO_OFF;
    bool its = b->kernel_gic ? kernel_gics(b) & ACCEL_GIC_ITS
                             : type_find("arm-gicv3-its", NULL) != NULL;

    b->msi = b->gic_version == 2                     ? VIRT_MSI_V2M
             : its && m->its && !b->compat.no_its ? VIRT_MSI_ITS
                                                     : VIRT_MSI_NONE;
    if (m->secure && (b->firmware || !vm->kernel)) {
        b->psci_conduit = PSCI_DISABLED;
    } else {
        b->psci_conduit = m->virtualization ? PSCI_SMC : PSCI_HVC;
    }
    lay_out_high(b);
    return true;
}

/* ---- CPUs ---- */

uint64_t virt_affinity(const VirtBoard *b, unsigned i)
{
    unsigned cluster = b->gic_version == 2 ? 8 : 16;

    return (uint64_t)(i / cluster) << 8 | i % cluster;
}

static bool model_is_known(const char *text)
{
    static const char *const models[] = {
        "cortex-a7",  "cortex-a15", "cortex-a35",  "cortex-a53", "cortex-a57", "cortex-a72",
        "cortex-a76", "a64fx",      "neoverse-n1", "host",       "max",
    };
    size_t len = strcspn(text, ",");

    for (unsigned i = 0; i < ARRAY_COUNT(models); i++) {
        if (strlen(models[i]) == len && strncmp(models[i], text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool set_cpu_props(VirtBoard *b, Cpu *cpu, unsigned i, GError **error)
{
    Object *o = &cpu->dev.obj;
    g_autofree char *affinity = g_strdup_printf("%" G_GUINT64_FORMAT, virt_affinity(b, i));
    g_autofree char *conduit = g_strdup_printf("%u", b->psci_conduit);
    const struct { const char *name, *value; } rows[] = {
        { "mp-affinity", affinity },
        { "psci-conduit", conduit },
        { "tag-memory", b->machine->mte ? "on" : "off" },
        { "reset-cbar", "0x8000000" },
        { "has_el3", b->machine->secure ? "on" : "off" },
        { "has_el2", b->machine->virtualization ? "on" : "off" },
        { "start-powered-off", i > 0 && b->psci_conduit != PSCI_DISABLED ? "on" : "off" },
    };

    for (unsigned r = 0; r < ARRAY_COUNT(rows); r++) {
        if (type_find_prop(o->type, rows[r].name) &&
            !object_set_text(o, rows[r].name, rows[r].value, error)) {
            return false;
        }
    }
    return true;
}

static bool create_cpus(VirtBoard *b, GError **error)
{
    Vm *vm = b->vm;
    const char *model = vm->cpu_model ? vm->cpu_model : vm->machine_type->default_cpu;

    if (!model_is_known(model)) {
        g_autofree char *name = g_strndup(model, strcspn(model, ","));

        return fail(error, "mach-virt: CPU type %s-arm-cpu not supported", name);
    }
    for (unsigned i = 0; i < vm->smp.cpus; i++) {
        Cpu *c = target_arch->create(vm, model, error);

        if (c && target_arch->arm->m.is_m(c)) {
            object_unref(&c->dev.obj);
            return fail(error, "mach-virt: CPU type %s not supported", model);
        }
        if (!c || !set_cpu_props(b, c, i, error) || !device_realize(&c->dev, NULL, NULL, error)) {
            return false;
        }
    }
    return true;
}

/* ---- memory ---- */

static bool secure_translate(Region *gate, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    VirtBoard *b = vm_published(DEVICE(gate->owner)->vm, "virt");

    *out = (IommuEntry){ .target = &b->secure_as, .iova = iova & ~0xfffull,
                         .translated = (gate->addr + iova) & ~0xfffull, .mask = 0xfff,
                         .read = attrs.secure, .write = attrs.secure };
    return attrs.secure;
}

/* A range that only secure accesses reach; behind it is the secure address space. */
static void make_gate(VirtBoard *b, Region *gate, enum VirtPlace place, uint64_t size)
{
    region_init_iommu(gate, &b->gic->obj, "secure-gate", size, secure_translate);
    region_add(b->vm->memory, virt_map[place].base, gate, 1);
}

/* Behind RAM, from the next GiB on. */
static bool create_device_memory(VirtBoard *b, GError **error)
{
    uint64_t size = device_memory_size(b->vm);
    hwaddr base = (virt_map[VIRT_MEM].base + b->vm->ram_size + GIB - 1) & ~(GIB - 1);

    return size == 0 || device_memory_create(b->vm, base, size, error) != NULL;
}

static bool create_memory(VirtBoard *b, GError **error)
{
    Region *ram = machine_ram(b->vm, "mach-virt.ram", error);

    if (ram) {
        region_add(b->vm->memory, virt_map[VIRT_MEM].base, ram, 0);
    }
    return ram != NULL && create_device_memory(b, error);
}

static bool create_flash(VirtBoard *b, GError **error)
{
    static const char *const names[] = { "virt.flash0", "virt.flash1" };
    uint64_t half = virt_map[VIRT_FLASH].size / 2;

    for (unsigned i = 0; i < 2; i++) {
        const DriveInfo *drive = drive_at("pflash", 0, i);
        const char *node = i ? b->machine->pflash1 : b->machine->pflash0;
        PflashConfig c = {
            .name = names[i], .drive = node ? node : drive ? drive->id : NULL, .size = half,
            .sector_size = FLASH_SECTOR, .width = 4, .device_width = 2, .ids = { 0x89, 0x18, 0, 0 },
        };

        b->flash[i] = pflash_create(b->vm, &c, error);
        if (!b->flash[i]) {
            return false;
        }
        if (drive && !node) {
            drive_claim(drive);
        }
        region_add(i == 0 && b->machine->secure ? &b->secure_root : b->vm->memory,
                   virt_map[VIRT_FLASH].base + i * half, pflash_region(b->flash[i]), 0);
    }
    return true;
}

static bool load_firmware(VirtBoard *b, GError **error)
{
    uint64_t half = virt_map[VIRT_FLASH].size / 2;
    g_autofree char *path = NULL;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!b->vm->firmware) {
        return true;
    }
    if (drive_at("pflash", 0, 0) || b->machine->pflash0) {
        return fail(error, "The contents of the first flash device may be specified with -bios or "
                           "with -drive if=pflash... but you cannot use both options at once");
    }
    path = firmware_find(b->vm->firmware);
    if (!path) {
        return fail(error, "Could not find ROM image '%s'", b->vm->firmware);
    }
    if (!load_file(path, "firmware", half, &data, &len, error)) {
        return false;
    }
    rom_add_blob(path, data, len, virt_map[VIRT_FLASH].base,
                 b->machine->secure ? &b->secure_as : NULL);
    return true;
}

static bool create_secure_world(VirtBoard *b, GError **error)
{
    region_init_container(&b->secure_root, NULL, "secure-memory", UINT64_MAX);
    address_space_init(&b->secure_as, &b->secure_root, "secure-memory");
    make_gate(b, &b->secure_gate[0], VIRT_FLASH, virt_map[VIRT_FLASH].size / 2);
    make_gate(b, &b->secure_gate[1], VIRT_SECURE_UART, virt_map[VIRT_SECURE_UART].size);
    make_gate(b, &b->secure_gate[2], VIRT_SECURE_MEM, virt_map[VIRT_SECURE_MEM].size);
    if (!region_init_ram(&b->secure_ram, NULL, "virt.secure-ram", virt_map[VIRT_SECURE_MEM].size,
                         error)) {
        return false;
    }
    region_add(&b->secure_root, virt_map[VIRT_SECURE_MEM].base, &b->secure_ram, 0);
    return true;
}

/* ---- interrupt controllers ---- */

static void wire_cpu_outputs(Cpu *c, Device *to, unsigned first)
{
    static const struct { const char *pin; unsigned ppi; } rows[] = {
        { "gt-phys", VIRT_PPI_PHYS }, { "gt-virt", VIRT_PPI_VIRT }, { "gt-hyp", VIRT_PPI_HYP },
        { "gt-sec", VIRT_PPI_SEC }, { "gt-hypvirt", VIRT_PPI_HYPVIRT }, { "pmu", VIRT_PPI_PMU },
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (device_pin_out(&c->dev, rows[i].pin, 0)) {
            wire(&c->dev, rows[i].pin, 0, to, "ppi", first + rows[i].ppi);
        }
    }
}

static void wire_cpu_inputs(Device *from, unsigned i, Cpu *c)
{
    static const char *const pins[] = { "irq", "fiq", "virq", "vfiq" };

    for (unsigned p = 0; p < ARRAY_COUNT(pins); p++) {
        if (device_has_pin_in(&c->dev, pins[p], 0)) {
            wire(from, pins[p], i, &c->dev, pins[p], 0);
        }
    }
}

static const char *on_off(bool v)
{
    return v ? "on" : "off";
}

static bool create_gicv2(VirtBoard *b, GError **error)
{
    unsigned n = b->vm->smp.cpus;
    g_autofree char *cpus = g_strdup_printf("%u", n);
    g_autofree char *irqs = g_strdup_printf("%u", VIRT_IRQS + 32);

    b->gic =
        device_create(b->vm, "arm_gic", NULL, NULL, error, "revision", "2", "num-cpu", cpus,
                      "num-irq", irqs, "has-security-extensions", on_off(b->machine->secure),
                      "has-virtualization-extensions", on_off(b->machine->virtualization), NULL);
    if (!b->gic) {
        return false;
    }
    device_map(b->gic, "dist", virt_map[VIRT_GIC_DIST].base);
    device_map(b->gic, "cpu", virt_map[VIRT_GIC_CPU].base);
    if (b->machine->virtualization) {
        device_map(b->gic, "hyp", virt_map[VIRT_GIC_HYP].base);
        device_map(b->gic, "vcpu", virt_map[VIRT_GIC_VCPU].base);
    }
    for (unsigned i = 0; i < n; i++) {
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);

        wire_cpu_inputs(b->gic, i, c);
        wire_cpu_outputs(c, b->gic, i * 32);
        wire(b->gic, "maintenance", i, b->gic, "ppi", i * 32 + VIRT_PPI_MAINTENANCE);
    }
    return true;
}

static bool create_gicv3(VirtBoard *b, GError **error)
{
    g_autofree char *irqs = g_strdup_printf("%u", VIRT_IRQS + 32);
    unsigned low = virt_map[VIRT_GIC_REDIST].size / REDIST_SIZE;

    b->gic = device_create(b->vm, "arm-gicv3", NULL, NULL, error, "num-irq", irqs, "has-lpi",
                           on_off(b->msi == VIRT_MSI_ITS), "has-security-extensions",
                           on_off(b->machine->secure), NULL);
    if (!b->gic) {
        return false;
    }
    device_map(b->gic, "dist", virt_map[VIRT_GIC_DIST].base);
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *index = g_strdup_printf("%u", i);
        g_autofree char *path = object_path(&b->gic->obj);
        Cpu *c = g_ptr_array_index(b->vm->cpus, i);
        Device *r = device_create(b->vm, "arm-gicv3-redist", NULL, NULL, error, "cpu-index", index,
                                  "gic", path, NULL);

        if (!r) {
            return false;
        }
        device_map(r, "redist", i < low ? virt_map[VIRT_GIC_REDIST].base + (hwaddr)i * REDIST_SIZE
                                        : b->high_redist.base + (hwaddr)(i - low) * REDIST_SIZE);
        wire_cpu_inputs(r, 0, c);
        wire_cpu_outputs(c, r, 0);
        wire(r, "maintenance", 0, r, "ppi", VIRT_PPI_MAINTENANCE);
    }
    return true;
}

/* It finds the vCPUs itself, and nobody but the kernel answers at its addresses. */
static bool create_kernel_gic(VirtBoard *b, GError **error)
{
    const bool v2 = b->gic_version == 2;
    g_autofree char *irqs = g_strdup_printf("%u", VIRT_IRQS + 32);
    g_autofree char *dist =
        g_strdup_printf("%" G_GUINT64_FORMAT, virt_map[VIRT_GIC_DIST].base);
    g_autofree char *first = g_strdup_printf(
        "%" G_GUINT64_FORMAT, virt_map[v2 ? VIRT_GIC_CPU : VIRT_GIC_REDIST].base);
    g_autofree char *high = g_strdup_printf("%" G_GUINT64_FORMAT, b->high_redist.base);
    g_autofree char *low =
        g_strdup_printf("%" G_GUINT64_FORMAT, virt_map[VIRT_GIC_REDIST].size / REDIST_SIZE);

    b->gic = v2 ? device_create(b->vm, "kvm-arm-gic", NULL, NULL, error, "num-irq", irqs,
                                "dist-base", dist, "cpu-base", first, NULL)
                : device_create(b->vm, "kvm-arm-gicv3", NULL, NULL, error, "num-irq", irqs,
                                "dist-base", dist, "redist-base", first, "redist-count", low,
                                "redist-base-high", high, NULL);
    return b->gic != NULL;
}

static bool create_gic(VirtBoard *b, GError **error)
{
    return b->kernel_gic         ? create_kernel_gic(b, error)
           : b->gic_version == 2 ? create_gicv2(b, error)
                                 : create_gicv3(b, error);
}

/* The kernel's: it sees the control frame itself. */
static bool create_kernel_its(VirtBoard *b, GError **error)
{
    g_autofree char *base = g_strdup_printf("%" G_GUINT64_FORMAT, virt_map[VIRT_GIC_ITS].base);

    b->its = device_create(b->vm, "kvm-arm-its", NULL, NULL, error, "base", base, NULL);
    if (b->its) {
        device_map(b->its, "translation", virt_map[VIRT_GIC_ITS].base + 0x10000);
    }
    return b->its != NULL;
}

static bool create_msi(VirtBoard *b, GError **error)
{
    if (b->msi == VIRT_MSI_ITS && b->kernel_gic) {
        return create_kernel_its(b, error);
    }
    if (b->msi == VIRT_MSI_ITS) {
        g_autofree char *path = object_path(&b->gic->obj);

        b->its =
            device_create(b->vm, "arm-gicv3-its", NULL, NULL, error, "parent-gicv3", path, NULL);
        if (!b->its) {
            return false;
        }
        device_map(b->its, "control", virt_map[VIRT_GIC_ITS].base);
        device_map(b->its, "translation", virt_map[VIRT_GIC_ITS].base + 0x10000);
    } else if (b->msi == VIRT_MSI_V2M) {
        g_autofree char *first = g_strdup_printf("%u", VIRT_IRQ_V2M);

        b->v2m = device_create(b->vm, "arm-gicv2m", NULL, NULL, error, "base-spi", first, "num-spi",
                               "64", NULL);
        if (!b->v2m) {
            return false;
        }
        device_map(b->v2m, "mmio", virt_map[VIRT_GIC_V2M].base);
        for (unsigned i = 0; i < VIRT_V2M_IRQS; i++) {
            wire(b->v2m, "spi", i, b->gic, "spi", VIRT_IRQ_V2M + i);
        }
    }
    return true;
}

/* ---- devices ---- */

static bool create_uart(VirtBoard *b, enum VirtPlace place, unsigned irq, unsigned serial,
                        Region *where, GError **error)
{
    GPtrArray *serials = b->vm->serials;
    const char *chr = serials && serial < serials->len ? g_ptr_array_index(serials, serial) : NULL;
    Device *d = device_new(b->vm, "pl011", error);

    if (!d || (chr && !object_set_text(&d->obj, "chardev", chr, error)) ||
        !device_realize(d, NULL, NULL, error)) {
        return false;
    }
    region_add(where, virt_map[place].base, device_region(d, "mmio"), 0);
    wire(d, "irq", 0, b->gic, "spi", irq);
    return true;
}

static Device *create_simple(VirtBoard *b, const char *type, enum VirtPlace place, unsigned irq,
                             GError **error)
{
    Device *d = device_create(b->vm, type, NULL, NULL, error, NULL);

    if (d) {
        device_map(d, "mmio", virt_map[place].base);
        wire(d, "irq", 0, b->gic, "spi", irq);
    }
    return d;
}

static void power_button(void *opaque)
{
    VirtBoard *b = opaque;

    device_pin_in(b->ged ? b->ged : b->power_key, b->ged ? "power-button" : "in", 0, 1);
}

static Device *create_pl061(VirtBoard *b, enum VirtPlace place, GError **error)
{
    Device *d =
        device_create(b->vm, "pl061", NULL, NULL, error, "pullups", "0", "pulldowns", "0xff", NULL);

    if (d) {
        device_map(d, "mmio", virt_map[place].base);
    }
    return d;
}

static bool create_gpio(VirtBoard *b, GError **error)
{
    Device *gpio = create_pl061(b, VIRT_GPIO, error);

    if (gpio) {
        wire(gpio, "irq", 0, b->gic, "spi", VIRT_IRQ_GPIO);
    }
    b->power_key = gpio ? device_create(b->vm, "gpio-key", NULL, NULL, error, NULL) : NULL;
    if (!b->power_key) {
        return false;
    }
    wire(b->power_key, "irq", 0, gpio, "in", 3);
    powerdown_watch(power_button, b);
    return true;
}

static bool create_secure_gpio(VirtBoard *b, GError **error)
{
    Device *gpio = create_pl061(b, VIRT_SECURE_GPIO, error);
    Device *pwr = gpio ? device_create(b->vm, "gpio-pwr", NULL, NULL, error, NULL) : NULL;

    if (!pwr) {
        return false;
    }
    wire(gpio, "out", 0, pwr, "shutdown", 0);
    wire(gpio, "out", 1, pwr, "reset", 0);
    return true;
}

static bool create_smmu(VirtBoard *b, GError **error)
{
    static const char *const pins[] = { "eventq", "priq", "cmdq-sync", "gerror" };
    g_autofree char *bus = object_path(&b->pcie->bus.bus.obj);

    b->smmu_dev = device_create(b->vm, "arm-smmuv3", NULL, NULL, error, "primary-bus", bus, NULL);
    if (!b->smmu_dev) {
        return false;
    }
    device_map(b->smmu_dev, "mmio", virt_map[VIRT_SMMU].base);
    for (unsigned i = 0; i < 4; i++) {
        wire(b->smmu_dev, pins[i], 0, b->gic, "spi", VIRT_IRQ_SMMU + i);
    }
    return true;
}

/* Takes the power key's place where ACPI tells the guest of it. */
static void memory_event(void *opaque)
{
    device_pin_in(((VirtBoard *)opaque)->ged, "memory", 0, 1);
}

static bool create_ged(VirtBoard *b, GError **error)
{
    bool wanted = b->acpi && b->firmware && !b->compat.no_ged;

    b->ged = wanted ? create_simple(b, "acpi-ged", VIRT_GED, VIRT_IRQ_GED, error) : NULL;
    if (!b->ged) {
        acpi_memory_refuse(b->vm, "missing acpi-ged device");
        return !wanted;
    }
    static const AcpiMemoryEvents events = { memory_event, NULL };
    Device *slots = acpi_memory_create(b->vm, &events, b, error), *nvdimm;

    if (!slots || !acpi_nvdimm_create(b->vm, &nvdimm, error)) {
        return false;
    }
    device_map(slots, "regs", virt_map[VIRT_MEMORY_SLOTS].base);
    if (nvdimm) {
        device_map(nvdimm, "regs", virt_map[VIRT_NVDIMM].base);
    }
    return true;
}

static bool create_pcie(VirtBoard *b, GError **error)
{
    Device *d = device_create(b->vm, "gpex-pcihost", NULL, NULL, error, NULL);

    if (!d) {
        return false;
    }
    b->pcie = (GpexHost *)d;
    gpex_map(b->pcie, b->ecam.base, b->ecam.size, virt_map[VIRT_PCIE_PIO].base);
    gpex_map_window(b->pcie, virt_map[VIRT_PCIE_MMIO].base, virt_map[VIRT_PCIE_MMIO].size);
    if (b->mmio64.size) {
        gpex_map_window(b->pcie, b->mmio64.base, b->mmio64.size);
    }
    for (unsigned i = 0; i < 4; i++) {
        wire(d, "irq", i, b->gic, "spi", VIRT_IRQ_PCIE + i);
    }
    return !b->smmu || create_smmu(b, error);
}

static bool create_transports(VirtBoard *b, GError **error)
{
    for (unsigned i = VIRT_TRANSPORTS; i-- > 0;) {
        Device *d = virtio_mmio_create(
            b->vm, virt_map[VIRT_MMIO].base + i * virt_map[VIRT_MMIO].size, i, error);

        if (!d) {
            return false;
        }
        wire(d, "irq", 0, b->gic, "spi", VIRT_IRQ_MMIO + i);
    }
    return true;
}

static bool create_nics(VirtBoard *b, GError **error)
{
    const char *model, *netdev, *mac;

    while (net_next_default_nic(&model, &netdev, &mac)) {
        const char *type = model ? model : b->vm->machine_type->default_nic;
        Device *d = device_new(b->vm, strcmp(type, "virtio") == 0 ? "virtio-net-pci" : type, error);

        if (!d) {
            return false;
        }
        if ((netdev && !object_set_text(&d->obj, "netdev", netdev, error)) ||
            (mac && !object_set_text(&d->obj, "mac", mac, error))) {
            object_unref(&d->obj);
            return false;
        }
        if (!device_realize(d, &b->pcie->bus.bus, NULL, error)) {
            return false;
        }
    }
    return true;
}

static bool create_disks(VirtBoard *b, GError **error)
{
    const DriveInfo *drive;

    for (unsigned i = 0; (drive = drive_info(i)) != NULL; i++) {
        if (drive->claimed || g_strcmp0(drive->iface, "virtio") != 0) {
            continue;
        }
        if (!device_create(b->vm, "virtio-blk-pci", &b->pcie->bus.bus, NULL, error, "drive",
                           drive->id, NULL)) {
            return false;
        }
        drive_claim(drive);
    }
    return true;
}

static bool create_devices(VirtBoard *b, GError **error)
{
    bool secure = b->machine->secure;

    if (!create_uart(b, VIRT_UART, VIRT_IRQ_UART, 0, b->vm->memory, error) ||
        (secure &&
         !create_uart(b, VIRT_SECURE_UART, VIRT_IRQ_SECURE_UART, 1, &b->secure_root, error)) ||
        !create_simple(b, "pl031", VIRT_RTC, VIRT_IRQ_RTC, error) || !create_pcie(b, error) ||
        !create_gpio(b, error) || !create_ged(b, error) ||
        (secure && !b->compat.no_secure_gpio && !create_secure_gpio(b, error)) ||
        !create_transports(b, error)) {
        return false;
    }
    b->fw_cfg = fw_cfg_create_mem(b->vm, virt_map[VIRT_FW_CFG].base, error);
    if (!b->fw_cfg) {
        return false;
    }
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_NB_CPUS, b->vm->smp.cpus);
    fw_cfg_add_u16(b->fw_cfg, FW_CFG_BOOT_MENU, b->vm->boot_menu);
    return create_nics(b, error) && create_disks(b, error);
}

/* ---- the board ---- */

static bool virt_init(Vm *vm, GError **error)
{
    VirtBoard *b = g_new0(VirtBoard, 1);

    b->vm = vm;
    b->machine = (VirtMachine *)vm->machine;
    set_compat(b);
    vm_publish(vm, "virt", b);
    return virt_configure(b, error) && create_cpus(b, error) && create_memory(b, error) &&
           create_gic(b, error) &&
           (!b->machine->secure || create_secure_world(b, error)) && create_flash(b, error) &&
           load_firmware(b, error) && create_msi(b, error) && create_devices(b, error);
}

static bool virt_dump_tree(VirtBoard *b, GError **error)
{
    size_t len = dt_pack(b->dt);

    if (!g_file_set_contents(b->machine->dumpdtb, b->dt->blob, len, error)) {
        return false;
    }
    fprintf(stderr, "%s: info: dtb dumped to %s. Exiting.\n", g_get_prgname(), b->machine->dumpdtb);
    request_shutdown_with_code(SHUTDOWN_HOST_QMP_QUIT, 0);
    return true;
}

static bool virt_done(Vm *vm, GError **error)
{
    VirtBoard *b = vm_published(vm, "virt");
    ArmBoot boot = {
        .ram_base = virt_map[VIRT_MEM].base,
        .ram_size = vm->ram_size,
        .firmware = b->firmware,
        .fw_cfg = b->fw_cfg,
        .board_id = UINT32_MAX,
    };
    SmbiosInfo smbios = {
        .vm = vm,
        .fw_cfg = b->fw_cfg,
        .ram_base = virt_map[VIRT_MEM].base,
        .low_size = vm->ram_size,
        .product = "QEMU Virtual Machine",
    };

    virt_build_tree(b);
    if (b->machine->dumpdtb) {
        return virt_dump_tree(b, error);
    }
    boot.dt = b->dt;
    return arm_boot(vm, &boot, error) &&
           (!b->firmware ||
            (smbios_build(&smbios, error) && (!b->acpi || virt_build_acpi(b, error))));
}

static const Prop virt_machine_props[] = {
    PROP_STRING(VirtMachine, gic_version, "gic-version", .def_str = "2",
                .help = "Set GIC version. Valid values are 2, 3, 4, host and max"),
    PROP_STRING(VirtMachine, iommu, "iommu", .def_str = "none",
                .help = "Set the IOMMU type. Valid values are none and smmuv3"),
    PROP_BOOL(VirtMachine, secure, "secure", false,
              .help = "Set on/off to enable/disable the ARM Security Extensions (TrustZone)"),
    PROP_BOOL(VirtMachine, virtualization, "virtualization", false,
              .help = "Set on/off to enable/disable emulating a guest CPU which implements the ARM "
                      "Virtualization Extensions"),
    PROP_BOOL(VirtMachine, highmem, "highmem", true,
              .help = "Set on/off to enable/disable using physical address space above 32 bits"),
    PROP_BOOL(VirtMachine, its, "its", true, .help = "Set on/off to enable/disable ITS instantiation"),
    PROP_BOOL(VirtMachine, mte, "mte", false,
              .help = "Set on/off to enable/disable emulating a guest CPU which implements the ARM Memory "
                      "Tagging Extension"),
    PROP_BOOL(VirtMachine, ras, "ras", false,
              .help = "Set on/off to enable/disable reporting host memory errors to a KVM guest using ACPI and "
                      "guest external abort exceptions"),
    PROP_BOOL(VirtMachine, dtb_randomness, "dtb-randomness", true,
              .help = "Set off to disable passing random or non-deterministic dtb nodes to guest"),
    PROP_BOOL(VirtMachine, dtb_kaslr_seed, "dtb-kaslr-seed", true, .help = "Deprecated synonym of dtb-randomness"),
    PROP_STRING(VirtMachine, dumpdtb, "dumpdtb", .help = "Dump current dtb to a file and quit"),
    PROP_STRING(VirtMachine, dt_compatible, "dt-compatible",
                .help = "Overrides the \"compatible\" property of the dt root node"),
    PROP_STRING(VirtMachine, oem_id, "x-oem-id", .flags = PROP_HIDDEN),
    PROP_STRING(VirtMachine, oem_table_id, "x-oem-table-id", .flags = PROP_HIDDEN),
    PROP_STRING(VirtMachine, pflash0, "pflash0", .help = "Node name or ID of backend to use as backend"),
    PROP_STRING(VirtMachine, pflash1, "pflash1", .help = "Node name or ID of backend to use as backend"),
    PROP_BOOL(VirtMachine, machine.nvdimm, "nvdimm", false,
              .help = "Set on/off to enable/disable NVDIMM instantiation"),
    PROP_BOOL(VirtMachine, machine.hmat, "hmat", false,
              .help = "Set on/off to enable/disable ACPI Heterogeneous Memory Attribute Table (HMAT)"),
    PROP_END,
};

/* clang-format off */
#define VIRT_VERSION(tag_, version_, alias_)                                                       \
    static const MachineType virt_##tag_ = {                                                       \
        .name = "virt-" version_ "-machine",                                                       \
        .machine_name = "virt-" version_,                                                          \
        .machine_alias = alias_,                                                                   \
        .desc = "QEMU " version_ " ARM Virtual Machine",                                           \
        .arches = "arm aarch64",                                                                   \
        .size = sizeof(VirtMachine),                                                               \
        .props = virt_machine_props,                                                               \
        .max_cpus = 512,                                                                           \
        .default_cpu = "cortex-a15",                                                               \
        .default_nic = "virtio-net-pci",                                                           \
        .default_block_if = "virtio",                                                              \
        .numa = true,                                                                              \
        .has_clusters = true,                                                                      \
        .max_ram_slots = 256,                                                                      \
        .no_floppy = true,                                                                         \
        .no_cdrom = true,                                                                          \
        .no_parallel = true,                                                                       \
        .init = virt_init,                                                                         \
        .done = virt_done,                                                                         \
    };                                                                                             \
    MACHINE_TYPE(virt_##tag_)
/* clang-format on */

VIRT_VERSION(7_2, "7.2", "virt");
VIRT_VERSION(7_1, "7.1", NULL);
VIRT_VERSION(7_0, "7.0", NULL);
VIRT_VERSION(6_2, "6.2", NULL);
VIRT_VERSION(6_1, "6.1", NULL);
VIRT_VERSION(6_0, "6.0", NULL);
VIRT_VERSION(5_2, "5.2", NULL);
VIRT_VERSION(5_1, "5.1", NULL);
VIRT_VERSION(5_0, "5.0", NULL);
VIRT_VERSION(4_2, "4.2", NULL);
VIRT_VERSION(4_1, "4.1", NULL);
VIRT_VERSION(4_0, "4.0", NULL);
VIRT_VERSION(3_1, "3.1", NULL);
VIRT_VERSION(3_0, "3.0", NULL);
VIRT_VERSION(2_12, "2.12", NULL);
VIRT_VERSION(2_11, "2.11", NULL);
VIRT_VERSION(2_10, "2.10", NULL);
VIRT_VERSION(2_9, "2.9", NULL);
VIRT_VERSION(2_8, "2.8", NULL);
VIRT_VERSION(2_7, "2.7", NULL);
VIRT_VERSION(2_6, "2.6", NULL);
