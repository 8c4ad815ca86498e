// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of the board microvm: memory map, tables. */
#ifndef HW_I386_MICROVM_H
#define HW_I386_MICROVM_H

#include "hw/i386/pc.h"
#include "hw/pci-host/gpex.h"

#define MICROVM_IOAPIC 0xfec00000u
#define MICROVM_IOAPIC2 0xfec10000u
#define MICROVM_IOAPIC_PINS 24
#define MICROVM_GED 0xfea00000u
#define MICROVM_GED_REGS 0xfea00200u
#define MICROVM_GED_LINE 9
#define MICROVM_XHCI 0xfe900000u
#define MICROVM_XHCI_SIZE 0x4000u
#define MICROVM_XHCI_LINE 10
#define MICROVM_VIRTIO 0xfeb00000u
#define MICROVM_VIRTIO_STRIDE 0x200u
#define MICROVM_PCI_MEM 0xc0000000u
#define MICROVM_PCI_MEM_SIZE 0x20000000u
#define MICROVM_ECAM 0xe0000000u
#define MICROVM_ECAM_SIZE 0x10000000u
#define MICROVM_PCI_MEM64 0xc000000000ull
#define MICROVM_PCI_MEM64_SIZE 0x4000000000ull

/* Transports: a few on lines of the first I/O APIC, or many on the second one. */
enum {
    MICROVM_FEW = 8,
    MICROVM_MANY = 24,
    MICROVM_OLD_LINE = 5,
    MICROVM_LINE = 16
};
/* PCI's lines, which with one I/O APIC lie below the transports'. */
enum {
    MICROVM_PCI_LINE = 16,
    MICROVM_PCI_LINE_LOW = 12
};

typedef struct MicroVm {
    Machine machine;
    int pic, pit, rtc, ioapic2, pcie;
    bool isa_serial, option_roms, auto_cmdline, unpack_kernel;
    bool acpi;
    unsigned num_transports, first_line; /* of the virtio transports */
    unsigned pci_line; /* of four */
    Device *transports[MICROVM_MANY];
    Device *second_ioapic, *ged, *xhci; /* NULL: none */
    GpexHost *pci; /* NULL: none */
    PcBoard *board;
    Region stub;
    char *cmdline;
} MicroVm;

static inline bool microvm_has_device(const MicroVm *m, unsigned transport)
{
    const Bus *bus = g_ptr_array_index(m->transports[transport]->buses, 0);

    return bus->devices->len != 0;
}

/* microvm-mp.c: without ACPI. */
void microvm_build_mp(Vm *vm);
/* microvm-acpi.c: into memory (*rsdp is where the root lies), or into fw_cfg for firmware. */
bool microvm_install_acpi(MicroVm *m, uint64_t *rsdp, GError **error);
bool microvm_publish_acpi(MicroVm *m, GError **error);

#endif
