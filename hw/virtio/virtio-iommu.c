// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio IOMMU (Virtual I/O Device 1.2, 5.13) of PCs: DMA of the PCI functions on its root bus
 * passes through the domains that the driver makes. Message interrupts pass always. Left out: page
 * tables of the guest, MMIO mappings of other kinds than memory's.
 */
#include <pthread.h>

#include "hw/virtio/virtio.h"
#include "qom/vm.h"
#include "util/blob.h"
#include "util/error.h"

#define GRANULE_MASK 0xfffull
#define PROBE_SIZE 512u
#define MAX_MAPPINGS (1u << 20)
#define MAX_FAULTS 64u
#define QUEUE_SIZE 256
#define MSI_START 0xfee00000ull
#define MSI_END 0xfeefffffull

enum {
    F_INPUT_RANGE,
    F_DOMAIN_RANGE,
    F_MAP_UNMAP,
    F_PROBE = 4,
    F_MMIO,
    F_BYPASS_CONFIG
};
enum {
    T_ATTACH = 1,
    T_DETACH,
    T_MAP,
    T_UNMAP,
    T_PROBE
};
enum {
    S_OK,
    S_IOERR,
    S_UNSUPP,
    S_DEVERR,
    S_INVAL,
    S_RANGE,
    S_NOENT,
    S_FAULT,
    S_NOMEM
};
enum {
    MAP_READ = 1,
    MAP_WRITE = 2,
    MAP_MMIO = 4,
    ATTACH_BYPASS = 1
};
enum {
    FAULT_DOMAIN = 1,
    FAULT_MAPPING = 2,
    FAULT_READ = 1,
    FAULT_WRITE = 2,
    FAULT_ADDRESS = 0x100
};
enum {
    REQUEST_QUEUE,
    EVENT_QUEUE
};
#define CONFIG_BYPASS 36u

typedef struct VirtioIommu VirtioIommu;

typedef struct Mapping {
    uint64_t start, end, phys;
    uint32_t flags;
} Mapping;

typedef struct Domain {
    uint32_t id;
    bool bypass;
    unsigned endpoints;
    GTree *mappings; /* Mapping *, by their ranges, which do not overlap */
} Domain;

/* A PCI function, by its requester id. */
typedef struct Endpoint {
    VirtioIommu *s;
    uint16_t id;
    Domain *domain; /* NULL: none */
    Region region;
    AddressSpace as;
} Endpoint;

typedef struct Fault {
    uint8_t reason;
    uint32_t flags;
    uint16_t endpoint;
    uint64_t address;
} Fault;

struct VirtioIommu {
    VirtioDevice v;
    bool boot_bypass;
    bool bypass; /* of functions without a domain */
    PciBus *root;
    GHashTable *endpoints; /* id -> Endpoint */
    GHashTable *domains; /* id -> Domain */
    unsigned num_mappings;
    /* Guards the two tables and what is in them: DMA of other threads looks there too. */
    pthread_mutex_t lock;
    Fault faults[MAX_FAULTS];
    unsigned num_faults;
    Bh *fault_bh;
    GByteArray *saved; /* the requests that make what is there, while the machine is saved */
};

/* ---- translation; any thread ---- */

static int mapping_compare(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const Mapping *x = a, *y = b;

    return x->end < y->start ? -1 : x->start > y->end;
}

static const Mapping *mapping_at(const Domain *d, uint64_t start, uint64_t end)
{
    return g_tree_lookup(d->mappings, &(Mapping){.start = start, .end = end});
}

static void remember_fault(Endpoint *e, uint8_t reason, uint64_t address, bool write)
{
    VirtioIommu *s = e->s;

    if (s->num_faults < MAX_FAULTS) {
        s->faults[s->num_faults++] =
            (Fault){.reason = reason,
                    .flags = FAULT_ADDRESS | (write ? FAULT_WRITE : FAULT_READ),
                    .endpoint = e->id,
                    .address = address};
        bh_schedule(s->fault_bh);
    }
}

/* The largest aligned block around iova that the mapping translates as one. */
static uint64_t block_mask(const Mapping *m, uint64_t iova)
{
    uint64_t mask = GRANULE_MASK;

    for (;;) {
        uint64_t wider = mask << 1 | 1, first = iova & ~wider;

        if (wider > (1ull << 40) || first < m->start || (first | wider) > m->end ||
            ((m->phys - m->start) & wider)) {
            return mask;
        }
        mask = wider;
    }
}

static bool translate_locked(Endpoint *e, hwaddr iova, bool write, IommuEntry *out)
{
    const VirtioIommu *s = e->s;
    const Domain *d = e->domain;
    const Mapping *m = NULL;

    if (iova >= MSI_START && iova <= MSI_END) {
        *out = (IommuEntry){
            .mask = MSI_END - MSI_START, .translated = MSI_START, .read = true, .write = true};
        return true;
    }
    if (d ? d->bypass : s->bypass) {
        *out = (IommuEntry){.mask = UINT64_MAX, .read = true, .write = true};
        return true;
    }
    if (!d) {
        remember_fault(e, FAULT_DOMAIN, iova, write);
        return false;
    }
    m = mapping_at(d, iova, iova);
    if (!m || !(m->flags & (write ? MAP_WRITE : MAP_READ))) {
        remember_fault(e, FAULT_MAPPING, iova, write);
        return false;
    }
    uint64_t mask = block_mask(m, iova);

    *out = (IommuEntry){.mask = mask,
                        .translated = (iova - m->start + m->phys) & ~mask,
                        .read = m->flags & MAP_READ,
                        .write = m->flags & MAP_WRITE};
    return true;
}

static bool iommu_translate(Region *region, hwaddr iova, bool write, MemAttrs attrs,
                            IommuEntry *out)
{
    Endpoint *e = CONTAINER_OF(region, Endpoint, region);

    pthread_mutex_lock(&e->s->lock);
    bool ok = translate_locked(e, iova, write, out);

    pthread_mutex_unlock(&e->s->lock);
    out->target = e->s->root->as;
    out->iova = iova & ~out->mask;
    return ok;
}

/* The endpoint of a function; made when it is asked for. */
static Endpoint *endpoint_get(VirtioIommu *s, uint16_t id)
{
    Endpoint *e = g_hash_table_lookup(s->endpoints, GUINT_TO_POINTER(id));

    if (!e) {
        e = g_new0(Endpoint, 1);
        e->s = s;
        e->id = id;
        region_init_iommu(&e->region, &s->v.pci.dev.obj, "virtio-iommu-endpoint", UINT64_MAX,
                          iommu_translate);
        address_space_init(&e->as, &e->region, "virtio-iommu-endpoint");
        g_hash_table_insert(s->endpoints, GUINT_TO_POINTER(id), e);
    }
    return e;
}

static AddressSpace *iommu_address_space(PciBus *root, void *opaque, uint16_t requester)
{
    VirtioIommu *s = opaque;

    /* the IOMMU's own queues are not translated */
    return requester == s->v.pci.dev.requester_id ? root->as : &endpoint_get(s, requester)->as;
}

/* ---- requests, 5.13.6; under the lock ---- */

static void domain_free(gpointer p)
{
    Domain *d = p;

    g_tree_destroy(d->mappings);
    g_free(d);
}

static void detach(Endpoint *e)
{
    VirtioIommu *s = e->s;
    Domain *d = e->domain;

    e->domain = NULL;
    if (d && --d->endpoints == 0) {
        s->num_mappings -= g_tree_nnodes(d->mappings);
        g_hash_table_remove(s->domains, GUINT_TO_POINTER(d->id));
    }
}

static Endpoint *endpoint_of(VirtioIommu *s, uint32_t id)
{
    return id <= UINT16_MAX && pci_find(s->root, id >> 8, id & 0xff) ? endpoint_get(s, id) : NULL;
}

static Domain *domain_of(VirtioIommu *s, uint32_t id)
{
    return g_hash_table_lookup(s->domains, GUINT_TO_POINTER(id));
}

static uint8_t run_attach(VirtioIommu *s, Endpoint *e, const uint8_t *q)
{
    uint32_t id = load_le32(q + 4), flags = load_le32(q + 12);
    Domain *d = domain_of(s, id);

    if (!e) {
        return S_NOENT;
    }
    if ((flags & ~ATTACH_BYPASS) || load_le32(q + 16) ||
        (d && d->bypass != (bool)(flags & ATTACH_BYPASS))) {
        return S_INVAL;
    }
    if (e->domain == d && d) {
        return S_OK;
    }
    detach(e);
    if (!d) {
        d = g_new0(Domain, 1);
        d->id = id;
        d->bypass = flags & ATTACH_BYPASS;
        d->mappings = g_tree_new_full(mapping_compare, NULL, NULL, g_free);
        g_hash_table_insert(s->domains, GUINT_TO_POINTER(id), d);
    }
    d->endpoints++;
    e->domain = d;
    return S_OK;
}

static uint8_t run_detach(VirtioIommu *s, const uint8_t *q)
{
    Endpoint *e = endpoint_of(s, load_le32(q + 8));

    if (!e) {
        return S_NOENT;
    }
    if (!e->domain || e->domain->id != load_le32(q + 4)) {
        return S_INVAL;
    }
    detach(e);
    return S_OK;
}

static uint8_t run_map(VirtioIommu *s, const uint8_t *q)
{
    Domain *d = domain_of(s, load_le32(q + 4));
    Mapping *m, new = {.start = load_le64(q + 8),
                       .end = load_le64(q + 16),
                       .phys = load_le64(q + 24),
                       .flags = load_le32(q + 32)};

    if (!d) {
        return S_NOENT;
    }
    if (d->bypass || (new.flags & ~(MAP_READ | MAP_WRITE | MAP_MMIO)) || new.start > new.end) {
        return S_INVAL;
    }
    if ((new.start &GRANULE_MASK) || (~new.end &GRANULE_MASK) || (new.phys &GRANULE_MASK) ||
        new.end - new.start > UINT64_MAX - new.phys ||
        (new.start <= MSI_END &&new.end >= MSI_START)) {
        return S_RANGE;
    }
    if (mapping_at(d, new.start, new.end)) {
        return S_INVAL;
    }
    if (s->num_mappings == MAX_MAPPINGS) {
        return S_NOMEM;
    }
    m = g_memdup2(&new, sizeof(new));
    g_tree_insert(d->mappings, m, m);
    s->num_mappings++;
    return S_OK;
}

static uint8_t run_unmap(VirtioIommu *s, const uint8_t *q)
{
    Domain *d = domain_of(s, load_le32(q + 4));
    uint64_t start = load_le64(q + 8), end = load_le64(q + 16);
    const Mapping *m;

    if (!d) {
        return S_NOENT;
    }
    if (d->bypass || start > end) {
        return S_INVAL;
    }
    if (((m = mapping_at(d, start, start)) && m->start < start) ||
        ((m = mapping_at(d, end, end)) && m->end > end)) {
        return S_RANGE; /* 5.13.6.6: mappings are not split */
    }
    while ((m = mapping_at(d, start, end)) != NULL) {
        g_tree_remove(d->mappings, m);
        s->num_mappings--;
    }
    return S_OK;
}

/* What every function has to keep free: the window of message interrupts. */
static uint8_t run_probe(VirtioIommu *s, const uint8_t *q, uint8_t *properties)
{
    if (!endpoint_of(s, load_le32(q + 4))) {
        return S_NOENT;
    }
    store_le16(properties, 1); /* RESV_MEM */
    store_le16(properties + 2, 20);
    properties[4] = 1; /* MSI */
    store_le64(properties + 8, MSI_START);
    store_le64(properties + 16, MSI_END);
    return S_OK;
}

static uint32_t run_request(VirtioIommu *s, VirtqElem *e)
{
    static const uint8_t lengths[] = {
        [T_ATTACH] = 20, [T_DETACH] = 20, [T_MAP] = 36, [T_UNMAP] = 28, [T_PROBE] = 72};
    uint8_t q[72] = {0}, tail[PROBE_SIZE + 4] = {0}, *status = tail;
    size_t n = 4;

    virtq_read(&s->v, e, 0, q, sizeof(q));
    if (q[0] >= ARRAY_COUNT(lengths) || !lengths[q[0]]) {
        *status = S_UNSUPP;
    } else if (e->out_len < lengths[q[0]] || (q[0] == T_PROBE && e->in_len < sizeof(tail))) {
        *status = S_INVAL;
    } else {
        pthread_mutex_lock(&s->lock);
        switch (q[0]) {
        case T_ATTACH:
            *status = run_attach(s, endpoint_of(s, load_le32(q + 8)), q);
            break;
        case T_DETACH:
            *status = run_detach(s, q);
            break;
        case T_MAP:
            *status = run_map(s, q);
            break;
        case T_UNMAP:
            *status = run_unmap(s, q);
            break;
        default:
            status = tail + PROBE_SIZE;
            n = sizeof(tail);
            *status = run_probe(s, q, tail);
        }
        pthread_mutex_unlock(&s->lock);
    }
    return virtq_write(&s->v, e, 0, tail, n);
}

static void iommu_notify(VirtioDevice *v, unsigned n)
{
    VirtqElem *e;

    if (n != REQUEST_QUEUE) {
        return;
    }
    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        if (e->out_len < 4 || e->in_len < 4) {
            virtio_error(v, "request without a head or a tail");
            g_free(e);
            return;
        }
        virtq_push(v, e, run_request((VirtioIommu *)v, e));
        g_free(e);
    }
    virtq_notify(v, &v->vq[n]);
}

/* Faults that were remembered go to the driver, as far as it has room for them. */
static void report_faults(void *opaque)
{
    VirtioIommu *s = opaque;
    VirtQueue *vq = &s->v.vq[EVENT_QUEUE];
    Fault faults[MAX_FAULTS];
    unsigned n;

    pthread_mutex_lock(&s->lock);
    n = s->num_faults;
    memcpy(faults, s->faults, n * sizeof(Fault));
    s->num_faults = 0;
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < n; i++) {
        VirtqElem *e = vq->enabled && !s->v.broken ? virtq_pop(&s->v, vq) : NULL;
        uint8_t out[24] = {faults[i].reason};

        if (!e) {
            break;
        }
        store_le32(out + 4, faults[i].flags);
        store_le32(out + 8, faults[i].endpoint);
        store_le64(out + 16, faults[i].address);
        virtq_push(&s->v, e, virtq_write(&s->v, e, 0, out, sizeof(out)));
        g_free(e);
    }
    if (n) {
        virtq_notify(&s->v, vq);
    }
}

/* ---- the device ---- */

static uint64_t iommu_features(VirtioDevice *v)
{
    return VIRTIO_BIT(F_INPUT_RANGE) | VIRTIO_BIT(F_DOMAIN_RANGE) | VIRTIO_BIT(F_MAP_UNMAP) |
           VIRTIO_BIT(F_PROBE) | VIRTIO_BIT(F_MMIO) | VIRTIO_BIT(F_BYPASS_CONFIG);
}

static void iommu_config(VirtioDevice *v)
{
    store_le64(v->config, ~GRANULE_MASK);
    store_le64(v->config + 8, 0);
    store_le64(v->config + 16, UINT64_MAX);
    store_le32(v->config + 24, 0);
    store_le32(v->config + 28, UINT32_MAX);
    store_le32(v->config + 32, PROBE_SIZE);
    store_le32(v->config + CONFIG_BYPASS, ((VirtioIommu *)v)->bypass);
}

static void iommu_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioIommu *s = (VirtioIommu *)v;

    if (off <= CONFIG_BYPASS && off + len > CONFIG_BYPASS && v->config[CONFIG_BYPASS] <= 1) {
        pthread_mutex_lock(&s->lock);
        s->bypass = v->config[CONFIG_BYPASS];
        pthread_mutex_unlock(&s->lock);
    }
}

static void iommu_reset(VirtioDevice *v)
{
    VirtioIommu *s = (VirtioIommu *)v;
    GHashTableIter i;
    gpointer e;

    if (!s->endpoints) {
        return; /* of before realize */
    }
    pthread_mutex_lock(&s->lock);
    g_hash_table_iter_init(&i, s->endpoints);
    while (g_hash_table_iter_next(&i, NULL, &e)) {
        ((Endpoint *)e)->domain = NULL;
    }
    g_hash_table_remove_all(s->domains);
    s->num_mappings = s->num_faults = 0;
    pthread_mutex_unlock(&s->lock);
}

/* Of the machine; the driver's own reset leaves the bypass as it is (5.13.4.2). */
static void iommu_system_reset(VirtioDevice *v)
{
    VirtioIommu *s = (VirtioIommu *)v;

    s->bypass = s->boot_bypass;
}

static void iommu_queue_reset(VirtioDevice *v, unsigned n)
{
}

static bool iommu_realize(VirtioDevice *v, GError **error)
{
    VirtioIommu *s = (VirtioIommu *)v;
    PciBus *root = v->pci.bus;

    if (strcmp(v->pci.dev.vm->arch, "x86_64") != 0 && strcmp(v->pci.dev.vm->arch, "i386") != 0) {
        return fail(error, "virtio-iommu-pci: only PCs tell their guests of it");
    }
    if (v->transport_device || !root || root->parent) {
        return fail(error, "virtio-iommu-pci must be plugged on the root bus");
    }
    if (root->iommu) {
        return fail(error, "QEMU does not support multiple vIOMMUs for x86 yet.");
    }
    pthread_mutex_init(&s->lock, NULL);
    s->root = root;
    s->bypass = s->boot_bypass;
    s->endpoints = g_hash_table_new(NULL, NULL);
    s->domains = g_hash_table_new_full(NULL, NULL, NULL, domain_free);
    s->fault_bh = bh_new(report_faults, s);
    virtio_add_queue(v, QUEUE_SIZE);
    virtio_add_queue(v, QUEUE_SIZE);
    pci_set_iommu(root, iommu_address_space, s);
    return true;
}

/* At the end of the machine: functions keep their address spaces until they are gone themselves. */
static void iommu_unrealize(VirtioDevice *v)
{
    VirtioIommu *s = (VirtioIommu *)v;
    GHashTableIter i;
    gpointer p;

    pci_set_iommu(s->root, NULL, NULL);
    g_hash_table_iter_init(&i, s->endpoints);
    while (g_hash_table_iter_next(&i, NULL, &p)) {
        Endpoint *e = p;

        address_space_fini(&e->as);
        region_fini(&e->region);
        g_free(e);
    }
    g_hash_table_destroy(s->endpoints);
    g_hash_table_destroy(s->domains);
    g_clear_pointer(&s->saved, g_byte_array_unref);
    bh_free(s->fault_bh);
    pthread_mutex_destroy(&s->lock);
}

/* ---- state: requests that make the domains and mappings anew ---- */

static gboolean save_mapping(gpointer key, gpointer value, gpointer opaque)
{
    const Mapping *m = value;
    GByteArray *b = opaque;

    blob_put_u64(b, m->start);
    blob_put_u64(b, m->end);
    blob_put_u64(b, m->phys);
    blob_put_u32(b, m->flags);
    return FALSE;
}

static void iommu_saving(VirtioDevice *v)
{
    VirtioIommu *s = (VirtioIommu *)v;
    GByteArray *b = g_byte_array_new();
    GHashTableIter i;
    gpointer p;

    pthread_mutex_lock(&s->lock);
    g_hash_table_iter_init(&i, s->endpoints);
    while (g_hash_table_iter_next(&i, NULL, &p)) {
        const Endpoint *e = p;

        if (e->domain) {
            blob_put_u32(b, e->id + 1u);
            blob_put_u32(b, e->domain->id);
            blob_put_u32(b, e->domain->bypass);
        }
    }
    blob_put_u32(b, 0);
    g_hash_table_iter_init(&i, s->domains);
    while (g_hash_table_iter_next(&i, NULL, &p)) {
        const Domain *d = p;

        blob_put_u32(b, d->id);
        blob_put_u32(b, (uint32_t)g_tree_nnodes(d->mappings));
        g_tree_foreach(d->mappings, save_mapping, b);
    }
    pthread_mutex_unlock(&s->lock);
    g_clear_pointer(&s->saved, g_byte_array_unref);
    s->saved = b;
}

static bool load_attach(VirtioIommu *s, uint32_t endpoint, BlobReader *in)
{
    uint8_t q[20] = {T_ATTACH};

    store_le32(q + 4, blob_get_u32(in));
    store_le32(q + 12, blob_get_u32(in));
    return endpoint <= UINT16_MAX && run_attach(s, endpoint_get(s, (uint16_t)endpoint), q) == S_OK;
}

static bool load_mapping(VirtioIommu *s, uint32_t domain, BlobReader *in)
{
    uint8_t q[36] = {T_MAP};

    store_le32(q + 4, domain);
    for (unsigned i = 0; i < 3; i++) {
        store_le64(q + 8 + 8 * i, blob_get_u64(in));
    }
    store_le32(q + 32, blob_get_u32(in));
    return !in->bad && run_map(s, q) == S_OK;
}

/* The machine was reset before: nothing is there yet. What fails is followed by another reset. */
static bool iommu_check_load(VirtioDevice *v, GError **error)
{
    VirtioIommu *s = (VirtioIommu *)v;
    BlobReader in = blob_reader(s->saved);
    bool good = true;
    uint32_t id;

    pthread_mutex_lock(&s->lock);
    while (good && (id = blob_get_u32(&in)) != 0) {
        good = load_attach(s, id - 1, &in);
    }
    while (good && in.left && !in.bad) {
        uint32_t domain = blob_get_u32(&in), n = blob_get_u32(&in);

        for (; good && n; n--) {
            good = load_mapping(s, domain, &in);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return (good && !in.bad) || fail(error, "its domains make no sense");
}

static void iommu_loaded(VirtioDevice *v)
{
    g_clear_pointer(&((VirtioIommu *)v)->saved, g_byte_array_unref);
}

static const Prop iommu_props[] = {
    PROP_BOOL(VirtioIommu, boot_bypass, "boot-bypass", true),
    PROP_END,
};

static const StateField iommu_state[] = {
    STATE(VirtioIommu, bypass),
    HOST_ONLY(VirtioIommu, root, "place"),
    STATE_BLOB(VirtioIommu, saved),
    HOST_ONLY(VirtioIommu, endpoints, "in saved"),
    HOST_ONLY(VirtioIommu, domains, "likewise"),
    HOST_ONLY(VirtioIommu, num_mappings, "likewise"),
    HOST_ONLY(VirtioIommu, lock, "host side"),
    HOST_ONLY(VirtioIommu, faults, "told before the machine stops"),
    HOST_ONLY(VirtioIommu, num_faults, "likewise"),
    HOST_ONLY(VirtioIommu, fault_bh, "host side"),
    STATE_END,
};

static const VirtioType iommu_type = {
    .name = "virtio-iommu", .desc = "IOMMU for PCI functions", .category = "misc", .fixed = true,
    .id = 23, .pci_class = 0x00ff00, .size = sizeof(VirtioIommu), .config_size = 40,
    .props = iommu_props, .state = iommu_state,
    .realize = iommu_realize, .unrealize = iommu_unrealize, .reset = iommu_reset, .system_reset = iommu_system_reset,
    .features = iommu_features, .config_read = iommu_config, .config_write = iommu_config_write,
    .notify = iommu_notify, .queue_reset = iommu_queue_reset,
    .saving = iommu_saving, .check_load = iommu_check_load, .loaded = iommu_loaded,
};
VIRTIO_TYPE(iommu_type);
