// SPDX-License-Identifier: GPL-2.0-or-later
/* The drives of -drive: a node, how the guest is to see it, and where it is to be plugged. */
#ifndef BLOCK_DRIVE_H
#define BLOCK_DRIVE_H

#include "block/block.h"

typedef struct Drive {
    DriveInfo info;
    BlockNode *node;            /* NULL: no medium */
    struct BlockEdge *edge;     /* follows node when the graph changes */
    BlockFront *front;          /* the device's end; NULL: not taken */
    bool writeback;
    int on_read_error, on_write_error;
    struct ThrottleLimits *limits;  /* NULL: none */
    char *throttle_group;       /* NULL: its own */
    int index;                  /* -1: not given */
    char *text;                 /* the option, for errors that come later; NULL: the board's */
    struct FrontStats *stats;   /* what is to be measured, until a device takes the drive */
} Drive;

Drive *drive_find(const char *id);
Drive *drive_nth(unsigned i);
/* While the machine runs: drives that no board looks for. */
bool drive_hot_add(const char *text, GError **error);
/* Its device keeps a front without medium and name. */
bool drive_delete(Drive *d, GError **error);
/* For that. */
void block_front_orphan(BlockFront *b);
/* Takes over the reference of n; NULL: no medium. */
void drive_set_node(Drive *d, BlockNode *n);

struct ThrottleLimits;
/* Limits of a front; none set: it is free. group NULL: one of its own. block/throttle.c. */
void front_set_throttle(BlockFront *b, const char *group, const struct ThrottleLimits *l);

#endif
