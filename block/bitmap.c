// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty bitmaps of nodes: which blocks were written. */
#include "block/driver.h"
#include "block/graph.h"

void block_node_bitmaps_free(BlockNode *n)
{
    g_clear_pointer(&n->bitmaps, g_ptr_array_unref);
}

void block_bitmaps_resized(BlockNode *n)
{
}
