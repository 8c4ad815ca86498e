// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Methods for the registers of memory slots (ACPI 6.3, 9.11: memory devices, PNP0C80). One
 * serialized method does all that needs a selected slot, so that nobody selects another meanwhile.
 */
#include "hw/acpi/memory-hotplug.h"

enum {
    DO_STATUS, /* (slot): _STA */
    DO_RESOURCES, /* (slot): _CRS */
    DO_NODE, /* (slot): _PXM */
    DO_OUTCOME, /* (slot, event, status): _OST */
    DO_EJECT, /* (slot): _EJ0 */
    DO_SCAN, /* notifies of changes in all slots */
};
enum {
    NOTIFY_CHECK = 1,
    NOTIFY_EJECT = 3
};
#define DWORD_PRESERVE 3
#define BYTE_ZEROS 0x41
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
    aml_field(a, "MREG", DWORD_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(reads); i++) {
        aml_field_unit(a, reads[i], 32);
    }
    aml_end(a);
    aml_field(a, "MREG", DWORD_PRESERVE);
    for (unsigned i = 0; i < ARRAY_COUNT(writes); i++) {
        aml_field_unit(a, writes[i], 32);
    }
    aml_end(a);
    aml_field(a, "MREG", BYTE_ZEROS);
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
    aml_path(a, "MTFY");
    aml_byte(a, AML_LOCAL0);
    aml_int(a, what);
    aml_byte(a, AML_STORE);
    aml_int(a, 1);
    aml_path(a, flag);
    aml_end(a);
}

static void do_scan(Aml *a, unsigned slots)
{
    aml_byte(a, AML_STORE);
    aml_int(a, 0);
    aml_byte(a, AML_LOCAL0);
    aml_while(a);
    aml_byte(a, AML_LLESS);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, slots);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_LOCAL0);
    aml_path(a, "MSEL");
    announce(a, "MINS", NOTIFY_CHECK);
    announce(a, "MREM", NOTIFY_EJECT);
    aml_byte(a, AML_INCREMENT);
    aml_byte(a, AML_LOCAL0);
    aml_end(a);
}

/* MCTL(what, slot, x, y) */
static void control_method(Aml *a, unsigned slots)
{
    aml_method(a, "MCTL", 4, true);
    aml_if_equal(a, AML_ARG0, DO_SCAN);
    do_scan(a, slots);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ARG0 + 1);
    aml_path(a, "MSEL");
    aml_if_equal(a, AML_ARG0, DO_STATUS);
    if_set(a, "MHER");
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
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ARG0 + 2);
    aml_path(a, "MOEV");
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ARG0 + 3);
    aml_path(a, "MOST");
    aml_end(a);
    aml_if_equal(a, AML_ARG0, DO_EJECT);
    aml_byte(a, AML_STORE);
    aml_int(a, 1);
    aml_path(a, "MEJC");
    aml_end(a);
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
}

/* A method that hands `args` of its own to MCTL. */
static void slot_method(Aml *a, const char *name, unsigned args, unsigned what, unsigned slot,
                        bool answers)
{
    aml_method(a, name, args, false);
    if (answers) {
        aml_byte(a, AML_RETURN);
    }
    aml_path(a, "MCTL");
    aml_int(a, what);
    aml_int(a, slot);
    for (unsigned i = 0; i < 2; i++) {
        if (what == DO_OUTCOME) {
            aml_byte(a, AML_ARG0 + i);
        } else {
            aml_int(a, 0);
        }
    }
    aml_end(a);
}

static void module(Aml *a, unsigned slot)
{
    char name[5];

    slot_name(name, slot);
    aml_device(a, name);
    aml_name_eisaid(a, "_HID", "PNP0C80");
    aml_name_int(a, "_UID", slot);
    slot_method(a, "_STA", 0, DO_STATUS, slot, true);
    slot_method(a, "_CRS", 0, DO_RESOURCES, slot, true);
    slot_method(a, "_PXM", 0, DO_NODE, slot, true);
    slot_method(a, "_OST", 3, DO_OUTCOME, slot, false);
    slot_method(a, "_EJ0", 1, DO_EJECT, slot, false);
    aml_end(a);
}

/* MTFY(slot, what) */
static void notify_method(Aml *a, unsigned slots)
{
    aml_method(a, "MTFY", 2, false);
    for (unsigned i = 0; i < slots; i++) {
        char name[5];

        slot_name(name, i);
        aml_if_equal(a, AML_ARG0, i);
        aml_byte(a, AML_NOTIFY);
        aml_path(a, name);
        aml_byte(a, AML_ARG0 + 1);
        aml_end(a);
    }
    aml_end(a);
}

void acpi_memory_dsdt(Aml *a, const Vm *vm, uint8_t space, uint64_t base)
{
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
    notify_method(a, vm->ram_slots);
    control_method(a, vm->ram_slots);
    for (unsigned i = 0; i < vm->ram_slots; i++) {
        module(a, i);
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
