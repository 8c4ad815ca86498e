// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The security type "VNC authentication" (RFC 6143, 7.2.2): the client encrypts 16 random bytes by
 * DES with the password, whose bytes are mirrored, as the key.
 */
#include <nettle/des.h>
#include <string.h>
#include <sys/random.h>

#include "ui/vnc.h"
#include "util/types.h"

enum { CHALLENGE = 16 };

static uint8_t mirror(uint8_t v)
{
    uint8_t r = 0;

    for (unsigned i = 0; i < 8; i++) {
        r |= (v >> i & 1) << (7 - i);
    }
    return r;
}

static bool check(VncClient *c, const uint8_t *answer)
{
    VncServer *s = c->server;
    uint8_t key[8] = { 0 }, expected[CHALLENGE];
    struct des_ctx des;
    unsigned different = 0;

    if (!s->password || clock_now_ns(CLOCK_HOST) / NANOSECONDS_PER_SECOND >= s->expires_s) {
        return vnc_auth_done(c, false, "Authentication failed");
    }
    for (unsigned i = 0; i < sizeof(key) && s->password[i]; i++) {
        key[i] = mirror((uint8_t)s->password[i]);
    }
    des_set_key(&des, key);     /* weak keys are what users make them */
    des_encrypt(&des, sizeof(expected), expected, c->challenge);
    for (unsigned i = 0; i < CHALLENGE; i++) {
        different |= expected[i] ^ answer[i];
    }
    return vnc_auth_done(c, different == 0, "Authentication failed");
}

static bool start(VncClient *c)
{
    if (getrandom(c->challenge, CHALLENGE, 0) != CHALLENGE) {
        return vnc_auth_done(c, false, "No random numbers");
    }
    vnc_send(c, c->challenge, CHALLENGE);
    c->need = CHALLENGE;
    c->handle = check;
    return true;
}

VNC_AUTH(password, { .type = VNC_AUTH_PASSWORD, .start = start });
