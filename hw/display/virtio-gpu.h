// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio GPU, for its own type and the one that is a VGA too. */
#ifndef HW_DISPLAY_VIRTIO_GPU_H
#define HW_DISPLAY_VIRTIO_GPU_H

#include "hw/display/vga.h"
#include "hw/virtio/virtio.h"
#include "ui/edid.h"

#define MAX_SCANOUTS 16u

typedef struct Scanout {
    Vga *vga;                  /* shown while there is no resource; NULL: black */
    Console *console;
    struct Resource *resource;        /* NULL: off */
    uint32_t x, y, width, height;
    bool dirty;
    /* the cursor: 64 x 64 premultiplied, NULL: hidden */
    pixman_image_t *cursor;
    int cursor_x, cursor_y, hot_x, hot_y;
} Scanout;

typedef struct VirtioGpu {
    VirtioDevice v;
    uint32_t max_outputs;
    uint64_t max_hostmem;
    bool edid_on;
    EdidInfo monitor;
    Scanout scanout[MAX_SCANOUTS];
    GHashTable *resources;     /* by id */
    uint64_t hostmem;
    uint32_t events;
} VirtioGpu;

extern const VirtioType virtio_gpu_type;
extern const Prop virtio_gpu_props[];
extern const StateField virtio_gpu_state[];

#endif
