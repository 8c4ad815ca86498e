// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Audiodevs and voices: what guest time makes due, rates, mixing. Pace comes from the guest's
 * clock, so that a stopped machine is silent and tests step through sound.
 */
#include "audio-internal.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "qapi/keyval.h"
#include "qapi/startup.h"
#include "qom/object.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/timer.h"

#define PERIOD_DEFAULT_US 10000
#define MAX_DUE_NS 200000000ll    /* a machine that was held up does not make up for more */

extern const AudioDriver __start_audio_drivers[], __stop_audio_drivers[];

struct AudioDev {
    char *id;
    const AudioDriver *driver;
    void *instance;
    AudioSettings settings;
    int64_t period_ns;
    GPtrArray *voices;        /* AudioVoice * */
    Timer timer;
    int64_t played_ns;        /* up to when the driver was given sound */
};

struct AudioVoice {
    AudioDev *dev;
    bool record, active, mute;
    AudioSettings settings;
    AudioDueFn *due;
    void *opaque;
    float left, right;        /* volume */
    int64_t since_ns;         /* when it became active, moved on */
    uint64_t moved;           /* frames since then */
    double phase;             /* of resampling: place between the last two frames */
    float last[2];
    GArray *mixed;            /* float: converted frames that wait for the driver */
};

/* -audiodev, in order; [0] is the default. Main thread at start-up, then read only. */
static GPtrArray *audiodevs;

static AudioDev *audiodev_new(const AudioDriver *driver, const char *id)
{
    AudioDev *d = g_new0(AudioDev, 1);

    d->id = g_strdup(id);
    d->driver = driver;
    d->settings = (AudioSettings){ .frequency = 44100, .channels = 2, .format = AUDIO_S16 };
    d->period_ns = PERIOD_DEFAULT_US * 1000ll;
    d->voices = g_ptr_array_new();
    if (!audiodevs) {
        audiodevs = g_ptr_array_new();
    }
    g_ptr_array_add(audiodevs, d);
    return d;
}

static const AudioDriver silence = { .name = "none", .silent = true };

static AudioDev *audiodev_default(void)
{
    return audiodevs ? audiodevs->pdata[0] : audiodev_new(&silence, NULL);
}

/* ---- time ---- */

static uint64_t frames_between(const AudioSettings *s, int64_t from, int64_t to)
{
    return to <= from ? 0
                      : (uint64_t)((unsigned __int128)(uint64_t)(to - from) * s->frequency /
                                   NANOSECONDS_PER_SECOND);
}

static uint64_t frames_due(AudioVoice *v, int64_t now)
{
    if (now - v->since_ns > NANOSECONDS_PER_SECOND) {
        /* whole seconds are whole frames: keep numbers small */
        int64_t seconds = (now - v->since_ns) / NANOSECONDS_PER_SECOND;
        uint64_t frames = MIN((uint64_t)seconds * v->settings.frequency, v->moved);

        if (frames == (uint64_t)seconds * v->settings.frequency) {
            v->since_ns += seconds * NANOSECONDS_PER_SECOND;
            v->moved -= frames;
        }
    }
    uint64_t total = frames_between(&v->settings, v->since_ns, now);
    uint64_t most = frames_between(&v->settings, 0, MAX_DUE_NS);
    uint64_t due = total > v->moved ? total - v->moved : 0;

    if (due > most) {
        v->moved = total - most;
        due = most;
    }
    return due;
}

static void restart(AudioVoice *v)
{
    v->since_ns = clock_now_ns(CLOCK_GUEST);
    v->moved = 0;
    v->phase = 0;
    memset(v->last, 0, sizeof(v->last));
}

/* ---- mixing ---- */

/* Linear interpolation to the driver's rate. */
static void resample(AudioVoice *v, const float *in, size_t n)
{
    double step = (double)v->settings.frequency / v->dev->settings.frequency;
    float left = v->mute ? 0.0f : v->left, right = v->mute ? 0.0f : v->right;

    for (size_t i = 0; i < n; i++) {
        for (; v->phase < 1.0; v->phase += step) {
            float f = (float)v->phase, out[2];

            out[0] = (v->last[0] + (in[2 * i] - v->last[0]) * f) * left;
            out[1] = (v->last[1] + (in[2 * i + 1] - v->last[1]) * f) * right;
            g_array_append_vals(v->mixed, out, 2);
        }
        v->phase -= 1.0;
        v->last[0] = in[2 * i];
        v->last[1] = in[2 * i + 1];
    }
}

/* What all voices have for the time since the driver was given sound last. */
static void mix(AudioDev *d, int64_t now)
{
    size_t n;

    if (now - d->played_ns > MAX_DUE_NS) {
        d->played_ns = now - MAX_DUE_NS;
    }
    n = frames_between(&d->settings, d->played_ns, now);
    if (n == 0) {
        return;
    }
    d->played_ns += (int64_t)(n * NANOSECONDS_PER_SECOND / d->settings.frequency);
    g_autofree float *sum = g_new0(float, 2 * n);

    for (guint i = 0; i < d->voices->len; i++) {
        AudioVoice *v = d->voices->pdata[i];
        guint have = MIN(v->mixed->len, 2 * n);

        for (guint k = 0; k < have; k++) {
            sum[k] += g_array_index(v->mixed, float, k);
        }
        g_array_remove_range(v->mixed, 0, have);
        if (v->mixed->len > 2 * frames_between(&d->settings, 0, MAX_DUE_NS)) {
            g_array_set_size(v->mixed, 0);
        }
    }
    d->driver->play(d->instance, sum, n);
}

static bool any_active(const AudioDev *d)
{
    for (guint i = 0; i < d->voices->len; i++) {
        if (((AudioVoice *)d->voices->pdata[i])->active) {
            return true;
        }
    }
    return false;
}

static void period(void *opaque)
{
    AudioDev *d = opaque;
    int64_t now = clock_now_ns(CLOCK_GUEST);

    /* A callback may open and close voices. */
    for (guint i = 0; i < d->voices->len; i++) {
        AudioVoice *v = d->voices->pdata[i];
        uint64_t due = v->active ? frames_due(v, now) : 0;

        if (due) {
            v->due(v->opaque, due * audio_frame_bytes(&v->settings));
        }
    }
    if (!d->driver->silent) {
        mix(d, now);
    }
    if (any_active(d)) {
        timer_set_ns(&d->timer, now + d->period_ns);
    }
}

/* ---- voices ---- */

AudioVoice *audio_open(AudioDev *dev, bool record, const AudioSettings *s, AudioDueFn *due,
                       void *opaque)
{
    AudioVoice *v = g_new0(AudioVoice, 1);

    *v = (AudioVoice){.dev = dev ? dev : audiodev_default(),
                      .record = record,
                      .due = due,
                      .opaque = opaque,
                      .left = 1.0f,
                      .right = 1.0f,
                      .settings = *s,
                      .mixed = g_array_new(FALSE, FALSE, sizeof(float))};
    if (!v->dev->timer.fn) {
        timer_init(&v->dev->timer, CLOCK_GUEST, period, v->dev);
    }
    g_ptr_array_add(v->dev->voices, v);
    return v;
}

void audio_close(AudioVoice *v)
{
    if (!v) {
        return;
    }
    g_ptr_array_remove(v->dev->voices, v);
    if (!v->dev->voices->len) {
        timer_cancel(&v->dev->timer);
    }
    g_array_free(v->mixed, TRUE);
    g_free(v);
}

void audio_set_active(AudioVoice *v, bool active)
{
    AudioDev *d = v->dev;

    if (active == v->active) {
        return;
    }
    if (active) {
        restart(v);
        if (!any_active(d)) {
            d->played_ns = v->since_ns;
        }
        if (!d->timer.pending) {
            timer_set_ns(&d->timer, v->since_ns + d->period_ns);
        }
    }
    v->active = active;
}

void audio_set_format(AudioVoice *v, const AudioSettings *s)
{
    v->settings = *s;
    restart(v);
}

void audio_set_volume(AudioVoice *v, bool mute, uint8_t left, uint8_t right)
{
    v->mute = mute;
    v->left = left / 255.0f;
    v->right = right / 255.0f;
}

static size_t take_frames(AudioVoice *v, size_t bytes)
{
    uint64_t due = frames_due(v, clock_now_ns(CLOCK_GUEST));
    uint64_t n = MIN(bytes / audio_frame_bytes(&v->settings), due);

    v->moved += n;
    return n;
}

size_t audio_play(AudioVoice *v, const void *buf, size_t bytes)
{
    size_t n = v->active ? take_frames(v, bytes) : 0;

    if (n && !v->dev->driver->silent) {
        g_autofree float *f = g_new(float, 2 * n);

        audio_to_float(&v->settings, buf, f, n);
        resample(v, f, n);
    }
    return n * audio_frame_bytes(&v->settings);
}

size_t audio_record(AudioVoice *v, void *buf, size_t bytes)
{
    size_t n = v->active ? take_frames(v, bytes) : 0;
    /* No driver records: the microphone hears silence. */
    g_autofree float *f = g_new0(float, 2 * n + 1);

    audio_from_float(&v->settings, f, buf, n);
    return n * audio_frame_bytes(&v->settings);
}

/* ---- the property ---- */

static bool audiodev_parse(struct Object *o, const Prop *p, void *field, const char *text,
                           GError **error)
{
    for (guint i = 0; audiodevs && i < audiodevs->len; i++) {
        AudioDev *d = audiodevs->pdata[i];

        if (d->id && strcmp(d->id, text) == 0) {
            *(AudioDev **)field = d;
            return true;
        }
    }
    return prop_fail_find(o, p, text, error);
}

static bool audiodev_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                               GError **error)
{
    return json_object_is_type(v, json_type_string)
               ? audiodev_parse(o, p, field, json_object_get_string(v), error)
               : prop_fail_json_type(p, "string", error);
}

static struct json_object *audiodev_to_json(struct Object *o, const Prop *p, const void *field)
{
    AudioDev *d = *(AudioDev *const *)field;

    return json_object_new_string(d && d->id ? d->id : "");
}

static void audiodev_set_default(struct Object *o, const Prop *p, void *field)
{
    *(AudioDev **)field = NULL;
}

const PropType prop_audiodev = {
    .name = "str", .desc = "ID of an audiodev to use as a backend", .parse = audiodev_parse,
    .from_json = audiodev_from_json, .to_json = audiodev_to_json, .set_default = audiodev_set_default,
};

/* ---- -audiodev ---- */

static const char *const common_keys[] = {
    "driver", "id", "timer-period", "in.mixing-engine", "in.fixed-settings", "in.frequency", "in.channels", "in.format",
    "in.voices", "in.buffer-length", "out.mixing-engine", "out.fixed-settings", "out.frequency", "out.channels",
    "out.format", "out.voices", "out.buffer-length", NULL,
};
static const char *const format_names[] = { "u8", "s8", "u16", "s16", "u32", "s32", "f32", NULL };

static const AudioDriver *find_driver(const char *name)
{
    for (const AudioDriver *d = __start_audio_drivers; d < __stop_audio_drivers; d++) {
        if (strcmp(d->name, name) == 0) {
            return d;
        }
    }
    return NULL;
}

static bool number(struct json_object *kv, const char *key, uint64_t min, uint64_t max,
                   uint64_t *out, GError **error)
{
    const char *text = keyval_get(kv, key);

    if (!text) {
        return true;
    }
    return parse_u64(text, out) && *out >= min && *out <= max
               ? true
               : fail(error, "Parameter '%s' expects a number from %" PRIu64 " to %" PRIu64, key,
                      min, max);
}

static bool read_settings(AudioDev *d, struct json_object *kv, GError **error)
{
    uint64_t frequency = d->settings.frequency, channels = d->settings.channels,
             period_us = PERIOD_DEFAULT_US, voices = 1;
    const char *format = keyval_get(kv, "out.format");

    if (!number(kv, "out.frequency", 1000, 768000, &frequency, error) ||
        !number(kv, "out.channels", 1, 2, &channels, error) ||
        !number(kv, "out.voices", 1, UINT32_MAX, &voices, error) ||
        !number(kv, "timer-period", 1, 10000000, &period_us, error)) {
        return false;
    }
    d->settings.frequency = frequency;
    d->settings.channels = channels;
    d->period_ns = (int64_t)period_us * 1000;
    for (unsigned i = 0; format; i++) {
        if (!format_names[i]) {
            return fail(error, "Parameter 'format' does not accept value '%s'", format);
        }
        if (strcmp(format, format_names[i]) == 0) {
            d->settings.format = i;
            break;
        }
    }
    return true;
}

static bool audiodev_add(struct json_object *kv, GError **error)
{
    const char *name = keyval_get(kv, "driver"), *id = keyval_get(kv, "id");
    const AudioDriver *driver;
    AudioDev *d;

    if (!name || !id) {
        return fail(error, "Parameter '%s' is missing", name ? "id" : "driver");
    }
    driver = find_driver(name);
    if (!driver) {
        return fail(error,
                    "Parameter 'driver' does not accept value '%s' ('-audiodev help' for a list)",
                    name);
    }
    json_object_object_foreach (kv, key, value) {
        if (value && !g_strv_contains(common_keys, key) &&
            !(driver->keys && g_strv_contains(driver->keys, key))) {
            return fail(error, "Parameter '%s' is unexpected", key);
        }
    }
    for (guint i = 0; audiodevs && i < audiodevs->len; i++) {
        if (g_strcmp0(((AudioDev *)audiodevs->pdata[i])->id, id) == 0) {
            return fail(error, "Duplicate ID '%s' for audiodev", id);
        }
    }
    d = audiodev_new(driver, id);
    if (!read_settings(d, kv, error)) {
        return false;
    }
    d->instance = driver->open ? driver->open(kv, &d->settings, error) : NULL;
    return !driver->open || d->instance;
}

/* {"out": {"frequency": 8000}} as {"out.frequency": "8000"}. */
static struct json_object *flatten(struct json_object *o)
{
    struct json_object *flat = json_object_new_object();

    json_object_object_foreach (o, key, value) {
        if (!json_object_is_type(value, json_type_object)) {
            json_object_object_add(flat, key,
                                   json_object_new_string(json_object_get_string(value)));
            continue;
        }
        json_object_object_foreach (value, inner, member) {
            g_autofree char *name = g_strdup_printf("%s.%s", key, inner);

            json_object_object_add(flat, name,
                                   json_object_new_string(json_object_get_string(member)));
        }
    }
    return flat;
}

static bool opt_audiodev(struct Vm *vm, const char *arg, GError **error)
{
    bool is_json;
    struct json_object *o = keyval_or_json(arg, "driver", &is_json, error);
    struct json_object *kv = o ? flatten(o) : NULL;
    bool good = kv && audiodev_add(kv, error);

    json_object_put(o);
    json_object_put(kv);
    return good;
}

static bool help_audiodev(struct Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "Available audio drivers:\n");
    for (const AudioDriver *d = __start_audio_drivers; d < __stop_audio_drivers; d++) {
        g_string_append_printf(out, "%s\n", d->name);
    }
    return true;
}

OPTION(audiodev, { .name = "audiodev", .handle = opt_audiodev, .help = help_audiodev });

/* Files get their lengths at the end. */
static void audio_stop(struct Vm *vm)
{
    for (guint i = 0; audiodevs && i < audiodevs->len; i++) {
        AudioDev *d = audiodevs->pdata[i];

        if (d->timer.fn) {
            timer_cancel(&d->timer);
        }
        if (d->instance) {
            d->driver->close(d->instance);
            d->instance = NULL;
            d->driver = &silence;
        }
    }
}

START_HOOK(audio, { .phase = START_AUDIO, .name = "audio", .stop = audio_stop });

AUDIO_DRIVER(none, { .name = "none", .silent = true });
