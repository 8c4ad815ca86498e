// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 440FX: the host bridge (82441FX PMC) with its PCI configuration mechanism #1, PAM
 * and SMRAM registers. The DRAM timing and error registers are storage only.
 */
#include "hw/i386/pc.h"

#define I440FX_PAM 0x59
#define I440FX_SMRAM 0x72
/* A byte access to CF9h, inside the address register, is the ISA bridge's reset control. */
#define RESET_CONTROL 1
enum { SMRAM_D_OPEN = 0x40, SMRAM_D_LCK = 0x10, SMRAM_G_SMRAME = 0x08 };

/* The bridge as it sits in port space: CF8h/CFCh. */
typedef struct PciHost {
    Device dev;
    PciBus bus;
    uint32_t address;
} PciHost;

typedef struct I440fx {
    PciDevice pci;
    PamMap pam;
    SmramWindow smram;
} I440fx;

static uint64_t pci_host_read(void *opaque, hwaddr offset, unsigned size)
{
    PciHost *h = opaque;

    if (offset == RESET_CONTROL && size == 1) {
        return bank_read(pc_board(h->dev.vm)->isa_bridge, "reset", 0, 1);
    }
    if (offset < 4) {
        return size == 4 ? h->address : 0xffffffff;
    }
    if (!(h->address & 1u << 31)) {
        return 0xffffffff;
    }
    return pci_config_cycle_read(&h->bus, h->address >> 8 & 0xffff, (h->address & 0xfc) | (offset & 3), size);
}

static void pci_host_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciHost *h = opaque;

    if (offset == RESET_CONTROL && size == 1) {
        bank_write(pc_board(h->dev.vm)->isa_bridge, "reset", 0, value, 1);
    } else if (offset < 4) {
        if (offset == 0 && size == 4) {
            h->address = value;
        }
    } else if (h->address & 1u << 31) {
        pci_config_cycle_write(&h->bus, h->address >> 8 & 0xffff, (h->address & 0xfc) | (offset & 3), value, size);
    }
}

static const RegionOps pci_host_ops = {
    .read = pci_host_read, .write = pci_host_write, .min_size = 1, .max_size = 4, .max_valid = 4,
};

static const RegBank pci_host_banks[] = {
    { .name = "config", .size = 8, .ops = &pci_host_ops, .pio = true, .help = "mechanism #1" },
    { 0 },
};

static bool pci_host_realize(Device *d, GError **error)
{
    PciHost *h = (PciHost *)d;

    pci_root_bus_init(&h->bus, d, "pci.0", false, &pc_board(d->vm)->pci_mem, d->vm->io);
    pc_board(d->vm)->pci = &h->bus;
    device_map(d, "config", 0xcf8);
    return true;
}

static void pci_host_reset(Device *d)
{
    ((PciHost *)d)->address = 0;
}

static const StateField pci_host_state[] = {
    STATE(PciHost, address),
    HOST_ONLY(PciHost, bus, "its devices have state of their own"),
    STATE_END,
};

static const DeviceType i440fx_host_type = {
    .name = "i440FX-pcihost",
    .category = "bridge",
    .desc = "440FX host bridge",
    .internal = true,
    .size = sizeof(PciHost),
    .state_version = 1,
    .banks = pci_host_banks,
    .state = pci_host_state,
    .realize = pci_host_realize,
    .reset = pci_host_reset,
};
DEVICE_TYPE(i440fx_host_type);

static void i440fx_update(I440fx *s)
{
    uint8_t smram = s->pci.config[I440FX_SMRAM];

    pam_update(&s->pam, s->pci.config + I440FX_PAM);
    smram_open(&s->smram, (smram & SMRAM_D_OPEN) && (smram & SMRAM_G_SMRAME));
}

static void i440fx_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset < I440FX_SMRAM + 1 && offset + size > I440FX_PAM) {
        if (d->config[I440FX_SMRAM] & SMRAM_D_LCK) {
            d->config[I440FX_SMRAM] &= ~SMRAM_D_OPEN;
            d->wmask[I440FX_SMRAM] = 0;
        }
        i440fx_update((I440fx *)d);
    }
}

static bool i440fx_realize(Device *d, GError **error)
{
    I440fx *s = (I440fx *)d;
    PcBoard *b = pc_board(d->vm);

    pam_init(&s->pam, d->vm, &d->obj, &b->ram, &b->pci_mem);
    smram_init(&s->smram, d->vm, &d->obj, &b->pci_mem);
    return true;
}

static void i440fx_reset(Device *d)
{
    ((I440fx *)d)->pci.wmask[I440FX_SMRAM] = 0x78;
    i440fx_update((I440fx *)d);
}

static const PciConfigRow i440fx_config[] = {
    { "PMCCFG", 0x50, 2, 0, 0xffff, 0, "configuration; storage only" },
    { "DRAMC", 0x57, 1, 0x01, 0xff, 0, "DRAM control; storage only" },
    { "DRAMT", 0x58, 1, 0x00, 0xff, 0, "DRAM timing; storage only" },
    { "PAM0", 0x59, 1, 0, 0x30, 0, "F0000h" },
    { "PAM1", 0x5a, 1, 0, 0x33, 0, "C0000h, C4000h" },
    { "PAM2", 0x5b, 1, 0, 0x33, 0, "C8000h, CC000h" },
    { "PAM3", 0x5c, 1, 0, 0x33, 0, "D0000h, D4000h" },
    { "PAM4", 0x5d, 1, 0, 0x33, 0, "D8000h, DC000h" },
    { "PAM5", 0x5e, 1, 0, 0x33, 0, "E0000h, E4000h" },
    { "PAM6", 0x5f, 1, 0, 0x33, 0, "E8000h, EC000h" },
    { "DRB", 0x60, 4, 0, 0xffffffff, 0, "row boundaries; storage only" },
    { "DRB4", 0x64, 4, 0, 0xffffffff, 0, "row boundaries; storage only" },
    { "SMRAM", 0x72, 1, 0x02, 0x78, 0, "SMRAM control" },
    { 0 },
};

static const PciInfo i440fx_pci = {
    .vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2,
    .config = i440fx_config, .config_write = i440fx_config_write,
};

static const StateField i440fx_state[] = {
    HOST_ONLY(I440fx, pam, "follows the PAM registers"),
    HOST_ONLY(I440fx, smram, "follows the SMRAM register"),
    STATE_END,
};

static const DeviceType i440fx_type = {
    .name = "i440FX",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "Host bridge",
    .internal = true,
    .bus_info = &i440fx_pci,
    .size = sizeof(I440fx),
    .state_version = 1,
    .state = i440fx_state,
    .realize = i440fx_realize,
    .reset = i440fx_reset,
};
DEVICE_TYPE(i440fx_type);
