// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMBus host controller of PIIX4 and ICH (Intel 316972, 20.2): protocols from quick commands to
 * block process calls, blocks through the 32-byte buffer or byte by byte. Transfers end at once.
 * Left out: the slave side, SMBALERT#, and packet error codes (what is read fits always).
 */
#include "hw/i2c/smbus-host.h"

enum {
    HST_STS = 0,
    HST_CNT = 2,
    HST_CMD = 3,
    XMIT_SLVA = 4,
    HST_D0 = 5,
    HST_D1 = 6,
    BLOCK_DB = 7,
    AUX_STS = 12,
    AUX_CTL = 13,
};
enum {
    STS_BUSY = 0x01,
    STS_INTR = 0x02,
    STS_DEV_ERR = 0x04,
    STS_BUS_ERR = 0x08,
    STS_FAILED = 0x10,
    STS_SMBALERT = 0x20,
    STS_BYTE_DONE = 0x80,
    STS_CLEARED = STS_INTR | STS_DEV_ERR | STS_BUS_ERR | STS_FAILED | STS_SMBALERT | STS_BYTE_DONE,
    STS_RAISES = STS_INTR | STS_DEV_ERR | STS_BUS_ERR | STS_FAILED | STS_BYTE_DONE,
};
enum {
    CNT_INTREN = 0x01,
    CNT_KILL = 0x02,
    CNT_LAST_BYTE = 0x20,
    CNT_START = 0x40
};
enum {
    AUX_BUFFER = 0x02,
    AUX_WRITABLE = 0x03
};
typedef enum SmbusProtocol {
    SMBUS_QUICK,
    SMBUS_BYTE,
    SMBUS_BYTE_DATA,
    SMBUS_WORD_DATA,
    SMBUS_PROCESS_CALL,
    SMBUS_BLOCK,
    SMBUS_I2C_READ,
    SMBUS_BLOCK_PROCESS_CALL,
} SmbusProtocol;

static void smbus_update_irq(SmbusHost *h)
{
    if (h->set_irq) {
        h->set_irq(h->i2c.bus.owner, (h->control & CNT_INTREN) && (h->status & STS_RAISES));
    }
}

static void smbus_end(SmbusHost *h, uint8_t result)
{
    i2c_stop(&h->i2c);
    h->left = 0;
    h->status = (h->status & ~STS_BUSY) | result;
}

/* START with the address, then the bytes. */
static bool smbus_send(SmbusHost *h, const uint8_t *bytes, unsigned n)
{
    if (!i2c_start(&h->i2c, h->address >> 1, false)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!i2c_write(&h->i2c, bytes[i])) {
            return false;
        }
    }
    return true;
}

static bool smbus_receive(SmbusHost *h, uint8_t *bytes, unsigned n)
{
    if (!i2c_start(&h->i2c, h->address >> 1, true)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        bytes[i] = i2c_read(&h->i2c);
    }
    return true;
}

static bool smbus_byte(SmbusHost *h, bool read)
{
    return read ? smbus_receive(h, &h->data0, 1) : smbus_send(h, &h->command, 1);
}

/* Command, then one or two bytes either way, or both ways. */
static bool smbus_data(SmbusHost *h, SmbusProtocol p, bool read)
{
    uint8_t out[3] = {h->command, h->data0, h->data1}, in[2] = {0};
    unsigned n = p == SMBUS_BYTE_DATA ? 1 : 2;
    bool call = p == SMBUS_PROCESS_CALL;

    if (!smbus_send(h, out, read && !call ? 1 : n + 1)) {
        return false;
    }
    if (!read && !call) {
        return true;
    }
    if (!smbus_receive(h, in, n)) {
        return false;
    }
    h->data0 = in[0];
    h->data1 = n == 2 ? in[1] : h->data1;
    return true;
}

static bool smbus_send_block(SmbusHost *h)
{
    uint8_t out[SMBUS_BLOCK_MAX + 2] = {h->command, h->data0};

    memcpy(out + 2, h->buffer, h->data0);
    return smbus_send(h, out, h->data0 + 2u);
}

/* The device says how many bytes there are. */
static bool smbus_receive_count(SmbusHost *h)
{
    uint8_t n;

    if (!smbus_receive(h, &n, 1) || n == 0 || n > SMBUS_BLOCK_MAX) {
        return false;
    }
    h->data0 = n;
    return true;
}

static bool smbus_block_length_valid(const SmbusHost *h)
{
    return h->data0 > 0 && h->data0 <= SMBUS_BLOCK_MAX;
}

/* All of a block through the buffer. */
static bool smbus_buffered_block(SmbusHost *h, SmbusProtocol p, bool read)
{
    bool call = p == SMBUS_BLOCK_PROCESS_CALL;

    if (!read || call) {
        if (!smbus_block_length_valid(h) || !smbus_send_block(h)) {
            return false;
        }
    } else if (!smbus_send(h, &h->command, 1)) {
        return false;
    }
    if (!read && !call) {
        return true;
    }
    if (!smbus_receive_count(h)) {
        return false;
    }
    for (unsigned i = 0; i < h->data0; i++) {
        h->buffer[i] = i2c_read(&h->i2c);
    }
    return true;
}

/* Byte by byte: the first byte is there, or taken, now; the others as BYTE_DONE is cleared. */
static bool smbus_first_byte(SmbusHost *h, SmbusProtocol p, bool read)
{
    h->receiving = read || p == SMBUS_I2C_READ;
    h->at = 0;
    if (p == SMBUS_I2C_READ) {
        if (!smbus_send(h, &h->data1, 1) || !i2c_start(&h->i2c, h->address >> 1, true)) {
            return false;
        }
        h->left = UINT8_MAX; /* until software says so */
    } else if (read) {
        if (!smbus_send(h, &h->command, 1) || !smbus_receive_count(h)) {
            return false;
        }
        h->left = h->data0;
    } else {
        uint8_t out[2] = {h->command, h->data0};

        if (!smbus_block_length_valid(h) || !smbus_send(h, out, 2) ||
            !i2c_write(&h->i2c, h->block_byte)) {
            return false;
        }
        h->left = h->data0;
    }
    if (h->receiving) {
        h->block_byte = i2c_read(&h->i2c);
    }
    h->status |= STS_BYTE_DONE;
    return true;
}

static void smbus_next_byte(SmbusHost *h)
{
    h->left -= h->left != UINT8_MAX;
    if (h->left == 0 || (h->receiving && (h->control & CNT_LAST_BYTE))) {
        smbus_end(h, STS_INTR);
    } else if (h->receiving) {
        h->block_byte = i2c_read(&h->i2c);
        h->status |= STS_BYTE_DONE;
    } else if (i2c_write(&h->i2c, h->block_byte)) {
        h->status |= STS_BYTE_DONE;
    } else {
        smbus_end(h, STS_DEV_ERR);
    }
}

static void smbus_run(SmbusHost *h)
{
    SmbusProtocol p = h->control >> 2 & 7;
    bool read = h->address & 1, done = false;

    h->status |= STS_BUSY;
    switch (p) {
    case SMBUS_QUICK:
        done = i2c_start(&h->i2c, h->address >> 1, read);
        break;
    case SMBUS_BYTE:
        done = smbus_byte(h, read);
        break;
    case SMBUS_BYTE_DATA:
    case SMBUS_WORD_DATA:
    case SMBUS_PROCESS_CALL:
        done = smbus_data(h, p, read);
        break;
    case SMBUS_BLOCK:
    case SMBUS_I2C_READ:
    case SMBUS_BLOCK_PROCESS_CALL:
        if ((h->aux_control & AUX_BUFFER) && p != SMBUS_I2C_READ) {
            done = smbus_buffered_block(h, p, read);
            h->at = 0;
        } else if (p != SMBUS_BLOCK_PROCESS_CALL && smbus_first_byte(h, p, read)) {
            return; /* goes on */
        }
        break;
    }
    smbus_end(h, done ? STS_INTR : STS_DEV_ERR);
}

static void smbus_write_status(SmbusHost *h, uint8_t value)
{
    bool next = value & h->status & STS_BYTE_DONE;

    h->status &= ~(value & STS_CLEARED);
    if (next && (h->status & STS_BUSY)) {
        smbus_next_byte(h);
    }
}

static void smbus_write_control(SmbusHost *h, uint8_t value)
{
    h->control = value & ~CNT_START;
    if (value & CNT_KILL) {
        if (h->status & STS_BUSY) {
            smbus_end(h, STS_FAILED);
        }
    } else if ((value & CNT_START) && !(h->status & STS_BUSY)) {
        smbus_run(h);
    }
}

uint8_t smbus_host_read(SmbusHost *h, unsigned offset)
{
    switch (offset) {
    case HST_STS:
        return h->status;
    case HST_CNT:
        h->at = 0; /* 20.2.2: reading resets the buffer's index */
        return h->control;
    case HST_CMD:
        return h->command;
    case XMIT_SLVA:
        return h->address;
    case HST_D0:
        return h->data0;
    case HST_D1:
        return h->data1;
    case BLOCK_DB:
        return h->aux_control & AUX_BUFFER ? h->buffer[h->at++ % SMBUS_BLOCK_MAX] : h->block_byte;
    case AUX_STS:
        return h->aux_status;
    case AUX_CTL:
        return h->aux_control;
    default:
        return 0;
    }
}

void smbus_host_write(SmbusHost *h, unsigned offset, uint8_t value)
{
    switch (offset) {
    case HST_STS:
        smbus_write_status(h, value);
        break;
    case HST_CNT:
        smbus_write_control(h, value);
        break;
    case HST_CMD:
        h->command = value;
        break;
    case XMIT_SLVA:
        h->address = value;
        break;
    case HST_D0:
        h->data0 = value;
        break;
    case HST_D1:
        h->data1 = value;
        break;
    case BLOCK_DB:
        if (h->aux_control & AUX_BUFFER) {
            h->buffer[h->at++ % SMBUS_BLOCK_MAX] = value;
        }
        h->block_byte = value;
        break;
    case AUX_STS:
        h->aux_status &= ~value;
        break;
    case AUX_CTL:
        h->aux_control = (value & AUX_WRITABLE) | (h->always_buffered ? AUX_BUFFER : 0);
        h->at = 0;
        break;
    default:
        break;
    }
    smbus_update_irq(h);
}

void smbus_host_init(SmbusHost *h, Device *owner, void (*set_irq)(Device *owner, int level))
{
    i2c_bus_init(&h->i2c, owner, "i2c");
    h->set_irq = set_irq;
}

void smbus_host_reset(SmbusHost *h)
{
    i2c_bus_reset(&h->i2c);
    h->status = h->control = h->command = h->address = h->data0 = h->data1 = h->block_byte = 0;
    h->aux_status = h->at = h->left = 0;
    h->aux_control = h->always_buffered ? AUX_BUFFER : 0;
    h->receiving = false;
    memset(h->buffer, 0, sizeof(h->buffer));
    smbus_update_irq(h);
}

const StateField smbus_host_state[] = {
    STATE_STRUCT(SmbusHost, i2c, i2c_bus_state),
    HOST_ONLY(SmbusHost, set_irq, "constant"),
    STATE(SmbusHost, status),
    STATE(SmbusHost, control),
    STATE(SmbusHost, command),
    STATE(SmbusHost, address),
    STATE(SmbusHost, data0),
    STATE(SmbusHost, data1),
    STATE(SmbusHost, block_byte),
    STATE(SmbusHost, aux_status),
    STATE(SmbusHost, aux_control),
    STATE_RAW(SmbusHost, buffer),
    STATE(SmbusHost, at),
    STATE(SmbusHost, left),
    STATE(SmbusHost, receiving),
    HOST_ONLY(SmbusHost, always_buffered, "constant"),
    STATE_END,
};
