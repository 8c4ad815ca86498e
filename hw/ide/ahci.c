// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AHCI controller of the ICH9 (Serial ATA AHCI 1.3.1; Intel ICH9 data sheet, chapter 15): six
 * ports with a drive each, native command queueing, one MSI vector; and the same on the system
 * bus, with up to six ports, as processors have it, Allwinner's with a PHY in it. Left out: port
 * multipliers, power states of links, command completion coalescing, enclosure management, the
 * index/data pair.
 */
#include "ahci.h"

#include <string.h>

#include "qom/vm.h"

#define CAP_VALUE 0xc0141f00u       /* 64 bit, NCQ, 1.5 Gb/s, AHCI only, 32 slots; ports less one */
#define SIG_DISK 0x00000101u
#define SIG_CD 0xeb140101u
#define SSTS_PRESENT 0x113u
#define SERR_X (1u << 26)           /* DIAG.X: the drive was found */
#define IE_MASK 0xfdc000ffu
#define CMD_WMASK \
    (CMD_ST | CMD_SUD | CMD_POD | CMD_CLO | CMD_FRE | CMD_ATAPI | 3u << 25 | 1u << 27 | CMD_ICC)

/* ---- interrupts ---- */

static void set_irq(Ahci *s, bool up)
{
    if (s->on_system_bus) {
        irq_set(&s->irq, up);
    } else {
        pci_irq(&s->pci, up);
    }
}

static void update_irq(Ahci *s)
{
    set_irq(s, (s->ghc & GHC_IE) && s->is);
}

static void collect(Ahci *s)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (s->port_is[i] & s->ie[i]) {
            s->is |= 1u << i;
        }
    }
}

void ahci_interrupt(AhciPort *p, uint32_t bits)
{
    Ahci *s = p->hba;

    s->port_is[ahci_index(p)] |= bits;
    collect(s);
    update_irq(s);
}

/* ---- ports ---- */

/* What software finds after a reset of the link. */
static void port_found(AhciPort *p)
{
    Ahci *s = p->hba;
    unsigned i = ahci_index(p);
    AtaDrive *d = ahci_drive(p);

    ahci_stop(p);
    p->srst = false;
    if (!d || !d->buf) {
        s->ssts[i] = 0;
        s->sig[i] = 0xffffffff;
        s->tfd[i] = 0x7f;
        return;
    }
    ata_reset(d);
    s->ssts[i] = SSTS_PRESENT;
    s->sig[i] = d->cd ? SIG_CD : SIG_DISK;
    s->tfd[i] = d->status | (uint32_t)d->error << 8;
    s->serr[i] |= SERR_X;
    ahci_post_d2h(p, false);
}

static void port_reset(AhciPort *p)
{
    Ahci *s = p->hba;
    unsigned i = ahci_index(p);

    s->port_is[i] = s->ie[i] = s->sctl[i] = s->serr[i] = s->sact[i] = s->ci[i] = 0;
    s->cmd[i] = CMD_SUD | CMD_POD;
    p->last_slot = AHCI_SLOTS - 1;
    port_found(p);
    s->serr[i] = 0;
}

static void write_cmd(Device *d, const RegAccess *a)
{
    Ahci *s = (Ahci *)d;
    AhciPort *p = &s->port[a->index];
    uint32_t *cmd = &s->cmd[a->index];
    bool had_fr = a->old & CMD_FR;

    *cmd &= ~(CMD_ICC | CMD_CLO);
    if (a->value & CMD_CLO) {
        s->tfd[a->index] &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
    }
    *cmd = *cmd & CMD_FRE ? *cmd | CMD_FR : *cmd & ~CMD_FR;
    if ((*cmd & CMD_FR) && !had_fr && ahci_drive(p) && ahci_drive(p)->buf && p->slot < 0) {
        ahci_post_d2h(p, false);
    }
    if (*cmd & CMD_ST) {
        *cmd |= CMD_CR;
        ahci_run(p);
    } else if (a->old & CMD_ST) {
        *cmd &= ~(CMD_CR | CMD_CCS);
        s->ci[a->index] = s->sact[a->index] = 0;
        ahci_stop(p);
    }
}

static void write_ci(Device *d, const RegAccess *a)
{
    Ahci *s = (Ahci *)d;

    if (s->cmd[a->index] & CMD_ST) {
        s->ci[a->index] = (uint32_t)(a->old | a->value);
        ahci_run(&s->port[a->index]);
    }
}

static void write_sact(Device *d, const RegAccess *a)
{
    Ahci *s = (Ahci *)d;

    if (s->cmd[a->index] & CMD_ST) {
        s->sact[a->index] = (uint32_t)(a->old | a->value);
    }
}

static void write_sctl(Device *d, const RegAccess *a)
{
    Ahci *s = (Ahci *)d;

    if ((a->old & 15) == 1 && (a->value & 15) == 0) {
        port_found(&s->port[a->index]);
    } else if ((a->value & 15) == 1) {
        ahci_stop(&s->port[a->index]);
        s->ssts[a->index] = 0;
        s->tfd[a->index] = 0x80 | 0x7f;
    }
}

static void write_port_is(Device *d, const RegAccess *a)
{
    update_irq((Ahci *)d);
}

static void write_ie(Device *d, const RegAccess *a)
{
    collect((Ahci *)d);
    update_irq((Ahci *)d);
}

static void write_is(Device *d, const RegAccess *a)
{
    collect((Ahci *)d);
    update_irq((Ahci *)d);
}

static void ahci_reset(Device *d)
{
    Ahci *s = (Ahci *)d;

    s->cap = CAP_VALUE | (s->ports - 1);
    s->pi = (1u << s->ports) - 1;
    s->ghc = GHC_AE;
    s->is = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        port_reset(&s->port[i]);
    }
    set_irq(s, false);
}

static void write_ghc(Device *d, const RegAccess *a)
{
    if (a->value & GHC_HR) {
        ahci_reset(d);
        return;
    }
    update_irq((Ahci *)d);
}

#define PORT(off, f, ...) REG_ARRAY(Ahci, 0x100 + off, f, .stride = 0x80, __VA_ARGS__)

/* clang-format off */
#define GLOBAL_ROWS \
    REG(Ahci, 0x00, cap, .help = "capabilities"), \
    REG(Ahci, 0x04, ghc, .reset = GHC_AE, .wmask = GHC_IE, .write = write_ghc, .help = "global control"), \
    REG(Ahci, 0x08, is, .w1c = 0xffffffff, .write = write_is, .help = "ports with interrupts"), \
    REG(Ahci, 0x0c, pi, .help = "ports there are"), \
    REG(Ahci, 0x10, vs, .reset = 0x00010000, .help = "version")
#define PORT_ROWS \
    PORT(0x00, clb, .wmask = 0xfffffc00, .help = "command list"), \
    PORT(0x04, clbu, .wmask = 0xffffffff, .help = "command list, high half"), \
    PORT(0x08, fb, .wmask = 0xffffff00, .help = "received FISes"), \
    PORT(0x0c, fbu, .wmask = 0xffffffff, .help = "received FISes, high half"), \
    PORT(0x10, port_is, .w1c = 0xfd8000af, .write = write_port_is, .help = "interrupt status"), \
    PORT(0x14, ie, .wmask = IE_MASK, .write = write_ie, .help = "interrupt enable"), \
    PORT(0x18, cmd, .reset = CMD_SUD | CMD_POD, .wmask = CMD_WMASK, .write = write_cmd, .help = "command and status"), \
    PORT(0x20, tfd, .reset = 0x7f, .help = "task file data"), \
    PORT(0x24, sig, .reset = 0xffffffff, .help = "signature"), \
    PORT(0x28, ssts, .help = "link status"), \
    PORT(0x2c, sctl, .wmask = 0xfff, .write = write_sctl, .help = "link control"), \
    PORT(0x30, serr, .w1c = 0xffffffff, .help = "link errors"), \
    PORT(0x34, sact, .write = write_sact, .help = "queued commands under way"), \
    PORT(0x38, ci, .write = write_ci, .help = "commands issued")
static const Reg ahci_regs[] = {GLOBAL_ROWS, PORT_ROWS};
/* clang-format on */

static const RegBank ahci_banks[] = {
    { .name = "mmio", .size = 0x1000, BANK_REGS(ahci_regs), .help = "ABAR" },
    { 0 },
};

static void add_ports(Ahci *s)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        s->port[i].hba = s;
        s->port[i].slot = -1;
        s->port[i].bus.index = i;
        if (i < s->ports) {
            ide_bus_init(&s->port[i].bus, &s->pci.dev, i, 1, &ahci_ops);
        }
    }
}

static bool ahci_realize(Device *d, GError **error)
{
    Ahci *s = (Ahci *)d;

    s->ports = AHCI_PORTS;
    add_ports(s);
    return true;
}

static void ahci_unrealize(Device *d)
{
    Ahci *s = (Ahci *)d;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        ahci_stop(&s->port[i]);
        if (i < s->ports) {
            bus_fini(&s->port[i].bus.bus);
        }
    }
}

static const PciConfigRow ahci_config[] = {
    { "MAP", 0x90, 1, 0x40, 0, 0, "the function is an AHCI controller" },
    { "PCS", 0x92, 2, 0x003f, 0x003f, 0, "ports that are on; storage only" },
    { 0 },
};

static const PciInfo ahci_pci = {
    .vendor = 0x8086, .device = 0x2922, .class_code = 0x010601, .revision = 2, .pin = 1, .msi = 1,
    .bar = { [5] = { PCI_BAR_MEM32, false, "mmio" } },
    .config = ahci_config,
};

static const StateField port_fields[] = {
    STATE_RANGE(AhciPort, slot, -1, AHCI_SLOTS - 1), STATE(AhciPort, halted), STATE(AhciPort, pio_in), STATE(AhciPort, srst),
    STATE(AhciPort, last_slot), STATE(AhciPort, table), STATE(AhciPort, prds), STATE(AhciPort, moved),
    HOST_ONLY(AhciPort, hba, "constant"),
    HOST_ONLY(AhciPort, bus, "its drive has state of its own"),
    HOST_ONLY(AhciPort, in_run, "false between calls"),
    HOST_ONLY(AhciPort, ncq, "requests have ended before state is saved"),
    STATE_END,
};

static const StateField ahci_state[] = {
    STATE_STRUCTS(Ahci, port, port_fields),
    HOST_ONLY(Ahci, on_system_bus, "of the type"),
    HOST_ONLY(Ahci, ports, "of the type or a property"),
    HOST_ONLY(Ahci, irq, "not on PCI"),
    HOST_ONLY(Ahci, vendor, "not on PCI"),
    HOST_ONLY(Ahci, dma_control, "not on PCI"),
    STATE_END,
};

static const DeviceType ahci_type = {
    .name = "ich9-ahci",
    .alias = "ahci",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "storage",
    .desc = "SATA controller of the ICH9 (AHCI)",
    .bus_info = &ahci_pci,
    .size = sizeof(Ahci),
    .state_version = 1,
    .banks = ahci_banks,
    .state = ahci_state,
    .realize = ahci_realize,
    .unrealize = ahci_unrealize,
    .reset = ahci_reset,
};
DEVICE_TYPE(ahci_type);

/* ---- on the system bus ---- */

static bool sys_realize(Device *d, GError **error)
{
    Ahci *s = (Ahci *)d;

    s->on_system_bus = true;
    add_ports(s);
    return true;
}

/* The PHY: it has power (bits 30 to 28 of register 0xc0 are 2), its calibration is over. */
static uint64_t vendor_read(Device *d, const RegAccess *a)
{
    uint32_t v = ((Ahci *)d)->vendor[a->index];

    return a->index == 16 ? (v & 0x8fffffff) | 0x20000000 : a->index == 18 ? v & 0xfeffffff : v;
}

static const Reg allwinner_regs[] = {
    GLOBAL_ROWS,
    REG_ARRAY(Ahci, 0x80, vendor, .wmask = 0xffffffff, .read = vendor_read, .help = "PHY and tests"),
    PORT_ROWS,
    REG(Ahci, 0x170, dma_control, .wmask = 0xffff, .help = "sizes of DMA"),
};

static const RegBank allwinner_banks[] = {
    { .name = "mmio", .size = 0x1000, BANK_REGS(allwinner_regs), .help = "ABAR" },
    { 0 },
};
static const Prop sys_props[] = {
    PROP_U32(Ahci, ports, "num-ports", 1, .min = 1, .max = AHCI_PORTS, .help = "ports there are"),
    PROP_END,
};
static const PinRow sys_pins[] = { PIN_OUT(Ahci, irq, "irq"), PIN_END };
static const StateField sys_state[] = {
    STATE_STRUCTS(Ahci, port, port_fields),
    HOST_ONLY(Ahci, on_system_bus, "of the type"),
    HOST_ONLY(Ahci, pci, "not on PCI"),
    STATE_ARRAY(Ahci, vendor),
    STATE(Ahci, dma_control),
    STATE_END,
};

#define SYSTEM_BUS_AHCI(tag, name_, desc_, banks_)                                             \
    static const DeviceType tag = {                                                            \
        .name = name_, .category = "storage", .desc = desc_, .internal = true,                 \
        .size = sizeof(Ahci), .state_version = 1, .props = sys_props, .banks = banks_,         \
        .pins = sys_pins, .state = sys_state, .realize = sys_realize,                          \
        .unrealize = ahci_unrealize, .reset = ahci_reset,                                      \
    };                                                                                         \
    DEVICE_TYPE(tag)
SYSTEM_BUS_AHCI(sysbus_ahci, "sysbus-ahci", "AHCI controller", ahci_banks);
SYSTEM_BUS_AHCI(allwinner_ahci, "allwinner-ahci", "Allwinner AHCI controller", allwinner_banks);
