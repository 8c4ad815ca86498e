// SPDX-License-Identifier: GPL-2.0-or-later
/* The graph's own parts: what node.c, open.c and perm.c give each other. */
#ifndef BLOCK_GRAPH_H
#define BLOCK_GRAPH_H

#include "block/node.h"

/* node.c */
BlockNode *node_new(void);
/* Into the list of nodes: it can be found now. */
void node_enter(BlockNode *n);
/* Of one that never was entered, or has left. */
void node_free(BlockNode *n);
/* Whether users may name nodes, jobs and exports so. */
bool block_id_good(const char *id);
bool node_set_name(BlockNode *n, const char *name, GError **error);
BlockEdge *edge_add(BlockNode *parent, BlockNode *node, const char *name, unsigned role);
void edge_remove(BlockEdge *e);
/* The new node gets a reference; the old one's passes to the caller. */
void edge_move(BlockEdge *e, BlockNode *to);

/* Nodes that lived by their names go. */
void block_nodes_forget(void);

/* front.c: no front has a medium any more */
void block_fronts_eject_all(void);

/* perm.c */
/*
 * Works out permissions of n and all below it from the edges of users; on failure all is as before.
 */
bool perm_refresh(BlockNode *n, GError **error);
/* The same for two nodes whose users changed together. */
bool perm_refresh_both(BlockNode *a, BlockNode *b, GError **error);
/* The same after users have gone, which cannot fail. */
void perm_relax(BlockNode *n);

/* handover.c: whether nodes begin inactive */
bool block_begins_inactive(void);

/* bitmap.c */
void block_node_bitmaps_free(BlockNode *n);

/* open.c */
bool block_get_bool(struct json_object *opts, const char *key, bool *value, GError **error);
bool block_get_common(BlockNode *n, struct json_object *opts, GError **error);
struct json_object *block_own_options(const BlockDriver *d, struct json_object *opts, bool strict,
                                      GError **error);
/* Dotted members ("file.driver") become nested ones; a new object. */
struct json_object *block_nest_options(struct json_object *flat);
#endif
