// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Capabilities of PCI Express functions (PCI Express Base 3.0, 7.8 and 7.10; PCI Local Bus 3.0 for
 * power management): Express, AER, ACS, ATS, function level reset. Errors are never reported and
 * links never train, so that what is here is registers.
 */
#include "hw/pci/pci.h"
#include "pci-internal.h"

/* Offsets in the Express capability, and in those of extended space. */
enum {
    EXP_FLAGS = 2,
    EXP_DEVICE_CAP = 4,
    EXP_DEVICE_CTL = 8,
    EXP_LINK_CAP = 12,
    EXP_LINK_CTL = 16,
    EXP_LINK_STATUS = 18,
    EXP_ROOT_CTL = 28,
    EXP_DEVICE_CAP2 = 36,
    EXP_DEVICE_CTL2 = 40,
    EXP_LINK_CAP2 = 44,
    EXP_LINK_CTL2 = 48,
    EXP_SIZE = 60
};
enum {
    AER_SEVERITY = 12,
    AER_CORRECTABLE_MASK = 20,
    AER_CONTROL = 24,
    AER_ROOT_COMMAND = 44,
    AER_SIZE = 72
};
enum {
    ROLE_BASED_ERRORS = 0x8000,
    CAP_FLR = 0x10000000,
    CTL_FLR = 0x8000,
    CTL_ERRORS = 0xf,
    CTL_LINK = 0xc0, /* common clock, extended synch */
    ASPM_L0S = 0x400,
    END_PREFIX = 0x300000,
    CTL2_PREFIX_BLOCK = 0x8000
};
enum {
    EXT_AER = 1,
    EXT_ACS = 0xd,
    EXT_ATS = 0xf
};

static bool is_port(PcieKind kind)
{
    return kind == PCIE_ROOT_PORT || kind == PCIE_UPSTREAM || kind == PCIE_DOWNSTREAM;
}

bool pcie_init(PciDevice *d, uint8_t offset, PcieKind kind, GError **error)
{
    uint8_t c = pci_add_cap(d, PCI_CAP_ID_EXP, offset, EXP_SIZE, error);

    if (!c) {
        return false;
    }
    d->express_cap = c;
    pci_config_set(d, c + EXP_FLAGS, 2, 2 | kind << 4);
    pci_config_set(d, c + EXP_DEVICE_CAP, 4, ROLE_BASED_ERRORS);
    pcie_link(d, 1, 1);
    if (kind != PCIE_INTEGRATED) {
        pci_config_set(d, c + EXP_DEVICE_CAP2, 4, END_PREFIX);
        pci_config_wmask(d, c + EXP_DEVICE_CTL2, 2, CTL2_PREFIX_BLOCK);
    }
    if (is_port(kind)) {
        pcie_controls(d);
    }
    return true;
}

void pcie_link(PciDevice *d, unsigned speed, unsigned width)
{
    uint8_t c = d->express_cap;
    uint32_t keep = pci_config_get(d, c + EXP_LINK_CAP, 4) & ~0x3ffu;

    pci_config_set(d, c + EXP_LINK_CAP, 4, keep | ASPM_L0S | speed | width << 4);
    pci_config_set(d, c + EXP_LINK_STATUS, 2, speed | width << 4);
    if (speed > 1) {
        /* 7.8.18: bit n is speed n; 7.8.19: the one to aim at */
        pci_config_set(d, c + EXP_LINK_CAP2, 4, (2u << speed) - 2);
        pci_config_set(d, c + EXP_LINK_CTL2, 2, speed);
    }
}

void pcie_controls(PciDevice *d)
{
    pci_config_wmask(d, d->express_cap + EXP_DEVICE_CTL, 2, CTL_ERRORS);
}

void pcie_link_controls(PciDevice *d)
{
    pci_config_wmask(d, d->express_cap + EXP_LINK_CTL, 2, CTL_LINK);
}

void pcie_flr(PciDevice *d)
{
    uint8_t c = d->express_cap;
    uint32_t mask = d->wmask[c + EXP_DEVICE_CTL] | d->wmask[c + EXP_DEVICE_CTL + 1] << 8;

    pci_config_set(d, c + EXP_DEVICE_CAP, 4, pci_config_get(d, c + EXP_DEVICE_CAP, 4) | CAP_FLR);
    pci_config_wmask(d, c + EXP_DEVICE_CTL, 2, mask | CTL_FLR);
}

bool pci_pm_init(PciDevice *d, uint8_t offset, uint16_t caps, GError **error)
{
    d->pm_cap = pci_add_cap(d, PCI_CAP_ID_PM, offset, 8, error);
    if (!d->pm_cap) {
        return false;
    }
    pci_config_set(d, d->pm_cap + 2, 2, caps);
    return true;
}

/* Above the other extended capabilities. */
static uint16_t next_ext_offset(PciDevice *d)
{
    uint16_t at = PCI_CONFIG_SIZE, end = PCI_CONFIG_SIZE;

    while (at && pci_config_get(d, at, 4)) {
        end = MAX(end, at + ((pci_config_get(d, at, 4) & 0xffff) == EXT_AER ? AER_SIZE : 8));
        at = pci_config_get(d, at, 4) >> 20;
    }
    return end;
}

void pcie_aer_init(PciDevice *d, bool port)
{
    uint16_t c = pci_add_ext_cap(d, EXT_AER, 2, next_ext_offset(d), AER_SIZE);

    pci_config_set(d, c + AER_SEVERITY, 4, 0x00462030);
    pci_config_wmask(d, c + AER_SEVERITY, 4, 0x03fff030);
    pci_config_set(d, c + AER_CORRECTABLE_MASK, 4, 0xe000);
    pci_config_wmask(d, c + AER_CORRECTABLE_MASK, 4, 0xf1c1);
    /* generates and checks ECRC; ports log several headers */
    pci_config_set(d, c + AER_CONTROL, 4, port ? 0x2a0 : 0xa0);
    pci_config_wmask(d, c + AER_CONTROL, 4, port ? 0x540 : 0x140);
    if (port) {
        pci_config_wmask(d, c + AER_ROOT_COMMAND, 4, 7);
    }
}

void pcie_acs_init(PciDevice *d)
{
    uint16_t c = pci_add_ext_cap(d, EXT_ACS, 1, next_ext_offset(d), 8);

    pci_config_set(d, c + 4, 2, 0x5f); /* all but egress control */
    pci_config_wmask(d, c + 6, 2, 0x5f);
}

void pcie_ats_init(PciDevice *d, bool aligned)
{
    uint16_t c = pci_add_ext_cap(d, EXT_ATS, 1, next_ext_offset(d), 8);

    pci_config_set(d, c + 4, 2, aligned ? 0x20 : 0);
    pci_config_wmask(d, c + 6, 2, 0x800f);
}

static bool covers(uint32_t at, uint32_t offset, unsigned size)
{
    return at >= offset && at - offset < size;
}

void pcie_config_written(PciDevice *d, uint32_t offset, unsigned size)
{
    uint8_t c = d->express_cap;

    if (c && covers(c + EXP_DEVICE_CTL + 1, offset, size) &&
        (pci_config_get(d, c + EXP_DEVICE_CTL, 2) & CTL_FLR)) {
        device_reset(&d->dev); /* 6.6.2; the bit reads as 0 */
    }
}

/* Bits that the guest may write go back to 0, but for registers that have other resets. */
static void clear(PciDevice *d, uint32_t at, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        d->config[at + i] &= ~d->wmask[at + i];
    }
}

void pcie_reset(PciDevice *d)
{
    if (d->pm_cap) {
        clear(d, d->pm_cap + 4, 2);
    }
    if (!d->express_cap) {
        return;
    }
    clear(d, d->express_cap + EXP_DEVICE_CTL, 2);
    clear(d, d->express_cap + EXP_LINK_CTL, 2);
    clear(d, d->express_cap + EXP_ROOT_CTL, 2);
    clear(d, d->express_cap + EXP_DEVICE_CTL2, 2);
    for (uint16_t at = PCI_CONFIG_SIZE; at && d->config_size > at && pci_config_get(d, at, 4);
         at = pci_config_get(d, at, 4) >> 20) {
        unsigned id = pci_config_get(d, at, 2);

        if (id == EXT_ACS || id == EXT_ATS) {
            clear(d, at + 6, 2);
        } else if (id == EXT_AER) {
            pci_config_set(d, at + AER_SEVERITY, 4, 0x00462030);
            pci_config_set(d, at + AER_CORRECTABLE_MASK, 4, 0xe000);
            clear(d, at + AER_CONTROL, 4);
            clear(d, at + AER_ROOT_COMMAND, 4);
        }
    }
}
