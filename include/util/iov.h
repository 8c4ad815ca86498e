// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scatter/gather lists. Offsets and lengths may point beyond the list's end: what is beyond is
 * left out, and the number of bytes that were handled comes back.
 */
#ifndef UTIL_IOV_H
#define UTIL_IOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

size_t iov_size(const struct iovec *iov, unsigned count);
/* Copies from the list into buf. */
size_t iov_to_buf(const struct iovec *iov, unsigned count, size_t offset, void *buf, size_t len);
/* Copies from buf into the list. */
size_t iov_from_buf(const struct iovec *iov, unsigned count, size_t offset, const void *buf,
                    size_t len);
size_t iov_memset(const struct iovec *iov, unsigned count, size_t offset, int c, size_t len);
/*
 * Makes out[] name the bytes [offset, offset + len) of iov[]; returns the number of entries used,
 * at most out_count: the rest is left out.
 */
unsigned iov_slice(struct iovec *out, unsigned out_count, const struct iovec *iov, unsigned count,
                   size_t offset, size_t len);
bool iov_is_zero(const struct iovec *iov, unsigned count);
/* Whether len bytes are all zero; fast. */
bool buffer_is_zero(const void *buf, size_t len);

#endif
