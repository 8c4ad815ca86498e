// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LSI SAS 1068 (1000:0054) with the Fusion-MPT message interface 1.5, as Linux's mptsas uses it:
 * doorbell handshakes, request and reply FIFOs, SCSI I/O, task management, events for hot plug.
 * Left out: firmware and diagnostic access, SMP and SATA passthrough, RAID. Configuration pages are
 * mptsas-config.c.
 */
#include "mptsas.h"

#include <inttypes.h>
#include <string.h>
#include "util/bswap.h"
#include "util/log.h"

enum { STATE_RESET = 0, STATE_READY = 1, STATE_OPERATIONAL = 2, STATE_FAULT = 4 };
enum { DOORBELL_ACTIVE = 1 << 27 };
enum { INTR_REPLY = 8, INTR_DOORBELL = 1 };
enum { DIAG_WRITE_ENABLE = 0x80, DIAG_HISTORY = 0x20, DIAG_RESET = 4 };
enum {
    FN_SCSI_IO = 0,
    FN_TASK_MGMT = 1,
    FN_IOC_INIT = 2,
    FN_IOC_FACTS = 3,
    FN_CONFIG = 4,
    FN_PORT_FACTS = 5,
    FN_PORT_ENABLE = 6,
    FN_EVENT_NOTIFICATION = 7,
    FN_EVENT_ACK = 8,
    FN_UNIT_RESET = 0x40,
    FN_IO_UNIT_RESET = 0x41,
    FN_HANDSHAKE = 0x42
};
enum {
    SGE_LAST = 0x80,
    SGE_TYPE = 0x30,
    SGE_SIMPLE = 0x10,
    SGE_CHAIN = 0x30,
    SGE_WIDE = 2,
    SGE_END_OF_LIST = 1
};
enum {
    TM_ABORT = 1,
    TM_RESET_TARGET = 3,
    TM_RESET_BUS = 4,
    TM_RESET_LUN = 5,
    TM_CLEAR = 6,
    TM_QUERY = 7
};
enum { SCSI_STATE_SENSE = 1, SCSI_STATE_NO_STATUS = 4, SCSI_STATE_TERMINATED = 8 };
enum { EVENT_CHANGE = 0x0a, EVENT_DEVICE_STATUS = 0x0f, DEVICE_ADDED = 3, DEVICE_GONE = 4 };
enum { PORT_SAS = 0x30, PROTOCOL_INITIATOR = 8 };
#define FIFO_EMPTY 0xffffffffu
#define SGES_MAX 4096u
#define FW_VERSION 0x01329200u
#define PRODUCT_ID 0x2700u

typedef struct MptRequest {
    ScsiHostCommand host;
    Mptsas *s;
    uint8_t head[MPT_FRAME];
    bool forgotten;
} MptRequest;

/* ---- FIFOs and interrupts ---- */

static bool fifo_put(MptFifo *f, uint32_t v)
{
    if (f->count == MPT_FIFO) {
        return false;
    }
    f->item[(f->head + f->count++) % MPT_FIFO] = v;
    return true;
}

static uint32_t fifo_get(MptFifo *f)
{
    uint32_t v = f->item[f->head];

    if (!f->count) {
        return FIFO_EMPTY;
    }
    f->head = (f->head + 1) % MPT_FIFO;
    f->count--;
    return v;
}

static uint32_t intr_status(const Mptsas *s)
{
    return (s->reply_post.count ? INTR_REPLY : 0) | (s->doorbell_intr ? INTR_DOORBELL : 0);
}

static void update_irq(Mptsas *s)
{
    pci_irq(&s->pci, (intr_status(s) & ~s->intr_mask) != 0);
}

static void fault(Mptsas *s, const char *why)
{
    guest_error("mptsas1068: %s", why);
    s->ioc_state = STATE_FAULT;
}

static void post(Mptsas *s, uint32_t v)
{
    if (!fifo_put(&s->reply_post, v)) {
        fault(s, "replies are not fetched");
    }
    update_irq(s);
}

/* A reply of len bytes in a frame of the host's. */
static void post_reply(Mptsas *s, const uint8_t *reply, uint32_t len)
{
    uint32_t frame = fifo_get(&s->reply_free);

    if (frame == FIFO_EMPTY) {
        fault(s, "no free reply frame");
        return;
    }
    dma_write(&s->pci.dev, (uint64_t)s->high_mfa << 32 | (frame & ~3u), reply,
              MIN(len, s->reply_size));
    post(s, 0x80000000 | frame >> 1);
}

/* What all replies begin with. */
static void reply_init(uint8_t *reply, const uint8_t *f, uint32_t len, uint16_t status)
{
    memset(reply, 0, len);
    memcpy(reply, f, 2);
    reply[2] = len / 4;
    reply[3] = f[3];
    memcpy(reply + 4, f + 4, 8);
    store_le16(reply + 14, status);
}

/* ---- SCSI I/O ---- */

/*
 * MPI 1.5, 2.2: the elements of a list whose first is at `at`; chain: offset of a chain element, 0:
 * none.
 */
static bool sgl_read(Mptsas *s, DmaList *l, uint64_t segment, uint32_t at, uint32_t chain)
{
    uint8_t e[12];

    for (unsigned n = 0; n < SGES_MAX; n++) {
        if (!dma_read(&s->pci.dev, segment + at, e, sizeof(e))) {
            return false;
        }
        uint8_t flags = e[3];
        bool wide = flags & SGE_WIDE;
        uint64_t addr = wide ? load_le64(e + 4) : load_le32(e + 4);

        if ((flags & SGE_TYPE) == SGE_CHAIN) {
            segment = addr;
            at = 0;
            chain = e[2] * 4u;
            continue;
        }
        if ((flags & SGE_TYPE) != SGE_SIMPLE) {
            return false;
        }
        dma_list_add(l, addr, load_le32(e) & 0xffffff);
        if (flags & SGE_END_OF_LIST) {
            return true;
        }
        at += wide ? 12 : 8;
        if (flags & SGE_LAST) {
            if (!chain) {
                return true;
            }
            at = chain;
        }
    }
    return false;
}

static void io_reply(Mptsas *s, const uint8_t *f, uint16_t status, const ScsiRequest *r,
                     uint8_t state)
{
    uint8_t reply[36];

    reply_init(reply, f, sizeof(reply), status);
    if (r) {
        reply[12] = r->status;
        store_le32(reply + 0x14, r->moved);
        store_le32(reply + 0x18, MIN(r->sense_len, f[5]));
    }
    reply[13] = state;
    post_reply(s, reply, sizeof(reply));
}

static void request_free(MptRequest *q)
{
    scsi_host_free(&q->host);
    g_free(q);
}

static void request_done(ScsiHostCommand *c)
{
    MptRequest *q = (MptRequest *)c;
    Mptsas *s = q->s;
    ScsiRequest *r = c->scsi;
    uint8_t sense_len = MIN(r->sense_len, q->head[5]);
    uint64_t sense = (uint64_t)s->high_sense << 32 | load_le32(q->head + 0x2c);

    if (q->forgotten) {
        request_free(q);
        return;
    }
    if (c->aborted) {
        io_reply(s, q->head, IOCSTATUS_TERMINATED, NULL,
                 SCSI_STATE_TERMINATED | SCSI_STATE_NO_STATUS);
    } else if (r->status == SCSI_GOOD && r->moved == load_le32(q->head + 0x28)) {
        post(s, load_le32(q->head + 8)); /* the short form: the context alone */
    } else {
        if (sense_len) {
            dma_write(&s->pci.dev, sense, r->sense, sense_len);
        }
        io_reply(s, q->head,
                 r->moved < load_le32(q->head + 0x28) ? IOCSTATUS_UNDERRUN : IOCSTATUS_SUCCESS, r,
                 sense_len ? SCSI_STATE_SENSE : 0);
    }
    request_free(q);
}

static void scsi_io(Mptsas *s, uint64_t at, const uint8_t *f)
{
    uint32_t lun = f[13], len = load_le32(f + 0x28);

    if (f[1] != 0 || f[0] >= MPT_PHYS || !scsi_find(&s->bus, 0, f[0], SCSI_ANY_LUN)) {
        io_reply(s, f, IOCSTATUS_NO_DEVICE, NULL, SCSI_STATE_NO_STATUS);
        return;
    }
    if (s->requests->len >= MPT_CREDITS || f[4] > 16) {
        io_reply(s, f, f[4] > 16 ? IOCSTATUS_INVALID_FIELD : IOCSTATUS_RESOURCES, NULL,
                 SCSI_STATE_NO_STATUS);
        return;
    }
    MptRequest *q = g_new0(MptRequest, 1);

    q->s = s;
    memcpy(q->head, f, sizeof(q->head));
    scsi_host_init(&q->host, &s->pci.dev, s->requests, request_done);
    if ((len && !sgl_read(s, &q->host.data, at, 0x30, f[2] * 4u)) ||
        !scsi_host_start(&q->host, &s->bus, 0, f[0], lun, f + 0x18, f[4])) {
        io_reply(s, f, IOCSTATUS_INVALID_SGL, NULL, SCSI_STATE_NO_STATUS);
        request_free(q);
    }
}

static void reset_devices(Mptsas *s, int target)
{
    for (guint i = 0; i < s->requests->len; i++) {
        MptRequest *q = s->requests->pdata[i];

        q->host.aborted |= target < 0 || q->head[0] == target;
    }
    for (guint i = 0; i < s->bus.bus.devices->len; i++) {
        ScsiDevice *d = s->bus.bus.devices->pdata[i];

        if (d->dev.realized && (target < 0 || d->id == (uint32_t)target)) {
            device_reset(&d->dev);
        }
    }
}

static void task_management(Mptsas *s, const uint8_t *f)
{
    uint8_t reply[24];
    uint32_t count = 0;

    reply_init(reply, f, sizeof(reply), IOCSTATUS_SUCCESS);
    reply[4] = 0; /* function complete */
    switch (f[5]) {
    case TM_ABORT:
        for (guint i = 0; i < s->requests->len; i++) {
            MptRequest *q = s->requests->pdata[i];

            if (load_le32(q->head + 8) == load_le32(f + 0x30)) {
                q->host.aborted = true;
                count++;
            }
        }
        break;
    case TM_RESET_TARGET:
    case TM_RESET_LUN:
    case TM_CLEAR:
        reset_devices(s, f[0]);
        break;
    case TM_RESET_BUS:
        reset_devices(s, -1);
        break;
    case TM_QUERY:
        break;
    default:
        store_le16(reply + 14, IOCSTATUS_INVALID_FIELD);
        break;
    }
    store_le32(reply + 0x14, count);
    post_reply(s, reply, sizeof(reply));
}

/* ---- configuration and events ---- */

static void config(Mptsas *s, uint64_t at, const uint8_t *f)
{
    uint8_t reply[24], page[MPT_PAGE_MAX];
    uint32_t len = mptsas_page(s, f[0x17], f[6], f[0x16], load_le32(f + 0x18), page);
    DmaList l;

    reply_init(reply, f, sizeof(reply), IOCSTATUS_SUCCESS);
    memcpy(reply + 0x14, f + 0x14, 4);
    if (f[0] > 6) {
        store_le16(reply + 14, IOCSTATUS_INVALID_ACTION);
    } else if (!len) {
        store_le16(reply + 14, IOCSTATUS_INVALID_PAGE);
    } else {
        memcpy(reply + 0x14, page, 4);
        store_le16(reply + 4, (f[0x17] & 15) == 15 ? len / 4 : 0);
        reply[6] = f[6];
        if (f[0] == 1 || f[0] == 5 || f[0] == 6) { /* read: current, default, kept */
            dma_list_init(&l, &s->pci.dev);
            if (!sgl_read(s, &l, at, 0x1c, 0) || !dma_list_map(&l, true)) {
                store_le16(reply + 14, IOCSTATUS_INVALID_SGL);
            } else {
                uint32_t done = 0;

                for (unsigned i = 0; i < l.niov && done < len; i++) {
                    uint32_t n = MIN(len - done, l.iov[i].iov_len);

                    memcpy(l.iov[i].iov_base, page + done, n);
                    done += n;
                }
                dma_list_unmap(&l, done);
            }
            dma_list_free(&l);
        }
    }
    post_reply(s, reply, sizeof(reply));
}

static uint32_t event_fill(uint8_t *reply, uint32_t context, uint32_t event, const uint8_t *data,
                           uint32_t len)
{
    store_le16(reply, len / 4);
    reply[3] = FN_EVENT_NOTIFICATION;
    store_le32(reply + 8, context);
    store_le32(reply + 0x14, event);
    memcpy(reply + 0x1c, data, len);
    reply[2] = (0x1c + len) / 4;
    return 0x1c + len;
}

static uint32_t event_notification(Mptsas *s, const uint8_t *f, uint8_t *r)
{
    const uint8_t state[4] = {f[0] != 0};

    s->events_on = f[0];
    s->event_context = load_le32(f + 8);
    return event_fill(r, s->event_context, EVENT_CHANGE, state, sizeof(state));
}

static void drive_event(ScsiBus *b, const ScsiDevice *d, uint8_t reason)
{
    Mptsas *s = (Mptsas *)b->bus.owner;
    uint8_t e[36] = {d->id, 0, reason}, reply[0x1c + sizeof(e)] = {0};

    /* The last free frame is for commands. */
    if (!s->events_on || s->ioc_state != STATE_OPERATIONAL || s->reply_free.count < 2 ||
        d->lun != 0) {
        return;
    }
    store_le16(e + 6, MPT_HANDLE_ATTACHED + d->id);
    store_le32(e + 8, mptsas_device_info(true));
    store_le16(e + 12, MPT_HANDLE_CONTROLLER + d->id);
    e[14] = d->id;
    store_le64(e + 16, mptsas_address(s, d->id, true));
    post_reply(s, reply, event_fill(reply, s->event_context, EVENT_DEVICE_STATUS, e, sizeof(e)));
}

static void disk_plugged(ScsiBus *b, ScsiDevice *d)
{
    if (d->dev.hotplugged) {
        drive_event(b, d, DEVICE_ADDED);
    }
}

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    drive_event(b, d, DEVICE_GONE);
}

/* ---- the controller ---- */

static void forget_requests(Mptsas *s)
{
    for (guint i = 0; i < s->requests->len; i++) {
        MptRequest *q = s->requests->pdata[i];

        q->host.aborted = q->forgotten = true;
    }
}

static void ioc_reset(Mptsas *s)
{
    forget_requests(s);
    s->ioc_state = STATE_READY;
    s->who_init = 0;
    s->keys = 0;
    s->doorbell_intr = s->events_on = false;
    s->in_words = s->in_pos = s->out_halves = s->out_pos = 0;
    s->high_mfa = s->high_sense = 0;
    s->reply_size = MPT_FRAME;
    s->reply_free.count = s->reply_post.count = 0;
    update_irq(s);
}

static uint32_t ioc_facts(Mptsas *s, uint8_t *r)
{
    store_le16(r, 0x0105);
    r[2] = 0x50 / 4;
    store_le16(r + 4, 0x1300);
    r[0x14] = 0x22; /* chain depth */
    r[0x15] = s->who_init;
    r[0x16] = 8; /* block size, in words */
    store_le16(r + 0x18, MPT_CREDITS);
    store_le16(r + 0x1a, MPT_FRAME / 4);
    store_le16(r + 0x1e, PRODUCT_ID);
    store_le32(r + 0x20, s->high_mfa);
    store_le16(r + 0x24, MPT_CREDITS);
    r[0x26] = MPT_PHYS;
    r[0x27] = s->events_on;
    store_le32(r + 0x28, s->high_sense);
    store_le16(r + 0x2c, s->reply_size);
    r[0x2e] = MPT_PHYS;
    r[0x2f] = 1;
    store_le32(r + 0x34, 1); /* high priority queue */
    store_le32(r + 0x38, FW_VERSION);
    store_le16(r + 0x3c, MPT_CREDITS);
    return 0x50;
}

static uint32_t port_facts(Mptsas *s, const uint8_t *f, uint8_t *r)
{
    r[6] = f[6];
    if (f[6] >= MPT_PHYS) {
        store_le16(r + 14, IOCSTATUS_INVALID_FIELD);
    }
    r[0x15] = PORT_SAS;
    store_le16(r + 0x16, MPT_PHYS);
    store_le16(r + 0x18, MPT_PHYS);
    store_le16(r + 0x1a, PROTOCOL_INITIATOR);
    store_le16(r + 0x1e, 128);
    return 0x28;
}

static uint32_t ioc_init(Mptsas *s, const uint8_t *f, uint8_t *r)
{
    if (s->ioc_state != STATE_READY) {
        store_le16(r + 14, IOCSTATUS_INVALID_STATE);
        return 20;
    }
    s->who_init = f[0];
    s->reply_size = MIN(load_le16(f + 12), MPT_FRAME);
    s->high_mfa = load_le32(f + 16);
    s->high_sense = load_le32(f + 20);
    s->ioc_state = STATE_OPERATIONAL;
    return 20;
}

/* Messages with a plain answer; its bytes in r, 0: the function is not one of them. */
static uint32_t simple_message(Mptsas *s, const uint8_t *f, uint8_t *r)
{
    reply_init(r, f, 20, IOCSTATUS_SUCCESS);
    switch (f[3]) {
    case FN_IOC_INIT:
        return ioc_init(s, f, r);
    case FN_IOC_FACTS:
        return ioc_facts(s, r);
    case FN_PORT_FACTS:
        return port_facts(s, f, r);
    case FN_EVENT_NOTIFICATION:
        return event_notification(s, f, r);
    case FN_PORT_ENABLE:
    case FN_EVENT_ACK:
        return 20;
    default:
        return 0;
    }
}

/* f: the frame, of which MPT_FRAME bytes were read; at: where it is, 0: it came by the doorbell. */
static void message_run(Mptsas *s, uint64_t at, const uint8_t *f)
{
    uint8_t r[MPT_FRAME] = {0};
    uint32_t len = simple_message(s, f, r);

    if (len) {
        r[2] = len / 4;
        post_reply(s, r, len);
        return;
    }
    switch (f[3]) {
    case FN_SCSI_IO:
        scsi_io(s, at, f);
        break;
    case FN_TASK_MGMT:
        task_management(s, f);
        break;
    case FN_CONFIG:
        config(s, at, f);
        break;
    default:
        guest_unimp("mptsas1068: function 0x%x", f[3]);
        reply_init(r, f, 20, IOCSTATUS_INVALID_FUNCTION);
        post_reply(s, r, 20);
        break;
    }
}

/* ---- registers ---- */

static void handshake_end(Mptsas *s)
{
    uint8_t f[MPT_FRAME] = {0}, r[MPT_FRAME] = {0};
    uint32_t len;

    for (uint32_t i = 0; i < s->in_words; i++) {
        store_le32(f + 4 * i, s->in[i]);
    }
    s->in_words = s->in_pos = 0;
    if (f[3] == FN_TASK_MGMT) {
        message_run(s, 0, f); /* answered in a reply frame */
        return;
    }
    len = simple_message(s, f, r);
    if (!len) {
        reply_init(r, f, 20, IOCSTATUS_INVALID_FUNCTION);
        len = 20;
    }
    r[2] = len / 4;
    for (uint32_t i = 0; i < len / 2; i++) {
        s->out[i] = load_le16(r + 2 * i);
    }
    s->out_halves = len / 2;
    s->out_pos = 0;
    s->doorbell_intr = true;
}

static uint64_t doorbell_read(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;
    uint32_t v = s->ioc_state << 28 | (s->who_init & 7) << 24;

    if (s->in_words || s->out_halves) {
        v |= DOORBELL_ACTIVE;
    }
    return v | (s->out_pos < s->out_halves ? s->out[s->out_pos] : 0);
}

static void doorbell_write(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;
    uint32_t words = a->value >> 16 & 0xff;

    if (s->in_words) {
        s->in[s->in_pos++] = a->value;
        if (s->in_pos == s->in_words) {
            handshake_end(s);
        }
        update_irq(s);
        return;
    }
    switch (a->value >> 24) {
    case FN_UNIT_RESET:
        ioc_reset(s);
        break;
    case FN_IO_UNIT_RESET:
        reset_devices(s, -1);
        break;
    case FN_HANDSHAKE:
        if (words && words <= MPT_FRAME / 4 && s->ioc_state != STATE_FAULT) {
            s->in_words = words;
            s->in_pos = s->out_halves = s->out_pos = 0;
            s->doorbell_intr = true;
        }
        break;
    default:
        guest_error("mptsas1068: doorbell function 0x%x", (unsigned)(a->value >> 24));
        break;
    }
    update_irq(s);
}

static uint64_t intr_status_read(Device *d, const RegAccess *a)
{
    return intr_status((Mptsas *)d);
}

/* The host has taken a half word, or seen that the doorbell is its own. */
static void intr_status_write(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;

    if (s->doorbell_intr) {
        /* Once more after the last, which is not the doorbell's use any more. */
        s->doorbell_intr = s->out_halves != 0;
        if (s->out_halves && ++s->out_pos == s->out_halves) {
            s->out_halves = s->out_pos = 0;
        }
    }
    update_irq(s);
}

static void mask_write(Device *d, const RegAccess *a)
{
    update_irq((Mptsas *)d);
}

static void sequence_write(Device *d, const RegAccess *a)
{
    static const uint8_t keys[] = {4, 0xb, 2, 7, 0xd};
    Mptsas *s = (Mptsas *)d;
    uint8_t key = a->value & 15;

    s->diag &= ~DIAG_WRITE_ENABLE;
    s->keys = key == keys[s->keys] ? s->keys + 1 : key == keys[0];
    if (s->keys == sizeof(keys)) {
        s->diag |= DIAG_WRITE_ENABLE;
        s->keys = 0;
    }
}

static void diag_write(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;

    if (!(s->diag & DIAG_WRITE_ENABLE)) {
        return;
    }
    if (a->value & DIAG_RESET) {
        ioc_reset(s);
        s->diag |= DIAG_HISTORY;
    } else {
        s->diag &= ~DIAG_HISTORY | (uint32_t)a->value;
    }
}

static void request_write(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;
    uint64_t at = (uint64_t)s->high_mfa << 32 | (a->value & ~7u);
    uint8_t f[MPT_FRAME];

    if (s->ioc_state != STATE_OPERATIONAL) {
        guest_error("mptsas1068: request in state %u", s->ioc_state);
        return;
    }
    if (!dma_read(&s->pci.dev, at, f, sizeof(f))) {
        fault(s, "a request frame is not in memory");
        return;
    }
    message_run(s, at, f);
}

static uint64_t reply_read(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;
    uint32_t v = fifo_get(&s->reply_post);

    update_irq(s);
    return v;
}

static void reply_write(Device *d, const RegAccess *a)
{
    Mptsas *s = (Mptsas *)d;

    if (!fifo_put(&s->reply_free, (uint32_t)a->value)) {
        fault(s, "too many free reply frames");
    }
}

/* clang-format off */
static const Reg mptsas_regs[] = {
    REG_HOOK(0x00, 4, "doorbell", .read = doorbell_read, .write = doorbell_write, .help = "state, handshakes, resets"),
    REG_HOOK(0x04, 4, "sequence", .write = sequence_write, .help = "keys to the diagnostic register"),
    REG(Mptsas, 0x08, diag, .write = diag_write, .help = "bit 2 resets, when bit 7 is set"),
    REG_HOOK(0x30, 4, "intr_status", .read = intr_status_read, .write = intr_status_write, .help = "bit 0 doorbell, bit 3 replies"),
    REG(Mptsas, 0x34, intr_mask, .reset = 9, .wmask = 9, .write = mask_write, .help = "interrupts that are masked"),
    REG_HOOK(0x40, 4, "request", .write = request_write, .help = "runs the frame at this address"),
    REG_HOOK(0x44, 4, "reply", .read = reply_read, .write = reply_write, .help = "replies; free reply frames"),
    REG_HOOK(0x48, 4, "high_request", .write = request_write, .help = "runs the frame at this address"),
};

static const Reg diag_regs[] = { REG_HOOK(0, 4, "diag", .help = "the diagnostic window is not used") };

static const RegBank mptsas_banks[] = {
    { .name = "io", .size = 0x100, BANK_REGS(mptsas_regs), .pio = true },
    { .name = "mmio", .size = 0x4000, BANK_REGS(mptsas_regs) },
    { .name = "diag", .size = 0x10000, BANK_REGS(diag_regs) },
    { 0 },
};
/* clang-format on */

static const Prop mptsas_props[] = {
    PROP_U64(Mptsas, sas_address, "sas_address", 0, .help = "SAS address; 0: made from the PCI address"),
    PROP_ON_OFF_AUTO(Mptsas, msi, "msi", ON_OFF_AUTO_AUTO),
    PROP_END,
};

/* ---- the device ---- */

static const ScsiBusOps mptsas_bus_ops = {
    .plugged = disk_plugged, .unplugged = disk_unplugged, .max_channel = 0, .max_target = MPT_PHYS - 1, .max_lun = 1,
};

static bool mptsas_realize(Device *d, GError **error)
{
    Mptsas *s = (Mptsas *)d;

    if (s->msi != ON_OFF_AUTO_OFF && !pci_msi_init_plain(&s->pci, 0x40, error)) {
        return false;
    }
    if (!s->sas_address) {
        s->sas_address = 0x5ull << 60 | 0x1221ull << 32 | (uint64_t)s->pci.bus->number << 16 |
                         (uint32_t)s->pci.devfn << 8;
    }
    s->requests = g_ptr_array_new();
    scsi_bus_init(&s->bus, d, &mptsas_bus_ops);
    return true;
}

static void mptsas_unrealize(Device *d)
{
    Mptsas *s = (Mptsas *)d;

    forget_requests(s);
    s->events_on = false;
    bus_fini(&s->bus.bus);
    g_ptr_array_unref(s->requests);
}

static void mptsas_reset(Device *d)
{
    ioc_reset((Mptsas *)d);
}

static const StateField fifo_state[] = {
    STATE_ARRAY(MptFifo, item),
    STATE_INDEX(MptFifo, head, item),
    STATE_COUNT(MptFifo, count, item),
    STATE_END,
};

static const StateField mptsas_state[] = {
    STATE(Mptsas, ioc_state), STATE(Mptsas, who_init), STATE_MAX(Mptsas, keys, 4), STATE(Mptsas, doorbell_intr), STATE_ARRAY(Mptsas, in),
    STATE_COUNT(Mptsas, in_words, in), STATE_BELOW(Mptsas, in_pos, in_words, MPT_FRAME / 4), STATE_ARRAY(Mptsas, out), STATE_COUNT(Mptsas, out_halves, out), STATE_BELOW(Mptsas, out_pos, out_halves, MPT_FRAME / 2),
    STATE(Mptsas, high_mfa), STATE(Mptsas, high_sense), STATE_MAX(Mptsas, reply_size, MPT_FRAME), STATE(Mptsas, events_on),
    STATE(Mptsas, event_context), STATE_STRUCT(Mptsas, reply_free, fifo_state), STATE_STRUCT(Mptsas, reply_post, fifo_state),
    HOST_ONLY(Mptsas, bus, "devices on it keep their own"), HOST_ONLY(Mptsas, requests, "empty while the machine is stopped"),
    STATE_END,
};

static const PciInfo mptsas_pci = {
    .vendor = 0x1000, .device = 0x0054, .subsys_vendor = 0x1000, .subsys = 0x8000, .class_code = 0x010000, .pin = 1,
    .bar = { { PCI_BAR_IO, false, "io" }, { PCI_BAR_MEM32, false, "mmio" }, { PCI_BAR_MEM32, false, "diag" } },
};

static const DeviceType mptsas_type = {
    .name = "mptsas1068", .parent = "pci-device", .bus = "PCI", .category = "storage", .desc = "LSI SAS 1068",
    .size = sizeof(Mptsas), .state_version = 1, .hotpluggable = true, .bus_info = &mptsas_pci, .props = mptsas_props,
    .banks = mptsas_banks, .state = mptsas_state, .realize = mptsas_realize, .unrealize = mptsas_unrealize,
    .reset = mptsas_reset,
};
DEVICE_TYPE(mptsas_type);
