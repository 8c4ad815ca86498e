// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot plug of memory modules by ACPI (ACPI 6.3, 9.11 and 6.3): a slot is selected, then its
 * address, size, node and flags are read; the guest acknowledges events, ejects modules and
 * reports what has become of its attempts (_OST).
 */
#include "hw/acpi/memory-hotplug.h"

#include "exec/bank.h"
#include "hw/acpi/cpu-hotplug.h"
#include "hw/mem/memory-device.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "util/error.h"
#include "util/main-loop.h"

#define MAX_SLOTS 256
enum {
    FLAG_HERE = 1,
    FLAG_INSERTED = 2,
    FLAG_REMOVE = 4,
    FLAG_EJECT = 8
};

/* 6.3.5: events and status of _OST. */
enum {
    OST_EJECT_REQUEST = 3,
    OST_EJECT_BY_OS = 0x103,
    OST_EJECT_IN_PROGRESS = 0x84
};

typedef struct AcpiMemory {
    Device dev;
    ModuleSlots slots;
    PcDimm *module[MAX_SLOTS];
    uint8_t flags[MAX_SLOTS]; /* FLAG_INSERTED, FLAG_REMOVE, FLAG_EJECT: gone for the guest */
    uint32_t ost_event[MAX_SLOTS], ost_status[MAX_SLOTS];
    uint32_t selector;
    Bh *eject_bh;
    void (*notify)(void *opaque);
    void (*notify_nvdimm)(void *opaque);
    void *notify_opaque;
} AcpiMemory;

/* ---- registers ---- */

/* The selected module as the guest sees it; NULL: none. */
static PcDimm *selected(const AcpiMemory *s)
{
    return s->selector < s->dev.vm->ram_slots && !(s->flags[s->selector] & FLAG_EJECT)
               ? s->module[s->selector]
               : NULL;
}

static uint64_t read_place(Device *d, const RegAccess *a)
{
    const PcDimm *m = selected((AcpiMemory *)d);
    uint64_t v = !m ? 0 : a->reg->offset < 8 ? m->mem.addr : m->mem.size;

    return a->reg->offset & 4 ? v >> 32 : (uint32_t)v;
}

static uint64_t read_node(Device *d, const RegAccess *a)
{
    const PcDimm *m = selected((AcpiMemory *)d);

    return m ? m->node : 0;
}

static uint64_t read_flags(Device *d, const RegAccess *a)
{
    const AcpiMemory *s = (AcpiMemory *)d;

    return selected(s) ? FLAG_HERE | (s->flags[s->selector] & (FLAG_INSERTED | FLAG_REMOVE)) : 0;
}

static void write_selector(Device *d, const RegAccess *a)
{
    ((AcpiMemory *)d)->selector = (uint32_t)a->value;
}

static void write_ost_event(Device *d, const RegAccess *a)
{
    AcpiMemory *s = (AcpiMemory *)d;

    if (s->selector < d->vm->ram_slots) {
        s->ost_event[s->selector] = (uint32_t)a->value;
    }
}

static ACPIOSTInfo *describe_ost(const AcpiMemory *s, unsigned slot)
{
    ACPIOSTInfo *info = g_new0(ACPIOSTInfo, 1);

    info->device = s->module[slot] ? g_strdup(s->module[slot]->dev.id) : NULL;
    info->slot = g_strdup_printf("%u", slot);
    info->slot_type = ACPI_SLOT_TYPE_DIMM;
    info->source = s->ost_event[slot];
    info->status = s->ost_status[slot];
    return info;
}

/* The guest kept a module that it was asked to let go: neither done nor under way. */
static bool kept(uint32_t event, uint32_t status)
{
    return (event == OST_EJECT_REQUEST || event == OST_EJECT_BY_OS) && status != 0 &&
           status != OST_EJECT_IN_PROGRESS;
}

static void write_ost_status(Device *d, const RegAccess *a)
{
    AcpiMemory *s = (AcpiMemory *)d;

    if (s->selector < d->vm->ram_slots) {
        ACPIOSTInfo *info;

        s->ost_status[s->selector] = (uint32_t)a->value;
        info = describe_ost(s, s->selector);
        qapi_event_acpi_device_ost(&(AcpiDeviceOstEvent){.info = info});
        if (info->device && kept(s->ost_event[s->selector], s->ost_status[s->selector])) {
            qapi_event_mem_unplug_error(&(MemUnplugErrorEvent){
                .device = info->device, .msg = (char *)"the guest keeps the module"});
        }
        QAPI_FREE(ACPIOSTInfo, info);
    }
}

/* Unplugs, from the main loop, what the guest has ejected. */
static void eject(void *opaque)
{
    AcpiMemory *s = opaque;

    for (unsigned i = 0; i < s->dev.vm->ram_slots; i++) {
        PcDimm *m = s->module[i];

        if (m && (s->flags[i] & FLAG_EJECT)) {
            device_unplug(&m->dev);
        }
    }
}

static void start_eject(AcpiMemory *s)
{
    PcDimm *m = selected(s);

    if (!m) {
        guest_error("acpi-memory-hotplug: ejects slot %u, in which there is nothing", s->selector);
        return;
    }
    s->flags[s->selector] = FLAG_EJECT;
    bh_schedule(s->eject_bh);
}

static void write_flags(Device *d, const RegAccess *a)
{
    AcpiMemory *s = (AcpiMemory *)d;

    if (s->selector >= d->vm->ram_slots) {
        return;
    }
    s->flags[s->selector] &= ~(a->value & (FLAG_INSERTED | FLAG_REMOVE));
    if (a->value & FLAG_EJECT) {
        start_eject(s);
    }
}

static const Reg memory_regs[] = {
    REG_HOOK(0x00, 4, "address_low", .wmask = UINT32_MAX, .read = read_place,
             .write = write_selector, .help = "read: address of the module; write: selects a slot"),
    REG_HOOK(0x04, 4, "address_high", .wmask = UINT32_MAX, .read = read_place,
             .write = write_ost_event, .help = "write: source event of _OST"),
    REG_HOOK(0x08, 4, "size_low", .wmask = UINT32_MAX, .read = read_place,
             .write = write_ost_status, .help = "write: status of _OST"),
    REG_HOOK(0x0c, 4, "size_high", .read = read_place),
    REG_HOOK(0x10, 4, "node", .read = read_node, .help = "NUMA node"),
    REG_HOOK(0x14, 1, "flags", .wmask = 0xff, .read = read_flags, .write = write_flags,
             .help = "bit 0 there, bit 1 inserted, bit 2 shall go; write: 1 and 2 clear, 3 ejects"),
};

static const RegBank memory_banks[] = {
    {.name = "regs", .size = ACPI_MEMORY_LEN, BANK_REGS(memory_regs), .help = "memory slots"},
    {0},
};

/* ---- modules come and go ---- */

static void slot_plugged(Device *controller, PcDimm *d)
{
    AcpiMemory *s = (AcpiMemory *)controller;

    if (d->nonvolatile) { /* the NVDIMM root device knows of it */
        if (d->dev.hotplugged && s->notify_nvdimm) {
            s->notify_nvdimm(s->notify_opaque);
        }
        return;
    }
    s->module[d->slot] = d;
    s->flags[d->slot] = 0;
    if (d->dev.hotplugged) {
        s->flags[d->slot] = FLAG_INSERTED;
        s->notify(s->notify_opaque);
    }
}

static void slot_unplugged(Device *controller, PcDimm *d)
{
    AcpiMemory *s = (AcpiMemory *)controller;

    s->module[d->slot] = NULL;
    s->flags[d->slot] = 0;
}

static bool slot_request(Device *controller, PcDimm *d, GError **error)
{
    AcpiMemory *s = (AcpiMemory *)controller;

    s->flags[d->slot] |= FLAG_REMOVE;
    s->notify(s->notify_opaque);
    return true;
}

static bool memory_realize(Device *d, GError **error)
{
    AcpiMemory *s = (AcpiMemory *)d;

    s->slots = (ModuleSlots){slot_plugged, slot_unplugged, slot_request, d, NULL};
    s->eject_bh = bh_new(eject, s);
    vm_publish(d->vm, "memory-hotplug", &s->slots);
    return true;
}

static void memory_unrealize(Device *d)
{
    vm_publish(d->vm, "memory-hotplug", NULL);
    bh_free(((AcpiMemory *)d)->eject_bh);
}

static void memory_reset(Device *d)
{
    ((AcpiMemory *)d)->selector = 0;
}

static void memory_post_load(Device *d)
{
    bh_schedule(((AcpiMemory *)d)->eject_bh);
}

static const StateField memory_state[] = {
    STATE_ARRAY(AcpiMemory, flags),
    STATE_ARRAY(AcpiMemory, ost_event),
    STATE_ARRAY(AcpiMemory, ost_status),
    STATE(AcpiMemory, selector),
    HOST_ONLY(AcpiMemory, slots, "functions"),
    HOST_ONLY(AcpiMemory, module, "other devices"),
    HOST_ONLY(AcpiMemory, eject_bh, "scheduled again after a load"),
    HOST_ONLY(AcpiMemory, notify, "the board's"),
    HOST_ONLY(AcpiMemory, notify_nvdimm, "the board's"),
    HOST_ONLY(AcpiMemory, notify_opaque, "the board's"),
    STATE_END,
};

static const DeviceType memory_type = {
    .name = "acpi-memory-hotplug",
    .category = "misc",
    .desc = "ACPI registers of memory slots",
    .internal = true,
    .size = sizeof(AcpiMemory),
    .state_version = 1,
    .banks = memory_banks,
    .state = memory_state,
    .realize = memory_realize,
    .unrealize = memory_unrealize,
    .reset = memory_reset,
    .post_load = memory_post_load,
};
DEVICE_TYPE(memory_type);

Device *acpi_memory_create(Vm *vm, const AcpiMemoryEvents *events, void *opaque, GError **error)
{
    Device *d = device_create(vm, "acpi-memory-hotplug", NULL, NULL, error, NULL);

    if (d) {
        ((AcpiMemory *)d)->notify = events->modules;
        ((AcpiMemory *)d)->notify_nvdimm = events->nvdimms;
        ((AcpiMemory *)d)->notify_opaque = opaque;
    }
    return d;
}

void acpi_memory_refuse(Vm *vm, const char *missing)
{
    /* As long-lived as the board. */
    ModuleSlots *none = g_new0(ModuleSlots, 1);

    none->missing = missing;
    vm_publish(vm, "memory-hotplug", none);
}

GPtrArray *qmp_query_acpi_ospm_status(QmpCall *call, GError **error)
{
    const ModuleSlots *slots = vm_published(call->vm, "memory-hotplug");

    if (!slots || slots->missing) {
        return fail_null(error, "command is not supported, missing ACPI device");
    }
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < call->vm->ram_slots; i++) {
        g_ptr_array_add(list, describe_ost((const AcpiMemory *)slots->controller, i));
    }
    acpi_cpus_describe_osts(call->vm, list);
    return list;
}
