// SPDX-License-Identifier: GPL-2.0-or-later
/* What the boards pc and q35 share: layout of memory, interrupt lines, kernel loading. */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "exec/memory.h"
#include "hw/isa/isa.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "exec/x86-apic.h"
#include "qom/vm.h"

/*
 * Lines 0..23: 0..15 go to the 8259 pair and the I/O APIC (0 to its pin 2), the rest to the I/O
 * APIC.
 */
typedef struct PcGsi {
    Device *i8259, *ioapic;
    const X86KernelIrq *kernel; /* both are shells of the kernel's; NULL: devices */
    uint32_t isa_lines, pci_lines,
        hpet_lines; /* levels by source; a line is up while one of them is */
    bool legacy_blocked; /* the HPET has replaced the 8254 and the RTC on lines 0 and 8 */
} PcGsi;
/* Once, by the board. */
void pc_gsi_init(PcGsi *g, Vm *vm);
void pc_gsi_isa(PcGsi *g, unsigned line, int level);
void pc_gsi_pci(PcGsi *g, unsigned line, int level);
void pc_gsi_hpet(PcGsi *g, unsigned line, int level);
/* Whether an interrupt of the line waits: another edge would be lost. Machine lock. */
bool pc_gsi_waits(PcGsi *g, unsigned line);
/* Legacy replacement route: lines 0 and 8 follow the HPET alone. */
void pc_gsi_set_legacy_blocked(PcGsi *g, bool blocked);

/* What the tables tell of the IOMMU. */
typedef struct PcIommu {
    enum { PC_IOMMU_NONE, PC_IOMMU_INTEL, PC_IOMMU_AMD } kind;
    uint64_t base;                    /* of its registers */
    uint8_t address_bits;
    uint16_t function;                /* on bus 0, that has its capability: AMD */
    bool remaps, device_tlb;          /* interrupts too; functions may have TLBs of their own */
} PcIommu;

/*
 * At the top of low RAM: the most that SeaBIOS takes for tables and for what its drivers leave to
 * devices.
 */
#define PC_FIRMWARE_ROOM 0x40000u

/* Everything that a board's init builds up; lives as long as the Vm (board["pc"]). */
typedef struct PcBoard {
    Vm *vm;
    bool q35;
    unsigned version; /* of the machine type: 7.2 is 702 */
    Region ram; /* all of it */
    Region ram_low, ram_high; /* windows below and above 4 GiB */
    Region pci_mem; /* what the PCI side decodes; under RAM */
    Region bios, bios_isa;
    const char *pflash[2]; /* -machine pflash0=, pflash1=: drives or nodes; NULL: none */
    uint64_t max_firmware; /* bytes */
    uint64_t low_size, high_size; /* bytes of RAM below / above 4 GiB */
    PcGsi gsi;
    PciBus *pci;
    Bus *isa;
    Device *ich9; /* NULL: another ISA bridge */
    PcIommu iommu;
    FwCfg *fw_cfg;
    Device *rtc, *pit, *hpet, *i8042; /* NULL: none */
    bool no_pic, no_pit, no_rtc;
    Device *pm; /* the function with the ACPI registers */
    struct AcpiPciHotplug *pci_hotplug; /* NULL: none */
    struct AcpiPm *acpi_pm; /* its part with the properties; NULL: no ACPI */
    uint16_t pm_base; /* where firmware will find it: for the FADT */
    uint64_t mmcfg_base, mmcfg_size; /* q35: ECAM */
    uint64_t pci_hole64;
    bool no_firmware; /* a kernel starts from the reset vector */
    const char *default_firmware; /* NULL: the usual one */
    bool firmware_in_ram; /* its last 128 KiB are copied there at reset */
    bool check_floppy; /* its boot signature */
    unsigned boot_once_resets;
    unsigned isa_nics; /* on the ISA bus so far */
    bool has_acpi, has_hpet, has_smm, has_smbus, has_vmport;
    const char *speaker_audiodev; /* NULL: silent */
    Region smm_root, smm_view, smram; /* what CPUs in SMM see: system memory with SMRAM over it */
} PcBoard;
static inline PcBoard *pc_board(Vm *vm)
{
    return vm_published(vm, "pc");
}

/* In order of use by a board's init: */
bool pc_create_cpus(PcBoard *b, GError **error);
/* Whether others may come; how many there are, for firmware, after one came or went. */
bool pc_may_plug_cpus(const PcBoard *b, GError **error);
void pc_publish_cpu_count(PcBoard *b);
bool pc_create_memory(PcBoard *b, uint64_t low_limit, GError **error);
/* pc-firmware.c; part of pc_create_memory. */
bool pc_load_firmware(PcBoard *b, GError **error);
/* PICs, timers, RTC, keyboard, serial ports, fw_cfg ... on b->isa. */
/* -serial and -parallel (pc-ports.c). */
bool pc_create_ports(PcBoard *b, GError **error);
bool pc_create_isa_devices(PcBoard *b, GError **error);
/* The smallest set of them: no keyboard controller, at most the first serial port. */
bool pc_create_basic_devices(PcBoard *b, bool serial, GError **error);
/* Default display, NICs, disks on b->pci. */
bool pc_create_default_devices(PcBoard *b, GError **error);
/* Its parts, for a board without PCI. */
bool pc_create_nics(PcBoard *b, GError **error);
bool pc_create_disks(PcBoard *b, GError **error);
/* MachineType.done: CMOS, e820, SMBIOS, ACPI, kernel. */
bool pc_machine_done(Vm *vm, GError **error);
/* Its part that every firmware wants: CMOS, memory map, boot order, kernel (by an option ROM). */
bool pc_publish_platform(PcBoard *b, bool option_roms, GError **error);

/* -boot order= and once=: pc-boot.c. */
#define PC_BOOT_ORDER "cad"
bool pc_publish_boot(PcBoard *b, GError **error);
bool pc_set_boot_order(PcBoard *b, const char *order, GError **error);
/* -kernel: x86-load.c. */
bool pc_load_linux(PcBoard *b, GError **error);
/*
 * Memory devices: pc-memory.c. The range, which is part of pc_create_memory; slots for modules,
 * once there is ACPI; where guest addresses end, for firmware.
 */
bool pc_create_device_memory(PcBoard *b, GError **error);
bool pc_create_memory_slots(PcBoard *b, GError **error);
void pc_publish_device_memory(PcBoard *b);
/* NUMA nodes for firmware: acpi-srat.c. */
void pc_publish_numa(PcBoard *b);
/* ACPI tables into fw_cfg files. */
bool acpi_build(PcBoard *b, GError **error);

/* Programmable attribute map segments of both host bridges (C0000h-FFFFFh). */
typedef struct PamRegion {
    Region rw, ro, pci, none;
    uint8_t mode;
} PamRegion;
typedef struct PamMap {
    PamRegion seg[13];
    uint8_t regs[7];
} PamMap;
/* Creates the windows onto ram and PCI in system memory; all show PCI. */
void pam_init(PamMap *p, Vm *vm, Object *owner, Region *ram, Region *pci_mem);
/*
 * At reset, regs having their reset values: at the end of S3 they get back what they were, because
 * SeaBIOS resumes from its copy in RAM.
 */
void pam_reset(PamMap *p, uint8_t regs[7]);
/* regs: the seven PAM bytes. */
void pam_update(PamMap *p, const uint8_t regs[7]);

/* System management RAM: windows in system memory and in the address space of CPUs in SMM. */
typedef struct SmramMap {
    PcBoard *b;
    Region vga, vga_none, low, high, tseg, tseg_hidden, smbase, smbase_hidden;
} SmramMap;
typedef struct SmramConfig {
    bool enabled; /* A0000h is SMRAM */
    bool open; /* ... and not only in SMM */
    bool high; /* it is seen at FEDA0000h instead */
    bool smbase; /* 30000h-4FFFFh is SMRAM too */
    uint64_t tseg_size; /* bytes at the top of low memory, 0: none */
} SmramConfig;
/* Before the CPUs: vm->smm_as, if the machine has SMM. */
void pc_smm_space_init(PcBoard *b);
void smram_init(SmramMap *s, PcBoard *b, Object *owner);
void smram_update(SmramMap *s, const SmramConfig *c);
typedef enum SmiTarget {
    SMI_TO_FIRST,
    SMI_TO_WRITER,
    SMI_TO_ALL
} SmiTarget;
void pc_raise_smi(PcBoard *b, SmiTarget who);
/* The I2C buses of the SMBus controllers: piix.c, hw/i2c/ich9-smbus.c. */
struct I2cBus *piix4_smbus_bus(Device *d);
struct I2cBus *ich9_smbus_bus(PciDevice *d);
/* fw_cfg files by which firmware asks for SMIs to all CPUs: ich9.c. */
void ich9_publish_smi_features(PcBoard *b);
/* Firmware has taken them. */
bool ich9_smi_agreed(const PcBoard *b);

#endif
