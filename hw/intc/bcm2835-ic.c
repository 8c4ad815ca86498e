// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interrupt controllers of the Raspberry Pi: that of the BCM2835 (BCM2835 ARM Peripherals, 7), 64
 * lines of the GPU and 8 of the ARM side, and that of the BCM2836 for four cores (BCM2836 ARM-local
 * peripherals, QA7 revision 3.4) with mailboxes, routing of the cores' timers and a local timer.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

typedef struct Bcm2835Ic {
    Device dev;
    uint64_t gpu_level, gpu_enable;
    uint32_t arm_level, arm_enable, fiq;
    Irq irq, fiq_out;
} Bcm2835Ic;

/* GPU lines that the basic register shows in bits 10 to 20. */
static const uint8_t shortcuts[] = {7, 9, 10, 18, 19, 53, 54, 55, 56, 57, 62};

static void ic_update(Bcm2835Ic *s)
{
    uint64_t gpu = s->gpu_level;
    bool fiq = false;

    if (s->fiq & 0x80) {
        unsigned n = s->fiq & 0x7f;

        fiq = n < 64 ? s->gpu_level >> n & 1 : n < 72 && (s->arm_level >> (n - 64) & 1);
        gpu &= n < 64 ? ~(1ull << n) : UINT64_MAX;
    }
    irq_set(&s->fiq_out, fiq);
    irq_set(&s->irq, (gpu & s->gpu_enable) || (s->arm_level & s->arm_enable));
}

static void ic_gpu(Device *d, unsigned pin, int level)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;

    s->gpu_level = level ? s->gpu_level | 1ull << pin : s->gpu_level & ~(1ull << pin);
    ic_update(s);
}

static void ic_arm(Device *d, unsigned pin, int level)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;

    s->arm_level = level ? s->arm_level | 1u << pin : s->arm_level & ~(1u << pin);
    ic_update(s);
}

static uint64_t ic_pending_read(Device *d, const RegAccess *a)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;
    uint64_t gpu = s->gpu_level & s->gpu_enable, rest = gpu;
    uint32_t v = s->arm_level & s->arm_enable;

    if (a->reg->offset == 0x04) {
        return (uint32_t)gpu;
    }
    if (a->reg->offset == 0x08) {
        return gpu >> 32;
    }
    for (unsigned i = 0; i < ARRAY_COUNT(shortcuts); i++) {
        v |= gpu >> shortcuts[i] & 1 ? 1u << (10 + i) : 0;
        rest &= ~(1ull << shortcuts[i]);
    }
    return v | ((uint32_t)rest ? 0x100 : 0) | (rest >> 32 ? 0x200 : 0);
}

static void ic_enable_write(Device *d, const RegAccess *a)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;

    switch (a->reg->offset) {
    case 0x10:
        s->gpu_enable |= a->value;
        break;
    case 0x14:
        s->gpu_enable |= a->value << 32;
        break;
    case 0x18:
        s->arm_enable |= a->value & 0xff;
        break;
    case 0x1c:
        s->gpu_enable &= ~(uint64_t)(uint32_t)a->value;
        break;
    case 0x20:
        s->gpu_enable &= ~(a->value << 32);
        break;
    default:
        s->arm_enable &= ~a->value;
        break;
    }
    ic_update(s);
}

static uint64_t ic_enable_read(Device *d, const RegAccess *a)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;
    unsigned which = (a->reg->offset - 0x10) / 4 % 3;

    return which == 0 ? (uint32_t)s->gpu_enable : which == 1 ? s->gpu_enable >> 32 : s->arm_enable;
}

static void ic_fiq_write(Device *d, const RegAccess *a)
{
    ic_update((Bcm2835Ic *)d);
}

static void ic_reset(Device *d)
{
    Bcm2835Ic *s = (Bcm2835Ic *)d;

    s->gpu_enable = 0;
    s->arm_enable = 0;
    ic_update(s);
}

/* clang-format off */
#define IC_ENABLE(off, n) REG_HOOK(off, 4, n, .read = ic_enable_read, .write = ic_enable_write, .help = "enables or disables lines")
static const Reg ic_regs[] = {
    REG_HOOK(0x00, 4, "basic_pending", .read = ic_pending_read, .help = "ARM lines and a summary of the others"),
    REG_HOOK(0x04, 4, "pending1", .read = ic_pending_read, .help = "GPU lines 0 to 31"),
    REG_HOOK(0x08, 4, "pending2", .read = ic_pending_read, .help = "GPU lines 32 to 63"),
    REG(Bcm2835Ic, 0x0c, fiq, .wmask = 0xff, .write = ic_fiq_write, .help = "line that is the FIQ"),
    IC_ENABLE(0x10, "enable1"), IC_ENABLE(0x14, "enable2"), IC_ENABLE(0x18, "enable_basic"),
    IC_ENABLE(0x1c, "disable1"), IC_ENABLE(0x20, "disable2"), IC_ENABLE(0x24, "disable_basic"),
};
/* clang-format on */
static const RegBank ic_banks[] = {
    {.name = "mmio", .size = 0x200, BANK_REGS(ic_regs), .help = "interrupt controller"}, {0}};
static const PinRow ic_pins[] = {
    PIN_IN("gpu-irq", 64, ic_gpu), PIN_IN("arm-irq", 8, ic_arm), PIN_OUT(Bcm2835Ic, irq, "irq"), PIN_OUT(Bcm2835Ic, fiq_out, "fiq"), PIN_END,
};
static const StateField ic_state[] = {
    STATE(Bcm2835Ic, gpu_level), STATE(Bcm2835Ic, gpu_enable), STATE(Bcm2835Ic, arm_level), STATE(Bcm2835Ic, arm_enable), STATE_END,
};

static const DeviceType ic_type = {
    .name = "bcm2835-ic", .category = "misc", .desc = "BCM2835 interrupt controller", .internal = true, .size = sizeof(Bcm2835Ic),
    .state_version = 1, .banks = ic_banks, .pins = ic_pins, .state = ic_state, .reset = ic_reset,
};
DEVICE_TYPE(ic_type);

/* ---- BCM2836: one for four cores ---- */

#define CORES 4

enum { SRC_MAILBOX = 4, SRC_GPU = 8, SRC_LOCAL_TIMER = 11 };

typedef struct Bcm2836Control {
    Device dev;
    uint32_t control, prescaler, gpu_route, local_route, local_ctrl;
    uint32_t timer_ctrl[CORES], mailbox_ctrl[CORES], mailbox[CORES * 4];
    uint8_t timer_level[CORES];        /* cntps, cntpns, cnthp, cntv */
    bool gpu_irq, gpu_fiq;
    Countdown local;
    Irq irq[CORES], fiq[CORES];
} Bcm2836Control;

static void control_sources(const Bcm2836Control *s, unsigned core, uint32_t *irq, uint32_t *fiq)
{
    uint32_t tc = s->timer_ctrl[core], mc = s->mailbox_ctrl[core], boxes = 0;

    for (unsigned i = 0; i < 4; i++) {
        boxes |= s->mailbox[core * 4 + i] ? 1u << i : 0;
    }
    *irq = (s->timer_level[core] & tc & ~(tc >> 4) & 15) | (boxes & mc & ~(mc >> 4) & 15)
                                                               << SRC_MAILBOX;
    *fiq = (s->timer_level[core] & tc >> 4 & 15) | (boxes & mc >> 4 & 15) << SRC_MAILBOX;
    if ((s->gpu_route & 3) == core && s->gpu_irq) {
        *irq |= 1u << SRC_GPU;
    }
    if ((s->gpu_route >> 2 & 3) == core && s->gpu_fiq) {
        *fiq |= 1u << SRC_GPU;
    }
    if ((s->local_route & 3) == core && s->local_ctrl >> 31 && s->local_ctrl & 1u << 29) {
        *(s->local_route & 4 ? fiq : irq) |= 1u << SRC_LOCAL_TIMER;
    }
}

static void control_update(Bcm2836Control *s)
{
    for (unsigned c = 0; c < CORES; c++) {
        uint32_t irq, fiq;

        control_sources(s, c, &irq, &fiq);
        irq_set(&s->irq[c], irq != 0);
        irq_set(&s->fiq[c], fiq != 0);
    }
}

static void control_timer(Device *d, unsigned pin, int level)
{
    Bcm2836Control *s = (Bcm2836Control *)d;
    unsigned core = pin / 4, bit = 1u << pin % 4;

    s->timer_level[core] = level ? s->timer_level[core] | bit : s->timer_level[core] & ~bit;
    control_update(s);
}

static void control_gpu_irq(Device *d, unsigned pin, int level)
{
    ((Bcm2836Control *)d)->gpu_irq = level;
    control_update((Bcm2836Control *)d);
}

static void control_gpu_fiq(Device *d, unsigned pin, int level)
{
    ((Bcm2836Control *)d)->gpu_fiq = level;
    control_update((Bcm2836Control *)d);
}

static void control_changed(Device *d, const RegAccess *a)
{
    control_update((Bcm2836Control *)d);
}

static uint64_t control_source_read(Device *d, const RegAccess *a)
{
    uint32_t irq, fiq;

    control_sources((Bcm2836Control *)d, a->index, &irq, &fiq);
    return a->reg->offset == 0x60 ? irq : fiq;
}

static void control_mailbox_write(Device *d, const RegAccess *a)
{
    Bcm2836Control *s = (Bcm2836Control *)d;

    s->mailbox[a->index] = a->reg->offset == 0x80 ? s->mailbox[a->index] | (uint32_t)a->value
                                                  : s->mailbox[a->index] & ~(uint32_t)a->value;
    control_update(s);
}

static uint64_t control_mailbox_read(Device *d, const RegAccess *a)
{
    return ((Bcm2836Control *)d)->mailbox[a->index];
}

/* The local timer counts at twice the crystal's 19.2 MHz. */
static void local_expired(void *opaque)
{
    Bcm2836Control *s = opaque;

    s->local_ctrl |= 1u << 31;
    control_update(s);
}

static void local_ctrl_write(Device *d, const RegAccess *a)
{
    Bcm2836Control *s = (Bcm2836Control *)d;

    countdown_set_period(&s->local, s->local_ctrl & 0xfffffff);
    if (!(a->old & 1u << 28)) {
        countdown_set(&s->local, s->local_ctrl & 0xfffffff);
    }
    countdown_run(&s->local, s->local_ctrl & 1u << 28 && s->local_ctrl & 0xfffffff);
    control_update(s);
}

static void local_ack_write(Device *d, const RegAccess *a)
{
    Bcm2836Control *s = (Bcm2836Control *)d;

    if (a->value >> 31) {
        s->local_ctrl &= 0x7fffffff;
    }
    if (a->value >> 30 & 1) {
        countdown_set(&s->local, s->local_ctrl & 0xfffffff);
    }
    control_update(s);
}

static bool control_realize(Device *d, GError **error)
{
    countdown_init(&((Bcm2836Control *)d)->local, 38400000, local_expired, d);
    return true;
}

static void control_reset(Device *d)
{
    Bcm2836Control *s = (Bcm2836Control *)d;

    countdown_reset(&s->local);
    memset(s->mailbox, 0, sizeof(s->mailbox));
    control_update(s);
}

/* clang-format off */
static const Reg control_regs[] = {
    REG(Bcm2836Control, 0x00, control, .wmask = 0x300, .help = "core timer's clock"),
    REG(Bcm2836Control, 0x08, prescaler, .wmask = 0xffffffff, .help = "core timer's prescaler"),
    REG(Bcm2836Control, 0x0c, gpu_route, .wmask = 0xf, .write = control_changed, .help = "core that gets the GPU's interrupts"),
    REG(Bcm2836Control, 0x24, local_route, .wmask = 0x7, .write = control_changed, .help = "core that gets the local timer's"),
    REG(Bcm2836Control, 0x34, local_ctrl, .wmask = 0x3fffffff, .write = local_ctrl_write, .help = "local timer"),
    REG_HOOK(0x38, 4, "local_ack", .write = local_ack_write, .help = "acknowledges, reloads"),
    REG_ARRAY(Bcm2836Control, 0x40, timer_ctrl, .wmask = 0xff, .write = control_changed, .help = "timers that interrupt"),
    REG_ARRAY(Bcm2836Control, 0x50, mailbox_ctrl, .wmask = 0xff, .write = control_changed, .help = "mailboxes that interrupt"),
    REG_HOOK(0x60, 4, "irq_source", .count = CORES, .read = control_source_read, .help = "what interrupts"),
    REG_HOOK(0x70, 4, "fiq_source", .count = CORES, .read = control_source_read, .help = "what interrupts fast"),
    REG_HOOK(0x80, 4, "mailbox_set", .count = 16, .write = control_mailbox_write, .help = "sets bits"),
    REG_HOOK(0xc0, 4, "mailbox", .count = 16, .read = control_mailbox_read, .write = control_mailbox_write, .help = "clears bits"),
};
/* clang-format on */
static const RegBank control_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(control_regs), .help = "per-core interrupts"}, {0}};
static const PinRow control_pins[] = {
    PIN_IN("timer", CORES * 4, control_timer), PIN_IN("gpu-irq", 1, control_gpu_irq), PIN_IN("gpu-fiq", 1, control_gpu_fiq),
    PIN_OUT_ARRAY(Bcm2836Control, irq, "irq"), PIN_OUT_ARRAY(Bcm2836Control, fiq, "fiq"), PIN_END,
};
static const StateField control_state[] = {
    STATE_ARRAY(Bcm2836Control, mailbox), STATE_RAW(Bcm2836Control, timer_level), STATE(Bcm2836Control, gpu_irq), STATE(Bcm2836Control, gpu_fiq),
    STATE_STRUCT(Bcm2836Control, local, countdown_state), STATE_END,
};

static const DeviceType control_type = {
    .name = "bcm2836-control", .category = "misc", .desc = "BCM2836 interrupts of the cores", .internal = true, .size = sizeof(Bcm2836Control),
    .state_version = 1, .banks = control_banks, .pins = control_pins, .state = control_state, .realize = control_realize, .reset = control_reset,
};
DEVICE_TYPE(control_type);
