// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 82574L gigabit Ethernet controller (data sheet 317694-018): two receive and two transmit
 * queues, legacy, extended and packet-split receive descriptors, checksum and segmentation
 * offload, VLAN tags, receive side scaling, MSI-X. Left out: IEEE 1588, management, header
 * splitting, wake-up, flow control, jumbo frames over 16 KiB.
 */
#include "e1000e.h"
#include "util/error.h"

enum { RFCTL_EXTENDED = 0x8000, RCTL_SPLIT = 0x400, MRQC_RSS = 1 };
#define SPLIT_SIZE 32u
#define TX_BURST 4096u

/* ---- receive ---- */

static unsigned rx_desc_size(const E1000e *s)
{
    return (s->rctl & 0xc00) == RCTL_SPLIT ? SPLIT_SIZE : DESC_SIZE;
}

static uint32_t rx_ring(const E1000e *s, unsigned q)
{
    return s->rdlen[q] / rx_desc_size(s);
}

static unsigned rx_buffer_size(const E1000e *s)
{
    static const unsigned sizes[] = { 2048, 1024, 512, 256 };
    unsigned n = sizes[s->rctl >> 16 & 3], flex = s->rctl >> 27 & 15;

    return flex ? flex * 1024 : (s->rctl & RCTL_BSEX) && n != 2048 ? n * 16 : n;
}

static uint32_t rx_available(const E1000e *s, unsigned q)
{
    return e1000_ring_available(s->rdh[q], s->rdt[q], rx_ring(s, q));
}

static bool can_receive(NetClient *c)
{
    E1000e *s = c->opaque;

    return (s->rctl & RCTL_EN) && (s->status & STATUS_LU) &&
           (rx_available(s, 0) > 0 || ((s->mrqc & 3) == MRQC_RSS && rx_available(s, 1) > 0));
}

static bool rx_wanted(const E1000e *s, const uint8_t *f, size_t len)
{
    if ((s->rctl & RCTL_VFE) && len >= 16 && load_be16(f + 12) == (s->vet & 0xffff)) {
        unsigned id = load_be16(f + 14) & 0xfff;

        if (!(s->vfta[id / 32] & 1u << (id & 31))) {
            return false;
        }
    }
    if (s->rctl & (f[0] & 1 ? RCTL_MPE : RCTL_UPE)) {
        return true;
    }
    if (eth_is_broadcast(f) && (s->rctl & RCTL_BAM)) {
        return true;
    }
    return e1000_address_wanted(f, s->ra, ARRAY_COUNT(s->ra), s->mta, s->rctl);
}

/* What a descriptor tells about a frame. */
typedef struct RxInfo {
    uint32_t status, mrq, hash;
    uint16_t tag;
    unsigned queue;
} RxInfo;

/* 7.1.11: hash type in the low bits of MRQ, the queue by the redirection table. */
static void rx_scale(E1000e *s, const uint8_t *f, const EthLayout *l, RxInfo *info)
{
    uint8_t key[40], input[36];
    size_t n = l->ip4 ? 8 : 32;
    unsigned type;

    if ((s->mrqc & 3) != MRQC_RSS) {
        return;
    }
    type = l->ip4 ? l->tcp && !l->fragment && (s->mrqc & 1 << 16) ? 1 : s->mrqc & 1 << 17 ? 2 : 0
                  : l->tcp && !l->fragment && (s->mrqc & 1 << 18) ? 3 : s->mrqc & 1 << 20 ? 5 : 0;
    if (type == 0) {
        return;
    }
    for (unsigned i = 0; i < 10; i++) {
        store_le32(key + 4 * i, s->rssrk[i]);
    }
    memcpy(input, f + l->l3 + (l->ip4 ? 12 : 8), n);
    if (type == 1 || type == 3) {
        memcpy(input + n, f + l->l4, 4);
        n += 4;
    }
    info->hash = eth_toeplitz(key, input, n);
    unsigned entry = s->reta[(info->hash & 127) / 4] >> 8 * (info->hash & 3) & 0xff;

    info->queue = entry >> 7;
    info->mrq = type | info->queue << 8;
}

static void rx_describe(E1000e *s, const uint8_t *f, size_t len, bool valid, RxInfo *info)
{
    EthLayout l;

    if (!eth_parse(f, len, &l)) {
        info->status |= RXD_IXSM;
        return;
    }
    rx_scale(s, f, &l, info);
    if (!valid || l.fragment) {
        info->status |= RXD_IXSM;
        return;
    }
    info->status |= (s->rxcsum & RXCSUM_IP) && l.ip4 ? RXD_IPCS : 0;
    if ((s->rxcsum & RXCSUM_TU) && (l.tcp || l.udp)) {
        info->status |= RXD_TCPCS | (l.udp ? RXD_UDPCS : 0);
    }
}

static void rx_write_back(E1000e *s, hwaddr at, const RxInfo *info, size_t len, uint32_t status)
{
    uint8_t d[DESC_SIZE] = { 0 };

    if ((s->rfctl & RFCTL_EXTENDED) || rx_desc_size(s) == SPLIT_SIZE) {
        store_le32(d, info->mrq);
        store_le32(d + 4, s->rxcsum & RXCSUM_PCSD ? info->hash : 0);
        store_le32(d + 8, status);
        store_le16(d + 12, (uint16_t)len);
        store_le16(d + 14, info->tag);
        dma_write(&s->pci.dev, at, d, sizeof(d));
    } else {
        store_le16(d + 8, (uint16_t)len);
        d[12] = (uint8_t)status;
        store_le16(d + 14, info->tag);
        dma_write(&s->pci.dev, at + 8, d + 8, 8);
    }
}

/* One descriptor's share of a frame; how much it took. */
static size_t rx_fill(E1000e *s, hwaddr at, const uint8_t *data, size_t len, uint16_t lengths[4])
{
    Device *dev = &s->pci.dev;
    bool split = rx_desc_size(s) == SPLIT_SIZE;
    uint8_t d[SPLIT_SIZE];
    size_t off = 0;

    dma_read(dev, at, d, split ? SPLIT_SIZE : 8);
    for (unsigned i = 0; i < (split ? 4u : 1u); i++) {
        size_t room = !split   ? rx_buffer_size(s)
                      : i == 0 ? (s->psrctl & 0x7f) * 128u
                               : (s->psrctl >> 8 * i & 0x3f) * 1024u;
        size_t part = MIN(room, len - off);

        dma_write(dev, load_le64(d + 8 * i), data + off, part);
        lengths[i] = (uint16_t)part;
        off += part;
    }
    if (split) {
        uint8_t tail[16] = { 0 };

        for (unsigned i = 1; i < 4; i++) {
            store_le16(tail + 2 * i, lengths[i]);
        }
        dma_write(dev, at + 16, tail, sizeof(tail));
    }
    return off;
}

static size_t rx_room(const E1000e *s, unsigned q)
{
    size_t each = rx_buffer_size(s);

    if (rx_desc_size(s) == SPLIT_SIZE) {
        each =
            (s->psrctl & 0x7f) * 128u +
            ((s->psrctl >> 8 & 0x3f) + (s->psrctl >> 16 & 0x3f) + (s->psrctl >> 24 & 0x3f)) * 1024u;
    }
    return each * rx_available(s, q);
}

static ssize_t rx_frame(E1000e *s, const uint8_t *frame, size_t len, bool valid)
{
    uint8_t packet[16384 + 8];
    RxInfo info = { 0 };
    size_t total = MAX(len, ETH_MIN_FRAME);

    if (!can_receive(&s->nic)) {
        return 0;
    }
    if (len < ETH_HEADER || !rx_wanted(s, frame, len) ||
        len + 4 > (s->rctl & RCTL_LPE ? 16384u : 1522u)) {
        return (ssize_t)len;
    }
    rx_describe(s, frame, len, valid, &info);
    memcpy(packet, frame, len);
    memset(packet + len, 0, total - len + 4);
    if ((s->ctrl & CTRL_VME) && load_be16(frame + 12) == (s->vet & 0xffff)) {
        info.tag = load_be16(frame + 14);
        info.status |= RXD_VP;
        memmove(packet + 12, packet + 16, total - 16);
        total -= 4;
    }
    total += s->rctl & RCTL_SECRC ? 0 : 4;
    unsigned q = info.queue;

    if (total > rx_room(s, q)) {
        e1000e_raise(s, ICR_RXO);
        return 0;
    }
    for (size_t off = 0; off < total;) {
        hwaddr at = ((hwaddr)s->rdbah[q] << 32 | s->rdbal[q]) + (hwaddr)s->rdh[q] * rx_desc_size(s);
        uint16_t lengths[4] = { 0 };
        size_t part = rx_fill(s, at, packet + off, total - off, lengths);

        off += part;
        rx_write_back(s, at, &info, lengths[0],
                      RXD_DD | (off >= total ? info.status | RXD_EOP : 0));
        s->rdh[q] = s->rdh[q] + 1 == rx_ring(s, q) ? 0 : s->rdh[q] + 1;
        if (part == 0) {
            break;
        }
    }
    s->stats[STAT_GPRC]++;
    s->stats[STAT_TPR]++;
    uint32_t left = rx_available(s, q), low = rx_ring(s, q) >> ((s->rctl >> 8 & 3) + 1);

    e1000e_raise(s, ICR_RXT0 | (uint32_t)ICR_RXQ0 << q | (left <= low ? ICR_RXDMT0 : 0));
    return (ssize_t)len;
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    return rx_frame(c->opaque, frame, len, false);
}

static ssize_t receive_offload(NetClient *c, const uint8_t *frame, size_t len, const NetOffload *o)
{
    return rx_frame(c->opaque, frame, len, o->valid);
}

/* ---- transmit ---- */

static void tx_send(E1000e *s, uint8_t *f, size_t len, const NetOffload *o)
{
    s->stats[STAT_GPTC]++;
    s->stats[STAT_TPT]++;
    if ((s->phy[0] & 0x4000) || (s->rctl & RCTL_LBM) == 0x40) {
        rx_frame(s, f, len, false);
    } else {
        net_send_offload(&s->nic, f, len, o);
    }
}

static void tx_end_of_packet(E1000e *s, E1000eTx *t)
{
    const E1000Context *c = &t->ctx;
    NetOffload o = { 0 };
    uint8_t *f = t->buf;

    if (t->vlan && t->len >= 12) {
        memmove(f + 16, f + 12, t->len - 12);
        store_be16(f + 12, (uint16_t)s->vet);
        store_be16(f + 14, t->tag);
        t->len += 4;
    }
    if (t->tse && c->tcp && eth_offload_tso(f, t->len, c->mss, &o)) {
        tx_send(s, f, t->len, &o);
    } else if (t->len >= ETH_HEADER) {
        e1000_put_checksums(c, t->popts, f, t->len, t->vlan ? 4 : 0);
        tx_send(s, f, t->len, &o);
    }
    t->len = 0;
    t->popts = 0;
    t->tse = t->vlan = false;
}

static void tx_descriptor(E1000e *s, E1000eTx *t, const uint8_t *d)
{
    uint32_t lower = load_le32(d + 8), cmd = lower & 0xff000000;
    bool extended = cmd & TXD_DEXT;
    unsigned len = extended ? lower & 0xfffff : lower & 0xffff;

    if (extended && (lower >> 20 & 15) == 0) {
        t->ctx = e1000_context(d);
        return;
    }
    if (t->len == 0) {
        t->tse = extended && (cmd & TXD_TSE);
        t->popts = extended ? d[13] : 0;
        if (!extended && (cmd & TXD_IC)) {
            t->popts = POPTS_TXSM;
            t->ctx.tucss = d[13];
            t->ctx.tucso = d[10];
            t->ctx.tucse = 0;
        }
    }
    if (len > sizeof(t->buf) - 8 - t->len) {
        guest_error("e1000e: packet of more than %zu bytes", sizeof(t->buf) - 8);
        len = 0;
        t->len = 0;
    }
    dma_read(&s->pci.dev, load_le64(d), t->buf + t->len, len);
    t->len += len;
    if (cmd & TXD_EOP) {
        if ((cmd & TXD_VLE) && (s->ctrl & CTRL_VME)) {
            t->vlan = true;
            t->tag = load_le16(d + 14);
        }
        tx_end_of_packet(s, t);
    }
}

static void tx_queue(E1000e *s, unsigned q)
{
    uint32_t n = s->tdlen[q] / DESC_SIZE, cause = 0, done = 0;
    hwaddr base = (hwaddr)s->tdbah[q] << 32 | s->tdbal[q];

    if (n == 0 || s->tdh[q] >= n || s->tdt[q] >= n || s->tdh[q] == s->tdt[q]) {
        return;
    }
    while (s->tdh[q] != s->tdt[q] && done++ < MIN(n, TX_BURST)) {
        hwaddr at = base + (hwaddr)s->tdh[q] * DESC_SIZE;
        uint8_t d[DESC_SIZE];

        if (!dma_read(&s->pci.dev, at, d, sizeof(d))) {
            guest_error("e1000e: transmit ring is not in memory");
            break;
        }
        tx_descriptor(s, &s->tx[q], d);
        if (load_le32(d + 8) & TXD_RS) {
            d[12] |= TXD_DD;
            dma_write(&s->pci.dev, at + 12, d + 12, 1);
            cause |= ICR_TXDW | (uint32_t)ICR_TXQ0 << q;
        }
        s->tdh[q] = s->tdh[q] + 1 == n ? 0 : s->tdh[q] + 1;
    }
    e1000e_raise(s, cause | (s->tdh[q] == s->tdt[q] ? ICR_TXQE : 0));
}

void e1000e_transmit(E1000e *s)
{
    for (unsigned q = 0; (s->tctl & TCTL_EN) && q < E1000E_QUEUES; q++) {
        tx_queue(s, q);
    }
}

/* ---- link ---- */

void e1000e_set_link(E1000e *s, bool up)
{
    s->status = up ? s->status | STATUS_LU : s->status & ~STATUS_LU;
    s->phy[1] = up ? s->phy[1] | 0x24 : s->phy[1] & ~0x24;
    s->phy[17] = up ? s->phy[17] | 0x0c00 : s->phy[17] & ~0x0400;
}

static void link_changed(NetClient *c, bool up)
{
    E1000e *s = c->opaque;

    e1000e_set_link(s, up);
    e1000e_raise(s, ICR_LSC);
}

static void negotiated(void *opaque)
{
    E1000e *s = opaque;

    if (nic_link_up(&s->nic)) {
        e1000e_set_link(s, true);
        e1000e_raise(s, ICR_LSC);
        net_ready(&s->nic);
    }
}

static void run_kick(void *opaque)
{
    E1000e *s = opaque;

    if (s->kick_tx) {
        s->kick_tx = false;
        e1000e_transmit(s);
    }
    net_ready(&s->nic);
}

/* ---- device ---- */

static const NetOps e1000e_net_ops = {
    .type = "e1000e", .can_receive = can_receive, .receive = receive, .receive_offload = receive_offload,
    .link_changed = link_changed,
};

static void make_nvm(E1000e *s)
{
    static const uint16_t defaults[64] = {
        [3] = 0x0420,  [4] = 0xf746,  [5] = 0x2010,  [6] = 0xffff,  [7] = 0xffff,  [10] = 0x026b,
        [12] = 0x8086, [13] = 0x10d3, [14] = 0x0000, [15] = 0x8058, [17] = 0x2001, [18] = 0x7e7c,
        [19] = 0xffff, [20] = 0x1000, [21] = 0x00c8, [23] = 0x2704, [24] = 0x6cc9, [25] = 0x3150,
        [26] = 0x070e, [27] = 0x460b, [28] = 0x2d84, [29] = 0x0100, [30] = 0xf000, [31] = 0x0706,
        [32] = 0x6000, [33] = 0x7fff, [34] = 0x0f04, [35] = 0x7fff, [36] = 0x4f01, [37] = 0xc600,
        [39] = 0x20ff, [40] = 0x0028, [41] = 0x0003, [47] = 0xffff,
    };
    uint16_t sum = 0;

    memcpy(s->nvm, defaults, sizeof(s->nvm));
    for (unsigned i = 0; i < 3; i++) {
        s->nvm[i] = load_le16(s->mac + 2 * i);
    }
    for (unsigned i = 0; i < 63; i++) {
        sum += s->nvm[i];
    }
    s->nvm[63] = 0xbaba - sum;
}

static bool e1000e_realize(Device *d, GError **error)
{
    E1000e *s = (E1000e *)d;

    nic_settle_mac(s->mac);
    make_nvm(s);
    pci_config_set(&s->pci, PCI_SUBSYSTEM_VENDOR_ID, 2, s->subsys_ven);
    pci_config_set(&s->pci, PCI_SUBSYSTEM_ID, 2, s->subsys);
    timer_init(&s->irq_timer, CLOCK_GUEST, e1000e_irq_timer, s);
    timer_init(&s->link_timer, CLOCK_GUEST, negotiated, s);
    s->kick_bh = bh_new(run_kick, s);
    nic_attach(&s->nic, &e1000e_net_ops, d, s->peer);
    return true;
}

static void e1000e_unrealize(Device *d)
{
    E1000e *s = (E1000e *)d;

    timer_cancel(&s->irq_timer);
    timer_cancel(&s->link_timer);
    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

void e1000e_device_reset(Device *d)
{
    E1000e *s = (E1000e *)d;

    timer_cancel(&s->irq_timer);
    timer_cancel(&s->link_timer);
    for (unsigned q = 0; q < E1000E_QUEUES; q++) {
        s->tx[q].len = s->tx[q].popts = 0;
        s->tx[q].tse = s->tx[q].vlan = false;
        s->tx[q].ctx = (E1000Context){ 0 };
    }
    memset(s->next_irq_ns, 0, sizeof(s->next_irq_ns));
    s->sent = 0;
    s->kick_tx = false;
    e1000e_phy_reset(s);
    memset(s->ra, 0, sizeof(s->ra));
    s->ra[0] = load_le32(s->mac);
    s->ra[1] = load_le16(s->mac + 4) | RAH_AV;
    if (s->init_vet) {
        s->vet = 0x8100;
    }
    e1000e_set_link(s, nic_link_up(&s->nic));
    pci_set_irq(&s->pci, 0);
}

static const Prop e1000e_props[] = {
    NIC_PROPS(E1000e),
    PROP_U16(E1000e, subsys_ven, "subsys_ven", 0x8086, .help = "PCI device Subsystem Vendor ID"),
    PROP_U16(E1000e, subsys, "subsys", 0, .help = "PCI device Subsystem ID"),
    PROP_U8(E1000e, disable_vnet_hdr, "disable_vnet_hdr", 0,
            .help = "Do not use virtio headers, perform SW offloads emulation instead"),
    PROP_BOOL(E1000e, init_vet, "init-vet", true),
    PROP_END,
};

static const PciInfo e1000e_pci = {
    .vendor = 0x8086, .device = 0x10d3, .class_code = 0x020000, .pin = 1, .subsys_vendor = 0x8086,
    .bar = { [0] = { PCI_BAR_MEM32, false, "mmio" }, [1] = { PCI_BAR_MEM32, false, "flash" },
             [2] = { PCI_BAR_IO, false, "io" } },
    .express = true, .msi = 1, .msix = E1000E_VECTORS, .msix_bar = 3,
    .romfile = "efi-e1000e.rom",
};

static const DeviceType e1000e_type = {
    .name = "e1000e",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "network",
    .desc = "Intel 82574L GbE Controller",
    .hotpluggable = true,
    .bus_info = &e1000e_pci,
    .size = sizeof(E1000e),
    .state_version = 1,
    .props = e1000e_props,
    .banks = e1000e_banks,
    .state = e1000e_state,
    .realize = e1000e_realize,
    .unrealize = e1000e_unrealize,
    .reset = e1000e_device_reset,
};
DEVICE_TYPE(e1000e_type);
