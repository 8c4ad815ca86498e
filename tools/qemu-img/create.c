// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-img create, resize, amend: making images and changing what they are. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "img.h"
#include "util/error.h"

/* ---- option lists ---- */

static int compare_rows(const void *a, const void *b)
{
    return strcmp((*(const OptDesc *const *)a)->name, (*(const OptDesc *const *)b)->name);
}

/* Rows that a format only hands on to the file it lies in. */
static void drop_rows_of(GPtrArray *rows, const OptDesc *table)
{
    for (const OptDesc *d = table; d && d->name; d++) {
        for (unsigned i = 0; i < rows->len; i++) {
            const OptDesc *r = g_ptr_array_index(rows, i);

            if (strcmp(d->name, "size") != 0 && strcmp(r->name, d->name) == 0 &&
                strcmp(r->help, d->help) == 0) {
                g_ptr_array_remove_index(rows, i--);
            }
        }
    }
}

static void add_rows(GPtrArray *rows, const OptDesc *table)
{
    for (const OptDesc *d = table; d && d->name; d++) {
        bool known = false;

        for (unsigned i = 0; i < rows->len; i++) {
            known |= strcmp(((const OptDesc *)g_ptr_array_index(rows, i))->name, d->name) == 0;
        }
        if (!known) {
            g_ptr_array_add(rows, (void *)d);
        }
    }
}

void img_print_create_options(const BlockDriver *d, const OptDesc *table, const char *filename,
                              bool amend)
{
    static const char *const kinds[] = {
        [OPT_STRING] = "<str>",
        [OPT_BOOL] = "<bool (on/off)>",
        [OPT_NUMBER] = "<num>",
        [OPT_SIZE] = "<size>",
    };
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    const BlockDriver *file = block_driver_find("file");

    add_rows(rows, table);
    if (filename && !amend) {
        add_rows(rows, file->create_opts);
    } else if (!amend && !d->protocol) {
        drop_rows_of(rows, file->create_opts);
    }
    qsort(rows->pdata, rows->len, sizeof(void *), compare_rows);
    printf(amend      ? "Amend options for '%s':\n"
           : filename ? "Supported options:\n"
                      : "Supported %s options:\n",
           d->name);
    for (unsigned i = 0; i < rows->len; i++) {
        const OptDesc *o = g_ptr_array_index(rows, i);
        g_autofree char *left = g_strdup_printf("%s=%s", o->name, kinds[o->kind]);

        printf("  %-22s%s%s\n", left, o->help && *o->help ? " - " : "", o->help ? o->help : "");
    }
    if (!filename && !amend) {
        printf("\nThe protocol level may support further options.\nSpecify the target filename to "
               "include those options.\n");
    }
}

static bool wants_help(const char *options)
{
    return options && keyval_wants_help(options);
}

/* ---- create ---- */

/* The text after "Formatting": what the image is made with, in the order of the reference. */
static void print_formatting(const char *filename, const BlockDriver *d, struct json_object *o)
{
    static const char *const first[] = {
        "encryption",     "encrypt.format",      "encrypt.key-secret",     "encrypt.cipher-alg",
        "encrypt.cipher-mode", "encrypt.ivgen-alg", "encrypt.ivgen-hash-alg", "encrypt.hash-alg",
        "encrypt.iter-time", "cluster_size",     "extended_l2",            "preallocation",
        "compression_type", "size",              "compat",                 "backing_file",
        "backing_fmt",    "data_file",           "data_file_raw",          "lazy_refcounts",
        "refcount_bits",  NULL,
    };
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (strcmp(d->name, "qcow2") == 0) {
        for (unsigned i = 0; first[i]; i++) {
            g_ptr_array_add(names, (void *)first[i]);
        }
    } else {
        for (const OptDesc *row = d->create_opts; row->name; row++) {
            g_ptr_array_add(names, (void *)row->name);
        }
    }
    g_ptr_array_add(names, NULL);
    json_object_object_foreach (o, key, unused) {
        (void)unused;
        if (!g_strv_contains((const char *const *)names->pdata, key)) {
            g_ptr_array_insert(names, (int)names->len - 1, key);
        }
    }
    printf("Formatting '%s', fmt=%s", filename, d->name);
    for (unsigned i = 0; i + 1 < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        struct json_object *value = NULL;

        if (!json_object_object_get_ex(o, name, &value)) {
            continue;
        }
        if (json_object_is_type(value, json_type_boolean)) {
            printf(" %s=%s", name, json_object_get_boolean(value) ? "on" : "off");
        } else {
            g_auto(GStrv) parts = g_strsplit(json_object_get_string(value), ",", -1);
            g_autofree char *text = g_strjoinv(",,", parts);

            printf(" %s=%s", name, text);
        }
    }
    printf("\n");
}

/* What a format does when nothing is said, so that it is shown. */
static void fill_defaults(const BlockDriver *d, struct json_object *o)
{
    if (strcmp(d->name, "qcow2") != 0) {
        return;
    }
    if (!opts_has(o, "cluster_size")) {
        json_object_object_add(o, "cluster_size", json_object_new_int64(65536));
    }
    if (!opts_has(o, "extended_l2")) {
        json_object_object_add(o, "extended_l2", json_object_new_boolean(false));
    }
    if (!opts_has(o, "compression_type")) {
        json_object_object_add(o, "compression_type", json_object_new_string("zlib"));
    }
    if (!opts_has(o, "lazy_refcounts")) {
        json_object_object_add(o, "lazy_refcounts", json_object_new_boolean(false));
    }
    if (!opts_has(o, "refcount_bits")) {
        json_object_object_add(o, "refcount_bits", json_object_new_int(16));
    }
}

/* Looks at the backing file for its size, if the image has none of its own. */
static bool use_backing(const char *filename, struct json_object *o, bool open_it, uint64_t *size,
                        bool *have_size, GError **error)
{
    const char *file = opts_string(o, "backing_file", NULL),
               *format = opts_string(o, "backing_fmt", NULL);
    g_autofree char *full = NULL;
    BlockNode *n;

    if (!file || !*file) {
        return true;
    }
    if (format && !block_driver_find(format)) {
        return fail(error, "Unknown driver '%s'\nCould not open backing image.", format);
    }
    if (strcmp(file, filename) == 0) {
        return fail(error,
                    "Error: Trying to create an image with the same filename as the backing file");
    }
    if (!open_it && !format) {
        return fail(error, "Backing file specified without backing format");
    }
    if (!open_it) {
        return *have_size || fail(error, "Image creation needs a size parameter");
    }
    full = block_resolve_relative(filename, file);
    n = block_open_image(full, format, NULL,
                         BLOCK_OPEN_READ_ONLY | BLOCK_OPEN_QUIET | BLOCK_OPEN_FORCE_SHARE |
                             BLOCK_OPEN_NO_IO,
                         error);
    if (!n) {
        g_autofree char *why = g_strdup((*error)->message);

        g_clear_error(error);
        return fail(error, "%s\nCould not open backing image.", why);
    }
    if (!format) {
        fail(error, "Backing file specified without backing format\nDetected format of %s.",
             n->driver->name);
        block_node_unref(n);
        return false;
    }
    if (!*have_size) {
        *size = n->length;
        *have_size = true;
    }
    block_node_unref(n);
    return true;
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

bool img_create_image(const char *filename, const char *format, const char *base,
                      const char *base_format, bool base_open, const char *options, uint64_t size,
                      bool have_size, bool quiet, const char *doing)
{
    const BlockDriver *d = block_driver_find(format);
    g_autoptr(GError) error = NULL;
    struct json_object *o = NULL, *names;
    bool good;

    if (!d) {
        tool_error("%s: Unknown file format '%s'", filename, format);
        return false;
    }
    if (!d->create_opts) {
        tool_error("%s: Format driver '%s' does not support image creation", filename, format);
        return false;
    }
    o = block_create_options(d, d->create_opts, options ? options : "", &error);
    good = o != NULL;
    if (good && have_size && !doing && opts_has(o, "size")) {
        good = fail(&error, "The image size must be specified only once");
    }
    if (good) {
        names = block_filename_options(filename, &error);
        good = names != NULL;
        json_object_put(names);
    }
    if (good && base) {
        good =
            d->backing || fail(&error, "Backing file not supported for file format '%s'", format);
        put(o, "backing_file", base);
    }
    if (good && base_format) {
        put(o, "backing_fmt", base_format);
    }
    if (good && opts_has(o, "size") && !have_size) {
        size = opts_number(o, "size", 0);
        have_size = true;
    }
    good = good && use_backing(filename, o, base_open, &size, &have_size, &error);
    if (good && !have_size) {
        good = fail(&error, "Image creation needs a size parameter");
    }
    if (good) {
        json_object_object_add(o, "size", json_object_new_uint64(size));
        fill_defaults(d, o);
        if (!quiet) {
            print_formatting(filename, d, o);
            fflush(stdout);
        }
        good = !opts_has(o, "backing_fmt") || opts_has(o, "backing_file") ||
               fail(&error, "Backing format cannot be used without backing file");
        good = good && block_create(d, filename, o, &error);
        if (!good && doing) {
            g_prefix_error(&error, "%s: ", doing);
        }
    }
    json_object_put(o);
    if (!good) {
        tool_error("%s: %s", filename, error->message);
    }
    return good;
}

int cmd_create(int argc, char **argv)
{
    static const struct option longs[] = { IMG_COMMON_LONGS, { 0, 0, 0, 0 } };
    ImgArgs a = { .format = "raw" };
    const char *filename;
    uint64_t size = 0;
    bool have_size = false;
    int left;

    if (!img_parse(argc, argv, "F:b:f:o:qu", longs, &a, NULL, NULL)) {
        return 1;
    }
    left = argc - a.first;
    filename = left > 0 ? argv[a.first] : NULL;
    if (wants_help(a.options)) {
        const BlockDriver *d = block_driver_find(a.format);

        if (!d || !d->create_opts) {
            return tool_error(d ? "Format driver '%s' does not support image creation"
                                : "Unknown file format '%s'",
                              a.format);
        }
        img_print_create_options(d, d->create_opts, filename, false);
        return 0;
    }
    if (!filename) {
        return img_usage("Expecting image file name");
    }
    if (a.base && !*a.base) {
        return tool_error("%s: Expected backing file name, got empty string", filename);
    }
    if (left > 2) {
        return img_usage("Unexpected argument: %s", argv[a.first + 2]);
    }
    if (left == 2) {
        if (!img_size(argv[a.first + 1], "image size", &size)) {
            return 1;
        }
        have_size = true;
    }
    return img_create_image(filename, a.format, a.base, a.base_format, !a.unsafe, a.options, size,
                            have_size, a.quiet, NULL)
               ? 0
               : 1;
}

/* ---- resize ---- */

static bool resize_option(int c, const char *arg, void *opaque)
{
    *(bool *)opaque |= c == OPT_SHRINK;
    return c == OPT_SHRINK;
}

/* getopt would take "-1G" for options: the size is taken off first. */
static bool take_size(int *argc, char **argv, char *sign, uint64_t *value)
{
    const char *text = *argc > 2 ? argv[*argc - 1] : NULL;
    g_autoptr(GError) error = NULL;

    if (!text) {
        return false;
    }
    *sign = *text == '+' || *text == '-' ? *text : 0;
    argv[--*argc] = NULL;
    if (!size_parse(text + (*sign != 0), "size", value, &error)) {
        tool_error("%s", error->message);
        return false;
    }
    return true;
}

int cmd_resize(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"preallocation", required_argument, 0, OPT_PREALLOCATION},
        {"shrink", no_argument, 0, OPT_SHRINK},
        {0, 0, 0, 0},
    };
    g_autoptr(GError) error = NULL;
    ImgArgs a = { .format = NULL };
    bool shrink = false, good;
    BlockPrealloc prealloc = PREALLOC_OFF;
    uint64_t value = 0, size;
    char sign = 0;
    Img img;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            img_help();
        }
    }
    if (argc < 3) {
        return img_usage("Not enough arguments");
    }
    if (!take_size(&argc, argv, &sign, &value) ||
        !img_parse(argc, argv, "f:q", longs, &a, resize_option, &shrink)) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting image file name and size");
    }
    if (a.prealloc && !block_prealloc_parse(a.prealloc, &prealloc, &error)) {
        return tool_error("Invalid preallocation mode '%s'", a.prealloc);
    }
    if (!img_open(&img, argv[a.first], &a, a.format, NULL, 0, true)) {
        return 1;
    }
    size = sign == '+'   ? img.n->length + value
           : sign == '-' ? img.n->length - MIN(value, img.n->length)
                         : value;
    if (size == 0) {
        img_close(&img);
        return tool_error("New image size must be positive");
    }
    size = (size + 511) & ~511ull;
    if (size <= img.n->length && prealloc != PREALLOC_OFF) {
        img_close(&img);
        return tool_error("Preallocation can only be used for growing images");
    }
    if (size < img.n->length && !shrink) {
        img_close(&img);
        tool_error("Use the --shrink option to perform a shrink operation.");
        fprintf(
            stderr,
            "qemu-img: warning: Shrinking an image will delete all data beyond the shrunken "
            "image's end. "
            "Before performing such an operation, make sure there is no important data there.\n");
        return 1;
    }
    good = co_block_truncate(img.n, size, prealloc, &error);
    img_close(&img);
    if (!good) {
        return tool_fail(g_steal_pointer(&error));
    }
    if (!a.quiet) {
        printf("Image resized.\n");
    }
    return 0;
}

/* ---- amend ---- */

static bool amend_option(int c, const char *arg, void *opaque)
{
    *(bool *)opaque |= c == OPT_FORCE;
    return c == OPT_FORCE;
}

static void amend_progress(void *opaque, uint64_t done, uint64_t total)
{
    img_progress(done, total);
}

/* The first option that amend does not have is one of create. */
static bool only_for_creation(const BlockDriver *d, const char *options)
{
    g_autoptr(GError) ignored = NULL;
    struct json_object *o = block_create_options(d, d->create_opts, options, &ignored);

    json_object_put(o);
    return o != NULL;
}

static bool amend_may(const Img *img, struct json_object *o, GError **error)
{
    const char *file = opts_string(o, "backing_file", NULL),
               *format = opts_string(o, "backing_fmt", NULL);

    if ((file && g_strcmp0(file, img->n->backing_file) != 0) ||
        (format && g_strcmp0(format, img->n->backing_format) != 0)) {
        return fail(error,
                    "Cannot amend the backing file\nYou can use 'qemu-img rebase' instead.");
    }
    return true;
}

int cmd_amend(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"force", no_argument, 0, OPT_FORCE},
        {0, 0, 0, 0},
    };
    g_autoptr(GError) error = NULL;
    ImgArgs a = { .format = NULL };
    bool force = false, good;
    struct json_object *o;
    Img img;

    if (!img_parse(argc, argv, "o:qf:t:p", longs, &a, amend_option, &force)) {
        return 1;
    }
    if (!a.options) {
        return img_usage("Must specify options (-o)");
    }
    if (wants_help(a.options) && a.format) {
        const BlockDriver *d = block_driver_find(a.format);

        if (!d || !d->amend_opts) {
            return tool_error(d ? "Format driver '%s' does not support option amendment"
                                : "Unknown file format '%s'",
                              a.format);
        }
        img_print_create_options(d, d->amend_opts, NULL, true);
        return 0;
    }
    if (optind + 1 != argc) {
        return tool_error("Expecting one image file name");
    }
    if (!img_open(&img, argv[optind], &a, a.format, a.cache, 0, true)) {
        return 1;
    }
    if (!img.n->driver->amend_opts) {
        tool_error("Format driver '%s' does not support option amendment", img.n->driver->name);
        img_close(&img);
        return 1;
    }
    if (wants_help(a.options)) {
        img_print_create_options(img.n->driver, img.n->driver->amend_opts, NULL, true);
        img_close(&img);
        return 0;
    }
    o = block_create_options(img.n->driver, img.n->driver->amend_opts, a.options, &error);
    img_progress_start(a.progress && !a.quiet);
    good = o && amend_may(&img, o, &error) &&
           img.n->driver->co_amend(img.n, o, force, amend_progress, NULL, &error);
    json_object_put(o);
    if (good) {
        img_progress_end();
    }
    if (!good) {
        tool_fail(g_steal_pointer(&error));
        if (!o && only_for_creation(img.n->driver, a.options)) {
            fprintf(stderr, "This option is only supported for image creation\n");
        }
    }
    img_close(&img);
    return good ? 0 : 1;
}
