// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which CPUs and which memory of the PC boards belong to which NUMA node: SRAT (ACPI 6.3, 5.2.16),
 * and an item of fw_cfg for firmware.
 */
#include "acpi-internal.h"
#include "exec/numa.h"
#include "exec/x86-topology.h"
#include "hw/acpi/numa.h"

#define HOLE_START (640 * KIB)
#define HOLE_END MIB
#define APIC_ID_BROADCAST 255

enum {
    SRAT_APIC = 0,
    SRAT_X2APIC = 2
};

typedef struct SratWriter {
    AcpiTables *tables;
    const PcBoard *board;
} SratWriter;

static void put_cpu(AcpiTables *s, uint32_t apic_id, uint32_t node)
{
    if (apic_id < APIC_ID_BROADCAST) {
        acpi_put(s, SRAT_APIC, 1);
        acpi_put(s, 16, 1);
        acpi_put(s, node & 0xff, 1);
        acpi_put(s, apic_id, 1);
        acpi_put(s, SRAT_ENABLED, 4);
        acpi_put(s, 0, 1);
        acpi_put(s, node >> 8, 3);
        acpi_zero(s, 4);
    } else {
        acpi_put(s, SRAT_X2APIC, 1);
        acpi_put(s, 24, 1);
        acpi_zero(s, 2);
        acpi_put(s, node, 4);
        acpi_put(s, apic_id, 4);
        acpi_put(s, SRAT_ENABLED, 4);
        acpi_zero(s, 4 + 4);
    }
}

/* What of [offset, offset + size) of RAM lies in [from, to) of it, which the guest sees at `at`. */
static void put_window(SratWriter *w, unsigned node, uint64_t offset, uint64_t size, uint64_t from,
                       uint64_t to, uint64_t at)
{
    uint64_t start = MAX(offset, from), end = MIN(offset + size, to);

    if (start < end) {
        acpi_srat_memory(w->tables, node, at + (start - from), end - start, SRAT_ENABLED);
    }
}

static void put_node(unsigned node, uint64_t offset, uint64_t size, void *opaque)
{
    SratWriter *w = opaque;
    const PcBoard *b = w->board;

    put_window(w, node, offset, size, 0, HOLE_START, 0);
    put_window(w, node, offset, size, HOLE_END, b->low_size, HOLE_END);
    put_window(w, node, offset, size, b->low_size, b->low_size + b->high_size, 4 * GIB);
}

void acpi_build_srat(AcpiTables *s, PcBoard *b)
{
    SratWriter w = {s, b};

    if (numa_count(b->vm) == 0) {
        return;
    }
    uint32_t at = acpi_srat_begin(s, 1);

    for (unsigned i = 0; i < MAX(b->vm->smp.max_cpus, b->vm->smp.cpus); i++) {
        put_cpu(s, x86_apic_id(b->vm, i), (uint32_t)numa_cpu_node(b->vm, i));
    }
    numa_foreach_ram(b->vm, put_node, &w);
    acpi_srat_devices(s, b->vm);
    acpi_table_end(s, at, true);
}

void pc_publish_numa(PcBoard *b)
{
    const Vm *vm = b->vm;
    unsigned nodes = numa_count(vm), ids = 0;

    for (unsigned i = 0; i < MAX(vm->smp.max_cpus, vm->smp.cpus); i++) {
        ids = MAX(ids, x86_apic_id(b->vm, i) + 1);
    }
    /* Number of nodes; the node of each APIC ID; the bytes of each node. */
    g_autofree uint64_t *numa = g_new0(uint64_t, 1 + ids + nodes);

    numa[0] = GUINT64_TO_LE(nodes);
    for (unsigned i = 0; nodes && i < MAX(vm->smp.max_cpus, vm->smp.cpus); i++) {
        numa[1 + x86_apic_id(b->vm, i)] = GUINT64_TO_LE((uint64_t)numa_cpu_node(vm, i));
    }
    for (unsigned i = 0; i < nodes; i++) {
        numa[1 + ids + i] = GUINT64_TO_LE(vm->numa->node[i].size);
    }
    fw_cfg_add_bytes(b->fw_cfg, FW_CFG_NUMA, numa, (1 + ids + nodes) * sizeof(*numa));
}
