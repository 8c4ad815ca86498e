// SPDX-License-Identifier: GPL-2.0-or-later
/* query-pci and `info pci`: configuration space as the guest has set it up. */
#include "hw/pci/pci.h"
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "qom/vm.h"

/* PCI Code and ID Assignment 1.15, the classes that we have. */
static const struct {
    uint16_t code;
    const char *text;
} classes[] = {
    { 0x0001, "VGA controller" }, { 0x0100, "SCSI controller" }, { 0x0101, "IDE controller" },
    { 0x0102, "Floppy controller" }, { 0x0103, "IPI controller" }, { 0x0104, "RAID controller" },
    { 0x0106, "SATA controller" }, { 0x0107, "SAS controller" },
    { 0x0108, "Storage controller (NVMe)" }, { 0x0180, "Storage controller" },
    { 0x0200, "Ethernet controller" }, { 0x0201, "Token Ring controller" },
    { 0x0280, "Network controller" }, { 0x0300, "VGA controller" },
    { 0x0301, "XGA controller" }, { 0x0302, "3D controller" }, { 0x0380, "Display controller" },
    { 0x0400, "Video controller" }, { 0x0401, "Audio controller" }, { 0x0403, "Audio controller" },
    { 0x0500, "RAM controller" }, { 0x0501, "Flash controller" }, { 0x0580, "Memory controller" },
    { 0x0600, "Host bridge" }, { 0x0601, "ISA bridge" }, { 0x0602, "EISA bridge" },
    { 0x0604, "PCI bridge" }, { 0x0680, "Bridge" }, { 0x0700, "Serial port" },
    { 0x0780, "Communication controller" }, { 0x0800, "Interrupt controller" },
    { 0x0880, "System peripheral" }, { 0x0900, "Keyboard" }, { 0x0980, "Input controller" },
    { 0x0c03, "USB controller" }, { 0x0c05, "SMBus" },
};

static const char *class_text(uint16_t code)
{
    for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
        if (classes[i].code == code) {
            return classes[i].text;
        }
    }
    return NULL;
}

static void add_region(GPtrArray *list, const PciDevice *d, unsigned bar)
{
    const struct PciBar *b = &d->bar[bar];

    if (b->size == 0) {
        return;
    }
    PciMemoryRegion *r = g_new0(PciMemoryRegion, 1);
    bool io = b->kind == PCI_BAR_IO;

    r->bar = bar;
    r->type = g_strdup(io ? "io" : "memory");
    r->address = b->mapped ? (int64_t)b->addr : -1;
    r->size = (int64_t)b->size;
    if (!io) {
        r->has_prefetch = r->has_mem_type_64 = true;
        r->prefetch = b->prefetch;
        r->mem_type_64 = b->kind == PCI_BAR_MEM64;
    }
    g_ptr_array_add(list, r);
}

static PciMemoryRange *range(int64_t base, int64_t limit)
{
    PciMemoryRange *r = g_new0(PciMemoryRange, 1);

    r->base = base;
    r->limit = limit;
    return r;
}

static GPtrArray *bus_devices(PciBus *bus, unsigned depth);

/* PCI-to-PCI Bridge 1.2, 3.2.5: the windows. */
static PciBridgeInfo *bridge_info(const PciDevice *d, unsigned depth)
{
    PciBridgeInfo *info = g_new0(PciBridgeInfo, 1);
    PciBusInfo *b = info->bus = g_new0(PciBusInfo, 1);
    uint32_t io_base = pci_config_get(d, PCI_IO_BASE, 1),
             io_limit = pci_config_get(d, PCI_IO_LIMIT, 1);
    uint64_t pref_base = pci_config_get(d, PCI_PREF_MEMORY_BASE, 2);
    uint64_t pref_limit = pci_config_get(d, PCI_PREF_MEMORY_LIMIT, 2);

    b->number = pci_config_get(d, PCI_PRIMARY_BUS, 1);
    b->secondary = pci_config_get(d, PCI_SECONDARY_BUS, 1);
    b->subordinate = pci_config_get(d, PCI_SUBORDINATE_BUS, 1);
    b->io_range = range((io_base & 0xf0) << 8, (io_limit & 0xf0) << 8 | 0xfff);
    b->memory_range =
        range((int64_t)(pci_config_get(d, PCI_MEMORY_BASE, 2) & 0xfff0) << 16,
              (int64_t)(pci_config_get(d, PCI_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff);
    pref_base = (pref_base & 0xfff0) << 16 | (uint64_t)pci_config_get(d, 0x28, 4) << 32;
    pref_limit = (pref_limit & 0xfff0) << 16 | 0xfffff | (uint64_t)pci_config_get(d, 0x2c, 4) << 32;
    b->prefetchable_range = range((int64_t)pref_base, (int64_t)pref_limit);
    for (guint i = 0; d->dev.buses && i < d->dev.buses->len; i++) {
        info->devices = bus_devices(d->dev.buses->pdata[i], depth + 1);
    }
    return info;
}

static PciDeviceInfo *device_info(PciBus *bus, PciDevice *d, unsigned depth)
{
    PciDeviceInfo *info = g_new0(PciDeviceInfo, 1);
    bool bridge = (d->config[PCI_HEADER_TYPE] & 0x7f) == 1;

    info->bus = bus->number;
    info->slot = PCI_SLOT(d->devfn);
    info->function = PCI_FUNC(d->devfn);
    info->class_info = g_new0(PciDeviceClass, 1);
    info->class_info->class = pci_config_get(d, PCI_CLASS_DEVICE, 2);
    info->class_info->desc = g_strdup(class_text((uint16_t)info->class_info->class));
    info->id = g_new0(PciDeviceId, 1);
    info->id->device = pci_config_get(d, PCI_DEVICE_ID, 2);
    info->id->vendor = pci_config_get(d, PCI_VENDOR_ID, 2);
    if (!bridge) {
        info->id->has_subsystem = info->id->has_subsystem_vendor = true;
        info->id->subsystem = pci_config_get(d, PCI_SUBSYSTEM_ID, 2);
        info->id->subsystem_vendor = pci_config_get(d, PCI_SUBSYSTEM_VENDOR_ID, 2);
    }
    info->irq_pin = d->config[PCI_INTERRUPT_PIN];
    info->has_irq = info->irq_pin != 0;
    info->irq = d->config[PCI_INTERRUPT_LINE];
    info->qdev_id = g_strdup(d->dev.id ? d->dev.id : "");
    info->regions = g_ptr_array_new();
    for (unsigned i = 0; i <= PCI_ROM_BAR; i++) {
        add_region(info->regions, d, i);
    }
    if (bridge && depth < 256) {
        info->pci_bridge = bridge_info(d, depth);
    }
    return info;
}

static GPtrArray *bus_devices(PciBus *bus, unsigned depth)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < ARRAY_COUNT(bus->slots); i++) {
        if (bus->slots[i]) {
            g_ptr_array_add(list, device_info(bus, bus->slots[i], depth));
        }
    }
    return list;
}

static bool add_root(Object *obj, void *opaque)
{
    if (obj->kind == KIND_BUS && (obj->type == (const ObjectType *)&pci_bus_type ||
                                  obj->type == (const ObjectType *)&pcie_bus_type) &&
        !((PciBus *)obj)->bridge) {
        PciInfoQmp *info = g_new0(PciInfoQmp, 1);

        info->bus = ((PciBus *)obj)->number;
        info->devices = bus_devices((PciBus *)obj, 0);
        g_ptr_array_add(opaque, info);
    }
    return true;
}

GPtrArray *qmp_query_pci(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    object_walk(object_root(), add_root, list);
    return list;
}

/* --- info pci --------------------------------------------------------------------------------- */

static void print_region(const PciMemoryRegion *r, GString *out)
{
    uint64_t from = (uint64_t)r->address, to = from + (uint64_t)r->size - 1;

    g_string_append_printf(out, "      BAR%d: ", (int)r->bar);
    if (r->type[0] == 'i') {
        g_string_append_printf(
            out, "I/O at 0x%04" G_GINT64_MODIFIER "x [0x%04" G_GINT64_MODIFIER "x].\n", from, to);
    } else {
        g_string_append_printf(out, "%d bit%s memory at 0x%08" G_GINT64_MODIFIER "x [0x%08"
                               G_GINT64_MODIFIER "x].\n", r->mem_type_64 ? 64 : 32,
                               r->prefetch ? " prefetchable" : "", from, to);
    }
}

static void print_devices(const GPtrArray *devices, GString *out)
{
    for (guint i = 0; i < devices->len; i++) {
        const PciDeviceInfo *d = devices->pdata[i];

        g_string_append_printf(out, "  Bus %2d, device %3d, function %d:\n    ", (int)d->bus,
                               (int)d->slot, (int)d->function);
        if (d->class_info->desc) {
            g_string_append(out, d->class_info->desc);
        } else {
            g_string_append_printf(out, "Class %04d", (int)d->class_info->class);
        }
        g_string_append_printf(out, ": PCI device %04x:%04x\n", (unsigned)d->id->vendor,
                               (unsigned)d->id->device);
        if (d->id->has_subsystem) {
            g_string_append_printf(out, "      PCI subsystem %04x:%04x\n",
                                   (unsigned)d->id->subsystem_vendor, (unsigned)d->id->subsystem);
        }
        if (d->has_irq) {
            g_string_append_printf(out, "      IRQ %d, pin %c\n", (int)d->irq,
                                   (char)('A' + d->irq_pin - 1));
        }
        if (d->pci_bridge) {
            const PciBusInfo *b = d->pci_bridge->bus;

            g_string_append_printf(
                out, "      BUS %d.\n      secondary bus %d.\n      subordinate bus %d.\n",
                (int)b->number, (int)b->secondary, (int)b->subordinate);
            g_string_append_printf(out, "      IO range [0x%04x, 0x%04x]\n",
                                   (unsigned)b->io_range->base, (unsigned)b->io_range->limit);
            g_string_append_printf(out,
                                   "      memory range [0x%08" G_GINT64_MODIFIER
                                   "x, 0x%08" G_GINT64_MODIFIER "x]\n",
                                   b->memory_range->base, b->memory_range->limit);
            g_string_append_printf(out, "      prefetchable memory range [0x%08" G_GINT64_MODIFIER
                                   "x, 0x%08" G_GINT64_MODIFIER "x]\n", b->prefetchable_range->base,
                                   b->prefetchable_range->limit);
        }
        for (guint n = 0; n < d->regions->len; n++) {
            print_region(d->regions->pdata[n], out);
        }
        g_string_append_printf(out, "      id \"%s\"\n", d->qdev_id);
        if (d->pci_bridge && d->pci_bridge->devices) {
            print_devices(d->pci_bridge->devices, out);
        }
    }
}

static void hmp_info_pci(HmpCall *call, GError **error)
{
    GPtrArray *list = qmp_query_pci(&(QmpCall){ .vm = call->vm }, error);

    if (!list->len) {
        g_string_append(call->out, "No PCI devices found.\n");
    }
    for (guint i = 0; i < list->len; i++) {
        print_devices(((PciInfoQmp *)list->pdata[i])->devices, call->out);
    }
    qapi_clear(&qapi_array_PciInfoQmp, &list);
}

HMP_INFO(pci, hmp_info_pci, "", "show PCI info");
