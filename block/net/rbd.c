// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images of Ceph clusters (librados, librbd):
 * "rbd:POOL/[NAMESPACE/]IMAGE[@SNAPSHOT][:NAME=VALUE...]".
 * The libraries' calls wait, so each runs in a worker thread; an image may be used by several.
 * Not there: encryption by the library, block status.
 */
#include <errno.h>
#include <json-c/json.h>
#include <rados/librados.h>
#include <rbd/librbd.h>
#include <string.h>

#include "block/driver.h"
#include "lazy/rados.h"
#include "lazy/rbd.h"
#include "qom/secret.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"

#define MAX_SERVERS 16

typedef struct RbdState {
    rados_t cluster;
    rados_ioctx_t pool;
    rbd_image_t image;
    uint64_t object_bytes;
    CoMutex growing;
} RbdState;

/* ---- connecting ---- */

typedef struct Connect {
    const char *pool, *space, *image, *snapshot, *conf, *user, *pairs;
    char *key, *monitors;
    bool write;
    bool create;                /* an image is made */
    uint64_t size;              /* its bytes */
    int order;                  /* of its objects; 0: the cluster's */
    RbdState s;
    uint64_t length;
    GError *error;
    bool good;
} Connect;

static bool worked(Connect *c, int ret, const char *what)
{
    return ret >= 0 || fail_errno(&c->error, -ret, "%s", what);
}

/* NAME=VALUE pairs of the file name, with ':' between them. */
static bool set_pairs(Connect *c)
{
    g_auto(GStrv) pairs = g_strsplit(c->pairs ? c->pairs : "", "\n", -1);

    for (char **p = pairs; *p; p++) {
        char *value = strchr(*p, '=');

        if (value) {
            g_autofree char *what = g_strdup_printf("invalid conf option %.*s",
                                                    (int)(value - *p), *p);

            *value++ = 0;
            if (!worked(c, rados_conf_set(c->s.cluster, *p, value), what)) {
                return false;
            }
        }
    }
    return true;
}

static bool connect_cluster(Connect *c)
{
    return worked(c, rados_create(&c->s.cluster, c->user), "error initializing") &&
           (rados_conf_read_file(c->s.cluster, c->conf) >= 0 || !c->conf ||
            fail(&c->error, "error reading conf file %s", c->conf)) &&
           set_pairs(c) &&
           (!c->monitors || worked(c, rados_conf_set(c->s.cluster, "mon_host", c->monitors),
                                   "invalid servers")) &&
           (!c->key || worked(c, rados_conf_set(c->s.cluster, "key", c->key), "invalid key")) &&
           worked(c, rados_connect(c->s.cluster), "error connecting") &&
           worked(c, rados_ioctx_create(c->s.cluster, c->pool, &c->s.pool),
                  "error opening pool");
}

static void disconnect(RbdState *s)
{
    if (s->image) {
        rbd_close(s->image);
    }
    if (s->pool) {
        rados_ioctx_destroy(s->pool);
    }
    if (s->cluster) {
        rados_shutdown(s->cluster);
    }
    memset(s, 0, sizeof(*s));
}

static bool open_image(Connect *c)
{
    g_autofree char *what = g_strdup_printf("error reading header from %s", c->image);
    rbd_image_info_t info;
    bool good = worked(c, c->write ? rbd_open(c->s.pool, c->image, &c->s.image, c->snapshot)
                                   : rbd_open_read_only(c->s.pool, c->image, &c->s.image,
                                                        c->snapshot),
                       what) &&
                worked(c, rbd_stat(c->s.image, &info, sizeof(info)), what);

    if (good) {
        c->length = info.size;
        c->s.object_bytes = info.obj_size;
    }
    return good;
}

static int connect_work(void *arg)
{
    Connect *c = arg;

    c->good = lazy_library_load(&lazy_rados, &c->error) &&
              lazy_library_load(&lazy_rbd, &c->error) && connect_cluster(c);
    if (c->good && c->space) {
        rados_ioctx_set_namespace(c->s.pool, c->space);
    }
    if (c->good) {
        c->good = c->create ? worked(c, rbd_create(c->s.pool, c->image, c->size, &c->order),
                                     "error rbd create")
                            : open_image(c);
    }
    if (!c->good) {
        disconnect(&c->s);
    }
    return 0;
}

static int disconnect_work(void *arg)
{
    disconnect(arg);
    return 0;
}

/* ---- options ---- */

static char *monitors(struct json_object *opts)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < MAX_SERVERS; i++) {
        g_autofree char *host = g_strdup_printf("server.%u.host", i),
                        *port = g_strdup_printf("server.%u.port", i);

        if (opts_has(opts, host)) {
            g_string_append_printf(text, "%s%s:%s", text->len ? ";" : "",
                                   opts_string(opts, host, ""), opts_string(opts, port, "6789"));
        }
    }
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static bool take_options(Connect *c, struct json_object *opts, GError **error)
{
    const char *secret = opts_string(opts, "key-secret", NULL);

    c->pool = opts_string(opts, "pool", NULL);
    c->space = opts_string(opts, "namespace", NULL);
    c->image = opts_string(opts, "image", NULL);
    c->snapshot = opts_string(opts, "snapshot", NULL);
    c->conf = opts_string(opts, "conf", NULL);
    c->user = opts_string(opts, "user", NULL);
    c->pairs = opts_string(opts, "keyvalue-pairs", NULL);
    if (!c->pool || !c->image) {
        return fail(error, "Parameter '%s' is missing", c->pool ? "image" : "pool");
    }
    if (secret) {
        size_t len;
        const uint8_t *bytes = secret_bytes(secret, &len, error);

        if (!bytes) {
            return false;
        }
        c->key = g_base64_encode(bytes, len);
    }
    c->monitors = monitors(opts);
    return true;
}

static bool co_connect(Connect *c, struct json_object *opts, GError **error)
{
    if (take_options(c, opts, error)) {
        co_in_worker(connect_work, c);
        if (!c->good) {
            g_propagate_error(error, c->error);
        }
    }
    g_free(c->key);
    g_free(c->monitors);
    return c->good;
}

static char *rbd_name(const Connect *c)
{
    return g_strconcat("rbd:", c->pool, "/", c->space ? c->space : "", c->space ? "/" : "",
                       c->image, c->snapshot ? "@" : "", c->snapshot, NULL);
}

static bool rbd_node_open(BlockNode *n, struct json_object *opts, GError **error)
{
    RbdState *s = n->state;
    Connect c = { .write = !n->read_only };

    if (opts_has(opts, "snapshot") && !n->read_only) {
        return fail(error, "snapshot '%s' can only be read: read-only=on is needed",
                    opts_string(opts, "snapshot", ""));
    }
    if (!co_connect(&c, opts, error)) {
        return false;
    }
    *s = c.s;
    g_free(n->filename);
    n->filename = rbd_name(&c);
    n->length = c.length;
    n->align = 1;
    return true;
}

static void rbd_node_close(BlockNode *n)
{
    co_in_worker(disconnect_work, n->state);
}

/* ---- data ---- */

typedef struct Io {
    RbdState *s;
    uint64_t offset, bytes;
    uint8_t *buf;
} Io;

static int read_work(void *arg)
{
    Io *io = arg;

    for (uint64_t done = 0; done < io->bytes;) {
        ssize_t n = rbd_read(io->s->image, io->offset + done, io->bytes - done,
                             (char *)io->buf + done);

        if (n <= 0) {
            return n < 0 ? (int)n : -EIO;
        }
        done += (uint64_t)n;
    }
    return 0;
}

static int write_work(void *arg)
{
    Io *io = arg;

    for (uint64_t done = 0; done < io->bytes;) {
        ssize_t n = rbd_write(io->s->image, io->offset + done, io->bytes - done,
                              (const char *)io->buf + done);

        if (n <= 0) {
            return n < 0 ? (int)n : -EIO;
        }
        done += (uint64_t)n;
    }
    return 0;
}

static int flush_work(void *arg)
{
    return rbd_flush(((RbdState *)arg)->image);
}

static int discard_work(void *arg)
{
    Io *io = arg;
    int ret = rbd_discard(io->s->image, io->offset, io->bytes);

    return ret < 0 ? ret : 0;
}

static int resize_work(void *arg)
{
    Io *io = arg;

    return rbd_resize(io->s->image, io->bytes);
}

static int co_rbd_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    g_autofree uint8_t *buf = g_malloc(bytes);
    Io io = { n->state, offset, bytes, buf };
    int ret = co_in_worker(read_work, &io);

    if (ret == 0) {
        iov_from_buf(iov, niov, 0, buf, bytes);
    }
    return ret;
}

static int co_rbd_flush(BlockNode *n)
{
    return co_in_worker(flush_work, n->state);
}

/* Images do not grow by writes beyond their end. */
static int co_grow(BlockNode *n, uint64_t length)
{
    RbdState *s = n->state;
    int ret = 0;

    if (length <= n->length) {
        return 0;
    }
    co_mutex_lock(&s->growing);
    if (length > n->length) {
        Io io = { s, 0, length, NULL };

        ret = co_in_worker(resize_work, &io);
        n->length = ret < 0 ? n->length : length;
    }
    co_mutex_unlock(&s->growing);
    return ret;
}

static int co_rbd_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    g_autofree uint8_t *buf = g_malloc(bytes);
    Io io = { n->state, offset, bytes, buf };
    int ret;

    iov_to_buf(iov, niov, 0, buf, bytes);
    ret = co_grow(n, offset + bytes);
    ret = ret < 0 ? ret : co_in_worker(write_work, &io);
    return ret == 0 && flags & BLOCK_FUA ? co_rbd_flush(n) : ret;
}

static int co_rbd_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    Io io = { n->state, offset, bytes, NULL };

    return co_in_worker(discard_work, &io);
}

static bool co_rbd_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    Io io = { n->state, 0, length, NULL };
    int ret;

    if (prealloc != PREALLOC_OFF) {
        return fail(error, "Unsupported preallocation mode");
    }
    ret = co_in_worker(resize_work, &io);
    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to resize file");
    }
    n->length = length;
    return true;
}

static bool co_rbd_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    RbdState *s = n->state;

    info->cluster_size = s->object_bytes;
    return true;
}

/* ---- names ---- */

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* The text up to one of `ends`, where "\x" is x; *p goes behind it. *end: which one, 0 for none. */
static char *word(const char **p, const char *ends, char *end)
{
    GString *out = g_string_new(NULL);

    for (; **p && !strchr(ends, **p); (*p)++) {
        if (**p == '\\' && (*p)[1]) {
            (*p)++;
        }
        g_string_append_c(out, **p);
    }
    *end = **p;
    *p += *end != 0;
    return g_string_free(out, FALSE);
}

static bool parse_pairs(const char *p, char end, struct json_object *opts, GError **error)
{
    g_autoptr(GString) pairs = g_string_new(NULL);

    while (end == ':' && *p) {
        g_autofree char *name = word(&p, "=:", &end), *value = NULL;

        if (end != '=') {
            return fail(error, "conf option %s has no value", name);
        }
        value = word(&p, ":", &end);
        if (strcmp(name, "conf") == 0) {
            put(opts, "conf", value);
        } else if (strcmp(name, "id") == 0) {
            put(opts, "user", value);
        } else {
            g_string_append_printf(pairs, "%s=%s\n", name, value);
        }
    }
    if (pairs->len) {
        put(opts, "keyvalue-pairs", pairs->str);
    }
    return true;
}

static bool rbd_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    const char *p = filename + strlen("rbd:");
    g_autofree char *pool = NULL, *first = NULL;
    char end;

    if (!g_str_has_prefix(filename, "rbd:")) {
        return fail(error, "File name must start with 'rbd:'");
    }
    pool = word(&p, "/", &end);
    if (end != '/') {
        return fail(error, "Pool name is required");
    }
    put(opts, "pool", pool);
    first = word(&p, "/@:", &end);
    if (end == '/') {
        g_autofree char *image = word(&p, "@:", &end);

        put(opts, "namespace", first);
        put(opts, "image", image);
    } else {
        put(opts, "image", first);
    }
    if (end == '@') {
        g_autofree char *snapshot = word(&p, ":", &end);

        put(opts, "snapshot", snapshot);
    }
    return parse_pairs(p, end, opts, error);
}

static bool co_rbd_create(const char *filename, struct json_object *opts, GError **error)
{
    struct json_object *where = json_object_new_object();
    uint64_t objects = opts_number(opts, "cluster_size", 0);
    Connect c = { .create = true, .size = opts_number(opts, "size", 0) };
    bool good = rbd_parse_filename(filename, where, error);

    if (good && objects && (objects < 4096 || (objects & (objects - 1)))) {
        good = fail(error, "obj size too small, or not a power of 2");
    }
    if (good) {
        c.order = objects ? __builtin_ctzll(objects) : 0;
        good = co_connect(&c, where, error);
        co_in_worker(disconnect_work, &c.s);
    }
    json_object_put(where);
    return good;
}

static const OptDesc rbd_opts[] = {
    { "pool", OPT_STRING, "Rados pool name" }, { "namespace", OPT_STRING, "Rados namespace name in the pool" },
    { "image", OPT_STRING, "Image name in the pool" }, { "conf", OPT_STRING, "Rados config file location" },
    { "snapshot", OPT_STRING, "Ceph snapshot name" }, { "user", OPT_STRING, "Rados id name" },
    { "key-secret", OPT_STRING, "ID of secret providing a password" },
    { "keyvalue-pairs", OPT_STRING, "settings of file names, a line each" }, { "server.*", OPT_STRING, "monitors" },
    { NULL },
};

static const OptDesc rbd_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" }, { "cluster_size", OPT_SIZE, "RBD object size" }, { NULL },
};

static const BlockDriver rbd_driver = {
    .name = "rbd", .desc = "images of Ceph clusters", .protocol = true, .grows = true, .opts = rbd_opts,
    .state_size = sizeof(RbdState),
    .parse_filename = rbd_parse_filename, .open = rbd_node_open, .close = rbd_node_close, .co_preadv = co_rbd_preadv,
    .co_pwritev = co_rbd_pwritev, .co_flush = co_rbd_flush, .co_discard = co_rbd_discard, .co_truncate = co_rbd_truncate,
    .co_info = co_rbd_info, .create_opts = rbd_create_opts, .co_create = co_rbd_create,
};
BLOCK_DRIVER(rbd_driver);
