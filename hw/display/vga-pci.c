// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The standard display adapter: VGA on PCI with the Bochs display interface, its registers also in
 * BAR 2. As secondary-vga without the legacy addresses, as bochs-display without VGA.
 */
#include "hw/display/vga-card.h"
#include "qom/vm.h"
#include "util/error.h"

typedef struct VgaPci {
    PciDevice pci;
    uint32_t vgamem_mb;
    uint64_t vgamem;          /* bochs-display's way to say it */
    EdidInfo monitor;
    VgaCard card;
} VgaPci;

/*
 * --- the device
 * -------------------------------------------------------------------------------------
 */

static void vga_update(void *opaque)
{
    vga_draw(opaque);
}

static const ConsoleOps vga_console_ops = { .update = vga_update };

static bool display_realize(VgaPci *d, uint64_t size, GError **error)
{
    if (!vga_card_init(&d->card, &d->pci, size, error)) {
        return false;
    }
    edid_build(&d->monitor, d->card.edid);
    pci_set_bar(&d->pci, 0, PCI_BAR_MEM32, true, &d->card.vram);
    pci_set_bar(&d->pci, 2, PCI_BAR_MEM32, false, &d->card.mmio);
    d->card.vga.console = console_new(&vga_console_ops, &d->card.vga, &d->pci.dev, 0);
    return true;
}

static bool vga_realize(Device *dev, GError **error)
{
    VgaPci *d = (VgaPci *)dev;

    d->card.legacy = d->card.vga_regs = true;
    return display_realize(d, (uint64_t)d->vgamem_mb * MIB, error);
}

static bool secondary_realize(Device *dev, GError **error)
{
    VgaPci *d = (VgaPci *)dev;

    d->card.vga_regs = true;
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

    console_free(d->card.vga.console);
    vga_card_fini(&d->card);
}

static void vga_post_load(Device *dev)
{
    vga_loaded(&((VgaPci *)dev)->card.vga);
}

static void vga_device_reset(Device *dev)
{
    vga_reset(&((VgaPci *)dev)->card.vga);
}

static const Prop vga_props[] = {
    PROP_U32(VgaPci, vgamem_mb, "vgamem_mb", 16, .help = "video memory in MiB"),
    PROP_BOOL(VgaPci, card.edid_on, "edid", true, .help = "whether the monitor describes itself"),
    EDID_PROPS(VgaPci, monitor),
    PROP_END,
};

static const Prop bochs_props[] = {
    PROP_SIZE(VgaPci, vgamem, "vgamem", 16 * MIB, .help = "video memory"),
    PROP_BOOL(VgaPci, card.edid_on, "edid", true, .help = "whether the monitor describes itself"),
    EDID_PROPS(VgaPci, monitor),
    PROP_END,
};

static size_t vram_len(Device *dev)
{
    return ((VgaPci *)dev)->card.vga.vram_size;
}

static const StateField vga_pci_state[] = {
    STATE_STRUCT(VgaPci, card, vga_card_state), STATE_BUF(VgaPci, card.vga.vram, vram_len),
    HOST_ONLY(VgaPci, vgamem_mb, "property of some"), HOST_ONLY(VgaPci, vgamem, "property of some"), STATE_END,
};

static const PciInfo vga_pci = {
    .vendor = 0x1234, .device = 0x1111, .subsys_vendor = 0x1af4, .subsys = 0x1100,
    .class_code = 0x030000, .revision = 2, .romfile = "vgabios-stdvga.bin",
};

static const DeviceType vga_type = {
    .name = "VGA", .parent = "pci-device", .bus = "PCI", .category = "display",
    .bus_info = &vga_pci, .size = sizeof(VgaPci), .state_version = 1, .props = vga_props,
    .state = vga_pci_state, .realize = vga_realize, .unrealize = vga_unrealize,
    .reset = vga_device_reset, .post_load = vga_post_load,
};
DEVICE_TYPE(vga_type);

#define NO_LEGACY(id_, name_, desc_, rom_, props_) \
    static const PciInfo id_##_pci = {             \
        .vendor = 0x1234,                          \
        .device = 0x1111,                          \
        .class_code = 0x038000,                    \
        .revision = 2,                             \
        .romfile = rom_,                           \
    };                                             \
    static const DeviceType id_##_type = {         \
        .name = name_,                             \
        .parent = "pci-device",                    \
        .bus = "PCI",                              \
        .category = "display",                     \
        .desc = desc_,                             \
        .bus_info = &id_##_pci,                    \
        .size = sizeof(VgaPci),                    \
        .state_version = 1,                        \
        .hotpluggable = true,                      \
        .props = props_,                           \
        .state = vga_pci_state,                    \
        .realize = id_##_realize,                  \
        .unrealize = vga_unrealize,                \
        .reset = vga_device_reset,                 \
        .post_load = vga_post_load,                \
    };                                             \
    DEVICE_TYPE(id_##_type);
NO_LEGACY(secondary, "secondary-vga", NULL, NULL, vga_props)
NO_LEGACY(bochs, "bochs-display", NULL, "vgabios-bochs-display.bin", bochs_props)
