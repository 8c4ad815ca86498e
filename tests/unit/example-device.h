// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The worked example of docs/devel/devices.md: a small device with every kind of row. It squares
 * a number after a while, or copies a block of memory, and raises its interrupt.
 */
#ifndef TESTS_UNIT_EXAMPLE_DEVICE_H
#define TESTS_UNIT_EXAMPLE_DEVICE_H

#include "qom/vm.h"
#include "util/timer.h"

typedef struct Example {
    Device dev;
    /* properties */
    uint32_t delay_ns;
    uint8_t mac[6];
    char *label;
    int mode;
    uint32_t features;
    bool fail_realize;
    Object *friend;
    /* registers */
    uint32_t id, number, control, status;
    uint8_t table[4];
    uint64_t wide;
    /* the rest */
    Irq irq;
    Timer timer;
    uint32_t fifo[4];
    struct { uint8_t head, tail; } fifo_pos;
    unsigned writes_seen;
} Example;

#endif
