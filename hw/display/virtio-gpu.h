// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio GPU, for its own type and the one that is a VGA too. */
#ifndef HW_DISPLAY_VIRTIO_GPU_H
#define HW_DISPLAY_VIRTIO_GPU_H

#include "hw/display/vga.h"
#include "hw/virtio/virtio.h"
#include "ui/edid.h"

#define MAX_SCANOUTS 16u
#define GPU_MAX_ENTRIES 16384u /* pieces of a resource's memory */
#define GPU_MAX_SIZE 16384u    /* pixels each way */
#define GPU_CURSOR_SIZE 64u
enum { GPU_OK_NODATA = 0x1100 };

/* A 2D resource: its picture and the guest memory that it is filled from. */
typedef struct GpuResource {
    uint32_t id, format, width, height;
    pixman_image_t *image;
    uint64_t bytes;
    DmaSg *backing;
    uint32_t pieces;
    bool refill; /* loaded without its picture, which is in its memory */
} GpuResource;

typedef struct Scanout {
    Vga *vga;                  /* shown while there is no resource; NULL: black */
    Console *console;
    GpuResource *resource;     /* NULL: off */
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
    GByteArray *saved;         /* resources and screens, while the machine is saved or loaded */
} VirtioGpu;

/* virtio-gpu.c: the commands by their arguments; GPU_OK_NODATA or what is wrong. */
uint32_t virtio_gpu_create(VirtioGpu *s, uint32_t id, uint32_t virtio_format, uint32_t width,
                           uint32_t height);
uint32_t virtio_gpu_show(VirtioGpu *s, uint32_t n, uint32_t id, uint32_t x, uint32_t y, uint32_t w,
                         uint32_t h);
/* Reads the picture from the guest's memory. */
void virtio_gpu_fill(VirtioGpu *s, GpuResource *r);
/* virtio-gpu-state.c: the hooks of VirtioType. */
void virtio_gpu_saving(VirtioDevice *v);
bool virtio_gpu_check_load(VirtioDevice *v, GError **error);
void virtio_gpu_loaded(VirtioDevice *v);

extern const VirtioType virtio_gpu_type;
extern const Prop virtio_gpu_props[];
extern const StateField virtio_gpu_state[];

#endif
