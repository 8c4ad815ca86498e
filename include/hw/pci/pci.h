// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PCI and PCI Express: buses, functions, configuration space, BARs, interrupts, MSI and MSI-X
 * (PCI Local Bus 3.0, PCI Express Base 3.0). A device says what it is in a PciInfo row; the
 * bus builds configuration space, sizes and maps BARs from its banks, and routes pins.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include "exec/bank.h"
#include "exec/dma.h"
#include "qom/device.h"

typedef struct PciDevice PciDevice;
typedef struct PciBus PciBus;
typedef struct PciMsix PciMsix;

#define PCI_DEVFN(slot, fn) ((slot) << 3 | (fn))
#define PCI_SLOT(devfn) ((devfn) >> 3 & 0x1f)
#define PCI_FUNC(devfn) ((devfn)&7)
#define PCI_CONFIG_SIZE 256
#define PCIE_CONFIG_SIZE 4096
#define PCI_BARS 6
#define PCI_ROM_BAR 6

typedef enum PciBarKind {
    PCI_BAR_NONE,
    PCI_BAR_IO,
    PCI_BAR_MEM32,
    PCI_BAR_MEM64
} PciBarKind;

typedef struct PciBarInfo {
    PciBarKind kind;
    bool prefetch;
    const char *bank; /* the device's bank it shows; NULL: pci_set_bar at realize */
} PciBarInfo;

/* Device/port types of the PCI Express capability. */
typedef enum PcieKind {
    PCIE_ENDPOINT = 0,
    PCIE_ROOT_PORT = 4,
    PCIE_UPSTREAM = 5,
    PCIE_DOWNSTREAM = 6,
    PCIE_TO_PCI = 7,
    PCIE_INTEGRATED = 9
} PcieKind;

/* A register of configuration space, kept in PciDevice.config. */
typedef struct PciConfigRow {
    const char *name;
    uint16_t offset;
    uint8_t size;
    uint32_t reset, wmask, w1c;
    const char *help;
    bool kept; /* what firmware sets at power-on only: a reset leaves it */
} PciConfigRow;

/* DeviceType.bus_info of a PCI function. */
typedef struct PciInfo {
    uint16_t vendor, device, subsys_vendor, subsys; /* subsys 0: 1af4:1100 */
    uint32_t class_code; /* 0xCCSSPP */
    uint8_t revision;
    uint8_t pin; /* 1 = INTA# .. 4; 0: none */
    PciBarInfo bar[PCI_BARS];
    const char *romfile; /* default option ROM, found in the firmware path; NULL: none */
    bool express; /* has a PCI Express capability where the bus allows */
    uint8_t express_at; /* its offset; 0: any place */
    PcieKind express_kind; /* below a port or bridge; on a root bus functions are integrated */
    bool bridge; /* type 1 header */
    unsigned msi; /* MSI vectors, 0: none */
    unsigned msix; /* MSI-X vectors, 0: none (or set up at realize) */
    uint8_t msix_bar; /* table and PBA live in this BAR of their own */
    /* registers beside the header; ends with a row without a name; may be NULL */
    const PciConfigRow *config;
    /* After the core handled a configuration write; may be NULL. */
    void (*config_write)(PciDevice *d, uint32_t offset, uint32_t value, unsigned size);
    /* Before a configuration read, to bring config[] up to date; may be NULL. */
    void (*config_read)(PciDevice *d, uint32_t offset, unsigned size);
} PciInfo;

/* Embedded first in every PCI device. */
struct PciDevice {
    Device dev;
    /* properties */
    int32_t devfn; /* "addr"; -1: first free */
    char *romfile;
    uint32_t rombar, romsize; /* romsize UINT32_MAX: as large as the image needs */
    uint32_t acpi_index; /* the guest's name for it; 0: none */
    bool multifunction;
    /* state */
    uint8_t config[PCIE_CONFIG_SIZE];
    uint8_t wmask[PCIE_CONFIG_SIZE]; /* writable bits: host side, made at realize */
    uint8_t w1cmask[PCIE_CONFIG_SIZE];
    uint8_t pin_level;
    /* host side */
    PciBus *bus;
    uint32_t config_size;
    AddressSpace *bus_as; /* where DMA goes while it is a bus master; else nowhere */
    AddressSpace *msi_as; /* the same for messages */
    bool direct_dma; /* its data, but not its messages, passes by an IOMMU */
    struct PciBar {
        PciBarKind kind;
        bool prefetch;
        Region *region;
        uint64_t size, addr;
        bool mapped;
    } bar[PCI_BARS + 1];
    Region rom;
    uint8_t msi_cap, msix_cap, express_cap, pm_cap;
    PciMsix *msix;
    uint8_t *msix_table;    /* the same memory as msix has, for snapshots */
    uint64_t *msix_pending;
    uint16_t cap_next; /* first free byte for capabilities */
};

/*
 * A function's type adds these; every PCI DeviceType sets .parent = "pci-device" and .bus = "PCI".
 */
#define PCI_DEVICE(p) ((PciDevice *)(p))
static inline const PciInfo *pci_info(PciDevice *d)
{
    return device_type(&d->dev)->bus_info;
}

static inline uint32_t pci_config_get(const PciDevice *d, uint32_t off, unsigned size)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++) {
        v |= (uint32_t)d->config[off + i] << 8 * i;
    }
    return v;
}
static inline void pci_config_set(PciDevice *d, uint32_t off, unsigned size, uint32_t v)
{
    for (unsigned i = 0; i < size; i++) {
        d->config[off + i] = v >> 8 * i;
    }
}
/* Makes bits writable by the guest / write-1-to-clear. */
void pci_config_wmask(PciDevice *d, uint32_t off, unsigned size, uint32_t mask);
void pci_config_w1c(PciDevice *d, uint32_t off, unsigned size, uint32_t mask);

/* Realize-time: BAR n shows region (size rounded up to a power of two by the caller). */
void pci_set_bar(PciDevice *d, unsigned n, PciBarKind kind, bool prefetch, Region *region);
/* Takes the bars out of the address spaces, before a device that goes away ends its regions. */
void pci_bars_unmap(PciDevice *d);
/* Adds a capability of `size` bytes; its offset (0: any place), or 0 with *error set. */
uint8_t pci_add_cap(PciDevice *d, uint8_t id, uint8_t offset, uint8_t size, GError **error);
uint16_t pci_add_ext_cap(PciDevice *d, uint16_t id, uint8_t version, uint16_t offset,
                         uint16_t size);
/* PCI Express capability of a function whose PciInfo has none, 2.5 GT/s by one lane. */
bool pcie_init(PciDevice *d, uint8_t offset, PcieKind kind, GError **error);
/* Code of the link's speed (1: 2.5 GT/s .. 4: 16 GT/s) and its lanes. */
void pcie_link(PciDevice *d, unsigned speed, unsigned width);
/* The guest can write the error enables of device control / clock bits of link control. */
void pcie_controls(PciDevice *d);
void pcie_link_controls(PciDevice *d);
/* Function level reset: the guest can reset the device. */
void pcie_flr(PciDevice *d);
/* Power management; its states change nothing. */
bool pci_pm_init(PciDevice *d, uint8_t offset, uint16_t caps, GError **error);
/* Advanced error reporting, access control, address translation; behind those that are there. */
void pcie_aer_init(PciDevice *d, bool port);
void pcie_acs_init(PciDevice *d);
void pcie_ats_init(PciDevice *d, bool aligned);
/* MSI with n vectors (power of two, up to 32), 64-bit addresses and per-vector masks. */
bool pci_msi_init(PciDevice *d, unsigned n, GError **error);

/* One vector, 64-bit addresses, no mask, at a given offset. */
bool pci_msi_init_plain(PciDevice *d, uint8_t offset, GError **error);

/* INTx level; ORed on the slot's pin and routed by the bridges to the host bridge. */
void pci_set_irq(PciDevice *d, int level);
/* MSI / MSI-X: enabled by the guest? Send vector (masked ones become pending). */
bool pci_msi_enabled(PciDevice *d);
bool pci_msix_enabled(PciDevice *d);
void pci_msi_notify(PciDevice *d, unsigned vector);
void pci_msix_notify(PciDevice *d, unsigned vector);
/* MSI-X of n vectors in BAR bar (made here unless PciInfo.msix did); offsets within the BAR. */
bool pci_msix_init(PciDevice *d, unsigned n, unsigned bar, GError **error);
/*
 * The same at given places: offset of the capability (0: any), table and pending bits in a BAR of
 * `size` bytes.
 */
typedef struct PciMsixPlace {
    uint8_t offset, bar;
    PciBarKind kind;
    const char *bank;    /* of the device, that lies in the BAR below them; NULL: none */
    uint32_t table, pba, size;
} PciMsixPlace;
bool pci_msix_init_at(PciDevice *d, unsigned n, const PciMsixPlace *p, GError **error);
/* The one call for devices with a single interrupt: MSI-X 0, MSI 0, or INTx level. */
void pci_irq(PciDevice *d, int level);

struct PciBus {
    Bus bus;
    PciDevice *slots[256]; /* by devfn */
    PciBus *parent; /* NULL: root */
    PciDevice *bridge; /* whose secondary bus it is; NULL: root */
    uint8_t number; /* root: 0; else from the bridge's registers */
    bool express;
    bool bar_at_zero; /* root: address 0 of a window is one like others */
    bool one_slot; /* behind a PCI Express port: device 0 only */
    Region *mem, *io; /* where BARs of this bus are mapped */
    AddressSpace *as; /* where DMA of this bus goes */
    /* Root bus: PIRQ of a slot's pin, and the line's level to the interrupt controller. */
    unsigned (*map_irq)(PciBus *root, unsigned slot, unsigned pin);
    void (*set_irq)(void *opaque, unsigned pirq, int level);
    void *irq_opaque;
    unsigned pirq_count[16]; /* how many hold each PIRQ up */
    bool (*hotplug)(PciBus *b, PciDevice *d, bool plug, GError **error);
    void *hotplug_opaque;
    bool hotplug_native; /* by a controller of the bridge, which ACPI may stand in for */
    /* IOMMU: address space of a requester; NULL: `as`. */
    AddressSpace *(*iommu)(PciBus *root, void *opaque, uint16_t requester);
    void *iommu_opaque;
};
extern const BusType pci_bus_type, pcie_bus_type; /* "PCI", "PCIE" */

/* Makes the root bus of a host bridge. */
void pci_root_bus_init(PciBus *b, Device *host, const char *name, bool express, Region *mem,
                       Region *io);
/*
 * Accesses of all functions below root go where iommu() says from now on; NULL: into the bus's own
 * address space. Machine lock, vCPUs stopped or not yet running.
 */
void pci_set_iommu(PciBus *root, AddressSpace *(*iommu)(PciBus *, void *, uint16_t), void *opaque);
/* The function at bus:devfn below root, or NULL. */
PciDevice *pci_find(PciBus *root, unsigned bus, unsigned devfn);
/* Configuration cycles by (bus << 8 | devfn); missing functions read as ones. */
uint32_t pci_config_cycle_read(PciBus *root, unsigned bdf, uint32_t offset, unsigned size);
void pci_config_cycle_write(PciBus *root, unsigned bdf, uint32_t offset, uint32_t value,
                            unsigned size);
/* Board shorthand: creates and plugs at devfn with properties (name, value ..., NULL). */
PciDevice *pci_create(PciBus *b, int devfn, const char *type, const char *name, GError **error,
                      ...) G_GNUC_NULL_TERMINATED;

/* Register offsets of the common header. */
enum {
    PCI_VENDOR_ID = 0,
    PCI_DEVICE_ID = 2,
    PCI_COMMAND = 4,
    PCI_STATUS = 6,
    PCI_REVISION_ID = 8,
    PCI_CLASS_PROG = 9,
    PCI_CLASS_DEVICE = 10,
    PCI_CACHE_LINE_SIZE = 12,
    PCI_LATENCY_TIMER = 13,
    PCI_HEADER_TYPE = 14,
    PCI_BIST = 15,
    PCI_BASE_ADDRESS_0 = 16,
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_ADDRESS = 0x30,
    PCI_CAPABILITY_LIST = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_MIN_GNT = 0x3e,
    PCI_MAX_LAT = 0x3f,
    PCI_PRIMARY_BUS = 0x18,
    PCI_SECONDARY_BUS = 0x19,
    PCI_SUBORDINATE_BUS = 0x1a,
    PCI_IO_BASE = 0x1c,
    PCI_IO_LIMIT = 0x1d,
    PCI_SEC_STATUS = 0x1e,
    PCI_MEMORY_BASE = 0x20,
    PCI_MEMORY_LIMIT = 0x22,
    PCI_PREF_MEMORY_BASE = 0x24,
    PCI_PREF_MEMORY_LIMIT = 0x26,
    PCI_BRIDGE_CONTROL = 0x3e,
};
enum {
    PCI_COMMAND_IO = 1,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
    PCI_COMMAND_SERR = 0x100,
    PCI_COMMAND_INTX_DISABLE = 0x400
};
enum {
    PCI_STATUS_INTERRUPT = 8,
    PCI_STATUS_CAP_LIST = 0x10
};
enum {
    PCI_CAP_ID_PM = 1,
    PCI_CAP_ID_MSI = 5,
    PCI_CAP_ID_VNDR = 9,
    PCI_CAP_ID_SSVID = 0xd,
    PCI_CAP_ID_EXP = 0x10,
    PCI_CAP_ID_MSIX = 0x11,
    PCI_CAP_ID_SATA = 0x12
};

#endif
