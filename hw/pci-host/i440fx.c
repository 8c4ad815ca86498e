// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 440FX: the host bridge (82441FX PMC) with PAM and SMRAM
 * registers. The DRAM timing and error registers are storage only.
 */
#include "hw/i386/pc.h"
#include "hw/pci/pci-host.h"

#define I440FX_PAM 0x59
#define I440FX_SMRAM 0x72
enum {
    SMRAM_D_OPEN = 0x40,
    SMRAM_D_LCK = 0x10,
    SMRAM_G_SMRAME = 0x08
};

typedef struct I440fx {
    PciDevice pci;
    PamMap pam;
    SmramMap smram;
} I440fx;

static bool i440fx_host_realize(Device *d, GError **error)
{
    PciHost *h = (PciHost *)d;

    pci_root_bus_init(&h->bus, d, "pci.0", false, &pc_board(d->vm)->pci_mem, d->vm->io);
    pc_board(d->vm)->pci = &h->bus;
    device_map(d, "config", 0xcf8);
    return true;
}

static const DeviceType i440fx_host_type = {
    .name = "i440FX-pcihost",
    .parent = "pci-host-bridge",
    .category = "bridge",
    .desc = "440FX host bridge",
    .internal = true,
    .size = sizeof(PciHost),
    .state_version = 1,
    .realize = i440fx_host_realize,
};
DEVICE_TYPE(i440fx_host_type);

static void i440fx_update(I440fx *s)
{
    uint8_t smram = s->pci.config[I440FX_SMRAM];

    pam_update(&s->pam, s->pci.config + I440FX_PAM);
    smram_update(&s->smram,
                 &(SmramConfig){.enabled = smram & SMRAM_G_SMRAME, .open = smram & SMRAM_D_OPEN});
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

static void i440fx_loaded(Device *d)
{
    i440fx_config_write(PCI_DEVICE(d), I440FX_PAM, 0, 8);
    i440fx_update((I440fx *)d);
}

static bool i440fx_realize(Device *d, GError **error)
{
    I440fx *s = (I440fx *)d;
    PcBoard *b = pc_board(d->vm);

    pam_init(&s->pam, d->vm, &d->obj, &b->ram, &b->pci_mem);
    smram_init(&s->smram, b, &d->obj);
    return true;
}

static void i440fx_reset(Device *d)
{
    ((I440fx *)d)->pci.wmask[I440FX_SMRAM] = 0x78;
    pam_reset(&((I440fx *)d)->pam, ((I440fx *)d)->pci.config + I440FX_PAM);
    i440fx_update((I440fx *)d);
}

static const PciConfigRow i440fx_config[] = {
    {"PMCCFG", 0x50, 2, 0, 0xffff, 0, "configuration; storage only"},
    {"DRAMC", 0x57, 1, 0x01, 0xff, 0, "DRAM control; storage only"},
    {"DRAMT", 0x58, 1, 0x00, 0xff, 0, "DRAM timing; storage only"},
    {"PAM0", 0x59, 1, 0, 0x30, 0, "F0000h"},
    {"PAM1", 0x5a, 1, 0, 0x33, 0, "C0000h, C4000h"},
    {"PAM2", 0x5b, 1, 0, 0x33, 0, "C8000h, CC000h"},
    {"PAM3", 0x5c, 1, 0, 0x33, 0, "D0000h, D4000h"},
    {"PAM4", 0x5d, 1, 0, 0x33, 0, "D8000h, DC000h"},
    {"PAM5", 0x5e, 1, 0, 0x33, 0, "E0000h, E4000h"},
    {"PAM6", 0x5f, 1, 0, 0x33, 0, "E8000h, EC000h"},
    {"DRB", 0x60, 4, 0, 0xffffffff, 0, "row boundaries; storage only"},
    {"DRB4", 0x64, 4, 0, 0xffffffff, 0, "row boundaries; storage only"},
    {"SMRAM", 0x72, 1, 0x02, 0x78, 0, "SMRAM control"},
    {0},
};

static const PciInfo i440fx_pci = {
    .vendor = 0x8086,
    .device = 0x1237,
    .class_code = 0x060000,
    .revision = 2,
    .config = i440fx_config,
    .config_write = i440fx_config_write,
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
    .reset = i440fx_reset, .post_load = i440fx_loaded,
};
DEVICE_TYPE(i440fx_type);
