// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The node that a job puts above the one it works on: a filter that changes nothing by itself, so
 * that graphs show where jobs are at work. Without a name from the user it is implicit: queries of
 * devices look through it.
 */
#ifndef BLOCK_JOB_FILTER_H
#define BLOCK_JOB_FILTER_H

#include "block/driver.h"

extern const BlockDriver job_filter_commit, job_filter_stream, job_filter_backup;

/* All users of `below` use the new node from now on. A reference for the caller; NULL + error. */
BlockNode *job_filter_insert(const BlockDriver *d, BlockNode *below, const char *name,
                             GError **error);
/*
 * Its users use `instead` (NULL: what lies below) again; takes the caller's reference. NULL is
 * fine.
 */
void job_filter_remove(BlockNode *filter, BlockNode *instead);

/* For filters of jobs with a driver of their own: all but writing goes below as it is. */
int co_job_filter_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov);
int co_job_filter_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov, unsigned flags);

#endif
