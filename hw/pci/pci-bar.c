// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Base address registers and the expansion ROM (PCI Local Bus 3.0, 6.2.5): sizing by the
 * writable bits, mapping as the command register allows. A BAR that sits at its all-ones
 * sizing value, or that would wrap, is not mapped, nor one at 0 but where the host bridge has
 * windows of its own.
 */
#include "exec/loader.h"
#include "pci-internal.h"
#include "qom/vm.h"

#define BAR_PRIORITY 1

static uint32_t bar_offset(unsigned n)
{
    return n == PCI_ROM_BAR ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * n;
}

void pci_set_bar(PciDevice *d, unsigned n, PciBarKind kind, bool prefetch, Region *region)
{
    struct PciBar *bar = &d->bar[n];
    uint32_t off = bar_offset(n);
    uint64_t size = region->size;
    uint64_t mask = ~(size - 1);

    g_assert((size & (size - 1)) == 0);
    *bar = (struct PciBar){ .kind = kind, .prefetch = prefetch, .region = region, .size = size };
    if (n == PCI_ROM_BAR) {
        pci_config_wmask(d, off, 4, (uint32_t)mask | 1);
        return;
    }
    d->config[off] = kind == PCI_BAR_IO ? 1 : (kind == PCI_BAR_MEM64 ? 4 : 0) | (prefetch ? 8 : 0);
    pci_config_wmask(d, off, 4, (uint32_t)mask);
    if (kind == PCI_BAR_MEM64) {
        pci_config_wmask(d, off + 4, 4, mask >> 32);
    }
}

void pci_bars_init(PciDevice *d)
{
    const PciInfo *i = pci_info(d);

    for (unsigned n = 0; n < PCI_BARS; n++) {
        const PciBarInfo *b = &i->bar[n];

        if (b->kind != PCI_BAR_NONE && b->bank) {
            pci_set_bar(d, n, b->kind, b->prefetch, device_region(&d->dev, b->bank));
        }
    }
}

/* Where bar n is to be mapped; false: nowhere. */
static bool bar_address(PciDevice *d, unsigned n, uint64_t *addr)
{
    struct PciBar *bar = &d->bar[n];
    uint8_t command = d->config[PCI_COMMAND];
    uint32_t off = bar_offset(n);
    uint64_t a = pci_config_get(d, off, 4);
    uint64_t limit = bar->kind == PCI_BAR_IO      ? 0xffff
                     : bar->kind == PCI_BAR_MEM64 ? UINT64_MAX
                                                  : UINT32_MAX;

    if (!(command & (bar->kind == PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY))) {
        return false;
    }
    if (n == PCI_ROM_BAR && !(a & 1)) {
        return false;
    }
    if (bar->kind == PCI_BAR_MEM64) {
        a |= (uint64_t)pci_config_get(d, off + 4, 4) << 32;
    }
    a &= ~(bar->size - 1);
    if ((a == 0 && !pci_root_of(d)->bar_at_zero) ||
        a > limit - (bar->size - 1) || a + bar->size - 1 == limit) {
        return false;
    }
    *addr = a;
    return true;
}

void pci_update_mappings(PciDevice *d)
{
    memory_transaction_begin();
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        struct PciBar *bar = &d->bar[n];
        uint64_t addr = 0;

        if (bar->kind == PCI_BAR_NONE) {
            continue;
        }
        bool map = bar_address(d, n, &addr);

        if (map == bar->mapped && addr == bar->addr) {
            continue;
        }
        if (bar->mapped) {
            region_remove(bar->region);
        }
        bar->mapped = map;
        bar->addr = addr;
        if (map) {
            region_add(bar->kind == PCI_BAR_IO ? d->bus->io : d->bus->mem, addr, bar->region,
                       BAR_PRIORITY);
        }
    }
    memory_transaction_commit();
}

void pci_bars_reset(PciDevice *d)
{
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        if (d->bar[n].kind != PCI_BAR_NONE) {
            uint32_t off = bar_offset(n);

            pci_config_set(d, off, 4, n == PCI_ROM_BAR ? 0 : d->config[off] & 15);
            if (d->bar[n].kind == PCI_BAR_MEM64) {
                pci_config_set(d, off + 4, 4, 0);
            }
            if (d->bar[n].kind == PCI_BAR_IO) {
                d->config[off] &= 3;
            }
        }
    }
}

void pci_bars_unmap(PciDevice *d)
{
    d->config[PCI_COMMAND] = 0;
    pci_update_mappings(d);
}

void pci_bars_fini(PciDevice *d)
{
    pci_bars_unmap(d);
    if (d->bar[PCI_ROM_BAR].kind != PCI_BAR_NONE) {
        region_fini(&d->rom);
    }
    memset(d->bar, 0, sizeof(d->bar));
}

/* An image made for another device of the family names wrong ids; firmware wants them to match. */
static void rom_patch_ids(PciDevice *d, uint8_t *rom, size_t len)
{
    size_t pcir;

    if (len < 0x1a || rom[0] != 0x55 || rom[1] != 0xaa) {
        return;
    }
    pcir = rom[0x18] | rom[0x19] << 8;
    if (pcir + 0x18 > len || memcmp(rom + pcir, "PCIR", 4) != 0 ||
        memcmp(rom + pcir + 4, d->config, 4) == 0) {
        return;
    }
    uint8_t sum = 0;

    for (unsigned k = 0; k < 4; k++) {
        sum += rom[pcir + 4 + k] - d->config[k];
        rom[pcir + 4 + k] = d->config[k];
    }
    rom[6] += sum;
}

bool pci_rom_init(PciDevice *d, GError **error)
{
    const char *name = d->romfile ? d->romfile : pci_info(d)->romfile;
    g_autofree char *path = NULL;
    g_autofree char *data = NULL;
    gsize len = 0;
    uint64_t size = 4096;

    if (d->romsize != UINT32_MAX && (d->romsize == 0 || (d->romsize & (d->romsize - 1)))) {
        return fail(error, "ROM size %u is not a power of two", d->romsize);
    }
    if (!name || !*name) {
        return true;
    }
    path = firmware_find(name);
    if (!path && d->romfile) {
        return fail(error, "device '%s': option ROM '%s' not found", d->dev.obj.type->name, name);
    }
    if (!path) {
        return true;    /* the default ROM's package is not installed: the device works without */
    }
    if (!g_file_get_contents(path, &data, &len, error)) {
        return false;
    }
    if (len == 0 || len > 16 * MIB) {
        return fail(error, "device '%s': option ROM '%s' has a size of %zu bytes",
                    d->dev.obj.type->name, path, (size_t)len);
    }
    while (size < len) {
        size *= 2;
    }
    if (d->romsize != UINT32_MAX) {
        if (d->romsize < len) {
            return fail(error, "romfile \"%s\" (%zu bytes) is too large for ROM size %u", name,
                        (size_t)len, d->romsize);
        }
        size = MAX(d->romsize, 4096);
    }
    if (!region_init_rom(&d->rom, &d->dev.obj, "rom", size, error)) {
        return false;
    }
    memcpy(region_host(&d->rom), data, len);
    rom_patch_ids(d, region_host(&d->rom), len);
    pci_set_bar(d, PCI_ROM_BAR, PCI_BAR_MEM32, false, &d->rom);
    return true;
}
