// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The graph of block nodes: opening them from options, their names, who uses them and how, and
 * the tables of drivers. I/O through nodes is in io.c.
 */
#include "block/node.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "qom/object.h"
#include "util/error.h"

extern const BlockDriver *const __start_block_drivers[], *const __stop_block_drivers[];

/* The nodes of the process, in order of opening. */
static GPtrArray *nodes;
static unsigned next_number = 100;

/* ---- drivers ---- */

const BlockDriver *block_driver_find(const char *name)
{
    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        if (strcmp((*d)->name, name) == 0) {
            return *d;
        }
    }
    return NULL;
}

void block_driver_foreach(void (*fn)(const BlockDriver *d, void *opaque), void *opaque)
{
    for (const BlockDriver *const *d = __start_block_drivers; d < __stop_block_drivers; d++) {
        fn(*d, opaque);
    }
}

/* Formats of others that we know by sight. */
static const struct { const char *name; uint32_t offset; const char *magic; uint32_t len; } magics[] = {
    { "qcow2", 0, "QFI\xfb\0\0\0\2", 8 }, { "qcow2", 0, "QFI\xfb\0\0\0\3", 8 }, { "qcow", 0, "QFI\xfb\0\0\0\1", 8 },
    { "qed", 0, "QED\0", 4 }, { "vmdk", 0, "KDMV", 4 }, { "vmdk", 0, "COWD", 4 },
    { "vmdk", 0, "# Disk DescriptorFile", 21 }, { "vpc", 0, "conectix", 8 }, { "vhdx", 0, "vhdxfile", 8 },
    { "vdi", 64, "\x7f\x10\xda\xbe", 4 }, { "luks", 0, "LUKS\xba\xbe", 6 },
    { "parallels", 0, "WithoutFreeSpace", 16 }, { "parallels", 0, "WithouFreSpacExt", 16 },
    { "bochs", 0, "Bochs Virtual HD Image", 22 },
};

const char *block_probe(const uint8_t *head, size_t len)
{
    for (unsigned i = 0; i < ARRAY_COUNT(magics); i++) {
        if (magics[i].offset + magics[i].len <= len &&
            memcmp(head + magics[i].offset, magics[i].magic, magics[i].len) == 0) {
            return magics[i].name;
        }
    }
    return "raw";
}

/* ---- names and lives ---- */

BlockNode *block_node_find(const char *name)
{
    for (unsigned i = 0; nodes && i < nodes->len; i++) {
        BlockNode *n = g_ptr_array_index(nodes, i);

        if (strcmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

void block_node_foreach(void (*fn)(BlockNode *n, void *opaque), void *opaque)
{
    for (unsigned i = 0; nodes && i < nodes->len; i++) {
        fn(g_ptr_array_index(nodes, i), opaque);
    }
}

BlockNode *block_node_ref(BlockNode *n)
{
    n->refs++;
    return n;
}

static void node_free(BlockNode *n)
{
    block_node_unref(n->file);
    g_free(n->state);
    g_free(n->name);
    g_free(n->filename);
    g_free(n);
}

void block_node_unref(BlockNode *n)
{
    if (n && --n->refs == 0) {
        g_ptr_array_remove(nodes, n);
        if (n->driver->close) {
            n->driver->close(n);
        }
        node_free(n);
    }
}

void block_node_keep(BlockNode *n)
{
    n->named = true;
    n->refs++;
}

bool block_node_delete(const char *name, GError **error)
{
    BlockNode *n = block_node_find(name);

    if (!n) {
        return fail(error, "Failed to find node with node-name='%s'", name);
    }
    if (!n->named) {
        return fail(error, "Node %s is not owned by the monitor", name);
    }
    if (n->refs > 1) {
        return fail(error, "Node %s is in use", name);
    }
    block_node_unref(n);
    return true;
}

/* ---- users ---- */

/* Tells a node and what is below it what is done with it now. */
static bool node_update_perm(BlockNode *n, unsigned extra, GError **error)
{
    unsigned perm = extra | (n->front_reads ? BLOCK_PERM_READ : 0) |
                    (n->front_writes ? BLOCK_PERM_WRITE : 0);
    /* a guest's disk may be read by others, and written by none */
    unsigned shared = perm ? BLOCK_PERM_READ : BLOCK_PERM_ALL;

    for (BlockNode *c = n; c; c = c->file) {
        if (c->driver->set_perm && !c->driver->set_perm(c, perm, shared, error)) {
            return false;
        }
        perm &= c->driver->overlay ? BLOCK_PERM_READ : BLOCK_PERM_ALL;
    }
    return true;
}

bool block_node_use(BlockNode *n, bool write, GError **error)
{
    unsigned perm = BLOCK_PERM_READ | (write ? BLOCK_PERM_WRITE : 0);

    if (write && n->read_only) {
        return fail(error, "Block node is read-only");
    }
    if (n->front_writes || (write && n->front_reads)) {
        return fail(error, "Conflicts with use by a block device as 'root', which does not allow "
                           "'write' on %s", n->name);
    }
    if (!node_update_perm(n, perm, error)) {
        g_autoptr(GError) ignored = NULL;

        node_update_perm(n, 0, &ignored);
        return false;
    }
    n->front_reads++;
    n->front_writes += write;
    return true;
}

void block_node_unuse(BlockNode *n, bool write)
{
    g_autoptr(GError) ignored = NULL;

    n->front_reads--;
    n->front_writes -= write;
    node_update_perm(n, 0, &ignored);
}

/* ---- opening ---- */

/* Options of every node; those that a child does not say for itself come from its parent. */
typedef struct NodeOpts {
    bool blockdev, auto_read_only;
    const BlockNode *parent;
} NodeOpts;

static BlockNode *node_open(struct json_object *opts, const NodeOpts *how, GError **error);

/* A member that is a boolean or the text of one. */
static bool get_bool(struct json_object *opts, const char *key, bool *value, GError **error)
{
    struct json_object *v;

    if (!json_object_object_get_ex(opts, key, &v)) {
        return true;
    }
    if (json_object_is_type(v, json_type_boolean)) {
        *value = json_object_get_boolean(v);
        return true;
    }
    if (!json_object_is_type(v, json_type_string)) {
        return fail(error, "Invalid parameter type for '%s', expected: boolean", key);
    }
    return bool_parse(json_object_get_string(v), key, value, error);
}

static bool get_enum(struct json_object *opts, const char *key, const char *const *names,
                     int *value, GError **error)
{
    const char *text = keyval_get(opts, key);

    for (int i = 0; text && names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *value = i;
            return true;
        }
    }
    return !text || fail(error, "Parameter '%s' does not accept value '%s'", key, text);
}

static bool get_common(BlockNode *n, struct json_object *opts, NodeOpts *how, GError **error)
{
    static const char *const discards[] = { "ignore", "unmap", "off", "on", NULL };
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    struct json_object *cache;
    bool force_share = false;
    int discard = n->unmap;

    if (json_object_object_get_ex(opts, "cache", &cache)) {
        if (!json_object_is_type(cache, json_type_object)) {
            return fail(error, "Invalid parameter type for 'cache', expected: object");
        }
        json_object_object_foreach (cache, key, value) {
            (void)value;
            if (strcmp(key, "direct") != 0 && strcmp(key, "no-flush") != 0 &&
                (how->blockdev || strcmp(key, "writeback") != 0)) {
                return fail(error, "Parameter 'cache.%s' is unexpected", key);
            }
        }
        if (!get_bool(cache, "direct", &n->direct, error) ||
            !get_bool(cache, "no-flush", &n->no_flush, error)) {
            return false;
        }
    }
    if (!get_bool(opts, "read-only", &n->read_only, error) ||
        !get_bool(opts, "auto-read-only", &how->auto_read_only, error) ||
        !get_bool(opts, "force-share", &force_share, error) ||
        !get_enum(opts, "discard", discards, &discard, error) ||
        !get_enum(opts, "detect-zeroes", zeroes, &n->detect_zeroes, error)) {
        return false;
    }
    n->unmap = discard & 1;
    if (n->detect_zeroes == 2 && !n->unmap) {
        return fail(error, "setting detect-zeroes to unmap is not allowed without setting discard "
                           "operation to unmap");
    }
    return true;
}

static bool get_name(BlockNode *n, struct json_object *opts, GError **error)
{
    const char *name = keyval_get(opts, "node-name");

    if (!name) {
        do {
            g_free(n->name);
            n->name = g_strdup_printf("#block%03u", next_number++);
        } while (block_node_find(n->name));
        return true;
    }
    if (!g_ascii_isalpha(name[0]) || name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")] || strlen(name) > 31) {
        return fail(error, "Invalid node-name: '%s'", name);
    }
    if (block_node_find(name)) {
        return fail(error, "Duplicate nodes with node-name='%s'", name);
    }
    n->name = g_strdup(name);
    return true;
}

static bool is_common(const char *key)
{
    static const char *const common[] = {
        "driver", "node-name", "read-only", "auto-read-only", "cache", "discard", "detect-zeroes",
        "force-share", NULL,
    };

    return g_strv_contains(common, key);
}

/* The driver's own options, checked against its table; a new object. */
static struct json_object *own_options(BlockNode *n, struct json_object *opts, bool blockdev,
                                       GError **error)
{
    static const OptDesc none[] = { { NULL } };
    const OptDesc *table = n->driver->opts ? n->driver->opts : none;
    struct json_object *own = json_object_new_object();

    json_object_object_foreach (opts, key, value) {
        const OptDesc *d = table;

        if (is_common(key) || (!n->driver->protocol && strcmp(key, "file") == 0)) {
            continue;
        }
        while (d->name && strcmp(d->name, key) != 0) {
            d++;
        }
        if (!d->name) {
            json_object_put(own);
            return blockdev ? fail_null(error, "Parameter '%s' is unexpected", key)
                            : fail_null(error, "Block %s '%s' does not support the option '%s'",
                                        n->driver->protocol ? "protocol" : "format",
                                        n->driver->name, key);
        }
        json_object_object_add(own, key, json_object_get(value));
    }
    if (!opts_check(own, table, NULL, error)) {
        json_object_put(own);
        return NULL;
    }
    return own;
}

static bool open_child(BlockNode *n, struct json_object *opts, const NodeOpts *how, GError **error)
{
    struct json_object *file;
    NodeOpts below = { .blockdev = how->blockdev, .auto_read_only = how->auto_read_only, .parent = n };

    if (!json_object_object_get_ex(opts, "file", &file)) {
        return fail(error, "Parameter 'file' is missing");
    }
    if (json_object_is_type(file, json_type_object)) {
        n->file = node_open(file, &below, error);
        return n->file != NULL;
    }
    const char *name = json_object_get_string(file);
    BlockNode *child = block_node_find(name);

    if (!child) {
        return fail(error, "Cannot find device='' nor node-name='%s'", name);
    }
    if (!n->read_only && child->read_only) {
        if (!how->auto_read_only) {
            return fail(error, "Block node '%s' is read-only", name);
        }
        n->read_only = true;
    }
    n->file = block_node_ref(child);
    return true;
}

/* Looks at the first bytes of the child for a format that we must not take for raw. */
static bool probe_format(BlockNode *n, GError **error)
{
    g_autofree uint8_t *head = g_malloc0(BLOCK_PROBE_BYTES);
    size_t len = MIN(n->file->length, BLOCK_PROBE_BYTES);
    int ret = len ? block_pread(n->file, 0, head, len) : 0;
    const char *format;

    if (ret < 0) {
        return fail_errno(error, -ret, "Could not read image for determining its format");
    }
    format = block_probe(head, len);
    if (!block_driver_find(format)) {
        return fail(error, "Could not open '%s': image format '%s' is not supported yet",
                    n->file->filename, format);
    }
    n->driver = block_driver_find(format);
    n->probed = strcmp(format, "raw") == 0 && !n->read_only;
    if (n->probed) {
        fprintf(stderr, "WARNING: Image format was not specified for '%s' and probing guessed raw.\n"
                "         Automatically detecting the format is dangerous for raw images, write "
                "operations on block 0 will be restricted.\n"
                "         Specify the 'raw' format explicitly to remove the restrictions.\n",
                n->file->filename);
    }
    return true;
}

static bool find_driver(BlockNode *n, struct json_object *opts, bool blockdev, GError **error)
{
    const char *name = keyval_get(opts, "driver");

    if (!name && blockdev) {
        return fail(error, "Parameter 'driver' is missing");
    }
    n->driver = block_driver_find(name ? name : "raw");
    if (!n->driver) {
        return blockdev ? fail(error, "Parameter 'driver' does not accept value '%s'", name)
                        : fail(error, "Unknown driver '%s'", name);
    }
    return true;
}

static bool node_fill(BlockNode *n, struct json_object *opts, NodeOpts *how, GError **error)
{
    struct json_object *own;
    bool good;

    if (!find_driver(n, opts, how->blockdev, error) || !get_common(n, opts, how, error) ||
        !get_name(n, opts, error)) {
        return false;
    }
    if (!n->driver->protocol) {
        if (!open_child(n, opts, how, error)) {
            return false;
        }
        n->read_only |= n->file->read_only && !n->driver->overlay;
        n->filename = g_strdup(n->file->filename);
        if (!keyval_get(opts, "driver") && !probe_format(n, error)) {
            return false;
        }
    }
    own = own_options(n, opts, how->blockdev, error);
    if (!own) {
        return false;
    }
    n->align = 1;
    n->state = g_malloc0(MAX(n->driver->state_size, 1));
    if (how->auto_read_only && n->driver->protocol) {
        json_object_object_add(own, "auto-read-only", json_object_new_boolean(true));
    }
    good = n->driver->open(n, own, error);
    json_object_put(own);
    return good;
}

static BlockNode *node_open(struct json_object *opts, const NodeOpts *how, GError **error)
{
    NodeOpts mine = *how;
    BlockNode *n = g_new0(BlockNode, 1);

    n->refs = 1;
    if (how->parent) {
        n->read_only = how->parent->read_only;
        n->direct = how->parent->direct;
        n->no_flush = how->parent->no_flush;
        n->unmap = how->parent->unmap;
    }
    if (!node_fill(n, opts, &mine, error)) {
        node_free(n);
        return NULL;
    }
    if (!n->filename) {
        n->filename = g_strdup("");
    }
    if (!nodes) {
        nodes = g_ptr_array_new();
    }
    g_ptr_array_add(nodes, n);
    return n;
}

BlockNode *block_node_open(struct json_object *opts, bool blockdev, GError **error)
{
    return node_open(opts, &(NodeOpts){ .blockdev = blockdev, .auto_read_only = !blockdev }, error);
}
