// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ISA bus: maps the banks of a device at the ports its IsaInfo names and wires its
 * interrupt pin to one of the 16 lines of the bridge. Lines are shared the way LPC devices
 * share them: each has one driver.
 */
#include <stdarg.h>
#include "hw/isa/isa.h"
#include "qom/boot.h"

static uint32_t prop_u32(Device *d, const char *name)
{
    const Prop *p = type_find_prop(d->obj.type, name);
    uint32_t v;

    g_assert(p != NULL);
    memcpy(&v, (char *)d + p->offset, sizeof(v));
    return v;
}

void isa_wire(Device *d, const char *pin, unsigned i, unsigned line)
{
    wire(d, pin, i, ((IsaBus *)d->parent_bus)->irq_owner, "isa-irq", line);
}

static bool isa_attach(Bus *bus, Device *d, GError **error)
{
    return true;
}

static void isa_plugged(Bus *bus, Device *d)
{
    const IsaInfo *info = device_type(d)->bus_info;

    if (!info) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(info->ports) && info->ports[i].bank; i++) {
        const IsaPortInfo *p = &info->ports[i];
        uint32_t base = p->base_prop ? prop_u32(d, p->base_prop) : p->base;

        region_add(d->vm->io, base, device_region(d, p->bank), 0);
    }
    if (info->irq_pin) {
        isa_wire(d, info->irq_pin, 0, info->irq_prop ? prop_u32(d, info->irq_prop) : info->irq);
    }
    if (info->plugged) {
        info->plugged(d);
    }
}

static void isa_detach(Bus *bus, Device *d)
{
    const IsaInfo *info = device_type(d)->bus_info;

    for (unsigned i = 0; info && i < ARRAY_COUNT(info->ports) && info->ports[i].bank; i++) {
        Region *r = device_region(d, info->ports[i].bank);

        if (r->container) {
            region_remove(r);
        }
    }
}

static char *isa_fw_path(Bus *bus, Device *d)
{
    const IsaInfo *info = device_type(d)->bus_info;
    const char *name = device_fw_name(d);

    if (!name || !info) {
        return NULL;
    }
    const IsaPortInfo *p = &info->ports[0];

    return g_strdup_printf("%s@%04x", name, p->base_prop ? prop_u32(d, p->base_prop) : p->base);
}

const BusType isa_bus_type = {
    .name = "ISA",
    .desc = "ISA bus",
    .size = sizeof(IsaBus),
    .attach = isa_attach,
    .plugged = isa_plugged,
    .detach = isa_detach,
    .fw_path = isa_fw_path,
};
BUS_TYPE(isa_bus_type);

void isa_bus_init(IsaBus *b, Device *owner, const char *name)
{
    bus_init(&b->bus, &isa_bus_type, owner, name);
    b->irq_owner = owner;
}

Device *isa_create(Bus *b, const char *type, const char *name, GError **error, ...)
{
    Device *d = device_new(b->vm, type, error);
    const char *prop;
    va_list ap;

    if (!d) {
        return NULL;
    }
    va_start(ap, error);
    while ((prop = va_arg(ap, const char *)) != NULL) {
        if (!object_set_text(&d->obj, prop, va_arg(ap, const char *), error)) {
            va_end(ap);
            object_unref(&d->obj);
            return NULL;
        }
    }
    va_end(ap);
    if (!device_realize(d, b, NULL, error)) {
        return NULL;
    }
    return d;
}
