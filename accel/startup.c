// SPDX-License-Identifier: GPL-2.0-or-later
/* The accelerator's place in start-up, and what the human monitor asks of it. */
#include "accel/accel.h"
#include "qapi/startup.h"
#include "qom/hmp.h"
#include "util/log.h"

static bool start_accel(Vm *vm, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (guint i = 0; i < vm->accels->len; i++) {
        g_ptr_array_add(list, vm->accels->pdata[i]);
    }
    g_ptr_array_add(list, NULL);
    return accel_start(vm, (char *const *)list->pdata, error);
}

/* The accelerator stays: the vCPUs that use it end with the process. */
static void log_stats(Vm *vm)
{
    if (log_enabled(LOG_JIT_STATS)) {
        g_autoptr(GString) text = g_string_new(NULL);
        accel_info(vm, text);
        log_text(text->str);
    }
}

START_HOOK(accel, {.phase = START_ACCEL, .name = "accel", .start = start_accel, .stop = log_stats});

static void info_jit(HmpCall *call, GError **error)
{
    accel_info(call->vm, call->out);
}

HMP_INFO(jit, info_jit, "", "show dynamic compiler info");
