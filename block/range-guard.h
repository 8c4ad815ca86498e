// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps the guest's writes to a node away from ranges that a job works on, and tells the job of
 * those in flight: a claim waits for them, and writes wait for claims.
 */
#ifndef BLOCK_RANGE_GUARD_H
#define BLOCK_RANGE_GUARD_H

#include "block/node.h"

typedef struct RangeClaim {
    uint64_t start, end;
    struct RangeClaim *next;
} RangeClaim;

typedef struct RangeGuard {
    BlockWatcher watcher;
    GArray *writes;             /* of RangeClaim: in flight */
    RangeClaim *claims;
    CoQueue changed;
} RangeGuard;

void range_guard_begin(RangeGuard *g, BlockNode *n);
/* No claim is held. */
void range_guard_end(RangeGuard *g);
void co_range_claim(RangeGuard *g, RangeClaim *c, uint64_t offset, uint64_t bytes);
void range_release(RangeGuard *g, RangeClaim *c);

#endif
