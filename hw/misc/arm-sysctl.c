// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System registers of ARM's boards: Versatile (ARM DUI 0225D), RealView (ARM DUI 0417D), Versatile
 * Express with its configuration interface (ARM DUI 0447J): identification, LEDs, locks, flags for
 * secondary CPUs, clocks, reset, power.
 */
#include "exec/bank.h"
#include "qom/vm.h"
#include "util/log.h"
#include "util/timer.h"

#define LOCK_KEY 0xa05f
#define OSC_MAX 8
#define VOLT_MAX 8

typedef struct Sysctl {
    Device dev;
    uint32_t sys_id, proc_id;          /* properties */
    char *voltages, *clocks;           /* properties: ":"-separated microvolts and Hz of the daughter board */
    uint32_t volt[VOLT_MAX], num_volt, osc[OSC_MAX], osc_reset[OSC_MAX], num_osc;
    uint32_t mb_osc[6];
    uint32_t switches, leds, lockval, cfg1, cfg2, flags, nvflags, resetlevel, mci_input, flash, clcd, osc_reg[5], cfgdata, cfgctrl, cfgstat;
    Irq pl110_mux;
} Sysctl;

/*
 * Versatile Express has 0x190 in the middle of its identification, RealView and Versatile other
 * boards' numbers.
 */
static bool is_vexpress(const Sysctl *s)
{
    return (s->sys_id >> 16 & 0xfff) == 0x190;
}

static uint64_t sysctl_clock24_read(Device *d, const RegAccess *a)
{
    return (uint32_t)(clock_now_ns(CLOCK_GUEST) * 24 / 1000);
}

static uint64_t sysctl_clock100_read(Device *d, const RegAccess *a)
{
    return (uint32_t)(clock_now_ns(CLOCK_GUEST) / 10000000);
}

static uint64_t sysctl_id_read(Device *d, const RegAccess *a)
{
    return ((Sysctl *)d)->sys_id;
}

static uint64_t sysctl_proc_read(Device *d, const RegAccess *a)
{
    return ((Sysctl *)d)->proc_id;
}

static bool sysctl_locked(const Sysctl *s)
{
    return s->lockval != LOCK_KEY;
}

static void sysctl_lock_write(Device *d, const RegAccess *a)
{
    ((Sysctl *)d)->lockval = a->value == LOCK_KEY ? LOCK_KEY : a->value & 0x7fff;
}

static uint64_t sysctl_lock_read(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;

    return (s->lockval & 0x7fff) | (sysctl_locked(s) ? 0x10000 : 0);
}

/* Guarded by the lock: the old value comes back. */
static void sysctl_guarded_write(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;

    if (sysctl_locked(s)) {
        *(uint32_t *)((char *)d + a->reg->field + a->index * 4) = a->old;
    }
}

static void sysctl_flags_write(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;
    uint32_t *f = a->reg->offset & 8 ? &s->nvflags : &s->flags;

    *f = a->reg->offset & 4 ? *f & ~(uint32_t)a->value : *f | (uint32_t)a->value;
}

static uint64_t sysctl_flags_read(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;

    return a->reg->offset & 8 ? s->nvflags : s->flags;
}

static void sysctl_reset_write(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;
    uint32_t board = s->sys_id >> 16 & 0xfff;

    if (sysctl_locked(s) || is_vexpress(s)) {
        s->resetlevel = a->old;
        return;
    }
    s->resetlevel = a->value;
    /* RealView: bit 2, or the level that the manual calls POR; Versatile and EB: bit 8 as well */
    if (board == 0x147 || board == 0x140 ? a->value & 0x100 : a->value & 4 || a->value & 0x100) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static void sysctl_clcd_write(Device *d, const RegAccess *a)
{
    irq_set(&((Sysctl *)d)->pl110_mux, (int)(a->value & 3));
}

static uint64_t sysctl_mci_read(Device *d, const RegAccess *a)
{
    return ((Sysctl *)d)->mci_input;
}

/* ---- Versatile Express configuration: DUI 0447J, 4.3.14 ---- */

enum { FN_OSC = 1, FN_VOLT = 2, FN_MUXFPGA = 7, FN_SHUTDOWN = 8, FN_REBOOT = 9, FN_DVIMODE = 11 };

static bool cfg_osc(Sysctl *s, unsigned site, unsigned device, bool write)
{
    uint32_t *osc = site == 0 ? s->mb_osc : s->osc;

    if (site > 1 || device >= (site == 0 ? ARRAY_COUNT(s->mb_osc) : s->num_osc)) {
        return false;
    }
    if (write) {
        osc[device] = s->cfgdata;
    } else {
        s->cfgdata = osc[device];
    }
    return true;
}

static bool cfg_do(Sysctl *s)
{
    bool write = s->cfgctrl >> 30 & 1;
    unsigned function = s->cfgctrl >> 20 & 0x3f, site = s->cfgctrl >> 16 & 3,
             device = s->cfgctrl & 0xfff;

    if (s->cfgctrl >> 26 & 15 || s->cfgctrl >> 12 & 15) {
        return false;
    }
    switch (function) {
    case FN_OSC:
        return cfg_osc(s, site, device, write);
    case FN_VOLT:
        if (site == 0 && device == 0) {
            s->cfgdata = write ? s->cfgdata : 3300000;
            return true;
        }
        if (site != 1 || device >= s->num_volt) {
            return false;
        }
        if (write) {
            s->volt[device] = s->cfgdata;
        } else {
            s->cfgdata = s->volt[device];
        }
        return true;
    case FN_SHUTDOWN:
        if (site == 0 && write) {
            request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
        }
        return site == 0 && write;
    case FN_REBOOT:
        if (site == 0 && write) {
            request_reset(SHUTDOWN_GUEST_RESET);
        }
        return site == 0 && write;
    case FN_MUXFPGA:
    case FN_DVIMODE:
        return true;
    default:
        log_mask(LOG_UNIMP, "arm_sysctl: configuration function %u of site %u, device %u\n",
                 function, site, device);
        return false;
    }
}

static void sysctl_cfgctrl_write(Device *d, const RegAccess *a)
{
    Sysctl *s = (Sysctl *)d;

    s->cfgctrl = a->value & 0x7fffffff;
    if (a->value >> 31) {
        s->cfgstat = 1 | (cfg_do(s) ? 0 : 2);
    }
}

/* ---- the device ---- */

static unsigned sysctl_list(const char *text, uint32_t *to, unsigned max)
{
    g_auto(GStrv) words = g_strsplit(text ? text : "", ":", -1);
    unsigned n = 0;

    for (; words[n] && *words[n] && n < max; n++) {
        to[n] = (uint32_t)g_ascii_strtoull(words[n], NULL, 10);
    }
    return n;
}

static bool sysctl_realize(Device *d, GError **error)
{
    Sysctl *s = (Sysctl *)d;

    s->num_volt = sysctl_list(s->voltages, s->volt, VOLT_MAX);
    s->num_osc = sysctl_list(s->clocks, s->osc_reset, OSC_MAX);
    return true;
}

static void sysctl_reset(Device *d)
{
    static const uint32_t mb_osc[6] = {50000000, 23750000, 24000000, 24000000, 24000000, 24000000};
    Sysctl *s = (Sysctl *)d;

    memcpy(s->mb_osc, mb_osc, sizeof(mb_osc));
    memcpy(s->osc, s->osc_reset, sizeof(s->osc));
    s->flags = s->nvflags = 0;
    /* the 1024x768 panel that the software finds on it */
    s->clcd = is_vexpress(s) ? 0 : 0x1000;
}

static void sysctl_card(Device *d, unsigned pin, int level)
{
    Sysctl *s = (Sysctl *)d;
    uint32_t bit = 1u << pin;

    s->mci_input = level ? s->mci_input | bit : s->mci_input & ~bit;
}

/* clang-format off */
static const Reg sysctl_regs[] = {
    REG_HOOK(0x00, 4, "id", .read = sysctl_id_read, .help = "board"),
    REG(Sysctl, 0x04, switches, .help = "user switches"),
    REG(Sysctl, 0x08, leds, .wmask = 0xff, .help = "LEDs"),
    REG_ARRAY(Sysctl, 0x0c, osc_reg, .wmask = 0x7ffff, .write = sysctl_guarded_write, .help = "oscillators"),
    REG_HOOK(0x20, 4, "lock", .read = sysctl_lock_read, .write = sysctl_lock_write, .help = "a05f unlocks"),
    REG_HOOK(0x24, 4, "counter100", .read = sysctl_clock100_read, .help = "100 Hz counter"),
    REG(Sysctl, 0x28, cfg1, .wmask = 0xffffffff, .help = "configuration data"),
    REG(Sysctl, 0x2c, cfg2, .wmask = 0xffffffff, .help = "configuration data"),
    REG_HOOK(0x30, 4, "flags", .read = sysctl_flags_read, .write = sysctl_flags_write, .help = "sets bits"),
    REG_HOOK(0x34, 4, "flagsclr", .write = sysctl_flags_write, .help = "clears them"),
    REG_HOOK(0x38, 4, "nvflags", .read = sysctl_flags_read, .write = sysctl_flags_write, .help = "sets bits"),
    REG_HOOK(0x3c, 4, "nvflagsclr", .write = sysctl_flags_write, .help = "clears them"),
    REG(Sysctl, 0x40, resetlevel, .wmask = 0xffffffff, .write = sysctl_reset_write, .help = "resets the board"),
    REG_HOOK(0x44, 4, "pcictl", .reset = 1, .help = "PCI: none"),
    REG_HOOK(0x48, 4, "mci", .read = sysctl_mci_read, .help = "bit 0: a card is there, bit 1: write-protected"),
    REG(Sysctl, 0x4c, flash, .wmask = 1, .help = "flash write enable"),
    REG(Sysctl, 0x50, clcd, .wmask = 0x3f7f, .write = sysctl_clcd_write, .help = "display"),
    REG_HOOK(0x54, 4, "clcdser", .help = "its serial interface"),
    REG_HOOK(0x58, 4, "bootcs", .help = "boot chip select"),
    REG_HOOK(0x5c, 4, "counter24", .read = sysctl_clock24_read, .help = "24 MHz counter"),
    REG_HOOK(0x60, 4, "misc", .help = "miscellaneous flags"),
    REG_HOOK(0x84, 4, "proc_id", .read = sysctl_proc_read, .help = "processor"),
    REG_HOOK(0x88, 4, "proc_id1", .reset = 0xff000000, .help = "second site: empty"),
    REG(Sysctl, 0xa0, cfgdata, .wmask = 0xffffffff, .help = "Versatile Express: configuration data"),
    REG(Sysctl, 0xa4, cfgctrl, .write = sysctl_cfgctrl_write, .help = "starts a transfer"),
    REG(Sysctl, 0xa8, cfgstat, .wmask = 3, .help = "how it ended"),
};
/* clang-format on */

static const RegBank sysctl_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sysctl_regs), .help = "system registers"}, {0}};

static const Prop sysctl_props[] = {
    PROP_U32(Sysctl, sys_id, "sys_id", 0),
    PROP_U32(Sysctl, proc_id, "proc_id", 0),
    PROP_STRING(Sysctl, voltages, "db-voltages"),
    PROP_STRING(Sysctl, clocks, "db-clocks"),
    PROP_END,
};

static const PinRow sysctl_pins[] = {PIN_OUT(Sysctl, pl110_mux, "pl110-mux"),
                                     PIN_IN("mci", 2, sysctl_card), PIN_END};

static const StateField sysctl_state[] = {
    STATE_ARRAY(Sysctl, volt), HOST_ONLY(Sysctl, num_volt, "from a property"), STATE_ARRAY(Sysctl, osc), HOST_ONLY(Sysctl, osc_reset, "from a property"),
    HOST_ONLY(Sysctl, num_osc, "from a property"), STATE_ARRAY(Sysctl, mb_osc), STATE(Sysctl, lockval), STATE(Sysctl, flags), STATE(Sysctl, nvflags),
    STATE(Sysctl, mci_input), STATE_END,
};

static const DeviceType sysctl_type = {
    .name = "realview_sysctl",
    .category = "misc",
    .desc = "System registers of ARM boards",
    .internal = true,
    .size = sizeof(Sysctl),
    .state_version = 1,
    .props = sysctl_props,
    .banks = sysctl_banks,
    .pins = sysctl_pins,
    .state = sysctl_state,
    .realize = sysctl_realize,
    .reset = sysctl_reset,
};
DEVICE_TYPE(sysctl_type);
