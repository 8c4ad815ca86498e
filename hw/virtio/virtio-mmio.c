// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio over memory-mapped registers (Virtual I/O Device 1.1, 4.2), legacy interface (4.2.4)
 * by default. The device with the registers, "virtio-mmio", owns a bus with room for one
 * back end; each VirtioType becomes such a back end of type "X-device".
 */
#include "hw/virtio/virtio-mmio.h"
#include "exec/bank.h"
#include "hw/virtio/virtio.h"
#include "qom/vm.h"

#define MMIO_MAGIC 0x74726976u /* "virt" */
#define MMIO_VENDOR 0x554d4551u
#define MMIO_CONFIG 0x100

enum {
    M_MAGIC = 0x00,
    M_VERSION = 0x04,
    M_DEVICE_ID = 0x08,
    M_VENDOR_ID = 0x0c,
    M_FEATURES = 0x10,
    M_FEATURES_SEL = 0x14,
    M_DRIVER_FEATURES = 0x20,
    M_DRIVER_SEL = 0x24,
    M_PAGE_SIZE = 0x28,
    M_QUEUE_SEL = 0x30,
    M_QUEUE_MAX = 0x34,
    M_QUEUE_NUM = 0x38,
    M_QUEUE_ALIGN = 0x3c,
    M_QUEUE_PFN = 0x40,
    M_QUEUE_READY = 0x44,
    M_NOTIFY = 0x50,
    M_ISR = 0x60,
    M_ACK = 0x64,
    M_STATUS = 0x70,
    M_DESC = 0x80,
    M_DRIVER = 0x90,
    M_DEVICE = 0xa0,
    M_GENERATION = 0xfc
};

typedef struct VirtioMmio {
    Device dev;
    Bus bus;
    bool force_legacy, format_transport_address, ioeventfd;
    char *bus_name;
    Irq irq;
    uint32_t page_size, queue_align;
} VirtioMmio;

static VirtioDevice *mmio_backend(VirtioMmio *m)
{
    return m->bus.devices->len ? g_ptr_array_index(m->bus.devices, 0) : NULL;
}

static void mmio_interrupt(VirtioDevice *v, uint16_t vector, uint8_t isr_bit)
{
    v->isr |= isr_bit;
    irq_set(&((VirtioMmio *)v->transport_device)->irq, 1);
}

static void mmio_lower(VirtioDevice *v)
{
    irq_set(&((VirtioMmio *)v->transport_device)->irq, 0);
}

static const VirtioTransport mmio_transport = {.interrupt = mmio_interrupt, .lower = mmio_lower};

static VirtQueue *selected(VirtioDevice *v)
{
    return v->queue_select < v->num_queues ? &v->vq[v->queue_select] : NULL;
}

/* ---- reads ---- */

static uint32_t mmio_features(VirtioMmio *m, VirtioDevice *v)
{
    uint64_t f = virtio_offered_features(v);

    if (m->force_legacy) {
        return v->feature_select ? 0 : (uint32_t)f;
    }
    return v->feature_select < 2 ? f >> 32 * v->feature_select : 0;
}

static uint64_t mmio_read_register(VirtioMmio *m, VirtioDevice *v, hwaddr offset)
{
    VirtQueue *q = selected(v);

    switch (offset) {
    case M_DEVICE_ID:
        return v->type->id;
    case M_FEATURES:
        return mmio_features(m, v);
    case M_QUEUE_MAX:
        return q ? q->size_max : 0;
    case M_QUEUE_PFN:
        return m->force_legacy && q && m->page_size ? q->desc / m->page_size : 0;
    case M_QUEUE_READY:
        return !m->force_legacy && q && q->enabled;
    case M_ISR:
        return v->isr;
    case M_STATUS:
        return v->status;
    case M_GENERATION:
        return m->force_legacy ? 0 : v->generation;
    default:
        return 0;
    }
}

static uint64_t mmio_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioMmio *m = opaque;
    VirtioDevice *v = mmio_backend(m);

    if (offset >= MMIO_CONFIG) {
        return v ? virtio_config_load(v, offset - MMIO_CONFIG, size) : 0;
    }
    if (size != 4) {
        guest_error("virtio-mmio: register 0x%x read with %u bytes", (unsigned)offset, size);
        return 0;
    }
    switch (offset) {
    case M_MAGIC:
        return MMIO_MAGIC;
    case M_VERSION:
        return m->force_legacy ? 1 : 2;
    case M_VENDOR_ID:
        return MMIO_VENDOR;
    default:
        return v ? mmio_read_register(m, v, offset) : 0;
    }
}

/* ---- writes ---- */

static void mmio_set_pfn(VirtioMmio *m, VirtioDevice *v, VirtQueue *q, uint32_t pfn)
{
    uint64_t align = m->queue_align;

    if (pfn == 0) {
        virtio_reset(v);
        return;
    }
    if (m->page_size == 0 || align == 0 || (align & (align - 1))) {
        virtio_error(v, "queue address with page size 0x%x and alignment 0x%x", m->page_size,
                     m->queue_align);
        return;
    }
    q->desc = (uint64_t)pfn * m->page_size;
    q->avail = q->desc + 16ull * q->size;
    q->used = (q->avail + 4 + 2ull * q->size + align - 1) & ~(align - 1);
    q->enabled = true;
}

static void mmio_set_size(VirtioDevice *v, VirtQueue *q, uint32_t value)
{
    if (value == 0 || value > q->size_max || (value & (value - 1))) {
        virtio_error(v, "queue size %u is not possible", value);
    } else {
        q->size = value;
    }
}

static void set_half(uint64_t *field, unsigned half, uint32_t value)
{
    *field = (*field & ~(0xffffffffull << 32 * half)) | (uint64_t)value << 32 * half;
}

static void mmio_write_queue(VirtioMmio *m, VirtioDevice *v, VirtQueue *q, hwaddr offset,
                             uint32_t value)
{
    switch (offset) {
    case M_QUEUE_NUM:
        mmio_set_size(v, q, value);
        break;
    case M_QUEUE_ALIGN:
        m->queue_align = value;
        break;
    case M_QUEUE_PFN:
        if (m->force_legacy) {
            mmio_set_pfn(m, v, q, value);
        }
        break;
    case M_QUEUE_READY:
        q->enabled = !m->force_legacy && (value & 1);
        break;
    case M_DESC:
    case M_DESC + 4:
        set_half(&q->desc, offset >> 2 & 1, value);
        break;
    case M_DRIVER:
    case M_DRIVER + 4:
        set_half(&q->avail, offset >> 2 & 1, value);
        break;
    case M_DEVICE:
    case M_DEVICE + 4:
        set_half(&q->used, offset >> 2 & 1, value);
        break;
    }
}

static void mmio_write_features(VirtioMmio *m, VirtioDevice *v, uint32_t value)
{
    if (m->force_legacy) {
        if (v->driver_feature_select == 0) {
            virtio_set_features(v, value);
        }
    } else if (v->driver_feature_select < 2 && !(v->status & VIRTIO_STATUS_FEATURES_OK)) {
        set_half(&v->driver_features, v->driver_feature_select, value);
    }
}

static void mmio_write_register(VirtioMmio *m, VirtioDevice *v, hwaddr offset, uint32_t value)
{
    switch (offset) {
    case M_FEATURES_SEL:
        v->feature_select = value;
        break;
    case M_DRIVER_SEL:
        v->driver_feature_select = value;
        break;
    case M_DRIVER_FEATURES:
        mmio_write_features(m, v, value);
        break;
    case M_PAGE_SIZE:
        m->page_size = value && !(value & (value - 1)) ? value : 0;
        break;
    case M_QUEUE_SEL:
        v->queue_select = MIN(value, UINT16_MAX);
        break;
    case M_NOTIFY:
        virtio_kick(v, MIN(value, UINT16_MAX));
        break;
    case M_ACK:
        v->isr &= ~value;
        irq_set(&m->irq, v->isr != 0);
        break;
    case M_STATUS:
        if ((uint8_t)value == 0) {
            virtio_reset(v);
        } else if (m->force_legacy) {
            virtio_set_status(v, value);
        } else {
            virtio_driver_status(v, value);
        }
        break;
    default:
        if (selected(v)) {
            mmio_write_queue(m, v, selected(v), offset, value);
        }
    }
}

static void mmio_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioMmio *m = opaque;
    VirtioDevice *v = mmio_backend(m);

    if (!v) {
        return;
    }
    if (offset >= MMIO_CONFIG) {
        virtio_config_store(v, offset - MMIO_CONFIG, value, size);
    } else if (size == 4) {
        mmio_write_register(m, v, offset, value);
    } else {
        guest_error("virtio-mmio: register 0x%x written with %u bytes", (unsigned)offset, size);
    }
}

static const RegionOps mmio_ops = {
    .read = mmio_read,
    .write = mmio_write,
    .min_size = 1,
    .max_size = 4,
};

/* ---- the device with the registers ---- */

static const BusType virtio_bus_type = {
    .name = "virtio-bus",
    .desc = "Bus of a virtio transport",
    .abstract = true,
    .size = sizeof(Bus),
};
BUS_TYPE(virtio_bus_type);

static const BusType virtio_mmio_bus_type = {
    .name = "virtio-mmio-bus",
    .parent = "virtio-bus",
    .desc = "Bus of a virtio-mmio transport",
    .size = sizeof(Bus),
    .max_devices = 1,
};
BUS_TYPE(virtio_mmio_bus_type);

static bool mmio_realize(Device *d, GError **error)
{
    VirtioMmio *m = (VirtioMmio *)d;

    bus_init(&m->bus, &virtio_mmio_bus_type, d, m->bus_name);
    return true;
}

static void mmio_reset(Device *d)
{
    VirtioMmio *m = (VirtioMmio *)d;

    m->page_size = 0;
    m->queue_align = 4096;
}

static const RegBank mmio_banks[] = {
    {.name = "mmio", .size = 0x200, .ops = &mmio_ops, .help = "transport registers, configuration"},
    {0},
};

static const Prop mmio_props[] = {
    PROP_BOOL(VirtioMmio, format_transport_address, "format_transport_address", true),
    PROP_BOOL(VirtioMmio, force_legacy, "force-legacy", true),
    PROP_BOOL(VirtioMmio, ioeventfd, "ioeventfd", true),
    PROP_STRING(VirtioMmio, bus_name, "bus-name", .flags = PROP_HIDDEN),
    PROP_END,
};

static const PinRow mmio_pins[] = {PIN_OUT(VirtioMmio, irq, "irq"), PIN_END};

static const StateField mmio_state[] = {
    STATE(VirtioMmio, page_size),
    STATE(VirtioMmio, queue_align),
    HOST_ONLY(VirtioMmio, bus, "its device has state of its own"),
    STATE_END,
};

static const DeviceType mmio_type = {
    .name = "virtio-mmio",
    .category = "misc",
    .desc = "Virtio transport in memory",
    .internal = true,
    .size = sizeof(VirtioMmio),
    .state_version = 1,
    .banks = mmio_banks,
    .props = mmio_props,
    .pins = mmio_pins,
    .state = mmio_state,
    .realize = mmio_realize,
    .reset = mmio_reset,
};
DEVICE_TYPE(mmio_type);

Device *virtio_mmio_create(Vm *vm, hwaddr base, unsigned index, GError **error)
{
    g_autofree char *bus = g_strdup_printf("virtio-mmio-bus.%u", index);
    Device *d = device_create(vm, "virtio-mmio", NULL, NULL, error, "bus-name", bus, NULL);

    if (d) {
        device_map(d, "mmio", base);
    }
    return d;
}

/* ---- back ends ---- */

typedef struct VirtioBackendType {
    DeviceType dev;
    const VirtioType *type;
} VirtioBackendType;

static bool backend_realize(Device *d, GError **error)
{
    VirtioDevice *v = (VirtioDevice *)d;
    const VirtioBackendType *t = CONTAINER_OF(device_type(d), const VirtioBackendType, dev);

    v->type = t->type;
    v->transport = &mmio_transport;
    v->transport_device = d->parent_bus->owner;
    v->disable_modern = ((VirtioMmio *)v->transport_device)->force_legacy;
    return virtio_core_realize(v, error);
}

static void backend_unrealize(Device *d)
{
    virtio_core_unrealize((VirtioDevice *)d);
}

static void backend_reset(Device *d)
{
    virtio_reset((VirtioDevice *)d);
}

static const Prop backend_props[] = {
    PROP_BOOL(VirtioDevice, indirect_desc, "indirect_desc", true),
    PROP_BOOL(VirtioDevice, event_idx, "event_idx", true),
    PROP_BOOL(VirtioDevice, iommu_platform, "iommu_platform", false),
    PROP_BOOL(VirtioDevice, any_layout, "any_layout", true),
    PROP_BOOL(VirtioDevice, notify_on_empty, "notify_on_empty", true),
    PROP_BOOL(VirtioDevice, packed, "packed", false),
    PROP_END,
};

/* What the struct has for the PCI transport alone. */
static const StateField backend_unused[] = {
    HOST_ONLY(VirtioDevice, pci, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, num_vectors, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, disable_legacy, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, disable_modern, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, page_per_vq, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, ioeventfd, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, queue_reset, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, disable_pcie, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, ats, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, ats_aligned, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, aer, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, flr, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, pm, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, link_ctl, "of the PCI transport"),
    HOST_ONLY(VirtioDevice, dev_ctl, "of the PCI transport"),
    STATE_END,
};

static const DeviceType backend_struct = {
    .name = "virtio-device-struct",
    .bus = "virtio-bus",
    .desc = "Memory of a virtio device",
    .abstract = true,
    .internal = true,
    .size = sizeof(VirtioDevice),
    .state_version = 1,
    .state = backend_unused,
};
DEVICE_TYPE(backend_struct);

static bool backend_check_load(Device *d, GError **error)
{
    return virtio_core_check_load((VirtioDevice *)d, error);
}

static void backend_saving(Device *d)
{
    virtio_core_saving((VirtioDevice *)d);
}

static void backend_loaded(Device *d)
{
    virtio_core_loaded((VirtioDevice *)d);
}

static const DeviceType backend_base = {
    .name = "virtio-device",
    .parent = "virtio-device-struct",
    .bus = "virtio-bus",
    .desc = "Virtio device without its transport",
    .abstract = true,
    .size = sizeof(VirtioDevice),
    .state_version = 1,
    .props = backend_props,
    .state = virtio_state,
    .realize = backend_realize,
    .unrealize = backend_unrealize,
    .reset = backend_reset,
    .saving = backend_saving,
    .check_load = backend_check_load,
    .post_load = backend_loaded,
};
DEVICE_TYPE(backend_base);

extern const VirtioType *const __start_virtio_types[] __attribute__((weak));
extern const VirtioType *const __stop_virtio_types[] __attribute__((weak));

static const ObjectType *backend_provide(unsigned i)
{
    const VirtioType *const *row = __start_virtio_types;

    for (; row < __stop_virtio_types && (i > 0 || (*row)->pci_only); row++) {
        i -= (*row)->pci_only ? 0 : 1;
    }
    if (row >= __stop_virtio_types) {
        return NULL;
    }
    /* Lives as long as the table of types, which asks once. */
    VirtioBackendType *t = g_new0(VirtioBackendType, 1);

    t->type = *row;
    t->dev = (DeviceType){
        .name = g_strconcat(t->type->name, "-device", NULL),
        .parent = "virtio-device",
        .bus = "virtio-bus",
        .category = t->type->category,
        .desc = t->type->desc,
        .size = t->type->size,
        .state_version = 1,
        .not_saved = t->type->not_saved,
        .props = t->type->props,
        .state = t->type->state,
    };
    return (const ObjectType *)&t->dev;
}
TYPE_PROVIDER(KIND_DEVICE, backend_provide);
