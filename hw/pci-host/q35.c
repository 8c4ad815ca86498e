// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel Q35 MCH (3 Series Express Chipset datasheet 316966): host bridge with memory-mapped
 * configuration space (PCIEXBAR), PAM, SMRAM and TSEG. Two registers are no chip's but known to
 * firmware: the size of a larger TSEG (50h), and protection of the default SMBASE (9Ch).
 * Left out: DMI registers, the graphics port.
 */
#include "hw/i386/pc.h"
#include "hw/pci/pci-host.h"

#define MCH_PCIEXBAR 0x60
#define MCH_PAM 0x90
#define MCH_EXT_TSEG 0x50
#define MCH_DEFAULT_SMBASE 0x9c
#define MCH_SMRAM 0x9d
#define MCH_ESMRAMC 0x9e
enum {
    ESMRAMC_T_EN = 1,
    ESMRAMC_H_SMRAME = 0x80
};
enum {
    SMBASE_PLAIN,
    SMBASE_IN_SMRAM,
    SMBASE_LOCKED
};
enum {
    SMRAM_D_OPEN = 0x40,
    SMRAM_D_LCK = 0x10,
    SMRAM_G_SMRAME = 0x08
};

typedef struct Mch {
    PciDevice pci;
    PamMap pam;
    SmramMap smram;
    uint16_t ext_tseg_mib;
    bool smbase_smram;
    uint8_t smbase_state;
    Region ecam;
    bool ecam_mapped;
    hwaddr ecam_base;
} Mch;

static bool q35_host_realize(Device *d, GError **error)
{
    PciHost *h = (PciHost *)d;

    pci_root_bus_init(&h->bus, d, "pcie.0", true, &pc_board(d->vm)->pci_mem, d->vm->io);
    pc_board(d->vm)->pci = &h->bus;
    device_map(d, "config", 0xcf8);
    return true;
}

static const DeviceType q35_host_type = {
    .name = "q35-pcihost",
    .parent = "pci-host-bridge",
    .category = "bridge",
    .desc = "Q35 host bridge",
    .internal = true,
    .size = sizeof(PciHost),
    .state_version = 1,
    .realize = q35_host_realize,
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
    .read = ecam_read,
    .write = ecam_write,
    .min_size = 1,
    .max_size = 4,
    .max_valid = 4,
};

static void mch_map_ecam(Mch *s)
{
    static const unsigned bus_bits[] = {8, 7, 6, 0};
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

/* 5.1.32: 1, 2 or 8 MiB, or what register 50h says. */
static uint64_t mch_tseg_size(const Mch *s)
{
    static const unsigned mib[] = {1, 2, 8};
    unsigned code = s->pci.config[MCH_ESMRAMC] >> 1 & 3;

    if (!(s->pci.config[MCH_ESMRAMC] & ESMRAMC_T_EN)) {
        return 0;
    }
    return (code < 3 ? mib[code] : s->ext_tseg_mib) * MIB;
}

static void mch_update_smram(Mch *s)
{
    uint8_t smram = s->pci.config[MCH_SMRAM];

    smram_update(&s->smram, &(SmramConfig){
                                .enabled = smram & SMRAM_G_SMRAME,
                                .open = smram & SMRAM_D_OPEN,
                                .high = s->pci.config[MCH_ESMRAMC] & ESMRAMC_H_SMRAME,
                                .tseg_size = mch_tseg_size(s),
                                .smbase = s->smbase_state != SMBASE_PLAIN,
                            });
}

static void mch_update(Mch *s)
{
    pam_update(&s->pam, s->pci.config + MCH_PAM);
    mch_update_smram(s);
    mch_map_ecam(s);
}

/* Asked by FFh, answers with 1; then 1 takes 30000h-4FFFFh into SMRAM, 2 keeps it there. */
static void mch_write_smbase(Mch *s)
{
    uint8_t *r = &s->pci.config[MCH_DEFAULT_SMBASE];

    if (s->smbase_state == SMBASE_PLAIN && *r == 0xff && s->smbase_smram) {
        *r = 1;
    } else if (s->smbase_state == SMBASE_PLAIN && *r == 1) {
        s->smbase_state = SMBASE_IN_SMRAM;
    } else if (s->smbase_state == SMBASE_IN_SMRAM && (*r == 0 || *r == 2)) {
        s->smbase_state = *r == 0 ? SMBASE_PLAIN : SMBASE_LOCKED;
    }
    if (s->smbase_state != SMBASE_PLAIN || *r != 1) {
        *r = s->smbase_state;
    }
}

/* D_LCK makes itself and all that defines SMRAM read-only until reset. */
static void mch_lock_smram(Mch *s)
{
    if (s->pci.config[MCH_SMRAM] & SMRAM_D_LCK) {
        s->pci.config[MCH_SMRAM] &= ~SMRAM_D_OPEN;
        s->pci.wmask[MCH_SMRAM] = 0;
        s->pci.wmask[MCH_ESMRAMC] = 0;
        pci_config_wmask(&s->pci, MCH_EXT_TSEG, 2, 0);
    }
}

static void mch_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    Mch *s = (Mch *)d;

    if (offset < MCH_EXT_TSEG + 2 && offset + size > MCH_EXT_TSEG && d->wmask[MCH_EXT_TSEG] &&
        s->ext_tseg_mib) {
        pci_config_set(d, MCH_EXT_TSEG, 2, s->ext_tseg_mib);
    }
    if (offset <= MCH_DEFAULT_SMBASE && offset + size > MCH_DEFAULT_SMBASE) {
        mch_write_smbase(s);
    }
    if (offset < MCH_ESMRAMC + 1 && offset + size > MCH_PCIEXBAR) {
        mch_lock_smram(s);
        mch_update(s);
    }
}

static void mch_loaded(Device *d)
{
    Mch *s = (Mch *)d;

    mch_lock_smram(s);
    mch_update(s);
}

static bool mch_realize(Device *d, GError **error)
{
    Mch *s = (Mch *)d;
    PcBoard *b = pc_board(d->vm);

    /* Older machine types had neither. */
    s->smbase_smram &= b->has_smm && b->version > 402;
    s->ext_tseg_mib = b->version > 209 ? s->ext_tseg_mib : 0;
    pam_init(&s->pam, d->vm, &d->obj, &b->ram, &b->pci_mem);
    smram_init(&s->smram, b, &d->obj);
    region_init_io(&s->ecam, &d->obj, "pcie-mmcfg-mmio", 256 * MIB, &ecam_ops, s);
    return true;
}

static void mch_reset(Device *d)
{
    Mch *s = (Mch *)d;

    s->pci.wmask[MCH_SMRAM] = 0x78;
    s->pci.wmask[MCH_ESMRAMC] = 0x87;
    pci_config_wmask(&s->pci, MCH_EXT_TSEG, 2, 0xffff);
    pci_config_set(&s->pci, MCH_EXT_TSEG, 2, 0);
    s->smbase_state = SMBASE_PLAIN;
    pam_reset(&s->pam, s->pci.config + MCH_PAM);
    mch_update(s);
}

static const Prop mch_props[] = {
    PROP_BOOL(Mch, smbase_smram, "smbase-smram", true),
    PROP_U16(Mch, ext_tseg_mib, "extended-tseg-mbytes", 16, .max = 4095),
    PROP_END,
};

/* clang-format off */
static const PciConfigRow mch_config[] = {
    { "EXT_TSEG", 0x50, 2, 0, 0xffff, 0, "after a write: MiB of a TSEG of size 3" },
    { "PCIEXBAR_LO", 0x60, 4, 0xb0000000, 0xfc000007, 0, "ECAM base, length and enable" },
    { "PCIEXBAR_HI", 0x64, 4, 0, 0x0000000f, 0, "ECAM base, high part" },
    { "PAM0", 0x90, 1, 0, 0x30, 0, "F0000h" },
    { "PAM1", 0x91, 1, 0, 0x33, 0, "C0000h, C4000h" },
    { "PAM2", 0x92, 1, 0, 0x33, 0, "C8000h, CC000h" },
    { "PAM3", 0x93, 1, 0, 0x33, 0, "D0000h, D4000h" },
    { "PAM4", 0x94, 1, 0, 0x33, 0, "D8000h, DC000h" },
    { "PAM5", 0x95, 1, 0, 0x33, 0, "E0000h, E4000h" },
    { "PAM6", 0x96, 1, 0, 0x33, 0, "E8000h, EC000h" },
    { "DEFAULT_SMBASE", 0x9c, 1, 0, 0xff, 0, "SMRAM at 30000h" },
    { "SMRAM", 0x9d, 1, 0x02, 0x78, 0, "SMRAM control" },
    { "ESMRAMC", 0x9e, 1, 0x38, 0x87, 0x40, "extended SMRAM control" },
    /* Where memory ends, as firmware notes it for itself. */
    { "TOM", 0xa0, 2, 0, 0x01ff, 0, "top of memory; storage only" },
    { "TOUUD", 0xa2, 2, 0, 0xffff, 0, "top of upper usable memory; storage only" },
    { "GBSM", 0xa4, 4, 0, 0xfff00000, 0, "graphics stolen memory; storage only" },
    { "BGSM", 0xa8, 4, 0, 0xfff00000, 0, "GTT stolen memory; storage only" },
    { "TSEGMB", 0xac, 4, 0, 0xfff00000, 0, "TSEG base; storage only" },
    { "TOLUD", 0xb0, 2, 0, 0xfff0, 0, "top of low usable memory; storage only" },
    { 0 },
};
/* clang-format on */

static const PciInfo mch_pci = {
    .vendor = 0x8086,
    .device = 0x29c0,
    .class_code = 0x060000,
    .config = mch_config,
    .config_write = mch_config_write,
};

static const StateField mch_state[] = {
    STATE(Mch, smbase_state),
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
    .props = mch_props,
    .state = mch_state,
    .realize = mch_realize,
    .reset = mch_reset, .post_load = mch_loaded,
};
DEVICE_TYPE(mch_type);
