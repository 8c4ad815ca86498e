// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NE2000: a DP8390 (National Semiconductor DP8390D/NS32490D data sheet) with 32 KiB of packet
 * memory behind remote DMA; registers are in pages, which is why they are not rows. Left out:
 * loopback, tally counters, collisions.
 */
#include "ne2000.h"

#include "util/error.h"

enum {
    CR_STOP = 1,
    CR_START = 2,
    CR_TXP = 4,
    CR_REMOTE_READ = 8,
    CR_REMOTE_WRITE = 0x10,
    CR_DMA_ABORT = 0x20
};
enum { ISR_RX = 1, ISR_TX = 2, ISR_OVERRUN = 0x10, ISR_REMOTE = 0x40, ISR_RESET = 0x80 };
enum { RCR_BROADCAST = 4, RCR_MULTICAST = 8, RCR_PROMISCUOUS = 0x10 };
enum { RSR_OK = 1, RSR_GROUP = 0x20, TSR_OK = 1, DCR_WORDS = 1 };
#define PAGE 256u
#define RAM_BASE 0x4000u
#define PROM_SIZE 32u

static Device *owner(Ne2k *s)
{
    return s->nic.opaque;
}

static void update_irq(Ne2k *s)
{
    s->irq(owner(s), (s->isr & s->imr & 0x7f) != 0);
}

/* ---- receive ---- */

static unsigned ring_free(const Ne2k *s)
{
    unsigned start = s->pstart * PAGE, stop = s->pstop * PAGE, put = s->curr * PAGE,
             get = s->bnry * PAGE;

    if (stop <= start || stop > NE2K_MEMORY || put >= stop || put < RAM_BASE) {
        return 0;
    }
    return put < get ? get - put : stop - start - (put - get);
}

static Ne2k *core_of(NetClient *c)
{
    return CONTAINER_OF(c, Ne2k, nic);
}

static bool can_receive(NetClient *c)
{
    Ne2k *s = core_of(c);

    return !(s->cr & CR_STOP) && ring_free(s) >= 1536 + 256;
}

static bool wanted(const Ne2k *s, const uint8_t *f)
{
    if (s->rcr & RCR_PROMISCUOUS) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return s->rcr & RCR_BROADCAST;
    }
    if (f[0] & 1) {
        unsigned hash = eth_hash_be(f) >> 26;

        return (s->rcr & RCR_MULTICAST) && (s->mar[hash >> 3] & 1u << (hash & 7));
    }
    return memcmp(f, s->par, 6) == 0;
}

/* Frame and FCS behind a header of four bytes, in pages of a ring. */
static void ring_put(Ne2k *s, const uint8_t *frame, size_t len)
{
    unsigned total = (unsigned)len + 4, at = s->curr * PAGE, stop = s->pstop * PAGE;
    unsigned next = at + ((total + 4 + PAGE - 1) & ~(PAGE - 1));
    uint32_t fcs = eth_fcs(frame, len);
    uint8_t tail[4];

    store_le32(tail, fcs);
    if (next >= stop) {
        next -= stop - s->pstart * PAGE;
    }
    s->rsr = RSR_OK | (frame[0] & 1 ? RSR_GROUP : 0);
    s->mem[at] = s->rsr;
    s->mem[at + 1] = (uint8_t)(next / PAGE);
    store_le16(s->mem + at + 2, (uint16_t)(total + 4));
    at += 4;
    for (unsigned i = 0; i < total; i++) {
        s->mem[at] = i < len ? frame[i] : tail[i - len];
        if (++at == stop) {
            at = s->pstart * PAGE;
        }
    }
    s->curr = (uint8_t)(next / PAGE);
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Ne2k *s = core_of(c);
    uint8_t pad[ETH_MIN_FRAME];

    if (!can_receive(c)) {
        return 0;
    }
    if (len < ETH_HEADER || len > 1518 || !wanted(s, frame)) {
        return (ssize_t)len;
    }
    size_t size = eth_pad(&frame, len, pad);

    ring_put(s, frame, size);
    s->isr |= ISR_RX;
    update_irq(s);
    return (ssize_t)len;
}

static const NetOps ne2k_net_ops = {
    .type = "ne2000", .can_receive = can_receive, .receive = receive};

/* ---- registers ---- */

static void transmit(Ne2k *s)
{
    unsigned at = s->tpsr * PAGE;

    if (at >= RAM_BASE && at < NE2K_MEMORY && s->tbcr <= NE2K_MEMORY - at) {
        net_send(&s->nic, s->mem + at, s->tbcr);
    } else {
        guest_error("ne2000: transmit buffer at %x, %u bytes", at, s->tbcr);
    }
    s->tsr = TSR_OK;
    s->isr |= ISR_TX;
    s->cr &= ~CR_TXP;
    update_irq(s);
}

static void write_cr(Ne2k *s, uint8_t value)
{
    s->cr = value;
    if (value & CR_STOP) {
        s->isr |= ISR_RESET;
        return;
    }
    s->isr &= ~ISR_RESET;
    if ((value & (CR_REMOTE_READ | CR_REMOTE_WRITE)) && s->rbcr == 0) {
        s->isr |= ISR_REMOTE;
        update_irq(s);
    }
    if (value & CR_TXP) {
        transmit(s);
    }
    net_ready(&s->nic);
}

static void write_page0(Ne2k *s, unsigned reg, uint8_t v)
{
    switch (reg) {
    case 1:
        s->pstart = v;
        break;
    case 2:
        s->pstop = v;
        break;
    case 3:
        s->bnry = v;
        net_ready(&s->nic);
        break;
    case 4:
        s->tpsr = v;
        break;
    case 5:
        s->tbcr = (s->tbcr & 0xff00) | v;
        break;
    case 6:
        s->tbcr = (uint16_t)((s->tbcr & 0xff) | v << 8);
        break;
    case 7:
        s->isr &= ~(v & 0x7f);
        update_irq(s);
        break;
    case 8:
        s->rsar = (s->rsar & 0xff00) | v;
        break;
    case 9:
        s->rsar = (uint16_t)((s->rsar & 0xff) | v << 8);
        break;
    case 10:
        s->rbcr = (s->rbcr & 0xff00) | v;
        break;
    case 11:
        s->rbcr = (uint16_t)((s->rbcr & 0xff) | v << 8);
        break;
    case 12:
        s->rcr = v;
        break;
    case 13:
        s->tcr = v;
        break;
    case 14:
        s->dcr = v;
        break;
    case 15:
        s->imr = v;
        update_irq(s);
        break;
    }
}

static uint8_t read_page0(Ne2k *s, unsigned reg)
{
    switch (reg) {
    case 1:
    case 8:
        return (uint8_t)s->rsar;
    case 2:
    case 9:
        return (uint8_t)(s->rsar >> 8);
    case 3:
        return s->bnry;
    case 4:
        return s->tsr;
    case 7:
        return s->isr;
    case 10:
        return 0x50;      /* RTL8029's identity */
    case 11:
        return 0x43;
    case 12:
        return s->rsr;
    default:
        return 0;
    }
}

static uint8_t read_page(Ne2k *s, unsigned reg)
{
    switch (s->cr >> 6) {
    case 0:
        return read_page0(s, reg);
    case 1:
        return reg <= 6 ? s->par[reg - 1] : reg == 7 ? s->curr : s->mar[reg - 8];
    case 2:
        return reg == 1 ? s->pstart : reg == 2 ? s->pstop : reg == 4 ? s->tpsr : reg == 12 ? s->rcr
             : reg == 13 ? s->tcr : reg == 14 ? s->dcr : reg == 15 ? s->imr : 0;
    default:
        return reg == 5 || reg == 6 ? 0x40 : 0;       /* RTL8029: full duplex */
    }
}

static void write_page(Ne2k *s, unsigned reg, uint8_t v)
{
    switch (s->cr >> 6) {
    case 0:
        write_page0(s, reg, v);
        break;
    case 1:
        *(reg <= 6 ? &s->par[reg - 1] : reg == 7 ? &s->curr : &s->mar[reg - 8]) = v;
        break;
    }
}

/* ---- remote DMA ---- */

static uint8_t mem_get(const Ne2k *s, unsigned at)
{
    return at < PROM_SIZE || (at >= RAM_BASE && at < NE2K_MEMORY) ? s->mem[at] : 0xff;
}

static void remote_step(Ne2k *s, unsigned size)
{
    s->rsar += size;
    if (s->rsar == s->pstop * PAGE) {
        s->rsar = s->pstart * PAGE;
    }
    if (s->rbcr <= size) {
        s->rbcr = 0;
        s->isr |= ISR_REMOTE;
        update_irq(s);
    } else {
        s->rbcr -= size;
    }
}

static uint32_t data_read(Ne2k *s, unsigned size)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint32_t)mem_get(s, (uint16_t)(s->rsar + i)) << 8 * i;
    }
    remote_step(s, size);
    return v;
}

static void data_write(Ne2k *s, uint32_t v, unsigned size)
{
    if (s->rbcr == 0) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned at = (uint16_t)(s->rsar + i);

        if (at >= RAM_BASE && at < NE2K_MEMORY) {
            s->mem[at] = (uint8_t)(v >> 8 * i);
        }
    }
    remote_step(s, size);
}

/* How many bytes an access to the data port moves: long ones are two words. */
static unsigned data_size(const Ne2k *s, unsigned size)
{
    return size == 4 ? 4 : size == 2 || (s->dcr & DCR_WORDS) ? 2 : 1;
}

uint64_t ne2k_read(Ne2k *s, hwaddr offset, unsigned size)
{
    if (offset >= 0x10 && offset < 0x18) {
        return data_read(s, data_size(s, size));
    }
    if (offset == 0x1f) {
        ne2k_reset(s);
        return 0;
    }
    return offset == 0 ? s->cr : offset < 0x10 ? read_page(s, (unsigned)offset) : 0xff;
}

void ne2k_write(Ne2k *s, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset >= 0x10 && offset < 0x18) {
        data_write(s, (uint32_t)value, data_size(s, size));
    } else if (offset == 0) {
        write_cr(s, (uint8_t)value);
    } else if (offset < 0x10) {
        write_page(s, (unsigned)offset, (uint8_t)value);
    }
}

/* The PROM shows each byte twice: 16-bit cards read words. */
static void make_prom(Ne2k *s)
{
    for (unsigned i = 0; i < PROM_SIZE / 2; i++) {
        s->mem[2 * i] = s->mem[2 * i + 1] = i < 6 ? s->mac[i] : i >= 14 ? 0x57 : 0;
    }
}

void ne2k_reset(Ne2k *s)
{
    s->isr = ISR_RESET;
    s->cr = CR_STOP | CR_DMA_ABORT;
    s->imr = 0;
    s->rbcr = 0;
    make_prom(s);
    update_irq(s);
}

void ne2k_realize(Ne2k *s, Device *d, NetPeer *peer)
{
    nic_attach(&s->nic, &ne2k_net_ops, d, peer);
}

void ne2k_unrealize(Ne2k *s)
{
    net_nic_fini(&s->nic);
}

const StateField ne2k_state[] = {
    HOST_ONLY(Ne2k, nic, "connection to the back end"), HOST_ONLY(Ne2k, irq, "constant"),
    HOST_ONLY(Ne2k, mac, "property"),
    STATE(Ne2k, cr), STATE(Ne2k, pstart), STATE(Ne2k, pstop), STATE(Ne2k, bnry), STATE(Ne2k, tpsr), STATE(Ne2k, tsr),
    STATE(Ne2k, isr), STATE(Ne2k, imr), STATE(Ne2k, rcr), STATE(Ne2k, tcr), STATE(Ne2k, dcr), STATE(Ne2k, rsr),
    STATE(Ne2k, curr), STATE_RAW(Ne2k, par), STATE_RAW(Ne2k, mar), STATE(Ne2k, tbcr), STATE(Ne2k, rsar),
    STATE(Ne2k, rbcr), STATE_RAW(Ne2k, mem), STATE_END,
};
