// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * microvm: a machine for kernels that start in milliseconds. Memory, CPUs, interrupt controllers,
 * 8254, RTC, one serial port, fw_cfg, virtio transports in memory, and PCI Express if wanted. There
 * is no firmware, unless -bios names one: the kernel (Linux, or an ELF file with a PVH note) is
 * laid out in memory and entered from the reset vector. ACPI tables tell of CPUs, lines and
 * devices; without ACPI a table of the MultiProcessor Specification 1.4 and the kernel's command
 * line do.
 */
#include "exec/cpu.h"
#include "exec/loader.h"
#include "hw/virtio/virtio-mmio.h"
#include "microvm.h"
#include "x86-kernel.h"

#define LOW_LIMIT 0xc0000000ull
#define STUB_BASE 0xfffff000u
#define STUB_SIZE 0x1000u
#define FIRMWARE_MAX (8 * MIB)

/* ---- lines ---- */

/* Lines from 24 on are pins of the second I/O APIC, which the PC's wiring knows nothing of. */
static void microvm_line(MicroVm *m, unsigned line, int level)
{
    if (line >= MICROVM_IOAPIC_PINS) {
        device_pin_in(m->second_ioapic, "in", line - MICROVM_IOAPIC_PINS, level);
    } else {
        pc_gsi_pci(&m->board->gsi, line, level);
    }
}

static void virtio_line(Device *d, unsigned pin, int level)
{
    MicroVm *m = (MicroVm *)d->vm->machine;

    microvm_line(m, m->first_line + pin, level);
}

static void ged_line(Device *d, unsigned pin, int level)
{
    microvm_line((MicroVm *)d->vm->machine, MICROVM_GED_LINE, level);
}

static void pci_line(Device *d, unsigned pin, int level)
{
    MicroVm *m = (MicroVm *)d->vm->machine;

    microvm_line(m, m->pci_line + pin, level);
}

static const PinRow hub_pins[] = {
    PIN_IN("virtio", MICROVM_MANY, virtio_line),
    PIN_IN("ged", 1, ged_line),
    PIN_IN("pci", 4, pci_line),
    PIN_END,
};

static const DeviceType hub_type = {
    .name = "microvm-lines",
    .category = "bridge",
    .desc = "Interrupt lines of microvm",
    .internal = true,
    .size = sizeof(Device),
    .state_version = 1,
    .pins = hub_pins,
};
DEVICE_TYPE(hub_type);

/* ---- the board ---- */

/* The first that is made is the first that -device takes: the one at the highest address. */
static bool microvm_transports(MicroVm *m, Device *hub, GError **error)
{
    for (unsigned i = m->num_transports; i-- > 0;) {
        m->transports[i] =
            virtio_mmio_create(m->machine.vm, MICROVM_VIRTIO + i * MICROVM_VIRTIO_STRIDE, i, error);
        if (!m->transports[i]) {
            return false;
        }
        wire(m->transports[i], "irq", 0, hub, "virtio", i);
    }
    return true;
}

static void microvm_power_button(void *opaque)
{
    MicroVm *m = opaque;

    device_pin_in(m->ged, "power-button", 0, 1);
    device_pin_in(m->ged, "power-button", 0, 0);
}

static bool microvm_events(MicroVm *m, Device *hub, GError **error)
{
    if (!m->acpi) {
        return true;
    }
    m->ged = device_create(m->machine.vm, "acpi-ged", NULL, NULL, error, NULL);
    if (!m->ged) {
        return false;
    }
    device_map(m->ged, "mmio", MICROVM_GED);
    device_map(m->ged, "regs", MICROVM_GED_REGS);
    wire(m->ged, "irq", 0, hub, "ged", 0);
    powerdown_watch(microvm_power_button, m);
    return true;
}

static bool microvm_pci(MicroVm *m, Device *hub, GError **error)
{
    if (m->pcie != ON_OFF_AUTO_ON) {
        return true;
    }
    Device *d = device_create(m->machine.vm, "gpex-pcihost", NULL, NULL, error, NULL);

    if (!d) {
        return false;
    }
    m->pci = (GpexHost *)d;
    gpex_map(m->pci, MICROVM_ECAM, MICROVM_ECAM_SIZE, GPEX_NO_PORTS);
    gpex_map_window(m->pci, MICROVM_PCI_MEM, MICROVM_PCI_MEM_SIZE);
    gpex_map_window(m->pci, MICROVM_PCI_MEM64, MICROVM_PCI_MEM64_SIZE);
    for (unsigned i = 0; i < 4; i++) {
        wire(d, "irq", i, hub, "pci", i);
    }
    m->board->pci = &m->pci->bus;
    return true;
}

static bool microvm_second_ioapic(MicroVm *m, GError **error)
{
    if (m->ioapic2 == ON_OFF_AUTO_OFF || (m->ioapic2 == ON_OFF_AUTO_AUTO && !m->acpi)) {
        return true;
    }
    m->second_ioapic = device_create(m->machine.vm, "ioapic", NULL, "ioapic2", error, NULL);
    if (m->second_ioapic) {
        device_map(m->second_ioapic, "mmio", MICROVM_IOAPIC2);
    }
    return m->second_ioapic != NULL;
}

/* No keyboard controller drives A20: it is always on. */
static void microvm_a20(void *opaque)
{
    Vm *vm = opaque;

    if (vm->cpus->len) {
        device_pin_in(g_ptr_array_index(vm->cpus, 0), "a20", 0, 1);
    }
}

static bool microvm_init(Vm *vm, GError **error)
{
    MicroVm *m = (MicroVm *)vm->machine;
    PcBoard *b = g_new0(PcBoard, 1);

    m->board = b;
    m->acpi = m->machine.acpi != ON_OFF_AUTO_OFF;
    b->vm = vm;
    b->no_firmware = !vm->firmware;
    b->max_firmware = FIRMWARE_MAX;
    b->firmware_in_ram = true;
    b->check_floppy = true;
    b->no_pic = m->pic == ON_OFF_AUTO_OFF;
    b->no_pit = m->pit == ON_OFF_AUTO_OFF;
    b->no_rtc = m->rtc == ON_OFF_AUTO_OFF;
    vm_publish(vm, "pc", b);
    if (m->machine.usb) {
        return fail(error, "machine property 'usb': on is not supported yet");
    }
    if (!pc_create_cpus(b, error) || !pc_create_memory(b, LOW_LIMIT, error) ||
        !device_create(vm, "isabus-bridge", NULL, NULL, error, NULL) ||
        !pc_create_basic_devices(b, m->isa_serial, error) || !microvm_second_ioapic(m, error)) {
        return false;
    }
    m->num_transports = m->second_ioapic ? MICROVM_MANY : MICROVM_FEW;
    m->first_line = m->second_ioapic ? MICROVM_IOAPIC_PINS
                    : m->acpi        ? MICROVM_LINE
                                     : MICROVM_OLD_LINE;
    m->pci_line = m->second_ioapic ? MICROVM_PCI_LINE : MICROVM_PCI_LINE_LOW;
    vm_reset_add(vm, microvm_a20, vm);
    microvm_a20(vm);
    Device *hub = device_create(vm, "microvm-lines", NULL, NULL, error, NULL);

    return hub && microvm_events(m, hub, error) && microvm_pci(m, hub, error) &&
           microvm_transports(m, hub, error);
}

/* ---- the kernel ---- */

/* Without ACPI the kernel is told by its command line. */
static void microvm_make_cmdline(Vm *vm, MicroVm *m)
{
    GString *text = g_string_new(vm->append ? vm->append : "");

    for (unsigned i = 0; m->auto_cmdline && !m->acpi && i < m->num_transports; i++) {
        if (microvm_has_device(m, i)) {
            g_string_append_printf(text, " virtio_mmio.device=512@0x%x:%u",
                                   MICROVM_VIRTIO + i * MICROVM_VIRTIO_STRIDE, m->first_line + i);
        }
    }
    m->cmdline = g_string_free(text, FALSE);
    vm->append = m->cmdline;
}

static bool microvm_stub(Vm *vm, MicroVm *m, const X86Entry *e, GError **error)
{
    g_autofree char *path = firmware_find_or_fail("resetstub.bin", "reset stub", error);
    g_autofree uint8_t *code = NULL;
    const uint32_t registers[] = {e->eax, e->ebx, e->esi, e->pc};
    size_t len = 0;

    if (!path || !load_file(path, "reset stub", STUB_SIZE, &code, &len, error) ||
        !region_init_rom(&m->stub, NULL, "microvm.reset", STUB_SIZE, error)) {
        return false;
    }
    uint8_t *page = region_host(&m->stub);

    memcpy(page, code, len);
    for (unsigned i = 0; i < ARRAY_COUNT(registers); i++) {
        uint32_t le = GUINT32_TO_LE(registers[i]);

        memcpy(page + 4 * i, &le, 4);
    }
    region_add(vm->memory, STUB_BASE, &m->stub, 1);
    return true;
}

static bool microvm_direct(Vm *vm, MicroVm *m, GError **error)
{
    PcBoard *b = m->board;
    X86Memory memory = {.vm = vm, .low_size = b->low_size, .high_size = b->high_size,
                        .unpack = m->unpack_kernel};
    X86Entry entry = {0};
    bool pvh = false;

    if (!m->acpi) {
        microvm_build_mp(vm);
    } else if (!microvm_install_acpi(m, &memory.rsdp, error)) {
        return false;
    }
    if (!vm->kernel) {
        return true;
    }
    if (!x86_load_pvh(&memory, &entry, &pvh, error) ||
        (!pvh && !x86_load_linux32(&memory, &entry, error))) {
        return false;
    }
    return microvm_stub(vm, m, &entry, error);
}

static bool microvm_done(Vm *vm, GError **error)
{
    MicroVm *m = (MicroVm *)vm->machine;

    microvm_make_cmdline(vm, m);
    if (!vm->firmware) {
        return microvm_direct(vm, m, error) && (!m->acpi || microvm_publish_acpi(m, error));
    }
    if (!m->acpi) {
        microvm_build_mp(vm);
    }
    return pc_publish_platform(m->board, m->option_roms, error) &&
           (!m->acpi || microvm_publish_acpi(m, error));
}

static const Prop microvm_props[] = {
    PROP_ON_OFF_AUTO(MicroVm, machine.acpi, "acpi", ON_OFF_AUTO_AUTO, .help = "Enable ACPI"),
    PROP_ON_OFF_AUTO(MicroVm, pic, "pic", ON_OFF_AUTO_AUTO, .help = "Enable i8259 PIC"),
    PROP_ON_OFF_AUTO(MicroVm, pit, "pit", ON_OFF_AUTO_AUTO, .help = "Enable i8254 PIT"),
    PROP_ON_OFF_AUTO(MicroVm, rtc, "rtc", ON_OFF_AUTO_AUTO, .help = "Enable MC146818 RTC"),
    PROP_ON_OFF_AUTO(MicroVm, ioapic2, "ioapic2", ON_OFF_AUTO_AUTO,
                     .help = "Enable second IO-APIC"),
    PROP_ON_OFF_AUTO(MicroVm, pcie, "pcie", ON_OFF_AUTO_AUTO, .help = "Enable PCIe"),
    PROP_BOOL(MicroVm, isa_serial, "isa-serial", true,
              .help = "Set off to disable the instantiation an ISA serial port"),
    PROP_BOOL(MicroVm, option_roms, "x-option-roms", true,
              .help = "Set off to disable loading option ROMs"),
    PROP_BOOL(MicroVm, unpack_kernel, "x-unpack-kernel", true,
              .help = "unpack Linux before it starts; off: it does it, and chooses its address"),
    PROP_BOOL(MicroVm, auto_cmdline, "auto-kernel-cmdline", true,
              .help = "Set off to disable adding virtio-mmio devices to the kernel cmdline"),
    PROP_END,
};

static const MachineType microvm_machine = {
    .name = "microvm-machine",
    .machine_name = "microvm",
    .desc = "microvm (i386)",
    .arches = "i386 x86_64",
    .size = sizeof(MicroVm),
    .props = microvm_props,
    .max_cpus = 288,
    .default_cpu = "qemu64",
    .default_cpu_32 = "qemu32",
    .default_nic = "virtio-net-device",
    .default_block_if = "virtio",
    .no_floppy = true,
    .no_cdrom = true,
    .no_parallel = true,
    .init = microvm_init,
    .done = microvm_done,
};
MACHINE_TYPE(microvm_machine);
