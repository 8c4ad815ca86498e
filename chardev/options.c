// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -chardev, -serial, -parallel, -add-fd, -echr, -nographic: the back ends that the command line
 * asks for, and the ones that a machine has by default.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>

#include "chardev/internal.h"
#include "chardev/mux.h"
#include "chardev/parallel.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/fdset.h"

/* --- -chardev ---------------------------------------------------------------------------- */

static bool opt_chardev(Vm *vm, const char *arg, GError **error)
{
    bool json;
    json_object *o = arg[0] == '{' ? keyval_or_json(arg, "backend", &json, error)
                                   : keyval_parse(arg, "backend", error);
    Chardev *c = o ? chardev_new(o, error) : NULL;

    json_object_put(o);
    return c != NULL;
}

static void hmp_chardev_add(HmpCall *call, GError **error)
{
    opt_chardev(call->vm, hmp_str(call, "args"), error);
}

HMP_ROW(chardev_add, { .name = "chardev-add", .args = "args:S", .params = "args",
                       .fn = hmp_chardev_add, .help = "add chardev" });

static void list_driver(const ChardevDriver *d, void *opaque)
{
    if (!d->hidden) {
        g_string_append_printf(opaque, "  %s\n", d->name);
    }
}

static bool help_chardev(Vm *vm, const char *arg, GString *out, GError **error)
{
    static const char *const kinds[] = { "str", "bool (on/off)", "num", "size" };

    if (!strchr(arg, ',')) {
        g_string_append(out, "Available chardev backend types: \n");
        chardev_driver_foreach(list_driver, out);
        return true;
    }
    g_autofree char *name = g_strndup(arg, strcspn(arg, ","));
    const ChardevDriver *d = chardev_driver_find(name);

    if (!d) {
        return fail(error, "'%s' is not a valid char driver name", name);
    }
    g_string_append_printf(out, "chardev options:\n  backend=<str>\n  id=<str>\n"
                           "  logappend=<bool (on/off)>\n  logfile=<str>\n  mux=<bool (on/off)>\n");
    for (const OptDesc *o = d->opts; o && o->name; o++) {
        g_string_append_printf(out, "  %s=<%s>%s%s\n", o->name, kinds[o->kind],
                               o->help ? " - " : "", o->help ? o->help : "");
    }
    return true;
}

/* What any back end takes, for query-command-line-options. */
static const OptDesc chardev_params[] = {
    { "backend", OPT_STRING }, { "path", OPT_STRING }, { "host", OPT_STRING },
    { "port", OPT_STRING }, { "fd", OPT_STRING }, { "localaddr", OPT_STRING },
    { "localport", OPT_STRING }, { "to", OPT_NUMBER }, { "ipv4", OPT_BOOL },
    { "ipv6", OPT_BOOL }, { "wait", OPT_BOOL }, { "server", OPT_BOOL }, { "delay", OPT_BOOL },
    { "nodelay", OPT_BOOL }, { "reconnect", OPT_NUMBER }, { "telnet", OPT_BOOL },
    { "mux", OPT_BOOL }, { "signal", OPT_BOOL }, { "size", OPT_SIZE }, { "chardev", OPT_STRING },
    { "append", OPT_BOOL }, { "logfile", OPT_STRING }, { "logappend", OPT_BOOL },
    { "abstract", OPT_BOOL }, { "tight", OPT_BOOL }, { NULL },
};

OPTION(chardev, { .name = "chardev", .handle = opt_chardev, .help = help_chardev,
                  .group = "chardev", .params = chardev_params });

/* --- serial and parallel ports ------------------------------------------------------------ */

static bool add_serial(Vm *vm, const char *spec, GError **error)
{
    if (!vm->serials) {
        vm->serials = g_ptr_array_new();
    }
    g_autofree char *id = g_strdup_printf("serial%u", vm->serials->len);
    bool with_monitor;
    Chardev *c = chardev_new_short_mon(id, spec, &with_monitor, error);

    if (!c && *error) {
        return false;
    }
    g_ptr_array_add(vm->serials, c ? g_strdup(chardev_id(c)) : NULL);
    if (c && with_monitor) {
        g_autofree char *mon = g_strdup_printf("chardev=%s,mode=readline", chardev_id(c));

        option_add("mon", mon);
    }
    return true;
}

static bool opt_serial(Vm *vm, const char *arg, GError **error)
{
    if (!add_serial(vm, arg, error)) {
        g_prefix_error(error, "could not connect serial device to character backend: ");
        return false;
    }
    return true;
}

OPTION(serial, { .name = "serial", .handle = opt_serial });

static bool opt_parallel(Vm *vm, const char *arg, GError **error)
{
    GPtrArray *ids = vm_published(vm, "parallels");

    if (!ids) {
        ids = g_ptr_array_new();
        vm_publish(vm, "parallels", ids);
    }
    if (ids->len == PARALLEL_PORTS) {
        return fail(error, "too many parallel ports: %u are possible", PARALLEL_PORTS);
    }
    g_autofree char *id = g_strdup_printf("parallel%u", ids->len);
    bool with_monitor;
    Chardev *c = chardev_new_short_mon(id, arg, &with_monitor, error);

    if (!c && *error) {
        g_prefix_error(error, "could not connect parallel device to character backend: ");
        return false;
    }
    g_ptr_array_add(ids, c ? g_strdup(chardev_id(c)) : NULL);
    if (c && with_monitor) {
        g_autofree char *mon = g_strdup_printf("chardev=%s,mode=readline", chardev_id(c));

        option_add("mon", mon);
    }
    return true;
}

OPTION(parallel, { .name = "parallel", .handle = opt_parallel });

static bool opt_nographic(Vm *vm, const char *arg, GError **error)
{
    vm->graphics = false;
    return true;
}

OPTION(nographic, { .name = "nographic", .handle = opt_nographic });

const char *parallel_chardev(Vm *vm, unsigned i, GError **error)
{
    static const char *const types[] = {"isa-parallel", NULL};
    const GPtrArray *ids = vm_published(vm, "parallels");

    if (ids) {
        return i < ids->len ? g_ptr_array_index(ids, i) : NULL;
    }
    if (i > 0 || !vm->use_default_devices || option_device_given(types)) {
        return NULL;
    }
    Chardev *c = chardev_new_short("parallel0", vm->graphics ? "vc:80Cx24C" : "null", error);

    return c ? chardev_id(c) : NULL;
}

static bool monitor_given(void)
{
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("serial", i)) != NULL; i++) {
        if (g_str_has_prefix(arg, "mon:")) {
            return true;
        }
    }
    return option_given("monitor") || option_given("qmp") || option_given("qmp-pretty") ||
           option_given("mon");
}

static bool default_chardevs(Vm *vm, GError **error)
{
    static const char *const serials[] = { "isa-serial", NULL };
    static const char *const displays[] = { "VGA", "cirrus-vga", "vmware-svga", "qxl-vga",
                                            "virtio-vga", NULL };
    bool serial = vm->use_default_devices && !option_given("serial") &&
                  !option_device_given(serials);
    bool monitor = vm->use_default_devices && !monitor_given();
    bool none = g_strcmp0(option_arg("machine", 0), "none") == 0;

    if (!vm->vga && option_device_given(displays)) {
        vm->vga = "none";
    }
    if (!vm->graphics && serial && monitor && !none) {
        return add_serial(vm, "mon:stdio", error);
    }
    if (serial && !none && !add_serial(vm, vm->graphics ? "vc:80Cx24C" : "stdio", error)) {
        return false;
    }
    if (monitor) {
        Chardev *c = chardev_new_short("compat_monitor0", vm->graphics ? "vc:80Cx24C" : "stdio",
                                       error);

        if (!c) {
            return false;
        }
        option_add("mon", "chardev=compat_monitor0,mode=readline");
    }
    return true;
}

static void end_chardevs(Vm *vm)
{
    chardev_cleanup();
}

START_HOOK(chardevs, { .phase = START_CHARDEV, .name = "defaults", .start = default_chardevs,
                       .stop = end_chardevs });

/* --- descriptors, escape character -------------------------------------------------------- */

static bool opt_add_fd(Vm *vm, const char *arg, GError **error)
{
    static const OptDesc params[] = {
        { "fd", OPT_NUMBER }, { "set", OPT_NUMBER }, { "opaque", OPT_STRING }, { NULL },
    };
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, params, NULL, error);

    if (good && !(opts_has(kv, "fd") && opts_has(kv, "set"))) {
        good = fail(error, "fd and set options are required");
    }
    int given = good ? (int)MIN(opts_number(kv, "fd", 0), G_MAXINT) : -1;

    if (good && given <= 2) {
        good = fail(error, "fd cannot be a standard I/O stream");
    }
    if (good && (fcntl(given, F_GETFD) < 0 || (fcntl(given, F_GETFD) & FD_CLOEXEC))) {
        good = fail(error, "fd is not valid or already in use");
    }
    if (good) {
        int64_t set = (int64_t)opts_number(kv, "set", 0);
        int fd = fcntl(given, F_DUPFD_CLOEXEC, 0);

        good = fd >= 0 ? fdset_add(&set, fd, opts_string(kv, "opaque", NULL), error)
                       : fail_errno(error, errno, "error duplicating fd");
    }
    json_object_put(kv);
    return good;
}

OPTION(add_fd, { .name = "add-fd", .handle = opt_add_fd });

static bool opt_echr(Vm *vm, const char *arg, GError **error)
{
    int64_t n;

    if (!int_parse(arg, "echr", false, &n, error) || n < 0 || n > 255) {
        return *error ? false : fail(error, "Parameter 'echr' expects a character's number");
    }
    mux_set_escape((uint8_t)n);
    return true;
}

OPTION(echr, { .name = "echr", .handle = opt_echr });
