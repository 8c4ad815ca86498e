// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cadence Gigabit Ethernet MAC as in Zynq, Zynq UltraScale+ and Versal (UG585, chapter 16 and
 * appendix B.18; UG1087, GEM module): descriptor rings with 32 or 64 address bits, transmit queues
 * by priority, address filters, checksums on the way out, statistics; with a Marvell 88E1111 PHY
 * behind it. Left out: screening into receive queues, time stamps, pause frames, half duplex.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/net/nic.h"

#define QUEUES 8u
#define MAX_DESCRIPTORS 4096u
#define MAX_FRAME 16383u
#define PHY_ID 0x01410cc2u

enum {
    NCR_LOOP = 1 << 1,
    NCR_RXEN = 1 << 2,
    NCR_TXEN = 1 << 3,
    NCR_CLEAR_STATS = 1 << 5,
    NCR_START = 1 << 9,
    NCR_HALT = 1 << 10
};
#define NCR_KEPT 0xc19fu
enum {
    CFG_JUMBO = 1 << 3,
    CFG_ALL = 1 << 4,
    CFG_NO_BROADCAST = 1 << 5,
    CFG_HASH_GROUPS = 1 << 6,
    CFG_HASH_UNICAST = 1 << 7,
    CFG_1536 = 1 << 8,
    CFG_NO_FCS = 1 << 17
};
enum { DMA_TX_SUMS = 1 << 11, DMA_RX_EXT = 1 << 28, DMA_TX_EXT = 1 << 29, DMA_64 = 1 << 30 };
enum { TSR_USED = 1, TSR_GO = 8, TSR_BUS = 0x10, TSR_DONE = 0x20 };
enum { RSR_NO_BUFFER = 1, RSR_DONE = 2, RSR_BUS = 8 };
enum {
    INT_PHY = 1 << 0,
    INT_RX = 1 << 1,
    INT_RX_USED = 1 << 2,
    INT_TX_USED = 1 << 3,
    INT_TX_ERROR = 1 << 6,
    INT_TX = 1 << 7,
    INT_BUS = 1 << 11
};
/* What the later queues have of them. */
#define QUEUE_INTERRUPTS 0xce6u
/* descriptors */
#define TX_USED (1u << 31)
#define TX_WRAP (1u << 30)
#define TX_LAST (1u << 15)
#define TX_LENGTH 0x3fffu
enum { RX_USED = 1, RX_WRAP = 2, RX_SOF = 1 << 14, RX_EOF = 1 << 15 };
/* counters, in words from 0x100 */
enum { STAT_TX = 0, STAT_RX = 20, STAT_OCTETS = 0, STAT_FRAMES = 2, STAT_SIZES = 6 };
#define STATS 45

typedef struct Gem {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    uint32_t revision, queues, jumbo;      /* properties */
    uint8_t phy_address;
    MiiPhy phy;
    Irq irq;
    uint32_t ncr, cfg, status, user, dma, tsr, rsr, phym, rx_pause, tx_pause, partial[2], jumbo_len;
    uint32_t isr[QUEUES], imr[QUEUES], tx_base[QUEUES], rx_base[QUEUES], tx_at[QUEUES], rx_at[QUEUES];
    uint32_t tx_high, rx_high;
    uint32_t hash[2], address[8], type_match[4], wake, stretch, vlan, stats[STATS];
    uint8_t valid;                         /* which addresses count */
} Gem;

typedef struct GemDescriptor {
    hwaddr at;
    uint64_t buffer;
    uint32_t word[2];
} GemDescriptor;

static void gem_update(Gem *s)
{
    bool up = false;

    for (unsigned q = 0; q < QUEUES; q++) {
        up |= (s->isr[q] & ~s->imr[q]) != 0;
    }
    irq_set(&s->irq, up);
}

static void count(Gem *s, unsigned side, const uint8_t *frame, size_t len)
{
    static const uint16_t upper[] = {64, 127, 255, 511, 1023, 1518};
    uint32_t *c = s->stats + side;
    uint64_t octets = (c[STAT_OCTETS] | (uint64_t)c[STAT_OCTETS + 1] << 32) + len;
    unsigned size = 0;

    c[STAT_OCTETS] = (uint32_t)octets;
    c[STAT_OCTETS + 1] = (octets >> 32) & 0xffff;
    c[STAT_FRAMES]++;
    if (eth_is_broadcast(frame)) {
        c[STAT_FRAMES + 1]++;
    } else if (frame[0] & 1) {
        c[STAT_FRAMES + 2]++;
    }
    while (size < ARRAY_COUNT(upper) && len + 4 > upper[size]) {
        size++;
    }
    c[STAT_SIZES + size]++;
}

static bool read_descriptor(Gem *s, uint32_t at, uint32_t high, bool tx, GemDescriptor *e)
{
    uint8_t raw[12] = {0};
    bool wide = s->dma & DMA_64;

    e->at = (uint64_t)(wide ? high : 0) << 32 | at;
    if (!dma_read(&s->dev, e->at, raw, wide ? 12 : 8)) {
        return false;
    }
    e->word[0] = load_le32(raw);
    e->word[1] = load_le32(raw + 4);
    e->buffer = (tx ? e->word[0] : e->word[0] & ~3u) | (uint64_t)load_le32(raw + 8) << 32;
    return true;
}

static uint32_t descriptor_bytes(const Gem *s, uint32_t extended)
{
    return 8 + (s->dma & DMA_64 ? 8 : 0) + (s->dma & extended ? 8 : 0);
}

/* ---- reception ---- */

/* UG585 16.2.6: each bit is the exclusive or of every sixth bit of the address. */
static unsigned hash_of(const uint8_t *mac)
{
    uint64_t v = load_le32(mac) | (uint64_t)load_le16(mac + 4) << 32;
    unsigned h = 0;

    for (unsigned i = 0; i < 48; i += 6) {
        h ^= v >> i & 63;
    }
    return h;
}

/* Whether the frame is wanted, and the bits of its descriptor that say why. */
static bool gem_wants(const Gem *s, const uint8_t *f, uint32_t *why)
{
    bool group = f[0] & 1;
    unsigned h = hash_of(f);

    *why = 0;
    if (eth_is_broadcast(f)) {
        *why = 1u << 31;
        return !(s->cfg & CFG_NO_BROADCAST) || s->cfg & CFG_ALL;
    }
    if (s->cfg & (group ? CFG_HASH_GROUPS : CFG_HASH_UNICAST) && s->hash[h >> 5] >> (h & 31) & 1) {
        *why = group ? 1u << 30 : 1u << 29;
        return true;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (s->valid >> i & 1 && load_le32(f) == s->address[2 * i] &&
            load_le16(f + 4) == (s->address[2 * i + 1] & 0xffff)) {
            *why = 1u << 27 | i << 25;
            return true;
        }
    }
    return s->cfg & CFG_ALL;
}

static bool gem_can_receive(NetClient *c)
{
    Gem *s = c->opaque;
    GemDescriptor e;

    return s->ncr & NCR_RXEN && read_descriptor(s, s->rx_at[0], s->rx_high, false, &e) &&
           !(e.word[0] & RX_USED);
}

/* Puts bytes into the next buffer; 0: there is none. */
static size_t put_buffer(Gem *s, const uint8_t *data, size_t left, uint32_t status, bool first)
{
    GemDescriptor e;
    uint32_t offset = first ? s->cfg >> 14 & 3 : 0, room = (s->dma >> 16 & 0xff) * 64;
    size_t n;

    if (!read_descriptor(s, s->rx_at[0], s->rx_high, false, &e) || e.word[0] & RX_USED ||
        room <= offset) {
        s->rsr |= RSR_NO_BUFFER;
        s->isr[0] |= INT_RX_USED;
        return 0;
    }
    n = MIN(left, room - offset);
    if (!dma_write(&s->dev, e.buffer + offset, data, n)) {
        s->rsr |= RSR_BUS;
        s->isr[0] |= INT_BUS;
        return 0;
    }
    dma_store(&s->dev, e.at + 4, status | (first ? RX_SOF : 0) | (n == left ? RX_EOF : 0), 4,
              DEV_LITTLE);
    dma_store(&s->dev, e.at, e.word[0] | RX_USED, 4, DEV_LITTLE);
    s->rx_at[0] =
        e.word[0] & RX_WRAP ? s->rx_base[0] : s->rx_at[0] + descriptor_bytes(s, DMA_RX_EXT);
    return n;
}

static size_t longest(const Gem *s)
{
    return s->cfg & CFG_JUMBO ? MIN(s->jumbo_len, MAX_FRAME) : s->cfg & CFG_1536 ? 1536 : 1518;
}

static ssize_t gem_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Gem *s = c->opaque;
    uint8_t padded[MAX_FRAME + 4];
    size_t full = MAX(len, ETH_MIN_FRAME), n;
    uint32_t why;

    if (!(s->ncr & NCR_RXEN) || len < ETH_HEADER || full + 4 > longest(s)) {
        return -1;
    }
    if (!gem_wants(s, frame, &why)) {
        return (ssize_t)len;
    }
    memset(padded, 0, ETH_MIN_FRAME);
    memcpy(padded, frame, len);
    store_le32(padded + full, eth_fcs(padded, full));
    full += s->cfg & CFG_NO_FCS ? 0 : 4;
    for (size_t done = 0; done < full; done += n) {
        n = put_buffer(s, padded + done, full - done, why | (uint32_t)full, done == 0);
        if (n == 0) {
            gem_update(s);
            return done ? (ssize_t)len : 0;
        }
    }
    count(s, STAT_RX, frame, len);
    s->rsr |= RSR_DONE;
    s->isr[0] |= INT_RX;
    gem_update(s);
    return (ssize_t)len;
}

static void gem_link_changed(NetClient *c, bool up)
{
    Gem *s = c->opaque;

    mii_set_gigabit_link(&s->phy, up);
}

static const NetOps gem_net_ops = {
    .type = "nic", .can_receive = gem_can_receive, .receive = gem_receive, .link_changed = gem_link_changed,
};

/* ---- transmission ---- */

static void frame_out(Gem *s, uint8_t *frame, size_t len)
{
    if (s->dma & DMA_TX_SUMS) {
        eth_insert_checksums(frame, len, true);
    }
    count(s, STAT_TX, frame, len);
    if (s->ncr & NCR_LOOP) {
        gem_receive(&s->nic, frame, len);
    } else {
        net_send(&s->nic, frame, len);
    }
}

static void queue_failed(Gem *s, unsigned q, uint32_t interrupt)
{
    s->tsr |= interrupt == INT_TX_USED ? TSR_USED : TSR_BUS;
    s->isr[q] |= q ? interrupt & QUEUE_INTERRUPTS : interrupt;
}

static void queue_send(Gem *s, unsigned q)
{
    uint8_t frame[MAX_FRAME];
    GemDescriptor e, first = {0};
    size_t len = 0;
    bool within = false;

    for (unsigned i = 0; i < MAX_DESCRIPTORS; i++) {
        uint32_t n;

        if (!read_descriptor(s, s->tx_at[q], s->tx_high, true, &e)) {
            queue_failed(s, q, INT_TX_ERROR);
            return;
        }
        if (e.word[1] & TX_USED) {
            queue_failed(s, q, INT_TX_USED);
            return;
        }
        if (!within) {
            first = e;
            len = 0;
            within = true;
        }
        n = e.word[1] & TX_LENGTH;
        if (n > sizeof(frame) - len || !dma_read(&s->dev, e.buffer, frame + len, n)) {
            queue_failed(s, q, INT_TX_ERROR);
            return;
        }
        len += n;
        s->tx_at[q] = e.word[1] & TX_WRAP ? s->tx_base[q]
                                          : s->tx_at[q] + descriptor_bytes(s, DMA_TX_EXT);
        if (e.word[1] & TX_LAST) {
            if (len >= ETH_HEADER) {
                frame_out(s, frame, len);
            }
            dma_store(&s->dev, first.at + 4, first.word[1] | TX_USED, 4, DEV_LITTLE);
            s->tsr |= TSR_DONE;
            s->isr[q] |= INT_TX;
            within = false;
        }
    }
}

/* The queue of the highest number goes first. */
static void gem_send(Gem *s)
{
    if (!(s->ncr & NCR_TXEN)) {
        return;
    }
    for (unsigned q = s->queues; q-- > 0;) {
        queue_send(s, q);
    }
    gem_update(s);
}

/* ---- registers ---- */

static void gem_ncr_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    if (a->value & NCR_CLEAR_STATS) {
        memset(s->stats, 0, sizeof(s->stats));
    }
    if (!(s->ncr & NCR_TXEN)) {
        memcpy(s->tx_at, s->tx_base, sizeof(s->tx_at));
    }
    if (a->value & NCR_START) {
        gem_send(s);
    }
    net_ready(&s->nic);
}

static uint64_t gem_isr_read(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;
    unsigned q = a->reg->offset == 0x24 ? 0 : a->index + 1;
    uint32_t v = s->isr[q];

    s->isr[q] = 0;
    gem_update(s);
    return v;
}

/* In IMR a one keeps the interrupt out. */
static void gem_ier_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    s->imr[a->reg->offset == 0x28 ? 0 : a->index + 1] &= ~(uint32_t)a->value;
    gem_update(s);
    net_ready(&s->nic);      /* drivers come here when they have emptied the ring */
}

static void gem_idr_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    s->imr[a->reg->offset == 0x2c ? 0 : a->index + 1] |= (uint32_t)a->value & 0x7ffffff;
    gem_update(s);
}

static void gem_phym_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;
    unsigned op = s->phym >> 28 & 3, phy = s->phym >> 23 & 31, reg = s->phym >> 18 & 31;
    bool mine = phy == s->phy_address;

    if (op == 2) {
        s->phym = (s->phym & 0xffff0000) | (mine ? mii_read(&s->phy, reg) : 0xffff);
    } else if (op == 1 && mine) {
        mii_write(&s->phy, reg, (uint16_t)s->phym);
        if (reg == 0 && s->phym & 0x8000) {
            mii_set_gigabit_link(&s->phy, nic_link_up(&s->nic));
        }
    }
    s->isr[0] |= INT_PHY;
    gem_update(s);
}

/* An address counts when its upper half was written. */
static void gem_address_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    if (a->index & 1) {
        s->valid |= 1u << a->index / 2;
    } else {
        s->valid &= ~(1u << a->index / 2);
    }
}

static unsigned queue_of(const RegAccess *a)
{
    return a->reg->offset < 0x400 ? 0 : a->index + 1;
}

static uint64_t gem_rx_read(Device *d, const RegAccess *a)
{
    return ((Gem *)d)->rx_at[queue_of(a)];
}

static void gem_rx_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    s->rx_at[queue_of(a)] = s->rx_base[queue_of(a)];
    net_ready(&s->nic);
}

static uint64_t gem_tx_read(Device *d, const RegAccess *a)
{
    return ((Gem *)d)->tx_at[queue_of(a)];
}

static void gem_tx_write(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    s->tx_at[queue_of(a)] = s->tx_base[queue_of(a)];
}

static uint64_t gem_stat_read(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;
    uint32_t v = s->stats[a->index];

    s->stats[a->index] = 0;
    return v;
}

static uint64_t gem_revision_read(Device *d, const RegAccess *a)
{
    return ((Gem *)d)->revision;
}

/* Design configuration: interrupts are cleared by reading, 64-bit addresses, which queues. */
static uint64_t gem_design_read(Device *d, const RegAccess *a)
{
    Gem *s = (Gem *)d;

    switch (a->index) {
    case 0:
        return 0x02d00111;
    case 1:
        return 0x2ab10000 | s->jumbo;
    case 4:
        return 0x002f2045;
    case 5:
        return 0x00800000 | (((1u << s->queues) - 1) & ~1u);
    default:
        return 0;
    }
}

static void gem_reset(Device *d)
{
    Gem *s = (Gem *)d;

    s->jumbo_len = s->jumbo;
    s->address[0] = load_le32(s->mac);
    s->address[1] = load_le16(s->mac + 4);
    s->valid = 1;
    s->imr[0] = 0x7ffffff;
    memset(s->tx_at, 0, sizeof(s->tx_at));
    memset(s->rx_at, 0, sizeof(s->rx_at));
    for (unsigned q = 1; q < QUEUES; q++) {
        s->imr[q] = q < s->queues ? QUEUE_INTERRUPTS : 0;
    }
    mii_reset(&s->phy, s->phy_address, PHY_ID, false);
    mii_set_gigabit_link(&s->phy, nic_link_up(&s->nic));
}

static bool gem_realize(Device *d, GError **error)
{
    Gem *s = (Gem *)d;

    if (s->queues < 1 || s->queues > QUEUES) {
        return fail(error, "Invalid num-priority-queues value: %u", s->queues);
    }
    if (s->phy_address > 31) {
        return fail(error, "Invalid phy-addr value: %u", s->phy_address);
    }
    if (s->jumbo > MAX_FRAME) {
        return fail(error, "jumbo-max-len is greater than %u", MAX_FRAME);
    }
    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &gem_net_ops, d, s->peer);
    return true;
}

static void gem_unrealize(Device *d)
{
    net_nic_fini(&((Gem *)d)->nic);
}

/* Registers that queues after the first have at 4 bytes each. */
#define QUEUE_REGS(off, f, ...)                                                                \
    { .offset = off, .field = offsetof(Gem, f[1]), .size = 4, .count = QUEUES - 1, .name = #f, \
      __VA_ARGS__ }

/* clang-format off */
static const Reg gem_regs[] = {
    REG(Gem, 0x000, ncr, .wmask = NCR_KEPT, .write = gem_ncr_write, .help = "network control"),
    REG(Gem, 0x004, cfg, .reset = 0x80000, .wmask = 0xffffffff, .help = "network configuration"),
    REG(Gem, 0x008, status, .reset = 6, .help = "network status: the PHY is idle"),
    REG(Gem, 0x00c, user, .wmask = 0xffffffff, .help = "user input and output"),
    REG(Gem, 0x010, dma, .reset = 0x20784, .wmask = 0x71ff0fff, .help = "DMA configuration"),
    REG(Gem, 0x014, tsr, .w1c = 0x1f7, .help = "transmit status"),
    REG(Gem, 0x018, rx_base[0], .wmask = 0xfffffffc, .read = gem_rx_read, .write = gem_rx_write, .help = "receive descriptors"),
    REG(Gem, 0x01c, tx_base[0], .wmask = 0xfffffffc, .read = gem_tx_read, .write = gem_tx_write, .help = "transmit descriptors"),
    REG(Gem, 0x020, rsr, .w1c = 0xf, .help = "receive status"),
    REG(Gem, 0x024, isr[0], .read = gem_isr_read, .help = "interrupts, cleared by reading"),
    REG_HOOK(0x028, 4, "ier", .write = gem_ier_write, .help = "interrupts on"),
    REG_HOOK(0x02c, 4, "idr", .write = gem_idr_write, .help = "interrupts off"),
    REG(Gem, 0x030, imr[0], .help = "interrupts that are off"),
    REG(Gem, 0x034, phym, .wmask = 0xffffffff, .write = gem_phym_write, .help = "access to the PHY"),
    REG(Gem, 0x038, rx_pause, .help = "received pause quantum"),
    REG(Gem, 0x03c, tx_pause, .reset = 0xffff, .wmask = 0xffff, .help = "transmitted pause quantum"),
    REG_ARRAY(Gem, 0x040, partial, .reset = 0x3ff, .wmask = 0x800003ff, .help = "cut through"),
    REG(Gem, 0x048, jumbo_len, .wmask = 0x3fff, .help = "longest jumbo frame"),
    REG_ARRAY(Gem, 0x080, hash, .wmask = 0xffffffff, .help = "hash filter"),
    REG_ARRAY(Gem, 0x088, address, .wmask = 0xffffffff, .write = gem_address_write, .help = "addresses, lower and upper part"),
    REG_ARRAY(Gem, 0x0a8, type_match, .wmask = 0xffffffff, .help = "Ethernet types"),
    REG(Gem, 0x0b8, wake, .wmask = 0xfffff, .help = "wake on LAN"),
    REG(Gem, 0x0bc, stretch, .wmask = 0xffff, .help = "gap between frames"),
    REG(Gem, 0x0c0, vlan, .wmask = 0xffffffff, .help = "stacked VLAN"),
    REG_HOOK(0x0fc, 4, "module_id", .read = gem_revision_read, .help = "revision"),
    REG_ARRAY(Gem, 0x100, stats, .wmask = 0, .read = gem_stat_read, .help = "counters, cleared by reading"),
    REG_HOOK(0x280, 4, "design_cfg", .count = 8, .read = gem_design_read, .help = "what was built"),
    QUEUE_REGS(0x400, isr, .read = gem_isr_read, .help = "interrupts of queues"),
    QUEUE_REGS(0x440, tx_base, .wmask = 0xfffffffc, .read = gem_tx_read, .write = gem_tx_write, .help = "transmit descriptors of queues"),
    QUEUE_REGS(0x480, rx_base, .wmask = 0xfffffffc, .read = gem_rx_read, .write = gem_rx_write, .help = "receive descriptors of queues"),
    REG(Gem, 0x4c8, tx_high, .wmask = 0xffffffff, .help = "upper half of transmit descriptors' addresses"),
    REG(Gem, 0x4d4, rx_high, .wmask = 0xffffffff, .help = "upper half of receive descriptors' addresses"),
    REG_HOOK(0x600, 4, "ier_q", .count = QUEUES - 1, .write = gem_ier_write, .help = "interrupts of queues on"),
    REG_HOOK(0x620, 4, "idr_q", .count = QUEUES - 1, .write = gem_idr_write, .help = "interrupts of queues off"),
    QUEUE_REGS(0x640, imr, .help = "interrupts of queues that are off"),
};
/* clang-format on */

static const RegBank gem_banks[] = {
    {.name = "mmio", .size = 0x800, BANK_REGS(gem_regs), .help = "controller"}, {0}};
static const Prop gem_props[] = {
    NIC_PROPS(Gem),
    PROP_U32(Gem, revision, "revision", 0x20118, .help = "of the controller"),
    PROP_U8(Gem, phy_address, "phy-addr", 7, .help = "where the PHY answers"),
    PROP_U32(Gem, queues, "num-priority-queues", 1, .help = "transmit queues"),
    PROP_U32(Gem, jumbo, "jumbo-max-len", 10240, .help = "longest frame"),
    PROP_END,
};
static const PinRow gem_pins[] = {PIN_OUT(Gem, irq, "irq"), PIN_END};
static const StateField gem_state[] = {
    HOST_ONLY(Gem, nic, "host side"), STATE_STRUCT(Gem, phy, mii_state), STATE_ARRAY(Gem, tx_at),
    STATE_ARRAY(Gem, rx_at), STATE(Gem, valid), STATE_END,
};
static const DeviceType gem_type = {
    .name = "cadence_gem", .category = "network", .desc = "Cadence Gigabit Ethernet MAC", .internal = true, .size = sizeof(Gem),
    .state_version = 1, .props = gem_props, .banks = gem_banks, .pins = gem_pins, .state = gem_state, .realize = gem_realize,
    .unrealize = gem_unrealize, .reset = gem_reset,
};
DEVICE_TYPE(gem_type);
