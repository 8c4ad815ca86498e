// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Generated code for the host's profiler: /tmp/perf-PID.map, a line "start size name" in
 * hexadecimal per block, as Linux perf reads it (tools/perf/Documentation/jit-interface.txt), and
 * jit-PID.dump with the code itself for perf inject --jit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "tcg/codegen.h"
#include "util/error.h"

static FILE *map;                       /* NULL: not wanted. Set before the first block is made. */

bool perf_map_open(GError **error)
{
    g_autofree char *name = g_strdup_printf("/tmp/perf-%d.map", (int)getpid());

    map = fopen(name, "we");
    if (!map) {
        return fail_errno(error, errno, "cannot write '%s'", name);
    }
    setvbuf(map, NULL, _IOFBF, 1 << 16);
    return true;
}

/* ---- jit-PID.dump: records of tools/perf/Documentation/jitdump-specification.txt ---- */

enum { JIT_CODE_LOAD = 0, JIT_CODE_CLOSE = 3, EM_X86_64_ = 62, JIT_VERSION = 1 };
#define JIT_MAGIC 0x4a695444u

typedef struct JitHeader {
    uint32_t magic, version, total_size, elf_machine, pad, pid;
    uint64_t timestamp, flags;
} JitHeader;

typedef struct JitRecord {
    uint32_t id, total_size;
    uint64_t timestamp;
} JitRecord;

typedef struct JitLoad {
    JitRecord record;
    uint32_t pid, tid;
    uint64_t vma, address, size, index;
} JitLoad;

static FILE *dump;                      /* NULL: not wanted. Like the map. */
/* its first page, mapped: perf learns of the file by that */
static void *dump_marker;

/* As perf record -k CLOCK_MONOTONIC has them. */
static uint64_t stamp_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void dump_close(void)
{
    const JitRecord end = {
        .id = JIT_CODE_CLOSE, .total_size = sizeof(end), .timestamp = stamp_ns()};

    fwrite(&end, sizeof(end), 1, dump);
    fclose(dump);
    munmap(dump_marker, sizeof(JitHeader));
    dump = NULL;
}

bool jit_dump_open(GError **error)
{
    g_autofree char *name = g_strdup_printf("jit-%d.dump", (int)getpid());
    const JitHeader head = {.magic = JIT_MAGIC,
                            .version = JIT_VERSION,
                            .total_size = sizeof(head),
                            .elf_machine = EM_X86_64_,
                            .pid = (uint32_t)getpid(),
                            .timestamp = stamp_ns()};

    dump = fopen(name, "w+e");
    if (!dump) {
        return fail_errno(error, errno, "cannot write '%s'", name);
    }
    fwrite(&head, sizeof(head), 1, dump);
    fflush(dump);
    dump_marker = mmap(NULL, sizeof(head), PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump), 0);
    if (dump_marker == MAP_FAILED) {
        fclose(dump);
        dump = NULL;
        return fail_errno(error, errno, "cannot map '%s'", name);
    }
    atexit(dump_close);
    return true;
}

static void dump_add(const void *start, size_t size, const char *what, uint64_t pc)
{
    static uint64_t index;              /* of the next record; under the translator's lock */
    g_autofree char *name = g_strdup_printf("%s-%" G_GINT64_MODIFIER "x", what, pc);
    const size_t name_size = strlen(name) + 1;
    const JitLoad load = {
        .record = {.id = JIT_CODE_LOAD, .total_size = (uint32_t)(sizeof(load) + name_size + size),
                   .timestamp = stamp_ns()},
        .pid = (uint32_t)getpid(), .tid = (uint32_t)gettid(), .vma = (uintptr_t)start,
        .address = (uintptr_t)start, .size = size, .index = index++,
    };

    fwrite(&load, sizeof(load), 1, dump);
    fwrite(name, name_size, 1, dump);
    fwrite(start, size, 1, dump);
}

void perf_map_add(const void *start, size_t size, const char *what, uint64_t pc)
{
    if (map) {
        fprintf(map, "%lx %zx %s-%" G_GINT64_MODIFIER "x\n", (unsigned long)(uintptr_t)start, size,
                what, pc);
    }
    if (dump && size > 0) {
        dump_add(start, size, what, pc);
    }
}
