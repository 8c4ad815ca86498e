// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of a VGA that sits on PCI: its legacy ports and window, the Bochs display interface at
 * ports 1CEh on, and registers in memory (offset 0: EDID, 400h: ports 3C0h on, 500h: display
 * interface, 600h: byte order).
 */
#include "hw/display/vga-card.h"

#include <inttypes.h>

#include "util/bswap.h"
#include "util/error.h"

enum { LEGACY_PORTS = 0x3b0, DISPI_PORT = 0x1ce, LITTLE_MAGIC = 0x1e1e1e1e };

/*
 * --- accesses
 * -------------------------------------------------------------------------------------
 */

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_port_read(&((VgaCard *)opaque)->vga, LEGACY_PORTS + (unsigned)offset);
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_port_write(&((VgaCard *)opaque)->vga, LEGACY_PORTS + (unsigned)offset, (uint8_t)value);
}

static const RegionOps ports_ops = {
    .read = ports_read, .write = ports_write, .min_size = 1, .max_size = 1,
};

static uint64_t dispi_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_dispi_port_read(&((VgaCard *)opaque)->vga, (unsigned)offset);
}

static void dispi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_dispi_port_write(&((VgaCard *)opaque)->vga, (unsigned)offset, (uint16_t)value);
}

static const RegionOps dispi_ops = {
    .read = dispi_read, .write = dispi_write, .min_size = 1, .max_size = 2, .unaligned = true,
};

static uint64_t mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    VgaCard *d = opaque;

    if (offset < EDID_BYTES && d->edid_on) {
        return load_le16(d->edid + (offset & ~1ull)) >> 8 * (offset & 1) &
               (size > 1 ? 0xffff : 0xff);
    }
    if (offset >= 0x400 && offset < 0x420 && d->vga_regs) {
        unsigned port = 0x3c0 + (unsigned)offset - 0x400;
        uint64_t v = vga_port_read(&d->vga, port);

        return size > 1 ? v | (uint64_t)vga_port_read(&d->vga, port + 1) << 8 : v;
    }
    if (offset >= 0x500 && offset < 0x516) {
        return vga_dispi_read(&d->vga, (unsigned)(offset - 0x500) / 2);
    }
    switch (offset) {
    case 0x600:
        return 8;
    case 0x604:
        return LITTLE_MAGIC & 0xffff;
    case 0x606:
        return LITTLE_MAGIC >> 16;
    default:
        return offset >= 0x600 && offset < 0x608 ? 0 : 0xffff;
    }
}

static void mmio_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VgaCard *d = opaque;

    if (offset >= 0x400 && offset < 0x420 && d->vga_regs) {
        unsigned port = 0x3c0 + (unsigned)offset - 0x400;

        vga_port_write(&d->vga, port, (uint8_t)value);
        if (size > 1) {
            vga_port_write(&d->vga, port + 1, (uint8_t)(value >> 8));
        }
    } else if (offset >= 0x500 && offset < 0x516) {
        vga_dispi_write(&d->vga, (unsigned)(offset - 0x500) / 2, (uint16_t)value);
    }
}

static const RegionOps mmio_ops = {
    .read = mmio_read, .write = mmio_write, .min_size = 1, .max_size = 2,
};

/*
 * --- parts
 * ------------------------------------------------------------------------------------------
 */

bool vga_card_init(VgaCard *c, PciDevice *pci, uint64_t size, GError **error)
{
    Object *o = &pci->dev.obj;

    if (size < MIB || (size & (size - 1)) || size > 512 * MIB) {
        return fail(error,
                    "%s: video memory must be a power of two from 1 to 512 MiB, not %" PRIu64
                    " bytes",
                    o->type->name, size);
    }
    if (!region_init_ram(&c->vram, o, "vga.vram", size, error)) {
        return false;
    }
    c->vga.vram = region_host(&c->vram);
    c->vga.vram_size = (uint32_t)size;
    region_init_io(&c->mmio, o, "vga.mmio", VGA_CARD_MMIO, &mmio_ops, c);
    if (c->legacy) {
        vga_card_legacy(c, pci, &ports_ops, c, &vga_window_ops, &c->vga);
        region_init_io(&c->dispi_ports, o, "vga.dispi", 4, &dispi_ops, c);
        if (pci->bus->io) {
            region_add(pci->bus->io, DISPI_PORT, &c->dispi_ports, 0);
        }
    }
    return true;
}

void vga_card_legacy(VgaCard *c, PciDevice *pci, const RegionOps *ports, void *ports_opaque,
                     const RegionOps *window, void *window_opaque)
{
    region_init_io(&c->ports, &pci->dev.obj, "vga.ports", 0x30, ports, ports_opaque);
    region_init_io(&c->window, &pci->dev.obj, "vga.window", 0x20000, window, window_opaque);
    region_add(pci->bus->mem, 0xa0000, &c->window, 1);
    if (pci->bus->io) {
        region_add(pci->bus->io, LEGACY_PORTS, &c->ports, 0);
    }
}

void vga_card_fini(VgaCard *c)
{
    Region *const legacy[] = { &c->window, &c->dispi_ports, &c->ports };

    for (unsigned i = 0; i < ARRAY_COUNT(legacy); i++) {
        if (!legacy[i]->name) {
            continue; /* without it */
        }
        if (legacy[i]->container) {
            region_remove(legacy[i]);
        }
        region_fini(legacy[i]);
    }
    region_fini(&c->mmio);
    region_fini(&c->vram);
}

static const StateField vga_state[] = {
    STATE(Vga, misc), STATE(Vga, feature), STATE(Vga, status1), STATE_INDEX(Vga, seq_index, seq), STATE_ARRAY(Vga, seq),
    STATE_INDEX(Vga, gfx_index, gfx), STATE_ARRAY(Vga, gfx), STATE_MAX(Vga, attr_index, 0x3f), STATE_ARRAY(Vga, attr), STATE(Vga, attr_data),
    STATE(Vga, crtc_index), STATE_ARRAY(Vga, crtc), STATE(Vga, dac_read), STATE(Vga, dac_write), STATE_MAX(Vga, dac_part, 2),
    STATE(Vga, dac_mask), STATE(Vga, dac_reading), STATE_ARRAY(Vga, dac_temp), STATE_ARRAY(Vga, palette), STATE(Vga, latch),
    STATE(Vga, dispi_index), STATE_ARRAY(Vga, dispi), HOST_ONLY(Vga, vram, "the device saves it"),
    HOST_ONLY(Vga, vram_size, "follows from a property"), HOST_ONLY(Vga, console, "the host's side of the screen"), STATE_END,
};

const StateField vga_card_state[] = {
    STATE_STRUCT(VgaCard, vga, vga_state), HOST_ONLY(VgaCard, edid, "follows from properties"),
    HOST_ONLY(VgaCard, edid_on, "by the type"), HOST_ONLY(VgaCard, legacy, "by the type"), HOST_ONLY(VgaCard, vga_regs, "by the type"),
    HOST_ONLY(VgaCard, vram, "region"), HOST_ONLY(VgaCard, mmio, "region"), HOST_ONLY(VgaCard, ports, "region"),
    HOST_ONLY(VgaCard, dispi_ports, "region"), HOST_ONLY(VgaCard, window, "region"), STATE_END,
};
