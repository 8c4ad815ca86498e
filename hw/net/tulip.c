// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Digital 21143 "Tulip" (Hardware Reference Manual EC-QWC4F-TE): descriptor lists, setup frames,
 * serial ROM and MII management through CSR9, general-purpose timer. Left out: SIA and SYM ports,
 * the big-endian mode, interrupt mitigation.
 */
#include "hw/net/nic.h"
#include "hw/nvram/eeprom93.h"
#include "hw/pci/pci.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

enum { CSR0_SWR = 1 };
enum {
    INT_TI = 1,
    INT_TPS = 2,
    INT_TU = 4,
    INT_RI = 0x40,
    INT_RU = 0x80,
    INT_RPS = 0x100,
    INT_GTE = 0x800,
    INT_FBE = 0x2000,
    INT_AIS = 0x8000,
    INT_NIS = 0x10000 };
#define INT_NORMAL (INT_TI | INT_TU | INT_RI | 0x4000)
#define INT_ABNORMAL (INT_TPS | 8 | 0x20 | INT_RU | INT_RPS | 0x200 | 0x400 | INT_GTE | INT_FBE)
enum {
    CSR6_SR = 2,
    CSR6_HO = 4,
    CSR6_IF = 0x10,
    CSR6_PR = 0x40,
    CSR6_PM = 0x80,
    CSR6_OM = 0xc00,
    CSR6_ST = 0x2000
};
enum {
    CSR9_CS = 1,
    CSR9_CK = 2,
    CSR9_DI = 4,
    CSR9_DO = 8,
    CSR9_MDC = 1 << 16,
    CSR9_MDO = 1 << 17,
    CSR9_MDI = 1 << 19
};
#define DES_OWN (1u << 31)
#define DES1_END (1u << 25)
#define DES1_CHAIN (1u << 24)
#define TDES1_IC (1u << 31)
#define TDES1_LS (1u << 30)
#define TDES1_FS (1u << 29)
#define TDES1_FT1 (1u << 28)
#define TDES1_SET (1u << 27)
#define TDES1_FT0 (1u << 22)
enum { RDES0_MF = 0x400, RDES0_FS = 0x200, RDES0_LS = 0x100, RDES0_TL = 0x80 };
#define SETUP_SIZE 192u
#define PHY_ADDRESS 1
#define TIMER_UNIT_NS 81920
#define FRAME_MAX 2048u
#define BURST 512

typedef enum TulipFilter {
    FILTER_PERFECT,
    FILTER_HASH,
    FILTER_INVERSE,
    FILTER_HASH_ONLY
} TulipFilter;

typedef struct Tulip {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    Timer timer;
    uint32_t csr[16];
    uint32_t rx_at, tx_at;       /* descriptors that come next */
    Eeprom93 srom;
    MiiPhy phy;
    uint8_t filter;              /* TulipFilter */
    uint8_t setup[SETUP_SIZE];
    bool have_setup;
    uint32_t tx_len;
    uint8_t tx_buf[FRAME_MAX];
} Tulip;

static void update_irq(Tulip *s)
{
    uint32_t on = s->csr[5] & s->csr[7];

    s->csr[5] &= ~(uint32_t)(INT_AIS | INT_NIS);
    s->csr[5] |= (on & INT_NORMAL ? INT_NIS : 0) | (on & INT_ABNORMAL ? INT_AIS : 0);
    pci_set_irq(&s->pci, (s->csr[5] & s->csr[7] & (INT_AIS | INT_NIS)) != 0);
}

static void raise_irq(Tulip *s, uint32_t bits)
{
    s->csr[5] |= bits;
    update_irq(s);
}

/* Process states in CSR5: 0 stopped, others as the manual's table has them. */
static void set_rx_state(Tulip *s, uint32_t state)
{
    s->csr[5] = (s->csr[5] & ~(7u << 17)) | state << 17;
}

static void set_tx_state(Tulip *s, uint32_t state)
{
    s->csr[5] = (s->csr[5] & ~(7u << 20)) | state << 20;
}

static bool desc_load(Tulip *s, uint32_t at, uint32_t d[4])
{
    uint8_t raw[16];

    if (!dma_read(&s->pci.dev, at, raw, sizeof(raw))) {
        raise_irq(s, INT_FBE);
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        d[i] = load_le32(raw + 4 * i);
    }
    return true;
}

static void desc_status(Tulip *s, uint32_t at, uint32_t status)
{
    dma_store(&s->pci.dev, at, status, 4, DEV_LITTLE);
}

static uint32_t desc_next(Tulip *s, uint32_t at, const uint32_t d[4], uint32_t base)
{
    return d[1] & DES1_END ? base : d[1] & DES1_CHAIN ? d[3] : at + 16 + 4 * (s->csr[0] >> 2 & 31);
}

/* ---- receive ---- */

static bool can_receive(NetClient *c)
{
    Tulip *s = c->opaque;
    uint32_t d[4];

    return (s->csr[6] & CSR6_SR) && desc_load(s, s->rx_at, d) && (d[0] & DES_OWN);
}

static bool hash_hit(const Tulip *s, const uint8_t *f)
{
    unsigned hash = eth_hash_le(f) & 0x1ff;

    /* 16 bits in each long word */
    return load_le16(s->setup + (hash >> 4) * 4) & 1u << (hash & 15);
}

static bool perfect_hit(const Tulip *s, const uint8_t *f, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        const uint8_t *a = s->setup + 12 * i;

        if (memcmp(f, a, 2) == 0 && memcmp(f + 2, a + 4, 2) == 0 && memcmp(f + 4, a + 8, 2) == 0) {
            return true;
        }
    }
    return false;
}

static bool wanted(const Tulip *s, const uint8_t *f)
{
    if ((s->csr[6] & CSR6_PR) || ((s->csr[6] & CSR6_PM) && (f[0] & 1))) {
        return true;
    }
    if (!s->have_setup) {
        return eth_is_broadcast(f);
    }
    switch (s->filter) {
    case FILTER_PERFECT:
        return perfect_hit(s, f, 0, 16);
    case FILTER_INVERSE:
        return !perfect_hit(s, f, 0, 16);
    case FILTER_HASH_ONLY:
        return eth_is_broadcast(f) || hash_hit(s, f);
    default:
        return f[0] & 1 ? eth_is_broadcast(f) || hash_hit(s, f) : perfect_hit(s, f, 13, 14);
    }
}

static void rx_store(Tulip *s, const uint32_t d[4], const uint8_t *packet, size_t total,
                     size_t *off)
{
    size_t first = MIN(d[1] & 0x7ff, total - *off), second;

    dma_write(&s->pci.dev, d[2], packet + *off, first);
    *off += first;
    second = d[1] & DES1_CHAIN ? 0 : MIN(d[1] >> 11 & 0x7ff, total - *off);
    dma_write(&s->pci.dev, d[3], packet + *off, second);
    *off += second;
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Tulip *s = c->opaque;
    uint8_t packet[FRAME_MAX];
    uint32_t d[4];

    if (!can_receive(c)) {
        return 0;
    }
    if (len < ETH_HEADER || len > 1522 || !wanted(s, frame)) {
        return (ssize_t)len;
    }
    size_t total = MAX(len, ETH_MIN_FRAME);

    memset(packet, 0, total);
    memcpy(packet, frame, len);
    store_le32(packet + total, eth_fcs(packet, total));
    total += 4;
    for (size_t off = 0, n = 0; n < BURST; n++) {
        if (!desc_load(s, s->rx_at, d) || !(d[0] & DES_OWN)) {
            raise_irq(s, INT_RU);
            break;
        }
        uint32_t status =
            (uint32_t)total << 16 | (off == 0 ? RDES0_FS : 0) | (frame[0] & 1 ? RDES0_MF : 0);

        rx_store(s, d, packet, total, &off);
        status |= off == total ? RDES0_LS | (total > 1518 ? RDES0_TL : 0) : 0;
        desc_status(s, s->rx_at, status);
        s->rx_at = desc_next(s, s->rx_at, d, s->csr[3]);
        if (off == total) {
            raise_irq(s, INT_RI);
            break;
        }
    }
    return (ssize_t)len;
}

/* ---- transmit ---- */

static void take_setup(Tulip *s, const uint32_t d[4])
{
    uint32_t len = MIN(d[1] & 0x7ff, SETUP_SIZE);

    memset(s->setup, 0xff, sizeof(s->setup));
    s->have_setup = dma_read(&s->pci.dev, d[2], s->setup, len);
    s->filter = (d[1] & TDES1_FT1 ? 2 : 0) | (d[1] & TDES1_FT0 ? 1 : 0);
    s->csr[6] = (s->csr[6] & ~(uint32_t)(CSR6_HO | CSR6_IF | 1)) | (s->filter & 1) |
                (s->filter == FILTER_HASH_ONLY ? CSR6_HO : 0) |
                (s->filter == FILTER_INVERSE ? CSR6_IF : 0);
}

static void take_data(Tulip *s, const uint32_t d[4])
{
    const uint32_t sizes[2] = { d[1] & 0x7ff, d[1] & DES1_CHAIN ? 0 : d[1] >> 11 & 0x7ff };

    if (d[1] & TDES1_FS) {
        s->tx_len = 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (sizes[i] > sizeof(s->tx_buf) - s->tx_len) {
            guest_error("tulip: frame of more than %u bytes", FRAME_MAX);
            s->tx_len = 0;
            return;
        }
        dma_read(&s->pci.dev, d[2 + i], s->tx_buf + s->tx_len, sizes[i]);
        s->tx_len += sizes[i];
    }
    if (!(d[1] & TDES1_LS) || s->tx_len < ETH_HEADER) {
        return;
    }
    if (s->csr[6] & CSR6_OM) {
        receive(&s->nic, s->tx_buf, s->tx_len);
    } else {
        net_send(&s->nic, s->tx_buf, s->tx_len);
    }
}

static void transmit(Tulip *s)
{
    uint32_t d[4];

    for (unsigned n = 0; n < BURST && (s->csr[6] & CSR6_ST); n++) {
        if (!desc_load(s, s->tx_at, d)) {
            return;
        }
        if (!(d[0] & DES_OWN)) {
            set_tx_state(s, 6);
            raise_irq(s, INT_TU);
            return;
        }
        if (d[1] & TDES1_SET) {
            take_setup(s, d);
            desc_status(s, s->tx_at, 0x7fffffff);
        } else {
            take_data(s, d);
            desc_status(s, s->tx_at, 0);
        }
        s->tx_at = desc_next(s, s->tx_at, d, s->csr[4]);
        if (d[1] & TDES1_IC) {
            raise_irq(s, INT_TI);
        }
    }
    if (s->csr[6] & CSR6_ST) {
        bh_schedule(s->kick_bh);
    }
}

static void run_kick(void *opaque)
{
    Tulip *s = opaque;

    transmit(s);
    net_ready(&s->nic);
}

/* ---- registers ---- */

static void tulip_reset(Device *d);

static void write_csr0(Tulip *s, uint32_t v)
{
    s->csr[0] = v & ~1u;
    if (v & CSR0_SWR) {
        tulip_reset(&s->pci.dev);
    }
}

static void write_csr6(Tulip *s, uint32_t v)
{
    uint32_t old = s->csr[6];

    s->csr[6] = (v & ~0x15u) | (old & 0x15);
    if (~old & v & CSR6_SR) {
        set_rx_state(s, 3);
    } else if (old & ~v & CSR6_SR) {
        set_rx_state(s, 0);
        raise_irq(s, INT_RPS);
    }
    if (~old & v & CSR6_ST) {
        set_tx_state(s, 6);
    } else if (old & ~v & CSR6_ST) {
        set_tx_state(s, 0);
        raise_irq(s, INT_TPS);
    }
    bh_schedule(s->kick_bh);
}

static void write_csr9(Tulip *s, uint32_t v)
{
    s->csr[9] = v & ~(uint32_t)(CSR9_DO | CSR9_MDI);
    eeprom93_set(&s->srom, v & CSR9_CS, v & CSR9_CK, v & CSR9_DI);
    mii_wire(&s->phy, v & CSR9_MDC, v & CSR9_MDO);
}

static void write_csr11(Tulip *s, uint32_t v)
{
    s->csr[11] = v & 0x1ffff;
    if (v & 0xffff) {
        timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + (int64_t)(v & 0xffff) * TIMER_UNIT_NS);
    } else {
        timer_cancel(&s->timer);
    }
}

static void timer_expired(void *opaque)
{
    Tulip *s = opaque;

    if (s->csr[11] & 0x10000) {
        timer_set_ns(&s->timer,
                     clock_now_ns(CLOCK_GUEST) + (int64_t)(s->csr[11] & 0xffff) * TIMER_UNIT_NS);
    }
    raise_irq(s, INT_GTE);
}

static void write_csr(Device *dev, const RegAccess *a)
{
    Tulip *s = (Tulip *)dev;
    uint32_t v = (uint32_t)a->value;

    switch (a->index) {
    case 0:
        write_csr0(s, v);
        break;
    case 1:
    case 2:
        bh_schedule(s->kick_bh);
        break;
    case 3:
        s->csr[3] = s->rx_at = v & ~3u;
        break;
    case 4:
        s->csr[4] = s->tx_at = v & ~3u;
        break;
    case 5:
        s->csr[5] &= ~(v & 0x1ffff);
        update_irq(s);
        break;
    case 6:
        write_csr6(s, v);
        break;
    case 7:
        s->csr[7] = v;
        update_irq(s);
        break;
    case 9:
        write_csr9(s, v);
        break;
    case 11:
        write_csr11(s, v);
        break;
    case 8:
    case 12:
        break;
    default:
        s->csr[a->index] = v;
        break;
    }
}

static uint64_t read_csr(Device *dev, const RegAccess *a)
{
    Tulip *s = (Tulip *)dev;

    switch (a->index) {
    case 9:
        return s->csr[9] | (eeprom93_out(&s->srom) ? CSR9_DO : 0) |
               (mii_out(&s->phy) ? CSR9_MDI : 0);
    case 12:
        /* SIA status: negotiation is over, no link of its own */
        return 0x5000 | (nic_link_up(&s->nic) ? 0 : 6);
    default:
        return s->csr[a->index];
    }
}

static const Reg tulip_regs[] = {
    REG_ARRAY(Tulip, 0, csr, .stride = 8, .read = read_csr, .write = write_csr,
              .help = "bus mode, poll demands, lists, status, mode, interrupts, SROM and MII, timer, SIA"),
};

static const RegBank tulip_banks[] = {
    { .name = "io", .size = 0x80, BANK_REGS(tulip_regs), .pio = true, .help = "CSR0 to CSR15" },
    { .name = "mmio", .size = 0x80, BANK_REGS(tulip_regs), .help = "the same in memory" },
    { 0 },
};

/* ---- device ---- */

static void link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Tulip *)c->opaque)->phy, up);
}

static const NetOps tulip_net_ops = {
    .type = "tulip", .can_receive = can_receive, .receive = receive, .link_changed = link_changed,
};

/* Digital's SROM format, version 4: the address, and one info leaf with one MII block. */
static void make_srom(Tulip *s)
{
    static const uint8_t leaf[] = {
        0x00, 0x08,             /* media: automatic */
        1,                      /* blocks */
        0x80 | 14, 3,           /* length behind this byte; MII PHY */
        PHY_ADDRESS, 0, 0,      /* no port sequences */
        0x00, 0x78,             /* capabilities */
        0xe0, 0x01, 0x00, 0x50, 0x00, 0x18, 0x00,
    };
    uint8_t b[128] = { 0x3c, 0x10, 0x4f, 0x10, [18] = 4, [19] = 1, [26] = 0, [27] = 30 };

    memcpy(b + 20, s->mac, 6);
    memcpy(b + 30, leaf, sizeof(leaf));
    store_le16(b + 126, (uint16_t)eth_fcs(b, 126));
    eeprom93_init(&s->srom, 64);
    for (unsigned i = 0; i < 64; i++) {
        s->srom.words[i] = load_le16(b + 2 * i);
    }
}

static bool tulip_realize(Device *d, GError **error)
{
    Tulip *s = (Tulip *)d;

    nic_settle_mac(s->mac);
    make_srom(s);
    s->kick_bh = bh_new(run_kick, s);
    timer_init(&s->timer, CLOCK_GUEST, timer_expired, s);
    nic_attach(&s->nic, &tulip_net_ops, d, s->peer);
    return true;
}

static void tulip_unrealize(Device *d)
{
    Tulip *s = (Tulip *)d;

    timer_cancel(&s->timer);
    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

static void tulip_reset(Device *d)
{
    Tulip *s = (Tulip *)d;
    static const uint32_t values[16] = {
        [0] = 0xfe000000, [1] = 0xffffffff,  [2] = 0xffffffff,  [6] = 0x32000040,
        [7] = 0xf3fe0000, [8] = 0xe0000000,  [9] = 0xfff483ff,  [11] = 0xfffe0000,
        [12] = 0xc6,      [13] = 0xffff0000, [14] = 0xffffffff, [15] = 0x8ff00000,
    };

    timer_cancel(&s->timer);
    memcpy(s->csr, values, sizeof(values));
    s->csr[5] = 0xf0000000;
    s->csr[7] = 0;
    s->rx_at = s->tx_at = s->tx_len = 0;
    s->have_setup = false;
    s->filter = FILTER_PERFECT;
    mii_reset(&s->phy, PHY_ADDRESS, 0x78100000, nic_link_up(&s->nic));
    pci_set_irq(&s->pci, 0);
}

static const Prop tulip_props[] = { NIC_PROPS(Tulip), PROP_END };

static const StateField tulip_state[] = {
    HOST_ONLY(Tulip, nic, "connection to the back end"), HOST_ONLY(Tulip, kick_bh, "host side"),
    STATE_TIMER_FIELD(Tulip, timer), STATE(Tulip, rx_at), STATE(Tulip, tx_at),
    STATE_STRUCT(Tulip, srom, eeprom93_state), STATE_STRUCT(Tulip, phy, mii_state), STATE(Tulip, filter),
    STATE_RAW(Tulip, setup), STATE(Tulip, have_setup), STATE_COUNT(Tulip, tx_len, tx_buf), STATE_RAW(Tulip, tx_buf), STATE_END,
};

static const PciInfo tulip_pci = {
    .vendor = 0x1011, .device = 0x0019, .class_code = 0x020000, .pin = 1,
    .subsys_vendor = 0x103c, .subsys = 0x104f,
    .bar = { [0] = { PCI_BAR_IO, false, "io" }, [1] = { PCI_BAR_MEM32, false, "mmio" } },
};

static const DeviceType tulip_type = {
    .name = "tulip",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .hotpluggable = true,
    .bus_info = &tulip_pci,
    .size = sizeof(Tulip),
    .state_version = 1,
    .props = tulip_props,
    .banks = tulip_banks,
    .state = tulip_state,
    .realize = tulip_realize,
    .unrealize = tulip_unrealize,
    .reset = tulip_reset,
};
DEVICE_TYPE(tulip_type);
