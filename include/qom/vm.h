// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtual machine: what the command line asked for and what was built from it. One
 * object, passed where it is needed and reachable from each device as d->vm.
 */
#ifndef QOM_VM_H
#define QOM_VM_H

#include "qom/device.h"
#include "qom/runstate.h"

typedef struct MachineType MachineType;
typedef struct Machine Machine;

typedef struct SmpConfig {
    unsigned cpus, max_cpus, sockets, dies, clusters, cores, threads;
} SmpConfig;

struct Vm {
    const MachineType *machine_type; /* never NULL once options are parsed ("none" is one) */
    Machine *machine; /* "/machine" */
    uint64_t ram_size; /* bytes */
    uint64_t max_ram_size; /* bytes, with what may be plugged in; ram_size: nothing may */
    unsigned ram_slots; /* for memory modules */
    struct NumaState *numa; /* exec/numa.h; NULL: no nodes */
    SmpConfig smp;
    Endian endian; /* the target's byte order */
    const char *arch; /* "x86_64": the binary's target */
    const char *cpu_model; /* -cpu text, NULL: the machine's default */
    const char *firmware; /* -bios, NULL: the machine's default */
    const char *kernel, *initrd, *append, *dtb;
    const char *name; /* -name guest= */
    uint8_t uuid[16];
    bool uuid_set;
    bool use_default_devices; /* cleared by -nodefaults */
    bool graphics; /* cleared by -nographic */
    const char *vga; /* -vga TYPE, NULL: the machine's default */
    GPtrArray *serials; /* char *: chardev id of each -serial, NULL entry: none; NULL: no
                                          -serial and no default one */
    GPtrArray *fw_cfg; /* -fw_cfg rows: struct json_object * with name, file, string */
    const char *boot_order; /* -boot order=, NULL: the machine's */
    const char *boot_once;  /* -boot once=: the first time; NULL: none */
    bool boot_menu;
    struct {
        bool strict;                   /* only from devices with a bootindex */
        const char *splash;            /* picture, NULL: none */
        int64_t splash_time_ms;        /* of the menu; -1: the firmware's */
        int64_t reboot_timeout_ms;     /* after a failed boot; -1: never */
    } boot;
    struct AddressSpace *memory_as; /* system memory */
    struct AddressSpace
        *smm_as; /* memory as x86 CPUs in system management mode see it; NULL: no SMM */
    struct AddressSpace *io_as; /* port space (x86); may be NULL */
    struct Region *memory; /* root of memory_as */
    struct Region *io;
    GPtrArray *cpus; /* Cpu *, by index */
    GPtrArray *accels; /* char *: what -accel and -machine accel= ask for, in order */
    int64_t rtc_offset_s; /* -rtc base=: guest's wall clock less the host's UTC */
    bool built; /* the command line's devices are there: others are plugged hot */
    struct Accel *accel; /* what runs the vCPUs; accel/accel.h */
    Bus *system_bus;
    GHashTable *board; /* what a board published under a name ("fw_cfg", "isa.0") */
    const char *busy; /* what goes on with the stopped machine, so that it cannot run; NULL: nothing */
    /* why devices and memory may not come and go, nor snapshots be made; NULL: they may */
    const char *migrating;
    /*
     * Asked by cont before the machine runs: false, it cannot; *later: it will without being told
     * again. NULL: it may.
     */
    bool (*may_start)(Vm *vm, bool *later, GError **error);
    /* Gives the machine, which is reset and stands, a saved state; NULL: it begins at the start. */
    bool (*load_at_start)(Vm *vm, GError **error);
    GArray *reset_hooks; /* qom/reset.c's */
    GArray *extra_state; /* ExtraState: saved beside the devices'; NULL: none */
    void (*load_roms)(Vm *vm); /* by exec/loader: lays out ROM images at reset; NULL: none */
};

/* A new machine-to-be with a system bus; everything else at its default. */
Vm *vm_new(void);
void vm_free(Vm *vm);
/* Makes "/machine" of vm->machine_type with its default property values. */
void vm_make_machine(Vm *vm);
/* State of a board that is in no device. name and fields are constants. */
void vm_state_add(Vm *vm, const char *name, const StateField *fields, void *base);
/* What a board published; NULL: nothing of that name. */
void vm_publish(Vm *vm, const char *name, void *what);
void *vm_published(Vm *vm, const char *name);
/*
 * The machine type for `name` (name, alias or "X-machine") that `arch` has; NULL and a suggestion.
 */
const MachineType *machine_type_find(const char *name, const char *arch, GError **error);
/* Machine types of `arch` in the order of -machine help, NULL at the end; freed with g_free. */
const MachineType **machine_types(const char *arch);

#define MACHINE_TYPE(t) TYPE_ROW_(KIND_MACHINE, t)

/* A board. Versioned names are rows of their own that share init. */
struct MachineType {
    OBJECT_TYPE_FIELDS; /* name: "pc-q35-7.2-machine" */
    const char *machine_name; /* "pc-q35-7.2" */
    const char *machine_alias; /* "q35", NULL: none */
    const char *arches; /* "i386 x86_64": binaries that have it */
    bool is_default;
    bool deprecated;
    unsigned min_cpus, max_cpus, default_cpus;
    uint64_t default_ram; /* bytes; 0: 128 MiB */
    const char *default_cpu; /* model name; i386 binaries may override with "32" below */
    const char *default_cpu_32;
    const char *default_nic; /* device type of -nic/-net without model */
    const char *default_display; /* "std" ... */
    const char *default_block_if; /* "ide", "virtio" ... */
    unsigned drives_per_bus; /* of that interface; 0: its usual number */
    bool no_serial, no_parallel, no_floppy, no_cdrom;
    bool numa; /* -numa */
    bool has_clusters; /* CPUs have places in clusters instead of dies */
    unsigned max_ram_slots; /* of -m slots=; 0: no -m maxmem= either */
    /* Builds the board. Machine lock held; called once. */
    bool (*init)(Vm *vm, GError **error);
    /* After all -device rows were realized: tables (ACPI, SMBIOS), kernel loading. */
    bool (*done)(Vm *vm, GError **error);
};

struct Machine {
    Object obj;
    Vm *vm;
    /* Common -machine properties; boards embed Machine first and add theirs. */
    char *kernel, *initrd, *append, *dtb, *firmware, *memory_backend;
    bool graphics, usb, dump_guest_core, mem_merge;
    bool hmat, nvdimm; /* where a board has these properties */
    int acpi, vmport;
    int kernel_irqchip; /* 0 not given, 1 off, 2 on, 3 split */
};

/*
 * Reset of the whole machine: devices (children first), then ROM images are laid out again,
 * then CPUs, then the functions added. Main loop, machine lock, vCPUs stopped.
 */
void vm_reset(Vm *vm);
/* fn runs at each vm_reset, in order of registration, after all else; for what is no device. */
void vm_reset_add(Vm *vm, void (*fn)(void *opaque), void *opaque);
void vm_reset_remove(Vm *vm, void (*fn)(void *opaque), void *opaque);

/* vCPU control, provided by cpus.c; main loop, machine lock. */
void vm_start(Vm *vm);
/* Returns when every vCPU has left guest code and I/O has drained. */
void vm_stop(Vm *vm, RunState state);
/*
 * All vCPUs out of guest code and back, without a change of run state; nests with neither
 * vm_start nor vm_stop. No-op when there are none.
 */
void vm_pause_cpus(Vm *vm);
void vm_resume_cpus(Vm *vm);

#endif
