// SPDX-License-Identifier: GPL-2.0-or-later
/* The drive behind a flash chip; the contract is in hw/block/flash-drive.h. */
#include "hw/block/flash-drive.h"

#include <inttypes.h>

#include "util/error.h"

#define SECTOR 512u

static void write_back(FlashDrive *f);

static void written(void *opaque, int ret)
{
    FlashDrive *f = opaque;

    f->writing = false;
    g_clear_pointer(&f->out, g_free);
    if (ret < 0) {
        f->failed(f->opaque, ret);
    }
    write_back(f);
}

/* What changes while a request is on its way is gathered for the next. */
static void write_back(FlashDrive *f)
{
    uint64_t low = f->dirty_low, len = f->dirty_high - low;
    uint8_t *host = (uint8_t *)region_host(f->mem) + low;

    if (f->writing || len == 0) {
        return;
    }
    f->writing = true;
    f->dirty_low = f->dirty_high = 0;
    if (f->inverted) {
        f->out = g_malloc(len);
        for (uint64_t i = 0; i < len; i++) {
            f->out[i] = ~host[i];
        }
        host = f->out;
    }
    f->iov = (struct iovec){.iov_base = host, .iov_len = len};
    block_write(f->drive, low, &f->iov, 1, true, written, f);
}

void flash_drive_changed(FlashDrive *f, uint64_t offset, uint64_t len)
{
    uint64_t low = offset & ~(uint64_t)(SECTOR - 1),
             high = (offset + len + SECTOR - 1) & ~(uint64_t)(SECTOR - 1);

    region_dirty_set(f->mem, offset, len);
    if (!f->drive || f->read_only) {
        return;
    }
    if (f->dirty_low == f->dirty_high) {
        f->dirty_low = low;
        f->dirty_high = high;
    } else {
        f->dirty_low = MIN(f->dirty_low, low);
        f->dirty_high = MAX(f->dirty_high, high);
    }
    write_back(f);
}

static void read_done(void *opaque, int ret)
{
    ((FlashDrive *)opaque)->bad = ret < 0;
}

bool flash_drive_load(FlashDrive *f, GError **error)
{
    uint64_t have = block_size(f->drive), want = f->mem->size;
    uint8_t *host = region_host(f->mem);
    struct iovec iov = {.iov_base = host, .iov_len = want};

    if (have != want) {
        return fail(error,
                    "device requires %" PRIu64 " bytes, block backend provides %" PRIu64 " bytes",
                    want, have);
    }
    f->read_only = f->drive->read_only;
    block_read(f->drive, 0, &iov, 1, read_done, f);
    block_drain(f->drive);
    if (f->bad) {
        return fail(error, "failed to read the initial flash content");
    }
    for (uint64_t i = 0; f->inverted && i < want; i += 8) {
        uint64_t *p = (uint64_t *)(void *)(host + i);

        *p = ~*p;
    }
    return true;
}
