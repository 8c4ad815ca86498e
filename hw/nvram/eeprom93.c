// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 93C46/93C66 serial EEPROM (Microchip DS20001749), organised in 16-bit words: READ, WRITE, ERASE,
 * EWEN, EWDS. Left out: programming time, ERAL, WRAL.
 */
#include "hw/nvram/eeprom93.h"

#include <string.h>

enum { IDLE, COMMAND, READING, WRITING };
enum { OP_EXTENDED = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3 };

static unsigned address_bits(const Eeprom93 *e)
{
    return (unsigned)__builtin_ctz(e->count);
}

void eeprom93_init(Eeprom93 *e, unsigned words)
{
    memset(e, 0, sizeof(*e));
    e->count = (uint16_t)words;
    e->out = true;
}

void eeprom93_fix_sum(Eeprom93 *e, uint16_t sum)
{
    for (unsigned i = 0; i + 1 < e->count; i++) {
        sum -= e->words[i];
    }
    e->words[e->count - 1] = sum;
}

/* Opcode and address are complete. */
static void run_command(Eeprom93 *e)
{
    unsigned bits = address_bits(e);

    e->opcode = e->shift >> bits & 3;
    e->address = e->shift & (e->count - 1);
    e->bits = 0;
    switch (e->opcode) {
    case OP_READ:
        e->phase = READING;
        e->shift = e->words[e->address];
        e->out = false;       /* a zero comes before the word */
        break;
    case OP_WRITE:
        e->phase = WRITING;
        e->shift = 0;
        break;
    case OP_ERASE:
        if (e->writable) {
            e->words[e->address] = 0xffff;
        }
        e->phase = IDLE;
        break;
    default:
        e->writable = e->address >> (bits - 2) == 3   ? true
                      : e->address >> (bits - 2) == 0 ? false
                                                      : e->writable;
        e->phase = IDLE;
        break;
    }
}

static void rising_edge(Eeprom93 *e, bool in)
{
    switch (e->phase) {
    case IDLE:
        if (in) {
            e->phase = COMMAND;      /* the start bit */
            e->bits = 0;
            e->shift = 0;
        }
        break;
    case COMMAND:
        e->shift = (uint16_t)(e->shift << 1 | in);
        if (++e->bits == 2 + address_bits(e)) {
            run_command(e);
        }
        break;
    case READING:
        e->out = e->shift >> 15;
        e->shift = (uint16_t)(e->shift << 1);
        if (++e->bits == 16) {
            e->address = (e->address + 1) & (e->count - 1);
            e->shift = e->words[e->address];
            e->bits = 0;
        }
        break;
    case WRITING:
        e->shift = (uint16_t)(e->shift << 1 | in);
        if (++e->bits == 16) {
            if (e->writable) {
                e->words[e->address] = e->shift;
            }
            e->phase = IDLE;
            e->out = true;
        }
        break;
    }
}

void eeprom93_set(Eeprom93 *e, bool cs, bool clock, bool in)
{
    if (!cs) {
        e->phase = IDLE;
        e->out = true;
    } else if (clock && !e->clock) {
        rising_edge(e, in);
    }
    e->cs = cs;
    e->clock = clock;
}

const StateField eeprom93_state[] = {
    STATE_ARRAY(Eeprom93, words), HOST_ONLY(Eeprom93, count, "constant"),
    STATE(Eeprom93, cs), STATE(Eeprom93, clock), STATE(Eeprom93, out), STATE(Eeprom93, writable),
    STATE(Eeprom93, phase), STATE(Eeprom93, bits), STATE(Eeprom93, shift), STATE_INDEX(Eeprom93, address, words),
    STATE(Eeprom93, opcode), STATE_END,
};
