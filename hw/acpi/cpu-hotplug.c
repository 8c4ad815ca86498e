// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPU hot plug registers of PC boards: 12 bytes at 0CD8h (q35) or AF00h (pc). It begins as the
 * old interface, a bitmap of APIC IDs; writing 0 to the selector turns it into the modern one:
 * select a CPU, give a command, read its data. Left out: plugging, so that there are never events.
 */
#include "hw/acpi/cpu-hotplug.h"
#include "exec/cpu.h"
#include "qom/vm.h"

#define BLOCK_SIZE 12
enum {
    SELECTOR = 0,
    DATA_HIGH = 0,
    STATUS = 4,
    COMMAND = 5,
    DATA = 8
};
enum {
    CPU_ENABLED = 1,
    CMD_NEXT_EVENT = 0,
    CMD_ARCH_ID = 3
};

uint32_t acpi_cpu_apic_id(Vm *vm, unsigned i)
{
    const Object *cpu = g_ptr_array_index(vm->cpus, i);
    const Prop *p = type_find_prop(cpu->type, "apic-id");
    uint32_t id = i;

    if (p) {
        memcpy(&id, (const char *)cpu + p->offset, sizeof(id));
    }
    return id;
}

static bool cpus_valid(const AcpiCpus *c)
{
    Vm *vm = c->owner->vm;

    return vm->cpus && c->selector < vm->cpus->len;
}

static uint64_t cpus_bitmap(const AcpiCpus *c, hwaddr offset)
{
    Vm *vm = c->owner->vm;
    uint8_t bits = 0;

    for (unsigned i = 0; vm->cpus && i < vm->cpus->len; i++) {
        uint32_t id = acpi_cpu_apic_id(vm, i);

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
        return acpi_cpu_apic_id(c->owner->vm, c->selector);
    default:
        return 0;
    }
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
    return offset == STATUS ? CPU_ENABLED : offset == DATA ? cpus_data(c) : 0;
}

static void cpus_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AcpiCpus *c = opaque;

    if (!c->modern) {
        c->modern = offset == SELECTOR && size == 4 && value == 0;
    } else if (offset == SELECTOR && size == 4) {
        c->selector = value;
    } else if (offset == COMMAND) {
        c->command = value;
    }
}

static const RegionOps cpus_ops = {
    .read = cpus_read,
    .write = cpus_write,
    .min_size = 1,
    .max_size = 4,
    .max_valid = 4,
};

void acpi_cpus_init(AcpiCpus *c, Device *owner, uint16_t port)
{
    c->owner = owner;
    region_init_io(&c->region, &owner->obj, "acpi-cpu-hotplug", BLOCK_SIZE, &cpus_ops, c);
    region_add(owner->vm->io, port, &c->region, 0);
}

void acpi_cpus_reset(AcpiCpus *c)
{
    c->selector = 0;
    c->command = 0;
    c->modern = false;
}

const StateField acpi_cpus_state[] = {
    STATE(AcpiCpus, selector),
    STATE(AcpiCpus, command),
    STATE(AcpiCpus, modern),
    HOST_ONLY(AcpiCpus, owner, "place"),
    HOST_ONLY(AcpiCpus, region, "region"),
    STATE_END,
};
