// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of NFS servers (libnfs), without mounting them here. Mounting and opening wait in a worker
 * thread; after that the library works in the main loop, and each request is one call with an
 * answer later.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <nfsc/libnfs.h>
#include <string.h>
#include <sys/stat.h>

#include "block/driver.h"
#include "block/net/library-watch.h"
#include "lazy/nfs.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"

#define MAX_TRANSFER (1 * MIB)

typedef struct NfsState {
    struct nfs_context *nfs;
    struct nfsfh *file;
    LibraryWatch watch;
    uint64_t blocks;            /* of 512 bytes on the server, when it was asked last */
} NfsState;

typedef struct NfsCall {
    Coroutine *co;
    bool ended;
    int ret;
    uint8_t *buf;               /* read: where data goes */
    size_t room;
} NfsCall;

static int library_fd(void *nfs)
{
    return nfs_get_fd(nfs);
}

static int library_events(void *nfs)
{
    return nfs_which_events(nfs);
}

static void library_service(void *nfs, int events)
{
    nfs_service(nfs, events);
}

static void call_ended(int status, struct nfs_context *nfs, void *data, void *opaque)
{
    NfsCall *c = opaque;

    c->ret = status;
    if (c->buf && status > 0) {
        memcpy(c->buf, data, MIN((size_t)status, c->room));
    }
    c->ended = true;
    coroutine_wake(c->co);
}

static int co_wait(NfsState *s, NfsCall *c, int started)
{
    if (started != 0) {
        return -EIO;
    }
    library_watch_update(&s->watch);
    while (!c->ended) {
        co_yield();
    }
    return c->ret;
}

/* ---- requests ---- */

static int co_nfs_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    NfsState *s = n->state;
    g_autofree uint8_t *buf = g_malloc(bytes);
    uint64_t done = 0;

    while (done < bytes) {
        NfsCall c = { .co = coroutine_self(), .buf = buf + done, .room = bytes - done };
        int ret = co_wait(
            s, &c, nfs_pread_async(s->nfs, s->file, offset + done, bytes - done, call_ended, &c));

        if (ret < 0) {
            return ret;
        }
        if (ret == 0) {
            memset(buf + done, 0, bytes - done);
            break;
        }
        done += (uint64_t)ret;
    }
    iov_from_buf(iov, niov, 0, buf, bytes);
    return 0;
}

static int co_nfs_flush(BlockNode *n)
{
    NfsState *s = n->state;
    NfsCall c = { .co = coroutine_self() };

    return co_wait(s, &c, nfs_fsync_async(s->nfs, s->file, call_ended, &c));
}

static int co_nfs_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    NfsState *s = n->state;
    g_autofree uint8_t *buf = g_malloc(bytes);
    uint64_t done = 0;

    iov_to_buf(iov, niov, 0, buf, bytes);
    while (done < bytes) {
        NfsCall c = { .co = coroutine_self() };
        int ret = co_wait(s, &c,
                          nfs_pwrite_async(s->nfs, s->file, offset + done, bytes - done, buf + done,
                                           call_ended, &c));

        if (ret <= 0) {
            return ret < 0 ? ret : -EIO;
        }
        done += (uint64_t)ret;
    }
    return flags & BLOCK_FUA ? co_nfs_flush(n) : 0;
}

static bool co_nfs_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    NfsState *s = n->state;
    NfsCall c = { .co = coroutine_self() };
    int ret;

    if (prealloc != PREALLOC_OFF) {
        return fail(error, "Unsupported preallocation mode");
    }
    ret = co_wait(s, &c, nfs_ftruncate_async(s->nfs, s->file, length, call_ended, &c));
    if (ret < 0) {
        return fail_errno(error, -ret, "Failed to truncate file");
    }
    n->length = (length + 511) & ~511ull;
    return true;
}

static int64_t nfs_allocated(BlockNode *n)
{
    return (int64_t)((NfsState *)n->state)->blocks * 512;
}

/* ---- opening ---- */

typedef struct Mount {
    struct nfs_context *nfs;
    const char *server, *folder, *file;
    int flags;                  /* of open; O_CREAT: made, and emptied */
    uint64_t create_bytes;
    struct nfsfh *fh;
    struct nfs_stat_64 st;
    GError *error;
} Mount;

static int mount_work(void *arg)
{
    Mount *m = arg;
    int ret = nfs_mount(m->nfs, m->server, m->folder);

    if (ret < 0) {
        fail(&m->error, "Failed to mount nfs share: %s", nfs_get_error(m->nfs));
        return -EIO;
    }
    ret = m->flags & O_CREAT ? nfs_creat(m->nfs, m->file, 0600, &m->fh)
                             : nfs_open(m->nfs, m->file, m->flags, &m->fh);
    if (ret == 0 && (m->flags & O_CREAT)) {
        ret = nfs_ftruncate(m->nfs, m->fh, m->create_bytes);
    }
    if (ret < 0) {
        fail(&m->error, "Failed to %s file: %s", m->flags & O_CREAT ? "create" : "open",
             nfs_get_error(m->nfs));
        return -EIO;
    }
    if (nfs_fstat64(m->nfs, m->fh, &m->st) < 0) {
        fail(&m->error, "Failed to fstat file: %s", nfs_get_error(m->nfs));
        return -EIO;
    }
    return 0;
}

static bool set_options(struct nfs_context *nfs, struct json_object *opts, GError **error)
{
    if (opts_has(opts, "user")) {
        nfs_set_uid(nfs, (int)opts_number(opts, "user", 0));
    }
    if (opts_has(opts, "group")) {
        nfs_set_gid(nfs, (int)opts_number(opts, "group", 0));
    }
    if (opts_has(opts, "tcp-syn-count")) {
        nfs_set_tcp_syncnt(nfs, (int)opts_number(opts, "tcp-syn-count", 0));
    }
    if (opts_number(opts, "readahead-size", 0) > MIB ||
        opts_number(opts, "page-cache-size", 0) > 2048) {
        return fail(
            error,
            "NFS: readahead-size must be at most 1 MiB and page-cache-size at most 2048 pages");
    }
    if (opts_has(opts, "readahead-size")) {
        nfs_set_readahead(nfs, (uint32_t)opts_number(opts, "readahead-size", 0));
        nfs_set_pagecache_ttl(nfs, 0);
    }
    if (opts_has(opts, "page-cache-size")) {
        nfs_set_pagecache(nfs, (uint32_t)opts_number(opts, "page-cache-size", 0));
        nfs_set_pagecache_ttl(nfs, 0);
    }
    nfs_set_debug(nfs, (int)MIN(opts_number(opts, "debug", 0), 2));
    nfs_set_autoreconnect(nfs, -1);
    return true;
}

/*
 * Ports and the version have no options of their own: they stand behind the host's name, as in
 * URLs.
 */
static bool mount_file(struct json_object *opts, Mount *m, GError **error)
{
    const char *host = opts_string(opts, "server.host", NULL),
               *path = opts_string(opts, "path", NULL);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *extra = opts_string(opts, "url-args", "");

    if (!host || !path) {
        return fail(error, "Parameter '%s' is missing", host ? "path" : "server");
    }
    if (!slash || !slash[1]) {
        return fail(error, "Invalid URL specified: path '%s' names no file", path);
    }
    g_autofree char *folder =
        slash == path ? g_strdup("/") : g_strndup(path, (size_t)(slash - path));

    if (!lazy_library_load(&lazy_nfs, error)) {
        return false;
    }
    m->nfs = nfs_init_context();
    if (!m->nfs) {
        return fail(error, "Failed to init NFS context");
    }
    if (*extra) {
        g_autofree char *url = g_strdup_printf("nfs://%s%s%s", host, path, extra);
        struct nfs_url *parsed = nfs_parse_url_full(m->nfs, url);

        if (parsed) {
            nfs_destroy_url(parsed);
        }
    }
    m->server = host;
    m->folder = folder;
    m->file = slash;
    bool good = set_options(m->nfs, opts, error);

    if (good && co_in_worker(mount_work, m) < 0) {
        g_propagate_error(error, g_steal_pointer(&m->error));
        good = false;
    }
    if (!good) {
        if (m->fh) {
            nfs_close(m->nfs, m->fh);
        }
        nfs_destroy_context(m->nfs);
    }
    return good;
}

static bool nfs_open_node(BlockNode *n, struct json_object *opts, GError **error)
{
    NfsState *s = n->state;
    Mount m = { .flags = n->read_only ? O_RDONLY : O_RDWR };

    if (!mount_file(opts, &m, error)) {
        return false;
    }
    s->nfs = m.nfs;
    s->file = m.fh;
    s->blocks = m.st.nfs_used / 512;
    n->length = (m.st.nfs_size + 511) & ~511ull;
    n->max_transfer = MAX_TRANSFER;
    s->watch = (LibraryWatch){.get_fd = library_fd,
                              .get_events = library_events,
                              .service = library_service,
                              .library = s->nfs};
    library_watch_update(&s->watch);
    g_free(n->filename);
    n->filename = g_strdup_printf("nfs://%s%s", opts_string(opts, "server.host", ""),
                                  opts_string(opts, "path", ""));
    return true;
}

static int close_work(void *arg)
{
    NfsState *s = arg;

    nfs_close(s->nfs, s->file);
    nfs_destroy_context(s->nfs);
    return 0;
}

static void nfs_close_node(BlockNode *n)
{
    NfsState *s = n->state;

    library_watch_stop(&s->watch);
    co_in_worker(close_work, s);
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/*
 * nfs://HOST/PATH?uid=N&gid=N&tcp-syncnt=N&readahead=N&pagecache=N&debug=N; others go to the
 * library.
 */
static bool nfs_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    static const char *const names[][2] = {{"uid", "user"},
                                           {"gid", "group"},
                                           {"tcp-syncnt", "tcp-syn-count"},
                                           {"readahead", "readahead-size"},
                                           {"pagecache", "page-cache-size"},
                                           {"debug", "debug"}};
    const char *rest = g_str_has_prefix(filename, "nfs://") ? filename + 6 : NULL;
    const char *slash = rest ? strchr(rest, '/') : NULL, *query = slash ? strchr(slash, '?') : NULL;
    g_autoptr(GString) extra = g_string_new(NULL);

    if (!slash || slash == rest) {
        return fail(error, "Invalid URI specified");
    }
    g_autofree char *host = g_strndup(rest, (size_t)(slash - rest)),
                    *path = query ? g_strndup(slash, (size_t)(query - slash)) : g_strdup(slash);
    g_auto(GStrv) args = g_strsplit(query ? query + 1 : "", "&", -1);
    struct json_object *server = json_object_new_object();

    put(server, "host", host);
    put(server, "type", "inet");
    json_object_object_add(opts, "server", server);
    put(opts, "path", path);
    for (char **a = args; *a; a++) {
        char *value = strchr(*a, '=');
        const char *option = NULL;

        if (!value) {
            return fail(error, "Did not expect something without value: %s", *a);
        }
        *value++ = 0;
        for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
            option = strcmp(*a, names[i][0]) == 0 ? names[i][1] : option;
        }
        if (option) {
            put(opts, option, value);
        } else if (strcmp(*a, "nfsport") == 0 || strcmp(*a, "mountport") == 0 ||
                   strcmp(*a, "version") == 0) {
            g_string_append_printf(extra, "%c%s=%s", extra->len ? '&' : '?', *a, value);
        } else {
            return fail(error, "Unknown NFS parameter name: %s", *a);
        }
    }
    if (extra->len) {
        put(opts, "url-args", extra->str);
    }
    return true;
}

static bool co_nfs_create(const char *filename, struct json_object *opts, GError **error)
{
    struct json_object *o = json_object_new_object();
    Mount m = { .flags = O_CREAT, .create_bytes = (opts_number(opts, "size", 0) + 511) & ~511ull };
    bool good = nfs_parse_filename(filename, o, error);

    if (good) {
        /* flat, as open() gets them */
        put(o, "server.host",
            json_object_get_string(
                json_object_object_get(json_object_object_get(o, "server"), "host")));
        good = mount_file(o, &m, error);
    }
    if (good) {
        NfsState s = { .nfs = m.nfs, .file = m.fh };

        co_in_worker(close_work, &s);
    }
    json_object_put(o);
    return good;
}

static const OptDesc nfs_opts[] = {
    { "server.host", OPT_STRING, "host of the server" }, { "server.type", OPT_STRING, "inet" },
    { "path", OPT_STRING, "path of the image on the host" }, { "user", OPT_NUMBER, "UID value to use when talking to the server" },
    { "group", OPT_NUMBER, "GID value to use when talking to the server" },
    { "tcp-syn-count", OPT_NUMBER, "number of SYNs during the session establishment" },
    { "readahead-size", OPT_NUMBER, "set the readahead size in bytes" },
    { "page-cache-size", OPT_NUMBER, "set the pagecache size in bytes" },
    { "debug", OPT_NUMBER, "set the NFS debug level (max 2)" }, { "url-args", OPT_STRING, "ports and version, of URLs" },
    { NULL },
};

static const OptDesc nfs_create_opts[] = { { "size", OPT_SIZE, "Virtual disk size" }, { NULL } };

static const BlockDriver nfs_driver = {
    .name = "nfs", .desc = "files of NFS servers", .protocol = true, .opts = nfs_opts, .state_size = sizeof(NfsState), .grows = true,
    .parse_filename = nfs_parse_filename, .open = nfs_open_node, .close = nfs_close_node, .co_preadv = co_nfs_preadv,
    .co_pwritev = co_nfs_pwritev, .co_flush = co_nfs_flush, .co_truncate = co_nfs_truncate, .allocated = nfs_allocated,
    .create_opts = nfs_create_opts, .co_create = co_nfs_create,
};
BLOCK_DRIVER(nfs_driver);
