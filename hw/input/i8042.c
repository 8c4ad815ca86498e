// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keyboard controller 8042 (IBM PC AT Technical Reference, PS/2 auxiliary port) with a PS/2
 * keyboard and mouse behind it: ports 60h and 64h, translation to scan set 1, A20 and CPU
 * reset through the output port.
 */
#include "exec/bank.h"
#include "hw/input/ps2.h"
#include "hw/isa/isa.h"
#include "qom/vm.h"
#include "ui/input.h"

enum { ST_OBF = 1, ST_IBF = 2, ST_SYSTEM = 4, ST_COMMAND = 8, ST_UNLOCKED = 16, ST_AUX_OBF = 32 };
enum {
    MODE_IRQ1 = 1,
    MODE_IRQ12 = 2,
    MODE_SYSTEM = 4,
    MODE_KBD_OFF = 16,
    MODE_AUX_OFF = 32,
    MODE_TRANSLATE = 64
};
enum { OUT_RESET = 1, OUT_A20 = 2, OUT_AUX_OBF = 32, OUT_OBF = 16 };

typedef struct I8042 {
    Device dev;
    Ps2 kbd, mouse;
    Irq irq_kbd, irq_mouse, a20;
    uint8_t mode, outport, command, status, obuf;
    bool obuf_reply;          /* obuf holds an answer of the controller itself */
    bool obuf_aux;            /* ... that looks as if from the mouse */
    bool kbd_release;         /* translation: F0 seen */
    bool extended_state, kbd_throttle;
    InputHandler *keyboard_input, *mouse_input;
} I8042;

/* Set 2 -> set 1, for translation (0: as it is). */
static const uint8_t set1[256] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    [0x83] = 0x41, [0x84] = 0x54,
};

static bool i8042_kbd_ready(const I8042 *s)
{
    return !(s->mode & MODE_KBD_OFF) && ps2_has_data(&s->kbd);
}

static bool i8042_mouse_ready(const I8042 *s)
{
    return !(s->mode & MODE_AUX_OFF) && ps2_has_data(&s->mouse);
}

static void i8042_update(I8042 *s)
{
    bool kbd = false, aux = false;

    if (s->obuf_reply) {
        aux = s->obuf_aux;
        kbd = !aux;
    } else if (i8042_kbd_ready(s)) {
        kbd = true;
    } else {
        aux = i8042_mouse_ready(s);
    }
    s->status =
        (s->status & ~(ST_OBF | ST_AUX_OBF)) | (kbd || aux ? ST_OBF : 0) | (aux ? ST_AUX_OBF : 0);
    s->outport =
        (s->outport & ~(OUT_OBF | OUT_AUX_OBF)) | (kbd ? OUT_OBF : 0) | (aux ? OUT_AUX_OBF : 0);
    irq_set(&s->irq_kbd, kbd && (s->mode & MODE_IRQ1));
    irq_set(&s->irq_mouse, aux && (s->mode & MODE_IRQ12));
}

static void i8042_ready(void *opaque)
{
    i8042_update(opaque);
}

static void i8042_reply(I8042 *s, uint8_t v, bool aux)
{
    s->obuf = v;
    s->obuf_reply = true;
    s->obuf_aux = aux;
    i8042_update(s);
}

static void i8042_set_outport(I8042 *s, uint8_t v)
{
    s->outport = (s->outport & (OUT_OBF | OUT_AUX_OBF)) | (v & ~(OUT_OBF | OUT_AUX_OBF));
    irq_set(&s->a20, v & OUT_A20 ? 1 : 0);
    if (!(v & OUT_RESET)) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static void i8042_set_mode(I8042 *s, uint8_t mode)
{
    s->mode = mode;
    s->status = (s->status & ~ST_SYSTEM) | (mode & MODE_SYSTEM);
    i8042_update(s);
}

static void i8042_command(I8042 *s, uint8_t v)
{
    s->command = 0;
    if (v >= 0xf0 && v != 0xff) {
        /* Pulses the output port's low bits whose command bits are 0. */
        if (!(v & 1)) {
            request_reset(SHUTDOWN_GUEST_RESET);
        }
        return;
    }
    switch (v) {
    case 0x20:
        i8042_reply(s, s->mode, false);
        break;
    case 0x60:
    case 0xd1:
    case 0xd2:
    case 0xd3:
    case 0xd4:
        s->command = v;
        break;
    case 0xa7:
        i8042_set_mode(s, s->mode | MODE_AUX_OFF);
        break;
    case 0xa8:
        i8042_set_mode(s, s->mode & ~MODE_AUX_OFF);
        break;
    case 0xa9:
        i8042_reply(s, 0, false);
        break;
    case 0xaa:
        s->status |= ST_SYSTEM;
        i8042_reply(s, 0x55, false);
        break;
    case 0xab:
        i8042_reply(s, 0, false);
        break;
    case 0xad:
        i8042_set_mode(s, s->mode | MODE_KBD_OFF);
        break;
    case 0xae:
        i8042_set_mode(s, s->mode & ~MODE_KBD_OFF);
        break;
    case 0xc0:
        i8042_reply(s, 0x80, false);
        break;
    case 0xd0:
        i8042_reply(s, s->outport, false);
        break;
    case 0xdd:
    case 0xdf:
        i8042_set_outport(s, (s->outport & ~OUT_A20) | (v == 0xdf ? OUT_A20 : 0));
        break;
    }
}

static void i8042_data(I8042 *s, uint8_t v)
{
    uint8_t command = s->command;

    s->command = 0;
    switch (command) {
    case 0x60:
        i8042_set_mode(s, v);
        break;
    case 0xd1:
        i8042_set_outport(s, v);
        break;
    case 0xd2:
    case 0xd3:
        i8042_reply(s, v, command == 0xd3);
        break;
    case 0xd4:
        i8042_set_mode(s, s->mode & ~MODE_AUX_OFF);
        ps2_write(&s->mouse, v);
        break;
    default:
        i8042_set_mode(s, s->mode & ~MODE_KBD_OFF);
        ps2_write(&s->kbd, v);
        break;
    }
}

/* One translated byte; the F0 prefix of set 2 becomes bit 7 of the next. */
static uint8_t i8042_translate(I8042 *s)
{
    uint8_t b = ps2_read(&s->kbd);

    if (!(s->mode & MODE_TRANSLATE)) {
        return b;
    }
    while (b == 0xf0 && ps2_has_data(&s->kbd)) {
        s->kbd_release = true;
        b = ps2_read(&s->kbd);
    }
    if (set1[b]) {
        b = set1[b] | (s->kbd_release ? 0x80 : 0);
    }
    s->kbd_release = false;
    return b;
}

static uint64_t i8042_read_data(void *opaque, hwaddr offset, unsigned size)
{
    I8042 *s = opaque;

    if (s->obuf_reply) {
        s->obuf_reply = false;
    } else if (i8042_kbd_ready(s)) {
        s->obuf = i8042_translate(s);
    } else if (i8042_mouse_ready(s)) {
        s->obuf = ps2_read(&s->mouse);
    }
    /* Edges: the line drops between bytes. */
    irq_set(&s->irq_kbd, 0);
    irq_set(&s->irq_mouse, 0);
    i8042_update(s);
    return s->obuf;
}

static void i8042_write_data(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8042 *s = opaque;

    s->status &= ~ST_COMMAND;
    i8042_data(s, value);
}

static uint64_t i8042_read_status(void *opaque, hwaddr offset, unsigned size)
{
    return ((I8042 *)opaque)->status;
}

static void i8042_write_command(void *opaque, hwaddr offset, uint64_t value, unsigned size)
{
    I8042 *s = opaque;

    s->status |= ST_COMMAND;
    i8042_command(s, value);
}

static void i8042_input_key(void *opaque, unsigned key, bool down)
{
    ps2_key(&((I8042 *)opaque)->kbd, key, down);
}

static void i8042_input_motion(void *opaque, int dx, int dy, int dz, unsigned buttons)
{
    ps2_motion(&((I8042 *)opaque)->mouse, dx, dy, dz, buttons);
}

void i8042_mouse_nudge(Device *d)
{
    Ps2 *mouse = &((I8042 *)d)->mouse;

    ps2_motion(mouse, 0, 0, 0, mouse->buttons);
}

static const InputOps keyboard_ops = {.name = "QEMU PS/2 Keyboard", .key = i8042_input_key};
static const InputOps mouse_ops = {.name = "QEMU PS/2 Mouse", .motion = i8042_input_motion};

static bool i8042_realize(Device *d, GError **error)
{
    I8042 *s = (I8042 *)d;

    ps2_init(&s->kbd, false, i8042_ready, s);
    ps2_init(&s->mouse, true, i8042_ready, s);
    s->keyboard_input = input_handler_add(&keyboard_ops, s);
    s->mouse_input = input_handler_add(&mouse_ops, s);
    return true;
}

static void i8042_unrealize(Device *d)
{
    input_handler_remove(((I8042 *)d)->keyboard_input);
    input_handler_remove(((I8042 *)d)->mouse_input);
}

static void i8042_reset(Device *d)
{
    I8042 *s = (I8042 *)d;

    s->mode = MODE_IRQ1 | MODE_IRQ12;
    s->status = ST_COMMAND | ST_UNLOCKED;
    s->outport = OUT_RESET | OUT_A20 | 0xcc;
    s->command = s->obuf = 0;
    s->obuf_reply = s->obuf_aux = s->kbd_release = false;
    ps2_reset(&s->kbd);
    ps2_reset(&s->mouse);
    i8042_update(s);
}

static const RegionOps data_ops = {
    .read = i8042_read_data, .write = i8042_write_data, .min_size = 1, .max_size = 1,
};
static const RegionOps command_ops = {
    .read = i8042_read_status, .write = i8042_write_command, .min_size = 1, .max_size = 1,
};

static const RegBank i8042_banks[] = {
    { .name = "data", .size = 1, .ops = &data_ops, .pio = true },
    { .name = "command", .size = 1, .ops = &command_ops, .pio = true, .help = "status / command" },
    { 0 },
};

static const Prop i8042_props[] = {
    PROP_BOOL(I8042, extended_state, "extended-state", true),
    PROP_BOOL(I8042, kbd_throttle, "kbd-throttle", false),
    PROP_END,
};

static const PinRow i8042_pins[] = {
    PIN_OUT(I8042, irq_kbd, "irq-kbd"),
    PIN_OUT(I8042, irq_mouse, "irq-mouse"),
    PIN_OUT(I8042, a20, "a20"),
    PIN_END,
};

static const StateField i8042_state[] = {
    STATE_STRUCT(I8042, kbd, ps2_state),
    STATE_STRUCT(I8042, mouse, ps2_state),
    STATE(I8042, mode),
    STATE(I8042, outport),
    STATE(I8042, command),
    STATE(I8042, status),
    STATE(I8042, obuf),
    STATE(I8042, obuf_reply),
    STATE(I8042, obuf_aux),
    STATE(I8042, kbd_release),
    HOST_ONLY(I8042, keyboard_input, "registration"), HOST_ONLY(I8042, mouse_input, "registration"),
    STATE_END,
};

static void i8042_plug_irqs(Device *d)
{
    isa_wire(d, "irq-kbd", 0, 1);
    isa_wire(d, "irq-mouse", 0, 12);
}

static const IsaInfo i8042_isa = {
    .ports = { { .bank = "data", .base = 0x60 }, { .bank = "command", .base = 0x64 } },
    .plugged = i8042_plug_irqs,
};

static const DeviceType i8042_type = {
    .name = "i8042",
    .bus = "ISA",
    .category = "input",
    .desc = "PS/2 keyboard and mouse controller",
    .internal = true,
    .bus_info = &i8042_isa,
    .size = sizeof(I8042),
    .state_version = 1,
    .props = i8042_props,
    .banks = i8042_banks,
    .pins = i8042_pins,
    .state = i8042_state,
    .realize = i8042_realize,
    .unrealize = i8042_unrealize,
    .reset = i8042_reset,
};
DEVICE_TYPE(i8042_type);
