// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-img bitmap: makes, removes and changes the persistent bitmaps of an image. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/bitmap.h"
#include "img.h"
#include "util/error.h"

#define MAX_ACTIONS 64

typedef struct BitmapArgs {
    struct { int what; const char *source; } actions[MAX_ACTIONS];
    unsigned count;
    uint32_t granularity;
    bool granularity_given;
} BitmapArgs;

static bool bitmap_option(int k, const char *arg, void *opaque)
{
    BitmapArgs *b = opaque;
    uint64_t v;

    if (k == 'g') {
        if (!img_size(arg, "granularity", &v)) {
            exit(1);
        }
        v = v > 1u << 31 ? 0 : v; /* which is refused as any other that makes no sense */
        b->granularity = (uint32_t)v;
        b->granularity_given = true;
        return true;
    }
    if (k < OPT_ADD || k > OPT_MERGE || b->count == MAX_ACTIONS) {
        return false;
    }
    b->actions[b->count].what = k;
    b->actions[b->count++].source = arg;
    return true;
}

static bool co_add(BlockNode *n, const char *name, uint32_t granularity, GError **error)
{
    DirtyBitmap *b;

    if (!n->driver->co_can_store_bitmap) {
        return fail(error, "Can't store persistent bitmaps to %s: Operation not supported",
                    n->name);
    }
    if (dirty_bitmap_find(n, name)) {
        return fail(error, "Bitmap already exists: %s", name);
    }
    if (!n->driver->co_can_store_bitmap(n, name, granularity, error)) {
        g_prefix_error(error, "Can't make bitmap '%s' persistent in '%s': ", name, n->name);
        return false;
    }
    b = dirty_bitmap_new(n, name, granularity, error);
    if (b) {
        b->persistent = true;
    }
    return b != NULL;
}

static bool co_action(BlockNode *n, BlockNode *source, const BitmapArgs *args, unsigned i,
                      const char *name, GError **error)
{
    int what = args->actions[i].what;
    DirtyBitmap *b = dirty_bitmap_find(n, name), *from;
    bool good;

    if (what == OPT_ADD) {
        return co_add(n, name, args->granularity, error);
    }
    if (!b) {
        return fail(error, "Dirty bitmap '%s' not found", name);
    }
    switch (what) {
    case OPT_REMOVE:
        good = !n->driver->co_remove_bitmap || n->driver->co_remove_bitmap(n, name, error);
        if (good) {
            dirty_bitmap_free(b);
        }
        return good;
    case OPT_CLEAR:
        if (!dirty_bitmap_check(b, BITMAP_INCONSISTENT, error)) {
            return false;
        }
        dirty_bitmap_clear_all(b);
        return true;
    case OPT_ENABLE:
    case OPT_DISABLE:
        if (!dirty_bitmap_check(b, BITMAP_INCONSISTENT, error)) {
            return false;
        }
        b->enabled = what == OPT_ENABLE;
        return true;
    default:
        from = dirty_bitmap_find(source, args->actions[i].source);
        if (!from) {
            return fail(error, "Dirty bitmap '%s' not found", args->actions[i].source);
        }
        return dirty_bitmap_check(from, BITMAP_INCONSISTENT, error) &&
               dirty_bitmap_merge(b, from, error);
    }
}

static const char *action_name(int what)
{
    static const char *const names[] = { "add", "remove", "clear", "enable", "disable", "merge" };

    return names[what - OPT_ADD];
}

int cmd_bitmap(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"add", no_argument, 0, OPT_ADD},
        {"remove", no_argument, 0, OPT_REMOVE},
        {"clear", no_argument, 0, OPT_CLEAR},
        {"enable", no_argument, 0, OPT_ENABLE},
        {"disable", no_argument, 0, OPT_DISABLE},
        {"merge", required_argument, 0, OPT_MERGE},
        {"granularity", required_argument, 0, 'g'},
        {"source-file", required_argument, 0, 'b'},
        {"source-format", required_argument, 0, 'F'},
        {0, 0, 0, 0},
    };
    BitmapArgs b = { .granularity = BITMAP_DEFAULT_GRANULARITY };
    Img img = { NULL, NULL }, source = { NULL, NULL };
    g_autoptr(GError) error = NULL;
    ImgArgs a = { .format = NULL };
    bool adds = false, merges = false;
    int ret = 0;

    if (!img_parse(argc, argv, "b:f:F:g:h", longs, &a, bitmap_option, &b)) {
        return 1;
    }
    for (unsigned i = 0; i < b.count; i++) {
        adds |= b.actions[i].what == OPT_ADD;
        merges |= b.actions[i].what == OPT_MERGE;
    }
    if (!b.count) {
        return tool_error(
            "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (a.first + 2 != argc) {
        return tool_error("Expecting filename and bitmap name");
    }
    if (b.granularity_given && !adds) {
        return tool_error("granularity only supported with --add");
    }
    if (a.base_format && !a.base) {
        return tool_error("-F only supported with -b");
    }
    if (a.base && !merges) {
        return tool_error("Merge bitmap source file only supported with --merge");
    }
    if (!img_open(&img, argv[a.first], &a, a.format, NULL, BLOCK_OPEN_NO_BACKING, true)) {
        return 1;
    }
    if (a.base) {
        ImgArgs plain = { .format = NULL };

        if (!img_open(&source, a.base, &plain, a.base_format, NULL, BLOCK_OPEN_NO_BACKING, false)) {
            img_close(&img);
            return 1;
        }
    }
    for (unsigned i = 0; ret == 0 && i < b.count; i++) {
        if (!co_action(img.n, source.n ? source.n : img.n, &b, i, argv[a.first + 1], &error)) {
            ret = tool_error("Operation %s on bitmap %s failed: %s", action_name(b.actions[i].what),
                             argv[a.first + 1], error->message);
        }
    }
    if (source.n) {
        img_close(&source);
    }
    img_close(&img);
    return ret;
}
