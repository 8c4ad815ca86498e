// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mirroring: a target is kept equal to a source while the guest writes; when it is, the user may
 * have the guest switch over. Committing the active layer is the same with a backing file as
 * target.
 */
#include <errno.h>
#include <string.h>

#include "block/bitmap.h"
#include "block/driver.h"
#include "block/job-filter.h"
#include "block/job-kinds.h"
#include "util/error.h"
#include "util/iov.h"

#define CHUNK (1 * MIB)
#define WORKERS 8
#define MAX_WORKERS 32

/* A range of the target that is being written: others that meet it wait. */
typedef struct MirrorOp {
    uint64_t start, end;
    struct MirrorOp *next;
} MirrorOp;

typedef struct MirrorJob {
    BlockJob j;
    BlockNode *source, *target;
    BlockNode *filter;          /* ours, above source */
    MirrorOp *ops;
    CoQueue op_ended;
    unsigned workers;           /* copies at once */
    bool write_blocking;
    BlockNode *base;            /* what lies below is not copied; NULL: all is */
    BlockEdge *source_edge, *target_edge;
    DirtyBitmap *dirty;
    bool commit;                /* the target is a backing file of the source */
    bool zero_target;           /* it shows zeroes already */
    bool unmap;
    bool filled;                /* what was there at the start is marked */
    int sync;
    unsigned running;
    uint64_t next;              /* where the search for dirty blocks goes on */
    CoQueue idle;
    int ret;
    bool pivot;
    BlockNode *replaces;        /* the node that gives way; NULL: source */
    bool backing_chain;         /* sync=top, none: the target gets the source's backing file */
} MirrorJob;

/* ---- ranges in flight; within the graph's lock, so that who holds one can always go on ---- */

static bool op_meets(const MirrorJob *m, uint64_t start, uint64_t end)
{
    for (const MirrorOp *o = m->ops; o; o = o->next) {
        if (o->start < end && start < o->end) {
            return true;
        }
    }
    return false;
}

static void co_op_begin(MirrorJob *m, MirrorOp *o, uint64_t offset, uint64_t bytes)
{
    while (op_meets(m, offset, offset + bytes)) {
        co_queue_wait(&m->op_ended, NULL);
    }
    *o = (MirrorOp){ offset, offset + bytes, m->ops };
    m->ops = o;
}

static void op_end(MirrorJob *m, MirrorOp *o)
{
    MirrorOp **at = &m->ops;

    while (*at != o) {
        at = &(*at)->next;
    }
    *at = o->next;
    co_queue_wake_all(&m->op_ended);
}

/* ---- copy-mode=write-blocking: the guest's writes, at both places ---- */

typedef struct MirrorTop { MirrorJob *m; } MirrorTop;
typedef enum GuestKind { GUEST_WRITE, GUEST_ZEROES, GUEST_DISCARD } GuestKind;

static int co_guest_change(BlockNode *to, GuestKind kind, uint64_t offset, uint64_t bytes,
                           const struct iovec *iov, unsigned niov, unsigned flags)
{
    return kind == GUEST_WRITE    ? co_block_pwritev(to, offset, bytes, iov, niov, flags)
           : kind == GUEST_ZEROES ? co_block_write_zeroes(to, offset, bytes, flags)
                                  : co_block_discard(to, offset, bytes);
}

static int co_top_change(BlockNode *n, GuestKind kind, uint64_t offset, uint64_t bytes,
                         const struct iovec *iov, unsigned niov, unsigned flags)
{
    MirrorJob *m = ((MirrorTop *)n->state)->m;
    int ret, target_ret;
    MirrorOp op;

    if (!m || !m->write_blocking || (flags & BLOCK_UNCHANGED)) {
        return co_guest_change(n->file, kind, offset, bytes, iov, niov, flags);
    }
    co_op_begin(m, &op, offset, bytes);
    ret = co_guest_change(n->file, kind, offset, bytes, iov, niov, flags);
    target_ret = ret < 0 ? ret
                         : co_guest_change(m->target, kind, offset, bytes, iov, niov,
                                           flags & ~BLOCK_COMPRESSED);
    if (target_ret == 0 && kind != GUEST_DISCARD) {
        dirty_bitmap_clear(m->dirty, offset, bytes);
    } else {
        /* what a failed write or a discard left is copied as it is */
        dirty_bitmap_set(m->dirty, offset, bytes);
    }
    if (ret == 0 && target_ret < 0 && m->ret == 0 &&
        m->j.on_target_error == BLOCKDEV_ON_ERROR_REPORT) {
        m->ret = target_ret;
    }
    op_end(m, &op);
    return ret;
}

static int co_top_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    return co_top_change(n, GUEST_WRITE, offset, bytes, iov, niov, flags);
}

static int co_top_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    return co_top_change(n, GUEST_ZEROES, offset, bytes, NULL, 0, flags);
}

static int co_top_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    return co_top_change(n, GUEST_DISCARD, offset, bytes, NULL, 0, 0);
}

static const BlockDriver mirror_top_driver = {
    .name = "mirror_top", .desc = "above the node that is mirrored", .filter = true, .internal = true, .filters_backing = true,
    .state_size = sizeof(MirrorTop), .co_preadv = co_job_filter_preadv, .co_pwritev = co_top_pwritev,
    .co_write_zeroes = co_top_write_zeroes, .co_discard = co_top_discard,
};

/* No write of the guest is on its way: the graph is locked. */
static void drop_filter(MirrorJob *m, BlockNode *instead)
{
    if (m->filter) {
        ((MirrorTop *)m->filter->state)->m = NULL;
        job_filter_remove(g_steal_pointer(&m->filter), instead);
    }
}

/* ---- copying ---- */

/* One chunk as it is now. */
static int co_copy(MirrorJob *m, uint64_t at, uint64_t bytes, uint8_t *buf, bool *read)
{
    BlockStatus st;
    MirrorOp op;
    int ret = 0;

    co_graph_enter();
    co_op_begin(m, &op, at, bytes);
    *read = true;
    while (bytes) {
        uint64_t len = bytes;

        ret = co_block_status_above(m->source, NULL, at, bytes, true, &st);
        len = ret == 0 && st.bytes ? MIN(bytes, st.bytes) : bytes;
        if (ret == 0 && (st.flags & BLOCK_STATUS_ZERO)) {
            *read = false;
            ret = co_block_write_zeroes(m->target, at, len, m->unmap ? BLOCK_MAY_UNMAP : 0);
        } else {
            ret = co_block_pread(m->source, at, buf, len);
            if (ret == 0) {
                *read = false;
                ret = co_block_pwrite(m->target, at, buf, len, 0);
            }
        }
        if (ret < 0) {
            break;
        }
        at += len;
        bytes -= len;
        *read = true;
    }
    op_end(m, &op);
    graph_leave();
    return bytes ? ret : 0;
}

/* The next dirty piece, which is clean from now on; false: none. */
static bool take_dirty(MirrorJob *m, uint64_t *at, uint64_t *bytes)
{
    *at = m->next;
    if (!dirty_bitmap_next(m->dirty, at, m->source->length, CHUNK, bytes)) {
        *at = 0;
        if (!dirty_bitmap_next(m->dirty, at, m->source->length, CHUNK, bytes)) {
            return false;
        }
    }
    *at = *at / m->dirty->granularity * m->dirty->granularity;
    *bytes = MIN(CHUNK, m->source->length - *at);
    dirty_bitmap_get(m->dirty, *at, bytes);
    *bytes = MIN(*bytes, CHUNK);
    dirty_bitmap_clear(m->dirty, *at, *bytes);
    m->next = *at + *bytes;
    return true;
}

static void co_mirror_worker(void *opaque)
{
    MirrorJob *m = opaque;
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    uint64_t at, bytes;

    while (m->ret == 0 && !job_is_cancelled(&m->j) && !m->j.user_paused &&
           take_dirty(m, &at, &bytes)) {
        bool read;
        int ret = co_copy(m, at, bytes, buf, &read);

        if (ret < 0) {
            dirty_bitmap_set(m->dirty, at, bytes);
            if (!co_job_error(&m->j, read, read ? m->j.on_error : m->j.on_target_error, -ret)) {
                m->ret = ret;
            }
            break;
        }
        co_job_did(&m->j, bytes);
    }
    m->running--;
    co_queue_wake_all(&m->idle);
}

/* All dirty blocks, several at a time. */
static void co_mirror_pass(MirrorJob *m)
{
    unsigned n = (unsigned)MIN(m->workers, dirty_bitmap_bytes(m->dirty) / CHUNK + 1);

    m->running = n;
    for (unsigned i = 0; i < n; i++) {
        coroutine_start(co_mirror_worker, m);
    }
    while (m->running) {
        co_queue_wait(&m->idle, NULL);
    }
}

/* Marks what is to be copied at first. */
static int co_mirror_init(MirrorJob *m)
{
    for (uint64_t at = 0; at < m->source->length;) {
        BlockStatus st;
        int ret;

        if (job_is_cancelled(&m->j)) {
            return 0;
        }
        co_graph_enter();
        ret = co_block_status_above(m->source, m->base, at, m->source->length - at, false, &st);
        graph_leave();
        if (ret < 0) {
            return ret;
        }
        if ((st.flags & BLOCK_STATUS_ALLOCATED) &&
            !(m->zero_target && (st.flags & BLOCK_STATUS_ZERO))) {
            dirty_bitmap_set(m->dirty, at, st.bytes);
        } else if (!m->base && !m->commit && !m->zero_target) {
            dirty_bitmap_set(m->dirty, at, st.bytes);
        }
        at += st.bytes;
    }
    return 0;
}

static bool wants_to_end(const MirrorJob *m)
{
    return m->j.completing || (m->j.cancelled && !m->j.force);
}

static bool co_mirror_run(BlockJob *j, GError **error)
{
    MirrorJob *m = (MirrorJob *)j;
    int ret = 0;

    if (m->sync != MIRROR_SYNC_MODE_NONE) {
        ret = co_mirror_init(m);
    }
    if (ret < 0) {
        return fail(error, "%s", g_strerror(-ret));
    }
    for (;;) {
        if (co_job_pause_point(j)) {
            return true;
        }
        if (m->ret < 0) {
            return fail(error, "%s", g_strerror(-m->ret));
        }
        job_total(j, j->done + dirty_bitmap_bytes(m->dirty));
        if (m->dirty->count) {
            co_mirror_pass(m);
            if (m->ret < 0) {
                return fail(error, "%s", g_strerror(-m->ret));
            }
            continue;
        }
        if (!j->ready) {
            co_graph_enter();
            ret = co_block_flush(m->target);
            graph_leave();
            if (ret < 0 && !co_job_error(j, false, j->on_target_error, -ret)) {
                return fail(error, "%s", g_strerror(-ret));
            }
            job_ready(j);
            continue;
        }
        if (!wants_to_end(m)) {
            co_job_sleep(j, 100000000);
            continue;
        }
        /* nobody writes from here on: the last blocks, then the switch in commit() */
        block_graph_lock();
        if (m->dirty->count) {
            block_graph_unlock();
            continue;
        }
        block_graph_unlock();
        break;
    }
    m->pivot = j->completing;
    return true;
}

/* With the graph locked: what came in since the last pass. */
static void co_mirror_rest(void *opaque)
{
    MirrorJob *m = opaque;
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    uint64_t at, bytes;

    while (m->ret == 0 && take_dirty(m, &at, &bytes)) {
        m->ret = co_block_pread(m->source, at, buf, bytes);
        m->ret = m->ret < 0 ? m->ret : co_block_pwrite(m->target, at, buf, bytes, 0);
    }
    if (m->ret == 0) {
        m->ret = co_block_flush(m->target);
    }
}

static void mirror_commit(BlockJob *j)
{
    MirrorJob *m = (MirrorJob *)j;
    BlockNode *from = m->replaces && m->replaces != m->source ? m->replaces : NULL;
    g_autoptr(GError) why = NULL;

    block_run(co_mirror_rest, m);
    block_detach(m->source_edge);
    block_detach(m->target_edge);
    m->source_edge = m->target_edge = NULL;
    if (m->ret < 0) {
        warn_report("job '%s': %s", j->id, g_strerror(-m->ret));
        return;
    }
    if (m->pivot) {
        if (m->backing_chain && m->target->driver->backing && !m->target->backing &&
            m->source->backing) {
            block_set_backing(m->target, m->source->backing, &why);
            g_clear_error(&why);
        }
        drop_filter(m, from ? NULL : m->target);
        if (from && !block_replace_node(from, m->target, NULL, &why)) {
            warn_report("job '%s': %s", j->id, why->message);
        }
    }
}

static void mirror_clean(BlockJob *j)
{
    MirrorJob *m = (MirrorJob *)j;

    block_detach(m->source_edge);
    block_detach(m->target_edge);
    block_graph_lock();
    drop_filter(m, NULL);
    block_graph_unlock();
    if (m->dirty) {
        dirty_bitmap_free(m->dirty);
    }
    block_node_unref(m->replaces);
    if (m->commit && !m->pivot) {
        g_autoptr(GError) ignored = NULL;

        block_make_read_only(m->target, &ignored);
    }
    block_node_unref(m->source);
    block_node_unref(m->target);
}

static bool mirror_complete(BlockJob *j, GError **error)
{
    return true;
}

static const JobDriver mirror_driver = {
    .type = JOB_TYPE_MIRROR, .size = sizeof(MirrorJob), .co_run = co_mirror_run, .commit = mirror_commit, .clean = mirror_clean,
    .complete = mirror_complete, .soft_cancel = true,
};

static const JobDriver active_commit_driver = {
    .type = JOB_TYPE_COMMIT, .size = sizeof(MirrorJob), .co_run = co_mirror_run, .commit = mirror_commit, .clean = mirror_clean,
    .complete = mirror_complete, .soft_cancel = true,
};

bool job_mirror_start(const JobParams *p, const MirrorParams *w, GError **error)
{
    uint32_t granularity = w->granularity ? w->granularity : 65536;
    BlockJob *j = job_new(w->commit ? &active_commit_driver : &mirror_driver, p, w->source, error);
    MirrorJob *m = (MirrorJob *)j;

    if (!j) {
        return false;
    }
    m->workers = w->buf_size ? (unsigned)CLAMP(w->buf_size / CHUNK, 1, MAX_WORKERS) : WORKERS;
    m->write_blocking = w->write_blocking;
    m->source = block_node_ref(w->source);
    m->target = block_node_ref(w->target);
    m->commit = w->commit;
    m->sync = w->sync;
    m->base = w->commit                         ? w->target
              : w->sync == MIRROR_SYNC_MODE_TOP ? block_below(block_skip_filters(w->source))
                                                : NULL;
    m->zero_target = w->zero_target;
    m->unmap = w->unmap;
    m->replaces = w->replaces ? block_node_ref(w->replaces) : NULL;
    m->backing_chain = w->sync != MIRROR_SYNC_MODE_FULL;
    j->on_error = w->on_source;
    j->on_target_error = w->on_target;
    if (w->target->length < w->source->length &&
        !block_truncate(w->target, w->source->length, PREALLOC_OFF, error)) {
        goto bad;
    }
    m->dirty = dirty_bitmap_new(w->source, NULL, granularity, error);
    if (!m->dirty || !job_own(j, w->source, error) || !job_own(j, w->target, error)) {
        goto bad;
    }
    m->dirty->enabled = !w->write_blocking;
    m->filter = job_filter_insert(&mirror_top_driver, w->source, p->filter_name, error);
    if (!m->filter || !job_own(j, m->filter, error)) {
        goto bad;
    }
    ((MirrorTop *)m->filter->state)->m = m;
    m->source_edge = block_attach(w->source, "mirror job", BLOCK_PERM_READ, BLOCK_PERM_ALL, error);
    m->target_edge = m->source_edge
                         ? block_attach(w->target, "mirror job", w->commit ? 0 : BLOCK_PERM_WRITE,
                                        BLOCK_PERM_ALL, error)
                         : NULL;
    if (!m->target_edge) {
        goto bad;
    }
    job_start(j);
    return true;
bad:
    mirror_clean(j);
    job_drop(j);
    return false;
}
