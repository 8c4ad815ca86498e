// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cadence UART of Zynq and Zynq UltraScale+ (UG585, chapter 19 and appendix B.33; UG1085): 64-byte
 * receive FIFO; what is sent goes out at once.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define FIFO 64

enum { CR_RXRST = 1, CR_TXRST = 2, CR_RXEN = 4, CR_RXDIS = 8, CR_TXEN = 0x10, CR_TXDIS = 0x20 };
enum {
    INT_RTRIG = 1,
    INT_REMPTY = 2,
    INT_RFUL = 4,
    INT_TEMPTY = 8,
    INT_OVR = 0x20,
    INT_TIMEOUT = 0x100
};

typedef struct CadenceUart {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    Irq irq;
    uint32_t cr, mr, imr, cisr, brgr, rtor, rtrig, mcr, msr, bdiv, fdel, ttrig;
    uint8_t rx[FIFO], head, count;
} CadenceUart;

static bool uart_loop(const CadenceUart *s)
{
    return (s->mr >> 8 & 3) == 2;
}

static void uart_update(CadenceUart *s)
{
    if (s->rtrig && s->count >= s->rtrig) {
        s->cisr |= INT_RTRIG;
    }
    s->cisr |= INT_TEMPTY | (s->count == 0 ? INT_REMPTY : 0) | (s->count == FIFO ? INT_RFUL : 0);
    irq_set(&s->irq, (s->cisr & s->imr) != 0);
}

static bool uart_receives(const CadenceUart *s)
{
    return (s->cr & (CR_RXEN | CR_RXDIS)) == CR_RXEN;
}

static void uart_put(CadenceUart *s, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s->count == FIFO) {
            s->cisr |= INT_OVR;
            break;
        }
        s->rx[(s->head + s->count++) % FIFO] = buf[i];
    }
    s->cisr |= INT_TIMEOUT;
    uart_update(s);
}

static size_t uart_can_receive(void *opaque)
{
    CadenceUart *s = opaque;

    return uart_receives(s) && !uart_loop(s) ? FIFO - s->count : 0;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    uart_put(opaque, buf, len);
}

static const ChardevFeOps uart_fe_ops = {.can_receive = uart_can_receive, .receive = uart_receive};

static uint64_t uart_fifo_read(Device *d, const RegAccess *a)
{
    CadenceUart *s = (CadenceUart *)d;
    uint8_t v = 0;

    if (s->count) {
        v = s->rx[s->head];
        s->head = (s->head + 1) % FIFO;
        s->count--;
        chardev_accept_input(&s->fe);
    }
    uart_update(s);
    return v;
}

static void uart_fifo_write(Device *d, const RegAccess *a)
{
    CadenceUart *s = (CadenceUart *)d;
    uint8_t b = a->value;

    if ((s->cr & (CR_TXEN | CR_TXDIS)) != CR_TXEN) {
        return;
    }
    if (uart_loop(s)) {
        uart_put(s, &b, 1);
    } else {
        chardev_write(&s->fe, &b, 1);
    }
    uart_update(s);
}

static void uart_cr_write(Device *d, const RegAccess *a)
{
    CadenceUart *s = (CadenceUart *)d;

    if (s->cr & CR_RXRST) {
        s->head = s->count = 0;
    }
    s->cr &= ~(uint32_t)(CR_RXRST | CR_TXRST);
    uart_update(s);
    chardev_accept_input(&s->fe);
}

static void uart_imr_write(Device *d, const RegAccess *a)
{
    CadenceUart *s = (CadenceUart *)d;

    s->imr = a->reg->offset == 8 ? s->imr | (a->value & 0x1fff) : s->imr & ~(uint32_t)a->value;
    uart_update(s);
}

static void uart_changed(Device *d, const RegAccess *a)
{
    uart_update((CadenceUart *)d);
}

static uint64_t uart_sr_read(Device *d, const RegAccess *a)
{
    CadenceUart *s = (CadenceUart *)d;

    return 8 | (s->count == 0 ? 2 : 0) | (s->count == FIFO ? 4 : 0) |
           (s->rtrig && s->count >= s->rtrig ? 1 : 0);
}

static bool uart_realize(Device *d, GError **error)
{
    CadenceUart *s = (CadenceUart *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &uart_fe_ops, s, error);
}

static void uart_unrealize(Device *d)
{
    chardev_fe_detach(&((CadenceUart *)d)->fe);
}

static void uart_reset(Device *d)
{
    ((CadenceUart *)d)->head = ((CadenceUart *)d)->count = 0;
}

/* clang-format off */
static const Reg uart_regs[] = {
    REG(CadenceUart, 0x00, cr, .reset = 0x128, .wmask = 0x1ff, .write = uart_cr_write, .help = "control"),
    REG(CadenceUart, 0x04, mr, .wmask = 0x3ff, .help = "mode"),
    REG_HOOK(0x08, 4, "ier", .write = uart_imr_write, .help = "enables interrupts"),
    REG_HOOK(0x0c, 4, "idr", .write = uart_imr_write, .help = "disables interrupts"),
    REG(CadenceUart, 0x10, imr, .help = "enabled interrupts"),
    REG(CadenceUart, 0x14, cisr, .w1c = 0x1fff, .write = uart_changed, .help = "interrupts"),
    REG(CadenceUart, 0x18, brgr, .reset = 0x28b, .wmask = 0xffff, .help = "baud rate"),
    REG(CadenceUart, 0x1c, rtor, .wmask = 0xff, .help = "receive timeout"),
    REG(CadenceUart, 0x20, rtrig, .reset = 0x20, .wmask = 0x3f, .write = uart_changed, .help = "receive level"),
    REG(CadenceUart, 0x24, mcr, .wmask = 0x23, .help = "modem control"),
    REG(CadenceUart, 0x28, msr, .wmask = 0x10f, .help = "modem status"),
    REG_HOOK(0x2c, 4, "sr", .read = uart_sr_read, .help = "status"),
    REG_HOOK(0x30, 4, "fifo", .read = uart_fifo_read, .write = uart_fifo_write, .help = "data"),
    REG(CadenceUart, 0x34, bdiv, .reset = 0xf, .wmask = 0xff, .help = "baud rate divider"),
    REG(CadenceUart, 0x38, fdel, .wmask = 0xff, .help = "flow control delay"),
    REG(CadenceUart, 0x44, ttrig, .reset = 0x20, .wmask = 0x3f, .help = "transmit level"),
};
/* clang-format on */
static const RegBank uart_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(uart_regs), .help = "UART"}, {0}};
static const Prop uart_props[] = {PROP_CHARDEV(CadenceUart, chardev), PROP_END};
static const PinRow uart_pins[] = {PIN_OUT(CadenceUart, irq, "irq"), PIN_END};
static const StateField uart_state[] = {
    HOST_ONLY(CadenceUart, fe, "host side"), STATE_RAW(CadenceUart, rx), STATE_INDEX(CadenceUart, head, rx), STATE_COUNT(CadenceUart, count, rx), STATE_END,
};

static const DeviceType cadence_uart_type = {
    .name = "cadence_uart", .category = "misc", .desc = "Cadence UART", .internal = true, .size = sizeof(CadenceUart), .state_version = 1,
    .props = uart_props, .banks = uart_banks, .pins = uart_pins, .state = uart_state, .realize = uart_realize, .unrealize = uart_unrealize,
    .reset = uart_reset,
};
DEVICE_TYPE(cadence_uart_type);
