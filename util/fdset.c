// SPDX-License-Identifier: GPL-2.0-or-later
/* File descriptors handed over by clients, in numbered sets and by name. */
#include "util/fdset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/error.h"

typedef struct FdsetFd {
    int64_t set;
    int fd;
    char *opaque;
} FdsetFd;

/* Descriptors are the process's, and so are these tables. */
static GPtrArray *members;
static GHashTable *names;

static void member_free(gpointer p)
{
    FdsetFd *m = p;

    close(m->fd);
    g_free(m->opaque);
    g_free(m);
}

static int by_set(gconstpointer a, gconstpointer b)
{
    const FdsetFd *x = *(FdsetFd *const *)a, *y = *(FdsetFd *const *)b;

    return x->set < y->set ? -1 : x->set > y->set;
}

bool fdset_add(int64_t *set, int fd, const char *opaque, GError **error)
{
    if (!members) {
        members = g_ptr_array_new_with_free_func(member_free);
    }
    if (*set < 0) {
        *set = 0;
        for (guint i = 0; i < members->len; i++) {
            FdsetFd *m = members->pdata[i];

            *set = MAX(*set, m->set + 1);
        }
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return fail_errno(error, errno, "descriptor %d", fd);
    }
    FdsetFd *m = g_new0(FdsetFd, 1);

    *m = (FdsetFd){ .set = *set, .fd = fd, .opaque = g_strdup(opaque) };
    g_ptr_array_add(members, m);
    g_ptr_array_sort(members, by_set);
    return true;
}

bool fdset_remove(int64_t set, int fd, GError **error)
{
    bool any = false;

    for (guint i = members ? members->len : 0; i-- > 0;) {
        FdsetFd *m = members->pdata[i];

        if (m->set == set && (fd < 0 || m->fd == fd)) {
            g_ptr_array_remove_index(members, i);
            any = true;
        }
    }
    if (any) {
        return true;
    }
    if (fd >= 0) {
        return fail(error, "File descriptor named 'fdset-id:%" PRId64 ", fd:%d' not found", set,
                    fd);
    }
    return fail(error, "File descriptor named 'fdset-id:%" PRId64 "' not found", set);
}

void fdset_foreach(void (*fn)(int64_t set, int fd, const char *opaque, void *data), void *data)
{
    for (guint i = 0; members && i < members->len; i++) {
        FdsetFd *m = members->pdata[i];

        fn(m->set, m->fd, m->opaque, data);
    }
}

static int fdset_open(const char *number, int flags, GError **error)
{
    char *end;
    int64_t set = g_ascii_strtoll(number, &end, 10);
    bool found = false;

    for (guint i = 0; members && i < members->len && *number && !*end; i++) {
        FdsetFd *m = members->pdata[i];
        int mode = m->set == set ? fcntl(m->fd, F_GETFL) : -1;

        found |= m->set == set;
        if (mode >= 0 && (mode & O_ACCMODE) == (flags & O_ACCMODE)) {
            int fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);

            if (fd >= 0 && (flags & (O_APPEND | O_NONBLOCK))) {
                fcntl(fd, F_SETFL, mode | (flags & (O_APPEND | O_NONBLOCK)));
            }
            if (fd < 0) {
                fail_errno(error, errno, "Could not open '/dev/fdset/%s'", number);
            }
            return fd;
        }
    }
    fail_errno(error, found ? EACCES : ENOENT, "Could not open '/dev/fdset/%s'", number);
    return -1;
}

int fd_open(const char *path, int flags, unsigned mode, GError **error)
{
    if (g_str_has_prefix(path, "/dev/fdset/")) {
        return fdset_open(path + strlen("/dev/fdset/"), flags, error);
    }
    int fd;

    do {
        fd = open(path, flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        fail_errno(error, errno, "Could not %s '%s'", flags & O_CREAT ? "create" : "open", path);
    }
    return fd;
}

static void name_free(gpointer fd)
{
    if (fd) {
        close(GPOINTER_TO_INT(fd) - 1);
    }
}

void fd_name_set(const char *name, int fd)
{
    if (!names) {
        names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, name_free);
    }
    g_hash_table_replace(names, g_strdup(name), GINT_TO_POINTER(fd + 1));
}

bool fd_name_close(const char *name)
{
    return names && g_hash_table_remove(names, name);
}

int fd_take(const char *text, GError **error)
{
    gpointer key, value;

    if (g_ascii_isdigit(text[0])) {
        char *end;
        gint64 n = g_ascii_strtoll(text, &end, 10);

        if (*end || n > G_MAXINT || fcntl((int)n, F_GETFD) < 0) {
            fail(error, "Unable to parse FD number %s", text);
            return -1;
        }
        fcntl((int)n, F_SETFD, FD_CLOEXEC);
        return (int)n;
    }
    if (!names || !g_hash_table_steal_extended(names, text, &key, &value)) {
        fail(error, "File descriptor named '%s' has not been found", text);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(value) - 1;
}
