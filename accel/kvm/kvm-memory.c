// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory for KVM: each piece of RAM and ROM of the flat view is a slot (API 4.35); what
 * changes in the view changes slots. Slots that a display shows have a log of the pages that the
 * guest writes (API 4.8), which becomes the pages' dirty bits when somebody asks for those.
 */
#include "kvm-memory.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "util/error.h"

#define PAGE 4096ull

typedef struct Slot {
    struct kvm_userspace_memory_region region;    /* .slot: its number */
    RamBlock *block;
    uint64_t offset;                              /* of its first byte in the block */
} Slot;

/* One VM for the process: what the hooks of exec/ need. */
static struct {
    pthread_mutex_t lock;
    Kvm *kvm;
    AddressSpace *as;
    GArray *slots;                                /* Slot */
    unsigned max_slots;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void collect(const RamRange *r, void *opaque)
{
    GArray *out = opaque;
    uint64_t skip = -r->addr & (PAGE - 1);
    Slot s = {.block = r->block, .offset = r->offset + skip};

    if (r->len < skip || ((r->offset + skip) & (PAGE - 1))) {
        return;                                   /* reached by exits */
    }
    s.region.guest_phys_addr = r->addr + skip;
    s.region.memory_size = (r->len - skip) & ~(PAGE - 1);
    s.region.userspace_addr = (uintptr_t)r->block->host + s.offset;
    s.region.flags =
        (r->readonly ? KVM_MEM_READONLY : 0) | (r->display ? KVM_MEM_LOG_DIRTY_PAGES : 0);
    if (s.region.memory_size) {
        g_array_append_val(out, s);
    }
}

static bool same(const Slot *a, const Slot *b)
{
    return a->region.guest_phys_addr == b->region.guest_phys_addr &&
           a->region.memory_size == b->region.memory_size &&
           a->region.userspace_addr == b->region.userspace_addr &&
           a->region.flags == b->region.flags;
}

static Slot *find(GArray *slots, const Slot *s)
{
    for (unsigned i = 0; i < slots->len; i++) {
        if (same(&g_array_index(slots, Slot, i), s)) {
            return &g_array_index(slots, Slot, i);
        }
    }
    return NULL;
}

static void set_slot(struct kvm_userspace_memory_region *r)
{
    if (kvm_ioctl(memory.kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, r) < 0) {
        warn_report("KVM: memory at 0x%llx, 0x%llx bytes: %s", r->guest_phys_addr, r->memory_size,
                     strerror(errno));
    }
}

/* The pages of a slot that the guest has written become dirty. Lock. */
static void take_log(const Slot *s)
{
    uint64_t pages = s->region.memory_size / PAGE;
    g_autofree uint64_t *bits = g_new0(uint64_t, (pages + 63) / 64);
    struct kvm_dirty_log log = {.slot = s->region.slot, .dirty_bitmap = bits};

    if (kvm_ioctl(memory.kvm->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0) {
        return;
    }
    for (uint64_t n = 0; n < pages; n++) {
        if (bits[n / 64] >> n % 64 & 1) {
            ram_written(s->block, s->offset + n * PAGE, PAGE);
        }
    }
}

static uint32_t free_number(const uint8_t *used)
{
    uint32_t n = 0;

    while (n < memory.max_slots && used[n]) {
        n++;
    }
    return n;
}

/* Slots as the view has them: those that are gone or changed go first. */
static void update(void)
{
    GArray *next = g_array_new(FALSE, FALSE, sizeof(Slot));
    g_autofree uint8_t *used = g_new0(uint8_t, memory.max_slots + 1);

    address_space_each_ram(memory.as, collect, next);
    pthread_mutex_lock(&memory.lock);
    for (unsigned i = 0; i < memory.slots->len; i++) {
        Slot *old = &g_array_index(memory.slots, Slot, i), *kept = find(next, old);

        if (kept) {
            kept->region.slot = old->region.slot;
            used[old->region.slot] = 1;
            continue;
        }
        if (old->region.flags & KVM_MEM_LOG_DIRTY_PAGES) {
            take_log(old);
        }
        old->region.memory_size = 0;
        set_slot(&old->region);
    }
    for (unsigned i = 0; i < next->len; i++) {
        Slot *s = &g_array_index(next, Slot, i);

        if (find(memory.slots, s)) {
            continue;
        }
        s->region.slot = free_number(used);
        used[s->region.slot] = 1;
        if (s->region.slot == memory.max_slots) {
            warn_report("KVM: no memory slot is left for 0x%llx", s->region.guest_phys_addr);
            g_array_remove_index(next, i--);
            continue;
        }
        set_slot(&s->region);
    }
    g_array_free(memory.slots, TRUE);
    memory.slots = next;
    pthread_mutex_unlock(&memory.lock);
}

static void view_changed(AddressSpace *as, void *opaque)
{
    update();
}

/* Somebody looks at the display's dirty bits of a block. Any thread. */
static void sync_block(RamBlock *b)
{
    pthread_mutex_lock(&memory.lock);
    for (unsigned i = 0; memory.slots && i < memory.slots->len; i++) {
        const Slot *s = &g_array_index(memory.slots, Slot, i);

        if (s->block == b && s->region.flags & KVM_MEM_LOG_DIRTY_PAGES) {
            take_log(s);
        }
    }
    pthread_mutex_unlock(&memory.lock);
}

void kvm_memory_start(Kvm *k, AddressSpace *as)
{
    int slots = kvm_has(k, KVM_CAP_NR_MEMSLOTS);

    if (memory.kvm) {
        return;
    }
    memory.kvm = k;
    memory.as = as;
    memory.max_slots = slots > 0 ? (unsigned)slots : 32;
    memory.slots = g_array_new(FALSE, FALSE, sizeof(Slot));
    ram_hooks = (RamHooks){.sync = sync_block, .tracked = update};
    as->changed = view_changed;
    update();
}

void kvm_memory_stop(void)
{
    if (!memory.kvm) {
        return;
    }
    memory.as->changed = NULL;
    ram_hooks = (RamHooks){0};
    pthread_mutex_lock(&memory.lock);
    g_array_free(memory.slots, TRUE);
    memory.slots = NULL;
    memory.kvm = NULL;
    pthread_mutex_unlock(&memory.lock);
}
