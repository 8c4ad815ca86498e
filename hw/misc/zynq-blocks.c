// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Blocks of Zynq-7000 (UG585) that keep what is written: system level control registers (appendix
 * B.28: clocks, resets, pins; locked by a key, with the reset of the whole chip), device
 * configuration (B.16: loads of the logic end at once) and the analog converter's interface (B.31).
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/misc/soc-regs.h"
#include "qom/vm.h"

/* ---- system level control ---- */

#define LOCK_KEY 0x767b
#define UNLOCK_KEY 0xdf0d

enum {
    SLCR_LOCK = 0x4,
    SLCR_UNLOCK = 0x8,
    SLCR_LOCKED = 0xc,
    SLCR_PSS_RST = 0x200
};

static const SocReg slcr_rows[] = {
    {.offset = 0x004, .clears = 0xffffffff},
    {.offset = 0x008, .clears = 0xffffffff},
    {.offset = 0x00c, .reset = 1},
    {.offset = 0x100, .reset = 0x1a008},
    {.offset = 0x104, .reset = 0x1a008},
    {.offset = 0x108, .reset = 0x1a008},
    {.offset = 0x10c, .reset = 0x3f, .fixed = 0xffffffff},
    {.offset = 0x110, .reset = 0x14000},
    {.offset = 0x114, .reset = 0x14000},
    {.offset = 0x118, .reset = 0x14000},
    {.offset = 0x120, .reset = 0x1f000400},
    {.offset = 0x124, .reset = 0x18400003},
    {.offset = 0x128, .reset = 0x1e03201},
    {.offset = 0x12c, .reset = 0x1ffcccd},
    {.offset = 0x130, .reset = 0x101941},
    {.offset = 0x134, .reset = 0x101941},
    {.offset = 0x138, .reset = 0x1},
    {.offset = 0x13c, .reset = 0x1},
    {.offset = 0x140, .reset = 0x3c01},
    {.offset = 0x144, .reset = 0x3c01},
    {.offset = 0x148, .reset = 0x3c01},
    {.offset = 0x14c, .reset = 0x2821},
    {.offset = 0x150, .reset = 0x1e03},
    {.offset = 0x154, .reset = 0x3f03},
    {.offset = 0x158, .reset = 0x3f03},
    {.offset = 0x15c, .reset = 0x501903},
    {.offset = 0x164, .reset = 0xf03},
    {.offset = 0x168, .reset = 0xf01},
    {.offset = 0x170, .reset = 0x101800},
    {.offset = 0x17c, .reset = 0x10000},
    {.offset = 0x180, .reset = 0x101800},
    {.offset = 0x18c, .reset = 0x10000},
    {.offset = 0x190, .reset = 0x101800},
    {.offset = 0x19c, .reset = 0x10000},
    {.offset = 0x1a0, .reset = 0x101800},
    {.offset = 0x1ac, .reset = 0x10000},
    {.offset = 0x1b8, .reset = 0x1f},
    {.offset = 0x1c0, .reset = 0x1},
    {.offset = 0x1c4, .reset = 0x1},
    {.offset = 0x240, .reset = 0x1f33f0f},
    {.offset = 0x250, .reset = 0x40},
    {.offset = 0x25c, .reset = 0x1},
    {.offset = 0x530, .reset = 0x3722093, .fixed = 0xffffffff},
    {.offset = 0x700, .reset = 0x1601},
    {.offset = 0x704, .reset = 0x1601},
    {.offset = 0x708, .reset = 0x601},
    {.offset = 0x70c, .reset = 0x601},
    {.offset = 0x710, .reset = 0x601},
    {.offset = 0x714, .reset = 0x601},
    {.offset = 0x718, .reset = 0x601},
    {.offset = 0x71c, .reset = 0x601},
    {.offset = 0x720, .reset = 0x601},
    {.offset = 0x724, .reset = 0x1601},
    {.offset = 0x728, .reset = 0x1601},
    {.offset = 0x72c, .reset = 0x1601},
    {.offset = 0x730, .reset = 0x1601},
    {.offset = 0x734, .reset = 0x1601},
    {.offset = 0x738, .reset = 0x1601},
    {.offset = 0x73c, .reset = 0x1601},
    {.offset = 0x740, .reset = 0x1601},
    {.offset = 0x744, .reset = 0x1601},
    {.offset = 0x748, .reset = 0x1601},
    {.offset = 0x74c, .reset = 0x1601},
    {.offset = 0x750, .reset = 0x1601},
    {.offset = 0x754, .reset = 0x1601},
    {.offset = 0x758, .reset = 0x1601},
    {.offset = 0x75c, .reset = 0x1601},
    {.offset = 0x760, .reset = 0x1601},
    {.offset = 0x764, .reset = 0x1601},
    {.offset = 0x768, .reset = 0x1601},
    {.offset = 0x76c, .reset = 0x1601},
    {.offset = 0x770, .reset = 0x1601},
    {.offset = 0x774, .reset = 0x1601},
    {.offset = 0x778, .reset = 0x1601},
    {.offset = 0x77c, .reset = 0x1601},
    {.offset = 0x780, .reset = 0x1601},
    {.offset = 0x784, .reset = 0x1601},
    {.offset = 0x788, .reset = 0x1601},
    {.offset = 0x78c, .reset = 0x1601},
    {.offset = 0x790, .reset = 0x1601},
    {.offset = 0x794, .reset = 0x1601},
    {.offset = 0x798, .reset = 0x1601},
    {.offset = 0x79c, .reset = 0x1601},
    {.offset = 0x7a0, .reset = 0x1601},
    {.offset = 0x7a4, .reset = 0x1601},
    {.offset = 0x7a8, .reset = 0x1601},
    {.offset = 0x7ac, .reset = 0x1601},
    {.offset = 0x7b0, .reset = 0x1601},
    {.offset = 0x7b4, .reset = 0x1601},
    {.offset = 0x7b8, .reset = 0x1601},
    {.offset = 0x7bc, .reset = 0x1601},
    {.offset = 0x7c0, .reset = 0x1601},
    {.offset = 0x7c4, .reset = 0x1601},
    {.offset = 0x7c8, .reset = 0x1601},
    {.offset = 0x7cc, .reset = 0x1601},
    {.offset = 0x7d0, .reset = 0x1601},
    {.offset = 0x7d4, .reset = 0x1601},
    {.offset = 0x808, .reset = 0xffffffff},
    {.offset = 0x80c, .reset = 0xffffffff},
    {.offset = 0xa00, .reset = 0x10101},
    {.offset = 0xa04, .reset = 0x10101},
    {.offset = 0xa08, .reset = 0x1010101},
    {.offset = 0xa0c, .reset = 0x10101},
    {.offset = 0xa10, .reset = 0x10101},
    {.offset = 0xa14, .reset = 0x1010101},
    {.offset = 0xa18, .reset = 0x1},
    {.offset = 0xa1c, .reset = 0x10101},
    {.offset = 0xa30, .reset = 0x9090909},
    {.offset = 0xa34, .reset = 0x9090909},
    {.offset = 0xa38, .reset = 0x9090909},
    {.offset = 0xa3c, .reset = 0x9090909},
    {.offset = 0xa40, .reset = 0x90909},
    {.offset = 0xa44, .reset = 0x90909},
    {.offset = 0xa48, .reset = 0x909},
    {.offset = 0xa50, .reset = 0x9},
    {.offset = 0xa60, .reset = 0x9090909},
    {.offset = 0xa64, .reset = 0x9090909},
    {.offset = 0xa68, .reset = 0x909},
    {.offset = 0xa6c, .reset = 0x9090909},
    {.offset = 0xa70, .reset = 0x9090909},
    {.offset = 0xa74, .reset = 0x909},
    {.offset = 0xa78, .reset = 0x9090909},
    {.offset = 0xa7c, .reset = 0x9090909},
    {.offset = 0xa80, .reset = 0x909},
    {.offset = 0xa84, .reset = 0x9090909},
    {.offset = 0xa88, .reset = 0x9090909},
    {.offset = 0xa8c, .reset = 0x909},
    {.offset = 0xa90, .reset = 0x1010101},
    {.offset = 0xa94, .reset = 0x9090909},
    {.offset = 0xa98, .reset = 0x9090909},
    {.offset = 0xaa0, .reset = 0x909},
    {.offset = 0xab0, .reset = 0x1},
    {.offset = 0xb40, .reset = 0xe00},
    {.offset = 0xb44, .reset = 0xe00},
    {.offset = 0xb48, .reset = 0xe00},
    {.offset = 0xb4c, .reset = 0xe00},
    {.offset = 0xb50, .reset = 0xe00},
    {.offset = 0xb54, .reset = 0xe00},
    {.offset = 0xb58, .reset = 0xe00},
    {.offset = 0xb70, .reset = 0x21},
};

/* B.28: while locked only the scratch area at 0 and the lock itself take writes. */
static void slcr_written(SocRegs *s, unsigned offset, uint32_t value, uint32_t old)
{
    switch (offset) {
    case 0x000:
        break;
    case SLCR_LOCK:
        if ((value & 0xffff) == LOCK_KEY) {
            s->r[SLCR_LOCKED / 4] = 1;
        }
        break;
    case SLCR_UNLOCK:
        if ((value & 0xffff) == UNLOCK_KEY) {
            s->r[SLCR_LOCKED / 4] = 0;
        }
        break;
    case SLCR_LOCKED:
        s->r[offset / 4] = old;
        break;
    default:
        if (s->r[SLCR_LOCKED / 4]) {
            s->r[offset / 4] = old;
        } else if (offset == SLCR_PSS_RST && value & 1) {
            s->r[offset / 4] = 0;
            request_reset(SHUTDOWN_GUEST_RESET);
        }
        break;
    }
}

SOC_BLOCK(zynq_slcr, "xilinx-zynq_slcr", "Zynq system level control", 0x1000, soc_rows_4k,
          SOC_ROWS(slcr_rows), .written = slcr_written);

/* ---- device configuration ---- */

#define DEVCFG_KEY 0x757bdf0d
#define DMA_CHUNK 4096
#define PCAP_ADDRESS 0xffffffff

enum {
    CTRL_PROG_B = 1u << 30,
    INT_PROGRAMMED = 4,
    INT_DMA_ERROR = 1 << 10,
    INT_DMA_PCAP_DONE = 1 << 12,
    INT_DMA_DONE = 1 << 13
};
enum {
    STATUS_INIT = 1 << 4,
    MCTRL_LOOPBACK = 1 << 4
};

typedef struct Devcfg {
    Device dev;
    uint32_t ctrl, lock, cfg, isr, imr, status, src, dst, src_words, dst_words, shadow, multiboot,
        sw_id, unlock, mctrl;
    bool locked;
    Irq irq;
} Devcfg;

static void devcfg_update(Devcfg *s)
{
    irq_set(&s->irq, (s->isr & ~s->imr) != 0);
}

static void devcfg_changed(Device *d, const RegAccess *a)
{
    devcfg_update((Devcfg *)d);
}

/* 6.4.2: the logic is ready for its image as soon as PROG_B is high. */
static uint64_t devcfg_status_read(Device *d, const RegAccess *a)
{
    Devcfg *s = (Devcfg *)d;

    return (s->status & ~(uint32_t)STATUS_INIT) | (s->ctrl & CTRL_PROG_B ? STATUS_INIT : 0);
}

/*
 * The last of four registers starts the transfer: to the logic, which swallows it, or looped back.
 */
static void devcfg_start(Device *d, const RegAccess *a)
{
    Devcfg *s = (Devcfg *)d;
    uint8_t buf[DMA_CHUNK];
    uint64_t left = (uint64_t)s->src_words * 4, done = 0;
    bool loop = s->mctrl & MCTRL_LOOPBACK && s->dst != PCAP_ADDRESS, ok = true;

    left = MIN(left, loop ? (uint64_t)s->dst_words * 4 : 64u << 20);
    while (ok && done < left && loop) {
        size_t n = MIN(left - done, sizeof(buf));

        ok = dma_read(d, (s->src & ~3u) + done, buf, n) &&
             dma_write(d, (s->dst & ~3u) + done, buf, n);
        done += n;
    }
    s->isr |= ok ? INT_DMA_DONE | INT_DMA_PCAP_DONE : INT_DMA_ERROR;
    if (ok && s->dst == PCAP_ADDRESS) {
        s->isr |= INT_PROGRAMMED;
    }
    devcfg_update(s);
}

static void devcfg_unlock_write(Device *d, const RegAccess *a)
{
    Devcfg *s = (Devcfg *)d;

    s->locked = a->value != DEVCFG_KEY;
}

static void devcfg_reset(Device *d)
{
    ((Devcfg *)d)->locked = true;
}

/* clang-format off */
static const Reg devcfg_regs[] = {
    REG(Devcfg, 0x00, ctrl, .reset = 0x0c006000, .wmask = 0x4e00fff8, .help = "control"),
    REG(Devcfg, 0x04, lock, .wmask = 0x1f, .help = "locks of parts of control"),
    REG(Devcfg, 0x08, cfg, .reset = 0x508, .wmask = 0xfff, .help = "FIFO levels, edges"),
    REG(Devcfg, 0x0c, isr, .w1c = 0xffffffff, .write = devcfg_changed, .help = "interrupts"),
    REG(Devcfg, 0x10, imr, .reset = 0xffffffff, .wmask = 0xffffffff, .write = devcfg_changed, .help = "interrupts that are masked"),
    REG(Devcfg, 0x14, status, .reset = 0x40000820, .read = devcfg_status_read, .help = "status"),
    REG(Devcfg, 0x18, src, .wmask = 0xffffffff, .help = "transfer: from"),
    REG(Devcfg, 0x1c, dst, .wmask = 0xffffffff, .help = "transfer: to; all ones: the logic"),
    REG(Devcfg, 0x20, src_words, .wmask = 0x7ffffff, .help = "transfer: words of source"),
    REG(Devcfg, 0x24, dst_words, .wmask = 0x7ffffff, .write = devcfg_start, .help = "transfer: words of destination; starts it"),
    REG(Devcfg, 0x28, shadow, .wmask = 0xffffffff, .help = "boot ROM shadow"),
    REG(Devcfg, 0x2c, multiboot, .wmask = 0x1fff, .help = "where the boot ROM looks next"),
    REG(Devcfg, 0x30, sw_id, .wmask = 0xffffffff, .help = "software's identity"),
    REG(Devcfg, 0x34, unlock, .wmask = 0xffffffff, .write = devcfg_unlock_write, .help = "key"),
    REG(Devcfg, 0x80, mctrl, .reset = 0x10800000, .wmask = 0x11f, .help = "test modes; bit 4 loopback"),
};
static const RegBank devcfg_banks[] = {{.name = "mmio", .size = 0x100, BANK_REGS(devcfg_regs), .help = "device configuration"}, {0}};
static const PinRow devcfg_pins[] = {PIN_OUT(Devcfg, irq, "irq"), PIN_END};
static const StateField devcfg_state[] = {STATE(Devcfg, locked), STATE_END};

static const DeviceType devcfg_type = {
    .name = "xlnx.ps7-dev-cfg", .category = "misc", .desc = "Zynq device configuration", .internal = true, .size = sizeof(Devcfg),
    .state_version = 1, .banks = devcfg_banks, .pins = devcfg_pins, .state = devcfg_state, .reset = devcfg_reset,
};
DEVICE_TYPE(devcfg_type);
/* clang-format on */

/* ---- analog converter ---- */

#define XADC_REGS 128
#define XADC_FIFO 15

enum {
    XADC_COMMAND_SHIFT = 26,
    XADC_READ = 1,
    XADC_WRITE = 2
};
enum {
    XADC_FIFO_LEVEL = 1 << 8,
    MCTL_RESET = 1 << 4
};

typedef struct Xadc {
    Device dev;
    uint32_t cfg, isr, imr, mctl;
    uint16_t regs[XADC_REGS];
    uint16_t fifo[XADC_FIFO];
    uint8_t head, len;
    Irq irq;
} Xadc;

static void xadc_update(Xadc *s)
{
    if (s->len > (s->cfg >> 16 & 15)) {
        s->isr |= XADC_FIFO_LEVEL;
    }
    irq_set(&s->irq, (s->isr & ~s->imr) != 0);
}

static void xadc_changed(Device *d, const RegAccess *a)
{
    xadc_update((Xadc *)d);
}

/* UG480: a chip at rest at 32 degrees, supplies at their nominal values. */
static void xadc_converter_reset(Xadc *s)
{
    static const struct {
        uint8_t at;
        uint16_t value;
    } rest[] = {
        {0x00, 0x9b00}, {0x01, 0x5550}, {0x02, 0x9990}, {0x04, 0x6a90}, {0x06, 0x5550},
        {0x0d, 0x5550}, {0x0e, 0x9990}, {0x0f, 0x8000}, {0x20, 0x9b00}, {0x21, 0x5550},
        {0x22, 0x9990}, {0x24, 0x9b00}, {0x25, 0x5550}, {0x26, 0x9990},
    };

    memset(s->regs, 0, sizeof(s->regs));
    for (unsigned i = 0; i < ARRAY_COUNT(rest); i++) {
        s->regs[rest[i].at] = rest[i].value;
    }
}

static void xadc_reset(Device *d)
{
    Xadc *s = (Xadc *)d;

    s->head = s->len = 0;
    xadc_converter_reset(s);
}

static void xadc_command_write(Device *d, const RegAccess *a)
{
    Xadc *s = (Xadc *)d;
    unsigned op = a->value >> XADC_COMMAND_SHIFT & 15, at = a->value >> 16 & 0x3ff;
    uint16_t answer = 0;

    if (s->mctl & MCTL_RESET) {
        return;
    }
    if (op == XADC_READ && at < XADC_REGS) {
        answer = s->regs[at];
    } else if (op == XADC_WRITE && at == 3) {
        xadc_converter_reset(s);
    } else if (op == XADC_WRITE && at >= 0x40 && at < XADC_REGS) {
        s->regs[at] = (uint16_t)a->value;
    }
    if (s->len < XADC_FIFO) {
        s->fifo[(s->head + s->len++) % XADC_FIFO] = answer;
    }
    xadc_update(s);
}

static uint64_t xadc_data_read(Device *d, const RegAccess *a)
{
    Xadc *s = (Xadc *)d;
    uint16_t v = 0;

    if (s->len) {
        v = s->fifo[s->head];
        s->head = (s->head + 1) % XADC_FIFO;
        s->len--;
    }
    xadc_update(s);
    return v;
}

static uint64_t xadc_status_read(Device *d, const RegAccess *a)
{
    Xadc *s = (Xadc *)d;

    return (unsigned)s->len << 12 | 0x400 | (s->len == XADC_FIFO ? 0x200 : 0) |
           (s->len == 0 ? 0x100 : 0);
}

static void xadc_mctl_write(Device *d, const RegAccess *a)
{
    if (a->value & MCTL_RESET) {
        xadc_reset(d);
    }
}

static void xadc_post_load(Device *d)
{
    Xadc *s = (Xadc *)d;

    s->head %= XADC_FIFO;
    s->len = MIN(s->len, XADC_FIFO);
}

/* clang-format off */
static const Reg xadc_rows[] = {
    REG(Xadc, 0x00, cfg, .reset = 0x1114, .wmask = 0x80ff3fff, .write = xadc_changed, .help = "interface: levels, rate"),
    REG(Xadc, 0x04, isr, .reset = 0x200, .w1c = 0x3ff, .write = xadc_changed, .help = "interrupts"),
    REG(Xadc, 0x08, imr, .reset = 0xffffffff, .wmask = 0x3ff, .write = xadc_changed, .help = "interrupts that are masked"),
    REG_HOOK(0x0c, 4, "status", .read = xadc_status_read, .help = "FIFO levels"),
    REG_HOOK(0x10, 4, "command", .write = xadc_command_write, .help = "command for the converter"),
    REG_HOOK(0x14, 4, "data", .read = xadc_data_read, .help = "its answers"),
    REG(Xadc, 0x18, mctl, .reset = 0x10, .wmask = 0x11, .write = xadc_mctl_write, .help = "bit 4: reset"),
};
static const RegBank xadc_banks[] = {{.name = "mmio", .size = 0x20, BANK_REGS(xadc_rows), .help = "analog converter"}, {0}};
static const PinRow xadc_pins[] = {PIN_OUT(Xadc, irq, "irq"), PIN_END};
static const StateField xadc_state[] = {
    STATE_ARRAY(Xadc, regs), STATE_ARRAY(Xadc, fifo), STATE_INDEX(Xadc, head, fifo), STATE_COUNT(Xadc, len, fifo), STATE_END};

static const DeviceType xadc_type = {
    .name = "xlnx-zynq-xadc", .category = "misc", .desc = "Zynq analog converter interface", .internal = true, .size = sizeof(Xadc),
    .state_version = 1, .banks = xadc_banks, .pins = xadc_pins, .state = xadc_state, .reset = xadc_reset, .post_load = xadc_post_load,
};
DEVICE_TYPE(xadc_type);
/* clang-format on */
