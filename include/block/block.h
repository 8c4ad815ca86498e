// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block devices as their users (devices, tools) see them. Requests are asynchronous: done() is
 * called in the main loop with 0 or -errno, never from inside the call that submits. Machine
 * lock held everywhere. The graph of nodes behind it is block/node.h.
 */
#ifndef BLOCK_BLOCK_H
#define BLOCK_BLOCK_H

#include <glib.h>
#include <sys/uio.h>
#include "qom/prop.h"
#include "util/coroutine.h"
#include "util/types.h"

typedef struct BlockNode BlockNode;
struct BlockEdge;
typedef void BlockDone(void *opaque, int ret);

typedef enum BlockOnError {
    BLOCK_ON_ERROR_REPORT, BLOCK_ON_ERROR_IGNORE, BLOCK_ON_ERROR_ENOSPC, BLOCK_ON_ERROR_STOP,
    BLOCK_ON_ERROR_AUTO,
} BlockOnError;

typedef enum BlockOp {
    BLOCK_OP_READ,
    BLOCK_OP_WRITE,
    BLOCK_OP_FLUSH,
    BLOCK_OP_UNMAP,
    BLOCK_OP_COUNT
} BlockOp;

typedef struct BlockCounts {
    uint64_t bytes[BLOCK_OP_COUNT], operations[BLOCK_OP_COUNT], failed[BLOCK_OP_COUNT];
    uint64_t time_ns[BLOCK_OP_COUNT], invalid[BLOCK_OP_COUNT];
} BlockCounts;

/* What a device that owns a front tells of itself and wants to hear; all may be NULL. */
typedef struct BlockFrontOps {
    void (*medium_changed)(void *opaque, bool loaded);     /* the tray opens, or closes with what is in it */
    void (*eject_request)(void *opaque, bool force);
    bool (*tray_open)(void *opaque);
    bool (*locked)(void *opaque);
} BlockFrontOps;

/* What prop_drive binds: the guest-side end of a drive. One per device. */
typedef struct BlockFront {
    BlockNode *node;            /* NULL: no medium */
    char *name;                 /* drive id or node name */
    bool read_only, removable, snapshot_discard;
    bool share_rw;              /* others may write, too */
    bool write_cache;           /* volatile cache shown to the guest */
    int on_read_error, on_write_error;      /* BlockOnError; the device may override them */
    char *serial;
    struct Object *owner;       /* the device, for messages and queries; NULL: none */
    const BlockFrontOps *ops;
    void *opaque;
    BlockCounts stats;
    struct FrontStats *more_stats;      /* latencies; NULL: not measured */
    int64_t last_ns;            /* end of the last request; 0: none */
    struct ThrottleGroup *throttle;     /* NULL: no limits */
    /* of block/front.c */
    struct Drive *drive;        /* NULL: bound by node name */
    struct BlockEdge *edge;     /* our use of node; NULL without one */
    struct EventLoop *loop;     /* where the device submits requests; NULL: the main loop */
    bool io_error, no_space;    /* io-status is not ok, and why */
    bool closing;
    unsigned in_flight, pending;    /* without and with those that are held */
    CoQueue held;               /* requests that werror/rerror=stop keeps for later */
} BlockFront;

/* The device submits its requests in this loop (of an iothread) from now on. */
void block_front_set_loop(BlockFront *b, struct EventLoop *loop);
/* bytes, multiple of 512; 0 without medium */
uint64_t block_size(BlockFront *b);
/*
 * offset and the iov's total are multiples of 512 and in range: the caller checks. iov (the array
 * and what it names) stays valid until done.
 */
void block_read(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n,
                BlockDone *done, void *opaque);
void block_write(BlockFront *b, uint64_t offset, const struct iovec *iov, unsigned n, bool fua,
                 BlockDone *done, void *opaque);
void block_flush(BlockFront *b, BlockDone *done, void *opaque);
void block_discard(BlockFront *b, uint64_t offset, uint64_t len, BlockDone *done, void *opaque);
void block_write_zeroes(BlockFront *b, uint64_t offset, uint64_t len, bool unmap, BlockDone *done,
                        void *opaque);
/* Waits until nothing is in flight (the main loop iterates). Held requests stay held. */
void block_drain(BlockFront *b);
void block_drain_all(void);

/*
 * The front of a drive by -drive id or -blockdev node-name, taken exclusively by one device; NULL +
 * error. need_write: fails for a read-only medium; otherwise the front is as the medium allows.
 */
BlockFront *block_front_take(const char *name, bool need_write, GError **error);
/* A front without a medium, for a drive with none of its own (ide-cd). */
BlockFront *block_front_new_empty(void);
/* Waits for its requests first. */
void block_front_release(BlockFront *b);
/* Fronts that devices have, then drives without a device: for queries. */
void block_front_foreach(void (*fn)(BlockFront *b, void *opaque), void *opaque);
/*
 * The front of a -drive by the drive's id, or else of a device by its id or QOM path; one of them
 * is NULL. NULL: there is none.
 */
BlockFront *block_front_find(const char *drive, const char *device);
/*
 * Puts node (NULL: none) in. The front is removable; its device learns of it by
 * block_front_move_tray.
 */
bool block_front_change(BlockFront *b, BlockNode *node, GError **error);
/*
 * The user opens or closes the tray of a removable drive: the device is told, DEVICE_TRAY_MOVED is
 * sent when it moves.
 */
void block_front_move_tray(BlockFront *b, bool open);
/* For a device whose guest has moved the tray: sends the event. */
void block_front_tray_moved(BlockFront *b, bool open);

/*
 * i-th drive of the command line, in its order; NULL past the end. Boards look through them for
 * their interfaces ("ide", "virtio", "floppy", "pflash", "scsi"...) and claim those they use.
 */
typedef struct DriveInfo {
    const char *id;
    const char *iface;
    int bus, unit;
    bool cdrom;
    bool claimed;
    const char *serial;
} DriveInfo;
const DriveInfo *drive_info(unsigned i);
/* The drive at a place of an interface, NULL: none. */
const DriveInfo *drive_at(const char *iface, int bus, int unit);
/* Enters a drive without a medium into the table; strings are copied. */
void drive_register(const DriveInfo *d);
/* Marks that the board made a device for it. */
void drive_claim(const DriveInfo *d);
/*
 * -drive option text (keyval). default_iface NULL: as the machine says, later. Errors name file and
 * reason.
 */
bool drive_add_option(const char *text, const char *default_iface, GError **error);
/* -blockdev: keyval text or JSON. */
bool blockdev_add_option(const char *text, GError **error);
/*
 * The machine is known: drives without if= get its default interface, and each its bus and unit.
 * units: drives on a bus of the default interface (0: the interface's usual number).
 */
bool drives_settle(const char *default_iface, unsigned units, GError **error);
/* -snapshot: later drives are written to temporary files. */
void drives_set_snapshot(void);
/* A drive that no device took and no board used; fails, naming it, for if= other than none. */
bool drives_check_orphans(GError **error);
/*
 * Images move from process to process with their machine. An inactive one is not written, nor
 * locked, and what was read of it is read again when it becomes active.
 * start_inactive: images that are opened from now on are, until activate_all. Main loop, not in a
 * coroutine.
 */
void block_start_inactive(void);
bool block_inactivate_all(GError **error);
bool block_activate_all(GError **error);
/* A node and all below it, which nobody else uses. */
bool block_node_activate(struct BlockNode *n, GError **error);
/* Whether all images can be given away. */
bool block_movable(GError **error);
/* End of the process: closes all nodes. Nothing is in use. */
void block_cleanup(void);

#endif
