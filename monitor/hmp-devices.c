// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the human monitor on devices: their QMP commands do the work. */
#include <string.h>

#include "monitor/internal.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"

static void info_balloon(HmpCall *call, GError **error)
{
    BalloonInfo *info = qmp_query_balloon(&(QmpCall){.vm = call->vm}, error);

    if (info) {
        g_string_append_printf(call->out, "balloon: actual=%" G_GINT64_FORMAT "\n",
                               info->actual >> 20);
        QAPI_FREE(BalloonInfo, info);
    }
}

HMP_INFO(balloon, info_balloon, "", "show balloon information");

static void hmp_balloon(HmpCall *call, GError **error)
{
    int64_t mib = hmp_int(call, "value", 0);

    if (mib > INT64_MAX >> 20) {
        fail(error, "Parameter 'target' expects a size");
        return;
    }
    qmp_balloon(&(QmpCall){.vm = call->vm},
                &(QmpBalloonArgs){.value = mib > 0 ? mib * (1 << 20) : 0}, error);
}

HMP_ROW(balloon, {.name = "balloon",
                  .args = "value:i",
                  .params = "target",
                  .fn = hmp_balloon,
                  .help = "request VM to change its memory allocation (in MB)"});

static void one_id(GString *out, const char *name, bool has, int64_t id)
{
    if (has) {
        g_string_append_printf(out, "    %s: \"%" G_GINT64_FORMAT "\"\n", name, id);
    }
}

static void info_hotpluggable_cpus(HmpCall *call, GError **error)
{
    GPtrArray *list = qmp_query_hotpluggable_cpus(&(QmpCall){.vm = call->vm}, error);

    if (!list) {
        return;
    }
    g_string_append(call->out, "Hotpluggable CPUs:\n");
    for (guint i = 0; i < list->len; i++) {
        const HotpluggableCPU *c = list->pdata[i];
        const CpuInstanceProperties *p = c->props;

        g_string_append_printf(call->out,
                               "  type: \"%s\"\n  vcpus_count: \"%" G_GINT64_FORMAT "\"\n", c->type,
                               c->vcpus_count);
        if (c->qom_path) {
            g_string_append_printf(call->out, "  qom_path: \"%s\"\n", c->qom_path);
        }
        g_string_append(call->out, "  CPUInstance Properties:\n");
        one_id(call->out, "node-id", p->has_node_id, p->node_id);
        one_id(call->out, "socket-id", p->has_socket_id, p->socket_id);
        one_id(call->out, "die-id", p->has_die_id, p->die_id);
        one_id(call->out, "cluster-id", p->has_cluster_id, p->cluster_id);
        one_id(call->out, "core-id", p->has_core_id, p->core_id);
        one_id(call->out, "thread-id", p->has_thread_id, p->thread_id);
    }
    qapi_clear(&qapi_array_HotpluggableCPU, &list);
}

HMP_ROW(info_hotpluggable_cpus, {.name = "hotpluggable-cpus",
                                 .args = "",
                                 .info = true,
                                 .fn = info_hotpluggable_cpus,
                                 .help = "Show information about hotpluggable CPUs"});

static void info_generation(HmpCall *call, GError **error)
{
    GuidInfo *info = qmp_query_vm_generation_id(&(QmpCall){.vm = call->vm}, error);

    if (info) {
        g_string_append_printf(call->out, "%s\n", info->guid);
        QAPI_FREE(GuidInfo, info);
    }
}

HMP_ROW(info_vm_generation_id, {.name = "vm-generation-id",
                                .args = "",
                                .info = true,
                                .fn = info_generation,
                                .help = "Show Virtual Machine Generation ID"});

/* ---- passwords of displays ---- */

static bool protocol_of(HmpCall *call, DisplayProtocol *protocol, GError **error)
{
    int n = qapi_enum_parse(&qapi_type_DisplayProtocol, hmp_str(call, "protocol"));

    if (n < 0) {
        return fail(error, "Parameter 'protocol' does not accept value '%s'",
                    hmp_str(call, "protocol"));
    }
    *protocol = (DisplayProtocol)n;
    return true;
}

static void hmp_set_password(HmpCall *call, GError **error)
{
    const char *connected = hmp_str(call, "connected");
    int action = connected ? qapi_enum_parse(&qapi_type_SetPasswordAction, connected)
                           : SET_PASSWORD_ACTION_KEEP;
    QmpSetPasswordArgs args = {.password = (char *)hmp_str(call, "password"),
                               .connected = (SetPasswordAction)MAX(action, 0),
                               .has_connected = connected != NULL};

    if (action < 0) {
        fail(error, "Parameter 'connected' does not accept value '%s'", connected);
    } else if (protocol_of(call, &args.protocol, error)) {
        qmp_set_password(&(QmpCall){.vm = call->vm}, &args, error);
    }
}

HMP_ROW(set_password, {.name = "set_password",
                       .args = "protocol:s,password:s,connected:s?",
                       .params = "protocol password [action-if-connected]",
                       .fn = hmp_set_password,
                       .help = "set spice/vnc password"});

static void hmp_expire_password(HmpCall *call, GError **error)
{
    QmpExpirePasswordArgs args = {.time = (char *)hmp_str(call, "time")};

    if (protocol_of(call, &args.protocol, error)) {
        qmp_expire_password(&(QmpCall){.vm = call->vm}, &args, error);
    }
}

HMP_ROW(expire_password, {.name = "expire_password",
                          .args = "protocol:s,time:s",
                          .params = "protocol time",
                          .fn = hmp_expire_password,
                          .help = "set spice/vnc password expire-time"});
