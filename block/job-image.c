// SPDX-License-Identifier: GPL-2.0-or-later
/* Jobs about images: making one (blockdev-create), changing one (x-blockdev-amend). */
#include <json-c/json.h>
#include <string.h>

#include "block/drive.h"
#include "block/driver.h"
#include "block/job-kinds.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"

/* ---- create ---- */

typedef struct CreateJob {
    BlockJob j;
    const BlockDriver *driver;
    struct json_object *opts;
} CreateJob;

/* Members by the names of the rows: "cluster-size" is "cluster_size". */
static struct json_object *row_names(const OptDesc *rows, struct json_object *in, GError **error)
{
    struct json_object *out = json_object_new_object();

    json_object_object_foreach (in, key, value) {
        g_autofree char *name = g_strdelimit(g_strdup(key), "-", '_');
        const OptDesc *row = rows;

        if (strcmp(key, "driver") == 0 || strcmp(key, "file") == 0 ||
            strcmp(key, "filename") == 0) {
            continue;
        }
        if (strcmp(key, "version") == 0) {
            json_object_object_add(out, "compat", json_object_get(value));
            continue;
        }
        for (; row && row->name && strcmp(row->name, key) != 0 && strcmp(row->name, name) != 0;
             row++) {
        }
        if (!row || !row->name) {
            json_object_put(out);
            return fail_null(error, "Parameter 'options.%s' is unexpected", key);
        }
        json_object_object_add(out, row->name, json_object_get(value));
    }
    if (!opts_check(out, rows, NULL, error)) {
        json_object_put(out);
        return NULL;
    }
    return out;
}

static bool co_create_run(BlockJob *j, GError **error)
{
    CreateJob *c = (CreateJob *)j;
    const char *filename = keyval_get(c->opts, "filename"), *name = keyval_get(c->opts, "file");
    struct json_object *rows = row_names(c->driver->create_opts, c->opts, error);
    BlockNode *file;
    BlockEdge *e;
    bool good;

    job_total(j, 1);
    if (!rows) {
        return false;
    }
    if (c->driver->protocol) {
        good = filename ? c->driver->co_create
                              ? c->driver->co_create(filename, rows, error)
                              : fail(error, "Driver does not support blockdev-create")
                        : fail(error, "Parameter 'filename' is missing");
    } else if (!c->driver->co_format) {
        good = fail(error, "Driver does not support blockdev-create");
    } else {
        file = name ? block_node_or_device(name, error) : NULL;
        good = file != NULL || (!*error && fail(error, "Parameter 'file' is missing"));
        e = good ? block_attach(file, "image creation", BLOCK_PERM_READ, BLOCK_PERM_ALL, error)
                 : NULL;
        good = e && (file->length == 0 || co_block_truncate(file, 0, PREALLOC_OFF, error)) &&
               c->driver->co_format(file, rows, error);
        block_detach(e);
    }
    json_object_put(rows);
    j->done = good;
    return good;
}

static void create_clean(BlockJob *j)
{
    json_object_put(((CreateJob *)j)->opts);
}

static const JobDriver create_driver = {
    .type = JOB_TYPE_CREATE, .size = sizeof(CreateJob), .not_block = true, .co_run = co_create_run, .clean = create_clean,
};

bool qmp_blockdev_create(QmpCall *call, const QmpBlockdevCreateArgs *a, GError **error)
{
    JobParams p = { .id = a->job_id, .auto_finalize = true, .auto_dismiss = false };
    const char *name =
        json_object_is_type(a->options, json_type_object) ? keyval_get(a->options, "driver") : NULL;
    const BlockDriver *d = name ? block_driver_find(name) : NULL;
    BlockJob *j;

    if (!name) {
        return fail(error, "Parameter 'options.driver' is missing");
    }
    if (!d || !d->create_opts) {
        return fail(error, "Block driver '%s' not found or not supported", name);
    }
    j = job_new(&create_driver, &p, NULL, error);
    if (!j) {
        return false;
    }
    ((CreateJob *)j)->driver = d;
    ((CreateJob *)j)->opts = json_object_get(a->options);
    job_start(j);
    return true;
}

/* ---- amend ---- */

typedef struct AmendJob {
    BlockJob j;
    struct json_object *opts;   /* by the names of the rows */
    bool force;
} AmendJob;

/* Rows that can change while the image is in use: of qcow2, those of its encryption. */
static const OptDesc *live_rows(const BlockDriver *d, OptDesc *to, unsigned room)
{
    unsigned n = 0;

    if (!d->amend_live) {
        return d->amend_opts;
    }
    for (const OptDesc *o = d->amend_opts; o->name && n + 1 < room; o++) {
        if (g_str_has_prefix(o->name, d->amend_live)) {
            to[n++] = *o;
        }
    }
    to[n] = (OptDesc){0};
    return to;
}

/* {"encrypt": {"state": "active"}} is "encrypt.state". */
static struct json_object *flat(struct json_object *in)
{
    struct json_object *out = json_object_new_object();

    json_object_object_foreach (in, key, value) {
        if (!json_object_is_type(value, json_type_object)) {
            json_object_object_add(out, key, json_object_get(value));
            continue;
        }
        json_object_object_foreach (value, inner, v) {
            if (strcmp(inner, "format") != 0) {
                g_autofree char *name = g_strconcat(key, ".", inner, NULL);

                json_object_object_add(out, name, json_object_get(v));
            }
        }
    }
    return out;
}

static void amend_progress(void *opaque, uint64_t done, uint64_t total)
{
}

static bool co_amend_run(BlockJob *j, GError **error)
{
    AmendJob *a = (AmendJob *)j;

    job_total(j, 1);
    j->done = 1;
    return j->node->driver->co_amend(j->node, a->opts, a->force, amend_progress, NULL, error);
}

static void amend_clean(BlockJob *j)
{
    json_object_put(((AmendJob *)j)->opts);
}

static const JobDriver amend_driver = {
    .type = JOB_TYPE_AMEND, .size = sizeof(AmendJob), .not_block = true, .co_run = co_amend_run, .clean = amend_clean,
};

/* The state of key slots is what there is to change. */
static bool check_state(struct json_object *opts, GError **error)
{
    const char *inner = keyval_get(opts, "encrypt.state");
    const char *state = inner ? inner : keyval_get(opts, "state");

    if (!state) {
        return fail(error, "Parameter 'options.state' is missing");
    }
    return strcmp(state, "active") == 0 || strcmp(state, "inactive") == 0 ||
           fail(error, "Parameter 'state' does not accept value '%s'", state);
}

bool qmp_x_blockdev_amend(QmpCall *call, const QmpXBlockdevAmendArgs *a, GError **error)
{
    JobParams p = { .id = a->job_id, .auto_finalize = true, .auto_dismiss = false };
    BlockNode *n = block_node_find(a->node_name);
    const char *name =
        json_object_is_type(a->options, json_type_object) ? keyval_get(a->options, "driver") : NULL;
    struct json_object *plain, *opts;
    OptDesc room[16];
    BlockJob *j;

    if (!n) {
        return fail(error, "Cannot find device='' nor node-name='%s'", a->node_name);
    }
    if (!name) {
        return fail(error, "Parameter 'options.driver' is missing");
    }
    if (strcmp(name, n->driver->name) != 0) {
        return fail(error, "x-blockdev-amend doesn't support changing the block driver");
    }
    if (!n->driver->amend_opts) {
        return fail(error, "Driver does not support x-blockdev-amend");
    }
    plain = flat(a->options);
    opts = row_names(live_rows(n->driver, room, ARRAY_COUNT(room)), plain, error);
    json_object_put(plain);
    if (!opts) {
        return false;
    }
    /* without any option qcow2 has nothing to do; LUKS wants to be told */
    j = (n->driver->amend_live && json_object_object_length(opts) == 0) || check_state(opts, error)
            ? job_new(&amend_driver, &p, n, error)
            : NULL;
    if (!j) {
        json_object_put(opts);
        return false;
    }
    ((AmendJob *)j)->opts = opts;
    ((AmendJob *)j)->force = a->has_force && a->force;
    job_start(j);
    return true;
}
