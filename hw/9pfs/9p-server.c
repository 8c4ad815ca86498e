// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The messages of 9P2000.L (the protocol's description in Linux' documentation and diod's). Left
 * out: authentication, creating extended attributes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "9p.h"
#include "util/bswap.h"

#define HEADER 7u
#define IO_HEADER 24u                    /* of read and write messages, less than this */
#define MSIZE_MAX (512u << 10)
#define MSIZE_MIN 4096u
#define MAX_FIDS 8192u
#define MAX_WALK 16u
#define NAME_LIMIT 255u
#define PATH_LIMIT 4096u

enum {
    RLERROR = 7,
    TSTATFS = 8,
    TLOPEN = 12,
    TLCREATE = 14,
    TSYMLINK = 16,
    TMKNOD = 18,
    TRENAME = 20,
    TREADLINK = 22,
    TGETATTR = 24,
    TSETATTR = 26,
    TXATTRWALK = 30,
    TXATTRCREATE = 32,
    TREADDIR = 40,
    TFSYNC = 50,
    TLOCK = 52,
    TGETLOCK = 54,
    TLINK = 70,
    TMKDIR = 72,
    TRENAMEAT = 74,
    TUNLINKAT = 76,
    TVERSION = 100,
    TATTACH = 104,
    TFLUSH = 108,
    TWALK = 110,
    TREAD = 116,
    TWRITE = 118,
    TCLUNK = 120,
    TREMOVE = 122 };
enum { QID_DIR = 0x80, QID_SYMLINK = 2 };

typedef struct P9Fid {
    int fd;                      /* O_PATH */
    int parent;                  /* O_PATH of the folder, for Tremove and Trename; -1: unknown */
    char *name;                  /* in it */
    int io;                      /* opened file, -1: none */
    DIR *dir;                    /* opened folder */
} P9Fid;

struct P9Server {
    P9Export export;
    int root;
    uint32_t msize;
    GHashTable *fids;            /* uint32_t -> P9Fid */
};

/* A message being read, an answer being written; a field that does not fit marks it as bad. */
typedef struct Msg {
    const uint8_t *in;
    size_t left;
    uint8_t *out;
    size_t pos, room;
    bool bad;
    char text[3][PATH_LIMIT + 1];
} Msg;

/* ---- fields ---- */

static uint64_t get(Msg *m, unsigned size)
{
    uint64_t v = 0;

    if (m->left < size) {
        m->bad = true;
        m->left = 0;
        return 0;
    }
    v = load_sized(m->in, size, false);
    m->in += size;
    m->left -= size;
    return v;
}

/* The n-th string of a message. */
static const char *get_text(Msg *m, unsigned n)
{
    size_t len = get(m, 2);

    m->text[n][0] = 0;
    if (len > m->left || len > PATH_LIMIT || memchr(m->in, 0, len)) {
        m->bad = true;
        return m->text[n];
    }
    memcpy(m->text[n], m->in, len);
    m->text[n][len] = 0;
    m->in += len;
    m->left -= len;
    return m->text[n];
}

static void put(Msg *m, unsigned size, uint64_t v)
{
    if (m->room - m->pos < size) {
        m->bad = true;
        return;
    }
    store_sized(m->out + m->pos, v, size, false);
    m->pos += size;
}

static void put_text(Msg *m, const char *s, size_t len)
{
    put(m, 2, len);
    if (m->room - m->pos < len) {
        m->bad = true;
        return;
    }
    memcpy(m->out + m->pos, s, len);
    m->pos += len;
}

static void put_qid(Msg *m, const struct stat *st)
{
    put(m, 1, S_ISDIR(st->st_mode) ? QID_DIR : S_ISLNK(st->st_mode) ? QID_SYMLINK : 0);
    put(m, 4, (uint32_t)st->st_mtime ^ (uint32_t)st->st_size << 8);
    put(m, 8, st->st_ino ^ (uint64_t)st->st_dev << 48);
}

static bool good_name(const char *s)
{
    return *s && strlen(s) <= NAME_LIMIT && !strchr(s, '/') && strcmp(s, ".") != 0 &&
           strcmp(s, "..") != 0;
}

/* ---- fids ---- */

static void fid_free(void *p)
{
    P9Fid *f = p;

    close(f->fd);
    if (f->parent >= 0) {
        close(f->parent);
    }
    if (f->dir) {
        closedir(f->dir);
    } else if (f->io >= 0) {
        close(f->io);
    }
    g_free(f->name);
    g_free(f);
}

static P9Fid *fid_find(P9Server *s, uint32_t n)
{
    return g_hash_table_lookup(s->fids, GUINT_TO_POINTER(n));
}

/* Takes fd and parent over, even when it fails. */
static int fid_add(P9Server *s, uint32_t n, int fd, int parent, const char *name)
{
    if (fid_find(s, n) || g_hash_table_size(s->fids) >= MAX_FIDS) {
        close(fd);
        if (parent >= 0) {
            close(parent);
        }
        return fid_find(s, n) ? -EEXIST : -EMFILE;
    }
    P9Fid *f = g_new0(P9Fid, 1);

    *f = (P9Fid){ .fd = fd, .parent = parent, .name = g_strdup(name), .io = -1 };
    g_hash_table_insert(s->fids, GUINT_TO_POINTER(n), f);
    return 0;
}

static bool is_root(P9Server *s, int fd)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstat(s->root, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static int dup_fd(int fd)
{
    int n = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    return n < 0 ? -errno : n;
}

/* ---- messages: each reads its fields, and writes those of the answer; 0 or -errno ---- */

static int do_version(P9Server *s, Msg *m)
{
    uint32_t msize = get(m, 4);
    const char *version = get_text(m, 0);
    bool known = strcmp(version, "9P2000.L") == 0;

    p9_server_reset(s);
    s->msize = CLAMP(msize, MSIZE_MIN, MSIZE_MAX);
    put(m, 4, s->msize);
    put_text(m, known ? "9P2000.L" : "unknown", known ? 8 : 7);
    return 0;
}

static int do_attach(P9Server *s, Msg *m)
{
    uint32_t fid = get(m, 4);
    struct stat st;
    int fd = dup_fd(s->root);

    if (fd < 0) {
        return fd;
    }
    int ret = p9_stat(&s->export, fd, &st);

    if (ret == 0) {
        put_qid(m, &st);
        return fid_add(s, fid, fd, -1, NULL);
    }
    close(fd);
    return ret;
}

/* One step of a walk. */
static int walk_step(P9Server *s, int at, const char *name)
{
    if (strcmp(name, "..") == 0) {
        int up = is_root(s, at) ? dup_fd(at) : openat(at, "..", O_PATH | O_NOFOLLOW | O_CLOEXEC);

        return up < 0 ? -errno : up;
    }
    return good_name(name) ? p9_child(at, name) : -ENOENT;
}

static int do_walk(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    uint32_t new_fid = get(m, 4);
    unsigned n = get(m, 2), done = 0;
    size_t count_at = m->pos;
    g_autofree char *name = NULL;

    if (!f || n > MAX_WALK) {
        return f ? -EINVAL : -EBADF;
    }
    int at = dup_fd(f->fd), parent = f->parent >= 0 ? dup_fd(f->parent) : -1, ret = at < 0 ? at : 0;

    name = g_strdup(f->name);
    put(m, 2, 0);
    while (ret == 0 && done < n) {
        struct stat st;
        int next = walk_step(s, at, get_text(m, 0));

        ret = m->bad ? -EINVAL : next < 0 ? next : p9_stat(&s->export, next, &st);
        if (ret == 0) {
            put_qid(m, &st);
            if (parent >= 0) {
                close(parent);
            }
            parent = at;
            at = next;
            g_free(name);
            name = g_strdup(m->text[0]);
            done++;
        } else if (next >= 0) {
            close(next);
        }
    }
    store_le16(m->out + count_at, done);
    if (done < n) {              /* what was reached is told, but makes no fid */
        close(at);
        if (parent >= 0) {
            close(parent);
        }
        return done ? 0 : ret;
    }
    if (ret == 0 && fid_find(s, new_fid) == f) {
        g_hash_table_remove(s->fids, GUINT_TO_POINTER(new_fid));
    }
    return fid_add(s, new_fid, at, parent, name);
}

static int open_answer(P9Server *s, Msg *m, P9Fid *f)
{
    struct stat st = { 0 };
    int ret = p9_stat(&s->export, f->fd, &st);

    put_qid(m, &st);
    put(m, 4, s->msize - IO_HEADER);
    return ret;
}

static int do_lopen(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    uint32_t flags = get(m, 4);
    struct stat st;

    if (!f || f->io >= 0) {
        return -EBADF;
    }
    if (s->export.read_only && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))) {
        return -EROFS;
    }
    int ret = p9_stat(&s->export, f->fd, &st);

    if (ret == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        ret = S_ISLNK(st.st_mode) ? -ELOOP : -ENXIO;     /* devices and FIFOs are the guest's own */
    }
    if (ret < 0) {
        return ret;
    }
    f->io = p9_open(f->fd, flags);
    if (f->io < 0) {
        ret = f->io;
        f->io = -1;
        return ret;
    }
    if (S_ISDIR(st.st_mode)) {
        f->dir = fdopendir(f->io);
    }
    return open_answer(s, m, f);
}

static int do_lcreate(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    const char *name = get_text(m, 0);
    uint32_t flags = get(m, 4), mode = get(m, 4), gid = get(m, 4);

    if (!f || f->io >= 0) {
        return -EBADF;
    }
    if (m->bad || !good_name(name)) {
        return -EINVAL;
    }
    if (s->export.read_only) {
        return -EROFS;
    }
    int io = p9_create(&s->export, f->fd, name, flags, mode, gid);
    int fd = io < 0 ? io : p9_child(f->fd, name);

    if (fd < 0) {
        if (io >= 0) {
            close(io);
        }
        return fd;
    }
    if (f->parent >= 0) {
        close(f->parent);
    }
    g_free(f->name);
    f->parent = f->fd;
    f->fd = fd;
    f->io = io;
    f->name = g_strdup(name);
    return open_answer(s, m, f);
}

/* Tmkdir, Tsymlink, Tmknod: something new in a folder, whose qid is the answer. */
static int do_make(P9Server *s, Msg *m, unsigned type)
{
    P9Fid *f = fid_find(s, get(m, 4));
    const char *name = get_text(m, 0);
    struct stat st = { 0 };
    int ret;

    if (!f || m->bad || !good_name(name)) {
        return f ? -EINVAL : -EBADF;
    }
    if (s->export.read_only) {
        return -EROFS;
    }
    if (type == TMKDIR) {
        uint32_t mode = get(m, 4), gid = get(m, 4);

        ret = p9_mkdir(&s->export, f->fd, name, mode, gid);
    } else if (type == TSYMLINK) {
        const char *target = get_text(m, 1);

        ret = m->bad ? -EINVAL : p9_symlink(&s->export, f->fd, name, target, get(m, 4));
    } else {
        uint32_t mode = get(m, 4), major_ = get(m, 4), minor_ = get(m, 4), gid = get(m, 4);

        ret = p9_mknod(&s->export, f->fd, name, mode, major_, minor_, gid);
    }
    int fd = ret < 0 ? ret : p9_child(f->fd, name);

    if (fd < 0) {
        return fd;
    }
    ret = p9_stat(&s->export, fd, &st);
    close(fd);
    put_qid(m, &st);
    return ret;
}

static int do_getattr(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    struct stat st;
    int ret = f ? p9_stat(&s->export, f->fd, &st) : -EBADF;

    if (ret < 0) {
        return ret;
    }
    put(m, 8, 0x7ff);            /* the basic fields */
    put_qid(m, &st);
    put(m, 4, st.st_mode);
    put(m, 4, st.st_uid);
    put(m, 4, st.st_gid);
    put(m, 8, st.st_nlink);
    put(m, 8, st.st_rdev);
    put(m, 8, st.st_size);
    put(m, 8, st.st_blksize);
    put(m, 8, st.st_blocks);
    put(m, 8, st.st_atim.tv_sec);
    put(m, 8, st.st_atim.tv_nsec);
    put(m, 8, st.st_mtim.tv_sec);
    put(m, 8, st.st_mtim.tv_nsec);
    put(m, 8, st.st_ctim.tv_sec);
    put(m, 8, st.st_ctim.tv_nsec);
    for (unsigned i = 0; i < 4; i++) {
        put(m, 8, 0);            /* birth, generation, version */
    }
    return 0;
}

static int do_setattr(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    P9Attr a = { .valid = get(m, 4) };

    a.mode = get(m, 4);
    a.uid = get(m, 4);
    a.gid = get(m, 4);
    a.size = get(m, 8);
    a.atime = get(m, 8);
    a.atime_ns = get(m, 8);
    a.mtime = get(m, 8);
    a.mtime_ns = get(m, 8);
    return !f                    ? -EBADF
           : m->bad              ? -EINVAL
           : s->export.read_only ? -EROFS
                                 : p9_setattr(&s->export, f->fd, &a);
}

static int do_statfs(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    struct statfs st;

    if (!f || fstatfs(f->fd, &st) < 0) {
        return f ? -errno : -EBADF;
    }
    put(m, 4, st.f_type);
    put(m, 4, st.f_bsize);
    put(m, 8, st.f_blocks);
    put(m, 8, st.f_bfree);
    put(m, 8, st.f_bavail);
    put(m, 8, st.f_files);
    put(m, 8, st.f_ffree);
    put(m, 8, 0);
    put(m, 4, st.f_namelen);
    return 0;
}

static int do_read(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    uint64_t offset = get(m, 8);
    uint32_t count = get(m, 4);
    size_t at = m->pos;

    if (!f || f->io < 0 || f->dir) {
        return -EBADF;
    }
    put(m, 4, 0);
    ssize_t n = m->bad ? -1
                       : pread(f->io, m->out + m->pos, MIN(count, m->room - m->pos),
                               MIN(offset, INT64_MAX));

    if (n < 0) {
        return -errno;
    }
    store_le32(m->out + at, n);
    m->pos += n;
    return 0;
}

static int do_write(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    uint64_t offset = get(m, 8);
    uint32_t count = get(m, 4);

    if (!f || f->io < 0 || f->dir) {
        return -EBADF;
    }
    if (count > m->left) {
        return -EINVAL;
    }
    ssize_t n = pwrite(f->io, m->in, count, MIN(offset, INT64_MAX));

    put(m, 4, n < 0 ? 0 : n);
    return n < 0 ? -errno : 0;
}

static int do_readdir(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    uint64_t offset = get(m, 8);
    uint32_t count = get(m, 4);
    size_t at = m->pos;
    struct dirent *d;

    if (!f || !f->dir) {
        return -EBADF;
    }
    put(m, 4, 0);
    size_t end = MIN(m->room, m->pos + MIN(count, m->room));

    if (offset == 0) {
        rewinddir(f->dir);
    } else {
        seekdir(f->dir, offset);
    }
    while ((d = readdir(f->dir)) != NULL) {
        struct stat st = { .st_mode = DTTOIF(d->d_type), .st_ino = d->d_ino };
        size_t len = strlen(d->d_name);

        if (end - m->pos < 13 + 8 + 1 + 2 + len) {
            break;
        }
        put_qid(m, &st);
        put(m, 8, d->d_off);
        put(m, 1, d->d_type);
        put_text(m, d->d_name, len);
    }
    store_le32(m->out + at, m->pos - at - 4);
    return 0;
}

static int do_readlink(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    int n = f ? p9_readlink(&s->export, f->fd, m->text[0], PATH_LIMIT) : -EBADF;

    if (n >= 0) {
        put_text(m, m->text[0], n);
    }
    return MIN(n, 0);
}

static int do_fsync(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4));
    bool data_only = get(m, 4);

    if (!f || f->io < 0) {
        return -EBADF;
    }
    return (data_only ? fdatasync(f->io) : fsync(f->io)) < 0 ? -errno : 0;
}

static int do_link(P9Server *s, Msg *m)
{
    P9Fid *dir = fid_find(s, get(m, 4)), *f = fid_find(s, get(m, 4));
    const char *name = get_text(m, 0);

    if (!dir || !f || m->bad || !good_name(name)) {
        return dir && f ? -EINVAL : -EBADF;
    }
    return s->export.read_only ? -EROFS : p9_link(f->fd, dir->fd, name);
}

static int do_unlinkat(P9Server *s, Msg *m)
{
    P9Fid *dir = fid_find(s, get(m, 4));
    const char *name = get_text(m, 0);
    uint32_t flags = get(m, 4);

    if (!dir || m->bad || !good_name(name)) {
        return dir ? -EINVAL : -EBADF;
    }
    return s->export.read_only                                 ? -EROFS
           : unlinkat(dir->fd, name, flags & AT_REMOVEDIR) < 0 ? -errno
                                                               : 0;
}

static int do_renameat(P9Server *s, Msg *m)
{
    P9Fid *from = fid_find(s, get(m, 4));
    const char *old = get_text(m, 0);
    P9Fid *to = fid_find(s, get(m, 4));
    const char *name = get_text(m, 1);

    if (!from || !to || m->bad || !good_name(old) || !good_name(name)) {
        return from && to ? -EINVAL : -EBADF;
    }
    return s->export.read_only ? -EROFS : renameat(from->fd, old, to->fd, name) < 0 ? -errno : 0;
}

/* By fid: the name under which it was reached, if that is still the same file. */
static int do_rename(P9Server *s, Msg *m)
{
    P9Fid *f = fid_find(s, get(m, 4)), *to = fid_find(s, get(m, 4));
    const char *name = get_text(m, 0);

    if (!f || !to || m->bad || !good_name(name) || f->parent < 0 || !f->name ||
        !good_name(f->name)) {
        return f && to ? -EINVAL : -EBADF;
    }
    if (s->export.read_only) {
        return -EROFS;
    }
    if (renameat(f->parent, f->name, to->fd, name) < 0) {
        return -errno;
    }
    int parent = dup_fd(to->fd);

    close(f->parent);
    f->parent = parent;
    g_free(f->name);
    f->name = g_strdup(name);
    return 0;
}

static int do_remove(P9Server *s, Msg *m)
{
    uint32_t n = get(m, 4);
    P9Fid *f = fid_find(s, n);
    struct stat st;
    int ret = !f                                     ? -EBADF
              : s->export.read_only                  ? -EROFS
              : f->parent < 0 || !good_name(f->name) ? -EINVAL
                                                     : 0;

    if (ret == 0 && fstatat(f->fd, "", &st, AT_EMPTY_PATH) == 0) {
        ret = unlinkat(f->parent, f->name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
    }
    g_hash_table_remove(s->fids, GUINT_TO_POINTER(n));
    return ret;
}

/* Locks are the guest's own: it is the only client of its fids. */
static int do_lock(P9Server *s, Msg *m, unsigned type)
{
    if (!fid_find(s, get(m, 4))) {
        return -EBADF;
    }
    if (type == TLOCK) {
        put(m, 1, 0);
        return 0;
    }
    uint64_t start, length;
    uint32_t proc;

    get(m, 1);
    start = get(m, 8);
    length = get(m, 8);
    proc = get(m, 4);
    const char *client = get_text(m, 0);

    put(m, 1, 2);                /* unlocked */
    put(m, 8, start);
    put(m, 8, length);
    put(m, 4, proc);
    put_text(m, client, strlen(client));
    return 0;
}

static int run(P9Server *s, Msg *m, unsigned type)
{
    switch (type) {
    case TVERSION:
        return do_version(s, m);
    case TATTACH:
        return do_attach(s, m);
    case TWALK:
        return do_walk(s, m);
    case TLOPEN:
        return do_lopen(s, m);
    case TLCREATE:
        return do_lcreate(s, m);
    case TMKDIR:
    case TSYMLINK:
    case TMKNOD:
        return do_make(s, m, type);
    case TGETATTR:
        return do_getattr(s, m);
    case TSETATTR:
        return do_setattr(s, m);
    case TSTATFS:
        return do_statfs(s, m);
    case TREAD:
        return do_read(s, m);
    case TWRITE:
        return do_write(s, m);
    case TREADDIR:
        return do_readdir(s, m);
    case TREADLINK:
        return do_readlink(s, m);
    case TFSYNC:
        return do_fsync(s, m);
    case TLINK:
        return do_link(s, m);
    case TUNLINKAT:
        return do_unlinkat(s, m);
    case TRENAMEAT:
        return do_renameat(s, m);
    case TRENAME:
        return do_rename(s, m);
    case TREMOVE:
        return do_remove(s, m);
    case TLOCK:
    case TGETLOCK:
        return do_lock(s, m, type);
    case TCLUNK:
        return g_hash_table_remove(s->fids, GUINT_TO_POINTER((uint32_t)get(m, 4))) ? 0 : -EBADF;
    case TFLUSH:
        return 0;                /* requests end before the next begins */
    default:
        return -EOPNOTSUPP;
    }
}

size_t p9_server_run(P9Server *s, const uint8_t *in, size_t len, uint8_t *out, size_t out_size)
{
    g_autofree Msg *m = g_new0(Msg, 1);
    int ret;

    if (len < HEADER || load_le32(in) < HEADER || load_le32(in) > len || out_size < HEADER + 4) {
        return 0;
    }
    *m = (Msg){.in = in + HEADER,
               .left = load_le32(in) - HEADER,
               .out = out,
               .pos = HEADER,
               .room = MIN(out_size, s->msize)};
    ret = run(s, m, in[4]);
    if (m->bad && ret == 0) {
        ret = -EINVAL;
    }
    out[4] = in[4] + 1;
    if (ret < 0) {
        out[4] = RLERROR;
        m->pos = HEADER;
        store_le32(out + HEADER, -ret);
        m->pos += 4;
    }
    store_le32(out, m->pos);
    memcpy(out + 5, in + 5, 2);
    return m->pos;
}

P9Server *p9_server_new(const P9Export *e)
{
    int root = open(e->path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0) {
        return NULL;
    }
    P9Server *s = g_new0(P9Server, 1);

    *s = (P9Server){ .export = *e, .root = root, .msize = MSIZE_MAX };
    s->fids = g_hash_table_new_full(NULL, NULL, NULL, fid_free);
    return s;
}

void p9_server_reset(P9Server *s)
{
    g_hash_table_remove_all(s->fids);
}

void p9_server_free(P9Server *s)
{
    g_hash_table_unref(s->fids);
    close(s->root);
    g_free(s);
}
