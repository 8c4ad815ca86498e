// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snapshots of the whole machine, inside its images: savevm, loadvm, delvm, info snapshots,
 * snapshot-save, -load and -delete, -loadvm. The machine's state (migration/machine-state.h) goes
 * into one of the images, which keeps it behind the disk; the others only take part.
 */
#include <string.h>
#include <time.h>

#include "block/block.h"
#include "block/driver.h"
#include "block/image-text.h"
#include "block/job.h"
#include "migration/machine-state.h"
#include "monitor/internal.h"
#include "qapi/qapi-commands.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "util/event-loop.h"

/* ---- which images ---- */

typedef struct Disks {
    GPtrArray *nodes; /* BlockNode: all that take part */
    GPtrArray *names; /* of each, for messages */
    BlockNode *state; /* that has the machine's state */
} Disks;

static void disks_free(Disks *d)
{
    g_ptr_array_unref(d->nodes);
    g_ptr_array_unref(d->names);
}

static void disks_init(Disks *d)
{
    *d = (Disks){g_ptr_array_new(), g_ptr_array_new_with_free_func(g_free), NULL};
}

static bool can_snapshot(const BlockNode *n)
{
    return n->driver->co_snapshot_create && n->driver->co_vmstate_rw;
}

static void disks_add(Disks *d, BlockNode *n, const char *name)
{
    n = block_skip_filters(n);
    if (n && !n->read_only && !g_ptr_array_find(d->nodes, n, NULL)) {
        g_ptr_array_add(d->nodes, n);
        g_ptr_array_add(d->names, g_strdup(name && *name ? name : n->name));
    }
}

static void add_front(BlockFront *b, void *opaque)
{
    if (b->node) {
        disks_add(opaque, b->node, b->drive ? b->name : b->node->name);
    }
}

/* Disks that nobody uses yet take part, too. */
static void add_unused(BlockNode *n, void *opaque)
{
    if (n->parents->len == 0) {
        disks_add(opaque, n, NULL);
    }
}

static bool disks_by_default(Disks *d, GError **error)
{
    disks_init(d);
    block_front_foreach(add_front, d);
    block_node_foreach(add_unused, d);
    for (unsigned i = 0; i < d->nodes->len; i++) {
        if (!can_snapshot(g_ptr_array_index(d->nodes, i))) {
            return fail(error, "Device '%s' is writable but does not support snapshots",
                        (char *)g_ptr_array_index(d->names, i));
        }
    }
    d->state = d->nodes->len ? g_ptr_array_index(d->nodes, 0) : NULL;
    return d->state || fail(error, "no block device can store vmstate for snapshot");
}

/* state NULL: none is needed. */
static bool disks_by_name(Disks *d, const char *state, GPtrArray *names, GError **error)
{
    disks_init(d);
    for (unsigned i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        BlockNode *n = block_node_find(name);

        if (!n) {
            return fail(error, "No block device node '%s'", name);
        }
        disks_add(d, n, name);
        if (!can_snapshot(block_skip_filters(n))) {
            return fail(error, "Device '%s' is writable but does not support snapshots", name);
        }
    }
    d->state = state ? block_skip_filters(block_node_find(state)) : NULL;
    if (state && !d->state) {
        return fail(error, "vmstate block device '%s' does not exist", state);
    }
    if (state && !can_snapshot(d->state)) {
        return fail(error, "vmstate block device '%s' does not support snapshots", state);
    }
    if (state && !g_ptr_array_find(d->nodes, d->state, NULL)) {
        return fail(error, "vmstate block device '%s' does not exist", state);
    }
    return true;
}

/* ---- what images do, in coroutines ---- */

typedef struct ImageCall {
    BlockNode *n;
    const char *tag;
    BlockSnapshot s;
    bool write;
    uint64_t offset;
    void *data;
    size_t len;
    int ret;
    bool good;
    GError **error;
} ImageCall;

static bool find_snapshot(GArray *list, const char *tag, BlockSnapshot *s)
{
    for (unsigned by_name = 2; by_name-- > 0;) {
        for (unsigned i = 0; i < list->len; i++) {
            const BlockSnapshot *one = &g_array_index(list, BlockSnapshot, i);

            if (strcmp(by_name ? one->name : one->id, tag) == 0) {
                *s = *one;
                return true;
            }
        }
    }
    return false;
}

static void co_find(void *opaque)
{
    ImageCall *c = opaque;
    g_autoptr(GArray) list = co_block_snapshots(c->n);

    c->good = find_snapshot(list, c->tag, &c->s);
}

static bool node_find_snapshot(BlockNode *n, const char *tag, BlockSnapshot *s)
{
    ImageCall c = {.n = n, .tag = tag};

    block_run(co_find, &c);
    *s = c.s;
    return c.good;
}

static void co_delete(void *opaque)
{
    ImageCall *c = opaque;

    c->good = c->n->driver->co_snapshot_delete(c->n, c->s.id, c->s.name, c->error);
}

static void co_create(void *opaque)
{
    ImageCall *c = opaque;

    c->good = c->n->driver->co_snapshot_create(c->n, &c->s, c->error);
}

static void co_go(void *opaque)
{
    ImageCall *c = opaque;

    c->good = c->n->driver->co_snapshot_goto(c->n, c->s.id, c->error);
}

static void co_state_rw(void *opaque)
{
    ImageCall *c = opaque;
    struct iovec iov = {c->data, c->len};

    c->ret = c->n->driver->co_vmstate_rw(c->n, c->write, c->offset, c->len, &iov, 1);
}

typedef struct ImageStream {
    StateStream s;
    BlockNode *n;
    uint64_t offset;
} ImageStream;

static bool stream_move(StateStream *s, bool write, void *data, size_t len, GError **error)
{
    ImageStream *i = (ImageStream *)s;
    ImageCall c = {.n = i->n, .write = write, .offset = i->offset, .data = data, .len = len};

    block_run(co_state_rw, &c);
    i->offset += len;
    return c.ret >= 0 ||
           fail_errno(error, -c.ret, "could not %s the machine's state", write ? "write" : "read");
}

static bool stream_write(StateStream *s, const void *data, size_t len, GError **error)
{
    return stream_move(s, true, (void *)data, len, error);
}

static bool stream_read(StateStream *s, void *data, size_t len, GError **error)
{
    return stream_move(s, false, data, len, error);
}

/* ---- the machine ---- */


static bool delete_from(Disks *d, const char *tag, GError **error)
{
    for (unsigned i = 0; i < d->nodes->len; i++) {
        ImageCall c = {.n = g_ptr_array_index(d->nodes, i), .error = error};

        if (!node_find_snapshot(c.n, tag, &c.s)) {
            continue;
        }
        block_run(co_delete, &c);
        if (!c.good) {
            g_prefix_error(error, "Could not delete snapshot '%s' on '%s': ", tag,
                           (char *)g_ptr_array_index(d->names, i));
            return false;
        }
    }
    return true;
}

static bool save_to(Vm *vm, Disks *d, const char *tag, GError **error)
{
    int64_t now = g_get_real_time();
    ImageStream out = {.s.write = stream_write, .n = d->state};
    BlockSnapshot s = {.date_sec = now / 1000000,
                       .date_nsec = now % 1000000 * 1000,
                       .icount = -1,
                       .vm_clock_nsec = (uint64_t)clock_now_ns(CLOCK_GUEST)};

    g_strlcpy(s.name, tag, sizeof(s.name));
    if (!delete_from(d, tag, error) || !machine_state_save(vm, &out.s, error)) {
        return false;
    }
    for (unsigned i = 0; i < d->nodes->len; i++) {
        ImageCall c = {.n = g_ptr_array_index(d->nodes, i), .s = s, .error = error};

        c.s.vm_state_size = c.n == d->state ? out.s.pos : 0;
        block_run(co_create, &c);
        if (!c.good) {
            g_autoptr(GError) ignored = NULL;

            g_prefix_error(error, "Error while creating snapshot on '%s': ",
                           (char *)g_ptr_array_index(d->names, i));
            delete_from(d, tag, &ignored);
            return false;
        }
    }
    return true;
}

/* I/O is waited for in the main loop, where other commands may come in meanwhile. */
static bool begin(Vm *vm, const char *what, GError **error)
{
    if (vm->busy || vm->migrating) {
        return fail(error, "%s is under way", vm->busy ? vm->busy : "a migration");
    }
    vm->busy = what;
    return true;
}

static bool snapshot_save(Vm *vm, Disks *d, const char *tag, GError **error)
{
    bool was_running = runstate_running(), good;

    if (!machine_state_possible(vm, error)) {
        return false;
    }
    if (strlen(tag) >= sizeof(((BlockSnapshot *)0)->name)) {
        return fail(error, "the name of the snapshot is too long");
    }
    if (!begin(vm, "saving a snapshot", error)) {
        return false;
    }
    vm_stop(vm, RUN_STATE_SAVE_VM);
    machine_quiesce();
    good = save_to(vm, d, tag, error);
    vm->busy = NULL;
    if (was_running) {
        vm_start(vm);
    }
    return good;
}

static bool has_all(Disks *d, const char *tag, GError **error)
{
    for (unsigned i = 0; i < d->nodes->len; i++) {
        BlockSnapshot s;

        if (!node_find_snapshot(g_ptr_array_index(d->nodes, i), tag, &s)) {
            return fail(error, "Snapshot '%s' does not exist in one or more devices", tag);
        }
    }
    return true;
}

static bool load_from(Vm *vm, Disks *d, const char *tag, GError **error)
{
    ImageStream in = {.s.read = stream_read, .n = d->state};
    BlockSnapshot state;
    bool good;

    if (!has_all(d, tag, error) || !node_find_snapshot(d->state, tag, &state)) {
        return false;
    }
    if (state.vm_state_size == 0) {
        return fail(error, "This is a disk-only snapshot. Revert to it offline using qemu-img");
    }
    for (unsigned i = 0; i < d->nodes->len; i++) {
        ImageCall c = {.n = g_ptr_array_index(d->nodes, i), .error = error};

        node_find_snapshot(c.n, tag, &c.s);
        block_run(co_go, &c);
        if (!c.good) {
            g_prefix_error(error, "Could not load snapshot '%s' on '%s': ", tag,
                           (char *)g_ptr_array_index(d->names, i));
            return false;
        }
    }
    vm_reset(vm);
    machine_quiesce();
    in.s.limit = state.vm_state_size;
    good = machine_state_load(vm, &in.s, NULL, error);
    g_clear_pointer(&in.s.bitmaps, g_byte_array_unref); /* the images have them themselves */
    return good;
}

/* The machine goes on afterwards if it ran and all went well. */
static bool snapshot_load(Vm *vm, Disks *d, const char *tag, GError **error)
{
    bool was_running = runstate_running(), good;

    if (!has_all(d, tag, error) || !begin(vm, "loading a snapshot", error)) {
        return false;
    }
    vm_stop(vm, RUN_STATE_RESTORE_VM);
    machine_quiesce();
    good = load_from(vm, d, tag, error);
    vm->busy = NULL;
    if (good && was_running) {
        vm_start(vm);
    }
    return good;
}

/* ---- human monitor ---- */

static void hmp_savevm(HmpCall *call, GError **error)
{
    const char *tag = hmp_str(call, "name");
    char now[64];
    Disks d;

    if (!tag) {
        time_t t = time(NULL);
        struct tm tm;

        localtime_r(&t, &tm);
        strftime(now, sizeof(now), "vm-%Y%m%d%H%M%S", &tm);
        tag = now;
    }
    if (disks_by_default(&d, error)) {
        snapshot_save(call->vm, &d, tag, error);
    }
    disks_free(&d);
}
HMP_COMMAND(savevm, hmp_savevm, "name:s?",
            "save a VM snapshot. If no tag is provided, a new snapshot is created");

static void hmp_loadvm(HmpCall *call, GError **error)
{
    Disks d;

    if (disks_by_default(&d, error)) {
        snapshot_load(call->vm, &d, hmp_str(call, "name"), error);
    }
    disks_free(&d);
}
HMP_COMMAND(loadvm, hmp_loadvm, "name:s", "restore a VM snapshot from its tag");

static void hmp_delvm(HmpCall *call, GError **error)
{
    Disks d;

    if (disks_by_default(&d, error)) {
        delete_from(&d, hmp_str(call, "name"), error);
    }
    disks_free(&d);
}
HMP_COMMAND(delvm, hmp_delvm, "name:s", "delete a VM snapshot from its tag");

typedef struct ListCall {
    BlockNode *n;
    GArray *list;
} ListCall;

static void co_list(void *opaque)
{
    ListCall *c = opaque;

    c->list = co_block_snapshots(c->n);
}

static GArray *snapshots_of(BlockNode *n)
{
    ListCall c = {n, NULL};

    block_run(co_list, &c);
    return c.list;
}

/* Those that only some disks have cannot be loaded. */
static void partial_text(GString *out, const Disks *d)
{
    for (unsigned i = 0; i < d->nodes->len; i++) {
        BlockNode *n = g_ptr_array_index(d->nodes, i);
        g_autoptr(GArray) list = can_snapshot(n) ? snapshots_of(n) : NULL;

        for (unsigned k = list ? list->len : 0; k-- > 0;) {
            bool everywhere = true;

            for (unsigned j = 0; j < d->nodes->len; j++) {
                BlockNode *other = g_ptr_array_index(d->nodes, j);
                BlockSnapshot s;

                everywhere &=
                    can_snapshot(other) &&
                    node_find_snapshot(other, g_array_index(list, BlockSnapshot, k).name, &s);
            }
            if (everywhere) {
                g_array_remove_index(list, k);
            }
        }
        if (list && list->len) {
            g_string_append_printf(out, "\nList of partial (non-loadable) snapshots on '%s':\n",
                                   (char *)g_ptr_array_index(d->names, i));
            snapshots_table(out, list);
        }
    }
}

static void hmp_info_snapshots(HmpCall *call, GError **error)
{
    g_autoptr(GError) none = NULL;
    g_autoptr(GArray) list = NULL;
    bool any, all;
    Disks d;

    all = disks_by_default(&d, &none);
    any = false;
    for (unsigned i = 0; i < d.nodes->len; i++) {
        BlockNode *n = g_ptr_array_index(d.nodes, i);
        g_autoptr(GArray) one = can_snapshot(n) ? snapshots_of(n) : NULL;

        any |= one && one->len;
    }
    if (d.nodes->len == 0 && none) {
        g_string_append_printf(call->out, "%s\n", none->message);
    } else if (!any) {
        g_string_append(call->out, "There is no snapshot available.\n");
    } else {
        list = all ? snapshots_of(d.state) : g_array_new(FALSE, FALSE, sizeof(BlockSnapshot));
        for (unsigned i = list->len; i-- > 0;) {
            BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);

            if (has_all(&d, s->name, &none)) {
                g_strlcpy(s->id, "--", sizeof(s->id));
            } else {
                g_clear_error(&none);
                g_array_remove_index(list, i);
            }
        }
        g_string_append(call->out, "List of snapshots present on all disks:\n");
        if (list->len) {
            snapshots_table(call->out, list);
        } else {
            g_string_append(call->out, "None\n");
        }
        partial_text(call->out, &d);
    }
    disks_free(&d);
}
HMP_INFO(snapshots, hmp_info_snapshots, "", "show the currently saved VM snapshots");

/* ---- jobs ---- */

typedef enum SnapshotWork {
    WORK_SAVE,
    WORK_LOAD,
    WORK_DELETE
} SnapshotWork;

typedef struct SnapshotJob {
    BlockJob j;
    Vm *vm;
    SnapshotWork work;
    char *tag, *state;
    GPtrArray *devices; /* names */
    Coroutine *co;
    GError **error;
    bool good;
} SnapshotJob;

/* In the main loop, outside of coroutines: the machine stops and I/O is waited for. */
static void job_work(void *opaque)
{
    SnapshotJob *s = opaque;
    Disks d;

    s->good = disks_by_name(&d, s->state, s->devices, s->error);
    if (s->good) {
        s->good = s->work == WORK_SAVE   ? snapshot_save(s->vm, &d, s->tag, s->error)
                  : s->work == WORK_LOAD ? snapshot_load(s->vm, &d, s->tag, s->error)
                                         : delete_from(&d, s->tag, s->error);
    }
    disks_free(&d);
    coroutine_wake(s->co);
}

static bool co_snapshot_job(BlockJob *j, GError **error)
{
    SnapshotJob *s = (SnapshotJob *)j;

    job_total(j, 1);
    s->co = coroutine_self();
    s->error = error;
    main_loop_run_soon(job_work, s);
    co_yield ();
    j->done = 1;
    return s->good;
}

static void snapshot_job_clean(BlockJob *j)
{
    SnapshotJob *s = (SnapshotJob *)j;

    g_free(s->tag);
    g_free(s->state);
    g_ptr_array_unref(s->devices);
}

static const JobDriver job_drivers[] = {
    [WORK_SAVE] = {.type = JOB_TYPE_SNAPSHOT_SAVE,
                   .size = sizeof(SnapshotJob),
                   .not_block = true,
                   .co_run = co_snapshot_job,
                   .clean = snapshot_job_clean},
    [WORK_LOAD] = {.type = JOB_TYPE_SNAPSHOT_LOAD,
                   .size = sizeof(SnapshotJob),
                   .not_block = true,
                   .co_run = co_snapshot_job,
                   .clean = snapshot_job_clean},
    [WORK_DELETE] = {.type = JOB_TYPE_SNAPSHOT_DELETE,
                     .size = sizeof(SnapshotJob),
                     .not_block = true,
                     .co_run = co_snapshot_job,
                     .clean = snapshot_job_clean},
};

static bool start_job(Vm *vm, SnapshotWork work, const char *id, const char *tag, const char *state,
                      const GPtrArray *devices, GError **error)
{
    JobParams p = {.id = id, .auto_finalize = true, .auto_dismiss = false};
    SnapshotJob *s = (SnapshotJob *)job_new(&job_drivers[work], &p, NULL, error);

    if (!s) {
        return false;
    }
    s->vm = vm;
    s->work = work;
    s->tag = g_strdup(tag);
    s->state = g_strdup(state);
    s->devices = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < devices->len; i++) {
        g_ptr_array_add(s->devices, g_strdup(g_ptr_array_index(devices, i)));
    }
    job_start(&s->j);
    return true;
}

bool qmp_snapshot_save(QmpCall *call, const QmpSnapshotSaveArgs *a, GError **error)
{
    return start_job(call->vm, WORK_SAVE, a->job_id, a->tag, a->vmstate, a->devices, error);
}

bool qmp_snapshot_load(QmpCall *call, const QmpSnapshotLoadArgs *a, GError **error)
{
    return start_job(call->vm, WORK_LOAD, a->job_id, a->tag, a->vmstate, a->devices, error);
}

bool qmp_snapshot_delete(QmpCall *call, const QmpSnapshotDeleteArgs *a, GError **error)
{
    return start_job(call->vm, WORK_DELETE, a->job_id, a->tag, NULL, a->devices, error);
}

/* ---- -loadvm ---- */

/* The option's argument, until the machine starts. */
static const char *load_tag;

static bool load_at_start(Vm *vm, GError **error)
{
    Disks d;
    bool good = disks_by_default(&d, error) && begin(vm, "loading a snapshot", error);

    if (good) {
        runstate_set(RUN_STATE_RESTORE_VM);
        good = load_from(vm, &d, load_tag, error);
        vm->busy = NULL;
    }
    disks_free(&d);
    return good;
}

static bool opt_loadvm(Vm *vm, const char *arg, GError **error)
{
    load_tag = arg;
    vm->load_at_start = load_at_start;
    return true;
}
OPTION(loadvm, {.name = "loadvm", .handle = opt_loadvm});
