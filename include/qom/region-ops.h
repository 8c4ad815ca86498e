// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What answers accesses to a range of addresses: registers as rows (a bank), or functions.
 * The core delivers only what is declared: in range, naturally aligned, of a declared size,
 * value in host byte order. Wider accesses are split, narrower ones become value plus mask.
 */
#ifndef QOM_REGION_OPS_H
#define QOM_REGION_OPS_H

#include "util/types.h"

typedef struct Device Device;
typedef struct Reg Reg;

/* For FIFOs, indexed pairs, doorbells and proven hot paths. */
typedef struct RegionOps {
    uint64_t (*read)(void *opaque, hwaddr offset, unsigned size);
    void (*write)(void *opaque, hwaddr offset, uint64_t value, unsigned size);
    uint8_t min_size, max_size;    /* sizes the functions are called with; 0, 0: 1 to 4. Narrower
                                      reads take their lanes of a min_size one; narrower writes
                                      arrive as min_size with the other lanes 0 */
    uint8_t min_valid, max_valid;  /* sizes the bus lets through; 0, 0: 1 to 8; others read as
                                      ones and are ignored on write */
    bool unaligned;                /* the functions take any alignment within the region */
    bool lockless;                 /* called without the machine lock; has a lock of its own */
    Endian endian;
} RegionOps;

/* One access to a register row, as hooks see it. */
typedef struct RegAccess {
    const Reg *reg;
    unsigned index;       /* element, for rows with count > 1 */
    uint64_t value;       /* write hook: what the guest wrote (unwritten bytes: the old value) */
    uint64_t old;         /* write hook: the field before the write */
    uint64_t mask;        /* which bits of the register the access covers */
} RegAccess;

/*
 * A register. A write stores (old & ~wmask) | (value & wmask), then clears the bits of w1c
 * that were written as 1, then calls the write hook, for what a mask cannot say. A read
 * returns the field, or what the read hook returns.
 */
struct Reg {
    uint32_t offset;
    uint32_t field;       /* offset of the backing field in the device, REG_NO_FIELD: none */
    uint8_t size;         /* bytes: 1, 2, 4, 8 */
    uint16_t count;       /* elements; 0 counts as 1 */
    uint16_t stride;      /* bytes between elements on the bus; 0: size */
    const char *name;
    uint64_t reset, wmask, w1c;
    uint64_t (*read)(Device *d, const RegAccess *a);
    void (*write)(Device *d, const RegAccess *a);
    const char *help;
};

#define REG_NO_FIELD UINT32_MAX
#define REG(T, off, f, ...)                                                                        \
    { .offset = off, .field = offsetof(T, f), .size = sizeof(((T *)0)->f), .name = #f, __VA_ARGS__ }
/* f is an array; elements follow each other on the bus. */
#define REG_ARRAY(T, off, f, ...)                                                                  \
    { .offset = off, .field = offsetof(T, f), .size = sizeof(((T *)0)->f[0]),                      \
      .count = ARRAY_COUNT(((T *)0)->f), .name = #f, __VA_ARGS__ }
/* No field behind it: constant (its reset value) or all in hooks. */
#define REG_HOOK(off, size_, name_, ...)                                                           \
    { .offset = off, .field = REG_NO_FIELD, .size = size_, .name = name_, __VA_ARGS__ }

/* A range of registers of a device. Either rows or ops; rows win where both exist. */
typedef struct RegBank {
    const char *name;     /* "mmio", "io", "config" ...: boards and buses map banks by name */
    uint64_t size;        /* bytes */
    const Reg *regs;
    unsigned num_regs;
    const RegionOps *ops; /* opaque is the Device */
    Endian endian;
    uint8_t min_access, max_access;   /* bus sizes let through to rows; 0, 0: 1 to 8 */
    bool pio;             /* lives in port space */
    const char *help;
} RegBank;

#define BANK_REGS(rows) .regs = rows, .num_regs = ARRAY_COUNT(rows)

#endif
