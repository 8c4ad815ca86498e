// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial EEPROMs of the 93C46 family (Microwire, 16-bit words), clocked by software through a
 * card's port bits. Embedded in the card; machine lock.
 */
#ifndef HW_NVRAM_EEPROM93_H
#define HW_NVRAM_EEPROM93_H

#include "qom/state.h"

typedef struct Eeprom93 {
    uint16_t words[256];
    uint16_t count;       /* a power of two: 64 or 256 */
    /* the transfer at hand */
    bool cs, clock, out;
    bool writable;        /* EWEN was given */
    uint8_t phase;        /* idle, command, data out, data in */
    uint8_t bits;
    uint16_t shift, address, opcode;
} Eeprom93;

void eeprom93_init(Eeprom93 *e, unsigned words);
/* Levels of the chip select, clock and data input. */
void eeprom93_set(Eeprom93 *e, bool cs, bool clock, bool in);
/* Its data output; high while it does not drive it. */
static inline bool eeprom93_out(const Eeprom93 *e)
{
    return e->out;
}
/* The last word makes the sum of all `sum`, as Intel's and others' drivers check. */
void eeprom93_fix_sum(Eeprom93 *e, uint16_t sum);
extern const StateField eeprom93_state[];

#endif
