// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel Q35 MCH (3 Series Express Chipset datasheet 316966): host bridge with configuration
 * mechanism #1 and memory-mapped configuration space (PCIEXBAR), PAM and SMRAM registers.
 * Left out: DMI registers, the graphics port.
 */
#include "hw/i386/pc.h"

#define MCH_PCIEXBAR 0x60
#define MCH_PAM 0x90
#define MCH_SMRAM 0x9d
/* A byte access to CF9h, inside the address register, is the ISA bridge's reset control. */
#define RESET_CONTROL 1
enum { SMRAM_D_OPEN = 0x40, SMRAM_D_LCK = 0x10, SMRAM_G_SMRAME = 0x08 };

typedef struct Q35Host {
    Device dev;
    PciBus bus;
    uint32_t address;
} Q35Host;

typedef struct Mch {
    PciDevice pci;
    PamMap pam;
    SmramWindow smram;
    Region ecam;
    bool ecam_mapped;
    hwaddr ecam_base;
} Mch;

/* ---- ports CF8h/CFCh ---- */

static uint64_t q35_host_read(void *opaque, hwaddr offset, unsigned size)
{
    Q35Host *h = opaque;

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

static void q35_host_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Q35Host *h = opaque;

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

static const RegionOps q35_host_ops = {
    .read = q35_host_read, .write = q35_host_write, .min_size = 1, .max_size = 4, .max_valid = 4,
};

static const RegBank q35_host_banks[] = {
    { .name = "config", .size = 8, .ops = &q35_host_ops, .pio = true, .help = "mechanism #1" },
    { 0 },
};

static bool q35_host_realize(Device *d, GError **error)
{
    Q35Host *h = (Q35Host *)d;

    pci_root_bus_init(&h->bus, d, "pcie.0", true, &pc_board(d->vm)->pci_mem, d->vm->io);
    pc_board(d->vm)->pci = &h->bus;
    device_map(d, "config", 0xcf8);
    return true;
}

static void q35_host_reset(Device *d)
{
    ((Q35Host *)d)->address = 0;
}

static const StateField q35_host_state[] = {
    STATE(Q35Host, address),
    HOST_ONLY(Q35Host, bus, "its devices have state of their own"),
    STATE_END,
};

static const DeviceType q35_host_type = {
    .name = "q35-pcihost",
    .category = "bridge",
    .desc = "Q35 host bridge",
    .internal = true,
    .size = sizeof(Q35Host),
    .state_version = 1,
    .banks = q35_host_banks,
    .state = q35_host_state,
    .realize = q35_host_realize,
    .reset = q35_host_reset,
};
DEVICE_TYPE(q35_host_type);

/* ---- memory-mapped configuration: bus in bits 27-20, function in 19-12 ---- */

static uint64_t ecam_read(void *opaque, hwaddr offset, unsigned size)
{
    Mch *s = opaque;

    return pci_config_cycle_read(s->pci.bus, offset >> 12, offset & 0xfff, size);
}

static void ecam_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Mch *s = opaque;

    pci_config_cycle_write(s->pci.bus, offset >> 12, offset & 0xfff, value, size);
}

static const RegionOps ecam_ops = {
    .read = ecam_read, .write = ecam_write, .min_size = 1, .max_size = 4, .max_valid = 4,
};

static void mch_map_ecam(Mch *s)
{
    static const unsigned bus_bits[] = { 8, 7, 6, 0 };
    uint64_t bar = pci_config_get(&s->pci, MCH_PCIEXBAR, 4) |
                   (uint64_t)pci_config_get(&s->pci, MCH_PCIEXBAR + 4, 4) << 32;
    unsigned bits = bus_bits[bar >> 1 & 3];
    bool on = (bar & 1) && bits;
    uint64_t size = 1ull << (20 + bits);
    hwaddr base = bar & 0xfffffffffull & ~(size - 1);
    PcBoard *b = pc_board(s->pci.dev.vm);

    if (on == s->ecam_mapped && (!on || (base == s->ecam_base && size == s->ecam.size))) {
        return;
    }
    memory_transaction_begin();
    if (s->ecam_mapped) {
        region_remove(&s->ecam);
    }
    if (on) {
        region_set_size(&s->ecam, size);
        region_add(s->pci.dev.vm->memory, base, &s->ecam, 1);
    }
    memory_transaction_commit();
    s->ecam_mapped = on;
    s->ecam_base = base;
    b->mmcfg_base = on ? base : 0;
    b->mmcfg_size = on ? size : 0;
}

static void mch_update(Mch *s)
{
    uint8_t smram = s->pci.config[MCH_SMRAM];

    pam_update(&s->pam, s->pci.config + MCH_PAM);
    smram_open(&s->smram, (smram & SMRAM_D_OPEN) && (smram & SMRAM_G_SMRAME));
    mch_map_ecam(s);
}

static void mch_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    if (offset < MCH_SMRAM + 1 && offset + size > MCH_PCIEXBAR) {
        if (d->config[MCH_SMRAM] & SMRAM_D_LCK) {
            d->config[MCH_SMRAM] &= ~SMRAM_D_OPEN;
            d->wmask[MCH_SMRAM] = 0;
        }
        mch_update((Mch *)d);
    }
}

static bool mch_realize(Device *d, GError **error)
{
    Mch *s = (Mch *)d;
    PcBoard *b = pc_board(d->vm);

    pam_init(&s->pam, d->vm, &d->obj, &b->ram, &b->pci_mem);
    smram_init(&s->smram, d->vm, &d->obj, &b->pci_mem);
    region_init_io(&s->ecam, &d->obj, "pcie-mmcfg-mmio", 256 * MIB, &ecam_ops, s);
    return true;
}

static void mch_reset(Device *d)
{
    ((Mch *)d)->pci.wmask[MCH_SMRAM] = 0x78;
    mch_update((Mch *)d);
}

/* clang-format off */
static const PciConfigRow mch_config[] = {
    { "PCIEXBAR_LO", 0x60, 4, 0xb0000000, 0xfc000007, 0, "ECAM base, length and enable" },
    { "PCIEXBAR_HI", 0x64, 4, 0, 0x0000000f, 0, "ECAM base, high part" },
    { "PAM0", 0x90, 1, 0, 0x30, 0, "F0000h" },
    { "PAM1", 0x91, 1, 0, 0x33, 0, "C0000h, C4000h" },
    { "PAM2", 0x92, 1, 0, 0x33, 0, "C8000h, CC000h" },
    { "PAM3", 0x93, 1, 0, 0x33, 0, "D0000h, D4000h" },
    { "PAM4", 0x94, 1, 0, 0x33, 0, "D8000h, DC000h" },
    { "PAM5", 0x95, 1, 0, 0x33, 0, "E0000h, E4000h" },
    { "PAM6", 0x96, 1, 0, 0x33, 0, "E8000h, EC000h" },
    { "SMRAM", 0x9d, 1, 0x02, 0x78, 0, "SMRAM control" },
    { "ESMRAMC", 0x9e, 1, 0x38, 0x00, 0, "extended SMRAM control: no TSEG" },
    { 0 },
};
/* clang-format on */

static const PciInfo mch_pci = {
    .vendor = 0x8086, .device = 0x29c0, .class_code = 0x060000,
    .config = mch_config, .config_write = mch_config_write,
};

static const StateField mch_state[] = {
    HOST_ONLY(Mch, pam, "follows the PAM registers"),
    HOST_ONLY(Mch, smram, "follows the SMRAM register"),
    HOST_ONLY(Mch, ecam, "region"),
    HOST_ONLY(Mch, ecam_mapped, "follows PCIEXBAR"),
    HOST_ONLY(Mch, ecam_base, "follows PCIEXBAR"),
    STATE_END,
};

static const DeviceType mch_type = {
    .name = "mch",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "Host bridge",
    .internal = true,
    .bus_info = &mch_pci,
    .size = sizeof(Mch),
    .state_version = 1,
    .state = mch_state,
    .realize = mch_realize,
    .reset = mch_reset,
};
DEVICE_TYPE(mch_type);
