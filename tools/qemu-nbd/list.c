// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-nbd --list: what a server exports. */
#include <stdio.h>

#include "block/nbd/client.h"
#include "block/tool.h"
#include "tools/qemu-nbd/qemu-nbd.h"
#include "util/error.h"

typedef struct Listing {
    SocketPlace place;
    NbdConnect how;
    GArray *list;
    GError *err;
} Listing;

static void co_list(void *opaque)
{
    Listing *l = opaque;
    CoChannel *c = co_nbd_client_connect(&l->place, &l->err);

    if (c) {
        l->list = co_nbd_client_list(c, &l->how, &l->err);
        channel_free(c);
    }
}

static void print_flags(uint16_t flags)
{
    static const char *const names[] = {
        NULL,     "readonly", "flush", "fua",    "rotational", "trim",
        "zeroes", "df",       "multi", "resize", "cache",      "fast-zero",
    };

    printf("  flags: 0x%x (", flags);
    for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
        if (flags >> i & 1) {
            printf(" %s", names[i]);
        }
    }
    printf(" )\n");
}

static void print_info(const NbdInfo *info)
{
    printf(" export: '%s'\n", info->name);
    if (info->description && info->description[0]) {
        printf("  description: %s\n", info->description);
    }
    if (info->flags & NBD_HAS_FLAGS) {
        printf("  size:  %" G_GUINT64_FORMAT "\n", info->size);
        print_flags(info->flags);
    }
    if (info->min_block) {
        printf("  min block: %u\n", info->min_block);
        printf("  opt block: %u\n", info->preferred);
        printf("  max block: %u\n", info->max_block);
    }
    if (info->contexts && info->contexts->len) {
        printf("  available meta contexts: %u\n", info->contexts->len);
        for (unsigned i = 0; i < info->contexts->len; i++) {
            printf("   %s\n", (char *)info->contexts->pdata[i]);
        }
    }
}

int list_exports(const NbdArgs *a)
{
    Listing l = {
        .place = {.kind = a->socket ? SOCKET_UNIX : SOCKET_INET,
                  .path = a->socket,
                  .host = a->bind ? a->bind : "localhost",
                  .port = a->port ? a->port : NBD_PORT},
        .how = {.export = "",
                .tls_creds = a->tls_creds,
                .tls_hostname = a->tls_hostname ? a->tls_hostname : a->bind},
    };

    tool_init("qemu-nbd");
    for (unsigned i = 0; i < a->objects->len; i++) {
        if (!tool_object_add(a->objects->pdata[i], &l.err)) {
            return tool_fail(l.err);
        }
    }
    block_run(co_list, &l);
    if (!l.list) {
        return tool_fail(l.err);
    }
    printf("exports available: %u\n", l.list->len);
    for (unsigned i = 0; i < l.list->len; i++) {
        print_info(&g_array_index(l.list, NbdInfo, i));
    }
    g_array_free(l.list, TRUE);
    tool_exit();
    return 0;
}
