// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What lets accesses through in systems with the Security Extension: memory protection controllers,
 * and the peripheral protection that the security controller of IoTKit configures. Boards ask for
 * each page that goes into a TLB. Machine lock or a vCPU's own thread.
 */
#ifndef HW_MISC_TZ_H
#define HW_MISC_TZ_H

#include "qom/device.h"

/* Numbers of peripheral protection controllers, in the order of the registers. */
enum {
    TZ_AHB0,
    TZ_AHBEXP0,
    TZ_AHBEXP1,
    TZ_AHBEXP2,
    TZ_AHBEXP3,
    TZ_APB0,
    TZ_APB1,
    TZ_APBEXP0,
    TZ_APBEXP1,
    TZ_APBEXP2,
    TZ_APBEXP3,
    TZ_PPCS
};

/* Whether an access to `offset` of the memory is for that state. */
bool tz_mpc_allows(Device *mpc, uint64_t offset, bool secure);
uint32_t tz_mpc_block_size(Device *mpc);
/* Whether the 4 KiB at `page` belong to one state. */
bool tz_mpc_uniform(Device *mpc, uint64_t page);
/* Notes a refused access (and interrupts); true: it ends with a bus error. */
bool tz_mpc_refused(Device *mpc, uint64_t offset, bool secure);
bool tz_ppc_allows(Device *secctl, unsigned ppc, unsigned port, bool secure, bool user);
/* Refused accesses to peripherals end with a bus error; else they read as 0. */
bool tz_ppc_faults(Device *secctl);
/* Bit 0: code at 1xxxxxxx may be called from Non-secure state; bit 1: RAM at 3xxxxxxx. */
uint32_t tz_nsccfg(Device *secctl);

#endif
