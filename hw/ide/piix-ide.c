// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IDE function of the PIIX3 (Intel 82371SB, 290550-002, section 2.7): two channels at the
 * legacy ports with lines 14 and 15, and the bus master (SFF-8038i) in BAR 4.
 */
#include "ata.h"
#include "hw/pci/pci.h"
#include "qom/vm.h"
#include "util/bswap.h"

enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_ACTIVE = 1, BM_ERROR = 2, BM_IRQ = 4 };
enum { CTL_NIEN = 2, CTL_SRST = 4, CTL_HOB = 0x80 };
#define CHANNELS 2
#define PRD_LIMIT 8192

typedef struct PiixIde {
    PciDevice pci;
    IdeBus channel[CHANNELS];
    Irq irq[CHANNELS];
    uint8_t selected[CHANNELS];         /* drive that answers */
    uint8_t control[CHANNELS];
    uint8_t bm_command[CHANNELS], bm_status[CHANNELS];
    uint32_t bm_prd[CHANNELS];
    bool pending[CHANNELS];             /* INTRQ of the channel */
} PiixIde;

static PiixIde *owner_of(IdeBus *b)
{
    return (PiixIde *)b->bus.owner;
}

static void update_irq(PiixIde *s, unsigned c)
{
    irq_set(&s->irq[c], s->pending[c] && !(s->control[c] & CTL_NIEN));
}

static void clear_irq(PiixIde *s, unsigned c)
{
    s->pending[c] = false;
    update_irq(s, c);
}

static AtaDrive *current(PiixIde *s, unsigned c)
{
    return s->channel[c].drives[s->selected[c]];
}

/* ---- what drives ask for ---- */

static void piix_irq(IdeBus *b, AtaDrive *d)
{
    PiixIde *s = owner_of(b);

    if (d->unit != s->selected[b->index]) {
        return;
    }
    s->pending[b->index] = true;
    s->bm_status[b->index] |= BM_IRQ;
    update_irq(s, b->index);
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

/* ---- command block ---- */

static uint32_t data_read(AtaDrive *d, unsigned size)
{
    uint32_t v = 0;

    if (!d || d->phase != PHASE_PIO_IN) {
        return 0;
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (d->pio_pos < d->pio_len ? (uint32_t)d->buf[d->pio_pos] : 0) << 8 * i;
        d->pio_pos += d->pio_pos < d->pio_len;
    }
    if (d->pio_pos >= d->pio_len) {
        ata_pio_done(d);
    }
    return v;
}

static void data_write(AtaDrive *d, uint32_t v, unsigned size)
{
    if (!d || d->phase != PHASE_PIO_OUT) {
        return;
    }
    for (unsigned i = 0; i < size && d->pio_pos < d->pio_len; i++) {
        d->buf[d->pio_pos++] = (uint8_t)(v >> 8 * i);
    }
    if (d->pio_pos >= d->pio_len) {
        ata_pio_done(d);
    }
}

static uint8_t status_of(PiixIde *s, unsigned c)
{
    AtaDrive *d = current(s, c);

    /* an empty place beside a drive reads as 0, an empty channel floats low too */
    return d ? d->status : 0;
}

static uint64_t command_read(PiixIde *s, unsigned c, unsigned reg, unsigned size)
{
    AtaDrive *d = current(s, c);
    const AtaTaskFile *t;

    if (reg == 0) {
        return data_read(d, size);
    }
    if (!d) {
        return reg == 6 ? 0xa0 | s->selected[c] << 4 : 0;
    }
    t = s->control[c] & CTL_HOB ? &d->hob : &d->tf;
    switch (reg) {
    case 1:
        return s->control[c] & CTL_HOB ? d->hob.feature : d->error;
    case 2:
        return t->count;
    case 3:
        return t->lbal;
    case 4:
        return t->lbam;
    case 5:
        return t->lbah;
    case 6:
        return d->device | 0xa0 | s->selected[c] << 4;
    default:
        clear_irq(s, c);
        return d->status;
    }
}

/* Both drives hear what is written, whichever is selected. */
static void task_file_write(AtaDrive *d, unsigned reg, uint8_t v)
{
    uint8_t *const now[] = { &d->tf.feature, &d->tf.count, &d->tf.lbal, &d->tf.lbam, &d->tf.lbah };
    uint8_t *const before[] = { &d->hob.feature, &d->hob.count, &d->hob.lbal, &d->hob.lbam, &d->hob.lbah };

    if (d->status & (ATA_BSY | ATA_DRQ)) {
        return;
    }
    if (reg == 6) {
        d->device = v;
        return;
    }
    *before[reg - 1] = *now[reg - 1];
    *now[reg - 1] = v;
}

static void command_register_write(PiixIde *s, unsigned c, uint8_t v)
{
    AtaDrive *d = current(s, c);

    clear_irq(s, c);
    if (v == 0x90) {
        /* EXECUTE DEVICE DIAGNOSTIC goes to both; drive 0 answers */
        s->selected[c] = 0;
        for (unsigned i = 0; i < 2; i++) {
            if (s->channel[c].drives[i]) {
                ata_command(s->channel[c].drives[i], v);
            }
        }
        return;
    }
    if (!d || ((d->status & (ATA_BSY | ATA_DRQ)) && v != 0x08)) {
        return;
    }
    ata_command(d, v);
}

static void command_write(PiixIde *s, unsigned c, unsigned reg, uint32_t v, unsigned size)
{
    if (reg == 0) {
        data_write(current(s, c), v, size);
        return;
    }
    if (reg == 7) {
        s->control[c] &= ~CTL_HOB;
        command_register_write(s, c, (uint8_t)v);
        return;
    }
    s->control[c] &= ~CTL_HOB;
    for (unsigned i = 0; i < 2; i++) {
        if (s->channel[c].drives[i]) {
            task_file_write(s->channel[c].drives[i], reg, (uint8_t)v);
        }
    }
    if (reg == 6) {
        s->selected[c] = v >> 4 & 1;
    }
}

static void control_write(PiixIde *s, unsigned c, uint8_t v)
{
    uint8_t old = s->control[c];

    s->control[c] = v;
    if (~old & v & CTL_SRST) {
        s->selected[c] = 0;
        s->pending[c] = false;
        for (unsigned i = 0; i < 2; i++) {
            if (s->channel[c].drives[i]) {
                ata_reset(s->channel[c].drives[i]);
                s->channel[c].drives[i]->status = ATA_BSY;
            }
        }
    } else if (old & ~v & CTL_SRST) {
        for (unsigned i = 0; i < 2; i++) {
            if (s->channel[c].drives[i]) {
                ata_reset(s->channel[c].drives[i]);
            }
        }
    }
    update_irq(s, c);
}

#define CHANNEL_OPS(n)                                                                             \
    static uint64_t command##n##_read(void *opaque, hwaddr off, unsigned size)                     \
    {                                                                                              \
        return command_read(opaque, n, off, size);                                                 \
    }                                                                                              \
    static void command##n##_write(void *opaque, hwaddr off, uint64_t v, unsigned size)            \
    {                                                                                              \
        command_write(opaque, n, off, (uint32_t)v, size);                                          \
    }                                                                                              \
    static uint64_t control##n##_read(void *opaque, hwaddr off, unsigned size)                     \
    {                                                                                              \
        return status_of(opaque, n);                                                               \
    }                                                                                              \
    static void control##n##_write(void *opaque, hwaddr off, uint64_t v, unsigned size)            \
    {                                                                                              \
        control_write(opaque, n, (uint8_t)v);                                                      \
    }                                                                                              \
    static const RegionOps command##n##_ops = {                                                    \
        .read = command##n##_read, .write = command##n##_write, .min_size = 1, .max_size = 4,      \
        .min_valid = 1, .max_valid = 4,                                                            \
    };                                                                                             \
    static const RegionOps control##n##_ops = {                                                    \
        .read = control##n##_read, .write = control##n##_write, .min_size = 1, .max_size = 1,      \
    };
CHANNEL_OPS(0)
CHANNEL_OPS(1)

/* ---- bus master ---- */

static void bm_command_written(Device *dev, const RegAccess *a)
{
    PiixIde *s = (PiixIde *)dev;
    unsigned c = a->index;
    AtaDrive *d = current(s, c);

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
        ide_bus_init(&s->channel[c], d, c, 2, &piix_ops);
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
        bus_fini(&s->channel[c].bus);
    }
}

static void piix_ide_reset(Device *d)
{
    PiixIde *s = (PiixIde *)d;

    for (unsigned c = 0; c < CHANNELS; c++) {
        s->selected[c] = s->control[c] = 0;
        s->pending[c] = false;
    }
}

static const PciConfigRow piix_ide_config[] = {
    { "IDETIM0", 0x40, 2, 0, 0xf3ff, 0, "timing of the first channel; bit 15 decodes" },
    { "IDETIM1", 0x42, 2, 0, 0xf3ff, 0, "timing of the second channel" },
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
    STATE_ARRAY(PiixIde, selected), STATE_ARRAY(PiixIde, control), STATE_ARRAY(PiixIde, pending),
    HOST_ONLY(PiixIde, channel, "its drives have state of their own"),
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
