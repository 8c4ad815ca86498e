// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs in a Linux guest (scripts/check-guest): threads on all processors with mutexes, condition
 * variables and semaphores, which sleep and wake by futex, and with atomic instructions up to 16
 * bytes. Prints "LAB smp ok", or what was lost.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 16, ROUNDS = 4000 };

typedef struct Pair {
    uint64_t low, high;
} __attribute__((aligned(16))) Pair;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static volatile Pair pair = {0, ~0ull};
static volatile uint64_t plain, atomic_count, spin_count, torn, inside, crowded;
static volatile int spin;
static unsigned turn;

static void swap_pair(void)
{
    uint64_t low = 0, high = 0;
    bool done = false;

    while (!done) {
        __asm__ volatile("lock cmpxchg16b %1; sete %0"
                         : "=q"(done), "+m"(pair), "+a"(low), "+d"(high)
                         : "b"(low + 1), "c"(~(low + 1))
                         : "memory", "cc");
        torn += high != ~low;
    }
}

static void *work(void *opaque)
{
    unsigned me = (unsigned)(uintptr_t)opaque;

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
        if (k % 64 == 0) {      /* all in turn */
            pthread_mutex_lock(&mutex);
            while (turn % THREADS != me) {
                pthread_cond_wait(&turn_changed, &mutex);
            }
            turn++;
            pthread_cond_broadcast(&turn_changed);
            pthread_mutex_unlock(&mutex);
        }
    }
    return NULL;
}

int main(void)
{
    const uint64_t all = THREADS * ROUNDS;
    pthread_t threads[THREADS];

    sem_init(&semaphore, 0, 3);
    for (unsigned k = 0; k < THREADS; k++) {
        if (pthread_create(&threads[k], NULL, work, (void *)(uintptr_t)k)) {
            printf("LAB smp: no thread\n");
            return 1;
        }
    }
    for (unsigned k = 0; k < THREADS; k++) {
        pthread_join(threads[k], NULL);
    }
    if (plain != all || atomic_count != all || spin_count != all || pair.low != all ||
        pair.high != ~all || torn || crowded) {
        printf("LAB smp: %lu %lu %lu %lu of %lu, torn %lu, crowded %lu\n", plain, atomic_count,
               spin_count, pair.low, all, torn, crowded);
        return 1;
    }
    printf("LAB smp ok %ld processors\n", sysconf(_SC_NPROCESSORS_ONLN));
    return 0;
}
