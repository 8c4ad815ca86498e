// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UART of Samsung SoCs (Exynos 4210 User's Manual, 28): FIFOs, interrupts with pending, source and
 * mask registers. What is sent goes out at once. Left out: infrared mode, automatic flow control,
 * DMA.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

enum { INT_RXD = 1, INT_ERROR = 2, INT_TXD = 4 };

typedef struct ExynosUart {
    Device dev;
    Chardev *chardev;
    uint32_t rx_size;              /* property */
    ChardevFe fe;
    Irq irq;
    uint32_t ulcon, ucon, ufcon, umcon, ubrdiv, ufracval, uintp, uintm;
    uint8_t rx[256];
    uint32_t head, count;
} ExynosUart;

static unsigned uart_depth(const ExynosUart *s)
{
    return s->ufcon & 1 ? s->rx_size : 1;
}

/* Bytes that the receive interrupt waits for; 28.6.1.3. */
static unsigned uart_trigger(const ExynosUart *s)
{
    return s->ufcon & 1 ? MAX((s->ufcon >> 4 & 7) * s->rx_size / 8, 1) : 1;
}

static void uart_update(ExynosUart *s)
{
    /* level sources; a time-out comes at once */
    if (s->count >= uart_trigger(s) || (s->count && s->ucon & 0x80)) {
        s->uintp |= INT_RXD;
    }
    irq_set(&s->irq, (s->uintp & ~s->uintm) != 0);
}

static size_t uart_can_receive(void *opaque)
{
    ExynosUart *s = opaque;
    unsigned depth = uart_depth(s);

    return s->count < depth ? depth - s->count : 0;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    ExynosUart *s = opaque;

    for (size_t i = 0; i < len && s->count < uart_depth(s); i++) {
        s->rx[(s->head + s->count++) % sizeof(s->rx)] = buf[i];
    }
    uart_update(s);
}

static const ChardevFeOps uart_fe_ops = {.can_receive = uart_can_receive, .receive = uart_receive};

static uint64_t uart_rx_read(Device *d, const RegAccess *a)
{
    ExynosUart *s = (ExynosUart *)d;
    uint8_t v = 0;

    if (s->count) {
        v = s->rx[s->head];
        s->head = (s->head + 1) % sizeof(s->rx);
        s->count--;
        chardev_accept_input(&s->fe);
    }
    uart_update(s);
    return v;
}

static void uart_tx_write(Device *d, const RegAccess *a)
{
    ExynosUart *s = (ExynosUart *)d;
    uint8_t b = a->value;

    if (s->ucon & 0x20) {
        uart_receive(s, &b, 1);
    } else {
        chardev_write(&s->fe, &b, 1);
    }
    s->uintp |= INT_TXD;
    uart_update(s);
}

static void uart_changed(Device *d, const RegAccess *a)
{
    ExynosUart *s = (ExynosUart *)d;

    if (a->reg->offset == 0x08 && a->value & 2) {
        s->count = 0;
        s->ufcon &= ~6u;
        chardev_accept_input(&s->fe);
    }
    /* the FIFO is empty: software that turns the interrupt on is told */
    if (a->reg->offset == 0x38 && a->old & ~(uint32_t)a->value & INT_TXD) {
        s->uintp |= INT_TXD;
    }
    uart_update(s);
}

static uint64_t uart_trstat_read(Device *d, const RegAccess *a)
{
    return 6 | (((ExynosUart *)d)->count != 0);
}

static uint64_t uart_fstat_read(Device *d, const RegAccess *a)
{
    ExynosUart *s = (ExynosUart *)d;

    return s->count >= uart_depth(s) ? 0x100 : s->count;
}

static uint64_t uart_source_read(Device *d, const RegAccess *a)
{
    return ((ExynosUart *)d)->uintp;
}

static bool uart_realize(Device *d, GError **error)
{
    ExynosUart *s = (ExynosUart *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &uart_fe_ops, s, error);
}

static void uart_unrealize(Device *d)
{
    chardev_fe_detach(&((ExynosUart *)d)->fe);
}

static void uart_reset(Device *d)
{
    ((ExynosUart *)d)->head = ((ExynosUart *)d)->count = 0;
}

/* clang-format off */
static const Reg uart_regs[] = {
    REG(ExynosUart, 0x00, ulcon, .wmask = 0x7f, .help = "line control"),
    REG(ExynosUart, 0x04, ucon, .reset = 0x3000, .wmask = 0x7fffff, .write = uart_changed, .help = "control"),
    REG(ExynosUart, 0x08, ufcon, .wmask = 0x777, .write = uart_changed, .help = "FIFO control"),
    REG(ExynosUart, 0x0c, umcon, .wmask = 0xff, .help = "modem control"),
    REG_HOOK(0x10, 4, "utrstat", .read = uart_trstat_read, .help = "status"),
    REG_HOOK(0x14, 4, "uerstat", .help = "errors"),
    REG_HOOK(0x18, 4, "ufstat", .read = uart_fstat_read, .help = "FIFO status"),
    REG_HOOK(0x1c, 4, "umstat", .help = "modem status"),
    REG_HOOK(0x20, 4, "utxh", .write = uart_tx_write, .help = "byte to send"),
    REG_HOOK(0x24, 4, "urxh", .read = uart_rx_read, .help = "received byte"),
    REG(ExynosUart, 0x28, ubrdiv, .wmask = 0xffff, .help = "baud rate"),
    REG(ExynosUart, 0x2c, ufracval, .wmask = 0xf, .help = "its fraction"),
    REG(ExynosUart, 0x30, uintp, .w1c = 0xf, .write = uart_changed, .help = "pending interrupts"),
    REG_HOOK(0x34, 4, "uintsp", .read = uart_source_read, .help = "interrupt sources"),
    REG(ExynosUart, 0x38, uintm, .wmask = 0xf, .write = uart_changed, .help = "interrupt mask"),
};
/* clang-format on */
static const RegBank uart_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(uart_regs), .help = "UART"}, {0}};
static const Prop uart_props[] = {
    PROP_CHARDEV(ExynosUart, chardev), PROP_U32(ExynosUart, rx_size, "rx-size", 16, .min = 1, .max = 256), PROP_END,
};
static const PinRow uart_pins[] = {PIN_OUT(ExynosUart, irq, "irq"), PIN_END};
static const StateField uart_state[] = {
    HOST_ONLY(ExynosUart, fe, "host side"), STATE_RAW(ExynosUart, rx), STATE_INDEX(ExynosUart, head, rx), STATE_COUNT(ExynosUart, count, rx), STATE_END,
};

static const DeviceType exynos_uart_type = {
    .name = "exynos4210.uart", .category = "misc", .desc = "Samsung UART", .internal = true, .size = sizeof(ExynosUart), .state_version = 1,
    .props = uart_props, .banks = uart_banks, .pins = uart_pins, .state = uart_state, .realize = uart_realize, .unrealize = uart_unrealize,
    .reset = uart_reset,
};
DEVICE_TYPE(exynos_uart_type);
