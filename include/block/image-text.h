// SPDX-License-Identifier: GPL-2.0-or-later
/* What images are, as people and programs are told it. */
#ifndef BLOCK_IMAGE_TEXT_H
#define BLOCK_IMAGE_TEXT_H

#include "block/driver.h"

/* "1.5 GiB" */
char *block_human_size(uint64_t bytes);
/* Of BlockSnapshot; empty when there are none. */
GArray *co_block_snapshots(BlockNode *n);
/* The object that `qemu-img info --output=json` prints. */
struct json_object *co_image_json(BlockNode *n);
void snapshots_text(GString *out, GArray *list);
/* The same without its title. */
void snapshots_table(GString *out, GArray *list);
void co_image_text(GString *out, BlockNode *n);

#endif
