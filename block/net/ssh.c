// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks on another host, by SFTP (libssh). libssh waits for the network, so that every call runs in
 * a worker thread, one at a time for a session; reads are sent ahead of their answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <string.h>

#include "block/driver.h"
#include "lazy/ssh.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"

#define PIECE (32 * KIB)
#define AHEAD 16u
#define WRITE_PIECE (128 * KIB)

typedef struct SshTarget {
    const char *host, *user, *path;
    unsigned port;
    const char *mode, *hash_type, *hash;
} SshTarget;

typedef struct SshState {
    ssh_session session;
    sftp_session sftp;
    sftp_file file;
    bool fsync;
    CoMutex lock;
} SshState;

/* ---- the session; in worker threads ---- */

static bool session_fail(ssh_session s, GError **error, const char *what)
{
    return fail(error, "%s: %s (libssh error code: %d)", what, ssh_get_error(s),
                ssh_get_error_code(s));
}

static bool sftp_fail(SshState *s, GError **error, const char *what, const char *path)
{
    int code = s->sftp ? sftp_get_error(s->sftp) : 0;

    switch (code) {
    case SSH_FX_NO_SUCH_FILE:
    case SSH_FX_NO_SUCH_PATH:
        return fail(
            error,
            "%s '%s': No such file or directory (libssh error code: %d, sftp error code: %d)", what,
            path, ssh_get_error_code(s->session), code);
    case SSH_FX_PERMISSION_DENIED:
        return fail(error,
                    "%s '%s': Permission denied (libssh error code: %d, sftp error code: %d)", what,
                    path, ssh_get_error_code(s->session), code);
    default:
        return fail(error, "%s '%s': %s (libssh error code: %d, sftp error code: %d)", what, path,
                    ssh_get_error(s->session), ssh_get_error_code(s->session), code);
    }
}

/* Hexadecimal digits, with colons between them or not, equal to the bytes. */
static bool same_hash(const char *text, const uint8_t *hash, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high, low;

        while (*text == ':') {
            text++;
        }
        high = g_ascii_xdigit_value(text[0]);
        low = high < 0 ? -1 : g_ascii_xdigit_value(text[1]);
        if (low < 0 || (high << 4 | low) != hash[i]) {
            return false;
        }
        text += 2;
    }
    return *text == 0;
}

static bool check_hash(ssh_session s, const SshTarget *t, GError **error)
{
    const char *type = t->hash_type ? t->hash_type : "";
    enum ssh_publickey_hash_type kind = SSH_PUBLICKEY_HASH_SHA256;
    ssh_key key = NULL;
    uint8_t *hash = NULL;
    size_t len;
    bool good;

    if (strcmp(type, "md5") == 0) {
        kind = SSH_PUBLICKEY_HASH_MD5;
    } else if (strcmp(type, "sha1") == 0) {
        kind = SSH_PUBLICKEY_HASH_SHA1;
    } else if (strcmp(type, "sha256") != 0 || !t->hash) {
        return fail(error,
                    "host-key-check.type must be md5, sha1 or sha256, with host-key-check.hash");
    }
    if (ssh_get_server_publickey(s, &key) != SSH_OK) {
        return session_fail(s, error, "failed to read remote host key");
    }
    if (ssh_get_publickey_hash(key, kind, &hash, &len) != 0) {
        ssh_key_free(key);
        return session_fail(s, error, "failed reading the hash of the server SSH key");
    }
    good = same_hash(t->hash, hash, len);
    if (!good) {
        g_autofree char *text = ssh_get_hexa(hash, len);

        fail(error, "remote host key fingerprint '%s:%s' does not match host_key_check '%s:%s'",
             type, text ? text : "", type, t->hash);
    }
    ssh_clean_pubkey_hash(&hash);
    ssh_key_free(key);
    return good;
}

static bool check_known(ssh_session s, GError **error)
{
    switch (ssh_session_is_known_server(s)) {
    case SSH_KNOWN_HOSTS_OK:
        return true;
    case SSH_KNOWN_HOSTS_CHANGED:
        return fail(
            error, "host key does not match the one in known_hosts; this may be a possible attack");
    case SSH_KNOWN_HOSTS_OTHER:
        return fail(error, "host key for this server not found, another type exists");
    case SSH_KNOWN_HOSTS_UNKNOWN:
        return fail(error, "no host key was found in known_hosts");
    case SSH_KNOWN_HOSTS_NOT_FOUND:
        return fail(error, "known_hosts file not found");
    default:
        return session_fail(s, error, "error while checking the host");
    }
}

static bool check_host(ssh_session s, const SshTarget *t, GError **error)
{
    if (strcmp(t->mode, "none") == 0) {
        return true;
    }
    if (strcmp(t->mode, "hash") == 0) {
        return check_hash(s, t, error);
    }
    return strcmp(t->mode, "known_hosts") == 0
               ? check_known(s, error)
               : fail(error, "Parameter 'host-key-check.mode' does not accept value '%s'", t->mode);
}

static bool authenticate(ssh_session s, GError **error)
{
    int ret = ssh_userauth_none(s, NULL), methods;

    if (ret == SSH_AUTH_SUCCESS) {
        return true;
    }
    if (ret == SSH_AUTH_ERROR) {
        return session_fail(s, error, "failed to authenticate using none authentication");
    }
    methods = ssh_userauth_list(s, NULL);
    if ((methods & SSH_AUTH_METHOD_PUBLICKEY) &&
        ssh_userauth_publickey_auto(s, NULL, NULL) == SSH_AUTH_SUCCESS) {
        return true;
    }
    return fail(error, "failed to authenticate using publickey authentication and the identities "
                       "held by your ssh-agent");
}

static void disconnect(SshState *s)
{
    if (s->file) {
        sftp_close(s->file);
    }
    if (s->sftp) {
        sftp_free(s->sftp);
    }
    if (s->session) {
        ssh_disconnect(s->session);
        ssh_free(s->session);
    }
    s->file = NULL;
    s->sftp = NULL;
    s->session = NULL;
}

static bool start_session(SshState *s, const SshTarget *t, GError **error)
{
    int zero = 0, nodelay = 1;

    s->session = ssh_new();
    if (!s->session) {
        return fail(error, "failed to initialize libssh session");
    }
    ssh_options_set(s->session, SSH_OPTIONS_HOST, t->host);
    ssh_options_set(s->session, SSH_OPTIONS_PORT, &t->port);
    if (t->user) {
        ssh_options_set(s->session, SSH_OPTIONS_USER, t->user);
    }
    ssh_options_set(s->session, SSH_OPTIONS_LOG_VERBOSITY, &zero);
    ssh_options_set(s->session, SSH_OPTIONS_NODELAY, &nodelay);
    ssh_options_set(s->session, SSH_OPTIONS_COMPRESSION, "none");
    ssh_options_parse_config(s->session, NULL);
    if (ssh_connect(s->session) != SSH_OK) {
        return session_fail(s->session, error, "failed to establish SSH session");
    }
    if (!check_host(s->session, t, error) || !authenticate(s->session, error)) {
        return false;
    }
    s->sftp = sftp_new(s->session);
    if (!s->sftp || sftp_init(s->sftp) < 0) {
        return session_fail(s->session, error, "failed to initialize sftp handle");
    }
    return true;
}

typedef struct Opening {
    SshState *s;
    const SshTarget *target;
    int flags;
    uint64_t size;
    GError *error;
    bool good;
} Opening;

static int open_work(void *arg)
{
    Opening *o = arg;
    SshState *s = o->s;
    sftp_attributes a;

    if (!start_session(s, o->target, &o->error)) {
        disconnect(s);
        return 0;
    }
    s->file = sftp_open(s->sftp, o->target->path, o->flags, 0644);
    if (!s->file) {
        sftp_fail(s, &o->error, "failed to open remote file", o->target->path);
        disconnect(s);
        return 0;
    }
    a = sftp_fstat(s->file);
    if (!a) {
        sftp_fail(s, &o->error, "failed to read file attributes of", o->target->path);
        disconnect(s);
        return 0;
    }
    o->size = a->size;
    sftp_attributes_free(a);
    s->fsync = sftp_extension_supported(s->sftp, "fsync@openssh.com", "1");
    o->good = true;
    return 0;
}

/* ---- data ---- */

typedef struct SshIo {
    SshState *s;
    uint64_t offset;
    uint8_t *buf;
    size_t len;
} SshIo;

static int read_some(SshIo *io)
{
    size_t asked = 0, done = 0, first = 0, count = 0;
    uint32_t ids[AHEAD];
    size_t lens[AHEAD];

    if (sftp_seek64(io->s->file, io->offset) < 0) {
        return -EIO;
    }
    while (done < io->len) {
        ssize_t got;

        while (count < AHEAD && asked < io->len) {
            size_t now = MIN(io->len - asked, PIECE), slot = (first + count) % AHEAD;
            int id = sftp_async_read_begin(io->s->file, (uint32_t)now);

            if (id < 0) {
                return -EIO;
            }
            ids[slot] = (uint32_t)id;
            lens[slot] = now;
            asked += now;
            count++;
        }
        got = sftp_async_read(io->s->file, io->buf + done, (uint32_t)lens[first], ids[first]);
        if (got < 0) {
            return -EIO;
        }
        if ((size_t)got < lens[first]) {
            /*
             * shorter than asked for: what was sent ahead lies elsewhere. Collect it, and go on
             * from here
             */
            size_t from = done + (size_t)got;

            for (count--, first = (first + 1) % AHEAD; count > 0;
                 count--, first = (first + 1) % AHEAD) {
                uint8_t waste[PIECE];

                sftp_async_read(io->s->file, waste, (uint32_t)lens[first], ids[first]);
            }
            if (got == 0) {
                memset(io->buf + done, 0, io->len - done);
                return 0;
            }
            *io = (SshIo){ io->s, io->offset + from, io->buf + from, io->len - from };
            return 1;
        }
        done += (size_t)got;
        count--;
        first = (first + 1) % AHEAD;
    }
    return 0;
}

static int read_work(void *arg)
{
    int ret;

    do {
        ret = read_some(arg);
    } while (ret > 0);
    return ret;
}

static int write_work(void *arg)
{
    SshIo *io = arg;

    if (sftp_seek64(io->s->file, io->offset) < 0) {
        return -EIO;
    }
    for (size_t done = 0; done < io->len;) {
        ssize_t put = sftp_write(io->s->file, io->buf + done, MIN(io->len - done, WRITE_PIECE));

        if (put <= 0) {
            return -EIO;
        }
        done += (size_t)put;
    }
    return 0;
}

static int sync_work(void *arg)
{
    return sftp_fsync(((SshState *)arg)->file) < 0 ? -EIO : 0;
}

static int co_locked(SshState *s, int (*fn)(void *arg), void *arg)
{
    int ret;

    co_mutex_lock(&s->lock);
    ret = co_in_worker(fn, arg);
    co_mutex_unlock(&s->lock);
    return ret;
}

static int co_ssh_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    SshState *s = n->state;
    g_autofree uint8_t *buf = g_malloc(bytes);
    SshIo io = { s, offset, buf, bytes };
    int ret = co_locked(s, read_work, &io);

    if (ret == 0) {
        iov_from_buf(iov, niov, 0, buf, bytes);
    }
    return ret;
}

static int co_ssh_flush(BlockNode *n)
{
    SshState *s = n->state;

    return s->fsync ? co_locked(s, sync_work, s) : 0;
}

static int co_ssh_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    SshState *s = n->state;
    g_autofree uint8_t *buf = g_malloc(bytes);
    SshIo io = { s, offset, buf, bytes };
    int ret;

    iov_to_buf(iov, niov, 0, buf, bytes);
    ret = co_locked(s, write_work, &io);
    return ret == 0 && flags & BLOCK_FUA ? co_ssh_flush(n) : ret;
}

static bool co_ssh_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    SshState *s = n->state;
    SshIo io = { s, length - 1, (uint8_t *)"", 1 };

    if (prealloc != PREALLOC_OFF) {
        return fail(error, "Unsupported preallocation mode");
    }
    if (length < n->length) {
        return fail(error, "ssh driver does not support shrinking files");
    }
    if (length > n->length) {
        int ret = co_locked(s, write_work, &io);

        if (ret < 0) {
            return fail_errno(error, -ret, "Failed to grow file");
        }
    }
    n->length = length;
    return true;
}

/* ---- options ---- */

static bool find_target(struct json_object *opts, SshTarget *t, GError **error)
{
    const char *port = opts_string(opts, "server.port", opts_string(opts, "port", "22"));
    uint64_t number;

    t->host = opts_string(opts, "server.host", opts_string(opts, "host", NULL));
    t->user = opts_string(opts, "user", NULL);
    t->user = t->user ? t->user : g_get_user_name();
    t->path = opts_string(opts, "path", NULL);
    t->mode = opts_string(opts, "host-key-check.mode", "known_hosts");
    t->hash_type = opts_string(opts, "host-key-check.type", NULL);
    t->hash = opts_string(opts, "host-key-check.hash", NULL);
    if (!t->path) {
        return fail(error, "Parameter 'path' is missing");
    }
    if (!t->host) {
        return fail(error, "Parameter 'server.host' is missing");
    }
    if (!parse_u64(port, &number) || number == 0 || number > UINT16_MAX) {
        return fail(error, "Use only numeric port value");
    }
    t->port = (unsigned)number;
    return true;
}

static bool co_open(SshState *s, const SshTarget *t, int flags, uint64_t *size, GError **error)
{
    Opening o = { .s = s, .target = t, .flags = flags };

    if (!lazy_library_load(&lazy_ssh, error)) {
        return false;
    }
    co_in_worker(open_work, &o);
    if (!o.good) {
        if (o.error) {
            g_propagate_error(error, o.error);
        } else {
            fail(error, "Could not open the remote file");
        }
    }
    *size = o.size;
    return o.good;
}

static bool ssh_open(BlockNode *n, struct json_object *opts, GError **error)
{
    SshState *s = n->state;
    SshTarget t = { 0 };

    if (!find_target(opts, &t, error) ||
        !co_open(s, &t, n->read_only ? O_RDONLY : O_RDWR, &n->length, error)) {
        return false;
    }
    g_free(n->filename);
    n->filename = g_strdup_printf("ssh://%s@%s:%u%s", t.user, t.host, t.port, t.path);
    n->max_transfer = 1 * MIB;
    return true;
}

static int close_work(void *arg)
{
    disconnect(arg);
    return 0;
}

static void ssh_close(BlockNode *n)
{
    co_in_worker(close_work, n->state);
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static bool parse_check(const char *value, struct json_object *opts, GError **error)
{
    static const char *const types[] = { "md5:", "sha1:", "sha256:" };

    if (strcmp(value, "no") == 0 || strcmp(value, "yes") == 0) {
        put(opts, "host-key-check.mode", value[0] == 'n' ? "none" : "known_hosts");
        return true;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(types); i++) {
        if (g_str_has_prefix(value, types[i])) {
            g_autofree char *type = g_strndup(types[i], strlen(types[i]) - 1);

            put(opts, "host-key-check.mode", "hash");
            put(opts, "host-key-check.type", type);
            put(opts, "host-key-check.hash", value + strlen(types[i]));
            return true;
        }
    }
    return fail(error, "unknown host_key_check setting (%s)", value);
}

/* ssh://[USER@]HOST[:PORT]/PATH[?host_key_check=...] */
static bool ssh_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GUri) uri =
        g_uri_parse(filename, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_NON_DNS, &why);
    const char *query = uri ? g_uri_get_query(uri) : NULL;

    if (!uri) {
        return fail(error, "Invalid URI '%s': %s", filename, why->message);
    }
    if (!g_uri_get_host(uri) || !g_uri_get_host(uri)[0]) {
        return fail(error, "missing hostname in URI");
    }
    if (!g_uri_get_path(uri)[0]) {
        return fail(error, "missing remote path in URI");
    }
    g_autofree char *port =
        g_strdup_printf("%d", g_uri_get_port(uri) > 0 ? g_uri_get_port(uri) : 22);

    put(opts, "server.host", g_uri_get_host(uri));
    put(opts, "server.port", port);
    if (g_uri_get_user(uri) && g_uri_get_user(uri)[0]) {
        put(opts, "user", g_uri_get_user(uri));
    }
    put(opts, "path", g_uri_get_path(uri));
    g_autoptr(GHashTable) params =
        query ? g_uri_parse_params(query, -1, "&", G_URI_PARAMS_NONE, NULL) : NULL;
    const char *check = params ? g_hash_table_lookup(params, "host_key_check") : NULL;

    return !check || parse_check(check, opts, error);
}

static bool co_ssh_create(const char *filename, struct json_object *opts, GError **error)
{
    struct json_object *where = json_object_new_object();
    uint64_t size = opts_number(opts, "size", 0), now;
    SshState s = { 0 };
    SshTarget t = { 0 };
    bool good = ssh_parse_filename(filename, where, error) && find_target(where, &t, error) &&
                co_open(&s, &t, O_RDWR | O_CREAT | O_TRUNC, &now, error);

    if (good && size > 0) {
        SshIo io = { &s, size - 1, (uint8_t *)"", 1 };
        int ret = co_in_worker(write_work, &io);

        good = ret == 0 || fail_errno(error, -ret, "Failed to grow file");
    }
    co_in_worker(close_work, &s);
    json_object_put(where);
    return good;
}

static const OptDesc ssh_opts[] = {
    { "server.host", OPT_STRING, "Host to connect to" }, { "server.port", OPT_STRING, "Port to connect to" },
    { "server.*", OPT_STRING, "" },
    { "host", OPT_STRING, "Host to connect to" }, { "port", OPT_STRING, "Port to connect to" },
    { "path", OPT_STRING, "Path of the image on the host" },
    { "user", OPT_STRING, "User as which to connect" },
    { "host-key-check.mode", OPT_STRING, "none, hash or known_hosts" },
    { "host-key-check.type", OPT_STRING, "md5, sha1 or sha256" },
    { "host-key-check.hash", OPT_STRING, "hexadecimal digits" },
    { NULL },
};

static const OptDesc ssh_create_opts[] = { { "size", OPT_SIZE, "Virtual disk size" }, { NULL } };

static const BlockDriver ssh_driver = {
    .name = "ssh", .desc = "files of other hosts, by SFTP", .protocol = true, .grows = true, .opts = ssh_opts,
    .state_size = sizeof(SshState), .parse_filename = ssh_parse_filename, .open = ssh_open, .close = ssh_close,
    .co_preadv = co_ssh_preadv, .co_pwritev = co_ssh_pwritev, .co_flush = co_ssh_flush,
    .co_truncate = co_ssh_truncate, .create_opts = ssh_create_opts, .co_create = co_ssh_create,
};
BLOCK_DRIVER(ssh_driver);
