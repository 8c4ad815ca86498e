// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message handling unit of SSE-200 (ARM 101104, 3.13): each CPU has four bits that the other
 * sets; any of them interrupts it.
 */
#include "exec/bank.h"

#define CPUS 2
#define MHU_BITS 0xf

typedef struct Mhu {
    Device dev;
    uint32_t pending[CPUS];
    Irq irq[CPUS];
} Mhu;

static unsigned mhu_cpu(const RegAccess *a)
{
    return a->reg->offset >> 4;
}

static uint64_t mhu_read(Device *d, const RegAccess *a)
{
    return ((Mhu *)d)->pending[mhu_cpu(a)];
}

static void mhu_update(Mhu *s, unsigned n)
{
    irq_set(&s->irq[n], s->pending[n] != 0);
}

static void mhu_set(Device *d, const RegAccess *a)
{
    ((Mhu *)d)->pending[mhu_cpu(a)] |= (uint32_t)a->value & MHU_BITS;
    mhu_update((Mhu *)d, mhu_cpu(a));
}

static void mhu_clear(Device *d, const RegAccess *a)
{
    ((Mhu *)d)->pending[mhu_cpu(a)] &= ~(uint32_t)a->value;
    mhu_update((Mhu *)d, mhu_cpu(a));
}

static void mhu_reset(Device *d)
{
    Mhu *s = (Mhu *)d;

    s->pending[0] = s->pending[1] = 0;
}

/* clang-format off */
static const Reg mhu_regs[] = {
    REG_HOOK(0x00, 4, "cpu0intr_stat", .read = mhu_read, .help = "bits set for CPU 0"),
    REG_HOOK(0x04, 4, "cpu0intr_set", .write = mhu_set, .help = "sets bits"), REG_HOOK(0x08, 4, "cpu0intr_clr", .write = mhu_clear, .help = "clears bits"),
    REG_HOOK(0x10, 4, "cpu1intr_stat", .read = mhu_read, .help = "bits set for CPU 1"),
    REG_HOOK(0x14, 4, "cpu1intr_set", .write = mhu_set, .help = "sets bits"), REG_HOOK(0x18, 4, "cpu1intr_clr", .write = mhu_clear, .help = "clears bits"),
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x56), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), REG_HOOK(0xfe8, 4, "pid2", .reset = 0x0b),
    REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0), REG_HOOK(0xff8, 4, "cid2", .reset = 0x05),
    REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank mhu_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(mhu_regs), .help = "messages"}, {0}};
static const PinRow mhu_pins[] = {PIN_OUT_ARRAY(Mhu, irq, "irq"), PIN_END};
static const StateField mhu_state[] = {STATE_ARRAY(Mhu, pending), STATE_END};

static const DeviceType mhu_type = {
    .name = "armsse-mhu",
    .category = "misc",
    .desc = "SSE-200 message handling unit",
    .internal = true,
    .size = sizeof(Mhu),
    .state_version = 1,
    .banks = mhu_banks,
    .pins = mhu_pins,
    .state = mhu_state,
    .reset = mhu_reset,
};
DEVICE_TYPE(mhu_type);
