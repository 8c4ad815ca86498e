// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-img map: where an image's data are. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "img.h"
#include "util/error.h"

typedef struct Extent {
    uint64_t start, length, offset;
    unsigned depth;
    bool data, zero, present, has_offset;
    const char *filename;
} Extent;

static bool can_join(const Extent *a, const Extent *b)
{
    return a->length && a->data == b->data && a->zero == b->zero && a->present == b->present &&
           a->depth == b->depth && a->has_offset == b->has_offset && a->filename == b->filename &&
           (!a->has_offset || a->offset + a->length == b->offset);
}

static bool print_human(const Extent *e)
{
    if (!e->data || e->zero) {
        return true;
    }
    if (!e->has_offset) {
        tool_error("File contains external, encrypted or compressed clusters.");
        return false;
    }
    printf("%#-16" G_GINT64_MODIFIER "x%#-16" G_GINT64_MODIFIER "x%#-16" G_GINT64_MODIFIER "x%s\n",
           e->start, e->length, e->offset, e->filename);
    return true;
}

static void print_json(const Extent *e, bool first)
{
    printf("%s{ \"start\": %" G_GUINT64_FORMAT ", \"length\": %" G_GUINT64_FORMAT
           ", \"depth\": %u, \"present\": %s, \"zero\": %s, "
           "\"data\": %s",
           first ? "[" : ",\n", e->start, e->length, e->depth, e->present ? "true" : "false",
           e->zero ? "true" : "false", e->data ? "true" : "false");
    if (e->has_offset) {
        printf(", \"offset\": %" G_GUINT64_FORMAT, e->offset);
    }
    printf("}");
}

static int co_extent(BlockNode *n, uint64_t at, uint64_t bytes, Extent *e)
{
    BlockStatus st;
    int ret = co_block_status_above(n, NULL, at, bytes, true, &st);

    if (ret < 0) {
        return ret;
    }
    *e = (Extent){
        .start = at,
        .length = st.bytes,
        .offset = st.map,
        .depth = st.depth ? st.depth - 1 : 0,
        .data = st.flags & BLOCK_STATUS_DATA,
        .zero = st.flags & BLOCK_STATUS_ZERO,
        .present = st.flags & BLOCK_STATUS_ALLOCATED,
        .has_offset = st.flags & BLOCK_STATUS_OFFSET,
        .filename = st.flags & BLOCK_STATUS_OFFSET && st.map_node ? st.map_node->filename : NULL,
    };
    return st.bytes ? 0 : -EIO;
}

static int co_map(BlockNode *n, uint64_t at, uint64_t end, bool json)
{
    Extent current = { .length = 0 };
    bool first = true;

    if (!json) {
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    }
    while (at < end) {
        Extent e;
        int ret = co_extent(n, at, end - at, &e);

        if (ret < 0) {
            return tool_error("Failed to read image metadata: %s", g_strerror(-ret));
        }
        at += e.length;
        if (can_join(&current, &e)) {
            current.length += e.length;
            continue;
        }
        if (current.length) {
            if (json) {
                print_json(&current, first);
            } else if (!print_human(&current)) {
                return 1;
            }
            first = false;
        }
        current = e;
    }
    if (json) {
        if (current.length) {
            print_json(&current, first);
        }
        if (!current.length && first) {
            current.start = at;     /* beyond the end */
            print_json(&current, true);
        }
        printf("]\n");
        return 0;
    }
    return !current.length || print_human(&current) ? 0 : 1;
}

typedef struct MapArgs {
    const char *start, *length;
} MapArgs;

static bool map_option(int c, const char *arg, void *opaque)
{
    MapArgs *m = opaque;

    if (c == 's') {
        m->start = arg;
    } else if (c == 'l') {
        m->length = arg;
    }
    return c == 's' || c == 'l';
}

int cmd_map(int argc, char **argv)
{
    static const struct option longs[] = {
        IMG_COMMON_LONGS,
        {"format", required_argument, 0, 'f'},
        {"output", required_argument, 0, OPT_OUTPUT},
        {"image-opts", no_argument, 0, OPT_IMAGE_OPTS},
        {"force-share", no_argument, 0, 'U'},
        {"start-offset", required_argument, 0, 's'},
        {"max-length", required_argument, 0, 'l'},
        {0, 0, 0, 0},
    };
    ImgArgs a = { .format = NULL };
    MapArgs m = { NULL, NULL };
    uint64_t start = 0, length = UINT64_MAX, end;
    bool json;
    Img img;
    int ret;

    if (!img_parse(argc, argv, "f:s:l:U", longs, &a, map_option, &m) ||
        !img_output_format(&a, &json) || (m.start && !img_size(m.start, "start offset", &start)) ||
        (m.length && !img_size(m.length, "max length", &length))) {
        return 1;
    }
    if (a.first + 1 != argc) {
        return img_usage("Expecting one image file name");
    }
    if (!img_open(&img, argv[a.first], &a, a.format, NULL, 0, false)) {
        return 1;
    }
    end = MIN(img.n->length, length > UINT64_MAX - start ? UINT64_MAX : start + length);
    ret = co_map(img.n, start, end, json);
    img_close(&img);
    return ret;
}
