// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices: one constant DeviceType each, at the end of its source file. Help, properties,
 * reset, state and introspection are read off it.
 *
 * Life: object_new -> properties -> device_realize (bus attach, then type->realize from base
 * to derived) -> ... -> device_unrealize (reverse) -> object_unref. Machine lock held.
 */
#ifndef QOM_DEVICE_H
#define QOM_DEVICE_H

#include "qom/object.h"
#include "qom/region-ops.h"
#include "qom/state.h"

typedef struct Bus Bus;
typedef struct BusType BusType;
typedef struct DeviceType DeviceType;
typedef struct Vm Vm;

/* An output pin: a field of the device, named by a PinRow. The level is guest state. */
typedef struct Irq {
    void (*fn)(Device *target, unsigned pin, int level);    /* NULL: not wired */
    Device *target;
    unsigned pin;
    int level;
    /* qtest's interception: called first when set. */
    void (*intercept)(void *opaque, unsigned n, int level);
    void *intercept_opaque;
    unsigned intercept_n;
} Irq;

/* Drives a pin; calls the target only on a change. Machine lock. */
void irq_set(Irq *irq, int level);
static inline void irq_raise(Irq *irq) { irq_set(irq, 1); }
static inline void irq_lower(Irq *irq) { irq_set(irq, 0); }
/* Up and down at once, for edge-triggered inputs. */
void irq_pulse(Irq *irq);

typedef struct PinRow {
    const char *name;        /* "irq", "in", "a20" ... */
    unsigned count;
    uint32_t field;          /* outputs: offset of Irq or Irq[count] */
    void (*input)(Device *d, unsigned pin, int level);    /* inputs */
} PinRow;

#define PIN_OUT(T, f, name_) { .name = name_, .count = 1, .field = offsetof(T, f) }
#define PIN_OUT_ARRAY(T, f, name_)                                                                 \
    { .name = name_, .count = ARRAY_COUNT(((T *)0)->f), .field = offsetof(T, f) }
#define PIN_IN(name_, count_, fn) { .name = name_, .count = count_, .input = fn }
#define PIN_END { 0 }

/*
 * Connects output src.out[i] to input dst.in[j]; a programming error ends the process at start-up.
 */
void wire(Device *src, const char *out, unsigned i, Device *dst, const char *in, unsigned j);
/* The Irq behind an output, NULL if there is none of that name. */
Irq *device_pin_out(Device *d, const char *name, unsigned i);
/* Whether d has an input of that name with at least i + 1 lines. */
bool device_has_pin_in(Device *d, const char *name, unsigned i);
/* Drives an input directly (monitor, qtest). False when there is none. */
bool device_pin_in(Device *d, const char *name, unsigned i, int level);

struct DeviceType {
    OBJECT_TYPE_FIELDS;
    const char *alias;             /* another name accepted by -device, NULL: none */
    /* bus type it plugs into: "PCI", "ISA", "virtio-bus"; NULL: "System" */
    const char *bus;
    const char *category;          /* -device help heading: "bridge" "usb" "storage" "network"
                                      "input" "display" "sound" "misc" "cpu" "watchdog" */
    /* its name in firmware's device paths: with its address, if its bus has no fw_path */
    const char *fw_name;
    const char *doc;               /* page under docs/, NULL: none */
    bool internal;                 /* made by boards only; not for -device */
    bool hotpluggable;
    unsigned state_version;
    const char *not_saved;         /* why its state cannot be saved; NULL: it can */
    const void *bus_info;          /* what its bus wants to know: PciInfo, IsaInfo ... */
    const RegBank *banks;          /* ends with a row without a name */
    const PinRow *pins;            /* likewise */
    const StateField *state;       /* likewise */
    bool (*realize)(Device *d, GError **error);
    void (*unrealize)(Device *d);
    void (*reset)(Device *d);      /* after the tables' reset; only what they cannot say */
    void (*saving)(Device *d);     /* the machine stands and is about to be saved; may be NULL */
    /*
     * Whether what was loaded makes sense, beyond the ranges of its rows: values of registers that
     * are indices, fields that go together. Before any post_load. May be NULL.
     */
    bool (*check_load)(Device *d, GError **error);
    void (*post_load)(Device *d);  /* after all state was loaded; parents of d come first */
    /* Why the state cannot be saved just now, a constant; NULL: it can. May be NULL. */
    const char *(*unsaved)(Device *d);
    /*
     * device_del of a device on the system bus that the machine itself takes while it runs; NULL:
     * the bus decides.
     */
    bool (*unplug_request)(Device *d, GError **error);
};

/* Embedded first in every device. */
struct Device {
    Object obj;
    char *id;                      /* -device id=, or NULL */
    Vm *vm;
    Bus *parent_bus;               /* NULL: none (system devices have the system bus) */
    GPtrArray *buses;              /* Bus *: buses that it provides; NULL: none */
    struct AddressSpace *dma;      /* where its DMA goes; set by its bus at attach */
    uint16_t requester_id;         /* PCI bus and function of its DMA, for IOMMUs; set by its bus */
    bool realized;
    bool hotplugged;
    struct DeviceRegions *regions; /* owned by exec/bank.c: one region per bank */
    void (*free_regions)(Device *d);
};

#define DEVICE_TYPE(t) TYPE_ROW_(KIND_DEVICE, t)
#define DEVICE(p) ((Device *)(p))
static inline const DeviceType *device_type(const Device *d)
{
    return (const DeviceType *)d->obj.type;
}

/* A kind of bus. */
struct BusType {
    OBJECT_TYPE_FIELDS;
    /* Finds the device's place (address from its properties) and sets it up; before realize. */
    bool (*attach)(Bus *bus, Device *d, GError **error);
    void (*detach)(Bus *bus, Device *d);
    /* Once the whole device is realized / before unrealize begins; may be NULL. */
    void (*plugged)(Bus *bus, Device *d);
    /*
     * device_del of a realized device: asks the guest, or unplugs at once; NULL: not hot-pluggable.
     */
    bool (*unplug_request)(Bus *bus, Device *d, GError **error);
    /* "04.0" for info qtree and fw paths; new string, may be NULL. */
    char *(*address)(Bus *bus, Device *d);
    char *(*fw_path)(Bus *bus, Device *d);
    /* What follows when firmware boots from d itself ("disk@0,0"); may be NULL, may return NULL. */
    char *(*fw_leaf)(Bus *bus, Device *d);
    /* Lines of info qtree below the properties of d; may be NULL. */
    void (*print)(Bus *bus, Device *d, unsigned indent, GString *out);
    unsigned max_devices;          /* 0: no limit */
};

struct Bus {
    Object obj;                    /* child of the owner, named like "pci.0" */
    Device *owner;                 /* NULL: the system bus */
    Vm *vm;
    GPtrArray *devices;            /* Device *, in order of plugging */
    bool full;
    bool hotplug;                  /* devices may come and go while the machine runs */
};

#define BUS_TYPE(t) TYPE_ROW_(KIND_BUS, t)
static inline const BusType *bus_type(const Bus *b)
{
    return (const BusType *)b->obj.type;
}

/* Initialises an embedded bus of type `type` as child `name` of owner (NULL name: "type.N"). */
void bus_init(Bus *bus, const BusType *type, Device *owner, const char *name);
void bus_fini(Bus *bus);
/*
 * A name for a bus of owner's: "ID.0" when owner has an id, else the first free "prefix.N". New
 * string.
 */
char *bus_new_name(const Device *owner, const char *prefix);
/* The bus of that name or path ("pci.0"), or NULL. */
Bus *bus_find(Vm *vm, const char *name);
/* The first bus of that type with room, or NULL. */
Bus *bus_find_type(Vm *vm, const char *type_name);

/* The system bus of a new machine; called once, before the board is built. */
Bus *system_bus_new(Vm *vm);
extern const BusType system_bus_type;
/* Devices below bus, parents before children, until fn returns false; false if it did. */
bool bus_walk(Bus *bus, bool (*fn)(Device *d, void *opaque), void *opaque);
/* The device of that id, or at that QOM path; NULL and a suggestion when there is none. */
Device *device_find(Vm *vm, const char *id_or_path, GError **error);
/* Whether -device may make one (not internal, not abstract, has a place to go). */
bool device_type_pluggable(const DeviceType *t);

/* A new, unrealized device; NULL with suggestions when there is no such type. */
Device *device_new(Vm *vm, const char *type, GError **error);
/* The same in place, for a device that is part of another (already zeroed) device's struct. */
void device_init_embedded(Vm *vm, Device *d, const char *type);
/* "'x' is not a valid device model name (did you mean ...)". */
bool device_fail_type(const char *type, GError **error);
/*
 * Plugs d into bus (NULL: its type's default), puts it into the tree under parent (NULL:
 * /machine/peripheral when it has an id, else /machine/unattached; -device without an id gives
 * /machine/peripheral-anon itself), realizes it. On failure d is gone as if it had never been,
 * and its reference is dropped.
 */
bool device_realize(Device *d, Bus *bus, Object *parent, GError **error);
/* Takes a realized device out and drops it. */
void device_unplug(Device *d);
/* device_del: asks the bus, which asks the guest or unplugs at once. */
bool device_unplug_request(Device *d, GError **error);
/*
 * Reset of one device, or of a bus, and all below it (children first): registers take their
 * reset values and outputs go low (tables, base to derived), then the reset functions run.
 */
void device_reset(Device *d);
void bus_reset(Bus *bus);
/* Sets every register row's field to its reset value; part of device_reset. */
void device_reset_banks(Device *d);
/* -device help; -device TYPE,help (false: no such type); HMP info qtree. */
void device_help_list(GString *out);
bool device_help_props(const char *type, GString *out, GError **error);
void device_print_tree(Vm *vm, GString *out);

/*
 * Boards: device_new + properties + device_realize in one row. NULL-terminated name, value pairs.
 */
Device *device_create(Vm *vm, const char *type, Bus *bus, const char *name, GError **error,
                      ...) G_GNUC_NULL_TERMINATED;

#endif
