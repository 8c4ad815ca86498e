// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Enhanced host controller (EHCI 1.0) on PCI: high speed devices at its ports, slower ones handed
 * to companions. The schedules are walked every millisecond while they are on, and sooner while
 * there is something to do. Left out: split transactions (siTD, FSTN), 64-bit structures.
 */
#include <string.h>

#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "pending.h"
#include "qom/vm.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define PORTS 6u
#define CAP_LENGTH 0x20u
#define PORTSC_OFFSET 0x44u
#define NS_PER_UFRAME 125000ll
#define NS_PER_FRAME 1000000ll
#define FRAME_LIST 1024u
#define WALK_QHS 256u            /* queue heads looked at in a walk */
#define WALK_QTDS 64u            /* transfers run in a walk */
#define MAX_QTD 0x5000u          /* five pages */

enum { CMD_RUN = 1, CMD_HCRESET = 2, CMD_PSE = 1 << 4, CMD_ASE = 1 << 5, CMD_IAAD = 1 << 6 };
enum {
    STS_INT = 1,
    STS_ERR = 2,
    STS_PCD = 4,
    STS_FLR = 8,
    STS_HSE = 16,
    STS_IAA = 32,
    STS_HALTED = 1 << 12,
    STS_PSS = 1 << 14,
    STS_ASS = 1 << 15,
    STS_W1C = 0x3f };
enum {
    PORT_CCS = 1,
    PORT_CSC = 2,
    PORT_PED = 4,
    PORT_PEDC = 8,
    PORT_FPR = 1 << 6,
    PORT_SUSPEND = 1 << 7,
    PORT_RESET = 1 << 8,
    PORT_LINE_K = 1 << 10,
    PORT_LINE_J = 2 << 10,
    PORT_LINE = 3 << 10,
    PORT_POWER = 1 << 12,
    PORT_OWNER = 1 << 13,
    PORT_WAKE = 7 << 20 };
enum { LINK_END = 1, LINK_ITD = 0, LINK_QH = 1 };
enum {
    TOKEN_XACT = 1 << 3,
    TOKEN_BABBLE = 1 << 4,
    TOKEN_HALTED = 1 << 6,
    TOKEN_ACTIVE = 1 << 7,
    TOKEN_IOC = 1 << 15
};
#define TOKEN_DT (1u << 31)
enum { QH_DTC = 1 << 14 };
/* Words of a queue head. */
enum { QH_LINK, QH_CHAR, QH_CAP, QH_CURRENT, QH_NEXT, QH_ALT, QH_TOKEN, QH_BUF, QH_WORDS = 12 };

typedef struct Ehci {
    PciDevice pci;
    uint32_t maxframes;
    Irq irq;                     /* of those that are not on PCI */
    unsigned ports;
    bool system;                 /* not on PCI */
    uint32_t cmd, status, intr, segment, periodic, async_list, configflag, portsc[PORTS];
    /* state */
    uint32_t frindex;            /* as of frindex_ns */
    int64_t frindex_ns;
    Timer timer;
    /* host side */
    unsigned companions, companion_ports;
    UsbBus bus;
    UsbPort port[PORTS];
    GPtrArray *async;
    Bh *bh;                      /* an asynchronous packet is over */
    unsigned qtds;               /* that the walk may still run */
    bool progress;
} Ehci;

static void update_irq(Ehci *s)
{
    bool on = (s->status & s->intr & STS_W1C) != 0;

    if (s->system) {
        irq_set(&s->irq, on);
    } else {
        pci_set_irq(&s->pci, on);
    }
}

static void die(Ehci *s)
{
    s->cmd &= ~(uint32_t)CMD_RUN;
    s->status |= STS_HSE | STS_HALTED;
}

static bool read_words(Ehci *s, uint32_t addr, uint32_t *w, unsigned n)
{
    if (!usb_words_read(&s->pci.dev, addr, w, n)) {
        die(s);
        return false;
    }
    return true;
}

static void write_words(Ehci *s, uint32_t addr, const uint32_t *w, unsigned n)
{
    usb_words_write(&s->pci.dev, addr, w, n);
}

static UsbDevice *find_device(Ehci *s, uint8_t addr)
{
    for (unsigned i = 0; i < PORTS; i++) {
        UsbDevice *d = s->portsc[i] & PORT_PED ? usb_find(&s->port[i], addr) : NULL;

        if (d) {
            return d;
        }
    }
    return NULL;
}

/* ---- asynchronous and interrupt transfers, 4.10 ---- */

/* Copies between buf and the pages of a transfer, from the current one and its offset on. */
static bool pages_copy(Ehci *s, const uint32_t *pages, unsigned page, uint32_t offset, uint8_t *buf,
                       uint32_t len, bool to_guest)
{
    for (uint32_t done = 0; done < len; page++, offset = 0) {
        uint32_t n = MIN(len - done, 0x1000 - offset);
        uint32_t addr = page < 5 ? (pages[page] & ~0xfffu) + offset : 0;

        if (page > 4 || !(to_guest ? dma_write(&s->pci.dev, addr, buf + done, n)
                                   : dma_read(&s->pci.dev, addr, buf + done, n))) {
            die(s);
            return false;
        }
        done += n;
    }
    return true;
}

/*
 * The transfer of the overlay is over, or has to be tried again (NAK): true when the queue may go
 * on.
 */
static bool transfer_complete(Ehci *s, uint32_t qh, uint32_t *w, UsbPending *a)
{
    const UsbPacket *p = &a->packet;
    uint32_t token = w[QH_TOKEN], len = token >> 16 & 0x7fff, actual = (uint32_t)p->actual;
    uint32_t max = MAX(w[QH_CHAR] >> 16 & 0x7ff, 1), page = token >> 12 & 7,
             offset = w[QH_BUF] & 0xfff;

    if (p->status == USB_NAK) {
        return false;
    }
    if (p->pid == USB_IN && actual &&
        !pages_copy(s, w + QH_BUF, page, offset, a->buf, actual, true)) {
        return false;
    }
    token &= ~(uint32_t)(TOKEN_ACTIVE | TOKEN_XACT | TOKEN_BABBLE);
    if (p->status == USB_OK) {
        /* a toggle a packet; an empty transfer is one */
        token ^= MAX((actual + max - 1) / max, 1) & 1 ? TOKEN_DT : 0;
    } else {
        token |= TOKEN_HALTED | (p->status == USB_STALL    ? 0
                                 : p->status == USB_BABBLE ? TOKEN_BABBLE
                                                           : TOKEN_XACT);
        token &= p->status == USB_STALL ? ~0u : ~(3u << 10);
        s->status |= STS_ERR;
    }
    offset += actual;
    page = MIN(page + (offset >> 12), 4);
    token = (token & ~(0x7fffu << 16) & ~(7u << 12)) | (len - MIN(actual, len)) << 16 | page << 12;
    w[QH_TOKEN] = token;
    w[QH_BUF] = (w[QH_BUF] & ~0xfffu) | (offset & 0xfff);
    write_words(s, w[QH_CURRENT] + 8, &token, 1);
    write_words(s, qh + 4 * QH_TOKEN, w + QH_TOKEN, 2);
    if (token & TOKEN_IOC || (p->pid == USB_IN && actual < len) || token & TOKEN_HALTED) {
        s->status |= STS_INT;
    }
    s->progress = true;
    return !(token & TOKEN_HALTED);
}

static void packet_wake(void *opaque)
{
    bh_schedule(((Ehci *)opaque)->bh);
}

/* Runs the active transfer of the overlay. */
static bool transfer_run(Ehci *s, uint32_t qh, uint32_t *w)
{
    static const UsbPid pids[4] = { USB_OUT, USB_IN, USB_SETUP, 0 };
    UsbPending *a = usb_pending_find(s->async, w[QH_CURRENT]);
    uint32_t token = w[QH_TOKEN], len = token >> 16 & 0x7fff, offset = w[QH_BUF] & 0xfff;
    UsbPid pid = pids[token >> 8 & 3];
    bool go_on;

    if (a) {
        if (!a->done) {
            return false;
        }
        usb_pending_take(s->async, a);
        go_on = transfer_complete(s, qh, w, a);
        g_free(a);
        return go_on;
    }
    if (!pid || len + offset + ((token >> 12 & 7) << 12) > MAX_QTD) {
        w[QH_TOKEN] = (token & ~(uint32_t)TOKEN_ACTIVE) | TOKEN_HALTED | TOKEN_XACT;
        write_words(s, w[QH_CURRENT] + 8, &w[QH_TOKEN], 1);
        write_words(s, qh + 4 * QH_TOKEN, w + QH_TOKEN, 1);
        s->status |= STS_ERR | STS_INT;
        return false;
    }
    a = usb_pending_new(w[QH_CURRENT], pid, find_device(s, w[QH_CHAR] & 0x7f), w[QH_CHAR] >> 8 & 15,
                        len);
    a->wake = packet_wake;
    a->opaque = s;
    if (pid != USB_IN && len &&
        !pages_copy(s, w + QH_BUF, token >> 12 & 7, offset, a->buf, len, false)) {
        g_free(a);
        return false;
    }
    if (!usb_pending_run(s->async, a)) {
        return false;
    }
    go_on = transfer_complete(s, qh, w, a);
    g_free(a);
    return go_on;
}

/* 4.10.2: the next transfer into the overlay; false: there is none. */
static bool overlay_advance(Ehci *s, uint32_t qh, uint32_t *w)
{
    bool short_packet = w[QH_TOKEN] >> 16 & 0x7fff && !(w[QH_ALT] & LINK_END);
    uint32_t next = short_packet ? w[QH_ALT] : w[QH_NEXT], td[8];

    if (next & LINK_END) {
        return false;
    }
    next &= ~31u;
    if (!read_words(s, next, td, 8) || !(td[2] & TOKEN_ACTIVE)) {
        return false;
    }
    if (!(w[QH_CHAR] & QH_DTC)) {
        td[2] = (td[2] & ~TOKEN_DT) | (w[QH_TOKEN] & TOKEN_DT);
    }
    w[QH_CURRENT] = next;
    memcpy(w + QH_NEXT, td, sizeof(td));
    write_words(s, qh + 4 * QH_CURRENT, w + QH_CURRENT, QH_WORDS - QH_CURRENT);
    return true;
}

static void queue_run(Ehci *s, uint32_t qh, uint32_t *w)
{
    while (s->qtds && s->cmd & CMD_RUN && !(w[QH_TOKEN] & TOKEN_HALTED)) {
        if (!(w[QH_TOKEN] & TOKEN_ACTIVE) && !overlay_advance(s, qh, w)) {
            return;
        }
        s->qtds--;
        if (!transfer_run(s, qh, w)) {
            return;
        }
    }
}

/* ---- isochronous transfers, 4.7 ---- */

static void iso_transaction(Ehci *s, uint32_t itd, const uint32_t *w, unsigned n)
{
    uint32_t t = w[1 + n], page = t >> 12 & 7, offset = t & 0xfff, len = t >> 16 & 0xfff, actual;
    bool in = w[10] & 1 << 11;
    uint32_t addr, second = MIN(0x1000 - offset, len);
    UsbPending *a;

    if (!(t & 1u << 31) || page > 6 || (page == 6 && second < len) || len > 3072) {
        return;
    }
    addr = (w[9 + page] & ~0xfffu) + offset;
    a = usb_pending_new(itd, in ? USB_IN : USB_OUT, find_device(s, w[9] & 0x7f), w[9] >> 8 & 15,
                        len);
    if (!in && len) {
        dma_read(&s->pci.dev, addr, a->buf, second);
        if (second < len) {
            dma_read(&s->pci.dev, w[10 + page] & ~0xfffu, a->buf + second, len - second);
        }
    }
    usb_packet_run(&a->packet);
    if (a->packet.status == USB_ASYNC) {
        usb_packet_cancel(&a->packet);
    }
    actual = (uint32_t)a->packet.actual;
    if (in && actual) {
        dma_write(&s->pci.dev, addr, a->buf, MIN(actual, second));
        if (actual > second) {
            dma_write(&s->pci.dev, w[10 + page] & ~0xfffu, a->buf + second, actual - second);
        }
    }
    t &= 0x0000ffff;
    t |= (in ? actual : len) << 16;
    if (a->packet.status != USB_OK && a->packet.status != USB_NAK) {
        t |= a->packet.status == USB_BABBLE ? 1u << 29 : 1u << 28;
        s->status |= STS_ERR;
    }
    write_words(s, itd + 4 + 4 * n, &t, 1);
    if (t & 1 << 15) {
        s->status |= STS_INT;
    }
    g_free(a);
}

/* ---- schedules ---- */

static void periodic_run(Ehci *s, uint32_t frame)
{
    bool ok;
    uint32_t link = dma_load(&s->pci.dev, s->periodic + frame % FRAME_LIST * 4, 4, DEV_LITTLE, &ok);

    if (!ok) {
        die(s);
        return;
    }
    for (unsigned n = 0; n < WALK_QHS && !(link & LINK_END) && s->cmd & CMD_RUN; n++) {
        uint32_t w[16], addr = link & ~31u;
        unsigned type = link >> 1 & 3;

        if (!read_words(s, addr, w, type == LINK_ITD ? 16 : type == LINK_QH ? QH_WORDS : 1)) {
            return;
        }
        link = w[0];
        if (type == LINK_QH) {
            queue_run(s, addr, w);
        } else if (type == LINK_ITD) {
            for (unsigned i = 0; i < 8; i++) {
                iso_transaction(s, addr, w, i);
            }
        }
    }
}

static void async_run(Ehci *s)
{
    uint32_t first = s->async_list & ~31u, qh = first;

    for (unsigned n = 0; n < WALK_QHS && s->cmd & CMD_RUN; n++) {
        uint32_t w[QH_WORDS];

        if (!read_words(s, qh, w, QH_WORDS)) {
            return;
        }
        queue_run(s, qh, w);
        qh = w[QH_LINK] & ~31u;
        if (qh == first || w[QH_LINK] & LINK_END) {
            break;
        }
    }
}

static uint32_t frindex_now(Ehci *s)
{
    int64_t passed =
        s->cmd & CMD_RUN ? (clock_now_ns(CLOCK_GUEST) - s->frindex_ns) / NS_PER_UFRAME : 0;

    return (s->frindex + (uint32_t)MAX(passed, 0)) & 0x3fff;
}

/* The status says which schedules run. */
static void show_schedules(Ehci *s)
{
    s->status &= ~(uint32_t)(STS_PSS | STS_ASS);
    if (s->cmd & CMD_RUN) {
        s->status |= (s->cmd & CMD_PSE ? STS_PSS : 0) | (s->cmd & CMD_ASE ? STS_ASS : 0);
    }
}

static void schedule(Ehci *s)
{
    if (s->cmd & CMD_RUN && s->cmd & (CMD_PSE | CMD_ASE | CMD_IAAD)) {
        int64_t now = clock_now_ns(CLOCK_GUEST);

        timer_set_ns(&s->timer, now + (s->progress ? NS_PER_UFRAME : NS_PER_FRAME));
    } else {
        timer_cancel(&s->timer);
    }
}

static void walk(void *opaque)
{
    Ehci *s = opaque;
    uint32_t old = s->frindex, frames;

    if (!(s->cmd & CMD_RUN)) {
        return;
    }
    s->qtds = WALK_QTDS;
    s->progress = false;
    frames = ((frindex_now(s) >> 3) - (old >> 3)) & 0x7ff;
    if (frames) {
        s->frindex = frindex_now(s);
        s->frindex_ns = clock_now_ns(CLOCK_GUEST);
        s->status |= s->frindex < old ? STS_FLR : 0;
        usb_pending_sweep(s->async);
    }
    show_schedules(s);
    if (s->cmd & CMD_PSE) {
        /* frames that were missed are made up for, up to what the driver allows */
        for (uint32_t f = MIN(frames, MAX(s->maxframes, 1)); f-- > 0;) {
            periodic_run(s, (s->frindex >> 3) - f);
        }
    }
    if (s->cmd & CMD_ASE) {
        async_run(s);
    }
    if (s->cmd & CMD_IAAD) {
        s->cmd &= ~(uint32_t)CMD_IAAD;
        s->status |= STS_IAA;
    }
    update_irq(s);
    schedule(s);
}

/* ---- ports, 2.3.9 and 4.2 ---- */

static void port_changed(Ehci *s, unsigned i, uint32_t bits)
{
    s->portsc[i] |= bits;
    s->status |= STS_PCD;
    update_irq(s);
}

static void port_attach(UsbPort *p)
{
    Ehci *s = p->opaque;
    unsigned i = p->index;

    if (s->portsc[i] & PORT_OWNER && p->companion) {
        usb_port_handover(p, p->companion);
        return;
    }
    s->portsc[i] = (s->portsc[i] & ~(uint32_t)PORT_LINE) | PORT_CCS |
                   (p->dev->speed == USB_LOW ? PORT_LINE_K : PORT_LINE_J);
    port_changed(s, i, PORT_CSC);
}

static void port_detach(UsbPort *p)
{
    Ehci *s = p->opaque;
    unsigned i = p->index;

    if (s->configflag & 1) {
        s->portsc[i] &= ~(uint32_t)PORT_OWNER;
    }
    if (s->portsc[i] & PORT_CCS) {
        usb_pending_clear(s->async);
        s->portsc[i] &= ~(uint32_t)(PORT_CCS | PORT_PED | PORT_SUSPEND | PORT_LINE);
        port_changed(s, i, PORT_CSC);
    }
}

static void port_wakeup(UsbPort *p, UsbDevice *dev, uint8_t endpoint)
{
    Ehci *s = p->opaque;

    if (s->portsc[p->index] & PORT_SUSPEND && dev->remote_wakeup) {
        port_changed(s, p->index, PORT_FPR);
    } else if (s->cmd & CMD_RUN) {
        bh_schedule(s->bh);
    }
}

static const UsbPortOps port_ops = {
    .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup};

static void set_owner(Ehci *s, unsigned i, bool companion)
{
    UsbPort *p = &s->port[i];

    if (!p->companion || companion == !!(s->portsc[i] & PORT_OWNER)) {
        return;
    }
    if (companion) {
        s->portsc[i] |= PORT_OWNER;
        usb_port_handover(p, p->companion);
        s->portsc[i] |= PORT_OWNER;
    } else {
        s->portsc[i] &= ~(uint32_t)PORT_OWNER;
        usb_port_handover(p->companion, p);
    }
}

static void portsc_write(Device *d, const RegAccess *a)
{
    Ehci *s = (Ehci *)d;
    unsigned i = a->index;
    uint32_t v = (uint32_t)a->value, old = (uint32_t)a->old, *ps = &s->portsc[i];
    UsbDevice *dev;

    *ps = (old & ~(v & (uint32_t)a->mask & (PORT_CSC | PORT_PEDC))) &
          ~(uint32_t)(PORT_WAKE | PORT_RESET);
    *ps |= v & (PORT_WAKE | PORT_RESET);
    if (!(v & PORT_PED)) {
        *ps &= ~(uint32_t)PORT_PED;
    }
    set_owner(s, i, v & PORT_OWNER);
    dev = s->port[i].dev;
    if (old & PORT_RESET && !(v & PORT_RESET) && dev && dev->attached && *ps & PORT_CCS) {
        usb_device_reset(dev);
        if (dev->speed == USB_HIGH) {
            *ps = (*ps & ~(uint32_t)(PORT_LINE | PORT_SUSPEND)) | PORT_PED;
        }
    }
    if (v & PORT_SUSPEND && *ps & PORT_PED) {
        *ps |= PORT_SUSPEND;
    }
    if (old & PORT_FPR && !(v & PORT_FPR)) {
        *ps &= ~(uint32_t)(PORT_FPR | PORT_SUSPEND);
    } else if (v & PORT_FPR && *ps & PORT_SUSPEND) {
        *ps |= PORT_FPR;
    }
}

/* ---- registers, chapter 2 ---- */

static void controller_reset(Ehci *s)
{
    timer_cancel(&s->timer);
    usb_pending_clear(s->async);
    s->cmd = 0x80000;
    s->status = STS_HALTED;
    s->intr = s->frindex = s->periodic = s->async_list = s->configflag = 0;
    s->progress = false;
    for (unsigned i = 0; i < PORTS; i++) {
        UsbPort *p = &s->port[i];
        UsbDevice *dev = p->dev ? p->dev : p->companion ? p->companion->dev : NULL;

        if (p->companion) {
            s->portsc[i] = PORT_POWER;
            set_owner(s, i, true);
            s->portsc[i] = PORT_POWER | PORT_OWNER;
        } else {
            s->portsc[i] = PORT_POWER;
            if (dev && dev->attached) {
                usb_device_reset(dev);
                port_attach(p);
            }
        }
    }
    update_irq(s);
}

static void cmd_write(Device *d, const RegAccess *a)
{
    Ehci *s = (Ehci *)d;

    if (s->cmd & CMD_HCRESET) {
        controller_reset(s);
        return;
    }
    if ((s->cmd ^ a->old) & CMD_RUN) {
        s->status = s->cmd & CMD_RUN ? s->status & ~(uint32_t)STS_HALTED : s->status | STS_HALTED;
        s->frindex_ns = clock_now_ns(CLOCK_GUEST);
    }
    show_schedules(s);    /* before the first walk */
    s->progress = true;
    schedule(s);
}

static void irq_write(Device *d, const RegAccess *a)
{
    update_irq((Ehci *)d);
}

static uint64_t frindex_read(Device *d, const RegAccess *a)
{
    return frindex_now((Ehci *)d);
}

static void frindex_write(Device *d, const RegAccess *a)
{
    Ehci *s = (Ehci *)d;

    s->frindex = a->value & 0x3fff;
    s->frindex_ns = clock_now_ns(CLOCK_GUEST);
}

static void configflag_write(Device *d, const RegAccess *a)
{
    Ehci *s = (Ehci *)d;

    for (unsigned i = 0; i < PORTS; i++) {
        set_owner(s, i, !(s->configflag & 1));
    }
}

static uint64_t hcsparams_read(Device *d, const RegAccess *a)
{
    Ehci *s = (Ehci *)d;

    return s->ports | (s->companions ? s->companion_ports / s->companions : 0) << 8 |
           s->companions << 12;
}

/* clang-format off */
#define EHCI_ROWS(cap, op, caplen, nports)                                                                 \
    REG_HOOK((cap), 1, "caplength", .reset = (caplen)),                                                    \
    REG_HOOK((cap) + 0x02, 2, "hciversion", .reset = 0x0100),                                              \
    REG_HOOK((cap) + 0x04, 4, "hcsparams", .read = hcsparams_read),                                        \
    REG_HOOK((cap) + 0x08, 4, "hccparams"),                                                                \
    EHCI_OP_ROWS(op),                                                                                      \
    {.offset = (op) + 0x44, .field = offsetof(Ehci, portsc), .size = 4, .count = (nports), .name = "portsc", \
     .reset = PORT_POWER, .write = portsc_write}
#define EHCI_OP_ROWS(op)                                                                                   \
    REG(Ehci, (op), cmd, .reset = 0x80000, .wmask = 0x00ff0073, .write = cmd_write),                       \
    REG(Ehci, (op) + 0x04, status, .reset = STS_HALTED, .w1c = STS_W1C, .write = irq_write),               \
    REG(Ehci, (op) + 0x08, intr, .wmask = STS_W1C, .write = irq_write),                                    \
    REG_HOOK((op) + 0x0c, 4, "frindex", .read = frindex_read, .write = frindex_write),                     \
    REG(Ehci, (op) + 0x10, segment),                                                                       \
    REG(Ehci, (op) + 0x14, periodic, .wmask = 0xfffff000),                                                 \
    REG(Ehci, (op) + 0x18, async_list, .wmask = 0xffffffe0),                                               \
    REG(Ehci, (op) + 0x40, configflag, .wmask = 1, .write = configflag_write)

static const Reg ehci_regs[] = {EHCI_ROWS(0, 0x20, CAP_LENGTH, PORTS)};
/* clang-format on */

static const RegBank ehci_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(ehci_regs)}, {0}};

/* ---- the device ---- */

static bool add_companion(UsbBus *b, UsbPort *ports, unsigned n, unsigned first, GError **error)
{
    Ehci *s = (Ehci *)b->bus.owner;

    if (first > PORTS || n > PORTS - first) {
        return fail(error, "firstport on masterbus is out of range: %u ports from %u, of %u", n,
                    first, PORTS);
    }
    for (unsigned i = 0; i < n; i++) {
        if (s->port[first + i].companion) {
            return fail(error, "port %u on masterbus has a companion already", first + i);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        UsbPort *p = &s->port[first + i];

        p->companion = &ports[i];
        ports[i].master = p;
        p->speeds |= ports[i].speeds;
        s->portsc[first + i] |= PORT_OWNER;
    }
    s->companions++;
    s->companion_ports += n;
    return true;
}

static bool ehci_realize(Device *d, GError **error)
{
    Ehci *s = (Ehci *)d;

    s->ports = s->ports ? s->ports : PORTS;
    s->async = g_ptr_array_new();
    s->bh = bh_new(walk, s);
    timer_init(&s->timer, CLOCK_GUEST, walk, s);
    usb_bus_init(&s->bus, d);
    s->bus.add_companion = add_companion;
    for (unsigned i = 0; i < s->ports; i++) {
        usb_port_add(&s->bus, &s->port[i], NULL, i, USB_SPEED_BIT(USB_HIGH), &port_ops, s);
    }
    return true;
}

static void ehci_unrealize(Device *d)
{
    Ehci *s = (Ehci *)d;

    timer_cancel(&s->timer);
    usb_bus_fini(&s->bus);
    usb_pending_clear(s->async);
    g_clear_pointer(&s->async, g_ptr_array_unref);
    g_clear_pointer(&s->bh, bh_free);
}

static void ehci_reset(Device *d)
{
    controller_reset((Ehci *)d);
}

static const Prop ehci_props[] = {
    PROP_U32(Ehci, maxframes, "maxframes", 128, .help = "late frames that are made up for"), PROP_END,
};

static const StateField ehci_state[] = {
    STATE(Ehci, frindex), STATE(Ehci, frindex_ns), STATE_TIMER_FIELD(Ehci, timer), STATE(Ehci, progress),
    HOST_ONLY(Ehci, companions, "made at start"), HOST_ONLY(Ehci, companion_ports, "made at start"),
    HOST_ONLY(Ehci, bus, "host side"), HOST_ONLY(Ehci, port, "places of devices"),
    HOST_ONLY(Ehci, async, "run again from their descriptors"), HOST_ONLY(Ehci, bh, "host side"),
    HOST_ONLY(Ehci, qtds, "of the walk at hand"), HOST_ONLY(Ehci, ports, "the type's"),
    HOST_ONLY(Ehci, system, "the type's"), HOST_ONLY(Ehci, pci, "its base's, if it has one"),
    HOST_ONLY(Ehci, irq, "a pin of those that have it"), STATE_ARRAY(Ehci, portsc), STATE_END,
};

static const PciConfigRow ehci_config[] = {
    { .name = "sbrn", .offset = 0x60, .size = 1, .reset = 0x20 },
    { .name = "fladj", .offset = 0x61, .size = 1, .reset = 0x20, .wmask = 0x3f },
    { .name = "portwake", .offset = 0x62, .size = 2, .wmask = 0x7f },
    { .name = "legsup", .offset = 0x68, .size = 4, .reset = 1 },
    { .name = "legctl", .offset = 0x6c, .size = 4, .reset = 0xc0000000 },
    { 0 },
};

#define EHCI(id_, name_, desc_, device_, rev_)            \
    static const PciInfo id_##_pci = {                    \
        .vendor = 0x8086,                                 \
        .device = device_,                                \
        .class_code = 0x0c0320,                           \
        .revision = rev_,                                 \
        .pin = 4,                                         \
        .config = ehci_config,                            \
        .bar = {{.kind = PCI_BAR_MEM32, .bank = "mmio"}}, \
    };                                                    \
    static const DeviceType id_##_type = {                \
        .name = name_,                                    \
        .parent = "pci-device",                           \
        .bus = "PCI",                                     \
        .category = "usb",                                \
        .desc = desc_,                                    \
        .size = sizeof(Ehci),                             \
        .state_version = 1,                               \
        .bus_info = &id_##_pci,                           \
        .props = ehci_props,                              \
        .banks = ehci_banks,                              \
        .state = ehci_state,                              \
        .realize = ehci_realize,                          \
        .unrealize = ehci_unrealize,                      \
        .reset = ehci_reset,                              \
    };                                                    \
    DEVICE_TYPE(id_##_type);
EHCI(ich4, "usb-ehci", NULL, 0x24cd, 0x10)
EHCI(ich9_1, "ich9-usb-ehci1", NULL, 0x293a, 3)
EHCI(ich9_2, "ich9-usb-ehci2", NULL, 0x293c, 3)

/* ---- in systems on a chip ---- */

typedef struct ChipIdea {
    Ehci ehci;
    uint32_t burst, otgsc, mode, viewport;
} ChipIdea;

static bool ehci_system_realize(Device *d, GError **error)
{
    ((Ehci *)d)->system = true;
    return ehci_realize(d, error);
}

/* One port, and a mode register: it is a host or a device. */
static bool chipidea_realize(Device *d, GError **error)
{
    ((Ehci *)d)->ports = 1;
    return ehci_system_realize(d, error);
}

/* UG585, B.34: accesses to the transceiver are over at once. */
static void viewport_write(Device *d, const RegAccess *a)
{
    ((ChipIdea *)d)->viewport &= ~(3u << 30);
}

/* Bits 27:26 say the speed of what is there: all of it is fast. */
static uint64_t chipidea_portsc_read(Device *d, const RegAccess *a)
{
    uint32_t v = ((Ehci *)d)->portsc[0];

    return v & PORT_CCS ? v | 2u << 26 : v | 3u << 26;
}

/* clang-format off */
static const Reg h3_regs[] = {EHCI_ROWS(0, 0x10, 0x10, PORTS)};
static const RegBank h3_banks[] = {{.name = "mmio", .size = 0x400, BANK_REGS(h3_regs)}, {0}};
static const Reg chipidea_regs[] = {
    REG_HOOK(0x000, 4, "id", .reset = 0xe441fa05, .help = "identity"),
    REG_HOOK(0x100, 1, "caplength", .reset = 0x40), REG_HOOK(0x102, 2, "hciversion", .reset = 0x0100),
    REG_HOOK(0x104, 4, "hcsparams", .read = hcsparams_read), REG_HOOK(0x108, 4, "hccparams"),
    REG_HOOK(0x120, 4, "dciversion", .reset = 1), REG_HOOK(0x124, 4, "dccparams", .reset = 0x100, .help = "bit 8: host"),
    REG(Ehci, 0x140, cmd, .reset = 0x80000, .wmask = 0x00ff0073, .write = cmd_write),
    REG(Ehci, 0x144, status, .reset = STS_HALTED, .w1c = STS_W1C, .write = irq_write),
    REG(Ehci, 0x148, intr, .wmask = STS_W1C, .write = irq_write),
    REG_HOOK(0x14c, 4, "frindex", .read = frindex_read, .write = frindex_write),
    REG(Ehci, 0x150, segment),
    REG(Ehci, 0x154, periodic, .wmask = 0xfffff000),
    REG(Ehci, 0x158, async_list, .wmask = 0xffffffe0),
    REG(ChipIdea, 0x160, burst, .reset = 0x1010, .wmask = 0x1ffff, .help = "burst sizes"),
    REG(ChipIdea, 0x170, viewport, .wmask = 0xffffffff, .write = viewport_write, .help = "transceiver registers"),
    REG(Ehci, 0x180, configflag, .reset = 1),
    {.offset = 0x184, .field = offsetof(Ehci, portsc), .size = 4, .count = 1, .name = "portsc", .reset = PORT_POWER, .read = chipidea_portsc_read, .write = portsc_write},
    REG(ChipIdea, 0x1a4, otgsc, .wmask = 0x7f0000bf, .help = "on the go"),
    REG(ChipIdea, 0x1a8, mode, .wmask = 0x3f, .help = "3: host"),
};
static const RegBank chipidea_banks[] = {{.name = "mmio", .size = 0x200, BANK_REGS(chipidea_regs)}, {0}};
static const PinRow system_pins[] = {PIN_OUT(Ehci, irq, "irq"), PIN_END};

#define EHCI_SYSTEM(tag, name_, desc_, type_, banks_, realize_)                                             \
    static const DeviceType tag##_type = {                                                                  \
        .name = name_, .category = "usb", .desc = desc_, .internal = true, .size = sizeof(type_),           \
        .state_version = 1, .props = ehci_props, .banks = banks_, .pins = system_pins, .state = ehci_state, \
        .realize = realize_, .unrealize = ehci_unrealize, .reset = ehci_reset,                              \
    };                                                                                                      \
    DEVICE_TYPE(tag##_type)
EHCI_SYSTEM(platform, "platform-ehci-usb", "USB 2.0 host controller", Ehci, ehci_banks, ehci_system_realize);
EHCI_SYSTEM(h3, "aw-h3-ehci-usb", "Allwinner USB 2.0 host controller", Ehci, h3_banks, ehci_system_realize);
EHCI_SYSTEM(exynos, "exynos4210-ehci-usb", "Exynos USB 2.0 host controller", Ehci, h3_banks, ehci_system_realize);
EHCI_SYSTEM(chipidea, "usb-chipidea", "ChipIdea USB controller as a host", ChipIdea, chipidea_banks, chipidea_realize);
/* clang-format on */
