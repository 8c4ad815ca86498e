// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Universal host controller (Universal Host Controller Interface Design Guide 1.1): the USB
 * functions of PIIX3, PIIX4 and ICH9. A frame is walked every millisecond while the controller
 * runs. Left out: global suspend.
 */
#include <string.h>

#include "exec/dma.h"
#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "pending.h"
#include "qom/vm.h"
#include "util/timer.h"

#define PORTS 2u
#define NS_PER_FRAME 1000000ll
#define FRAME_TDS 512u               /* transfer descriptors looked at in a frame */
#define FRAME_QHS 256u
#define FRAME_BYTES 4096u
#define MAX_PACKET 1280u

enum { CMD_RUN = 1, CMD_HCRESET = 2, CMD_GRESET = 4, CMD_EGSM = 8, CMD_FGR = 16 };
enum { STS_USBINT = 1, STS_ERROR = 2, STS_RESUME = 4, STS_HSE = 8, STS_HCPE = 16, STS_HALTED = 32 };
enum { INTR_TIMEOUT = 1, INTR_RESUME = 2, INTR_IOC = 4, INTR_SHORT = 8 };
enum {
    PORT_CCS = 1,
    PORT_CSC = 2,
    PORT_PE = 4,
    PORT_PEC = 8,
    PORT_RD = 0x40,
    PORT_ONE = 0x80,
    PORT_LOW_SPEED = 0x100,
    PORT_RESET = 0x200,
    PORT_SUSPEND = 0x1000 };
enum { LINK_END = 1, LINK_QH = 2, LINK_DEPTH = 4 };
enum {
    TD_TIMEOUT = 1 << 18,
    TD_NAK = 1 << 19,
    TD_BABBLE = 1 << 20,
    TD_STALLED = 1 << 22,
    TD_ACTIVE = 1 << 23,
    TD_IOC = 1 << 24,
    TD_ISO = 1 << 25,
    TD_SPD = 1 << 29,
    TD_ERRORS = 3 << 27 };

typedef struct UhciTd {
    uint32_t link, status, token, buffer;
} UhciTd;

typedef struct Uhci {
    PciDevice pci;
    uint16_t cmd, status, intr, frame, portsc[PORTS];
    uint32_t flbase;
    uint8_t sofmod;
    bool cause_ioc, cause_short;         /* what set USBINT */
    int64_t frame_due_ns;
    Timer timer;
    /* host side */
    char *masterbus;
    uint32_t firstport;
    UsbBus bus;
    UsbPort port[PORTS];
    GPtrArray *async;                    /* UsbPending * */
    uint32_t budget;                     /* bytes that the frame may still move */
} Uhci;

static void update_irq(Uhci *s)
{
    bool level =
        (s->cause_ioc && (s->intr & INTR_IOC)) || (s->cause_short && (s->intr & INTR_SHORT)) ||
        ((s->status & STS_ERROR) && (s->intr & INTR_TIMEOUT)) ||
        ((s->status & STS_RESUME) && (s->intr & INTR_RESUME)) || (s->status & (STS_HSE | STS_HCPE));

    pci_set_irq(&s->pci, level);
}

/* ---- packets ---- */

static UsbDevice *find_device(Uhci *s, uint8_t addr)
{
    for (unsigned i = 0; i < PORTS; i++) {
        UsbDevice *d = s->portsc[i] & PORT_PE ? usb_find(&s->port[i], addr) : NULL;

        if (d) {
            return d;
        }
    }
    return NULL;
}

static uint32_t max_len(const UhciTd *td)
{
    return ((td->token >> 21) + 1) & 0x7ff;
}

typedef enum TdResult { TD_DONE, TD_RETRY, TD_STOP } TdResult;

/* 3.2.2: writes the outcome of a packet into its descriptor. */
static TdResult td_complete(Uhci *s, uint32_t addr, UhciTd *td, const UsbPending *a)
{
    const UsbPacket *p = &a->packet;
    bool in = (td->token & 0xff) == USB_IN;
    TdResult result = TD_DONE;

    td->status &= ~(0x7ffu | TD_NAK);
    if (p->status == USB_NAK) {
        td->status |= TD_NAK | 0x7ff;
        dma_store(&s->pci.dev, addr + 4, td->status, 4, DEV_LITTLE);
        return TD_RETRY;
    }
    td->status |= (p->actual - 1) & 0x7ff;
    td->status &= ~(uint32_t)TD_ACTIVE;
    if (p->status == USB_OK) {
        if (in && p->actual && !dma_write(&s->pci.dev, td->buffer, a->buf, p->actual)) {
            s->status |= STS_HSE | STS_HALTED;
            s->cmd &= ~CMD_RUN;
            return TD_STOP;
        }
        if (in && p->actual < max_len(td) && (td->status & TD_SPD)) {
            s->status |= STS_USBINT;
            s->cause_short = true;
            result = TD_STOP;
        }
    } else {
        td->status |= TD_STALLED | (p->status == USB_STALL    ? 0
                                    : p->status == USB_BABBLE ? TD_BABBLE
                                                              : TD_TIMEOUT);
        td->status &= ~(uint32_t)TD_ERRORS;
        s->status |= STS_ERROR;
        result = TD_STOP;
    }
    if (td->status & TD_IOC) {
        s->status |= STS_USBINT;
        s->cause_ioc = true;
    }
    dma_store(&s->pci.dev, addr + 4, td->status, 4, DEV_LITTLE);
    return result;
}

static TdResult td_run(Uhci *s, uint32_t addr, UhciTd *td)
{
    UsbPending *a = usb_pending_find(s->async, addr);
    uint8_t pid = td->token & 0xff;
    TdResult result;

    if (a) {
        if (!a->done) {
            return TD_RETRY;
        }
        result = td_complete(s, addr, td, a);
        usb_pending_take(s->async, a);
        g_free(a);
        return result;
    }
    if ((pid != USB_IN && pid != USB_OUT && pid != USB_SETUP) || max_len(td) > MAX_PACKET) {
        s->status |= STS_HCPE | STS_HALTED;          /* 2.1.2: process error */
        s->cmd &= ~CMD_RUN;
        return TD_STOP;
    }
    a = usb_pending_new(addr, pid, find_device(s, td->token >> 8 & 0x7f), td->token >> 15 & 15,
                        max_len(td));
    if (pid != USB_IN && a->iov.iov_len &&
        !dma_read(&s->pci.dev, td->buffer, a->buf, a->iov.iov_len)) {
        s->status |= STS_HSE | STS_HALTED;
        s->cmd &= ~CMD_RUN;
        g_free(a);
        return TD_STOP;
    }
    if (!usb_pending_run(s->async, a)) {
        return TD_RETRY;
    }
    result = td_complete(s, addr, td, a);
    s->budget -= MIN(s->budget, max_len(td) + 16);
    g_free(a);
    return result;
}

/* ---- the schedule, 3.4 ---- */

static bool td_read(Uhci *s, uint32_t addr, UhciTd *td)
{
    uint32_t w[4];

    if (!usb_words_read(&s->pci.dev, addr, w, 4)) {
        s->status |= STS_HSE | STS_HALTED;
        s->cmd &= ~CMD_RUN;
        return false;
    }
    *td = (UhciTd){ w[0], w[1], w[2], w[3] };
    return true;
}

/* Runs the descriptors of one queue head, which are taken until one is not over. */
static void queue_run(Uhci *s, uint32_t qh, uint32_t element, unsigned *tds)
{
    while (!(element & (LINK_END | LINK_QH)) && *tds && s->budget && (s->cmd & CMD_RUN)) {
        UhciTd td;
        uint32_t addr = element & ~15u;

        --*tds;
        if (!td_read(s, addr, &td) || !(td.status & TD_ACTIVE) || td_run(s, addr, &td) != TD_DONE) {
            return;
        }
        element = td.link;
        dma_store(&s->pci.dev, qh + 4, element, 4, DEV_LITTLE);
        if (!(element & LINK_DEPTH)) {
            return;                      /* breadth first: the next queue's turn */
        }
    }
}

static void frame_run(Uhci *s)
{
    bool ok;
    uint32_t link =
        dma_load(&s->pci.dev, (s->flbase & ~0xfffu) + (s->frame & 0x3ff) * 4, 4, DEV_LITTLE, &ok);
    uint32_t first_qh = 0, budget_at_first = 0;
    unsigned tds = FRAME_TDS, qhs = FRAME_QHS;

    s->budget = FRAME_BYTES;
    while (ok && !(link & LINK_END) && tds && qhs && s->budget && (s->cmd & CMD_RUN)) {
        uint32_t addr = link & ~15u;

        if (link & LINK_QH) {
            uint32_t element;

            if (addr == first_qh) {      /* a ring of queues, for what is left of the frame */
                if (s->budget == budget_at_first) {
                    break;
                }
                budget_at_first = s->budget;
            } else if (!first_qh) {
                first_qh = addr;
                budget_at_first = s->budget;
            }
            qhs--;
            link = dma_load(&s->pci.dev, addr, 4, DEV_LITTLE, &ok);
            element = ok ? dma_load(&s->pci.dev, addr + 4, 4, DEV_LITTLE, &ok) : LINK_END;
            queue_run(s, addr, element, &tds);
        } else {
            UhciTd td;

            tds--;
            if (!td_read(s, addr, &td)) {
                break;
            }
            if (td.status & TD_ACTIVE) {
                td_run(s, addr, &td);
            }
            link = td.link;
        }
    }
}

static void frame_due(void *opaque)
{
    Uhci *s = opaque;
    int64_t now = clock_now_ns(CLOCK_GUEST);

    if (!(s->cmd & CMD_RUN)) {
        return;
    }
    frame_run(s);
    if ((s->frame & 31) == 0) {
        usb_pending_sweep(s->async);    /* whose descriptor the driver took out of the schedule */
    }
    s->frame = (s->frame + 1) & 0x7ff;
    update_irq(s);
    s->frame_due_ns = MAX(s->frame_due_ns + NS_PER_FRAME, now - 10 * NS_PER_FRAME);
    if (s->cmd & CMD_RUN) {
        timer_set_ns(&s->timer, s->frame_due_ns);
    }
}

/* ---- ports, 2.1.7 ---- */

static Uhci *of_port(UsbPort *p)
{
    return p->opaque;
}

static void port_attach(UsbPort *p)
{
    Uhci *s = of_port(p);
    uint16_t *sc = &s->portsc[p->index];

    *sc |= PORT_CCS | PORT_CSC;
    *sc = p->dev->speed == USB_LOW ? *sc | PORT_LOW_SPEED : *sc & ~PORT_LOW_SPEED;
    s->status |= s->cmd & CMD_EGSM ? STS_RESUME : 0;
    update_irq(s);
}

static void port_detach(UsbPort *p)
{
    Uhci *s = of_port(p);
    uint16_t *sc = &s->portsc[p->index];

    usb_pending_clear(s->async);
    *sc |= *sc & PORT_PE ? PORT_PEC : 0;
    *sc = (*sc & ~(PORT_CCS | PORT_PE | PORT_LOW_SPEED)) | PORT_CSC;
    s->status |= s->cmd & CMD_EGSM ? STS_RESUME : 0;
    update_irq(s);
}

static void port_wakeup(UsbPort *p, UsbDevice *dev, uint8_t endpoint)
{
    Uhci *s = of_port(p);

    if ((s->portsc[p->index] & PORT_SUSPEND) && !(s->portsc[p->index] & PORT_RD) &&
        dev->remote_wakeup) {
        s->portsc[p->index] |= PORT_RD;
        s->status |= STS_RESUME;
        update_irq(s);
    }
}

static const UsbPortOps port_ops = {
    .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup};

static void portsc_write(Device *d, const RegAccess *a)
{
    Uhci *s = (Uhci *)d;
    uint16_t v = a->value, *sc = &s->portsc[a->index];
    UsbDevice *dev = s->port[a->index].dev;

    *sc = (a->old & ~(v & a->mask & (PORT_CSC | PORT_PEC)) &
           ~(PORT_PE | PORT_RD | PORT_RESET | PORT_SUSPEND)) |
          (v & (PORT_RD | PORT_RESET | PORT_SUSPEND)) | (a->old & PORT_CCS ? v & PORT_PE : 0) |
          PORT_ONE;
    if ((v & PORT_RESET) && !(a->old & PORT_RESET) && dev && dev->attached) {
        usb_device_reset(dev);
    }
}

/* ---- registers, 2.1 ---- */

static void controller_reset(Uhci *s)
{
    s->cmd = 0;
    s->status = STS_HALTED;
    s->intr = s->frame = 0;
    s->flbase = 0;
    s->sofmod = 64;
    s->cause_ioc = s->cause_short = false;
    timer_cancel(&s->timer);
    usb_pending_clear(s->async);
    for (unsigned i = 0; i < PORTS; i++) {
        UsbDevice *dev = s->port[i].dev;

        s->portsc[i] = PORT_ONE;
        if (dev && dev->attached) {
            port_attach(&s->port[i]);
        }
    }
    update_irq(s);
}

static void cmd_write(Device *d, const RegAccess *a)
{
    Uhci *s = (Uhci *)d;

    if (a->value & CMD_GRESET) {
        for (unsigned i = 0; i < PORTS; i++) {
            if (s->port[i].dev && s->port[i].dev->attached) {
                usb_device_reset(s->port[i].dev);
            }
        }
        controller_reset(s);
        return;
    }
    if (a->value & CMD_HCRESET) {
        controller_reset(s);
        return;
    }
    if ((a->value & CMD_RUN) && !(a->old & CMD_RUN)) {
        s->status &= ~STS_HALTED;
        s->frame_due_ns = clock_now_ns(CLOCK_GUEST) + NS_PER_FRAME;
        timer_set_ns(&s->timer, s->frame_due_ns);
    } else if (!(a->value & CMD_RUN)) {
        s->status |= STS_HALTED;
        timer_cancel(&s->timer);
    }
}

static void status_write(Device *d, const RegAccess *a)
{
    Uhci *s = (Uhci *)d;

    if (!(s->status & STS_USBINT)) {
        s->cause_ioc = s->cause_short = false;
    }
    update_irq(s);
}

static void intr_write(Device *d, const RegAccess *a)
{
    update_irq((Uhci *)d);
}

static const Reg uhci_regs[] = {
    REG(Uhci, 0x00, cmd, .wmask = 0xff, .write = cmd_write, .help = "command"),
    REG(Uhci, 0x02, status, .reset = STS_HALTED, .w1c = 0x1f, .write = status_write, .help = "status"),
    REG(Uhci, 0x04, intr, .wmask = 0x0f, .write = intr_write, .help = "interrupts enabled"),
    REG(Uhci, 0x06, frame, .wmask = 0x7ff, .help = "frame number"),
    REG(Uhci, 0x08, flbase, .wmask = 0xfffff000, .help = "frame list base"),
    REG(Uhci, 0x0c, sofmod, .reset = 64, .wmask = 0x7f, .help = "start of frame modify"),
    REG_ARRAY(Uhci, 0x10, portsc, .reset = PORT_ONE, .write = portsc_write, .help = "port status and control"),
};

static const RegBank uhci_banks[] = {
    { .name = "io", .size = 32, BANK_REGS(uhci_regs), .endian = DEV_LITTLE, .pio = true },
    { 0 },
};

static bool uhci_realize(Device *d, GError **error)
{
    Uhci *s = (Uhci *)d;

    s->async = g_ptr_array_new();
    timer_init(&s->timer, CLOCK_GUEST, frame_due, s);
    if (s->masterbus) {
        return usb_companion_add(d, s->masterbus, s->port, PORTS, s->firstport,
                                 USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL), &port_ops,
                                 error);
    }
    usb_bus_init(&s->bus, d);
    for (unsigned i = 0; i < PORTS; i++) {
        usb_port_add(&s->bus, &s->port[i], NULL, i,
                     USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL), &port_ops, s);
    }
    return true;
}

static void uhci_unrealize(Device *d)
{
    Uhci *s = (Uhci *)d;

    timer_cancel(&s->timer);
    if (!s->masterbus) {
        usb_bus_fini(&s->bus);
    }
    g_clear_pointer(&s->async, g_ptr_array_unref);
}

static void uhci_reset(Device *d)
{
    controller_reset((Uhci *)d);
}

static const Prop uhci_props[] = {
    PROP_STRING(Uhci, masterbus, "masterbus"), PROP_U32(Uhci, firstport, "firstport", 0), PROP_END,
};

static const StateField uhci_state[] = {
    STATE(Uhci, cause_ioc), STATE(Uhci, cause_short), STATE(Uhci, frame_due_ns), STATE_TIMER_FIELD(Uhci, timer),
    HOST_ONLY(Uhci, bus, "host side"), HOST_ONLY(Uhci, port, "places of devices"),
    HOST_ONLY(Uhci, async, "run again from their descriptors"), HOST_ONLY(Uhci, budget, "of the frame at hand"), STATE_END,
};

static const PciConfigRow uhci_config[] = {
    { .name = "serial_release", .offset = 0x60, .size = 1, .reset = 0x10 },
    { .name = "legacy_support", .offset = 0xc0, .size = 2, .reset = 0x2000, .wmask = 0x00bf, .w1c = 0x8f00 },
    { 0 },
};

#define UHCI(id, name_, desc_, device_, rev, pin_)         \
    static const PciInfo id##_pci = {                      \
        .vendor = 0x8086,                                  \
        .device = device_,                                 \
        .class_code = 0x0c0300,                            \
        .revision = rev,                                   \
        .pin = pin_,                                       \
        .config = uhci_config,                             \
        .bar = {[4] = {.kind = PCI_BAR_IO, .bank = "io"}}, \
    };                                                     \
    static const DeviceType id##_type = {                  \
        .name = name_,                                     \
        .parent = "pci-device",                            \
        .bus = "PCI",                                      \
        .category = "usb",                                 \
        .desc = desc_,                                     \
        .size = sizeof(Uhci),                              \
        .state_version = 1,                                \
        .bus_info = &id##_pci,                             \
        .props = uhci_props,                               \
        .banks = uhci_banks,                               \
        .state = uhci_state,                               \
        .realize = uhci_realize,                           \
        .unrealize = uhci_unrealize,                       \
        .reset = uhci_reset,                               \
    };                                                     \
    DEVICE_TYPE(id##_type);
UHCI(piix3, "piix3-usb-uhci", "USB controller of PIIX3", 0x7020, 1, 4)
UHCI(piix4, "piix4-usb-uhci", "USB controller of PIIX4", 0x7112, 1, 4)
UHCI(ich9_1, "ich9-usb-uhci1", "USB controller 1 of ICH9", 0x2934, 3, 1)
UHCI(ich9_2, "ich9-usb-uhci2", "USB controller 2 of ICH9", 0x2935, 3, 2)
UHCI(ich9_3, "ich9-usb-uhci3", "USB controller 3 of ICH9", 0x2936, 3, 3)
UHCI(ich9_4, "ich9-usb-uhci4", "USB controller 4 of ICH9", 0x2937, 3, 1)
UHCI(ich9_5, "ich9-usb-uhci5", "USB controller 5 of ICH9", 0x2938, 3, 2)
UHCI(ich9_6, "ich9-usb-uhci6", "USB controller 6 of ICH9", 0x2939, 3, 3)
