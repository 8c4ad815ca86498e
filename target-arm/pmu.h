// SPDX-License-Identifier: GPL-2.0-or-later
/* Performance monitors (pmu.c); registers in sysreg-pmu.c. The vCPU's own thread, unless stated. */
#ifndef TARGET_ARM_PMU_H
#define TARGET_ARM_PMU_H

#include "target-arm/cpu.h"

enum {
    PMU_CYCLE_COUNTER = 31
};

void arm_pmu_init(ArmCpu *c); /* before realize's end */
void arm_pmu_reset(ArmCpu *c); /* machine lock */
/* Counts what has passed; then looks again at what counts, at the interrupt and at the timer. */
void arm_pmu_sync(ArmCpu *c);
/* Number of event counters; bits of all counters; PMCR; PMCEID0 and 1. */
unsigned arm_pmu_counters(const ArmCpu *c);
uint64_t arm_pmu_all(const ArmCpu *c);
uint64_t arm_pmu_pmcr(const ArmCpu *c);
uint64_t arm_pmu_events(const ArmCpu *c, unsigned which);
/*
 * Writes to PMCR, PMSWINC and counters; reads of counters. i: PMU_CYCLE_COUNTER, or one that
 * exists.
 */
void arm_pmu_control(ArmCpu *c, uint64_t v);
void arm_pmu_increment(ArmCpu *c, uint64_t mask);
uint64_t arm_pmu_value(ArmCpu *c, unsigned i);
void arm_pmu_set_value(ArmCpu *c, unsigned i, uint64_t v);

#endif
