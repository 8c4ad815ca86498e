// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SD host of the BCM2835 beside its SDHCI one ("SDHOST"; described only by drivers, such as Linux'
 * bcm2835.c): commands and a FIFO of sixteen words.
 */
#include "exec/bank.h"
#include "hw/sd/sd.h"
#include "util/bswap.h"

#define FIFO_WORDS 16

enum {
    CMD_NEW = 0x8000,
    CMD_FAIL = 0x4000,
    CMD_BUSY = 0x800,
    CMD_NO_RESPONSE = 0x400,
    CMD_LONG = 0x200,
    CMD_WRITE = 0x80,
    CMD_READ = 0x40
};
enum { HSTS_BUSY_IRPT = 0x400, HSTS_BLOCK_IRPT = 0x200, HSTS_CMD_TIMEOUT = 0x40, HSTS_DATA = 1 };
enum { CFG_BUSY_IRPT = 0x400, CFG_BLOCK_IRPT = 0x100, CFG_DATA_IRPT = 0x10 };

typedef struct Bcm2835Sdhost {
    Device dev;
    SdBus bus;
    uint32_t cmd, arg, timeout, clkdiv, rsp[4], status, vdd, edm, config, bytes, blocks;
    uint32_t fifo[FIFO_WORDS], head, count;
    uint32_t left;                 /* bytes of the transfer that the card has yet to give or get */
    uint32_t in_block;             /* bytes of the present block that are through */
    bool reading, writing;
    Irq irq, dreq;
} Bcm2835Sdhost;

static void sdhost_update(Bcm2835Sdhost *s)
{
    irq_set(&s->irq,
            (s->status & HSTS_BLOCK_IRPT && s->config & CFG_BLOCK_IRPT) ||
                (s->status & HSTS_BUSY_IRPT && s->config & CFG_BUSY_IRPT) ||
                (s->status & HSTS_DATA && s->config & CFG_DATA_IRPT && (s->reading || s->writing)));
}

static void sdhost_flags(Bcm2835Sdhost *s)
{
    bool ready = s->writing ? s->count < FIFO_WORDS && s->left : s->count > 0;

    s->status = ready ? s->status | HSTS_DATA : s->status & ~HSTS_DATA;
    sdhost_update(s);
    irq_set(&s->dreq, ready && (s->reading || s->writing));
}

static void sdhost_count_block(Bcm2835Sdhost *s, uint32_t n)
{
    s->left -= n;
    s->in_block += n;
    if (s->in_block >= s->bytes) {
        s->in_block = 0;
        s->blocks -= s->blocks ? 1 : 0;
        s->status |= s->config & CFG_BLOCK_IRPT ? HSTS_BLOCK_IRPT : 0;
    }
}

static void sdhost_run(Bcm2835Sdhost *s)
{
    uint8_t word[4];

    while (s->reading && s->left && s->count < FIFO_WORDS &&
           sd_available(&s->bus) >= MIN(4, s->left)) {
        uint32_t n = MIN(4, s->left);

        memset(word, 0, 4);
        sd_read(&s->bus, word, n);
        s->fifo[(s->head + s->count++) % FIFO_WORDS] = load_le32(word);
        sdhost_count_block(s, n);
    }
    while (s->writing && s->left && s->count && !sd_busy(&s->bus)) {
        uint32_t n = MIN(4, s->left);

        store_le32(word, s->fifo[s->head]);
        if (sd_write(&s->bus, word, n) != n) {
            break;
        }
        s->head = (s->head + 1) % FIFO_WORDS;
        s->count--;
        sdhost_count_block(s, n);
    }
    sdhost_flags(s);
}

static void sdhost_ready(void *opaque)
{
    sdhost_run(opaque);
}

static const SdHostOps sdhost_ops = {.ready = sdhost_ready};

static void sdhost_cmd_write(Device *d, const RegAccess *a)
{
    Bcm2835Sdhost *s = (Bcm2835Sdhost *)d;
    uint8_t resp[16];
    unsigned len;

    if (!(s->cmd & CMD_NEW)) {
        return;
    }
    s->cmd &= ~(CMD_NEW | CMD_FAIL);
    len = sd_command(&s->bus, s->cmd & 0x3f, s->arg, resp);
    if (!(s->cmd & CMD_NO_RESPONSE)) {
        if (len == 4) {
            s->rsp[0] = load_be32(resp);
            s->rsp[1] = s->rsp[2] = s->rsp[3] = 0;
        } else if (len == 16) {
            for (unsigned i = 0; i < 4; i++) {
                s->rsp[i] = load_be32(resp + 12 - 4 * i);
            }
        } else {
            s->cmd |= CMD_FAIL;
            s->status |= HSTS_CMD_TIMEOUT;
        }
    }
    if (!(s->cmd & CMD_FAIL) && s->cmd & (CMD_READ | CMD_WRITE)) {
        s->reading = s->cmd & CMD_READ;
        s->writing = !s->reading;
        s->left = s->bytes * MAX(s->blocks, 1);
        s->in_block = s->head = s->count = 0;
    }
    if (s->cmd & CMD_BUSY && s->config & CFG_BUSY_IRPT) {
        s->status |= HSTS_BUSY_IRPT;
    }
    sdhost_run(s);
}

static uint64_t sdhost_data_read(Device *d, const RegAccess *a)
{
    Bcm2835Sdhost *s = (Bcm2835Sdhost *)d;
    uint32_t v = 0;

    if (s->count && s->reading) {
        v = s->fifo[s->head];
        s->head = (s->head + 1) % FIFO_WORDS;
        s->count--;
    }
    sdhost_run(s);
    return v;
}

static void sdhost_data_write(Device *d, const RegAccess *a)
{
    Bcm2835Sdhost *s = (Bcm2835Sdhost *)d;

    if (s->writing && s->count < FIFO_WORDS) {
        s->fifo[(s->head + s->count++) % FIFO_WORDS] = (uint32_t)a->value;
    }
    sdhost_run(s);
}

static uint64_t sdhost_edm_read(Device *d, const RegAccess *a)
{
    Bcm2835Sdhost *s = (Bcm2835Sdhost *)d;
    unsigned fsm = s->left == 0 ? (s->reading && s->count ? 0 : 1) : s->reading ? 2 : 3;

    /* state machine: 1 idle, 2 reading, 3 writing */
    static const uint8_t states[] = {2, 1, 2, 3};

    return (s->edm & ~0x1fffu) | s->count << 4 | states[fsm];
}

static void sdhost_changed(Device *d, const RegAccess *a)
{
    sdhost_update((Bcm2835Sdhost *)d);
}

static bool sdhost_realize(Device *d, GError **error)
{
    sd_bus_init(&((Bcm2835Sdhost *)d)->bus, d, &sdhost_ops, d);
    return true;
}

static void sdhost_unrealize(Device *d)
{
    bus_fini(&((Bcm2835Sdhost *)d)->bus.bus);
}

static void sdhost_reset(Device *d)
{
    Bcm2835Sdhost *s = (Bcm2835Sdhost *)d;

    s->head = s->count = s->left = s->in_block = 0;
    s->reading = s->writing = false;
}

/* clang-format off */
static const Reg sdhost_regs[] = {
    REG(Bcm2835Sdhost, 0x00, cmd, .wmask = 0xffff, .write = sdhost_cmd_write, .help = "sends a command"),
    REG(Bcm2835Sdhost, 0x04, arg, .wmask = 0xffffffff, .help = "its argument"),
    REG(Bcm2835Sdhost, 0x08, timeout, .reset = 0x00f00000, .wmask = 0xffffffff, .help = "timeout"),
    REG(Bcm2835Sdhost, 0x0c, clkdiv, .wmask = 0x7ff, .help = "clock divider"),
    REG_ARRAY(Bcm2835Sdhost, 0x10, rsp, .help = "the answer"),
    REG(Bcm2835Sdhost, 0x20, status, .w1c = 0x7f8, .write = sdhost_changed, .help = "status"),
    REG(Bcm2835Sdhost, 0x30, vdd, .wmask = 1, .help = "power"),
    REG(Bcm2835Sdhost, 0x34, edm, .reset = 0x0000c60f, .wmask = 0xffffffff, .read = sdhost_edm_read, .help = "state, FIFO level and thresholds"),
    REG(Bcm2835Sdhost, 0x38, config, .wmask = 0x7ff, .write = sdhost_changed, .help = "interrupt enables"),
    REG(Bcm2835Sdhost, 0x3c, bytes, .wmask = 0x3ff, .help = "bytes of a block"),
    REG_HOOK(0x40, 4, "data", .read = sdhost_data_read, .write = sdhost_data_write, .help = "data"),
    REG(Bcm2835Sdhost, 0x50, blocks, .wmask = 0x1ff, .help = "blocks"),
};
/* clang-format on */
static const RegBank sdhost_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sdhost_regs), .help = "host controller"}, {0}};
static const PinRow sdhost_pins[] = {PIN_OUT(Bcm2835Sdhost, irq, "irq"),
                                     PIN_OUT(Bcm2835Sdhost, dreq, "dreq"), PIN_END};
static const StateField sdhost_state[] = {
    HOST_ONLY(Bcm2835Sdhost, bus, "its card has state of its own"), STATE_ARRAY(Bcm2835Sdhost, fifo), STATE_INDEX(Bcm2835Sdhost, head, fifo),
    STATE_COUNT(Bcm2835Sdhost, count, fifo), STATE(Bcm2835Sdhost, left), STATE(Bcm2835Sdhost, in_block), STATE(Bcm2835Sdhost, reading),
    STATE(Bcm2835Sdhost, writing), STATE_END,
};

static const DeviceType sdhost_type = {
    .name = "bcm2835-sdhost", .category = "storage", .desc = "BCM2835 SD host", .internal = true, .size = sizeof(Bcm2835Sdhost),
    .state_version = 1, .banks = sdhost_banks, .pins = sdhost_pins, .state = sdhost_state, .realize = sdhost_realize,
    .unrealize = sdhost_unrealize, .reset = sdhost_reset,
};
DEVICE_TYPE(sdhost_type);
