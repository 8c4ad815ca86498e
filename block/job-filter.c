// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Putting jobs' filters into the graph and taking them out again, and the drivers of those that
 * only stand there.
 */
#include "block/job-filter.h"

#include "util/error.h"

int co_job_filter_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

int co_job_filter_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags)
{
    return co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
}

/* These are in no table of drivers: nobody opens them by name. */
const BlockDriver job_filter_commit = {
    .name = "commit_top", .desc = "above the layers that are committed", .filter = true, .internal = true, .filters_backing = true,
    .co_preadv = co_job_filter_preadv, .co_pwritev = co_job_filter_pwritev,
};

const BlockDriver job_filter_stream = {
    .name = "copy-on-read", .desc = "above the layers that are streamed", .filter = true, .internal = true,
    .co_preadv = co_job_filter_preadv, .co_pwritev = co_job_filter_pwritev,
};

const BlockDriver job_filter_backup = {
    .name = "copy-before-write", .desc = "above the node that is backed up", .filter = true, .internal = true,
    .co_preadv = co_job_filter_preadv, .co_pwritev = co_job_filter_pwritev,
};

BlockNode *job_filter_insert(const BlockDriver *d, BlockNode *below, const char *name,
                             GError **error)
{
    BlockNode *f;

    block_graph_lock();
    f = block_node_insert(d, name, below, error);
    if (f) {
        f->implicit = !name && d != &job_filter_backup;
        if (!block_replace_node(below, f, f, error)) {
            block_node_unref(f);
            f = NULL;
        }
    }
    block_graph_unlock();
    return f;
}

void job_filter_remove(BlockNode *filter, BlockNode *instead)
{
    g_autoptr(GError) why = NULL;

    if (!filter) {
        return;
    }
    block_graph_lock();
    if (!block_replace_node(filter, instead ? instead : filter->file, filter, &why)) {
        warn_report("%s: %s", filter->name, why->message);
    }
    block_graph_unlock();
    block_node_unref(filter);
}

BlockNode *block_skip_implicit(BlockNode *n)
{
    while (n && n->implicit && n->file) {
        n = n->file;
    }
    return n;
}
