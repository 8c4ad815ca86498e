// SPDX-License-Identifier: GPL-2.0-or-later
/* Named threads. The contract is include/util/thread.h. */
#include "util/thread.h"

#include <signal.h>
#include <string.h>

#include "util/error.h"

typedef struct Start {
    ThreadFn *fn;
    void *opaque;
    char name[16];
} Start;

static void *thread_main(void *opaque)
{
    Start start = *(Start *)opaque;

    g_free(opaque);
    pthread_setname_np(pthread_self(), start.name);
    return start.fn(start.opaque);
}

bool thread_start(pthread_t *thread, const char *name, ThreadFn *fn, void *opaque, GError **error)
{
    Start *start = g_new0(Start, 1);
    sigset_t all, old;
    int err;

    start->fn = fn;
    start->opaque = opaque;
    g_strlcpy(start->name, name, sizeof(start->name));
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    err = pthread_create(thread, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err != 0) {
        g_free(start);
        return fail_errno(error, err, "cannot start thread '%s'", name);
    }
    return true;
}

void *thread_join(pthread_t thread)
{
    void *result = NULL;

    pthread_join(thread, &result);
    return result;
}
