// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter copy-before-write as snapshot-access sees it: a disk as it was when the filter was
 * made. Graph entered.
 */
#ifndef BLOCK_FILTERS_COPY_BEFORE_WRITE_H
#define BLOCK_FILTERS_COPY_BEFORE_WRITE_H

#include "block/driver.h"

extern const BlockDriver copy_before_write_driver;

/* -EACCES where the snapshot is not to be read (any more). */
int co_cbw_snapshot_read(BlockNode *cbw, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov);
int co_cbw_snapshot_status(BlockNode *cbw, uint64_t offset, uint64_t bytes, bool want_zero,
                           BlockStatus *st);
/* Nobody will read the range again. */
int co_cbw_snapshot_discard(BlockNode *cbw, uint64_t offset, uint64_t bytes);

#endif
