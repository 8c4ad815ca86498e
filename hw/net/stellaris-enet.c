// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet controller of the LM3S6965 (its data sheet, 16): a FIFO each way that software reads and
 * writes by words, a PHY behind MDIO. Frames of more than 2 KiB are dropped.
 */
#include <string.h>
#include <zlib.h>
#include "exec/bank.h"
#include "net/net.h"

#define FRAMES 31
#define FRAME_MAX 2048
enum {
    INT_RX = 1,
    INT_TXER = 2,
    INT_TXEMP = 4,
    INT_FOV = 8,
    INT_RXER = 16,
    INT_MD = 32,
    INT_PHY = 64
};
enum { RCTL_RXEN = 1, RCTL_AMUL = 2, RCTL_PRMS = 4, RCTL_BADCRC = 8, RCTL_RSTFIFO = 16 };

typedef struct Enet {
    Device dev;
    NetPeer *netdev;
    NetClient nic;
    uint8_t conf_mac[6];
    uint32_t ris, im, rctl, tctl, thr, mctl, mdv, mtxd, mrxd;
    uint8_t mac[8];
    uint8_t tx[FRAME_MAX];
    uint32_t tx_len;
    uint8_t rx[FRAMES][FRAME_MAX];
    uint16_t rx_len[FRAMES];
    uint32_t rx_head, rx_count, rx_at;
    uint16_t phy[32];
    Irq irq;
} Enet;

static void enet_update(Enet *s)
{
    irq_set(&s->irq, (s->ris & s->im) != 0);
}

/* ---- reception: length with itself and the checksum, frame, checksum ---- */

static bool enet_can_receive(NetClient *c)
{
    Enet *s = c->opaque;

    return !(s->rctl & RCTL_RXEN) || s->rx_count < FRAMES;
}

static bool enet_wanted(const Enet *s, const uint8_t *buf, size_t len)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return len >= 14 && (s->rctl & RCTL_PRMS || memcmp(buf, s->mac, 6) == 0 ||
                         memcmp(buf, broadcast, 6) == 0 || (buf[0] & 1 && s->rctl & RCTL_AMUL));
}

static ssize_t enet_receive(NetClient *c, const uint8_t *buf, size_t len)
{
    Enet *s = c->opaque;

    if (!(s->rctl & RCTL_RXEN) || !enet_wanted(s, buf, len) || len > FRAME_MAX - 6) {
        return (ssize_t)len;
    }
    if (s->rx_count == FRAMES) {
        return 0;
    }
    unsigned n = (s->rx_head + s->rx_count++) % FRAMES;
    uint8_t *p = s->rx[n];
    uint32_t crc = (uint32_t)crc32(0, buf, (uInt)len);

    p[0] = (uint8_t)(len + 6);
    p[1] = (uint8_t)((len + 6) >> 8);
    memcpy(p + 2, buf, len);
    memcpy(p + 2 + len, &crc, 4);
    s->rx_len[n] = (uint16_t)(len + 6);
    s->ris |= INT_RX;
    enet_update(s);
    return (ssize_t)len;
}

static uint64_t enet_data_read(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;
    uint32_t v = 0;

    if (s->rx_count == 0) {
        return 0;
    }
    memcpy(&v, s->rx[s->rx_head] + s->rx_at, 4);
    s->rx_at += 4;
    if (s->rx_at >= s->rx_len[s->rx_head]) {
        s->rx_at = 0;
        s->rx_head = (s->rx_head + 1) % FRAMES;
        s->rx_count--;
        net_ready(&s->nic);
    }
    return v;
}

/* ---- transmission: the length of what follows the 14 bytes of the header comes first ---- */

static uint32_t enet_tx_wanted(const Enet *s)
{
    return ((uint32_t)s->tx[0] | (uint32_t)s->tx[1] << 8) + 14 + 2;
}

static void enet_send(Enet *s)
{
    uint32_t len = enet_tx_wanted(s);

    if (s->tctl & 1 && len <= s->tx_len && len <= FRAME_MAX) {
        uint32_t size = len - 2;

        if (s->tctl & 2 && size < 60) {
            memset(s->tx + len, 0, 60 - size);
            size = 60;
        }
        net_send(&s->nic, s->tx + 2, size);
    } else {
        s->ris |= INT_TXER;
    }
    s->tx_len = 0;
    s->ris |= INT_TXEMP;
    enet_update(s);
}

static void enet_data_write(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;
    uint32_t v = (uint32_t)a->value;

    if (s->tx_len > FRAME_MAX - 4) {
        s->ris |= INT_TXER;
        enet_update(s);
        return;
    }
    memcpy(s->tx + s->tx_len, &v, 4);
    s->tx_len += 4;
    /* with a threshold the frame goes by itself */
    if (s->thr < 0x3f && s->tx_len >= enet_tx_wanted(s)) {
        enet_send(s);
    }
}

static void enet_tr_write(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;

    if (a->value & 1 && s->tx_len) {
        enet_send(s);
    }
}

/* ---- registers ---- */

static void enet_iack_write(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;

    s->ris &= ~(uint32_t)a->value;
    if (a->value & INT_TXER) {
        s->tx_len = 0;
    }
    enet_update(s);
}

static void enet_changed(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;

    if (a->reg->offset == 0x08 && s->rctl & RCTL_RSTFIFO) {
        s->rctl &= ~(uint32_t)RCTL_RSTFIFO;
        s->rx_head = s->rx_count = s->rx_at = 0;
    }
    net_ready(&s->nic);
    enet_update(s);
}

static uint64_t enet_ia_read(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;
    uint32_t v;

    memcpy(&v, s->mac + 4 * a->index, 4);
    return v;
}

static void enet_ia_write(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;
    uint32_t v = (uint32_t)a->value;

    memcpy(s->mac + 4 * a->index, &v, a->index ? 2 : 4);
}

static void enet_mctl_write(Device *d, const RegAccess *a)
{
    Enet *s = (Enet *)d;
    unsigned reg = s->mctl >> 3 & 31;

    if (!(s->mctl & 1)) {
        return;
    }
    if (s->mctl & 2) {
        if (reg == 0 || reg == 4 || reg == 16) {
            s->phy[reg] = (uint16_t)(s->mtxd & (reg ? 0xffff : 0x7fff));
        }
    } else {
        s->mrxd = s->phy[reg];
    }
    s->mctl &= ~1u;
    s->ris |= INT_MD;
    enet_update(s);
}

static uint64_t enet_np_read(Device *d, const RegAccess *a)
{
    return ((Enet *)d)->rx_count;
}

static const NetOps enet_net_ops = {
    .type = "nic", .can_receive = enet_can_receive, .receive = enet_receive};

static bool enet_realize(Device *d, GError **error)
{
    Enet *s = (Enet *)d;
    static const uint8_t none[6];

    if (memcmp(s->conf_mac, none, 6) == 0) {
        net_default_mac(s->conf_mac);
    }
    net_nic_init(&s->nic, &enet_net_ops, s, s->netdev, d->id ? d->id : d->obj.type->name);
    return true;
}

static void enet_unrealize(Device *d)
{
    net_nic_fini(&((Enet *)d)->nic);
}

static void enet_reset(Device *d)
{
    Enet *s = (Enet *)d;
    static const uint16_t phy[32] = {0x3100, 0x786d, 0x000e,        0x7237,       0x01e1,
                                     0x45e1, 0x0007, [16] = 0x0140, [23] = 0x0010};

    memcpy(s->phy, phy, sizeof(phy));
    memcpy(s->mac, s->conf_mac, 6);
    s->tx_len = s->rx_head = s->rx_count = s->rx_at = 0;
}

/* clang-format off */
static const Reg enet_regs[] = {
    REG(Enet, 0x00, ris, .write = enet_iack_write, .help = "interrupts; a write acknowledges"),
    REG(Enet, 0x04, im, .reset = 0x7f, .wmask = 0x7f, .write = enet_changed, .help = "interrupt mask"),
    REG(Enet, 0x08, rctl, .reset = RCTL_BADCRC, .wmask = 0x1f, .write = enet_changed, .help = "reception"),
    REG(Enet, 0x0c, tctl, .wmask = 0x17, .help = "transmission"),
    REG_HOOK(0x10, 4, "data", .read = enet_data_read, .write = enet_data_write, .help = "FIFOs"),
    REG_HOOK(0x14, 4, "ia", .count = 2, .read = enet_ia_read, .write = enet_ia_write, .help = "address"),
    REG(Enet, 0x1c, thr, .reset = 0x3f, .wmask = 0x3f, .help = "threshold"),
    REG(Enet, 0x20, mctl, .wmask = 0xfb, .write = enet_mctl_write, .help = "PHY access"), REG(Enet, 0x24, mdv, .reset = 0x80, .wmask = 0xff),
    REG(Enet, 0x2c, mtxd, .wmask = 0xffff), REG(Enet, 0x30, mrxd),
    REG_HOOK(0x34, 4, "np", .read = enet_np_read, .help = "frames received"), REG_HOOK(0x38, 4, "tr", .write = enet_tr_write, .help = "sends"),
};
/* clang-format on */
static const RegBank enet_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(enet_regs), .help = "Ethernet"}, {0}};
static const Prop enet_props[] = {PROP_NETDEV(Enet, netdev), PROP_MAC(Enet, conf_mac), PROP_END};
static const PinRow enet_pins[] = {PIN_OUT(Enet, irq, "irq"), PIN_END};
static const StateField enet_state[] = {
    HOST_ONLY(Enet, nic, "host side"), STATE_RAW(Enet, mac), STATE_RAW(Enet, tx), STATE_MAX(Enet, tx_len, FRAME_MAX), STATE_RAW(Enet, rx),
    STATE_ARRAY_MAX(Enet, rx_len, sizeof(((Enet *)0)->rx[0])), STATE_INDEX(Enet, rx_head, rx), STATE_COUNT(Enet, rx_count, rx), STATE_MAX(Enet, rx_at, sizeof(((Enet *)0)->rx[0]) - 4), STATE_ARRAY(Enet, phy), STATE_END,
};

static const DeviceType enet_type = {
    .name = "stellaris_enet", .category = "network", .desc = "Stellaris Ethernet", .internal = true, .size = sizeof(Enet), .state_version = 1,
    .props = enet_props, .banks = enet_banks, .pins = enet_pins, .state = enet_state, .realize = enet_realize, .unrealize = enet_unrealize,
    .reset = enet_reset,
};
DEVICE_TYPE(enet_type);
