// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VNC client's connection (RFC 6143, and the versions 3.3 and 3.7 before it): handshake,
 * messages, updates. Bytes are collected until a message is whole; output waits in a buffer, and no
 * update is made before the one before has left. Left out: cut text, colour maps.
 */
#include <errno.h>
#include <string.h>

#include "ui/input.h"
#include "ui/vnc.h"
#include "util/bswap.h"
#include "util/error.h"
#include "qapi/qapi-events.h"

enum { CUT_TEXT_MAX = 1 << 20, ENCODINGS_MAX = 1024, AXIS_MAX = 32767 };
enum {
    MSG_FORMAT = 0,
    MSG_ENCODINGS = 2,
    MSG_UPDATE = 3,
    MSG_KEY = 4,
    MSG_POINTER = 5,
    MSG_CUT_TEXT = 6,
    MSG_EXTENDED = 255 };

static bool on_message(VncClient *c, const uint8_t *data);

/* ---- output ---- */

static bool flush(VncClient *c)
{
    while (c->out->len) {
        ssize_t n = stream_write(c->stream, c->out->data, c->out->len);

        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        g_byte_array_remove_range(c->out, 0, (guint)n);
    }
    return true;
}

/* The line is free. */
static void on_writable(VncClient *c)
{
    if (!flush(c) || (c->closing && !c->out->len)) {
        vnc_client_free(c);
        return;
    }
    if (c->out->len) {
        return;
    }
    stream_want_write(c->stream, false);
    if (c->start_tls) {
        g_autoptr(GError) error = NULL;

        c->start_tls = false;
        if (!stream_add_tls_server(c->stream, c->server->tls_creds, c->server->tls_authz, &error)) {
            warn_report("VNC: %s", error->message);
            vnc_client_free(c);
        }
        return;
    }
    vnc_client_update(c);
}

void vnc_send(VncClient *c, const void *data, size_t len)
{
    g_byte_array_append(c->out, data, (guint)len);
    stream_want_write(c->stream, true);
}

void vnc_send_u8(VncClient *c, uint8_t v)
{
    vnc_send(c, &v, 1);
}

void vnc_send_u16(VncClient *c, uint16_t v)
{
    uint8_t b[2];

    store_be16(b, v);
    vnc_send(c, b, sizeof(b));
}

void vnc_send_u32(VncClient *c, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    vnc_send(c, b, sizeof(b));
}

/* ---- updates ---- */

void vnc_client_damage(VncClient *c, int x, int y, int width, int height)
{
    pixman_region_union_rect(&c->dirty, &c->dirty, x, y, (unsigned)width, (unsigned)height);
}

static void send_pseudo(VncClient *c, uint16_t x, int width, int height, int encoding)
{
    vnc_send_u16(c, x);
    vnc_send_u16(c, 0);
    vnc_send_u16(c, (uint16_t)width);
    vnc_send_u16(c, (uint16_t)height);
    vnc_send_u32(c, (uint32_t)encoding);
}

static void begin_update(VncClient *c, unsigned rects)
{
    vnc_send_u8(c, 0);
    vnc_send_u8(c, 0);
    vnc_send_u16(c, (uint16_t)rects);
}

/* Tells what the client asked to be told; true when that was an update of its own. */
static bool send_news(VncClient *c, int width, int height)
{
    int absolute = input_has_position();
    bool size = c->want_size && (width != c->shown_width || height != c->shown_height);
    bool pointer = c->want_pointer_type && absolute != c->pointer_absolute;
    bool keys = c->want_ext_key && !c->sent_ext_key;

    if (!size && !pointer && !keys) {
        return false;
    }
    begin_update(c, size + pointer + keys);
    if (size) {
        send_pseudo(c, 0, width, height, VNC_ENC_DESKTOP_SIZE);
        c->shown_width = width;
        c->shown_height = height;
    }
    if (pointer) {
        send_pseudo(c, (uint16_t)absolute, width, height, VNC_ENC_POINTER_TYPE);
        c->pointer_absolute = absolute;
    }
    if (keys) {
        send_pseudo(c, 0, width, height, VNC_ENC_EXT_KEY);
        c->sent_ext_key = true;
    }
    return true;
}

void vnc_client_update(VncClient *c)
{
    pixman_image_t *screen = vnc_screen(c->server);
    int width = pixman_image_get_width(screen), height = pixman_image_get_height(screen), n = 0;
    pixman_region16_t todo;

    if (!c->running || c->closing || c->out->len || !c->wants_update || c->dead) {
        return;
    }
    if (send_news(c, width, height)) {
        c->wants_update = false;
        return;
    }
    /* What the client does not know of it cannot be shown. */
    pixman_region_init(&todo);
    pixman_region_intersect_rect(&todo, &c->dirty, 0, 0, (unsigned)MIN(width, c->shown_width),
                                 (unsigned)MIN(height, c->shown_height));
    pixman_box16_t *boxes = pixman_region_rectangles(&todo, &n);

    if (n > 0 || c->wants_all) {
        begin_update(c, (unsigned)n);
        for (int i = 0; i < n; i++) {
            vnc_send_rect(c, screen, boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
                          boxes[i].y2 - boxes[i].y1);
        }
        pixman_region_clear(&c->dirty);
        c->wants_update = c->wants_all = false;
    }
    pixman_region_fini(&todo);
}

/* ---- messages ---- */

/* Waits for the next message. */
static bool next(VncClient *c)
{
    c->need = 1;
    c->handle = on_message;
    return true;
}

static bool on_format(VncClient *c, const uint8_t *data)
{
    if (!vnc_format_parse(data + 4, &c->format)) {
        return false;
    }
    vnc_client_damage(c, 0, 0, c->shown_width, c->shown_height);
    return next(c);
}

static bool on_encodings(VncClient *c, const uint8_t *data)
{
    unsigned n = load_be16(data + 2);
    bool chosen = false;

    if (n > ENCODINGS_MAX) {
        return false;
    }
    if (c->need == 4 && n) {
        c->need = 4 + 4 * n;
        return true;
    }
    c->encoding = VNC_ENC_RAW;
    c->want_size = c->want_pointer_type = c->want_ext_key = false;
    for (unsigned i = 0; i < n; i++) {
        int32_t e = (int32_t)load_be32(data + 4 + 4 * i);

        if (!chosen && (e == VNC_ENC_RAW || e == VNC_ENC_HEXTILE || e == VNC_ENC_ZLIB)) {
            c->encoding = e;        /* the client's first choice of ours */
            chosen = true;
        }
        c->want_size |= e == VNC_ENC_DESKTOP_SIZE;
        c->want_pointer_type |= e == VNC_ENC_POINTER_TYPE;
        c->want_ext_key |= e == VNC_ENC_EXT_KEY;
    }
    c->sent_ext_key = false;
    c->pointer_absolute = -1;
    return next(c);
}

static bool on_update_request(VncClient *c, const uint8_t *data)
{
    c->wants_update = true;
    if (!data[1]) {
        c->wants_all = true;
        vnc_client_damage(c, load_be16(data + 2), load_be16(data + 4), load_be16(data + 6),
                          load_be16(data + 8));
    }
    vnc_client_update(c);
    return next(c);
}

static void press(VncClient *c, unsigned key, bool down)
{
    if (key && key < 256) {
        c->down[key / 8] =
            (uint8_t)((c->down[key / 8] & ~(1u << key % 8)) | (unsigned)down << key % 8);
        input_key(key, down);
    }
}

static bool on_key(VncClient *c, const uint8_t *data)
{
    press(c, vnc_key(load_be32(data + 4)), data[1] != 0);
    return next(c);
}

static bool on_pointer(VncClient *c, const uint8_t *data)
{
    int x = load_be16(data + 2), y = load_be16(data + 4);
    unsigned wire = data[1], wheel = wire & ~c->buttons & 0x18;
    /* left, middle, right on the wire; left, right, middle inside */
    unsigned buttons = (wire & 1) | (wire >> 1 & 2) | (wire & 2) << 1;
    int dz = wheel & 8 ? -1 : wheel ? 1 : 0;

    if (input_has_position()) {
        input_position(x * AXIS_MAX / MAX(c->shown_width - 1, 1),
                       y * AXIS_MAX / MAX(c->shown_height - 1, 1), dz, buttons);
    } else if (c->want_pointer_type && c->pointer_absolute == 0) {
        input_motion(x - 0x7fff, y - 0x7fff, dz, buttons);
    } else {
        input_motion(c->last_x < 0 ? 0 : x - c->last_x, c->last_x < 0 ? 0 : y - c->last_y, dz,
                     buttons);
    }
    c->buttons = wire;
    c->last_x = x;
    c->last_y = y;
    return next(c);
}

static bool on_cut_text(VncClient *c, const uint8_t *data)
{
    uint32_t len = load_be32(data + 4);

    if (len > CUT_TEXT_MAX) {
        return false;
    }
    if (c->need == 8 && len) {
        c->need = 8 + len;
        return true;
    }
    return next(c);
}

static bool on_extended(VncClient *c, const uint8_t *data)
{
    if (data[1] != 0) {
        return false;           /* only keys */
    }
    if (c->need == 2) {
        c->need = 12;
        return true;
    }
    uint32_t code = load_be32(data + 8);

    /* Set-1 codes; extended ones with bit 7, or with E0 above. */
    if (code >> 8 == 0xe0) {
        code = (code & 0x7f) | 0x80;
    }
    press(c, code < 256 && code ? code : vnc_key(load_be32(data + 4)), load_be16(data + 2) != 0);
    return next(c);
}

static bool on_message(VncClient *c, const uint8_t *data)
{
    static const struct {
        uint8_t type, need;
        bool (*handle)(VncClient *, const uint8_t *);
    } kinds[] = {
        { MSG_FORMAT, 20, on_format },   { MSG_ENCODINGS, 4, on_encodings },
        { MSG_UPDATE, 10, on_update_request }, { MSG_KEY, 8, on_key },
        { MSG_POINTER, 6, on_pointer },  { MSG_CUT_TEXT, 8, on_cut_text },
        { MSG_EXTENDED, 2, on_extended },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == data[0]) {
            c->need = kinds[i].need;
            c->handle = kinds[i].handle;
            return true;
        }
    }
    return false;
}

/* ---- handshake ---- */

static void disconnect_others(VncClient *c)
{
    for (guint i = c->server->clients->len; i-- > 0;) {
        VncClient *other = c->server->clients->pdata[i];

        if (other != c) {
            vnc_client_free(other);
        }
    }
}

static bool on_client_init(VncClient *c, const uint8_t *data)
{
    VncServer *s = c->server;
    pixman_image_t *screen = vnc_screen(s);
    g_autofree char *title = s->name ? g_strdup_printf("QEMU (%s)", s->name) : g_strdup("QEMU");
    uint8_t format[16];

    c->shared = data[0] != 0;
    if (!c->shared && !s->exclusive_refused) {
        disconnect_others(c);
    }
    c->shown_width = pixman_image_get_width(screen);
    c->shown_height = pixman_image_get_height(screen);
    vnc_format_put(&c->format, format);
    vnc_send_u16(c, (uint16_t)c->shown_width);
    vnc_send_u16(c, (uint16_t)c->shown_height);
    vnc_send(c, format, sizeof(format));
    vnc_send_u32(c, (uint32_t)strlen(title));
    vnc_send(c, title, strlen(title));
    c->running = true;
    vnc_client_damage(c, 0, 0, c->shown_width, c->shown_height);
    vnc_client_event(c, VNC_EVENT_INITIALIZED);
    return next(c);
}

bool vnc_auth_done(VncClient *c, bool good, const char *why)
{
    if (good) {
        /* Until 3.8 "None" has no result. */
        if (c->minor >= 8 || c->auth != VNC_AUTH_NONE) {
            vnc_send_u32(c, 0);
        }
        c->need = 1;
        c->handle = on_client_init;
        return true;
    }
    vnc_send_u32(c, 1);
    if (c->minor >= 8) {
        vnc_send_u32(c, (uint32_t)strlen(why));
        vnc_send(c, why, strlen(why));
    }
    c->closing = true;
    return true;
}

bool vnc_auth_begin(VncClient *c, int type)
{
    const VncAuth *a = vnc_auth_find(type);

    return type == VNC_AUTH_NONE ? vnc_auth_done(c, true, NULL) : a && a->start(c);
}

static bool on_auth_choice(VncClient *c, const uint8_t *data)
{
    return data[0] == c->auth ? vnc_auth_begin(c, c->auth)
                              : vnc_auth_done(c, false, "Unsupported security type");
}

static bool on_version(VncClient *c, const uint8_t *data)
{
    if (memcmp(data, "RFB 003.", 8) != 0 || data[11] != '\n') {
        return false;
    }
    c->minor = (data[8] - '0') * 100 + (data[9] - '0') * 10 + data[10] - '0';
    if (c->minor < 7) {
        c->minor = 3;
        if (c->auth == VNC_AUTH_VENCRYPT) {
            return false;       /* it came with 3.7 */
        }
        vnc_send_u32(c, (uint32_t)c->auth);
        return vnc_auth_begin(c, c->auth);
    }
    c->minor = MIN(c->minor, 8);
    vnc_send_u8(c, 1);
    vnc_send_u8(c, (uint8_t)c->auth);
    c->need = 1;
    c->handle = on_auth_choice;
    return true;
}

/* ---- input ---- */

/* Messages that are whole; false: the client is to go. */
static bool handle_input(VncClient *c)
{
    bool good = true;

    while (good && !c->closing && c->in->len >= c->need) {
        size_t had = c->need;
        bool (*was)(VncClient *, const uint8_t *) = c->handle;
        bool first = was == on_message;

        good = c->handle(c, c->in->data) && !c->dead;
        /* A handler that wants more of the same message leaves it there. */
        if (good && (c->need <= had || c->handle != was) && !first) {
            g_byte_array_remove_range(c->in, 0, (guint)had);
        }
    }
    return good;
}

static void on_readable(VncClient *c)
{
    uint8_t buf[4096];
    ssize_t n = stream_read(c->stream, buf, sizeof(buf));
    bool good = n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));

    if (n > 0 && !c->closing) {
        g_byte_array_append(c->in, buf, (guint)n);
    }
    if (!good || !handle_input(c)) {
        vnc_client_free(c);
        return;
    }
    /* What a client sends in the clear behind its wish for TLS is no part of the session. */
    if (c->start_tls) {
        g_byte_array_set_size(c->in, 0);
    }
}

static void on_stream(void *opaque, StreamEvent event, const GError *error)
{
    VncClient *c = opaque;

    if (event == STREAM_READABLE) {
        on_readable(c);
    } else if (event == STREAM_WRITABLE) {
        on_writable(c);
    } else if (event == STREAM_FAILED || !c->opened(c)) {
        vnc_client_free(c);
    }
}

static bool begin(VncClient *c)
{
    c->need = 12;
    c->handle = on_version;
    stream_want_read(c->stream, true);
    vnc_send(c, "RFB 003.008\n", 12);
    return true;
}

VncClient *vnc_client_new(VncServer *s, const VncListener *l, int fd, GError **error)
{
    VncClient *c = g_new0(VncClient, 1);
    bool websocket = l && l->websocket;

    c->server = s;
    c->listener = l;
    c->stream = stream_new(fd, on_stream, c);
    c->opened = begin;
    c->auth = s->tls_creds && !websocket ? VNC_AUTH_VENCRYPT : s->auth;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->format = vnc_native_format;
    c->pointer_absolute = -1;
    c->last_x = -1;
    pixman_region_init(&c->dirty);
    /* Browsers have TLS below WebSocket, and not in RFB. */
    if (websocket && s->tls_creds &&
        !stream_add_tls_server(c->stream, s->tls_creds, s->tls_authz, error)) {
        vnc_client_free(c);
        return NULL;
    }
    if (websocket) {
        stream_add_websocket(c->stream);
    } else {
        begin(c);
    }
    return c;
}

void vnc_client_free(VncClient *c)
{
    for (unsigned key = 0; key < 256; key++) {
        if (c->down[key / 8] >> key % 8 & 1) {
            input_key(key, false);
        }
    }
    vnc_client_gone(c->server, c);
    if (c->zlib_open) {
        deflateEnd(&c->zlib);
    }
    stream_free(c->stream);
    pixman_region_fini(&c->dirty);
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    g_free(c->host);
    g_free(c->service);
    g_free(c);
}
