// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMSC LAN9118 Ethernet controller (LAN9118 data sheet, revision 1.3): frames through FIFOs that
 * the CPU moves, MAC registers behind a mailbox, the PHY's management registers, an EEPROM with the
 * MAC address. Left out: flow control, wake-up, VLANs,
 * 16-bit mode.
 */
#include "exec/bank.h"
#include "net/net.h"
#include "util/bswap.h"
#include "util/log.h"
#include "util/timer.h"

#define RX_BYTES (16 * 1024)
#define RX_STATUSES 176
#define TX_MAX 2048
#define TX_STATUSES 128

enum {
    INT_SW = 1u << 31,
    INT_TXSTOP = 1 << 25,
    INT_RXSTOP = 1 << 24,
    INT_RXDFH = 1 << 23,
    INT_TX_IOC = 1 << 21,
    INT_RXD = 1 << 20,
    INT_GPT = 1 << 19,
    INT_PHY = 1 << 18,
    INT_TXSO = 1 << 16,
    INT_RXE = 1 << 14,
    INT_TXE = 1 << 13,
    INT_TDFA = 1 << 9,
    INT_TSFF = 1 << 8,
    INT_TSFL = 1 << 7,
    INT_RSFF = 1 << 4,
    INT_RSFL = 1 << 3 };
enum {
    MAC_CR = 1,
    MAC_ADDRH,
    MAC_ADDRL,
    MAC_HASHH,
    MAC_HASHL,
    MAC_MII_ACC,
    MAC_MII_DATA,
    MAC_FLOW,
    MAC_VLAN1,
    MAC_VLAN2,
    MAC_WUFF,
    MAC_WUCSR,
    MAC_REGS };
enum {
    CR_RXEN = 4,
    CR_TXEN = 8,
    CR_BCAST = 0x800,
    CR_HPFILT = 0x2000,
    CR_HO = 0x8000,
    CR_PASSBAD = 0x10000,
    CR_INVFILT = 0x20000,
    CR_PRMS = 0x40000,
    CR_MCPAS = 0x80000,
    CR_RXALL = 1u << 31 };

typedef struct Lan9118 {
    Device dev;
    NetPeer *netdev;
    NetClient nic;
    uint8_t conf_mac[6];               /* property */
    uint32_t mode_16bit;               /* property */
    Irq irq;
    uint32_t irq_cfg, int_sts, int_en, fifo_int, rx_cfg, tx_cfg, hw_cfg, pmt, gpio, gpt_cfg, word_swap, mac_cmd, mac_data, afc, e2p_cmd,
        e2p_data;
    uint32_t mac[MAC_REGS];
    uint16_t phy_control, phy_status, phy_advertise, phy_int, phy_mask;
    uint8_t eeprom[128];
    bool eeprom_writable;
    int64_t gpt_start_ns;
    Timer gpt;
    /* receive: frames as words, a status word each */
    uint32_t rx_fifo[RX_BYTES / 4], rx_status[RX_STATUSES];
    uint32_t rx_head, rx_used, rx_shead, rx_sused;
    uint32_t rx_left, rx_pad;          /* of the frame being read: words of data, then of padding; bytes to skip are data */
    uint16_t rx_sizes[RX_STATUSES];    /* words of each frame in the FIFO */
    uint32_t rx_zhead, rx_zused;
    /* transmit */
    uint8_t tx_buf[TX_MAX];
    uint32_t tx_len, tx_state, tx_a, tx_b, tx_words, tx_skip, tx_bytes;
    uint32_t tx_status[TX_STATUSES], tx_shead, tx_sused;
} Lan9118;

static void lan_update(Lan9118 *s)
{
    uint32_t pending;

    if (s->rx_sused > (s->fifo_int & 0xff)) {
        s->int_sts |= INT_RSFL;
    }
    if (s->tx_sused > (s->fifo_int >> 8 & 0xff)) {
        s->int_sts |= INT_TSFL;
    }
    /* nothing waits to be sent: there is always room */
    if ((s->fifo_int >> 24) < 0xff) {
        s->int_sts |= INT_TDFA;
    }
    pending = s->int_sts & s->int_en;
    s->irq_cfg = pending ? s->irq_cfg | 0x1000 : s->irq_cfg & ~0x1000u;
    irq_set(&s->irq, pending && s->irq_cfg & 0x100);
}

/* ---- PHY ---- */

static void phy_update(Lan9118 *s)
{
    bool on = s->phy_int & s->phy_mask;

    s->int_sts = on ? s->int_sts | INT_PHY : s->int_sts & ~INT_PHY;
    lan_update(s);
}

static void phy_link(Lan9118 *s)
{
    if (s->nic.link_down || !s->nic.peer) {
        s->phy_status &= ~0x24;
        s->phy_int |= 0x10;
    } else {
        s->phy_status |= 0x24;
        s->phy_int |= 0xc0;
    }
    phy_update(s);
}

static void phy_reset(Lan9118 *s)
{
    s->phy_status = 0x7809;
    s->phy_control = 0x3000;
    s->phy_advertise = 0x01e1;
    s->phy_mask = s->phy_int = 0;
    phy_link(s);
}

static uint16_t phy_read(Lan9118 *s, unsigned reg)
{
    uint16_t v;

    switch (reg) {
    case 0:
        return s->phy_control;
    case 1:
        return s->phy_status;
    case 2:
        return 0x0007;
    case 3:
        return 0xc0d1;
    case 4:
        return s->phy_advertise;
    case 5:
        return 0x0f71;
    case 6:
        return 1;
    case 29:
        v = s->phy_int;
        s->phy_int = 0;
        phy_update(s);
        return v;
    case 30:
        return s->phy_mask;
    case 31:
        return 0x1018;
    default:
        return 0;
    }
}

static void phy_write(Lan9118 *s, unsigned reg, uint16_t v)
{
    switch (reg) {
    case 0:
        if (v & 0x8000) {
            phy_reset(s);
            break;
        }
        s->phy_control = v & 0x7980;
        if (v & 0x1000) {
            s->phy_status |= 0x20;
        }
        break;
    case 4:
        s->phy_advertise = (v & 0x2d7f) | 0x80;
        break;
    case 30:
        s->phy_mask = v & 0xff;
        phy_update(s);
        break;
    default:
        break;
    }
}

/* ---- MAC ---- */

static void mac_command(Lan9118 *s)
{
    unsigned reg = s->mac_cmd & 0xff;

    s->mac_cmd &= ~(1u << 31);
    if (reg == 0 || reg >= MAC_REGS) {
        log_mask(LOG_GUEST_ERRORS, "lan9118: no MAC register %u\n", reg);
        return;
    }
    if (s->mac_cmd & 1u << 30) {
        s->mac_data = s->mac[reg];
        return;
    }
    uint32_t old = s->mac[reg];

    s->mac[reg] = s->mac_data;
    if (reg == MAC_CR) {
        if (old & CR_RXEN && !(s->mac_data & CR_RXEN)) {
            s->int_sts |= INT_RXSTOP;
        }
        net_ready(&s->nic);
    } else if (reg == MAC_MII_ACC) {
        s->mac[reg] &= 0xffc2;
        if (s->mac_data & 2) {
            phy_write(s, s->mac_data >> 6 & 31, s->mac[MAC_MII_DATA]);
        } else {
            s->mac[MAC_MII_DATA] = phy_read(s, s->mac_data >> 6 & 31);
        }
    }
}

static bool lan_wanted(const Lan9118 *s, const uint8_t *f)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint32_t cr = s->mac[MAC_CR];
    uint8_t own[6];

    if (cr & CR_PRMS) {
        return true;
    }
    if (memcmp(f, broadcast, 6) == 0) {
        return !(cr & CR_BCAST);
    }
    if (f[0] & 1 && cr & CR_MCPAS) {
        return true;
    }
    store_le32(own, s->mac[MAC_ADDRL]);
    store_le16(own + 4, s->mac[MAC_ADDRH]);
    if (f[0] & 1 ? !(cr & CR_HPFILT) : !(cr & CR_HO)) {
        return (memcmp(f, own, 6) == 0) != !!(cr & CR_INVFILT);
    }
    uint32_t crc = UINT32_MAX;

    for (unsigned i = 0; i < 6; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bool one = (crc >> 31) ^ (f[i] >> bit & 1);

            crc = crc << 1 ^ (one ? 0x04c11db7 : 0);
        }
    }
    unsigned hash = crc >> 26;

    return s->mac[hash & 32 ? MAC_HASHH : MAC_HASHL] >> (hash & 31) & 1;
}

static bool lan_can_receive(NetClient *c)
{
    Lan9118 *s = c->opaque;

    return s->mac[MAC_CR] & CR_RXEN && s->rx_sused < RX_STATUSES && s->rx_zused < RX_STATUSES &&
           RX_BYTES / 4 - s->rx_used > 400;
}

static void rx_push(Lan9118 *s, uint32_t word)
{
    s->rx_fifo[(s->rx_head + s->rx_used++) % (RX_BYTES / 4)] = word;
}

static ssize_t lan_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Lan9118 *s = c->opaque;
    uint8_t padded[1520 + 32] = {0};
    unsigned offset = s->rx_cfg >> 8 & 31;
    bool wanted;

    if (!(s->mac[MAC_CR] & CR_RXEN)) {
        return -1;
    }
    if (!lan_can_receive(c)) {
        return 0;
    }
    if (len < 14 || len > 1514) {
        return -1;
    }
    wanted = lan_wanted(s, frame);
    if (!wanted && !(s->mac[MAC_CR] & CR_RXALL)) {
        return (ssize_t)len;
    }
    size_t full = MAX(len, 60) + 4;

    memcpy(padded + offset, frame, len);
    unsigned words = (offset + full + 3) / 4;

    for (unsigned i = 0; i < words; i++) {
        rx_push(s, load_le32(padded + i * 4));
    }
    s->rx_sizes[(s->rx_zhead + s->rx_zused++) % RX_STATUSES] = words;
    uint32_t status = (uint32_t)full << 16;

    status |= frame[0] & 1 ? memcmp(frame, "\xff\xff\xff\xff\xff\xff", 6) == 0 ? 0x2000 : 0x400 : 0;
    status |= wanted ? 0 : 1u << 30;
    status |= (frame[12] << 8 | frame[13]) > 1500 ? 0x20 : 0;
    s->rx_status[(s->rx_shead + s->rx_sused++) % RX_STATUSES] = status;
    lan_update(s);
    return (ssize_t)len;
}

static uint64_t lan_rx_data_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    uint32_t v = 0;

    if (s->rx_left == 0 && s->rx_pad == 0 && s->rx_zused) {
        unsigned align = (s->rx_cfg >> 30) == 1 ? 4 : (s->rx_cfg >> 30) == 2 ? 8 : 1;

        s->rx_left = s->rx_sizes[s->rx_zhead];
        s->rx_zhead = (s->rx_zhead + 1) % RX_STATUSES;
        s->rx_zused--;
        s->rx_pad = (align - s->rx_left % align) % align;
    }
    if (s->rx_left) {
        v = s->rx_fifo[s->rx_head];
        s->rx_head = (s->rx_head + 1) % (RX_BYTES / 4);
        s->rx_used--;
        s->rx_left--;
        if (s->rx_left == 0) {
            net_ready(&s->nic);
        }
    } else if (s->rx_pad) {
        s->rx_pad--;
    }
    return v;
}

static uint64_t lan_rx_status_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    uint32_t v = s->rx_sused ? s->rx_status[s->rx_shead] : 0;

    if (a->reg->offset == 0x40 && s->rx_sused) {
        s->rx_shead = (s->rx_shead + 1) % RX_STATUSES;
        s->rx_sused--;
        net_ready(&s->nic);
    }
    return v;
}

/* Drops the rest of the frame at the head. */
static void lan_rx_dp_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (!(a->value >> 31)) {
        return;
    }
    if (s->rx_left == 0 && s->rx_pad == 0) {
        lan_rx_data_read(d, a);
    }
    while (s->rx_left) {
        lan_rx_data_read(d, a);
    }
    s->rx_pad = 0;
}

/* ---- transmit: command A, command B, data, for each buffer of a frame ---- */

enum { TX_IDLE, TX_B, TX_DATA };

static void tx_status_push(Lan9118 *s, uint32_t v)
{
    if (s->tx_sused == TX_STATUSES) {
        s->int_sts |= INT_TXSO;
        return;
    }
    s->tx_status[(s->tx_shead + s->tx_sused++) % TX_STATUSES] = v;
}

static void tx_buffer_end(Lan9118 *s)
{
    s->tx_state = TX_IDLE;
    if (s->tx_a & 1u << 12) {
        if (s->mac[MAC_CR] & CR_TXEN && s->tx_cfg & 2 && s->tx_len >= 14) {
            if (s->phy_control & 0x4000) {
                lan_receive(&s->nic, s->tx_buf, s->tx_len);
            } else {
                net_send(&s->nic, s->tx_buf, s->tx_len);
            }
        }
        tx_status_push(s, (s->tx_b >> 16) << 16);
        s->tx_len = 0;
    }
    if (s->tx_a & 1u << 31) {
        s->int_sts |= INT_TX_IOC;
    }
    lan_update(s);
}

static void tx_word(Lan9118 *s, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        if (s->tx_skip) {
            s->tx_skip--;
        } else if (s->tx_bytes) {
            s->tx_bytes--;
            if (s->tx_len < TX_MAX) {
                s->tx_buf[s->tx_len++] = v >> 8 * i;
            }
        }
    }
    s->tx_words--;
    if (s->tx_words == 0) {
        tx_buffer_end(s);
    }
}

static void lan_tx_data_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    uint32_t v = a->value;

    switch (s->tx_state) {
    case TX_IDLE:
        s->tx_a = v & 0x831f37ff;
        s->tx_state = TX_B;
        break;
    case TX_B: {
        static const uint8_t aligns[4] = {4, 16, 32, 4};
        unsigned align = aligns[s->tx_a >> 24 & 3];

        s->tx_b = v;
        if (s->tx_a & 1u << 13) {
            s->tx_len = 0;
        }
        s->tx_skip = s->tx_a >> 16 & 31;
        s->tx_bytes = s->tx_a & 0x7ff;
        s->tx_words = (s->tx_skip + s->tx_bytes + align - 1) / align * align / 4;
        s->tx_state = TX_DATA;
        if (s->tx_words == 0) {
            tx_buffer_end(s);
        }
        break;
    }
    default:
        tx_word(s, v);
        break;
    }
}

static uint64_t lan_tx_status_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    uint32_t v = s->tx_sused ? s->tx_status[s->tx_shead] : 0;

    if (a->reg->offset == 0x48 && s->tx_sused) {
        s->tx_shead = (s->tx_shead + 1) % TX_STATUSES;
        s->tx_sused--;
    }
    return v;
}

/* ---- system registers ---- */

static void lan_changed(Device *d, const RegAccess *a)
{
    lan_update((Lan9118 *)d);
}

static void lan_irq_cfg_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    s->irq_cfg = (s->irq_cfg & 0x1000) | (a->value & 0xff000111);
    lan_update(s);
}

static void lan_int_en_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    s->int_sts |= s->int_en & INT_SW;
    lan_update(s);
}

static void lan_rx_cfg_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (a->value & 0x8000) {
        s->rx_head = s->rx_used = s->rx_shead = s->rx_sused = s->rx_zhead = s->rx_zused =
            s->rx_left = s->rx_pad = 0;
    }
    s->rx_cfg = a->value & 0xcfff1ff0;
    net_ready(&s->nic);
}

static void lan_tx_cfg_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (a->value & 0x8000) {
        s->tx_shead = s->tx_sused = 0;
    }
    if (a->value & 0x4000) {
        s->tx_state = TX_IDLE;
        s->tx_len = 0;
    }
    s->tx_cfg = a->value & 6;
    if (a->value & 1) {
        s->tx_cfg &= ~2u;
        s->int_sts |= INT_TXSTOP;
    }
    lan_update(s);
}

static void lan_soft_reset(Lan9118 *s);

static void lan_hw_cfg_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (a->value & 1) {
        lan_soft_reset(s);
    } else {
        s->hw_cfg = (a->value & 0x003f300f) | (s->hw_cfg & 4);
    }
}

static uint64_t lan_rx_inf_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    return s->rx_sused << 16 | (s->rx_used * 4 & 0xffff);
}

static uint64_t lan_tx_inf_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    return s->tx_sused << 16 | 4608;
}

static void lan_pmt_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (a->value & 0x400) {
        phy_reset(s);
    }
    s->pmt = (a->value & 0x34e) | 1;
}

static void lan_gpt_expired(void *opaque)
{
    Lan9118 *s = opaque;

    s->int_sts |= INT_GPT;
    s->gpt_start_ns = clock_now_ns(CLOCK_GUEST);
    timer_set_ns(&s->gpt, s->gpt_start_ns + MAX(s->gpt_cfg & 0xffff, 1) * 100000ll);
    lan_update(s);
}

/* Ticks of 100 us. */
static void lan_gpt_cfg_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    timer_cancel(&s->gpt);
    if (s->gpt_cfg & 1 << 29) {
        s->gpt_start_ns = clock_now_ns(CLOCK_GUEST);
        timer_set_ns(&s->gpt, s->gpt_start_ns + MAX(s->gpt_cfg & 0xffff, 1) * 100000ll);
    }
}

static uint64_t lan_gpt_count_read(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    int64_t passed = (clock_now_ns(CLOCK_GUEST) - s->gpt_start_ns) / 100000;

    return s->gpt_cfg & 1 << 29 ? ((s->gpt_cfg & 0xffff) - passed) & 0xffff : 0xffff;
}

static uint64_t lan_free_run_read(Device *d, const RegAccess *a)
{
    return (uint32_t)(clock_now_ns(CLOCK_GUEST) / 40);
}

static void lan_mac_cmd_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;

    if (a->value >> 31) {
        mac_command(s);
    }
    lan_update(s);
}

static void eeprom_load(Lan9118 *s)
{
    if (s->eeprom[0] == 0xa5) {
        s->e2p_cmd |= 0x100;
        s->mac[MAC_ADDRL] = load_le32(s->eeprom + 1);
        s->mac[MAC_ADDRH] = load_le16(s->eeprom + 5);
    } else {
        s->e2p_cmd &= ~0x100u;
    }
}

static void lan_e2p_write(Device *d, const RegAccess *a)
{
    Lan9118 *s = (Lan9118 *)d;
    unsigned at = a->value & 0x7f;

    s->e2p_cmd = (a->value & 0x700000ff) | (a->old & 0x100);
    if (!(a->value >> 31)) {
        return;
    }
    switch (a->value >> 28 & 7) {
    case 0:
        s->e2p_data = s->eeprom[at];
        break;
    case 1:
        s->eeprom_writable = false;
        break;
    case 2:
        s->eeprom_writable = true;
        break;
    case 3:
        if (s->eeprom_writable) {
            s->eeprom[at] &= s->e2p_data;
        }
        break;
    case 4:
        for (unsigned i = 0; i < sizeof(s->eeprom) && s->eeprom_writable; i++) {
            s->eeprom[i] &= s->e2p_data;
        }
        break;
    case 5:
        if (s->eeprom_writable) {
            s->eeprom[at] = 0xff;
        }
        break;
    case 6:
        if (s->eeprom_writable) {
            memset(s->eeprom, 0xff, sizeof(s->eeprom));
        }
        break;
    default:
        eeprom_load(s);
        break;
    }
}

/* ---- the device ---- */

static void lan_soft_reset(Lan9118 *s)
{
    s->irq_cfg &= 0x111;
    s->int_sts = s->int_en = 0;
    s->fifo_int = 0x48000000;
    s->rx_cfg = s->tx_cfg = s->gpio = s->word_swap = s->mac_cmd = s->mac_data = s->afc =
        s->e2p_data = 0;
    s->e2p_cmd = 0;
    s->hw_cfg = s->mode_16bit ? 0x00050000 : 0x00050004;
    s->pmt = (s->pmt & 0x45) | 1;
    s->gpt_cfg = 0xffff;
    timer_cancel(&s->gpt);
    s->rx_head = s->rx_used = s->rx_shead = s->rx_sused = s->rx_zhead = s->rx_zused = s->rx_left =
        s->rx_pad = 0;
    s->tx_len = s->tx_state = s->tx_shead = s->tx_sused = s->tx_words = 0;
    memset(s->mac, 0, sizeof(s->mac));
    s->mac[MAC_CR] = 0x00040000;
    s->mac[MAC_ADDRH] = 0xffff;
    s->mac[MAC_ADDRL] = UINT32_MAX;
    eeprom_load(s);
    phy_reset(s);
    lan_update(s);
}

static void lan_link_changed(NetClient *c, bool up)
{
    phy_link(c->opaque);
}

static const NetOps lan_net_ops = {
    .type = "nic", .can_receive = lan_can_receive, .receive = lan_receive, .link_changed = lan_link_changed,
};

static bool lan_realize(Device *d, GError **error)
{
    Lan9118 *s = (Lan9118 *)d;
    static const uint8_t none[6];

    if (memcmp(s->conf_mac, none, 6) == 0) {
        net_default_mac(s->conf_mac);
    }
    memset(s->eeprom, 0xff, sizeof(s->eeprom));
    s->eeprom[0] = 0xa5;
    memcpy(s->eeprom + 1, s->conf_mac, 6);
    s->pmt = 1;
    timer_init(&s->gpt, CLOCK_GUEST, lan_gpt_expired, s);
    net_nic_init(&s->nic, &lan_net_ops, s, s->netdev, d->id ? d->id : d->obj.type->name);
    return true;
}

static void lan_unrealize(Device *d)
{
    Lan9118 *s = (Lan9118 *)d;

    timer_cancel(&s->gpt);
    net_nic_fini(&s->nic);
}

static void lan_reset(Device *d)
{
    lan_soft_reset((Lan9118 *)d);
}

/* clang-format off */
static const Reg lan_regs[] = {
    REG_HOOK(0x00, 4, "rx_data", .count = 8, .read = lan_rx_data_read, .help = "received frames"),
    REG_HOOK(0x20, 4, "tx_data", .count = 8, .write = lan_tx_data_write, .help = "frames to send, with their commands"),
    REG_HOOK(0x40, 4, "rx_status", .read = lan_rx_status_read, .help = "of the next received frame"),
    REG_HOOK(0x44, 4, "rx_status_peek", .read = lan_rx_status_read, .help = "the same, without taking it"),
    REG_HOOK(0x48, 4, "tx_status", .read = lan_tx_status_read, .help = "of a sent frame"),
    REG_HOOK(0x4c, 4, "tx_status_peek", .read = lan_tx_status_read, .help = "the same, without taking it"),
    REG_HOOK(0x50, 4, "id_rev", .reset = 0x01180001, .help = "LAN9118"),
    REG(Lan9118, 0x54, irq_cfg, .write = lan_irq_cfg_write, .help = "interrupt output"),
    REG(Lan9118, 0x58, int_sts, .w1c = 0xffffffff, .write = lan_changed, .help = "interrupts"),
    REG(Lan9118, 0x5c, int_en, .wmask = 0xffffffff, .write = lan_int_en_write, .help = "their enables"),
    REG_HOOK(0x64, 4, "byte_test", .reset = 0x87654321, .help = "byte order"),
    REG(Lan9118, 0x68, fifo_int, .wmask = 0xffffffff, .write = lan_changed, .help = "FIFO levels of interrupts"),
    REG(Lan9118, 0x6c, rx_cfg, .write = lan_rx_cfg_write, .help = "reception"),
    REG(Lan9118, 0x70, tx_cfg, .write = lan_tx_cfg_write, .help = "transmission"),
    REG(Lan9118, 0x74, hw_cfg, .write = lan_hw_cfg_write, .help = "hardware configuration, soft reset"),
    REG_HOOK(0x78, 4, "rx_dp_ctrl", .write = lan_rx_dp_write, .help = "skips a frame"),
    REG_HOOK(0x7c, 4, "rx_fifo_inf", .read = lan_rx_inf_read, .help = "what is in the receive FIFOs"),
    REG_HOOK(0x80, 4, "tx_fifo_inf", .read = lan_tx_inf_read, .help = "room in the transmit FIFO"),
    REG(Lan9118, 0x84, pmt, .write = lan_pmt_write, .help = "power management"),
    REG(Lan9118, 0x88, gpio, .wmask = 0x7777071f, .help = "GPIO and LEDs"),
    REG(Lan9118, 0x8c, gpt_cfg, .wmask = 0x2000ffff, .write = lan_gpt_cfg_write, .help = "general purpose timer"),
    REG_HOOK(0x90, 4, "gpt_cnt", .read = lan_gpt_count_read, .help = "its count"),
    REG(Lan9118, 0x98, word_swap, .wmask = 0xffffffff, .help = "word swapping"),
    REG_HOOK(0x9c, 4, "free_run", .read = lan_free_run_read, .help = "25 MHz counter"),
    REG_HOOK(0xa0, 4, "rx_drop", .help = "dropped frames: none, they wait"),
    REG(Lan9118, 0xa4, mac_cmd, .wmask = 0xc00000ff, .write = lan_mac_cmd_write, .help = "access to MAC registers"),
    REG(Lan9118, 0xa8, mac_data, .wmask = 0xffffffff, .help = "its data"),
    REG(Lan9118, 0xac, afc, .wmask = 0x00ffffff, .help = "flow control"),
    REG(Lan9118, 0xb0, e2p_cmd, .write = lan_e2p_write, .help = "EEPROM command"),
    REG(Lan9118, 0xb4, e2p_data, .wmask = 0xff, .help = "its data"),
};
/* clang-format on */

static const RegBank lan_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(lan_regs), .help = "controller"}, {0}};

static const Prop lan_props[] = {
    PROP_NETDEV(Lan9118, netdev),
    PROP_MAC(Lan9118, conf_mac),
    PROP_U32(Lan9118, mode_16bit, "mode_16bit", 0),
    PROP_END,
};

static const PinRow lan_pins[] = {PIN_OUT(Lan9118, irq, "irq"), PIN_END};

static const StateField lan_state[] = {
    HOST_ONLY(Lan9118, nic, "host side"), STATE_ARRAY(Lan9118, mac), STATE(Lan9118, phy_control),
    STATE(Lan9118, phy_status), STATE(Lan9118, phy_advertise), STATE(Lan9118, phy_int), STATE(Lan9118, phy_mask), STATE_RAW(Lan9118, eeprom),
    STATE(Lan9118, eeprom_writable), STATE(Lan9118, gpt_start_ns), STATE_TIMER_FIELD(Lan9118, gpt), STATE_ARRAY(Lan9118, rx_fifo),
    STATE_ARRAY(Lan9118, rx_status), STATE_INDEX(Lan9118, rx_head, rx_fifo), STATE_COUNT(Lan9118, rx_used, rx_fifo), STATE_INDEX(Lan9118, rx_shead, rx_status), STATE_COUNT(Lan9118, rx_sused, rx_status),
    STATE(Lan9118, rx_left), STATE(Lan9118, rx_pad), STATE_ARRAY(Lan9118, rx_sizes), STATE_INDEX(Lan9118, rx_zhead, rx_sizes), STATE_COUNT(Lan9118, rx_zused, rx_sizes),
    STATE_RAW(Lan9118, tx_buf), STATE_COUNT(Lan9118, tx_len, tx_buf), STATE(Lan9118, tx_state), STATE(Lan9118, tx_a), STATE(Lan9118, tx_b),
    STATE(Lan9118, tx_words), STATE(Lan9118, tx_skip), STATE(Lan9118, tx_bytes), STATE_ARRAY(Lan9118, tx_status), STATE_INDEX(Lan9118, tx_shead, tx_status),
    STATE_COUNT(Lan9118, tx_sused, tx_status), STATE_END,
};

static const DeviceType lan_type = {
    .name = "lan9118",
    .category = "network",
    .desc = "SMSC LAN9118 Ethernet controller",
    .internal = true,
    .size = sizeof(Lan9118),
    .state_version = 1,
    .props = lan_props,
    .banks = lan_banks,
    .pins = lan_pins,
    .state = lan_state,
    .realize = lan_realize,
    .unrealize = lan_unrealize,
    .reset = lan_reset,
};
DEVICE_TYPE(lan_type);
