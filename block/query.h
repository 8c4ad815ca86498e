// SPDX-License-Identifier: GPL-2.0-or-later
/* What the queries of both monitors have in common. */
#ifndef BLOCK_QUERY_H
#define BLOCK_QUERY_H

#include <glib.h>

#include "block/drive.h"

/* QOM path of the device that has it; NULL: none. New string. */
char *front_owner_path(const BlockFront *b);
bool front_tray_open(const BlockFront *b);
bool front_tray_locked(const BlockFront *b);
/* Since the last request; 0: there was none. */
int64_t front_idle_ns(const BlockFront *b);
/*
 * As `query-block` lists them: drives in their order, taken by a device or not (those are shown as
 * a front that is gone afterwards), then fronts of devices without a drive.
 */
void block_drives_foreach(void (*fn)(BlockFront *b, void *opaque), void *opaque);

#endif
