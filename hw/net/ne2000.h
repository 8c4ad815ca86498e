// SPDX-License-Identifier: GPL-2.0-or-later
/* The DP8390 core of NE2000 cards, which the ISA and PCI cards embed. */
#ifndef HW_NET_NE2000_H
#define HW_NET_NE2000_H

#include "exec/bank.h"
#include "hw/net/nic.h"

#define NE2K_MEMORY 0xc000u

typedef struct Ne2k {
    NetClient nic;
    void (*irq)(Device *d, int level);
    uint8_t mac[6];                 /* in the PROM */
    /* registers, National Semiconductor's names */
    uint8_t cr, pstart, pstop, bnry, tpsr, tsr, isr, imr, rcr, tcr, dcr, rsr, curr;
    uint8_t par[6], mar[8];
    uint16_t tbcr, rsar, rbcr;
    uint8_t mem[NE2K_MEMORY];       /* PROM at 0, packet memory at 4000h */
} Ne2k;

void ne2k_realize(Ne2k *s, Device *d, NetPeer *peer);
void ne2k_unrealize(Ne2k *s);
void ne2k_reset(Ne2k *s);
uint64_t ne2k_read(Ne2k *s, hwaddr offset, unsigned size);
void ne2k_write(Ne2k *s, hwaddr offset, uint64_t value, unsigned size);
extern const StateField ne2k_state[];

#endif
