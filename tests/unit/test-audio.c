// SPDX-License-Identifier: GPL-2.0-or-later
/* Sound: formats to floats and back, what is due, and a tone of the speaker in a wave file. */
#include <glib.h>
#include <string.h>
#include "audio/audio-internal.h"
#include "util/timer.h"

static void test_formats(void)
{
    static const uint8_t bytes[] = { 0x00, 0x80, 0xff, 0x7f, 0x01, 0x00, 0x34, 0x12 };

    for (unsigned format = 0; format < AUDIO_F32; format++) {
        for (unsigned big = 0; big < 2; big++) {
            AudioSettings s = {
                .frequency = 8000, .channels = 2, .format = format, .big_endian = big};
            unsigned frames = sizeof(bytes) / audio_frame_bytes(&s);
            float f[16];
            uint8_t back[8];
            float again[16];

            audio_to_float(&s, bytes, f, frames);
            audio_from_float(&s, f, back, frames);
            audio_to_float(&s, back, again, frames);
            for (unsigned i = 0; i < 2 * frames; i++) {
                g_assert_cmpfloat(f[i], >=, -1.0f);
                g_assert_cmpfloat(f[i], <=, 1.0f);
                g_assert_cmpfloat_with_epsilon(f[i], again[i], 0.02);
            }
        }
    }
    /* known values */
    AudioSettings s16 = { .frequency = 8000, .channels = 1, .format = AUDIO_S16 };
    float f[2];

    audio_to_float(&s16, (const uint8_t[]){ 0x00, 0x80 }, f, 1);
    g_assert_cmpfloat(f[0], ==, -1.0f);
    g_assert_cmpfloat(f[1], ==, -1.0f);
    /* not a number is silence */
    AudioSettings f32 = { .frequency = 8000, .channels = 1, .format = AUDIO_F32 };

    audio_to_float(&f32, (const uint8_t[]){ 0, 0, 0xc0, 0x7f }, f, 1);
    g_assert_cmpfloat(f[0], ==, 0.0f);
}

static size_t played, offered;
static AudioVoice *voice;

static void due(void *opaque, size_t bytes)
{
    static const uint8_t zero[65536];

    offered = bytes;
    played += audio_play(voice, zero, MIN(bytes, sizeof(zero)));
}

/*
 * Over any time a voice gets its rate, however the periods fall; one that starts again owes
 * nothing.
 */
static void test_pace(void)
{
    AudioSettings s = { .frequency = 44100, .channels = 2, .format = AUDIO_S16 };

    clock_guest_manual();
    voice = audio_open(NULL, false, &s, due, NULL);
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + NANOSECONDS_PER_SECOND);
    g_assert_cmpuint(played, ==, 0);
    audio_set_active(voice, true);
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + 3 * NANOSECONDS_PER_SECOND);
    g_assert_cmpuint(played, ==, 3 * 44100 * 4);
    g_assert_cmpuint(offered, <=, 442 * 4);
    g_assert_cmpuint(audio_play(voice, "12345678", 8), ==, 0);
    audio_set_active(voice, false);
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + NANOSECONDS_PER_SECOND);
    g_assert_cmpuint(played, ==, 3 * 44100 * 4);
    audio_set_active(voice, true);
    clock_guest_advance_to(clock_now_ns(CLOCK_GUEST) + 20000000);
    g_assert_cmpuint(played, ==, 3 * 44100 * 4 + 882 * 4);
    audio_close(voice);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/audio/formats", test_formats);
    g_test_add_func("/audio/pace", test_pace);
    return g_test_run();
}
