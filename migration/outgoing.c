// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The machine goes to another process. A thread sends its memory while it runs, then what was
 * written meanwhile, again and again, until the rest can be sent within downtime-limit. Then the
 * machine stands, its disks are given away, and the rest goes with the state of the devices. What
 * fails before the end lets the machine run on here.
 */
#include "migration/internal.h"
#include "qapi/startup.h"

#include "util/error.h"
#include "util/main-loop.h"
#include "util/thread.h"

/* Of the text of an answer. */
#define ANSWER_BYTES 1000u
/* Bandwidth is kept to over such times. */
#define WINDOW_MS 100
/* What is so little ahead is not worth a sleep, which is longer than asked for. */
#define SLACK_MS 2

/* One process has one machine, which goes once at a time; see migration_outgoing. */
static Outgoing out = {.channel = {.fd = -1, .wake = -1}, .changed = PTHREAD_COND_INITIALIZER};

Outgoing *migration_outgoing(void)
{
    return &out;
}

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

static bool ended(void *opaque)
{
    return __atomic_load_n(&out.cancel, __ATOMIC_RELAXED) ||
           __atomic_load_n(&out.quit, __ATOMIC_RELAXED);
}

/* ---- bytes ---- */

/* Once the machine stands there is no limit: time counts. */
static void keep_bandwidth(void)
{
    int64_t spent;

    for (;;) {
        uint64_t limit = __atomic_load_n(&migration_settings.max_bandwidth, __ATOMIC_RELAXED);
        double due = limit ? (double)out.window_bytes * 1000 / (double)limit : 0;

        spent = now_ms() - out.window_ms;
        if (out.stopped || (double)spent + SLACK_MS >= due || ended(NULL)) {
            break;
        }
        channel_pause(&out.channel, (int)MIN(due - (double)spent + 1, WINDOW_MS));
    }
    if (spent >= WINDOW_MS) {
        out.window_ms = now_ms();
        out.window_bytes = 0;
    }
}

static bool out_write(StateStream *s, const void *data, size_t len, GError **error)
{
    const uint8_t *p = data;

    while (len > 0) {
        uint64_t limit = __atomic_load_n(&migration_settings.max_bandwidth, __ATOMIC_RELAXED);
        /* small pieces, so that a low limit gives an even flow */
        uint64_t most = limit && !out.stopped ? CLAMP(limit / 10, 4096, 256 * KIB) : 256 * KIB;
        size_t part = (size_t)MIN(len, most);

        keep_bandwidth();
        if (!channel_write(&out.channel, p, part, error)) {
            return false;
        }
        out.window_bytes += part;
        p += part;
        len -= part;
    }
    return true;
}

/* ---- steps that the main loop takes for the thread ---- */

static void step_end(bool good)
{
    out.step_done = true;
    out.step_good = good;
    machine_lock_notify(&out.changed);
}

/* Runs fn in the main loop and waits for it; false: it failed, or the process ends. */
static bool in_main_loop(BhFn *fn)
{
    bool good;

    machine_lock();
    out.step_done = out.step_good = false;
    main_loop_run_soon(fn, NULL);
    while (!out.step_done && !out.quit) {
        machine_lock_wait(&out.changed);
    }
    good = out.step_done && out.step_good;
    machine_unlock();
    return good;
}

static void step_stop(void *opaque)
{
    if (out.quit) {
        return;
    }
    out.was = runstate();
    out.stop_ms = now_ms();
    migration_throttle_end();
    if (runstate_running()) {
        vm_stop(out.vm, RUN_STATE_FINISH_MIGRATE);
    } else {
        runstate_set(RUN_STATE_FINISH_MIGRATE);
    }
    out.stopped = true;
    out.vm->busy = "a migration";
    migration_helpers->quiesce();
    step_end(true);
}

static bool keep_bytes(StateStream *s, const void *data, size_t len, GError **error)
{
    g_byte_array_append(out.devices, data, (guint)len);
    return true;
}

static bool save_bitmaps(StateStream *s, const GByteArray *bitmaps, GError **error)
{
    return bitmaps->len == 0 ||
           (stream_put_u8(s, SECTION_BITMAPS, error) && stream_put_u32(s, bitmaps->len, error) &&
            stream_put(s, bitmaps->data, bitmaps->len, error));
}

/* The devices' state is kept until all of memory has gone. */
static void step_save(void *opaque)
{
    const MigrationSettings *set = &migration_settings;
    g_autoptr(GByteArray) bitmaps = g_byte_array_new();
    StateStream s = {.write = keep_bytes};
    bool good;

    if (out.quit) {
        return;
    }
    good = machine_state_possible(out.vm, &out.error) &&
           (!set->capability[MIGRATION_CAPABILITY_DIRTY_BITMAPS] ||
            migration_helpers->pack_bitmaps(set->bitmap_mapping, bitmaps, &out.error)) &&
           migration_helpers->give_disks(&out.error);
    out.gave_disks = good;
    if (good) {
        machine_state_prepare(out.vm); /* writes memory that is sent afterwards */
        out.devices = g_byte_array_new();
        stream_open(&s);
        good = stream_put_u8(&s, SECTION_RUN_STATE, &out.error) &&
               stream_put_text(&s, runstate_name(out.was), &out.error) &&
               save_bitmaps(&s, bitmaps, &out.error) &&
               machine_state_save_devices(out.vm, &s, &out.error);
        stream_close(&s);
    }
    step_end(good);
}

static void run_on(void)
{
    g_autoptr(GError) why = NULL;

    out.vm->busy = NULL;
    if (out.gave_disks && !migration_helpers->take_disks(&why)) {
        warn_report("the machine stays stopped: %s", why->message);
        runstate_set(RUN_STATE_INTERNAL_ERROR);
    } else if (out.was == RUN_STATE_RUNNING) {
        vm_start(out.vm);
    } else {
        runstate_set(out.was);
    }
}

/* cont after the machine has gone: it takes its disks back. */
static bool may_start(Vm *vm, bool *later, GError **error)
{
    if (!migration_helpers->take_disks(error)) {
        return false;
    }
    vm->may_start = NULL;
    return true;
}

/* The thread has done what it could. */
static void out_end(void *opaque)
{
    g_autoptr(GError) ignored = NULL;
    bool good = out.step_good;

    if (!out.running) {
        return;
    }
    machine_unlock();
    thread_join(out.thread);
    machine_lock();
    out.running = false;
    migration_throttle_end();
    out.vm->migrating = NULL;
    out.end_ms = now_ms();
    good = channel_close(&out.channel, good ? &out.error : &ignored) && good;
    place_free(&out.place);
    g_clear_pointer(&out.ram, g_ptr_array_unref);
    if (out.devices) {
        g_byte_array_unref(out.devices);
        out.devices = NULL;
    }
    ram_dirty_fill(DIRTY_MIGRATION);
    if (good) {
        out.vm->busy = NULL;
        runstate_set(RUN_STATE_POSTMIGRATE);
        out.vm->may_start = may_start;
        migration_status(&out.status, MIGRATION_STATUS_COMPLETED);
        return;
    }
    if (out.unsure) {
        /* it may run there: who knows better says cont */
        out.vm->busy = NULL;
        runstate_set(RUN_STATE_POSTMIGRATE);
        out.vm->may_start = may_start;
    } else if (out.stopped) {
        run_on();
    }
    if (out.cancel) {
        g_clear_error(&out.error);
    }
    migration_status(&out.status,
                     out.cancel ? MIGRATION_STATUS_CANCELLED : MIGRATION_STATUS_FAILED);
}

/* ---- the thread ---- */

static void tell_status(MigrationStatus now)
{
    machine_lock();
    if (!out.cancel) {
        migration_status(&out.status, now);
    }
    machine_unlock();
}

static void tell_pass(void)
{
    machine_lock();
    out.passes++;
    migration_pass_event((int64_t)out.passes);
    machine_unlock();
}

/* Pages written so far are known; rates of the pass that ended. */
static void next_pass(void)
{
    uint64_t bytes = out.stream.pos - out.pass_bytes;
    int64_t ms = MAX(now_ms() - out.pass_ms, 1);

    ram_send_collect(out.ram);
    out.left = ram_send_left(out.ram);
    out.left_base = out.counts.normal + out.counts.zero;
    out.bytes_ms = MAX(bytes / (uint64_t)ms, 1);
    out.dirty_rate = out.left / 4096 * 1000 / (uint64_t)ms;
    out.pass_bytes = out.stream.pos;
    out.pass_ms = now_ms();
    tell_pass();
    machine_lock();
    migration_throttle_pass(out.vm, bytes, out.left);
    machine_unlock();
}

static bool out_passes(GError **error)
{
    for (;;) {
        uint64_t limit_ms = __atomic_load_n(&migration_settings.downtime_limit, __ATOMIC_RELAXED);

        if (!ram_send(&out.stream, out.ram, &out.counts, ended, NULL, error) ||
            !stream_flush(&out.stream, error)) {
            return false;
        }
        if (ended(NULL)) {
            return fail(error, "the migration was cancelled");
        }
        next_pass();
        if (out.left <= out.bytes_ms * limit_ms) {
            return true;
        }
    }
}

/* With pause-before-switchover somebody says when. */
static bool wait_before_switch(GError **error)
{
    if (!migration_settings.capability[MIGRATION_CAPABILITY_PAUSE_BEFORE_SWITCHOVER]) {
        return true;
    }
    machine_lock();
    if (!out.cancel) {
        migration_status(&out.status, MIGRATION_STATUS_PRE_SWITCHOVER);
    }
    while (!out.go_on && !ended(NULL)) {
        machine_lock_wait(&out.changed);
    }
    if (!ended(NULL)) {
        migration_status(&out.status, MIGRATION_STATUS_DEVICE);
    }
    machine_unlock();
    return !ended(NULL) || fail(error, "the migration was cancelled");
}

static bool out_rest(GError **error)
{
    out.downtime_base = out.stream.pos;
    ram_send_collect(out.ram);
    tell_pass();
    out.left = ram_send_left(out.ram);
    out.left_base = out.counts.normal + out.counts.zero;
    return ram_send(&out.stream, out.ram, &out.counts, ended, NULL, error) && !ended(NULL) &&
           stream_put(&out.stream, out.devices->data, out.devices->len, error) &&
           stream_flush(&out.stream, error);
}

/*
 * With return-path the other process says whether it has the machine: a byte that is 1, or 0 and
 * why not. Where it ends without a word it has not.
 */
static bool out_answer(GError **error)
{
    char text[ANSWER_BYTES + 1];
    size_t len = 0, n;

    if (!out.wants_answer) {
        return true;
    }
    machine_lock();
    out.sent = !out.cancel;
    machine_unlock();
    if (!out.sent) {
        return fail(error, "the migration was cancelled");
    }
    n = channel_read(&out.channel, text, 1, error);
    if (n && text[0] == 1) {
        return true;
    }
    out.unsure = !n && !out.channel.ended;
    if (n) {
        g_autoptr(GError) ignored = NULL;

        while (len < ANSWER_BYTES &&
               (n = channel_read(&out.channel, text + len, ANSWER_BYTES - len, &ignored)) > 0) {
            len += n;
            g_clear_error(&ignored);
        }
        text[len] = '\0';
        return fail(error, "the other side could not take the machine: %s",
                    g_utf8_validate(text, -1, NULL) ? text : "");
    }
    return false;
}

static bool out_begin(GError **error)
{
    out.wants_answer = migration_settings.capability[MIGRATION_CAPABILITY_RETURN_PATH] &&
                       channel_answers(&out.channel);
    return machine_state_save_header(out.vm, &out.stream, error) &&
           (!out.wants_answer || stream_put_u8(&out.stream, SECTION_ANSWER, error));
}

static bool out_all(GError **error)
{
    bool good;

    if (!channel_connect(&out.channel, &out.place, error)) {
        return false;
    }
    machine_lock();
    good = channel_encrypt(&out.channel, false, out.place.host, error);
    machine_unlock();
    if (!good || !channel_handshake(&out.channel, error)) {
        return false;
    }
    ram_send_collect(out.ram); /* bits begin set, and are cleared now */
    tell_pass();
    tell_status(MIGRATION_STATUS_ACTIVE);
    out.setup_ms = now_ms() - out.start_ms;
    out.pass_ms = out.window_ms = now_ms();
    return out_begin(error) && out_passes(error) && in_main_loop(step_stop) &&
           wait_before_switch(error) && in_main_loop(step_save) && out_rest(error) &&
           out_answer(error);
}

static void *out_thread(void *opaque)
{
    GError *error = NULL;
    bool good;

    out.stream = (StateStream){.write = out_write};
    stream_open(&out.stream);
    good = out_all(&error);
    stream_close(&out.stream);
    machine_lock();
    if (!good && error && !out.error) {
        out.error = g_steal_pointer(&error);
    }
    g_clear_error(&error);
    out.step_good = good;
    machine_unlock();
    main_loop_run_soon(out_end, NULL);
    return NULL;
}

/* ---- commands ---- */

bool migration_start(Vm *vm, const char *uri, GError **error)
{
    if (out.running) {
        return fail(error, "There's a migration process in progress");
    }
    if (runstate_is(RUN_STATE_INMIGRATE)) {
        return fail(error, "Guest is waiting for an incoming migration");
    }
    if (runstate_is(RUN_STATE_POSTMIGRATE)) {
        return fail(error, "Can't migrate the vm that was paused due to previous migration");
    }
    if (vm->busy) {
        return fail(error, "%s is under way", vm->busy);
    }
    if (!machine_state_possible(vm, error) || !migration_helpers->possible(error)) {
        return false;
    }
    g_clear_error(&out.error);
    out = (Outgoing){.vm = vm,
                     .channel = {.fd = -1, .wake = -1},
                     .changed = PTHREAD_COND_INITIALIZER,
                     .start_ms = now_ms()};
    if (!place_parse(&out.place, uri, error) ||
        !channel_take(&out.channel, &out.place, false, error)) {
        place_free(&out.place);
        return false;
    }
    out.ram = ram_send_new();
    out.total = out.left = ram_send_left(out.ram);
    migration_status(&out.status, MIGRATION_STATUS_SETUP);
    vm->migrating = "a migration is under way";
    if (!thread_start(&out.thread, "mig-out", out_thread, NULL, error)) {
        g_autoptr(GError) ignored = NULL;

        vm->migrating = NULL;
        channel_close(&out.channel, &ignored);
        place_free(&out.place);
        g_clear_pointer(&out.ram, g_ptr_array_unref);
        migration_status(&out.status, MIGRATION_STATUS_FAILED);
        return false;
    }
    out.running = true;
    return true;
}

void migration_cancel(Vm *vm)
{
    if (!out.running || out.cancel || out.sent) {
        return;
    }
    __atomic_store_n(&out.cancel, true, __ATOMIC_RELAXED);
    migration_status(&out.status, MIGRATION_STATUS_CANCELLING);
    channel_wake(&out.channel);
    machine_lock_notify(&out.changed);
}

static void end_outgoing(Vm *vm)
{
    if (out.running) {
        g_autoptr(GError) ignored = NULL;

        out.running = false;
        migration_throttle_end();
        __atomic_store_n(&out.quit, true, __ATOMIC_RELAXED);
        channel_wake(&out.channel);
        machine_lock_notify(&out.changed);
        machine_unlock();
        thread_join(out.thread);
        machine_lock();
        channel_close(&out.channel, &ignored);
        place_free(&out.place);
        g_clear_pointer(&out.ram, g_ptr_array_unref);
        if (out.devices) {
            g_byte_array_unref(out.devices);
        }
    }
    g_clear_error(&out.error);
}
START_HOOK(outgoing, {.phase = START_RUN, .name = "outgoing", .stop = end_outgoing});
