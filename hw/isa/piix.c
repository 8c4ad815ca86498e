// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 82371SB (PIIX3): the PCI-to-ISA bridge with PIRQ routing, and the power management function
 * of the 82371AB (PIIX4): ACPI registers at a programmable base, SMI command port. Its SMBus
 * host controller has ports of its own. Left out: DMA timing.
 */
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/pm.h"
#include "hw/i2c/smbus-host.h"
#include "hw/i386/pc.h"

#define PIIX_PIRQC 0x60
#define PIIX4_PMBASE 0x40
#define PIIX4_PMREGMISC 0x80
#define PIIX4_GPE_PORT 0xafe0
#define PIIX4_DEVACTB 0x58
#define PIIX4_SMBBA 0x90
#define PIIX4_SMBHSTCFG 0xd2
enum {
    PIIX4_PM_ENABLE = 1,
    SMBHSTCFG_ENABLE = 1,
    SMBHSTCFG_IRQ_MASK = 0x0e,
    SMBHSTCFG_IRQ9 = 0x08,
    DEVACTB_APMC_EN = 1u << 25,
    ACPI_ENABLE = 0xf1,
    ACPI_DISABLE = 0xf0
};

typedef struct Piix3 {
    PciDevice pci;
    IsaBus isa;
    uint8_t pirq_levels; /* of the four pins */
} Piix3;

static void piix3_isa_input(Device *d, unsigned line, int level)
{
    pc_gsi_isa(&pc_board(d->vm)->gsi, line, level);
}

/* A line is up while any pin routed to it is. */
static void piix3_route(Piix3 *s)
{
    uint16_t lines = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint8_t r = s->pci.config[PIIX_PIRQC + i];

        if (!(r & 0x80)) {
            lines |= (s->pirq_levels >> i & 1) << (r & 15);
        }
    }
    PcGsi *g = &pc_board(s->pci.dev.vm)->gsi;

    for (unsigned l = 0; l < 16; l++) {
        if (((g->pci_lines ^ lines) >> l & 1)) {
            pc_gsi_pci(g, l, lines >> l & 1);
        }
    }
}

static void piix3_set_pirq(void *opaque, unsigned pirq, int level)
{
    Piix3 *s = opaque;

    s->pirq_levels = (s->pirq_levels & ~(1u << pirq)) | (unsigned)!!level << pirq;
    piix3_route(s);
}

/* 440FX boards: slot 1 is the bridge itself, pins rotate from there. */
static unsigned piix3_map_irq(PciBus *root, unsigned slot, unsigned pin)
{
    return (pin + slot - 1) & 3;
}

static void piix3_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset < PIIX_PIRQC + 4 && offset + size > PIIX_PIRQC) {
        piix3_route((Piix3 *)d);
    }
}

static bool piix3_realize(Device *d, GError **error)
{
    Piix3 *s = (Piix3 *)d;
    PcBoard *b = pc_board(d->vm);

    isa_bus_init(&s->isa, d, "isa.0");
    b->isa = &s->isa.bus;
    s->pci.bus->map_irq = piix3_map_irq;
    s->pci.bus->set_irq = piix3_set_pirq;
    s->pci.bus->irq_opaque = s;
    return true;
}

static void piix3_reset(Device *d)
{
    piix3_route((Piix3 *)d);
}

static const PciConfigRow piix3_config[] = {
    {"IORT", 0x4c, 1, 0x4d, 0xff, 0, "ISA recovery timing; storage only"},
    {"XBCS", 0x4e, 2, 0x0003, 0xffff, 0, "X-bus chip selects; storage only"},
    {"PIRQRCA", 0x60, 1, 0x80, 0x8f, 0, "routing of PIRQA#"},
    {"PIRQRCB", 0x61, 1, 0x80, 0x8f, 0, "routing of PIRQB#"},
    {"PIRQRCC", 0x62, 1, 0x80, 0x8f, 0, "routing of PIRQC#"},
    {"PIRQRCD", 0x63, 1, 0x80, 0x8f, 0, "routing of PIRQD#"},
    {"TOM", 0x69, 1, 0x02, 0xfe, 0, "top of memory; storage only"},
    {"MSTAT", 0x6a, 2, 0, 0x81, 0, "miscellaneous status"},
    {"APICBASE", 0x80, 1, 0, 0x3f, 0, "storage only"},
    {"DLC", 0x82, 1, 0, 0x0f, 0, "deterministic latency; storage only"},
    {"SMICNTL", 0xa0, 1, 0x08, 0x1f, 0, "storage only"},
    {0},
};

static const PciInfo piix3_pci = {
    .vendor = 0x8086,
    .device = 0x7000,
    .class_code = 0x060100,
    .config = piix3_config,
    .config_write = piix3_config_write,
};

static const PinRow piix3_pins[] = {PIN_IN("isa-irq", 16, piix3_isa_input), PIN_END};

static const StateField piix3_state[] = {
    STATE(Piix3, pirq_levels),
    HOST_ONLY(Piix3, isa, "its devices have state of their own"),
    STATE_END,
};

static const DeviceType piix3_type = {
    .name = "PIIX3",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "PCI-to-ISA bridge",
    .internal = true,
    .bus_info = &piix3_pci,
    .size = sizeof(Piix3),
    .state_version = 1,
    .pins = piix3_pins,
    .state = piix3_state,
    .realize = piix3_realize,
    .reset = piix3_reset,
};
DEVICE_TYPE(piix3_type);

/* ---- power management ---- */

typedef struct Piix4Pm {
    PciDevice pci;
    AcpiPm acpi;
    AcpiCpus cpus;
    Region pm; /* 64 bytes at PMBASE */
    uint8_t apmc, apms;
    Irq sci;
    bool sci_level, smbus_level;
    SmbusHost smbus;
    bool smbus_mapped;
    uint16_t smbus_base;
    bool mapped;
    uint16_t base;
    bool root_hotplug;
    AcpiPciHotplug hotplug;
} Piix4Pm;

/* The SMBus interrupt may share line 9. */
static void piix4_update_sci(Piix4Pm *s)
{
    bool smbus = s->smbus_level &&
                 (s->pci.config[PIIX4_SMBHSTCFG] & SMBHSTCFG_IRQ_MASK) == SMBHSTCFG_IRQ9;

    irq_set(&s->sci, s->sci_level || smbus);
}

static void piix4_set_sci(Device *d, int level)
{
    Piix4Pm *s = (Piix4Pm *)d;

    s->sci_level = level;
    piix4_update_sci(s);
}

static void piix4_set_smbus_irq(Device *d, int level)
{
    Piix4Pm *s = (Piix4Pm *)d;

    s->smbus_level = level;
    piix4_update_sci(s);
}

static void piix4_write_apmc(Device *d, const RegAccess *a)
{
    Piix4Pm *s = (Piix4Pm *)d;

    if (a->value == ACPI_ENABLE || a->value == ACPI_DISABLE) {
        acpi_pm_set_enabled(&s->acpi, a->value == ACPI_ENABLE);
    }
    if (pci_config_get(&s->pci, PIIX4_DEVACTB, 4) & DEVACTB_APMC_EN) {
        pc_raise_smi(pc_board(d->vm), SMI_TO_FIRST);
    }
}

static const Reg piix4_apm_regs[] = {
    REG(Piix4Pm, 0, apmc, .wmask = 0xff, .write = piix4_write_apmc, .help = "SMI command"),
    REG(Piix4Pm, 1, apms, .wmask = 0xff, .help = "SMI status: storage"),
};

static uint64_t piix4_smbus_read(void *opaque, hwaddr offset, unsigned size)
{
    return smbus_host_read(&((Piix4Pm *)opaque)->smbus, (unsigned)offset);
}

static void piix4_smbus_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    smbus_host_write(&((Piix4Pm *)opaque)->smbus, (unsigned)offset, (uint8_t)value);
}

static const RegionOps piix4_smbus_ops = {
    .read = piix4_smbus_read, .write = piix4_smbus_write, .min_size = 1, .max_size = 1};

static const RegBank piix4_banks[] = {
    {.name = "apm", .size = 2, BANK_REGS(piix4_apm_regs), .pio = true},
    {.name = "smbus", .size = SMBUS_HOST_PORTS, .ops = &piix4_smbus_ops, .pio = true},
    {0},
};

static void piix4_remap(Piix4Pm *s)
{
    bool on = s->pci.config[PIIX4_PMREGMISC] & PIIX4_PM_ENABLE;
    uint16_t base = pci_config_get(&s->pci, PIIX4_PMBASE, 4) & 0xffc0;

    if (on == s->mapped && base == s->base) {
        return;
    }
    if (s->mapped) {
        region_remove(&s->pm);
    }
    if (on) {
        region_add(s->pci.dev.vm->io, base, &s->pm, 0);
    }
    s->mapped = on;
    s->base = base;
    pc_board(s->pci.dev.vm)->pm_base = on ? base : 0;
}

static void piix4_remap_smbus(Piix4Pm *s)
{
    bool on = s->pci.config[PIIX4_SMBHSTCFG] & SMBHSTCFG_ENABLE;
    uint16_t base = pci_config_get(&s->pci, PIIX4_SMBBA, 4) & 0xfff0;

    if (on == s->smbus_mapped && base == s->smbus_base) {
        return;
    }
    if (s->smbus_mapped) {
        device_unmap(&s->pci.dev, "smbus");
    }
    if (on) {
        device_map(&s->pci.dev, "smbus", base);
    }
    s->smbus_mapped = on;
    s->smbus_base = base;
}

I2cBus *piix4_smbus_bus(Device *d)
{
    return &((Piix4Pm *)d)->smbus.i2c;
}

static void piix4_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    piix4_remap((Piix4Pm *)d);
    piix4_remap_smbus((Piix4Pm *)d);
    piix4_update_sci((Piix4Pm *)d);
}

static void piix4_loaded(Device *d)
{
    piix4_remap((Piix4Pm *)d);
    acpi_cpus_loaded(&((Piix4Pm *)d)->cpus);
}

static bool piix4_realize(Device *d, GError **error)
{
    Piix4Pm *s = (Piix4Pm *)d;
    PcBoard *b = pc_board(d->vm);

    region_init_container(&s->pm, &d->obj, "piix4-pm", 64);
    acpi_pm_init(&s->acpi, d, &s->pm, d->vm->io, PIIX4_GPE_PORT, 2, piix4_set_sci);
    acpi_cpus_init(&s->cpus, d, &s->acpi, ACPI_CPU_PORT_PC);
    if (s->root_hotplug) {
        acpi_pcihp_init(&s->hotplug, d, &s->acpi, b->pci);
        b->pci_hotplug = &s->hotplug;
    }
    device_map(d, "apm", 0xb2);
    smbus_host_init(&s->smbus, d, piix4_set_smbus_irq);
    s->smbus.always_buffered = true;
    b->pm = d;
    b->acpi_pm = &s->acpi;
    return true;
}

static void piix4_unrealize(Device *d)
{
    Piix4Pm *s = (Piix4Pm *)d;

    if (s->root_hotplug) {
        pc_board(d->vm)->pci_hotplug = NULL;
        acpi_pcihp_fini(&s->hotplug);
    }
}

static void piix4_reset(Device *d)
{
    Piix4Pm *s = (Piix4Pm *)d;

    if (!pc_board(d->vm)->has_smm) {
        /* Shown as on, so that firmware leaves SMM alone. */
        pci_config_set(&s->pci, PIIX4_DEVACTB, 4, DEVACTB_APMC_EN);
    }
    acpi_pm_reset(&s->acpi);
    acpi_cpus_reset(&s->cpus);
    if (s->root_hotplug) {
        acpi_pcihp_reset(&s->hotplug);
    }
    smbus_host_reset(&s->smbus);
    piix4_remap(s);
    piix4_remap_smbus(s);
}

static const PciConfigRow piix4_config[] = {
    {"PMBA", 0x40, 4, 0x00000001, 0x0000ffc0, 0, "ACPI registers' base"},
    {"DEVACTB", 0x58, 4, 0, 0x03ffffff, 0, "device activity B: SMI command port"},
    {"DEVRESB", 0x60, 4, 0x60000000, 0, 0, "devices on the board"},
    {"DEVRESC", 0x64, 4, 0x98000000, 0, 0, "devices on the board"},
    {"PMREGMISC", 0x80, 1, 0, 1, 0, "enables PMBA"},
    {"SMBBA", 0x90, 4, 0x0000b101, 0x0000fff0, 0, "SMBus base"},
    {"SMBHSTCFG", 0xd2, 1, 0x09, 0x0f, 0, "SMBus enable and interrupt"},
    {0},
};

static const PciInfo piix4_pci = {
    .vendor = 0x8086,
    .device = 0x7113,
    .class_code = 0x068000,
    .revision = 3,
    .pin = 1,
    .config = piix4_config,
    .config_write = piix4_config_write,
};

static const PinRow piix4_pins[] = {PIN_OUT(Piix4Pm, sci, "sci"), PIN_END};

static const Prop piix4_props[] = {
    ACPI_PM_PROPS(Piix4Pm, acpi),
    PROP_BOOL(Piix4Pm, root_hotplug, "acpi-root-pci-hotplug", true),
    PROP_END,
};

static const StateField piix4_state[] = {
    STATE_STRUCT(Piix4Pm, hotplug, acpi_pci_hotplug_state),
    STATE_STRUCT(Piix4Pm, acpi, acpi_pm_state), STATE_STRUCT(Piix4Pm, cpus, acpi_cpus_state),
    HOST_ONLY(Piix4Pm, pm, "region"),           HOST_ONLY(Piix4Pm, mapped, "follows PMREGMISC"),
    HOST_ONLY(Piix4Pm, base, "follows PMBA"),   STATE_STRUCT(Piix4Pm, smbus, smbus_host_state),
    STATE(Piix4Pm, sci_level),                  STATE(Piix4Pm, smbus_level),
    HOST_ONLY(Piix4Pm, smbus_mapped, "follows SMBHSTCFG"),
    HOST_ONLY(Piix4Pm, smbus_base, "follows SMBBA"), STATE_END,
};

static const DeviceType piix4_pm_type = {
    .name = "PIIX4_PM",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "PM",
    .internal = true,
    .bus_info = &piix4_pci,
    .size = sizeof(Piix4Pm),
    .state_version = 1,
    .banks = piix4_banks,
    .pins = piix4_pins,
    .props = piix4_props,
    .state = piix4_state,
    .realize = piix4_realize,
    .unrealize = piix4_unrealize,
    .reset = piix4_reset, .post_load = piix4_loaded,
};
DEVICE_TYPE(piix4_pm_type);
