// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupts of PCI functions: INTx pins through bridges (PCI-to-PCI Bridge 1.2, 9.1), MSI
 * and MSI-X (PCI Local Bus 3.0, 6.8). A message is an ordinary DMA write of the function.
 */
#include "hw/pci/pci.h"
#include "pci-internal.h"

/* ---- INTx ---- */

static void intx_drive(PciDevice *d, int delta)
{
    unsigned pin = d->config[PCI_INTERRUPT_PIN] - 1u;
    unsigned slot = PCI_SLOT(d->devfn);
    PciBus *b = d->bus;

    if (pin > 3) {
        return; /* a state that was refused, before the reset is through */
    }
    while (b->parent) {
        pin = (pin + slot) & 3;
        slot = PCI_SLOT(b->bridge->devfn);
        b = b->parent;
    }
    unsigned pirq = b->map_irq(b, slot, pin);

    b->pirq_count[pirq] += delta;
    b->set_irq(b->irq_opaque, pirq, b->pirq_count[pirq] != 0);
}

/* pin_level: bit 0 what the function asks for, bit 1 what is on the wire. */
void pci_intx_update(PciDevice *d)
{
    bool off = pci_config_get(d, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
    bool want = (d->pin_level & 1) && !off;
    bool driven = d->pin_level & 2;

    if (want == driven) {
        return;
    }
    d->pin_level ^= 2;
    intx_drive(d, want ? 1 : -1);
}

/* The wire has the loaded level, and the interrupt controller that of its own state. */
void pci_intx_loaded(PciDevice *d)
{
    PciBus *b = d->bus;
    unsigned pin = d->config[PCI_INTERRUPT_PIN] - 1u, slot = PCI_SLOT(d->devfn);

    if (!(d->pin_level & 2) || d->config[PCI_INTERRUPT_PIN] == 0) {
        return;
    }
    for (; b->parent; b = b->parent) {
        pin = (pin + slot) & 3;
        slot = PCI_SLOT(b->bridge->devfn);
    }
    b->pirq_count[b->map_irq(b, slot, pin)]++;
}

void pci_set_irq(PciDevice *d, int level)
{
    if (d->config[PCI_INTERRUPT_PIN] == 0 || (d->pin_level & 1) == (level != 0)) {
        return;
    }
    d->pin_level ^= 1;
    d->config[PCI_STATUS] =
        (d->config[PCI_STATUS] & ~PCI_STATUS_INTERRUPT) | (level ? PCI_STATUS_INTERRUPT : 0);
    pci_intx_update(d);
}

/* ---- MSI: control +2, address +4, high +8, data +12, mask +16, pending +20 ---- */

enum { MSI_ENABLE = 1, MSI_64BIT = 0x80, MSI_MASKABLE = 0x100 };

bool pci_msi_init(PciDevice *d, unsigned n, GError **error)
{
    uint8_t c = pci_add_cap(d, PCI_CAP_ID_MSI, 0, 24, error);
    unsigned log2 = 0;

    if (!c) {
        return false;
    }
    while (1u << log2 < n) {
        log2++;
    }
    d->msi_cap = c;
    pci_config_set(d, c + 2, 2, MSI_64BIT | MSI_MASKABLE | log2 << 1);
    pci_config_wmask(d, c + 2, 2, MSI_ENABLE | 0x70);
    pci_config_wmask(d, c + 4, 4, 0xfffffffc);
    pci_config_wmask(d, c + 8, 4, 0xffffffff);
    pci_config_wmask(d, c + 12, 2, 0xffff);
    pci_config_wmask(d, c + 16, 4, 0xffffffffu >> (32 - n));
    return true;
}

bool pci_msi_init_plain(PciDevice *d, uint8_t offset, GError **error)
{
    uint8_t c = pci_add_cap(d, PCI_CAP_ID_MSI, offset, 14, error);

    if (!c) {
        return false;
    }
    d->msi_cap = c;
    pci_config_set(d, c + 2, 2, MSI_64BIT);
    pci_config_wmask(d, c + 2, 2, MSI_ENABLE | 0x70);
    pci_config_wmask(d, c + 4, 4, 0xfffffffc);
    pci_config_wmask(d, c + 8, 4, 0xffffffff);
    pci_config_wmask(d, c + 12, 2, 0xffff);
    return true;
}

bool pci_msi_enabled(PciDevice *d)
{
    return d->msi_cap && (d->config[d->msi_cap + 2] & MSI_ENABLE);
}

static void message_send(PciDevice *d, uint64_t address, uint32_t data)
{
    AddressSpace *as = d->msi_as ? d->msi_as : address_space_memory();

    address_space_store(as, address, data, 4, DEV_LITTLE,
                        (MemAttrs){.requester_id = d->dev.requester_id});
}

static void msi_send(PciDevice *d, unsigned vector)
{
    uint8_t c = d->msi_cap;
    uint64_t address = pci_config_get(d, c + 4, 4) | (uint64_t)pci_config_get(d, c + 8, 4) << 32;
    unsigned enabled = 1u << (d->config[c + 2] >> 4 & 7);
    uint32_t data = pci_config_get(d, c + 12, 2);

    message_send(d, address, (data & ~(enabled - 1)) | (vector & (enabled - 1)));
}

static bool msi_maskable(PciDevice *d)
{
    return d->config[d->msi_cap + 3] & MSI_MASKABLE >> 8;
}

void pci_msi_notify(PciDevice *d, unsigned vector)
{
    uint8_t c = d->msi_cap;

    if (!pci_msi_enabled(d) || vector > 31) {
        return;
    }
    if (msi_maskable(d) && pci_config_get(d, c + 16, 4) & 1u << vector) {
        pci_config_set(d, c + 20, 4, pci_config_get(d, c + 20, 4) | 1u << vector);
        return;
    }
    msi_send(d, vector);
}

static void msi_flush_pending(PciDevice *d)
{
    uint8_t c = d->msi_cap;
    uint32_t ready = pci_config_get(d, c + 20, 4) & ~pci_config_get(d, c + 16, 4);

    if (!pci_msi_enabled(d)) {
        return;
    }
    for (unsigned v = 0; ready >> v; v++) {
        if (ready >> v & 1) {
            pci_config_set(d, c + 20, 4, pci_config_get(d, c + 20, 4) & ~(1u << v));
            msi_send(d, v);
        }
        if (v == 31) {
            break;
        }
    }
}

/* ---- MSI-X ---- */

enum { MSIX_ENABLE = 0x8000, MSIX_FUNCTION_MASK = 0x4000, MSIX_ENTRY = 16, MSIX_VECTOR_MASK = 1 };

struct PciMsix {
    unsigned n;
    uint8_t *table;
    uint64_t *pending;
    Region region, table_region, pba_region;
    Region *bank;         /* of the device, in the same BAR; NULL: none */
};

static uint16_t msix_control(PciDevice *d)
{
    return pci_config_get(d, d->msix_cap + 2, 2);
}

size_t pci_msix_table_len(Device *d)
{
    const PciMsix *m = ((PciDevice *)d)->msix;

    return m ? (size_t)m->n * MSIX_ENTRY : 0;
}

size_t pci_msix_pending_len(Device *d)
{
    const PciMsix *m = ((PciDevice *)d)->msix;

    return m ? (m->n + 63) / 64 * 8 : 0;
}

bool pci_msix_enabled(PciDevice *d)
{
    return d->msix_cap && (msix_control(d) & MSIX_ENABLE);
}

static uint32_t msix_word(const PciMsix *m, unsigned vector, unsigned word)
{
    uint32_t v;

    memcpy(&v, m->table + vector * MSIX_ENTRY + 4 * word, 4);
    return GUINT32_FROM_LE(v);
}

static bool msix_masked(PciDevice *d, unsigned vector)
{
    return !pci_msix_enabled(d) || (msix_control(d) & MSIX_FUNCTION_MASK) ||
           (msix_word(d->msix, vector, 3) & MSIX_VECTOR_MASK);
}

static void msix_send(PciDevice *d, unsigned vector)
{
    uint64_t address = msix_word(d->msix, vector, 0) | (uint64_t)msix_word(d->msix, vector, 1)
                                                           << 32;

    message_send(d, address, msix_word(d->msix, vector, 2));
}

static void msix_flush(PciDevice *d, unsigned vector)
{
    uint64_t bit = 1ull << (vector & 63);

    if ((d->msix->pending[vector / 64] & bit) && !msix_masked(d, vector)) {
        d->msix->pending[vector / 64] &= ~bit;
        msix_send(d, vector);
    }
}

void pci_msix_notify(PciDevice *d, unsigned vector)
{
    if (!pci_msix_enabled(d) || vector >= d->msix->n) {
        return;
    }
    if (msix_masked(d, vector)) {
        d->msix->pending[vector / 64] |= 1ull << (vector & 63);
        return;
    }
    msix_send(d, vector);
}

static uint64_t msix_table_read(void *opaque, hwaddr offset, unsigned size)
{
    PciDevice *d = opaque;
    uint64_t v = 0;

    memcpy(&v, d->msix->table + offset, size);
    return GUINT64_FROM_LE(v);
}

static void msix_table_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    PciDevice *d = opaque;
    uint64_t v = GUINT64_TO_LE(value);

    memcpy(d->msix->table + offset, &v, size);
    msix_flush(d, offset / MSIX_ENTRY);
}

static uint64_t msix_pba_read(void *opaque, hwaddr offset, unsigned size)
{
    PciDevice *d = opaque;

    return d->msix->pending[offset / 8] >> 8 * (offset & 7);
}

static void msix_pba_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    /* Read-only. */
}

static const RegionOps msix_table_ops = {
    .read = msix_table_read, .write = msix_table_write, .min_size = 4, .max_size = 8,
};
static const RegionOps msix_pba_ops = {
    .read = msix_pba_read, .write = msix_pba_write, .min_size = 4, .max_size = 8,
};

bool pci_msix_init_at(PciDevice *d, unsigned n, const PciMsixPlace *p, GError **error)
{
    uint8_t c = pci_add_cap(d, PCI_CAP_ID_MSIX, p->offset, 12, error);
    uint64_t table_len = (uint64_t)n * MSIX_ENTRY, pba_len = (n + 63) / 64 * 8;

    if (!c) {
        return false;
    }
    PciMsix *m = g_new0(PciMsix, 1);

    m->n = n;
    m->table = g_malloc0(table_len);
    m->pending = g_malloc0(pba_len);
    region_init_container(&m->region, &d->dev.obj, "msix", p->size);
    region_init_io(&m->table_region, &d->dev.obj, "msix-table", table_len, &msix_table_ops, d);
    region_init_io(&m->pba_region, &d->dev.obj, "msix-pba", pba_len, &msix_pba_ops, d);
    if (p->bank) {
        m->bank = device_region(&d->dev, p->bank);
        region_add(&m->region, 0, m->bank, 0);
    }
    region_add(&m->region, p->table, &m->table_region, 1);
    region_add(&m->region, p->pba, &m->pba_region, 1);
    d->msix = m;
    d->msix_table = m->table;
    d->msix_pending = m->pending;
    d->msix_cap = c;
    pci_config_set(d, c + 2, 2, n - 1);
    pci_config_set(d, c + 4, 4, p->table | p->bar);
    pci_config_set(d, c + 8, 4, p->pba | p->bar);
    pci_config_wmask(d, c + 2, 2, MSIX_ENABLE | MSIX_FUNCTION_MASK);
    pci_set_bar(d, p->bar, p->kind, false, &m->region);
    pci_msi_reset(d);
    return true;
}

bool pci_msix_init(PciDevice *d, unsigned n, unsigned bar, GError **error)
{
    PciMsixPlace p = { .bar = bar, .kind = PCI_BAR_MEM32, .pba = 2048, .size = 4096 };

    while (p.pba < n * MSIX_ENTRY) {
        p.pba *= 2;
    }
    while (p.size < p.pba + (n + 63) / 64 * 8) {
        p.size *= 2;
    }
    return pci_msix_init_at(d, n, &p, error);
}

void pci_irq(PciDevice *d, int level)
{
    if (pci_msix_enabled(d)) {
        if (level) {
            pci_msix_notify(d, 0);
        }
    } else if (pci_msi_enabled(d)) {
        if (level) {
            pci_msi_notify(d, 0);
        }
    } else {
        pci_set_irq(d, level);
    }
}

/* ---- the core's hooks ---- */

void pci_msi_config_written(PciDevice *d, uint32_t off, unsigned size)
{
    if (d->msi_cap && msi_maskable(d) && pci_is_bar_offset(off, size, d->msi_cap, 24)) {
        msi_flush_pending(d);
    }
    if (d->msix_cap && pci_is_bar_offset(off, size, d->msix_cap + 2, 2)) {
        for (unsigned v = 0; v < d->msix->n; v++) {
            msix_flush(d, v);
        }
    }
}

void pci_msi_reset(PciDevice *d)
{
    if (d->msi_cap) {
        uint8_t c = d->msi_cap;

        pci_config_set(d, c + 2, 2, pci_config_get(d, c + 2, 2) & ~(MSI_ENABLE | 0x70));
        memset(d->config + c + 4, 0, msi_maskable(d) ? 20 : 10);
    }
    if (d->msix_cap) {
        PciMsix *m = d->msix;

        pci_config_set(d, d->msix_cap + 2, 2, m->n - 1);
        memset(m->table, 0, m->n * MSIX_ENTRY);
        memset(m->pending, 0, (m->n + 63) / 64 * 8);
        for (unsigned v = 0; v < m->n; v++) {
            m->table[v * MSIX_ENTRY + 12] = MSIX_VECTOR_MASK;
        }
    }
}

void pci_msi_fini(PciDevice *d)
{
    PciMsix *m = d->msix;

    if (!m) {
        return;
    }
    d->msix = NULL;
    d->msix_table = NULL;
    d->msix_pending = NULL;
    d->msix_cap = 0;
    region_remove(&m->table_region);
    region_remove(&m->pba_region);
    if (m->bank) {
        region_remove(m->bank);
    }
    if (m->region.container) {
        region_remove(&m->region);
    }
    region_fini(&m->table_region);
    region_fini(&m->pba_region);
    region_fini(&m->region);
    g_free(m->table);
    g_free(m->pending);
    g_free(m);
}
