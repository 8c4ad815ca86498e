// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two cascaded DMA controllers of a PC (Intel 8237A data sheet 231466) with their page
 * registers. Channels 5 to 7 move words. Counts and addresses go through a byte flip-flop, which
 * is why there are no rows. Left out: memory to memory, compressed timing, priorities.
 */
#include "hw/isa/dma.h"

#include "exec/dma.h"
#include "qom/vm.h"
#include "util/error.h"

enum {
    MODE_TYPE = 0x0c,
    MODE_TO_MEMORY = 4,
    MODE_FROM_MEMORY = 8,
    MODE_AUTO = 0x10,
    MODE_DOWN = 0x20
};
enum { COMMAND_DISABLE = 4 };
#define CHANNELS 4
#define CHUNK 512u

typedef struct DmaChannel {
    uint16_t base_address, base_count, address, count;
    uint8_t mode, page;
    bool masked, requested, ended;
    void (*ready)(void *opaque);
    void *opaque;
} DmaChannel;

typedef struct DmaUnit {
    uint8_t command;
    bool high;                /* the next byte of an address or count */
    DmaChannel channel[CHANNELS];
} DmaUnit;

typedef struct I8257 {
    Device dev;
    DmaUnit unit[2];
    uint8_t spare[8];         /* page registers without a channel */
} I8257;

static DmaChannel *channel_of(I8257 *s, unsigned n)
{
    return &s->unit[n >> 2 & 1].channel[n & 3];
}

static void opened(DmaUnit *u, unsigned n)
{
    DmaChannel *c = &u->channel[n];

    if (!c->masked && !(u->command & COMMAND_DISABLE) && c->ready) {
        c->ready(c->opaque);
    }
}

/* ---- registers of a unit, by their number ---- */

static uint8_t unit_read(DmaUnit *u, unsigned reg)
{
    uint8_t v = 0;

    if (reg < 8) {
        DmaChannel *c = &u->channel[reg >> 1];
        uint16_t w = reg & 1 ? c->count : c->address;

        v = (uint8_t)(u->high ? w >> 8 : w);
        u->high = !u->high;
        return v;
    }
    if (reg == 8) {
        for (unsigned i = 0; i < CHANNELS; i++) {
            v |= (u->channel[i].ended ? 1u << i : 0) | (u->channel[i].requested ? 0x10u << i : 0);
            u->channel[i].ended = false;
        }
    } else if (reg == 15) {
        for (unsigned i = 0; i < CHANNELS; i++) {
            v |= u->channel[i].masked ? 1u << i : 0;
        }
        v |= 0xf0;
    }
    return v;
}

static void write_half(DmaUnit *u, uint16_t *w, uint8_t v)
{
    *w = u->high ? (uint16_t)((*w & 0xff) | v << 8) : (uint16_t)((*w & 0xff00) | v);
}

static void unit_write(DmaUnit *u, unsigned reg, uint8_t v)
{
    DmaChannel *c = &u->channel[reg < 8 ? reg >> 1 : v & 3];

    switch (reg) {
    case 0 ... 7:
        write_half(u, reg & 1 ? &c->base_count : &c->base_address, v);
        c->address = reg & 1 ? c->address : c->base_address;
        c->count = reg & 1 ? c->base_count : c->count;
        u->high = !u->high;
        break;
    case 8:
        u->command = v;
        break;
    case 9:
        c->requested = v & 4;
        break;
    case 10:
        c->masked = v & 4;
        opened(u, v & 3);
        break;
    case 11:
        c->mode = v & 0xfc;
        break;
    case 12:
        u->high = false;
        break;
    case 13:
        u->high = false;
        u->command = 0;
        for (unsigned i = 0; i < CHANNELS; i++) {
            u->channel[i].masked = true;
            u->channel[i].ended = u->channel[i].requested = false;
        }
        break;
    default:
        /* 14 opens all, 15 sets all */
        for (unsigned i = 0; i < CHANNELS; i++) {
            u->channel[i].masked = reg == 15 && (v >> i & 1);
        }
        for (unsigned i = 0; i < CHANNELS; i++) {
            opened(u, i);
        }
        break;
    }
}

static uint64_t low_read(void *opaque, hwaddr offset, unsigned size)
{
    return unit_read(&((I8257 *)opaque)->unit[0], (unsigned)offset);
}

static void low_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    unit_write(&((I8257 *)opaque)->unit[0], (unsigned)offset, (uint8_t)value);
}

static uint64_t high_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset & 1 ? 0xff : unit_read(&((I8257 *)opaque)->unit[1], (unsigned)offset / 2);
}

static void high_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (!(offset & 1)) {
        unit_write(&((I8257 *)opaque)->unit[1], (unsigned)offset / 2, (uint8_t)value);
    }
}

/* Where a channel's page register is among 80h to 8Fh. */
static uint8_t *page_of(I8257 *s, unsigned offset)
{
    static const int8_t channels[16] = { -1, 2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, 4 };

    return channels[offset] < 0 ? &s->spare[offset & 7]
                                : &channel_of(s, (unsigned)channels[offset])->page;
}

static uint64_t page_read(void *opaque, hwaddr offset, unsigned size)
{
    return *page_of(opaque, (unsigned)offset + 1);
}

static void page_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    *page_of(opaque, (unsigned)offset + 1) = (uint8_t)value;
}

static const RegionOps low_ops = {
    .read = low_read, .write = low_write, .min_size = 1, .max_size = 1};
static const RegionOps high_ops = {
    .read = high_read, .write = high_write, .min_size = 1, .max_size = 1};
static const RegionOps page_ops = {
    .read = page_read, .write = page_write, .min_size = 1, .max_size = 1};

/* Port 80h is for diagnostic codes; 92h is the chipset's. */
static const RegBank i8257_banks[] = {
    { .name = "low", .size = 16, .ops = &low_ops, .pio = true, .help = "channels 0 to 3" },
    { .name = "page", .size = 15, .ops = &page_ops, .pio = true, .help = "81h to 8Fh: pages" },
    { .name = "high", .size = 32, .ops = &high_ops, .pio = true, .help = "channels 4 to 7" },
    { 0 },
};

/* ---- transfers ---- */

void isa_dma_listen(Device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque)
{
    DmaChannel *c = channel_of((I8257 *)dma, channel);

    c->ready = ready;
    c->opaque = opaque;
}

/* The count is over: stop, or begin again. */
static void channel_end(DmaChannel *c)
{
    c->ended = true;
    if (c->mode & MODE_AUTO) {
        c->address = c->base_address;
        c->count = c->base_count;
    } else {
        c->masked = true;
        c->count = 0xffff;
    }
}

static size_t move(I8257 *s, unsigned n, uint8_t *buf, size_t len, bool into_memory, bool *last)
{
    DmaChannel *c = channel_of(s, n);
    unsigned unit = n >= 4 ? 2 : 1;
    uint8_t type = c->mode & MODE_TYPE;
    size_t done = 0;

    *last = false;
    if (c->masked || (s->unit[n >> 2 & 1].command & COMMAND_DISABLE) ||
        (type != (into_memory ? MODE_TO_MEMORY : MODE_FROM_MEMORY) && type != 0)) {
        return 0;
    }
    while (done + unit <= len && !*last) {
        uint64_t page = (uint64_t)(unit == 2 ? c->page & 0xfe : c->page) << 16;

        if (type == 0) {
            memset(buf + done, 0, into_memory ? 0 : unit);      /* verify: the bus cycles alone */
        } else if (into_memory) {
            dma_write(&s->dev, page + (uint64_t)c->address * unit, buf + done, unit);
        } else {
            dma_read(&s->dev, page + (uint64_t)c->address * unit, buf + done, unit);
        }
        done += unit;
        c->address = (uint16_t)(c->mode & MODE_DOWN ? c->address - 1 : c->address + 1);
        if (c->count-- == 0) {
            channel_end(c);
            *last = true;
        }
    }
    return done;
}

size_t isa_dma_to_memory(Device *dma, unsigned channel, const void *buf, size_t len, bool *last)
{
    uint8_t copy[CHUNK];
    size_t n = MIN(len, sizeof(copy));

    memcpy(copy, buf, n);
    return move((I8257 *)dma, channel, copy, n, true, last);
}

size_t isa_dma_from_memory(Device *dma, unsigned channel, void *buf, size_t len, bool *last)
{
    return move((I8257 *)dma, channel, buf, len, false, last);
}

/* ---- device ---- */

static bool i8257_realize(Device *d, GError **error)
{
    ((IsaBus *)d->parent_bus)->dma = d;
    d->dma = NULL;            /* memory itself: the bridge's bus master bit does not matter */
    return true;
}

static void i8257_reset(Device *d)
{
    I8257 *s = (I8257 *)d;

    for (unsigned i = 0; i < 2; i++) {
        unit_write(&s->unit[i], 13, 0);
    }
}

static const StateField channel_state[] = {
    STATE(DmaChannel, base_address), STATE(DmaChannel, base_count), STATE(DmaChannel, address), STATE(DmaChannel, count),
    STATE(DmaChannel, mode), STATE(DmaChannel, page), STATE(DmaChannel, masked), STATE(DmaChannel, requested),
    STATE(DmaChannel, ended), HOST_ONLY(DmaChannel, ready, "wired at realize"),
    HOST_ONLY(DmaChannel, opaque, "wired at realize"), STATE_END,
};

static const StateField unit_state[] = {
    STATE(DmaUnit, command), STATE(DmaUnit, high), STATE_STRUCTS(DmaUnit, channel, channel_state), STATE_END,
};

static const StateField i8257_state[] = {
    STATE_STRUCTS(I8257, unit, unit_state), STATE_RAW(I8257, spare), STATE_END,
};

static const IsaInfo i8257_isa = {
    .ports = { { .bank = "low", .base = 0 }, { .bank = "page", .base = 0x81 }, { .bank = "high", .base = 0xc0 } },
};

static const DeviceType i8257_type = {
    .name = "i8257",
    .bus = "ISA",
    .category = "misc",
    .desc = "ISA DMA controllers",
    .internal = true,
    .bus_info = &i8257_isa,
    .size = sizeof(I8257),
    .state_version = 1,
    .banks = i8257_banks,
    .state = i8257_state,
    .realize = i8257_realize,
    .reset = i8257_reset,
};
DEVICE_TYPE(i8257_type);

Device *isa_dma_create(Bus *bus, GError **error)
{
    return isa_create(bus, "i8257", NULL, error, NULL);
}
