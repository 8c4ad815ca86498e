// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CL-GD5446: what its registers (cirrus.c), picture (cirrus-draw.c) and bit block transfers
 * (cirrus-blt.c) share.
 */
#ifndef HW_DISPLAY_CIRRUS_H
#define HW_DISPLAY_CIRRUS_H

#include "hw/display/vga-card.h"

#define CIRRUS_ROW 8192u /* most bytes of a transfer's row */

/* Graphics controller registers of the transfers. */
enum {
    GR_WIDTH = 0x20,
    GR_HEIGHT = 0x22,
    GR_DEST_PITCH = 0x24,
    GR_SOURCE_PITCH = 0x26,
    GR_DEST = 0x28,
    GR_SOURCE = 0x2c,
    GR_SKIP = 0x2f,
    GR_MODE = 0x30,
    GR_STATUS,
    GR_ROP,
    GR_MODE_EXT,
    GR_KEY
};
enum {
    BLT_BACKWARDS = 1,
    BLT_TO_SYSTEM = 2,
    BLT_FROM_SYSTEM = 4,
    BLT_TRANSPARENT = 8,
    BLT_PATTERN = 0x40,
    BLT_EXPAND = 0x80,
    /* extensions */
    BLT_DWORDS = 1,
    BLT_INVERT = 2,
    BLT_SOLID = 4,
    /* status */
    BLT_BUSY = 1,
    BLT_START = 2,
    BLT_RESET = 4,
    BLT_PROGRESS = 0x10,
    BLT_AUTOSTART = 0x80
};

typedef struct Cirrus {
    PciDevice pci;
    uint32_t vgamem_mb;
    bool blitter;
    VgaCard card; /* its vga has the registers that are VGA's */
    uint8_t seq_index, seq[0x20], gfx_index, gfx[0x40];
    uint16_t cursor_x, cursor_y;
    uint8_t hidden_dac, dac_reads;
    uint8_t cursor_palette[6]; /* two colours */
    /* a transfer whose source the CPU writes */
    bool from_cpu;
    uint32_t rows_left, row_bytes, row_at, dest;
    uint8_t row[CIRRUS_ROW];
    /* regions */
    Region bar, linear_blt, aperture, mmio;
} Cirrus;

/* ---- cirrus-blt.c ---- */
void cirrus_blt_start(Cirrus *s);
void cirrus_blt_stop(Cirrus *s);
/* A byte of the source. */
void cirrus_blt_feed(Cirrus *s, uint8_t value);

/* ---- cirrus.c ---- */
/* CPU writes go to the transfer, or to video memory again. */
void cirrus_feed_window(Cirrus *s, bool on);

/* ---- cirrus-draw.c ---- */
void cirrus_draw(Cirrus *s);

static inline uint32_t cirrus_mask(const Cirrus *s)
{
    return s->card.vga.vram_size - 1;
}
static inline bool cirrus_extended(const Cirrus *s)
{
    return s->seq[7] & 1;
}

#endif
