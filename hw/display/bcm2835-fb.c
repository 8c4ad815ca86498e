// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame buffer that a Raspberry Pi's firmware sets up in its part of the memory. */
#include "exec/dma.h"
#include "hw/display/framebuffer.h"
#include "hw/misc/bcm2835-mbox.h"

typedef struct Bcm2835Fb {
    Device dev;
    Console *console;
    uint32_t vc_base, vc_size, xres, yres, bpp, pixo, alpha;     /* properties */
    Bcm2835FbConfig c;
} Bcm2835Fb;

static void fb_draw(void *opaque)
{
    Bcm2835Fb *s = opaque;
    const Bcm2835FbConfig *c = &s->c;
    bool rgb = c->pixo == 1;
    FbPicture p = {
        .addr = (hwaddr)c->base + (hwaddr)c->yoffset * c->pitch + (hwaddr)c->xoffset * (c->bpp / 8),
        .width = c->xres,
        .height = c->yres,
        .row_bytes = c->xres * (c->bpp / 8),
        .stride = c->pitch,
        .convert = c->bpp == 16 ? (rgb ? fb_convert_rgb565 : fb_convert_bgr565)
                   : rgb        ? fb_convert_xbgr
                                : fb_convert_xrgb,
    };

    if (c->bpp == 16 || c->bpp == 32) {
        fb_update(s->console, &s->dev, &p);
    }
}

static const ConsoleOps fb_console_ops = {.update = fb_draw};

static void fb_settle(Bcm2835Fb *s)
{
    Bcm2835FbConfig *c = &s->c;

    c->xres = CLAMP(c->xres, 1, 3840);
    c->yres = CLAMP(c->yres, 1, 2560);
    c->xres_virtual = CLAMP(c->xres_virtual, c->xres, 3840);
    c->yres_virtual = CLAMP(c->yres_virtual, c->yres, 2560);
    c->bpp = c->bpp == 8 || c->bpp == 16 || c->bpp == 24 || c->bpp == 32 ? c->bpp : 16;
    c->xoffset = MIN(c->xoffset, c->xres_virtual - c->xres);
    c->yoffset = MIN(c->yoffset, c->yres_virtual - c->yres);
    c->pitch = c->xres_virtual * (c->bpp / 8);
    c->size = c->pitch * c->yres_virtual;
    c->base = s->vc_base + 0x100000;
}

void bcm2835_fb_get(Device *d, Bcm2835FbConfig *c)
{
    *c = ((Bcm2835Fb *)d)->c;
}

void bcm2835_fb_set(Device *d, Bcm2835FbConfig *c)
{
    Bcm2835Fb *s = (Bcm2835Fb *)d;

    s->c = *c;
    fb_settle(s);
    *c = s->c;
}

void bcm2835_fb_request(Device *d, uint32_t addr)
{
    Bcm2835Fb *s = (Bcm2835Fb *)d;
    Bcm2835FbConfig c = s->c;
    uint32_t *const fields[] = {&c.xres, &c.yres,    &c.xres_virtual, &c.yres_virtual, &c.pitch,
                                &c.bpp,  &c.xoffset, &c.yoffset,      &c.base,         &c.size};

    for (unsigned i = 0; i < 8; i++) {
        *fields[i] = (uint32_t)dma_load(d, addr + i * 4, 4, DEV_LITTLE, NULL);
    }
    bcm2835_fb_set(d, &c);
    dma_store(d, addr + 16, c.pitch, 4, DEV_LITTLE);
    dma_store(d, addr + 32, c.base, 4, DEV_LITTLE);
    dma_store(d, addr + 36, c.size, 4, DEV_LITTLE);
}

static bool fb_realize(Device *d, GError **error)
{
    ((Bcm2835Fb *)d)->console = console_new(&fb_console_ops, d, d, 0);
    return true;
}

static void fb_unrealize(Device *d)
{
    console_free(((Bcm2835Fb *)d)->console);
}

static void fb_reset(Device *d)
{
    Bcm2835Fb *s = (Bcm2835Fb *)d;

    s->c = (Bcm2835FbConfig){
        .xres = s->xres, .yres = s->yres, .bpp = s->bpp, .pixo = s->pixo, .alpha = s->alpha};
    fb_settle(s);
}

static const Prop fb_props[] = {
    PROP_U32(Bcm2835Fb, vc_base, "vcram-base", 0), PROP_U32(Bcm2835Fb, vc_size, "vcram-size", 64 * MIB), PROP_U32(Bcm2835Fb, xres, "xres", 640),
    PROP_U32(Bcm2835Fb, yres, "yres", 480), PROP_U32(Bcm2835Fb, bpp, "bpp", 16), PROP_U32(Bcm2835Fb, pixo, "pixo", 1),
    PROP_U32(Bcm2835Fb, alpha, "alpha", 2), PROP_END,
};
static const StateField fb_state[] = {HOST_ONLY(Bcm2835Fb, console, "host side"),
                                      STATE_RAW(Bcm2835Fb, c), STATE_END};

static const DeviceType fb_type = {
    .name = "bcm2835-fb", .category = "display", .desc = "Raspberry Pi frame buffer", .internal = true, .size = sizeof(Bcm2835Fb),
    .state_version = 1, .props = fb_props, .state = fb_state, .realize = fb_realize, .unrealize = fb_unrealize, .reset = fb_reset,
};
DEVICE_TYPE(fb_type);
