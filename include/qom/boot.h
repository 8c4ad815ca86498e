// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The paths by which firmware is told of devices that it may boot from. Each part comes from the
 * device's bus (BusType.fw_path, fw_leaf) or its type (DeviceType.fw_name).
 */
#ifndef QOM_BOOT_H
#define QOM_BOOT_H

#include "qom/vm.h"

/* DeviceType.fw_name of the nearest type that has one, or NULL. */
const char *device_fw_name(const Device *d);
/* "/pci@i0cf8/ide@1,1/drive@0/disk@0". New string. */
char *device_fw_path(Device *d);
/* Whether d sits on a bus of upper, or of a device that does. */
bool device_is_above(const Device *upper, const Device *d);

#endif
