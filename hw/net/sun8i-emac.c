// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet MAC of the Allwinner H3 (H3 Datasheet 8.10) with its internal PHY: rings of descriptors
 * in memory, one frame in one or more buffers. Left out: IPv4 header checksums, time stamps, flow
 * control, hash filters of unicast addresses.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/net/nic.h"

#define PHY_ID 0x00441400u
#define PHY_ADDRESS 1
#define MAX_DESCRIPTORS 1024u
#define MAX_FRAME 2048u

enum { CTL1_RESET = 1 };
enum {
    INT_TX = 1 << 0,
    INT_TX_STOP = 1 << 1,
    INT_TX_UA = 1 << 2,
    INT_RX = 1 << 8,
    INT_RX_UA = 1 << 9
};
#define ENABLE (1u << 31)
#define DMA_ENABLE (1u << 30)
enum {
    FLT_ALL = 1 << 0,
    FLT_HASH_MULTICAST = 1 << 9,
    FLT_ALL_MULTICAST = 1 << 16,
    FLT_NO_BROADCAST = 1 << 17
};
#define FLT_OFF (1u << 31)
enum { MDIO_BUSY = 1, MDIO_WRITE = 2 };
/* descriptors: status, size and flags, buffer, next */
#define DES_OWN (1u << 31)
enum { RX_FIRST = 1 << 9, RX_LAST = 1 << 8, SIZE_MASK = 0x7ff };
#define TX_FIRST (1u << 29)
#define TX_LAST (1u << 30)
#define TX_INTERRUPT (1u << 31)

typedef struct Emac {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    MiiPhy phy;
    Irq irq;
    uint32_t basic0, basic1, int_sta, int_en, tx_ctl0, tx_ctl1, tx_flow, tx_list, rx_ctl0, rx_ctl1, rx_list, rx_flt, hash[2];
    uint32_t mdio_cmd, mdio_data, addr[16];     /* high and low halves */
    uint32_t tx_cur, rx_cur, rgmii;
} Emac;

typedef struct EmacDescriptor {
    uint32_t status, size, buffer, next;
} EmacDescriptor;

static void emac_update(Emac *s)
{
    irq_set(&s->irq, (s->int_sta & s->int_en) != 0);
}

static bool read_descriptor(Emac *s, uint32_t at, EmacDescriptor *e)
{
    uint8_t raw[16];

    if (!dma_read(&s->dev, at, raw, sizeof(raw))) {
        return false;
    }
    *e = (EmacDescriptor){load_le32(raw), load_le32(raw + 4), load_le32(raw + 8),
                          load_le32(raw + 12)};
    return true;
}

static uint32_t buffer_size(const EmacDescriptor *e)
{
    return e->size & SIZE_MASK ? e->size & SIZE_MASK : 2048;
}

/* ---- transmission ---- */

static void emac_send(Emac *s)
{
    uint8_t frame[MAX_FRAME];
    size_t len = 0;
    uint32_t sums = 0;

    if (!(s->tx_ctl0 & ENABLE) || !(s->tx_ctl1 & DMA_ENABLE)) {
        return;
    }
    for (unsigned i = 0; i < MAX_DESCRIPTORS; i++) {
        EmacDescriptor e;

        if (!read_descriptor(s, s->tx_cur, &e) || !(e.status & DES_OWN)) {
            s->int_sta |= INT_TX_UA;
            break;
        }
        uint32_t n = MIN(buffer_size(&e), (uint32_t)(sizeof(frame) - len));

        if (e.size & TX_FIRST) {
            len = 0;
            sums = e.size;
        }
        if (dma_read(&s->dev, e.buffer, frame + len, n)) {
            len += n;
        }
        if (e.size & TX_LAST) {
            if ((sums | e.size) >> 27 & 3) {     /* 3: those of TCP and UDP, too */
                eth_insert_checksums(frame, len, false);
            }
            net_send(&s->nic, frame, len);
            len = 0;
        }
        dma_store(&s->dev, s->tx_cur, e.status & ~DES_OWN, 4, DEV_LITTLE);
        s->int_sta |= e.size & TX_INTERRUPT ? INT_TX : 0;
        s->tx_cur = e.next;
    }
    emac_update(s);
}

/* ---- reception ---- */

static bool emac_wants(const Emac *s, const uint8_t *f)
{
    if (s->rx_flt & (FLT_OFF | FLT_ALL)) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return !(s->rx_flt & FLT_NO_BROADCAST);
    }
    if (f[0] & 1) {
        uint32_t bit = eth_hash_be(f) >> 26;

        return s->rx_flt & FLT_ALL_MULTICAST || s->hash[bit < 32] >> (bit & 31) & 1;
    }
    for (unsigned i = 0; i < 8; i++) {
        if ((i == 0 || s->addr[2 * i] & ENABLE) && load_le32(f) == s->addr[2 * i + 1] &&
            load_le16(f + 4) == (s->addr[2 * i] & 0xffff)) {
            return true;
        }
    }
    return false;
}

static bool emac_can_receive(NetClient *c)
{
    Emac *s = c->opaque;
    EmacDescriptor e;

    return s->rx_ctl0 & ENABLE && s->rx_ctl1 & DMA_ENABLE && read_descriptor(s, s->rx_cur, &e) &&
           e.status & DES_OWN;
}

/* One buffer; its descriptor goes back to software. False: there is none. */
static bool put_buffer(Emac *s, const uint8_t *data, uint32_t left, uint32_t *n, bool first,
                       uint32_t full)
{
    EmacDescriptor e;
    uint32_t status;

    if (!read_descriptor(s, s->rx_cur, &e) || !(e.status & DES_OWN)) {
        s->int_sta |= INT_RX_UA;
        return false;
    }
    *n = MIN(left, buffer_size(&e));
    status = (first ? RX_FIRST : 0) | (*n == left ? RX_LAST | full << 16 : 0);
    if (!dma_write(&s->dev, e.buffer, data, *n) ||
        !dma_store(&s->dev, s->rx_cur, status, 4, DEV_LITTLE)) {
        return false;
    }
    s->rx_cur = e.next;
    return true;
}

static ssize_t emac_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Emac *s = c->opaque;
    uint8_t padded[MAX_FRAME + 4] = {0};
    uint32_t full = (uint32_t)MAX(len, 60) + 4, n = 0;

    if (len < 14 || len > MAX_FRAME - 64 || !(s->rx_ctl0 & ENABLE)) {
        return -1;
    }
    if (!emac_wants(s, frame)) {
        return (ssize_t)len;
    }
    memcpy(padded, frame, len);
    store_le32(padded + full - 4, eth_fcs(padded, full - 4));
    for (uint32_t done = 0; done < full; done += n) {
        if (!put_buffer(s, padded + done, full - done, &n, done == 0, full)) {
            emac_update(s);
            return done ? (ssize_t)len : 0;
        }
    }
    s->int_sta |= INT_RX;
    emac_update(s);
    return (ssize_t)len;
}

static void emac_link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Emac *)c->opaque)->phy, up);
}

static const NetOps emac_net_ops = {
    .type = "nic", .can_receive = emac_can_receive, .receive = emac_receive, .link_changed = emac_link_changed,
};

/* ---- registers ---- */

static void emac_reset(Device *d)
{
    Emac *s = (Emac *)d;

    mii_reset(&s->phy, PHY_ADDRESS, PHY_ID, nic_link_up(&s->nic));
    s->addr[0] = load_le16(s->mac + 4);
    s->addr[1] = load_le32(s->mac);
}

static void emac_basic1_write(Device *d, const RegAccess *a)
{
    Emac *s = (Emac *)d;

    if (s->basic1 & CTL1_RESET) {
        s->basic1 &= ~(uint32_t)CTL1_RESET;
        s->tx_ctl0 = s->tx_ctl1 = s->rx_ctl0 = s->rx_ctl1 = s->int_en = s->int_sta = 0;
        emac_update(s);
    }
}

static void emac_changed(Device *d, const RegAccess *a)
{
    emac_update((Emac *)d);
}

static void emac_tx_ctl1_write(Device *d, const RegAccess *a)
{
    Emac *s = (Emac *)d;
    bool started = s->tx_ctl1 & ENABLE || (s->tx_ctl1 & DMA_ENABLE && !(a->old & DMA_ENABLE));

    s->tx_ctl1 &= ~ENABLE;
    if (started) {
        emac_send(s);
    }
}

static void emac_rx_ctl_write(Device *d, const RegAccess *a)
{
    Emac *s = (Emac *)d;

    if (a->reg->offset == 0x28) {
        s->rx_ctl1 &= ~ENABLE;
    }
    net_ready(&s->nic);
}

static void emac_tx_list_write(Device *d, const RegAccess *a)
{
    ((Emac *)d)->tx_cur = ((Emac *)d)->tx_list;
}

static void emac_rx_list_write(Device *d, const RegAccess *a)
{
    ((Emac *)d)->rx_cur = ((Emac *)d)->rx_list;
}

static void emac_mdio_write(Device *d, const RegAccess *a)
{
    Emac *s = (Emac *)d;
    unsigned phy = s->mdio_cmd >> 12 & 31, reg = s->mdio_cmd >> 4 & 31;

    if (!(s->mdio_cmd & MDIO_BUSY)) {
        return;
    }
    s->mdio_cmd &= ~(uint32_t)MDIO_BUSY;
    if (s->mdio_cmd & MDIO_WRITE) {
        if (phy == PHY_ADDRESS) {
            mii_write(&s->phy, reg, (uint16_t)s->mdio_data);
        }
    } else {
        s->mdio_data = phy == PHY_ADDRESS ? mii_read(&s->phy, reg) : 0xffff;
    }
}

static bool emac_realize(Device *d, GError **error)
{
    Emac *s = (Emac *)d;

    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &emac_net_ops, d, s->peer);
    return true;
}

static void emac_unrealize(Device *d)
{
    net_nic_fini(&((Emac *)d)->nic);
}

/* clang-format off */
static const Reg emac_regs[] = {
    REG(Emac, 0x00, basic0, .wmask = 0xf, .help = "speed and duplex"),
    REG(Emac, 0x04, basic1, .reset = 0x08000000, .wmask = 0x3f000003, .write = emac_basic1_write, .help = "reset, burst length"),
    REG(Emac, 0x08, int_sta, .w1c = 0x13f3f, .write = emac_changed, .help = "interrupt status"),
    REG(Emac, 0x0c, int_en, .wmask = 0x13f3f, .write = emac_changed, .help = "interrupt enables"),
    REG(Emac, 0x10, tx_ctl0, .wmask = 0xc0000000, .help = "transmitter"),
    REG(Emac, 0x14, tx_ctl1, .wmask = 0xc0000703, .write = emac_tx_ctl1_write, .help = "its DMA"),
    REG(Emac, 0x1c, tx_flow, .wmask = 0x803ffff3, .help = "flow control"),
    REG(Emac, 0x20, tx_list, .wmask = 0xfffffffc, .write = emac_tx_list_write, .help = "transmit descriptors"),
    REG(Emac, 0x24, rx_ctl0, .wmask = 0xf8030000, .write = emac_rx_ctl_write, .help = "receiver"),
    REG(Emac, 0x28, rx_ctl1, .wmask = 0xc1f00ff3, .write = emac_rx_ctl_write, .help = "its DMA"),
    REG(Emac, 0x34, rx_list, .wmask = 0xfffffffc, .write = emac_rx_list_write, .help = "receive descriptors"),
    REG(Emac, 0x38, rx_flt, .wmask = 0x80033f33, .help = "address filter"),
    REG_ARRAY(Emac, 0x40, hash, .wmask = 0xffffffff, .help = "hash of groups, upper half first"),
    REG(Emac, 0x48, mdio_cmd, .wmask = 0x0071f1f3, .write = emac_mdio_write, .help = "access to the PHY"),
    REG(Emac, 0x4c, mdio_data, .wmask = 0xffff, .help = "its data"),
    REG_ARRAY(Emac, 0x50, addr, .wmask = 0xffffffff, .help = "addresses: bits 47 to 32, then 31 to 0"),
    REG_HOOK(0xb0, 4, "tx_dma_sta", .help = "transmit DMA: stopped"),
    REG(Emac, 0xb4, tx_cur, .help = "transmit descriptor at work"),
    REG_HOOK(0xc0, 4, "rx_dma_sta", .help = "receive DMA: stopped"),
    REG(Emac, 0xc4, rx_cur, .help = "receive descriptor at work"),
    REG(Emac, 0xd0, rgmii, .help = "RGMII status"),
};
/* clang-format on */

static const RegBank emac_banks[] = {
    {.name = "mmio", .size = 0x10000, BANK_REGS(emac_regs), .help = "controller"}, {0}};
static const Prop emac_props[] = {NIC_PROPS(Emac), PROP_END};
static const PinRow emac_pins[] = {PIN_OUT(Emac, irq, "irq"), PIN_END};
static const StateField emac_state[] = {
    HOST_ONLY(Emac, nic, "host side"), STATE_STRUCT(Emac, phy, mii_state), STATE_END,
};
static const DeviceType emac_type = {
    .name = "allwinner-sun8i-emac", .category = "network", .desc = "Allwinner H3 Ethernet controller", .internal = true,
    .size = sizeof(Emac), .state_version = 1, .props = emac_props, .banks = emac_banks, .pins = emac_pins,
    .state = emac_state, .realize = emac_realize, .unrealize = emac_unrealize, .reset = emac_reset,
};
DEVICE_TYPE(emac_type);
