// SPDX-License-Identifier: GPL-2.0-or-later
/* Reset of devices, buses and the machine. Contracts: include/qom/device.h and vm.h. */
#include "qom/vm.h"

#define MAX_DEPTH 16    /* of type inheritance */

static void put_field(char *field, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)field = v; break;
    case 2: *(uint16_t *)field = v; break;
    case 4: *(uint32_t *)field = v; break;
    default: *(uint64_t *)field = v; break;
    }
}

static void reset_bank(Device *d, const RegBank *b)
{
    for (unsigned i = 0; i < b->num_regs; i++) {
        const Reg *r = &b->regs[i];
        unsigned count = r->count != 0 ? r->count : 1;

        for (unsigned n = 0; r->field != REG_NO_FIELD && n < count; n++) {
            put_field((char *)d + r->field + (size_t)n * r->size, r->size, r->reset);
        }
    }
}

static void reset_type_banks(Device *d, const DeviceType *t)
{
    for (const RegBank *b = t->banks; b != NULL && b->name != NULL; b++) {
        reset_bank(d, b);
    }
}

void device_reset_banks(Device *d)
{
    for (const ObjectType *t = d->obj.type; t != NULL; t = type_parent(t)) {
        reset_type_banks(d, (const DeviceType *)t);
    }
}

static void lower_outputs(Device *d, const DeviceType *t)
{
    for (const PinRow *r = t->pins; r != NULL && r->name != NULL; r++) {
        for (unsigned i = 0; r->input == NULL && i < r->count; i++) {
            irq_lower((Irq *)((char *)d + r->field) + i);
        }
    }
}

void device_reset(Device *d)
{
    const DeviceType *chain[MAX_DEPTH];
    unsigned n = 0;

    for (unsigned i = 0; d->buses != NULL && i < d->buses->len; i++) {
        bus_reset(d->buses->pdata[i]);
    }
    for (const ObjectType *t = d->obj.type; t != NULL && n < MAX_DEPTH; t = type_parent(t)) {
        if (type_kind(t) == KIND_DEVICE || type_kind(t) == KIND_CPU) {
            chain[n++] = (const DeviceType *)t;
        }
    }
    for (unsigned i = n; i-- > 0;) {
        reset_type_banks(d, chain[i]);
        lower_outputs(d, chain[i]);
    }
    for (unsigned i = n; i-- > 0;) {
        if (chain[i]->reset != NULL) {
            chain[i]->reset(d);
        }
    }
}

void bus_reset(Bus *bus)
{
    for (unsigned i = 0; i < bus->devices->len; i++) {
        Device *d = bus->devices->pdata[i];

        if (d->realized && d->obj.kind != KIND_CPU) {
            device_reset(d);
        }
    }
}

/* ---- the machine ---- */

typedef struct ResetHook {
    void (*fn)(void *opaque);
    void *opaque;
} ResetHook;

void vm_reset_add(Vm *vm, void (*fn)(void *opaque), void *opaque)
{
    ResetHook hook = {fn, opaque};

    if (vm->reset_hooks == NULL) {
        vm->reset_hooks = g_array_new(FALSE, FALSE, sizeof(ResetHook));
    }
    g_array_append_val(vm->reset_hooks, hook);
}

void vm_reset_remove(Vm *vm, void (*fn)(void *opaque), void *opaque)
{
    for (unsigned i = 0; vm->reset_hooks != NULL && i < vm->reset_hooks->len; i++) {
        const ResetHook *h = &g_array_index(vm->reset_hooks, ResetHook, i);

        if (h->fn == fn && h->opaque == opaque) {
            g_array_remove_index(vm->reset_hooks, i);
            return;
        }
    }
}

void vm_reset(Vm *vm)
{
    bus_reset(vm->system_bus);
    if (vm->load_roms != NULL) {
        vm->load_roms(vm);
    }
    for (unsigned i = 0; vm->cpus != NULL && i < vm->cpus->len; i++) {
        device_reset(vm->cpus->pdata[i]);
    }
    for (unsigned i = 0; vm->reset_hooks != NULL && i < vm->reset_hooks->len; i++) {
        const ResetHook *h = &g_array_index(vm->reset_hooks, ResetHook, i);

        h->fn(h->opaque);
    }
}
