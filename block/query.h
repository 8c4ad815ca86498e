// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts for the human monitor. */
#ifndef BLOCK_QUERY_H
#define BLOCK_QUERY_H

#include <glib.h>

/* info block, info blockstats. */
void block_print(GString *out);
void block_print_stats(GString *out);

#endif
