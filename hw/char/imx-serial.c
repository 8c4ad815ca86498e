// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UART of i.MX processors (i.MX 6UltraLite Reference Manual, 55): 32-byte receive FIFO; what is
 * sent goes out at once. Left out: IrDA, RS-485, DMA requests, automatic baud rate.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define FIFO 32

enum {
    UCR1_UARTEN = 1,
    UCR1_TXMPTYEN = 0x40,
    UCR1_RRDYEN = 0x200,
    UCR1_TRDYEN = 0x2000,
    UCR2_SRST = 1,
    UCR2_ATEN = 8,
    UCR4_DREN = 1,
    UCR4_OREN = 2,
    UCR4_TCEN = 8,
    USR1_AGTIM = 0x100,
    USR1_RRDY = 0x200,
    USR1_TRDY = 0x2000,
    USR2_RDR = 1,
    USR2_ORE = 2,
    USR2_TXDC = 8,
    USR2_TXFE = 0x4000
};

typedef struct ImxSerial {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    Irq irq;
    uint32_t ucr[4], ufcr, usr1, usr2, uesc, utim, ubir, ubmr, onems, uts;
    uint8_t rx[FIFO], head, count;
} ImxSerial;

static void serial_update(ImxSerial *s)
{
    unsigned level = MAX(s->ufcr & 0x3f, 1);
    bool rrdy = s->count >= level;

    s->usr1 = (s->usr1 & ~(USR1_RRDY | USR1_TRDY)) | USR1_TRDY | (rrdy ? USR1_RRDY : 0);
    if (s->count && !rrdy) {
        s->usr1 |= USR1_AGTIM;
    }
    s->usr2 = (s->usr2 & ~USR2_RDR) | USR2_TXFE | USR2_TXDC | (s->count ? USR2_RDR : 0);
    irq_set(&s->irq, s->ucr[0] & UCR1_TRDYEN || (rrdy && s->ucr[0] & UCR1_RRDYEN) ||
                         s->ucr[0] & UCR1_TXMPTYEN || s->ucr[3] & UCR4_TCEN ||
                         (s->usr1 & USR1_AGTIM && s->ucr[1] & UCR2_ATEN) ||
                         (s->count && s->ucr[3] & UCR4_DREN) ||
                         (s->usr2 & USR2_ORE && s->ucr[3] & UCR4_OREN));
}

static size_t serial_can_receive(void *opaque)
{
    return FIFO - ((ImxSerial *)opaque)->count;
}

static void serial_receive(void *opaque, const uint8_t *buf, size_t len)
{
    ImxSerial *s = opaque;

    for (size_t i = 0; i < len && s->count < FIFO; i++) {
        s->rx[(s->head + s->count++) % FIFO] = buf[i];
    }
    serial_update(s);
}

static const ChardevFeOps serial_fe_ops = {.can_receive = serial_can_receive,
                                           .receive = serial_receive};

static uint64_t serial_urxd_read(Device *d, const RegAccess *a)
{
    ImxSerial *s = (ImxSerial *)d;
    uint32_t v = 0;

    if (s->count) {
        v = 0x8000 | s->rx[s->head];
        s->head = (s->head + 1) % FIFO;
        s->count--;
        chardev_accept_input(&s->fe);
    }
    if (s->count == 0) {
        s->usr1 &= ~USR1_AGTIM;
    }
    serial_update(s);
    return v;
}

static void serial_utxd_write(Device *d, const RegAccess *a)
{
    ImxSerial *s = (ImxSerial *)d;
    uint8_t b = a->value;

    if (s->uts & 0x1000) {
        serial_receive(s, &b, 1);
    } else {
        chardev_write(&s->fe, &b, 1);
    }
    serial_update(s);
}

static void serial_reset(Device *d);

static void serial_ucr_write(Device *d, const RegAccess *a)
{
    ImxSerial *s = (ImxSerial *)d;

    if (a->index == 1 && !(a->value & UCR2_SRST)) {
        device_reset_banks(d);
        serial_reset(d);
        s->ucr[1] |= UCR2_SRST;
    }
    serial_update(s);
}

static void serial_changed(Device *d, const RegAccess *a)
{
    serial_update((ImxSerial *)d);
}

static uint64_t serial_uts_read(Device *d, const RegAccess *a)
{
    ImxSerial *s = (ImxSerial *)d;

    return s->uts | 0x40 | (s->count ? 0 : 0x20) | (s->count == FIFO ? 8 : 0);
}

static void serial_reset(Device *d)
{
    ImxSerial *s = (ImxSerial *)d;

    s->head = s->count = 0;
    s->ucr[1] = UCR2_SRST;
    s->ucr[2] = 0x700;
    s->ucr[3] = 0x8000;
    serial_update(s);
}

static bool serial_realize(Device *d, GError **error)
{
    ImxSerial *s = (ImxSerial *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &serial_fe_ops, s, error);
}

static void serial_unrealize(Device *d)
{
    chardev_fe_detach(&((ImxSerial *)d)->fe);
}

/* clang-format off */
static const Reg serial_regs[] = {
    REG_HOOK(0x00, 4, "urxd", .read = serial_urxd_read, .help = "received byte"),
    REG_HOOK(0x40, 4, "utxd", .write = serial_utxd_write, .help = "byte to send"),
    REG_ARRAY(ImxSerial, 0x80, ucr, .wmask = 0xffff, .write = serial_ucr_write, .help = "control"),
    REG(ImxSerial, 0x90, ufcr, .reset = 0x801, .wmask = 0xffff, .write = serial_changed, .help = "FIFO levels"),
    REG(ImxSerial, 0x94, usr1, .reset = 0x2040, .w1c = 0xd1b4, .write = serial_changed, .help = "status"),
    REG(ImxSerial, 0x98, usr2, .reset = 0x4028, .w1c = 0xbfb6, .write = serial_changed, .help = "status"),
    REG(ImxSerial, 0x9c, uesc, .reset = 0x2b, .wmask = 0xff, .help = "escape character"),
    REG(ImxSerial, 0xa0, utim, .wmask = 0xfff, .help = "escape timer"),
    REG(ImxSerial, 0xa4, ubir, .wmask = 0xffff, .help = "baud rate"),
    REG(ImxSerial, 0xa8, ubmr, .wmask = 0xffff, .help = "baud rate"),
    REG_HOOK(0xac, 4, "ubrc", .reset = 4, .help = "baud rate count"),
    REG(ImxSerial, 0xb0, onems, .wmask = 0xffffff, .help = "one millisecond"),
    REG(ImxSerial, 0xb4, uts, .wmask = 0x3e00, .read = serial_uts_read, .help = "test, FIFO states"),
};
/* clang-format on */
static const RegBank serial_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(serial_regs), .help = "UART"}, {0}};
static const Prop imx_serial_props[] = {PROP_CHARDEV(ImxSerial, chardev), PROP_END};
static const PinRow serial_pins[] = {PIN_OUT(ImxSerial, irq, "irq"), PIN_END};
static const StateField imx_serial_state[] = {
    HOST_ONLY(ImxSerial, fe, "host side"), STATE_RAW(ImxSerial, rx), STATE_INDEX(ImxSerial, head, rx), STATE_COUNT(ImxSerial, count, rx), STATE_END,
};

static const DeviceType imx_serial_type = {
    .name = "imx.serial", .category = "misc", .desc = "i.MX UART", .internal = true, .size = sizeof(ImxSerial), .state_version = 1,
    .props = imx_serial_props, .banks = serial_banks, .pins = serial_pins, .state = imx_serial_state, .realize = serial_realize,
    .unrealize = serial_unrealize, .reset = serial_reset,
};
DEVICE_TYPE(imx_serial_type);
