// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SD host controller (SD Host Controller Simplified Specification 3.00): commands, data by PIO,
 * SDMA and ADMA2, interrupts, software reset. imx-usdhc.c has the same with other registers. Left
 * out: tuning, 1.8 V switching, suspend.
 */
#include "sdhci.h"

#include "exec/dma.h"
#include "util/bswap.h"
#include "util/main-loop.h"

enum {
    TRN_DMA = 1,
    TRN_BCNT = 2,
    TRN_ACMD12 = 4,
    TRN_ACMD23 = 8,
    TRN_READ = 0x10,
    TRN_MULTI = 0x20
};
enum { CMD_RESP = 3, CMD_DATA = 0x20 };
enum {
    PRN_CMD_INHIBIT = 1,
    PRN_DAT_INHIBIT = 2,
    PRN_DAT_ACTIVE = 4,
    PRN_WRITE_ACTIVE = 0x100,
    PRN_READ_ACTIVE = 0x200,
    PRN_SPACE = 0x400,
    PRN_DATA = 0x800
};

static void sdhci_update(Sdhci *s)
{
    uint16_t n = s->norintsts & s->norinten, e = s->errintsts & s->errinten;

    irq_set(&s->irq, (n & s->norintsig) || (e & s->errintsig));
}

static uint16_t sdhci_normal(Sdhci *s)
{
    return (s->norintsts & 0x7fff) | (s->errintsts ? 0x8000 : 0);
}

static void sdhci_raise(Sdhci *s, uint16_t bits)
{
    s->norintsts |= bits & s->norinten;
}

static void sdhci_fail(Sdhci *s, uint16_t bits)
{
    s->errintsts |= bits & s->errinten;
}

/* ---- data ---- */

static uint32_t sdhci_block(const Sdhci *s)
{
    return s->blksize & 0xfff;
}

static bool sdhci_blocks_left(const Sdhci *s)
{
    return s->active && (s->open_ended || s->blocks);
}

static void sdhci_end_transfer(Sdhci *s)
{
    uint8_t resp[16];

    s->active = false;
    s->dma_wait = false;
    s->buf_pos = s->buf_fill = 0;
    if (s->trnmod & TRN_ACMD12 && s->trnmod & TRN_MULTI) {
        unsigned len = sd_command(&s->bus, 12, 0, resp);

        if (len == 4) {
            s->response[3] = load_be32(resp);
        }
    }
    sdhci_raise(s, INT_TRANSFER);
}

static void sdhci_block_done(Sdhci *s)
{
    s->buf_pos = s->buf_fill = 0;
    if (!s->open_ended && --s->blocks == 0) {
        s->blkcnt = 0;
        sdhci_end_transfer(s);
    } else if (s->trnmod & TRN_BCNT) {
        s->blkcnt = s->blocks;
    }
}

/* PIO: a block at a time passes through buf. */
static void sdhci_pio(Sdhci *s)
{
    uint32_t len = sdhci_block(s);

    if (!sdhci_blocks_left(s)) {
        return;
    }
    if (s->trnmod & TRN_READ) {
        if (s->buf_fill < len) {
            s->buf_fill += sd_read(&s->bus, s->buf + s->buf_fill, len - s->buf_fill);
            if (s->buf_fill == len) {
                sdhci_raise(s, INT_READ_READY);
            }
        }
        return;
    }
    while (s->buf_fill == len && s->buf_pos < len && s->active) {
        s->buf_pos += sd_write(&s->bus, s->buf + s->buf_pos, len - s->buf_pos);
        if (s->buf_pos < len) {
            return;
        }
        sdhci_block_done(s);
        if (s->active) {
            sdhci_raise(s, INT_WRITE_READY);
        }
    }
}

/*
 * Moves up to len bytes between card and memory; less when the card is not ready. A guest may make
 * blocks smaller than what of one is moved already.
 */
static uint32_t sdhci_move(Sdhci *s, hwaddr at, uint32_t len)
{
    uint32_t done = 0;

    while (done < len && sdhci_blocks_left(s)) {
        uint32_t block = sdhci_block(s), left = block - MIN(block, s->buf_pos), got;
        uint32_t n = MIN(len - done, left);

        if (s->trnmod & TRN_READ) {
            got = sd_read(&s->bus, s->buf, n);
            if (got && !dma_write(&s->dev, at + done, s->buf, got)) {
                sdhci_fail(s, ERR_ADMA);
            }
        } else {
            if (!dma_read(&s->dev, at + done, s->buf, n)) {
                sdhci_fail(s, ERR_ADMA);
            }
            got = sd_write(&s->bus, s->buf, n);
        }
        done += got;
        s->buf_pos += got;
        if (s->buf_pos >= block) {
            sdhci_block_done(s);
        }
        if (got == 0) {
            break;
        }
    }
    return done;
}

static void sdhci_sdma(Sdhci *s)
{
    uint32_t boundary = 4096u << (s->blksize >> 12 & 7);

    while (sdhci_blocks_left(s)) {
        uint32_t room = boundary - (s->sdmasysad & (boundary - 1)),
                 got = sdhci_move(s, s->sdmasysad, room);

        s->sdmasysad += got;
        if (got < room) {
            return;
        }
        if (sdhci_blocks_left(s)) {
            /* Goes on when the guest writes the address again. */
            s->dma_wait = true;
            sdhci_raise(s, INT_DMA);
            return;
        }
    }
}

/* A descriptor: attributes, length, address; 1.13.4. */
static bool adma_fetch(Sdhci *s)
{
    uint8_t d[12] = {0};
    bool wide = (s->hostctl & 0x18) == 0x18;

    if (!dma_read(&s->dev, s->admasysaddr, d, wide ? 12 : 8)) {
        return false;
    }
    s->adma_attr = d[0];
    s->adma_left = load_le16(d + 2);
    s->adma_left = s->adma_left ? s->adma_left : 65536;
    s->adma_addr = wide ? load_le64(d + 4) : load_le32(d + 4);
    s->admasysaddr += wide ? 12 : 8;
    return true;
}

/* From the main loop: long chains of descriptors that move nothing end after so many. */
#define ADMA_IDLE_MAX 1024

static void sdhci_adma(Sdhci *s)
{
    unsigned idle = 0;

    while (sdhci_blocks_left(s) && !s->errintsts) {
        if (s->adma_valid && (s->adma_attr & 0x30) == 0x20 && s->adma_left) {
            uint32_t got = sdhci_move(s, s->adma_addr, s->adma_left);

            s->adma_addr += got;
            s->adma_left -= got;
            if (s->adma_left && sdhci_blocks_left(s)) {
                return;
            }
            continue;
        }
        if (s->adma_valid && s->adma_attr & 4) {
            sdhci_raise(s, INT_DMA);
        }
        if (s->adma_valid && s->adma_attr & 2) {
            break;
        }
        if (!adma_fetch(s) || !(s->adma_attr & 1) || ++idle > ADMA_IDLE_MAX) {
            s->admaerr = 1;
            sdhci_fail(s, ERR_ADMA);
            return;
        }
        s->adma_valid = true;
        if ((s->adma_attr & 0x30) == 0x30) {
            s->admasysaddr = s->adma_addr;
            s->adma_valid = false;
        }
    }
    if (s->active && s->adma_attr & 2 && s->open_ended) {
        sdhci_end_transfer(s);
    }
}

static void sdhci_run(Sdhci *s)
{
    if (sdhci_blocks_left(s) && !s->dma_wait) {
        if (!(s->trnmod & TRN_DMA)) {
            sdhci_pio(s);
        } else if ((s->hostctl & 0x18) == 0 ) {
            sdhci_sdma(s);
        } else {
            sdhci_adma(s);
        }
    }
    sdhci_update(s);
}

static void sdhci_card_ready(void *opaque)
{
    Sdhci *s = opaque;

    if (s->wait_busy && !sd_busy(&s->bus)) {
        s->wait_busy = false;
        sdhci_raise(s, INT_TRANSFER);
    }
    sdhci_run(s);
}

const SdHostOps sdhci_host_ops = {.ready = sdhci_card_ready};

uint32_t sdhci_buffer_get(Sdhci *s)
{
    uint8_t word[4] = {0};
    uint32_t len = sdhci_block(s), n = MIN(4, s->buf_fill - MIN(s->buf_fill, s->buf_pos));

    if (!(s->trnmod & TRN_READ) || s->buf_fill < len || s->trnmod & TRN_DMA) {
        return 0;
    }
    memcpy(word, s->buf + s->buf_pos, n);
    s->buf_pos += n;
    if (s->buf_pos >= len) {
        sdhci_block_done(s);
        sdhci_run(s);
    }
    return load_le32(word);
}

void sdhci_buffer_put(Sdhci *s, uint32_t value)
{
    uint32_t len = sdhci_block(s), n = MIN(4, len - MIN(len, s->buf_fill));

    if (!s->active || s->trnmod & (TRN_READ | TRN_DMA)) {
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        s->buf[s->buf_fill++] = value >> 8 * i;
    }
    if (s->buf_fill == len) {
        s->buf_pos = 0;
        sdhci_run(s);
    }
}

static uint64_t sdhci_buffer_read(Device *d, const RegAccess *a)
{
    return sdhci_buffer_get((Sdhci *)d);
}

static void sdhci_buffer_write(Device *d, const RegAccess *a)
{
    sdhci_buffer_put((Sdhci *)d, (uint32_t)a->value);
}

/* ---- commands ---- */

static void sdhci_begin_data(Sdhci *s)
{
    s->blocks = s->trnmod & TRN_MULTI ? s->blkcnt : 1;
    s->open_ended = s->trnmod & TRN_MULTI && !(s->trnmod & TRN_BCNT);
    s->buf_pos = s->buf_fill = 0;
    s->dma_wait = s->adma_valid = false;
    s->active = sdhci_block(s) && (s->open_ended || s->blocks);
    if (s->active && !(s->trnmod & (TRN_READ | TRN_DMA))) {
        sdhci_raise(s, INT_WRITE_READY);
    }
}

void sdhci_send_command(Sdhci *s)
{
    uint8_t resp[16];
    unsigned len, type = s->cmdreg & CMD_RESP;

    if (s->trnmod & TRN_ACMD23 && s->cmdreg & CMD_DATA) {
        sd_command(&s->bus, 23, s->sdmasysad, resp);
    }
    len = sd_command(&s->bus, s->cmdreg >> 8 & 0x3f, s->argument, resp);
    if (type) {
        if (len == 4) {
            s->response[0] = load_be32(resp);
            s->response[1] = s->response[2] = s->response[3] = 0;
        } else if (len == 16) {
            /* bits 127 to 8: the CRC byte is not shown */
            s->response[0] = load_be32(resp + 11);
            s->response[1] = load_be32(resp + 7);
            s->response[2] = load_be32(resp + 3);
            s->response[3] = (uint32_t)resp[0] << 16 | resp[1] << 8 | resp[2];
        } else {
            sdhci_fail(s, ERR_CMD_TIMEOUT);
        }
        if (type == 3 && len && !(s->cmdreg & CMD_DATA)) {
            s->wait_busy = sd_busy(&s->bus);
            if (!s->wait_busy) {
                sdhci_raise(s, INT_TRANSFER);
            }
        }
    }
    if (!type || len) {
        sdhci_raise(s, INT_COMMAND);
        if (s->cmdreg & CMD_DATA) {
            sdhci_begin_data(s);
        }
    }
    sdhci_run(s);
}

static void sdhci_command_write(Device *d, const RegAccess *a)
{
    sdhci_send_command((Sdhci *)d);
}

static void sdhci_sdma_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    if (s->active && s->dma_wait && a->mask >> 24) {
        s->dma_wait = false;
        sdhci_run(s);
    }
}

uint32_t sdhci_present(const Sdhci *s)
{
    uint32_t v = 0x01f00000;
    bool in = sd_inserted(&s->bus);

    v |= in ? 0x00070000 : 0x00040000;
    v |= in && !sd_read_only(&s->bus) ? 0x00080000 : 0;
    if (s->active) {
        v |= PRN_DAT_INHIBIT | PRN_DAT_ACTIVE |
             (s->trnmod & TRN_READ ? PRN_READ_ACTIVE : PRN_WRITE_ACTIVE);
        if (!(s->trnmod & TRN_DMA)) {
            bool full = s->buf_fill == sdhci_block(s);

            v |= s->trnmod & TRN_READ ? full ? PRN_DATA : 0 : full ? 0 : PRN_SPACE;
        }
    }
    return v | (s->wait_busy ? PRN_DAT_INHIBIT : 0);
}

static uint64_t sdhci_present_read(Device *d, const RegAccess *a)
{
    return sdhci_present((Sdhci *)d);
}

static void sdhci_clock_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    s->clkcon = s->clkcon & 1 ? s->clkcon | 2 : s->clkcon & ~2;
}

void sdhci_abort_data(Sdhci *s)
{
    s->active = s->dma_wait = s->adma_valid = s->wait_busy = false;
    s->buf_pos = s->buf_fill = s->blocks = 0;
}

static void sdhci_swreset_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    if (a->value & 1) {
        device_reset_banks(d);
        sdhci_abort_data(s);
    }
    if (a->value & 4) {
        sdhci_abort_data(s);
        s->norintsts &= ~(INT_TRANSFER | INT_DMA | INT_READ_READY | INT_WRITE_READY);
    }
    if (a->value & 2) {
        s->norintsts &= ~INT_COMMAND;
    }
    sdhci_update(s);
}

static uint64_t sdhci_normal_read(Device *d, const RegAccess *a)
{
    return sdhci_normal((Sdhci *)d);
}

static void sdhci_normal_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    s->norintsts &= ~(a->value & a->mask);
    sdhci_run(s);
}

static void sdhci_mask_write(Device *d, const RegAccess *a)
{
    sdhci_update((Sdhci *)d);
}

static uint64_t sdhci_caps_read(Device *d, const RegAccess *a)
{
    return ((Sdhci *)d)->capareg;
}

static uint64_t sdhci_maxcurr_read(Device *d, const RegAccess *a)
{
    return ((Sdhci *)d)->maxcurr;
}

static uint64_t sdhci_version_read(Device *d, const RegAccess *a)
{
    return (((Sdhci *)d)->spec_version - 1u) | 0x2400;
}

static uint64_t sdhci_slot_read(Device *d, const RegAccess *a)
{
    return ((Sdhci *)d)->irq.level;
}

/* ---- the device ---- */

bool sdhci_realize(Device *d, GError **error)
{
    Sdhci *s = (Sdhci *)d;

    if (s->spec_version < 2 || s->spec_version > 3) {
        return fail(error, "Only Spec v2/v3 are supported");
    }
    sd_bus_init(&s->bus, d, &sdhci_host_ops, s);
    return true;
}

void sdhci_unrealize(Device *d)
{
    bus_fini(&((Sdhci *)d)->bus.bus);
}

void sdhci_reset(Device *d)
{
    sdhci_abort_data((Sdhci *)d);
}

/* clang-format off */
static const Reg sdhci_regs[] = {
    REG(Sdhci, 0x00, sdmasysad, .wmask = 0xffffffff, .write = sdhci_sdma_write, .help = "SDMA address, or block count of CMD23"),
    REG(Sdhci, 0x04, blksize, .wmask = 0x7fff, .help = "block size and DMA boundary"),
    REG(Sdhci, 0x06, blkcnt, .wmask = 0xffff, .help = "blocks"),
    REG(Sdhci, 0x08, argument, .wmask = 0xffffffff, .help = "of the command"),
    REG(Sdhci, 0x0c, trnmod, .wmask = 0x3f, .help = "transfer mode"),
    REG(Sdhci, 0x0e, cmdreg, .wmask = 0x3ffb, .write = sdhci_command_write, .help = "sends a command"),
    REG_ARRAY(Sdhci, 0x10, response, .help = "the answer"),
    REG_HOOK(0x20, 4, "buffer", .read = sdhci_buffer_read, .write = sdhci_buffer_write, .help = "data"),
    REG_HOOK(0x24, 4, "present", .read = sdhci_present_read, .help = "present state"),
    REG(Sdhci, 0x28, hostctl, .wmask = 0xff, .help = "host control"),
    REG(Sdhci, 0x29, pwrcon, .wmask = 0x0f, .help = "power"),
    REG(Sdhci, 0x2a, blkgap, .wmask = 0x0f, .help = "block gap"),
    REG(Sdhci, 0x2b, wakcon, .wmask = 0x07, .help = "wake-up"),
    REG(Sdhci, 0x2c, clkcon, .wmask = 0xffe5, .write = sdhci_clock_write, .help = "clock; bit 1: it is stable"),
    REG(Sdhci, 0x2e, timeoutcon, .wmask = 0x0f, .help = "timeout"),
    REG_HOOK(0x2f, 1, "swreset", .write = sdhci_swreset_write, .help = "software reset"),
    REG(Sdhci, 0x30, norintsts, .read = sdhci_normal_read, .write = sdhci_normal_write, .help = "interrupts"),
    REG(Sdhci, 0x32, errintsts, .w1c = 0xffff, .write = sdhci_mask_write, .help = "errors"),
    REG(Sdhci, 0x34, norinten, .wmask = 0xffff, .write = sdhci_mask_write, .help = "interrupts that are recorded"),
    REG(Sdhci, 0x36, errinten, .wmask = 0xffff, .write = sdhci_mask_write, .help = "errors that are recorded"),
    REG(Sdhci, 0x38, norintsig, .wmask = 0xffff, .write = sdhci_mask_write, .help = "interrupts that are signalled"),
    REG(Sdhci, 0x3a, errintsig, .wmask = 0xffff, .write = sdhci_mask_write, .help = "errors that are signalled"),
    REG(Sdhci, 0x3c, acmd12err, .help = "errors of automatic commands"),
    REG(Sdhci, 0x3e, hostctl2, .wmask = 0xf7, .help = "host control 2"),
    REG_HOOK(0x40, 8, "capabilities", .read = sdhci_caps_read, .help = "capabilities"),
    REG_HOOK(0x48, 8, "maxcurr", .read = sdhci_maxcurr_read, .help = "maximum current"),
    REG(Sdhci, 0x54, admaerr, .help = "ADMA error"),
    REG(Sdhci, 0x58, admasysaddr, .wmask = UINT64_MAX, .help = "ADMA address"),
    REG_HOOK(0xfc, 2, "slot", .read = sdhci_slot_read, .help = "slot interrupt"),
    REG_HOOK(0xfe, 2, "version", .read = sdhci_version_read, .help = "version"),
};
/* clang-format on */

const RegBank sdhci_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(sdhci_regs), .help = "host controller"}, {0}};

static const Prop sdhci_props[] = {
    PROP_U8(Sdhci, spec_version, "sd-spec-version", 2),
    PROP_U64(Sdhci, capareg, "capareg", 0x057834b4),
    PROP_U64(Sdhci, maxcurr, "maxcurr", 0),
    PROP_END,
};

const PinRow sdhci_pins[] = {PIN_OUT(Sdhci, irq, "irq"), PIN_END};

/* What of the block is done lies within it. */
bool sdhci_check_load(Device *d, GError **error)
{
    const Sdhci *s = (Sdhci *)d;

    return !s->active || s->buf_pos <= sdhci_block(s) ||
           fail(error, "%u bytes of a block of %u are done", s->buf_pos, sdhci_block(s));
}

const StateField sdhci_state[] = {
    HOST_ONLY(Sdhci, pci, "the base types keep their own"),
    HOST_ONLY(Sdhci, bus, "its card has state of its own"), STATE(Sdhci, active), STATE(Sdhci, open_ended), STATE(Sdhci, dma_wait),
    STATE(Sdhci, adma_valid), STATE(Sdhci, wait_busy), STATE(Sdhci, norintsts), STATE(Sdhci, errintsts), STATE(Sdhci, norinten),
    STATE(Sdhci, errinten), STATE(Sdhci, norintsig), STATE(Sdhci, errintsig), STATE(Sdhci, blksize), STATE(Sdhci, blkcnt), STATE(Sdhci, trnmod),
    STATE(Sdhci, cmdreg), STATE(Sdhci, hostctl), STATE(Sdhci, admasysaddr), STATE(Sdhci, blocks), STATE_MAX(Sdhci, buf_pos, sizeof(((Sdhci *)0)->buf) - 1), STATE_MAX(Sdhci, buf_fill, sizeof(((Sdhci *)0)->buf) - 1), STATE_RAW(Sdhci, buf),
    STATE(Sdhci, clkcon), STATE(Sdhci, acmd12err), STATE(Sdhci, hostctl2), STATE(Sdhci, pwrcon), STATE(Sdhci, blkgap), STATE(Sdhci, wakcon),
    STATE(Sdhci, timeoutcon), HOST_ONLY(Sdhci, capareg, "property of the generic one"), HOST_ONLY(Sdhci, maxcurr, "property"),
    HOST_ONLY(Sdhci, uhs, "property"), HOST_ONLY(Sdhci, vendor, "property"), STATE(Sdhci, adma_attr), STATE(Sdhci, adma_left), STATE(Sdhci, adma_addr), STATE_END,
};

static const DeviceType sdhci_type = {
    .name = "generic-sdhci", .category = "storage", .desc = "SD host controller", .internal = true, .size = sizeof(Sdhci), .state_version = 1,
    .props = sdhci_props, .banks = sdhci_banks, .pins = sdhci_pins, .state = sdhci_state, .realize = sdhci_realize, .unrealize = sdhci_unrealize,
    .reset = sdhci_reset, .check_load = sdhci_check_load,
};
DEVICE_TYPE(sdhci_type);
