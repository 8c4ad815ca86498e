// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System control port B (61h): gate and output of timer channel 2, speaker enable, refresh
 * toggle. With an audiodev the square wave of channel 2 is heard.
 */
#include "audio/audio.h"
#include "exec/bank.h"
#include "hw/isa/isa.h"
#include "hw/timer/i8254.h"
#include "qom/vm.h"
#include "util/timer.h"

typedef struct PcSpeaker {
    Device dev;
    Object *pit;
    AudioDev *audiodev;
    uint8_t enabled;
    uint64_t phase;         /* of the wave, in samples times its frequency */
    AudioVoice *voice;      /* host side; NULL: nobody listens */
} PcSpeaker;

#define SAMPLE_HZ 32000u
#define LOUD 63
#define CHUNK 512u

static void speaker_due(void *opaque, size_t bytes)
{
    PcSpeaker *s = opaque;
    uint8_t buf[CHUNK];

    for (size_t done = 0; done < bytes; done += MIN(bytes - done, CHUNK)) {
        uint32_t hz = i8254_tone(DEVICE(s->pit), 2);
        size_t n = MIN(bytes - done, CHUNK);

        for (size_t i = 0; i < n; i++) {
            /* tones above half the rate cannot be heard */
            buf[i] = !hz || hz > SAMPLE_HZ / 2      ? 128
                     : s->phase * 2 / SAMPLE_HZ & 1 ? 128 - LOUD
                                                    : 128 + LOUD;
            s->phase = (s->phase + hz) % SAMPLE_HZ;
        }
        audio_play(s->voice, buf, n);
    }
}

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
    if (s->voice) {
        audio_set_active(s->voice, (value & 3) == 3);
    }
}

static bool pcspk_realize(Device *d, GError **error)
{
    static const AudioSettings settings = {
        .frequency = SAMPLE_HZ, .channels = 1, .format = AUDIO_U8};
    PcSpeaker *s = (PcSpeaker *)d;

    if (!s->pit) {
        return fail(error, "isa-pcspk: property 'pit' is missing");
    }
    s->voice = s->audiodev ? audio_open(s->audiodev, false, &settings, speaker_due, s) : NULL;
    return true;
}

static void pcspk_unrealize(Device *d)
{
    audio_close(((PcSpeaker *)d)->voice);
}

static void pcspk_reset(Device *d)
{
    PcSpeaker *s = (PcSpeaker *)d;

    s->enabled = 0;
    if (s->voice) {
        audio_set_active(s->voice, false);
    }
}

static const RegionOps pcspk_ops = {
    .read = pcspk_read, .write = pcspk_write, .min_size = 1, .max_size = 1};

static const RegBank pcspk_banks[] = {
    { .name = "io", .size = 1, .ops = &pcspk_ops, .pio = true },
    { 0 },
};

static const Prop pcspk_props[] = {PROP_LINK(PcSpeaker, pit, "pit", "isa-pit"),
                                   PROP_AUDIODEV(PcSpeaker, audiodev), PROP_END};
static const StateField pcspk_state[] = {
    STATE(PcSpeaker, enabled), STATE(PcSpeaker, phase), HOST_ONLY(PcSpeaker, voice, "host side"), STATE_END,
};
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
    .unrealize = pcspk_unrealize,
    .reset = pcspk_reset,
};
DEVICE_TYPE(pcspk_type);
