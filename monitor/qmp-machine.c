// SPDX-License-Identifier: GPL-2.0-or-later
/* QMP commands about the target, its CPUs and its memory; options as data. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "exec/cpu.h"
#include "exec/memory.h"
#include "exec/numa.h"
#include "monitor/memory.h"
#include "qapi/qapi-commands.h"
#include "qapi/startup.h"
#include "qom/vm.h"
#include "util/error.h"

static SysEmuTarget target_of(const Vm *vm)
{
    int t = qapi_enum_parse(&qapi_type_SysEmuTarget, vm->arch);

    return t < 0 ? SYS_EMU_TARGET_X86_64 : (SysEmuTarget)t;
}

TargetInfo *qmp_query_target(QmpCall *call, GError **error)
{
    TargetInfo *info = g_new0(TargetInfo, 1);

    info->arch = target_of(call->vm);
    return info;
}

KvmInfo *qmp_query_kvm(QmpCall *call, GError **error)
{
    KvmInfo *info = g_new0(KvmInfo, 1);

    info->present = type_find("kvm-accel", NULL) != NULL;
    info->enabled = info->present && call->vm->accel &&
                    strcmp(((Object *)call->vm->accel)->type->name, "kvm-accel") == 0;
    return info;
}

/* --- CPUs ----------------------------------------------------------------------------------- */

static CpuInstanceProperties *describe_place(const Vm *vm, unsigned index)
{
    const CpuPlace place = cpu_place(vm, index);
    const int node = numa_cpu_node(vm, index);
    CpuInstanceProperties *p = g_new0(CpuInstanceProperties, 1);

    p->has_thread_id = p->has_core_id = p->has_socket_id = true;
    p->thread_id = place.thread;
    p->core_id = place.core;
    p->socket_id = place.socket;
    p->has_die_id = place.die >= 0;
    p->die_id = place.die;
    p->has_cluster_id = place.cluster >= 0;
    p->cluster_id = place.cluster;
    p->has_node_id = node >= 0;
    p->node_id = node;
    return p;
}

GPtrArray *qmp_query_cpus_fast(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < call->vm->cpus->len; i++) {
        Cpu *cpu = call->vm->cpus->pdata[i];
        CpuInfoFast *info = g_new0(CpuInfoFast, 1);

        info->cpu_index = cpu->index;
        info->qom_path = object_path(&cpu->dev.obj);
        info->thread_id = cpu->thread_id;
        info->props = describe_place(call->vm, cpu->index);
        info->target = target_of(call->vm);
        g_ptr_array_add(list, info);
    }
    return list;
}

GPtrArray *qmp_query_hotpluggable_cpus(QmpCall *call, GError **error)
{
    if (!call->vm->cpus->len) {
        return fail_null(error, "machine does not support hot-plugging CPUs");
    }
    GPtrArray *list = g_ptr_array_new();

    const Cpu *first = call->vm->cpus->pdata[0];

    for (unsigned i = MAX(call->vm->smp.max_cpus, call->vm->smp.cpus); i-- > 0;) {
        Cpu *cpu = cpu_by_index(call->vm, i);
        HotpluggableCPU *info = g_new0(HotpluggableCPU, 1);

        info->type = g_strdup(first->dev.obj.type->name);
        info->vcpus_count = 1;
        info->props = describe_place(call->vm, i);
        info->qom_path = cpu ? object_path(&cpu->dev.obj) : NULL;
        g_ptr_array_add(list, info);
    }
    return list;
}

GPtrArray *qmp_query_cpu_definitions(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();
    const CpuModelInfo *m;

    for (unsigned i = 0; target_arch && target_arch->model && (m = target_arch->model(i)); i++) {
        CpuDefinitionInfo *info = g_new0(CpuDefinitionInfo, 1);

        info->name = g_strdup(m->name);
        info->typename = g_strdup(m->type_name);
        info->has_migration_safe = true;
        info->migration_safe = m->migration_safe;
        info->static_ = m->is_static;
        info->deprecated = m->deprecated;
        info->alias_of = g_strdup(m->alias_of);
        info->unavailable_features = g_ptr_array_new();
        for (unsigned f = 0; m->unavailable && m->unavailable[f]; f++) {
            g_ptr_array_add(info->unavailable_features, g_strdup(m->unavailable[f]));
        }
        g_ptr_array_add(list, info);
    }
    return list;
}

json_object *qmp_query_cpu_model_expansion(QmpCall *call, const QmpQueryCpuModelExpansionArgs *args,
                                           GError **error)
{
    if (!target_arch || !target_arch->model_expand) {
        return fail_null(error, "CPU model expansion is not supported for this target");
    }
    return target_arch->model_expand(
        qapi_enum_name(&qapi_type_CpuModelExpansionType, args->type), args->model->name,
        args->model->props, error);
}

static void send_nmi(Cpu *cpu)
{
    if (device_has_pin_in(&cpu->dev, "nmi", 0)) {
        device_pin_in(&cpu->dev, "nmi", 0, 1);
        device_pin_in(&cpu->dev, "nmi", 0, 0);
    } else {
        cpu_interrupt(cpu, CPU_PENDING_NMI);
    }
}

void monitor_inject_nmi(Vm *vm)
{
    for (guint i = 0; i < vm->cpus->len; i++) {
        send_nmi(vm->cpus->pdata[i]);
    }
}

bool qmp_inject_nmi(QmpCall *call, GError **error)
{
    if (!call->vm->cpus->len) {
        return fail(error, "this feature or command is not currently supported");
    }
    monitor_inject_nmi(call->vm);
    return true;
}

/* --- memory ---------------------------------------------------------------------------------- */

Cpu *monitor_cpu(Vm *vm, int index)
{
    Cpu *cpu = index >= 0 ? cpu_by_index(vm, (unsigned)index) : NULL;

    if (cpu) {
        cpu_synchronize(cpu);
    }
    return cpu;
}

bool monitor_read(Cpu *cpu, uint64_t addr, void *buf, size_t len, GError **error)
{
    MemAttrs attrs = { 0 };

    while (len > 0) {
        size_t n = MIN(len, 4096 - (addr & 4095));
        AddressSpace *as = cpu ? cpu->as : address_space_memory();
        hwaddr pa = addr;

        if (!as || (cpu && !(cpu->arch->debug_translate &&
                             cpu->arch->debug_translate(cpu, addr, &pa, &attrs)))) {
            return fail(error, "Cannot access memory at 0x%" G_GINT64_MODIFIER "x", addr);
        }
        address_space_read(as, pa, attrs, buf, n);
        buf = (char *)buf + n;
        addr += n;
        len -= n;
    }
    return true;
}

static bool save_memory(Cpu *cpu, int64_t addr, int64_t size, const char *filename, GError **error)
{
    FILE *f = fopen(filename, "wb");
    bool good = true;

    if (!f) {
        return fail(error, "Could not open '%s': %s", filename, g_strerror(errno));
    }
    while (good && size > 0) {
        uint8_t buf[4096];
        size_t n = (size_t)MIN(size, (int64_t)sizeof(buf));

        good = monitor_read(cpu, (uint64_t)addr, buf, n, error);
        if (good && fwrite(buf, 1, n, f) != n) {
            good = fail_errno(error, errno, "writing memory to '%s' failed", filename);
        }
        addr += n;
        size -= n;
    }
    if (fclose(f) != 0 && good) {
        good = fail_errno(error, errno, "writing memory to '%s' failed", filename);
    }
    return good;
}

bool qmp_memsave(QmpCall *call, const QmpMemsaveArgs *args, GError **error)
{
    int64_t index = args->has_cpu_index ? args->cpu_index : 0;
    Cpu *cpu = index > G_MAXINT ? NULL : monitor_cpu(call->vm, (int)index);

    if (!cpu) {
        return fail(error, "Parameter 'cpu-index' expects a CPU number");
    }
    return save_memory(cpu, args->val, args->size, args->filename, error);
}

bool qmp_pmemsave(QmpCall *call, const QmpPmemsaveArgs *args, GError **error)
{
    return save_memory(NULL, args->val, args->size, args->filename, error);
}

/* --- options as data -------------------------------------------------------------------------- */

typedef struct OptionList {
    const char *only;
    GPtrArray *out;
} OptionList;

static void add_option(const OptionHandler *h, void *opaque)
{
    OptionList *l = opaque;

    if (!h->group || (l->only && strcmp(l->only, h->group) != 0)) {
        return;
    }
    CommandLineOptionInfo *info = g_new0(CommandLineOptionInfo, 1);

    info->option = g_strdup(h->group);
    info->parameters = g_ptr_array_new();
    for (const OptDesc *d = h->params; d && d->name; d++) {
        CommandLineParameterInfo *p = g_new0(CommandLineParameterInfo, 1);

        p->name = g_strdup(d->name);
        p->type = (CommandLineParameterType)d->kind;
        p->help = g_strdup(d->help);
        p->default_ = g_strdup(d->def);
        g_ptr_array_add(info->parameters, p);
    }
    g_ptr_array_add(l->out, info);
}

GPtrArray *qmp_query_command_line_options(QmpCall *call,
                                          const QmpQueryCommandLineOptionsArgs *args,
                                          GError **error)
{
    OptionList l = { args->option, g_ptr_array_new() };

    option_handlers_foreach(add_option, &l);
    if (args->option && l.out->len == 0) {
        g_ptr_array_unref(l.out);
        return fail_null(error, "invalid option name: %s", args->option);
    }
    return l.out;
}
