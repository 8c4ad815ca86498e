// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -numa hmat-lb and hmat-cache: what is said of the latency and bandwidth between nodes, and of
 * caches before memory (ACPI 6.3, 5.2.27).
 */
#include <inttypes.h>

#include "exec/numa.h"
#include "qapi/keyval.h"
#include "util/error.h"

static bool need(struct json_object *kv, const char *key, GError **error)
{
    return opts_has(kv, key) || fail(error, "Parameter '%s' is missing", key);
}

static bool check_node(const NumaState *n, const char *what, uint64_t id, GError **error)
{
    return id < n->count ||
           fail(error, "Invalid %s=%" PRIu64 ", it should be less than %u", what, id, n->count);
}

/* Bandwidth becomes MiB/s. */
static bool read_value(struct json_object *kv, bool bandwidth, uint64_t from, uint64_t to,
                       uint64_t *value, GError **error)
{
    const char *key = bandwidth ? "bandwidth" : "latency";

    if (!opts_has(kv, key)) {
        return fail(error, "Missing '%s' option", key);
    }
    if (opts_has(kv, bandwidth ? "latency" : "bandwidth")) {
        return fail(error, "Invalid option '%s'", bandwidth ? "latency" : "bandwidth");
    }
    *value = opts_number(kv, key, 0);
    if (bandwidth && *value % MIB != 0) {
        return fail(error,
                    "Bandwidth %" PRIu64 " between initiator=%" PRIu64 " and target=%" PRIu64
                    " should be 1MB aligned",
                    *value, from, to);
    }
    *value /= bandwidth ? MIB : 1;
    return true;
}

bool hmat_add_matrix(NumaState *n, struct json_object *kv, GError **error)
{
    static const char *const hierarchies[] = {"memory", "first-level", "second-level",
                                              "third-level", NULL};
    static const char *const types[] = {"access-latency",
                                        "read-latency",
                                        "write-latency",
                                        "access-bandwidth",
                                        "read-bandwidth",
                                        "write-bandwidth",
                                        NULL};
    unsigned hierarchy, type;
    uint64_t value = 0;

    if (!need(kv, "initiator", error) || !need(kv, "target", error) ||
        !numa_enum(kv, "hierarchy", hierarchies, &hierarchy, error) ||
        !numa_enum(kv, "data-type", types, &type, error)) {
        return false;
    }
    uint64_t from = opts_number(kv, "initiator", 0), to = opts_number(kv, "target", 0);

    if (!check_node(n, "initiator", from, error)) {
        return false;
    }
    if (!n->node[from].has_cpu) {
        return fail(error, "Invalid initiator=%" PRIu64 ", it isn't an initiator proximity domain",
                    from);
    }
    if (!check_node(n, "target", to, error)) {
        return false;
    }
    bool bandwidth = type >= HMAT_BANDWIDTHS;
    HmatMatrix **m = &n->hmat[hierarchy][type];

    if (*m && (*m)->set[from][to]) {
        return fail(error,
                    "Duplicate configuration of the %s for initiator=%" PRIu64
                    " and target=%" PRIu64,
                    bandwidth ? "bandwidth" : "latency", from, to);
    }
    if (!read_value(kv, bandwidth, from, to, &value, error)) {
        return false;
    }
    if (!*m) {
        *m = g_new0(HmatMatrix, 1);
    }
    (*m)->set[from][to] = true;
    (*m)->value[from][to] = value;
    return true;
}

static bool has_speed(const NumaState *n, uint64_t node)
{
    bool latency = false, bandwidth = false;

    for (unsigned t = 0; t < HMAT_DATA_TYPES; t++) {
        for (unsigned i = 0; n->hmat[0][t] && i < n->count; i++) {
            bool set = n->hmat[0][t]->set[i][node];

            latency |= set && t < HMAT_BANDWIDTHS;
            bandwidth |= set && t >= HMAT_BANDWIDTHS;
        }
    }
    return latency && bandwidth;
}

/* Levels come in order and do not get smaller. */
static bool fits_others(const NumaNode *node, uint64_t id, uint64_t level, uint64_t size,
                        GError **error)
{
    if (node->cache[level].size) {
        return fail(error,
                    "Duplicate configuration of the side cache for node-id=%" PRIu64
                    " and level=%" PRIu64,
                    id, level);
    }
    if (level > 1 && !node->cache[level - 1].size) {
        return fail(error, "Cache level=%" PRIu64 " shall be defined first", level - 1);
    }
    if (level > 1 && size <= node->cache[level - 1].size) {
        return fail(error,
                    "Invalid size=%" PRIu64 ", the size of level=%" PRIu64
                    " should be larger than the size(%" PRIu64 ") of level=%" PRIu64,
                    size, level, node->cache[level - 1].size, level - 1);
    }
    return true;
}

bool hmat_add_cache(NumaState *n, struct json_object *kv, GError **error)
{
    static const char *const kinds[] = {"none", "direct", "complex", NULL};
    static const char *const policies[] = {"none", "write-back", "write-through", NULL};
    unsigned associativity, policy;

    if (!need(kv, "node-id", error) || !need(kv, "size", error) || !need(kv, "level", error) ||
        !numa_enum(kv, "associativity", kinds, &associativity, error) ||
        !numa_enum(kv, "policy", policies, &policy, error) || !need(kv, "line", error)) {
        return false;
    }
    uint64_t id = opts_number(kv, "node-id", 0), level = opts_number(kv, "level", 0);
    uint64_t size = opts_number(kv, "size", 0), line = opts_number(kv, "line", 0);

    if (!check_node(n, "node-id", id, error)) {
        return false;
    }
    if (!has_speed(n, id)) {
        return fail(error,
                    "The latency and bandwidth information of node-id=%" PRIu64
                    " should be provided before memory side cache attributes",
                    id);
    }
    if (level < 1 || level >= HMAT_HIERARCHIES) {
        return fail(error,
                    "Invalid level=%" PRIu64
                    ", it should be larger than 0 and less than or equal to %d",
                    level, HMAT_HIERARCHIES - 1);
    }
    if (size == 0 || line > UINT16_MAX) {
        return fail(error, "Parameter '%s' expects %s", size == 0 ? "size" : "line",
                    size == 0 ? "a size above 0" : "uint16_t");
    }
    if (!fits_others(&n->node[id], id, level, size, error)) {
        return false;
    }
    n->node[id].cache[level] = (HmatCache){.size = size,
                                           .associativity = (int)associativity,
                                           .policy = (int)policy,
                                           .line = (uint16_t)line};
    return true;
}

bool hmat_complete(NumaState *n, GError **error)
{
    for (unsigned i = 0; i < n->count; i++) {
        NumaNode *node = &n->node[i];

        if (node->has_cpu && node->initiator < 0) {
            node->initiator = (int)i;
        }
        if (node->initiator < 0) {
            continue;
        }
        if ((unsigned)node->initiator >= n->count) {
            return fail(error,
                        "NUMA node %d is missing, use '-numa node' option to declare it "
                        "first",
                        node->initiator);
        }
        if (!n->node[node->initiator].has_cpu) {
            return fail(error, "The initiator of NUMA node %u is invalid", i);
        }
    }
    return true;
}
