// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * virtio-vga: the virtio GPU with a VGA for firmware and text, which is shown until the driver sets
 * a resource. Video memory in BAR
 * 0; BAR 2 begins with the registers of the standard adapter (without EDID), then come those of
 * virtio.
 */
#include "hw/display/vga-card.h"
#include "virtio-gpu.h"

#define VIDEO_MEMORY (8u << 20)

typedef struct VirtioVga {
    VirtioGpu gpu;
    VgaCard card;
} VirtioVga;

static bool virtio_vga_ready(VirtioDevice *v, GError **error)
{
    VirtioVga *s = (VirtioVga *)v;

    s->card.legacy = s->card.vga_regs = true;
    if (!vga_card_init(&s->card, &v->pci, VIDEO_MEMORY, error)) {
        return false;
    }
    pci_set_bar(&v->pci, 0, PCI_BAR_MEM32, true, &s->card.vram);
    region_add(&v->modern, 0, &s->card.mmio, 0);
    s->card.vga.console = s->gpu.scanout[0].console;
    s->gpu.scanout[0].vga = &s->card.vga;
    return true;
}

static void virtio_vga_unrealize(VirtioDevice *v)
{
    VirtioVga *s = (VirtioVga *)v;

    virtio_gpu_type.unrealize(v);
    if (s->gpu.scanout[0].vga) {
        if (s->card.mmio.container) {
            region_remove(&s->card.mmio);
        }
        vga_card_fini(&s->card);
    }
}

static bool virtio_vga_realize(VirtioDevice *v, GError **error)
{
    return virtio_gpu_type.realize(v, error);
}

static void virtio_vga_reset(VirtioDevice *v)
{
    virtio_gpu_type.reset(v);
}

static void virtio_vga_system_reset(VirtioDevice *v)
{
    vga_reset(&((VirtioVga *)v)->card.vga);
}

static uint64_t virtio_vga_features(VirtioDevice *v)
{
    return virtio_gpu_type.features(v);
}

static void virtio_vga_config_read(VirtioDevice *v)
{
    virtio_gpu_type.config_read(v);
}

static void virtio_vga_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    virtio_gpu_type.config_write(v, off, len);
}

static void virtio_vga_notify(VirtioDevice *v, unsigned n)
{
    virtio_gpu_type.notify(v, n);
}

static void virtio_vga_queue_reset(VirtioDevice *v, unsigned n)
{
}

static size_t virtio_vga_vram_len(Device *d)
{
    return ((VirtioVga *)d)->card.vga.vram_size;
}

static const StateField virtio_vga_state[] = {
    STATE_STRUCT(VirtioVga, gpu, virtio_gpu_state),
    STATE_STRUCT(VirtioVga, card, vga_card_state),
    STATE_BUF(VirtioVga, card.vga.vram, virtio_vga_vram_len),
    STATE_END,
};

static const VirtioPciLayout virtio_vga_layout = {
    .bar = 2, .msix_bar = 4, .common = 0x1000, .isr = 0x1800, .area = 0x800};

static const VirtioType virtio_vga_type = {
    .saving = virtio_gpu_saving, .check_load = virtio_gpu_check_load, .loaded = virtio_gpu_loaded,
    .name = "virtio-vga", .category = "display", .id = 16, .pci_class = 0x030000, .size = sizeof(VirtioVga),
    .config_size = 16, .vectors = 3, .romfile = "vgabios-virtio.bin", .pci_only = true, .fixed = true, .layout = &virtio_vga_layout,
    .props = virtio_gpu_props, .state = virtio_vga_state, .realize = virtio_vga_realize, .pci_ready = virtio_vga_ready,
    .unrealize = virtio_vga_unrealize, .reset = virtio_vga_reset, .system_reset = virtio_vga_system_reset,
    .features = virtio_vga_features, .config_read = virtio_vga_config_read, .config_write = virtio_vga_config_write,
    .notify = virtio_vga_notify, .queue_reset = virtio_vga_queue_reset,
};
VIRTIO_TYPE(virtio_vga_type);
