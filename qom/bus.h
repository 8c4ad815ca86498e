// SPDX-License-Identifier: GPL-2.0-or-later
/* What device.c asks of bus.c. */
#ifndef QOM_BUS_H
#define QOM_BUS_H

#include "qom/device.h"

bool bus_is_full(const Bus *bus);
/* Puts d on the bus and gives it a place; false: nothing has changed. */
bool bus_attach_device(Bus *bus, Device *d, GError **error);
/* Safe when d is on no bus. */
void bus_detach_device(Device *d);
void bus_tell_plugged(Device *d);
bool bus_unplug_request(Bus *bus, Device *d, GError **error);
/* The type whose print() shows devices of this bus, or NULL. */
const BusType *bus_printer(const Bus *bus);

#endif
