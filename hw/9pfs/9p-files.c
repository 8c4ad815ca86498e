// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's side of a shared folder. Everything is reached from O_PATH descriptors, one
 * name at a time and never through symbolic links, so that no name leads out of the folder. With
 * mapped security owner, mode and kind of a file are in its extended attributes.
 */
#include "9p.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/bswap.h"

#define XATTR_UID "user.virtfs.uid"
#define XATTR_GID "user.virtfs.gid"
#define XATTR_MODE "user.virtfs.mode"
#define XATTR_RDEV "user.virtfs.rdev"

enum {
    SET_MODE = 1,
    SET_UID = 2,
    SET_GID = 4,
    SET_SIZE = 8,
    SET_ATIME = 16,
    SET_MTIME = 32,
    SET_ATIME_TO = 128,
    SET_MTIME_TO = 256
};

/* The magic link by which calls that refuse O_PATH descriptors reach the file. */
typedef struct ProcPath { char text[40]; } ProcPath;

static ProcPath proc_path(int fd)
{
    ProcPath p;

    snprintf(p.text, sizeof(p.text), "/proc/self/fd/%d", fd);
    return p;
}

static int result(int ret)
{
    return ret < 0 ? -errno : 0;
}

/* ---- extended attributes of mapped security ---- */

static bool get32(const char *path, const char *name, uint32_t *v)
{
    uint8_t buf[4];

    if (getxattr(path, name, buf, sizeof(buf)) != sizeof(buf)) {
        return false;
    }
    *v = load_le32(buf);
    return true;
}

static int set32(const char *path, const char *name, uint32_t v)
{
    uint8_t buf[4];

    store_le32(buf, v);
    return result(setxattr(path, name, buf, sizeof(buf), 0));
}

static int set_mapped(int fd, uint32_t mode, uint32_t uid, uint32_t gid)
{
    ProcPath p = proc_path(fd);
    int ret = set32(p.text, XATTR_MODE, mode);

    ret = ret ? ret : set32(p.text, XATTR_UID, uid);
    return ret ? ret : set32(p.text, XATTR_GID, gid);
}

int p9_stat(const P9Export *e, int fd, struct stat *st)
{
    ProcPath p = proc_path(fd);
    uint32_t v;
    uint8_t rdev[8];

    if (fstatat(fd, "", st, AT_EMPTY_PATH) < 0) {
        return -errno;
    }
    if (e->security == P9_MAPPED) {
        st->st_uid = get32(p.text, XATTR_UID, &v) ? v : st->st_uid;
        st->st_gid = get32(p.text, XATTR_GID, &v) ? v : st->st_gid;
        st->st_mode = get32(p.text, XATTR_MODE, &v) ? v : st->st_mode;
        if (getxattr(p.text, XATTR_RDEV, rdev, sizeof(rdev)) == sizeof(rdev)) {
            st->st_rdev = load_le64(rdev);
        }
    }
    return 0;
}

/* ---- names ---- */

int p9_child(int dir, const char *name)
{
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

int p9_open(int fd, uint32_t flags)
{
    ProcPath p = proc_path(fd);
    int keep = flags & (O_ACCMODE | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC | O_DIRECTORY);
    /* without blocking: a FIFO of the host must not hold a thread */
    int ret = open(p.text, keep | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    return ret < 0 ? -errno : ret;
}

/* After something was made: owner and mode as the client wants them. */
static int made(const P9Export *e, int dir, const char *name, uint32_t mode, uint32_t gid)
{
    int fd = p9_child(dir, name), ret;

    if (fd < 0) {
        return fd;
    }
    if (e->security == P9_MAPPED) {
        ret = set_mapped(fd, mode, 0, gid);
    } else {
        ret = result(fchownat(fd, "", -1, gid, AT_EMPTY_PATH));
        if (e->security == P9_NONE || ret == -EPERM) {
            ret = 0;
        }
    }
    close(fd);
    return ret;
}

int p9_create(const P9Export *e, int dir, const char *name, uint32_t flags, uint32_t mode,
              uint32_t gid)
{
    uint32_t host_mode = e->security == P9_MAPPED ? e->fmode : mode & 07777;
    int keep = flags & (O_ACCMODE | O_EXCL | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC);
    int fd = openat(dir, name, keep | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    host_mode);

    if (fd < 0) {
        return -errno;
    }
    int ret = made(e, dir, name, S_IFREG | (mode & 07777), gid);

    if (ret < 0) {
        close(fd);
    }
    return ret < 0 ? ret : fd;
}

int p9_mkdir(const P9Export *e, int dir, const char *name, uint32_t mode, uint32_t gid)
{
    if (mkdirat(dir, name, e->security == P9_MAPPED ? e->dmode : mode & 07777) < 0) {
        return -errno;
    }
    return made(e, dir, name, S_IFDIR | (mode & 07777), gid);
}

int p9_mknod(const P9Export *e, int dir, const char *name, uint32_t mode, uint32_t major_,
             uint32_t minor_, uint32_t gid)
{
    bool mapped = e->security == P9_MAPPED;
    uint8_t rdev[8];

    if (mknodat(dir, name, mapped ? S_IFREG | e->fmode : mode,
                mapped ? 0 : makedev(major_, minor_)) < 0) {
        return -errno;
    }
    int ret = made(e, dir, name, mode, gid), fd;

    if (ret == 0 && mapped && (fd = p9_child(dir, name)) >= 0) {
        ProcPath p = proc_path(fd);

        store_le64(rdev, makedev(major_, minor_));
        ret = result(setxattr(p.text, XATTR_RDEV, rdev, sizeof(rdev), 0));
        close(fd);
    }
    return ret;
}

/* Mapped: a file with the target as its content. */
int p9_symlink(const P9Export *e, int dir, const char *name, const char *target, uint32_t gid)
{
    if (e->security != P9_MAPPED) {
        return symlinkat(target, dir, name) < 0 ? -errno : made(e, dir, name, 0, gid);
    }
    int fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, e->fmode);
    size_t len = strlen(target);

    if (fd < 0) {
        return -errno;
    }
    int ret = write(fd, target, len) == (ssize_t)len ? 0 : -EIO;

    close(fd);
    return ret ? ret : made(e, dir, name, S_IFLNK | 0777, gid);
}

int p9_readlink(const P9Export *e, int fd, char *buf, size_t size)
{
    ssize_t n;

    if (e->security == P9_MAPPED) {
        int data = p9_open(fd, O_RDONLY);

        if (data < 0) {
            return data;
        }
        n = read(data, buf, size);
        close(data);
    } else {
        n = readlinkat(fd, "", buf, size);
    }
    return n < 0 ? -errno : (int)n;
}

int p9_link(int fd, int dir, const char *name)
{
    ProcPath p = proc_path(fd);

    return result(linkat(AT_FDCWD, p.text, dir, name, AT_SYMLINK_FOLLOW));
}

/* ---- attributes ---- */

static int set_owner(const P9Export *e, int fd, const P9Attr *a)
{
    uint32_t uid = a->valid & SET_UID ? a->uid : (uint32_t)-1,
             gid = a->valid & SET_GID ? a->gid : (uint32_t)-1;
    ProcPath p = proc_path(fd);
    int ret;

    if (e->security == P9_MAPPED) {
        ret = a->valid & SET_UID ? set32(p.text, XATTR_UID, uid) : 0;
        return ret == 0 && (a->valid & SET_GID) ? set32(p.text, XATTR_GID, gid) : ret;
    }
    ret = result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
    return e->security == P9_NONE ? 0 : ret;
}

static int set_mode(const P9Export *e, int fd, uint32_t mode)
{
    ProcPath p = proc_path(fd);
    struct stat st;

    if (e->security != P9_MAPPED) {
        return result(chmod(p.text, mode & 07777));
    }
    int ret = p9_stat(e, fd, &st);

    return ret ? ret : set32(p.text, XATTR_MODE, (st.st_mode & S_IFMT) | (mode & 07777));
}

static struct timespec time_of(uint32_t valid, uint32_t bit, uint32_t to_bit, uint64_t s,
                               uint64_t ns)
{
    if (!(valid & bit)) {
        return (struct timespec){ .tv_nsec = UTIME_OMIT };
    }
    if (!(valid & to_bit)) {
        return (struct timespec){ .tv_nsec = UTIME_NOW };
    }
    return (struct timespec){ .tv_sec = s, .tv_nsec = ns % 1000000000 };
}

int p9_setattr(const P9Export *e, int fd, const P9Attr *a)
{
    ProcPath p = proc_path(fd);
    int ret = 0;

    if (a->valid & SET_MODE) {
        ret = set_mode(e, fd, a->mode);
    }
    if (ret == 0 && (a->valid & (SET_UID | SET_GID))) {
        ret = set_owner(e, fd, a);
    }
    if (ret == 0 && (a->valid & SET_SIZE)) {
        ret = a->size > INT64_MAX ? -EFBIG : result(truncate(p.text, a->size));
    }
    if (ret == 0 && (a->valid & (SET_ATIME | SET_MTIME))) {
        struct timespec ts[2] = {time_of(a->valid, SET_ATIME, SET_ATIME_TO, a->atime, a->atime_ns),
                                 time_of(a->valid, SET_MTIME, SET_MTIME_TO, a->mtime, a->mtime_ns)};

        ret = result(utimensat(AT_FDCWD, p.text, ts, 0));
    }
    return ret;
}
