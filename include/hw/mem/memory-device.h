// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory devices: modules (pc-dimm, nvdimm) and virtio-pmem and virtio-mem, which get a range of
 * guest addresses that a board has set aside for them. Machine lock held throughout.
 */
#ifndef HW_MEM_MEMORY_DEVICE_H
#define HW_MEM_MEMORY_DEVICE_H

#include "exec/memory-backend.h"
#include "qapi/qapi-types.h"
#include "qom/vm.h"

typedef struct MemoryDevice MemoryDevice;

/* Embedded in a device. */
struct MemoryDevice {
    Device *dev;
    Region *region; /* what is mapped */
    uint64_t addr, size; /* bytes of guest addresses */
    uint64_t align;             /* of addr; 0: the usual */
    bool module; /* it counts as plugged memory with all of `size` */
    uint32_t node;
    /* For query-memory-devices: a new object. */
    MemoryDeviceInfo *(*describe)(const MemoryDevice *m);
    uint64_t (*plugged)(const MemoryDevice *m); /* bytes that the guest has now */
};

/* The range; vm_published(vm, "device-memory"). */
typedef struct DeviceMemory {
    Region region;
    uint64_t base, size; /* bytes; with room for alignment */
    uint64_t limit; /* bytes that all devices together may have */
    GPtrArray *devices; /* MemoryDevice *, by address */
} DeviceMemory;

static inline DeviceMemory *device_memory(Vm *vm)
{
    return (DeviceMemory *)vm_published(vm, "device-memory");
}
/* Boards: maps the range; size: see device_memory_size. NULL with *error set. */
DeviceMemory *device_memory_create(Vm *vm, uint64_t base, uint64_t size, GError **error);
/* What -m slots= and maxmem= ask for, with a GiB of room for each slot; 0: nothing. */
uint64_t device_memory_size(const Vm *vm);
/* Guest addresses end here: after the range, to whole GiB; `otherwise` if there is none. */
uint64_t device_memory_end(Vm *vm, uint64_t otherwise);

/* Gives it the address (0: any that is free) and maps its region. */
bool memory_device_plug(MemoryDevice *m, uint64_t addr, GError **error);
void memory_device_unplug(MemoryDevice *m);
/* A back end that a device is to use: it must be there, and free. Released when the device goes. */
bool memory_device_take(Object *backend, GError **error);
void memory_device_release(Object *backend);

/* ---- modules ---- */

typedef struct PcDimm {
    Device dev;
    MemoryDevice mem;
    Object *backend; /* property memdev */
    uint64_t addr;
    uint32_t node;
    int32_t slot; /* -1 until it has one */
    /* nvdimm */
    bool nonvolatile; /* it is one */
    Region data; /* without the labels */
    uint64_t label_size; /* bytes at the end of the back end, 0: no labels */
    bool unarmed;
    uint8_t uuid[16];
    bool uuid_set;
} PcDimm;

/* Bytes of labels; in range of label_size, or false. */
bool nvdimm_label_read(PcDimm *d, uint64_t offset, void *buf, uint64_t len);
bool nvdimm_label_write(PcDimm *d, uint64_t offset, const void *buf, uint64_t len);
/* Calls fn for each module in order of addresses. */
void pc_dimm_foreach(Vm *vm, void (*fn)(PcDimm *d, void *opaque), void *opaque);

/* ---- what tells the guest of modules that come and go ---- */

/*
 * vm_published(vm, "memory-hotplug"): set by the board's controller. Slots are numbers below
 * vm->ram_slots.
 */
typedef struct ModuleSlots {
    /* A module is in its slot: the guest is told of it if it came later. */
    void (*plugged)(Device *controller, PcDimm *d);
    void (*unplugged)(Device *controller, PcDimm *d);
    /* Asks the guest to let go of it. */
    bool (*request)(Device *controller, PcDimm *d, GError **error);
    Device *controller;
    const char *missing; /* set instead of the rest: why modules are refused */
} ModuleSlots;

#endif
