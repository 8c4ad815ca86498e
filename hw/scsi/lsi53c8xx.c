// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbios/LSI 53C810 and 53C895A PCI SCSI adapters (LSI53C895A Technical Manual, version 2.2):
 * registers, on-chip RAM, interrupts, general purpose timer. The SCRIPTS processor is
 * lsi53c8xx-scripts.c, the SCSI bus scsi-phase.c. Left out: target mode, low-level bus access
 * (SOCL), parity, the handshake timer.
 */
#include "lsi53c8xx.h"

#include "util/timer.h"

#define GENERAL_TIMER_UNIT_NS 216000 /* what Linux measures as a clock of 40 MHz */

/* ---- interrupts ---- */

static uint16_t sist(const Lsi *s)
{
    return s->sist0 | s->sist1 << 8;
}

static uint16_t sien(const Lsi *s)
{
    return s->sien0 | s->sien1 << 8;
}

/* 2.2.16: what is not fatal shows in ISTAT only when it is not masked. */
static uint8_t istat_value(const Lsi *s)
{
    uint16_t seen = sist(s) & (sien(s) | (SIST_MA | SIST_UDC | SIST_RST | SIST_STO));

    return (s->istat0 & (ISTAT_ABRT | ISTAT_SRST | ISTAT_SIGP | ISTAT_SEM | ISTAT_INTF)) |
           (seen ? ISTAT_SIP : 0) | (s->dstat ? ISTAT_DIP : 0) |
           (scsi_phase_connected(&s->wire) ? ISTAT_CON : 0);
}

void lsi_update_irq(Lsi *s)
{
    bool on = (sist(s) & sien(s)) || (s->dstat & s->dien) || s->istat0 & ISTAT_INTF;

    pci_irq(&s->pci, on && !(s->istat1 & ISTAT1_SIRQD));
}

void lsi_dma_interrupt(Lsi *s, uint8_t reason)
{
    s->dstat |= reason;
    s->running = s->reselect_wait = false;
    lsi_update_irq(s);
}

void lsi_scsi_interrupt(Lsi *s, uint16_t reason)
{
    s->sist0 |= reason;
    s->sist1 |= reason >> 8;
    if (reason & (SIST_MA | SIST_UDC | SIST_RST | SIST_STO)) {
        s->running = s->reselect_wait = s->move.active = false;
    }
    lsi_update_irq(s);
}

/* ---- the bus ---- */

/* Registers that show the wires. */
void lsi_follow_wire(Lsi *s)
{
    if (s->wire.phase < PHASE_WAIT) {
        s->sstat1 = (s->sstat1 & ~7) | s->wire.phase;
    }
    s->scntl1 =
        (s->scntl1 & ~SCNTL1_CONNECTED) | (scsi_phase_connected(&s->wire) ? SCNTL1_CONNECTED : 0);
}

static void wire_changed(Device *d)
{
    Lsi *s = (Lsi *)d;

    lsi_follow_wire(s);
    s->resume = true;
    lsi_run(s);
}

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    scsi_phase_unplugged(&((Lsi *)b->bus.owner)->wire, d);
}

static void stop(Lsi *s)
{
    s->running = s->reselect_wait = s->move.active = s->ack_due = s->gone = s->nobody = false;
    s->slices = 0;
    timer_cancel(&s->slice);
}

static uint64_t sbcl_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    if (!scsi_phase_connected(&s->wire)) {
        return 0;
    }
    return SBCL_BSY | (s->sstat1 & 7) | (s->wire.phase < PHASE_WAIT ? SBCL_REQ : 0) |
           (s->wire.atn ? SBCL_ATN : 0);
}

static void scntl1_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    if (a->value & ~a->old & SCNTL1_RST) {
        stop(s);
        scsi_phase_reset(&s->wire, true);
        s->sstat0 |= 2;
        lsi_scsi_interrupt(s, SIST_RST);
    } else if (!(a->value & SCNTL1_RST)) {
        s->sstat0 &= ~2;
    }
    lsi_follow_wire(s);
}

static void scntl2_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    if (!(s->scntl2 & SCNTL2_SDU)) {
        s->gone = false;
    }
}

static uint64_t dstat_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    uint8_t v = s->dstat | DSTAT_DFE;

    s->dstat = 0;
    lsi_update_irq(s);
    return v;
}

static uint64_t sist0_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    uint8_t v = s->sist0;

    s->sist0 = 0;
    lsi_update_irq(s);
    return v;
}

static uint64_t sist1_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    uint8_t v = s->sist1;

    s->sist1 = 0;
    lsi_update_irq(s);
    return v;
}

static void enable_write(Device *d, const RegAccess *a)
{
    lsi_update_irq((Lsi *)d);
}

static uint64_t istat0_read(Device *d, const RegAccess *a)
{
    return istat_value((Lsi *)d);
}

static void chip_reset(Lsi *s)
{
    stop(s);
    timer_cancel(&s->general);
    scsi_phase_reset(&s->wire, false);
    s->carry = s->target_mode = s->resume = false;
    device_reset_banks(&s->pci.dev);
    lsi_follow_wire(s);
    lsi_update_irq(s);
}

static void istat0_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    uint8_t intf = a->old & ISTAT_INTF & ~(a->value & ISTAT_INTF);

    s->istat0 = (a->value & (ISTAT_SRST | ISTAT_SIGP | ISTAT_SEM)) | intf;
    if (a->value & ~a->old & ISTAT_SRST) {
        chip_reset(s);
        s->istat0 = ISTAT_SRST;
        return;
    }
    if (a->value & ISTAT_ABRT) {
        stop(s);
        lsi_dma_interrupt(s, DSTAT_ABRT);
    }
    lsi_update_irq(s);
    if (s->istat0 & ISTAT_SIGP && s->reselect_wait) {
        s->resume = true;
        lsi_run(s);
    }
}

static uint64_t istat1_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    return (s->istat1 & ISTAT1_SIRQD) | (s->running ? ISTAT1_SCRUN : 0);
}

/* Bit 6 is SIGP, which the read clears. */
static uint64_t ctest2_read(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    bool sigp = s->istat0 & ISTAT_SIGP;

    s->istat0 &= ~ISTAT_SIGP;
    return s->ctest2 | (sigp ? 0x40 : 0) | 0x20;
}

static uint64_t ctest3_read(Device *d, const RegAccess *a)
{
    return ((Lsi *)d)->ctest3 & 0x0b;
}

static void dsp_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    if (a->mask >> 24 && !(s->dmode & DMODE_MAN)) {
        lsi_start(s);
    }
}

static void dcntl_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    if (a->value & DCNTL_STD) {
        lsi_start(s);
    }
}

static void general_expired(void *opaque)
{
    lsi_scsi_interrupt(opaque, SIST_GEN);
}

static void stime1_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;
    unsigned n = s->stime1 & 15;

    timer_cancel(&s->general);
    if (n) {
        timer_set_ns(&s->general,
                     clock_now_ns(CLOCK_GUEST) + (((int64_t)GENERAL_TIMER_UNIT_NS << n) >>
                                                  1 << (s->stime1 & 0x10 ? 4 : 0)));
    }
}

static uint64_t stest4_read(Device *d, const RegAccess *a)
{
    return 0xe0; /* low voltage differential, clock locked */
}

static uint64_t stest1_read(Device *d, const RegAccess *a)
{
    return ((Lsi *)d)->stest1;
}

static void stest3_write(Device *d, const RegAccess *a)
{
    Lsi *s = (Lsi *)d;

    s->stest3 &= ~2; /* the FIFO is clear at once */
}

/* ---- on-chip RAM ---- */

static uint64_t ram_read(void *opaque, hwaddr offset, unsigned size)
{
    const Lsi *s = opaque;
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++) {
        v |= (uint64_t)s->ram[offset + i] << 8 * i;
    }
    return v;
}

static void ram_write(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    Lsi *s = opaque;

    for (unsigned i = 0; i < size; i++) {
        s->ram[offset + i] = value >> 8 * i;
    }
}

static const RegionOps ram_ops = {
    .read = ram_read, .write = ram_write, .min_size = 1, .max_size = 8};

#define ALL32 0xffffffff
/* clang-format off */
static const Reg lsi_regs[] = {
    REG(Lsi, 0x00, scntl0, .reset = 0xc0, .wmask = 0xff, .help = "SCSI control 0"),
    REG(Lsi, 0x01, scntl1, .wmask = 0xef, .write = scntl1_write, .help = "SCSI control 1; bit 3 resets the bus"),
    REG(Lsi, 0x02, scntl2, .wmask = 0xf6, .write = scntl2_write, .help = "SCSI control 2; bit 7: a disconnection is unexpected"),
    REG(Lsi, 0x03, scntl3, .wmask = 0xff, .help = "clocks"),
    REG(Lsi, 0x04, scid, .wmask = 0x6f, .help = "own id"),
    REG(Lsi, 0x05, sxfer, .wmask = 0xff, .help = "transfer agreement"),
    REG(Lsi, 0x06, sdid, .wmask = 0x0f, .help = "target id"),
    REG(Lsi, 0x07, gpreg, .reset = 0x0f, .wmask = 0xff, .help = "general purpose pins"),
    REG(Lsi, 0x08, sfbr, .wmask = 0xff, .help = "first byte received"),
    REG(Lsi, 0x09, socl, .wmask = 0xff, .help = "output control latch"),
    REG(Lsi, 0x0a, ssid, .help = "who reselected"),
    REG_HOOK(0x0b, 1, "sbcl", .read = sbcl_read, .help = "bus control lines"),
    REG(Lsi, 0x0c, dstat, .read = dstat_read, .help = "DMA status, cleared by reading"),
    REG(Lsi, 0x0d, sstat0, .help = "SCSI status 0"),
    REG(Lsi, 0x0e, sstat1, .help = "SCSI status 1: the phase"),
    REG(Lsi, 0x0f, sstat2, .help = "SCSI status 2"),
    REG(Lsi, 0x10, dsa, .wmask = ALL32, .help = "data structure address"),
    REG(Lsi, 0x14, istat0, .wmask = 0, .read = istat0_read, .write = istat0_write, .help = "interrupt status, SIGP, abort, reset"),
    REG(Lsi, 0x15, istat1, .wmask = 1, .read = istat1_read, .write = enable_write, .help = "bit 1: SCRIPTS run"),
    REG(Lsi, 0x16, mbox0, .wmask = 0xff, .help = "mailbox"),
    REG(Lsi, 0x17, mbox1, .wmask = 0xff, .help = "mailbox"),
    REG(Lsi, 0x18, ctest0, .reset = 0xff, .wmask = 0xff, .help = "test"),
    REG(Lsi, 0x19, ctest1, .reset = 0xf0, .help = "FIFO empty"),
    REG(Lsi, 0x1a, ctest2, .wmask = 0x08, .read = ctest2_read, .help = "reading clears SIGP"),
    REG(Lsi, 0x1b, ctest3, .wmask = 0x0b, .read = ctest3_read, .help = "FIFO control"),
    REG(Lsi, 0x1c, temp, .wmask = ALL32, .help = "return address"),
    REG(Lsi, 0x20, dfifo, .wmask = 0xff, .help = "DMA FIFO"),
    REG(Lsi, 0x21, ctest4, .wmask = 0xff, .help = "burst control"),
    REG(Lsi, 0x22, ctest5, .wmask = 0x3c, .help = "FIFO size"),
    REG(Lsi, 0x23, ctest6, .wmask = 0xff, .help = "FIFO port"),
    REG(Lsi, 0x24, dbc, .wmask = ALL32, .help = "byte count and command"),
    REG(Lsi, 0x28, dnad, .wmask = ALL32, .help = "next address"),
    REG(Lsi, 0x2c, dsp, .wmask = ALL32, .write = dsp_write, .help = "SCRIPTS pointer; its last byte starts them"),
    REG(Lsi, 0x30, dsps, .wmask = ALL32, .help = "second word of the instruction"),
    REG(Lsi, 0x34, scratcha, .wmask = ALL32, .help = "scratch"),
    REG(Lsi, 0x38, dmode, .wmask = 0xff, .help = "DMA mode"),
    REG(Lsi, 0x39, dien, .wmask = 0x7d, .write = enable_write, .help = "DMA interrupts"),
    REG(Lsi, 0x3a, sbr, .wmask = 0xff, .help = "scratch byte"),
    REG(Lsi, 0x3b, dcntl, .wmask = 0xfb, .write = dcntl_write, .help = "bit 2 starts SCRIPTS, bit 4: single steps"),
    REG(Lsi, 0x3c, adder, .help = "adder output"),
    REG(Lsi, 0x40, sien0, .wmask = 0xff, .write = enable_write, .help = "SCSI interrupts"),
    REG(Lsi, 0x41, sien1, .wmask = 0x17, .write = enable_write, .help = "SCSI interrupts"),
    REG(Lsi, 0x42, sist0, .read = sist0_read, .help = "SCSI interrupt status, cleared by reading"),
    REG(Lsi, 0x43, sist1, .read = sist1_read, .help = "SCSI interrupt status, cleared by reading"),
    REG(Lsi, 0x44, slpar, .wmask = 0xff, .help = "longitudinal parity"),
    REG(Lsi, 0x45, swide, .wmask = 0xff, .help = "wide residue"),
    REG(Lsi, 0x46, macntl, .reset = 0x50, .wmask = 0x0f, .help = "memory access control"),
    REG(Lsi, 0x47, gpcntl, .reset = 0x0f, .wmask = 0xff, .help = "general purpose pin control"),
    REG(Lsi, 0x48, stime0, .wmask = 0xff, .help = "selection and handshake timeouts"),
    REG(Lsi, 0x49, stime1, .wmask = 0x7f, .write = stime1_write, .help = "general purpose timer"),
    REG(Lsi, 0x4a, respid, .wmask = 0xffff, .help = "ids it answers to"),
    REG(Lsi, 0x4c, stest0, .help = "test"),
    REG(Lsi, 0x4d, stest1, .wmask = 0xff, .read = stest1_read, .help = "clock"),
    REG(Lsi, 0x4e, stest2, .wmask = 0xff, .help = "test"),
    REG(Lsi, 0x4f, stest3, .wmask = 0xff, .write = stest3_write, .help = "test"),
    REG(Lsi, 0x50, sidl, .help = "input data latch"),
    REG_HOOK(0x52, 1, "stest4", .read = stest4_read, .help = "bus mode"),
    REG(Lsi, 0x54, sodl, .wmask = 0xffff, .help = "output data latch"),
    REG(Lsi, 0x56, ccntl0, .wmask = 0xff, .help = "phase mismatch jumps"),
    REG(Lsi, 0x57, ccntl1, .wmask = 0xff, .help = "64-bit addresses"),
    REG(Lsi, 0x58, sbdl, .help = "bus data"),
    REG(Lsi, 0x5c, scratchb, .wmask = ALL32, .help = "scratch"),
    REG_ARRAY(Lsi, 0x60, scrx, .wmask = ALL32, .help = "scratch C to R"),
    REG_ARRAY(Lsi, 0xa0, selector, .wmask = ALL32, .help = "upper halves of addresses"),
    REG(Lsi, 0xb8, dnad64, .wmask = ALL32, .help = "upper half of the next address"),
    REG(Lsi, 0xc0, pmjad1, .wmask = ALL32, .help = "where a phase mismatch goes"),
    REG(Lsi, 0xc4, pmjad2, .wmask = ALL32, .help = "where a phase mismatch goes"),
    REG(Lsi, 0xc8, rbc, .wmask = ALL32, .help = "bytes that were left"),
    REG(Lsi, 0xcc, ua, .wmask = ALL32, .help = "address of the next one"),
    REG(Lsi, 0xd0, esa, .wmask = ALL32, .help = "table entry"),
    REG(Lsi, 0xd4, ia, .wmask = ALL32, .help = "instruction"),
    REG(Lsi, 0xd8, sbc, .help = "bytes moved"),
    REG(Lsi, 0xdc, csbc, .wmask = ALL32, .help = "bytes moved by all moves"),
};

static const RegBank lsi_banks[] = {
    { .name = "io", .size = 0x100, BANK_REGS(lsi_regs), .pio = true },
    { .name = "mmio", .size = 0x400, BANK_REGS(lsi_regs) },
    { .name = "ram", .size = LSI_RAM_SIZE, .ops = &ram_ops, .help = "for SCRIPTS" },
    { 0 },
};
/* clang-format on */

/* ---- the devices ---- */

static const ScsiBusOps lsi_bus_ops = {
    .unplugged = disk_unplugged, .max_channel = 0, .max_target = 7, .max_lun = 0};

static void slice_expired(void *opaque)
{
    Lsi *s = opaque;

    s->resume = true;
    lsi_run(s);
}

static bool lsi_realize(Device *d, GError **error)
{
    Lsi *s = (Lsi *)d;

    scsi_bus_init(&s->bus, d, &lsi_bus_ops);
    scsi_phase_init(&s->wire, d, &s->bus, wire_changed);
    timer_init(&s->slice, CLOCK_GUEST, slice_expired, s);
    timer_init(&s->general, CLOCK_GUEST, general_expired, s);
    return true;
}

static void lsi_unrealize(Device *d)
{
    Lsi *s = (Lsi *)d;

    stop(s);
    timer_cancel(&s->general);
    scsi_phase_reset(&s->wire, false);
    bus_fini(&s->bus.bus);
    scsi_phase_fini(&s->wire);
}

static void lsi_reset(Device *d)
{
    Lsi *s = (Lsi *)d;

    chip_reset(s);
}

static bool lsi_check_load(Device *d, GError **error)
{
    const Lsi *s = (Lsi *)d;

    return !s->move.active ? scsi_phase_check_load(&s->wire, error)
                           : fail(error, "a block move is under way, and no command is here");
}

static const StateField move_state[] = {
    STATE(LsiMove, active), STATE(LsiMove, phase), STATE(LsiMove, addr), STATE(LsiMove, left), STATE(LsiMove, total),
    STATE(LsiMove, insn), STATE(LsiMove, entry), STATE(LsiMove, top), STATE_END,
};

static const StateField lsi_state[] = {
    STATE_STRUCT(Lsi, wire, scsi_phase_state), STATE_RAW(Lsi, ram), STATE(Lsi, running), STATE(Lsi, reselect_wait),
    STATE(Lsi, resume), STATE(Lsi, carry), STATE(Lsi, target_mode), STATE(Lsi, ack_due), STATE(Lsi, gone), STATE(Lsi, nobody), STATE_MAX(Lsi, slices, LSI_SLICE_DOUBLES),
    STATE_STRUCT(Lsi, move, move_state), STATE_TIMER_FIELD(Lsi, slice), STATE_TIMER_FIELD(Lsi, general),
    HOST_ONLY(Lsi, bus, "devices on it keep their own"), HOST_ONLY(Lsi, inside, "false between calls"), STATE_END,
};

static const PciConfigRow lsi_config[] = {{"LATENCY", PCI_LATENCY_TIMER, 1, 0xff, 0xff, 0, ""},
                                          {0}};

#define LSI_PCI(device_, subsys_vendor_, subsys_)                                                \
    {                                                                                            \
        .vendor = 0x1000, .device = device_, .subsys_vendor = subsys_vendor_, .subsys = subsys_, \
        .class_code = 0x010000, .pin = 1, .config = lsi_config, .bar = {                         \
            {PCI_BAR_IO, false, "io"},                                                           \
            {PCI_BAR_MEM32, false, "mmio"},                                                      \
            {PCI_BAR_MEM32, false, "ram"}                                                        \
        }                                                                                        \
    }
static const PciInfo lsi53c895a_pci = LSI_PCI(0x0012, 0, 0x1000);
static const PciInfo lsi53c810_pci = LSI_PCI(0x0001, 0, 0x1000);

#define LSI_TYPE(name_, alias_, desc_, pci_)                                             \
    {                                                                                    \
        .name = name_, .alias = alias_, .parent = "pci-device", .bus = "PCI",            \
        .category = "storage", .desc = desc_, .size = sizeof(Lsi), .state_version = 1,   \
        .hotpluggable = true, .bus_info = &pci_, .banks = lsi_banks, .state = lsi_state, \
        .realize = lsi_realize, .unrealize = lsi_unrealize, .reset = lsi_reset,          \
        .check_load = lsi_check_load                                                          \
    }
static const DeviceType lsi53c895a_type =
    LSI_TYPE("lsi53c895a", "lsi", "LSI 53C895A SCSI adapter", lsi53c895a_pci);
DEVICE_TYPE(lsi53c895a_type);
static const DeviceType lsi53c810_type =
    LSI_TYPE("lsi53c810", NULL, "LSI 53C810 SCSI adapter", lsi53c810_pci);
DEVICE_TYPE(lsi53c810_type);
