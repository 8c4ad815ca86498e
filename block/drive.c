// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -drive and its table: the option is turned into the options of block nodes and a description
 * of the guest's side. Interfaces have default numbers of units on a bus; boards look the drives up
 * by them.
 */
#include "block/drive.h"

#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "block/front-stats.h"
#include "block/graph.h"
#include "block/job.h"
#include "block/node.h"
#include "block/temporary.h"
#include "block/throttle.h"
#include "util/error.h"

typedef struct DriveIface {
    const char *name;
    int units;                  /* on a bus; 0: there are no buses */
    const char *media;          /* what the made-up id has after the bus; NULL: nothing */
} DriveIface;

static const DriveIface ifaces[] = {
    { "none", 0 }, { "ide", 2, "-hd" }, { "scsi", 7, "-hd" }, { "floppy", 0 }, { "pflash", 0 },
    { "mtd", 0 }, { "sd", 0 }, { "virtio", 0 }, { "xen", 0 },
};

/* In order of the command line; there is one command line. */
static GPtrArray *drives;
static bool snapshot_all;
/* The machine's, once it is known. */
static const char *default_iface_name;
static unsigned default_units;

Drive *drive_nth(unsigned i)
{
    return drives && i < drives->len ? g_ptr_array_index(drives, i) : NULL;
}

Drive *drive_find(const char *id)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        Drive *d = g_ptr_array_index(drives, i);

        if (d->info.id && strcmp(d->info.id, id) == 0) {
            return d;
        }
    }
    return NULL;
}

const DriveInfo *drive_info(unsigned i)
{
    Drive *d = drive_nth(i);

    return d ? &d->info : NULL;
}

const DriveInfo *drive_at(const char *iface, int bus, int unit)
{
    const DriveInfo *d;

    for (unsigned i = 0; (d = drive_info(i)) != NULL; i++) {
        if (d->iface && strcmp(d->iface, iface) == 0 && d->bus == bus && d->unit == unit) {
            return d;
        }
    }
    return NULL;
}

void drive_claim(const DriveInfo *d)
{
    ((DriveInfo *)d)->claimed = true;
}

static Drive *drive_new(void)
{
    Drive *d = g_new0(Drive, 1);

    d->index = d->info.bus = d->info.unit = -1;
    d->writeback = true;
    d->on_read_error = BLOCK_ON_ERROR_REPORT;
    d->on_write_error = BLOCK_ON_ERROR_ENOSPC;
    if (!drives) {
        drives = g_ptr_array_new();
    }
    return d;
}

static void drive_moved(BlockEdge *e)
{
    ((Drive *)e->opaque)->node = e->node;
}

void drive_set_node(Drive *d, BlockNode *n)
{
    g_autoptr(GError) none = NULL;

    block_detach(d->edge);
    d->node = n;
    d->edge = n ? block_attach(n, "drive", 0, BLOCK_PERM_ALL, &none) : NULL;
    if (d->edge) {
        d->edge->moved = drive_moved;
        d->edge->opaque = d;
        block_node_unref(n);
    }
}

static void drive_free(Drive *d)
{
    drive_set_node(d, NULL);
    g_free((char *)d->info.id);
    g_free((char *)d->info.serial);
    g_free(d->text);
    g_free(d->limits);
    g_free(d->throttle_group);
    front_stats_free(d->stats);
    g_free(d);
}

void drive_register(const DriveInfo *info)
{
    Drive *d = drive_new();

    d->info = *info;
    d->info.id = g_strdup(info->id);
    d->info.iface = g_intern_string(info->iface);
    d->info.serial = g_strdup(info->serial);
    g_ptr_array_add(drives, d);
}

void drives_set_snapshot(void)
{
    snapshot_all = true;
}

/* ---- places ---- */

static const DriveIface *find_iface(const char *name)
{
    for (unsigned i = 0; i < ARRAY_COUNT(ifaces); i++) {
        if (strcmp(ifaces[i].name, name) == 0) {
            return &ifaces[i];
        }
    }
    return NULL;
}

static bool drive_place(Drive *d, GError **error)
{
    bool is_default = !d->info.iface;
    const DriveIface *f = find_iface(is_default ? default_iface_name : d->info.iface);
    int units =
        default_units && strcmp(f->name, default_iface_name) == 0 ? (int)default_units : f->units;

    d->info.iface = f->name;
    if (d->index >= 0) {
        if (d->info.bus >= 0 || d->info.unit >= 0) {
            return fail(error, "index cannot be used with bus and unit");
        }
        d->info.bus = units ? d->index / units : 0;
        d->info.unit = units ? d->index % units : d->index;
    }
    if (d->info.bus < 0) {
        d->info.bus = 0;
    }
    if (d->info.unit < 0) {
        d->info.unit = 0;
        while (drive_at(f->name, d->info.bus, d->info.unit) && strcmp(f->name, "none") != 0) {
            d->info.unit++;
            if (units && d->info.unit >= units) {
                d->info.unit -= units;
                d->info.bus++;
            }
        }
    }
    if (units && d->info.unit >= units) {
        return fail(error, "unit %d too big (max is %d)", d->info.unit, units - 1);
    }
    if (strcmp(f->name, "none") != 0 && drive_at(f->name, d->info.bus, d->info.unit)) {
        return fail(error, "drive with bus=%d, unit=%d (index=%d) exists", d->info.bus,
                    d->info.unit, d->index);
    }
    if (!d->info.id) {
        const char *media = !f->media ? "" : d->info.cdrom ? "-cd" : f->media;

        d->info.id = f->media && units
                         ? g_strdup_printf("%s%d%s%d", f->name, d->info.bus, media, d->info.unit)
                         : g_strdup_printf("%s%s%d", f->name, media, d->info.unit);
        if (strcmp(f->name, "none") == 0) {
            for (unsigned i = 0; drive_find(d->info.id) != d && drive_find(d->info.id); i++) {
                g_free((char *)d->info.id);
                d->info.id = g_strdup_printf("none%u", i);
            }
        }
    }
    return true;
}

/* Places one whose interface is known: not yet in the table, or hidden there meanwhile. */
static bool drive_settle(Drive *d, GError **error)
{
    int bus = d->info.bus, unit = d->info.unit;
    const char *iface = d->info.iface;

    if (!drive_place(d, error)) {
        d->info.bus = bus;
        d->info.unit = unit;
        d->info.iface = iface;
        return false;
    }
    return true;
}

bool drives_settle(const char *default_iface, unsigned units, GError **error)
{
    default_iface_name = find_iface(default_iface) ? find_iface(default_iface)->name : "ide";
    default_units = units;
    if (!drives) {
        return true;
    }
    g_autoptr(GPtrArray) waiting = g_steal_pointer(&drives);

    drives = g_ptr_array_new();
    for (unsigned i = 0; i < waiting->len; i++) {
        Drive *d = g_ptr_array_index(waiting, i);

        if (!drive_settle(d, error)) {
            g_prefix_error(error, "-drive %s: ", d->text ? d->text : "");
            return false;
        }
        g_ptr_array_add(drives, d);
    }
    return true;
}

bool drives_check_orphans(GError **error)
{
    for (unsigned i = 0; drives && i < drives->len; i++) {
        Drive *d = g_ptr_array_index(drives, i);

        if (d->text && !d->info.claimed && !d->front && strcmp(d->info.iface, "none") != 0) {
            return fail(error, "-drive %s: machine type does not support if=%s,bus=%d,unit=%d",
                        d->text, d->info.iface, d->info.bus, d->info.unit);
        }
    }
    return true;
}

/* ---- the option ---- */

typedef struct CacheMode { const char *name; bool direct, writeback, no_flush; } CacheMode;

static const CacheMode cache_modes[] = {
    { "writeback", false, true, false }, { "none", true, true, false }, { "off", true, true, false },
    { "directsync", true, false, false }, { "unsafe", false, true, true },
    { "writethrough", false, false, false },
};

/* Takes a member out of an object; a new string, NULL when it is not there. */
static char *take(struct json_object *o, const char *key)
{
    char *text = g_strdup(keyval_get(o, key));

    json_object_object_del(o, key);
    return text;
}

static bool take_int(struct json_object *o, const char *key, int *value, GError **error)
{
    g_autofree char *text = take(o, key);
    int64_t n;

    if (!text) {
        return true;
    }
    if (!int_parse(text, key, true, &n, error)) {
        return false;
    }
    *value = (int)MIN(n, 65535);
    return true;
}

static void put(struct json_object *o, const char *key, const char *value)
{
    json_object_object_add(o, key, json_object_new_string(value));
}

/* cache=MODE and cache.X in the form that nodes take. */
static bool drive_cache(Drive *d, struct json_object *o, GError **error)
{
    struct json_object *cache;
    CacheMode mode = cache_modes[0];
    bool given = false;

    if (json_object_object_get_ex(o, "cache", &cache) &&
        json_object_is_type(cache, json_type_string)) {
        g_autofree char *text = take(o, "cache");

        for (unsigned i = 0; !given && i < ARRAY_COUNT(cache_modes); i++) {
            given = strcmp(cache_modes[i].name, text) == 0;
            mode = cache_modes[i];
        }
        if (!given) {
            return fail(error, "invalid cache option");
        }
        cache = json_object_new_object();
        put(cache, "direct", mode.direct ? "on" : "off");
        put(cache, "no-flush", mode.no_flush ? "on" : "off");
        json_object_object_add(o, "cache", cache);
        d->writeback = mode.writeback;
    } else if (json_object_is_type(cache, json_type_object)) {
        g_autofree char *wb = take(cache, "writeback");

        return !wb || bool_parse(wb, "cache.writeback", &d->writeback, error);
    }
    return true;
}

static bool drive_on_error(struct json_object *o, const char *key, bool read, int *policy,
                           GError **error)
{
    static const char *const names[] = { "report", "ignore", "enospc", "stop" };
    g_autofree char *text = take(o, key);

    for (unsigned i = 0; text && i < ARRAY_COUNT(names); i++) {
        if (strcmp(text, names[i]) == 0 && !(read && i == BLOCK_ON_ERROR_ENOSPC)) {
            *policy = (int)i;
            return true;
        }
    }
    return !text || fail(error, "'%s' invalid %s error action", text, read ? "read" : "write");
}

/* One limit by its nested name or its short one; taken out of the options. */
static bool take_limit(struct json_object *o, struct json_object *nested, const char *name,
                       const char *old, uint64_t *value, GError **error)
{
    g_autofree char *text = nested ? take(nested, name) : NULL, *short_text = take(o, old);
    int64_t n;

    if (text && short_text) {
        return fail(error, "'throttling.%s' and its alias '%s' can't be used at the same time",
                    name, old);
    }
    if (!text && !short_text) {
        return true;
    }
    if (!int_parse(text ? text : short_text, name, true, &n, error)) {
        return false;
    }
    *value = (uint64_t)n;
    return true;
}

/* throttling.* and the older names. */
static bool drive_throttle(Drive *d, struct json_object *o, GError **error)
{
    static const char *const names[LIMIT_COUNT] = {"bps-total",  "bps-read",  "bps-write",
                                                   "iops-total", "iops-read", "iops-write"};
    static const char *const olds[LIMIT_COUNT] = {"bps",  "bps_rd",  "bps_wr",
                                                  "iops", "iops_rd", "iops_wr"};
    ThrottleLimits l = { .iops_size = 0 };
    struct json_object *nested = NULL;
    bool good = true;

    json_object_object_get_ex(o, "throttling", &nested);
    nested = json_object_is_type(nested, json_type_object) ? nested : NULL;
    for (unsigned i = 0; good && i < LIMIT_COUNT; i++) {
        g_autofree char *max = g_strconcat(names[i], "-max", NULL),
                        *old_max = g_strconcat(olds[i], "_max", NULL);
        g_autofree char *length = g_strconcat(names[i], "-max-length", NULL),
                        *old_length = g_strconcat(olds[i], "_max_length", NULL);

        l.length[i] = 1;
        good = take_limit(o, nested, names[i], olds[i], &l.avg[i], error) &&
               take_limit(o, nested, max, old_max, &l.max[i], error) &&
               take_limit(o, nested, length, old_length, &l.length[i], error);
    }
    good = good && take_limit(o, nested, "iops-size", "iops_size", &l.iops_size, error) &&
           throttle_check(&l, error);
    d->throttle_group = nested ? take(nested, "group") : NULL;
    if (!d->throttle_group) {
        d->throttle_group = take(o, "group");
    }
    if (nested && json_object_object_length(nested) == 0) {
        json_object_object_del(o, "throttling");
    }
    if (good && throttle_any(&l)) {
        d->limits = g_memdup2(&l, sizeof(l));
    }
    return good;
}

/* copy-on-read=on: the filter on top. */
static bool drive_copy_on_read(struct json_object *o, bool *copy, GError **error)
{
    g_autofree char *text = take(o, "copy-on-read");

    *copy = false;
    return !text || bool_parse(text, "copy-on-read", copy, error);
}

static bool add_interval(GArray *list, const char *text, GError **error)
{
    int64_t seconds;

    if (!int_parse(text, "stats-intervals", true, &seconds, error) || seconds <= 0 ||
        seconds > UINT32_MAX) {
        g_clear_error(error);
        return fail(error, "Invalid interval length: %s", text);
    }
    g_array_append_val(list, (uint64_t){ (uint64_t)seconds });
    return true;
}

/* stats-account-invalid, stats-account-failed, stats-intervals. */
static bool drive_stats(Drive *d, struct json_object *o, GError **error)
{
    g_autofree char *invalid = take(o, "stats-account-invalid"),
                    *failed = take(o, "stats-account-failed");
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    bool count_invalid = true, count_failed = true;
    struct json_object *given = NULL;
    bool good = true;

    if ((invalid && !bool_parse(invalid, "stats-account-invalid", &count_invalid, error)) ||
        (failed && !bool_parse(failed, "stats-account-failed", &count_failed, error))) {
        return false;
    }
    if (json_object_object_get_ex(o, "stats-intervals", &given)) {
        if (json_object_is_type(given, json_type_string)) {
            g_auto(GStrv) parts = g_strsplit(json_object_get_string(given), ":", -1);

            for (unsigned i = 0; good && parts[i]; i++) {
                good = add_interval(list, parts[i], error);
            }
        } else if (json_object_is_type(given, json_type_object)) {
            json_object_object_foreach (given, key, value) {
                (void)key;
                good = good && add_interval(list, json_object_get_string(value), error);
            }
        } else if (json_object_is_type(given, json_type_array)) {
            for (size_t i = 0; good && i < json_object_array_length(given); i++) {
                good = add_interval(
                    list, json_object_get_string(json_object_array_get_idx(given, i)), error);
            }
        }
        json_object_object_del(o, "stats-intervals");
    }
    if (good && (invalid || failed || list->len)) {
        d->stats = front_stats_new(list, count_invalid, count_failed);
    }
    return good;
}

static bool drive_guest_side(Drive *d, struct json_object *o, const char *default_iface,
                             GError **error)
{
    g_autofree char *iface = take(o, "if");
    g_autofree char *media = take(o, "media");
    g_autofree char *id = take(o, "id");

    if (!iface && default_iface) {
        iface = g_strdup(default_iface);
    }
    if (iface && !find_iface(iface)) {
        const char *names[ARRAY_COUNT(ifaces) + 1] = { NULL };

        for (unsigned i = 0; i < ARRAY_COUNT(ifaces); i++) {
            names[i] = ifaces[i].name;
        }
        g_autofree char *hint = suggestion(iface, names);

        return fail(error, "unsupported bus type '%s'%s", iface, hint);
    }
    d->info.iface = iface ? find_iface(iface)->name : NULL;
    if (media && strcmp(media, "disk") != 0 && strcmp(media, "cdrom") != 0) {
        return fail(error, "'%s' invalid media", media);
    }
    d->info.cdrom = media && strcmp(media, "cdrom") == 0;
    if (id && drive_find(id)) {
        return fail(error, "Duplicate ID '%s' for drive", id);
    }
    if (id &&
        (!g_ascii_isalpha(id[0]) ||
         id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")])) {
        return fail(error, "Parameter 'id' expects an identifier");
    }
    d->info.id = g_steal_pointer(&id);
    return take_int(o, "index", &d->index, error) && take_int(o, "bus", &d->info.bus, error) &&
           take_int(o, "unit", &d->info.unit, error) &&
           drive_on_error(o, "rerror", true, &d->on_read_error, error) &&
           drive_on_error(o, "werror", false, &d->on_write_error, error);
}

/* Moves what concerns the protocol into the child's options. */
static bool drive_file_options(struct json_object *o, GError **error)
{
    g_autofree char *aio = take(o, "aio");
    struct json_object *file = NULL;

    if (!json_object_object_get_ex(o, "file", &file)) {
        return true;
    }
    if (json_object_is_type(file, json_type_string)) {
        file = block_filename_options(json_object_get_string(file), error);
        if (!file) {
            return false;
        }
        json_object_object_add(o, "file", file);
    } else if (!keyval_get(file, "driver")) {
        put(file, "driver", "file");
    }
    if (aio && strcmp(aio, "threads") != 0 && strcmp(aio, "native") != 0 &&
        strcmp(aio, "io_uring") != 0) {
        return fail(error, "invalid aio option");
    }
    const char *protocol = keyval_get(file, "driver");

    if (aio && (strcmp(protocol, "file") == 0 || strcmp(protocol, "host_device") == 0)) {
        put(file, "aio", aio);
    }
    return true;
}

/* The filter is the drive's, without a name. */
static bool drive_add_filter(Drive *d, GError **error)
{
    BlockNode *filter = block_node_insert(block_driver_find("copy-on-read"), NULL, d->node, error);

    if (!filter) {
        return false;
    }
    filter->implicit = true;
    drive_set_node(d, filter);
    return true;
}

/*
 * A drive without a medium: one may come later. What says how a medium is to be opened needs one.
 * Takes an empty file name away; *empty is the answer.
 */
static bool drive_is_empty(struct json_object *o, bool *empty, GError **error)
{
    static const char *const alone[] = { "aio", "read-only", "detect-zeroes", NULL };
    const char *file = keyval_get(o, "file");

    *empty = (!file || !*file) && !keyval_get(o, "driver");
    if (file && !*file) {
        json_object_object_del(o, "file");
    }
    if (*empty) {
        json_object_object_foreach (o, key, value) {
            (void)value;
            if (!g_strv_contains(alone, key)) {
                return fail(error, "Must specify either driver or file");
            }
        }
    }
    return true;
}

static bool drive_node_side(Drive *d, struct json_object *o, GError **error)
{
    g_autofree char *ro_old = take(o, "readonly"), *format = take(o, "format");
    g_autofree char *snapshot = take(o, "snapshot");
    bool temporary = snapshot_all, copy_on_read, empty;

    if (ro_old) {
        put(o, "read-only", ro_old);
    }
    if (d->info.cdrom && !keyval_get(o, "read-only")) {
        put(o, "read-only", "on");
    }
    if (format) {
        put(o, "driver", format);
    }
    if (snapshot && !bool_parse(snapshot, "snapshot", &temporary, error)) {
        return false;
    }
    if (!drive_cache(d, o, error) || !drive_throttle(d, o, error) || !drive_stats(d, o, error) ||
        !drive_copy_on_read(o, &copy_on_read, error) || !drive_is_empty(o, &empty, error)) {
        return false;
    }
    if (empty) {
        return true;
    }
    if (!drive_file_options(o, error)) {
        return false;
    }
    if (copy_on_read && keyval_get(o, "read-only") &&
        strcmp(keyval_get(o, "read-only"), "on") == 0) {
        warn_report("disabling copy-on-read on read-only drive");
        copy_on_read = false;
    }
    if (temporary && !d->info.cdrom) {
        put(o, "read-only", "on");
        drive_set_node(d, temporary_open(o, BLOCK_OPEN_AUTO_READ_ONLY, error));
    } else {
        drive_set_node(d, block_node_open(o, false, error));
    }
    return d->node != NULL && (!copy_on_read || drive_add_filter(d, error));
}

bool drive_add_option(const char *text, const char *default_iface, GError **error)
{
    struct json_object *o = keyval_parse_nested(text, "file", error);
    Drive *d = drive_new();
    bool good = o != NULL;

    d->text = g_strdup(text);
    good = good && drive_guest_side(d, o, default_iface, error) && drive_node_side(d, o, error);
    if (good && default_iface_name) {
        good = drive_settle(d, error);
    }
    json_object_put(o);
    if (!good) {
        drive_free(d);
        return false;
    }
    g_ptr_array_add(drives, d);
    return true;
}

bool drive_hot_add(const char *text, GError **error)
{
    struct json_object *o = keyval_parse_nested(text, "file", error);
    const char *iface = o ? keyval_get(o, "if") : NULL;
    bool fits = !iface || strcmp(iface, "none") == 0;

    if (o && !fits) {
        fail(error, "Can't hot-add drive to type %s", find_iface(iface) ? iface : "unknown");
    }
    json_object_put(o);
    return o && fits && drive_add_option(text, "none", error);
}

bool drive_delete(Drive *d, GError **error)
{
    for (BlockNode *n = d->front ? d->front->node : d->node; n; n = n->implicit ? n->file : NULL) {
        if (n->job) {
            return fail(error, "Node '%s' is busy: block device is in use by block job: %s",
                        n->name, n->job);
        }
    }
    if (d->front) {
        block_front_orphan(d->front);
    }
    g_ptr_array_remove(drives, d);
    drive_free(d);
    return true;
}

bool blockdev_add_option(const char *text, GError **error)
{
    bool json;
    struct json_object *o = keyval_or_json(text, "driver", &json, error);
    BlockNode *n = NULL;

    if (o && !keyval_get(o, "node-name")) {
        fail(error, "'node-name' must be specified for the root node");
    } else if (o) {
        n = block_node_open(o, true, error);
    }
    json_object_put(o);
    if (n) {
        block_node_keep(n);
        block_node_unref(n);
    }
    return n != NULL;
}

void block_cleanup(void)
{
    jobs_end_all();
    block_drain_all();
    block_fronts_eject_all();
    for (unsigned i = 0; drives && i < drives->len; i++) {
        drive_free(g_ptr_array_index(drives, i));
    }
    g_clear_pointer(&drives, g_ptr_array_unref);
    block_nodes_forget();
}
