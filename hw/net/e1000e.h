// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers and state of the 82574L, shared by e1000e.c (data path), e1000e-irq.c and
 * e1000e-regs.c.
 */
#ifndef HW_NET_E1000E_H
#define HW_NET_E1000E_H

#include "e1000-common.h"

#define E1000E_QUEUES 2
#define E1000E_VECTORS 5

enum { CTRL_GIO_DISABLE = 4, CTRL_VME = 1 << 30, STATUS_GIO = 1 << 19 };
enum { CTRL_EXT_EIAME = 1 << 24, CTRL_EXT_IAME = 1 << 27 };
enum { RCTL_LBM = 0xc0, RCTL_VFE = 1 << 18 };
enum { ICR_RXQ0 = 1 << 20, ICR_TXQ0 = 1 << 22, ICR_OTHER = 1 << 24 };
#define ICR_ASSERTED (1u << 31)
#define ICR_QUEUES 0x01f00000u
#define ICR_OTHERS (ICR_LSC | ICR_RXO | ICR_MDAC)

typedef struct E1000eTx {
    E1000Context ctx;
    uint8_t popts;
    bool tse, vlan;
    uint16_t tag;
    uint32_t len;                /* of what is in buf */
    uint8_t buf[65536 + 256];
} E1000eTx;

typedef struct E1000e {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    uint16_t subsys_ven, subsys;
    uint8_t disable_vnet_hdr;
    bool init_vet;
    NetClient nic;
    Bh *kick_bh;
    bool kick_tx;
    uint16_t nvm[64], phy[32], phy_paged[32];
    /* registers */
    uint32_t ctrl, status, eec, eerd, ctrl_ext, fla, mdic, fcal, fcah, fct, vet, fcrtl, fcrth, fcttv;
    uint32_t icr, itr, ims, eiac, iam, ivar, eitr[E1000E_VECTORS];
    uint32_t rctl, tctl, tctl_ext, tipg, ait, ledctl, extcnf_ctrl, extcnf_size, pba, pbs, eemngctl, psrctl, rdtr, radv,
        raid, tidv, tadv, rxcsum, rfctl, wuc, wufc, wus, mrqc, manc, gcr, gcr2, factps, swsm, fwsm, io_addr;
    uint32_t rdbal[E1000E_QUEUES], rdbah[E1000E_QUEUES], rdlen[E1000E_QUEUES], rdh[E1000E_QUEUES], rdt[E1000E_QUEUES],
        rxdctl[E1000E_QUEUES], tdbal[E1000E_QUEUES], tdbah[E1000E_QUEUES], tdlen[E1000E_QUEUES], tdh[E1000E_QUEUES],
        tdt[E1000E_QUEUES], txdctl[E1000E_QUEUES], tarc[E1000E_QUEUES];
    uint32_t stats[72], mta[128], ra[32], vfta[128], reta[32], rssrk[10];
    /* interrupts */
    uint32_t sent;                               /* causes that a message was sent for */
    Timer irq_timer, link_timer;
    int64_t next_irq_ns[E1000E_VECTORS + 1];     /* the last: of all causes together */
    E1000eTx tx[E1000E_QUEUES];
} E1000e;

extern const RegBank e1000e_banks[];
extern const StateField e1000e_state[];
void e1000e_raise(E1000e *s, uint32_t cause);
/* Causes or masks have changed. */
void e1000e_update_irq(E1000e *s);
void e1000e_irq_timer(void *opaque);
uint32_t e1000e_read_causes(E1000e *s);
void e1000e_transmit(E1000e *s);
void e1000e_set_link(E1000e *s, bool up);
void e1000e_phy_reset(E1000e *s);
void e1000e_device_reset(Device *d);

#endif
