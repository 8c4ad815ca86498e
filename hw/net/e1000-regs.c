// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register rows of the 82540EM (8254x Family Software Developer's Manual, chapter 13), its
 * serial EEPROM (5.3) and its PHY's registers behind MDIC (13.4.3).
 */
#include "e1000.h"
#include "qom/vm.h"

enum {
    EECD_SK = 1,
    EECD_CS = 2,
    EECD_DI = 4,
    EECD_DO = 8,
    EECD_REQ = 0x40,
    EECD_GNT = 0x80,
    EECD_PRESENT = 0x100
};
static void e1000_irq(E1000 *s)
{
    pci_set_irq(&s->pci, (s->icr & s->ims) != 0);
}

static void e1000_irq_cause(E1000 *s, uint32_t cause)
{
    s->icr |= cause;
    e1000_irq(s);
}

static void write_ctrl(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;

    if (a->value & CTRL_RST) {
        device_reset_banks(d);
        e1000_device_reset(d);
        return;
    }
    s->ctrl &= ~CTRL_PHY_RST;
}

/* 5.3.1: a Microwire part, clocked by software. */
static void write_eecd(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;
    uint32_t v = a->value & (EECD_SK | EECD_CS | EECD_DI | EECD_REQ);
    bool rising = (v & ~a->old & EECD_SK) != 0, falling = (a->old & ~v & EECD_SK) != 0;

    if (!(v & EECD_CS)) {
        s->ee_bits = 0;
        s->ee_in = 0;
        s->ee_reading = false;
    } else if (rising && !s->ee_reading) {
        s->ee_in = s->ee_in << 1 | (v & EECD_DI ? 1 : 0);
        /* Start bit, opcode 10, six address bits. */
        if (s->ee_in == 0 && s->ee_bits == 0) {
            s->ee_bits = 0;
        } else if (++s->ee_bits == 9) {
            s->ee_reading = s->ee_in >> 6 == 6;
            s->ee_out = s->eeprom[s->ee_in & 0x3f];
            s->ee_bits = 16;
        }
    } else if (falling && s->ee_reading && s->ee_bits) {
        s->ee_bits--;
    }
    bool out = !s->ee_reading || (s->ee_bits < 16 && s->ee_out >> s->ee_bits & 1);

    s->eecd = v | EECD_PRESENT | (v & EECD_REQ ? EECD_GNT : 0) | (out ? EECD_DO : 0);
}

static void write_eerd(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;
    unsigned word = a->value >> 8 & 0x3f;

    s->eerd = a->value & 1 ? 0x10 | word << 8 | (uint32_t)s->eeprom[word] << 16 : a->value;
}

/* MII of the PHY: control, status, ids, advertisement ... */
void e1000_phy_reset(E1000 *s)
{
    static const uint16_t defaults[32] = {
        [0] = 0x1140,  [1] = 0x7949,  [2] = 0x0141,  [3] = 0x0c20,  [4] = 0x0de1,
        [5] = 0x01e0,  [6] = 0x0000,  [9] = 0x0e00,  [10] = 0x3c00, [15] = 0x3000,
        [16] = 0x0360, [17] = 0xac00, [20] = 0x0d60,
    };

    memcpy(s->phy, defaults, sizeof(s->phy));
    if (pci_info(&s->pci)->device == 0x100c) {
        s->phy[3] = 0x0c30;      /* the 82544's */
    }
}

static void phy_write(E1000 *s, unsigned reg, uint16_t value)
{
    static const uint16_t writable[32] = {
        [0] = 0xff40,  [4] = 0xffff,  [7] = 0xffff,  [8] = 0xffff,  [9] = 0xffff,
        [16] = 0xffff, [18] = 0xffff, [20] = 0xffff, [29] = 0xffff, [30] = 0xffff,
    };

    s->phy[reg] = (s->phy[reg] & ~writable[reg]) | (value & writable[reg]);
    if (reg == 0 && (value & 0x8000)) {
        s->phy[0] &= 0x7fff;
    }
    if (reg == 0 && (value & 0x1200) == 0x1200) {
        e1000_set_link(s, false);
        s->phy[0] &= ~0x200;
        timer_set_ns(&s->link_timer, clock_now_ns(CLOCK_GUEST) + NEGOTIATION_NS);
    }
}

static void write_mdic(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;
    uint32_t v = a->value & ~(uint32_t)(MDIC_READY | MDIC_ERROR);
    unsigned reg = v >> 16 & 31;

    if ((v >> 21 & 31) != PHY_ADDRESS) {
        v |= MDIC_ERROR;
    } else if (v & MDIC_READ) {
        v = (v & 0xffff0000) | s->phy[reg];
    } else if (v & MDIC_WRITE) {
        phy_write(s, reg, v);
    }
    s->mdic = v | MDIC_READY;
    if (v & MDIC_IE) {
        e1000_irq_cause(s, ICR_MDAC);
    }
}

static uint64_t read_icr(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;
    uint32_t v = s->icr;

    s->icr = 0;
    e1000_irq(s);
    return v;
}

static void write_icr(Device *d, const RegAccess *a)
{
    ((E1000 *)d)->icr &= ~a->value;
    e1000_irq((E1000 *)d);
}

static void write_ics(Device *d, const RegAccess *a)
{
    e1000_irq_cause((E1000 *)d, a->value);
}

static void write_ims(Device *d, const RegAccess *a)
{
    ((E1000 *)d)->ims |= a->value;
    e1000_irq((E1000 *)d);
}

static void write_imc(Device *d, const RegAccess *a)
{
    ((E1000 *)d)->ims &= ~a->value;
    e1000_irq((E1000 *)d);
}

/* The main loop does the work, so that the vCPU goes on. */
static void write_kick(Device *d, const RegAccess *a)
{
    bh_schedule(((E1000 *)d)->kick_bh);
}

static void write_tdt(Device *d, const RegAccess *a)
{
    ((E1000 *)d)->kick_tx = true;
    bh_schedule(((E1000 *)d)->kick_bh);
}

static uint64_t read_stat(Device *d, const RegAccess *a)
{
    E1000 *s = (E1000 *)d;
    uint32_t v = s->stats[a->index];

    s->stats[a->index] = 0;
    return v;
}

/* clang-format off */
static const Reg e1000_regs[] = {
    REG(E1000, 0x0000, ctrl, .reset = 0x140240, .wmask = 0xffffffff, .write = write_ctrl, .help = "device control"),
    REG(E1000, 0x0008, status, .reset = 0x80080783 & ~STATUS_LU, .help = "device status"),
    REG(E1000, 0x0010, eecd, .reset = EECD_PRESENT | EECD_DO, .write = write_eecd, .help = "EEPROM control"),
    REG(E1000, 0x0014, eerd, .write = write_eerd, .help = "EEPROM read"),
    REG(E1000, 0x0020, mdic, .reset = MDIC_READY, .write = write_mdic, .help = "MDI control"),
    REG(E1000, 0x0028, fcal, .wmask = 0xffffffff),
    REG(E1000, 0x002c, fcah, .wmask = 0xffff),
    REG(E1000, 0x0030, fct, .wmask = 0xffff),
    REG(E1000, 0x0038, vet, .wmask = 0xffff),
    REG(E1000, 0x00c0, icr, .read = read_icr, .write = write_icr, .help = "interrupt cause; reading clears"),
    REG(E1000, 0x00c4, itr, .wmask = 0xffff, .help = "throttle, 256 ns units"),
    REG(E1000, 0x00c8, ics, .write = write_ics, .help = "sets causes"),
    REG(E1000, 0x00d0, ims, .write = write_ims, .help = "mask set"),
    REG_HOOK(0x00d8, 4, "imc", .write = write_imc, .help = "mask clear"),
    REG(E1000, 0x0100, rctl, .wmask = 0xffffffff, .write = write_kick, .help = "receive control"),
    REG(E1000, 0x0170, fcttv, .wmask = 0xffff),
    REG(E1000, 0x0400, tctl, .wmask = 0xffffffff, .write = write_tdt, .help = "transmit control"),
    REG(E1000, 0x0410, tipg, .wmask = 0xffffffff),
    REG(E1000, 0x0458, ait, .wmask = 0xffff),
    REG(E1000, 0x0e00, ledctl, .reset = 0x07068302, .wmask = 0xffffffff),
    REG(E1000, 0x1000, pba, .reset = 0x00100030, .wmask = 0xffff),
    REG(E1000, 0x2800, rdbal, .wmask = 0xfffffff0),
    REG(E1000, 0x2804, rdbah, .wmask = 0xffffffff),
    REG(E1000, 0x2808, rdlen, .wmask = 0xfff80),
    REG(E1000, 0x2810, rdh, .wmask = 0xffff),
    REG(E1000, 0x2818, rdt, .wmask = 0xffff, .write = write_kick, .help = "receive tail"),
    REG(E1000, 0x2820, rdtr, .wmask = 0xffff),
    REG(E1000, 0x2828, rxdctl, .wmask = 0xffffffff),
    REG(E1000, 0x282c, radv, .wmask = 0xffff),
    REG(E1000, 0x3800, tdbal, .wmask = 0xfffffff0),
    REG(E1000, 0x3804, tdbah, .wmask = 0xffffffff),
    REG(E1000, 0x3808, tdlen, .wmask = 0xfff80),
    REG(E1000, 0x3810, tdh, .wmask = 0xffff),
    REG(E1000, 0x3818, tdt, .wmask = 0xffff, .write = write_tdt, .help = "transmit tail"),
    REG(E1000, 0x3820, tidv, .wmask = 0xffff),
    REG(E1000, 0x3828, txdctl, .wmask = 0xffffffff),
    REG(E1000, 0x382c, tadv, .wmask = 0xffff),
    REG_ARRAY(E1000, 0x4000, stats, .read = read_stat, .help = "statistics; reading clears"),
    REG(E1000, 0x5000, rxcsum, .wmask = 0xffffffff),
    REG_ARRAY(E1000, 0x5200, mta, .wmask = 0xffffffff, .help = "multicast table"),
    REG_ARRAY(E1000, 0x5400, ra, .wmask = 0xffffffff, .help = "receive addresses"),
    REG_ARRAY(E1000, 0x5600, vfta, .wmask = 0xffffffff, .help = "VLAN filter table"),
    REG(E1000, 0x5800, wuc, .wmask = 0xffffffff),
    REG(E1000, 0x5808, wufc, .wmask = 0xffffffff),
    REG(E1000, 0x5820, manc, .wmask = 0xffffffff),
    REG(E1000, 0x5b50, swsm, .wmask = 0xffffffff),
};
/* clang-format on */

/* 4.3 of the manual: an address and a data port onto the registers. */
static uint64_t e1000_io_read(void *opaque, hwaddr offset, unsigned size)
{
    E1000 *s = opaque;

    if (offset == 0) {
        return s->io_addr;
    }
    return offset == 4 && s->io_addr < 0x20000 ? bank_read(&s->pci.dev, "mmio", s->io_addr & ~3u, 4)
                                               : 0;
}

static void e1000_io_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    E1000 *s = opaque;

    if (offset == 0) {
        s->io_addr = value;
    } else if (offset == 4 && s->io_addr < 0x20000) {
        bank_write(&s->pci.dev, "mmio", s->io_addr & ~3u, value, 4);
    }
}

static const RegionOps e1000_io_ops = {
    .read = e1000_io_read, .write = e1000_io_write, .min_size = 4, .max_size = 4,
};

const RegBank e1000_banks[] = {
    { .name = "mmio", .size = 0x20000, BANK_REGS(e1000_regs), .help = "registers" },
    { .name = "io", .size = 0x40, .ops = &e1000_io_ops, .pio = true, .help = "address and data" },
    { 0 },
};

static const StateField tx_state[] = {
    STATE_STRUCT(E1000Tx, ctx, e1000_context_state), STATE(E1000Tx, popts), STATE(E1000Tx, tse), STATE_END,
};

const StateField e1000_state[] = {
    HOST_ONLY(E1000, nic, "connection to the back end"),
    HOST_ONLY(E1000, kick_bh, "host side"),
    STATE(E1000, kick_tx),
    STATE_TIMER_FIELD(E1000, itr_timer),
    STATE_TIMER_FIELD(E1000, link_timer),
    STATE(E1000, last_irq_ns),
    STATE_ARRAY(E1000, eeprom),
    STATE_ARRAY(E1000, phy),
    STATE(E1000, io_addr),
    STATE_MAX(E1000, ee_bits, 31),
    STATE(E1000, ee_in),
    STATE(E1000, ee_out),
    STATE(E1000, ee_reading),
    STATE_STRUCT(E1000, tx, tx_state),
    STATE_COUNT(E1000, tx_len, tx_buf),
    STATE_RAW(E1000, tx_buf),
    STATE_END,
};
