// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The paths that firmware knows devices by (IEEE 1275, PCI binding 2.1; the names are those that
 * SeaBIOS, OVMF and Open Firmware look for), put together from what the buses say.
 */
#include "qom/boot.h"

/* The nearest bus type in the chain that can say the path of its devices, or NULL. */
static const BusType *bus_with_path(const Bus *b, bool leaf)
{
    for (const ObjectType *t = b->obj.type; t; t = type_parent(t)) {
        const BusType *bt = (const BusType *)t;

        if (leaf ? bt->fw_leaf != NULL : bt->fw_path != NULL) {
            return bt;
        }
    }
    return NULL;
}

const char *device_fw_name(const Device *d)
{
    for (const ObjectType *t = d->obj.type; t && type_kind(t) == KIND_DEVICE; t = type_parent(t)) {
        if (((const DeviceType *)t)->fw_name) {
            return ((const DeviceType *)t)->fw_name;
        }
    }
    return NULL;
}

static void append_path(Device *d, GString *out)
{
    const BusType *t;

    if (!d->parent_bus) {
        return;
    }
    if (d->parent_bus->owner) {
        append_path(d->parent_bus->owner, out);
    }
    t = bus_with_path(d->parent_bus, false);
    g_autofree char *part = t ? t->fw_path(d->parent_bus, d) : g_strdup(device_fw_name(d));

    if (part) {
        g_string_append_printf(out, "/%s", part);
    }
}

char *device_fw_path(Device *d)
{
    GString *out = g_string_new(NULL);
    const BusType *t = d->parent_bus ? bus_with_path(d->parent_bus, true) : NULL;

    append_path(d, out);
    if (t) {
        g_autofree char *leaf = t->fw_leaf(d->parent_bus, d);

        if (leaf) {
            g_string_append_printf(out, "/%s", leaf);
        }
    }
    return g_string_free(out, FALSE);
}

bool device_is_above(const Device *upper, const Device *d)
{
    while (d->parent_bus && d->parent_bus->owner) {
        d = d->parent_bus->owner;
        if (d == upper) {
            return true;
        }
    }
    return false;
}
