// SPDX-License-Identifier: GPL-2.0-or-later
/* The drives that -drive and its short forms named, for boards that make devices for them. */
#include "block/block.h"

/* In order of the command line; there is one command line. */
static GPtrArray *drives;

void drive_register(const DriveInfo *d)
{
    DriveInfo *copy = g_new(DriveInfo, 1);

    *copy = *d;
    copy->id = g_strdup(d->id);
    copy->iface = g_strdup(d->iface);
    copy->serial = g_strdup(d->serial);
    if (!drives) {
        drives = g_ptr_array_new();
    }
    g_ptr_array_add(drives, copy);
}

const DriveInfo *drive_info(unsigned i)
{
    return drives && i < drives->len ? g_ptr_array_index(drives, i) : NULL;
}

void drive_claim(const DriveInfo *d)
{
    ((DriveInfo *)d)->claimed = true;
}
