// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of bytes and operations per second, for all nodes of a group together: leaky buckets, one for each limit. The
 * group is an object, throttle-group.
 */
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "qom/object.h"
#include "util/error.h"
#include "util/timer.h"

enum { BPS_TOTAL, BPS_READ, BPS_WRITE, IOPS_TOTAL, IOPS_READ, IOPS_WRITE, LIMITS };

typedef struct ThrottleGroup {
    Object obj;
    uint64_t average[LIMITS], burst[LIMITS], burst_seconds[LIMITS];    /* 0: no limit */
    uint64_t iops_size;
    double level[LIMITS];
    int64_t last_ns;
    CoMutex lock;               /* who has it waits; the others queue up behind, in order */
} ThrottleGroup;

typedef struct ThrottleState {
    ThrottleGroup *group;
} ThrottleState;

/* Lets the buckets leak, and returns how long to wait until none is too full. */
static int64_t leak(ThrottleGroup *g, bool write)
{
    int64_t now = clock_now_ns(CLOCK_RT), wait = 0;
    double passed = g->last_ns ? (double)(now - g->last_ns) / 1e9 : 0;

    g->last_ns = now;
    for (unsigned i = 0; i < LIMITS; i++) {
        double average = (double)g->average[i], room;

        if (!g->average[i]) {
            continue;
        }
        g->level[i] = MAX(g->level[i] - average * passed, 0);
        if (i % 3 != 0 && (i % 3 == 2) != write) {
            continue;
        }
        room = g->burst[i] ? (double)g->burst[i] * (double)MAX(g->burst_seconds[i], 1) : average / 10;
        if (g->level[i] > room) {
            wait = MAX(wait, (int64_t)((g->level[i] - room) / average * 1e9) + 1);
        }
    }
    return wait;
}

static void co_account(BlockNode *n, uint64_t bytes, bool write)
{
    ThrottleGroup *g = ((ThrottleState *)n->state)->group;
    double operations = g->iops_size && bytes > g->iops_size ? (double)bytes / (double)g->iops_size : 1;
    int64_t wait;

    co_mutex_lock(&g->lock);
    while ((wait = leak(g, write)) > 0) {
        co_sleep_ns(CLOCK_RT, wait);
    }
    for (unsigned i = 0; i < LIMITS; i++) {
        if (g->average[i] && (i % 3 == 0 || (i % 3 == 2) == write)) {
            g->level[i] += i < IOPS_TOTAL ? (double)bytes : operations;
        }
    }
    co_mutex_unlock(&g->lock);
}

static int co_throttle_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov, unsigned niov)
{
    co_account(n, bytes, false);
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_throttle_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov, unsigned niov,
                               unsigned flags)
{
    co_account(n, bytes, true);
    return co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
}

static int co_throttle_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    co_account(n, bytes, true);
    return co_block_write_zeroes(n->file, offset, bytes, flags);
}

static int co_throttle_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    co_account(n, bytes, true);
    return co_block_discard(n->file, offset, bytes);
}

static bool co_throttle_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    if (!co_block_truncate(n->file, length, prealloc, error)) {
        return false;
    }
    n->length = n->file->length;
    return true;
}

/* ---- the group ---- */

#define LIMIT_PROPS(name, i)                                                                                              \
    PROP_U64(ThrottleGroup, average[i], "x-" name, 0, .help = "limit per second"),                                        \
    PROP_U64(ThrottleGroup, burst[i], "x-" name "-max", 0, .help = "limit per second of bursts"),                         \
    PROP_U64(ThrottleGroup, burst_seconds[i], "x-" name "-max-length", 1, .help = "length of bursts in seconds")

static const Prop group_props[] = {
    LIMIT_PROPS("bps-total", BPS_TOTAL), LIMIT_PROPS("bps-read", BPS_READ), LIMIT_PROPS("bps-write", BPS_WRITE),
    LIMIT_PROPS("iops-total", IOPS_TOTAL), LIMIT_PROPS("iops-read", IOPS_READ), LIMIT_PROPS("iops-write", IOPS_WRITE),
    PROP_U64(ThrottleGroup, iops_size, "x-iops-size", 0, .help = "a longer request counts as several"),
    PROP_END,
};

static bool group_complete(Object *obj, GError **error)
{
    ThrottleGroup *g = (ThrottleGroup *)obj;

    for (unsigned i = 0; i < LIMITS; i++) {
        if (i % 3 != 0 && g->average[i] && g->average[i - i % 3]) {
            return fail(error, "bps/iops/max total values and read/write values cannot be used at the same time");
        }
        if (g->burst[i] && !g->average[i]) {
            return fail(error, "bps_max/iops_max require corresponding bps/iops values");
        }
        if (g->burst[i] && g->burst[i] < g->average[i]) {
            return fail(error, "bps_max/iops_max cannot be lower than bps/iops");
        }
    }
    return true;
}

static const ObjectType group_type = {
    .name = "throttle-group", .desc = "Limits of bytes and operations per second", .size = sizeof(ThrottleGroup),
    .props = group_props, .user_creatable = true, .complete = group_complete,
};
OBJECT_TYPE(group_type);

static bool throttle_open(BlockNode *n, struct json_object *opts, GError **error)
{
    ThrottleState *s = n->state;
    const char *id = opts_string(opts, "throttle-group", NULL);
    Object *obj = id ? object_child(object_container("/objects"), id) : NULL;

    if (!id) {
        return fail(error, "Please specify a throttle group");
    }
    if (!obj || obj->type != &group_type) {
        return fail(error, "Throttle group '%s' does not exist", id);
    }
    s->group = (ThrottleGroup *)object_ref(obj);
    n->length = n->file->length;
    n->align = n->file->align;
    return true;
}

static void throttle_close(BlockNode *n)
{
    object_unref(&((ThrottleState *)n->state)->group->obj);
}

static const OptDesc throttle_opts[] = { { "throttle-group", OPT_STRING, "Name of the throttle group" }, { NULL } };

static const BlockDriver throttle_driver = {
    .name = "throttle", .desc = "limits of bytes and operations per second", .filter = true, .opts = throttle_opts,
    .state_size = sizeof(ThrottleState), .open = throttle_open, .close = throttle_close, .co_preadv = co_throttle_preadv,
    .co_pwritev = co_throttle_pwritev, .co_write_zeroes = co_throttle_write_zeroes, .co_discard = co_throttle_discard,
    .co_truncate = co_throttle_truncate,
};
BLOCK_DRIVER(throttle_driver);
