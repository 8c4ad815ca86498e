// SPDX-License-Identifier: GPL-2.0-or-later
/* Several lines into one that is up while any of them is. */
#include "exec/bank.h"

#define GATE_LINES 48

typedef struct Gate {
    Device dev;
    uint64_t levels;
    uint16_t num_lines;                /* property */
    Irq irq;
} Gate;

static void or_input(Device *d, unsigned pin, int level)
{
    Gate *s = (Gate *)d;

    s->levels = level ? s->levels | 1ull << pin : s->levels & ~(1ull << pin);
    irq_set(&s->irq, s->levels != 0);
}

static void gate_reset(Device *d)
{
    ((Gate *)d)->levels = 0;
}

static const PinRow or_pins[] = {PIN_IN("in", GATE_LINES, or_input), PIN_OUT(Gate, irq, "irq"),
                                 PIN_END};
static const Prop gate_props[] = {
    PROP_U16(Gate, num_lines, "num-lines", 16, .min = 1, .max = GATE_LINES), PROP_END};
static const StateField or_state[] = {STATE(Gate, levels), STATE_END};

static const DeviceType or_type = {
    .name = "or-irq", .category = "misc", .desc = "OR gate of interrupt lines", .internal = true, .size = sizeof(Gate), .state_version = 1,
    .props = gate_props, .pins = or_pins, .state = or_state, .reset = gate_reset,
};
DEVICE_TYPE(or_type);
