// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NUMA: the machine's nodes with their memory, CPUs and distances, as -numa says, and what is said
 * of the speed of memory (ACPI 6.3, 5.2.27). Made before the board, which reads it; constant then.
 */
#ifndef EXEC_NUMA_H
#define EXEC_NUMA_H

#include "exec/memory-backend.h"
#include "qom/vm.h"

enum {
    NUMA_NODES = 128,
    NUMA_LOCAL = 10, /* distance of a node to itself */
    NUMA_REMOTE = 20, /* and to others, where nothing is said */
    HMAT_HIERARCHIES = 4, /* memory and three levels of caches of it */
    HMAT_DATA_TYPES = 6, /* latencies, then bandwidths: each of accesses, reads, writes */
    HMAT_BANDWIDTHS = 3, /* the first of these */
};

typedef struct HmatCache {
    uint64_t size; /* bytes; 0: there is none of this level */
    int associativity, policy; /* as in the table */
    uint16_t line; /* bytes */
} HmatCache;

/* ns, or MiB/s; 0: not known. */
typedef struct HmatMatrix {
    uint64_t value[NUMA_NODES][NUMA_NODES]; /* [initiator][target] */
    bool set[NUMA_NODES][NUMA_NODES];
} HmatMatrix;

typedef struct NumaNode {
    bool present, has_cpu, has_size;
    uint64_t size; /* bytes that the machine has in it from the start */
    MemoryBackend *backend; /* NULL: a part of the machine's memory */
    int initiator; /* the nearest node with CPUs; -1: not known */
    uint8_t distance[NUMA_NODES]; /* 0: not known */
    HmatCache cache[HMAT_HIERARCHIES]; /* by level; 0 is not used */
} NumaNode;

typedef struct NumaState {
    unsigned count;
    NumaNode node[NUMA_NODES];
    bool has_distances;
    int *cpu_node; /* of CPU index 0 to max_cpus - 1 */
    HmatMatrix *hmat[HMAT_HIERARCHIES][HMAT_DATA_TYPES]; /* NULL: not known */
    Region ram; /* the back ends of all nodes, one after the other */
} NumaState;

/* Nodes; 0: the machine has none. */
static inline unsigned numa_count(const Vm *vm)
{
    return vm->numa ? vm->numa->count : 0;
}

/* The node of a CPU; -1: the machine has no nodes. */
int numa_cpu_node(const Vm *vm, unsigned index);

/* Calls fn with each node's part of the machine's memory, as offsets from its start. */
void numa_foreach_ram(const Vm *vm,
                      void (*fn)(unsigned node, uint64_t offset, uint64_t size, void *opaque),
                      void *opaque);

/* Where a CPU sits; -1: the machine has no such level. */
typedef struct CpuPlace {
    int socket, die, cluster, core, thread;
} CpuPlace;
CpuPlace cpu_place(const Vm *vm, unsigned index);

/* exec/numa-hmat.c, for exec/numa.c: one -numa hmat-lb or hmat-cache, and what was left out. */
struct json_object;
bool hmat_add_matrix(NumaState *n, struct json_object *kv, GError **error);
bool hmat_add_cache(NumaState *n, struct json_object *kv, GError **error);
bool hmat_complete(NumaState *n, GError **error);
/* One of the names, or "Parameter 'X' does not accept value 'Y'". */
bool numa_enum(struct json_object *kv, const char *key, const char *const *names, unsigned *value,
               GError **error);

#endif
