// SPDX-License-Identifier: GPL-2.0-or-later
/* What the audio core and its drivers share. */
#ifndef AUDIO_INTERNAL_H
#define AUDIO_INTERNAL_H

#include "audio/audio.h"
#include "util/types.h"

struct json_object;

/* A driver: one row. Samples are interleaved stereo floats, -1 to 1. */
typedef struct AudioDriver {
    const char *name;
    const char *const *keys;    /* its own options, NULL-terminated; may be NULL */
    bool silent;                /* play and record are never called */
    /* An instance for `settings`, or NULL + error. kv: all options. */
    void *(*open)(struct json_object *kv, const AudioSettings *settings, GError **error);
    void (*close)(void *instance);
    void (*play)(void *instance, const float *frames, size_t n);
} AudioDriver;

#define AUDIO_DRIVER(id, ...) \
    SECTION_ENTRY(audio_drivers, AudioDriver, audio_driver_##id, __VA_ARGS__)

/* n frames of the guest's to stereo floats, and back. */
void audio_to_float(const AudioSettings *s, const uint8_t *in, float *out, size_t n);
void audio_from_float(const AudioSettings *s, const float *in, uint8_t *out, size_t n);

#endif
