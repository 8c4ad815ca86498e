// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two-wire interface of the micro:bit (nRF51 Series Reference Manual v3.0, 28) with what is on
 * it: an MMA8653 accelerometer at 1D and a MAG3110 magnetometer at 0E, which answer who they are
 * and lie still. Transfers are finished at once.
 */
#include "exec/bank.h"

typedef struct MicrobitI2c {
    Device dev;
    uint32_t stopped, rxdready, txdsent, error, enable, psel[2], frequency, address;
    uint32_t pointer;
    bool addressed;
} MicrobitI2c;

static void i2c_task(Device *d, const RegAccess *a)
{
    MicrobitI2c *s = (MicrobitI2c *)d;

    if (a->value != 1) {
        return;
    }
    switch (a->reg->offset) {
    case 0x000:
        s->rxdready = 1;
        break;
    case 0x008:
        s->addressed = false;
        break;
    case 0x014:
        s->stopped = 1;
        break;
    default:
        break;
    }
}

/* The first byte of a write names a register. */
static void i2c_txd_write(Device *d, const RegAccess *a)
{
    MicrobitI2c *s = (MicrobitI2c *)d;

    if (!s->addressed) {
        s->pointer = (uint32_t)a->value & 0xff;
        s->addressed = true;
    }
    s->txdsent = 1;
}

static uint64_t i2c_rxd_read(Device *d, const RegAccess *a)
{
    MicrobitI2c *s = (MicrobitI2c *)d;
    uint32_t at = s->pointer++ & 0xff;

    s->rxdready = 1;
    return s->address == 0x1d && at == 0x0d ? 0x5a : s->address == 0x0e && at == 0x07 ? 0xc4 : 0;
}

static void i2c_reset(Device *d)
{
    MicrobitI2c *s = (MicrobitI2c *)d;

    s->pointer = 0;
    s->addressed = false;
}

/* clang-format off */
static const Reg i2c_regs[] = {
    REG_HOOK(0x000, 4, "startrx", .write = i2c_task), REG_HOOK(0x008, 4, "starttx", .write = i2c_task), REG_HOOK(0x014, 4, "stop", .write = i2c_task),
    REG_HOOK(0x01c, 4, "suspend", .write = i2c_task), REG_HOOK(0x020, 4, "resume", .write = i2c_task),
    REG(MicrobitI2c, 0x104, stopped, .reset = 1, .wmask = 1, .help = "event: stopped"),
    REG(MicrobitI2c, 0x108, rxdready, .wmask = 1, .help = "event: a byte has come"),
    REG(MicrobitI2c, 0x11c, txdsent, .wmask = 1, .help = "event: a byte has gone"),
    REG(MicrobitI2c, 0x124, error, .wmask = 1, .help = "event: error"),
    REG(MicrobitI2c, 0x500, enable, .wmask = 7, .help = "5: on"),
    REG_ARRAY(MicrobitI2c, 0x508, psel, .reset = 0xffffffff, .wmask = 0xffffffff, .help = "pins"),
    REG_HOOK(0x518, 4, "rxd", .read = i2c_rxd_read, .help = "byte received"),
    REG_HOOK(0x51c, 4, "txd", .write = i2c_txd_write, .help = "byte to send"),
    REG(MicrobitI2c, 0x524, frequency, .reset = 0x04000000, .wmask = 0xffffffff, .help = "rate"),
    REG(MicrobitI2c, 0x588, address, .wmask = 0x7f, .help = "of the other side"),
};
/* clang-format on */
static const RegBank i2c_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(i2c_regs), .help = "two-wire interface"}, {0}};
static const StateField i2c_state[] = {STATE(MicrobitI2c, pointer), STATE(MicrobitI2c, addressed),
                                       STATE_END};

static const DeviceType i2c_type = {
    .name = "microbit.i2c", .category = "misc", .desc = "micro:bit's two-wire interface", .internal = true, .size = sizeof(MicrobitI2c),
    .state_version = 1, .banks = i2c_banks, .state = i2c_state, .reset = i2c_reset,
};
DEVICE_TYPE(i2c_type);
