// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Register rows of the 82574L (data sheet 317694-018, chapter 10), its non-volatile memory
 * behind EERD and its PHY's registers behind MDIC.
 */
#include "e1000e.h"

enum { EEC_PRESENT = 0x100, EEC_AUTO_RD = 0x200, EEC_REQ = 0x40, EEC_GNT = 0x80 };
enum { PHY_CONTROL = 0, PHY_PAGE = 22 };
#define ALL 0xffffffff

static void write_ctrl(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;

    if (a->value & CTRL_RST) {
        device_reset_banks(d);
        e1000e_device_reset(d);
        return;
    }
    s->ctrl &= 0x7fffffff;      /* PHY reset is over at once */
    s->status = s->ctrl & CTRL_GIO_DISABLE ? s->status & ~STATUS_GIO : s->status | STATUS_GIO;
}

static void write_eec(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;

    s->eec = (a->old & ~(EEC_REQ | EEC_GNT | 0xfu)) | (a->value & (EEC_REQ | 0xf)) |
             (a->value & EEC_REQ ? EEC_GNT : 0);
}

/* 10.2.2.4: start, done, 14 bits of address, data. */
static void write_eerd(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;
    unsigned word = a->value >> 2 & 0x3fff;

    if (a->value & 1) {
        s->eerd = 2 | word << 2 | (word < ARRAY_COUNT(s->nvm) ? (uint32_t)s->nvm[word] << 16 : 0);
    } else {
        s->eerd = (uint32_t)a->value;
    }
}

void e1000e_phy_reset(E1000e *s)
{
    static const uint16_t defaults[32] = {
        [0] = 0x1140,  [1] = 0x7949,  [2] = 0x0141,  [3] = 0x0cb1,  [4] = 0x0de1,
        [5] = 0xc1e1,  [6] = 0x000d,  [9] = 0x0e00,  [10] = 0x3c00, [15] = 0x3000,
        [16] = 0x0078, [17] = 0xa800, [20] = 0x0d60, [26] = 0x000a,
    };

    memcpy(s->phy, defaults, sizeof(s->phy));
    memset(s->phy_paged, 0, sizeof(s->phy_paged));
}

static uint16_t phy_read(E1000e *s, unsigned reg)
{
    return s->phy[PHY_PAGE] && reg >= 16 && reg != PHY_PAGE ? s->phy_paged[reg] : s->phy[reg];
}

static void phy_write(E1000e *s, unsigned reg, uint16_t value)
{
    static const uint16_t writable[32] = {
        [0] = 0xff40,  [4] = 0xffff,  [7] = 0xffff,  [8] = 0xffff,  [9] = 0xffff,  [16] = 0xffff,
        [18] = 0xffff, [20] = 0xffff, [22] = 0x00ff, [26] = 0xffff, [29] = 0xffff, [30] = 0xffff,
    };

    if (s->phy[PHY_PAGE] && reg >= 16 && reg != PHY_PAGE) {
        s->phy_paged[reg] = value;
        return;
    }
    s->phy[reg] = (s->phy[reg] & ~writable[reg]) | (value & writable[reg]);
    if (reg == PHY_CONTROL) {
        s->phy[PHY_CONTROL] &= 0x7dff;
        if ((value & 0x1200) == 0x1200) {
            e1000e_set_link(s, false);
            timer_set_ns(&s->link_timer, clock_now_ns(CLOCK_GUEST) + NEGOTIATION_NS);
        }
    }
}

static void write_mdic(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;
    uint32_t v = (uint32_t)a->value & ~(uint32_t)(MDIC_READY | MDIC_ERROR);
    unsigned reg = v >> 16 & 31;

    if ((v >> 21 & 31) != PHY_ADDRESS) {
        v |= MDIC_ERROR;
    } else if (v & MDIC_READ) {
        v = (v & 0xffff0000) | phy_read(s, reg);
    } else if (v & MDIC_WRITE) {
        phy_write(s, reg, (uint16_t)v);
    }
    s->mdic = v | MDIC_READY;
    if (v & MDIC_IE) {
        e1000e_raise(s, ICR_MDAC);
    }
}

static uint64_t read_icr(Device *d, const RegAccess *a)
{
    return e1000e_read_causes((E1000e *)d);
}

static void write_icr(Device *d, const RegAccess *a)
{
    ((E1000e *)d)->icr &= ~a->value;
    e1000e_update_irq((E1000e *)d);
}

static void write_ics(Device *d, const RegAccess *a)
{
    e1000e_raise((E1000e *)d, (uint32_t)a->value & ~ICR_ASSERTED);
}

static void write_ims(Device *d, const RegAccess *a)
{
    ((E1000e *)d)->ims |= a->value & ~ICR_ASSERTED;
    e1000e_update_irq((E1000e *)d);
}

static void write_imc(Device *d, const RegAccess *a)
{
    ((E1000e *)d)->ims &= ~a->value;
    e1000e_update_irq((E1000e *)d);
}

/* The main loop does the work, so that the vCPU goes on. */
static void write_kick(Device *d, const RegAccess *a)
{
    bh_schedule(((E1000e *)d)->kick_bh);
}

static void write_tdt(Device *d, const RegAccess *a)
{
    ((E1000e *)d)->kick_tx = true;
    bh_schedule(((E1000e *)d)->kick_bh);
}

static uint64_t read_stat(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;
    uint32_t v = s->stats[a->index];

    s->stats[a->index] = 0;
    return v;
}

/* 10.2.6: reading takes the semaphore. */
static uint64_t read_swsm(Device *d, const RegAccess *a)
{
    E1000e *s = (E1000e *)d;
    uint32_t v = s->swsm;

    s->swsm |= 1;
    return v;
}

/* clang-format off */
#define QUEUE(off, f, ...) REG_ARRAY(E1000e, off, f, .stride = 0x100, __VA_ARGS__)
static const Reg e1000e_regs[] = {
    REG(E1000e, 0x0000, ctrl, .reset = 0x00100241, .wmask = ALL, .write = write_ctrl, .help = "device control"),
    REG(E1000e, 0x0008, status, .reset = 0x80080281, .help = "device status"),
    REG(E1000e, 0x0010, eec, .reset = EEC_PRESENT | EEC_AUTO_RD, .write = write_eec, .help = "NVM control"),
    REG(E1000e, 0x0014, eerd, .write = write_eerd, .help = "NVM read"),
    REG(E1000e, 0x0018, ctrl_ext, .reset = 0x00180000, .wmask = 0x7fffffff, .help = "extended control"),
    REG(E1000e, 0x001c, fla, .wmask = 0xffff),
    REG(E1000e, 0x0020, mdic, .reset = MDIC_READY, .write = write_mdic, .help = "PHY management"),
    REG(E1000e, 0x0028, fcal, .wmask = ALL),
    REG(E1000e, 0x002c, fcah, .wmask = 0xffff),
    REG(E1000e, 0x0030, fct, .wmask = 0xffff),
    REG(E1000e, 0x0038, vet, .wmask = 0xffff),
    REG(E1000e, 0x00c0, icr, .read = read_icr, .write = write_icr, .help = "interrupt causes"),
    REG(E1000e, 0x00c4, itr, .wmask = 0xffff, .help = "throttle, 256 ns units"),
    REG_HOOK(0x00c8, 4, "ics", .write = write_ics, .help = "sets causes"),
    REG(E1000e, 0x00d0, ims, .write = write_ims, .help = "mask set"),
    REG_HOOK(0x00d8, 4, "imc", .write = write_imc, .help = "mask clear"),
    REG(E1000e, 0x00dc, eiac, .wmask = ICR_QUEUES, .help = "causes cleared by their message"),
    REG(E1000e, 0x00e0, iam, .wmask = ALL, .help = "causes masked automatically"),
    REG(E1000e, 0x00e4, ivar, .wmask = 0x800fffff, .help = "vectors of causes"),
    REG_ARRAY(E1000e, 0x00e8, eitr, .wmask = 0xffff, .help = "throttles of vectors"),
    REG(E1000e, 0x0100, rctl, .wmask = ALL, .write = write_kick, .help = "receive control"),
    REG(E1000e, 0x0170, fcttv, .wmask = 0xffff),
    REG(E1000e, 0x0400, tctl, .wmask = ALL, .write = write_tdt, .help = "transmit control"),
    REG(E1000e, 0x0404, tctl_ext, .wmask = ALL),
    REG(E1000e, 0x0410, tipg, .wmask = ALL),
    REG(E1000e, 0x0458, ait, .wmask = 0xffff),
    REG(E1000e, 0x0e00, ledctl, .reset = 0x07068302, .wmask = ALL),
    REG(E1000e, 0x0f00, extcnf_ctrl, .reset = 0x00080000, .wmask = ALL, .help = "PHY and NVM ownership"),
    REG(E1000e, 0x0f08, extcnf_size, .wmask = ALL),
    REG(E1000e, 0x1000, pba, .reset = 0x00140014, .wmask = 0xffff),
    REG(E1000e, 0x1008, pbs, .wmask = ALL),
    REG(E1000e, 0x1010, eemngctl, .reset = 0x00040000, .wmask = ALL),
    REG(E1000e, 0x2160, fcrtl, .wmask = ALL),
    REG(E1000e, 0x2168, fcrth, .wmask = ALL),
    REG(E1000e, 0x2170, psrctl, .reset = 0x00040402, .wmask = 0x3f3f3f7f, .help = "packet split buffers"),
    QUEUE(0x2800, rdbal, .wmask = 0xfffffff0), QUEUE(0x2804, rdbah, .wmask = ALL), QUEUE(0x2808, rdlen, .wmask = 0xfff80),
    QUEUE(0x2810, rdh, .wmask = 0xffff), QUEUE(0x2818, rdt, .wmask = 0xffff, .write = write_kick, .help = "receive tail"),
    REG(E1000e, 0x2820, rdtr, .wmask = 0xffff),
    QUEUE(0x2828, rxdctl, .reset = 0x00010000, .wmask = ALL),
    REG(E1000e, 0x282c, radv, .wmask = 0xffff),
    REG(E1000e, 0x2c08, raid, .wmask = 0xffff),
    QUEUE(0x3800, tdbal, .wmask = 0xfffffff0), QUEUE(0x3804, tdbah, .wmask = ALL), QUEUE(0x3808, tdlen, .wmask = 0xfff80),
    QUEUE(0x3810, tdh, .wmask = 0xffff), QUEUE(0x3818, tdt, .wmask = 0xffff, .write = write_tdt, .help = "transmit tail"),
    REG(E1000e, 0x3820, tidv, .wmask = 0xffff),
    QUEUE(0x3828, txdctl, .reset = 0x01410000, .wmask = ALL),
    REG(E1000e, 0x382c, tadv, .wmask = 0xffff),
    QUEUE(0x3840, tarc, .reset = 0x00000403, .wmask = ALL),
    REG_ARRAY(E1000e, 0x4000, stats, .read = read_stat, .help = "statistics; reading clears"),
    REG(E1000e, 0x5000, rxcsum, .reset = 0x300, .wmask = ALL, .help = "receive checksums"),
    REG(E1000e, 0x5008, rfctl, .wmask = ALL, .help = "receive filters and descriptors"),
    REG_ARRAY(E1000e, 0x5200, mta, .wmask = ALL, .help = "multicast table"),
    REG_ARRAY(E1000e, 0x5400, ra, .wmask = ALL, .help = "receive addresses"),
    REG_ARRAY(E1000e, 0x5600, vfta, .wmask = ALL, .help = "VLAN filter table"),
    REG(E1000e, 0x5800, wuc, .wmask = ALL),
    REG(E1000e, 0x5808, wufc, .wmask = ALL),
    REG(E1000e, 0x5810, wus, .w1c = ALL),
    REG(E1000e, 0x5818, mrqc, .wmask = ALL, .help = "receive side scaling"),
    REG(E1000e, 0x5820, manc, .wmask = ALL),
    REG(E1000e, 0x5b00, gcr, .reset = 0x00000000, .wmask = ALL),
    REG(E1000e, 0x5b30, factps, .reset = 0x20000000, .wmask = ALL),
    REG(E1000e, 0x5b50, swsm, .wmask = 0xf, .read = read_swsm, .help = "software semaphore"),
    REG(E1000e, 0x5b54, fwsm, .wmask = ALL),
    REG(E1000e, 0x5b64, gcr2, .wmask = ALL),
    REG_ARRAY(E1000e, 0x5c00, reta, .wmask = ALL, .help = "redirection table"),
    REG_ARRAY(E1000e, 0x5c80, rssrk, .wmask = ALL, .help = "hash key"),
};
/* clang-format on */

static uint64_t io_read(void *opaque, hwaddr offset, unsigned size)
{
    E1000e *s = opaque;

    if (offset == 0) {
        return s->io_addr;
    }
    return offset == 4 && s->io_addr < 0x20000 ? bank_read(&s->pci.dev, "mmio", s->io_addr & ~3u, 4)
                                               : 0;
}

static void io_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    E1000e *s = opaque;

    if (offset == 0) {
        s->io_addr = (uint32_t)value;
    } else if (offset == 4 && s->io_addr < 0x20000) {
        bank_write(&s->pci.dev, "mmio", s->io_addr & ~3u, value, 4);
    }
}

static const RegionOps io_ops = {.read = io_read, .write = io_write, .min_size = 4, .max_size = 4};

const RegBank e1000e_banks[] = {
    { .name = "mmio", .size = 0x20000, BANK_REGS(e1000e_regs), .help = "registers" },
    { .name = "flash", .size = 0x20000, .ops = &nic_no_flash, .help = "no flash is fitted" },
    { .name = "io", .size = 0x20, .ops = &io_ops, .pio = true, .help = "address and data" },
    { 0 },
};

static const StateField tx_state[] = {
    STATE_STRUCT(E1000eTx, ctx, e1000_context_state), STATE(E1000eTx, popts), STATE(E1000eTx, tse), STATE(E1000eTx, vlan),
    STATE(E1000eTx, tag), STATE_MAX(E1000eTx, len, sizeof(((E1000eTx *)0)->buf) - 8), STATE_RAW(E1000eTx, buf), STATE_END,
};

const StateField e1000e_state[] = {
    HOST_ONLY(E1000e, nic, "connection to the back end"),
    HOST_ONLY(E1000e, kick_bh, "host side"),
    STATE(E1000e, kick_tx),
    STATE_ARRAY(E1000e, nvm),
    STATE_ARRAY(E1000e, phy),
    STATE_ARRAY(E1000e, phy_paged),
    STATE(E1000e, io_addr),
    STATE(E1000e, sent),
    STATE_TIMER_FIELD(E1000e, irq_timer),
    STATE_TIMER_FIELD(E1000e, link_timer),
    STATE_ARRAY(E1000e, next_irq_ns),
    STATE_STRUCTS(E1000e, tx, tx_state),
    STATE_END,
};
