// SPDX-License-Identifier: GPL-2.0-or-later
/* Parts of a transaction: each is prepared, and then all are committed or undone. */
#ifndef BLOCK_TRANSACTION_H
#define BLOCK_TRANSACTION_H

#include "block/job.h"

typedef struct Action Action;
struct Action {
    void (*commit)(Action *a);
    void (*undo)(Action *a);
    void (*clean)(Action *a);   /* NULL: node is dropped */
    BlockNode *node, *overlay;  /* references */
    DirtyBitmap *bitmap;
    BlockJob *job;              /* made, started at the end */
    bool done, was;
    char *text;
    uint8_t *backup;            /* of a bitmap */
    uint64_t backup_bytes, backup_count;
};

bool action_prepare(Action *a, const char *type, struct json_object *data, JobTxn *txn,
                    GError **error);
bool transaction_run(struct json_object *actions, bool grouped, GError **error);
BlockJob *blockdev_backup_prepare(const BlockdevBackup *a, JobTxn *txn, GError **error);
BlockJob *drive_backup_prepare(const DriveBackup *a, JobTxn *txn, GError **error);

#endif
