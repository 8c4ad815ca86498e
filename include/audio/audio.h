// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sound. A device opens voices on an audiodev (-audiodev); while a voice is active its callback
 * runs every period with the number of bytes that guest time has made due, and plays or records
 * them. Voices of one audiodev are converted to its format and mixed. Machine lock held throughout.
 */
#ifndef AUDIO_AUDIO_H
#define AUDIO_AUDIO_H

#include <glib.h>
#include "qom/prop.h"

typedef struct AudioDev AudioDev;
typedef struct AudioVoice AudioVoice;

typedef enum AudioFormat {
    AUDIO_U8,
    AUDIO_S8,
    AUDIO_U16,
    AUDIO_S16,
    AUDIO_U32,
    AUDIO_S32,
    AUDIO_F32,
    AUDIO_FORMATS
} AudioFormat;

typedef struct AudioSettings {
    uint32_t frequency;     /* Hz, 1 to 768000 */
    uint8_t channels;       /* 1 to 8; more than two: the first two are heard */
    AudioFormat format;
    bool big_endian;
} AudioSettings;

/* Bytes of a frame: one sample of each channel. */
unsigned audio_frame_bytes(const AudioSettings *s);

/* due(opaque, bytes): play or record up to bytes now, by audio_play or audio_record. */
typedef void AudioDueFn(void *opaque, size_t bytes);

/* dev NULL: the first -audiodev, or silence when there is none. Inactive at first. */
AudioVoice *audio_open(AudioDev *dev, bool record, const AudioSettings *s, AudioDueFn *due,
                       void *opaque);
/* NULL is fine. */
void audio_close(AudioVoice *v);
/* Starts and stops; a voice that starts begins with nothing due. */
void audio_set_active(AudioVoice *v, bool active);
/* Another format; keeps whether it is active. */
void audio_set_format(AudioVoice *v, const AudioSettings *s);
/* 0 to 255 each. */
void audio_set_volume(AudioVoice *v, bool mute, uint8_t left, uint8_t right);
/* Whole frames only, at most what is due; the number of bytes taken or given. */
size_t audio_play(AudioVoice *v, const void *buf, size_t bytes);
size_t audio_record(AudioVoice *v, void *buf, size_t bytes);

/* Property "audiodev": AudioDev *. */
extern const PropType prop_audiodev;
#define PROP_AUDIODEV(T, f, ...) PROP(T, f, "audiodev", prop_audiodev, __VA_ARGS__)

#endif
