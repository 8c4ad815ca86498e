// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The boards pc (440FX with PIIX3) and q35 (MCH with ICH9): the order in which the parts of
 * pc.c and the chipset functions are put together.
 */
#include "hw/i386/pc.h"

/* Below 4 GiB, RAM ends here; when the machine has more, it ends lower and the hole grows. */
#define PC_LOW_LIMIT 0xe0000000ull
#define PC_LOW_SPLIT 0xc0000000ull
#define Q35_LOW_LIMIT 0xb0000000ull
#define Q35_LOW_SPLIT 0x80000000ull

typedef struct PcMachine {
    Machine machine;
    bool hpet, sata;
    int smm;
    char *pflash[2];
    uint64_t max_fw_size;
    bool fd_bootchk;
} PcMachine;

static PcBoard *pc_board_new(Vm *vm, bool q35, GError **error)
{
    PcMachine *m = (PcMachine *)vm->machine;
    PcBoard *b = g_new0(PcBoard, 1);

    b->vm = vm;
    b->q35 = q35;
    b->has_acpi = m->machine.acpi != ON_OFF_AUTO_OFF;
    b->has_hpet = m->hpet;
    b->pflash[0] = m->pflash[0];
    b->pflash[1] = m->pflash[1];
    b->check_floppy = m->fd_bootchk;
    b->max_firmware = m->max_fw_size;
    b->has_smm = m->smm != ON_OFF_AUTO_OFF;
    vm_publish(vm, "pc", b);
    pc_smm_space_init(b);
    return b;
}

/* A part of the chipset at a fixed function. */
static bool pc_part(PcBoard *b, int devfn, const char *type, GError **error)
{
    return pci_create(b->pci, devfn, type, NULL, error, NULL) != NULL;
}

static bool pc_i440fx_init(Vm *vm, GError **error)
{
    PcBoard *b = pc_board_new(vm, false, error);

    if (!b || !pc_create_cpus(b, error) ||
        !pc_create_memory(b, vm->ram_size >= PC_LOW_LIMIT ? PC_LOW_SPLIT : PC_LOW_LIMIT, error) ||
        !device_create(vm, "i440FX-pcihost", NULL, "i440fx", error, NULL) ||
        !pc_part(b, PCI_DEVFN(0, 0), "i440FX", error)) {
        return false;
    }
    PciDevice *isa =
        pci_create(b->pci, PCI_DEVFN(1, 0), "PIIX3", NULL, error, "multifunction", "on", NULL);

    if (!isa || !pc_create_isa_devices(b, error)) {
        return false;
    }
    PciDevice *ide = pci_create(b->pci, PCI_DEVFN(1, 1), "piix3-ide", NULL, error, NULL);

    if (!ide) {
        return false;
    }
    wire(&ide->dev, "irq", 0, &isa->dev, "isa-irq", 14);
    wire(&ide->dev, "irq", 1, &isa->dev, "isa-irq", 15);
    if (vm->machine->usb && !pc_part(b, PCI_DEVFN(1, 2), "piix3-usb-uhci", error)) {
        return false;
    }
    if (b->has_acpi) {
        if (!pc_part(b, PCI_DEVFN(1, 3), "PIIX4_PM", error)) {
            return false;
        }
        wire(b->pm, "sci", 0, &isa->dev, "isa-irq", 9);
    }
    return pc_create_default_devices(b, error);
}

static bool pc_q35_init(Vm *vm, GError **error)
{
    PcBoard *b = pc_board_new(vm, true, error);
    PciDevice *lpc;

    if (!b || !pc_create_cpus(b, error) ||
        !pc_create_memory(b, vm->ram_size >= Q35_LOW_LIMIT ? Q35_LOW_SPLIT : Q35_LOW_LIMIT,
                          error) ||
        !device_create(vm, "q35-pcihost", NULL, "q35", error, NULL) ||
        !pc_part(b, PCI_DEVFN(0, 0), "mch", error)) {
        return false;
    }
    lpc =
        pci_create(b->pci, PCI_DEVFN(31, 0), "ICH9-LPC", NULL, error, "multifunction", "on", NULL);
    if (!lpc || !pc_create_isa_devices(b, error)) {
        return false;
    }
    if (((PcMachine *)vm->machine)->sata && !pc_part(b, PCI_DEVFN(31, 2), "ich9-ahci", error)) {
        return false;
    }
    if (vm->machine->usb &&
        (!pci_create(b->pci, PCI_DEVFN(29, 0), "ich9-usb-uhci1", NULL, error, "multifunction", "on", NULL) ||
         !pc_part(b, PCI_DEVFN(29, 1), "ich9-usb-uhci2", error) || !pc_part(b, PCI_DEVFN(29, 2), "ich9-usb-uhci3", error))) {
        return false;
    }
    return pc_create_default_devices(b, error);
}

static const Prop pc_machine_props[] = {
    PROP_BOOL(PcMachine, hpet, "hpet", true, .help = "high precision event timers"),
    PROP_BOOL(PcMachine, sata, "sata", true),
    PROP_STRING(PcMachine, pflash[0], "pflash0", .help = "node or drive of the first flash chip"),
    PROP_STRING(PcMachine, pflash[1], "pflash1", .help = "... of the second, with variables"),
    PROP_SIZE(PcMachine, max_fw_size, "max-fw-size", 8 * MIB,
              .help = "Maximum combined firmware size"),
    PROP_BOOL(PcMachine, fd_bootchk, "fd-bootchk", true,
              .help = "check the boot signature of floppies"),
    PROP_ON_OFF_AUTO(PcMachine, smm, "smm", ON_OFF_AUTO_AUTO, .help = "system management mode"),
    PROP_END,
};

static const MachineType pc_i440fx_7_2 = {
    .name = "pc-i440fx-7.2-machine",
    .machine_name = "pc-i440fx-7.2",
    .machine_alias = "pc",
    .desc = "Standard PC (i440FX + PIIX, 1996)",
    .arches = "i386 x86_64",
    .is_default = true,
    .size = sizeof(PcMachine),
    .props = pc_machine_props,
    .max_cpus = 255,
    .default_cpu = "qemu64",
    .default_cpu_32 = "qemu32",
    .default_nic = "e1000",
    .default_display = "std",
    .default_block_if = "ide",
    .init = pc_i440fx_init,
    .done = pc_machine_done,
};
MACHINE_TYPE(pc_i440fx_7_2);

static const MachineType pc_q35_7_2 = {
    .name = "pc-q35-7.2-machine",
    .machine_name = "pc-q35-7.2",
    .machine_alias = "q35",
    .desc = "Standard PC (Q35 + ICH9, 2009)",
    .arches = "i386 x86_64",
    .size = sizeof(PcMachine),
    .props = pc_machine_props,
    .max_cpus = 288,
    .default_cpu = "qemu64",
    .default_cpu_32 = "qemu32",
    .default_nic = "e1000",
    .default_display = "std",
    .default_block_if = "ide",
    .drives_per_bus = 1,
    .no_floppy = true,
    .init = pc_q35_init,
    .done = pc_machine_done,
};
MACHINE_TYPE(pc_q35_7_2);
