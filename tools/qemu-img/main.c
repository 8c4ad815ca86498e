// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-img: creates, converts, checks and changes disk images. This file: the commands' table,
 * help, common options.
 */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/tool.h"
#include "config.h"
#include "block/image-text.h"
#include "img.h"
#include "qapi/qapi.h"
#include "util/error.h"

#include <json-c/json.h>

typedef struct ImgCommand {
    const char *name;
    int (*fn)(int argc, char **argv);
    const char *usage;
} ImgCommand;

#define COMMON "[--object objectdef] [--image-opts] "

static const ImgCommand commands[] = {
    { "amend", cmd_amend, COMMON "[-p] [-q] [-f fmt] [-t cache] [--force] -o options filename" },
    { "bench", cmd_bench, "[-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] [-i aio] [-n] [--no-drain] [-o offset] "
      "[--pattern=pattern] [-q] [-s buffer_size] [-S step_size] [-t cache] [-w] [-U] filename" },
    { "bitmap", cmd_bitmap, "(--merge SOURCE | --add | --remove | --clear | --enable | --disable)... [-b source_file [-F source_fmt]] "
      "[-g granularity] [--object objectdef] [--image-opts | -f fmt] filename bitmap" },
    { "check", cmd_check, COMMON "[-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-T src_cache] [-U] filename" },
    { "commit", cmd_commit, COMMON "[-q] [-f fmt] [-t cache] [-b base] [-r rate_limit] [-d] [-p] filename" },
    { "compare", cmd_compare, COMMON "[-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2" },
    { "convert", cmd_convert, COMMON "[--target-image-opts] [--target-is-zero] [--bitmaps] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] "
      "[-t cache] [-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] "
      "[-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename" },
    { "create", cmd_create, "[--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]" },
    { "dd", cmd_dd, "[--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] [skip=blocks] if=input of=output" },
    { "info", cmd_info, COMMON "[-f fmt] [--output=ofmt] [--backing-chain] [-U] filename" },
    { "map", cmd_map, COMMON "[-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename" },
    { "measure", cmd_measure, "[--output=ofmt] [-O output_fmt] [-o options] [--size N | " COMMON "[-f fmt] [-l snapshot_param] filename]" },
    { "snapshot", cmd_snapshot, COMMON "[-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename" },
    { "rebase", cmd_rebase, COMMON "[-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename" },
    { "resize", cmd_resize, COMMON "[-f fmt] [--preallocation=prealloc] [-q] [--shrink] filename [+ | -]size" },
};

/* ---- help ---- */

static void add_name(const BlockDriver *d, void *opaque)
{
    if (!d->internal) {
        g_ptr_array_add(opaque, (void *)d->name);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void img_help(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    printf("qemu-img version " CONFIG_VERSION "\n"
           "usage: qemu-img [standard options] command [command options]\n"
           "QEMU disk image utility\n\n"
           "    '-h', '--help'       display this help and exit\n"
           "    '-V', '--version'    output version information and exit\n"
           "    '-T', '--trace'      [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
           "                         specify tracing options\n\n"
           "Command syntax:\n");
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        printf("  %s %s\n", commands[i].name, commands[i].usage);
    }
    printf("\nWhat the words mean:\n"
           "  filename            an image: a path, a URL, json:{...}, or with --image-opts "
           "driver=...,...\n"
           "  objectdef           an object of QOM, such as secret,id=sec0,file=password.txt\n"
           "  fmt, output_fmt     a format of the list below; guessed from the image where it is "
           "not given\n"
           "  cache, src_cache    writeback (the default), none, writethrough, directsync, unsafe "
           "(the default of convert's output)\n"
           "  size                bytes, or with a suffix k, M, G, T, P, E (powers of 1024)\n"
           "  options             name=value,... of the format; '-o help' lists them\n"
           "  snapshot_param      snapshot.id=ID,snapshot.name=NAME, or an id or name\n"
           "  ofmt                human or json\n\n"
           "Flags of several commands:\n"
           "  -p  show progress      -q  print nothing but errors     -U  open also what another "
           "process writes to\n"
           "  -u  trust names: do not open, compare or copy anything of backing files\n"
           "  -c  (convert) compress clusters                         -n  (convert) the target "
           "exists already\n"
           "  -S  (convert) how many bytes of zeroes make a hole; 0: none, everything is written\n"
           "  -W  (convert) write out of order                        -m  (convert) requests in "
           "parallel, 8\n"
           "  -C  (convert) let the host copy                         --salvage  go on after read "
           "errors\n"
           "  -r  (check) leaks: mend leaks only; all: mend everything. (convert, commit) bytes a "
           "second at most\n"
           "  -s  (compare) sizes and allocation must be equal, too   -d  (commit) do not empty "
           "the image afterwards\n"
           "\nSupported formats:");
    block_driver_foreach(add_name, names);
    qsort(names->pdata, names->len, sizeof(void *), compare_names);
    for (unsigned i = 0; i < names->len; i++) {
        printf(" %s", (const char *)g_ptr_array_index(names, i));
    }
    printf("\n");
    exit(0);
}

int img_usage(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fprintf(stderr, "qemu-img: %s\nTry 'qemu-img --help' for more information\n", text);
    return 1;
}

/* ---- options ---- */

static bool common_option(int c, ImgArgs *a, GError **error)
{
    switch (c) {
    case 'f': a->format = optarg; return true;
    case 'O': a->out_format = optarg; return true;
    case 'b': case 'B': a->base = optarg; return true;
    case 'F': a->base_format = optarg; return true;
    case 't': a->cache = optarg; return true;
    case 'T': a->src_cache = optarg; return true;
    case 'q': a->quiet = true; return true;
    case 'p': a->progress = true; return true;
    case 'U': a->share = true; return true;
    case 'u': a->unsafe = true; return true;
    case 'l': a->snapshot = optarg; return true;
    case OPT_OUTPUT: a->output = optarg; return true;
    case OPT_IMAGE_OPTS: a->image_opts = true; return true;
    case OPT_TARGET_IMAGE_OPTS: a->target_image_opts = true; return true;
    case OPT_SIZE_VALUE: a->size = optarg; return true;
    case OPT_PREALLOCATION: a->prealloc = optarg; return true;
    case 'o':
        if (a->all_options) {
            g_string_append_printf(a->all_options, ",%s", optarg);
        } else {
            a->all_options = g_string_new(optarg);
        }
        a->options = a->all_options->str;
        return true;
    case OPT_OBJECT:
        if (tool_object_help(optarg)) {
            exit(0);
        }
        return tool_object_add(optarg, error);
    default:
        return false;
    }
}

bool img_parse(int argc, char **argv, const char *letters, const struct option *longs, ImgArgs *a,
               bool (*more)(int opt, const char *arg, void *opaque), void *opaque)
{
    g_autofree char *all = g_strdup_printf(":h%s", letters);
    int c;

    optind = 0;     /* starts anew, with operands before options, too */
    while ((c = getopt_long(argc, argv, all, longs, NULL)) != -1) {
        g_autoptr(GError) error = NULL;

        if (c == 'h') {
            img_help();
        }
        if (c == ':') {
            img_usage("missing argument for option '%s'", argv[optind - 1]);
            return false;
        }
        if (c == '?') {
            img_usage("unrecognized option '%s'", argv[optind - 1]);
            return false;
        }
        if (more && more(c, optarg, opaque)) {
            continue;
        }
        if (!common_option(c, a, &error)) {
            if (error) {
                tool_fail(g_steal_pointer(&error));
            }
            return false;
        }
    }
    a->first = optind;
    return true;
}

/* Digits that no 64 bits hold, with a suffix that is right. */
static bool size_too_large(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits > 0 && (text[digits] == 0 || (strchr("bkKmMgGtTpPeE", text[digits]) &&
                                                text[digits + 1] == 0));
}

bool img_size(const char *text, const char *name, uint64_t *value)
{
    g_autoptr(GError) error = NULL;
    uint64_t v;

    bool number = size_parse(text, name, &v, &error);

    if ((number && v > INT64_MAX) || (!number && size_too_large(text))) {
        tool_error("Invalid %s specified. Must be between 0 and %" G_GINT64_FORMAT ".", name,
                   INT64_MAX);
        return false;
    }
    if (!number) {
        tool_error("Invalid %s specified. You may use k, M, G, T, P or E suffixes for", name);
        tool_error("kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
        return false;
    }
    *value = v;
    return true;
}

bool img_cache_mode(const char *mode, const char *text)
{
    bool direct, no_flush, through;

    return !mode || tool_cache_mode(mode, &direct, &no_flush, &through) ||
           (tool_error("%s", text), false);
}

bool img_source_cache(const ImgArgs *a)
{
    g_autofree char *text = g_strdup_printf("Invalid source cache option: %s", a->src_cache);

    return img_cache_mode(a->src_cache, text);
}

bool img_number(const char *text, const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
    g_autoptr(GError) error = NULL;
    int64_t v;

    if (!int_parse(text, name, true, &v, &error) || (uint64_t)v < min || (uint64_t)v > max) {
        tool_error("Invalid %s specified", name);
        return false;
    }
    *value = (uint64_t)v;
    return true;
}

bool img_output_format(const ImgArgs *a, bool *json)
{
    *json = a->output && strcmp(a->output, "json") == 0;
    if (a->output && !*json && strcmp(a->output, "human") != 0) {
        tool_error("--output must be used with human or json as argument.");
        return false;
    }
    return true;
}

void img_print_json(struct json_object *o)
{
    GString *out = g_string_new(NULL);

    json_append(out, o, true);
    printf("%s\n", out->str);
    g_string_free(out, TRUE);
    json_object_put(o);
}

/* ---- images ---- */

bool img_open(Img *i, const char *filename, const ImgArgs *a, const char *format, const char *cache,
              unsigned flags, bool write)
{
    g_autoptr(GError) error = NULL;
    unsigned perm = BLOCK_PERM_READ, shared = BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED;

    flags |= write ? 0 : BLOCK_OPEN_READ_ONLY | (a->share ? BLOCK_OPEN_FORCE_SHARE : 0);
    flags |= format ? 0 : write ? 0 : BLOCK_OPEN_QUIET;
    perm |= write ? BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE : 0;
    shared = a->share ? BLOCK_PERM_ALL : shared;
    i->n = tool_open(filename, a->image_opts, format, cache, flags, &error);
    i->edge = i->n ? block_attach(i->n, "tool", perm, shared, &error) : NULL;
    if (i->n && !i->edge) {
        g_prefix_error(&error, "Could not open '%s': ", filename);
        block_node_unref(i->n);
        i->n = NULL;
    }
    if (!i->n) {
        tool_fail(g_steal_pointer(&error));
    }
    return i->n != NULL;
}

void img_close(Img *i)
{
    if (i->edge) {
        block_detach(i->edge);
    }
    block_node_unref(i->n);
    i->n = NULL;
    i->edge = NULL;
}

/* ---- progress ---- */

/* The one bar of the process. */
static struct { bool on, terminal; int64_t start_us; int last; } bar;

/* SIGUSR1 came: where the work stands goes to stderr. */
static volatile sig_atomic_t asked;

static void note_signal(int number)
{
    asked = 1;
}

void img_progress_start(bool on)
{
    struct sigaction usr1 = { .sa_handler = note_signal, .sa_flags = SA_RESTART };

    sigemptyset(&usr1.sa_mask);
    sigaction(SIGUSR1, &usr1, NULL);
    bar.on = on;
    bar.terminal = isatty(1);
    bar.start_us = g_get_monotonic_time();
    bar.last = -1;
    img_progress(0, 1);
}

void img_progress(uint64_t done, uint64_t total)
{
    double part = total ? (double)done / (double)total : 1;
    int step = (int)(part * 1000);

    if (asked) {
        asked = 0;
        fprintf(stderr, "    (%3.2f/100%%)\n", part * 100);
    }
    if (!bar.on || step == bar.last) {
        return;
    }
    bar.last = step;
    if (!bar.terminal) {
        printf("    (%3.2f/100%%)\r", part * 100);
    } else {
        double seconds = (double)(g_get_monotonic_time() - bar.start_us) / 1e6;
        double left = part > 0.001 ? seconds / part - seconds : 0;
        g_autofree char *rate =
            block_human_size(seconds > 0.01 ? (uint64_t)((double)done / seconds) : 0);
        char line[41] = { 0 };

        memset(line, ' ', 40);
        memset(line, '#', (size_t)(part * 40));
        printf("    (%3.2f/100%%) [%s] %s/s, %d:%02d left  \r", part * 100, line, rate,
               (int)left / 60, (int)left % 60);
    }
    fflush(stdout);
}

void img_progress_end(void)
{
    if (bar.on) {
        img_progress(1, 1);     /* if it was not shown yet */
        printf("\n");
        bar.on = false;
    }
}

/* ---- parallel work ---- */

typedef struct Parallel {
    void (*fn)(void *opaque);
    void *opaque;
    unsigned running;
    CoQueue done;
} Parallel;

static void co_parallel(void *opaque)
{
    Parallel *p = opaque;

    p->fn(p->opaque);
    p->running--;
    co_queue_wake_all(&p->done);
}

void img_parallel(unsigned n, void (*co_fn)(void *opaque), void *opaque)
{
    Parallel p = { .fn = co_fn, .opaque = opaque, .running = n };
    bool was = workers_set_inline(n == 1);

    for (unsigned i = 0; i < n; i++) {
        coroutine_start(co_parallel, &p);
    }
    while (p.running) {
        co_queue_wait(&p.done, NULL);
    }
    workers_set_inline(was);
}

int co_img_status(ImgStatus *known, BlockNode *n, BlockNode *base, uint64_t at, bool want_zero,
                  BlockStatus *st)
{
    if (known->n != n || at < known->from || at >= known->end) {
        int ret = co_block_status_above(n, base, at, MIN(n->length - at, 1 * GIB), want_zero,
                                        &known->st);

        known->end = 0;
        if (ret < 0) {
            return ret;
        }
        known->n = n;
        known->from = at;
        known->end = at + known->st.bytes;
    }
    *st = known->st;
    st->bytes = known->end - at;
    st->map += at - known->from;
    return 0;
}

/* ---- main ---- */

typedef struct MainCall {
    const ImgCommand *command;
    int argc;
    char **argv;
    int ret;
} MainCall;

static void co_main(void *opaque)
{
    MainCall *c = opaque;

    c->ret = c->command->fn(c->argc, c->argv);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        {"help", no_argument, 0, 'h'},
        {"version", no_argument, 0, 'V'},
        {"trace", required_argument, 0, 'T'},
        {0, 0, 0, 0},
    };
    MainCall call = { .command = NULL };
    int c;

    tool_init("qemu-img");
    while ((c = getopt_long(argc, argv, "+:hVT:", longs, NULL)) != -1) {
        switch (c) {
        case 'h':
            img_help();
        case 'V':
            printf("qemu-img version " CONFIG_VERSION "\n");
            return 0;
        case 'T':
            break;
        case ':':
            return img_usage("missing argument for option '%s'", argv[optind - 1]);
        default:
            return img_usage("unrecognized option '%s'", argv[optind - 1]);
        }
    }
    if (optind >= argc) {
        return img_usage("Not enough arguments");
    }
    for (unsigned i = 0; i < ARRAY_COUNT(commands); i++) {
        if (strcmp(commands[i].name, argv[optind]) == 0) {
            call.command = &commands[i];
        }
    }
    if (!call.command) {
        return img_usage("Command not found: %s", argv[optind]);
    }
    call.argc = argc - optind;
    call.argv = argv + optind;
    /* commands do one thing at a time, but for img_parallel */
    workers_set_inline(true);
    block_run(co_main, &call);
    tool_exit();
    if (fflush(stdout) != 0 || ferror(stdout)) {
        /* who reads no further has what he wanted */
        return errno == EPIPE ? call.ret : tool_error("cannot write to standard output");
    }
    return call.ret;
}
