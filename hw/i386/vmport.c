// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back door of VMware's machines (open-vm-tools, lib/include/backdoor_def.h): EAX 564D5868h, a
 * command in CX, an argument in EBX, then IN or OUT at port 5658h; the answer comes in registers.
 * Here are version, memory size, UUID and vCPU information; other devices add theirs.
 */
#include "hw/i386/vmport.h"
#include <json-c/json.h>
#include "exec/cpu.h"
#include "hw/isa/isa.h"
#include "util/bitops.h"

#define VMPORT_MAGIC 0x564d5868u
#define VMPORT_PORT 0x5658
#define VMPORT_COMMANDS 128
#define VCPU_LEGACY_X2APIC 0x08u

enum {
    VMPORT_VERSION = 10,
    VMPORT_UUID = 19,
    VMPORT_RAM_SIZE = 20,
    VMPORT_VCPU_INFO = 68,
};

typedef struct Vmport {
    Device dev;
    uint32_t version;
    uint8_t vmx_type;
    bool set_eax, signal_unknown, report_type, more_commands;
    struct {
        VmportFn *fn;
        void *opaque;
    } commands[VMPORT_COMMANDS];
} Vmport;

/* ---- the CPU's registers ---- */

static const struct {
    const char *name;
    size_t offset;
} vmport_registers[] = {
    {"eax", offsetof(VmportRegs, eax)}, {"ebx", offsetof(VmportRegs, ebx)},
    {"ecx", offsetof(VmportRegs, ecx)}, {"edx", offsetof(VmportRegs, edx)},
    {"esi", offsetof(VmportRegs, esi)}, {"edi", offsetof(VmportRegs, edi)},
};

static uint32_t *vmport_register_of(VmportRegs *r, unsigned i)
{
    return (uint32_t *)((char *)r + vmport_registers[i].offset);
}

static void vmport_load(Cpu *c, VmportRegs *r)
{
    for (unsigned i = 0; i < ARRAY_COUNT(vmport_registers); i++) {
        uint64_t v = 0;

        c->arch->register_value(c, vmport_registers[i].name, &v);
        *vmport_register_of(r, i) = (uint32_t)v;
    }
}

/* Only what changed: the upper halves of the others stay. */
static void vmport_store(Cpu *c, VmportRegs *r, VmportRegs *before)
{
    for (unsigned i = 0; i < ARRAY_COUNT(vmport_registers); i++) {
        uint32_t v = *vmport_register_of(r, i);

        if (v != *vmport_register_of(before, i)) {
            c->arch->set_register(c, vmport_registers[i].name, v);
        }
    }
}

/* ---- commands ---- */

static void vmport_version(void *opaque, VmportRegs *r)
{
    Vmport *s = opaque;

    r->eax = s->version;
    r->ebx = VMPORT_MAGIC;
    if (s->report_type) {
        r->ecx = s->vmx_type;
    }
}

static void vmport_ram_size(void *opaque, VmportRegs *r)
{
    r->ebx = 0x1177;
    r->eax = (uint32_t)((Vmport *)opaque)->dev.vm->ram_size;
}

static uint32_t uuid_word(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void vmport_uuid(void *opaque, VmportRegs *r)
{
    const uint8_t *uuid = ((Vmport *)opaque)->dev.vm->uuid;

    r->eax = uuid_word(uuid);
    r->ebx = uuid_word(uuid + 4);
    r->ecx = uuid_word(uuid + 8);
    r->edx = uuid_word(uuid + 12);
}

static void vmport_vcpu_info(void *opaque, VmportRegs *r)
{
    g_autoptr(GError) error = NULL;
    struct json_object *x2apic = object_get_json(&current_cpu()->dev.obj, "x2apic", &error);

    r->eax = x2apic && json_object_get_boolean(x2apic) ? VCPU_LEGACY_X2APIC : 0;
    json_object_put(x2apic);
}

/* ---- the port ---- */

static uint32_t vmport_run(Vmport *s)
{
    Cpu *c = current_cpu();
    VmportRegs r, before;
    unsigned command;

    if (!c) {
        return UINT32_MAX;
    }
    vmport_load(c, &r);
    before = r;
    command = r.ecx & 0xffff;
    if (r.eax == VMPORT_MAGIC && command < VMPORT_COMMANDS && s->commands[command].fn) {
        s->commands[command].fn(s->commands[command].opaque, &r);
    } else if (s->signal_unknown) {
        r.eax = UINT32_MAX;
    }
    if (!s->set_eax) {
        before.eax = r.eax;
    }
    vmport_store(c, &r, &before);
    return r.eax;
}

static uint64_t vmport_read(void *opaque, hwaddr offset, unsigned size)
{
    return vmport_run(opaque);
}

static void vmport_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    vmport_run(opaque);
}

void vmport_register(Vm *vm, unsigned command, VmportFn *fn, void *opaque)
{
    Vmport *s = vm_published(vm, "vmport");

    g_assert(s && command < VMPORT_COMMANDS && !s->commands[command].fn);
    s->commands[command].fn = fn;
    s->commands[command].opaque = opaque;
}

bool vmport_present(Vm *vm)
{
    return vm_published(vm, "vmport") != NULL;
}

static bool vmport_realize(Device *d, GError **error)
{
    static const struct {
        unsigned command;
        VmportFn *fn;
        bool newer;
    } rows[] = {
        {VMPORT_VERSION, vmport_version, false},
        {VMPORT_RAM_SIZE, vmport_ram_size, false},
        {VMPORT_UUID, vmport_uuid, true},
        {VMPORT_VCPU_INFO, vmport_vcpu_info, true},
    };
    Vmport *s = (Vmport *)d;

    vm_publish(d->vm, "vmport", s);
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!rows[i].newer || s->more_commands) {
            vmport_register(d->vm, rows[i].command, rows[i].fn, s);
        }
    }
    return true;
}

static const RegionOps vmport_ops = {
    .read = vmport_read, .write = vmport_write, .min_size = 4, .max_size = 4};
static const RegBank vmport_banks[] = {
    {.name = "io", .size = 4, .ops = &vmport_ops, .pio = true, .help = "the back door"}, {0}};
static const IsaInfo vmport_isa = {.ports = {{.bank = "io", .base = VMPORT_PORT}}};

static const Prop vmport_props[] = {
    PROP_BOOL(Vmport, set_eax, "x-read-set-eax", true),
    PROP_BOOL(Vmport, signal_unknown, "x-signal-unsupported-cmd", true),
    PROP_BOOL(Vmport, report_type, "x-report-vmx-type", true),
    PROP_BOOL(Vmport, more_commands, "x-cmds-v2", true),
    PROP_U32(Vmport, version, "vmware-vmx-version", 6),
    PROP_U8(Vmport, vmx_type, "vmware-vmx-type", 2),
    PROP_END,
};

static const StateField vmport_state[] = {
    HOST_ONLY(Vmport, commands, "constant once the machine is built"),
    STATE_END,
};

static const DeviceType vmport_type = {
    .name = "vmport",
    .bus = "ISA",
    .category = "misc",
    .desc = "VMware's back door",
    .internal = true,
    .bus_info = &vmport_isa,
    .size = sizeof(Vmport),
    .state_version = 1,
    .banks = vmport_banks,
    .props = vmport_props,
    .state = vmport_state,
    .realize = vmport_realize,
};
DEVICE_TYPE(vmport_type);
