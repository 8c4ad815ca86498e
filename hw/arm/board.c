// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Boards from tables of slots: devices, their places and wires; CPUs, RAM, firmware. See
 * include/hw/arm/board.h.
 */
#include "hw/arm/board.h"

#include <string.h>
#include "block/block.h"
#include "exec/arm-cpu.h"
#include "exec/bank.h"
#include "exec/loader.h"
#include "exec/memory-backend.h"
#include "hw/block/pflash.h"
#include "net/net.h"
#include "util/log.h"

Board *board_new(Vm *vm)
{
    Board *b = g_new0(Board, 1);

    b->vm = vm;
    b->named = g_hash_table_new(g_str_hash, g_str_equal);
    vm_publish(vm, "board", b);
    return b;
}

Device *board_device(Board *b, const char *name)
{
    return g_hash_table_lookup(b->named, name);
}

/* ---- properties ---- */

static bool set_props(Device *d, const char *text, bool known_only, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text ? text : "", ",", -1);

    for (char **w = words; *w && **w; w++) {
        char *eq = strchr(*w, '=');

        g_assert(eq);
        *eq = '\0';
        if (known_only && !type_find_prop(d->obj.type, *w)) {
            continue;
        }
        if (!object_set_text(&d->obj, *w, eq + 1, error)) {
            return false;
        }
    }
    return true;
}

Device *board_make(Board *b, const char *type, const char *props, GError **error)
{
    Device *d = device_new(b->vm, type, error);

    if (!d) {
        return NULL;
    }
    if (!set_props(d, props, false, error)) {
        object_unref(&d->obj);
        return NULL;
    }
    return device_realize(d, NULL, NULL, error) ? d : NULL;
}

/* ---- slots ---- */

/*
 * What the command line has for this slot becomes properties; *wanted is false when it has nothing
 * and that is needed.
 */
static bool slot_claims(Board *b, const BoardSlot *s, Device *d, bool *wanted, GError **error)
{
    GPtrArray *serials = b->vm->serials;
    const char *chr = s->serial && serials && s->serial - 1u < serials->len
                          ? g_ptr_array_index(serials, s->serial - 1)
                          : NULL;
    const char *model = NULL, *netdev = NULL, *mac = NULL;

    if (chr && !object_set_text(&d->obj, "chardev", chr, error)) {
        return false;
    }
    if (!s->nic) {
        return true;
    }
    *wanted = net_next_default_nic(&model, &netdev, &mac) || !s->optional;
    if (model && strcmp(model, s->type) != 0) {
        return fail(error, "Unsupported NIC model: %s", model);
    }
    return (!netdev || object_set_text(&d->obj, "netdev", netdev, error)) &&
           (!mac || object_set_text(&d->obj, "mac", mac, error));
}

static void slot_wire(Board *b, const BoardSlot *s, Device *d)
{
    const char *pin = s->pin ? s->pin : "irq";

    for (unsigned i = 0; i < SLOT_IRQS; i++) {
        if (s->irqs[i] && b->intc) {
            wire(d, pin, i, b->intc, b->intc_pin ? b->intc_pin : "spi", s->irqs[i] - 1);
        }
    }
}

static bool slot_make(Board *b, const BoardSlot *s, GError **error)
{
    g_autofree char *blank =
        s->type ? NULL
                : g_strdup_printf("name=%s,size=%u", s->name ? s->name : "unimplemented", s->size);
    Device *d = device_new(b->vm, s->type ? s->type : "unimplemented-device", error);
    bool wanted = true;

    if (!d) {
        return false;
    }
    if (!slot_claims(b, s, d, &wanted, error) || !wanted ||
        !set_props(d, blank ? blank : s->props, false, error)) {
        object_unref(&d->obj);
        return !wanted;
    }
    if (!device_realize(d, NULL, NULL, error)) {
        return false;
    }
    if (s->name) {
        g_hash_table_insert(b->named, (gpointer)s->name, d);
    }
    if (s->bank == NULL || *s->bank) {
        device_map_priority(d, s->bank ? s->bank : "mmio", s->addr, s->type ? s->priority : -1000);
    }
    slot_wire(b, s, d);
    return (!s->sd || board_sd_card(b, d, s->sd - 1, error)) &&
           (!s->ide || board_ide_drives(b, d, s->ide - 1, error));
}

bool board_add(Board *b, const BoardSlot *slots, unsigned n, GError **error)
{
    for (unsigned i = 0; i < n; i++) {
        if (!slot_make(b, &slots[i], error)) {
            return false;
        }
    }
    return true;
}

bool board_sd_card(Board *b, Device *d, unsigned n, GError **error)
{
    const DriveInfo *drive = drive_at("sd", 0, n);

    if (!drive) {
        return true;
    }
    if (!device_create(b->vm, "sd-card", g_ptr_array_index(d->buses, 0), NULL, error, "drive",
                       drive->id, NULL)) {
        return false;
    }
    drive_claim(drive);
    return true;
}

bool board_ide_drives(Board *b, Device *d, unsigned n, GError **error)
{
    for (unsigned i = 0; i < d->buses->len; i++) {
        const DriveInfo *drive = drive_at("ide", (n + i) / 2, (n + i) % 2);

        if (!drive) {
            continue;
        }
        if (!device_create(b->vm, drive->cdrom ? "ide-cd" : "ide-hd",
                           g_ptr_array_index(d->buses, i), NULL, error, "drive", drive->id, NULL)) {
            return false;
        }
        drive_claim(drive);
    }
    return true;
}

Device *board_flash(Board *b, unsigned n, const char *name, hwaddr addr, uint64_t size,
                    unsigned width, unsigned device_width, GError **error)
{
    const DriveInfo *drive = drive_at("pflash", 0, n);
    PflashConfig c = {
        .name = name,
        .drive = drive ? drive->id : NULL,
        .size = size,
        .sector_size = 256 * KIB,
        .width = width,
        .device_width = device_width,
        .ids = {0x89, 0x18, 0, 0},
    };
    Device *d = pflash_create(b->vm, &c, error);

    if (d) {
        if (drive) {
            drive_claim(drive);
        }
        region_add(b->vm->memory, addr, pflash_region(d), 0);
    }
    return d;
}

/* ---- CPUs and memory ---- */

bool board_cpu_realize(Cpu *c, const char *props, GError **error)
{
    return set_props(&c->dev, props, true, error) && device_realize(&c->dev, NULL, NULL, error);
}

Cpu *board_cpu(Board *b, const char *model, const char *props, GError **error)
{
    Cpu *c = target_arch->create(b->vm, model, error);

    if (c && target_arch->arm->m.is_m(c)) {
        object_unref(&c->dev.obj);
        return fail_null(error, "%s: CPU type %s not supported", b->vm->machine_type->machine_name,
                         model);
    }
    return c && board_cpu_realize(c, props, error) ? c : NULL;
}

bool board_cpus(Board *b, const char *props, unsigned psci_conduit, GError **error)
{
    const char *model = b->vm->cpu_model ? b->vm->cpu_model : b->vm->machine_type->default_cpu;

    b->boot.psci_conduit = psci_conduit;
    for (unsigned i = 0; i < b->vm->smp.cpus; i++) {
        g_autofree char *all = g_strdup_printf("psci-conduit=%u,start-powered-off=%s%s%s",
                                               psci_conduit, i > 0 && psci_conduit ? "on" : "off",
                                               props ? "," : "", props ? props : "");

        if (!board_cpu(b, model, all, error)) {
            return false;
        }
    }
    return true;
}

bool board_ram(Board *b, const char *id, hwaddr base, uint64_t limit, GError **error)
{
    Region *ram;

    if (b->vm->ram_size > limit) {
        g_autofree char *text = size_text(limit);

        return fail(error, "RAM size more than %s is not supported", text);
    }
    ram = machine_ram(b->vm, id, error);
    if (!ram) {
        return false;
    }
    region_add(b->vm->memory, base, ram, 0);
    b->ram_base = base;
    b->boot.ram_base = base;
    b->boot.ram_size = b->vm->ram_size;
    return true;
}

bool board_split_ram(Board *b, const char *id, hwaddr base, uint64_t low, hwaddr high_base,
                     uint64_t limit, GError **error)
{
    uint64_t size = b->vm->ram_size, first = MIN(size, low);
    Region *ram, *parts;

    if (size > limit) {
        return fail(error,
                    "ERROR: RAM size 0x%" G_GINT64_MODIFIER "x above max supported of "
                    "0x%" G_GINT64_MODIFIER "x",
                    size, limit);
    }
    ram = machine_ram(b->vm, id, error);
    if (!ram) {
        return false;
    }
    parts = g_new0(Region, 2);          /* lives as long as the machine */
    board_alias(b, &parts[0], "ram-low", ram, 0, first, base);
    if (size > first) {
        board_alias(b, &parts[1], "ram-high", ram, first, size - first, high_base);
    }
    b->boot.ram_base = base;
    b->boot.ram_size = first;
    return true;
}

bool board_add_ram(Board *b, const char *id, hwaddr base, uint64_t size, GError **error)
{
    Region *r = &b->ram[b->num_ram++];

    g_assert(b->num_ram <= ARRAY_COUNT(b->ram));
    if (!region_init_ram(r, NULL, id, size, error)) {
        return false;
    }
    region_add(b->vm->memory, base, r, 0);
    return true;
}

static uint64_t nothing_read(void *opaque, hwaddr offset, unsigned size)
{
    log_mask(LOG_UNIMP, "read of nothing at 0x%" G_GINT64_MODIFIER "x\n", offset);
    return 0;
}

static void nothing_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    log_mask(LOG_UNIMP,
             "write of 0x%" G_GINT64_MODIFIER "x to nothing at 0x%" G_GINT64_MODIFIER "x\n", value,
             offset);
}

void board_quiet(Board *b)
{
    static const RegionOps ops = {.read = nothing_read,
                                  .write = nothing_write,
                                  .min_size = 1,
                                  .max_size = 8,
                                  .unaligned = true};

    region_init_io(&b->nothing, NULL, "nothing", 4 * GIB, &ops, b);
    region_add(b->vm->memory, 0, &b->nothing, -10000);
}

void board_alias(Board *b, Region *alias, const char *name, Region *target, hwaddr offset,
                 uint64_t size, hwaddr at)
{
    region_init_alias(alias, NULL, name, target, offset, size);
    region_add(b->vm->memory, at, alias, 0);
}

bool board_firmware(Board *b, hwaddr addr, uint64_t max, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!b->vm->firmware) {
        return true;
    }
    path = firmware_find(b->vm->firmware);
    if (!path) {
        return fail(error, "Could not find ROM image '%s'", b->vm->firmware);
    }
    if (!load_file(path, "firmware", max, &data, &len, error)) {
        return false;
    }
    rom_add_blob(path, data, len, addr, NULL);
    b->boot.firmware = true;
    return true;
}

bool board_done(Vm *vm, GError **error)
{
    Board *b = vm_published(vm, "board");

    return arm_boot(vm, &b->boot, error);
}
