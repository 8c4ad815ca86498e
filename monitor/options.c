// SPDX-License-Identifier: GPL-2.0-or-later
/* -gdb and -qtest: the other protocols that look into the machine. */
#include "monitor/gdbstub.h"
#include "monitor/monitor.h"
#include "monitor/qtest.h"
#include "qapi/startup.h"
#include "qom/hmp.h"

static char *run_for_gdb(Vm *vm, const char *line)
{
    return monitor_run_line(vm, line, 0);
}

static bool opt_gdb(Vm *vm, const char *arg, GError **error)
{
    gdb_set_monitor(run_for_gdb);
    return gdb_start(vm, arg, error);
}

OPTION(gdb, { .name = "gdb", .handle = opt_gdb });

static void stop_gdb(Vm *vm)
{
    gdb_exit(0);
    gdb_stop();
}

START_HOOK(gdb, { .phase = START_MONITOR, .name = "gdb", .stop = stop_gdb });

static void hmp_gdbserver(HmpCall *call, GError **error)
{
    const char *device = hmp_str(call, "device");

    gdb_set_monitor(run_for_gdb);
    device = device ? device : "tcp::1234";
    if (!gdb_start(call->vm, device, error)) {
        return;
    }
    g_string_append_printf(call->out, g_strcmp0(device, "none") == 0 ? "Disabled gdbserver\n"
                           : "Waiting for gdb connection on device '%s'\n", device);
}

HMP_COMMAND(gdbserver, hmp_gdbserver, "device:s?",
            "start gdbserver on given device (default 'tcp::1234'), stop with 'none'");

/* The protocol is served once the machine is there; the chardev is made with the others. */
static bool opt_qtest(Vm *vm, const char *arg, GError **error)
{
    return true;
}

OPTION(qtest, { .name = "qtest", .handle = opt_qtest });
OPTION(qtest_log, { .name = "qtest-log", .handle = opt_qtest });

static bool start_qtest(Vm *vm, GError **error)
{
    const char *spec = option_arg("qtest", 0);

    return !spec || qtest_serve(vm, spec, option_arg("qtest-log", 0), error);
}

START_HOOK(qtest,
           {.phase = START_MONITOR, .name = "qtest", .start = start_qtest, .stop = qtest_end});
