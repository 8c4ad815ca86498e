// SPDX-License-Identifier: GPL-2.0-or-later
/* The NBD server of the process, and exports by id: commands of the management interface. */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "block/bitmap.h"
#include "block/nbd.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qapi/startup.h"
#include "util/error.h"
#include "util/socket.h"

typedef struct Exported {
    char *id;
    NbdExport *export;
    BlockNode *node;
} Exported;

/* Of the process: there is one NBD server at most. */
static NbdServer *server;
static char *socket_path;       /* removed with the server; NULL: none */
static GPtrArray *exported;

NbdServer *nbd_main_server(void)
{
    return server;
}

static Exported *find(const char *id)
{
    for (unsigned i = 0; exported && i < exported->len; i++) {
        Exported *e = g_ptr_array_index(exported, i);

        if (strcmp(e->id, id) == 0) {
            return e;
        }
    }
    return NULL;
}

static void remove_export(Exported *e)
{
    BlockExportDeletedEvent data = { .id = e->id };

    g_ptr_array_remove(exported, e);
    nbd_export_free(e->export);
    qapi_event_block_export_deleted(&data);
    block_node_unref(e->node);
    g_free(e->id);
    g_free(e);
}

/* ---- the server ---- */

static bool start(const SocketPlace *place, const char *creds, unsigned max, GError **error)
{
    int fd;

    if (server) {
        return fail(error, "NBD server already running");
    }
    fd = socket_listen(place, (int)max, error);
    if (fd < 0) {
        return false;
    }
    server = nbd_server_new(fd, creds, max, error);
    socket_path = server && place->kind == SOCKET_UNIX ? g_strdup(place->path) : NULL;
    return server != NULL;
}

static SocketPlace inet_place(const InetSocketAddress *a)
{
    return (SocketPlace){ .kind = SOCKET_INET, .host = a->host, .port = a->port, .ipv4 = a->has_ipv4 && a->ipv4,
                          .ipv6 = a->has_ipv6 && a->ipv6 };
}

/* Both forms of addresses have the same kinds. */
static bool make_place(int type, const void *branch, SocketPlace *p, GError **error)
{
    switch (type) {
    case SOCKET_ADDRESS_TYPE_INET:
        *p = inet_place(branch);
        return true;
    case SOCKET_ADDRESS_TYPE_UNIX:
        *p = (SocketPlace){ .kind = SOCKET_UNIX, .path = ((const UnixSocketAddress *)branch)->path };
        return true;
    case SOCKET_ADDRESS_TYPE_FD:
        *p = (SocketPlace){ .kind = SOCKET_FD, .fd = ((const FdSocketAddress *)branch)->str };
        return true;
    default:
        return fail(error, "sockets of this type are not supported here");
    }
}

bool qmp_nbd_server_start(QmpCall *call, const QmpNbdServerStartArgs *args, GError **error)
{
    SocketPlace p;

    if (args->tls_authz) {
        return fail(error, "tls-authz is not supported");
    }
    /* each branch sits in a member `data`, at the same place */
    return make_place(args->addr->type, args->addr->u.inet->data, &p, error) &&
           start(&p, args->tls_creds, args->has_max_connections ? args->max_connections : 0, error);
}

bool nbd_server_start_options(struct json_object *opts, GError **error)
{
    NbdServerOptions *o = NULL;
    SocketPlace p;
    bool good = qapi_from_keyval(&qapi_type_NbdServerOptions, opts, &o, error) &&
                make_place(o->addr->type, o->addr->u.any_branch, &p, error) &&
                start(&p, o->tls_creds, o->has_max_connections ? o->max_connections : 0, error);

    if (o) {
        QAPI_FREE(NbdServerOptions, o);
    }
    return good;
}

void nbd_exports_stop(void)
{
    while (exported && exported->len) {
        remove_export(g_ptr_array_index(exported, exported->len - 1));
    }
    nbd_server_free(server);
    server = NULL;
    if (socket_path) {
        unlink(socket_path);
        g_clear_pointer(&socket_path, g_free);
    }
}

bool qmp_nbd_server_stop(QmpCall *call, GError **error)
{
    if (!server) {
        return fail(error, "NBD server not running");
    }
    nbd_exports_stop();
    return true;
}

static void stop_hook(struct Vm *vm)
{
    nbd_exports_stop();
}
START_HOOK(block_exports, { .phase = START_BLOCK, .name = "exports", .stop = stop_hook });

/* ---- exports ---- */

/* Bitmaps are looked for in the node and in those below it; names is NULL-terminated. */
static void bitmap_names(const GPtrArray *list, GPtrArray *names)
{
    for (unsigned i = 0; list && i < list->len; i++) {
        const BlockDirtyBitmapOrStr *b = g_ptr_array_index(list, i);
        const char *name = b->type == QAPI_STR ? b->u.local : b->u.external->name;

        g_ptr_array_add(names, (void *)name);
    }
    g_ptr_array_add(names, NULL);
}

static bool add(const char *id, BlockNode *n, bool writable, const BlockExportOptionsNbd *o, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    NbdExportOptions how = {
        .name = o->name ? o->name : n->name, .description = o->description, .writable = writable,
        .allocation_depth = o->has_allocation_depth && o->allocation_depth,
    };
    Exported *e;
    NbdExport *made;

    if (!server) {
        return fail(error, "NBD server not running");
    }
    if (find(id)) {
        return fail(error, "Block export id '%s' is already in use", id);
    }
    bitmap_names(o->bitmaps, names);
    how.bitmaps = (const char *const *)names->pdata;
    made = nbd_export_new(server, n, &how, error);
    if (!made) {
        return false;
    }
    e = g_new0(Exported, 1);
    e->id = g_strdup(id);
    e->export = made;
    e->node = block_node_ref(n);
    exported = exported ? exported : g_ptr_array_new();
    g_ptr_array_add(exported, e);
    return true;
}

static bool add_export(const BlockExportOptions *o, GError **error)
{
    BlockNode *n = block_node_find(o->node_name);

    if (!n) {
        return fail(error, "Cannot find device='' nor node-name='%s'", o->node_name);
    }
    return add(o->id, n, o->has_writable && o->writable, o->u.nbd, error);
}

bool qmp_block_export_add(QmpCall *call, const BlockExportOptions *args, GError **error)
{
    return add_export(args, error);
}

bool block_export_add_options(struct json_object *opts, GError **error)
{
    BlockExportOptions *o = NULL;
    bool good;

    if (!qapi_from_keyval(&qapi_type_BlockExportOptions, opts, &o, error)) {
        return false;
    }
    good = add_export(o, error);
    QAPI_FREE(BlockExportOptions, o);
    return good;
}

bool qmp_nbd_server_add(QmpCall *call, const NbdServerAddOptions *args, GError **error)
{
    BlockNode *n = block_node_or_device(args->device, error);
    BlockExportOptionsNbd o = { .name = args->name ? args->name : args->device, .description = args->description,
                                .bitmaps = args->bitmaps, .has_allocation_depth = args->has_allocation_depth,
                                .allocation_depth = args->allocation_depth };

    /* a node that cannot be written is shown read-only, as this command always did */
    return n && add(o.name, n, args->has_writable && args->writable && !n->read_only, &o, error);
}

static bool del(const char *id, bool hard, GError **error)
{
    Exported *e = find(id);

    if (!e) {
        return fail(error, "Export '%s' is not found", id);
    }
    if (!hard && nbd_export_used(e->export)) {
        return fail(error, "export '%s' still in use", id);
    }
    remove_export(e);
    return true;
}

bool qmp_block_export_del(QmpCall *call, const QmpBlockExportDelArgs *args, GError **error)
{
    return del(args->id, args->has_mode && args->mode == BLOCK_EXPORT_REMOVE_MODE_HARD, error);
}

bool qmp_nbd_server_remove(QmpCall *call, const QmpNbdServerRemoveArgs *args, GError **error)
{
    return server ? del(args->name, args->has_mode && args->mode == BLOCK_EXPORT_REMOVE_MODE_HARD, error)
                  : fail(error, "NBD server not running");
}

GPtrArray *qmp_query_block_exports(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; exported && i < exported->len; i++) {
        Exported *e = g_ptr_array_index(exported, i);
        BlockExportInfo *info = g_new0(BlockExportInfo, 1);

        info->id = g_strdup(e->id);
        info->type = BLOCK_EXPORT_TYPE_NBD;
        info->node_name = g_strdup(e->node->name);
        g_ptr_array_add(list, info);
    }
    return list;
}
