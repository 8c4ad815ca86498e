// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio over PCI (Virtual I/O Device 1.1, 4.1): the modern interface in BAR 4, the legacy
 * one in BAR 0, MSI-X in BAR 1. Each VirtioType becomes the types X-pci, X-pci-transitional
 * and X-pci-non-transitional.
 */
#include "hw/virtio/virtio.h"

#define DEVICE_OFFSET 0x2000
#define NOTIFY_OFFSET 0x3000
#define AREA_SIZE 0x1000
#define MODERN_SIZE 0x4000
#define NOTIFY_MULTIPLIER 4
/* With a page for the kick of each queue. */
#define NOTIFY_PAGE 4096
#define NOTIFY_PAGES_SIZE (4 * MIB)
#define MODERN_PAGES_SIZE (8 * MIB)
#define LEGACY_ALIGN 4096
#define LEGACY_BAR_MIN 64
/* 6.3: these are for the legacy interface alone */
#define LEGACY_FEATURES (VIRTIO_BIT(VIRTIO_F_NOTIFY_ON_EMPTY) | VIRTIO_BIT(VIRTIO_F_ANY_LAYOUT))

enum {
    CAP_COMMON = 1,
    CAP_NOTIFY = 2,
    CAP_ISR = 3,
    CAP_DEVICE = 4,
    CAP_PCI = 5
};

/* A type made from a VirtioType. */
typedef struct VirtioPciType {
    DeviceType dev;
    PciInfo info;
    const VirtioType *type;
    VirtioPciKind kind;
} VirtioPciType;

static const VirtioPciLayout usual_layout = {
    .bar = 4, .msix_bar = 1, .common = 0, .isr = 0x1000, .area = AREA_SIZE};

static const VirtioPciLayout *layout_of(const VirtioDevice *v)
{
    return v->type->layout ? v->type->layout : &usual_layout;
}

static const VirtioPciType *virtio_pci_type(VirtioDevice *v)
{
    return CONTAINER_OF(device_type(&v->pci.dev), const VirtioPciType, dev);
}

static void virtio_pci_interrupt(VirtioDevice *v, uint16_t vector, uint8_t isr_bit)
{
    if (pci_msix_enabled(&v->pci)) {
        if (vector != VIRTIO_NO_VECTOR) {
            pci_msix_notify(&v->pci, vector);
        }
        return;
    }
    v->isr |= isr_bit;
    pci_set_irq(&v->pci, 1);
}

static void virtio_pci_lower(VirtioDevice *v)
{
    pci_set_irq(&v->pci, 0);
}

static const VirtioTransport virtio_pci_transport = {
    .interrupt = virtio_pci_interrupt,
    .lower = virtio_pci_lower,
};

static uint8_t virtio_read_isr(VirtioDevice *v)
{
    uint8_t isr = v->isr;

    v->isr = 0;
    pci_set_irq(&v->pci, 0);
    return isr;
}

static uint16_t valid_vector(VirtioDevice *v, uint16_t vector)
{
    uint32_t n =
        v->pci.msix_cap ? (pci_config_get(&v->pci, v->pci.msix_cap + 2, 2) & 0x7ff) + 1u : 0;

    return vector < n ? vector : VIRTIO_NO_VECTOR;
}

/* The selected queue; a queue that does not exist reads as size 0. */
static VirtQueue *selected(VirtioDevice *v)
{
    return v->queue_select < v->num_queues ? &v->vq[v->queue_select] : NULL;
}

/* ---- legacy, 4.1.4.8 ---- */

enum {
    LEGACY_HOST_FEATURES = 0,
    LEGACY_GUEST_FEATURES = 4,
    LEGACY_PFN = 8,
    LEGACY_SIZE = 12,
    LEGACY_SELECT = 14,
    LEGACY_NOTIFY = 16,
    LEGACY_STATUS = 18,
    LEGACY_ISR = 19,
    LEGACY_CONFIG_VECTOR = 20,
    LEGACY_QUEUE_VECTOR = 22
};

static uint32_t legacy_config_offset(VirtioDevice *v)
{
    return pci_msix_enabled(&v->pci) ? 24 : 20;
}

static uint64_t legacy_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioDevice *v = opaque;
    VirtQueue *q = selected(v);
    uint32_t config = legacy_config_offset(v);

    if (offset >= config) {
        return virtio_config_load(v, offset - config, size);
    }
    switch (offset) {
    case LEGACY_HOST_FEATURES:
        return (uint32_t)virtio_offered_features(v);
    case LEGACY_GUEST_FEATURES:
        return (uint32_t)v->driver_features;
    case LEGACY_PFN:
        return q ? q->desc / LEGACY_ALIGN : 0;
    case LEGACY_SIZE:
        return q ? q->size_max : 0;
    case LEGACY_SELECT:
        return v->queue_select;
    case LEGACY_STATUS:
        return v->status;
    case LEGACY_ISR:
        return virtio_read_isr(v);
    case LEGACY_CONFIG_VECTOR:
        return v->config_vector;
    case LEGACY_QUEUE_VECTOR:
        return q ? q->vector : VIRTIO_NO_VECTOR;
    default:
        return 0;
    }
}

static void legacy_set_pfn(VirtioDevice *v, uint32_t pfn)
{
    VirtQueue *q = selected(v);

    if (pfn == 0) {
        virtio_reset(v);
    } else if (q) {
        q->size = q->size_max;
        q->desc = (uint64_t)pfn * LEGACY_ALIGN;
        q->avail = q->desc + 16ull * q->size;
        q->used = (q->avail + 6 + 2ull * q->size + LEGACY_ALIGN - 1) & ~(LEGACY_ALIGN - 1ull);
        q->enabled = true;
    }
}

static void legacy_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioDevice *v = opaque;
    VirtQueue *q = selected(v);
    uint32_t config = legacy_config_offset(v);

    if (offset >= config) {
        virtio_config_store(v, offset - config, value, size);
        return;
    }
    switch (offset) {
    case LEGACY_GUEST_FEATURES:
        virtio_set_features(v, (uint32_t)value);
        break;
    case LEGACY_PFN:
        legacy_set_pfn(v, value);
        break;
    case LEGACY_SELECT:
        v->queue_select = value;
        break;
    case LEGACY_NOTIFY:
        virtio_kick(v, value & 0xffff);
        break;
    case LEGACY_STATUS:
        virtio_set_status(v, value);
        break;
    case LEGACY_CONFIG_VECTOR:
        v->config_vector = valid_vector(v, value);
        break;
    case LEGACY_QUEUE_VECTOR:
        if (q) {
            q->vector = valid_vector(v, value);
        }
        break;
    }
}

static const RegionOps legacy_ops = {
    .read = legacy_read,
    .write = legacy_write,
    .min_size = 1,
    .max_size = 4,
    .unaligned = true,
};

/* ---- modern, 4.1.4.3 ---- */

enum {
    C_FEATURE_SELECT = 0x00,
    C_FEATURE = 0x04,
    C_DRIVER_SELECT = 0x08,
    C_DRIVER_FEATURE = 0x0c,
    C_CONFIG_VECTOR = 0x10,
    C_NUM_QUEUES = 0x12,
    C_STATUS = 0x14,
    C_GENERATION = 0x15,
    C_QUEUE_SELECT = 0x16,
    C_QUEUE_SIZE = 0x18,
    C_QUEUE_VECTOR = 0x1a,
    C_QUEUE_ENABLE = 0x1c,
    C_QUEUE_NOTIFY_OFF = 0x1e,
    C_QUEUE_DESC = 0x20,
    C_QUEUE_DRIVER = 0x28,
    C_QUEUE_DEVICE = 0x30,
    C_QUEUE_NOTIFY_DATA = 0x38,
    C_QUEUE_RESET = 0x3a
};

static uint64_t common_queue_read(VirtioDevice *v, const VirtQueue *q, hwaddr offset)
{
    switch (offset) {
    case C_QUEUE_SIZE:
        return q->size;
    case C_QUEUE_VECTOR:
        return q->vector;
    case C_QUEUE_ENABLE:
        return q->enabled;
    case C_QUEUE_NOTIFY_OFF:
        return v->queue_select;
    case C_QUEUE_DESC:
    case C_QUEUE_DESC + 4:
        return (uint32_t)(q->desc >> 8 * (offset - C_QUEUE_DESC));
    case C_QUEUE_DRIVER:
    case C_QUEUE_DRIVER + 4:
        return (uint32_t)(q->avail >> 8 * (offset - C_QUEUE_DRIVER));
    case C_QUEUE_DEVICE:
    case C_QUEUE_DEVICE + 4:
        return (uint32_t)(q->used >> 8 * (offset - C_QUEUE_DEVICE));
    default:
        return 0;
    }
}

static uint64_t common_read(void *opaque, hwaddr offset, unsigned size)
{
    VirtioDevice *v = opaque;
    VirtQueue *q = selected(v);

    switch (offset) {
    case C_FEATURE_SELECT:
        return v->feature_select;
    case C_FEATURE:
        return v->feature_select < 2
                   ? (uint32_t)((virtio_offered_features(v) & ~LEGACY_FEATURES) >>
                                32 * v->feature_select)
                   : 0;
    case C_DRIVER_SELECT:
        return v->driver_feature_select;
    case C_DRIVER_FEATURE:
        return v->driver_feature_select < 2
                   ? (uint32_t)(v->driver_features >> 32 * v->driver_feature_select)
                   : 0;
    case C_CONFIG_VECTOR:
        return v->config_vector;
    case C_NUM_QUEUES:
        return v->num_queues;
    case C_STATUS:
        return v->status;
    case C_GENERATION:
        return v->generation & 0xff;
    case C_QUEUE_SELECT:
        return v->queue_select;
    default:
        return q ? common_queue_read(v, q, offset) : 0;
    }
}

static void set_half(uint64_t *field, unsigned half, uint32_t value)
{
    *field = (*field & ~(0xffffffffull << 32 * half)) | (uint64_t)value << 32 * half;
}

static void common_queue_write(VirtioDevice *v, VirtQueue *q, hwaddr offset, uint64_t value)
{
    switch (offset) {
    case C_QUEUE_SIZE:
        if (value == 0 || value > q->size_max ||
            (!virtio_has(v, VIRTIO_F_RING_PACKED) && (value & (value - 1)))) {
            virtio_error(v, "queue size %u is not possible", (unsigned)value);
        } else {
            q->size = value;
        }
        break;
    case C_QUEUE_VECTOR:
        q->vector = valid_vector(v, value);
        break;
    case C_QUEUE_ENABLE:
        q->enabled = value == 1 || q->enabled;
        break;
    case C_QUEUE_RESET:
        if (value == 1 && virtio_has(v, VIRTIO_F_RING_RESET)) {
            virtio_queue_reset(v, v->queue_select);
        }
        break;
    case C_QUEUE_DESC:
    case C_QUEUE_DESC + 4:
        set_half(&q->desc, (offset - C_QUEUE_DESC) / 4, value);
        break;
    case C_QUEUE_DRIVER:
    case C_QUEUE_DRIVER + 4:
        set_half(&q->avail, (offset - C_QUEUE_DRIVER) / 4, value);
        break;
    case C_QUEUE_DEVICE:
    case C_QUEUE_DEVICE + 4:
        set_half(&q->used, (offset - C_QUEUE_DEVICE) / 4, value);
        break;
    }
}

static void common_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    VirtioDevice *v = opaque;
    VirtQueue *q = selected(v);

    switch (offset) {
    case C_FEATURE_SELECT:
        v->feature_select = value;
        break;
    case C_DRIVER_SELECT:
        v->driver_feature_select = value;
        break;
    case C_DRIVER_FEATURE:
        if (v->driver_feature_select < 2 && !(v->status & VIRTIO_STATUS_FEATURES_OK)) {
            set_half(&v->driver_features, v->driver_feature_select, value);
        }
        break;
    case C_CONFIG_VECTOR:
        v->config_vector = valid_vector(v, value);
        break;
    case C_STATUS:
        virtio_driver_status(v, value);
        break;
    case C_QUEUE_SELECT:
        v->queue_select = value;
        break;
    default:
        if (q) {
            common_queue_write(v, q, offset, value);
        }
        break;
    }
}

static uint64_t isr_read(void *opaque, hwaddr offset, unsigned size)
{
    return virtio_read_isr(opaque);
}

static void isr_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    /* Read-only. */
}

static uint64_t device_read(void *opaque, hwaddr offset, unsigned size)
{
    return virtio_config_load(opaque, offset, size);
}

static void device_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    virtio_config_store(opaque, offset, value, size);
}

static uint32_t notify_multiplier(const VirtioDevice *v)
{
    return v->page_per_vq ? NOTIFY_PAGE : NOTIFY_MULTIPLIER;
}

static uint32_t notify_size(const VirtioDevice *v)
{
    return v->page_per_vq ? NOTIFY_PAGES_SIZE : AREA_SIZE;
}

static uint64_t notify_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void notify_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    virtio_kick(opaque, offset / notify_multiplier(opaque));
}

static const RegionOps common_ops = {
    .read = common_read,
    .write = common_write,
    .min_size = 1,
    .max_size = 4,
};
static const RegionOps isr_ops = {
    .read = isr_read, .write = isr_write, .min_size = 1, .max_size = 4};
static const RegionOps device_ops = {
    .read = device_read,
    .write = device_write,
    .min_size = 1,
    .max_size = 8,
    .unaligned = true,
};
static const RegionOps notify_ops = {
    .read = notify_read,
    .write = notify_write,
    .min_size = 1,
    .max_size = 4,
    .unaligned = true,
};

/* ---- configuration access through PCI configuration space, 4.1.4.7 ---- */

static bool cfg_window(VirtioDevice *v, uint32_t offset, uint32_t *at, uint32_t *len)
{
    const PciDevice *d = &v->pci;
    uint8_t c = v->cfg_cap;

    if (!c || offset < c + 16u || offset >= c + 20u || d->config[c + 4] != layout_of(v)->bar) {
        return false;
    }
    *at = pci_config_get(d, c + 8, 4);
    *len = pci_config_get(d, c + 12, 4);
    return (*len == 1 || *len == 2 || *len == 4) && *at % *len == 0 && *at < MODERN_SIZE;
}

/* The area of the BAR at an offset; NULL: none. */
static Region *cfg_area(VirtioDevice *v, uint32_t at, hwaddr *inside)
{
    Region *const areas[] = {&v->common_region, &v->isr_region, &v->device_region_,
                             &v->notify_region};

    for (unsigned i = 0; i < ARRAY_COUNT(areas); i++) {
        if (at >= areas[i]->addr && at - areas[i]->addr < areas[i]->size) {
            *inside = at - areas[i]->addr;
            return areas[i];
        }
    }
    return NULL;
}

static void virtio_pci_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    VirtioDevice *v = (VirtioDevice *)d;
    uint32_t at, len;

    if (cfg_window(v, offset, &at, &len)) {
        hwaddr inside;
        Region *r = cfg_area(v, at, &inside);

        if (r) {
            region_write(r, inside, pci_config_get(d, v->cfg_cap + 16, 4), len, DEV_LITTLE,
                         ATTRS_NONE);
        }
    }
}

static void virtio_pci_config_read(PciDevice *d, uint32_t offset, unsigned size)
{
    VirtioDevice *v = (VirtioDevice *)d;
    uint32_t at, len;

    if (cfg_window(v, offset, &at, &len)) {
        hwaddr inside;
        Region *r = cfg_area(v, at, &inside);
        uint64_t value = 0;

        if (r) {
            region_read(r, inside, &value, len, DEV_LITTLE, ATTRS_NONE);
        }
        pci_config_set(d, v->cfg_cap + 16, 4, value);
    }
}

/* ---- realize ---- */

static bool add_cap(VirtioDevice *v, uint8_t kind, uint8_t size, uint32_t offset, uint32_t len,
                    GError **error)
{
    PciDevice *d = &v->pci;
    uint8_t c = pci_add_cap(d, PCI_CAP_ID_VNDR, 0, size, error);

    if (!c) {
        return false;
    }
    d->config[c + 2] = size;
    d->config[c + 3] = kind;
    d->config[c + 4] = kind == CAP_PCI ? 0 : layout_of(v)->bar;
    pci_config_set(d, c + 8, 4, offset);
    pci_config_set(d, c + 12, 4, len);
    if (kind == CAP_NOTIFY) {
        pci_config_set(d, c + 16, 4, notify_multiplier(v));
    }
    if (kind == CAP_PCI) {
        v->cfg_cap = c;
        pci_config_wmask(d, c + 4, 1, 0xff);
        pci_config_wmask(d, c + 8, 4, 0xffffffff);
        pci_config_wmask(d, c + 12, 4, 0xffffffff);
        pci_config_wmask(d, c + 16, 4, 0xffffffff);
    }
    return true;
}

static bool modern_init(VirtioDevice *v, GError **error)
{
    Object *o = &v->pci.dev.obj;
    const VirtioPciLayout *l = layout_of(v);

    region_init_container(&v->modern, o, "virtio-pci",
                          v->page_per_vq ? MODERN_PAGES_SIZE : MODERN_SIZE);
    region_init_io(&v->common_region, o, "virtio-pci-common", l->area, &common_ops, v);
    region_init_io(&v->isr_region, o, "virtio-pci-isr", l->area, &isr_ops, v);
    region_init_io(&v->device_region_, o, "virtio-pci-device", AREA_SIZE, &device_ops, v);
    region_init_io(&v->notify_region, o, "virtio-pci-notify", notify_size(v), &notify_ops, v);
    region_add(&v->modern, l->common, &v->common_region, 0);
    region_add(&v->modern, l->isr, &v->isr_region, 0);
    region_add(&v->modern, DEVICE_OFFSET, &v->device_region_, 0);
    region_add(&v->modern, NOTIFY_OFFSET, &v->notify_region, 0);
    pci_set_bar(&v->pci, l->bar, PCI_BAR_MEM64, true, &v->modern);
    return add_cap(v, CAP_COMMON, 16, l->common, l->area, error) &&
           add_cap(v, CAP_ISR, 16, l->isr, l->area, error) &&
           add_cap(v, CAP_DEVICE, 16, DEVICE_OFFSET, AREA_SIZE, error) &&
           add_cap(v, CAP_NOTIFY, 20, NOTIFY_OFFSET, notify_size(v), error) &&
           add_cap(v, CAP_PCI, 20, 0, 0, error);
}

static void legacy_init(VirtioDevice *v)
{
    uint64_t size = LEGACY_BAR_MIN;

    while (size < 24 + v->type->config_size) {
        size *= 2;
    }
    region_init_io(&v->legacy, &v->pci.dev.obj, "virtio-pci", size, &legacy_ops, v);
    pci_set_bar(&v->pci, 0, PCI_BAR_IO, false, &v->legacy);
}

static void regions_fini(VirtioDevice *v)
{
    pci_bars_unmap(&v->pci);
    region_fini(&v->modern);
    region_fini(&v->common_region);
    region_fini(&v->isr_region);
    region_fini(&v->device_region_);
    region_fini(&v->notify_region);
    region_fini(&v->legacy);
}

static bool in_express_slot(const VirtioDevice *v)
{
    return v->pci.bus->express && v->pci.bus->parent;
}

/* PCI Express and power management, which come first of the capabilities. */
static bool express_init(VirtioDevice *v, GError **error)
{
    PciDevice *d = &v->pci;

    if (!in_express_slot(v) || v->disable_pcie) {
        return true;
    }
    if (!pcie_init(d, 0, PCIE_ENDPOINT, error) || !pci_pm_init(d, 0, 3, error)) {
        return false;
    }
    if (v->dev_ctl) {
        pcie_controls(d);
    }
    if (v->link_ctl) {
        pcie_link_controls(d);
    }
    if (v->pm) {
        pci_config_wmask(d, d->pm_cap + 4, 2, 3);
    }
    if (v->flr) {
        pcie_flr(d);
    }
    if (v->aer) {
        pcie_aer_init(d, false);
    }
    if (v->ats) {
        pcie_ats_init(d, v->ats_aligned);
    }
    return true;
}

/* Which interfaces the guest sees. */
static bool choose_interfaces(VirtioDevice *v, bool *legacy, GError **error)
{
    const VirtioPciType *t = virtio_pci_type(v);
    bool in_port = in_express_slot(v);

    *legacy = t->type->legacy_pci_id && t->kind != VIRTIO_PCI_MODERN &&
              (t->kind == VIRTIO_PCI_TRANSITIONAL || v->disable_legacy == ON_OFF_AUTO_OFF ||
               (v->disable_legacy == ON_OFF_AUTO_AUTO && !in_port));
    if (!*legacy && v->disable_modern) {
        return fail(
            error, "device '%s' cannot work: both its legacy and its modern interface are disabled",
            t->dev.name);
    }
    return true;
}

/*
 * Management software looks for the virtio side of a function at DEVICE/virtio-backend, though here
 * it is the same instance: a child without properties stands there.
 */
static const ObjectType virtio_backend_type = {
    .name = "virtio-backend", .desc = "The virtio side of a PCI function", .size = sizeof(Object),
};
OBJECT_TYPE(virtio_backend_type);

static bool add_backend(Device *d, GError **error)
{
    return object_child(&d->obj, "virtio-backend") ||
           object_add_child(&d->obj, "virtio-backend",
                            object_new(&virtio_backend_type, KIND_OBJECT), error);
}

static bool virtio_pci_realize(Device *d, GError **error)
{
    VirtioDevice *v = (VirtioDevice *)d;
    const VirtioPciType *t = virtio_pci_type(v);
    bool legacy;

    v->type = t->type;
    v->transport = &virtio_pci_transport;
    if (!choose_interfaces(v, &legacy, error)) {
        return false;
    }
    /*
     * 6.1: without ACCESS_PLATFORM the driver uses guest physical addresses, whatever IOMMU there
     * is
     */
    v->pci.direct_dma = !v->iommu_platform;
    if (!legacy) {
        pci_config_set(&v->pci, PCI_DEVICE_ID, 2, 0x1040 + t->type->id);
        pci_config_set(&v->pci, PCI_SUBSYSTEM_ID, 2, 0x1100);
        v->pci.config[PCI_REVISION_ID] = 1;
    }
    if (!add_backend(d, error) || !virtio_core_realize(v, error)) {
        return false;
    }
    if (t->type->class_override && t->type->class_override(v)) {
        pci_config_set(&v->pci, PCI_CLASS_PROG, 1, t->type->class_override(v) & 0xff);
        pci_config_set(&v->pci, PCI_CLASS_DEVICE, 2, t->type->class_override(v) >> 8);
    }
    uint32_t vectors = v->num_vectors != UINT32_MAX ? v->num_vectors
                       : t->type->vectors           ? t->type->vectors
                                                    : v->num_queues + 1;
    bool ok = express_init(v, error) && (v->disable_modern || modern_init(v, error)) &&
              (vectors == 0 ||
               pci_msix_init(&v->pci, MIN(vectors, 2048), layout_of(v)->msix_bar, error));

    if (ok && legacy) {
        legacy_init(v);
    }
    if (!ok || (v->type->pci_ready && !v->type->pci_ready(v, error))) {
        virtio_core_unrealize(v);
        regions_fini(v);
        return false;
    }
    return true;
}

static void virtio_pci_unrealize(Device *d)
{
    virtio_core_unrealize((VirtioDevice *)d);
    regions_fini((VirtioDevice *)d);
}

static void virtio_pci_reset(Device *d)
{
    VirtioDevice *v = (VirtioDevice *)d;

    virtio_reset(v);
    if (v->type->system_reset) {
        v->type->system_reset(v);
    }
}

static bool virtio_pci_check_load(Device *d, GError **error)
{
    return virtio_core_check_load((VirtioDevice *)d, error);
}

static void virtio_pci_saving(Device *d)
{
    virtio_core_saving((VirtioDevice *)d);
}

static void virtio_pci_loaded(Device *d)
{
    virtio_core_loaded((VirtioDevice *)d);
}

static const Prop virtio_pci_props[] = {
    PROP_U32(VirtioDevice, num_vectors, "vectors", UINT32_MAX, .help = "MSI-X vectors, 0: none"),
    PROP_ON_OFF_AUTO(VirtioDevice, disable_legacy, "disable-legacy", ON_OFF_AUTO_AUTO),
    PROP_BOOL(VirtioDevice, disable_modern, "disable-modern", false),
    PROP_BOOL(VirtioDevice, page_per_vq, "page-per-vq", false,
              .help = "the kick of each queue in a page of its own"),
    PROP_BOOL(VirtioDevice, ioeventfd, "ioeventfd", true),
    PROP_BOOL(VirtioDevice, indirect_desc, "indirect_desc", true),
    PROP_BOOL(VirtioDevice, event_idx, "event_idx", true),
    PROP_BOOL(VirtioDevice, iommu_platform, "iommu_platform", false),
    PROP_BOOL(VirtioDevice, packed, "packed", false),
    PROP_BOOL(VirtioDevice, queue_reset, "queue_reset", true),
    PROP_BOOL(VirtioDevice, any_layout, "any_layout", true),
    PROP_BOOL(VirtioDevice, notify_on_empty, "notify_on_empty", true),
    PROP_BOOL(VirtioDevice, ats, "ats", false, .help = "address translation services"),
    PROP_BOOL(VirtioDevice, ats_aligned, "x-ats-page-aligned", true),
    PROP_BOOL(VirtioDevice, aer, "aer", false, .help = "advanced error reporting"),
    PROP_BOOL(VirtioDevice, disable_pcie, "x-disable-pcie", false),
    PROP_BOOL(VirtioDevice, flr, "x-pcie-flr-init", true),
    PROP_BOOL(VirtioDevice, pm, "x-pcie-pm-init", true),
    PROP_BOOL(VirtioDevice, link_ctl, "x-pcie-lnkctl-init", true),
    PROP_BOOL(VirtioDevice, dev_ctl, "x-pcie-deverr-init", true),
    PROP_END,
};

static const DeviceType virtio_pci_base = {
    .name = "virtio-pci",
    .parent = "pci-device",
    .bus = "PCI",
    .desc = "Virtio over PCI",
    .abstract = true,
    .size = sizeof(VirtioDevice),
    .state_version = 1,
    .props = virtio_pci_props,
    .state = virtio_state,
    .realize = virtio_pci_realize,
    .unrealize = virtio_pci_unrealize,
    .reset = virtio_pci_reset,
    .saving = virtio_pci_saving,
    .check_load = virtio_pci_check_load,
    .post_load = virtio_pci_loaded,
};
DEVICE_TYPE(virtio_pci_base);

/* ---- types from VirtioType rows ---- */

extern const VirtioType *const __start_virtio_types[] __attribute__((weak));
extern const VirtioType *const __stop_virtio_types[] __attribute__((weak));

#define KINDS 3

static unsigned kinds_of(const VirtioType *v)
{
    return v->pci_only ? 1 : KINDS;
}

static const ObjectType *virtio_provide(unsigned i)
{
    static const char *const suffixes[KINDS] = {"-pci", "-pci-transitional",
                                                "-pci-non-transitional"};
    const VirtioType *const *row = __start_virtio_types;

    while (row < __stop_virtio_types && i >= kinds_of(*row)) {
        i -= kinds_of(*row++);
    }
    if (row >= __stop_virtio_types) {
        return NULL;
    }
    /* Lives as long as the table of types, which asks once. */
    VirtioPciType *t = g_new0(VirtioPciType, 1);
    const VirtioType *v = *row;

    t->type = v;
    t->kind = i;
    t->info = (PciInfo){
        .vendor = 0x1af4,
        .device = v->legacy_pci_id ? v->legacy_pci_id : 0x1040 + v->id,
        .subsys_vendor = 0x1af4,
        .subsys = v->id,
        .class_code = v->pci_class,
        .revision = v->legacy_pci_id ? 0 : 1,
        .pin = 1,
        .romfile = v->romfile,
        .config_write = virtio_pci_config_write,
        .config_read = virtio_pci_config_read,
    };
    t->dev = (DeviceType){
        .name = g_strconcat(v->name, v->pci_only ? "" : suffixes[i], NULL),
        .alias = v->pci_only || i > 0 ? NULL : v->name,
        .parent = "virtio-pci",
        .bus = "PCI",
        .category = v->category,
        .desc = v->desc,
        .hotpluggable = !v->fixed,
        .unplug_request = v->unplug_request,
        .bus_info = &t->info,
        .size = v->size,
        .state_version = 1,
        .not_saved = v->not_saved,
        .props = v->props,
        .state = v->state,
    };
    return (const ObjectType *)&t->dev;
}
TYPE_PROVIDER(KIND_DEVICE, virtio_provide);
