// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of an extensible host controller in snapshots. Endpoints and events that wait for room
 * are made while the guest runs, so they are put into tables of a fixed size to be saved. What
 * is under way goes back to its ring, as Stop Endpoint does it (xHCI 1.1, 4.6.9), and is taken
 * again.
 */
#include "xhci.h"

#include <string.h>

#include "util/bswap.h"

/* An endpoint, little-endian: slot, index, context words 0 to 3, next_frame, state. */
#define ENDPOINT_BYTES 32u
#define MAX_ENDPOINTS (XHCI_MAX_SLOTS * (XHCI_ENDPOINTS - 1))
#define HELD_BYTES 16u
#define MAX_HELD 64u

/* The rows that are saved, which are all there are: fixed tables make unequal sizes impossible. */
size_t xhci_saved_bytes(Device *d)
{
    return MAX_ENDPOINTS * ENDPOINT_BYTES + XHCI_MAX_INTRS * MAX_HELD * HELD_BYTES;
}

static uint8_t *endpoint_row(Xhci *s, unsigned slot, unsigned ep)
{
    return s->saved + ((slot - 1) * (XHCI_ENDPOINTS - 1) + ep - 1) * ENDPOINT_BYTES;
}

static uint8_t *held_row(Xhci *s, unsigned intr, unsigned i)
{
    return s->saved + MAX_ENDPOINTS * ENDPOINT_BYTES + (intr * MAX_HELD + i) * HELD_BYTES;
}

const char *xhci_unsaved(Device *d)
{
    Xhci *s = (Xhci *)d;

    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        if (g_queue_get_length(s->intr[i].held) > MAX_HELD) {
            return "its driver leaves too many events unread";
        }
    }
    return NULL;
}

static void save_endpoint(Xhci *s, XhciEndpoint *e, uint8_t *row)
{
    bool was_busy = xhci_endpoint_rewind(s, e);
    uint64_t dequeue = e->max_streams_exp ? e->streams_base
                                          : e->queue.ring.dequeue | e->queue.ring.cycle;

    row[0] = 1;
    row[1] = e->state;
    store_le32(row + 4, (uint32_t)e->interval_exp << 16 | (uint32_t)e->max_streams_exp << 10 |
                            (e->max_streams_exp ? 1u << 15 : 0));
    store_le32(row + 8, (uint32_t)e->type << 3 | (uint32_t)e->max_packet << 16);
    store_le64(row + 16, dequeue);
    store_le64(row + 24, e->next_frame);
    if (was_busy || e->state == EP_RUNNING) {
        s->kicked_eps[e->slot] |= 1u << e->index;
    }
}

void xhci_saving(Device *d)
{
    Xhci *s = (Xhci *)d;

    memset(s->saved, 0, xhci_saved_bytes(d));
    for (unsigned n = 1; n <= s->num_slots; n++) {
        XhciSlot *slot = &s->slot[n];

        slot->saved_port = slot->port ? (uint8_t)(slot->port - s->port) + 1 : 0;
        for (unsigned ep = 1; ep < XHCI_ENDPOINTS; ep++) {
            if (slot->ep[ep]) {
                save_endpoint(s, slot->ep[ep], endpoint_row(s, n, ep));
            }
        }
    }
    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        unsigned n = 0;

        for (const GList *l = s->intr[i].held->head; l && n < MAX_HELD; l = l->next, n++) {
            const XhciEvent *e = l->data;
            uint8_t *row = held_row(s, i, n);

            store_le64(row, e->parameter);
            store_le32(row + 8, e->status);
            store_le32(row + 12, e->control);
        }
        s->intr[i].num_held = (uint8_t)n;
    }
}

static void load_endpoint(Xhci *s, unsigned slot, unsigned ep, const uint8_t *row)
{
    uint32_t ctx[4];

    for (unsigned i = 0; i < 4; i++) {
        ctx[i] = load_le32(row + 4 + 4 * i + (i > 1 ? 4 : 0));
    }
    XhciEndpoint *e = xhci_endpoint_new(s, slot, ep, ctx);

    if (e) {
        e->state = row[1] <= EP_ERROR ? row[1] : EP_ERROR;
        e->next_frame = load_le64(row + 24);
        s->slot[slot].ep[ep] = e;
    }
}

static void load_slot(Xhci *s, unsigned n)
{
    XhciSlot *slot = &s->slot[n];

    for (unsigned ep = 1; ep < XHCI_ENDPOINTS; ep++) {
        if (slot->ep[ep]) {
            xhci_endpoint_free(s, slot->ep[ep]);
            slot->ep[ep] = NULL;
        }
    }
    if (n > s->num_slots) {
        slot->enabled = false;
    }
    slot->port = slot->enabled && slot->saved_port && slot->saved_port <= s->num_ports
                     ? &s->port[slot->saved_port - 1]
                     : NULL;
    for (unsigned ep = 1; slot->enabled && ep < XHCI_ENDPOINTS; ep++) {
        const uint8_t *row = endpoint_row(s, n, ep);

        if (row[0]) {
            load_endpoint(s, n, ep, row);
        }
    }
}

void xhci_post_load(Device *d)
{
    Xhci *s = (Xhci *)d;

    for (unsigned n = 1; n <= XHCI_MAX_SLOTS; n++) {
        load_slot(s, n);
    }
    for (unsigned i = 0; i < XHCI_MAX_INTRS; i++) {
        XhciInterrupter *r = &s->intr[i];

        g_queue_clear_full(r->held, g_free);
        if (r->size > XHCI_MAX_EVENT_RING || r->enqueue >= MAX(r->size, 1u)) {
            r->size = r->enqueue = 0;
        }
        for (unsigned n = 0; n < MIN(r->num_held, MAX_HELD); n++) {
            const uint8_t *row = held_row(s, i, n);
            XhciEvent e = {.parameter = load_le64(row),
                           .status = load_le32(row + 8),
                           .control = load_le32(row + 12)};

            g_queue_push_tail(r->held, g_memdup2(&e, sizeof(e)));
        }
    }
}

const StateField xhci_slot_state[] = {
    STATE(XhciSlot, enabled), STATE(XhciSlot, addressed), STATE(XhciSlot, context),
    STATE(XhciSlot, route), STATE_MAX(XhciSlot, saved_port, XHCI_MAX_PORTS),
    HOST_ONLY(XhciSlot, port, "by saved_port"), HOST_ONLY(XhciSlot, ep, "in `saved`"),
    STATE_END,
};

const StateField xhci_interrupter_state[] = {
    STATE(XhciInterrupter, segment), STATE_MAX(XhciInterrupter, size, XHCI_MAX_EVENT_RING), STATE_BELOW(XhciInterrupter, enqueue, size, XHCI_MAX_EVENT_RING - 1),
    STATE(XhciInterrupter, cycle), STATE(XhciInterrupter, ring_full),
    STATE(XhciInterrupter, num_held),
    HOST_ONLY(XhciInterrupter, held, "in `saved`"), STATE_END,
};

const StateField xhci_ring_state[] = {
    STATE(XhciRing, dequeue), STATE(XhciRing, cycle), STATE_END,
};
