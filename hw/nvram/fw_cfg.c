// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Firmware configuration device (docs/specs/fw_cfg, as firmware and Linux use it): selector
 * port, data port, and a DMA interface whose descriptor address is written big-endian. The
 * directory of named files is kept sorted by name; writes by byte are ignored.
 */
#include "hw/nvram/fw_cfg.h"
#include "exec/bank.h"
#include "exec/dma.h"
#include "exec/loader.h"

#define FILE_SLOTS 0x20
#define NUM_KEYS (FW_CFG_FILE_FIRST + FILE_SLOTS)
#define ARCH_KEYS 0x20
#define NAME_LEN 56
#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

enum {
    DMA_ERROR = 1,
    DMA_READ = 2,
    DMA_SKIP = 4,
    DMA_SELECT = 8,
    DMA_WRITE = 16
};

typedef struct FwCfgItem {
    uint8_t *data;
    size_t len;
    bool writable;
    void (*on_select)(void *opaque);
    void (*written)(void *opaque, const uint8_t *data, size_t len);
    void *opaque;
} FwCfgItem;

/* One entry of the directory, as the guest reads it. */
typedef struct __attribute__((packed)) FwCfgFile {
    uint32_t size_be;
    uint16_t select_be;
    uint16_t reserved;
    char name[NAME_LEN];
} FwCfgFile;

struct FwCfg {
    Device dev;
    FwCfgItem items[NUM_KEYS], arch[ARCH_KEYS];
    FwCfgFile dir[FILE_SLOTS];
    unsigned num_files;
    bool dma_enabled;
    uint16_t key;
    uint32_t offset;
    uint64_t dma_addr;
};

static FwCfgItem *fw_cfg_item(FwCfg *f, uint16_t key)
{
    uint16_t n = key & 0x3fff;

    if (key & FW_CFG_ARCH) {
        return n < ARCH_KEYS ? &f->arch[n] : NULL;
    }
    return n < NUM_KEYS ? &f->items[n] : NULL;
}

FwCfg *fw_cfg_find(Vm *vm)
{
    return vm_published(vm, "fw_cfg");
}

/* ---- contents ---- */

void fw_cfg_take_bytes(FwCfg *f, uint16_t key, void *data, size_t len)
{
    FwCfgItem *i = fw_cfg_item(f, key);

    g_assert(i != NULL);
    g_free(i->data);
    i->data = data;
    i->len = len;
}

void fw_cfg_add_bytes(FwCfg *f, uint16_t key, const void *data, size_t len)
{
    fw_cfg_take_bytes(f, key, g_memdup2(data, len), len);
}

void fw_cfg_add_u16(FwCfg *f, uint16_t key, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    fw_cfg_add_bytes(f, key, &value, sizeof(value));
}

void fw_cfg_add_u32(FwCfg *f, uint16_t key, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    fw_cfg_add_bytes(f, key, &value, sizeof(value));
}

void fw_cfg_add_u64(FwCfg *f, uint16_t key, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    fw_cfg_add_bytes(f, key, &value, sizeof(value));
}

void fw_cfg_add_string(FwCfg *f, uint16_t key, const char *s)
{
    fw_cfg_add_bytes(f, key, s, strlen(s) + 1);
}

static void fw_cfg_publish_dir(FwCfg *f)
{
    size_t len = 4 + f->num_files * sizeof(FwCfgFile);
    uint8_t *d = g_malloc(len);
    uint32_t n = GUINT32_TO_BE(f->num_files);

    memcpy(d, &n, 4);
    memcpy(d + 4, f->dir, len - 4);
    fw_cfg_take_bytes(f, FW_CFG_FILE_DIR, d, len);
}

static FwCfgFile *fw_cfg_dir_find(FwCfg *f, const char *name)
{
    for (unsigned i = 0; i < f->num_files; i++) {
        if (strcmp(f->dir[i].name, name) == 0) {
            return &f->dir[i];
        }
    }
    return NULL;
}

/* The slot of a file, made in its place by name; keys stay with their files. */
static FwCfgFile *fw_cfg_dir_slot(FwCfg *f, const char *name)
{
    FwCfgFile *e = fw_cfg_dir_find(f, name);
    unsigned at = 0;

    if (e) {
        return e;
    }
    if (f->num_files == FILE_SLOTS || strlen(name) >= NAME_LEN) {
        return NULL;
    }
    while (at < f->num_files && strcmp(f->dir[at].name, name) < 0) {
        at++;
    }
    memmove(&f->dir[at + 1], &f->dir[at], (f->num_files - at) * sizeof(FwCfgFile));
    e = &f->dir[at];
    memset(e, 0, sizeof(*e));
    g_strlcpy(e->name, name, NAME_LEN);
    e->select_be = GUINT16_TO_BE(FW_CFG_FILE_FIRST + f->num_files);
    f->num_files++;
    return e;
}

static FwCfgItem *fw_cfg_file_item(FwCfg *f, const char *name, const void *data, size_t len)
{
    FwCfgFile *e = fw_cfg_dir_slot(f, name);

    if (!e) {
        return NULL;
    }
    e->size_be = GUINT32_TO_BE(len);
    fw_cfg_add_bytes(f, GUINT16_FROM_BE(e->select_be), data, len);
    fw_cfg_publish_dir(f);
    return fw_cfg_item(f, GUINT16_FROM_BE(e->select_be));
}

bool fw_cfg_add_file(FwCfg *f, const char *name, const void *data, size_t len)
{
    return fw_cfg_file_item(f, name, data, len) != NULL;
}

void fw_cfg_update_file(FwCfg *f, const char *name, const void *data, size_t len)
{
    FwCfgFile *e = fw_cfg_dir_find(f, name);

    g_assert(e != NULL);
    FwCfgItem *i = fw_cfg_item(f, GUINT16_FROM_BE(e->select_be));
    size_t n = MIN(len, i->len);

    memcpy(i->data, data, n);
    memset(i->data + n, 0, i->len - n);
}

bool fw_cfg_add_writable_file(FwCfg *f, const char *name, const void *data, size_t len,
                              void (*written)(void *opaque, const uint8_t *data, size_t len),
                              void *opaque)
{
    FwCfgItem *i = fw_cfg_file_item(f, name, data, len);

    if (!i) {
        return false;
    }
    i->writable = true;
    i->written = written;
    i->opaque = opaque;
    return true;
}

void fw_cfg_on_select(FwCfg *f, const char *name, void (*fn)(void *opaque), void *opaque)
{
    FwCfgFile *e = fw_cfg_dir_find(f, name);

    g_assert(e != NULL);
    FwCfgItem *i = fw_cfg_item(f, GUINT16_FROM_BE(e->select_be));

    i->on_select = fn;
    i->opaque = opaque;
}

bool fw_cfg_add_option(FwCfg *f, const char *name, const char *file, const char *string,
                       GError **error)
{
    g_autofree char *data = NULL;
    gsize len = 0;

    if (!name || strlen(name) >= NAME_LEN) {
        return fail(error, "-fw_cfg: property 'name' must have 1 to %d characters", NAME_LEN - 1);
    }
    if (fw_cfg_dir_find(f, name)) {
        return fail(error, "-fw_cfg: there is a file '%s' already", name);
    }
    if (!file == !string) {
        return fail(error, "-fw_cfg: '%s' needs one of 'file' and 'string'", name);
    }
    if (file && !g_file_get_contents(file, &data, &len, error)) {
        return false;
    }
    if (string) {
        data = g_strdup(string);
        len = strlen(string);
    }
    if (!fw_cfg_add_file(f, name, data, len)) {
        return fail(error, "-fw_cfg: no room for '%s'", name);
    }
    return true;
}

/* ---- guest side ---- */

static void fw_cfg_select(FwCfg *f, uint16_t key)
{
    FwCfgItem *i = fw_cfg_item(f, key);

    f->key = key;
    f->offset = 0;
    if (i && i->on_select) {
        i->on_select(i->opaque);
    }
}

static uint8_t fw_cfg_next_byte(FwCfg *f)
{
    FwCfgItem *i = fw_cfg_item(f, f->key);

    return i && f->offset < i->len ? i->data[f->offset++] : 0;
}

static uint64_t fw_cfg_read_port(void *opaque, hwaddr offset, unsigned size)
{
    return offset == 1 ? fw_cfg_next_byte(opaque) : 0;
}

static void fw_cfg_write_port(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset == 0 && size == 2) {
        fw_cfg_select(opaque, value);
    }
}

/* Copies out of the item, zeros behind its end; in pieces, so that a length means no allocation. */
static bool fw_cfg_dma_out(FwCfg *f, FwCfgItem *i, hwaddr addr, uint32_t len)
{
    size_t have = i && f->offset < i->len ? MIN(len, i->len - f->offset) : 0;

    if (have && !dma_write(&f->dev, addr, i->data + f->offset, have)) {
        return false;
    }
    f->offset += have;
    return len == have || dma_fill(&f->dev, addr + have, 0, len - have);
}

static bool fw_cfg_dma_in(FwCfg *f, FwCfgItem *i, hwaddr addr, uint32_t len)
{
    if (!i || !i->writable || f->offset > i->len || len > i->len - f->offset) {
        return false;
    }
    if (!dma_read(&f->dev, addr, i->data + f->offset, len)) {
        return false;
    }
    f->offset += len;
    if (i->written) {
        i->written(i->opaque, i->data, i->len);
    }
    return true;
}

static void fw_cfg_dma_run(FwCfg *f)
{
    struct __attribute__((packed)) {
        uint32_t control, length;
        uint64_t address;
    } desc;
    hwaddr at = f->dma_addr;
    bool ok = true;

    f->dma_addr = 0;
    if (!dma_read(&f->dev, at, &desc, sizeof(desc))) {
        dma_store(&f->dev, at, DMA_ERROR, 4, DEV_BIG);
        return;
    }
    uint32_t control = GUINT32_FROM_BE(desc.control), len = GUINT32_FROM_BE(desc.length);
    hwaddr addr = GUINT64_FROM_BE(desc.address);

    if (control & DMA_SELECT) {
        fw_cfg_select(f, control >> 16);
    }
    FwCfgItem *i = fw_cfg_item(f, f->key);

    if (control & DMA_READ) {
        ok = fw_cfg_dma_out(f, i, addr, len);
    } else if (control & DMA_WRITE) {
        ok = fw_cfg_dma_in(f, i, addr, len);
    } else if (control & DMA_SKIP) {
        f->offset = i && f->offset < i->len ? f->offset + MIN(len, i->len - f->offset) : f->offset;
    }
    dma_store(&f->dev, at, ok ? 0 : DMA_ERROR, 4, DEV_BIG);
}

static uint64_t fw_cfg_read_dma(void *opaque, hwaddr offset, unsigned size)
{
    return DMA_SIGNATURE >> 8 * (8 - offset - size) &
           (size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1);
}

static void fw_cfg_write_dma(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    FwCfg *f = opaque;

    if (size == 8) {
        f->dma_addr = value;
        fw_cfg_dma_run(f);
    } else if (offset == 0) {
        f->dma_addr = value << 32;
    } else if (offset == 4) {
        f->dma_addr |= (uint32_t)value;
        fw_cfg_dma_run(f);
    }
}

/* In memory the data register keeps the order of bytes, whatever the size. */
static uint64_t fw_cfg_read_data(void *opaque, hwaddr offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v = v << 8 | fw_cfg_next_byte(opaque);
    }
    return v;
}

static void fw_cfg_write_data(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    /* Read-only without DMA. */
}

static uint64_t fw_cfg_read_selector(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

static void fw_cfg_write_selector(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset == 0 && size == 2) {
        fw_cfg_select(opaque, value);
    }
}

static const RegionOps fw_cfg_data_ops = {
    .read = fw_cfg_read_data,
    .write = fw_cfg_write_data,
    .min_size = 1,
    .max_size = 8,
    .endian = DEV_BIG,
};
static const RegionOps fw_cfg_selector_ops = {
    .read = fw_cfg_read_selector,
    .write = fw_cfg_write_selector,
    .min_size = 1,
    .max_size = 2,
    .endian = DEV_BIG,
};
static const RegionOps fw_cfg_port_ops = {
    .read = fw_cfg_read_port,
    .write = fw_cfg_write_port,
    .min_size = 1,
    .max_size = 2,
    .max_valid = 2,
    .unaligned = true,
};
static const RegionOps fw_cfg_dma_ops = {
    .read = fw_cfg_read_dma,
    .write = fw_cfg_write_dma,
    .min_size = 1,
    .max_size = 8,
    .endian = DEV_BIG,
};

static bool fw_cfg_realize(Device *d, GError **error)
{
    FwCfg *f = (FwCfg *)d;

    fw_cfg_add_bytes(f, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(f, FW_CFG_ID, f->dma_enabled ? 3 : 1);
    fw_cfg_add_bytes(f, FW_CFG_UUID, d->vm->uuid, 16);
    fw_cfg_add_u16(f, FW_CFG_NOGRAPHIC, !d->vm->graphics);
    fw_cfg_publish_dir(f);
    vm_publish(d->vm, "fw_cfg", f);
    return true;
}

static void fw_cfg_reset(Device *d)
{
    FwCfg *f = (FwCfg *)d;

    f->dma_addr = 0;
    fw_cfg_select(f, 0);
}

static const RegBank fw_cfg_banks[] = {
    {.name = "io", .size = 2, .ops = &fw_cfg_port_ops, .pio = true, .help = "selector and data"},
    {.name = "dma", .size = 8, .ops = &fw_cfg_dma_ops, .pio = true, .help = "descriptor address"},
    {0},
};

static const Prop fw_cfg_props[] = {
    PROP_BOOL(FwCfg, dma_enabled, "dma_enabled", true),
    PROP_END,
};

static const StateField fw_cfg_state[] = {
    STATE(FwCfg, key),
    STATE(FwCfg, offset),
    STATE(FwCfg, dma_addr),
    HOST_ONLY(FwCfg, items, "made by the board"),
    HOST_ONLY(FwCfg, arch, "made by the board"),
    HOST_ONLY(FwCfg, dir, "made by the board"),
    HOST_ONLY(FwCfg, num_files, "made by the board"),
    STATE_END,
};

static const DeviceType fw_cfg_io_type = {
    .name = "fw_cfg_io",
    .category = "misc",
    .desc = "Firmware configuration in port space",
    .internal = true,
    .size = sizeof(FwCfg),
    .state_version = 1,
    .props = fw_cfg_props,
    .banks = fw_cfg_banks,
    .state = fw_cfg_state,
    .realize = fw_cfg_realize,
    .reset = fw_cfg_reset,
};
DEVICE_TYPE(fw_cfg_io_type);

FwCfg *fw_cfg_create_io(Vm *vm, uint16_t port, GError **error)
{
    Device *d = device_create(vm, "fw_cfg_io", NULL, "fw_cfg", error, NULL);

    if (!d) {
        return NULL;
    }
    device_map(d, "io", port);
    device_map(d, "dma", port + 4);
    return (FwCfg *)d;
}

static const RegBank fw_cfg_mem_banks[] = {
    {.name = "data", .size = 8, .ops = &fw_cfg_data_ops, .help = "data"},
    {.name = "ctl", .size = 2, .ops = &fw_cfg_selector_ops, .help = "selector"},
    {.name = "dma", .size = 8, .ops = &fw_cfg_dma_ops, .help = "descriptor address"},
    {0},
};

static const DeviceType fw_cfg_mem_type = {
    .name = "fw_cfg_mem",
    .category = "misc",
    .desc = "Firmware configuration in memory",
    .internal = true,
    .size = sizeof(FwCfg),
    .state_version = 1,
    .props = fw_cfg_props,
    .banks = fw_cfg_mem_banks,
    .state = fw_cfg_state,
    .realize = fw_cfg_realize,
    .reset = fw_cfg_reset,
};
DEVICE_TYPE(fw_cfg_mem_type);

FwCfg *fw_cfg_create_mem(Vm *vm, hwaddr base, GError **error)
{
    Device *d = device_create(vm, "fw_cfg_mem", NULL, "fw_cfg", error, NULL);

    if (!d) {
        return NULL;
    }
    device_map(d, "data", base);
    device_map(d, "ctl", base + 8);
    device_map(d, "dma", base + 16);
    return (FwCfg *)d;
}
