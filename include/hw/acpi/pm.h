// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI fixed hardware (ACPI 6.3, 4.8.3) shared by PIIX4 and ICH9: PM1 event and control
 * blocks, PM timer, GPE block. The owner maps the region and drives the SCI.
 */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#include "exec/memory.h"
#include "util/timer.h"

typedef struct AcpiPm {
    Device *owner;
    Region pm1, timer_region, gpe_region;
    void (*set_sci)(Device *owner, int level);
    uint16_t pm1_sts, pm1_en, pm1_cnt;
    uint8_t gpe_sts[8], gpe_en[8];
    unsigned gpe_len; /* bytes of each half */
    uint8_t disable_s3, disable_s4, s4_val; /* properties of the owner */
    Timer timer; /* next wrap of the timer's top bit, while TMR_EN */
} AcpiPm;
extern const StateField acpi_pm_state[];
/* Rows of the owner's properties. */
#define ACPI_PM_PROPS(T, f)                                                               \
    PROP_U8(T, f.disable_s3, "disable_s3", 0), PROP_U8(T, f.disable_s4, "disable_s4", 0), \
        PROP_U8(T, f.s4_val, "s4_val", 2, .max = 7, .help = "sleep type that means S4")

/*
 * pm: container with PM1a_EVT at 0, PM1a_CNT at 4, PM_TMR at 8. gpe: where the GPE block sits in
 * `gpe_in`.
 */
void acpi_pm_init(AcpiPm *p, Device *owner, Region *pm, Region *gpe_in, hwaddr gpe_at,
                  unsigned gpe_len, void (*set_sci)(Device *owner, int level));
void acpi_pm_reset(AcpiPm *p);
void acpi_pm_fini(AcpiPm *p);
/* The SMI command port's ACPI enable / disable. */
void acpi_pm_set_enabled(AcpiPm *p, bool on);
/* A general purpose event. */
void acpi_gpe_raise(AcpiPm *p, unsigned bit);

#endif
