// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main: options, then the phases of start-up one after the other, the main loop, and the same
 * backwards. What happens in a phase is rows in the folders (qapi/startup.h); here are only
 * the options that concern the process itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/cpu.h"
#include "exec/loader.h"
#include "exec/memory.h"
#include "qapi/qapi-types.h"
#include "qapi/startup.h"
#include "qom/vm.h"
#include "util/error.h"
#include "util/log.h"
#include "util/main-loop.h"
#include "util/trace.h"

static const char *const phase_names[START_PHASES] = {
    [START_PROCESS] = "process", [START_CHARDEV] = "chardev", [START_OBJECT] = "object",
    [START_BLOCK] = "block",     [START_NET] = "net",         [START_AUDIO] = "audio",
    [START_MACHINE] = "machine", [START_ACCEL] = "accel",     [START_DISPLAY] = "display",
    [START_BOARD] = "board",     [START_DEVICE] = "device",   [START_DONE] = "done",
    [START_MONITOR] = "monitor", [START_RUN] = "run",
};

TRACE_POINT(startup_phase, "%s")

/* --- the process: background, pid file, signals -------------------------------------------- */

/* Set once at start: the parent waits at the other end for a byte with our exit status. */
static int daemon_pipe = -1;
static char *pid_path;
/* The machine: never freed, it ends with the process. */
static Vm *the_vm __attribute__((used));
/* Written by signal handlers. */
static _Atomic int signal_seen, signal_sender;

static void daemonize(void)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
        fprintf(stderr, "%s: cannot daemonize: %s\n", g_get_prgname(), g_strerror(errno));
        exit(1);
    }
    if (pid > 0) {
        uint8_t status = 1;
        ssize_t n;

        close(fds[1]);
        do {
            n = read(fds[0], &status, 1);
        } while (n < 0 && errno == EINTR);
        /* Without a byte the child has died; its own words are on stderr. */
        _exit(n == 1 ? status : 1);
    }
    close(fds[0]);
    daemon_pipe = fds[1];
    setsid();
    pid = fork();
    if (pid != 0) {
        _exit(pid < 0);
    }
    umask(027);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    signal(SIGTTIN, SIG_IGN);
}

static bool daemon_ready(GError **error)
{
    uint8_t good = 0;
    int fd;

    if (daemon_pipe < 0) {
        return true;
    }
    if (chdir("/") < 0) {
        return fail_errno(error, errno, "not able to chdir to /");
    }
    fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(error, errno, "could not open '/dev/null'");
    }
    fflush(stdout);
    for (int i = 0; i < 3; i++) {
        if (i < 2 || !log_items) {
            dup2(fd, i);
        }
    }
    close(fd);
    if (write(daemon_pipe, &good, 1) != 1) {
        return fail_errno(error, errno, "the starting process has gone");
    }
    close(daemon_pipe);
    daemon_pipe = -1;
    return true;
}

static bool write_pid(Vm *vm, GError **error)
{
    const char *path = option_arg("pidfile", 0);

    for (unsigned i = 1; option_arg("pidfile", i); i++) {
        path = option_arg("pidfile", i);
    }
    if (!path) {
        return true;
    }
    g_autofree char *text = g_strdup_printf("%ld\n", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        return fail_errno(error, errno, "cannot create PID file: Could not create '%s'", path);
    }
    if (lockf(fd, F_TLOCK, 0) < 0) {
        close(fd);
        return fail_errno(error, errno, "cannot create PID file: '%s' is locked", path);
    }
    /* The descriptor stays open: its lock says that we live. */
    if (ftruncate(fd, 0) < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        return fail_errno(error, errno, "cannot write PID file '%s'", path);
    }
    pid_path = g_canonicalize_filename(path, NULL);
    return true;
}

/* Before hook "privileges": the file may be where only root can write. */
START_HOOK(pidfile, { .phase = START_RUN, .name = "pidfile", .start = write_pid });

static void on_signal(int sig, siginfo_t *info, void *context)
{
    signal_sender = info->si_code == SI_USER ? info->si_pid : 0;
    signal_seen = sig;
    request_shutdown(SHUTDOWN_HOST_SIGNAL);
}

static void catch_signals(void)
{
    struct sigaction act = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };

    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
}

static void report_signal(void)
{
    int sig = signal_seen, pid = signal_sender;

    if (sig && pid) {
        g_autofree char *path = g_strdup_printf("/proc/%d/cmdline", pid);
        g_autofree char *name = NULL;

        if (!g_file_get_contents(path, &name, NULL, NULL)) {
            name = g_strdup("<unknown process>");
        }
        fprintf(stderr, "%s: terminating on signal %d from pid %d (%s)\n", g_get_prgname(), sig,
                pid, name);
    } else if (sig) {
        fprintf(stderr, "%s: terminating on signal %d\n", g_get_prgname(), sig);
    }
}

/* --- options ------------------------------------------------------------------------------- */

static bool opt_nothing(Vm *vm, const char *arg, GError **error)
{
    return true;
}

OPTION(help, { .name = "help", .handle = opt_nothing });
OPTION(version, { .name = "version", .handle = opt_nothing });
OPTION(daemonize, { .name = "daemonize", .handle = opt_nothing });
OPTION(pidfile, { .name = "pidfile", .handle = opt_nothing });
OPTION(stopped, { .name = "S", .handle = opt_nothing });
OPTION(no_user_config, { .name = "no-user-config", .handle = opt_nothing });

static bool opt_nodefaults(Vm *vm, const char *arg, GError **error)
{
    vm->use_default_devices = false;
    return true;
}

OPTION(nodefaults, { .name = "nodefaults", .handle = opt_nodefaults });

static const OptDesc name_params[] = {
    { "guest", OPT_STRING, "name of the guest" },
    { "process", OPT_STRING, "name of the process" },
    { "debug-threads", OPT_BOOL, "name threads after what they do" },
    { NULL },
};

static bool opt_name(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, "guest", error);
    bool good = kv && opts_check(kv, name_params, NULL, error);

    if (good) {
        const char *process = opts_string(kv, "process", NULL);

        vm->name = g_strdup(opts_string(kv, "guest", vm->name));
        if (process) {
            prctl(PR_SET_NAME, process, 0, 0, 0);
        }
    }
    json_object_put(kv);
    return good;
}

OPTION(name, { .name = "name", .handle = opt_name, .group = "name", .params = name_params });

static bool opt_uuid(Vm *vm, const char *arg, GError **error)
{
    if (!g_uuid_string_is_valid(arg)) {
        return fail(error, "failed to parse UUID string: wrong format");
    }
    for (unsigned i = 0; i < sizeof(vm->uuid); arg++) {
        if (*arg != '-') {
            vm->uuid[i++] = (uint8_t)(g_ascii_xdigit_value(arg[0]) << 4 |
                                      g_ascii_xdigit_value(arg[1]));
            arg++;
        }
    }
    vm->uuid_set = true;
    return true;
}

OPTION(uuid, { .name = "uuid", .handle = opt_uuid });

static bool opt_cpu(Vm *vm, const char *arg, GError **error)
{
    vm->cpu_model = arg;
    return true;
}

static bool help_cpu(Vm *vm, const char *arg, GString *out, GError **error)
{
    if (target_arch->models_help) {
        target_arch->models_help(out);
    }
    return true;
}

OPTION(cpu, { .name = "cpu", .handle = opt_cpu, .help = help_cpu });

static const OptDesc action_params[] = {
    { "reboot", OPT_STRING, "reset or shutdown" },
    { "shutdown", OPT_STRING, "poweroff or pause" },
    { "panic", OPT_STRING, "pause, shutdown, exit-failure or none" },
    { "watchdog", OPT_STRING, "reset, shutdown, poweroff, inject-nmi, pause, debug or none" },
    { NULL },
};

static bool opt_action(Vm *vm, const char *arg, GError **error)
{
    static const QapiType *const types[] = {&qapi_type_VmRebootAction, &qapi_type_VmShutdownAction,
                                            &qapi_type_VmPanicAction, &qapi_type_VmWatchdogAction};
    RunActions *a = run_actions();
    int values[] = { a->reboot, a->shutdown, a->panic, a->watchdog };
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, action_params, NULL, error);

    for (unsigned i = 0; good && action_params[i].name; i++) {
        const char *text = keyval_get(kv, action_params[i].name);

        good = !text || qapi_enum_lookup(types[i], action_params[i].name, text, &values[i], error);
    }
    if (good) {
        *a = (RunActions){ values[0], values[1], values[2], values[3] };
    }
    json_object_put(kv);
    return good;
}

OPTION(action, { .name = "action", .handle = opt_action, .group = "action",
                 .params = action_params });

static bool opt_msg(Vm *vm, const char *arg, GError **error)
{
    static const OptDesc params[] = {{"timestamp", OPT_BOOL}, {"guest-name", OPT_BOOL}, {NULL}};
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, params, NULL, error);

    if (good) {
        error_report_style(opts_bool(kv, "timestamp", false),
                           opts_bool(kv, "guest-name", false) ? vm->name : NULL);
    }
    json_object_put(kv);
    return good;
}

OPTION(msg, { .name = "msg", .handle = opt_msg });

/* Options whose values are all but one refused. */
static bool one_value(const char *arg, const char *value, const char *what, GError **error)
{
    return strcmp(arg, value) == 0 || fail(error, "%s is not supported yet", what);
}

static bool opt_display(Vm *vm, const char *arg, GError **error)
{
    static const char *const types[] = { "none", "gtk", "sdl", "curses", "vnc", "egl-headless",
                                         "dbus", "spice-app", "cocoa", NULL };
    g_autofree char *type = g_strndup(arg, strcspn(arg, ",="));

    if (!g_strv_contains(types, type)) {
        g_autofree char *hint = suggestion(type, types);

        return fail(error, "Parameter 'type' does not accept value '%s'%s", type, hint);
    }
    if (strcmp(type, "vnc") == 0) {
        const char *rest = arg + strlen("vnc");

        if (*rest != '=') {
            return fail(error, "VNC requires a display argument vnc=<display>");
        }
        option_add("vnc", rest + 1);
        return true;
    }
    return one_value(type, "none", "a display other than none and vnc", error);
}

static bool help_display(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "Available display backend types:\nnone\nvnc\n");
    return true;
}

/* Nobody shall wonder where the window is. */
static bool check_display(Vm *vm, GError **error)
{
    if (vm->graphics && !option_given("display") && !option_given("vnc") &&
        vm->machine_type->max_cpus > 1) {
        info_report("there is no window yet: the guest's screen is not shown (-display none)");
    }
    return true;
}

START_HOOK(display, { .phase = START_DISPLAY, .name = "display", .start = check_display });
OPTION(display, { .name = "display", .handle = opt_display, .help = help_display });

static bool opt_k(Vm *vm, const char *arg, GError **error)
{
    return one_value(arg, "en-us", "a keyboard layout other than en-us", error);
}

OPTION(k, { .name = "k", .handle = opt_k });

static const OptDesc overcommit_params[] = {
    { "mem-lock", OPT_BOOL, "keep guest memory out of swap space", "off" },
    { "cpu-pm", OPT_BOOL, "let the guest manage power", "off" },
    { NULL },
};

static bool opt_overcommit(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, overcommit_params, NULL, error);

    if (good && opts_bool(kv, "cpu-pm", false)) {
        good = fail(error, "cpu-pm=on is not supported yet");
    }
    if (good && opts_bool(kv, "mem-lock", false) && mlockall(MCL_CURRENT | MCL_FUTURE) < 0) {
        good = fail_errno(error, errno, "locking memory failed");
    }
    json_object_put(kv);
    return good;
}

OPTION(overcommit, { .name = "overcommit", .handle = opt_overcommit, .group = "overcommit",
                     .params = overcommit_params });

static bool opt_L(Vm *vm, const char *arg, GError **error)
{
    firmware_add_folder(arg);
    return true;
}

OPTION(L, { .name = "L", .handle = opt_L });

static bool opt_d(Vm *vm, const char *arg, GError **error)
{
    return log_set_items(arg, error);
}

static bool help_d(Vm *vm, const char *arg, GString *out, GError **error)
{
    log_help(out);
    return true;
}

OPTION(d, { .name = "d", .handle = opt_d, .help = help_d });

static bool opt_D(Vm *vm, const char *arg, GError **error)
{
    return log_set_file(arg, error);
}

OPTION(D, { .name = "D", .handle = opt_D });

static bool opt_dfilter(Vm *vm, const char *arg, GError **error)
{
    return log_set_filter(arg, error);
}

OPTION(dfilter, { .name = "dfilter", .handle = opt_dfilter });

static bool opt_trace(Vm *vm, const char *arg, GError **error)
{
    return trace_option(arg, error);
}

static bool help_trace(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_autofree char *text = trace_help();

    g_string_append(out, text);
    return true;
}

static const OptDesc trace_params[] = {
    { "enable", OPT_STRING }, { "events", OPT_STRING }, { "file", OPT_STRING }, { NULL },
};

OPTION(trace, { .name = "trace", .handle = opt_trace, .help = help_trace, .group = "trace",
                .params = trace_params });

/* --- start, run, end -------------------------------------------------------------------------- */

static bool start_running(Vm *vm, GError **error)
{
    vm->built = true;
    vm_reset(vm);
    if (vm->load_at_start && !vm->load_at_start(vm, error)) {
        return false;
    }
    catch_signals();
    if (!daemon_ready(error)) {
        return false;
    }
    if (!option_given("S") && !runstate_is(RUN_STATE_INMIGRATE)) {
        vm_start(vm);
    }
    return true;
}

static void stop_running(Vm *vm)
{
    vm_pause_cpus(vm);
}

START_HOOK(running, { .phase = START_RUN, .name = "running", .start = start_running,
                      .stop = stop_running });

static void print_version(void)
{
    printf("QEMU emulator version 7.2.0\n"
           "A compatible machine emulator, free software under the GNU GPL, version 2 or later\n");
}

static bool start(Vm *vm, GError **error)
{
    for (StartPhase phase = 0; phase < START_PHASES; phase++) {
        TRACE(startup_phase, phase_names[phase]);
        if (phase == START_MACHINE) {
            address_spaces_init(vm);
        }
        if (!startup_run_phase(vm, phase, error)) {
            return false;
        }
    }
    return true;
}

/* -help, -version and the like. True: the process has done what it was asked for. */
static bool only_help(Vm *vm, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (option_given("version")) {
        print_version();
        return true;
    }
    if (option_given("help")) {
        print_version();
        printf("usage: %s [options] [disk_image]\n\n"
               "'disk_image' is a raw hard disk image for IDE hard disk 0\n", g_get_prgname());
        options_usage(out);
        g_string_append(out, "\nDuring emulation, the following keys are useful:\n"
                        "ctrl-alt-f      toggle full screen\n"
                        "ctrl-alt-n      switch to virtual console 'n'\n"
                        "ctrl-alt-g      toggle mouse and keyboard grab\n\n"
                        "When using -nographic, press 'ctrl-a h' to get some help.\n");
    } else if (!options_help(vm, out, error)) {
        return false;
    }
    fputs(out->str, stdout);
    return true;
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    int status = 0;
    g_autofree char *name = g_path_get_basename(argv[0]);

    g_set_prgname(name);
    signal(SIGPIPE, SIG_IGN);
    if (!options_parse(argc, argv, &error)) {
        error_report_free(error);
        return 1;
    }
    if (option_given("daemonize") && !option_given("help") && !option_given("version")) {
        daemonize();
    }
    main_loop_init();
    Vm *vm = the_vm = vm_new();

    vm->arch = target_arch->name;
    vm->endian = target_arch->endian;
    if (only_help(vm, &error)) {
        if (error) {
            error_report_free(error);
        }
        return error != NULL;
    }
    if (start(vm, &error)) {
        while (!runstate_carry_out(vm, &status)) {
            main_loop_iterate(true);
        }
        report_signal();
    } else {
        error_report_free(error);
        status = 1;
    }
    startup_stop(vm);
    if (pid_path) {
        unlink(pid_path);
    }
    return status;
}
