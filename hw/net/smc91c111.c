// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMSC LAN91C111 Ethernet controller (data sheet revision 1.92): sixteen bytes of registers in
 * banks, four packets of memory that software fills and empties through a data port, a PHY behind
 * two wires. Left out: early receive, full collision handling, the serial EEPROM.
 */
#include "exec/bank.h"
#include "hw/net/nic.h"

#define PACKETS 4
#define PACKET_BYTES 2048u
#define PHY_ID 0x0016f840u
#define REVISION 0x3391
#define NONE 0x80

enum {
    TCR_ENABLE = 1,
    TCR_PAD = 0x80,
    TCR_NO_CRC = 0x100
};
enum {
    RCR_PROMISCUOUS = 2,
    RCR_ALL_MULTICAST = 4,
    RCR_ENABLE = 0x100,
    RCR_STRIP_CRC = 0x200,
    RCR_RESET = 0x8000
};
enum {
    CTL_AUTO_RELEASE = 0x800
};
enum {
    PTR_READ = 0x2000,
    PTR_AUTO = 0x4000,
    PTR_RECEIVE = 0x8000
};
enum {
    INT_RCV = 1,
    INT_TX = 2,
    INT_TX_EMPTY = 4,
    INT_ALLOC = 8,
    INT_OVERRUN = 0x10,
    INT_MD = 0x80
};
enum {
    MMU_ALLOC = 1,
    MMU_RESET,
    MMU_REMOVE_RX,
    MMU_RELEASE_RX,
    MMU_RELEASE,
    MMU_ENQUEUE,
    MMU_RESET_TX
};
enum {
    RX_ODD = 0x1000,
    RX_BROADCAST = 0x4000,
    RX_MULTICAST = 1,
    CONTROL_ODD = 0x20
};

typedef struct Smc91c111 {
    Device dev;
    NetPeer *peer;
    NetClient nic;
    uint8_t mac[6];
    int32_t bootindex;
    MiiPhy phy;
    Irq irq;
    uint8_t bank, regs[4][16]; /* what is kept of each bank */
    uint8_t ints, mask, allocated, packet, used;
    uint8_t tx_done[PACKETS], tx_done_len, rx[PACKETS], rx_len;
    uint8_t data[PACKETS][PACKET_BYTES];
} Smc91c111;

static uint16_t smc_word(const Smc91c111 *s, unsigned bank, unsigned at)
{
    return load_le16(&s->regs[bank][at]);
}

static uint8_t smc_ints(const Smc91c111 *s)
{
    return s->ints | (s->rx_len ? INT_RCV : 0) | (s->tx_done_len ? INT_TX : 0);
}

static void smc_update(Smc91c111 *s)
{
    irq_set(&s->irq, (smc_ints(s) & s->mask) != 0);
}

/* ---- packet memory ---- */

static uint8_t smc_take(Smc91c111 *s)
{
    for (uint8_t i = 0; i < PACKETS; i++) {
        if (!(s->used >> i & 1)) {
            s->used |= 1u << i;
            return i;
        }
    }
    return NONE;
}

static void smc_allocate(Smc91c111 *s)
{
    s->allocated = smc_take(s);
    s->ints = s->allocated == NONE ? s->ints & ~INT_ALLOC : s->ints | INT_ALLOC;
}

static void smc_release(Smc91c111 *s, unsigned packet)
{
    s->used &= ~(1u << packet % PACKETS);
    if (s->allocated == NONE && s->regs[2][0] >> 5 == MMU_ALLOC) {
        smc_allocate(s); /* a request was waiting */
        s->regs[2][0] = 0;
    }
    net_ready(&s->nic);
}

static void smc_shift(uint8_t *fifo, uint8_t *len)
{
    if (*len) {
        memmove(fifo, fifo + 1, --*len);
    }
}

/* ---- transmission ---- */

static void smc_send(Smc91c111 *s)
{
    unsigned n = s->packet % PACKETS;
    uint8_t *p = s->data[n], frame[PACKET_BYTES + 64] = {0};
    unsigned count = load_le16(p + 2) & 0x7fe, len;

    if (!(smc_word(s, 0, 0) & TCR_ENABLE) || count < 6) {
        return;
    }
    len = count - 6;
    memcpy(frame, p + 4, len);
    if (p[count - 1] & CONTROL_ODD) {
        frame[len++] = p[count - 2];
    }
    if (smc_word(s, 0, 0) & TCR_PAD) {
        len = MAX(len, 60);
    }
    if (len >= 14) {
        net_send(&s->nic, frame, len);
    }
    store_le16(p, 1); /* it went out */
    s->ints |= INT_TX_EMPTY;
    if (smc_word(s, 1, 12) & CTL_AUTO_RELEASE) {
        smc_release(s, n);
    } else if (s->tx_done_len < PACKETS) {
        s->tx_done[s->tx_done_len++] = (uint8_t)n;
    }
}

/* ---- reception ---- */

static bool smc_wants(const Smc91c111 *s, const uint8_t *f)
{
    uint16_t rcr = smc_word(s, 0, 4);

    if (rcr & RCR_PROMISCUOUS || eth_is_broadcast(f)) {
        return true;
    }
    if (f[0] & 1) {
        uint32_t bit = eth_hash_le(f) & 63;

        return rcr & RCR_ALL_MULTICAST || s->regs[3][bit >> 3] >> (bit & 7) & 1;
    }
    return memcmp(f, &s->regs[1][4], 6) == 0;
}

static bool smc_can_receive(NetClient *c)
{
    Smc91c111 *s = c->opaque;

    return smc_word(s, 0, 4) & RCR_ENABLE && s->used != (1u << PACKETS) - 1 && s->rx_len < PACKETS;
}

static ssize_t smc_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Smc91c111 *s = c->opaque;
    uint8_t pad[ETH_MIN_FRAME], *p, n;
    bool crc = !(smc_word(s, 0, 4) & RCR_STRIP_CRC);
    size_t all;

    if (!(smc_word(s, 0, 4) & RCR_ENABLE) || len < 14 || len > PACKET_BYTES - 32) {
        return -1;
    }
    if (!smc_wants(s, frame)) {
        return (ssize_t)len;
    }
    if (!smc_can_receive(c)) {
        return 0;
    }
    n = smc_take(s);
    p = s->data[n];
    len = eth_pad(&frame, len, pad);
    memcpy(p + 4, frame, len);
    all = len;
    if (crc) {
        store_le32(p + 4 + len, eth_fcs(frame, len));
        all += 4;
    }
    p[4 + (all | 1)] = all & 1 ? CONTROL_ODD | 0x40 : 0x40;
    if (!(all & 1)) {
        p[4 + all] = 0;
    }
    store_le16(p, (all & 1 ? RX_ODD : 0) | (eth_is_broadcast(frame) ? RX_BROADCAST
                                            : frame[0] & 1          ? RX_MULTICAST
                                                                    : 0));
    store_le16(p + 2, (uint16_t)((all & ~(size_t)1) + 6));
    s->rx[s->rx_len++] = n;
    smc_update(s);
    return (ssize_t)len;
}

static void smc_link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Smc91c111 *)c->opaque)->phy, up);
}

static const NetOps smc_net_ops = {
    .type = "nic",
    .can_receive = smc_can_receive,
    .receive = smc_receive,
    .link_changed = smc_link_changed,
};

/* ---- registers ---- */

static void smc_soft_reset(Smc91c111 *s)
{
    static const struct {
        uint8_t bank, at;
        uint16_t value;
    } defaults[] = {
        {1, 0, 0xa0b1},    {1, 2, 0x1801},  {1, 12, 0x1210},
        {3, 10, REVISION}, {3, 12, 0x001f}, {3, 8, 0x3330},
    };

    memset(s->regs, 0, sizeof(s->regs));
    for (unsigned i = 0; i < ARRAY_COUNT(defaults); i++) {
        store_le16(&s->regs[defaults[i].bank][defaults[i].at], defaults[i].value);
    }
    memcpy(&s->regs[1][4], s->mac, 6);
    s->bank = s->mask = s->used = s->tx_done_len = s->rx_len = s->packet = 0;
    s->allocated = NONE;
    s->ints = INT_TX_EMPTY;
    smc_update(s);
}

static void smc_mmu(Smc91c111 *s, uint8_t value)
{
    switch (value >> 5) {
    case MMU_ALLOC:
        smc_allocate(s);
        s->regs[2][0] = s->allocated == NONE ? value & 0xe0 : 0;
        break;
    case MMU_RESET:
        s->used = s->tx_done_len = s->rx_len = 0;
        s->allocated = NONE;
        s->ints = (s->ints & ~INT_ALLOC) | INT_TX_EMPTY;
        break;
    case MMU_REMOVE_RX:
        smc_shift(s->rx, &s->rx_len);
        break;
    case MMU_RELEASE_RX:
        if (s->rx_len) {
            unsigned n = s->rx[0];

            smc_shift(s->rx, &s->rx_len);
            smc_release(s, n);
        }
        break;
    case MMU_RELEASE:
        smc_release(s, s->packet);
        break;
    case MMU_ENQUEUE:
        smc_send(s);
        break;
    case MMU_RESET_TX:
        s->tx_done_len = 0;
        break;
    default:
        break;
    }
    net_ready(&s->nic);
}

/* The byte that the pointer register names; it moves on. NULL: none. */
static uint8_t *smc_data(Smc91c111 *s, unsigned lane)
{
    uint16_t ptr = smc_word(s, 2, 6);
    unsigned at = ptr & 0x7ff, n = ptr & PTR_RECEIVE ? s->rx[0] : s->packet;

    if (ptr & PTR_RECEIVE && s->rx_len == 0) {
        return NULL;
    }
    if (ptr & PTR_AUTO) {
        store_le16(&s->regs[2][6], (uint16_t)((ptr & 0xf800) | ((at + 1) & 0x7ff)));
    } else {
        at = (at + lane) & 0x7ff;
    }
    return &s->data[n % PACKETS][at];
}

static uint8_t smc_read_byte(Smc91c111 *s, hwaddr offset)
{
    unsigned free = PACKETS - (unsigned)__builtin_popcount(s->used);
    uint8_t *p;

    if (offset >= 14) {
        return offset == 14 ? s->bank : 0x33;
    }
    switch (s->bank << 4 | offset) {
    case 0x02:
        return 1;
    case 0x03:
        return nic_link_up(&s->nic) ? 0x40 : 0;
    case 0x08:
        return PACKETS;
    case 0x09:
        return free;
    case 0x20:
    case 0x21:
        return 0; /* never busy */
    case 0x22:
        return s->packet;
    case 0x23:
        return s->allocated;
    case 0x24:
        return s->tx_done_len ? s->tx_done[0] : NONE;
    case 0x25:
        return s->rx_len ? s->rx[0] : NONE;
    case 0x28:
    case 0x29:
    case 0x2a:
    case 0x2b:
        p = smc_data(s, offset - 8);
        return p ? *p : 0;
    case 0x2c:
        return smc_ints(s);
    case 0x2d:
        return s->mask;
    case 0x38:
        return (s->regs[3][8] & ~2u) | (mii_addressed(&s->phy) && mii_out(&s->phy) ? 2 : 0);
    default:
        return s->bank < 4 ? s->regs[s->bank][offset] : 0;
    }
}

static void smc_write_byte(Smc91c111 *s, hwaddr offset, uint8_t v)
{
    uint8_t *p;

    if (offset >= 14) {
        s->bank = offset == 14 ? v & 7 : s->bank;
        return;
    }
    switch (s->bank << 4 | offset) {
    case 0x05:
        s->regs[0][5] = v;
        if (v & RCR_RESET >> 8) {
            smc_soft_reset(s);
        }
        net_ready(&s->nic);
        break;
    case 0x02:
    case 0x03:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x23:
    case 0x24:
    case 0x25:
    case 0x3a:
    case 0x3b:
        break;
    case 0x20:
        smc_mmu(s, v);
        break;
    case 0x22:
        s->packet = v & 0x3f;
        break;
    case 0x28:
    case 0x29:
    case 0x2a:
    case 0x2b:
        p = smc_data(s, offset - 8);
        if (p) {
            *p = v;
        }
        break;
    case 0x2c:
        s->ints &= ~(v & (INT_TX_EMPTY | INT_OVERRUN | INT_MD));
        if (v & INT_TX) {
            smc_shift(s->tx_done, &s->tx_done_len);
        }
        break;
    case 0x2d:
        s->mask = v;
        break;
    case 0x38:
        s->regs[3][8] = v;
        mii_wire(&s->phy, v & 4, v & 8 ? v & 1 : true);
        break;
    default:
        if (s->bank < 4) {
            s->regs[s->bank][offset] = v;
        }
        break;
    }
    smc_update(s);
}

static uint64_t smc_read(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)smc_read_byte(opaque, offset + i) << 8 * i;
    }
    return v;
}

/* Of a whole word at C only the bank arrives: software selects banks that way. */
static void smc_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    for (unsigned i = size == 4 && offset == 12 ? 2 : 0; i < size; i++) {
        smc_write_byte(opaque, offset + i, (uint8_t)(value >> 8 * i));
    }
}

static bool smc_realize(Device *d, GError **error)
{
    Smc91c111 *s = (Smc91c111 *)d;

    nic_settle_mac(s->mac);
    nic_attach(&s->nic, &smc_net_ops, d, s->peer);
    return true;
}

static void smc_unrealize(Device *d)
{
    net_nic_fini(&((Smc91c111 *)d)->nic);
}

static void smc_reset(Device *d)
{
    Smc91c111 *s = (Smc91c111 *)d;

    mii_reset(&s->phy, 0, PHY_ID, nic_link_up(&s->nic));
    smc_soft_reset(s);
}

static void smc_post_load(Device *d)
{
    Smc91c111 *s = (Smc91c111 *)d;

    s->bank &= 7;
    s->tx_done_len = MIN(s->tx_done_len, PACKETS);
    s->rx_len = MIN(s->rx_len, PACKETS);
}

/* clang-format off */
static const RegionOps smc_ops = {.read = smc_read, .write = smc_write, .min_size = 1, .max_size = 4};
static const RegBank smc_banks[] = {{.name = "mmio", .size = 16, .ops = &smc_ops, .help = "the bank that is selected"}, {0}};
static const Prop smc_props[] = {NIC_PROPS(Smc91c111), PROP_END};
static const PinRow smc_pins[] = {PIN_OUT(Smc91c111, irq, "irq"), PIN_END};
static const StateField smc_state[] = {
    HOST_ONLY(Smc91c111, nic, "host side"), STATE_STRUCT(Smc91c111, phy, mii_state), STATE_MAX(Smc91c111, bank, 7), STATE_RAW(Smc91c111, regs),
    STATE(Smc91c111, ints), STATE(Smc91c111, mask), STATE(Smc91c111, allocated), STATE(Smc91c111, packet), STATE_MAX(Smc91c111, used, (1u << PACKETS) - 1),
    STATE_RAW(Smc91c111, tx_done), STATE_COUNT(Smc91c111, tx_done_len, tx_done), STATE_RAW(Smc91c111, rx), STATE_COUNT(Smc91c111, rx_len, rx), STATE_RAW(Smc91c111, data),
    STATE_END,
};

static const DeviceType smc91c111_type = {
    .name = "smc91c111", .category = "network", .desc = "SMSC LAN91C111 Ethernet controller", .internal = true, .size = sizeof(Smc91c111),
    .state_version = 1, .props = smc_props, .banks = smc_banks, .pins = smc_pins, .state = smc_state, .realize = smc_realize,
    .unrealize = smc_unrealize, .reset = smc_reset, .post_load = smc_post_load,
};
DEVICE_TYPE(smc91c111_type);
/* clang-format on */
