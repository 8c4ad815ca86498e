// SPDX-License-Identifier: GPL-2.0-or-later
/* The High Definition Audio link (HDA 1.0a): a controller and up to fifteen codecs. */
#ifndef HW_AUDIO_HDA_H
#define HW_AUDIO_HDA_H

#include "qom/device.h"

typedef struct HdaBus HdaBus;
typedef struct HdaCodec HdaCodec;

#define HDA_CODECS 15u
#define HDA_NO_ADDRESS UINT32_MAX

struct HdaBus {
    Bus bus;
    /* Of the controller. Moves up to len bytes of a stream; how many it moved. */
    size_t (*transfer)(HdaBus *b, unsigned stream, bool output, uint8_t *buf, size_t len);
};
extern const BusType hda_bus_type; /* "HDA" */

struct HdaCodec {
    Device dev;
    uint32_t cad; /* property: address on the link; HDA_NO_ADDRESS: the first free */
};

/* DeviceType.bus_info of a codec. */
typedef struct HdaCodecInfo {
    /* Carries out a verb (20 bits: verb and payload) for a node; the response. */
    uint32_t (*command)(HdaCodec *c, uint8_t node, uint32_t verb);
    /* A stream was started or stopped. */
    void (*stream)(HdaCodec *c, unsigned stream, bool output, bool running);
} HdaCodecInfo;

/* The codec at an address, or NULL. */
HdaCodec *hda_find(HdaBus *b, unsigned cad);

#endif
