// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA and interrupt remapping unit of q35 (Intel VT-d 3.4): registers, queued invalidation, fault
 * recording. Left out: first-level and nested translation, page requests, posted interrupts.
 */
#include "intel-iommu.h"

#define VTD_BASE 0xfed90000u
#define FAULT_OFFSET 0x220u
#define IOTLB_OFFSET 0x0f0u
#define MASKED (1u << 31)
#define PENDING (1u << 30)

enum {
    GCMD_TE = 1u << 31,
    GCMD_SRTP = 1u << 30,
    GCMD_QIE = 1u << 26,
    GCMD_IRE = 1u << 25,
    GCMD_SIRTP = 1u << 24,
    GCMD_CFI = 1u << 23 };
enum { FSTS_PFO = 1, FSTS_PPF = 2, FSTS_IQE = 0x10, FSTS_W1C = 0x71, ICS_IWC = 1 };
#define FRCD_F (1ull << 63)
#define FRCD_READ (1ull << 62)
enum {
    INV_CONTEXT = 1,
    INV_IOTLB,
    INV_DEVICE,
    INV_INTERRUPT,
    INV_WAIT,
    INV_PASID_IOTLB,
    INV_PASID,
    INV_PASID_DEVICE
};

/* ---- messages of the unit itself, 5.1.6: not remapped ---- */

static void vtd_message(Vtd *s, uint32_t *control, uint64_t address, uint32_t data)
{
    if (*control & MASKED) {
        *control |= PENDING;
    } else {
        *control &= ~PENDING;
        x86_interrupt_deliver(s->dev.vm, x86_message_decode(address, data));
    }
}

static void fault_message(void *opaque)
{
    Vtd *s = opaque;

    pthread_mutex_lock(&s->lock);
    bool due = s->fault_message;

    s->fault_message = false;
    pthread_mutex_unlock(&s->lock);
    if (due) {
        vtd_message(s, &s->fectl, s->feaddr | (uint64_t)s->feuaddr << 32, s->fedata);
    }
}

/* ---- faults, 7.2 ---- */

static bool fault_shown(const Vtd *s)
{
    return s->fsts & (FSTS_PFO | FSTS_PPF | FSTS_IQE);
}

/* Sets bits of the status; its first one makes a message, sent from the main loop. */
static void fault_status(Vtd *s, uint32_t bits)
{
    bool first = !fault_shown(s);

    s->fsts |= bits;
    if (first) {
        s->fault_message = true;
        bh_schedule(s->fault_bh);
    }
}

void vtd_fault(Vtd *s, uint16_t source, uint64_t address, uint8_t reason, bool write)
{
    if (s->fsts & FSTS_PFO) {
        return;
    }
    if (s->frcd[1] & FRCD_F) {
        fault_status(s, FSTS_PFO);
        return;
    }
    s->frcd[0] = address & ~VTD_PAGE;
    s->frcd[1] = FRCD_F | (write ? 0 : FRCD_READ) | (uint64_t)reason << 32 | source;
    fault_status(s, FSTS_PPF);
}

/* ---- translation ---- */

static void context_forget(X86IommuSource *t)
{
    ((VtdSource *)t)->context.valid = false;
}

static void context_flush(Vtd *s)
{
    x86_iommu_foreach(&s->iommu, context_forget);
    x86_iommu_tlb_flush(&s->tlb);
}

static uint8_t translate_locked(Vtd *s, VtdSource *t, uint64_t iova, bool write, VtdEntry *out,
                                bool *quiet)
{
    const VtdEntry *e = x86_iommu_tlb_find(&s->tlb, t->source.id, iova, write);

    if (e) {
        *out = *e;
        return 0;
    }
    if (!t->context.valid) {
        uint8_t reason = vtd_load_context(s, t->source.id, &t->context);

        if (reason) {
            *quiet = t->context.quiet;
            return reason;
        }
    }
    if (t->context.pass) {
        *out = (VtdEntry){.page = iova & ~VTD_PAGE,
                          .translated = iova & ~VTD_PAGE,
                          .mask = VTD_PAGE,
                          .read = true,
                          .write = true};
        return 0;
    }
    uint8_t reason = vtd_walk(s, &t->context, iova, write, out);

    if (reason) {
        *quiet = t->context.quiet;
        return reason;
    }
    out->source = t->source.id;
    out->domain = t->context.domain;
    x86_iommu_tlb_enter(&s->tlb, out, iova);
    return 0;
}

static bool vtd_translate(Region *region, hwaddr iova, bool write, MemAttrs attrs, IommuEntry *out)
{
    VtdSource *t = CONTAINER_OF(region, VtdSource, source.translated);
    Vtd *s = (Vtd *)t->source.iommu->owner;
    bool quiet = false;
    VtdEntry e = { 0 };

    pthread_mutex_lock(&s->lock);
    uint8_t reason = translate_locked(s, t, iova, write, &e, &quiet);

    if (reason && !quiet) {
        vtd_fault(s, t->source.id, iova, reason, write);
    }
    pthread_mutex_unlock(&s->lock);
    *out = (IommuEntry){.target = address_space_memory(),
                        .iova = e.page,
                        .translated = e.translated,
                        .mask = e.mask,
                        .read = e.read,
                        .write = e.write};
    return reason == 0;
}

static bool vtd_translates(X86IommuSource *t)
{
    return ((Vtd *)t->iommu->owner)->gsts & VTD_GSTS_TES;
}

/* ---- queued invalidation, 6.5.2 ---- */

static bool wait_done(Vtd *s, const uint64_t d[2])
{
    if (d[0] & 0x20) {
        uint32_t data = GUINT32_TO_LE(d[0] >> 32);

        if (address_space_write(s->dev.vm->memory_as, d[1] & ~3ull, ATTRS_NONE, &data, 4) !=
            MEM_OK) {
            return false;
        }
    }
    if ((d[0] & 0x10) && !(s->ics & ICS_IWC)) {
        s->ics |= ICS_IWC;
        vtd_message(s, &s->iectl, s->ieaddr | (uint64_t)s->ieuaddr << 32, s->iedata);
    }
    return true;
}

static bool invalidate_iotlb(Vtd *s, unsigned granularity, uint16_t domain, uint64_t address)
{
    uint64_t mask = ((1ull << MIN(address & 0x3f, 52)) << 12) - 1;

    pthread_mutex_lock(&s->lock);
    switch (granularity) {
    case 1:
        x86_iommu_tlb_flush(&s->tlb);
        break;
    case 2:
        x86_iommu_tlb_flush_domain(&s->tlb, domain, 0, UINT64_MAX);
        break;
    case 3:
        x86_iommu_tlb_flush_domain(&s->tlb, domain, address & ~VTD_PAGE, mask);
        break;
    }
    pthread_mutex_unlock(&s->lock);
    return granularity != 0;
}

static void invalidate_contexts(Vtd *s)
{
    pthread_mutex_lock(&s->lock);
    context_flush(s);
    pthread_mutex_unlock(&s->lock);
}

static bool run_descriptor(Vtd *s, const uint64_t d[2])
{
    switch ((d[0] & 15) | (d[0] >> 5 & 0x70)) {
    case INV_CONTEXT:
        invalidate_contexts(s);
        return (d[0] >> 4 & 3) != 0;
    case INV_IOTLB:
        return invalidate_iotlb(s, d[0] >> 4 & 3, d[0] >> 16, d[1]);
    case INV_DEVICE:
    case INV_INTERRUPT:
        return true;
    case INV_WAIT:
        return wait_done(s, d);
    case INV_PASID:
    case INV_PASID_IOTLB:
        invalidate_contexts(s);
        return s->scalable;
    case INV_PASID_DEVICE:
        return s->scalable;
    default:
        return false;
    }
}

static void queue_error(Vtd *s)
{
    pthread_mutex_lock(&s->lock);
    fault_status(s, FSTS_IQE);
    pthread_mutex_unlock(&s->lock);
}

static void run_queue(Vtd *s)
{
    unsigned log2 = (s->iqa & 7) + 8;
    bool wide = s->scalable && (s->iqa & 1u << 11);
    uint64_t size = 16ull << log2, step = wide ? 32 : 16, d[4];

    /* Ends: the head goes once around at most. */
    for (uint64_t i = 0;
         i < size && (s->gsts & VTD_GSTS_QIES) && !(s->fsts & FSTS_IQE) && s->iqh != s->iqt;
         i += step) {
        if (s->iqt >= size || (wide && (s->iqt & 16)) ||
            !vtd_load(s, (s->iqa & ~VTD_PAGE) + s->iqh, d, wide ? 4 : 2) || !run_descriptor(s, d)) {
            queue_error(s);
            return;
        }
        s->iqh = (s->iqh + step) & (size - 1);
    }
}

/* ---- registers ---- */

static void set_status(Vtd *s, uint32_t bit, bool on)
{
    s->gsts = on ? s->gsts | bit : s->gsts & ~bit;
}

static void gcmd_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;
    uint32_t v = a->value, old = s->gsts;

    if (v & GCMD_SRTP) {
        s->root_table = s->rtaddr;
        s->gsts |= VTD_GSTS_RTPS;
        invalidate_contexts(s);
    }
    if ((v & GCMD_SIRTP) && s->remaps) {
        pthread_mutex_lock(&s->lock);
        s->remap_table = s->eim == ON_OFF_AUTO_ON || s->buggy_eim ? s->irta : s->irta & ~0x800ull;
        pthread_mutex_unlock(&s->lock);
        s->gsts |= VTD_GSTS_IRTPS;
    }
    set_status(s, VTD_GSTS_TES, (v & GCMD_TE) && s->dma_translation);
    set_status(s, VTD_GSTS_QIES, v & GCMD_QIE);
    set_status(s, VTD_GSTS_IRES, (v & GCMD_IRE) && s->remaps);
    set_status(s, VTD_GSTS_CFIS, v & GCMD_CFI);
    if (~old & s->gsts & VTD_GSTS_QIES) {
        s->iqh = 0;
        run_queue(s);
    }
    if ((old ^ s->gsts) & VTD_GSTS_TES) {
        invalidate_contexts(s);
        x86_iommu_update(&s->iommu);
    }
}

static uint64_t gsts_read(Device *d, const RegAccess *a)
{
    return ((Vtd *)d)->gsts;
}

static uint64_t version_read(Device *d, const RegAccess *a)
{
    return 0x10;
}

/* What Linux reads from these two is what its reference says, bit for bit. */
static uint64_t cap_read(Device *d, const RegAccess *a)
{
    const Vtd *s = (Vtd *)d;
    uint64_t widths = !s->dma_translation ? 0 : s->aw_bits == 48 ? 6 : 2;

    return 6 | (uint64_t)s->caching_mode << 7 | widths << 8 | (uint64_t)(s->aw_bits - 1) << 16 |
           (uint64_t)(FAULT_OFFSET / 16) << 24 | 3ull << 34 | 1ull << 39 | 18ull << 48 |
           (s->dma_drain ? 3ull << 54 : 0);
}

static uint64_t ecap_read(Device *d, const RegAccess *a)
{
    const Vtd *s = (Vtd *)d;

    return 1u << 1 | (uint64_t)s->device_iotlb << 2 | (s->remaps ? 1u << 3 | 15u << 20 : 0) |
           (uint64_t)(s->eim == ON_OFF_AUTO_ON || s->buggy_eim) << 4 |
           (uint64_t)s->pass_through << 6 | (uint64_t)s->snoop_control << 7 |
           (IOTLB_OFFSET / 16) << 8 | (s->scalable ? 1ull << 31 | 1ull << 43 | 1ull << 46 : 0) |
           (s->pasid ? 1ull << 40 | 19ull << 35 : 0);
}

static void ccmd_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    if (s->ccmd >> 63) {
        invalidate_contexts(s);
        s->ccmd = (s->ccmd & ~(1ull << 63 | 3ull << 59)) | (s->ccmd >> 61 & 3) << 59;
    }
}

static void iotlb_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    if (s->iotlb >> 63) {
        invalidate_iotlb(s, s->iotlb >> 60 & 3, s->iotlb >> 32, s->iva);
        s->iotlb = (s->iotlb & ~(1ull << 63 | 3ull << 57)) | (s->iotlb >> 60 & 3) << 57;
    }
}

/* A message that waited is no longer due once nothing is shown. */
static void fault_acknowledged(Vtd *s)
{
    if (!fault_shown(s)) {
        s->fectl &= ~PENDING;
    }
}

static uint64_t fsts_read(Device *d, const RegAccess *a)
{
    return ((Vtd *)d)->fsts;
}

static void fsts_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    pthread_mutex_lock(&s->lock);
    s->fsts &= ~(a->value & a->mask & FSTS_W1C);
    fault_acknowledged(s);
    pthread_mutex_unlock(&s->lock);
    run_queue(s);
}

static uint64_t frcd_read(Device *d, const RegAccess *a)
{
    return ((Vtd *)d)->frcd[a->index];
}

static void frcd_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    pthread_mutex_lock(&s->lock);
    if (a->index == 1 && (a->value & a->mask & FRCD_F)) {
        s->frcd[1] &= ~FRCD_F;
        s->fsts &= ~(uint32_t)FSTS_PPF;
        fault_acknowledged(s);
    }
    pthread_mutex_unlock(&s->lock);
}

static void fectl_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    if (s->fectl & PENDING) {
        vtd_message(s, &s->fectl, s->feaddr | (uint64_t)s->feuaddr << 32, s->fedata);
    }
}

static void iectl_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    if (s->iectl & PENDING) {
        vtd_message(s, &s->iectl, s->ieaddr | (uint64_t)s->ieuaddr << 32, s->iedata);
    }
}

static void ics_write(Device *d, const RegAccess *a)
{
    Vtd *s = (Vtd *)d;

    if (!(s->ics & ICS_IWC)) {
        s->iectl &= ~PENDING;
    }
}

static void iqt_write(Device *d, const RegAccess *a)
{
    run_queue((Vtd *)d);
}

/* clang-format off */
static const Reg vtd_regs[] = {
    REG_HOOK(0x00, 4, "ver", .read = version_read, .help = "1.0"),
    REG_HOOK(0x08, 8, "cap", .read = cap_read, .help = "capabilities"),
    REG_HOOK(0x10, 8, "ecap", .read = ecap_read, .help = "extended capabilities"),
    REG_HOOK(0x18, 4, "gcmd", .wmask = UINT32_MAX, .write = gcmd_write, .help = "global command"),
    REG_HOOK(0x1c, 4, "gsts", .read = gsts_read, .help = "global status"),
    REG(Vtd, 0x20, rtaddr, .wmask = 0xfffffffffffffc00, .help = "root table, taken over by a command"),
    REG(Vtd, 0x28, ccmd, .wmask = 0xe0000003ffffffff, .write = ccmd_write, .help = "context invalidation"),
    REG_HOOK(0x34, 4, "fsts", .wmask = UINT32_MAX, .read = fsts_read, .write = fsts_write, .help = "fault status"),
    REG(Vtd, 0x38, fectl, .reset = MASKED, .wmask = MASKED, .write = fectl_write, .help = "fault event control"),
    REG(Vtd, 0x3c, fedata, .wmask = UINT32_MAX), REG(Vtd, 0x40, feaddr, .wmask = 0xfffffffc),
    REG(Vtd, 0x44, feuaddr, .wmask = UINT32_MAX),
    REG_HOOK(0x58, 8, "aflog", .help = "none"),
    REG(Vtd, 0x64, pmen, .help = "no protected memory"),
    REG(Vtd, 0x68, plmbase), REG(Vtd, 0x6c, plmlimit), REG(Vtd, 0x70, phmbase), REG(Vtd, 0x78, phmlimit),
    REG(Vtd, 0x80, iqh, .help = "invalidation queue: head"),
    REG(Vtd, 0x88, iqt, .wmask = 0x7fff0, .write = iqt_write, .help = "... tail"),
    REG(Vtd, 0x90, iqa, .wmask = 0xfffffffffffff807, .help = "... address and size"),
    REG(Vtd, 0x9c, ics, .w1c = ICS_IWC, .write = ics_write, .help = "a wait descriptor was done"),
    REG(Vtd, 0xa0, iectl, .reset = MASKED, .wmask = MASKED, .write = iectl_write, .help = "its event's control"),
    REG(Vtd, 0xa4, iedata, .wmask = UINT32_MAX), REG(Vtd, 0xa8, ieaddr, .wmask = 0xfffffffc),
    REG(Vtd, 0xac, ieuaddr, .wmask = UINT32_MAX),
    REG(Vtd, 0xb8, irta, .wmask = 0xfffffffffffff80f, .help = "interrupt table, taken over by a command"),
    REG(Vtd, 0xf0, iva, .wmask = 0xfffffffffffff07f, .help = "page to invalidate"),
    REG(Vtd, 0xf8, iotlb, .wmask = 0xb003ffff00000000, .write = iotlb_write, .help = "TLB invalidation"),
    REG_HOOK(0x220, 8, "frcd", .count = 2, .wmask = UINT64_MAX, .read = frcd_read, .write = frcd_write, .help = "fault record"),
};
/* clang-format on */

static const RegBank vtd_banks[] = {
    { .name = "mmio", .size = 0x1000, BANK_REGS(vtd_regs), .min_access = 4, .max_access = 8, .help = "registers" },
    { 0 },
};

/* ---- the device ---- */

/* Local APICs in the kernel take messages with 32-bit IDs; a kernel's I/O APIC is not remapped. */
static bool kernel_split(Vm *vm)
{
    const X86KernelIrq *kernel = vm_published(vm, X86_KERNEL_IRQ);

    return kernel && kernel->route;
}

static bool vtd_check(Vtd *s, GError **error)
{
    PcBoard *b = pc_board(s->dev.vm);

    if (!b || !b->q35) {
        return fail(error,
                    "Parameter 'driver' expects a dynamic sysbus device type for the machine");
    }
    if (b->pci->iommu) {
        return fail(error, "QEMU does not support multiple vIOMMUs for x86 yet.");
    }
    if (s->aw_bits != 39 && s->aw_bits != 48) {
        return fail(error, "Supported values for aw-bits are: 39, 48");
    }
    s->remaps = s->intremap != ON_OFF_AUTO_OFF;
    if (s->eim == ON_OFF_AUTO_ON && !s->remaps) {
        return fail(error, "eim=on cannot be selected without intremap=on");
    }
    if (s->eim == ON_OFF_AUTO_ON && !s->buggy_eim && !kernel_split(s->dev.vm)) {
        return fail(error, "eim=on requires accel=kvm,kernel-irqchip=split");
    }
    if (s->pasid && !s->scalable) {
        return fail(error, "Need to set scalable mode for PASID");
    }
    return true;
}

static bool vtd_realize(Device *d, GError **error)
{
    Vtd *s = (Vtd *)d;
    PcBoard *b = pc_board(d->vm);

    if (!vtd_check(s, error)) {
        return false;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->fault_bh = bh_new(fault_message, s);
    device_map(d, "mmio", VTD_BASE);
    s->iommu = (X86Iommu){
        .owner = d,
        .source_size = sizeof(VtdSource),
        .translate = vtd_translate,
        .translates = vtd_translates,
        .remapper = { .remap = vtd_remap, .opaque = s },
    };
    x86_iommu_init(&s->iommu, b->pci);
    b->iommu = (PcIommu){
        .kind = PC_IOMMU_INTEL,
        .base = VTD_BASE,
        .address_bits = s->aw_bits,
        .remaps = s->remaps,
        .device_tlb = s->device_iotlb,
    };
    return true;
}

/* At the end of the machine. */
static void vtd_unrealize(Device *d)
{
    Vtd *s = (Vtd *)d;

    x86_iommu_fini(&s->iommu, pc_board(d->vm)->pci);
    g_clear_pointer(&s->fault_bh, bh_free);
    pthread_mutex_destroy(&s->lock);
}

static void vtd_reset(Device *d)
{
    Vtd *s = (Vtd *)d;

    s->gsts = s->fsts = 0;
    s->frcd[0] = s->frcd[1] = 0;
    s->root_table = s->remap_table = 0;
    s->fault_message = false;
    invalidate_contexts(s);
    x86_iommu_update(&s->iommu);
}

static void vtd_post_load(Device *d)
{
    Vtd *s = (Vtd *)d;

    invalidate_contexts(s);
    x86_iommu_update(&s->iommu);
    if (s->fault_message) {
        bh_schedule(s->fault_bh);
    }
}

static const Prop vtd_props[] = {
    PROP_U32(Vtd, version, "version", 0),
    PROP_U8(Vtd, aw_bits, "aw-bits", 39),
    PROP_BOOL(Vtd, caching_mode, "caching-mode", false),
    PROP_BOOL(Vtd, device_iotlb, "device-iotlb", false),
    PROP_BOOL(Vtd, dma_drain, "dma-drain", true),
    PROP_BOOL(Vtd, dma_translation, "dma-translation", true),
    PROP_ON_OFF_AUTO(Vtd, eim, "eim", ON_OFF_AUTO_AUTO),
    PROP_ON_OFF_AUTO(Vtd, intremap, "intremap", ON_OFF_AUTO_AUTO),
    PROP_BOOL(Vtd, pass_through, "pt", true),
    PROP_BOOL(Vtd, snoop_control, "snoop-control", false),
    PROP_BOOL(Vtd, buggy_eim, "x-buggy-eim", false),
    PROP_BOOL(Vtd, pasid, "x-pasid-mode", false),
    PROP_BOOL(Vtd, scalable, "x-scalable-mode", false),
    PROP_END,
};

static const StateField vtd_state[] = {
    STATE(Vtd, gsts),
    STATE(Vtd, fsts),
    STATE_ARRAY(Vtd, frcd),
    STATE(Vtd, root_table),
    STATE(Vtd, remap_table),
    STATE(Vtd, fault_message),
    HOST_ONLY(Vtd, remaps, "by the properties"),
    HOST_ONLY(Vtd, iommu, "made as functions appear"),
    HOST_ONLY(Vtd, lock, "host side"),
    HOST_ONLY(Vtd, tlb, "cache"),
    HOST_ONLY(Vtd, fault_bh, "host side"),
    STATE_END,
};

static const DeviceType vtd_type = {
    .name = "intel-iommu",
    .category = "misc",
    .desc = "Intel IOMMU (VT-d) DMA Remapping device",
    .size = sizeof(Vtd),
    .state_version = 1,
    .props = vtd_props,
    .banks = vtd_banks,
    .state = vtd_state,
    .realize = vtd_realize,
    .unrealize = vtd_unrealize,
    .reset = vtd_reset,
    .post_load = vtd_post_load,
};
DEVICE_TYPE(vtd_type);
