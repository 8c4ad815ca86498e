// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Timer of the nRF51 (Series Reference Manual v3.0, 18): counts 16 MHz divided by a power of two,
 * or what software feeds it, and compares with four registers.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

#define NUM_CC 4
#define TIMER_HZ 16000000u

typedef struct Nrf51Timer {
    Device dev;
    uint32_t id;                       /* property: the first has 32 bits */
    uint32_t compare[NUM_CC], shorts, inten, mode, bitmode, prescaler, cc[NUM_CC];
    uint32_t counter;
    int64_t since_ns;                  /* when `counter` was taken */
    bool running;
    Timer timer;
    Irq irq;
} Nrf51Timer;

static uint64_t timer_mask(const Nrf51Timer *s)
{
    static const uint32_t masks[4] = {0xffff, 0xff, 0xffffff, 0xffffffff};

    return masks[s->bitmode & 3];
}

static uint64_t timer_hz(const Nrf51Timer *s)
{
    return TIMER_HZ >> MIN(s->prescaler, 9);
}

static void timer_update(Nrf51Timer *s)
{
    bool level = false;

    for (unsigned i = 0; i < NUM_CC; i++) {
        level = level || (s->compare[i] && s->inten >> (16 + i) & 1);
    }
    irq_set(&s->irq, level);
}

/* An event of register i, and what SHORTS make of it. */
static void timer_match(Nrf51Timer *s, unsigned i)
{
    s->compare[i] = 1;
    if (s->shorts >> i & 1) {
        s->counter = 0;
    }
    if (s->shorts >> (8 + i) & 1) {
        s->running = false;
        timer_cancel(&s->timer);
    }
}

/* Ticks from the counter to the nearest match. */
static uint64_t timer_next(const Nrf51Timer *s)
{
    uint64_t mask = timer_mask(s), best = mask + 1;

    for (unsigned i = 0; i < NUM_CC; i++) {
        uint64_t left = (s->cc[i] - s->counter) & mask;

        best = MIN(best, left ? left : mask + 1);
    }
    return best;
}

static void timer_arm(Nrf51Timer *s)
{
    timer_cancel(&s->timer);
    if (s->running && s->mode == 0) {
        timer_set_ns(&s->timer, s->since_ns + ns_of_ticks(timer_next(s), timer_hz(s)));
    }
}

static void timer_expired(void *opaque);

/* The counter up to now; matches that the main loop has not come to are taken on the way. */
static void timer_sync(Nrf51Timer *s)
{
    int64_t now = clock_now_ns(CLOCK_GUEST);

    for (unsigned i = 0; i < 2 * NUM_CC && s->timer.pending && now >= s->timer.deadline_ns; i++) {
        timer_expired(s);
    }
    if (s->running && s->mode == 0) {
        uint64_t passed = ticks_of_ns(now - s->since_ns, timer_hz(s));

        s->counter = (uint32_t)((s->counter + passed) & timer_mask(s));
        s->since_ns += ns_of_ticks(passed, timer_hz(s));
    } else {
        s->since_ns = now;
    }
}

static void timer_expired(void *opaque)
{
    Nrf51Timer *s = opaque;
    uint64_t step = timer_next(s);

    s->since_ns += ns_of_ticks(step, timer_hz(s));
    s->counter = (uint32_t)((s->counter + step) & timer_mask(s));
    uint32_t at = s->counter;

    for (unsigned i = 0; i < NUM_CC; i++) {
        if ((s->cc[i] & timer_mask(s)) == at) {
            timer_match(s, i);
        }
    }
    /* one that is far behind goes on from now */
    if (clock_now_ns(CLOCK_GUEST) - s->since_ns > NANOSECONDS_PER_SECOND / 2) {
        s->since_ns = clock_now_ns(CLOCK_GUEST);
    }
    timer_arm(s);
    timer_update(s);
}

static void timer_count(Nrf51Timer *s)
{
    s->counter = (uint32_t)((s->counter + 1) & timer_mask(s));
    uint32_t at = s->counter;

    for (unsigned i = 0; i < NUM_CC; i++) {
        if ((s->cc[i] & timer_mask(s)) == at) {
            timer_match(s, i);
        }
    }
}

/* START, STOP, COUNT, CLEAR, SHUTDOWN, CAPTURE[n]. */
static void timer_task(Device *d, const RegAccess *a)
{
    Nrf51Timer *s = (Nrf51Timer *)d;

    if (a->value != 1) {
        return;
    }
    timer_sync(s);
    switch (a->reg->offset) {
    case 0x000:
        s->running = true;
        break;
    case 0x004:
    case 0x010:
        s->running = false;
        break;
    case 0x008:
        if (s->running && s->mode == 1) {
            timer_count(s);
        }
        break;
    case 0x00c:
        s->counter = 0;
        break;
    default:
        s->cc[a->index] = s->counter;
    }
    timer_arm(s);
    timer_update(s);
}

static void timer_event_write(Device *d, const RegAccess *a)
{
    timer_update((Nrf51Timer *)d);
}

static void timer_cc_write(Device *d, const RegAccess *a)
{
    Nrf51Timer *s = (Nrf51Timer *)d;
    uint32_t v = s->cc[a->index];

    s->cc[a->index] = (uint32_t)a->old;
    timer_sync(s);
    s->cc[a->index] = (uint32_t)(v & timer_mask(s));
    timer_arm(s);
}

/* MODE, BITMODE and PRESCALER are for a timer that stands. */
static void timer_config_write(Device *d, const RegAccess *a)
{
    Nrf51Timer *s = (Nrf51Timer *)d;

    if (a->reg->offset == 0x508 && s->bitmode == 3 && s->id != 0) {
        s->bitmode = (uint32_t)a->old;
    }
    s->counter = 0;
    s->since_ns = clock_now_ns(CLOCK_GUEST);
    timer_arm(s);
}

static void timer_intenset(Device *d, const RegAccess *a)
{
    ((Nrf51Timer *)d)->inten |= a->value & 0xf0000;
    timer_update((Nrf51Timer *)d);
}

static void timer_intenclr(Device *d, const RegAccess *a)
{
    ((Nrf51Timer *)d)->inten &= ~(uint32_t)a->value;
    timer_update((Nrf51Timer *)d);
}

static uint64_t timer_inten_read(Device *d, const RegAccess *a)
{
    return ((Nrf51Timer *)d)->inten;
}

static bool timer_realize(Device *d, GError **error)
{
    Nrf51Timer *s = (Nrf51Timer *)d;

    timer_init(&s->timer, CLOCK_GUEST, timer_expired, s);
    return true;
}

static void timer_unrealize(Device *d)
{
    timer_cancel(&((Nrf51Timer *)d)->timer);
}

static void timer_reset(Device *d)
{
    Nrf51Timer *s = (Nrf51Timer *)d;

    timer_cancel(&s->timer);
    s->counter = s->inten = 0;
    s->running = false;
    s->since_ns = clock_now_ns(CLOCK_GUEST);
}

/* clang-format off */
static const Reg nrf51_timer_regs[] = {
    REG_HOOK(0x000, 4, "start", .write = timer_task), REG_HOOK(0x004, 4, "stop", .write = timer_task),
    REG_HOOK(0x008, 4, "count", .write = timer_task), REG_HOOK(0x00c, 4, "clear", .write = timer_task),
    REG_HOOK(0x010, 4, "shutdown", .write = timer_task),
    REG_HOOK(0x040, 4, "capture", .count = NUM_CC, .write = timer_task, .help = "the counter goes to CC[n]"),
    REG_ARRAY(Nrf51Timer, 0x140, compare, .wmask = 1, .write = timer_event_write, .help = "events"),
    REG(Nrf51Timer, 0x200, shorts, .wmask = 0xf0f, .help = "clear, stop on events"),
    REG_HOOK(0x304, 4, "intenset", .read = timer_inten_read, .write = timer_intenset, .help = "interrupt enables"),
    REG_HOOK(0x308, 4, "intenclr", .read = timer_inten_read, .write = timer_intenclr),
    REG(Nrf51Timer, 0x504, mode, .wmask = 1, .write = timer_config_write, .help = "1: counts what COUNT says"),
    REG(Nrf51Timer, 0x508, bitmode, .wmask = 3, .write = timer_config_write, .help = "16, 8, 24 or 32 bits"),
    REG(Nrf51Timer, 0x510, prescaler, .reset = 4, .wmask = 0xf, .write = timer_config_write, .help = "16 MHz / 2^n"),
    REG_ARRAY(Nrf51Timer, 0x540, cc, .wmask = 0xffffffff, .write = timer_cc_write, .help = "compare and capture"),
};
/* clang-format on */
static const RegBank nrf51_timer_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(nrf51_timer_regs), .help = "timer"}, {0}};
static const Prop nrf51_timer_props[] = {PROP_U32(Nrf51Timer, id, "id", 0), PROP_END};
static const PinRow nrf51_timer_pins[] = {PIN_OUT(Nrf51Timer, irq, "irq"), PIN_END};
static const StateField nrf51_timer_state[] = {
    STATE(Nrf51Timer, inten), STATE(Nrf51Timer, counter), STATE(Nrf51Timer, since_ns), STATE(Nrf51Timer, running),
    STATE_TIMER_FIELD(Nrf51Timer, timer), STATE_END,
};

static const DeviceType nrf51_timer_type = {
    .name = "nrf51_soc.timer", .category = "misc", .desc = "nRF51 timer", .internal = true, .size = sizeof(Nrf51Timer), .state_version = 1,
    .props = nrf51_timer_props, .banks = nrf51_timer_banks, .pins = nrf51_timer_pins, .state = nrf51_timer_state, .realize = timer_realize,
    .unrealize = timer_unrealize, .reset = timer_reset,
};
DEVICE_TYPE(nrf51_timer_type);
