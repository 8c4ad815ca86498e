// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The board isapc: an AT without PCI: ISA graphics, NE2000, two IDE channels, floppy. Its firmware
 * runs from RAM, where it is copied at each reset. No ACPI, no SMM.
 */
#include "hw/i386/pc.h"

#include "exec/loader.h"
#include "qom/boot.h"
#include "util/error.h"

#define LOW_LIMIT 0xe0000000ull
#define VGA_BASE 0xa0000
#define VGA_SIZE 0x20000
#define VGA_ROM "vgabios.bin"

typedef struct IsaPc {
    Machine machine;
    Region vga_window;        /* shows the bus where RAM would be */
} IsaPc;

static bool isapc_display(PcBoard *b, GError **error)
{
    const char *vga = b->vm->vga ? b->vm->vga : b->vm->use_default_devices ? "std" : "none";
    g_autofree uint8_t *data = NULL;
    g_autofree char *path = NULL;
    size_t len = 0;

    if (strcmp(vga, "none") == 0) {
        return true;
    }
    if (strcmp(vga, "std") != 0) {
        return fail(error, "-vga %s: isapc has only std", vga);
    }
    if (!isa_create(b->isa, "isa-vga", NULL, error, NULL)) {
        return false;
    }
    path = firmware_find(VGA_ROM);
    if (path) {
        if (!load_file(path, "VGA BIOS", 64 * KIB, &data, &len, error)) {
            return false;
        }
        fw_cfg_add_file(b->fw_cfg, "vgaroms/" VGA_ROM, data, len);
    }
    return true;
}

static bool isapc_ide(PcBoard *b, GError **error)
{
    return isa_create(b->isa, "isa-ide", NULL, error, NULL) &&
           isa_create(b->isa, "isa-ide", NULL, error, "iobase", "0x170", "iobase2", "0x376", "irq",
                      "15", NULL);
}

static bool isapc_init(Vm *vm, GError **error)
{
    IsaPc *m = (IsaPc *)vm->machine;
    PcBoard *b = g_new0(PcBoard, 1);

    b->vm = vm;
    b->check_floppy = true;
    b->has_vmport = true;
    b->default_firmware = "bios.bin";
    b->firmware_in_ram = true;
    b->max_firmware = 8 * MIB;
    b->version = 702;
    vm_publish(vm, "pc", b);
    if (!pc_create_cpus(b, error) || !pc_create_memory(b, LOW_LIMIT, error) ||
        !device_create(vm, "isabus-bridge", NULL, NULL, error, NULL)) {
        return false;
    }
    region_init_alias(&m->vga_window, NULL, "isa-vga-window", &b->pci_mem, VGA_BASE, VGA_SIZE);
    region_add(vm->memory, VGA_BASE, &m->vga_window, 1);
    return pc_create_isa_devices(b, error) && isapc_display(b, error) && pc_create_nics(b, error) &&
           isapc_ide(b, error) && pc_create_disks(b, error);
}

static const MachineType isapc_machine = {
    .name = "isapc-machine",
    .machine_name = "isapc",
    .desc = "ISA-only PC",
    .arches = "i386 x86_64",
    .size = sizeof(IsaPc),
    .max_cpus = 1,
    .default_cpu = "486",
    .default_cpu_32 = "486",
    .default_nic = "ne2k_isa",
    .default_display = "std",
    .default_block_if = "ide",
    .init = isapc_init,
    .done = pc_machine_done,
};
MACHINE_TYPE(isapc_machine);
