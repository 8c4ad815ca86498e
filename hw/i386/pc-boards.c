// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The boards pc (440FX with PIIX3) and q35 (MCH with ICH9): the order in which the parts of
 * pc.c and the chipset functions are put together.
 */
#include <stdio.h>
#include "accel/accel.h"
#include "hw/i2c/i2c.h"
#include "hw/i386/pc.h"

#define PC_NEWEST 702
#define PC_EEPROMS 8             /* on the SMBus */

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
    char *pcspk_audiodev;
    bool fd_bootchk, smbus;
} PcMachine;

/* "pc-q35-2.12" is 212; names without a version stand for the newest. */
static unsigned pc_version(const char *machine_name)
{
    const char *v = strrchr(machine_name, '-');
    unsigned major = 0, minor = 0;

    return v && sscanf(v, "-%u.%u", &major, &minor) == 2 ? major * 100 + minor : PC_NEWEST;
}

static PcBoard *pc_board_new(Vm *vm, bool q35, GError **error)
{
    PcMachine *m = (PcMachine *)vm->machine;
    PcBoard *b;

    if (m->smm == ON_OFF_AUTO_ON && vm->accel->type->no_smm) {
        return fail_null(error, "System Management Mode not supported by this hypervisor.");
    }
    b = g_new0(PcBoard, 1);
    b->vm = vm;
    b->q35 = q35;
    b->has_acpi = m->machine.acpi != ON_OFF_AUTO_OFF;
    b->has_hpet = m->hpet;
    b->has_smbus = m->smbus;
    b->has_vmport = m->machine.vmport != ON_OFF_AUTO_OFF;
    b->pflash[0] = m->pflash[0];
    b->pflash[1] = m->pflash[1];
    b->check_floppy = m->fd_bootchk;
    b->speaker_audiodev = m->pcspk_audiodev;
    b->max_firmware = m->max_fw_size;
    b->has_smm = m->smm != ON_OFF_AUTO_OFF && !vm->accel->type->no_smm;
    b->version = pc_version(vm->machine_type->machine_name);
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
        if (b->has_smbus &&
            !smbus_eeproms_create(piix4_smbus_bus(b->pm), PC_EEPROMS, NULL, error)) {
            return false;
        }
    }
    return pc_create_memory_slots(b, error) && pc_create_default_devices(b, error);
}

static bool pc_create_ich9_smbus(PcBoard *b, GError **error)
{
    PciDevice *d = pci_create(b->pci, PCI_DEVFN(31, 3), "ICH9-SMB", NULL, error, NULL);

    return d && smbus_eeproms_create(ich9_smbus_bus(d), PC_EEPROMS, NULL, error);
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
    if (vm->machine->usb && (!pci_create(b->pci, PCI_DEVFN(29, 0), "ich9-usb-uhci1", NULL, error,
                                         "multifunction", "on", NULL) ||
                             !pc_part(b, PCI_DEVFN(29, 1), "ich9-usb-uhci2", error) ||
                             !pc_part(b, PCI_DEVFN(29, 2), "ich9-usb-uhci3", error))) {
        return false;
    }
    return (!b->has_smbus || pc_create_ich9_smbus(b, error)) && pc_create_memory_slots(b, error) &&
           pc_create_default_devices(b, error);
}

static const Prop pc_machine_props[] = {
    PROP_ON_OFF_AUTO(PcMachine, machine.acpi, "acpi", ON_OFF_AUTO_AUTO, .help = "Enable ACPI"),
    PROP_BOOL(PcMachine, hpet, "hpet", true, .help = "high precision event timers"),
    PROP_BOOL(PcMachine, sata, "sata", true),
    PROP_ON_OFF_AUTO(PcMachine, machine.vmport, "vmport", ON_OFF_AUTO_AUTO,
                     .help = "Enable vmport (pc & q35)"),
    PROP_BOOL(PcMachine, smbus, "smbus", true,
              .help = "Enable/disable system management bus"),
    PROP_STRING(PcMachine, pflash[0], "pflash0", .help = "node or drive of the first flash chip"),
    PROP_STRING(PcMachine, pflash[1], "pflash1", .help = "... of the second, with variables"),
    PROP_SIZE(PcMachine, max_fw_size, "max-fw-size", 8 * MIB,
              .help = "Maximum combined firmware size"),
    PROP_BOOL(PcMachine, fd_bootchk, "fd-bootchk", true,
              .help = "check the boot signature of floppies"),
    PROP_STRING(PcMachine, pcspk_audiodev, "pcspk-audiodev", .help = "audiodev that the speaker is heard on"),
    PROP_ON_OFF_AUTO(PcMachine, smm, "smm", ON_OFF_AUTO_AUTO, .help = "system management mode"),
    PROP_BOOL(PcMachine, machine.nvdimm, "nvdimm", false,
              .help = "Set on/off to enable/disable NVDIMM instantiation"),
    PROP_BOOL(PcMachine, machine.hmat, "hmat", false,
              .help = "Set on/off to enable/disable ACPI Heterogeneous Memory Attribute Table (HMAT)"),
    PROP_END,
};

/* clang-format off */
#define PC_MACHINE(family_, tag_, version_, ...)                                                   \
    static const MachineType pc_##family_##_##tag_ = {                                             \
        .name = "pc-" #family_ "-" version_ "-machine",                                            \
        .machine_name = "pc-" #family_ "-" version_,                                               \
        .arches = "i386 x86_64",                                                                   \
        .size = sizeof(PcMachine),                                                                 \
        .props = pc_machine_props,                                                                 \
        .default_cpu = "qemu64",                                                                   \
        .default_cpu_32 = "qemu32",                                                                \
        .default_display = "std",                                                                  \
        .default_block_if = "ide",                                                                 \
        .numa = true,                                                                              \
        .max_ram_slots = 256,                                                                      \
        .done = pc_machine_done,                                                                   \
        __VA_ARGS__                                                                                \
    };                                                                                             \
    MACHINE_TYPE(pc_##family_##_##tag_)

#define I440FX(tag_, version_, ...)                                                                \
    PC_MACHINE(i440fx, tag_, version_, .desc = "Standard PC (i440FX + PIIX, 1996)",                \
               .max_cpus = 255, .default_nic = "e1000", .init = pc_i440fx_init, __VA_ARGS__)
#define Q35_NIC(nic_, tag_, version_, ...)                                                         \
    PC_MACHINE(q35, tag_, version_, .desc = "Standard PC (Q35 + ICH9, 2009)", .max_cpus = 288,     \
               .default_nic = nic_, .drives_per_bus = 1, .no_floppy = true, .init = pc_q35_init,   \
               __VA_ARGS__)
#define Q35(tag_, version_, ...) Q35_NIC("e1000e", tag_, version_, __VA_ARGS__)
#define Q35_OLD(tag_, version_, ...) Q35_NIC("e1000", tag_, version_, __VA_ARGS__)

/* What a guest can see of an older version is decided by PcBoard.version. */
I440FX(7_2, "7.2", .machine_alias = "pc", .is_default = true);
I440FX(7_1, "7.1");
I440FX(7_0, "7.0");
I440FX(6_2, "6.2");
I440FX(6_1, "6.1");
I440FX(6_0, "6.0");
I440FX(5_2, "5.2");
I440FX(5_1, "5.1");
I440FX(5_0, "5.0");
I440FX(4_2, "4.2");
I440FX(4_1, "4.1");
I440FX(4_0, "4.0");
I440FX(3_1, "3.1");
I440FX(3_0, "3.0");
I440FX(2_9, "2.9");
I440FX(2_8, "2.8");
I440FX(2_7, "2.7");
I440FX(2_6, "2.6");
I440FX(2_5, "2.5");
I440FX(2_4, "2.4");
I440FX(2_3, "2.3");
I440FX(2_2, "2.2");
I440FX(2_12, "2.12");
I440FX(2_11, "2.11");
I440FX(2_10, "2.10");
I440FX(2_1, "2.1");
I440FX(2_0, "2.0");
I440FX(1_7, "1.7", .deprecated = true);
I440FX(1_6, "1.6", .deprecated = true);
I440FX(1_5, "1.5", .deprecated = true);
I440FX(1_4, "1.4", .deprecated = true);
Q35(7_2, "7.2", .machine_alias = "q35");
Q35(7_1, "7.1");
Q35(7_0, "7.0");
Q35(6_2, "6.2");
Q35(6_1, "6.1");
Q35(6_0, "6.0");
Q35(5_2, "5.2");
Q35(5_1, "5.1");
Q35(5_0, "5.0");
Q35(4_2, "4.2");
Q35(4_1, "4.1");
Q35(4_0_1, "4.0.1");
Q35(4_0, "4.0");
Q35(3_1, "3.1");
Q35(3_0, "3.0");
Q35_OLD(2_9, "2.9");
Q35_OLD(2_8, "2.8");
Q35_OLD(2_7, "2.7");
Q35_OLD(2_6, "2.6");
Q35_OLD(2_5, "2.5");
Q35_OLD(2_4, "2.4");
Q35(2_12, "2.12");
Q35_OLD(2_11, "2.11");
Q35_OLD(2_10, "2.10");
/* clang-format on */
