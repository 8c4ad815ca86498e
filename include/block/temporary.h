// SPDX-License-Identifier: GPL-2.0-or-later
/* Images that are gone with the process. */
#ifndef BLOCK_TEMPORARY_H
#define BLOCK_TEMPORARY_H

#include "block/node.h"

/*
 * -snapshot: the node of `opts` (read-only) below an image that is gone with the process. NULL +
 * error.
 */
BlockNode *temporary_open(struct json_object *opts, unsigned flags, GError **error);

#endif
