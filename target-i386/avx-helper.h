// SPDX-License-Identifier: GPL-2.0-or-later
/* How translations tell the helpers of gathers and masked moves what they are. */
#ifndef TARGET_I386_AVX_HELPER_H
#define TARGET_I386_AVX_HELPER_H

/* Registers by number; sizes log2 of bytes; wide: 256 bits. */
#define AVX_WORD(reg, mask, index, size, index_size, scale, wide, store, mmu)                    \
    ((uint32_t)(reg) | (uint32_t)(mask) << 4 | (uint32_t)(index) << 8 | (uint32_t)(size) << 12 | \
     (uint32_t)(index_size) << 14 | (uint32_t)(scale) << 16 | (uint32_t)(wide) << 18 |           \
     (uint32_t)(store) << 19 | (uint32_t)(mmu) << 20)
#define AVX_CODE64 (1u << 24)

enum { SHIFTV_RIGHT = 0, SHIFTV_ARITHMETIC = 1, SHIFTV_LEFT = 2, SHIFTV_64 = 4 };

#endif
