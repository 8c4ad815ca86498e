// SPDX-License-Identifier: GPL-2.0-or-later
/* The VGA's window at A0000h: planes, latches, write modes (PS/2 reference, 2-20 and 2-81 on). */
#include "hw/display/vga.h"

/* Offset in the mapped part of the window, or -1: gfx[6] bits 2 and 3 say which part that is. */
static int64_t window(const Vga *s, int64_t offset)
{
    switch (s->gfx[6] >> 2 & 3) {
    case 0:
        return offset;
    case 1:
        return offset < 0x10000 ? offset : -1;
    case 2:
        return offset >= 0x10000 && offset < 0x18000 ? offset - 0x10000 : -1;
    default:
        return offset >= 0x18000 ? offset - 0x18000 : -1;
    }
}

static bool linear(const Vga *s)
{
    return s->dispi[DISPI_ENABLE] & DISPI_ENABLED;
}

static uint32_t banked(const Vga *s, uint32_t offset)
{
    return (((uint32_t)s->dispi[DISPI_BANK] << 16) + (offset & 0xffff)) & (s->vram_size - 1);
}

/* Each of four bits as a whole byte. */
static uint32_t spread(unsigned bits)
{
    return (bits & 1 ? 0xffu : 0) | (bits & 2 ? 0xff00u : 0) | (bits & 4 ? 0xff0000u : 0) |
           (bits & 8 ? 0xff000000u : 0);
}

static uint32_t planes_load(const Vga *s, uint32_t cell)
{
    const uint8_t *p = s->vram + ((size_t)cell * 4 & (s->vram_size - 1));

    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void planes_store(Vga *s, uint32_t cell, uint32_t value, uint32_t mask)
{
    uint8_t *p = s->vram + ((size_t)cell * 4 & (s->vram_size - 1));
    uint32_t v = (planes_load(s, cell) & ~mask) | (value & mask);

    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

uint8_t vga_mem_read(Vga *s, uint32_t offset)
{
    if (linear(s)) {
        return s->vram[banked(s, offset)];
    }
    int64_t a = window(s, offset);

    if (a < 0) {
        return 0xff;
    }
    uint32_t addr = (uint32_t)a;

    if (s->seq[4] & 8) {
        return s->vram[addr & (s->vram_size - 1)];
    }
    if (s->gfx[5] & 0x10) {
        unsigned plane = (s->gfx[4] & 2) | (addr & 1);

        return (uint8_t)(planes_load(s, addr >> 1) >> 8 * plane);
    }
    s->latch = planes_load(s, addr);
    if (!(s->gfx[5] & 8)) {
        return (uint8_t)(s->latch >> 8 * (s->gfx[4] & 3));
    }
    /* Read mode 1: a bit for each pixel whose color is the compared one. */
    uint32_t differs = (s->latch ^ spread(s->gfx[2])) & spread(s->gfx[7]);

    return (uint8_t)~(differs | differs >> 8 | differs >> 16 | differs >> 24);
}

static uint32_t rotate(uint8_t value, unsigned n)
{
    return (uint8_t)(value >> n | value << (8 - n));
}

static uint32_t logic(const Vga *s, uint32_t value)
{
    switch (s->gfx[3] >> 3 & 3) {
    case 1:
        return value & s->latch;
    case 2:
        return value | s->latch;
    case 3:
        return value ^ s->latch;
    default:
        return value;
    }
}

static void planar_write(Vga *s, uint32_t cell, uint8_t value)
{
    uint32_t bits = s->gfx[8] * 0x01010101u, data;

    switch (s->gfx[5] & 3) {
    case 1:
        planes_store(s, cell, s->latch, spread(s->seq[2]));
        return;
    case 2:
        data = logic(s, spread(value));
        break;
    case 3:
        bits &= rotate(value, s->gfx[3] & 7) * 0x01010101u;
        data = spread(s->gfx[0]);
        break;
    default: {
        uint32_t set = spread(s->gfx[1]);

        data = rotate(value, s->gfx[3] & 7) * 0x01010101u;
        data = logic(s, (data & ~set) | (spread(s->gfx[0]) & set));
        break;
    }
    }
    planes_store(s, cell, (data & bits) | (s->latch & ~bits), spread(s->seq[2]));
}

void vga_mem_write(Vga *s, uint32_t offset, uint8_t value)
{
    if (linear(s)) {
        s->vram[banked(s, offset)] = value;
        return;
    }
    int64_t a = window(s, offset);

    if (a < 0) {
        return;
    }
    uint32_t addr = (uint32_t)a;

    if (s->seq[4] & 8) {
        if (s->seq[2] & 1u << (addr & 3)) {
            s->vram[addr & (s->vram_size - 1)] = value;
        }
    } else if (s->gfx[5] & 0x10) {
        /* Odd/even: an address selects both planes of its parity, as far as they are enabled. */
        unsigned parity = addr & 1 ? 0xa : 0x5;

        planes_store(s, addr >> 1, value * 0x01010101u, spread(s->seq[2] & parity));
    } else {
        planar_write(s, addr, value);
    }
}

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_mem_read(opaque, (uint32_t)offset);
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_mem_write(opaque, (uint32_t)offset, (uint8_t)value);
}

const RegionOps vga_window_ops = {
    .read = window_read, .write = window_write, .min_size = 1, .max_size = 1};
