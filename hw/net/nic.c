// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces that network cards share. The PHY's registers and its management frames are those of
 * IEEE 802.3, 22.2.4; negotiation is over at once and ends with 100BASE-TX full duplex.
 */
#include "hw/net/nic.h"

enum { BMCR = 0, BMSR = 1, PHYID1 = 2, PHYID2 = 3, ANAR = 4, ANLPAR = 5, ANER = 6 };
enum { BMCR_RESET = 0x8000, BMCR_RESTART = 0x200, BMSR_LINK = 4, BMSR_NEGOTIATED = 0x20 };
#define BMSR_ABILITIES 0x7809
#define ABILITIES 0x01e1
#define PARTNER 0x45e1

void nic_settle_mac(uint8_t mac[6])
{
    static const uint8_t unset[6];

    if (memcmp(mac, unset, 6) == 0) {
        net_default_mac(mac);
    }
}

void nic_attach(NetClient *nic, const NetOps *ops, Device *d, NetPeer *peer)
{
    const Prop *mac = type_find_prop(d->obj.type, "mac");

    net_nic_init(nic, ops, d, peer, d->id ? d->id : d->obj.type->name);
    memcpy(nic->mac, (char *)d + mac->offset, sizeof(nic->mac));
    nic->model = g_strdup(d->obj.type->name);
}

static uint64_t no_flash_read(void *opaque, hwaddr offset, unsigned size)
{
    return UINT64_MAX;
}

static void no_flash_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
}

const RegionOps nic_no_flash = { .read = no_flash_read, .write = no_flash_write };

void mii_set_link(MiiPhy *p, bool link)
{
    p->reg[BMSR] = BMSR_ABILITIES | (link ? BMSR_LINK | BMSR_NEGOTIATED : 0);
    p->reg[ANLPAR] = link ? PARTNER : 0;
    p->reg[ANER] = link;
}

void mii_set_gigabit_link(MiiPhy *p, bool link)
{
    mii_set_link(p, link);
    p->reg[BMSR] |= 0x140;                   /* extended status, frames without preamble */
    p->reg[ANLPAR] = link ? 0xcde1 : 0;
    p->reg[ANER] = link ? 0xf : 4;
    p->reg[9] = 0x0300;                      /* 1000BASE-T is advertised ... */
    p->reg[10] = link ? 0x7c00 : 0;          /* ... by the partner, too */
    p->reg[15] = 0x3000;
    p->reg[17] = link ? 0xac00 : 0x8000;     /* 1000 Mbit/s, full duplex, resolved, link */
}

void mii_reset(MiiPhy *p, uint8_t address, uint32_t id, bool link)
{
    *p = (MiiPhy){ .address = address, .out = true, .shift = 3 };
    p->reg[BMCR] = 0x3100;
    p->reg[PHYID1] = (uint16_t)(id >> 16);
    p->reg[PHYID2] = (uint16_t)id;
    p->reg[ANAR] = ABILITIES;
    mii_set_link(p, link);
}

uint16_t mii_read(MiiPhy *p, unsigned reg)
{
    return p->reg[reg & 31];
}

void mii_write(MiiPhy *p, unsigned reg, uint16_t value)
{
    switch (reg & 31) {
    case BMCR:
        if (value & BMCR_RESET) {
            mii_reset(p, p->address, (uint32_t)p->reg[PHYID1] << 16 | p->reg[PHYID2],
                      p->reg[BMSR] & BMSR_LINK);
        } else {
            p->reg[BMCR] = value & ~(BMCR_RESET | BMCR_RESTART);
        }
        break;
    case ANAR:
        p->reg[ANAR] = value;
        break;
    case BMSR:
    case PHYID1:
    case PHYID2:
    case ANLPAR:
    case ANER:
        break;
    default:
        p->reg[reg & 31] = value;
        break;
    }
}

/* 22.2.4.5: start 01, opcode, PHY, register, turnaround, 16 bits of data. */
void mii_wire(MiiPhy *p, bool clock, bool in)
{
    bool rising = clock && !p->clock;

    p->clock = clock;
    if (!rising) {
        return;
    }
    if (p->bits == 0) {
        /* ones until the start: remember the last two bits */
        p->shift = (p->shift << 1 | in) & 3;
        p->out = true;
        if (p->shift == 1) {
            p->bits = 2;
        }
        return;
    }
    p->shift = p->shift << 1 | in;
    p->bits++;
    if (p->bits >= 14) {
        uint32_t head = p->shift >> (p->bits - 14);     /* start, opcode, PHY, register */
        bool mine = (head >> 5 & 31) == p->address, read = (head >> 10 & 3) == 2;

        if (mine && read) {
            unsigned n = p->bits - 14;       /* 1: turnaround's zero, then the word */

            p->out = n == 1              ? false
                     : n >= 2 && n <= 17 ? mii_read(p, head & 31) >> (17 - n) & 1
                                         : true;
        }
        if (p->bits == 32) {
            if (mine && (head >> 10 & 3) == 1) {
                mii_write(p, head & 31, (uint16_t)p->shift);
            }
            p->bits = 0;
            p->shift = 3;
        }
    }
}

const StateField mii_state[] = {
    STATE_ARRAY(MiiPhy, reg), HOST_ONLY(MiiPhy, address, "constant"), STATE(MiiPhy, clock), STATE(MiiPhy, out),
    STATE(MiiPhy, bits), STATE(MiiPhy, shift), STATE_END,
};
