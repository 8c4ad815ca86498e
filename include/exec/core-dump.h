// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes of ELF cores, which hold the registers of vCPUs. */
#ifndef EXEC_CORE_DUMP_H
#define EXEC_CORE_DUMP_H

#include <glib.h>
#include <stdint.h>

/* Appends a note; little endian. */
void core_note(GByteArray *out, const char *owner, uint32_t type, const void *data, uint32_t len);
/* In the data of one: 64 bits at offset `at`; 32 bits. */
void core_put64(uint8_t *data, unsigned at, uint64_t v);
void core_put32(uint8_t *data, unsigned at, uint32_t v);

#endif
