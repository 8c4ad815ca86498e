// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machine checks injected by the monitor (HMP "mce"): banks, #MC, broadcast. SDM 3B 15.3. A
 * corrected error is only logged; an uncorrected one raises #MC, and shuts the processor down where
 * that is not possible.
 */
#include "qom/hmp.h"
#include "qom/runstate.h"
#include "qom/vm.h"
#include "target-i386/cpu.h"
#include "exec/x86-apic.h"

#define BANKS 10            /* IA32_MCG_CAP.Count: msr.c */
#define MCI_VAL (1ull << 63)
#define MCI_OVER (1ull << 62)
#define MCI_UC (1ull << 61)
#define MCG_RIPV 1u
#define MCG_MCIP 4u

typedef struct Mce {
    unsigned bank;
    uint64_t status, mcg_status, addr, misc;
} Mce;

/* Four registers of a bank: CTL, STATUS, ADDR, MISC. */
static uint64_t *bank(X86Cpu *c, unsigned n)
{
    return &c->mce_banks[n * 4];
}

static void store(uint64_t *b, const Mce *m, uint64_t over)
{
    b[1] = m->status | over;
    b[2] = m->addr;
    b[3] = m->misc;
}

/* SDM 3B 15.3.2.2.1: an uncorrected error stays, a corrected one is written over. */
static void log_corrected(X86Cpu *c, const Mce *m)
{
    uint64_t *b = bank(c, m->bank);

    if ((b[1] & MCI_VAL) && (b[1] & MCI_UC)) {
        b[1] |= MCI_OVER;
    } else {
        store(b, m, b[1] & MCI_VAL ? MCI_OVER : 0);
    }
}

static void raise_uncorrected(X86Cpu *c, const Mce *m, GString *out)
{
    uint64_t *b = bank(c, m->bank);

    if (c->mcg_ctl != UINT64_MAX) {
        g_string_append_printf(out, "CPU %u: Uncorrected error reporting disabled\n", c->cpu.index);
        return;
    }
    if (b[0] != UINT64_MAX) {
        g_string_append_printf(out, "CPU %u: Uncorrected error reporting disabled for bank %u\n",
                               c->cpu.index, m->bank);
        return;
    }
    if (!(c->cr4 & CR4_MCE) || (c->mcg_status & MCG_MCIP)) {
        g_string_append_printf(out,
                               !(c->cr4 & CR4_MCE)
                                   ? "CPU %u: MCE capability is not enabled, raising triple fault"
                                   : "CPU %u: Previous MCE still in progress, raising triple fault",
                               c->cpu.index);
        request_reset(SHUTDOWN_GUEST_RESET);
        return;
    }
    store(b, m, b[1] & MCI_VAL ? MCI_OVER : 0);
    c->mcg_status = m->mcg_status;
    cpu_interrupt(&c->cpu, X86_PENDING_MCE);
}

static void inject(X86Cpu *c, const Mce *m, GString *out)
{
    if (m->status & MCI_UC) {
        raise_uncorrected(c, m, out);
    } else {
        log_corrected(c, m);
    }
}

/* Family 6 from model 14 on: all processors learn of an uncorrected error (SDM 3B 15.10.4.1). */
static bool broadcasts(const X86Cpu *c)
{
    unsigned family = c->cpuid_version >> 8 & 15,
             model = (c->cpuid_version >> 4 & 15) | (c->cpuid_version >> 12 & 0xf0);

    return (family == 6 && model >= 14) || family > 6;
}

static void hmp_mce(HmpCall *call, GError **error)
{
    uint64_t cpu = (uint64_t)hmp_int(call, "cpu_index", 0), n = (uint64_t)hmp_int(call, "bank", 0);
    Mce m = {
        .status = (uint64_t)hmp_int(call, "status", 0),
        .mcg_status = (uint64_t)hmp_int(call, "mcg_status", 0),
        .addr = (uint64_t)hmp_int(call, "addr", 0),
        .misc = (uint64_t)hmp_int(call, "misc", 0),
    };
    const Mce other = {.bank = 1, .status = MCI_VAL | MCI_UC, .mcg_status = MCG_MCIP | MCG_RIPV};
    GPtrArray *cpus = call->vm->cpus;

    if (!cpus || cpu >= cpus->len) {
        return;
    }
    X86Cpu *c = g_ptr_array_index(cpus, cpu);

    if (!x86_has_feature(c, FEAT_MCA)) {
        g_string_append(call->out, "MCE injection not supported\n");
    } else if (n >= BANKS) {
        g_string_append(call->out, "Invalid MCE bank number\n");
    } else if (!(m.status & MCI_VAL)) {
        g_string_append(call->out, "Invalid MCE status code\n");
    } else if (hmp_flag(call, "b") && !broadcasts(c)) {
        g_string_append(call->out, "Guest CPU does not support MCA broadcast\n");
    } else {
        m.bank = (unsigned)n;
        inject(c, &m, call->out);
        for (unsigned i = 0; hmp_flag(call, "b") && i < cpus->len; i++) {
            if (i != cpu) {
                inject(g_ptr_array_index(cpus, i), &other, call->out);
            }
        }
    }
}

HMP_ROW(mce, {.name = "mce",
              .args = "-b,cpu_index:i,bank:i,status:i,mcg_status:i,addr:i,misc:i",
              .params = "[-b] cpu bank status mcgstatus addr misc",
              .help = "inject a MCE on the given CPU [and broadcast to other CPUs with -b option]",
              .fn = hmp_mce});
