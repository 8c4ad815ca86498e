// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers and state of the 82540EM, shared by e1000.c (data path) and e1000-regs.c. */
#ifndef HW_NET_E1000_H
#define HW_NET_E1000_H

#include "e1000-common.h"

enum { CTRL_PHY_RST = 1u << 31, STATUS_FD = 1, STATUS_SPEED_1000 = 0x80 };

typedef struct E1000Tx {
    E1000Context ctx;
    uint8_t popts;
    bool tse;
} E1000Tx;

typedef struct E1000 {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    bool kick_tx;
    Timer itr_timer, link_timer;
    int64_t last_irq_ns;
    uint16_t eeprom[64], phy[32];
    /* registers */
    uint32_t ctrl, status, eecd, eerd, mdic, fcal, fcah, fct, vet, icr, itr, ics, ims, rctl, fcttv, tctl, tipg,
        ait, ledctl, pba, rdbal, rdbah, rdlen, rdh, rdt, rdtr, rxdctl, radv, tdbal, tdbah, tdlen, tdh, tdt, tidv,
        txdctl, tadv, rxcsum, wuc, wufc, manc, swsm, io_addr;
    uint32_t stats[64], mta[128], ra[32], vfta[128];
    /* EEPROM's serial interface, 5.3 */
    uint8_t ee_bits;
    uint16_t ee_in, ee_out;
    bool ee_reading;
    /* the packet that is being put together */
    E1000Tx tx;
    uint32_t tx_len;
    uint8_t tx_buf[65536 + 256];
} E1000;

extern const RegBank e1000_banks[];
extern const StateField e1000_state[];
void e1000_transmit(E1000 *s);
void e1000_set_link(E1000 *s, bool up);
void e1000_phy_reset(E1000 *s);
void e1000_device_reset(Device *d);

#endif
