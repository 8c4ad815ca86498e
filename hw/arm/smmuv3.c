// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System memory management unit version 3 (ARM IHI 0070E): stage 1 for PCI functions, command and
 * event queues. Left out: stage 2, substreams, ATS and PRI, stalled transactions.
 */
#include "smmuv3.h"

#define IDR0_VALUE \
    (1u << 1 | 2u << 2 | 1u << 4 | 1u << 12 | 2u << 21 | 1u << 24 | 1u << 26 | 1u << 27)
#define IDR1_VALUE (16u | 19u << 16 | 19u << 21)
#define IDR3_VALUE (1u << 2)
#define IDR5_VALUE (4u | 1u << 4 | 1u << 5 | 1u << 6)

enum { CR0_SMMUEN = 1, CR0_EVENTQEN = 4, CR0_CMDQEN = 8 };
enum { IRQ_GERROR = 1, IRQ_EVENTQ = 4 };
enum {
    GERROR_CMDQ = 1,
    GERROR_EVENTQ_ABT = 4,
    GERROR_MSI_CMDQ = 0x10,
    GERROR_MSI_EVENTQ = 0x20,
    GERROR_MSI_GERROR = 0x80
};
enum { CERROR_ILL = 1, CERROR_ABT = 2 };
enum {
    CMD_CFGI_STE = 0x03,
    CMD_CFGI_ALL = 0x04,
    CMD_CFGI_CD = 0x05,
    CMD_CFGI_CD_ALL = 0x06,
    CMD_PREFETCH_CONFIG = 0x01,
    CMD_PREFETCH_ADDR = 0x02,
    CMD_TLBI_NH_ALL = 0x10,
    CMD_TLBI_NH_ASID = 0x11,
    CMD_TLBI_NH_VA = 0x12,
    CMD_TLBI_NH_VAA = 0x13,
    CMD_TLBI_NSNH_ALL = 0x30,
    CMD_SYNC = 0x46 };

#define QUEUE_LOG2(base) MIN((base) & 0x1f, 19)
#define QUEUE_ADDRESS(base) ((base) & 0x000fffffffffffe0ull)
#define GBPA_ABORT (1u << 20)
#define GBPA_UPDATE (1u << 31)

/* ---- interrupts ---- */

static void smmu_signal(Smmu *s, Irq *irq, uint32_t enable, uint64_t msi, uint32_t data)
{
    if (!(s->irq_ctrl & enable)) {
        return;
    }
    if (msi & 0x000ffffffffffffcull) {
        dma_store(&s->dev, msi & 0x000ffffffffffffcull, data, 4, DEV_LITTLE);
    } else {
        irq_pulse(irq);
    }
}

/* 6.3.18: an error is active while its bits in GERROR and GERRORN differ. */
static void smmu_error(Smmu *s, uint32_t bits)
{
    uint32_t active = s->gerror ^ s->gerrorn;

    if (bits & ~active) {
        s->gerror ^= bits & ~active;
        smmu_signal(s, &s->gerror_irq, IRQ_GERROR, s->gerror_cfg0, s->gerror_cfg1);
    }
}

/* ---- events ---- */

static bool eventq_full(const Smmu *s)
{
    unsigned log2 = QUEUE_LOG2(s->eventq_base);
    uint32_t mask = (2u << log2) - 1;

    return ((s->eventq_prod ^ s->eventq_cons) & mask) == 1u << log2;
}

static void smmu_record(Smmu *s, const SmmuStream *t, const SmmuFault *f, bool write)
{
    unsigned log2 = QUEUE_LOG2(s->eventq_base);
    uint32_t index = s->eventq_prod & ((1u << log2) - 1);
    uint64_t e[4] = { f->type | (uint64_t)t->id << 32, 0, f->address, f->ipa };

    if (!(s->cr0 & CR0_EVENTQEN) || f->type == 0) {
        return;
    }
    if (eventq_full(s)) {
        s->eventq_prod ^= (s->eventq_prod ^ s->eventq_cons ^ 0x80000000u) & 0x80000000u;
        return;
    }
    if (f->type >= SMMU_F_WALK_EABT) {
        e[1] = (write ? 0 : 1ull << 35) | (uint64_t)f->class_ << 40;
    }
    for (unsigned i = 0; i < 4; i++) {
        e[i] = GUINT64_TO_LE(e[i]);
    }
    if (!dma_write(&s->dev, QUEUE_ADDRESS(s->eventq_base) + index * 32ull, e, sizeof(e))) {
        smmu_error(s, GERROR_EVENTQ_ABT);
        return;
    }
    s->eventq_prod = (s->eventq_prod & 0x80000000u) | ((s->eventq_prod + 1) & ((2u << log2) - 1));
    smmu_signal(s, &s->eventq, IRQ_EVENTQ, s->eventq_cfg0, s->eventq_cfg1);
}

/* ---- translation ---- */

static SmmuEntry *tlb_slot(Smmu *s, const SmmuStream *t, uint64_t iova)
{
    return &s->tlb[(iova >> 12 ^ t->id * 37u) % SMMU_TLB];
}

/* A queue full of invalidations costs one. */
static void tlb_flush(Smmu *s)
{
    if (s->tlb_used) {
        memset(s->tlb, 0, sizeof(s->tlb));
        s->tlb_used = false;
    }
}

static void config_flush(Smmu *s)
{
    GHashTableIter i;
    gpointer t;

    g_hash_table_iter_init(&i, s->streams);
    while (g_hash_table_iter_next(&i, NULL, &t)) {
        ((SmmuStream *)t)->config.valid = false;
    }
    tlb_flush(s);
}

static bool translate_locked(Smmu *s, SmmuStream *t, uint64_t iova, bool write, SmmuEntry *out,
                             SmmuFault *f)
{
    SmmuEntry *e = tlb_slot(s, t, iova);

    if (!(s->cr0 & CR0_SMMUEN)) {
        *out = (SmmuEntry){.page = iova & ~0xfffull,
                           .translated = iova & ~0xfffull,
                           .mask = 0xfff,
                           .read = true,
                           .write = true};
        return !(s->gbpa & GBPA_ABORT);
    }
    if (e->valid && e->stream == t->id && ((iova ^ e->page) & ~e->mask) == 0 &&
        (write ? e->write : e->read)) {
        *out = *e;
        return true;
    }
    if (!t->config.valid && !smmu_load_config(s, t, f)) {
        return false;
    }
    if (t->config.abort) {
        return false;
    }
    if (t->config.bypass) {
        *out = (SmmuEntry){.page = iova & ~0xfffull,
                           .translated = iova & ~0xfffull,
                           .mask = 0xfff,
                           .read = true,
                           .write = true};
        return true;
    }
    if (!smmu_walk(s, t, iova, write, out, f)) {
        f->type = t->config.record || f->type < SMMU_F_TRANSLATION ? f->type : 0;
        return false;
    }
    out->valid = true;
    out->stream = t->id;
    *e = *out;
    s->tlb_used = true;
    return true;
}

static bool smmu_translate(Region *region, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    SmmuStream *t = CONTAINER_OF(region, SmmuStream, region);
    SmmuFault fault = { .address = iova };
    SmmuEntry e = { 0 };

    pthread_mutex_lock(&t->smmu->lock);
    bool ok = translate_locked(t->smmu, t, iova, write, &e, &fault);

    pthread_mutex_unlock(&t->smmu->lock);
    if (!ok) {
        smmu_record(t->smmu, t, &fault, write);
        return false;
    }
    *out = (IommuEntry){.target = address_space_memory(),
                        .iova = e.page,
                        .translated = e.translated,
                        .mask = e.mask,
                        .read = e.read,
                        .write = e.write};
    return true;
}

static AddressSpace *smmu_address_space(PciBus *root, void *opaque, uint16_t requester)
{
    Smmu *s = opaque;
    SmmuStream *t = g_hash_table_lookup(s->streams, GUINT_TO_POINTER(requester));

    if (!t) {
        t = g_new0(SmmuStream, 1);
        t->smmu = s;
        t->id = requester;
        region_init_iommu(&t->region, &s->dev.obj, "smmuv3-stream", UINT64_MAX, smmu_translate);
        address_space_init(&t->as, &t->region, "smmuv3-stream");
        g_hash_table_insert(s->streams, GUINT_TO_POINTER(requester), t);
    }
    return &t->as;
}

/* ---- commands, chapter 4 ---- */

static void cmd_sync(Smmu *s, const uint64_t c[2])
{
    switch (c[0] >> 12 & 3) {
    case 1:
        if (c[1] & 0x000ffffffffffffcull) {
            dma_store(&s->dev, c[1] & 0x000ffffffffffffcull, c[0] >> 32, 4, DEV_LITTLE);
        } else {
            irq_pulse(&s->cmdq_sync);
        }
        break;
    }
}

static bool run_command(Smmu *s, const uint64_t c[2])
{
    switch (c[0] & 0xff) {
    case CMD_CFGI_STE:
    case CMD_CFGI_ALL:
    case CMD_CFGI_CD:
    case CMD_CFGI_CD_ALL:
        pthread_mutex_lock(&s->lock);
        config_flush(s);
        pthread_mutex_unlock(&s->lock);
        return true;
    case CMD_TLBI_NH_ALL:
    case CMD_TLBI_NH_ASID:
    case CMD_TLBI_NH_VA:
    case CMD_TLBI_NH_VAA:
    case CMD_TLBI_NSNH_ALL:
        pthread_mutex_lock(&s->lock);
        tlb_flush(s);
        pthread_mutex_unlock(&s->lock);
        return true;
    case CMD_PREFETCH_CONFIG:
    case CMD_PREFETCH_ADDR:
        return true;
    case CMD_SYNC:
        cmd_sync(s, c);
        return true;
    default:
        return false;
    }
}

static void command_error(Smmu *s, unsigned why)
{
    s->cmdq_cons = (s->cmdq_cons & 0xfffff) | why << 24;
    smmu_error(s, GERROR_CMDQ);
}

/* Stops at an error until the guest acknowledges it. */
static void run_commands(Smmu *s)
{
    unsigned log2 = QUEUE_LOG2(s->cmdq_base);
    uint32_t wrap = (2u << log2) - 1;

    while ((s->cr0 & CR0_CMDQEN) && !((s->gerror ^ s->gerrorn) & GERROR_CMDQ) &&
           ((s->cmdq_prod ^ s->cmdq_cons) & wrap) != 0) {
        uint64_t c[2];
        uint32_t index = s->cmdq_cons & ((1u << log2) - 1);

        if (!dma_read(&s->dev, QUEUE_ADDRESS(s->cmdq_base) + index * 16ull, c, sizeof(c))) {
            command_error(s, CERROR_ABT);
            return;
        }
        c[0] = GUINT64_FROM_LE(c[0]);
        c[1] = GUINT64_FROM_LE(c[1]);
        if (!run_command(s, c)) {
            command_error(s, CERROR_ILL);
            return;
        }
        s->cmdq_cons = (s->cmdq_cons & ~0xfffffu) | ((s->cmdq_cons + 1) & wrap);
    }
}

/* ---- registers ---- */

static void smmu_cr0_write(Device *d, const RegAccess *a)
{
    Smmu *s = (Smmu *)d;

    pthread_mutex_lock(&s->lock);
    config_flush(s);
    pthread_mutex_unlock(&s->lock);
    run_commands(s);
}

static void smmu_queue_write(Device *d, const RegAccess *a)
{
    run_commands((Smmu *)d);
}

static void smmu_gbpa_write(Device *d, const RegAccess *a)
{
    Smmu *s = (Smmu *)d;

    /* 6.3.14: takes effect when Update is written with it. */
    s->gbpa = a->value & GBPA_UPDATE ? a->value & ~GBPA_UPDATE : a->old;
}

static uint64_t smmu_cr0_read(Device *d, const RegAccess *a)
{
    return ((Smmu *)d)->cr0;
}

static uint64_t smmu_irq_ctrl_read(Device *d, const RegAccess *a)
{
    return ((Smmu *)d)->irq_ctrl;
}

static bool smmu_realize(Device *d, GError **error)
{
    Smmu *s = (Smmu *)d;
    PciBus *root = (PciBus *)s->bus_object;

    s->streams = g_hash_table_new(NULL, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pci_set_iommu(root, smmu_address_space, s);
    return true;
}

static void smmu_reset(Device *d)
{
    Smmu *s = (Smmu *)d;

    pthread_mutex_lock(&s->lock);
    config_flush(s);
    pthread_mutex_unlock(&s->lock);
}

/* clang-format off */
static const Reg smmu_regs[] = {
    REG_HOOK(0x00, 4, "idr0", .reset = IDR0_VALUE, .help = "stage 1, AArch64 tables, two-level stream table"),
    REG_HOOK(0x04, 4, "idr1", .reset = IDR1_VALUE, .help = "sizes of queues and stream numbers"),
    REG_HOOK(0x08, 4, "idr2"), REG_HOOK(0x0c, 4, "idr3", .reset = IDR3_VALUE), REG_HOOK(0x10, 4, "idr4"),
    REG_HOOK(0x14, 4, "idr5", .reset = IDR5_VALUE, .help = "44 bits out, granules"),
    REG_HOOK(0x18, 4, "iidr", .reset = 0x43b), REG_HOOK(0x1c, 4, "aidr", .reset = 1),
    REG(Smmu, 0x20, cr0, .wmask = 0xd, .write = smmu_cr0_write, .help = "enables"),
    REG_HOOK(0x24, 4, "cr0ack", .read = smmu_cr0_read),
    REG(Smmu, 0x28, cr1, .wmask = 0xfff), REG(Smmu, 0x2c, cr2, .wmask = 7),
    REG(Smmu, 0x44, gbpa, .reset = 0x1000, .wmask = 0x801fffff, .write = smmu_gbpa_write, .help = "while it is off"),
    REG(Smmu, 0x50, irq_ctrl, .wmask = 5), REG_HOOK(0x54, 4, "irq_ctrlack", .read = smmu_irq_ctrl_read),
    REG(Smmu, 0x60, gerror, .help = "errors: toggled"),
    REG(Smmu, 0x64, gerrorn, .wmask = 0x1fd, .write = smmu_queue_write, .help = "acknowledged errors"),
    REG(Smmu, 0x68, gerror_cfg0, .wmask = 0x000ffffffffffffc), REG(Smmu, 0x70, gerror_cfg1, .wmask = 0xffffffff),
    REG(Smmu, 0x74, gerror_cfg2, .wmask = 0x3f),
    REG(Smmu, 0x80, strtab_base, .wmask = 0x400fffffffffffc0), REG(Smmu, 0x88, strtab_cfg, .wmask = 0x307ff),
    REG(Smmu, 0x90, cmdq_base, .wmask = 0x400fffffffffffff),
    REG(Smmu, 0x98, cmdq_prod, .wmask = 0xfffff, .write = smmu_queue_write), REG(Smmu, 0x9c, cmdq_cons, .wmask = 0x7f0fffff),
    REG(Smmu, 0xa0, eventq_base, .wmask = 0x400fffffffffffff),
    REG(Smmu, 0xa8, eventq_prod, .wmask = 0x800fffff), REG(Smmu, 0xac, eventq_cons, .wmask = 0x800fffff),
    REG(Smmu, 0xb0, eventq_cfg0, .wmask = 0x000ffffffffffffc), REG(Smmu, 0xb8, eventq_cfg1, .wmask = 0xffffffff),
    REG(Smmu, 0xbc, eventq_cfg2, .wmask = 0x3f),
    REG_HOOK(0xfd0, 4, "pidr4", .reset = 0x04), REG_HOOK(0xfe0, 4, "pidr0", .reset = 0x84), REG_HOOK(0xfe4, 4, "pidr1", .reset = 0xb4),
    REG_HOOK(0xfe8, 4, "pidr2", .reset = 0x0b), REG_HOOK(0xff0, 4, "cidr0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cidr1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cidr2", .reset = 0x05), REG_HOOK(0xffc, 4, "cidr3", .reset = 0xb1),
    REG(Smmu, 0x100a8, eventq_prod, .wmask = 0x800fffff), REG(Smmu, 0x100ac, eventq_cons, .wmask = 0x800fffff),
};
/* clang-format on */

static const RegBank smmu_banks[] = {
    { .name = "mmio", .size = 0x20000, BANK_REGS(smmu_regs), .help = "pages 0 and 1" },
    { 0 },
};

static const Prop smmu_props[] = {
    PROP_LINK(Smmu, bus_object, "primary-bus", "PCI", .flags = PROP_REQUIRED),
    PROP_END,
};

static const PinRow smmu_pins[] = {
    PIN_OUT(Smmu, eventq, "eventq"), PIN_OUT(Smmu, priq, "priq"), PIN_OUT(Smmu, cmdq_sync, "cmdq-sync"),
    PIN_OUT(Smmu, gerror_irq, "gerror"), PIN_END,
};

static const StateField smmu_state[] = {
    HOST_ONLY(Smmu, streams, "made as functions appear"),
    HOST_ONLY(Smmu, lock, "host side"),
    HOST_ONLY(Smmu, tlb, "cache"),
    HOST_ONLY(Smmu, tlb_used, "cache"),
    STATE_END,
};

static const DeviceType smmu_type = {
    .name = "arm-smmuv3",
    .category = "misc",
    .desc = "ARM SMMUv3",
    .internal = true,
    .size = sizeof(Smmu),
    .state_version = 1,
    .props = smmu_props,
    .banks = smmu_banks,
    .pins = smmu_pins,
    .state = smmu_state,
    .realize = smmu_realize,
    .reset = smmu_reset,
};
DEVICE_TYPE(smmu_type);
