// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Methods for the registers of memory slots (ACPI 6.3, 9.11: memory devices, PNP0C80). One
 * serialized method does all that needs a selected slot, so that nobody selects another meanwhile.
 */
#include "hw/acpi/memory-hotplug.h"
#include "hw/acpi/slot-dsdt.h"

enum {
    DO_STATUS, /* (slot): _STA */
    DO_RESOURCES, /* (slot): _CRS */
    DO_NODE, /* (slot): _PXM */
    DO_OUTCOME, /* (slot, event, status): _OST */
    DO_EJECT, /* (slot): _EJ0 */
    DO_SCAN, /* notifies of changes in all slots */
};
/* Of a QWord address space descriptor (6.4.3.5.1), which begins the buffer. */
enum {
    RES_MIN = 14,
    RES_MAX = 22,
    RES_LEN = 38
};

static void slot_name(char name[5], unsigned slot)
{
    static const char digits[] = "0123456789ABCDEF";

    memcpy(name, "MP", 2);
    name[2] = digits[slot >> 4 & 15];
    name[3] = digits[slot & 15];
    name[4] = 0;
}

static void registers(Aml *a, uint8_t space, uint64_t base)
{
    static const char *const reads[] = {"MADL", "MADH", "MSZL", "MSZH", "MNOD"};
    static const char *const writes[] = {"MSEL", "MOEV", "MOST"};
    static const char *const flags[] = {"MHER", "MINS", "MREM", "MEJC"};

    aml_region(a, "MREG", space, base, ACPI_MEMORY_LEN);
    aml_field(a, "MREG", ACPI_DWORD_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(reads); i++) {
        aml_field_unit(a, reads[i], 32);
    }
    aml_end(a);
    aml_field(a, "MREG", ACPI_DWORD_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(writes); i++) {
        aml_field_unit(a, writes[i], 32);
    }
    aml_end(a);
    aml_field(a, "MREG", ACPI_BYTE_ZEROS);
    aml_field_unit(a, NULL, 0x14 * 8);
    for (unsigned i = 0; i < ARRAY_COUNT(flags); i++) {
        aml_field_unit(a, flags[i], 1);
    }
    aml_end(a);
}

static void store(Aml *a, const char *from, const char *to)
{
    aml_byte(a, AML_STORE);
    aml_path(a, from);
    aml_path(a, to);
}

static void part(Aml *a, unsigned offset, const char *name)
{
    aml_byte(a, AML_CREATE_DWORD);
    aml_path(a, "MRES");
    aml_int(a, offset);
    aml_path(a, name);
}

/* MAXx = MINx + LENx - 1, in halves of 32 bits. */
static void last_address(Aml *a)
{
    static const char *const halves[][3] = {{"MINL", "LENL", "MAXL"}, {"MINH", "LENH", "MAXH"}};

    for (unsigned i = 0; i < ARRAY_COUNT(halves); i++) {
        aml_byte(a, AML_ADD);
        aml_path(a, halves[i][0]);
        aml_path(a, halves[i][1]);
        aml_path(a, halves[i][2]);
    }
    aml_if(a);
    aml_byte(a, AML_LLESS);
    aml_path(a, "MAXL");
    aml_path(a, "MINL");
    aml_byte(a, AML_INCREMENT);
    aml_path(a, "MAXH");
    aml_end(a);
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_path(a, "MAXL");
    aml_int(a, 0);
    aml_byte(a, AML_DECREMENT);
    aml_path(a, "MAXH");
    aml_end(a);
    aml_byte(a, AML_DECREMENT);
    aml_path(a, "MAXL");
}

static void do_resources(Aml *a)
{
    part(a, RES_MIN, "MINL");
    part(a, RES_MIN + 4, "MINH");
    part(a, RES_MAX, "MAXL");
    part(a, RES_MAX + 4, "MAXH");
    part(a, RES_LEN, "LENL");
    part(a, RES_LEN + 4, "LENH");
    store(a, "MADL", "MINL");
    store(a, "MADH", "MINH");
    store(a, "MSZL", "LENL");
    store(a, "MSZH", "LENH");
    last_address(a);
    aml_byte(a, AML_RETURN);
    aml_path(a, "MRES");
}

/* MCTL(what, slot, x, y) */
static void control_method(Aml *a, const AcpiSlots *s)
{
    aml_method(a, s->control, 4, true);
    aml_if_equal(a, AML_ARG0, DO_SCAN);
    acpi_slots_scan(a, s);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
    acpi_store_arg(a, AML_ARG0 + 1, s->select);
    aml_if_equal(a, AML_ARG0, DO_STATUS);
    acpi_if_set(a, "MHER");
    aml_byte(a, AML_RETURN);
    aml_int(a, 0x0f);
    aml_end(a);
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_RESOURCES);
    do_resources(a);
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_NODE);
    aml_byte(a, AML_RETURN);
    aml_path(a, "MNOD");
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_OUTCOME);
    acpi_store_arg(a, AML_ARG0 + 2, "MOEV");
    acpi_store_arg(a, AML_ARG0 + 3, "MOST");
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_EJECT);
    acpi_store_int(a, 1, "MEJC");
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
}

static void module(Aml *a, const AcpiSlots *s, unsigned slot)
{
    char name[5];

    slot_name(name, slot);
    aml_device(a, name);
    aml_name_eisaid(a, "_HID", "PNP0C80");
    aml_name_int(a, "_UID", slot);
    acpi_slot_method(a, s, slot, (AcpiSlotMethod){"_STA", 0, DO_STATUS, .answers = true});
    acpi_slot_method(a, s, slot, (AcpiSlotMethod){"_CRS", 0, DO_RESOURCES, .answers = true});
    acpi_slot_method(a, s, slot, (AcpiSlotMethod){"_PXM", 0, DO_NODE, .answers = true});
    acpi_slot_method(a, s, slot, (AcpiSlotMethod){"_OST", 3, DO_OUTCOME, .hands_on = true});
    acpi_slot_method(a, s, slot, (AcpiSlotMethod){"_EJ0", 1, DO_EJECT});
    aml_end(a);
}

void acpi_memory_dsdt(Aml *a, const Vm *vm, uint8_t space, uint64_t base)
{
    const AcpiSlots s = {
        .control = "MCTL",
        .notify = "MTFY",
        .select = "MSEL",
        .inserted = "MINS",
        .removed = "MREM",
        .name = slot_name,
        .count = vm->ram_slots,
    };
    GByteArray *res = g_byte_array_new();

    aml_device(a, "\\_SB.MHPC");
    aml_name_string(a, "_HID", "PNP0A06");
    aml_name_string(a, "_UID", "Memory slots");
    aml_name_int(a, "_STA", 0x0b);
    if (space == AML_SYSTEM_IO) {
        aml_res_io(res, (uint16_t)base, ACPI_MEMORY_LEN);
    } else {
        aml_res_memory32(res, true, (uint32_t)base, ACPI_MEMORY_LEN);
    }
    aml_name_crs(a, res);
    registers(a, space, base);
    res = g_byte_array_new();
    aml_res_window64(res, 0, 0xffff);
    aml_res_end(res);
    aml_name_buffer(a, "MRES", res);
    g_byte_array_free(res, TRUE);
    acpi_slots_notify_method(a, &s);
    control_method(a, &s);
    for (unsigned i = 0; i < vm->ram_slots; i++) {
        module(a, &s, i);
    }
    aml_method(a, "MSCN", 0, false);
    aml_path(a, "MCTL");
    aml_int(a, DO_SCAN);
    for (unsigned i = 0; i < 3; i++) {
        aml_int(a, 0);
    }
    aml_end(a);
    aml_end(a);
}
