// SPDX-License-Identifier: GPL-2.0-or-later
/* Jobs: their lives, states and events, transactions of them, and the commands that steer them. */
#include "block/job.h"

#include <errno.h>
#include <string.h>

#include "block/drive.h"
#include "block/graph.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "util/error.h"
#include "util/event-loop.h"
#include "util/timer.h"

struct JobTxn {
    unsigned refs;
    GPtrArray *jobs;
    bool failed;
};

/* In order of starting. There is one list of jobs in the process. */
static GPtrArray *jobs;

/* ---- states ---- */

static void set_status(BlockJob *j, JobStatus s)
{
    JobStatusChangeEvent data = { .id = j->id, .status = s };

    if (j->status != s) {
        j->status = s;
        qapi_event_job_status_change(&data);
    }
}

static const char *error_text(const BlockJob *j)
{
    bool over = j->status == JOB_STATUS_ABORTING || j->status == JOB_STATUS_CONCLUDED;

    return j->error ? j->error->message : over && job_is_cancelled(j) ? "Operation canceled" : NULL;
}

static void say_ended(BlockJob *j)
{
    if (j->driver->not_block) {
        return;
    }
    if (job_is_cancelled(j)) {
        BlockJobCancelledEvent data = {.type = j->driver->type,
                                       .device = j->id,
                                       .len = (int64_t)j->total,
                                       .offset = (int64_t)j->done,
                                       .speed = (int64_t)j->speed};

        qapi_event_block_job_cancelled(&data);
    } else {
        BlockJobCompletedEvent data = {.type = j->driver->type,
                                       .device = j->id,
                                       .len = (int64_t)j->total,
                                       .offset = (int64_t)j->done,
                                       .speed = (int64_t)j->speed,
                                       .error = (char *)error_text(j)};

        qapi_event_block_job_completed(&data);
    }
}

BlockJob *job_find(const char *id)
{
    for (unsigned i = 0; jobs && i < jobs->len; i++) {
        BlockJob *j = g_ptr_array_index(jobs, i);

        if (strcmp(j->id, id) == 0) {
            return j;
        }
    }
    return NULL;
}

void job_foreach(void (*fn)(BlockJob *j, void *opaque), void *opaque)
{
    for (unsigned i = 0; jobs && i < jobs->len; i++) {
        fn(g_ptr_array_index(jobs, i), opaque);
    }
}

/* ---- lives ---- */

static const char *drive_of(BlockNode *n)
{
    Drive *d;

    for (unsigned i = 0; (d = drive_nth(i)) != NULL; i++) {
        if (d->node == n || (d->front && d->front->node == n)) {
            return d->info.id;
        }
    }
    return NULL;
}

BlockJob *job_new(const JobDriver *d, const JobParams *p, BlockNode *node, GError **error)
{
    const char *id = p->id ? p->id : node ? drive_of(node) : NULL;
    BlockJob *j;

    if (!id) {
        return fail_null(error, "An explicit job ID is required for this node");
    }
    if (!block_id_good(id)) {
        return fail_null(error, "Invalid job ID '%s'", id);
    }
    if (job_find(id)) {
        return fail_null(error, "Job ID '%s' already in use", id);
    }
    if (p->speed < 0) {
        return fail_null(error, "Invalid parameter 'speed'");
    }
    j = g_malloc0(d->size);
    j->driver = d;
    j->id = g_strdup(id);
    j->speed = (uint64_t)p->speed;
    j->auto_finalize = p->auto_finalize;
    j->auto_dismiss = p->auto_dismiss;
    j->owned = g_ptr_array_new();
    j->node = node ? block_node_ref(node) : NULL;
    if (p->txn) {
        j->txn = p->txn;
        p->txn->refs++;
        g_ptr_array_add(p->txn->jobs, j);
    }
    if (!jobs) {
        jobs = g_ptr_array_new();
    }
    g_ptr_array_add(jobs, j);
    set_status(j, JOB_STATUS_CREATED);
    return j;
}

bool job_own(BlockJob *j, BlockNode *n, GError **error)
{
    if (n->job) {
        return fail(error, "Node '%s' is busy: block device is in use by block job: %s", n->name,
                    qapi_enum_name(&qapi_type_JobType,
                                   job_find(n->job) ? (int)job_find(n->job)->driver->type : 0));
    }
    n->job = j->id;
    g_ptr_array_add(j->owned, block_node_ref(n));
    return true;
}

static void disown(BlockJob *j)
{
    while (j->owned->len) {
        BlockNode *n = g_ptr_array_steal_index(j->owned, j->owned->len - 1);

        n->job = NULL;
        block_node_unref(n);
    }
    block_node_unref(j->node);
    j->node = NULL;
}

void job_drop(BlockJob *j)
{
    set_status(j, JOB_STATUS_NULL);
    disown(j);
    g_ptr_array_unref(j->owned);
    g_ptr_array_remove(jobs, j);
    if (j->txn) {
        g_ptr_array_remove(j->txn->jobs, j);
        job_txn_unref(j->txn);
    }
    g_clear_error(&j->error);
    g_free(j->id);
    g_free(j);
}

JobTxn *job_txn_new(void)
{
    JobTxn *t = g_new0(JobTxn, 1);

    t->refs = 1;
    t->jobs = g_ptr_array_new();
    return t;
}

void job_txn_unref(JobTxn *t)
{
    if (t && --t->refs == 0) {
        g_ptr_array_unref(t->jobs);
        g_free(t);
    }
}

/* ---- the end ---- */

static void conclude(BlockJob *j)
{
    if (j->driver->clean) {
        j->driver->clean(j);
    }
    disown(j);
    say_ended(j);
    set_status(j, JOB_STATUS_CONCLUDED);
    if (j->auto_dismiss) {
        job_drop(j);
    }
}

static void settle_one(BlockJob *j, bool good)
{
    block_graph_lock();
    if (good && j->driver->commit) {
        j->driver->commit(j);
    } else if (!good && j->driver->abort) {
        j->driver->abort(j);
    }
    block_graph_unlock();
    conclude(j);
}

/* All of the job's group have ended well, and nobody waits for the user. */
static bool group_waits(const BlockJob *j)
{
    for (unsigned i = 0; j->txn && i < j->txn->jobs->len; i++) {
        const BlockJob *o = g_ptr_array_index(j->txn->jobs, i);

        if (o->status != JOB_STATUS_WAITING && o->status != JOB_STATUS_PENDING &&
            o->status != JOB_STATUS_CONCLUDED) {
            return true;
        }
    }
    return false;
}

static void group_foreach(BlockJob *j, void (*fn)(BlockJob *j))
{
    if (!j->txn) {
        fn(j);
        return;
    }
    g_autoptr(GPtrArray) all = g_ptr_array_copy(j->txn->jobs, NULL, NULL);

    for (unsigned i = 0; i < all->len; i++) {
        fn(g_ptr_array_index(all, i));
    }
}

static void finalize_one(BlockJob *j)
{
    if (j->status == JOB_STATUS_PENDING || j->status == JOB_STATUS_WAITING) {
        settle_one(j, true);
    }
}

static void abort_one(BlockJob *j)
{
    if (j->status == JOB_STATUS_CONCLUDED || j->status == JOB_STATUS_ABORTING) {
        return;
    }
    if (j->status == JOB_STATUS_WAITING || j->status == JOB_STATUS_PENDING) {
        j->cancelled = j->force = true;
        set_status(j, JOB_STATUS_ABORTING);
        settle_one(j, false);
        return;
    }
    j->cancelled = j->force = true;
    co_queue_wake_all(&j->wake);
}

static void make_pending(BlockJob *j)
{
    if (j->status != JOB_STATUS_WAITING) {
        return;
    }
    set_status(j, JOB_STATUS_PENDING);
    if (!j->auto_finalize) {
        BlockJobPendingEvent data = { .type = j->driver->type, .id = j->id };

        qapi_event_block_job_pending(&data);
    }
}

static bool wants_user(const BlockJob *j)
{
    for (unsigned i = 0; j->txn && i < j->txn->jobs->len; i++) {
        if (!((BlockJob *)g_ptr_array_index(j->txn->jobs, i))->auto_finalize) {
            return true;
        }
    }
    return !j->auto_finalize;
}

/* The coroutine has ended; main loop. */
static void job_ended(void *opaque)
{
    BlockJob *j = opaque;

    if (j->error || job_is_cancelled(j)) {
        JobTxn *t = j->txn;

        set_status(j, JOB_STATUS_ABORTING);
        if (t) {
            t->refs++;
            group_foreach(j, abort_one);
        }
        settle_one(j, false);
        job_txn_unref(t);
        return;
    }
    set_status(j, JOB_STATUS_WAITING);
    if (group_waits(j)) {
        return;
    }
    group_foreach(j, make_pending);
    if (!wants_user(j)) {
        group_foreach(j, finalize_one);
    }
}

static void co_job(void *opaque)
{
    BlockJob *j = opaque;

    if (!j->driver->co_run(j, &j->error) && !j->error && !j->cancelled) {
        fail(&j->error, "Operation failed");
    }
    if (job_is_cancelled(j)) {
        g_clear_error(&j->error);
    }
    if (!j->error && !job_is_cancelled(j) && j->driver->co_prepare) {
        j->driver->co_prepare(j, &j->error);
    }
    main_loop_run_soon(job_ended, j);
}

void job_start(BlockJob *j)
{
    set_status(j, JOB_STATUS_RUNNING);
    EventLoop *l = j->node ? block_node_loop(j->node) : event_loop_main();

    if (l == event_loop_main()) {
        coroutine_start(co_job, j);
    } else {
        coroutine_wake(coroutine_new_in(l, co_job, j));
    }
}

/* ---- while it runs ---- */

static void co_wait(BlockJob *j)
{
    j->sleeping = true;
    co_queue_wait(&j->wake, NULL);
    j->sleeping = false;
}

bool co_job_pause_point(BlockJob *j)
{
    while (j->user_paused && !j->cancelled) {
        j->paused = true;
        set_status(j, j->ready ? JOB_STATUS_STANDBY : JOB_STATUS_PAUSED);
        co_wait(j);
    }
    if (j->paused) {
        j->paused = false;
        set_status(j, j->ready ? JOB_STATUS_READY : JOB_STATUS_RUNNING);
    }
    return job_is_cancelled(j);
}

static void wake_job(void *opaque)
{
    co_queue_wake_all(&((BlockJob *)opaque)->wake);
}

void co_job_sleep(BlockJob *j, int64_t ns)
{
    Timer t;

    if (ns <= 0 || job_is_cancelled(j)) {
        co_reschedule();
        return;
    }
    timer_init(&t, CLOCK_RT, wake_job, j);
    timer_set_ns(&t, clock_now_ns(CLOCK_RT) + ns);
    co_wait(j);
    timer_cancel(&t);
}

void co_job_did(BlockJob *j, uint64_t bytes)
{
    int64_t now = clock_now_ns(CLOCK_RT);

    j->done += bytes;
    if (j->speed) {
        j->slice_ns = MAX(j->slice_ns, now) + (int64_t)((double)bytes / (double)j->speed * 1e9);
        if (j->slice_ns - now > 1000000) {
            co_job_sleep(j, j->slice_ns - now);
        }
    }
}

void job_total(BlockJob *j, uint64_t total)
{
    j->total = total;
}

void job_ready(BlockJob *j)
{
    if (!j->ready) {
        BlockJobReadyEvent data = {.type = j->driver->type,
                                   .device = j->id,
                                   .len = (int64_t)j->total,
                                   .offset = (int64_t)j->done,
                                   .speed = (int64_t)j->speed};

        j->ready = true;
        set_status(j, JOB_STATUS_READY);
        qapi_event_block_job_ready(&data);
    }
}

bool co_job_error(BlockJob *j, bool read, int policy, int errnum)
{
    int action = policy == BLOCKDEV_ON_ERROR_ENOSPC || policy == BLOCKDEV_ON_ERROR_AUTO
                     ? (errnum == ENOSPC ? BLOCK_ERROR_ACTION_STOP : BLOCK_ERROR_ACTION_REPORT)
                 : policy == BLOCKDEV_ON_ERROR_STOP   ? BLOCK_ERROR_ACTION_STOP
                 : policy == BLOCKDEV_ON_ERROR_IGNORE ? BLOCK_ERROR_ACTION_IGNORE
                                                      : BLOCK_ERROR_ACTION_REPORT;
    BlockJobErrorEvent data = {.device = j->id,
                               .operation = read ? IO_OPERATION_TYPE_READ : IO_OPERATION_TYPE_WRITE,
                               .action = action};

    qapi_event_block_job_error(&data);
    if (action == BLOCK_ERROR_ACTION_STOP) {
        j->user_paused = true;
        j->io_status =
            errnum == ENOSPC ? BLOCK_DEVICE_IO_STATUS_NOSPACE : BLOCK_DEVICE_IO_STATUS_FAILED;
        return !co_job_pause_point(j);
    }
    return action == BLOCK_ERROR_ACTION_IGNORE;
}

/* ---- commands ---- */

static BlockJob *find(const char *id, bool block, GError **error)
{
    BlockJob *j = job_find(id);

    if (!j || (block && j->driver->not_block)) {
        if (block) {
            fail_class(error, ERROR_DEVICE_NOT_ACTIVE, "Block job '%s' not found", id);
        } else {
            fail(error, "Job not found");
        }
        return NULL;
    }
    return j;
}

/* Which states allow a verb: a bit each. */
#define S(x) (1u << JOB_STATUS_##x)
static const struct { const char *name; unsigned states; } verbs[] = {
    { "cancel", S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY) | S(WAITING) | S(PENDING) },
    { "pause", S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY) },
    { "resume", S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY) },
    { "set-speed", S(CREATED) | S(RUNNING) | S(PAUSED) | S(READY) | S(STANDBY) },
    { "complete", S(READY) }, { "finalize", S(PENDING) }, { "dismiss", S(CONCLUDED) },
};
enum {
    VERB_CANCEL,
    VERB_PAUSE,
    VERB_RESUME,
    VERB_SPEED,
    VERB_COMPLETE,
    VERB_FINALIZE,
    VERB_DISMISS
};

static bool allowed(const BlockJob *j, unsigned verb, GError **error)
{
    return (verbs[verb].states >> j->status & 1) ||
           fail(error, "Job '%s' in state '%s' cannot accept command verb '%s'", j->id,
                qapi_enum_name(&qapi_type_JobStatus, (int)j->status), verbs[verb].name);
}

static bool do_cancel(BlockJob *j, bool force, GError **error)
{
    if (!j || !allowed(j, VERB_CANCEL, error)) {
        return false;
    }
    if (j->user_paused && !force && j->driver->soft_cancel && j->ready) {
        return fail(error, "The block job for device '%s' is currently paused", j->id);
    }
    if (j->status == JOB_STATUS_PENDING || j->status == JOB_STATUS_WAITING) {
        abort_one(j);
        return true;
    }
    j->force |= force || !j->driver->soft_cancel;
    j->cancelled = true;
    co_queue_wake_all(&j->wake);
    return true;
}

static bool do_pause(BlockJob *j, GError **error)
{
    if (!j || !allowed(j, VERB_PAUSE, error)) {
        return false;
    }
    if (j->user_paused) {
        return fail(error, "Job is already paused");
    }
    j->user_paused = true;
    co_queue_wake_all(&j->wake);
    return true;
}

static bool do_resume(BlockJob *j, GError **error)
{
    if (!j || !allowed(j, VERB_RESUME, error)) {
        return false;
    }
    if (!j->user_paused) {
        return fail(error, "Can't resume a job that was not paused");
    }
    j->user_paused = false;
    j->io_status = BLOCK_DEVICE_IO_STATUS_OK;
    co_queue_wake_all(&j->wake);
    return true;
}

static bool do_complete(BlockJob *j, GError **error)
{
    if (!j) {
        return false;
    }
    if (!j->driver->complete) {
        return fail(error, "The active block job '%s' cannot be completed", j->id);
    }
    if (!allowed(j, VERB_COMPLETE, error)) {
        return false;
    }
    if (j->cancelled) {
        return fail(error, "The active block job '%s' cannot be completed", j->id);
    }
    if (!j->driver->complete(j, error)) {
        return false;
    }
    j->completing = true;
    co_queue_wake_all(&j->wake);
    return true;
}

static bool do_finalize(BlockJob *j, GError **error)
{
    if (!j || !allowed(j, VERB_FINALIZE, error)) {
        return false;
    }
    group_foreach(j, finalize_one);
    return true;
}

static bool do_dismiss(BlockJob *j, GError **error)
{
    if (!j || !allowed(j, VERB_DISMISS, error)) {
        return false;
    }
    job_drop(j);
    return true;
}

bool qmp_block_job_cancel(QmpCall *call, const QmpBlockJobCancelArgs *a, GError **error)
{
    BlockJob *j = find(a->device, true, error);
    bool force = a->has_force && a->force;

    if (j && j->user_paused && !force) {
        return fail(error, "The block job for device '%s' is currently paused", a->device);
    }
    return do_cancel(j, force, error);
}

bool qmp_block_job_pause(QmpCall *call, const QmpBlockJobPauseArgs *a, GError **error)
{
    return do_pause(find(a->device, true, error), error);
}

bool qmp_block_job_resume(QmpCall *call, const QmpBlockJobResumeArgs *a, GError **error)
{
    return do_resume(find(a->device, true, error), error);
}

bool qmp_block_job_complete(QmpCall *call, const QmpBlockJobCompleteArgs *a, GError **error)
{
    return do_complete(find(a->device, true, error), error);
}

bool qmp_block_job_finalize(QmpCall *call, const QmpBlockJobFinalizeArgs *a, GError **error)
{
    return do_finalize(find(a->id, true, error), error);
}

bool qmp_block_job_dismiss(QmpCall *call, const QmpBlockJobDismissArgs *a, GError **error)
{
    return do_dismiss(find(a->id, true, error), error);
}

bool qmp_block_job_set_speed(QmpCall *call, const QmpBlockJobSetSpeedArgs *a, GError **error)
{
    BlockJob *j = find(a->device, true, error);

    if (!j || !allowed(j, VERB_SPEED, error)) {
        return false;
    }
    if (a->speed < 0) {
        return fail(error, "Invalid parameter 'speed'");
    }
    j->speed = (uint64_t)a->speed;
    j->slice_ns = 0;
    co_queue_wake_all(&j->wake);
    return true;
}

bool qmp_job_cancel(QmpCall *call, const QmpJobCancelArgs *a, GError **error)
{
    return do_cancel(find(a->id, false, error), true, error);
}

bool qmp_job_pause(QmpCall *call, const QmpJobPauseArgs *a, GError **error)
{
    return do_pause(find(a->id, false, error), error);
}

bool qmp_job_resume(QmpCall *call, const QmpJobResumeArgs *a, GError **error)
{
    return do_resume(find(a->id, false, error), error);
}

bool qmp_job_complete(QmpCall *call, const QmpJobCompleteArgs *a, GError **error)
{
    return do_complete(find(a->id, false, error), error);
}

bool qmp_job_finalize(QmpCall *call, const QmpJobFinalizeArgs *a, GError **error)
{
    return do_finalize(find(a->id, false, error), error);
}

bool qmp_job_dismiss(QmpCall *call, const QmpJobDismissArgs *a, GError **error)
{
    return do_dismiss(find(a->id, false, error), error);
}

static void add_job(BlockJob *j, void *opaque)
{
    JobInfo *i = g_new0(JobInfo, 1);

    i->id = g_strdup(j->id);
    i->type = j->driver->type;
    i->status = j->status;
    i->current_progress = (int64_t)j->done;
    i->total_progress = (int64_t)j->total;
    i->error = g_strdup(error_text(j));
    g_ptr_array_add(opaque, i);
}

GPtrArray *qmp_query_jobs(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    job_foreach(add_job, list);
    return list;
}

static void add_block_job(BlockJob *j, void *opaque)
{
    BlockJobInfo *i;

    if (j->driver->not_block) {
        return;
    }
    i = g_new0(BlockJobInfo, 1);
    i->device = g_strdup(j->id);
    i->type = j->driver->type;
    i->len = (int64_t)j->total;
    i->offset = (int64_t)j->done;
    i->busy = !j->sleeping && j->status == JOB_STATUS_RUNNING;
    i->paused = j->user_paused;
    i->speed = (int64_t)j->speed;
    i->io_status = j->io_status;
    i->ready = j->ready;
    i->status = j->status;
    i->auto_finalize = j->auto_finalize;
    i->auto_dismiss = j->auto_dismiss;
    i->error = g_strdup(error_text(j));
    g_ptr_array_add(opaque, i);
}

GPtrArray *qmp_query_block_jobs(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    job_foreach(add_block_job, list);
    return list;
}

void jobs_end_all(void)
{
    while (jobs && jobs->len) {
        BlockJob *j = g_ptr_array_index(jobs, 0);

        if (j->status == JOB_STATUS_CONCLUDED) {
            job_drop(j);
            continue;
        }
        j->user_paused = false;
        j->auto_dismiss = true;
        abort_one(j);
        if (jobs->len && g_ptr_array_index(jobs, 0) == j) {
            main_loop_iterate(true);
        }
    }
}
