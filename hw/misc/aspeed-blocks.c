// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of Aspeed's BMCs that keep what is written (AST2400, AST2500, AST2600 datasheets): system
 * control (clocks, resets, pins, straps, identity, random numbers), memory controller, analog
 * converters, GPIO, LPC, DMA, PECI, I3C, secure boot, the common part of the SD hosts. The lock of
 * system control is not enforced: kernels that are started directly rely on firmware to have
 * opened it. Left out: levels and interrupts of GPIO pins, conversions, everything else they do.
 */
#include "exec/bank.h"
#include "hw/misc/soc-regs.h"

#define SCU_KEY 0x1688a8a8
#define SDMC_KEY 0xfc600309

/* ---- system control: straps are what a board solders ---- */

typedef struct Scu {
    SocRegs regs;
    uint32_t strap[2]; /* properties */
} Scu;

#define SCU(tag, name_, strap1, strap2, reset_, ...)                                              \
    static const SocBlock tag##_block = {__VA_ARGS__};                                            \
    static const RegBank tag##_banks[] = {                                                        \
        {.name = "mmio", .size = 0x1000, BANK_REGS(soc_rows_4k), .help = "system control"}, {0}}; \
    static const Prop tag##_props[] = {PROP_U32(Scu, strap[0], "hw-strap1", strap1),              \
                                       PROP_U32(Scu, strap[1], "hw-strap2", strap2), PROP_END};   \
    static const DeviceType tag = {                                                               \
        .name = name_,                                                                            \
        .category = "misc",                                                                       \
        .desc = "Aspeed system control",                                                          \
        .internal = true,                                                                         \
        .size = sizeof(Scu),                                                                      \
        .state_version = 1,                                                                       \
        .bus_info = &tag##_block,                                                                 \
        .props = tag##_props,                                                                     \
        .banks = tag##_banks,                                                                     \
        .pins = soc_pins,                                                                         \
        .state = soc_state,                                                                       \
        .reset = reset_,                                                                          \
    };                                                                                            \
    DEVICE_TYPE(tag)

/* ---- AST2400 and AST2500 ---- */

enum {
    SCU_LOCK = 0x00,
    SCU_RANDOM = 0x78,
    SCU_STRAP = 0x70,
    SCU_STRAP_CLEAR = 0x7c
};

static void scu_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    switch (offset) {
    case SCU_LOCK:
        s->r[0] = value == SCU_KEY;
        break;
    default:
        break;
    }
}

/* AST2500: bits of the strap register are set by writing there, cleared in the identity. */
static void scu_2500_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    scu_written(s, offset, value, old);
    if (offset == SCU_STRAP) {
        s->r[offset / 4] = old | value;
    } else if (offset == SCU_STRAP_CLEAR) {
        s->r[SCU_STRAP / 4] &= ~value;
        s->r[offset / 4] = old;
    }
}

static void scu_old_reset(Device *d)
{
    soc_reset(d);
    ((SocRegs *)d)->r[SCU_STRAP / 4] = ((Scu *)d)->strap[0];
}

static uint32_t scu_read(SocRegs *s, unsigned offset, uint32_t value)
{
    return offset == SCU_RANDOM ? g_random_int() : value;
}

static const SocReg scu_2400_rows[] = {
    {.offset = 0x004, .reset = 0xffcffedc},
    {.offset = 0x008, .reset = 0xf3f40000},
    {.offset = 0x00c, .reset = 0x19fc3e8b},
    {.offset = 0x01c, .reset = 0x26108},
    {.offset = 0x020, .reset = 0x30291},
    {.offset = 0x024, .reset = 0x291},
    {.offset = 0x02c, .reset = 0x10},
    {.offset = 0x030, .reset = 0x20001a03},
    {.offset = 0x034, .reset = 0x20001a03},
    {.offset = 0x038, .reset = 0x4000030},
    {.offset = 0x03c, .reset = 0x1},
    {.offset = 0x040, .reset = 0xc0},
    {.offset = 0x04c, .reset = 0x23},
    {.offset = 0x074, .reset = 0xe},
    {.offset = 0x07c, .reset = 0x2010303, .fixed = 0xffffffff},
    {.offset = 0x084, .reset = 0xf000},
    {.offset = 0x088, .reset = 0x1000000},
    {.offset = 0x08c, .reset = 0xff},
    {.offset = 0x090, .reset = 0xa000},
    {.offset = 0x09c, .reset = 0x3ffff3},
    {.offset = 0x0a4, .reset = 0xffff0000},
    {.offset = 0x0a8, .reset = 0xfffff},
    {.offset = 0x0e0, .reset = 0xff},
    {.offset = 0x0e4, .reset = 0xff},
    {.offset = 0x104, .reset = 0x80000000},
    {.offset = 0x110, .reset = 0x1e600000},
    {.offset = 0x114, .reset = 0xc0000000},
    {.offset = 0x160, .reset = 0x1903},
    {.offset = 0x180, .reset = 0x7b},
    {.offset = 0x1a4, .reset = 0x2402},
};
SCU(scu_2400, "aspeed.scu-ast2400", 0x120ce416, 0, scu_old_reset, SOC_ROWS(scu_2400_rows),
    .written = scu_written, .read = scu_read);

static const SocReg scu_2500_rows[] = {
    {.offset = 0x004, .reset = 0xffcffedc},
    {.offset = 0x008, .reset = 0xf3f40000},
    {.offset = 0x00c, .reset = 0x19fc3e8b},
    {.offset = 0x01c, .reset = 0x26108},
    {.offset = 0x020, .reset = 0x30291},
    {.offset = 0x024, .reset = 0x93000400},
    {.offset = 0x02c, .reset = 0x10},
    {.offset = 0x030, .reset = 0x20001a03},
    {.offset = 0x034, .reset = 0x20001a03},
    {.offset = 0x038, .reset = 0x4000030},
    {.offset = 0x03c, .reset = 0x1},
    {.offset = 0x040, .reset = 0xc0},
    {.offset = 0x04c, .reset = 0x23},
    {.offset = 0x074, .reset = 0xe},
    {.offset = 0x07c, .reset = 0x4010303},
    {.offset = 0x084, .reset = 0xf000},
    {.offset = 0x088, .reset = 0x3000000},
    {.offset = 0x090, .reset = 0xa000},
    {.offset = 0x09c, .reset = 0x23ffff3},
    {.offset = 0x0a4, .reset = 0xffff0000},
    {.offset = 0x0a8, .reset = 0xfffff},
    {.offset = 0x0e0, .reset = 0xff},
    {.offset = 0x0e4, .reset = 0xff},
    {.offset = 0x104, .reset = 0x80000000},
    {.offset = 0x110, .reset = 0x1e600000},
    {.offset = 0x114, .reset = 0xc0000000},
    {.offset = 0x150, .reset = 0x1234abcd},
    {.offset = 0x154, .reset = 0x88884444},
    {.offset = 0x160, .reset = 0x1903},
    {.offset = 0x180, .reset = 0x7b},
    {.offset = 0x1a4, .reset = 0x2402},
};
SCU(scu_2500, "aspeed.scu-ast2500", 0xf100c2c6, 0, scu_old_reset, SOC_ROWS(scu_2500_rows),
    .written = scu_2500_written, .read = scu_read);

/* ---- AST2600 ---- */

/* Registers in which writes set bits; the word behind each clears them. */
static bool scu_2600_sets(unsigned offset)
{
    static const uint16_t offsets[] = {0x040, 0x050, 0x080, 0x090, 0x500, 0x510};

    for (unsigned i = 0; i < ARRAY_COUNT(offsets); i++) {
        if (offsets[i] == offset) {
            return true;
        }
    }
    return false;
}

static void scu_2600_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == 0 || offset == 0x10) {
        s->r[offset / 4] = value == SCU_KEY;
    } else if (scu_2600_sets(offset)) {
        s->r[offset / 4] = old | value;
    } else if (scu_2600_sets(offset - 4)) {
        s->r[offset / 4 - 1] &= ~value;
        s->r[offset / 4] = 0;
    } else if (offset == 0x560 || offset == 0x570) {
        s->r[offset / 4] =
            (value & 0xffff) | (old & ~value & 0xffff0000); /* enables; events, cleared */
    }
}

static void scu_2600_reset(Device *d)
{
    soc_reset(d);
    ((SocRegs *)d)->r[0x500 / 4] = ((Scu *)d)->strap[0];
    ((SocRegs *)d)->r[0x510 / 4] = ((Scu *)d)->strap[1];
}

static uint32_t scu_2600_read(SocRegs *s, unsigned offset, uint32_t value)
{
    return offset == 0x524 ? g_random_int() : value;
}

static const SocReg scu_2600_rows[] = {
    {.offset = 0x004, .reset = 0x5030303, .fixed = 0xffffffff},
    {.offset = 0x014, .reset = 0x5030303, .fixed = 0xffffffff},
    {.offset = 0x040, .reset = 0xf7c3fed8},
    {.offset = 0x050, .reset = 0xdfffffc},
    {.offset = 0x080, .reset = 0xffff7f8a},
    {.offset = 0x090, .reset = 0xfff0fff0},
    {.offset = 0x0c8, .reset = 0xfff},
    {.offset = 0x0d8, .reset = 0xff},
    {.offset = 0x200, .reset = 0x1000408f},
    {.offset = 0x204, .reset = 0x80000000},
    {.offset = 0x210, .reset = 0x1000405f},
    {.offset = 0x220, .reset = 0x1008405f},
    {.offset = 0x224, .reset = 0x80000000},
    {.offset = 0x240, .reset = 0x1004077f},
    {.offset = 0x244, .reset = 0x80000000},
    {.offset = 0x260, .reset = 0x1078405f},
    {.offset = 0x300, .reset = 0xf3940000},
    {.offset = 0x304, .reset = 0x700000},
    {.offset = 0x310, .reset = 0xf3f40000},
    {.offset = 0x314, .reset = 0x30000000},
    {.offset = 0x338, .reset = 0x14506},
    {.offset = 0x33c, .reset = 0x145c0},
    {.offset = 0x540, .reset = 0xff62d0ff},
    {.offset = 0x5b0, .reset = 0x1234abcd, .fixed = 0xffffffff},
    {.offset = 0x5b4, .reset = 0x88884444, .fixed = 0xffffffff},
};
SCU(scu_2600, "aspeed.scu-ast2600", 0xc0, 0x3, scu_2600_reset, SOC_ROWS(scu_2600_rows),
    .written = scu_2600_written, .read = scu_2600_read);

/* ---- memory controller: trained, of the size that there is ---- */

/* The size field is what the board says; software only asks. */
static void sdmc_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    if (offset == 0) {
        s->r[0] = value == SDMC_KEY;
    }
}

#define SDMC_ROWS(tag, conf)                                                                       \
    static const SocReg sdmc_##tag##_rows[] = {                                                    \
        {.offset = 0x004, .reset = conf, .fixed = 0xf},                                            \
        {.offset = 0x034, .clears = 1 << 16},                                                      \
        {.offset = 0x060, .ones = 1},                                                              \
        {.offset = 0x070, .ones = 1 << 12, .clears = 1 << 13},                                     \
        {.offset = 0x400, .reset = 2, .ones = 2},                                                  \
        {.offset = 0x450, .reset = 0x0fffffff},                                                    \
        {.offset = 0x468, .reset = 0xff},                                                          \
        {.offset = 0x47c, .reset = 0xff},                                                          \
    };                                                                                             \
    SOC_BLOCK(sdmc_##tag, "aspeed.sdmc-ast" #tag, "Aspeed memory controller", 0x1000, soc_rows_4k, \
              SOC_ROWS(sdmc_##tag##_rows), .written = sdmc_written)
SDMC_ROWS(2400, 0x42);
SDMC_ROWS(2500, 0x1008000d);
SDMC_ROWS(2600, 0x3000000e);

/* ---- the rest ---- */

/* Bit 8: ready as soon as it is on; bit 5: compensation is finished. */
static const SocReg adc_rows[] = {
    {.offset = 0x000, .ones = 1 << 8, .clears = 1 << 5},
    {.offset = 0x008, .reset = 0xf},
    {.offset = 0x00c, .reset = 0xf},
    {.offset = 0x100, .ones = 1 << 8, .clears = 1 << 5},
    {.offset = 0x108, .reset = 0xf},
    {.offset = 0x10c, .reset = 0xf},
};
SOC_BLOCK(adc, "aspeed.adc", "Aspeed analog converters", 0x1000, soc_rows_4k, SOC_ROWS(adc_rows));

static const SocReg sdhci_rows[] = {
    {.offset = 0x000, .reset = 0x30000, .clears = 1},
    {.offset = 0x004, .reset = 5},
    {.offset = 0x010, .reset = 0x1e80080},
    {.offset = 0x020, .reset = 0x1e80080},
};
SOC_BLOCK(sdhci_common, "aspeed.sdhci", "Common part of Aspeed's SD hosts", 0x1000, soc_rows_4k,
          SOC_ROWS(sdhci_rows));

static const SocReg sbc_rows[] = {{.offset = 0x014, .reset = 6, .fixed = 0xffffffff}};
SOC_BLOCK(sbc, "aspeed.sbc", "Aspeed secure boot", 0x1000, soc_rows_4k, SOC_ROWS(sbc_rows));

static const SocReg plain_rows[] = {{.offset = 0x000}};
SOC_BLOCK(gpio, "aspeed.gpio", "Aspeed GPIO", 0x400, soc_rows_1k, SOC_ROWS(plain_rows));
SOC_BLOCK(lpc, "aspeed.lpc", "Aspeed LPC", 0x1000, soc_rows_4k, SOC_ROWS(plain_rows));
SOC_BLOCK(xdma, "aspeed.xdma", "Aspeed host DMA", 0x1000, soc_rows_4k, SOC_ROWS(plain_rows));
SOC_BLOCK(peci, "aspeed.peci", "Aspeed PECI", 0x1000, soc_rows_4k, SOC_ROWS(plain_rows));
