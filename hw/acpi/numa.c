// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of NUMA nodes: SRAT (ACPI 6.3, 5.2.16), SLIT (5.2.17), HMAT (5.2.27, revision 2). */
#include "hw/acpi/numa.h"
#include "exec/numa.h"
#include "hw/mem/memory-device.h"
#include "util/error.h"

enum {
    SRAT_MEMORY = 1
};
enum {
    HMAT_PROXIMITY = 0,
    HMAT_MATRIX = 1,
    HMAT_CACHE = 2
};
#define PS_PER_NS 1000u

uint32_t acpi_srat_begin(AcpiTables *s, uint8_t revision)
{
    uint32_t at = acpi_table_begin(s, "SRAT", revision);

    acpi_put(s, 1, 4);
    acpi_zero(s, 8);
    return at;
}

void acpi_srat_memory(AcpiTables *s, uint32_t node, uint64_t base, uint64_t size, uint32_t flags)
{
    if (size == 0) {
        return;
    }
    acpi_put(s, SRAT_MEMORY, 1);
    acpi_put(s, 40, 1);
    acpi_put(s, node, 4);
    acpi_zero(s, 2);
    acpi_put(s, base, 8);
    acpi_put(s, size, 8);
    acpi_zero(s, 4);
    acpi_put(s, flags, 4);
    acpi_zero(s, 8);
}

static void put_nonvolatile(PcDimm *d, void *opaque)
{
    if (d->nonvolatile) {
        acpi_srat_memory(opaque, d->node, d->mem.addr, d->mem.size,
                         SRAT_ENABLED | SRAT_NON_VOLATILE);
    }
}

void acpi_srat_devices(AcpiTables *s, Vm *vm)
{
    const DeviceMemory *d = device_memory(vm);

    if (d) {
        pc_dimm_foreach(vm, put_nonvolatile, s);
        acpi_srat_memory(s, numa_count(vm) - 1, d->base, d->size,
                         SRAT_ENABLED | SRAT_HOT_PLUGGABLE);
    }
}

void acpi_build_slit(AcpiTables *s, const Vm *vm)
{
    const NumaState *n = vm->numa;

    if (!n || !n->has_distances) {
        return;
    }
    uint32_t at = acpi_table_begin(s, "SLIT", 1);

    acpi_put(s, n->count, 8);
    for (unsigned i = 0; i < n->count; i++) {
        acpi_bytes(s, n->node[i].distance, n->count);
    }
    acpi_table_end(s, at, true);
}

/* ---- HMAT ---- */

static void hmat_header(AcpiTables *s, uint16_t type, uint32_t len)
{
    acpi_put(s, type, 2);
    acpi_zero(s, 2);
    acpi_put(s, len, 4);
}

static void hmat_proximity(AcpiTables *s, const NumaNode *node, uint32_t id)
{
    hmat_header(s, HMAT_PROXIMITY, 40);
    acpi_put(s, node->initiator >= 0, 2);
    acpi_zero(s, 2);
    acpi_put(s, node->initiator >= 0 ? (uint32_t)node->initiator : 0, 4);
    acpi_put(s, id, 4);
    acpi_zero(s, 4 + 8 + 8);
}

/* Entries have 16 bits, in units: as large a power of `factor` as divides them all. */
static uint64_t matrix_unit(const HmatMatrix *m, unsigned count, unsigned factor)
{
    uint64_t unit = 1;
    bool any = false;

    for (unsigned i = 0; i < count * count; i++) {
        any |= m->value[i / count][i % count] != 0;
    }
    while (any && unit <= UINT64_MAX / factor / PS_PER_NS) {
        for (unsigned i = 0; i < count * count; i++) {
            if (m->value[i / count][i % count] % (unit * factor) != 0) {
                return unit;
            }
        }
        unit *= factor;
    }
    return unit;
}

static void hmat_matrix(AcpiTables *s, const NumaState *n, unsigned hierarchy, unsigned type)
{
    const HmatMatrix *m = n->hmat[hierarchy][type];
    bool latency = type < HMAT_BANDWIDTHS;
    uint64_t unit = matrix_unit(m, n->count, latency ? 10 : 2);
    uint32_t initiators = 0, targets = n->count;

    for (unsigned i = 0; i < n->count; i++) {
        initiators += n->node[i].has_cpu;
    }
    hmat_header(s, HMAT_MATRIX, 32 + 4 * (initiators + targets) + 2 * initiators * targets);
    acpi_put(s, hierarchy, 1);
    acpi_put(s, type, 1);
    acpi_zero(s, 2);
    acpi_put(s, initiators, 4);
    acpi_put(s, targets, 4);
    acpi_zero(s, 4);
    acpi_put(s, latency ? unit * PS_PER_NS : unit, 8);
    for (unsigned i = 0; i < n->count; i++) {
        if (n->node[i].has_cpu) {
            acpi_put(s, i, 4);
        }
    }
    for (unsigned i = 0; i < targets; i++) {
        acpi_put(s, i, 4);
    }
    for (unsigned i = 0; i < n->count; i++) {
        for (unsigned k = 0; n->node[i].has_cpu && k < targets; k++) {
            acpi_put(s, MIN(m->value[i][k] / unit, UINT16_MAX), 2);
        }
    }
}

static void hmat_caches(AcpiTables *s, const NumaNode *node, uint32_t id)
{
    uint32_t levels = 0;

    while (levels + 1 < HMAT_HIERARCHIES && node->cache[levels + 1].size) {
        levels++;
    }
    for (uint32_t level = 1; level <= levels; level++) {
        const HmatCache *c = &node->cache[level];

        hmat_header(s, HMAT_CACHE, 32);
        acpi_put(s, id, 4);
        acpi_zero(s, 4);
        acpi_put(s, c->size, 8);
        acpi_put(s,
                 levels | level << 4 | (uint32_t)c->associativity << 8 | (uint32_t)c->policy << 12 |
                     (uint32_t)c->line << 16,
                 4);
        acpi_zero(s, 2 + 2); /* no SMBIOS handles */
    }
}

void acpi_build_hmat(AcpiTables *s, const Vm *vm)
{
    const NumaState *n = vm->numa;

    if (!n || !vm->machine->hmat) {
        return;
    }
    uint32_t at = acpi_table_begin(s, "HMAT", 2);

    acpi_zero(s, 4);
    for (unsigned i = 0; i < n->count; i++) {
        if (n->node[i].size > 0) {
            hmat_proximity(s, &n->node[i], i);
        }
    }
    for (unsigned h = 0; h < HMAT_HIERARCHIES; h++) {
        for (unsigned t = 0; t < HMAT_DATA_TYPES; t++) {
            if (n->hmat[h][t]) {
                hmat_matrix(s, n, h, t);
            }
        }
    }
    for (unsigned i = 0; i < n->count; i++) {
        hmat_caches(s, &n->node[i], i);
    }
    acpi_table_end(s, at, true);
}
