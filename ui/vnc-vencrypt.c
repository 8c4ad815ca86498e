// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The security type VeNCrypt, version 0.2: after the choice of a subtype the connection goes on in
 * TLS, by anonymous credentials or certificates, and there with no further proof or with the
 * password.
 */
#include <string.h>

#include "ui/vnc.h"
#include "util/bswap.h"
#include "util/types.h"

/* Subtypes: TLSNone, TLSVnc, X509None, X509Vnc. */
enum { TLS_NONE = 257, TLS_VNC = 258, X509_NONE = 260, X509_VNC = 261 };

static unsigned subtype(const VncServer *s)
{
    bool password = s->auth == VNC_AUTH_PASSWORD;

    return s->tls_anon ? (password ? TLS_VNC : TLS_NONE) : (password ? X509_VNC : X509_NONE);
}

const char *vnc_vencrypt_name(const VncServer *s)
{
    if (!s->tls_creds) {
        return NULL;
    }
    switch (subtype(s)) {
    case TLS_NONE:
        return "tls-none";
    case TLS_VNC:
        return "tls-vnc";
    case X509_NONE:
        return "x509-none";
    default:
        return "x509-vnc";
    }
}

static bool in_tls(VncClient *c)
{
    return vnc_auth_begin(c, c->server->auth);
}

static bool on_subtype(VncClient *c, const uint8_t *data)
{
    bool good = load_be32(data) == subtype(c->server);

    vnc_send_u8(c, good);
    c->start_tls = good;
    c->closing = !good;
    c->opened = in_tls;
    c->need = SIZE_MAX;         /* until then */
    return true;
}

static bool on_vencrypt_version(VncClient *c, const uint8_t *data)
{
    bool good = data[0] == 0 && data[1] == 2;

    vnc_send_u8(c, !good);
    if (!good) {
        c->closing = true;
        return true;
    }
    vnc_send_u8(c, 1);
    vnc_send_u32(c, subtype(c->server));
    c->need = 4;
    c->handle = on_subtype;
    return true;
}

static bool start(VncClient *c)
{
    static const uint8_t version[2] = { 0, 2 };

    vnc_send(c, version, sizeof(version));
    c->need = 2;
    c->handle = on_vencrypt_version;
    return true;
}

VNC_AUTH(vencrypt, { .type = VNC_AUTH_VENCRYPT, .start = start });
