// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UART of the Cortex-M System Design Kit (ARM DDI 0479C, 4.3): one byte each way, five interrupt
 * outputs: transmit, receive, their overruns, and all in one. What is sent goes out at once.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

enum { STATE_TXFULL = 1, STATE_RXFULL = 2, STATE_TXOV = 4, STATE_RXOV = 8 };
enum {
    CTRL_TXEN = 1,
    CTRL_RXEN = 2,
    CTRL_TXINT = 4,
    CTRL_RXINT = 8,
    CTRL_TXOVINT = 16,
    CTRL_RXOVINT = 32
};
enum { INT_TX = 1, INT_RX = 2, INT_TXOV = 4, INT_RXOV = 8 };

typedef struct CmsdkUart {
    Device dev;
    Chardev *chardev;
    uint32_t pclk_frq;                 /* property */
    ChardevFe fe;
    uint32_t state, ctrl, intstatus, bauddiv, rxbuf;
    Irq irq[5];
} CmsdkUart;

static void uart_update(CmsdkUart *s)
{
    static const uint8_t order[4] = {INT_TX, INT_RX, INT_TXOV, INT_RXOV};

    /* overruns show in both registers */
    s->intstatus &= ~(uint32_t)(INT_TXOV | INT_RXOV);
    s->intstatus |= s->state & STATE_TXOV && s->ctrl & CTRL_TXOVINT ? INT_TXOV : 0;
    s->intstatus |= s->state & STATE_RXOV && s->ctrl & CTRL_RXOVINT ? INT_RXOV : 0;
    for (unsigned i = 0; i < 4; i++) {
        irq_set(&s->irq[i], (s->intstatus & order[i]) != 0);
    }
    irq_set(&s->irq[4], s->intstatus != 0);
}

static size_t uart_can_receive(void *opaque)
{
    CmsdkUart *s = opaque;

    return s->ctrl & CTRL_RXEN && !(s->state & STATE_RXFULL) ? 1 : 0;
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    CmsdkUart *s = opaque;

    if (len == 0) {
        return;
    }
    if (s->state & STATE_RXFULL) {
        s->state |= STATE_RXOV;
    }
    s->rxbuf = buf[0];
    s->state |= STATE_RXFULL;
    s->intstatus |= s->ctrl & CTRL_RXINT ? INT_RX : 0;
    uart_update(s);
}

static const ChardevFeOps cmsdk_uart_fe_ops = {.can_receive = uart_can_receive,
                                               .receive = uart_receive};

static uint64_t uart_data_read(Device *d, const RegAccess *a)
{
    CmsdkUart *s = (CmsdkUart *)d;

    s->state &= ~(uint32_t)STATE_RXFULL;
    chardev_accept_input(&s->fe);
    return s->rxbuf;
}

static void uart_data_write(Device *d, const RegAccess *a)
{
    CmsdkUart *s = (CmsdkUart *)d;
    uint8_t b = (uint8_t)a->value;

    /* 4.3: nothing moves below 16 clocks a bit */
    if (!(s->ctrl & CTRL_TXEN) || s->bauddiv < 16) {
        return;
    }
    chardev_write(&s->fe, &b, 1);
    s->intstatus |= s->ctrl & CTRL_TXINT ? INT_TX : 0;
    uart_update(s);
}

static void uart_changed(Device *d, const RegAccess *a)
{
    CmsdkUart *s = (CmsdkUart *)d;

    if (s->ctrl & CTRL_RXEN) {
        chardev_accept_input(&s->fe);
    }
    uart_update(s);
}

/* Clearing an overrun interrupt clears its cause. */
static void uart_intclear(Device *d, const RegAccess *a)
{
    CmsdkUart *s = (CmsdkUart *)d;

    s->state &= ~(uint32_t)(a->value & (STATE_TXOV | STATE_RXOV));
    uart_update(s);
}

static bool uart_realize(Device *d, GError **error)
{
    CmsdkUart *s = (CmsdkUart *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &cmsdk_uart_fe_ops, s, error);
}

static void uart_unrealize(Device *d)
{
    chardev_fe_detach(&((CmsdkUart *)d)->fe);
}

static void uart_reset(Device *d)
{
    ((CmsdkUart *)d)->rxbuf = 0;
}

/* clang-format off */
static const Reg cmsdk_uart_regs[] = {
    REG_HOOK(0x00, 4, "data", .read = uart_data_read, .write = uart_data_write, .help = "byte received or to send"),
    REG(CmsdkUart, 0x04, state, .w1c = 0xc, .write = uart_changed, .help = "buffers full, overruns"),
    REG(CmsdkUart, 0x08, ctrl, .wmask = 0x7f, .write = uart_changed, .help = "enables"),
    REG(CmsdkUart, 0x0c, intstatus, .w1c = 0xf, .write = uart_intclear, .help = "interrupts"),
    REG(CmsdkUart, 0x10, bauddiv, .wmask = 0xfffff, .help = "clocks a bit"),
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x21), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), REG_HOOK(0xfe8, 4, "pid2", .reset = 0x1b),
    REG_HOOK(0xfec, 4, "pid3", .reset = 0x00), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank cmsdk_uart_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(cmsdk_uart_regs), .help = "UART"}, {0}};
static const Prop cmsdk_uart_props[] = {
    PROP_CHARDEV(CmsdkUart, chardev), PROP_U32(CmsdkUart, pclk_frq, "pclk-frq", 25000000, .help = "clock, for the baud rate"), PROP_END,
};
static const PinRow cmsdk_uart_pins[] = {PIN_OUT_ARRAY(CmsdkUart, irq, "irq"), PIN_END};
static const StateField cmsdk_uart_state[] = {HOST_ONLY(CmsdkUart, fe, "host side"),
                                              STATE(CmsdkUart, rxbuf), STATE_END};

static const DeviceType cmsdk_uart_type = {
    .name = "cmsdk-apb-uart", .category = "misc", .desc = "CMSDK UART", .internal = true, .size = sizeof(CmsdkUart), .state_version = 1,
    .props = cmsdk_uart_props, .banks = cmsdk_uart_banks, .pins = cmsdk_uart_pins, .state = cmsdk_uart_state, .realize = uart_realize, .unrealize = uart_unrealize,
    .reset = uart_reset,
};
DEVICE_TYPE(cmsdk_uart_type);
