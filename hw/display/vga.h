// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VGA core: registers, plane memory and the picture made of them (IBM PS/2 Hardware Interface
 * Technical Reference, Video Subsystem), with the Bochs display interface for larger modes.
 * Video memory holds the four planes interleaved: byte 4 * n + p is byte n of plane p.
 */
#ifndef HW_DISPLAY_VGA_H
#define HW_DISPLAY_VGA_H

#include "exec/memory.h"
#include "ui/console.h"

enum {
    DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET, DISPI_REGS,
    DISPI_MEMORY_64K = 10,
    DISPI_ENABLED = 1, DISPI_GETCAPS = 2, DISPI_8BIT_DAC = 0x20, DISPI_LFB = 0x40,
    DISPI_NOCLEARMEM = 0x80,
    DISPI_ID0 = 0xb0c0, DISPI_ID5 = 0xb0c5,
    DISPI_MAX_XRES = 16000, DISPI_MAX_YRES = 12000,
};

typedef struct Vga {
    uint8_t *vram;
    uint32_t vram_size;         /* a power of two, at least 256 KiB */
    Console *console;
    uint8_t misc, feature, status1;
    uint8_t seq_index, seq[8];
    uint8_t gfx_index, gfx[16];
    uint8_t attr_index, attr[32];
    bool attr_data;             /* the next write to 3C0h is data */
    uint8_t crtc_index, crtc[256];
    uint8_t dac_read, dac_write, dac_part, dac_mask;
    bool dac_reading;
    uint8_t dac_temp[2];
    uint8_t palette[768];
    uint32_t latch;
    uint16_t dispi_index, dispi[DISPI_REGS];
} Vga;

void vga_reset(Vga *s);
/* After its state was loaded: what was set fits video memory. */
void vga_loaded(Vga *s);
/* Ports 3B0h to 3DFh, by their full number; one byte. */
uint8_t vga_port_read(Vga *s, unsigned port);
void vga_port_write(Vga *s, unsigned port, uint8_t value);
uint16_t vga_dispi_read(const Vga *s, unsigned index);
void vga_dispi_write(Vga *s, unsigned index, uint16_t value);
/* The interface's ports, 16 bits wide: index at offset 0 (1CEh), data at 1 (1CFh) and 2 (1D0h). */
uint16_t vga_dispi_port_read(const Vga *s, unsigned offset);
void vga_dispi_port_write(Vga *s, unsigned offset, uint16_t value);
/* The same window as a region; opaque is the Vga. */
extern const RegionOps vga_window_ops;
/* Window A0000h to BFFFFh, by offset; one byte. */
uint8_t vga_mem_read(Vga *s, uint32_t offset);
void vga_mem_write(Vga *s, uint32_t offset, uint8_t value);
/* Draws the whole screen on the console. */
void vga_draw(Vga *s);

#endif
