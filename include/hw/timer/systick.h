// SPDX-License-Identifier: GPL-2.0-or-later
/* SysTick, for what changes the CPU's clock. Machine lock. */
#ifndef HW_TIMER_SYSTICK_H
#define HW_TIMER_SYSTICK_H

#include "qom/device.h"

void systick_set_cpu_hz(Device *systick, uint64_t hz);

#endif
