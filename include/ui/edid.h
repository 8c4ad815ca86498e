// SPDX-License-Identifier: GPL-2.0-or-later
/* What a monitor says about itself (VESA Enhanced EDID 1.4, CTA-861). */
#ifndef UI_EDID_H
#define UI_EDID_H

#include <stdint.h>

#define EDID_BYTES 256u

typedef struct EdidInfo {
    uint32_t xres, yres;     /* preferred mode; 0: 1280x800 */
    uint32_t xmax, ymax;     /* modes beyond are left out; 0: no limit */
    uint32_t refresh_mhz;    /* of the preferred mode, in 1/1000 Hz; 0: 75 Hz */
} EdidInfo;

/* Base block and one extension. */
void edid_build(const EdidInfo *info, uint8_t edid[EDID_BYTES]);

#define EDID_PROPS(T, f)                                                                           \
    PROP_U32(T, f.xres, "xres", 0, .help = "width of the preferred mode"),                         \
        PROP_U32(T, f.yres, "yres", 0, .help = "height of the preferred mode"),                    \
        PROP_U32(T, f.xmax, "xmax", 0, .help = "no wider modes are offered"),                      \
        PROP_U32(T, f.ymax, "ymax", 0, .help = "no higher modes are offered"),                     \
        PROP_U32(T, f.refresh_mhz, "refresh_rate", 0, .help = "of the preferred mode, in mHz")

#endif
