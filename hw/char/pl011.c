// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell UART PL011 (ARM DDI 0183G). Bytes go to the back end as fast as it takes them; a
 * full back end leaves them in the transmit FIFO. Left out: IrDA, DMA requests, the time that
 * a character takes (a receive time-out is reported at once with the first byte).
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define PL011_FIFO 16

enum {
    FR_CTS = 1,
    FR_DSR = 2,
    FR_DCD = 4,
    FR_RXFE = 0x10,
    FR_TXFF = 0x20,
    FR_RXFF = 0x40,
    FR_TXFE = 0x80,
    FR_RI = 0x100
};
enum {
    LCR_BRK = 1,
    LCR_PEN = 2,
    LCR_EPS = 4,
    LCR_STP2 = 8,
    LCR_FEN = 0x10
};
enum {
    CR_UARTEN = 1,
    CR_LBE = 0x80,
    CR_TXE = 0x100,
    CR_RXE = 0x200,
    CR_DTR = 0x400,
    CR_RTS = 0x800,
    CR_OUT1 = 0x1000,
    CR_OUT2 = 0x2000
};
enum {
    INT_RI = 1,
    INT_CTS = 2,
    INT_DCD = 4,
    INT_DSR = 8,
    INT_RX = 0x10,
    INT_TX = 0x20,
    INT_RT = 0x40,
    INT_FE = 0x80,
    INT_BE = 0x200,
    INT_OE = 0x400
};
enum {
    DR_BE = 0x400,
    DR_OE = 0x800
};

typedef struct Pl011 {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    Irq irq;
    uint32_t rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
    uint16_t rx[PL011_FIFO]; /* data and error bits, as DR shows them */
    uint8_t tx[PL011_FIFO];
    uint8_t rx_head, rx_count, tx_head, tx_count;
} Pl011;

static unsigned pl011_depth(const Pl011 *s)
{
    return s->lcr & LCR_FEN ? PL011_FIFO : 1;
}

static void pl011_update(Pl011 *s)
{
    irq_set(&s->irq, (s->ris & s->imsc) != 0);
}

/* Entries at which the receive interrupt comes, 3.3.12. */
static unsigned pl011_rx_trigger(const Pl011 *s)
{
    static const uint8_t levels[8] = {2, 4, 8, 12, 14, 14, 14, 14};

    return s->lcr & LCR_FEN ? levels[s->ifls >> 3 & 7] : 1;
}

static void pl011_put_rx(Pl011 *s, uint16_t value)
{
    unsigned depth = pl011_depth(s);

    if (s->rx_count >= depth) {
        s->ris |= INT_OE;
        s->rx[(s->rx_head + s->rx_count - 1) % PL011_FIFO] |= DR_OE;
    } else {
        s->rx[(s->rx_head + s->rx_count++) % PL011_FIFO] = value;
    }
    if (s->rx_count >= pl011_rx_trigger(s)) {
        s->ris |= INT_RX;
    }
    s->ris |= INT_RT;
    if (value & DR_BE) {
        s->ris |= INT_BE;
    }
}

static size_t pl011_can_receive(void *opaque)
{
    Pl011 *s = opaque;
    unsigned depth = pl011_depth(s);

    return (s->cr & CR_LBE) || s->rx_count >= depth ? 0 : depth - s->rx_count;
}

static void pl011_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Pl011 *s = opaque;

    for (size_t i = 0; i < len; i++) {
        pl011_put_rx(s, buf[i]);
    }
    pl011_update(s);
}

static void pl011_event(void *opaque, ChardevEvent event)
{
    Pl011 *s = opaque;

    if (event == CHARDEV_BREAK && !(s->cr & CR_LBE)) {
        pl011_put_rx(s, DR_BE);
        pl011_update(s);
    }
}

static void pl011_transmit(Pl011 *s)
{
    while (s->tx_count) {
        uint8_t b = s->tx[s->tx_head];

        if (s->cr & CR_LBE) {
            pl011_put_rx(s, b);
        } else if (chardev_write(&s->fe, &b, 1) == 0) {
            break;
        }
        s->tx_head = (s->tx_head + 1) % PL011_FIFO;
        s->tx_count--;
    }
    if (s->tx_count == 0) {
        s->ris |= INT_TX;
    }
    pl011_update(s);
}

static void pl011_drained(void *opaque)
{
    pl011_transmit(opaque);
}

static const ChardevFeOps pl011_fe_ops = {
    .can_receive = pl011_can_receive,
    .receive = pl011_receive,
    .event = pl011_event,
    .drained = pl011_drained,
};

/* ---- registers ---- */

static uint64_t pl011_dr_read(Device *d, const RegAccess *a)
{
    Pl011 *s = (Pl011 *)d;
    uint16_t v = 0;

    if (s->rx_count) {
        v = s->rx[s->rx_head];
        s->rx_head = (s->rx_head + 1) % PL011_FIFO;
        s->rx_count--;
    }
    if (s->rx_count < pl011_rx_trigger(s)) {
        s->ris &= ~INT_RX;
    }
    if (s->rx_count == 0) {
        s->ris &= ~INT_RT;
    }
    s->rsr = v >> 8;
    pl011_update(s);
    chardev_accept_input(&s->fe);
    return v;
}

static void pl011_dr_write(Device *d, const RegAccess *a)
{
    Pl011 *s = (Pl011 *)d;

    if (s->tx_count < PL011_FIFO) {
        s->tx[(s->tx_head + s->tx_count++) % PL011_FIFO] = a->value;
        s->ris &= ~INT_TX;
    }
    pl011_transmit(s);
}

static void pl011_ecr_write(Device *d, const RegAccess *a)
{
    ((Pl011 *)d)->rsr = 0;
}

static uint64_t pl011_fr_read(Device *d, const RegAccess *a)
{
    Pl011 *s = (Pl011 *)d;
    unsigned depth = pl011_depth(s);
    uint64_t v = 0;

    v |= s->rx_count == 0 ? FR_RXFE : 0;
    v |= s->rx_count >= depth ? FR_RXFF : 0;
    v |= s->tx_count == 0 ? FR_TXFE : 0;
    v |= s->tx_count >= depth ? FR_TXFF : 0;
    if (s->cr & CR_LBE) {
        v |= (s->cr & CR_RTS ? FR_CTS : 0) | (s->cr & CR_DTR ? FR_DSR : 0) |
             (s->cr & CR_OUT1 ? FR_DCD : 0) | (s->cr & CR_OUT2 ? FR_RI : 0);
    }
    return v;
}

static void pl011_line_write(Device *d, const RegAccess *a)
{
    Pl011 *s = (Pl011 *)d;
    uint64_t div = (uint64_t)s->ibrd * 64 + s->fbrd;
    ChardevLine line = {
        .speed = div ? 24000000ull * 4 / div : 115200,
        .data_bits = 5 + (s->lcr >> 5 & 3),
        .stop_bits = s->lcr & LCR_STP2 ? 2 : 1,
        .parity = !(s->lcr & LCR_PEN) ? 'N'
                  : s->lcr & LCR_EPS  ? 'E'
                                      : 'O',
    };

    if (a->reg->offset != 0x2c) {
        return;
    }
    if ((a->old ^ s->lcr) & LCR_FEN) {
        s->rx_head = s->rx_count = s->tx_head = s->tx_count = 0;
        s->ris &= ~(INT_RX | INT_RT);
    }
    if ((a->old ^ s->lcr) & LCR_BRK) {
        chardev_fe_set_break(&s->fe, s->lcr & LCR_BRK);
        if ((s->lcr & LCR_BRK) && (s->cr & CR_LBE)) {
            pl011_put_rx(s, DR_BE);
        }
    }
    chardev_fe_set_line(&s->fe, &line);
    pl011_update(s);
    chardev_accept_input(&s->fe);
}

static void pl011_cr_write(Device *d, const RegAccess *a)
{
    Pl011 *s = (Pl011 *)d;

    chardev_fe_set_modem(&s->fe, (s->cr & CR_DTR ? CHARDEV_TIOCM_DTR : 0) |
                                     (s->cr & CR_RTS ? CHARDEV_TIOCM_RTS : 0));
    pl011_transmit(s);
    if (!(s->cr & CR_LBE)) {
        chardev_accept_input(&s->fe);
    }
}

static void pl011_imsc_write(Device *d, const RegAccess *a)
{
    pl011_update((Pl011 *)d);
}

static uint64_t pl011_mis_read(Device *d, const RegAccess *a)
{
    return ((Pl011 *)d)->ris & ((Pl011 *)d)->imsc;
}

static void pl011_icr_write(Device *d, const RegAccess *a)
{
    ((Pl011 *)d)->ris &= ~a->value;
    pl011_update((Pl011 *)d);
}

static bool pl011_realize(Device *d, GError **error)
{
    Pl011 *s = (Pl011 *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &pl011_fe_ops, s, error);
}

static void pl011_unrealize(Device *d)
{
    chardev_fe_detach(&((Pl011 *)d)->fe);
}

static void pl011_reset(Device *d)
{
    Pl011 *s = (Pl011 *)d;

    s->rx_head = s->rx_count = s->tx_head = s->tx_count = 0;
    chardev_accept_input(&s->fe);
}

/* clang-format off */
#define PL011_ID(off, v, what) REG_HOOK(off, 4, what, .reset = v, .help = "identification")
#define PL011_ROWS \
    REG_HOOK(0x00, 4, "dr", .read = pl011_dr_read, .write = pl011_dr_write, .help = "data and receive errors"), \
    REG(Pl011, 0x04, rsr, .write = pl011_ecr_write, .help = "errors of the last byte read; a write clears"), \
    REG_HOOK(0x18, 4, "fr", .read = pl011_fr_read, .help = "flags"), \
    REG(Pl011, 0x20, ilpr, .wmask = 0xff, .help = "IrDA low-power counter"), \
    REG(Pl011, 0x24, ibrd, .wmask = 0xffff, .write = pl011_line_write, .help = "baud rate divisor"), \
    REG(Pl011, 0x28, fbrd, .wmask = 0x3f, .write = pl011_line_write, .help = "its 64ths"), \
    REG(Pl011, 0x2c, lcr, .wmask = 0xff, .write = pl011_line_write, .help = "line control"), \
    REG(Pl011, 0x30, cr, .reset = 0x300, .wmask = 0xff87, .write = pl011_cr_write, .help = "control"), \
    REG(Pl011, 0x34, ifls, .reset = 0x12, .wmask = 0x3f, .help = "FIFO levels"), \
    REG(Pl011, 0x38, imsc, .wmask = 0x7ff, .write = pl011_imsc_write, .help = "interrupt mask"), \
    REG(Pl011, 0x3c, ris, .help = "raw interrupts"), \
    REG_HOOK(0x40, 4, "mis", .read = pl011_mis_read, .help = "masked interrupts"), \
    REG_HOOK(0x44, 4, "icr", .write = pl011_icr_write, .help = "interrupt clear"), \
    REG(Pl011, 0x48, dmacr, .wmask = 7, .help = "DMA control: no DMA")
static const Reg pl011_regs[] = {
    PL011_ROWS,
    PL011_ID(0xfe0, 0x11, "periphid0"), PL011_ID(0xfe4, 0x10, "periphid1"),
    PL011_ID(0xfe8, 0x14, "periphid2"), PL011_ID(0xfec, 0x00, "periphid3"),
    PL011_ID(0xff0, 0x0d, "cellid0"), PL011_ID(0xff4, 0xf0, "cellid1"),
    PL011_ID(0xff8, 0x05, "cellid2"), PL011_ID(0xffc, 0xb1, "cellid3"),
};
static const Reg luminary_uart_regs[] = {
    PL011_ROWS,
    PL011_ID(0xfe0, 0x11, "periphid0"), PL011_ID(0xfe4, 0x00, "periphid1"),
    PL011_ID(0xfe8, 0x18, "periphid2"), PL011_ID(0xfec, 0x01, "periphid3"),
    PL011_ID(0xff0, 0x0d, "cellid0"), PL011_ID(0xff4, 0xf0, "cellid1"),
    PL011_ID(0xff8, 0x05, "cellid2"), PL011_ID(0xffc, 0xb1, "cellid3"),
};
/* clang-format on */

static const RegBank pl011_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl011_regs), .help = "UART registers"},
    {0},
};

static const Prop pl011_props[] = {
    PROP_CHARDEV(Pl011, chardev),
    PROP_END,
};

static const PinRow pl011_pins[] = {PIN_OUT(Pl011, irq, "irq"), PIN_END};

static const StateField pl011_state[] = {
    STATE_ARRAY(Pl011, rx),
    STATE_RAW(Pl011, tx),
    STATE_INDEX(Pl011, rx_head, rx),
    STATE_COUNT(Pl011, rx_count, rx),
    STATE_INDEX(Pl011, tx_head, tx),
    STATE_COUNT(Pl011, tx_count, tx),
    HOST_ONLY(Pl011, fe, "connection to the back end"),
    STATE_END,
};

static const DeviceType pl011_type = {
    .name = "pl011",
    .category = "misc",
    .desc = "PrimeCell UART",
    .internal = true,
    .size = sizeof(Pl011),
    .state_version = 1,
    .props = pl011_props,
    .banks = pl011_banks,
    .pins = pl011_pins,
    .state = pl011_state,
    .realize = pl011_realize,
    .unrealize = pl011_unrealize,
    .reset = pl011_reset,
};
DEVICE_TYPE(pl011_type);

static const RegBank luminary_uart_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(luminary_uart_regs), .help = "UART registers"}, {0}};

static const DeviceType luminary_uart_type = {
    .name = "pl011_luminary",
    .category = "misc",
    .desc = "Stellaris UART",
    .internal = true,
    .size = sizeof(Pl011),
    .state_version = 1,
    .props = pl011_props,
    .banks = luminary_uart_banks,
    .pins = pl011_pins,
    .state = pl011_state,
    .realize = pl011_realize,
    .unrealize = pl011_unrealize,
    .reset = pl011_reset,
};
DEVICE_TYPE(luminary_uart_type);
