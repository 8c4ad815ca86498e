// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-io: opens an image and runs commands of block/shell on it, from -c or standard input. */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/driver.h"
#include "block/shell/shell.h"
#include "block/temporary.h"
#include "block/tool.h"
#include "config.h"
#include "util/error.h"

typedef struct Settings {
    bool read_only, snapshot, copy_on_read, force_share, image_opts;
    const char *format, *cache, *aio, *discard;
} Settings;

/* Options of the command line that every open takes over. */
static Settings defaults;

static const char usage_text[] =
    "Usage: qemu-io [OPTIONS]... [-c STRING]... [file]\n"
    "QEMU Disk exerciser\n"
    "\n"
    "  --object OBJECTDEF   define an object such as 'secret' for\n"
    "                       passwords and/or encryption keys\n"
    "  --image-opts         treat file as option string\n"
    "  -c, --cmd STRING     execute command with its arguments\n"
    "                       from the given string\n"
    "  -f, --format FMT     specifies the block driver to use\n"
    "  -r, --read-only      export read-only\n"
    "  -s, --snapshot       use snapshot file\n"
    "  -n, --nocache        disable host cache, short for -t none\n"
    "  -C, --copy-on-read   enable copy-on-read\n"
    "  -m, --misalign       misalign allocations for O_DIRECT\n"
    "  -k, --native-aio     use kernel AIO implementation\n"
    "                       (Linux only, prefer use of -i)\n"
    "  -i, --aio=MODE       use AIO mode (threads, native or io_uring)\n"
    "  -t, --cache=MODE     use the given cache mode for the image\n"
    "  -d, --discard=MODE   use the given discard mode for the image\n"
    "  -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
    "                       specify tracing options\n"
    "                       see qemu-img(1) man page for full description\n"
    "  -U, --force-share    force shared permissions\n"
    "  -h, --help           display this help and exit\n"
    "  -V, --version        output version information and exit\n"
    "\n"
    "See 'qemu-io -c help' for information on available commands.\n";

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* Cache mode, discard and the rest as options of a node. */
static bool common_options(IoShell *s, const Settings *set, struct json_object *o, GError **error)
{
    struct json_object *cache = json_object_new_object(), *given;
    bool direct, no_flush;

    if (!tool_cache_mode(set->cache ? set->cache : "writeback", &direct, &no_flush,
                         &s->writethrough)) {
        json_object_put(cache);
        return fail(error, "Invalid cache option: %s", set->cache);
    }
    json_object_object_add(cache, "direct", json_object_new_boolean(direct));
    json_object_object_add(cache, "no-flush", json_object_new_boolean(no_flush));
    if (json_object_object_get_ex(o, "cache", &given)) {
        json_object_put(cache);
    } else {
        json_object_object_add(o, "cache", cache);
    }
    if (!opts_has(o, "discard")) {
        put(o, "discard", set->discard ? set->discard : "unmap");
    }
    if (set->force_share) {
        json_object_object_add(o, "force-share", json_object_new_boolean(true));
    }
    return true;
}

static void attach(IoShell *s, BlockNode *n, GError **error)
{
    unsigned perm = BLOCK_PERM_READ | (n->read_only ? 0 : BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE);

    s->edge = block_attach(n, "qemu-io", perm, BLOCK_PERM_ALL, error);
    if (!s->edge) {
        block_node_unref(n);
        return;
    }
    s->node = n;
}

/* The image below a node that forgets writes (-s), or that keeps what was read (-C). */
static BlockNode *open_below(const Settings *set, const char *text, struct json_object *o,
                             unsigned flags, GError **error)
{
    struct json_object *file;
    BlockNode *n, *below;

    if (!set->snapshot) {
        below = text ? block_open_image(text, set->format, o, flags, error)
                     : block_open(o, flags, error);
        n = below ? block_node_insert(block_driver_find("copy-on-read"), NULL, below, error) : NULL;
        block_node_unref(below);
        return n;
    }
    file = text ? block_filename_options(text, error) : NULL;
    if (text && !file) {
        return NULL;
    }
    if (file) {
        json_object_object_add(o, "file", file);
        if (set->format) {
            put(o, "driver", set->format);
        }
    }
    json_object_object_add(o, "read-only", json_object_new_boolean(true));
    return temporary_open(o, flags, error);
}

/* Words that are wrong whatever is opened. */
static bool check_modes(const Settings *set)
{
    static const char *const discards[] = { "ignore", "off", "unmap", "on", NULL };
    bool direct, no_flush, through;

    if (set->cache && !tool_cache_mode(set->cache, &direct, &no_flush, &through)) {
        fprintf(stderr, "qemu-io: Invalid cache option: %s\n", set->cache);
        return false;
    }
    if (set->discard && !g_strv_contains(discards, set->discard)) {
        fprintf(stderr, "qemu-io: Invalid discard option: %s\n", set->discard);
        return false;
    }
    return true;
}

/* text: a file name, or options when set->image_opts; more (may be NULL) is consumed. */
static int open_node(IoShell *s, const Settings *set, const char *text, struct json_object *more)
{
    unsigned flags = set->read_only ? BLOCK_OPEN_READ_ONLY : 0;
    GError *err = NULL;
    BlockNode *n = NULL;

    if (s->node) {
        fprintf(stderr, "qemu-io: file open already, try 'help close'\n");
        json_object_put(more);
        return -EBUSY;
    }
    more = more ? more : json_object_new_object();
    if (!check_modes(set)) {
        json_object_put(more);
        return -EINVAL;
    }
    if (!tool_aio_mode(set->aio, &flags)) {
        fprintf(stderr, "qemu-io: Invalid aio option: %s\n", set->aio);
        json_object_put(more);
        return -EINVAL;
    }
    if (set->force_share && !set->read_only) {
        fail(&err, "force-share=on can only be used with read-only images");
    } else if (common_options(s, set, more, &err)) {
        const char *driver = set->format ? set->format : keyval_get(more, "driver");

        n = set->snapshot || set->copy_on_read ? open_below(set, text, more, flags, &err)
            : text                             ? block_open_image(text, driver, more, flags, &err)
                                               : block_open(more, flags, &err);
    }
    json_object_put(more);
    if (n) {
        attach(s, n, &err);
    }
    if (err) {
        fprintf(stderr, "qemu-io: can't open%s%s: %s\n", text ? " device " : "", text ? text : "",
                err->message);
        g_error_free(err);
        return -EINVAL;
    }
    return 0;
}

static int open_from_line(IoShell *s, int argc, char **argv)
{
    Settings set = { .force_share = defaults.force_share };
    struct json_object *more = NULL;
    GError *err = NULL;
    int c;

    while ((c = getopt(argc, argv, "snCro:ki:t:d:U")) != -1) {
        switch (c) {
        case 's': set.snapshot = true; break;
        case 'n': set.cache = "none"; break;
        case 'C': set.copy_on_read = true; break;
        case 'r': set.read_only = true; break;
        case 'k': set.aio = "native"; break;
        case 'i': set.aio = optarg; break;
        case 't': set.cache = optarg; break;
        case 'd': set.discard = optarg; break;
        case 'U': set.force_share = true; break;
        case 'o':
            json_object_put(more);
            more = keyval_parse_nested(optarg, NULL, &err);
            if (!more) {
                return io_fail(s, err);
            }
            break;
        default:
            json_object_put(more);
            io_usage(io_find("open"));
            return -EINVAL;
        }
    }
    if (optind < argc - 1 || (optind == argc && !more)) {
        json_object_put(more);
        io_usage(io_find("open"));
        return -EINVAL;
    }
    return open_node(s, &set, optind < argc ? argv[optind] : NULL, more);
}

/* Whether the driver has the options. They take effect when -r or -w opens the image again. */
static bool check_options(IoShell *s, const char *text, GError **error)
{
    struct json_object *o = keyval_parse_nested(text, NULL, error);
    bool good = o != NULL;

    if (good) {
        json_object_object_foreach (o, key, value) {
            const OptDesc *d = s->node->driver->opts;

            (void)value;
            while (d && d->name && strcmp(d->name, key) != 0) {
                d++;
            }
            if (good && (!d || !d->name) && strcmp(key, "read-only") != 0 &&
                strcmp(key, "cache") != 0 && strcmp(key, "discard") != 0 &&
                strcmp(key, "detect-zeroes") != 0) {
                good = fail(error, "Cannot change the option '%s'", key);
            }
        }
        json_object_put(o);
    }
    return good;
}

/* Closes and opens again with other options: what the image is does not change. */
static int reopen_from_line(IoShell *s, int argc, char **argv)
{
    bool read_only = s->node->read_only, through = s->writethrough, direct, no_flush;
    GError *err = NULL;
    bool given = false;
    int c;

    while ((c = getopt(argc, argv, "c:o:rw")) != -1) {
        switch (c) {
        case 'r':
        case 'w':
            if (given) {
                fprintf(stderr, "%s: Only one -r/-w option may be given\n", s->mistake);
                return -EINVAL;
            }
            given = true;
            read_only = c == 'r';
            break;
        case 'c':
            if (!tool_cache_mode(optarg, &direct, &no_flush, &through)) {
                fprintf(stderr, "%s: Invalid cache option: %s\n", s->mistake, optarg);
                return -EINVAL;
            }
            break;
        case 'o':
            if (!check_options(s, optarg, &err)) {
                return io_fail(s, err);
            }
            break;
        default:
            io_usage(io_find("reopen"));
            return -EINVAL;
        }
    }
    if (optind != argc) {
        io_usage(io_find("reopen"));
        return -EINVAL;
    }
    s->writethrough = through;
    if (read_only != s->node->read_only) {
        struct json_object *o = NULL;

        io_shell_drain(s);
        block_flush_node(s->node);
        json_object_deep_copy(s->node->options, &o, NULL);
        json_object_object_add(o, "read-only", json_object_new_boolean(read_only));
        if (!opts_has(o, "driver")) {
            put(o, "driver", s->node->driver->name);
        }
        block_detach(s->edge);
        block_node_unref(s->node);
        s->node = NULL;
        s->edge = NULL;
        BlockNode *n = block_open(o, 0, &err);

        json_object_put(o);
        if (n) {
            attach(s, n, &err);
        }
    }
    return err ? io_fail(s, err) : 0;
}

static int open_command(IoShell *s, int argc, char **argv)
{
    return strcmp(argv[0], "reopen") == 0 ? reopen_from_line(s, argc, argv)
                                          : open_from_line(s, argc, argv);
}

static int run_input(IoShell *s)
{
    char *line = NULL;
    size_t room = 0;
    int ret = 0;

    while (!s->quit) {
        fputs("qemu-io> ", stdout);
        fflush(stdout);
        if (getline(&line, &room, stdin) < 0) {
            break;
        }
        if (io_shell_run(s, line) < 0) {
            ret = -EINVAL;
        }
    }
    free(line);
    return ret;
}

enum { OPT_OBJECT = 256, OPT_IMAGE_OPTS };

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { "cmd", required_argument, NULL, 'c' },
    { "format", required_argument, NULL, 'f' }, { "read-only", no_argument, NULL, 'r' },
    { "snapshot", no_argument, NULL, 's' }, { "nocache", no_argument, NULL, 'n' },
    { "copy-on-read", no_argument, NULL, 'C' }, { "misalign", no_argument, NULL, 'm' },
    { "native-aio", no_argument, NULL, 'k' }, { "aio", required_argument, NULL, 'i' },
    { "discard", required_argument, NULL, 'd' }, { "cache", required_argument, NULL, 't' },
    { "trace", required_argument, NULL, 'T' }, { "force-share", no_argument, NULL, 'U' },
    { "object", required_argument, NULL, OPT_OBJECT }, { "image-opts", no_argument, NULL, OPT_IMAGE_OPTS }, { NULL },
};

/* Reads the command line; -1: go on, else the exit status. */
static int parse_arguments(int argc, char **argv, GPtrArray *commands)
{
    GError *err = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "hVc:d:f:rsnCmki:t:T:U", long_options, NULL)) != -1) {
        switch (c) {
        case 's': defaults.snapshot = true; break;
        case 'n': defaults.cache = "none"; break;
        case 'C': defaults.copy_on_read = true; break;
        case 'd': defaults.discard = optarg; break;
        case 'f': defaults.format = optarg; break;
        case 'c': g_ptr_array_add(commands, optarg); break;
        case 'r': defaults.read_only = true; break;
        case 'k': defaults.aio = "native"; break;
        case 'i': defaults.aio = optarg; break;
        case 't': defaults.cache = optarg; break;
        case 'U': defaults.force_share = true; break;
        case 'm': break;
        case 'T':
            if (!tool_trace(optarg, &err)) {
                return tool_fail(err);
            }
            break;
        case 'V':
            printf("qemu-io version %s\n", CONFIG_VERSION);
            return 0;
        case 'h':
            fputs(usage_text, stdout);
            return 0;
        case OPT_OBJECT:
            if (tool_object_help(optarg)) {
                exit(0);
            }
            if (!tool_object_add(optarg, &err)) {
                return tool_fail(err);
            }
            break;
        case OPT_IMAGE_OPTS: defaults.image_opts = true; break;
        default:
            fputs(usage_text, stdout);
            return 1;
        }
    }
    if (argc - optind > 1) {
        fputs(usage_text, stdout);
        return 1;
    }
    if (defaults.format && defaults.image_opts) {
        return tool_error("--image-opts and -f are mutually exclusive");
    }
    return -1;
}

static int open_argument(IoShell *s, const char *text)
{
    struct json_object *o = NULL;
    GError *err = NULL;

    if (defaults.image_opts) {
        o = keyval_parse_nested(text, NULL, &err);
        if (!o) {
            return tool_fail(err);
        }
        text = NULL;
    }
    return open_node(s, &defaults, text, o) < 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) commands = g_ptr_array_new();
    IoShell s = { .open = open_command, .mistake = "qemu-io" };
    int ret;

    tool_init("qemu-io");
    ret = parse_arguments(argc, argv, commands);
    if (ret >= 0) {
        return ret;
    }
    if (optind < argc && open_argument(&s, argv[optind])) {
        return 1;
    }
    ret = 0;
    for (unsigned i = 0; i < commands->len && !s.quit; i++) {
        if (io_shell_run(&s, commands->pdata[i]) < 0) {
            ret = 1;
        }
    }
    if (commands->len == 0) {
        ret = run_input(&s) < 0;
    }
    io_shell_drain(&s);
    if (s.node) {
        block_detach(s.edge);
        block_node_unref(s.node);
    }
    tool_exit();
    return ret;
}
