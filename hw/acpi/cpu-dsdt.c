// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs in the DSDT (ACPI 6.3, 8.4: processor devices, ACPI0007) and methods over the registers of
 * cpu-hotplug.c. One serialized method does all that needs a selected CPU, so that nobody selects
 * another meanwhile; and the entries of all CPUs for the MADT (5.2.12), which _MAT repeats.
 */
#include "exec/numa.h"
#include "exec/x86-topology.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/slot-dsdt.h"
#include "util/bswap.h"

enum {
    DO_STATUS, /* (cpu): _STA */
    DO_OUTCOME, /* (cpu, event, status): _OST */
    DO_EJECT, /* (cpu): _EJ0 */
    DO_SCAN, /* notifies of changes of all CPUs */
};
enum {
    OST_EVENT_COMMAND = 1,
    OST_STATUS_COMMAND = 2,
};
#define APIC_ID_BROADCAST 255

static void cpu_name(char name[5], unsigned i)
{
    g_snprintf(name, 5, "C%03X", i & 0xfff);
}

static void append(GByteArray *out, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, size);
}

void acpi_madt_cpu(GByteArray *out, Vm *vm, unsigned index, bool enabled)
{
    uint32_t id = x86_apic_id(vm, index);

    if (id < APIC_ID_BROADCAST && index < APIC_ID_BROADCAST) {
        append(out, 0 | 8 << 8, 2);
        append(out, index, 1);
        append(out, id, 1);
        append(out, enabled, 4);
    } else {
        append(out, 9 | 16 << 8, 2 + 2);
        append(out, id, 4);
        append(out, enabled, 4);
        append(out, index, 4);
    }
}

static void registers(Aml *a, uint16_t port)
{
    static const char *const flags[] = {"CPRS", "CINS", "CREM", "CEJC"};

    aml_region(a, "CREG", AML_SYSTEM_IO, port, ACPI_CPU_BLOCK);
    aml_field(a, "CREG", ACPI_DWORD_PRESERVE);
    aml_field_unit(a, "CSEL", 32);
    aml_field_unit(a, NULL, 32);
    aml_field_unit(a, "CDAT", 32);
    aml_end(a);
    aml_field(a, "CREG", ACPI_BYTE_ZEROS);
    aml_field_unit(a, NULL, 4 * 8);
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        aml_field_unit(a, flags[i], 1);
    }
    aml_field_unit(a, NULL, 4);
    aml_field_unit(a, "CCMD", 8);
    aml_end(a);
}

/* CCTL(what, cpu, x, y): 0 in the selector first, which begins the modern interface. */
static void control_method(Aml *a, const AcpiSlots *s)
{
    aml_method(a, s->control, 4, true);
    acpi_store_int(a, 0, s->select);
    aml_if_equal(a, AML_ARG0, DO_SCAN);
    acpi_slots_scan(a, s);
    aml_end(a);
    acpi_store_arg(a, AML_ARG0 + 1, s->select);
    aml_if_equal(a, AML_ARG0, DO_STATUS);
    acpi_if_set(a, "CPRS");
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x0f);
    aml_end(a);
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_OUTCOME);
    acpi_store_int(a, OST_EVENT_COMMAND, "CCMD");
    acpi_store_arg(a, AML_ARG0 + 2, "CDAT");
    acpi_store_int(a, OST_STATUS_COMMAND, "CCMD");
    acpi_store_arg(a, AML_ARG0 + 3, "CDAT");
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_EJECT);
    acpi_store_int(a, 1, "CEJC");
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
}

static void processor(Aml *a, Vm *vm, const AcpiSlots *s, unsigned i)
{
    GByteArray *entry = g_byte_array_new();
    char name[5];

    cpu_name(name, i);
    aml_device(a, name);
    aml_name_string(a, "_HID", "ACPI0007");
    aml_name_int(a, "_UID", i);
    acpi_slot_method(a, s, i, (AcpiSlotMethod){"_STA", 0, DO_STATUS, .answers = true});
    /* A guest asks for the entry of a CPU that is there: it is enabled. */
    acpi_madt_cpu(entry, vm, i, true);
    aml_name_buffer(a, "_MAT", entry);
    g_byte_array_free(entry, TRUE);
    if (i > 0) {
        acpi_slot_method(a, s, i, (AcpiSlotMethod){"_EJ0", 1, DO_EJECT});
    }
    acpi_slot_method(a, s, i, (AcpiSlotMethod){"_OST", 3, DO_OUTCOME, .hands_on = true});
    if (numa_count(vm) > 0) {
        aml_name_int(a, "_PXM", (unsigned)MAX(numa_cpu_node(vm, i), 0));
    }
    aml_end(a);
}

void acpi_cpus_dsdt(Aml *a, Vm *vm, uint16_t port)
{
    GByteArray *res = g_byte_array_new();
    const AcpiSlots s = {
        .control = "CCTL",
        .notify = "CTFY",
        .select = "CSEL",
        .inserted = "CINS",
        .removed = "CREM",
        .name = cpu_name,
        .count = MIN(MAX(vm->smp.max_cpus, vm->smp.cpus), (unsigned)ACPI_MAX_CPUS),
    };

    /* The ports in a device of their own: containers of processors have no resources. */
    aml_device(a, "\\_SB.CPRT");
    aml_name_eisaid(a, "_HID", "PNP0A06");
    aml_name_string(a, "_UID", "CPU slots");
    aml_name_int(a, "_STA", 0x0b);
    aml_res_io(res, port, ACPI_CPU_BLOCK);
    aml_name_crs(a, res);
    aml_end(a);
    aml_device(a, "\\_SB.CPUS");
    aml_name_string(a, "_HID", "ACPI0010");
    aml_name_eisaid(a, "_CID", "PNP0A05");
    registers(a, port);
    acpi_slots_notify_method(a, &s);
    control_method(a, &s);
    for (unsigned i = 0; i < s.count; i++) {
        processor(a, vm, &s, i);
    }
    aml_end(a);
}

void acpi_cpus_dsdt_event(Aml *a)
{
    aml_method(a, "_E02", 0, false);
    aml_path(a, "\\_SB.CPUS.CCTL");
    aml_int(a, DO_SCAN);
    for (unsigned i = 0; i < 3; i++) {
        aml_int(a, 0);
    }
    aml_end(a);
}
