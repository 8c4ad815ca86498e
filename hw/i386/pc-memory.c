// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory devices of the PC boards: a range of guest addresses behind RAM, and slots for modules,
 * of which ACPI tells the guest.
 */
#include <inttypes.h>

#include "exec/bank.h"
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/nvdimm.h"
#include "hw/acpi/pm.h"
#include "hw/i386/pc.h"
#include "hw/mem/memory-device.h"
#include "util/bswap.h"
#include "util/error.h"

#define DEFAULT_PHYS_BITS 40

/* Physical addresses of the CPUs; the usual number where they do not say. */
static unsigned phys_bits(const Vm *vm)
{
    const Object *cpu = g_ptr_array_index(vm->cpus, 0);
    const Prop *p = type_find_prop(cpu->type, "phys-bits");
    uint32_t bits = 0;

    if (p && p->type == &prop_uint32) {
        memcpy(&bits, (const char *)cpu + p->offset, sizeof(bits));
    }
    return bits ? MIN(bits, 52) : DEFAULT_PHYS_BITS;
}

bool pc_create_device_memory(PcBoard *b, GError **error)
{
    uint64_t size = device_memory_size(b->vm);
    uint64_t base = (4 * GIB + b->high_size + GIB - 1) & ~(GIB - 1);

    if (size == 0) {
        return true;
    }
    uint64_t limit = (1ull << phys_bits(b->vm)) - 1;

    if (base > limit || size - 1 > limit - base) {
        return fail(error,
                    "Address space limit 0x%" PRIx64 " < 0x%" PRIx64 " phys-bits too low (%u)",
                    limit, base + size - 1, phys_bits(b->vm));
    }
    return device_memory_create(b->vm, base, size, error) != NULL;
}

static void memory_event(void *opaque)
{
    acpi_gpe_raise(((PcBoard *)opaque)->acpi_pm, ACPI_MEMORY_GPE);
}

static void nvdimm_event(void *opaque)
{
    acpi_gpe_raise(((PcBoard *)opaque)->acpi_pm, ACPI_NVDIMM_GPE);
}

bool pc_create_memory_slots(PcBoard *b, GError **error)
{
    if (!b->acpi_pm) {
        acpi_memory_refuse(b->vm, "missing acpi device or acpi disabled");
        return true;
    }
    static const AcpiMemoryEvents events = {memory_event, nvdimm_event};
    Device *d = acpi_memory_create(b->vm, &events, b, error), *nvdimm;

    if (!d || !acpi_nvdimm_create(b->vm, &nvdimm, error)) {
        return false;
    }
    if (nvdimm) {
        region_add(b->vm->io, ACPI_NVDIMM_PORT, device_region(nvdimm, "regs"), 0);
    }
    if (b->vm->ram_slots) {
        region_add(b->vm->io, ACPI_MEMORY_PORT, device_region(d, "regs"), 0);
    }
    return true;
}

void pc_publish_device_memory(PcBoard *b)
{
    uint8_t end[8];

    if (device_memory(b->vm)) {
        store_le64(end, device_memory_end(b->vm, 0));
        fw_cfg_add_file(b->fw_cfg, "etc/reserved-memory-end", end, sizeof(end));
    }
}
