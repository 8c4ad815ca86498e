// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB attached SCSI (T10 UAS revision 4): a SCSI bus behind four pipes. At super speed each command
 * has a stream, whose number is its tag; at high speed READ READY and WRITE READY say whose data
 * comes next. Data goes through a buffer. Commands that a disk has begun are never taken back: what
 * aborts them waits for their end.
 */
#include <string.h>

#include "hw/scsi/scsi.h"
#include "hw/usb/usb.h"
#include "util/bswap.h"

#define STREAMS_EXP 4u
#define STREAMS (1u << STREAMS_EXP)
#define MAX_COMMANDS 256u /* and units that nobody reads */
#define BUFFERED_MAX (64ull << 20) /* of all commands; more is BUSY */
#define COMMAND_LEN 32u
#define TASK_LEN 16u
#define STATUS_HEADER 16u
#define MAX_LUN 255u

enum {
    PIPE_COMMAND = 1,
    PIPE_STATUS,
    PIPE_DATA_IN,
    PIPE_DATA_OUT
};
enum {
    IU_COMMAND = 1,
    IU_STATUS = 3,
    IU_RESPONSE = 4,
    IU_TASK = 5,
    IU_READ_READY = 6,
    IU_WRITE_READY = 7
};
enum {
    TASK_ABORT = 1,
    TASK_ABORT_SET = 2,
    TASK_CLEAR_SET = 4,
    TASK_RESET_LUN = 8,
    TASK_RESET_NEXUS = 0x10,
    TASK_QUERY = 0x80,
    TASK_QUERY_SET = 0x81
};
enum {
    RESPONSE_COMPLETE = 0,
    RESPONSE_INVALID_IU = 2,
    RESPONSE_NOT_SUPPORTED = 4,
    RESPONSE_SUCCEEDED = 8,
    RESPONSE_INCORRECT_LUN = 9,
    RESPONSE_OVERLAPPED_TAG = 10
};

typedef enum UasPhase {
    UAS_DATA_OUT,
    UAS_RUNNING,
    UAS_DATA_IN
} UasPhase;

typedef struct Uas Uas;

/* A task management function that waits for commands to end. */
typedef struct UasTask {
    uint16_t tag;
    unsigned left;
} UasTask;

typedef struct UasCommand {
    Uas *s;
    ScsiRequest *scsi;
    struct iovec iov; /* what the host sent */
    uint16_t tag;
    uint32_t lun, epoch;
    UasPhase phase;
    uint64_t pos; /* bytes of data that have passed */
    UasTask *task; /* set: aborted */
} UasCommand;

/* An information unit for the status pipe. */
typedef struct UasUnit {
    uint16_t tag;
    uint8_t len, data[STATUS_HEADER + SCSI_SENSE_LEN];
} UasUnit;

struct Uas {
    UsbDevice usb;
    ScsiBus scsi_bus;
    GPtrArray *commands; /* UasCommand * */
    GQueue *units; /* UasUnit * */
    /* Packets that wait; by stream, 0 without streams. */
    UsbPacket *status[STREAMS + 1], *in[STREAMS + 1], *out[STREAMS + 1];
    UasCommand *in_now, *out_now; /* without streams: whose data it is */
    uint64_t buffered;
    uint32_t epoch; /* counts resets */
};

static bool streams(const Uas *s)
{
    return s->usb.speed == USB_SUPER;
}

static unsigned packet_bytes(const Uas *s)
{
    return streams(s) ? 1024 : 512;
}

/* ---- the status pipe ---- */

/* The oldest unit for a stream (0: any), taken from the queue. */
static UasUnit *unit_take(Uas *s, unsigned stream)
{
    for (GList *l = s->units->head; l; l = l->next) {
        UasUnit *u = l->data;

        if (stream == 0 || u->tag == stream) {
            g_queue_delete_link(s->units, l);
            return u;
        }
    }
    return NULL;
}

static void unit_give(UasUnit *u, UsbPacket *p)
{
    usb_packet_put(p, u->data, u->len);
    g_free(u);
}

static void unit_send(Uas *s, uint16_t tag, const uint8_t *data, unsigned len)
{
    unsigned stream = streams(s) ? tag : 0;
    UasUnit *u = g_new0(UasUnit, 1);
    UsbPacket *p = s->status[stream];

    u->tag = tag;
    u->len = len;
    memcpy(u->data, data, len);
    if (p) {
        s->status[stream] = NULL;
        unit_give(u, p);
        usb_packet_done(p, USB_OK);
    } else {
        g_queue_push_tail(s->units, u);
    }
}

static void response_send(Uas *s, uint16_t tag, uint8_t code)
{
    uint8_t iu[8] = {IU_RESPONSE, 0, tag >> 8, tag & 0xff, 0, 0, 0, code};

    unit_send(s, tag, iu, sizeof(iu));
}

static void ready_send(Uas *s, uint16_t tag, uint8_t id)
{
    uint8_t iu[4] = {id, 0, tag >> 8, tag & 0xff};

    unit_send(s, tag, iu, sizeof(iu));
}

/* ---- commands ---- */

static UasCommand *command_find(Uas *s, uint16_t tag)
{
    for (unsigned i = 0; i < s->commands->len; i++) {
        UasCommand *c = g_ptr_array_index(s->commands, i);

        if (c->tag == tag) {
            return c;
        }
    }
    return NULL;
}

static void command_free(UasCommand *c)
{
    c->s->buffered -= c->scsi->expected;
    scsi_request_free(c->scsi);
    g_free(c);
}

/* Takes it off the lists; the caller frees it when its disk is done with it. */
static void command_remove(UasCommand *c)
{
    Uas *s = c->s;

    g_ptr_array_remove(s->commands, c);
    s->in_now = s->in_now == c ? NULL : s->in_now;
    s->out_now = s->out_now == c ? NULL : s->out_now;
}

/* Without streams: the next command gets the data pipes that are free. */
static void schedule(Uas *s)
{
    if (streams(s)) {
        return;
    }
    for (unsigned i = 0; i < s->commands->len; i++) {
        UasCommand *c = g_ptr_array_index(s->commands, i);

        if (c->phase == UAS_DATA_IN && !s->in_now) {
            s->in_now = c;
            ready_send(s, c->tag, IU_READ_READY);
        } else if (c->phase == UAS_DATA_OUT && !s->out_now) {
            s->out_now = c;
            ready_send(s, c->tag, IU_WRITE_READY);
        }
    }
}

static void command_status(UasCommand *c)
{
    Uas *s = c->s;
    ScsiRequest *r = c->scsi;
    uint8_t iu[STATUS_HEADER + SCSI_SENSE_LEN] = {IU_STATUS, 0, c->tag >> 8, c->tag & 0xff,
                                                  0,         0, r->status};
    uint16_t tag = c->tag;
    unsigned len = r->sense_len;

    store_be16(iu + 14, len);
    memcpy(iu + STATUS_HEADER, r->sense, len);
    command_remove(c);
    command_free(c);
    unit_send(s, tag, iu, STATUS_HEADER + len);
    schedule(s);
}

/* What the disk read, for a packet of the host. True: that was all. */
static bool command_give(UasCommand *c, UsbPacket *p)
{
    const ScsiRequest *r = c->scsi;
    uint64_t moved = MIN(r->moved, r->expected), n = MIN(moved - c->pos, p->size);

    if (n) {
        usb_packet_put(p, r->buffer + c->pos, n);
    }
    c->pos += n;
    /* less than was asked for must end with a packet that is not full */
    return c->pos == moved && (moved == r->expected || n < p->size || n % packet_bytes(c->s));
}

static void command_data_in(UasCommand *c)
{
    Uas *s = c->s;
    unsigned stream = streams(s) ? c->tag : 0;
    UsbPacket *p = s->in[stream];

    c->phase = UAS_DATA_IN;
    schedule(s);
    if (p && (streams(s) || s->in_now == c)) {
        bool all = command_give(c, p);

        s->in[stream] = NULL;
        usb_packet_done(p, USB_OK);
        if (all) {
            command_status(c);
        }
    }
}

static void task_step(Uas *s, UasTask *t)
{
    if (--t->left == 0) {
        response_send(s, t->tag, RESPONSE_COMPLETE);
        g_free(t);
    }
}

static void command_done(ScsiRequest *r, void *opaque)
{
    UasCommand *c = opaque;
    Uas *s = c->s;

    if (c->epoch != s->epoch) {
        command_free(c); /* of before a reset: on no list */
    } else if (c->task) {
        UasTask *t = c->task;

        command_remove(c);
        command_free(c);
        task_step(s, t);
    } else if (r->dir == SCSI_FROM_DEVICE && r->status == SCSI_GOOD && (r->moved || streams(s))) {
        command_data_in(c);
    } else {
        command_status(c);
    }
}

static void command_run(UasCommand *c)
{
    ScsiRequest *r = c->scsi;

    c->phase = UAS_RUNNING;
    if (c->s->out_now == c) {
        c->s->out_now = NULL;
    }
    c->iov = r->buffer_iov;
    if (r->dir == SCSI_TO_DEVICE) {
        c->iov.iov_len = c->pos;
    }
    scsi_request_run(r, r->buffer ? &c->iov : NULL, r->buffer ? 1 : 0);
}

/* Data of the host. True: that was all. */
static bool command_take(UasCommand *c, UsbPacket *p)
{
    ScsiRequest *r = c->scsi;

    c->pos += usb_packet_get(p, r->buffer + c->pos, MIN(p->size, r->expected - c->pos));
    p->actual = p->size;
    return c->pos == r->expected || p->size % packet_bytes(c->s) || p->size == 0;
}

static void command_data_out(UasCommand *c)
{
    Uas *s = c->s;
    unsigned stream = streams(s) ? c->tag : 0;
    UsbPacket *p;

    c->phase = UAS_DATA_OUT;
    schedule(s);
    p = s->out[stream];
    if (p && (streams(s) || s->out_now == c)) {
        bool all = command_take(c, p);

        s->out[stream] = NULL;
        usb_packet_done(p, USB_OK);
        if (all) {
            command_run(c);
            schedule(s);
        }
    }
}

/* UAS 6.2.6: addressing as in SAM, one level. */
static uint32_t lun_of(const uint8_t *p)
{
    return p[0] >> 6 == 0 ? p[1] : (p[0] & 0x3fu) << 8 | p[1];
}

static void command_start(Uas *s, uint16_t tag, const uint8_t *iu)
{
    UasCommand *c = g_new0(UasCommand, 1);

    *c = (UasCommand){.s = s, .tag = tag, .lun = lun_of(iu + 8), .epoch = s->epoch};
    c->scsi = scsi_request_new(&s->scsi_bus, 0, 0, c->lun, iu + 16, 16, command_done, c);
    g_ptr_array_add(s->commands, c);
    s->buffered += c->scsi->expected;
    if (!c->scsi->dev) {
        command_remove(c);
        command_free(c);
        response_send(s, tag, RESPONSE_INCORRECT_LUN);
    } else if (s->buffered > BUFFERED_MAX || !scsi_request_buffer(c->scsi)) {
        c->scsi->status = SCSI_BUSY;
        command_status(c);
    } else if (c->scsi->dir == SCSI_TO_DEVICE) {
        command_data_out(c);
    } else {
        command_run(c);
    }
}

/* ---- task management ---- */

/* Whether a task function means the command. */
static bool task_covers(uint8_t function, const uint8_t *iu, const UasCommand *c)
{
    switch (function) {
    case TASK_ABORT:
    case TASK_QUERY:
        return c->tag == load_be16(iu + 6) && c->lun == lun_of(iu + 8);
    case TASK_RESET_NEXUS:
        return true;
    default:
        return c->lun == lun_of(iu + 8);
    }
}

static void task_abort(Uas *s, uint16_t tag, const uint8_t *iu)
{
    UasTask *t = g_new0(UasTask, 1);

    *t = (UasTask){.tag = tag, .left = 1};
    for (unsigned i = s->commands->len; i-- > 0;) {
        UasCommand *c = g_ptr_array_index(s->commands, i);

        if (c->task || !task_covers(iu[4], iu, c)) {
            continue;
        }
        if (c->phase == UAS_RUNNING) {
            c->task = t;
            t->left++;
        } else {
            command_remove(c);
            command_free(c);
        }
    }
    task_step(s, t);
    schedule(s);
}

static void task_start(Uas *s, uint16_t tag, const uint8_t *iu)
{
    uint8_t function = iu[4], code = RESPONSE_COMPLETE;

    if (function != TASK_RESET_NEXUS && !scsi_find(&s->scsi_bus, 0, 0, lun_of(iu + 8))) {
        response_send(s, tag, RESPONSE_INCORRECT_LUN);
        return;
    }
    switch (function) {
    case TASK_RESET_LUN:
    case TASK_RESET_NEXUS:
    case TASK_ABORT:
    case TASK_ABORT_SET:
    case TASK_CLEAR_SET:
        task_abort(s, tag, iu);
        return;
    case TASK_QUERY:
    case TASK_QUERY_SET:
        for (unsigned i = 0; i < s->commands->len; i++) {
            code = task_covers(function, iu, g_ptr_array_index(s->commands, i)) ? RESPONSE_SUCCEEDED
                                                                                : code;
        }
        break;
    default:
        code = RESPONSE_NOT_SUPPORTED;
    }
    response_send(s, tag, code);
}

/* ---- packets ---- */

static void take_unit(Uas *s, UsbPacket *p)
{
    uint8_t iu[COMMAND_LEN] = {0};
    size_t len = usb_packet_get(p, iu, sizeof(iu));
    uint16_t tag = load_be16(iu + 2);

    p->actual = p->size;
    if (len < 4 || (streams(s) && (tag < 1 || tag > STREAMS)) ||
        s->commands->len + s->units->length >= MAX_COMMANDS) {
        usb_packet_stall(p);
    } else if (command_find(s, tag)) {
        response_send(s, tag, RESPONSE_OVERLAPPED_TAG);
    } else if (iu[0] == IU_COMMAND && len == COMMAND_LEN) {
        command_start(s, tag, iu);
    } else if (iu[0] == IU_TASK && len >= TASK_LEN) {
        task_start(s, tag, iu);
    } else {
        response_send(s, tag, RESPONSE_INVALID_IU);
    }
}

/* Keeps a packet until there is something for it. */
static void wait_with(UsbPacket **place, UsbPacket *p)
{
    if (*place) {
        p->status = USB_NAK;
    } else {
        *place = p;
        p->status = USB_ASYNC;
    }
}

static void status_packet(Uas *s, UsbPacket *p)
{
    UasUnit *u = unit_take(s, p->stream);

    if (u) {
        unit_give(u, p);
    } else {
        wait_with(&s->status[p->stream], p);
    }
}

static void data_packet(Uas *s, UsbPacket *p)
{
    bool in = p->ep == PIPE_DATA_IN;
    UasCommand *c = streams(s) ? command_find(s, p->stream) : in ? s->in_now : s->out_now;

    if (!c || c->task || c->phase != (in ? UAS_DATA_IN : UAS_DATA_OUT)) {
        wait_with(in ? &s->in[p->stream] : &s->out[p->stream], p);
    } else if (in && command_give(c, p)) {
        command_status(c);
    } else if (!in && command_take(c, p)) {
        command_run(c);
        schedule(s);
    }
}

static void uas_data(UsbDevice *d, UsbPacket *p)
{
    Uas *s = (Uas *)d;

    if (p->ep == PIPE_COMMAND) {
        take_unit(s, p);
    } else if (p->stream > STREAMS || (p->stream != 0) != streams(s)) {
        usb_packet_stall(p);
    } else if (p->ep == PIPE_STATUS) {
        status_packet(s, p);
    } else {
        data_packet(s, p);
    }
}

static void uas_cancel(UsbDevice *d, UsbPacket *p)
{
    Uas *s = (Uas *)d;
    UsbPacket **place = p->ep == PIPE_STATUS ? s->status : p->ep == PIPE_DATA_IN ? s->in : s->out;

    if (place[p->stream] == p) {
        place[p->stream] = NULL;
    }
}

/* ---- the device ---- */

/* Forgets what is under way; what a disk has begun frees itself at its end. */
static void uas_reset(UsbDevice *d)
{
    Uas *s = (Uas *)d;

    s->epoch++;
    for (unsigned i = 0; i < s->commands->len; i++) {
        UasCommand *c = g_ptr_array_index(s->commands, i);

        if (c->task) {
            c->task->left--;
            if (c->task->left == 0) {
                g_free(c->task);
            }
        }
        if (c->phase != UAS_RUNNING) {
            command_free(c);
        }
    }
    g_ptr_array_set_size(s->commands, 0);
    g_queue_clear_full(s->units, g_free);
    s->in_now = s->out_now = NULL;
    memset(s->status, 0, sizeof(s->status));
    memset(s->in, 0, sizeof(s->in));
    memset(s->out, 0, sizeof(s->out));
}

static const ScsiBusOps uas_bus_ops = {.max_lun = MAX_LUN};

static bool uas_realize(Device *dev, GError **error)
{
    Uas *s = (Uas *)dev;

    s->commands = g_ptr_array_new();
    s->units = g_queue_new();
    scsi_bus_init(&s->scsi_bus, dev, &uas_bus_ops);
    usb_attach_by_hand(&s->usb);
    return true;
}

static void uas_unrealize(Device *dev)
{
    Uas *s = (Uas *)dev;

    uas_reset(&s->usb);
    bus_fini(&s->scsi_bus.bus);
    g_clear_pointer(&s->commands, g_ptr_array_unref);
    g_clear_pointer(&s->units, g_queue_free);
}

/* UAS 5.3.3.6: a pipe usage descriptor behind each endpoint. */
static const uint8_t uas_pipes[4][4] = {
    {4, 0x24, PIPE_COMMAND}, {4, 0x24, PIPE_STATUS}, {4, 0x24, PIPE_DATA_IN}, {4, 0x24, PIPE_DATA_OUT},
};

#define UAS_ENDPOINT(address_, pipe, packet, burst, streams_)                           \
    {                                                                                   \
        .address = address_, .attributes = 2, .max_packet = packet, .max_burst = burst, \
        .streams = streams_, .extra = uas_pipes[pipe - 1], .extra_len = 4,              \
    }
#define UAS_SPEED(suffix, packet, packet0, bcd, burst, streams_, string_) \
    static const UsbEndpointRow uas_endpoints_##suffix[] = {              \
        UAS_ENDPOINT(0x01, PIPE_COMMAND, packet, burst, 0),               \
        UAS_ENDPOINT(0x82, PIPE_STATUS, packet, burst, streams_),         \
        UAS_ENDPOINT(0x83, PIPE_DATA_IN, packet, burst, streams_),        \
        UAS_ENDPOINT(0x04, PIPE_DATA_OUT, packet, burst, streams_),       \
    };                                                                    \
    static const UsbInterfaceRow uas_interfaces_##suffix[] = {            \
        {.class_code = 8,                                                 \
         .subclass = 6,                                                   \
         .protocol = 0x62,                                                \
         .endpoints = uas_endpoints_##suffix,                             \
         .num_endpoints = 4},                                             \
    };                                                                    \
    static const UsbConfig uas_configs_##suffix[] = {                     \
        {.attributes = 0xc0,                                              \
         .value = 1,                                                      \
         .string = string_,                                               \
         .num_interfaces = 1,                                             \
         .interfaces = uas_interfaces_##suffix,                           \
         .num_rows = 1},                                                  \
    };                                                                    \
    static const UsbSpeedInfo uas_##suffix = {                            \
        .bcd_usb = bcd,                                                   \
        .max_packet0 = packet0,                                           \
        .configs = uas_configs_##suffix,                                  \
        .num_configs = 1,                                                 \
    };
UAS_SPEED(high, 512, 64, 0x0200, 0, 0, 4)
UAS_SPEED(super, 1024, 9, 0x0300, 15, STREAMS_EXP, 5)

static const char *const uas_strings[] = {
    "QEMU", "USB Attached SCSI HBA", "27842", "High speed config (usb 2.0)", "Super speed config (usb 3.0)", NULL,
};
static const UsbInfo uas_info = {
    .vendor = 0x46f4,
    .product = 0x0003,
    .strings = uas_strings,
    .speeds = {[USB_HIGH] = &uas_high, [USB_SUPER] = &uas_super},
    .data = uas_data,
    .cancel = uas_cancel,
    .reset = uas_reset,
};

static const Prop uas_props[] = {USB_DEVICE_PROPS(Uas), PROP_END};

static const StateField uas_state[] = {
    STATE_STRUCT(Uas, usb, usb_device_state),
    HOST_ONLY(Uas, scsi_bus, "devices on it keep their own"),
    HOST_ONLY(Uas, commands, "ended while the machine is stopped"),
    HOST_ONLY(Uas, units, "likewise"),
    HOST_ONLY(Uas, status, "likewise"),
    HOST_ONLY(Uas, in, "likewise"),
    HOST_ONLY(Uas, out, "likewise"),
    HOST_ONLY(Uas, in_now, "likewise"),
    HOST_ONLY(Uas, out_now, "likewise"),
    HOST_ONLY(Uas, buffered, "likewise"),
    HOST_ONLY(Uas, epoch, "tells old commands from new"),
    STATE_END,
};

static const DeviceType uas_type = {
    .name = "usb-uas",
    .bus = "usb-bus",
    .category = "storage",
    .desc = "USB attached SCSI",
    .size = sizeof(Uas),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &uas_info,
    .props = uas_props,
    .state = uas_state,
    .realize = uas_realize,
    .unrealize = uas_unrealize,
};
DEVICE_TYPE(uas_type);
