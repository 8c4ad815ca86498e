// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Auxiliary peripherals of the BCM2835 (BCM2835 ARM Peripherals, 2): the mini UART. Left out: the
 * two SPI masters.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "qom/vm.h"

#define RX_SIZE 8

enum { IER_RX = 1, IER_TX = 2 };

typedef struct Bcm2835Aux {
    Device dev;
    Chardev *chardev;
    ChardevFe fe;
    Irq irq;
    uint32_t enables, ier, lcr, mcr, scratch, cntl, baud;
    uint8_t rx[RX_SIZE], head, count;
} Bcm2835Aux;

static uint32_t aux_iir(const Bcm2835Aux *s)
{
    return s->ier & IER_RX && s->count ? 0xc4 : s->ier & IER_TX ? 0xc2 : 0xc1;
}

static void aux_update(Bcm2835Aux *s)
{
    irq_set(&s->irq, !(aux_iir(s) & 1));
}

static size_t aux_can_receive(void *opaque)
{
    return RX_SIZE - ((Bcm2835Aux *)opaque)->count;
}

static void aux_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Bcm2835Aux *s = opaque;

    for (size_t i = 0; i < len && s->count < RX_SIZE; i++) {
        s->rx[(s->head + s->count++) % RX_SIZE] = buf[i];
    }
    aux_update(s);
}

static const ChardevFeOps aux_fe_ops = {.can_receive = aux_can_receive, .receive = aux_receive};

static uint64_t aux_io_read(Device *d, const RegAccess *a)
{
    Bcm2835Aux *s = (Bcm2835Aux *)d;
    uint8_t v = 0;

    if (s->count) {
        v = s->rx[s->head];
        s->head = (s->head + 1) % RX_SIZE;
        s->count--;
        chardev_accept_input(&s->fe);
    }
    aux_update(s);
    return v;
}

static void aux_io_write(Device *d, const RegAccess *a)
{
    uint8_t b = a->value;

    /* A full back end loses it: the FIFO always has room. */
    chardev_write(&((Bcm2835Aux *)d)->fe, &b, 1);
    aux_update((Bcm2835Aux *)d);
}

static void aux_ier_write(Device *d, const RegAccess *a)
{
    aux_update((Bcm2835Aux *)d);
}

static uint64_t aux_iir_read(Device *d, const RegAccess *a)
{
    return aux_iir((Bcm2835Aux *)d);
}

static void aux_iir_write(Device *d, const RegAccess *a)
{
    if (a->value & 2) {
        ((Bcm2835Aux *)d)->count = 0;
    }
    aux_update((Bcm2835Aux *)d);
}

static uint64_t aux_lsr_read(Device *d, const RegAccess *a)
{
    return 0x60 | (((Bcm2835Aux *)d)->count != 0);
}

static uint64_t aux_stat_read(Device *d, const RegAccess *a)
{
    Bcm2835Aux *s = (Bcm2835Aux *)d;

    return 0x30e | (s->count != 0) | (uint32_t)s->count << 16;
}

static uint64_t aux_pending_read(Device *d, const RegAccess *a)
{
    return ((Bcm2835Aux *)d)->irq.level;
}

static bool aux_realize(Device *d, GError **error)
{
    Bcm2835Aux *s = (Bcm2835Aux *)d;

    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &aux_fe_ops, s, error);
}

static void aux_unrealize(Device *d)
{
    chardev_fe_detach(&((Bcm2835Aux *)d)->fe);
}

static void aux_reset(Device *d)
{
    ((Bcm2835Aux *)d)->head = ((Bcm2835Aux *)d)->count = 0;
}

/* clang-format off */
static const Reg aux_regs[] = {
    REG_HOOK(0x00, 4, "irq", .read = aux_pending_read, .help = "pending interrupts"),
    REG(Bcm2835Aux, 0x04, enables, .reset = 1, .wmask = 7, .help = "parts that are on"),
    REG_HOOK(0x40, 4, "io", .read = aux_io_read, .write = aux_io_write, .help = "data"),
    REG(Bcm2835Aux, 0x44, ier, .wmask = 0xff, .write = aux_ier_write, .help = "interrupt enables"),
    REG_HOOK(0x48, 4, "iir", .read = aux_iir_read, .write = aux_iir_write, .help = "interrupt, FIFO clear"),
    REG(Bcm2835Aux, 0x4c, lcr, .wmask = 0xff, .help = "line control"),
    REG(Bcm2835Aux, 0x50, mcr, .wmask = 2, .help = "modem control"),
    REG_HOOK(0x54, 4, "lsr", .read = aux_lsr_read, .help = "line status"),
    REG_HOOK(0x58, 4, "msr", .help = "modem status"),
    REG(Bcm2835Aux, 0x5c, scratch, .wmask = 0xff, .help = "scratch"),
    REG(Bcm2835Aux, 0x60, cntl, .reset = 3, .wmask = 0xff, .help = "control"),
    REG_HOOK(0x64, 4, "stat", .read = aux_stat_read, .help = "status"),
    REG(Bcm2835Aux, 0x68, baud, .wmask = 0xffff, .help = "baud rate"),
};
/* clang-format on */
static const RegBank aux_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(aux_regs), .help = "auxiliary peripherals"}, {0}};
static const Prop aux_props[] = {PROP_CHARDEV(Bcm2835Aux, chardev), PROP_END};
static const PinRow aux_pins[] = {PIN_OUT(Bcm2835Aux, irq, "irq"), PIN_END};
static const StateField aux_state[] = {
    HOST_ONLY(Bcm2835Aux, fe, "host side"), STATE_RAW(Bcm2835Aux, rx), STATE_INDEX(Bcm2835Aux, head, rx), STATE_COUNT(Bcm2835Aux, count, rx), STATE_END,
};

static const DeviceType aux_type = {
    .name = "bcm2835-aux", .category = "misc", .desc = "BCM2835 mini UART", .internal = true, .size = sizeof(Bcm2835Aux), .state_version = 1,
    .props = aux_props, .banks = aux_banks, .pins = aux_pins, .state = aux_state, .realize = aux_realize, .unrealize = aux_unrealize,
    .reset = aux_reset,
};
DEVICE_TYPE(aux_type);
