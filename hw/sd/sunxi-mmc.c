// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SD/MMC host controller of Allwinner processors (H3 Datasheet 5.3): commands, data by descriptors
 * of the internal DMA controller or word by word through the FIFO. Left out: SDIO, boot mode,
 * timing.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/sd/sd.h"
#include "util/bswap.h"

enum { GCTRL_RESETS = 7, GCTRL_INT = 1 << 4, GCTRL_DMA = 1 << 5 };
enum {
    CMD_RESPONSE = 1 << 6, CMD_LONG = 1 << 7, CMD_DATA = 1 << 9, CMD_WRITE = 1 << 10, CMD_AUTO_STOP = 1 << 12,
    CMD_CLOCK_ONLY = 1 << 21,
};
#define CMD_START (1u << 31)
enum {
    INT_COMMAND_DONE = 1 << 2, INT_DATA_OVER = 1 << 3, INT_TX_REQUEST = 1 << 4, INT_RX_REQUEST = 1 << 5,
    INT_RESP_TIMEOUT = 1 << 8, INT_AUTO_DONE = 1 << 14,
};
enum { STA_EMPTY = 1 << 2, STA_FULL = 1 << 3, STA_PRESENT = 1 << 8, STA_BUSY = 1 << 9 };
enum { DMAC_RESET = 1, DMAC_ON = 1 << 7 };
enum {
    IDST_TX = 1,
    IDST_RX = 2,
    IDST_FATAL = 4,
    IDST_UNAVAILABLE = 0x10,
    IDST_NORMAL = 0x100,
    IDST_ABNORMAL = 0x200
};
enum { DES_LAST = 1 << 2 };
#define DES_OWN (1u << 31)
#define MAX_DESCRIPTORS 65536u

typedef struct SunxiMmc {
    Device dev;
    SdBus bus;
    Irq irq;
    uint32_t gctrl, clkcr, tmout, width, blksz, bcntr, cmdr, carg, resp[4], imask, rintr, ftrgl, funs, dbgc, a12a, ntsr, hwrst;
    uint32_t dmac, dlba, idst, idie, chda, cbda;
    uint32_t to_move;               /* bytes of the transfer that are left */
    bool writing, auto_stop;
    /* the descriptor at work */
    bool open;
    uint32_t config, size, address, next, done;
} SunxiMmc;

static void mmc_update(SunxiMmc *s)
{
    irq_set(&s->irq, s->gctrl & GCTRL_INT && ((s->rintr & s->imask) || (s->idst & s->idie)));
}

static void mmc_finish(SunxiMmc *s)
{
    uint8_t resp[16];

    s->rintr |= INT_DATA_OVER;
    if (s->auto_stop) {
        s->auto_stop = false;
        if (sd_command(&s->bus, 12, 0, resp)) {
            s->resp[3] = load_be32(resp);
        }
        s->rintr |= INT_AUTO_DONE;
    }
}

static bool dma_in_use(const SunxiMmc *s)
{
    return s->gctrl & GCTRL_DMA && s->dmac & DMAC_ON;
}

static bool open_descriptor(SunxiMmc *s)
{
    uint32_t most = *(const uint32_t *)device_type(&s->dev)->bus_info;
    uint8_t d[16];

    if (!dma_read(&s->dev, s->cbda, d, sizeof(d))) {
        s->idst |= IDST_FATAL | IDST_ABNORMAL;
        return false;
    }
    s->config = load_le32(d);
    if (!(s->config & DES_OWN)) {
        s->idst |= IDST_UNAVAILABLE | IDST_ABNORMAL;
        return false;
    }
    s->size = load_le32(d + 4) & most;
    s->size = s->size ? s->size : most + 1;
    s->address = load_le32(d + 8);
    s->next = load_le32(d + 12);
    s->done = 0;
    s->open = true;
    return true;
}

static void close_descriptor(SunxiMmc *s)
{
    dma_store(&s->dev, s->cbda, s->config & ~DES_OWN, 4, DEV_LITTLE);
    s->open = false;
    s->cbda = s->next;
    s->idst |= (s->writing ? IDST_TX : IDST_RX) | IDST_NORMAL;
}

/*
 * As much of the descriptor as the card takes or gives; false: it is not ready, or there is no
 * memory.
 */
static bool move_descriptor(SunxiMmc *s)
{
    uint8_t buf[4096];

    while (s->done < s->size && s->to_move) {
        uint32_t n = MIN(MIN(s->size - s->done, s->to_move), sizeof(buf)), got;

        if (s->writing) {
            if (!dma_read(&s->dev, (hwaddr)s->address + s->done, buf, n)) {
                s->idst |= IDST_FATAL | IDST_ABNORMAL;
                return false;
            }
            got = sd_write(&s->bus, buf, n);
        } else {
            got = sd_read(&s->bus, buf, n);
            if (got && !dma_write(&s->dev, (hwaddr)s->address + s->done, buf, got)) {
                s->idst |= IDST_FATAL | IDST_ABNORMAL;
                return false;
            }
        }
        s->done += got;
        s->to_move -= got;
        if (got == 0) {
            return false;
        }
    }
    return true;
}

static void mmc_run(SunxiMmc *s)
{
    for (unsigned i = 0; s->to_move && dma_in_use(s) && i < MAX_DESCRIPTORS; i++) {
        bool last;

        if ((!s->open && !open_descriptor(s)) || !move_descriptor(s)) {
            break;
        }
        last = s->config & DES_LAST;
        close_descriptor(s);
        if (s->to_move == 0) {
            mmc_finish(s);
        }
        if (last) {
            break;
        }
    }
    mmc_update(s);
}

static void mmc_card_ready(void *opaque)
{
    mmc_run(opaque);
}

static const SdHostOps mmc_host_ops = {.ready = mmc_card_ready};

static void send_command(SunxiMmc *s)
{
    uint8_t resp[16];
    unsigned len = sd_command(&s->bus, s->cmdr & 0x3f, s->carg, resp);

    s->rintr |= INT_COMMAND_DONE;
    if (s->cmdr & CMD_RESPONSE && len == 0) {
        s->rintr |= INT_RESP_TIMEOUT;
        return;
    }
    /* the longest answer's first word is in the last register */
    for (unsigned i = 0; s->cmdr & CMD_RESPONSE && i < 4; i++) {
        if (len == 16) {
            s->resp[3 - i] = load_be32(resp + 4 * i);
        } else {
            s->resp[i] = i == 0 ? load_be32(resp) : 0;
        }
    }
    if (s->cmdr & CMD_DATA) {
        s->to_move = s->bcntr;
        s->writing = s->cmdr & CMD_WRITE;
        s->auto_stop = s->cmdr & CMD_AUTO_STOP;
        s->open = false;
        s->cbda = s->dlba;
        if (!dma_in_use(s)) {
            s->rintr |= s->writing ? INT_TX_REQUEST : INT_RX_REQUEST;
        }
    }
}

static void mmc_cmdr_write(Device *d, const RegAccess *a)
{
    SunxiMmc *s = (SunxiMmc *)d;

    if (!(s->cmdr & CMD_START)) {
        return;
    }
    s->cmdr &= ~CMD_START;
    if (!(s->cmdr & CMD_CLOCK_ONLY)) {
        send_command(s);
    }
    mmc_run(s);
}

static void mmc_reset(Device *d);

static void mmc_gctrl_write(Device *d, const RegAccess *a)
{
    SunxiMmc *s = (SunxiMmc *)d;

    if (s->gctrl & GCTRL_RESETS) {
        s->gctrl &= ~(uint32_t)GCTRL_RESETS;
        mmc_reset(d);
    }
    mmc_update(s);
}

static void mmc_dmac_write(Device *d, const RegAccess *a)
{
    SunxiMmc *s = (SunxiMmc *)d;

    if (s->dmac & DMAC_RESET) {
        s->dmac &= ~(uint32_t)DMAC_RESET;
        s->open = false;
    }
    mmc_run(s);
}

static void mmc_changed(Device *d, const RegAccess *a)
{
    mmc_update((SunxiMmc *)d);
}

static uint64_t mmc_mista_read(Device *d, const RegAccess *a)
{
    const SunxiMmc *s = (SunxiMmc *)d;

    return s->rintr & s->imask;
}

static uint64_t mmc_status_read(Device *d, const RegAccess *a)
{
    const SunxiMmc *s = (SunxiMmc *)d;
    bool reading = s->to_move && !s->writing && sd_available(&s->bus);

    return (reading ? STA_FULL : STA_EMPTY) | (sd_inserted(&s->bus) ? STA_PRESENT : 0) |
           (sd_busy(&s->bus) ? STA_BUSY : 0);
}

static void fifo_moved(SunxiMmc *s, uint32_t n)
{
    s->to_move -= n;
    if (n && s->to_move == 0) {
        mmc_finish(s);
    }
    mmc_update(s);
}

static uint64_t mmc_fifo_read(Device *d, const RegAccess *a)
{
    SunxiMmc *s = (SunxiMmc *)d;
    uint8_t word[4] = {0};

    if (!s->writing && s->to_move) {
        fifo_moved(s, sd_read(&s->bus, word, MIN(s->to_move, 4)));
    }
    return load_le32(word);
}

static void mmc_fifo_write(Device *d, const RegAccess *a)
{
    SunxiMmc *s = (SunxiMmc *)d;
    uint8_t word[4];

    store_le32(word, (uint32_t)a->value);
    if (s->writing && s->to_move) {
        fifo_moved(s, sd_write(&s->bus, word, MIN(s->to_move, 4)));
    }
}

static bool mmc_realize(Device *d, GError **error)
{
    SunxiMmc *s = (SunxiMmc *)d;

    sd_bus_init(&s->bus, d, &mmc_host_ops, s);
    return true;
}

static void mmc_unrealize(Device *d)
{
    bus_fini(&((SunxiMmc *)d)->bus.bus);
}

static void mmc_reset(Device *d)
{
    SunxiMmc *s = (SunxiMmc *)d;

    s->to_move = 0;
    s->open = s->writing = s->auto_stop = false;
    s->rintr = s->idst = 0;
    mmc_update(s);
}

/* clang-format off */
static const Reg mmc_regs[] = {
    REG(SunxiMmc, 0x00, gctrl, .reset = 0x300, .wmask = 0xffffffff, .write = mmc_gctrl_write, .help = "global control"),
    REG(SunxiMmc, 0x04, clkcr, .wmask = 0xffffffff, .help = "clock"),
    REG(SunxiMmc, 0x08, tmout, .reset = 0xffffff40, .wmask = 0xffffffff, .help = "time-out"),
    REG(SunxiMmc, 0x0c, width, .wmask = 3, .help = "bus width"),
    REG(SunxiMmc, 0x10, blksz, .reset = 0x200, .wmask = 0xffff, .help = "block size"),
    REG(SunxiMmc, 0x14, bcntr, .reset = 0x200, .wmask = 0xffffffff, .help = "bytes of a transfer"),
    REG(SunxiMmc, 0x18, cmdr, .wmask = 0xffffffff, .write = mmc_cmdr_write, .help = "command: bit 31 sends it"),
    REG(SunxiMmc, 0x1c, carg, .wmask = 0xffffffff, .help = "its argument"),
    REG_ARRAY(SunxiMmc, 0x20, resp, .help = "its answer"),
    REG(SunxiMmc, 0x30, imask, .wmask = 0xffffffff, .write = mmc_changed, .help = "interrupt mask"),
    REG_HOOK(0x34, 4, "mista", .read = mmc_mista_read, .help = "masked interrupt status"),
    REG(SunxiMmc, 0x38, rintr, .w1c = 0xffffffff, .write = mmc_changed, .help = "interrupt status"),
    REG_HOOK(0x3c, 4, "stas", .read = mmc_status_read, .help = "status"),
    REG(SunxiMmc, 0x40, ftrgl, .reset = 0xf0000, .wmask = 0xffffffff, .help = "FIFO thresholds"),
    REG(SunxiMmc, 0x44, funs, .wmask = 0xffffffff, .help = "function select"),
    REG_HOOK(0x48, 4, "cbcr", .help = "bytes moved to the card"),
    REG_HOOK(0x4c, 4, "bbcr", .help = "bytes moved to memory"),
    REG(SunxiMmc, 0x50, dbgc, .wmask = 0xffffffff, .help = "debugging"),
    REG(SunxiMmc, 0x58, a12a, .reset = 0xffff, .wmask = 0xffff, .help = "argument of the stop command"),
    REG(SunxiMmc, 0x5c, ntsr, .reset = 0x81710000, .wmask = 0xffffffff, .help = "timing"),
    REG(SunxiMmc, 0x78, hwrst, .reset = 1, .wmask = 1, .help = "card reset"),
    REG(SunxiMmc, 0x80, dmac, .wmask = 0xffffffff, .write = mmc_dmac_write, .help = "DMA control"),
    REG(SunxiMmc, 0x84, dlba, .wmask = 0xfffffffc, .help = "first descriptor"),
    REG(SunxiMmc, 0x88, idst, .w1c = 0x337, .write = mmc_changed, .help = "DMA status"),
    REG(SunxiMmc, 0x8c, idie, .wmask = 0x337, .write = mmc_changed, .help = "DMA interrupt enables"),
    REG(SunxiMmc, 0x90, chda, .help = "descriptor at work"),
    REG(SunxiMmc, 0x94, cbda, .help = "the next one"),
    REG_HOOK(0x100, 4, "fifo_sun4i", .read = mmc_fifo_read, .write = mmc_fifo_write, .help = "data, where the A10 has it"),
    REG_HOOK(0x200, 4, "fifo", .read = mmc_fifo_read, .write = mmc_fifo_write, .help = "data"),
};
/* clang-format on */

static const RegBank mmc_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(mmc_regs), .help = "card controller"}, {0}};
static const PinRow mmc_pins[] = {PIN_OUT(SunxiMmc, irq, "irq"), PIN_END};
static const StateField mmc_state[] = {
    HOST_ONLY(SunxiMmc, bus, "its card has state of its own"), STATE(SunxiMmc, to_move), STATE(SunxiMmc, writing),
    STATE(SunxiMmc, auto_stop), STATE(SunxiMmc, open), STATE(SunxiMmc, config), STATE(SunxiMmc, size),
    STATE(SunxiMmc, address), STATE(SunxiMmc, next), STATE(SunxiMmc, done), STATE_END,
};
/* Bits of a descriptor that are its size. */
static const uint32_t sun4i_size = 0x1fff, sun5i_size = 0xffff;
static const DeviceType sun4i_mmc_type = {
    .name = "allwinner-sdhost-sun4i", .category = "storage", .desc = "Allwinner A10 SD/MMC controller", .internal = true,
    .size = sizeof(SunxiMmc), .state_version = 1, .bus_info = &sun4i_size, .banks = mmc_banks, .pins = mmc_pins, .state = mmc_state,
    .realize = mmc_realize, .unrealize = mmc_unrealize, .reset = mmc_reset,
};
DEVICE_TYPE(sun4i_mmc_type);
static const DeviceType sunxi_mmc_type = {
    .name = "allwinner-sdhost-sun5i", .category = "storage", .desc = "Allwinner SD/MMC controller", .internal = true,
    .size = sizeof(SunxiMmc), .state_version = 1, .bus_info = &sun5i_size, .banks = mmc_banks, .pins = mmc_pins, .state = mmc_state,
    .realize = mmc_realize, .unrealize = mmc_unrealize, .reset = mmc_reset,
};
DEVICE_TYPE(sunxi_mmc_type);
