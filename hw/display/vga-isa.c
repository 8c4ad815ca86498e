// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VGA on the ISA bus: the core's ports and its window at A0000h, with the Bochs display interface.
 */
#include "hw/display/vga.h"
#include "hw/i386/pc.h"
#include "util/error.h"

enum { LEGACY_PORTS = 0x3b0, DISPI_PORT = 0x1ce, WINDOW_BASE = 0xa0000, LINEAR_BASE = 0xe0000000 };

typedef struct VgaIsa {
    Device dev;
    uint32_t vgamem_mb;
    Vga vga;
    Region vram, window;
} VgaIsa;

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_port_read(&((VgaIsa *)opaque)->vga, LEGACY_PORTS + (unsigned)offset);
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_port_write(&((VgaIsa *)opaque)->vga, LEGACY_PORTS + (unsigned)offset, (uint8_t)value);
}

static uint64_t dispi_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_dispi_port_read(&((VgaIsa *)opaque)->vga, (unsigned)offset);
}

static void dispi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_dispi_port_write(&((VgaIsa *)opaque)->vga, (unsigned)offset, (uint16_t)value);
}

static const RegionOps ports_ops = {
    .read = ports_read, .write = ports_write, .min_size = 1, .max_size = 1};
static const RegionOps dispi_ops = {
    .read = dispi_read, .write = dispi_write, .min_size = 1, .max_size = 2, .unaligned = true,
};
static const RegBank vga_isa_banks[] = {
    { .name = "ports", .size = 0x30, .ops = &ports_ops, .pio = true, .help = "3B0h to 3DFh" },
    { .name = "dispi", .size = 4, .ops = &dispi_ops, .pio = true, .help = "display interface" },
    { 0 },
};

static void update(void *opaque)
{
    vga_draw(opaque);
}

static const ConsoleOps console_ops = { .update = update };

static bool vga_isa_realize(Device *dev, GError **error)
{
    VgaIsa *d = (VgaIsa *)dev;
    uint64_t size = (uint64_t)d->vgamem_mb * MIB;
    PcBoard *b = pc_board(dev->vm);

    if (d->vgamem_mb == 0 || (d->vgamem_mb & (d->vgamem_mb - 1)) || d->vgamem_mb > 512) {
        return fail(error, "isa-vga: vgamem_mb must be a power of two up to 512, not %u",
                    d->vgamem_mb);
    }
    if (!b) {
        return fail(error, "isa-vga: the machine has no ISA memory");
    }
    if (!region_init_ram(&d->vram, &dev->obj, "vga.vram", size, error)) {
        return false;
    }
    d->vga.vram = region_host(&d->vram);
    d->vga.vram_size = (uint32_t)size;
    region_init_io(&d->window, &dev->obj, "vga.window", 0x20000, &vga_window_ops, &d->vga);
    region_add(&b->pci_mem, WINDOW_BASE, &d->window, 1);
    region_add(&b->pci_mem, LINEAR_BASE, &d->vram, 1);
    d->vga.console = console_new(&console_ops, &d->vga, dev, 0);
    return true;
}

static void vga_isa_unrealize(Device *dev)
{
    VgaIsa *d = (VgaIsa *)dev;

    console_free(d->vga.console);
    region_remove(&d->vram);
    region_remove(&d->window);
    region_fini(&d->window);
    region_fini(&d->vram);
}

static void vga_isa_reset(Device *dev)
{
    vga_reset(&((VgaIsa *)dev)->vga);
}

static size_t vram_len(Device *dev)
{
    return ((VgaIsa *)dev)->vga.vram_size;
}

static const Prop vga_isa_props[] = {
    PROP_U32(VgaIsa, vgamem_mb, "vgamem_mb", 8, .help = "video memory in MiB"),
    PROP_END,
};

static const StateField vga_isa_state[] = {
    STATE(VgaIsa, vga.misc), STATE(VgaIsa, vga.feature), STATE(VgaIsa, vga.status1),
    STATE_INDEX(VgaIsa, vga.seq_index, vga.seq), STATE_ARRAY(VgaIsa, vga.seq), STATE_INDEX(VgaIsa, vga.gfx_index, vga.gfx),
    STATE_ARRAY(VgaIsa, vga.gfx), STATE_MAX(VgaIsa, vga.attr_index, 0x3f), STATE_ARRAY(VgaIsa, vga.attr),
    STATE(VgaIsa, vga.attr_data), STATE(VgaIsa, vga.crtc_index), STATE_ARRAY(VgaIsa, vga.crtc),
    STATE(VgaIsa, vga.dac_read), STATE(VgaIsa, vga.dac_write), STATE_MAX(VgaIsa, vga.dac_part, 2),
    STATE(VgaIsa, vga.dac_mask), STATE(VgaIsa, vga.dac_reading), STATE_ARRAY(VgaIsa, vga.dac_temp),
    STATE_ARRAY(VgaIsa, vga.palette), STATE(VgaIsa, vga.latch), STATE(VgaIsa, vga.dispi_index),
    STATE_ARRAY(VgaIsa, vga.dispi), STATE_BUF(VgaIsa, vga.vram, vram_len),
    HOST_ONLY(VgaIsa, vga.vram_size, "follows from vgamem_mb"),
    HOST_ONLY(VgaIsa, vga.console, "the host's side of the screen"),
    HOST_ONLY(VgaIsa, vram, "region"), HOST_ONLY(VgaIsa, window, "region"), STATE_END,
};

static const IsaInfo vga_isa_info = {
    .ports = { { .bank = "ports", .base = LEGACY_PORTS }, { .bank = "dispi", .base = DISPI_PORT } },
};

static void vga_isa_post_load(Device *d)
{
    vga_loaded(&((VgaIsa *)d)->vga);
}

static const DeviceType vga_isa_type = {
    .name = "isa-vga", .bus = "ISA", .category = "display", .bus_info = &vga_isa_info, .size = sizeof(VgaIsa),
    .state_version = 1, .props = vga_isa_props, .banks = vga_isa_banks, .state = vga_isa_state,
    .realize = vga_isa_realize, .unrealize = vga_isa_unrealize, .reset = vga_isa_reset,
    .post_load = vga_isa_post_load,
};
DEVICE_TYPE(vga_isa_type);
