// SPDX-License-Identifier: GPL-2.0-or-later
/* What network cards have in common: properties, the default address, MII management. */
#ifndef HW_NET_NIC_H
#define HW_NET_NIC_H

#include "net/eth.h"
#include "qom/device.h"
#include "util/bswap.h"

/* The rows of every card; T has fields peer, mac, bootindex. */
#define NIC_PROPS(T)                                                                               \
    PROP_NETDEV(T, peer), PROP_MAC(T, mac), PROP_I32(T, bootindex, "bootindex", -1)

/* An address for a card that was given none. */
void nic_settle_mac(uint8_t mac[6]);
/* net_nic_init with the device's id, or its type, as the name. */
void nic_attach(NetClient *nic, const NetOps *ops, Device *d, NetPeer *peer);
static inline bool nic_link_up(const NetClient *nic)
{
    return nic->peer && !nic->link_down && !nic->peer->link_down;
}

/* The flash memory that a card's BAR is for, when none is fitted. */
extern const RegionOps nic_no_flash;

/*
 * A 100BASE-TX PHY (IEEE 802.3 clause 22) behind the two wires of MII management, or read and
 * written by a card that has registers for it.
 */
typedef struct MiiPhy {
    uint16_t reg[32];
    uint8_t address;
    /* the frame on the wires */
    bool clock, out;
    uint8_t bits;
    uint32_t shift;
} MiiPhy;

void mii_reset(MiiPhy *p, uint8_t address, uint32_t id, bool link);
void mii_set_link(MiiPhy *p, bool link);
/* The same for a 1000BASE-T PHY (40.5); with the status register of Marvell's 88E1111. */
void mii_set_gigabit_link(MiiPhy *p, bool link);
uint16_t mii_read(MiiPhy *p, unsigned reg);
void mii_write(MiiPhy *p, unsigned reg, uint16_t value);
/* Levels of MDC and MDIO (as the card drives it). */
void mii_wire(MiiPhy *p, bool clock, bool in);
static inline bool mii_out(const MiiPhy *p)
{
    return p->out;
}
/* In a frame for this PHY, past its head: nobody else drives the wire. */
static inline bool mii_addressed(const MiiPhy *p)
{
    return p->bits >= 14 && (p->shift >> (p->bits - 14) >> 5 & 31) == p->address;
}
extern const StateField mii_state[];

#endif
