// SPDX-License-Identifier: GPL-2.0-or-later
/* The HDA link: addresses of codecs. */
#include "hw/audio/hda.h"
#include "util/error.h"

HdaCodec *hda_find(HdaBus *b, unsigned cad)
{
    for (guint i = 0; i < b->bus.devices->len; i++) {
        HdaCodec *c = b->bus.devices->pdata[i];

        if (c->cad == cad) {
            return c;
        }
    }
    return NULL;
}

static bool hda_attach(Bus *bus, Device *d, GError **error)
{
    HdaBus *b = (HdaBus *)bus;
    HdaCodec *c = (HdaCodec *)d;
    uint32_t want = c->cad;

    /* it is on the list already */
    c->cad = HDA_NO_ADDRESS;
    for (unsigned i = 0; want == HDA_NO_ADDRESS && i < HDA_CODECS; i++) {
        if (!hda_find(b, i)) {
            want = i;
        }
    }
    if (want == HDA_NO_ADDRESS) {
        return fail(error, "HDA audio codec bus is full");
    }
    if (want >= HDA_CODECS) {
        return fail(error, "HDA audio codec address %u is out of range", want);
    }
    if (hda_find(b, want)) {
        return fail(error, "HDA audio codec address %u is in use", want);
    }
    c->cad = want;
    return true;
}

static char *hda_address(Bus *bus, Device *d)
{
    return g_strdup_printf("%u", ((HdaCodec *)d)->cad);
}

const BusType hda_bus_type = {.name = "HDA",
                              .parent = "bus",
                              .size = sizeof(HdaBus),
                              .attach = hda_attach,
                              .address = hda_address};
BUS_TYPE(hda_bus_type);
