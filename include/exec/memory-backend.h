// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a machine's memory comes from: the objects memory-backend-ram, -file and -memfd, and the
 * one that a machine gets when none is named.
 */
#ifndef EXEC_MEMORY_BACKEND_H
#define EXEC_MEMORY_BACKEND_H

#include "exec/memory.h"
#include "qom/object.h"

typedef enum MemPolicy { MEM_DEFAULT, MEM_PREFERRED, MEM_BIND, MEM_INTERLEAVE } MemPolicy;

typedef struct MemoryBackend {
    Object obj;
    uint64_t size;
    bool merge, dump, prealloc, share, reserve, canonical_id;
    uint32_t prealloc_threads;
    int policy;                 /* MemPolicy */
    uint64_t host_nodes;        /* a bit for each */
    Region region;
    bool mapped;                /* it is some machine's or device's memory */
} MemoryBackend;

/* The object of that id under /objects; NULL with *error set when it is no memory back end. */
MemoryBackend *memory_backend_find(const char *id, GError **error);
/* Takes it for a user, who gets a reference; fails when it is in use. */
bool memory_backend_take(MemoryBackend *b, GError **error);
/*
 * All of a machine's memory, vm->ram_size bytes, for MachineType.init: the back end that -machine
 * memory-backend= names, or a new one with this id as -mem-path and -mem-prealloc say. A board maps
 * it by aliases. NULL with *error set.
 */
Region *machine_ram(Vm *vm, const char *id, GError **error);
/* Calls fn for every back end, in order of creation. */
void memory_backends_foreach(void (*fn)(MemoryBackend *b, void *opaque), void *opaque);

#endif
