// SPDX-License-Identifier: GPL-2.0-or-later
/* What images are: as JSON for qemu-img, and as text for it and for the human monitor. */
#include "block/image-text.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "util/error.h"

char *block_human_size(uint64_t bytes)
{
    static const char *const units[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    double v = (double)bytes;
    unsigned i = 0;

    while (v >= 1000 && i + 1 < ARRAY_COUNT(units)) {
        v /= 1024;
        i++;
    }
    return g_strdup_printf("%0.3g %sB", v, units[i]);
}

static void put_text(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

static void put_int(struct json_object *o, const char *key, int64_t value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

static void put_bool(struct json_object *o, const char *key, bool value)
{
    json_object_object_add(o, key, json_object_new_boolean(value));
}

static struct json_object *snapshots_json(GArray *list)
{
    struct json_object *out = json_object_new_array();

    for (unsigned i = 0; i < list->len; i++) {
        const BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);
        struct json_object *o = json_object_new_object();

        if (s->icount != -1) {
            put_int(o, "icount", s->icount);
        }
        put_int(o, "vm-clock-nsec", (int64_t)(s->vm_clock_nsec % 1000000000));
        put_text(o, "name", s->name);
        put_int(o, "date-sec", s->date_sec);
        put_int(o, "date-nsec", s->date_nsec);
        put_int(o, "vm-clock-sec", (int64_t)(s->vm_clock_nsec / 1000000000));
        put_text(o, "id", s->id);
        put_int(o, "vm-state-size", (int64_t)s->vm_state_size);
        json_object_array_add(out, o);
    }
    return out;
}

GArray *co_block_snapshots(BlockNode *n)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(BlockSnapshot));
    g_autoptr(GError) error = NULL;

    if (n->driver->co_snapshot_list) {
        n->driver->co_snapshot_list(n, list, &error);
    }
    return list;
}

struct json_object *co_image_json(BlockNode *n)
{
    struct json_object *o = json_object_new_object();
    g_autoptr(GArray) snapshots = co_block_snapshots(n);
    g_autoptr(GError) error = NULL;
    BlockImageInfo info = { .cluster_size = 0 };
    int64_t actual = block_allocated(n);
    g_autofree char *name = block_node_filename(n);
    bool known = n->driver->co_info && n->driver->co_info(n, &info, &error);

    if (n->backing_format) {
        put_text(o, "backing-filename-format", n->backing_format);
    }
    if (snapshots->len) {
        json_object_object_add(o, "snapshots", snapshots_json(snapshots));
    }
    put_int(o, "virtual-size", (int64_t)n->length);
    put_text(o, "filename", name);
    if (known && info.cluster_size) {
        put_int(o, "cluster-size", (int64_t)info.cluster_size);
    }
    put_text(o, "format", n->driver->name);
    if (actual >= 0) {
        put_int(o, "actual-size", actual);
    }
    if (n->encrypted) {
        put_bool(o, "encrypted", true);
    }
    if (known && info.compressed) {
        put_bool(o, "compressed", true);
    }
    if (info.specific) {
        struct json_object *s = json_object_new_object();

        put_text(s, "type", info.specific_type ? info.specific_type : n->driver->name);
        json_object_object_add(s, "data", info.specific);
        json_object_object_add(o, "format-specific", s);
    }
    if (n->backing_file) {
        g_autofree char *full = block_resolve_relative(n->filename, n->backing_file);

        put_text(o, "full-backing-filename", full);
        put_text(o, "backing-filename", n->backing_file);
    }
    if (known || n->file) {
        put_bool(o, "dirty-flag", known && info.dirty);
    }
    return o;
}

static char *vm_clock(uint64_t nsec)
{
    uint64_t secs = nsec / 1000000000;

    return g_strdup_printf("%02d:%02d:%02d.%03d", (int)(secs / 3600), (int)(secs / 60 % 60),
                           (int)(secs % 60), (int)(nsec / 1000000 % 1000));
}

void snapshots_text(GString *out, GArray *list)
{
    g_string_append(out, "Snapshot list:\n");
    snapshots_table(out, list);
}

void snapshots_table(GString *out, GArray *list)
{
    g_string_append_printf(out, "%-10s%-17s%8s%20s%13s%11s\n", "ID", "TAG", "VM SIZE", "DATE",
                           "VM CLOCK", "ICOUNT");
    for (unsigned i = 0; i < list->len; i++) {
        const BlockSnapshot *s = &g_array_index(list, BlockSnapshot, i);
        g_autofree char *size = block_human_size(s->vm_state_size),
                        *clock = vm_clock(s->vm_clock_nsec);
        time_t at = (time_t)s->date_sec;
        char date[32], icount[32] = "";
        struct tm tm;

        localtime_r(&at, &tm);
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
        if (s->icount != -1) {
            g_snprintf(icount, sizeof(icount), "%" G_GINT64_FORMAT, s->icount);
        }
        g_string_append_printf(out, "%-9s %-16s %8s%20s%13s%11s\n", s->id, s->name, size, date,
                               clock, icount);
    }
}

/* A member's name as people read it: "lazy-refcounts" is "lazy refcounts". */
static void value_text(GString *out, struct json_object *v, int indent);

static void members_text(GString *out, struct json_object *o, int indent)
{
    json_object_object_foreach (o, key, value) {
        bool nested = json_object_is_type(value, json_type_object) ||
                      json_object_is_type(value, json_type_array);
        g_autofree char *name = g_strdelimit(g_strdup(key), "-", ' ');

        g_string_append_printf(out, "%*s%s:%s", indent * 4, "", name, nested ? "\n" : " ");
        value_text(out, value, indent + 1);
    }
}

static void value_text(GString *out, struct json_object *v, int indent)
{
    if (json_object_is_type(v, json_type_object)) {
        members_text(out, v, indent);
    } else if (json_object_is_type(v, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            struct json_object *item = json_object_array_get_idx(v, i);
            bool nested = json_object_is_type(item, json_type_object) ||
                          json_object_is_type(item, json_type_array);

            g_string_append_printf(out, "%*s[%zu]:%s", indent * 4, "", i, nested ? "\n" : " ");
            value_text(out, item, indent + 1);
        }
    } else if (json_object_is_type(v, json_type_boolean)) {
        g_string_append_printf(out, "%s\n", json_object_get_boolean(v) ? "true" : "false");
    } else {
        g_string_append_printf(out, "%s\n", json_object_get_string(v));
    }
}

void co_image_text(GString *out, BlockNode *n)
{
    struct json_object *o = co_image_json(n), *v, *data;
    g_autofree char *size = block_human_size(n->length), *disk = NULL;

    if (json_object_object_get_ex(o, "actual-size", &v)) {
        disk = block_human_size((uint64_t)json_object_get_int64(v));
    }
    g_string_append_printf(out,
                           "image: %s\nfile format: %s\nvirtual size: %s (%" G_GUINT64_FORMAT
                           " bytes)\ndisk size: %s\n",
                           keyval_get(o, "filename"), n->driver->name, size, n->length,
                           disk ? disk : "unavailable");
    if (n->encrypted) {
        g_string_append_printf(out, "encrypted: yes\n");
    }
    if (json_object_object_get_ex(o, "cluster-size", &v)) {
        g_string_append_printf(out, "cluster_size: %" G_GINT64_FORMAT "\n",
                               json_object_get_int64(v));
    }
    if (json_object_object_get_ex(o, "dirty-flag", &v) && json_object_get_boolean(v)) {
        g_string_append_printf(out, "cleanly shut down: no\n");
    }
    if (n->backing_file) {
        const char *full = keyval_get(o, "full-backing-filename");

        g_string_append_printf(out, "backing file: %s", n->backing_file);
        if (full && strcmp(full, n->backing_file) != 0) {
            g_string_append_printf(out, " (actual path: %s)", full);
        }
        g_string_append_printf(out, "\n");
        if (n->backing_format) {
            g_string_append_printf(out, "backing file format: %s\n", n->backing_format);
        }
    }
    g_autoptr(GArray) snapshots = co_block_snapshots(n);

    if (snapshots->len) {
        snapshots_text(out, snapshots);
    }
    if (json_object_object_get_ex(o, "format-specific", &v) &&
        json_object_object_get_ex(v, "data", &data) && json_object_object_length(data) > 0) {
        g_string_append_printf(out, "Format specific information:\n");
        members_text(out, data, 1);
    }
    json_object_put(o);
}
