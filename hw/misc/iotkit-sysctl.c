// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System control of IoTKit (ARM ECM 0601256, 3.5) and SSE-200 (ARM 101104, 3.7): vector tables of
 * the CPUs, which of them wait, software reset. Clocks and power are registers without effect.
 */
#include "exec/bank.h"
#include "hw/arm/sse.h"

#define CPUS 2
#define SWRESETREQ (1u << 9)

typedef struct SseSysctl {
    Device dev;
    uint32_t cpus, vtor, cpu_wait_reset; /* properties */
    uint32_t scsecctrl, fclk_div, sysclk_div, clock_force, syndrome, reset_mask, gretreg,
        initsvtor[CPUS], cpuwait, nmi_enable, wicctrl, ewctrl, sense[6];
    SseCpuFn fn;
    void *opaque;
} SseSysctl;

void sse_sysctl_cpus(Device *d, SseCpuFn fn, void *opaque)
{
    ((SseSysctl *)d)->fn = fn;
    ((SseSysctl *)d)->opaque = opaque;
}

static void tell(SseSysctl *s, unsigned n, bool started)
{
    if (s->fn) {
        s->fn(s->opaque, n, s->initsvtor[n], started);
    }
}

static void vtor_write(Device *d, const RegAccess *a)
{
    SseSysctl *s = (SseSysctl *)d;

    if (a->index < s->cpus) {
        tell(s, a->index, false);
    } else {
        s->initsvtor[a->index] = (uint32_t)a->old;
    }
}

/* A CPU that runs cannot be made to wait. */
static void cpuwait_write(Device *d, const RegAccess *a)
{
    SseSysctl *s = (SseSysctl *)d;

    if (s->cpus < 2) {
        s->cpuwait = 0;
        return;
    }
    for (unsigned i = 0; i < s->cpus; i++) {
        if (a->old >> i & 1 && !(s->cpuwait >> i & 1)) {
            tell(s, i, true);
        }
    }
}

static void swreset_write(Device *d, const RegAccess *a)
{
    if (a->value & SWRESETREQ) {
        request_reset(SHUTDOWN_GUEST_RESET);
    }
}

/* Registers that IoTKit does not have. */
static void sse200_write(Device *d, const RegAccess *a)
{
    if (((SseSysctl *)d)->cpus < 2) {
        *(uint32_t *)((char *)d + a->reg->field) = 0;
    }
}

static uint64_t pid2_read(Device *d, const RegAccess *a)
{
    return ((SseSysctl *)d)->cpus > 1 ? 0x1b : 0x0b;
}

static void iotkit_sysctl_reset(Device *d)
{
    SseSysctl *s = (SseSysctl *)d;

    s->cpuwait = s->cpu_wait_reset;
    for (unsigned i = 0; i < s->cpus; i++) {
        s->initsvtor[i] = s->vtor;
        tell(s, i, false);
    }
    s->sense[0] = s->cpus > 1 ? 0x7f : 0;
}

/* clang-format off */
static const Reg iotkit_sysctl_regs[] = {
    REG_HOOK(0x000, 4, "secdbgstat", .help = "debug authentication"),
    REG_HOOK(0x004, 4, "secdbgset", .help = "sets it; nobody debugs from outside"), REG_HOOK(0x008, 4, "secdbgclr"),
    REG(SseSysctl, 0x00c, scsecctrl, .wmask = 0xffffffff, .write = sse200_write, .help = "SSE-200: locks"),
    REG(SseSysctl, 0x010, fclk_div, .wmask = 0xffffffff, .write = sse200_write, .help = "SSE-200: divider of the fast clock"),
    REG(SseSysctl, 0x014, sysclk_div, .wmask = 0xffffffff, .write = sse200_write, .help = "SSE-200: divider of the system clock"),
    REG(SseSysctl, 0x018, clock_force, .wmask = 0xffffffff, .write = sse200_write, .help = "SSE-200: no gating"),
    REG(SseSysctl, 0x100, syndrome, .reset = 1, .wmask = 0xffffffff, .help = "why there was a reset"),
    REG(SseSysctl, 0x104, reset_mask, .wmask = 0xffffffff, .help = "what resets"),
    REG_HOOK(0x108, 4, "swreset", .write = swreset_write, .help = "bit 9: reset"),
    REG(SseSysctl, 0x10c, gretreg, .wmask = 0xffffffff, .help = "kept value"),
    REG_ARRAY(SseSysctl, 0x110, initsvtor, .wmask = 0xffffffff, .write = vtor_write, .help = "Secure vector tables after reset"),
    REG(SseSysctl, 0x118, cpuwait, .wmask = 0xffffffff, .write = cpuwait_write, .help = "CPUs that wait"),
    REG(SseSysctl, 0x11c, nmi_enable, .wmask = 0xffffffff, .help = "SSE-200: which CPUs get the NMI; IoTKit: bus wait"),
    REG(SseSysctl, 0x120, wicctrl, .wmask = 0xffffffff), REG(SseSysctl, 0x124, ewctrl, .wmask = 0xffffffff, .write = sse200_write),
    REG_ARRAY(SseSysctl, 0x200, sense, .wmask = 0xffffffff, .help = "power dependencies"),
    REG_HOOK(0xfd0, 4, "pid4", .reset = 0x04),
    REG_HOOK(0xfe0, 4, "pid0", .reset = 0x54), REG_HOOK(0xfe4, 4, "pid1", .reset = 0xb8), REG_HOOK(0xfe8, 4, "pid2", .read = pid2_read),
    REG_HOOK(0xff0, 4, "cid0", .reset = 0x0d), REG_HOOK(0xff4, 4, "cid1", .reset = 0xf0), REG_HOOK(0xff8, 4, "cid2", .reset = 0x05),
    REG_HOOK(0xffc, 4, "cid3", .reset = 0xb1),
};
/* clang-format on */
static const RegBank iotkit_sysctl_banks[] = {
    {.name = "mmio", .size = 0x1000, BANK_REGS(iotkit_sysctl_regs), .help = "system control"}, {0}};
static const Prop iotkit_sysctl_props[] = {
    PROP_U32(SseSysctl, cpus, "cpus", 1, .min = 1, .max = CPUS),
    PROP_U32(SseSysctl, vtor, "vtor", 0x10000000, .help = "Secure vector tables at reset"),
    PROP_U32(SseSysctl, cpu_wait_reset, "CPUWAIT_RST", 0, .help = "CPUs that wait after reset"),
    PROP_END,
};
static const StateField iotkit_sysctl_state[] = {HOST_ONLY(SseSysctl, fn, "the board's"),
                                                 HOST_ONLY(SseSysctl, opaque, "the board's"),
                                                 STATE_END};

static const DeviceType iotkit_sysctl_type = {
    .name = "iotkit-sysctl",
    .category = "misc",
    .desc = "System control of IoTKit and SSE-200",
    .internal = true,
    .size = sizeof(SseSysctl),
    .state_version = 1,
    .props = iotkit_sysctl_props,
    .banks = iotkit_sysctl_banks,
    .state = iotkit_sysctl_state,
    .reset = iotkit_sysctl_reset,
};
DEVICE_TYPE(iotkit_sysctl_type);
