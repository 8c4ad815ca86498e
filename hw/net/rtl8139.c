// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Realtek RTL8139C+ (data sheet 1.6): the RTL8139's four transmit slots and receive ring, and the
 * C+ mode's descriptor rings with checksums, large send and VLAN tags; EEPROM, MII registers,
 * timer. Left out: wake-up, the high priority ring's precedence, verification of received
 * checksums.
 */
#include "hw/net/nic.h"
#include "hw/nvram/eeprom93.h"
#include "hw/pci/pci.h"
#include "util/checksum.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { CR_BUFE = 1, CR_TE = 4, CR_RE = 8, CR_RST = 0x10 };
enum {
    INT_ROK = 1,
    INT_TOK = 4,
    INT_RXOVW = 0x10,
    INT_LINK = 0x20,
    INT_TDU = 0x80,
    INT_SW = 0x100,
    INT_TIMEOUT = 0x4000
};
enum { RCR_AAP = 1, RCR_APM = 2, RCR_AM = 4, RCR_AB = 8, RCR_WRAP = 0x80 };
enum { RX_OK = 1, RX_BROADCAST = 0x2000, RX_PHYSICAL = 0x4000, RX_MULTICAST = 0x8000 };
enum { TSD_OWN = 0x2000, TSD_TOK = 0x8000, TCR_LOOPBACK = 3 << 17 };
enum { CPCR_TX = 1, CPCR_RX = 2, CPCR_VLAN = 0x40 };
enum { EE_DO = 1, EE_DI = 2, EE_SK = 4, EE_CS = 8, EE_MODE = 0xc0, EE_PROGRAM = 0x80 };
enum { MSR_LINKB = 4 };
#define D_OWN (1u << 31)
#define D_EOR (1u << 30)
#define D_FS (1u << 29)
#define D_LS (1u << 28)
#define D_LGSEN (1u << 27)
#define D_TAGC (1u << 17)
#define HW_VERSION 0x74800000u
#define TIMER_PERIOD_NS 30
#define FRAME_MAX 65550u

typedef struct Rtl8139 {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    uint8_t kicks;             /* bits 0-3: slots, 6, 7: rings */
    /* registers */
    uint8_t idr[6], mar[8], ersr, cr, cfg9346, config[2], msr, config3, config4, config5, tppoll, etthr;
    uint32_t tsd[4], tsad[4], rbstart, tcr, rcr, mpc, timer_int, rdsar[2];
    uint16_t erbcr, capr, cbr, imr, isr, mulint, cpcr, intr_mitigate, mii_storage[9];
    MiiPhy phy;
    Eeprom93 eeprom;
    Timer timer;
    int64_t timer_base_ns;
    uint32_t tx_at, tx_hi_at, rx_at;      /* C+: descriptor that comes next */
    uint32_t tx_len, tx_flags, tx_vlan;
    uint64_t tx_count, rx_count;
    uint8_t tx_buf[FRAME_MAX];
} Rtl8139;

static void update_irq(Rtl8139 *s)
{
    pci_set_irq(&s->pci, (s->isr & s->imr) != 0);
}

static void raise_irq(Rtl8139 *s, uint16_t bits)
{
    s->isr |= bits;
    update_irq(s);
}

/* ---- receive ---- */

static uint32_t ring_size(const Rtl8139 *s)
{
    return 8192u << (s->rcr >> 11 & 3);
}

/* Bytes of the ring that the driver has given back. */
static uint32_t ring_free(const Rtl8139 *s)
{
    uint32_t size = ring_size(s), get = (s->capr + 16u) % size, put = s->cbr % size;

    return put < get ? get - put : size - (put - get);
}

static bool can_receive(NetClient *c)
{
    Rtl8139 *s = c->opaque;

    if (!(s->cr & CR_RE)) {
        return false;
    }
    return (s->cpcr & CPCR_RX) || ring_free(s) > 1514 + 32;
}

/* Which filter lets it through, as the status word's bit; 0: none. */
static uint16_t rx_match(const Rtl8139 *s, const uint8_t *f)
{
    if (eth_is_broadcast(f)) {
        return s->rcr & (RCR_AB | RCR_AAP) ? RX_BROADCAST : 0;
    }
    if (f[0] & 1) {
        unsigned hash = eth_hash_be(f) >> 26;
        bool listed = (s->rcr & RCR_AM) && (s->mar[hash >> 3] & 1u << (hash & 7));

        return listed || (s->rcr & RCR_AAP) ? RX_MULTICAST : 0;
    }
    if (memcmp(f, s->idr, 6) == 0) {
        return s->rcr & (RCR_APM | RCR_AAP) ? RX_PHYSICAL : 0;
    }
    return s->rcr & RCR_AAP ? RX_OK : 0;
}

static void ring_write(Rtl8139 *s, const void *data, uint32_t len)
{
    uint32_t size = ring_size(s), first = MIN(len, size - s->cbr);
    Device *d = &s->pci.dev;

    /* With WRAP the driver has room behind the end for one frame. */
    if (first < len && (s->rcr & RCR_WRAP) && size < 65536) {
        first = len;
    }
    dma_write(d, s->rbstart + s->cbr, data, first);
    dma_write(d, s->rbstart, (const uint8_t *)data + first, len - first);
    s->cbr = (uint16_t)((s->cbr + len) % size);
}

static bool ring_receive(Rtl8139 *s, const uint8_t *frame, size_t len, uint16_t match)
{
    uint8_t packet[4 + 2048 + 4 + 4] = { 0 };
    uint32_t total = ((uint32_t)len + 4 + 4 + 3) & ~3u;

    if (total + 4 > ring_free(s)) {
        return false;
    }
    store_le16(packet, RX_OK | match);
    store_le16(packet + 2, (uint16_t)(len + 4));
    memcpy(packet + 4, frame, len);
    store_le32(packet + 4 + len, eth_fcs(frame, len));
    s->cbr %= ring_size(s);
    ring_write(s, packet, total);
    raise_irq(s, INT_ROK);
    return true;
}

/* C+ mode: one frame, one descriptor. */
static bool desc_receive(Rtl8139 *s, const uint8_t *frame, size_t len, uint16_t match)
{
    Device *dev = &s->pci.dev;
    hwaddr at = ((hwaddr)s->rdsar[1] << 32 | s->rdsar[0]) + 16ull * s->rx_at;
    uint8_t d[16];
    uint32_t flags, tag = 0;

    if (!dma_read(dev, at, d, sizeof(d)) || !((flags = load_le32(d)) & D_OWN)) {
        raise_irq(s, INT_RXOVW);
        return false;
    }
    size_t room = flags & 0x1fff, skip = 0;
    hwaddr buffer = load_le64(d + 8);

    if ((s->cpcr & CPCR_VLAN) && len >= 18 && load_be16(frame + 12) == 0x8100) {
        tag = 1u << 16 | load_le16(frame + 14);
        skip = 4;
    }
    size_t total = len - skip;

    if (total + 4 > room) {
        total = room > 4 ? room - 4 : 0;
    }
    dma_write(dev, buffer, frame, MIN(total, 12));
    if (total > 12) {
        dma_write(dev, buffer + 12, frame + 12 + skip, total - 12);
    }
    store_le32(d, (flags & D_EOR) | D_FS | D_LS | (match == RX_MULTICAST ? 1u << 27 : 0) |
                      (match == RX_PHYSICAL ? 1u << 26 : 0) |
                      (match == RX_BROADCAST ? 1u << 25 : 0) | (uint32_t)(total + 4));
    store_le32(d + 4, tag);
    dma_write(dev, at + 4, d + 4, 4);
    dma_write(dev, at, d, 4);
    s->rx_at = flags & D_EOR ? 0 : (s->rx_at + 1) & 63;
    raise_irq(s, INT_ROK);
    return true;
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Rtl8139 *s = c->opaque;
    uint8_t pad[ETH_MIN_FRAME];
    uint16_t match;

    if (!can_receive(c)) {
        return 0;
    }
    match = len >= ETH_HEADER && len <= 2048 ? rx_match(s, frame) : 0;
    if (!match) {
        return (ssize_t)len;
    }
    size_t size = eth_pad(&frame, len, pad);

    if (match == RX_OK) {
        match = 0;
    }
    if (!(s->cpcr & CPCR_RX ? desc_receive : ring_receive)(s, frame, size, match)) {
        return 0;
    }
    s->rx_count++;
    return (ssize_t)len;
}

/* ---- transmit ---- */

static void send_frame(Rtl8139 *s, uint8_t *frame, size_t len, const NetOffload *o)
{
    s->tx_count++;
    if ((s->tcr & TCR_LOOPBACK) == TCR_LOOPBACK) {
        receive(&s->nic, frame, len);
    } else if (o) {
        net_send_offload(&s->nic, frame, len, o);
    } else {
        net_send(&s->nic, frame, len);
    }
}

static void slot_transmit(Rtl8139 *s, unsigned n)
{
    uint32_t len = s->tsd[n] & 0x1fff;

    if (len >= ETH_HEADER && dma_read(&s->pci.dev, s->tsad[n], s->tx_buf, len)) {
        send_frame(s, s->tx_buf, len, NULL);
    }
    s->tsd[n] |= TSD_OWN | TSD_TOK;
    raise_irq(s, INT_TOK);
}

/* The last descriptor of a frame was read: checksums, large send, VLAN tag. */
static void desc_frame_done(Rtl8139 *s)
{
    uint32_t flags = s->tx_flags;
    uint8_t *f = s->tx_buf;
    NetOffload o = { 0 };
    EthLayout l;

    if ((s->tx_vlan & D_TAGC) && s->tx_len + 4 <= sizeof(s->tx_buf)) {
        memmove(f + 16, f + 12, s->tx_len - 12);
        store_be16(f + 12, 0x8100);
        store_le16(f + 14, (uint16_t)s->tx_vlan);
        s->tx_len += 4;
    }
    if ((flags & D_LGSEN) && (flags >> 16 & 0x7ff) &&
        eth_offload_tso(f, s->tx_len, flags >> 16 & 0x7ff, &o)) {
        send_frame(s, f, s->tx_len, &o);
        return;
    }
    if (!(flags & D_LGSEN) && (flags >> 16 & 7) && eth_parse(f, s->tx_len, &l) && l.ip4) {
        if (flags & 1u << 18) {
            store_be16(f + l.l3 + 10, 0);
            store_be16(f + l.l3 + 10,
                       checksum_finish(checksum_add(0, f + l.l3, l.l4 - l.l3, false)));
        }
        if (((flags & 1u << 16) && l.tcp) || ((flags & 1u << 17) && l.udp)) {
            size_t end = MIN(s->tx_len, (size_t)l.l3 + load_be16(f + l.l3 + 2));
            unsigned at = l.tcp ? 16 : 6;

            /* the pseudo header's part is the card's, too */
            store_be16(f + l.l4 + at, 0);
            if (end > l.l4) {
                uint32_t sum = eth_pseudo_sum(f, &l, end - l.l4);

                store_be16(f + l.l4 + at,
                           checksum_finish(checksum_add(sum, f + l.l4, end - l.l4, false)));
            }
        }
    }
    send_frame(s, f, s->tx_len, NULL);
}

static void desc_transmit(Rtl8139 *s, bool high)
{
    Device *dev = &s->pci.dev;
    hwaddr base = (hwaddr)s->tsad[high ? 3 : 1] << 32 | s->tsad[high ? 2 : 0];
    uint32_t *at = high ? &s->tx_hi_at : &s->tx_at;

    for (unsigned n = 0; n < 128 && (s->cr & CR_TE) && (s->cpcr & CPCR_TX); n++) {
        hwaddr where = base + 16ull * *at;
        uint8_t d[16];
        uint32_t flags, len;

        if (!dma_read(dev, where, d, sizeof(d)) || !((flags = load_le32(d)) & D_OWN)) {
            break;
        }
        len = flags & 0xffff;
        if (flags & D_FS) {
            s->tx_len = 0;
            s->tx_flags = flags;
            s->tx_vlan = load_le32(d + 4);
        }
        if (len > sizeof(s->tx_buf) - s->tx_len ||
            !dma_read(dev, load_le64(d + 8), s->tx_buf + s->tx_len, len)) {
            guest_error("rtl8139: bad transmit descriptor of %u bytes", len);
            len = 0;
        }
        s->tx_len += len;
        if ((flags & D_LS) && s->tx_len >= ETH_HEADER) {
            desc_frame_done(s);
        }
        store_le32(d, flags & ~D_OWN);
        dma_write(dev, where, d, 4);
        *at = flags & D_EOR ? 0 : (*at + 1) & 63;
        s->isr |= INT_TOK;
    }
    raise_irq(s, s->isr & INT_TOK ? INT_TDU : 0);
}

static void run_kicks(void *opaque)
{
    Rtl8139 *s = opaque;
    uint8_t kicks = s->kicks;

    s->kicks = 0;
    for (unsigned i = 0; i < 4; i++) {
        if ((kicks & 1u << i) && (s->cr & CR_TE)) {
            slot_transmit(s, i);
        }
    }
    if (kicks & 0x80) {
        desc_transmit(s, true);
    }
    if (kicks & 0x40) {
        desc_transmit(s, false);
    }
    net_ready(&s->nic);
}

static void kick(Rtl8139 *s, uint8_t bits)
{
    s->kicks |= bits;
    bh_schedule(s->kick_bh);
}

/* ---- registers ---- */

static void rtl8139_reset(Device *d);

static void write_cr(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;

    if (a->value & CR_RST) {
        uint8_t lock = s->cfg9346;

        device_reset_banks(d);
        rtl8139_reset(d);
        s->cfg9346 = lock;
        return;
    }
    if (~a->old & a->value & CR_RE) {
        s->rx_at = 0;
    }
    if (~a->old & a->value & CR_TE) {
        s->tx_at = s->tx_hi_at = 0;
    }
    kick(s, 0);
}

static uint64_t read_cr(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;
    bool empty = ring_free(s) == ring_size(s);

    return s->cr | (empty ? CR_BUFE : 0);
}

static void write_tsd(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;

    if (s->cpcr & (CPCR_TX | CPCR_RX)) {
        /* DTCCR: dump of the tally counters */
        if (a->index == 0 && (a->value & 8)) {
            uint8_t tally[64] = { 0 };

            store_le64(tally, s->tx_count);
            store_le64(tally + 8, s->rx_count);
            dma_write(d, (hwaddr)s->tsd[1] << 32 | (s->tsd[0] & ~63u), tally, sizeof(tally));
            s->tsd[0] &= ~8u;
        }
        return;
    }
    s->tsd[a->index] &= ~(uint32_t)TSD_TOK;
    if (!(a->value & TSD_OWN)) {
        kick(s, (uint8_t)(1u << a->index));
    }
}

/* Owner and end bits of all four slots. */
static uint64_t read_slots(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;
    uint16_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        v |= (s->tsd[i] & TSD_OWN ? 1u << i : 0) | (s->tsd[i] & TSD_TOK ? 0x1000u << i : 0);
    }
    return v;
}

static void write_tppoll(Device *d, const RegAccess *a)
{
    if (a->value & 1) {
        raise_irq((Rtl8139 *)d, INT_SW);
    }
    kick((Rtl8139 *)d, a->value & 0xc0);
}

static void write_ring(Device *d, const RegAccess *a)
{
    kick((Rtl8139 *)d, 0);
}

static void write_rbstart(Device *d, const RegAccess *a)
{
    ((Rtl8139 *)d)->cbr = 0;
    ((Rtl8139 *)d)->capr = 0xfff0;
}

static void write_irq(Device *d, const RegAccess *a)
{
    update_irq((Rtl8139 *)d);
}

static void write_9346(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;

    if ((a->value & EE_MODE) == EE_PROGRAM) {
        eeprom93_set(&s->eeprom, a->value & EE_CS, a->value & EE_SK, a->value & EE_DI);
    } else if ((a->value & EE_MODE) == 0x40) {
        memcpy(s->idr, s->mac, 6);
        s->cfg9346 = 0;
    }
}

static uint64_t read_9346(Device *d, const RegAccess *a)
{
    Rtl8139 *s = (Rtl8139 *)d;

    return (s->cfg9346 & ~EE_DO) |
           ((s->cfg9346 & EE_MODE) == EE_PROGRAM && eeprom93_out(&s->eeprom) ? EE_DO : 0);
}

static uint64_t read_msr(Device *d, const RegAccess *a)
{
    return nic_link_up(&((Rtl8139 *)d)->nic) ? 0 : MSR_LINKB;
}

/* 62h..6ah are the PHY's registers 0, 1, 4, 5, 6. */
static const uint8_t mii_map[] = { 0, 1, 4, 5, 6 };

static uint64_t read_mii(Device *d, const RegAccess *a)
{
    return mii_read(&((Rtl8139 *)d)->phy, mii_map[a->index]);
}

static void write_mii(Device *d, const RegAccess *a)
{
    mii_write(&((Rtl8139 *)d)->phy, mii_map[a->index], (uint16_t)a->value);
}

static uint32_t timer_ticks(const Rtl8139 *s)
{
    return (uint32_t)((clock_now_ns(CLOCK_GUEST) - s->timer_base_ns) / TIMER_PERIOD_NS);
}

static void timer_rearm(Rtl8139 *s)
{
    int64_t due = s->timer_base_ns + (int64_t)s->timer_int * TIMER_PERIOD_NS;

    if (s->timer_int && due > clock_now_ns(CLOCK_GUEST)) {
        timer_set_ns(&s->timer, due);
    } else {
        timer_cancel(&s->timer);
    }
}

static void timer_expired(void *opaque)
{
    raise_irq(opaque, INT_TIMEOUT);
}

static uint64_t read_tctr(Device *d, const RegAccess *a)
{
    return timer_ticks((Rtl8139 *)d);
}

static void write_tctr(Device *d, const RegAccess *a)
{
    ((Rtl8139 *)d)->timer_base_ns = clock_now_ns(CLOCK_GUEST);
    timer_rearm((Rtl8139 *)d);
}

static void write_timer_int(Device *d, const RegAccess *a)
{
    timer_rearm((Rtl8139 *)d);
}

/* clang-format off */
static const Reg rtl8139_regs[] = {
    REG_ARRAY(Rtl8139, 0x00, idr, .wmask = 0xff, .help = "station address"),
    REG_ARRAY(Rtl8139, 0x08, mar, .wmask = 0xff, .help = "multicast hash"),
    REG_ARRAY(Rtl8139, 0x10, tsd, .reset = TSD_OWN, .wmask = 0xffffffff, .write = write_tsd, .help = "slots' status; C+: tally dump"),
    REG_ARRAY(Rtl8139, 0x20, tsad, .wmask = 0xffffffff, .help = "slots' addresses; C+: the transmit rings"),
    REG(Rtl8139, 0x30, rbstart, .wmask = 0xffffffff, .write = write_rbstart, .help = "receive ring"),
    REG(Rtl8139, 0x34, erbcr), REG(Rtl8139, 0x36, ersr),
    REG(Rtl8139, 0x37, cr, .wmask = CR_TE | CR_RE, .read = read_cr, .write = write_cr, .help = "command"),
    REG(Rtl8139, 0x38, capr, .reset = 0xfff0, .wmask = 0xffff, .write = write_ring, .help = "read so far, less 16"),
    REG(Rtl8139, 0x3a, cbr, .help = "written so far"),
    REG(Rtl8139, 0x3c, imr, .wmask = 0xffff, .write = write_irq, .help = "interrupt mask"),
    REG(Rtl8139, 0x3e, isr, .w1c = 0xffff, .write = write_irq, .help = "interrupt status"),
    REG(Rtl8139, 0x40, tcr, .reset = HW_VERSION, .wmask = 0x030f07f1, .help = "transmit configuration"),
    REG(Rtl8139, 0x44, rcr, .wmask = 0xff0ffff, .write = write_ring, .help = "receive configuration"),
    REG_HOOK(0x48, 4, "tctr", .read = read_tctr, .write = write_tctr, .help = "timer"),
    REG(Rtl8139, 0x4c, mpc, .help = "missed packets"),
    REG(Rtl8139, 0x50, cfg9346, .wmask = 0xfe, .read = read_9346, .write = write_9346, .help = "EEPROM and lock"),
    REG_ARRAY(Rtl8139, 0x51, config, .reset = 0x0c, .wmask = 0xff),
    REG(Rtl8139, 0x54, timer_int, .wmask = 0xffffffff, .write = write_timer_int),
    REG(Rtl8139, 0x58, msr, .read = read_msr, .help = "media status"),
    REG(Rtl8139, 0x59, config3, .reset = 1, .wmask = 0xff), REG(Rtl8139, 0x5a, config4, .wmask = 0xff),
    REG(Rtl8139, 0x5c, mulint, .wmask = 0xffff),
    REG_HOOK(0x60, 2, "tsad_all", .read = read_slots, .help = "all slots"),
    REG_HOOK(0x62, 2, "mii", .count = 5, .read = read_mii, .write = write_mii, .help = "PHY registers"),
    REG_ARRAY(Rtl8139, 0x6c, mii_storage, .wmask = 0xffff, .help = "storage only"),
    REG(Rtl8139, 0xd8, config5, .wmask = 0xff),
    REG(Rtl8139, 0xd9, tppoll, .write = write_tppoll, .help = "C+: transmit poll"),
    REG(Rtl8139, 0xe0, cpcr, .wmask = 0x02ff, .write = write_ring, .help = "C+ command"),
    REG(Rtl8139, 0xe2, intr_mitigate, .wmask = 0xffff),
    REG_ARRAY(Rtl8139, 0xe4, rdsar, .wmask = 0xffffffff, .help = "C+: receive ring"),
    REG(Rtl8139, 0xec, etthr, .wmask = 0xff),
};
/* clang-format on */

static const RegBank rtl8139_banks[] = {
    { .name = "io", .size = 0x100, BANK_REGS(rtl8139_regs), .pio = true, .help = "registers" },
    { .name = "mmio", .size = 0x100, BANK_REGS(rtl8139_regs), .help = "the same in memory" },
    { 0 },
};

/* ---- device ---- */

static void link_changed(NetClient *c, bool up)
{
    Rtl8139 *s = c->opaque;

    mii_set_link(&s->phy, up);
    raise_irq(s, INT_LINK);
}

static const NetOps rtl8139_net_ops = {
    .type = "rtl8139", .can_receive = can_receive, .receive = receive, .link_changed = link_changed,
};

static bool rtl8139_realize(Device *d, GError **error)
{
    Rtl8139 *s = (Rtl8139 *)d;

    nic_settle_mac(s->mac);
    eeprom93_init(&s->eeprom, 64);
    s->eeprom.words[0] = 0x8129;
    s->eeprom.words[1] = 0x10ec;
    s->eeprom.words[2] = 0x8139;
    for (unsigned i = 0; i < 3; i++) {
        s->eeprom.words[7 + i] = load_le16(s->mac + 2 * i);
    }
    s->kick_bh = bh_new(run_kicks, s);
    timer_init(&s->timer, CLOCK_GUEST, timer_expired, s);
    nic_attach(&s->nic, &rtl8139_net_ops, d, s->peer);
    return true;
}

static void rtl8139_unrealize(Device *d)
{
    Rtl8139 *s = (Rtl8139 *)d;

    timer_cancel(&s->timer);
    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

static void rtl8139_reset(Device *d)
{
    Rtl8139 *s = (Rtl8139 *)d;

    memcpy(s->idr, s->mac, 6);
    mii_reset(&s->phy, 1, 0, nic_link_up(&s->nic));
    timer_cancel(&s->timer);
    s->timer_base_ns = clock_now_ns(CLOCK_GUEST);
    s->tx_at = s->tx_hi_at = s->rx_at = s->tx_len = 0;
    s->kicks = 0;
    s->tx_count = s->rx_count = 0;
    pci_set_irq(&s->pci, 0);
}

static const Prop rtl8139_props[] = { NIC_PROPS(Rtl8139), PROP_END };

static const StateField rtl8139_state[] = {
    HOST_ONLY(Rtl8139, nic, "connection to the back end"), HOST_ONLY(Rtl8139, kick_bh, "host side"),
    STATE(Rtl8139, kicks), STATE_STRUCT(Rtl8139, phy, mii_state), STATE_STRUCT(Rtl8139, eeprom, eeprom93_state),
    STATE_TIMER_FIELD(Rtl8139, timer), STATE(Rtl8139, timer_base_ns), STATE(Rtl8139, tx_at),
    STATE(Rtl8139, tx_hi_at), STATE(Rtl8139, rx_at), STATE_COUNT(Rtl8139, tx_len, tx_buf), STATE(Rtl8139, tx_flags),
    STATE(Rtl8139, tx_vlan), STATE(Rtl8139, tx_count), STATE(Rtl8139, rx_count), STATE_RAW(Rtl8139, tx_buf),
    STATE_END,
};

static const PciInfo rtl8139_pci = {
    .vendor = 0x10ec, .device = 0x8139, .class_code = 0x020000, .revision = 0x20, .pin = 1,
    .bar = { [0] = { PCI_BAR_IO, false, "io" }, [1] = { PCI_BAR_MEM32, false, "mmio" } },
    .romfile = "efi-rtl8139.rom",
};

static const DeviceType rtl8139_type = {
    .name = "rtl8139",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .hotpluggable = true,
    .bus_info = &rtl8139_pci,
    .size = sizeof(Rtl8139),
    .state_version = 1,
    .props = rtl8139_props,
    .banks = rtl8139_banks,
    .state = rtl8139_state,
    .realize = rtl8139_realize,
    .unrealize = rtl8139_unrealize,
    .reset = rtl8139_reset,
};
DEVICE_TYPE(rtl8139_type);
