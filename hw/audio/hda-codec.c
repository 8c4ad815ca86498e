// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HDA codecs (HDA 1.0a, chapter 7): line out, line out and in, speaker and microphone. A codec
 * is a table of nodes with their parameters; streams are moved as guest time makes them due.
 */
#include "audio/audio.h"
#include "hw/audio/hda.h"

#define MAX_STREAMS 2u
#define CHUNK 4096u
#define RATES 0x000201fcu     /* 16 bits; 16 to 96 kHz */
#define AMP_STEPS 0x4au
#define AMP_CAPS (0x80034a4au)    /* mute, steps of 1 dB, 0 dB at 4ah */
#define CODEC_REVISION 0x00100101u

/* Parameters, 7.3.4. */
enum {
    P_VENDOR = 0x00,
    P_REVISION = 0x02,
    P_NODES = 0x04,
    P_FUNCTION_TYPE = 0x05,
    P_FUNCTION_CAPS = 0x08,
    P_WIDGET_CAPS = 0x09,
    P_PCM = 0x0a,
    P_STREAM = 0x0b,
    P_PIN_CAPS = 0x0c,
    P_AMP_IN_CAPS = 0x0d,
    P_CONN_LEN = 0x0e,
    P_POWER = 0x0f,
    P_GPIO = 0x11,
    P_AMP_OUT_CAPS = 0x12 };
/* Verbs of 12 bits; those of 4 bits have a payload of 16. */
enum {
    V_SET_FORMAT = 0x2,
    V_SET_AMP = 0x3,
    V_GET_FORMAT = 0xa,
    V_GET_AMP = 0xb,
    V_GET_PARAM = 0xf00,
    V_GET_CONN_SEL = 0xf01,
    V_GET_CONN_LIST = 0xf02,
    V_GET_POWER = 0xf05,
    V_GET_STREAM = 0xf06,
    V_GET_PIN = 0xf07,
    V_GET_CONFIG = 0xf1c,
    V_GET_SUBSYSTEM = 0xf20,
    V_SET_POWER = 0x705,
    V_SET_STREAM = 0x706,
    V_SET_PIN = 0x707 };
enum { WIDGET_OUT = 0x0, WIDGET_IN = 0x1, WIDGET_PIN = 0x4 };

typedef struct Node {
    uint8_t id, widget;
    bool output;             /* converters: plays; pins: drives a jack */
    uint8_t from;            /* node it listens to, 0: none */
    uint32_t config;         /* pins: where the jack is */
    uint8_t pin_ctl;
} Node;

typedef struct CodecModel {
    uint32_t vendor;         /* without mixer: one less */
    const Node *nodes;
    uint8_t count;
} CodecModel;

typedef struct Stream {
    uint8_t tag, channel;    /* tag 0: none */
    uint16_t format;
    bool running;
    uint8_t gain[2];
    bool mute[2];
    AudioVoice *voice;       /* host side */
} Stream;

typedef struct Codec {
    HdaCodec hda;
    AudioDev *audiodev;
    bool mixer, use_timer;
    uint32_t debug;
    Stream stream[MAX_STREAMS];    /* 0: playback, 1: recording */
    uint8_t power;
} Codec;

static const Node output_nodes[] = {
    { 2, WIDGET_OUT, true, 0, 0, 0 }, { 3, WIDGET_PIN, true, 2, 0x00004010, 0x40 },
};
static const Node duplex_nodes[] = {
    { 2, WIDGET_OUT, true, 0, 0, 0 }, { 3, WIDGET_PIN, true, 2, 0x00004010, 0x40 },
    { 4, WIDGET_IN, false, 5, 0, 0 }, { 5, WIDGET_PIN, false, 0, 0x00805020, 0x20 },
};
static const Node micro_nodes[] = {
    { 2, WIDGET_OUT, true, 0, 0, 0 }, { 3, WIDGET_PIN, true, 2, 0x00104010, 0x40 },
    { 4, WIDGET_IN, false, 5, 0, 0 }, { 5, WIDGET_PIN, false, 0, 0x00a05020, 0x20 },
};

/* ---- tables to answers ---- */

/* HdaCodecInfo comes first: the bus and this file read the same bus_info. */
typedef struct ModelInfo {
    HdaCodecInfo info;
    CodecModel model;
} ModelInfo;

static const CodecModel *model_of(Codec *c)
{
    return &((const ModelInfo *)device_type(&c->hda.dev)->bus_info)->model;
}

static const Node *find_node(Codec *c, uint8_t id)
{
    const CodecModel *m = model_of(c);

    for (unsigned i = 0; i < m->count; i++) {
        if (m->nodes[i].id == id) {
            return &m->nodes[i];
        }
    }
    return NULL;
}

static uint32_t vendor_id(Codec *c)
{
    return model_of(c)->vendor - (c->mixer ? 0 : 1);
}

static uint32_t root_parameter(Codec *c, uint8_t p)
{
    return p == P_VENDOR     ? vendor_id(c)
           : p == P_REVISION ? CODEC_REVISION
           : p == P_NODES    ? 0x00010001
                             : 0;
}

static uint32_t function_parameter(Codec *c, uint8_t p)
{
    switch (p) {
    case P_NODES: return 2u << 16 | model_of(c)->count;
    case P_FUNCTION_TYPE: return 1;
    case P_FUNCTION_CAPS: return 0x00000808;
    case P_PCM: return RATES;
    case P_STREAM: return 1;
    default: return 0;
    }
}

static uint32_t widget_caps(Codec *c, const Node *n)
{
    bool amp = c->mixer && n->widget != WIDGET_PIN;
    uint32_t caps = (uint32_t)n->widget << 20 | 1;

    if (n->widget != WIDGET_PIN) {
        caps |= 1u << 4 | (amp ? 1u << 3 | (n->output ? 1u << 2 : 1u << 1) : 0);
    }
    return caps | (n->from ? 1u << 8 : 0);
}

static uint32_t node_parameter(Codec *c, const Node *n, uint8_t p)
{
    bool converter = n->widget != WIDGET_PIN;

    switch (p) {
    case P_WIDGET_CAPS: return widget_caps(c, n);
    case P_PCM: return converter ? RATES : 0;
    case P_STREAM: return converter ? 1 : 0;
    case P_PIN_CAPS: return converter ? 0 : n->output ? 0x10 : 0x20;
    case P_AMP_IN_CAPS: return converter && !n->output && c->mixer ? AMP_CAPS : 0;
    case P_AMP_OUT_CAPS: return converter && n->output && c->mixer ? AMP_CAPS : 0;
    case P_CONN_LEN: return n->from != 0;
    default: return 0;
    }
}

/* ---- streams ---- */

static void stream_volume(Codec *c, Stream *s)
{
    if (c->mixer) {
        audio_set_volume(s->voice, s->mute[0] && s->mute[1],
                         s->mute[0] ? 0 : s->gain[0] * 255 / AMP_STEPS,
                         s->mute[1] ? 0 : s->gain[1] * 255 / AMP_STEPS);
    }
}

/* 3.7.1: base rate, multiple, divisor, bits, channels. */
static void stream_format(Stream *s)
{
    static const AudioFormat formats[8] = {AUDIO_U8,  AUDIO_S16, AUDIO_S32, AUDIO_S32,
                                           AUDIO_S32, AUDIO_S16, AUDIO_S16, AUDIO_S16};
    uint32_t rate = s->format & 1 << 14 ? 44100 : 48000;
    AudioSettings f = {
        .frequency = rate * ((s->format >> 11 & 7) + 1) / ((s->format >> 8 & 7) + 1),
        .channels = MIN((s->format & 0xf) + 1, 8), .format = formats[s->format >> 4 & 7],
    };

    audio_set_format(s->voice, &f);
}

static void stream_due(Codec *c, Stream *s, bool output, size_t bytes)
{
    HdaBus *b = (HdaBus *)c->hda.dev.parent_bus;
    uint8_t buf[CHUNK];

    while (bytes && s->running) {
        size_t n = MIN(bytes, sizeof(buf)), moved;

        if (output) {
            moved = b->transfer(b, s->tag, true, buf, n);
            audio_play(s->voice, buf, moved);
        } else {
            n = audio_record(s->voice, buf, n);
            moved = b->transfer(b, s->tag, false, buf, n);
        }
        if (!moved) {
            return;
        }
        bytes -= moved;
    }
}

static void playback_due(void *opaque, size_t bytes)
{
    stream_due(opaque, &((Codec *)opaque)->stream[0], true, bytes);
}

static void recording_due(void *opaque, size_t bytes)
{
    stream_due(opaque, &((Codec *)opaque)->stream[1], false, bytes);
}

static void codec_stream(HdaCodec *h, unsigned tag, bool output, bool running)
{
    Stream *s = &((Codec *)h)->stream[output ? 0 : 1];

    if (tag && s->tag == tag && s->voice) {
        s->running = running;
        stream_format(s);
        audio_set_active(s->voice, running);
    }
}

/* ---- verbs ---- */

static void set_amp(Codec *c, const Node *n, Stream *s, uint16_t payload)
{
    bool mine = payload & (n->output ? 1 << 15 : 1 << 14);

    for (unsigned side = 0; mine && side < 2; side++) {
        if (payload & (side ? 1 << 12 : 1 << 13)) {
            s->gain[side] = MIN(payload & 0x7f, AMP_STEPS);
            s->mute[side] = payload & 0x80;
        }
    }
    stream_volume(c, s);
}

static uint32_t node_verb(Codec *c, const Node *n, uint32_t verb, uint32_t payload)
{
    Stream *s = n->widget == WIDGET_PIN ? NULL : &c->stream[n->output ? 0 : 1];
    unsigned side = payload & 1 << 13 ? 0 : 1;

    switch (verb) {
    case V_GET_PARAM: return node_parameter(c, n, payload);
    case V_GET_CONN_LIST: return payload ? 0 : n->from;
    case V_GET_CONFIG: return n->config;
    case V_GET_PIN: return n->pin_ctl;
    case V_GET_STREAM: return s ? s->tag << 4 | s->channel : 0;
    case V_GET_FORMAT: return s ? s->format : 0;
    case V_GET_AMP: return s ? s->gain[side] | (s->mute[side] ? 0x80 : 0) : 0;
    case V_SET_STREAM:
        if (s) {
            if (s->tag != payload >> 4) {
                s->running = false;
                audio_set_active(s->voice, false);
            }
            s->tag = payload >> 4;
            s->channel = payload & 0xf;
        }
        return 0;
    case V_SET_FORMAT:
        if (s) {
            s->format = payload;
            stream_format(s);
        }
        return 0;
    case V_SET_AMP:
        if (s) {
            set_amp(c, n, s, payload);
        }
        return 0;
    default:
        return 0;
    }
}

static uint32_t codec_command(HdaCodec *h, uint8_t node, uint32_t data)
{
    Codec *c = (Codec *)h;
    bool short_payload = data >> 16 == 0x7 || data >> 16 == 0xf;
    uint32_t verb = data >> (short_payload ? 8 : 16),
             payload = data & (short_payload ? 0xff : 0xffff);
    const Node *n = find_node(c, node);

    if (n) {
        return node_verb(c, n, verb, payload);
    }
    if (node > 1) {
        return 0;
    }
    switch (verb) {
    case V_GET_PARAM: return node ? function_parameter(c, payload) : root_parameter(c, payload);
    case V_GET_SUBSYSTEM: return vendor_id(c);
    case V_GET_POWER: return c->power | c->power << 4;
    case V_SET_POWER: c->power = payload & 3; return 0;
    default: return 0;
    }
}

/* ---- the device ---- */

static bool codec_realize(Device *d, GError **error)
{
    static const AudioSettings settings = {.frequency = 48000, .channels = 2, .format = AUDIO_S16};
    Codec *c = (Codec *)d;

    c->stream[0].voice = audio_open(c->audiodev, false, &settings, playback_due, c);
    if (model_of(c)->count > 2) {
        c->stream[1].voice = audio_open(c->audiodev, true, &settings, recording_due, c);
    }
    return true;
}

static void codec_unrealize(Device *d)
{
    Codec *c = (Codec *)d;

    for (unsigned i = 0; i < MAX_STREAMS; i++) {
        audio_close(c->stream[i].voice);
        c->stream[i].voice = NULL;
    }
}

static void codec_reset(Device *d)
{
    Codec *c = (Codec *)d;

    c->power = 0;
    for (unsigned i = 0; i < MAX_STREAMS; i++) {
        Stream *s = &c->stream[i];

        *s = (Stream){ .format = 0x0011, .voice = s->voice, .gain = { AMP_STEPS, AMP_STEPS } };
        if (s->voice) {
            audio_set_active(s->voice, false);
            stream_format(s);
            stream_volume(c, s);
        }
    }
}

static void codec_post_load(Device *d)
{
    Codec *c = (Codec *)d;

    for (unsigned i = 0; i < MAX_STREAMS; i++) {
        Stream *s = &c->stream[i];

        if (s->voice) {
            stream_format(s);
            stream_volume(c, s);
            audio_set_active(s->voice, s->running);
        }
    }
}

static const Prop codec_props[] = {
    PROP_U32(Codec, hda.cad, "cad", HDA_NO_ADDRESS, .help = "address on the link"),
    PROP_AUDIODEV(Codec, audiodev),
    PROP_BOOL(Codec, mixer, "mixer", true, .help = "whether it has amplifiers"),
    PROP_U32(Codec, debug, "debug", 0, .flags = PROP_HIDDEN),
    PROP_BOOL(Codec, use_timer, "use-timer", true, .flags = PROP_HIDDEN),
    PROP_END,
};

static const StateField stream_state[] = {
    STATE(Stream, tag), STATE(Stream, channel), STATE(Stream, format), STATE(Stream, running), STATE_ARRAY(Stream, gain),
    STATE_ARRAY(Stream, mute), HOST_ONLY(Stream, voice, "host side"), STATE_END,
};
static const StateField codec_state[] = {STATE_STRUCTS(Codec, stream, stream_state),
                                         STATE(Codec, power), STATE_END};

#define CODEC(id_, name_, desc_, vendor_)                                                      \
    static const ModelInfo id_##_info = {                                                      \
        .info = {.command = codec_command, .stream = codec_stream},                            \
        .model = {.vendor = vendor_, .nodes = id_##_nodes, .count = ARRAY_COUNT(id_##_nodes)}, \
    };                                                                                         \
    static const DeviceType id_##_type = {                                                     \
        .name = name_,                                                                         \
        .bus = "HDA",                                                                          \
        .category = "sound",                                                                   \
        .desc = desc_,                                                                         \
        .size = sizeof(Codec),                                                                 \
        .state_version = 1,                                                                    \
        .bus_info = &id_##_info,                                                               \
        .props = codec_props,                                                                  \
        .state = codec_state,                                                                  \
        .realize = codec_realize,                                                              \
        .unrealize = codec_unrealize,                                                          \
        .reset = codec_reset,                                                                  \
        .post_load = codec_post_load,                                                          \
    };                                                                                         \
    DEVICE_TYPE(id_##_type);
CODEC(output, "hda-output", "HDA Audio Codec, output-only (line-out)", 0x1af40012)
CODEC(duplex, "hda-duplex", "HDA Audio Codec, duplex (line-out, line-in)", 0x1af40022)
CODEC(micro, "hda-micro", "HDA Audio Codec, duplex (speaker, microphone)", 0x1af40032)
