// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making and changing flattened device trees (Devicetree Specification 0.3): nodes by path, one
 * call a property. The blob grows as needed. Start-up, main thread; a name that does not fit
 * is our bug and ends the process.
 */
#ifndef UTIL_DT_H
#define UTIL_DT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Dt {
    void *blob;
    size_t room;             /* bytes allocated */
    uint32_t next_phandle;
} Dt;

/* An empty tree; phandles are given from first_phandle on. */
Dt *dt_new(uint32_t first_phandle);
/* A tree from a file, which may be hostile. */
Dt *dt_load(const char *path, GError **error);
void dt_free(Dt *dt);
/* Bytes of the blob without the room to grow. Packs it. */
size_t dt_pack(Dt *dt);

/* Adds the node; its parent must be there. The "/" is always there. */
void dt_node(Dt *dt, const char *path);
/* The same unless it is there already. */
void dt_node_maybe(Dt *dt, const char *path);
bool dt_has_node(Dt *dt, const char *path);
void dt_remove_node(Dt *dt, const char *path);
bool dt_has_prop(Dt *dt, const char *path, const char *name);
void dt_flag(Dt *dt, const char *path, const char *name);
void dt_string(Dt *dt, const char *path, const char *name, const char *value);
void dt_bytes(Dt *dt, const char *path, const char *name, const void *data, size_t len);
void dt_cell_array(Dt *dt, const char *path, const char *name, const uint32_t *cells, size_t n);
void dt_u64(Dt *dt, const char *path, const char *name, uint64_t value);
/* First cell of a property, `otherwise` when it is not there. */
uint32_t dt_get_cell(Dt *dt, const char *path, const char *name, uint32_t otherwise);
uint32_t dt_alloc_phandle(Dt *dt);
/* The path of the first node whose "compatible" holds this; NULL: none. New string. */
char *dt_find_compatible(Dt *dt, const char *compatible);

#define DT_CELLS(dt, path, name, ...)                                                              \
    dt_cell_array(dt, path, name, (const uint32_t[]){ __VA_ARGS__ },                               \
                  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
/* Several strings in one property: a literal with \0 between them. */
#define DT_STRINGS(dt, path, name, literal) dt_bytes(dt, path, name, literal, sizeof(literal))
/* Two cells of a 64-bit number. */
#define DT_HI(v) (uint32_t)((uint64_t)(v) >> 32)
#define DT_LO(v) (uint32_t)(v)

#endif
