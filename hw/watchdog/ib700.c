// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watchdog of iBASE's IB700 boards: writing n to port 443h starts 30 - 2n seconds, any
 * write to 441h stops it.
 */
#include "hw/isa/isa.h"
#include "qom/runstate.h"
#include "util/timer.h"

enum { PORT_STOP = 0x441, PORT_START = 0x443 };

typedef struct Ib700 {
    Device dev;
    Timer timer;
} Ib700;

static void ib700_expired(void *opaque)
{
    watchdog_expired();
}

static uint64_t ib700_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0xff;
}

static void stop_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    timer_cancel(&((Ib700 *)opaque)->timer);
}

static void start_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    timer_set_ns(&((Ib700 *)opaque)->timer,
                 clock_now_ns(CLOCK_GUEST) +
                     (int64_t)(30 - 2 * (value & 0xf)) * NANOSECONDS_PER_SECOND);
}

static const RegionOps stop_ops = {
    .read = ib700_read, .write = stop_write, .min_size = 1, .max_size = 1};
static const RegionOps start_ops = {
    .read = ib700_read, .write = start_write, .min_size = 1, .max_size = 1};
static const RegBank ib700_banks[] = {
    { .name = "stop", .size = 1, .ops = &stop_ops, .pio = true },
    { .name = "start", .size = 1, .ops = &start_ops, .pio = true },
    { 0 },
};

static bool ib700_realize(Device *d, GError **error)
{
    timer_init(&((Ib700 *)d)->timer, CLOCK_GUEST, ib700_expired, d);
    return true;
}

static void ib700_stop(Device *d)
{
    timer_cancel(&((Ib700 *)d)->timer);
}

static const StateField ib700_state[] = { STATE_TIMER_FIELD(Ib700, timer), STATE_END };
static const IsaInfo ib700_isa = {
    .ports = {{.bank = "stop", .base = PORT_STOP}, {.bank = "start", .base = PORT_START}}};

static const DeviceType ib700_type = {
    .name = "ib700", .bus = "ISA", .category = "watchdog", .desc = "iBASE 700 watchdog", .size = sizeof(Ib700),
    .state_version = 1, .bus_info = &ib700_isa, .banks = ib700_banks, .state = ib700_state, .realize = ib700_realize,
    .unrealize = ib700_stop, .reset = ib700_stop,
};
DEVICE_TYPE(ib700_type);
