// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block devices as their users (devices, tools) see them. Requests are asynchronous: done() is
 * called in the main loop (or the node's I/O thread) with 0 or -errno. A full graph with
 * formats, permissions and jobs grows behind this contract.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <glib.h>
#include <sys/uio.h>
#include "qom/prop.h"
#include "util/types.h"

typedef struct BlockNode BlockNode;
typedef void BlockDone(void *opaque, int ret);

/* What prop_drive binds: the guest-side end of a drive. One per device. */
typedef struct BlockFront {
    BlockNode *node;            /* NULL: no medium */
    char *name;                 /* drive id or node name */
    bool read_only, removable, snapshot_discard;
    bool write_cache;           /* volatile cache shown to the guest */
    int on_read_error, on_write_error;      /* 0 report 1 ignore 2 enospc 3 stop 4 auto */
    char *serial;
} BlockFront;

/* bytes, multiple of 512; 0 without medium */
uint64_t block_size(BlockFront *b);
/*
 * offset and the iov's total are multiples of 512 and in range: the caller checks. iov stays valid
 * until done.
 */
void block_read(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n, BlockDone *done, void *opaque);
void block_write(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n, bool fua, BlockDone *done, void *opaque);
void block_flush(BlockFront *b, BlockDone *done, void *opaque);
void block_discard(BlockFront *b, uint64_t offset, uint64_t len, BlockDone *done, void *opaque);
void block_write_zeroes(BlockFront *b, uint64_t offset, uint64_t len, bool unmap, BlockDone *done, void *opaque);
/* Waits until nothing is in flight (main loop iterates). */
void block_drain(BlockFront *b);
void block_drain_all(void);
/* Resumes requests that werror/rerror=stop held; called at vm_start. */

/* A drive by -drive id or -blockdev node-name, taken exclusively by one device; NULL + error. */
BlockFront *block_front_take(const char *name, bool need_write, GError **error);
void block_front_release(BlockFront *b);
/*
 * i-th drive of an interface ("ide", "virtio", "floppy", "pflash", "scsi"...), in bus/unit order;
 * NULL past the end.
 */
typedef struct DriveInfo { const char *id; const char *iface; int bus, unit; bool cdrom; bool claimed; const char *serial; } DriveInfo;
const DriveInfo *drive_info(unsigned i);
/* Enters a drive into the table; strings are copied. */
void drive_register(const DriveInfo *d);
/* Marks that the board made a device for it. */
void drive_claim(const DriveInfo *d);
/* -drive / -blockdev / -hda... option text (keyval); errors name file and reason. */
bool drive_add_option(const char *text, const char *default_iface, GError **error);

#endif
