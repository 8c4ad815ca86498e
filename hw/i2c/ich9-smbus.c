// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SMBus function of the ICH9 (Intel 316972, chapter 20): a host controller behind BAR 4.
 * HOSTC's enable, and its switch for SMIs in place of the interrupt, which no SMI follows here.
 */
#include "hw/i2c/smbus-host.h"
#include "hw/i386/pc.h"

#define HOSTC 0x40
enum {
    HOSTC_ENABLE = 1,
    HOSTC_SMI = 2
};

typedef struct Ich9Smb {
    PciDevice pci;
    SmbusHost host;
} Ich9Smb;

static void smb_set_irq(Device *d, int level)
{
    PciDevice *p = (PciDevice *)d;

    pci_set_irq(p, level && !(p->config[HOSTC] & HOSTC_SMI));
}

static uint64_t smb_read(void *opaque, hwaddr offset, unsigned size)
{
    Ich9Smb *s = opaque;

    return s->pci.config[HOSTC] & HOSTC_ENABLE ? smbus_host_read(&s->host, (unsigned)offset) : 0;
}

static void smb_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Ich9Smb *s = opaque;

    if (s->pci.config[HOSTC] & HOSTC_ENABLE) {
        smbus_host_write(&s->host, (unsigned)offset, (uint8_t)value);
    }
}

static bool smb_realize(Device *d, GError **error)
{
    smbus_host_init(&((Ich9Smb *)d)->host, d, smb_set_irq);
    return true;
}

static void smb_reset(Device *d)
{
    smbus_host_reset(&((Ich9Smb *)d)->host);
}

I2cBus *ich9_smbus_bus(PciDevice *d)
{
    return &((Ich9Smb *)d)->host.i2c;
}

static const RegionOps smb_ops = {
    .read = smb_read, .write = smb_write, .min_size = 1, .max_size = 1};
static const RegBank smb_banks[] = {
    {.name = "smbus", .size = 64, .ops = &smb_ops, .pio = true, .help = "host controller"},
    {0},
};
static const PciConfigRow smb_config[] = {
    {"HOSTC", HOSTC, 1, 0, 0x17, 0, "enable, SMI in place of the interrupt"},
    {0},
};
static const PciInfo smb_pci = {
    .vendor = 0x8086,
    .device = 0x2930,
    .class_code = 0x0c0500,
    .revision = 2,
    .pin = 1,
    .bar[4] = {.kind = PCI_BAR_IO, .bank = "smbus"},
    .config = smb_config,
};
static const StateField smb_state[] = {
    STATE_STRUCT(Ich9Smb, host, smbus_host_state),
    STATE_END,
};

static const DeviceType smb_type = {
    .name = "ICH9-SMB",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "ICH9 SMBUS Bridge",
    .internal = true,
    .bus_info = &smb_pci,
    .size = sizeof(Ich9Smb),
    .state_version = 1,
    .banks = smb_banks,
    .state = smb_state,
    .realize = smb_realize,
    .reset = smb_reset,
};
DEVICE_TYPE(smb_type);
