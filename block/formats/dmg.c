// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Apple disk images ("koly" trailer), read-only: tables of chunks in a resource fork or a property
 * list; chunks are plain, zeroes, or packed in one of several ways (dmg.h). Images with LZFSE and
 * LZMA chunks are refused.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/formats/dmg.h"
#include "block/formats/mapped.h"
#include "util/bswap.h"
#include "util/error.h"

#define KOLY_SIZE 512u
#define SECTOR 512u
#define MAX_TABLES (64 * MIB)
#define MAX_CHUNKS 4000000u
#define MAX_CHUNK (64 * MIB)
#define MISH_HEADER 204u
#define CHUNK_SIZE 40u

#define CHUNK_ZERO 0u
#define CHUNK_RAW 1u
#define CHUNK_IGNORE 2u
#define CHUNK_COMMENT 0x7ffffffeu
#define CHUNK_END 0xffffffffu

/* Offsets in the trailer, which is big-endian. */
enum {
    K_DATA = 0x18,
    K_RSRC = 0x28,
    K_RSRC_LEN = 0x30,
    K_XML = 0xd8,
    K_XML_LEN = 0xe0,
    K_SECTORS = 0x1ec
};

typedef struct Chunk {
    uint32_t type;
    const DmgPacking *packing;  /* NULL: plain or zeroes */
    uint64_t start, bytes;      /* of the disk */
    uint64_t at, len;           /* of the file */
} Chunk;

typedef struct DmgState {
    Mapped map;
    GArray *chunks;             /* by start */
    const Chunk *current;
    uint8_t *unpacked;
    uint64_t largest;
    CoMutex lock;
} DmgState;

static int dmg_probe(const uint8_t *head, size_t len, const char *filename)
{
    return filename && g_str_has_suffix(filename, ".dmg") ? 2 : 0;
}

static int compare_chunks(const void *a, const void *b)
{
    const Chunk *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

extern const DmgPacking *const __start_dmg_packings[], *const __stop_dmg_packings[];

static const DmgPacking *find_packing(uint32_t type)
{
    for (const DmgPacking *const *p = __start_dmg_packings; p < __stop_dmg_packings; p++) {
        if ((*p)->type == type) {
            return *p;
        }
    }
    return NULL;
}

static bool is_plain(uint32_t type)
{
    return type == CHUNK_ZERO || type == CHUNK_RAW || type == CHUNK_IGNORE;
}

/* A "mish" block: a header and chunks. */
static bool add_table(BlockNode *n, const uint8_t *t, size_t len, uint64_t data, GError **error)
{
    DmgState *s = n->state;
    uint64_t first, count, base;

    if (len < MISH_HEADER || memcmp(t, "mish", 4) != 0) {
        return true;
    }
    first = load_be64(t + 8);
    base = load_be64(t + 24) + data;
    count = (len - MISH_HEADER) / CHUNK_SIZE;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *p = t + MISH_HEADER + i * CHUNK_SIZE;
        Chunk c = {.type = load_be32(p), .at = load_be64(p + 24) + base, .len = load_be64(p + 32)};
        uint64_t start = load_be64(p + 8) + first, sectors = load_be64(p + 16);

        if (c.type == CHUNK_COMMENT || c.type == CHUNK_END) {
            continue;
        }
        c.packing = find_packing(c.type);
        if (!c.packing && !is_plain(c.type)) {
            return fail(error, "'%s' has chunks of type 0x%x, which are not supported", n->filename,
                        c.type);
        }
        if (start > INT64_MAX / SECTOR || sectors > INT64_MAX / SECTOR - start ||
            s->chunks->len >= MAX_CHUNKS) {
            return fail(error, "chunk %" G_GUINT64_FORMAT " of '%s' lies outside of any disk", i,
                        n->filename);
        }
        c.start = start * SECTOR;
        c.bytes = sectors * SECTOR;

        if (c.packing && (c.bytes > MAX_CHUNK || c.len > MAX_CHUNK)) {
            return fail(error, "chunk %" G_GUINT64_FORMAT " of '%s' is larger than %u MiB", i,
                        n->filename, (unsigned)(MAX_CHUNK / MIB));
        }
        if (c.type != CHUNK_ZERO && c.type != CHUNK_IGNORE &&
            (c.at > n->file->length || c.len > n->file->length - c.at)) {
            return fail(error,
                        "chunk %" G_GUINT64_FORMAT " of '%s' lies beyond the end of the file", i,
                        n->filename);
        }
        if (c.bytes) {
            s->largest = c.packing ? MAX(s->largest, c.bytes) : s->largest;
            g_array_append_val(s->chunks, c);
        }
    }
    return true;
}

/* <data> elements of a property list, in base64. */
static bool read_plist(BlockNode *n, char *text, uint64_t data, GError **error)
{
    for (char *p = text; (p = strstr(p, "<data>")) != NULL;) {
        char *end = strstr(p, "</data>");
        g_autofree uint8_t *bytes = NULL;
        gsize len;

        if (!end) {
            return true;
        }
        *end = 0;
        bytes = g_base64_decode(p + 6, &len);
        if (bytes && !add_table(n, bytes, len, data, error)) {
            return false;
        }
        p = end + 1;
    }
    return true;
}

/* A resource fork: resources one behind the other, each with its length. */
static bool read_fork(BlockNode *n, const uint8_t *f, uint64_t len, uint64_t data, GError **error)
{
    uint64_t at = load_be32(f);
    uint64_t end = at + load_be32(f + 8);

    if (at < 16 || end > len) {
        return fail(error, "the resource fork of '%s' is malformed", n->filename);
    }
    while (at + 4 <= end) {
        uint64_t size = load_be32(f + at);

        if (size == 0 || size > end - at - 4) {
            return fail(error, "the resource fork of '%s' is malformed", n->filename);
        }
        if (!add_table(n, f + at + 4, size, data, error)) {
            return false;
        }
        at += 4 + size;
    }
    return true;
}

static bool find_koly(BlockNode *n, uint8_t *koly, GError **error)
{
    uint64_t end = n->file->length;

    /* the length may have been rounded up to a sector */
    for (uint64_t back = KOLY_SIZE; back < 2 * KOLY_SIZE && back <= end; back++) {
        uint8_t magic[4];

        if (!image_read(n->file, end - back, magic, 4, "trailer", error)) {
            return false;
        }
        if (memcmp(magic, "koly", 4) == 0) {
            return image_read(n->file, end - back, koly, KOLY_SIZE, "trailer", error);
        }
    }
    return fail(error, "Could not locate UDIF trailer in dmg file");
}

static bool read_tables(BlockNode *n, const uint8_t *koly, GError **error)
{
    uint64_t rsrc = load_be64(koly + K_RSRC), rsrc_len = load_be64(koly + K_RSRC_LEN),
             xml = load_be64(koly + K_XML), xml_len = load_be64(koly + K_XML_LEN),
             data = load_be64(koly + K_DATA);
    bool fork = rsrc_len != 0;
    uint64_t at = fork ? rsrc : xml, len = fork ? rsrc_len : xml_len;
    g_autofree uint8_t *buf = NULL;

    if (len < 16 || len > MAX_TABLES || data > n->file->length) {
        return fail(error, "'%s' has no table of chunks", n->filename);
    }
    buf = g_malloc0(len + 1);
    if (!image_read(n->file, at, buf, len, "table of chunks", error)) {
        return false;
    }
    return fork ? read_fork(n, buf, len, data, error) : read_plist(n, (char *)buf, data, error);
}

/* ---- reading ---- */

static int co_dmg_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    DmgState *s = n->state;
    unsigned low = 0, high = s->chunks->len;
    const Chunk *c;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (g_array_index(s->chunks, Chunk, mid).start <= offset) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    c = low ? &g_array_index(s->chunks, Chunk, low - 1) : NULL;
    if (!c || offset - c->start >= c->bytes) {
        /* what no chunk describes is zero, up to the next one */
        uint64_t next =
            low < s->chunks->len ? g_array_index(s->chunks, Chunk, low).start : n->length;

        e->kind = MAP_ZERO;
        e->len = MIN(e->len, next - offset);
        return 0;
    }
    e->len = MIN(e->len, c->bytes - (offset - c->start));
    e->kind = c->type == CHUNK_RAW ? MAP_DATA : c->packing ? MAP_PACKED : MAP_ZERO;
    e->where = c->type == CHUNK_RAW ? c->at + (offset - c->start) : low - 1;
    return c->type == CHUNK_RAW && offset - c->start >= c->len ? -EIO : 0;
}

typedef struct Unpacking {
    const Chunk *chunk;
    uint8_t *to;
    const uint8_t *from;
} Unpacking;

static int unpack_work(void *arg)
{
    const Unpacking *u = arg;
    const Chunk *c = u->chunk;

    return c->packing->unpack(u->to, c->bytes, u->from, c->len) ? 0 : -EIO;
}

static int co_load(BlockNode *n, const Chunk *c)
{
    DmgState *s = n->state;
    g_autofree uint8_t *packed = NULL;
    Unpacking u = {.chunk = c, .to = s->unpacked};
    int ret;

    if (s->current == c) {
        return 0;
    }
    packed = g_malloc(c->len + 1);
    u.from = packed;
    ret = co_block_pread(n->file, c->at, packed, c->len);
    if (ret < 0) {
        return ret;
    }
    s->current = NULL;
    ret = co_in_worker(unpack_work, &u);
    if (ret < 0) {
        return ret;
    }
    s->current = c;
    return 0;
}

static int co_dmg_unpack(BlockNode *n, uint64_t offset, const MapExtent *e, void *buf)
{
    DmgState *s = n->state;
    const Chunk *c = &g_array_index(s->chunks, Chunk, e->where);
    int ret;

    co_mutex_lock(&s->lock);
    ret = co_load(n, c);
    if (ret == 0) {
        memcpy(buf, s->unpacked + (offset - c->start), e->len);
    }
    co_mutex_unlock(&s->lock);
    return ret;
}

static const MappedOps dmg_map = { .co_find = co_dmg_find, .co_unpack = co_dmg_unpack };

static bool dmg_open(BlockNode *n, struct json_object *opts, GError **error)
{
    DmgState *s = n->state;
    uint8_t koly[KOLY_SIZE];
    uint64_t end = 0;

    if (!n->read_only && !(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
        return fail(error, "Block format 'dmg' does not support writing: open it read-only");
    }
    n->read_only = true;
    s->chunks = g_array_new(FALSE, FALSE, sizeof(Chunk));
    if (!find_koly(n, koly, error) || !read_tables(n, koly, error)) {
        g_array_free(s->chunks, TRUE);
        return false;
    }
    g_array_sort(s->chunks, compare_chunks);
    for (unsigned i = 0; i < s->chunks->len; i++) {
        const Chunk *c = &g_array_index(s->chunks, Chunk, i);

        end = MAX(end, c->start + c->bytes);
    }
    n->length = end;
    n->align = SECTOR;
    s->map.ops = &dmg_map;
    s->map.unit = SECTOR;
    s->unpacked = g_malloc(s->largest + 1);
    meta_init(&s->map.meta, n->file);
    return true;
}

static void dmg_close(BlockNode *n)
{
    DmgState *s = n->state;

    mapped_close(n);
    g_free(s->unpacked);
    g_array_free(s->chunks, TRUE);
}

static const BlockDriver dmg_driver = {
    .name = "dmg", .desc = "Apple disk image", .state_size = sizeof(DmgState), .probe = dmg_probe, .open = dmg_open,
    .close = dmg_close, .co_preadv = co_mapped_preadv, .co_block_status = co_mapped_status,
};
BLOCK_DRIVER(dmg_driver);
