// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What people and management software read about devices: `-device help`, `-device T,help` and
 * the monitor's `info qtree`. All of it is read off the tables.
 */
#include "qom/vm.h"

#include <json-c/json.h>
#include <string.h>

#include "qom/bus.h"

/* ---- -device help ---- */

typedef struct Category {
    const char *name;
    const char *title;
} Category;

static const Category categories[] = {
    {"bridge", "Controller/Bridge/Hub"},
    {"usb", "USB"},
    {"storage", "Storage"},
    {"network", "Network"},
    {"input", "Input"},
    {"display", "Display"},
    {"sound", "Sound"},
    {"misc", "Misc"},
    {"cpu", "CPU"},
    {"watchdog", "Watchdog"},
    {NULL, "Uncategorized"},
};

/* The first non-NULL string at `offset` in t or its parents; NULL: there is none. */
static const char *inherited(const DeviceType *t, size_t offset)
{
    for (const ObjectType *at = (const ObjectType *)t; at != NULL; at = type_parent(at)) {
        const char *s;

        memcpy(&s, (const char *)at + offset, sizeof(s));
        if (s != NULL) {
            return s;
        }
    }
    return NULL;
}

typedef struct HelpList {
    const Category *category;
    bool headed;
    GString *out;
} HelpList;

static const char *category_of(const DeviceType *t, ObjectKind kind)
{
    const char *own = inherited(t, offsetof(DeviceType, category));

    return own == NULL && kind == KIND_CPU ? "cpu" : own;
}

static bool help_line(const ObjectType *ot, ObjectKind kind, void *opaque)
{
    HelpList *h = opaque;
    const DeviceType *t = (const DeviceType *)ot;
    const char *bus;

    if ((kind != KIND_DEVICE && kind != KIND_CPU) || !device_type_pluggable(t) ||
        g_strcmp0(category_of(t, kind), h->category->name) != 0) {
        return true;
    }
    if (!h->headed) {
        g_string_append_printf(h->out, "%s%s devices:\n", h->out->len > 0 ? "\n" : "",
                               h->category->title);
        h->headed = true;
    }
    bus = inherited(t, offsetof(DeviceType, bus));
    g_string_append_printf(h->out, "name \"%s\"", t->name);
    if (bus != NULL || kind != KIND_CPU) {
        g_string_append_printf(h->out, ", bus %s", bus != NULL ? bus : "System");
    }
    if (t->alias != NULL) {
        g_string_append_printf(h->out, ", alias \"%s\"", t->alias);
    }
    if (t->desc != NULL && t->desc[0] != '\0') {
        g_string_append_printf(h->out, ", desc \"%s\"", t->desc);
    }
    g_string_append_c(h->out, '\n');
    return true;
}

void device_help_list(GString *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(categories); i++) {
        HelpList h = {.category = &categories[i], .out = out};

        type_foreach(help_line, &h);
    }
}

/* ---- -device T,help ---- */

static bool add_shown_prop(const Prop *p, void *opaque)
{
    if (!(p->flags & PROP_HIDDEN)) {
        g_ptr_array_add(opaque, (gpointer)p);
    }
    return true;
}

static int compare_props(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const Prop *const *)a)->name, (*(const Prop *const *)b)->name);
}

static void help_prop(const Prop *p, GString *out)
{
    g_autofree char *type = prop_type_text(p);
    g_autofree char *head = g_strdup_printf("%s=<%s>", p->name, type);
    const char *desc = prop_description(p);
    struct json_object *def = prop_default_json(p);

    if (desc == NULL && def == NULL) {
        g_string_append_printf(out, "  %s\n", head);
        return;
    }
    g_string_append_printf(out, "  %-22s - %s", head, desc != NULL ? desc : "");
    if (def != NULL) {
        g_string_append_printf(out, " (default: %s)",
                               json_object_to_json_string_ext(def, JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    g_string_append_c(out, '\n');
    json_object_put(def);
}

bool device_help_props(const char *type, GString *out, GError **error)
{
    ObjectKind kind = KIND_OBJECT;
    const ObjectType *t = type_find(type, &kind);
    g_autoptr(GPtrArray) props = NULL;

    if (t == NULL || (kind != KIND_DEVICE && kind != KIND_CPU)) {
        return device_fail_type(type, error);
    }
    props = g_ptr_array_new();
    type_foreach_prop(t, add_shown_prop, props);
    g_ptr_array_sort(props, compare_props);
    if (props->len == 0) {
        g_string_append_printf(out, "There are no options for %s.\n", t->name);
        return true;
    }
    g_string_append_printf(out, "%s options:\n", t->name);
    for (unsigned i = 0; i < props->len; i++) {
        help_prop(props->pdata[i], out);
    }
    return true;
}

/* ---- info qtree ---- */

static void print_pins(const Device *d, unsigned indent, GString *out)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        const PinRow *pins = ((const DeviceType *)t)->pins;

        for (const PinRow *r = pins; r != NULL && r->name != NULL; r++) {
            g_string_append_printf(out, "%*sgpio-%s \"%s\" %u\n", indent, "",
                                   r->input != NULL ? "in" : "out", r->name, r->count);
        }
    }
}

typedef struct PropPrint {
    Object *obj;
    unsigned indent;
    GString *out;
} PropPrint;

static bool print_prop(const Prop *p, void *opaque)
{
    PropPrint *w = opaque;

    if (!(p->flags & PROP_HIDDEN)) {
        g_autofree char *text = object_prop_print(w->obj, p);

        g_string_append_printf(w->out, "%*s%s = %s\n", w->indent, "", p->name, text);
    }
    return true;
}

static void print_bus(Bus *bus, unsigned indent, GString *out);

static void print_device(Bus *bus, Device *d, unsigned indent, GString *out)
{
    const BusType *printer = bus_printer(bus);
    PropPrint w = {&d->obj, indent + 2, out};

    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", indent, "", d->obj.type->name,
                           d->id != NULL ? d->id : "");
    print_pins(d, indent + 2, out);
    type_foreach_prop(d->obj.type, print_prop, &w);
    if (printer != NULL) {
        printer->print(bus, d, indent + 2, out);
    }
    for (unsigned i = 0; d->buses != NULL && i < d->buses->len; i++) {
        print_bus(d->buses->pdata[i], indent + 2, out);
    }
}

static void print_bus(Bus *bus, unsigned indent, GString *out)
{
    g_string_append_printf(out, "%*sbus: %s\n%*s  type %s\n", indent, "",
                           bus->owner != NULL ? bus->obj.name : "main-system-bus", indent, "",
                           bus->obj.type->name);
    for (unsigned i = bus->devices->len; i-- > 0;) {
        print_device(bus, bus->devices->pdata[i], indent + 2, out);
    }
}

void device_print_tree(Vm *vm, GString *out)
{
    if (vm->system_bus != NULL) {
        print_bus(vm->system_bus, 0, out);
    }
}
