// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VNC server's parts: servers (addresses, screen), clients (RFC 6143 messages), pixels and
 * encodings, keys, passwords. Main loop, machine lock held.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include <json-c/json.h>
#include <pixman.h>
#include <zlib.h>
#include "qom/stream.h"
#include "ui/console.h"
#include "util/timer.h"

enum {
    VNC_ENC_RAW = 0, VNC_ENC_HEXTILE = 5, VNC_ENC_ZLIB = 6, VNC_ENC_ZRLE = 16,
    VNC_ENC_DESKTOP_SIZE = -223, VNC_ENC_POINTER_TYPE = -257, VNC_ENC_EXT_KEY = -258,
};
enum { VNC_AUTH_NONE = 1, VNC_AUTH_PASSWORD = 2, VNC_AUTH_VENCRYPT = 19 };

typedef struct VncServer VncServer;
typedef struct VncClient VncClient;

/* Pixels as a client wants them. */
typedef struct VncFormat {
    uint8_t bytes, depth;
    bool big;
    uint16_t max[3];            /* red, green, blue */
    uint8_t shift[3];
} VncFormat;

/* A socket that a server listens on. */
typedef struct VncListener {
    VncServer *server;
    int fd;
    unsigned watch;
    bool websocket, is_unix;
    char *host, *service;       /* of a unix socket: "", and the path */
} VncListener;

struct VncServer {
    char *id, *spec;
    char *path;                 /* unix socket that we made; NULL: none */
    GPtrArray *listeners;       /* VncListener: the plain ones, then those for WebSocket */
    Console *console;           /* NULL: the machine has no screen */
    ConsoleViewer viewer;
    pixman_image_t *blank;      /* shown without a console */
    GPtrArray *clients;
    Timer refresh;
    const char *name;           /* of the guest; NULL: none */
    int auth;                   /* without what TLS adds */
    char *tls_creds, *tls_authz;        /* NULL: no TLS; any client */
    bool tls_anon;              /* they are anonymous, not certificates */
    char *password;             /* NULL: none set, nobody gets in */
    int64_t expires_s;          /* host time; INT64_MAX: never */
    bool exclusive_refused;     /* share=ignore or force-shared: nobody is thrown out */
};

struct VncClient {
    VncServer *server;
    const VncListener *listener;        /* NULL: we have connected to it */
    Stream *stream;
    bool (*opened)(VncClient *c);       /* the stream's layers are through their handshakes */
    bool start_tls;             /* as soon as `out` has left */
    int auth;                   /* what the client must choose */
    GByteArray *in, *out;
    size_t need;                /* bytes that handle() waits for */
    bool (*handle)(VncClient *c, const uint8_t *data);
    int minor;
    uint8_t challenge[16];
    bool running, closing, dead, shared;
    char *host, *service;
    bool is_unix;
    VncFormat format;
    int encoding;
    bool want_size, want_pointer_type, want_ext_key, sent_ext_key;
    int pointer_absolute;       /* what the client was told: -1 nothing */
    pixman_region16_t dirty;
    bool wants_update, wants_all;
    int shown_width, shown_height;
    int last_x, last_y;
    unsigned buttons;
    uint8_t down[32];           /* keys that this client holds */
    z_stream zlib;
    bool zlib_open;
};

/* vnc-client.c: takes fd over, which l has accepted (NULL: we have connected). NULL + error. */
VncClient *vnc_client_new(VncServer *s, const VncListener *l, int fd, GError **error);
/* Disconnects and frees. */
void vnc_client_free(VncClient *c);
void vnc_client_damage(VncClient *c, int x, int y, int width, int height);
/* Sends what the client has asked for, when there is something and the line is free. */
void vnc_client_update(VncClient *c);
/* Queues bytes; sent as the socket takes them. */
void vnc_send(VncClient *c, const void *data, size_t len);
void vnc_send_u8(VncClient *c, uint8_t v);
void vnc_send_u16(VncClient *c, uint16_t v);
void vnc_send_u32(VncClient *c, uint32_t v);
/* Authentication is over. why: text for the client when it failed. */
bool vnc_auth_done(VncClient *c, bool good, const char *why);
/* Goes on with a security type, after the choice or inside of VeNCrypt. */
bool vnc_auth_begin(VncClient *c, int type);

/* vnc-encode.c */
extern const VncFormat vnc_native_format;
/* From the 16 bytes of PIXEL_FORMAT; false: not supported. */
bool vnc_format_parse(const uint8_t *data, VncFormat *f);
void vnc_format_put(const VncFormat *f, uint8_t out[16]);
/* A rectangle with header and contents, in the client's encoding. */
void vnc_send_rect(VncClient *c, pixman_image_t *image, int x, int y, int width, int height);

/* vnc-keys.c: set-1 scan code (0x80 added for E0 keys) of an X keysym on a US keyboard; 0: none. */
unsigned vnc_key(uint32_t keysym);

/*
 * vnc-listen.c. Opens the sockets of s->spec, or connects (reverse=on), with vnc_server_adopt() for
 * each connection.
 * kv: the options of -vnc. false + error.
 */
bool vnc_listen(VncServer *s, json_object *kv, GError **error);
void vnc_listen_stop(VncServer *s);

/* vnc-vencrypt.c: the names of a server's VeNCrypt subtype, as "x509-vnc"; NULL: none. */
const char *vnc_vencrypt_name(const VncServer *s);

/* vnc-server.c */
void vnc_server_adopt(VncServer *s, const VncListener *l, int fd);
pixman_image_t *vnc_screen(VncServer *s);
GPtrArray *vnc_servers(void);
/* NULL id: the first. NULL with *error set when there is none. */
VncServer *vnc_server_find(const char *id, GError **error);
void vnc_client_gone(VncServer *s, VncClient *c);
typedef enum VncEvent {
    VNC_EVENT_CONNECTED,
    VNC_EVENT_INITIALIZED,
    VNC_EVENT_DISCONNECTED
} VncEvent;
void vnc_client_event(VncClient *c, VncEvent event);

/*
 * A security type of a file of its own, as libraries allow: begins after the client has chosen
 * it, and ends in vnc_auth_done().
 */
typedef struct VncAuth {
    int type;
    bool (*start)(VncClient *c);
} VncAuth;
#define VNC_AUTH(id, ...) SECTION_ENTRY(vnc_auths, VncAuth, vnc_auth_##id##_row, __VA_ARGS__)
const VncAuth *vnc_auth_find(int type);

#endif
