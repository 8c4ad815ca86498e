// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio transport of 9P (Linux' net/9p/trans_virtio.c is its description), -fsdev and -virtfs. A
 * message is copied in, answered in a worker thread, and its answer copied out; messages of a
 * device are answered one after the other.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "9p.h"
#include "block/node.h"
#include "hw/virtio/virtio.h"
#include "qapi/keyval.h"
#include "qapi/startup.h"
#include "qom/device-add.h"
#include "qom/vm.h"
#include "util/bswap.h"

#define QUEUE 128
#define MESSAGE_MAX (1u << 20)
#define TAG_MAX 32u

typedef struct Virtio9p {
    VirtioDevice v;
    char *mount_tag, *fsdev;
    P9Server *server;
    bool running, reset_wanted, gone;
    uint32_t epoch;
    uint8_t *in, *out;
    size_t in_len, out_len;
} Virtio9p;

/* The folders of -fsdev, by id; filled at start-up. */
static GPtrArray *exports;

static const P9Export *export_find(const char *id)
{
    for (unsigned i = 0; exports && i < exports->len; i++) {
        const P9Export *e = g_ptr_array_index(exports, i);

        if (strcmp(e->id, id) == 0) {
            return e;
        }
    }
    return NULL;
}

/* ---- requests ---- */

static int answer(void *opaque)
{
    Virtio9p *s = opaque;

    s->out_len = p9_server_run(s->server, s->in, s->in_len, s->out, s->out_len);
    return 0;
}

static void run_all(void *opaque)
{
    Virtio9p *s = opaque;
    VirtioDevice *v = &s->v;

    while (!s->gone) {
        if (s->reset_wanted) {
            s->reset_wanted = false;
            p9_server_reset(s->server);
        }
        VirtqElem *e = virtq_pop(v, &v->vq[0]);
        uint32_t epoch = s->epoch;

        if (!e) {
            break;
        }
        if (e->out_len > MESSAGE_MAX || e->in_len > MESSAGE_MAX) {
            virtio_error(v, "message of more than %u bytes", MESSAGE_MAX);
            g_free(e);
            break;
        }
        s->in = g_malloc(e->out_len + 1);
        s->out = g_malloc(e->in_len + 1);
        s->in_len = virtq_read(v, e, 0, s->in, e->out_len);
        s->out_len = e->in_len;
        co_in_worker(answer, s);
        if (!s->gone && epoch == s->epoch) {
            if (s->out_len == 0) {
                virtio_error(v, "message that is none");
            } else {
                virtq_push(v, e, virtq_write(v, e, 0, s->out, s->out_len));
                virtq_notify(v, &v->vq[0]);
            }
        }
        g_free(e);
        g_clear_pointer(&s->in, g_free);
        g_clear_pointer(&s->out, g_free);
    }
    s->running = false;
}

static void p9_notify(VirtioDevice *v, unsigned n)
{
    Virtio9p *s = (Virtio9p *)v;

    if (!s->running) {
        s->running = true;
        coroutine_enter(coroutine_new(run_all, s));
    }
}

/* ---- the device ---- */

static void p9_config_read(VirtioDevice *v)
{
    Virtio9p *s = (Virtio9p *)v;

    store_le16(v->config, strlen(s->mount_tag));
    memcpy(v->config + 2, s->mount_tag, strlen(s->mount_tag));
}

static uint64_t p9_features(VirtioDevice *v)
{
    return VIRTIO_BIT(0);                /* has a mount tag */
}

static bool p9_realize(VirtioDevice *v, GError **error)
{
    Virtio9p *s = (Virtio9p *)v;
    const P9Export *e = s->fsdev ? export_find(s->fsdev) : NULL;

    if (!e) {
        return fail(error, "9pfs device couldn't find fsdev with the id = %s",
                    s->fsdev ? s->fsdev : "NULL");
    }
    if (!s->mount_tag || !*s->mount_tag || strlen(s->mount_tag) > TAG_MAX) {
        return fail(error, "fsdev with id %s needs mount_tag arguments of 1 to %u characters",
                    s->fsdev, TAG_MAX);
    }
    s->server = p9_server_new(e);
    if (!s->server) {
        return fail(error, "cannot initialize fsdev '%s': failed to open '%s': %s", e->id, e->path,
                    strerror(errno));
    }
    s->gone = false;
    virtio_add_queue(v, QUEUE);
    return true;
}

static void p9_unrealize(VirtioDevice *v)
{
    Virtio9p *s = (Virtio9p *)v;

    s->gone = true;
    while (s->running) {
        main_loop_iterate(true);
    }
    g_clear_pointer(&s->server, p9_server_free);
}

static void p9_reset(VirtioDevice *v)
{
    Virtio9p *s = (Virtio9p *)v;

    s->epoch++;
    if (s->running) {
        s->reset_wanted = true;
    } else if (s->server) {
        p9_server_reset(s->server);
    }
}

static const Prop p9_props[] = {
    PROP_STRING(Virtio9p, mount_tag, "mount_tag", .help = "name by which the guest mounts it"),
    PROP_STRING(Virtio9p, fsdev, "fsdev", .help = "id of -fsdev"),
    PROP_END,
};

static const StateField p9_state[] = {
    HOST_ONLY(Virtio9p, server, "open files of the host cannot be saved"), HOST_ONLY(Virtio9p, running, "host side"),
    HOST_ONLY(Virtio9p, reset_wanted, "host side"), HOST_ONLY(Virtio9p, gone, "host side"),
    HOST_ONLY(Virtio9p, epoch, "tells old requests from new"),
    HOST_ONLY(Virtio9p, in, "host side"), HOST_ONLY(Virtio9p, out, "host side"),
    HOST_ONLY(Virtio9p, in_len, "host side"), HOST_ONLY(Virtio9p, out_len, "host side"), STATE_END,
};

static const VirtioType p9_type = {
    .not_saved = "its open files cannot be saved",
    .name = "virtio-9p", .desc = "Shared folder by 9P", .category = "storage",
    .id = 9, .legacy_pci_id = 0x1009, .pci_class = 0x000200, .size = sizeof(Virtio9p), .config_size = 2 + TAG_MAX, .vectors = 2,
    .props = p9_props, .state = p9_state,
    .realize = p9_realize, .unrealize = p9_unrealize, .reset = p9_reset,
    .features = p9_features, .config_read = p9_config_read, .notify = p9_notify,
};
VIRTIO_TYPE(p9_type);

/* ---- -fsdev and -virtfs ---- */

static const OptDesc fsdev_params[] = {
    { "fsdriver", OPT_STRING, "local" }, { "id", OPT_STRING }, { "path", OPT_STRING, "the folder" },
    { "security_model", OPT_STRING, "passthrough, none, mapped, mapped-xattr" }, { "readonly", OPT_BOOL },
    { "writeout", OPT_STRING, "immediate" }, { "fmode", OPT_STRING, "mode of new files when mapped, octal" },
    { "dmode", OPT_STRING, "mode of new folders when mapped, octal" }, { "mount_tag", OPT_STRING, "-virtfs: its name in the guest" },
    { "multidevs", OPT_STRING, "remap, forbid, warn" }, { NULL },
};

static bool parse_mode(json_object *kv, const char *key, uint32_t def, uint32_t *mode,
                       GError **error)
{
    const char *text = opts_string(kv, key, NULL);
    char *end = NULL;

    *mode = def;
    if (text) {
        guint64 v = g_ascii_strtoull(text, &end, 8);

        if (!*text || *end || v > 0777) {
            return fail(error, "Invalid %s mode 0%s specified", key, text);
        }
        *mode = v;
    }
    return true;
}

static bool parse_security(json_object *kv, P9Security *security, GError **error)
{
    const char *text = opts_string(kv, "security_model", NULL);

    if (!text) {
        return fail(error, "security_model not specified, valid options are: passthrough, none, "
                           "mapped, mapped-xattr");
    }
    *security = strcmp(text, "none") == 0          ? P9_NONE
                : strcmp(text, "passthrough") == 0 ? P9_PASSTHROUGH
                                                   : P9_MAPPED;
    if (*security == P9_MAPPED && strcmp(text, "mapped") != 0 &&
        strcmp(text, "mapped-xattr") != 0) {
        return fail(error,
                    "invalid security_model '%s', valid options are: passthrough, none, mapped, "
                    "mapped-xattr",
                    text);
    }
    return true;
}

static bool export_add(json_object *kv, const char *id, GError **error)
{
    P9Export e = { .read_only = opts_bool(kv, "readonly", false) };
    const char *driver = opts_string(kv, "fsdriver", ""), *path = opts_string(kv, "path", NULL);

    if (strcmp(driver, "local") != 0) {
        return fail(error, "fsdriver %s not found, only local is there", driver);
    }
    if (!id || !path) {
        return fail(error, "fsdev: Parameter '%s' is missing", id ? "path" : "id");
    }
    if (export_find(id)) {
        return fail(error, "Duplicate ID '%s' for fsdev", id);
    }
    if (!parse_security(kv, &e.security, error) ||
        !parse_mode(kv, "fmode", 0600, &e.fmode, error) ||
        !parse_mode(kv, "dmode", 0700, &e.dmode, error)) {
        return false;
    }
    if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
        return fail(error, "cannot initialize fsdev '%s': failed to open '%s': not a directory", id,
                    path);
    }
    e.id = g_strdup(id);
    e.path = g_strdup(path);
    if (!exports) {
        exports = g_ptr_array_new();
    }
    g_ptr_array_add(exports, g_memdup2(&e, sizeof(e)));
    return true;
}

static bool opt_fsdev(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "fsdriver", error);
    bool good = kv && opts_check(kv, fsdev_params, "fsdev", error) &&
                export_add(kv, opts_string(kv, "id", NULL), error);

    json_object_put(kv);
    return good;
}

OPTION(fsdev, { .name = "fsdev", .handle = opt_fsdev, .group = "fsdev", .params = fsdev_params });

/* -virtfs is -fsdev and -device in one; the device comes when there is a board. */
static GPtrArray *virtfs_tags;           /* char *: id, tag, id, tag ...; filled at start-up */

static bool opt_virtfs(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "fsdriver", error);
    const char *tag = NULL, *id = NULL;
    bool good = kv && opts_check(kv, fsdev_params, "virtfs", error);

    if (good) {
        tag = opts_string(kv, "mount_tag", NULL);
        id = opts_string(kv, "id", tag);
        good =
            tag ? export_add(kv, id, error)
                : fail(
                      error,
                      "usage: -virtfs fsdriver,path=/share_path/,security_model=...,mount_tag=tag");
    }
    if (good) {
        if (!virtfs_tags) {
            virtfs_tags = g_ptr_array_new_with_free_func(g_free);
        }
        g_ptr_array_add(virtfs_tags, g_strdup(id));
        g_ptr_array_add(virtfs_tags, g_strdup(tag));
    }
    json_object_put(kv);
    return good;
}

OPTION(virtfs, {.name = "virtfs", .handle = opt_virtfs, .group = "virtfs", .params = fsdev_params});

static bool make_virtfs(Vm *vm, GError **error)
{
    for (unsigned i = 0; virtfs_tags && i < virtfs_tags->len; i += 2) {
        json_object *o = json_object_new_object();

        json_object_object_add(o, "driver", json_object_new_string("virtio-9p-pci"));
        json_object_object_add(o, "fsdev",
                               json_object_new_string(g_ptr_array_index(virtfs_tags, i)));
        json_object_object_add(o, "mount_tag",
                               json_object_new_string(g_ptr_array_index(virtfs_tags, i + 1)));
        bool good = device_add(vm, o, true, error) != NULL;

        json_object_put(o);
        if (!good) {
            return false;
        }
    }
    return true;
}

START_HOOK(virtfs, { .phase = START_DEVICE, .name = "virtfs", .start = make_virtfs });
