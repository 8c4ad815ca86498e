// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flash controllers of Aspeed's BMCs (AST2500 datasheet, chapter 11): each select line has a
 * window in memory. In user mode accesses to it are bytes on the bus, in the others read commands.
 * Left out: DMA and its calibration, command interleaving, write mode, failures.
 */
#include "exec/bank.h"
#include "hw/ssi/ssi.h"

#define LINES 5
#define WORDS 64

enum {
    R_CONF = 0x00,
    R_CE = 0x04,
    R_INT = 0x08,
    R_CTRL = 0x10,
    R_SEGMENT = 0x30,
    R_DMA_CTRL = 0x80
};
enum {
    MODE_READ,
    MODE_FAST,
    MODE_WRITE,
    MODE_USER,
    CE_STOP = 4,
    LSB_FIRST = 0x20,
    FOUR_BYTES = 1 << 13
};
enum {
    INT_DMA_DONE = 1 << 11,
    DMA_ENABLE = 1
};

/* What differs between the kinds. */
typedef struct SmcKind {
    hwaddr window; /* address of the first window */
    uint32_t window_size; /* of all */
    uint8_t lines;
    bool ast2600; /* segments as offsets in units of 1 MiB */
    bool old_spi; /* AST2400's second controller: one line, registers at 4 */
    uint32_t conf;
    uint16_t size_mib[LINES]; /* of each window after reset */
} SmcKind;

typedef struct AspeedSmc {
    Device dev;
    SsiBus bus;
    uint32_t r[WORDS];
    uint32_t read_at; /* where the last read command's data go on; UINT32_MAX: nowhere */
    Irq irq;
} AspeedSmc;

static const SmcKind *smc_kind(const AspeedSmc *s)
{
    return device_type(&s->dev)->bus_info;
}

static uint32_t *smc_ctrl(AspeedSmc *s, unsigned line)
{
    return &s->r[smc_kind(s)->old_spi ? 1 : R_CTRL / 4 + line];
}

/* Start and size of a window, from the first one's start. */
static void smc_segment(AspeedSmc *s, unsigned line, uint32_t *start, uint32_t *size)
{
    const SmcKind *k = smc_kind(s);
    uint32_t v = s->r[R_SEGMENT / 4 + line], end;

    if (k->old_spi) {
        *start = 0;
        *size = k->window_size;
        return;
    }
    if (k->ast2600) {
        *start = (v & 0xff0) << 16;
        end = v == 0 ? 0 : ((v >> 16 & 0xff0) << 16) + 0x100000;
        *size = end > *start ? end - *start : 0;
    } else {
        uint32_t first = (uint32_t)k->window >> 23, a = v >> 16 & 0xff, b = v >> 24;

        *start = a >= first ? (a - first) << 23 : 0;
        *size = a >= first && b > a ? (b - a) << 23 : 0;
    }
}

static uint32_t smc_segment_value(const SmcKind *k, uint32_t start, uint32_t size)
{
    if (size == 0) {
        return 0;
    }
    if (k->ast2600) {
        return (start >> 16 & 0xff0) | ((start + size - 1) >> 16 & 0xff0) << 16;
    }
    return ((uint32_t)k->window + start) >> 23 << 16 |
           ((uint32_t)k->window + start + size) >> 23 << 24;
}

static void smc_select(AspeedSmc *s)
{
    uint32_t lines = 0;

    for (unsigned i = 0; i < smc_kind(s)->lines; i++) {
        uint32_t c = *smc_ctrl(s, i);

        lines |= (c & 3) == MODE_USER && !(c & CE_STOP) ? 1u << i : 0;
    }
    ssi_select(&s->bus, lines);
    s->read_at = UINT32_MAX;
}

/* Which line an offset in the windows is for; -1: none. */
static int smc_line(AspeedSmc *s, hwaddr offset, uint32_t *at)
{
    for (unsigned i = 0; i < smc_kind(s)->lines; i++) {
        uint32_t start, size;

        smc_segment(s, i, &start, &size);
        if (offset >= start && offset - start < size) {
            *at = (uint32_t)offset - start;
            return (int)i;
        }
    }
    return -1;
}

static bool smc_four(AspeedSmc *s, unsigned line)
{
    return smc_kind(s)->old_spi ? (*smc_ctrl(s, line) & FOUR_BYTES) != 0
                                : s->r[R_CE / 4] >> line & 1;
}

/* A read command; reading on from where the last one ended needs none. */
static void smc_begin_read(AspeedSmc *s, unsigned line, uint32_t at)
{
    uint32_t c = *smc_ctrl(s, line);
    bool fast = (c & 3) == MODE_FAST;
    unsigned dummies = fast ? (c >> 6 & 3) | (c >> 14 & 1) << 2 : 0;

    if (s->bus.selected == 1u << line && s->read_at == at) {
        return;
    }
    ssi_select(&s->bus, 0);
    ssi_select(&s->bus, 1u << line);
    ssi_transfer(&s->bus, fast ? (uint8_t)(c >> 16) : smc_four(s, line) ? 0x13 : 0x03);
    for (int shift = smc_four(s, line) ? 24 : 16; shift >= 0; shift -= 8) {
        ssi_transfer(&s->bus, (uint8_t)(at >> shift));
    }
    for (unsigned i = 0; i < dummies; i++) {
        ssi_transfer(&s->bus, 0);
    }
}

static uint64_t smc_window_read(void *opaque, hwaddr offset, unsigned size)
{
    AspeedSmc *s = opaque;
    uint32_t at = 0;
    int line = smc_line(s, offset, &at);
    uint64_t v = 0;

    if (line < 0) {
        return UINT64_MAX;
    }
    if ((*smc_ctrl(s, (unsigned)line) & 3) != MODE_USER) {
        smc_begin_read(s, (unsigned)line, at);
        s->read_at = at + size;
    }
    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)ssi_transfer(&s->bus, 0) << 8 * i;
    }
    return v;
}

static void smc_window_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AspeedSmc *s = opaque;
    uint32_t at = 0;
    int line = smc_line(s, offset, &at);

    if (line < 0 || (*smc_ctrl(s, (unsigned)line) & 3) != MODE_USER) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        ssi_transfer(&s->bus, (uint8_t)(value >> 8 * i));
    }
}

static const RegionOps window_ops = {.read = smc_window_read,
                                     .write = smc_window_write,
                                     .min_size = 1,
                                     .max_size = 8,
                                     .unaligned = true};

static void smc_write(Device *d, const RegAccess *a)
{
    AspeedSmc *s = (AspeedSmc *)d;

    if (a->index * 4 == R_DMA_CTRL && a->value & DMA_ENABLE) {
        s->r[R_INT / 4] |= INT_DMA_DONE; /* checksums of calibration: 0 */
    }
    smc_select(s);
    irq_set(&s->irq, s->r[R_INT / 4] & INT_DMA_DONE && s->r[R_INT / 4] & 8);
}

static bool smc_realize(Device *d, GError **error)
{
    ssi_bus_init(&((AspeedSmc *)d)->bus, d, NULL);
    return true;
}

static void smc_unrealize(Device *d)
{
    bus_fini(&((AspeedSmc *)d)->bus.bus);
}

static void smc_reset(Device *d)
{
    AspeedSmc *s = (AspeedSmc *)d;
    const SmcKind *k = smc_kind(s);
    uint32_t start = 0;

    ssi_bus_reset(&s->bus);
    s->r[R_CONF / 4] = k->conf;
    for (unsigned i = 0; i < k->lines; i++) {
        uint32_t size = (uint32_t)k->size_mib[i] << 20;

        *smc_ctrl(s, i) = CE_STOP;
        if (!k->old_spi) {
            s->r[R_SEGMENT / 4 + i] = smc_segment_value(k, start, size);
        }
        start += size;
    }
    s->read_at = UINT32_MAX;
}

/* clang-format off */
static const Reg smc_regs[] = {
    REG_ARRAY(AspeedSmc, 0x00, r, .wmask = 0xffffffff, .write = smc_write, .help = "configuration, control of lines, windows"),
};
static const PinRow smc_pins[] = {PIN_OUT(AspeedSmc, irq, "irq"), PIN_END};
static const StateField smc_state[] = {STATE_STRUCT(AspeedSmc, bus, ssi_bus_state), STATE(AspeedSmc, read_at), STATE_END};

#define SMC(tag, name_, ...)                                                                                              \
    static const SmcKind tag##_kind = {__VA_ARGS__};                                                                      \
    static const RegBank tag##_banks[] = {                                                                                \
        {.name = "mmio", .size = 0x100, BANK_REGS(smc_regs), .help = "controller"},                                       \
        {.name = "flash", .size = 0x10000000, .ops = &window_ops, .help = "windows"}, {0}};                               \
    static const DeviceType tag##_type = {                                                                                \
        .name = name_, .category = "misc", .desc = "Aspeed flash controller", .internal = true, .size = sizeof(AspeedSmc),\
        .state_version = 1, .bus_info = &tag##_kind, .banks = tag##_banks, .pins = smc_pins, .state = smc_state,          \
        .realize = smc_realize, .unrealize = smc_unrealize, .reset = smc_reset,                                           \
    };                                                                                                                    \
    DEVICE_TYPE(tag##_type)
SMC(fmc_2400, "aspeed.fmc-ast2400", .window = 0x20000000, .window_size = 0x10000000, .lines = 5, .conf = 2, .size_mib = {64, 32, 32, 32, 32});
SMC(spi_2400, "aspeed.spi1-ast2400", .window = 0x30000000, .window_size = 0x4000000, .lines = 1, .old_spi = true, .size_mib = {64});
SMC(fmc_2500, "aspeed.fmc-ast2500", .window = 0x20000000, .window_size = 0x10000000, .lines = 3, .conf = 0xa, .size_mib = {128, 32, 32});
SMC(spi1_2500, "aspeed.spi1-ast2500", .window = 0x30000000, .window_size = 0x8000000, .lines = 2, .size_mib = {32, 96});
SMC(spi2_2500, "aspeed.spi2-ast2500", .window = 0x38000000, .window_size = 0x8000000, .lines = 2, .size_mib = {32, 96});
SMC(fmc_2600, "aspeed.fmc-ast2600", .window = 0x20000000, .window_size = 0x10000000, .lines = 3, .ast2600 = true, .conf = 0x2a, .size_mib = {128, 128, 0});
SMC(spi1_2600, "aspeed.spi1-ast2600", .window = 0x30000000, .window_size = 0x10000000, .lines = 2, .ast2600 = true, .size_mib = {128, 0});
SMC(spi2_2600, "aspeed.spi2-ast2600", .window = 0x50000000, .window_size = 0x10000000, .lines = 3, .ast2600 = true, .size_mib = {128, 0, 0});
/* clang-format on */
