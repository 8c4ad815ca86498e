// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Intel ICH9 LPC bridge (datasheet 316972, chapter 13): PIRQ routing to the 8259 pair and the
 * I/O APIC, ACPI registers at PMBASE, SMI command port, root complex base.
 * Left out: GPIO, LPC decode ranges (all of ISA is decoded).
 */
#include "hw/acpi/cpu-hotplug.h"
#include "hw/acpi/pm.h"
#include "hw/acpi/tco.h"
#include "hw/i386/pc.h"

#define LPC_PMBASE 0x40
#define LPC_ACPI_CNTL 0x44
#define LPC_PIRQA 0x60
#define LPC_PIRQE 0x68
#define LPC_GEN_PMCON_1 0xa0
#define LPC_RCBA 0xf0
#define PM_SIZE 128
#define PM_GPE0 0x20
#define PM_SMI_EN 0x30
#define GPE0_LEN 8
#define RCRB_GCS 0x3410
#define GCS_NO_REBOOT 0x20u
#define PMCON_SMI_LOCK 0x10
#define SMI_FEATURE_BROADCAST 1ull
#define SMI_REQUEST_FILE "etc/smi/requested-features"
#define SMI_OK_FILE "etc/smi/features-ok"
enum {
    ACPI_CNTL_EN = 0x80,
    SMI_EN_GBL = 1,
    SMI_EN_EOS = 2,
    SMI_EN_APMC = 1 << 5,
    SMI_EN_TCO = 1 << 13,
    ACPI_ENABLE = 2,
    ACPI_DISABLE = 3
};

typedef struct Ich9Lpc {
    PciDevice pci;
    IsaBus isa;
    AcpiPm acpi;
    AcpiCpus cpus;
    Tco tco;
    bool noreboot; /* the strap */
    uint32_t gcs;
    Region pm, smi_region, rcrb;
    uint8_t pirq_levels; /* PIRQA..H */
    uint8_t apmc, apms;
    uint32_t smi_en, smi_sts;
    uint16_t pm_base;
    bool pm_mapped, rcrb_mapped;
    hwaddr rcrb_base;
    /* SMI features that firmware negotiates through fw_cfg, little endian as in the files */
    uint64_t smi_requested;
    uint64_t smi_features; /* agreed upon */
    uint8_t smi_features_ok;
    bool smi_published;
} Ich9Lpc;

static void ich9_isa_input(Device *d, unsigned line, int level)
{
    pc_gsi_isa(&pc_board(d->vm)->gsi, line, level);
}

static uint8_t ich9_pirq_register(const Ich9Lpc *s, unsigned i)
{
    return s->pci.config[i < 4 ? LPC_PIRQA + i : LPC_PIRQE + i - 4];
}

static unsigned ich9_sci_line(const Ich9Lpc *s)
{
    static const uint8_t lines[] = {9, 10, 11, 9, 20, 21, 9, 9};

    return lines[s->pci.config[LPC_ACPI_CNTL] & 7];
}

/* PIRQs always reach I/O APIC pins 16-23, and the 8259 line that their register names. */
static void ich9_route(Ich9Lpc *s)
{
    PcGsi *g = &pc_board(s->pci.dev.vm)->gsi;
    uint32_t lines = (uint32_t)s->pirq_levels << 16;

    for (unsigned i = 0; i < 8; i++) {
        uint8_t r = ich9_pirq_register(s, i);

        if (!(r & 0x80)) {
            lines |= (uint32_t)(s->pirq_levels >> i & 1) << (r & 15);
        }
    }
    for (unsigned l = 0; l < 24; l++) {
        if ((g->pci_lines ^ lines) >> l & 1) {
            pc_gsi_pci(g, l, lines >> l & 1);
        }
    }
}

static void ich9_set_pirq(void *opaque, unsigned pirq, int level)
{
    Ich9Lpc *s = opaque;

    s->pirq_levels = (s->pirq_levels & ~(1u << pirq)) | (unsigned)!!level << pirq;
    ich9_route(s);
}

/*
 * Slots 0-24 swizzle onto PIRQE..H, slots 25-31 take the reset values of D25IR..D31IR
 * (A..D in order), as the DSDT says.
 */
static unsigned ich9_map_irq(PciBus *root, unsigned slot, unsigned pin)
{
    return slot >= 25 ? pin : 4 + ((slot + pin) & 3);
}

static void ich9_set_sci(Device *d, int level)
{
    Ich9Lpc *s = (Ich9Lpc *)d;

    pc_gsi_isa(&pc_board(d->vm)->gsi, ich9_sci_line(s), level);
}

/* ---- SMI_EN, SMI_STS ---- */

static bool ich9_has_smm(const Ich9Lpc *s)
{
    return pc_board(s->pci.dev.vm)->has_smm;
}

static uint64_t ich9_smi_read(void *opaque, hwaddr offset, unsigned size)
{
    Ich9Lpc *s = opaque;

    return offset == 0 ? s->smi_en : s->smi_sts;
}

static void ich9_smi_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Ich9Lpc *s = opaque;

    if (offset == 0) {
        /* SMI_LOCK keeps the global enable as it is. */
        uint32_t kept = (s->pci.config[LPC_GEN_PMCON_1] & PMCON_SMI_LOCK ? SMI_EN_GBL : 0) |
                        (tco_locked(&s->tco) ? SMI_EN_TCO : 0);

        s->smi_en = (value & ~kept & ~SMI_EN_EOS) | (s->smi_en & kept) |
                    (ich9_has_smm(s) ? 0 : SMI_EN_APMC);
    } else {
        s->smi_sts &= ~value;
    }
}

static const RegionOps ich9_smi_ops = {
    .read = ich9_smi_read,
    .write = ich9_smi_write,
    .min_size = 4,
    .max_size = 4,
};

static void ich9_write_apmc(Device *d, const RegAccess *a)
{
    Ich9Lpc *s = (Ich9Lpc *)d;

    if (a->value == ACPI_ENABLE || a->value == ACPI_DISABLE) {
        acpi_pm_set_enabled(&s->acpi, a->value == ACPI_ENABLE);
    }
    if ((s->smi_en & SMI_EN_GBL) && (s->smi_en & SMI_EN_APMC)) {
        s->smi_sts |= SMI_EN_APMC;
        pc_raise_smi(pc_board(d->vm),
                     s->smi_features & SMI_FEATURE_BROADCAST ? SMI_TO_ALL : SMI_TO_WRITER);
    }
}

static const Reg ich9_apm_regs[] = {
    REG(Ich9Lpc, 0, apmc, .wmask = 0xff, .write = ich9_write_apmc, .help = "SMI command"),
    REG(Ich9Lpc, 1, apms, .wmask = 0xff, .help = "SMI status: storage"),
};

static void ich9_tco_smi(Device *d)
{
    Ich9Lpc *s = (Ich9Lpc *)d;

    if ((s->smi_en & SMI_EN_GBL) && (s->smi_en & SMI_EN_TCO)) {
        s->smi_sts |= SMI_EN_TCO;
        pc_raise_smi(pc_board(d->vm), SMI_TO_FIRST);
    }
}

static bool ich9_tco_may_reboot(Device *d)
{
    Ich9Lpc *s = (Ich9Lpc *)d;

    return !s->noreboot && !(s->gcs & GCS_NO_REBOOT);
}

/* ---- root complex registers: GCS is kept, the others read as zero ---- */

static uint64_t rcrb_read(void *opaque, hwaddr offset, unsigned size)
{
    return offset == RCRB_GCS ? ((Ich9Lpc *)opaque)->gcs : 0;
}

static void rcrb_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    if (offset == RCRB_GCS) {
        ((Ich9Lpc *)opaque)->gcs = (uint32_t)value;
        return;
    }
    guest_unimp("ich9: write of %" G_GINT64_MODIFIER
                "x to root complex register %" G_GINT64_MODIFIER "x",
                value, offset);
}

static const RegionOps rcrb_ops = {
    .read = rcrb_read, .write = rcrb_write, .min_size = 4, .max_size = 4};

static void ich9_remap(Ich9Lpc *s)
{
    Vm *vm = s->pci.dev.vm;
    bool pm_on = s->pci.config[LPC_ACPI_CNTL] & ACPI_CNTL_EN;
    uint16_t base = pci_config_get(&s->pci, LPC_PMBASE, 4) & 0xff80;
    uint32_t rcba = pci_config_get(&s->pci, LPC_RCBA, 4);

    memory_transaction_begin();
    if (s->pm_mapped && (!pm_on || base != s->pm_base)) {
        region_remove(&s->pm);
        s->pm_mapped = false;
    }
    if (pm_on && !s->pm_mapped) {
        region_add(vm->io, base, &s->pm, 0);
        s->pm_mapped = true;
    }
    s->pm_base = base;
    if (s->rcrb_mapped && (!(rcba & 1) || (rcba & 0xffffc000) != s->rcrb_base)) {
        region_remove(&s->rcrb);
        s->rcrb_mapped = false;
    }
    if ((rcba & 1) && !s->rcrb_mapped) {
        s->rcrb_base = rcba & 0xffffc000;
        region_add(vm->memory, s->rcrb_base, &s->rcrb, 1);
        s->rcrb_mapped = true;
    }
    memory_transaction_commit();
    pc_board(vm)->pm_base = pm_on ? base : 0;
}

/* ---- etc/smi/...: what an APM write means beyond the chip, agreed upon with firmware ---- */

static void ich9_features_requested(void *opaque, const uint8_t *data, size_t len)
{
    memcpy(&((Ich9Lpc *)opaque)->smi_requested, data, sizeof(uint64_t));
}

/* Firmware reads the verdict: if it can be had, it holds until reset. */
static void ich9_features_judge(void *opaque)
{
    Ich9Lpc *s = opaque;
    uint64_t requested = GUINT64_FROM_LE(s->smi_requested);

    if (!s->smi_features_ok && !(requested & ~SMI_FEATURE_BROADCAST)) {
        s->smi_features = requested;
        s->smi_features_ok = 1;
    }
    fw_cfg_update_file(pc_board(s->pci.dev.vm)->fw_cfg, SMI_OK_FILE, &s->smi_features_ok, 1);
}

static void ich9_smi_features_reset(Ich9Lpc *s)
{
    FwCfg *f = pc_board(s->pci.dev.vm)->fw_cfg;

    s->smi_features = s->smi_requested = 0;
    s->smi_features_ok = 0;
    if (s->smi_published) {
        fw_cfg_update_file(f, SMI_REQUEST_FILE, &s->smi_requested, sizeof(s->smi_requested));
        fw_cfg_update_file(f, SMI_OK_FILE, &s->smi_features_ok, 1);
    }
}

bool ich9_smi_agreed(const PcBoard *b)
{
    return b->ich9 && ((const Ich9Lpc *)b->ich9)->smi_features & SMI_FEATURE_BROADCAST;
}

void ich9_publish_smi_features(PcBoard *b)
{
    Ich9Lpc *s = (Ich9Lpc *)b->ich9;
    uint64_t supported = GUINT64_TO_LE(SMI_FEATURE_BROADCAST);

    fw_cfg_add_file(b->fw_cfg, "etc/smi/supported-features", &supported, sizeof(supported));
    fw_cfg_add_writable_file(b->fw_cfg, SMI_REQUEST_FILE, &s->smi_requested,
                             sizeof(s->smi_requested), ich9_features_requested, s);
    fw_cfg_add_file(b->fw_cfg, SMI_OK_FILE, &s->smi_features_ok, 1);
    fw_cfg_on_select(b->fw_cfg, SMI_OK_FILE, ich9_features_judge, s);
    s->smi_published = true;
}

static void ich9_config_write(PciDevice *d, uint32_t offset, uint32_t value, unsigned size)
{
    if (d->config[LPC_GEN_PMCON_1] & PMCON_SMI_LOCK) {
        d->wmask[LPC_GEN_PMCON_1] &= ~PMCON_SMI_LOCK;
    }
    ich9_remap((Ich9Lpc *)d);
    ich9_route((Ich9Lpc *)d);
}

static void ich9_loaded(Device *d)
{
    PciDevice *p = PCI_DEVICE(d);

    if (p->config[LPC_GEN_PMCON_1] & PMCON_SMI_LOCK) {
        p->wmask[LPC_GEN_PMCON_1] &= ~PMCON_SMI_LOCK;
    }
    ich9_remap((Ich9Lpc *)d);
    acpi_cpus_loaded(&((Ich9Lpc *)d)->cpus);
}

static bool ich9_realize(Device *d, GError **error)
{
    Ich9Lpc *s = (Ich9Lpc *)d;
    PcBoard *b = pc_board(d->vm);

    isa_bus_init(&s->isa, d, "isa.0");
    region_init_container(&s->pm, &d->obj, "ich9-pm", PM_SIZE);
    acpi_pm_init(&s->acpi, d, &s->pm, &s->pm, PM_GPE0, GPE0_LEN, ich9_set_sci);
    region_init_io(&s->smi_region, &d->obj, "ich9-smi", 8, &ich9_smi_ops, s);
    region_add(&s->pm, PM_SMI_EN, &s->smi_region, 0);
    region_init_io(&s->rcrb, &d->obj, "ich9-rcrb", 0x4000, &rcrb_ops, s);
    acpi_cpus_init(&s->cpus, d, &s->acpi, ACPI_CPU_PORT_Q35);
    tco_init(&s->tco, d, &s->pm, ich9_tco_smi, ich9_tco_may_reboot);
    device_map(d, "apm", 0xb2);
    b->ich9 = d;
    b->isa = &s->isa.bus;
    b->pm = d;
    b->acpi_pm = &s->acpi;
    s->pci.bus->map_irq = ich9_map_irq;
    s->pci.bus->set_irq = ich9_set_pirq;
    s->pci.bus->irq_opaque = s;
    return true;
}

static void ich9_reset(Device *d)
{
    Ich9Lpc *s = (Ich9Lpc *)d;

    /* Without SMM the command port is shown as set up, so that firmware leaves it alone. */
    s->smi_en = ich9_has_smm(s) ? 0 : SMI_EN_APMC;
    s->smi_sts = 0;
    s->pci.wmask[LPC_GEN_PMCON_1] = 0x1f;
    ich9_smi_features_reset(s);
    acpi_pm_reset(&s->acpi);
    acpi_cpus_reset(&s->cpus);
    tco_reset(&s->tco);
    s->gcs = GCS_NO_REBOOT;
    ich9_remap(s);
    ich9_route(s);
}

static const RegBank ich9_banks[] = {
    {.name = "apm", .size = 2, BANK_REGS(ich9_apm_regs), .pio = true},
    {0},
};

/* clang-format off */
static const PciConfigRow ich9_config[] = {
    { "PMBASE", 0x40, 4, 0x00000001, 0x0000ff80, 0, "ACPI registers' base" },
    { "ACPI_CNTL", 0x44, 1, 0, 0x87, 0, "SCI line, enable of PMBASE" },
    { "PIRQA", 0x60, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQB", 0x61, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQC", 0x62, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQD", 0x63, 1, 0x80, 0x8f, 0, "routing" },
    { "SIRQ_CNTL", 0x64, 1, 0x10, 0xff, 0, "storage only" },
    { "PIRQE", 0x68, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQF", 0x69, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQG", 0x6a, 1, 0x80, 0x8f, 0, "routing" },
    { "PIRQH", 0x6b, 1, 0x80, 0x8f, 0, "routing" },
    { "LPC_IO_DEC", 0x80, 2, 0, 0xffff, 0, "storage only" },
    { "LPC_EN", 0x82, 2, 0, 0x3fff, 0, "storage only" },
    { "GEN_PMCON_1", 0xa0, 2, 0, 0x1a1f, 0, "SMI_LOCK; the rest storage only" },
    { "RCBA", 0xf0, 4, 0, 0xffffc001, 0, "root complex base" },
    { 0 },
};
/* clang-format on */

static const PciInfo ich9_pci = {
    .vendor = 0x8086,
    .device = 0x2918,
    .class_code = 0x060100,
    .revision = 2,
    .config = ich9_config,
    .config_write = ich9_config_write,
};

static const PinRow ich9_pins[] = {PIN_IN("isa-irq", 16, ich9_isa_input), PIN_END};

static const Prop ich9_props[] = {
    ACPI_PM_PROPS(Ich9Lpc, acpi),
    PROP_BOOL(Ich9Lpc, noreboot, "noreboot", true, .help = "the watchdog never resets: strap"),
    PROP_END,
};

static const StateField ich9_state[] = {
    HOST_ONLY(Ich9Lpc, isa, "its devices have state of their own"),
    STATE_STRUCT(Ich9Lpc, acpi, acpi_pm_state),
    STATE_STRUCT(Ich9Lpc, cpus, acpi_cpus_state),
    STATE_STRUCT(Ich9Lpc, tco, tco_state),
    STATE(Ich9Lpc, gcs),
    HOST_ONLY(Ich9Lpc, pm, "region"),
    HOST_ONLY(Ich9Lpc, smi_region, "region"),
    HOST_ONLY(Ich9Lpc, rcrb, "region"),
    STATE(Ich9Lpc, pirq_levels),
    STATE(Ich9Lpc, smi_en),
    STATE(Ich9Lpc, smi_sts),
    STATE(Ich9Lpc, smi_requested),
    STATE(Ich9Lpc, smi_features),
    STATE(Ich9Lpc, smi_features_ok),
    HOST_ONLY(Ich9Lpc, smi_published, "constant once the machine is built"),
    HOST_ONLY(Ich9Lpc, pm_base, "follows PMBASE"),
    HOST_ONLY(Ich9Lpc, pm_mapped, "follows ACPI_CNTL"),
    HOST_ONLY(Ich9Lpc, rcrb_mapped, "follows RCBA"),
    HOST_ONLY(Ich9Lpc, rcrb_base, "follows RCBA"),
    STATE_END,
};

static const DeviceType ich9_type = {
    .name = "ICH9-LPC",
    .parent = "pci-device",
    .bus = "PCI",
    .category = "bridge",
    .desc = "ICH9 LPC bridge",
    .internal = true,
    .bus_info = &ich9_pci,
    .size = sizeof(Ich9Lpc),
    .state_version = 1,
    .banks = ich9_banks,
    .pins = ich9_pins,
    .props = ich9_props,
    .state = ich9_state,
    .realize = ich9_realize,
    .reset = ich9_reset, .post_load = ich9_loaded,
};
DEVICE_TYPE(ich9_type);
