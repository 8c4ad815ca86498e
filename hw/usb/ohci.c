// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open host controller interface for USB (OpenHCI 1.0a) on PCI. A frame is walked every
 * millisecond while the controller is operational: interrupt and isochronous endpoints, then
 * control and bulk. Left out: legacy support, overcurrent, gang power.
 */
#include <string.h>

#include "hw/pci/pci.h"
#include "hw/usb/usb.h"
#include "pending.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/timer.h"

#define MAX_PORTS 15u
#define NS_PER_FRAME 1000000ll
#define FRAME_EDS 512u           /* endpoints looked at in a frame */
#define FRAME_TDS 256u
#define MAX_TD 8192u
#define NO_DONE 7u

enum {
    CTL_PLE = 1 << 2,
    CTL_IE = 1 << 3,
    CTL_CLE = 1 << 4,
    CTL_BLE = 1 << 5,
    CTL_HCFS = 3 << 6,
    CTL_OPERATIONAL = 2 << 6,
    CTL_RESUME = 1 << 6,
    CTL_SUSPEND = 3 << 6,
    CTL_WMASK = 0x7ff };
enum { CS_HCR = 1, CS_CLF = 2, CS_BLF = 4, CS_OCR = 8 };
enum { INT_SO = 1, INT_WDH = 2, INT_SF = 4, INT_RD = 8, INT_UE = 16, INT_FNO = 32, INT_RHSC = 64 };
#define INT_MIE (1u << 31)
enum { ED_SKIP = 1 << 14, ED_ISO = 1 << 15, HEAD_HALTED = 1, HEAD_CARRY = 2 };
enum { TD_ROUNDING = 1 << 18 };
enum { CC_NONE = 0, CC_STALL = 4, CC_NO_RESPONSE = 5, CC_OVERRUN = 8, CC_UNDERRUN = 9 };
/* Root hub ports, 7.4.4. */
enum {
    PS_CCS = 1,
    PS_PES = 2,
    PS_PSS = 4,
    PS_PRS = 16,
    PS_PPS = 1 << 8,
    PS_LSDA = 1 << 9,
    PS_CSC = 1 << 16,
    PS_PESC = 1 << 17,
    PS_PSSC = 1 << 18,
    PS_OCIC = 1 << 19,
    PS_PRSC = 1 << 20,
    PS_CHANGES = 0x1f << 16 };
enum { RHA_NPS = 1 << 9, RHA_PSM = 1 << 8 };

typedef struct Ohci {
    PciDevice pci;
    Irq irq;                     /* of those that are not on PCI */
    bool system;                 /* not on PCI */
    uint32_t num_ports, firstport;
    char *masterbus;
    /* registers */
    uint32_t control, cmdstatus, intstatus, intr, hcca, period_ed, control_head, control_ed, bulk_head, bulk_ed, done_head,
        fminterval, periodic_start, lsthreshold, rhdesca, rhdescb, rhstatus, portsc[MAX_PORTS];
    /* state */
    uint16_t frame;
    uint8_t done_count;
    int64_t frame_due_ns;
    Timer timer;
    /* host side */
    UsbBus bus;
    UsbPort port[MAX_PORTS];
    GPtrArray *async;
    unsigned tds;                /* that the frame may still run */
} Ohci;

typedef struct Ed {
    uint32_t flags, tail, head, next;
} Ed;

typedef struct Td {
    uint32_t flags, cbp, next, be;
} Td;

static void update_irq(Ohci *s)
{
    bool level = (s->intr & INT_MIE) && (s->intstatus & s->intr & ~INT_MIE);

    if (s->system) {
        irq_set(&s->irq, level);
    } else {
        pci_set_irq(&s->pci, level);
    }
}

static void raise_int(Ohci *s, uint32_t bits)
{
    s->intstatus |= bits;
    update_irq(s);
}

/* Guest memory that is not there: the controller stops (4.6). */
static void die(Ohci *s)
{
    s->control = (s->control & ~(uint32_t)CTL_HCFS) | CTL_SUSPEND;
    timer_cancel(&s->timer);
    raise_int(s, INT_UE);
}

static bool read_words(Ohci *s, uint32_t addr, uint32_t *w, unsigned n)
{
    if (!usb_words_read(&s->pci.dev, addr, w, n)) {
        die(s);
        return false;
    }
    return true;
}

static void write_word(Ohci *s, uint32_t addr, uint32_t v)
{
    dma_store(&s->pci.dev, addr, v, 4, DEV_LITTLE);
}

static UsbDevice *find_device(Ohci *s, uint8_t addr)
{
    for (unsigned i = 0; i < s->num_ports; i++) {
        UsbDevice *d = s->portsc[i] & PS_PES ? usb_find(&s->port[i], addr) : NULL;

        if (d) {
            return d;
        }
    }
    return NULL;
}

/* ---- transfers, 4.3 ---- */

static uint32_t span(uint32_t first, uint32_t last)
{
    return first >> 12 == last >> 12 ? last - first + 1 : (last & 0xfff) + 0x1001 - (first & 0xfff);
}

static uint32_t td_len(const Td *td)
{
    uint32_t n = td->cbp ? span(td->cbp, td->be) : 0;

    return n > MAX_TD ? 0 : n;
}

/* A buffer is a piece of one page and one of the page of its end. */
static bool buffer_copy(Ohci *s, uint32_t first, uint32_t last, uint8_t *buf, uint32_t len,
                        bool to_guest)
{
    uint32_t n = MIN(len, 0x1000 - (first & 0xfff));
    bool ok =
        to_guest ? dma_write(&s->pci.dev, first, buf, n) : dma_read(&s->pci.dev, first, buf, n);

    if (ok && n < len) {
        uint32_t page = last & ~0xfffu;

        ok = to_guest ? dma_write(&s->pci.dev, page, buf + n, len - n)
                      : dma_read(&s->pci.dev, page, buf + n, len - n);
    }
    if (!ok) {
        die(s);
    }
    return ok;
}

/* The address after n bytes of the buffer. */
static uint32_t buffer_after(const Td *td, uint32_t n)
{
    uint32_t at = (td->cbp & 0xfff) + n;

    return at < 0x1000 ? td->cbp + n : (td->be & ~0xfffu) | (at & 0xfff);
}

/* 6.5: onto the done queue; the interrupt comes with the queue, after the delay it asks for. */
static void td_retire(Ohci *s, uint32_t ed_addr, Ed *ed, uint32_t td_addr, uint32_t flags,
                      uint32_t cbp, uint32_t next)
{
    uint32_t delay = flags >> 21 & 7;

    ed->head = (next & ~15u) | (ed->head & (HEAD_HALTED | HEAD_CARRY));
    write_word(s, td_addr, flags);
    write_word(s, td_addr + 4, cbp);
    write_word(s, td_addr + 8, s->done_head);
    s->done_head = td_addr;
    s->done_count = MIN(s->done_count, delay);
    write_word(s, ed_addr + 8, ed->head);
}

static uint32_t condition(const UsbPacket *p)
{
    switch (p->status) {
    case USB_OK: return CC_NONE;
    case USB_STALL: return CC_STALL;
    case USB_BABBLE: return CC_OVERRUN;
    default: return CC_NO_RESPONSE;
    }
}

/* True: the next descriptor of the endpoint may run. */
static bool td_complete(Ohci *s, uint32_t ed_addr, Ed *ed, uint32_t td_addr, Td *td, UsbPending *a)
{
    const UsbPacket *p = &a->packet;
    uint32_t len = td_len(td), cc = condition(p), max = MAX(ed->flags >> 16 & 0x7ff, 1);
    uint32_t actual = (uint32_t)p->actual, cbp = 0;
    bool carry = td->flags & 1u << 25 ? td->flags >> 24 & 1 : ed->head >> 1 & 1;

    if (p->status == USB_NAK) {
        return false;
    }
    if (p->pid == USB_IN && actual && !buffer_copy(s, td->cbp, td->be, a->buf, actual, true)) {
        return false;
    }
    if (cc == CC_NONE && actual < len) {
        cbp = buffer_after(td, actual);
        cc = td->flags & TD_ROUNDING ? CC_NONE : CC_UNDERRUN;
    } else if (cc != CC_NONE) {
        cbp = buffer_after(td, actual);
    }
    if (cc == CC_NONE || cc == CC_UNDERRUN) {
        /* a toggle a packet; an empty transfer is one */
        carry ^= (MAX((actual + max - 1) / max, 1) & 1) != 0;
    }
    ed->head = (ed->head & ~(uint32_t)(HEAD_CARRY | HEAD_HALTED)) | (carry ? HEAD_CARRY : 0) |
               (cc ? HEAD_HALTED : 0);
    td->flags = (td->flags & 0x00ffffff) | 1u << 25 | (uint32_t)carry << 24 | cc << 28;
    if (cc) {
        td->flags &= ~(7u << 21);    /* errors are told at once */
    }
    td_retire(s, ed_addr, ed, td_addr, td->flags, cbp, td->next);
    return !cc;
}

static bool td_run(Ohci *s, uint32_t ed_addr, Ed *ed)
{
    uint32_t addr = ed->head & ~15u;
    UsbPending *a = usb_pending_find(s->async, addr);
    uint32_t w[4], direction;
    bool go_on;

    if (!read_words(s, addr, w, 4)) {
        return false;
    }
    Td td = { w[0], w[1], w[2], w[3] };

    if (a) {
        if (!a->done) {
            return false;
        }
        go_on = td_complete(s, ed_addr, ed, addr, &td, a);
        usb_pending_take(s->async, a);
        g_free(a);
        return go_on;
    }
    direction = ed->flags >> 11 & 3;
    direction = direction == 1 || direction == 2 ? direction : td.flags >> 19 & 3;
    uint32_t len = td_len(&td);

    a = usb_pending_new(addr, direction == 0 ? USB_SETUP : direction == 1 ? USB_OUT : USB_IN,
                        find_device(s, ed->flags & 0x7f), ed->flags >> 7 & 15, len);
    if (direction != 2 && len && !buffer_copy(s, td.cbp, td.be, a->buf, len, false)) {
        g_free(a);
        return false;
    }
    if (!usb_pending_run(s->async, a)) {
        return false;
    }
    go_on = td_complete(s, ed_addr, ed, addr, &td, a);
    g_free(a);
    return go_on;
}

/* 4.3.2: up to eight frames of a descriptor, each with its own piece of the buffer. */
static bool iso_run(Ohci *s, uint32_t ed_addr, Ed *ed)
{
    uint32_t addr = ed->head & ~31u, w[8], direction = ed->flags >> 11 & 3;

    if (!read_words(s, addr, w, 8)) {
        return false;
    }
    int16_t which = (int16_t)(s->frame - (w[0] & 0xffff));
    unsigned count = (w[0] >> 24 & 7) + 1;

    if (which < 0) {
        return false;
    }
    if ((unsigned)which >= count) {    /* too late */
        td_retire(s, ed_addr, ed, addr, (w[0] & 0x0fffffff) | CC_OVERRUN << 28, w[1], w[2]);
        return true;
    }
    uint32_t offsets[9];

    for (unsigned i = 0; i < 8; i++) {
        offsets[i] = w[4 + i / 2] >> 16 * (i & 1) & 0xffff;
    }
    uint32_t first = ((offsets[which] & 0x1000 ? w[3] : w[1]) & ~0xfffu) | (offsets[which] & 0xfff);
    uint32_t last = (unsigned)which + 1 < count
                        ? ((offsets[which + 1] & 0x1000 ? w[3] : w[1]) & ~0xfffu) +
                              (offsets[which + 1] & 0xfff) - 1
                        : w[3];
    uint32_t len = span(first, last), cc = CC_NO_RESPONSE, actual = 0;
    UsbPending *a;

    if (len > 1024 || direction == 0 || direction == 3) {
        len = 0;
    }
    a = usb_pending_new(addr, direction == 2 ? USB_IN : USB_OUT, find_device(s, ed->flags & 0x7f),
                        ed->flags >> 7 & 15, len);
    if (direction == 2 || !len || buffer_copy(s, first, last, a->buf, len, false)) {
        usb_packet_run(&a->packet);
        if (a->packet.status == USB_ASYNC) {
            usb_packet_cancel(&a->packet);
        }
        cc = a->packet.status == USB_NAK ? CC_NONE : condition(&a->packet);
        actual = (uint32_t)a->packet.actual;
        if (direction == 2 && actual) {
            buffer_copy(s, first, last, a->buf, actual, true);
        }
    }
    g_free(a);
    uint16_t status = (uint16_t)(cc << 12 | (direction == 2 ? actual & 0xfff : 0));

    dma_store(&s->pci.dev, addr + 16 + 2u * (unsigned)which, status, 2, DEV_LITTLE);
    if ((unsigned)which + 1 == count) {
        td_retire(s, ed_addr, ed, addr, w[0] & 0x0fffffff, w[1], w[2]);
        return true;
    }
    return false;
}

/* Walks a list of endpoints; whether one of them had something to do. */
static bool list_run(Ohci *s, uint32_t head)
{
    bool active = false;

    for (unsigned n = 0;
         head && n < FRAME_EDS && s->tds && (s->control & CTL_HCFS) == CTL_OPERATIONAL; n++) {
        uint32_t w[4];

        if (!read_words(s, head, w, 4)) {
            return false;
        }
        Ed ed = { w[0], w[1], w[2], w[3] };

        while (!(ed.flags & ED_SKIP) && !(ed.head & HEAD_HALTED) &&
               (ed.head & ~15u) != (ed.tail & ~15u) && s->tds) {
            active = true;
            s->tds--;
            if (!(ed.flags & ED_ISO ? iso_run : td_run)(s, head, &ed)) {
                break;
            }
        }
        head = ed.next & ~15u;
    }
    return active;
}

static void frame_run(Ohci *s)
{
    bool ok;

    s->tds = FRAME_TDS;
    if (s->control & CTL_PLE) {
        uint32_t head = dma_load(&s->pci.dev, s->hcca + 4u * (s->frame & 31), 4, DEV_LITTLE, &ok);

        if (!ok) {
            die(s);
            return;
        }
        list_run(s, head & ~15u);
    }
    if (s->control & CTL_CLE && s->cmdstatus & CS_CLF && !list_run(s, s->control_head)) {
        s->cmdstatus &= ~(uint32_t)CS_CLF;
    }
    if (s->control & CTL_BLE && s->cmdstatus & CS_BLF && !list_run(s, s->bulk_head)) {
        s->cmdstatus &= ~(uint32_t)CS_BLF;
    }
}

static void frame_due(void *opaque)
{
    Ohci *s = opaque;
    int64_t now = clock_now_ns(CLOCK_GUEST);

    frame_run(s);
    if ((s->control & CTL_HCFS) != CTL_OPERATIONAL) {
        return;
    }
    if ((s->frame & 31) == 0) {
        usb_pending_sweep(s->async);
    }
    if (s->done_count == 0 && !(s->intstatus & INT_WDH)) {
        if (s->done_head) {
            write_word(s, s->hcca + 0x84, s->done_head | (s->intstatus & s->intr ? 1 : 0));
            s->done_head = 0;
            s->done_count = NO_DONE;
            raise_int(s, INT_WDH);
        }
    } else if (s->done_count != NO_DONE && s->done_count) {
        s->done_count--;
    }
    s->frame++;
    write_word(s, s->hcca + 0x80, s->frame);
    raise_int(s, INT_SF | (s->frame & 0x7fff ? 0 : INT_FNO));
    s->frame_due_ns = MAX(s->frame_due_ns + NS_PER_FRAME, now - 10 * NS_PER_FRAME);
    timer_set_ns(&s->timer, s->frame_due_ns);
}

/* ---- the root hub ---- */

static void port_attach(UsbPort *p)
{
    Ohci *s = p->opaque;
    uint32_t *ps = &s->portsc[p->index];

    *ps = (*ps & ~(uint32_t)PS_LSDA) | PS_CCS | PS_CSC | (p->dev->speed == USB_LOW ? PS_LSDA : 0);
    raise_int(s, INT_RHSC | ((s->control & CTL_HCFS) == CTL_SUSPEND ? INT_RD : 0));
}

static void port_detach(UsbPort *p)
{
    Ohci *s = p->opaque;
    uint32_t *ps = &s->portsc[p->index];

    usb_pending_clear(s->async);
    *ps |= PS_CSC | (*ps & PS_PES ? PS_PESC : 0);
    *ps &= ~(uint32_t)(PS_CCS | PS_PES | PS_PSS | PS_LSDA);
    raise_int(s, INT_RHSC);
}

static void port_wakeup(UsbPort *p, UsbDevice *dev, uint8_t endpoint)
{
    Ohci *s = p->opaque;
    uint32_t *ps = &s->portsc[p->index];

    if (*ps & PS_PSS && dev->remote_wakeup) {
        *ps = (*ps & ~(uint32_t)PS_PSS) | PS_PSSC;
        raise_int(s, INT_RHSC);
    }
    if ((s->control & CTL_HCFS) == CTL_SUSPEND && dev->remote_wakeup) {
        s->control = (s->control & ~(uint32_t)CTL_HCFS) | CTL_RESUME;
        raise_int(s, INT_RD);
    }
}

static const UsbPortOps port_ops = {
    .attach = port_attach, .detach = port_detach, .wakeup = port_wakeup};

static void portsc_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;
    uint32_t v = (uint32_t)a->value & (uint32_t)a->mask, *ps = &s->portsc[a->index];
    UsbDevice *dev = a->index < s->num_ports ? s->port[a->index].dev : NULL;
    bool there = dev && dev->attached;

    *ps = (uint32_t)a->old & ~(v & PS_CHANGES);
    if (v & PS_CCS) {             /* ClearPortEnable */
        *ps &= ~(uint32_t)PS_PES;
    }
    if (v & PS_PES) {             /* SetPortEnable */
        *ps |= there ? PS_PES : PS_CSC;
    }
    if (v & PS_PSS && there) {    /* SetPortSuspend */
        *ps |= PS_PSS;
    }
    if (v & 1 << 3 && *ps & PS_PSS) {
        *ps = (*ps & ~(uint32_t)PS_PSS) | PS_PSSC;
    }
    if (v & PS_PRS) {             /* SetPortReset: done at once */
        if (there) {
            usb_device_reset(dev);
            *ps = (*ps & ~(uint32_t)PS_PSS) | PS_PES | PS_PRSC;
        } else {
            *ps |= PS_CSC;
        }
    }
    if (v & PS_PPS) {
        *ps |= PS_PPS;
    }
    if (v & PS_LSDA) {            /* ClearPortPower */
        *ps &= ~(uint32_t)PS_PPS;
    }
    if ((*ps & ~(uint32_t)a->old) & PS_CHANGES) {
        s->intstatus |= INT_RHSC;
    }
    update_irq(s);
}

/* ---- registers, chapter 7 ---- */

static void soft_reset(Ohci *s)
{
    timer_cancel(&s->timer);
    usb_pending_clear(s->async);
    s->control &= 1 << 8;
    s->control |= CTL_SUSPEND;
    s->cmdstatus = s->intstatus = s->intr = s->hcca = s->period_ed = s->control_head =
        s->control_ed = 0;
    s->bulk_head = s->bulk_ed = s->done_head = s->periodic_start = 0;
    s->fminterval = 0x27782edf;
    s->lsthreshold = 0x628;
    s->done_count = NO_DONE;
    s->frame = 0;
    update_irq(s);
}

static void root_hub_reset(Ohci *s)
{
    s->rhdesca = RHA_NPS | s->num_ports;
    s->rhdescb = s->rhstatus = 0;
    for (unsigned i = 0; i < s->num_ports; i++) {
        UsbDevice *dev = s->port[i].dev;

        s->portsc[i] = 0;
        if (dev && dev->attached) {
            usb_device_reset(dev);
            port_attach(&s->port[i]);
        }
    }
}

static void control_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;
    uint32_t state = s->control & CTL_HCFS;

    if (state == (a->old & CTL_HCFS)) {
        return;
    }
    if (state == CTL_OPERATIONAL) {
        s->frame_due_ns = clock_now_ns(CLOCK_GUEST) + NS_PER_FRAME;
        timer_set_ns(&s->timer, s->frame_due_ns);
        return;
    }
    timer_cancel(&s->timer);
    if (state == 0) {
        root_hub_reset(s);
    }
}

static void cmdstatus_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;
    uint32_t v = (uint32_t)a->value & (uint32_t)a->mask;

    s->cmdstatus = (uint32_t)a->old | (v & (CS_CLF | CS_BLF));
    if (v & CS_HCR) {
        soft_reset(s);
    }
}

static void intstatus_write(Device *d, const RegAccess *a)
{
    update_irq((Ohci *)d);
}

static void inten_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;

    s->intr |= (uint32_t)a->value & (uint32_t)a->mask & 0xc000007f;
    update_irq(s);
}

static void intdis_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;

    s->intr &= ~((uint32_t)a->value & (uint32_t)a->mask);
    update_irq(s);
}

static uint64_t intr_read(Device *d, const RegAccess *a)
{
    return ((Ohci *)d)->intr;
}

static uint64_t fmnumber_read(Device *d, const RegAccess *a)
{
    return ((Ohci *)d)->frame;
}

static uint64_t fmremaining_read(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;
    int64_t left = (s->control & CTL_HCFS) == CTL_OPERATIONAL
                       ? s->frame_due_ns - clock_now_ns(CLOCK_GUEST)
                       : 0;

    left = CLAMP(left, 0, NS_PER_FRAME);
    return (s->fminterval & 1u << 31) | (uint64_t)left * (s->fminterval & 0x3fff) / NS_PER_FRAME;
}

static void rhstatus_write(Device *d, const RegAccess *a)
{
    Ohci *s = (Ohci *)d;
    uint32_t v = (uint32_t)a->value & (uint32_t)a->mask;

    s->rhstatus = (uint32_t)a->old & ~(v & 1u << 17);
    for (unsigned i = 0; i < s->num_ports; i++) {
        s->portsc[i] = v & 1u << 16 ? s->portsc[i] | PS_PPS
                       : v & 1      ? s->portsc[i] & ~(uint32_t)PS_PPS
                                    : s->portsc[i];
    }
    s->rhstatus = v & 1u << 31   ? s->rhstatus & ~(1u << 15)
                  : v & 1u << 15 ? s->rhstatus | 1u << 15
                                 : s->rhstatus;
}

static const Reg ohci_regs[] = {
    REG_HOOK(0x00, 4, "revision", .reset = 0x10),
    REG(Ohci, 0x04, control, .wmask = CTL_WMASK, .write = control_write),
    REG(Ohci, 0x08, cmdstatus, .write = cmdstatus_write),
    REG(Ohci, 0x0c, intstatus, .w1c = 0x4000007f, .write = intstatus_write),
    REG_HOOK(0x10, 4, "interrupt_enable", .read = intr_read, .write = inten_write),
    REG_HOOK(0x14, 4, "interrupt_disable", .read = intr_read, .write = intdis_write),
    REG(Ohci, 0x18, hcca, .wmask = 0xffffff00),
    REG(Ohci, 0x1c, period_ed),
    REG(Ohci, 0x20, control_head, .wmask = 0xfffffff0),
    REG(Ohci, 0x24, control_ed, .wmask = 0xfffffff0),
    REG(Ohci, 0x28, bulk_head, .wmask = 0xfffffff0),
    REG(Ohci, 0x2c, bulk_ed, .wmask = 0xfffffff0),
    REG(Ohci, 0x30, done_head),
    REG(Ohci, 0x34, fminterval, .reset = 0x27782edf, .wmask = 0xffff3fff),
    REG_HOOK(0x38, 4, "fmremaining", .read = fmremaining_read),
    REG_HOOK(0x3c, 4, "fmnumber", .read = fmnumber_read),
    REG(Ohci, 0x40, periodic_start, .wmask = 0x3fff),
    REG(Ohci, 0x44, lsthreshold, .reset = 0x628, .wmask = 0xfff),
    REG(Ohci, 0x48, rhdesca, .wmask = 0xff001b00),
    REG(Ohci, 0x4c, rhdescb, .wmask = UINT32_MAX),
    REG(Ohci, 0x50, rhstatus, .write = rhstatus_write),
    REG_ARRAY(Ohci, 0x54, portsc, .write = portsc_write),
};

static const RegBank ohci_banks[] = {{.name = "mmio", .size = 0x100, BANK_REGS(ohci_regs)}, {0}};

/* ---- the device ---- */

static bool ohci_realize(Device *d, GError **error)
{
    Ohci *s = (Ohci *)d;

    if (s->num_ports > MAX_PORTS || !s->num_ports) {
        return fail(error, "OHCI num-ports=%u is too big (limit is %u ports)", s->num_ports,
                    MAX_PORTS);
    }
    s->async = g_ptr_array_new();
    timer_init(&s->timer, CLOCK_GUEST, frame_due, s);
    if (s->masterbus) {
        return usb_companion_add(d, s->masterbus, s->port, s->num_ports, s->firstport,
                                 USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL), &port_ops,
                                 error);
    }
    usb_bus_init(&s->bus, d);
    for (unsigned i = 0; i < s->num_ports; i++) {
        usb_port_add(&s->bus, &s->port[i], NULL, i,
                     USB_SPEED_BIT(USB_LOW) | USB_SPEED_BIT(USB_FULL), &port_ops, s);
    }
    return true;
}

static void ohci_unrealize(Device *d)
{
    Ohci *s = (Ohci *)d;

    timer_cancel(&s->timer);
    if (!s->masterbus) {
        usb_bus_fini(&s->bus);
    }
    usb_pending_clear(s->async);
    g_clear_pointer(&s->async, g_ptr_array_unref);
}

static void ohci_reset(Device *d)
{
    Ohci *s = (Ohci *)d;

    soft_reset(s);
    s->control = 0;
    root_hub_reset(s);
}

static const Prop ohci_props[] = {
    PROP_STRING(Ohci, masterbus, "masterbus"), PROP_U32(Ohci, num_ports, "num-ports", 3),
    PROP_U32(Ohci, firstport, "firstport", 0), PROP_END,
};

static const StateField ohci_state[] = {
    STATE(Ohci, intr), STATE(Ohci, frame), STATE(Ohci, done_count), STATE(Ohci, frame_due_ns), STATE_TIMER_FIELD(Ohci, timer),
    HOST_ONLY(Ohci, system, "the type's"), HOST_ONLY(Ohci, irq, "follows the registers"), HOST_ONLY(Ohci, pci, "its base's, if it has one"),
    HOST_ONLY(Ohci, bus, "host side"), HOST_ONLY(Ohci, port, "places of devices"),
    HOST_ONLY(Ohci, async, "run again from their descriptors"), HOST_ONLY(Ohci, tds, "of the frame at hand"), STATE_END,
};

static const PciInfo ohci_pci = {
    .vendor = 0x106b, .device = 0x003f, .class_code = 0x0c0310, .pin = 1,
    .bar = { { .kind = PCI_BAR_MEM32, .bank = "mmio" } },
};

static const DeviceType ohci_type = {
    .name = "pci-ohci", .parent = "pci-device", .bus = "PCI", .category = "usb", .desc = "Apple USB Controller",
    .size = sizeof(Ohci), .state_version = 1, .hotpluggable = false, .bus_info = &ohci_pci, .props = ohci_props,
    .banks = ohci_banks, .state = ohci_state, .realize = ohci_realize, .unrealize = ohci_unrealize, .reset = ohci_reset,
};
DEVICE_TYPE(ohci_type);

/* ---- in systems on a chip ---- */

static bool ohci_system_realize(Device *d, GError **error)
{
    ((Ohci *)d)->system = true;
    return ohci_realize(d, error);
}

static const PinRow ohci_system_pins[] = {PIN_OUT(Ohci, irq, "irq"), PIN_END};

static const DeviceType ohci_system_type = {
    .name = "sysbus-ohci", .category = "usb", .desc = "OHCI USB Controller", .internal = true, .size = sizeof(Ohci),
    .state_version = 1, .props = ohci_props, .banks = ohci_banks, .pins = ohci_system_pins, .state = ohci_state,
    .realize = ohci_system_realize, .unrealize = ohci_unrealize, .reset = ohci_reset,
};
DEVICE_TYPE(ohci_system_type);
