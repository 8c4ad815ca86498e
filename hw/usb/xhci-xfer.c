// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transfer rings of the extensible host controller (xHCI 1.1, 4.9 to 4.12): transfer descriptors
 * become packets to devices and come back as events. One descriptor of a ring, or of a stream, is
 * under way at a time.
 */
#include "xhci.h"

#include <string.h>

#include "util/bswap.h"

#define STREAM_CONTEXT 16u
#define NS_PER_FRAME 125000ll
#define MAX_TDS_IN_A_ROW 512

static bool endpoint_in(const XhciEndpoint *e)
{
    return e->type == EP_CONTROL || e->type >= EP_ISOCH_IN;
}

static bool is_isoch(const XhciEndpoint *e)
{
    return (e->type & 3) == 1;
}

/* ---- endpoints and their queues ---- */

static void isoch_due(void *opaque)
{
    XhciEndpoint *e = opaque;

    xhci_kick(e->xhci, e->slot, e->index);
}

XhciEndpoint *xhci_endpoint_new(Xhci *s, unsigned slot, unsigned ep, const uint32_t *ctx)
{
    unsigned type = ctx[1] >> 3 & 7, exp = ctx[0] >> 10 & 31;
    bool linear = ctx[0] & 1 << 15;

    if (type == 0 || (exp && (!s->streams_on || !linear || exp > 7 ||
                              (type != EP_BULK_IN && type != EP_BULK_OUT)))) {
        return NULL;
    }
    XhciEndpoint *e = g_new0(XhciEndpoint, 1);

    *e = (XhciEndpoint){.type = type,
                        .state = EP_RUNNING,
                        .interval_exp = MIN(ctx[0] >> 16 & 0xff, 15u),
                        .max_packet = ctx[1] >> 16,
                        .max_streams_exp = exp,
                        .xhci = s,
                        .slot = slot,
                        .index = ep};
    uint64_t dequeue = ctx[2] | (uint64_t)ctx[3] << 32;

    if (exp) {
        e->streams_base = dequeue & ~15ull;
        e->streams = g_new0(XhciQueue, 2u << exp);
    } else {
        e->queue.ring = (XhciRing){.dequeue = dequeue & ~15ull, .cycle = dequeue & 1};
    }
    timer_init(&e->timer, CLOCK_GUEST, isoch_due, e);
    return e;
}

XhciQueue *xhci_queue(Xhci *s, XhciEndpoint *e, unsigned stream)
{
    uint32_t ctx[2];

    if (!e->max_streams_exp) {
        return stream == 0 ? &e->queue : NULL;
    }
    if (stream == 0 || stream >= 2u << e->max_streams_exp) {
        return NULL;
    }
    XhciQueue *q = &e->streams[stream];

    if (!q->ring.dequeue) {
        if (!xhci_context_read(s, e->streams_base + stream * STREAM_CONTEXT, ctx, 2) ||
            (ctx[0] >> 1 & 7) != 1) {
            return NULL; /* only rings that a primary stream array holds */
        }
        q->ring =
            (XhciRing){.dequeue = (ctx[0] & ~15u) | (uint64_t)ctx[1] << 32, .cycle = ctx[0] & 1};
    }
    return q;
}

static unsigned num_queues(const XhciEndpoint *e)
{
    return e->max_streams_exp ? 2u << e->max_streams_exp : 1;
}

static XhciQueue *queue_at(XhciEndpoint *e, unsigned i)
{
    return e->max_streams_exp ? &e->streams[i] : &e->queue;
}

/* Streams' rings go back to their contexts, where xhci_queue() finds them again. */
static void streams_write_back(Xhci *s, XhciEndpoint *e)
{
    for (unsigned i = 1; i < num_queues(e); i++) {
        const XhciRing *r = &e->streams[i].ring;
        uint32_t words[2] = {(uint32_t)r->dequeue | 1 << 1 | r->cycle, r->dequeue >> 32};

        if (r->dequeue) {
            xhci_context_write(s, e->streams_base + i * STREAM_CONTEXT, words, 2);
        }
    }
}

/* Writes state and dequeue pointer into the output contexts. */
void xhci_endpoint_set_state(Xhci *s, XhciEndpoint *e, unsigned state)
{
    uint64_t ctx_at = s->slot[e->slot].context + (uint64_t)e->index * 32;
    uint32_t ctx[4];

    e->state = state;
    if (!xhci_context_read(s, ctx_at, ctx, 4)) {
        return;
    }
    ctx[0] = (ctx[0] & ~7u) | state;
    if (!e->max_streams_exp) {
        ctx[2] = (uint32_t)e->queue.ring.dequeue | e->queue.ring.cycle;
        ctx[3] = e->queue.ring.dequeue >> 32;
    } else if (state == EP_STOPPED) {
        streams_write_back(s, e);
    }
    xhci_context_write(s, ctx_at, ctx, 4);
}

static void transfer_free(XhciTransfer *x)
{
    dma_list_unmap(&x->data, 0);
    dma_list_free(&x->data);
    g_free(x->trbs);
    g_free(x);
}

static void transfer_event(const XhciTransfer *x, const XhciTrb *t, unsigned code, uint32_t left)
{
    xhci_event(
        x->xhci, t->status >> 22,
        &(XhciEvent){.parameter = t->addr,
                     .status = code << 24 | (left & 0xffffff),
                     .control = TRB_TRANSFER_EVENT << 10 | x->ep << 16 | (uint32_t)x->slot << 24});
}

/* Back to where the descriptor was taken from, so that it can be taken again. */
static void queue_rewind(XhciQueue *q, const XhciTransfer *x)
{
    q->ring.dequeue = x->trbs[0].addr;
    q->ring.cycle = x->trbs[0].control & TRB_CYCLE;
}

static void queue_stop(Xhci *s, XhciQueue *q, bool report)
{
    XhciTransfer *x = q->current;

    if (!x) {
        return;
    }
    q->current = NULL;
    usb_packet_cancel(&x->packet);
    queue_rewind(q, x);
    if (report) {
        transfer_event(x, &x->trbs[0], CC_STOPPED, x->trbs[0].status & 0x1ffff);
    }
    transfer_free(x);
}

void xhci_endpoint_stop(Xhci *s, XhciEndpoint *e, bool report)
{
    for (unsigned i = 0; i < num_queues(e); i++) {
        queue_stop(s, queue_at(e, i), report);
    }
    timer_cancel(&e->timer);
}

bool xhci_endpoint_rewind(Xhci *s, XhciEndpoint *e)
{
    bool any = false;

    for (unsigned i = 0; i < num_queues(e); i++) {
        any |= queue_at(e, i)->current != NULL;
        queue_stop(s, queue_at(e, i), false);
    }
    if (e->max_streams_exp) {
        streams_write_back(s, e);
    }
    return any;
}

void xhci_endpoint_free(Xhci *s, XhciEndpoint *e)
{
    xhci_endpoint_stop(s, e, false);
    g_free(e->streams);
    g_free(e);
}

/* ---- taking a descriptor from its ring ---- */

/* The whole descriptor, or NULL when it is not all there yet; the ring is then as before. */
static XhciTransfer *transfer_fetch(Xhci *s, XhciEndpoint *e, XhciQueue *q, unsigned stream)
{
    XhciRing start = q->ring;
    g_autoptr(GArray) trbs = g_array_new(false, false, sizeof(XhciTrb));
    XhciTrb t;

    do {
        if (!xhci_ring_fetch(s, &q->ring, &t)) {
            q->ring = start;
            return NULL;
        }
        if (trbs->len == XHCI_MAX_TD) {
            xhci_die(s, "transfer descriptor without an end");
            return NULL;
        }
        g_array_append_val(trbs, t);
    } while (t.control & TRB_CHAIN);

    XhciTransfer *x = g_new0(XhciTransfer, 1);

    x->xhci = s;
    x->slot = e->slot;
    x->ep = e->index;
    x->stream = stream;
    x->num_trbs = trbs->len;
    x->trbs = g_memdup2(trbs->data, trbs->len * sizeof(XhciTrb));
    dma_list_init(&x->data, &s->pci.dev);
    return x;
}

static bool has_data(const XhciTrb *t)
{
    unsigned type = trb_type(t);

    return type == TRB_NORMAL || type == TRB_DATA || type == TRB_SETUP || type == TRB_ISOCH;
}

/* The packet's kind, from the descriptor's first TRB; false: not for this endpoint. */
static bool transfer_kind(XhciEndpoint *e, XhciTransfer *x)
{
    const XhciTrb *t = &x->trbs[0];

    switch (trb_type(t)) {
    case TRB_SETUP:
        x->packet.pid = USB_SETUP;
        return e->type == EP_CONTROL && (t->control & TRB_IDT) && (t->status & 0x1ffff) == 8;
    case TRB_DATA:
    case TRB_STATUS:
        x->packet.pid = t->control & TRB_DIR_IN ? USB_IN : USB_OUT;
        x->in = t->control & TRB_DIR_IN;
        return e->type == EP_CONTROL;
    case TRB_NORMAL:
    case TRB_ISOCH:
    case TRB_NOOP:
    case TRB_EVENT_DATA:
        x->in = endpoint_in(e);
        x->packet.pid = x->in ? USB_IN : USB_OUT;
        return e->type != EP_CONTROL || trb_type(t) == TRB_NOOP;
    default:
        return false;
    }
}

/* Maps the descriptor's buffers; false: guest memory that is none. */
static bool transfer_map(XhciTransfer *x)
{
    for (unsigned i = 0; i < x->num_trbs; i++) {
        const XhciTrb *t = &x->trbs[i];
        uint32_t len = t->status & 0x1ffff;

        if (!has_data(t)) {
            continue;
        }
        if (t->control & TRB_IDT) {
            if (x->num_trbs > 1 || len > 8) {
                return false;
            }
            store_le64(x->immediate, t->parameter);
            x->immediate_iov = (struct iovec){.iov_base = x->immediate, .iov_len = len};
            x->packet.iov = &x->immediate_iov;
            x->packet.niov = len ? 1 : 0;
            return true;
        }
        if (len) {
            dma_list_add(&x->data, t->parameter, len);
        }
    }
    if (x->data.size && !dma_list_map(&x->data, x->in)) {
        return false;
    }
    x->packet.iov = x->data.iov;
    x->packet.niov = x->data.niov;
    return true;
}

static void transfer_unmap(XhciTransfer *x)
{
    DmaList fresh;

    dma_list_unmap(&x->data, x->in ? x->packet.actual : 0);
    dma_list_free(&x->data);
    dma_list_init(&fresh, &x->xhci->pci.dev);
    x->data = fresh;
    x->packet.iov = NULL;
    x->packet.niov = 0;
}

/* ---- the end of a descriptor, 4.10 ---- */

static void transfer_report(XhciTransfer *x, unsigned code)
{
    uint64_t left = x->packet.actual;
    uint32_t edtla = 0;
    bool reported = false;

    for (unsigned i = 0; i < x->num_trbs; i++) {
        const XhciTrb *t = &x->trbs[i];
        uint32_t len = t->status & 0x1ffff, chunk = has_data(t) ? MIN(left, len) : 0;
        bool is_short = has_data(t) && chunk < len, last = i == x->num_trbs - 1;
        unsigned trb_code = code == CC_SUCCESS && is_short ? CC_SHORT_PACKET : code;

        if (trb_type(t) == TRB_SETUP) {
            is_short = false;
            chunk = len;
            trb_code = code;
        }
        left -= trb_type(t) == TRB_SETUP ? 0 : chunk;
        edtla += chunk;
        if (trb_type(t) == TRB_EVENT_DATA) {
            if (t->control & TRB_IOC) {
                xhci_event(x->xhci, t->status >> 22,
                           &(XhciEvent){.parameter = t->parameter,
                                        .status = code << 24 | (edtla & 0xffffff),
                                        .control = TRB_TRANSFER_EVENT << 10 | x->ep << 16 |
                                                   (uint32_t)x->slot << 24 | 4});
            }
            edtla = 0;
            continue;
        }
        if (reported) {
            continue;
        }
        if ((code != CC_SUCCESS && (is_short || last)) || (t->control & TRB_IOC) ||
            (is_short && (t->control & TRB_ISP))) {
            transfer_event(x, t, trb_code, has_data(t) ? len - chunk : 0);
            reported = is_short || code != CC_SUCCESS;
        }
    }
}

static unsigned completion_code(UsbStatus status)
{
    switch (status) {
    case USB_OK:
        return CC_SUCCESS;
    case USB_STALL:
        return CC_STALL;
    case USB_BABBLE:
        return CC_BABBLE;
    default:
        return CC_TRANSACTION_ERROR;
    }
}

/* The packet is over, not with NAK: events, and the endpoint halts on errors (4.8.3). */
static void transfer_end(Xhci *s, XhciEndpoint *e, XhciQueue *q)
{
    XhciTransfer *x = q->current;
    unsigned code = completion_code(x->packet.status);

    q->current = NULL;
    dma_list_unmap(&x->data, x->in ? x->packet.actual : 0);
    if (code != CC_SUCCESS && !is_isoch(e)) {
        XhciRing next = q->ring;

        q->ring = (XhciRing){.dequeue = x->trbs[0].addr, .cycle = x->trbs[0].control & TRB_CYCLE};
        xhci_endpoint_set_state(s, e, EP_HALTED);
        q->ring = next;
    }
    transfer_report(x, code);
    transfer_free(x);
}

static void packet_done(UsbPacket *p)
{
    XhciTransfer *x = p->opaque;
    Xhci *s = x->xhci;
    XhciEndpoint *e = s->slot[x->slot].ep[x->ep];
    XhciQueue *q = xhci_queue(s, e, x->stream);
    unsigned slot = x->slot, ep = x->ep;

    transfer_end(s, e, q);
    xhci_kick(s, slot, ep);
}

/* Runs the current descriptor. False: it is not over (asynchronous, or NAK). */
static bool transfer_run(Xhci *s, XhciEndpoint *e, XhciQueue *q)
{
    XhciTransfer *x = q->current;
    XhciSlot *slot = &s->slot[e->slot];

    x->waiting = false;
    x->packet.dev = slot->port ? usb_find_route(slot->port, slot->route) : NULL;
    x->packet.ep = e->index / 2;
    x->packet.stream = x->stream;
    x->packet.done = packet_done;
    x->packet.opaque = x;
    if (!transfer_kind(e, x) || !transfer_map(x)) {
        x->packet.status = USB_IO_ERROR;
        x->packet.actual = 0;
    } else if (trb_type(&x->trbs[0]) == TRB_NOOP) {
        x->packet.status = USB_OK;
    } else {
        usb_packet_run(&x->packet);
    }
    if (x->packet.status == USB_ASYNC) {
        return false;
    }
    if (x->packet.status == USB_NAK && !is_isoch(e)) {
        transfer_unmap(x);
        x->waiting = true;
        return false;
    }
    if (x->packet.status == USB_NAK) {
        x->packet.status = USB_OK; /* an interval in which nothing came */
    }
    transfer_end(s, e, q);
    return true;
}

/* 4.11.2.5: when an isochronous descriptor is due; true: now. */
static bool isoch_wait(Xhci *s, XhciEndpoint *e, const XhciTransfer *x)
{
    uint64_t now = xhci_frame(s), period = 1ull << e->interval_exp;

    if (e->next_frame + 8 * period < now || e->next_frame > now + 0x4000) {
        e->next_frame = now; /* the stream begins, or fell behind */
    }
    if (e->next_frame > now) {
        timer_set_ns(&e->timer, s->mfindex_start_ns + (int64_t)e->next_frame * NS_PER_FRAME);
        return false;
    }
    e->next_frame += period;
    return true;
}

static void run_queue(Xhci *s, XhciEndpoint *e, unsigned stream)
{
    unsigned slot = e->slot, ep = e->index;
    XhciQueue *q = queue_at(e, stream);

    for (unsigned i = 0; i < MAX_TDS_IN_A_ROW; i++) {
        if (!xhci_running(s) || s->slot[slot].ep[ep] != e || e->state != EP_RUNNING ||
            (q->current && !q->current->waiting)) {
            return;
        }
        if (!xhci_event_room(s, 0)) {
            s->kicked_eps[slot] |= 1u << ep; /* goes on when the driver takes events */
            return;
        }
        if (!q->current) {
            q->current = transfer_fetch(s, e, q, stream);
            if (!q->current) {
                return;
            }
        }
        if (is_isoch(e) && !isoch_wait(s, e, q->current)) {
            q->current->waiting = true;
            return;
        }
        if (!transfer_run(s, e, q)) {
            return;
        }
    }
    xhci_kick(s, slot, ep); /* others get their turn */
}

void xhci_run_endpoint(Xhci *s, unsigned slot, unsigned ep)
{
    XhciEndpoint *e = s->slot[slot].ep[ep];

    if (!e || e->state != EP_RUNNING) {
        return;
    }
    if (!e->max_streams_exp) {
        run_queue(s, e, 0);
        return;
    }
    for (unsigned i = 1; i < num_queues(e) && s->slot[slot].ep[ep] == e; i++) {
        if (e->streams[i].ring.dequeue) {
            run_queue(s, e, i);
        }
    }
}
