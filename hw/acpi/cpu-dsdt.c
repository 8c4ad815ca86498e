// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUs in the DSDT (ACPI 6.3, 8.4: processor devices, ACPI0007) and methods over the registers of
 * cpu-hotplug.c. One serialized method does all that needs a selected CPU, so that nobody selects
 * another meanwhile; and the entries of all CPUs for the MADT (5.2.12), which _MAT repeats.
 */
#include "exec/numa.h"
#include "exec/x86-topology.h"
#include "hw/acpi/cpu-hotplug.h"
#include "util/bswap.h"

enum {
    DO_STATUS, /* (cpu): _STA */
    DO_OUTCOME, /* (cpu, event, status): _OST */
    DO_EJECT, /* (cpu): _EJ0 */
    DO_SCAN, /* notifies of changes of all CPUs */
};
enum {
    NOTIFY_CHECK = 1,
    NOTIFY_EJECT = 3
};
enum {
    OST_EVENT_COMMAND = 1,
    OST_STATUS_COMMAND = 2,
};
#define DWORD_PRESERVE 3
#define BYTE_ZEROS 0x41
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
    aml_field(a, "CREG", DWORD_PRESERVE);
    aml_field_unit(a, "CSEL", 32);
    aml_field_unit(a, NULL, 32);
    aml_field_unit(a, "CDAT", 32);
    aml_end(a);
    aml_field(a, "CREG", BYTE_ZEROS);
    aml_field_unit(a, NULL, 4 * 8);
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        aml_field_unit(a, flags[i], 1);
    }
    aml_field_unit(a, NULL, 4);
    aml_field_unit(a, "CCMD", 8);
    aml_end(a);
}

static void store_int(Aml *a, unsigned value, const char *to)
{
    aml_byte(a, AML_STORE);
    aml_int(a, value);
    aml_path(a, to);
}

static void store_arg(Aml *a, uint8_t from, const char *to)
{
    aml_byte(a, AML_STORE);
    aml_byte(a, from);
    aml_path(a, to);
}

static void if_set(Aml *a, const char *flag)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_path(a, flag);
    aml_int(a, 1);
}

/* Tells of a change and clears it. */
static void announce(Aml *a, const char *flag, unsigned what)
{
    if_set(a, flag);
    aml_path(a, "CTFY");
    aml_byte(a, AML_LOCAL0);
    aml_int(a, what);
    store_int(a, 1, flag);
    aml_end(a);
}

static void do_scan(Aml *a, unsigned cpus)
{
    aml_byte(a, AML_STORE);
    aml_int(a, 0);
    aml_byte(a, AML_LOCAL0);
    aml_while(a);
    aml_byte(a, AML_LLESS);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, cpus);
    store_arg(a, AML_LOCAL0, "CSEL");
    announce(a, "CINS", NOTIFY_CHECK);
    announce(a, "CREM", NOTIFY_EJECT);
    aml_byte(a, AML_INCREMENT);
    aml_byte(a, AML_LOCAL0);
    aml_end(a);
}

/* CCTL(what, cpu, x, y): 0 in the selector first, which begins the modern interface. */
static void control_method(Aml *a, unsigned cpus)
{
    aml_method(a, "CCTL", 4, true);
    store_int(a, 0, "CSEL");
    aml_if_equal(a, AML_ARG0, DO_SCAN);
    do_scan(a, cpus);
    aml_end(a);
    store_arg(a, AML_ARG0 + 1, "CSEL");
    aml_if_equal(a, AML_ARG0, DO_STATUS);
    if_set(a, "CPRS");
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x0f);
    aml_end(a);
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_OUTCOME);
    store_int(a, OST_EVENT_COMMAND, "CCMD");
    store_arg(a, AML_ARG0 + 2, "CDAT");
    store_int(a, OST_STATUS_COMMAND, "CCMD");
    store_arg(a, AML_ARG0 + 3, "CDAT");
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_EJECT);
    store_int(a, 1, "CEJC");
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
}

/* A method that hands `args` of its own to CCTL. */
static void cpu_method(Aml *a, const char *name, unsigned args, unsigned what, unsigned cpu,
                       bool answers)
{
    aml_method(a, name, args, false);
    if (answers) {
        aml_byte(a, AML_RETURN);
    }
    aml_path(a, "CCTL");
    aml_int(a, what);
    aml_int(a, cpu);
    for (unsigned i = 0; i < 2; i++) {
        if (what == DO_OUTCOME) {
            aml_byte(a, AML_ARG0 + i);
        } else {
            aml_int(a, 0);
        }
    }
    aml_end(a);
}

static void processor(Aml *a, Vm *vm, unsigned i)
{
    GByteArray *entry = g_byte_array_new();
    char name[5];

    cpu_name(name, i);
    aml_device(a, name);
    aml_name_string(a, "_HID", "ACPI0007");
    aml_name_int(a, "_UID", i);
    cpu_method(a, "_STA", 0, DO_STATUS, i, true);
    /* A guest asks for the entry of a CPU that is there: it is enabled. */
    acpi_madt_cpu(entry, vm, i, true);
    aml_name_buffer(a, "_MAT", entry);
    g_byte_array_free(entry, TRUE);
    if (i > 0) {
        cpu_method(a, "_EJ0", 1, DO_EJECT, i, false);
    }
    cpu_method(a, "_OST", 3, DO_OUTCOME, i, false);
    if (numa_count(vm) > 0) {
        aml_name_int(a, "_PXM", (unsigned)MAX(numa_cpu_node(vm, i), 0));
    }
    aml_end(a);
}

/* CTFY(cpu, what) */
static void notify_method(Aml *a, unsigned cpus)
{
    aml_method(a, "CTFY", 2, false);
    for (unsigned i = 0; i < cpus; i++) {
        char name[5];

        cpu_name(name, i);
        aml_if_equal(a, AML_ARG0, i);
        aml_byte(a, AML_NOTIFY);
        aml_path(a, name);
        aml_byte(a, AML_ARG0 + 1);
        aml_end(a);
    }
    aml_end(a);
}

void acpi_cpus_dsdt(Aml *a, Vm *vm, uint16_t port)
{
    GByteArray *res = g_byte_array_new();
    unsigned cpus = MIN(MAX(vm->smp.max_cpus, vm->smp.cpus), (unsigned)ACPI_MAX_CPUS);

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
    notify_method(a, cpus);
    control_method(a, cpus);
    for (unsigned i = 0; i < cpus; i++) {
        processor(a, vm, i);
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
