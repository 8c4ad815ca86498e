// SPDX-License-Identifier: GPL-2.0-or-later
/* The I/O APIC: device "ioapic", input pin "in" 0..23, messages go to the MSI window. */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "qom/vm.h"

/* Whether the last message of a pin waits in a local APIC. */
bool ioapic_waits(Device *ioapic, unsigned pin);
/* How many interrupts a pin has sent: "info irq". */
uint64_t ioapic_sent(Vm *vm, unsigned pin);
/* Text for "info pic". */
void ioapic_print(Vm *vm, GString *out);

#endif
