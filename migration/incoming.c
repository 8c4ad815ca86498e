// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine that comes from another process: -incoming, migrate-incoming. A thread reads the
 * stream while the main loop answers; the machine stands until all of it is there.
 */
#include <unistd.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "migration/internal.h"
#include "qapi/startup.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/thread.h"

typedef struct Incoming {
    Vm *vm;
    MigrationStatus status;
    Place place;
    Channel channel;
    int listener;
    unsigned watch;
    pthread_t thread;
    bool started;  /* a URI is known */
    bool reading;  /* the thread is there */
    bool run;      /* the machine runs when all is well */
    bool good;
    bool answer;   /* the other side waits for one */
    RunState was;  /* what the machine did where it comes from */
    GByteArray *bitmaps; /* of disks, not yet theirs; NULL: none */
    GError *error;
} Incoming;

/* One process is one machine, which comes once. Machine lock, or its own thread. */
static Incoming in = {.listener = -1, .channel = {.fd = -1, .wake = -1}};

MigrationStatus migration_incoming_status(void)
{
    return in.vm ? in.status : MIGRATION_STATUS_NONE;
}

/* ---- the end ---- */

static void incoming_failed(void)
{
    migration_status(&in.status, MIGRATION_STATUS_FAILED);
    g_prefix_error(&in.error, "load of migration failed: ");
    error_report_free(g_steal_pointer(&in.error));
    request_shutdown_with_code(SHUTDOWN_HOST_ERROR, 1);
}

/* One byte, and if the machine is not here, why. */
static void send_answer(void)
{
    g_autoptr(GError) ignored = NULL;
    char good = in.good;

    if (channel_write(&in.channel, &good, 1, &ignored) && !good && in.error) {
        channel_write(&in.channel, in.error->message, MIN(strlen(in.error->message), 900),
                      &ignored);
    }
}

/* Disks, then bitmaps of theirs that came. One that cannot be had is no reason to stay away. */
static bool take_disks(GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!migration_helpers->take_disks(error)) {
        return false;
    }
    if (in.bitmaps &&
        !migration_helpers->unpack_bitmaps(migration_settings.bitmap_mapping, in.bitmaps, &why)) {
        warn_report("dirty bitmaps are lost: %s", why->message);
    }
    g_clear_pointer(&in.bitmaps, g_byte_array_unref);
    return true;
}

/* late-block-activate: disks are taken when the machine is about to run. */
static bool may_start_late(Vm *vm, bool *later, GError **error)
{
    if (!take_disks(error)) {
        return false;
    }
    vm->may_start = NULL;
    return true;
}

static void incoming_done(void *opaque)
{
    Vm *vm = in.vm;
    const MigrationSettings *set = &migration_settings;
    g_autoptr(GError) ignored = NULL;
    bool late;

    if (!in.reading) {
        return; /* the process ends */
    }
    machine_unlock();
    thread_join(in.thread);
    machine_lock();
    in.reading = false;
    vm->busy = NULL;
    late = in.good && !in.run && set->capability[MIGRATION_CAPABILITY_LATE_BLOCK_ACTIVATE];
    in.good = in.good && (late || take_disks(&in.error));
    if (in.answer) {
        send_answer();
    }
    channel_close(&in.channel, &ignored);
    if (!in.good) {
        incoming_failed();
        return;
    }
    vm->may_start = late ? may_start_late : NULL;
    migration_helpers->announce(set->announce_initial, set->announce_max, set->announce_rounds,
                                set->announce_step);
    if (!in.run) {
        runstate_set(RUN_STATE_PAUSED);
    } else if (in.was == RUN_STATE_RUNNING) {
        vm_start(vm);
    } else {
        runstate_set(in.was);
    }
    migration_status(&in.status, MIGRATION_STATUS_COMPLETED);
}

static size_t read_some(StateStream *s, void *data, size_t len, GError **error)
{
    return channel_read(&in.channel, data, len, error);
}

static void *incoming_thread(void *opaque)
{
    StateStream s = {.read_some = read_some, .limit = UINT64_MAX, .unlocked = true};

    in.good = channel_handshake(&in.channel, &in.error) &&
              machine_state_load(in.vm, &s, &in.was, &in.error);
    in.answer = s.answer;
    in.bitmaps = s.bitmaps;
    main_loop_run_soon(incoming_done, NULL);
    return NULL;
}

/* ---- the beginning ---- */

static bool begin_reading(GError **error)
{
    if (!channel_encrypt(&in.channel, true, NULL, error) ||
        !thread_start(&in.thread, "mig-in", incoming_thread, NULL, error)) {
        return false;
    }
    in.reading = true;
    in.vm->busy = "an incoming migration";
    migration_status(&in.status, MIGRATION_STATUS_ACTIVE);
    return true;
}

static void stop_listening(void)
{
    if (in.listener < 0) {
        return;
    }
    if (in.watch) {
        fd_unwatch(in.watch);
        in.watch = 0;
    }
    close(in.listener);
    in.listener = -1;
    if (in.place.socket.kind == SOCKET_UNIX) {
        unlink(in.place.socket.path);
    }
}

static bool somebody_comes(int fd, GIOCondition events, void *opaque)
{
    int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (c < 0) {
        return true;
    }
    in.channel.fd = c;
    in.watch = 0;
    stop_listening();
    if (!begin_reading(&in.error)) {
        incoming_failed();
    }
    return false;
}

bool migration_incoming_start(Vm *vm, const char *uri, GError **error)
{
    bool good;

    if (!in.vm) {
        return fail(error, "'-incoming' was not specified on the command line");
    }
    if (in.started) {
        return fail(error, "The incoming migration has already been started");
    }
    good = place_parse(&in.place, uri, error) &&
           channel_take(&in.channel, &in.place, true, error);
    if (good && in.place.kind == PLACE_SOCKET) {
        in.listener = socket_listen(&in.place.socket, 1, error);
        good = in.listener >= 0;
    }
    if (!good) {
        g_autoptr(GError) ignored = NULL;

        channel_close(&in.channel, &ignored);
        place_free(&in.place);
        return false;
    }
    in.started = true;
    migration_status(&in.status, MIGRATION_STATUS_SETUP);
    if (in.listener >= 0) {
        in.watch = fd_watch(in.listener, G_IO_IN, somebody_comes, NULL);
        return true;
    }
    return begin_reading(error);
}

/* cont, before the machine has come: it runs as soon as it has. */
static bool may_start(Vm *vm, bool *later, GError **error)
{
    *later = true;
    in.run = true;
    return in.status != MIGRATION_STATUS_FAILED || fail(error, "the machine has not come");
}

bool migration_expect(Vm *vm, const char *uri, bool run, GError **error)
{
    in.vm = vm;
    in.run = run;
    runstate_set(RUN_STATE_INMIGRATE);
    vm->may_start = may_start;
    return g_str_equal(uri, "defer") || migration_incoming_start(vm, uri, error);
}

/* ---- options ---- */

/* The option's argument, until the machine is there. */
static const char *incoming_uri;

static bool opt_incoming(Vm *vm, const char *arg, GError **error)
{
    incoming_uri = arg;
    return true;
}
OPTION(incoming, {.name = "incoming", .handle = opt_incoming});

/* Devices look at it when they are realized. */
static bool opt_only_migratable(Vm *vm, const char *arg, GError **error)
{
    return true;
}
OPTION(only_migratable, {.name = "only-migratable", .handle = opt_only_migratable});

static bool expect_at_start(Vm *vm, GError **error)
{
    return migration_expect(vm, incoming_uri, !option_given("S"), error);
}

static bool prepare_incoming(Vm *vm, GError **error)
{
    if (incoming_uri) {
        vm->load_at_start = expect_at_start;
    }
    return true;
}

static void end_incoming(Vm *vm)
{
    g_autoptr(GError) ignored = NULL;

    stop_listening();
    if (in.reading) {
        in.reading = false;
        channel_wake(&in.channel);
        machine_unlock();
        thread_join(in.thread);
        machine_lock();
    }
    channel_close(&in.channel, &ignored);
    place_free(&in.place);
    g_clear_error(&in.error);
    g_clear_pointer(&in.bitmaps, g_byte_array_unref);
}
START_HOOK(incoming, {.phase = START_RUN,
                      .name = "incoming",
                      .start = prepare_incoming,
                      .stop = end_incoming});
