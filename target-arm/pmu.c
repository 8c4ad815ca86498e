// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Performance monitors (D13, PMUv3): a cycle counter and up to 31 event counters. A cycle is a
 * nanosecond of the guest's clock; the events are cycles, software increments and chains; stalls
 * never happen. What runs is brought up to date whenever somebody looks, the level changes or a
 * counter whose interrupt is wanted may have run over; all that on the vCPU's own thread.
 */
#include "target-arm/pmu.h"

#define PMCR_E (1u << 0)
#define PMCR_P (1u << 1)
#define PMCR_C (1u << 2)
#define PMCR_D (1u << 3)
#define PMCR_DP (1u << 5)
#define PMCR_LC (1u << 6)
#define PMCR_LP (1u << 7)
#define MDCR_HPME (1u << 7)
#define MDCR_HPMD (1u << 17)
#define MDCR_SPME (1u << 17)

enum {
    CYCLES = 31,
    EVENT_SW_INCR = 0,
    EVENT_CYCLES = 0x11,
    EVENT_CHAIN = 0x1e,
    PMU_V3P4 = 5
};

static unsigned version(const ArmCpu *c)
{
    return c->aarch64_prop ? c->id.dfr0 >> 8 & 15 : 0;
}

/* The cycle counter has 64 bits where there is no AArch32. */
static uint64_t fixed(const ArmCpu *c)
{
    return !c->aarch64_prop || arm_has(c, FEATURE_A32_EL0) ? 0 : PMCR_LC;
}

/* ---- identification ---- */

/* Upper half of PMCR but for N: implementer and code; N. By the reference manuals of the models. */
static const struct PmuId {
    uint16_t part;
    uint8_t code, counters;
} ids[] = {
    {0xd04, 0x0a, 6}, {0xd03, 0x03, 6}, {0xd05, 0x45, 6}, {0xd07, 0x01, 6}, {0xd08, 0x02, 6},
    {0xd0b, 0x0b, 6}, {0xd0c, 0x0c, 6}, {0x001, 0x01, 8}, {0xc07, 0x07, 4}, {0xc0f, 0x0f, 6},
    {0xc09, 0x09, 6}, {0xc08, 0x00, 4}, {0x051, 0x01, 6},
};

static const struct PmuId *id_of(const ArmCpu *c)
{
    for (unsigned i = 0; i < ARRAY_COUNT(ids); i++) {
        if (ids[i].part == (c->id.midr >> 4 & 0xfff)) {
            return &ids[i];
        }
    }
    return &ids[ARRAY_COUNT(ids) - 1];
}

unsigned arm_pmu_counters(const ArmCpu *c)
{
    return id_of(c)->counters;
}

uint64_t arm_pmu_all(const ArmCpu *c)
{
    return 1u << CYCLES | ((1u << arm_pmu_counters(c)) - 1);
}

uint64_t arm_pmu_pmcr(const ArmCpu *c)
{
    uint64_t implementer = c->id.midr >> 24 & 0xff;

    return (implementer ? implementer : 0x41) << 24 | (uint64_t)id_of(c)->code << 16 |
           (uint64_t)arm_pmu_counters(c) << 11 | c->pmcr;
}

uint64_t arm_pmu_events(const ArmCpu *c, unsigned which)
{
    if (which == 0) {
        return 1u << EVENT_SW_INCR | 1u << EVENT_CYCLES;
    }
    return version(c) >= PMU_V3P4 ? 0x10000018 : version(c) >= 4 ? 0x18 : 0; /* stalls */
}

/* ---- what counts ---- */

static uint64_t type_of(const ArmCpu *c, unsigned i)
{
    return i == CYCLES ? c->pmccfiltr : c->pmevtyper[i];
}

static unsigned event_of(const ArmCpu *c, unsigned i)
{
    return i == CYCLES ? EVENT_CYCLES : c->pmevtyper[i] & 0xffff;
}

static bool upper_part(const ArmCpu *c, unsigned i)
{
    return c->has_el2 && i != CYCLES && i >= (c->mdcr_el2 & 31);
}

/* D13.5: enabled, not prohibited, not filtered out at the present level. */
static bool counts(const ArmCpu *c, unsigned i)
{
    unsigned el = arm_el(c);
    bool secure = arm_secure(c), upper = upper_part(c, i);
    uint64_t type = type_of(c, i);
    bool u = type >> 30 & 1, p = type >> 31, nsu = type >> 28 & 1, nsk = type >> 29 & 1;

    if (!(upper ? c->mdcr_el2 & MDCR_HPME : c->pmcr & PMCR_E) || !(c->pmcnten >> i & 1)) {
        return false;
    }
    if (((c->has_el3 && secure && !(c->mdcr_el3 & MDCR_SPME)) ||
         (el == 2 && !upper && c->mdcr_el2 & MDCR_HPMD)) &&
        (i != CYCLES || c->pmcr & PMCR_DP)) {
        return false;
    }
    switch (el) {
    case 0:
        return c->has_el3 && !secure ? u == nsu : !u;
    case 1:
        return c->has_el3 && !secure ? p == nsk : !p;
    case 2:
        return type >> 27 & 1;
    default:
        return p == (type >> 26 & 1);
    }
}

static bool wide(const ArmCpu *c, unsigned i)
{
    return i == CYCLES ? c->pmcr & PMCR_LC : version(c) >= PMU_V3P4 + 1 && c->pmcr & PMCR_LP;
}

static uint64_t *value_of(ArmCpu *c, unsigned i)
{
    return i == CYCLES ? &c->pmccntr : &c->pmevcntr[i];
}

/* Adds to a counter; overflow goes on to a counter that is chained to it. */
static void add(ArmCpu *c, unsigned i, uint64_t n)
{
    uint64_t *v = value_of(c, i), old = *v;
    bool over;

    *v += n;
    if (wide(c, i)) {
        over = *v < old;
    } else {
        over = (old & UINT32_MAX) + n > UINT32_MAX;
        if (i != CYCLES && version(c) <= PMU_V3P4) {
            *v = (uint32_t)*v;
        }
    }
    if (!over) {
        return;
    }
    c->pmovs |= 1u << i;
    if (i != CYCLES && !(i & 1) && i + 1 < arm_pmu_counters(c) &&
        event_of(c, i + 1) == EVENT_CHAIN && counts(c, i + 1)) {
        add(c, i + 1, 1);
    }
}

/* Nanoseconds until counter i runs over; it runs. */
static uint64_t time_left(ArmCpu *c, unsigned i)
{
    uint64_t v = *value_of(c, i), left = wide(c, i) ? -v : (1ull << 32) - (uint32_t)v;

    if (left == 0) {
        left = UINT64_MAX;
    }
    return i == CYCLES && c->pmcr & PMCR_D && left < UINT64_MAX / 64 ? left * 64 : left;
}

/* ---- bringing up to date ---- */

static void set_line(ArmCpu *c)
{
    bool level = c->pmcr & PMCR_E && c->pmovs & c->pminten;

    if (level != c->pmu_level) {
        bool taken = arm_lock();

        c->pmu_level = level;
        irq_set(&c->pmu_out, level);
        arm_unlock(taken);
    }
}

/* The timer is for interrupts only; one that is due too early does no harm. */
static void set_timer(ArmCpu *c, int64_t now)
{
    uint64_t left = UINT64_MAX;

    for (uint64_t m = c->pmu_running; m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctzll(m);
        uint64_t with = 1ull << i | (i & 1 || i == CYCLES ? 0 : 2ull << i);

        if (c->pminten & with) {
            left = MIN(left, time_left(c, i));
        }
    }
    if (left > INT64_MAX / 4) {
        return;
    }
    if (!c->pmu_timer.pending || c->pmu_timer.deadline_ns > now + (int64_t)left) {
        bool taken = arm_lock();

        timer_set_ns(&c->pmu_timer, now + (int64_t)left);
        arm_unlock(taken);
    }
}

void arm_pmu_sync(ArmCpu *c)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);
    uint64_t passed = (uint64_t)(now - c->pmu_last), running = 0;
    uint64_t slow = (uint64_t)now / 64 - (uint64_t)c->pmu_last / 64;

    for (uint64_t m = c->pmu_running; m && now > c->pmu_last; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctzll(m);

        add(c, i, i == CYCLES && c->pmcr & PMCR_D && !(c->pmcr & PMCR_LC) ? slow : passed);
    }
    c->pmu_last = now;
    for (uint64_t m = c->pmcnten & arm_pmu_all(c); m; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctzll(m);

        if (event_of(c, i) == EVENT_CYCLES && counts(c, i)) {
            running |= 1ull << i;
        }
    }
    c->pmu_running = running;
    set_line(c);
    set_timer(c, now);
}

static void sync_there(Cpu *cpu, uint64_t data)
{
    arm_pmu_sync(ARM(cpu));
}

static void due(void *opaque)
{
    ArmCpu *c = opaque;

    cpu_run_on(&c->cpu, sync_there, 0);
}

void arm_pmu_init(ArmCpu *c)
{
    timer_init(&c->pmu_timer, CLOCK_GUEST, due, c);
}

void arm_pmu_reset(ArmCpu *c)
{
    c->pmcr = c->pmcnten = c->pmovs = c->pminten = c->pmuserenr = c->pmselr = c->pmccfiltr = 0;
    c->pmcr = fixed(c);
    c->pmu_running = 0;
    c->mdcr_el2 = arm_pmu_counters(c);
    if (c->pmu_level) {
        c->pmu_level = false;
        irq_set(&c->pmu_out, 0);
    }
    timer_cancel(&c->pmu_timer);
}

/* ---- writes ---- */

void arm_pmu_control(ArmCpu *c, uint64_t v)
{
    uint64_t kept = 0x79 | (version(c) > PMU_V3P4 ? PMCR_LP : 0);

    arm_pmu_sync(c);
    if (v & PMCR_C) {
        c->pmccntr = 0;
    }
    if (v & PMCR_P) {
        for (unsigned i = 0; i < arm_pmu_counters(c); i++) {
            if (arm_el(c) >= 2 || !upper_part(c, i)) {
                c->pmevcntr[i] = 0;
            }
        }
    }
    c->pmcr = (v & kept) | fixed(c);
    arm_pmu_sync(c);
}

void arm_pmu_set_value(ArmCpu *c, unsigned i, uint64_t v)
{
    arm_pmu_sync(c);
    *value_of(c, i) = i != CYCLES && version(c) <= PMU_V3P4 ? (uint32_t)v : v;
    arm_pmu_sync(c);
}

uint64_t arm_pmu_value(ArmCpu *c, unsigned i)
{
    arm_pmu_sync(c);
    return *value_of(c, i);
}

void arm_pmu_increment(ArmCpu *c, uint64_t mask)
{
    arm_pmu_sync(c);
    for (unsigned i = 0; i < arm_pmu_counters(c); i++) {
        if (mask >> i & 1 && event_of(c, i) == EVENT_SW_INCR && counts(c, i)) {
            add(c, i, 1);
        }
    }
    arm_pmu_sync(c);
}
