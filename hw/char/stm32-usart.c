// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USART of STM32F1, F2 and F4 (RM0033, 24): asynchronous, a byte each way. What is sent goes out at
 * once. Left out: flow control, synchronous and smartcard modes, DMA.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

enum { SR_ORE = 8, SR_RXNE = 0x20, SR_TC = 0x40, SR_TXE = 0x80 };
enum {
    CR1_RE = 4,
    CR1_TE = 8,
    CR1_RXNEIE = 0x20,
    CR1_TCIE = 0x40,
    CR1_TXEIE = 0x80,
    CR1_UE = 0x2000
};

typedef struct Stm32Usart {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    uint32_t sr, dr, brr, cr1, cr2, cr3, gtpr;
    Irq irq;
} Stm32Usart;

static void usart_update(Stm32Usart *s)
{
    uint32_t wanted = (s->cr1 & CR1_RXNEIE ? SR_RXNE | SR_ORE : 0) |
                      (s->cr1 & CR1_TCIE ? SR_TC : 0) | (s->cr1 & CR1_TXEIE ? SR_TXE : 0);

    irq_set(&s->irq, (s->sr & wanted) != 0);
}

static size_t usart_can_receive(void *opaque)
{
    Stm32Usart *s = opaque;

    return (s->cr1 & (CR1_UE | CR1_RE)) == (CR1_UE | CR1_RE) && !(s->sr & SR_RXNE);
}

static void usart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Stm32Usart *s = opaque;

    if (len == 0 || !usart_can_receive(s)) {
        return;
    }
    s->dr = buf[0];
    s->sr |= SR_RXNE;
    usart_update(s);
}

static const ChardevFeOps usart_fe_ops = {.can_receive = usart_can_receive,
                                          .receive = usart_receive};

static uint64_t usart_sr_read(Device *d, const RegAccess *a)
{
    Stm32Usart *s = (Stm32Usart *)d;

    chardev_accept_input(&s->fe);
    return s->sr;
}

/* TC and RXNE are cleared by writing 0. */
static void usart_sr_write(Device *d, const RegAccess *a)
{
    Stm32Usart *s = (Stm32Usart *)d;

    s->sr &= (uint32_t)a->value | ~(uint32_t)(SR_TC | SR_RXNE);
    usart_update(s);
}

static uint64_t usart_dr_read(Device *d, const RegAccess *a)
{
    Stm32Usart *s = (Stm32Usart *)d;

    s->sr &= ~(uint32_t)(SR_RXNE | SR_ORE);
    chardev_accept_input(&s->fe);
    usart_update(s);
    return s->dr & 0x3ff;
}

static void usart_dr_write(Device *d, const RegAccess *a)
{
    Stm32Usart *s = (Stm32Usart *)d;
    uint8_t b = (uint8_t)a->value;

    if (s->cr1 & CR1_UE && s->cr1 & CR1_TE) {
        chardev_write(&s->fe, &b, 1);
        s->sr |= SR_TC | SR_TXE;
        usart_update(s);
    }
}

static void usart_changed(Device *d, const RegAccess *a)
{
    Stm32Usart *s = (Stm32Usart *)d;

    chardev_accept_input(&s->fe);
    usart_update(s);
}

static bool usart_realize(Device *d, GError **error)
{
    Stm32Usart *s = (Stm32Usart *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &usart_fe_ops, s, error);
}

static void usart_unrealize(Device *d)
{
    chardev_fe_detach(&((Stm32Usart *)d)->fe);
}

static void usart_reset(Device *d)
{
    ((Stm32Usart *)d)->dr = 0;
}

/* clang-format off */
static const Reg usart_regs[] = {
    REG(Stm32Usart, 0x00, sr, .reset = SR_TXE | SR_TC, .read = usart_sr_read, .write = usart_sr_write, .help = "status"),
    REG_HOOK(0x04, 4, "dr", .read = usart_dr_read, .write = usart_dr_write, .help = "data"),
    REG(Stm32Usart, 0x08, brr, .wmask = 0xffff, .help = "baud rate"),
    REG(Stm32Usart, 0x0c, cr1, .wmask = 0xbfff, .write = usart_changed, .help = "control"),
    REG(Stm32Usart, 0x10, cr2, .wmask = 0x7f6f, .help = "control"),
    REG(Stm32Usart, 0x14, cr3, .wmask = 0xfff, .help = "control"),
    REG(Stm32Usart, 0x18, gtpr, .wmask = 0xffff, .help = "guard time, prescaler"),
};
/* clang-format on */
static const RegBank usart_banks[] = {
    {.name = "mmio", .size = 0x400, BANK_REGS(usart_regs), .help = "USART"}, {0}};
static const Prop usart_props[] = {PROP_CHARDEV(Stm32Usart, chardev), PROP_END};
static const PinRow usart_pins[] = {PIN_OUT(Stm32Usart, irq, "irq"), PIN_END};
static const StateField usart_state[] = {HOST_ONLY(Stm32Usart, fe, "host side"),
                                         STATE(Stm32Usart, dr), STATE_END};

static const DeviceType usart_type = {
    .name = "stm32f2xx-usart", .category = "misc", .desc = "STM32 USART", .internal = true, .size = sizeof(Stm32Usart), .state_version = 1,
    .props = usart_props, .banks = usart_banks, .pins = usart_pins, .state = usart_state, .realize = usart_realize,
    .unrealize = usart_unrealize, .reset = usart_reset,
};
DEVICE_TYPE(usart_type);
