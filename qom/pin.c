// SPDX-License-Identifier: GPL-2.0-or-later
/* Pins and the wires between them. Contract: include/qom/device.h. */
#include "qom/device.h"

#include <string.h>

void irq_set(Irq *irq, int level)
{
    if (irq->level == level) {
        return;
    }
    irq->level = level;
    if (irq->intercept != NULL) {
        irq->intercept(irq->intercept_opaque, irq->intercept_n, level);
    }
    if (irq->fn != NULL) {
        irq->fn(irq->target, irq->pin, level);
    }
}

void irq_pulse(Irq *irq)
{
    irq_set(irq, 1);
    irq_set(irq, 0);
}

/* The row of that name and direction in d's types, NULL: none. */
static const PinRow *find_row(const Device *d, const char *name, bool input)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const DeviceType *dt = (const DeviceType *)t;

        for (const PinRow *r = dt->pins; r != NULL && r->name != NULL; r++) {
            if ((r->input != NULL) == input && strcmp(r->name, name) == 0) {
                return r;
            }
        }
    }
    return NULL;
}

Irq *device_pin_out(Device *d, const char *name, unsigned i)
{
    const PinRow *row = find_row(d, name, false);

    return row == NULL || i >= row->count ? NULL : (Irq *)((char *)d + row->field) + i;
}

bool device_has_pin_in(Device *d, const char *name, unsigned i)
{
    const PinRow *row = find_row(d, name, true);

    return row != NULL && i < row->count;
}

bool device_pin_in(Device *d, const char *name, unsigned i, int level)
{
    const PinRow *row = find_row(d, name, true);

    if (row == NULL || i >= row->count) {
        return false;
    }
    row->input(d, i, level);
    return true;
}

void wire(Device *src, const char *out, unsigned i, Device *dst, const char *in, unsigned j)
{
    Irq *irq = device_pin_out(src, out, i);
    const PinRow *row = find_row(dst, in, true);

    if (irq == NULL) {
        g_error("wire: '%s' has no output '%s' %u", src->obj.type->name, out, i);
    }
    if (row == NULL || j >= row->count) {
        g_error("wire: '%s' has no input '%s' %u", dst->obj.type->name, in, j);
    }
    irq->fn = row->input;
    irq->target = dst;
    irq->pin = j;
    if (irq->level != 0) {
        irq->fn(dst, j, irq->level);
    }
}
