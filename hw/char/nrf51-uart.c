// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UART of the nRF51 (Series Reference Manual v3.0, 29): tasks, events, a FIFO of six for reception.
 * What is sent goes out at once. Left out: flow control, parity, errors.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define FIFO_LEN 6
enum {
    INT_CTS = 1,
    INT_NCTS = 2,
    INT_RXDRDY = 4,
    INT_TXDRDY = 1 << 7,
    INT_ERROR = 1 << 9,
    INT_RXTO = 1 << 17
};

typedef struct Nrf51Uart {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    uint32_t ev_rxdrdy, ev_txdrdy, ev_rxto, ev_error, inten, errorsrc, enable, psel[4], baudrate, config;
    uint8_t rx[FIFO_LEN];
    uint32_t head, count;
    bool rx_on, tx_on;
    Irq irq;
} Nrf51Uart;

static void uart_update(Nrf51Uart *s)
{
    irq_set(&s->irq,
            (s->ev_rxdrdy && s->inten & INT_RXDRDY) || (s->ev_txdrdy && s->inten & INT_TXDRDY) ||
                (s->ev_error && s->inten & INT_ERROR) || (s->ev_rxto && s->inten & INT_RXTO));
}

static size_t uart_can_receive(void *opaque)
{
    Nrf51Uart *s = opaque;

    return s->rx_on && s->enable ? FIFO_LEN - s->count : 0;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Nrf51Uart *s = opaque;

    for (size_t i = 0; i < len && s->count < FIFO_LEN; i++) {
        s->rx[(s->head + s->count++) % FIFO_LEN] = buf[i];
    }
    s->ev_rxdrdy = s->count != 0;
    uart_update(s);
}

static const ChardevFeOps nrf51_uart_fe_ops = {.can_receive = uart_can_receive,
                                               .receive = uart_receive};

/* STARTRX, STOPRX, STARTTX, STOPTX, SUSPEND. */
static void uart_task(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    if (a->value != 1) {
        return;
    }
    switch (a->reg->offset) {
    case 0x000:
        s->rx_on = true;
        break;
    case 0x004:
        s->rx_on = false;
        s->ev_rxto = 1;
        break;
    case 0x008:
        s->tx_on = true;
        break;
    case 0x00c:
        s->tx_on = false;
        break;
    default:
        s->rx_on = s->tx_on = false;
    }
    chardev_accept_input(&s->fe);
    uart_update(s);
}

static void uart_changed(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    chardev_accept_input(&s->fe);
    uart_update(s);
}

static void uart_intenset(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    s->inten |= (uint32_t)a->value;
    uart_update(s);
}

static void uart_intenclr(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    s->inten &= ~(uint32_t)a->value;
    uart_update(s);
}

static uint64_t uart_inten_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Uart *)d)->inten;
}

static uint64_t uart_rxd_read(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;
    uint8_t v = s->rx[s->head];

    if (s->enable && s->count) {
        s->head = (s->head + 1) % FIFO_LEN;
        s->count--;
        s->ev_rxdrdy = s->count != 0;
        chardev_accept_input(&s->fe);
        uart_update(s);
    }
    return v;
}

static void uart_txd_write(Device *d, const RegAccess *a)
{
    Nrf51Uart *s = (Nrf51Uart *)d;
    uint8_t b = (uint8_t)a->value;

    if (!s->enable || !s->tx_on) {
        return;
    }
    chardev_write(&s->fe, &b, 1);
    s->ev_txdrdy = 1;
    uart_update(s);
}

static bool uart_realize(Device *d, GError **error)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &nrf51_uart_fe_ops, s, error);
}

static void uart_unrealize(Device *d)
{
    chardev_fe_detach(&((Nrf51Uart *)d)->fe);
}

static void uart_reset(Device *d)
{
    Nrf51Uart *s = (Nrf51Uart *)d;

    s->head = s->count = s->inten = 0;
    s->rx_on = s->tx_on = false;
}

/* clang-format off */
static const Reg nrf51_uart_regs[] = {
    REG_HOOK(0x000, 4, "startrx", .write = uart_task), REG_HOOK(0x004, 4, "stoprx", .write = uart_task),
    REG_HOOK(0x008, 4, "starttx", .write = uart_task), REG_HOOK(0x00c, 4, "stoptx", .write = uart_task),
    REG_HOOK(0x01c, 4, "suspend", .write = uart_task),
    REG_HOOK(0x100, 4, "cts"), REG_HOOK(0x104, 4, "ncts"),
    REG(Nrf51Uart, 0x108, ev_rxdrdy, .wmask = 1, .write = uart_changed, .help = "event: a byte has come"),
    REG(Nrf51Uart, 0x11c, ev_txdrdy, .wmask = 1, .write = uart_changed, .help = "event: a byte has gone"),
    REG(Nrf51Uart, 0x124, ev_error, .wmask = 1, .write = uart_changed, .help = "event: error"),
    REG(Nrf51Uart, 0x144, ev_rxto, .wmask = 1, .write = uart_changed, .help = "event: receiver has stopped"),
    REG_HOOK(0x304, 4, "intenset", .read = uart_inten_read, .write = uart_intenset, .help = "interrupt enables"),
    REG_HOOK(0x308, 4, "intenclr", .read = uart_inten_read, .write = uart_intenclr),
    REG(Nrf51Uart, 0x480, errorsrc, .w1c = 0xf, .help = "errors"),
    REG(Nrf51Uart, 0x500, enable, .wmask = 7, .write = uart_changed, .help = "4: on"),
    REG_ARRAY(Nrf51Uart, 0x508, psel, .reset = 0xffffffff, .wmask = 0xffffffff, .help = "pins of RTS, TXD, CTS, RXD"),
    REG_HOOK(0x518, 4, "rxd", .read = uart_rxd_read, .help = "byte received"),
    REG_HOOK(0x51c, 4, "txd", .write = uart_txd_write, .help = "byte to send"),
    REG(Nrf51Uart, 0x524, baudrate, .reset = 0x04000000, .wmask = 0xffffffff, .help = "rate"),
    REG(Nrf51Uart, 0x56c, config, .wmask = 0xf, .help = "parity, flow control"),
};
/* clang-format on */
static const RegBank nrf51_uart_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(nrf51_uart_regs), .help = "UART"}, {0}};
static const Prop nrf51_uart_props[] = {PROP_CHARDEV(Nrf51Uart, chardev), PROP_END};
static const PinRow nrf51_uart_pins[] = {PIN_OUT(Nrf51Uart, irq, "irq"), PIN_END};
static const StateField nrf51_uart_state[] = {
    HOST_ONLY(Nrf51Uart, fe, "host side"), STATE_RAW(Nrf51Uart, rx), STATE_INDEX(Nrf51Uart, head, rx), STATE_COUNT(Nrf51Uart, count, rx),
    STATE(Nrf51Uart, inten), STATE(Nrf51Uart, rx_on), STATE(Nrf51Uart, tx_on), STATE_END,
};

static const DeviceType nrf51_uart_type = {
    .name = "nrf51_soc.uart", .category = "misc", .desc = "nRF51 UART", .internal = true, .size = sizeof(Nrf51Uart), .state_version = 1,
    .props = nrf51_uart_props, .banks = nrf51_uart_banks, .pins = nrf51_uart_pins, .state = nrf51_uart_state, .realize = uart_realize, .unrealize = uart_unrealize,
    .reset = uart_reset,
};
DEVICE_TYPE(nrf51_uart_type);
