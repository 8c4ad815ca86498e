// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio SCSI host (Virtual I/O Device 1.1, 5.6): several request queues, task management, hot
 * plug and parameter change events. Left out: protection information, asynchronous
 * notifications of devices' own.
 */
#include "hw/scsi/scsi.h"
#include "hw/virtio/virtio.h"
#include "qom/iothread.h"
#include "qom/vm.h"
#include "util/bswap.h"

#define REQUEST_HEADER 19u /* before the CDB */
#define RESPONSE_HEADER 12u /* before the sense data */
#define MAX_CDB 32u
#define EVENT_LEN 16u
#define SEG_MAX 254u

enum {
    SCSI_F_HOTPLUG = 1,
    SCSI_F_CHANGE = 2
};
enum {
    CTRL_QUEUE,
    EVENT_QUEUE,
    FIRST_QUEUE
};
enum {
    S_OK = 0,
    S_OVERRUN = 1,
    S_ABORTED = 2,
    S_BAD_TARGET = 3,
    S_RESET = 4,
    S_BUSY = 5,
    S_FAILURE = 9
};
enum {
    TMF_ABORT_TASK,
    TMF_ABORT_TASK_SET,
    TMF_CLEAR_ACA,
    TMF_CLEAR_TASK_SET,
    TMF_I_T_NEXUS_RESET,
    TMF_LUN_RESET,
    TMF_QUERY_TASK,
    TMF_QUERY_TASK_SET
};
enum {
    TMF_COMPLETE = 0,
    TMF_SUCCEEDED = 10,
    TMF_REJECTED = 11,
    TMF_INCORRECT_LUN = 12
};
enum {
    T_TMF = 0,
    T_AN_QUERY = 1,
    T_AN_SUBSCRIBE = 2
};
enum {
    EVENT_TRANSPORT_RESET = 1,
    EVENT_PARAM_CHANGE = 3,
    EVENTS_MISSED = 0x80000000u
};
enum {
    RESET_RESCAN = 1,
    RESET_REMOVED = 2
};

typedef struct VirtioScsi {
    VirtioDevice v;
    ScsiBus bus;
    IoThread *iothread; /* where queues are served; NULL: main loop */
    uint32_t num_queues, queue_size, max_sectors, cmd_per_lun, seg_max;
    bool hotplug, param_change;
    uint32_t sense_size, cdb_size; /* as the driver set them */
    bool events_missed;
    uint32_t epoch; /* counts resets */
    GPtrArray *requests; /* HostRequest *, under way */
} VirtioScsi;

typedef struct TaskManagement {
    VirtioScsi *s;
    VirtqElem *elem;
    uint32_t epoch;
    unsigned left; /* requests that must end first */
    uint8_t response;
} TaskManagement;

typedef struct HostRequest {
    VirtioScsi *s;
    VirtqElem *elem;
    ScsiRequest *scsi;
    DmaList data;
    uint32_t epoch, target, lun;
    uint64_t tag;
    bool to_guest;
    TaskManagement *waiter; /* set: aborted */
} HostRequest;

/* ---- requests ---- */

/* 5.6.6.1: 1, target, LUN in flat or peripheral form. */
static bool decode_lun(const uint8_t *p, uint32_t *target, uint32_t *lun)
{
    *target = p[1];
    *lun = load_be16(p + 2) & 0x3fff;
    return p[0] == 1;
}

static void respond(HostRequest *q, uint8_t response)
{
    VirtioScsi *s = q->s;
    ScsiRequest *r = q->scsi;
    uint8_t out[RESPONSE_HEADER + SCSI_SENSE_LEN] = {0};
    unsigned sense_len = r ? MIN(r->sense_len, s->sense_size) : 0;

    store_le32(out, sense_len);
    if (r) {
        store_le32(out + 4, q->data.size > r->moved ? q->data.size - r->moved : 0);
        out[10] = r->status;
        memcpy(out + RESPONSE_HEADER, r->sense, sense_len);
    }
    out[11] = response;
    dma_list_unmap(&q->data, q->to_guest && r ? r->moved : 0);
    dma_list_free(&q->data);
    if (q->epoch == s->epoch) {
        virtq_write(&s->v, q->elem, 0, out, RESPONSE_HEADER + sense_len);
        virtq_push(&s->v, q->elem,
                   RESPONSE_HEADER + s->sense_size + (q->to_guest && r ? r->moved : 0));
        virtq_notify(&s->v, q->elem->vq);
    }
    g_free(q->elem);
    g_free(q);
}

static void tmf_finish(TaskManagement *t)
{
    VirtioScsi *s = t->s;

    if (t->epoch == s->epoch) {
        virtq_write(&s->v, t->elem, 0, &t->response, 1);
        virtq_push(&s->v, t->elem, 1);
        virtq_notify(&s->v, t->elem->vq);
    }
    g_free(t->elem);
    g_free(t);
}

static void request_done(ScsiRequest *r, void *opaque)
{
    HostRequest *q = opaque;
    TaskManagement *t = q->waiter;

    g_ptr_array_remove_fast(q->s->requests, q);
    respond(q, t ? S_ABORTED : S_OK);
    scsi_request_free(r);
    if (t && --t->left == 0) {
        tmf_finish(t);
    }
}

/* Pieces of a side behind its first `skip` bytes. */
static void add_pieces(DmaList *l, const DmaSg *sg, unsigned n, uint64_t skip)
{
    for (unsigned i = 0; i < n; i++) {
        if (skip >= sg[i].len) {
            skip -= sg[i].len;
            continue;
        }
        dma_list_add(l, sg[i].addr + skip, sg[i].len - skip);
        skip = 0;
    }
}

static void request_start(VirtioScsi *s, VirtqElem *e)
{
    VirtioDevice *v = &s->v;
    uint8_t head[REQUEST_HEADER + MAX_CDB] = {0};
    uint32_t out_head = REQUEST_HEADER + s->cdb_size, in_head = RESPONSE_HEADER + s->sense_size;

    if (e->in_len < in_head || virtq_read(v, e, 0, head, out_head) != out_head) {
        virtio_error(v, "request without room for header or response");
        g_free(e);
        return;
    }
    HostRequest *q = g_new0(HostRequest, 1);

    *q = (HostRequest){.s = s, .elem = e, .epoch = s->epoch, .tag = load_le64(head + 8)};
    dma_list_init(&q->data, &v->pci.dev);
    if (!decode_lun(head, &q->target, &q->lun) || !scsi_find(&s->bus, 0, q->target, SCSI_ANY_LUN)) {
        respond(q, S_BAD_TARGET);
        return;
    }
    q->to_guest = e->in_len > in_head;
    if (q->to_guest && e->out_len > out_head) {
        respond(q, S_FAILURE); /* both directions */
        return;
    }
    if (q->to_guest) {
        add_pieces(&q->data, e->in, e->num_in, in_head);
    } else {
        add_pieces(&q->data, e->out, e->num_out, out_head);
    }
    if (q->data.size && !dma_list_map(&q->data, q->to_guest)) {
        respond(q, S_FAILURE);
        return;
    }
    ScsiRequest *r = scsi_request_new(&s->bus, 0, q->target, q->lun, head + REQUEST_HEADER,
                                      s->cdb_size, request_done, q);

    q->scsi = r;
    if ((r->dir == SCSI_TO_DEVICE && q->to_guest) ||
        (r->dir == SCSI_FROM_DEVICE && !q->to_guest && q->data.size)) {
        r->moved = 0;
        respond(q, S_OVERRUN);
        scsi_request_free(r);
        return;
    }
    g_ptr_array_add(s->requests, q);
    scsi_request_run(r, q->data.iov, q->data.niov);
}

/* ---- task management, 5.6.6.2 ---- */

static bool tmf_matches(const HostRequest *q, uint32_t type, uint32_t target, uint32_t lun,
                        uint64_t tag)
{
    bool nexus = type == TMF_I_T_NEXUS_RESET,
         task = type == TMF_ABORT_TASK || type == TMF_QUERY_TASK;

    return q->target == target && (nexus || q->lun == lun) && (!task || q->tag == tag);
}

static void tmf_run(VirtioScsi *s, VirtqElem *e, const uint8_t *req)
{
    uint32_t type = load_le32(req + 4), target, lun;
    uint64_t tag = load_le64(req + 16);
    TaskManagement *t = g_new0(TaskManagement, 1);
    bool query = type == TMF_QUERY_TASK || type == TMF_QUERY_TASK_SET;

    *t =
        (TaskManagement){.s = s, .elem = e, .epoch = s->epoch, .left = 1, .response = TMF_COMPLETE};
    if (!decode_lun(req + 8, &target, &lun) || !scsi_find(&s->bus, 0, target, SCSI_ANY_LUN)) {
        t->response = S_BAD_TARGET;
    } else if (type > TMF_QUERY_TASK_SET) {
        t->response = TMF_REJECTED;
    } else if (type != TMF_I_T_NEXUS_RESET && !scsi_find(&s->bus, 0, target, lun)) {
        t->response = TMF_INCORRECT_LUN;
    } else {
        for (unsigned i = 0; i < s->requests->len; i++) {
            HostRequest *q = g_ptr_array_index(s->requests, i);

            if (!tmf_matches(q, type, target, lun, tag)) {
                continue;
            }
            if (query) {
                t->response = TMF_SUCCEEDED;
            } else if (!q->waiter) {
                q->waiter = t;
                t->left++;
            }
        }
        for (unsigned i = 0; i < s->bus.bus.devices->len; i++) {
            ScsiDevice *d = g_ptr_array_index(s->bus.bus.devices, i);

            if (d->dev.realized && d->id == target &&
                (type == TMF_I_T_NEXUS_RESET || (type == TMF_LUN_RESET && d->lun == lun))) {
                device_reset(&d->dev);
            }
        }
    }
    if (--t->left == 0) {
        tmf_finish(t);
    }
}

static void control_start(VirtioScsi *s, VirtqElem *e)
{
    VirtioDevice *v = &s->v;
    uint8_t req[24] = {0}, answer[5] = {0};
    size_t got = virtq_read(v, e, 0, req, sizeof(req));
    uint32_t type = load_le32(req);

    if (got < 4 || (type == T_TMF && (got < 24 || e->in_len < 1)) ||
        ((type == T_AN_QUERY || type == T_AN_SUBSCRIBE) && e->in_len < 5)) {
        virtio_error(v, "control request that is too short");
        g_free(e);
    } else if (type == T_TMF) {
        tmf_run(s, e, req);
    } else {
        answer[4] = type == T_AN_QUERY || type == T_AN_SUBSCRIBE ? S_OK : S_FAILURE;
        virtq_write(v, e, 0, answer, sizeof(answer));
        virtq_push(v, e, sizeof(answer));
        virtq_notify(v, e->vq);
        g_free(e);
    }
}

/* ---- events, 5.6.6.3 ---- */

static void send_event(VirtioScsi *s, uint32_t event, uint32_t reason, const ScsiDevice *d)
{
    VirtioDevice *v = &s->v;
    uint8_t buf[EVENT_LEN] = {0};

    if (!(v->status & VIRTIO_STATUS_DRIVER_OK)) {
        return;
    }
    VirtqElem *e = virtq_pop(v, &v->vq[EVENT_QUEUE]);

    if (!e) {
        s->events_missed = true;
        return;
    }
    store_le32(buf, event | (s->events_missed ? EVENTS_MISSED : 0));
    s->events_missed = false;
    if (d) {
        buf[4] = 1;
        buf[5] = d->id;
        store_be16(buf + 6, d->lun < 256 ? d->lun : 0x4000 | d->lun);
    }
    store_le32(buf + 12, reason);
    if (virtq_write(v, e, 0, buf, sizeof(buf)) != sizeof(buf)) {
        virtio_error(v, "event buffer that is too short");
    } else {
        virtq_push(v, e, sizeof(buf));
        virtq_notify(v, &v->vq[EVENT_QUEUE]);
    }
    g_free(e);
}

static void disk_plugged(ScsiBus *b, ScsiDevice *d)
{
    VirtioScsi *s = (VirtioScsi *)b->bus.owner;

    if (virtio_has(&s->v, SCSI_F_HOTPLUG) && d->dev.hotplugged) {
        send_event(s, EVENT_TRANSPORT_RESET, RESET_RESCAN, d);
    }
}

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    VirtioScsi *s = (VirtioScsi *)b->bus.owner;

    if (virtio_has(&s->v, SCSI_F_HOTPLUG)) {
        send_event(s, EVENT_TRANSPORT_RESET, RESET_REMOVED, d);
    }
}

static void disk_changed(ScsiBus *b, ScsiDevice *d, uint8_t asc, uint8_t ascq)
{
    VirtioScsi *s = (VirtioScsi *)b->bus.owner;

    if (virtio_has(&s->v, SCSI_F_CHANGE)) {
        send_event(s, EVENT_PARAM_CHANGE, asc | ascq << 8, d);
    }
}

/* ---- the device ---- */

static void scsi_notify(VirtioDevice *v, unsigned n)
{
    VirtioScsi *s = (VirtioScsi *)v;
    VirtQueue *vq = &v->vq[n];
    VirtqElem *e;

    if (n == EVENT_QUEUE) {
        if (s->events_missed) {
            send_event(s, 0, 0, NULL);
        }
        return;
    }
    do {
        virtq_enable_kick(v, vq, false);
        while ((e = virtq_pop(v, vq)) != NULL) {
            (n == CTRL_QUEUE ? control_start : request_start)(s, e);
        }
    } while (virtq_enable_kick(v, vq, true));
}

static uint64_t scsi_features(VirtioDevice *v)
{
    VirtioScsi *s = (VirtioScsi *)v;

    return (s->hotplug ? VIRTIO_BIT(SCSI_F_HOTPLUG) : 0) |
           (s->param_change ? VIRTIO_BIT(SCSI_F_CHANGE) : 0);
}

static void scsi_config_read(VirtioDevice *v)
{
    VirtioScsi *s = (VirtioScsi *)v;
    uint8_t *c = v->config;

    store_le32(c, s->num_queues);
    store_le32(c + 4, s->seg_max);
    store_le32(c + 8, s->max_sectors);
    store_le32(c + 12, s->cmd_per_lun);
    store_le32(c + 16, EVENT_LEN);
    store_le32(c + 20, s->sense_size);
    store_le32(c + 24, s->cdb_size);
    store_le16(c + 28, 0);
    store_le16(c + 30, s->bus.ops->max_target);
    store_le32(c + 32, s->bus.ops->max_lun);
}

static void scsi_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioScsi *s = (VirtioScsi *)v;
    uint32_t sense = load_le32(v->config + 20), cdb = load_le32(v->config + 24);

    if (sense > 65535 || cdb == 0 || cdb > MAX_CDB) {
        virtio_error(v, "sense size %u or CDB size %u out of range", sense, cdb);
        return;
    }
    s->sense_size = sense;
    s->cdb_size = cdb;
}

static const ScsiBusOps virtio_scsi_bus_ops = {
    .plugged = disk_plugged,
    .unplugged = disk_unplugged,
    .changed = disk_changed,
    .max_channel = 0,
    .max_target = 255,
    .max_lun = 16383,
};

static bool scsi_realize(VirtioDevice *v, GError **error)
{
    VirtioScsi *s = (VirtioScsi *)v;

    if (s->num_queues == UINT32_MAX) {
        s->num_queues = virtio_auto_queues(v, FIRST_QUEUE);
    }
    if (s->num_queues == 0 || s->num_queues > VIRTIO_MAX_QUEUES - FIRST_QUEUE) {
        return fail(error, "virtio-scsi: property 'num_queues' must be 1 to %d, not %u",
                    VIRTIO_MAX_QUEUES - FIRST_QUEUE, s->num_queues);
    }
    if (s->queue_size < 8 || s->queue_size > VIRTIO_QUEUE_MAX ||
        (s->queue_size & (s->queue_size - 1))) {
        return fail(
            error,
            "virtio-scsi: property 'virtqueue_size' must be a power of two from 8 to %u, not %u",
            VIRTIO_QUEUE_MAX, s->queue_size);
    }
    s->seg_max = MIN(SEG_MAX, s->queue_size - 2);
    s->requests = g_ptr_array_new();
    for (unsigned i = 0; i < s->num_queues + FIRST_QUEUE; i++) {
        virtio_add_queue(v, s->queue_size);
    }
    v->loop = iothread_loop(s->iothread);
    scsi_bus_init(&s->bus, &v->pci.dev, &virtio_scsi_bus_ops);
    s->bus.loop = v->loop;
    return true;
}

static void scsi_unrealize(VirtioDevice *v)
{
    VirtioScsi *s = (VirtioScsi *)v;

    bus_fini(&s->bus.bus);
    g_ptr_array_unref(s->requests);
}

static void scsi_reset(VirtioDevice *v)
{
    VirtioScsi *s = (VirtioScsi *)v;

    s->epoch++;
    s->sense_size = 96;
    s->cdb_size = 32;
    s->events_missed = false;
}

static const Prop scsi_props[] = {
    PROP_U32(VirtioScsi, num_queues, "num_queues", UINT32_MAX,
             .help = "4294967295: one for each CPU (PCI), or one"),
    PROP_U32(VirtioScsi, queue_size, "virtqueue_size", 256),
    PROP_U32(VirtioScsi, max_sectors, "max_sectors", 0xffff),
    PROP_U32(VirtioScsi, cmd_per_lun, "cmd_per_lun", 128),
    PROP_LINK(VirtioScsi, iothread, "iothread", "iothread"),
    PROP_BOOL(VirtioScsi, hotplug, "hotplug", true),
    PROP_BOOL(VirtioScsi, param_change, "param_change", true),
    PROP_END,
};

static const StateField scsi_state[] = {
    STATE(VirtioScsi, sense_size),
    STATE(VirtioScsi, cdb_size),
    STATE(VirtioScsi, events_missed),
    HOST_ONLY(VirtioScsi, bus, "devices on it keep their own"),
    HOST_ONLY(VirtioScsi, seg_max, "by the queue size"),
    HOST_ONLY(VirtioScsi, epoch, "tells old requests from new"),
    HOST_ONLY(VirtioScsi, requests, "empty while the machine is stopped"),
    STATE_END,
};

static const VirtioType scsi_type = {
    .name = "virtio-scsi",
    .desc = "SCSI host",
    .category = "storage",
    .id = 8,
    .legacy_pci_id = 0x1004,
    .pci_class = 0x010000,
    .size = sizeof(VirtioScsi),
    .config_size = 36,
    .props = scsi_props,
    .state = scsi_state,
    .realize = scsi_realize,
    .unrealize = scsi_unrealize,
    .reset = scsi_reset,
    .features = scsi_features,
    .config_read = scsi_config_read,
    .config_write = scsi_config_write,
    .notify = scsi_notify,
};
VIRTIO_TYPE(scsi_type);
