// SPDX-License-Identifier: GPL-2.0-or-later
/* The 8254 timer of a PC: device "isa-pit"; channel 0's output is pin "out". */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "qom/device.h"

/* Channel 2's gate and output, for the speaker port 61h. Machine lock. */
void i8254_set_gate(Device *pit, unsigned channel, bool level);
bool i8254_output(Device *pit, unsigned channel);
bool i8254_gate(Device *pit, unsigned channel);
/* Hz of a channel that makes a square wave (mode 3); 0: it makes none. */
uint32_t i8254_tone(Device *pit, unsigned channel);
/*
 * waits() says whether a tick of channel 0 has not been taken yet: later ones are kept back then,
 * so that a vCPU that got no host time still counts them all.
 */
void i8254_set_waits(Device *pit, bool (*waits)(void *opaque), void *opaque);
/* An interrupt was taken: sends a tick that is owed. Any vCPU, machine lock. */
void i8254_retry(Device *pit);
/* Holds channel 0's output low while an HPET has taken its line over. */
void i8254_disable_irq0(Device *pit, bool disable);

#endif
