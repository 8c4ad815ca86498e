// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD server: listening, clients, exports and their extents. */
#include "block/nbd/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qom/authz.h"
#include "qom/tls.h"
#include "util/error.h"
#include "util/main-loop.h"

static void listen_again(NbdServer *s);

static void client_free(NbdServer *s, NbdClient *c)
{
    bool negotiated = c->export != NULL;

    if (c->export) {
        c->export->clients--;
    }
    g_ptr_array_remove(s->clients, c);
    channel_free(c->channel);
    g_free(c->context_export);
    g_free(c);
    listen_again(s);
    if (s->on_close) {
        s->on_close(s->opaque, negotiated);
    }
}

static void co_client(void *opaque)
{
    NbdClient *c = opaque;

    if (co_nbd_handshake(c)) {
        c->export->clients++;
        co_nbd_serve(c);
    } else {
        c->export = NULL;
    }
    client_free(c->server, c);
}

void nbd_server_add_client(NbdServer *s, int fd)
{
    NbdClient *c = g_new0(NbdClient, 1);

    c->server = s;
    c->channel = channel_new(fd);
    g_ptr_array_add(s->clients, c);
    coroutine_start(co_client, c);
}

static bool on_connect(int fd, GIOCondition events, void *opaque)
{
    NbdServer *s = opaque;
    int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (conn >= 0) {
        nbd_server_add_client(s, conn);
    }
    if (s->max && s->clients->len >= s->max) {
        s->tag = 0;
        return false;
    }
    return true;
}

static void listen_again(NbdServer *s)
{
    if (!s->tag && !s->closing && s->listen_fd >= 0 && (!s->max || s->clients->len < s->max)) {
        s->tag = fd_watch(s->listen_fd, G_IO_IN, on_connect, s);
    }
}

NbdServer *nbd_server_new(int listen_fd, const char *tls_creds, const char *tls_authz,
                          unsigned max, GError **error)
{
    NbdServer *s;

    if ((tls_creds && !tls_creds_check(tls_creds, true, error)) ||
        (tls_authz && !authz_check(tls_authz, error))) {
        close(listen_fd);
        return NULL;
    }
    s = g_new0(NbdServer, 1);
    s->listen_fd = listen_fd;
    s->tls_creds = g_strdup(tls_creds);
    s->tls_authz = g_strdup(tls_authz);
    s->max = max;
    s->exports = g_ptr_array_new();
    s->clients = g_ptr_array_new();
    listen_again(s);
    return s;
}

void nbd_server_on_close(NbdServer *s, void (*fn)(void *opaque, bool negotiated), void *opaque)
{
    s->on_close = fn;
    s->opaque = opaque;
}

unsigned nbd_server_clients(const NbdServer *s)
{
    return s->clients->len;
}

void nbd_server_free(NbdServer *s)
{
    if (!s) {
        return;
    }
    s->closing = true;
    s->on_close = NULL;
    if (s->tag) {
        fd_unwatch(s->tag);
    }
    if (s->listen_fd >= 0) {
        close(s->listen_fd);
    }
    for (unsigned i = 0; i < s->clients->len; i++) {
        channel_shutdown(((NbdClient *)g_ptr_array_index(s->clients, i))->channel);
    }
    while (s->clients->len) {
        main_loop_iterate(true);
    }
    while (s->exports->len) {
        nbd_export_free(g_ptr_array_index(s->exports, s->exports->len - 1));
    }
    g_ptr_array_free(s->exports, TRUE);
    g_ptr_array_free(s->clients, TRUE);
    g_free(s->tls_creds);
    g_free(s->tls_authz);
    g_free(s);
}

/* ---- exports ---- */

NbdExport *nbd_export_new(NbdServer *s, BlockNode *n, const NbdExportOptions *o, GError **error)
{
    NbdExport *e;
    unsigned perm = BLOCK_PERM_READ | (o->writable ? BLOCK_PERM_WRITE : 0);

    if (strlen(o->name) > NBD_MAX_NAME) {
        return fail_null(error, "export name '%s' too long", o->name);
    }
    if (o->description && strlen(o->description) > NBD_MAX_NAME) {
        return fail_null(error, "description '%s' too long", o->description);
    }
    if (nbd_find_export(s, o->name)) {
        return fail_null(error, "NBD server already has export named '%s'", o->name);
    }
    if (o->offset > n->length) {
        return fail_null(error,
                         "Offset (%" G_GUINT64_FORMAT
                         ") has to be smaller than the image size (%" G_GUINT64_FORMAT ")",
                         o->offset, n->length);
    }
    if (o->writable && n->read_only) {
        return fail_null(error, "Cannot export read-only node as writable");
    }
    for (const char *const *b = o->bitmaps; b && *b; b++) {
        if (!nbd_find_bitmap(n, *b, error)) {
            return NULL;
        }
    }
    e = g_new0(NbdExport, 1);
    e->edge = block_attach(n, "NBD export", perm, BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE, error);
    if (!e->edge) {
        g_free(e);
        return NULL;
    }
    e->server = s;
    e->node = n;
    e->name = g_strdup(o->name);
    e->description = g_strdup(o->description);
    e->writable = o->writable;
    e->allocation_depth = o->allocation_depth;
    e->offset = o->offset;
    e->length = n->length - o->offset;
    e->bitmaps = g_ptr_array_new_with_free_func(g_free);
    for (const char *const *b = o->bitmaps; b && *b; b++) {
        g_ptr_array_add(e->bitmaps, g_strdup(*b));
    }
    g_ptr_array_add(s->exports, e);
    return e;
}

bool nbd_export_used(const NbdExport *e)
{
    return e->clients > 0;
}

void nbd_export_free(NbdExport *e)
{
    e->closing = true;
    for (unsigned i = 0; i < e->server->clients->len; i++) {
        NbdClient *c = g_ptr_array_index(e->server->clients, i);

        if (c->export == e) {
            channel_shutdown(c->channel);
        }
    }
    while (e->clients) {
        main_loop_iterate(true);
    }
    g_ptr_array_remove(e->server->exports, e);
    block_detach(e->edge);
    g_free(e->name);
    g_free(e->description);
    g_ptr_array_free(e->bitmaps, TRUE);
    g_free(e);
}

/* ---- extents ---- */

static int co_extent_flags(NbdExport *e, uint32_t context, uint64_t offset, uint64_t len,
                           uint64_t *got, uint32_t *flags)
{
    BlockStatus st;
    int ret;

    if (context >= CONTEXT_BITMAPS) {
        return co_bitmap_extent(e->node, e->bitmaps->pdata[context - CONTEXT_BITMAPS], offset, len,
                                got, flags);
    }
    ret = co_block_status_above(e->node, NULL, offset, len, context == CONTEXT_ALLOCATION, &st);
    if (ret < 0) {
        return ret;
    }
    *got = MIN(st.bytes, len);
    if (context == CONTEXT_DEPTH) {
        *flags = st.flags & BLOCK_STATUS_ALLOCATED ? MAX(st.depth, 1) : 0;
    } else {
        *flags = (st.flags & BLOCK_STATUS_DATA ? 0 : NBD_STATE_HOLE) |
                 (st.flags & BLOCK_STATUS_ZERO ? NBD_STATE_ZERO : 0);
    }
    return 0;
}

unsigned co_nbd_extents(NbdExport *e, uint32_t context, uint64_t offset, uint32_t len,
                        uint32_t *out, unsigned max, int *ret)
{
    unsigned n = 0;

    while (len > 0) {
        uint64_t got = 0;
        uint32_t flags = 0;

        *ret = co_extent_flags(e, context, e->offset + offset, len, &got, &flags);
        if (*ret < 0 || got == 0) {
            *ret = *ret < 0 ? *ret : -EIO;
            return 0;
        }
        if (n && out[2 * n - 1] == flags) {
            out[2 * n - 2] += (uint32_t)got;
        } else if (n == max) {
            break;
        } else {
            out[2 * n] = (uint32_t)got;
            out[2 * n + 1] = flags;
            n++;
        }
        offset += got;
        len -= (uint32_t)got;
    }
    return n;
}
