// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extensible host controller (xHCI 1.1): registers, root hub ports, event rings, interrupts. One
 * event ring segment an interrupter, 32-byte contexts, linear stream arrays. Left out: scratchpads,
 * virtualization, debug capability.
 */
#include "xhci.h"

#include <string.h>

#include "qom/runstate.h"
#include "qom/vm.h"
#include "util/bswap.h"

#define BAR_SIZE 0x4000
#define OPERATIONAL 0x40
#define PORTS 0x440
#define RUNTIME 0x1000
#define DOORBELLS 0x2000
#define XECP 0x20
#define NS_PER_FRAME 125000ll

enum {
    CMD_RUN = 1,
    CMD_RESET = 2,
    CMD_INTE = 4,
    CMD_HSEE = 8,
    CMD_RESTORE = 0x200
};
enum {
    STS_HALTED = 1,
    STS_HSE = 4,
    STS_EINT = 8,
    STS_PCD = 0x10,
    STS_SRE = 0x400,
    STS_HCE = 0x1000
};
enum {
    PORT_CCS = 1,
    PORT_PED = 2,
    PORT_PR = 0x10,
    PORT_PP = 0x200,
    PORT_LWS = 1 << 16,
    PORT_CSC = 1 << 17,
    PORT_PEC = 1 << 18,
    PORT_WRC = 1 << 19,
    PORT_OCC = 1 << 20,
    PORT_PRC = 1 << 21,
    PORT_PLC = 1 << 22,
    PORT_CEC = 1 << 23,
    PORT_CHANGES = 0xfe << 16,
    PORT_WAKES = 7 << 25
};
#define PORT_WPR (1u << 31)
enum {
    PLS_U0 = 0,
    PLS_U3 = 3,
    PLS_DISABLED = 4,
    PLS_RX_DETECT = 5,
    PLS_POLLING = 7,
    PLS_RESUME = 15
};
enum {
    IMAN_PENDING = 1,
    IMAN_ENABLE = 2,
    ERDP_BUSY = 8
};

static Xhci *of_bus(UsbBus *b)
{
    return (Xhci *)b->bus.owner;
}

bool xhci_running(const Xhci *s)
{
    return !(s->usbsts & (STS_HALTED | STS_HCE));
}

uint64_t xhci_frame(const Xhci *s)
{
    return (uint64_t)(clock_now_ns(CLOCK_GUEST) - s->mfindex_start_ns) / NS_PER_FRAME;
}

void xhci_die(Xhci *s, const char *why)
{
    guest_error("xhci: %s", why);
    s->usbsts |= STS_HCE | STS_HALTED;
}

bool xhci_context_read(Xhci *s, uint64_t addr, uint32_t *words, unsigned n)
{
    bool ok = dma_read(&s->pci.dev, addr, words, n * 4);

    for (unsigned i = 0; i < n; i++) {
        words[i] = le32(words[i]);
    }
    return ok;
}

bool xhci_context_write(Xhci *s, uint64_t addr, const uint32_t *words, unsigned n)
{
    bool ok = true;

    for (unsigned i = 0; i < n; i++) {
        ok &= dma_store(&s->pci.dev, addr + 4 * i, words[i], 4, DEV_LITTLE);
    }
    return ok;
}

/* ---- interrupts, 4.17 ---- */

static void update_intx(Xhci *s)
{
    bool level = false;

    if (!pci_msix_enabled(&s->pci) && !pci_msi_enabled(&s->pci)) {
        level = (s->iman[0] & (IMAN_PENDING | IMAN_ENABLE)) == (IMAN_PENDING | IMAN_ENABLE) &&
                (s->usbcmd & CMD_INTE);
    }
    pci_set_irq(&s->pci, level);
}

static void raise_interrupt(Xhci *s, unsigned n)
{
    bool message = pci_msix_enabled(&s->pci) || pci_msi_enabled(&s->pci);

    s->erdp[n] |= ERDP_BUSY;
    s->usbsts |= STS_EINT;
    s->iman[n] |= IMAN_PENDING;
    if (message && (s->iman[n] & IMAN_ENABLE) && (s->usbcmd & CMD_INTE)) {
        s->iman[n] &= ~IMAN_PENDING; /* 4.17.5: cleared by the message */
        if (pci_msix_enabled(&s->pci)) {
            pci_msix_notify(&s->pci, n);
        } else {
            pci_msi_notify(&s->pci, n);
        }
    }
    update_intx(s);
}

/* ---- event rings, 4.9.4 ---- */

static unsigned room(const Xhci *s, unsigned n)
{
    const XhciInterrupter *i = &s->intr[n];
    uint64_t at = s->erdp[n] & ~15ull;

    if (i->size == 0 || at < i->segment || at >= i->segment + (uint64_t)i->size * XHCI_TRB) {
        return 0;
    }
    uint32_t dequeue = (at - i->segment) / XHCI_TRB;

    return (dequeue + i->size - i->enqueue - 1) % i->size;
}

static void write_event(Xhci *s, unsigned n, const XhciEvent *e)
{
    XhciInterrupter *i = &s->intr[n];
    uint8_t trb[XHCI_TRB];

    store_le64(trb, e->parameter);
    store_le32(trb + 8, e->status);
    store_le32(trb + 12, e->control | i->cycle);
    if (!dma_write(&s->pci.dev, i->segment + (uint64_t)i->enqueue * XHCI_TRB, trb, sizeof(trb))) {
        xhci_die(s, "event ring in the void");
    }
    if (++i->enqueue == i->size) {
        i->enqueue = 0;
        i->cycle = !i->cycle;
    }
}

bool xhci_event_room(Xhci *s, unsigned n)
{
    n = n < s->num_intrs ? n : 0;
    return g_queue_is_empty(s->intr[n].held) && room(s, n) > 2;
}

void xhci_event(Xhci *s, unsigned n, const XhciEvent *e)
{
    n = n < s->num_intrs ? n : 0;
    XhciInterrupter *i = &s->intr[n];

    if (i->size == 0 || !xhci_running(s)) {
        return;
    }
    if (!g_queue_is_empty(i->held) || room(s, n) == 0) {
        g_queue_push_tail(i->held, g_memdup2(e, sizeof(*e)));
        return;
    }
    write_event(s, n, e);
    raise_interrupt(s, n);
}

static void flush_events(Xhci *s, unsigned n)
{
    XhciInterrupter *i = &s->intr[n];
    bool any = false;

    while (!g_queue_is_empty(i->held) && room(s, n)) {
        g_autofree XhciEvent *e = g_queue_pop_head(i->held);

        write_event(s, n, e);
        any = true;
    }
    if (any) {
        raise_interrupt(s, n);
    }
    if (i->size && room(s, n) > 2) { /* what waited for room goes on */
        for (unsigned slot = 0; slot <= s->num_slots; slot++) {
            if (s->kicked_eps[slot]) {
                bh_schedule(s->kick_bh);
                break;
            }
        }
    }
}

static void intr_reset(Xhci *s, unsigned n)
{
    XhciInterrupter *i = &s->intr[n];
    XhciEvent *e;

    while (i->held && (e = g_queue_pop_head(i->held)) != NULL) {
        g_free(e);
    }
    i->size = i->enqueue = 0;
    i->cycle = true;
}

static void erstba_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;
    unsigned n = a->index;
    uint32_t entry[4];

    if (!(a->mask >> 32) && !(a->mask & 0xffffffff)) {
        return;
    }
    if (a->mask == 0xffffffff) {
        return; /* the upper half follows and makes it valid */
    }
    intr_reset(s, n);
    if ((s->erstsz[n] & 0xffff) == 0) {
        return;
    }
    if (!xhci_context_read(s, s->erstba[n], entry, 4) || entry[2] < 16 ||
        entry[2] > XHCI_MAX_EVENT_RING) {
        xhci_die(s, "bad event ring segment table");
        return;
    }
    s->intr[n].segment = (entry[0] & ~63u) | (uint64_t)entry[1] << 32;
    s->intr[n].size = entry[2];
}

static void erdp_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;
    unsigned n = a->index;
    bool clear = (a->mask & 0xff) && (a->value & ERDP_BUSY);

    s->erdp[n] = (a->value & ~(uint64_t)ERDP_BUSY) | (clear ? 0 : a->old & ERDP_BUSY);
    if (xhci_running(s)) {
        flush_events(s, n);
    }
}

static void iman_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;
    uint32_t *iman = &s->iman[a->index];

    *iman = (a->value & IMAN_ENABLE) | (a->old & IMAN_PENDING & ~(a->value & a->mask));
    update_intx(s);
}

/* ---- rings ---- */

#define MAX_LINKS 16

bool xhci_ring_fetch(Xhci *s, XhciRing *r, XhciTrb *t)
{
    for (unsigned links = 0; links < MAX_LINKS; links++) {
        uint8_t raw[XHCI_TRB];

        if (!dma_read(&s->pci.dev, r->dequeue, raw, sizeof(raw))) {
            xhci_die(s, "ring in the void");
            return false;
        }
        *t = (XhciTrb){.parameter = load_le64(raw),
                       .status = load_le32(raw + 8),
                       .control = load_le32(raw + 12),
                       .addr = r->dequeue};
        if ((t->control & TRB_CYCLE) != r->cycle) {
            return false;
        }
        if (trb_type(t) != TRB_LINK) {
            r->dequeue += XHCI_TRB;
            return true;
        }
        r->dequeue = t->parameter & ~15ull;
        r->cycle ^= (t->control & TRB_TOGGLE) != 0;
    }
    xhci_die(s, "links that lead only to links");
    return false;
}

void xhci_kick(Xhci *s, unsigned slot, unsigned ep)
{
    s->kicked_eps[slot] |= 1u << ep;
    bh_schedule(s->kick_bh);
}

static void run_kicked(void *opaque)
{
    Xhci *s = opaque;

    if (!runstate_running()) {
        return;                /* machine_started() has it run */
    }
    for (unsigned slot = 0; slot <= s->num_slots && xhci_running(s); slot++) {
        uint32_t eps = s->kicked_eps[slot];

        s->kicked_eps[slot] = 0;
        while (eps) {
            unsigned ep = __builtin_ctz(eps);

            eps &= eps - 1;
            if (slot == 0) {
                xhci_run_commands(s);
            } else {
                xhci_run_endpoint(s, slot, ep);
            }
        }
    }
}

static void doorbell_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Xhci *s = opaque;
    unsigned slot = (offset - DOORBELLS) / 4, ep = value & 0xff, stream = value >> 16 & 0xffff;

    if (offset < DOORBELLS || slot > s->num_slots || !xhci_running(s)) {
        return;
    }
    if (slot == 0) {
        if (value == 0) {
            s->crcr |= 8; /* ring running */
            xhci_kick(s, 0, 0);
        }
    } else if (ep >= 1 && ep < XHCI_ENDPOINTS && s->slot[slot].ep[ep]) {
        XhciEndpoint *e = s->slot[slot].ep[ep];

        if (e->state == EP_STOPPED) {
            xhci_endpoint_set_state(s, e, EP_RUNNING);
        }
        if (e->max_streams_exp && !xhci_queue(s, e, stream)) {
            return;
        }
        xhci_kick(s, slot, ep);
    }
}

static uint64_t doorbell_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

/* ---- ports, 4.15 and 4.19: USB 2 ports come first, USB 3 ports after them ---- */

static unsigned first3(const Xhci *s)
{
    return s->num_ports2;
}

static bool is_usb3(const Xhci *s, unsigned n)
{
    return n >= first3(s);
}

/* What is plugged in and shows at root hub port n; NULL: nothing. */
static UsbDevice *port_device(Xhci *s, unsigned n)
{
    UsbDevice *d = s->port[is_usb3(s, n) ? n - first3(s) : n].dev;

    return d && d->attached && (d->speed == USB_SUPER) == is_usb3(s, n) ? d : NULL;
}

static void set_link(Xhci *s, unsigned n, unsigned pls)
{
    s->portsc[n] = (s->portsc[n] & ~(15u << 5)) | pls << 5;
}

static unsigned link_state(const Xhci *s, unsigned n)
{
    return s->portsc[n] >> 5 & 15;
}

static void port_notify(Xhci *s, unsigned n, uint32_t change)
{
    if (s->portsc[n] & change) {
        return;
    }
    s->portsc[n] |= change;
    s->usbsts |= STS_PCD;
    xhci_event(s, 0,
               &(XhciEvent){.parameter = (uint64_t)(n + 1) << 24,
                            .status = CC_SUCCESS << 24,
                            .control = TRB_PORT_EVENT << 10});
}

static void port_show(Xhci *s, unsigned n, bool notify)
{
    static const uint8_t speeds[] = {2, 1, 3, 4}; /* protocol speed ids: low, full, high, super */
    UsbDevice *d = port_device(s, n);
    bool was = s->portsc[n] & PORT_CCS;

    s->portsc[n] &= PORT_CHANGES | PORT_WAKES;
    s->portsc[n] |= PORT_PP;
    if (d) {
        s->portsc[n] |= PORT_CCS | speeds[d->speed] << 10;
        if (is_usb3(s, n)) {
            s->portsc[n] |= PORT_PED;
            set_link(s, n, PLS_U0);
        } else {
            set_link(s, n, PLS_POLLING);
        }
    } else {
        set_link(s, n, PLS_RX_DETECT);
    }
    if (notify && was != (d != NULL)) {
        port_notify(s, n, PORT_CSC);
    }
}

static void port_reset(Xhci *s, unsigned n, bool warm)
{
    UsbDevice *d = port_device(s, n);

    if (!d) {
        return;
    }
    usb_device_reset(d);
    s->portsc[n] |= PORT_PED;
    set_link(s, n, PLS_U0);
    if (warm && is_usb3(s, n)) {
        port_notify(s, n, PORT_WRC);
    }
    port_notify(s, n, PORT_PRC);
}

static void portsc_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;
    unsigned n = a->index;
    uint32_t v = a->value & a->mask;

    s->portsc[n] = (a->old & ~(v & PORT_CHANGES) & ~PORT_WAKES) | (a->value & PORT_WAKES);
    if (n >= s->num_ports2 + s->num_ports3) {
        s->portsc[n] = 0;
        return;
    }
    if (v & PORT_WPR) {
        port_reset(s, n, true);
    } else if (v & PORT_PR) {
        port_reset(s, n, false);
    } else if (v & PORT_PED) {
        s->portsc[n] &= ~PORT_PED; /* written 1 disables */
    } else if (v & PORT_LWS) {
        unsigned want = v >> 5 & 15, now = link_state(s, n);

        if (want == PLS_U0 && now != PLS_U0 && (s->portsc[n] & PORT_CCS)) {
            set_link(s, n, PLS_U0);
            port_notify(s, n, PORT_PLC);
        } else if ((want == PLS_U3 && now <= PLS_U3) ||
                   (want == PLS_RESUME && now == PLS_U3 && !is_usb3(s, n))) {
            set_link(s, n, want);
        } else if (want == PLS_RX_DETECT && is_usb3(s, n)) {
            port_show(s, n, false);
        }
    }
}

static void port_attach(UsbPort *p)
{
    Xhci *s = of_bus(p->bus);

    for (unsigned n = 0; n < s->num_ports2 + s->num_ports3; n++) {
        if ((is_usb3(s, n) ? n - first3(s) : n) == p->index) {
            port_show(s, n, true);
        }
    }
}

static void port_detach(UsbPort *p)
{
    Xhci *s = of_bus(p->bus);
    bool was = p->dev->attached;

    for (unsigned slot = 1; slot <= s->num_slots; slot++) {
        for (unsigned e = 1; s->slot[slot].port == p && e < XHCI_ENDPOINTS; e++) {
            if (s->slot[slot].ep[e]) {
                xhci_endpoint_stop(s, s->slot[slot].ep[e], false);
            }
        }
    }
    p->dev->attached = false;
    port_attach(p);
    p->dev->attached = was;
}

static void port_wakeup(UsbPort *p, UsbDevice *dev, uint8_t endpoint)
{
    Xhci *s = of_bus(p->bus);
    unsigned n = dev->speed == USB_SUPER ? p->index + first3(s) : p->index;

    if (link_state(s, n) == PLS_U3) {
        if (dev->remote_wakeup) {
            set_link(s, n, PLS_RESUME);
            port_notify(s, n, PORT_PLC);
        }
        return;
    }
    for (unsigned slot = 1; slot <= s->num_slots; slot++) {
        XhciSlot *x = &s->slot[slot];

        if (x->addressed && x->port == p && usb_find_route(p, x->route) == dev) {
            xhci_kick(s, slot, (endpoint & 15) * 2 + (endpoint & 0x80 ? 1 : 0));
        }
    }
}

static const UsbPortOps port_ops = {
    .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup};

/* ---- operational registers, 5.4 ---- */

static void controller_reset(Xhci *s)
{
    for (unsigned i = 1; i <= s->num_slots; i++) {
        xhci_slot_disable(s, i);
    }
    for (unsigned i = 0; i < s->num_intrs; i++) {
        intr_reset(s, i);
        s->iman[i] = 0;
        s->imod[i] = 4000;
        s->erstsz[i] = 0;
        s->erstba[i] = s->erdp[i] = 0;
    }
    s->usbcmd = 0;
    s->usbsts = STS_HALTED;
    s->dnctrl = s->config = 0;
    s->crcr = s->dcbaap = 0;
    s->commands = (XhciRing){.cycle = true};
    memset(s->kicked_eps, 0, sizeof(s->kicked_eps));
    s->mfindex_start_ns = clock_now_ns(CLOCK_GUEST);
    for (unsigned n = 0; n < s->num_ports2 + s->num_ports3; n++) {
        s->portsc[n] = 0;
        port_show(s, n, false);
        s->portsc[n] |= s->portsc[n] & PORT_CCS ? PORT_CSC : 0;
    }
    update_intx(s);
}

static void usbcmd_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;

    if (a->value & CMD_RESET) {
        controller_reset(s);
        return;
    }
    if (a->value & CMD_RESTORE) {
        s->usbsts |= STS_SRE; /* 4.23.2: nothing was saved, the driver starts from a reset */
    }
    if ((a->value & CMD_RUN) && !(a->old & CMD_RUN) && !(s->usbsts & STS_HCE)) {
        s->usbsts &= ~STS_HALTED;
        s->mfindex_start_ns = clock_now_ns(CLOCK_GUEST);
        for (unsigned n = 0; n < s->num_ports2 + s->num_ports3; n++) {
            if (s->portsc[n] & PORT_CSC) {
                s->portsc[n] &= ~PORT_CSC;
                port_notify(s, n, PORT_CSC);
            }
        }
    } else if (!(a->value & CMD_RUN)) {
        s->usbsts |= STS_HALTED;
        s->crcr &= ~8ull;
    }
    update_intx(s);
}

static void crcr_write(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;

    s->crcr = (a->value & ~0x3eull) | (a->old & 8);
    if ((a->value & 6) && (a->old & 8)) { /* stop or abort */
        s->crcr = a->old & ~8ull;
        xhci_event(s, 0,
                   &(XhciEvent){.parameter = s->commands.dequeue,
                                .status = CC_COMMAND_STOPPED << 24,
                                .control = TRB_COMMAND_EVENT << 10});
    } else if (!(a->old & 8)) {
        s->commands = (XhciRing){.dequeue = s->crcr & ~63ull, .cycle = s->crcr & 1};
    }
}

/* 5.4.5: only the running bit can be read. */
static uint64_t crcr_read(Device *d, const RegAccess *a)
{
    return ((Xhci *)d)->crcr & 8;
}

static uint64_t mfindex_read(Device *d, const RegAccess *a)
{
    return xhci_running((Xhci *)d) ? xhci_frame((Xhci *)d) & 0x3fff : 0;
}

/* ---- capability registers, 5.3, and supported protocols, 7.2 ---- */

static uint64_t hcsparams1_read(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;

    return s->num_slots | s->num_intrs << 8 | (s->num_ports2 + s->num_ports3) << 24;
}

static uint64_t hccparams_read(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;

    return 1 | (s->streams_on ? 7 << 12 : 0) | XECP / 4 << 16;
}

static uint64_t protocol2_read(Device *d, const RegAccess *a)
{
    return 1 | ((Xhci *)d)->num_ports2 << 8;
}

static uint64_t protocol3_read(Device *d, const RegAccess *a)
{
    Xhci *s = (Xhci *)d;

    return (first3(s) + 1) | s->num_ports3 << 8;
}

#define USB_NAME 0x20425355 /* "USB " */

static const Reg xhci_regs[] = {
    REG_HOOK(0x00, 1, "caplength", .reset = OPERATIONAL),
    REG_HOOK(0x02, 2, "hciversion", .reset = 0x0100),
    REG_HOOK(0x04, 4, "hcsparams1", .read = hcsparams1_read),
    REG_HOOK(0x08, 4, "hcsparams2", .reset = 0x0000000f),
    REG_HOOK(0x10, 4, "hccparams1", .read = hccparams_read),
    REG_HOOK(0x14, 4, "dboff", .reset = DOORBELLS),
    REG_HOOK(0x18, 4, "rtsoff", .reset = RUNTIME),
    REG_HOOK(0x20, 4, "protocol2", .reset = 0x02000402),
    REG_HOOK(0x24, 4, "protocol2_name", .reset = USB_NAME),
    REG_HOOK(0x28, 4, "protocol2_ports", .read = protocol2_read),
    REG_HOOK(0x30, 4, "protocol3", .reset = 0x03000002),
    REG_HOOK(0x34, 4, "protocol3_name", .reset = USB_NAME),
    REG_HOOK(0x38, 4, "protocol3_ports", .read = protocol3_read),
    REG(Xhci, 0x40, usbcmd, .wmask = 0xc0d, .write = usbcmd_write, .help = "command"),
    REG(Xhci, 0x44, usbsts, .reset = STS_HALTED, .w1c = STS_HSE | STS_EINT | STS_PCD | STS_SRE,
        .help = "status"),
    REG_HOOK(0x48, 4, "pagesize", .reset = 1),
    REG(Xhci, 0x54, dnctrl, .wmask = 0xffff, .help = "device notifications"),
    REG(Xhci, 0x58, crcr, .wmask = ~0ull, .read = crcr_read, .write = crcr_write,
        .help = "command ring"),
    REG(Xhci, 0x70, dcbaap, .wmask = ~63ull, .help = "device context base address array"),
    REG(Xhci, 0x78, config, .wmask = 0xff, .help = "device slots enabled"),
    REG_ARRAY(Xhci, 0x440, portsc, .stride = 16, .write = portsc_write,
              .help = "port status and control"),
    REG_ARRAY(Xhci, 0x444, portpmsc, .stride = 16, .wmask = 0x1fffff,
              .help = "port power management"),
    REG_ARRAY(Xhci, 0x448, portli, .stride = 16, .help = "link errors"),
    REG_ARRAY(Xhci, 0x44c, porthlpmc, .stride = 16, .wmask = 0x3fff, .help = "hardware LPM"),
    REG_HOOK(0x1000, 4, "mfindex", .read = mfindex_read),
    REG_ARRAY(Xhci, 0x1020, iman, .stride = 32, .wmask = 3, .write = iman_write,
              .help = "interrupter management"),
    REG_ARRAY(Xhci, 0x1024, imod, .stride = 32, .wmask = 0xffffffff, .reset = 4000,
              .help = "moderation, not acted on"),
    REG_ARRAY(Xhci, 0x1028, erstsz, .stride = 32, .wmask = 0xffff, .help = "event ring segments"),
    REG_ARRAY(Xhci, 0x1030, erstba, .stride = 32, .wmask = ~63ull, .write = erstba_write,
              .help = "segment table"),
    REG_ARRAY(Xhci, 0x1038, erdp, .stride = 32, .wmask = ~0ull, .write = erdp_write,
              .help = "event ring dequeue pointer"),
};

static const RegionOps doorbell_ops = {
    .read = doorbell_read,
    .write = doorbell_write,
    .min_size = 4,
    .max_size = 4,
    .endian = DEV_LITTLE,
};

static const RegBank xhci_banks[] = {
    {.name = "mmio",
     .size = BAR_SIZE,
     BANK_REGS(xhci_regs),
     .ops = &doorbell_ops,
     .endian = DEV_LITTLE},
    {0},
};

/* ---- the device ---- */

static bool xhci_check(const Xhci *s, GError **error)
{
    if (s->num_ports2 < 1 || s->num_ports2 > XHCI_MAX_PORTS_2 || s->num_ports3 > XHCI_MAX_PORTS_3) {
        return fail(error, "xhci: properties 'p2' and 'p3' must be at most 15, not %u and %u",
                    s->num_ports2, s->num_ports3);
    }
    if (s->num_slots < 1 || s->num_slots > XHCI_MAX_SLOTS) {
        return fail(error, "xhci: property 'slots' must be 1 to %u, not %u", XHCI_MAX_SLOTS,
                    s->num_slots);
    }
    if (s->num_intrs < 1 || s->num_intrs > XHCI_MAX_INTRS || (s->num_intrs & (s->num_intrs - 1))) {
        return fail(error, "xhci: property 'intrs' must be a power of two up to %u, not %u",
                    XHCI_MAX_INTRS, s->num_intrs);
    }
    return true;
}

static void machine_started(void *opaque, bool running)
{
    if (running) {
        bh_schedule(((Xhci *)opaque)->kick_bh);
    }
}

static bool xhci_realize(Device *d, GError **error)
{
    Xhci *s = (Xhci *)d;

    if (!xhci_check(s, error)) {
        return false;
    }
    pci_config_set(&s->pci, 0x60, 1, 0x30); /* serial bus release 3.0 */
    if (s->msi == ON_OFF_AUTO_ON && !pci_msi_init(&s->pci, s->num_intrs, error)) {
        return false;
    }
    if (s->msix != ON_OFF_AUTO_OFF && !pci_msix_init(&s->pci, s->num_intrs, 2, error)) {
        return false;
    }
    s->kick_bh = bh_new(run_kicked, s);
    s->saved = g_malloc0(xhci_saved_bytes(d));
    runstate_watch(machine_started, s);
    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        s->intr[i].held = g_queue_new();
    }
    usb_bus_init(&s->bus, d);
    s->num_ports = MAX(s->num_ports2, s->num_ports3);
    for (unsigned i = 0; i < s->num_ports; i++) {
        unsigned speeds = (i < s->num_ports2 ? USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL) |
                                                   USB_SPEED_BIT(USB_HIGH)
                                             : 0) |
                          (i < s->num_ports3 ? USB_SPEED_BIT(USB_SUPER) : 0);

        usb_port_add(&s->bus, &s->port[i], NULL, i, speeds, &port_ops, NULL);
    }
    return true;
}

static void xhci_unrealize(Device *d)
{
    Xhci *s = (Xhci *)d;

    for (unsigned i = 1; i <= s->num_slots; i++) {
        xhci_slot_disable(s, i);
    }
    usb_bus_fini(&s->bus);
    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        intr_reset(s, i);
        g_clear_pointer(&s->intr[i].held, g_queue_free);
    }
    runstate_unwatch(machine_started, s);
    g_clear_pointer(&s->kick_bh, bh_free);
    g_clear_pointer(&s->saved, g_free);
}

static void xhci_reset(Device *d)
{
    controller_reset((Xhci *)d);
}

static const Prop xhci_props[] = {
    PROP_U32(Xhci, num_ports2, "p2", 4, .help = "USB 2 ports"),
    PROP_U32(Xhci, num_ports3, "p3", 4, .help = "USB 3 ports"),
    PROP_U32(Xhci, num_slots, "slots", 64),
    PROP_U32(Xhci, num_intrs, "intrs", 16),
    PROP_BOOL(Xhci, streams_on, "streams", true),
    PROP_ON_OFF_AUTO(Xhci, msi, "msi", ON_OFF_AUTO_AUTO),
    PROP_ON_OFF_AUTO(Xhci, msix, "msix", ON_OFF_AUTO_AUTO),
    PROP_END,
};

static const StateField xhci_state[] = {
    STATE_STRUCT(Xhci, commands, xhci_ring_state),
    STATE_STRUCTS(Xhci, slot, xhci_slot_state),
    STATE_STRUCTS(Xhci, intr, xhci_interrupter_state),
    STATE_BUF(Xhci, saved, xhci_saved_bytes),
    STATE(Xhci, mfindex_start_ns),
    HOST_ONLY(Xhci, bus, "host side"),
    HOST_ONLY(Xhci, port, "host side"),
    HOST_ONLY(Xhci, num_ports, "by the properties"),
    HOST_ONLY(Xhci, kick_bh, "host side"),
    STATE_ARRAY(Xhci, kicked_eps),
    STATE_END,
};

static const PciInfo qemu_xhci_pci = {
    .vendor = 0x1b36,
    .device = 0x000d,
    .class_code = 0x0c0330,
    .revision = 1,
    .pin = 1,
    .express = true,
    .bar = {[0] = {.kind = PCI_BAR_MEM64, .bank = "mmio"}},
};
static const PciInfo nec_xhci_pci = {
    .vendor = 0x1033,
    .device = 0x0194,
    .class_code = 0x0c0330,
    .revision = 3,
    .pin = 1,
    .express = true,
    .bar = {[0] = {.kind = PCI_BAR_MEM64, .bank = "mmio"}},
};

#define XHCI_DEVICE(name_, desc_, pci_)                                                         \
    {                                                                                           \
        .name = name_, .parent = "pci-device", .bus = "PCI", .category = "usb", .desc = desc_,  \
        .size = sizeof(Xhci), .state_version = 1, .hotpluggable = true, .bus_info = &pci_,      \
        .saving = xhci_saving, .unsaved = xhci_unsaved, .post_load = xhci_post_load,            \
        .props = xhci_props, .banks = xhci_banks, .state = xhci_state, .realize = xhci_realize, \
        .unrealize = xhci_unrealize, .reset = xhci_reset,                                       \
    }

static const DeviceType qemu_xhci_type =
    XHCI_DEVICE("qemu-xhci", "USB 3 host controller", qemu_xhci_pci);
DEVICE_TYPE(qemu_xhci_type);
static const DeviceType nec_xhci_type =
    XHCI_DEVICE("nec-usb-xhci", "NEC USB 3 host controller", nec_xhci_pci);
DEVICE_TYPE(nec_xhci_type);
