// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NOR flash with the Intel command set (28F640J3A data sheet; JEDEC JESD68.01, the common flash
 * interface): one or more equal chips side by side on a bus of 1 to 8 bytes. While an array read
 * is what a read gets, the guest reads and runs host memory directly. What is programmed is
 * written to the drive in the background, in its own sectors. Programming and erasing take no
 * guest time. Left out: suspend, protection registers; block locks are accepted and do not lock.
 */
#include "hw/block/pflash.h"

#include <inttypes.h>

#include "exec/bank.h"
#include "hw/block/flash-drive.h"
#include "qom/vm.h"
#include "util/bswap.h"

#define SECTOR 512
#define QUERY_SIZE 0x52
#define BUFFER_MAX 2048u

enum {
    CMD_ARRAY_0 = 0x00,
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_ERASE_ALT = 0x28,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_STATUS = 0x70,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFER = 0xe8,
    CMD_RESET = 0xf0,
    CMD_ARRAY = 0xff
};
enum {
    STATUS_READY = 0x80,
    STATUS_ERASE_ERROR = 0x20,
    STATUS_PROGRAM_ERROR = 0x10
};
/* What the chip waits for next. */
enum {
    STEP_COMMAND,
    STEP_DATA,
    STEP_BUFFER,
    STEP_CONFIRM
};

typedef struct Pflash {
    Device dev;
    /* properties */
    BlockFront *drive;
    uint32_t num_blocks;
    uint64_t sector_len;
    uint8_t width, device_width, max_device_width;
    bool big_endian, secure, old_multiple_chips;
    uint16_t ids[4];
    char *name;
    /* state */
    uint8_t cmd, step, status;
    uint64_t buffer_left; /* accesses of a buffered write still to come */
    hwaddr buffer_base;
    uint8_t *buffer; /* the block being changed by a buffered write */
    /* host side */
    Region mem;
    uint8_t query[QUERY_SIZE];
    FlashDrive flash;
} Pflash;

static uint64_t flash_size(const Pflash *s)
{
    return s->num_blocks * s->sector_len;
}

static uint8_t *flash_host(Pflash *s)
{
    return region_host(&s->mem);
}

/* ---- the drive ---- */

static void flash_write_failed(void *opaque, int error)
{
    Pflash *s = opaque;

    guest_error("%s: could not write the drive: %s", s->name, g_strerror(-error));
    s->status |= STATUS_PROGRAM_ERROR;
}

static void flash_changed(Pflash *s, hwaddr offset, uint64_t len)
{
    flash_drive_changed(&s->flash, offset, len);
}

/* ---- what a read gets ---- */

/* The answer of each chip, side by side. */
static uint64_t flash_replicate(const Pflash *s, uint64_t value)
{
    unsigned chip = s->device_width ? s->device_width : s->width;
    uint64_t all = 0;

    for (unsigned i = 0; i < s->width; i += chip) {
        all |= value << 8 * i;
    }
    return all;
}

/* Which word of a chip an address on the bus means. */
static uint64_t flash_word(const Pflash *s, hwaddr offset)
{
    unsigned shift = __builtin_ctz(s->width);

    if (s->device_width) {
        shift += __builtin_ctz(s->max_device_width) - __builtin_ctz(s->device_width);
    }
    return offset >> shift;
}

static uint64_t flash_read_id(const Pflash *s, hwaddr offset)
{
    uint64_t word = flash_word(s, offset) & 0xff;

    return word < 2 ? flash_replicate(s, s->ids[2 * word] << 8 | s->ids[2 * word + 1]) : 0;
}

static uint64_t flash_read_query(const Pflash *s, hwaddr offset)
{
    uint64_t word = flash_word(s, offset);

    return word < QUERY_SIZE ? flash_replicate(s, s->query[word]) : 0;
}

static uint64_t flash_load(const uint8_t *p, unsigned size, bool big)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)p[i] << 8 * (big ? size - 1 - i : i);
    }
    return v;
}

static void flash_store(uint8_t *p, uint64_t v, unsigned size, bool big)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = v >> 8 * (big ? size - 1 - i : i);
    }
}

static void flash_array_mode(Pflash *s)
{
    s->step = STEP_COMMAND;
    s->cmd = CMD_ARRAY_0;
    region_set_romd(&s->mem, true);
}

static uint64_t flash_read(Pflash *s, hwaddr offset, unsigned size)
{
    switch (s->cmd) {
    case CMD_ARRAY_0:
        return flash_load(flash_host(s) + offset, size, s->big_endian);
    case CMD_ID:
        return flash_read_id(s, offset);
    case CMD_QUERY:
        return flash_read_query(s, offset);
    default:
        return flash_replicate(s, s->status);
    }
}

/* ---- commands ---- */

static void flash_erase(Pflash *s, hwaddr offset)
{
    hwaddr base = offset / s->sector_len * s->sector_len;

    if (s->flash.read_only) {
        s->status |= STATUS_ERASE_ERROR;
        return;
    }
    memset(flash_host(s) + base, 0xff, s->sector_len);
    flash_changed(s, base, s->sector_len);
}

static void flash_program(Pflash *s, hwaddr offset, uint64_t value, unsigned size)
{
    if (s->flash.read_only) {
        s->status |= STATUS_PROGRAM_ERROR;
        return;
    }
    flash_store(flash_host(s) + offset, value, size, s->big_endian);
    flash_changed(s, offset, size);
}

static void flash_command(Pflash *s, uint8_t cmd)
{
    s->cmd = cmd;
    switch (cmd) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
    case CMD_ERASE:
    case CMD_ERASE_ALT:
    case CMD_LOCK:
        s->step = STEP_DATA;
        break;
    case CMD_BUFFER:
        s->status |= STATUS_READY;
        s->step = STEP_DATA;
        break;
    case CMD_CLEAR_STATUS:
        /* Firmware tells this flash from RAM and ROM by a status of 0 here. */
        s->status = 0;
        flash_array_mode(s);
        return;
    case CMD_STATUS:
    case CMD_ID:
    case CMD_QUERY:
        break;
    default:
        /* CMD_ARRAY, CMD_RESET, and what no chip knows */
        flash_array_mode(s);
        return;
    }
    region_set_romd(&s->mem, false);
}

static void flash_begin_buffer(Pflash *s, hwaddr offset, uint64_t value)
{
    uint64_t count =
        (s->device_width ? value & ((1ull << 8 * MIN(s->device_width, 4)) - 1) : value & 0xffff) +
        1;

    if (count * s->width > BUFFER_MAX) {
        guest_error("%s: buffered write of %" PRIu64 " words is too long", s->name, count);
        flash_array_mode(s);
        return;
    }
    s->buffer_left = count;
    s->buffer_base = offset / s->sector_len * s->sector_len;
    memcpy(s->buffer, flash_host(s) + s->buffer_base, s->sector_len);
    s->step = STEP_BUFFER;
}

static void flash_fill_buffer(Pflash *s, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset - s->buffer_base < s->sector_len &&
        size <= s->sector_len - (offset - s->buffer_base)) {
        flash_store(s->buffer + (offset - s->buffer_base), value, size, s->big_endian);
    } else {
        s->status |= STATUS_PROGRAM_ERROR;
    }
    if (--s->buffer_left == 0) {
        s->step = STEP_CONFIRM;
    }
}

static void flash_confirm_buffer(Pflash *s)
{
    if (s->flash.read_only) {
        s->status |= STATUS_PROGRAM_ERROR;
    } else if (!(s->status & STATUS_PROGRAM_ERROR)) {
        memcpy(flash_host(s) + s->buffer_base, s->buffer, s->sector_len);
        flash_changed(s, s->buffer_base, s->sector_len);
    }
    s->status |= STATUS_READY;
    s->step = STEP_COMMAND;
}

static void flash_data(Pflash *s, hwaddr offset, uint64_t value, unsigned size)
{
    switch (s->cmd) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
        flash_program(s, offset, value, size);
        break;
    case CMD_ERASE:
    case CMD_ERASE_ALT:
        if ((uint8_t)value != CMD_CONFIRM) {
            flash_array_mode(s);
            return;
        }
        flash_erase(s, offset);
        break;
    case CMD_BUFFER:
        flash_begin_buffer(s, offset, value);
        return;
    default:
        /* lock bits: set, clear or lock down, all accepted */
        if ((uint8_t)value == CMD_ARRAY) {
            flash_array_mode(s);
            return;
        }
        break;
    }
    s->status |= STATUS_READY;
    s->step = STEP_COMMAND;
    s->cmd = CMD_STATUS;
}

static void flash_write(Pflash *s, hwaddr offset, uint64_t value, unsigned size)
{
    switch (s->step) {
    case STEP_COMMAND:
        flash_command(s, value);
        break;
    case STEP_DATA:
        flash_data(s, offset, value, size);
        break;
    case STEP_BUFFER:
        flash_fill_buffer(s, offset, value, size);
        break;
    default:
        if ((uint8_t)value == CMD_CONFIRM) {
            flash_confirm_buffer(s);
        } else {
            flash_array_mode(s);
        }
        break;
    }
}

/* A secure flash takes commands from system management mode only; to others it is ROM. */
static MemResult flash_access(Region *r, hwaddr offset, uint64_t *value, unsigned size, bool write,
                              MemAttrs attrs)
{
    Pflash *s = r->opaque;
    bool locked = s->secure && !attrs.secure;

    if (write) {
        if (!locked) {
            flash_write(s, offset, *value, size);
        }
    } else {
        *value = locked ? flash_load(flash_host(s) + offset, size, s->big_endian)
                        : flash_read(s, offset, size);
    }
    return MEM_OK;
}

/* For the byte order only; flash_access does the work. */
static const RegionOps flash_le_ops = {.min_size = 1, .max_size = 8, .endian = DEV_LITTLE};
static const RegionOps flash_be_ops = {.min_size = 1, .max_size = 8, .endian = DEV_BIG};

/* ---- the query table: JESD68.01 and the Intel extended table ---- */

static void flash_make_query(Pflash *s)
{
    unsigned chip = s->device_width ? s->device_width : s->width, chips = s->width / chip;
    uint64_t chip_size = flash_size(s) / chips, erase = s->sector_len / chips;
    unsigned blocks = s->num_blocks - 1;
    uint8_t *q = s->query;

    memcpy(q + 0x10, "QRY", 3);
    q[0x13] = 1; /* Intel/Sharp extended command set */
    q[0x15] = 0x31; /* its table */
    q[0x1b] = 0x45; /* Vcc 4.5 to 5.5 V */
    q[0x1c] = 0x55;
    q[0x1f] = 7; /* typical times: 2^7 us, block erase 2^10 ms */
    q[0x20] = 7;
    q[0x21] = 10;
    q[0x23] = 4; /* at most 2^4 times that */
    q[0x24] = 4;
    q[0x25] = 4;
    q[0x27] = 63 - __builtin_clzll(chip_size);
    q[0x28] = 2; /* x8 and x16 */
    q[0x2a] = s->width == 1 ? 8 : 11; /* write buffer: 2^n bytes */
    q[0x2c] = 1; /* one kind of blocks */
    q[0x2d] = blocks;
    q[0x2e] = blocks >> 8;
    q[0x2f] = erase >> 8;
    q[0x30] = erase >> 16;
    memcpy(q + 0x31, "PRI10", 5);
    q[0x3f] = 1; /* one protection register */
}

/* ---- life ---- */

static bool flash_check(Pflash *s, GError **error)
{
    uint64_t size;

    if (s->sector_len == 0 || s->sector_len % SECTOR || s->num_blocks == 0 ||
        s->num_blocks > 65536) {
        return fail(error,
                    "attribute \"sector-length\" or \"num-blocks\" not specified or not possible.");
    }
    if (!s->name) {
        return fail(error, "attribute \"name\" not specified.");
    }
    if (s->width == 0 || s->width > 8 || (s->width & (s->width - 1)) ||
        s->device_width > s->width || (s->device_width & (s->device_width - 1)) ||
        s->max_device_width > 8) {
        return fail(error, "%s: width %u, device-width %u do not go together", s->name, s->width,
                    s->device_width);
    }
    size = flash_size(s);
    if (size > GIB || size % 4096) {
        return fail(error, "%s: a flash of %" PRIu64 " bytes is not possible", s->name, size);
    }
    return true;
}

static bool flash_realize(Device *d, GError **error)
{
    Pflash *s = (Pflash *)d;

    if (!flash_check(s, error)) {
        return false;
    }
    if (!s->max_device_width) {
        s->max_device_width = s->device_width;
    }
    if (!region_init_romd(&s->mem, &d->obj, s->name, flash_size(s),
                          s->big_endian ? &flash_be_ops : &flash_le_ops, s, error)) {
        return false;
    }
    s->mem.access = flash_access;
    s->buffer = g_malloc0(s->sector_len);
    s->status = STATUS_READY;
    s->flash = (FlashDrive){
        .drive = s->drive,
        .mem = &s->mem,
        .failed = flash_write_failed,
        .opaque = s,
    };
    if (s->drive && !flash_drive_load(&s->flash, error)) {
        region_fini(&s->mem);
        g_free(s->buffer);
        return false;
    }
    flash_make_query(s);
    return true;
}

static void flash_unrealize(Device *d)
{
    Pflash *s = (Pflash *)d;

    if (s->drive) {
        block_drain(s->drive);
    }
    region_fini(&s->mem);
    g_free(s->buffer);
}

static void flash_reset(Device *d)
{
    Pflash *s = (Pflash *)d;

    s->status = STATUS_READY;
    s->buffer_left = 0;
    flash_array_mode(s);
}

static bool flash_check_load(Device *d, GError **error)
{
    const Pflash *s = (Pflash *)d;

    return (s->buffer_base < flash_size(s) && s->buffer_base % s->sector_len == 0) ||
           fail(error, "no sector begins at 0x%" PRIx64, s->buffer_base);
}

static void flash_post_load(Device *d)
{
    Pflash *s = (Pflash *)d;

    region_set_romd(&s->mem, s->cmd == CMD_ARRAY_0 && s->step == STEP_COMMAND);
    if (s->drive && !s->flash.read_only) {
        flash_changed(s, 0, flash_size(s));
    }
}

Region *pflash_region(Device *d)
{
    return &((Pflash *)d)->mem;
}

uint64_t pflash_size(Device *d)
{
    return flash_size((Pflash *)d);
}

static Device *flash_refuse(Device *d)
{
    object_unref(&d->obj);
    return NULL;
}

Device *pflash_create(Vm *vm, const PflashConfig *c, GError **error)
{
    Device *d = device_new(vm, "cfi.pflash01", error);
    Pflash *s = (Pflash *)d;
    uint64_t size = c->size;

    if (!d) {
        return NULL;
    }
    if (c->drive && !object_set_text(&d->obj, "drive", c->drive, error)) {
        return flash_refuse(d);
    }
    if (!size && s->drive) {
        size = block_size(s->drive);
    }
    if (size == 0 || size % c->sector_size) {
        fail(error, "system firmware block device %s has invalid size %" PRIu64,
             c->drive ? c->drive : c->name, size);
        return flash_refuse(d);
    }
    s->num_blocks = size / c->sector_size;
    s->sector_len = c->sector_size;
    s->width = c->width;
    s->device_width = c->device_width;
    s->big_endian = c->big_endian;
    memcpy(s->ids, c->ids, sizeof(s->ids));
    g_free(s->name);
    s->name = g_strdup(c->name);
    if (!object_add_child(&vm->machine->obj, c->name, &d->obj, error)) {
        return flash_refuse(d);
    }
    return device_realize(d, NULL, &vm->machine->obj, error) ? d : NULL;
}

static const Prop flash_props[] = {
    PROP_DRIVE(Pflash, drive),
    PROP_U32(Pflash, num_blocks, "num-blocks", 0),
    PROP_U64(Pflash, sector_len, "sector-length", 0),
    PROP_U8(Pflash, width, "width", 0, .help = "bytes of the data bus"),
    PROP_U8(Pflash, device_width, "device-width", 0, .help = "bytes of one chip on it"),
    PROP_U8(Pflash, max_device_width, "max-device-width", 0),
    PROP_BOOL(Pflash, big_endian, "big-endian", false),
    PROP_BOOL(Pflash, secure, "secure", false,
              .help = "takes commands from system management mode only"),
    PROP_U16(Pflash, ids[0], "id0", 0),
    PROP_U16(Pflash, ids[1], "id1", 0),
    PROP_U16(Pflash, ids[2], "id2", 0),
    PROP_U16(Pflash, ids[3], "id3", 0),
    PROP_STRING(Pflash, name, "name"),
    PROP_BOOL(Pflash, old_multiple_chips, "old-multiple-chip-handling", false,
              .help = "accepted; chips side by side are always handled as such"),
    PROP_END,
};

static size_t flash_sector_len(Device *d)
{
    return ((Pflash *)d)->sector_len;
}

static const StateField flash_state[] = {
    STATE(Pflash, cmd),
    STATE(Pflash, step),
    STATE(Pflash, status),
    STATE(Pflash, buffer_left),
    STATE(Pflash, buffer_base),
    STATE_BUF(Pflash, buffer, flash_sector_len),
    HOST_ONLY(Pflash, mem, "its memory is a RAM block, saved as such"),
    HOST_ONLY(Pflash, query, "constant"),
    HOST_ONLY(Pflash, flash, "drained before a save"),
    STATE_END,
};

static const DeviceType flash_type = {
    .name = "cfi.pflash01",
    .category = "storage",
    .desc = "Parallel flash, Intel command set",
    .internal = true,
    .size = sizeof(Pflash),
    .state_version = 1,
    .props = flash_props,
    .state = flash_state,
    .realize = flash_realize,
    .unrealize = flash_unrealize,
    .reset = flash_reset,
    .check_load = flash_check_load,
    .post_load = flash_post_load,
};
DEVICE_TYPE(flash_type);
