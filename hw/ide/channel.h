// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of an IDE channel (ATA8-ACS, 4 and 9): two drives behind one command block and one
 * control port. Embedded in controllers whose channels are at ports.
 */
#ifndef HW_IDE_CHANNEL_H
#define HW_IDE_CHANNEL_H

#include "ata.h"

typedef struct IdeChannel {
    IdeBus bus;                   /* first: its owner's ops get it back by a cast */
    Irq *irq;                     /* of the owner */
    uint8_t selected, control;    /* drive that answers; device control */
    bool pending;                 /* INTRQ */
} IdeChannel;

static inline AtaDrive *ide_channel_drive(const IdeChannel *c)
{
    return c->bus.drives[c->selected];
}

/* For IdeBusOps; ide_channel_irq is true when it was the selected drive. */
bool ide_channel_irq(IdeBus *b, AtaDrive *d);
/* Command block, by register number; register 0 is as wide as the access. */
uint64_t ide_channel_read(IdeChannel *c, unsigned reg, unsigned size);
void ide_channel_write(IdeChannel *c, unsigned reg, uint32_t v, unsigned size);
/* The control port: alternate status, device control. */
uint8_t ide_channel_status(IdeChannel *c);
void ide_channel_control(IdeChannel *c, uint8_t v);
void ide_channel_reset(IdeChannel *c);
extern const StateField ide_channel_state[];

#endif
