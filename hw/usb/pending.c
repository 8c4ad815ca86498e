// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets under way, and structures in memory, of UHCI, OHCI and EHCI. */
#include "pending.h"
#include "exec/dma.h"

static void pending_done(UsbPacket *packet)
{
    UsbPending *p = packet->opaque;

    p->done = true;
    if (p->wake) {
        p->wake(p->opaque);
    }
}

UsbPending *usb_pending_new(uint32_t key, UsbPid pid, UsbDevice *dev, uint8_t ep, size_t len)
{
    UsbPending *p = g_malloc0(sizeof(*p) + len);

    p->key = key;
    p->seen = true;
    p->iov = (struct iovec){ .iov_base = p->buf, .iov_len = len };
    p->packet = (UsbPacket){.pid = pid,
                            .dev = dev,
                            .ep = ep,
                            .iov = &p->iov,
                            .niov = len ? 1 : 0,
                            .done = pending_done,
                            .opaque = p};
    return p;
}

bool usb_pending_run(GPtrArray *list, UsbPending *p)
{
    usb_packet_run(&p->packet);
    if (p->packet.status == USB_ASYNC) {
        g_ptr_array_add(list, p);
        return false;
    }
    return true;
}

UsbPending *usb_pending_find(GPtrArray *list, uint32_t key)
{
    for (guint i = 0; i < list->len; i++) {
        UsbPending *p = list->pdata[i];

        if (p->key == key) {
            p->seen = true;
            return p;
        }
    }
    return NULL;
}

void usb_pending_take(GPtrArray *list, UsbPending *p)
{
    g_ptr_array_remove_fast(list, p);
}

void usb_pending_free(UsbPending *p)
{
    usb_packet_cancel(&p->packet);
    g_free(p);
}

void usb_pending_clear(GPtrArray *list)
{
    while (list && list->len) {
        usb_pending_free(g_ptr_array_steal_index_fast(list, 0));
    }
}

void usb_pending_sweep(GPtrArray *list)
{
    for (guint i = 0; i < list->len;) {
        UsbPending *p = list->pdata[i];

        if (!p->seen) {
            g_ptr_array_remove_index_fast(list, i);
            usb_pending_free(p);
            continue;
        }
        p->seen = false;
        i++;
    }
}

bool usb_words_read(Device *d, uint32_t addr, uint32_t *w, unsigned n)
{
    bool ok = dma_read(d, addr, w, n * 4u);

    for (unsigned i = 0; i < n; i++) {
        w[i] = GUINT32_FROM_LE(w[i]);
    }
    return ok;
}

void usb_words_write(Device *d, uint32_t addr, const uint32_t *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        dma_store(d, addr + 4 * i, w[i], 4, DEV_LITTLE);
    }
}
