// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 9P2000.L on a host folder: 9p-server.c has messages and fids, 9p-files.c the folder's files,
 * virtio-9p.c the device and -fsdev. Requests run in worker threads, one at a time for a device.
 */
#ifndef HW_9PFS_9P_H
#define HW_9PFS_9P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

typedef enum P9Security { P9_PASSTHROUGH, P9_NONE, P9_MAPPED } P9Security;

/* A folder that is shared. */
typedef struct P9Export {
    char *id, *path;
    P9Security security;
    bool read_only;
    uint32_t fmode, dmode;       /* of new files and folders when mapped */
} P9Export;

typedef struct P9Server P9Server;

/* NULL and errno: the folder cannot be opened. */
P9Server *p9_server_new(const P9Export *e);
void p9_server_free(P9Server *s);
/* Drops all fids. */
void p9_server_reset(P9Server *s);
/*
 * Answers the message of len bytes at in; out has room for out_size bytes. The answer's length, or
 * 0 when in is no message. Any thread, one at a time.
 */
size_t p9_server_run(P9Server *s, const uint8_t *in, size_t len, uint8_t *out, size_t out_size);

/* ---- files; fd: O_PATH descriptors. 0 or -errno, or what is said ---- */

typedef struct P9Attr {
    uint32_t valid, mode, uid, gid;
    uint64_t size, atime, atime_ns, mtime, mtime_ns;
} P9Attr;

int p9_stat(const P9Export *e, int fd, struct stat *st);
/* O_PATH descriptor of a name in a folder; the name is one component, not "..". */
int p9_child(int dir, const char *name);
/* A descriptor to read or write by. */
int p9_open(int fd, uint32_t flags);
int p9_create(const P9Export *e, int dir, const char *name, uint32_t flags, uint32_t mode,
              uint32_t gid);
int p9_mkdir(const P9Export *e, int dir, const char *name, uint32_t mode, uint32_t gid);
int p9_mknod(const P9Export *e, int dir, const char *name, uint32_t mode, uint32_t major,
             uint32_t minor, uint32_t gid);
int p9_symlink(const P9Export *e, int dir, const char *name, const char *target, uint32_t gid);
/* Length of the target, up to size bytes of it in buf. */
int p9_readlink(const P9Export *e, int fd, char *buf, size_t size);
int p9_link(int fd, int dir, const char *name);
int p9_setattr(const P9Export *e, int fd, const P9Attr *a);

#endif
