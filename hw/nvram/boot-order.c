// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What firmware is told about where to boot from: the file "bootorder" with a line for each device
 * with a bootindex, named as in IEEE 1275 (the PCI, SCSI and IDE names that SeaBIOS and OVMF match
 * against), the menu's time and picture, and on a PC the letters of -boot order= in CMOS.
 */
#include <json-c/json.h>
#include <string.h>

#include "exec/loader.h"
#include "hw/nvram/boot-order.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "hw/rtc/mc146818.h"
#include "qapi/startup.h"
#include "util/bswap.h"
#include "util/error.h"

enum { SPLASH_MAX = 16 * MIB, ROM_MAX = 2 * MIB, CMOS_BOOT_THIRD = 0x38, CMOS_BOOT_FIRST = 0x3d };

/* ---- names ---- */

static char *pci_node(PciDevice *d)
{
    uint32_t class_code = pci_config_get(d, PCI_CLASS_DEVICE, 2);
    static const struct {
        uint16_t class_code;
        const char *name;
    } names[] = {
        { 0x0000, "legacy-device" }, { 0x0100, "scsi" },        { 0x0101, "ide" },
        { 0x0200, "ethernet" },      { 0x0300, "display" },     { 0x0604, "pci-bridge" },
        { 0x0c03, "usb" },
    };
    g_autofree char *name = NULL;
    unsigned fn = PCI_FUNC(d->devfn);

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].class_code == class_code) {
            name = g_strdup(names[i].name);
        }
    }
    if (!name) {
        name = g_strdup_printf("pci%x,%x", pci_config_get(d, PCI_VENDOR_ID, 2),
                               pci_config_get(d, PCI_DEVICE_ID, 2));
        if (class_code >> 8 == 1) {
            g_free(name);
            name = g_strdup_printf("pci%04x,%04x", pci_config_get(d, PCI_VENDOR_ID, 2),
                                   pci_config_get(d, PCI_DEVICE_ID, 2));
        }
    }
    return fn ? g_strdup_printf("%s@%x,%x", name, PCI_SLOT(d->devfn), fn)
              : g_strdup_printf("%s@%x", name, PCI_SLOT(d->devfn));
}

static bool on_pci(const Device *d)
{
    return d->parent_bus && type_is_a(d->parent_bus->obj.type, "PCI");
}

/* The path down to d, without what is bootable within it. */
static void add_path(Device *d, GString *out)
{
    Bus *bus = d->parent_bus;
    char *(*fw_path)(Bus *, Device *) = bus ? bus_type(bus)->fw_path : NULL;

    if (bus && bus->owner) {
        add_path(bus->owner, out);
    }
    if (on_pci(d)) {
        g_autofree char *node = pci_node(PCI_DEVICE(d));

        if (!on_pci(bus->owner)) {
            g_string_append(out, "/pci@i0cf8");
        }
        g_string_append_printf(out, "/%s", node);
    } else if (fw_path) {
        g_autofree char *node = fw_path(bus, d);

        g_string_append_printf(out, "/%s", node);
    }
}

/* What of a function is booted from. */
static const char *bootable_part(Device *d)
{
    switch (on_pci(d) ? pci_config_get(PCI_DEVICE(d), PCI_CLASS_DEVICE, 2) : 0) {
    case 0x0100: return "/disk@0,0";
    case 0x0108: return "/namespace@1,0";
    case 0x0200: return "/ethernet-phy@0";
    default: return "";
    }
}

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

static bool collect(Object *obj, void *opaque)
{
    if (obj->kind == KIND_DEVICE && type_find_prop(obj->type, "bootindex")) {
        g_autoptr(GError) error = NULL;
        json_object *v = object_get_json(obj, "bootindex", &error);
        Bootable b = { v ? json_object_get_int64(v) : -1, (Device *)obj, NULL };

        json_object_put(v);
        if (b.index >= 0) {
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
        if (b->device) {
            add_path(b->device, text);
        }
        g_string_append(text, b->device ? bootable_part(b->device) : b->path);
        g_string_append_c(text, '\n');
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

/* ---- CMOS ---- */

static void publish_letters(Vm *vm)
{
    Device *rtc = vm_published(vm, "rtc");
    const char *order = vm->boot_order ? vm->boot_order : "cad";
    uint8_t codes[3] = { 0 };

    if (!rtc || strcmp(rtc->obj.type->name, "mc146818rtc") != 0) {
        return;
    }
    for (unsigned i = 0; i < 3 && order[i]; i++) {
        static const char letters[] = "acdn";
        const char *at = strchr(letters, order[i]);

        codes[i] = at ? (uint8_t)(at - letters + 1) : 0;
    }
    rtc_set_cmos(rtc, CMOS_BOOT_FIRST, (uint8_t)(codes[1] << 4 | codes[0]));
    rtc_set_cmos(rtc, CMOS_BOOT_THIRD, (uint8_t)(codes[2] << 4));
}

static bool publish(Vm *vm, GError **error)
{
    FwCfg *f = vm_published(vm, "fw_cfg");

    if (!f) {
        return true;
    }
    publish_letters(vm);
    publish_times(vm, f);
    return publish_roms(vm, f, error) && publish_order(vm, f, error) && publish_splash(vm, f, error);
}

/* After hook "board": whatever can be booted from is there. */
START_HOOK(boot_order, { .phase = START_DONE, .name = "boot-order", .start = publish });
