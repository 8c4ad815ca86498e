// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The log of Hyper-V disks (MS-VHDX 2.3): finding the newest complete sequence of entries and
 * carrying it out. We write no log of our own: entries of the block table are single words, and are
 * written after what they refer to.
 */
#include <errno.h>
#include <string.h>

#include "block/formats/vhdx.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define LOG_SECTOR 4096u
#define ENTRY_HEADER 64u
#define DESCRIPTOR 32u
#define MAX_LOG (512 * MIB)
#define DATA_HEAD 8u            /* bytes of a sector that the descriptor has */
#define DATA_TAIL 4u

/* Offsets in an entry's header. */
enum {
    E_CRC = 4, E_LENGTH = 8, E_TAIL = 12, E_SEQUENCE = 16, E_DESCRIPTORS = 24, E_GUID = 32,
    E_FLUSHED = 48, E_LAST = 56,
};

/* Offsets in a descriptor. */
enum { D_TRAILING = 4, D_LEADING = 8, D_OFFSET = 16, D_SEQUENCE = 24 };

typedef struct Log {
    BlockNode *n;
    uint64_t offset;
    uint32_t length;
    const uint8_t *guid;
} Log;

/* Bytes [at, at + len) of the ring. */
static int co_log_read(const Log *l, uint32_t at, uint8_t *buf, uint32_t len)
{
    uint32_t first = MIN(len, l->length - at);
    int ret = co_block_pread(l->n->file, l->offset + at, buf, first);

    return ret < 0 || first == len
               ? ret
               : co_block_pread(l->n->file, l->offset, buf + first, len - first);
}

static uint32_t descriptor_bytes(uint32_t count)
{
    return (uint32_t)round_up(ENTRY_HEADER + (uint64_t)count * DESCRIPTOR, LOG_SECTOR);
}

/* Whether the descriptors and data sectors of an entry are what they should be. */
static bool entry_is_sound(const uint8_t *e, uint32_t length)
{
    uint32_t count = load_le32(e + E_DESCRIPTORS);
    uint64_t sequence = load_le64(e + E_SEQUENCE), used = descriptor_bytes(count);

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *d = e + ENTRY_HEADER + (size_t)i * DESCRIPTOR;
        bool data = memcmp(d, "desc", 4) == 0;

        if ((!data && memcmp(d, "zero", 4) != 0) || load_le64(d + D_SEQUENCE) != sequence ||
            load_le64(d + D_OFFSET) % LOG_SECTOR) {
            return false;
        }
        if (data) {
            const uint8_t *s = e + used;

            if (used + LOG_SECTOR > length || memcmp(s, "data", 4) != 0 ||
                ((uint64_t)load_le32(s + 4) << 32 | load_le32(s + LOG_SECTOR - 4)) != sequence) {
                return false;
            }
            used += LOG_SECTOR;
        } else if (load_le64(d + D_LEADING) % LOG_SECTOR) {
            return false;
        }
    }
    return true;
}

/* The valid entry at `at`, or NULL. */
static uint8_t *co_log_entry(const Log *l, uint32_t at)
{
    uint8_t head[ENTRY_HEADER];
    g_autofree uint8_t *e = NULL;
    uint32_t length, count;

    if (co_log_read(l, at, head, sizeof(head)) < 0 || memcmp(head, "loge", 4) != 0 ||
        memcmp(head + E_GUID, l->guid, VHDX_GUID) != 0) {
        return NULL;
    }
    length = load_le32(head + E_LENGTH);
    count = load_le32(head + E_DESCRIPTORS);
    if (length == 0 || length > l->length || length % LOG_SECTOR ||
        load_le64(head + E_SEQUENCE) == 0 || load_le32(head + E_TAIL) >= l->length ||
        load_le32(head + E_TAIL) % LOG_SECTOR || count > (length - ENTRY_HEADER) / DESCRIPTOR ||
        descriptor_bytes(count) > length) {
        return NULL;
    }
    e = g_malloc(length);
    if (co_log_read(l, at, e, length) < 0 || load_le32(e + E_CRC) != vhdx_crc(e, length) ||
        !entry_is_sound(e, length)) {
        return NULL;
    }
    return g_steal_pointer(&e);
}

typedef struct Sequence {
    uint64_t first, last;       /* sequence numbers; 0: none */
    uint32_t tail;              /* where it begins */
    uint32_t start, bytes;      /* what was walked over */
} Sequence;

/* Follows entries from `at`; the last one's tail must be one of them. */
static bool co_follow(const Log *l, uint32_t at, Sequence *s)
{
    uint32_t pos = at, walked = 0, tail = 0;
    uint64_t next = 0;

    *s = (Sequence){ .start = at };
    while (walked < l->length) {
        g_autofree uint8_t *e = co_log_entry(l, pos);
        uint64_t sequence = e ? load_le64(e + E_SEQUENCE) : 0;
        uint32_t length = e ? load_le32(e + E_LENGTH) : 0;

        if (!e || (next && sequence != next) || length > l->length - walked) {
            break;
        }
        s->first = s->first ? s->first : sequence;
        s->last = sequence;
        tail = load_le32(e + E_TAIL);
        next = sequence + 1;
        walked += length;
        pos = (uint32_t)(((uint64_t)pos + length) % l->length);
    }
    s->bytes = walked;
    s->tail = tail;
    /* the tail lies in what was walked over */
    return s->last != 0 && (tail + l->length - at) % l->length < walked;
}

/* One entry's descriptors. */
static int co_apply(BlockNode *n, const uint8_t *e)
{
    uint32_t count = load_le32(e + E_DESCRIPTORS);
    const uint8_t *data = e + descriptor_bytes(count);
    int ret = 0;

    for (uint32_t i = 0; i < count && ret == 0; i++) {
        const uint8_t *d = e + ENTRY_HEADER + (size_t)i * DESCRIPTOR;
        uint64_t at = load_le64(d + D_OFFSET);

        if (memcmp(d, "zero", 4) == 0) {
            uint64_t len = load_le64(d + D_LEADING);

            if (at > INT64_MAX || len > INT64_MAX - at) {
                return -EINVAL;
            }
            /* beyond the end zeroes are there already */
            len = at < n->file->length ? MIN(len, n->file->length - at) : 0;
            ret = len ? co_block_write_zeroes(n->file, at, len, 0) : 0;
        } else {
            uint8_t sector[LOG_SECTOR];

            memcpy(sector, d + D_LEADING, DATA_HEAD);
            memcpy(sector + DATA_HEAD, data + DATA_HEAD, LOG_SECTOR - DATA_HEAD - DATA_TAIL);
            memcpy(sector + LOG_SECTOR - DATA_TAIL, d + D_TRAILING, DATA_TAIL);
            data += LOG_SECTOR;
            if (at > load_le64(e + E_LAST) + VHDX_MAX_SIZE) {
                return -EINVAL;
            }
            ret = co_block_pwrite(n->file, at, sector, sizeof(sector), 0);
        }
    }
    return ret;
}

static int co_apply_all(const Log *l, const Sequence *s, GError **error)
{
    uint32_t pos = s->tail;
    uint64_t sequence = 0;
    int ret = 0;

    while (ret == 0 && sequence != s->last) {
        g_autofree uint8_t *e = co_log_entry(l, pos);

        if (!e || (sequence && load_le64(e + E_SEQUENCE) != sequence + 1)) {
            return -EINVAL;
        }
        sequence = load_le64(e + E_SEQUENCE);
        if (load_le64(e + E_FLUSHED) > l->n->file->length) {
            fail(error, "the file of '%s' has become shorter than its log says", l->n->filename);
            return -EINVAL;
        }
        ret = co_apply(l->n, e);
        if (ret == 0 && load_le64(e + E_LAST) > l->n->file->length &&
            load_le64(e + E_LAST) <= VHDX_MAX_SIZE * 2 &&
            !co_block_truncate(l->n->file, load_le64(e + E_LAST), PREALLOC_OFF, error)) {
            return -EIO;
        }
        pos = (uint32_t)(((uint64_t)pos + load_le32(e + E_LENGTH)) % l->length);
    }
    return ret < 0 ? ret : co_block_flush(l->n->file);
}

bool vhdx_replay_log(BlockNode *n, bool *any, GError **error)
{
    VhdxState *s = n->state;
    Log l = {n, load_le64(s->header + XH_LOG_OFFSET), load_le32(s->header + XH_LOG_LENGTH),
             s->header + XH_LOG_GUID};
    Sequence best = { 0 };
    int ret;

    *any = false;
    if (vhdx_guid_is_zero(l.guid)) {
        return true;
    }
    if (load_le16(s->header + XH_LOG_VERSION) != 0 || l.offset < MIB || l.offset % MIB ||
        l.length == 0 || l.length % MIB || l.length > MAX_LOG || l.offset > n->file->length ||
        l.length > n->file->length - l.offset) {
        return fail(error, "the log of '%s' has an invalid place or version", n->filename);
    }
    for (uint32_t at = 0; at < l.length;) {
        Sequence now;

        if (co_follow(&l, at, &now) && now.last > best.last) {
            best = now;
        }
        at += MAX(now.bytes / LOG_SECTOR * LOG_SECTOR, LOG_SECTOR);
    }
    if (best.last == 0) {
        return fail(error, "the log of '%s' has no valid sequence of entries", n->filename);
    }
    *any = true;
    if (n->read_only) {
        return fail(
            error,
            "VHDX image file '%s' opened read-only, but contains a log that needs to be replayed\n"
            "To replay the log, run:\nqemu-img check -r all '%s'",
            n->filename, n->filename);
    }
    ret = co_apply_all(&l, &best, error);
    if (ret < 0) {
        return *error ? false
                      : fail_errno(error, -ret, "Could not replay the log of '%s'", n->filename);
    }
    memset(s->header + XH_LOG_GUID, 0, VHDX_GUID);
    return vhdx_write_header(n, error);
}
