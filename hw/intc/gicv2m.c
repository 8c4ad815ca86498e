// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * GICv2m frame (ARM Server Base System Architecture, appendix E): a write of an interrupt's
 * number to SETSPI pulses that line of the interrupt controller.
 */
#include "exec/bank.h"

#define MAX_SPIS 128

typedef struct GicV2m {
    Device dev;
    uint32_t base_spi, num_spi;
    Irq spi[MAX_SPIS];
} GicV2m;

static uint64_t v2m_typer(Device *d, const RegAccess *a)
{
    GicV2m *s = (GicV2m *)d;

    return (s->base_spi + 32) << 16 | s->num_spi;
}

static void v2m_set(Device *d, const RegAccess *a)
{
    GicV2m *s = (GicV2m *)d;
    uint32_t n = (a->value & 0x3ff) - (s->base_spi + 32);

    if (n < s->num_spi) {
        irq_pulse(&s->spi[n]);
    }
}

static bool v2m_realize(Device *d, GError **error)
{
    GicV2m *s = (GicV2m *)d;

    if (s->num_spi > MAX_SPIS || s->base_spi > 987 - s->num_spi) {
        return fail(error, "arm-gicv2m: %u interrupts from %u do not exist", s->num_spi,
                    s->base_spi);
    }
    return true;
}

static const Reg v2m_regs[] = {
    REG_HOOK(0x008, 4, "msi_typer", .read = v2m_typer, .help = "first interrupt and count"),
    REG_HOOK(0x040, 4, "msi_setspi", .write = v2m_set, .help = "raises an interrupt"),
    REG_HOOK(0xfcc, 4, "msi_iidr", .reset = 0x05100000, .help = "identification"),
};

static const RegBank v2m_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(v2m_regs), .help = "MSI frame"},
    {0},
};

static const Prop v2m_props[] = {
    PROP_U32(GicV2m, base_spi, "base-spi", 0),
    PROP_U32(GicV2m, num_spi, "num-spi", 64),
    PROP_END,
};

static const PinRow v2m_pins[] = {PIN_OUT_ARRAY(GicV2m, spi, "spi"), PIN_END};

static const DeviceType v2m_type = {
    .name = "arm-gicv2m",
    .category = "misc",
    .desc = "GICv2m MSI frame",
    .internal = true,
    .size = sizeof(GicV2m),
    .state_version = 1,
    .props = v2m_props,
    .banks = v2m_banks,
    .pins = v2m_pins,
    .realize = v2m_realize,
};
DEVICE_TYPE(v2m_type);
