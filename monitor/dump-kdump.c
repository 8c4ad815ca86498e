// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dumps in the kdump-compressed format (makedumpfile, IMPLEMENTATION), header version 6: blocks of
 * a header, a second header with the notes, two bitmaps of page frames, descriptors of pages, and
 * pages. It is written flattened: records of an offset, a length and bytes, so that pipes take it.
 */
#include "monitor/dump.h"

#include <string.h>
#include <zlib.h>

#include "util/bswap.h"

#define PAGE 4096u
#define FLAT_BYTES 4096u
#define FLAT_TYPE 1
#define FLAT_VERSION 1
#define HEADER_BYTES 464u
#define HEADER_VERSION 6
#define SUB_BYTES 104u
#define UTS_FIELD 65u
#define UTS_MACHINE 4u
#define FLAG_ZLIB 1u
#define LEVEL_ZERO_PAGES 1 /* pages of zeroes are there once */
#define DESC_BYTES 24u
#define CHUNK (64u * 1024)

typedef struct Kdump {
    const DumpOut *d;
    uint64_t frames; /* one more than the highest page frame */
    uint64_t sub_blocks, map_blocks;
    uint64_t desc_at, data_at; /* in the file that the records make */
    GByteArray *descs, *data;  /* not written yet; they end there */
} Kdump;

static bool put_record(const Kdump *k, uint64_t at, const void *data, uint64_t len)
{
    uint8_t head[16];

    store_be64(head, at);
    store_be64(head + 8, len);
    return k->d->write(head, sizeof(head)) && k->d->write(data, len);
}

static bool put_flat_header(const Kdump *k)
{
    uint8_t head[FLAT_BYTES] = "makedumpfile";

    store_be64(head + 16, FLAT_TYPE);
    store_be64(head + 24, FLAT_VERSION);
    return k->d->write(head, sizeof(head));
}

static bool put_headers(const Kdump *k)
{
    uint8_t h[HEADER_BYTES] = "KDUMP   ", sub[SUB_BYTES] = {0};

    store_le32(h + 8, HEADER_VERSION);
    g_strlcpy((char *)h + 12 + UTS_MACHINE * UTS_FIELD, k->d->machine, UTS_FIELD);
    store_le32(h + 424, FLAG_ZLIB);
    store_le32(h + 428, PAGE);
    store_le32(h + 432, (uint32_t)k->sub_blocks);
    store_le32(h + 436, (uint32_t)(2 * k->map_blocks));
    store_le32(h + 440, (uint32_t)MIN(k->frames, UINT32_MAX));
    store_le32(h + 460, k->d->cpus);
    store_le32(sub + 8, LEVEL_ZERO_PAGES);
    store_le64(sub + 48, PAGE + SUB_BYTES);
    store_le64(sub + 56, k->d->notes->len);
    store_le64(sub + 96, k->frames);
    return put_record(k, 0, h, sizeof(h)) && put_record(k, PAGE, sub, sizeof(sub)) &&
           put_record(k, PAGE + SUB_BYTES, k->d->notes->data, k->d->notes->len);
}

/* Page frames of piece i: those that lie in it whole or in part. */
static void frames_of(const Kdump *k, guint i, uint64_t *from, uint64_t *to)
{
    const DumpPiece *p = &g_array_index(k->d->pieces, DumpPiece, i);

    *from = p->addr / PAGE;
    *to = (p->addr + p->len + PAGE - 1) / PAGE;
}

static uint64_t count_frames(const Kdump *k)
{
    uint64_t n = 0, end = 0, from, to;

    for (guint i = 0; i < k->d->pieces->len; i++) {
        frames_of(k, i, &from, &to);
        n += to - MAX(from, end);
        end = to;
    }
    return n;
}

/* Both maps are the same: all pages that are there are in the dump. */
static bool put_maps(const Kdump *k)
{
    uint64_t from, to, blocks = k->sub_blocks + 1;
    uint8_t map[PAGE];
    guint first = 0;

    for (uint64_t b = 0; b < k->map_blocks; b++) {
        uint64_t low = b * PAGE * 8, high = low + PAGE * 8;

        memset(map, 0, sizeof(map));
        for (guint i = first; i < k->d->pieces->len; i++) {
            frames_of(k, i, &from, &to);
            first = to <= low ? i + 1 : first;
            for (uint64_t f = MAX(from, low); f < MIN(to, high); f++) {
                map[f / 8 % PAGE] |= 1u << f % 8;
            }
        }
        if (!put_record(k, (blocks + b) * PAGE, map, PAGE) ||
            !put_record(k, (blocks + k->map_blocks + b) * PAGE, map, PAGE)) {
            return false;
        }
    }
    return true;
}

static bool flush(const Kdump *k, GByteArray *bytes, uint64_t *at)
{
    bool good = !bytes->len || put_record(k, *at, bytes->data, bytes->len);

    *at += bytes->len;
    g_byte_array_set_size(bytes, 0);
    return good;
}

/* One more page of which the bytes may be there already (len 0), and how far the file reaches. */
static bool put_desc(Kdump *k, uint64_t at, uint32_t len, uint32_t flags)
{
    uint8_t desc[DESC_BYTES] = {0};

    store_le64(desc, at);
    store_le32(desc + 8, len);
    store_le32(desc + 12, flags);
    g_byte_array_append(k->descs, desc, sizeof(desc));
    return (k->descs->len < CHUNK || flush(k, k->descs, &k->desc_at)) &&
           (k->data->len < CHUNK || flush(k, k->data, &k->data_at));
}

static bool put_page(Kdump *k, const uint8_t *page)
{
    uint8_t packed[2 * PAGE];
    uLongf len = sizeof(packed);
    uint64_t at = k->data_at + k->data->len;

    if (compress2(packed, &len, page, PAGE, Z_BEST_SPEED) == Z_OK && len < PAGE) {
        g_byte_array_append(k->data, packed, (guint)len);
        return put_desc(k, at, (uint32_t)len, FLAG_ZLIB);
    }
    g_byte_array_append(k->data, page, PAGE);
    return put_desc(k, at, PAGE, 0);
}

/* The bytes of a page frame, zeroes where no memory is; i: the first piece with some of it. */
static void frame_bytes(const Kdump *k, guint i, uint64_t frame, uint8_t *page)
{
    memset(page, 0, PAGE);
    for (; i < k->d->pieces->len; i++) {
        const DumpPiece *p = &g_array_index(k->d->pieces, DumpPiece, i);
        uint64_t from = MAX(frame * PAGE, p->addr), to = MIN((frame + 1) * PAGE, p->addr + p->len);

        if (p->addr >= (frame + 1) * PAGE) {
            break;
        }
        memcpy(page + from % PAGE, p->host + (from - p->addr), to - from);
    }
}

static bool put_pages(Kdump *k)
{
    static const uint8_t zeroes[PAGE];
    uint64_t zero_at = k->data_at, end = 0, from, to;
    uint8_t page[PAGE];

    g_byte_array_append(k->data, zeroes, PAGE); /* the page of zeroes, as it is */
    for (guint i = 0; i < k->d->pieces->len; i++) {
        frames_of(k, i, &from, &to);
        for (uint64_t f = MAX(from, end); f < to; f++) {
            frame_bytes(k, i, f, page);
            if (!(memcmp(page, zeroes, PAGE) ? put_page(k, page)
                                             : put_desc(k, zero_at, PAGE, 0))) {
                return false;
            }
        }
        end = to;
        k->d->progress(g_array_index(k->d->pieces, DumpPiece, i).len);
    }
    return flush(k, k->descs, &k->desc_at) && flush(k, k->data, &k->data_at);
}

bool dump_write_kdump(const DumpOut *d)
{
    static const uint8_t last[16] = {[0 ... 15] = 0xff};
    Kdump k = {.d = d};
    uint64_t from;
    bool good;

    frames_of(&k, d->pieces->len - 1, &from, &k.frames);
    k.sub_blocks = (SUB_BYTES + d->notes->len + PAGE - 1) / PAGE;
    k.map_blocks = (k.frames + 8 * PAGE - 1) / (8 * PAGE);
    k.desc_at = (1 + k.sub_blocks + 2 * k.map_blocks) * PAGE;
    k.data_at = k.desc_at + count_frames(&k) * DESC_BYTES;
    k.descs = g_byte_array_new();
    k.data = g_byte_array_new();
    good = put_flat_header(&k) && put_headers(&k) && put_maps(&k) && put_pages(&k) &&
           d->write(last, sizeof(last));
    g_byte_array_unref(k.descs);
    g_byte_array_unref(k.data);
    return good;
}
