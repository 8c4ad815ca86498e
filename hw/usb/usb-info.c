// SPDX-License-Identifier: GPL-2.0-or-later
/* The human monitor's `info usb`: what is attached to which bus. */
#include "hw/usb/usb.h"
#include "qom/hmp.h"

typedef struct Listing {
    GString *out;
    unsigned bus;
    bool any;
} Listing;

static void list_device(Listing *l, UsbDevice *d)
{
    static const char *const speeds[] = {
        [USB_LOW] = "1.5", [USB_FULL] = "12", [USB_HIGH] = "480", [USB_SUPER] = "5000"};

    if (!d->port) {
        return;
    }
    g_string_append_printf(l->out, "  Device %u.%u, Port %s, Speed %s Mb/s, Product %s", l->bus,
                           d->addr, d->port->path, speeds[d->speed], usb_product(d));
    if (d->dev.id) {
        g_string_append_printf(l->out, ", ID: %s", d->dev.id);
    }
    g_string_append_c(l->out, '\n');
}

static bool list_bus(Object *obj, void *opaque)
{
    Listing *l = opaque;

    if ((const void *)obj->type == (const void *)&usb_bus_type) {
        const Bus *b = (const Bus *)obj;

        for (guint i = 0; i < b->devices->len; i++) {
            list_device(l, b->devices->pdata[i]);
        }
        l->any = true;
        l->bus++;
    }
    return true;
}

static void info_usb(HmpCall *call, GError **error)
{
    Listing l = {.out = call->out};

    object_walk(object_root(), list_bus, &l);
    if (!l.any) {
        g_string_append(call->out, "USB support not enabled\n");
    }
}

HMP_INFO(usb, info_usb, "", "show guest USB devices");
