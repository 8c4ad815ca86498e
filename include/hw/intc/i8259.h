// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The 8259A pair of a PC: device "isa-i8259" twice, the slave's "int" wired to input 2 of the
 * master. Inputs are pin "in" 0..7; the output is pin "int".
 */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "qom/device.h"

/* Interrupt acknowledge cycle of the CPU on the master: the vector. Machine lock. */
uint8_t i8259_intack(Device *master);
/* Makes both, maps and wires them; board["i8259"] is the master. Its inputs 0..7 and the slave's
 * are lines 0..15: use i8259_wire. */
Device *i8259_create_pair(Vm *vm, Bus *isa, GError **error);
/* Drives line 0..15. */
void i8259_set_line(Device *master, unsigned line, int level);
/* Whether a request of line 0..15 waits to be acknowledged. */
bool i8259_waits(Device *master, unsigned line);
/* How many interrupts of line 0..15 were acknowledged: "info irq". */
uint64_t i8259_served(Device *master, unsigned line);
/* Text for "info pic". */
void i8259_print(Device *master, GString *out);

#endif
