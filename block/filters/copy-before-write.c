// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * copy-before-write: before a part of the disk is written first, its old contents go to the child
 * `target`. So source and target together show the disk as it was, which the driver snapshot-access
 * does. One byte a cluster says where its old contents are (16 MiB for each TiB with the smallest
 * clusters, 64 KiB).
 */
#include "block/filters/copy-before-write.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/bitmap.h"
#include "util/error.h"
#include "util/iov.h"

#define MIN_CLUSTER (64 * KIB)
#define PIECE MIB

enum { AT_TARGET = 1, ACCESS = 2 };     /* of a cluster: copied; may be read by snapshot-access */

/* Work on clusters [from, to): copies exclude each other and reads, reads only copies. */
typedef struct Claim {
    uint64_t from, to;
    bool copy;
    struct Claim *next;
} Claim;

typedef struct CbwState {
    BlockNode *target;
    uint64_t cluster;
    uint64_t count;             /* of clusters */
    uint8_t *map;
    Claim *claims;
    CoQueue changed;
    bool break_snapshot;        /* on-cbw-error */
    int64_t timeout_ns;         /* 0: none */
    int snapshot_error;         /* the snapshot is broken */
    unsigned copies;            /* coroutines that nobody waits for any more, too */
} CbwState;

/* ---- claims ---- */

static bool in_the_way(const CbwState *s, const Claim *c)
{
    for (const Claim *o = s->claims; o; o = o->next) {
        if (o->from < c->to && c->from < o->to && (o->copy || c->copy)) {
            return true;
        }
    }
    return false;
}

static void co_claim(CbwState *s, Claim *c)
{
    while (in_the_way(s, c)) {
        co_queue_wait(&s->changed, NULL);
    }
    c->next = s->claims;
    s->claims = c;
}

static void release(CbwState *s, Claim *c)
{
    Claim **link = &s->claims;

    while (*link != c) {
        link = &(*link)->next;
    }
    *link = c->next;
    co_queue_wake_all(&s->changed);
}

/* ---- copying ---- */

/* How many clusters from `at` on, below `end`, have these flags as `at` has them. */
static uint64_t run_length(const CbwState *s, uint64_t at, uint64_t end, uint8_t flags)
{
    uint64_t n = 1;

    while (at + n < end && (s->map[at + n] & flags) == (s->map[at] & flags)) {
        n++;
    }
    return n;
}

static int co_copy_run(BlockNode *n, uint64_t from, uint64_t count)
{
    CbwState *s = n->state;
    uint64_t offset = from * s->cluster, bytes = MIN(count * s->cluster, n->length - offset);
    void *buf = NULL;
    int ret;

    if (posix_memalign(&buf, 4096, bytes) != 0) {
        return -ENOMEM;
    }
    ret = co_block_pread(n->file, offset, buf, bytes);
    if (ret == 0) {
        ret = buffer_is_zero(buf, bytes)
                  ? co_block_write_zeroes(s->target, offset, bytes, BLOCK_MAY_UNMAP)
                  : co_block_pwrite(s->target, offset, buf, bytes, 0);
    }
    free(buf);
    for (uint64_t i = 0; ret == 0 && i < count; i++) {
        s->map[from + i] |= AT_TARGET;
    }
    return ret;
}

/*
 * A piece of the disk that is about to change; outlives its waiter when that has no more patience.
 */
typedef struct Copy {
    BlockNode *n;
    Claim claim;
    int ret;
    bool ended, abandoned;
    Coroutine *waiter;
    Timer timer;
} Copy;

static void co_copy(void *opaque)
{
    Copy *c = opaque;
    CbwState *s = c->n->state;

    s->copies++;
    co_claim(s, &c->claim);
    for (uint64_t at = c->claim.from; at < c->claim.to && c->ret == 0;) {
        uint64_t run = run_length(s, at, c->claim.to, ACCESS | AT_TARGET);

        if ((s->map[at] & (ACCESS | AT_TARGET)) == ACCESS) {
            c->ret = co_copy_run(c->n, at, run);
        }
        at += run;
    }
    release(s, &c->claim);
    s->copies--;
    co_queue_wake_all(&s->changed);
    c->ended = true;
    if (c->abandoned) {
        g_free(c);
    } else if (c->waiter) {
        coroutine_wake(c->waiter);
    }
}

static void out_of_patience(void *opaque)
{
    Copy *c = opaque;

    if (!c->ended) {
        c->abandoned = true;
        coroutine_wake(c->waiter);
    }
}

static int co_copy_patiently(BlockNode *n, uint64_t from, uint64_t to)
{
    CbwState *s = n->state;
    Copy *c = g_new0(Copy, 1);
    int ret;

    c->n = n;
    c->claim = (Claim){ .from = from, .to = to, .copy = true };
    if (!s->timeout_ns) {
        co_copy(c);
    } else {
        coroutine_start(co_copy, c);
        if (!c->ended) {
            c->waiter = coroutine_self();
            timer_init(&c->timer, CLOCK_RT, out_of_patience, c);
            timer_set_ns(&c->timer, clock_now_ns(CLOCK_RT) + s->timeout_ns);
            co_yield();
            timer_cancel(&c->timer);
        }
        if (!c->ended) {
            return -ETIMEDOUT;
        }
    }
    ret = c->ret;
    g_free(c);
    return ret;
}

static bool needs_copy(const CbwState *s, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        if ((s->map[i] & (ACCESS | AT_TARGET)) == ACCESS) {
            return true;
        }
    }
    return false;
}

/* 0: the range may change. */
static int co_before_write(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    CbwState *s = n->state;
    uint64_t at = offset / s->cluster,
             end = MIN((offset + bytes + s->cluster - 1) / s->cluster, s->count);

    while (at < end && !s->snapshot_error) {
        uint64_t to = MIN(end, at + MAX(PIECE / s->cluster, 1));
        int ret = needs_copy(s, at, to) ? co_copy_patiently(n, at, to) : 0;

        if (ret < 0 && !s->break_snapshot) {
            return ret;
        }
        if (ret < 0) {
            s->snapshot_error = ret;
        }
        at = to;
    }
    return 0;
}

/* ---- the filter ---- */

static int co_cbw_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_cbw_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    int ret = co_before_write(n, offset, bytes);

    return ret < 0 ? ret : co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
}

static int co_cbw_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    int ret = co_before_write(n, offset, bytes);

    return ret < 0 ? ret : co_block_write_zeroes(n->file, offset, bytes, flags);
}

static int co_cbw_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int ret = co_before_write(n, offset, bytes);

    return ret < 0 ? ret : co_block_discard(n->file, offset, bytes);
}

/* What the target has is only good together with us. */
static int co_cbw_flush(BlockNode *n)
{
    return 0;
}

static void cbw_child_perm(BlockNode *n, const BlockEdge *child, unsigned perm, unsigned shared,
                           unsigned *child_perm, unsigned *child_shared)
{
    if (strcmp(child->name, "target") == 0) {
        /* the source may lie below it */
        *child_perm = BLOCK_PERM_WRITE;
        *child_shared = BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE;
        return;
    }
    *child_perm = perm;
    *child_shared = shared;
    /* as long as nobody uses the filter, others may write to the disk directly */
    if (n->parents->len) {
        *child_perm |= perm & BLOCK_PERM_WRITE ? BLOCK_PERM_READ : 0;
        *child_shared &= ~(BLOCK_PERM_WRITE | BLOCK_PERM_RESIZE);
    }
}

static bool take_bitmap(BlockNode *n, struct json_object *opts, GError **error)
{
    CbwState *s = n->state;
    const char *node = opts_string(opts, "bitmap.node", NULL),
               *name = opts_string(opts, "bitmap.name", NULL);
    uint64_t at = 0, bytes;
    DirtyBitmap *b;
    BlockNode *of;

    if (!node && !name) {
        memset(s->map, ACCESS, s->count);
        return true;
    }
    if (!node || !name) {
        return fail(error, "Parameter 'bitmap.%s' is missing", node ? "name" : "node");
    }
    b = dirty_bitmap_lookup(node, name, &of, error);
    if (!b || !dirty_bitmap_check(b, BITMAP_INCONSISTENT, error)) {
        return false;
    }
    while (dirty_bitmap_next(b, &at, n->length, n->length, &bytes)) {
        uint64_t last = (at + bytes + s->cluster - 1) / s->cluster;

        for (uint64_t i = at / s->cluster; i < MIN(last, s->count); i++) {
            s->map[i] = ACCESS;
        }
        at += bytes;
    }
    return true;
}

static bool cbw_open(BlockNode *n, struct json_object *opts, GError **error)
{
    CbwState *s = n->state;
    const char *policy = opts_string(opts, "on-cbw-error", "break-guest-write");
    g_autoptr(GError) ignored = NULL;
    BlockImageInfo info = { .cluster_size = 0 };

    s->target = block_child(n, "target");
    if (strcmp(policy, "break-guest-write") != 0 && strcmp(policy, "break-snapshot") != 0) {
        return fail(error, "Parameter 'on-cbw-error' does not accept value '%s'", policy);
    }
    if (s->target->length < n->file->length) {
        return fail(error,
                    "copy-before-write: target (%" G_GUINT64_FORMAT
                    " bytes) is smaller than the disk (%" G_GUINT64_FORMAT " bytes)",
                    s->target->length, n->file->length);
    }
    s->break_snapshot = strcmp(policy, "break-snapshot") == 0;
    s->timeout_ns = (int64_t)MIN(opts_number(opts, "cbw-timeout", 0), UINT32_MAX) * 1000000000;
    if (s->target->driver->co_info && s->target->driver->co_info(s->target, &info, &ignored) &&
        info.specific) {
        json_object_put(info.specific);
    }
    s->cluster = MAX(MIN_CLUSTER, info.cluster_size);
    n->length = n->file->length;
    n->align = n->file->align;
    s->count = (n->length + s->cluster - 1) / s->cluster;
    s->map = g_malloc0(MAX(s->count, 1));
    if (!take_bitmap(n, opts, error)) {
        g_free(s->map);
        return false;
    }
    return true;
}

static void cbw_close(BlockNode *n)
{
    CbwState *s = n->state;

    while (s->copies) {
        co_queue_wait(&s->changed, NULL);
    }
    g_free(s->map);
}

static const OptDesc cbw_opts[] = {
    { "bitmap.node", OPT_STRING, "node of a bitmap" }, { "bitmap.name", OPT_STRING, "only what is dirty in it is kept" },
    { "on-cbw-error", OPT_STRING, "break-guest-write, break-snapshot" },
    { "cbw-timeout", OPT_NUMBER, "seconds after which copying has failed, 0: none" }, { NULL },
};

static const BlockChildDesc cbw_children[] = {
    { "file", BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY, false }, { "target", BLOCK_ROLE_DATA, false }, { NULL, 0, false },
};

const BlockDriver copy_before_write_driver = {
    .name = "copy-before-write", .desc = "keeps what is overwritten", .filter = true, .opts = cbw_opts,
    .children = cbw_children, .state_size = sizeof(CbwState), .open = cbw_open, .close = cbw_close,
    .co_preadv = co_cbw_preadv, .co_pwritev = co_cbw_pwritev, .co_write_zeroes = co_cbw_write_zeroes,
    .co_discard = co_cbw_discard, .co_flush = co_cbw_flush, .child_perm = cbw_child_perm,
};
BLOCK_DRIVER(copy_before_write_driver);

/* ---- the snapshot ---- */

/*
 * The start of a range that lies in one place: its length, and where. Claimed when it is the
 * source.
 */
static int co_locate(BlockNode *n, uint64_t offset, uint64_t bytes, Claim *c, BlockNode **where,
                     uint64_t *len)
{
    CbwState *s = n->state;
    uint64_t at = offset / s->cluster,
             end = MIN((offset + bytes + s->cluster - 1) / s->cluster, s->count);

    if (s->snapshot_error) {
        return -EACCES;
    }
    *c = (Claim){ .from = at, .to = MIN(end, at + MAX(PIECE / s->cluster, 1)) };
    co_claim(s, c);
    c->to = at + run_length(s, at, c->to, ACCESS | AT_TARGET);
    *len = MIN(bytes, c->to * s->cluster - offset);
    *where = s->map[at] & AT_TARGET ? s->target : n->file;
    if (!(s->map[at] & ACCESS) || s->snapshot_error) {
        release(s, c);
        return -EACCES;
    }
    return 0;
}

int co_cbw_snapshot_read(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    CbwState *s = n->state;
    g_autofree struct iovec *part = g_new(struct iovec, niov);

    for (uint64_t done = 0, len; done < bytes; done += len) {
        BlockNode *where;
        Claim c;
        int ret = co_locate(n, offset + done, bytes - done, &c, &where, &len);

        if (ret < 0) {
            return ret;
        }
        ret = co_block_preadv(where, offset + done, len, part,
                              iov_slice(part, niov, iov, niov, done, len));
        release(s, &c);
        if (ret < 0) {
            return ret;
        }
    }
    return 0;
}

int co_cbw_snapshot_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                           BlockStatus *st)
{
    BlockNode *where;
    uint64_t len;
    Claim c;
    int ret = co_locate(n, offset, bytes, &c, &where, &len);

    if (ret < 0) {
        return ret;
    }
    ret = co_block_status_above(where, NULL, offset, len, want_zero, st);
    release(n->state, &c);
    st->flags = (st->flags & (BLOCK_STATUS_DATA | BLOCK_STATUS_ZERO)) | BLOCK_STATUS_ALLOCATED;
    st->bytes = MIN(st->bytes, len);
    st->map_node = NULL;
    return ret;
}

int co_cbw_snapshot_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    CbwState *s = n->state;
    uint64_t from = (offset + s->cluster - 1) / s->cluster,
             to = offset + bytes == n->length ? s->count : (offset + bytes) / s->cluster;
    Claim c = { .from = from, .to = to, .copy = true };
    int ret = 0;

    if (from >= to) {
        return 0;
    }
    co_claim(s, &c);
    for (uint64_t at = from; at < to && ret == 0;) {
        uint64_t run = run_length(s, at, to, AT_TARGET);

        if (s->map[at] & AT_TARGET) {
            ret = co_block_discard(s->target, at * s->cluster,
                                   MIN(run * s->cluster, n->length - at * s->cluster));
        }
        memset(s->map + at, 0, run);
        at += run;
    }
    release(s, &c);
    return ret;
}
