// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What methods of places that are filled and emptied by ACPI have in common (ACPI 6.3, 5.6.6 and
 * 6.3): those of memory modules and of CPUs. A device of slots has registers for the one that is
 * selected; one serialized method, called with (what, slot, x, y), does all that needs a selection,
 * so that nobody selects another meanwhile.
 */
#ifndef HW_ACPI_SLOT_DSDT_H
#define HW_ACPI_SLOT_DSDT_H

#include "hw/acpi/aml.h"

enum {
    ACPI_NOTIFY_CHECK = 1,
    ACPI_NOTIFY_EJECT = 3
};
/* Flags of a field: dwords of which the rest is kept; bytes of which the rest is written 0. */
#define ACPI_DWORD_PRESERVE 3
#define ACPI_BYTE_ZEROS     0x41

/* Names have four characters. */
typedef struct AcpiSlots {
    const char *control; /* the method that does all */
    const char *notify;  /* (slot, what): tells of a slot */
    const char *select;  /* the register that selects */
    const char *inserted, *removed; /* flags of changes, cleared by writing 1 */
    void (*name)(char name[5], unsigned slot);
    unsigned count;
} AcpiSlots;

/* Store(value or argument, to); If (flag == 1). */
void acpi_store_int(Aml *a, unsigned value, const char *to);
void acpi_store_arg(Aml *a, uint8_t from, const char *to);
void acpi_if_set(Aml *a, const char *flag);

/* In the control method: goes through all slots, tells of changes and clears them. */
void acpi_slots_scan(Aml *a, const AcpiSlots *s);
/* The method `notify`. */
void acpi_slots_notify_method(Aml *a, const AcpiSlots *s);

/* How a method of a slot calls the control method. */
typedef struct AcpiSlotMethod {
    const char *name; /* "_STA" */
    unsigned args;    /* of its own */
    unsigned what;
    bool answers;  /* returns what comes back */
    bool hands_on; /* its first two arguments are x and y; else these are 0 */
} AcpiSlotMethod;

void acpi_slot_method(Aml *a, const AcpiSlots *s, unsigned slot, AcpiSlotMethod m);

#endif
