// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs: long work on the block graph that the user watches and steers. A kind of job is a
 * JobDriver; its co_run works in pieces and calls co_job_pause_point() between them. When it has
 * ended, the job waits for others of its transaction and perhaps for the user, and then commit() or
 * abort() changes the graph, in the main loop with the graph locked. Machine lock held everywhere.
 */
#ifndef BLOCK_JOB_H
#define BLOCK_JOB_H

#include "block/node.h"
#include "qapi/qapi-types.h"

typedef struct BlockJob BlockJob;
typedef struct JobTxn JobTxn;

typedef struct JobDriver {
    JobType type;
    size_t size;                /* of the structure that begins with a BlockJob */
    bool not_block;             /* no job of block-job-* (create, amend) */
    bool (*co_run)(BlockJob *j, GError **error);
    /* Before commit, may still fail. NULL: nothing. */
    bool (*co_prepare)(BlockJob *j, GError **error);
    void (*commit)(BlockJob *j);
    void (*abort)(BlockJob *j);
    /* Always, last: frees what it holds. */
    void (*clean)(BlockJob *j);
    /* block-job-complete; NULL: "The active block job 'x' cannot be completed". */
    bool (*complete)(BlockJob *j, GError **error);
    /* Cancelled without force when it was ready: ends well, without the switch. */
    bool soft_cancel;
} JobDriver;

struct BlockJob {
    const JobDriver *driver;
    char *id;
    JobStatus status;
    BlockNode *node;            /* that it was started on; a reference */
    GPtrArray *owned;           /* BlockNode whose `job` we set; references */
    uint64_t done, total;
    uint64_t speed;             /* bytes a second; 0: any */
    bool auto_finalize, auto_dismiss;
    bool user_paused, paused;
    bool cancelled, force;
    bool ready;
    bool completing;            /* complete was asked for */
    bool finalized;             /* may go on from pending */
    int on_error, on_target_error;     /* BlockdevOnError */
    int io_status;              /* BlockDeviceIoStatus */
    GError *error;
    JobTxn *txn;                /* NULL: alone */
    CoQueue wake;
    bool sleeping;
    int64_t slice_ns;           /* rate limit: when the bytes so far are due */
};

#define JOB_COMMON_ARGS(a)                                          \
    .id = (a)->job_id, .speed = (a)->has_speed ? (a)->speed : 0,    \
    .auto_finalize = !(a)->has_auto_finalize || (a)->auto_finalize, \
    .auto_dismiss = !(a)->has_auto_dismiss || (a)->auto_dismiss

typedef struct JobParams {
    const char *id;             /* NULL: the drive's name */
    int64_t speed;
    bool auto_finalize, auto_dismiss;
    JobTxn *txn;
    const char *filter_name;    /* of the node above the one it works on; NULL: made up */
} JobParams;

/* NULL + error. It does not run yet. node may be NULL. */
BlockJob *job_new(const JobDriver *d, const JobParams *p, BlockNode *node, GError **error);
/* Marks a node as in use by the job; false + error when another has it. */
bool job_own(BlockJob *j, BlockNode *n, GError **error);
/* Of one that was not started. */
void job_drop(BlockJob *j);
void job_start(BlockJob *j);
BlockJob *job_find(const char *id);
void job_foreach(void (*fn)(BlockJob *j, void *opaque), void *opaque);

/* Cancels all and waits for them: the process ends. */
void jobs_end_all(void);

/* ---- for co_run ---- */
/* Waits while paused; true when the job is to stop. */
bool co_job_pause_point(BlockJob *j);
/* Counts bytes done and sleeps as the speed wants. */
void co_job_did(BlockJob *j, uint64_t bytes);
void co_job_sleep(BlockJob *j, int64_t ns);
void job_total(BlockJob *j, uint64_t total);
/* BLOCK_JOB_READY. */
void job_ready(BlockJob *j);
/*
 * What is to be done about an error: true: go on (ignored, or tried again after the user resumed).
 */
bool co_job_error(BlockJob *j, bool read, int policy, int errnum);
/* Whether the job was asked to end early and not to switch. */
static inline bool job_is_cancelled(const BlockJob *j)
{
    return j->cancelled && (j->force || !j->ready);
}

/* ---- groups of jobs that end together ---- */
JobTxn *job_txn_new(void);
void job_txn_unref(JobTxn *t);

/* ---- starting the kinds (commands and transactions) ---- */
BlockJob *job_backup_start(const JobParams *p, BlockNode *source, BlockNode *target, int sync,
                           int bitmap_mode, DirtyBitmap *bitmap, bool compress, int on_source,
                           int on_target, GError **error);

#endif
