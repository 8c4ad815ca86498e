// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Synchronous serial port PL022 (ARM DDI 0194H): FIFOs of eight, interrupts, loopback. There is
 * nothing at its wires: without loopback zeros come back. DMA requests are left out.
 */
#include "exec/bank.h"

#define FIFO_LEN 8
enum { CR1_LBM = 1, CR1_SSE = 2, CR1_MS = 4 };
enum { SR_TFE = 1, SR_TNF = 2, SR_RNE = 4, SR_RFF = 8, SR_BSY = 16 };
enum { INT_ROR = 1, INT_RT = 2, INT_RX = 4, INT_TX = 8 };

typedef struct Pl022 {
    Device dev;
    uint32_t cr0, cr1, cpsr, imsc, ris, dmacr;
    uint16_t tx[FIFO_LEN], rx[FIFO_LEN];
    uint32_t tx_len, rx_len, rx_head, tx_head;
    Irq irq;
} Pl022;

static uint32_t pl022_mask(const Pl022 *s)
{
    return (2u << (s->cr0 & 15)) - 1;
}

/* Moves what can move, and drives the line. */
static void pl022_update(Pl022 *s)
{
    while (s->cr1 & CR1_SSE && s->tx_len) {
        uint16_t v = s->cr1 & CR1_LBM ? s->tx[s->tx_head] : 0;

        if (s->rx_len == FIFO_LEN) {
            s->ris |= INT_ROR;
        } else {
            s->rx[(s->rx_head + s->rx_len++) % FIFO_LEN] = v & pl022_mask(s);
        }
        s->tx_head = (s->tx_head + 1) % FIFO_LEN;
        s->tx_len--;
    }
    s->ris &= INT_ROR;
    s->ris |= s->rx_len >= FIFO_LEN / 2 ? INT_RX : 0;
    s->ris |= s->tx_len <= FIFO_LEN / 2 ? INT_TX : 0;
    irq_set(&s->irq, (s->ris & s->imsc) != 0);
}

static uint64_t pl022_dr_read(Device *d, const RegAccess *a)
{
    Pl022 *s = (Pl022 *)d;
    uint16_t v = 0;

    if (s->rx_len) {
        v = s->rx[s->rx_head];
        s->rx_head = (s->rx_head + 1) % FIFO_LEN;
        s->rx_len--;
    }
    pl022_update(s);
    return v;
}

static void pl022_dr_write(Device *d, const RegAccess *a)
{
    Pl022 *s = (Pl022 *)d;

    if (s->tx_len < FIFO_LEN) {
        s->tx[(s->tx_head + s->tx_len++) % FIFO_LEN] = (uint16_t)(a->value & pl022_mask(s));
    }
    pl022_update(s);
}

static uint64_t pl022_sr_read(Device *d, const RegAccess *a)
{
    Pl022 *s = (Pl022 *)d;

    return (s->tx_len == 0 ? SR_TFE : SR_BSY) | (s->tx_len < FIFO_LEN ? SR_TNF : 0) |
           (s->rx_len ? SR_RNE : 0) | (s->rx_len == FIFO_LEN ? SR_RFF : 0);
}

static uint64_t pl022_mis_read(Device *d, const RegAccess *a)
{
    Pl022 *s = (Pl022 *)d;

    return s->ris & s->imsc;
}

static void pl022_changed(Device *d, const RegAccess *a)
{
    pl022_update((Pl022 *)d);
}

static void pl022_icr_write(Device *d, const RegAccess *a)
{
    ((Pl022 *)d)->ris &= ~(uint32_t)(a->value & INT_ROR);
    pl022_update((Pl022 *)d);
}

static void pl022_reset(Device *d)
{
    Pl022 *s = (Pl022 *)d;

    s->tx_len = s->rx_len = s->rx_head = s->tx_head = 0;
}

/* clang-format off */
static const Reg pl022_regs[] = {
    REG(Pl022, 0x00, cr0, .wmask = 0xffff, .help = "frame, rate"),
    REG(Pl022, 0x04, cr1, .wmask = 0xf, .write = pl022_changed, .help = "loopback, enable, slave"),
    REG_HOOK(0x08, 4, "dr", .read = pl022_dr_read, .write = pl022_dr_write, .help = "data"),
    REG_HOOK(0x0c, 4, "sr", .read = pl022_sr_read, .help = "status"),
    REG(Pl022, 0x10, cpsr, .wmask = 0xfe, .help = "prescaler"),
    REG(Pl022, 0x14, imsc, .wmask = 0xf, .write = pl022_changed, .help = "interrupt mask"),
    REG(Pl022, 0x18, ris, .reset = INT_TX, .help = "raw interrupts"),
    REG_HOOK(0x1c, 4, "mis", .read = pl022_mis_read, .help = "masked interrupts"),
    REG_HOOK(0x20, 4, "icr", .write = pl022_icr_write, .help = "interrupt clear"),
    REG(Pl022, 0x24, dmacr, .wmask = 3, .help = "DMA"),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x22), REG_HOOK(0xfe4, 4, "pid1", .reset = 0x10), REG_HOOK(0xfe8, 4, "pid2", .reset = 0x04),
    REG_HOOK(0xfec, 4, "pid3", .reset = 0x00), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank pl022_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl022_regs), .help = "serial port"}, {0}};
static const PinRow pl022_pins[] = {PIN_OUT(Pl022, irq, "irq"), PIN_END};
static const StateField pl022_state[] = {
    STATE_ARRAY(Pl022, tx), STATE_ARRAY(Pl022, rx), STATE_COUNT(Pl022, tx_len, tx), STATE_COUNT(Pl022, rx_len, rx), STATE_INDEX(Pl022, rx_head, rx),
    STATE_INDEX(Pl022, tx_head, tx), STATE_END,
};

static const DeviceType pl022_type = {
    .name = "pl022", .category = "misc", .desc = "Synchronous serial port", .internal = true, .size = sizeof(Pl022), .state_version = 1,
    .banks = pl022_banks, .pins = pl022_pins, .state = pl022_state, .reset = pl022_reset,
};
DEVICE_TYPE(pl022_type);
