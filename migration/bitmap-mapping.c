// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * block-bitmap-mapping: which dirty bitmaps go with a machine, and under which names. Rows are
 * BitmapMigrationNodeAlias.
 */
#include "migration/internal.h"
#include "qapi/qapi.h"
#include "util/error.h"

#define MAX_ALIAS 255

static bool name_fits(const char *what, const char *name, GHashTable *seen, GError **error)
{
    if (!*name || strlen(name) > MAX_ALIAS) {
        return fail(error, "block-bitmap-mapping: %s '%.40s' must have 1 to %d bytes", what, name,
                    MAX_ALIAS);
    }
    return g_hash_table_add(seen, (void *)name) ||
           fail(error, "block-bitmap-mapping: %s '%s' comes twice", what, name);
}

static bool check_bitmaps(const BitmapMigrationNodeAlias *node, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) aliases = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < node->bitmaps->len; i++) {
        const BitmapMigrationBitmapAlias *b = node->bitmaps->pdata[i];

        if (!name_fits("bitmap", b->name, names, error) ||
            !name_fits("bitmap's alias", b->alias, aliases, error)) {
            return false;
        }
    }
    return true;
}

bool bitmap_mapping_check(const GPtrArray *mapping, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) aliases = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; mapping && i < mapping->len; i++) {
        const BitmapMigrationNodeAlias *n = mapping->pdata[i];

        if (!name_fits("node", n->node_name, names, error) ||
            !name_fits("node's alias", n->alias, aliases, error) || !check_bitmaps(n, error)) {
            return false;
        }
    }
    return true;
}

static BitmapMigrationBitmapAlias *copy_bitmap(const BitmapMigrationBitmapAlias *from)
{
    BitmapMigrationBitmapAlias *to = g_new0(BitmapMigrationBitmapAlias, 1);

    to->name = g_strdup(from->name);
    to->alias = g_strdup(from->alias);
    if (from->transform) {
        to->transform = g_new0(BitmapMigrationBitmapAliasTransform, 1);
        *to->transform = *from->transform;
    }
    return to;
}

GPtrArray *bitmap_mapping_copy(const GPtrArray *mapping)
{
    GPtrArray *copy = mapping ? g_ptr_array_new() : NULL;

    for (guint i = 0; mapping && i < mapping->len; i++) {
        const BitmapMigrationNodeAlias *from = mapping->pdata[i];
        BitmapMigrationNodeAlias *to = g_new0(BitmapMigrationNodeAlias, 1);

        to->node_name = g_strdup(from->node_name);
        to->alias = g_strdup(from->alias);
        to->bitmaps = g_ptr_array_new();
        for (guint k = 0; k < from->bitmaps->len; k++) {
            g_ptr_array_add(to->bitmaps, copy_bitmap(from->bitmaps->pdata[k]));
        }
        g_ptr_array_add(copy, to);
    }
    return copy;
}

void bitmap_mapping_free(GPtrArray *mapping)
{
    for (guint i = 0; mapping && i < mapping->len; i++) {
        QAPI_FREE(BitmapMigrationNodeAlias, mapping->pdata[i]);
    }
    if (mapping) {
        g_ptr_array_unref(mapping);
    }
}
