// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio GPU, 2D commands (Virtual I/O Device 1.2, 5.7): resources in host memory that the driver
 * fills from its pages, scanouts that show them, a cursor, EDID. Left out: 3D, blobs.
 */
#include <string.h>
#include "virtio-gpu.h"
#include "ui/console.h"
#include "util/bswap.h"

#define HEADER 24u
#define RESPONSE_MAX (HEADER + 8 + 1024)

enum { CONTROL_QUEUE, CURSOR_QUEUE };
enum { F_EDID = 1 };
enum { EVENT_DISPLAY = 1 };
enum { FLAG_FENCE = 1 };
enum {
    CMD_GET_DISPLAY_INFO = 0x100,
    CMD_CREATE_2D,
    CMD_UNREF,
    CMD_SET_SCANOUT,
    CMD_FLUSH,
    CMD_TRANSFER_TO_HOST_2D,
    CMD_ATTACH_BACKING,
    CMD_DETACH_BACKING,
    CMD_GET_CAPSET_INFO,
    CMD_GET_CAPSET,
    CMD_GET_EDID,
    CMD_UPDATE_CURSOR = 0x300,
    CMD_MOVE_CURSOR };
enum {
    OK_DISPLAY_INFO = 0x1101,
    OK_CAPSET_INFO,
    OK_CAPSET,
    OK_EDID,
    ERR_UNSPEC = 0x1200,
    ERR_OUT_OF_MEMORY,
    ERR_SCANOUT,
    ERR_RESOURCE,
    ERR_CONTEXT,
    ERR_PARAMETER };

/* ---- resources ---- */

static void resource_free(void *p)
{
    GpuResource *r = p;

    if (r->image) {
        pixman_image_unref(r->image);
    }
    g_free(r->backing);
    g_free(r);
}

static GpuResource *find_resource(VirtioGpu *s, uint32_t id)
{
    return g_hash_table_lookup(s->resources, GUINT_TO_POINTER(id));
}

static void scanout_off(Scanout *o)
{
    o->resource = NULL;
    o->dirty = true;
}

static void resource_drop(VirtioGpu *s, GpuResource *r)
{
    for (unsigned i = 0; i < s->max_outputs; i++) {
        if (s->scanout[i].resource == r) {
            scanout_off(&s->scanout[i]);
        }
    }
    s->hostmem -= r->bytes;
    g_hash_table_remove(s->resources, GUINT_TO_POINTER(r->id));
}

/* 5.7.6.8: bytes in memory order. */
static pixman_format_code_t pixel_format(uint32_t format)
{
    switch (format) {
    case 1: return PIXMAN_a8r8g8b8;      /* B8G8R8A8 */
    case 2: return PIXMAN_x8r8g8b8;
    case 3: return PIXMAN_b8g8r8a8;      /* A8R8G8B8 */
    case 4: return PIXMAN_b8g8r8x8;
    case 67: return PIXMAN_a8b8g8r8;     /* R8G8B8A8 */
    case 68: return PIXMAN_r8g8b8x8;     /* X8B8G8R8 */
    case 121: return PIXMAN_r8g8b8a8;    /* A8B8G8R8 */
    case 134: return PIXMAN_x8b8g8r8;    /* R8G8B8X8 */
    default: return 0;
    }
}

uint32_t virtio_gpu_create(VirtioGpu *s, uint32_t id, uint32_t virtio_format, uint32_t width,
                           uint32_t height)
{
    pixman_format_code_t format = pixel_format(virtio_format);

    if (id == 0 || find_resource(s, id)) {
        return ERR_RESOURCE;
    }
    if (!format || !width || !height || width > GPU_MAX_SIZE || height > GPU_MAX_SIZE) {
        return ERR_PARAMETER;
    }
    uint64_t bytes = (uint64_t)width * height * 4;

    if (bytes > s->max_hostmem || s->hostmem > s->max_hostmem - bytes) {
        return ERR_OUT_OF_MEMORY;
    }
    GpuResource *r = g_new0(GpuResource, 1);

    *r = (GpuResource){
        .id = id,
        .format = virtio_format,
        .width = width,
        .height = height,
        .bytes = bytes,
        .image = pixman_image_create_bits(format, (int)width, (int)height, NULL, 0),
    };
    if (!r->image) {
        g_free(r);
        return ERR_OUT_OF_MEMORY;
    }
    s->hostmem += bytes;
    g_hash_table_insert(s->resources, GUINT_TO_POINTER(id), r);
    return GPU_OK_NODATA;
}

static uint32_t create_2d(VirtioGpu *s, const uint8_t *c)
{
    return virtio_gpu_create(s, load_le32(c), load_le32(c + 4), load_le32(c + 8),
                             load_le32(c + 12));
}

static uint32_t attach_backing(VirtioGpu *s, const VirtqElem *e, const uint8_t *c)
{
    GpuResource *r = find_resource(s, load_le32(c));
    uint32_t n = load_le32(c + 4);

    if (!r) {
        return ERR_RESOURCE;
    }
    if (r->backing || n > GPU_MAX_ENTRIES) {
        return ERR_UNSPEC;
    }
    g_autofree uint8_t *entries = g_malloc(n * 16u + 1);

    if (virtq_read(&s->v, e, HEADER + 8, entries, n * 16u) != n * 16u) {
        return ERR_UNSPEC;
    }
    r->backing = g_new(DmaSg, n + 1);
    r->pieces = n;
    for (uint32_t i = 0; i < n; i++) {
        r->backing[i] =
            (DmaSg){.addr = load_le64(entries + i * 16), .len = load_le32(entries + i * 16 + 8)};
    }
    return GPU_OK_NODATA;
}

/* Bytes [off, off + len) of a resource's memory; what is not there stays as it was. */
static void backing_read(VirtioGpu *s, const GpuResource *r, uint64_t off, uint8_t *out,
                         uint64_t len)
{
    for (uint32_t i = 0; i < r->pieces && len; i++) {
        uint64_t n;

        if (off >= r->backing[i].len) {
            off -= r->backing[i].len;
            continue;
        }
        n = MIN(len, r->backing[i].len - off);
        dma_read(&s->v.pci.dev, r->backing[i].addr + off, out, n);
        out += n;
        len -= n;
        off = 0;
    }
}

void virtio_gpu_fill(VirtioGpu *s, GpuResource *r)
{
    backing_read(s, r, 0, (uint8_t *)pixman_image_get_data(r->image), r->bytes);
}

static bool inside(uint32_t x, uint32_t y, uint32_t w, uint32_t h, const GpuResource *r)
{
    return x <= r->width && w <= r->width - x && y <= r->height && h <= r->height - y;
}

static uint32_t transfer(VirtioGpu *s, const uint8_t *c)
{
    uint32_t x = load_le32(c), y = load_le32(c + 4), w = load_le32(c + 8), h = load_le32(c + 12);
    uint64_t offset = load_le64(c + 16);
    GpuResource *r = find_resource(s, load_le32(c + 24));

    if (!r || !r->backing) {
        return ERR_RESOURCE;
    }
    if (!inside(x, y, w, h, r)) {
        return ERR_PARAMETER;
    }
    uint8_t *pixels = (uint8_t *)pixman_image_get_data(r->image);
    size_t stride = (size_t)pixman_image_get_stride(r->image), line = (size_t)r->width * 4;

    if (x == 0 && w == r->width && stride == line) {
        backing_read(s, r, offset, pixels + y * stride, (uint64_t)h * line);
        return GPU_OK_NODATA;
    }
    for (uint32_t i = 0; i < h; i++) {
        backing_read(s, r, offset + i * line, pixels + (y + i) * stride + x * 4u, (uint64_t)w * 4);
    }
    return GPU_OK_NODATA;
}

/* ---- what is shown ---- */

uint32_t virtio_gpu_show(VirtioGpu *s, uint32_t n, uint32_t id, uint32_t x, uint32_t y, uint32_t w,
                         uint32_t h)
{
    GpuResource *r = find_resource(s, id);

    if (n >= s->max_outputs) {
        return ERR_SCANOUT;
    }
    Scanout *o = &s->scanout[n];

    if (id == 0) {
        scanout_off(o);
        return GPU_OK_NODATA;
    }
    if (!r) {
        return ERR_RESOURCE;
    }
    if (!inside(x, y, w, h, r) || w < 16 || h < 16) {
        return ERR_PARAMETER;
    }
    o->resource = r;
    o->x = x;
    o->y = y;
    o->width = w;
    o->height = h;
    o->dirty = true;
    console_resize(o->console, w, h);
    return GPU_OK_NODATA;
}

static uint32_t set_scanout(VirtioGpu *s, const uint8_t *c)
{
    return virtio_gpu_show(s, load_le32(c + 16), load_le32(c + 20), load_le32(c),
                           load_le32(c + 4), load_le32(c + 8), load_le32(c + 12));
}

static uint32_t flush(VirtioGpu *s, const uint8_t *c)
{
    GpuResource *r = find_resource(s, load_le32(c + 16));

    if (!r) {
        return ERR_RESOURCE;
    }
    if (!inside(load_le32(c), load_le32(c + 4), load_le32(c + 8), load_le32(c + 12), r)) {
        return ERR_PARAMETER;
    }
    for (unsigned i = 0; i < s->max_outputs; i++) {
        s->scanout[i].dirty |= s->scanout[i].resource == r;
    }
    return GPU_OK_NODATA;
}

/* The picture and the cursor over it. */
static void scanout_draw(void *opaque)
{
    Scanout *o = opaque;

    if (o->vga && !o->resource) {
        vga_draw(o->vga);
        return;
    }
    pixman_image_t *surface = console_surface(o->console);
    int width = pixman_image_get_width(surface), height = pixman_image_get_height(surface);

    if (!o->dirty) {
        return;
    }
    o->dirty = false;
    if (!o->resource) {
        static const pixman_color_t black = { 0, 0, 0, 0xffff };
        pixman_image_t *fill = pixman_image_create_solid_fill(&black);

        pixman_image_composite(PIXMAN_OP_SRC, fill, NULL, surface, 0, 0, 0, 0, 0, 0,
                               (uint16_t)width, (uint16_t)height);
        pixman_image_unref(fill);
    } else {
        pixman_image_composite(PIXMAN_OP_SRC, o->resource->image, NULL, surface, (int16_t)o->x,
                               (int16_t)o->y, 0, 0, 0, 0, (uint16_t)width, (uint16_t)height);
    }
    if (o->cursor) {
        pixman_image_composite(PIXMAN_OP_OVER, o->cursor, NULL, surface, 0, 0, 0, 0,
                               (int16_t)(o->cursor_x - o->hot_x), (int16_t)(o->cursor_y - o->hot_y),
                               GPU_CURSOR_SIZE, GPU_CURSOR_SIZE);
    }
    console_damage(o->console, 0, 0, width, height);
}

static void scanout_invalidate(void *opaque)
{
    ((Scanout *)opaque)->dirty = true;
}

static const ConsoleOps scanout_ops = { .update = scanout_draw, .invalidate = scanout_invalidate };

static void cursor_hide(Scanout *o)
{
    if (o->cursor) {
        pixman_image_unref(o->cursor);
        o->cursor = NULL;
    }
}

static void cursor_command(VirtioGpu *s, uint32_t type, const uint8_t *c)
{
    uint32_t n = load_le32(c);

    if (n >= s->max_outputs) {
        return;
    }
    Scanout *o = &s->scanout[n];

    o->cursor_x = (int)MIN(load_le32(c + 4), GPU_MAX_SIZE);
    o->cursor_y = (int)MIN(load_le32(c + 8), GPU_MAX_SIZE);
    o->dirty = true;
    if (type == CMD_UPDATE_CURSOR) {
        GpuResource *r = find_resource(s, load_le32(c + 16));

        cursor_hide(o);
        o->hot_x = (int)MIN(load_le32(c + 20), GPU_CURSOR_SIZE);
        o->hot_y = (int)MIN(load_le32(c + 24), GPU_CURSOR_SIZE);
        if (r && r->width == GPU_CURSOR_SIZE && r->height == GPU_CURSOR_SIZE) {
            o->cursor = pixman_image_create_bits(PIXMAN_a8r8g8b8, GPU_CURSOR_SIZE,
                                                 GPU_CURSOR_SIZE, NULL, 0);
            pixman_image_composite(PIXMAN_OP_SRC, r->image, NULL, o->cursor, 0, 0, 0, 0, 0, 0,
                                   GPU_CURSOR_SIZE, GPU_CURSOR_SIZE);
        }
    }
}

/* ---- information ---- */

static uint32_t preferred(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

/* 5.7.6.8: sixteen modes of 24 bytes. */
static uint32_t display_info(VirtioGpu *s, uint8_t *out)
{
    for (unsigned i = 0; i < s->max_outputs; i++) {
        uint8_t *m = out + HEADER + i * 24u;

        store_le32(m + 8, preferred(s->monitor.xres, 1280));
        store_le32(m + 12, preferred(s->monitor.yres, 800));
        /* the first one is connected; the others when the driver asks for them */
        store_le32(m + 16, i == 0);
    }
    return OK_DISPLAY_INFO;
}

static uint32_t get_edid(VirtioGpu *s, const uint8_t *c, uint8_t *out)
{
    if (load_le32(c) >= s->max_outputs) {
        return ERR_PARAMETER;
    }
    store_le32(out + HEADER, EDID_BYTES);
    edid_build(&s->monitor, out + HEADER + 8);
    return OK_EDID;
}

/* ---- commands ---- */

/* A command: the bytes behind its header, the bytes behind the answer's header. */
typedef struct Command {
    uint16_t in, out;
} Command;

static const Command commands[] = {
    [CMD_GET_DISPLAY_INFO - 0x100] = { 0, 16 * 24 }, [CMD_CREATE_2D - 0x100] = { 16, 0 }, [CMD_UNREF - 0x100] = { 8, 0 },
    [CMD_SET_SCANOUT - 0x100] = { 24, 0 },           [CMD_FLUSH - 0x100] = { 24, 0 },
    [CMD_TRANSFER_TO_HOST_2D - 0x100] = { 32, 0 },   [CMD_ATTACH_BACKING - 0x100] = { 8, 0 },
    [CMD_DETACH_BACKING - 0x100] = { 8, 0 },         [CMD_GET_CAPSET_INFO - 0x100] = { 8, 16 },
    [CMD_GET_CAPSET - 0x100] = { 8, 0 },             [CMD_GET_EDID - 0x100] = { 8, 8 + 1024 },
};

static uint32_t run_command(VirtioGpu *s, const VirtqElem *e, uint32_t type, const uint8_t *c,
                            uint8_t *out)
{
    GpuResource *r;

    switch (type) {
    case CMD_GET_DISPLAY_INFO:
        return display_info(s, out);
    case CMD_CREATE_2D:
        return create_2d(s, c);
    case CMD_UNREF:
        r = find_resource(s, load_le32(c));
        if (r) {
            resource_drop(s, r);
        }
        return r ? GPU_OK_NODATA : ERR_RESOURCE;
    case CMD_SET_SCANOUT:
        return set_scanout(s, c);
    case CMD_FLUSH:
        return flush(s, c);
    case CMD_TRANSFER_TO_HOST_2D:
        return transfer(s, c);
    case CMD_ATTACH_BACKING:
        return attach_backing(s, e, c);
    case CMD_DETACH_BACKING:
        r = find_resource(s, load_le32(c));
        if (r) {
            g_clear_pointer(&r->backing, g_free);
            r->pieces = 0;
        }
        return r ? GPU_OK_NODATA : ERR_RESOURCE;
    case CMD_GET_EDID:
        return s->edid_on ? get_edid(s, c, out) : ERR_UNSPEC;
    default:
        return ERR_UNSPEC;
    }
}

static void control(VirtioGpu *s, VirtqElem *e)
{
    uint8_t in[HEADER + 32] = {0}, out[RESPONSE_MAX] = {0};
    size_t got = virtq_read(&s->v, e, 0, in, sizeof(in));
    uint32_t type = load_le32(in), answer = ERR_UNSPEC, len = HEADER;

    if (got < HEADER) {
        virtio_error(&s->v, "control request that is too short");
        return;
    }
    if (type >= 0x100 && type < 0x100 + ARRAY_COUNT(commands) &&
        got >= HEADER + commands[type - 0x100].in) {
        answer = run_command(s, e, type, in + HEADER, out);
        len += answer < ERR_UNSPEC ? commands[type - 0x100].out : 0;
    }
    store_le32(out, answer);
    if (load_le32(in + 4) & FLAG_FENCE) {
        memcpy(out + 4, in + 4, HEADER - 4);
    }
    virtq_push(&s->v, e, virtq_write(&s->v, e, 0, out, len));
}

static void gpu_notify(VirtioDevice *v, unsigned n)
{
    VirtioGpu *s = (VirtioGpu *)v;
    VirtqElem *e;
    bool any = false;

    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        if (n == CONTROL_QUEUE) {
            control(s, e);
        } else {
            uint8_t in[HEADER + 32] = {0};

            if (virtq_read(v, e, 0, in, sizeof(in)) == sizeof(in)) {
                cursor_command(s, load_le32(in), in + HEADER);
            }
            virtq_push(v, e, 0);
        }
        any = true;
        g_free(e);
    }
    if (any) {
        virtq_notify(v, &v->vq[n]);
    }
}

/* ---- the device ---- */

static uint64_t gpu_features(VirtioDevice *v)
{
    return ((VirtioGpu *)v)->edid_on ? VIRTIO_BIT(F_EDID) : 0;
}

static void gpu_config_read(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    store_le32(v->config, s->events);
    store_le32(v->config + 4, 0);
    store_le32(v->config + 8, s->max_outputs);
    store_le32(v->config + 12, 0);
}

static void gpu_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioGpu *s = (VirtioGpu *)v;

    s->events &= ~load_le32(v->config + 4);
}

/* Nothing is under way between two calls. */
static void gpu_queue_reset(VirtioDevice *v, unsigned n)
{
}

static bool gpu_realize(VirtioDevice *v, GError **error)
{
    VirtioGpu *s = (VirtioGpu *)v;

    if (s->max_outputs < 1 || s->max_outputs > MAX_SCANOUTS) {
        return fail(error, "invalid max_outputs > %u", MAX_SCANOUTS);
    }
    virtio_add_queue(v, 64);
    virtio_add_queue(v, 16);
    s->resources = g_hash_table_new_full(NULL, NULL, NULL, resource_free);
    for (unsigned i = 0; i < s->max_outputs; i++) {
        s->scanout[i].console = console_new(&scanout_ops, &s->scanout[i], &v->pci.dev, i);
    }
    return true;
}

static void gpu_reset(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    for (unsigned i = 0; i < s->max_outputs; i++) {
        scanout_off(&s->scanout[i]);
        cursor_hide(&s->scanout[i]);
    }
    g_hash_table_remove_all(s->resources);
    s->hostmem = 0;
    s->events = 0;
}

static void gpu_unrealize(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    gpu_reset(v);
    for (unsigned i = 0; i < s->max_outputs; i++) {
        console_free(s->scanout[i].console);
    }
    g_hash_table_unref(s->resources);
    g_clear_pointer(&s->saved, g_byte_array_unref);
}

const Prop virtio_gpu_props[] = {
    PROP_U32(VirtioGpu, max_outputs, "max_outputs", 1, .help = "number of screens, up to 16"),
    PROP_SIZE(VirtioGpu, max_hostmem, "max_hostmem", 256 * MIB, .help = "host memory that resources may take"),
    PROP_BOOL(VirtioGpu, edid_on, "edid", true, .help = "whether monitors describe themselves"),
    PROP_U32(VirtioGpu, monitor.xres, "xres", 1280), PROP_U32(VirtioGpu, monitor.yres, "yres", 800),
    PROP_END,
};

const StateField virtio_gpu_state[] = {
    STATE(VirtioGpu, events), HOST_ONLY(VirtioGpu, monitor.xmax, "no property"), HOST_ONLY(VirtioGpu, monitor.ymax, "no property"),
    HOST_ONLY(VirtioGpu, monitor.refresh_mhz, "no property"), HOST_ONLY(VirtioGpu, scanout, "saved with the resources"),
    STATE_BLOB(VirtioGpu, saved),
    HOST_ONLY(VirtioGpu, resources, "in saved"), HOST_ONLY(VirtioGpu, hostmem, "sum of the resources"), STATE_END,
};

const VirtioType virtio_gpu_type = {
    .saving = virtio_gpu_saving, .check_load = virtio_gpu_check_load, .loaded = virtio_gpu_loaded,
    .name = "virtio-gpu", .category = "display", .id = 16, .pci_class = 0x038000, .size = sizeof(VirtioGpu), .config_size = 16,
    .props = virtio_gpu_props, .state = virtio_gpu_state, .realize = gpu_realize, .unrealize = gpu_unrealize, .reset = gpu_reset,
    .features = gpu_features, .config_read = gpu_config_read, .config_write = gpu_config_write, .notify = gpu_notify,
    .queue_reset = gpu_queue_reset,
};
VIRTIO_TYPE(virtio_gpu_type);
