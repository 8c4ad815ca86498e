// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's parallel port (IEEE 1284 compatibility mode; the registers of the IBM PC's printer
 * adapter) with a printer that takes each byte at once. Left out: EPP and ECP, whose ports
 * read FFh, and input.
 */
#include "chardev/chardev.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"

enum {
    STATUS_TIMEOUT = 0x01,      /* of EPP; says that there is none */
    STATUS_ERROR = 0x08,        /* these five as the pins are: 1 no error */
    STATUS_ONLINE = 0x10,
    STATUS_ACK = 0x40,          /* 0: the printer has taken the byte */
    STATUS_BUSY = 0x80          /* 0: the printer is at work */
};
enum {
    CONTROL_STROBE = 0x01,
    CONTROL_INIT = 0x04,        /* 0 resets the printer */
    CONTROL_SELECT = 0x08,
    CONTROL_IRQ = 0x10,
    CONTROL_INPUT = 0x20,
    CONTROL_UNUSED = 0xc0       /* read as 1 */
};
#define STATUS_READY (STATUS_BUSY | STATUS_ACK | STATUS_ONLINE | STATUS_ERROR)

static const uint16_t ports[] = { 0x378, 0x278, 0x3bc };

typedef struct Parallel {
    Device dev;
    uint32_t index, iobase, irq_line;
    Chardev *chardev;
    uint8_t data, status, control;
    Irq irq;
    ChardevFe fe;
} Parallel;

static void control_write(Parallel *s, uint8_t v)
{
    uint8_t old = s->control;

    s->control = v | CONTROL_UNUSED;
    if (!(v & CONTROL_INIT)) {
        s->status = STATUS_READY;
    } else if (v & CONTROL_SELECT) {
        if (v & CONTROL_STROBE) {
            s->status &= ~STATUS_BUSY;
            if (!(old & CONTROL_STROBE)) {
                chardev_write(&s->fe, &s->data, 1);
            }
        } else if ((old & CONTROL_STROBE) && (v & CONTROL_IRQ)) {
            irq_set(&s->irq, true);
        }
    }
    if (!(v & CONTROL_IRQ)) {
        irq_set(&s->irq, false);
    }
}

/* The pulse of ACK takes two reads; a driver that waits for the end of BUSY sees all of it. */
static uint8_t status_read(Parallel *s)
{
    uint8_t v = s->status;

    irq_set(&s->irq, false);
    if (!(v & STATUS_BUSY) && !(s->control & CONTROL_STROBE)) {
        s->status = v & STATUS_ACK ? v & ~STATUS_ACK : v | STATUS_ACK | STATUS_BUSY;
    }
    return v;
}

static uint64_t parallel_read(void *opaque, hwaddr offset, unsigned size)
{
    Parallel *s = opaque;

    switch (offset) {
    case 0:
        return s->control & CONTROL_INPUT ? 0xff : s->data;
    case 1:
        return status_read(s);
    case 2:
        return s->control;
    default:
        return 0xff;
    }
}

static void parallel_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Parallel *s = opaque;

    if (offset == 0) {
        s->data = value;
    } else if (offset == 2) {
        control_write(s, value);
    }
}

static bool parallel_realize(Device *d, GError **error)
{
    Parallel *s = (Parallel *)d;

    if (!s->chardev) {
        return fail(error, "Can't create parallel device, empty char device");
    }
    if (s->index == UINT32_MAX) {
        s->index = GPOINTER_TO_UINT(vm_published(d->vm, "parallel-count"));
    }
    if (s->index >= ARRAY_COUNT(ports)) {
        return fail(error, "Max. supported number of parallel ports is %zu.", ARRAY_COUNT(ports));
    }
    vm_publish(d->vm, "parallel-count", GUINT_TO_POINTER(s->index + 1));
    if (s->iobase == UINT32_MAX) {
        s->iobase = ports[s->index];
    }
    if (s->irq_line > 15 || s->iobase > 0xfff8) {
        return fail(error, "isa-parallel: port 0x%x with irq %u is not on the ISA bus", s->iobase,
                    s->irq_line);
    }
    return chardev_fe_attach(&s->fe, s->chardev, NULL, s, error);
}

static void parallel_unrealize(Device *d)
{
    chardev_fe_detach(&((Parallel *)d)->fe);
}

static void parallel_reset(Device *d)
{
    Parallel *s = (Parallel *)d;

    s->data = 0xff;
    s->status = STATUS_READY | STATUS_TIMEOUT;
    s->control = CONTROL_UNUSED | CONTROL_SELECT | CONTROL_INIT;
}

static const RegionOps parallel_ops = {
    .read = parallel_read, .write = parallel_write, .min_size = 1, .max_size = 1,
};

static const RegBank parallel_banks[] = {
    { .name = "io", .size = 8, .ops = &parallel_ops, .pio = true, .help = "data, status, control" },
    { 0 },
};

static const Prop parallel_props[] = {
    PROP_U32(Parallel, index, "index", UINT32_MAX, .help = "0 to 2: LPT1 to LPT3"),
    PROP_U32(Parallel, iobase, "iobase", UINT32_MAX),
    PROP_U32(Parallel, irq_line, "irq", 7),
    PROP_CHARDEV(Parallel, chardev),
    PROP_END,
};

static const PinRow parallel_pins[] = { PIN_OUT(Parallel, irq, "irq"), PIN_END };

static const StateField parallel_state[] = {
    STATE(Parallel, data), STATE(Parallel, status), STATE(Parallel, control),
    HOST_ONLY(Parallel, fe, "connection to the back end"), STATE_END,
};

static const IsaInfo parallel_isa = {
    .ports = { { .bank = "io", .base_prop = "iobase" } }, .irq_pin = "irq", .irq_prop = "irq",
};

static const DeviceType parallel_type = {
    .name = "isa-parallel",
    .bus = "ISA",
    .category = "input",
    .desc = "Parallel port",
    .bus_info = &parallel_isa,
    .size = sizeof(Parallel),
    .state_version = 1,
    .props = parallel_props,
    .banks = parallel_banks,
    .pins = parallel_pins,
    .state = parallel_state,
    .realize = parallel_realize,
    .unrealize = parallel_unrealize,
    .reset = parallel_reset,
};
DEVICE_TYPE(parallel_type);
