// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The standard display adapter: VGA on PCI with the Bochs display interface, its registers also in
 * BAR 2 (offset 0: EDID, 400h: ports 3C0h on, 500h: display interface, 600h: byte order). As
 * secondary-vga without the legacy addresses, as bochs-display without VGA.
 */
#include <inttypes.h>
#include "hw/display/vga.h"
#include "hw/pci/pci.h"
#include "qom/vm.h"
#include "ui/edid.h"
#include "util/bswap.h"
#include "util/error.h"

enum { LEGACY_PORTS = 0x3b0, DISPI_PORT = 0x1ce, MMIO_SIZE = 4096, LITTLE_MAGIC = 0x1e1e1e1e };

typedef struct VgaPci {
    PciDevice pci;
    uint32_t vgamem_mb;
    uint64_t vgamem;          /* bochs-display's way to say it */
    bool edid_on;
    EdidInfo monitor;
    bool legacy, vga_regs;    /* by type */
    Vga vga;
    uint8_t edid[EDID_BYTES];
    Region vram, mmio, ports, dispi_ports, window;
} VgaPci;

/* --- accesses ------------------------------------------------------------------------------------- */

static uint64_t ports_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_port_read(&((VgaPci *)opaque)->vga, LEGACY_PORTS + (unsigned)offset);
}

static void ports_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_port_write(&((VgaPci *)opaque)->vga, LEGACY_PORTS + (unsigned)offset, (uint8_t)value);
}

static const RegionOps ports_ops = {
    .read = ports_read, .write = ports_write, .min_size = 1, .max_size = 1,
};

static uint64_t dispi_read(void *opaque, hwaddr offset, unsigned size)
{
    return vga_dispi_port_read(&((VgaPci *)opaque)->vga, (unsigned)offset);
}

static void dispi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vga_dispi_port_write(&((VgaPci *)opaque)->vga, (unsigned)offset, (uint16_t)value);
}

static const RegionOps dispi_ops = {
    .read = dispi_read, .write = dispi_write, .min_size = 1, .max_size = 2, .unaligned = true,
};

static uint64_t mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    VgaPci *d = opaque;

    if (offset < EDID_BYTES && d->edid_on) {
        return load_le16(d->edid + (offset & ~1ull)) >> 8 * (offset & 1) & (size > 1 ? 0xffff : 0xff);
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
    VgaPci *d = opaque;

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

/* --- the device ------------------------------------------------------------------------------------- */

static void vga_update(void *opaque)
{
    vga_draw(opaque);
}

static const ConsoleOps vga_console_ops = { .update = vga_update };

static bool display_realize(VgaPci *d, uint64_t size, GError **error)
{
    Device *dev = &d->pci.dev;
    Object *o = &dev->obj;

    if (size < MIB || (size & (size - 1)) || size > 512 * MIB) {
        return fail(error, "%s: video memory must be a power of two from 1 to 512 MiB, not %" PRIu64 " bytes",
                    dev->obj.type->name, size);
    }
    if (!region_init_ram(&d->vram, o, "vga.vram", size, error)) {
        return false;
    }
    d->vga.vram = region_host(&d->vram);
    d->vga.vram_size = (uint32_t)size;
    edid_build(&d->monitor, d->edid);
    region_init_io(&d->mmio, o, "vga.mmio", MMIO_SIZE, &mmio_ops, d);
    pci_set_bar(&d->pci, 0, PCI_BAR_MEM32, true, &d->vram);
    pci_set_bar(&d->pci, 2, PCI_BAR_MEM32, false, &d->mmio);
    if (d->legacy) {
        region_init_io(&d->ports, o, "vga.ports", 0x30, &ports_ops, d);
        region_init_io(&d->dispi_ports, o, "vga.dispi", 4, &dispi_ops, d);
        region_init_io(&d->window, o, "vga.window", 0x20000, &vga_window_ops, &d->vga);
        region_add(d->pci.bus->mem, 0xa0000, &d->window, 1);
        if (d->pci.bus->io) {
            region_add(d->pci.bus->io, LEGACY_PORTS, &d->ports, 0);
            region_add(d->pci.bus->io, DISPI_PORT, &d->dispi_ports, 0);
        }
    }
    d->vga.console = console_new(&vga_console_ops, &d->vga, dev, 0);
    return true;
}

static bool vga_realize(Device *dev, GError **error)
{
    VgaPci *d = (VgaPci *)dev;

    d->legacy = d->vga_regs = true;
    return display_realize(d, (uint64_t)d->vgamem_mb * MIB, error);
}

static bool secondary_realize(Device *dev, GError **error)
{
    VgaPci *d = (VgaPci *)dev;

    d->vga_regs = true;
    return display_realize(d, (uint64_t)d->vgamem_mb * MIB, error);
}

static bool bochs_realize(Device *dev, GError **error)
{
    VgaPci *d = (VgaPci *)dev;

    return display_realize(d, d->vgamem, error);
}

static void vga_unrealize(Device *dev)
{
    VgaPci *d = (VgaPci *)dev;
    Region *const legacy[] = { &d->window, &d->dispi_ports, &d->ports };

    console_free(d->vga.console);
    for (unsigned i = 0; d->legacy && i < ARRAY_COUNT(legacy); i++) {
        if (legacy[i]->container) {
            region_remove(legacy[i]);
        }
        region_fini(legacy[i]);
    }
    region_fini(&d->mmio);
    region_fini(&d->vram);
}

static void vga_device_reset(Device *dev)
{
    vga_reset(&((VgaPci *)dev)->vga);
}

static const Prop vga_props[] = {
    PROP_U32(VgaPci, vgamem_mb, "vgamem_mb", 16, .help = "video memory in MiB"),
    PROP_BOOL(VgaPci, edid_on, "edid", true, .help = "whether the monitor describes itself"),
    EDID_PROPS(VgaPci, monitor),
    PROP_END,
};

static const Prop bochs_props[] = {
    PROP_SIZE(VgaPci, vgamem, "vgamem", 16 * MIB, .help = "video memory"),
    PROP_BOOL(VgaPci, edid_on, "edid", true, .help = "whether the monitor describes itself"),
    EDID_PROPS(VgaPci, monitor),
    PROP_END,
};

static size_t vram_len(Device *dev)
{
    return ((VgaPci *)dev)->vga.vram_size;
}

static const StateField vga_state[] = {
    STATE(VgaPci, vga.misc), STATE(VgaPci, vga.feature), STATE(VgaPci, vga.status1),
    STATE(VgaPci, vga.seq_index), STATE_ARRAY(VgaPci, vga.seq), STATE(VgaPci, vga.gfx_index),
    STATE_ARRAY(VgaPci, vga.gfx), STATE(VgaPci, vga.attr_index), STATE_ARRAY(VgaPci, vga.attr),
    STATE(VgaPci, vga.attr_data), STATE(VgaPci, vga.crtc_index), STATE_ARRAY(VgaPci, vga.crtc),
    STATE(VgaPci, vga.dac_read), STATE(VgaPci, vga.dac_write), STATE(VgaPci, vga.dac_part),
    STATE(VgaPci, vga.dac_mask), STATE(VgaPci, vga.dac_reading), STATE_ARRAY(VgaPci, vga.dac_temp),
    STATE_ARRAY(VgaPci, vga.palette), STATE(VgaPci, vga.latch), STATE(VgaPci, vga.dispi_index),
    STATE_ARRAY(VgaPci, vga.dispi), STATE_BUF(VgaPci, vga.vram, vram_len),
    HOST_ONLY(VgaPci, vga.vram_size, "follows from vgamem_mb"), HOST_ONLY(VgaPci, edid, "follows from properties"),
    HOST_ONLY(VgaPci, vgamem_mb, "property of some"), HOST_ONLY(VgaPci, vgamem, "property of some"),
    HOST_ONLY(VgaPci, legacy, "by type"), HOST_ONLY(VgaPci, vga_regs, "by type"),
    HOST_ONLY(VgaPci, vga.console, "the host's side of the screen"),
    HOST_ONLY(VgaPci, vram, "region"), HOST_ONLY(VgaPci, mmio, "region"),
    HOST_ONLY(VgaPci, ports, "region"), HOST_ONLY(VgaPci, dispi_ports, "region"),
    HOST_ONLY(VgaPci, window, "region"), STATE_END,
};

static const PciInfo vga_pci = {
    .vendor = 0x1234, .device = 0x1111, .subsys_vendor = 0x1af4, .subsys = 0x1100,
    .class_code = 0x030000, .revision = 2, .romfile = "vgabios-stdvga.bin",
};

static const DeviceType vga_type = {
    .name = "VGA", .parent = "pci-device", .bus = "PCI", .category = "display",
    .bus_info = &vga_pci, .size = sizeof(VgaPci), .state_version = 1, .props = vga_props,
    .state = vga_state, .realize = vga_realize, .unrealize = vga_unrealize,
    .reset = vga_device_reset,
};
DEVICE_TYPE(vga_type);

#define NO_LEGACY(id_, name_, desc_, rom_, props_)                                                 \
    static const PciInfo id_##_pci = {                                                             \
        .vendor = 0x1234, .device = 0x1111, .class_code = 0x038000, .revision = 2, .romfile = rom_, \
    };                                                                                             \
    static const DeviceType id_##_type = {                                                         \
        .name = name_, .parent = "pci-device", .bus = "PCI", .category = "display", .desc = desc_, .bus_info = &id_##_pci, \
        .size = sizeof(VgaPci), .state_version = 1, .hotpluggable = true, .props = props_, .state = vga_state, \
        .realize = id_##_realize, .unrealize = vga_unrealize, .reset = vga_device_reset,           \
    };                                                                                             \
    DEVICE_TYPE(id_##_type);
NO_LEGACY(secondary, "secondary-vga", NULL, NULL, vga_props)
NO_LEGACY(bochs, "bochs-display", NULL, "vgabios-bochs-display.bin", bochs_props)
