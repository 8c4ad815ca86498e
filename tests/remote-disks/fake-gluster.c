// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plays libgfapi for tests: files of volumes are those of the folder $FAKE_GLUSTER, called
 * VOLUME.PATH; what was set is in its file `settings`.
 */
#include <errno.h>
#include <fcntl.h>
#include <glusterfs/api/glfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct glfs {
    char volume[64];
};

struct glfs_fd {
    int fd;
};

static void note(const char *name, const char *value, int number)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/settings", getenv("FAKE_GLUSTER"));
    f = fopen(path, "a");
    if (f) {
        fprintf(f, "%s=%s:%d\n", name, value ? value : "", number);
        fclose(f);
    }
}

glfs_t *glfs_new(const char *volname)
{
    glfs_t *fs = calloc(1, sizeof(*fs));

    snprintf(fs->volume, sizeof(fs->volume), "%s", volname);
    return fs;
}

int glfs_set_volfile_server(glfs_t *fs, const char *transport, const char *host, int port)
{
    note(transport, host, port);
    return 0;
}

int glfs_set_logging(glfs_t *fs, const char *logfile, int loglevel)
{
    note("log", logfile, loglevel);
    return 0;
}

int glfs_init(glfs_t *fs)
{
    errno = ENOTCONN;
    return strcmp(fs->volume, "none") == 0 ? -1 : 0;
}

int glfs_fini(glfs_t *fs)
{
    free(fs);
    return 0;
}

static glfs_fd_t *open_as(const glfs_t *fs, const char *path, int flags)
{
    char name[512];
    glfs_fd_t *f;
    int fd;

    snprintf(name, sizeof(name), "%s/%s.%s", getenv("FAKE_GLUSTER"), fs->volume, path);
    fd = open(name, flags, 0600);
    if (fd < 0) {
        return NULL;
    }
    f = calloc(1, sizeof(*f));
    f->fd = fd;
    return f;
}

glfs_fd_t *glfs_open(glfs_t *fs, const char *path, int flags)
{
    return open_as(fs, path, flags);
}

glfs_fd_t *glfs_creat(glfs_t *fs, const char *path, int flags, mode_t mode)
{
    return open_as(fs, path, flags | O_CREAT);
}

int glfs_close(glfs_fd_t *fd)
{
    close(fd->fd);
    free(fd);
    return 0;
}

int glfs_fstat(glfs_fd_t *fd, struct stat *buf)
{
    return fstat(fd->fd, buf);
}

/* Short ones, which the caller has to go on with. */
ssize_t glfs_pread(glfs_fd_t *fd, void *buf, size_t count, off_t offset, int flags,
                   struct glfs_stat *poststat)
{
    return pread(fd->fd, buf, count > 5000 ? 5000 : count, offset);
}

ssize_t glfs_pwrite(glfs_fd_t *fd, const void *buf, size_t count, off_t offset, int flags,
                    struct glfs_stat *prestat, struct glfs_stat *poststat)
{
    return pwrite(fd->fd, buf, count > 5000 ? 5000 : count, offset);
}

int glfs_fsync(glfs_fd_t *fd, struct glfs_stat *prestat, struct glfs_stat *poststat)
{
    note("fsync", "", 0);
    return 0;
}

int glfs_discard(glfs_fd_t *fd, off_t offset, size_t len)
{
    return fallocate(fd->fd, 3, offset, (off_t)len);
}

int glfs_ftruncate(glfs_fd_t *fd, off_t length, struct glfs_stat *prestat,
                   struct glfs_stat *poststat)
{
    return ftruncate(fd->fd, length);
}
