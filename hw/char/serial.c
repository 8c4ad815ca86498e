// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 16550A UART (National PC16550D) on ISA. Bytes go to the back end as fast as it takes them:
 * the transmitter holding register empties at once unless the back end is full, in which
 * case the rest waits in the FIFO. Received bytes arrive as the FIFO has room.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"
#include "util/timer.h"

enum { IER_RDI = 1, IER_THRI = 2, IER_RLSI = 4, IER_MSI = 8 };
enum {
    IIR_NONE = 1,
    IIR_MSI = 0,
    IIR_THRI = 2,
    IIR_RDI = 4,
    IIR_RLSI = 6,
    IIR_CTI = 12,
    IIR_FIFO = 0xc0
};
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4 };
enum { LCR_DLAB = 0x80, LCR_BREAK = 0x40 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 16, LSR_THRE = 32, LSR_TEMT = 64 };
enum {
    MSR_DCTS = 1,
    MSR_DDSR = 2,
    MSR_TERI = 4,
    MSR_DDCD = 8,
    MSR_CTS = 16,
    MSR_DSR = 32,
    MSR_RI = 64,
    MSR_DCD = 128
};

#define FIFO_LEN 16

typedef struct SerialFifo {
    uint8_t data[FIFO_LEN];
    uint8_t head, count;
} SerialFifo;

typedef struct Serial {
    Device dev;
    uint32_t index, iobase, irq_line, wakeup;
    Chardev *chardev;
    ChardevFe fe;
    Irq irq;
    SerialFifo rx, tx;
    uint16_t divider;
    uint8_t ier, lcr, mcr, lsr, msr, scr, fcr;
    bool thr_empty_pending;  /* THRI not yet seen in IIR */
    bool rx_timeout;
    Timer timeout;           /* character time-out of the receive FIFO */
} Serial;

static void fifo_put(SerialFifo *f, uint8_t b)
{
    f->data[(f->head + f->count++) % FIFO_LEN] = b;
}

static uint8_t fifo_get(SerialFifo *f)
{
    uint8_t b = f->data[f->head];

    f->head = (f->head + 1) % FIFO_LEN;
    f->count--;
    return b;
}

static unsigned rx_trigger(const Serial *s)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return s->fcr & FCR_ENABLE ? levels[s->fcr >> 6] : 1;
}

/* 4.5 of the data sheet: the most urgent cause. */
static uint8_t serial_iir(const Serial *s)
{
    if ((s->ier & IER_RLSI) && (s->lsr & (LSR_OE | LSR_BI))) {
        return IIR_RLSI;
    }
    if ((s->ier & IER_RDI) && s->rx.count >= rx_trigger(s)) {
        return IIR_RDI;
    }
    if ((s->ier & IER_RDI) && s->rx_timeout && s->rx.count) {
        return IIR_CTI;
    }
    if ((s->ier & IER_THRI) && s->thr_empty_pending) {
        return IIR_THRI;
    }
    if ((s->ier & IER_MSI) && (s->msr & 15)) {
        return IIR_MSI;
    }
    return IIR_NONE;
}

static void serial_update(Serial *s)
{
    irq_set(&s->irq, serial_iir(s) != IIR_NONE);
}

/* Nanoseconds that one character takes on the line. */
static int64_t char_time_ns(const Serial *s)
{
    unsigned bits = 1 + 5 + (s->lcr & 3) + 1 + (s->lcr & 4 ? 1 : 0) + (s->lcr & 8 ? 1 : 0);
    unsigned div = s->divider ? s->divider : 12;

    return NANOSECONDS_PER_SECOND * bits * div / 115200;
}

static void serial_rx_byte(Serial *s, uint8_t b)
{
    if (s->rx.count == (s->fcr & FCR_ENABLE ? FIFO_LEN : 1)) {
        s->lsr |= LSR_OE;
    } else {
        fifo_put(&s->rx, b);
    }
    s->lsr |= LSR_DR;
    if (s->fcr & FCR_ENABLE) {
        timer_set_ns(&s->timeout, clock_now_ns(CLOCK_GUEST) + 4 * char_time_ns(s));
    }
}

static void serial_timeout(void *opaque)
{
    Serial *s = opaque;

    s->rx_timeout = s->rx.count > 0;
    serial_update(s);
}

static size_t serial_can_receive(void *opaque)
{
    Serial *s = opaque;

    if (s->mcr & MCR_LOOP) {
        return 0;
    }
    return (s->fcr & FCR_ENABLE ? FIFO_LEN : 1) - s->rx.count;
}

static void serial_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Serial *s = opaque;

    for (size_t i = 0; i < len; i++) {
        serial_rx_byte(s, buf[i]);
    }
    if (s->wakeup) {
        request_wakeup();
    }
    serial_update(s);
}

static void serial_event(void *opaque, ChardevEvent event)
{
    Serial *s = opaque;

    if (event == CHARDEV_BREAK && s->rx.count < FIFO_LEN) {
        serial_rx_byte(s, 0);
        s->lsr |= LSR_BI;
        serial_update(s);
    }
}

/* Gives the back end what it takes; the transmitter is empty when all is gone. */
static void serial_transmit(Serial *s)
{
    while (s->tx.count) {
        uint8_t b = s->tx.data[s->tx.head];

        if (s->mcr & MCR_LOOP) {
            serial_rx_byte(s, b);
        } else if (chardev_write(&s->fe, &b, 1) == 0) {
            break;
        }
        fifo_get(&s->tx);
    }
    if (s->tx.count == 0) {
        s->lsr |= LSR_THRE | LSR_TEMT;
        s->thr_empty_pending = true;
    }
    serial_update(s);
}

static void serial_drained(void *opaque)
{
    serial_transmit(opaque);
}

static const ChardevFeOps serial_fe_ops = {
    .can_receive = serial_can_receive,
    .receive = serial_receive,
    .event = serial_event,
    .drained = serial_drained,
};

static void serial_write_fcr(Serial *s, uint8_t value)
{
    if ((value ^ s->fcr) & FCR_ENABLE) {
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    }
    if (value & FCR_CLEAR_RX) {
        s->rx.count = 0;
        s->rx_timeout = false;
        s->lsr &= ~(LSR_DR | LSR_BI);
        timer_cancel(&s->timeout);
        chardev_accept_input(&s->fe);
    }
    if (value & FCR_CLEAR_TX) {
        s->tx.count = 0;
        s->lsr |= LSR_THRE | LSR_TEMT;
    }
    s->fcr = value & (0xc0 | FCR_ENABLE);
}

static void serial_update_line(Serial *s)
{
    static const char parity[] = { 'N', 'O', 'N', 'E', 'N', 'O', 'N', 'E' };
    unsigned div = s->divider ? s->divider : 1;
    ChardevLine line = {
        .speed = 115200 / div,
        .data_bits = 5 + (s->lcr & 3),
        .stop_bits = s->lcr & 4 ? 2 : 1,
        .parity = parity[s->lcr >> 3 & 7],
    };

    chardev_fe_set_line(&s->fe, &line);
}

/* In loopback the modem outputs are wired to the modem inputs. */
static uint8_t serial_msr(Serial *s)
{
    uint8_t v = s->msr & 0xf0;

    if (s->mcr & MCR_LOOP) {
        v = (s->mcr & MCR_DTR ? MSR_DSR : 0) | (s->mcr & MCR_RTS ? MSR_CTS : 0) |
            (s->mcr & MCR_OUT1 ? MSR_RI : 0) | (s->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    v |= s->msr & 15;
    s->msr &= 0xf0;
    return v;
}

static void serial_write_thr(Serial *s, uint8_t value)
{
    s->thr_empty_pending = false;
    if (s->tx.count < FIFO_LEN) {
        fifo_put(&s->tx, value);
    }
    s->lsr &= ~(LSR_THRE | LSR_TEMT);
    serial_transmit(s);
}

static void serial_write_ier(Serial *s, uint8_t value)
{
    if ((value & ~s->ier & IER_THRI) && (s->lsr & LSR_THRE)) {
        s->thr_empty_pending = true;
    }
    s->ier = value & 15;
}

static void serial_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Serial *s = opaque;
    bool dlab = s->lcr & LCR_DLAB;

    switch (offset) {
    case 0:
        if (dlab) {
            s->divider = (s->divider & 0xff00) | value;
            serial_update_line(s);
        } else {
            serial_write_thr(s, value);
        }
        break;
    case 1:
        if (dlab) {
            s->divider = (s->divider & 0xff) | value << 8;
            serial_update_line(s);
        } else {
            serial_write_ier(s, value);
        }
        break;
    case 2:
        serial_write_fcr(s, value);
        break;
    case 3:
        if ((value ^ s->lcr) & LCR_BREAK) {
            chardev_fe_set_break(&s->fe, value & LCR_BREAK);
        }
        s->lcr = value;
        serial_update_line(s);
        break;
    case 4:
        s->mcr = value & 0x1f;
        chardev_fe_set_modem(&s->fe, (value & MCR_DTR ? CHARDEV_TIOCM_DTR : 0) |
                                         (value & MCR_RTS ? CHARDEV_TIOCM_RTS : 0));
        if (!(s->mcr & MCR_LOOP)) {
            chardev_accept_input(&s->fe);
        }
        break;
    case 7:
        s->scr = value;
        break;
    }
    serial_update(s);
}

static uint8_t serial_read_rbr(Serial *s)
{
    uint8_t v = 0;

    if (s->rx.count) {
        v = fifo_get(&s->rx);
    }
    if (s->rx.count == 0) {
        s->lsr &= ~LSR_DR;
        s->rx_timeout = false;
        timer_cancel(&s->timeout);
    } else if (s->fcr & FCR_ENABLE) {
        timer_set_ns(&s->timeout, clock_now_ns(CLOCK_GUEST) + 4 * char_time_ns(s));
    }
    chardev_accept_input(&s->fe);
    return v;
}

static uint64_t serial_read(void *opaque, hwaddr offset, unsigned size)
{
    Serial *s = opaque;
    uint8_t v;

    switch (offset) {
    case 0:
        v = s->lcr & LCR_DLAB ? s->divider & 0xff : serial_read_rbr(s);
        break;
    case 1:
        v = s->lcr & LCR_DLAB ? s->divider >> 8 : s->ier;
        break;
    case 2:
        v = serial_iir(s);
        if (v == IIR_THRI) {
            s->thr_empty_pending = false;
        }
        v |= s->fcr & FCR_ENABLE ? IIR_FIFO : 0;
        break;
    case 3:
        return s->lcr;
    case 4:
        return s->mcr;
    case 5:
        v = s->lsr;
        s->lsr &= ~(LSR_OE | LSR_BI);
        break;
    case 6:
        v = serial_msr(s);
        break;
    default:
        return s->scr;
    }
    serial_update(s);
    return v;
}

static const uint16_t serial_ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
static const uint8_t serial_lines[] = { 4, 3, 4, 3 };

static bool serial_realize(Device *d, GError **error)
{
    Serial *s = (Serial *)d;

    if (s->index == UINT32_MAX) {
        gpointer n = vm_published(d->vm, "serial-count");

        s->index = GPOINTER_TO_UINT(n);
        vm_publish(d->vm, "serial-count", GUINT_TO_POINTER(s->index + 1));
    }
    if (s->index >= ARRAY_COUNT(serial_ports)) {
        return fail(error, "isa-serial: property 'index' must be at most 3, not %u", s->index);
    }
    if (s->iobase == UINT32_MAX) {
        s->iobase = serial_ports[s->index];
    }
    if (s->irq_line == UINT32_MAX) {
        s->irq_line = serial_lines[s->index];
    }
    if (s->irq_line > 15 || s->iobase > 0xfff8) {
        return fail(error, "isa-serial: port 0x%x with irq %u is not on the ISA bus", s->iobase,
                    s->irq_line);
    }
    timer_init(&s->timeout, CLOCK_GUEST, serial_timeout, s);
    if (!s->chardev) {
        return fail(error, "isa-serial: property 'chardev' is missing");
    }
    return chardev_fe_attach(&s->fe, s->chardev, &serial_fe_ops, s, error);
}

static void serial_unrealize(Device *d)
{
    Serial *s = (Serial *)d;

    timer_cancel(&s->timeout);
    chardev_fe_detach(&s->fe);
}

static void serial_reset(Device *d)
{
    Serial *s = (Serial *)d;

    s->rx.count = s->tx.count = 0;
    s->divider = 12;
    s->ier = s->lcr = s->scr = s->fcr = 0;
    s->mcr = MCR_OUT2;
    s->lsr = LSR_THRE | LSR_TEMT;
    s->msr = MSR_DCD | MSR_DSR | MSR_CTS;
    s->thr_empty_pending = s->rx_timeout = false;
    timer_cancel(&s->timeout);
    serial_update(s);
    chardev_accept_input(&s->fe);
}

static const RegionOps serial_ops = {
    .read = serial_read, .write = serial_write, .min_size = 1, .max_size = 1,
};

static const RegBank serial_banks[] = {
    { .name = "io", .size = 8, .ops = &serial_ops, .pio = true, .help = "16550A registers" },
    { 0 },
};

static const Prop serial_props[] = {
    PROP_U32(Serial, index, "index", UINT32_MAX, .help = "0 to 3: COM1 to COM4"),
    PROP_U32(Serial, iobase, "iobase", UINT32_MAX),
    PROP_U32(Serial, irq_line, "irq", UINT32_MAX),
    PROP_U32(Serial, wakeup, "wakeup", 0),
    PROP_CHARDEV(Serial, chardev),
    PROP_END,
};

static const PinRow serial_pins[] = { PIN_OUT(Serial, irq, "irq"), PIN_END };

static const StateField fifo_state[] = {
    STATE_RAW(SerialFifo, data), STATE_INDEX(SerialFifo, head, data), STATE_COUNT(SerialFifo, count, data), STATE_END,
};

/* Bytes may wait at both ends. */
static void serial_loaded(Device *d)
{
    Serial *s = (Serial *)d;

    chardev_accept_input(&s->fe);
    if (s->tx.count) {
        serial_transmit(s);
    }
}

static const StateField serial_state[] = {
    STATE_STRUCT(Serial, rx, fifo_state),
    STATE_STRUCT(Serial, tx, fifo_state),
    STATE(Serial, divider),
    STATE(Serial, ier),
    STATE(Serial, lcr),
    STATE(Serial, mcr),
    STATE(Serial, lsr),
    STATE(Serial, msr),
    STATE(Serial, scr),
    STATE(Serial, fcr),
    STATE(Serial, thr_empty_pending),
    STATE(Serial, rx_timeout),
    STATE_TIMER_FIELD(Serial, timeout),
    HOST_ONLY(Serial, fe, "connection to the back end"),
    STATE_END,
};

static const IsaInfo serial_isa = {
    .ports = { { .bank = "io", .base_prop = "iobase" } },
    .irq_pin = "irq",
    .irq_prop = "irq",
};

static const DeviceType serial_type = {
    .name = "isa-serial",
    .bus = "ISA",
    .category = "input",
    .desc = "16550A serial port",
    .bus_info = &serial_isa,
    .size = sizeof(Serial),
    .state_version = 1,
    .props = serial_props,
    .banks = serial_banks,
    .pins = serial_pins,
    .state = serial_state,
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_reset, .post_load = serial_loaded,
};
DEVICE_TYPE(serial_type);

/* ---- the same in memory, a register every four bytes ---- */

static bool serial_mm_realize(Device *d, GError **error)
{
    Serial *s = (Serial *)d;

    timer_init(&s->timeout, CLOCK_GUEST, serial_timeout, s);
    return !s->chardev || chardev_fe_attach(&s->fe, s->chardev, &serial_fe_ops, s, error);
}

static uint64_t serial_mm_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset < 0x20 ? serial_read(opaque, offset >> 2, 1) : 0;
}

static void serial_mm_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset < 0x20) {
        serial_write(opaque, offset >> 2, value & 0xff, 1);
    }
}

static const RegionOps serial_mm_ops = {
    .read = serial_mm_read, .write = serial_mm_write, .min_size = 1, .max_size = 4,
};

static const RegBank serial_mm_banks[] = {
    { .name = "mmio", .size = 0x400, .ops = &serial_mm_ops, .help = "16550A registers, one each four bytes" },
    { 0 },
};

static const Prop serial_mm_props[] = { PROP_CHARDEV(Serial, chardev), PROP_END };

static const StateField serial_mm_state[] = {
    HOST_ONLY(Serial, index, "of ISA ports only"), HOST_ONLY(Serial, iobase, "likewise"),
    HOST_ONLY(Serial, irq_line, "likewise"), HOST_ONLY(Serial, wakeup, "likewise"),
    STATE_STRUCT(Serial, rx, fifo_state), STATE_STRUCT(Serial, tx, fifo_state), STATE(Serial, divider),
    STATE(Serial, ier), STATE(Serial, lcr), STATE(Serial, mcr), STATE(Serial, lsr), STATE(Serial, msr),
    STATE(Serial, scr), STATE(Serial, fcr), STATE(Serial, thr_empty_pending), STATE(Serial, rx_timeout),
    STATE_TIMER_FIELD(Serial, timeout), HOST_ONLY(Serial, fe, "connection to the back end"), STATE_END,
};

static const DeviceType serial_mm_type = {
    .name = "serial-mm", .category = "input", .desc = "16550A in memory", .internal = true, .size = sizeof(Serial),
    .state_version = 1, .props = serial_mm_props, .banks = serial_mm_banks, .pins = serial_pins,
    .state = serial_mm_state, .realize = serial_mm_realize, .unrealize = serial_unrealize, .reset = serial_reset, .post_load = serial_loaded,
};
DEVICE_TYPE(serial_mm_type);

/* ---- the eight registers alone: a part of cards ---- */

static const DeviceType serial_core_type = {
    .name = "serial", .category = "input", .desc = "16550A", .internal = true, .size = sizeof(Serial),
    .state_version = 1, .props = serial_mm_props, .banks = serial_banks, .pins = serial_pins,
    .state = serial_mm_state, .realize = serial_mm_realize, .unrealize = serial_unrealize, .reset = serial_reset, .post_load = serial_loaded,
};
DEVICE_TYPE(serial_core_type);
