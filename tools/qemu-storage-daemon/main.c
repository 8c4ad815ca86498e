// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-storage-daemon: block nodes, exports and a QMP monitor without a machine. Options work in
 * the order in which they stand; those that the emulator has, too, are handled by its rows.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "block/export.h"
#include "block/nbd.h"
#include "block/tool.h"
#include "config.h"
#include "qapi/startup.h"
#include "qom/runstate.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/main-loop.h"

static const char usage_text[] =
    "Usage: qemu-storage-daemon [options]\n"
    "QEMU storage daemon\n"
    "\n"
    "  -h, --help             display this help and exit\n"
    "  -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
    "                         specify tracing options\n"
    "  -V, --version          output version information and exit\n"
    "\n"
    "  --blockdev [driver=]<driver>[,node-name=<N>][,discard=ignore|unmap]\n"
    "             [,cache.direct=on|off][,cache.no-flush=on|off]\n"
    "             [,read-only=on|off][,auto-read-only=on|off]\n"
    "             [,force-share=on|off][,detect-zeroes=on|off|unmap]\n"
    "             [,driver specific parameters...]\n"
    "                         configure a block backend\n"
    "\n"
    "  --chardev <options>    configure a character device backend\n"
    "                         (see the qemu(1) man page for possible options)\n"
    "\n"
    "  --daemonize            daemonize the process, and have the parent exit\n"
    "                         once startup is complete\n"
    "\n"
    "  --export [type=]nbd,id=<id>,node-name=<node-name>[,name=<export-name>]\n"
    "           [,writable=on|off][,bitmap=<name>]\n"
    "                         export the specified block node over NBD\n"
    "                         (requires --nbd-server)\n"
    "\n"
    "  --export [type=]vhost-user-blk,id=<id>,node-name=<node-name>,\n"
    "           addr.type=unix,addr.path=<socket-path>[,writable=on|off]\n"
    "           [,logical-block-size=<block-size>][,num-queues=<num-queues>]\n"
    "                         export the specified block node as a vhost-user-blk\n"
    "                         device over UNIX domain socket\n"
    "\n"
    "  --export [type=]vhost-user-blk,id=<id>,node-name=<node-name>,\n"
    "           addr.type=fd,addr.str=<fd>[,writable=on|off]\n"
    "           [,logical-block-size=<block-size>][,num-queues=<num-queues>]\n"
    "                         export the specified block node as a vhost-user-blk\n"
    "                         device over file descriptor\n"
    "\n"
    "  --export [type=]fuse,id=<id>,node-name=<node-name>,mountpoint=<file>\n"
    "           [,growable=on|off][,writable=on|off][,allow-other=on|off|auto]\n"
    "                         export the specified block node over FUSE\n"
    "\n"
    "  --monitor [chardev=]name[,mode=control][,pretty[=on|off]]\n"
    "                         configure a QMP monitor\n"
    "\n"
    "  --nbd-server addr.type=inet,addr.host=<host>,addr.port=<port>\n"
    "               [,tls-creds=<id>][,tls-authz=<id>][,max-connections=<n>]\n"
    "  --nbd-server addr.type=unix,addr.path=<path>\n"
    "               [,tls-creds=<id>][,tls-authz=<id>][,max-connections=<n>]\n"
    "                         start an NBD server for exporting block nodes\n"
    "\n"
    "  --object <type>[,<property>=<value>...]\n"
    "                         create a new object of type <type>, setting\n"
    "                         properties in the order they are specified. Note\n"
    "                         that the 'id' property must be set.\n"
    "\n"
    "  --pidfile <path>       write process ID to a file after startup\n";

enum { OPT_BLOCKDEV = 256, OPT_CHARDEV, OPT_DAEMONIZE, OPT_EXPORT, OPT_MONITOR, OPT_NBD, OPT_OBJECT, OPT_PIDFILE };

static const struct option long_options[] = {
    { "blockdev", required_argument, NULL, OPT_BLOCKDEV }, { "chardev", required_argument, NULL, OPT_CHARDEV },
    { "daemonize", no_argument, NULL, OPT_DAEMONIZE }, { "export", required_argument, NULL, OPT_EXPORT },
    { "help", no_argument, NULL, 'h' }, { "monitor", required_argument, NULL, OPT_MONITOR },
    { "nbd-server", required_argument, NULL, OPT_NBD }, { "object", required_argument, NULL, OPT_OBJECT },
    { "pidfile", required_argument, NULL, OPT_PIDFILE }, { "trace", required_argument, NULL, 'T' },
    { "version", no_argument, NULL, 'V' }, { NULL },
};

/* Written by a signal handler. */
static volatile sig_atomic_t got_signal;

static void on_signal(int sig)
{
    got_signal = 1;
    main_loop_wake();
}

typedef struct Wanted {
    const char *name;
    const OptionHandler *found;
} Wanted;

static void match(const OptionHandler *h, void *opaque)
{
    Wanted *w = opaque;

    if (strcmp(h->name, w->name) == 0) {
        w->found = h;
    }
}

/* As the emulator does it. */
static bool emulator_option(Vm *vm, const char *name, const char *arg, GError **error)
{
    Wanted w = { .name = name };

    option_handlers_foreach(match, &w);
    return w.found ? w.found->handle(vm, arg, error) : fail(error, "--%s is not supported", name);
}

static bool with_json(bool (*fn)(struct json_object *o, GError **error), const char *text,
                      const char *implied, GError **error)
{
    bool json, good;
    struct json_object *o = keyval_or_json(text, implied, &json, error);

    if (!o) {
        return false;
    }
    good = fn(o, error);
    json_object_put(o);
    return good;
}

static bool add_monitor(Vm *vm, const char *text, GError **error)
{
    g_autofree char *full =
        strstr(text, "mode=") ? g_strdup(text) : g_strconcat(text, ",mode=control", NULL);

    return emulator_option(vm, "mon", full, error);
}

static bool run_option(Vm *vm, int c, const char *arg, GError **error)
{
    switch (c) {
    case OPT_BLOCKDEV:
        return emulator_option(vm, "blockdev", arg, error);
    case OPT_CHARDEV:
        return emulator_option(vm, "chardev", arg, error);
    case OPT_EXPORT:
        return with_json(block_export_add_options, arg, "type", error);
    case OPT_NBD:
        return with_json(nbd_server_start_options, arg, NULL, error);
    case OPT_MONITOR:
        return add_monitor(vm, arg, error);
    case OPT_OBJECT:
        if (tool_object_help(arg)) {
            exit(0);
        }
        return tool_object_add(arg, error);
    default:
        return true;
    }
}

/* The parent waits for a byte; its end without one is failure. */
static int daemonize(void)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0) {
        exit(tool_error("Failed to daemonize: %s", g_strerror(errno)));
    }
    pid_t pid = fork();

    if (pid < 0) {
        exit(tool_error("Failed to daemonize: %s", g_strerror(errno)));
    }
    if (pid > 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(ends[0]);
    setsid();
    return ends[1];
}

static void started(int parent)
{
    int null = parent >= 0 ? open("/dev/null", O_RDWR) : -1;

    if (parent < 0) {
        return;
    }
    if (write(parent, "", 1) < 0) {
        /* the parent has gone: nobody wants to know */
    }
    close(parent);
    for (int fd = 0; fd < 3 && null >= 0; fd++) {
        dup2(null, fd);
    }
    if (null > 2) {
        close(null);
    }
}

/* First pass: what must be known before anything is opened. -1: go on. */
static int first_pass(int argc, char **argv, bool *background)
{
    int c;

    while ((c = getopt_long(argc, argv, "-hT:V", long_options, NULL)) != -1) {
        switch (c) {
        case 'h':
            fputs(usage_text, stdout);
            return 0;
        case 'V':
            printf("qemu-storage-daemon version %s\n", CONFIG_VERSION);
            return 0;
        case OPT_DAEMONIZE:
            *background = true;
            break;
        case '?':
            return 1;
        case 1:
            return tool_error("%s: Unexpected argument", optarg);
        default:
            break;
        }
    }
    return -1;
}

static bool second_pass(int argc, char **argv, Vm *vm, const char **pid_file, GError **error)
{
    int c, row = 0;

    optind = 0;
    while ((c = getopt_long(argc, argv, "-hT:V", long_options, &row)) != -1) {
        if (c == OPT_PIDFILE) {
            *pid_file = optarg;
        } else if (!run_option(vm, c, optarg, error)) {
            g_prefix_error(error, "--%s %s: ", long_options[row].name, optarg ? optarg : "");
            return false;
        }
    }
    return true;
}

static void set_signals(void)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < ARRAY_COUNT(signals); i++) {
        sigaction(signals[i], &(struct sigaction){ .sa_handler = on_signal }, NULL);
    }
}

static bool write_pid(const char *file, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());

    if (file && !g_file_set_contents(file, text, -1, error)) {
        g_prefix_error(error, "cannot create PID file: ");
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *pid_file = NULL;
    bool background = false;
    GError *err = NULL;
    int ret, parent = -1, status = 0;

    g_set_prgname("qemu-storage-daemon");
    ret = first_pass(argc, argv, &background);
    if (ret >= 0) {
        return ret;
    }
    if (background) {
        parent = daemonize();
    }
    tool_init("qemu-storage-daemon");
    Vm *vm = vm_new();

    set_signals();
    if (!second_pass(argc, argv, vm, &pid_file, &err) || !write_pid(pid_file, &err)) {
        vm_free(vm);
        return tool_fail(err);
    }
    started(parent);
    while (!got_signal && !runstate_carry_out(vm, &status)) {
        main_loop_iterate(true);
    }
    block_exports_stop(-1);
    nbd_main_server_stop();
    tool_exit();
    vm_free(vm);
    if (pid_file) {
        unlink(pid_file);
    }
    return 0;
}
