// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What hangs on GPIO lines of boards: a key that stays down for a moment when it is pressed
 * (gpio-key), and a control of power and reset (gpio-pwr).
 */
#include "qom/device.h"
#include "qom/runstate.h"
#include "util/timer.h"

#define KEY_DOWN_NS 100000000ll

typedef struct GpioKey {
    Device dev;
    Irq out;
    Timer timer;
} GpioKey;

static void key_up(void *opaque)
{
    irq_set(&((GpioKey *)opaque)->out, 0);
}

static void key_press(Device *d, unsigned pin, int level)
{
    GpioKey *s = (GpioKey *)d;

    if (level) {
        irq_set(&s->out, 1);
        timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + KEY_DOWN_NS);
    }
}

static bool key_realize(Device *d, GError **error)
{
    timer_init(&((GpioKey *)d)->timer, CLOCK_GUEST, key_up, d);
    return true;
}

static void key_stop(Device *d)
{
    timer_cancel(&((GpioKey *)d)->timer);
}

static const PinRow key_pins[] = {PIN_OUT(GpioKey, out, "irq"), PIN_IN("in", 1, key_press),
                                  PIN_END};
static const StateField key_state[] = {STATE_TIMER_FIELD(GpioKey, timer), STATE_END};

static const DeviceType key_type = {
    .name = "gpio-key",
    .category = "input",
    .desc = "Key on a GPIO line",
    .internal = true,
    .size = sizeof(GpioKey),
    .state_version = 1,
    .pins = key_pins,
    .state = key_state,
    .realize = key_realize,
    .unrealize = key_stop,
    .reset = key_stop,
};
DEVICE_TYPE(key_type);

static void pwr_shutdown(Device *d, unsigned pin, int level)
{
    if (level) {
        request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
}

static void pwr_reset(Device *d, unsigned pin, int level)
{
    if (level) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static const PinRow pwr_pins[] = {
    PIN_IN("shutdown", 1, pwr_shutdown),
    PIN_IN("reset", 1, pwr_reset),
    PIN_END,
};

static const DeviceType pwr_type = {
    .name = "gpio-pwr",
    .category = "misc",
    .desc = "Power and reset on GPIO lines",
    .internal = true,
    .size = sizeof(Device),
    .state_version = 1,
    .pins = pwr_pins,
};
DEVICE_TYPE(pwr_type);
