// SPDX-License-Identifier: GPL-2.0-or-later
/* Fault injection: events that drivers pass, and the breakpoints of qemu-io. */
#ifndef BLOCK_FILTERS_BLKDEBUG_H
#define BLOCK_FILTERS_BLKDEBUG_H

#include "block/node.h"

/*
 * A driver above `file` does something with a name of its own ("l2_update"): nothing unless file is
 * a blkdebug.
 */
void blkdebug_event(BlockNode *file, const char *event);

/* For the blkdebug below n; they return false when there is none or it fails. */
bool blkdebug_break(BlockNode *n, const char *event, const char *tag);
bool blkdebug_remove_break(BlockNode *n, const char *tag);
bool blkdebug_resume(BlockNode *n, const char *tag);
bool blkdebug_is_suspended(BlockNode *n, const char *tag);

#endif
