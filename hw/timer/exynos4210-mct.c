// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Multi core timer of the Exynos 4210 (its User's Manual, 25): a global 64-bit counter at 24 MHz
 * with four comparators, and a local interval timer for each of two CPUs. Writes take effect at
 * once; the status words that say so are set by each write.
 */
#include "exec/bank.h"
#include "hw/timer/countdown.h"

#define MCT_HZ 24000000ull
#define COMPS 4
#define LOCALS 2

typedef struct MctLocal {
    uint32_t tcntb, icntb, frcntb, tcon, cstat, enb, wstat;
    Countdown count;
    Irq irq;
} MctLocal;

typedef struct Mct {
    Device dev;
    uint32_t cfg, cnt_wstat, tcon, cstat, enb, wstat;
    uint32_t comp_lo[COMPS], comp_hi[COMPS], comp_inc[COMPS];
    uint64_t base;                 /* global count at since_ns */
    int64_t since_ns;
    Timer timer;
    Irq irq[COMPS];
    MctLocal local[LOCALS];
} Mct;

/* ---- global ---- */

static uint64_t mct_count(const Mct *s)
{
    return s->base +
           (s->tcon & 0x100 ? ticks_of_ns(clock_now_ns(CLOCK_GUEST) - s->since_ns, MCT_HZ) : 0);
}

static void mct_rebase(Mct *s)
{
    s->base = mct_count(s);
    s->since_ns = clock_now_ns(CLOCK_GUEST);
}

static void mct_check(Mct *s)
{
    uint64_t now = mct_count(s), next = UINT64_MAX;

    timer_cancel(&s->timer);
    for (unsigned i = 0; i < COMPS; i++) {
        uint64_t at = (uint64_t)s->comp_hi[i] << 32 | s->comp_lo[i];

        if (s->tcon & 0x100 && s->tcon >> (2 * i) & 1) {
            if (now >= at && !(s->cstat >> i & 1)) {
                s->cstat |= 1u << i;
                if (s->tcon >> (2 * i + 1) & 1 && s->comp_inc[i]) {
                    at += ((now - at) / s->comp_inc[i] + 1) * s->comp_inc[i];
                    s->comp_lo[i] = (uint32_t)at;
                    s->comp_hi[i] = at >> 32;
                }
            }
            next = at > now ? MIN(next, at) : next;
        }
        irq_set(&s->irq[i], s->cstat >> i & s->enb >> i & 1);
    }
    if (next != UINT64_MAX) {
        timer_set_ns(&s->timer,
                     clock_now_ns(CLOCK_GUEST) + MAX(ns_of_ticks(next - now, MCT_HZ), 10000));
    }
}

static void mct_expired(void *opaque)
{
    mct_check(opaque);
}

static uint64_t mct_cnt_read(Device *d, const RegAccess *a)
{
    uint64_t v = mct_count((Mct *)d);

    return a->reg->offset & 4 ? v >> 32 : (uint32_t)v;
}

static void mct_cnt_write(Device *d, const RegAccess *a)
{
    Mct *s = (Mct *)d;
    bool high = a->reg->offset & 4;

    mct_rebase(s);
    s->base = high ? (uint32_t)s->base | a->value << 32
                   : (s->base & ~(uint64_t)UINT32_MAX) | (uint32_t)a->value;
    s->cnt_wstat |= high ? 2 : 1;
    mct_check(s);
}

static void mct_comp_write(Device *d, const RegAccess *a)
{
    Mct *s = (Mct *)d;

    s->wstat |= 1u << (a->reg->offset >> 2 & 15);
    mct_check(s);
}

static void mct_tcon_write(Device *d, const RegAccess *a)
{
    Mct *s = (Mct *)d;

    s->tcon = (uint32_t)a->old;
    mct_rebase(s);
    s->tcon = (uint32_t)a->value & 0x1ff;
    s->wstat |= 1u << 16;
    mct_check(s);
}

static void mct_changed(Device *d, const RegAccess *a)
{
    mct_check((Mct *)d);
}

/* ---- local: a tick of (TCNTB + 1) clocks, an interrupt every ICNTB ticks ---- */

static void local_update(MctLocal *l)
{
    irq_set(&l->irq, l->cstat & l->enb & 1);
}

static void local_zero(MctLocal *l)
{
    l->cstat |= 1;
    local_update(l);
}

static void local_zero0(void *opaque)
{
    local_zero(&((Mct *)opaque)->local[0]);
}

static void local_zero1(void *opaque)
{
    local_zero(&((Mct *)opaque)->local[1]);
}

static void local_configure(MctLocal *l, bool restart)
{
    uint64_t period = MAX((uint64_t)(l->icntb & 0x7fffffff), 1) * ((uint64_t)l->tcntb + 1);

    if (restart) {
        countdown_set(&l->count, period);
    }
    countdown_set_period(&l->count, l->tcon & 4 ? period : 0);
    countdown_run(&l->count, (l->tcon & 3) == 3);
}

static void local_write(Device *d, const RegAccess *a)
{
    Mct *s = (Mct *)d;
    MctLocal *l = &s->local[a->reg->offset >> 8 & 1 ? 0 : 1];
    uint32_t v = (uint32_t)a->value;

    switch (a->reg->offset & 0xff) {
    case 0x00:
        l->tcntb = v;
        l->wstat |= 1;
        break;
    case 0x08:
        l->icntb = v;
        l->wstat |= 2;
        if (v >> 31) {
            local_configure(l, true);
        }
        break;
    case 0x10:
        l->frcntb = v;
        l->wstat |= 4;
        break;
    case 0x20: {
        bool start = (v & 3) == 3 && (l->tcon & 3) != 3;

        l->tcon = v & 0xf;
        l->wstat |= 8;
        local_configure(l, start);
        break;
    }
    case 0x30:
        l->cstat &= ~v;
        break;
    case 0x34:
        l->enb = v & 3;
        break;
    case 0x40:
        l->wstat &= ~v;
        break;
    default:
        break;
    }
    local_update(l);
}

static uint64_t local_read(Device *d, const RegAccess *a)
{
    MctLocal *l = &((Mct *)d)->local[a->reg->offset >> 8 & 1 ? 0 : 1];

    switch (a->reg->offset & 0xff) {
    case 0x00:
        return l->tcntb;
    case 0x08:
        return l->icntb & 0x7fffffff;
    case 0x0c:
        return countdown_value(&l->count) / ((uint64_t)l->tcntb + 1);
    case 0x10:
        return l->frcntb;
    case 0x20:
        return l->tcon;
    case 0x30:
        return l->cstat;
    case 0x34:
        return l->enb;
    case 0x40:
        return l->wstat;
    default:
        return 0;
    }
}

static bool mct_realize(Device *d, GError **error)
{
    Mct *s = (Mct *)d;

    timer_init(&s->timer, CLOCK_GUEST, mct_expired, s);
    countdown_init(&s->local[0].count, MCT_HZ, local_zero0, s);
    countdown_init(&s->local[1].count, MCT_HZ, local_zero1, s);
    return true;
}

static void mct_reset(Device *d)
{
    Mct *s = (Mct *)d;

    timer_cancel(&s->timer);
    s->base = 0;
    for (unsigned i = 0; i < LOCALS; i++) {
        MctLocal *l = &s->local[i];

        countdown_reset(&l->count);
        l->tcntb = l->icntb = l->frcntb = l->tcon = l->cstat = l->enb = l->wstat = 0;
    }
}

/* clang-format off */
#define L_REG(off, n) REG_HOOK(off, 4, n, .read = local_read, .write = local_write, .help = "local timer")
#define L_ROWS(base)                                                                                                            \
    L_REG(base + 0x00, "l_tcntb"), L_REG(base + 0x04, "l_tcnto"), L_REG(base + 0x08, "l_icntb"), L_REG(base + 0x0c, "l_icnto"), \
    L_REG(base + 0x10, "l_frcntb"), L_REG(base + 0x14, "l_frcnto"), L_REG(base + 0x20, "l_tcon"),                               \
    L_REG(base + 0x30, "l_int_cstat"), L_REG(base + 0x34, "l_int_enb"), L_REG(base + 0x40, "l_wstat")
#define G_COMP(i) \
    {.offset = 0x200 + 0x10 * i, .field = offsetof(Mct, comp_lo[i]), .size = 4, .name = "g_comp_l", .wmask = 0xffffffff, .write = mct_comp_write}, \
    {.offset = 0x204 + 0x10 * i, .field = offsetof(Mct, comp_hi[i]), .size = 4, .name = "g_comp_u", .wmask = 0xffffffff, .write = mct_comp_write}, \
    {.offset = 0x208 + 0x10 * i, .field = offsetof(Mct, comp_inc[i]), .size = 4, .name = "g_comp_add", .wmask = 0xffffffff, .write = mct_comp_write}
static const Reg mct_regs[] = {
    REG(Mct, 0x000, cfg, .wmask = 0x7ff, .help = "prescaler and divider: kept"),
    REG_HOOK(0x100, 4, "g_cnt_l", .read = mct_cnt_read, .write = mct_cnt_write, .help = "global counter"),
    REG_HOOK(0x104, 4, "g_cnt_u", .read = mct_cnt_read, .write = mct_cnt_write, .help = "its upper half"),
    REG(Mct, 0x110, cnt_wstat, .w1c = 3, .help = "writes that took effect"),
    G_COMP(0), G_COMP(1), G_COMP(2), G_COMP(3),
    REG(Mct, 0x240, tcon, .wmask = 0xffffffff, .write = mct_tcon_write, .help = "enables"),
    REG(Mct, 0x244, cstat, .w1c = 15, .write = mct_changed, .help = "events"),
    REG(Mct, 0x248, enb, .wmask = 15, .write = mct_changed, .help = "interrupt enables"),
    REG(Mct, 0x24c, wstat, .w1c = 0x1ffff, .help = "writes that took effect"),
    L_ROWS(0x300), L_ROWS(0x400),
};
/* clang-format on */
static const RegBank mct_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(mct_regs), .help = "multi core timer"}, {0}};
static const PinRow mct_pins[] = {
    PIN_OUT_ARRAY(Mct, irq, "irq"), PIN_OUT(Mct, local[0].irq, "local0"), PIN_OUT(Mct, local[1].irq, "local1"), PIN_END,
};
static const StateField local_state[] = {
    STATE(MctLocal, tcntb), STATE(MctLocal, icntb), STATE(MctLocal, frcntb), STATE(MctLocal, tcon), STATE(MctLocal, cstat), STATE(MctLocal, enb),
    STATE(MctLocal, wstat), STATE_STRUCT(MctLocal, count, countdown_state), HOST_ONLY(MctLocal, irq, "a pin of the device"), STATE_END,
};
static const StateField mct_state[] = {
    STATE(Mct, base), STATE(Mct, since_ns), STATE_TIMER_FIELD(Mct, timer), STATE_STRUCTS(Mct, local, local_state), STATE_END,
};

static const DeviceType mct_type = {
    .name = "exynos4210.mct", .category = "misc", .desc = "Exynos4210 multi core timer", .internal = true, .size = sizeof(Mct),
    .state_version = 1, .banks = mct_banks, .pins = mct_pins, .state = mct_state, .realize = mct_realize, .reset = mct_reset,
};
DEVICE_TYPE(mct_type);
