// SPDX-License-Identifier: GPL-2.0-or-later
/* The accelerator's place in start-up, and what the human monitor asks of it. */
#include "accel/accel.h"
#include "qapi/startup.h"
#include "qom/hmp.h"

static bool start_accel(Vm *vm, GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new();

    for (guint i = 0; i < vm->accels->len; i++) {
        g_ptr_array_add(list, vm->accels->pdata[i]);
    }
    g_ptr_array_add(list, NULL);
    return accel_start(vm, (char *const *)list->pdata, error);
}

/* No stop: the vCPUs that use it end with the process. */
START_HOOK(accel, { .phase = START_ACCEL, .name = "accel", .start = start_accel });

static void info_jit(HmpCall *call, GError **error)
{
    accel_info(call->vm, call->out);
}

HMP_INFO(jit, info_jit, "", "show dynamic compiler info");
