// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The export fuse: a node as a regular file, mounted over a file that exists (libfuse 3, low-level
 * interface). The kernel's requests are read in the main loop; each that needs the node is a
 * coroutine.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "block/export.h"
#include "util/error.h"
#include "util/main-loop.h"

#define MAX_TRANSFER (1024u * 1024)

typedef struct FuseExport {
    BlockExport common;
    BlockEdge *edge;
    struct fuse_session *session;
    struct fuse_buf buf;        /* grows as libfuse wants, freed with the export */
    char *mountpoint;
    unsigned tag;
    bool writable, growable, allow_other;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    unsigned in_flight;
} FuseExport;

typedef enum FuseKind {
    KIND_READ,
    KIND_WRITE,
    KIND_SYNC,
    KIND_RESIZE,
    KIND_FALLOCATE,
    KIND_SEEK
} FuseKind;

typedef struct FuseRequest {
    FuseExport *e;
    fuse_req_t req;
    FuseKind kind;
    uint64_t offset, length;
    int mode;                   /* of fallocate, seek */
    uint8_t *data;
} FuseRequest;

/* ---- requests on the node ---- */

static int co_resize(FuseExport *e, uint64_t length, BlockPrealloc prealloc)
{
    unsigned perm = BLOCK_PERM_READ | BLOCK_PERM_WRITE;
    g_autoptr(GError) error = NULL;
    bool good;

    if (!e->writable) {
        return -EACCES;
    }
    if (!e->growable && !block_edge_set_perm(e->edge, perm | BLOCK_PERM_RESIZE,
                                             BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE, &error)) {
        return -EPERM;
    }
    good = co_block_truncate(e->common.node, length, prealloc, &error);
    if (!e->growable) {
        g_autoptr(GError) ignored = NULL;

        block_edge_set_perm(e->edge, perm, BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE, &ignored);
    }
    return good ? 0 : -EIO;
}

static int64_t co_do_write(FuseExport *e, FuseRequest *r)
{
    uint64_t size = e->common.node->length;
    int ret = 0;

    if (r->offset > size || r->length > size - r->offset) {
        if (e->growable) {
            ret = co_resize(e, r->offset + r->length, PREALLOC_OFF);
        } else if (r->offset >= size) {
            return -ENOSPC;
        } else {
            r->length = size - r->offset;
        }
    }
    ret = ret < 0 ? ret : co_block_pwrite(e->common.node, r->offset, r->data, r->length, 0);
    return ret < 0 ? ret : (int64_t)r->length;
}

static int co_fallocate(FuseExport *e, FuseRequest *r)
{
    BlockNode *n = e->common.node;
    uint64_t size = n->length, end = r->offset + r->length;
    bool beyond = end > size && !(r->mode & FALLOC_FL_KEEP_SIZE);
    int ret = 0;

    if (beyond && !e->growable) {
        return -EOPNOTSUPP;
    }
    if (r->mode & FALLOC_FL_PUNCH_HOLE) {
        end = MIN(end, size);
        return end > r->offset
                   ? co_block_write_zeroes(n, r->offset, end - r->offset, BLOCK_MAY_UNMAP)
                   : 0;
    }
    if (r->mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE)) {
        return -EOPNOTSUPP;
    }
    if (beyond) {
        ret = co_resize(e, end,
                        r->mode & FALLOC_FL_ZERO_RANGE || r->offset < size ? PREALLOC_OFF
                                                                           : PREALLOC_FALLOC);
    }
    if (ret == 0 && (r->mode & FALLOC_FL_ZERO_RANGE)) {
        end = MIN(end, n->length);
        ret = end > r->offset ? co_block_write_zeroes(n, r->offset, end - r->offset, 0) : 0;
    } else if (!(r->mode & FALLOC_FL_ZERO_RANGE) && !beyond) {
        ret = -EOPNOTSUPP;
    }
    return ret;
}

/* SEEK_DATA, SEEK_HOLE: the place, or -errno. */
static int64_t co_seek(FuseExport *e, uint64_t at, int whence)
{
    BlockNode *n = e->common.node;

    while (at < n->length) {
        BlockStatus st;
        int ret = co_block_status_above(n, NULL, at, n->length - at, true, &st);
        bool data = !(st.flags & BLOCK_STATUS_ZERO);

        if (ret < 0) {
            return ret;
        }
        if (data == (whence == SEEK_DATA)) {
            return (int64_t)at;
        }
        if (st.bytes == 0) {
            return -EIO;
        }
        at += st.bytes;
    }
    return at == n->length && whence == SEEK_HOLE ? (int64_t)at : -ENXIO;
}

static void get_attr(FuseExport *e, struct stat *st)
{
    int64_t allocated = block_allocated(e->common.node);

    *st = (struct stat){
        .st_ino = FUSE_ROOT_ID,
        .st_mode = S_IFREG | e->mode,
        .st_nlink = 1,
        .st_uid = e->uid,
        .st_gid = e->gid,
        .st_size = (off_t)e->common.node->length,
        .st_blksize = 4096,
        .st_atime = time(NULL),
        .st_blocks = allocated < 0 ? (blkcnt_t)(e->common.node->length / 512) : allocated / 512,
    };
    st->st_mtime = st->st_ctime = st->st_atime;
}

static int64_t co_carry_out(FuseRequest *r)
{
    BlockNode *n = r->e->common.node;

    switch (r->kind) {
    case KIND_READ:
        r->length = r->offset < n->length ? MIN(r->length, n->length - r->offset) : 0;
        return r->length ? co_block_pread(n, r->offset, r->data, r->length) : 0;
    case KIND_WRITE:
        return co_do_write(r->e, r);
    case KIND_SYNC:
        return co_block_flush(n);
    case KIND_RESIZE:
        return co_resize(r->e, r->length, PREALLOC_OFF);
    case KIND_FALLOCATE:
        return r->e->writable ? co_fallocate(r->e, r) : -EACCES;
    default:
        return co_seek(r->e, r->offset, r->mode);
    }
}

static void co_request(void *opaque)
{
    FuseRequest *r = opaque;
    struct stat st;
    int64_t ret;

    co_graph_enter();
    ret = co_carry_out(r);
    graph_leave();
    if (ret < 0) {
        fuse_reply_err(r->req, (int)-ret);
    } else if (r->kind == KIND_READ) {
        fuse_reply_buf(r->req, (char *)r->data, r->length);
    } else if (r->kind == KIND_WRITE) {
        fuse_reply_write(r->req, (size_t)ret);
    } else if (r->kind == KIND_RESIZE) {
        get_attr(r->e, &st);
        fuse_reply_attr(r->req, &st, 1);
    } else if (r->kind == KIND_SEEK) {
        fuse_reply_lseek(r->req, ret);
    } else {
        fuse_reply_err(r->req, 0);
    }
    r->e->in_flight--;
    g_free(r->data);
    g_free(r);
}

static void start(const FuseRequest *request)
{
    FuseRequest *r = g_memdup2(request, sizeof(*request));

    r->e->in_flight++;
    coroutine_start(co_request, r);
}

/* ---- what the kernel asks ---- */

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    fuse_reply_err(req, ENOENT);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    get_attr(fuse_req_userdata(req), &st);
    fuse_reply_attr(req, &st, 1);
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *new, int what,
                       struct fuse_file_info *fi)
{
    FuseExport *e = fuse_req_userdata(req);
    int owner = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;

    if (((what & owner) && !e->allow_other) || (what & ~(owner | FUSE_SET_ATTR_SIZE))) {
        fuse_reply_err(req, ENOTSUP);
        return;
    }
    if ((what & FUSE_SET_ATTR_MODE) && (new->st_mode & 0222) && !e->writable) {
        fuse_reply_err(req, EROFS);
        return;
    }
    e->mode = what & FUSE_SET_ATTR_MODE ? new->st_mode & 07777 : e->mode;
    e->uid = what & FUSE_SET_ATTR_UID ? new->st_uid : e->uid;
    e->gid = what & FUSE_SET_ATTR_GID ? new->st_gid : e->gid;
    if (what & FUSE_SET_ATTR_SIZE) {
        start(&(FuseRequest){
            .e = e, .req = req, .kind = KIND_RESIZE, .length = (uint64_t) new->st_size});
    } else {
        on_getattr(req, ino, fi);
    }
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    fi->direct_io = false;
    fuse_reply_open(req, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    if (size > MAX_TRANSFER) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    start(&(FuseRequest){.e = fuse_req_userdata(req),
                         .req = req,
                         .kind = KIND_READ,
                         .offset = (uint64_t)offset,
                         .length = size,
                         .data = g_malloc(MAX(size, 1))});
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    FuseExport *e = fuse_req_userdata(req);

    if (!e->writable || size > MAX_TRANSFER || offset < 0 || size > (size_t)(INT64_MAX - offset)) {
        fuse_reply_err(req, e->writable ? EINVAL : EACCES);
        return;
    }
    start(&(FuseRequest){.e = e,
                         .req = req,
                         .kind = KIND_WRITE,
                         .offset = (uint64_t)offset,
                         .length = size,
                         .data = g_memdup2(buf, size)});
}

static void on_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                         struct fuse_file_info *fi)
{
    if (offset < 0 || length <= 0 || length > INT64_MAX - offset) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    start(&(FuseRequest){.e = fuse_req_userdata(req),
                         .req = req,
                         .kind = KIND_FALLOCATE,
                         .mode = mode,
                         .offset = (uint64_t)offset,
                         .length = (uint64_t)length});
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    start(&(FuseRequest){ .e = fuse_req_userdata(req), .req = req, .kind = KIND_SYNC });
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    start(&(FuseRequest){ .e = fuse_req_userdata(req), .req = req, .kind = KIND_SYNC });
}

static void on_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
                     struct fuse_file_info *fi)
{
    if (offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    start(&(FuseRequest){.e = fuse_req_userdata(req),
                         .req = req,
                         .kind = KIND_SEEK,
                         .mode = whence,
                         .offset = (uint64_t)offset});
}

static void on_init(void *opaque, struct fuse_conn_info *conn)
{
    conn->max_read = MAX_TRANSFER;
    conn->max_write = MIN(conn->max_write, MAX_TRANSFER);
}

static const struct fuse_lowlevel_ops fuse_ops = {
    .init = on_init, .lookup = on_lookup, .getattr = on_getattr, .setattr = on_setattr, .open = on_open, .read = on_read,
    .write = on_write, .fallocate = on_fallocate, .flush = on_flush, .fsync = on_fsync, .lseek = on_lseek,
};

static bool on_readable(int fd, GIOCondition events, void *opaque)
{
    FuseExport *e = opaque;
    int got;

    do {
        got = fuse_session_receive_buf(e->session, &e->buf);
    } while (got == -EINTR);
    if (got > 0) {
        fuse_session_process_buf(e->session, &e->buf);
    }
    if (got <= 0 ? got != -EAGAIN : fuse_session_exited(e->session)) {
        e->tag = 0;
        block_export_end_soon(&e->common);
        return false;
    }
    return true;
}

/* ---- the export ---- */

static bool mount_as(FuseExport *e, bool allow_other)
{
    g_autofree char *options = g_strdup_printf("max_read=%u,default_permissions%s", MAX_TRANSFER,
                                               allow_other ? ",allow_other" : "");
    const char *argv[] = { "", "-o", options, NULL };
    struct fuse_args args = FUSE_ARGS_INIT(3, (char **)argv);

    e->session = fuse_session_new(&args, &fuse_ops, sizeof(fuse_ops), e);
    fuse_opt_free_args(&args);
    if (!e->session) {
        return false;
    }
    if (fuse_session_mount(e->session, e->mountpoint) != 0) {
        fuse_session_destroy(e->session);
        e->session = NULL;
        return false;
    }
    e->allow_other = allow_other;
    return true;
}

static bool check_mountpoint(const char *path, GError **error)
{
    struct stat st;

    if (stat(path, &st) < 0) {
        return fail_errno(error, errno, "Failed to stat '%s'", path);
    }
    return S_ISREG(st.st_mode) || fail(error, "'%s' is not a regular file", path);
}

static bool open_export(BlockExport *common, const BlockExportOptions *options, GError **error)
{
    const BlockExportOptionsFuse *o = options->u.fuse;
    FuseExport *e = (FuseExport *)common;
    FuseExportAllowOther other = o->has_allow_other ? o->allow_other : FUSE_EXPORT_ALLOW_OTHER_AUTO;
    unsigned perm = BLOCK_PERM_READ;

    if (!check_mountpoint(o->mountpoint, error)) {
        return false;
    }
    e->writable = options->has_writable && options->writable;
    e->growable = o->has_growable && o->growable;
    if (e->growable && !e->writable) {
        return fail(error, "growable=on needs writable=on");
    }
    perm |= e->writable ? BLOCK_PERM_WRITE : 0;
    perm |= e->growable ? BLOCK_PERM_RESIZE : 0;
    e->edge =
        block_attach(common->node, "fuse export", perm, BLOCK_PERM_ALL & ~BLOCK_PERM_RESIZE, error);
    if (!e->edge) {
        return false;
    }
    e->mountpoint = g_strdup(o->mountpoint);
    e->mode = e->writable ? 0600 : 0400;
    e->uid = getuid();
    e->gid = getgid();
    if (!(other != FUSE_EXPORT_ALLOW_OTHER_OFF && mount_as(e, true)) &&
        !(other != FUSE_EXPORT_ALLOW_OTHER_ON && mount_as(e, false))) {
        block_detach(e->edge);
        fail(error, "Failed to mount FUSE session to export at '%s'", e->mountpoint);
        g_free(e->mountpoint);
        return false;
    }
    fcntl(fuse_session_fd(e->session), F_SETFL,
          fcntl(fuse_session_fd(e->session), F_GETFL) | O_NONBLOCK);
    e->tag = fd_watch(fuse_session_fd(e->session), G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, e);
    return true;
}

static bool is_used(const BlockExport *common)
{
    return false;
}

static void close_export(BlockExport *common)
{
    FuseExport *e = (FuseExport *)common;

    if (e->tag) {
        fd_unwatch(e->tag);
    }
    fuse_session_unmount(e->session);
    while (e->in_flight) {
        main_loop_iterate(true);
    }
    fuse_session_destroy(e->session);
    free(e->buf.mem);
    block_detach(e->edge);
    g_free(e->mountpoint);
}

static const BlockExportDriver fuse_exports = {
    .type = BLOCK_EXPORT_TYPE_FUSE, .size = sizeof(FuseExport), .open = open_export, .used = is_used, .close = close_export,
};
EXPORT_DRIVER(fuse_exports);
