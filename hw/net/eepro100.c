// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel 8255x Ethernet controllers (Open Source Software Developer Manual 1.3): command and
 * receive units, configuration, multicast setup, statistics, self test, EEPROM, MDI. Left out:
 * microcode, flow control, receive buffer descriptors, wake-up, checksum offload of the 82550.
 */
#include "hw/net/nic.h"
#include "hw/nvram/eeprom93.h"
#include "hw/pci/pci.h"
#include "util/error.h"
#include "util/main-loop.h"

enum { ACK_CX = 0x80, ACK_FR = 0x40, ACK_CNA = 0x20, ACK_RNR = 0x10, ACK_MDI = 8, ACK_SWI = 4 };
enum { CU_IDLE, CU_SUSPENDED, CU_ACTIVE };
enum { RU_IDLE, RU_SUSPENDED, RU_NO_RESOURCES, RU_READY = 4 };
enum { CB_EL = 0x8000, CB_S = 0x4000, CB_I = 0x2000, CB_SF = 8, CB_C = 0x8000, CB_OK = 0x2000 };
enum { CMD_NOP, CMD_IA, CMD_CONFIG, CMD_MULTICAST, CMD_TX, CMD_UCODE, CMD_DUMP, CMD_DIAGNOSE };
enum { EE_SK = 1, EE_CS = 2, EE_DI = 4, EE_DO = 8 };
enum { MASK_ALL = 1, MASK_SWI = 2 };
#define MDI_READY (1u << 28)
#define MDI_IE (1u << 29)
#define PHY_ADDRESS 1
#define FRAME_MAX 16384u
#define BURST 256
#define TBDS_MAX 64

/* What distinguishes the parts. */
typedef struct EeproModel {
    uint8_t stats_size;         /* bytes of the largest dump */
    uint32_t phy_id;
} EeproModel;

typedef struct Eepro {
    PciDevice pci;
    NetPeer *peer;
    uint8_t mac[6];
    int32_t bootindex;
    NetClient nic;
    Bh *kick_bh;
    /* registers */
    uint8_t scb_status, scb_ack, scb_cmd, scb_mask, flow, pmdr, gen_control, gen_status;
    uint32_t scb_pointer, port, mdi;
    uint16_t flash, ee_control;
    /* units */
    uint8_t cu_state, ru_state;
    uint32_t cu_base, cu_at, cu_next, ru_base, ru_at, stats_at;
    uint8_t config[24], address[6], hash[8];
    uint32_t tx_good, rx_good, rx_short;
    Eeprom93 eeprom;
    MiiPhy phy;
    uint8_t tx_buf[FRAME_MAX];
} Eepro;

static const EeproModel model_82557 = { 64, 0x02a80150 }, model_82558 = { 76, 0x02a80150 },
                        model_82559 = { 80, 0x02a80154 };

/* The descriptor of a part, with what the bus does not know behind the PciInfo. */
typedef struct EeproInfo {
    PciInfo pci;
    const EeproModel *model;
} EeproInfo;

static const EeproModel *model_of(Eepro *s)
{
    return CONTAINER_OF(pci_info(&s->pci), const EeproInfo, pci)->model;
}

static void update_irq(Eepro *s)
{
    uint8_t masked = s->scb_mask & 0xfc;

    pci_set_irq(&s->pci, !(s->scb_mask & MASK_ALL) && (s->scb_ack & ~masked));
}

static void raise_irq(Eepro *s, uint8_t cause)
{
    s->scb_ack |= cause;
    update_irq(s);
}

/* ---- receive unit ---- */

static bool can_receive(NetClient *c)
{
    return ((Eepro *)c->opaque)->ru_state == RU_READY;
}

static bool wanted(const Eepro *s, const uint8_t *f)
{
    if (s->config[15] & 1) {
        return true;
    }
    if (eth_is_broadcast(f)) {
        return !(s->config[15] & 2);
    }
    if (f[0] & 1) {
        unsigned hash = eth_hash_be(f) >> 26;

        return (s->config[21] & 8) || (s->hash[hash >> 3] & 1u << (hash & 7));
    }
    return memcmp(f, s->address, 6) == 0;
}

static ssize_t receive(NetClient *c, const uint8_t *frame, size_t len)
{
    Eepro *s = c->opaque;
    Device *dev = &s->pci.dev;
    uint8_t pad[ETH_MIN_FRAME], rfd[16];
    uint32_t at = s->ru_base + s->ru_at;

    if (!can_receive(c)) {
        return 0;
    }
    if (len < ETH_HEADER || len > 1522 || !wanted(s, frame)) {
        return (ssize_t)len;
    }
    if (!dma_read(dev, at, rfd, sizeof(rfd))) {
        guest_error("eepro100: receive descriptor at %x is not in memory", at);
        s->ru_state = RU_NO_RESOURCES;
        raise_irq(s, ACK_RNR);
        return 0;
    }
    size_t total = eth_pad(&frame, len, pad), size = load_le16(rfd + 14) & 0x3fff;
    uint16_t command = load_le16(rfd + 2);

    total = MIN(total, size);
    dma_write(dev, at + 16, frame, total);
    dma_store(dev, at + 12, 0xc000 | total, 2, DEV_LITTLE);
    dma_store(dev, at, CB_C | CB_OK | (frame[0] & 1 ? 2 : 0), 2, DEV_LITTLE);
    s->rx_good++;
    s->ru_at = load_le32(rfd + 4);
    if (command & CB_EL) {
        s->ru_state = RU_NO_RESOURCES;
        raise_irq(s, ACK_RNR);
    } else if (command & CB_S) {
        s->ru_state = RU_SUSPENDED;
        raise_irq(s, ACK_RNR);
    }
    raise_irq(s, ACK_FR);
    return (ssize_t)len;
}

/* ---- command unit ---- */

/* The frame behind a transmit command block; its length, 0: nonsense. */
static size_t tx_gather(Eepro *s, uint32_t at, const uint8_t *cb, uint16_t command)
{
    Device *dev = &s->pci.dev;
    uint32_t array = load_le32(cb + 8);
    uint16_t count = load_le16(cb + 12) & 0x3fff;
    size_t len = 0;

    if (!(command & CB_SF) || count) {
        if (count > sizeof(s->tx_buf) || !dma_read(dev, at + 16, s->tx_buf, count)) {
            return 0;
        }
        len = count;
    }
    for (unsigned i = 0; (command & CB_SF) && i < MIN(cb[15], TBDS_MAX); i++) {
        uint8_t tbd[8];
        uint32_t size;

        if (!dma_read(dev, array + 8 * i, tbd, sizeof(tbd))) {
            return 0;
        }
        size = load_le32(tbd + 4) & 0x7fff;
        if (size > sizeof(s->tx_buf) - len ||
            !dma_read(dev, load_le32(tbd), s->tx_buf + len, size)) {
            return 0;
        }
        len += size;
        if (load_le32(tbd + 4) & 0x10000) {
            break;
        }
    }
    return len;
}

static void cmd_transmit(Eepro *s, uint32_t at, const uint8_t *cb, uint16_t command)
{
    size_t len = tx_gather(s, at, cb, command);

    if (len < ETH_HEADER) {
        guest_error("eepro100: bad transmit command at %x", at);
        return;
    }
    s->tx_good++;
    if (s->config[10] & 0xc0) {
        receive(&s->nic, s->tx_buf, len);
    } else {
        net_send(&s->nic, s->tx_buf, len);
    }
}

static void cmd_multicast(Eepro *s, uint32_t at)
{
    Device *dev = &s->pci.dev;
    uint32_t bytes = dma_load(dev, at + 8, 2, DEV_LITTLE, NULL) & 0x3fff;

    memset(s->hash, 0, sizeof(s->hash));
    for (uint32_t off = 0; off + 6 <= bytes; off += 6) {
        uint8_t mac[6];

        if (!dma_read(dev, at + 10 + off, mac, 6)) {
            break;
        }
        unsigned hash = eth_hash_be(mac) >> 26;

        s->hash[hash >> 3] |= 1u << (hash & 7);
    }
}

static void cmd_configure(Eepro *s, uint32_t at)
{
    uint8_t n = (uint8_t)dma_load(&s->pci.dev, at + 8, 1, DEV_LITTLE, NULL) & 0x3f;

    dma_read(&s->pci.dev, at + 8, s->config, MIN(n, 22));
}

static bool cu_step(Eepro *s)
{
    Device *dev = &s->pci.dev;
    uint32_t at = s->cu_base + s->cu_at;
    uint8_t cb[16];
    uint16_t command;

    if (!dma_read(dev, at, cb, sizeof(cb))) {
        guest_error("eepro100: command block at %x is not in memory", at);
        s->cu_state = CU_IDLE;
        return false;
    }
    command = load_le16(cb + 2);
    s->cu_next = load_le32(cb + 4);
    switch (command & 7) {
    case CMD_IA:
        dma_read(dev, at + 8, s->address, 6);
        break;
    case CMD_CONFIG:
        cmd_configure(s, at);
        break;
    case CMD_MULTICAST:
        cmd_multicast(s, at);
        break;
    case CMD_TX:
        cmd_transmit(s, at, cb, command);
        break;
    default:
        break;      /* nothing to do for microcode, dump and diagnosis */
    }
    dma_store(dev, at, CB_C | CB_OK, 2, DEV_LITTLE);
    if (command & CB_I) {
        raise_irq(s, ACK_CX);
    }
    if (command & (CB_EL | CB_S)) {
        s->cu_state = command & CB_EL ? CU_IDLE : CU_SUSPENDED;
        raise_irq(s, ACK_CNA);
        return false;
    }
    s->cu_at = s->cu_next;
    return true;
}

static void run_kick(void *opaque)
{
    Eepro *s = opaque;
    unsigned n = 0;

    while (s->cu_state == CU_ACTIVE && n++ < BURST && cu_step(s)) {
    }
    if (s->cu_state == CU_ACTIVE) {
        bh_schedule(s->kick_bh);
    }
    net_ready(&s->nic);
}

/* 6.4.2.6: how many counters depends on the part and on its configuration. */
static void dump_stats(Eepro *s, bool reset)
{
    uint8_t b[84] = { 0 };
    uint32_t size = s->config[6] & 0x20 ? 64 : s->config[6] & 4 ? 80 : 76;

    size = MIN(size, model_of(s)->stats_size);
    store_le32(b, s->tx_good);
    store_le32(b + 36, s->rx_good);
    store_le32(b + 60, s->rx_short);
    store_le32(b + size, reset ? 0xa007 : 0xa005);
    dma_write(&s->pci.dev, s->stats_at, b, size + 4);
    if (reset) {
        s->tx_good = s->rx_good = s->rx_short = 0;
    }
}

static void cu_command(Eepro *s, unsigned op)
{
    switch (op) {
    case 1:
        s->cu_at = s->scb_pointer;
        s->cu_state = CU_ACTIVE;
        break;
    case 2:
    case 10:
        if (s->cu_state == CU_SUSPENDED) {
            s->cu_at = s->cu_next;
            s->cu_state = CU_ACTIVE;
        }
        break;
    case 4:
        s->stats_at = s->scb_pointer;
        break;
    case 5:
    case 7:
        dump_stats(s, op == 7);
        break;
    case 6:
        s->cu_base = s->scb_pointer;
        break;
    }
    if (s->cu_state == CU_ACTIVE) {
        bh_schedule(s->kick_bh);
    }
}

static void ru_command(Eepro *s, unsigned op)
{
    switch (op) {
    case 1:
        s->ru_at = s->scb_pointer;
        s->ru_state = RU_READY;
        break;
    case 2:
        if (s->ru_state == RU_SUSPENDED) {
            s->ru_state = RU_READY;
        }
        break;
    case 4:
        s->ru_state = RU_IDLE;
        break;
    case 6:
        s->ru_base = s->scb_pointer;
        break;
    }
    bh_schedule(s->kick_bh);
}

/* ---- registers ---- */

static uint64_t read_status(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;

    return s->cu_state << 6 | s->ru_state << 2;
}

static void write_irq(Device *d, const RegAccess *a)
{
    update_irq((Eepro *)d);
}

static void write_command(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;

    cu_command(s, a->value >> 4 & 15);
    ru_command(s, a->value & 7);
}

static void write_mask(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;

    if (a->value & MASK_SWI) {
        s->scb_ack |= ACK_SWI;
    }
    s->scb_mask &= ~MASK_SWI;
    update_irq(s);
}

static void units_reset(Eepro *s)
{
    s->cu_state = CU_IDLE;
    s->ru_state = RU_IDLE;
    bh_cancel(s->kick_bh);
}

static void eepro_reset(Device *d);

static void write_port(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;
    uint32_t at = (uint32_t)a->value & ~15u;

    switch (a->value & 15) {
    case 0:
        device_reset_banks(d);
        eepro_reset(d);
        break;
    case 1:
        /* self test: a signature that is not 0, and no failures */
        dma_store(d, at, 0xffffffff, 4, DEV_LITTLE);
        dma_store(d, at + 4, 0, 4, DEV_LITTLE);
        break;
    case 2:
        units_reset(s);
        break;
    }
}

static void write_eeprom(Device *d, const RegAccess *a)
{
    eeprom93_set(&((Eepro *)d)->eeprom, a->value & EE_CS, a->value & EE_SK, a->value & EE_DI);
}

static uint64_t read_eeprom(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;

    return (s->ee_control & ~EE_DO) | (eeprom93_out(&s->eeprom) ? EE_DO : 0);
}

static void write_mdi(Device *d, const RegAccess *a)
{
    Eepro *s = (Eepro *)d;
    uint32_t v = (uint32_t)a->value;
    unsigned phy = v >> 21 & 31, reg = v >> 16 & 31;

    if ((v >> 26 & 3) == 2) {
        v = (v & 0xffff0000) | (phy == PHY_ADDRESS ? mii_read(&s->phy, reg) : 0xffff);
    } else if ((v >> 26 & 3) == 1 && phy == PHY_ADDRESS) {
        mii_write(&s->phy, reg, (uint16_t)v);
    }
    s->mdi = v | MDI_READY;
    if (v & MDI_IE) {
        raise_irq(s, ACK_MDI);
    }
}

static const Reg eepro_regs[] = {
    REG(Eepro, 0x00, scb_status, .read = read_status, .help = "states of the units"),
    REG(Eepro, 0x01, scb_ack, .w1c = 0xff, .write = write_irq, .help = "interrupt causes"),
    REG(Eepro, 0x02, scb_cmd, .write = write_command, .help = "commands of the units; reads as 0: taken"),
    REG(Eepro, 0x03, scb_mask, .wmask = 0xff, .write = write_mask, .help = "interrupt masks"),
    REG(Eepro, 0x04, scb_pointer, .wmask = 0xffffffff, .help = "general pointer"),
    REG(Eepro, 0x08, port, .wmask = 0xffffffff, .write = write_port, .help = "reset, self test"),
    REG(Eepro, 0x0c, flash, .wmask = 0xffff),
    REG(Eepro, 0x0e, ee_control, .wmask = 0xff, .read = read_eeprom, .write = write_eeprom, .help = "EEPROM"),
    REG(Eepro, 0x10, mdi, .reset = MDI_READY, .wmask = 0xffffffff, .write = write_mdi, .help = "PHY management"),
    REG(Eepro, 0x19, flow, .wmask = 0xff),
    REG(Eepro, 0x1b, pmdr, .w1c = 0xff),
    REG(Eepro, 0x1c, gen_control, .wmask = 0xff),
    REG(Eepro, 0x1d, gen_status, .reset = 7),
};

static const RegBank eepro_banks[] = {
    { .name = "mmio", .size = 0x1000, BANK_REGS(eepro_regs), .help = "control and status" },
    { .name = "io", .size = 0x40, BANK_REGS(eepro_regs), .pio = true, .help = "the same as ports" },
    { .name = "flash", .size = 0x20000, .ops = &nic_no_flash, .help = "no flash is fitted" },
    { 0 },
};

/* ---- device ---- */

static void link_changed(NetClient *c, bool up)
{
    mii_set_link(&((Eepro *)c->opaque)->phy, up);
}

static const NetOps eepro_net_ops = {
    .type = "eepro100", .can_receive = can_receive, .receive = receive, .link_changed = link_changed,
};

static bool eepro_realize(Device *d, GError **error)
{
    Eepro *s = (Eepro *)d;

    nic_settle_mac(s->mac);
    eeprom93_init(&s->eeprom, 64);
    for (unsigned i = 0; i < 3; i++) {
        s->eeprom.words[i] = load_le16(s->mac + 2 * i);
    }
    s->eeprom.words[5] = 0x0201;        /* controller type 2 */
    s->eeprom.words[6] = 0x4701;        /* PHY: 82555 at address 1 */
    s->eeprom.words[10] = 0x4000;
    s->eeprom.words[11] = pci_info(&s->pci)->subsys ? pci_info(&s->pci)->subsys : 0x1100;
    s->eeprom.words[12] =
        pci_info(&s->pci)->subsys_vendor ? pci_info(&s->pci)->subsys_vendor : 0x1af4;
    eeprom93_fix_sum(&s->eeprom, 0xbaba);
    s->kick_bh = bh_new(run_kick, s);
    nic_attach(&s->nic, &eepro_net_ops, d, s->peer);
    return true;
}

static void eepro_unrealize(Device *d)
{
    Eepro *s = (Eepro *)d;

    bh_free(s->kick_bh);
    net_nic_fini(&s->nic);
}

static void eepro_reset(Device *d)
{
    Eepro *s = (Eepro *)d;

    units_reset(s);
    memcpy(s->address, s->mac, 6);
    memset(s->hash, 0, sizeof(s->hash));
    memset(s->config, 0, sizeof(s->config));
    s->cu_base = s->ru_base = s->stats_at = s->tx_good = s->rx_good = s->rx_short = 0;
    s->cu_at = s->cu_next = s->ru_at = 0;
    mii_reset(&s->phy, PHY_ADDRESS, model_of(s)->phy_id, nic_link_up(&s->nic));
    pci_set_irq(&s->pci, 0);
}

static const Prop eepro_props[] = { NIC_PROPS(Eepro), PROP_END };

static const StateField eepro_state[] = {
    HOST_ONLY(Eepro, nic, "connection to the back end"), HOST_ONLY(Eepro, kick_bh, "host side"),
    STATE(Eepro, cu_state), STATE(Eepro, ru_state), STATE(Eepro, cu_base), STATE(Eepro, cu_at), STATE(Eepro, cu_next),
    STATE(Eepro, ru_base), STATE(Eepro, ru_at), STATE(Eepro, stats_at), STATE_RAW(Eepro, config),
    STATE_RAW(Eepro, address), STATE_RAW(Eepro, hash), STATE(Eepro, tx_good), STATE(Eepro, rx_good),
    STATE(Eepro, rx_short), STATE_STRUCT(Eepro, eeprom, eeprom93_state), STATE_STRUCT(Eepro, phy, mii_state),
    HOST_ONLY(Eepro, tx_buf, "scratch"), STATE_END,
};

static const PciConfigRow plain_config[] = {
    { "CACHE_LINE", PCI_CACHE_LINE_SIZE, 1, 0, 0x18, 0, "" },
    { "LATENCY", PCI_LATENCY_TIMER, 1, 0x20, 0xf8, 0, "" },
    { "MIN_GNT", PCI_MIN_GNT, 1, 0x08, 0, 0, "" },
    { "MAX_LAT", PCI_MAX_LAT, 1, 0x18, 0, 0, "" },
    { 0 },
};

/* clang-format off */
#define EEPRO(tag_, name_, desc_, device_, rev_, model_, sub_vendor_, sub_)                        \
    static const EeproInfo eepro_info_##tag_ = {                                                   \
        .pci = {                                                                                   \
            .vendor = 0x8086, .device = device_, .class_code = 0x020000, .revision = rev_,         \
            .subsys_vendor = sub_vendor_, .subsys = sub_, .pin = 1,                                \
            .bar = { [0] = { PCI_BAR_MEM32, true, "mmio" }, [1] = { PCI_BAR_IO, false, "io" },     \
                     [2] = { PCI_BAR_MEM32, false, "flash" } },                                    \
            .romfile = "pxe-eepro100.rom", .config = plain_config,                                 \
        },                                                                                         \
        .model = &model_,                                                                          \
    };                                                                                             \
    static const DeviceType eepro_type_##tag_ = {                                                  \
        .name = name_, .parent = "pci-device", .bus = "PCI", .category = "network",                \
        .desc = desc_, .hotpluggable = true, .bus_info = &eepro_info_##tag_.pci,                   \
        .size = sizeof(Eepro), .state_version = 1, .props = eepro_props, .banks = eepro_banks,     \
        .state = eepro_state, .realize = eepro_realize, .unrealize = eepro_unrealize,              \
        .reset = eepro_reset,                                                                      \
    };                                                                                             \
    DEVICE_TYPE(eepro_type_##tag_)

EEPRO(i82550, "i82550", "Intel i82550 Ethernet", 0x1209, 0x0e, model_82559, 0x1af4, 0x1100);
EEPRO(i82551, "i82551", "Intel i82551 Ethernet", 0x1209, 0x0f, model_82559, 0x1af4, 0x1100);
EEPRO(i82557a, "i82557a", "Intel i82557A Ethernet", 0x1229, 0x01, model_82557, 0x1af4, 0x1100);
EEPRO(i82557b, "i82557b", "Intel i82557B Ethernet", 0x1229, 0x02, model_82557, 0x1af4, 0x1100);
EEPRO(i82557c, "i82557c", "Intel i82557C Ethernet", 0x1229, 0x03, model_82557, 0x1af4, 0x1100);
EEPRO(i82558a, "i82558a", "Intel i82558A Ethernet", 0x1229, 0x04, model_82558, 0x1af4, 0x1100);
EEPRO(i82558b, "i82558b", "Intel i82558B Ethernet", 0x1229, 0x05, model_82558, 0x1af4, 0x1100);
EEPRO(i82559a, "i82559a", "Intel i82559A Ethernet", 0x1229, 0x06, model_82559, 0x1af4, 0x1100);
EEPRO(i82559b, "i82559b", "Intel i82559B Ethernet", 0x1229, 0x07, model_82559, 0x1af4, 0x1100);
EEPRO(i82559c, "i82559c", "Intel i82559C Ethernet", 0x1229, 0x0c, model_82559, 0x8086, 0x0040);
EEPRO(i82559er, "i82559er", "Intel i82559ER Ethernet", 0x1209, 0x09, model_82559, 0x1af4, 0x1100);
EEPRO(i82562, "i82562", "Intel i82562 Ethernet", 0x1209, 0x0e, model_82559, 0x1af4, 0x1100);
EEPRO(i82801, "i82801", "Intel i82801 Ethernet", 0x2449, 0x03, model_82559, 0x1af4, 0x1100);
/* clang-format on */
