// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting the references to a qcow2 image's clusters. */
#ifndef BLOCK_QCOW2_CHECK_H
#define BLOCK_QCOW2_CHECK_H

#include "block/qcow2.h"

typedef struct Qcow2Count {
    Qcow2 *q;
    BlockCheck *result;
    unsigned fix;
    uint32_t *refs;             /* by cluster */
    uint64_t clusters;          /* of the file */
    void *block;                /* of refcounts, looked at last; pinned. NULL: none */
    uint64_t block_index;
    uint64_t next;              /* where the next data cluster would not be fragmented */
} Qcow2Count;

/* Adds a use of each cluster of a range; false: it is beyond the file. */
bool qcow2_count(Qcow2Count *k, uint64_t offset, uint64_t len);
void qcow2_check_say(Qcow2Count *k, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* Fills refs from all but the refcounts themselves; the caller frees it. */
bool co_qcow2_count(Qcow2Count *k, GError **error);
int co_qcow2_count_l1(Qcow2Count *k, uint64_t offset, uint32_t size, bool active);
/* A new refcount table with 2^order bits a count, from refs, behind the end of the file. */
int co_qcow2_rebuild(Qcow2Count *k, unsigned order);
/* qcow2-bitmap.c */
int co_qcow2_count_bitmaps(Qcow2Count *k);
/* qcow2-snapshot.c: bytes of the table on disk */
uint64_t qcow2_snapshots_bytes(const Qcow2 *q);

#endif
