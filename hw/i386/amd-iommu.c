// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD IOMMU of q35 (specification 48882): registers, command buffer, event log, and the PCI
 * function that carries its capability and its MSI. Left out: guest page tables, peripheral page
 * requests, the guest virtual APIC, performance counters, the exclusion range (nobody is excluded).
 */
#include "amd-iommu.h"

#define AMDVI_BASE 0xfed80000u
#define AMDVI_SIZE 0x4000u
#define AMDVI_CAPABILITY 0x40
#define RING_BASE_MASK 0x0f0ffffffffff000ull
#define ADDRESS_BITS 0x000ffffffffff000ull
/*
 * Prefetch, page requests, guest translation, invalidate all, wide interrupt entries, hardware
 * errors; six levels of host tables: what the reference says, bit for bit.
 */
#define AMDVI_FEATURES 0x29d3ull

enum {
    CONTROL_EVENT_LOG = 1 << 2,
    CONTROL_EVENT_INT = 1 << 3,
    CONTROL_WAIT_INT = 1 << 4,
    CONTROL_COMMANDS = 1 << 12,
};
enum {
    STATUS_OVERFLOW = 1,
    STATUS_EVENT_INT = 2,
    STATUS_WAIT_INT = 4,
    STATUS_EVENT_RUN = 8,
    STATUS_COMMAND_RUN = 0x10,
    STATUS_W1C = 0x667,
};
enum {
    CMD_WAIT = 1,
    CMD_DEVICE = 2,
    CMD_PAGES = 3,
    CMD_DEVICE_TLB = 4,
    CMD_INTERRUPTS = 5,
    CMD_PREFETCH = 6,
    CMD_PAGE_REQUEST = 7,
    CMD_ALL = 8,
};
enum {
    WAIT_STORE = 1,
    WAIT_INTERRUPT = 2,
    PAGES_SIZED = 1
};

/* ---- events ---- */

static uint64_t ring_bytes(uint64_t base)
{
    return 16ull << (base >> 56 & 15);
}

static void amdvi_interrupt(Amdvi *s)
{
    if (pci_msi_enabled(s->function)) {
        pci_msi_notify(s->function, 0);
    }
}

/* Into the log; false: it is off, or full. */
static bool log_event(Amdvi *s, const uint64_t event[2])
{
    uint64_t size = ring_bytes(s->event_base), next = (s->event_tail + 16) & (size - 1);
    uint64_t words[2] = {GUINT64_TO_LE(event[0]), GUINT64_TO_LE(event[1])};

    if (!(s->status & STATUS_EVENT_RUN) || s->event_tail >= size) {
        return false;
    }
    if (next == s->event_head) {
        s->status = (s->status | STATUS_OVERFLOW) & ~(uint64_t)STATUS_EVENT_RUN;
    } else if (address_space_write(s->dev.vm->memory_as,
                                   (s->event_base & ADDRESS_BITS) + s->event_tail, ATTRS_NONE,
                                   words, sizeof(words)) == MEM_OK) {
        s->event_tail = next;
    }
    s->status |= STATUS_EVENT_INT;
    return true;
}

static void events_pending(void *opaque)
{
    Amdvi *s = opaque;
    uint64_t events[AMDVI_EVENTS][2];
    uint32_t n;
    bool logged = false;

    pthread_mutex_lock(&s->lock);
    n = s->num_events;
    memcpy(events, s->events, sizeof(events));
    s->num_events = 0;
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < n; i++) {
        logged |= log_event(s, events[i]);
    }
    if (logged && (s->control & CONTROL_EVENT_INT)) {
        amdvi_interrupt(s);
    }
}

/* Beyond those that wait others are lost, as they are when the log is full. */
void amdvi_event(Amdvi *s, uint8_t code, uint16_t source, uint16_t domain, uint16_t flags,
                 uint64_t address)
{
    if (s->num_events < AMDVI_EVENTS) {
        uint64_t *e = s->events[s->num_events++];

        e[0] = source | (uint64_t)domain << 32 | (uint64_t)flags << 48 | (uint64_t)code << 60;
        e[1] = address;
        bh_schedule(s->event_bh);
    }
}

/* ---- translation ---- */

static AmdviFault translate_locked(Amdvi *s, AmdviSource *t, uint64_t iova, bool write,
                                   X86IommuEntry *out)
{
    uint16_t id = t->source.id;
    const X86IommuEntry *e = x86_iommu_tlb_find(&s->tlb, id, iova, write);
    AmdviFault f;

    if (e) {
        *out = *e;
        return (AmdviFault){0};
    }
    if (!t->dte_valid) {
        f = amdvi_load_dte(s, id, t->dte);
        if (f.code) {
            return f;
        }
        t->dte_valid = true;
    }
    f = amdvi_walk(s, t->dte, iova, write, out);
    if (f.code == 0) {
        out->source = id;
        out->domain = amdvi_domain(t->dte);
        x86_iommu_tlb_enter(&s->tlb, out, iova);
    }
    return f;
}

static bool amdvi_translate(Region *region, hwaddr iova, bool write, MemAttrs attrs,
                            IommuEntry *out)
{
    AmdviSource *t = CONTAINER_OF(region, AmdviSource, source.translated);
    Amdvi *s = (Amdvi *)t->source.iommu->owner;
    X86IommuEntry e = {0};

    pthread_mutex_lock(&s->lock);
    AmdviFault f = translate_locked(s, t, iova, write, &e);

    if (f.code && !(t->dte_valid && amdvi_quiet(t->dte))) {
        amdvi_event(s, f.code, t->source.id, t->dte_valid ? amdvi_domain(t->dte) : 0,
                    f.flags | (write ? AMDVI_FLAG_WRITE : 0), iova);
    }
    pthread_mutex_unlock(&s->lock);
    *out = (IommuEntry){.target = address_space_memory(),
                        .iova = e.page,
                        .translated = e.translated,
                        .mask = e.mask,
                        .read = e.read,
                        .write = e.write};
    return f.code == 0;
}

static bool amdvi_translates(X86IommuSource *t)
{
    return ((Amdvi *)t->iommu->owner)->control & AMDVI_CONTROL_ENABLE;
}

static void dte_forget(X86IommuSource *t)
{
    ((AmdviSource *)t)->dte_valid = false;
}

static void forget_all(Amdvi *s)
{
    pthread_mutex_lock(&s->lock);
    x86_iommu_foreach(&s->iommu, dte_forget);
    x86_iommu_tlb_flush(&s->tlb);
    pthread_mutex_unlock(&s->lock);
}

/* ---- commands, 2.4 ---- */

static bool wait_done(Amdvi *s, const uint64_t c[2])
{
    uint64_t data = GUINT64_TO_LE(c[1]);

    if ((c[0] & WAIT_STORE) &&
        address_space_write(s->dev.vm->memory_as, c[0] & 0x000ffffffffffff8ull, ATTRS_NONE, &data,
                            sizeof(data)) != MEM_OK) {
        return false;
    }
    if (c[0] & WAIT_INTERRUPT) {
        s->status |= STATUS_WAIT_INT;
        if (s->control & CONTROL_WAIT_INT) {
            amdvi_interrupt(s);
        }
    }
    return true;
}

static void invalidate_pages(Amdvi *s, const uint64_t c[2])
{
    uint64_t address = c[1] & ~X86_IOMMU_PAGE, mask = X86_IOMMU_PAGE;

    if (c[1] & PAGES_SIZED) {
        /* The lowest 0 bit of the address says how much. */
        unsigned zero = (address | X86_IOMMU_PAGE) == UINT64_MAX
                            ? 63
                            : (unsigned)__builtin_ctzll(~(address | X86_IOMMU_PAGE));

        mask = zero >= 62 ? UINT64_MAX : (2ull << zero) - 1;
    }
    pthread_mutex_lock(&s->lock);
    x86_iommu_tlb_flush_domain(&s->tlb, c[0] >> 32 & 0xffff, address & ~mask, mask);
    pthread_mutex_unlock(&s->lock);
}

static bool run_command(Amdvi *s, const uint64_t c[2])
{
    switch (c[0] >> 60) {
    case CMD_WAIT:
        return wait_done(s, c);
    case CMD_PAGES:
        invalidate_pages(s, c);
        return true;
    case CMD_DEVICE:
    case CMD_ALL:
        forget_all(s);
        return true;
    case CMD_DEVICE_TLB:
    case CMD_INTERRUPTS:
    case CMD_PREFETCH:
    case CMD_PAGE_REQUEST:
        return true;
    default:
        return false;
    }
}

static void command_error(Amdvi *s, uint8_t code, uint64_t address)
{
    s->status &= ~(uint64_t)STATUS_COMMAND_RUN;
    pthread_mutex_lock(&s->lock);
    amdvi_event(s, code, 0, 0, 0, address);
    pthread_mutex_unlock(&s->lock);
}

static void run_commands(Amdvi *s)
{
    uint64_t size = ring_bytes(s->cmd_base), c[2];

    /* Ends: the head goes once around at most. */
    for (uint64_t i = 0; i < size && (s->status & STATUS_COMMAND_RUN) && s->cmd_head != s->cmd_tail;
         i += 16) {
        uint64_t at = (s->cmd_base & ADDRESS_BITS) + s->cmd_head;

        if (s->cmd_head >= size || s->cmd_tail >= size || !x86_iommu_load(&s->iommu, at, c, 2)) {
            command_error(s, AMDVI_EV_COMMAND_HARDWARE, at);
            return;
        }
        if (!run_command(s, c)) {
            command_error(s, AMDVI_EV_ILLEGAL_COMMAND, at);
            return;
        }
        s->cmd_head = (s->cmd_head + 16) & (size - 1);
    }
}

/* ---- registers ---- */

static void status_bit(Amdvi *s, uint64_t bit, bool on)
{
    s->status = on ? s->status | bit : s->status & ~bit;
}

static void control_write(Device *d, const RegAccess *a)
{
    Amdvi *s = (Amdvi *)d;
    uint64_t on = s->control & AMDVI_CONTROL_ENABLE ? s->control : 0;
    bool log = on & CONTROL_EVENT_LOG, commands = on & CONTROL_COMMANDS;
    uint64_t changed = a->old ^ s->control;

    if (changed & (AMDVI_CONTROL_ENABLE | CONTROL_EVENT_LOG)) {
        status_bit(s, STATUS_EVENT_RUN, log);
    }
    if (changed & (AMDVI_CONTROL_ENABLE | CONTROL_COMMANDS)) {
        status_bit(s, STATUS_COMMAND_RUN, commands);
        run_commands(s);
    }
    if (changed & AMDVI_CONTROL_ENABLE) {
        forget_all(s);
        x86_iommu_update(&s->iommu);
    }
}

static void devtab_write(Device *d, const RegAccess *a)
{
    forget_all((Amdvi *)d);
}

/* A new place begins at its start. */
static void cmd_base_write(Device *d, const RegAccess *a)
{
    Amdvi *s = (Amdvi *)d;

    s->cmd_head = s->cmd_tail = 0;
}

static void event_base_write(Device *d, const RegAccess *a)
{
    Amdvi *s = (Amdvi *)d;

    s->event_head = s->event_tail = 0;
}

static void cmd_tail_write(Device *d, const RegAccess *a)
{
    run_commands((Amdvi *)d);
}

/* clang-format off */
static const Reg amdvi_regs[] = {
    REG(Amdvi, 0x00, devtab, .wmask = 0x000ffffffffff1ff, .write = devtab_write, .help = "device table and its size"),
    REG(Amdvi, 0x08, cmd_base, .wmask = RING_BASE_MASK, .write = cmd_base_write, .help = "command buffer and its size"),
    REG(Amdvi, 0x10, event_base, .wmask = RING_BASE_MASK, .write = event_base_write, .help = "event log and its size"),
    REG(Amdvi, 0x18, control, .wmask = UINT64_MAX, .write = control_write, .help = "enables"),
    REG_ARRAY(Amdvi, 0x20, exclusion, .wmask = 0x000ffffffffff003, .help = "exclusion range; storage only"),
    REG_HOOK(0x30, 8, "features", .reset = AMDVI_FEATURES, .help = "extended features"),
    REG(Amdvi, 0x38, ppr_base, .wmask = RING_BASE_MASK, .help = "page requests; storage only"),
    REG(Amdvi, 0xe0, ga_base, .wmask = RING_BASE_MASK, .help = "guest APIC log; storage only"),
    REG(Amdvi, 0xe8, ga_status, .wmask = 0x000ffffffffffff8, .help = "likewise"),
    REG(Amdvi, 0x2000, cmd_head, .wmask = 0x7fff0, .help = "command buffer: next to be read"),
    REG(Amdvi, 0x2008, cmd_tail, .wmask = 0x7fff0, .write = cmd_tail_write, .help = "... to be written"),
    REG(Amdvi, 0x2010, event_head, .wmask = 0x7fff0, .help = "event log: next to be read"),
    REG(Amdvi, 0x2018, event_tail, .wmask = 0x7fff0, .help = "... to be written"),
    REG(Amdvi, 0x2020, status, .w1c = STATUS_W1C, .help = "overflow, interrupts, what runs"),
    REG(Amdvi, 0x2030, ppr_head, .wmask = 0x7fff0), REG(Amdvi, 0x2038, ppr_tail, .wmask = 0x7fff0),
    REG(Amdvi, 0x2040, ga_head, .wmask = 0x7fff0), REG(Amdvi, 0x2048, ga_tail, .wmask = 0x7fff0),
};
/* clang-format on */

static const RegBank amdvi_banks[] = {
    {.name = "mmio",
     .size = AMDVI_SIZE,
     BANK_REGS(amdvi_regs),
     .min_access = 4,
     .max_access = 8,
     .help = "registers"},
    {0},
};

/* ---- the device ---- */

static bool amdvi_realize(Device *d, GError **error)
{
    Amdvi *s = (Amdvi *)d;
    PcBoard *b = pc_board(d->vm);

    if (!b || !b->q35) {
        return fail(error,
                    "Parameter 'driver' expects a dynamic sysbus device type for the machine");
    }
    if (b->pci->iommu) {
        return fail(error, "QEMU does not support multiple vIOMMUs for x86 yet.");
    }
    s->remaps = s->intremap != ON_OFF_AUTO_OFF;
    s->function = pci_create(b->pci, -1, "AMDVI-PCI", NULL, error, NULL);
    if (!s->function) {
        return false;
    }
    pthread_mutex_init(&s->lock, NULL);
    s->event_bh = bh_new(events_pending, s);
    device_map(d, "mmio", AMDVI_BASE);
    s->iommu = (X86Iommu){
        .owner = d,
        .source_size = sizeof(AmdviSource),
        .translate = amdvi_translate,
        .translates = amdvi_translates,
        .remapper = {.remap = amdvi_remap, .opaque = s},
    };
    x86_iommu_init(&s->iommu, b->pci);
    b->iommu = (PcIommu){
        .kind = PC_IOMMU_AMD,
        .base = AMDVI_BASE,
        .remaps = s->remaps,
        .device_tlb = s->device_iotlb,
        .function = (uint16_t)s->function->devfn,
    };
    return true;
}

static void amdvi_unrealize(Device *d)
{
    Amdvi *s = (Amdvi *)d;

    x86_iommu_fini(&s->iommu, pc_board(d->vm)->pci);
    g_clear_pointer(&s->event_bh, bh_free);
    pthread_mutex_destroy(&s->lock);
}

static void amdvi_reset(Device *d)
{
    Amdvi *s = (Amdvi *)d;

    s->num_events = 0;
    memset(s->events, 0, sizeof(s->events));
    forget_all(s);
    x86_iommu_update(&s->iommu);
}

static void amdvi_post_load(Device *d)
{
    Amdvi *s = (Amdvi *)d;

    s->num_events = MIN(s->num_events, AMDVI_EVENTS);
    forget_all(s);
    x86_iommu_update(&s->iommu);
    bh_schedule(s->event_bh);
}

static const Prop amdvi_props[] = {
    PROP_BOOL(Amdvi, device_iotlb, "device-iotlb", false),
    PROP_ON_OFF_AUTO(Amdvi, intremap, "intremap", ON_OFF_AUTO_AUTO),
    PROP_BOOL(Amdvi, pass_through, "pt", true),
    PROP_END,
};

static const StateField amdvi_state[] = {
    STATE_RAW(Amdvi, events),
    STATE_COUNT(Amdvi, num_events, events),
    HOST_ONLY(Amdvi, remaps, "by the properties"),
    HOST_ONLY(Amdvi, function, "host side"),
    HOST_ONLY(Amdvi, lock, "host side"),
    HOST_ONLY(Amdvi, iommu, "made as functions appear"),
    HOST_ONLY(Amdvi, tlb, "cache"),
    HOST_ONLY(Amdvi, event_bh, "host side"),
    STATE_END,
};

static const DeviceType amdvi_type = {
    .name = "amd-iommu",
    .category = "misc",
    .desc = "AMD IOMMU (AMD-Vi) DMA Remapping device",
    .size = sizeof(Amdvi),
    .state_version = 1,
    .props = amdvi_props,
    .banks = amdvi_banks,
    .state = amdvi_state,
    .realize = amdvi_realize,
    .unrealize = amdvi_unrealize,
    .reset = amdvi_reset,
    .post_load = amdvi_post_load,
};
DEVICE_TYPE(amdvi_type);

/* ---- its PCI function, 3.2 ---- */

static bool function_realize(Device *d, GError **error)
{
    PciDevice *p = (PciDevice *)d;
    /* IOMMU capability with IOTLB, tunnel, cache of what is absent, features; base; sizes. */
    static const uint32_t words[] = {0x1f03000f, AMDVI_BASE, 0, 0xff000000, 0x00182840};

    if (!pci_add_cap(p, words[0] & 0xff, AMDVI_CAPABILITY, 0x18, error) ||
        !pci_msi_init(p, 1, error)) {
        return false;
    }
    pci_config_set(p, AMDVI_CAPABILITY + 2, 2, words[0] >> 16);
    for (unsigned i = 1; i < ARRAY_COUNT(words); i++) {
        pci_config_set(p, AMDVI_CAPABILITY + 4 * i, 4, words[i]);
    }
    return true;
}

static const PciInfo function_pci = {.vendor = 0x1022, .device = 0x0008, .class_code = 0x080600};

static const DeviceType function_type = {
    .name = "AMDVI-PCI",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "misc",
    .desc = "Capability and interrupt of the AMD IOMMU",
    .internal = true,
    .bus_info = &function_pci,
    .size = sizeof(PciDevice),
    .state_version = 1,
    .realize = function_realize,
};
DEVICE_TYPE(function_type);
