// SPDX-License-Identifier: GPL-2.0-or-later
/* Registers and state of the 82540EM, shared by e1000.c (data path) and e1000-regs.c. */
#ifndef HW_NET_E1000_H
#define HW_NET_E1000_H

#include "hw/net/nic.h"
#include "hw/pci/pci.h"
#include "util/checksum.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define DESC_SIZE 16u

enum {
    CTRL_RST = 1 << 26,
    CTRL_PHY_RST = 1u << 31,
    STATUS_FD = 1,
    STATUS_LU = 2,
    STATUS_SPEED_1000 = 0x80
};
enum {
    RCTL_EN = 2,
    RCTL_UPE = 8,
    RCTL_MPE = 16,
    RCTL_LPE = 32,
    RCTL_BAM = 1 << 15,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26,
    TCTL_EN = 2 };
enum {
    ICR_TXDW = 1,
    ICR_TXQE = 2,
    ICR_LSC = 4,
    ICR_RXDMT0 = 16,
    ICR_RXO = 64,
    ICR_RXT0 = 128,
    ICR_MDAC = 512
};
#define RAH_AV (1u << 31)
#define TXD_EOP (1u << 24)
#define TXD_IC (1u << 26)
#define TXD_TSE (1u << 26)
#define TXD_RS (1u << 27)
#define TXD_DEXT (1u << 29)
enum {
    TXD_DD = 1,
    RXD_DD = 1,
    RXD_EOP = 2,
    RXD_IXSM = 4,
    RXD_TCPCS = 0x20,
    RXD_IPCS = 0x40,
    RXCSUM_IP = 0x100,
    RXCSUM_TU = 0x200,
    POPTS_IXSM = 1,
    POPTS_TXSM = 2
};
enum { STAT_GPRC = 29, STAT_GPTC = 32, STAT_TPR = 52, STAT_TPT = 53 };

/* 3.3.6: TCP/IP context. */
typedef struct E1000Context {
    uint8_t ipcss, ipcso, tucss, tucso, hdr_len;
    uint16_t ipcse, tucse, mss;
    bool tcp, ip4;
} E1000Context;

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
