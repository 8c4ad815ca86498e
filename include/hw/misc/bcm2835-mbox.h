// SPDX-License-Identifier: GPL-2.0-or-later
/* What the parts of the Raspberry Pi's firmware interface know of each other. */
#ifndef HW_MISC_BCM2835_MBOX_H
#define HW_MISC_BCM2835_MBOX_H

#include "exec/bank.h"

/* A frame buffer as the firmware is asked for it. */
typedef struct Bcm2835FbConfig {
    uint32_t xres, yres, xres_virtual, yres_virtual, bpp, xoffset, yoffset, pixo, alpha, base, pitch, size;
} Bcm2835FbConfig;

/* hw/display/bcm2835-fb.c */
void bcm2835_fb_get(Device *fb, Bcm2835FbConfig *c);
/* Takes what is sensible of *c, which then says what there is. */
void bcm2835_fb_set(Device *fb, Bcm2835FbConfig *c);
/* A request of channel 1: the structure's address. */
void bcm2835_fb_request(Device *fb, uint32_t addr);

#endif
