// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The serial peripheral bus: bytes go to every chip whose select line is active; answers of several
 * are wired together. Widths other than 8 bits and more data lines are the controller's business.
 */
#include "hw/ssi/ssi.h"
#include "qom/prop.h"

static const SsiInfo *ssi_info(const Device *d)
{
    return device_type(d)->bus_info;
}

void ssi_select(SsiBus *b, uint32_t lines)
{
    uint32_t changed = b->selected ^ lines;

    b->selected = lines;
    for (unsigned i = 0; changed && i < b->bus.devices->len; i++) {
        Device *d = g_ptr_array_index(b->bus.devices, i);
        unsigned cs = ((SsiDevice *)d)->cs;

        if (changed >> cs & 1 && ssi_info(d)->select) {
            ssi_info(d)->select(d, lines >> cs & 1);
        }
    }
}

uint8_t ssi_transfer(SsiBus *b, uint8_t byte)
{
    uint8_t v = 0xff;

    for (unsigned i = 0; i < b->bus.devices->len; i++) {
        Device *d = g_ptr_array_index(b->bus.devices, i);

        if (b->selected >> ((SsiDevice *)d)->cs & 1 && ssi_info(d)->transfer) {
            v &= ssi_info(d)->transfer(d, byte);
        }
    }
    return v;
}

void ssi_bus_reset(SsiBus *b)
{
    b->selected = 0;
}

static bool ssi_attach(Bus *bus, Device *d, GError **error)
{
    for (unsigned i = 0; i < bus->devices->len; i++) {
        Device *other = g_ptr_array_index(bus->devices, i);

        if (other != d && ((SsiDevice *)other)->cs == ((SsiDevice *)d)->cs) {
            return fail(error, "%s: select line %u of bus '%s' is taken", d->obj.type->name,
                        ((SsiDevice *)d)->cs, bus->obj.name);
        }
    }
    return true;
}

static char *ssi_address(Bus *bus, Device *d)
{
    return g_strdup_printf("%x", ((SsiDevice *)d)->cs);
}

const BusType ssi_bus_type = {
    .name = "SSI",
    .desc = "Serial peripheral bus",
    .size = sizeof(SsiBus),
    .attach = ssi_attach,
    .address = ssi_address,
};
BUS_TYPE(ssi_bus_type);

const StateField ssi_bus_state[] = {
    HOST_ONLY(SsiBus, bus, "its devices have state of their own"),
    STATE(SsiBus, selected),
    STATE_END,
};

void ssi_bus_init(SsiBus *b, Device *controller, const char *name)
{
    bus_init(&b->bus, &ssi_bus_type, controller, name);
    b->selected = 0;
}
