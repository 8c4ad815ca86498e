// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI Express root, upstream and downstream ports (PCI Express Base 3.0, 7.8), with native hot plug
 * (6.7) of the one slot behind root and downstream ports. Left out: link training.
 */
#include <string.h>

#include "hw/pci/pci-bridge.h"
#include "qom/vm.h"
#include "util/main-loop.h"

/* Offsets in the PCI Express capability. */
enum {
    EXP_FLAGS = 2,
    EXP_LINK_CAP = 12,
    EXP_LINK_STATUS = 18,
    EXP_SLOT_CAP = 20,
    EXP_SLOT_CTL = 24,
    EXP_SLOT_STATUS = 26,
    EXP_ROOT_CTL = 28,
    EXP_DEVICE_CAP2 = 36,
    EXP_DEVICE_CTL2 = 40
};
enum {
    SLOT_CAP_ABP = 1,
    SLOT_CAP_PCP = 2,
    SLOT_CAP_AIP = 8,
    SLOT_CAP_PIP = 0x10,
    SLOT_CAP_HPS = 0x20,
    SLOT_CAP_HPC = 0x40,
    SLOT_CAP_EIP = 0x20000
};
enum {
    CTL_ABPE = 1,
    CTL_PDCE = 8,
    CTL_CCIE = 0x10,
    CTL_HPIE = 0x20,
    CTL_INDICATORS = 0x3c0,
    CTL_POWER_OFF = 0x400,
    CTL_DLLSCE = 0x1000
};
enum {
    CTL_PIC_OFF = 0x300,
    CTL_AIC_OFF = 0xc0
};
enum {
    STS_ABP = 1,
    STS_PDC = 8,
    STS_CC = 0x10,
    STS_PDS = 0x40,
    STS_DLLSC = 0x100
};
enum {
    LINK_ACTIVE = 0x2000,
    LINK_REPORTS = 0x30 /* high half of the capabilities: active state, bandwidth changes */
};

static const char *const speed_names[] = {"2_5", "5", "8", "16", NULL};
static const char *const width_names[] = {"1", "2", "4", "8", "16", "32", NULL};

typedef struct PciePort {
    PciBridge bridge;
    uint8_t port, chassis;
    uint16_t slot;
    bool hotplug, power_controller, disable_acs;
    uint64_t io_reserve, mem_reserve, pref32_reserve, pref64_reserve;
    uint32_t bus_reserve;
    int speed, width; /* positions in the lists of names */
    bool notified; /* the interrupt of the present events was sent */
    bool removing; /* device_del waits for the guest */
    Bh *remove_bh;
} PciePort;

static unsigned cap_get(PciePort *p, unsigned off)
{
    return pci_config_get(&p->bridge.pci, p->bridge.pci.express_cap + off, 2);
}

static void cap_set(PciePort *p, unsigned off, unsigned value)
{
    pci_config_set(&p->bridge.pci, p->bridge.pci.express_cap + off, 2, value);
}

/* ---- hot plug, 6.7 ---- */

static void slot_interrupt(PciePort *p)
{
    unsigned ctl = cap_get(p, EXP_SLOT_CTL), status = cap_get(p, EXP_SLOT_STATUS);
    bool wanted =
        (ctl & CTL_HPIE) &&
        (((ctl & CTL_ABPE) && (status & STS_ABP)) || ((ctl & CTL_PDCE) && (status & STS_PDC)) ||
         ((ctl & CTL_CCIE) && (status & STS_CC)) || ((ctl & CTL_DLLSCE) && (status & STS_DLLSC)));

    if (pci_msi_enabled(&p->bridge.pci)) {
        if (wanted && !p->notified) {
            pci_msi_notify(&p->bridge.pci, 0);
        }
        p->notified = wanted;
        pci_set_irq(&p->bridge.pci, 0);
    } else {
        pci_set_irq(&p->bridge.pci, wanted);
    }
}

static void slot_event(PciePort *p, unsigned bits)
{
    cap_set(p, EXP_SLOT_STATUS, cap_get(p, EXP_SLOT_STATUS) | bits);
    p->notified = false;
    slot_interrupt(p);
}

static bool slot_filled(PciePort *p)
{
    for (unsigned i = 0; i < 256; i++) {
        if (p->bridge.sec.slots[i]) {
            return true;
        }
    }
    return false;
}

static void show_presence(PciePort *p)
{
    bool filled = slot_filled(p);

    cap_set(p, EXP_SLOT_STATUS, (cap_get(p, EXP_SLOT_STATUS) & ~STS_PDS) | (filled ? STS_PDS : 0));
    cap_set(p, EXP_LINK_STATUS,
            (cap_get(p, EXP_LINK_STATUS) & ~LINK_ACTIVE) | (filled ? LINK_ACTIVE : 0));
}

/* In the main loop: a vCPU's thread cannot wait for itself to leave the regions that go. */
static void remove_all(void *opaque)
{
    PciePort *p = opaque;

    p->removing = false;
    for (int i = 255; i >= 0; i--) {
        if (p->bridge.sec.slots[i]) {
            device_unplug(&p->bridge.sec.slots[i]->dev);
        }
    }
    show_presence(p);
    slot_event(p, STS_PDC | STS_DLLSC);
}

/* The bus's hook: a device came while the machine runs, or is asked to go. */
static bool slot_hotplug(PciBus *b, PciDevice *d, bool plug, GError **error)
{
    PciePort *p = b->hotplug_opaque;
    unsigned ctl = cap_get(p, EXP_SLOT_CTL);

    if (plug) {
        show_presence(p);
        if (PCI_FUNC(d->devfn) == 0) {
            slot_event(p, STS_PDC | STS_DLLSC | (p->hotplug ? STS_ABP : 0));
        }
        return true;
    }
    if (p->removing) {
        return fail(error, "Device %s is already in the process of unplug",
                    d->dev.id ? d->dev.id : d->dev.obj.type->name);
    }
    if ((ctl & CTL_POWER_OFF) && (ctl & 0x300) == CTL_PIC_OFF) {
        bh_schedule(p->remove_bh); /* no driver uses the slot */
        return true;
    }
    if ((ctl & 0x300) == 0x200) {
        return fail(error, "guest is busy (power indicator blinking)");
    }
    p->removing = true;
    slot_event(p, STS_ABP);
    return true;
}

static void slot_ctl_written(PciePort *p)
{
    unsigned ctl = cap_get(p, EXP_SLOT_CTL);

    if (p->removing && (ctl & CTL_POWER_OFF) && (ctl & 0x300) == CTL_PIC_OFF) {
        bh_schedule(p->remove_bh);
    }
    slot_event(p, STS_CC); /* 6.7.3.2: commands complete at once */
}

static void port_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    PciePort *p = (PciePort *)d;
    unsigned cap = d->express_cap;

    pci_bridge_config_write(d, offset, value, size);
    if (offset < cap + EXP_SLOT_CTL + 2 && offset + size > cap + EXP_SLOT_CTL &&
        cap_get(p, EXP_FLAGS) & 0x100) {
        slot_ctl_written(p);
    } else if (offset < cap + EXP_SLOT_STATUS + 2 && offset + size > cap + EXP_SLOT_STATUS) {
        slot_interrupt(p);
    }
}

/* ---- the ports ---- */

static void port_capability(PciePort *p, bool slot)
{
    PciDevice *d = &p->bridge.pci;
    unsigned cap = d->express_cap;

    pci_config_set(d, cap + EXP_FLAGS, 2, cap_get(p, EXP_FLAGS) | (slot ? 0x100 : 0));
    pcie_link(d, 1u + p->speed, 1u << p->width);
    pci_config_set(d, cap + EXP_LINK_CAP + 2, 2,
                   (slot ? LINK_REPORTS : 0) | p->port << 8);
    if (slot) {
        uint32_t caps = (uint32_t)p->slot << 19;

        if (p->hotplug) {
            caps |= SLOT_CAP_ABP | SLOT_CAP_AIP | SLOT_CAP_PIP | SLOT_CAP_HPS | SLOT_CAP_HPC |
                    (p->power_controller ? SLOT_CAP_PCP : 0) | SLOT_CAP_EIP;
        }
        pci_config_set(d, cap + EXP_SLOT_CAP, 4, caps);
        pci_config_wmask(d, cap + EXP_SLOT_CTL, 2, 0x17ff);
        pci_config_w1c(d, cap + EXP_SLOT_STATUS, 2, STS_ABP | STS_PDC | STS_CC | STS_DLLSC | 6);
        pci_config_set(d, cap + EXP_DEVICE_CAP2, 4, 0x300020); /* forwards ARI */
        pci_config_wmask(d, cap + EXP_DEVICE_CTL2, 2, 0x8020);
    }
    pcie_aer_init(d, true);
}

/* Firmware's hint of what to keep free behind the port: a vendor capability of 32 bytes. */
static bool reserve_capability(PciePort *p, GError **error)
{
    PciDevice *d = &p->bridge.pci;
    uint8_t c;

    if (p->bus_reserve == UINT32_MAX && p->io_reserve == UINT64_MAX &&
        p->mem_reserve == UINT64_MAX && p->pref32_reserve == UINT64_MAX &&
        p->pref64_reserve == UINT64_MAX) {
        return true;
    }
    if (p->pref32_reserve != UINT64_MAX && p->pref64_reserve != UINT64_MAX) {
        return fail(error, "PCI resource reserve cap: PREF32 and PREF64 conflict");
    }
    c = pci_add_cap(d, PCI_CAP_ID_VNDR, 0, 32, error);
    if (!c) {
        return false;
    }
    d->config[c + 2] = 32;
    d->config[c + 3] = 1; /* resource reservation */
    pci_config_set(d, c + 4, 4, p->bus_reserve);
    for (unsigned i = 0; i < 2; i++) {
        pci_config_set(d, c + 8 + 4 * i, 4, p->io_reserve >> 32 * i);
        pci_config_set(d, c + 24 + 4 * i, 4, p->pref64_reserve >> 32 * i);
    }
    pci_config_set(d, c + 16, 4, p->mem_reserve);
    pci_config_set(d, c + 20, 4, p->pref32_reserve);
    return true;
}

static void port_bus_init(PciePort *p, bool slot)
{
    pci_bridge_init(&p->bridge, true);
    p->remove_bh = bh_new(remove_all, p);
    if (slot) {
        p->bridge.sec.one_slot = true;
        if (p->hotplug) {
            p->bridge.sec.bus.hotplug = true;
            p->bridge.sec.hotplug = slot_hotplug;
            p->bridge.sec.hotplug_opaque = p;
        }
    }
}

#define RESERVE_PROPS                                              \
    PROP_U32(PciePort, bus_reserve, "bus-reserve", UINT32_MAX),    \
        PROP_SIZE(PciePort, io_reserve, "io-reserve", -1),         \
        PROP_SIZE(PciePort, mem_reserve, "mem-reserve", -1),       \
        PROP_SIZE(PciePort, pref32_reserve, "pref32-reserve", -1), \
        PROP_SIZE(PciePort, pref64_reserve, "pref64-reserve", -1)
#define SLOT_PROPS                                                                          \
    PROP_U8(PciePort, port, "port", 0), PROP_U8(PciePort, chassis, "chassis", 0),           \
        PROP_U16(PciePort, slot, "slot", 0), PROP_BOOL(PciePort, hotplug, "hotplug", true), \
        PROP_BOOL(PciePort, power_controller, "power_controller_present", true)

static const Prop root_props[] = {
    SLOT_PROPS,
    RESERVE_PROPS,
    PROP_BOOL(PciePort, disable_acs, "disable-acs", false),
    PROP_ENUM(PciePort, speed, "x-speed", 3, speed_names, .link = "PCIELinkSpeed"),
    PROP_ENUM(PciePort, width, "x-width", 5, width_names, .link = "PCIELinkWidth"),
    PROP_END,
};
static const Prop slot_props[] = {SLOT_PROPS, PROP_END};
static const Prop ioh_props[] = {
    SLOT_PROPS,
    PROP_BOOL(PciePort, disable_acs, "disable-acs", false),
    PROP_END,
};
static const Prop upstream_props[] = {PROP_U8(PciePort, port, "port", 0), PROP_END};

static bool root_port_realize(Device *d, GError **error)
{
    PciePort *p = (PciePort *)d;

    if (!p->bridge.pci.express_cap || p->bridge.pci.bus->parent) {
        return fail(error, "%s must be plugged into a PCI Express root bus", d->obj.type->name);
    }
    port_capability(p, true);
    pci_config_wmask(&p->bridge.pci, p->bridge.pci.express_cap + EXP_ROOT_CTL, 2, 0x1f);
    if (device_type(d)->props == root_props) {
        if (!reserve_capability(p, error)) {
            return false;
        }
        if (!p->disable_acs) {
            pcie_acs_init(&p->bridge.pci);
        }
    }
    port_bus_init(p, true);
    return true;
}

static bool upstream_realize(Device *d, GError **error)
{
    PciePort *p = (PciePort *)d;

    if (!p->bridge.pci.express_cap) {
        return fail(error, "%s must be plugged into a PCI Express bus", d->obj.type->name);
    }
    port_capability(p, false);
    port_bus_init(p, false);
    return true;
}

static bool downstream_realize(Device *d, GError **error)
{
    PciePort *p = (PciePort *)d;

    if (!p->bridge.pci.express_cap) {
        return fail(error, "%s must be plugged into a PCI Express bus", d->obj.type->name);
    }
    port_capability(p, true);
    port_bus_init(p, true);
    return true;
}

static void port_unrealize(Device *d)
{
    g_clear_pointer(&((PciePort *)d)->remove_bh, bh_free);
    pci_bridge_fini((PciBridge *)d);
}

static void port_reset(Device *d)
{
    PciePort *p = (PciePort *)d;

    pci_bridge_reset(&p->bridge);
    p->removing = p->notified = false;
    if (cap_get(p, EXP_FLAGS) & 0x100) {
        bool filled = slot_filled(p);

        cap_set(p, EXP_SLOT_CTL, CTL_AIC_OFF | (filled ? 0x100 : CTL_PIC_OFF | CTL_POWER_OFF));
        cap_set(p, EXP_SLOT_STATUS, 0);
        show_presence(p);
    }
}

static const StateField port_state[] = {
    STATE_STRUCT(PciePort, bridge, pci_bridge_state),
    STATE(PciePort, notified),
    STATE(PciePort, removing),
    HOST_ONLY(PciePort, remove_bh, "host side"),
    HOST_ONLY(PciePort, io_reserve, "property of root ports"),
    HOST_ONLY(PciePort, mem_reserve, "property of root ports"),
    HOST_ONLY(PciePort, pref32_reserve, "property of root ports"),
    HOST_ONLY(PciePort, pref64_reserve, "property of root ports"),
    HOST_ONLY(PciePort, bus_reserve, "property of root ports"),
    HOST_ONLY(PciePort, speed, "property of root ports"),
    HOST_ONLY(PciePort, width, "property of root ports"),
    HOST_ONLY(PciePort, disable_acs, "property of root ports"),
    HOST_ONLY(PciePort, chassis, "property of ports with slots"),
    HOST_ONLY(PciePort, slot, "property of ports with slots"),
    HOST_ONLY(PciePort, hotplug, "property of ports with slots"),
    HOST_ONLY(PciePort, power_controller, "property of ports with slots"),
    STATE_END,
};

#define PORT(id, name_, desc_, vendor_, device_, rev, kind_, realize_, props_) \
    static const PciInfo id##_pci = {                                   \
        .vendor = vendor_,                                              \
        .device = device_,                                              \
        .class_code = 0x060400,                                         \
        .revision = rev,                                                \
        .pin = 1,                                                       \
        .bridge = true,                                                 \
        .express = true,                                                \
        .express_kind = kind_,                                          \
        .msi = 1,                                                       \
        .config = pci_bridge_rows,                                      \
        .config_write = port_config_write,                              \
    };                                                                  \
    static const DeviceType id##_type = {                               \
        .name = name_,                                                  \
        .parent = "pci-device",                                         \
        .bus = "PCI",                                                   \
        .category = "bridge",                                           \
        .desc = desc_,                                                  \
        .size = sizeof(PciePort),                                       \
        .state_version = 1,                                             \
        .bus_info = &id##_pci,                                          \
        .props = props_,                                                \
        .state = port_state,                                            \
        .realize = realize_,                                            \
        .unrealize = port_unrealize,                                    \
        .reset = port_reset,                                            \
        .post_load = pci_bridge_loaded,                                 \
    };                                                                  \
    DEVICE_TYPE(id##_type);

PORT(root_port, "pcie-root-port", "PCI Express Root Port", 0x1b36, 0x000c, 0, PCIE_ROOT_PORT,
     root_port_realize, root_props)
PORT(ioh3420, "ioh3420", "Intel IOH device id 3420 PCIE Root Port", 0x8086, 0x3420, 2,
     PCIE_ROOT_PORT, root_port_realize, ioh_props)
PORT(upstream, "x3130-upstream", "TI X3130 Upstream Port of PCI Express Switch", 0x104c, 0x8232, 2,
     PCIE_UPSTREAM, upstream_realize, upstream_props)
PORT(downstream, "xio3130-downstream", "TI X3130 Downstream Port of PCI Express Switch", 0x104c,
     0x8233, 1, PCIE_DOWNSTREAM, downstream_realize, slot_props)
