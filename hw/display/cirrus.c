// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cirrus Logic CL-GD5446 on PCI (Technical Reference Manual, revision 2): VGA with extended
 * registers, banks, packed pixels up to
 * 32 bits, hardware cursor, bit block transfers. Left out: video window, line drawing, write modes
 * of the linear frame buffer, clocks, DDC.
 */
#include "cirrus.h"

#include <string.h>

#include "util/error.h"

#define MMIO_SIZE 4096
#define BLT_APERTURE 0x1000000u /* second half of BAR 0 */
#define UNLOCKED 0x12
#define LOCKED 0x0f
#define CHIP_ID 0xb8

enum {
    SR12_PALETTE = 2,
    SR17_MMIO_MASK = 0x44,
    SR17_MMIO = 0x04,
    GRB_DUAL_BANKS = 1,
    GRB_BY_8 = 2,
    GRB_WRITE_MODES = 4,
    GRB_BY_16 = 0x14,
    GRB_BANKS_16K = 0x20
};

/* ---- sequencer ---- */

static uint8_t seq_read(const Cirrus *s)
{
    unsigned i = s->seq_index & 0x1f;

    return i < 5 ? s->card.vga.seq[i] : s->seq[i];
}

static void seq_write(Cirrus *s, uint8_t v)
{
    unsigned i = s->seq_index & 0x1f;

    switch (i) {
    case 0 ... 4:
        s->card.vga.seq_index = i;
        vga_port_write(&s->card.vga, 0x3c5, v);
        return;
    case 5:
        return;
    case 6:
        s->seq[6] = (v & 0x17) == UNLOCKED ? UNLOCKED : LOCKED;
        return;
    case 0x10: /* positions: the index's upper bits are the lower ones */
        s->cursor_x = (uint16_t)(v << 3 | s->seq_index >> 5);
        break;
    case 0x11:
        s->cursor_y = (uint16_t)(v << 3 | s->seq_index >> 5);
        break;
    case 0x17:
        v = (s->seq[0x17] & 0x38) | (v & 0xc7);
        break;
    }
    s->seq[i] = v;
}

/* ---- graphics controller ---- */

static const uint8_t gfx_masks[0x40] = {
    [0x00] = 0xff, 0xff, [0x05] = 0x7f, [0x09] = 0xff, 0xff, 0xff, [0x10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    [0x20] = 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0xff, 0x3f, 0x00, 0xff, 0xff, 0x3f, 0xff,
    [0x30] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [0x38] = 0xff, 0xff,
};

static uint8_t gfx_read(const Cirrus *s, unsigned i)
{
    if (i >= 0x3a) {
        return 0xff;
    }
    return i < 9 && !gfx_masks[i] ? s->card.vga.gfx[i] : s->gfx[i];
}

static void status_write(Cirrus *s, uint8_t v)
{
    uint8_t old = s->gfx[GR_STATUS], held = BLT_BUSY | BLT_PROGRESS;

    s->gfx[GR_STATUS] = (old & held) | (v & ~held);
    if (v & BLT_RESET) {
        cirrus_blt_stop(s);
    } else if ((v & BLT_START) && !(old & BLT_START)) {
        cirrus_blt_start(s);
    }
}

static void gfx_write(Cirrus *s, unsigned i, uint8_t v)
{
    if (i < 9) {
        s->card.vga.gfx_index = i;
        vga_port_write(&s->card.vga, 0x3cf, v);
    }
    if (i == GR_STATUS) {
        status_write(s, v);
    } else if (i < 0x3a && gfx_masks[i]) {
        s->gfx[i] = v & gfx_masks[i];
    }
    if (i == GR_DEST + 2 && (s->gfx[GR_STATUS] & BLT_AUTOSTART)) {
        cirrus_blt_start(s);
    }
}

/* ---- CRT controller and DAC ---- */

static uint8_t crtc_read(Cirrus *s, unsigned port)
{
    Vga *v = &s->card.vga;

    switch (v->crtc_index) {
    case 0x00 ... 0x1d:
        return vga_port_read(v, port);
    case 0x24:
        return v->attr_data ? 0x80 : 0;
    case 0x25:
    case 0x22:
        return 0;
    case 0x26:
        return v->attr_index & 0x3f;
    case 0x27:
        return CHIP_ID;
    default:
        return 0xff;
    }
}

static void crtc_write(Cirrus *s, unsigned port, uint8_t value)
{
    Vga *v = &s->card.vga;

    if (v->crtc_index >= 0x19 && v->crtc_index <= 0x1d) {
        v->crtc[v->crtc_index] = value;
    } else {
        vga_port_write(v, port, value);
    }
}

static uint8_t *cursor_color(Cirrus *s, uint8_t index)
{
    return s->cursor_palette + (index & 15 ? 3 : 0);
}

/* The cursor's colours are behind the palette's ports while SR12 says so. */
static void dac_data_write(Cirrus *s, uint8_t value)
{
    Vga *v = &s->card.vga;
    uint8_t index = v->dac_write, part = v->dac_part, saved[3];

    memcpy(saved, &v->palette[index * 3], 3);
    vga_port_write(v, 0x3c9, value);
    if ((s->seq[0x12] & SR12_PALETTE) && part == 2) {
        memcpy(cursor_color(s, index), &v->palette[index * 3], 3);
        memcpy(&v->palette[index * 3], saved, 3);
    }
}

static uint8_t dac_data_read(Cirrus *s)
{
    Vga *v = &s->card.vga;
    uint8_t index = v->dac_read, part = v->dac_part, value = vga_port_read(v, 0x3c9);

    return s->seq[0x12] & SR12_PALETTE ? cursor_color(s, index)[MIN(part, 2)] : value;
}

/* The access of 3C6h after four reads of it is one of the hidden register. */
static uint8_t mask_read(Cirrus *s)
{
    if (s->dac_reads == 4) {
        s->dac_reads = 0;
        return s->hidden_dac;
    }
    s->dac_reads++;
    return s->card.vga.dac_mask;
}

static void mask_write(Cirrus *s, uint8_t value)
{
    if (s->dac_reads == 4) {
        s->hidden_dac = value;
    } else {
        s->card.vga.dac_mask = value;
    }
    s->dac_reads = 0;
}

/* ---- ports ---- */

static bool crtc_hidden(const Cirrus *s, unsigned port)
{
    return (s->card.vga.misc & 1) != (port >= 0x3d0);
}

static uint8_t port_read(Cirrus *s, unsigned port)
{
    switch (port) {
    case 0x3c4:
        return s->seq_index;
    case 0x3c5:
        return seq_read(s);
    case 0x3c6:
        return mask_read(s);
    case 0x3c9:
        return dac_data_read(s);
    case 0x3ce:
        return s->gfx_index;
    case 0x3cf:
        return gfx_read(s, s->gfx_index);
    case 0x3b5:
    case 0x3d5:
        return crtc_hidden(s, port) ? 0xff : crtc_read(s, port);
    default:
        return vga_port_read(&s->card.vga, port);
    }
}

static void port_write(Cirrus *s, unsigned port, uint8_t value)
{
    switch (port) {
    case 0x3c4:
        s->seq_index = value;
        break;
    case 0x3c5:
        seq_write(s, value);
        break;
    case 0x3c6:
        mask_write(s, value);
        break;
    case 0x3c7:
    case 0x3c8:
        s->dac_reads = 0;
        vga_port_write(&s->card.vga, port, value);
        break;
    case 0x3c9:
        dac_data_write(s, value);
        break;
    case 0x3ce:
        s->gfx_index = value & 0x3f;
        break;
    case 0x3cf:
        gfx_write(s, s->gfx_index, value);
        break;
    case 0x3b5:
    case 0x3d5:
        if (!crtc_hidden(s, port)) {
            crtc_write(s, port, value);
        }
        break;
    default:
        vga_port_write(&s->card.vga, port, value);
    }
}

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return port_read(opaque, 0x3b0 + (unsigned)offset);
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    port_write(opaque, 0x3b0 + (unsigned)offset, (uint8_t)value);
}

static const RegionOps ports_ops = {
    .read = ports_read, .write = ports_write, .min_size = 1, .max_size = 1};

/* ---- registers in memory ---- */

/* Offset -> register of the transfers (TRM table 9-2); 0xff: none. */
static uint8_t blt_register(unsigned offset)
{
    static const uint8_t map[] = {
        0x00, 0x10, 0x12, 0x14, 0x01, 0x11, 0x13, 0x15, 0x20, 0x21, 0x22, 0x23,
        0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0xff, 0x2c, 0x2d, 0x2e, 0x2f,
        0x30, 0xff, 0x32, 0x33, 0x34, 0x35, 0xff, 0xff, 0x38, 0x39,
    };

    return offset < sizeof(map) ? map[offset] : offset == 0x40 ? GR_STATUS : 0xff;
}

static uint8_t blt_read(const Cirrus *s, unsigned offset)
{
    uint8_t i = blt_register(offset);

    return i == 0xff ? 0xff : gfx_read(s, i);
}

static void blt_write(Cirrus *s, unsigned offset, uint8_t value)
{
    uint8_t i = blt_register(offset);

    if (i != 0xff) {
        gfx_write(s, i, value);
    }
}

static uint64_t mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset >= 0x100  ? blt_read(opaque, (unsigned)MIN(offset - 0x100, 0xff))
           : offset < 0x20  ? port_read(opaque, 0x3c0 + (unsigned)offset)
                            : 0xff;
}

static void mmio_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset >= 0x100) {
        blt_write(opaque, (unsigned)MIN(offset - 0x100, 0xff), (uint8_t)value);
    } else if (offset < 0x20) {
        port_write(opaque, 0x3c0 + (unsigned)offset, (uint8_t)value);
    }
}

static const RegionOps mmio_ops = {
    .read = mmio_read, .write = mmio_write, .min_size = 1, .max_size = 1};

/* ---- the window at A0000h ---- */

static uint32_t bank_address(const Cirrus *s, uint32_t offset)
{
    uint8_t mode = s->gfx[0x0b];
    unsigned bank = mode & GRB_DUAL_BANKS ? offset >> 15 & 1 : 0;
    uint32_t in = mode & GRB_DUAL_BANKS ? offset & 0x7fff : offset & 0xffff;
    uint32_t a = ((uint32_t)s->gfx[9 + bank] << (mode & GRB_BANKS_16K ? 14 : 12)) + in;

    return (mode & GRB_BY_16) == GRB_BY_16 ? a << 4 : mode & GRB_BY_8 ? a << 3 : a;
}

static bool in_mmio_window(const Cirrus *s, uint32_t offset)
{
    return offset >= 0x18000 && offset < 0x18100 && (s->seq[0x17] & SR17_MMIO_MASK) == SR17_MMIO;
}

/* Write modes 4 and 5: eight pixels by the bits of a byte. */
static void expand_write(Cirrus *s, uint32_t a, uint8_t value)
{
    bool wide = (s->gfx[0x0b] & GRB_BY_16) == GRB_BY_16, opaque = (s->gfx[5] & 7) == 5;
    uint8_t *m = s->card.vga.vram;

    for (unsigned i = 0; i < 8; i++) {
        unsigned on = value >> (7 - i) & 1;

        if (!on && !opaque) {
            continue;
        }
        if (wide) {
            m[(a + 2 * i) & cirrus_mask(s)] = s->gfx[on];
            m[(a + 2 * i + 1) & cirrus_mask(s)] = s->gfx[0x10 + on];
        } else {
            m[(a + i) & cirrus_mask(s)] = s->gfx[on];
        }
    }
}

static uint64_t window_read(void *opaque, hwaddr offset, unsigned size)
{
    Cirrus *s = opaque;

    if (in_mmio_window(s, (uint32_t)offset)) {
        return blt_read(s, offset & 0xff);
    }
    if (!cirrus_extended(s)) {
        return vga_mem_read(&s->card.vga, (uint32_t)offset);
    }
    return offset < 0x10000 ? s->card.vga.vram[bank_address(s, (uint32_t)offset) & cirrus_mask(s)]
                            : 0xff;
}

static void window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Cirrus *s = opaque;
    uint32_t a;

    if (in_mmio_window(s, (uint32_t)offset)) {
        blt_write(s, offset & 0xff, (uint8_t)value);
    } else if (s->from_cpu) {
        cirrus_blt_feed(s, (uint8_t)value);
    } else if (!cirrus_extended(s)) {
        vga_mem_write(&s->card.vga, (uint32_t)offset, (uint8_t)value);
    } else if (offset < 0x10000) {
        a = bank_address(s, (uint32_t)offset);
        if ((s->gfx[5] & 4) && (s->gfx[0x0b] & GRB_WRITE_MODES)) {
            expand_write(s, a, (uint8_t)value);
        } else {
            s->card.vga.vram[a & cirrus_mask(s)] = (uint8_t)value;
        }
    }
}

static const RegionOps window_ops = {
    .read = window_read, .write = window_write, .min_size = 1, .max_size = 1};

/* ---- transfers from the CPU through BAR 0 ---- */

static uint64_t feed_read(void *opaque, hwaddr offset, unsigned size)
{
    const Cirrus *s = opaque;

    return s->card.vga.vram[offset & cirrus_mask(s)];
}

static void feed_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Cirrus *s = opaque;

    if (s->from_cpu) {
        cirrus_blt_feed(s, (uint8_t)value);
    }
}

static const RegionOps feed_ops = {
    .read = feed_read, .write = feed_write, .min_size = 1, .max_size = 1, .endian = DEV_LITTLE};

void cirrus_feed_window(Cirrus *s, bool on)
{
    region_set_enabled(&s->aperture, on);
}

/* ---- the device ---- */

static void cirrus_update(void *opaque)
{
    cirrus_draw(opaque);
}

static const ConsoleOps cirrus_console_ops = {.update = cirrus_update};

static void cirrus_reset(Device *dev)
{
    Cirrus *s = (Cirrus *)dev;

    cirrus_blt_stop(s);
    vga_reset(&s->card.vga);
    memset(s->seq, 0, sizeof(s->seq));
    memset(s->gfx, 0, sizeof(s->gfx));
    memset(s->cursor_palette, 0, sizeof(s->cursor_palette));
    s->seq_index = s->gfx_index = s->hidden_dac = s->dac_reads = 0;
    s->cursor_x = s->cursor_y = 0;
    s->seq[0x06] = LOCKED;
    s->seq[0x0f] = 0x98; /* 64 bits wide, both banks of memory */
    s->seq[0x15] = 0x04; /* 4 MiB */
    s->seq[0x17] = 0x20; /* PCI */
    s->seq[0x1f] = 0x2d;
    s->gfx[0x18] = 0x0f;
}

static bool cirrus_realize(Device *dev, GError **error)
{
    Cirrus *s = (Cirrus *)dev;
    Object *o = &dev->obj;

    if (s->vgamem_mb != 4 && s->vgamem_mb != 8 && s->vgamem_mb != 16) {
        return fail(error, "Invalid cirrus_vga ram size '%u'", s->vgamem_mb);
    }
    if (!vga_card_init(&s->card, &s->pci, (uint64_t)s->vgamem_mb * MIB, error)) {
        return false;
    }
    vga_card_legacy(&s->card, &s->pci, &ports_ops, s, &window_ops, s);
    region_init_container(&s->bar, o, "cirrus.bar0", 2 * BLT_APERTURE);
    region_init_io(&s->linear_blt, o, "cirrus.blt", BLT_APERTURE, &feed_ops, s);
    region_init_io(&s->aperture, o, "cirrus.feed", s->card.vga.vram_size, &feed_ops, s);
    region_init_io(&s->mmio, o, "cirrus.mmio", MMIO_SIZE, &mmio_ops, s);
    region_set_enabled(&s->aperture, false);
    region_add(&s->bar, 0, &s->card.vram, 0);
    region_add(&s->bar, 0, &s->aperture, 1);
    region_add(&s->bar, BLT_APERTURE, &s->linear_blt, 0);
    pci_set_bar(&s->pci, 0, PCI_BAR_MEM32, true, &s->bar);
    pci_set_bar(&s->pci, 1, PCI_BAR_MEM32, false, &s->mmio);
    s->card.vga.console = console_new(&cirrus_console_ops, s, dev, 0);
    return true;
}

static void cirrus_unrealize(Device *dev)
{
    Cirrus *s = (Cirrus *)dev;
    Region *const parts[] = {&s->linear_blt, &s->aperture, &s->card.vram};

    console_free(s->card.vga.console);
    for (unsigned i = 0; i < ARRAY_COUNT(parts); i++) {
        region_remove(parts[i]);
    }
    region_fini(&s->linear_blt);
    region_fini(&s->aperture);
    region_fini(&s->bar);
    region_fini(&s->mmio);
    vga_card_fini(&s->card);
}

static void cirrus_post_load(Device *dev)
{
    vga_loaded(&((Cirrus *)dev)->card.vga);
    cirrus_feed_window((Cirrus *)dev, ((Cirrus *)dev)->from_cpu);
}

static size_t cirrus_vram_len(Device *dev)
{
    return ((Cirrus *)dev)->card.vga.vram_size;
}

static const Prop cirrus_props[] = {
    PROP_U32(Cirrus, vgamem_mb, "vgamem_mb", 4, .help = "video memory in MiB"),
    PROP_BOOL(Cirrus, blitter, "blitter", true, .help = "whether it carries out transfers"),
    PROP_END,
};

static const StateField cirrus_state[] = {
    STATE_STRUCT(Cirrus, card, vga_card_state),
    STATE_BUF(Cirrus, card.vga.vram, cirrus_vram_len),
    STATE(Cirrus, seq_index),
    STATE_ARRAY(Cirrus, seq),
    STATE_INDEX(Cirrus, gfx_index, gfx),
    STATE_ARRAY(Cirrus, gfx),
    STATE(Cirrus, cursor_x),
    STATE(Cirrus, cursor_y),
    STATE(Cirrus, hidden_dac),
    STATE_MAX(Cirrus, dac_reads, 4),
    STATE_ARRAY(Cirrus, cursor_palette),
    STATE(Cirrus, from_cpu),
    STATE(Cirrus, rows_left),
    STATE_COUNT(Cirrus, row_bytes, row),
    STATE_BELOW(Cirrus, row_at, row_bytes, CIRRUS_ROW - 1),
    STATE(Cirrus, dest),
    STATE_ARRAY(Cirrus, row),
    HOST_ONLY(Cirrus, bar, "region"),
    HOST_ONLY(Cirrus, linear_blt, "region"),
    HOST_ONLY(Cirrus, aperture, "region"),
    HOST_ONLY(Cirrus, mmio, "region"),
    STATE_END,
};

static const PciInfo cirrus_pci = {
    .vendor = 0x1013, .device = 0x00b8, .subsys_vendor = 0x1af4, .subsys = 0x1100, .class_code = 0x030000,
    .romfile = "vgabios-cirrus.bin",
};

static const DeviceType cirrus_type = {
    .name = "cirrus-vga", .parent = "pci-device", .bus = "PCI", .category = "display", .desc = "Cirrus CLGD 54xx VGA",
    .bus_info = &cirrus_pci, .size = sizeof(Cirrus), .state_version = 1, .props = cirrus_props, .state = cirrus_state,
    .realize = cirrus_realize, .unrealize = cirrus_unrealize, .reset = cirrus_reset, .post_load = cirrus_post_load,
};
DEVICE_TYPE(cirrus_type);
