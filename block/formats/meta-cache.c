// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A cache of an image's metadata: pages of the file, least recently used ones go first. What is
 * dirty is known by the sector, so that a page may also hold bytes that are not metadata, which
 * are never written back.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/mapped.h"
#include "util/bitops.h"

#define SECTOR 512u
#define PAGE_SECTORS (META_PAGE / SECTOR)

typedef struct MetaPage {
    uint64_t number;
    uint64_t dirty[META_LEVELS];    /* a bit per sector */
    struct MetaPage *newer, *older;
    uint8_t bytes[META_PAGE];
} MetaPage;

G_STATIC_ASSERT(PAGE_SECTORS <= 64);

void meta_init(MetaCache *c, BlockNode *file)
{
    c->file = file;
    c->pages = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
}

void meta_free(MetaCache *c)
{
    if (c->pages) {
        g_hash_table_destroy(c->pages);
        c->pages = NULL;
    }
    c->newest = c->oldest = NULL;
}

static void unlink_page(MetaCache *c, MetaPage *p)
{
    *(p->newer ? &p->newer->older : &c->newest) = p->older;
    *(p->older ? &p->older->newer : &c->oldest) = p->newer;
}

static void link_newest(MetaCache *c, MetaPage *p)
{
    p->newer = NULL;
    p->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = p;
    c->newest = p;
}

/* Writes the dirty sectors of a level of one page, run by run. */
static int co_write_page(MetaCache *c, MetaPage *p, MetaLevel level)
{
    while (p->dirty[level]) {
        unsigned from = ctz64(p->dirty[level]);
        unsigned count = ctz64(~(p->dirty[level] >> from));
        uint64_t at = p->number * META_PAGE + from * SECTOR;
        uint64_t len = count * SECTOR;
        int ret;

        if (at >= c->file->length) {
            return -EIO;
        }
        len = MIN(len, c->file->length - at);
        ret = co_block_pwrite(c->file, at, p->bytes + from * SECTOR, len, 0);
        if (ret < 0) {
            return ret;
        }
        p->dirty[level] &= ~(bit_mask(count) << from);
    }
    return 0;
}

static int co_write_level(MetaCache *c, MetaLevel level)
{
    bool any = false;
    int ret;

    for (MetaPage *p = c->newest; p && !any; p = p->older) {
        any = p->dirty[level] != 0;
    }
    if (!any) {
        return 0;
    }
    ret = co_block_flush(c->file);
    for (MetaPage *p = c->newest; p && ret == 0; p = p->older) {
        ret = co_write_page(c, p, level);
    }
    return ret;
}

static int co_flush_locked(MetaCache *c)
{
    int ret = 0;

    if (!c->dirty) {
        return 0;
    }
    for (MetaLevel level = META_LEAF; level < META_LEVELS && ret == 0; level++) {
        ret = co_write_level(c, level);
    }
    c->dirty = ret != 0;
    return ret;
}

int co_meta_flush(MetaCache *c)
{
    int ret;

    co_mutex_lock(&c->lock);
    ret = co_flush_locked(c);
    co_mutex_unlock(&c->lock);
    return ret;
}

/* The page with this number, loaded; NULL and *ret on failure. Lock held. */
static MetaPage *co_get_page(MetaCache *c, uint64_t number, int *ret)
{
    MetaPage *p = g_hash_table_lookup(c->pages, &number);
    uint64_t at = number * META_PAGE;

    *ret = 0;
    if (p) {
        if (p != c->newest) {
            unlink_page(c, p);
            link_newest(c, p);
        }
        return p;
    }
    if (at >= c->file->length) {
        *ret = -EIO;
        return NULL;
    }
    if (g_hash_table_size(c->pages) >= META_PAGES) {
        MetaPage *victim = c->oldest;

        if (victim->dirty[META_LEAF] || victim->dirty[META_ROOT]) {
            *ret = co_flush_locked(c);
            if (*ret < 0) {
                return NULL;
            }
        }
        unlink_page(c, victim);
        g_hash_table_remove(c->pages, &victim->number);
    }
    p = g_new0(MetaPage, 1);
    p->number = number;
    *ret = co_block_pread(c->file, at, p->bytes, MIN(META_PAGE, c->file->length - at));
    if (*ret < 0) {
        g_free(p);
        return NULL;
    }
    g_hash_table_insert(c->pages, &p->number, p);
    link_newest(c, p);
    return p;
}

static bool in_file(const MetaCache *c, uint64_t offset, uint64_t len)
{
    return len <= c->file->length && offset <= c->file->length - len;
}

int co_meta_read(MetaCache *c, uint64_t offset, void *buf, size_t len)
{
    uint8_t *to = buf;
    int ret = in_file(c, offset, len) ? 0 : -EIO;

    co_mutex_lock(&c->lock);
    while (ret == 0 && len > 0) {
        size_t in_page = offset % META_PAGE, now = MIN(len, META_PAGE - in_page);
        MetaPage *p = co_get_page(c, offset / META_PAGE, &ret);

        if (p) {
            memcpy(to, p->bytes + in_page, now);
            to += now;
            offset += now;
            len -= now;
        }
    }
    co_mutex_unlock(&c->lock);
    return ret;
}

/* buf NULL: zeroes. */
static int co_meta_change(MetaCache *c, uint64_t offset, const uint8_t *buf, uint64_t len,
                          MetaLevel level)
{
    int ret = in_file(c, offset, len) ? 0 : -EIO;

    co_mutex_lock(&c->lock);
    while (ret == 0 && len > 0) {
        size_t in_page = offset % META_PAGE, now = MIN(len, META_PAGE - in_page);
        MetaPage *p = co_get_page(c, offset / META_PAGE, &ret);

        if (!p) {
            break;
        }
        unsigned first = in_page / SECTOR, last = (in_page + now - 1) / SECTOR;

        if (buf) {
            memcpy(p->bytes + in_page, buf, now);
            buf += now;
        } else {
            memset(p->bytes + in_page, 0, now);
        }
        p->dirty[level] |= bit_mask(last - first + 1) << first;
        c->dirty = true;
        offset += now;
        len -= now;
    }
    co_mutex_unlock(&c->lock);
    return ret;
}

int co_meta_write(MetaCache *c, uint64_t offset, const void *buf, size_t len, MetaLevel level)
{
    return co_meta_change(c, offset, buf, len, level);
}

int co_meta_zero(MetaCache *c, uint64_t offset, uint64_t len, MetaLevel level)
{
    return co_meta_change(c, offset, NULL, len, level);
}
