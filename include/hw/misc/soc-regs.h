// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of registers without behaviour of their own: clock, reset and power controllers whose
 * effects nothing shows here. Each is a constant: what its registers hold after reset, which bits
 * software changes, which always read as 1 (locked, ready). What no row names keeps what is
 * written.
 */
#ifndef HW_MISC_SOC_REGS_H
#define HW_MISC_SOC_REGS_H

#include "exec/bank.h"

#define SOC_WORDS 1024

typedef struct SocReg {
    uint16_t offset;
    uint32_t reset;
    uint32_t fixed;            /* bits that software does not change */
    uint32_t ones;             /* bits that read as 1 whatever was written */
    uint32_t clears;           /* bits that read as 0: operations that are finished at once */
} SocReg;

typedef struct SocRegs SocRegs;

typedef struct SocBlock {
    const SocReg *rows;
    unsigned num_rows;
    uint32_t password;         /* upper byte that a write must have; 0: none */
    bool set_clear;            /* words at 4, 8 and 12 above every 16th set, clear and toggle bits of it (i.MX) */
    /* After a write was stored; may be NULL. */
    void (*written)(SocRegs *s, unsigned offset, uint32_t value, uint32_t old);
    /* What a read of a word gives that would be `value`; may be NULL. */
    uint32_t (*read)(SocRegs *s, unsigned offset, uint32_t value);
} SocBlock;

struct SocRegs {
    Device dev;
    uint32_t r[SOC_WORDS];
    Irq out[4];                /* for `written` */
};

extern const PinRow soc_pins[];
extern const StateField soc_state[];
void soc_reset(Device *d);
void soc_word_write(Device *d, const RegAccess *a);
extern const Reg soc_rows_256[1], soc_rows_1k[1], soc_rows_4k[1];

/* clang-format off */
#define SOC_ROWS(t) .rows = t, .num_rows = ARRAY_COUNT(t)
/* A device type of such a block; rows_ is soc_rows_256, _1k or _4k. */
#define SOC_BLOCK(tag, name_, desc_, size_, rows_, ...)                                                            \
    static const SocBlock tag##_block = {__VA_ARGS__};                                                             \
    static const RegBank tag##_banks[] = {{.name = "mmio", .size = size_, BANK_REGS(rows_), .help = desc_}, {0}};  \
    static const DeviceType tag = {                                                                                \
        .name = name_, .category = "misc", .desc = desc_, .internal = true, .size = sizeof(SocRegs),               \
        .state_version = 1, .bus_info = &tag##_block, .banks = tag##_banks, .pins = soc_pins, .state = soc_state,  \
        .reset = soc_reset,                                                                                        \
    };                                                                                                             \
    DEVICE_TYPE(tag)
/* clang-format on */

#endif
