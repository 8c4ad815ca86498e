// SPDX-License-Identifier: GPL-2.0-or-later
/* Latencies of requests, by histograms and by time: see front-stats.h. */
#include "block/front-stats.h"

#include "util/timer.h"

#define SECOND 1000000000ULL

FrontStats *front_stats_new(const GArray *intervals, bool account_invalid, bool account_failed)
{
    FrontStats *s = g_new0(FrontStats, 1);

    s->timed = g_array_new(FALSE, TRUE, sizeof(TimedStats));
    s->ignore_invalid = !account_invalid;
    s->ignore_failed = !account_failed;
    for (unsigned i = 0; intervals && i < intervals->len; i++) {
        TimedStats t = {.seconds = g_array_index(intervals, uint64_t, i),
                        .half_start_ns = clock_now_ns(CLOCK_RT)};

        g_array_append_val(s->timed, t);
    }
    return s;
}

void front_stats_free(FrontStats *s)
{
    if (!s) {
        return;
    }
    for (unsigned i = 0; i < TIMED_OPS; i++) {
        g_clear_pointer(&s->boundaries[i], g_array_unref);
        g_clear_pointer(&s->bins[i], g_array_unref);
    }
    g_array_unref(s->timed);
    g_free(s);
}

bool front_stats_set_histogram(FrontStats *s, BlockOp op, const GArray *boundaries)
{
    uint64_t last = 0;

    for (unsigned i = 0; boundaries && i < boundaries->len; i++) {
        uint64_t one = g_array_index(boundaries, uint64_t, i);

        if (one <= last) {
            return false;
        }
        last = one;
    }
    g_clear_pointer(&s->boundaries[op], g_array_unref);
    g_clear_pointer(&s->bins[op], g_array_unref);
    if (boundaries) {
        s->boundaries[op] = g_array_new(FALSE, TRUE, sizeof(uint64_t));
        g_array_append_vals(s->boundaries[op], boundaries->data, boundaries->len);
        s->bins[op] = g_array_new(FALSE, TRUE, sizeof(uint64_t));
        g_array_set_size(s->bins[op], boundaries->len + 1);
    }
    return true;
}

/* Halves that are over go. */
static void advance(TimedStats *t)
{
    int64_t half = (int64_t)(t->seconds * SECOND / 2), now = clock_now_ns(CLOCK_RT);
    int64_t passed = half ? (now - t->half_start_ns) / half : 0;

    if (passed <= 0) {
        return;
    }
    for (unsigned op = 0; op < TIMED_OPS; op++) {
        t->halves[1][op] = passed == 1 ? t->halves[0][op] : (LatencySum){ 0 };
        t->halves[0][op] = (LatencySum){ 0 };
    }
    t->half_start_ns += passed * half;
}

static void add(LatencySum *to, const LatencySum *from)
{
    if (from->count) {
        to->min = to->count ? MIN(to->min, from->min) : from->min;
        to->max = MAX(to->max, from->max);
        to->sum += from->sum;
        to->count += from->count;
    }
}

void front_stats_count(FrontStats *s, BlockOp op, uint64_t latency_ns)
{
    if (!s || (int)op >= (int)TIMED_OPS) {
        return;
    }
    for (unsigned i = 0; i < s->timed->len; i++) {
        TimedStats *t = &g_array_index(s->timed, TimedStats, i);
        LatencySum one = { latency_ns, latency_ns, latency_ns, 1 };

        advance(t);
        add(&t->halves[0][op], &one);
    }
    if (s->boundaries[op]) {
        const GArray *b = s->boundaries[op];
        unsigned low = 0, high = b->len;

        while (low < high) {
            unsigned mid = (low + high) / 2;

            if (latency_ns < g_array_index(b, uint64_t, mid)) {
                high = mid;
            } else {
                low = mid + 1;
            }
        }
        g_array_index(s->bins[op], uint64_t, low)++;
    }
}

LatencySum front_stats_timed(TimedStats *t, BlockOp op, double *depth)
{
    LatencySum all = { 0 };
    double span;

    advance(t);
    add(&all, &t->halves[0][op]);
    add(&all, &t->halves[1][op]);
    span = (double)(clock_now_ns(CLOCK_RT) - t->half_start_ns) + (double)(t->seconds * SECOND / 2);
    *depth = span > 0 ? (double)all.sum / span : 0;
    return all;
}
