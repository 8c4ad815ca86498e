// SPDX-License-Identifier: GPL-2.0-or-later
/* Contract: channel.h. Both drives hear what is written; the selected one answers. */
#include "channel.h"

enum { CTL_NIEN = 2, CTL_SRST = 4, CTL_HOB = 0x80 };

static void update_irq(IdeChannel *c)
{
    irq_set(c->irq, c->pending && !(c->control & CTL_NIEN));
}

static void clear_irq(IdeChannel *c)
{
    c->pending = false;
    update_irq(c);
}

bool ide_channel_irq(IdeBus *b, AtaDrive *d)
{
    IdeChannel *c = (IdeChannel *)b;

    if (d->unit != c->selected) {
        return false;
    }
    c->pending = true;
    update_irq(c);
    return true;
}

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

uint8_t ide_channel_status(IdeChannel *c)
{
    AtaDrive *d = ide_channel_drive(c);

    /* an empty place beside a drive reads as 0, an empty channel floats low too */
    return d ? d->status : 0;
}

uint64_t ide_channel_read(IdeChannel *c, unsigned reg, unsigned size)
{
    AtaDrive *d = ide_channel_drive(c);
    const AtaTaskFile *t;

    if (reg == 0) {
        return data_read(d, size);
    }
    if (!d) {
        return reg == 6 ? 0xa0 | c->selected << 4 : 0;
    }
    t = c->control & CTL_HOB ? &d->hob : &d->tf;
    switch (reg) {
    case 1:
        return c->control & CTL_HOB ? d->hob.feature : d->error;
    case 2:
        return t->count;
    case 3:
        return t->lbal;
    case 4:
        return t->lbam;
    case 5:
        return t->lbah;
    case 6:
        return d->device | 0xa0 | c->selected << 4;
    default:
        clear_irq(c);
        return d->status;
    }
}

/* Both drives hear what is written, whichever is selected. */
static void task_file_write(AtaDrive *d, unsigned reg, uint8_t v)
{
    uint8_t *const now[] = { &d->tf.feature, &d->tf.count, &d->tf.lbal, &d->tf.lbam, &d->tf.lbah };
    uint8_t *const before[] = {&d->hob.feature, &d->hob.count, &d->hob.lbal, &d->hob.lbam,
                               &d->hob.lbah};

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

static void command_register_write(IdeChannel *c, uint8_t v)
{
    AtaDrive *d = ide_channel_drive(c);

    clear_irq(c);
    if (v == 0x90) {
        /* EXECUTE DEVICE DIAGNOSTIC goes to both; drive 0 answers */
        c->selected = 0;
        for (unsigned i = 0; i < 2; i++) {
            if (c->bus.drives[i]) {
                ata_command(c->bus.drives[i], v);
            }
        }
        return;
    }
    if (!d || ((d->status & (ATA_BSY | ATA_DRQ)) && v != 0x08)) {
        return;
    }
    ata_command(d, v);
}

void ide_channel_write(IdeChannel *c, unsigned reg, uint32_t v, unsigned size)
{
    if (reg == 0) {
        data_write(ide_channel_drive(c), v, size);
        return;
    }
    if (reg == 7) {
        c->control &= ~CTL_HOB;
        command_register_write(c, (uint8_t)v);
        return;
    }
    c->control &= ~CTL_HOB;
    for (unsigned i = 0; i < 2; i++) {
        if (c->bus.drives[i]) {
            task_file_write(c->bus.drives[i], reg, (uint8_t)v);
        }
    }
    if (reg == 6) {
        c->selected = v >> 4 & 1;
    }
}

void ide_channel_control(IdeChannel *c, uint8_t v)
{
    uint8_t old = c->control;

    c->control = v;
    if (~old & v & CTL_SRST) {
        c->selected = 0;
        c->pending = false;
        for (unsigned i = 0; i < 2; i++) {
            if (c->bus.drives[i]) {
                ata_reset(c->bus.drives[i]);
                c->bus.drives[i]->status = ATA_BSY;
            }
        }
    } else if (old & ~v & CTL_SRST) {
        for (unsigned i = 0; i < 2; i++) {
            if (c->bus.drives[i]) {
                ata_reset(c->bus.drives[i]);
            }
        }
    }
    update_irq(c);
}

void ide_channel_reset(IdeChannel *c)
{
    c->selected = c->control = 0;
    c->pending = false;
}

const StateField ide_channel_state[] = {
    HOST_ONLY(IdeChannel, bus, "its drives have state of their own"), HOST_ONLY(IdeChannel, irq, "constant"),
    STATE_INDEX(IdeChannel, selected, bus.drives), STATE(IdeChannel, control), STATE(IdeChannel, pending), STATE_END,
};
