// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SPI and quad SPI controllers of Zynq-7000 (UG585, chapters 12 and 17, appendices B.27 and B.30):
 * FIFOs of bytes, or of words for the quad one, which also shows its flash in memory. What is
 * written goes out at once, or when it is started. Left out: slave mode, two flashes in parallel.
 */
#include "exec/bank.h"
#include "hw/ssi/ssi.h"

#define FIFO 128 /* entries */
#define MANUAL_CS (1u << 14)
#define MANUAL_START_ENABLE (1u << 15)
#define MANUAL_START (1u << 16)
#define LQ_MODE (1u << 31)
#define LQ_TWO_MEMORIES (1u << 30)
#define LQ_UPPER (1u << 28)
#define LQ_SIZE 0x2000000u

enum {
    INT_RX_OVERFLOW = 1,
    INT_MODE_FAIL = 2,
    INT_TX_NOT_FULL = 4,
    INT_TX_FULL = 8,
    INT_RX_NOT_EMPTY = 0x10,
    INT_RX_FULL = 0x20,
    INT_TX_UNDERFLOW = 0x40
};
enum {
    INT_LEVELS = INT_TX_NOT_FULL | INT_TX_FULL | INT_RX_NOT_EMPTY | INT_RX_FULL
};

typedef struct Spips {
    Device dev;
    SsiBus bus[2];
    uint32_t cr, isr, imr, er, dr, sicr, txth, rxth, gpio, lpbk, lqcfg, lqsts;
    uint32_t tx[FIFO], rx[FIFO];
    uint8_t tx_bytes[FIFO]; /* of each entry */
    uint32_t tx_head, tx_len, rx_head, rx_len;
    bool quad;
    Irq irq;
} Spips;

static unsigned spips_depth(const Spips *s)
{
    return s->quad ? 63 : 128;
}

static void spips_update(Spips *s)
{
    s->isr &= ~(uint32_t)INT_LEVELS;
    s->isr |= s->tx_len < MAX(s->txth, 1) ? INT_TX_NOT_FULL : 0;
    s->isr |= s->tx_len == spips_depth(s) ? INT_TX_FULL : 0;
    s->isr |= s->rx_len >= MAX(s->rxth, 1) ? INT_RX_NOT_EMPTY : 0;
    s->isr |= s->rx_len == spips_depth(s) ? INT_RX_FULL : 0;
    irq_set(&s->irq, (s->isr & s->imr) != 0);
}

/* The select line that the control register names; 0: none. */
static uint32_t spips_lines(const Spips *s)
{
    uint32_t pcs = s->cr >> 10 & 15;

    if (s->quad) {
        bool upper = (s->lqcfg & (LQ_TWO_MEMORIES | LQ_UPPER)) == (LQ_TWO_MEMORIES | LQ_UPPER);

        return pcs & 1 ? 0 : upper ? 2 : 1;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (!(pcs >> i & 1)) {
            return 1u << i;
        }
    }
    return 0;
}

static void spips_select(Spips *s)
{
    ssi_select(&s->bus[0], s->er & 1 && s->cr & MANUAL_CS ? spips_lines(s) : 0);
}

static void spips_flush(Spips *s)
{
    if (!(s->er & 1) || s->tx_len == 0) {
        return;
    }
    if (!(s->cr & MANUAL_CS)) {
        ssi_select(&s->bus[0], spips_lines(s));
    }
    while (s->tx_len) {
        unsigned n = s->tx_bytes[s->tx_head];
        uint32_t v = 0;

        for (unsigned i = 0; i < n; i++) {
            v |= (uint32_t)ssi_transfer(&s->bus[0], (uint8_t)(s->tx[s->tx_head] >> 8 * i)) << 8 * i;
        }
        s->tx_head = (s->tx_head + 1) % FIFO;
        s->tx_len--;
        if (s->rx_len == spips_depth(s)) {
            s->isr |= INT_RX_OVERFLOW;
        } else {
            /* 12.2.4: less than a word is at its upper end */
            s->rx[(s->rx_head + s->rx_len++) % FIFO] = s->quad ? v << 8 * (4 - n) : v;
        }
    }
    spips_select(s);
}

static void spips_cr_write(Device *d, const RegAccess *a)
{
    Spips *s = (Spips *)d;

    s->cr &= ~MANUAL_START;
    spips_select(s);
    if (a->value & MANUAL_START) {
        spips_flush(s);
    }
    spips_update(s);
}

static void spips_er_write(Device *d, const RegAccess *a)
{
    Spips *s = (Spips *)d;

    if (!(s->er & 1)) {
        s->tx_len = s->rx_len = 0;
    }
    spips_select(s);
    spips_update(s);
}

static void spips_imr_write(Device *d, const RegAccess *a)
{
    Spips *s = (Spips *)d;

    s->imr = a->reg->offset == 8 ? s->imr | (a->value & 0x7f) : s->imr & ~(uint32_t)a->value;
    spips_update(s);
}

static void spips_changed(Device *d, const RegAccess *a)
{
    spips_select((Spips *)d);
    spips_update((Spips *)d);
}

static void spips_txd_write(Device *d, const RegAccess *a)
{
    Spips *s = (Spips *)d;

    if (s->tx_len < spips_depth(s)) {
        unsigned at = (s->tx_head + s->tx_len++) % FIFO;

        s->tx[at] = (uint32_t)a->value;
        s->tx_bytes[at] = !s->quad ? 1 : a->reg->offset == 0x1c ? 4 : a->index + 1;
    }
    if (!(s->cr & MANUAL_START_ENABLE)) {
        spips_flush(s);
    }
    spips_update(s);
}

static uint64_t spips_rxd_read(Device *d, const RegAccess *a)
{
    Spips *s = (Spips *)d;
    uint32_t v = 0;

    if (s->rx_len) {
        v = s->rx[s->rx_head];
        s->rx_head = (s->rx_head + 1) % FIFO;
        s->rx_len--;
    }
    spips_update(s);
    return v;
}

static void spips_post_load(Device *d)
{
    Spips *s = (Spips *)d;

    s->tx_head %= FIFO;
    s->rx_head %= FIFO;
    s->tx_len = MIN(s->tx_len, spips_depth(s));
    s->rx_len = MIN(s->rx_len, spips_depth(s));
    for (unsigned i = 0; i < FIFO; i++) {
        s->tx_bytes[i] = MIN(s->tx_bytes[i], 4);
    }
}

/* 12.2.5: linear mode, one read command for each access. */
static uint64_t spips_linear_read(void *opaque, hwaddr offset, unsigned size)
{
    Spips *s = opaque;
    uint8_t op = s->lqcfg & 0xff;
    uint64_t v = 0;

    if (!(s->lqcfg & LQ_MODE) || !(s->er & 1)) {
        return 0;
    }
    ssi_select(&s->bus[0], s->lqcfg & LQ_TWO_MEMORIES && offset >= LQ_SIZE / 2 ? 2 : 1);
    ssi_transfer(&s->bus[0], op);
    for (int shift = 16; shift >= 0; shift -= 8) {
        ssi_transfer(&s->bus[0], (uint8_t)(offset >> shift));
    }
    for (unsigned i = 0; i < (s->lqcfg >> 8 & 7); i++) {
        ssi_transfer(&s->bus[0], 0);
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)ssi_transfer(&s->bus[0], 0) << 8 * i;
    }
    spips_select(s);
    return v;
}

static void spips_linear_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

static const RegionOps linear_ops = {
    .read = spips_linear_read, .write = spips_linear_write, .min_size = 1, .max_size = 8};

static bool spips_realize(Device *d, GError **error)
{
    Spips *s = (Spips *)d;

    s->quad = strcmp(d->obj.type->name, "xlnx.ps7-qspi") == 0;
    ssi_bus_init(&s->bus[0], d, "spi0");
    ssi_bus_init(&s->bus[1], d, "spi1");
    return true;
}

static void spips_unrealize(Device *d)
{
    bus_fini(&((Spips *)d)->bus[0].bus);
    bus_fini(&((Spips *)d)->bus[1].bus);
}

static void spips_reset(Device *d)
{
    Spips *s = (Spips *)d;

    s->tx_head = s->tx_len = s->rx_head = s->rx_len = 0;
    ssi_bus_reset(&s->bus[0]);
    ssi_bus_reset(&s->bus[1]);
    spips_update(s);
}

/* clang-format off */
static const Reg spips_regs[] = {
    REG(Spips, 0x00, cr, .reset = 0x20000, .wmask = 0x8fffffff, .write = spips_cr_write, .help = "configuration"),
    REG(Spips, 0x04, isr, .w1c = INT_RX_OVERFLOW | INT_MODE_FAIL | INT_TX_UNDERFLOW, .write = spips_changed, .help = "interrupts"),
    REG_HOOK(0x08, 4, "ier", .write = spips_imr_write, .help = "enables interrupts"),
    REG_HOOK(0x0c, 4, "idr", .write = spips_imr_write, .help = "disables interrupts"),
    REG(Spips, 0x10, imr, .help = "enabled interrupts"),
    REG(Spips, 0x14, er, .wmask = 1, .write = spips_er_write, .help = "enable"),
    REG(Spips, 0x18, dr, .wmask = 0xffffffff, .help = "delays"),
    REG_HOOK(0x1c, 4, "txd0", .write = spips_txd_write, .help = "data to send"),
    REG_HOOK(0x20, 4, "rxd", .read = spips_rxd_read, .help = "data received"),
    REG(Spips, 0x24, sicr, .reset = 0xff, .wmask = 0xff, .help = "slave idle count"),
    REG(Spips, 0x28, txth, .reset = 1, .wmask = 0x7f, .write = spips_changed, .help = "transmit level"),
    REG(Spips, 0x2c, rxth, .reset = 1, .wmask = 0x7f, .write = spips_changed, .help = "receive level"),
    REG(Spips, 0x30, gpio, .wmask = 1, .help = "write protection of the flash"),
    REG(Spips, 0x38, lpbk, .wmask = 0x3f, .help = "loopback clock"),
    REG_HOOK(0x80, 4, "txd", .count = 3, .write = spips_txd_write, .help = "1, 2 or 3 bytes to send"),
    REG(Spips, 0xa0, lqcfg, .reset = 0x03a002eb, .wmask = 0xffffffff, .write = spips_changed, .help = "flash in memory"),
    REG(Spips, 0xa4, lqsts, .w1c = 7, .help = "flash in memory, status"),
    REG_HOOK(0xfc, 4, "mod_id", .reset = 0x01090106, .help = "identity"),
};
static const RegBank spi_banks[] = {{.name = "mmio", .size = 0x200, BANK_REGS(spips_regs), .help = "controller"}, {0}};
static const RegBank qspi_banks[] = {
    {.name = "mmio", .size = 0x200, BANK_REGS(spips_regs), .help = "controller"},
    {.name = "linear", .size = LQ_SIZE, .ops = &linear_ops, .help = "the flash in memory"},
    {0},
};
static const PinRow spips_pins[] = {PIN_OUT(Spips, irq, "irq"), PIN_END};
static const StateField spips_state[] = {
    STATE_STRUCTS(Spips, bus, ssi_bus_state), STATE_ARRAY(Spips, tx), STATE_ARRAY(Spips, rx), STATE_RAW(Spips, tx_bytes), STATE_INDEX(Spips, tx_head, tx), STATE_COUNT(Spips, tx_len, tx),
    STATE_INDEX(Spips, rx_head, rx), STATE_COUNT(Spips, rx_len, rx), HOST_ONLY(Spips, quad, "the type's"), STATE_END,
};

static const DeviceType spi_type = {
    .name = "xlnx.ps7-spi", .category = "misc", .desc = "Zynq SPI controller", .internal = true, .size = sizeof(Spips), .state_version = 1,
    .banks = spi_banks, .pins = spips_pins, .state = spips_state, .realize = spips_realize, .unrealize = spips_unrealize, .reset = spips_reset, .post_load = spips_post_load,
};
DEVICE_TYPE(spi_type);

static const DeviceType qspi_type = {
    .name = "xlnx.ps7-qspi", .category = "misc", .desc = "Zynq quad SPI controller", .internal = true, .size = sizeof(Spips), .state_version = 1,
    .banks = qspi_banks, .pins = spips_pins, .state = spips_state, .realize = spips_realize, .unrealize = spips_unrealize, .reset = spips_reset, .post_load = spips_post_load,
};
DEVICE_TYPE(qspi_type);
/* clang-format on */
