// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 82540EM, 82544GC and 82545EM gigabit Ethernet controller (8254x Family Software Developer's
 * Manual,
 * 317453): legacy and TCP/IP transmit descriptors with checksum and segmentation offload,
 * receive filters, EEPROM, MDI registers of an 88E1011 PHY, interrupt throttling. Left out:
 * wake-up, flow control frames, VLAN stripping.
 */
#include "e1000.h"

static void e1000_update_irq(E1000 *s)
{
    pci_set_irq(&s->pci, (s->icr & s->ims) != 0);
}

/* 13.4.18: causes wait until the throttle's interval since the last interrupt has passed. */
static void e1000_raise(E1000 *s, uint32_t cause)
{
    s->icr |= cause;
    s->ics = s->icr;
    if ((s->icr & s->ims) && s->itr && !(s->pci.pin_level & 1)) {
        int64_t now = clock_now_ns(CLOCK_GUEST), due = s->last_irq_ns + s->itr * 256ll;

        if (now < due) {
            timer_set_ns(&s->itr_timer, due);
            return;
        }
        s->last_irq_ns = now;
    }
    e1000_update_irq(s);
}

static void e1000_itr_expired(void *opaque)
{
    E1000 *s = opaque;

    s->last_irq_ns = clock_now_ns(CLOCK_GUEST);
    e1000_update_irq(s);
}

/* ---- receive, 3.2 ---- */

static uint32_t ring_len(uint32_t len)
{
    return len / DESC_SIZE;
}

static unsigned rx_buffer_size(const E1000 *s)
{
    static const unsigned sizes[] = { 2048, 1024, 512, 256 };
    unsigned n = sizes[s->rctl >> 16 & 3];

    return (s->rctl & RCTL_BSEX) && n != 2048 ? n * 16 : n;
}

/* Descriptors that the driver gave us. */
static uint32_t rx_available(const E1000 *s)
{
    return e1000_ring_available(s->rdh, s->rdt, ring_len(s->rdlen));
}

static bool e1000_can_receive(NetClient *c)
{
    E1000 *s = c->opaque;

    return (s->rctl & RCTL_EN) && (s->status & STATUS_LU) && rx_available(s) > 0;
}

static bool rx_wanted(const E1000 *s, const uint8_t *f)
{
    if (eth_is_broadcast(f)) {
        return s->rctl & (RCTL_BAM | RCTL_UPE);
    }
    if ((f[0] & 1) && (s->rctl & RCTL_MPE)) {
        return true;
    }
    if (!(f[0] & 1) && (s->rctl & RCTL_UPE)) {
        return true;
    }
    return e1000_address_wanted(f, s->ra, ARRAY_COUNT(s->ra), s->mta, s->rctl);
}

/* What the status byte says of checksums: nothing, unless the back end vouches for them. */
static uint8_t rx_checked(const E1000 *s, const uint8_t *frame, size_t len, bool valid)
{
    EthLayout l;

    if (!valid || !eth_parse(frame, len, &l) || l.fragment) {
        return RXD_IXSM;
    }
    return (s->rxcsum & RXCSUM_IP && l.ip4 ? RXD_IPCS : 0) |
           (s->rxcsum & RXCSUM_TU && (l.tcp || l.udp) ? RXD_TCPCS : 0);
}

static ssize_t rx_frame(E1000 *s, const uint8_t *frame, size_t len, bool valid)
{
    Device *d = &s->pci.dev;
    uint8_t padded[ETH_MIN_FRAME];
    unsigned size = rx_buffer_size(s);

    if (!e1000_can_receive(&s->nic)) {
        return 0;
    }
    if (len < ETH_HEADER || !rx_wanted(s, frame) ||
        len + 4 > (s->rctl & RCTL_LPE ? 16384u : 1522u)) {
        return len;
    }
    uint8_t checked = rx_checked(s, frame, len, valid);
    size_t total = eth_pad(&frame, len, padded);
    uint32_t with_crc = total + (s->rctl & RCTL_SECRC ? 0 : 4);

    if ((with_crc + size - 1) / size > rx_available(s)) {
        e1000_raise(s, ICR_RXO);
        return 0;
    }
    for (size_t off = 0; off < with_crc; off += size) {
        hwaddr at = ((hwaddr)s->rdbah << 32 | s->rdbal) + (hwaddr)s->rdh * DESC_SIZE;
        uint8_t desc[DESC_SIZE] = { 0 };
        size_t part = MIN(size, with_crc - off);

        dma_read(d, at, desc, 8);
        if (off < total) {
            dma_write(d, load_le64(desc), frame + off, MIN(part, total - off));
        }
        store_le16(desc + 8, part);
        desc[12] = RXD_DD | checked | (off + part >= with_crc ? RXD_EOP : 0);
        dma_write(d, at + 8, desc + 8, 8);
        s->rdh = s->rdh + 1 == ring_len(s->rdlen) ? 0 : s->rdh + 1;
    }
    s->stats[STAT_GPRC]++;
    s->stats[STAT_TPR]++;
    uint32_t left = rx_available(s), low = ring_len(s->rdlen) >> ((s->rctl >> 8 & 3) + 1);

    e1000_raise(s, ICR_RXT0 | (left <= low ? ICR_RXDMT0 : 0));
    return len;
}

static ssize_t e1000_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    return rx_frame(c->opaque, frame, len, false);
}

static ssize_t e1000_receive_offload(NetClient *c, const uint8_t *frame, size_t len,
                                     const NetOffload *o)
{
    return rx_frame(c->opaque, frame, len, o->valid);
}

/* ---- transmit, 3.3 and 3.5 ---- */

static void tx_frame(E1000 *s, uint8_t *frame, size_t len, const NetOffload *o)
{
    s->stats[STAT_GPTC]++;
    s->stats[STAT_TPT]++;
    if (s->phy[0] & 0x4000) {
        e1000_receive(&s->nic, frame, len);
    } else {
        net_send_offload(&s->nic, frame, len, o);
    }
}

static void tx_end_of_packet(E1000 *s)
{
    NetOffload o = { 0 };

    if (s->tx.tse && s->tx.ctx.tcp && eth_offload_tso(s->tx_buf, s->tx_len, s->tx.ctx.mss, &o)) {
        tx_frame(s, s->tx_buf, s->tx_len, &o);
    } else if (s->tx_len >= ETH_HEADER) {
        e1000_put_checksums(&s->tx.ctx, s->tx.popts, s->tx_buf, s->tx_len, 0);
        tx_frame(s, s->tx_buf, s->tx_len, &o);
    }
    s->tx_len = 0;
    s->tx.popts = 0;
    s->tx.tse = false;
}

static void tx_descriptor(E1000 *s, const uint8_t *d)
{
    uint32_t lower = load_le32(d + 8), cmd = lower & 0xff000000;
    bool extended = cmd & TXD_DEXT;
    unsigned len = extended ? lower & 0xfffff : lower & 0xffff;

    if (extended && (lower >> 20 & 15) == 0) {
        s->tx.ctx = e1000_context(d);
        return;
    }
    if (extended && s->tx_len == 0) {
        s->tx.popts = d[13];
        s->tx.tse = cmd & TXD_TSE;
    } else if (!extended && (cmd & TXD_IC) && s->tx_len == 0) {
        s->tx.popts = POPTS_TXSM;
        s->tx.ctx.tucss = d[13];
        s->tx.ctx.tucso = d[10];
        s->tx.ctx.tucse = 0;
    }
    if (len > sizeof(s->tx_buf) - s->tx_len) {
        guest_error("e1000: packet of more than %zu bytes", sizeof(s->tx_buf));
        len = 0;
        s->tx_len = 0;
    }
    dma_read(&s->pci.dev, load_le64(d), s->tx_buf + s->tx_len, len);
    s->tx_len += len;
    if (cmd & TXD_EOP) {
        tx_end_of_packet(s);
    }
}

void e1000_transmit(E1000 *s)
{
    uint32_t n = ring_len(s->tdlen), cause = ICR_TXQE, done = 0;
    hwaddr base = (hwaddr)s->tdbah << 32 | s->tdbal;

    if (!(s->tctl & TCTL_EN) || n == 0 || s->tdh >= n || s->tdt >= n) {
        return;
    }
    while (s->tdh != s->tdt && done++ < n) {
        uint8_t d[DESC_SIZE];

        if (!dma_read(&s->pci.dev, base + (hwaddr)s->tdh * DESC_SIZE, d, sizeof(d))) {
            guest_error("e1000: transmit ring is not in memory");
            break;
        }
        tx_descriptor(s, d);
        if (load_le32(d + 8) & TXD_RS) {
            d[12] |= TXD_DD;
            dma_write(&s->pci.dev, base + (hwaddr)s->tdh * DESC_SIZE + 12, d + 12, 1);
            cause |= ICR_TXDW;
        }
        s->tdh = s->tdh + 1 == n ? 0 : s->tdh + 1;
    }
    e1000_raise(s, cause);
}

/* ---- link ---- */

void e1000_set_link(E1000 *s, bool up)
{
    s->status = up ? s->status | STATUS_LU : s->status & ~STATUS_LU;
    s->phy[1] = up ? s->phy[1] | 0x24 : s->phy[1] & ~0x24;
    s->phy[17] = up ? s->phy[17] | 0x400 : s->phy[17] & ~0x400;
}

static void e1000_link_changed(NetClient *c, bool up)
{
    E1000 *s = c->opaque;

    e1000_set_link(s, up);
    e1000_raise(s, ICR_LSC);
}

/* The link comes up a while after negotiation was asked for. */
static void e1000_negotiated(void *opaque)
{
    E1000 *s = opaque;

    if (s->nic.peer && !s->nic.link_down) {
        e1000_set_link(s, true);
        e1000_raise(s, ICR_LSC);
        net_ready(&s->nic);
    }
}

static void e1000_kick(void *opaque)
{
    E1000 *s = opaque;

    if (s->kick_tx) {
        s->kick_tx = false;
        e1000_transmit(s);
    }
    net_ready(&s->nic);
}

/* ---- device ---- */

static const NetOps e1000_net_ops = {
    .type = "e1000",
    .can_receive = e1000_can_receive,
    .receive = e1000_receive,
    .receive_offload = e1000_receive_offload,
    .link_changed = e1000_link_changed,
};

/* Intel's layout, 5.6: address, software compatibility, device ids, checksum BABAh. */
static void e1000_make_eeprom(E1000 *s)
{
    static const uint16_t defaults[64] = {
        [3] = 0x0000, [8] = 0x3000, [9] = 0x1000, [10] = 0x6403, [11] = 0x100e, [12] = 0x8086,
        [13] = 0x100e, [14] = 0x8086, [15] = 0x3040, [16] = 0x0008, [17] = 0x2000, [18] = 0x7e14,
        [19] = 0x0048, [20] = 0x1000, [21] = 0x00d8, [23] = 0x2700, [24] = 0x6cc9, [25] = 0x3150,
        [26] = 0x0722, [27] = 0x040b, [28] = 0x0984, [30] = 0xc000, [31] = 0x0706, [33] = 0x1008,
        [36] = 0x0f04, [37] = 0x7fff, [38] = 0x4d01, [62] = 0xffff,
    };
    uint16_t sum = 0;

    memcpy(s->eeprom, defaults, sizeof(s->eeprom));
    s->eeprom[11] = s->eeprom[13] = pci_info(&s->pci)->device;
    for (unsigned i = 0; i < 3; i++) {
        s->eeprom[i] = s->mac[2 * i] | s->mac[2 * i + 1] << 8;
    }
    for (unsigned i = 0; i < 63; i++) {
        sum += s->eeprom[i];
    }
    s->eeprom[63] = 0xbaba - sum;
}

static bool e1000_realize(Device *d, GError **error)
{
    E1000 *s = (E1000 *)d;

    nic_settle_mac(s->mac);
    e1000_make_eeprom(s);
    timer_init(&s->itr_timer, CLOCK_GUEST, e1000_itr_expired, s);
    timer_init(&s->link_timer, CLOCK_GUEST, e1000_negotiated, s);
    s->kick_bh = bh_new(e1000_kick, s);
    nic_attach(&s->nic, &e1000_net_ops, d, s->peer);
    return true;
}

static void e1000_unrealize(Device *d)
{
    E1000 *s = (E1000 *)d;

    timer_cancel(&s->itr_timer);
    timer_cancel(&s->link_timer);
    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

void e1000_device_reset(Device *d)
{
    E1000 *s = (E1000 *)d;

    timer_cancel(&s->itr_timer);
    timer_cancel(&s->link_timer);
    s->tx_len = 0;
    s->tx = (E1000Tx){ 0 };
    s->kick_tx = false;
    e1000_phy_reset(s);
    memset(s->ra, 0, sizeof(s->ra));
    s->ra[0] = load_le32(s->mac);
    s->ra[1] = load_le16(s->mac + 4) | RAH_AV;
    e1000_set_link(s, s->nic.peer && !s->nic.link_down);
    pci_set_irq(&s->pci, 0);
}

static const Prop e1000_props[] = {
    NIC_PROPS(E1000),
    PROP_END,
};

/* clang-format off */
#define E1000_TYPE(tag_, name_, alias_, device_)                                                   \
    static const PciInfo e1000_pci_##tag_ = {                                                      \
        .vendor = 0x8086, .device = device_, .class_code = 0x020000, .revision = 3, .pin = 1,      \
        .subsys_vendor = 0x1af4, .subsys = 0x1100,                                                 \
        .bar = { [0] = { PCI_BAR_MEM32, false, "mmio" }, [1] = { PCI_BAR_IO, false, "io" } },      \
        .romfile = "efi-e1000.rom",                                                                \
    };                                                                                             \
    static const DeviceType e1000_type_##tag_ = {                                                  \
        .name = name_, .alias = alias_, .parent = "pci-device", .bus = "PCI",                      \
        .category = "network", .desc = "Intel Gigabit Ethernet", .hotpluggable = true,             \
        .bus_info = &e1000_pci_##tag_, .size = sizeof(E1000), .state_version = 1,                  \
        .props = e1000_props, .banks = e1000_banks, .state = e1000_state,                          \
        .realize = e1000_realize, .unrealize = e1000_unrealize, .reset = e1000_device_reset,       \
    };                                                                                             \
    DEVICE_TYPE(e1000_type_##tag_)

E1000_TYPE(82540em, "e1000", "e1000-82540em", 0x100e);
E1000_TYPE(82544gc, "e1000-82544gc", NULL, 0x100c);
E1000_TYPE(82545em, "e1000-82545em", NULL, 0x100f);
/* clang-format on */
