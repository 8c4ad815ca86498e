// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SD memory card (SD Physical Layer Simplified Specification 3.01): identification, single and
 * multiple block transfers, erase, SCR, SD status, function switching. Left out: passwords, write
 * protection groups, SPI's own protocol.
 */
#include "sd-card.h"

#include <string.h>
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/log.h"

enum {
    R1_OUT_OF_RANGE = 1u << 31, R1_ADDRESS_ERROR = 1u << 30, R1_BLOCK_LEN_ERROR = 1u << 29, R1_ERASE_SEQ_ERROR = 1u << 28,
    R1_ERASE_PARAM = 1u << 27, R1_WP_VIOLATION = 1u << 26, R1_ILLEGAL = 1u << 22, R1_ERROR = 1u << 19, R1_READY = 1u << 8, R1_APP_CMD = 1u << 5,
};

/* The address that the card proposes. */
#define RCA 0x4567
#define OCR_VOLTAGES 0x00ffff00
#define OCR_READY 0x80000000
#define OCR_CCS 0x40000000

/* ---- the medium ---- */

#define FIRST_CHUNK 4096           /* doubled from part to part of an open-ended read */

static void medium_fetch(SdCard *s);

static void medium_ready(SdCard *s)
{
    if (s->bus && s->bus->ops && s->bus->ops->ready) {
        s->bus->ops->ready(s->bus->opaque);
    }
}

static void read_done(void *opaque, int ret)
{
    SdCard *s = opaque;

    s->in_flight = false;
    if (s->fetch_next) {
        /* That read was given up for another one. */
        medium_fetch(s);
        return;
    }
    if (ret < 0) {
        s->status |= R1_ERROR;
        memset(s->buf, 0, s->fill);
    }
    medium_ready(s);
}

/* The next part of a read: as much as fits and the transfer may want. */
static void medium_fetch(SdCard *s)
{
    s->fetch_next = s->in_flight;
    if (s->in_flight) {
        return;
    }
    s->fill = MIN(s->limit - s->addr, s->chunk);
    s->pos = 0;
    s->chunk = MIN(s->chunk * 2, SD_BUFFER);
    s->in_flight = true;
    s->iov = (struct iovec){s->buf, s->fill};
    block_read(s->drive, s->addr, &s->iov, 1, read_done, s);
    s->addr += s->fill;
}

static void write_done(void *opaque, int ret)
{
    SdCard *s = opaque;

    s->in_flight = false;
    if (s->fetch_next) {
        medium_fetch(s);
        return;
    }
    if (ret < 0) {
        s->status |= R1_ERROR;
    }
    if (s->state == SD_STATE_PRG) {
        s->state = s->after;
    } else if (s->state == SD_STATE_DIS) {
        s->state = SD_STATE_STBY;
    }
    medium_ready(s);
}

/* Writes what is in the buffer; false when there is nothing. */
static bool medium_store(SdCard *s)
{
    uint32_t len = s->fill & ~(SD_BLOCK - 1);

    s->fill = 0;
    if (len == 0) {
        return false;
    }
    s->in_flight = true;
    s->iov = (struct iovec){s->buf, len};
    block_write(s->drive, s->addr, &s->iov, 1, false, write_done, s);
    s->addr += len;
    s->blocks_written += len / SD_BLOCK;
    return true;
}

/* ---- data of either direction ---- */

size_t sd_card_read(SdCard *s, void *buf, size_t len)
{
    size_t done = 0;

    if (s->state != SD_STATE_DATA || s->in_flight) {
        return 0;
    }
    done = MIN(len, s->fill - s->pos);
    memcpy(buf, s->buf + s->pos, done);
    s->pos += done;
    if (s->pos == s->fill) {
        if (s->multi && s->from_medium && s->addr < s->limit) {
            medium_fetch(s);
        } else if (!s->multi || s->count_left) {
            s->state = SD_STATE_TRAN;
        }
    }
    return done;
}

size_t sd_card_write(SdCard *s, const void *buf, size_t len)
{
    size_t done;

    if (s->state != SD_STATE_RCV || s->in_flight) {
        return 0;
    }
    uint64_t left = s->limit - s->addr - s->fill;

    done = MIN(len, MIN(left, SD_BUFFER - s->fill));
    memcpy(s->buf + s->fill, buf, done);
    s->fill += done;
    if (done == left && (!s->multi || s->count_left)) {
        s->after = SD_STATE_TRAN;
        s->state = medium_store(s) ? SD_STATE_PRG : SD_STATE_TRAN;
    } else if (s->fill == SD_BUFFER || done == left) {
        if (!medium_store(s)) {
            /* Beyond the end: taken and dropped. */
            s->status |= R1_OUT_OF_RANGE;
            return len;
        }
    }
    return done;
}

/* ---- registers ---- */

static uint8_t crc7(const uint8_t *p, unsigned n)
{
    uint8_t crc = 0;

    for (unsigned i = 0; i < n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t in = (p[i] >> (7 - bit) ^ crc >> 6) & 1;

            crc = (crc << 1 & 0x7f) ^ (in ? 9 : 0);
        }
    }
    return crc << 1 | 1;
}

static void make_cid(uint8_t *r)
{
    static const uint8_t cid[15] = {0xaa, 'X',  'Y',  'Q',  'E',  'M',  'U', '!',
                                    0x01, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x62};

    memcpy(r, cid, sizeof(cid));
    r[15] = crc7(r, 15);
}

/* 5.3: version 1 up to 2 GiB, version 2 above. */
static void make_csd(const SdCard *s, uint8_t *r)
{
    static const uint8_t v1[15] = {0x00, 0x26, 0x00, 0x32, 0x5f, 0x59, 0xe0, 0x00,
                                   0x00, 0x01, 0xff, 0xff, 0x92, 0x60, 0x40};
    static const uint8_t v2[15] = {0x40, 0x0e, 0x00, 0x32, 0x5b, 0x59, 0x00, 0x00,
                                   0x00, 0x00, 0x7f, 0x80, 0x0a, 0x40, 0x00};

    if (s->high_capacity) {
        uint32_t c_size = s->size / (512 * KIB) - 1;

        memcpy(r, v2, 15);
        r[7] = c_size >> 16 & 0x3f;
        r[8] = c_size >> 8;
        r[9] = c_size;
    } else {
        unsigned mult = 7, len = s->size > 1 * GIB ? 10 : 9;
        uint32_t c_size = MAX(s->size >> (mult + 2 + len), 1) - 1;

        while (c_size == 0 && mult > 0) {
            mult--;
            c_size = MAX(s->size >> (mult + 2 + len), 1) - 1;
        }
        memcpy(r, v1, 15);
        r[5] = 0x50 | len;
        r[6] = 0xe0 | (c_size >> 10 & 3);
        r[7] = c_size >> 2;
        r[8] = (c_size & 3) << 6 | 0x2d;
        r[9] = 0xb4 | mult >> 1;
        r[10] = (mult & 1) << 7 | 0x7f;
        r[11] = 0xff;
        r[12] = 0x02 << 2 | len >> 2;
        r[13] = (len & 3) << 6;
        r[14] = 0;
    }
    r[15] = crc7(r, 15);
}

static void start_answer(SdCard *s, uint32_t len)
{
    s->pos = 0;
    s->fill = len;
    s->multi = s->from_medium = false;
    s->state = SD_STATE_DATA;
}

/* 4.3.10: group 1 knows the default and high speed, the others only the default. */
static void switch_function(SdCard *s, uint32_t arg)
{
    memset(s->buf, 0, 64);
    store_be16(s->buf, 200);
    for (unsigned g = 0; g < 6; g++) {
        unsigned want = arg >> (4 * g) & 15, most = g == 0 ? 1 : 0, bits = g == 0 ? 0x8003 : 0x8001,
                 now;

        store_be16(s->buf + 12 - 2 * g, bits);
        now = want == 15 ? s->function[g] : want <= most ? want : 15;
        if (arg >> 31 && now != 15) {
            s->function[g] = now;
        }
        s->buf[16 - g / 2] |= now << (g & 1 ? 4 : 0);
    }
    start_answer(s, 64);
}

static void send_scr(SdCard *s)
{
    memset(s->buf, 0, 8);
    s->buf[0] = s->spec_version >= 2 ? 2 : 1;
    s->buf[1] = 0x25;
    s->buf[2] = s->spec_version >= 3 ? 0x80 : 0;
    s->buf[3] = s->spec_version >= 3 ? 2 : 0;
    start_answer(s, 8);
}

static void send_sd_status(SdCard *s)
{
    memset(s->buf, 0, 64);
    s->buf[0] = s->wide ? 0x80 : 0;
    s->buf[8] = 2;
    s->buf[10] = 0x90;
    start_answer(s, 64);
}

/* ---- commands ---- */

static unsigned respond_r1(SdCard *s, uint8_t state, bool was_app, uint8_t resp[16])
{
    uint32_t v = s->status | (uint32_t)state << 9 |
                 (s->in_flight && state != SD_STATE_DATA ? 0 : R1_READY) |
                 (was_app || s->app_cmd ? R1_APP_CMD : 0);

    store_be32(resp, v);
    s->status = 0;
    return 4;
}

static uint64_t data_address(const SdCard *s, uint32_t arg)
{
    return s->high_capacity ? (uint64_t)arg * SD_BLOCK : arg;
}

/* Begins a transfer of the medium at arg; false with the status set. */
static bool begin_transfer(SdCard *s, uint32_t arg, bool multi, bool write)
{
    uint64_t at = data_address(s, arg);

    s->count_left = s->set_count;
    s->set_count = 0;
    if (at % SD_BLOCK) {
        s->status |= R1_ADDRESS_ERROR;
        return false;
    }
    if (at >= s->size) {
        s->status |= R1_OUT_OF_RANGE;
        return false;
    }
    if (write && s->drive->read_only) {
        s->status |= R1_WP_VIOLATION;
        return false;
    }
    s->addr = at;
    s->multi = multi;
    s->from_medium = true;
    s->limit = !multi          ? at + SD_BLOCK
               : s->count_left ? at + MIN((uint64_t)s->count_left * SD_BLOCK, s->size - at)
                               : s->size;
    s->pos = s->fill = 0;
    s->chunk = s->count_left ? SD_BUFFER : FIRST_CHUNK;
    s->blocks_written = 0;
    s->state = write ? SD_STATE_RCV : SD_STATE_DATA;
    if (!write) {
        medium_fetch(s);
    }
    return true;
}

static void stop_transfer(SdCard *s)
{
    if (s->state == SD_STATE_RCV) {
        s->after = SD_STATE_TRAN;
        s->state = !s->in_flight && !medium_store(s) ? SD_STATE_TRAN : SD_STATE_PRG;
    } else if (s->state == SD_STATE_DATA) {
        s->state = SD_STATE_TRAN;
        s->fetch_next = false;
    }
    s->pos = s->fill = 0;
    s->multi = false;
}

static void do_erase(SdCard *s)
{
    uint64_t from = data_address(s, s->erase_start), to = data_address(s, s->erase_end) + SD_BLOCK;

    if (s->erase_start == UINT32_MAX || s->erase_end == UINT32_MAX) {
        s->status |= R1_ERASE_SEQ_ERROR;
    } else if (from >= to || to > s->size || from % SD_BLOCK || to % SD_BLOCK) {
        s->status |= R1_ERASE_PARAM;
    } else if (s->drive->read_only) {
        s->status |= R1_WP_VIOLATION;
    } else {
        s->in_flight = true;
        s->state = SD_STATE_PRG;
        s->after = SD_STATE_TRAN;
        block_write_zeroes(s->drive, from, to - from, true, write_done, s);
    }
    s->erase_start = s->erase_end = UINT32_MAX;
}

static void go_idle(SdCard *s)
{
    s->state = SD_STATE_IDLE;
    s->fetch_next = false;
    s->rca = 0;
    s->status = 0;
    s->ocr = OCR_VOLTAGES;
    s->app_cmd = s->wide = s->multi = s->from_medium = false;
    s->block_len = SD_BLOCK;
    s->set_count = s->count_left = 0;
    s->pos = s->fill = 0;
    s->erase_start = s->erase_end = UINT32_MAX;
    memset(s->function, 0, sizeof(s->function));
}

static unsigned illegal(SdCard *s, unsigned cmd, const char *what)
{
    log_mask(LOG_GUEST_ERRORS, "SD: %s%u in a wrong state (%u) or unknown\n", what, cmd, s->state);
    s->status |= R1_ILLEGAL;
    return 0;
}

static unsigned app_command(SdCard *s, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    uint8_t state = s->state;

    switch (cmd) {
    case 6:
        s->wide = (arg & 3) == 2;
        break;
    case 13:
        send_sd_status(s);
        break;
    case 22:
        store_be32(s->buf, s->blocks_written);
        start_answer(s, 4);
        break;
    case 23:
    case 42:
        break;
    case 41:
        if (state != SD_STATE_IDLE) {
            return illegal(s, cmd, "ACMD");
        }
        if (arg & OCR_VOLTAGES) {
            s->ocr = OCR_VOLTAGES | OCR_READY | (s->high_capacity ? OCR_CCS : 0);
            s->state = SD_STATE_READY;
        }
        store_be32(resp, s->ocr);
        return 4;
    case 51:
        send_scr(s);
        break;
    default:
        return illegal(s, cmd, "ACMD");
    }
    if (state != SD_STATE_TRAN) {
        s->state = state;
        return illegal(s, cmd, "ACMD");
    }
    return respond_r1(s, state, true, resp);
}

/* Commands of the identification phase and of selection; -1: not one of them. */
static int basic_command(SdCard *s, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    uint8_t state = s->state;
    bool mine = arg >> 16 == s->rca;

    switch (cmd) {
    case 0:
        go_idle(s);
        return 0;
    case 2:
        if (state != SD_STATE_READY) {
            return (int)illegal(s, cmd, "CMD");
        }
        s->state = SD_STATE_IDENT;
        make_cid(resp);
        return 16;
    case 3:
        if (state != SD_STATE_IDENT && state != SD_STATE_STBY) {
            return (int)illegal(s, cmd, "CMD");
        }
        s->rca = RCA;
        s->state = SD_STATE_STBY;
        store_be32(resp, (uint32_t)s->rca << 16 | R1_READY | (uint32_t)state << 9);
        return 4;
    case 7:
        if (mine && s->rca && (state == SD_STATE_STBY || state == SD_STATE_DIS)) {
            s->state = state == SD_STATE_DIS ? SD_STATE_PRG : SD_STATE_TRAN;
            s->after = SD_STATE_TRAN;
            return (int)respond_r1(s, state, false, resp);
        }
        if (!mine && (state == SD_STATE_TRAN || state == SD_STATE_DATA || state == SD_STATE_PRG)) {
            stop_transfer(s);
            s->state = s->in_flight ? SD_STATE_DIS : SD_STATE_STBY;
            return 0;
        }
        return mine ? (int)illegal(s, cmd, "CMD") : 0;
    case 8:
        if (s->spec_version < 2 || state != SD_STATE_IDLE || !(arg >> 8 & 15)) {
            return 0;
        }
        store_be32(resp, arg & 0xfff);
        return 4;
    case 9:
    case 10:
        if (!mine || state != SD_STATE_STBY) {
            return mine ? (int)illegal(s, cmd, "CMD") : 0;
        }
        if (cmd == 9) {
            make_csd(s, resp);
        } else {
            make_cid(resp);
        }
        return 16;
    case 13:
        return mine ? (int)respond_r1(s, state, false, resp) : 0;
    case 15:
        s->state = mine ? SD_STATE_INACTIVE : state;
        return 0;
    case 55:
        if (!mine) {
            return 0;
        }
        s->app_cmd = true;
        return (int)respond_r1(s, state, true, resp);
    default:
        return -1;
    }
}

/* Commands of the transfer state. */
static unsigned transfer_command(SdCard *s, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    uint8_t state = s->state;

    if (cmd == 12) {
        if (state != SD_STATE_DATA && state != SD_STATE_RCV && state != SD_STATE_TRAN &&
            state != SD_STATE_PRG) {
            return illegal(s, cmd, "CMD");
        }
        stop_transfer(s);
        return respond_r1(s, state, false, resp);
    }
    if (state != SD_STATE_TRAN) {
        return illegal(s, cmd, "CMD");
    }
    switch (cmd) {
    case 6:
        switch_function(s, arg);
        break;
    case 16:
        s->status |= arg > SD_BLOCK ? R1_BLOCK_LEN_ERROR : 0;
        s->block_len = MIN(arg, SD_BLOCK);
        break;
    case 17:
    case 18:
        begin_transfer(s, arg, cmd == 18, false);
        break;
    case 23:
        s->set_count = arg & 0xffff;
        break;
    case 24:
    case 25:
        begin_transfer(s, arg, cmd == 25, true);
        break;
    case 32:
        s->erase_start = arg;
        break;
    case 33:
        s->erase_end = arg;
        break;
    case 38:
        do_erase(s);
        break;
    default:
        return illegal(s, cmd, "CMD");
    }
    return respond_r1(s, state, false, resp);
}

unsigned sd_card_command(SdCard *s, unsigned cmd, uint32_t arg, uint8_t resp[16])
{
    bool app = s->app_cmd;
    int len;

    memset(resp, 0, 16);
    s->app_cmd = false;
    if (s->state == SD_STATE_INACTIVE) {
        return 0;
    }
    if (app && cmd != 55) {
        switch (cmd) {
        case 6: case 13: case 22: case 23: case 41: case 42: case 51:
            return app_command(s, cmd, arg, resp);
        default:
            break;
        }
    }
    len = basic_command(s, cmd, arg, resp);
    return len >= 0 ? (unsigned)len : transfer_command(s, cmd, arg, resp);
}

/* ---- the device ---- */

static bool sd_card_realize(Device *d, GError **error)
{
    SdCard *s = (SdCard *)d;

    if (s->spec_version < 1 || s->spec_version > 3) {
        return fail(error, "Invalid SD card Spec version: %u", s->spec_version);
    }
    s->buf = g_malloc0(SD_BUFFER);
    if (s->drive) {
        s->size = block_size(s->drive);
        if (s->size == 0 || (s->size & (s->size - 1))) {
            g_autofree char *text = size_text(s->size);

            return fail(
                error,
                "Invalid SD card size: %s\nSD card size has to be a power of 2, e.g. 64 MiB.\n"
                "You can resize disk images with 'qemu-img resize <imagefile> <new-size>'\n"
                "(note that this will lose data if you make the image smaller than it currently "
                "is).",
                text);
        }
        s->high_capacity = s->size > 2 * GIB;
    }
    return true;
}

static void sd_card_unrealize(Device *d)
{
    SdCard *s = (SdCard *)d;

    if (s->drive) {
        block_drain(s->drive);
    }
    g_clear_pointer(&s->buf, g_free);
}

static void sd_card_reset(Device *d)
{
    go_idle((SdCard *)d);
}

static size_t sd_card_buffer_len(Device *d)
{
    return SD_BUFFER;
}

static const Prop sd_card_props[] = {
    PROP_U8(SdCard, spec_version, "spec_version", 2),
    PROP_DRIVE(SdCard, drive),
    PROP_BOOL(SdCard, spi, "spi", false),
    PROP_END,
};

static const StateField sd_card_state[] = {
    HOST_ONLY(SdCard, bus, "set by the bus"), HOST_ONLY(SdCard, size, "of the medium"), STATE(SdCard, state), STATE(SdCard, rca),
    STATE(SdCard, status), STATE(SdCard, ocr), STATE(SdCard, app_cmd), HOST_ONLY(SdCard, high_capacity, "of the medium"), STATE(SdCard, wide),
    STATE(SdCard, multi), STATE(SdCard, from_medium), STATE_MAX(SdCard, block_len, SD_BLOCK), STATE(SdCard, count_left),
    STATE(SdCard, set_count), STATE(SdCard, addr), STATE(SdCard, limit), STATE(SdCard, erase_start), STATE(SdCard, erase_end),
    STATE(SdCard, blocks_written), STATE_RAW(SdCard, function), STATE_BUF(SdCard, buf, sd_card_buffer_len), STATE_TO(SdCard, pos, fill, SD_BUFFER),
    STATE_MAX(SdCard, fill, SD_BUFFER), STATE_MAX(SdCard, chunk, SD_BUFFER), HOST_ONLY(SdCard, fetch_next, "false while the machine is stopped"), HOST_ONLY(SdCard, iov, "of a request in flight"), HOST_ONLY(SdCard, in_flight, "false while the machine is stopped"),
    STATE(SdCard, after), STATE_END,
};

static const DeviceType sd_card_type = {
    .name = "sd-card",
    .bus = "sd-bus",
    .category = "storage",
    .desc = "SD memory card",
    .size = sizeof(SdCard),
    .state_version = 1,
    .props = sd_card_props,
    .state = sd_card_state,
    .realize = sd_card_realize,
    .unrealize = sd_card_unrealize,
    .reset = sd_card_reset,
};
DEVICE_TYPE(sd_card_type);
