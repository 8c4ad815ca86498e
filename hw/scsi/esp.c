// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The core of NCR 53C9x SCSI controllers (Am53C974 technical manual, chapter 4; NCR 53C94 data
 * manual): FIFO, transfer counter, initiator commands with and without DMA. Targets never
 * disconnect. Left out: target mode, reselection, transfer pads with parity, test mode.
 */
#include "esp.h"

#include <string.h>
#include "util/log.h"

enum {
    REG_TCLOW,
    REG_TCMED,
    REG_FIFO,
    REG_COMMAND,
    REG_STATUS,
    REG_INTERRUPT,
    REG_STEP,
    REG_FLAGS,
    REG_CFG1,
    REG_CLOCK,
    REG_TEST,
    REG_CFG2,
    REG_CFG3,
    REG_CFG4,
    REG_TCHI };
enum { STAT_DONE_TC = 0x10, STAT_GROSS = 0x40, STAT_INT = 0x80 };
enum {
    INT_FUNCTION = 8,
    INT_SERVICE = 0x10,
    INT_DISCONNECT = 0x20,
    INT_ILLEGAL = 0x40,
    INT_RESET = 0x80
};
enum {
    CMD_NOP = 0,
    CMD_FLUSH = 1,
    CMD_RESET_CHIP = 2,
    CMD_RESET_BUS = 3,
    CMD_TRANSFER = 0x10,
    CMD_COMPLETE = 0x11,
    CMD_ACCEPT = 0x12,
    CMD_PAD = 0x18,
    CMD_SET_ATN = 0x1a,
    CMD_RESET_ATN = 0x1b,
    CMD_SELECT = 0x41,
    CMD_SELECT_ATN = 0x42,
    CMD_SELECT_STOP = 0x43,
    CMD_ENABLE_SELECTION = 0x44,
    CMD_DISABLE_SELECTION = 0x45,
    CMD_SELECT_ATN3 = 0x46 };
enum { CMD_DMA = 0x80 };
enum { CFG1_NO_RESET_INT = 0x40, CFG2_FEATURES = 0x40 };
#define CHUNK 4096u

static void run_pending(EspCore *e);

/* ---- interrupts ---- */

static void raise_interrupt(EspCore *e, uint8_t bits)
{
    e->interrupt |= bits;
    e->status |= STAT_INT;
    e->ops->irq(e->owner, true);
}

/* A command ended. */
static void finish(EspCore *e, uint8_t bits, uint8_t step)
{
    e->pending = 0;
    e->step = step;
    raise_interrupt(e, bits);
}

static void illegal(EspCore *e)
{
    guest_error("esp: command 0x%02x in a wrong state", e->command);
    e->pending = 0;
    raise_interrupt(e, INT_ILLEGAL);
}

/* ---- the FIFO ---- */

static uint8_t fifo_get(EspCore *e)
{
    uint8_t v = e->fifo[0];

    if (e->fifo_len) {
        memmove(e->fifo, e->fifo + 1, --e->fifo_len);
    }
    return v;
}

static void fifo_put(EspCore *e, uint8_t v)
{
    if (e->fifo_len < ESP_FIFO) {
        e->fifo[e->fifo_len++] = v;
    } else {
        e->status |= STAT_GROSS;
    }
}

/* ---- moving bytes ---- */

static bool data_phase(const EspCore *e)
{
    return e->wire.phase == PHASE_DATA_IN || e->wire.phase == PHASE_DATA_OUT;
}

static void counted(EspCore *e, uint32_t n)
{
    e->count -= n;
    if (e->count == 0) {
        e->status |= STAT_DONE_TC;
    }
}

/* From memory or the FIFO, for a command that may be counted; 0: nothing there. */
static uint32_t source(EspCore *e, uint8_t *buf, uint32_t len)
{
    uint32_t n;

    if (!e->pending_dma || e->fifo_len) {
        n = MIN(len, e->fifo_len);
        memcpy(buf, e->fifo, n);
        memmove(e->fifo, e->fifo + n, e->fifo_len - n);
        e->fifo_len -= n;
        return n;
    }
    n = e->ops->dma_read(e->owner, buf, MIN(len, e->count));
    counted(e, n);
    return n;
}

/* One go of information transfer; true: go on, false: it ended or waits. */
static bool transfer_out(EspCore *e)
{
    ScsiPhase phase = e->wire.phase;
    uint8_t buf[CHUNK];
    uint32_t room = data_phase(e)            ? MIN(CHUNK, scsi_phase_left(&e->wire))
                    : phase == PHASE_COMMAND ? SCSI_CDB_MAX
                                             : ESP_FIFO;
    uint32_t n = source(e, buf, room);

    if (n == 0) {
        if (e->pending_dma && e->count) {
            return false; /* DMA is not ready */
        }
        finish(e, INT_SERVICE, 0);
        return false;
    }
    /* What memory holds may be a device that resets this one. */
    if (!e->pending || e->wire.phase != phase) {
        return false;
    }
    bool last = e->pending_dma ? e->count == 0 : e->fifo_len == 0;

    if (phase == PHASE_MSG_OUT && last) {
        scsi_phase_set_atn(&e->wire, false);
    }
    scsi_phase_out(&e->wire, buf, n);
    if (!scsi_phase_connected(&e->wire)) {
        finish(e, INT_DISCONNECT, 0);
        return false;
    }
    if (last || e->wire.phase != phase) {
        e->pending = e->wire.phase == PHASE_WAIT ? e->pending : 0;
        if (!e->pending) {
            finish(e, INT_SERVICE, 0);
        } else {
            e->pending = CMD_NOP + 1; /* only the next phase is awaited */
        }
        return false;
    }
    return true;
}

static bool transfer_in(EspCore *e)
{
    ScsiPhase phase = e->wire.phase;
    uint8_t buf[CHUNK];
    uint32_t n;

    if (phase != PHASE_DATA_IN || !e->pending_dma) {
        /* A byte, or what the FIFO has room for of data */
        n = phase == PHASE_DATA_IN ? ESP_FIFO - e->fifo_len : 1;
        n = scsi_phase_in(&e->wire, buf, n);
        for (uint32_t i = 0; i < n; i++) {
            fifo_put(e, buf[i]);
        }
        finish(e, phase == PHASE_MSG_IN ? INT_FUNCTION : INT_SERVICE, 0);
        return false;
    }
    /* Asked first how much goes, because what was taken off the bus must go somewhere. */
    n = e->ops->dma_room(e->owner, MIN(MIN(CHUNK, e->count), scsi_phase_left(&e->wire)));
    if (n == 0) {
        if (e->count == 0) {
            finish(e, INT_SERVICE, 0);
        }
        return false;
    }
    n = scsi_phase_in(&e->wire, buf, n);
    counted(e, n);
    e->ops->dma_write(e->owner, buf, n);
    if (!e->pending) {
        return false;
    }
    if (e->count == 0 || e->wire.phase != phase) {
        finish(e, INT_SERVICE, 0);
        return false;
    }
    return true;
}

static void transfer(EspCore *e)
{
    while (e->pending == CMD_TRANSFER) {
        ScsiPhase phase = e->wire.phase;

        if (phase == PHASE_WAIT) {
            return;
        }
        if (phase == PHASE_FREE) {
            finish(e, INT_DISCONNECT, 0);
        } else if (phase & 1 ? !transfer_in(e) : !transfer_out(e)) {
            return;
        }
    }
}

/* Zeroes out, or data for nobody. */
static void pad(EspCore *e)
{
    uint8_t buf[CHUNK] = {0};

    while (data_phase(e) && e->count) {
        uint32_t n = MIN(e->count, CHUNK);

        n = e->wire.phase == PHASE_DATA_IN ? scsi_phase_in(&e->wire, buf, n)
                                           : scsi_phase_out(&e->wire, buf, n);
        counted(e, n);
        if (n == 0) {
            break;
        }
    }
    if (e->wire.phase != PHASE_WAIT) {
        finish(e, scsi_phase_connected(&e->wire) ? INT_SERVICE : INT_DISCONNECT, 0);
    }
}

/* ---- selection ---- */

/* Bytes of messages at the start of a selection. */
static unsigned message_bytes(const EspCore *e)
{
    return e->pending == CMD_SELECT ? 0 : e->pending == CMD_SELECT_ATN3 ? 3 : 1;
}

static void select_finish(EspCore *e, uint8_t step)
{
    e->status |= e->count ? 0 : STAT_DONE_TC;
    if (!scsi_phase_connected(&e->wire)) {
        finish(e, INT_DISCONNECT, step);
    } else {
        finish(e, INT_FUNCTION | INT_SERVICE, step);
    }
}

static void select_go_on(EspCore *e)
{
    unsigned messages = message_bytes(e);
    uint8_t b;

    while (e->sent < messages) {
        if (source(e, &b, 1) == 0) {
            if (!e->pending_dma || !e->count) {
                select_finish(e, 2);
            }
            return;
        }
        if (!e->pending) {
            return;
        }
        b |= e->sent++ ? 0 : 0x80; /* IDENTIFY: SeaBIOS leaves its bit out */
        if (e->sent == messages && e->pending != CMD_SELECT_STOP) {
            scsi_phase_set_atn(&e->wire, false);
        }
        if (scsi_phase_out(&e->wire, &b, 1) == 0 || !scsi_phase_connected(&e->wire)) {
            select_finish(e, 2);
            return;
        }
    }
    if (e->pending == CMD_SELECT_STOP) {
        select_finish(e, 1);
        return;
    }
    while (e->wire.phase == PHASE_COMMAND) {
        if (source(e, &b, 1) == 0) {
            if (!e->pending_dma || !e->count) {
                select_finish(e, 3);
            }
            return;
        }
        if (!e->pending || scsi_phase_out(&e->wire, &b, 1) == 0) {
            break;
        }
    }
    if (e->pending && !e->pending_dma && e->wire.phase != PHASE_COMMAND) {
        e->fifo_len = 0; /* what pads the command */
    }
    /* With the command sent, the target's next phase is awaited. */
    if (e->pending && e->wire.phase != PHASE_WAIT) {
        select_finish(e, e->wire.phase == PHASE_MSG_IN || e->wire.phase == PHASE_MSG_OUT ? 2 : 4);
    }
}

static void select_target(EspCore *e, uint8_t command)
{
    e->sent = 0;
    if (e->wire.phase == PHASE_MSG_IN) {
        scsi_phase_ack(&e->wire); /* SeaBIOS does not accept COMMAND COMPLETE */
    }
    if (scsi_phase_connected(&e->wire)) {
        illegal(e);
        return;
    }
    if (!scsi_phase_select(&e->wire, e->bus_id & 7, command != CMD_SELECT)) {
        e->fifo_len = 0;
        finish(e, INT_DISCONNECT, 0);
        return;
    }
    select_go_on(e);
}

/* ---- commands ---- */

/* STATUS and COMMAND COMPLETE into the FIFO, or to memory. */
static void complete_sequence(EspCore *e)
{
    uint8_t b[2];
    uint32_t n;

    if (e->wire.phase != PHASE_STATUS) {
        finish(e, INT_SERVICE, 0);
        return;
    }
    n = scsi_phase_in(&e->wire, b, 1);
    n += scsi_phase_in(&e->wire, b + n, 1);
    if (e->pending_dma) {
        if (e->ops->dma_room(e->owner, MIN(n, e->count)) == n) {
            counted(e, n);
            e->ops->dma_write(e->owner, b, n);
        }
    } else {
        e->fifo_len = 0;
        for (uint32_t i = 0; i < n; i++) {
            fifo_put(e, b[i]);
        }
    }
    finish(e, INT_FUNCTION, 0);
}

static void accept_message(EspCore *e)
{
    scsi_phase_ack(&e->wire);
    if (!scsi_phase_connected(&e->wire)) {
        finish(e, INT_DISCONNECT, 0);
    } else if (e->wire.phase != PHASE_WAIT) {
        finish(e, INT_SERVICE, 0);
    }
}

static void reset_chip(EspCore *e)
{
    scsi_phase_reset(&e->wire, false);
    e->pending = e->fifo_len = e->interrupt = e->status = e->step = 0;
    e->count = 0;
    e->cfg1 &= 7;
    e->cfg2 = e->cfg3 = e->cfg4 = 0;
    e->uid_shown = true;
    e->ops->irq(e->owner, false);
}

static void run_pending(EspCore *e)
{
    switch (e->pending) {
    case CMD_TRANSFER:
        transfer(e);
        break;
    case CMD_PAD:
        pad(e);
        break;
    case CMD_SELECT:
    case CMD_SELECT_ATN:
    case CMD_SELECT_STOP:
    case CMD_SELECT_ATN3:
        select_go_on(e);
        break;
    case CMD_ACCEPT:
    case CMD_NOP + 1:
        if (!scsi_phase_connected(&e->wire)) {
            finish(e, INT_DISCONNECT, 0);
        } else if (e->wire.phase != PHASE_WAIT) {
            finish(e, INT_SERVICE, 0);
        }
        break;
    default:
        break;
    }
}

static void command_write(EspCore *e, uint8_t v)
{
    uint8_t command = v & 0x7f;

    e->command = v;
    if (v & CMD_DMA) {
        e->count = e->count_start ? e->count_start : e->cfg2 & CFG2_FEATURES ? 1u << 24 : 1u << 16;
        e->status &= ~STAT_DONE_TC;
        e->uid_shown &= command == CMD_NOP;
    }
    if (command == CMD_NOP) {
        return;
    }
    if (command == CMD_FLUSH) {
        e->fifo_len = 0;
        return;
    }
    if (command == CMD_RESET_CHIP) {
        reset_chip(e);
        return;
    }
    if (command == CMD_RESET_BUS) {
        e->pending = 0;
        scsi_phase_reset(&e->wire, true);
        if (!(e->cfg1 & CFG1_NO_RESET_INT)) {
            raise_interrupt(e, INT_RESET);
        }
        return;
    }
    e->pending_dma = v & CMD_DMA;
    e->pending = command;
    switch (command) {
    case CMD_SELECT:
    case CMD_SELECT_ATN:
    case CMD_SELECT_STOP:
    case CMD_SELECT_ATN3:
        select_target(e, command);
        break;
    case CMD_ENABLE_SELECTION:
    case CMD_DISABLE_SELECTION:
        e->pending = 0;
        if (command == CMD_DISABLE_SELECTION) {
            raise_interrupt(e, INT_FUNCTION);
        }
        break;
    case CMD_SET_ATN:
    case CMD_RESET_ATN:
        e->pending = 0;
        scsi_phase_set_atn(&e->wire, command == CMD_SET_ATN);
        break;
    case CMD_TRANSFER:
    case CMD_PAD:
    case CMD_COMPLETE:
    case CMD_ACCEPT:
        if (!scsi_phase_connected(&e->wire)) {
            illegal(e);
        } else if (command == CMD_COMPLETE) {
            complete_sequence(e);
        } else if (command == CMD_ACCEPT) {
            accept_message(e);
        } else {
            run_pending(e);
        }
        break;
    default:
        illegal(e);
        break;
    }
}

/* ---- registers ---- */

static uint8_t interrupt_read(EspCore *e)
{
    uint8_t v = e->interrupt;

    e->interrupt = e->step = 0;
    e->status &= ~(STAT_INT | STAT_GROSS | STAT_DONE_TC);
    e->ops->irq(e->owner, false);
    return v;
}

uint8_t esp_read(EspCore *e, unsigned reg)
{
    switch (reg) {
    case REG_TCLOW:
        return e->count;
    case REG_TCMED:
        return e->count >> 8;
    case REG_FIFO:
        /*
         * Who polls, as SeaBIOS does, takes the end of a command without reading why there is an
         * interrupt: the line would hang into the next driver.
         */
        if (e->wire.phase == PHASE_MSG_IN && e->fifo_len == 1) {
            e->ops->irq(e->owner, false);
        }
        return fifo_get(e);
    case REG_COMMAND:
        return e->command;
    case REG_STATUS:
        return e->status | (e->wire.phase < PHASE_WAIT ? e->wire.phase : 0);
    case REG_INTERRUPT:
        return interrupt_read(e);
    case REG_STEP:
        return e->step;
    case REG_FLAGS:
        return e->fifo_len | e->step << 5;
    case REG_CFG1:
        return e->cfg1;
    case REG_CFG2:
        return e->cfg2;
    case REG_CFG3:
        return e->cfg3;
    case REG_CFG4:
        return e->cfg4;
    case REG_TCHI:
        return e->uid_shown ? e->uid : e->count >> 16;
    default:
        return 0;
    }
}

void esp_write(EspCore *e, unsigned reg, uint8_t v)
{
    switch (reg) {
    case REG_TCLOW:
        e->count_start = (e->count_start & ~0xffu) | v;
        e->status &= ~STAT_DONE_TC;
        break;
    case REG_TCMED:
        e->count_start = (e->count_start & ~0xff00u) | v << 8;
        e->status &= ~STAT_DONE_TC;
        break;
    case REG_TCHI:
        e->count_start = (e->count_start & 0xffffu) | (uint32_t)v << 16;
        e->uid_shown = false;
        break;
    case REG_FIFO:
        fifo_put(e, v);
        break;
    case REG_COMMAND:
        command_write(e, v);
        break;
    case REG_STATUS:
        e->bus_id = v;
        break;
    case REG_CFG1:
        e->cfg1 = v;
        break;
    case REG_CFG2:
        e->cfg2 = v;
        break;
    case REG_CFG3:
        e->cfg3 = v;
        break;
    case REG_CFG4:
        e->cfg4 = v & 0xfc;
        break;
    default:
        break; /* timeout, synchronous transfers, clock */
    }
}

void esp_dma_ready(EspCore *e)
{
    if (e->pending && e->pending_dma) {
        run_pending(e);
    }
}

/* ---- life ---- */

void esp_init(EspCore *e, Device *owner, const EspOps *ops, ScsiBus *bus,
              void (*changed)(Device *owner), uint8_t uid)
{
    e->owner = owner;
    e->ops = ops;
    e->uid = uid;
    scsi_phase_init(&e->wire, owner, bus, changed);
    e->wire.never_disconnect = true;
}

void esp_changed(EspCore *e)
{
    run_pending(e);
}

void esp_fini(EspCore *e)
{
    scsi_phase_fini(&e->wire);
}

void esp_reset(EspCore *e)
{
    reset_chip(e);
    e->command = e->bus_id = e->cfg1 = 0;
    e->count_start = 0;
}

void esp_unplugged(EspCore *e, ScsiDevice *d)
{
    scsi_phase_unplugged(&e->wire, d);
}

const StateField esp_state[] = {
    STATE_STRUCT(EspCore, wire, scsi_phase_state), STATE(EspCore, status), STATE(EspCore, interrupt), STATE(EspCore, step),
    STATE(EspCore, command), STATE(EspCore, bus_id), STATE(EspCore, cfg1), STATE(EspCore, cfg2), STATE(EspCore, cfg3),
    STATE(EspCore, cfg4), STATE(EspCore, count), STATE(EspCore, count_start), STATE_RAW(EspCore, fifo), STATE_COUNT(EspCore, fifo_len, fifo),
    STATE(EspCore, pending), STATE(EspCore, pending_dma), STATE(EspCore, uid_shown), STATE(EspCore, sent),
    HOST_ONLY(EspCore, owner, "constant"), HOST_ONLY(EspCore, ops, "constant"), HOST_ONLY(EspCore, uid, "constant"), STATE_END,
};
