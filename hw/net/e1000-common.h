// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the controllers of the 8254x and 8257x families share (8254x Family Software Developer's
 * Manual, 317453): bits of registers and descriptors, the address filter, checksums on transmit.
 */
#ifndef HW_NET_E1000_COMMON_H
#define HW_NET_E1000_COMMON_H

#include "hw/net/nic.h"
#include "hw/pci/pci.h"
#include "util/main-loop.h"
#include "util/timer.h"

#define DESC_SIZE 16u
#define PHY_ADDRESS 1
#define NEGOTIATION_NS 500000000ll

enum {
    CTRL_RST = 1 << 26,
    STATUS_LU = 2
};
enum {
    RCTL_EN = 2,
    RCTL_UPE = 8,
    RCTL_MPE = 16,
    RCTL_LPE = 32,
    RCTL_BAM = 1 << 15,
    RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26,
    TCTL_EN = 2
};
enum {
    ICR_TXDW = 1,
    ICR_TXQE = 2,
    ICR_LSC = 4,
    ICR_RXDMT0 = 16,
    ICR_RXO = 64,
    ICR_RXT0 = 128,
    ICR_MDAC = 512
};
enum {
    MDIC_WRITE = 1 << 26,
    MDIC_READ = 2 << 26,
    MDIC_READY = 1 << 28,
    MDIC_IE = 1 << 29,
    MDIC_ERROR = 1 << 30
};
enum {
    TXD_EOP = 1 << 24,
    TXD_IC = 1 << 26,
    TXD_TSE = 1 << 26,
    TXD_RS = 1 << 27,
    TXD_DEXT = 1 << 29,
    TXD_VLE = 1 << 30
};
enum {
    TXD_DD = 1,
    POPTS_IXSM = 1,
    POPTS_TXSM = 2
};
enum {
    RXD_DD = 1,
    RXD_EOP = 2,
    RXD_IXSM = 4,
    RXD_VP = 8,
    RXD_UDPCS = 0x10,
    RXD_TCPCS = 0x20,
    RXD_IPCS = 0x40
};
enum {
    RXCSUM_IP = 0x100,
    RXCSUM_TU = 0x200,
    RXCSUM_PCSD = 0x2000
};
enum {
    STAT_GPRC = 29,
    STAT_GPTC = 32,
    STAT_TPR = 52,
    STAT_TPT = 53
};
#define RAH_AV (1u << 31)

/* 3.3.6: TCP/IP context, what a context descriptor said last. */
typedef struct E1000Context {
    uint8_t ipcss, ipcso, tucss, tucso, hdr_len;
    uint16_t ipcse, tucse, mss;
    bool tcp, ip4;
} E1000Context;

extern const StateField e1000_context_state[];

/* Of a context descriptor. */
E1000Context e1000_context(const uint8_t *descriptor);

/*
 * Puts the checksums that popts asks for into a frame; shift: bytes that were put in before the
 * places that the context names.
 */
void e1000_put_checksums(const E1000Context *c, uint8_t popts, uint8_t *frame, size_t len,
                         unsigned shift);

/*
 * Whether the frame's destination is one of the addresses of ra (RAL and RAH in turn), or in the
 * table of multicast hashes of 4096 bits.
 */
bool e1000_address_wanted(const uint8_t *frame, const uint32_t *ra, unsigned num_ra,
                          const uint32_t *mta, uint32_t rctl);

/* Descriptors from head to tail of a ring of n, those that the driver gave; 0 for a bad ring. */
uint32_t e1000_ring_available(uint32_t head, uint32_t tail, uint32_t n);

#endif
