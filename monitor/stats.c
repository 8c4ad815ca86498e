// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * query-stats, for which nothing is counted here, and texts of the human monitor for QMP.
 */
#include "monitor/internal.h"
#include "qapi/qapi-commands.h"

GPtrArray *qmp_query_stats(QmpCall *call, const StatsFilter *args, GError **error)
{
    return g_ptr_array_new();
}

GPtrArray *qmp_query_stats_schemas(QmpCall *call, const QmpQueryStatsSchemasArgs *args,
                                   GError **error)
{
    return g_ptr_array_new();
}

static HumanReadableText *text_of(QmpCall *call, const char *line)
{
    HumanReadableText *t = g_new0(HumanReadableText, 1);
    GString *out = g_string_new(NULL);
    int cpu = call->vm->cpus && call->vm->cpus->len ? 0 : -1;

    hmp_run(call->vm, &cpu, line, out);
    t->human_readable_text = g_string_free(out, FALSE);
    return t;
}

HumanReadableText *qmp_x_query_irq(QmpCall *call, GError **error)
{
    return text_of(call, "info irq");
}

HumanReadableText *qmp_x_query_jit(QmpCall *call, GError **error)
{
    return text_of(call, "info jit");
}

HumanReadableText *qmp_x_query_numa(QmpCall *call, GError **error)
{
    return text_of(call, "info numa");
}

HumanReadableText *qmp_x_query_roms(QmpCall *call, GError **error)
{
    return text_of(call, "info roms");
}
