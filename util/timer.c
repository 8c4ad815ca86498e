// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clocks and timers: one binary heap of pending timers per clock, ordered by deadline and, for
 * equal deadlines, by the order of arming. The contract is include/util/timer.h.
 */
#include "util/timer.h"

#include <glib.h>
#include <time.h>

#include "util/main-loop.h"

typedef struct HeapEntry {
    int64_t deadline_ns;
    uint64_t order;
    Timer *timer;
} HeapEntry;

typedef struct Queue {
    HeapEntry *heap;
    uint32_t len;
    uint32_t capacity;
} Queue;

/* One process runs one machine and has one set of clocks. Guarded by the machine lock. */
static Queue queues[CLOCK_COUNT];
/* Counts arming of timers, so that equal deadlines are served in turn. Machine lock. */
static uint64_t arm_count;

/*
 * Guest time: `base_ns` when it stands or is manual, monotonic time plus `base_ns` when it runs.
 * Written with the machine lock held, read by anyone: `seq` is odd during a change.
 *
 * Running time does not pass `limit_ns`, a little after the first deadline, until the main loop has
 * run the timers that are due: a guest that counts on its clock the ticks it gets must not be told
 * that the moment of a tick is long past while a busy host keeps the loop from sending it. When the
 * loop has run them, time is that of the host again: it is held back, never lost. `running_timers`
 * is the main loop's own and lifts the limit for it, so that timers see how late they are.
 */
static struct {
    unsigned seq;
    int64_t base_ns;
    int64_t limit_ns;
    unsigned running_timers;
    bool running;
    bool manual;
} guest = {.limit_ns = INT64_MAX};

/*
 * How far time may pass the first deadline: what a main loop that is not starved needs to wake up.
 */
#define LATE_NS 1000000

/* A timer that rearms itself for the same moment this often is left for the next round. */
#define SAME_MOMENT_LIMIT 10000
/* The host's clock may be set while we sleep: look at it at least this often. */
#define HOST_CLOCK_CHECK_NS NANOSECONDS_PER_SECOND

/* ---- clocks ---- */

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec;
}

static int64_t guest_read(int64_t *limit_ns)
{
    unsigned seq;
    int64_t now;

    do {
        seq = __atomic_load_n(&guest.seq, __ATOMIC_ACQUIRE);
        now = __atomic_load_n(&guest.base_ns, __ATOMIC_RELAXED);
        *limit_ns = INT64_MAX;
        if (__atomic_load_n(&guest.running, __ATOMIC_RELAXED)) {
            now += read_clock(CLOCK_MONOTONIC);
            *limit_ns = __atomic_load_n(&guest.limit_ns, __ATOMIC_RELAXED);
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) != 0 || seq != __atomic_load_n(&guest.seq, __ATOMIC_RELAXED));
    return now;
}

static int64_t guest_now(void)
{
    int64_t limit_ns, now = guest_read(&limit_ns);

    if (G_LIKELY(now <= limit_ns)) {
        return now;
    }
    if (in_main_thread()) {
        return guest.running_timers ? now : limit_ns;
    }
    /*
     * Not looked at again: the ticks that the loop sends meanwhile are to be taken before the guest
     * sees that it was late.
     */
    return limit_ns;
}

static void guest_change_begin(void)
{
    __atomic_store_n(&guest.seq, guest.seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void guest_change_end(void)
{
    __atomic_store_n(&guest.seq, guest.seq + 1, __ATOMIC_RELEASE);
}

/*
 * The first deadline is another one. What anybody has read so far was read before the clock is read
 * here, or it is read again: the limit is not before any time that was seen.
 */
static void guest_limit_update(void)
{
    int64_t now, limit_ns = clock_deadline_ns(CLOCK_GUEST);

    if (!guest.running || guest.running_timers) {
        return;
    }
    guest_change_begin();
    now = guest.base_ns + read_clock(CLOCK_MONOTONIC);
    limit_ns = limit_ns > INT64_MAX - LATE_NS ? INT64_MAX : limit_ns + LATE_NS;
    limit_ns = MAX(limit_ns, MIN(now, guest.limit_ns));
    __atomic_store_n(&guest.limit_ns, limit_ns, __ATOMIC_RELAXED);
    guest_change_end();
}

/* The timers that were due have run: time goes on from where the host is. */
static void guest_limit_release(void)
{
    if (guest.running) {
        __atomic_store_n(&guest.limit_ns, INT64_MAX, __ATOMIC_RELAXED);
        guest_limit_update();
    }
}

static void guest_change(bool running, int64_t base_ns)
{
    guest_change_begin();
    __atomic_store_n(&guest.running, running, __ATOMIC_RELAXED);
    __atomic_store_n(&guest.base_ns, base_ns, __ATOMIC_RELAXED);
    __atomic_store_n(&guest.limit_ns, INT64_MAX, __ATOMIC_RELAXED);
    guest_change_end();
    guest_limit_update();
    main_loop_wake();
}

int64_t clock_now_ns(TimerClock clock)
{
    switch (clock) {
    case CLOCK_GUEST:
        return guest_now();
    case CLOCK_HOST:
        return read_clock(CLOCK_REALTIME);
    default:
        return read_clock(CLOCK_MONOTONIC);
    }
}

void clock_guest_run(bool run)
{
    if (guest.manual || run == guest.running) {
        return;
    }
    if (run) {
        guest_change(true, guest.base_ns - read_clock(CLOCK_MONOTONIC));
    } else {
        guest_change(false, guest.base_ns + read_clock(CLOCK_MONOTONIC));
    }
}

bool clock_guest_running(void)
{
    return __atomic_load_n(&guest.running, __ATOMIC_RELAXED);
}

void clock_guest_manual(void)
{
    int64_t now = guest_now();

    guest.manual = true;
    guest_change(false, now);
}

void clock_guest_set(int64_t ns)
{
    guest_change(guest.running, guest.running ? ns - read_clock(CLOCK_MONOTONIC) : ns);
}

/* ---- the heap ---- */

static bool entry_before(const HeapEntry *a, const HeapEntry *b)
{
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns
                                            : a->order < b->order;
}

static void heap_put(Queue *q, uint32_t slot, HeapEntry e)
{
    q->heap[slot] = e;
    e.timer->slot = slot;
}

static void heap_up(Queue *q, uint32_t slot, HeapEntry e)
{
    while (slot > 0) {
        uint32_t parent = (slot - 1) / 2;

        if (!entry_before(&e, &q->heap[parent])) {
            break;
        }
        heap_put(q, slot, q->heap[parent]);
        slot = parent;
    }
    heap_put(q, slot, e);
}

static void heap_down(Queue *q, uint32_t slot, HeapEntry e)
{
    for (;;) {
        uint32_t child = slot * 2 + 1;

        if (child >= q->len) {
            break;
        }
        if (child + 1 < q->len && entry_before(&q->heap[child + 1], &q->heap[child])) {
            child++;
        }
        if (!entry_before(&q->heap[child], &e)) {
            break;
        }
        heap_put(q, slot, q->heap[child]);
        slot = child;
    }
    heap_put(q, slot, e);
}

static void heap_move(Queue *q, uint32_t slot, HeapEntry e)
{
    if (slot > 0 && entry_before(&e, &q->heap[(slot - 1) / 2])) {
        heap_up(q, slot, e);
    } else {
        heap_down(q, slot, e);
    }
}

static void heap_remove(Queue *q, uint32_t slot)
{
    HeapEntry last = q->heap[--q->len];

    if (slot < q->len) {
        heap_move(q, slot, last);
    }
}

/* ---- timers ---- */

void timer_init(Timer *t, TimerClock clock, TimerFn *fn, void *opaque)
{
    *t = (Timer){.fn = fn, .opaque = opaque, .clock = clock};
}

static void first_changed(TimerClock clock)
{
    if (clock == CLOCK_GUEST) {
        guest_limit_update();
    }
}

void timer_set_ns(Timer *t, int64_t deadline_ns)
{
    Queue *q = &queues[t->clock];
    HeapEntry e = {MAX(deadline_ns, 0), arm_count++, t};
    bool first = t->pending && t->slot == 0;

    t->deadline_ns = e.deadline_ns;
    if (t->pending) {
        heap_move(q, t->slot, e);
    } else {
        if (q->len == q->capacity) {
            q->capacity = MAX(64, q->capacity * 2);
            q->heap = g_renew(HeapEntry, q->heap, q->capacity);
        }
        t->pending = true;
        heap_up(q, q->len++, e);
    }
    if (t->slot == 0 || first) {
        first_changed(t->clock);
        main_loop_wake();
    }
}

void timer_cancel(Timer *t)
{
    bool first = t->slot == 0;

    if (t->pending) {
        t->pending = false;
        heap_remove(&queues[t->clock], t->slot);
        if (first) {
            first_changed(t->clock);
        }
    }
}

int64_t clock_deadline_ns(TimerClock clock)
{
    return queues[clock].len > 0 ? queues[clock].heap[0].deadline_ns : INT64_MAX;
}

/* Runs the first timer of q if it is due at now and was armed before `order`. */
static bool run_first(Queue *q, int64_t now, uint64_t order)
{
    Timer *t;

    if (q->len == 0 || q->heap[0].deadline_ns > now || q->heap[0].order >= order) {
        return false;
    }
    t = q->heap[0].timer;
    t->pending = false;
    heap_remove(q, 0);
    t->fn(t->opaque);
    return true;
}

static bool clock_moves(TimerClock clock)
{
    return clock != CLOCK_GUEST || guest.running;
}

bool timers_run(void)
{
    uint64_t order = arm_count;
    bool ran = false;

    guest.running_timers++;
    for (TimerClock c = 0; c < CLOCK_COUNT; c++) {
        if (queues[c].len > 0 && (clock_moves(c) || guest.manual)) {
            int64_t now = clock_now_ns(c);

            while (run_first(&queues[c], now, order)) {
                ran = true;
            }
        }
    }
    /* Times that timers saw are not before the limit now: see guest_limit_update. */
    if (--guest.running_timers == 0 && ran) {
        guest_limit_release();
    }
    return ran;
}

void clock_guest_advance_to(int64_t ns)
{
    Queue *q = &queues[CLOCK_GUEST];
    unsigned same_moment = 0;

    while (q->len > 0 && q->heap[0].deadline_ns <= ns) {
        int64_t deadline_ns = q->heap[0].deadline_ns;

        if (deadline_ns > guest.base_ns) {
            guest_change(false, deadline_ns);
            same_moment = 0;
        } else if (++same_moment > SAME_MOMENT_LIMIT) {
            break;
        }
        run_first(q, deadline_ns, UINT64_MAX);
    }
    if (ns > guest.base_ns) {
        guest_change(false, ns);
    }
}

int64_t timers_poll_timeout_ns(void)
{
    int64_t timeout_ns = INT64_MAX;

    for (TimerClock c = 0; c < CLOCK_COUNT; c++) {
        int64_t left_ns;

        if (queues[c].len == 0 || (!clock_moves(c) && !guest.manual)) {
            continue;
        }
        /* read once: the deadline may pass in between, and what is negative means for ever */
        left_ns = queues[c].heap[0].deadline_ns - clock_now_ns(c);
        left_ns = MAX(left_ns, 0);
        if (!clock_moves(c) && left_ns > 0) {
            continue;
        }
        if (c == CLOCK_HOST) {
            left_ns = MIN(left_ns, HOST_CLOCK_CHECK_NS);
        }
        timeout_ns = MIN(timeout_ns, left_ns);
    }
    return timeout_ns == INT64_MAX ? -1 : timeout_ns;
}
