// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hot plug of PCI functions by ACPI (ACPI 6.3, 6.3.3 _EJ0; the ports are those that the tables of
 * known machines use, without their numbers for naming network cards).
 */
#include "hw/acpi/pci-hotplug.h"
#include "hw/acpi/pci-index.h"
#include "qom/vm.h"

enum {
    PORT_UP = 0,
    PORT_DOWN = 4,
    PORT_EJECT = 8,
    PORT_REMOVABLE = 12,
    PORT_SELECT = 16,
    PORTS_SIZE = 24
};
enum { NOTIFY_CHECK = 1, NOTIFY_EJECT = 3 };
#define DWORD_ZEROS 0x43

/* ---- slots ---- */

static bool removable(const PciDevice *d)
{
    return device_type(&d->dev)->hotpluggable && !pci_info((PciDevice *)d)->bridge;
}

/* A slot may go if all of its functions may; what was plugged later is always such. */
static bool slot_removable(const PciBus *b, unsigned slot)
{
    for (unsigned f = 0; f < 8; f++) {
        const PciDevice *d = b->slots[PCI_DEVFN(slot, f)];

        if (d && !removable(d)) {
            return false;
        }
    }
    return true;
}

static void eject_slots(void *opaque)
{
    AcpiPciHotplug *h = opaque;

    for (unsigned i = 0; i < h->num_buses; i++) {
        uint32_t slots = h->slots[i].eject;

        h->slots[i].eject = 0;
        h->slots[i].down &= ~slots;
        for (unsigned n = 256; n-- > 0;) {
            PciDevice *d = h->bus[i]->slots[n];

            if (d && (slots >> PCI_SLOT(n) & 1) && slot_removable(h->bus[i], PCI_SLOT(n))) {
                device_unplug(&d->dev);
            }
        }
    }
}

static unsigned number_of(const AcpiPciHotplug *h, const PciBus *b)
{
    unsigned i = 0;

    while (i < h->num_buses && h->bus[i] != b) {
        i++;
    }
    return i;
}

static bool pcihp_hotplug(PciBus *b, PciDevice *d, bool plug, GError **error)
{
    AcpiPciHotplug *h = b->hotplug_opaque;
    unsigned i = number_of(h, b);
    uint32_t slot = 1u << PCI_SLOT(d->devfn);
    const char *name = d->dev.id ? d->dev.id : d->dev.obj.type->name;

    if (i == h->num_buses) {
        return fail(error, "Bus '%s' does not support hotplugging", b->bus.obj.name);
    }
    if (plug) {
        /* The guest looks at a slot when its first function, which comes last, is there. */
        if (PCI_FUNC(d->devfn) == 0) {
            h->slots[i].up |= slot;
            acpi_gpe_raise(h->pm, ACPI_PCIHP_GPE);
        }
        return true;
    }
    if (!slot_removable(b, PCI_SLOT(d->devfn))) {
        return fail(error, "Device '%s' does not support hotplugging", name);
    }
    if (h->slots[i].down & slot) {
        return fail(error, "Device %s is already in the process of unplug", name);
    }
    h->slots[i].down |= slot;
    acpi_gpe_raise(h->pm, ACPI_PCIHP_GPE);
    return true;
}

/* ---- ports ---- */

static uint64_t pcihp_read(void *opaque, hwaddr offset, unsigned size)
{
    AcpiPciHotplug *h = opaque;

    if (h->select >= h->num_buses) {
        return 0;
    }
    AcpiPciBus *s = &h->slots[h->select];
    uint32_t v = 0;

    switch (offset) {
    case PORT_UP:
        v = s->up;
        s->up = 0;
        break;
    case PORT_DOWN:
        v = s->down;
        break;
    case PORT_REMOVABLE:
        for (unsigned slot = 0; slot < 32; slot++) {
            v |= (uint32_t)slot_removable(h->bus[h->select], slot) << slot;
        }
        break;
    case PORT_SELECT:
        v = h->select;
        break;
    }
    return v;
}

static void pcihp_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AcpiPciHotplug *h = opaque;

    if (offset == PORT_SELECT) {
        h->select = value;
    } else if (offset == PORT_EJECT && h->select < h->num_buses) {
        h->slots[h->select].eject |= value;
        bh_schedule(h->eject_bh);
    }
}

static const RegionOps pcihp_ops = {
    .read = pcihp_read, .write = pcihp_write, .min_size = 4, .max_size = 4};

static void add_bus(AcpiPciHotplug *h, PciBus *b)
{
    if (h->num_buses < ACPI_PCIHP_BUSES) {
        h->bus[h->num_buses++] = b;
        b->bus.hotplug = true;
        b->hotplug = pcihp_hotplug;
        b->hotplug_opaque = h;
    }
}

void acpi_pcihp_init(AcpiPciHotplug *h, Device *owner, AcpiPm *pm, PciBus *root)
{
    h->owner = owner;
    h->pm = pm;
    h->eject_bh = bh_new(eject_slots, h);
    region_init_io(&h->region, &owner->obj, "acpi-pci-hotplug", PORTS_SIZE, &pcihp_ops, h);
    region_add(owner->vm->io, ACPI_PCIHP_PORT, &h->region, 0);
    add_bus(h, root);
}

void acpi_pcihp_fini(AcpiPciHotplug *h)
{
    for (unsigned i = 0; i < h->num_buses; i++) {
        h->bus[i]->hotplug = NULL;
    }
    g_clear_pointer(&h->eject_bh, bh_free);
    region_remove(&h->region);
    region_fini(&h->region);
}

/* What was asked to go goes now: the guest that was asked is no more. */
void acpi_pcihp_reset(AcpiPciHotplug *h)
{
    for (unsigned i = 0; i < h->num_buses; i++) {
        h->slots[i].up = 0;
        h->slots[i].eject |= h->slots[i].down;
        if (h->slots[i].eject) {
            bh_schedule(h->eject_bh);
        }
    }
    h->select = 0;
}

static PciBus *bus_behind(const PciDevice *d)
{
    const GPtrArray *buses = d->dev.buses;

    return pci_info((PciDevice *)d)->bridge && buses && buses->len ? (PciBus *)buses->pdata[0]
                                                                   : NULL;
}

void acpi_pcihp_find_buses(AcpiPciHotplug *h)
{
    for (unsigned i = 0; i < h->num_buses; i++) {
        for (unsigned n = 0; n < 256; n++) {
            PciDevice *d = h->bus[i]->slots[n];
            PciBus *b = d ? bus_behind(d) : NULL;

            if (b && (!b->hotplug || b->hotplug_native) && !b->express) {
                add_bus(h, b);
            }
        }
    }
}

/* ---- the DSDT ---- */

enum { EXT = 0x5b, EXT_MUTEX = 0x01, EXT_ACQUIRE = 0x23, EXT_RELEASE = 0x27 };

static void aml_acquire(Aml *a, const char *mutex)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_ACQUIRE);
    aml_path(a, mutex);
    aml_byte(a, 0xff);
    aml_byte(a, 0xff);
}

static void aml_release(Aml *a, const char *mutex)
{
    aml_byte(a, EXT);
    aml_byte(a, EXT_RELEASE);
    aml_path(a, mutex);
}

static void dsdt_fields(Aml *a)
{
    static const struct { const char *region; uint8_t port, len; const char *fields[2]; } rows[] = {
        { "PCST", PORT_UP, 8, { "PCIU", "PCID" } },
        { "SEJ_", PORT_EJECT, 4, { "B0EJ" } },
        { "BNMR", PORT_SELECT, 4, { "BNUM" } },
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        aml_region(a, rows[i].region, AML_SYSTEM_IO, ACPI_PCIHP_PORT + rows[i].port, rows[i].len);
        aml_field(a, rows[i].region, DWORD_ZEROS);
        for (unsigned k = 0; k < 2 && rows[i].fields[k]; k++) {
            aml_field_unit(a, rows[i].fields[k], 32);
        }
        aml_end(a);
    }
}

/* PCEJ(bus, slot) */
static void dsdt_eject(Aml *a)
{
    aml_method(a, "PCEJ", 2, false);
    aml_acquire(a, "BLCK");
    aml_byte(a, AML_STORE);
    aml_byte(a, AML_ARG0);
    aml_path(a, "BNUM");
    aml_byte(a, AML_SHIFT_LEFT);
    aml_int(a, 1);
    aml_byte(a, AML_ARG0 + 1);
    aml_path(a, "B0EJ");
    aml_release(a, "BLCK");
    aml_byte(a, AML_RETURN);
    aml_int(a, 0);
    aml_end(a);
}

static void slot_name(char name[8], unsigned slot)
{
    g_snprintf(name, 8, "S%02X_", slot * 8);
}

static PciBus *slot_bus(const PciBus *b, unsigned slot)
{
    const PciDevice *d = b->slots[PCI_DEVFN(slot, 0)];

    return d ? bus_behind(d) : NULL;
}

static void dsdt_bus(Aml *a, const AcpiPciHotplug *h, const PciBus *b);

static void dsdt_slot(Aml *a, const AcpiPciHotplug *h, const PciBus *b, unsigned slot)
{
    const PciBus *behind = slot_bus(b, slot);
    char name[8];

    slot_name(name, slot);
    aml_device(a, name);
    aml_name_int(a, "_ADR", slot << 16);
    acpi_pci_index_dsm(a, b->slots[PCI_DEVFN(slot, 0)]);
    if (behind) {
        dsdt_bus(a, h, behind);
    } else {
        aml_name_int(a, "_SUN", slot);
        aml_method(a, "_EJ0", 1, false);
        aml_path(a, "PCEJ");
        aml_path(a, "BSEL");
        aml_path(a, "_SUN");
        aml_end(a);
    }
    aml_end(a);
}

static bool slot_listed(const AcpiPciHotplug *h, const PciBus *b, unsigned slot)
{
    const PciBus *behind = slot_bus(b, slot);

    return behind ? number_of(h, behind) < h->num_buses : slot_removable(b, slot);
}

/* Slots of a bus, DVNT(slots, what) that tells them, PCNT that asks the ports. */
static void dsdt_bus(Aml *a, const AcpiPciHotplug *h, const PciBus *b)
{
    char name[8];

    aml_name_int(a, "BSEL", number_of(h, b));
    for (unsigned slot = 0; slot < 32; slot++) {
        if (slot_listed(h, b, slot)) {
            dsdt_slot(a, h, b, slot);
        }
    }
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (PCI_FUNC(devfn) || !slot_listed(h, b, PCI_SLOT(devfn))) {
            acpi_pci_index_device(a, b->slots[devfn]);
        }
    }
    aml_method(a, "DVNT", 2, false);
    for (unsigned slot = 0; slot < 32; slot++) {
        if (slot_listed(h, b, slot) && !slot_bus(b, slot)) {
            slot_name(name, slot);
            aml_if(a);
            aml_byte(a, AML_AND);
            aml_byte(a, AML_ARG0);
            aml_int(a, 1u << slot);
            aml_byte(a, AML_NULL);
            aml_byte(a, AML_NOTIFY);
            aml_path(a, name);
            aml_byte(a, AML_ARG0 + 1);
            aml_end(a);
        }
    }
    aml_end(a);
    aml_method(a, "PCNT", 0, false);
    aml_byte(a, AML_STORE);
    aml_path(a, "BSEL");
    aml_path(a, "BNUM");
    aml_path(a, "DVNT");
    aml_path(a, "PCIU");
    aml_int(a, NOTIFY_CHECK);
    aml_path(a, "DVNT");
    aml_path(a, "PCID");
    aml_int(a, NOTIFY_EJECT);
    for (unsigned slot = 0; slot < 32; slot++) {
        if (slot_bus(b, slot) && slot_listed(h, b, slot)) {
            g_autofree char *child = g_strdup_printf("^S%02X_.PCNT", slot * 8);

            aml_path(a, child);
        }
    }
    aml_end(a);
}

void acpi_pcihp_dsdt(Aml *a, const AcpiPciHotplug *h)
{
    dsdt_fields(a);
    aml_byte(a, EXT);
    aml_byte(a, EXT_MUTEX);
    aml_path(a, "BLCK");
    aml_byte(a, 0);
    dsdt_eject(a);
    dsdt_bus(a, h, h->bus[0]);
}

void acpi_pcihp_dsdt_event(Aml *a)
{
    aml_method(a, "_E01", 0, false);
    aml_acquire(a, "\\_SB.PCI0.BLCK");
    aml_path(a, "\\_SB.PCI0.PCNT");
    aml_release(a, "\\_SB.PCI0.BLCK");
    aml_end(a);
}

const StateField acpi_pci_bus_state[] = {
    STATE(AcpiPciBus, up),
    STATE(AcpiPciBus, down),
    STATE(AcpiPciBus, eject),
    STATE_END,
};

const StateField acpi_pci_hotplug_state[] = {
    STATE(AcpiPciHotplug, select),
    STATE_STRUCTS(AcpiPciHotplug, slots, acpi_pci_bus_state),
    HOST_ONLY(AcpiPciHotplug, owner, "place"),
    HOST_ONLY(AcpiPciHotplug, pm, "place"),
    HOST_ONLY(AcpiPciHotplug, bus, "found at start"),
    HOST_ONLY(AcpiPciHotplug, num_buses, "found at start"),
    HOST_ONLY(AcpiPciHotplug, region, "region"),
    HOST_ONLY(AcpiPciHotplug, eject_bh, "host side"),
    STATE_END,
};
