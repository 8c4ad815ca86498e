// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes, numbers and texts of a machine's state stream, and its memory sections: what
 * machine-state.c, outgoing.c and incoming.c share. docs/devel/machine-state.md has the format.
 */
#ifndef MIGRATION_STREAM_H
#define MIGRATION_STREAM_H

#include "exec/memory.h"
#include "migration/machine-state.h"

#define STATE_BUFFER_BYTES MIB

enum {
    SECTION_END = 0,
    SECTION_CLOCK = 1,
    SECTION_RAM = 2,
    SECTION_DEVICE = 3,
    SECTION_RUN_STATE = 4,
    SECTION_ANSWER = 5,
    SECTION_BITMAPS = 6
};

/* Around a stream's use. */
void stream_open(StateStream *s);
void stream_close(StateStream *s);

bool stream_put(StateStream *s, const void *data, size_t len, GError **error);
bool stream_put_u8(StateStream *s, uint8_t v, GError **error);
bool stream_put_u32(StateStream *s, uint32_t v, GError **error);
bool stream_put_u64(StateStream *s, uint64_t v, GError **error);
bool stream_put_text(StateStream *s, const char *text, GError **error);
/* What is buffered goes out. */
bool stream_flush(StateStream *s, GError **error);
/* Room in the buffer for that much, so that stream_put() does not write. */
bool stream_room(StateStream *s, size_t len, GError **error);

bool stream_get(StateStream *s, void *data, size_t len, GError **error);
bool stream_get_u32(StateStream *s, uint32_t *v, GError **error);
bool stream_get_u64(StateStream *s, uint64_t *v, GError **error);
/* A new string, or NULL. */
char *stream_get_text(StateStream *s, GError **error);

/* ---- memory ---- */

/* A block of memory whose pages are sent: those that `pages` has bits for. */
typedef struct RamSend {
    uint64_t id, size; /* RamBlock.offset, which no two blocks have ever */
    char *name;
    unsigned long *pages;
} RamSend;

typedef struct RamCounts {
    uint64_t zero, normal; /* pages */
} RamCounts;

/* RamSend of all blocks, with all pages; freed with g_ptr_array_unref. Machine lock. */
GPtrArray *ram_send_new(void);
/* Bytes of pages whose bits are set. */
uint64_t ram_send_left(GPtrArray *list);
/*
 * Pages written since the last call are added. Vcpus that are about to write have done it when it
 * returns. No lock is held.
 */
void ram_send_collect(GPtrArray *list);
/*
 * Sends the pages of all blocks, and clears their bits. stop() may end it early (NULL: never).
 */
bool ram_send(StateStream *s, GPtrArray *list, RamCounts *counts, bool (*stop)(void *opaque),
              void *opaque, GError **error);
/* A section of memory that follows its type. Any thread, the machine stands. */
bool ram_receive(StateStream *s, GError **error);

#endif
