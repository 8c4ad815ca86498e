// SPDX-License-Identifier: GPL-2.0-or-later
/* The TCO watchdog of the ICH9 (Intel 316972, 13.9): 32 ports inside of its power management. */
#ifndef HW_ACPI_TCO_H
#define HW_ACPI_TCO_H

#include "exec/memory.h"
#include "util/timer.h"

#define TCO_OFFSET 0x60
#define TCO_PORTS 32

typedef struct Tco {
    Device *owner;
    Region region;
    /* The first expiry, if SMI_EN lets it; whether the second may reset. */
    void (*smi)(Device *owner);
    bool (*may_reboot)(Device *owner);
    uint16_t reload, sts1, sts2, cnt1, cnt2, initial;
    uint8_t dat_in, dat_out, message[2], wdcnt, sw_irq;
    bool running;
    uint8_t expiries;
    Timer timer;
} Tco;
extern const StateField tco_state[];

void tco_init(Tco *t, Device *owner, Region *pm, void (*smi)(Device *owner),
              bool (*may_reboot)(Device *owner));
void tco_reset(Tco *t);
void tco_fini(Tco *t);
/* TCO_LOCK: the enable of its SMI stays as it is, too. */
bool tco_locked(const Tco *t);

#endif
