// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting the kinds of jobs, with what their commands have worked out. */
#ifndef BLOCK_JOB_KINDS_H
#define BLOCK_JOB_KINDS_H

#include "block/job.h"

typedef struct MirrorParams {
    BlockNode *source, *target;
    BlockNode *replaces;
    bool commit, zero_target, unmap;
    bool write_blocking;        /* the guest's writes go to the target before they end */
    uint64_t buf_size;          /* of all copies in flight; 0: as it suits */
    int sync;
    uint32_t granularity;
    int on_source, on_target;
} MirrorParams;
bool job_mirror_start(const JobParams *p, const MirrorParams *w, GError **error);

/* Data of the layers from top to above base go to base; then base takes top's place. */
bool job_commit_start(const JobParams *p, BlockNode *active, BlockNode *top, BlockNode *base,
                      const char *backing_file, int on_error, GError **error);
/*
 * Data from below come to `node`, of layers above base (NULL: all), which is then its backing file.
 */
bool job_stream_start(const JobParams *p, BlockNode *node, BlockNode *base,
                      const char *backing_file, int on_error, GError **error);

#endif
