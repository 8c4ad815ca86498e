// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The place of a vCPU: the board's CPUs take the first ones in turn; those that a user adds say
 * theirs, by APIC ID or by socket, die, core and thread (SDM 3A 10.9.3), and the board is told.
 */
#include "target-i386/models.h"
#include "target-i386/state.h"

#include "exec/x86-topology.h"
#include "qom/vm.h"

static bool check_id(const char *what, int32_t id, unsigned count, GError **error)
{
    if (id < 0) {
        return fail(error, "CPU %s-id is not set", what);
    }
    return (unsigned)id < count || fail(error, "Invalid CPU %s-id: %d must be in range 0:%u", what,
                                        id, count - 1);
}

static bool id_from_place(X86Cpu *c, GError **error)
{
    const Vm *vm = c->cpu.dev.vm;
    const SmpConfig *s = &vm->smp;
    const X86IdShifts shifts = x86_id_shifts(vm);

    if (c->die_id < 0 && s->dies <= 1) {
        c->die_id = 0;
    }
    if (!check_id("socket", c->socket_id, MAX(s->sockets, 1u), error) ||
        !check_id("die", c->die_id, MAX(s->dies, 1u), error) ||
        !check_id("core", c->core_id, MAX(s->cores, 1u), error) ||
        !check_id("thread", c->thread_id, MAX(s->threads, 1u), error)) {
        return false;
    }
    c->apic_id = (uint32_t)c->thread_id | (uint32_t)c->core_id << shifts.core |
                 (uint32_t)c->die_id << shifts.die | (uint32_t)c->socket_id << shifts.socket;
    return true;
}

/* What the ID says and what was said beside it must agree. */
static bool take_place(X86Cpu *c, const CpuPlace *p, GError **error)
{
    const struct {
        const char *name;
        int32_t *id;
        int value;
    } rows[] = {
        {"socket", &c->socket_id, p->socket},
        {"die", &c->die_id, MAX(p->die, 0)},
        {"core", &c->core_id, p->core},
        {"thread", &c->thread_id, p->thread},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (*rows[i].id >= 0 && *rows[i].id != rows[i].value) {
            return fail(error, "property %s-id: %d doesn't match set apic-id: 0x%x (%s-id: %d)",
                        rows[i].name, *rows[i].id, c->apic_id, rows[i].name, rows[i].value);
        }
        *rows[i].id = rows[i].value;
    }
    return true;
}

static bool check_type(const X86Cpu *c, GError **error)
{
    const Cpu *first = cpu_by_index(c->cpu.dev.vm, 0);
    const char *type = c->cpu.dev.obj.type->name;

    return !first || strcmp(first->dev.obj.type->name, type) == 0 ||
           fail(error, "Invalid CPU type, expected cpu type: '%s'", first->dev.obj.type->name);
}

/* Features of -cpu are those of all. */
static void share_features(X86Cpu *c)
{
    const X86Cpu *first = (const X86Cpu *)cpu_by_index(c->cpu.dev.vm, 0);

    if (!c->feature_text && first && first->feature_text) {
        c->feature_text = g_ptr_array_new_with_free_func(g_free);
        for (unsigned i = 0; i < first->feature_text->len; i++) {
            g_ptr_array_add(c->feature_text, g_strdup(first->feature_text->pdata[i]));
        }
    }
}

/* A CPU that a user adds. */
static bool find_place(X86Cpu *c, GError **error)
{
    Vm *vm = c->cpu.dev.vm;
    const CpuSlots *slots = vm_published(vm, CPU_SLOTS);

    if (!slots) {
        return fail(error, "machine does not support hot-plugging CPUs");
    }
    if (!check_type(c, error) || !slots->may_plug(slots->opaque, error) ||
        (c->apic_id == UINT32_MAX && !id_from_place(c, error))) {
        return false;
    }
    int index = x86_index_of_apic_id(vm, c->apic_id);

    if (index < 0) {
        return fail(error, "Invalid CPU with APIC ID %u, valid index range 0:%u", c->apic_id,
                    MAX(vm->smp.max_cpus, vm->smp.cpus) - 1);
    }
    if (cpu_by_index(vm, (unsigned)index)) {
        return fail(error, "CPU[%d] with APIC ID %u exists", index, c->apic_id);
    }
    c->cpu.index = (unsigned)index;
    share_features(c);
    return true;
}

bool x86_cpu_place(X86Cpu *c, GError **error)
{
    Vm *vm = c->cpu.dev.vm;

    if (c->cpu.dev.hotplugged || vm->cpus->len >= MAX(vm->smp.cpus, 1u)) {
        if (!find_place(c, error)) {
            return false;
        }
    } else {
        c->cpu.index = vm->cpus->len;
        if (c->apic_id == UINT32_MAX) {
            c->apic_id = x86_apic_id(vm, c->cpu.index);
        }
    }
    const CpuPlace place = cpu_place(vm, c->cpu.index);

    return take_place(c, &place, error);
}

void x86_cpu_tell_slots(X86Cpu *c, bool plugged)
{
    const CpuSlots *slots = vm_published(c->cpu.dev.vm, CPU_SLOTS);

    if (slots) {
        (plugged ? slots->plugged : slots->unplugged)(slots->opaque, &c->cpu);
    }
}

bool x86_cpu_unplug_request(Device *d, GError **error)
{
    const CpuSlots *slots = vm_published(d->vm, CPU_SLOTS);

    return slots ? slots->request(slots->opaque, (Cpu *)d, error)
                 : fail(error, "machine does not support hot-unplugging CPUs");
}
