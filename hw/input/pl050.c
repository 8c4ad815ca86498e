// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell keyboard and mouse interface PL050 (ARM DDI 0143C) with a PS/2 keyboard or mouse on it.
 */
#include "exec/bank.h"
#include "hw/input/ps2.h"
#include "ui/input.h"

enum { CR_EN = 4, CR_TXINT = 8, CR_RXINT = 16 };
enum { STAT_DATAIN = 1, STAT_CLKIN = 2, STAT_PARITY = 4, STAT_RXFULL = 16, STAT_TXEMPTY = 64 };

typedef struct Pl050 {
    Device dev;
    Ps2 ps2;
    InputHandler *input;
    Irq irq;
    uint8_t cr, clkdiv, last;
} Pl050;

static void pl050_update(Pl050 *s)
{
    bool rx = ps2_has_data(&s->ps2);

    irq_set(&s->irq, (rx && s->cr & CR_RXINT) || s->cr & CR_TXINT);
}

static void pl050_ready(void *opaque)
{
    pl050_update(opaque);
}

static uint64_t pl050_stat_read(Device *d, const RegAccess *a)
{
    Pl050 *s = (Pl050 *)d;
    bool odd = !__builtin_parity(s->last);

    return STAT_TXEMPTY | STAT_CLKIN | STAT_DATAIN | (odd ? STAT_PARITY : 0) |
           (ps2_has_data(&s->ps2) ? STAT_RXFULL : 0);
}

static uint64_t pl050_data_read(Device *d, const RegAccess *a)
{
    Pl050 *s = (Pl050 *)d;

    if (ps2_has_data(&s->ps2)) {
        s->last = ps2_read(&s->ps2);
    }
    pl050_update(s);
    return s->last;
}

static void pl050_data_write(Device *d, const RegAccess *a)
{
    ps2_write(&((Pl050 *)d)->ps2, a->value);
    pl050_update((Pl050 *)d);
}

static uint64_t pl050_ir_read(Device *d, const RegAccess *a)
{
    return 2 | ps2_has_data(&((Pl050 *)d)->ps2);
}

static void pl050_cr_write(Device *d, const RegAccess *a)
{
    pl050_update((Pl050 *)d);
}

static void pl050_key(void *opaque, unsigned key, bool down)
{
    ps2_key(&((Pl050 *)opaque)->ps2, key, down);
}

static void pl050_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    ps2_motion(&((Pl050 *)opaque)->ps2, dx, dy, dz, buttons);
}

static const InputOps pl050_key_ops = {.name = "PL050 keyboard", .key = pl050_key};
static const InputOps pl050_mouse_ops = {.name = "PL050 mouse", .motion = pl050_motion};

static bool pl050_realize(Device *d, GError **error)
{
    Pl050 *s = (Pl050 *)d;
    bool mouse = strcmp(d->obj.type->name, "pl050_mouse") == 0;

    ps2_init(&s->ps2, mouse, pl050_ready, s);
    s->input = input_handler_add(mouse ? &pl050_mouse_ops : &pl050_key_ops, s);
    return true;
}

static void pl050_unrealize(Device *d)
{
    input_handler_remove(((Pl050 *)d)->input);
}

static void pl050_reset(Device *d)
{
    Pl050 *s = (Pl050 *)d;

    ps2_reset(&s->ps2);
    s->last = 0;
}

/* clang-format off */
static const Reg pl050_regs[] = {
    REG(Pl050, 0x00, cr, .wmask = 0x3f, .write = pl050_cr_write, .help = "control"),
    REG_HOOK(0x04, 1, "stat", .read = pl050_stat_read, .help = "status"),
    REG_HOOK(0x08, 1, "data", .read = pl050_data_read, .write = pl050_data_write, .help = "bytes from and to the device"),
    REG(Pl050, 0x0c, clkdiv, .wmask = 0xf, .help = "clock divider"),
    REG_HOOK(0x10, 1, "ir", .read = pl050_ir_read, .help = "interrupts"),
    REG_HOOK(0xfe0, 4, "periphid0", .reset = 0x50), REG_HOOK(0xfe4, 4, "periphid1", .reset = 0x10),
    REG_HOOK(0xfe8, 4, "periphid2", .reset = 0x04), REG_HOOK(0xfec, 4, "periphid3", .reset = 0x00),
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1),
};
/* clang-format on */

static const RegBank pl050_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl050_regs), .help = "interface"}, {0}};
static const PinRow pl050_pins[] = {PIN_OUT(Pl050, irq, "irq"), PIN_END};
static const StateField pl050_state[] = {
    STATE_STRUCT(Pl050, ps2, ps2_state), HOST_ONLY(Pl050, input, "host side"), STATE(Pl050, last), STATE_END,
};

/* clang-format off */
#define PL050_TYPE(tag, name_, desc_)                                                                             \
    static const DeviceType tag = {                                                                               \
        .name = name_, .category = "input", .desc = desc_, .internal = true, .size = sizeof(Pl050),               \
        .state_version = 1, .banks = pl050_banks, .pins = pl050_pins, .state = pl050_state,                       \
        .realize = pl050_realize, .unrealize = pl050_unrealize, .reset = pl050_reset,                             \
    };                                                                                                            \
    DEVICE_TYPE(tag)
/* clang-format on */
PL050_TYPE(pl050_keyboard_type, "pl050_keyboard", "PrimeCell keyboard interface");
PL050_TYPE(pl050_mouse_type, "pl050_mouse", "PrimeCell mouse interface");
