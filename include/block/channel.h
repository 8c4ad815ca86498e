// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connected socket that coroutines read and write, perhaps with TLS. One reads and one writes at
 * a time. Machine lock.
 */
#ifndef BLOCK_CHANNEL_H
#define BLOCK_CHANNEL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct CoChannel CoChannel;

/* Takes over fd, which does not block. */
CoChannel *channel_new(int fd);
/* Nobody waits in it. */
void channel_free(CoChannel *c);
int channel_fd(const CoChannel *c);
/* Both directions end: who waits gets -EPIPE or the end. */
void channel_shutdown(CoChannel *c);
/* peer: of a client, whose certificate it expects; of a server, who says which clients may come. */
bool co_channel_start_tls(CoChannel *c, const char *creds_id, bool server, const char *peer,
                          GError **error);
/* All of it: 1, or 0 at the end before the first byte, or -errno. */
int co_channel_read(CoChannel *c, void *buf, size_t len);
/*
 * The same, with the descriptors that come along: at most *n of them, which the caller closes (also
 * after failure); *n becomes their number. More are closed.
 */
int co_channel_read_fds(CoChannel *c, void *buf, size_t len, int *fds, unsigned *n);
int co_channel_readv(CoChannel *c, const struct iovec *iov, unsigned niov, size_t offset,
                     size_t len);
/* All of it: 0 or -errno. */
int co_channel_write(CoChannel *c, const void *buf, size_t len);
/* With a descriptor beside the first byte. */
int co_channel_write_fd(CoChannel *c, const void *buf, size_t len, int fd);
int co_channel_writev(CoChannel *c, const struct iovec *iov, unsigned niov);

#endif
