// SPDX-License-Identifier: GPL-2.0-or-later
/* `info` commands of the human monitor that need no device's knowledge. */
#include <string.h>

#include "exec/cpu.h"
#include "exec/memory.h"
#include "monitor/internal.h"
#include "monitor/memory.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"
#include "util/trace.h"

static void info_version(HmpCall *call, GError **error)
{
    g_string_append(call->out, "7.2.0\n");
}

HMP_INFO(version, info_version, "", "show the version of QEMU");

static void info_status(HmpCall *call, GError **error)
{
    RunState s = runstate();

    g_string_append_printf(call->out, "VM status: %s", runstate_running() ? "running" : "paused");
    if (!runstate_running() && s != RUN_STATE_PAUSED) {
        g_string_append_printf(call->out, " (%s)", runstate_name(s));
    }
    g_string_append_c(call->out, '\n');
}

HMP_INFO(status, info_status, "", "show the current VM status (running|paused)");

static void info_name(HmpCall *call, GError **error)
{
    if (call->vm->name) {
        g_string_append_printf(call->out, "%s\n", call->vm->name);
    }
}

HMP_INFO(name, info_name, "", "show the current VM name");

static void info_uuid(HmpCall *call, GError **error)
{
    UuidInfo *info = qmp_query_uuid(&(QmpCall){ .vm = call->vm }, error);

    g_string_append_printf(call->out, "%s\n", info->UUID);
    QAPI_FREE(UuidInfo, info);
}

HMP_INFO(uuid, info_uuid, "", "show the current VM UUID");

static void info_kvm(HmpCall *call, GError **error)
{
    KvmInfo *info = qmp_query_kvm(&(QmpCall){ .vm = call->vm }, error);

    g_string_append_printf(call->out, "kvm support: %s\n",
                           info->enabled ? "enabled" : info->present ? "disabled" : "not compiled");
    QAPI_FREE(KvmInfo, info);
}

HMP_INFO(kvm, info_kvm, "", "show KVM information");

static void info_chardev(HmpCall *call, GError **error)
{
    GPtrArray *list = qmp_query_chardev(&(QmpCall){ .vm = call->vm }, error);

    for (guint i = 0; i < list->len; i++) {
        ChardevInfo *info = list->pdata[i];

        g_string_append_printf(call->out, "%s: filename=%s\n", info->label, info->filename);
    }
    qapi_clear(&qapi_array_ChardevInfo, &list);
}

HMP_INFO(chardev, info_chardev, "", "show the character devices");

static void info_mtree(HmpCall *call, GError **error)
{
    memory_print_tree(call->out, hmp_flag(call, "f"));
}

HMP_INFO(mtree, info_mtree, "-f", "show memory tree (-f: dump flat view for address spaces)");

static void info_qtree(HmpCall *call, GError **error)
{
    device_print_tree(call->vm, call->out);
}

HMP_INFO(qtree, info_qtree, "", "show device tree");

static void print_objects(Object *obj, unsigned indent, GString *out)
{
    g_autofree char *path = indent ? NULL : object_path(obj);

    g_string_append_printf(out, "%*s%s%s (%s)\n", indent, "", indent ? "/" : "",
                           indent ? obj->name : path, obj->type->name);
    for (guint i = 0; obj->children && i < obj->children->len; i++) {
        print_objects(obj->children->pdata[i], indent + 2, out);
    }
}

static void info_qom_tree(HmpCall *call, GError **error)
{
    const char *path = hmp_str(call, "path");
    Object *obj = path ? object_resolve(path, NULL) : (Object *)call->vm->machine;

    if (!obj) {
        g_string_append_printf(call->out, "Path '%s' could not be resolved.\n", path);
        return;
    }
    print_objects(obj, 0, call->out);
}

HMP_ROW(info_qom_tree, { .name = "qom-tree", .args = "path:s?", .help = "show QOM composition tree",
                         .fn = info_qom_tree, .info = true });

/*
 * --- CPUs
 * ---------------------------------------------------------------------------------------------
 */

static void info_cpus(HmpCall *call, GError **error)
{
    for (guint i = 0; i < call->vm->cpus->len; i++) {
        Cpu *cpu = call->vm->cpus->pdata[i];

        g_string_append_printf(call->out, "%c CPU #%u: thread_id=%d\n",
                               (int)i == call->cpu_index ? '*' : ' ', cpu->index, cpu->thread_id);
    }
}

HMP_INFO(cpus, info_cpus, "", "show infos for each CPU");

static void dump(Cpu *cpu, GString *out)
{
    g_string_append_printf(out, "\nCPU#%u\n", cpu->index);
    if (cpu->arch->dump) {
        cpu->arch->dump(cpu, out, 1);
    }
}

static void info_registers(HmpCall *call, GError **error)
{
    Cpu *cpu = monitor_cpu(call->vm, (int)hmp_int(call, "vcpu", call->cpu_index));

    if (hmp_flag(call, "a")) {
        for (guint i = 0; i < call->vm->cpus->len; i++) {
            dump(call->vm->cpus->pdata[i], call->out);
        }
    } else if (cpu) {
        dump(cpu, call->out);
    } else {
        g_string_append(call->out, "No CPU available\n");
    }
}

HMP_ROW(info_registers, { .name = "registers", .args = "-a,vcpu:i?", .params = "[-a|vcpu]",
                          .help = "show the cpu registers (-a: show register info for all cpus)",
                          .fn = info_registers, .info = true });

static void arch_info(HmpCall *call, const char *what)
{
    Cpu *cpu = monitor_cpu(call->vm, call->cpu_index);

    if (!cpu) {
        g_string_append(call->out, "No CPU available\n");
    } else if (cpu->arch->info) {
        cpu->arch->info(cpu, what, call->out);
    }
}

static void info_tlb(HmpCall *call, GError **error)
{
    arch_info(call, "tlb");
}

HMP_INFO(tlb, info_tlb, "", "show virtual to physical memory mappings");

static void info_mem(HmpCall *call, GError **error)
{
    arch_info(call, "mem");
}

HMP_INFO(mem, info_mem, "", "show the active virtual memory mappings");

static void info_lapic(HmpCall *call, GError **error)
{
    arch_info(call, "lapic");
}

HMP_INFO(lapic, info_lapic, "", "show local apic state");

static void list_point(const TracePoint *p, void *opaque)
{
    g_string_append_printf(opaque, "%s : state %d\n", p->name, p->enabled);
}

static void info_trace_events(HmpCall *call, GError **error)
{
    trace_foreach(list_point, call->out);
}

HMP_ROW(info_trace_events, {.name = "trace-events",
                            .help = "show available trace-events & their state",
                            .fn = info_trace_events,
                            .info = true});

static void info_history(HmpCall *call, GError **error)
{
    /* A terminal shows its own; elsewhere there is none. */
}

HMP_INFO(history, info_history, "", "show the command line history");
