// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet MAC of the Allwinner A10 (as its Linux driver and the A10 User Manual 1.5 describe it):
 * two transmit FIFOs of a frame each, a receive FIFO of several, both through data registers; MII
 * management. Left out: DMA requests, hash filters.
 */
#include "exec/bank.h"
#include "hw/net/nic.h"

#define PHY_ID 0x0007c0d1u
#define FRAMES 16u
#define MAX_FRAME 2048u
#define RX_MAGIC 0x0143414du
#define RX_GOOD (1u << 23)

enum { CTL_RESET = 1, CTL_TX = 2, CTL_RX = 4 };
enum {
    RX_FLUSH = 1 << 3,
    RX_ALL = 1 << 4,
    RX_UNICAST = 1 << 16,
    RX_GROUPS = 1 << 20,
    RX_BROADCAST = 1 << 22
};
enum { INT_RX = 1 << 8 };

typedef struct Sun4iEmac {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    uint8_t phy_address;
    MiiPhy phy;
    Irq irq;
    uint32_t ctl, tx_mode, tx_flow, tx_ctl[2], tx_channel, tx_length[2], tx_status, rx_ctl, rx_hash[2], rx_status;
    uint32_t int_ctl, int_sta, mac_regs[9], madr, mwtd, mrdd, addr[3], safx[8];
    uint8_t tx[2][MAX_FRAME], rx[FRAMES][MAX_FRAME];
    uint16_t tx_at[2], rx_len[FRAMES], rx_at;
    uint8_t rx_head, rx_count;
} Sun4iEmac;

static void emac_update(Sun4iEmac *s)
{
    irq_set(&s->irq, (s->int_sta & s->int_ctl) != 0);
}

/* ---- reception ---- */

static bool emac_wants(const Sun4iEmac *s, const uint8_t *f)
{
    if (s->rx_ctl & RX_ALL) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return s->rx_ctl & RX_BROADCAST;
    }
    if (f[0] & 1) {
        return s->rx_ctl & RX_GROUPS;
    }
    return s->rx_ctl & RX_UNICAST &&
           (load_be32(f) >> 8) == s->addr[1] &&
           ((uint32_t)f[3] << 16 | load_be16(f + 4)) == s->addr[0];
}

static bool emac_can_receive(NetClient *c)
{
    Sun4iEmac *s = c->opaque;

    return (s->ctl & (CTL_RESET | CTL_RX)) == (CTL_RESET | CTL_RX) && s->rx_count < FRAMES;
}

/* In the FIFO: a mark, status and length, the frame with its FCS. */
static ssize_t emac_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Sun4iEmac *s = c->opaque;
    size_t full = MAX(len, ETH_MIN_FRAME);
    uint8_t *f;
    unsigned slot;

    if (!(s->ctl & CTL_RX) || len < ETH_HEADER || full > MAX_FRAME - 16) {
        return -1;
    }
    if (s->rx_count == FRAMES) {
        return 0;
    }
    if (!emac_wants(s, frame)) {
        return (ssize_t)len;
    }
    slot = (s->rx_head + s->rx_count++) % FRAMES;
    f = s->rx[slot];
    store_le32(f, RX_MAGIC);
    store_le32(f + 4, RX_GOOD | (uint32_t)(full + 4));
    memset(f + 8, 0, ETH_MIN_FRAME);
    memcpy(f + 8, frame, len);
    store_le32(f + 8 + full, eth_fcs(f + 8, full));
    s->rx_len[slot] = (uint16_t)((8 + full + 4 + 3) & ~3u);
    s->int_sta |= INT_RX;
    emac_update(s);
    return (ssize_t)len;
}

static uint64_t emac_rx_read(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;
    uint32_t v;

    if (!s->rx_count) {
        return 0;
    }
    v = load_le32(s->rx[s->rx_head] + s->rx_at);
    s->rx_at += 4;
    if (s->rx_at >= s->rx_len[s->rx_head]) {
        s->rx_head = (s->rx_head + 1) % FRAMES;
        s->rx_count--;
        s->rx_at = 0;
        net_ready(&s->nic);
    }
    return v;
}

static uint64_t emac_count_read(Device *d, const RegAccess *a)
{
    return ((Sun4iEmac *)d)->rx_count;
}

static void emac_link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Sun4iEmac *)c->opaque)->phy, up);
}

static const NetOps emac_net_ops = {
    .type = "nic", .can_receive = emac_can_receive, .receive = emac_receive, .link_changed = emac_link_changed,
};

/* ---- transmission ---- */

static void emac_tx_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;
    unsigned n = s->tx_channel & 1;

    if (s->tx_at[n] <= MAX_FRAME - 4) {
        store_le32(s->tx[n] + s->tx_at[n], (uint32_t)a->value);
        s->tx_at[n] += 4;
    }
}

static void emac_tx_ctl_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;
    unsigned n = a->index;
    uint32_t len = s->tx_length[n];

    if (!(s->tx_ctl[n] & 1)) {
        return;
    }
    s->tx_ctl[n] &= ~1u;
    if (s->ctl & CTL_TX && len >= ETH_HEADER && len <= s->tx_at[n]) {
        net_send(&s->nic, s->tx[n], len);
    }
    s->tx_at[n] = 0;
    s->int_sta |= 1u << n;
    emac_update(s);
}

/* ---- registers ---- */

static void emac_changed(Device *d, const RegAccess *a)
{
    emac_update((Sun4iEmac *)d);
}

static void emac_flush(Sun4iEmac *s)
{
    s->rx_head = s->rx_count = 0;
    s->rx_at = 0;
}

static void emac_ctl_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    if (!(s->ctl & CTL_RESET)) {
        emac_flush(s);
        s->tx_at[0] = s->tx_at[1] = 0;
        s->int_sta = 0;
        emac_update(s);
    }
    net_ready(&s->nic);
}

static void emac_rx_ctl_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    if (s->rx_ctl & RX_FLUSH) {
        s->rx_ctl &= ~(uint32_t)RX_FLUSH;
        emac_flush(s);
        net_ready(&s->nic);
    }
}

static void emac_mcmd_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    if (a->value & 1) {
        s->mrdd =
            (s->madr >> 8 & 31) == s->phy_address ? mii_read(&s->phy, s->madr & 31) : 0xffff;
    }
}

static void emac_mwtd_write(Device *d, const RegAccess *a)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    if ((s->madr >> 8 & 31) == s->phy_address) {
        mii_write(&s->phy, s->madr & 31, (uint16_t)a->value);
    }
}

static void emac_reset(Device *d)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    mii_reset(&s->phy, s->phy_address, PHY_ID, nic_link_up(&s->nic));
    s->addr[1] = load_be32(s->mac) >> 8;
    s->addr[0] = (uint32_t)s->mac[3] << 16 | load_be16(s->mac + 4);
    s->tx_at[0] = s->tx_at[1] = 0;
    emac_flush(s);
}

static bool emac_realize(Device *d, GError **error)
{
    Sun4iEmac *s = (Sun4iEmac *)d;

    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &emac_net_ops, d, s->peer);
    return true;
}

static void emac_unrealize(Device *d)
{
    net_nic_fini(&((Sun4iEmac *)d)->nic);
}

/* clang-format off */
static const Reg emac_regs[] = {
    REG(Sun4iEmac, 0x00, ctl, .wmask = 7, .write = emac_ctl_write, .help = "out of reset, transmitter, receiver"),
    REG(Sun4iEmac, 0x04, tx_mode, .wmask = 3, .help = "transmit mode"),
    REG(Sun4iEmac, 0x08, tx_flow, .wmask = 0xffffffff, .help = "flow control"),
    REG_ARRAY(Sun4iEmac, 0x0c, tx_ctl, .wmask = 0xffffffff, .write = emac_tx_ctl_write, .help = "bit 0 sends the frame of a channel"),
    REG(Sun4iEmac, 0x14, tx_channel, .wmask = 1, .help = "channel that data are for"),
    REG_ARRAY(Sun4iEmac, 0x18, tx_length, .wmask = 0xffff, .help = "lengths of the frames"),
    REG(Sun4iEmac, 0x20, tx_status, .help = "transmit status"),
    REG_HOOK(0x24, 4, "tx_data", .count = 2, .write = emac_tx_write, .help = "bytes of a frame"),
    REG(Sun4iEmac, 0x3c, rx_ctl, .wmask = 0x37701fe, .write = emac_rx_ctl_write, .help = "receiver"),
    REG_ARRAY(Sun4iEmac, 0x40, rx_hash, .wmask = 0xffffffff, .help = "hash filter"),
    REG(Sun4iEmac, 0x48, rx_status, .help = "receive status"),
    REG_HOOK(0x4c, 4, "rx_data", .read = emac_rx_read, .help = "bytes of frames"),
    REG_HOOK(0x50, 4, "rx_fbc", .read = emac_count_read, .help = "frames that wait"),
    REG(Sun4iEmac, 0x54, int_ctl, .wmask = 0x10f, .write = emac_changed, .help = "interrupts that are on"),
    REG(Sun4iEmac, 0x58, int_sta, .w1c = 0x10f, .write = emac_changed, .help = "interrupts"),
    REG_ARRAY(Sun4iEmac, 0x5c, mac_regs, .wmask = 0xffffffff, .help = "MAC: control, gaps, collisions, longest frame"),
    REG_HOOK(0x80, 4, "mcmd", .write = emac_mcmd_write, .help = "bit 0 reads a register of the PHY"),
    REG(Sun4iEmac, 0x84, madr, .wmask = 0x1f1f, .help = "which one"),
    REG(Sun4iEmac, 0x88, mwtd, .wmask = 0xffff, .write = emac_mwtd_write, .help = "writes it"),
    REG(Sun4iEmac, 0x8c, mrdd, .help = "what was read"),
    REG_HOOK(0x90, 4, "mind", .help = "0: the PHY is idle"),
    REG_ARRAY(Sun4iEmac, 0x98, addr, .wmask = 0xffffff, .help = "address: lower, upper half"),
    REG_ARRAY(Sun4iEmac, 0xa4, safx, .wmask = 0xffffffff, .help = "source addresses"),
};
/* clang-format on */

static const RegBank emac_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(emac_regs), .help = "controller"}, {0}};
static const Prop emac_props[] = {NIC_PROPS(Sun4iEmac), PROP_U8(Sun4iEmac, phy_address, "phy-addr", 0),
                                  PROP_END};
static const PinRow emac_pins[] = {PIN_OUT(Sun4iEmac, irq, "irq"), PIN_END};
static const StateField emac_state[] = {
    HOST_ONLY(Sun4iEmac, nic, "host side"), STATE_STRUCT(Sun4iEmac, phy, mii_state), STATE_RAW(Sun4iEmac, tx),
    STATE_RAW(Sun4iEmac, rx), STATE_ARRAY(Sun4iEmac, tx_at), STATE_ARRAY_MAX(Sun4iEmac, rx_len, sizeof(((Sun4iEmac *)0)->rx[0])), STATE_MAX(Sun4iEmac, rx_at, sizeof(((Sun4iEmac *)0)->rx[0]) - 4),
    STATE_INDEX(Sun4iEmac, rx_head, rx), STATE_COUNT(Sun4iEmac, rx_count, rx), STATE_END,
};
static const DeviceType sun4i_emac_type = {
    .name = "allwinner-emac", .category = "network", .desc = "Allwinner A10 Ethernet controller", .internal = true,
    .size = sizeof(Sun4iEmac), .state_version = 1, .props = emac_props, .banks = emac_banks, .pins = emac_pins,
    .state = emac_state, .realize = emac_realize, .unrealize = emac_unrealize, .reset = emac_reset,
};
DEVICE_TYPE(sun4i_emac_type);
