// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA controller of the BCM2835 (BCM2835 ARM Peripherals, 4): sixteen channels that follow chains
 * of control blocks, 2D mode included. A chain is carried out when it is started, or as a
 * peripheral's request line paces it.
 */
#include "exec/dma.h"
#include "util/bswap.h"

#include "exec/bank.h"

#define CHANNELS 16
#define BLOCKS_MAX 256
#define BYTES_MAX (64 * MIB)

enum {
    CS_ACTIVE = 1,
    CS_END = 2,
    CS_INT = 4,
    CS_ERROR = 0x100,
    CS_ABORT = 1 << 30,
    CS_RESET = 1u << 31
};
enum {
    TI_INTEN = 1,
    TI_2D = 2,
    TI_DEST_INC = 0x10,
    TI_DEST_DREQ = 0x40,
    TI_DEST_IGNORE = 0x80,
    TI_SRC_INC = 0x100,
    TI_SRC_DREQ = 0x400,
    TI_SRC_IGNORE = 0x800
};

/* Registers of a channel, in the bus's order. */
enum { R_CS, R_CB, R_TI, R_SRC, R_DEST, R_LEN, R_STRIDE, R_NEXT, R_DEBUG, R_COUNT };

typedef struct Bcm2835Dma {
    Device dev;
    uint32_t r[CHANNELS][64];
    uint32_t enable;
    uint32_t rows[CHANNELS], row_len[CHANNELS], row_left[CHANNELS];    /* of the control block at work; rows 0: none is */
    uint32_t dreq;                 /* request lines of the peripherals */
    uint32_t running;              /* channels inside dma_run */
    Irq irq[CHANNELS];
} Bcm2835Dma;

/* Whether a peripheral's pace holds the channel back: each word waits for its request line. */
static bool dma_paced(const uint32_t *c)
{
    return c[R_TI] & (TI_SRC_DREQ | TI_DEST_DREQ) && (c[R_TI] >> 16 & 31);
}

/*
 * What is left of the present row; words, when an end stands still or sets the pace. False: an
 * address was bad.
 */
static bool dma_row(Bcm2835Dma *s, unsigned ch, uint64_t *budget)
{
    uint32_t *c = s->r[ch], *left = &s->row_left[ch];
    uint8_t buf[4096];
    bool paced = dma_paced(c),
         bulk = !paced && c[R_TI] & (TI_SRC_INC | TI_SRC_IGNORE) && c[R_TI] & TI_DEST_INC;

    while (*left && *budget && (!paced || s->dreq >> (c[R_TI] >> 16 & 31) & 1)) {
        uint32_t n = MIN(*left, bulk ? sizeof(buf) : 4);
        bool ok = true;

        if (c[R_TI] & TI_SRC_IGNORE) {
            memset(buf, 0, n);
        } else {
            ok = dma_read(&s->dev, c[R_SRC], buf, n);
        }
        if (ok && !(c[R_TI] & TI_DEST_IGNORE)) {
            ok = dma_write(&s->dev, c[R_DEST], buf, n);
        }
        if (!ok) {
            return false;
        }
        c[R_SRC] += c[R_TI] & TI_SRC_INC ? n : 0;
        c[R_DEST] += c[R_TI] & TI_DEST_INC ? n : 0;
        *left -= n;
        *budget -= MIN(*budget, n);
    }
    return true;
}

static bool dma_load_block(Bcm2835Dma *s, unsigned ch)
{
    uint32_t words[8], *c = s->r[ch];

    if (!dma_read(&s->dev, c[R_CB], words, sizeof(words))) {
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        c[R_TI + i] = GUINT32_FROM_LE(words[i]);
    }
    s->rows[ch] = c[R_TI] & TI_2D ? (c[R_LEN] >> 16 & 0x3fff) + 1 : 1;
    s->row_len[ch] = s->row_left[ch] = c[R_LEN] & (c[R_TI] & TI_2D ? 0xffff : 0x3fffffff);
    return true;
}

static void dma_fail(Bcm2835Dma *s, unsigned ch)
{
    s->r[ch][R_CS] = (s->r[ch][R_CS] & ~CS_ACTIVE) | CS_ERROR;
    s->rows[ch] = 0;
}

/* The chain as far as it goes now. */
static void dma_run(Bcm2835Dma *s, unsigned ch)
{
    uint32_t *c = s->r[ch];
    uint64_t budget = BYTES_MAX;

    if (s->running >> ch & 1) {
        return;
    }
    s->running |= 1u << ch;
    for (unsigned n = 0; c[R_CS] & CS_ACTIVE;) {
        if (s->rows[ch] == 0) {
            if (c[R_CB] == 0) {
                c[R_CS] = (c[R_CS] & ~CS_ACTIVE) | CS_END;
                break;
            }
            if (n++ == BLOCKS_MAX || !dma_load_block(s, ch)) {
                dma_fail(s, ch);
                break;
            }
        }
        if (!dma_row(s, ch, &budget) || budget == 0) {
            dma_fail(s, ch);
            break;
        }
        if (s->row_left[ch]) {
            break;
        }
        if (c[R_TI] & TI_2D) {
            c[R_SRC] += (uint32_t)(int16_t)c[R_STRIDE];
            c[R_DEST] += (uint32_t)((int32_t)c[R_STRIDE] >> 16);
        }
        s->row_left[ch] = s->row_len[ch];
        if (--s->rows[ch] == 0) {
            c[R_LEN] = 0;
            c[R_CS] |= CS_END | (c[R_TI] & TI_INTEN ? CS_INT : 0);
            c[R_CB] = c[R_NEXT] & ~31u;
        }
    }
    s->running &= ~(1u << ch);
    irq_set(&s->irq[ch], (c[R_CS] & CS_INT) != 0);
}

/* A peripheral wants data, or has some. */
static void dma_dreq(Device *d, unsigned pin, int level)
{
    Bcm2835Dma *s = (Bcm2835Dma *)d;

    s->dreq = level ? s->dreq | 1u << pin : s->dreq & ~(1u << pin);
    for (unsigned ch = 0; level && ch < CHANNELS; ch++) {
        if (s->r[ch][R_CS] & CS_ACTIVE && dma_paced(s->r[ch]) &&
            (s->r[ch][R_TI] >> 16 & 31) == pin) {
            dma_run(s, ch);
        }
    }
}

static void dma_reset(Device *d)
{
    Bcm2835Dma *s = (Bcm2835Dma *)d;

    memset(s->rows, 0, sizeof(s->rows));
}

static void dma_reg_write(Device *d, const RegAccess *a)
{
    Bcm2835Dma *s = (Bcm2835Dma *)d;
    unsigned ch = a->index / 64, reg = a->index % 64;
    uint32_t *c = s->r[ch], v = (uint32_t)a->value, old = (uint32_t)a->old;

    if (reg == R_CS) {
        if (v & CS_RESET) {
            memset(c, 0, sizeof(s->r[ch]));
            s->rows[ch] = 0;
            irq_set(&s->irq[ch], 0);
            return;
        }
        c[R_CS] = (old & ~(v & (CS_END | CS_INT)) & ~CS_ACTIVE) | (v & 0x30ff0001);
        irq_set(&s->irq[ch], (c[R_CS] & CS_INT) != 0);
        if (v & CS_ACTIVE && s->enable >> ch & 1) {
            dma_run(s, ch);
        }
    } else if (reg != R_CB) {
        c[reg] = old;
    }
}

static uint64_t dma_int_read(Device *d, const RegAccess *a)
{
    Bcm2835Dma *s = (Bcm2835Dma *)d;
    uint32_t v = 0;

    for (unsigned i = 0; i < CHANNELS; i++) {
        v |= s->r[i][R_CS] & CS_INT ? 1u << i : 0;
    }
    return v;
}

static const Reg dma_regs[] = {
    {.offset = 0, .field = offsetof(Bcm2835Dma, r), .size = 4, .count = 15 * 64, .name = "channels", .wmask = 0xffffffff, .write = dma_reg_write,
     .help = "channels 0 to 14, 256 bytes each"},
    REG_HOOK(0xfe0, 4, "int", .read = dma_int_read, .help = "channels that interrupt"),
    REG(Bcm2835Dma, 0xff0, enable, .reset = 0xffff, .wmask = 0xffff, .help = "channels that are on"),
};
static const RegBank dma_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(dma_regs), .help = "DMA controller"}, {0}};
static const PinRow dma_pins[] = {PIN_OUT_ARRAY(Bcm2835Dma, irq, "irq"),
                                  PIN_IN("dreq", 32, dma_dreq), PIN_END};
static const StateField dma_state[] = {
    STATE_RAW(Bcm2835Dma, r), STATE_ARRAY(Bcm2835Dma, rows), STATE_ARRAY(Bcm2835Dma, row_len), STATE_ARRAY(Bcm2835Dma, row_left),
    STATE(Bcm2835Dma, dreq), HOST_ONLY(Bcm2835Dma, running, "zero between accesses"), STATE_END,
};

static const DeviceType dma_type = {
    .name = "bcm2835-dma", .category = "misc", .desc = "BCM2835 DMA controller", .internal = true, .size = sizeof(Bcm2835Dma), .state_version = 1,
    .banks = dma_banks, .pins = dma_pins, .state = dma_state, .reset = dma_reset,
};
DEVICE_TYPE(dma_type);
