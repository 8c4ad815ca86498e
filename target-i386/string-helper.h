// SPDX-License-Identifier: GPL-2.0-or-later
/* How a repeated string instruction tells its helper what it is. */
#ifndef TARGET_I386_STRING_HELPER_H
#define TARGET_I386_STRING_HELPER_H

#define REP_WORD(size, addrsize, seg, repne, mmu)                          \
    ((uint32_t)(size) | (uint32_t)(addrsize) << 2 | (uint32_t)(seg) << 4 | \
     (uint32_t)(repne) << 8 | (uint32_t)(mmu) << 12)
#define REP_CODE64 (1u << 9)

#endif
