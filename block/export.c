// SPDX-License-Identifier: GPL-2.0-or-later
/* The exports of the process, by id, and the commands that add, end and list them. */
#include "block/export.h"

#include <string.h>

#include "block/graph.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qapi/startup.h"
#include "qom/iothread.h"
#include "util/error.h"
#include "util/main-loop.h"

extern const BlockExportDriver *const __start_export_drivers[], *const __stop_export_drivers[];

/* Of the process, in the order of their making. */
static GPtrArray *exports;

static const BlockExportDriver *driver_find(BlockExportType type)
{
    for (const BlockExportDriver *const *d = __start_export_drivers; d < __stop_export_drivers;
         d++) {
        if ((*d)->type == type) {
            return *d;
        }
    }
    return NULL;
}

BlockExport *block_export_find(const char *id)
{
    for (unsigned i = 0; exports && i < exports->len; i++) {
        BlockExport *e = g_ptr_array_index(exports, i);

        if (strcmp(e->id, id) == 0) {
            return e;
        }
    }
    return NULL;
}

static void export_free(BlockExport *e)
{
    block_node_unref(e->node);
    g_free(e->id);
    g_free(e);
}

bool block_export_add(const BlockExportOptions *o, GError **error)
{
    const BlockExportDriver *d = driver_find(o->type);
    BlockNode *n = block_node_find(o->node_name);
    BlockExport *e;

    if (!d) {
        return fail(error, "exports of type '%s' are not built in",
                    qapi_enum_name(&qapi_type_BlockExportType, (int)o->type));
    }
    if (!block_id_good(o->id)) {
        return fail(error, "Invalid block export id");
    }
    if (block_export_find(o->id)) {
        return fail(error, "Block export id '%s' is already in use", o->id);
    }
    if (!n) {
        return fail(error, "Cannot find device='' nor node-name='%s'", o->node_name);
    }
    if (o->iothread && !object_child(object_container("/objects"), o->iothread)) {
        return fail(error, "iothread \"%s\" not found", o->iothread);
    }
    if (o->has_writable && o->writable && n->read_only) {
        return fail(error, "Cannot export read-only node as writable");
    }
    /* a disk that is filled before its machine comes */
    if (o->has_writable && o->writable && n->inactive && !block_node_activate(n, error)) {
        return false;
    }
    if (o->iothread) {
        IoThread *t = iothread_find(o->iothread, error);

        if (!t) {
            return false;
        }
        if (block_node_loop(n) == event_loop_main()) {
            block_node_set_iothread(n, (Object *)t);
        } else if (block_node_loop(n) != iothread_loop(t) && o->has_fixed_iothread &&
                   o->fixed_iothread) {
            return fail(error, "node '%s' is used in another iothread", o->node_name);
        }
    }
    e = g_malloc0(d->size);
    e->driver = d;
    e->id = g_strdup(o->id);
    e->node = block_node_ref(n);
    if (!d->open(e, o, error)) {
        export_free(e);
        return false;
    }
    exports = exports ? exports : g_ptr_array_new();
    g_ptr_array_insert(exports, 0, e);
    return true;
}

static void export_remove(BlockExport *e)
{
    BlockExportDeletedEvent data = { .id = e->id };

    g_ptr_array_remove(exports, e);
    e->driver->close(e);
    qapi_event_block_export_deleted(&data);
    export_free(e);
}

bool block_export_del(const char *id, bool hard, GError **error)
{
    BlockExport *e = block_export_find(id);

    if (!e) {
        return fail(error, "Export '%s' is not found", id);
    }
    if (!hard && e->driver->used(e)) {
        return fail(error, "export '%s' still in use", id);
    }
    export_remove(e);
    return true;
}

static void end_by_id(void *opaque)
{
    g_autofree char *id = opaque;
    BlockExport *e = block_export_find(id);

    if (e) {
        export_remove(e);
    }
}

void block_export_end_soon(BlockExport *e)
{
    main_loop_run_soon(end_by_id, g_strdup(e->id));
}

void block_exports_stop(int type)
{
    for (unsigned i = exports ? exports->len : 0; i-- > 0;) {
        BlockExport *e = i < exports->len ? g_ptr_array_index(exports, i) : NULL;

        if (e && (type < 0 || e->driver->type == (BlockExportType)type)) {
            export_remove(e);
        }
    }
}

/* ---- commands ---- */

bool qmp_block_export_add(QmpCall *call, const BlockExportOptions *args, GError **error)
{
    return block_export_add(args, error);
}

bool block_export_add_options(struct json_object *opts, GError **error)
{
    BlockExportOptions *o = NULL;
    bool good;

    if (!qapi_from_keyval(&qapi_type_BlockExportOptions, opts, &o, error)) {
        return false;
    }
    good = block_export_add(o, error);
    QAPI_FREE(BlockExportOptions, o);
    return good;
}

bool qmp_block_export_del(QmpCall *call, const QmpBlockExportDelArgs *args, GError **error)
{
    return block_export_del(args->id, args->has_mode && args->mode == BLOCK_EXPORT_REMOVE_MODE_HARD,
                            error);
}

GPtrArray *qmp_query_block_exports(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; exports && i < exports->len; i++) {
        BlockExport *e = g_ptr_array_index(exports, i);
        BlockExportInfo *info = g_new0(BlockExportInfo, 1);

        info->id = g_strdup(e->id);
        info->type = e->driver->type;
        info->node_name = g_strdup(e->node->name);
        g_ptr_array_add(list, info);
    }
    return list;
}

static void stop_hook(struct Vm *vm)
{
    block_exports_stop(-1);
}
START_HOOK(block_exports, { .phase = START_BLOCK, .name = "exports", .stop = stop_hook });
