// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options that say what the machine is: -machine, -m, -smp, -cpu, -boot, -device, -object,
 * -global and their kin.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "qapi/startup.h"
#include "qom/device-add.h"
#include "qom/object-help.h"
#include "qom/smp.h"
#include "qom/vm.h"
#include "util/error.h"

/* Start-up only: what -machine options add up to, until the machine exists. */
static json_object *machine_kv;

static void merge(json_object **into, json_object *more)
{
    if (!*into) {
        *into = json_object_new_object();
    }
    json_object_object_foreach (more, key, value) {
        json_object_object_add(*into, key, json_object_get(value));
    }
    json_object_put(more);
}

/* --- -machine --------------------------------------------------------------------------- */

static bool opt_machine(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "type", error);

    if (!kv) {
        return false;
    }
    const char *accel = keyval_get(kv, "accel");

    if (accel) {
        g_auto(GStrv) names = g_strsplit(accel, ":", -1);

        g_ptr_array_set_size(vm->accels, 0);
        for (unsigned i = 0; names[i]; i++) {
            g_ptr_array_add(vm->accels, g_strdup(names[i]));
        }
        json_object_object_del(kv, "accel");
    }
    merge(&machine_kv, kv);
    return true;
}

static bool list_prop(const Prop *p, void *opaque)
{
    if (!(p->flags & PROP_HIDDEN)) {
        g_autofree char *type = prop_type_text(p);
        g_autofree char *left = g_strdup_printf("%s=<%s>", p->name, type);
        const char *text = prop_description(p);

        g_ptr_array_add(opaque, text ? g_strdup_printf("  %-22s - %s\n", left, text)
                                     : g_strdup_printf("  %s\n", left));
    }
    return true;
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "T options:" and a line for each property. */
static void type_help(const ObjectType *t, GString *out)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);

    type_foreach_prop(t, list_prop, lines);
    g_ptr_array_sort(lines, by_text);
    if (!lines->len) {
        g_string_append_printf(out, "There are no options for %s.\n", t->name);
        return;
    }
    g_string_append_printf(out, "%s options:\n", t->name);
    for (guint i = 0; i < lines->len; i++) {
        g_string_append(out, lines->pdata[i]);
    }
}

static bool help_machine(Vm *vm, const char *arg, GString *out, GError **error)
{
    if (strchr(arg, ',')) {
        g_autofree char *name = g_strndup(arg, strcspn(arg, ","));
        const char *plain = g_str_has_prefix(name, "type=") ? name + 5 : name;
        const MachineType *t = machine_type_find(plain, vm->arch, error);

        if (t) {
            type_help((const ObjectType *)t, out);
        }
        return t != NULL;
    }
    g_autofree const MachineType **list = machine_types(vm->arch);

    g_string_append(out, "Supported machines are:\n");
    for (unsigned i = 0; list[i]; i++) {
        const MachineType *t = list[i];

        if (t->machine_alias) {
            g_string_append_printf(out, "%-20s %s (alias of %s)\n", t->machine_alias, t->desc,
                                   t->machine_name);
        }
        g_string_append_printf(out, "%-20s %s%s\n", t->machine_name, t->desc,
                               t->is_default ? " (default)" : t->deprecated ? " (deprecated)" : "");
    }
    return true;
}

OPTION(machine, { .name = "machine", .handle = opt_machine, .help = help_machine });

static bool opt_accel(Vm *vm, const char *arg, GError **error)
{
    g_ptr_array_add(vm->accels, g_strdup(g_str_has_prefix(arg, "accel=") ? arg + 6 : arg));
    return true;
}

static bool list_accel(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if (g_str_has_suffix(t->name, "-accel") && !t->abstract && type_is_a(t, "accel")) {
        g_string_append_printf(opaque, "%.*s\n", (int)(strlen(t->name) - strlen("-accel")),
                               t->name);
    }
    return true;
}

static bool help_accel(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "Accelerators supported in QEMU binary:\n");
    type_foreach(list_accel, out);
    return true;
}

OPTION(accel, { .name = "accel", .handle = opt_accel, .help = help_accel });

static const MachineType *default_machine(Vm *vm)
{
    g_autofree const MachineType **list = machine_types(vm->arch);

    for (unsigned i = 0; list[i]; i++) {
        if (list[i]->is_default) {
            return list[i];
        }
    }
    return NULL;
}

static bool machine_pick(Vm *vm, GError **error)
{
    const char *type = machine_kv ? keyval_get(machine_kv, "type") : NULL;

    vm->machine_type = type ? machine_type_find(type, vm->arch, error) : default_machine(vm);
    if (!vm->machine_type) {
        if (!type) {
            fail(error, "No machine specified, and there is no default\n"
                 "Use -machine help to list supported machines");
        }
        return false;
    }
    vm_make_machine(vm);
    return true;
}

static bool machine_set_props(Vm *vm, GError **error)
{
    if (!machine_kv) {
        return true;
    }
    json_object_object_foreach (machine_kv, key, value) {
        if (strcmp(key, "type") != 0 && !object_set_text(&vm->machine->obj, key,
                                                         json_object_get_string(value), error)) {
            return false;
        }
    }
    return true;
}

static bool file_readable(const char *path, const char *what, GError **error)
{
    FILE *f = path ? fopen(path, "rb") : NULL;

    if (path && !f) {
        return fail(error, "could not open %s '%s': %s", what, path, g_strerror(errno));
    }
    if (f) {
        fclose(f);
    }
    return true;
}

/* What may be plugged in: -m slots= and maxmem=. */
static bool check_max_ram(Vm *vm, GError **error)
{
    const MachineType *t = vm->machine_type;
    uint64_t max = vm->max_ram_size;

    if (max == 0) {
        vm->max_ram_size = vm->ram_size;
        return vm->ram_slots == 0 || fail(error, "slots specified but no max-size");
    }
    if (max < vm->ram_size) {
        return fail(error, "invalid value of maxmem: maximum memory size (0x%" PRIx64
                    ") must be at least the initial memory size (0x%" PRIx64 ")",
                    max, vm->ram_size);
    }
    if (vm->ram_slots > 0 && max == vm->ram_size) {
        return fail(error, "invalid value of maxmem: memory slots were specified but maximum "
                    "memory size (0x%" PRIx64 ") is equal to the initial memory size (0x%" PRIx64
                    ")", max, vm->ram_size);
    }
    if (t->max_ram_slots == 0 && (vm->ram_slots > 0 || max > vm->ram_size)) {
        return fail(error, "\"-memory 'slots|maxmem'\" is not supported by: %s", t->machine_name);
    }
    if (vm->ram_slots > t->max_ram_slots) {
        return fail(error, "unsupported amount of memory slots: %u", vm->ram_slots);
    }
    return true;
}

static bool start_machine(Vm *vm, GError **error)
{
    if (!machine_pick(vm, error) || !machine_set_props(vm, error)) {
        return false;
    }
    const Machine *m = vm->machine;
    const MachineType *t = vm->machine_type;

    vm->kernel = m->kernel;
    vm->initrd = m->initrd;
    vm->append = m->append;
    vm->dtb = m->dtb;
    vm->firmware = m->firmware;
    vm->machine->usb |= option_given("usbdevice");
    if (!vm->kernel && (vm->append || vm->initrd)) {
        return fail(error, "-%s only allowed with -kernel option",
                    vm->append ? "append" : "initrd");
    }
    if (!file_readable(vm->kernel, "kernel file", error) ||
        !file_readable(vm->initrd, "initrd", error) || !file_readable(vm->dtb, "dtb", error)) {
        return false;
    }
    if (!vm->ram_size && strcmp(t->machine_name, "none") != 0) {
        vm->ram_size = t->default_ram ? t->default_ram : 128 * MIB;
    }
    return check_max_ram(vm, error) && smp_complete(vm, error);
}

START_HOOK(machine, { .phase = START_MACHINE, .name = "machine", .start = start_machine });

static bool start_board(Vm *vm, GError **error)
{
    return vm->machine_type->init(vm, error);
}

START_HOOK(board, { .phase = START_BOARD, .name = "board", .start = start_board });

static bool start_done(Vm *vm, GError **error)
{
    return !vm->machine_type->done || vm->machine_type->done(vm, error);
}

START_HOOK(done, { .phase = START_DONE, .name = "board", .start = start_done });

/* --- memory, CPUs ------------------------------------------------------------------------ */

static bool opt_m(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "size", error);
    bool good = kv != NULL;
    uint64_t size = vm->ram_size, slots;

    if (!kv) {
        return false;
    }
    json_object_object_foreach (kv, key, value) {
        const char *text = json_object_get_string(value);

        if (!good) {
            break;
        }
        if (strcmp(key, "size") == 0) {
            good = size_parse_unit(text, "size", MIB, &size, error);
        } else if (strcmp(key, "maxmem") == 0) {
            good = size_parse(text, "maxmem", &vm->max_ram_size, error);
        } else if (strcmp(key, "slots") == 0) {
            good = parse_u64(text, &slots) || fail(error, "Parameter 'slots' expects a number");
            vm->ram_slots = good ? (unsigned)MIN(slots, UINT_MAX) : 0;
        } else {
            static const char *const names[] = { "size", "slots", "maxmem", NULL };
            g_autofree char *hint = suggestion(key, names);

            good = fail(error, "Invalid parameter '%s'%s", key, hint);
        }
    }
    json_object_put(kv);
    vm->ram_size = (size + 8191) & ~8191ull;
    return good;
}

static const OptDesc m_params[] = {
    { "size", OPT_SIZE, "initial amount of guest memory" },
    { "slots", OPT_NUMBER, "number of hotplug slots" },
    { "maxmem", OPT_SIZE, "maximum amount of guest memory" },
    { NULL },
};

OPTION(m, { .name = "m", .handle = opt_m, .group = "memory", .params = m_params });

/* --- what boards read -------------------------------------------------------------------- */

static const OptDesc boot_params[] = {
    { "order", OPT_STRING, "drives: floppy (a), hard disk (c), CD-ROM (d), network (n)" },
    { "once", OPT_STRING, "the same for the first boot" },
    { "menu", OPT_BOOL, "interactive boot menu", "off" },
    { "splash", OPT_STRING, "picture of the boot menu, JPEG or BMP" },
    { "splash-time", OPT_STRING, "ms that it is shown" },
    { "reboot-timeout", OPT_STRING, "ms until a failed boot is tried again, at most 65535" },
    { "strict", OPT_BOOL, "boot only from devices with bootindex", "off" },
    { NULL },
};

/* A time of 16 bits; the firmware's -1 for none is accepted, too. */
static bool boot_time(json_object *kv, const char *key, int64_t *ms, GError **error)
{
    const char *text = opts_string(kv, key, NULL);
    uint64_t n;

    if (!text || strcmp(text, "-1") == 0) {
        return true;
    }
    if (!parse_u64(text, &n) || n > UINT16_MAX) {
        return fail(error, "%s '%s' is invalid, should be between -1 and 65535", key, text);
    }
    *ms = (int64_t)n;
    return true;
}

/* Letters a to p, each once. */
static bool boot_order_valid(const char *order, GError **error)
{
    for (const char *c = order; c && *c; c++) {
        if (*c < 'a' || *c > 'p') {
            return fail(error, "Invalid boot device '%c'", *c);
        }
        if (strchr(c + 1, *c)) {
            return fail(error, "Boot device '%c' was given twice", *c);
        }
    }
    return true;
}

static bool opt_boot(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "order", error);
    bool good = kv && opts_check(kv, boot_params, NULL, error);

    if (good) {
        const char *order = opts_string(kv, "order", NULL), *once = opts_string(kv, "once", NULL);

        good = boot_order_valid(order, error) && boot_order_valid(once, error) &&
               boot_time(kv, "splash-time", &vm->boot.splash_time_ms, error) &&
               boot_time(kv, "reboot-timeout", &vm->boot.reboot_timeout_ms, error);
        vm->boot_order = order ? g_strdup(order) : vm->boot_order;
        vm->boot_once = once ? g_strdup(once) : vm->boot_once;
        vm->boot_menu = opts_bool(kv, "menu", vm->boot_menu);
        vm->boot.strict = opts_bool(kv, "strict", vm->boot.strict);
        if (opts_has(kv, "splash")) {
            vm->boot.splash = g_strdup(opts_string(kv, "splash", NULL));
        }
    }
    json_object_put(kv);
    return good;
}

OPTION(boot, { .name = "boot", .handle = opt_boot, .group = "boot-opts", .params = boot_params });

static const OptDesc fw_cfg_params[] = {
    { "name", OPT_STRING, "name of the entry, opt/..." },
    { "file", OPT_STRING, "file with the contents" },
    { "string", OPT_STRING, "the contents" },
    { NULL },
};

static bool opt_fw_cfg(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "name", error);

    if (!kv || !opts_check(kv, fw_cfg_params, NULL, error)) {
        json_object_put(kv);
        return false;
    }
    if (!opts_has(kv, "name") || opts_has(kv, "file") == opts_has(kv, "string")) {
        json_object_put(kv);
        return fail(error, "name, and either file or string are needed");
    }
    if (!file_readable(opts_string(kv, "file", NULL), "file", error)) {
        json_object_put(kv);
        return false;
    }
    if (!vm->fw_cfg) {
        vm->fw_cfg = g_ptr_array_new();
    }
    g_ptr_array_add(vm->fw_cfg, kv);
    return true;
}

OPTION(fw_cfg, { .name = "fw_cfg", .handle = opt_fw_cfg, .group = "fw_cfg",
                 .params = fw_cfg_params });

static bool opt_vga(Vm *vm, const char *arg, GError **error)
{
    static const char *const names[] = { "std", "cirrus", "vmware", "qxl", "virtio", "none", NULL };
    g_autofree char *hint = suggestion(arg, names);

    if (!g_strv_contains(names, arg)) {
        return fail(error, "unknown vga type: %s%s", arg, hint);
    }
    vm->vga = arg;
    return true;
}

static bool help_vga(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out,
                    "none                 no graphic card\nstd                  standard VGA\n");
    return true;
}

OPTION(vga, { .name = "vga", .handle = opt_vga, .help = help_vga });

static const OptDesc rtc_params[] = {
    { "base", OPT_STRING, "utc, localtime, or a date" },
    { "clock", OPT_STRING, "host, rt or vm" },
    { "driftfix", OPT_STRING, "none or slew" },
    { NULL },
};

static bool rtc_base(Vm *vm, const char *base, GError **error)
{
    struct tm tm = { 0 };
    time_t now = time(NULL), then;
    const char *rest;

    if (strcmp(base, "utc") == 0) {
        return true;
    }
    if (strcmp(base, "localtime") == 0) {
        localtime_r(&now, &tm);
        vm->rtc_offset_s = tm.tm_gmtoff;
        return true;
    }
    rest = strptime(base, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest) {
        tm = (struct tm){ 0 };
        rest = strptime(base, "%Y-%m-%d", &tm);
    }
    if (!rest || *rest) {
        return fail(error, "invalid datetime format\n"
                    "valid formats: '2006-06-17T16:01:21' or '2006-06-17'");
    }
    then = timegm(&tm);
    vm->rtc_offset_s = then - now;
    return true;
}

static bool opt_rtc(Vm *vm, const char *arg, GError **error)
{
    static const char *const clocks[] = { "host", "rt", "vm", NULL };
    static const char *const fixes[] = { "none", "slew", NULL };
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, rtc_params, NULL, error);

    if (good && !g_strv_contains(clocks, opts_string(kv, "clock", "host"))) {
        good = fail(error, "invalid option value '%s'", opts_string(kv, "clock", NULL));
    }
    if (good && !g_strv_contains(fixes, opts_string(kv, "driftfix", "none"))) {
        good = fail(error, "invalid option value '%s'", opts_string(kv, "driftfix", NULL));
    }
    good = good && rtc_base(vm, opts_string(kv, "base", "utc"), error);
    json_object_put(kv);
    return good;
}

OPTION(rtc, { .name = "rtc", .handle = opt_rtc, .group = "rtc", .params = rtc_params });

/* --- devices and objects ------------------------------------------------------------------ */

static bool opt_device(Vm *vm, const char *arg, GError **error)
{
    bool json = arg[0] == '{';
    json_object *o = json ? json_from_text(arg, error) : keyval_parse(arg, "driver", error);
    bool good = o && device_add(vm, o, !json, error) != NULL;

    json_object_put(o);
    return good;
}

static bool help_device(Vm *vm, const char *arg, GString *out, GError **error)
{
    if (!strchr(arg, ',')) {
        device_help_list(out);
        return true;
    }
    g_autofree char *name = g_strndup(arg, strcspn(arg, ","));

    return device_help_props(g_str_has_prefix(name, "driver=") ? name + 7 : name, out, error);
}

OPTION(device, { .name = "device", .handle = opt_device, .help = help_device });

static bool opt_usbdevice(Vm *vm, const char *arg, GError **error)
{
    static const char *const kinds[][2] = {
        {"tablet", "usb-tablet"}, {"mouse", "usb-mouse"}, {"keyboard", "usb-kbd"}};

    for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (strcmp(arg, kinds[i][0]) == 0) {
            return opt_device(vm, kinds[i][1], error);
        }
    }
    return fail(error, "could not add USB device '%s': tablet, mouse and keyboard are known", arg);
}

OPTION(usbdevice, { .name = "usbdevice", .handle = opt_usbdevice });

/* Makes the object of one -object if its type is made early, or if it is not. */
static bool add_object(const char *arg, bool early, GError **error)
{
    bool json = arg[0] == '{';
    json_object *o = json ? json_from_text(arg, error) : keyval_parse(arg, "qom-type", error);
    const char *name = o ? opts_string(o, "qom-type", NULL) : NULL;
    const ObjectType *t = name ? type_find(name, NULL) : NULL;
    bool good = o && ((t && t->early) != early || object_add(o, !json, error));

    json_object_put(o);
    return good;
}

static bool opt_object(Vm *vm, const char *arg, GError **error)
{
    return add_object(arg, false, error);
}

static bool start_early_objects(Vm *vm, GError **error)
{
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("object", i)) != NULL; i++) {
        if (!add_object(arg, true, error)) {
            g_prefix_error(error, "-object %s: ", arg);
            return false;
        }
    }
    return true;
}

START_HOOK(early_objects,
           {.phase = START_EARLY_OBJECT, .name = "objects", .start = start_early_objects});

static bool list_creatable(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if (kind == KIND_OBJECT && t->user_creatable && !t->abstract) {
        g_string_append_printf(opaque, "  %s\n", t->name);
    }
    return true;
}

bool user_object_help(const char *arg, GString *out, GError **error)
{
    if (!strchr(arg, ',')) {
        g_string_append(out, "List of user creatable objects:\n");
        type_foreach(list_creatable, out);
        return true;
    }
    g_autofree char *name = g_strndup(arg, strcspn(arg, ","));
    const ObjectType *t = type_find(g_str_has_prefix(name, "qom-type=") ? name + 9 : name, NULL);

    if (!t || !t->user_creatable) {
        return fail(error, "invalid object type: %s", name);
    }
    type_help(t, out);
    return true;
}

static bool help_object(Vm *vm, const char *arg, GString *out, GError **error)
{
    return user_object_help(arg, out, error);
}

OPTION(object, { .name = "object", .handle = opt_object, .help = help_object });

static bool opt_global(Vm *vm, const char *arg, GError **error)
{
    const char *eq = strchr(arg, '='), *dot = strchr(arg, '.');

    if (eq && dot && dot < eq) {
        g_autofree char *driver = g_strndup(arg, (gsize)(dot - arg));
        g_autofree char *prop = g_strndup(dot + 1, (gsize)(eq - dot - 1));

        global_prop_add(driver, prop, eq + 1);
        return true;
    }
    static const OptDesc params[] = {
        { "driver", OPT_STRING }, { "property", OPT_STRING }, { "value", OPT_STRING }, { NULL },
    };
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, params, NULL, error);

    if (good && !(opts_has(kv, "driver") && opts_has(kv, "property") && opts_has(kv, "value"))) {
        good = fail(error, "needs driver, property and value");
    }
    if (good) {
        global_prop_add(keyval_get(kv, "driver"), keyval_get(kv, "property"),
                        keyval_get(kv, "value"));
    }
    json_object_put(kv);
    return good;
}

OPTION(global, { .name = "global", .handle = opt_global });
