// SPDX-License-Identifier: GPL-2.0-or-later
/* The NBD server of the process and its exports: commands of the management interface. */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "block/export.h"
#include "block/nbd.h"
#include "qapi/qapi-commands.h"
#include "qapi/startup.h"
#include "util/error.h"
#include "util/socket.h"

/* Of the process: there is one NBD server at most. */
static NbdServer *server;
static char *socket_path;       /* removed with the server; NULL: none */

NbdServer *nbd_main_server(void)
{
    return server;
}

/* ---- the server ---- */

static bool start(const SocketPlace *place, const char *creds, const char *authz, unsigned max,
                  GError **error)
{
    int fd;

    if (server) {
        return fail(error, "NBD server already running");
    }
    fd = socket_listen(place, (int)max, error);
    if (fd < 0) {
        return false;
    }
    server = nbd_server_new(fd, creds, authz, max, error);
    socket_path = server && place->kind == SOCKET_UNIX ? g_strdup(place->path) : NULL;
    return server != NULL;
}

static SocketPlace inet_place(const InetSocketAddress *a)
{
    return (SocketPlace){.kind = SOCKET_INET,
                         .host = a->host,
                         .port = a->port,
                         .ipv4 = a->has_ipv4 && a->ipv4,
                         .ipv6 = a->has_ipv6 && a->ipv6};
}

/* Both forms of addresses have the same kinds. */
static bool make_place(int type, const void *branch, SocketPlace *p, GError **error)
{
    switch (type) {
    case SOCKET_ADDRESS_TYPE_INET:
        *p = inet_place(branch);
        return true;
    case SOCKET_ADDRESS_TYPE_UNIX:
        *p = (SocketPlace){.kind = SOCKET_UNIX, .path = ((const UnixSocketAddress *)branch)->path};
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

    /* each branch sits in a member `data`, at the same place */
    return make_place(args->addr->type, args->addr->u.inet->data, &p, error) &&
           start(&p, args->tls_creds, args->tls_authz,
                 args->has_max_connections ? args->max_connections : 0, error);
}

bool nbd_server_start_options(struct json_object *opts, GError **error)
{
    NbdServerOptions *o = NULL;
    SocketPlace p;
    bool good = qapi_from_keyval(&qapi_type_NbdServerOptions, opts, &o, error) &&
                make_place(o->addr->type, o->addr->u.any_branch, &p, error) &&
                start(&p, o->tls_creds, o->tls_authz,
                      o->has_max_connections ? o->max_connections : 0, error);

    if (o) {
        QAPI_FREE(NbdServerOptions, o);
    }
    return good;
}

void nbd_main_server_stop(void)
{
    block_exports_stop(BLOCK_EXPORT_TYPE_NBD);
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
    nbd_main_server_stop();
    return true;
}

static void stop_hook(struct Vm *vm)
{
    nbd_main_server_stop();
}
START_HOOK(nbd_server, { .phase = START_BLOCK, .name = "nbd-server", .stop = stop_hook });

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

typedef struct NbdBlockExport {
    BlockExport common;
    NbdExport *export;
} NbdBlockExport;

static bool export_open(BlockExport *e, const BlockExportOptions *options, GError **error)
{
    const BlockExportOptionsNbd *o = options->u.nbd;
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    NbdExportOptions how = {
        .name = o->name ? o->name : e->node->name, .description = o->description,
        .writable = options->has_writable && options->writable,
        .allocation_depth = o->has_allocation_depth && o->allocation_depth,
    };

    if (!server) {
        return fail(error, "NBD server not running");
    }
    bitmap_names(o->bitmaps, names);
    how.bitmaps = (const char *const *)names->pdata;
    ((NbdBlockExport *)e)->export = nbd_export_new(server, e->node, &how, error);
    return ((NbdBlockExport *)e)->export != NULL;
}

static bool export_used(const BlockExport *e)
{
    return nbd_export_used(((const NbdBlockExport *)e)->export);
}

static void export_close(BlockExport *e)
{
    nbd_export_free(((NbdBlockExport *)e)->export);
}

static const BlockExportDriver nbd_exports = {
    .type = BLOCK_EXPORT_TYPE_NBD, .size = sizeof(NbdBlockExport), .open = export_open, .used = export_used,
    .close = export_close,
};
EXPORT_DRIVER(nbd_exports);

bool qmp_nbd_server_add(QmpCall *call, const NbdServerAddOptions *args, GError **error)
{
    BlockNode *n = block_node_or_device(args->device, error);
    BlockExportOptionsNbd nbd = {.name = args->name ? args->name : args->device,
                                 .description = args->description,
                                 .bitmaps = args->bitmaps,
                                 .has_allocation_depth = args->has_allocation_depth,
                                 .allocation_depth = args->allocation_depth};
    BlockExportOptions o = {
        .type = BLOCK_EXPORT_TYPE_NBD, .id = nbd.name, .has_writable = true, .u.nbd = &nbd};

    if (!n) {
        return false;
    }
    /* a node that cannot be written is shown read-only, as this command always did */
    o.node_name = n->name;
    o.writable = args->has_writable && args->writable && !n->read_only;
    return block_export_add(&o, error);
}

bool qmp_nbd_server_remove(QmpCall *call, const QmpNbdServerRemoveArgs *args, GError **error)
{
    return server ? block_export_del(args->name,
                                     args->has_mode && args->mode == BLOCK_EXPORT_REMOVE_MODE_HARD,
                                     error)
                  : fail(error, "NBD server not running");
}
