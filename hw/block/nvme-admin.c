// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Admin commands of the NVM Express controller (NVM Express Base Specification 1.4, chapter 5):
 * queues, identify structures, log pages, features, asynchronous events.
 */
#include "nvme.h"

#include "util/timer.h"

#define NS_PER_MS 1000000ull
#define BYTES_PER_UNIT 512000u /* of SMART's counts: 1000 sectors of 512 bytes */

/* ---- queues, 5.3 to 5.6 ---- */

static int create_cq(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    unsigned qid = nvme_dw(r, 10) & 0xffff, vector = nvme_dw(r, 11) >> 16;
    uint32_t size = (nvme_dw(r, 10) >> 16) + 1;
    uint64_t base = load_le64(r->cmd + 24);

    if (qid == 0 || qid > s->max_ioqpairs || s->cq[qid].size) {
        return NVME_QID_INVALID | NVME_DNR;
    }
    if (size < 2 || size > NVME_QUEUE_ENTRIES) {
        return NVME_QUEUE_SIZE_INVALID | NVME_DNR;
    }
    if (vector >= s->msix_qsize || (!pci_msix_enabled(&s->pci) && vector)) {
        return NVME_INVALID_VECTOR | NVME_DNR;
    }
    if (!(nvme_dw(r, 11) & 1)) { /* CAP.CQR: contiguous only */
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (base == 0 || (base & (NVME_PAGE - 1))) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    s->cq[qid] = (NvmeCq){.base = base,
                          .size = size,
                          .vector = vector,
                          .phase = 1,
                          .irq_enabled = nvme_dw(r, 11) & 2,
                          .waiting = G_QUEUE_INIT};
    return NVME_OK;
}

static int create_sq(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    unsigned qid = nvme_dw(r, 10) & 0xffff, cqid = nvme_dw(r, 11) >> 16;
    uint32_t size = (nvme_dw(r, 10) >> 16) + 1;
    uint64_t base = load_le64(r->cmd + 24);

    if (cqid == 0 || cqid > s->max_ioqpairs || !s->cq[cqid].size) {
        return NVME_CQ_INVALID | NVME_DNR;
    }
    if (qid == 0 || qid > s->max_ioqpairs || s->sq[qid].size) {
        return NVME_QID_INVALID | NVME_DNR;
    }
    if (size < 2 || size > NVME_QUEUE_ENTRIES) {
        return NVME_QUEUE_SIZE_INVALID | NVME_DNR;
    }
    if (!(nvme_dw(r, 11) & 1)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (base == 0 || (base & (NVME_PAGE - 1))) {
        return NVME_INVALID_PRP_OFFSET | NVME_DNR;
    }
    s->sq[qid] = (NvmeSq){.base = base, .size = size, .cqid = cqid, .epoch = s->sq[qid].epoch + 1};
    s->cq[cqid].users++;
    return NVME_OK;
}

static int delete_sq(NvmeRequest *r)
{
    unsigned qid = nvme_dw(r, 10) & 0xffff;

    if (qid == 0 || qid >= NVME_MAX_QUEUES || !r->ctrl->sq[qid].size) {
        return NVME_QID_INVALID | NVME_DNR;
    }
    nvme_sq_delete(r->ctrl, qid);
    return NVME_OK;
}

static int delete_cq(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    unsigned qid = nvme_dw(r, 10) & 0xffff;

    if (qid == 0 || qid >= NVME_MAX_QUEUES || !s->cq[qid].size) {
        return NVME_QID_INVALID | NVME_DNR;
    }
    if (s->cq[qid].users) {
        return NVME_INVALID_QUEUE_DELETION | NVME_DNR;
    }
    /* What waits belongs to queues that have gone: completing frees it. */
    GQueue orphans = s->cq[qid].waiting;

    s->cq[qid] = (NvmeCq){.waiting = G_QUEUE_INIT};
    for (NvmeRequest *o; (o = g_queue_pop_head(&orphans)) != NULL;) {
        nvme_complete(o, NVME_ABORTED);
    }
    nvme_cq_update_irq(s);
    return NVME_OK;
}

/* ---- identify, 5.15 ---- */

static void put_text(uint8_t *at, unsigned len, const char *text)
{
    memset(at, ' ', len);
    memcpy(at, text, MIN(strlen(text), len));
}

static bool write_cache(NvmeCtrl *s)
{
    for (unsigned i = 1; i <= NVME_MAX_NAMESPACES; i++) {
        if (s->namespaces[i] && s->namespaces[i]->drive->write_cache) {
            return true;
        }
    }
    return false;
}

static void identify_controller(NvmeCtrl *s, uint8_t *id)
{
    g_autofree char *nqn = g_strdup_printf("nqn.2019-08.org.qemu:%s", s->serial);

    store_le16(id, pci_config_get(&s->pci, PCI_VENDOR_ID, 2));
    store_le16(id + 2, pci_config_get(&s->pci, PCI_SUBSYSTEM_VENDOR_ID, 2));
    put_text(id + 4, 20, s->serial);
    put_text(id + 24, 40, "QEMU NVMe Ctrl");
    put_text(id + 64, 8, "7.2.0");
    id[72] = 6; /* recommended arbitration burst */
    id[74] = 0x54; /* OUI */
    id[75] = 0x52;
    id[77] = s->mdts ? s->mdts : 11;
    store_le32(id + 80, s->vs);
    store_le32(id + 92, 1 << 8); /* tells of changed namespaces */
    id[111] = 1; /* an I/O controller */
    id[258] = 3; /* abort limit, less 1 */
    id[259] = s->aerl;
    id[260] = 1 << 1 | 1; /* one firmware slot, read-only */
    id[261] = 1 << 1 | 1 << 2; /* command effects, long log offsets */
    store_le16(id + 266, 343); /* warning temperature, K */
    store_le16(id + 268, 373);
    id[512] = 6 << 4 | 6;
    id[513] = 4 << 4 | 4;
    store_le32(id + 516, NVME_MAX_NAMESPACES);
    store_le16(id + 520, 1 | 1 << 2 | 1 << 3 | 1 << 6); /* compare, DSM, write zeroes, timestamp */
    id[525] = write_cache(s);
    g_strlcpy((char *)id + 768, nqn, 256);
    store_le16(id + 2048, 2500); /* power state 0: 25 W */
    store_le32(id + 2052, 16);
    store_le32(id + 2056, 4);
}

static void identify_namespace(const NvmeNamespace *ns, uint8_t *id)
{
    uint64_t blocks = nvme_ns_blocks(ns);

    store_le64(id, blocks);
    store_le64(id + 8, blocks);
    store_le64(id + 16, blocks);
    id[24] = 1; /* thin: deallocation is real */
    id[33] = 1 | 1 << 3; /* deallocated blocks read as 0, by write zeroes too */
    store_be64(id + 120, ns->eui64);
    id[128 + 2] = __builtin_ctz(ns->block_bytes);
}

/* Namespaces above nsid, as a list of 1024. */
static void identify_list(NvmeCtrl *s, uint32_t nsid, uint8_t *id)
{
    unsigned n = 0;

    for (uint32_t i = nsid + 1; i <= NVME_MAX_NAMESPACES; i++) {
        if (s->namespaces[i]) {
            store_le32(id + 4 * n++, i);
        }
    }
}

/* 5.15.2.4: identifiers that stay. */
static void identify_descriptors(const NvmeNamespace *ns, uint8_t *id)
{
    id[0] = 3;
    id[1] = 16;
    memcpy(id + 4, ns->uuid, 16);
    if (ns->eui64) {
        id[20] = 1;
        id[21] = 8;
        store_be64(id + 24, ns->eui64);
    }
}

static int identify(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    g_autofree uint8_t *id = g_malloc0(NVME_PAGE);
    uint32_t nsid = nvme_dw(r, 1);
    unsigned what = nvme_dw(r, 10) & 0xff;
    NvmeNamespace *ns = nsid && nsid <= NVME_MAX_NAMESPACES ? s->namespaces[nsid] : NULL;

    if ((what == 0 || what == 3) &&
        (nsid == 0 || (nsid > NVME_MAX_NAMESPACES && nsid != NVME_NSID_ALL))) {
        return NVME_INVALID_NAMESPACE | NVME_DNR;
    }
    switch (what) {
    case 0:
        if (ns) {
            identify_namespace(ns, id);
        } else if (nsid == NVME_NSID_ALL) {
            return NVME_INVALID_NAMESPACE | NVME_DNR; /* no namespace management */
        }
        break;
    case 1:
        identify_controller(s, id);
        break;
    case 2:
        if (nsid >= NVME_NSID_ALL - 1) {
            return NVME_INVALID_NAMESPACE | NVME_DNR;
        }
        identify_list(s, nsid, id);
        break;
    case 3:
        if (!ns) {
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        identify_descriptors(ns, id);
        break;
    default:
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    return nvme_reply(r, id, NVME_PAGE);
}

/* ---- log pages, 5.14 ---- */

static void smart_log(NvmeCtrl *s, uint8_t *log)
{
    store_le16(log + 1, 323); /* 50 C */
    log[3] = 100; /* spare */
    store_le64(log + 32, (s->units_read * 512 + BYTES_PER_UNIT - 1) / BYTES_PER_UNIT);
    store_le64(log + 48, (s->units_written * 512 + BYTES_PER_UNIT - 1) / BYTES_PER_UNIT);
    store_le64(log + 64, s->host_reads);
    store_le64(log + 80, s->host_writes);
    store_le64(log + 128, clock_now_ns(CLOCK_GUEST) / (NS_PER_MS * 1000 * 3600));
}

static void effects_log(uint8_t *log)
{
    static const uint8_t admin[] = {0, 1, 2, 4, 5, 6, 8, 9, 10, 12}, io[] = {0, 1, 2, 5, 8, 9, 12};

    for (unsigned i = 0; i < G_N_ELEMENTS(admin); i++) {
        store_le32(log + 4 * admin[i], 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(io); i++) {
        bool changes = io[i] == 1 || io[i] == 8 || io[i] == 9;

        store_le32(log + 1024 + 4 * io[i], changes ? 3 : 1);
    }
}

static void changed_log(NvmeCtrl *s, uint8_t *log)
{
    unsigned n = 0;

    for (uint32_t i = 1; i <= NVME_MAX_NAMESPACES; i++) {
        if (s->changed_ns[(i - 1) / 32] >> ((i - 1) & 31) & 1) {
            store_le32(log + 4 * n++, i);
        }
    }
    memset(s->changed_ns, 0, sizeof(s->changed_ns));
}

static int get_log(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    uint8_t page = nvme_dw(r, 10);
    bool retain = nvme_dw(r, 10) & 1 << 15;
    uint64_t offset = nvme_dw(r, 12) | (uint64_t)nvme_dw(r, 13) << 32;
    uint64_t want = ((nvme_dw(r, 10) >> 16 | (uint64_t)(nvme_dw(r, 11) & 0xffff) << 16) + 1) * 4;
    g_autofree uint8_t *log = g_malloc0(NVME_PAGE);
    uint64_t len = NVME_PAGE;
    int event = -1;

    switch (page) {
    case 1:
        len = 64; /* no error was ever logged */
        event = 0;
        break;
    case 2:
        len = 512;
        event = 1;
        smart_log(s, log);
        break;
    case 3:
        len = 512;
        log[0] = 1;
        put_text(log + 8, 8, "7.2.0");
        break;
    case 4:
        event = 2;
        changed_log(s, log);
        break;
    case 5:
        effects_log(log);
        break;
    default:
        return NVME_INVALID_LOG | NVME_DNR;
    }
    if (offset > len || (offset & 3)) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    int status = nvme_reply(r, log + offset, MIN(want, len - offset));

    if (status == NVME_OK && event >= 0 && !retain) {
        s->events_masked &= ~(1 << event);
        nvme_post_events(s);
    }
    return status;
}

/* ---- features, 5.21 and 5.13 ---- */

enum {
    F_ARBITRATION = 1,
    F_POWER = 2,
    F_TEMPERATURE = 4,
    F_ERROR_RECOVERY = 5,
    F_WRITE_CACHE = 6,
    F_QUEUES = 7,
    F_COALESCING = 8,
    F_VECTOR = 9,
    F_ATOMICITY = 10,
    F_ASYNC_EVENTS = 11,
    F_TIMESTAMP = 14
};
enum {
    SELECT_CURRENT,
    SELECT_DEFAULT,
    SELECT_SAVED,
    SELECT_SUPPORTED
};
enum {
    CHANGEABLE = 4
};

static int get_timestamp(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    uint8_t data[8];
    uint64_t ms =
        s->timestamp_base + (uint64_t)(clock_now_ns(CLOCK_GUEST) - s->timestamp_set_ns) / NS_PER_MS;

    store_le64(data, (ms & 0xffffffffffffull) | (uint64_t)(s->timestamp_base != 0) << 49);
    return nvme_reply(r, data, sizeof(data));
}

/* The plain 32-bit features' fields. */
static uint32_t *feature_word(NvmeCtrl *s, unsigned id, uint32_t dw11)
{
    switch (id) {
    case F_ARBITRATION:
        return &s->arbitration;
    case F_POWER:
        return &s->power_state;
    case F_TEMPERATURE:
        return dw11 >> 20 & 3 ? &s->temperature_low : &s->temperature_high;
    case F_ERROR_RECOVERY:
        return &s->error_recovery;
    case F_COALESCING:
        return &s->coalescing;
    case F_ASYNC_EVENTS:
        return &s->async_config;
    default:
        return NULL;
    }
}

static int get_feature(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    unsigned id = nvme_dw(r, 10) & 0xff, select = nvme_dw(r, 10) >> 8 & 7;
    uint32_t dw11 = nvme_dw(r, 11), *word = feature_word(s, id, dw11);
    uint32_t defaults = id == F_TEMPERATURE && !(dw11 >> 20 & 3) ? 343 : 0;

    if (!word && id != F_WRITE_CACHE && id != F_QUEUES && id != F_VECTOR && id != F_ATOMICITY &&
        id != F_TIMESTAMP) {
        return NVME_INVALID_FIELD | NVME_DNR;
    }
    if (select == SELECT_SUPPORTED) {
        r->result = id == F_VECTOR || id == F_ATOMICITY ? 0 : CHANGEABLE;
        return NVME_OK;
    }
    if (id == F_TEMPERATURE && (dw11 >> 16 & 15)) {
        r->result = 0; /* the composite temperature is the only one */
    } else if (word) {
        r->result = select == SELECT_CURRENT ? *word : defaults;
    } else if (id == F_WRITE_CACHE) {
        r->result = write_cache(s);
    } else if (id == F_QUEUES) {
        r->result = (s->max_ioqpairs - 1) | (s->max_ioqpairs - 1) << 16;
    } else if (id == F_VECTOR) {
        if ((dw11 & 0xffff) >= s->msix_qsize) {
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        r->result = (dw11 & 0xffff) | (dw11 & 0xffff ? 0 : 1 << 16);
    } else if (id == F_TIMESTAMP) {
        return get_timestamp(r);
    }
    return NVME_OK;
}

static int set_timestamp(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    uint8_t data[8];
    int status = nvme_fetch(r, data, sizeof(data));

    if (status == NVME_OK) {
        s->timestamp_base = load_le64(data) & 0xffffffffffffull;
        s->timestamp_set_ns = clock_now_ns(CLOCK_GUEST);
    }
    return status;
}

static int set_feature(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;
    unsigned id = nvme_dw(r, 10) & 0xff;
    uint32_t dw11 = nvme_dw(r, 11), *word = feature_word(s, id, dw11);

    if (nvme_dw(r, 10) >> 31) {
        return NVME_FEATURE_NOT_SAVEABLE | NVME_DNR;
    }
    switch (id) {
    case F_TEMPERATURE:
        if ((dw11 >> 16 & 15) == 0) {
            *word = dw11 & 0xffff;
        }
        return NVME_OK;
    case F_POWER:
        if (dw11 & 31) {
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        *word = dw11;
        return NVME_OK;
    case F_WRITE_CACHE:
        for (unsigned i = 1; i <= NVME_MAX_NAMESPACES; i++) {
            if (s->namespaces[i]) {
                s->namespaces[i]->drive->write_cache = dw11 & 1;
            }
        }
        return NVME_OK;
    case F_QUEUES:
        if ((dw11 & 0xffff) == 0xffff || dw11 >> 16 == 0xffff) {
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        r->result = (s->max_ioqpairs - 1) | (s->max_ioqpairs - 1) << 16;
        return NVME_OK;
    case F_TIMESTAMP:
        return set_timestamp(r);
    case F_VECTOR:
    case F_ATOMICITY:
        return NVME_FEATURE_NOT_CHANGEABLE | NVME_DNR;
    default:
        if (!word) {
            return NVME_INVALID_FIELD | NVME_DNR;
        }
        *word = dw11;
        return NVME_OK;
    }
}

/* ---- the rest ---- */

static int async_event_request(NvmeRequest *r)
{
    NvmeCtrl *s = r->ctrl;

    if (s->num_aers > s->aerl) {
        return NVME_AER_LIMIT | NVME_DNR;
    }
    s->aer_cids[s->num_aers++] = r->cid;
    dma_list_free(&r->data);
    g_free(r);
    nvme_post_events(s);
    return NVME_PENDING;
}

/* 5.1: what is under way ends by itself soon; "not aborted" is always a right answer. */
static int abort_command(NvmeRequest *r)
{
    r->result = 1;
    return NVME_OK;
}

int nvme_admin_command(NvmeRequest *r)
{
    switch (r->cmd[0]) {
    case 0x00:
        return delete_sq(r);
    case 0x01:
        return create_sq(r);
    case 0x02:
        return get_log(r);
    case 0x04:
        return delete_cq(r);
    case 0x05:
        return create_cq(r);
    case 0x06:
        return identify(r);
    case 0x08:
        return abort_command(r);
    case 0x09:
        return set_feature(r);
    case 0x0a:
        return get_feature(r);
    case 0x0c:
        return async_event_request(r);
    default:
        return NVME_INVALID_OPCODE | NVME_DNR;
    }
}
