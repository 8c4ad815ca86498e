// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands of migration, what they set, and what they tell.
 */
#include "migration/internal.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "util/error.h"
#include "util/main-loop.h"

#define BANDWIDTH (128 * MIB)
#define DOWNTIME_MS 300
#define MAX_DOWNTIME_MS 2000000

/* One process has one migration: see internal.h. */
MigrationSettings migration_settings = {.max_bandwidth = BANDWIDTH,
                                        .downtime_limit = DOWNTIME_MS,
                                        .announce_initial = 50,
                                        .announce_max = 550,
                                        .announce_rounds = 5,
                                        .announce_step = 100,
                                        .throttle_threshold = 50,
                                        .throttle_initial = 20,
                                        .throttle_increment = 10,
                                        .throttle_max = 99};
/* Set once at start-up. */
const MigrationHelpers *migration_helpers;

void migration_set_helpers(const MigrationHelpers *h)
{
    migration_helpers = h;
}

void migration_status(MigrationStatus *status, MigrationStatus now)
{
    *status = now;
    if (migration_settings.capability[MIGRATION_CAPABILITY_EVENTS]) {
        qapi_event_migration(&(MigrationEvent){.status = now});
    }
}

void migration_pass_event(int64_t pass)
{
    if (migration_settings.capability[MIGRATION_CAPABILITY_EVENTS]) {
        qapi_event_migration_pass(&(MigrationPassEvent){.pass = pass});
    }
}

/* ---- going and coming ---- */

bool qmp_migrate(QmpCall *call, const QmpMigrateArgs *a, GError **error)
{
    if (a->has_resume && a->resume) {
        return fail(error, "Cannot resume if there is no paused migration");
    }
    return migration_start(call->vm, a->uri, error);
}

bool qmp_migrate_incoming(QmpCall *call, const QmpMigrateIncomingArgs *a, GError **error)
{
    return migration_incoming_start(call->vm, a->uri, error);
}

bool qmp_migrate_cancel(QmpCall *call, GError **error)
{
    migration_cancel(call->vm);
    return true;
}

bool qmp_migrate_continue(QmpCall *call, const QmpMigrateContinueArgs *a, GError **error)
{
    Outgoing *o = migration_outgoing();

    if (a->state != o->status || o->status != MIGRATION_STATUS_PRE_SWITCHOVER) {
        return fail(error, "Migration not in expected state: %s",
                    qapi_enum_name(&qapi_type_MigrationStatus, (int)o->status));
    }
    o->go_on = true;
    machine_lock_notify(&o->changed);
    return true;
}

/* ---- yank ---- */

bool qmp_yank(QmpCall *call, const QmpYankArgs *a, GError **error)
{
    Outgoing *o = migration_outgoing();

    if (a->instances->len && !o->running) {
        return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Instance not found");
    }
    if (a->instances->len) {
        channel_wake(&o->channel);
    }
    return true;
}

GPtrArray *qmp_query_yank(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    if (migration_outgoing()->running) {
        g_ptr_array_add(list, g_new0(YankInstance, 1));
    }
    return list;
}

/* ---- how it is ---- */

static MigrationStats *ram_stats(const Outgoing *o)
{
    MigrationStats *r = g_new0(MigrationStats, 1);
    uint64_t pages = o->counts.normal + o->counts.zero, bytes = o->stream.pos,
             gone = (pages - o->left_base) * 4096;
    int64_t ms = (o->running ? g_get_monotonic_time() / 1000 : o->end_ms) - o->start_ms -
                 o->setup_ms;

    r->transferred = (int64_t)bytes;
    r->remaining = (int64_t)(o->left > gone ? o->left - gone : 0);
    r->total = (int64_t)o->total;
    r->duplicate = (int64_t)o->counts.zero;
    r->normal = (int64_t)o->counts.normal;
    r->normal_bytes = (int64_t)o->counts.normal * 4096;
    r->dirty_pages_rate = (int64_t)o->dirty_rate;
    r->mbps = ms > 0 ? (double)bytes * 8 / 1000 / (double)ms : 0;
    r->dirty_sync_count = (int64_t)o->passes;
    r->page_size = 4096;
    r->pages_per_second = ms > 0 ? (int64_t)pages * 1000 / ms : 0;
    r->precopy_bytes = (int64_t)(o->downtime_base ? o->downtime_base : bytes);
    r->downtime_bytes = (int64_t)bytes - r->precopy_bytes;
    return r;
}

static void outgoing_info(const Outgoing *o, MigrationInfo *info)
{
    int64_t now = o->running ? g_get_monotonic_time() / 1000 : o->end_ms;

    info->has_status = true;
    info->status = o->status;
    if (o->status == MIGRATION_STATUS_FAILED && o->error) {
        info->error_desc = g_strdup(o->error->message);
    }
    if (o->status == MIGRATION_STATUS_SETUP || o->status == MIGRATION_STATUS_FAILED ||
        o->status == MIGRATION_STATUS_CANCELLED) {
        return;
    }
    info->ram = ram_stats(o);
    info->has_total_time = info->has_setup_time = true;
    info->has_cpu_throttle_percentage = migration_throttle_percent() != 0;
    info->cpu_throttle_percentage = migration_throttle_percent();
    info->total_time = now - o->start_ms;
    info->setup_time = o->setup_ms;
    if (o->status == MIGRATION_STATUS_COMPLETED) {
        info->has_downtime = true;
        info->downtime = o->end_ms - o->stop_ms;
    } else {
        info->has_expected_downtime = true;
        info->expected_downtime = o->bytes_ms ? (int64_t)(o->left / o->bytes_ms)
                                              : (int64_t)migration_settings.downtime_limit;
    }
}

MigrationInfo *qmp_query_migrate(QmpCall *call, GError **error)
{
    MigrationInfo *info = g_new0(MigrationInfo, 1);
    const Outgoing *o = migration_outgoing();
    g_autoptr(GError) why = NULL;

    if (o->status != MIGRATION_STATUS_NONE) {
        outgoing_info(o, info);
    } else if (migration_incoming_status() != MIGRATION_STATUS_NONE) {
        info->has_status = true;
        info->status = migration_incoming_status();
    }
    if (!machine_state_possible(call->vm, &why) || !migration_helpers->possible(&why)) {
        info->blocked_reasons = g_ptr_array_new();
        g_ptr_array_add(info->blocked_reasons, g_strdup(why->message));
    }
    return info;
}

/* ---- settings ---- */

GPtrArray *qmp_query_migrate_capabilities(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < MIGRATION_CAPABILITY__COUNT; i++) {
        MigrationCapabilityStatus *c = g_new0(MigrationCapabilityStatus, 1);

        c->capability = i;
        c->state = migration_settings.capability[i];
        g_ptr_array_add(list, c);
    }
    return list;
}

bool qmp_migrate_set_capabilities(QmpCall *call, const QmpMigrateSetCapabilitiesArgs *args,
                                  GError **error)
{
    if (migration_outgoing()->running) {
        return fail(error, "There's a migration process in progress");
    }
    for (guint i = 0; i < args->capabilities->len; i++) {
        const MigrationCapabilityStatus *c = args->capabilities->pdata[i];

        migration_settings.capability[c->capability] = c->state;
    }
    return true;
}

MigrationParameters *qmp_query_migrate_parameters(QmpCall *call, GError **error)
{
    const MigrationSettings *s = &migration_settings;
    MigrationParameters *p = g_new0(MigrationParameters, 1);

    p->has_announce_initial = p->has_announce_max = p->has_announce_rounds = true;
    p->has_announce_step = p->has_max_bandwidth = p->has_downtime_limit = true;
    p->announce_initial = (uint64_t)s->announce_initial;
    p->announce_max = (uint64_t)s->announce_max;
    p->announce_rounds = (uint64_t)s->announce_rounds;
    p->announce_step = (uint64_t)s->announce_step;
    p->has_throttle_trigger_threshold = p->has_cpu_throttle_initial = true;
    p->has_cpu_throttle_increment = p->has_max_cpu_throttle = true;
    p->throttle_trigger_threshold = (uint8_t)s->throttle_threshold;
    p->cpu_throttle_initial = (uint8_t)s->throttle_initial;
    p->cpu_throttle_increment = (uint8_t)s->throttle_increment;
    p->max_cpu_throttle = (uint8_t)s->throttle_max;
    p->tls_creds = g_strdup(s->tls_creds ? s->tls_creds : "");
    p->tls_hostname = g_strdup(s->tls_hostname ? s->tls_hostname : "");
    p->tls_authz = g_strdup("");
    p->max_bandwidth = s->max_bandwidth;
    p->downtime_limit = (int64_t)s->downtime_limit;
    p->block_bitmap_mapping = bitmap_mapping_copy(s->bitmap_mapping);
    return p;
}

static bool check_throttle(const QmpMigrateSetParametersArgs *a, GError **error)
{
    const struct {
        const char *name;
        bool given;
        unsigned value, min, max;
    } rows[] = {
        {"throttle_trigger_threshold", a->has_throttle_trigger_threshold,
         a->throttle_trigger_threshold, 1, 100},
        {"cpu_throttle_initial", a->has_cpu_throttle_initial, a->cpu_throttle_initial, 1, 99},
        {"cpu_throttle_increment", a->has_cpu_throttle_increment, a->cpu_throttle_increment, 1, 99},
        {"max_cpu_throttle", a->has_max_cpu_throttle, a->max_cpu_throttle,
         migration_settings.throttle_initial, 99},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].given && (rows[i].value < rows[i].min || rows[i].value > rows[i].max)) {
            return fail(error, "Parameter '%s' expects an integer in the range of %u to %u",
                        rows[i].name, rows[i].min, rows[i].max);
        }
    }
    return true;
}

static void set_throttle(MigrationSettings *s, const QmpMigrateSetParametersArgs *a)
{
    s->throttle_threshold = a->has_throttle_trigger_threshold ? a->throttle_trigger_threshold
                                                              : s->throttle_threshold;
    s->throttle_initial = a->has_cpu_throttle_initial ? a->cpu_throttle_initial
                                                      : s->throttle_initial;
    s->throttle_increment = a->has_cpu_throttle_increment ? a->cpu_throttle_increment
                                                          : s->throttle_increment;
    s->throttle_max = a->has_max_cpu_throttle ? a->max_cpu_throttle : s->throttle_max;
}

static bool check_announce(const QmpMigrateSetParametersArgs *a, GError **error)
{
    const struct {
        const char *name;
        bool given;
        uint64_t value, min, max;
    } rows[] = {
        {"announce_initial", a->has_announce_initial, a->announce_initial, 0, 100000},
        {"announce_max", a->has_announce_max, a->announce_max, 0, 100000},
        {"announce_rounds", a->has_announce_rounds, a->announce_rounds, 1, 1000},
        {"announce_step", a->has_announce_step, a->announce_step, 1, 10000},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (rows[i].given && (rows[i].value < rows[i].min || rows[i].value > rows[i].max)) {
            return fail(error, "Parameter '%s' expects a value between %d and %d", rows[i].name,
                        (int)rows[i].min, (int)rows[i].max);
        }
    }
    return true;
}

static bool check_empty(const char *name, const StrOrNull *v, GError **error)
{
    return !v || v->type != QAPI_STR || !v->u.s[0] ||
           fail(error, "Parameter '%s': there are no lists of who may come here", name);
}

static void set_text(char **to, const StrOrNull *v)
{
    if (v) {
        g_free(*to);
        *to = g_strdup(v->type == QAPI_STR ? v->u.s : "");
    }
}

bool qmp_migrate_set_parameters(QmpCall *call, const QmpMigrateSetParametersArgs *a, GError **error)
{
    MigrationSettings *s = &migration_settings;

    if (!check_announce(a, error) || !check_throttle(a, error) ||
        !bitmap_mapping_check(a->block_bitmap_mapping, error) ||
        !check_empty("tls_authz", a->tls_authz, error)) {
        return false;
    }
    if (a->has_downtime_limit && (a->downtime_limit < 0 || a->downtime_limit > MAX_DOWNTIME_MS)) {
        return fail(error, "Parameter 'downtime_limit' expects an integer in the range of 0 to "
                           "(2000 * 1000) ms");
    }
    s->announce_initial = a->has_announce_initial ? (int64_t)a->announce_initial
                                                  : s->announce_initial;
    s->announce_max = a->has_announce_max ? (int64_t)a->announce_max : s->announce_max;
    s->announce_rounds = a->has_announce_rounds ? (int64_t)a->announce_rounds : s->announce_rounds;
    s->announce_step = a->has_announce_step ? (int64_t)a->announce_step : s->announce_step;
    set_throttle(s, a);
    set_text(&s->tls_creds, a->tls_creds);
    set_text(&s->tls_hostname, a->tls_hostname);
    if (a->block_bitmap_mapping) {
        bitmap_mapping_free(s->bitmap_mapping);
        s->bitmap_mapping = bitmap_mapping_copy(a->block_bitmap_mapping);
    }
    if (a->has_max_bandwidth) {
        __atomic_store_n(&s->max_bandwidth, a->max_bandwidth, __ATOMIC_RELAXED);
    }
    if (a->has_downtime_limit) {
        __atomic_store_n(&s->downtime_limit, (uint64_t)a->downtime_limit, __ATOMIC_RELAXED);
    }
    return true;
}
