// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI fixed hardware registers (ACPI 6.3, 4.8.3): power button, PM timer at 3.579545 MHz
 * with 24 bits, sleep control, general purpose events. S5 powers off, S1 and S3 suspend.
 */
#include "hw/acpi/pm.h"
#include "qom/vm.h"

#define PM_TIMER_HZ 3579545
enum {
    PM1_TMR = 1,
    PM1_GBL = 0x20,
    PM1_PWRBTN = 0x100,
    PM1_RTC = 0x400,
    PM1_WAK = 0x8000
};
enum {
    PM1_SCI_EN = 1,
    PM1_SLP_EN = 0x2000
};
enum {
    SLP_S5 = 0,
    SLP_S3 = 1
};

static uint64_t pm_ticks(void)
{
    return (uint64_t)((unsigned __int128)clock_now_ns(CLOCK_GUEST) * PM_TIMER_HZ /
                      NANOSECONDS_PER_SECOND);
}

static void pm_update(AcpiPm *p)
{
    bool sci = p->pm1_sts & p->pm1_en & (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC);

    for (unsigned i = 0; i < p->gpe_len; i++) {
        sci |= (p->gpe_sts[i] & p->gpe_en[i]) != 0;
    }
    p->set_sci(p->owner, sci && (p->pm1_cnt & PM1_SCI_EN));
    if ((p->pm1_en & PM1_TMR) && !(p->pm1_sts & PM1_TMR)) {
        uint64_t next = (pm_ticks() | 0x7fffff) + 1;

        timer_set_ns(&p->timer,
                     (int64_t)((unsigned __int128)next * NANOSECONDS_PER_SECOND / PM_TIMER_HZ) + 1);
    } else {
        timer_cancel(&p->timer);
    }
}

static void pm_timer_expired(void *opaque)
{
    AcpiPm *p = opaque;

    p->pm1_sts |= PM1_TMR;
    pm_update(p);
}

static void pm_button(void *opaque)
{
    AcpiPm *p = opaque;

    p->pm1_sts |= PM1_PWRBTN;
    pm_update(p);
}

static void pm_wakeup(void *opaque)
{
    AcpiPm *p = opaque;

    p->pm1_sts |= PM1_WAK;
    pm_update(p);
}

static void pm_write_control(AcpiPm *p, uint16_t value)
{
    p->pm1_cnt = value & ~PM1_SLP_EN;
    if (value & PM1_SLP_EN) {
        unsigned type = value >> 10 & 7;

        if (type == SLP_S5) {
            request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
        } else if (type == SLP_S3) {
            request_suspend();
        } else if (type == p->s4_val) {
            vm_event(&(VmEventInfo){.event = VM_EVENT_SUSPEND_DISK});
            request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
        }
    }
    pm_update(p);
}

static uint64_t pm1_read(void *opaque, hwaddr offset, unsigned size)
{
    AcpiPm *p = opaque;

    return offset == 0 ? p->pm1_sts : offset == 2 ? p->pm1_en : offset == 4 ? p->pm1_cnt : 0;
}

static void pm1_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AcpiPm *p = opaque;

    if (offset == 0) {
        p->pm1_sts &= ~value;
    } else if (offset == 2) {
        p->pm1_en = value;
    } else if (offset == 4) {
        pm_write_control(p, value);
        return;
    }
    pm_update(p);
}

static uint64_t pm_timer_read(void *opaque, hwaddr offset, unsigned size)
{
    return pm_ticks() & 0xffffff;
}

static void pm_timer_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    /* Read-only. */
}

/* Status bytes first, then as many enable bytes. */
static uint64_t gpe_read(void *opaque, hwaddr offset, unsigned size)
{
    AcpiPm *p = opaque;

    return offset < p->gpe_len ? p->gpe_sts[offset] : p->gpe_en[offset - p->gpe_len];
}

static void gpe_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    AcpiPm *p = opaque;

    if (offset < p->gpe_len) {
        p->gpe_sts[offset] &= ~value;
    } else {
        p->gpe_en[offset - p->gpe_len] = value;
    }
    pm_update(p);
}

void acpi_gpe_raise(AcpiPm *p, unsigned bit)
{
    p->gpe_sts[bit / 8] |= 1u << (bit & 7);
    pm_update(p);
}

void acpi_pm_set_enabled(AcpiPm *p, bool on)
{
    p->pm1_cnt = on ? p->pm1_cnt | PM1_SCI_EN : p->pm1_cnt & ~PM1_SCI_EN;
    pm_update(p);
}

static const RegionOps pm1_ops = {
    .read = pm1_read,
    .write = pm1_write,
    .min_size = 2,
    .max_size = 2,
    .max_valid = 4,
};
static const RegionOps pm_timer_ops = {
    .read = pm_timer_read,
    .write = pm_timer_write,
    .min_size = 4,
    .max_size = 4,
};
static const RegionOps gpe_ops = {
    .read = gpe_read,
    .write = gpe_write,
    .min_size = 1,
    .max_size = 1,
    .max_valid = 4,
};

void acpi_pm_init(AcpiPm *p, Device *owner, Region *pm, Region *gpe_in, hwaddr gpe_at,
                  unsigned gpe_len, void (*set_sci)(Device *owner, int level))
{
    p->owner = owner;
    p->set_sci = set_sci;
    p->gpe_len = gpe_len;
    timer_init(&p->timer, CLOCK_GUEST, pm_timer_expired, p);
    region_init_io(&p->pm1, &owner->obj, "acpi-pm1", 6, &pm1_ops, p);
    region_init_io(&p->timer_region, &owner->obj, "acpi-tmr", 4, &pm_timer_ops, p);
    region_init_io(&p->gpe_region, &owner->obj, "acpi-gpe0", 2 * gpe_len, &gpe_ops, p);
    region_add(pm, 0, &p->pm1, 0);
    region_add(pm, 8, &p->timer_region, 0);
    region_add(gpe_in, gpe_at, &p->gpe_region, 0);
    powerdown_watch(pm_button, p);
    wakeup_watch(pm_wakeup, p);
}

void acpi_pm_reset(AcpiPm *p)
{
    p->pm1_sts = p->pm1_en = p->pm1_cnt = 0;
    memset(p->gpe_sts, 0, sizeof(p->gpe_sts));
    memset(p->gpe_en, 0, sizeof(p->gpe_en));
    pm_update(p);
}

void acpi_pm_fini(AcpiPm *p)
{
    timer_cancel(&p->timer);
}

const StateField acpi_pm_state[] = {
    STATE(AcpiPm, pm1_sts),
    STATE(AcpiPm, pm1_en),
    STATE(AcpiPm, pm1_cnt),
    STATE_RAW(AcpiPm, gpe_sts),
    STATE_RAW(AcpiPm, gpe_en),
    STATE_TIMER_FIELD(AcpiPm, timer),
    HOST_ONLY(AcpiPm, owner, "place"),
    HOST_ONLY(AcpiPm, pm1, "region"),
    HOST_ONLY(AcpiPm, timer_region, "region"),
    HOST_ONLY(AcpiPm, gpe_region, "region"),
    HOST_ONLY(AcpiPm, set_sci, "constant"),
    HOST_ONLY(AcpiPm, gpe_len, "constant"),
    HOST_ONLY(AcpiPm, disable_s3, "property"),
    HOST_ONLY(AcpiPm, disable_s4, "property"),
    HOST_ONLY(AcpiPm, s4_val, "property"),
    STATE_END,
};
