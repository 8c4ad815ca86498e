// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways in which chunks of Apple disk images are packed: one row each. */
#ifndef BLOCK_FORMATS_DMG_H
#define BLOCK_FORMATS_DMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/types.h"

typedef struct DmgPacking {
    uint32_t type;                  /* of the chunk */
    /* Fills `to` to its end exactly; both sides are hostile. Runs in a worker thread. */
    bool (*unpack)(uint8_t *to, size_t len, const uint8_t *from, size_t have);
} DmgPacking;
#define DMG_PACKING(t) SECTION_ENTRY(dmg_packings, const DmgPacking *, t##_row, &t)

#endif
