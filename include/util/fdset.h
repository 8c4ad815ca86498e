// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File descriptors that a client hands over: sets (`-add-fd`, add-fd), opened by the name
 * /dev/fdset/N wherever a file name is taken, and names (getfd). Machine lock.
 */
#ifndef UTIL_FDSET_H
#define UTIL_FDSET_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes fd over into a set; set < 0: a new one, whose number is stored. opaque may be NULL. */
bool fdset_add(int64_t *set, int fd, const char *opaque, GError **error);
/* Takes fd (-1: all) out of a set and closes it. */
bool fdset_remove(int64_t set, int fd, GError **error);
/* Calls fn for each descriptor, by set. */
void fdset_foreach(void (*fn)(int64_t set, int fd, const char *opaque, void *data), void *data);

/*
 * open(2), close-on-exec, that also knows /dev/fdset/N: there it duplicates the descriptor
 * whose access mode fits. -1 with *error set on failure.
 */
int fd_open(const char *path, int flags, unsigned mode, GError **error);

/* Takes fd over under a name, replacing an older one. */
void fd_name_set(const char *name, int fd);
bool fd_name_close(const char *name);
/*
 * The descriptor meant by text: a number that is open in this process, or a name, which is
 * forgotten: the caller owns the result. -1 with *error set on failure.
 */
int fd_take(const char *text, GError **error);

#endif
