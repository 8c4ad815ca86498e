// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine as a whole, and the machine types. Contract: include/qom/vm.h. */
#include "qom/vm.h"

#include <string.h>

static const char *const irqchip_names[] = { "", "off", "on", "split", NULL };

static const Prop machine_props[] = {
    PROP_ENUM(Machine, kernel_irqchip, "kernel-irqchip", 0, irqchip_names, .flags = PROP_HIDDEN,
              .help = "where interrupt controllers live; an accelerator without a kernel has them all outside"),
    PROP_STRING(Machine, kernel, "kernel", .help = "Linux kernel image file"),
    PROP_STRING(Machine, initrd, "initrd", .help = "Linux initial ramdisk file"),
    PROP_STRING(Machine, append, "append", .help = "Linux kernel command line"),
    PROP_STRING(Machine, dtb, "dtb", .help = "Linux kernel device tree file"),
    PROP_STRING(Machine, firmware, "firmware", .help = "Firmware image"),
    PROP_STRING(Machine, memory_backend, "memory-backend", .help = "Set RAM backend"),
    PROP_BOOL(Machine, graphics, "graphics", true,
              .help = "Set on/off to enable/disable graphics emulation"),
    PROP_BOOL(Machine, usb, "usb", false, .help = "Set on/off to enable/disable usb"),
    PROP_BOOL(Machine, dump_guest_core, "dump-guest-core", true,
              .help = "Include guest memory in a core dump"),
    PROP_BOOL(Machine, mem_merge, "mem-merge", true,
              .help = "Enable/disable memory merge support"),
    PROP_END,
};

static const MachineType machine_base = {
    .name = "machine", .abstract = true, .size = sizeof(Machine), .props = machine_props,
};
MACHINE_TYPE(machine_base);

static bool none_init(Vm *vm, GError **error)
{
    return true;
}

static const MachineType none_machine = {
    .name = "none-machine", .machine_name = "none", .desc = "empty machine",
    .size = sizeof(Machine), .max_cpus = 1, .default_cpus = 0,
    .no_serial = true, .no_parallel = true, .no_floppy = true, .no_cdrom = true,
    .init = none_init,
};
MACHINE_TYPE(none_machine);

Vm *vm_new(void)
{
    Vm *vm = g_new0(Vm, 1);

    vm->graphics = true;
    vm->use_default_devices = true;
    vm->boot.splash_time_ms = vm->boot.reboot_timeout_ms = -1;
    vm->cpus = g_ptr_array_new();
    vm->accels = g_ptr_array_new_with_free_func(g_free);
    vm->board = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return vm;
}

void vm_make_machine(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    Object *obj = object_new((const ObjectType *)vm->machine_type, KIND_MACHINE);

    if (!object_add_child(object_root(), "machine", obj, &error)) {
        g_error("%s", error->message);
    }
    vm->machine = (Machine *)obj;
    vm->machine->vm = vm;
    object_container("/machine/unattached");
    object_container("/machine/peripheral");
    object_container("/machine/peripheral-anon");
    system_bus_new(vm);
}

void vm_free(Vm *vm)
{
    Object *machine = object_child(object_root(), "machine");

    while (vm->system_bus != NULL && vm->system_bus->devices->len > 0) {
        device_unplug(vm->system_bus->devices->pdata[vm->system_bus->devices->len - 1]);
    }
    if (machine != NULL) {
        object_unparent(machine);
    }
    g_ptr_array_unref(vm->cpus);
    g_ptr_array_unref(vm->accels);
    g_hash_table_unref(vm->board);
    if (vm->extra_state != NULL) {
        g_array_unref(vm->extra_state);
    }
    if (vm->reset_hooks != NULL) {
        g_array_unref(vm->reset_hooks);
    }
    g_free(vm);
}

void vm_state_add(Vm *vm, const char *name, const StateField *fields, void *base)
{
    ExtraState e = {name, fields, base};

    if (vm->extra_state == NULL) {
        vm->extra_state = g_array_new(FALSE, FALSE, sizeof(e));
    }
    g_array_append_val(vm->extra_state, e);
}

void vm_publish(Vm *vm, const char *name, void *what)
{
    g_hash_table_insert(vm->board, g_strdup(name), what);
}

void *vm_published(Vm *vm, const char *name)
{
    return g_hash_table_lookup(vm->board, name);
}

/* ---- machine types ---- */

static bool has_arch(const MachineType *m, const char *arch)
{
    g_auto(GStrv) list = NULL;

    if (m->arches == NULL) {
        return true;
    }
    list = g_strsplit(m->arches, " ", -1);
    return g_strv_contains((const gchar *const *)list, arch);
}

typedef struct MachineList {
    const char *arch;
    GPtrArray *found;
} MachineList;

static bool add_machine(const ObjectType *t, ObjectKind kind, void *opaque)
{
    MachineList *l = opaque;
    const MachineType *m = (const MachineType *)t;

    if (kind == KIND_MACHINE && !t->abstract && has_arch(m, l->arch)) {
        g_ptr_array_add(l->found, (gpointer)m);
    }
    return true;
}

/* Bytes of the name before "-7.2"; 0: the name has no version. */
static size_t family_len(const MachineType *t)
{
    const char *v = strrchr(t->machine_name, '-');

    return v != NULL && g_ascii_isdigit(v[1]) ? (size_t)(v - t->machine_name) : 0;
}

/* Families of versions by name, the newest of each first (as text), then the others by name. */
static int by_family(gconstpointer a, gconstpointer b)
{
    const MachineType *x = *(const MachineType *const *)a, *y = *(const MachineType *const *)b;
    size_t lx = family_len(x), ly = family_len(y);

    if (lx == ly && lx != 0 && strncmp(x->machine_name, y->machine_name, lx) == 0) {
        return strcmp(y->machine_name, x->machine_name);
    }
    return !lx != !ly ? !lx - !ly : strcmp(x->machine_name, y->machine_name);
}

const MachineType **machine_types(const char *arch)
{
    MachineList l = {arch, g_ptr_array_new()};

    type_foreach(add_machine, &l);
    g_ptr_array_sort(l.found, by_family);
    g_ptr_array_add(l.found, NULL);
    return (const MachineType **)g_ptr_array_free(l.found, FALSE);
}

const MachineType *machine_type_find(const char *name, const char *arch, GError **error)
{
    g_autofree const MachineType **list = machine_types(arch);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;

    for (unsigned i = 0; list[i] != NULL; i++) {
        const char *alias = list[i]->machine_alias;

        if (strcmp(list[i]->machine_name, name) == 0 || strcmp(list[i]->name, name) == 0 ||
            (alias != NULL && strcmp(alias, name) == 0)) {
            return list[i];
        }
        g_ptr_array_add(names, (gpointer)list[i]->machine_name);
        if (alias != NULL) {
            g_ptr_array_add(names, (gpointer)alias);
        }
    }
    g_ptr_array_add(names, NULL);
    hint = suggestion(name, (const char *const *)names->pdata);
    fail(error, "unsupported machine type '%s'%s\nUse -machine help to list supported machines",
         name, hint);
    return NULL;
}

/*
 * vCPU control belongs to cpus.c; these stand in where it is not linked (unit tests of what
 * lies below it), for a machine without CPUs.
 */
__attribute__((weak)) void vm_start(Vm *vm)
{
    if (!runstate_running()) {
        runstate_set(RUN_STATE_RUNNING);
        vm_event(&(VmEventInfo){.event = VM_EVENT_RESUME});
    }
}

__attribute__((weak)) void vm_stop(Vm *vm, RunState state)
{
    if (runstate_running()) {
        runstate_set(state);
        vm_event(&(VmEventInfo){.event = VM_EVENT_STOP});
    }
}

__attribute__((weak)) void vm_pause_cpus(Vm *vm)
{
}

__attribute__((weak)) void vm_resume_cpus(Vm *vm)
{
}
