// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * AMD Am53C974 PCscsi-PCI (technical manual, 1993) and Tekram's DC-390 with it: the ESP core behind
 * a function's I/O ports, and a bus master DMA engine. Left out: DMA by a memory descriptor list.
 * The DC-390 has a serial EEPROM, whose pins are in configuration space.
 */
#include "esp.h"
#include "hw/pci/pci.h"
#include "hw/nvram/eeprom93.h"
#include "util/log.h"

enum { DMA_IDLE = 0, DMA_BLAST = 1, DMA_ABORT = 2, DMA_START = 3 };
enum { DMA_MDL = 0x10, DMA_INT_DONE = 0x40, DMA_TO_MEMORY = 0x80 };
enum { DMA_ERROR = 2, DMA_ABORTED = 4, DMA_DONE = 8, DMA_SCSI = 0x10, DMA_BLASTED = 0x20 };
#define SBAC_KEEP_STATUS 0x01000000u
#define EEPROM_SUM 0x1234u

typedef struct Am53c974 {
    PciDevice pci;
    ScsiBus bus;
    EspCore esp;
    /* registers */
    uint32_t dma_command, start_count, start_addr, count, addr, dma_status, list_addr, list_count, sbac;
    bool active; /* the DMA engine runs */
    bool scsi_irq;
    Eeprom93 eeprom; /* of the DC-390 */
} Am53c974;

static void update_irq(Am53c974 *s)
{
    bool done = s->dma_status & DMA_DONE && s->dma_command & DMA_INT_DONE;

    pci_irq(&s->pci, s->scsi_irq || done);
}

/* ---- the DMA engine, as the core uses it ---- */

static void core_irq(Device *d, bool level)
{
    Am53c974 *s = (Am53c974 *)d;

    s->scsi_irq = level;
    update_irq(s);
}

static void moved(Am53c974 *s, uint32_t n, bool ok)
{
    if (!ok) {
        s->active = false;
        s->dma_status |= DMA_ERROR;
        return;
    }
    s->addr += n;
    s->count -= n;
    if (s->count == 0) {
        s->active = false;
        s->dma_status |= DMA_DONE;
        update_irq(s);
    }
}

static uint32_t engine_room(Am53c974 *s, uint32_t len, bool to_memory)
{
    return s->active && !(s->dma_command & DMA_TO_MEMORY) == !to_memory ? MIN(len, s->count) : 0;
}

static uint32_t core_dma_read(Device *d, uint8_t *buf, uint32_t len)
{
    Am53c974 *s = (Am53c974 *)d;
    uint32_t n = engine_room(s, len, false);

    if (n) {
        moved(s, n, dma_read(d, s->addr, buf, n));
    }
    return n;
}

static uint32_t core_dma_room(Device *d, uint32_t len)
{
    return engine_room((Am53c974 *)d, len, true);
}

static void core_dma_write(Device *d, const uint8_t *buf, uint32_t len)
{
    Am53c974 *s = (Am53c974 *)d;
    uint32_t at = s->addr;

    moved(s, len, true);
    if (!dma_write(d, at, buf, len)) {
        s->active = false;
        s->dma_status |= DMA_ERROR;
    }
}

static const EspOps core_ops = {
    .irq = core_irq, .dma_read = core_dma_read, .dma_room = core_dma_room, .dma_write = core_dma_write,
};

static void wire_changed(Device *d)
{
    esp_changed(&((Am53c974 *)d)->esp);
}

/* ---- registers ---- */

static uint64_t core_read(Device *d, const RegAccess *a)
{
    return esp_read(&((Am53c974 *)d)->esp, a->index);
}

static void core_write(Device *d, const RegAccess *a)
{
    esp_write(&((Am53c974 *)d)->esp, a->index, (uint8_t)a->value);
}

static void dma_command_write(Device *d, const RegAccess *a)
{
    Am53c974 *s = (Am53c974 *)d;

    switch (a->value & 3) {
    case DMA_IDLE:
        s->active = false;
        break;
    case DMA_BLAST:
        s->dma_status |= DMA_BLASTED;
        break;
    case DMA_ABORT:
        s->dma_status |= s->active ? DMA_ABORTED : 0;
        s->active = false;
        break;
    default:
        if (a->value & DMA_MDL) {
            guest_unimp("am53c974: memory descriptor list");
            s->dma_status |= DMA_ERROR;
            break;
        }
        s->count = s->start_count;
        s->addr = s->start_addr;
        s->dma_status &= ~(DMA_DONE | DMA_ABORTED | DMA_ERROR | DMA_BLASTED);
        s->active = s->count != 0;
        esp_dma_ready(&s->esp);
        break;
    }
    update_irq(s);
}

static uint64_t dma_status_read(Device *d, const RegAccess *a)
{
    Am53c974 *s = (Am53c974 *)d;
    uint32_t v = s->dma_status | (s->scsi_irq ? DMA_SCSI : 0);

    if (!(s->sbac & SBAC_KEEP_STATUS)) {
        s->dma_status &= ~(DMA_ERROR | DMA_ABORTED | DMA_DONE | DMA_BLASTED);
        update_irq(s);
    }
    return v;
}

#define ALL32 0xffffffff
/* clang-format off */
static const Reg am53c974_regs[] = {
    { .offset = 0x00, .field = REG_NO_FIELD, .size = 1, .count = 16, .stride = 4, .name = "core", .read = core_read,
      .write = core_write, .help = "the SCSI core" },
    REG(Am53c974, 0x40, dma_command, .wmask = 0xff, .write = dma_command_write, .help = "idle, blast, abort, start"),
    REG(Am53c974, 0x44, start_count, .wmask = 0xffffff, .help = "bytes"),
    REG(Am53c974, 0x48, start_addr, .wmask = ALL32, .help = "from or to here"),
    REG(Am53c974, 0x4c, count, .help = "bytes left"),
    REG(Am53c974, 0x50, addr, .help = "next address"),
    REG(Am53c974, 0x54, dma_status, .read = dma_status_read, .help = "DMA status, cleared by reading"),
    REG(Am53c974, 0x58, list_addr, .wmask = ALL32, .help = "descriptor list"),
    REG(Am53c974, 0x5c, list_count, .help = "place in the list"),
    REG(Am53c974, 0x70, sbac, .wmask = ALL32, .help = "bit 24: reading keeps the DMA status"),
};

static const RegBank am53c974_banks[] = {
    { .name = "io", .size = 0x80, BANK_REGS(am53c974_regs), .pio = true }, { 0 },
};
/* clang-format on */

/* ---- the DC-390's EEPROM ---- */

static void dc390_fill(Eeprom93 *e)
{
    /* parity, synchronous, disconnection, start, tags */
    static const uint8_t drive[4] = { 0x57, 0, 0, 0 };
    static const uint8_t adapter[4] = { 7, 0x0f, 0, 4 }; /* own id, modes, delay, tags */

    eeprom93_init(e, 64);
    for (unsigned i = 0; i < 64; i++) {
        const uint8_t *from = i < 32 ? drive : adapter;

        e->words[i] = i < 34 ? from[i * 2 & 3] | from[(i * 2 + 1) & 3] << 8 : 0;
    }
    eeprom93_fix_sum(e, EEPROM_SUM);
}

/* 80h: bit 7 is the clock, bit 6 what goes in. C0h: the chip is not selected until then. */
static void dc390_config_write(PciDevice *p, uint32_t offset, uint32_t value, unsigned size)
{
    Eeprom93 *e = &((Am53c974 *)p)->eeprom;

    if (offset == 0x80) {
        eeprom93_set(e, true, value & 0x80, value & 0x40);
    } else if (offset == 0xc0) {
        eeprom93_set(e, false, false, false);
    }
}

/* What comes out shows in the vendor's number, to those who read a byte of it. */
static void dc390_config_read(PciDevice *p, uint32_t offset, unsigned size)
{
    Am53c974 *s = (Am53c974 *)p;

    p->config[0] = size == 1 && !eeprom93_out(&s->eeprom) ? 0 : 0x22;
}

/* ---- the devices ---- */

static void disk_unplugged(ScsiBus *b, ScsiDevice *d)
{
    esp_unplugged(&((Am53c974 *)b->bus.owner)->esp, d);
}

static const ScsiBusOps am53c974_bus_ops = {
    .unplugged = disk_unplugged, .max_channel = 0, .max_target = 7, .max_lun = 7};

static bool am53c974_realize(Device *d, GError **error)
{
    Am53c974 *s = (Am53c974 *)d;

    dc390_fill(&s->eeprom);
    scsi_bus_init(&s->bus, d, &am53c974_bus_ops);
    esp_init(&s->esp, d, &core_ops, &s->bus, wire_changed, 0x12);
    return true;
}

static void am53c974_unrealize(Device *d)
{
    Am53c974 *s = (Am53c974 *)d;

    esp_reset(&s->esp);
    bus_fini(&s->bus.bus);
    esp_fini(&s->esp);
}

static void am53c974_reset(Device *d)
{
    Am53c974 *s = (Am53c974 *)d;

    s->active = false;
    eeprom93_set(&s->eeprom, false, false, false);
    esp_reset(&s->esp);
}

static const StateField am53c974_state[] = {
    STATE_STRUCT(Am53c974, esp, esp_state), STATE(Am53c974, active), STATE(Am53c974, scsi_irq),
    STATE_STRUCT(Am53c974, eeprom, eeprom93_state), HOST_ONLY(Am53c974, bus, "devices on it keep their own"), STATE_END,
};

#define AM53C974_PCI                                                                        \
    .vendor = 0x1022, .device = 0x2020, .class_code = 0x010000, .revision = 0x10, .pin = 1, \
    .bar = {{PCI_BAR_IO, false, "io"}}
static const PciInfo am53c974_pci = { AM53C974_PCI };
static const PciInfo dc390_pci = {AM53C974_PCI, .config_write = dc390_config_write,
                                  .config_read = dc390_config_read};

static bool am53c974_check_load(Device *d, GError **error)
{
    return scsi_phase_check_load(&((Am53c974 *)d)->esp.wire, error);
}

static const DeviceType am53c974_type = {
    .name = "am53c974", .parent = "pci-device", .bus = "PCI", .category = "storage",
    .desc = "AMD Am53c974 PCscsi-PCI SCSI adapter", .size = sizeof(Am53c974), .state_version = 1, .hotpluggable = true,
    .bus_info = &am53c974_pci, .banks = am53c974_banks, .state = am53c974_state, .realize = am53c974_realize,
    .unrealize = am53c974_unrealize, .reset = am53c974_reset, .check_load = am53c974_check_load,
};
DEVICE_TYPE(am53c974_type);

static const DeviceType dc390_type = {
    .name = "dc390", .parent = "am53c974", .bus = "PCI", .category = "storage", .desc = "Tekram DC-390 SCSI adapter",
    .size = sizeof(Am53c974), .state_version = 1, .hotpluggable = true, .bus_info = &dc390_pci,
};
DEVICE_TYPE(dc390_type);
