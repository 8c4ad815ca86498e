// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VGA registers and the Bochs display interface. What a register means is in vga-mem.c, vga-draw.c.
 */
#include <string.h>

#include "hw/display/vga.h"
#include "util/log.h"
#include "util/error.h"

/* Bits that exist, by register: PS/2 reference, sections 2-45 to 2-95. */
static const uint8_t seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gfx_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

void vga_reset(Vga *s)
{
    s->misc = s->feature = s->status1 = 0;
    s->seq_index = s->gfx_index = s->attr_index = s->crtc_index = 0;
    s->attr_data = s->dac_reading = false;
    s->dac_read = s->dac_write = s->dac_part = 0;
    s->dac_mask = 0xff;
    s->latch = 0;
    s->dispi_index = 0;
    memset(s->seq, 0, sizeof(s->seq));
    memset(s->gfx, 0, sizeof(s->gfx));
    memset(s->attr, 0, sizeof(s->attr));
    memset(s->crtc, 0, sizeof(s->crtc));
    memset(s->palette, 0, sizeof(s->palette));
    memset(s->dispi, 0, sizeof(s->dispi));
    s->dispi[DISPI_ID] = DISPI_ID5;
}

static void dac_data_write(Vga *s, uint8_t value)
{
    if (s->dac_part < 2) {
        s->dac_temp[s->dac_part++] = value;
        return;
    }
    uint8_t *entry = &s->palette[s->dac_write * 3];

    memcpy(entry, s->dac_temp, 2);
    entry[2] = value;
    s->dac_part = 0;
    s->dac_write++;
}

static uint8_t dac_data_read(Vga *s)
{
    uint8_t value = s->palette[s->dac_read * 3 + s->dac_part];

    if (++s->dac_part == 3) {
        s->dac_part = 0;
        s->dac_read++;
    }
    return value;
}

/* The CRT controller is at 3B4h or 3D4h, as misc output bit 0 says. */
static bool hidden(const Vga *s, unsigned port)
{
    bool mono = port >= 0x3b0 && port < 0x3c0, color = port >= 0x3d0;

    return s->misc & 1 ? mono : color;
}

uint8_t vga_port_read(Vga *s, unsigned port)
{
    if (hidden(s, port)) {
        return 0xff;
    }
    switch (port) {
    case 0x3c0:
        return s->attr_index;
    case 0x3c1:
        return (s->attr_index & 0x1f) < 21 ? s->attr[s->attr_index & 0x1f] : 0;
    case 0x3c2:
        return 0x10;    /* switch sense: a color display is there */
    case 0x3c4:
        return s->seq_index;
    case 0x3c5:
        return s->seq[s->seq_index & 7];
    case 0x3c6:
        return s->dac_mask;
    case 0x3c7:
        return s->dac_reading ? 3 : 0;
    case 0x3c8:
        return s->dac_write;
    case 0x3c9:
        return dac_data_read(s);
    case 0x3ca:
        return s->feature;
    case 0x3cc:
        return s->misc;
    case 0x3ce:
        return s->gfx_index;
    case 0x3cf:
        return s->gfx[s->gfx_index & 15];
    case 0x3b4:
    case 0x3d4:
        return s->crtc_index;
    case 0x3b5:
    case 0x3d5:
        return s->crtc[s->crtc_index];
    case 0x3ba:
    case 0x3da:
        /* The beam moves on with each look: waits for retrace end, in and out of it. */
        s->attr_data = false;
        s->status1 ^= 0x09;
        return s->status1;
    default:
        return 0;
    }
}

static void attr_write(Vga *s, uint8_t value)
{
    unsigned index = s->attr_index & 0x1f;

    if (!s->attr_data) {
        s->attr_index = value & 0x3f;
    } else if (index < 16) {
        s->attr[index] = value & 0x3f;
    } else if (index < 21) {
        static const uint8_t mask[] = { 0xef, 0xff, 0x3f, 0x0f, 0x0f };

        s->attr[index] = value & mask[index - 16];
    }
    s->attr_data = !s->attr_data;
}

static void crtc_write(Vga *s, uint8_t value)
{
    unsigned index = s->crtc_index;

    /* 2-66: registers 0 to 7 are protected, but for the line compare bit in 7. */
    if ((s->crtc[0x11] & 0x80) && index <= 7) {
        if (index == 7) {
            s->crtc[7] = (s->crtc[7] & ~0x10) | (value & 0x10);
        }
        return;
    }
    if (index < 0x19) {
        s->crtc[index] = value;
    }
}

void vga_port_write(Vga *s, unsigned port, uint8_t value)
{
    if (hidden(s, port)) {
        return;
    }
    switch (port) {
    case 0x3c0:
        attr_write(s, value);
        break;
    case 0x3c2:
        s->misc = value & ~0x10;
        break;
    case 0x3c4:
        s->seq_index = value & 7;
        break;
    case 0x3c5:
        s->seq[s->seq_index] = value & seq_mask[s->seq_index];
        break;
    case 0x3c6:
        s->dac_mask = value;
        break;
    case 0x3c7:
        s->dac_read = value;
        s->dac_part = 0;
        s->dac_reading = true;
        break;
    case 0x3c8:
        s->dac_write = value;
        s->dac_part = 0;
        s->dac_reading = false;
        break;
    case 0x3c9:
        dac_data_write(s, value);
        break;
    case 0x3ce:
        s->gfx_index = value & 15;
        break;
    case 0x3cf:
        s->gfx[s->gfx_index] = value & gfx_mask[s->gfx_index];
        break;
    case 0x3b4:
    case 0x3d4:
        s->crtc_index = value;
        break;
    case 0x3b5:
    case 0x3d5:
        crtc_write(s, value);
        break;
    case 0x3ba:
    case 0x3da:
        s->feature = value & 0x10;
        break;
    default:
        break;
    }
}

/*
 * --- Bochs display interface: "VBE DISPI" 0xB0C5 ------------------------------------------------
 */

static unsigned bytes_per_pixel(const Vga *s)
{
    return (s->dispi[DISPI_BPP] + 7u) / 8;
}

uint16_t vga_dispi_read(const Vga *s, unsigned index)
{
    if (s->dispi[DISPI_ENABLE] & DISPI_GETCAPS) {
        switch (index) {
        case DISPI_XRES:
            return DISPI_MAX_XRES;
        case DISPI_YRES:
            return DISPI_MAX_YRES;
        case DISPI_BPP:
            return 32;
        default:
            break;
        }
    }
    if (index == DISPI_MEMORY_64K) {
        return (uint16_t)(s->vram_size / (64 * KIB));
    }
    return index < DISPI_REGS ? s->dispi[index] : 0;
}

/* Makes the geometry fit video memory; whatever the guest wrote, drawing stays inside. */
static void fix_geometry(Vga *s)
{
    uint16_t *r = s->dispi;
    unsigned bpp = r[DISPI_BPP];

    if (bpp != 4 && bpp != 8 && bpp != 15 && bpp != 16 && bpp != 24 && bpp != 32) {
        r[DISPI_BPP] = 8;
    }
    r[DISPI_XRES] = (uint16_t)CLAMP(r[DISPI_XRES], 1, DISPI_MAX_XRES);
    r[DISPI_VIRT_WIDTH] = MAX(r[DISPI_VIRT_WIDTH], r[DISPI_XRES]);
    uint64_t pitch = (uint64_t)r[DISPI_VIRT_WIDTH] * bytes_per_pixel(s);

    if (pitch > s->vram_size) {
        r[DISPI_XRES] = r[DISPI_VIRT_WIDTH] = (uint16_t)(s->vram_size / 4 / 480);
        pitch = (uint64_t)r[DISPI_VIRT_WIDTH] * bytes_per_pixel(s);
    }
    uint64_t lines = s->vram_size / pitch;

    r[DISPI_VIRT_HEIGHT] = (uint16_t)MIN(lines, 0xffff);
    r[DISPI_YRES] = (uint16_t)CLAMP(r[DISPI_YRES], 1, MIN(lines, DISPI_MAX_YRES));
    r[DISPI_X_OFFSET] = MIN(r[DISPI_X_OFFSET], (uint16_t)(r[DISPI_VIRT_WIDTH] - r[DISPI_XRES]));
    r[DISPI_Y_OFFSET] = MIN(r[DISPI_Y_OFFSET], (uint16_t)(r[DISPI_VIRT_HEIGHT] - r[DISPI_YRES]));
}

void vga_loaded(Vga *s)
{
    s->dispi[DISPI_BANK] &= (uint16_t)(s->vram_size / (64 * KIB) - 1);
    if (s->dispi[DISPI_ENABLE] & DISPI_ENABLED) {
        fix_geometry(s);
    }
}

static void dispi_enable(Vga *s, uint16_t value)
{
    bool was = s->dispi[DISPI_ENABLE] & DISPI_ENABLED;

    s->dispi[DISPI_ENABLE] = value;
    if ((value & DISPI_ENABLED) && !was) {
        s->dispi[DISPI_VIRT_WIDTH] = 0;
        s->dispi[DISPI_X_OFFSET] = s->dispi[DISPI_Y_OFFSET] = 0;
        fix_geometry(s);
        if (!(value & DISPI_NOCLEARMEM)) {
            memset(s->vram, 0, (size_t)s->dispi[DISPI_VIRT_WIDTH] * bytes_per_pixel(s) *
                                   s->dispi[DISPI_YRES]);
        }
    }
    s->dispi[DISPI_BANK] = 0;
}

void vga_dispi_write(Vga *s, unsigned index, uint16_t value)
{
    switch (index) {
    case DISPI_ID:
        if (value >= DISPI_ID0 && value <= DISPI_ID5) {
            s->dispi[DISPI_ID] = value;
        }
        break;
    case DISPI_BANK:
        s->dispi[DISPI_BANK] = value & (uint16_t)(s->vram_size / (64 * KIB) - 1);
        break;
    case DISPI_ENABLE:
        dispi_enable(s, value);
        break;
    case DISPI_XRES:
    case DISPI_YRES:
    case DISPI_BPP:
    case DISPI_VIRT_WIDTH:
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET:
        s->dispi[index] = value;
        if (s->dispi[DISPI_ENABLE] & DISPI_ENABLED) {
            fix_geometry(s);
        }
        break;
    default:
        break;
    }
}

uint16_t vga_dispi_port_read(const Vga *s, unsigned offset)
{
    return offset == 0 ? s->dispi_index : vga_dispi_read(s, s->dispi_index);
}

void vga_dispi_port_write(Vga *s, unsigned offset, uint16_t value)
{
    if (offset == 0) {
        s->dispi_index = value;
    } else {
        vga_dispi_write(s, s->dispi_index, value);
    }
}
