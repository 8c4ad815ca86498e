// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Logs all writes, with their data, flushes and discards, in the format of Linux's dm-log-writes
 * (version 1), so that each state that a crash can leave can be made again. Little-endian.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/iov.h"

#define LOG_MAGIC 0x6a736677736872ull
#define LOG_VERSION 1u
#define PIECE MIB

enum { LOG_FLUSH = 1, LOG_FUA = 2, LOG_DISCARD = 4 };

typedef struct LogState {
    BlockNode *log;
    uint32_t sector;
    uint64_t next;              /* sector of the log */
    uint64_t entries, interval;
    CoMutex lock;
} LogState;

static int co_write_super(LogState *s)
{
    g_autofree uint8_t *p = g_malloc0(s->sector);

    store_le64(p, LOG_MAGIC);
    store_le64(p + 8, LOG_VERSION);
    store_le64(p + 16, s->entries);
    store_le32(p + 24, s->sector);
    return co_block_pwrite(s->log, 0, p, s->sector, 0);
}

/* One entry; iov NULL: without data. */
static int co_log(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                  unsigned niov, unsigned flags)
{
    LogState *s = n->state;
    g_autofree uint8_t *head = g_malloc0(s->sector);
    uint64_t data = iov ? round_up(bytes, s->sector) : 0;
    int ret;

    store_le64(head, offset / s->sector);
    store_le64(head + 8, div_round_up(bytes, s->sector));
    store_le64(head + 16, flags);
    co_mutex_lock(&s->lock);
    ret = co_block_pwrite(s->log, s->next * s->sector, head, s->sector, 0);
    if (ret == 0 && iov) {
        ret = co_block_pwritev(s->log, (s->next + 1) * s->sector, bytes, iov, niov, 0);
    }
    if (ret == 0) {
        s->next += 1 + data / s->sector;
        s->entries++;
        if (flags & (LOG_FLUSH | LOG_FUA) || s->entries % s->interval == 0) {
            ret = co_write_super(s);
        }
    }
    if (ret == 0 && flags & (LOG_FLUSH | LOG_FUA)) {
        ret = co_block_flush(s->log);
    }
    co_mutex_unlock(&s->lock);
    return ret;
}

static int co_log_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_log_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    int ret = co_block_pwritev(n->file, offset, bytes, iov, niov, flags);

    return ret < 0 ? ret : co_log(n, offset, bytes, iov, niov, flags & BLOCK_FUA ? LOG_FUA : 0);
}

/* Zeroes are logged as data, in pieces. */
static int co_log_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    g_autofree uint8_t *zeroes = g_malloc0(PIECE);
    int ret = co_block_write_zeroes(n->file, offset, bytes, flags);

    while (bytes > 0 && ret == 0) {
        struct iovec iov = { zeroes, MIN(bytes, PIECE) };

        ret = co_log(n, offset, iov.iov_len, &iov, 1, flags & BLOCK_FUA ? LOG_FUA : 0);
        offset += iov.iov_len;
        bytes -= iov.iov_len;
    }
    return ret;
}

static int co_log_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int ret = co_block_discard(n->file, offset, bytes);

    return ret < 0 ? ret : co_log(n, offset, bytes, NULL, 0, LOG_DISCARD);
}

static int co_log_flush(BlockNode *n)
{
    int ret = co_block_flush(n->file);

    return ret < 0 ? ret : co_log(n, 0, 0, NULL, 0, LOG_FLUSH);
}

/* Goes on behind the entries of a log that is there. */
static bool find_end(LogState *s, GError **error)
{
    uint8_t p[32];
    uint64_t entries, at = 1;

    if (co_block_pread(s->log, 0, p, sizeof(p)) < 0 || load_le64(p) != LOG_MAGIC ||
        load_le64(p + 8) != LOG_VERSION) {
        return fail(error, "'%s' has no log that could be appended to", s->log->filename);
    }
    s->sector = load_le32(p + 24);
    entries = load_le64(p + 16);
    if (!is_power_of_2(s->sector) || s->sector < 512 || s->sector > 8 * MIB) {
        return fail(error, "Invalid log sector size %u", s->sector);
    }
    for (uint64_t i = 0; i < entries; i++) {
        uint64_t data;

        if (at > s->log->length / s->sector ||
            co_block_pread(s->log, at * s->sector, p, sizeof(p)) < 0) {
            return fail(error, "the log '%s' ends before its last entry", s->log->filename);
        }
        data = load_le64(p + 16) & LOG_DISCARD ? 0 : load_le64(p + 8);
        if (data > s->log->length / s->sector) {
            return fail(error, "the log '%s' ends before its last entry", s->log->filename);
        }
        at += 1 + data;
    }
    s->entries = entries;
    s->next = at;
    return true;
}

static bool log_open(BlockNode *n, struct json_object *opts, GError **error)
{
    LogState *s = n->state;
    uint64_t sector = opts_number(opts, "log-sector-size", 512);

    s->log = block_child(n, "log");
    s->interval = MAX(opts_number(opts, "log-super-update-interval", 4096), 1);
    s->next = 1;
    if (opts_bool(opts, "log-append", false)) {
        if (opts_has(opts, "log-sector-size")) {
            return fail(error, "log-append and log-sector-size are mutually exclusive");
        }
        if (!find_end(s, error)) {
            return false;
        }
    } else if (!is_power_of_2(sector) || sector < 512 || sector > 8 * MIB) {
        return fail(error, "Invalid log sector size %" G_GUINT64_FORMAT, sector);
    } else {
        s->sector = (uint32_t)sector;
    }
    n->length = n->file->length;
    n->align = MAX(s->sector, n->file->align);
    return true;
}

static void log_close(BlockNode *n)
{
    LogState *s = n->state;

    if (!s->log->read_only) {
        co_write_super(s);
    }
}

static const OptDesc log_opts[] = {
    { "log-append", OPT_BOOL, "Append to an existing log" },
    { "log-sector-size", OPT_SIZE, "Log sector size" },
    { "log-super-update-interval", OPT_NUMBER, "Log superblock update interval (# of write requests)" },
    { NULL },
};

static const BlockChildDesc log_children[] = {
    { "file", BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY, false }, { "log", BLOCK_ROLE_METADATA, false }, { NULL },
};

static const BlockDriver blklogwrites_driver = {
    .name = "blklogwrites", .desc = "logs writes", .filter = true, .opts = log_opts, .children = log_children,
    .state_size = sizeof(LogState), .open = log_open, .close = log_close, .co_preadv = co_log_preadv,
    .co_pwritev = co_log_pwritev, .co_write_zeroes = co_log_write_zeroes, .co_discard = co_log_discard,
    .co_flush = co_log_flush, .flushes_children = true,
};
BLOCK_DRIVER(blklogwrites_driver);
