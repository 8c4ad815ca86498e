// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory: a tree of regions with priorities, flattened into one immutable view per address
 * space. Changes are made in transactions (machine lock); readers use the current view
 * without a lock, under RCU.
 */
#ifndef EXEC_MEMORY_H
#define EXEC_MEMORY_H

#include "qom/device.h"
#include "qom/region-ops.h"
#include "util/types.h"

typedef struct Region Region;
typedef struct AddressSpace AddressSpace;
typedef struct RamBlock RamBlock;

typedef enum RegionKind {
    REGION_CONTAINER,   /* only its children */
    REGION_RAM,         /* host memory, read and write */
    REGION_ROM,         /* host memory; writes are ignored */
    REGION_ROMD,        /* reads hit host memory (while romd is on), writes call ops: flash */
    REGION_IO,          /* ops */
    REGION_ALIAS,       /* a window into another region */
    REGION_IOMMU,       /* translate() */
} RegionKind;

typedef struct MemAttrs {
    unsigned requester_id : 16;   /* PCI bus/devfn of a DMA, for IOMMUs and MSI */
    unsigned secure : 1;
    unsigned user : 1;
    unsigned is_cpu : 1;
    unsigned cpu_index : 13;      /* valid with is_cpu: local APIC, PPI-like registers */
} MemAttrs;
#define ATTRS_NONE ((MemAttrs){ 0 })

typedef enum MemResult {
    MEM_OK = 0,
    MEM_ERROR = 1 /* device refused */,
    MEM_DECODE_ERROR = 2 /* nothing there */
} MemResult;

typedef struct IommuEntry {
    AddressSpace *target;
    hwaddr iova, translated, mask;   /* mask: page size - 1 */
    bool read, write;
} IommuEntry;

/* Embedded in its owner. Fields are the core's; use the functions. */
struct Region {
    Object *owner;                /* may be NULL: the machine */
    char *name;
    RegionKind kind;
    uint64_t size;                /* bytes; UINT64_MAX stands for 2^64 */
    bool enabled, romd, nonvolatile, global_lock_free;
    bool dirty_display;           /* dirty tracking for the display is on */
    /* writes are ignored: RAM behaving as ROM, or a read-only alias */
    bool readonly;
    bool was_mapped;              /* readers may have seen it: fini waits for them */
    int priority;
    Region *container;            /* where it is mapped, NULL: nowhere */
    hwaddr addr;                  /* in the container */
    GPtrArray *children;          /* Region *, highest priority first */
    const RegionOps *ops;
    void *opaque;
    RamBlock *ram;                /* RAM, ROM, ROMD */
    hwaddr ram_offset;
    Region *alias;
    hwaddr alias_offset;
    bool (*translate)(Region *iommu, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out);
    /* MemAttrs-aware access, used instead of ops when set (local APIC, MSI windows). */
    MemResult (*access)(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                        MemAttrs attrs);
};

void region_init_container(Region *r, Object *owner, const char *name, uint64_t size);
/* Anonymous RAM, zero-filled, not reserved in advance. */
bool region_init_ram(Region *r, Object *owner, const char *name, uint64_t size, GError **error);
bool region_init_rom(Region *r, Object *owner, const char *name, uint64_t size, GError **error);
bool region_init_romd(Region *r, Object *owner, const char *name, uint64_t size,
                      const RegionOps *ops, void *opaque, GError **error);
void region_init_io(Region *r, Object *owner, const char *name, uint64_t size, const RegionOps *ops,
                    void *opaque);
void region_init_alias(Region *r, Object *owner, const char *name, Region *target, hwaddr offset,
                       uint64_t size);
void region_init_iommu(Region *r, Object *owner, const char *name, uint64_t size,
                       bool (*translate)(Region *, hwaddr, bool, MemAttrs, IommuEntry *));
/* Unmaps and frees what the region owns (not the struct), after readers are gone. */
void region_fini(Region *r);

/* Maps child into container at addr. Higher priority hides lower; 0 is usual. */
void region_add(Region *container, hwaddr addr, Region *child, int priority);
void region_remove(Region *child);
void region_set_enabled(Region *r, bool enabled);
void region_set_address(Region *r, hwaddr addr);
void region_set_size(Region *r, uint64_t size);
void region_set_alias_offset(Region *r, hwaddr offset);
/* RAM <-> ROM behaviour (PAM registers), ROMD reads direct or through ops. */
void region_set_readonly(Region *r, bool readonly);
void region_set_romd(Region *r, bool romd);
/*
 * Waits until vCPUs and others that may have been reading or writing memory at the call have left.
 * The machine lock, which is held, is dropped meanwhile. Any thread.
 */
void memory_wait_for_readers(void);
/* Changes between these take effect together at the outermost commit. */
void memory_transaction_begin(void);
void memory_transaction_commit(void);

/* Host address of a RAM/ROM region's first byte; for its owner (ROM loading, display). */
void *region_host(Region *r);
RamBlock *region_ram_block(Region *r);

/* ---- dirty tracking: one bit a 4 KiB page and client ---- */
typedef enum DirtyClient { DIRTY_DISPLAY, DIRTY_MIGRATION, DIRTY_CODE, DIRTY_CLIENTS } DirtyClient;
/* Turns tracking on for the display; the other clients are always / globally tracked. */
void region_track_display(Region *r, bool on);
/* Reads and clears: calls fn for each dirty run [offset, offset+len). Any thread. */
void region_dirty_take(Region *r, DirtyClient c, hwaddr offset, uint64_t len,
                       void (*fn)(hwaddr offset, uint64_t len, void *opaque), void *opaque);
/* The same for a whole block of RAM, which the caller keeps from going. */
void ram_dirty_take(RamBlock *b, DirtyClient c,
                    void (*fn)(hwaddr offset, uint64_t len, void *opaque), void *opaque);
/* All of RAM is dirty again, so that nobody pays for tracking. Machine lock. */
void ram_dirty_fill(DirtyClient c);
/* Marks written by the host side; also invalidates translated code there. */
void region_dirty_set(Region *r, hwaddr offset, uint64_t len);

/* ---- RAM blocks: guest RAM as the translator and migration see it ---- */
struct RamBlock {
    uint8_t *host;
    uint64_t offset;              /* place in the ram_addr space; unique, page aligned */
    uint64_t size;
    char *id;                     /* "pc.ram" */
    int fd;                       /* -1: anonymous */
    bool shared;                  /* other processes that map fd see what is written */
    /* bit set: dirty. For DIRTY_CODE: set = no translated code in the page */
    unsigned long *dirty[DIRTY_CLIENTS];
    RamBlock *next;
};
typedef uint64_t ram_addr;
typedef enum RamFlags {
    RAM_SHARED = 1,               /* what is written reaches the file */
    RAM_NO_RESERVE = 2,           /* no swap space is set aside */
} RamFlags;
/*
 * Of a file, memfd or hugetlbfs for -object memory-backend-*; fd -1: anonymous. The descriptor is
 * taken over, but not when it fails.
 */
bool region_init_ram_fd(Region *r, Object *owner, const char *name, uint64_t size, int fd,
                        RamFlags flags, GError **error);
RamBlock *ram_block_find(ram_addr addr);
void *ram_host(ram_addr addr);
RamBlock *ram_blocks(void);
/*
 * The translator's view of RAM changes; set by accel/tcg, NULL without it.
 * written: bytes changed behind the vCPUs' backs (DMA, loaders, debugger) in a page whose
 * DIRTY_CODE bit is clear: drops translations of them. Called by whoever writes, after the write.
 * cleaned: dirty bits of a display or migration client were cleared: vCPUs' fast write paths there
 * must go. Any thread.
 */
typedef struct RamHooks {
    void (*written)(RamBlock *b, uint64_t offset, uint64_t len);
    void (*cleaned)(RamBlock *b, uint64_t offset, uint64_t len);
    /* Asks vCPUs out of guest code, so that what they read under RCU can go. Machine lock. */
    void (*kick)(void);
    /* Dirty bits of a block are about to be read: notes writes that are known elsewhere (KVM's log). */
    void (*sync)(RamBlock *b);
    /* region_track_display changed. Machine lock. */
    void (*tracked)(void);
} RamHooks;
extern RamHooks ram_hooks;             /* exec/; set once at start-up */

/* RAM or ROM in an address space. */
typedef struct RamRange {
    hwaddr addr;
    uint64_t len, offset;         /* offset of its first byte in the block */
    RamBlock *block;
    bool readonly;                /* writes are ignored or go to a device */
    bool display;                 /* dirty tracking for the display is on */
} RamRange;
/* fn for each in order of addresses. Machine lock. */
void address_space_each_ram(AddressSpace *as, void (*fn)(const RamRange *r, void *opaque),
                            void *opaque);

/* ---- address spaces ---- */
struct AddressSpace {
    char *name;
    Region *root;
    struct FlatView *view;        /* current; RCU */
    AddressSpace *next;
    /* Called after the view changed (machine lock); TLB flush hooks in here. */
    void (*changed)(AddressSpace *as, void *opaque);
    void *changed_opaque;
};
void address_space_init(AddressSpace *as, Region *root, const char *name);
void address_space_fini(AddressSpace *as);
/* The AddressSpace of a device that no bus gave one: system memory. */
AddressSpace *address_space_memory(void);
AddressSpace *address_space_io(void);
void address_spaces_init(Vm *vm);      /* creates vm->memory, vm->io and their address spaces */

/*
 * Accesses of any length and alignment; parts that decode to nothing read as ones. RAM needs
 * no lock; device parts take the machine lock if the caller does not hold it.
 */
MemResult address_space_read(AddressSpace *as, hwaddr addr, MemAttrs attrs, void *buf, size_t len);
MemResult address_space_write(AddressSpace *as, hwaddr addr, MemAttrs attrs, const void *buf,
                              size_t len);
MemResult address_space_fill(AddressSpace *as, hwaddr addr, MemAttrs attrs, uint8_t byte,
                             uint64_t len);
/* For loaders and debuggers: writes ROM as well as RAM, and no device. */
void address_space_write_rom(AddressSpace *as, hwaddr addr, const void *buf, size_t len);
/*
 * count accesses of size bytes, one after the other, all of them at addr: a port that is a FIFO.
 * buf has them in little-endian order. The machine lock is held over all that a device gets.
 */
MemResult address_space_run(AddressSpace *as, hwaddr addr, unsigned size, bool write,
                            MemAttrs attrs, void *buf, size_t count);
/* One naturally sized access in the given byte order. */
uint64_t address_space_load(AddressSpace *as, hwaddr addr, unsigned size, Endian e, MemAttrs attrs,
                            MemResult *result);
MemResult address_space_store(AddressSpace *as, hwaddr addr, uint64_t value, unsigned size,
                              Endian e, MemAttrs attrs);

/* What lies at addr: one leaf of the flat view after IOMMUs. Valid under rcu_read_lock. */
typedef struct Section {
    Region *region;               /* RAM/ROM/ROMD/IO leaf; NULL: nothing there */
    hwaddr offset;                /* in the region */
    /* bytes from here to the end of the section (after IOMMU: of the page) */
    uint64_t len;
    bool readonly;                /* ROM, or RAM behind a read-only alias */
} Section;
/* attrs matter to IOMMUs. Any thread, under rcu_read_lock. */
Section address_space_lookup(AddressSpace *as, hwaddr addr, bool write, MemAttrs attrs);
/*
 * Host memory behind a section, good for up to s->len bytes, if the access needs no device:
 * NULL for devices, ROMD in command mode, and writes to what is read-only. A writer calls
 * ram_written afterwards.
 */
uint8_t *section_host(const Section *s, bool write);
/* After writing len bytes at `offset` of block b: dirty bits, translated code. Any thread. */
void ram_written(RamBlock *b, uint64_t offset, uint64_t len);
/* Whether every client has the page at `offset` marked dirty: writes need no more attention. */
bool ram_page_all_dirty(const RamBlock *b, uint64_t offset);
/*
 * Device access on a leaf that address_space_lookup returned; takes the machine lock as needed
 * (so not inside rcu_read_lock, unless the lock is held already). size 1..8; value as a load
 * or store of byte order e sees it.
 */
MemResult region_read(Region *r, hwaddr offset, uint64_t *value, unsigned size, Endian e,
                      MemAttrs attrs);
MemResult region_write(Region *r, hwaddr offset, uint64_t value, unsigned size, Endian e,
                       MemAttrs attrs);

/*
 * Maps guest memory for zero-copy I/O: up to *len bytes; *len becomes what was mapped. Falls
 * back to a bounded bounce buffer for what is no RAM; NULL when that is in use (retry later)
 * or nothing is there. Unmap with the bytes really transferred.
 */
void *address_space_map(AddressSpace *as, hwaddr addr, uint64_t *len, bool is_write,
                        MemAttrs attrs);
void address_space_unmap(AddressSpace *as, void *host, uint64_t len, bool is_write, uint64_t done);

/* The address space of that name ("memory", "I/O"), NULL: none. */
AddressSpace *address_space_find(const char *name);

/* HMP info mtree. */
void memory_print_tree(GString *out, bool flat);

#endif
