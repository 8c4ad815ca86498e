// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-img info, check, measure, snapshot: what images are, for people and as JSON. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "block/image-text.h"
#include "img.h"
#include "util/error.h"

static const struct option info_longs[] = {
    IMG_COMMON_LONGS, { "format", required_argument, 0, 'f' }, { "output", required_argument, 0, OPT_OUTPUT },
    { "backing-chain", no_argument, 0, OPT_BACKING_CHAIN }, { "image-opts", no_argument, 0, OPT_IMAGE_OPTS },
    { "force-share", no_argument, 0, 'U' }, { "repair", required_argument, 0, 'r' }, { "size", required_argument, 0, OPT_SIZE_VALUE },
    { "object", required_argument, 0, OPT_OBJECT }, { 0, 0, 0, 0 },
};

static void put_int(struct json_object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

static void put_text(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* ---- info ---- */

static void print_text(void (*text)(GString *out, GArray *list), GArray *list)
{
    g_autoptr(GString) out = g_string_new(NULL);

    text(out, list);
    fputs(out->str, stdout);
}

static void print_info(BlockNode *n)
{
    g_autoptr(GString) out = g_string_new(NULL);

    co_image_text(out, n);
    fputs(out->str, stdout);
}

static bool info_option(int c, const char *arg, void *opaque)
{
    *(bool *)opaque |= c == OPT_BACKING_CHAIN;
    return c == OPT_BACKING_CHAIN;
}

int cmd_info(int argc, char **argv)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *filename = NULL;
    struct json_object *all = NULL;
    ImgArgs a = { .format = NULL };
    bool chain = false, json, first = true;
    const char *format;

    if (!img_parse(argc, argv, "f:U", info_longs, &a, info_option, &chain) ||
        !img_output_format(&a, &json)) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    filename = g_strdup(argv[a.first]);
    format = a.format;
    all = json_object_new_array();
    while (filename) {
        g_autofree char *below = NULL, *below_format = NULL;
        Img img;

        if (!g_hash_table_add(seen, g_strdup(filename))) {
            json_object_put(all);
            return tool_error("Backing file '%s' creates an infinite loop.", filename);
        }
        if (!img_open(&img, filename, &a, format, NULL,
                      BLOCK_OPEN_NO_BACKING | BLOCK_OPEN_NO_IO | BLOCK_OPEN_QUIET, false)) {
            json_object_put(all);
            return 1;
        }
        if (json) {
            json_object_array_add(all, co_image_json(img.n));
        } else {
            printf(first ? "" : "\n");
            print_info(img.n);
        }
        first = false;
        if (chain && img.n->backing_file) {
            below = block_resolve_relative(img.n->filename, img.n->backing_file);
            below_format = g_strdup(img.n->backing_format);
        }
        img_close(&img);
        a.image_opts = false;
        g_free(filename);
        filename = g_steal_pointer(&below);
        format = below_format ? g_intern_string(below_format) : NULL;
    }
    if (json && chain) {
        img_print_json(all);
    } else {
        if (json) {
            img_print_json(json_object_get(json_object_array_get_idx(all, 0)));
        }
        json_object_put(all);
    }
    return 0;
}

/* ---- snapshot ---- */

typedef struct SnapshotArgs {
    int action;
    const char *name;
} SnapshotArgs;

static bool snapshot_option(int c, const char *arg, void *opaque)
{
    SnapshotArgs *s = opaque;

    if (c != 'l' && c != 'a' && c != 'c' && c != 'd') {
        return false;
    }
    if (s->action) {
        img_usage("Cannot mix '-l', '-a', '-c', '-d'");
        s->action = -1;
    } else {
        s->action = c;
        s->name = arg;
    }
    return true;
}

/* By name: another one may have that as its id. */
static bool co_delete_snapshot(BlockNode *n, const char *name, GError **error)
{
    g_autoptr(GArray) list = co_block_snapshots(n);

    for (unsigned i = 0; i < list->len; i++) {
        const BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);

        if (strcmp(s->name, name) == 0) {
            return n->driver->co_snapshot_delete(n, s->id, s->name, error);
        }
    }
    return fail(error, "snapshot not found");
}

static int co_snapshot_action(BlockNode *n, const SnapshotArgs *s)
{
    g_autoptr(GError) error = NULL;
    bool good = true;

    if (!s->action) {
        return 0;
    }
    if (s->action == 'l') {
        g_autoptr(GArray) list = co_block_snapshots(n);

        if (list->len) {
            print_text(snapshots_text, list);
        }
        return 0;
    }
    if (!n->driver->co_snapshot_create && s->action == 'd') {
        return tool_error("Could not delete snapshot '%s': snapshot not found", s->name);
    }
    if (!n->driver->co_snapshot_create && s->action == 'a') {
        return tool_error("Could not apply snapshot '%s': Block driver does not support snapshots",
                          s->name);
    }
    if (!n->driver->co_snapshot_create) {
        return tool_error("Could not create snapshot '%s': %d (Operation not supported)",
                          s->name, -EOPNOTSUPP);
    }
    switch (s->action) {
    case 'c': {
        BlockSnapshot sn = { .icount = 0 };
        int64_t now = g_get_real_time();

        g_strlcpy(sn.name, s->name, sizeof(sn.name));
        sn.date_sec = now / 1000000;
        sn.date_nsec = now % 1000000 * 1000;
        good = n->driver->co_snapshot_create(n, &sn, &error);
        break;
    }
    case 'a':
        good = n->bitmaps && n->bitmaps->len
                   ? fail(&error, "Device has active dirty bitmaps")
                   : n->driver->co_snapshot_goto(n, s->name, &error);
        break;
    default:
        good = co_delete_snapshot(n, s->name, &error);
    }
    if (!good) {
        return tool_error("Could not %s snapshot '%s': %s",
                          s->action == 'c'   ? "create"
                          : s->action == 'a' ? "apply"
                                             : "delete",
                          s->name, error->message);
    }
    return 0;
}

int cmd_snapshot(int argc, char **argv)
{
    SnapshotArgs s = { .action = 0 };
    ImgArgs a = { .format = NULL };
    Img img;
    int ret;

    if (!img_parse(argc, argv, "la:c:d:qU", info_longs, &a, snapshot_option, &s) ||
        s.action == -1) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!img_open(&img, argv[a.first], &a, NULL, NULL, BLOCK_OPEN_NO_BACKING,
                  s.action != 'l')) {
        return 1;
    }
    ret = co_snapshot_action(img.n, &s);
    img_close(&img);
    return ret;
}

/* Whether "snapshot.id=..,snapshot.name=.." has nothing else in it; says so otherwise. */
static bool snapshot_words(const char *text)
{
    g_autoptr(GError) error = NULL;
    struct json_object *o = keyval_parse(text, NULL, &error);
    bool good = o != NULL;

    if (good) {
        json_object_object_foreach (o, key, value) {
            (void)value;
            if (good && strcmp(key, "snapshot.id") != 0 && strcmp(key, "snapshot.name") != 0) {
                good = fail(&error, "Invalid parameter '%s'", key);
            }
        }
        json_object_put(o);
    }
    if (!good) {
        tool_error("%s", error->message);
        tool_error("Failed in parsing snapshot param '%s'", text);
    }
    return good;
}

bool co_img_snapshot_load(BlockNode *n, const char *text)
{
    const char *id = NULL, *name = NULL;
    g_autoptr(GError) error = NULL;
    struct json_object *o = NULL;
    bool good;

    if (!text) {
        return true;
    }
    if (!n->driver->co_snapshot_load) {
        if (!g_str_has_prefix(text, "snapshot.") || snapshot_words(text)) {
            tool_error("Failed to load snapshot: Block format '%s' used by device '' does not "
                       "support temporarily loading internal snapshots",
                       n->driver->name);
        }
        return false;
    }
    if (g_str_has_prefix(text, "snapshot.")) {
        if (!snapshot_words(text)) {
            return false;
        }
        o = keyval_parse(text, NULL, &error);
        id = o ? keyval_get(o, "snapshot.id") : NULL;
        name = o ? keyval_get(o, "snapshot.name") : NULL;
        good = o && n->driver->co_snapshot_load(n, id, name, &error);
    } else {
        good = n->driver->co_snapshot_load(n, text, NULL, &error);
        if (!good) {
            g_clear_error(&error);
            good = n->driver->co_snapshot_load(n, NULL, text, &error);
        }
    }
    json_object_put(o);
    if (!good) {
        tool_error("Failed to load snapshot: %s", error ? error->message : "");
    }
    return good;
}

/* ---- check ---- */

static void say_line(BlockCheck *c, const char *line)
{
    fflush(stdout);
    fprintf(stderr, "%s\n", line);
}

static bool check_option(int c, const char *arg, void *opaque)
{
    if (c == 'r') {
        *(const char **)opaque = arg;
        return true;
    }
    return false;
}

static void print_check(const BlockCheck *r)
{
    if (!r->corruptions && !r->leaks && !r->check_errors) {
        printf("No errors were found on the image.\n");
    } else {
        if (r->corruptions) {
            printf("\n%" G_GINT64_FORMAT " errors were found on the image.\n"
                   "Data may be corrupted, or further writes to the image may corrupt it.\n",
                   r->corruptions);
        }
        if (r->leaks) {
            printf("\n%" G_GINT64_FORMAT " leaked clusters were found on the image.\n"
                   "This means waste of disk space, but no harm to data.\n", r->leaks);
        }
        if (r->check_errors) {
            printf("\n%" G_GINT64_FORMAT " internal errors have occurred during the check.\n",
                   r->check_errors);
        }
    }
    if (r->total_clusters && r->allocated_clusters) {
        printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT
               " = %0.2f%% allocated, %0.2f%% fragmented, %0.2f%% compressed clusters\n",
               r->allocated_clusters, r->total_clusters,
               (double)r->allocated_clusters * 100.0 / (double)r->total_clusters,
               (double)r->fragmented_clusters * 100.0 / (double)r->allocated_clusters,
               (double)r->compressed_clusters * 100.0 / (double)r->allocated_clusters);
    }
    if (r->image_end_offset > 0) {
        printf("Image end offset: %" G_GINT64_FORMAT "\n", r->image_end_offset);
    }
}

static void put_if(struct json_object *o, const char *key, int64_t value)
{
    if (value) {
        put_int(o, key, value);
    }
}

static void print_check_json(const BlockCheck *r, const char *filename, const char *format)
{
    struct json_object *o = json_object_new_object();

    put_if(o, "image-end-offset", r->image_end_offset);
    put_if(o, "total-clusters", r->total_clusters);
    put_int(o, "check-errors", r->check_errors);
    put_if(o, "corruptions", r->corruptions);
    put_if(o, "leaks", r->leaks);
    put_if(o, "corruptions-fixed", r->corruptions_fixed);
    put_if(o, "leaks-fixed", r->leaks_fixed);
    put_if(o, "allocated-clusters", r->allocated_clusters);
    put_if(o, "fragmented-clusters", r->fragmented_clusters);
    put_if(o, "compressed-clusters", r->compressed_clusters);
    put_text(o, "filename", filename);
    put_text(o, "format", format);
    img_print_json(o);
}

static int co_check(Img *img, const ImgArgs *a, bool json, unsigned fix)
{
    BlockNode *n = img->n;
    g_autoptr(GError) error = NULL;
    BlockCheck r = { .say = say_line };

    if (!n->driver->co_check) {
        tool_error("This image format does not support checks");
        return 63;
    }
    if (!n->driver->co_check(n, &r, fix, &error)) {
        tool_error("Check failed: %s", error->message);
        return 1;
    }
    if (r.cannot_fix) {
        tool_error("This image format does not support checks");
        return 63;
    }
    if ((r.corruptions_fixed || r.leaks_fixed) && !json) {
        int64_t leaks = r.leaks_fixed, corruptions = r.corruptions_fixed;

        if (!a->quiet) {
            printf("The following inconsistencies were found and repaired:\n\n    %" G_GINT64_FORMAT
                   " leaked clusters\n    %" G_GINT64_FORMAT
                   " corruptions\n\nDouble checking the fixed image now...\n",
                   leaks, corruptions);
        }
        r = (BlockCheck){ .say = say_line };
        if (!n->driver->co_check(n, &r, 0, &error)) {
            tool_error("Check failed: %s", error->message);
            return 1;
        }
        r.leaks_fixed = leaks;
        r.corruptions_fixed = corruptions;
    }
    if (json) {
        print_check_json(&r, n->filename, n->driver->name);
    } else if (!a->quiet) {
        print_check(&r);
    }
    return r.check_errors ? 1 : r.corruptions ? 2 : r.leaks ? 3 : 0;
}

int cmd_check(int argc, char **argv)
{
    const char *repair = NULL;
    ImgArgs a = { .format = NULL };
    unsigned fix = 0;
    bool json;
    Img img;
    int ret;

    if (!img_parse(argc, argv, "f:qr:T:U", info_longs, &a, check_option, &repair) ||
        !img_output_format(&a, &json)) {
        return 1;
    }
    if (repair && strcmp(repair, "leaks") == 0) {
        fix = BLOCK_FIX_LEAKS;
    } else if (repair && strcmp(repair, "all") == 0) {
        fix = BLOCK_FIX_LEAKS | BLOCK_FIX_ERRORS;
    } else if (repair) {
        return img_usage("Unknown option value for -r (expecting 'leaks' or 'all'): %s", repair);
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!img_source_cache(&a)) {
        return 1;
    }
    if (fix && a.share) {
        return tool_error("Could not open '%s': force-share=on can only be used with read-only "
                          "images",
                          argv[a.first]);
    }
    if (!img_open(&img, argv[a.first], &a, a.format, a.src_cache,
                  BLOCK_OPEN_CHECK | BLOCK_OPEN_NO_BACKING, fix != 0)) {
        return 1;
    }
    ret = co_check(&img, &a, json, fix);
    img_close(&img);
    return ret;
}

/* ---- measure ---- */

static int co_measure(const ImgArgs *a, BlockNode *in, uint64_t size, bool json)
{
    const BlockDriver *d = block_driver_find(a->out_format);
    g_autoptr(GError) error = NULL;
    BlockMeasure m = { .required = 0 };
    struct json_object *o;

    if (!d) {
        return tool_error("Unknown file format '%s'", a->out_format);
    }
    if (!d->co_measure || !d->create_opts) {
        return tool_error("Block driver '%s' does not support size measurement", d->name);
    }
    o = block_create_options(d, d->create_opts, a->options ? a->options : "", &error);
    if (!o) {
        return tool_fail(g_steal_pointer(&error));
    }
    json_object_object_add(o, "size", json_object_new_uint64(size));
    if (!d->co_measure(o, in, &m, &error)) {
        json_object_put(o);
        return tool_fail(g_steal_pointer(&error));
    }
    json_object_put(o);
    if (json) {
        struct json_object *out = json_object_new_object();

        if (m.has_bitmaps) {
            put_int(out, "bitmaps", (int64_t)m.bitmaps);
        }
        put_int(out, "required", (int64_t)m.required);
        put_int(out, "fully-allocated", (int64_t)m.fully_allocated);
        img_print_json(out);
    } else {
        printf("required size: %" G_GUINT64_FORMAT "\nfully allocated size: %" G_GUINT64_FORMAT
               "\n",
               m.required, m.fully_allocated);
        if (m.has_bitmaps) {
            printf("bitmaps size: %" G_GUINT64_FORMAT "\n", m.bitmaps);
        }
    }
    return 0;
}

int cmd_measure(int argc, char **argv)
{
    ImgArgs a = { .out_format = "raw" };
    uint64_t size = 0;
    bool json;
    Img img = { NULL, NULL };
    int ret;

    if (!img_parse(argc, argv, "f:l:o:O:U", info_longs, &a, NULL, NULL) ||
        !img_output_format(&a, &json)) {
        return 1;
    }
    if (a.first + 1 < argc) {
        return tool_error("At most one filename argument is allowed.");
    }
    if (a.first == argc) {
        if (a.image_opts || a.snapshot || a.format) {
            return tool_error(
                "--image-opts, -f, and -l can only be used with a filename argument.");
        }
        if (!a.size) {
            return tool_error("Either --size N or one filename must be specified.");
        }
        return img_size(a.size, "image size", &size) ? co_measure(&a, NULL, size, json) : 1;
    }
    if (a.size) {
        return tool_error("--size N cannot be used together with a filename.");
    }
    if (!img_open(&img, argv[a.first], &a, a.format, NULL, 0, false)) {
        return 1;
    }
    if (!co_img_snapshot_load(img.n, a.snapshot)) {
        img_close(&img);
        return 1;
    }
    ret = co_measure(&a, img.n, img.n->length, json);
    img_close(&img);
    return ret;
}
