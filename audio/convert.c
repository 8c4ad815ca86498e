// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples of all formats to stereo floats and back. */
#include <string.h>
#include "audio-internal.h"
#include "util/bswap.h"

static const uint8_t sample_bytes[AUDIO_FORMATS] = { 1, 1, 2, 2, 4, 4, 4 };

unsigned audio_frame_bytes(const AudioSettings *s)
{
    return sample_bytes[s->format] * s->channels;
}

static float load_sample(const AudioSettings *s, const uint8_t *p)
{
    uint32_t raw;
    float f;

    switch (s->format) {
    case AUDIO_U8:
        return (p[0] - 128) / 128.0f;
    case AUDIO_S8:
        return (int8_t)p[0] / 128.0f;
    case AUDIO_U16:
    case AUDIO_S16:
        raw = s->big_endian ? load_be16(p) : load_le16(p);
        return (int16_t)(s->format == AUDIO_U16 ? raw ^ 0x8000 : raw) / 32768.0f;
    default:
        break;
    }
    raw = s->big_endian ? load_be32(p) : load_le32(p);
    if (s->format == AUDIO_F32) {
        memcpy(&f, &raw, sizeof(f));
        return f >= -1.0f && f <= 1.0f ? f : 0.0f;    /* and not a number: silence */
    }
    return (float)((int32_t)(s->format == AUDIO_U32 ? raw ^ 0x80000000u : raw) / 2147483648.0);
}

static void store_sample(const AudioSettings *s, uint8_t *p, float f)
{
    uint32_t raw;

    f = f < -1.0f ? -1.0f : f > 1.0f ? 1.0f : f;
    switch (s->format) {
    case AUDIO_U8:
    case AUDIO_S8:
        raw = (uint32_t)(int32_t)(f * 127.0f);
        p[0] = s->format == AUDIO_U8 ? raw + 128 : raw;
        return;
    case AUDIO_U16:
    case AUDIO_S16:
        raw = (uint32_t)(int32_t)(f * 32767.0f) ^ (s->format == AUDIO_U16 ? 0x8000 : 0);
        (s->big_endian ? store_be16 : store_le16)(p, raw);
        return;
    case AUDIO_F32:
        memcpy(&raw, &f, sizeof(raw));
        break;
    default:
        raw = (uint32_t)(int32_t)(f * 2147483647.0) ^ (s->format == AUDIO_U32 ? 0x80000000u : 0);
        break;
    }
    (s->big_endian ? store_be32 : store_le32)(p, raw);
}

void audio_to_float(const AudioSettings *s, const uint8_t *in, float *out, size_t n)
{
    unsigned step = sample_bytes[s->format], frame = audio_frame_bytes(s);

    for (size_t i = 0; i < n; i++, in += frame) {
        out[2 * i] = load_sample(s, in);
        out[2 * i + 1] = s->channels > 1 ? load_sample(s, in + step) : out[2 * i];
    }
}

void audio_from_float(const AudioSettings *s, const float *in, uint8_t *out, size_t n)
{
    unsigned step = sample_bytes[s->format];

    for (size_t i = 0; i < n; i++) {
        for (unsigned c = 0; c < s->channels; c++, out += step) {
            float f = s->channels == 1 ? (in[2 * i] + in[2 * i + 1]) / 2
                      : c < 2          ? in[2 * i + c]
                                       : 0.0f;

            store_sample(s, out, f);
        }
    }
}
