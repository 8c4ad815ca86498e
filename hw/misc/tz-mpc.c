// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory protection controller of SIE-200 (ARM DDI 0571G, 3.6): a bit for each block of a memory
 * says whether it belongs to Non-secure state. The board's gate asks; what changes here empties
 * TLBs.
 */
#include <string.h>
#include "exec/bank.h"
#include "exec/cpu.h"
#include "hw/misc/tz.h"
#include "qom/vm.h"

enum {
    CTRL_SECRESP = 1 << 4,
    CTRL_AUTOINC = 1 << 8
};

typedef struct TzMpc {
    Device dev;
    uint32_t size; /* property: bytes of the memory */
    uint32_t ctrl, blk_idx, int_stat, int_en, int_info1, int_info2;
    uint32_t *lut; /* a bit for each block, 1: Non-secure */
    Irq irq;
} TzMpc;

uint32_t tz_mpc_block_size(Device *d)
{
    return 1024;
}

static uint32_t mpc_words(const TzMpc *s)
{
    return MAX(s->size / tz_mpc_block_size((Device *)s) / 32, 1u);
}

bool tz_mpc_allows(Device *d, uint64_t offset, bool secure)
{
    TzMpc *s = (TzMpc *)d;
    uint64_t block = offset / tz_mpc_block_size(d);
    bool ns = block / 32 < mpc_words(s) && s->lut[block / 32] >> (block % 32) & 1;

    return ns == !secure;
}

bool tz_mpc_uniform(Device *d, uint64_t page)
{
    uint32_t block = tz_mpc_block_size(d);
    bool first = tz_mpc_allows(d, page, true), same = true;

    for (uint32_t at = block; at < 4096; at += block) {
        same = same && tz_mpc_allows(d, page + at, true) == first;
    }
    return same;
}

static void mpc_update(TzMpc *s)
{
    irq_set(&s->irq, s->int_stat && s->int_en);
}

bool tz_mpc_refused(Device *d, uint64_t offset, bool secure)
{
    TzMpc *s = (TzMpc *)d;

    if (!s->int_stat) {
        s->int_stat = 1;
        s->int_info1 = (uint32_t)offset;
        s->int_info2 = secure ? 0 : 1u << 17;
    }
    return s->ctrl & CTRL_SECRESP;
}

static void mpc_advance(TzMpc *s)
{
    if (s->ctrl & CTRL_AUTOINC) {
        s->blk_idx = (s->blk_idx + 1) % mpc_words(s);
    }
}

static uint64_t mpc_max_read(Device *d, const RegAccess *a)
{
    return mpc_words((TzMpc *)d) - 1;
}

static uint64_t mpc_cfg_read(Device *d, const RegAccess *a)
{
    return (unsigned)__builtin_ctz(tz_mpc_block_size(d)) - 5;
}

static void mpc_idx_write(Device *d, const RegAccess *a)
{
    TzMpc *s = (TzMpc *)d;

    s->blk_idx = a->value % mpc_words(s);
}

static uint64_t mpc_lut_read(Device *d, const RegAccess *a)
{
    TzMpc *s = (TzMpc *)d;
    uint32_t v = s->lut[s->blk_idx % mpc_words(s)];

    mpc_advance(s);
    return v;
}

static void mpc_lut_write(Device *d, const RegAccess *a)
{
    TzMpc *s = (TzMpc *)d;

    s->lut[s->blk_idx % mpc_words(s)] = (uint32_t)a->value;
    if (a->mask == 0xffffffff) {
        mpc_advance(s);
    }
    tlb_flush_all_cpus(d->vm);
}

static void mpc_clear_write(Device *d, const RegAccess *a)
{
    if (a->value & 1) {
        ((TzMpc *)d)->int_stat = 0;
        mpc_update((TzMpc *)d);
    }
}

static void mpc_changed(Device *d, const RegAccess *a)
{
    mpc_update((TzMpc *)d);
}

static void mpc_set_write(Device *d, const RegAccess *a)
{
    if (a->value & 1) {
        ((TzMpc *)d)->int_stat = 1;
        mpc_update((TzMpc *)d);
    }
}

static bool mpc_realize(Device *d, GError **error)
{
    TzMpc *s = (TzMpc *)d;

    if (s->size < 4096 || (s->size & (s->size - 1)) != 0) {
        return fail(error, "tz-mpc: size %u is no power of 2 from 4096 on", s->size);
    }
    s->lut = g_new0(uint32_t, mpc_words(s));
    return true;
}

static void mpc_unrealize(Device *d)
{
    g_clear_pointer(&((TzMpc *)d)->lut, g_free);
}

static size_t mpc_lut_len(Device *d)
{
    return mpc_words((TzMpc *)d) * sizeof(uint32_t);
}

static void mpc_reset(Device *d)
{
    TzMpc *s = (TzMpc *)d;

    memset(s->lut, 0, mpc_lut_len(d));
}

/* clang-format off */
static const Reg mpc_regs[] = {
    REG(TzMpc, 0x00, ctrl, .reset = CTRL_AUTOINC, .wmask = 0x80000150, .help = "response, gating, increment, lock"),
    REG_HOOK(0x10, 4, "blk_max", .read = mpc_max_read, .help = "last word of the table"),
    REG_HOOK(0x14, 4, "blk_cfg", .read = mpc_cfg_read, .help = "size of blocks"),
    REG(TzMpc, 0x18, blk_idx, .wmask = 0xffffffff, .write = mpc_idx_write, .help = "word of the table"),
    REG_HOOK(0x1c, 4, "blk_lut", .read = mpc_lut_read, .write = mpc_lut_write, .help = "1: Non-secure"),
    REG(TzMpc, 0x20, int_stat, .help = "an access was refused"),
    REG_HOOK(0x24, 4, "int_clear", .write = mpc_clear_write),
    REG(TzMpc, 0x28, int_en, .reset = 1, .wmask = 1, .write = mpc_changed, .help = "interrupt enable"),
    REG(TzMpc, 0x2c, int_info1, .help = "its address"), REG(TzMpc, 0x30, int_info2, .help = "who it was"),
    REG_HOOK(0x34, 4, "int_set", .write = mpc_set_write),
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x60), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), REG_HOOK(0xfe8, 4, "pid2", .reset = 0x1b),
    REG_HOOK(0xfec, 4, "pid3", .reset = 0x00), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank mpc_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(mpc_regs), .help = "memory protection"}, {0}};
static const Prop mpc_props[] = {PROP_U32(TzMpc, size, "size", 0x400000), PROP_END};
static const PinRow mpc_pins[] = {PIN_OUT(TzMpc, irq, "irq"), PIN_END};
static const StateField mpc_state[] = {STATE_BUF(TzMpc, lut, mpc_lut_len), STATE_END};

static const DeviceType mpc_type = {
    .name = "tz-mpc",
    .category = "misc",
    .desc = "Memory protection controller",
    .internal = true,
    .size = sizeof(TzMpc),
    .state_version = 1,
    .props = mpc_props,
    .banks = mpc_banks,
    .pins = mpc_pins,
    .state = mpc_state,
    .realize = mpc_realize,
    .unrealize = mpc_unrealize,
    .reset = mpc_reset,
};
DEVICE_TYPE(mpc_type);
