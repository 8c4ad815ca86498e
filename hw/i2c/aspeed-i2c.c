// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * I2C engines of Aspeed's BMCs (AST2500 datasheet, chapter 40; AST2600's old register mode): up to
 * sixteen buses, byte at a time, commands finished at once. Left out: slave mode, pool buffers,
 * DMA, the AST2600's new register mode.
 */
#include "exec/bank.h"
#include "hw/i2c/i2c.h"

#define BUSES 16

enum {
    R_FUN = 0x00,
    R_TIMING1 = 0x04,
    R_TIMING2 = 0x08,
    R_IER = 0x0c,
    R_ISR = 0x10,
    R_CMD = 0x14,
    R_ADDR = 0x18,
    R_BUF = 0x1c,
    R_BYTE = 0x20
};
enum {
    FUN_MASTER = 1
};
enum {
    CMD_START = 1,
    CMD_TX = 2,
    CMD_RX = 8,
    CMD_LAST = 0x10,
    CMD_STOP = 0x20,
    CMD_RECOVER = 0x800
};
enum {
    INT_ACK = 1,
    INT_NAK = 2,
    INT_RX = 4,
    INT_STOP = 0x10,
    INT_RECOVERED = 0x4000
};

typedef struct I2cEngine {
    uint32_t fun, timing1, timing2, ier, isr, cmd, addr, buf, byte;
    uint32_t again; /* events that came while the same were still to be cleared */
    bool open; /* a transfer is */
} I2cEngine;

typedef struct AspeedI2c {
    Device dev;
    I2cBus bus[BUSES];
    I2cEngine e[BUSES];
    uint32_t global[0x40 / 4];
    Irq irq[BUSES], all;
} AspeedI2c;

/* Where a kind has its buses. */
typedef struct I2cLayout {
    uint16_t buses, base, stride, gap_from, gap_base; /* buses from gap_from on are at gap_base */
    uint16_t pool, pool_size;
} I2cLayout;

static const I2cLayout *i2c_layout(const Device *d)
{
    return device_type(d)->bus_info;
}

static void i2c_update(AspeedI2c *s)
{
    bool any = false;

    for (unsigned i = 0; i < BUSES; i++) {
        bool on = (s->e[i].isr & s->e[i].ier) != 0;

        any |= on;
        irq_set(&s->irq[i], on);
    }
    irq_set(&s->all, any);
}

/* Which engine and register an offset means; -1: none. */
static int i2c_find_engine(const I2cLayout *l, hwaddr offset, unsigned *reg)
{
    unsigned n;

    if (offset >= l->gap_base) {
        n = l->gap_from + (unsigned)(offset - l->gap_base) / l->stride;
        *reg = (unsigned)(offset - l->gap_base) % l->stride;
    } else if (offset >= l->base) {
        n = (unsigned)(offset - l->base) / l->stride;
        *reg = (unsigned)(offset - l->base) % l->stride;
        if (n >= l->gap_from) {
            return -1;
        }
    } else {
        return -1;
    }
    return n < l->buses ? (int)n : -1;
}

static uint32_t *i2c_register(I2cEngine *e, unsigned reg)
{
    uint32_t *const r[] = {&e->fun, &e->timing1, &e->timing2, &e->ier, &e->isr,
                           &e->cmd, &e->addr,    &e->buf,     &e->byte};

    return reg / 4 < ARRAY_COUNT(r) ? r[reg / 4] : NULL;
}

static uint64_t aspeed_i2c_read(void *opaque, hwaddr offset, unsigned size)
{
    AspeedI2c *s = opaque;
    const I2cLayout *l = i2c_layout(&s->dev);
    unsigned reg = 0;
    int n = i2c_find_engine(l, offset, &reg);
    uint32_t *r = n >= 0 ? i2c_register(&s->e[n], reg) : NULL;

    if (n < 0 && offset == 0) {
        uint32_t v = 0;

        for (unsigned i = 0; i < BUSES; i++) {
            v |= (s->e[i].isr & s->e[i].ier) != 0 ? 1u << i : 0;
        }
        return v;
    }
    if (n < 0) {
        return offset < sizeof(s->global) ? s->global[offset / 4] : 0;
    }
    return !r ? 0 : reg == R_CMD ? *r | (s->e[n].open ? 1 << 16 : 0) : *r;
}

/*
 * Drivers clear the arrival of a byte after the command for the next, whose own event comes later
 * on the wires: it must not be lost.
 */
static void i2c_event(I2cEngine *e, uint32_t bit)
{
    e->again |= e->isr & bit & INT_RX;
    e->isr |= bit;
}

/* 40.3: START, byte out, byte in, STOP in this order, each if its bit is set. */
static void i2c_command(AspeedI2c *s, unsigned n)
{
    I2cEngine *e = &s->e[n];
    I2cBus *bus = &s->bus[n];
    uint32_t cmd = e->cmd;
    uint8_t out = e->byte & 0xff;
    bool ack = true;

    if (!(e->fun & FUN_MASTER)) {
        return;
    }
    if (cmd & CMD_START) {
        e->open = true;
        ack = i2c_start(bus, out >> 1, out & 1);
        i2c_event(e, ack ? INT_ACK : INT_NAK);
    } else if (cmd & CMD_TX) {
        ack = e->open && i2c_write(bus, out);
        i2c_event(e, ack ? INT_ACK : INT_NAK);
    }
    if (cmd & CMD_RX && ack) {
        e->byte = (e->byte & 0xff) | (uint32_t)(e->open ? i2c_read(bus) : 0xff) << 8;
        i2c_event(e, INT_RX);
    }
    if (cmd & CMD_STOP) {
        i2c_stop(bus);
        e->open = false;
        i2c_event(e, INT_STOP);
    }
    if (cmd & CMD_RECOVER) {
        i2c_stop(bus);
        e->open = false;
        i2c_event(e, INT_RECOVERED);
    }
    e->cmd = 0;
}

static void aspeed_i2c_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AspeedI2c *s = opaque;
    unsigned reg = 0;
    int n = i2c_find_engine(i2c_layout(&s->dev), offset, &reg);
    uint32_t *r = n >= 0 ? i2c_register(&s->e[n], reg) : NULL, v = (uint32_t)value;

    if (n < 0) {
        if (offset && offset < sizeof(s->global)) {
            s->global[offset / 4] = v;
        }
        return;
    }
    if (!r) {
        return;
    }
    switch (reg) {
    case R_ISR:
        *r = (*r & ~v) | (s->e[n].again & v);
        s->e[n].again &= ~v;
        break;
    case R_CMD:
        *r = v & 0xffff;
        i2c_command(s, (unsigned)n);
        break;
    case R_BYTE:
        *r = (*r & 0xff00) | (v & 0xff);
        break;
    case R_FUN:
        *r = v;
        if (!(v & FUN_MASTER)) {
            i2c_stop(&s->bus[n]);
            s->e[n].open = false;
            s->e[n].isr = s->e[n].again = 0;
        }
        break;
    default:
        *r = v;
        break;
    }
    i2c_update(s);
}

static bool aspeed_i2c_realize(Device *d, GError **error)
{
    AspeedI2c *s = (AspeedI2c *)d;

    for (unsigned i = 0; i < BUSES; i++) {
        g_autofree char *name = g_strdup_printf("aspeed.i2c.bus.%u", i);

        i2c_bus_init(&s->bus[i], d, name);
    }
    return true;
}

static void aspeed_i2c_unrealize(Device *d)
{
    for (unsigned i = 0; i < BUSES; i++) {
        bus_fini(&((AspeedI2c *)d)->bus[i].bus);
    }
}

static void aspeed_i2c_reset(Device *d)
{
    AspeedI2c *s = (AspeedI2c *)d;

    for (unsigned i = 0; i < BUSES; i++) {
        i2c_bus_reset(&s->bus[i]);
        s->e[i] = (I2cEngine){0};
    }
    memset(s->global, 0, sizeof(s->global));
}

/* clang-format off */
static const RegionOps i2c_ops = {.read = aspeed_i2c_read, .write = aspeed_i2c_write, .min_size = 4, .max_size = 4};
static const RegBank i2c_banks[] = {{.name = "mmio", .size = 0x1000, .ops = &i2c_ops, .help = "engines"}, {0}};
static const PinRow i2c_pins[] = {PIN_OUT_ARRAY(AspeedI2c, irq, "irq"), PIN_OUT(AspeedI2c, all, "all"), PIN_END};
static const StateField engine_state[] = {
    STATE(I2cEngine, fun), STATE(I2cEngine, timing1), STATE(I2cEngine, timing2), STATE(I2cEngine, ier), STATE(I2cEngine, isr),
    STATE(I2cEngine, cmd), STATE(I2cEngine, addr), STATE(I2cEngine, buf), STATE(I2cEngine, byte), STATE(I2cEngine, again), STATE(I2cEngine, open), STATE_END,
};
static const StateField aspeed_i2c_state[] = {
    STATE_STRUCTS(AspeedI2c, bus, i2c_bus_state), STATE_STRUCTS(AspeedI2c, e, engine_state), STATE_ARRAY(AspeedI2c, global), STATE_END,
};

#define ASPEED_I2C(tag, name_, ...)                                                                                   \
    static const I2cLayout tag##_layout = {__VA_ARGS__};                                                              \
    static const DeviceType tag##_type = {                                                                            \
        .name = name_, .category = "misc", .desc = "Aspeed I2C engines", .internal = true, .size = sizeof(AspeedI2c), \
        .state_version = 1, .bus_info = &tag##_layout, .banks = i2c_banks, .pins = i2c_pins,                          \
        .state = aspeed_i2c_state, .realize = aspeed_i2c_realize, .unrealize = aspeed_i2c_unrealize,                  \
        .reset = aspeed_i2c_reset,                                                                                    \
    };                                                                                                                \
    DEVICE_TYPE(tag##_type)
ASPEED_I2C(i2c_2400, "aspeed.i2c-ast2400", .buses = 14, .base = 0x40, .stride = 0x40, .gap_from = 7, .gap_base = 0x300);
ASPEED_I2C(i2c_2500, "aspeed.i2c-ast2500", .buses = 14, .base = 0x40, .stride = 0x40, .gap_from = 7, .gap_base = 0x300);
ASPEED_I2C(i2c_2600, "aspeed.i2c-ast2600", .buses = 16, .base = 0x80, .stride = 0x80, .gap_from = 16, .gap_base = 0x1000);
/* clang-format on */
