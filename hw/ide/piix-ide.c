// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IDE function of the PIIX3 (Intel 82371SB, 290550-002, section 2.7): two channels at the
 * legacy ports with lines 14 and 15, and the bus master (SFF-8038i) in BAR 4.
 */
#include "channel.h"
#include "hw/pci/pci.h"
#include "qom/vm.h"
#include "util/bswap.h"

enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_ACTIVE = 1, BM_ERROR = 2, BM_IRQ = 4 };
#define CHANNELS 2
#define PRD_LIMIT 8192

typedef struct PiixIde {
    PciDevice pci;
    IdeChannel channel[CHANNELS];
    Irq irq[CHANNELS];
    uint8_t bm_command[CHANNELS], bm_status[CHANNELS];
    uint32_t bm_prd[CHANNELS];
} PiixIde;

static PiixIde *owner_of(IdeBus *b)
{
    return (PiixIde *)b->bus.owner;
}

/* ---- what drives ask for ---- */

static void piix_irq(IdeBus *b, AtaDrive *d)
{
    if (ide_channel_irq(b, d)) {
        owner_of(b)->bm_status[b->index] |= BM_IRQ;
    }
}

static void piix_pio(IdeBus *b, AtaDrive *d, bool first)
{
    if (d->phase == PHASE_PIO_IN || !first) {
        piix_irq(b, d);
    }
}

static void piix_dma(IdeBus *b, AtaDrive *d)
{
    if (owner_of(b)->bm_command[b->index] & BM_START) {
        ata_dma_run(d);
    }
}

static bool piix_dma_list(IdeBus *b, AtaDrive *d, DmaList *l, uint64_t bytes)
{
    PiixIde *s = owner_of(b);
    uint32_t at = s->bm_prd[b->index];

    for (unsigned i = 0; i < PRD_LIMIT && l->size < bytes; i++, at += 8) {
        uint8_t prd[8];
        uint32_t n;

        if (!dma_read(&s->pci.dev, at, prd, sizeof(prd))) {
            return false;
        }
        n = load_le32(prd + 4) & 0xfffe;
        n = n ? n : 65536;
        dma_list_add(l, load_le32(prd) & ~1u, MIN(n, bytes - l->size));
        if (prd[7] & 0x80) {
            break;
        }
    }
    return true;
}

static void piix_dma_done(IdeBus *b, AtaDrive *d, uint64_t bytes)
{
    PiixIde *s = owner_of(b);

    s->bm_status[b->index] &= ~BM_ACTIVE;
    if (bytes == 0) {
        s->bm_status[b->index] |= BM_ERROR;
    }
}

static const IdeBusOps piix_ops = {
    .irq = piix_irq, .pio = piix_pio, .dma = piix_dma, .dma_list = piix_dma_list, .dma_done = piix_dma_done,
};

#define CHANNEL_OPS(n)                                                                  \
    static uint64_t command##n##_read(void *opaque, hwaddr off, unsigned size)          \
    {                                                                                   \
        return ide_channel_read(&((PiixIde *)opaque)->channel[n], off, size);           \
    }                                                                                   \
    static void command##n##_write(void *opaque, hwaddr off, uint64_t v, unsigned size) \
    {                                                                                   \
        ide_channel_write(&((PiixIde *)opaque)->channel[n], off, (uint32_t)v, size);    \
    }                                                                                   \
    static uint64_t control##n##_read(void *opaque, hwaddr off, unsigned size)          \
    {                                                                                   \
        return ide_channel_status(&((PiixIde *)opaque)->channel[n]);                    \
    }                                                                                   \
    static void control##n##_write(void *opaque, hwaddr off, uint64_t v, unsigned size) \
    {                                                                                   \
        ide_channel_control(&((PiixIde *)opaque)->channel[n], (uint8_t)v);              \
    }                                                                                   \
    static const RegionOps command##n##_ops = {                                         \
        .read = command##n##_read,                                                      \
        .write = command##n##_write,                                                    \
        .min_size = 1,                                                                  \
        .max_size = 4,                                                                  \
        .min_valid = 1,                                                                 \
        .max_valid = 4,                                                                 \
    };                                                                                  \
    static const RegionOps control##n##_ops = {                                         \
        .read = control##n##_read,                                                      \
        .write = control##n##_write,                                                    \
        .min_size = 1,                                                                  \
        .max_size = 1,                                                                  \
    };
CHANNEL_OPS(0)
CHANNEL_OPS(1)

/* ---- bus master ---- */

static void bm_command_written(Device *dev, const RegAccess *a)
{
    PiixIde *s = (PiixIde *)dev;
    unsigned c = a->index;
    AtaDrive *d = ide_channel_drive(&s->channel[c]);

    if (a->value & ~a->old & BM_START) {
        s->bm_status[c] |= BM_ACTIVE;
        if (d) {
            ata_dma_run(d);
        }
    } else if (a->old & ~a->value & BM_START) {
        /* a transfer that runs is cut off: nobody is told of its end */
        if (d && d->phase == PHASE_DMA && d->active) {
            ata_request_forget(&d->active);
            d->phase = PHASE_NONE;
        }
        s->bm_status[c] &= ~BM_ACTIVE;
    }
}

static const Reg bm_regs[] = {
    REG_ARRAY(PiixIde, 0, bm_command, .stride = 8, .wmask = BM_START | BM_TO_MEMORY, .write = bm_command_written,
              .help = "bit 0 runs, bit 3 into memory"),
    REG_ARRAY(PiixIde, 2, bm_status, .stride = 8, .wmask = 0x60, .w1c = BM_ERROR | BM_IRQ,
              .help = "bit 0 active, 1 error, 2 interrupt"),
    REG_ARRAY(PiixIde, 4, bm_prd, .stride = 8, .wmask = 0xfffffffc, .help = "table of memory ranges"),
};

static const RegBank piix_ide_banks[] = {
    { .name = "bmdma", .size = 16, BANK_REGS(bm_regs), .pio = true, .help = "bus master" },
    { .name = "command0", .size = 8, .ops = &command0_ops, .pio = true, .help = "1F0h" },
    { .name = "control0", .size = 1, .ops = &control0_ops, .pio = true, .help = "3F6h" },
    { .name = "command1", .size = 8, .ops = &command1_ops, .pio = true, .help = "170h" },
    { .name = "control1", .size = 1, .ops = &control1_ops, .pio = true, .help = "376h" },
    { 0 },
};

static bool piix_ide_realize(Device *d, GError **error)
{
    PiixIde *s = (PiixIde *)d;

    for (unsigned c = 0; c < CHANNELS; c++) {
        s->channel[c].irq = &s->irq[c];
        ide_bus_init(&s->channel[c].bus, d, c, 2, &piix_ops);
    }
    device_map(d, "command0", 0x1f0);
    device_map(d, "control0", 0x3f6);
    device_map(d, "command1", 0x170);
    device_map(d, "control1", 0x376);
    return true;
}

static void piix_ide_unrealize(Device *d)
{
    PiixIde *s = (PiixIde *)d;

    device_unmap(d, "control1");
    device_unmap(d, "command1");
    device_unmap(d, "control0");
    device_unmap(d, "command0");
    for (unsigned c = 0; c < CHANNELS; c++) {
        bus_fini(&s->channel[c].bus.bus);
    }
}

static void piix_ide_reset(Device *d)
{
    PiixIde *s = (PiixIde *)d;

    for (unsigned c = 0; c < CHANNELS; c++) {
        ide_channel_reset(&s->channel[c]);
    }
}

/*
 * SeaBIOS sets the timings at power-on, not when the machine wakes; without bit 15 Linux drops the
 * channel.
 */
static const PciConfigRow piix_ide_config[] = {
    { "IDETIM0", 0x40, 2, 0, 0xf3ff, 0, "timing of the first channel; bit 15 decodes", true },
    { "IDETIM1", 0x42, 2, 0, 0xf3ff, 0, "timing of the second channel", true },
    { "SIDETIM", 0x44, 1, 0, 0xff, 0, "timing of drives 1" },
    { 0 },
};

static const PciInfo piix_ide_pci = {
    .vendor = 0x8086, .device = 0x7010, .class_code = 0x010180,
    .bar = { [4] = { PCI_BAR_IO, false, "bmdma" } },
    .config = piix_ide_config,
};

static const PinRow piix_ide_pins[] = { PIN_OUT_ARRAY(PiixIde, irq, "irq"), PIN_END };

static const StateField piix_ide_state[] = {
    STATE_STRUCTS(PiixIde, channel, ide_channel_state),
    STATE_END,
};

static const DeviceType piix3_ide_type = {
    .name = "piix3-ide",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "storage",
    .desc = "IDE function of the PIIX3",
    .internal = true,
    .bus_info = &piix_ide_pci,
    .size = sizeof(PiixIde),
    .state_version = 1,
    .banks = piix_ide_banks,
    .pins = piix_ide_pins,
    .state = piix_ide_state,
    .realize = piix_ide_realize,
    .unrealize = piix_ide_unrealize,
    .reset = piix_ide_reset,
};
DEVICE_TYPE(piix3_ide_type);
