// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU hot plug registers of PC boards: 12 bytes at 0CD8h (q35) or AF00h (pc). It begins as the
 * old interface, a bitmap of APIC IDs; writing 0 to the selector turns it into the modern one:
 * select a CPU, give a command, read its data, acknowledge events, eject it, report of it (_OST).
 */
#include "hw/acpi/cpu-hotplug.h"
#include "exec/x86-topology.h"
#include "hw/i386/pc.h"
#include "qapi/qapi-events.h"
#include "qapi/qapi-types.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/main-loop.h"

enum {
    SELECTOR = 0,
    DATA_HIGH = 0,
    STATUS = 4,
    COMMAND = 5,
    DATA = 8
};
/* STATUS: bits that are read, and what writing them does: acknowledge, acknowledge, eject. */
enum {
    CPU_ENABLED = 1,
    CPU_INSERTED = 2,
    CPU_REMOVE = 4,
    CPU_EJECT = 8,
};
enum {
    CMD_NEXT_EVENT = 0,
    CMD_OST_EVENT = 1,
    CMD_OST_STATUS = 2,
    CMD_ARCH_ID = 3
};

/* The selected CPU as the guest sees it; NULL: none. */
static Cpu *cpus_selected(const AcpiCpus *c)
{
    return c->selector < ACPI_MAX_CPUS && !(c->flags[c->selector] & CPU_EJECT)
               ? cpu_by_index(c->owner->vm, c->selector)
               : NULL;
}

static bool cpus_valid(const AcpiCpus *c)
{
    return c->selector < MIN(c->owner->vm->smp.max_cpus, (unsigned)ACPI_MAX_CPUS);
}

static uint64_t cpus_bitmap(const AcpiCpus *c, hwaddr offset)
{
    Vm *vm = c->owner->vm;
    uint8_t bits = 0;

    for (unsigned i = 0; i < vm->cpus->len; i++) {
        const Cpu *cpu = vm->cpus->pdata[i];
        uint32_t id = x86_apic_id(vm, cpu->index);

        bits |= id / 8 == offset ? 1u << (id & 7) : 0;
    }
    return bits;
}

static uint64_t cpus_data(const AcpiCpus *c)
{
    switch (c->command) {
    case CMD_NEXT_EVENT:
        return c->selector;
    case CMD_ARCH_ID:
        return x86_apic_id(c->owner->vm, c->selector);
    default:
        return 0;
    }
}

static uint64_t cpus_status(const AcpiCpus *c)
{
    return cpus_selected(c) ? CPU_ENABLED | (c->flags[c->selector] & (CPU_INSERTED | CPU_REMOVE))
                            : 0;
}

static uint64_t cpus_read(void *opaque, hwaddr offset, unsigned size)
{
    AcpiCpus *c = opaque;

    if (!c->modern) {
        uint64_t v = 0;

        for (unsigned i = 0; i < size; i++) {
            v |= cpus_bitmap(c, offset + i) << 8 * i;
        }
        return v;
    }
    if (!cpus_valid(c)) {
        return 0;
    }
    return offset == STATUS ? cpus_status(c) : offset == DATA ? cpus_data(c) : 0;
}

/* Selects the next CPU, from the selected one on, of which there is news. */
static void cpus_next_event(AcpiCpus *c)
{
    unsigned n = MIN(c->owner->vm->smp.max_cpus, (unsigned)ACPI_MAX_CPUS);

    for (unsigned i = 0; i < n; i++) {
        unsigned at = (c->selector + i) % n;

        if (c->flags[at] & (CPU_INSERTED | CPU_REMOVE)) {
            c->selector = at;
            return;
        }
    }
}

static ACPIOSTInfo *describe_ost(const AcpiCpus *c, unsigned index)
{
    ACPIOSTInfo *info = g_new0(ACPIOSTInfo, 1);
    const Cpu *cpu = cpu_by_index(c->owner->vm, index);

    info->device = cpu ? g_strdup(cpu->dev.id) : NULL;
    info->slot = g_strdup_printf("%u", index);
    info->slot_type = ACPI_SLOT_TYPE_CPU;
    info->source = c->ost_event[index];
    info->status = c->ost_status[index];
    return info;
}

void acpi_cpus_describe_osts(Vm *vm, GPtrArray *list)
{
    const CpuSlots *slots = vm_published(vm, CPU_SLOTS);
    const AcpiCpus *c = slots ? slots->opaque : NULL;

    for (unsigned i = 0; c && c->modern && i < MIN(vm->smp.max_cpus, (unsigned)ACPI_MAX_CPUS);
         i++) {
        g_ptr_array_add(list, describe_ost(c, i));
    }
}

static void cpus_write_data(AcpiCpus *c, uint32_t value)
{
    if (c->command == CMD_OST_EVENT) {
        c->ost_event[c->selector] = value;
    } else if (c->command == CMD_OST_STATUS) {
        ACPIOSTInfo *info;

        c->ost_status[c->selector] = value;
        info = describe_ost(c, c->selector);
        qapi_event_acpi_device_ost(&(AcpiDeviceOstEvent){.info = info});
        QAPI_FREE(ACPIOSTInfo, info);
    }
}

static void cpus_write_status(AcpiCpus *c, uint8_t value)
{
    c->flags[c->selector] &= (uint8_t)~(value & (CPU_INSERTED | CPU_REMOVE));
    if (!(value & CPU_EJECT)) {
        return;
    }
    if (c->selector == 0 || !cpus_selected(c)) {
        guest_error("acpi-cpu-hotplug: ejects CPU %u, which is not there or stays", c->selector);
        return;
    }
    c->flags[c->selector] = CPU_EJECT;
    bh_schedule(c->eject_bh);
}

static void cpus_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AcpiCpus *c = opaque;

    if (!c->modern) {
        c->modern = offset == SELECTOR && size == 4 && value == 0;
    } else if (offset == SELECTOR && size == 4) {
        c->selector = value;
    } else if (!cpus_valid(c)) {
        return;
    } else if (offset == STATUS) {
        cpus_write_status(c, (uint8_t)value);
    } else if (offset == COMMAND) {
        c->command = value;
        if (c->command == CMD_NEXT_EVENT) {
            cpus_next_event(c);
        }
    } else if (offset == DATA && size == 4) {
        cpus_write_data(c, (uint32_t)value);
    }
}

static const RegionOps cpus_ops = {
    .read = cpus_read,
    .write = cpus_write,
    .min_size = 1,
    .max_size = 4,
    .max_valid = 4,
};

/* ---- CPUs come and go ---- */

static bool cpus_may_plug(void *opaque, GError **error)
{
    return pc_may_plug_cpus(pc_board(((AcpiCpus *)opaque)->owner->vm), error);
}

static void cpus_plugged(void *opaque, Cpu *cpu)
{
    AcpiCpus *c = opaque;

    if (cpu->index < ACPI_MAX_CPUS) {
        c->flags[cpu->index] = cpu->dev.hotplugged ? CPU_INSERTED : 0;
    }
    if (cpu->dev.hotplugged) {
        pc_publish_cpu_count(pc_board(c->owner->vm));
        acpi_gpe_raise(c->pm, ACPI_CPU_GPE);
    }
}

static void cpus_unplugged(void *opaque, Cpu *cpu)
{
    AcpiCpus *c = opaque;

    if (cpu->index < ACPI_MAX_CPUS) {
        c->flags[cpu->index] = 0;
    }
    pc_publish_cpu_count(pc_board(c->owner->vm));
}

static bool cpus_request(void *opaque, Cpu *cpu, GError **error)
{
    AcpiCpus *c = opaque;

    if (!c->modern) {
        return fail(error, "acpi: device unplug request for not supported device type: %s",
                    cpu->dev.obj.type->name);
    }
    if (cpu->index == 0) {
        return fail(error, "Boot CPU is unpluggable");
    }
    c->flags[cpu->index] |= CPU_REMOVE;
    acpi_gpe_raise(c->pm, ACPI_CPU_GPE);
    return true;
}

/* Unplugs, from the main loop, what the guest has ejected. */
static void cpus_eject(void *opaque)
{
    AcpiCpus *c = opaque;

    for (unsigned i = 1; i < ACPI_MAX_CPUS; i++) {
        Cpu *cpu = c->flags[i] & CPU_EJECT ? cpu_by_index(c->owner->vm, i) : NULL;

        if (cpu) {
            device_unplug(&cpu->dev);
        }
    }
}

void acpi_cpus_init(AcpiCpus *c, Device *owner, AcpiPm *pm, uint16_t port)
{
    c->owner = owner;
    c->pm = pm;
    c->slots = (CpuSlots){cpus_may_plug, cpus_plugged, cpus_unplugged, cpus_request, c};
    c->eject_bh = bh_new(cpus_eject, c);
    region_init_io(&c->region, &owner->obj, "acpi-cpu-hotplug", ACPI_CPU_BLOCK, &cpus_ops, c);
    region_add(owner->vm->io, port, &c->region, 0);
    vm_publish(owner->vm, CPU_SLOTS, &c->slots);
}

void acpi_cpus_reset(AcpiCpus *c)
{
    c->selector = 0;
    c->command = 0;
    c->modern = false;
    /* The guest that comes finds in its tables what is there. */
    for (unsigned i = 0; i < ACPI_MAX_CPUS; i++) {
        c->flags[i] &= CPU_EJECT;
    }
}

void acpi_cpus_loaded(AcpiCpus *c)
{
    bh_schedule(c->eject_bh);
}

const StateField acpi_cpus_state[] = {
    STATE(AcpiCpus, selector),
    STATE(AcpiCpus, command),
    STATE(AcpiCpus, modern),
    STATE_ARRAY(AcpiCpus, flags),
    STATE_ARRAY(AcpiCpus, ost_event),
    STATE_ARRAY(AcpiCpus, ost_status),
    HOST_ONLY(AcpiCpus, owner, "place"),
    HOST_ONLY(AcpiCpus, pm, "has state of its own"),
    HOST_ONLY(AcpiCpus, slots, "functions"),
    HOST_ONLY(AcpiCpus, eject_bh, "scheduled again after a load"),
    HOST_ONLY(AcpiCpus, region, "region"),
    STATE_END,
};
