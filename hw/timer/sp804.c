// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dual timer SP804 (ARM DDI 0271D): two counters of 16 or 32 bits behind one device, each
 * free-running, periodic or one-shot. That of the Cortex-M System Design Kit (DDI 0479C, 4.6)
 * differs in its identification.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

enum {
    CTRL_ONESHOT = 1,
    CTRL_32BIT = 2,
    CTRL_INT = 0x20,
    CTRL_PERIODIC = 0x40,
    CTRL_ENABLE = 0x80
};

typedef struct Sp804 {
    Device dev;
    uint32_t freq[2];              /* properties, Hz */
    uint32_t load[2], ctrl[2], ris[2];
    Countdown count[2];
    Irq irq;
} Sp804;

static void sp804_update(Sp804 *s)
{
    irq_set(&s->irq, (s->ris[0] && s->ctrl[0] & CTRL_INT) || (s->ris[1] && s->ctrl[1] & CTRL_INT));
}

static void sp804_zero(Sp804 *s, unsigned i)
{
    s->ris[i] = 1;
    sp804_update(s);
}

static void sp804_zero0(void *opaque)
{
    sp804_zero(opaque, 0);
}

static void sp804_zero1(void *opaque)
{
    sp804_zero(opaque, 1);
}

static uint64_t sp804_mask(const Sp804 *s, unsigned i)
{
    return s->ctrl[i] & CTRL_32BIT ? UINT32_MAX : 0xffff;
}

static unsigned sp804_index(const RegAccess *a)
{
    return a->reg->offset >> 5 & 1;
}

static void sp804_configure(Sp804 *s, unsigned i)
{
    static const uint8_t shift[4] = {0, 4, 8, 8};
    uint64_t mask = sp804_mask(s, i);

    countdown_set_hz(&s->count[i], s->freq[i] >> shift[s->ctrl[i] >> 2 & 3]);
    countdown_set_period(&s->count[i], s->ctrl[i] & CTRL_ONESHOT    ? 0
                                       : s->ctrl[i] & CTRL_PERIODIC ? MAX(s->load[i] & mask, 1)
                                                                    : mask + 1);
    countdown_run(&s->count[i], s->ctrl[i] & CTRL_ENABLE);
}

static void sp804_load_write(Device *d, const RegAccess *a)
{
    Sp804 *s = (Sp804 *)d;
    unsigned i = sp804_index(a);

    s->load[i] = a->value;
    countdown_set(&s->count[i], a->value & sp804_mask(s, i));
    sp804_configure(s, i);
}

/* The value is taken up at the next zero. */
static void sp804_bgload_write(Device *d, const RegAccess *a)
{
    Sp804 *s = (Sp804 *)d;
    unsigned i = sp804_index(a);

    s->load[i] = a->value;
    sp804_configure(s, i);
}

static uint64_t sp804_load_read(Device *d, const RegAccess *a)
{
    return ((Sp804 *)d)->load[sp804_index(a)];
}

static uint64_t sp804_value_read(Device *d, const RegAccess *a)
{
    Sp804 *s = (Sp804 *)d;

    return countdown_value(&s->count[sp804_index(a)]) & sp804_mask(s, sp804_index(a));
}

static uint64_t sp804_ctrl_read(Device *d, const RegAccess *a)
{
    return ((Sp804 *)d)->ctrl[sp804_index(a)];
}

static void sp804_ctrl_write(Device *d, const RegAccess *a)
{
    Sp804 *s = (Sp804 *)d;
    unsigned i = sp804_index(a);
    bool was_on = s->ctrl[i] & CTRL_ENABLE;

    s->ctrl[i] = a->value & 0xff;
    if (!was_on && s->ctrl[i] & CTRL_ENABLE && countdown_value(&s->count[i]) == 0) {
        countdown_set(&s->count[i], s->ctrl[i] & (CTRL_PERIODIC | CTRL_ONESHOT)
                                        ? s->load[i] & sp804_mask(s, i)
                                        : sp804_mask(s, i));
    }
    sp804_configure(s, i);
    sp804_update(s);
}

static void sp804_intclr_write(Device *d, const RegAccess *a)
{
    ((Sp804 *)d)->ris[sp804_index(a)] = 0;
    sp804_update((Sp804 *)d);
}

static uint64_t sp804_ris_read(Device *d, const RegAccess *a)
{
    return ((Sp804 *)d)->ris[sp804_index(a)];
}

static uint64_t sp804_mis_read(Device *d, const RegAccess *a)
{
    Sp804 *s = (Sp804 *)d;
    unsigned i = sp804_index(a);

    return s->ris[i] && s->ctrl[i] & CTRL_INT;
}

static bool sp804_realize(Device *d, GError **error)
{
    Sp804 *s = (Sp804 *)d;

    countdown_init(&s->count[0], MAX(s->freq[0], 1), sp804_zero0, s);
    countdown_init(&s->count[1], MAX(s->freq[1], 1), sp804_zero1, s);
    return true;
}

static void sp804_reset(Device *d)
{
    Sp804 *s = (Sp804 *)d;

    for (unsigned i = 0; i < 2; i++) {
        countdown_reset(&s->count[i]);
        s->load[i] = s->ris[i] = 0;
        s->ctrl[i] = CTRL_INT;
        s->count[i].left = UINT32_MAX;
    }
}

static void sp804_unrealize(Device *d)
{
    countdown_reset(&((Sp804 *)d)->count[0]);
    countdown_reset(&((Sp804 *)d)->count[1]);
}

/* clang-format off */
#define SP804_TIMER(base)                                                                                         \
    REG_HOOK(base + 0x00, 4, "load", .read = sp804_load_read, .write = sp804_load_write, .help = "value to count from"), \
    REG_HOOK(base + 0x04, 4, "value", .read = sp804_value_read, .help = "value now"),                             \
    REG_HOOK(base + 0x08, 4, "control", .read = sp804_ctrl_read, .write = sp804_ctrl_write, .help = "mode, prescaler, enables"), \
    REG_HOOK(base + 0x0c, 4, "intclr", .write = sp804_intclr_write, .help = "interrupt clear"),                   \
    REG_HOOK(base + 0x10, 4, "ris", .read = sp804_ris_read, .help = "raw interrupt"),                             \
    REG_HOOK(base + 0x14, 4, "mis", .read = sp804_mis_read, .help = "masked interrupt"),                          \
    REG_HOOK(base + 0x18, 4, "bgload", .read = sp804_load_read, .write = sp804_bgload_write, .help = "value for the next round")
static const Reg sp804_regs[] = {
    SP804_TIMER(0x00), SP804_TIMER(0x20),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x04), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x18),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x14), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
static const Reg cmsdk_dual_regs[] = {
    SP804_TIMER(0x00), SP804_TIMER(0x20), REG_HOOK(0xfd0, 4, "periphid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x23), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0xb8),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x1b), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */

static const RegBank cmsdk_dual_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(cmsdk_dual_regs), .help = "timer registers"}, {0}};
static const RegBank sp804_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(sp804_regs), .help = "timer registers"}, {0}};

static const Prop sp804_props[] = {
    PROP_U32(Sp804, freq[0], "freq0", 1000000),
    PROP_U32(Sp804, freq[1], "freq1", 1000000),
    PROP_END,
};

static const PinRow sp804_pins[] = {PIN_OUT(Sp804, irq, "irq"), PIN_END};

static const StateField sp804_state[] = {
    STATE_ARRAY(Sp804, load), STATE_ARRAY(Sp804, ctrl), STATE_ARRAY(Sp804, ris), STATE_STRUCTS(Sp804, count, countdown_state), STATE_END,
};

static const DeviceType sp804_type = {
    .name = "sp804",
    .category = "misc",
    .desc = "Dual timer",
    .internal = true,
    .size = sizeof(Sp804),
    .state_version = 1,
    .props = sp804_props,
    .banks = sp804_banks,
    .pins = sp804_pins,
    .state = sp804_state,
    .realize = sp804_realize,
    .unrealize = sp804_unrealize,
    .reset = sp804_reset,
};
DEVICE_TYPE(sp804_type);

static const DeviceType cmsdk_dual_type = {
    .name = "cmsdk-apb-dualtimer",
    .category = "misc",
    .desc = "CMSDK dual timer",
    .internal = true,
    .size = sizeof(Sp804),
    .state_version = 1,
    .props = sp804_props,
    .banks = cmsdk_dual_banks,
    .pins = sp804_pins,
    .state = sp804_state,
    .realize = sp804_realize,
    .unrealize = sp804_unrealize,
    .reset = sp804_reset,
};
DEVICE_TYPE(cmsdk_dual_type);
