// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest-side end of a drive: requests with callbacks, each carried by a coroutine; what is
 * done about errors (werror, rerror); statistics; draining.
 */
#include "block/block.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/front-stats.h"
#include "block/graph.h"
#include "block/node.h"
#include "block/query.h"
#include "block/throttle.h"
#include "qapi/qapi-events.h"
#include "qom/object.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/iov.h"
#include "util/event-loop.h"

#define SECTOR 512

typedef enum RequestKind { REQ_READ, REQ_WRITE, REQ_FLUSH, REQ_DISCARD, REQ_ZEROES } RequestKind;

typedef struct Request {
    BlockFront *b;
    RequestKind kind;
    unsigned flags;
    uint64_t offset, bytes;
    const struct iovec *iov;
    unsigned niov;
    int64_t start_ns;
    bool submitted;             /* the submitter has returned: done may be called */
    BlockDone *done;
    void *opaque;
} Request;

/* All fronts that devices have taken; requests in flight on all of them. */
static GPtrArray *fronts;
static unsigned all_in_flight;
/* Signalled when a request ends, for threads that drain. */
static pthread_cond_t request_ended = PTHREAD_COND_INITIALIZER;

uint64_t block_size(BlockFront *b)
{
    return b->node ? b->node->length & ~(uint64_t)(SECTOR - 1) : 0;
}

/* ---- errors ---- */

static int error_policy(const BlockFront *b, bool read, int error)
{
    int policy = read ? b->on_read_error : b->on_write_error;

    if (policy == BLOCK_ON_ERROR_AUTO) {
        policy = read ? BLOCK_ON_ERROR_REPORT : BLOCK_ON_ERROR_ENOSPC;
    }
    if (policy == BLOCK_ON_ERROR_ENOSPC) {
        policy = error == ENOSPC ? BLOCK_ON_ERROR_STOP : BLOCK_ON_ERROR_REPORT;
    }
    return policy;
}

static void report_error(BlockFront *b, bool read, int error, int policy)
{
    static const int actions[] = {
        [BLOCK_ON_ERROR_REPORT] = BLOCK_ERROR_ACTION_REPORT,
        [BLOCK_ON_ERROR_IGNORE] = BLOCK_ERROR_ACTION_IGNORE,
        [BLOCK_ON_ERROR_STOP] = BLOCK_ERROR_ACTION_STOP,
    };
    BlockIoErrorEvent data = {
        .device = b->drive ? b->name : (char *)"", .node_name = b->node ? b->node->name : NULL,
        .operation = read ? IO_OPERATION_TYPE_READ : IO_OPERATION_TYPE_WRITE,
        .action = actions[policy], .has_nospace = true, .nospace = error == ENOSPC,
        .reason = (char *)g_strerror(error),
    };

    qapi_event_block_io_error(&data);
}

/* Whether the machine stops and the request is tried again when it goes on. */
static bool hold_request(Request *r, int *ret)
{
    BlockFront *b = r->b;
    bool read = r->kind == REQ_READ;
    int policy = error_policy(b, read, -*ret);

    report_error(b, read, -*ret, policy);
    if (policy == BLOCK_ON_ERROR_IGNORE) {
        *ret = 0;
    }
    if (policy != BLOCK_ON_ERROR_STOP) {
        return false;
    }
    b->io_error = true;
    b->no_space = *ret == -ENOSPC;
    request_stop(RUN_STATE_IO_ERROR);
    return true;
}

/* ---- requests ---- */

static void flight_ended(BlockFront *b)
{
    b->in_flight--;
    all_in_flight--;
    machine_lock_notify(&request_ended);
    if (!in_main_thread()) {
        main_loop_wake();
    }
}

static int co_do_request(const Request *r)
{
    BlockNode *n = r->b->node;

    if (!n) {
        return -ENOMEDIUM;
    }
    if (r->kind != REQ_FLUSH && !block_in_range(n, r->offset, r->bytes)) {
        return -EIO;
    }
    switch (r->kind) {
    case REQ_READ:
        return co_block_preadv(n, r->offset, r->bytes, r->iov, r->niov);
    case REQ_WRITE:
        return co_block_pwritev(n, r->offset, r->bytes, r->iov, r->niov, r->flags);
    case REQ_FLUSH:
        return co_block_flush(n);
    case REQ_DISCARD:
        return co_block_discard(n, r->offset, r->bytes);
    default:
        return co_block_write_zeroes(n, r->offset, r->bytes, r->flags);
    }
}

static void account(const Request *r, int ret)
{
    static const BlockOp ops[] = {BLOCK_OP_READ, BLOCK_OP_WRITE, BLOCK_OP_FLUSH, BLOCK_OP_UNMAP,
                                  BLOCK_OP_WRITE};
    BlockOp op = ops[r->kind];
    BlockCounts *s = &r->b->stats;
    FrontStats *more = r->b->more_stats;
    int64_t now = clock_now_ns(CLOCK_RT);

    if (ret < 0) {
        s->failed[op]++;
        if (more && more->ignore_failed) {
            return;
        }
    } else {
        s->operations[op]++;
        s->bytes[op] += r->bytes;
    }
    r->b->last_ns = now;
    s->time_ns[op] += (uint64_t)(now - r->start_ns);
    front_stats_count(more, op, (uint64_t)(now - r->start_ns));
}

static void co_request(void *opaque)
{
    Request *r = opaque;
    BlockFront *b = r->b;
    int ret;

    for (;;) {
        if (b->throttle && r->kind <= REQ_WRITE && !b->closing) {
            co_throttle(b->throttle, r->kind == REQ_WRITE, r->bytes);
        }
        co_graph_enter();
        ret = co_do_request(r);
        graph_leave();
        if (!r->submitted) {
            co_reschedule();
        }
        if (ret >= 0 || !b->node || !hold_request(r, &ret)) {
            break;
        }
        flight_ended(b);
        co_queue_wait(&b->held, NULL);
        b->in_flight++;
        all_in_flight++;
        if (b->closing) {
            break;
        }
    }
    account(r, ret);
    b->pending--;
    flight_ended(b);
    r->done(r->opaque, ret);
    g_free(r);
}

static void submit(const Request *request)
{
    Request *r = g_new(Request, 1);

    *r = *request;
    r->start_ns = clock_now_ns(CLOCK_RT);
    r->b->in_flight++;
    r->b->pending++;
    all_in_flight++;
    coroutine_start(co_request, r);
    r->submitted = true;
}

void block_read(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n,
                BlockDone *done, void *opaque)
{
    submit(&(Request){.b = b,
                      .kind = REQ_READ,
                      .offset = offset,
                      .bytes = iov_size(iov, n),
                      .iov = iov,
                      .niov = n,
                      .done = done,
                      .opaque = opaque});
}

void block_write(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n, bool fua,
                 BlockDone *done, void *opaque)
{
    submit(&(Request){.b = b,
                      .kind = REQ_WRITE,
                      .offset = offset,
                      .bytes = iov_size(iov, n),
                      .iov = iov,
                      .niov = n,
                      .flags = fua || !b->write_cache ? BLOCK_FUA : 0,
                      .done = done,
                      .opaque = opaque});
}

void block_flush(BlockFront *b, BlockDone *done, void *opaque)
{
    submit(&(Request){ .b = b, .kind = REQ_FLUSH, .done = done, .opaque = opaque });
}

void block_discard(BlockFront *b, uint64_t offset, uint64_t len, BlockDone *done, void *opaque)
{
    submit(&(Request){ .b = b, .kind = REQ_DISCARD, .offset = offset, .bytes = len, .done = done,
                       .opaque = opaque });
}

void block_write_zeroes(BlockFront *b, uint64_t offset, uint64_t len, bool unmap, BlockDone *done,
                        void *opaque)
{
    submit(&(Request){.b = b,
                      .kind = REQ_ZEROES,
                      .offset = offset,
                      .bytes = len,
                      .flags = (unmap ? BLOCK_MAY_UNMAP : 0) | (b->write_cache ? 0 : BLOCK_FUA),
                      .done = done,
                      .opaque = opaque});
}

static void drain(const unsigned *in_flight)
{
    while (*in_flight) {
        if (in_main_thread() || event_loop_own()) {
            event_loop_iterate(event_loop_current(), true);
        } else {
            machine_lock_wait(&request_ended);
        }
    }
}

void block_drain(BlockFront *b)
{
    drain(&b->in_flight);
}

void block_drain_all(void)
{
    drain(&all_in_flight);
}

/* The machine goes on: what was held is tried again. */
static void machine_runs(void *opaque, bool running)
{
    for (unsigned i = 0; running && i < fronts->len; i++) {
        BlockFront *b = g_ptr_array_index(fronts, i);

        b->io_error = b->no_space = false;
        co_queue_wake_all(&b->held);
    }
}

/* ---- taking and releasing ---- */

static BlockFront *front_new(const char *name)
{
    BlockFront *b = g_new0(BlockFront, 1);

    b->name = g_strdup(name);
    b->write_cache = true;
    b->on_read_error = b->on_write_error = BLOCK_ON_ERROR_AUTO;
    if (!fronts) {
        fronts = g_ptr_array_new();
        runstate_watch(machine_runs, NULL);
    }
    g_ptr_array_add(fronts, b);
    return b;
}

BlockFront *block_front_new_empty(void)
{
    BlockFront *b = front_new("");

    b->removable = true;
    return b;
}

static void front_moved(BlockEdge *e)
{
    ((BlockFront *)e->opaque)->node = e->node;
}

static bool front_insert(BlockFront *b, BlockNode *node, bool write, GError **error)
{
    if (node) {
        write = write || !node->read_only;
        b->edge = block_attach(node, NULL, BLOCK_PERM_READ | (write ? BLOCK_PERM_WRITE : 0),
                               BLOCK_PERM_READ | BLOCK_PERM_WRITE_UNCHANGED |
                                   (b->share_rw ? BLOCK_PERM_WRITE : 0),
                               error);
        if (!b->edge) {
            return false;
        }
        b->edge->moved = front_moved;
        b->edge->opaque = b;
        b->edge->loop = b->loop;
        b->node = node;
        b->read_only = !write;
    }
    return true;
}

void block_front_set_loop(BlockFront *b, struct EventLoop *loop)
{
    b->loop = loop;
    if (b->edge) {
        b->edge->loop = loop;
    }
}

static void front_eject(BlockFront *b)
{
    block_detach(b->edge);
    b->edge = NULL;
    b->node = NULL;
}

static BlockFront *front_take(const char *name, bool need_write, bool share, GError **error)
{
    Drive *drive = drive_find(name);
    BlockNode *node = drive ? drive->node : block_node_find(name);
    BlockFront *b;

    if (!drive && !node) {
        return fail_null(error, "Cannot find device='%s' nor node-name='%s'", name, name);
    }
    if (drive && drive->front) {
        return fail_null(error, "Drive '%s' is already in use by another device", name);
    }
    b = front_new(name);
    b->share_rw = share;
    if (!front_insert(b, node, need_write, error)) {
        block_front_release(b);
        return NULL;
    }
    if (drive) {
        drive->front = b;
        b->drive = drive;
        b->write_cache = drive->writeback;
        b->on_read_error = drive->on_read_error;
        b->on_write_error = drive->on_write_error;
        b->serial = g_strdup(drive->info.serial);
        b->removable = drive->info.cdrom;
        b->more_stats = g_steal_pointer(&drive->stats);
        if (drive->limits) {
            front_set_throttle(b, drive->throttle_group, drive->limits);
        }
    }
    return b;
}

BlockFront *block_front_take(const char *name, bool need_write, GError **error)
{
    return front_take(name, need_write, false, error);
}

void block_front_release(BlockFront *b)
{
    b->closing = true;
    co_queue_wake_all(&b->held);
    drain(&b->pending);
    front_eject(b);
    if (b->drive) {
        b->drive->front = NULL;
    }
    g_ptr_array_remove(fronts, b);
    g_free(b->name);
    throttle_group_unref(b->throttle);
    front_stats_free(b->more_stats);
    g_free(b->serial);
    g_free(b);
}

void block_front_orphan(BlockFront *b)
{
    block_drain(b);
    front_eject(b);
    b->drive->front = NULL;
    b->drive = NULL;
    b->on_read_error = b->on_write_error = BLOCK_ON_ERROR_REPORT;
    g_free(b->name);
    b->name = g_strdup("");
}

void block_fronts_eject_all(void)
{
    for (unsigned i = 0; fronts && i < fronts->len; i++) {
        front_eject(g_ptr_array_index(fronts, i));
    }
}

void block_front_foreach(void (*fn)(BlockFront *b, void *opaque), void *opaque)
{
    for (unsigned i = 0; fronts && i < fronts->len; i++) {
        fn(g_ptr_array_index(fronts, i), opaque);
    }
}

bool block_front_change(BlockFront *b, BlockNode *node, GError **error)
{
    if (!b->removable) {
        return fail(error, "Device '%s' is not removable", b->name);
    }
    block_drain(b);
    front_eject(b);
    return front_insert(b, node, false, error);
}

void block_front_tray_moved(BlockFront *b, bool open)
{
    g_autofree char *path = front_owner_path(b);
    DeviceTrayMovedEvent data = {.device = b->drive ? b->name : (char *)"",
                                 .id = path ? path : (char *)"",
                                 .tray_open = open};

    qapi_event_device_tray_moved(&data);
}

void block_front_move_tray(BlockFront *b, bool open)
{
    bool was = front_tray_open(b);

    if (b->ops && b->ops->medium_changed) {
        b->ops->medium_changed(b->opaque, !open);
    }
    if (b->ops && b->ops->tray_open && was != open) {
        block_front_tray_moved(b, open);
    }
}

/* A device that runs uses another node from now on (a filter that was put above its own). */
static bool front_switch(BlockFront *b, const char *name, GError **error)
{
    Drive *drive = drive_find(name);
    BlockNode *node = drive ? drive->node : block_node_find(name), *old = b->node;
    g_autoptr(GError) ignored = NULL;
    bool good, write = b->edge && (b->edge->perm & BLOCK_PERM_WRITE);

    if (!node || (drive && drive->front && drive->front != b)) {
        return fail(error, "Drive '%s' is already in use by another device, or has no medium",
                    name);
    }
    if (old && node->length != old->length) {
        return fail(error, "node '%s' is not as long as '%s'", name, old->name);
    }
    block_drain(b);
    if (old) {
        block_node_ref(old);
    }
    front_eject(b);
    good = front_insert(b, node, write, error);
    if (!good) {
        front_insert(b, old, write, &ignored);
    }
    block_node_unref(old);
    return good;
}

/* ---- property: a device's "drive" ---- */

static bool drive_prop_parse(Object *o, const Prop *p, void *field, const char *text,
                             GError **error)
{
    BlockFront **b = field, *taken;

    if (!drive_find(text) && !block_node_find(text)) {
        return prop_fail_find(o, p, text, error);
    }
    if (*b && o->complete) {
        return front_switch(*b, text, error);
    }
    /* whether others may really write is known when all properties are: drive_conf_apply() */
    taken = front_take(text, false, type_find_prop(o->type, "share-rw") != NULL, error);
    if (!taken) {
        return false;
    }
    if (*b) {
        block_front_release(*b);
    }
    taken->owner = o;
    *b = taken;
    return true;
}

static bool drive_prop_from_json(Object *o, const Prop *p, void *field, struct json_object *v,
                                 GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return prop_fail_json_type(p, "string", error);
    }
    return drive_prop_parse(o, p, field, json_object_get_string(v), error);
}

static struct json_object *drive_prop_to_json(Object *o, const Prop *p, const void *field)
{
    BlockFront *const *b = field;

    return json_object_new_string(*b ? (*b)->name : "");
}

static void drive_prop_default(Object *o, const Prop *p, void *field)
{
    *(BlockFront **)field = NULL;
}

static void drive_prop_release(void *field)
{
    g_clear_pointer((BlockFront **)field, block_front_release);
}

const PropType prop_drive = {
    .name = "str", .parse = drive_prop_parse, .from_json = drive_prop_from_json,
    .to_json = drive_prop_to_json, .set_default = drive_prop_default,
    .release = drive_prop_release, .desc = "Node name or ID of a block device to use as a backend",
};

typedef struct FrontSearch {
    const char *drive, *device;
    BlockFront *found;
} FrontSearch;

static void match_front(BlockFront *b, void *opaque)
{
    FrontSearch *s = opaque;

    if (s->drive && b->drive && strcmp(b->name, s->drive) == 0) {
        s->found = b;
    } else if (s->device && b->owner && b->owner->parent) {
        g_autofree char *path = object_path(b->owner), *shown = front_owner_path(b);

        if (strcmp(path, s->device) == 0 || strcmp(shown, s->device) == 0 ||
            (b->owner->name && strcmp(b->owner->name, s->device) == 0)) {
            s->found = b;
        }
    }
}

BlockFront *block_front_find(const char *drive, const char *device)
{
    FrontSearch s = { .drive = drive, .device = device };

    block_front_foreach(match_front, &s);
    return s.found;
}
