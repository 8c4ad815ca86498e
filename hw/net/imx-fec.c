// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ethernet controller of i.MX processors (i.MX 6Dual/6Quad Reference Manual, 23; i.MX 7Dual, 11.5):
 * legacy and enhanced descriptors of either byte order, up to three transmit rings, address
 * filters, checksums on the way out, and a 100BASE-TX PHY, with a second one on the same wires
 * where a board has both there. Left out: classification into receive rings, time stamps, pause
 * frames, statistics.
 */
#include "exec/bank.h"
#include "exec/dma.h"
#include "hw/net/nic.h"
#include "util/timer.h"

#define RINGS 3u
#define MAX_DESCRIPTORS 1024u
#define MAX_FRAME 16383u
#define PHY_ID 0x0007c0d1u
#define NO_PHY 32

enum { ECR_RESET = 1, ECR_ENABLE = 2, ECR_ENHANCED = 0x10, ECR_LITTLE = 0x100 };
enum { RCR_LOOP = 1, RCR_ALL = 8, RCR_NO_BROADCAST = 0x10 };
enum { RACC_SHIFT = 0x80, TACC_SHIFT = 1 };
#define EIR_TXF 0x08000000u
#define EIR_TXB 0x04000000u
#define EIR_RXF 0x02000000u
#define EIR_RXB 0x01000000u
#define EIR_MII 0x00800000u
#define EIR_BUS 0x00400000u
#define EIR_TIMER 0x00018000u
#define ACTIVE (1u << 24)
/* descriptors: flags above the length; the word after the address of enhanced ones */
#define DES_READY (1u << 31)     /* for transmission; for reception: empty */
#define DES_WRAP (1u << 29)
#define DES_LAST (1u << 27)
#define RX_MISS (1u << 24)
#define RX_BROADCAST (1u << 23)
#define RX_GROUP (1u << 22)
#define RX_TOO_LONG (1u << 21)
#define TX_INTERRUPT (1u << 30)
#define TX_SUMS (1u << 28)
#define TX_IP_SUM (1u << 27)
#define RX_INTERRUPT (1u << 23)
#define DES_DONE (1u << 31)      /* fifth word */

typedef struct Fec {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    uint32_t rings;                       /* properties */
    uint8_t phy_address, other_address;
    MiiPhy phy, other;
    Irq irq[2];
    uint32_t eir, eimr, rdar, ecr, mmfr, mscr, mibc, rcr, tcr, palr, paur, opd, txic[RINGS], rxic[RINGS];
    uint32_t iaur, ialr, gaur, galr, tfwr, fifo[9], tacc, racc, rcmr[2], dma_cfg[2], qos;
    uint32_t rdsr[RINGS], tdsr[RINGS], mrbr[RINGS], rx_at, tx_at[RINGS];
    uint32_t atcr, atoff, atper, atcor, atinc, atcap, tgsr, tc[8];
} Fec;

typedef struct FecDescriptor {
    uint32_t at, word, buffer, ext;
} FecDescriptor;

static void fec_update(Fec *s)
{
    uint32_t on = s->eir & s->eimr;

    irq_set(&s->irq[0], (on & ~EIR_TIMER) != 0);
    irq_set(&s->irq[1], (on & EIR_TIMER) != 0);
}

/* Interrupts of a ring: its bits of the first ring's TXF, TXB, RXF, RXB. */
static void ring_raise(Fec *s, unsigned ring, uint32_t bits)
{
    s->eir |= ring == 0 ? bits : bits >> 24 << 4 * (ring - 1);
}

static Endian fec_endian(const Fec *s)
{
    return s->ecr & ECR_LITTLE ? DEV_LITTLE : DEV_BIG;
}

static uint32_t descriptor_bytes(const Fec *s)
{
    return s->ecr & ECR_ENHANCED ? 32 : 8;
}

static bool read_descriptor(Fec *s, uint32_t at, FecDescriptor *e)
{
    bool ok;

    *e = (FecDescriptor){.at = at};
    e->word = (uint32_t)dma_load(&s->dev, at, 4, fec_endian(s), &ok);
    if (ok) {
        e->buffer = (uint32_t)dma_load(&s->dev, at + 4, 4, fec_endian(s), &ok);
    }
    if (ok && s->ecr & ECR_ENHANCED) {
        e->ext = (uint32_t)dma_load(&s->dev, at + 8, 4, fec_endian(s), &ok);
    }
    return ok;
}

static void give_back(Fec *s, const FecDescriptor *e, uint32_t word, uint32_t ext)
{
    if (s->ecr & ECR_ENHANCED) {
        dma_store(&s->dev, e->at + 8, ext, 4, fec_endian(s));
        dma_store(&s->dev, e->at + 16, DES_DONE, 4, fec_endian(s));
    }
    dma_store(&s->dev, e->at, word, 4, fec_endian(s));
}

/* ---- reception ---- */

static bool hashed(uint32_t upper, uint32_t lower, const uint8_t *mac)
{
    unsigned bit = eth_hash_le(mac) >> 26;

    return (bit >= 32 ? upper >> (bit - 32) : lower >> bit) & 1;
}

static bool fec_wants(const Fec *s, const uint8_t *f, uint32_t *why)
{
    *why = 0;
    if (eth_is_broadcast(f)) {
        *why = RX_BROADCAST;
        return !(s->rcr & RCR_NO_BROADCAST) || s->rcr & RCR_ALL;
    }
    if (f[0] & 1) {
        *why = RX_GROUP;
        if (hashed(s->gaur, s->galr, f)) {
            return true;
        }
    } else if ((load_be32(f) == s->palr && load_be16(f + 4) == s->paur >> 16) ||
               hashed(s->iaur, s->ialr, f)) {
        return true;
    }
    *why |= RX_MISS;
    return s->rcr & RCR_ALL;
}

static bool fec_can_receive(NetClient *c)
{
    Fec *s = c->opaque;

    return s->ecr & ECR_ENABLE && s->rdar;
}

/* Puts bytes into the next buffer; 0: there is none. */
static size_t put_buffer(Fec *s, const uint8_t *data, size_t left, size_t full, uint32_t why)
{
    FecDescriptor e;
    size_t n, room = s->mrbr[0] & 0x3ff0;

    if (!read_descriptor(s, s->rx_at, &e) || !(e.word & DES_READY) || room == 0) {
        s->rdar = 0;
        return 0;
    }
    n = MIN(left, room);
    if (!dma_write(&s->dev, e.buffer, data, n)) {
        s->eir |= EIR_BUS;
        s->rdar = 0;
        return 0;
    }
    give_back(s, &e,
              (e.word & (DES_WRAP | 0x50000000)) |
                  (n == left ? DES_LAST | why | (uint32_t)full : (uint32_t)n),
              e.ext & RX_INTERRUPT);
    if (!(s->ecr & ECR_ENHANCED) || e.ext & RX_INTERRUPT) {
        ring_raise(s, 0, n == left ? EIR_RXF | EIR_RXB : EIR_RXB);
    }
    s->rx_at = e.word & DES_WRAP ? s->rdsr[0] : s->rx_at + descriptor_bytes(s);
    return n;
}

static ssize_t fec_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Fec *s = c->opaque;
    uint8_t buf[2 + MAX_FRAME + 4];
    size_t shift = s->racc & RACC_SHIFT ? 2 : 0, full = MAX(len, ETH_MIN_FRAME), n;
    uint32_t why;

    if (!(s->ecr & ECR_ENABLE) || len < ETH_HEADER || len > MAX_FRAME - 6) {
        return -1;
    }
    if (!s->rdar) {
        return 0;
    }
    if (!fec_wants(s, frame, &why)) {
        return (ssize_t)len;
    }
    why |= full + 4 > (s->rcr >> 16 & 0x3fff) ? RX_TOO_LONG : 0;
    memset(buf, 0, 2 + ETH_MIN_FRAME);
    memcpy(buf + shift, frame, len);
    store_le32(buf + shift + full, eth_fcs(buf + shift, full));
    full += shift + 4;
    for (size_t done = 0; done < full; done += n) {
        n = put_buffer(s, buf + done, full - done, full, why);
        if (n == 0) {
            fec_update(s);
            return done ? (ssize_t)len : 0;
        }
    }
    fec_update(s);
    return (ssize_t)len;
}

static void fec_link_changed(NetClient *c, bool up)
{
    Fec *s = c->opaque;

    mii_set_link(&s->phy, up);
    mii_set_link(&s->other, up);
}

static const NetOps fec_net_ops = {
    .type = "nic", .can_receive = fec_can_receive, .receive = fec_receive, .link_changed = fec_link_changed,
};

/* ---- transmission ---- */

static void frame_out(Fec *s, uint8_t *frame, size_t len, uint32_t ext)
{
    if (s->tacc & TACC_SHIFT) {
        if (len < 2) {
            return;
        }
        frame += 2;
        len -= 2;
    }
    if (len < ETH_HEADER) {
        return;
    }
    if (ext & TX_SUMS) {
        eth_insert_checksums(frame, len, ext & TX_IP_SUM);
    }
    if (s->rcr & RCR_LOOP) {
        fec_receive(&s->nic, frame, len);
    } else {
        net_send(&s->nic, frame, len);
    }
}

static void ring_send(Fec *s, unsigned ring)
{
    uint8_t frame[MAX_FRAME];
    size_t len = 0;
    uint32_t ext = 0;

    if (!(s->ecr & ECR_ENABLE)) {
        return;
    }
    for (unsigned i = 0; i < MAX_DESCRIPTORS; i++) {
        FecDescriptor e;
        size_t n;

        if (!read_descriptor(s, s->tx_at[ring], &e)) {
            s->eir |= EIR_BUS;
            break;
        }
        if (!(e.word & DES_READY)) {
            break;
        }
        n = e.word & 0xffff;
        if (n > sizeof(frame) - len || !dma_read(&s->dev, e.buffer, frame + len, n)) {
            s->eir |= EIR_BUS;
            break;
        }
        len += n;
        ext |= e.ext;
        if (e.word & DES_LAST) {
            frame_out(s, frame, len, ext);
            len = 0;
        }
        if (!(s->ecr & ECR_ENHANCED) || e.ext & TX_INTERRUPT) {
            ring_raise(s, ring, e.word & DES_LAST ? EIR_TXF | EIR_TXB : EIR_TXB);
        }
        if (e.word & DES_LAST) {
            ext = 0;
        }
        give_back(s, &e, e.word & ~DES_READY, e.ext);
        s->tx_at[ring] = e.word & DES_WRAP ? s->tdsr[ring] : s->tx_at[ring] + descriptor_bytes(s);
    }
    fec_update(s);
}

/* ---- registers ---- */

static void fec_changed(Device *d, const RegAccess *a)
{
    fec_update((Fec *)d);
}

static void fec_rdar_write(Device *d, const RegAccess *a)
{
    Fec *s = (Fec *)d;

    s->rdar = s->ecr & ECR_ENABLE ? ACTIVE : 0;
    net_ready(&s->nic);
}

static void fec_tdar_write(Device *d, const RegAccess *a)
{
    static const uint16_t at[RINGS] = {0x014, 0x1e4, 0x1ec};
    Fec *s = (Fec *)d;

    for (unsigned r = 0; r < s->rings; r++) {
        if (a->reg->offset == at[r]) {
            ring_send(s, r);
        }
    }
}

static void fec_ecr_write(Device *d, const RegAccess *a)
{
    Fec *s = (Fec *)d;

    if (s->ecr & ECR_RESET) {
        s->ecr = s->eir = s->eimr = s->rdar = 0;
        fec_update(s);
    } else if (s->ecr & ECR_ENABLE && !(a->old & ECR_ENABLE)) {
        s->rx_at = s->rdsr[0];
        memcpy(s->tx_at, s->tdsr, sizeof(s->tx_at));
    } else if (!(s->ecr & ECR_ENABLE)) {
        s->rdar = 0;
    }
}

static void fec_mmfr_write(Device *d, const RegAccess *a)
{
    Fec *s = (Fec *)d;
    unsigned op = s->mmfr >> 28 & 3, phy = s->mmfr >> 23 & 31, reg = s->mmfr >> 18 & 31;
    MiiPhy *p = phy == s->phy_address ? &s->phy : phy == s->other_address ? &s->other : NULL;

    if (op == 2) {
        s->mmfr = (s->mmfr & 0xffff0000) | (p ? mii_read(p, reg) : 0xffff);
    } else if (op == 1 && p) {
        mii_write(p, reg, (uint16_t)s->mmfr);
    }
    s->eir |= EIR_MII;
    fec_update(s);
}

static void fec_ring_write(Device *d, const RegAccess *a)
{
    Fec *s = (Fec *)d;

    s->rx_at = s->rdsr[0];
    memcpy(s->tx_at, s->tdsr, sizeof(s->tx_at));
}

static uint64_t fec_time_read(Device *d, const RegAccess *a)
{
    Fec *s = (Fec *)d;

    return s->atcr & 1 ? (uint64_t)clock_now_ns(CLOCK_GUEST) % MAX(s->atper, 1) : 0;
}

static void fec_reset(Device *d)
{
    static const uint32_t fifo[9] = {0, 0, 4, 4, 0, 4, 8, 12, 0x7ff};
    Fec *s = (Fec *)d;

    memcpy(s->fifo, fifo, sizeof(s->fifo));
    s->palr = load_be32(s->mac);
    s->paur = (uint32_t)load_be16(s->mac + 4) << 16 | 0x8808;
    s->rx_at = 0;
    memset(s->tx_at, 0, sizeof(s->tx_at));
    mii_reset(&s->phy, s->phy_address, PHY_ID, nic_link_up(&s->nic));
    mii_reset(&s->other, s->other_address, PHY_ID, nic_link_up(&s->nic));
}

static bool fec_realize(Device *d, GError **error)
{
    Fec *s = (Fec *)d;

    if (s->rings < 1 || s->rings > RINGS) {
        return fail(error, "imx.enet: property 'tx-ring-num' must be 1 to %u, not %u", RINGS,
                    s->rings);
    }
    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &fec_net_ops, d, s->peer);
    return true;
}

static void fec_unrealize(Device *d)
{
    net_nic_fini(&((Fec *)d)->nic);
}

/* clang-format off */
#define RING_REG(off, f, n, ...) \
    { .offset = off, .field = offsetof(Fec, f[n]), .size = 4, .name = #f, __VA_ARGS__ }
static const Reg fec_regs[] = {
    REG(Fec, 0x004, eir, .w1c = 0xffffffff, .write = fec_changed, .help = "interrupts"),
    REG(Fec, 0x008, eimr, .wmask = 0xffffffff, .write = fec_changed, .help = "interrupts that are on"),
    REG(Fec, 0x010, rdar, .write = fec_rdar_write, .help = "there are empty receive buffers"),
    REG_HOOK(0x014, 4, "tdar", .write = fec_tdar_write, .help = "there are frames to send"),
    REG(Fec, 0x024, ecr, .reset = 0xf0000000, .wmask = 0xfff, .write = fec_ecr_write, .help = "control"),
    REG(Fec, 0x040, mmfr, .wmask = 0xffffffff, .write = fec_mmfr_write, .help = "access to the PHY"),
    REG(Fec, 0x044, mscr, .wmask = 0x7fe, .help = "its speed"),
    REG(Fec, 0x064, mibc, .reset = 0xc0000000, .wmask = 0xa0000000, .help = "counters"),
    REG(Fec, 0x084, rcr, .reset = 0x05ee0001, .wmask = 0x7fff73ff, .help = "receiver"),
    REG(Fec, 0x0c4, tcr, .wmask = 0x3fd, .help = "transmitter"),
    REG(Fec, 0x0e4, palr, .wmask = 0xffffffff, .help = "address"),
    REG(Fec, 0x0e8, paur, .wmask = 0xffff0000, .help = "its end"),
    REG(Fec, 0x0ec, opd, .reset = 0x10000, .wmask = 0xffff, .help = "pause"),
    REG_ARRAY(Fec, 0x0f0, txic, .wmask = 0xcff0ffff, .help = "interrupts of several frames"),
    REG_ARRAY(Fec, 0x100, rxic, .wmask = 0xcff0ffff, .help = "interrupts of several frames"),
    REG(Fec, 0x118, iaur, .wmask = 0xffffffff, .help = "hash of addresses, upper half"),
    REG(Fec, 0x11c, ialr, .wmask = 0xffffffff, .help = "lower half"),
    REG(Fec, 0x120, gaur, .wmask = 0xffffffff, .help = "hash of groups, upper half"),
    REG(Fec, 0x124, galr, .wmask = 0xffffffff, .help = "lower half"),
    REG(Fec, 0x144, tfwr, .wmask = 0x13f, .help = "transmit level"),
    RING_REG(0x160, rdsr, 1, .wmask = 0xfffffff8, .help = "receive ring 1"),
    RING_REG(0x164, tdsr, 1, .wmask = 0xfffffff8, .write = fec_ring_write, .help = "transmit ring 1"),
    RING_REG(0x168, mrbr, 1, .wmask = 0x3ff0, .help = "receive buffers"),
    RING_REG(0x16c, rdsr, 2, .wmask = 0xfffffff8, .help = "receive ring 2"),
    RING_REG(0x170, tdsr, 2, .wmask = 0xfffffff8, .write = fec_ring_write, .help = "transmit ring 2"),
    RING_REG(0x174, mrbr, 2, .wmask = 0x3ff0, .help = "receive buffers"),
    RING_REG(0x180, rdsr, 0, .wmask = 0xfffffff8, .write = fec_ring_write, .help = "receive ring"),
    RING_REG(0x184, tdsr, 0, .wmask = 0xfffffff8, .write = fec_ring_write, .help = "transmit ring"),
    RING_REG(0x188, mrbr, 0, .wmask = 0x3ff0, .help = "size of receive buffers"),
    REG_ARRAY(Fec, 0x190, fifo, .wmask = 0x3ff, .help = "levels of FIFOs, truncation"),
    REG(Fec, 0x1c0, tacc, .wmask = 0x19, .help = "transmit accelerator"),
    REG(Fec, 0x1c4, racc, .wmask = 0xc7, .help = "receive accelerator"),
    REG_ARRAY(Fec, 0x1c8, rcmr, .wmask = 0x1777777, .help = "classification"),
    REG_ARRAY(Fec, 0x1d8, dma_cfg, .wmask = 0x3ffff, .help = "DMA of rings"),
    REG_HOOK(0x1e0, 4, "rdar1", .help = "receive ring 1"),
    REG_HOOK(0x1e4, 4, "tdar1", .write = fec_tdar_write, .help = "frames to send in ring 1"),
    REG_HOOK(0x1e8, 4, "rdar2", .help = "receive ring 2"),
    REG_HOOK(0x1ec, 4, "tdar2", .write = fec_tdar_write, .help = "frames to send in ring 2"),
    REG(Fec, 0x1f0, qos, .wmask = 0x3f, .help = "scheme of rings"),
    REG(Fec, 0x400, atcr, .wmask = 0x2db5, .help = "timer control"),
    REG_HOOK(0x404, 4, "atvr", .read = fec_time_read, .help = "time"),
    REG(Fec, 0x408, atoff, .wmask = 0xffffffff, .help = "offset"),
    REG(Fec, 0x40c, atper, .reset = 1000000000, .wmask = 0xffffffff, .help = "period"),
    REG(Fec, 0x410, atcor, .wmask = 0x7fffffff, .help = "correction"),
    REG(Fec, 0x414, atinc, .wmask = 0x7f7f, .help = "increment"),
    REG(Fec, 0x418, atcap, .help = "time of the last frame sent"),
    REG(Fec, 0x604, tgsr, .w1c = 0xf, .help = "timer channels"),
    REG_ARRAY(Fec, 0x608, tc, .wmask = 0xffffffff, .help = "their controls and values"),
};
/* clang-format on */

static const RegBank fec_banks[] = {
    {.name = "mmio", .size = 0x4000, BANK_REGS(fec_regs), .help = "controller"}, {0}};
static const Prop fec_props[] = {
    NIC_PROPS(Fec),
    PROP_U32(Fec, rings, "tx-ring-num", 1, .help = "transmit rings"),
    PROP_U8(Fec, phy_address, "phy-num", 0, .help = "where the PHY answers"),
    PROP_U8(Fec, other_address, "other-phy-num", NO_PHY, .help = "where another controller's PHY answers; 32: none"),
    PROP_END,
};
static const PinRow fec_pins[] = {PIN_OUT_ARRAY(Fec, irq, "irq"), PIN_END};
static const StateField fec_state[] = {
    HOST_ONLY(Fec, nic, "host side"), STATE_STRUCT(Fec, phy, mii_state), STATE_STRUCT(Fec, other, mii_state),
    STATE(Fec, rx_at), STATE_ARRAY(Fec, tx_at), STATE_END,
};
static const DeviceType fec_type = {
    .name = "imx.enet", .category = "network", .desc = "i.MX Ethernet controller", .internal = true, .size = sizeof(Fec),
    .state_version = 1, .props = fec_props, .banks = fec_banks, .pins = fec_pins, .state = fec_state, .realize = fec_realize,
    .unrealize = fec_unrealize, .reset = fec_reset,
};
DEVICE_TYPE(fec_type);
