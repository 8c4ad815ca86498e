// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty bitmaps that live in qcow2 images. */
#include <errno.h>
#include <string.h>

#include "block/qcow2-check.h"
#include "util/error.h"

bool co_qcow2_bitmaps_read(Qcow2 *q, GError **error)
{
    return true;
}

bool co_qcow2_bitmaps_load(Qcow2 *q, GError **error)
{
    return true;
}

bool co_qcow2_bitmaps_store(Qcow2 *q, GError **error)
{
    return true;
}

void qcow2_bitmaps_free(Qcow2 *q)
{
}

struct json_object *qcow2_bitmaps_info(Qcow2 *q)
{
    return NULL;
}

int co_qcow2_count_bitmaps(Qcow2Count *k)
{
    return 0;
}

bool co_qcow2_can_store_bitmap(BlockNode *n, const char *name, uint32_t granularity, GError **error)
{
    return fail(error, "not supported yet");
}

bool co_qcow2_remove_bitmap(BlockNode *n, const char *name, GError **error)
{
    return fail(error, "not supported yet");
}
