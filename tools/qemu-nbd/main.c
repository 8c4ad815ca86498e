// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-nbd: exports an image over NBD, connects one to a kernel device, lists what a server has. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/driver.h"
#include "block/nbd.h"
#include "block/temporary.h"
#include "block/tool.h"
#include "config.h"
#include "qom/tls.h"
#include "tools/qemu-nbd/qemu-nbd.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/main-loop.h"

/* One image and its server; of the process. */
static struct {
    NbdServer *server;
    NbdExport *export;
    BlockNode *node;
    bool stop, seen, persistent;
} run;

/* Written by a signal handler. */
static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
    got_signal = 1;
    main_loop_wake();
}

static void on_close(void *opaque, bool negotiated)
{
    run.seen |= negotiated;
    if (run.seen && !run.persistent && nbd_server_clients(run.server) == 0) {
        run.stop = true;
    }
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static struct json_object *node_options(const NbdArgs *a, GError **error)
{
    struct json_object *o, *cache = json_object_new_object();
    bool direct = false, no_flush = false, through;

    if (a->image_opts) {
        o = keyval_parse_nested(a->file, NULL, error);
        if (!o) {
            json_object_put(cache);
            return NULL;
        }
    } else {
        o = json_object_new_object();
    }
    tool_cache_mode(a->cache ? a->cache : "writeback", &direct, &no_flush, &through);
    json_object_object_add(cache, "direct", json_object_new_boolean(direct));
    json_object_object_add(cache, "no-flush", json_object_new_boolean(no_flush));
    json_object_object_add(o, "cache", cache);
    put(o, "discard", a->discard ? a->discard : "unmap");
    if (a->detect_zeroes) {
        put(o, "detect-zeroes", a->detect_zeroes);
    }
    return o;
}

static bool load_snapshot(BlockNode *n, const char *text, GError **error);

/* Writes go to a file without a name, above the image that is only read. */
static BlockNode *open_above(const NbdArgs *a, struct json_object *o, GError **error)
{
    struct json_object *file = a->image_opts ? NULL : block_filename_options(a->file, error);
    BlockNode *n = NULL;

    if (file) {
        json_object_object_add(o, "file", file);
        if (a->format) {
            put(o, "driver", a->format);
        }
    }
    if (file || a->image_opts) {
        json_object_object_add(o, "read-only", json_object_new_boolean(true));
        n = temporary_open(o, a->open_flags, error);
    }
    return n;
}

static bool open_image(const NbdArgs *a, GError **error)
{
    unsigned flags = a->open_flags | (a->read_only || a->load_snapshot ? BLOCK_OPEN_READ_ONLY : 0);
    struct json_object *o = node_options(a, error);

    if (!o) {
        return false;
    }
    run.node = a->snapshot     ? open_above(a, o, error)
               : a->image_opts ? block_open(o, flags, error)
                               : block_open_image(a->file, a->format, o, flags, error);
    json_object_put(o);
    if (!run.node) {
        g_prefix_error(error, "Failed to blk_new_open '%s': ", a->file);
        return false;
    }
    return !a->load_snapshot || load_snapshot(run.node, a->load_snapshot, error);
}

typedef struct LoadSnapshot {
    BlockNode *n;
    const char *id, *name;
    GError **error;
    bool good;
} LoadSnapshot;

static void co_load_snapshot(void *opaque)
{
    LoadSnapshot *l = opaque;

    l->good = l->n->driver->co_snapshot_load(l->n, l->id, l->name, l->error);
}

static bool only_snapshot_words(struct json_object *o, GError **error)
{
    json_object_object_foreach (o, key, value) {
        (void)value;
        if (strcmp(key, "snapshot.id") != 0 && strcmp(key, "snapshot.name") != 0 &&
            strcmp(key, "snapshot") != 0) {
            return fail(error, "Invalid parameter '%s'", key);
        }
    }
    return true;
}

/* "snapshot.id=X,snapshot.name=Y", or one of both. */
static bool load_snapshot(BlockNode *n, const char *text, GError **error)
{
    LoadSnapshot l = { .n = n, .error = error };
    struct json_object *o = NULL;

    if (!n->driver->co_snapshot_load) {
        return fail(error,
                    "Failed to load snapshot: Block format '%s' used by device '' does not support "
                    "temporarily loading internal snapshots",
                    n->driver->name);
    }
    if (g_str_has_prefix(text, "snapshot.")) {
        o = keyval_parse(text, NULL, error);
        if (!o || !only_snapshot_words(o, error)) {
            json_object_put(o);
            g_prefix_error(error, "Failed in parsing snapshot param `%s': ", text);
            return false;
        }
        l.id = keyval_get(o, "snapshot.id");
        l.name = keyval_get(o, "snapshot.name");
    } else {
        l.id = text;
    }
    block_run(co_load_snapshot, &l);
    if (!l.good && !o) {
        g_clear_error(error);
        l.id = NULL;
        l.name = text;
        block_run(co_load_snapshot, &l);
    }
    json_object_put(o);
    if (!l.good) {
        g_prefix_error(error, "Failed to load snapshot: ");
    }
    return l.good;
}

/* The sockets of a service manager; -1: none. */
static int activated_socket(void)
{
    const char *pid = g_getenv("LISTEN_PID"), *fds = g_getenv("LISTEN_FDS");
    uint64_t p, n;

    return pid && fds && parse_u64(pid, &p) && parse_u64(fds, &n) && p == (uint64_t)getpid() &&
                   n >= 1
               ? 3
               : -1;
}

/* SELinux: sockets made from now on get that label; NULL: the usual one. */
static bool label_sockets(const char *label, GError **error)
{
    int fd = label ? open("/proc/thread-self/attr/sockcreate", O_WRONLY | O_CLOEXEC) : -1;
    bool good = !label || (fd >= 0 && write(fd, label, strlen(label)) == (ssize_t)strlen(label));
    int why = errno;

    if (fd >= 0) {
        close(fd);
    }
    return good || fail(error, "Cannot set SELinux socket create context to %s: %s", label,
                        g_strerror(why));
}

static bool start_server(const NbdArgs *a, GError **error)
{
    SocketPlace place = { .kind = a->socket ? SOCKET_UNIX : SOCKET_INET, .path = a->socket,
                          .host = a->bind, .port = a->port ? a->port : "10809" };
    NbdExportOptions o = {.name = a->export_name ? a->export_name : "",
                          .description = a->description,
                          .writable = !run.node->read_only && !a->read_only,
                          .allocation_depth = a->allocation_depth,
                          .offset = a->offset,
                          .bitmaps = a->bitmap ? (const char *const[]){a->bitmap, NULL} : NULL};
    int fd = activated_socket();

    if (fd < 0 && !label_sockets(a->selinux_label, error)) {
        return false;
    }
    if (fd < 0) {
        fd = socket_listen(&place, (int)a->shared, error);
    }
    if (fd < 0) {
        return false;
    }
    run.server = nbd_server_new(fd, a->tls_creds, a->tls_authz, a->shared, error);
    if (!run.server) {
        return false;
    }
    nbd_server_on_close(run.server, on_close, NULL);
    run.export = nbd_export_new(run.server, run.node, &o, error);
    return run.export != NULL;
}

static bool write_pid(const char *path, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());

    return !path || g_file_set_contents(path, text, -1, error);
}

/* In the child: tells the parent's pipe that all is well (1 byte), or the error. */
static void tell_parent(int fd, const char *text)
{
    size_t len = text ? strlen(text) + 1 : 1;

    if (fd >= 0 && write(fd, text ? text : "", len) < 0) {
        /* the parent has gone: nobody wants to know */
    }
}

/* Forks; the parent waits for what the child says and ends with its status. */
static int fork_server(void)
{
    int ends[2], status = 1;
    char text[1024];
    ssize_t n;

    if (pipe(ends) < 0) {
        exit(tool_error("Failed to create pipe: %s", g_strerror(errno)));
    }
    pid_t pid = fork();

    if (pid < 0) {
        exit(tool_error("Failed to fork: %s", g_strerror(errno)));
    }
    if (pid == 0) {
        close(ends[0]);
        setsid();
        return ends[1];
    }
    close(ends[1]);
    n = read(ends[0], text, sizeof(text) - 1);
    if (n == 1 && text[0] == 0) {
        status = 0;
    } else if (n > 0) {
        text[n] = 0;
        tool_error("%s", text);
    }
    _exit(status);
}

static void serve(void)
{
    while (!run.stop && !got_signal) {
        main_loop_iterate(true);
    }
}

static int fail_server(int parent, GError *err)
{
    if (parent >= 0) {
        tell_parent(parent, err->message);
        g_error_free(err);
        return 1;
    }
    return tool_fail(err);
}

static void set_signals(void)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < ARRAY_COUNT(signals); i++) {
        sigaction(signals[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
    }
}

static void close_std(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null >= 0) {
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        close(null);
    }
}

static int run_server(const NbdArgs *a)
{
    GError *err = NULL;
    int parent = a->fork ? fork_server() : -1;
    pthread_t kernel;
    bool with_kernel = false;

    tool_init("qemu-nbd");
    for (unsigned i = 0; i < a->objects->len; i++) {
        if (!tool_object_add(a->objects->pdata[i], &err)) {
            return fail_server(parent, err);
        }
    }
    run.persistent = a->persistent;
    if (!open_image(a, &err) || !start_server(a, &err) || !write_pid(a->pid_file, &err)) {
        return fail_server(parent, err);
    }
    set_signals();
    if (a->device) {
        with_kernel = kernel_connect_start(&kernel, a, &err);
        if (!with_kernel) {
            return fail_server(parent, err);
        }
    }
    if (parent >= 0) {
        tell_parent(parent, NULL);
        close(parent);
        if (!a->verbose) {
            close_std();
        }
    }
    serve();
    nbd_server_free(run.server);
    if (with_kernel) {
        pthread_join(kernel, NULL);
    }
    block_node_unref(run.node);
    tool_exit();
    if (a->socket) {
        unlink(a->socket);
    }
    if (a->pid_file) {
        unlink(a->pid_file);
    }
    return 0;
}

int main(int argc, char **argv)
{
    NbdArgs a = { .shared = 1, .objects = g_ptr_array_new() };
    int ret = nbd_parse_args(argc, argv, &a);

    if (ret >= 0) {
        return ret;
    }
    if (a.disconnect) {
        return kernel_disconnect(a.disconnect);
    }
    if (a.list) {
        return list_exports(&a);
    }
    return run_server(&a);
}
