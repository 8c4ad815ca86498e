// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command ring of the extensible host controller (xHCI 1.1, 4.6): device slots and endpoints.
 */
#include <string.h>

#include "xhci.h"

#define CONTEXT 32u
#define CONTEXT_WORDS 8u

/* Device context index -> offset in a device context, or with one more in an input context. */
static uint64_t context_at(uint64_t base, unsigned index)
{
    return base + (uint64_t)index * CONTEXT;
}

void xhci_slot_disable(Xhci *s, unsigned n)
{
    XhciSlot *slot = &s->slot[n];

    for (unsigned i = 0; i < XHCI_ENDPOINTS; i++) {
        if (slot->ep[i]) {
            xhci_endpoint_free(s, slot->ep[i]);
        }
    }
    *slot = (XhciSlot){0};
    s->kicked_eps[n] = 0;
}

static unsigned enable_slot(Xhci *s, unsigned *slot)
{
    for (unsigned i = 1; i <= s->num_slots; i++) {
        if (!s->slot[i].enabled) {
            s->slot[i].enabled = true;
            *slot = i;
            return CC_SUCCESS;
        }
    }
    return CC_NO_SLOTS;
}

static void endpoint_drop(Xhci *s, XhciSlot *slot, unsigned ep)
{
    if (slot->ep[ep]) {
        xhci_endpoint_free(s, slot->ep[ep]);
        slot->ep[ep] = NULL;
    }
}

/* Takes over an endpoint context, which is also written to the output context as running. */
static bool endpoint_add(Xhci *s, unsigned n, unsigned ep, uint32_t *ctx)
{
    XhciSlot *slot = &s->slot[n];

    endpoint_drop(s, slot, ep);
    ctx[0] = (ctx[0] & ~7u) | EP_RUNNING;
    slot->ep[ep] = xhci_endpoint_new(s, n, ep, ctx);
    return slot->ep[ep] && xhci_context_write(s, context_at(slot->context, ep), ctx, CONTEXT_WORDS);
}

/* The port and device that a slot context names; NULL: none. */
static UsbDevice *slot_device(Xhci *s, const uint32_t *ctx, UsbPort **port)
{
    unsigned n = ctx[1] >> 16 & 0xff;

    if (n == 0 || n > s->num_ports2 + s->num_ports3) {
        return NULL;
    }
    n--;
    *port = &s->port[n >= s->num_ports2 ? n - s->num_ports2 : n];
    return usb_find_route(*port, ctx[0] & 0xfffff);
}

static bool set_address(UsbDevice *d, unsigned address)
{
    uint8_t setup[8] = {0, 5, address};
    struct iovec iov = {.iov_base = setup, .iov_len = 8};
    UsbPacket p = {.pid = USB_SETUP, .dev = d, .iov = &iov, .niov = 1};

    usb_device_reset(d);
    usb_packet_run(&p);
    p.pid = USB_IN;
    p.niov = 0;
    usb_packet_run(&p);
    return p.status == USB_OK;
}

/* 4.6.5 */
static unsigned address_device(Xhci *s, unsigned n, const XhciTrb *t)
{
    XhciSlot *slot = &s->slot[n];
    uint32_t control[2], slot_ctx[CONTEXT_WORDS], ep_ctx[CONTEXT_WORDS], out[2];
    uint64_t input = t->parameter & ~15ull;
    UsbPort *port = NULL;

    if (!xhci_context_read(s, input, control, 2) ||
        !xhci_context_read(s, input + CONTEXT, slot_ctx, CONTEXT_WORDS) ||
        !xhci_context_read(s, input + 2 * CONTEXT, ep_ctx, CONTEXT_WORDS) ||
        !xhci_context_read(s, s->dcbaap + 8 * n, out, 2)) {
        return CC_TRB_ERROR;
    }
    if (control[0] != 0 || control[1] != 3) {
        return CC_TRB_ERROR;
    }
    UsbDevice *d = slot_device(s, slot_ctx, &port);

    if (!d) {
        return CC_TRANSACTION_ERROR;
    }
    for (unsigned i = 1; i <= s->num_slots; i++) {
        if (i != n && s->slot[i].port == port && s->slot[i].route == (slot_ctx[0] & 0xfffff)) {
            return CC_TRB_ERROR; /* the device has a slot */
        }
    }
    slot->context = (out[0] & ~63u) | (uint64_t)out[1] << 32;
    slot->port = port;
    slot->route = slot_ctx[0] & 0xfffff;
    slot->addressed = true;
    if (t->control & TRB_BSR) {
        slot_ctx[3] = SLOT_DEFAULT << 27;
    } else {
        if (!set_address(d, n)) {
            return CC_TRANSACTION_ERROR;
        }
        slot_ctx[3] = (uint32_t)SLOT_ADDRESSED << 27 | n;
    }
    if (!endpoint_add(s, n, 1, ep_ctx) ||
        !xhci_context_write(s, slot->context, slot_ctx, CONTEXT_WORDS)) {
        return CC_TRB_ERROR;
    }
    return CC_SUCCESS;
}

/* 4.6.6 */
static unsigned configure_endpoint(Xhci *s, unsigned n, const XhciTrb *t)
{
    XhciSlot *slot = &s->slot[n];
    uint32_t control[2], in_slot[CONTEXT_WORDS], slot_ctx[CONTEXT_WORDS], ep_ctx[CONTEXT_WORDS];
    uint64_t input = t->parameter & ~15ull;

    if (!xhci_context_read(s, slot->context, slot_ctx, CONTEXT_WORDS)) {
        return CC_TRB_ERROR;
    }
    if (t->control & 0x200) { /* deconfigure */
        for (unsigned i = 2; i < XHCI_ENDPOINTS; i++) {
            endpoint_drop(s, slot, i);
        }
        slot_ctx[3] = (slot_ctx[3] & ~(31u << 27)) | (uint32_t)SLOT_ADDRESSED << 27;
        return xhci_context_write(s, slot->context, slot_ctx, CONTEXT_WORDS) ? CC_SUCCESS
                                                                             : CC_TRB_ERROR;
    }
    if (!xhci_context_read(s, input, control, 2) ||
        !xhci_context_read(s, input + CONTEXT, in_slot, CONTEXT_WORDS)) {
        return CC_TRB_ERROR;
    }
    if ((control[0] & 3) || (control[1] & 3) != 1) {
        return CC_TRB_ERROR;
    }
    if (slot_ctx[3] >> 27 < SLOT_ADDRESSED) {
        return CC_CONTEXT_STATE;
    }
    for (unsigned i = 2; i < XHCI_ENDPOINTS; i++) {
        if (control[0] & 1u << i) {
            static const uint32_t disabled[CONTEXT_WORDS];

            endpoint_drop(s, slot, i);
            xhci_context_write(s, context_at(slot->context, i), disabled, CONTEXT_WORDS);
        }
        if ((control[1] & 1u << i) &&
            (!xhci_context_read(s, context_at(input + CONTEXT, i), ep_ctx, CONTEXT_WORDS) ||
             !endpoint_add(s, n, i, ep_ctx))) {
            return CC_PARAMETER;
        }
    }
    slot_ctx[3] = (slot_ctx[3] & ~(31u << 27)) | (uint32_t)SLOT_CONFIGURED << 27;
    slot_ctx[0] = (slot_ctx[0] & ~(31u << 27)) | (in_slot[0] & 31u << 27) |
                  (in_slot[0] & (1 << 25 | 1 << 26));
    slot_ctx[1] = (slot_ctx[1] & 0xffffff) | (in_slot[1] & 0xff000000);
    return xhci_context_write(s, slot->context, slot_ctx, CONTEXT_WORDS) ? CC_SUCCESS
                                                                         : CC_TRB_ERROR;
}

/* 4.6.7: the control endpoint's packet size, latency and interrupter. */
static unsigned evaluate_context(Xhci *s, unsigned n, const XhciTrb *t)
{
    XhciSlot *slot = &s->slot[n];
    uint32_t control[2], in[CONTEXT_WORDS], out[CONTEXT_WORDS];
    uint64_t input = t->parameter & ~15ull;

    if (!xhci_context_read(s, input, control, 2) || control[0] != 0 || (control[1] & ~3u)) {
        return CC_TRB_ERROR;
    }
    if ((control[1] & 1) && xhci_context_read(s, input + CONTEXT, in, CONTEXT_WORDS) &&
        xhci_context_read(s, slot->context, out, CONTEXT_WORDS)) {
        out[1] = (out[1] & ~0xffffu) | (in[1] & 0xffff);
        out[2] = (out[2] & ~0xffc00000u) | (in[2] & 0xffc00000u);
        xhci_context_write(s, slot->context, out, CONTEXT_WORDS);
    }
    if ((control[1] & 2) && xhci_context_read(s, input + 2 * CONTEXT, in, CONTEXT_WORDS) &&
        xhci_context_read(s, context_at(slot->context, 1), out, CONTEXT_WORDS)) {
        out[1] = (out[1] & 0xffff) | (in[1] & 0xffff0000u);
        xhci_context_write(s, context_at(slot->context, 1), out, CONTEXT_WORDS);
        if (slot->ep[1]) {
            slot->ep[1]->max_packet = in[1] >> 16;
        }
    }
    return CC_SUCCESS;
}

/* 4.6.11 */
static unsigned reset_device(Xhci *s, unsigned n)
{
    XhciSlot *slot = &s->slot[n];
    uint32_t ctx[CONTEXT_WORDS];

    for (unsigned i = 2; i < XHCI_ENDPOINTS; i++) {
        endpoint_drop(s, slot, i);
    }
    if (!xhci_context_read(s, slot->context, ctx, CONTEXT_WORDS)) {
        return CC_TRB_ERROR;
    }
    ctx[3] = (uint32_t)SLOT_DEFAULT << 27;
    return xhci_context_write(s, slot->context, ctx, CONTEXT_WORDS) ? CC_SUCCESS : CC_TRB_ERROR;
}

static unsigned stop_endpoint(Xhci *s, XhciEndpoint *e)
{
    if (e->state != EP_RUNNING) {
        return CC_CONTEXT_STATE;
    }
    xhci_endpoint_stop(s, e, true);
    xhci_endpoint_set_state(s, e, EP_STOPPED);
    return CC_SUCCESS;
}

static unsigned reset_endpoint(Xhci *s, XhciEndpoint *e)
{
    if (e->state != EP_HALTED) {
        return CC_CONTEXT_STATE;
    }
    xhci_endpoint_stop(s, e, false);
    xhci_endpoint_set_state(s, e, EP_STOPPED);
    return CC_SUCCESS;
}

/* 4.6.10 */
static unsigned set_dequeue(Xhci *s, XhciEndpoint *e, const XhciTrb *t)
{
    unsigned stream = t->status >> 16;
    XhciQueue *q = xhci_queue(s, e, stream);

    if (e->state != EP_STOPPED && e->state != EP_ERROR) {
        return CC_CONTEXT_STATE;
    }
    if (!q) {
        return CC_STREAM_ID;
    }
    q->ring = (XhciRing){.dequeue = t->parameter & ~15ull, .cycle = t->parameter & 1};
    xhci_endpoint_set_state(s, e, EP_STOPPED);
    return CC_SUCCESS;
}

static unsigned endpoint_command(Xhci *s, unsigned n, const XhciTrb *t)
{
    unsigned ep = t->control >> 16 & 31;
    XhciEndpoint *e = s->slot[n].ep[ep];

    if (ep == 0) {
        return CC_TRB_ERROR;
    }
    if (!e) {
        return CC_ENDPOINT_NOT_ENABLED;
    }
    switch (trb_type(t)) {
    case TRB_STOP_ENDPOINT:
        return stop_endpoint(s, e);
    case TRB_RESET_ENDPOINT:
        return reset_endpoint(s, e);
    default:
        return set_dequeue(s, e, t);
    }
}

static unsigned slot_command(Xhci *s, unsigned n, const XhciTrb *t)
{
    unsigned type = trb_type(t);

    if (n < 1 || n > s->num_slots || !s->slot[n].enabled) {
        return CC_SLOT_NOT_ENABLED;
    }
    if (type == TRB_DISABLE_SLOT) {
        xhci_slot_disable(s, n);
        return CC_SUCCESS;
    }
    if (type == TRB_ADDRESS_DEVICE) {
        return address_device(s, n, t);
    }
    if (!s->slot[n].addressed) {
        return CC_CONTEXT_STATE;
    }
    switch (type) {
    case TRB_CONFIGURE_ENDPOINT:
        return configure_endpoint(s, n, t);
    case TRB_EVALUATE_CONTEXT:
        return evaluate_context(s, n, t);
    case TRB_RESET_DEVICE:
        return reset_device(s, n);
    default:
        return endpoint_command(s, n, t);
    }
}

static unsigned command_run(Xhci *s, const XhciTrb *t, unsigned *slot)
{
    *slot = t->control >> 24;
    switch (trb_type(t)) {
    case TRB_ENABLE_SLOT:
        *slot = 0;
        return enable_slot(s, slot);
    case TRB_COMMAND_NOOP:
        return CC_SUCCESS;
    case TRB_DISABLE_SLOT:
    case TRB_ADDRESS_DEVICE:
    case TRB_CONFIGURE_ENDPOINT:
    case TRB_EVALUATE_CONTEXT:
    case TRB_RESET_ENDPOINT:
    case TRB_STOP_ENDPOINT:
    case TRB_SET_DEQUEUE:
    case TRB_RESET_DEVICE:
        return slot_command(s, *slot, t);
    default:
        return CC_TRB_ERROR;
    }
}

void xhci_run_commands(Xhci *s)
{
    XhciTrb t;

    while (xhci_running(s) && (s->crcr & 8)) {
        unsigned slot = 0, code;

        if (!xhci_event_room(s, 0)) {
            s->kicked_eps[0] |= 1; /* goes on when the driver takes events */
            return;
        }
        if (!xhci_ring_fetch(s, &s->commands, &t)) {
            return;
        }
        code = command_run(s, &t, &slot);
        xhci_event(s, 0,
                   &(XhciEvent){.parameter = t.addr,
                                .status = code << 24,
                                .control = TRB_COMMAND_EVENT << 10 | slot << 24});
    }
}
