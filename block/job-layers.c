// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs that move data between the layers of a chain of images: commit brings those of layers that
 * the guest does not write to down into a backing file, stream brings those of backing files up.
 * The layers between are not needed afterwards.
 */
#include <errno.h>
#include <string.h>

#include "block/driver.h"
#include "block/job-filter.h"
#include "block/job-kinds.h"
#include "block/range-guard.h"
#include "util/error.h"

#define CHUNK (1 * MIB)

typedef struct LayerJob {
    BlockJob j;
    BlockNode *top, *base;      /* references; base may be NULL (stream) */
    BlockNode *filter;          /* ours, above top */
    BlockEdge *top_edge, *base_edge;
    char *backing_file;         /* text for the header; NULL: base's name */
    RangeGuard guard;
    bool guarded;
} LayerJob;

static void layer_clean(BlockJob *j)
{
    LayerJob *l = (LayerJob *)j;

    if (l->guarded) {
        range_guard_end(&l->guard);
    }
    block_detach(l->top_edge);
    block_detach(l->base_edge);
    job_filter_remove(l->filter, NULL);
    block_node_unref(l->top);
    block_node_unref(l->base);
    g_free(l->backing_file);
}

/* ---- commit ---- */

static int co_commit_piece(LayerJob *l, uint64_t at, uint8_t *buf, uint64_t *len)
{
    BlockStatus st;
    int ret;

    co_graph_enter();
    ret = co_block_status_above(l->top, l->base, at, l->top->length - at, true, &st);
    *len = ret == 0 ? st.bytes : 0;
    if (ret == 0 && (st.flags & BLOCK_STATUS_ALLOCATED)) {
        if (st.flags & BLOCK_STATUS_ZERO) {
            ret = co_block_write_zeroes(l->base, at, *len, BLOCK_MAY_UNMAP);
        } else {
            *len = MIN(*len, CHUNK);
            ret = co_block_pread(l->top, at, buf, *len);
            ret = ret < 0 ? ret : co_block_pwrite(l->base, at, buf, *len, 0);
        }
    }
    graph_leave();
    return ret;
}

/*
 * Does piece() after piece until all of top was seen; is_read: what its errors count as. True as
 * well when cancelled.
 */
static bool co_pieces(LayerJob *l,
                      int (*piece)(LayerJob *l, uint64_t at, uint8_t *buf, uint64_t *len),
                      bool is_read, GError **error)
{
    BlockJob *j = &l->j;
    g_autofree uint8_t *buf = g_malloc(CHUNK);

    for (uint64_t at = 0; at < l->top->length;) {
        uint64_t len = 0;
        int ret;

        if (co_job_pause_point(j)) {
            return true;
        }
        ret = piece(l, at, buf, &len);
        if (ret < 0) {
            if (!co_job_error(j, is_read, j->on_error, -ret)) {
                return fail(error, "%s", g_strerror(-ret));
            }
            if (j->on_error != BLOCKDEV_ON_ERROR_IGNORE) {
                continue;
            }
            len = MAX(len, MIN(CHUNK, l->top->length - at));
        }
        at += len;
        co_job_did(j, len);
    }
    return true;
}

static bool co_commit_run(BlockJob *j, GError **error)
{
    LayerJob *l = (LayerJob *)j;

    job_total(j, l->top->length);
    if (l->top->length > l->base->length &&
        !co_block_truncate(l->base, l->top->length, PREALLOC_OFF, error)) {
        return false;
    }
    return co_pieces(l, co_commit_piece, false, error);
}

/* Those above top have base below them now. */
static void commit_done(BlockJob *j)
{
    LayerJob *l = (LayerJob *)j;
    g_autoptr(GPtrArray) above = g_ptr_array_new();
    g_autofree char *base_name = NULL;
    g_autoptr(GError) why = NULL;

    for (unsigned i = 0; i < l->filter->parents->len; i++) {
        BlockEdge *e = g_ptr_array_index(l->filter->parents, i);

        if (e->parent && (e->role & (BLOCK_ROLE_COW | BLOCK_ROLE_FILTERED))) {
            g_ptr_array_add(above, e->parent);
        }
    }
    base_name = block_node_filename(l->base);
    block_detach(l->top_edge);
    block_detach(l->base_edge);
    l->top_edge = l->base_edge = NULL;
    for (unsigned i = 0; i < above->len; i++) {
        BlockNode *n = g_ptr_array_index(above, i);

        if (n->driver->co_change_backing && n->backing == l->filter &&
            !block_change_backing(n, l->backing_file ? l->backing_file : base_name,
                                  l->base->driver->name, &why)) {
            warn_report("job '%s': %s", j->id, why->message);
            return;
        }
    }
    job_filter_remove(g_steal_pointer(&l->filter), l->base);
}

static void commit_clean(BlockJob *j)
{
    LayerJob *l = (LayerJob *)j;
    g_autoptr(GError) ignored = NULL;
    BlockNode *base = block_node_ref(l->base);

    layer_clean(j);
    block_make_read_only(base, &ignored);
    block_node_unref(base);
}

static const JobDriver commit_driver = {
    .type = JOB_TYPE_COMMIT, .size = sizeof(LayerJob), .co_run = co_commit_run, .commit = commit_done, .clean = commit_clean,
};

/* Nobody else works with the layers from top to base. */
static bool own_layers(BlockJob *j, BlockNode *top, BlockNode *base, GError **error)
{
    for (BlockNode *n = top; n && n != base; n = block_below(n)) {
        if (!job_own(j, n, error)) {
            return false;
        }
    }
    return !base || job_own(j, base, error);
}

/* Above top, which is owned like the layers. */
static bool put_filter(LayerJob *l, const BlockDriver *d, const char *name, GError **error)
{
    l->filter = job_filter_insert(d, l->top, name, error);
    return l->filter && job_own(&l->j, l->filter, error);
}

bool job_commit_start(const JobParams *p, BlockNode *active, BlockNode *top, BlockNode *base,
                      const char *backing_file, int on_error, GError **error)
{
    BlockJob *j = job_new(&commit_driver, p, active, error);
    LayerJob *l = (LayerJob *)j;

    if (!j) {
        return false;
    }
    l->top = block_node_ref(top);
    l->base = block_node_ref(base);
    l->backing_file = g_strdup(backing_file);
    j->on_error = on_error;
    if (!own_layers(j, top, base, error) ||
        !put_filter(l, &job_filter_commit, p->filter_name, error) ||
        !block_make_writable(base, error)) {
        goto bad;
    }
    l->top_edge = block_attach(top, "commit job", BLOCK_PERM_READ, BLOCK_PERM_ALL, error);
    l->base_edge = l->top_edge ? block_attach(base, "commit job", 0, BLOCK_PERM_ALL, error) : NULL;
    if (!l->base_edge) {
        goto bad;
    }
    job_start(j);
    return true;
bad:
    layer_clean(j);
    job_drop(j);
    return false;
}

/* ---- stream ---- */

static int co_stream_piece(LayerJob *l, uint64_t at, uint8_t *buf, uint64_t *len)
{
    BlockNode *n = l->top;
    BlockStatus st;
    RangeClaim claim;
    int ret;

    co_graph_enter();
    ret = co_block_status(n, at, n->length - at, false, &st);
    *len = ret == 0 ? st.bytes : 0;
    if (ret < 0 || (st.flags & BLOCK_STATUS_ALLOCATED)) {
        graph_leave();
        return ret;
    }
    ret = co_block_status_above(n->backing ? n->backing : n, l->base, at, *len, false, &st);
    if (ret == 0 && st.bytes) {
        *len = MIN(*len, st.bytes);
    }
    if (ret == 0 && n->backing && (st.flags & BLOCK_STATUS_ALLOCATED)) {
        *len = MIN(*len, CHUNK);
        co_range_claim(&l->guard, &claim, at, *len);
        /* a guest may have written meanwhile: then it is not ours to write any more */
        ret = co_block_status(n, at, *len, false, &st);
        if (ret == 0) {
            *len = MIN(*len, st.bytes);
        }
        if (ret == 0 && !(st.flags & BLOCK_STATUS_ALLOCATED)) {
            ret = co_block_pread(n, at, buf, *len);
            ret = ret < 0 ? ret : co_block_pwrite(n, at, buf, *len, BLOCK_UNCHANGED);
        }
        range_release(&l->guard, &claim);
    }
    graph_leave();
    return ret;
}

static bool co_stream_run(BlockJob *j, GError **error)
{
    LayerJob *l = (LayerJob *)j;

    job_total(j, l->top->length);
    return co_pieces(l, co_stream_piece, true, error);
}

static void stream_done(BlockJob *j)
{
    LayerJob *l = (LayerJob *)j;
    BlockNode *n = l->top;
    g_autoptr(GError) why = NULL;
    g_autofree char *base_name = l->base ? block_node_filename(l->base) : NULL;
    const char *file = l->backing_file ? l->backing_file : base_name;

    if (!n->backing || n->backing == l->base) {
        return;
    }
    if (!block_set_backing(n, l->base, &why) ||
        (n->driver->co_change_backing &&
         !block_change_backing(n, file, l->base ? l->base->driver->name : NULL, &why))) {
        warn_report("job '%s': %s", j->id, why->message);
    }
}

static const JobDriver stream_driver = {
    .type = JOB_TYPE_STREAM, .size = sizeof(LayerJob), .co_run = co_stream_run, .commit = stream_done, .clean = layer_clean,
};

bool job_stream_start(const JobParams *p, BlockNode *node, BlockNode *base,
                      const char *backing_file, int on_error, GError **error)
{
    BlockJob *j = job_new(&stream_driver, p, node, error);
    LayerJob *l = (LayerJob *)j;

    if (!j) {
        return false;
    }
    l->top = block_node_ref(node);
    l->base = base ? block_node_ref(base) : NULL;
    l->backing_file = g_strdup(backing_file);
    j->on_error = on_error;
    if (!own_layers(j, node, base, error) ||
        !put_filter(l, &job_filter_stream, p->filter_name, error)) {
        goto bad;
    }
    l->top_edge = block_attach(node, "stream job", BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED,
                               BLOCK_PERM_ALL, error);
    if (!l->top_edge) {
        goto bad;
    }
    range_guard_begin(&l->guard, node);
    l->guarded = true;
    job_start(j);
    return true;
bad:
    layer_clean(j);
    job_drop(j);
    return false;
}
