// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of Gluster volumes (libgfapi):
 * "gluster[+TRANSPORT]://[HOST[:PORT]]/VOLUME/PATH[?socket=PATH]".
 * The library's calls wait, so each runs in a worker thread; a file may be used by several.
 */
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>

#include "block/driver.h"
#include "lazy/gluster.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"

#define DEFAULT_PORT 24007
#define MAX_SERVERS 16
#define DEBUG_DEFAULT 4
#define DEBUG_MAX 9

typedef struct GlusterState {
    glfs_t *fs;
    glfs_fd_t *fd;
} GlusterState;

/* ---- opening ---- */

typedef struct Connect {
    struct json_object *opts;   /* flat */
    int flags;                  /* of open() */
    uint64_t size;              /* of a file that is made */
    GlusterState s;
    uint64_t length;
    GError *error;
    bool good;
} Connect;

static bool failed(Connect *c, const char *what)
{
    return fail_errno(&c->error, errno ? errno : EINVAL, "Gluster: %s", what);
}

/* Each one is tried by the library until one answers. */
static bool set_servers(Connect *c)
{
    unsigned found = 0;

    for (unsigned i = 0; i < MAX_SERVERS; i++) {
        g_autofree char *type_key = g_strdup_printf("server.%u.type", i),
                        *host_key = g_strdup_printf("server.%u.host", i),
                        *port_key = g_strdup_printf("server.%u.port", i),
                        *path_key = g_strdup_printf("server.%u.path", i);
        const char *type = opts_string(c->opts, type_key, "inet"), *path, *host;
        bool local = strcmp(type, "unix") == 0;
        uint64_t port = DEFAULT_PORT;

        path = opts_string(c->opts, path_key, NULL);
        host = opts_string(c->opts, host_key, NULL);
        if (!path && !host) {
            continue;
        }
        if ((!local && strcmp(type, "inet") != 0 && strcmp(type, "tcp") != 0) ||
            (local ? !path : !host)) {
            return fail(&c->error, "server.%u: type '%s' needs another address", i, type);
        }
        if (!local && (!parse_u64(opts_string(c->opts, port_key, "24007"), &port) ||
                       port > 65535)) {
            return fail(&c->error, "server.%u: '%s' is no port", i,
                        opts_string(c->opts, port_key, ""));
        }
        if (glfs_set_volfile_server(c->s.fs, local ? "unix" : "tcp", local ? path : host,
                                    local ? 0 : (int)port) < 0) {
            return failed(c, "cannot set the server");
        }
        found++;
    }
    return found || fail(&c->error, "Parameter 'server' is missing");
}

static bool open_file(Connect *c)
{
    const char *path = opts_string(c->opts, "path", NULL);
    struct stat st;

    c->s.fd = c->flags & O_CREAT ? glfs_creat(c->s.fs, path, c->flags & ~O_CREAT, 0644)
                                 : glfs_open(c->s.fs, path, c->flags);
    if (!c->s.fd) {
        return failed(c, path);
    }
    if (c->flags & O_CREAT && c->size && glfs_ftruncate(c->s.fd, (off_t)c->size, NULL, NULL) < 0) {
        return failed(c, "could not resize file");
    }
    if (glfs_fstat(c->s.fd, &st) < 0) {
        return failed(c, "cannot tell the size of the file");
    }
    c->length = (uint64_t)st.st_size;
    return true;
}

static void disconnect(GlusterState *s)
{
    if (s->fd) {
        glfs_close(s->fd);
    }
    if (s->fs) {
        glfs_fini(s->fs);
    }
    memset(s, 0, sizeof(*s));
}

static int connect_work(void *arg)
{
    Connect *c = arg;
    const char *volume = opts_string(c->opts, "volume", NULL);
    uint64_t debug = opts_number(c->opts, "debug", DEBUG_DEFAULT);

    if (!volume || !opts_string(c->opts, "path", NULL)) {
        fail(&c->error, "Parameter '%s' is missing", volume ? "path" : "volume");
        return 0;
    }
    if (!lazy_library_load(&lazy_gluster, &c->error)) {
        return 0;
    }
    c->s.fs = glfs_new(volume);
    c->good = (c->s.fs || failed(c, "no memory")) && set_servers(c) &&
              (glfs_set_logging(c->s.fs, opts_string(c->opts, "logfile", "-"),
                                (int)MIN(debug, DEBUG_MAX)) >= 0 ||
               failed(c, "cannot log")) &&
              (glfs_init(c->s.fs) >= 0 || failed(c, "connection to the volume failed")) &&
              open_file(c);
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

static bool co_connect(Connect *c, GError **error)
{
    co_in_worker(connect_work, c);
    if (!c->good) {
        g_propagate_error(error, c->error);
    }
    return c->good;
}

static char *gluster_name(struct json_object *opts)
{
    const char *volume = opts_string(opts, "volume", ""), *path = opts_string(opts, "path", "");

    return opts_has(opts, "server.0.path")
               ? g_strdup_printf("gluster+unix:///%s/%s?socket=%s", volume, path,
                                 opts_string(opts, "server.0.path", ""))
               : g_strdup_printf("gluster://%s:%s/%s/%s", opts_string(opts, "server.0.host", ""),
                                 opts_string(opts, "server.0.port", "24007"), volume, path);
}

static bool gluster_open(BlockNode *n, struct json_object *opts, GError **error)
{
    Connect c = { .opts = opts, .flags = n->read_only ? O_RDONLY : O_RDWR };

    if (!co_connect(&c, error)) {
        return false;
    }
    *(GlusterState *)n->state = c.s;
    g_free(n->filename);
    n->filename = gluster_name(opts);
    n->length = c.length;
    n->align = 1;
    return true;
}

static void gluster_close(BlockNode *n)
{
    co_in_worker(disconnect_work, n->state);
}

/* ---- data ---- */

typedef struct Io {
    GlusterState *s;
    uint64_t offset, bytes;
    uint8_t *buf;
    bool write;
} Io;

/* All of it; what lies beyond the end of the file is zero. */
static int move_work(void *arg)
{
    Io *io = arg;

    for (uint64_t done = 0; done < io->bytes;) {
        off_t at = (off_t)(io->offset + done);
        ssize_t n = io->write ? glfs_pwrite(io->s->fd, io->buf + done, io->bytes - done, at, 0,
                                            NULL, NULL)
                              : glfs_pread(io->s->fd, io->buf + done, io->bytes - done, at, 0,
                                           NULL);

        if (n < 0) {
            return errno ? -errno : -EIO;
        }
        if (n == 0 && io->write) {
            return -EIO;
        }
        if (n == 0) {
            memset(io->buf + done, 0, io->bytes - done);
            break;
        }
        done += (uint64_t)n;
    }
    return 0;
}

static int result(int ret)
{
    return ret < 0 ? (errno ? -errno : -EIO) : 0;
}

static int flush_work(void *arg)
{
    return result(glfs_fsync(((GlusterState *)arg)->fd, NULL, NULL));
}

static int discard_work(void *arg)
{
    Io *io = arg;

    return result(glfs_discard(io->s->fd, (off_t)io->offset, io->bytes));
}

static int resize_work(void *arg)
{
    Io *io = arg;

    return result(glfs_ftruncate(io->s->fd, (off_t)io->bytes, NULL, NULL));
}

static int co_gluster_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                             unsigned niov)
{
    g_autofree uint8_t *buf = g_malloc(bytes);
    Io io = { n->state, offset, bytes, buf, false };
    int ret = co_in_worker(move_work, &io);

    if (ret == 0) {
        iov_from_buf(iov, niov, 0, buf, bytes);
    }
    return ret;
}

static int co_gluster_flush(BlockNode *n)
{
    return co_in_worker(flush_work, n->state);
}

static int co_gluster_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes,
                              const struct iovec *iov, unsigned niov, unsigned flags)
{
    g_autofree uint8_t *buf = g_malloc(bytes);
    Io io = { n->state, offset, bytes, buf, true };
    int ret;

    iov_to_buf(iov, niov, 0, buf, bytes);
    ret = co_in_worker(move_work, &io);
    return ret == 0 && flags & BLOCK_FUA ? co_gluster_flush(n) : ret;
}

static int co_gluster_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    Io io = { n->state, offset, bytes, NULL, false };

    return co_in_worker(discard_work, &io);
}

static bool co_gluster_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc,
                                GError **error)
{
    Io io = { n->state, 0, length, NULL, false };
    int ret;

    if (prealloc != PREALLOC_OFF) {
        return fail(error, "Unsupported preallocation mode");
    }
    ret = co_in_worker(resize_work, &io);
    if (ret < 0) {
        return fail_errno(error, -ret, "Could not resize file");
    }
    n->length = length;
    return true;
}

/* ---- names ---- */

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static bool put_server(GUri *uri, const char *transport, struct json_object *opts, GError **error)
{
    const char *query = g_uri_get_query(uri), *host = g_uri_get_host(uri);
    g_autofree char *port = g_strdup_printf("%d", g_uri_get_port(uri) > 0 ? g_uri_get_port(uri)
                                                                          : DEFAULT_PORT);

    if (strcmp(transport, "unix") == 0) {
        if (!query || !g_str_has_prefix(query, "socket=") || !query[7]) {
            return fail(error, "gluster+unix: '?socket=PATH' is missing");
        }
        put(opts, "server.0.type", "unix");
        put(opts, "server.0.path", query + 7);
        return true;
    }
    if (query) {
        return fail(error, "gluster: '?%s' has no meaning without unix", query);
    }
    put(opts, "server.0.type", "inet");
    put(opts, "server.0.host", host && *host ? host : "localhost");
    put(opts, "server.0.port", port);
    return true;
}

static bool gluster_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GUri) uri = g_uri_parse(filename, G_URI_FLAGS_NON_DNS, &why);
    const char *plus = uri ? strchr(g_uri_get_scheme(uri), '+') : NULL, *slash;
    const char *transport = plus ? plus + 1 : "tcp";

    if (!uri) {
        return fail(error, "Invalid URI '%s': %s", filename, why->message);
    }
    if (strcmp(transport, "tcp") != 0 && strcmp(transport, "unix") != 0 &&
        strcmp(transport, "rdma") != 0) {
        return fail(error, "gluster: unknown transport '%s'", transport);
    }
    slash = g_uri_get_path(uri)[0] == '/' ? strchr(g_uri_get_path(uri) + 1, '/') : NULL;
    if (!slash || slash == g_uri_get_path(uri) + 1 || !slash[1]) {
        return fail(error, "Invalid URI '%s': a volume and a path are needed", filename);
    }
    g_autofree char *volume = g_strndup(g_uri_get_path(uri) + 1,
                                        (size_t)(slash - g_uri_get_path(uri) - 1));

    put(opts, "volume", volume);
    put(opts, "path", slash + 1);
    return put_server(uri, transport, opts, error);
}

static bool co_gluster_create(const char *filename, struct json_object *opts, GError **error)
{
    struct json_object *where = json_object_new_object();
    Connect c = { .opts = where, .flags = O_RDWR | O_CREAT | O_TRUNC,
                  .size = opts_number(opts, "size", 0) };
    bool good = gluster_parse_filename(filename, where, error) && co_connect(&c, error);

    co_in_worker(disconnect_work, &c.s);
    json_object_put(where);
    return good;
}

static const OptDesc gluster_opts[] = {
    { "volume", OPT_STRING, "name of gluster volume where VM image resides" },
    { "path", OPT_STRING, "absolute path to image file in gluster volume" },
    { "server.*", OPT_STRING, "type, host and port, or path, of each server" },
    { "debug", OPT_NUMBER, "Gluster log level, valid range is 0-9" },
    { "logfile", OPT_STRING, "Gluster log file location" },
    { NULL },
};

static const OptDesc gluster_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" }, { NULL },
};

static const char *const gluster_schemes[] = {
    "gluster", "gluster+tcp", "gluster+unix", "gluster+rdma", NULL,
};

static const BlockDriver gluster_driver = {
    .name = "gluster", .desc = "files of Gluster volumes", .protocol = true, .grows = true, .schemes = gluster_schemes,
    .opts = gluster_opts, .state_size = sizeof(GlusterState), .parse_filename = gluster_parse_filename,
    .open = gluster_open, .close = gluster_close, .co_preadv = co_gluster_preadv, .co_pwritev = co_gluster_pwritev,
    .co_flush = co_gluster_flush, .co_discard = co_gluster_discard, .co_truncate = co_gluster_truncate,
    .create_opts = gluster_create_opts, .co_create = co_gluster_create,
};
BLOCK_DRIVER(gluster_driver);
