// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NVM Express controller (NVM Express Base Specification 1.4, chapters 3 and 4): registers,
 * doorbells, submission and completion queues, physical region pages, interrupts. Left out: scatter
 * gather lists, controller memory buffer, several controllers of one subsystem.
 */
#include <inttypes.h>

#include "nvme.h"

#include "qom/vm.h"

enum {
    CC_EN = 1,
    CSTS_RDY = 1,
    CSTS_CFS = 2
};
enum {
    SHUTDOWN_DONE = 2
};
#define CC_MPS(cc) ((cc) >> 7 & 15)
#define CC_SHN(cc) ((cc) >> 14 & 3)
#define CC_IOSQES(cc) ((cc) >> 16 & 15)
#define CC_IOCQES(cc) ((cc) >> 20 & 15)
#define DOORBELLS 0x1000
#define BAR_SIZE 0x4000
/* MQES, contiguous queues, 7.5 s, NVM command set, host pages of 4 to 64 KiB */
#define CAP_VALUE ((NVME_QUEUE_ENTRIES - 1) | 1ull << 16 | 15ull << 24 | 1ull << 37 | 4ull << 52)
#define VERSION 0x00010400

static uint64_t page_bytes(const NvmeCtrl *s)
{
    return 4096ull << CC_MPS(s->cc);
}

/* ---- interrupts, 7.5 ---- */

void nvme_cq_update_irq(NvmeCtrl *s)
{
    bool level = false;

    if (pci_msix_enabled(&s->pci)) {
        pci_set_irq(&s->pci, 0);
        return;
    }
    for (unsigned i = 0; i < NVME_MAX_QUEUES; i++) {
        level |= s->cq[i].interrupting && !(s->intms & 1u << (s->cq[i].vector & 31));
    }
    pci_set_irq(&s->pci, level);
}

static void cq_interrupt(NvmeCtrl *s, NvmeCq *cq)
{
    if (!cq->irq_enabled) {
        return;
    }
    if (pci_msix_enabled(&s->pci)) {
        pci_msix_notify(&s->pci, cq->vector);
    } else {
        cq->interrupting = true;
        nvme_cq_update_irq(s);
    }
}

/* ---- completions, 4.6 ---- */

static bool cq_full(const NvmeCq *cq)
{
    return (cq->tail + 1) % cq->size == cq->head;
}

static void request_free(NvmeRequest *r)
{
    dma_list_unmap(&r->data, 0);
    dma_list_free(&r->data);
    g_free(r->own);
    g_free(r);
}

/* False: the queue's memory cannot be written, which is fatal (9.5). */
static bool cq_post(NvmeCtrl *s, NvmeCq *cq, NvmeRequest *r)
{
    NvmeSq *sq = &s->sq[r->sqid];
    uint8_t entry[NVME_CQE];

    store_le32(entry, r->result);
    store_le32(entry + 4, 0);
    store_le16(entry + 8, sq->head);
    store_le16(entry + 10, r->sqid);
    store_le16(entry + 12, r->cid);
    store_le16(entry + 14, r->status << 1 | cq->phase);
    if (!dma_write(&s->pci.dev, cq->base + (uint64_t)cq->tail * NVME_CQE, entry, sizeof(entry))) {
        s->csts |= CSTS_CFS;
        return false;
    }
    cq->tail = (cq->tail + 1) % cq->size;
    cq->phase ^= cq->tail == 0;
    return true;
}

static void kick(NvmeCtrl *s, unsigned sqid)
{
    s->kicked[sqid / 64] |= 1ull << (sqid & 63);
    bh_schedule(s->kick_bh);
}

void nvme_complete(NvmeRequest *r, int status)
{
    NvmeCtrl *s = r->ctrl;
    NvmeSq *sq = &s->sq[r->sqid];

    if (r->epoch != sq->epoch) {
        request_free(r); /* its queue has gone */
        return;
    }
    NvmeCq *cq = &s->cq[sq->cqid];

    dma_list_unmap(&r->data, r->to_guest && status == NVME_OK ? r->data.size : 0);
    r->status = status;
    if (cq_full(cq)) {
        g_queue_push_tail(&cq->waiting, r);
        return;
    }
    bool posted = cq_post(s, cq, r);

    /* The queue may have been at its limit of requests. */
    if (sq->in_flight-- == sq->size) {
        kick(s, r->sqid);
    }
    request_free(r);
    if (posted) {
        cq_interrupt(s, cq);
    }
}

/* The host took entries: those that waited for room follow. */
static void cq_head_moved(NvmeCtrl *s, NvmeCq *cq)
{
    bool posted = false;
    NvmeRequest *r;

    while (!cq_full(cq) && (r = g_queue_pop_head(&cq->waiting)) != NULL) {
        if (r->epoch == s->sq[r->sqid].epoch) {
            posted |= cq_post(s, cq, r);
            s->sq[r->sqid].in_flight--;
            kick(s, r->sqid);
        }
        request_free(r);
    }
    if (cq->head == cq->tail) {
        cq->interrupting = false;
        nvme_cq_update_irq(s);
    }
    if (posted) {
        cq_interrupt(s, cq);
    }
}

/* ---- submissions ---- */

static void sq_run(NvmeCtrl *s, unsigned sqid)
{
    NvmeSq *sq = &s->sq[sqid];
    uint32_t epoch = sq->epoch;

    while (sq->epoch == epoch && sq->size && sq->head != sq->tail && sq->in_flight < sq->size &&
           !(s->csts & CSTS_CFS)) {
        NvmeRequest *r = g_new0(NvmeRequest, 1);
        uint64_t at = sq->base + (uint64_t)sq->head * NVME_SQE;

        r->ctrl = s;
        r->sqid = sqid;
        r->epoch = epoch;
        dma_list_init(&r->data, &s->pci.dev);
        if (!dma_read(&s->pci.dev, at, r->cmd, NVME_SQE)) {
            s->csts |= CSTS_CFS;
            request_free(r);
            return;
        }
        sq->head = (sq->head + 1) % sq->size;
        sq->in_flight++;
        r->cid = load_le16(r->cmd + 2);

        int status = r->cmd[1] & 0xc3 ? NVME_INVALID_FIELD | NVME_DNR : /* fused, or SGL */
                         sqid ? nvme_io_command(r)
                              : nvme_admin_command(r);

        if (status != NVME_PENDING) {
            nvme_complete(r, status);
        }
    }
}

static void nvme_run_queues(void *opaque)
{
    NvmeCtrl *s = opaque;

    for (unsigned i = 0; i < NVME_MAX_QUEUES; i++) {
        if (s->kicked[i / 64] & 1ull << (i & 63)) {
            s->kicked[i / 64] &= ~(1ull << (i & 63));
            sq_run(s, i);
        }
    }
}

void nvme_sq_delete(NvmeCtrl *s, unsigned qid)
{
    NvmeSq *sq = &s->sq[qid];

    if (sq->size) {
        s->cq[sq->cqid].users--;
        *sq = (NvmeSq){.epoch = sq->epoch + 1};
    }
}

/* ---- physical region pages, 4.3 ---- */

static int prp_list(NvmeRequest *r, uint64_t list, uint64_t left)
{
    NvmeCtrl *s = r->ctrl;
    uint64_t page = page_bytes(s);

    if (list & 7) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    while (left) {
        bool ok, last = (list & (page - 1)) == page - 8;
        uint64_t entry = dma_load(&s->pci.dev, list, 8, DEV_LITTLE, &ok);

        if (!ok) {
            return NVME_TRANSFER_ERROR;
        }
        if (entry & (page - 1)) {
            return NVME_INVALID_PRP_OFFSET | NVME_DNR;
        }
        if (last && left > page) {
            list = entry; /* each list but the first is a page: this ends */
            continue;
        }
        dma_list_add(&r->data, entry, MIN(left, page));
        left -= MIN(left, page);
        list += 8;
    }
    return NVME_OK;
}

int nvme_map_prp(NvmeRequest *r, uint64_t len, bool to_guest)
{
    uint64_t page = page_bytes(r->ctrl);
    uint64_t prp1 = load_le64(r->cmd + 24), prp2 = load_le64(r->cmd + 32);
    uint64_t first = MIN(len, page - (prp1 & (page - 1)));

    if (prp1 & 3) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    dma_list_add(&r->data, prp1, first);
    if (len - first > page) {
        int status = prp_list(r, prp2, len - first);

        if (status != NVME_OK) {
            return status;
        }
    } else if (len > first) {
        if (prp2 & (page - 1)) {
            return NVME_INVALID_PRP_OFFSET | NVME_DNR;
        }
        dma_list_add(&r->data, prp2, len - first);
    }
    r->to_guest = to_guest;
    return dma_list_map(&r->data, to_guest) ? NVME_OK : NVME_TRANSFER_ERROR;
}

static int copy_data(NvmeRequest *r, uint8_t *buf, uint64_t len, bool to_guest)
{
    int status = len ? nvme_map_prp(r, len, to_guest) : NVME_OK;

    for (unsigned i = 0; status == NVME_OK && len && i < r->data.niov; i++) {
        struct iovec *v = &r->data.iov[i];

        memcpy(to_guest ? v->iov_base : buf, to_guest ? buf : v->iov_base, v->iov_len);
        buf += v->iov_len;
    }
    return status;
}

int nvme_reply(NvmeRequest *r, const void *buf, uint64_t len)
{
    return copy_data(r, (uint8_t *)buf, len, true);
}

int nvme_fetch(NvmeRequest *r, void *buf, uint64_t len)
{
    return copy_data(r, buf, len, false);
}

/* ---- reset and enabling, 7.3 and 7.6.1 ---- */

static void controller_stop(NvmeCtrl *s)
{
    for (unsigned i = 0; i < NVME_MAX_QUEUES; i++) {
        NvmeRequest *r;

        while ((r = g_queue_pop_head(&s->cq[i].waiting)) != NULL) {
            request_free(r);
        }
        s->sq[i] = (NvmeSq){.epoch = s->sq[i].epoch + 1};
        s->cq[i] = (NvmeCq){.waiting = G_QUEUE_INIT};
    }
    s->kicked[0] = s->kicked[1] = 0;
    s->num_aers = 0;
    s->events_pending = s->events_masked = 0;
    s->csts = 0;
    nvme_cq_update_irq(s);
}

static void controller_start(NvmeCtrl *s)
{
    uint32_t sq_size = (s->aqa & 0xfff) + 1, cq_size = (s->aqa >> 16 & 0xfff) + 1;
    uint64_t page = page_bytes(s);

    if (CC_MPS(s->cc) > 4 || (s->cc >> 4 & 7) != 0 || !s->asq || !s->acq || (s->asq & (page - 1)) ||
        (s->acq & (page - 1)) || sq_size < 2 || cq_size < 2 ||
        (CC_IOSQES(s->cc) != 0 && CC_IOSQES(s->cc) != 6) ||
        (CC_IOCQES(s->cc) != 0 && CC_IOCQES(s->cc) != 4)) {
        guest_error("nvme: enabled with CC %#x, AQA %#x, ASQ %#" PRIx64 ", ACQ %#" PRIx64, s->cc,
                    s->aqa, s->asq, s->acq);
        s->csts = CSTS_CFS;
        return;
    }
    s->sq[0] = (NvmeSq){.base = s->asq, .size = sq_size, .epoch = s->sq[0].epoch + 1};
    s->cq[0] = (NvmeCq){.base = s->acq,
                        .size = cq_size,
                        .phase = 1,
                        .irq_enabled = true,
                        .users = 1,
                        .waiting = G_QUEUE_INIT};
    s->csts = CSTS_RDY;
}

static void cc_write(Device *d, const RegAccess *a)
{
    NvmeCtrl *s = (NvmeCtrl *)d;
    uint32_t old = a->old, now = a->value;

    if (!(old & CC_EN) && (now & CC_EN)) {
        controller_start(s);
    } else if ((old & CC_EN) && !(now & CC_EN)) {
        controller_stop(s);
    }
    if (CC_SHN(now) && !CC_SHN(old)) {
        s->csts |= SHUTDOWN_DONE << 2; /* the block layer has all writes; 7.6.2 */
    } else if (!CC_SHN(now) && CC_SHN(old)) {
        s->csts &= ~(3u << 2);
    }
}

static void intms_write(Device *d, const RegAccess *a)
{
    NvmeCtrl *s = (NvmeCtrl *)d;

    s->intms = a->old | (a->value & a->mask);
    nvme_cq_update_irq(s);
}

static void intmc_write(Device *d, const RegAccess *a)
{
    NvmeCtrl *s = (NvmeCtrl *)d;

    s->intms &= ~(a->value & a->mask);
    nvme_cq_update_irq(s);
}

static uint64_t intmc_read(Device *d, const RegAccess *a)
{
    return ((NvmeCtrl *)d)->intms;
}

/* ---- doorbells, 3.1.24 ---- */

enum {
    EVENT_ERROR = 0,
    BAD_DOORBELL_REGISTER = 0,
    BAD_DOORBELL_VALUE = 1
};

static void doorbell_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    NvmeCtrl *s = opaque;
    unsigned qid = (offset - DOORBELLS) / 8;

    if (offset < DOORBELLS || (offset & 3) || !(s->csts & CSTS_RDY) || (s->csts & CSTS_CFS)) {
        return;
    }
    if (qid >= NVME_MAX_QUEUES || (offset & 4 ? s->cq[qid].size : s->sq[qid].size) == 0) {
        nvme_event(s, EVENT_ERROR, BAD_DOORBELL_REGISTER);
        return;
    }
    if ((value & 0xffff) >= (offset & 4 ? s->cq[qid].size : s->sq[qid].size)) {
        nvme_event(s, EVENT_ERROR, BAD_DOORBELL_VALUE);
        return;
    }
    if (offset & 4) {
        s->cq[qid].head = value & 0xffff;
        cq_head_moved(s, &s->cq[qid]);
    } else {
        s->sq[qid].tail = value & 0xffff;
        kick(s, qid);
    }
}

static uint64_t doorbell_read(void *opaque, hwaddr offset, unsigned size)
{
    return 0;
}

/* ---- asynchronous events, 5.2 ---- */

void nvme_post_events(NvmeCtrl *s)
{
    uint8_t ready = s->events_pending & ~s->events_masked;

    while (s->num_aers && ready) {
        unsigned type = __builtin_ctz(ready);
        NvmeRequest *r = g_new0(NvmeRequest, 1);
        /* log page that tells more: error information, SMART, changed namespaces */
        static const uint8_t pages[] = {1, 2, 4};

        *r = (NvmeRequest){.ctrl = s,
                           .cid = s->aer_cids[--s->num_aers],
                           .epoch = s->sq[0].epoch,
                           .result = type | s->event_info[type] << 8 | pages[type] << 16};
        dma_list_init(&r->data, &s->pci.dev);
        s->events_pending &= ~(1 << type);
        s->events_masked |= 1 << type;
        ready &= ~(1 << type);
        nvme_complete(r, NVME_OK);
    }
}

void nvme_event(NvmeCtrl *s, unsigned type, unsigned info)
{
    if (s->csts & CSTS_RDY) {
        s->events_pending |= 1 << type;
        s->event_info[type] = info;
        nvme_post_events(s);
    }
}

/* ---- the device ---- */

static bool nvme_check(NvmeCtrl *s, GError **error)
{
    if (!s->serial) {
        return fail(error, "serial property not set");
    }
    if (strlen(s->serial) > 20) {
        return fail(error, "nvme: serial '%s' is longer than 20 characters", s->serial);
    }
    if (s->max_ioqpairs < 1 || s->max_ioqpairs >= NVME_MAX_QUEUES) {
        return fail(error, "max_ioqpairs must be between 1 and %u", NVME_MAX_QUEUES - 1);
    }
    if (s->msix_qsize < 1 || s->msix_qsize > 2048) {
        return fail(error, "msix_qsize must be between 1 and 2048");
    }
    if (s->aerl >= NVME_MAX_AERS) {
        return fail(error, "nvme: aerl must be below %u, not %u", NVME_MAX_AERS, s->aerl);
    }
    if (s->mdts > 11) {
        return fail(error, "nvme: mdts must be at most 11 (8 MiB), not %u", s->mdts);
    }
    return true;
}

static bool nvme_realize(Device *d, GError **error)
{
    NvmeCtrl *s = (NvmeCtrl *)d;

    if (!nvme_check(s, error)) {
        return false;
    }
    if (s->drive) {
        s->own.nsid = 1;
        if (!nvme_ns_setup(&s->own, s->drive, &s->conf, error) ||
            !nvme_ns_attach(s, &s->own, error)) {
            return false;
        }
    }
    if (s->use_intel_id) {
        pci_config_set(&s->pci, PCI_VENDOR_ID, 2, 0x8086);
        pci_config_set(&s->pci, PCI_DEVICE_ID, 2, 0x5845);
    }
    if (!pci_msix_init(&s->pci, s->msix_qsize, 4, error)) {
        return false;
    }
    s->kick_bh = bh_new(nvme_run_queues, s);
    bus_init(&s->bus, &nvme_bus_type, d, d->id);
    return true;
}

static void nvme_unrealize(Device *d)
{
    NvmeCtrl *s = (NvmeCtrl *)d;

    controller_stop(s);
    if (s->drive) {
        block_drain(s->drive);
        nvme_ns_detach(s, &s->own);
    }
    bus_fini(&s->bus);
    g_clear_pointer(&s->kick_bh, bh_free);
}

static void nvme_reset(Device *d)
{
    NvmeCtrl *s = (NvmeCtrl *)d;

    controller_stop(s);
    s->async_config = 0;
    s->temperature_high = 343; /* K */
    s->temperature_low = 0;
    s->arbitration = s->error_recovery = s->power_state = s->coalescing = 0;
    s->timestamp_base = 0;
    s->timestamp_set_ns = 0;
    memset(s->changed_ns, 0, sizeof(s->changed_ns));
}

static const RegionOps doorbell_ops = {
    .read = doorbell_read,
    .write = doorbell_write,
    .min_size = 4,
    .max_size = 4,
    .endian = DEV_LITTLE,
};

static const Reg nvme_regs[] = {
    REG(NvmeCtrl, 0x00, cap, .reset = CAP_VALUE, .help = "controller capabilities"),
    REG(NvmeCtrl, 0x08, vs, .reset = VERSION, .help = "version"),
    REG(NvmeCtrl, 0x0c, intms, .write = intms_write, .help = "interrupt mask, written 1 sets"),
    REG_HOOK(0x10, 4, "intmc", .read = intmc_read, .write = intmc_write,
             .help = "interrupt mask, written 1 clears"),
    REG(NvmeCtrl, 0x14, cc, .wmask = 0x00fffff1, .write = cc_write, .help = "configuration"),
    REG(NvmeCtrl, 0x1c, csts, .w1c = 0x10, .help = "status"),
    REG(NvmeCtrl, 0x24, aqa, .wmask = 0x0fff0fff, .help = "admin queues' sizes less 1"),
    REG(NvmeCtrl, 0x28, asq, .wmask = ~0xfffull, .help = "admin submission queue"),
    REG(NvmeCtrl, 0x30, acq, .wmask = ~0xfffull, .help = "admin completion queue"),
};

static const RegBank nvme_banks[] = {
    {.name = "mmio",
     .size = BAR_SIZE,
     BANK_REGS(nvme_regs),
     .ops = &doorbell_ops,
     .endian = DEV_LITTLE},
    {0},
};

static const Prop nvme_props[] = {
    PROP_DRIVE(NvmeCtrl, drive),
    PROP_STRING(NvmeCtrl, serial, "serial",
                .help = "shown to the guest; up to 20 characters, required"),
    PROP_U32(NvmeCtrl, max_ioqpairs, "max_ioqpairs", 64),
    PROP_U16(NvmeCtrl, msix_qsize, "msix_qsize", 65),
    PROP_U8(NvmeCtrl, aerl, "aerl", 3),
    PROP_U32(NvmeCtrl, aer_max_queued, "aer_max_queued", 64),
    PROP_U8(NvmeCtrl, mdts, "mdts", 7, .help = "largest transfer, 4 KiB shifted by this; 0: 8 MiB"),
    PROP_BOOL(NvmeCtrl, use_intel_id, "use-intel-id", false),
    PROP_DRIVE_SIZES(NvmeCtrl, conf),
    PROP_DRIVE_SHARING(NvmeCtrl, conf),
    PROP_I32(NvmeCtrl, bootindex, "bootindex", -1),
    PROP_END,
};

/* A submission queue has a completion queue. */
static bool nvme_check_load(Device *d, GError **error)
{
    const NvmeCtrl *s = (NvmeCtrl *)d;

    for (unsigned i = 0; i < NVME_MAX_QUEUES; i++) {
        if (s->sq[i].size && !s->cq[s->sq[i].cqid].size) {
            return fail(error, "queue %u completes into queue %u, which is not there", i,
                        s->sq[i].cqid);
        }
    }
    return true;
}

static const StateField sq_state[] = {
    STATE(NvmeSq, base),
    STATE_MAX(NvmeSq, size, 65536),
    STATE_BELOW(NvmeSq, head, size, 65535),
    STATE_BELOW(NvmeSq, tail, size, 65535),
    STATE_MAX(NvmeSq, cqid, NVME_MAX_QUEUES - 1),
    HOST_ONLY(NvmeSq, in_flight, "zero while the machine is stopped"),
    HOST_ONLY(NvmeSq, epoch, "tells old requests from new"),
    STATE_END,
};

static const StateField cq_state[] = {
    STATE(NvmeCq, base),
    STATE_MAX(NvmeCq, size, 65536),
    STATE_BELOW(NvmeCq, head, size, 65535),
    STATE_BELOW(NvmeCq, tail, size, 65535),
    STATE(NvmeCq, vector),
    STATE(NvmeCq, users),
    STATE(NvmeCq, phase),
    STATE(NvmeCq, irq_enabled),
    STATE(NvmeCq, interrupting),
    HOST_ONLY(NvmeCq, waiting, "requests have ended before state is saved"),
    STATE_END,
};

static const StateField nvme_state[] = {
    HOST_ONLY(NvmeCtrl, conf, "properties"),
    STATE_STRUCTS(NvmeCtrl, sq, sq_state),
    STATE_STRUCTS(NvmeCtrl, cq, cq_state),
    STATE_ARRAY(NvmeCtrl, kicked),
    STATE_ARRAY(NvmeCtrl, aer_cids),
    STATE_COUNT(NvmeCtrl, num_aers, aer_cids),
    STATE_MAX(NvmeCtrl, events_pending, 7),
    STATE(NvmeCtrl, events_masked),
    STATE_ARRAY(NvmeCtrl, event_info),
    STATE(NvmeCtrl, async_config),
    STATE(NvmeCtrl, temperature_high),
    STATE(NvmeCtrl, temperature_low),
    STATE(NvmeCtrl, arbitration),
    STATE(NvmeCtrl, error_recovery),
    STATE(NvmeCtrl, power_state),
    STATE(NvmeCtrl, coalescing),
    STATE(NvmeCtrl, timestamp_base),
    STATE(NvmeCtrl, timestamp_set_ns),
    STATE(NvmeCtrl, host_reads),
    STATE(NvmeCtrl, host_writes),
    STATE(NvmeCtrl, units_read),
    STATE(NvmeCtrl, units_written),
    STATE_ARRAY(NvmeCtrl, changed_ns),
    HOST_ONLY(NvmeCtrl, nssr, "not implemented, reads as 0"),
    HOST_ONLY(NvmeCtrl, bus, "host side"),
    HOST_ONLY(NvmeCtrl, kick_bh, "host side"),
    HOST_ONLY(NvmeCtrl, namespaces, "by the devices on the bus"),
    HOST_ONLY(NvmeCtrl, own, "by property drive"),
    STATE_END,
};

static const PciInfo nvme_pci = {
    .vendor = 0x1b36,
    .device = 0x0010,
    .class_code = 0x010802,
    .revision = 2,
    .pin = 1,
    .express = true,
    .bar = {[0] = {.kind = PCI_BAR_MEM64, .bank = "mmio"}},
};

static const DeviceType nvme_type = {
    .name = "nvme",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "storage",
    .desc = "Non-Volatile Memory Express",
    .size = sizeof(NvmeCtrl),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &nvme_pci,
    .props = nvme_props,
    .banks = nvme_banks,
    .state = nvme_state,
    .realize = nvme_realize,
    .unrealize = nvme_unrealize,
    .reset = nvme_reset,
    .check_load = nvme_check_load,
};
DEVICE_TYPE(nvme_type);
