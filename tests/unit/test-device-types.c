// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What every device type must satisfy, read off the tables. With --dump the tables' view of
 * each device's struct goes to stdout instead, for scripts/check-state.
 */
#include <stdio.h>
#include <string.h>

#include "qom/vm.h"

extern const TypeRow __start_object_types[] __attribute__((weak));

static void dump_item(const StateItem *item, void *opaque)
{
    printf("item %u %u %s\n", item->offset, item->size * item->count, item->path);
}

/* Places of constants in the device's file, by which check-state finds the file. */
static void dump_places(const DeviceType *t)
{
    for (; t != NULL; t = (const DeviceType *)type_parent((const ObjectType *)t)) {
        const void *places[] = {t, t->state, t->props, t->banks, t->pins};

        for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
            if (places[i] != NULL) {
                printf(" %td", (const char *)places[i] - (const char *)__start_object_types);
            }
        }
    }
}

static bool dump_type(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if ((kind == KIND_DEVICE || kind == KIND_CPU) && !t->abstract) {
        printf("type %s %zu", t->name, t->size);
        dump_places((const DeviceType *)t);
        printf("\n");
        state_foreach((const DeviceType *)t, NULL, dump_item, NULL);
    }
    return true;
}

static bool is_device(ObjectKind kind)
{
    return kind == KIND_DEVICE || kind == KIND_CPU;
}

static bool check_names(const ObjectType *t, ObjectKind kind, void *opaque)
{
    for (const Prop *p = t->props; p != NULL && p->name != NULL; p++) {
        g_assert_cmpuint(strlen(p->name), <, 64);
        g_assert_nonnull(p->type);
        g_assert_true(p->type != &prop_enum || p->names != NULL);
        g_assert_true(t->size == 0 || p->offset < t->size);
    }
    if (!t->abstract && kind != KIND_INTERFACE) {
        g_assert_cmpuint(t->size, >=, is_device(kind) ? sizeof(Device) : sizeof(Object));
    }
    if (t->parent != NULL && type_find(t->parent, NULL) == NULL) {
        g_error("type '%s': no parent '%s'", t->name, t->parent);
    }
    return true;
}

static void check_bank(const char *type, const RegBank *b, size_t struct_size)
{
    uint64_t end = 0;

    g_assert_true(b->num_regs > 0 || b->ops != NULL);
    for (unsigned i = 0; i < b->num_regs; i++) {
        const Reg *r = &b->regs[i];
        unsigned count = r->count != 0 ? r->count : 1,
                 stride = r->stride != 0 ? r->stride : r->size;

        if (r->name == NULL || (r->size & (r->size - 1)) != 0 || r->size == 0 || r->size > 8) {
            g_error("%s.%s: row %u has no name or an odd size", type, b->name, i);
        }
        if (r->offset < end && i > 0) {
            g_error("%s.%s: row '%s' at 0x%x is out of order or overlaps the one before", type,
                    b->name, r->name, r->offset);
        }
        end = stride == r->size || count == 1 ? r->offset + (uint64_t)count * r->size
                                              : r->offset + r->size;
        g_assert_cmpuint(r->offset + (uint64_t)(count - 1) * stride + r->size, <=, b->size);
        g_assert_true(r->field == REG_NO_FIELD || struct_size == 0 ||
                      r->field + (size_t)count * r->size <= struct_size);
    }
}

static bool check_banks(const ObjectType *t, ObjectKind kind, void *opaque)
{
    const DeviceType *d = (const DeviceType *)t;

    for (const RegBank *b = is_device(kind) ? d->banks : NULL; b != NULL && b->name != NULL; b++) {
        check_bank(t->name, b, t->size);
    }
    return true;
}

static bool check_state(const ObjectType *t, ObjectKind kind, void *opaque)
{
    const DeviceType *d = (const DeviceType *)t;

    if (!is_device(kind)) {
        return true;
    }
    for (const StateField *f = d->state; f != NULL && f->name != NULL; f++) {
        g_assert_true(f->kind != STATE_HOST || f->why != NULL);
        g_assert_true(f->kind != STATE_STRUCT_ || f->fields != NULL);
        g_assert_true(f->kind != STATE_BUFFER || f->len != NULL);
        g_assert_true(f->kind != STATE_INT || (f->size & (f->size - 1)) == 0);
    }
    return true;
}

static void test_names(void)
{
    type_foreach(check_names, NULL);
}

static void test_banks(void)
{
    type_foreach(check_banks, NULL);
}

static void test_state(void)
{
    type_foreach(check_state, NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--dump") == 0) {
        type_foreach(dump_type, NULL);
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/device-types/names", test_names);
    g_test_add_func("/device-types/banks", test_banks);
    g_test_add_func("/device-types/state", test_state);
    return g_test_run();
}
