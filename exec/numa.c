// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -numa: nodes, distances between them, places of CPUs. Options are kept until the machine is
 * known and handled then, in their order.
 */
#include "exec/numa.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "qapi/startup.h"
#include "util/error.h"

/* Versions of machines to 5.0 have -numa node,mem=, and share memory among the nodes. */
#define LAST_WITH_MEM 500u
#define SHARE_UNIT (8 * MIB)

static bool keep_option(Vm *vm, const char *arg, GError **error)
{
    return true;
}

OPTION(numa, {.name = "numa", .handle = keep_option});

static unsigned machine_version(const Vm *vm)
{
    const char *v = strrchr(vm->machine_type->machine_name, '-');
    unsigned major, minor;

    return v && sscanf(v, "-%u.%u", &major, &minor) == 2 ? major * 100 + minor : UINT_MAX;
}

/* ---- places of CPUs ---- */

CpuPlace cpu_place(const Vm *vm, unsigned index)
{
    const SmpConfig *s = &vm->smp;
    const bool clusters = vm->machine_type && vm->machine_type->has_clusters;
    unsigned threads = MAX(s->threads, 1), cores = MAX(s->cores, 1);
    unsigned middle = MAX(clusters ? s->clusters : s->dies, 1);
    unsigned group = index / threads / cores;

    return (CpuPlace){
        .socket = (int)(group / middle),
        .die = !clusters && s->dies > 1 ? (int)(group % middle) : -1,
        .cluster = clusters ? (int)(group % middle) : -1,
        .core = (int)(index / threads % cores),
        .thread = (int)(index % threads),
    };
}

int numa_cpu_node(const Vm *vm, unsigned index)
{
    return vm->numa && index < vm->smp.max_cpus ? vm->numa->cpu_node[index] : -1;
}

static bool assign_cpu(Vm *vm, unsigned index, unsigned node, GError **error)
{
    int *old = &vm->numa->cpu_node[index];

    if (*old >= 0 && *old != (int)node) {
        return fail(error, "CPU is already assigned to node-id: %d", *old);
    }
    *old = (int)node;
    vm->numa->node[node].has_cpu = true;
    return true;
}

/* ---- -numa node ---- */

/* All of cpus=FIRST[-LAST]; the parameter may be there several times. */
static bool add_cpus(Vm *vm, const char *arg, unsigned node, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(arg, ",", -1);

    for (unsigned i = 0; parts[i]; i++) {
        if (!g_str_has_prefix(parts[i], "cpus=")) {
            continue;
        }
        g_auto(GStrv) ends = g_strsplit(parts[i] + strlen("cpus="), "-", 2);
        uint64_t first, last;

        if (!ends[0] || !parse_u64(ends[0], &first) || (ends[1] && !parse_u64(ends[1], &last))) {
            return fail(error, "Parameter 'cpus' expects a uint64 value or range");
        }
        last = ends[1] ? last : first;
        if (first > last) {
            return fail(error, "Parameter 'cpus' expects a uint64 value or range");
        }
        for (uint64_t c = first; c <= last; c++) {
            if (c >= vm->smp.max_cpus) {
                return fail(error, "CPU index (%" PRIu64 ") should be smaller than maxcpus (%u)", c,
                            vm->smp.max_cpus);
            }
            if (!assign_cpu(vm, (unsigned)c, node, error)) {
                return false;
            }
        }
    }
    return true;
}

/* Nodes have back ends of their own, or parts of the machine's memory: not both. */
static bool same_kind(const NumaState *n, bool backend, GError **error)
{
    for (unsigned i = 0; i < NUMA_NODES; i++) {
        if (backend ? n->node[i].has_size : n->node[i].backend != NULL) {
            return fail(error, "numa configuration should use either mem= or memdev=,mixing both "
                               "is not allowed");
        }
    }
    return true;
}

static bool add_memory(Vm *vm, NumaNode *node, json_object *kv, GError **error)
{
    const char *memdev = opts_string(kv, "memdev", NULL), *mem = opts_string(kv, "mem", NULL);

    if (memdev && mem) {
        return fail(error, "numa configuration should use either mem= or memdev=,mixing both is "
                           "not allowed");
    }
    if ((memdev || mem) && !same_kind(vm->numa, memdev != NULL, error)) {
        return false;
    }
    if (mem) {
        if (machine_version(vm) > LAST_WITH_MEM) {
            return fail(error, "Parameter -numa node,mem is not supported by this machine type\n"
                               "Use -numa node,memdev instead");
        }
        warn_report("Parameter -numa node,mem is deprecated, use -numa node,memdev instead");
        node->has_size = true;
        return size_parse_unit(mem, "mem", MIB, &node->size, error);
    }
    if (memdev) {
        node->backend = memory_backend_find(memdev, error);
        node->size = node->backend ? node->backend->size : 0;
        return node->backend != NULL;
    }
    return true;
}

static bool add_initiator(Vm *vm, unsigned id, json_object *kv, GError **error)
{
    NumaNode *node = &vm->numa->node[id];

    node->initiator = -1;
    if (!opts_has(kv, "initiator")) {
        return true;
    }
    uint64_t initiator = opts_number(kv, "initiator", 0);

    if (!vm->machine->hmat) {
        return fail(error, "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable "
                           "it with -machine hmat=on before using any of hmat specific options");
    }
    if (initiator >= NUMA_NODES) {
        return fail(error, "The initiator id %" PRIu64 " expects an integer between 0 and %d",
                    initiator, NUMA_NODES - 1);
    }
    if (node->has_cpu && initiator != id) {
        return fail(error, "The initiator of CPU NUMA node %u should be itself (got %" PRIu64 ")",
                    id, initiator);
    }
    node->initiator = (int)initiator;
    return true;
}

static bool add_node(Vm *vm, const char *arg, json_object *kv, GError **error)
{
    NumaState *n = vm->numa;
    uint64_t id = opts_number(kv, "nodeid", n->count);

    if (id >= NUMA_NODES) {
        return fail(error, "Max number of NUMA nodes reached: %" PRIu64, id);
    }
    if (n->node[id].present) {
        return fail(error, "Duplicate NUMA nodeid: %" PRIu64, id);
    }
    n->node[id].present = true;
    n->count++;
    return add_cpus(vm, arg, (unsigned)id, error) && add_initiator(vm, (unsigned)id, kv, error) &&
           add_memory(vm, &n->node[id], kv, error);
}

/* ---- -numa dist, -numa cpu ---- */

static bool node_number(json_object *kv, const char *key, unsigned *value, GError **error)
{
    uint64_t v = opts_number(kv, key, UINT64_MAX);

    if (!opts_has(kv, key)) {
        return fail(error, "Parameter '%s' is missing", key);
    }
    if (v >= NUMA_NODES) {
        return fail(error, "Parameter '%s' expects an integer between 0 and %d", key,
                    NUMA_NODES - 1);
    }
    *value = (unsigned)v;
    return true;
}

static bool add_distance(NumaState *n, json_object *kv, GError **error)
{
    unsigned src, dst;

    if (!opts_has(kv, "val")) {
        return fail(error, "Parameter 'val' is missing");
    }
    uint64_t val = opts_number(kv, "val", 0);

    if (val > UINT8_MAX) {
        return fail(error, "Parameter 'val' expects uint8_t");
    }
    if (!node_number(kv, "src", &src, error) || !node_number(kv, "dst", &dst, error)) {
        return false;
    }
    if (!n->node[src].present || !n->node[dst].present) {
        return fail(error, "Source/Destination NUMA node is missing. Please use '-numa node' "
                           "option to declare it first.");
    }
    if (val < NUMA_LOCAL) {
        return fail(error, "NUMA distance (%" PRIu64 ") is invalid, it shouldn't be less than %d.",
                    val, NUMA_LOCAL);
    }
    if (src == dst && val != NUMA_LOCAL) {
        return fail(error, "Local distance of node %u should be %d.", src, NUMA_LOCAL);
    }
    n->node[src].distance[dst] = (uint8_t)val;
    n->has_distances = true;
    return true;
}

static bool add_cpu_place(Vm *vm, json_object *kv, GError **error)
{
    static const struct {
        const char *key;
        size_t field;
    } rows[] = {
        {"socket-id", offsetof(CpuPlace, socket)},   {"die-id", offsetof(CpuPlace, die)},
        {"cluster-id", offsetof(CpuPlace, cluster)}, {"core-id", offsetof(CpuPlace, core)},
        {"thread-id", offsetof(CpuPlace, thread)},
    };
    bool found = false;

    if (!opts_has(kv, "node-id")) {
        return fail(error, "Missing mandatory node-id property");
    }
    uint64_t node = opts_number(kv, "node-id", 0);

    if (node >= NUMA_NODES || !vm->numa->node[node].present) {
        return fail(error,
                    "Invalid node-id=%" PRIu64 ", NUMA node must be defined with -numa "
                    "node,nodeid=ID before it's used with -numa cpu,node-id=ID",
                    node);
    }
    for (unsigned i = 0; i < vm->smp.max_cpus; i++) {
        CpuPlace place = cpu_place(vm, i);
        bool matches = true;

        for (unsigned r = 0; r < ARRAY_COUNT(rows); r++) {
            int have = *(const int *)((const char *)&place + rows[r].field);

            if (!opts_has(kv, rows[r].key)) {
                continue;
            }
            if (have < 0) {
                return fail(error, "%s is not supported", rows[r].key);
            }
            matches &= opts_number(kv, rows[r].key, 0) == (uint64_t)have;
        }
        if (matches && !assign_cpu(vm, i, (unsigned)node, error)) {
            return false;
        }
        found |= matches;
    }
    return found || fail(error, "no match found");
}

/* ---- the options ---- */

static const OptDesc node_params[] = {
    {"type", OPT_STRING},
    {"nodeid", OPT_NUMBER},
    {"cpus", OPT_STRING},
    {"mem", OPT_STRING},
    {"memdev", OPT_STRING},
    {"initiator", OPT_NUMBER},
    {NULL},
};
static const OptDesc dist_params[] = {
    {"type", OPT_STRING}, {"src", OPT_NUMBER}, {"dst", OPT_NUMBER}, {"val", OPT_NUMBER}, {NULL},
};
static const OptDesc cpu_params[] = {
    {"type", OPT_STRING},       {"node-id", OPT_NUMBER},
    {"socket-id", OPT_NUMBER},  {"die-id", OPT_NUMBER},
    {"cluster-id", OPT_NUMBER}, {"core-id", OPT_NUMBER},
    {"thread-id", OPT_NUMBER},  {NULL},
};
static const OptDesc lb_params[] = {
    {"type", OPT_STRING},      {"initiator", OPT_NUMBER},
    {"target", OPT_NUMBER},    {"hierarchy", OPT_STRING},
    {"data-type", OPT_STRING}, {"latency", OPT_NUMBER},
    {"bandwidth", OPT_SIZE},   {NULL},
};
static const OptDesc cache_params[] = {
    {"type", OPT_STRING},
    {"node-id", OPT_NUMBER},
    {"size", OPT_SIZE},
    {"level", OPT_NUMBER},
    {"associativity", OPT_STRING},
    {"policy", OPT_STRING},
    {"line", OPT_NUMBER},
    {NULL},
};

bool numa_enum(json_object *kv, const char *key, const char *const *names, unsigned *value,
               GError **error)
{
    const char *text = opts_string(kv, key, NULL);

    if (!text) {
        return fail(error, "Parameter '%s' is missing", key);
    }
    for (*value = 0; names[*value]; ++*value) {
        if (strcmp(names[*value], text) == 0) {
            return true;
        }
    }
    return fail(error, "Parameter '%s' does not accept value '%s'", key, text);
}

static bool handle_one(Vm *vm, const char *arg, json_object *kv, GError **error)
{
    enum {
        NODE,
        DIST,
        CPU,
        LB,
        CACHE
    };
    static const char *const kinds[] = {"node", "dist", "cpu", "hmat-lb", "hmat-cache", NULL};
    static const OptDesc *const params[] = {node_params, dist_params, cpu_params, lb_params,
                                            cache_params};
    unsigned kind;

    if (!numa_enum(kv, "type", kinds, &kind, error) || !opts_check(kv, params[kind], NULL, error)) {
        return false;
    }
    if (kind >= LB && !vm->machine->hmat) {
        return fail(error, "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable "
                           "it with -machine hmat=on before using any of hmat specific options");
    }
    return kind == NODE   ? add_node(vm, arg, kv, error)
           : kind == DIST ? add_distance(vm->numa, kv, error)
           : kind == CPU  ? add_cpu_place(vm, kv, error)
           : kind == LB   ? hmat_add_matrix(vm->numa, kv, error)
                          : hmat_add_cache(vm->numa, kv, error);
}

/* ---- what was left out ---- */

static char *describe_cpu(const Vm *vm, unsigned index)
{
    CpuPlace p = cpu_place(vm, index);
    GString *out = g_string_new(NULL);

    g_string_printf(out, "CPU %u [socket-id: %d, ", index, p.socket);
    if (p.die >= 0) {
        g_string_append_printf(out, "die-id: %d, ", p.die);
    }
    if (p.cluster >= 0) {
        g_string_append_printf(out, "cluster-id: %d, ", p.cluster);
    }
    g_string_append_printf(out, "core-id: %d, thread-id: %d]", p.core, p.thread);
    return g_string_free(out, FALSE);
}

/* CPUs without a node: by their sockets, or when only some have none, in node 0. */
static void complete_cpus(Vm *vm)
{
    NumaState *n = vm->numa;
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
    bool some = false;

    for (unsigned i = 0; i < vm->smp.max_cpus; i++) {
        some |= n->cpu_node[i] >= 0;
    }
    for (unsigned i = 0; i < vm->smp.max_cpus; i++) {
        if (n->cpu_node[i] >= 0) {
            continue;
        }
        n->cpu_node[i] = some ? 0 : cpu_place(vm, i).socket % (int)n->count;
        n->node[n->cpu_node[i]].has_cpu = true;
        if (some) {
            g_ptr_array_add(missing, describe_cpu(vm, i));
        }
    }
    if (missing->len > 0) {
        g_ptr_array_add(missing, NULL);
        g_autofree char *text = g_strjoinv(", ", (char **)missing->pdata);

        warn_report("CPU(s) not present in any NUMA nodes: %s", text);
        warn_report("All CPU(s) up to maxcpus should be described in NUMA config, ability to start "
                    "up with partial NUMA mappings is obsoleted and will be removed in future");
    }
}

static bool complete_distances(NumaState *n, GError **error)
{
    bool asymmetric = false;

    if (!n->has_distances) {
        return true;
    }
    for (unsigned i = 0; i < n->count; i++) {
        for (unsigned k = i; k < n->count; k++) {
            uint8_t there = n->node[i].distance[k], back = n->node[k].distance[i];

            if (i != k && !there && !back) {
                return fail(error,
                            "The distance between node %u and %u is missing, at least one "
                            "distance value between each nodes should be provided.",
                            i, k);
            }
            asymmetric |= there && back && there != back;
        }
    }
    for (unsigned i = 0; i < n->count; i++) {
        for (unsigned k = 0; k < n->count; k++) {
            uint8_t *d = &n->node[i].distance[k];

            if (*d == 0 && i == k) {
                *d = NUMA_LOCAL;
            } else if (*d == 0 && asymmetric) {
                return fail(error, "At least one asymmetrical pair of distances is given, please "
                                   "provide distances for both directions of all node pairs.");
            } else if (*d == 0) {
                *d = n->node[k].distance[i];
            }
        }
    }
    return true;
}

static bool complete_memory(Vm *vm, GError **error)
{
    NumaState *n = vm->numa;
    uint64_t sum = 0;

    for (unsigned i = 0; i < n->count; i++) {
        sum += n->node[i].size;
    }
    for (unsigned i = 0; sum == 0 && machine_version(vm) <= LAST_WITH_MEM && i < n->count; i++) {
        uint64_t share = vm->ram_size / n->count & ~(uint64_t)(SHARE_UNIT - 1);

        n->node[i].size = i + 1 < n->count ? share : vm->ram_size - share * i;
    }
    for (unsigned i = sum = 0; i < n->count; i++) {
        sum += n->node[i].size;
    }
    return sum == vm->ram_size ||
           fail(error,
                "total memory for NUMA nodes (0x%" PRIx64 ") should equal RAM size (0x%" PRIx64 ")",
                sum, vm->ram_size);
}

static bool complete(Vm *vm, GError **error)
{
    NumaState *n = vm->numa;

    for (unsigned i = 0; i < n->count; i++) {
        if (!n->node[i].present) {
            return fail(error, "numa: Node ID missing: %u", i);
        }
    }
    if (n->count == 0) {
        return true;
    }
    complete_cpus(vm);
    if (!complete_memory(vm, error) || !complete_distances(n, error)) {
        return false;
    }
    return !vm->machine->hmat || hmat_complete(n, error);
}

static void make_state(Vm *vm)
{
    vm->numa = g_new0(NumaState, 1);
    vm->numa->cpu_node = g_new(int, MAX(vm->smp.max_cpus, 1));
    for (unsigned i = 0; i < vm->smp.max_cpus; i++) {
        vm->numa->cpu_node[i] = -1;
    }
}

/* Guests take modules only for nodes: a machine with slots has at least one. */
static void add_implied_node(Vm *vm)
{
    make_state(vm);
    vm->numa->count = 1;
    vm->numa->node[0] =
        (NumaNode){.present = true, .has_size = true, .size = vm->ram_size, .initiator = -1};
    complete_cpus(vm);
}

static bool start_numa(Vm *vm, GError **error)
{
    const char *arg;

    if (!option_given("numa")) {
        if (vm->ram_slots > 0 && vm->machine_type->numa) {
            add_implied_node(vm);
        }
        return true;
    }
    make_state(vm);
    for (unsigned i = 0; (arg = option_arg("numa", i)) != NULL; i++) {
        json_object *kv = keyval_parse(arg, "type", error);
        bool good =
            kv &&
            (vm->machine_type->numa || fail(error, "NUMA is not supported by this machine-type")) &&
            handle_one(vm, arg, kv, error);

        json_object_put(kv);
        if (!good) {
            g_prefix_error(error, "-numa %s: ", arg);
            return false;
        }
    }
    return complete(vm, error);
}

static void stop_numa(Vm *vm)
{
    NumaState *n = g_steal_pointer(&vm->numa);

    for (unsigned h = 0; n && h < HMAT_HIERARCHIES; h++) {
        for (unsigned t = 0; t < HMAT_DATA_TYPES; t++) {
            g_free(n->hmat[h][t]);
        }
    }
    if (n) {
        region_fini(&n->ram);
        g_free(n->cpu_node);
    }
    g_free(n);
}

/* After hooks "machine" and "memory". */
START_HOOK(numa, {.phase = START_MACHINE, .name = "numa", .start = start_numa, .stop = stop_numa});

/* ---- for boards ---- */

void numa_foreach_ram(const Vm *vm,
                      void (*fn)(unsigned node, uint64_t offset, uint64_t size, void *opaque),
                      void *opaque)
{
    uint64_t offset = 0;

    for (unsigned i = 0; i < numa_count(vm); i++) {
        if (vm->numa->node[i].size > 0) {
            fn(i, offset, vm->numa->node[i].size, opaque);
        }
        offset += vm->numa->node[i].size;
    }
}
