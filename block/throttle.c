// SPDX-License-Identifier: GPL-2.0-or-later
/* Throttle groups, and block_set_io_throttle. The contract is include/block/throttle.h. */
#include "block/throttle.h"

#include <string.h>

#include "block/drive.h"
#include "qapi/qapi-commands.h"
#include "util/coroutine.h"
#include "util/error.h"
#include "util/timer.h"

struct ThrottleGroup {
    char *name;
    unsigned refs;
    ThrottleLimits limits;
    double level[LIMIT_COUNT];
    int64_t last_ns;
    CoMutex turn[2];            /* reads, writes: first come, first served */
};

/* All groups of the process, by name. */
static GPtrArray *groups;

bool throttle_any(const ThrottleLimits *l)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if (l->avg[i]) {
            return true;
        }
    }
    return false;
}

bool throttle_check(const ThrottleLimits *l, GError **error)
{
    if ((l->avg[0] && (l->avg[1] || l->avg[2])) || (l->avg[3] && (l->avg[4] || l->avg[5])) ||
        (l->max[0] && (l->max[1] || l->max[2])) || (l->max[3] && (l->max[4] || l->max[5]))) {
        return fail(
            error,
            "bps/iops/max total values and read/write values cannot be used at the same time");
    }
    if (l->iops_size && !l->avg[3] && !l->avg[4] && !l->avg[5]) {
        return fail(error, "iops size requires an iops value to be set");
    }
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        if (l->avg[i] > 1000000000000000ull || l->max[i] > 1000000000000000ull) {
            return fail(error, "bps/iops/max values must be within [0, 1000000000000000]");
        }
        if (l->max[i] && !l->avg[i]) {
            return fail(error, "bps_max/iops_max require corresponding bps/iops values");
        }
        if (l->length[i] > 1 && !l->max[i]) {
            return fail(error, "burst length set without burst rate");
        }
        if (l->max[i] && l->max[i] < l->avg[i]) {
            return fail(error, "bps_max/iops_max cannot be lower than bps/iops");
        }
    }
    return true;
}

ThrottleGroup *throttle_group_get(const char *name)
{
    ThrottleGroup *g;

    for (unsigned i = 0; groups && i < groups->len; i++) {
        g = g_ptr_array_index(groups, i);
        if (strcmp(g->name, name) == 0) {
            g->refs++;
            return g;
        }
    }
    g = g_new0(ThrottleGroup, 1);
    g->refs = 1;
    g->name = g_strdup(name);
    g->last_ns = clock_now_ns(CLOCK_RT);
    if (!groups) {
        groups = g_ptr_array_new();
    }
    g_ptr_array_add(groups, g);
    return g;
}

void throttle_group_unref(ThrottleGroup *g)
{
    if (g && --g->refs == 0) {
        g_ptr_array_remove(groups, g);
        g_free(g->name);
        g_free(g);
    }
}

const char *throttle_group_name(const ThrottleGroup *g)
{
    return g->name;
}

void throttle_group_set(ThrottleGroup *g, const ThrottleLimits *l)
{
    g->limits = *l;
    memset(g->level, 0, sizeof(g->level));
}

const ThrottleLimits *throttle_group_limits(const ThrottleGroup *g)
{
    return &g->limits;
}

/* What may be in a bucket before requests wait. */
static double capacity(const ThrottleLimits *l, unsigned i)
{
    return l->max[i] ? (double)l->max[i] * (double)MAX(l->length[i], 1) : (double)l->avg[i] / 10;
}

static void leak(ThrottleGroup *g)
{
    int64_t now = clock_now_ns(CLOCK_RT);
    double seconds = (double)(now - g->last_ns) / 1e9;

    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        g->level[i] = MAX(0.0, g->level[i] - (double)g->limits.avg[i] * seconds);
    }
    g->last_ns = now;
}

void co_throttle(ThrottleGroup *g, bool write, uint64_t bytes)
{
    const unsigned used[] = {LIMIT_BPS_TOTAL, write ? LIMIT_BPS_WRITE : LIMIT_BPS_READ,
                             LIMIT_IOPS_TOTAL, write ? LIMIT_IOPS_WRITE : LIMIT_IOPS_READ};
    double units;

    if (!throttle_any(&g->limits)) {
        return;
    }
    g->refs++;
    co_mutex_lock(&g->turn[write]);
    for (;;) {
        int64_t wait_ns = 0;

        leak(g);
        for (unsigned i = 0; i < ARRAY_COUNT(used); i++) {
            double over = g->level[used[i]] - capacity(&g->limits, used[i]);

            if (g->limits.avg[used[i]] && over > 0) {
                wait_ns = MAX(wait_ns, (int64_t)(over / (double)g->limits.avg[used[i]] * 1e9) + 1);
            }
        }
        if (!wait_ns) {
            break;
        }
        co_sleep_ns(CLOCK_RT, MIN(wait_ns, 1000000000));
    }
    units = g->limits.iops_size && bytes > g->limits.iops_size
                ? (double)bytes / (double)g->limits.iops_size
                : 1;
    for (unsigned i = 0; i < ARRAY_COUNT(used); i++) {
        g->level[used[i]] += used[i] < LIMIT_IOPS_TOTAL ? (double)bytes : units;
    }
    co_mutex_unlock(&g->turn[write]);
    throttle_group_unref(g);
}

/* ---- the command ---- */

void front_set_throttle(BlockFront *b, const char *group, const ThrottleLimits *l)
{
    if (!throttle_any(l)) {
        g_clear_pointer(&b->throttle, throttle_group_unref);
        return;
    }
    if (!b->throttle || (group && strcmp(throttle_group_name(b->throttle), group) != 0)) {
        ThrottleGroup *now = throttle_group_get(group ? group : b->name);

        throttle_group_unref(b->throttle);
        b->throttle = now;
    }
    throttle_group_set(b->throttle, l);
}

bool qmp_block_set_io_throttle(QmpCall *call, const QmpBlockSetIoThrottleArgs *a, GError **error)
{
    ThrottleLimits l = {
        .avg = {(uint64_t)a->bps, (uint64_t)a->bps_rd, (uint64_t)a->bps_wr, (uint64_t)a->iops,
                (uint64_t)a->iops_rd, (uint64_t)a->iops_wr},
        .max = {(uint64_t)a->bps_max, (uint64_t)a->bps_rd_max, (uint64_t)a->bps_wr_max,
                (uint64_t)a->iops_max, (uint64_t)a->iops_rd_max, (uint64_t)a->iops_wr_max},
        .length = {a->has_bps_max_length ? (uint64_t)a->bps_max_length : 1,
                   a->has_bps_rd_max_length ? (uint64_t)a->bps_rd_max_length : 1,
                   a->has_bps_wr_max_length ? (uint64_t)a->bps_wr_max_length : 1,
                   a->has_iops_max_length ? (uint64_t)a->iops_max_length : 1,
                   a->has_iops_rd_max_length ? (uint64_t)a->iops_rd_max_length : 1,
                   a->has_iops_wr_max_length ? (uint64_t)a->iops_wr_max_length : 1},
        .iops_size = a->has_iops_size ? (uint64_t)a->iops_size : 0,
    };

    if (!a->device == !a->id) {
        return fail(error, "Need exactly one of 'device' and 'id'");
    }
    BlockFront *b = block_front_find(a->device, a->id);

    if (!b) {
        return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found",
                          a->device ? a->device : a->id);
    }
    if (!b->node) {
        return fail(error, "Device '%s' has no medium", b->name);
    }
    if (!throttle_check(&l, error)) {
        return false;
    }
    front_set_throttle(b, a->group, &l);
    return true;
}
