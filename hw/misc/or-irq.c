// SPDX-License-Identifier: GPL-2.0-or-later
/* Several lines into one that is up while any of them is, and the other way round: one line to several inputs. */
#include "exec/bank.h"

#define GATE_LINES 48

typedef struct Gate {
    Device dev;
    uint64_t levels;
    uint16_t num_lines;                /* property */
    Irq irq;
    Irq out[16];
} Gate;

static void or_input(Device *d, unsigned pin, int level)
{
    Gate *s = (Gate *)d;

    s->levels = level ? s->levels | 1ull << pin : s->levels & ~(1ull << pin);
    irq_set(&s->irq, s->levels != 0);
}

static void split_input(Device *d, unsigned pin, int level)
{
    Gate *s = (Gate *)d;

    s->levels = level != 0;
    for (unsigned i = 0; i < ARRAY_COUNT(s->out); i++) {
        irq_set(&s->out[i], level);
    }
}

static void gate_reset(Device *d)
{
    ((Gate *)d)->levels = 0;
}

static const PinRow or_pins[] = {PIN_IN("in", GATE_LINES, or_input), PIN_OUT(Gate, irq, "irq"), PIN_END};
static const PinRow split_pins[] = {PIN_IN("in", 1, split_input), PIN_OUT_ARRAY(Gate, out, "out"), PIN_END};
static const Prop gate_props[] = {PROP_U16(Gate, num_lines, "num-lines", 16, .min = 1, .max = GATE_LINES), PROP_END};
static const StateField or_state[] = {STATE(Gate, levels), HOST_ONLY(Gate, out, "not used by it"), STATE_END};
static const StateField split_state[] = {STATE(Gate, levels), HOST_ONLY(Gate, irq, "not used by it"), STATE_END};

static const DeviceType or_type = {
    .name = "or-irq", .category = "misc", .desc = "OR gate of interrupt lines", .internal = true, .size = sizeof(Gate), .state_version = 1,
    .props = gate_props, .pins = or_pins, .state = or_state, .reset = gate_reset,
};
DEVICE_TYPE(or_type);

static const DeviceType split_type = {
    .name = "split-irq", .category = "misc", .desc = "Splits an interrupt line", .internal = true, .size = sizeof(Gate), .state_version = 1,
    .props = gate_props, .pins = split_pins, .state = split_state, .reset = gate_reset,
};
DEVICE_TYPE(split_type);
