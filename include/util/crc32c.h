// SPDX-License-Identifier: GPL-2.0-or-later
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), as disk images and iSCSI have it. */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: of what came before, 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
