// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB speaker (Audio Device Class 1.0): one isochronous stream of 48 kHz, with six and eight
 * channels when multi is on, behind a feature unit with mute and volume. Packets wait in a ring
 * until guest time makes them due.
 */
#include <math.h>
#include <string.h>

#include "audio/audio.h"
#include "hw/usb/usb.h"
#include "util/bswap.h"

#define RATE 48000u
#define MAX_CHANNELS 8u
#define FRAMES_PER_PACKET (RATE / 1000)
#define PACKET(channels) (FRAMES_PER_PACKET * 2 * (channels))
#define RING_PACKETS 32u
#define RING_MAX (1u << 20)

enum {
    REQUEST_SET = 0x21,
    REQUEST_GET = 0xa1,
    SET_CUR = 1,
    GET_CUR = 0x81,
    GET_MIN,
    GET_MAX,
    GET_RES
};
enum {
    CONTROL_MUTE = 1,
    CONTROL_VOLUME = 2
};
#define FEATURE_UNIT 0x0200u /* unit 2 of interface 0 */
/* 1/256 dB */
#define VOLUME_MIN (-0x7fff)
#define VOLUME_MAX 0x800
#define VOLUME_STEP 0x88

typedef struct UsbAudio {
    UsbDevice usb;
    AudioDev *audiodev;
    bool multi;
    uint32_t buffer_bytes;
    AudioVoice *voice;
    uint8_t *ring;
    uint32_t ring_size, head, used;
    bool primed; /* sound began: the ring was half full */
    bool mute;
    int16_t volume[MAX_CHANNELS];
} UsbAudio;

static unsigned channels_of(unsigned alternate)
{
    static const uint8_t channels[] = {0, 2, 6, 8};

    return channels[alternate & 3];
}

/* ---- the ring ---- */

static void ring_put(UsbAudio *s, const uint8_t *buf, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        s->ring[(s->head + s->used++) % s->ring_size] = buf[i];
    }
}

static void audio_due(void *opaque, size_t bytes)
{
    UsbAudio *s = opaque;
    unsigned frame = 2 * channels_of(s->usb.alternate[1]);

    s->primed |= s->used >= s->ring_size / 2;
    while (s->primed && frame && bytes >= frame && s->used >= frame) {
        uint32_t n = MIN(MIN(bytes, s->used), s->ring_size - s->head);

        n -= n % frame; /* the ring is a whole number of frames */
        size_t taken = audio_play(s->voice, s->ring + s->head, n);

        if (taken == 0) {
            return;
        }
        s->head = (s->head + taken) % s->ring_size;
        s->used -= taken;
        bytes -= taken;
    }
}

static void audio_data(UsbDevice *d, UsbPacket *p)
{
    UsbAudio *s = (UsbAudio *)d;
    uint8_t buf[PACKET(MAX_CHANNELS)];
    unsigned frame = 2 * channels_of(d->alternate[1]);
    size_t n = usb_packet_get(p, buf, sizeof(buf));

    p->actual = p->size;
    n = MIN(n, s->ring_size - s->used);
    if (frame) {
        ring_put(s, buf, n - n % frame);
    }
}

/* ---- control ---- */

static uint8_t level(int16_t volume)
{
    double amplitude = pow(10, volume / 256.0 / 20);

    return amplitude >= 1 ? 255 : (uint8_t)(amplitude * 255 + 0.5);
}

static void set_volume(UsbAudio *s)
{
    audio_set_volume(s->voice, s->mute, level(s->volume[0]), level(s->volume[1]));
}

static int get_volume(const UsbAudio *s, unsigned request, unsigned channel, uint8_t *data)
{
    int value = request == GET_CUR   ? s->volume[channel - 1]
                : request == GET_MIN ? VOLUME_MIN
                : request == GET_MAX ? VOLUME_MAX
                                     : VOLUME_STEP;

    store_le16(data, (uint16_t)value);
    return 2;
}

static int audio_control(UsbDevice *d, const UsbSetup *q, uint8_t *data)
{
    UsbAudio *s = (UsbAudio *)d;
    unsigned control = q->value >> 8, channel = q->value & 0xff,
             channels = s->multi ? MAX_CHANNELS : 2;
    bool volume = control == CONTROL_VOLUME && channel >= 1 && channel <= channels,
         mute = control == CONTROL_MUTE && channel <= channels;

    if (q->index != FEATURE_UNIT || (!volume && !mute)) {
        return -1;
    }
    if (q->type == REQUEST_GET && volume && q->request >= GET_CUR && q->request <= GET_RES) {
        return get_volume(s, q->request, channel, data);
    }
    if (q->type == REQUEST_GET && mute && q->request == GET_CUR) {
        data[0] = s->mute;
        return 1;
    }
    if (q->type != REQUEST_SET || q->request != SET_CUR || q->length < (volume ? 2 : 1)) {
        return -1;
    }
    if (volume) {
        s->volume[channel - 1] = CLAMP((int16_t)load_le16(data), VOLUME_MIN, VOLUME_MAX);
    } else {
        s->mute = data[0] & 1;
    }
    set_volume(s);
    return 0;
}

static void audio_set_interface(UsbDevice *d, unsigned number, unsigned alternate)
{
    UsbAudio *s = (UsbAudio *)d;
    unsigned channels = channels_of(alternate), frame = 2 * channels;

    if (number != 1) {
        return;
    }
    s->head = s->used = 0;
    s->primed = false;
    audio_set_active(s->voice, false);
    if (channels) {
        s->ring_size =
            (s->buffer_bytes ? s->buffer_bytes : RING_PACKETS * PACKET(channels)) / frame * frame;
        audio_set_format(
            s->voice,
            &(AudioSettings){.frequency = RATE, .channels = channels, .format = AUDIO_S16});
        audio_set_active(s->voice, true);
    }
}

static void audio_reset(UsbDevice *d)
{
    UsbAudio *s = (UsbAudio *)d;

    audio_set_interface(d, 1, 0);
    s->mute = false;
    memset(s->volume, 0, sizeof(s->volume));
    set_volume(s);
}

static bool usb_audio_realize(Device *dev, GError **error)
{
    UsbAudio *s = (UsbAudio *)dev;

    if (s->buffer_bytes > RING_MAX || (s->buffer_bytes && s->buffer_bytes < PACKET(MAX_CHANNELS))) {
        return fail(error, "usb-audio: property 'buffer' must be 0 or %u to %u, not %u",
                    PACKET(MAX_CHANNELS), RING_MAX, s->buffer_bytes);
    }
    s->ring = g_malloc0(MAX(s->buffer_bytes, RING_PACKETS * PACKET(MAX_CHANNELS)));
    s->voice = audio_open(s->audiodev, false,
                          &(AudioSettings){.frequency = RATE, .channels = 2, .format = AUDIO_S16},
                          audio_due, s);
    audio_reset(&s->usb);
    return true;
}

static void usb_audio_unrealize(Device *dev)
{
    UsbAudio *s = (UsbAudio *)dev;

    g_clear_pointer(&s->voice, audio_close);
    g_clear_pointer(&s->ring, g_free);
}

/* The format may be another since realize; what was in the ring is heard. */
static void usb_audio_post_load(Device *dev)
{
    UsbAudio *s = (UsbAudio *)dev;
    uint32_t head = s->head, used = s->used;
    bool primed = s->primed;

    audio_set_interface(&s->usb, 1, s->usb.alternate[1]);
    if (head < s->ring_size && used <= s->ring_size) {
        s->head = head;
        s->used = used;
        s->primed = primed;
    }
    set_volume(s);
}

static size_t audio_ring_bytes(Device *dev)
{
    const UsbAudio *s = (UsbAudio *)dev;

    return MAX(s->buffer_bytes, RING_PACKETS * PACKET(MAX_CHANNELS));
}

/* ---- descriptors, chapter 4 ---- */

enum {
    STR_CONFIG = 4,
    STR_DEVICE,
    STR_PIPE,
    STR_VOLUME,
    STR_TERMINAL,
    STR_SILENT,
    STR_PLAYS
};
static const char *const audio_strings[] = {
    "QEMU",
    "QEMU USB Audio",
    "1",
    "Audio Configuration",
    "Audio Device",
    "Audio Output Pipe",
    "Audio Output Volume Control",
    "Audio Output Terminal",
    "Audio Output - Disabled",
    "Audio Output - 48 kHz Stereo",
    NULL,
};

/* clang-format off */
/*
 * header of one streaming interface; terminal 1 from USB; unit 2: mute, volumes; terminal 3:
 * speaker
 */
static const uint8_t audio_topology[] = {
    9, 0x24, 1, 0, 1, 0x2b, 0, 1, 1,
    12, 0x24, 2, 1, 1, 1, 0, 2, 3, 0, 0, STR_PIPE,
    13, 0x24, 6, 2, 1, 2, 1, 0, 2, 0, 2, 0, STR_VOLUME,
    9, 0x24, 3, 3, 1, 3, 0, 2, STR_TERMINAL,
};
static const uint8_t audio_topology_multi[] = {
    9, 0x24, 1, 0, 1, 0x38, 0, 1, 1,
    12, 0x24, 2, 1, 1, 1, 0, 8, 0x3f, 6, 0, STR_PIPE,
    25, 0x24, 6, 2, 1, 2, 1, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, STR_VOLUME,
    9, 0x24, 3, 3, 1, 3, 0, 2, STR_TERMINAL,
};
/* of terminal 1, PCM; channels of two bytes, 16 bits, one rate */
#define STREAM(channels) \
    { 7, 0x24, 1, 1, 0, 1, 0, 11, 0x24, 2, 1, channels, 2, 16, 1, RATE & 0xff, RATE >> 8 & 0xff, RATE >> 16 }
static const uint8_t audio_streams[3][18] = {STREAM(2), STREAM(6), STREAM(8)};
static const uint8_t audio_endpoint_class[] = {7, 0x25, 1, 0, 0, 0, 0};
/* clang-format on */

#define AUDIO_ENDPOINT(channels)                                                                 \
    {                                                                                            \
        .address = 1, .attributes = 0x0d, .max_packet = PACKET(channels), .interval = 1,         \
        .audio = true, .extra = audio_endpoint_class, .extra_len = sizeof(audio_endpoint_class), \
    }
static const UsbEndpointRow audio_endpoints[3] = {AUDIO_ENDPOINT(2), AUDIO_ENDPOINT(6),
                                                  AUDIO_ENDPOINT(8)};

#define AUDIO_CONTROL(topology)                                                                 \
    {                                                                                           \
        .class_code = 1, .subclass = 1, .protocol = 4, .string = STR_DEVICE, .extra = topology, \
        .extra_len = sizeof(topology),                                                          \
    }
#define AUDIO_SILENT {.number = 1, .class_code = 1, .subclass = 2, .string = STR_SILENT}
#define AUDIO_PLAYS(alternate_)                                                                    \
    {                                                                                              \
        .number = 1, .alternate = alternate_, .class_code = 1, .subclass = 2, .string = STR_PLAYS, \
        .endpoints = &audio_endpoints[alternate_ - 1], .num_endpoints = 1,                         \
        .extra = audio_streams[alternate_ - 1], .extra_len = sizeof(audio_streams[0]),             \
    }
static const UsbInterfaceRow audio_interfaces[] = {AUDIO_CONTROL(audio_topology), AUDIO_SILENT,
                                                   AUDIO_PLAYS(1)};
static const UsbInterfaceRow audio_interfaces_multi[] = {AUDIO_CONTROL(audio_topology_multi),
                                                         AUDIO_SILENT, AUDIO_PLAYS(1),
                                                         AUDIO_PLAYS(2), AUDIO_PLAYS(3)};

#define AUDIO_CONFIG(rows)                                                       \
    {                                                                            \
        .attributes = 0xc0, .max_power = 50, .value = 1, .string = STR_CONFIG,   \
        .num_interfaces = 2, .interfaces = rows, .num_rows = G_N_ELEMENTS(rows), \
    }
static const UsbConfig audio_configs[] = {AUDIO_CONFIG(audio_interfaces)};
static const UsbConfig audio_configs_multi[] = {AUDIO_CONFIG(audio_interfaces_multi)};
static const UsbSpeedInfo audio_full = {
    .bcd_usb = 0x0100, .max_packet0 = 64, .configs = audio_configs, .num_configs = 1};
static const UsbSpeedInfo audio_full_multi = {
    .bcd_usb = 0x0100, .max_packet0 = 64, .configs = audio_configs_multi, .num_configs = 1};

static const UsbSpeedInfo *audio_speed_info(const UsbDevice *d)
{
    return ((const UsbAudio *)d)->multi ? &audio_full_multi : &audio_full;
}

static const UsbInfo audio_info = {
    .vendor = 0x46f4,
    .product = 0x0002,
    .strings = audio_strings,
    .speeds = {[USB_FULL] = &audio_full},
    .speed_info = audio_speed_info,
    .control = audio_control,
    .data = audio_data,
    .reset = audio_reset,
    .set_interface = audio_set_interface,
};

static const Prop usb_audio_props[] = {
    USB_DEVICE_PROPS(UsbAudio),
    PROP_AUDIODEV(UsbAudio, audiodev),
    PROP_U32(UsbAudio, buffer_bytes, "buffer", 0, .help = "bytes that may wait; 0: 32 packets"),
    PROP_BOOL(UsbAudio, multi, "multi", false, .help = "six and eight channels too"),
    PROP_END,
};

static const StateField usb_audio_state[] = {
    STATE_STRUCT(UsbAudio, usb, usb_device_state),
    STATE_BUF(UsbAudio, ring, audio_ring_bytes),
    STATE(UsbAudio, ring_size),
    STATE_BELOW(UsbAudio, head, ring_size, UINT32_MAX),
    STATE_TO(UsbAudio, used, ring_size, UINT32_MAX),
    STATE(UsbAudio, primed),
    STATE(UsbAudio, mute),
    STATE_ARRAY(UsbAudio, volume),
    HOST_ONLY(UsbAudio, voice, "back end"),
    STATE_END,
};

static const DeviceType usb_audio_type = {
    .name = "usb-audio",
    .bus = "usb-bus",
    .category = "sound",
    .desc = "USB audio",
    .size = sizeof(UsbAudio),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &audio_info,
    .props = usb_audio_props,
    .state = usb_audio_state,
    .realize = usb_audio_realize,
    .unrealize = usb_audio_unrealize,
    .post_load = usb_audio_post_load,
};
DEVICE_TYPE(usb_audio_type);
