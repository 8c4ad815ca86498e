// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Regions, the tree that they form, address spaces, and the transactions that make a new view
 * of it current. Contract: include/exec/memory.h.
 */
#include "exec/loader.h"
#include "exec/view.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "qom/vm.h"
#include "util/main-loop.h"
#include "util/rcu.h"

/*
 * The process has one set of address spaces and one transaction at a time; machine lock (or
 * start-up, before there are other threads).
 */
static struct {
    AddressSpace *spaces, **spaces_end;
    unsigned depth;
    bool changed;
    AddressSpace *memory, *io;
} state;

/* ---- making regions ---- */

static void region_init(Region *r, Object *owner, const char *name, RegionKind kind, uint64_t size)
{
    memset(r, 0, sizeof(*r));
    r->owner = owner;
    r->name = g_strdup(name);
    r->kind = kind;
    r->size = size;
    r->enabled = true;
}

void region_init_container(Region *r, Object *owner, const char *name, uint64_t size)
{
    region_init(r, owner, name, REGION_CONTAINER, size);
}

static bool init_ram(Region *r, Object *owner, const char *name, RegionKind kind, uint64_t size,
                     int fd, RamFlags flags, GError **error)
{
    RamBlock *b = ram_block_new(name, size, fd, flags, error);

    if (b == NULL) {
        return false;
    }
    region_init(r, owner, name, kind, size);
    r->ram = b;
    return true;
}

bool region_init_ram(Region *r, Object *owner, const char *name, uint64_t size, GError **error)
{
    return init_ram(r, owner, name, REGION_RAM, size, -1, 0, error);
}

bool region_init_ram_fd(Region *r, Object *owner, const char *name, uint64_t size, int fd,
                        RamFlags flags, GError **error)
{
    return init_ram(r, owner, name, REGION_RAM, size, fd, flags, error);
}

bool region_init_rom(Region *r, Object *owner, const char *name, uint64_t size, GError **error)
{
    return init_ram(r, owner, name, REGION_ROM, size, -1, 0, error);
}

bool region_init_romd(Region *r, Object *owner, const char *name, uint64_t size,
                      const RegionOps *ops, void *opaque, GError **error)
{
    if (!init_ram(r, owner, name, REGION_ROMD, size, -1, 0, error)) {
        return false;
    }
    r->ops = ops;
    r->opaque = opaque;
    r->romd = true;
    return true;
}

void region_init_io(Region *r, Object *owner, const char *name, uint64_t size, const RegionOps *ops,
                    void *opaque)
{
    region_init(r, owner, name, REGION_IO, size);
    r->ops = ops;
    r->opaque = opaque;
}

void region_init_alias(Region *r, Object *owner, const char *name, Region *target, hwaddr offset,
                       uint64_t size)
{
    region_init(r, owner, name, REGION_ALIAS, size);
    r->alias = target;
    r->alias_offset = offset;
}

void region_init_iommu(Region *r, Object *owner, const char *name, uint64_t size,
                       bool (*translate)(Region *, hwaddr, bool, MemAttrs, IommuEntry *))
{
    region_init(r, owner, name, REGION_IOMMU, size);
    r->translate = translate;
}

/* A wait for readers, shared with the thread that sees them gone. */
typedef struct Grace {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool over;
} Grace;

static void grace_over(void *opaque)
{
    Grace *g = opaque;

    pthread_mutex_lock(&g->lock);
    g->over = true;
    pthread_cond_signal(&g->cond);
    pthread_mutex_unlock(&g->lock);
}

/* Waits for at most a millisecond. */
static bool grace_wait(Grace *g)
{
    struct timespec until;
    bool over;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&g->lock);
    if (!g->over) {
        pthread_cond_timedwait(&g->cond, &g->lock, &until);
    }
    over = g->over;
    pthread_mutex_unlock(&g->lock);
    return over;
}

/*
 * Readers may wait for the machine lock on their way to a device: it is dropped meanwhile. A
 * vCPU in a tight loop reads for as long as nobody calls it out.
 */
void memory_wait_for_readers(void)
{
    Grace g = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    bool locked = machine_locked();
    bool over = false;

    if (!locked || ram_hooks.kick == NULL || !runstate_running()) {
        if (locked) {
            machine_unlock();
        }
        rcu_synchronize();
        if (locked) {
            machine_lock();
        }
        return;
    }
    rcu_call(grace_over, &g);
    while (!over) {
        ram_hooks.kick();
        machine_unlock();
        over = grace_wait(&g);
        machine_lock();
    }
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.cond);
}

void region_fini(Region *r)
{
    if (r->name == NULL) {
        return;    /* was never made */
    }
    memory_transaction_begin();
    if (r->container != NULL) {
        region_remove(r);
    }
    while (r->children != NULL && r->children->len > 0) {
        region_remove(r->children->pdata[0]);
    }
    memory_transaction_commit();
    if (r->was_mapped) {
        memory_wait_for_readers();
    }
    if (r->ram != NULL) {
        ram_block_free(r->ram);
    }
    g_clear_pointer(&r->children, g_ptr_array_unref);
    g_clear_pointer(&r->name, g_free);
    r->ram = NULL;
}

/* ---- the tree ---- */

void memory_transaction_begin(void)
{
    state.depth++;
}

static void changed(void)
{
    memory_transaction_begin();
    state.changed = true;
    memory_transaction_commit();
}

void region_add(Region *container, hwaddr addr, Region *child, int priority)
{
    unsigned i = 0;

    g_assert(child->container == NULL && child != container);
    if (container->children == NULL) {
        container->children = g_ptr_array_new();
    }
    while (i < container->children->len &&
           ((Region *)container->children->pdata[i])->priority > priority) {
        i++;
    }
    child->container = container;
    child->addr = addr;
    child->priority = priority;
    g_ptr_array_insert(container->children, i, child);
    changed();
}

void region_remove(Region *child)
{
    g_assert(child->container != NULL);
    g_ptr_array_remove(child->container->children, child);
    child->container = NULL;
    changed();
}

void region_set_enabled(Region *r, bool enabled)
{
    if (r->enabled != enabled) {
        r->enabled = enabled;
        changed();
    }
}

void region_set_address(Region *r, hwaddr addr)
{
    Region *container = r->container;

    if (r->addr == addr) {
        return;
    }
    if (container == NULL) {
        r->addr = addr;
        return;
    }
    memory_transaction_begin();
    region_remove(r);
    region_add(container, addr, r, r->priority);
    memory_transaction_commit();
}

void region_set_size(Region *r, uint64_t size)
{
    g_assert(r->ram == NULL || size <= r->ram->size);
    if (r->size != size) {
        r->size = size;
        changed();
    }
}

void region_set_alias_offset(Region *r, hwaddr offset)
{
    if (r->alias_offset != offset) {
        r->alias_offset = offset;
        changed();
    }
}

void region_set_readonly(Region *r, bool readonly)
{
    if (r->readonly != readonly) {
        r->readonly = readonly;
        changed();
    }
}

void region_set_romd(Region *r, bool romd)
{
    if (r->romd != romd) {
        r->romd = romd;
        changed();
    }
}

/* ---- publishing ---- */

static void show_view(AddressSpace *as, FlatView *v)
{
    FlatView *old = as->view;

    v->refs++;
    rcu_set(&as->view, v);
    view_unref(old);
    if (as->changed != NULL) {
        as->changed(as, as->changed_opaque);
    }
}

/* made: root -> view of this commit, so that address spaces with one root share it. */
static void update_space(AddressSpace *as, GHashTable *made)
{
    Region *root = root_resolve(as->root);
    FlatView *v = g_hash_table_lookup(made, root);

    if (v == NULL) {
        v = view_render(root);
        if (as->view != NULL && view_equal(v, as->view)) {
            g_free(v);
            v = as->view;
        }
        v->refs++;    /* the table's, dropped at the end of the commit */
        g_hash_table_insert(made, root, v);
    }
    if (v != as->view && (as->view == NULL || !view_equal(v, as->view))) {
        show_view(as, v);
    }
}

static void drop_made(gpointer root, gpointer view, gpointer unused)
{
    view_unref(view);
}

void memory_transaction_commit(void)
{
    g_assert(state.depth > 0);
    if (--state.depth > 0 || !state.changed) {
        return;
    }
    state.changed = false;
    {
        GHashTable *made = g_hash_table_new(NULL, NULL);

        for (AddressSpace *as = state.spaces; as != NULL; as = as->next) {
            update_space(as, made);
        }
        g_hash_table_foreach(made, drop_made, NULL);
        g_hash_table_unref(made);
    }
}

/* ---- address spaces ---- */

void address_space_each_ram(AddressSpace *as, void (*fn)(const RamRange *r, void *opaque),
                            void *opaque)
{
    const FlatView *v = as->view;

    for (unsigned i = 0; v != NULL && i < v->count; i++) {
        const FlatRange *f = &v->ranges[i];
        Region *r = f->region;

        if (r->kind != REGION_RAM && r->kind != REGION_ROM &&
            !(r->kind == REGION_ROMD && f->romd)) {
            continue;
        }
        fn(&(RamRange){.addr = f->first,
                       .len = f->last - f->first + 1,
                       .offset = r->ram_offset + f->offset,
                       .block = r->ram,
                       .readonly = f->readonly || r->kind != REGION_RAM,
                       .display = r->dirty_display},
           opaque);
    }
}

AddressSpace *address_spaces(void)
{
    return state.spaces;
}

void address_space_init(AddressSpace *as, Region *root, const char *name)
{
    GHashTable *made = g_hash_table_new(NULL, NULL);

    memset(as, 0, sizeof(*as));
    as->name = g_strdup(name);
    as->root = root;
    if (state.spaces_end == NULL) {
        state.spaces_end = &state.spaces;
    }
    *state.spaces_end = as;
    state.spaces_end = &as->next;
    for (AddressSpace *other = state.spaces; other != as; other = other->next) {
        if (root_resolve(other->root) == root_resolve(root) && state.depth == 0) {
            other->view->refs++;
            g_hash_table_insert(made, root_resolve(root), other->view);
            break;
        }
    }
    update_space(as, made);
    g_hash_table_foreach(made, drop_made, NULL);
    g_hash_table_unref(made);
}

void address_space_fini(AddressSpace *as)
{
    AddressSpace **link = &state.spaces;

    if (as->name == NULL) {
        return;
    }
    while (*link != as) {
        link = &(*link)->next;
    }
    *link = as->next;
    if (state.spaces_end == &as->next) {
        state.spaces_end = link;
    }
    memory_wait_for_readers();
    view_unref(as->view);
    as->view = NULL;
    g_clear_pointer(&as->name, g_free);
}

AddressSpace *address_space_find(const char *name)
{
    for (AddressSpace *as = state.spaces; as != NULL; as = as->next) {
        if (strcmp(as->name, name) == 0) {
            return as;
        }
    }
    return NULL;
}

AddressSpace *address_space_memory(void)
{
    return state.memory;
}

AddressSpace *address_space_io(void)
{
    return state.io;
}

static void load_roms(Vm *vm)
{
    rom_reset();
}

void address_spaces_init(Vm *vm)
{
    vm->load_roms = load_roms;
    vm->memory = g_new0(Region, 1);
    region_init_container(vm->memory, NULL, "system", UINT64_MAX);
    vm->memory_as = g_new0(AddressSpace, 1);
    address_space_init(vm->memory_as, vm->memory, "memory");
    vm->io = g_new0(Region, 1);
    region_init_container(vm->io, NULL, "io", 65536);
    vm->io_as = g_new0(AddressSpace, 1);
    address_space_init(vm->io_as, vm->io, "I/O");
    state.memory = vm->memory_as;
    state.io = vm->io_as;
}
