// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PrimeCell colour LCD controllers PL110 (ARM DDI 0161E) and PL111 (ARM DDI 0293C): a picture in
 * memory with a palette. The "pl110_versatile" has the board's multiplexer of colours. Left out:
 * hardware cursor, big-endian pixel orders, STN greys.
 */
#include "exec/bank.h"
#include "hw/display/framebuffer.h"

enum { CTRL_EN = 1, CTRL_BGR = 1 << 8, CTRL_PWR = 1 << 11 };
enum { INT_FUF = 2, INT_LNBU = 4, INT_VCOMP = 8 };

typedef struct Pl11x {
    Device dev;
    Console *console;
    Irq irq;
    uint32_t timing[4], base[2], control, imsc, ris;
    uint32_t palette[128];
    uint32_t mux;                      /* of the Versatile boards: 0 none, 1 565, 2 bgr 565, 3 555 */
    uint32_t colors[256];              /* palette as x8r8g8b8 */
} Pl11x;

static void pl11x_update_irq(Pl11x *s)
{
    irq_set(&s->irq, (s->ris & s->imsc) != 0);
}

static uint32_t color555(unsigned v, bool bgr)
{
    unsigned r = v & 31, g = v >> 5 & 31, b = v >> 10 & 31;

    if (bgr) {
        unsigned t = r;

        r = b;
        b = t;
    }
    return (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | b << 3 | b >> 2;
}

/* ---- rows ---- */

static unsigned pl11x_bpp(const Pl11x *s)
{
    static const uint8_t bits[8] = {1, 2, 4, 8, 16, 32, 16, 16};

    return bits[s->control >> 1 & 7];
}

static void convert_palette(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    Pl11x *s = opaque;
    unsigned bits = pl11x_bpp(s), mask = (1u << bits) - 1;

    for (unsigned i = 0; i < width; i++) {
        unsigned at = i * bits;

        to[i] = s->colors[from[at / 8] >> at % 8 & mask];
    }
}

static void convert_555(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    Pl11x *s = opaque;

    for (unsigned i = 0; i < width; i++, from += 2) {
        to[i] = color555(from[0] | from[1] << 8, s->control & CTRL_BGR);
    }
}

static void convert_444(void *opaque, uint32_t *to, const uint8_t *from, unsigned width)
{
    Pl11x *s = opaque;

    for (unsigned i = 0; i < width; i++, from += 2) {
        unsigned v = from[0] | from[1] << 8, r = v & 15, g = v >> 4 & 15, b = v >> 8 & 15;

        to[i] = s->control & CTRL_BGR ? b * 17 << 16 | g * 17 << 8 | r * 17
                                      : r * 17 << 16 | g * 17 << 8 | b * 17;
    }
}

/* With BGR clear the lowest bits are red. */
static void pl11x_pick(Pl11x *s, FbPicture *p)
{
    bool bgr = s->control & CTRL_BGR;

    switch (s->control >> 1 & 7) {
    case 4:
        p->convert = s->mux == 1   ? (bgr ? fb_convert_rgb565 : fb_convert_bgr565)
                     : s->mux == 2 ? fb_convert_rgb565
                                   : convert_555;
        break;
    case 5:
        p->convert = bgr ? fb_convert_xrgb : fb_convert_xbgr;
        break;
    case 6:
        p->convert = bgr ? fb_convert_rgb565 : fb_convert_bgr565;
        break;
    case 7:
        p->convert = convert_444;
        break;
    default:
        p->convert = convert_palette;
        break;
    }
}

static void pl11x_update(void *opaque)
{
    Pl11x *s = opaque;
    FbPicture p = {
        .addr = s->base[0],
        .width = ((s->timing[0] >> 2 & 0x3f) + 1) * 16,
        .height = (s->timing[1] & 0x3ff) + 1,
        .opaque = s,
    };

    if (!(s->control & CTRL_EN) || !(s->control & CTRL_PWR)) {
        return;
    }
    p.row_bytes = p.stride = p.width * pl11x_bpp(s) / 8;
    pl11x_pick(s, &p);
    fb_update(s->console, &s->dev, &p);
    s->ris |= INT_LNBU | INT_VCOMP;
    pl11x_update_irq(s);
}

static const ConsoleOps pl11x_console_ops = {.update = pl11x_update};

/* ---- registers ---- */

static void pl11x_palette_write(Device *d, const RegAccess *a)
{
    Pl11x *s = (Pl11x *)d;

    s->colors[a->index * 2] = color555(s->palette[a->index], s->control & CTRL_BGR);
    s->colors[a->index * 2 + 1] = color555(s->palette[a->index] >> 16, s->control & CTRL_BGR);
}

static void pl11x_imsc_write(Device *d, const RegAccess *a)
{
    pl11x_update_irq((Pl11x *)d);
}

/*
 * The PL110 of DDI 0161 has mask and control the other way round than boards' PL111 (and the
 * Versatile's).
 */
static uint64_t pl11x_mis_read(Device *d, const RegAccess *a)
{
    return ((Pl11x *)d)->ris & ((Pl11x *)d)->imsc;
}

static void pl11x_icr_write(Device *d, const RegAccess *a)
{
    ((Pl11x *)d)->ris &= ~(uint32_t)a->value;
    pl11x_update_irq((Pl11x *)d);
}

static uint64_t pl11x_current_read(Device *d, const RegAccess *a)
{
    return ((Pl11x *)d)->base[a->reg->offset >> 2 & 1 ? 0 : 1];
}

static void pl11x_mux_input(Device *d, unsigned pin, int level)
{
    ((Pl11x *)d)->mux = (uint32_t)level & 3;
}

static bool pl11x_realize(Device *d, GError **error)
{
    Pl11x *s = (Pl11x *)d;

    s->console = console_new(&pl11x_console_ops, s, d, 0);
    return true;
}

static void pl11x_unrealize(Device *d)
{
    console_free(((Pl11x *)d)->console);
}

/* clang-format off */
#define PL11X_COMMON()                                                                        \
    REG_ARRAY(Pl11x, 0x00, timing, .wmask = 0xffffffff, .help = "timing: width, height, polarities"),               \
    REG_ARRAY(Pl11x, 0x10, base, .wmask = 0xffffffff, .help = "address of the picture")
#define PL11X_REST(ris_at, mis_at)                                                                  \
    REG(Pl11x, ris_at, ris, .help = "raw interrupts"),                                                              \
    REG_HOOK(mis_at, 4, "mis", .read = pl11x_mis_read, .help = "masked interrupts")
#define PL11X_PALETTE REG_ARRAY(Pl11x, 0x200, palette, .wmask = 0xffffffff, .write = pl11x_palette_write, .help = "two colours each")
#define PL11X_CELL                                                                                                  \
    REG_HOOK(0xff0, 4, "cellid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cellid1", .reset = 0xf0),                     \
    REG_HOOK(0xff8, 4, "cellid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cellid3", .reset = 0xb1)
#define PL11X_ID(a, b, c, d_)                                                                                       \
    REG_HOOK(0xfe0, 4, "periphid0", .reset = a), REG_HOOK(0xfe4, 4, "periphid1", .reset = b),                       \
    REG_HOOK(0xfe8, 4, "periphid2", .reset = c), REG_HOOK(0xfec, 4, "periphid3", .reset = d_), PL11X_CELL
#define PL11X_IMSC(at) REG(Pl11x, at, imsc, .wmask = 0x1e, .write = pl11x_imsc_write, .help = "interrupt mask")
#define PL11X_CONTROL(at) REG(Pl11x, at, control, .wmask = 0x1ffff, .help = "format, enable, power")

static const Reg pl110_regs[] = {
    PL11X_COMMON(), PL11X_IMSC(0x18), PL11X_CONTROL(0x1c), PL11X_REST(0x20, 0x24),
    REG_HOOK(0x28, 4, "current", .read = pl11x_current_read), REG_HOOK(0x2c, 4, "current2", .read = pl11x_current_read),
    PL11X_PALETTE, PL11X_ID(0x10, 0x11, 0x04, 0x00),
};
static const Reg pl111_regs[] = {
    PL11X_COMMON(), PL11X_CONTROL(0x18), PL11X_IMSC(0x1c), PL11X_REST(0x20, 0x24),
    REG_HOOK(0x28, 4, "icr", .write = pl11x_icr_write, .help = "interrupt clear"),
    REG_HOOK(0x2c, 4, "current", .read = pl11x_current_read), REG_HOOK(0x30, 4, "current2", .read = pl11x_current_read),
    PL11X_PALETTE, PL11X_ID(0x11, 0x11, 0x24, 0x00),
};
static const Reg pl110_versatile_regs[] = {
    PL11X_COMMON(), PL11X_CONTROL(0x18), PL11X_IMSC(0x1c), PL11X_REST(0x20, 0x24),
    REG_HOOK(0x28, 4, "icr", .write = pl11x_icr_write, .help = "interrupt clear"),
    REG_HOOK(0x2c, 4, "current", .read = pl11x_current_read), REG_HOOK(0x30, 4, "current2", .read = pl11x_current_read),
    PL11X_PALETTE, PL11X_ID(0x93, 0x10, 0x04, 0x00),
};
/* clang-format on */

static const RegBank pl110_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl110_regs), .help = "controller"}, {0}};
static const RegBank pl111_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl111_regs), .help = "controller"}, {0}};
static const RegBank pl110_versatile_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(pl110_versatile_regs), .help = "controller"}, {0}};
static const PinRow pl11x_pins[] = {PIN_OUT(Pl11x, irq, "irq"), PIN_IN("mux", 1, pl11x_mux_input),
                                    PIN_END};

static const StateField pl11x_state[] = {
    HOST_ONLY(Pl11x, console, "host side"), STATE(Pl11x, mux), STATE_ARRAY(Pl11x, colors), STATE_END,
};

/* clang-format off */
#define PL11X_TYPE(tag, name_, banks_, desc_)                                                                     \
    static const DeviceType tag = {                                                                               \
        .name = name_, .category = "display", .desc = desc_, .internal = true, .size = sizeof(Pl11x),             \
        .state_version = 1, .banks = banks_, .pins = pl11x_pins, .state = pl11x_state, .realize = pl11x_realize,  \
        .unrealize = pl11x_unrealize,                                                                             \
    };                                                                                                            \
    DEVICE_TYPE(tag)
/* clang-format on */
PL11X_TYPE(pl110_type, "pl110", pl110_banks, "PrimeCell LCD controller PL110");
PL11X_TYPE(pl111_type, "pl111", pl111_banks, "PrimeCell LCD controller PL111");
PL11X_TYPE(pl110_versatile_type, "pl110_versatile", pl110_versatile_banks,
           "LCD controller of the Versatile boards");
