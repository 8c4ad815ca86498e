// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio devices (OASIS Virtual I/O Device 1.1), legacy interface included. A device is one
 * VirtioType; it yields "X-pci", "X-pci-transitional", "X-pci-non-transitional" and "X-device" (on
 * "virtio-mmio" and other transports that are devices of their own). The same
 * struct serves every transport. Machine lock held throughout.
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include "exec/dma.h"
#include "hw/pci/pci.h"
#include "util/event-loop.h"

#define VIRTIO_MAX_QUEUES 64
#define VIRTIO_QUEUE_MAX 1024u
#define VIRTIO_NO_VECTOR 0xffff

typedef struct VirtioDevice VirtioDevice;
typedef struct VirtioType VirtioType;

enum {
    VIRTIO_STATUS_ACKNOWLEDGE = 1,
    VIRTIO_STATUS_DRIVER = 2,
    VIRTIO_STATUS_DRIVER_OK = 4,
    VIRTIO_STATUS_FEATURES_OK = 8,
    VIRTIO_STATUS_NEEDS_RESET = 64,
    VIRTIO_STATUS_FAILED = 128
};
enum {
    VIRTIO_F_NOTIFY_ON_EMPTY = 24,
    VIRTIO_F_ANY_LAYOUT = 27,
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32,
    VIRTIO_F_ACCESS_PLATFORM = 33,
    VIRTIO_F_RING_PACKED = 34,
    VIRTIO_F_RING_RESET = 40
};
#define VIRTIO_BIT(n) (1ull << (n))

/* A virtqueue, split (2.6) or packed (2.7). */
typedef struct VirtQueue {
    uint16_t size, size_max; /* entries: as the driver set it / as offered */
    bool enabled;
    uint64_t desc, avail, used; /* guest addresses */
    uint16_t last_avail, used_idx; /* packed: positions in the ring */
    bool avail_wrap, used_wrap; /* packed: wrap counters */
    uint16_t signalled_used;
    bool signalled_valid;
    uint16_t vector; /* MSI-X */
    unsigned in_flight;
    /* packed: used since the last interrupt; the batch that is being filled */
    uint32_t since_signal;
    uint16_t fill_at, first_id;
    bool fill_wrap;
    uint32_t first_len;
} VirtQueue;

/* A request that the driver made available. g_free. */
typedef struct VirtqElem {
    VirtQueue *vq;
    uint16_t head; /* packed: buffer id */
    uint16_t ndescs; /* packed: descriptors of the ring */
    unsigned num_out, num_in; /* device-readable / device-writable pieces */
    uint64_t out_len, in_len; /* bytes */
    DmaSg *out, *in; /* arrays behind the struct */
} VirtqElem;

/* Where a function has its parts, when not in the usual places. */
typedef struct VirtioPciLayout {
    uint8_t bar, msix_bar;
    uint32_t common, isr, area; /* offsets of the first two areas, and their size */
} VirtioPciLayout;

struct VirtioType {
    const char *name; /* "virtio-blk" */
    const char *desc, *category;
    uint16_t id; /* virtio device id */
    uint16_t legacy_pci_id; /* 0: modern only */
    uint32_t pci_class;
    size_t size; /* of the device's struct, VirtioDevice first */
    const char *not_saved; /* why its state cannot be saved; NULL: it can */
    uint32_t config_size; /* bytes of device configuration space */
    bool pci_only; /* one type, of this very name */
    const VirtioPciLayout *layout; /* NULL: the usual one */
    /* The function's BARs are there: more of them, or more in them; may be NULL. */
    bool (*pci_ready)(VirtioDevice *v, GError **error);
    bool fixed; /* not plugged or unplugged at run time */
    unsigned vectors; /* default MSI-X vectors; 0: queues + 1 */
    const char *romfile;
    const Prop *props;
    const StateField *state;
    bool (*realize)(VirtioDevice *v, GError **error); /* adds queues */
    void (*unrealize)(VirtioDevice *v);
    void (*reset)(VirtioDevice *v);
    void (*system_reset)(VirtioDevice *v); /* after reset, when it is not the driver's; may be NULL */
    /* Features beside the transport's; offered to the driver. */
    uint64_t (*features)(VirtioDevice *v);
    /* The driver chose v->driver_features; may be NULL. */
    void (*features_set)(VirtioDevice *v);
    /* DeviceType.check_load of the device itself; may be NULL. */
    bool (*check_load)(VirtioDevice *v, GError **error);
    /* DeviceType.saving, .post_load of the device itself; may be NULL. */
    void (*saving)(VirtioDevice *v);
    void (*loaded)(VirtioDevice *v);
    /* Brings v->config up to date / acts on a write of [off, off + len); may be NULL. */
    void (*config_read)(VirtioDevice *v);
    void (*config_write)(VirtioDevice *v, uint32_t off, uint32_t len);
    void (*status_changed)(VirtioDevice *v, uint8_t old);
    /* The driver kicked queue n; called from the main loop, or from v->loop. */
    void (*notify)(VirtioDevice *v, unsigned n);
    /* The driver reset queue n alone: what is under way for it is dropped; NULL: the device cannot. */
    void (*queue_reset)(VirtioDevice *v, unsigned n);
    bool (*unplug_request)(Device *d, GError **error); /* DeviceType's */
    uint32_t (*class_override)(VirtioDevice *v); /* PCI class that a property says; 0: pci_class */
};
#define VIRTIO_TYPE(t) SECTION_ENTRY(virtio_types, const VirtioType *, t##_row, &t)

typedef enum VirtioPciKind {
    VIRTIO_PCI_PLAIN,
    VIRTIO_PCI_TRANSITIONAL,
    VIRTIO_PCI_MODERN
} VirtioPciKind;

/* How a device reaches its driver. */
typedef struct VirtioTransport {
    /* Raises the interrupt of a vector (isr_bit 1: a queue, 2: configuration). */
    void (*interrupt)(VirtioDevice *v, uint16_t vector, uint8_t isr_bit);
    void (*lower)(VirtioDevice *v); /* drops a level, at reset */
} VirtioTransport;

/* Embedded first in every device. */
struct VirtioDevice {
    PciDevice pci; /* of the PCI transport; others use its `dev` alone */
    const VirtioType *type;
    const VirtioTransport *transport;
    Device *transport_device; /* mmio: the device with the registers */
    VirtQueue vq[VIRTIO_MAX_QUEUES];
    unsigned num_queues;
    uint8_t status, isr;
    uint64_t driver_features;
    uint32_t generation; /* of the configuration */
    uint16_t config_vector;
    uint8_t config[256];
    bool broken;
    uint64_t kicked; /* queues with a notification to be handled */
    Bh *kick_bh;
    EventLoop *loop; /* where kicks are handled; realize() may choose another than the main one */
    /* virtio-pci */
    uint32_t num_vectors; /* property "vectors"; UINT32_MAX: the type's */
    int disable_legacy; /* OnOffAuto */
    bool disable_modern, page_per_vq, ioeventfd, indirect_desc, event_idx, iommu_platform, packed,
        queue_reset, any_layout, notify_on_empty;
    bool disable_pcie, ats, ats_aligned, aer, flr, pm, link_ctl, dev_ctl; /* in PCI Express slots */
    uint16_t queue_select;
    uint32_t feature_select, driver_feature_select;
    uint32_t driver_features_low;
    Region legacy, modern, common_region, isr_region, device_region_, notify_region;
    uint8_t cfg_cap; /* offset of the PCI configuration access capability */
};

static inline bool virtio_has(const VirtioDevice *v, unsigned feature)
{
    return v->driver_features >> feature & 1;
}

/* At realize: the next queue. */
VirtQueue *virtio_add_queue(VirtioDevice *v, uint16_t size);
/*
 * How many request queues a device should have when nobody said: one for each CPU on PCI, where
 * there is an interrupt for each, otherwise one. others: queues that it has besides.
 */
unsigned virtio_auto_queues(VirtioDevice *v, unsigned others);
/* The configuration changed by the device's own doing: interrupts the driver. */
void virtio_config_changed(VirtioDevice *v);
/* The driver broke the rules: logged, needs-reset, no more requests until reset. */
void virtio_error(VirtioDevice *v, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The next request; NULL: none (or the device is broken). */
VirtqElem *virtq_pop(VirtioDevice *v, VirtQueue *vq);
/* Puts back the most recently popped one, unused. */
void virtq_unpop(VirtioDevice *v, VirtqElem *e);
/* Done with len bytes written into it. Does not free e. Then virtq_notify once for a batch. */
void virtq_push(VirtioDevice *v, VirtqElem *e, uint32_t len);
/* Several elements that make one packet: fill each with its index, then flush the count. */
void virtq_fill(VirtioDevice *v, VirtqElem *e, uint32_t len, unsigned index);
void virtq_flush(VirtioDevice *v, VirtQueue *vq, unsigned count);
/* Interrupts the driver if it wants to know. */
void virtq_notify(VirtioDevice *v, VirtQueue *vq);
/* Asks (or not) to be kicked for new requests; returns true if some are there already. */
bool virtq_enable_kick(VirtioDevice *v, VirtQueue *vq, bool on);
bool virtq_empty(VirtioDevice *v, VirtQueue *vq);
/* Copies out of / into a request's pieces at an offset; the bytes really copied. */
size_t virtq_read(VirtioDevice *v, const VirtqElem *e, uint64_t off, void *buf, size_t len);
size_t virtq_write(VirtioDevice *v, const VirtqElem *e, uint64_t off, const void *buf, size_t len);

/* ---- between core and transport ---- */
/* The queue as it is after a reset of the device, or of itself alone. */
void virtq_init(VirtQueue *vq, uint16_t size);
void virtio_queue_reset(VirtioDevice *v, unsigned n);
void virtio_reset(VirtioDevice *v);
void virtio_set_status(VirtioDevice *v, uint8_t status);
uint64_t virtio_offered_features(VirtioDevice *v);
void virtio_set_features(VirtioDevice *v, uint64_t features);
void virtio_kick(VirtioDevice *v, unsigned n);
uint64_t virtio_config_load(VirtioDevice *v, uint32_t off, unsigned size);
void virtio_config_store(VirtioDevice *v, uint32_t off, uint64_t value, unsigned size);
bool virtio_core_realize(VirtioDevice *v, GError **error);
void virtio_core_unrealize(VirtioDevice *v);
/* After a state was loaded: kicks that had not been handled are. */
void virtio_core_loaded(VirtioDevice *v);
void virtio_core_saving(VirtioDevice *v);
bool virtio_core_check_load(VirtioDevice *v, GError **error);
/* The driver writes the status register: FEATURES_OK sticks only for a set that was offered. */
void virtio_driver_status(VirtioDevice *v, uint8_t value);
extern const StateField virtio_state[];

#endif
