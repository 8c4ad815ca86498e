// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI core: buses, functions and their configuration space (PCI Local Bus 3.0, PCI
 * Express Base 3.0 for extended space). What a function is comes from its PciInfo; BARs
 * live in pci-bar.c, interrupts in pci-irq.c and pci-msi.c.
 */
#include "hw/pci/pci.h"
#include <stdarg.h>
#include "pci-internal.h"
#include "qom/vm.h"

#define PCI_SUBSYS_VENDOR 0x1af4
#define PCI_SUBSYS_DEVICE 0x1100

void pci_config_wmask(PciDevice *d, uint32_t off, unsigned size, uint32_t mask)
{
    for (unsigned i = 0; i < size; i++) {
        d->wmask[off + i] = mask >> 8 * i;
    }
}

void pci_config_w1c(PciDevice *d, uint32_t off, unsigned size, uint32_t mask)
{
    for (unsigned i = 0; i < size; i++) {
        d->w1cmask[off + i] = mask >> 8 * i;
    }
}

uint8_t pci_add_cap(PciDevice *d, uint8_t id, uint8_t offset, uint8_t size, GError **error)
{
    uint8_t at = offset ? offset : d->cap_next;

    if (at + size > PCI_CONFIG_SIZE) {
        fail(error, "device '%s': no room for PCI capability 0x%x", d->dev.obj.type->name, id);
        return 0;
    }
    d->config[at] = id;
    d->config[at + 1] = d->config[PCI_CAPABILITY_LIST];
    d->config[PCI_CAPABILITY_LIST] = at;
    d->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    if (at + size > d->cap_next) {
        d->cap_next = (at + size + 3) & ~3;
    }
    return at;
}

uint16_t pci_add_ext_cap(PciDevice *d, uint16_t id, uint8_t version, uint16_t offset, uint16_t size)
{
    uint16_t at = PCI_CONFIG_SIZE;

    g_assert(d->config_size == PCIE_CONFIG_SIZE && offset + size <= PCIE_CONFIG_SIZE);
    /* The list starts at 100h; the last link is patched to the newcomer. */
    for (uint16_t next = at; pci_config_get(d, next, 4) && next;) {
        at = next;
        next = pci_config_get(d, next, 4) >> 20;
    }
    if (offset != PCI_CONFIG_SIZE) {
        uint32_t header = pci_config_get(d, at, 4);

        pci_config_set(d, at, 4, (header & 0xfffff) | (uint32_t)offset << 20);
    }
    pci_config_set(d, offset, 4, id | (uint32_t)version << 16);
    return offset;
}

/* ---- configuration cycles ---- */

PciDevice *pci_find(PciBus *root, unsigned bus, unsigned devfn)
{
    if (bus == root->number) {
        return root->slots[devfn & 0xff];
    }
    for (unsigned i = 0; i < root->bus.devices->len; i++) {
        PciDevice *d = g_ptr_array_index(root->bus.devices, i);
        uint8_t first = d->config[PCI_SECONDARY_BUS], last = d->config[PCI_SUBORDINATE_BUS];

        if (pci_info(d)->bridge && d->dev.buses && first != 0 && bus >= first && bus <= last) {
            PciBus *below = g_ptr_array_index(d->dev.buses, 0);

            below->number = first;
            return pci_find(below, bus, devfn);
        }
    }
    return NULL;
}

uint32_t pci_config_cycle_read(PciBus *root, unsigned bdf, uint32_t offset, unsigned size)
{
    PciDevice *d = pci_find(root, bdf >> 8, bdf & 0xff);

    if (!d || offset > d->config_size - size) {
        return 0xffffffffu >> (32 - 8 * size);
    }
    if (pci_info(d)->config_read) {
        pci_info(d)->config_read(d, offset, size);
    }
    return pci_config_get(d, offset, size);
}

PciBus *pci_root_of(const PciDevice *d)
{
    PciBus *root = d->bus;

    while (root->parent) {
        root = root->parent;
    }
    return root;
}

/* Who a function is to IOMMUs and MSI controllers follows from its bus's number. */
static void pci_update_requester(PciDevice *d)
{
    PciBus *root = pci_root_of(d);

    d->dev.requester_id = d->bus->number << 8 | d->devfn;
    d->bus_as = root->iommu ? root->iommu(root, root->iommu_opaque, d->dev.requester_id) : root->as;
}

/* The command register turns decoding, mastering and INTx on and off. */
static void pci_command_written(PciDevice *d)
{
    bool master = d->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
    /* constant once made: what a function that is no bus master sees */
    static AddressSpace *nowhere;

    if (!nowhere) {
        static Region empty;

        region_init_container(&empty, NULL, "pci-no-master", UINT64_MAX);
        nowhere = g_new0(AddressSpace, 1);
        address_space_init(nowhere, &empty, "pci-no-master");
    }
    pci_update_requester(d);
    d->msi_as = master ? d->bus_as : nowhere;
    d->dev.dma = master && d->direct_dma ? pci_root_of(d)->as : d->msi_as;
    pci_update_mappings(d);
    pci_intx_update(d);
}

static bool update_iommu(Device *d, void *opaque)
{
    if (g_str_has_prefix(d->parent_bus->obj.type->name, "PCI") && PCI_DEVICE(d)->bus) {
        pci_command_written(PCI_DEVICE(d));
    }
    return true;
}

void pci_set_iommu(PciBus *root, AddressSpace *(*iommu)(PciBus *, void *, uint16_t), void *opaque)
{
    root->iommu = iommu;
    root->iommu_opaque = opaque;
    bus_walk(&root->bus, update_iommu, NULL);
}

void pci_config_cycle_write(PciBus *root, unsigned bdf, uint32_t offset, uint32_t value,
                            unsigned size)
{
    PciDevice *d = pci_find(root, bdf >> 8, bdf & 0xff);

    if (!d || offset > d->config_size - size) {
        return;
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t b = value >> 8 * i;
        uint32_t o = offset + i;

        d->config[o] = (d->config[o] & ~d->wmask[o]) | (b & d->wmask[o]);
        d->config[o] &= ~(b & d->w1cmask[o]);
    }
    if (pci_is_bar_offset(offset, size, PCI_COMMAND, 2)) {
        pci_command_written(d);
    } else if (pci_is_bar_offset(offset, size, PCI_BASE_ADDRESS_0, 24) ||
               pci_is_bar_offset(offset, size, PCI_ROM_ADDRESS, 4)) {
        pci_update_mappings(d);
    }
    pci_msi_config_written(d, offset, size);
    pcie_config_written(d, offset, size);
    if (pci_info(d)->config_write) {
        pci_info(d)->config_write(d, offset, value, size);
    }
}

/* ---- plugging ---- */

static bool pci_place(PciBus *b, PciDevice *d, GError **error)
{
    const char *type = d->dev.obj.type->name;

    if (d->devfn < 0) {
        for (unsigned f = 0; f < (b->one_slot ? 8u : 256u); f += 8) {
            if (!b->slots[f]) {
                d->devfn = (int32_t)f;
                break;
            }
        }
        if (d->devfn < 0) {
            return fail(error, "PCI: no slot/function available for %s, all in use or reserved",
                        type);
        }
    }
    if (d->devfn > 255) {
        return fail(error, "device '%s': property 'addr' is out of range", type);
    }
    if (b->one_slot && PCI_SLOT(d->devfn)) {
        return fail(
            error,
            "PCI: slot %d is not valid for %s, parent device only allows plugging into slot 0.",
            PCI_SLOT(d->devfn), type);
    }
    if (b->slots[d->devfn]) {
        return fail(error, "PCI: slot %d function %d not available for %s, in use by %s",
                    PCI_SLOT(d->devfn), PCI_FUNC(d->devfn), type,
                    b->slots[d->devfn]->dev.obj.type->name);
    }
    PciDevice *first = b->slots[d->devfn & ~7];

    if (PCI_FUNC(d->devfn) && first && !first->multifunction) {
        return fail(error, "PCI: single function device can't be populated in function %x.%x",
                    PCI_SLOT(d->devfn), PCI_FUNC(d->devfn));
    }
    return true;
}

static void pci_header_init(PciDevice *d)
{
    const PciInfo *i = pci_info(d);

    memset(d->config, 0, sizeof(d->config));
    memset(d->wmask, 0, sizeof(d->wmask));
    memset(d->w1cmask, 0, sizeof(d->w1cmask));
    d->cap_next = 0x40;
    pci_config_set(d, PCI_VENDOR_ID, 2, i->vendor);
    pci_config_set(d, PCI_DEVICE_ID, 2, i->device);
    d->config[PCI_REVISION_ID] = i->revision;
    pci_config_set(d, PCI_CLASS_PROG, 1, i->class_code & 0xff);
    pci_config_set(d, PCI_CLASS_DEVICE, 2, i->class_code >> 8);
    d->config[PCI_HEADER_TYPE] = (i->bridge ? 1 : 0) | (d->multifunction ? 0x80 : 0);
    d->config[PCI_INTERRUPT_PIN] = i->pin;
    if (!i->bridge) {
        bool own = i->subsys || i->subsys_vendor;

        pci_config_set(d, PCI_SUBSYSTEM_VENDOR_ID, 2, own ? i->subsys_vendor : PCI_SUBSYS_VENDOR);
        pci_config_set(d, PCI_SUBSYSTEM_ID, 2, own ? i->subsys : PCI_SUBSYS_DEVICE);
    }
    pci_config_wmask(d, PCI_COMMAND, 2,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
                         PCI_COMMAND_INTX_DISABLE | 0x40);
    pci_config_w1c(d, PCI_STATUS, 2, 0xf900);
    pci_config_wmask(d, PCI_CACHE_LINE_SIZE, 1, 0xff);
    pci_config_wmask(d, PCI_INTERRUPT_LINE, 1, 0xff);
    for (const PciConfigRow *r = i->config; r && r->name; r++) {
        pci_config_set(d, r->offset, r->size, r->reset);
        pci_config_wmask(d, r->offset, r->size, r->wmask);
        pci_config_w1c(d, r->offset, r->size, r->w1c);
    }
}

/* As large as guests take a name of an interface for one. */
#define PCI_INDEX_MAX (16u * 1024 - 1)

static bool index_differs(Device *other, void *opaque)
{
    const PciDevice *d = opaque;

    return other == &d->dev || !other->parent_bus ||
           !type_is_a(other->obj.type, "pci-device") ||
           PCI_DEVICE(other)->acpi_index != d->acpi_index;
}

static bool pci_check_index(PciDevice *d, GError **error)
{
    if (d->acpi_index > PCI_INDEX_MAX) {
        return fail(error, "acpi-index should be less or equal to %u", PCI_INDEX_MAX);
    }
    return d->acpi_index == 0 || bus_walk(d->dev.vm->system_bus, index_differs, d) ||
           fail(error, "a PCI device with acpi-index = %u already exist", d->acpi_index);
}

static bool pci_attach(Bus *bus, Device *dev, GError **error)
{
    PciBus *b = (PciBus *)bus;
    PciDevice *d = PCI_DEVICE(dev);
    const PciInfo *i = pci_info(d);

    if (!pci_check_index(d, error) || !pci_place(b, d, error)) {
        return false;
    }
    d->bus = b;
    d->config_size = b->express ? PCIE_CONFIG_SIZE : PCI_CONFIG_SIZE;
    pci_header_init(d);
    pci_bars_init(d);
    if (i->express && b->express &&
        !pcie_init(d, i->express_at,
                   b->parent || i->express_kind ? i->express_kind : PCIE_INTEGRATED, error)) {
        return false;
    }
    if (i->msix && !pci_msix_init(d, i->msix, i->msix_bar, error)) {
        return false;
    }
    if (i->msi && !pci_msi_init(d, i->msi, error)) {
        return false;
    }
    if (d->rombar && !pci_rom_init(d, error)) {
        return false;
    }
    b->slots[d->devfn] = d;
    pci_command_written(d);
    return true;
}

static void pci_detach(Bus *bus, Device *dev)
{
    PciBus *b = (PciBus *)bus;
    PciDevice *d = PCI_DEVICE(dev);

    if (d->bus) {
        pci_set_irq(d, 0);
        pci_bars_fini(d);
        pci_msi_fini(d);
    }
    if (d->devfn >= 0 && b->slots[d->devfn] == d) {
        b->slots[d->devfn] = NULL;
    }
}

static void pci_plugged(Bus *bus, Device *dev)
{
    PciBus *b = (PciBus *)bus;

    if (dev->hotplugged && b->hotplug) {
        g_autoptr(GError) refused = NULL;

        b->hotplug(b, PCI_DEVICE(dev), true, &refused);
    }
}

static bool pci_unplug_request(Bus *bus, Device *dev, GError **error)
{
    PciBus *b = (PciBus *)bus;

    if (!b->hotplug) {
        return fail(error, "Bus '%s' does not support hotplugging", bus->obj.name);
    }
    return b->hotplug(b, PCI_DEVICE(dev), false, error);
}

static char *pci_address(Bus *bus, Device *dev)
{
    int32_t devfn = PCI_DEVICE(dev)->devfn;

    return g_strdup_printf("%02x.%x", PCI_SLOT(devfn), PCI_FUNC(devfn));
}

static void pci_device_reset(Device *dev)
{
    PciDevice *d = PCI_DEVICE(dev);

    pci_set_irq(d, 0);
    pci_config_set(d, PCI_COMMAND, 2, 0);
    pci_config_set(d, PCI_STATUS, 2, pci_config_get(d, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
    d->config[PCI_CACHE_LINE_SIZE] = 0;
    d->config[PCI_INTERRUPT_LINE] = 0;
    for (const PciConfigRow *r = pci_info(d)->config; r && r->name; r++) {
        uint32_t keep = r->kept ? ~0u : ~(r->wmask | r->w1c);

        pci_config_set(d, r->offset, r->size,
                       (pci_config_get(d, r->offset, r->size) & keep) | (r->reset & ~keep));
    }
    pcie_reset(d);
    pci_msi_reset(d);
    pci_bars_reset(d);
    pci_command_written(d);
}

/* What the core relies on in the configuration that nobody can write. */
static bool pci_device_check_load(Device *dev, GError **error)
{
    PciDevice *d = PCI_DEVICE(dev);
    uint8_t pin = d->config[PCI_INTERRUPT_PIN];

    if (pin > 4 || (pin == 0 && d->pin_level)) {
        return fail(error, "no interrupt pin %u with level %u", pin, d->pin_level);
    }
    return (d->config[PCI_HEADER_TYPE] & 0x7f) == (pci_info(d)->bridge ? 1 : 0) ||
           fail(error, "no header of type 0x%x", d->config[PCI_HEADER_TYPE]);
}

static void pci_device_loaded(Device *dev)
{
    PciDevice *d = PCI_DEVICE(dev);

    pci_intx_loaded(d);
    pci_command_written(d);
}

static const Prop pci_device_props[] = {
    PROP(PciDevice, devfn, "addr", prop_pci_devfn, .def = -1, .help = "slot and function, 1d.7"),
    PROP_STRING(PciDevice, romfile, "romfile"),
    PROP_U32(PciDevice, rombar, "rombar", 1),
    PROP_U32(PciDevice, romsize, "romsize", UINT32_MAX, .help = "of the option ROM's BAR"),
    PROP_U32(PciDevice, acpi_index, "acpi-index", 0, .help = "number of a card that guests know"),
    PROP_BOOL(PciDevice, multifunction, "multifunction", false),
    PROP_END,
};

static const PinRow no_pins[] = {PIN_END};

static const StateField pci_device_state[] = {
    STATE_RAW(PciDevice, config),
    STATE_MAX(PciDevice, pin_level, 3),
    HOST_ONLY(PciDevice, wmask, "made at realize"),
    HOST_ONLY(PciDevice, w1cmask, "made at realize"),
    HOST_ONLY(PciDevice, bus, "place"),
    HOST_ONLY(PciDevice, config_size, "made at realize"),
    HOST_ONLY(PciDevice, bus_as, "made at realize"),
    HOST_ONLY(PciDevice, msi_as, "likewise"),
    HOST_ONLY(PciDevice, direct_dma, "by a property"),
    HOST_ONLY(PciDevice, bar, "follows the BARs"),
    HOST_ONLY(PciDevice, rom, "contents of a file"),
    HOST_ONLY(PciDevice, msi_cap, "made at realize"),
    HOST_ONLY(PciDevice, msix_cap, "made at realize"),
    HOST_ONLY(PciDevice, express_cap, "made at realize"),
    HOST_ONLY(PciDevice, pm_cap, "made at realize"),
    HOST_ONLY(PciDevice, msix, "its tables follow"),
    STATE_BUF(PciDevice, msix_table, pci_msix_table_len),
    STATE_BUF(PciDevice, msix_pending, pci_msix_pending_len),
    HOST_ONLY(PciDevice, cap_next, "made at realize"),
    STATE_END,
};

static const DeviceType pci_device_type = {
    .name = "pci-device",
    .bus = "PCI",
    .desc = "PCI function",
    .abstract = true,
    .size = sizeof(PciDevice),
    .state_version = 1,
    .props = pci_device_props,
    .pins = no_pins,
    .state = pci_device_state,
    .reset = pci_device_reset,
    .check_load = pci_device_check_load,
    .post_load = pci_device_loaded,
};
DEVICE_TYPE(pci_device_type);

/* PCI binding 2.1, table 1: names by class, others by their IDs. */
static char *pci_fw_path(Bus *bus, Device *dev)
{
    static const struct { uint16_t class_code; const char *name; } names[] = {
        { 0x0000, "legacy-device" }, { 0x0100, "scsi" }, { 0x0101, "ide" }, { 0x0102, "fdc" },
        { 0x0200, "ethernet" }, { 0x0300, "display" }, { 0x0601, "isa" }, { 0x0604, "pci-bridge" },
        { 0x0c03, "usb" },
    };
    PciDevice *d = (PciDevice *)dev;
    uint16_t class_code = pci_config_get(d, PCI_CLASS_DEVICE, 2);
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        if (names[i].class_code == class_code) {
            g_string_append(out, names[i].name);
        }
    }
    if (!out->len) {
        g_string_append_printf(out, "pci%04x,%04x", pci_config_get(d, PCI_VENDOR_ID, 2),
                               pci_config_get(d, PCI_DEVICE_ID, 2));
    }
    g_string_append_printf(out, "@%x", PCI_SLOT(d->devfn));
    if (PCI_FUNC(d->devfn)) {
        g_string_append_printf(out, ",%x", PCI_FUNC(d->devfn));
    }
    return g_string_free(out, FALSE);
}

/* A function that is itself what firmware boots from. */
static char *pci_fw_leaf(Bus *bus, Device *dev)
{
    switch (pci_config_get((PciDevice *)dev, PCI_CLASS_DEVICE, 2)) {
    case 0x0100:
        return g_strdup("disk@0,0");
    case 0x0108:
        return g_strdup("namespace@1,0");
    case 0x0200:
        return g_strdup("ethernet-phy@0");
    default:
        return NULL;
    }
}

const BusType pci_bus_type = {
    .name = "PCI",
    .desc = "PCI bus",
    .size = sizeof(PciBus),
    .attach = pci_attach,
    .detach = pci_detach,
    .plugged = pci_plugged,
    .unplug_request = pci_unplug_request,
    .address = pci_address,
    .fw_path = pci_fw_path,
    .fw_leaf = pci_fw_leaf,
};
BUS_TYPE(pci_bus_type);

const BusType pcie_bus_type = {
    .name = "PCIE",
    .parent = "PCI",
    .desc = "PCI Express bus",
    .size = sizeof(PciBus),
    .attach = pci_attach,
    .detach = pci_detach,
    .plugged = pci_plugged,
    .unplug_request = pci_unplug_request,
    .address = pci_address,
};
BUS_TYPE(pcie_bus_type);

void pci_root_bus_init(PciBus *b, Device *host, const char *name, bool express, Region *mem,
                       Region *io)
{
    bus_init(&b->bus, express ? &pcie_bus_type : &pci_bus_type, host, name);
    b->express = express;
    b->mem = mem;
    b->io = io;
    b->as = host->vm->memory_as;
}

PciDevice *pci_create(PciBus *b, int devfn, const char *type, const char *name, GError **error, ...)
{
    Device *d = device_new(b->bus.vm, type, error);
    const char *prop;
    va_list ap;
    bool ok = true;

    if (!d) {
        return NULL;
    }
    PCI_DEVICE(d)->devfn = devfn;
    va_start(ap, error);
    while (ok && (prop = va_arg(ap, const char *)) != NULL) {
        ok = object_set_text(&d->obj, prop, va_arg(ap, const char *), error);
    }
    va_end(ap);
    if (!ok) {
        object_unref(&d->obj);
        return NULL;
    }
    return device_realize(d, &b->bus, NULL, error) ? PCI_DEVICE(d) : NULL;
}
