// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMware's paravirtual SCSI adapter (15ad:07c0), as Linux's driver uses it: rings of requests,
 * completions and messages in guest memory, commands through a descriptor register.
 */
#include <string.h>
#include "host-command.h"
#include "hw/pci/pci.h"
#include "util/bswap.h"
#include "util/log.h"

#define PAGE 4096u
#define MAX_RING_PAGES 32u
#define MAX_MSG_PAGES 16u
#define DESC_WORDS 132u         /* the longest command: rings */
#define MAX_SEGMENTS 2048u
#define REQ_SIZE 128u
#define CMP_SIZE 32u
#define MSG_SIZE 128u

enum { INTR_CMPL = 1, INTR_MSG = 4, INTR_ALL = 0xf };
enum {
    CMD_ADAPTER_RESET = 1,
    CMD_SETUP_RINGS = 3,
    CMD_RESET_BUS,
    CMD_RESET_DEVICE,
    CMD_ABORT,
    CMD_CONFIG,
    CMD_SETUP_MSG_RING,
    CMD_DEVICE_UNPLUG,
    CMD_SETUP_THRESHOLD,
    CMD_LAST };
/* Offsets in the rings' state page. */
enum {
    RS_REQ_PROD = 0,
    RS_REQ_CONS = 4,
    RS_REQ_LOG2 = 8,
    RS_CMP_PROD = 12,
    RS_CMP_CONS = 16,
    RS_CMP_LOG2 = 20,
    RS_THRESHOLD = 24,
    RS_MSG_PROD = 128,
    RS_MSG_CONS = 132,
    RS_MSG_LOG2 = 136 };
enum {
    FLAG_SG_LIST = 1,
    FLAG_OUT_OF_BAND_CDB = 2,
    FLAG_DIR_NONE = 4,
    FLAG_TO_HOST = 8,
    FLAG_TO_DEVICE = 16
};
enum { SGE_CHAIN = 1 };
enum {
    BTSTAT_SUCCESS = 0,
    BTSTAT_DATARUN = 0x13,
    BTSTAT_SELTIMEO = 0x11,
    BTSTAT_INVPARAM = 0x1a,
    BTSTAT_BUSRESET = 0x25
};
enum { MSG_ADDED = 0, MSG_REMOVED = 1 };
#define STATUS_DONE 0u
#define STATUS_FAILED UINT32_MAX

typedef struct Ring {
    uint64_t page[MAX_RING_PAGES];
    uint32_t pages;
    uint32_t entries;
} Ring;

typedef struct Pvscsi {
    PciDevice pci;
    ScsiBus bus;
    uint8_t use_msg;
    /* registers */
    uint32_t command_status, intr_status, intr_mask;
    /* state */
    uint32_t command, words, desc[DESC_WORDS];
    bool rings_on, msg_on, threshold_on;
    uint64_t state_page;
    Ring req, cmp, msg;
    GPtrArray *requests;    /* PvRequest *, under way */
} Pvscsi;

typedef struct PvRequest {
    ScsiHostCommand host;
    Pvscsi *s;
    uint64_t context, sense_addr, data_len;
    uint32_t sense_len;
    uint32_t target;
    bool forgotten;         /* the adapter was reset: its end is not told */
} PvRequest;

static void update_irq(Pvscsi *s)
{
    pci_irq(&s->pci, (s->intr_status & s->intr_mask) != 0);
}

static uint32_t state_get(Pvscsi *s, uint32_t off)
{
    return dma_load(&s->pci.dev, s->state_page + off, 4, DEV_LITTLE, NULL);
}

static void state_set(Pvscsi *s, uint32_t off, uint32_t v)
{
    dma_store(&s->pci.dev, s->state_page + off, v, 4, DEV_LITTLE);
}

static uint64_t ring_addr(const Ring *r, uint32_t index, uint32_t size)
{
    uint32_t at = index % r->entries * size;

    return r->page[at / PAGE] + at % PAGE;
}

static uint32_t log2_of(uint32_t n)
{
    return 31 - __builtin_clz(n);
}

/* ---- completions ---- */

static void complete(Pvscsi *s, uint64_t context, uint64_t data_len, uint32_t sense_len,
                     uint16_t host, uint16_t scsi)
{
    uint8_t d[CMP_SIZE] = {0};
    uint32_t prod;

    if (!s->rings_on) {
        return;
    }
    prod = state_get(s, RS_CMP_PROD);
    store_le64(d, context);
    store_le64(d + 8, data_len);
    store_le32(d + 16, sense_len);
    store_le16(d + 20, host);
    store_le16(d + 22, scsi);
    dma_write(&s->pci.dev, ring_addr(&s->cmp, prod, CMP_SIZE), d, CMP_SIZE);
    state_set(s, RS_CMP_PROD, prod + 1);
    s->intr_status |= INTR_CMPL;
    update_irq(s);
}

static void request_done(ScsiHostCommand *c)
{
    PvRequest *q = (PvRequest *)c;
    Pvscsi *s = q->s;
    ScsiRequest *r = c->scsi;
    uint32_t sense_len = MIN(r->sense_len, q->sense_len);

    if (!c->aborted) {
        if (sense_len) {
            dma_write(&s->pci.dev, q->sense_addr, r->sense, sense_len);
        }
        /* What is short of the buffer is an underrun, which the driver reads from the length. */
        complete(s, q->context, MIN(r->moved, q->data_len), sense_len,
                 r->moved < q->data_len && r->status == SCSI_GOOD ? BTSTAT_DATARUN : BTSTAT_SUCCESS,
                 r->status);
    } else if (!q->forgotten) {
        complete(s, q->context, 0, 0, BTSTAT_BUSRESET, 0);
    }
    scsi_host_free(c);
    g_free(q);
}

/* ---- requests ---- */

static bool add_data(Pvscsi *s, DmaList *l, uint64_t addr, uint64_t len, uint32_t flags)
{
    uint8_t e[16];

    if (!(flags & FLAG_SG_LIST)) {
        dma_list_add(l, addr, len);
        return true;
    }
    for (unsigned n = 0; len; n++) {
        if (n == MAX_SEGMENTS || !dma_read(&s->pci.dev, addr, e, sizeof(e))) {
            return false;
        }
        uint64_t part = MIN(load_le32(e + 8), len);

        if (load_le32(e + 12) & SGE_CHAIN) {
            addr = load_le64(e);
            continue;
        }
        dma_list_add(l, load_le64(e), part);
        len -= part;
        addr += sizeof(e);
    }
    return true;
}

static void request_start(Pvscsi *s, const uint8_t *d)
{
    uint64_t context = load_le64(d);
    uint32_t flags = load_le32(d + 36), target = d[67];
    /* SAM-5, 4.7: peripheral or flat addressing of the first level */
    uint32_t lun = load_be16(d + 57) & 0x3fff;

    if (d[66] != 0 || !scsi_find(&s->bus, 0, target, SCSI_ANY_LUN)) {
        complete(s, context, 0, 0, BTSTAT_SELTIMEO, 0);
        return;
    }
    if (d[56] > 16 || flags & FLAG_OUT_OF_BAND_CDB) {
        complete(s, context, 0, 0, BTSTAT_INVPARAM, 0);
        return;
    }
    PvRequest *q = g_new0(PvRequest, 1);

    *q = (PvRequest){.s = s,
                     .context = context,
                     .sense_addr = load_le64(d + 24),
                     .sense_len = load_le32(d + 32),
                     .data_len = flags & FLAG_DIR_NONE ? 0 : load_le64(d + 16),
                     .target = target};
    scsi_host_init(&q->host, &s->pci.dev, s->requests, request_done);
    if (!add_data(s, &q->host.data, load_le64(d + 8), q->data_len, flags) ||
        !scsi_host_start(&q->host, &s->bus, 0, target, lun, d + 40, 16)) {
        complete(s, context, 0, 0, BTSTAT_INVPARAM, 0);
        scsi_host_free(&q->host);
        g_free(q);
    }
}

static void requests_run(Pvscsi *s)
{
    uint8_t d[REQ_SIZE];

    if (!s->rings_on) {
        return;
    }
    /* At most a ring of them: a guest that adds more kicks again. */
    for (uint32_t n = 0; n < s->req.entries && s->rings_on; n++) {
        uint32_t cons = state_get(s, RS_REQ_CONS);

        if (state_get(s, RS_REQ_PROD) == cons ||
            !dma_read(&s->pci.dev, ring_addr(&s->req, cons, REQ_SIZE), d, sizeof(d))) {
            break;
        }
        state_set(s, RS_REQ_CONS, cons + 1);
        request_start(s, d);
    }
}

/* ---- messages ---- */

static void send_message(Pvscsi *s, uint32_t type, const ScsiDevice *dev)
{
    uint8_t m[MSG_SIZE] = {0};
    uint32_t prod;

    if (!s->msg_on || !s->rings_on) {
        return;
    }
    prod = state_get(s, RS_MSG_PROD);
    if (prod - state_get(s, RS_MSG_CONS) >= s->msg.entries) {
        return;    /* full: lost, as the driver expects */
    }
    store_le32(m, type);
    store_le32(m + 8, dev->id);
    m[13] = dev->lun;
    dma_write(&s->pci.dev, ring_addr(&s->msg, prod, MSG_SIZE), m, sizeof(m));
    state_set(s, RS_MSG_PROD, prod + 1);
    s->intr_status |= INTR_MSG;
    update_irq(s);
}

static void disk_plugged(ScsiBus *b, ScsiDevice *d)
{
    if (d->dev.hotplugged) {
        send_message((Pvscsi *)b->bus.owner, MSG_ADDED, d);
    }
}

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    send_message((Pvscsi *)b->bus.owner, MSG_REMOVED, d);
}

/* ---- commands ---- */

static void rings_off(Pvscsi *s)
{
    s->rings_on = s->msg_on = s->threshold_on = false;
    s->intr_status = 0;
    update_irq(s);
}

static void reset_devices(Pvscsi *s, bool all, uint32_t target)
{
    for (guint i = 0; i < s->requests->len; i++) {
        PvRequest *q = s->requests->pdata[i];

        q->host.aborted |= all || q->target == target;
    }
    for (guint i = 0; i < s->bus.bus.devices->len; i++) {
        ScsiDevice *d = s->bus.bus.devices->pdata[i];

        if (d->dev.realized && (all || d->id == target)) {
            device_reset(&d->dev);
        }
    }
}

static bool ring_setup(Ring *r, const uint32_t *ppn, uint32_t pages, uint32_t max, uint32_t entry)
{
    if (!pages || pages > max || pages & (pages - 1)) {
        return false;
    }
    r->pages = pages;
    r->entries = pages * (PAGE / entry);
    for (uint32_t i = 0; i < pages; i++) {
        r->page[i] = ((uint64_t)ppn[2 * i + 1] << 32 | ppn[2 * i]) * PAGE;
    }
    return true;
}

static uint32_t setup_rings(Pvscsi *s)
{
    const uint32_t *d = s->desc;

    s->rings_on = false;
    if (!ring_setup(&s->req, d + 4, d[0], MAX_RING_PAGES, REQ_SIZE) ||
        !ring_setup(&s->cmp, d + 4 + 2 * MAX_RING_PAGES, d[1], MAX_RING_PAGES, CMP_SIZE)) {
        return STATUS_FAILED;
    }
    s->state_page = ((uint64_t)d[3] << 32 | d[2]) * PAGE;
    s->rings_on = true;
    for (uint32_t off = RS_REQ_PROD; off <= RS_THRESHOLD; off += 4) {
        state_set(s, off, 0);
    }
    state_set(s, RS_REQ_LOG2, log2_of(s->req.entries));
    state_set(s, RS_CMP_LOG2, log2_of(s->cmp.entries));
    return STATUS_DONE;
}

static uint32_t setup_messages(Pvscsi *s)
{
    if (!s->use_msg || !s->rings_on ||
        !ring_setup(&s->msg, s->desc + 2, s->desc[0], MAX_MSG_PAGES, MSG_SIZE)) {
        return STATUS_FAILED;
    }
    s->msg_on = true;
    state_set(s, RS_MSG_PROD, 0);
    state_set(s, RS_MSG_CONS, 0);
    state_set(s, RS_MSG_LOG2, log2_of(s->msg.entries));
    return STATUS_DONE;
}

static uint32_t abort_command(Pvscsi *s)
{
    uint64_t context = (uint64_t)s->desc[1] << 32 | s->desc[0];

    for (guint i = 0; i < s->requests->len; i++) {
        PvRequest *q = s->requests->pdata[i];

        if (q->context == context && q->target == s->desc[2]) {
            q->host.aborted = true;
            return STATUS_DONE;
        }
    }
    return STATUS_FAILED;
}

/* The words that follow a command, and what it does when it has them all. */
typedef struct Command {
    uint32_t words;
    uint32_t (*run)(Pvscsi *s);
} Command;

static void forget_requests(Pvscsi *s)
{
    for (guint i = 0; i < s->requests->len; i++) {
        PvRequest *q = s->requests->pdata[i];

        q->host.aborted = q->forgotten = true;
    }
}

static uint32_t adapter_reset(Pvscsi *s)
{
    rings_off(s);
    forget_requests(s);
    reset_devices(s, true, 0);
    return STATUS_DONE;
}

static uint32_t bus_reset_command(Pvscsi *s)
{
    reset_devices(s, true, 0);
    return STATUS_DONE;
}

static uint32_t device_reset_command(Pvscsi *s)
{
    reset_devices(s, false, s->desc[0]);
    return STATUS_DONE;
}

static uint32_t set_threshold(Pvscsi *s)
{
    s->threshold_on = s->desc[0] & 1;
    return 1;
}

static const Command commands[CMD_LAST] = {
    [CMD_ADAPTER_RESET] = { 0, adapter_reset },
    [CMD_SETUP_RINGS] = { 4 + 4 * MAX_RING_PAGES, setup_rings },
    [CMD_RESET_BUS] = { 0, bus_reset_command },
    [CMD_RESET_DEVICE] = { 3, device_reset_command },
    [CMD_ABORT] = { 4, abort_command },
    [CMD_SETUP_MSG_RING] = { 2 + 2 * MAX_MSG_PAGES, setup_messages },
    [CMD_SETUP_THRESHOLD] = { 1, set_threshold },
};

static void command_run(Pvscsi *s)
{
    s->command_status = commands[s->command].run(s);
    s->command = 0;
}

static void command_write(Device *d, const RegAccess *a)
{
    Pvscsi *s = (Pvscsi *)d;

    s->command = a->value < CMD_LAST && commands[a->value].run ? a->value : 0;
    s->words = 0;
    s->command_status = s->command && !(s->command == CMD_SETUP_MSG_RING && !s->use_msg)
                            ? STATUS_DONE
                            : STATUS_FAILED;
    if (s->command && !commands[s->command].words) {
        command_run(s);
    }
}

static void command_data_write(Device *d, const RegAccess *a)
{
    Pvscsi *s = (Pvscsi *)d;

    if (!s->command) {
        guest_error("pvscsi: data without a command");
        return;
    }
    s->desc[s->words++] = a->value;
    if (s->words == commands[s->command].words) {
        command_run(s);
    }
}

static void intr_write(Device *d, const RegAccess *a)
{
    update_irq((Pvscsi *)d);
}

static void kick_write(Device *d, const RegAccess *a)
{
    requests_run((Pvscsi *)d);
}

static const Reg pvscsi_regs[] = {
    REG_HOOK(0x0, 4, "command", .write = command_write),
    REG_HOOK(0x4, 4, "command_data", .write = command_data_write),
    REG(Pvscsi, 0x8, command_status),
    REG(Pvscsi, 0x100c, intr_status, .w1c = INTR_ALL, .write = intr_write),
    REG(Pvscsi, 0x2010, intr_mask, .wmask = INTR_ALL, .write = intr_write),
    REG_HOOK(0x3014, 4, "kick_non_rw_io", .write = kick_write),
    REG_HOOK(0x3018, 4, "debug"),
    REG_HOOK(0x4018, 4, "kick_rw_io", .write = kick_write),
};

static const RegBank pvscsi_banks[] = {{.name = "mmio", .size = 0x8000, BANK_REGS(pvscsi_regs)},
                                       {0}};

/* ---- the device ---- */

static const ScsiBusOps pvscsi_bus_ops = {
    .plugged = disk_plugged, .unplugged = disk_unplugged, .max_channel = 0, .max_target = 63, .max_lun = 0,
};

static bool pvscsi_realize(Device *d, GError **error)
{
    Pvscsi *s = (Pvscsi *)d;

    s->requests = g_ptr_array_new();
    scsi_bus_init(&s->bus, d, &pvscsi_bus_ops);
    return true;
}

static void pvscsi_unrealize(Device *d)
{
    Pvscsi *s = (Pvscsi *)d;

    rings_off(s);
    bus_fini(&s->bus.bus);
    g_ptr_array_unref(s->requests);
}

static void pvscsi_reset(Device *d)
{
    Pvscsi *s = (Pvscsi *)d;

    forget_requests(s);
    rings_off(s);
    s->command = 0;
}

static const Prop pvscsi_props[] = {
    PROP_U8(Pvscsi, use_msg, "use_msg", 1, .help = "whether the driver is offered a ring of messages, for hot plug"),
    PROP_END,
};

static const StateField ring_state[] = {STATE_ARRAY(Ring, page), STATE_COUNT(Ring, pages, page),
                                        STATE(Ring, entries), STATE_END};

static const StateField pvscsi_state[] = {
    STATE_MAX(Pvscsi, command, CMD_LAST - 1), STATE_COUNT(Pvscsi, words, desc), STATE_ARRAY(Pvscsi, desc), STATE(Pvscsi, rings_on), STATE(Pvscsi, msg_on),
    STATE(Pvscsi, threshold_on), STATE(Pvscsi, state_page), STATE_STRUCT(Pvscsi, req, ring_state),
    STATE_STRUCT(Pvscsi, cmp, ring_state), STATE_STRUCT(Pvscsi, msg, ring_state),
    HOST_ONLY(Pvscsi, bus, "devices on it keep their own"), HOST_ONLY(Pvscsi, requests, "empty while the machine is stopped"),
    STATE_END,
};

static bool ring_good(const Ring *r, uint32_t entry)
{
    return r->entries == r->pages * (PAGE / entry);
}

static bool pvscsi_check_load(Device *d, GError **error)
{
    const Pvscsi *s = (Pvscsi *)d;

    if (!ring_good(&s->req, REQ_SIZE) || !ring_good(&s->cmp, CMP_SIZE) ||
        !ring_good(&s->msg, MSG_SIZE) || (s->rings_on && (!s->req.pages || !s->cmp.pages)) ||
        (s->msg_on && !s->msg.pages)) {
        return fail(error, "rings have another number of entries than their pages");
    }
    return (s->command ? s->words < commands[s->command].words : s->words <= DESC_WORDS) ||
           fail(error, "command %u has %u words", s->command, s->words);
}

static const PciInfo pvscsi_pci = {
    .vendor = 0x15ad, .device = 0x07c0, .subsys_vendor = 0x15ad, .subsys = 0x07c0, .class_code = 0x010000, .revision = 2,
    .pin = 1, .msi = 1, .express = true, .bar = { { .kind = PCI_BAR_MEM32, .bank = "mmio" } },
};

static const DeviceType pvscsi_type = {
    .name = "pvscsi", .parent = "pci-device", .bus = "PCI", .category = "storage", .desc = "VMware paravirtual SCSI",
    .size = sizeof(Pvscsi), .state_version = 1, .hotpluggable = true, .bus_info = &pvscsi_pci, .props = pvscsi_props,
    .banks = pvscsi_banks, .state = pvscsi_state, .realize = pvscsi_realize, .unrealize = pvscsi_unrealize,
    .reset = pvscsi_reset, .check_load = pvscsi_check_load,
};
DEVICE_TYPE(pvscsi_type);
