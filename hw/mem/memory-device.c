// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest addresses of memory devices, and what the monitor says of them. */
#include "hw/mem/memory-device.h"

#include <inttypes.h>

#include "exec/numa.h"
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "util/error.h"

/* What regions are aligned to: huge pages of the host can be used. */
#define ALIGNMENT (2 * MIB)

uint64_t device_memory_size(const Vm *vm)
{
    uint64_t room = (uint64_t)vm->ram_slots * GIB;

    return vm->max_ram_size > vm->ram_size ? vm->max_ram_size - vm->ram_size + room : 0;
}

DeviceMemory *device_memory_create(Vm *vm, uint64_t base, uint64_t size, GError **error)
{
    DeviceMemory *d;

    if ((vm->max_ram_size & 4095) != 0) {
        return fail_null(error, "maximum memory size must by aligned to multiple of 4096 bytes");
    }
    d = g_new0(DeviceMemory, 1);
    *d = (DeviceMemory){.base = base,
                        .size = size,
                        .limit = vm->max_ram_size - vm->ram_size,
                        .devices = g_ptr_array_new()};
    region_init_container(&d->region, NULL, "device-memory", size);
    region_add(vm->memory, base, &d->region, 0);
    vm_publish(vm, "device-memory", d);
    return d;
}

uint64_t device_memory_end(Vm *vm, uint64_t otherwise)
{
    const DeviceMemory *d = device_memory(vm);
    uint64_t end = d ? d->base + d->size : otherwise;

    return (end + GIB - 1) & ~(GIB - 1);
}

/* ---- addresses ---- */

static bool fits(const DeviceMemory *all, const MemoryDevice *m, GError **error)
{
    uint64_t used = 0;

    for (guint i = 0; i < all->devices->len; i++) {
        used += ((const MemoryDevice *)all->devices->pdata[i])->size;
    }
    if (m->size > all->limit || used > all->limit - m->size) {
        return fail(error,
                    "not enough space, currently 0x%" PRIx64
                    " in use of total space for memory devices 0x%" PRIx64,
                    used, all->limit);
    }
    return (m->size & (ALIGNMENT - 1)) == 0 ||
           fail(error, "backend memory size must be multiple of 0x%x", (unsigned)ALIGNMENT);
}

/* The first gap; devices are in order. */
static bool find_gap(const DeviceMemory *all, MemoryDevice *m, GError **error)
{
    const uint64_t align = MAX(m->align, ALIGNMENT);
    uint64_t at = (all->base + align - 1) & ~(align - 1);

    for (guint i = 0; i < all->devices->len; i++) {
        const MemoryDevice *other = all->devices->pdata[i];

        if (other->addr >= at && other->addr - at >= m->size) {
            break;
        }
        at = MAX(at, (other->addr + other->size + align - 1) & ~(align - 1));
    }
    if (at - all->base > all->size || m->size > all->size - (at - all->base)) {
        return fail(error, "could not find position in guest address space for memory device - "
                           "memory fragmented due to alignments");
    }
    m->addr = at;
    return true;
}

static bool check_place(const DeviceMemory *all, MemoryDevice *m, uint64_t addr, GError **error)
{
    if (addr & (ALIGNMENT - 1)) {
        return fail(error, "address must be aligned to 0x%x bytes", (unsigned)ALIGNMENT);
    }
    if (addr < all->base || addr - all->base > all->size ||
        m->size > all->size - (addr - all->base)) {
        return fail(error,
                    "can't add memory device [0x%" PRIx64 ":0x%" PRIx64
                    "], usable range for memory devices [0x%" PRIx64 ":0x%" PRIx64 "]",
                    addr, m->size, all->base, all->size);
    }
    for (guint i = 0; i < all->devices->len; i++) {
        const MemoryDevice *other = all->devices->pdata[i];

        if (addr < other->addr + other->size && other->addr < addr + m->size) {
            return fail(error, "address range conflicts with memory device id='%s'",
                        other->dev->id ? other->dev->id : "(unnamed)");
        }
    }
    m->addr = addr;
    return true;
}

static gint by_address(gconstpointer a, gconstpointer b)
{
    uint64_t x = (*(MemoryDevice *const *)a)->addr, y = (*(MemoryDevice *const *)b)->addr;

    return x < y ? -1 : x > y;
}

bool memory_device_plug(MemoryDevice *m, uint64_t addr, GError **error)
{
    DeviceMemory *all = device_memory(m->dev->vm);

    if (!all) {
        return fail(error, "memory devices (e.g. for memory hotplug) are not enabled, please "
                           "specify the maxmem option");
    }
    if (!fits(all, m, error) ||
        !(addr ? check_place(all, m, addr, error) : find_gap(all, m, error))) {
        return false;
    }
    region_add(&all->region, m->addr - all->base, m->region, 0);
    g_ptr_array_add(all->devices, m);
    g_ptr_array_sort(all->devices, by_address);
    return true;
}

void memory_device_unplug(MemoryDevice *m)
{
    g_ptr_array_remove(device_memory(m->dev->vm)->devices, m);
    region_remove(m->region);
}

bool memory_device_take(Object *backend, GError **error)
{
    MemoryBackend *b = (MemoryBackend *)backend;

    if (!b) {
        return fail(error, "'memdev' property must be set");
    }
    if (b->mapped) {
        return fail(error, "can't use already busy memdev: %s", b->obj.name);
    }
    return memory_backend_take(b, error);
}

void memory_device_release(Object *backend)
{
    MemoryBackend *b = (MemoryBackend *)backend;

    b->mapped = false;
    object_unref(backend);
}

/* ---- monitor ---- */

GPtrArray *qmp_query_memory_devices(QmpCall *call, GError **error)
{
    const DeviceMemory *all = device_memory(call->vm);
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; all && i < all->devices->len; i++) {
        const MemoryDevice *m = all->devices->pdata[i];

        g_ptr_array_add(list, m->describe(m));
    }
    return list;
}

static uint64_t plugged_bytes(Vm *vm, int node)
{
    const DeviceMemory *all = device_memory(vm);
    uint64_t sum = 0;

    for (guint i = 0; all && i < all->devices->len; i++) {
        const MemoryDevice *m = all->devices->pdata[i];

        sum += node < 0 || m->node == (uint32_t)node ? m->plugged(m) : 0;
    }
    return sum;
}

MemoryInfo *qmp_query_memory_size_summary(QmpCall *call, GError **error)
{
    MemoryInfo *info = g_new0(MemoryInfo, 1);

    info->base_memory = call->vm->ram_size;
    info->has_plugged_memory = true;
    info->plugged_memory = plugged_bytes(call->vm, -1);
    return info;
}

static void info_memory_size_summary(HmpCall *call, GError **error)
{
    g_string_append_printf(call->out, "base memory: %" PRIu64 "\nplugged memory: %" PRIu64 "\n",
                           call->vm->ram_size, plugged_bytes(call->vm, -1));
}

HMP_INFO(memory_size_summary, info_memory_size_summary, "",
         "show the amount of initially allocated and present hotpluggable memory in bytes");

static void print_module(GString *out, const char *kind, const PCDIMMDeviceInfo *d)
{
    g_string_append_printf(out,
                           "Memory device [%s]: \"%s\"\n  addr: 0x%" PRIx64 "\n"
                           "  slot: %" PRId64 "\n  node: %" PRId64 "\n  size: %" PRIu64 "\n"
                           "  memdev: %s\n  hotplugged: %s\n  hotpluggable: %s\n",
                           kind, d->id ? d->id : "", d->addr, d->slot, d->node, d->size, d->memdev,
                           d->hotplugged ? "true" : "false", d->hotpluggable ? "true" : "false");
}

static void print_device(GString *out, const MemoryDeviceInfo *info)
{
    const VirtioPMEMDeviceInfo *p;
    const VirtioMEMDeviceInfo *v;

    switch (info->type) {
    case MEMORY_DEVICE_INFO_KIND_DIMM:
        print_module(out, "dimm", info->u.dimm->data);
        break;
    case MEMORY_DEVICE_INFO_KIND_NVDIMM:
        print_module(out, "nvdimm", info->u.nvdimm->data);
        break;
    case MEMORY_DEVICE_INFO_KIND_VIRTIO_PMEM:
        p = info->u.virtio_pmem->data;
        g_string_append_printf(out,
                               "Memory device [virtio-pmem]: \"%s\"\n  memaddr: 0x%" PRIx64
                               "\n  size: %" PRIu64 "\n  memdev: %s\n",
                               p->id ? p->id : "", p->memaddr, p->size, p->memdev);
        break;
    case MEMORY_DEVICE_INFO_KIND_VIRTIO_MEM:
        v = info->u.virtio_mem->data;
        g_string_append_printf(out,
                               "Memory device [virtio-mem]: \"%s\"\n  memaddr: 0x%" PRIx64
                               "\n  node: %" PRId64 "\n  requested-size: %" PRIu64
                               "\n  size: %" PRIu64 "\n  max-size: %" PRIu64
                               "\n  block-size: %" PRIu64 "\n  memdev: %s\n",
                               v->id ? v->id : "", v->memaddr, v->node, v->requested_size, v->size,
                               v->max_size, v->block_size, v->memdev);
        break;
    default:
        break;
    }
}

static void info_memory_devices(HmpCall *call, GError **error)
{
    GPtrArray *list = qmp_query_memory_devices(&(QmpCall){.vm = call->vm}, error);

    for (guint i = 0; i < list->len; i++) {
        print_device(call->out, list->pdata[i]);
    }
    qapi_clear(&qapi_array_MemoryDeviceInfo, &list);
}

HMP_ROW(info_memory_devices, {.name = "memory-devices",
                              .help = "show memory devices",
                              .fn = info_memory_devices,
                              .info = true});

static void info_numa(HmpCall *call, GError **error)
{
    const Vm *vm = call->vm;

    g_string_append_printf(call->out, "%u nodes\n", numa_count(vm));
    for (unsigned i = 0; i < numa_count(vm); i++) {
        uint64_t plugged = plugged_bytes(call->vm, (int)i);

        g_string_append_printf(call->out, "node %u cpus:", i);
        for (unsigned c = 0; c < vm->smp.cpus; c++) {
            if (numa_cpu_node(vm, c) == (int)i) {
                g_string_append_printf(call->out, " %u", c);
            }
        }
        g_string_append_printf(call->out,
                               "\nnode %u size: %" PRIu64 " MB\nnode %u plugged: %" PRIu64 " MB\n",
                               i, (vm->numa->node[i].size + plugged) >> 20, i, plugged >> 20);
    }
}

HMP_INFO(numa, info_numa, "", "show NUMA information");
