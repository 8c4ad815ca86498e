// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMware disks ("Virtual Disk Format 5.0"): extents that are flat, sparse (a directory of tables of
 * grains, at two places) or compressed, in one file or several; the older sparse form of ESX
 * ("COWD") as well. seSparse is refused.
 */
#include "block/formats/vmdk.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <zlib.h>

#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/iov.h"

#define GRAIN_ZERO 1u
#define MAX_GRAIN (64 * MIB)
#define MAX_ENTRIES 512u
#define MAX_TABLES (MIB * 32)
#define DIRECTORY_AT_END UINT64_MAX
#define COWD_HEADER 32u
#define COWD_ENTRIES 4096u
#define MARKER_SIZE 12u

static int vmdk_probe(const uint8_t *head, size_t len, const char *filename)
{
    g_autofree char *text = g_strndup((const char *)head, len);
    const char *p = text;

    if (len >= 4 && (memcmp(head, "KDMV", 4) == 0 || memcmp(head, "COWD", 4) == 0)) {
        return 100;
    }
    while (*p == '#' || *p == '\n' || *p == '\r' || *p == ' ') {
        p += *p == '#' ? strcspn(p, "\n") : 1;
    }
    return g_str_has_prefix(text, "# Disk Descriptor") || g_str_has_prefix(p, "version=1\n") ||
           g_str_has_prefix(p, "version=2\n") || g_str_has_prefix(p, "version=3\n") ||
           g_str_has_prefix(p, "version=1\r\n") ? 100 : 0;
}

uint32_t vmdk_node_cid(BlockNode *n)
{
    return ((VmdkState *)n->state)->text.cid;
}

/* ---- the map ---- */

static VmdkExtent *extent_at(VmdkState *s, uint64_t offset)
{
    unsigned low = 0, high = s->count;

    while (low + 1 < high) {
        unsigned mid = (low + high) / 2;

        if (s->extents[mid].start <= offset) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return &s->extents[low];
}

/* A delta is worth nothing on a parent that has changed. */
static int check_parent(BlockNode *n)
{
    VmdkState *s = n->state;
    BlockNode *parent = n->backing ? block_skip_filters(n->backing) : NULL;

    if (!s->parent_checked) {
        if (parent && strcmp(parent->driver->name, "vmdk") == 0 &&
            s->text.parent_cid != VMDK_NO_PARENT && vmdk_node_cid(parent) != s->text.parent_cid) {
            return -EINVAL;
        }
        s->parent_checked = true;
    }
    return 0;
}

/* Where the entry of a grain stands; 0: no table. */
static int co_entry_at(VmdkExtent *x, uint64_t directory, uint64_t grain, uint64_t *at)
{
    uint64_t table = grain / x->entries;
    uint8_t raw[4];
    int ret;

    *at = 0;
    if (table >= x->tables) {
        return -EIO;
    }
    ret = co_meta_read(&x->meta, directory + table * 4, raw, sizeof(raw));
    if (ret == 0 && load_le32(raw)) {
        *at = (uint64_t)load_le32(raw) * VMDK_SECTOR + grain % x->entries * 4;
    }
    return ret;
}

static int co_vmdk_find(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VmdkState *s = n->state;
    VmdkExtent *x = extent_at(s, offset);
    uint64_t inside = offset - x->start, at;
    uint32_t grain = 0;
    uint8_t raw[4];
    int ret;

    e->len = MIN(e->len, x->bytes - inside);
    e->node = x->file;
    if (x->flat) {
        e->kind = x->file ? MAP_DATA : MAP_ZERO;
        e->where = x->flat_offset + inside;
        return 0;
    }
    e->len = MIN(e->len, x->grain - inside % x->grain);
    ret = co_entry_at(x, x->directory, inside / x->grain, &at);
    if (ret == 0 && at) {
        ret = co_meta_read(&x->meta, at, raw, sizeof(raw));
        grain = load_le32(raw);
    }
    if (ret < 0) {
        return ret;
    }
    if (grain == 0) {
        e->kind = MAP_ABSENT;
        return n->backing ? check_parent(n) : 0;
    }
    if (grain == GRAIN_ZERO && x->zero_grains) {
        e->kind = MAP_ZERO;
        return 0;
    }
    e->kind = x->packed ? MAP_PACKED : MAP_DATA;
    e->where = (uint64_t)grain * VMDK_SECTOR + (x->packed ? 0 : inside % x->grain);
    return e->where < x->file->length ? 0 : -EIO;
}

/* buf has room for a grain. */
static int inflate_grain(VmdkExtent *x, const uint8_t *from, size_t len, uint8_t *buf)
{
    uLongf got = x->grain;
    int ret = uncompress(buf, &got, from, len);

    /* the disk's last grain may be shorter */
    if (ret != Z_OK) {
        return -EINVAL;
    }
    memset(buf + got, 0, x->grain - got);
    return 0;
}

static int co_unpack_locked(VmdkState *s, VmdkExtent *x, uint64_t at)
{
    uint64_t len = MIN(2 * x->grain, x->file->length - at), head = 0;
    g_autofree uint8_t *packed = NULL;
    int ret;

    if (s->unpacked_of == x && s->unpacked_at == at) {
        return 0;
    }
    if (x->markers) {
        uint8_t marker[MARKER_SIZE];

        ret = co_block_pread(x->file, at, marker, sizeof(marker));
        if (ret < 0) {
            return ret;
        }
        head = MARKER_SIZE;
        len = load_le32(marker + 8);
        if (len == 0 || len > 2 * x->grain ||
            len > x->file->length - MIN(at + head, x->file->length)) {
            return -EINVAL;
        }
    }
    packed = g_malloc(len);
    ret = co_block_pread(x->file, at + head, packed, len);
    if (ret < 0) {
        return ret;
    }
    s->unpacked = s->unpacked ? s->unpacked : g_malloc(s->map.unit);
    s->unpacked_of = NULL;
    ret = inflate_grain(x, packed, len, s->unpacked);
    if (ret == 0) {
        s->unpacked_of = x;
        s->unpacked_at = at;
    }
    return ret;
}

static int co_vmdk_unpack(BlockNode *n, uint64_t offset, const MapExtent *e, void *buf)
{
    VmdkState *s = n->state;
    VmdkExtent *x = extent_at(s, offset);
    int ret;

    co_mutex_lock(&s->unpack_lock);
    ret = co_unpack_locked(s, x, e->where);
    if (ret == 0) {
        memcpy(buf, s->unpacked + (offset - x->start) % x->grain, e->len);
    }
    co_mutex_unlock(&s->unpack_lock);
    return ret;
}

static int co_vmdk_place(BlockNode *n, uint64_t offset, MapExtent *e)
{
    VmdkState *s = n->state;
    VmdkExtent *x = extent_at(s, offset);
    int ret;

    if (x->flat || x->packed) {
        return -EIO;
    }
    ret = co_append_room(x->file, x->grain, x->grain, &e->where, &e->fresh);
    e->node = x->file;
    return ret < 0 ? ret : e->where / VMDK_SECTOR > UINT32_MAX ? -EFBIG : 0;
}

static int co_enter_sector(VmdkExtent *x, uint64_t inside, uint32_t sector)
{
    uint64_t places[2] = { x->redundant, x->directory };
    uint8_t raw[4];

    store_le32(raw, sector);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at;
        int ret = places[i] ? co_entry_at(x, places[i], inside / x->grain, &at) : 0;

        if (places[i] && ret == 0) {
            ret = at ? co_meta_write(&x->meta, at, raw, sizeof(raw), META_ROOT) : -EIO;
        }
        if (ret < 0) {
            return ret;
        }
    }
    return 0;
}

static int co_vmdk_enter(BlockNode *n, uint64_t offset, const MapExtent *e)
{
    VmdkExtent *x = extent_at(n->state, offset);

    return co_enter_sector(x, offset - x->start, (uint32_t)(e->where / VMDK_SECTOR));
}

static int co_vmdk_enter_zero(BlockNode *n, uint64_t offset)
{
    VmdkExtent *x = extent_at(n->state, offset);

    return x->zero_grains && !x->flat ? co_enter_sector(x, offset - x->start, GRAIN_ZERO)
                                      : -ENOTSUP;
}

/* A disk that is written to gets another content id. */
static int co_vmdk_begin(BlockNode *n)
{
    VmdkState *s = n->state;
    g_autofree char *text = g_malloc0(s->text_max + 1), *made = NULL;
    uint32_t cid = g_random_int_range(0, INT32_MAX);
    size_t size;
    int ret = co_block_pread(s->text_node, s->text_offset, text, s->text_max);

    if (ret < 0) {
        return ret;
    }
    made = vmdk_text_set_cid(text, cid, s->text_max);
    if (!made) {
        return 0;
    }
    size = strlen(made);
    s->text.cid = cid;
    return co_block_pwrite(s->text_node, s->text_offset, made,
                           MIN(MAX(size, strlen(text)), s->text_max), 0);
}

static const MappedOps vmdk_map = {
    .co_find = co_vmdk_find, .co_unpack = co_vmdk_unpack, .co_place = co_vmdk_place,
    .co_enter = co_vmdk_enter, .co_begin_write = co_vmdk_begin,
};

static const MappedOps vmdk_zero_map = {
    .co_find = co_vmdk_find, .co_unpack = co_vmdk_unpack, .co_place = co_vmdk_place,
    .co_enter = co_vmdk_enter, .co_enter_zero = co_vmdk_enter_zero, .co_begin_write = co_vmdk_begin,
};

/* ---- writing compressed ---- */

/* One grain, or what the disk has of its last. */
static int co_pack_grain(BlockNode *n, VmdkExtent *x, uint64_t offset, uint64_t bytes,
                         const struct iovec *iov, unsigned niov, uint64_t from)
{
    VmdkState *s = n->state;
    MapExtent old = { .len = bytes };
    uint64_t where = 0;
    uLongf len;
    int ret = 0;

    len = compressBound(x->grain);
    g_autofree uint8_t *plain = g_malloc0(x->grain),
                       *packed = g_malloc0(MARKER_SIZE + len + VMDK_SECTOR);

    iov_to_buf(iov, niov, from, plain, bytes);
    if (compress(packed + MARKER_SIZE, &len, plain, x->grain) != Z_OK) {
        return -EINVAL;
    }
    store_le64(packed, (offset - x->start) / VMDK_SECTOR);
    store_le32(packed + 8, (uint32_t)len);
    uint64_t skip = x->markers ? 0 : MARKER_SIZE,
             size = round_up(MARKER_SIZE - skip + len, VMDK_SECTOR);

    co_mutex_lock(&s->map.lock);
    ret = co_vmdk_find(n, offset, &old);
    if (ret == 0 && old.kind != MAP_ABSENT) {
        ret = -EIO;             /* what is in a stream stays */
    }
    if (ret == 0) {
        ret = co_append_room(x->file, VMDK_SECTOR, size, &where, NULL);
    }
    if (ret == 0) {
        ret = co_block_pwrite(x->file, where, packed + skip, size, 0);
    }
    if (ret == 0) {
        ret = co_enter_sector(x, offset - x->start, (uint32_t)(where / VMDK_SECTOR));
    }
    co_mutex_unlock(&s->map.lock);
    return ret;
}

static int co_vmdk_pwrite_compressed(BlockNode *n, uint64_t offset, uint64_t bytes,
                                     const struct iovec *iov, unsigned niov)
{
    VmdkState *s = n->state;
    int ret = 0;

    for (uint64_t done = 0; done < bytes && ret == 0;) {
        VmdkExtent *x = extent_at(s, offset + done);
        uint64_t now = MIN(bytes - done, x->grain);

        if (!x->packed) { /* this kind of image has no compressed grains */
            return co_mapped_pwritev(n, offset, bytes, iov, niov, 0);
        }
        if ((offset + done - x->start) % x->grain ||
            (now < x->grain && offset + bytes < n->length)) {
            return -EINVAL;
        }
        if (!s->map.writing) {
            ret = co_vmdk_begin(n);
            s->map.writing = ret == 0;
        }
        ret = ret < 0 ? ret : co_pack_grain(n, x, offset + done, now, iov, niov, done);
        done += now;
    }
    return ret;
}

static int co_vmdk_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov, unsigned flags)
{
    VmdkState *s = n->state;
    g_autofree uint8_t *grain = NULL;

    if (!s->extents[0].packed) {
        return co_mapped_pwritev(n, offset, bytes, iov, niov, flags);
    }
    grain = g_malloc(s->map.unit);
    for (uint64_t done = 0; done < bytes;) {
        uint64_t at = offset + done, in_grain = at % s->map.unit;
        uint64_t now = MIN(bytes - done, s->map.unit - in_grain);
        struct iovec whole = { grain, s->map.unit };
        int ret;

        memset(grain, 0, s->map.unit);
        iov_to_buf(iov, niov, done, grain + in_grain, now);
        whole.iov_len = MIN(s->map.unit, n->length - (at - in_grain));
        ret = co_vmdk_pwrite_compressed(n, at - in_grain, whole.iov_len, &whole, 1);
        if (ret < 0) {
            return ret;
        }
        done += now;
    }
    return 0;
}

static int co_vmdk_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    VmdkState *s = n->state;

    return s->extents[0].packed ? -ENOTSUP : co_mapped_write_zeroes(n, offset, bytes, flags);
}

static int co_vmdk_flush(BlockNode *n)
{
    VmdkState *s = n->state;
    int ret = 0;

    for (unsigned i = 0; i < s->count && ret == 0; i++) {
        ret = s->extents[i].flat ? 0 : co_meta_flush(&s->extents[i].meta);
    }
    return ret;
}

/* ---- opening ---- */

static bool check_tables(VmdkExtent *x, uint64_t directory, const char *what, GError **error)
{
    if (directory > x->file->length || x->tables * 4 > x->file->length - directory) {
        return fail(error, "the %s of '%s' lies beyond the end of the file", what,
                    x->file->filename);
    }
    return true;
}

static bool open_sparse(VmdkExtent *x, uint8_t *h, GError **error)
{
    uint64_t capacity, grain, covered;
    uint32_t flags, version;

    if (load_le64(h + VH_DIRECTORY) == DIRECTORY_AT_END) {
        /* the header that counts is the footer, 1024 bytes before the end */
        if (x->file->length < 3 * VMDK_SECTOR ||
            !image_read(x->file, x->file->length - 2 * VMDK_SECTOR, h, VMDK_HEADER_SIZE, "footer",
                        error)) {
            return false;
        }
        if (memcmp(h, "KDMV", 4) != 0 || load_le64(h + VH_DIRECTORY) == DIRECTORY_AT_END) {
            return fail(error, "'%s' has no footer", x->file->filename);
        }
    }
    version = load_le32(h + VH_VERSION);
    flags = load_le32(h + VH_FLAGS);
    capacity = load_le64(h + VH_CAPACITY);
    grain = load_le64(h + VH_GRAIN);
    x->entries = load_le32(h + VH_ENTRIES);
    x->packed = flags & VMDK_COMPRESSED && load_le16(h + VH_COMPRESS) == 1;
    x->markers = flags & VMDK_MARKERS;
    x->zero_grains = flags & VMDK_ZERO_GRAINS;
    if (version > 3) {
        return fail(error, "Unsupported VMDK version %u", version);
    }
    if (x->entries == 0 || x->entries > MAX_ENTRIES) {
        return fail(error, "L2 table size too big");
    }
    if (!is_power_of_2(grain) || grain > MAX_GRAIN / VMDK_SECTOR) {
        return fail(error, "Invalid granularity, image may be corrupt");
    }
    if (capacity > VMDK_MAX_CAPACITY) {
        return fail_errno(error, EFBIG, "'%s' claims %" G_GUINT64_FORMAT " sectors",
                          x->file->filename, capacity);
    }
    covered = grain * x->entries;
    x->tables = div_round_up(capacity, covered);
    if (x->tables > MAX_TABLES) {
        return fail(error, "L1 size too big");
    }
    x->grain = grain * VMDK_SECTOR;
    x->bytes = capacity * VMDK_SECTOR;
    if (load_le64(h + VH_DIRECTORY) > VMDK_MAX_CAPACITY ||
        load_le64(h + VH_REDUNDANT) > VMDK_MAX_CAPACITY) {
        return fail(error, "the grain directory of '%s' lies beyond the end of the file",
                    x->file->filename);
    }
    x->directory = load_le64(h + VH_DIRECTORY) * VMDK_SECTOR;
    x->redundant = flags & VMDK_REDUNDANT ? load_le64(h + VH_REDUNDANT) * VMDK_SECTOR : 0;
    return check_tables(x, x->directory, "grain directory", error) &&
           (!x->redundant || check_tables(x, x->redundant, "redundant grain directory", error));
}

static bool open_cowd(VmdkExtent *x, const uint8_t *h, GError **error)
{
    uint64_t grain = load_le32(h + 16);

    x->bytes = (uint64_t)load_le32(h + 12) * VMDK_SECTOR;
    x->grain = grain * VMDK_SECTOR;
    x->directory = (uint64_t)load_le32(h + 20) * VMDK_SECTOR;
    x->tables = load_le32(h + 24);
    x->entries = COWD_ENTRIES;
    if (!is_power_of_2(grain) || grain > MAX_GRAIN / VMDK_SECTOR) {
        return fail(error, "Invalid granularity, image may be corrupt");
    }
    if (x->tables > MAX_TABLES || x->tables < div_round_up(x->bytes, x->grain * x->entries)) {
        return fail(error, "L1 size does not fit the disk's size");
    }
    return check_tables(x, x->directory, "grain directory", error);
}

/* A sparse extent's own header; h: VMDK_HEADER_SIZE bytes. */
static bool open_sparse_file(VmdkExtent *x, uint8_t *h, GError **error)
{
    bool cowd;

    if (!image_read(x->file, 0, h, VMDK_HEADER_SIZE, "header", error)) {
        return false;
    }
    cowd = memcmp(h, "COWD", 4) == 0;
    if (!cowd && memcmp(h, "KDMV", 4) != 0) {
        return fail(error, "'%s' is not a sparse extent", x->file->filename);
    }
    meta_init(&x->meta, x->file);
    return cowd ? open_cowd(x, h, error) : open_sparse(x, h, error);
}

static bool open_part(BlockNode *n, VmdkState *s, const VmdkPart *p, unsigned index, uint64_t *at,
                      GError **error)
{
    VmdkExtent *x = &s->extents[s->count++];
    g_autofree char *child = g_strdup_printf("extents.%u", index);
    uint8_t h[VMDK_HEADER_SIZE];
    bool sparse = strcmp(p->kind, "SPARSE") == 0 || strcmp(p->kind, "VMFSSPARSE") == 0;

    x->kind = g_strdup(p->kind);
    x->start = *at;
    x->bytes = p->sectors * VMDK_SECTOR;
    if (*at > INT64_MAX - x->bytes) {
        return fail(error, "the extents of '%s' are too large", n->filename);
    }
    *at += x->bytes;
    x->flat = !sparse;
    if (strcmp(p->kind, "ZERO") == 0) {
        return true;
    }
    if (!sparse && strcmp(p->kind, "FLAT") != 0 && strcmp(p->kind, "VMFS") != 0) {
        return fail(error, "Unsupported extent type '%s'", p->kind);
    }
    x->file = block_child_open(n, child, BLOCK_ROLE_DATA | (sparse ? BLOCK_ROLE_METADATA : 0),
                               p->name, "", error);
    if (!x->file) {
        return false;
    }
    x->flat_offset = p->offset * VMDK_SECTOR;
    if (!sparse) {
        return (x->flat_offset <= x->file->length &&
                x->bytes <= x->file->length - x->flat_offset) ||
               fail(error, "extent '%s' is shorter than the descriptor says", p->name);
    }
    uint64_t said = x->bytes;

    if (!open_sparse_file(x, h, error)) {
        return false;
    }
    if (x->bytes < said) {
        return fail(error, "extent '%s' is shorter than the descriptor says", p->name);
    }
    x->bytes = said;
    return true;
}

static bool open_text(BlockNode *n, VmdkState *s, GError **error)
{
    g_autofree char *text = g_malloc0(s->text_max + 1);
    uint64_t at = 0;

    if (!image_read(s->text_node, s->text_offset, text, s->text_max, "descriptor", error) ||
        !vmdk_text_parse(text, &s->text, error)) {
        return false;
    }
    if (s->count) {
        return true;            /* the one extent is this file */
    }
    if (!s->text.type) {
        return fail(error, "invalid VMDK image descriptor");
    }
    if (s->text.parts->len == 0) {
        return fail(error, "'%s' has no extents", n->filename);
    }
    s->extents = g_new0(VmdkExtent, s->text.parts->len);
    for (unsigned i = 0; i < s->text.parts->len; i++) {
        if (!open_part(n, s, &g_array_index(s->text.parts, VmdkPart, i), i, &at, error)) {
            return false;
        }
    }
    n->length = at;
    return true;
}

/* One file with everything in it. */
static bool open_monolithic(BlockNode *n, VmdkState *s, GError **error)
{
    uint8_t h[VMDK_HEADER_SIZE];
    uint64_t at, sectors;
    VmdkExtent *x;

    s->extents = x = g_new0(VmdkExtent, 1);
    s->count = 1;
    x->file = n->file;
    x->kind = g_strdup("");
    if (!open_sparse_file(x, h, error)) {
        return false;
    }
    n->length = x->bytes;
    if (memcmp(h, "COWD", 4) == 0) {
        s->text.parts = g_array_new(FALSE, TRUE, sizeof(VmdkPart));
        s->text.parent_cid = VMDK_NO_PARENT;
        n->read_only = true;
        return true;
    }
    /* of the first header: the footer has no descriptor */
    if (!image_read(n->file, 0, h, sizeof(h), "header", error)) {
        return false;
    }
    at = load_le64(h + VH_DESC);
    sectors = load_le64(h + VH_DESC_SIZE);
    if (at == 0 || at > VMDK_MAX_CAPACITY || sectors == 0 ||
        sectors > VMDK_MAX_TEXT / VMDK_SECTOR) {
        return fail(error, "'%s' has no descriptor", n->filename);
    }
    s->text_offset = at * VMDK_SECTOR;
    s->text_max = sectors * VMDK_SECTOR;
    return open_text(n, s, error);
}

static void vmdk_free(VmdkState *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        meta_free(&s->extents[i].meta);
        g_free(s->extents[i].kind);
    }
    g_free(s->extents);
    g_free(s->unpacked);
    vmdk_text_clear(&s->text);
}

/* All sparse extents have one grain size and begin at a multiple of it, or we only read. */
static bool settle_unit(BlockNode *n, VmdkState *s, GError **error)
{
    bool zero_grains = true;

    s->map.unit = 64 * KIB;
    for (unsigned i = 0; i < s->count; i++) {
        if (!s->extents[i].flat) {
            s->map.unit = MAX(s->map.unit, s->extents[i].grain);
        }
    }
    for (unsigned i = 0; i < s->count; i++) {
        const VmdkExtent *x = &s->extents[i];

        if (!x->flat && x->grain < s->map.unit && s->count == 1) {
            s->map.unit = x->grain;
        }
        zero_grains &= x->zero_grains && !x->flat;
        if (!x->flat &&
            (x->grain != s->map.unit || x->start % s->map.unit ||
             x->packed != s->extents[0].packed) &&
            !n->read_only) {
            return fail(error,
                        "'%s' has extents of different kinds and can only be opened read-only",
                        n->filename);
        }
    }
    s->map.ops = zero_grains ? &vmdk_zero_map : &vmdk_map;
    return true;
}

static bool vmdk_open(BlockNode *n, struct json_object *opts, GError **error)
{
    VmdkState *s = n->state;
    uint8_t magic[4];
    bool good;

    if (!image_read(n->file, 0, magic, sizeof(magic), "header", error)) {
        return false;
    }
    s->text_node = n->file;
    if (memcmp(magic, "KDMV", 4) == 0 || memcmp(magic, "COWD", 4) == 0) {
        good = open_monolithic(n, s, error);
    } else if (n->file->length > VMDK_MAX_TEXT) {
        good = fail(error, "Image not in VMDK format");
    } else {
        s->text_max = n->file->length;
        good = open_text(n, s, error);
    }
    if (!good || !settle_unit(n, s, error)) {
        vmdk_free(s);
        return false;
    }
    if (s->text.parent && s->text.parent_cid != VMDK_NO_PARENT) {
        n->backing_file = g_strdup(s->text.parent);
        n->backing_format = g_strdup("vmdk");
    }
    n->align = VMDK_SECTOR;
    return true;
}

static void co_close(void *opaque)
{
    co_vmdk_flush(opaque);
}

static void vmdk_close(BlockNode *n)
{
    if (((VmdkState *)n->state)->map.writing) {
        block_run(co_close, n);
    }
    vmdk_free(n->state);
}

/* ---- about the image ---- */

static struct json_object *extent_info(const VmdkExtent *x)
{
    struct json_object *o = json_object_new_object();

    if (x->packed) {
        json_object_object_add(o, "compressed", json_object_new_boolean(true));
    }
    json_object_object_add(o, "virtual-size", json_object_new_int64((int64_t)x->bytes));
    json_object_object_add(o, "filename", json_object_new_string(x->file ? x->file->filename : ""));
    if (!x->flat) {
        json_object_object_add(o, "cluster-size", json_object_new_int64((int64_t)x->grain));
    }
    json_object_object_add(o, "format", json_object_new_string(x->kind));
    return o;
}

static bool co_vmdk_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    VmdkState *s = n->state;
    struct json_object *list = json_object_new_array();

    info->specific = json_object_new_object();
    json_object_object_add(info->specific, "cid", json_object_new_int64(s->text.cid));
    json_object_object_add(info->specific, "parent-cid", json_object_new_int64(s->text.parent_cid));
    json_object_object_add(info->specific, "create-type",
                           json_object_new_string(s->text.type ? s->text.type : ""));
    for (unsigned i = 0; i < s->count; i++) {
        json_object_array_add(list, extent_info(&s->extents[i]));
    }
    json_object_object_add(info->specific, "extents", list);
    info->cluster_size = s->extents[0].flat ? 0 : s->extents[0].grain;
    info->compressed = s->extents[0].packed;
    info->zero_init = true;
    return true;
}

static const BlockChildDesc vmdk_children[] = {
    { "file", BLOCK_ROLE_DATA | BLOCK_ROLE_METADATA | BLOCK_ROLE_PRIMARY, false },
    { "extents.*", BLOCK_ROLE_DATA | BLOCK_ROLE_METADATA, true },
    { NULL },
};

static const BlockDriver vmdk_driver = {
    .name = "vmdk", .desc = "VMware disk", .state_size = sizeof(VmdkState), .backing = true,
    .children = vmdk_children, .probe = vmdk_probe, .open = vmdk_open, .close = vmdk_close,
    .co_preadv = co_mapped_preadv, .co_pwritev = co_vmdk_pwritev,
    .co_pwrite_compressed = co_vmdk_pwrite_compressed, .co_flush = co_vmdk_flush,
    .co_write_zeroes = co_vmdk_write_zeroes, .co_block_status = co_mapped_status,
    .co_check = co_mapped_check_only, .create_opts = vmdk_create_opts, .co_create = co_vmdk_create,
    .co_info = co_vmdk_info,
};
BLOCK_DRIVER(vmdk_driver);
