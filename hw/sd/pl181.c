// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell multimedia card interface PL180 and PL181 (ARM DDI 0172A, DDI 0205B): commands, a data
 * path with a FIFO of sixteen words. Left out: DMA requests, stream mode.
 */
#include "exec/bank.h"
#include "hw/sd/sd.h"
#include "util/bswap.h"

#define FIFO_BYTES 64

enum { CMD_RESPONSE = 0x40, CMD_LONG = 0x80, CMD_ENABLE = 0x400 };
enum { DATA_ENABLE = 1, DATA_READ = 2 };
enum {
    ST_CMDTIMEOUT = 1 << 2, ST_CMDRESPEND = 1 << 6, ST_CMDSENT = 1 << 7, ST_DATAEND = 1 << 8, ST_DATABLOCKEND = 1 << 10,
    ST_TXACTIVE = 1 << 12, ST_RXACTIVE = 1 << 13, ST_TXHALF = 1 << 14, ST_RXHALF = 1 << 15, ST_TXFULL = 1 << 16, ST_RXFULL = 1 << 17,
    ST_TXEMPTY = 1 << 18, ST_RXEMPTY = 1 << 19, ST_TXAVAIL = 1 << 20, ST_RXAVAIL = 1 << 21,
    ST_STATIC = 0x7ff,
};

typedef struct Pl181 {
    Device dev;
    SdBus bus;
    Irq irq[2], inserted, read_only;
    uint32_t power, clock, argument, command, respcmd, response[4], datatimer, datalength, datactrl, datacnt, latched, mask[2], select;
    uint8_t fifo[FIFO_BYTES];
    uint32_t head, count;
    uint32_t to_move;              /* bytes that the card has yet to give or get */
} Pl181;

static uint32_t pl181_status(const Pl181 *s)
{
    uint32_t v = s->latched;
    bool on = s->datactrl & DATA_ENABLE && (s->datacnt || s->count || s->to_move),
         rx = s->datactrl & DATA_READ;

    if (on && rx) {
        v |= ST_RXACTIVE;
    } else if (on) {
        v |= ST_TXACTIVE;
    }
    if (s->datactrl & DATA_ENABLE && rx) {
        v |=
            (s->count >= FIFO_BYTES / 2 ? ST_RXHALF : 0) | (s->count == FIFO_BYTES ? ST_RXFULL : 0);
        v |= s->count ? ST_RXAVAIL : ST_RXEMPTY;
        v |= ST_TXEMPTY;
    } else {
        v |= ST_RXEMPTY | (s->count ? ST_TXAVAIL : ST_TXEMPTY) |
             (s->count == FIFO_BYTES ? ST_TXFULL : 0);
        v |= on && s->count <= FIFO_BYTES / 2 ? ST_TXHALF : 0;
    }
    return v;
}

static void pl181_update(Pl181 *s)
{
    uint32_t v = pl181_status(s);

    irq_set(&s->irq[0], (v & s->mask[0]) != 0);
    irq_set(&s->irq[1], (v & s->mask[1]) != 0);
}

static void pl181_data_end(Pl181 *s)
{
    if (s->datactrl & DATA_ENABLE && s->to_move == 0) {
        s->latched |= ST_DATAEND | ST_DATABLOCKEND;
    }
}

/* Moves what can be moved between FIFO and card. */
static void pl181_run(Pl181 *s)
{
    if (!(s->datactrl & DATA_ENABLE) || s->to_move == 0) {
        pl181_update(s);
        return;
    }
    while (s->to_move) {
        uint32_t at, n;

        if (s->datactrl & DATA_READ) {
            at = (s->head + s->count) % FIFO_BYTES;
            n = MIN(MIN(FIFO_BYTES - s->count, FIFO_BYTES - at), s->to_move);
            n = sd_read(&s->bus, s->fifo + at, n);
            s->count += n;
        } else {
            at = s->head;
            n = MIN(MIN(s->count, FIFO_BYTES - at), s->to_move);
            n = sd_write(&s->bus, s->fifo + at, n);
            s->head = (s->head + n) % FIFO_BYTES;
            s->count -= n;
        }
        if (n == 0) {
            break;
        }
        s->to_move -= n;
        s->datacnt = s->to_move;
        if (s->to_move == 0) {
            pl181_data_end(s);
        }
    }
    pl181_update(s);
}

static void pl181_card_ready(void *opaque)
{
    pl181_run(opaque);
}

static const SdHostOps pl181_host_ops = {.ready = pl181_card_ready};

static void pl181_command_write(Device *d, const RegAccess *a)
{
    Pl181 *s = (Pl181 *)d;
    uint8_t resp[16];
    unsigned len;

    if (!(s->command & CMD_ENABLE)) {
        return;
    }
    s->command &= ~CMD_ENABLE;
    len = sd_command(&s->bus, s->command & 0x3f, s->argument, resp);
    if (!(s->command & CMD_RESPONSE)) {
        s->latched |= ST_CMDSENT;
    } else if (len == 0) {
        s->latched |= ST_CMDTIMEOUT;
    } else {
        for (unsigned i = 0; i < 4; i++) {
            s->response[i] = i * 4 < len ? load_be32(resp + i * 4) : 0;
        }
        if (len == 16) {
            s->response[3] &= ~1u;
        }
        s->respcmd = s->command & 0x3f;
        s->latched |= ST_CMDRESPEND;
    }
    pl181_run(s);
}

static void pl181_datactrl_write(Device *d, const RegAccess *a)
{
    Pl181 *s = (Pl181 *)d;

    if (s->datactrl & DATA_ENABLE) {
        s->head = s->count = 0;
        s->to_move = s->datacnt = s->datalength;
    }
    pl181_run(s);
}

static uint64_t pl181_status_read(Device *d, const RegAccess *a)
{
    return pl181_status((Pl181 *)d);
}

static void pl181_clear_write(Device *d, const RegAccess *a)
{
    ((Pl181 *)d)->latched &= ~(a->value & ST_STATIC);
    pl181_update((Pl181 *)d);
}

static void pl181_mask_write(Device *d, const RegAccess *a)
{
    pl181_update((Pl181 *)d);
}

/* Any address of the FIFO is the next word. */
static uint64_t pl181_fifo_read(Device *d, const RegAccess *a)
{
    Pl181 *s = (Pl181 *)d;
    uint8_t word[4] = {0};

    for (unsigned i = 0; i < 4 && s->count; i++) {
        word[i] = s->fifo[s->head];
        s->head = (s->head + 1) % FIFO_BYTES;
        s->count--;
    }
    pl181_run(s);
    return load_le32(word);
}

static void pl181_fifo_write(Device *d, const RegAccess *a)
{
    Pl181 *s = (Pl181 *)d;
    uint8_t word[4];

    store_le32(word, a->value);
    for (unsigned i = 0; i < 4 && s->count < FIFO_BYTES; i++) {
        s->fifo[(s->head + s->count++) % FIFO_BYTES] = word[i];
    }
    pl181_run(s);
}

/* Words that have not passed the FIFO's other end. */
static uint64_t pl181_fifocnt_read(Device *d, const RegAccess *a)
{
    return (((Pl181 *)d)->to_move + 3) / 4;
}

static bool pl181_realize(Device *d, GError **error)
{
    Pl181 *s = (Pl181 *)d;

    sd_bus_init(&s->bus, d, &pl181_host_ops, s);
    return true;
}

static void pl181_unrealize(Device *d)
{
    bus_fini(&((Pl181 *)d)->bus.bus);
}

static void pl181_reset(Device *d)
{
    Pl181 *s = (Pl181 *)d;

    s->head = s->count = s->to_move = 0;
    s->latched = 0;
    irq_set(&s->inserted, sd_inserted(&s->bus));
    irq_set(&s->read_only, sd_read_only(&s->bus));
}

/* clang-format off */
static const Reg pl181_regs[] = {
    REG(Pl181, 0x00, power, .wmask = 0xff, .help = "power"),
    REG(Pl181, 0x04, clock, .wmask = 0x1fff, .help = "clock divider and enables"),
    REG(Pl181, 0x08, argument, .wmask = 0xffffffff, .help = "of the command"),
    REG(Pl181, 0x0c, command, .wmask = 0xfff, .write = pl181_command_write, .help = "bit 10 sends it"),
    REG(Pl181, 0x10, respcmd, .help = "command that was answered"),
    REG_ARRAY(Pl181, 0x14, response, .help = "the answer"),
    REG(Pl181, 0x24, datatimer, .wmask = 0xffffffff, .help = "data timeout"),
    REG(Pl181, 0x28, datalength, .wmask = 0xffff, .help = "bytes of a transfer"),
    REG(Pl181, 0x2c, datactrl, .wmask = 0xff, .write = pl181_datactrl_write, .help = "starts a transfer"),
    REG(Pl181, 0x30, datacnt, .help = "bytes left"),
    REG_HOOK(0x34, 4, "status", .read = pl181_status_read, .help = "status"),
    REG_HOOK(0x38, 4, "clear", .write = pl181_clear_write, .help = "clears status bits"),
    REG_ARRAY(Pl181, 0x3c, mask, .wmask = 0x3fffff, .write = pl181_mask_write, .help = "interrupt masks"),
    REG(Pl181, 0x44, select, .wmask = 0xf, .help = "card select"),
    REG_HOOK(0x48, 4, "fifocnt", .read = pl181_fifocnt_read, .help = "words that are not in the FIFO yet"),
    REG_HOOK(0x80, 4, "fifo", .count = 16, .read = pl181_fifo_read, .write = pl181_fifo_write, .help = "data"),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x81), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x11),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x04), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */

static const RegBank pl181_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl181_regs), .help = "card interface"}, {0}};

static const PinRow pl181_pins[] = {
    PIN_OUT_ARRAY(Pl181, irq, "irq"), PIN_OUT(Pl181, inserted, "card-inserted"), PIN_OUT(Pl181, read_only, "card-read-only"), PIN_END,
};

static const StateField pl181_state[] = {
    HOST_ONLY(Pl181, bus, "its card has state of its own"), STATE(Pl181, latched), STATE_RAW(Pl181, fifo), STATE_INDEX(Pl181, head, fifo), STATE_COUNT(Pl181, count, fifo),
    STATE(Pl181, to_move), STATE_END,
};

static const DeviceType pl181_type = {
    .name = "pl181",
    .category = "storage",
    .desc = "PrimeCell multimedia card interface",
    .internal = true,
    .size = sizeof(Pl181),
    .state_version = 1,
    .banks = pl181_banks,
    .pins = pl181_pins,
    .state = pl181_state,
    .realize = pl181_realize,
    .unrealize = pl181_unrealize,
    .reset = pl181_reset,
};
DEVICE_TYPE(pl181_type);
