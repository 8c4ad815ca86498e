// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A framebuffer in guest RAM: firmware or a boot loader writes its place, format and size to the
 * fw_cfg file "etc/ramfb" (28 bytes, big endian).
 */
#include <string.h>
#include "exec/dma.h"
#include "exec/loader.h"
#include "hw/nvram/fw_cfg.h"
#include "qom/device.h"
#include "qom/vm.h"
#include "ui/console.h"
#include "util/bswap.h"
#include "util/log.h"

#define CONFIG_FILE "etc/ramfb"
#define CONFIG_LEN 28u
#define VGA_ROM "vgabios-ramfb.bin"
#define MIN_SIZE 16u
#define MAX_SIZE 16000u

typedef struct Ramfb {
    Device dev;
    /* as the guest wrote it; width 0: nothing yet */
    uint64_t addr;
    uint32_t format, width, height, stride;
    Console *console;    /* host side */
    uint8_t *line;
} Ramfb;

/* DRM's four-letter codes. */
static pixman_format_code_t pixel_format(uint32_t fourcc)
{
    switch (fourcc) {
    case 0x34325258: return PIXMAN_x8r8g8b8;    /* XR24 */
    case 0x34325241: return PIXMAN_x8r8g8b8;    /* AR24 */
    case 0x34324752: return PIXMAN_r8g8b8;      /* RG24 */
    case 0x36314752: return PIXMAN_r5g6b5;      /* RG16 */
    default: return 0;
    }
}

static bool size_good(uint32_t format, uint32_t width, uint32_t height, uint32_t stride)
{
    pixman_format_code_t pixels = pixel_format(format);

    return pixels && width >= MIN_SIZE && width <= MAX_SIZE && height >= MIN_SIZE &&
           height <= MAX_SIZE &&
           (!stride || stride >= (uint64_t)width * PIXMAN_FORMAT_BPP(pixels) / 8);
}

static void config_written(void *opaque, const uint8_t *data, size_t len)
{
    Ramfb *s = opaque;
    uint32_t format = load_be32(data + 8), width = load_be32(data + 16),
             height = load_be32(data + 20);
    uint32_t stride = load_be32(data + 24);
    pixman_format_code_t pixels = pixel_format(format);

    if (len != CONFIG_LEN || !size_good(format, width, height, stride)) {
        guest_error("ramfb: a screen of %u x %u, %u bytes a line, format %#x", width, height,
                    stride, format);
        return;
    }
    s->addr = load_be64(data);
    s->format = format;
    s->width = width;
    s->height = height;
    s->stride = stride ? stride : width * PIXMAN_FORMAT_BPP(pixels) / 8;
    console_resize(s->console, width, height);
}

static void ramfb_draw(void *opaque)
{
    Ramfb *s = opaque;
    pixman_format_code_t format = pixel_format(s->format);

    if (!s->width) {
        return;
    }
    /* pixman wants lines of whole words */
    uint32_t bytes = s->width * PIXMAN_FORMAT_BPP(format) / 8, room = (bytes + 3) & ~3u;

    s->line = g_realloc(s->line, room);
    pixman_image_t *surface = console_surface(s->console);
    pixman_image_t *line =
        pixman_image_create_bits(format, (int)s->width, 1, (uint32_t *)(void *)s->line, (int)room);

    for (uint32_t y = 0; line && y < s->height; y++) {
        dma_read(&s->dev, s->addr + (uint64_t)y * s->stride, s->line, bytes);
        pixman_image_composite(PIXMAN_OP_SRC, line, NULL, surface, 0, 0, 0, 0, 0, (int16_t)y,
                               (uint16_t)s->width, 1);
    }
    if (line) {
        pixman_image_unref(line);
    }
    console_damage(s->console, 0, 0, (int)s->width, (int)s->height);
}

static const ConsoleOps ramfb_ops = { .update = ramfb_draw };

static bool ramfb_realize(Device *d, GError **error)
{
    static const uint8_t empty[CONFIG_LEN];
    Ramfb *s = (Ramfb *)d;
    FwCfg *f = fw_cfg_find(d->vm);
    g_autofree char *path = firmware_find(VGA_ROM);
    g_autofree char *rom = NULL;
    gsize len;

    if (!f) {
        return fail(error, "ramfb device requires fw_cfg with DMA");
    }
    if (!fw_cfg_add_writable_file(f, CONFIG_FILE, empty, sizeof(empty), config_written, s)) {
        return fail(error, "no room for ramfb in fw_cfg");
    }
    if (path && g_file_get_contents(path, &rom, &len, NULL)) {
        fw_cfg_add_file(f, "vgaroms/" VGA_ROM, rom, len);
    }
    s->console = console_new(&ramfb_ops, s, d, 0);
    return true;
}

static void ramfb_unrealize(Device *d)
{
    Ramfb *s = (Ramfb *)d;

    console_free(s->console);
    g_free(s->line);
}

static void ramfb_reset(Device *d)
{
    ((Ramfb *)d)->width = 0;
}

static bool ramfb_check_load(Device *d, GError **error)
{
    const Ramfb *s = (Ramfb *)d;

    return !s->width || size_good(s->format, s->width, s->height, s->stride) ||
           fail(error, "a screen of %u x %u, format %#x", s->width, s->height, s->format);
}

static void ramfb_post_load(Device *d)
{
    Ramfb *s = (Ramfb *)d;

    if (s->width) {
        console_resize(s->console, s->width, s->height);
    }
}

static const StateField ramfb_state[] = {
    STATE(Ramfb, addr), STATE(Ramfb, format), STATE(Ramfb, width), STATE(Ramfb, height), STATE(Ramfb, stride),
    HOST_ONLY(Ramfb, console, "host side"), HOST_ONLY(Ramfb, line, "host side"), STATE_END,
};

static const DeviceType ramfb_type = {
    .name = "ramfb", .category = "display", .desc = "ram framebuffer standalone device", .size = sizeof(Ramfb), .state_version = 1,
    .state = ramfb_state, .realize = ramfb_realize, .unrealize = ramfb_unrealize, .reset = ramfb_reset,
    .check_load = ramfb_check_load, .post_load = ramfb_post_load,
};
DEVICE_TYPE(ramfb_type);
