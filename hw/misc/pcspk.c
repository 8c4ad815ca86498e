// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System control port B (61h): gate and output of timer channel 2, speaker enable, refresh
 * toggle. The speaker itself stays silent until an audio back end asks for it.
 */
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "hw/timer/i8254.h"
#include "qom/vm.h"
#include "util/timer.h"

typedef struct PcSpeaker {
    Device dev;
    Object *pit;
    uint8_t enabled;
} PcSpeaker;

static uint64_t pcspk_read(void *opaque, hwaddr offset, unsigned size)
{
    PcSpeaker *s = opaque;
    Device *pit = DEVICE(s->pit);
    /* The refresh request toggles every 15 microseconds. */
    bool refresh = clock_now_ns(CLOCK_GUEST) / 15085 & 1;

    return i8254_gate(pit, 2) | s->enabled << 1 | refresh << 4 | i8254_output(pit, 2) << 5;
}

static void pcspk_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PcSpeaker *s = opaque;

    s->enabled = value >> 1 & 1;
    i8254_set_gate(DEVICE(s->pit), 2, value & 1);
}

static bool pcspk_realize(Device *d, GError **error)
{
    if (!((PcSpeaker *)d)->pit) {
        return fail(error, "isa-pcspk: property 'pit' is missing");
    }
    return true;
}

static void pcspk_reset(Device *d)
{
    ((PcSpeaker *)d)->enabled = 0;
}

static const RegionOps pcspk_ops = { .read = pcspk_read, .write = pcspk_write, .min_size = 1, .max_size = 1 };

static const RegBank pcspk_banks[] = {
    { .name = "io", .size = 1, .ops = &pcspk_ops, .pio = true },
    { 0 },
};

static const Prop pcspk_props[] = { PROP_LINK(PcSpeaker, pit, "pit", "isa-pit"), PROP_END };
static const StateField pcspk_state[] = { STATE(PcSpeaker, enabled), STATE_END };
static const IsaInfo pcspk_isa = { .ports = { { .bank = "io", .base = 0x61 } } };

static const DeviceType pcspk_type = {
    .name = "isa-pcspk",
    .bus = "ISA",
    .category = "sound",
    .desc = "PC speaker",
    .internal = true,
    .bus_info = &pcspk_isa,
    .size = sizeof(PcSpeaker),
    .state_version = 1,
    .props = pcspk_props,
    .banks = pcspk_banks,
    .state = pcspk_state,
    .realize = pcspk_realize,
    .reset = pcspk_reset,
};
DEVICE_TYPE(pcspk_type);
