// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timers of Aspeed's BMCs (AST2500 datasheet, chapter 35): eight down-counters that start again
 * from their reload value, from the bus clock or 1 MHz. The AST2600 sets and clears control bits
 * at two addresses. Left out: matches other than the end of the count, pulses.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

#define TIMERS 8
#define EXTERNAL_HZ 1000000u

enum {
    CTRL_ENABLE = 1,
    CTRL_EXTERNAL = 2,
    CTRL_INT = 4
};

typedef struct AspeedTimer AspeedTimer;
typedef struct TimerUnit {
    AspeedTimer *owner;
    uint32_t reload, match[2];
    Countdown count;
} TimerUnit;

struct AspeedTimer {
    Device dev;
    uint32_t freq; /* property: the bus clock */
    uint32_t ctrl, ctrl2, ctrl3;
    TimerUnit t[TIMERS];
    Irq irq[TIMERS];
};

static bool timer_is_2600(const AspeedTimer *s)
{
    return device_type(&s->dev)->bus_info != NULL;
}

static uint32_t timer_bits(const AspeedTimer *s, unsigned n)
{
    return s->ctrl >> 4 * n & 15;
}

static void unit_zero(void *opaque)
{
    TimerUnit *u = opaque;
    AspeedTimer *s = u->owner;
    unsigned n = (unsigned)(u - s->t);

    if (!(timer_bits(s, n) & CTRL_INT)) {
        return;
    }
    if (timer_is_2600(s)) {
        s->ctrl2 |= 1u << n;
        irq_set(&s->irq[n], 1);
    } else {
        irq_set(&s->irq[n], !s->irq[n].level); /* each edge is an interrupt */
    }
}

static void unit_configure(AspeedTimer *s, unsigned n)
{
    TimerUnit *u = &s->t[n];
    uint32_t bits = timer_bits(s, n);

    countdown_set_hz(&u->count, bits & CTRL_EXTERNAL ? EXTERNAL_HZ : s->freq);
    countdown_set_period(&u->count, (uint64_t)u->reload + 1);
    countdown_run(&u->count, bits & CTRL_ENABLE && u->reload);
}

static void timer_control(AspeedTimer *s, uint32_t value)
{
    uint32_t old = s->ctrl;

    s->ctrl = value;
    for (unsigned n = 0; n < TIMERS; n++) {
        if (((old ^ value) >> 4 * n & 15) == 0) {
            continue;
        }
        if (!(old >> 4 * n & CTRL_ENABLE) && value >> 4 * n & CTRL_ENABLE) {
            countdown_run(&s->t[n].count, false);
            countdown_set(&s->t[n].count, s->t[n].reload);
        }
        unit_configure(s, n);
    }
}

static unsigned unit_of(const RegAccess *a)
{
    return a->reg->offset < 0x30 ? a->reg->offset >> 4 : (a->reg->offset >> 4) - 1;
}

static uint64_t unit_read(Device *d, const RegAccess *a)
{
    AspeedTimer *s = (AspeedTimer *)d;
    TimerUnit *u = &s->t[unit_of(a)];

    switch (a->reg->offset & 15) {
    case 0:
        return timer_bits(s, unit_of(a)) & CTRL_ENABLE ? (uint32_t)countdown_value(&u->count)
                                                       : u->reload;
    case 4:
        return u->reload;
    default:
        return u->match[(a->reg->offset & 15) / 4 - 2];
    }
}

static void unit_write(Device *d, const RegAccess *a)
{
    AspeedTimer *s = (AspeedTimer *)d;
    unsigned n = unit_of(a);
    TimerUnit *u = &s->t[n];
    uint32_t old = u->reload;

    switch (a->reg->offset & 15) {
    case 0:
        if (a->value) {
            countdown_set(&u->count, a->value);
        }
        break;
    case 4:
        u->reload = (uint32_t)a->value;
        if (timer_bits(s, n) & CTRL_ENABLE && !old) {
            countdown_set(&u->count, u->reload);
        }
        unit_configure(s, n);
        break;
    default:
        u->match[(a->reg->offset & 15) / 4 - 2] = (uint32_t)a->value;
        break;
    }
}

static void timer_ctrl_write(Device *d, const RegAccess *a)
{
    AspeedTimer *s = (AspeedTimer *)d;
    uint32_t old = (uint32_t)a->old;

    s->ctrl = old;
    timer_control(s, timer_is_2600(s) ? old | (uint32_t)a->value : (uint32_t)a->value);
}

/* AST2600: interrupts, cleared by writing ones. */
static void timer_ctrl2_write(Device *d, const RegAccess *a)
{
    AspeedTimer *s = (AspeedTimer *)d;

    if (!timer_is_2600(s)) {
        return;
    }
    s->ctrl2 = (uint32_t)a->old & ~(uint32_t)a->value;
    for (unsigned n = 0; n < TIMERS; n++) {
        irq_set(&s->irq[n], s->ctrl2 >> n & 1);
    }
}

static void timer_ctrl3_write(Device *d, const RegAccess *a)
{
    AspeedTimer *s = (AspeedTimer *)d;

    if (timer_is_2600(s)) {
        s->ctrl3 = 0;
        timer_control(s, s->ctrl & ~(uint32_t)a->value);
    }
}

static bool timer_realize(Device *d, GError **error)
{
    AspeedTimer *s = (AspeedTimer *)d;

    for (unsigned n = 0; n < TIMERS; n++) {
        s->t[n].owner = s;
        countdown_init(&s->t[n].count, s->freq, unit_zero, &s->t[n]);
    }
    return true;
}

static void timer_unrealize(Device *d)
{
    for (unsigned n = 0; n < TIMERS; n++) {
        countdown_reset(&((AspeedTimer *)d)->t[n].count);
    }
}

static void timer_reset(Device *d)
{
    AspeedTimer *s = (AspeedTimer *)d;

    for (unsigned n = 0; n < TIMERS; n++) {
        countdown_reset(&s->t[n].count);
        s->t[n].reload = s->t[n].match[0] = s->t[n].match[1] = 0;
    }
}

/* clang-format off */
#define UNIT_ROW(off, n) REG_HOOK(off, 4, n, .read = unit_read, .write = unit_write)
#define UNIT_ROWS(base)                                                    \
    UNIT_ROW((base), "count"), UNIT_ROW((base) + 4, "reload"),             \
    UNIT_ROW((base) + 8, "match1"), UNIT_ROW((base) + 12, "match2")
static const Reg timer_regs[] = {
    UNIT_ROWS(0x00), UNIT_ROWS(0x10), UNIT_ROWS(0x20),
    REG(AspeedTimer, 0x30, ctrl, .wmask = 0xffffffff, .write = timer_ctrl_write, .help = "four bits for each: enable, 1 MHz, interrupt, pulse"),
    REG(AspeedTimer, 0x34, ctrl2, .wmask = 0xffffffff, .write = timer_ctrl2_write, .help = "pulses; AST2600: interrupts"),
    REG(AspeedTimer, 0x3c, ctrl3, .wmask = 0xffffffff, .write = timer_ctrl3_write, .help = "AST2600: clears control bits"),
    UNIT_ROWS(0x40), UNIT_ROWS(0x50), UNIT_ROWS(0x60), UNIT_ROWS(0x70), UNIT_ROWS(0x80),
};
static const RegBank timer_banks[] = {{.name = "mmio", .size = 0x1000, BANK_REGS(timer_regs), .help = "timers"}, {0}};
static const Prop timer_props[] = {PROP_U32(AspeedTimer, freq, "freq", 24750000, .help = "of the bus clock, in Hz"), PROP_END};
static const PinRow timer_pins[] = {PIN_OUT_ARRAY(AspeedTimer, irq, "irq"), PIN_END};
static const StateField unit_state[] = {
    HOST_ONLY(TimerUnit, owner, "set at realize"), STATE(TimerUnit, reload), STATE_ARRAY(TimerUnit, match),
    STATE_STRUCT(TimerUnit, count, countdown_state), STATE_END};
static const StateField timer_state[] = {STATE_STRUCTS(AspeedTimer, t, unit_state), STATE_END};
static const int is_2600 = 1;

#define ASPEED_TIMER(tag, name_, info)                                                                                \
    static const DeviceType tag##_type = {                                                                            \
        .name = name_, .category = "misc", .desc = "Aspeed timers", .internal = true, .size = sizeof(AspeedTimer),    \
        .state_version = 1, .bus_info = info, .props = timer_props, .banks = timer_banks, .pins = timer_pins,         \
        .state = timer_state, .realize = timer_realize, .unrealize = timer_unrealize, .reset = timer_reset,           \
    };                                                                                                                \
    DEVICE_TYPE(tag##_type)
ASPEED_TIMER(timer_2400, "aspeed.timer-ast2400", NULL);
ASPEED_TIMER(timer_2500, "aspeed.timer-ast2500", NULL);
ASPEED_TIMER(timer_2600, "aspeed.timer-ast2600", &is_2600);
/* clang-format on */
