// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faraday FTGMAC100 gigabit Ethernet controller as Aspeed's BMCs have it (AST2500 datasheet,
 * chapter 15), with a PHY behind its own management registers or, on the AST2600, behind the
 * separate management controller ("aspeed-mmi"). Left out: the high priority transmit ring's own
 * pacing, wake on LAN, VLAN removal, frames in several receive buffers.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/net/nic.h"
#include "qom/prop.h"

#define PHY_ID 0x001cc915u
#define MAX_DESCRIPTORS 512u
#define MAX_FRAME 10240u

enum {
    INT_RX = 1,
    INT_NO_RX = 4,
    INT_RX_LOST = 8,
    INT_TX_SENT = 0x10,
    INT_TX_FIFO = 0x20,
    INT_NO_TX = 0x40,
    INT_BUS = 0x100,
    INT_NO_HIGH_TX = 0x400
};
enum {
    MAC_TX_DMA = 1,
    MAC_RX_DMA = 2,
    MAC_TX = 4,
    MAC_RX = 8,
    MAC_HIGH = 0x20,
    MAC_RUNT = 1 << 12,
    MAC_JUMBO = 1 << 13,
    MAC_ALL = 1 << 14,
    MAC_HASH = 1 << 15,
    MAC_MULTICAST = 1 << 16,
    MAC_BROADCAST = 1 << 17
};
#define MAC_RESET (1u << 31)
#define DES_OWN (1u << 31)
#define DES_END (1u << 30)
enum {
    DES_FIRST = 1 << 29,
    DES_LAST = 1 << 28,
    DES_SIZE = 0x3fff,
    RX_BROADCAST = 1 << 17,
    RX_MULTICAST = 1 << 16,
    TX_CHECKSUM_L4 = 3 << 17,
    TX_CHECKSUM_IP = 1 << 19
};
#define TX_INTERRUPT (1u << 30)
enum {
    MII_READ = 1 << 26,
    MII_WRITE = 1 << 27
};

typedef struct Ftgmac100 {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    bool aspeed; /* property: bit 30 ends a ring, not 15 */
    MiiPhy phy;
    Irq irq;
    uint32_t isr, ier, addr[2], hash[2], tx_ring, rx_ring, high_ring, itc, aptc, dblac, revr, fear,
        tpafcr, rbsr, maccr, tm, phycr, phydata, fcr, tx_at[2], rx_at;
    uint8_t frame[MAX_FRAME]; /* being gathered from descriptors */
    uint32_t frame_len, frame_flags;
} Ftgmac100;

static void gmac_update(Ftgmac100 *s)
{
    irq_set(&s->irq, (s->isr & s->ier) != 0);
}

static uint32_t descriptor_bytes(const Ftgmac100 *s, bool rx)
{
    uint32_t n = (rx ? s->dblac >> 12 : s->dblac >> 16) & 15;

    return MAX(n, 2) * 8;
}

static bool read_descriptor(Ftgmac100 *s, uint32_t at, uint32_t w[4])
{
    uint8_t raw[16];

    if (!dma_read(&s->dev, at, raw, sizeof(raw))) {
        s->isr |= INT_BUS;
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        w[i] = load_le32(raw + 4 * i);
    }
    return true;
}

static uint32_t end_bit(const Ftgmac100 *s)
{
    return s->aspeed ? DES_END : 1u << 15;
}

/* ---- transmission ---- */

static void send_frame(Ftgmac100 *s)
{
    if (s->frame_len >= 14) {
        if (s->frame_flags & (TX_CHECKSUM_L4 | TX_CHECKSUM_IP)) {
            eth_insert_checksums(s->frame, s->frame_len, s->frame_flags & TX_CHECKSUM_IP);
        }
        net_send(&s->nic, s->frame, s->frame_len);
        s->isr |= INT_TX_SENT;
    }
    s->frame_len = 0;
}

/* One descriptor; false when the ring has nothing more. */
static bool send_descriptor(Ftgmac100 *s, uint32_t ring, uint32_t *at, uint32_t none)
{
    uint32_t w[4], n;

    if (!read_descriptor(s, *at, w)) {
        return false;
    }
    if (!(w[0] & DES_OWN)) {
        s->isr |= none;
        return false;
    }
    if (w[0] & DES_FIRST) {
        s->frame_len = 0;
        s->frame_flags = w[1];
    }
    n = MIN(w[0] & DES_SIZE, MAX_FRAME - s->frame_len);
    if (dma_read(&s->dev, w[3], s->frame + s->frame_len, n)) {
        s->frame_len += n;
    } else {
        s->isr |= INT_BUS;
    }
    if (w[0] & DES_LAST) {
        send_frame(s);
    }
    s->isr |= w[1] & TX_INTERRUPT ? INT_TX_FIFO : 0;
    dma_store(&s->dev, *at, w[0] & ~DES_OWN, 4, DEV_LITTLE);
    *at = w[0] & end_bit(s) ? ring : *at + descriptor_bytes(s, false);
    return true;
}

static void gmac_send(Ftgmac100 *s, bool high)
{
    if ((s->maccr & (MAC_TX_DMA | MAC_TX)) != (MAC_TX_DMA | MAC_TX)) {
        return;
    }
    for (unsigned i = 0; i < MAX_DESCRIPTORS; i++) {
        if (!send_descriptor(s, high ? s->high_ring : s->tx_ring, &s->tx_at[high],
                             high ? INT_NO_HIGH_TX : INT_NO_TX)) {
            break;
        }
    }
    gmac_update(s);
}

/* ---- reception ---- */

static bool gmac_wants(const Ftgmac100 *s, const uint8_t *f)
{
    if (s->maccr & MAC_ALL) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return s->maccr & MAC_BROADCAST;
    }
    if (f[0] & 1) {
        uint32_t bit = ~eth_hash_be(f) >> 2 & 63;

        return s->maccr & MAC_MULTICAST ||
               (s->maccr & MAC_HASH && s->hash[bit / 32] >> (bit & 31) & 1);
    }
    return f[0] == (s->addr[0] >> 8 & 0xff) && f[1] == (s->addr[0] & 0xff) &&
           load_be32(f + 2) == s->addr[1];
}

static bool gmac_can_receive(NetClient *c)
{
    Ftgmac100 *s = c->opaque;

    return (s->maccr & (MAC_RX_DMA | MAC_RX)) == (MAC_RX_DMA | MAC_RX);
}

static ssize_t gmac_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Ftgmac100 *s = c->opaque;
    uint32_t w[4], max = MIN(s->rbsr & DES_SIZE, MAX_FRAME);
    uint8_t pad[ETH_MIN_FRAME];

    if (!gmac_can_receive(c) || len < 14) {
        return -1;
    }
    if (!gmac_wants(s, frame)) {
        return (ssize_t)len;
    }
    if (!read_descriptor(s, s->rx_at, w)) {
        gmac_update(s);
        return -1;
    }
    if (w[0] & DES_OWN) { /* what was received is still there */
        s->isr |= INT_NO_RX;
        gmac_update(s);
        return 0;
    }
    size_t n = eth_pad(&frame, len, pad);

    n = MIN(n, max);
    if (!dma_write(&s->dev, w[3], frame, n)) {
        s->isr |= INT_BUS;
        gmac_update(s);
        return -1;
    }
    w[0] = (w[0] & end_bit(s)) | DES_OWN | DES_FIRST | DES_LAST | (uint32_t)n |
           (eth_is_broadcast(frame) ? RX_BROADCAST
            : frame[0] & 1          ? RX_MULTICAST
                                    : 0);
    dma_store(&s->dev, s->rx_at + 4, 0, 4, DEV_LITTLE);
    dma_store(&s->dev, s->rx_at, w[0], 4, DEV_LITTLE);
    s->rx_at = w[0] & end_bit(s) ? s->rx_ring : s->rx_at + descriptor_bytes(s, true);
    s->isr |= INT_RX;
    gmac_update(s);
    return (ssize_t)len;
}

static void gmac_link_changed(NetClient *c, bool up)
{
    mii_set_gigabit_link(&((Ftgmac100 *)c->opaque)->phy, up);
}

static const NetOps gmac_net_ops = {
    .type = "nic",
    .can_receive = gmac_can_receive,
    .receive = gmac_receive,
    .link_changed = gmac_link_changed,
};

/* ---- registers ---- */

static void gmac_soft_reset(Ftgmac100 *s)
{
    s->isr = s->ier = s->tx_ring = s->rx_ring = s->high_ring = s->rx_at = 0;
    s->tx_at[0] = s->tx_at[1] = s->frame_len = 0;
    s->maccr &= 0x000c0280; /* the clocks and what the link is like stay */
    s->itc = s->aptc = 0;
    s->dblac = 0x22f00;
    gmac_update(s);
}

static void gmac_reset(Device *d)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    mii_reset(&s->phy, 0, PHY_ID, false);
    mii_set_gigabit_link(&s->phy, nic_link_up(&s->nic));
    s->addr[0] = load_be16(s->mac);
    s->addr[1] = load_be32(s->mac + 2);
    s->frame_len = s->frame_flags = 0;
}

static void gmac_changed(Device *d, const RegAccess *a)
{
    gmac_update((Ftgmac100 *)d);
}

static void gmac_control_write(Device *d, const RegAccess *a)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    if (s->maccr & MAC_RESET) {
        gmac_soft_reset(s);
        return;
    }
    gmac_send(s, false);
    net_ready(&s->nic);
}

static void gmac_poll_write(Device *d, const RegAccess *a)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    if (a->reg->offset == 0x1c) {
        net_ready(&s->nic);
    } else {
        gmac_send(s, a->reg->offset == 0x28);
    }
}

static void gmac_ring_write(Device *d, const RegAccess *a)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    s->rx_at = a->reg->offset == 0x24 ? s->rx_ring : s->rx_at;
    s->tx_at[0] = a->reg->offset == 0x20 ? s->tx_ring : s->tx_at[0];
    s->tx_at[1] = a->reg->offset == 0x2c ? s->high_ring : s->tx_at[1];
}

static void gmac_phy_write(Device *d, const RegAccess *a)
{
    Ftgmac100 *s = (Ftgmac100 *)d;
    unsigned reg = s->phycr >> 21 & 31, phy = s->phycr >> 16 & 31;

    if (s->phycr & MII_WRITE && phy == 0) {
        mii_write(&s->phy, reg, (uint16_t)s->phydata);
    } else if (s->phycr & MII_READ) {
        s->phydata = (s->phydata & 0xffff) | (phy == 0 ? (uint32_t)mii_read(&s->phy, reg) : 0xffff)
                                                 << 16;
    }
    s->phycr &= ~(uint32_t)(MII_READ | MII_WRITE);
}

static bool gmac_realize(Device *d, GError **error)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &gmac_net_ops, d, s->peer);
    return true;
}

static void gmac_unrealize(Device *d)
{
    net_nic_fini(&((Ftgmac100 *)d)->nic);
}

static void gmac_post_load(Device *d)
{
    Ftgmac100 *s = (Ftgmac100 *)d;

    s->frame_len = MIN(s->frame_len, MAX_FRAME);
}

/* clang-format off */
static const Reg gmac_regs[] = {
    REG(Ftgmac100, 0x00, isr, .w1c = 0x7ff, .write = gmac_changed, .help = "interrupts"),
    REG(Ftgmac100, 0x04, ier, .wmask = 0x7ff, .write = gmac_changed, .help = "interrupt enables"),
    REG_ARRAY(Ftgmac100, 0x08, addr, .wmask = 0xffffffff, .help = "address, first bytes first"),
    REG_ARRAY(Ftgmac100, 0x10, hash, .wmask = 0xffffffff, .help = "hash of groups"),
    REG_HOOK(0x18, 4, "tx_poll", .write = gmac_poll_write, .help = "looks for frames to send"),
    REG_HOOK(0x1c, 4, "rx_poll", .write = gmac_poll_write, .help = "looks for buffers"),
    REG(Ftgmac100, 0x20, tx_ring, .wmask = 0xfffffff0, .write = gmac_ring_write, .help = "transmit ring"),
    REG(Ftgmac100, 0x24, rx_ring, .wmask = 0xfffffff0, .write = gmac_ring_write, .help = "receive ring"),
    REG_HOOK(0x28, 4, "high_poll", .write = gmac_poll_write, .help = "looks for urgent frames to send"),
    REG(Ftgmac100, 0x2c, high_ring, .wmask = 0xfffffff0, .write = gmac_ring_write, .help = "urgent transmit ring"),
    REG(Ftgmac100, 0x30, itc, .wmask = 0xffffffff, .help = "interrupt pacing"),
    REG(Ftgmac100, 0x34, aptc, .wmask = 0xffffffff, .help = "automatic polling"),
    REG(Ftgmac100, 0x38, dblac, .reset = 0x22f00, .wmask = 0xffffffff, .help = "bursts, sizes of descriptors"),
    REG(Ftgmac100, 0x40, revr, .wmask = 0x80000000, .help = "revision, kind of management"),
    REG(Ftgmac100, 0x44, fear, .reset = 0, .help = "features"),
    REG(Ftgmac100, 0x48, tpafcr, .reset = 0xf1, .wmask = 0xffffffff, .help = "priorities, FIFOs"),
    REG(Ftgmac100, 0x4c, rbsr, .reset = 0x640, .wmask = 0x3fff, .help = "size of receive buffers"),
    REG(Ftgmac100, 0x50, maccr, .wmask = 0x800fffff, .write = gmac_control_write, .help = "control"),
    REG(Ftgmac100, 0x58, tm, .wmask = 0xffffffff, .help = "test mode"),
    REG(Ftgmac100, 0x60, phycr, .wmask = 0xffffffff, .write = gmac_phy_write, .help = "access to the PHY"),
    REG(Ftgmac100, 0x64, phydata, .wmask = 0xffff, .help = "its data: written, read"),
    REG(Ftgmac100, 0x68, fcr, .reset = 0x400, .wmask = 0xffffffff, .help = "flow control"),
    REG(Ftgmac100, 0x90, tx_at[0], .help = "transmit descriptor at work"),
    REG(Ftgmac100, 0x94, tx_at[1], .help = "urgent transmit descriptor at work"),
    REG(Ftgmac100, 0x98, rx_at, .help = "receive descriptor at work"),
};
static const RegBank gmac_banks[] = {{.name = "mmio", .size = 0x2000, BANK_REGS(gmac_regs), .help = "controller"}, {0}};
static const Prop gmac_props[] = {NIC_PROPS(Ftgmac100), PROP_BOOL(Ftgmac100, aspeed, "aspeed", false, .help = "rings end as Aspeed's do"), PROP_END};
static const PinRow gmac_pins[] = {PIN_OUT(Ftgmac100, irq, "irq"), PIN_END};
static const StateField gmac_state[] = {
    HOST_ONLY(Ftgmac100, nic, "host side"), STATE_STRUCT(Ftgmac100, phy, mii_state), STATE_RAW(Ftgmac100, frame), STATE_COUNT(Ftgmac100, frame_len, frame),
    STATE(Ftgmac100, frame_flags), STATE_END,
};

static const DeviceType gmac_type = {
    .name = "ftgmac100", .category = "network", .desc = "Faraday gigabit Ethernet controller", .internal = true, .size = sizeof(Ftgmac100),
    .state_version = 1, .props = gmac_props, .banks = gmac_banks, .pins = gmac_pins, .state = gmac_state, .realize = gmac_realize,
    .unrealize = gmac_unrealize, .reset = gmac_reset, .post_load = gmac_post_load,
};
DEVICE_TYPE(gmac_type);
/* clang-format on */

/* ---- the management controller of the AST2600 ---- */

enum {
    MMI_OP_WRITE = 1,
    MMI_OP_READ = 2,
    MMI_IDLE = 1 << 16
};
#define MMI_FIRE (1u << 31)

typedef struct Mmi {
    Device dev;
    Object *nic; /* property: whose PHY it manages */
    uint32_t ctrl, data;
} Mmi;

static void mmi_write(Device *d, const RegAccess *a)
{
    Mmi *s = (Mmi *)d;
    MiiPhy *phy = &((Ftgmac100 *)s->nic)->phy;
    unsigned op = s->ctrl >> 26 & 3, at = s->ctrl >> 21 & 31, reg = s->ctrl >> 16 & 31;

    if (!(s->ctrl & MMI_FIRE)) {
        return;
    }
    s->ctrl &= ~MMI_FIRE;
    if (op == MMI_OP_WRITE && at == 0) {
        mii_write(phy, reg, (uint16_t)s->ctrl);
    } else if (op == MMI_OP_READ) {
        s->data = at == 0 ? mii_read(phy, reg) : 0xffff;
    }
}

static uint64_t mmi_data_read(Device *d, const RegAccess *a)
{
    return MMI_IDLE | ((Mmi *)d)->data;
}

static const Reg mmi_regs[] = {
    REG(Mmi, 0x00, ctrl, .wmask = 0xffffffff, .write = mmi_write, .help = "access to the PHY"),
    REG(Mmi, 0x04, data, .read = mmi_data_read, .help = "what was read; bit 16 idle"),
};
static const RegBank mmi_banks[] = {
    {.name = "mmio", .size = 8, BANK_REGS(mmi_regs), .help = "management"}, {0}};
static const Prop mmi_props[] = {PROP_LINK(Mmi, nic, "nic", "ftgmac100"), PROP_END};

static bool mmi_realize(Device *d, GError **error)
{
    return ((Mmi *)d)->nic || fail(error, "aspeed-mmi: property 'nic' is not set");
}

static const DeviceType mmi_type = {
    .name = "aspeed-mmi",
    .category = "network",
    .desc = "Aspeed MDIO controller",
    .internal = true,
    .size = sizeof(Mmi),
    .state_version = 1,
    .props = mmi_props,
    .banks = mmi_banks,
    .realize = mmi_realize,
};
DEVICE_TYPE(mmi_type);
