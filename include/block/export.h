// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Exports: block nodes that other processes use, by whatever protocol. A kind is a constant
 * BlockExportDriver, placed by EXPORT_DRIVER() in a linker section. Machine lock held everywhere.
 */
#ifndef BLOCK_EXPORT_H
#define BLOCK_EXPORT_H

#include "block/node.h"
#include "qapi/qapi-types.h"

typedef struct BlockExport BlockExport;

typedef struct BlockExportDriver {
    BlockExportType type;
    size_t size;                /* of the structure that begins with a BlockExport */
    /* id and node are set. On failure it frees what it has made; close() is not called. */
    bool (*open)(BlockExport *e, const BlockExportOptions *o, GError **error);
    /* Whether a client is there. */
    bool (*used)(const BlockExport *e);
    /* Disconnects clients and waits for their requests. */
    void (*close)(BlockExport *e);
} BlockExportDriver;
#define EXPORT_DRIVER(t) SECTION_ENTRY(export_drivers, const BlockExportDriver *, t##_row, &t)

struct BlockExport {
    const BlockExportDriver *driver;
    char *id;
    BlockNode *node;            /* a reference */
};

bool block_export_add(const BlockExportOptions *o, GError **error);
/* block-export-add with its arguments as an object of texts. */
bool block_export_add_options(struct json_object *opts, GError **error);
BlockExport *block_export_find(const char *id);
/* Soft: refused while a client is there. */
bool block_export_del(const char *id, bool hard, GError **error);
/* Ends an export from its own doing (unmounted): soon, in the main loop. */
void block_export_end_soon(BlockExport *e);
/* Ends all exports of a kind; -1: all. */
void block_exports_stop(int type);

#endif
