// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Migration in the human monitor.
 */
#include <string.h>

#include "migration/internal.h"
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "util/cutils.h"
#include "util/error.h"

static void hmp_migrate(HmpCall *call, GError **error)
{
    if (migration_start(call->vm, hmp_str(call, "uri"), error) && !hmp_flag(call, "d")) {
        g_string_append(call->out, "terminal does not allow synchronous migration, "
                                   "continuing detached\n");
    }
}
HMP_ROW(migrate, {.name = "migrate",
                  .args = "-d,uri:s",
                  .params = "[-d] uri",
                  .help = "migrate to URI, in the background (with -d without saying so)",
                  .fn = hmp_migrate});

static void hmp_migrate_incoming(HmpCall *call, GError **error)
{
    migration_incoming_start(call->vm, hmp_str(call, "uri"), error);
}
HMP_COMMAND(migrate_incoming, hmp_migrate_incoming, "uri:s",
            "Continue an incoming migration from an -incoming defer");

static void hmp_migrate_cancel(HmpCall *call, GError **error)
{
    migration_cancel(call->vm);
}
HMP_COMMAND(migrate_cancel, hmp_migrate_cancel, "", "cancel the current VM migration");

static void hmp_migrate_continue(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "state");
    QmpCall q = {.vm = call->vm};

    for (unsigned i = 0; i < MIGRATION_STATUS__COUNT; i++) {
        if (strcmp(qapi_enum_name(&qapi_type_MigrationStatus, (int)i), name) == 0) {
            qmp_migrate_continue(&q, &(QmpMigrateContinueArgs){.state = i}, error);
            return;
        }
    }
    fail(error, "invalid parameter value: %s", name);
}
HMP_COMMAND(migrate_continue, hmp_migrate_continue, "state:s",
            "Continue migration from the given paused state");

static void hmp_set_capability(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "capability");
    QmpCall q = {.vm = call->vm};

    for (unsigned i = 0; i < MIGRATION_CAPABILITY__COUNT; i++) {
        if (strcmp(qapi_enum_name(&qapi_type_MigrationCapability, (int)i), name) == 0) {
            g_autoptr(GPtrArray) list = g_ptr_array_new();
            MigrationCapabilityStatus c = {.capability = i, .state = hmp_flag(call, "state")};

            g_ptr_array_add(list, &c);
            qmp_migrate_set_capabilities(
                &q, &(QmpMigrateSetCapabilitiesArgs){.capabilities = list}, error);
            return;
        }
    }
    fail(error, "invalid parameter value: %s", name);
}
HMP_COMMAND(migrate_set_capability, hmp_set_capability, "capability:s,state:b",
            "Enable/Disable the usage of a capability for migration");

static void hmp_set_parameter(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "parameter"), *text = hmp_str(call, "value");
    QmpMigrateSetParametersArgs a = {0};
    QmpCall q = {.vm = call->vm};
    uint64_t v;
    const struct {
        const char *name;
        uint64_t *value;
        bool *given;
    } rows[] = {
        {"max-bandwidth", &a.max_bandwidth, &a.has_max_bandwidth},
        {"downtime-limit", (uint64_t *)&a.downtime_limit, &a.has_downtime_limit},
        {"announce-initial", &a.announce_initial, &a.has_announce_initial},
        {"announce-max", &a.announce_max, &a.has_announce_max},
        {"announce-rounds", &a.announce_rounds, &a.has_announce_rounds},
        {"announce-step", &a.announce_step, &a.has_announce_step},
    };

    if (strcmp(name, "tls-creds") == 0 || strcmp(name, "tls-hostname") == 0) {
        StrOrNull s = {.type = QAPI_STR, .u.s = (char *)text};

        *(name[4] == 'c' ? &a.tls_creds : &a.tls_hostname) = &s;
        qmp_migrate_set_parameters(&q, &a, error);
        return;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            /* a bandwidth without a unit is in MiB, as ever */
            if (!parse_size(text, i == 0 ? MIB : 1, &v)) {
                fail(error, "Parameter '%s' expects a number, not '%s'", name, text);
                return;
            }
            *rows[i].value = v;
            *rows[i].given = true;
            qmp_migrate_set_parameters(&q, &a, error);
            return;
        }
    }
    fail(error, "invalid parameter value: %s", name);
}
HMP_COMMAND(migrate_set_parameter, hmp_set_parameter, "parameter:s,value:s",
            "Set the parameter for migration");

static void ram_text(GString *out, const MigrationStats *r)
{
    const struct {
        const char *name;
        int64_t value;
        const char *unit;
    } rows[] = {
        {"transferred ram", r->transferred >> 10, " kbytes"},
        {"remaining ram", r->remaining >> 10, " kbytes"},
        {"total ram", r->total >> 10, " kbytes"},
        {"duplicate", r->duplicate, " pages"},
        {"skipped", r->skipped, " pages"},
        {"normal", r->normal, " pages"},
        {"normal bytes", r->normal_bytes >> 10, " kbytes"},
        {"dirty sync count", r->dirty_sync_count, ""},
        {"page size", r->page_size >> 10, " kbytes"},
        {"pages-per-second", r->pages_per_second, ""},
        {"precopy ram", r->precopy_bytes >> 10, " kbytes"},
        {"downtime ram", r->downtime_bytes >> 10, " kbytes"},
    };

    g_string_append_printf(out, "throughput: %.2f mbps\n", r->mbps);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        g_string_append_printf(out, "%s: %" G_GINT64_FORMAT "%s\n", rows[i].name, rows[i].value,
                               rows[i].unit);
    }
}

static void hmp_info_migrate(HmpCall *call, GError **error)
{
    QmpCall q = {.vm = call->vm};
    MigrationInfo *info = qmp_query_migrate(&q, error);

    if (!info) {
        return;
    }
    if (info->has_status) {
        g_string_append_printf(call->out, "Migration status: %s",
                               qapi_enum_name(&qapi_type_MigrationStatus, (int)info->status));
        if (info->error_desc) {
            g_string_append_printf(call->out, " (%s)", info->error_desc);
        }
        g_string_append_printf(call->out, "\ntotal time: %" G_GINT64_FORMAT " ms\n",
                               info->total_time);
    }
    if (info->has_expected_downtime) {
        g_string_append_printf(call->out, "expected downtime: %" G_GINT64_FORMAT " ms\n",
                               info->expected_downtime);
    }
    if (info->has_downtime) {
        g_string_append_printf(call->out, "downtime: %" G_GINT64_FORMAT " ms\n", info->downtime);
    }
    if (info->ram) {
        g_string_append_printf(call->out, "setup: %" G_GINT64_FORMAT " ms\n", info->setup_time);
        ram_text(call->out, info->ram);
    }
    QAPI_FREE(MigrationInfo, info);
}
HMP_INFO(migrate, hmp_info_migrate, "", "show migration status");

static void hmp_info_parameters(HmpCall *call, GError **error)
{
    const MigrationSettings *s = &migration_settings;

    g_string_append_printf(call->out,
                           "announce-initial: %d ms\nannounce-max: %d ms\nannounce-rounds: %d\n"
                           "announce-step: %d ms\n",
                           (int)s->announce_initial, (int)s->announce_max,
                           (int)s->announce_rounds, (int)s->announce_step);
    g_string_append_printf(call->out,
                           "tls-creds: ''\ntls-hostname: ''\nmax-bandwidth: %" G_GUINT64_FORMAT
                           " bytes/second\ndowntime-limit: %" G_GUINT64_FORMAT
                           " ms\ntls-authz: ''\n",
                           s->max_bandwidth, s->downtime_limit);
}
HMP_INFO(migrate_parameters, hmp_info_parameters, "", "show current migration parameters");

static void hmp_info_capabilities(HmpCall *call, GError **error)
{
    for (unsigned i = 0; i < MIGRATION_CAPABILITY__COUNT; i++) {
        g_string_append_printf(call->out, "%s: %s\n",
                               qapi_enum_name(&qapi_type_MigrationCapability, (int)i),
                               migration_settings.capability[i] ? "on" : "off");
    }
}
HMP_INFO(migrate_capabilities, hmp_info_capabilities, "", "show current migration capabilities");
