// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts of the 82574L (data sheet 7.1): causes, masks, messages by IVAR with automatic
 * clearing and masking, and throttling by ITR and EITR, whose unit is 256 ns.
 */
#include "e1000e.h"

#define UNIT_NS 256

/* Whether a message may go out now; if not, the timer looks again when it may. */
static bool throttle(E1000e *s, unsigned n, uint32_t interval)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);

    if (interval == 0) {
        return true;
    }
    if (now < s->next_irq_ns[n]) {
        if (!s->irq_timer.pending || s->irq_timer.deadline_ns > s->next_irq_ns[n]) {
            timer_set_ns(&s->irq_timer, s->next_irq_ns[n]);
        }
        return false;
    }
    s->next_irq_ns[n] = now + (int64_t)interval * UNIT_NS;
    return true;
}

/* 10.2.4.9: four bits for each cause: valid, vector. */
static void send_messages(E1000e *s)
{
    uint32_t fresh = s->icr & s->ims & ICR_QUEUES & ~s->sent;

    for (unsigned i = 0; i < E1000E_VECTORS; i++) {
        uint32_t cause = 1u << (20 + i);
        unsigned route = s->ivar >> 4 * i & 15, vector = route & 7;

        if (!(fresh & cause) || !(route & 8) || vector >= E1000E_VECTORS ||
            !throttle(s, vector, s->eitr[vector])) {
            continue;
        }
        s->sent |= cause;
        pci_msix_notify(&s->pci, vector);
        if (s->eiac & cause) {
            s->icr &= ~cause;
        }
        if (s->ctrl_ext & CTRL_EXT_EIAME) {
            s->ims &= ~(s->iam & cause);
        }
    }
    s->sent &= s->icr & s->ims;
}

void e1000e_update_irq(E1000e *s)
{
    uint32_t on = s->icr & s->ims & ~ICR_ASSERTED;

    s->sent &= on;
    if (pci_msix_enabled(&s->pci)) {
        send_messages(s);
        return;
    }
    if (pci_msi_enabled(&s->pci)) {
        if ((on & ~s->sent) && throttle(s, E1000E_VECTORS, s->itr)) {
            s->sent = on;
            pci_msi_notify(&s->pci, 0);
        }
        return;
    }
    if (on && !(s->pci.pin_level & 1) && !throttle(s, E1000E_VECTORS, s->itr)) {
        return;
    }
    pci_set_irq(&s->pci, on != 0);
}

void e1000e_irq_timer(void *opaque)
{
    e1000e_update_irq(opaque);
}

void e1000e_raise(E1000e *s, uint32_t cause)
{
    s->icr |= cause | (cause & ICR_OTHERS ? ICR_OTHER : 0);
    e1000e_update_irq(s);
}

/* 10.2.4.1: reading clears when an interrupt is asserted or all are masked, and may mask. */
uint32_t e1000e_read_causes(E1000e *s)
{
    bool asserted = (s->icr & s->ims) != 0;
    uint32_t v = s->icr | (asserted ? ICR_ASSERTED : 0);

    if (asserted && (s->ctrl_ext & CTRL_EXT_IAME)) {
        s->ims &= ~s->iam;
    }
    if (asserted || s->ims == 0) {
        s->icr = 0;
    }
    e1000e_update_irq(s);
    return v;
}
