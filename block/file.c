// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files, block devices and CD drives of the host. Requests go through an AioEngine; cache.direct
 * opens with O_DIRECT, whose alignment is found by trying. Locks between processes are OFD locks
 * on single bytes far below any data: byte 100 + p is held by who uses permission p, byte 200 + p
 * by who does not let others use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/cdrom.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "block/driver.h"
#include "util/error.h"
#include "util/event-loop.h"
#include "util/fdset.h"
#include "util/iov.h"

#define LOCK_USED 100
#define LOCK_UNSHARED 200
#define LOCK_BITS 4
#define MAX_ALIGN 4096
/* What files are made with when nothing is said. */
#define DEFAULT_EXTENT_HINT MIB
/* Reads up to this size (a command of an NVMe controller) are tried without waiting first. */
#define CACHED_BYTES (512 * KIB)

typedef struct FileState {
    int fd;
    const AioEngine *aio;
    JobLine writes;             /* through the cache: the host lets one at a time into the file */
    bool lock;                  /* locking=on, or auto and the file system can */
    bool device;                /* block device */
    bool cache_never;           /* reads without waiting make no sense: O_DIRECT, or the file system cannot */
    bool in_memory;             /* tmpfs: no read waits for a device, and the flag that says so is refused */
    bool seek_never;            /* no SEEK_DATA here */
    uint64_t data_start, data_end;  /* known to have no holes: asking is slow on some file systems. 0, 0: not known */
    bool no_discard, no_zero_range, no_punch;   /* the file system said so */
    unsigned perm, unshared;    /* what is locked now */
    uint32_t mem_align;
} FileState;

/* ---- locks ---- */

static int lock_byte(int fd, int64_t at, short type)
{
    struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

/* Whether another open file holds a lock on the byte. */
static bool lock_taken(int fd, int64_t at)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static void lock_set(FileState *s, unsigned perm, unsigned unshared)
{
    for (unsigned i = 0; i < LOCK_BITS; i++) {
        lock_byte(s->fd, LOCK_USED + i, perm >> i & 1 ? F_RDLCK : F_UNLCK);
        lock_byte(s->fd, LOCK_UNSHARED + i, unshared >> i & 1 ? F_RDLCK : F_UNLCK);
    }
}

static bool file_set_perm(BlockNode *n, unsigned perm, unsigned shared, GError **error)
{
    static const char *const names[LOCK_BITS] = {"consistent read", "write", "write unchanged",
                                                 "resize"};
    FileState *s = n->state;
    unsigned unshared = BLOCK_PERM_ALL & ~shared;

    if (!s->lock || (perm == s->perm && unshared == s->unshared)) {
        return true;
    }
    lock_set(s, perm | s->perm, unshared | s->unshared);
    for (unsigned i = 0; i < LOCK_BITS; i++) {
        const char *what = NULL;

        if ((perm >> i & 1) && lock_taken(s->fd, LOCK_UNSHARED + i)) {
            what = "";
        } else if ((unshared >> i & 1) && lock_taken(s->fd, LOCK_USED + i)) {
            what = "shared ";
        }
        if (what) {
            lock_set(s, s->perm, s->unshared);
            return fail(error,
                        "Failed to get %s\"%s\" lock\nIs another process using the image [%s]?",
                        what, names[i], n->filename);
        }
    }
    lock_set(s, perm, unshared);
    s->perm = perm;
    s->unshared = unshared;
    return true;
}

static bool file_init_locks(FileState *s, const char *mode, GError **error)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_USED, .l_len = 1 };
    bool can = fcntl(s->fd, F_OFD_GETLK, &l) == 0;

    if (strcmp(mode, "on") != 0 && strcmp(mode, "off") != 0 && strcmp(mode, "auto") != 0) {
        return fail(error, "invalid parameter value: %s", mode);
    }
    if (strcmp(mode, "on") == 0 && !can) {
        return fail(error, "File lock requested but OFD locks are not available on this file");
    }
    s->lock = can && strcmp(mode, "off") != 0;
    return true;
}

/* ---- opening ---- */

/* The smallest alignment that O_DIRECT takes here: of memory and of offset and length. */
static void file_find_align(BlockNode *n, FileState *s)
{
    void *buf = NULL;

    s->mem_align = 1;
    if (!n->direct) {
        return;
    }
    s->mem_align = n->align = MAX_ALIGN;
    if (posix_memalign(&buf, MAX_ALIGN, 2 * MAX_ALIGN) != 0) {
        return;
    }
    for (uint32_t a = 512; a < MAX_ALIGN; a *= 2) {
        if (pread(s->fd, buf, a, 0) >= 0) {
            n->align = a;
            break;
        }
    }
    for (uint32_t a = 512; a < MAX_ALIGN; a *= 2) {
        if (pread(s->fd, (uint8_t *)buf + a, n->align, 0) >= 0) {
            s->mem_align = a;
            break;
        }
    }
    free(buf);
}

static bool file_refresh_length(BlockNode *n, GError **error)
{
    FileState *s = n->state;
    struct stat st;

    if (fstat(s->fd, &st) < 0) {
        return fail_errno(error, errno, "Could not refresh total sector count");
    }
    if (S_ISBLK(st.st_mode)) {
        uint64_t size;

        if (ioctl(s->fd, BLKGETSIZE64, &size) < 0) {
            return fail_errno(error, errno, "Could not refresh total sector count");
        }
        n->length = size;
        s->device = true;
        return true;
    }
    off_t end = lseek(s->fd, 0, SEEK_END);

    if (end < 0) {
        return fail_errno(error, errno, "Could not refresh total sector count");
    }
    /* a last partial sector reads as if it were filled up with zeroes */
    n->length = ((uint64_t)end + 511) & ~511ull;
    return true;
}

/* Opens read-write if wanted; falls back to read-only where that is allowed. */
static bool file_open_fd(BlockNode *n, FileState *s, bool auto_read_only, GError **error)
{
    int flags = O_CLOEXEC | O_NONBLOCK | (n->direct ? O_DIRECT : 0);
    g_autoptr(GError) why = NULL;

    s->fd = fd_open(n->filename, flags | (n->read_only ? O_RDONLY : O_RDWR), 0, &why);
    if (s->fd < 0 && !n->read_only && auto_read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        g_clear_error(&why);
        s->fd = fd_open(n->filename, flags | O_RDONLY, 0, &why);
        n->read_only = s->fd >= 0;
    }
    if (s->fd < 0) {
        if (errno == EISDIR) {
            return fail(error, "'%s' driver requires '%s' to be a regular file", n->driver->name,
                        n->filename);
        }
        if (errno == EINVAL && n->direct) {
            return fail(error, "Could not open '%s': file system may not support O_DIRECT",
                        n->filename);
        }
        return errno ? fail_errno(error, errno, "Could not open '%s'", n->filename)
                     : fail(error, "%s", why->message);
    }
    fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) & ~O_NONBLOCK);
    return true;
}

static bool file_choose_aio(BlockNode *n, FileState *s, const char *name, GError **error)
{
    if (!name) {
        name = n->open_flags & BLOCK_OPEN_NATIVE_AIO ? "native"
               : n->open_flags & BLOCK_OPEN_IO_URING ? "io_uring"
                                                     : "threads";
    }
    if (strcmp(name, "native") == 0 && !n->direct) {
        return fail(
            error,
            "aio=native was specified, but it requires cache.direct=on, which was not specified.");
    }
    if (strcmp(name, "native") != 0 && strcmp(name, "io_uring") != 0 &&
        strcmp(name, "threads") != 0) {
        return fail(error, "Parameter 'aio' does not accept value '%s'", name);
    }
    s->aio = aio_engine_find(name);
    return s->aio || fail(error, "aio=%s is not available on this host", name);
}

static bool file_open_kind(BlockNode *n, struct json_object *opts, bool device, GError **error)
{
    FileState *s = n->state;
    const char *path = opts_string(opts, "filename", NULL);
    struct statfs fs;
    struct stat st;

    if (!path) {
        return fail(error, "Parameter 'filename' is missing");
    }
    if (opts_has(opts, "pr-manager")) {
        return fail(error, "No persistent reservation manager with id '%s'",
                    opts_string(opts, "pr-manager", ""));
    }
    g_autofree char *prefix = g_strconcat(n->driver->name, ":", NULL);

    n->filename = g_strdup(g_str_has_prefix(path, prefix) ? path + strlen(prefix) : path);
    errno = 0;
    if (!file_open_fd(n, s, n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY, error)) {
        return false;
    }
    bool good = fstat(s->fd, &st) == 0;

    if (good && !device && !S_ISREG(st.st_mode)) {
        good = fail(error, "'file' driver requires '%s' to be a regular file", n->filename);
    } else if (good && device && !S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode)) {
        good = fail(error, "'%s' driver requires '%s' to be either a character or block device",
                    n->driver->name, n->filename);
    }
    good = good && file_choose_aio(n, s, opts_string(opts, "aio", NULL), error) &&
           file_init_locks(s, opts_string(opts, "locking", "auto"), error) &&
           file_refresh_length(n, error);
    if (!good) {
        close(s->fd);
        return false;
    }
    file_find_align(n, s);
    s->cache_never = n->direct;
    s->in_memory = fstatfs(s->fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
    return true;
}

static bool file_open(BlockNode *n, struct json_object *opts, GError **error)
{
    return file_open_kind(n, opts, false, error);
}

static bool host_device_open(BlockNode *n, struct json_object *opts, GError **error)
{
    return file_open_kind(n, opts, true, error);
}

/* The medium is looked at once, here: a disc that is changed later shows as errors of reads. */
static bool host_cdrom_open(BlockNode *n, struct json_object *opts, GError **error)
{
    if (!n->read_only) {
        if (!(n->open_flags & BLOCK_OPEN_AUTO_READ_ONLY)) {
            return fail(error,
                        "host_cdrom: a drive with a disc can only be opened with read-only=on");
        }
        n->read_only = true;
    }
    if (!file_open_kind(n, opts, true, error)) {
        return false;
    }
    if (ioctl(((FileState *)n->state)->fd, CDROM_DRIVE_STATUS, CDSL_CURRENT) < 0) {
        fail_errno(error, errno, "'%s' is no CD drive", n->filename);
        close(((FileState *)n->state)->fd);
        return false;
    }
    return true;
}

/* The same file by a descriptor of the other kind. */
static bool file_reopen(BlockNode *n, struct json_object *opts, bool read_only, GError **error)
{
    FileState *s = n->state, now = *s;
    bool was = n->read_only;

    n->read_only = read_only;
    if (!file_open_fd(n, &now, false, error)) {
        n->read_only = was;
        return false;
    }
    n->read_only = was;
    close(s->fd);
    s->fd = now.fd;
    s->perm = s->unshared = 0;      /* locks went with the old one: permissions are set again */
    return true;
}

static void file_close(BlockNode *n)
{
    close(((FileState *)n->state)->fd);
}

/* ---- data ---- */

static bool iov_fits(const FileState *s, const struct iovec *iov, unsigned niov)
{
    for (unsigned i = 0; s->mem_align > 1 && i < niov; i++) {
        if (((uintptr_t)iov[i].iov_base | iov[i].iov_len) & (s->mem_align - 1)) {
            return false;
        }
    }
    return true;
}

/* What the host's cache has is read at once, without a thread: > 0, how much. */
static int64_t read_cached(FileState *s, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov)
{
    if (s->cache_never || bytes > CACHED_BYTES) {
        return 0;
    }
    bool unlocked = event_loop_unlock();
    int64_t moved = preadv2(s->fd, iov, (int)niov, (off_t)offset, s->in_memory ? 0 : RWF_NOWAIT);
    int error = errno;

    event_loop_relock(unlocked);

    if (moved < 0 && error != EAGAIN && error != EINTR) {
        s->cache_never = true;
    }
    return moved;
}

/* The whole range, whatever pieces the host makes of it; a read beyond the end gives zeroes. */
static int co_file_rw(FileState *s, bool write, uint64_t offset, uint64_t bytes,
                      const struct iovec *iov, unsigned niov)
{
    g_autofree struct iovec *rest = NULL;
    uint64_t done = 0;

    while (done < bytes) {
        const struct iovec *now = iov;
        unsigned n = MIN(niov, IOV_MAX);
        int64_t moved;

        if (done > 0) {
            rest = rest ? rest : g_new(struct iovec, niov);
            n = MIN(iov_slice(rest, niov, iov, niov, done, bytes - done), IOV_MAX);
            now = rest;
        }
        moved = write ? -EAGAIN : read_cached(s, offset + done, bytes - done, now, n);
        if (moved <= 0) {
            moved = s->aio->co_rw(s->fd, write, offset + done, now, n,
                                  write && !s->device && s->mem_align == 1 ? &s->writes : NULL);
        }
        if (moved == -EINTR || moved == -EAGAIN) {
            co_reschedule();
            continue;
        }
        if (moved < 0) {
            return (int)moved;
        }
        if (moved == 0) {
            if (write) {
                return -ENOSPC;
            }
            iov_memset(iov, niov, done, 0, bytes - done);
            return 0;
        }
        done += (uint64_t)moved;
    }
    return 0;
}

static int co_file_bounced(FileState *s, bool write, uint64_t offset, uint64_t bytes,
                           const struct iovec *iov, unsigned niov)
{
    struct iovec one = { NULL, bytes };
    int ret;

    if (posix_memalign(&one.iov_base, MAX_ALIGN, bytes) != 0) {
        return -ENOMEM;
    }
    if (write) {
        iov_to_buf(iov, niov, 0, one.iov_base, bytes);
    }
    ret = co_file_rw(s, write, offset, bytes, &one, 1);
    if (ret == 0 && !write) {
        iov_from_buf(iov, niov, 0, one.iov_base, bytes);
    }
    free(one.iov_base);
    return ret;
}

static int co_file_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                          unsigned niov)
{
    FileState *s = n->state;

    return iov_fits(s, iov, niov) ? co_file_rw(s, false, offset, bytes, iov, niov)
                                  : co_file_bounced(s, false, offset, bytes, iov, niov);
}

static int co_file_flush(BlockNode *n)
{
    FileState *s = n->state;

    return s->aio->co_fdatasync(s->fd);
}

static int co_file_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov, unsigned flags)
{
    FileState *s = n->state;
    int ret = iov_fits(s, iov, niov) ? co_file_rw(s, true, offset, bytes, iov, niov)
                                     : co_file_bounced(s, true, offset, bytes, iov, niov);

    return ret == 0 && (flags & BLOCK_FUA) && !n->no_flush ? co_file_flush(n) : ret;
}

typedef struct Range {
    int fd, mode;
    bool device;
    uint64_t offset, bytes;
} Range;

static int range_work(void *arg)
{
    const Range *r = arg;

    if (r->device) {
        uint64_t range[2] = { r->offset, r->bytes };
        bool zero = r->mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);

        return ioctl(r->fd, zero ? BLKZEROOUT : BLKDISCARD, range) < 0 ? -errno : 0;
    }
    return fallocate(r->fd, r->mode, (off_t)r->offset, (off_t)r->bytes) < 0 ? -errno : 0;
}

/* fallocate() of a kind; remembers in *never that the host has no such thing. */
static int co_file_range(FileState *s, int mode, bool *never, uint64_t offset, uint64_t bytes)
{
    Range r = { s->fd, mode, s->device, offset, bytes };
    int ret;

    s->data_end = 0;
    ret = *never ? -ENOTSUP : co_in_worker(range_work, &r);
    s->data_end = 0;

    if (ret == -EOPNOTSUPP || ret == -ENOSYS || ret == -ENOTTY || ret == -EINVAL ||
        ret == -ENODEV) {
        *never = true;
        ret = -ENOTSUP;
    }
    return ret;
}

static int co_file_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    FileState *s = n->state;
    int ret =
        co_file_range(s, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, &s->no_discard, offset, bytes);

    return ret == -ENOTSUP ? 0 : ret;
}

static int co_file_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    FileState *s = n->state;
    int ret = -ENOTSUP;

    if ((flags & BLOCK_MAY_UNMAP) && !s->device) {
        ret = co_file_range(s, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, &s->no_punch, offset,
                            bytes);
    }
    if (ret == -ENOTSUP) {
        ret = co_file_range(s, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, &s->no_zero_range,
                            offset, bytes);
    }
    return ret == 0 && (flags & BLOCK_FUA) ? co_file_flush(n) : ret;
}

static int64_t file_allocated(BlockNode *n)
{
    FileState *s = n->state;
    struct stat st;

    return fstat(s->fd, &st) == 0 ? (int64_t)st.st_blocks * 512 : -1;
}

typedef struct RangeCopy {
    int from, to;
    uint64_t from_offset, offset, bytes;
} RangeCopy;

static int range_copy_work(void *arg)
{
    RangeCopy *r = arg;
    off_t in = (off_t)r->from_offset, out = (off_t)r->offset;

    for (uint64_t left = r->bytes; left;) {
        ssize_t done = copy_file_range(r->from, &in, r->to, &out, left, 0);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            /* what was copied already is written again by the caller */
            return done == 0 || errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
                           errno == EOPNOTSUPP
                       ? -ENOTSUP
                       : -errno;
        }
        left -= (uint64_t)done;
    }
    return 0;
}

static int co_file_copy_from(BlockNode *n, uint64_t offset, BlockNode *from, uint64_t from_offset,
                             uint64_t bytes)
{
    FileState *s = n->state, *f = from->state;
    RangeCopy r = { f->fd, s->fd, from_offset, offset, bytes };

    return s->device || f->device ? -ENOTSUP : co_in_worker(range_copy_work, &r);
}

typedef struct Seek {
    int fd;
    int64_t at, data, end;      /* data: start of it at or behind at; end: of the hole or data at `at` */
} Seek;

static int seek_work(void *arg)
{
    Seek *s = arg;

    s->data = lseek(s->fd, s->at, SEEK_DATA);
    if (s->data < 0) {
        return errno == ENXIO ? -ENXIO : -ENOTSUP;
    }
    if (s->data > s->at) {
        s->end = s->data;
    } else {
        s->end = lseek(s->fd, s->at, SEEK_HOLE);
    }
    return s->end < 0 ? -ENOTSUP : 0;
}

static int co_file_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                          BlockStatus *st)
{
    FileState *s = n->state;
    Seek k = { .fd = s->fd, .at = (int64_t)offset };
    int ret = -ENOTSUP;

    st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
    st->map = offset;
    st->map_node = n;
    if (want_zero && offset >= s->data_start && offset < s->data_end) {
        st->bytes = MIN(bytes, s->data_end - offset);
        return 0;
    }
    if (want_zero && !s->device && !s->seek_never) {
        ret = seek_work(&k);
        s->seek_never = ret == -ENOTSUP;
    }
    if (ret == -ENXIO) {
        st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
    } else if (ret == 0) {
        uint64_t end = ((uint64_t)k.end + n->align - 1) / n->align * n->align;

        if (k.data > k.at) {
            st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
            end = (uint64_t)k.end / n->align * n->align;
            if (end <= offset) {    /* a hole that ends inside of our unit */
                st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
                end = offset + n->align;
            }
        } else {
            s->data_start = offset;
            s->data_end = end;
        }
        st->bytes = MIN(bytes, end - offset);
    }
    return 0;
}

/* ---- length, new files ---- */

typedef struct Resize {
    int fd;
    uint64_t from, to;
    BlockPrealloc mode;
    const char *what;           /* that failed */
} Resize;

static int write_zeroes_through(const Resize *r)
{
    g_autofree uint8_t *zeroes = g_malloc0(1 * MIB);

    for (uint64_t at = r->from; at < r->to;) {
        ssize_t done = pwrite(r->fd, zeroes, MIN(r->to - at, 1 * MIB), (off_t)at);

        if (done < 0 && errno != EINTR) {
            return -errno;
        }
        at += done > 0 ? (uint64_t)done : 0;
    }
    return fsync(r->fd) < 0 ? -errno : 0;
}

/*
 * Who opens the file with O_DIRECT finds out the alignment by reading the first block: in a hole
 * some file systems take any.
 */
static void allocate_first_block(const Resize *r)
{
    static const uint8_t zeroes[MAX_ALIGN] __attribute__((aligned(MAX_ALIGN)));
    ssize_t done;

    do {
        done = pwrite(r->fd, zeroes, MIN(r->to, MAX_ALIGN), 0);
    } while (done < 0 && errno == EINTR);
}

static int resize_work(void *arg)
{
    Resize *r = arg;
    int ret = 0;

    r->what = "Failed to resize file";
    if (r->mode == PREALLOC_FALLOC && r->to > r->from) {
        r->what = "Could not preallocate data for the new file";
        ret = -posix_fallocate(r->fd, (off_t)r->from, (off_t)(r->to - r->from));
    } else if (r->mode == PREALLOC_FULL && r->to > r->from) {
        r->what = "Could not write zeros for preallocation";
        ret = write_zeroes_through(r);
    } else if (ftruncate(r->fd, (off_t)r->to) < 0) {
        ret = -errno;
    } else if (r->from == 0 && r->to > 0) {
        allocate_first_block(r);
    }
    if (ret < 0 && r->mode != PREALLOC_OFF && ftruncate(r->fd, (off_t)r->from) < 0) {
        r->what = "Failed to restore old file length";
    }
    return ret;
}

static bool co_file_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc, GError **error)
{
    FileState *s = n->state;
    Resize r = { .fd = s->fd, .to = length, .mode = prealloc };
    struct stat st;
    int ret;

    s->data_end = 0;
    if (fstat(s->fd, &st) < 0) {
        return fail_errno(error, errno, "Failed to fstat() the file");
    }
    if (s->device) {
        return prealloc != PREALLOC_OFF
                   ? fail(error, "Preallocation mode not supported for this device")
               : length > n->length ? fail(error, "Cannot grow device files")
                                    : true;
    }
    if (prealloc == PREALLOC_METADATA) {
        return fail(error, "Unsupported preallocation mode: metadata");
    }
    r.from = (uint64_t)st.st_size;
    if (prealloc != PREALLOC_OFF && length < r.from) {
        return fail(error, "Preallocation can't be used for shrinking files");
    }
    ret = co_in_worker(resize_work, &r);
    if (ret < 0) {
        return fail_errno(error, -ret, "%s", r.what);
    }
    n->length = (length + 511) & ~511ull;
    return true;
}

/*
 * What file systems that can do something with it are told of an empty file. Without a wish of the
 * user it is only tried.
 */
static bool set_file_attributes(int fd, struct json_object *opts, GError **error)
{
    uint64_t hint = opts_number(opts, "extent_size_hint", DEFAULT_EXTENT_HINT);
    bool no_cow = opts_bool(opts, "nocow", false), wanted = opts_has(opts, "extent_size_hint");
    struct fsxattr x;
    int flags;

    if (no_cow && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
        flags |= FS_NOCOW_FL;
        ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    if (hint > UINT32_MAX) {
        return fail(error, "Extent size hint is too large");
    }
    if (hint > 0 && ioctl(fd, FS_IOC_FSGETXATTR, &x) == 0) {
        x.fsx_xflags |= FS_XFLAG_EXTSIZE;
        x.fsx_extsize = (uint32_t)hint;
        if (ioctl(fd, FS_IOC_FSSETXATTR, &x) == 0 || !wanted) {
            return true;
        }
        warn_report("Failed to set extent size hint: %s", g_strerror(errno));
    }
    return true;
}

static bool co_file_create(const char *filename, struct json_object *opts, GError **error)
{
    const char *path = g_str_has_prefix(filename, "file:") ? filename + 5 : filename;
    Resize r = { .to = (opts_number(opts, "size", 0) + 511) & ~511ull };
    const char *mode = opts_string(opts, "preallocation", "off");
    g_autoptr(GError) why = NULL;
    int ret;

    if (!block_prealloc_parse(mode, &r.mode, &why)) {
        return fail(error, "invalid parameter value: %s", mode);
    }
    if (r.mode == PREALLOC_METADATA) {
        return fail(error, "Unsupported preallocation mode: metadata");
    }
    errno = 0;
    r.fd = fd_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644, &why);
    if (r.fd < 0) {
        return errno ? fail_errno(error, errno, "Could not create '%s'", path)
                     : fail(error, "%s", why->message);
    }
    /* nobody else may use what we are about to empty */
    for (unsigned i = 0; i < LOCK_BITS; i++) {
        if (lock_taken(r.fd, LOCK_USED + i) && i != 0) {
            close(r.fd);
            return fail(error,
                        "Failed to get \"%s\" lock\nIs another process using the image [%s]?",
                        i == 1 ? "write" : "resize", path);
        }
    }
    if (lock_taken(r.fd, LOCK_UNSHARED + 1)) {
        close(r.fd);
        return fail(error, "Failed to get \"write\" lock\nIs another process using the image [%s]?",
                    path);
    }
    if (ftruncate(r.fd, 0) < 0) {
        ret = -errno;
        r.what = "Could not clear the file";
    } else if (!set_file_attributes(r.fd, opts, error)) {
        close(r.fd);
        return false;
    } else {
        ret = co_in_worker(resize_work, &r);
    }
    close(r.fd);
    return ret == 0 || fail_errno(error, -ret, "%s", r.what);
}

static bool host_device_create(const char *filename, struct json_object *opts, GError **error)
{
    const char *path = g_str_has_prefix(filename, "host_device:") ? filename + 12 : filename;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t size;

    if (fd < 0) {
        return fail_errno(error, errno, "Could not open device");
    }
    size = lseek(fd, 0, SEEK_END);
    close(fd);
    return size >= 0 && (uint64_t)size >= opts_number(opts, "size", 0)
               ? true
               : fail(error, "Device is too small");
}

static bool co_file_info(BlockNode *n, BlockImageInfo *info, GError **error)
{
    info->zero_init = !((FileState *)n->state)->device;
    return true;
}

static const OptDesc file_create_opts[] = {
    { "size", OPT_SIZE, "Virtual disk size" },
    { "nocow", OPT_BOOL, "Turn off copy-on-write (valid only on btrfs)" },
    { "preallocation", OPT_STRING, "Preallocation mode (allowed values: off, falloc, full)" },
    { "extent_size_hint", OPT_SIZE, "Extent size hint for the image file, 0 to disable" },
    { NULL },
};

static const OptDesc file_opts[] = {
    { "filename", OPT_STRING, "File name of the image" },
    { "aio", OPT_STRING, "host AIO implementation (threads, native, io_uring)" },
    { "locking", OPT_STRING, "file locking mode (on/off/auto, default: auto)" },
    { "pr-manager", OPT_STRING, "id of persistent reservation manager object" },
    { "drop-cache", OPT_BOOL, "invalidate page cache during live migration (default: on)" },
    { "x-check-cache-dropped", OPT_BOOL, "check that page cache was dropped on live migration" },
    { NULL },
};

static const BlockDriver file_driver = {
    .name = "file", .desc = "file of the host", .protocol = true, .opts = file_opts,
    .state_size = sizeof(FileState), .open = file_open, .close = file_close, .grows = true,
    .co_preadv = co_file_preadv, .co_pwritev = co_file_pwritev, .co_flush = co_file_flush,
    .co_discard = co_file_discard, .co_write_zeroes = co_file_write_zeroes,
    .allocated = file_allocated, .set_perm = file_set_perm, .co_block_status = co_file_status, .co_copy_from = co_file_copy_from, .co_info = co_file_info, .reopen = file_reopen,
    .co_truncate = co_file_truncate, .refresh_length = file_refresh_length, .create_opts = file_create_opts,
    .co_create = co_file_create,
};
BLOCK_DRIVER(file_driver);

static const BlockDriver host_device_driver = {
    .name = "host_device", .desc = "block device of the host", .protocol = true, .opts = file_opts,
    .state_size = sizeof(FileState), .open = host_device_open, .close = file_close,
    .co_preadv = co_file_preadv, .co_pwritev = co_file_pwritev, .co_flush = co_file_flush,
    .co_discard = co_file_discard, .co_write_zeroes = co_file_write_zeroes,
    .allocated = file_allocated, .set_perm = file_set_perm, .co_block_status = co_file_status,
    .co_truncate = co_file_truncate, .refresh_length = file_refresh_length, .create_opts = file_create_opts,
    .co_create = host_device_create,
};
BLOCK_DRIVER(host_device_driver);

static const BlockDriver host_cdrom_driver = {
    .name = "host_cdrom", .desc = "CD drive of the host", .protocol = true, .opts = file_opts,
    .state_size = sizeof(FileState), .open = host_cdrom_open, .close = file_close,
    .co_preadv = co_file_preadv, .allocated = file_allocated, .set_perm = file_set_perm, .co_block_status = co_file_status,
    .refresh_length = file_refresh_length,
};
BLOCK_DRIVER(host_cdrom_driver);
