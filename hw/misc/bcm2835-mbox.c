// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mailbox 0 and 1 between the ARM and the firmware of a Raspberry Pi (the firmware's wiki:
 * Mailboxes, Mailbox property interface): power, frame buffer and property channels. Requests are
 * answered at once.
 */
#include "hw/misc/bcm2835-mbox.h"

#include "exec/dma.h"
#include "net/net.h"
#include "qom/vm.h"
#include "util/log.h"
#include "util/timer.h"

#define MBOX_SLOTS 8
#define TAG_BUFFER_MAX 1024
#define TAGS_MAX 256

enum { ST_FULL = 1u << 31, ST_EMPTY = 1u << 30 };
enum { CONF_DATA_IRQ = 1 };
enum { CHAN_POWER = 0, CHAN_FB = 1, CHAN_PROPERTY = 8 };

typedef struct Bcm2835Mbox {
    Device dev;
    Object *fb;                    /* property */
    uint32_t board_rev;            /* property */
    uint32_t vc_base, vc_size;     /* properties: the memory that is the firmware's */
    uint8_t mac[6];
    uint32_t slot[MBOX_SLOTS], head, count, config;
    Irq irq;
} Bcm2835Mbox;

static void mbox_update(Bcm2835Mbox *s)
{
    irq_set(&s->irq, s->count && s->config & CONF_DATA_IRQ);
}

static void mbox_answer(Bcm2835Mbox *s, uint32_t v)
{
    if (s->count < MBOX_SLOTS) {
        s->slot[(s->head + s->count++) % MBOX_SLOTS] = v;
    }
    mbox_update(s);
}

/* ---- properties ---- */

static uint32_t get32(Bcm2835Mbox *s, hwaddr at)
{
    return (uint32_t)dma_load(&s->dev, at, 4, DEV_LITTLE, NULL);
}

static void put32(Bcm2835Mbox *s, hwaddr at, uint32_t v)
{
    dma_store(&s->dev, at, v, 4, DEV_LITTLE);
}

static uint32_t clock_rate(uint32_t id)
{
    switch (id) {
    case 1:
        return 50000000;
    case 2:
        return 3000000;
    case 12:
        return 50000000;
    default:
        return 700000000;
    }
}

/* Tags that only tell: two words at most. */
static bool tag_fixed(Bcm2835Mbox *s, uint32_t tag, hwaddr at, uint32_t *len)
{
    switch (tag) {
    case 0x00000001:
        put32(s, at, 346337);
        *len = 4;
        return true;
    case 0x00010001:
        put32(s, at, 0);
        *len = 4;
        return true;
    case 0x00010002:
        put32(s, at, s->board_rev);
        *len = 4;
        return true;
    case 0x00010003:
        dma_write(&s->dev, at, s->mac, 6);
        *len = 6;
        return true;
    case 0x00010004:
        put32(s, at, 0);
        put32(s, at + 4, 0);
        *len = 8;
        return true;
    case 0x00010005:
        put32(s, at, 0);
        put32(s, at + 4, s->vc_base);
        *len = 8;
        return true;
    case 0x00010006:
        put32(s, at, s->vc_base);
        put32(s, at + 4, s->vc_size);
        *len = 8;
        return true;
    case 0x00028001:
        put32(s, at + 4, get32(s, at + 4) & 1);
        *len = 8;
        return true;
    case 0x00020001:
    case 0x00030001:
        put32(s, at + 4, 1);
        *len = 8;
        return true;
    case 0x00038001:
        put32(s, at + 4, get32(s, at + 4) & 1);
        *len = 8;
        return true;
    case 0x00030002:
    case 0x00030004:
    case 0x00030007:
    case 0x00030047:
    case 0x00038002:
        put32(s, at + 4, clock_rate(get32(s, at)));
        *len = 8;
        return true;
    case 0x00030006:
        put32(s, at + 4, 25000);
        *len = 8;
        return true;
    case 0x0003000a:
        put32(s, at + 4, 99000);
        *len = 8;
        return true;
    case 0x00060001:
        put32(s, at, 0x003c);
        *len = 4;
        return true;
    case 0x00050001:
        *len = 0;
        return true;
    case 0x00030043:
    case 0x00038043:
        *len = 8;
        return true;
    default:
        return false;
    }
}

/* Tags of the frame buffer: 0x4.... get, test (bit 14) and set (bit 15). */
static bool tag_fb(Bcm2835Mbox *s, uint32_t tag, hwaddr at, Bcm2835FbConfig *c, uint32_t *len)
{
    bool set = tag & 0x8000, test = tag & 0x4000;
    uint32_t *first, *second = NULL;

    switch (tag & 0xffff3fff) {
    case 0x00040001:
        if (set) {
            *len = 0;
            return true;
        }
        put32(s, at, c->base);
        put32(s, at + 4, c->size);
        *len = 8;
        return true;
    case 0x00040002:
        *len = 4;
        return true;
    case 0x00040003:
        first = &c->xres;
        second = &c->yres;
        break;
    case 0x00040004:
        first = &c->xres_virtual;
        second = &c->yres_virtual;
        break;
    case 0x00040005:
        first = &c->bpp;
        break;
    case 0x00040006:
        first = &c->pixo;
        break;
    case 0x00040007:
        first = &c->alpha;
        break;
    case 0x00040008:
        first = &c->pitch;
        set = false;
        break;
    case 0x00040009:
        first = &c->xoffset;
        second = &c->yoffset;
        break;
    case 0x0004000a:
        put32(s, at, 0);
        put32(s, at + 4, 0);
        put32(s, at + 8, 0);
        put32(s, at + 12, 0);
        *len = 16;
        return true;
    case 0x00040013:
        put32(s, at, 1);
        *len = 4;
        return true;
    default:
        return false;
    }
    if (set) {
        *first = get32(s, at);
        if (second) {
            *second = get32(s, at + 4);
        }
        bcm2835_fb_set((Device *)s->fb, c);
    }
    if (!test) {
        put32(s, at, *first);
        if (second) {
            put32(s, at + 4, *second);
        }
    }
    *len = second ? 8 : 4;
    return true;
}

static void mbox_property(Bcm2835Mbox *s, uint32_t buffer)
{
    uint32_t size = get32(s, buffer), at = 8;
    Bcm2835FbConfig c;

    bcm2835_fb_get((Device *)s->fb, &c);
    for (unsigned n = 0; n < TAGS_MAX && at + 12 <= size; n++) {
        uint32_t tag = get32(s, buffer + at), room = get32(s, buffer + at + 4), len = 0;

        if (tag == 0) {
            break;
        }
        if (room > TAG_BUFFER_MAX) {
            guest_error("bcm2835-property: tag 0x%08x with %u bytes", tag, room);
            break;
        }
        if (!tag_fixed(s, tag, buffer + at + 12, &len) &&
            !tag_fb(s, tag, buffer + at + 12, &c, &len)) {
            log_mask(LOG_UNIMP, "bcm2835-property: unhandled tag 0x%08x\n", tag);
        }
        put32(s, buffer + at + 8, len | 1u << 31);
        at += 12 + ((room + 3) & ~3u);
    }
    put32(s, buffer + 4, 0x80000000);
}

/* ---- registers ---- */

static void mbox_write(Device *d, const RegAccess *a)
{
    Bcm2835Mbox *s = (Bcm2835Mbox *)d;
    uint32_t data = (uint32_t)a->value & ~15u, channel = a->value & 15;

    switch (channel) {
    case CHAN_POWER:
        mbox_answer(s, (uint32_t)a->value);
        break;
    case CHAN_FB:
        bcm2835_fb_request((Device *)s->fb, data);
        mbox_answer(s, channel);
        break;
    case CHAN_PROPERTY:
        mbox_property(s, data);
        mbox_answer(s, (uint32_t)a->value);
        break;
    default:
        log_mask(LOG_UNIMP, "bcm2835-mbox: channel %u\n", channel);
        break;
    }
}

static uint64_t mbox_read(Device *d, const RegAccess *a)
{
    Bcm2835Mbox *s = (Bcm2835Mbox *)d;
    uint32_t v = s->count ? s->slot[s->head] : 15;

    if (a->reg->offset == 0x80 && s->count) {
        s->head = (s->head + 1) % MBOX_SLOTS;
        s->count--;
        mbox_update(s);
    }
    return v;
}

static uint64_t mbox_status_read(Device *d, const RegAccess *a)
{
    Bcm2835Mbox *s = (Bcm2835Mbox *)d;

    if (a->reg->offset == 0xb8) {
        return ST_EMPTY | (s->count == MBOX_SLOTS ? ST_FULL : 0);
    }
    return s->count ? s->count : ST_EMPTY;
}

static void mbox_config_write(Device *d, const RegAccess *a)
{
    mbox_update((Bcm2835Mbox *)d);
}

static bool mbox_realize(Device *d, GError **error)
{
    Bcm2835Mbox *s = (Bcm2835Mbox *)d;

    if (!s->fb) {
        return fail(error, "bcm2835-mbox: property 'fb' is not set");
    }
    net_default_mac(s->mac);
    return true;
}

static void mbox_reset(Device *d)
{
    Bcm2835Mbox *s = (Bcm2835Mbox *)d;

    s->head = s->count = 0;
}

static const Reg mbox_regs[] = {
    REG_HOOK(0x80, 4, "read", .read = mbox_read, .help = "an answer"),
    REG_HOOK(0x90, 4, "peek", .read = mbox_read, .help = "the same, without taking it"),
    REG_HOOK(0x98, 4, "status", .read = mbox_status_read, .help = "of the answers"),
    REG(Bcm2835Mbox, 0x9c, config, .wmask = 0x7ff, .write = mbox_config_write, .help = "interrupt enables"),
    REG_HOOK(0xa0, 4, "write", .write = mbox_write, .help = "a request: address and channel"),
    REG_HOOK(0xb8, 4, "status1", .read = mbox_status_read, .help = "of the requests"),
};
static const RegBank mbox_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(mbox_regs), .help = "mailboxes"}, {0}};
static const Prop mbox_props[] = {
    PROP_U32(Bcm2835Mbox, board_rev, "board-rev", 0),
    PROP_U32(Bcm2835Mbox, vc_base, "vcram-base", 0),
    PROP_U32(Bcm2835Mbox, vc_size, "vcram-size", 0),
    PROP_LINK(Bcm2835Mbox, fb, "fb", "bcm2835-fb"),
    PROP_END,
};
static const PinRow mbox_pins[] = {PIN_OUT(Bcm2835Mbox, irq, "irq"), PIN_END};
static const StateField mbox_state[] = {
    HOST_ONLY(Bcm2835Mbox, mac, "configuration"), STATE_ARRAY(Bcm2835Mbox, slot), STATE_INDEX(Bcm2835Mbox, head, slot),
    STATE_COUNT(Bcm2835Mbox, count, slot), STATE_END,
};

static const DeviceType mbox_type = {
    .name = "bcm2835-mbox", .category = "misc", .desc = "Raspberry Pi firmware mailbox", .internal = true, .size = sizeof(Bcm2835Mbox),
    .state_version = 1, .props = mbox_props, .banks = mbox_banks, .pins = mbox_pins, .state = mbox_state, .realize = mbox_realize, .reset = mbox_reset,
};
DEVICE_TYPE(mbox_type);
