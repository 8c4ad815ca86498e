// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * uSDHC of i.MX processors (i.MX 6UltraLite Reference Manual, 58): an SD host controller with
 * 32-bit registers of its own arrangement. Left out: tuning, delay lines, boot mode.
 */
#include "sdhci.h"

enum { SYS_RSTA = 1 << 24, SYS_RSTC = 1 << 25, SYS_RSTD = 1 << 26 };

typedef struct Usdhc {
    Sdhci s;
    uint32_t prot, sys, mix, watermark, dll, tune, vend, vend2;
} Usdhc;

/* The fields of the plain controller that the combined registers stand for. */
static uint64_t usdhc_int_read(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;
    uint32_t err;

    switch (a->reg->offset) {
    case 0x30:
        err = s->errintsts;
        return s->norintsts | (err & ~ERR_ADMA) << 16 | (err & ERR_ADMA ? 1u << 28 : 0);
    case 0x34:
        return s->norinten | (uint32_t)s->errinten << 16;
    default:
        return s->norintsig | (uint32_t)s->errintsig << 16;
    }
}

static void usdhc_int_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;
    uint32_t v = (uint32_t)a->value;

    switch (a->reg->offset) {
    case 0x30:
        v &= (uint32_t)a->mask;
        s->norintsts &= ~v;
        s->errintsts &= ~(v >> 16) & (v >> 28 & 1 ? ~ERR_ADMA : 0xffff);
        break;
    case 0x34:
        s->norinten = v;
        s->errinten = v >> 16 | (v >> 28 & 1 ? ERR_ADMA : 0);
        break;
    default:
        s->norintsig = v;
        s->errintsig = v >> 16 | (v >> 28 & 1 ? ERR_ADMA : 0);
        break;
    }
    sdhci_host_ops.ready(s);
}

static void usdhc_blk_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    s->blksize = a->value & 0x1fff;
    s->blkcnt = a->value >> 16;
}

static uint64_t usdhc_blk_read(Device *d, const RegAccess *a)
{
    return ((Sdhci *)d)->blksize | (uint32_t)((Sdhci *)d)->blkcnt << 16;
}

static void usdhc_cmd_write(Device *d, const RegAccess *a)
{
    Usdhc *u = (Usdhc *)d;

    u->s.cmdreg = a->value >> 16 & 0x3ffb;
    u->s.trnmod = u->mix & 0x37;
    /* SDMA, or ADMA2 */
    u->s.hostctl = (u->prot >> 8 & 3) == 2 ? 0x10 : 0;
    u->s.blksize |= 0x7000;
    sdhci_send_command(&u->s);
}

static uint64_t usdhc_cmd_read(Device *d, const RegAccess *a)
{
    return (uint32_t)((Sdhci *)d)->cmdreg << 16;
}

static uint64_t usdhc_present_read(Device *d, const RegAccess *a)
{
    return (sdhci_present((Sdhci *)d) & 0x000f0fff) | 0xff000088;
}

static void usdhc_sys_write(Device *d, const RegAccess *a)
{
    Usdhc *u = (Usdhc *)d;

    if (a->value & SYS_RSTA) {
        device_reset_banks(d);
        u->s.norinten = u->s.errinten = u->s.norintsig = u->s.errintsig = u->s.norintsts =
            u->s.errintsts = 0;
        sdhci_abort_data(&u->s);
    }
    if (a->value & SYS_RSTD) {
        sdhci_abort_data(&u->s);
        u->s.norintsts &= ~(INT_TRANSFER | INT_DMA | INT_READ_READY | INT_WRITE_READY);
    }
    if (a->value & SYS_RSTC) {
        u->s.norintsts &= ~INT_COMMAND;
    }
    u->sys = ((a->value & SYS_RSTA ? 0x8080800f : (uint32_t)a->value) & 0xf0ffffff) | 0xf;
    sdhci_host_ops.ready(&u->s);
}

static uint64_t usdhc_buffer_read(Device *d, const RegAccess *a)
{
    return sdhci_buffer_get((Sdhci *)d);
}

static void usdhc_buffer_write(Device *d, const RegAccess *a)
{
    sdhci_buffer_put((Sdhci *)d, (uint32_t)a->value);
}

static void usdhc_sdma_write(Device *d, const RegAccess *a)
{
    Sdhci *s = (Sdhci *)d;

    if (s->active && s->dma_wait) {
        s->dma_wait = false;
        sdhci_host_ops.ready(s);
    }
}

static void usdhc_adma_write(Device *d, const RegAccess *a)
{
    ((Sdhci *)d)->admasysaddr = (uint32_t)a->value;
}

static uint64_t usdhc_adma_read(Device *d, const RegAccess *a)
{
    return (uint32_t)((Sdhci *)d)->admasysaddr;
}

static void usdhc_reset(Device *d)
{
    Sdhci *s = (Sdhci *)d;

    s->norinten = s->errinten = s->norintsig = s->errintsig = s->norintsts = s->errintsts = 0;
    sdhci_abort_data(s);
}

/* clang-format off */
static const Reg usdhc_regs[] = {
    REG(Sdhci, 0x00, sdmasysad, .wmask = 0xffffffff, .write = usdhc_sdma_write, .help = "SDMA address"),
    REG_HOOK(0x04, 4, "blk_att", .read = usdhc_blk_read, .write = usdhc_blk_write, .help = "block size and count"),
    REG(Sdhci, 0x08, argument, .wmask = 0xffffffff, .help = "of the command"),
    REG_HOOK(0x0c, 4, "cmd_xfr_typ", .read = usdhc_cmd_read, .write = usdhc_cmd_write, .help = "sends a command"),
    REG_ARRAY(Sdhci, 0x10, response, .help = "the answer"),
    REG_HOOK(0x20, 4, "buffer", .read = usdhc_buffer_read, .write = usdhc_buffer_write, .help = "data"),
    REG_HOOK(0x24, 4, "present", .read = usdhc_present_read, .help = "present state"),
    REG(Usdhc, 0x28, prot, .reset = 0x08800020, .wmask = 0xffffffff, .help = "protocol control"),
    REG(Usdhc, 0x2c, sys, .reset = 0x8080800f, .write = usdhc_sys_write, .help = "system control, resets"),
    REG_HOOK(0x30, 4, "int_status", .read = usdhc_int_read, .write = usdhc_int_write, .help = "interrupts"),
    REG_HOOK(0x34, 4, "int_status_en", .read = usdhc_int_read, .write = usdhc_int_write, .help = "interrupts that are recorded"),
    REG_HOOK(0x38, 4, "int_signal_en", .read = usdhc_int_read, .write = usdhc_int_write, .help = "interrupts that are signalled"),
    REG_HOOK(0x3c, 4, "autocmd12_err", .help = "errors of automatic commands"),
    REG_HOOK(0x40, 4, "host_ctrl_cap", .reset = 0x07f3b407, .help = "capabilities"),
    REG(Usdhc, 0x44, watermark, .reset = 0x08100810, .wmask = 0xffffffff, .help = "FIFO levels"),
    REG(Usdhc, 0x48, mix, .reset = 0x80000000, .wmask = 0xffffffff, .help = "mixer control: transfer mode"),
    REG(Sdhci, 0x54, admaerr, .help = "ADMA error"),
    REG_HOOK(0x58, 4, "adma_sys_addr", .read = usdhc_adma_read, .write = usdhc_adma_write, .help = "ADMA address"),
    REG(Usdhc, 0x60, dll, .wmask = 0xffffffff, .help = "delay line"),
    REG_HOOK(0x64, 4, "dll_status", .reset = 3, .help = "locked"),
    REG(Usdhc, 0x68, tune, .wmask = 0xffffffff, .help = "clock tuning"),
    REG(Usdhc, 0xc0, vend, .reset = 0x20007809, .wmask = 0xffffffff, .help = "vendor specific"),
    REG(Usdhc, 0xc8, vend2, .reset = 0x00000006, .wmask = 0xffffffff, .help = "vendor specific 2"),
    REG_HOOK(0xfc, 4, "version", .reset = 0x03, .help = "version"),
};
/* clang-format on */
static const RegBank usdhc_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(usdhc_regs), .help = "host controller"}, {0}};
static const Prop usdhc_props[] = {
    PROP_U8(Sdhci, spec_version, "sd-spec-version", 3),
    PROP_END,
};

static const DeviceType usdhc_type = {
    .name = "imx-usdhc", .category = "storage", .desc = "i.MX SD host controller", .internal = true, .size = sizeof(Usdhc), .state_version = 1,
    .props = usdhc_props, .banks = usdhc_banks, .pins = sdhci_pins, .state = sdhci_state, .realize = sdhci_realize,
    .unrealize = sdhci_unrealize, .reset = usdhc_reset, .check_load = sdhci_check_load,
};
DEVICE_TYPE(usdhc_type);
