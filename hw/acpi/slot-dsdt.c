// SPDX-License-Identifier: GPL-2.0-or-later
/* Methods that slots for memory modules and for CPUs have alike: slot-dsdt.h. */
#include "hw/acpi/slot-dsdt.h"

void acpi_store_int(Aml *a, unsigned value, const char *to)
{
    aml_byte(a, AML_STORE);
    aml_int(a, value);
    aml_path(a, to);
}

void acpi_store_arg(Aml *a, uint8_t from, const char *to)
{
    aml_byte(a, AML_STORE);
    aml_byte(a, from);
    aml_path(a, to);
}

void acpi_if_set(Aml *a, const char *flag)
{
    aml_if(a);
    aml_byte(a, AML_LEQUAL);
    aml_path(a, flag);
    aml_int(a, 1);
}

/* Tells of a change and clears it. */
static void announce(Aml *a, const AcpiSlots *s, const char *flag, unsigned what)
{
    acpi_if_set(a, flag);
    aml_path(a, s->notify);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, what);
    acpi_store_int(a, 1, flag);
    aml_end(a);
}

void acpi_slots_scan(Aml *a, const AcpiSlots *s)
{
    aml_byte(a, AML_STORE);
    aml_int(a, 0);
    aml_byte(a, AML_LOCAL0);
    aml_while(a);
    aml_byte(a, AML_LLESS);
    aml_byte(a, AML_LOCAL0);
    aml_int(a, s->count);
    acpi_store_arg(a, AML_LOCAL0, s->select);
    announce(a, s, s->inserted, ACPI_NOTIFY_CHECK);
    announce(a, s, s->removed, ACPI_NOTIFY_EJECT);
    aml_byte(a, AML_INCREMENT);
    aml_byte(a, AML_LOCAL0);
    aml_end(a);
}

void acpi_slots_notify_method(Aml *a, const AcpiSlots *s)
{
    aml_method(a, s->notify, 2, false);
    for (unsigned i = 0; i < s->count; i++) {
        char name[5];

        s->name(name, i);
        aml_if_equal(a, AML_ARG0, i);
        aml_byte(a, AML_NOTIFY);
        aml_path(a, name);
        aml_byte(a, AML_ARG0 + 1);
        aml_end(a);
    }
    aml_end(a);
}

void acpi_slot_method(Aml *a, const AcpiSlots *s, unsigned slot, AcpiSlotMethod m)
{
    aml_method(a, m.name, m.args, false);
    if (m.answers) {
        aml_byte(a, AML_RETURN);
    }
    aml_path(a, s->control);
    aml_int(a, m.what);
    aml_int(a, slot);
    for (unsigned i = 0; i < 2; i++) {
        if (m.hands_on) {
            aml_byte(a, AML_ARG0 + i);
        } else {
            aml_int(a, 0);
        }
    }
    aml_end(a);
}
