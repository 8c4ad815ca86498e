// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -semihosting and -semihosting-config, and what they connect: a chardev as the console, gdb's
 * File-I/O as the files.
 */
#include "exec/semihost.h"

#include <json-c/json.h>
#include <string.h>

#include "chardev/chardev.h"
#include "monitor/gdbstub.h"
#include "qapi/startup.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/main-loop.h"

enum {
    CONSOLE_BUFFER = 1024
};

/* The console that chardev= names, with what came in and was not read yet; one of a process. */
static struct {
    char *id;
    ChardevFe fe;
    uint8_t in[CONSOLE_BUFFER];
    size_t len;
} console;

/* ---- the console ---- */

static size_t console_can_receive(void *opaque)
{
    return CONSOLE_BUFFER - console.len;
}

static void console_receive(void *opaque, const uint8_t *buf, size_t len)
{
    len = MIN(len, CONSOLE_BUFFER - console.len);
    memcpy(console.in + console.len, buf, len);
    console.len += len;
}

static const ChardevFeOps console_ops = {.can_receive = console_can_receive,
                                         .receive = console_receive};

/* The main loop may be told that there is room: input is taken up again there. */
static void console_taken(void *opaque)
{
    chardev_accept_input(&console.fe);
}

static size_t console_read(void *opaque, uint8_t *buf, size_t len)
{
    size_t n = MIN(len, console.len);

    memcpy(buf, console.in, n);
    memmove(console.in, console.in + n, console.len - n);
    console.len -= n;
    if (n) {
        main_loop_run_soon(console_taken, NULL);
    }
    return n;
}

static size_t console_write(void *opaque, const uint8_t *buf, size_t len)
{
    return chardev_write(&console.fe, buf, len);
}

/* ---- options ---- */

static const OptDesc params[] = {
    {"enable", OPT_BOOL},    {"target", OPT_STRING}, {"chardev", OPT_STRING},
    {"userspace", OPT_BOOL}, {"arg", OPT_STRING},    {NULL},
};

/* Every arg= of the list: a key that may stand more than once. */
static GPtrArray *all_args(const char *text)
{
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);

    while (*text) {
        g_autoptr(GString) item = g_string_new(NULL);

        for (; *text && (*text != ',' || text[1] == ','); text++) {
            text += *text == ',';
            g_string_append_c(item, *text);
        }
        text += *text == ',';
        if (g_str_has_prefix(item->str, "arg=")) {
            g_ptr_array_add(args, g_strdup(item->str + strlen("arg=")));
        }
    }
    return args;
}

static bool supported(GError **error)
{
    return target_arch->semihosting || fail(error, "Option not supported for this target");
}

static bool opt_semihosting(Vm *vm, const char *arg, GError **error)
{
    if (!supported(error)) {
        return false;
    }
    semihost_config()->enabled = true;
    return true;
}

static bool parse_target(const char *text, SemihostTarget *target, GError **error)
{
    static const char *const names[] = {"auto", "native", "gdb", NULL};

    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *target = (SemihostTarget)i;
            return true;
        }
    }
    g_autofree char *hint = suggestion(text, names);

    return fail(error, "Parameter 'target' does not accept value '%s'%s", text, hint);
}

static bool opt_config(Vm *vm, const char *arg, GError **error)
{
    SemihostConfig *c = semihost_config();
    json_object *kv = supported(error) ? keyval_parse(arg, NULL, error) : NULL;
    bool good = kv && opts_check(kv, params, "semihosting-config", error);

    if (good) {
        g_autoptr(GPtrArray) args = all_args(arg);

        c->enabled = opts_bool(kv, "enable", true);
        c->userspace = opts_bool(kv, "userspace", false);
        g_free(console.id);
        console.id = g_strdup(opts_string(kv, "chardev", NULL));
        good = parse_target(opts_string(kv, "target", "auto"), &c->target, error);
        if (args->len) {
            c->args = g_steal_pointer(&args);
        }
    }
    json_object_put(kv);
    return good;
}

static bool help_config(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(
        out, "semihosting-config options:\n  arg=<str>\n  chardev=<str>\n  enable=<bool (on/off)>\n"
             "  target=<str>\n  userspace=<bool (on/off)>\n");
    return true;
}

OPTION(semihosting, {.name = "semihosting", .handle = opt_semihosting});
OPTION(semihosting_config, {.name = "semihosting-config",
                            .handle = opt_config,
                            .help = help_config,
                            .group = "semihosting-config",
                            .params = params});

static bool start(Vm *vm, GError **error)
{
    SemihostConfig *c = semihost_config();

    c->gdb = gdb_files();
    if (!c->enabled || !console.id) {
        return true;
    }
    Chardev *chr = chardev_find(console.id, error);

    if (!chr) {
        g_clear_error(error);
        return fail(error, "semihosting chardev '%s' not found", console.id);
    }
    if (!chardev_fe_attach(&console.fe, chr, &console_ops, NULL, error)) {
        return false;
    }
    c->console = (SemihostConsole){console_write, console_read, NULL};
    return true;
}

static void stop(Vm *vm)
{
    if (console.fe.chr) {
        chardev_fe_detach(&console.fe);
    }
}

START_HOOK(semihosting,
           {.phase = START_MONITOR, .name = "semihosting", .start = start, .stop = stop});
