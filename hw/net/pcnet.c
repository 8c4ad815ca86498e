// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD Am79C970A PCnet-PCI II (data sheet 19436): CSRs and BCRs behind an address port in word and
 * double word I/O, initialisation block, 16- and 32-bit descriptor rings, MII through BCR 33/34.
 * Registers are indexed pairs, which is why they are not rows. Left out: magic packets, expansion
 * bus, EADI.
 */
#include "hw/net/nic.h"
#include "hw/pci/pci.h"
#include "util/error.h"
#include "util/main-loop.h"

enum {
    CSR0_INIT = 1,
    CSR0_STRT = 2,
    CSR0_STOP = 4,
    CSR0_TDMD = 8,
    CSR0_TXON = 0x10,
    CSR0_RXON = 0x20,
    CSR0_IENA = 0x40,
    CSR0_INTR = 0x80,
    CSR0_IDON = 0x100,
    CSR0_TINT = 0x200,
    CSR0_RINT = 0x400,
    CSR0_MERR = 0x800,
    CSR0_MISS = 0x1000,
    CSR0_ERR = 0x8000,
    CSR0_CAUSES = 0x7f00 };
enum { MODE_DRX = 1, MODE_DTX = 2, MODE_LOOP = 4, MODE_DRCVBC = 0x4000, MODE_PROM = 0x8000 };
enum { BCR_SWS = 20, BCR_BUSCTL = 18, BCR_MIIADDR = 33, BCR_MIIDATA = 34, SWS_SIZE32 = 0x100 };
#define DMD_OWN 0x8000u
#define DMD_ERR 0x4000u
#define DMD_STP 0x0200u
#define DMD_ENP 0x0100u
#define CHIP_ID 0x02621003u
#define PHY_ADDRESS 0x1e
#define CSRS 128
#define BCRS 36
#define FRAME_MAX 4096u

typedef struct Pcnet {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    uint8_t prom[16];
    uint8_t rap;
    bool dwio;
    uint16_t csr[CSRS], bcr[BCRS];
    uint32_t rx_ring, tx_ring;
    uint32_t rx_count, tx_count, rx_at, tx_at;
    MiiPhy phy;
    uint32_t tx_len;
    bool tx_started;
    uint8_t tx_buf[FRAME_MAX];
} Pcnet;

/* A descriptor, whatever its form in memory. */
typedef struct PcnetDesc {
    hwaddr at;
    uint32_t buffer;
    uint16_t length;       /* bytes of the buffer */
    uint16_t status;       /* OWN, ERR ... in the high byte's places */
} PcnetDesc;

static void update_irq(Pcnet *s)
{
    uint16_t masked = s->csr[3] & CSR0_CAUSES;
    bool on = (s->csr[0] & CSR0_CAUSES & ~masked) != 0;

    s->csr[0] = (s->csr[0] & ~CSR0_INTR) | (on ? CSR0_INTR : 0);
    pci_set_irq(&s->pci, on && (s->csr[0] & CSR0_IENA));
}

static bool wide(const Pcnet *s)
{
    return s->bcr[BCR_SWS] & SWS_SIZE32;
}

/* 16-bit software sees 24 address bits; the upper eight come from CSR2. */
static uint32_t full_address(const Pcnet *s, uint32_t a)
{
    return wide(s) ? a : (a & 0xffffff) | (uint32_t)(s->csr[2] & 0xff00) << 16;
}

static bool desc_load(Pcnet *s, uint32_t ring, uint32_t i, PcnetDesc *d)
{
    uint8_t raw[16];
    unsigned size = wide(s) ? 16 : 8;
    bool swapped = (s->bcr[BCR_SWS] & 0xff) == 3;

    d->at = (uint32_t)(ring + i * size);
    if (!dma_read(&s->pci.dev, d->at, raw, size)) {
        s->csr[0] |= CSR0_MERR | CSR0_ERR;
        return false;
    }
    if (size == 16) {
        d->buffer = load_le32(raw + (swapped ? 8 : 0));
        d->status = load_le16(raw + 6);
    } else {
        d->buffer = full_address(s, load_le32(raw) & 0xffffff);
        d->status = (uint16_t)(raw[3] << 8);
    }
    /* the length is negative, in twelve bits */
    d->length = (uint16_t)(-load_le16(raw + 4) & 0xfff);
    if (d->length == 0) {
        d->length = 4096;
    }
    return true;
}

static void desc_done(Pcnet *s, const PcnetDesc *d, uint16_t status, int message)
{
    Device *dev = &s->pci.dev;
    uint8_t v[4];

    if (message >= 0) {
        store_le32(v, (uint32_t)message);
        dma_write(dev,
                  d->at + (!wide(s)                        ? 6
                           : (s->bcr[BCR_SWS] & 0xff) == 3 ? 0
                                                           : 8),
                  v, wide(s) ? 4 : 2);
    }
    store_le16(v, status);
    if (wide(s)) {
        dma_write(dev, d->at + 6, v, 2);
    } else {
        dma_write(dev, d->at + 3, v + 1, 1);
    }
}

/* ---- receive ---- */

static bool pcnet_can_receive(NetClient *c)
{
    Pcnet *s = c->opaque;
    PcnetDesc d;

    return (s->csr[0] & CSR0_RXON) && s->rx_count && desc_load(s, s->rx_ring, s->rx_at, &d) &&
           (d.status & DMD_OWN);
}

static bool pcnet_wanted(const Pcnet *s, const uint8_t *f)
{
    if (s->csr[15] & MODE_PROM) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return !(s->csr[15] & MODE_DRCVBC);
    }
    if (f[0] & 1) {
        unsigned hash = eth_hash_le(f) >> 26;

        return s->csr[8 + (hash >> 4)] & 1u << (hash & 15);
    }
    return load_le16(f) == s->csr[12] && load_le16(f + 2) == s->csr[13] &&
           load_le16(f + 4) == s->csr[14];
}

static ssize_t pcnet_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Pcnet *s = c->opaque;
    uint8_t packet[FRAME_MAX];
    uint16_t first = DMD_STP;
    PcnetDesc d;

    if (!pcnet_can_receive(c)) {
        return 0;
    }
    if (len < ETH_HEADER || len > 1600 || !pcnet_wanted(s, frame)) {
        return (ssize_t)len;
    }
    size_t total = MAX(len, ETH_MIN_FRAME);

    memset(packet, 0, total);
    memcpy(packet, frame, len);
    store_le32(packet + total, eth_fcs(packet, total));
    total += 4;
    for (size_t off = 0; off < total;) {
        if (!desc_load(s, s->rx_ring, s->rx_at, &d) || !(d.status & DMD_OWN)) {
            s->csr[0] |= CSR0_MISS | CSR0_ERR;
            break;
        }
        size_t part = MIN(d.length, total - off);
        bool last = off + part == total;

        dma_write(&s->pci.dev, d.buffer, packet + off, part);
        off += part;
        desc_done(s, &d, first | (last ? DMD_ENP : 0), last ? (int)total : -1);
        first = 0;
        s->rx_at = s->rx_at + 1 >= s->rx_count ? 0 : s->rx_at + 1;
    }
    s->csr[0] |= CSR0_RINT;
    update_irq(s);
    return (ssize_t)len;
}

/* ---- transmit ---- */

static void pcnet_transmit(Pcnet *s)
{
    PcnetDesc d;

    for (uint32_t n = 0; n < s->tx_count && (s->csr[0] & CSR0_TXON); n++) {
        if (!desc_load(s, s->tx_ring, s->tx_at, &d) || !(d.status & DMD_OWN)) {
            break;
        }
        if (d.status & DMD_STP) {
            s->tx_len = 0;
            s->tx_started = true;
        }
        if (d.length <= sizeof(s->tx_buf) - s->tx_len && s->tx_started &&
            dma_read(&s->pci.dev, d.buffer, s->tx_buf + s->tx_len, d.length)) {
            s->tx_len += d.length;
        } else {
            s->tx_started = false;
        }
        if ((d.status & DMD_ENP) && s->tx_started && s->tx_len >= ETH_HEADER) {
            if (s->csr[15] & MODE_LOOP) {
                pcnet_receive(&s->nic, s->tx_buf, s->tx_len);
            } else {
                net_send(&s->nic, s->tx_buf, s->tx_len);
            }
            s->tx_started = false;
        }
        desc_done(s, &d, d.status & ~(DMD_OWN | DMD_ERR), -1);
        s->tx_at = s->tx_at + 1 >= s->tx_count ? 0 : s->tx_at + 1;
        if (!(s->csr[5] & 0x8000) || (d.status & 0x1000) || (d.status & DMD_ENP)) {
            s->csr[0] |= CSR0_TINT;
        }
    }
    s->csr[0] &= ~CSR0_TDMD;
    update_irq(s);
}

static void pcnet_kick(void *opaque)
{
    Pcnet *s = opaque;

    pcnet_transmit(s);
    net_ready(&s->nic);
}

/* ---- registers ---- */

/* Mode, address, filter and rings from memory. */
static void pcnet_load_init_block(Pcnet *s)
{
    uint32_t at = s->csr[1] | (uint32_t)s->csr[2] << 16;
    uint8_t b[28];
    unsigned address, rings;

    if (!dma_read(&s->pci.dev, at, b, wide(s) ? 28 : 24)) {
        guest_error("pcnet: initialisation block at %x is not in memory", at);
        s->csr[0] |= CSR0_MERR | CSR0_ERR;
        return;
    }
    s->csr[15] = load_le16(b);
    address = wide(s) ? 4 : 2;
    rings = wide(s) ? 20 : 16;
    for (unsigned i = 0; i < 3; i++) {
        s->csr[12 + i] = load_le16(b + address + 2 * i);
    }
    for (unsigned i = 0; i < 4; i++) {
        s->csr[8 + i] = load_le16(b + address + (wide(s) ? 8 : 6) + 2 * i);
    }
    s->rx_ring = full_address(s, load_le32(b + rings) & (wide(s) ? ~0u : 0xffffff));
    s->tx_ring = full_address(s, load_le32(b + rings + 4) & (wide(s) ? ~0u : 0xffffff));
    unsigned rlen = wide(s) ? b[2] >> 4 : b[rings + 3] >> 5,
             tlen = wide(s) ? b[3] >> 4 : b[rings + 7] >> 5;

    s->rx_count = 1u << MIN(rlen, 9);
    s->tx_count = 1u << MIN(tlen, 9);
    s->csr[76] = (uint16_t)-s->rx_count;
    s->csr[78] = (uint16_t)-s->tx_count;
    s->rx_at = s->tx_at = 0;
}

static void pcnet_start(Pcnet *s)
{
    s->csr[0] &= ~CSR0_STOP;
    s->csr[0] |= (s->csr[15] & MODE_DTX ? 0 : CSR0_TXON) | (s->csr[15] & MODE_DRX ? 0 : CSR0_RXON) |
                 CSR0_STRT;
    s->tx_started = false;
}

static void pcnet_write_csr0(Pcnet *s, uint16_t v)
{
    s->csr[0] &= ~(v & CSR0_CAUSES);
    if (!(s->csr[0] & 0x7800)) {
        s->csr[0] &= ~CSR0_ERR;
    }
    s->csr[0] = (s->csr[0] & ~CSR0_IENA) | (v & CSR0_IENA);
    if (v & CSR0_STOP) {
        s->csr[0] = CSR0_STOP;
        update_irq(s);
        return;
    }
    if ((v & CSR0_INIT) && !(s->csr[0] & CSR0_INIT)) {
        pcnet_load_init_block(s);
        s->csr[0] &= ~CSR0_STOP;
        s->csr[0] |= CSR0_INIT | CSR0_IDON;
    }
    if ((v & CSR0_STRT) && !(s->csr[0] & CSR0_STRT)) {
        pcnet_start(s);
    }
    update_irq(s);
    bh_schedule(s->kick_bh);
}

static uint16_t pcnet_read_csr(Pcnet *s, unsigned n)
{
    switch (n) {
    case 88:
        return CHIP_ID & 0xffff;
    case 89:
        return CHIP_ID >> 16;
    case 58:
        return s->bcr[BCR_SWS];
    default:
        return n < CSRS ? s->csr[n] : 0;
    }
}

static void pcnet_set_style(Pcnet *s, uint16_t v)
{
    s->bcr[BCR_SWS] = (s->bcr[BCR_SWS] & ~0x3ff) | (v & 0xff) | ((v & 0xff) ? SWS_SIZE32 : 0) |
                      ((v & 0xff) < 2 ? 0x200 : 0);
}

static void pcnet_write_csr(Pcnet *s, unsigned n, uint16_t v)
{
    bool stopped = s->csr[0] & CSR0_STOP;

    switch (n) {
    case 0:
        pcnet_write_csr0(s, v);
        break;
    case 3:
    case 4:
    case 5:
        if (n == 4) {
            s->csr[4] &= ~(v & 0x026a);
            s->csr[4] = (s->csr[4] & 0x026a) | (v & ~0x026a);
        } else {
            s->csr[n] = v;
        }
        update_irq(s);
        break;
    case 58:
        if (stopped) {
            pcnet_set_style(s, v);
        }
        break;
    case 1:
    case 2:
    case 8 ... 15:
    case 47:
    case 114:
        if (stopped || n == 15) {
            s->csr[n] = v;
        }
        break;
    case 24:
    case 25:
        s->rx_ring = stopped ? n == 24 ? (s->rx_ring & 0xffff0000) | v
                                       : (s->rx_ring & 0xffff) | (uint32_t)v << 16
                             : s->rx_ring;
        break;
    case 30:
    case 31:
        s->tx_ring = stopped ? n == 30 ? (s->tx_ring & 0xffff0000) | v
                                       : (s->tx_ring & 0xffff) | (uint32_t)v << 16
                             : s->tx_ring;
        break;
    case 76:
    case 78:
        if (stopped) {
            uint32_t count = (uint16_t)-v;

            s->csr[n] = v;
            *(n == 76 ? &s->rx_count : &s->tx_count) = MIN(count, 65535);
        }
        break;
    }
}

static uint16_t pcnet_read_bcr(Pcnet *s, unsigned n)
{
    switch (n) {
    case 4:
    case 5:
    case 6:
    case 7:
        /* LEDs: bit 15 is lit; bit 6 is the link */
        return (s->bcr[n] & 0x7fff) | ((s->bcr[n] & 0x40) && nic_link_up(&s->nic) ? 0x8000 : 0);
    case BCR_MIIDATA:
        return (s->bcr[BCR_MIIADDR] >> 5 & 31) == PHY_ADDRESS
                   ? mii_read(&s->phy, s->bcr[BCR_MIIADDR])
                   : 0xffff;
    default:
        return n < BCRS ? s->bcr[n] : 0;
    }
}

static void pcnet_write_bcr(Pcnet *s, unsigned n, uint16_t v)
{
    if (n == BCR_SWS) {
        if (s->csr[0] & CSR0_STOP) {
            pcnet_set_style(s, v);
        }
    } else if (n == BCR_MIIDATA) {
        if ((s->bcr[BCR_MIIADDR] >> 5 & 31) == PHY_ADDRESS) {
            mii_write(&s->phy, s->bcr[BCR_MIIADDR], v);
        }
    } else if (n < BCRS) {
        s->bcr[n] = v;
    }
}

static void pcnet_soft_reset(Pcnet *s)
{
    static const uint16_t bcr[BCRS] = {
        [0] = 5,       [1] = 5,       [2] = 2,       [4] = 0x00c0,  [5] = 0x0084,
        [6] = 0x0088,  [7] = 0x0090,  [16] = 0xffe0, [18] = 0x9001, [19] = 2,
        [20] = 0x0200, [22] = 0xff06, [31] = 0x0c00, [32] = 0x0400, [33] = PHY_ADDRESS << 5,
        [35] = 0x1022,
    };

    memcpy(s->bcr, bcr, sizeof(bcr));
    memset(s->csr, 0, sizeof(s->csr));
    s->csr[0] = CSR0_STOP;
    s->csr[4] = 0x0115;
    s->csr[6] = 0x1212;
    for (unsigned i = 0; i < 3; i++) {
        s->csr[12 + i] = load_le16(s->mac + 2 * i);
    }
    s->csr[80] = 0x1410;
    s->rx_ring = s->tx_ring = s->rx_count = s->tx_count = s->rx_at = s->tx_at = s->tx_len = 0;
    s->tx_started = false;
    s->dwio = false;
    s->rap = 0;
    update_irq(s);
}

static uint64_t pcnet_read(void *opaque, hwaddr offset, unsigned size)
{
    Pcnet *s = opaque;
    unsigned unit = s->dwio ? 4 : 2;

    if (offset < 0x10) {
        return load_sized(s->prom + offset, size, false);
    }
    if (size != unit && !(size == 4 && offset == 0x10)) {
        return size == 4 ? 0xffffffff : 0xffff;
    }
    switch ((offset - 0x10) / unit) {
    case 0:
        return pcnet_read_csr(s, s->rap);
    case 1:
        return s->rap;
    case 2:
        pcnet_soft_reset(s);
        return 0;
    case 3:
        return pcnet_read_bcr(s, s->rap);
    default:
        return 0;
    }
}

static void pcnet_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Pcnet *s = opaque;
    unsigned unit = s->dwio ? 4 : 2;

    if (size == 4 && offset == 0x10 && !s->dwio) {
        /* 4.2: a double word to RDP turns double word I/O on */
        s->dwio = true;
        s->bcr[BCR_BUSCTL] |= 0x80;
        unit = 4;
    }
    if (offset < 0x10 || size != unit) {
        return;
    }
    switch ((offset - 0x10) / unit) {
    case 0:
        pcnet_write_csr(s, s->rap, (uint16_t)value);
        break;
    case 1:
        s->rap = value & 0x7f;
        break;
    case 3:
        pcnet_write_bcr(s, s->rap, (uint16_t)value);
        break;
    }
}

static const RegionOps pcnet_ops = {
    .read = pcnet_read, .write = pcnet_write, .min_size = 1, .max_size = 4};

static const RegBank pcnet_banks[] = {
    { .name = "io", .size = 0x20, .ops = &pcnet_ops, .pio = true, .help = "address PROM, RDP, RAP, reset, BDP" },
    { .name = "mmio", .size = 0x20, .ops = &pcnet_ops, .help = "the same in memory" },
    { 0 },
};

/* ---- device ---- */

static void pcnet_link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Pcnet *)c->opaque)->phy, up);
}

static const NetOps pcnet_net_ops = {
    .type = "pcnet", .can_receive = pcnet_can_receive, .receive = pcnet_receive, .link_changed = pcnet_link_changed,
};

static bool pcnet_realize(Device *d, GError **error)
{
    Pcnet *s = (Pcnet *)d;
    uint16_t sum = 0;

    nic_settle_mac(s->mac);
    memcpy(s->prom, s->mac, 6);
    s->prom[9] = 0x11;
    s->prom[14] = s->prom[15] = 0x57;
    for (unsigned i = 0; i < 16; i++) {
        sum += s->prom[i];
    }
    store_le16(s->prom + 12, sum);
    s->kick_bh = bh_new(pcnet_kick, s);
    nic_attach(&s->nic, &pcnet_net_ops, d, s->peer);
    return true;
}

static void pcnet_unrealize(Device *d)
{
    Pcnet *s = (Pcnet *)d;

    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

static void pcnet_reset(Device *d)
{
    Pcnet *s = (Pcnet *)d;

    mii_reset(&s->phy, PHY_ADDRESS, 0x00006b60, nic_link_up(&s->nic));
    pcnet_soft_reset(s);
}

static const Prop pcnet_props[] = { NIC_PROPS(Pcnet), PROP_END };

static const StateField pcnet_state[] = {
    HOST_ONLY(Pcnet, nic, "connection to the back end"), HOST_ONLY(Pcnet, kick_bh, "host side"),
    HOST_ONLY(Pcnet, prom, "made at realize"), STATE(Pcnet, rap), STATE(Pcnet, dwio), STATE_ARRAY(Pcnet, csr),
    STATE_ARRAY(Pcnet, bcr), STATE(Pcnet, rx_ring), STATE(Pcnet, tx_ring), STATE_MAX(Pcnet, rx_count, 65535),
    STATE_MAX(Pcnet, tx_count, 65535), STATE(Pcnet, rx_at), STATE(Pcnet, tx_at), STATE_STRUCT(Pcnet, phy, mii_state),
    STATE_COUNT(Pcnet, tx_len, tx_buf), STATE(Pcnet, tx_started), STATE_RAW(Pcnet, tx_buf), STATE_END,
};

static const PciConfigRow pcnet_config[] = {
    { "MIN_GNT", PCI_MIN_GNT, 1, 0x06, 0, 0, "" },
    { "MAX_LAT", PCI_MAX_LAT, 1, 0xff, 0, 0, "" },
    { 0 },
};

static const PciInfo pcnet_pci = {
    .vendor = 0x1022, .device = 0x2000, .class_code = 0x020000, .revision = 0x10, .pin = 1,
    .bar = { [0] = { PCI_BAR_IO, false, "io" }, [1] = { PCI_BAR_MEM32, false, "mmio" } },
    .romfile = "efi-pcnet.rom",
    .config = pcnet_config,
};

static const DeviceType pcnet_type = {
    .name = "pcnet",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .hotpluggable = true,
    .bus_info = &pcnet_pci,
    .size = sizeof(Pcnet),
    .state_version = 1,
    .props = pcnet_props,
    .banks = pcnet_banks,
    .state = pcnet_state,
    .realize = pcnet_realize,
    .unrealize = pcnet_unrealize,
    .reset = pcnet_reset,
};
DEVICE_TYPE(pcnet_type);
