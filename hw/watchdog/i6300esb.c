// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watchdog of Intel's 6300ESB I/O controller hub (8086:25ab; data sheet 300641, chapter 16):
 * a 35-bit down counter with two stages. The first stage's end sets the interrupt status, the
 * second one's resets the machine unless WDT_OUTPUT is off. Registers that matter are written
 * after 80h and 86h to the reload register.
 */
#include "hw/pci/pci.h"
#include "qom/runstate.h"
#include "util/timer.h"

#define PCI_CLOCK_NS_X1000 30303ll    /* of 33 MHz, in picoseconds */
#define PRELOAD_MASK 0xfffffu

enum { CFG_CONFIG = 0x60, CFG_LOCK = 0x68 };
enum { CONFIG_INT_TYPE = 3, CONFIG_FREQ = 1 << 2, CONFIG_NO_REBOOT = 1 << 5 };
enum { LOCK_LOCK = 1, LOCK_ENABLE = 2, LOCK_FREE_RUN = 4 };
enum { RELOAD_PING = 1 << 8, RELOAD_TIMEOUT = 1 << 9 };

typedef struct I6300esb {
    PciDevice pci;
    /* state */
    uint32_t preload1, preload2, gintsr, reload;
    uint8_t unlock;             /* how far the sequence is: 0 to 2 */
    uint8_t stage;              /* 1, 2 */
    uint8_t lock;               /* CFG_LOCK as it was before a write */
    bool failed_before;         /* RELOAD_TIMEOUT outlives a reset */
    Timer timer;
} I6300esb;

static bool enabled(I6300esb *s)
{
    return s->pci.config[CFG_LOCK] & LOCK_ENABLE;
}

static void start_stage(I6300esb *s, unsigned stage)
{
    int64_t clocks = ((int64_t)(stage == 1 ? s->preload1 : s->preload2) + 1)
                     << (s->pci.config[CFG_CONFIG] & CONFIG_FREQ ? 5 : 15);

    s->stage = stage;
    timer_set_ns(&s->timer, clock_now_ns(CLOCK_GUEST) + clocks * PCI_CLOCK_NS_X1000 / 1000);
}

static void stage_over(void *opaque)
{
    I6300esb *s = opaque;

    if (s->stage == 1) {
        /* The interrupt line of the hub is not wired in a PC; drivers poll the status. */
        if ((s->pci.config[CFG_CONFIG] & CONFIG_INT_TYPE) != CONFIG_INT_TYPE) {
            s->gintsr |= 1;
        }
        start_stage(s, 2);
    } else if (!(s->pci.config[CFG_CONFIG] & CONFIG_NO_REBOOT)) {
        s->failed_before = true;
        s->reload |= RELOAD_TIMEOUT;
        watchdog_expired();
    } else if (s->pci.config[CFG_LOCK] & LOCK_FREE_RUN) {
        start_stage(s, 1);
    }
}

/* True when the register is open, which closes it. */
static bool take_unlock(I6300esb *s)
{
    bool open = s->unlock == 2;

    s->unlock = 0;
    return open;
}

static void preload_write(Device *d, const RegAccess *a)
{
    if (!take_unlock((I6300esb *)d)) {
        *(uint32_t *)((uint8_t *)d + a->reg->field) = a->old;
    }
}

static void reload_write(Device *d, const RegAccess *a)
{
    I6300esb *s = (I6300esb *)d;

    if (s->unlock == 2) {
        s->unlock = 0;
        if (a->value & RELOAD_PING && enabled(s)) {
            s->gintsr &= ~1u;
            start_stage(s, 1);
        }
        if (a->value & RELOAD_TIMEOUT) {
            s->reload &= ~(uint32_t)RELOAD_TIMEOUT;
            s->failed_before = false;
        }
    } else if (s->unlock == 1 && (a->value & 0xff) == 0x86) {
        s->unlock = 2;
    } else {
        s->unlock = (a->value & 0xff) == 0x80;
    }
}

static void config_write(PciDevice *p, uint32_t offset, uint32_t value, unsigned size)
{
    I6300esb *s = (I6300esb *)p;

    if (offset > CFG_LOCK || offset + size <= CFG_LOCK) {
        return;
    }
    if (s->lock & LOCK_LOCK) {
        p->config[CFG_LOCK] = s->lock;
    } else if ((p->config[CFG_LOCK] ^ s->lock) & LOCK_ENABLE) {
        if (enabled(s)) {
            start_stage(s, 1);
        } else {
            timer_cancel(&s->timer);
        }
    }
    s->lock = p->config[CFG_LOCK];
}

static const Reg esb_regs[] = {
    REG(I6300esb, 0x0, preload1, .reset = PRELOAD_MASK, .wmask = PRELOAD_MASK, .write = preload_write, .help = "first stage"),
    REG(I6300esb, 0x4, preload2, .reset = PRELOAD_MASK, .wmask = PRELOAD_MASK, .write = preload_write, .help = "second stage"),
    REG(I6300esb, 0x8, gintsr, .w1c = 1, .help = "bit 0: the first stage is over"),
    REG(I6300esb, 0xc, reload, .write = reload_write, .help = "unlocks; bit 8 starts anew, bit 9 the second stage ran out"),
};

static const RegBank esb_banks[] = { { .name = "mmio", .size = 16, BANK_REGS(esb_regs) }, { 0 } };

static bool esb_realize(Device *d, GError **error)
{
    timer_init(&((I6300esb *)d)->timer, CLOCK_GUEST, stage_over, d);
    return true;
}

static void esb_stop(Device *d)
{
    timer_cancel(&((I6300esb *)d)->timer);
}

static void esb_reset(Device *d)
{
    I6300esb *s = (I6300esb *)d;

    esb_stop(d);
    s->unlock = 0;
    s->stage = 1;
    s->lock = 0;
    s->reload = s->failed_before ? RELOAD_TIMEOUT : 0;
}

static const StateField esb_state[] = {
    STATE(I6300esb, unlock), STATE(I6300esb, stage), STATE(I6300esb, lock), STATE(I6300esb, failed_before),
    STATE_TIMER_FIELD(I6300esb, timer), STATE_END,
};

static const PciConfigRow esb_config[] = {
    { .name = "config", .offset = CFG_CONFIG, .size = 2, .wmask = CONFIG_INT_TYPE | CONFIG_FREQ | CONFIG_NO_REBOOT },
    { .name = "lock", .offset = CFG_LOCK, .size = 1, .wmask = LOCK_LOCK | LOCK_ENABLE | LOCK_FREE_RUN },
    { 0 },
};

static const PciInfo esb_pci = {
    .vendor = 0x8086, .device = 0x25ab, .class_code = 0x088000, .config = esb_config, .config_write = config_write,
    .bar = { { .kind = PCI_BAR_MEM32, .bank = "mmio" } },
};

static const DeviceType esb_type = {
    .name = "i6300esb", .parent = "pci-device", .bus = "PCI", .category = "watchdog", .desc = "Intel 6300ESB",
    .size = sizeof(I6300esb), .state_version = 1, .hotpluggable = true, .bus_info = &esb_pci, .banks = esb_banks,
    .state = esb_state, .realize = esb_realize, .unrealize = esb_stop, .reset = esb_reset,
};
DEVICE_TYPE(esb_type);
