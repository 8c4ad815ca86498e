// SPDX-License-Identifier: GPL-2.0-or-later
/* The bus between an SD card and its host controller. */
#include "sd-card.h"

static bool sd_attach(Bus *bus, Device *d, GError **error)
{
    SdBus *b = (SdBus *)bus;

    if (b->card) {
        return fail(error, "the slot '%s' has a card already", bus->obj.name);
    }
    b->card = (SdCard *)d;
    b->card->bus = b;
    bus->full = true;
    return true;
}

static void sd_detach(Bus *bus, Device *d)
{
    SdBus *holder = ((SdCard *)d)->bus;

    /* It may have been lent to another controller. */
    if (holder && holder->card == (SdCard *)d) {
        holder->card = NULL;
        bus->full = false;
    }
}

static const BusType sd_bus_type = {
    .name = "sd-bus", .desc = "SD cards", .size = sizeof(SdBus), .attach = sd_attach, .detach = sd_detach,
};
BUS_TYPE(sd_bus_type);

void sd_bus_init(SdBus *b, Device *owner, const SdHostOps *ops, void *opaque)
{
    g_autofree char *name =
        bus_find(owner->vm, "sd-bus") ? bus_new_name(owner, "sd-bus") : g_strdup("sd-bus");

    b->ops = ops;
    b->opaque = opaque;
    bus_init(&b->bus, &sd_bus_type, owner, name);
}

bool sd_inserted(const SdBus *b)
{
    return b->card && b->card->drive;
}

bool sd_read_only(const SdBus *b)
{
    return sd_inserted(b) && b->card->drive->read_only;
}

unsigned sd_command(SdBus *b, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    return sd_inserted(b) ? sd_card_command(b->card, cmd, arg, resp) : 0;
}

size_t sd_read(SdBus *b, void *buf, size_t len)
{
    return sd_inserted(b) ? sd_card_read(b->card, buf, len) : 0;
}

size_t sd_write(SdBus *b, const void *buf, size_t len)
{
    return sd_inserted(b) ? sd_card_write(b->card, buf, len) : 0;
}

size_t sd_available(const SdBus *b)
{
    return sd_inserted(b) && sd_sending(b) && !b->card->in_flight ? b->card->fill - b->card->pos
                                                                  : 0;
}

bool sd_busy(const SdBus *b)
{
    return sd_inserted(b) && b->card->in_flight && !sd_sending(b);
}

bool sd_sending(const SdBus *b)
{
    return sd_inserted(b) && b->card->state == SD_STATE_DATA;
}

bool sd_receiving(const SdBus *b)
{
    return sd_inserted(b) && b->card->state == SD_STATE_RCV;
}

void sd_bus_lend(SdBus *from, SdBus *to)
{
    if (from && to && from->card && !to->card) {
        to->card = from->card;
        to->card->bus = to;
        from->card = NULL;
    }
}
