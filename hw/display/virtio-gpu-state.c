// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a virtio GPU saves: its resources with their pictures, which are packed, what each screen
 * shows, the cursors. Pictures beyond MAX_PACKED are read again from the guest's memory.
 */
#include <string.h>
#include <zlib.h>

#include "util/blob.h"
#include "util/error.h"
#include "virtio-gpu.h"

#define MAX_PACKED (40u * MIB)
#define CURSOR_BYTES (GPU_CURSOR_SIZE * GPU_CURSOR_SIZE * 4u)

/* 0: the picture is in the guest's memory alone. */
static void put_picture(GByteArray *b, const GpuResource *r)
{
    uLong packed = compressBound(r->bytes);
    g_autofree uint8_t *out = b->len < MAX_PACKED ? g_try_malloc(packed) : NULL;
    const uint8_t *pixels = (const uint8_t *)pixman_image_get_data(r->image);

    if (!out || compress2(out, &packed, pixels, r->bytes, Z_BEST_SPEED) != Z_OK ||
        packed > MAX_PACKED - b->len) {
        packed = 0;
    }
    blob_put_u32(b, (uint32_t)packed);
    blob_put(b, out, packed);
}

void virtio_gpu_saving(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;
    GByteArray *b = g_byte_array_new();
    GHashTableIter i;
    gpointer p;

    blob_put_u32(b, g_hash_table_size(s->resources));
    g_hash_table_iter_init(&i, s->resources);
    while (g_hash_table_iter_next(&i, NULL, &p)) {
        const GpuResource *r = p;

        blob_put_u32(b, r->id);
        blob_put_u32(b, r->format);
        blob_put_u32(b, r->width);
        blob_put_u32(b, r->height);
        blob_put_u32(b, r->backing ? r->pieces + 1 : 0);
        for (uint32_t k = 0; r->backing && k < r->pieces; k++) {
            blob_put_u64(b, r->backing[k].addr);
            blob_put_u32(b, (uint32_t)r->backing[k].len);
        }
        put_picture(b, r);
    }
    for (unsigned k = 0; k < s->max_outputs; k++) {
        const Scanout *o = &s->scanout[k];

        blob_put_u32(b, o->resource ? o->resource->id : 0);
        blob_put_u32(b, o->x);
        blob_put_u32(b, o->y);
        blob_put_u32(b, o->width);
        blob_put_u32(b, o->height);
        blob_put_u32(b, o->cursor != NULL);
        if (o->cursor) {
            blob_put_u32(b, (uint32_t)o->cursor_x);
            blob_put_u32(b, (uint32_t)o->cursor_y);
            blob_put_u32(b, (uint32_t)o->hot_x);
            blob_put_u32(b, (uint32_t)o->hot_y);
            blob_put(b, pixman_image_get_data(o->cursor), CURSOR_BYTES);
        }
    }
    if (s->saved) {
        g_byte_array_unref(s->saved);
    }
    s->saved = b;
}

static bool get_backing(GpuResource *r, BlobReader *in)
{
    uint32_t n = blob_get_u32(in);

    if (n == 0) {
        return true;
    }
    if (n - 1 > GPU_MAX_ENTRIES) {
        return false;
    }
    r->backing = g_new0(DmaSg, n);
    r->pieces = n - 1;
    for (uint32_t k = 0; k < r->pieces; k++) {
        r->backing[k].addr = blob_get_u64(in);
        r->backing[k].len = blob_get_u32(in);
    }
    return true;
}

static bool get_resource(VirtioGpu *s, BlobReader *in)
{
    uint32_t id = blob_get_u32(in), format = blob_get_u32(in);
    uint32_t width = blob_get_u32(in), height = blob_get_u32(in);

    if (virtio_gpu_create(s, id, format, width, height) != GPU_OK_NODATA) {
        return false;
    }
    GpuResource *r = g_hash_table_lookup(s->resources, GUINT_TO_POINTER(id));

    if (!get_backing(r, in)) {
        return false;
    }
    uint32_t packed = blob_get_u32(in);
    const uint8_t *from = blob_get(in, packed);
    uLong len = r->bytes;

    r->refill = packed == 0;
    return from && (packed == 0 || (uncompress((uint8_t *)pixman_image_get_data(r->image), &len,
                                               from, packed) == Z_OK &&
                                    len == r->bytes));
}

static bool get_cursor(Scanout *o, BlobReader *in)
{
    o->cursor_x = (int)blob_get_u32(in);
    o->cursor_y = (int)blob_get_u32(in);
    o->hot_x = (int)blob_get_u32(in);
    o->hot_y = (int)blob_get_u32(in);
    const uint8_t *pixels = blob_get(in, CURSOR_BYTES);

    if (!pixels || o->cursor_x < 0 || o->cursor_x > (int)GPU_MAX_SIZE || o->cursor_y < 0 ||
        o->cursor_y > (int)GPU_MAX_SIZE || o->hot_x < 0 || o->hot_x > (int)GPU_CURSOR_SIZE ||
        o->hot_y < 0 || o->hot_y > (int)GPU_CURSOR_SIZE) {
        return false;
    }
    o->cursor =
        pixman_image_create_bits(PIXMAN_a8r8g8b8, GPU_CURSOR_SIZE, GPU_CURSOR_SIZE, NULL, 0);
    memcpy(pixman_image_get_data(o->cursor), pixels, CURSOR_BYTES);
    return true;
}

static bool get_scanout(VirtioGpu *s, unsigned n, BlobReader *in)
{
    uint32_t id = blob_get_u32(in), x = blob_get_u32(in), y = blob_get_u32(in);
    uint32_t w = blob_get_u32(in), h = blob_get_u32(in);

    if (id && virtio_gpu_show(s, n, id, x, y, w, h) != GPU_OK_NODATA) {
        return false;
    }
    s->scanout[n].dirty = true;
    return !blob_get_u32(in) || get_cursor(&s->scanout[n], in);
}

/* The machine was reset: there is nothing but what is made here, and a reset follows a failure. */
bool virtio_gpu_check_load(VirtioDevice *v, GError **error)
{
    VirtioGpu *s = (VirtioGpu *)v;
    BlobReader in = blob_reader(s->saved);
    bool good = true;

    for (uint32_t n = blob_get_u32(&in); good && n; n--) {
        good = get_resource(s, &in);
    }
    for (unsigned k = 0; good && k < s->max_outputs; k++) {
        good = get_scanout(s, k, &in);
    }
    return (good && !in.bad && !in.left) || fail(error, "its resources make no sense");
}

void virtio_gpu_loaded(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;
    GHashTableIter i;
    gpointer p;

    g_hash_table_iter_init(&i, s->resources);
    while (g_hash_table_iter_next(&i, NULL, &p)) {
        GpuResource *r = p;

        if (r->refill) {
            virtio_gpu_fill(s, r);
            r->refill = false;
        }
    }
    g_clear_pointer(&s->saved, g_byte_array_unref);
}
