// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Targets of a parallel SCSI bus; see the header. A target takes IDENTIFY, tags and a command, gets
 * the data of a write, disconnects while its device works if it may, comes back with data, status
 * and COMMAND COMPLETE. Sense data are kept until the initiator asks for them or sends another
 * command (SAM-2, 5.9.4.2). Negotiations of transfer agreements are answered with what was asked
 * for.
 */
#include "scsi-phase.h"

#include <string.h>

enum {
    MSG_COMPLETE = 0,
    MSG_EXTENDED = 1,
    MSG_SAVE_POINTERS = 2,
    MSG_DISCONNECT = 4,
    MSG_INITIATOR_ERROR = 5,
    MSG_ABORT = 6,
    MSG_REJECT = 7,
    MSG_NOOP = 8,
    MSG_PARITY = 9,
    MSG_ABORT_TAG = 13,
    MSG_CLEAR_QUEUE = 14,
    MSG_RESET = 12,
    MSG_SIMPLE = 0x20,
    MSG_ORDERED = 0x22,
    MSG_IGNORE_RESIDUE = 0x23,
    MSG_IDENTIFY = 0x80 };
enum { EXT_SDTR = 1, EXT_WDTR = 3, EXT_PPR = 4 };
enum { REQUEST_SENSE = 3 };
enum { ASC_INVALID_FIELD = 0x24 };

struct ScsiTask {
    ScsiPhaseBus *p;
    Device *chip;
    ScsiRequest *scsi; /* NULL: answered here */
    uint8_t target;
    uint32_t lun;
    int tag;
    uint8_t tag_message;
    bool may_disconnect;
    bool running; /* with the device */
    bool started; /* run() was called */
    bool inside; /* in our call of it */
    bool forgotten; /* the initiator does not wait for it */
    uint8_t *data; /* of scsi, or own_data */
    uint64_t pos, len, charged;
    uint8_t own_data[SCSI_SENSE_LEN];
    uint8_t status;
};

static void next_phase(ScsiPhaseBus *p);

/* ---- tasks ---- */

static void task_free(ScsiTask *t)
{
    ScsiPhaseBus *p = t->p;

    g_ptr_array_remove_fast(p->tasks, t);
    p->bytes -= t->charged;
    if (p->task == t) {
        p->task = NULL;
    }
    if (t->scsi) {
        scsi_request_free(t->scsi);
    }
    g_free(t);
}

/* Nobody waits for t any more; a device that has it goes on alone. */
static void task_forget(ScsiTask *t)
{
    if (t->p->task == t) {
        t->p->task = NULL;
    }
    if (t->running) {
        t->forgotten = true;
    } else {
        task_free(t);
    }
}

/* Those of a target, or of all (target >= SCSI_PHASE_TARGETS); a lun, or all; a tag, or all. */
static void tasks_forget(ScsiPhaseBus *p, unsigned target, int64_t lun, int tag)
{
    for (guint i = p->tasks->len; i-- > 0;) {
        ScsiTask *t = g_ptr_array_index(p->tasks, i);

        if (!t->forgotten && (target >= SCSI_PHASE_TARGETS || t->target == target) &&
            (lun < 0 || t->lun == lun) && (tag < 0 || t->tag == tag)) {
            task_forget(t);
        }
    }
}

static void task_ended(ScsiTask *t)
{
    ScsiRequest *r = t->scsi;
    ScsiSense *sense = &t->p->sense[t->target];

    t->running = false;
    t->status = r->status;
    if (r->dir == SCSI_FROM_DEVICE) {
        t->data = r->buffer;
        t->len = r->moved;
        t->pos = 0;
    }
    if (r->sense_len) {
        sense->lun = t->lun;
        sense->len = r->sense_len;
        memcpy(sense->data, r->sense, r->sense_len);
    }
}

static void request_done(ScsiRequest *r, void *opaque)
{
    ScsiTask *t = opaque;
    ScsiPhaseBus *p = t->p;
    Device *chip = t->chip;

    task_ended(t);
    if (t->inside) {
        return;
    }
    if (t->forgotten) {
        task_free(t);
        return;
    }
    if (p->task == t && p->phase == PHASE_WAIT) {
        next_phase(p);
    }
    p->changed(chip);
}

/* Gives the command with its data to the device. */
static void task_run(ScsiTask *t)
{
    ScsiRequest *r = t->scsi;

    t->inside = t->running = t->started = true;
    scsi_request_run(r, r->buffer ? &r->buffer_iov : NULL, r->buffer ? 1 : 0);
    t->inside = false;
}

static void task_sense(ScsiPhaseBus *p, ScsiTask *t)
{
    ScsiSense *s = &p->sense[t->target];

    if (s->len && s->lun == t->lun) {
        memcpy(t->own_data, s->data, sizeof(t->own_data));
    } else {
        scsi_build_sense(t->own_data, SENSE_NO_SENSE, 0, 0);
    }
    s->len = 0;
    t->data = t->own_data;
    t->len = MIN(p->cdb[4], sizeof(t->own_data));
    t->status = SCSI_GOOD;
}

/* The whole command is there. */
static void command_begin(ScsiPhaseBus *p)
{
    ScsiTask *t = g_new0(ScsiTask, 1);
    ScsiSense *s = &p->sense[p->target];

    *t = (ScsiTask){.p = p,
                    .chip = p->bus->bus.owner,
                    .target = p->target,
                    .lun = p->lun,
                    .tag = p->tag,
                    .tag_message = p->tag_message,
                    .may_disconnect = p->may_disconnect && !p->never_disconnect};
    g_ptr_array_add(p->tasks, t);
    p->task = t;
    if (p->cdb[0] == REQUEST_SENSE && s->len) {
        task_sense(p, t);
        return;
    }
    s->len = 0;
    t->scsi = scsi_request_new(p->bus, 0, p->target, p->lun, p->cdb, p->cdb_len, request_done, t);
    if (t->scsi->expected > SCSI_BUFFER_MAX) {
        t->status = SCSI_CHECK_CONDITION;
        s->lun = t->lun;
        s->len = SCSI_SENSE_LEN;
        scsi_build_sense(s->data, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD, 0);
        return;
    }
    if (p->tasks->len > SCSI_PHASE_TASKS || t->scsi->expected > SCSI_PHASE_BYTES - p->bytes) {
        t->status = SCSI_BUSY;
        return;
    }
    scsi_request_buffer(t->scsi);
    t->charged = t->scsi->expected;
    p->bytes += t->charged;
    if (t->scsi->dir == SCSI_TO_DEVICE) {
        t->data = t->scsi->buffer;
        t->len = t->scsi->expected;
    } else {
        task_run(t);
    }
}

/* ---- phases ---- */

static void bus_free(ScsiPhaseBus *p)
{
    p->phase = PHASE_FREE;
    p->task = NULL;
    p->atn = p->sending_end = p->parked = p->fresh = false;
    p->in_len = p->in_pos = p->out_len = p->cdb_len = 0;
}

static void send_message(ScsiPhaseBus *p, const uint8_t *m, uint8_t len)
{
    if (len <= sizeof(p->in) - p->in_len) {
        memcpy(p->in + p->in_len, m, len);
        p->in_len += len;
    }
    p->phase = PHASE_MSG_IN;
}

static void disconnect(ScsiPhaseBus *p)
{
    const uint8_t m[] = {MSG_SAVE_POINTERS, MSG_DISCONNECT};
    bool data_moved = p->task->scsi->dir == SCSI_TO_DEVICE;

    p->parked = true;
    send_message(p, data_moved ? m : m + 1, data_moved ? 2 : 1);
}

/* Where the target goes when what it did last is complete. */
static void next_phase(ScsiPhaseBus *p)
{
    ScsiTask *t = p->task;

    if (p->atn) {
        p->phase = PHASE_MSG_OUT;
    } else if (p->in_pos < p->in_len) {
        p->phase = PHASE_MSG_IN;
    } else if (!t) {
        p->phase = PHASE_COMMAND;
    } else if (t->running) {
        p->phase = PHASE_WAIT;
        if (t->may_disconnect) {
            disconnect(p);
        }
    } else if (t->pos < t->len) {
        p->phase = t->scsi && t->scsi->dir == SCSI_TO_DEVICE ? PHASE_DATA_OUT : PHASE_DATA_IN;
    } else if (t->scsi && t->scsi->dir == SCSI_TO_DEVICE && !t->started && t->status == SCSI_GOOD) {
        task_run(t);
        next_phase(p);
    } else {
        p->phase = PHASE_STATUS;
    }
}

/* ---- messages from the initiator ---- */

/* Bytes of the message that begins with these; 0: not known yet. */
static unsigned message_len(const uint8_t *m, unsigned have)
{
    if (m[0] == MSG_EXTENDED) {
        return have < 2 ? 0 : 2 + (m[1] ? m[1] : 256);
    }
    return m[0] >= MSG_SIMPLE && m[0] < 0x30 ? 2 : 1;
}

static void extended_message(ScsiPhaseBus *p, const uint8_t *m, unsigned len)
{
    const uint8_t reject = MSG_REJECT;
    uint8_t code = len > 2 ? m[2] : 0;

    if ((code == EXT_SDTR && len == 5) || (code == EXT_WDTR && len == 4) ||
        (code == EXT_PPR && len == 8)) {
        send_message(p, m, len);
    } else {
        send_message(p, &reject, 1);
    }
}

/* SCSI-2, 6.6. False: the bus is free now. */
static bool message(ScsiPhaseBus *p, const uint8_t *m, unsigned len)
{
    const uint8_t reject = MSG_REJECT;

    if (m[0] & MSG_IDENTIFY) {
        p->lun = m[0] & 0x3f;
        p->may_disconnect = m[0] & 0x40;
        return true;
    }
    switch (m[0]) {
    case MSG_EXTENDED:
        extended_message(p, m, len);
        return true;
    case MSG_SIMPLE ... MSG_ORDERED:
        p->tag_message = m[0];
        p->tag = m[1];
        return true;
    case MSG_NOOP:
    case MSG_INITIATOR_ERROR:
    case MSG_PARITY:
    case MSG_REJECT:
    case MSG_IGNORE_RESIDUE:
        return true;
    case MSG_ABORT:
    case MSG_CLEAR_QUEUE:
        tasks_forget(p, p->target, p->lun, -1);
        break;
    case MSG_ABORT_TAG:
        tasks_forget(p, p->target, p->lun, p->tag >= 0 ? p->tag : -1);
        break;
    case MSG_RESET:
        tasks_forget(p, p->target, -1, -1);
        for (guint i = 0; i < p->bus->bus.devices->len; i++) {
            ScsiDevice *d = g_ptr_array_index(p->bus->bus.devices, i);

            if (d->dev.realized && d->id == p->target) {
                device_reset(&d->dev);
            }
        }
        break;
    default:
        send_message(p, &reject, 1);
        return true;
    }
    bus_free(p);
    return false;
}

static uint32_t messages_out(ScsiPhaseBus *p, const uint8_t *buf, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        unsigned need;

        p->out[p->out_len++] = buf[done++];
        need = message_len(p->out, p->out_len);
        if (need > sizeof(p->out)) {
            need = p->out_len; /* too long to be known: rejected */
        }
        if (p->out_len == need) {
            p->out_len = 0;
            if (!message(p, p->out, need)) {
                return done;
            }
        }
    }
    if (!p->atn) {
        p->out_len = 0;
        next_phase(p);
    } else {
        p->phase = PHASE_MSG_OUT;
    }
    return done;
}

/* ---- the other phases ---- */

/* By the group of the operation code (SPC-2, 4.3). */
static unsigned cdb_length(const uint8_t *cdb, unsigned have)
{
    static const uint8_t lengths[8] = {6, 10, 10, 10, 16, 12, 10, 10};

    if (cdb[0] == 0x7f) {
        return have < 8 ? 8 : MIN(8u + cdb[7], SCSI_CDB_MAX);
    }
    return lengths[cdb[0] >> 5];
}

static uint32_t command_out(ScsiPhaseBus *p, const uint8_t *buf, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        p->cdb[p->cdb_len++] = buf[done++];
        if (p->cdb_len >= cdb_length(p->cdb, p->cdb_len)) {
            command_begin(p);
            p->cdb_len = 0;
            next_phase(p);
            return len; /* SeaBIOS pads commands to 16 bytes */
        }
    }
    return done;
}

uint32_t scsi_phase_left(const ScsiPhaseBus *p)
{
    bool data = p->phase == PHASE_DATA_IN || p->phase == PHASE_DATA_OUT;

    return data ? (uint32_t)(p->task->len - p->task->pos) : 0;
}

/* The next bytes of a data phase; at most len. */
static uint8_t *data_take(ScsiPhaseBus *p, uint32_t *len)
{
    uint8_t *data = p->task->data + p->task->pos;

    *len = MIN(*len, scsi_phase_left(p));
    p->task->pos += *len;
    return data;
}

static void data_moved(ScsiPhaseBus *p)
{
    if (p->task->pos == p->task->len || p->atn) {
        next_phase(p);
    }
}

uint32_t scsi_phase_out(ScsiPhaseBus *p, const uint8_t *buf, uint32_t len)
{
    uint8_t *data;

    if (len == 0) {
        return 0;
    }
    p->fresh = false;
    if (p->phase == PHASE_MSG_OUT) {
        return messages_out(p, buf, len);
    }
    if (p->phase == PHASE_COMMAND) {
        return command_out(p, buf, len);
    }
    if (p->phase == PHASE_DATA_OUT) {
        data = data_take(p, &len);
        memcpy(data, buf, len);
        data_moved(p);
        return len;
    }
    return 0;
}

uint32_t scsi_phase_in(ScsiPhaseBus *p, uint8_t *buf, uint32_t len)
{
    const uint8_t complete = MSG_COMPLETE;
    const uint8_t *data;

    if (len == 0) {
        return 0;
    }
    if (p->phase == PHASE_MSG_IN) {
        len = MIN(len, p->in_len - p->in_pos);
        memcpy(buf, p->in + p->in_pos, len);
        p->in_pos += len;
        return len;
    }
    if (p->phase == PHASE_STATUS) {
        buf[0] = p->task->status;
        p->sending_end = true;
        send_message(p, &complete, 1);
        return 1;
    }
    if (p->phase == PHASE_DATA_IN) {
        data = data_take(p, &len);
        memcpy(buf, data, len);
        data_moved(p);
        return len;
    }
    return 0;
}

void scsi_phase_ack(ScsiPhaseBus *p)
{
    if (p->phase != PHASE_MSG_IN || p->in_pos < p->in_len) {
        if (p->phase == PHASE_MSG_IN && p->atn) {
            p->in_pos = p->in_len = 0;
            p->parked = p->sending_end = false;
            next_phase(p);
        }
        return;
    }
    p->in_pos = p->in_len = 0;
    if (p->atn) {
        /* What was said is not what the initiator wants: it has a word first. */
        p->parked = false;
        next_phase(p);
    } else if (p->parked) {
        bus_free(p);
    } else if (p->sending_end) {
        task_free(p->task);
        bus_free(p);
    } else {
        next_phase(p);
    }
}

void scsi_phase_set_atn(ScsiPhaseBus *p, bool atn)
{
    if (scsi_phase_connected(p)) {
        p->atn = atn;
        if (atn && p->phase == PHASE_WAIT) {
            next_phase(p);
        }
    }
}

bool scsi_phase_select(ScsiPhaseBus *p, uint8_t id, bool atn)
{
    if (scsi_phase_connected(p) || !scsi_find(p->bus, 0, id, SCSI_ANY_LUN)) {
        return false;
    }
    bus_free(p);
    p->target = id & (SCSI_PHASE_TARGETS - 1);
    p->lun = 0;
    p->tag = -1;
    p->may_disconnect = false;
    p->atn = atn;
    next_phase(p);
    p->fresh = true;
    return true;
}

void scsi_phase_late_atn(ScsiPhaseBus *p)
{
    if (p->fresh && p->phase == PHASE_COMMAND) {
        p->phase = PHASE_MSG_OUT;
    }
}

bool scsi_phase_reselect(ScsiPhaseBus *p)
{
    if (scsi_phase_connected(p)) {
        return false;
    }
    for (guint i = 0; i < p->tasks->len; i++) {
        ScsiTask *t = g_ptr_array_index(p->tasks, i);

        if (!t->running && !t->forgotten) {
            const uint8_t m[] = {MSG_IDENTIFY | (t->lun & 0x3f), MSG_SIMPLE, t->tag};

            bus_free(p);
            p->task = t;
            p->target = t->target;
            p->lun = t->lun;
            p->tag = t->tag;
            p->may_disconnect = t->may_disconnect;
            send_message(p, m, t->tag >= 0 ? 3 : 1);
            return true;
        }
    }
    return false;
}

/* ---- life ---- */

void scsi_phase_init(ScsiPhaseBus *p, Device *chip, ScsiBus *bus, void (*changed)(Device *chip))
{
    p->bus = bus;
    p->changed = changed;
    p->tasks = g_ptr_array_new();
    p->tag = -1;
    bus_free(p);
}

void scsi_phase_reset(ScsiPhaseBus *p, bool bus)
{
    bus_free(p);
    tasks_forget(p, SCSI_PHASE_TARGETS, -1, -1);
    memset(p->sense, 0, sizeof(p->sense));
    for (guint i = 0; bus && i < p->bus->bus.devices->len; i++) {
        ScsiDevice *d = g_ptr_array_index(p->bus->bus.devices, i);

        if (d->dev.realized) {
            device_reset(&d->dev);
        }
    }
}

void scsi_phase_fini(ScsiPhaseBus *p)
{
    bus_free(p);
    tasks_forget(p, SCSI_PHASE_TARGETS, -1, -1);
    g_ptr_array_unref(p->tasks);
}

void scsi_phase_unplugged(ScsiPhaseBus *p, ScsiDevice *d)
{
    for (guint i = 0; i < p->tasks->len; i++) {
        ScsiTask *t = g_ptr_array_index(p->tasks, i);

        if (t->scsi && !t->started && t->scsi->dev == d) {
            t->scsi->dev = NULL;
        }
    }
    if (p->sense[d->id & (SCSI_PHASE_TARGETS - 1)].lun == d->lun) {
        p->sense[d->id & (SCSI_PHASE_TARGETS - 1)].len = 0;
    }
}

bool scsi_phase_check_load(const ScsiPhaseBus *p, GError **error)
{
    bool here = p->phase == PHASE_FREE || p->phase == PHASE_MSG_OUT || p->phase == PHASE_MSG_IN ||
                p->phase == PHASE_COMMAND;

    return (here && !p->parked && !p->sending_end) ||
           fail(error, "the bus has a command in phase %d, and none is here", (int)p->phase);
}

static const StateField sense_state[] = {
    STATE(ScsiSense, lun), STATE_COUNT(ScsiSense, len, data), STATE_RAW(ScsiSense, data), STATE_END,
};

const StateField scsi_phase_state[] = {
    STATE(ScsiPhaseBus, phase), STATE_INDEX(ScsiPhaseBus, target, sense), STATE(ScsiPhaseBus, atn), STATE(ScsiPhaseBus, may_disconnect),
    STATE(ScsiPhaseBus, sending_end), STATE(ScsiPhaseBus, parked), STATE(ScsiPhaseBus, fresh), STATE(ScsiPhaseBus, lun), STATE(ScsiPhaseBus, tag),
    STATE(ScsiPhaseBus, tag_message), STATE_RAW(ScsiPhaseBus, out), STATE_INDEX(ScsiPhaseBus, out_len, out), STATE_RAW(ScsiPhaseBus, in),
    STATE_COUNT(ScsiPhaseBus, in_len, in), STATE_TO(ScsiPhaseBus, in_pos, in_len, sizeof(((ScsiPhaseBus *)0)->in)), STATE_RAW(ScsiPhaseBus, cdb), STATE_INDEX(ScsiPhaseBus, cdb_len, cdb),
    STATE_STRUCTS(ScsiPhaseBus, sense, sense_state), HOST_ONLY(ScsiPhaseBus, bus, "rebuilt"),
    HOST_ONLY(ScsiPhaseBus, changed, "constant"), HOST_ONLY(ScsiPhaseBus, never_disconnect, "constant"),
    HOST_ONLY(ScsiPhaseBus, task, "commands on the bus stay with the host"),
    HOST_ONLY(ScsiPhaseBus, tasks, "commands on the bus stay with the host"), HOST_ONLY(ScsiPhaseBus, bytes, "of the tasks"),
    STATE_END,
};
