// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What firmware is told about where to boot from: the file "bootorder" with a line for each device
 * with a bootindex (its path: qom/boot.h), option ROMs, the menu's time and picture.
 */
#include <json-c/json.h>
#include <string.h>

#include "exec/loader.h"
#include "hw/nvram/boot-order.h"
#include "hw/nvram/fw_cfg.h"
#include "qapi/startup.h"
#include "qom/boot.h"
#include "util/bswap.h"
#include "util/error.h"

enum { SPLASH_MAX = 16 * MIB, ROM_MAX = 2 * MIB };

/* ---- the file ---- */

typedef struct Bootable {
    int64_t index;
    Device *device;         /* NULL: path says it */
    const char *path;
} Bootable;

void boot_order_add(Vm *vm, const char *path, int64_t index)
{
    Bootable b = { index, NULL, path };
    GArray *list = vm_published(vm, "boot-entries");

    if (!list) {
        list = g_array_new(FALSE, FALSE, sizeof(Bootable));
        vm_publish(vm, "boot-entries", list);
    }
    g_array_append_val(list, b);
}

/* A controller that hands its index on to the drive it makes is represented by the drive. */
static bool hands_on(Device *d, int64_t index, GArray *list)
{
    for (guint i = 0; i < list->len; i++) {
        Bootable *b = &g_array_index(list, Bootable, i);

        if (b->device && b->index == index && device_is_above(d, b->device)) {
            return true;
        }
        if (b->device && b->index == index && device_is_above(b->device, d)) {
            b->device = d;
            return true;
        }
    }
    return false;
}

static bool collect(Object *obj, void *opaque)
{
    if (obj->kind == KIND_DEVICE && type_find_prop(obj->type, "bootindex")) {
        g_autoptr(GError) error = NULL;
        json_object *v = object_get_json(obj, "bootindex", &error);
        Bootable b = { v ? json_object_get_int64(v) : -1, (Device *)obj, NULL };

        json_object_put(v);
        if (b.index >= 0 && !hands_on((Device *)obj, b.index, opaque)) {
            g_array_append_val((GArray *)opaque, b);
        }
    }
    return true;
}

static int by_index(gconstpointer a, gconstpointer b)
{
    const Bootable *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

static bool publish_order(Vm *vm, FwCfg *f, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(Bootable));
    g_autoptr(GString) text = g_string_new(NULL);

    GArray *more = vm_published(vm, "boot-entries");

    if (more) {
        g_array_append_vals(list, more->data, more->len);
    }
    object_walk(object_container("/machine"), collect, list);
    g_array_sort(list, by_index);
    for (guint i = 0; i < list->len; i++) {
        const Bootable *b = &g_array_index(list, Bootable, i);

        if (i && b->index == b[-1].index) {
            return fail(error, "The bootindex %" PRId64 " has already been used", b->index);
        }
        g_autofree char *path = b->device ? device_fw_path(b->device) : g_strdup(b->path);

        g_string_append_printf(text, "%s\n", path);
    }
    if (vm->boot.strict) {
        g_string_append(text, "HALT\n");
    }
    if (text->len) {
        /* Lines end with a new line, the list with a zero. */
        text->str[text->len - 1] = '\0';
        fw_cfg_add_file(f, "bootorder", text->str, text->len);
    }
    return true;
}

/* ---- geometries that firmware is told for disks ---- */

static uint32_t number_of(Object *obj, const char *name)
{
    g_autoptr(GError) error = NULL;
    json_object *v = object_get_json(obj, name, &error);
    uint32_t n = v ? (uint32_t)json_object_get_int64(v) : 0;

    json_object_put(v);
    return n;
}

static bool collect_geometry(Object *obj, void *opaque)
{
    if (obj->kind == KIND_DEVICE && type_find_prop(obj->type, "lcyls")) {
        uint32_t c = number_of(obj, "lcyls"), h = number_of(obj, "lheads");
        uint32_t s = number_of(obj, "lsecs");

        if (c || h || s) {
            g_autofree char *path = device_fw_path((Device *)obj);

            g_string_append_printf(opaque, "%s %u %u %u\n", path, c, h, s);
        }
    }
    return true;
}

static void publish_geometry(FwCfg *f)
{
    g_autoptr(GString) text = g_string_new(NULL);

    object_walk(object_container("/machine"), collect_geometry, text);
    if (text->len) {
        text->str[text->len - 1] = '\0';
        fw_cfg_add_file(f, "bios-geometry", text->str, text->len);
    }
}

/* ---- option ROMs ---- */

static const OptDesc rom_params[] = {
    { "romfile", OPT_STRING, "the file" },
    { "bootindex", OPT_NUMBER, "place in the boot order" },
    { NULL },
};

/* Read at the end of start-up, when there is a firmware configuration device. */
static bool opt_option_rom(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "romfile", error);
    bool good = kv && opts_check(kv, rom_params, NULL, error) &&
                (opts_has(kv, "romfile") || fail(error, "Option ROM file is not specified"));

    json_object_put(kv);
    return good;
}

OPTION(option_rom, { .name = "option-rom", .handle = opt_option_rom, .group = "option-rom",
                     .params = rom_params });

static bool publish_rom(Vm *vm, FwCfg *f, json_object *kv, GError **error)
{
    const char *name = opts_string(kv, "romfile", "");
    g_autofree char *path = firmware_find_or_fail(name, "option ROM", error);
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!path || !load_file(path, "option ROM", ROM_MAX, &data, &len, error)) {
        return false;
    }
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *file = g_strdup_printf("genroms/%s", base);

    if (opts_has(kv, "bootindex")) {
        boot_order_add(vm, g_strdup_printf("/rom@%s", file),
                       (int64_t)opts_number(kv, "bootindex", 0));
    }
    return fw_cfg_add_file(f, file, data, len) ||
           fail(error, "option ROM '%s': the name is too long", name);
}

static bool publish_roms(Vm *vm, FwCfg *f, GError **error)
{
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("option-rom", i)) != NULL; i++) {
        json_object *kv = keyval_parse(arg, "romfile", error);
        bool good = kv && publish_rom(vm, f, kv, error);

        json_object_put(kv);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* ---- menu ---- */

static bool publish_splash(Vm *vm, FwCfg *f, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!vm->boot.splash) {
        return true;
    }
    path = firmware_find_or_fail(vm->boot.splash, "splash file", error);
    if (!path || !load_file(path, "splash file", SPLASH_MAX, &data, &len, error)) {
        return false;
    }
    if (len < 2 || (memcmp(data, "BM", 2) != 0 && memcmp(data, "\xff\xd8", 2) != 0)) {
        return fail(error, "splash file '%s' is neither JPEG nor BMP", path);
    }
    fw_cfg_add_file(f, data[0] == 'B' ? "bootsplash.bmp" : "bootsplash.jpg", data, len);
    return true;
}

static void publish_times(Vm *vm, FwCfg *f)
{
    uint8_t time[4];

    if (vm->boot.splash_time_ms >= 0) {
        store_le16(time, (uint16_t)vm->boot.splash_time_ms);
        fw_cfg_add_file(f, "etc/boot-menu-wait", time, 2);
    }
    store_le32(time, (uint32_t)vm->boot.reboot_timeout_ms);
    fw_cfg_add_file(f, "etc/boot-fail-wait", time, 4);
}

static bool publish(Vm *vm, GError **error)
{
    FwCfg *f = vm_published(vm, "fw_cfg");

    if (!f) {
        return true;
    }
    publish_times(vm, f);
    publish_geometry(f);
    return publish_roms(vm, f, error) && publish_order(vm, f, error) &&
           publish_splash(vm, f, error);
}

/* After hook "board": whatever can be booted from is there. */
START_HOOK(boot_order, { .phase = START_DONE, .name = "boot-order", .start = publish });
