// SPDX-License-Identifier: GPL-2.0-or-later
/* High precision event timers: device "hpet", bank "mmio". */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

#include "qom/device.h"

/* An interrupt was taken: sends ticks that are owed. Any vCPU, machine lock. */
void hpet_retry(Device *hpet);

#endif
