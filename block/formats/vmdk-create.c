// SPDX-License-Identifier: GPL-2.0-or-later
/* Making VMware disks: one file or several, and the descriptor that names them. */
#include <stdio.h>
#include <string.h>

#include "block/formats/vmdk.h"
#include "util/bitops.h"
#include "util/bswap.h"
#include "util/error.h"

#define GRAIN_SECTORS 128u
#define TABLE_ENTRIES 512u
#define TABLE_SECTORS 4u        /* TABLE_ENTRIES * 4 bytes */
#define SPLIT_BYTES (2 * GIB)

typedef struct VmdkPlan {
    const char *type, *adapter, *hw_version, *tools;
    bool flat, split, packed, zero_grains;
    uint64_t bytes;
    const char *backing;
    uint32_t parent_cid;
} VmdkPlan;

/* The tables of a directory at `at` (sectors), one behind the other. */
static bool write_directory(BlockNode *file, uint64_t at, uint64_t tables, GError **error)
{
    uint64_t first = at + div_round_up(tables * 4, VMDK_SECTOR);
    g_autofree uint8_t *raw = g_malloc0(tables * 4 + 1);

    for (uint64_t i = 0; i < tables; i++) {
        store_le32(raw + i * 4, (uint32_t)(first + i * TABLE_SECTORS));
    }
    return image_write(file, at * VMDK_SECTOR, raw, tables * 4, error);
}

static bool make_sparse(BlockNode *file, const VmdkPlan *p, uint64_t bytes, GError **error)
{
    uint64_t capacity = div_round_up(bytes, VMDK_SECTOR);
    uint64_t tables = div_round_up(div_round_up(capacity, GRAIN_SECTORS), TABLE_ENTRIES);
    uint64_t all = div_round_up(tables * 4, VMDK_SECTOR) + tables * TABLE_SECTORS;
    uint64_t redundant = 1 + VMDK_DESC_SECTORS, directory = redundant + all;
    uint64_t data = round_up(directory + all, GRAIN_SECTORS);
    uint8_t h[VMDK_HEADER_SIZE] = { 'K', 'D', 'M', 'V' };

    if (data > UINT32_MAX) {
        return fail(error, "disk size too large for VMDK");
    }
    store_le32(h + VH_VERSION, p->packed ? 3 : p->zero_grains ? 2 : 1);
    store_le32(h + VH_FLAGS, VMDK_NEWLINES | VMDK_REDUNDANT |
                                 (p->zero_grains ? VMDK_ZERO_GRAINS : 0) |
                                 (p->packed ? VMDK_COMPRESSED | VMDK_MARKERS : 0));
    store_le64(h + VH_CAPACITY, capacity);
    store_le64(h + VH_GRAIN, GRAIN_SECTORS);
    store_le64(h + VH_DESC, 1);
    store_le64(h + VH_DESC_SIZE, VMDK_DESC_SECTORS);
    store_le32(h + VH_ENTRIES, TABLE_ENTRIES);
    store_le64(h + VH_REDUNDANT, redundant);
    store_le64(h + VH_DIRECTORY, directory);
    store_le64(h + VH_DATA, data);
    memcpy(h + VH_CHECK, VMDK_CHECK_BYTES, 4);
    store_le16(h + VH_COMPRESS, p->packed);
    return co_block_truncate(file, data * VMDK_SECTOR, PREALLOC_OFF, error) &&
           image_write(file, 0, h, sizeof(h), error) &&
           write_directory(file, redundant, tables, error) &&
           write_directory(file, directory, tables, error);
}

static BlockNode *make_extent(const VmdkPlan *p, const char *path, uint64_t bytes, GError **error)
{
    BlockNode *file = block_create_file(path, p->flat ? bytes : 0, error);

    if (file && !p->flat && !make_sparse(file, p, bytes, error)) {
        block_node_unref(file);
        return NULL;
    }
    return file;
}

/* "dir/disk.vmdk" -> "dir/disk" and ".vmdk" */
static char *split_name(const char *path, const char **suffix)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

    if (!dot || (slash && dot < slash)) {
        dot = path + strlen(path);
    }
    *suffix = dot;
    return g_strndup(path, (gsize)(dot - path));
}

static char *extent_path(const VmdkPlan *p, const char *filename, unsigned index)
{
    const char *suffix;
    g_autofree char *stem = split_name(filename, &suffix);

    return p->split ? g_strdup_printf("%s-%c%03u%s", stem, p->flat ? 'f' : 's', index + 1, suffix)
                    : p->flat ? g_strdup_printf("%s-flat%s", stem, suffix) : g_strdup(filename);
}

static char *make_text(const VmdkPlan *p, const char *parts)
{
    unsigned heads = strcmp(p->adapter, "ide") == 0 ? 16 : 255;
    GString *t = g_string_new(NULL);

    g_string_append_printf(
        t, "# Disk DescriptorFile\nversion=1\nCID=%08x\nparentCID=%08x\ncreateType=\"%s\"\n",
        g_random_int(), p->parent_cid, p->type);
    if (p->backing) {
        g_string_append_printf(t, "parentFileNameHint=\"%s\"\n", p->backing);
    }
    g_string_append_printf(t, "\n# Extent description\n%s\n# The Disk Data Base\n#DDB\n\n", parts);
    g_string_append_printf(
        t,
        "ddb.virtualHWVersion = \"%s\"\nddb.geometry.cylinders = \"%" G_GUINT64_FORMAT "\"\n"
        "ddb.geometry.heads = \"%u\"\nddb.geometry.sectors = \"63\"\n"
        "ddb.adapterType = \"%s\"\nddb.toolsVersion = \"%s\"\n",
        p->hw_version, p->bytes / ((uint64_t)heads * 63 * VMDK_SECTOR), heads, p->adapter,
        p->tools);
    return g_string_free(t, FALSE);
}

static bool parse_plan(VmdkPlan *p, struct json_object *opts, GError **error)
{
    static const char *const types[] = {
        "monolithicSparse",   "monolithicFlat",  "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat", "streamOptimized", NULL,
    };
    static const char *const adapters[] = { "ide", "buslogic", "lsilogic", "legacyESX", NULL };
    const char *format = opts_string(opts, "backing_fmt", NULL);
    bool compat6 = opts_bool(opts, "compat6", false);

    p->type = opts_string(opts, "subformat", types[0]);
    p->adapter = opts_string(opts, "adapter_type", adapters[0]);
    p->tools = opts_string(opts, "toolsversion", "2147483647");
    p->hw_version = opts_string(opts, "hwversion", NULL);
    p->hw_version = p->hw_version && strcmp(p->hw_version, "undefined") != 0 ? p->hw_version : NULL;
    p->backing = opts_string(opts, "backing_file", NULL);
    p->zero_grains = opts_bool(opts, "zeroed_grain", false);
    p->bytes = round_up(opts_number(opts, "size", 0), VMDK_SECTOR);
    p->parent_cid = VMDK_NO_PARENT;
    if (compat6 && p->hw_version) {
        return fail(error, "compat6 cannot be enabled with hwversion set");
    }
    p->hw_version = p->hw_version ? p->hw_version : compat6 ? "6" : "4";
    if (!g_strv_contains(adapters, p->adapter)) {
        return fail(error, "invalid parameter value: %s", p->adapter);
    }
    if (!g_strv_contains(types, p->type)) {
        return fail(error, "invalid parameter value: %s", p->type);
    }
    p->flat = g_str_has_suffix(p->type, "Flat");
    p->split = g_str_has_prefix(p->type, "twoGb");
    p->packed = strcmp(p->type, "streamOptimized") == 0;
    if (p->flat && p->backing) {
        return fail(error, "Flat image can't have backing file");
    }
    if (p->flat && p->zero_grains) {
        return fail(error, "Flat image can't enable zeroed grain");
    }
    if (p->backing && format && strcmp(format, "vmdk") != 0) {
        return fail(error, "backing_file must be a vmdk image");
    }
    return true;
}

static bool find_parent(VmdkPlan *p, const char *filename, GError **error)
{
    g_autofree char *path = p->backing ? block_resolve_relative(filename, p->backing) : NULL;
    BlockNode *parent;

    if (!path) {
        return true;
    }
    parent = block_open_image(
        path, NULL, NULL, BLOCK_OPEN_NO_BACKING | BLOCK_OPEN_READ_ONLY | BLOCK_OPEN_QUIET, error);
    if (!parent) {
        return false;
    }
    bool good = strcmp(parent->driver->name, "vmdk") == 0 ||
                fail(error, "Invalid backing file format: %s. Must be vmdk", parent->driver->name);

    if (good) {
        p->parent_cid = vmdk_node_cid(parent);
    }
    block_node_unref(parent);
    return good;
}

bool co_vmdk_create(const char *filename, struct json_object *opts, GError **error)
{
    VmdkPlan p = { 0 };
    g_autoptr(GString) parts = g_string_new(NULL);
    BlockNode *last = NULL;
    uint64_t at = 0;

    if (!parse_plan(&p, opts, error) || !find_parent(&p, filename, error)) {
        return false;
    }
    for (unsigned i = 0; i == 0 || at < p.bytes; i++) {
        uint64_t bytes = p.split ? MIN(p.bytes - at, SPLIT_BYTES) : p.bytes;
        g_autofree char *path = extent_path(&p, filename, i), *base = g_path_get_basename(path);

        if (i >= VMDK_MAX_EXTENTS) {
            block_node_unref(last);
            return fail(error, "disk size too large for VMDK");
        }
        block_node_unref(last);
        last = make_extent(&p, path, bytes, error);
        if (!last) {
            return false;
        }
        g_string_append_printf(parts, "RW %" G_GUINT64_FORMAT " %s \"%s\"%s\n", bytes / VMDK_SECTOR,
                               p.flat ? "FLAT" : "SPARSE", base, p.flat ? " 0" : "");
        at += bytes;
    }
    bool own = p.flat || p.split;
    g_autofree char *text = make_text(&p, parts->str);

    if (own) {
        block_node_unref(last);
        last = block_create_file(filename, 0, error);
    }
    bool good = last && (own || strlen(text) <= VMDK_DESC_SECTORS * VMDK_SECTOR ||
                         fail(error, "the descriptor gets too long")) &&
                image_write(last, own ? 0 : VMDK_SECTOR, text, strlen(text), error) &&
                (!own || co_block_truncate(last, strlen(text), PREALLOC_OFF, error));

    block_node_unref(last);
    return good;
}

const OptDesc vmdk_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "adapter_type", OPT_STRING, "Virtual adapter type, can be one of ide (default), lsilogic, buslogic or legacyESX" },
    { "backing_file", OPT_STRING, "File name of a base image" },
    { "backing_fmt", OPT_STRING, "Must be 'vmdk' if present" },
    { "compat6", OPT_BOOL, "VMDK version 6 image", "off" },
    { "hwversion", OPT_STRING, "VMDK hardware version", "undefined" },
    { "toolsversion", OPT_STRING, "VMware guest tools version" },
    { "subformat", OPT_STRING, "VMDK flat extent format, can be one of {monolithicSparse (default) | monolithicFlat | twoGbMaxExtentSparse | twoGbMaxExtentFlat | streamOptimized} " },
    { "zeroed_grain", OPT_BOOL, "Enable efficient zero writes using the zeroed-grain GTE feature" },
    { NULL },
};
