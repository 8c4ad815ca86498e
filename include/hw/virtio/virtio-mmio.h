// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtio transports in memory, for boards. */
#ifndef HW_VIRTIO_VIRTIO_MMIO_H
#define HW_VIRTIO_VIRTIO_MMIO_H

#include "qom/device.h"

/*
 * A transport at base whose bus is "virtio-mmio-bus.<index>"; the caller wires its pin "irq". Of
 * several, -device takes the one that was made first.
 */
Device *virtio_mmio_create(Vm *vm, hwaddr base, unsigned index, GError **error);

#endif
