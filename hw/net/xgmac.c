// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * 10 Gbit/s Ethernet MAC of Calxeda's servers (Synopsys DesignWare XGMAC as Linux's calxeda driver
 * uses it): rings of descriptors in memory, a frame in one or more buffers, address filters. There
 * is no PHY to manage. Left out: counters, wake-up, flow control, VLAN filters, time stamps.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/net/nic.h"

#define MAX_DESCRIPTORS 1024u
#define MAX_FRAME 9600u
#define ADDRESSES 32

enum {
    CONTROL_TE = 1 << 3,
    CONTROL_RE = 1 << 2
};
enum {
    FILTER_ALL = 1,
    FILTER_HASH_MULTICAST = 4,
    FILTER_ALL_MULTICAST = 0x10,
    FILTER_NO_BROADCAST = 0x20
};
#define FILTER_OFF (1u << 31)
#define ADDRESS_USED (1u << 31)
enum {
    OMR_FLUSH = 1 << 20
};
enum {
    BUS_RESET = 1,
    BUS_LONG_DESCRIPTORS = 0x80
};
enum {
    DMA_ST = 1 << 13,
    DMA_SR = 1 << 1
};
enum {
    INT_TI = 1 << 0,
    INT_TU = 1 << 2,
    INT_RI = 1 << 6,
    INT_RU = 1 << 7,
    INT_FATAL = 1 << 13,
    INT_ABNORMAL = 1 << 15,
    INT_NORMAL = 1 << 16
};
#define INT_ALL 0x1e7ffu
#define INT_NORMALS (INT_TI | INT_TU | INT_RI)
#define INT_ABNORMALS 0x23bau
/* descriptors: flags, sizes, two buffers */
#define DES_OWN (1u << 31)
enum {
    TX_END = 1 << 21,
    TX_SUMS = 3 << 22,
    TX_FIRST = 1 << 28,
    TX_LAST = 1 << 29,
    TX_INTERRUPT = 1 << 30
};
enum {
    RX_EXTENDED = 1,
    RX_TYPE = 0x20,
    RX_LAST = 0x100,
    RX_FIRST = 0x200,
    RX_END = 0x8000
};

typedef struct Xgmac {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    Irq irq;
    uint32_t control, filter, flow, vlan, int_stat, addr[2 * ADDRESSES], hash[16], omr, pmt;
    uint32_t bus_mode, rx_base, tx_base, status, dma_control, int_en, watchdog, axi;
    uint32_t tx_cur, rx_cur;
} Xgmac;

typedef struct XgmacDescriptor {
    uint32_t flags, sizes, buffer[2];
} XgmacDescriptor;

static void xgmac_update(Xgmac *s)
{
    s->status |= s->status & s->int_en & INT_NORMALS ? INT_NORMAL : 0;
    s->status |= s->status & s->int_en & INT_ABNORMALS ? INT_ABNORMAL : 0;
    irq_set(&s->irq, (s->status & s->int_en & (INT_NORMAL | INT_ABNORMAL)) != 0);
}

static bool read_descriptor(Xgmac *s, uint32_t at, XgmacDescriptor *e)
{
    uint8_t raw[16];

    if (!dma_read(&s->dev, at, raw, sizeof(raw))) {
        s->status |= INT_FATAL;
        return false;
    }
    *e = (XgmacDescriptor){
        load_le32(raw), load_le32(raw + 4), {load_le32(raw + 8), load_le32(raw + 12)}};
    return true;
}

static uint32_t next_of(const Xgmac *s, uint32_t at, uint32_t base, bool end)
{
    return end ? base : at + (s->bus_mode & BUS_LONG_DESCRIPTORS ? 32 : 16);
}

static uint32_t size_of(const XgmacDescriptor *e, unsigned n)
{
    return e->sizes >> 16 * n & 0x1fff;
}

/* ---- transmission ---- */

static size_t take_buffers(Xgmac *s, const XgmacDescriptor *e, uint8_t *frame, size_t len)
{
    for (unsigned i = 0; i < 2; i++) {
        uint32_t n = MIN(size_of(e, i), (uint32_t)(MAX_FRAME - len));

        if (n && !dma_read(&s->dev, e->buffer[i], frame + len, n)) {
            s->status |= INT_FATAL;
            return len;
        }
        len += n;
    }
    return len;
}

static void xgmac_send(Xgmac *s)
{
    uint8_t frame[MAX_FRAME];
    size_t len = 0;

    if (!(s->control & CONTROL_TE) || !(s->dma_control & DMA_ST)) {
        return;
    }
    for (unsigned i = 0; i < MAX_DESCRIPTORS; i++) {
        XgmacDescriptor e;

        if (!read_descriptor(s, s->tx_cur, &e) || !(e.flags & DES_OWN)) {
            s->status |= INT_TU;
            break;
        }
        len = take_buffers(s, &e, frame, e.flags & TX_FIRST ? 0 : len);
        if (e.flags & TX_LAST) {
            if (e.flags & TX_SUMS) {
                eth_insert_checksums(frame, len, false);
            }
            net_send(&s->nic, frame, len);
            len = 0;
        }
        if (!dma_store(&s->dev, s->tx_cur, e.flags & ~DES_OWN, 4, DEV_LITTLE)) {
            s->status |= INT_FATAL;
            break;
        }
        s->status |= e.flags & TX_INTERRUPT ? INT_TI : 0;
        s->tx_cur = next_of(s, s->tx_cur, s->tx_base, e.flags & TX_END);
    }
    xgmac_update(s);
}

/* ---- reception ---- */

static bool xgmac_wants(const Xgmac *s, const uint8_t *f)
{
    if (s->filter & (FILTER_OFF | FILTER_ALL)) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return !(s->filter & FILTER_NO_BROADCAST);
    }
    if (f[0] & 1 && s->filter & FILTER_ALL_MULTICAST) {
        return true;
    }
    if (f[0] & 1 && s->filter & FILTER_HASH_MULTICAST) {
        uint32_t bit = eth_hash_be(f) >> 23;

        if (s->hash[bit / 32] >> (bit & 31) & 1) {
            return true;
        }
    }
    for (unsigned i = 0; i < ADDRESSES; i++) {
        if ((i == 0 || s->addr[2 * i] & ADDRESS_USED) && load_le32(f) == s->addr[2 * i + 1] &&
            load_le16(f + 4) == (s->addr[2 * i] & 0xffff)) {
            return true;
        }
    }
    return false;
}

static bool xgmac_can_receive(NetClient *c)
{
    Xgmac *s = c->opaque;
    XgmacDescriptor e;

    return s->control & CONTROL_RE && s->dma_control & DMA_SR &&
           read_descriptor(s, s->rx_cur, &e) && e.flags & DES_OWN;
}

/* The buffers of one descriptor, which goes back to software. False: there is none. */
static bool put_buffers(Xgmac *s, const uint8_t *data, uint32_t left, uint32_t *done,
                        uint32_t flags)
{
    bool extended = s->bus_mode & BUS_LONG_DESCRIPTORS;
    XgmacDescriptor e;

    *done = 0;
    if (!read_descriptor(s, s->rx_cur, &e) || !(e.flags & DES_OWN)) {
        s->status |= INT_RU;
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        uint32_t n = MIN(left - *done, size_of(&e, i));

        if (n && !dma_write(&s->dev, e.buffer[i], data + *done, n)) {
            s->status |= INT_FATAL;
            return false;
        }
        *done += n;
    }
    flags = *done == left ? flags | RX_LAST | (extended ? RX_EXTENDED : 0) : flags & 0xffff;
    /* the word of extended status: software looks at checksums itself */
    if ((extended && !dma_store(&s->dev, s->rx_cur + 16, 0, 4, DEV_LITTLE)) ||
        !dma_store(&s->dev, s->rx_cur, flags, 4, DEV_LITTLE)) {
        s->status |= INT_FATAL;
        return false;
    }
    s->rx_cur = next_of(s, s->rx_cur, s->rx_base, e.sizes & RX_END);
    return true;
}

static ssize_t xgmac_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Xgmac *s = c->opaque;
    uint8_t padded[MAX_FRAME + 4] = {0};
    uint32_t full = (uint32_t)MAX(len, 60) + 4, n = 0, flags = full << 16;

    if (len < 14 || len > MAX_FRAME - 64 || !(s->control & CONTROL_RE)) {
        return -1;
    }
    if (!xgmac_wants(s, frame)) {
        return (ssize_t)len;
    }
    flags |= load_be16(frame + 12) >= 0x600 ? RX_TYPE : 0;
    memcpy(padded, frame, len);
    store_le32(padded + full - 4, eth_fcs(padded, full - 4));
    for (uint32_t done = 0, turns = 0; done < full; done += n, turns++) {
        if (turns >= MAX_DESCRIPTORS ||
            !put_buffers(s, padded + done, full - done, &n, flags | (done == 0 ? RX_FIRST : 0))) {
            xgmac_update(s);
            return done ? (ssize_t)len : 0;
        }
    }
    s->status |= INT_RI;
    xgmac_update(s);
    return (ssize_t)len;
}

static const NetOps xgmac_net_ops = {
    .type = "nic",
    .can_receive = xgmac_can_receive,
    .receive = xgmac_receive,
};

/* ---- registers ---- */

static void xgmac_reset(Device *d)
{
    Xgmac *s = (Xgmac *)d;

    s->addr[0] = load_le16(s->mac + 4) | ADDRESS_USED;
    s->addr[1] = load_le32(s->mac);
}

/* A reset of the DMA engine takes the rest along, but for the addresses. */
static void bus_mode_write(Device *d, const RegAccess *a)
{
    Xgmac *s = (Xgmac *)d;

    if (s->bus_mode & BUS_RESET) {
        s->bus_mode &= ~(uint32_t)BUS_RESET;
        s->control &= 0x60000000;
        s->dma_control = s->int_en = s->status = s->omr = 0;
        xgmac_update(s);
    }
}

static void status_write(Device *d, const RegAccess *a)
{
    xgmac_update((Xgmac *)d);
}

/* Software that is done with frames asks for interrupts again: there may be room now. */
static void enable_write(Device *d, const RegAccess *a)
{
    xgmac_update((Xgmac *)d);
    net_ready(&((Xgmac *)d)->nic);
}

static void rx_poll_write(Device *d, const RegAccess *a)
{
    net_ready(&((Xgmac *)d)->nic);
}

static void tx_poll_write(Device *d, const RegAccess *a)
{
    xgmac_send((Xgmac *)d);
}

static void control_write(Device *d, const RegAccess *a)
{
    net_ready(&((Xgmac *)d)->nic);
}

static void omr_write(Device *d, const RegAccess *a)
{
    ((Xgmac *)d)->omr &= ~(uint32_t)OMR_FLUSH;
}

static void tx_base_write(Device *d, const RegAccess *a)
{
    ((Xgmac *)d)->tx_cur = ((Xgmac *)d)->tx_base;
}

static void rx_base_write(Device *d, const RegAccess *a)
{
    ((Xgmac *)d)->rx_cur = ((Xgmac *)d)->rx_base;
}

static bool xgmac_realize(Device *d, GError **error)
{
    Xgmac *s = (Xgmac *)d;

    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &xgmac_net_ops, d, s->peer);
    return true;
}

static void xgmac_unrealize(Device *d)
{
    net_nic_fini(&((Xgmac *)d)->nic);
}

/* clang-format off */
static const Reg xgmac_regs[] = {
    REG(Xgmac, 0x000, control, .wmask = 0x7fdf14dc, .write = control_write, .help = "transmitter, receiver, speed"),
    REG(Xgmac, 0x004, filter, .wmask = 0x80001f3f, .help = "address filter"),
    REG(Xgmac, 0x018, flow, .wmask = 0xffff00be, .help = "flow control"),
    REG(Xgmac, 0x01c, vlan, .wmask = 0x7ffff, .help = "VLAN tag"),
    REG_HOOK(0x020, 4, "version", .reset = 0x1012, .help = "version"),
    REG(Xgmac, 0x03c, int_stat, .wmask = 0x00c00000, .help = "interrupts of power management"),
    REG_ARRAY(Xgmac, 0x040, addr, .wmask = 0xffffffff, .help = "addresses: bits 47 to 32, then 31 to 0"),
    REG_ARRAY(Xgmac, 0x300, hash, .wmask = 0xffffffff, .help = "hash of groups"),
    REG(Xgmac, 0x400, omr, .wmask = 0x007fffff, .write = omr_write, .help = "FIFOs"),
    REG(Xgmac, 0x704, pmt, .wmask = 0x307, .help = "wake-up"),
    REG(Xgmac, 0xf00, bus_mode, .wmask = 0x03bfffff, .write = bus_mode_write, .help = "reset, size of descriptors"),
    REG_HOOK(0xf04, 4, "tx_poll", .write = tx_poll_write, .help = "looks for frames to send"),
    REG_HOOK(0xf08, 4, "rx_poll", .write = rx_poll_write, .help = "looks for room"),
    REG(Xgmac, 0xf0c, rx_base, .wmask = 0xfffffff0, .write = rx_base_write, .help = "receive descriptors"),
    REG(Xgmac, 0xf10, tx_base, .wmask = 0xfffffff0, .write = tx_base_write, .help = "transmit descriptors"),
    REG(Xgmac, 0xf14, status, .w1c = INT_ALL, .write = status_write, .help = "interrupt status"),
    REG(Xgmac, 0xf18, dma_control, .wmask = 0x0100201e, .write = control_write, .help = "starts the rings"),
    REG(Xgmac, 0xf1c, int_en, .wmask = INT_ALL, .write = enable_write, .help = "interrupt enables"),
    REG(Xgmac, 0xf24, watchdog, .wmask = 0xff), REG(Xgmac, 0xf28, axi, .wmask = 0xffffffff, .help = "bus"),
    REG_HOOK(0xf58, 4, "hw_feature", .reset = 0x00010000, .help = "checksums of frames to send"),
    REG(Xgmac, 0xfc8, tx_cur, .help = "transmit descriptor at work"), REG(Xgmac, 0xfcc, rx_cur, .help = "receive descriptor at work"),
};
/* clang-format on */
static const RegBank xgmac_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(xgmac_regs), .help = "controller"}, {0}};
static const Prop xgmac_props[] = {NIC_PROPS(Xgmac), PROP_END};
static const PinRow xgmac_pins[] = {PIN_OUT(Xgmac, irq, "irq"), PIN_END};
static const StateField xgmac_state[] = {HOST_ONLY(Xgmac, nic, "host side"), STATE_END};

static const DeviceType xgmac_type = {
    .name = "xgmac",
    .category = "network",
    .desc = "Calxeda 10 Gbit/s Ethernet",
    .internal = true,
    .size = sizeof(Xgmac),
    .state_version = 1,
    .props = xgmac_props,
    .banks = xgmac_banks,
    .pins = xgmac_pins,
    .state = xgmac_state,
    .realize = xgmac_realize,
    .unrealize = xgmac_unrealize,
    .reset = xgmac_reset,
};
DEVICE_TYPE(xgmac_type);
