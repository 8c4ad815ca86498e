// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NBD client: a protocol driver. Requests of any number are on the way at once; one coroutine reads
 * the replies and wakes them. When the connection breaks, requests fail, or wait for
 * `reconnect-delay` seconds for another.
 */
#include "block/nbd/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "block/driver.h"
#include "qom/tls.h"
#include "util/bswap.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define RETRY_NS 1000000000ll
#define MAX_CHUNK (64u << 20)

typedef struct NbdCall {
    Coroutine *co;
    uint64_t offset;
    uint32_t len;
    const struct iovec *iov;    /* read */
    unsigned niov;
    uint32_t *extent;           /* block status: length, flags of the first */
    int ret;
    bool waiting, done, connection_lost;
} NbdCall;

typedef struct NbdState {
    SocketPlace place;
    char *host, *port, *path, *fd, *export, *tls_creds, *tls_hostname, *context;
    uint64_t reconnect_ns, open_timeout_ns;
    CoChannel *channel;         /* NULL: not connected */
    NbdInfo info;
    GHashTable *calls;          /* cookie -> NbdCall */
    uint64_t next_cookie;
    CoMutex send_lock;
    bool receiving, closing, connecting;
    int64_t lost_ns;            /* when the connection broke */
    CoQueue connected;          /* requests that wait for the next connection */
    Coroutine *closer;
} NbdState;

/* ---- the connection ---- */

static NbdConnect how_of(const NbdState *s)
{
    return (NbdConnect){.export = s->export,
                        .tls_creds = s->tls_creds,
                        .tls_hostname = s->tls_hostname,
                        .context = s->context};
}

static void co_receiver(void *opaque);

static bool co_connect(BlockNode *n, GError **error)
{
    NbdState *s = n->state;
    NbdConnect how = how_of(s);
    NbdInfo info = { 0 };
    CoChannel *c = co_nbd_client_connect(&s->place, error);

    if (!c) {
        return false;
    }
    if (!co_nbd_client_handshake(c, &how, &info, error)) {
        nbd_info_clear(&info);
        channel_free(c);
        return false;
    }
    if (s->info.size && info.size != s->info.size) {
        channel_free(c);
        return fail(error, "the export has changed its size");
    }
    nbd_info_clear(&s->info);
    s->info = info;
    s->channel = c;
    s->receiving = true;
    coroutine_start(co_receiver, n);
    return true;
}

static void finish(NbdCall *call)
{
    call->done = true;
    if (call->waiting) {
        coroutine_wake(call->co);
    }
}

static void fail_calls(NbdState *s)
{
    GHashTableIter it;
    void *value;

    g_hash_table_iter_init(&it, s->calls);
    while (g_hash_table_iter_next(&it, NULL, &value)) {
        NbdCall *call = value;

        call->ret = -EIO;
        call->connection_lost = true;
        finish(call);
    }
    g_hash_table_remove_all(s->calls);
}

static void lose(NbdState *s)
{
    if (s->channel) {
        channel_shutdown(s->channel);
    }
}

/* Tries again and again while there is time. */
static void co_reconnect(void *opaque)
{
    BlockNode *n = opaque;
    NbdState *s = n->state;

    while (!s->closing && clock_now_ns(CLOCK_RT) - s->lost_ns < (int64_t)s->reconnect_ns) {
        g_autoptr(GError) why = NULL;

        if (co_connect(n, &why)) {
            break;
        }
        co_sleep_ns(CLOCK_RT, RETRY_NS / 10);
    }
    s->connecting = false;
    co_queue_wake_all(&s->connected);
    if (s->closer) {
        coroutine_wake(s->closer);
    }
}

/* 0: there is a connection. */
static int co_need_connection(BlockNode *n)
{
    NbdState *s = n->state;

    if (s->channel && s->receiving) {
        return 0;
    }
    if (!s->reconnect_ns || s->closing) {
        return -EIO;
    }
    if (!s->connecting) {
        if (clock_now_ns(CLOCK_RT) - s->lost_ns >= (int64_t)s->reconnect_ns) {
            /* the time for waiting is over: one try for each request */
            s->lost_ns = clock_now_ns(CLOCK_RT) - (int64_t)s->reconnect_ns + 1000000;
        }
        s->connecting = true;
        coroutine_start(co_reconnect, n);
    }
    while (s->connecting) {
        co_queue_wait(&s->connected, NULL);
    }
    return s->channel && s->receiving ? 0 : -EIO;
}

/* ---- replies ---- */

static int from_wire(uint32_t error)
{
    switch (error) {
    case 0:
        return 0;
    case NBD_EPERM:
        return -EPERM;
    case NBD_EIO:
        return -EIO;
    case NBD_ENOMEM:
        return -ENOMEM;
    case NBD_ENOSPC:
        return -ENOSPC;
    case NBD_EOVERFLOW:
        return -EOVERFLOW;
    case NBD_ENOTSUP:
        return -ENOTSUP;
    case NBD_ESHUTDOWN:
        return -ESHUTDOWN;
    default:
        return -EINVAL;
    }
}

static bool co_skip(CoChannel *c, uint32_t len)
{
    uint8_t waste[4096];

    while (len > 0) {
        uint32_t now = MIN(len, sizeof(waste));

        if (co_channel_read(c, waste, now) <= 0) {
            return false;
        }
        len -= now;
    }
    return true;
}

/* A range of the reply within the request's; false: the server lies. */
static bool in_call(const NbdCall *call, uint64_t at, uint32_t len)
{
    return at >= call->offset && at - call->offset <= call->len &&
           len <= call->len - (at - call->offset);
}

static bool co_status_chunk(NbdState *s, NbdCall *call, uint32_t len)
{
    uint8_t raw[12];

    if (!call->extent || len < 12 || (len - 4) % 8 ||
        co_channel_read(s->channel, raw, sizeof(raw)) <= 0) {
        return false;
    }
    if (load_be32(raw) == s->info.context && !call->extent[0]) {
        call->extent[0] = load_be32(raw + 4);
        call->extent[1] = load_be32(raw + 8);
    }
    return co_skip(s->channel, len - 12);
}

static bool co_error_chunk(NbdState *s, NbdCall *call, uint32_t len)
{
    uint8_t raw[6];

    if (len < sizeof(raw) || co_channel_read(s->channel, raw, sizeof(raw)) <= 0) {
        return false;
    }
    call->ret = call->ret < 0 ? call->ret : from_wire(load_be32(raw));
    return call->ret < 0 && co_skip(s->channel, len - sizeof(raw));
}

/* The payload of a chunk; false: the connection is of no use any more. */
static bool co_chunk(NbdState *s, NbdCall *call, uint16_t type, uint32_t len)
{
    uint8_t raw[12];
    uint64_t at;

    switch (type) {
    case NBD_CHUNK_NONE:
        return len == 0;
    case NBD_CHUNK_DATA:
        if (!call->iov || len <= 8 || co_channel_read(s->channel, raw, 8) <= 0) {
            return false;
        }
        at = load_be64(raw);
        return in_call(call, at, len - 8) &&
               co_channel_readv(s->channel, call->iov, call->niov, at - call->offset, len - 8) > 0;
    case NBD_CHUNK_HOLE:
        if (!call->iov || len != 12 || co_channel_read(s->channel, raw, 12) <= 0) {
            return false;
        }
        at = load_be64(raw);
        if (!in_call(call, at, load_be32(raw + 8))) {
            return false;
        }
        iov_memset(call->iov, call->niov, at - call->offset, 0, load_be32(raw + 8));
        return true;
    case NBD_CHUNK_STATUS:
        return co_status_chunk(s, call, len);
    default:
        /* bit 15: kinds of errors, known or not */
        return type >> 15 && co_error_chunk(s, call, len);
    }
}

static bool co_one_reply(NbdState *s)
{
    uint8_t head[20];
    NbdCall *call;
    uint64_t cookie;
    bool last = true;

    if (co_channel_read(s->channel, head, 16) <= 0) {
        return false;
    }
    cookie = load_be64(head + 8);
    call = g_hash_table_lookup(s->calls, &cookie);
    if (!call) {
        return false;
    }
    if (load_be32(head) == NBD_SIMPLE_MAGIC) {
        call->ret = from_wire(load_be32(head + 4));
        if (call->ret == 0 && call->iov &&
            (s->info.structured ||
             co_channel_readv(s->channel, call->iov, call->niov, 0, call->len) <= 0)) {
            return false;
        }
    } else if (load_be32(head) == NBD_CHUNK_MAGIC && s->info.structured) {
        if (co_channel_read(s->channel, head + 16, 4) <= 0 || load_be32(head + 16) > MAX_CHUNK ||
            !co_chunk(s, call, load_be16(head + 6), load_be32(head + 16))) {
            return false;
        }
        last = load_be16(head + 4) & NBD_CHUNK_DONE;
    } else {
        return false;
    }
    if (last) {
        g_hash_table_remove(s->calls, &cookie);
        finish(call);
    }
    return true;
}

static void co_receiver(void *opaque)
{
    BlockNode *n = opaque;
    NbdState *s = n->state;

    while (co_one_reply(s)) {
    }
    s->receiving = false;
    s->lost_ns = clock_now_ns(CLOCK_RT);
    lose(s);
    fail_calls(s);
    /* a sender may still be in the channel: it is told, and leaves */
    co_mutex_lock(&s->send_lock);
    co_mutex_unlock(&s->send_lock);
    channel_free(s->channel);
    s->channel = NULL;
    if (s->closer) {
        coroutine_wake(s->closer);
    }
}

/* ---- requests ---- */

typedef struct NbdCommand {
    uint16_t type, flags;
    uint64_t offset;
    uint32_t len;
    const struct iovec *in, *out;   /* of a read, of a write */
    unsigned niov;
    uint32_t *extent;
} NbdCommand;

static int co_send(NbdState *s, const NbdCommand *cmd, uint64_t cookie)
{
    uint8_t head[NBD_REQUEST_SIZE];
    int ret;

    store_be32(head, NBD_REQUEST_MAGIC);
    store_be16(head + 4, cmd->flags);
    store_be16(head + 6, cmd->type);
    store_be64(head + 8, cookie);
    store_be64(head + 16, cmd->offset);
    store_be32(head + 24, cmd->len);
    co_mutex_lock(&s->send_lock);
    if (!s->channel || !s->receiving) {
        ret = -EIO;
    } else {
        ret = co_channel_write(s->channel, head, sizeof(head));
        if (ret == 0 && cmd->out) {
            ret = co_channel_writev(s->channel, cmd->out, cmd->niov);
        }
        if (ret < 0) {
            lose(s);
        }
    }
    co_mutex_unlock(&s->send_lock);
    return ret;
}

static int co_once(BlockNode *n, const NbdCommand *cmd, bool *lost)
{
    NbdState *s = n->state;
    NbdCall call = {.co = coroutine_self(),
                    .offset = cmd->offset,
                    .len = cmd->len,
                    .iov = cmd->in,
                    .niov = cmd->niov,
                    .extent = cmd->extent};
    uint64_t *cookie = g_new(uint64_t, 1);
    int ret = co_need_connection(n);

    *lost = false;
    if (ret < 0) {
        g_free(cookie);
        return ret;
    }
    *cookie = ++s->next_cookie;
    g_hash_table_insert(s->calls, cookie, &call);
    ret = co_send(s, cmd, *cookie);
    if (ret < 0 && !call.done && !s->receiving) {
        g_hash_table_remove(s->calls, cookie);
        *lost = true;
        return -EIO;
    }
    /* when sending has failed the receiver ends, too; until then it may write to our buffers */
    call.waiting = true;
    while (!call.done) {
        co_yield();
    }
    *lost = call.connection_lost;
    return call.ret;
}

/* Again over another connection, when there may be one: every command can be repeated. */
static int co_command(BlockNode *n, const NbdCommand *cmd)
{
    NbdState *s = n->state;
    bool lost;
    int ret;

    do {
        ret = co_once(n, cmd, &lost);
    } while (lost && s->reconnect_ns && !s->closing);
    return ret;
}

static int co_nbd_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    return co_command(n, &(NbdCommand){.type = NBD_CMD_READ,
                                       .offset = offset,
                                       .len = (uint32_t)bytes,
                                       .in = iov,
                                       .niov = niov});
}

static uint16_t fua(const NbdState *s, unsigned flags)
{
    return flags & BLOCK_FUA && s->info.flags & NBD_SEND_FUA ? NBD_FLAG_FUA : 0;
}

static int co_flush_command(BlockNode *n)
{
    NbdState *s = n->state;

    return s->info.flags & NBD_SEND_FLUSH ? co_command(n, &(NbdCommand){.type = NBD_CMD_FLUSH}) : 0;
}

/* What FUA means where the server does not know it. */
static int co_finish(BlockNode *n, int ret, unsigned flags)
{
    return ret == 0 && flags & BLOCK_FUA && !fua(n->state, flags) ? co_flush_command(n) : ret;
}

static int co_nbd_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    NbdState *s = n->state;
    NbdCommand cmd = {.type = NBD_CMD_WRITE,
                      .flags = fua(s, flags),
                      .offset = offset,
                      .len = (uint32_t)bytes,
                      .out = iov,
                      .niov = niov};

    return co_finish(n, co_command(n, &cmd), flags);
}

/* Long ranges in pieces that 32 bits hold. */
static int co_pieces(BlockNode *n, NbdCommand cmd, uint64_t bytes)
{
    int ret = 0;

    while (bytes > 0 && ret == 0) {
        cmd.len = (uint32_t)MIN(bytes, GIB);
        ret = co_command(n, &cmd);
        cmd.offset += cmd.len;
        bytes -= cmd.len;
    }
    return ret;
}

static int co_nbd_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    NbdState *s = n->state;
    NbdCommand cmd = { .type = NBD_CMD_ZEROES, .flags = fua(s, flags), .offset = offset };

    if (!(s->info.flags & NBD_SEND_ZEROES)) {
        return -ENOTSUP;
    }
    cmd.flags |= flags & BLOCK_MAY_UNMAP ? 0 : NBD_FLAG_NO_HOLE;
    if (flags & BLOCK_NO_FALLBACK) {
        if (!(s->info.flags & NBD_FAST_ZERO)) {
            return -ENOTSUP;
        }
        cmd.flags |= NBD_FLAG_FAST_ZERO;
    }
    return co_finish(n, co_pieces(n, cmd, bytes), flags);
}

static int co_nbd_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    NbdState *s = n->state;

    return s->info.flags & NBD_SEND_TRIM
               ? co_pieces(n, (NbdCommand){.type = NBD_CMD_TRIM, .offset = offset}, bytes)
               : 0;
}

static int co_nbd_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                         BlockStatus *st)
{
    NbdState *s = n->state;
    uint32_t extent[2] = { 0 };
    NbdCommand cmd = { .type = NBD_CMD_STATUS, .flags = NBD_FLAG_REQ_ONE, .offset = offset,
                       .len = (uint32_t)MIN(bytes, GIB), .extent = extent };
    int ret;

    *st = (BlockStatus){.flags = BLOCK_STATUS_DATA | BLOCK_STATUS_ALLOCATED | BLOCK_STATUS_OFFSET,
                        .bytes = bytes,
                        .map = offset,
                        .map_node = n};
    if (!s->info.has_context) {
        return 0;
    }
    ret = co_command(n, &cmd);
    if (ret < 0) {
        return ret;
    }
    if (extent[0] == 0) {
        return -EIO;
    }
    st->bytes = MIN(extent[0], bytes);
    /* another context than base:allocation: its state 0 shows as data, others as not */
    if (s->context) {
        st->flags = extent[1] ? BLOCK_STATUS_OFFSET
                              : BLOCK_STATUS_DATA | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
    } else {
        st->flags = BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED |
                    (extent[1] & NBD_STATE_HOLE ? 0 : BLOCK_STATUS_DATA) |
                    (extent[1] & NBD_STATE_ZERO ? BLOCK_STATUS_ZERO : 0);
    }
    return 0;
}

/* ---- opening ---- */

static char *dup_option(struct json_object *opts, const char *key, const char *flat)
{
    const char *v = opts_string(opts, key, NULL);

    return g_strdup(v || !flat ? v : opts_string(opts, flat, NULL));
}

static bool find_place(NbdState *s, struct json_object *opts, GError **error)
{
    const char *type = opts_string(opts, "server.type", NULL);

    s->host = dup_option(opts, "server.host", "host");
    s->port = dup_option(opts, "server.port", "port");
    s->path = dup_option(opts, "server.path", "path");
    s->fd = dup_option(opts, "server.str", NULL);
    if (!type && s->path && s->host) {
        return fail(error, "path and host may not be used at the same time");
    }
    type = type ? type : s->path ? "unix" : s->host ? "inet" : NULL;
    if (!type) {
        return fail(error, "NBD server address missing");
    }
    if (strcmp(type, "inet") == 0 && s->host) {
        s->port = s->port ? s->port : g_strdup(NBD_PORT);
        s->place = (SocketPlace){ .kind = SOCKET_INET, .host = s->host, .port = s->port };
    } else if (strcmp(type, "unix") == 0 && s->path) {
        s->place = (SocketPlace){ .kind = SOCKET_UNIX, .path = s->path };
    } else if (strcmp(type, "fd") == 0 && s->fd) {
        s->place = (SocketPlace){ .kind = SOCKET_FD, .fd = s->fd };
    } else {
        return fail(error, "the address of the NBD server is not complete: type '%s'", type);
    }
    return true;
}

static void free_state(NbdState *s)
{
    g_free(s->host);
    g_free(s->port);
    g_free(s->path);
    g_free(s->fd);
    g_free(s->export);
    g_free(s->tls_creds);
    g_free(s->tls_hostname);
    g_free(s->context);
    nbd_info_clear(&s->info);
    if (s->calls) {
        g_hash_table_destroy(s->calls);
    }
}

static bool co_first_connect(BlockNode *n, GError **error)
{
    NbdState *s = n->state;
    int64_t end = clock_now_ns(CLOCK_RT) + (int64_t)s->open_timeout_ns;

    while (!co_connect(n, error)) {
        if (clock_now_ns(CLOCK_RT) >= end) {
            return false;
        }
        g_clear_error(error);
        co_sleep_ns(CLOCK_RT, RETRY_NS / 10);
    }
    return true;
}

static void co_end(BlockNode *n)
{
    NbdState *s = n->state;

    s->closing = true;
    s->closer = coroutine_self();
    if (s->channel) {
        if (s->receiving) {
            co_send(s, &(NbdCommand){ .type = NBD_CMD_DISCONNECT }, 0);
        }
        lose(s);
    }
    while (s->channel || s->connecting) {
        co_yield();
    }
}

static void set_limits(BlockNode *n)
{
    NbdState *s = n->state;

    n->length = s->info.size;
    n->align = s->info.min_block ? s->info.min_block : 1;
    n->max_transfer = MIN(s->info.max_block ? s->info.max_block : NBD_MAX_BYTES, NBD_MAX_BYTES);
    n->max_transfer -= n->max_transfer % n->align;
    n->read_only |= (s->info.flags & NBD_READ_ONLY) != 0;
}

static bool check_limits(BlockNode *n, GError **error)
{
    NbdState *s = n->state;
    uint32_t least = s->info.min_block;

    if (s->info.size > INT64_MAX) {
        return fail(error, "the NBD export is too large");
    }
    if ((least & (least - 1)) || least > 64 * KIB ||
        (s->info.max_block && s->info.max_block < MAX(least, 1))) {
        return fail(error, "the block sizes of the NBD export make no sense: %u to %u", least,
                    s->info.max_block);
    }
    if ((s->info.flags & NBD_READ_ONLY) && !n->read_only &&
        !(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
        return fail(error, "request on denied: the NBD export is read-only");
    }
    return true;
}

static bool nbd_open(BlockNode *n, struct json_object *opts, GError **error)
{
    NbdState *s = n->state;

    s->export = g_strdup(opts_string(opts, "export", ""));
    s->tls_creds = dup_option(opts, "tls-creds", NULL);
    s->tls_hostname = dup_option(opts, "tls-hostname", NULL);
    s->context = dup_option(opts, "x-dirty-bitmap", NULL);
    s->reconnect_ns = opts_number(opts, "reconnect-delay", 0) * 1000000000ull;
    s->open_timeout_ns = opts_number(opts, "open-timeout", 0) * 1000000000ull;
    s->calls = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (strlen(s->export) > NBD_MAX_NAME) {
        free_state(s);
        return fail(error, "export name too long to send to server");
    }
    if (!find_place(s, opts, error) ||
        (s->tls_creds && !tls_creds_check(s->tls_creds, false, error))) {
        free_state(s);
        return false;
    }
    if (s->tls_creds && !s->tls_hostname && s->host) {
        s->tls_hostname = g_strdup(s->host);
    }
    if (!co_first_connect(n, error) || !check_limits(n, error)) {
        co_end(n);
        free_state(s);
        return false;
    }
    set_limits(n);
    g_free(n->filename);
    n->filename = s->path   ? g_strdup_printf("nbd+unix:///%s?socket=%s", s->export, s->path)
                  : s->host ? g_strdup_printf("nbd://%s:%s%s%s", s->host, s->port,
                                              s->export[0] ? "/" : "", s->export)
                            : g_strdup("nbd:");
    return true;
}

static void nbd_close(BlockNode *n)
{
    co_end(n);
    free_state(n->state);
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* nbd:HOST:PORT[:exportname=X], nbd:unix:PATH[:exportname=X] */
static bool parse_old(const char *text, struct json_object *opts, GError **error)
{
    const char *mark = strstr(text, ":exportname=");
    g_autofree char *place = mark ? g_strndup(text, (gsize)(mark - text)) : g_strdup(text);
    char *colon;

    if (mark) {
        put(opts, "export", mark + strlen(":exportname="));
    }
    if (g_str_has_prefix(place, "unix:")) {
        put(opts, "path", place + 5);
        return true;
    }
    colon = strrchr(place, ':');
    if (!colon || colon == place) {
        return fail(error, "No valid URL specified");
    }
    *colon = 0;
    put(opts, "host", place);
    put(opts, "port", colon + 1);
    return true;
}

/* nbd://HOST[:PORT][/EXPORT], nbd+unix:///EXPORT?socket=PATH */
static bool nbd_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    g_autoptr(GUri) uri = NULL;
    g_autoptr(GError) why = NULL;
    bool local = g_str_has_prefix(filename, "nbd+unix:");
    const char *path;

    if (g_str_has_prefix(filename, "nbd:") && !g_str_has_prefix(filename, "nbd://")) {
        return parse_old(filename + 4, opts, error);
    }
    uri = g_uri_parse(filename, G_URI_FLAGS_NONE, &why);
    if (!uri) {
        return fail(error, "Invalid URL '%s': %s", filename, why->message);
    }
    path = g_uri_get_path(uri);
    path += path[0] == '/';
    if (path[0]) {
        put(opts, "export", path);
    }
    if (local) {
        const char *query = g_uri_get_query(uri);
        g_autoptr(GHashTable) params =
            query ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
        const char *socket = params ? g_hash_table_lookup(params, "socket") : NULL;

        if (!socket || g_hash_table_size(params) != 1) {
            return fail(error, "'%s' names no socket", filename);
        }
        put(opts, "server.type", "unix");
        put(opts, "server.path", socket);
        return true;
    }
    if (!g_uri_get_host(uri) || !g_uri_get_host(uri)[0]) {
        return fail(error, "'%s' names no host", filename);
    }
    g_autofree char *port =
        g_uri_get_port(uri) > 0 ? g_strdup_printf("%d", g_uri_get_port(uri)) : g_strdup(NBD_PORT);

    put(opts, "server.type", "inet");
    put(opts, "server.host", g_uri_get_host(uri));
    put(opts, "server.port", port);
    return true;
}

static const OptDesc nbd_opts[] = {
    { "server.type", OPT_STRING, "kind of address" },
    { "server.host", OPT_STRING, "TCP host to connect to" }, { "server.port", OPT_STRING, "TCP port to connect to" },
    { "server.path", OPT_STRING, "Unix socket path to connect to" }, { "server.str", OPT_STRING, "descriptor of a socket" },
    { "server.*", OPT_STRING, "" },
    { "host", OPT_STRING, "TCP host to connect to" }, { "port", OPT_STRING, "TCP port to connect to" },
    { "path", OPT_STRING, "Unix socket path to connect to" },
    { "export", OPT_STRING, "Name of the NBD export to open" },
    { "tls-creds", OPT_STRING, "ID of the TLS credentials to use" },
    { "tls-hostname", OPT_STRING, "Override hostname for validating TLS x509 certificate" },
    { "x-dirty-bitmap", OPT_STRING, "experimental: expose named dirty bitmap in place of block status" },
    { "reconnect-delay", OPT_NUMBER, "seconds to wait for another connection" },
    { "open-timeout", OPT_NUMBER, "seconds to try to connect when opening" },
    { NULL },
};

static const char *const schemes[] = { "nbd", "nbd+tcp", "nbd+unix", NULL };

static const BlockDriver nbd_driver = {
    .name = "nbd", .desc = "network block device", .protocol = true, .schemes = schemes, .opts = nbd_opts,
    .state_size = sizeof(NbdState), .parse_filename = nbd_parse_filename, .open = nbd_open, .close = nbd_close,
    .co_preadv = co_nbd_preadv, .co_pwritev = co_nbd_pwritev, .co_flush = co_flush_command,
    .co_discard = co_nbd_discard, .co_write_zeroes = co_nbd_write_zeroes, .co_block_status = co_nbd_status,
};
BLOCK_DRIVER(nbd_driver);
