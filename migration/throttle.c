// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * auto-converge: a machine that writes memory faster than it can be sent gets less time. vCPUs
 * sleep for a part of it, more with each pass over memory that does not bring the end closer.
 */
#include "migration/internal.h"

#include <time.h>

#include "exec/cpu.h"
#include "util/main-loop.h"
#include "util/timer.h"

/* What a vCPU runs for between two sleeps. */
#define SLICE_NS (10 * 1000 * 1000LL)

/* One migration at a time. percent and sleeps: with the lock; the rest: machine lock. */
typedef struct Throttle {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned percent;
    Timer timer;
    Vm *vm;
    unsigned asleep; /* vCPUs that were told to sleep and have not woken */
    unsigned high;   /* passes in a row with too many pages written */
} Throttle;

/* Of this process, as the migration is. */
static Throttle throttle = {.lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};

unsigned migration_throttle_percent(void)
{
    return __atomic_load_n(&throttle.percent, __ATOMIC_RELAXED);
}

static int64_t sleep_ns(unsigned percent)
{
    return SLICE_NS * percent / (100 - percent);
}

/* On the vCPU's thread. The end of throttling wakes it. */
static void vcpu_sleep(Cpu *cpu, uint64_t ns)
{
    struct timespec until;

    if (!current_cpu()) {
        throttle.asleep--; /* nothing runs (qtest) */
        return;
    }
    machine_unlock();
    clock_gettime(CLOCK_REALTIME, &until);
    ns += (uint64_t)until.tv_nsec;
    until.tv_sec += (time_t)(ns / NANOSECONDS_PER_SECOND);
    until.tv_nsec = (long)(ns % NANOSECONDS_PER_SECOND);
    pthread_mutex_lock(&throttle.lock);
    while (throttle.percent &&
           pthread_cond_timedwait(&throttle.changed, &throttle.lock, &until) == 0) {
    }
    pthread_mutex_unlock(&throttle.lock);
    machine_lock();
    throttle.asleep--;
}

static void slice_over(void *opaque)
{
    Vm *vm = throttle.vm;
    unsigned percent = migration_throttle_percent();

    if (!percent) {
        return;
    }
    for (unsigned i = 0; throttle.asleep == 0 && runstate_running() && i < vm->cpus->len; i++) {
        throttle.asleep++;
        cpu_run_on(vm->cpus->pdata[i], vcpu_sleep, (uint64_t)sleep_ns(percent));
    }
    timer_set_ns(&throttle.timer, clock_now_ns(CLOCK_RT) + SLICE_NS + sleep_ns(percent));
}

static void set_percent(unsigned percent)
{
    pthread_mutex_lock(&throttle.lock);
    throttle.percent = percent;
    pthread_cond_broadcast(&throttle.changed);
    pthread_mutex_unlock(&throttle.lock);
}

void migration_throttle_end(void)
{
    set_percent(0);
    throttle.high = 0;
    if (throttle.vm) {
        timer_cancel(&throttle.timer);
    }
}

void migration_throttle_pass(Vm *vm, uint64_t sent, uint64_t written)
{
    const MigrationSettings *s = &migration_settings;
    unsigned percent = migration_throttle_percent();

    if (!s->capability[MIGRATION_CAPABILITY_AUTO_CONVERGE] || !vm->cpus) {
        return;
    }
    if (written < sent / 100 * s->throttle_threshold) {
        throttle.high = 0;
        return;
    }
    if (++throttle.high < 2) {
        return;
    }
    throttle.high = 0;
    if (!throttle.vm) {
        throttle.vm = vm;
        timer_init(&throttle.timer, CLOCK_RT, slice_over, NULL);
    }
    set_percent(MIN(percent ? percent + s->throttle_increment : s->throttle_initial,
                    s->throttle_max));
    if (!throttle.timer.pending) {
        timer_set_ns(&throttle.timer, clock_now_ns(CLOCK_RT) + SLICE_NS);
    }
}
