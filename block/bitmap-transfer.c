// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dirty bitmaps that go to another process with their machine: what is packed here is unpacked
 * there, and may come from anywhere. All numbers have their most significant byte first.
 *
 *     u32 bytes, node's alias; u32 bytes, bitmap's alias; u32 granularity; u32 flags;
 *     u64 bytes of the disk; u32 bytes of bits, bits: bit i is byte i / 8, bit i % 8
 */
#include <string.h>

#include "block/bitmap.h"
#include "block/driver.h"
#include "block/graph.h"
#include "qapi/qapi-types.h"
#include "util/bswap.h"
#include "util/error.h"

#define MAX_NAME 1023
/* All of them, in bytes. */
#define MAX_PACKED (256 * MIB)

enum {
    FLAG_ENABLED = 1,
    FLAG_PERSISTENT = 2
};

/* ---- what the mapping says ---- */

static const BitmapMigrationNodeAlias *node_row(const GPtrArray *mapping, const char *name,
                                                bool by_alias)
{
    for (guint i = 0; i < mapping->len; i++) {
        const BitmapMigrationNodeAlias *r = mapping->pdata[i];

        if (strcmp(by_alias ? r->alias : r->node_name, name) == 0) {
            return r;
        }
    }
    return NULL;
}

static const BitmapMigrationBitmapAlias *bitmap_row(const BitmapMigrationNodeAlias *node,
                                                    const char *name, bool by_alias)
{
    for (guint i = 0; i < node->bitmaps->len; i++) {
        const BitmapMigrationBitmapAlias *r = node->bitmaps->pdata[i];

        if (strcmp(by_alias ? r->alias : r->name, name) == 0) {
            return r;
        }
    }
    return NULL;
}

/* ---- out ---- */

static void put_u32(GByteArray *out, uint32_t v)
{
    uint8_t b[4];

    store_be32(b, v);
    g_byte_array_append(out, b, sizeof(b));
}

static void put_text(GByteArray *out, const char *text)
{
    put_u32(out, (uint32_t)strlen(text));
    g_byte_array_append(out, (const uint8_t *)text, (guint)strlen(text));
}

static uint64_t bit_bytes(const DirtyBitmap *b)
{
    return (dirty_bitmap_bits(b) + 7) / 8;
}

static bool put_bitmap(GByteArray *out, const DirtyBitmap *b, const char *node, const char *name,
                       bool persistent, GError **error)
{
    uint8_t length[8];

    if (!dirty_bitmap_check(b, BITMAP_BUSY | BITMAP_INCONSISTENT, error)) {
        return false;
    }
    if (bit_bytes(b) > MAX_PACKED - out->len) {
        return fail(error, "bitmap '%s' is too large to go with the machine", b->name);
    }
    put_text(out, node);
    put_text(out, name);
    put_u32(out, b->granularity);
    put_u32(out, (b->enabled ? FLAG_ENABLED : 0) | (persistent ? FLAG_PERSISTENT : 0));
    store_be64(length, b->length);
    g_byte_array_append(out, length, sizeof(length));
    put_u32(out, (uint32_t)bit_bytes(b));
    g_byte_array_append(out, b->map, (guint)bit_bytes(b));
    return true;
}

typedef struct Pack {
    const GPtrArray *mapping;
    GByteArray *out;
    GError **error;
    bool good;
} Pack;

static void pack_node(BlockNode *n, void *opaque)
{
    Pack *p = opaque;
    const BitmapMigrationNodeAlias *row = p->mapping ? node_row(p->mapping, n->name, false) : NULL;

    for (unsigned i = 0; p->good && n->bitmaps && i < n->bitmaps->len; i++) {
        const DirtyBitmap *b = g_ptr_array_index(n->bitmaps, i);
        const BitmapMigrationBitmapAlias *r =
            row && b->name ? bitmap_row(row, b->name, false) : NULL;
        bool persistent = r && r->transform && r->transform->has_persistent
                              ? r->transform->persistent
                              : b->persistent;

        if (b->name && (!p->mapping || r)) {
            p->good = put_bitmap(p->out, b, row ? row->alias : n->name, r ? r->alias : b->name,
                                 persistent, p->error);
        }
    }
}

bool dirty_bitmaps_pack(const GPtrArray *mapping, GByteArray *out, GError **error)
{
    Pack p = {mapping, out, error, true};

    block_node_foreach(pack_node, &p);
    return p.good;
}

/* ---- in ---- */

typedef struct Reader {
    const uint8_t *at;
    size_t left;
} Reader;

static const uint8_t *take(Reader *r, uint64_t len)
{
    const uint8_t *p = r->at;

    if (len > r->left) {
        return NULL;
    }
    r->at += len;
    r->left -= len;
    return p;
}

static bool take_u32(Reader *r, uint32_t *v)
{
    const uint8_t *p = take(r, 4);

    *v = p ? load_be32(p) : 0;
    return p != NULL;
}

static char *take_text(Reader *r)
{
    const uint8_t *p;
    uint32_t len;

    if (!take_u32(r, &len) || len == 0 || len > MAX_NAME || !(p = take(r, len)) ||
        memchr(p, 0, len)) {
        return NULL;
    }
    return g_strndup((const char *)p, len);
}

typedef struct Arrival {
    char *node, *name;
    uint32_t granularity, flags, bytes;
    uint64_t length;
    const uint8_t *bits;
} Arrival;

static bool take_bitmap(Reader *r, Arrival *a)
{
    const uint8_t *p;

    a->node = take_text(r);
    a->name = a->node ? take_text(r) : NULL;
    if (!a->name || !take_u32(r, &a->granularity) || !take_u32(r, &a->flags) || !(p = take(r, 8)) ||
        !take_u32(r, &a->bytes)) {
        return false;
    }
    a->length = load_be64(p);
    a->bits = take(r, a->bytes);
    return a->bits != NULL;
}

typedef struct StoreCall {
    BlockNode *n;
    const DirtyBitmap *b;
    GError **error;
    bool good;
} StoreCall;

static void co_can_store(void *opaque)
{
    StoreCall *c = opaque;

    c->good = c->n->driver->co_can_store_bitmap
                  ? c->n->driver->co_can_store_bitmap(c->n, c->b->name, c->b->granularity, c->error)
                  : fail(c->error, "node '%s' cannot store bitmaps", c->n->name);
}

/* The bits go into a new bitmap, or where an image that both sides have brought one, into that. */
static bool place_bitmap(BlockNode *n, const Arrival *a, const char *name, bool persistent,
                         GError **error)
{
    DirtyBitmap *b = dirty_bitmap_find(n, name);
    bool known = b != NULL;
    StoreCall store = {.n = n, .error = error};

    if (known && (b->busy || b->granularity != a->granularity)) {
        return fail(error, "node '%s' has another bitmap '%s'", n->name, name);
    }
    if (a->length != n->length) {
        return fail(error,
                    "bitmap '%s' is of a disk of %" G_GUINT64_FORMAT
                    " bytes, not %" G_GUINT64_FORMAT,
                    name, a->length, n->length);
    }
    b = known ? b : dirty_bitmap_new(n, name, a->granularity, error);
    if (!b) {
        return false;
    }
    if (a->bytes != bit_bytes(b)) {
        if (!known) {
            dirty_bitmap_free(b);
        }
        return fail(error, "bitmap '%s' has bits of another disk", name);
    }
    dirty_bitmap_clear_all(b);
    for (uint64_t i = 0; i < dirty_bitmap_bits(b); i++) {
        if (a->bits[i / 8] >> (i % 8) & 1) {
            dirty_bitmap_set(b, i * b->granularity, b->granularity);
        }
    }
    b->inconsistent = false;
    b->enabled = a->flags & FLAG_ENABLED;
    if (persistent && !b->persistent) {
        store.b = b;
        block_run(co_can_store, &store);
        if (!store.good) {
            return false;
        }
    }
    b->persistent = persistent;
    return true;
}

static bool unpack_one(const GPtrArray *mapping, const Arrival *a, GError **error)
{
    const BitmapMigrationNodeAlias *row = mapping ? node_row(mapping, a->node, true) : NULL;
    const BitmapMigrationBitmapAlias *r = row ? bitmap_row(row, a->name, true) : NULL;
    bool persistent = a->flags & FLAG_PERSISTENT;
    BlockNode *n;

    if (mapping && !r) {
        return fail(error, "nothing is said of bitmap '%s' of node '%s'", a->name, a->node);
    }
    if (r && r->transform && r->transform->has_persistent) {
        persistent = r->transform->persistent;
    }
    n = block_node_or_device(row ? row->node_name : a->node, error);
    return n && place_bitmap(n, a, r ? r->name : a->name, persistent, error);
}

bool dirty_bitmaps_unpack(const GPtrArray *mapping, const GByteArray *bytes, GError **error)
{
    Reader r = {bytes->data, bytes->len};
    bool good = true;

    while (good && r.left) {
        Arrival a = {.bits = NULL};

        good = take_bitmap(&r, &a) ? unpack_one(mapping, &a, error)
                                   : fail(error, "what came of bitmaps makes no sense");
        g_free(a.node);
        g_free(a.name);
    }
    return good;
}
