// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LSI MegaRAID SAS 1078 and 2108 (megasas, megasas-gen2) with the MFI firmware interface, as
 * Linux's megaraid_sas uses it: frames in guest memory, a reply queue, disks as logical drives or,
 * with use_jbod, as physical ones. Left out: SMP and STP frames, RAID configurations. Direct
 * commands are megasas-dcmd.c.
 */
#include "megasas.h"

#include <inttypes.h>
#include <string.h>
#include "util/bswap.h"
#include "util/log.h"

enum { CMD_INIT, CMD_LD_READ, CMD_LD_WRITE, CMD_LD_SCSI, CMD_PD_SCSI, CMD_DCMD, CMD_ABORT };
enum { FLAG_NO_REPLY = 1, FLAG_SGL64 = 2, FLAG_SENSE64 = 4, FLAG_IEEE = 0x20 };
enum { DOORBELL_ABORT = 1, DOORBELL_READY = 2, DOORBELL_STOP = 0x20, DOORBELL_RESET = 0x40 };
enum { DIAG_RESET = 4, DIAG_WRITE_ENABLE = 0x80 };
enum {
    EVENT_PD_INSERTED = 0x5b,
    EVENT_PD_REMOVED = 0x70,
    EVENT_LD_CREATED = 0x8a,
    EVENT_LD_DELETED = 0x8b
};
#define MAX_CMDS 2048u
#define MAX_SGE 128u
#define MSIX_VECTORS 15u
#define MSIX_TABLE 0x2000u
#define MSIX_PBA 0x3800u
#define REGS_BAR_SIZE 0x4000u
#define SENSE_MAX 96u

typedef struct MegasasRequest {
    ScsiHostCommand host;
    Megasas *s;
    uint64_t frame, sense_addr;
    uint8_t head[MEGASAS_FRAME];
    bool forgotten; /* the firmware was reset: nobody is told */
} MegasasRequest;

/* ---- interrupts and the reply queue ---- */

static void update_irq(Megasas *s)
{
    pci_irq(&s->pci, (s->intr_status & ~s->intr_mask & megasas_model(s)->reply_bit) != 0);
}

static void reply(Megasas *s, const uint8_t *f)
{
    unsigned size = s->wide_context ? 8 : 4;

    if (!s->queue_on) {
        return;
    }
    dma_write(&s->pci.dev, s->queue + (uint64_t)s->producer * size, f + 8, size);
    s->producer = (s->producer + 1) % s->queue_entries;
    dma_store(&s->pci.dev, s->producer_addr, s->producer, 4, DEV_LITTLE);
    s->intr_status |= megasas_model(s)->reply_bit;
    update_irq(s);
}

void megasas_complete(Megasas *s, uint64_t frame, const uint8_t *f, uint8_t status,
                      uint8_t scsi_status)
{
    const uint8_t v[2] = {status, scsi_status};

    dma_write(&s->pci.dev, frame + 2, v, 2);
    if (!(load_le16(f + 16) & FLAG_NO_REPLY)) {
        reply(s, f);
    }
}

/* ---- SCSI commands ---- */

bool megasas_sgl(Megasas *s, DmaList *l, uint64_t frame, const uint8_t *f, uint32_t at)
{
    uint16_t flags = load_le16(f + 16);
    uint32_t size = flags & FLAG_IEEE ? 16 : flags & FLAG_SGL64 ? 12 : 8;
    uint8_t e[16], count = f[7];

    if (count > s->max_sge) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!dma_read(&s->pci.dev, frame + at + i * size, e, size)) {
            return false;
        }
        uint64_t addr = size == 8 ? load_le32(e) : load_le64(e);

        dma_list_add(l, addr, load_le32(e + (size == 8 ? 4 : 8)));
    }
    return true;
}

static void request_free(MegasasRequest *q)
{
    scsi_host_free(&q->host);
    g_free(q);
}

static void request_done(ScsiHostCommand *c)
{
    MegasasRequest *q = (MegasasRequest *)c;
    Megasas *s = q->s;
    ScsiRequest *r = c->scsi;

    if (!q->forgotten) {
        uint8_t len = MIN(r->sense_len, q->head[1]);

        if (len) {
            dma_write(&s->pci.dev, q->sense_addr, r->sense, len);
        }
        if (c->aborted) {
            megasas_complete(s, q->frame, q->head, MFI_IO_FAILED, SCSI_TASK_ABORTED);
        } else {
            megasas_complete(s, q->frame, q->head,
                             r->status == SCSI_GOOD ? MFI_OK : MFI_DONE_WITH_ERROR, r->status);
        }
    }
    request_free(q);
}

/* The status when it ends at once, MFI_PENDING otherwise. */
static uint8_t scsi_start(Megasas *s, uint64_t frame, const uint8_t *f, uint32_t lun,
                          const uint8_t *cdb, uint8_t cdb_len, uint32_t sgl)
{
    uint16_t flags = load_le16(f + 16);
    uint8_t status = MFI_OK;

    if (!scsi_find(&s->bus, 0, f[4], lun)) {
        return MFI_DEVICE_NOT_FOUND;
    }
    if (s->requests->len >= s->max_cmds) {
        return MFI_MEMORY_NOT_AVAILABLE;
    }
    MegasasRequest *q = g_new0(MegasasRequest, 1);

    q->s = s;
    q->frame = frame;
    q->sense_addr =
        load_le32(f + 0x18) | (flags & FLAG_SENSE64 ? (uint64_t)load_le32(f + 0x1c) << 32 : 0);
    memcpy(q->head, f, sizeof(q->head));
    scsi_host_init(&q->host, &s->pci.dev, s->requests, request_done);
    if (!megasas_sgl(s, &q->host.data, frame, f, sgl)) {
        status = MFI_INVALID_PARAMETER;
    } else if (!scsi_host_start(&q->host, &s->bus, 0, f[4], lun, cdb, cdb_len)) {
        status = MFI_IO_FAILED;
    }
    if (status != MFI_OK) {
        request_free(q);
        return status;
    }
    return MFI_PENDING;
}

static uint8_t run_scsi(Megasas *s, uint64_t frame, const uint8_t *f)
{
    if (f[6] > 16 || (f[0] == CMD_PD_SCSI) != s->use_jbod) {
        return f[6] > 16 ? MFI_INVALID_PARAMETER : MFI_DEVICE_NOT_FOUND;
    }
    return scsi_start(s, frame, f, f[5], f + 0x20, f[6], 0x30);
}

static uint8_t run_io(Megasas *s, uint64_t frame, const uint8_t *f)
{
    uint8_t cdb[16] = {f[0] == CMD_LD_READ ? 0x88 : 0x8a, f[5]};

    store_be32(cdb + 2, load_le32(f + 0x24));
    store_be32(cdb + 6, load_le32(f + 0x20));
    store_be32(cdb + 10, load_le32(f + 0x14));
    return scsi_start(s, frame, f, 0, cdb, sizeof(cdb), 0x28);
}

void megasas_reset_devices(Megasas *s, int target)
{
    for (guint i = 0; i < s->requests->len; i++) {
        MegasasRequest *q = s->requests->pdata[i];

        q->host.aborted |= target < 0 || q->head[4] == target;
    }
    for (guint i = 0; i < s->bus.bus.devices->len; i++) {
        ScsiDevice *d = s->bus.bus.devices->pdata[i];

        if (d->dev.realized && (target < 0 || d->id == (uint32_t)target)) {
            device_reset(&d->dev);
        }
    }
}

/* ---- other frames ---- */

static uint8_t run_init(Megasas *s, uint64_t frame, const uint8_t *f)
{
    uint64_t at = load_le64(f + 0x18);
    uint8_t q[32];
    uint32_t entries;

    if (!dma_read(&s->pci.dev, at, q, sizeof(q))) {
        return MFI_INVALID_PARAMETER;
    }
    entries = load_le32(q + 4) & 0xffff;
    if (!entries || entries > s->max_cmds + 1) {
        guest_error("megasas: reply queue of %u entries", entries);
        return MFI_INVALID_PARAMETER;
    }
    s->wide_context = load_le32(q) & 2;
    s->queue_entries = entries;
    s->queue = load_le64(q + 8);
    s->producer_addr = load_le64(q + 16);
    s->consumer_addr = load_le64(q + 24);
    s->producer = dma_load(&s->pci.dev, s->producer_addr, 4, DEV_LITTLE, NULL) % entries;
    s->queue_on = true;
    s->fw_state = MFI_STATE_OPERATIONAL;
    return MFI_OK;
}

static uint8_t run_abort(Megasas *s, uint64_t frame, const uint8_t *f)
{
    uint64_t victim = load_le64(f + 0x20);

    if (s->waiter && s->waiter == victim) {
        uint8_t head[MEGASAS_FRAME];

        s->waiter = 0;
        if (dma_read(&s->pci.dev, victim, head, sizeof(head))) {
            megasas_complete(s, victim, head, MFI_OK, 0);
        }
        return MFI_OK;
    }
    for (guint i = 0; i < s->requests->len; i++) {
        MegasasRequest *q = s->requests->pdata[i];

        if (q->frame == victim) {
            q->host.aborted = true;
            return MFI_OK;
        }
    }
    return MFI_OK; /* it has ended meanwhile */
}

static void frame_run(Megasas *s, uint64_t frame)
{
    uint8_t f[MEGASAS_FRAME], status;

    if (!dma_read(&s->pci.dev, frame, f, sizeof(f))) {
        guest_error("megasas: frame at 0x%" PRIx64 " is not in memory", frame);
        return;
    }
    switch (f[0]) {
    case CMD_INIT:
        status = run_init(s, frame, f);
        break;
    case CMD_LD_READ:
    case CMD_LD_WRITE:
        status = run_io(s, frame, f);
        break;
    case CMD_LD_SCSI:
    case CMD_PD_SCSI:
        status = run_scsi(s, frame, f);
        break;
    case CMD_DCMD:
        status = megasas_dcmd(s, frame, f);
        break;
    case CMD_ABORT:
        status = run_abort(s, frame, f);
        break;
    default:
        status = MFI_INVALID_CMD;
        break;
    }
    if (status != MFI_PENDING) {
        megasas_complete(s, frame, f, status, 0);
    }
}

/* ---- registers ---- */

void megasas_stop(Megasas *s)
{
    for (guint i = 0; i < s->requests->len; i++) {
        MegasasRequest *q = s->requests->pdata[i];

        q->host.aborted = q->forgotten = true;
    }
    s->queue_on = false;
    s->waiter = 0;
    s->intr_status = 0;
    update_irq(s);
}

static void firmware_reset(Megasas *s)
{
    megasas_stop(s);
    s->fw_state = MFI_STATE_READY;
    s->diag = s->diag_keys = 0;
}

static uint64_t state_read(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;

    return s->fw_state << 28 | (s->pci.msix_cap ? 1u << 26 : 0) | s->max_sge << 16 | s->max_cmds;
}

static void doorbell_write(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;

    if (a->value & DOORBELL_ABORT) {
        megasas_reset_devices(s, -1);
    }
    if (a->value & DOORBELL_STOP) {
        megasas_stop(s);
        s->fw_state = MFI_STATE_FAULT;
    } else if (a->value & DOORBELL_RESET ||
               (a->value & DOORBELL_READY && s->fw_state == MFI_STATE_OPERATIONAL)) {
        firmware_reset(s);
    }
}

static uint64_t status_read(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;

    return s->intr_status & ~s->intr_mask;
}

static void intr_clear_write(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;

    s->intr_status = 0;
    update_irq(s);
}

static void mask_write(Device *d, const RegAccess *a)
{
    update_irq((Megasas *)d);
}

static void queue_write(Device *d, const RegAccess *a)
{
    frame_run((Megasas *)d, a->value & ~31ull);
}

static void queue_low_write(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;
    uint64_t high = s->queue_high;

    s->queue_high = 0;
    frame_run(s, high << 32 | (a->value & ~31ull));
}

/* A sequence of keys opens the diagnostic register. */
static void sequence_write(Device *d, const RegAccess *a)
{
    static const uint8_t keys[] = {0, 4, 0xb, 2, 7, 0xd};
    Megasas *s = (Megasas *)d;

    s->diag_keys = a->value == keys[s->diag_keys] ? s->diag_keys + 1 : a->value == keys[0];
    if (s->diag_keys == sizeof(keys)) {
        s->diag |= DIAG_WRITE_ENABLE;
        s->diag_keys = 0;
    }
}

static void diag_write(Device *d, const RegAccess *a)
{
    Megasas *s = (Megasas *)d;

    if (s->diag & DIAG_WRITE_ENABLE && a->value & DIAG_RESET) {
        firmware_reset(s);
    }
}

#define ALL32 0xffffffff
/* clang-format off */
static const Reg megasas_regs[] = {
    REG_HOOK(0x00, 4, "doorbell", .write = doorbell_write, .help = "host doorbell"),
    REG_HOOK(0x10, 4, "inbound_msg", .help = "unused"),
    REG_HOOK(0x18, 4, "outbound_msg", .read = state_read, .help = "firmware state, most segments, most commands"),
    REG_HOOK(0x20, 4, "inbound_doorbell", .write = doorbell_write, .help = "abort, ready, stop, reset"),
    REG(Megasas, 0x30, intr_status, .read = status_read, .help = "interrupts that are not masked"),
    REG(Megasas, 0x34, intr_mask, .reset = ALL32, .wmask = ALL32, .write = mask_write, .help = "interrupts that are masked"),
    REG_HOOK(0x40, 4, "inbound_queue", .write = queue_write, .help = "runs the frame at this address"),
    REG_HOOK(0xa0, 4, "intr_clear", .write = intr_clear_write, .help = "clears interrupts"),
    REG_HOOK(0xb0, 4, "scratch_pad", .read = state_read, .help = "firmware state, most segments, most commands"),
    REG_HOOK(0xb4, 4, "scratch_pad1", .reset = MSIX_VECTORS - 1, .help = "most vectors"),
    REG_HOOK(0xc0, 4, "queue_low", .write = queue_low_write, .help = "runs the frame at this address, with queue_high"),
    REG(Megasas, 0xc4, queue_high, .wmask = ALL32, .help = "upper half of the next queue_low"),
    REG(Megasas, 0xf8, diag, .write = diag_write, .help = "bit 2 resets, when bit 7 is set"),
    REG_HOOK(0xfc, 4, "sequence", .write = sequence_write, .help = "keys to the diagnostic register"),
};

static const Reg queue_regs[] = { REG_HOOK(0, 4, "queue", .help = "the queue window is not used") };

static const RegBank megasas_banks[] = {
    { .name = "mmio", .size = MSIX_TABLE, BANK_REGS(megasas_regs) },
    { .name = "io", .size = 0x100, BANK_REGS(megasas_regs), .pio = true },
    { .name = "queue", .size = 0x40000, BANK_REGS(queue_regs) },
    { 0 },
};

static const Prop megasas_props[] = {
    PROP_U32(Megasas, max_sge, "max_sge", 80, .help = "most segments of a frame"),
    PROP_U32(Megasas, max_cmds, "max_cmds", 1000, .help = "most commands at a time"),
    PROP_STRING(Megasas, hba_serial, "hba_serial", .help = "serial number"),
    PROP_U64(Megasas, sas_address, "sas_address", 0, .help = "SAS address; 0: made from the PCI address"),
    PROP_ON_OFF_AUTO(Megasas, msi, "msi", ON_OFF_AUTO_AUTO),
    PROP_ON_OFF_AUTO(Megasas, msix, "msix", ON_OFF_AUTO_AUTO),
    PROP_BOOL(Megasas, use_jbod, "use_jbod", false, .help = "disks are physical drives instead of logical ones"),
    PROP_END,
};

static const Prop gen2_props[] = {
    PROP_U32(Megasas, max_cmds, "max_cmds", 1008, .help = "most commands at a time"),
    PROP_END,
};
/* clang-format on */

/* ---- the devices ---- */

static void disk_event(ScsiBus *b, ScsiDevice *d, bool added)
{
    Megasas *s = (Megasas *)b->bus.owner;

    if (s->use_jbod) {
        megasas_event(s, added ? EVENT_PD_INSERTED : EVENT_PD_REMOVED, d->id);
    } else {
        megasas_event(s, added ? EVENT_LD_CREATED : EVENT_LD_DELETED, d->id);
    }
}

static void disk_plugged(ScsiBus *b, ScsiDevice *d)
{
    if (d->dev.hotplugged) {
        disk_event(b, d, true);
    }
}

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    if (!((Megasas *)b->bus.owner)->pci.dev.realized) {
        return;
    }
    disk_event(b, d, false);
}

static const ScsiBusOps megasas_bus_ops = {
    .plugged = disk_plugged, .unplugged = disk_unplugged, .max_channel = 0, .max_target = MEGASAS_LDS, .max_lun = 255,
};

/* The 2108 tells of a link on every bus. */
static bool express_init(Megasas *s, GError **error)
{
    PciDevice *p = &s->pci;
    uint8_t c = pci_add_cap(p, PCI_CAP_ID_EXP, 0xa0, 0x3c, error);
    bool integrated = p->bus->express && !p->bus->parent;

    if (!c) {
        return false;
    }
    pci_config_set(p, c + 2, 2, integrated ? 0x92 : 0x02);
    pci_config_set(p, c + 4, 4, 0x8000);
    pci_config_wmask(p, c + 8, 2, 0x700f);
    pci_config_set(p, c + 12, 4, 0x411);
    pci_config_set(p, c + 18, 2, 0x11);
    pci_config_set(p, c + 0x24, 4, 0x300000);
    return true;
}

static bool megasas_realize(Device *d, GError **error)
{
    Megasas *s = (Megasas *)d;
    const MegasasModel *m = megasas_model(s);
    const PciMsixPlace place = {.offset = 0x68,
                                .bar = m->regs_bar,
                                .kind = PCI_BAR_MEM64,
                                .bank = "mmio",
                                .table = MSIX_TABLE,
                                .pba = MSIX_PBA,
                                .size = REGS_BAR_SIZE};

    s->max_sge = MIN(s->max_sge, MAX_SGE);
    s->max_cmds = MIN(s->max_cmds, MAX_CMDS);
    if (!s->max_sge || s->max_cmds < 2) {
        return fail(error, "%s: max_sge must not be 0, and max_cmds not less than 2",
                    d->obj.type->name);
    }
    if (s->msi != ON_OFF_AUTO_OFF && !pci_msi_init_plain(&s->pci, 0x50, error)) {
        return false;
    }
    if (s->msix == ON_OFF_AUTO_OFF) {
        pci_set_bar(&s->pci, m->regs_bar, PCI_BAR_MEM64, false, device_region(d, "mmio"));
    } else if (!pci_msix_init_at(&s->pci, MSIX_VECTORS, &place, error)) {
        return false;
    }
    if (m->express && !express_init(s, error)) {
        return false;
    }
    if (!s->sas_address) {
        s->sas_address = 0x5ull << 60 | 0x1221ull << 32 | (uint64_t)(s->pci.bus->number) << 16 |
                         (uint32_t)s->pci.devfn << 8;
    }
    s->requests = g_ptr_array_new();
    s->fw_state = MFI_STATE_READY;
    scsi_bus_init(&s->bus, d, &megasas_bus_ops);
    return true;
}

static void megasas_unrealize(Device *d)
{
    Megasas *s = (Megasas *)d;

    megasas_stop(s);
    bus_fini(&s->bus.bus);
    g_ptr_array_unref(s->requests);
}

static void megasas_reset(Device *d)
{
    Megasas *s = (Megasas *)d;

    firmware_reset(s);
    s->event_seq = 0;
    memset(s->events, 0, sizeof(s->events));
}

static const StateField event_state[] = {
    STATE(MegasasEvent, seq), STATE(MegasasEvent, code), STATE(MegasasEvent, target), STATE_END,
};

static const StateField megasas_state[] = {
    STATE(Megasas, fw_state), STATE_MAX(Megasas, diag_keys, 4), STATE(Megasas, queue_on), STATE(Megasas, wide_context),
    STATE(Megasas, queue), STATE(Megasas, producer_addr), STATE(Megasas, consumer_addr), STATE(Megasas, queue_entries),
    STATE(Megasas, producer), STATE(Megasas, boot_ns), STATE(Megasas, event_seq), STATE_STRUCTS(Megasas, events, event_state),
    STATE(Megasas, waiter), STATE(Megasas, waiter_seq), HOST_ONLY(Megasas, bus, "devices on it keep their own"),
    HOST_ONLY(Megasas, requests, "empty while the machine is stopped"), STATE_END,
};

static const MegasasModel megasas_1078 = {
    .pci = { .vendor = 0x1000, .device = 0x0060, .subsys_vendor = 0x1000, .subsys = 0x1013, .class_code = 0x010400, .pin = 1,
             .bar = { [2] = { PCI_BAR_IO, false, "io" }, [3] = { PCI_BAR_MEM64, false, "queue" } } },
    .product = "LSI MegaRAID SAS 8708EM2", .reply_bit = 0x80000000, .regs_bar = 0,
};
static const MegasasModel megasas_2108 = {
    .pci = { .vendor = 0x1000, .device = 0x0079, .subsys_vendor = 0x1000, .subsys = 0x9261, .class_code = 0x010400, .pin = 1,
             .bar = { [0] = { PCI_BAR_IO, false, "io" }, [3] = { PCI_BAR_MEM64, false, "queue" } } },
    .product = "LSI MegaRAID SAS 9260-8i", .reply_bit = 1, .regs_bar = 1, .express = true,
};

static const DeviceType megasas_type = {
    .name = "megasas", .parent = "pci-device", .bus = "PCI", .category = "storage", .desc = "LSI MegaRAID SAS 1078",
    .size = sizeof(Megasas), .state_version = 1, .hotpluggable = true, .bus_info = &megasas_1078, .props = megasas_props,
    .banks = megasas_banks, .state = megasas_state, .realize = megasas_realize, .unrealize = megasas_unrealize,
    .reset = megasas_reset,
};
DEVICE_TYPE(megasas_type);

static const DeviceType megasas_gen2_type = {
    .name = "megasas-gen2", .parent = "megasas", .bus = "PCI", .category = "storage", .desc = "LSI MegaRAID SAS 2108",
    .size = sizeof(Megasas), .state_version = 1, .hotpluggable = true, .bus_info = &megasas_2108, .props = gen2_props,
};
DEVICE_TYPE(megasas_gen2_type);
