// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plays librados and librbd for tests: images are files of the folder $FAKE_RBD, called
 * POOL.NAMESPACE.IMAGE@SNAPSHOT; what was set is in its file `settings`.
 */
#include <errno.h>
#include <fcntl.h>
#include <rados/librados.h>
#include <rbd/librbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Pool {
    char name[64], space[64];
} Pool;

static void note(const char *name, const char *value)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/settings", getenv("FAKE_RBD"));
    f = fopen(path, "a");
    if (f) {
        fprintf(f, "%s=%s\n", name, value ? value : "");
        fclose(f);
    }
}

static int open_file(const Pool *p, const char *image, const char *snapshot, int flags)
{
    char path[512];
    int fd;

    snprintf(path, sizeof(path), "%s/%s.%s.%s%s%s", getenv("FAKE_RBD"), p->name, p->space, image,
             snapshot ? "@" : "", snapshot ? snapshot : "");
    fd = open(path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

int rados_create(rados_t *cluster, const char *const id)
{
    *cluster = malloc(1);
    note("id", id);
    return 0;
}

int rados_conf_read_file(rados_t cluster, const char *path)
{
    note("conf", path);
    return 0;
}

int rados_conf_set(rados_t cluster, const char *option, const char *value)
{
    note(option, value);
    return strcmp(option, "wrong") == 0 ? -ENOENT : 0;
}

int rados_connect(rados_t cluster)
{
    return 0;
}

void rados_shutdown(rados_t cluster)
{
    free(cluster);
}

int rados_ioctx_create(rados_t cluster, const char *name, rados_ioctx_t *io)
{
    Pool *p = calloc(1, sizeof(*p));

    if (strcmp(name, "none") == 0) {
        free(p);
        return -ENOENT;
    }
    snprintf(p->name, sizeof(p->name), "%s", name);
    *io = p;
    return 0;
}

void rados_ioctx_destroy(rados_ioctx_t io)
{
    free(io);
}

void rados_ioctx_set_namespace(rados_ioctx_t io, const char *space)
{
    Pool *p = io;

    snprintf(p->space, sizeof(p->space), "%s", space);
}

int rbd_create(rados_ioctx_t io, const char *name, uint64_t size, int *order)
{
    int fd = open_file(io, name, NULL, O_RDWR | O_CREAT | O_EXCL), ret;

    if (fd < 0) {
        return fd;
    }
    ret = ftruncate(fd, (off_t)size);
    close(fd);
    return ret;
}

static int open_as(rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snapshot,
                   int flags)
{
    int fd = open_file(io, name, snapshot, flags), *p;

    if (fd < 0) {
        return fd;
    }
    p = malloc(sizeof(*p));
    *p = fd;
    *image = p;
    return 0;
}

int rbd_open(rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name)
{
    return open_as(io, name, image, snap_name, O_RDWR);
}

int rbd_open_read_only(rados_ioctx_t io, const char *name, rbd_image_t *image,
                       const char *snap_name)
{
    return open_as(io, name, image, snap_name, O_RDONLY);
}

int rbd_close(rbd_image_t image)
{
    close(*(int *)image);
    free(image);
    return 0;
}

int rbd_stat(rbd_image_t image, rbd_image_info_t *info, size_t infosize)
{
    struct stat st;

    memset(info, 0, infosize);
    fstat(*(int *)image, &st);
    info->size = (uint64_t)st.st_size;
    info->obj_size = 4 << 20;
    return 0;
}

/* Short ones, which the caller has to go on with. */
ssize_t rbd_read(rbd_image_t image, uint64_t ofs, size_t len, char *buf)
{
    return pread(*(int *)image, buf, len > 5000 ? 5000 : len, (off_t)ofs);
}

ssize_t rbd_write(rbd_image_t image, uint64_t ofs, size_t len, const char *buf)
{
    return pwrite(*(int *)image, buf, len > 5000 ? 5000 : len, (off_t)ofs);
}

int rbd_flush(rbd_image_t image)
{
    note("flush", "");
    return 0;
}

int rbd_discard(rbd_image_t image, uint64_t ofs, uint64_t len)
{
    return fallocate(*(int *)image, 3, (off_t)ofs, (off_t)len) < 0 ? -errno : (int)(len >> 1);
}

int rbd_resize(rbd_image_t image, uint64_t size)
{
    return ftruncate(*(int *)image, (off_t)size);
}
