// SPDX-License-Identifier: GPL-2.0-or-later
/* The PC's real-time clock and CMOS memory: device "mc146818rtc". */
#ifndef HW_RTC_MC146818_H
#define HW_RTC_MC146818_H

#include "qom/device.h"

/* Boards store what firmware expects in CMOS. */
void rtc_set_cmos(Device *rtc, unsigned index, uint8_t value);

#endif
