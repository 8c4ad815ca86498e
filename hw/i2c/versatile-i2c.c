// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two-wire serial control register of ARM's boards (ARM DUI 0225D, 4.17): software drives clock
 * and data. Nothing is connected.
 */
#include "exec/bank.h"

typedef struct Sbcon {
    Device dev;
    uint32_t out;                      /* bit 0 clock, bit 1 data */
} Sbcon;

static uint64_t sbcon_read(Device *d, const RegAccess *a)
{
    return ((Sbcon *)d)->out;
}

static void sbcon_set(Device *d, const RegAccess *a)
{
    ((Sbcon *)d)->out |= a->value & 3;
}

static void sbcon_clear(Device *d, const RegAccess *a)
{
    ((Sbcon *)d)->out &= ~a->value;
}

static void sbcon_reset(Device *d)
{
    ((Sbcon *)d)->out = 3;
}

static const Reg sbcon_regs[] = {
    REG_HOOK(0, 4, "control", .read = sbcon_read, .write = sbcon_set, .help = "levels; sets lines"),
    REG_HOOK(4, 4, "clear", .write = sbcon_clear, .help = "clears lines"),
};
static const RegBank sbcon_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sbcon_regs), .help = "two lines"}, {0}};
static const StateField sbcon_state[] = {STATE(Sbcon, out), STATE_END};

static const DeviceType sbcon_type = {
    .name = "versatile_i2c", .category = "misc", .desc = "Two-wire serial bus of ARM boards", .internal = true, .size = sizeof(Sbcon),
    .state_version = 1, .banks = sbcon_banks, .state = sbcon_state, .reset = sbcon_reset,
};
DEVICE_TYPE(sbcon_type);
