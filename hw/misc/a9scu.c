// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snoop control units of MPCore processors (Cortex-A9 MPCore TRM, ARM DDI 0407I, 2.2), and the
 * cache controller L2C-310 (ARM DDI 0246H): there are no caches, so their registers keep what is
 * written and operations are finished at once.
 */
#include "exec/bank.h"

typedef struct Scu {
    Device dev;
    uint32_t num_cpu;              /* property */
    uint32_t control, power, filter_start, filter_end, access, ns_access;
} Scu;

static uint64_t scu_config_read(Device *d, const RegAccess *a)
{
    uint32_t n = ((Scu *)d)->num_cpu;

    return ((1u << n) - 1) << 4 | (n - 1);
}

/* clang-format off */
static const Reg scu_regs[] = {
    REG(Scu, 0x00, control, .wmask = 0xffffffff, .help = "control"),
    REG_HOOK(0x04, 4, "config", .read = scu_config_read, .help = "CPUs that take part"),
    REG(Scu, 0x08, power, .wmask = 0x03030303, .help = "power states of the CPUs"),
    REG_HOOK(0x0c, 4, "invalidate", .help = "invalidates tags"),
    REG(Scu, 0x40, filter_start, .wmask = 0xfff00000, .help = "range of the second port"),
    REG(Scu, 0x44, filter_end, .wmask = 0xfff00000, .help = "its end"),
    REG(Scu, 0x50, access, .reset = 0xf, .wmask = 0xf, .help = "CPUs that may write here"),
    REG(Scu, 0x54, ns_access, .wmask = 0xfff, .help = "what non-secure software may write"),
};

static const RegBank scu_banks[] = {{.name = "mmio", .size = 0x100, BANK_REGS(scu_regs), .help = "SCU registers"}, {0}};
static const Prop scu_props[] = {PROP_U32(Scu, num_cpu, "num-cpu", 1, .min = 1, .max = 4), PROP_END};

static const DeviceType scu_type = {
    .name = "a9-scu", .category = "misc", .desc = "Cortex-A9 snoop control unit", .internal = true, .size = sizeof(Scu),
    .state_version = 1, .props = scu_props, .banks = scu_banks,
};
DEVICE_TYPE(scu_type);

/* ---- L2C-310 ---- */

typedef struct L2x0 {
    Device dev;
    uint32_t type;                 /* property */
    uint32_t control, aux, tag_ram, data_ram, filter_start, filter_end, debug, prefetch, power, lock[16];
} L2x0;

static uint64_t l2x0_type_read(Device *d, const RegAccess *a)
{
    return ((L2x0 *)d)->type;
}

#define L2_OP(off, n) REG_HOOK(off, 4, n, .help = "cache operation, finished at once")
static const Reg l2x0_regs[] = {
    REG_HOOK(0x000, 4, "id", .reset = 0x410000c8, .help = "L2C-310"),
    REG_HOOK(0x004, 4, "cache_type", .read = l2x0_type_read, .help = "ways and sizes"),
    REG(L2x0, 0x100, control, .wmask = 1, .help = "on"),
    REG(L2x0, 0x104, aux, .reset = 0x02020000, .wmask = 0xffffffff, .help = "auxiliary control"),
    REG(L2x0, 0x108, tag_ram, .wmask = 0xffffffff, .help = "latencies"),
    REG(L2x0, 0x10c, data_ram, .wmask = 0xffffffff, .help = "latencies"),
    L2_OP(0x730, "sync"), L2_OP(0x770, "inv_pa"), L2_OP(0x77c, "inv_way"), L2_OP(0x7b0, "clean_pa"), L2_OP(0x7b8, "clean_index"),
    L2_OP(0x7bc, "clean_way"), L2_OP(0x7f0, "flush_pa"), L2_OP(0x7f8, "flush_index"), L2_OP(0x7fc, "flush_way"),
    REG_ARRAY(L2x0, 0x900, lock, .wmask = 0xffff, .help = "lockdown"),
    REG(L2x0, 0xc00, filter_start, .wmask = 0xfff00001, .help = "address filter"),
    REG(L2x0, 0xc04, filter_end, .wmask = 0xfff00000, .help = "address filter"),
    REG(L2x0, 0xf40, debug, .wmask = 7, .help = "debug control"),
    REG(L2x0, 0xf60, prefetch, .wmask = 0xffffffff, .help = "prefetch control"),
    REG(L2x0, 0xf80, power, .wmask = 3, .help = "power control"),
};

static const RegBank l2x0_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(l2x0_regs), .help = "cache controller"}, {0}};
static const Prop l2x0_props[] = {PROP_U32(L2x0, type, "cache-type", 0x1c100100), PROP_END};

static const DeviceType l2x0_type = {
    .name = "l2x0", .category = "misc", .desc = "Level 2 cache controller", .internal = true, .size = sizeof(L2x0),
    .state_version = 1, .props = l2x0_props, .banks = l2x0_banks,
};
DEVICE_TYPE(l2x0_type);
/* clang-format on */
