// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Security controller of IoTKit (ARM ECM 0601256, 3.6): which ports of the peripheral protection
 * controllers are Non-secure, which are for unprivileged software, what becomes of refused
 * accesses. Interrupts of the controllers are left out.
 */
#include "exec/bank.h"
#include "exec/cpu.h"
#include "hw/misc/tz.h"

typedef struct Secctl {
    Device dev;
    uint32_t secrespcfg, nsccfg, secppcinten, secmscinten, brginten, nsmscexp;
    uint32_t ns[TZ_PPCS], sp[TZ_PPCS],
        nsp[TZ_PPCS]; /* Non-secure; unprivileged, by Secure and by Non-secure state */
} Secctl;

bool tz_ppc_allows(Device *d, unsigned ppc, unsigned port, bool secure, bool user)
{
    Secctl *s = (Secctl *)d;
    bool ns = s->ns[ppc] >> port & 1, unprivileged = (ns ? s->nsp[ppc] : s->sp[ppc]) >> port & 1;

    return ns == !secure && (!user || unprivileged);
}

bool tz_ppc_faults(Device *d)
{
    return ((Secctl *)d)->secrespcfg;
}

uint32_t tz_nsccfg(Device *d)
{
    return ((Secctl *)d)->nsccfg;
}

static void secctl_changed(Device *d, const RegAccess *a)
{
    tlb_flush_all_cpus(d->vm);
}

/* clang-format off */
#define SECCTL_PPCS(at, f, text)                                                                                       \
    REG(Secctl, at, f[TZ_AHB0], .wmask = 0xffff, .write = secctl_changed, .help = text),                               \
    REG(Secctl, at + 0x10, f[TZ_AHBEXP0], .wmask = 0xffff, .write = secctl_changed), REG(Secctl, at + 0x14, f[TZ_AHBEXP1], .wmask = 0xffff, .write = secctl_changed), \
    REG(Secctl, at + 0x18, f[TZ_AHBEXP2], .wmask = 0xffff, .write = secctl_changed), REG(Secctl, at + 0x1c, f[TZ_AHBEXP3], .wmask = 0xffff, .write = secctl_changed), \
    REG(Secctl, at + 0x20, f[TZ_APB0], .wmask = 0xffff, .write = secctl_changed), REG(Secctl, at + 0x24, f[TZ_APB1], .wmask = 0xffff, .write = secctl_changed),       \
    REG(Secctl, at + 0x30, f[TZ_APBEXP0], .wmask = 0xffff, .write = secctl_changed), REG(Secctl, at + 0x34, f[TZ_APBEXP1], .wmask = 0xffff, .write = secctl_changed), \
    REG(Secctl, at + 0x38, f[TZ_APBEXP2], .wmask = 0xffff, .write = secctl_changed), REG(Secctl, at + 0x3c, f[TZ_APBEXP3], .wmask = 0xffff, .write = secctl_changed)
#define SECCTL_IDS(p0)                                                                                                 \
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04), REG_HOOK(0xfe0, 4, "pid0", .reset = p0), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), \
    REG_HOOK(0xfe8, 4, "pid2", .reset = 0x0b), REG_HOOK(0xfec, 4, "pid3", .reset = 0x00), REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), \
    REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0), REG_HOOK(0xff8, 4, "cid2", .reset = 0x05), REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1)
static const Reg secctl_s_regs[] = {
    REG(Secctl, 0x10, secrespcfg, .wmask = 1, .write = secctl_changed, .help = "refused: 0 reads as 0, 1 bus error"),
    REG(Secctl, 0x14, nsccfg, .wmask = 3, .write = secctl_changed, .help = "callable from Non-secure state"),
    REG(Secctl, 0x28, secppcinten, .wmask = 0xf00073, .help = "interrupts of PPCs"),
    REG(Secctl, 0x38, secmscinten, .wmask = 0xffff), REG(Secctl, 0x48, brginten, .wmask = 0xffff),
    SECCTL_PPCS(0x50, ns, "1: Non-secure"),
    SECCTL_PPCS(0x90, sp, "1: unprivileged as well, from Secure state"),
    REG(Secctl, 0xd0, nsmscexp, .wmask = 0xffff),
    SECCTL_IDS(0x52),
};
static const Reg secctl_ns_regs[] = {SECCTL_PPCS(0x90, nsp, "1: unprivileged as well, from Non-secure state"), SECCTL_IDS(0x53)};
/* clang-format on */
static const RegBank secctl_banks[] = {
    {.name = "s", .size = 0x1000, BANK_REGS(secctl_s_regs), .help = "Secure registers"},
    {.name = "ns", .size = 0x1000, BANK_REGS(secctl_ns_regs), .help = "Non-secure registers"},
    {0},
};

static const DeviceType secctl_type = {
    .name = "iotkit-secctl",
    .category = "misc",
    .desc = "IoTKit security controller",
    .internal = true,
    .size = sizeof(Secctl),
    .state_version = 1,
    .banks = secctl_banks,
};
DEVICE_TYPE(secctl_type);
