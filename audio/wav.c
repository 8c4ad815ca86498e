// SPDX-License-Identifier: GPL-2.0-or-later
/* The driver "wav": what the guest plays goes into a RIFF WAVE file (Microsoft and IBM, 1991). */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include "audio-internal.h"
#include "qapi/keyval.h"
#include "util/bswap.h"
#include "util/error.h"

#define HEADER_LEN 44
#define CHUNK_FRAMES 1024u
enum { WAVE_PCM = 1, WAVE_FLOAT = 3 };

typedef struct Wav {
    FILE *file;
    AudioSettings settings;
    uint64_t bytes;
    bool full;          /* writing failed: reported once */
} Wav;

static void write_header(Wav *w)
{
    uint8_t h[HEADER_LEN] = {0};
    uint32_t frame = audio_frame_bytes(&w->settings),
             data = (uint32_t)MIN(w->bytes, UINT32_MAX - HEADER_LEN);

    memcpy(h, "RIFF", 4);
    store_le32(h + 4, data + HEADER_LEN - 8);
    memcpy(h + 8, "WAVEfmt ", 8);
    store_le32(h + 16, 16);
    store_le16(h + 20, w->settings.format == AUDIO_F32 ? WAVE_FLOAT : WAVE_PCM);
    store_le16(h + 22, w->settings.channels);
    store_le32(h + 24, w->settings.frequency);
    store_le32(h + 28, w->settings.frequency * frame);
    store_le16(h + 32, frame);
    store_le16(h + 34, frame / w->settings.channels * 8);
    memcpy(h + 36, "data", 4);
    store_le32(h + 40, data);
    w->full = fwrite(h, sizeof(h), 1, w->file) != 1;
}

static void *wav_open(struct json_object *kv, const AudioSettings *settings, GError **error)
{
    const char *path = keyval_get(kv, "path") ? keyval_get(kv, "path") : "qemu.wav";
    Wav *w = g_new0(Wav, 1);

    w->settings = *settings;
    /* WAVE knows unsigned bytes and signed words only */
    w->settings.format = settings->format == AUDIO_S8    ? AUDIO_U8
                         : settings->format == AUDIO_U16 ? AUDIO_S16
                         : settings->format == AUDIO_U32 ? AUDIO_S32
                                                         : settings->format;
    w->file = fopen(path, "wbe");
    if (!w->file) {
        fail(error, "could not open wave file '%s': %s", path, g_strerror(errno));
        g_free(w);
        return NULL;
    }
    write_header(w);
    return w;
}

static void wav_close(void *instance)
{
    Wav *w = instance;

    if (fseek(w->file, 0, SEEK_SET) == 0) {
        write_header(w);
    }
    if (fclose(w->file) != 0 || w->full) {
        warn_report("the wave file is incomplete");
    }
    g_free(w);
}

static void wav_play(void *instance, const float *frames, size_t n)
{
    Wav *w = instance;
    uint32_t frame = audio_frame_bytes(&w->settings);
    uint8_t buf[CHUNK_FRAMES * 8];

    for (size_t done = 0; done < n && !w->full;) {
        size_t part = MIN(n - done, CHUNK_FRAMES);

        audio_from_float(&w->settings, frames + 2 * done, buf, part);
        w->full = fwrite(buf, frame, part, w->file) != part;
        w->bytes += part * frame;
        done += part;
    }
}

static const char *const wav_keys[] = { "path", NULL };

AUDIO_DRIVER(
    wav, {.name = "wav", .keys = wav_keys, .open = wav_open, .close = wav_close, .play = wav_play});
