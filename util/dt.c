// SPDX-License-Identifier: GPL-2.0-or-later
/* Device trees by path, on top of libfdt. Contract: include/util/dt.h. */
#include "util/dt.h"

#include <libfdt.h>
#include <string.h>

#include "util/error.h"

#define FIRST_ROOM (64u << 10)
#define ROOM_LIMIT (64u << 20)

/* Makes room, in a packed blob or by doubling; false when that would be absurd. */
static bool dt_grow(Dt *dt)
{
    if (fdt_totalsize(dt->blob) < dt->room) {
        return fdt_open_into(dt->blob, dt->blob, dt->room) == 0;
    }
    if (dt->room >= ROOM_LIMIT) {
        return false;
    }
    dt->room *= 2;
    dt->blob = g_realloc(dt->blob, dt->room);
    return fdt_open_into(dt->blob, dt->blob, dt->room) == 0;
}

static void dt_die(const char *path, const char *what, int code)
{
    g_error("device tree: %s%s%s: %s", path, what ? " " : "", what ? what : "", fdt_strerror(code));
}

Dt *dt_new(uint32_t first_phandle)
{
    Dt *dt = g_new0(Dt, 1);

    dt->room = FIRST_ROOM;
    dt->blob = g_malloc0(dt->room);
    dt->next_phandle = first_phandle;
    if (fdt_create_empty_tree(dt->blob, dt->room) != 0) {
        dt_die("/", NULL, -FDT_ERR_NOSPACE);
    }
    return dt;
}

Dt *dt_load(const char *path, GError **error)
{
    g_autofree char *data = NULL;
    gsize len = 0;

    if (!g_file_get_contents(path, &data, &len, error)) {
        return NULL;
    }
    if (len > ROOM_LIMIT / 2) {
        return fail_null(error, "device tree '%s' is too large", path);
    }
    if (len < sizeof(struct fdt_header) || fdt_check_header(data) != 0 ||
        fdt_totalsize(data) > len || fdt_check_full(data, len) != 0) {
        return fail_null(error, "'%s' is no device tree blob", path);
    }
    Dt *dt = g_new0(Dt, 1);
    uint32_t phandle = 0;

    dt->room = len * 2 + FIRST_ROOM;
    dt->blob = g_malloc0(dt->room);
    if (fdt_open_into(data, dt->blob, dt->room) != 0) {
        dt_free(dt);
        return fail_null(error, "'%s' is no device tree blob", path);
    }
    dt->next_phandle = fdt_find_max_phandle(dt->blob, &phandle) == 0 ? phandle + 1 : 1;
    return dt;
}

void dt_free(Dt *dt)
{
    if (dt) {
        g_free(dt->blob);
        g_free(dt);
    }
}

size_t dt_pack(Dt *dt)
{
    fdt_pack(dt->blob);
    return fdt_totalsize(dt->blob);
}

/* ---- nodes ---- */

static int dt_offset(Dt *dt, const char *path)
{
    int at = fdt_path_offset(dt->blob, path);

    if (at < 0) {
        dt_die(path, NULL, at);
    }
    return at;
}

bool dt_has_node(Dt *dt, const char *path)
{
    return fdt_path_offset(dt->blob, path) >= 0;
}

void dt_node(Dt *dt, const char *path)
{
    const char *name = strrchr(path, '/');
    g_autofree char *parent = name == path ? g_strdup("/") : g_strndup(path, name - path);
    int code;

    do {
        code = fdt_add_subnode(dt->blob, dt_offset(dt, parent), name + 1);
    } while (code == -FDT_ERR_NOSPACE && dt_grow(dt));
    if (code < 0) {
        dt_die(path, NULL, code);
    }
}

void dt_node_maybe(Dt *dt, const char *path)
{
    if (!dt_has_node(dt, path)) {
        dt_node(dt, path);
    }
}

void dt_remove_node(Dt *dt, const char *path)
{
    int at = fdt_path_offset(dt->blob, path);

    if (at >= 0) {
        fdt_del_node(dt->blob, at);
    }
}

/* ---- properties ---- */

void dt_bytes(Dt *dt, const char *path, const char *name, const void *data, size_t len)
{
    int code;

    do {
        code = fdt_setprop(dt->blob, dt_offset(dt, path), name, data, len);
    } while (code == -FDT_ERR_NOSPACE && dt_grow(dt));
    if (code < 0) {
        dt_die(path, name, code);
    }
}

void dt_flag(Dt *dt, const char *path, const char *name)
{
    dt_bytes(dt, path, name, NULL, 0);
}

void dt_string(Dt *dt, const char *path, const char *name, const char *value)
{
    dt_bytes(dt, path, name, value, strlen(value) + 1);
}

void dt_cell_array(Dt *dt, const char *path, const char *name, const uint32_t *cells, size_t n)
{
    g_autofree uint32_t *be = g_new(uint32_t, n + 1);

    for (size_t i = 0; i < n; i++) {
        be[i] = GUINT32_TO_BE(cells[i]);
    }
    dt_bytes(dt, path, name, be, n * sizeof(*be));
}

void dt_u64(Dt *dt, const char *path, const char *name, uint64_t value)
{
    DT_CELLS(dt, path, name, DT_HI(value), DT_LO(value));
}

bool dt_has_prop(Dt *dt, const char *path, const char *name)
{
    int at = fdt_path_offset(dt->blob, path);

    return at >= 0 && fdt_getprop(dt->blob, at, name, NULL) != NULL;
}

uint32_t dt_get_cell(Dt *dt, const char *path, const char *name, uint32_t otherwise)
{
    int at = fdt_path_offset(dt->blob, path), len = 0;
    const void *p = at >= 0 ? fdt_getprop(dt->blob, at, name, &len) : NULL;
    uint32_t v;

    if (!p || len < (int)sizeof(v)) {
        return otherwise;
    }
    memcpy(&v, p, sizeof(v));
    return GUINT32_FROM_BE(v);
}

uint32_t dt_alloc_phandle(Dt *dt)
{
    return dt->next_phandle++;
}

char *dt_find_compatible(Dt *dt, const char *compatible)
{
    int at = fdt_node_offset_by_compatible(dt->blob, -1, compatible);
    char path[512];

    if (at < 0 || fdt_get_path(dt->blob, at, path, sizeof(path)) != 0) {
        return NULL;
    }
    return g_strdup(path);
}
