// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The educational PCI device (1234:11e8): a liveness check, a factorial, an interrupt and a
 * DMA buffer, for people who learn to write drivers.
 */
#include <inttypes.h>
#include "hw/pci/pci.h"
#include "util/log.h"
#include "util/timer.h"

#define BUF_BASE 0x40000u
#define BUF_SIZE 4096u
#define WORK_NS 1000ll          /* what a factorial takes */
#define DMA_NS 100000000ll      /* what a transfer takes, short or long */

enum { STATUS_COMPUTING = 1, STATUS_IRQ = 0x80 };
enum { DMA_RUN = 1, DMA_FROM_DEVICE = 2, DMA_IRQ = 4 };
enum { IRQ_FACTORIAL = 1, IRQ_DMA = 0x100 };

typedef struct Edu {
    PciDevice pci;
    uint64_t dma_mask;
    /* state */
    uint32_t alive, number, status, irq_status;
    uint64_t dma_src, dma_dst, dma_count, dma_cmd;
    Timer work, dma;
    uint8_t buf[BUF_SIZE];
} Edu;

static void edu_raise(Edu *s, uint32_t bits)
{
    s->irq_status |= bits;
    if (!s->irq_status) {
        return;
    }
    if (pci_msi_enabled(&s->pci)) {
        pci_msi_notify(&s->pci, 0);
    } else {
        pci_set_irq(&s->pci, 1);
    }
}

static void edu_lower(Edu *s, uint32_t bits)
{
    s->irq_status &= ~bits;
    if (!s->irq_status && !pci_msi_enabled(&s->pci)) {
        pci_set_irq(&s->pci, 0);
    }
}

static void edu_work(void *opaque)
{
    Edu *s = opaque;
    uint32_t result = 1;

    /* 2^32 divides every factorial from 34! on. */
    for (uint32_t n = s->number; n > 1 && result; n--) {
        result *= n;
    }
    s->number = result;
    s->status &= ~(uint32_t)STATUS_COMPUTING;
    if (s->status & STATUS_IRQ) {
        edu_raise(s, IRQ_FACTORIAL);
    }
}

static bool in_buffer(uint64_t addr, uint64_t len)
{
    return addr >= BUF_BASE && len <= BUF_SIZE && addr - BUF_BASE <= BUF_SIZE - len;
}

static void edu_dma(void *opaque)
{
    Edu *s = opaque;
    bool out = s->dma_cmd & DMA_FROM_DEVICE;
    uint64_t here = out ? s->dma_src : s->dma_dst,
             there = (out ? s->dma_dst : s->dma_src) & s->dma_mask;

    if (!in_buffer(here, s->dma_count)) {
        guest_error("edu: a transfer beyond the buffer, at %#" PRIx64 ", %" PRIu64 " bytes",
                 here, s->dma_count);
    } else if (out) {
        dma_write(&s->pci.dev, there, s->buf + (here - BUF_BASE), s->dma_count);
    } else {
        dma_read(&s->pci.dev, there, s->buf + (here - BUF_BASE), s->dma_count);
    }
    s->dma_cmd &= ~(uint64_t)DMA_RUN;
    if (s->dma_cmd & DMA_IRQ) {
        edu_raise(s, IRQ_DMA);
    }
}

static void alive_write(Device *d, const RegAccess *a)
{
    ((Edu *)d)->alive = ~(uint32_t)a->value;
}

static void number_write(Device *d, const RegAccess *a)
{
    Edu *s = (Edu *)d;

    if (s->status & STATUS_COMPUTING) {
        s->number = a->old;    /* busy: the new number is lost */
        return;
    }
    s->status |= STATUS_COMPUTING;
    timer_set_ns(&s->work, clock_now_ns(CLOCK_GUEST) + WORK_NS);
}

static void raise_write(Device *d, const RegAccess *a)
{
    edu_raise((Edu *)d, a->value);
}

static void ack_write(Device *d, const RegAccess *a)
{
    edu_lower((Edu *)d, a->value);
}

/* The descriptor registers stand still while a transfer runs. */
static void dma_reg_write(Device *d, const RegAccess *a)
{
    Edu *s = (Edu *)d;

    if (s->dma_cmd & DMA_RUN) {
        *(uint64_t *)((uint8_t *)d + a->reg->field) = a->old;
    }
}

static void dma_cmd_write(Device *d, const RegAccess *a)
{
    Edu *s = (Edu *)d;

    if (a->old & DMA_RUN) {
        s->dma_cmd = a->old;
    } else if (s->dma_cmd & DMA_RUN) {
        timer_set_ns(&s->dma, clock_now_ns(CLOCK_GUEST) + DMA_NS);
    }
}

static const Reg edu_regs[] = {
    REG_HOOK(0x00, 4, "id", .reset = 0x010000ed, .help = "magic and version"),
    REG(Edu, 0x04, alive, .wmask = UINT32_MAX, .write = alive_write, .help = "reads as what was written, inverted"),
    REG(Edu, 0x08, number, .wmask = UINT32_MAX, .write = number_write, .help = "n, then n!"),
    REG(Edu, 0x20, status, .wmask = STATUS_IRQ, .help = "bit 0: computing; bit 7: interrupt when done"),
    REG(Edu, 0x24, irq_status, .help = "what the interrupt is for"),
    REG_HOOK(0x60, 4, "irq_raise", .write = raise_write, .help = "sets bits of irq_status"),
    REG_HOOK(0x64, 4, "irq_ack", .write = ack_write, .help = "clears bits of irq_status"),
    REG(Edu, 0x80, dma_src, .wmask = UINT64_MAX, .write = dma_reg_write),
    REG(Edu, 0x88, dma_dst, .wmask = UINT64_MAX, .write = dma_reg_write),
    REG(Edu, 0x90, dma_count, .wmask = UINT64_MAX, .write = dma_reg_write),
    REG(Edu, 0x98, dma_cmd, .wmask = 7, .write = dma_cmd_write, .help = "1: start; 2: to RAM; 4: interrupt when done"),
};

static const RegBank edu_banks[] = {
    { .name = "mmio", .size = 1 << 20, BANK_REGS(edu_regs), .min_access = 4, .max_access = 8 },
    { 0 },
};

static bool edu_realize(Device *d, GError **error)
{
    Edu *s = (Edu *)d;

    timer_init(&s->work, CLOCK_GUEST, edu_work, s);
    timer_init(&s->dma, CLOCK_GUEST, edu_dma, s);
    return true;
}

static void edu_unrealize(Device *d)
{
    Edu *s = (Edu *)d;

    timer_cancel(&s->work);
    timer_cancel(&s->dma);
}

static void edu_reset(Device *d)
{
    edu_unrealize(d);
    pci_set_irq(&((Edu *)d)->pci, 0);
}

static const Prop edu_props[] = {
    PROP_U64(Edu, dma_mask, "dma_mask", 0x0fffffff, .help = "bits of addresses that the DMA engine drives"),
    PROP_END,
};

static const StateField edu_state[] = {
    STATE_TIMER_FIELD(Edu, work), STATE_TIMER_FIELD(Edu, dma), STATE_RAW(Edu, buf), STATE_END,
};

static const PciInfo edu_pci = {
    .vendor = 0x1234, .device = 0x11e8, .class_code = 0x00ff00, .revision = 0x10, .pin = 1, .msi = 1,
    .bar = { { .kind = PCI_BAR_MEM32, .bank = "mmio" } },
};

static const DeviceType edu_type = {
    .name = "edu", .parent = "pci-device", .bus = "PCI", .category = "misc", .desc = "Educational device",
    .size = sizeof(Edu), .state_version = 1, .hotpluggable = true, .bus_info = &edu_pci, .props = edu_props,
    .banks = edu_banks, .state = edu_state, .realize = edu_realize, .unrealize = edu_unrealize, .reset = edu_reset,
};
DEVICE_TYPE(edu_type);
