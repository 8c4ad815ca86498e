// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Serial Configuration Controller of MPS2 boards (ARM DAI 0385D, 4.7): identification, and a way to
 * the oscillators of the board.
 */
#include "exec/bank.h"

#define OSC_COUNT 3

typedef struct Mps2Scc {
    Device dev;
    uint32_t scc_cfg4, scc_aid, scc_id, scc_cfg0;      /* properties */
    uint32_t osc_reset[OSC_COUNT];
    uint32_t cfg0, cfg1, cfg2, cfgdata_rtn, cfgdata_out, cfgctrl, cfgstat, dll;
    uint32_t osc[OSC_COUNT];
} Mps2Scc;

/* Function 1 reads and writes oscillators; bit 31 starts, the answer is there at once. */
static void scc_ctrl_write(Device *d, const RegAccess *a)
{
    Mps2Scc *s = (Mps2Scc *)d;
    uint32_t function = s->cfgctrl >> 20 & 0x3f, device = s->cfgctrl & 0xfff;

    if (!(a->value >> 31)) {
        return;
    }
    s->cfgstat &= ~2u;
    if (function != 1 || device >= OSC_COUNT) {
        s->cfgstat |= 2;
    } else if (s->cfgctrl >> 30 & 1) {
        s->osc[device] = s->cfgdata_out;
    } else {
        s->cfgdata_rtn = s->osc[device];
    }
    s->cfgstat |= 1;
    s->cfgctrl &= 0x7fffffff;
}

static uint64_t scc_prop_read(Device *d, const RegAccess *a)
{
    Mps2Scc *s = (Mps2Scc *)d;

    return a->reg->offset == 0x10 ? s->scc_cfg4 : a->reg->offset == 0xff8 ? s->scc_aid : s->scc_id;
}

static void scc_reset(Device *d)
{
    Mps2Scc *s = (Mps2Scc *)d;

    s->cfg0 = s->scc_cfg0;
    for (unsigned i = 0; i < OSC_COUNT; i++) {
        s->osc[i] = s->osc_reset[i];
    }
}

/* clang-format off */
static const Reg scc_regs[] = {
    REG(Mps2Scc, 0x000, cfg0, .wmask = 1, .help = "remap"),
    REG(Mps2Scc, 0x004, cfg1, .wmask = 0xffffffff, .help = "LEDs"),
    REG(Mps2Scc, 0x008, cfg2, .help = "reserved"),
    REG_HOOK(0x00c, 4, "cfg3", .help = "switches"),
    REG_HOOK(0x010, 4, "cfg4", .read = scc_prop_read, .help = "board revision"),
    REG(Mps2Scc, 0x0a0, cfgdata_rtn, .wmask = 0xffffffff, .help = "value read"),
    REG(Mps2Scc, 0x0a4, cfgdata_out, .wmask = 0xffffffff, .help = "value to write"),
    REG(Mps2Scc, 0x0a8, cfgctrl, .reset = 0x100000, .wmask = 0xffffffff, .write = scc_ctrl_write, .help = "function, device, start"),
    REG(Mps2Scc, 0x0ac, cfgstat, .wmask = 0xffffffff, .help = "done, error"),
    REG(Mps2Scc, 0x100, dll, .reset = 0xffff0001, .wmask = 0xffffffff, .help = "clocks are locked"),
    REG_HOOK(0xff8, 4, "aid", .read = scc_prop_read, .help = "application identification"),
    REG_HOOK(0xffc, 4, "id", .read = scc_prop_read, .help = "identification"),
};
/* clang-format on */
static const RegBank scc_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(scc_regs), .help = "configuration"}, {0}};
static const Prop scc_props[] = {
    PROP_U32(Mps2Scc, scc_cfg4, "scc-cfg4", 0), PROP_U32(Mps2Scc, scc_aid, "scc-aid", 0), PROP_U32(Mps2Scc, scc_id, "scc-id", 0),
    PROP_U32(Mps2Scc, scc_cfg0, "scc-cfg0", 0), PROP_U32(Mps2Scc, osc_reset[0], "oscclk[0]", 50000000),
    PROP_U32(Mps2Scc, osc_reset[1], "oscclk[1]", 24576000), PROP_U32(Mps2Scc, osc_reset[2], "oscclk[2]", 25000000), PROP_END,
};
static const StateField scc_state[] = {STATE_ARRAY(Mps2Scc, osc), STATE_END};

static const DeviceType scc_type = {
    .name = "mps2-scc", .category = "misc", .desc = "MPS2 configuration controller", .internal = true, .size = sizeof(Mps2Scc),
    .state_version = 1, .props = scc_props, .banks = scc_banks, .state = scc_state, .reset = scc_reset,
};
DEVICE_TYPE(scc_type);
