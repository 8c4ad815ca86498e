// SPDX-License-Identifier: GPL-2.0-or-later
/* Scalar types that every folder shares. */
#ifndef UTIL_TYPES_H
#define UTIL_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A guest physical (bus) address. Guest virtual addresses are `uint64_t va`. */
typedef uint64_t hwaddr;

typedef enum Endian { DEV_LITTLE, DEV_BIG } Endian;

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define KIB 1024ull
#define MIB (1024ull * 1024)
#define GIB (1024ull * 1024 * 1024)

/* The structure of type T whose member m is at p. */
#define CONTAINER_OF(p, T, m) ((T *)((char *)(p) - offsetof(T, m)))

/* A constant descriptor's address, collected by the linker into section `sec`. */
#define SECTION_ENTRY(sec, T, name, ...)                                                           \
    static T const name __attribute__((section(#sec), used, aligned(sizeof(void *)))) = __VA_ARGS__

#endif
