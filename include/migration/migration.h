// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Migration: the machine's state goes to another process while the machine runs, or comes from one.
 * What the layers above do for it is given in a row of functions.
 */
#ifndef MIGRATION_MIGRATION_H
#define MIGRATION_MIGRATION_H

#include "qom/vm.h"

/* All in the main loop with the machine lock. */
typedef struct MigrationHelpers {
    /* Why no migration is possible just now (disks), else true. */
    bool (*possible)(GError **error);
    /* The machine stands: what it has asked its devices for ends. */
    void (*quiesce)(void);
    /* Disks are written back and left to another process; taken again. */
    bool (*give_disks)(GError **error);
    bool (*take_disks)(GError **error);
    /*
     * Dirty bitmaps of disks as bytes, before disks are given; and those bytes at the other end,
     * after they are taken. mapping: rows of BitmapMigrationNodeAlias, NULL: all, by their names.
     */
    bool (*pack_bitmaps)(const GPtrArray *mapping, GByteArray *out, GError **error);
    bool (*unpack_bitmaps)(const GPtrArray *mapping, const GByteArray *bytes, GError **error);
    /* The machine is here now: networks are told. */
    void (*announce)(int64_t initial_ms, int64_t max_ms, int64_t rounds, int64_t step_ms);
} MigrationHelpers;
/* Before migration is used. */
void migration_set_helpers(const MigrationHelpers *h);

/* Starts sending the machine to a URI: exec:, fd:, tcp:, unix:. */
bool migration_start(Vm *vm, const char *uri, GError **error);
void migration_cancel(Vm *vm);
/* -incoming: waits for the machine at a URI, or ("defer") for migrate-incoming. START_RUN. */
bool migration_expect(Vm *vm, const char *uri, bool run, GError **error);

#endif
