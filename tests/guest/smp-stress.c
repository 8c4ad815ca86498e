// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in a Linux guest (scripts/check-guest): threads on all processors with locks that sleep and
 * wake by futex (plain, robust and priority-inheriting ones), atomic instructions up to 16 bytes,
 * pages that come, go and change rights, processes, signals, code that is written while others run
 * theirs, and vector registers that must survive all of it.
 *
 * usage: smp-stress [SECONDS]: rounds until that time is over, one at least. Prints "LAB smp ok",
 * or what was lost.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS = 16,
    ROUNDS = 2000
};

typedef struct Pair {
    uint64_t low, high;
} __attribute__((aligned(16))) Pair;

/* What all processes see: in shared memory. */
typedef struct Shared {
    pthread_mutex_t robust;
    uint64_t under_robust, deaths, told;
} Shared;

typedef struct Phase {
    const char *name;
    void (*begin)(void);
    void (*work)(unsigned me);
    bool (*good)(void);
} Phase;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, inherit;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t all_here;
static sem_t semaphore;
static Shared *shared;
static volatile Pair pair;
static volatile uint64_t plain, atomic_count, spin_count, torn, inside, crowded, wrong, left, right;
static volatile uint64_t signals_seen[THREADS], signals_sent[THREADS];
static volatile int spin;
static unsigned turn;
static pthread_t threads[THREADS];
static uint8_t split_area[8192] __attribute__((aligned(4096)));

static void expect(bool good)
{
    if (!good) {
        __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
}

static void swap_pair(void)
{
    uint64_t low = 0, high = ~0ull;
    bool done = false;

    while (!done) {
        __asm__ volatile("lock cmpxchg16b %1; sete %0"
                         : "=q"(done), "+m"(pair), "+a"(low), "+d"(high)
                         : "b"(low + 1), "c"(~(low + 1))
                         : "memory", "cc");
        torn += high != ~low;
    }
}

static void locks_begin(void)
{
    plain = atomic_count = spin_count = torn = inside = crowded = 0;
    pair.low = 0;
    pair.high = ~0ull;
    turn = 0;
}

static void locks(unsigned me)
{
    for (unsigned k = 0; k < ROUNDS; k++) {
        pthread_mutex_lock(&mutex);
        plain = plain + 1;
        pthread_mutex_unlock(&mutex);
        __atomic_add_fetch(&atomic_count, 1, __ATOMIC_SEQ_CST);
        swap_pair();
        while (__atomic_exchange_n(&spin, 1, __ATOMIC_ACQUIRE)) {
            usleep(0);
        }
        spin_count = spin_count + 1;
        __atomic_store_n(&spin, 0, __ATOMIC_RELEASE);
        if (k % 16 == 0) {
            sem_wait(&semaphore);
            crowded += __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST) > 3;
            __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
            sem_post(&semaphore);
        }
        if (k % 64 == 0) { /* all in turn */
            pthread_mutex_lock(&mutex);
            while (turn % THREADS != me) {
                pthread_cond_wait(&turn_changed, &mutex);
            }
            turn++;
            pthread_cond_broadcast(&turn_changed);
            pthread_mutex_unlock(&mutex);
        }
    }
}

static bool locks_good(void)
{
    const uint64_t all = THREADS * ROUNDS;

    return plain == all && atomic_count == all && spin_count == all && pair.low == all &&
           pair.high == ~all && !torn && !crowded;
}

static void more_begin(void)
{
    plain = left = right = 0;
    memset(split_area, 0, sizeof(split_area));
}

/* Locks that the kernel helps with, and instructions across a line and a page. */
static void more_locks(unsigned me)
{
    volatile uint64_t *line = (volatile uint64_t *)(split_area + 60);
    volatile uint32_t *page = (volatile uint32_t *)(split_area + 4094);

    for (unsigned k = 0; k < ROUNDS; k++) {
        pthread_mutex_lock(&inherit);
        plain = plain + 1;
        pthread_mutex_unlock(&inherit);
        if ((k + me) % 8 == 0) {
            pthread_rwlock_wrlock(&rwlock);
            left = left + 1;
            right = right + 1;
        } else {
            pthread_rwlock_rdlock(&rwlock);
            expect(left == right);
        }
        pthread_rwlock_unlock(&rwlock);
        if (k % 32 == 0) {
            uint64_t one = 1;

            __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(*line)::"memory", "cc");
            __asm__ volatile("lock incl %0" : "+m"(*page)::"memory", "cc");
        }
        if (k % 256 == 0) {
            pthread_barrier_wait(&all_here);
        }
    }
}

static bool more_good(void)
{
    const uint64_t all = THREADS * ROUNDS, few = THREADS * ((ROUNDS + 31) / 32);
    uint64_t line;
    uint32_t page;

    memcpy(&line, split_area + 60, 8);
    memcpy(&page, split_area + 4094, 4);
    return plain == all && left == right && left == all / 8 && line == few && page == few;
}

/* Pages that others' TLBs know, and code that is new each time. */
static void pages(unsigned me)
{
    enum {
        COUNT = 60
    };
    size_t size = (1 + me % 5) * 4096;
    uint8_t code[] = {0xb8, 0, 0, 0, 0, 0xc3}; /* mov $imm, %eax; ret */

    for (unsigned k = 0; k < COUNT; k++) {
        uint32_t mark = me << 16 | k;
        uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED) {
            expect(false);
            return;
        }
        expect(!p[0] && !p[size - 1]);
        memset(p, (int)mark, size);
        memcpy(code + 1, &mark, 4);
        memcpy(p + size - sizeof(code), code, sizeof(code));
        expect(!mprotect(p, size, PROT_READ | PROT_EXEC));
        expect(((uint32_t(*)(void))(uintptr_t)(p + size - sizeof(code)))() == mark);
        expect(!mprotect(p, size, PROT_READ | PROT_WRITE));
        p[0]++;
        expect(p[0] == (uint8_t)(mark + 1) && p[1] == (uint8_t)mark);
        expect(!munmap(p, size));
    }
}

/* Processes that take a lock and die with it. */
static void processes(unsigned me)
{
    for (unsigned k = 0; k < 4; k++) {
        pid_t pid = fork();
        int status = -1;

        if (!pid) {
            for (unsigned n = 0; n < 50; n++) {
                if (pthread_mutex_lock(&shared->robust) == EOWNERDEAD) {
                    shared->told++;
                    pthread_mutex_consistent(&shared->robust);
                }
                shared->under_robust++;
                if (n == 49 && k == 3) {
                    shared->deaths++;
                    _exit(me);
                }
                pthread_mutex_unlock(&shared->robust);
            }
            _exit(me);
        }
        expect(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
               WEXITSTATUS(status) == (int)me);
    }
}

static void processes_begin(void)
{
    shared->under_robust = shared->deaths = shared->told = 0;
}

static bool processes_good(void)
{
    if (pthread_mutex_lock(&shared->robust) == EOWNERDEAD) {
        shared->told++;
        pthread_mutex_consistent(&shared->robust);
    }
    pthread_mutex_unlock(&shared->robust);
    return shared->under_robust == THREADS * 4 * 50 && shared->deaths == THREADS &&
           shared->told == THREADS;
}

static __thread unsigned my_number;

static void on_signal(int number)
{
    (void)number;
    signals_seen[my_number] = signals_seen[my_number] + 1;
}

/* x87, SSE and integer registers while signals and other threads take the processor away. */
static void registers(unsigned me)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    my_number = me;
    sigaction(SIGUSR1, &action, NULL);
    pthread_barrier_wait(&all_here);
    for (unsigned k = 0; k < 400; k++) {
        uint64_t in[2] = {(uint64_t)me << 32 | k, ~(uint64_t)k}, out[2], count = 300;
        long double x = (long double)in[0] / 3, y;

        __asm__ volatile(
            "movdqu %2, %%xmm7\n\tfldt %3\n"
            "1:\tpaddq %%xmm7, %%xmm7\n\tpsrlq $1, %%xmm7\n\tfchs\n\tdec %0\n\tjnz 1b\n\t"
            "movdqu %%xmm7, %1\n\tfstpt %4"
            : "+r"(count), "=m"(out)
            : "m"(in), "m"(x), "m"(y)
            : "xmm7", "cc", "memory", "st");
        in[0] &= ~(1ull << 63);
        in[1] &= ~(1ull << 63);
        expect(!memcmp(in, out, sizeof(in)) && y == x);
        if (k % 20 == 0) {
            signals_sent[me] =
                signals_sent[me] + !pthread_kill(threads[(me + 1) % THREADS], SIGUSR1);
        }
    }
    pthread_barrier_wait(&all_here);
    for (unsigned k = 0; k < 1000 && !signals_seen[me]; k++) {
        usleep(1000);
    }
    expect(signals_seen[me]);
}

static void nothing(void)
{
}

static bool fine(void)
{
    return true;
}

static const Phase phases[] = {
    {"locks", locks_begin, locks, locks_good},
    {"more locks", more_begin, more_locks, more_good},
    {"pages", nothing, pages, fine},
    {"processes", processes_begin, processes, processes_good},
    {"registers", nothing, registers, fine},
};
static const Phase *phase;

static void *work(void *opaque)
{
    phase->work((unsigned)(uintptr_t)opaque);
    return NULL;
}

static bool run(const Phase *p)
{
    p->begin();
    phase = p;
    for (unsigned k = 0; k < THREADS; k++) {
        if (pthread_create(&threads[k], NULL, work, (void *)(uintptr_t)k)) {
            printf("LAB smp: no thread\n");
            return false;
        }
    }
    for (unsigned k = 0; k < THREADS; k++) {
        pthread_join(threads[k], NULL);
    }
    if (!p->good() || wrong) {
        printf("LAB smp %s: %lu %lu %lu %lu, torn %lu, crowded %lu, halves %lu %lu, processes %lu "
               "%lu %lu, "
               "wrong %lu\n",
               p->name, plain, atomic_count, spin_count, pair.low, torn, crowded, left, right,
               shared->under_robust, shared->deaths, shared->told, wrong);
        return false;
    }
    return true;
}

static void prepare(void)
{
    pthread_mutexattr_t attr;

    sem_init(&semaphore, 0, 3);
    pthread_barrier_init(&all_here, NULL, THREADS);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&inherit, &attr);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        printf("LAB smp: no memory\n");
        exit(1);
    }
    pthread_mutex_init(&shared->robust, &attr);
}

int main(int argc, char **argv)
{
    unsigned rounds = 0, seconds = 0;

    if (argc > 1 && sscanf(argv[1], "%u", &seconds) != 1) {
        return 2;
    }
    time_t end = time(NULL) + seconds;

    prepare();
    do {
        for (unsigned k = 0; k < sizeof(phases) / sizeof(phases[0]); k++) {
            if (!run(&phases[k])) {
                return 1;
            }
        }
        rounds++;
        printf("LAB round %u\n", rounds); /* a sign of life */
        fflush(stdout);
    } while (time(NULL) < end);
    printf("LAB smp ok %ld processors, %u rounds\n", sysconf(_SC_NPROCESSORS_ONLN), rounds);
    return 0;
}
