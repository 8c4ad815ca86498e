// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Latencies of a front's requests: histograms by boundaries of the user, and figures of the last
 * seconds.
 */
#ifndef BLOCK_FRONT_STATS_H
#define BLOCK_FRONT_STATS_H

#include "block/block.h"

enum { TIMED_OPS = BLOCK_OP_FLUSH + 1 };    /* unmap is not measured */

typedef struct LatencySum { uint64_t min, max, sum, count; } LatencySum;

/* Figures of the last `seconds`: two halves, of which the younger is being filled. */
typedef struct TimedStats {
    uint64_t seconds;
    int64_t half_start_ns;
    LatencySum halves[2][TIMED_OPS];
} TimedStats;

typedef struct FrontStats {
    GArray *boundaries[TIMED_OPS];      /* uint64_t; NULL: no histogram */
    GArray *bins[TIMED_OPS];            /* one more than boundaries */
    GArray *timed;                      /* TimedStats */
    bool ignore_invalid, ignore_failed;
} FrontStats;

/* intervals: uint64_t seconds, NULL: none. */
FrontStats *front_stats_new(const GArray *intervals, bool account_invalid, bool account_failed);
void front_stats_free(FrontStats *s);
/* A request has ended. s NULL: nothing. */
void front_stats_count(FrontStats *s, BlockOp op, uint64_t latency_ns);
/* boundaries (uint64_t) NULL: no histogram. False when they do not ascend. */
bool front_stats_set_histogram(FrontStats *s, BlockOp op, const GArray *boundaries);
/* Of the last interval; depth: requests in flight on the average. */
LatencySum front_stats_timed(TimedStats *t, BlockOp op, double *depth);

#endif
