// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requesters' address spaces and the cache of translations that intel-iommu and amd-iommu have in
 * common. In each of the spaces FEExxxxxh is the window of messages.
 */
#include "hw/i386/x86-iommu.h"
#include "qom/vm.h"

#define MESSAGES_BASE 0xfee00000u
#define MESSAGES_SIZE 0x100000u

/* ---- cache ---- */

static X86IommuEntry *tlb_slot(X86IommuTlb *t, uint16_t source, uint64_t iova)
{
    return &t->entry[(iova >> 12 ^ source * 37u) % X86_IOMMU_TLB];
}

const X86IommuEntry *x86_iommu_tlb_find(X86IommuTlb *t, uint16_t source, uint64_t iova, bool write)
{
    const X86IommuEntry *e = tlb_slot(t, source, iova);

    return e->valid && e->source == source && ((iova ^ e->page) & ~e->mask) == 0 &&
                   (write ? e->write : e->read)
               ? e
               : NULL;
}

void x86_iommu_tlb_enter(X86IommuTlb *t, const X86IommuEntry *e, uint64_t iova)
{
    X86IommuEntry *slot = tlb_slot(t, e->source, iova);

    *slot = *e;
    slot->valid = true;
    t->used = true;
}

void x86_iommu_tlb_flush(X86IommuTlb *t)
{
    if (t->used) {
        memset(t->entry, 0, sizeof(t->entry));
        t->used = false;
    }
}

void x86_iommu_tlb_flush_domain(X86IommuTlb *t, uint16_t domain, uint64_t address, uint64_t mask)
{
    for (unsigned i = 0; t->used && i < X86_IOMMU_TLB; i++) {
        X86IommuEntry *e = &t->entry[i];

        if (e->valid && e->domain == domain && ((e->page ^ address) & ~(mask | e->mask)) == 0) {
            e->valid = false;
        }
    }
}

/* ---- requesters ---- */

static uint64_t messages_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

/* Writes there are interrupts, never DMA. */
static void messages_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    X86IommuSource *s = opaque;
    X86Remapper *r = &s->iommu->remapper;
    X86Interrupt i;

    if (r->remap(r->opaque, s->id, MESSAGES_BASE + offset, (uint32_t)value, &i)) {
        x86_interrupt_deliver(s->iommu->owner->vm, i);
    }
}

static const RegionOps messages_ops = {
    .read = messages_read,
    .write = messages_write,
    .min_size = 4,
    .max_size = 4,
    .endian = DEV_LITTLE,
};

static void source_update(X86IommuSource *s)
{
    bool on = s->iommu->translates(s);

    region_set_enabled(&s->translated, on);
    region_set_enabled(&s->direct, !on);
}

static AddressSpace *address_space_of(PciBus *root, void *opaque, uint16_t requester)
{
    X86Iommu *u = opaque;
    X86IommuSource *s = g_hash_table_lookup(u->sources, GUINT_TO_POINTER(requester));

    if (!s) {
        Object *owner = &u->owner->obj;

        s = g_malloc0(u->source_size);
        s->iommu = u;
        s->id = requester;
        region_init_container(&s->root, owner, "iommu-root", UINT64_MAX);
        region_init_alias(&s->direct, owner, "iommu-direct", u->owner->vm->memory, 0, UINT64_MAX);
        region_init_iommu(&s->translated, owner, "iommu-translated", UINT64_MAX, u->translate);
        region_init_io(&s->messages, owner, "iommu-messages", MESSAGES_SIZE, &messages_ops, s);
        source_update(s);
        region_add(&s->root, 0, &s->direct, 0);
        region_add(&s->root, 0, &s->translated, 0);
        region_add(&s->root, MESSAGES_BASE, &s->messages, 1);
        address_space_init(&s->as, &s->root, "iommu-root");
        g_hash_table_insert(u->sources, GUINT_TO_POINTER(requester), s);
    }
    return &s->as;
}

void x86_iommu_foreach(X86Iommu *u, void (*fn)(X86IommuSource *s))
{
    GHashTableIter i;
    gpointer source;

    g_hash_table_iter_init(&i, u->sources);
    while (g_hash_table_iter_next(&i, NULL, &source)) {
        fn(source);
    }
}

void x86_iommu_update(X86Iommu *u)
{
    memory_transaction_begin();
    x86_iommu_foreach(u, source_update);
    memory_transaction_commit();
}

bool x86_iommu_load(X86Iommu *u, uint64_t address, uint64_t *words, unsigned n)
{
    if (address_space_read(u->owner->vm->memory_as, address, ATTRS_NONE, words, n * 8) != MEM_OK) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = GUINT64_FROM_LE(words[i]);
    }
    return true;
}

void x86_iommu_init(X86Iommu *u, PciBus *root)
{
    u->sources = g_hash_table_new(NULL, NULL);
    vm_publish(u->owner->vm, X86_REMAPPER, &u->remapper);
    pci_set_iommu(root, address_space_of, u);
}

static void source_free(X86IommuSource *s)
{
    address_space_fini(&s->as);
    region_fini(&s->messages);
    region_fini(&s->translated);
    region_fini(&s->direct);
    region_fini(&s->root);
    g_free(s);
}

void x86_iommu_fini(X86Iommu *u, PciBus *root)
{
    pci_set_iommu(root, NULL, NULL);
    vm_publish(u->owner->vm, X86_REMAPPER, NULL);
    x86_iommu_foreach(u, source_free);
    g_clear_pointer(&u->sources, g_hash_table_unref);
}
