// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of I/O rates: leaky buckets that fill with what is transferred and empty at the average
 * rate. A group's members share its buckets. Machine lock.
 */
#ifndef BLOCK_THROTTLE_H
#define BLOCK_THROTTLE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Order of the limits everywhere. */
enum {
    LIMIT_BPS_TOTAL,
    LIMIT_BPS_READ,
    LIMIT_BPS_WRITE,
    LIMIT_IOPS_TOTAL,
    LIMIT_IOPS_READ,
    LIMIT_IOPS_WRITE,
    LIMIT_COUNT
};

typedef struct ThrottleLimits {
    uint64_t avg[LIMIT_COUNT];      /* a second; 0: none */
    uint64_t max[LIMIT_COUNT];      /* in bursts; 0: none */
    uint64_t length[LIMIT_COUNT];   /* seconds of a burst, 1 when not said */
    uint64_t iops_size;             /* requests longer than this count more often; 0: once */
} ThrottleLimits;

typedef struct ThrottleGroup ThrottleGroup;

bool throttle_check(const ThrottleLimits *l, GError **error);
bool throttle_any(const ThrottleLimits *l);
/* The group of that name, made when it is new; a reference. */
ThrottleGroup *throttle_group_get(const char *name);
void throttle_group_unref(ThrottleGroup *g);
const char *throttle_group_name(const ThrottleGroup *g);
void throttle_group_set(ThrottleGroup *g, const ThrottleLimits *l);
const ThrottleLimits *throttle_group_limits(const ThrottleGroup *g);
/* Waits as long as the limits want, then counts the request. */
void co_throttle(ThrottleGroup *g, bool write, uint64_t bytes);

#endif
