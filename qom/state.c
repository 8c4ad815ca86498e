// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state walker: what of a device's struct the tables describe. Snapshots and migration
 * save what it reports; `make check-state` reports what it leaves out.
 */
#include "qom/device.h"

typedef struct Walk {
    Device *d;
    void (*fn)(const StateItem *item, void *opaque);
    void *opaque;
    GHashTable *seen;    /* offsets of register fields */
} Walk;

static void walk_regs(Walk *w, const RegBank *banks)
{
    for (const RegBank *b = banks; b != NULL && b->name != NULL; b++) {
        for (unsigned i = 0; i < b->num_regs; i++) {
            const Reg *r = &b->regs[i];
            g_autofree char *path = NULL;

            if (r->field == REG_NO_FIELD ||
                !g_hash_table_add(w->seen, GUINT_TO_POINTER(r->field + 1))) {
                continue;
            }
            path = g_strdup_printf("regs.%s.%s", b->name, r->name);
            w->fn(&(StateItem){.path = path, .origin = STATE_OF_REG, .kind = STATE_INT,
                               .offset = r->field, .size = r->size,
                               .count = r->count != 0 ? r->count : 1}, w->opaque);
        }
    }
}

static void walk_pins(Walk *w, const PinRow *pins)
{
    for (const PinRow *r = pins; r != NULL && r->name != NULL; r++) {
        for (unsigned i = 0; r->input == NULL && i < r->count; i++) {
            g_autofree char *path = g_strdup_printf("pins.%s[%u]", r->name, i);

            w->fn(&(StateItem){.path = path, .origin = STATE_OF_PIN, .kind = STATE_INT,
                               .offset = r->field + i * sizeof(Irq) + offsetof(Irq, level),
                               .size = sizeof(int), .count = 1}, w->opaque);
        }
    }
}

static void walk_props(Walk *w, const Prop *props)
{
    for (const Prop *p = props; p != NULL && p->name != NULL; p++) {
        g_autofree char *path = g_strdup_printf("props.%s", p->name);

        w->fn(&(StateItem){.path = path, .origin = STATE_OF_PROP, .kind = STATE_BYTES,
                           .offset = p->offset, .count = 1}, w->opaque);
    }
}

static void walk_fields(Walk *w, const StateField *fields, const char *prefix, uint32_t base)
{
    for (const StateField *f = fields; f != NULL && f->name != NULL; f++) {
        g_autofree char *path = g_strdup_printf("%s%s", prefix, f->name);

        if (w->d != NULL && f->needed != NULL && !f->needed(w->d)) {
            continue;
        }
        if (f->kind != STATE_STRUCT_) {
            w->fn(&(StateItem){.path = path, .origin = STATE_OF_FIELD, .kind = f->kind,
                               .offset = base + f->offset, .size = f->size, .count = f->count,
                               .field = f}, w->opaque);
            continue;
        }
        for (uint32_t i = 0; i < f->count; i++) {
            g_autofree char *below = f->count == 1 ? g_strdup_printf("%s.", path)
                                                   : g_strdup_printf("%s[%u].", path, i);

            walk_fields(w, f->fields, below, base + f->offset + i * f->size);
        }
    }
}

static void walk_type(Walk *w, const DeviceType *t)
{
    const ObjectType *parent = type_parent((const ObjectType *)t);

    if (parent != NULL) {
        walk_type(w, (const DeviceType *)parent);
    }
    walk_props(w, t->props);
    walk_regs(w, t->banks);
    walk_pins(w, t->pins);
    walk_fields(w, t->state, "", 0);
}

void state_fields_foreach(const StateField *fields, void (*fn)(const StateItem *item, void *opaque),
                          void *opaque)
{
    Walk w = {.fn = fn, .opaque = opaque};

    walk_fields(&w, fields, "", 0);
}

void state_foreach(const struct DeviceType *t, struct Device *d,
                   void (*fn)(const StateItem *item, void *opaque), void *opaque)
{
    Walk w = {.d = d, .fn = fn, .opaque = opaque};

    w.seen = g_hash_table_new(NULL, NULL);
    walk_type(&w, t);
    g_hash_table_unref(w.seen);
}
