// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -accel qtest: no guest code runs; a client on the qtest socket plays the CPU and steps guest
 * time. The protocol is in monitor/qtest.c.
 */
#include "accel/accel.h"

#include "util/timer.h"

static bool qtest_init(Accel *a, Vm *vm, GError **error)
{
    clock_guest_manual();
    return true;
}

static bool qtest_cpu_create(Cpu *cpu, GError **error)
{
    return true;
}

static const AccelType qtest_accel = {
    .object = {.name = "qtest-accel", .parent = "accel", .desc = "no CPU; devices are tested",
               .size = sizeof(Accel)},
    .thread_name = "qtest",
    .init = qtest_init,
    .cpu_create = qtest_cpu_create,
    .no_cpus = true,
};
ACCEL_TYPE(qtest_accel);
