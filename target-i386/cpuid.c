// SPDX-License-Identifier: GPL-2.0-or-later
/* The answers of CPUID. SDM 2A CPUID; APM 3 appendix E. */
#include "target-i386/models.h"

#include <string.h>
#include "exec/x86-apic.h"
#include "qom/vm.h"

enum { EAX, EBX, ECX, EDX };

static unsigned bits_for(unsigned count)
{
    unsigned n = 0;

    while (1u << n < count) {
        n++;
    }
    return n;
}

static const SmpConfig *smp(const X86Cpu *c)
{
    static const SmpConfig one = {1, 1, 1, 1, 1, 1, 1};

    return c->cpu.dev.vm && c->cpu.dev.vm->smp.threads ? &c->cpu.dev.vm->smp : &one;
}

/* What the older leaves call a package is a die. */
static unsigned threads_per_die(const X86Cpu *c)
{
    return smp(c)->threads * MAX(smp(c)->cores, 1);
}

static unsigned threads_per_package(const X86Cpu *c)
{
    return threads_per_die(c) * MAX(smp(c)->dies, 1);
}

/* Widths of the fields of APIC IDs: threads; and cores; and dies, all that is in a package. */
static unsigned core_offset(const X86Cpu *c)
{
    return bits_for(smp(c)->threads);
}

static unsigned die_offset(const X86Cpu *c)
{
    return core_offset(c) + bits_for(MAX(smp(c)->cores, 1));
}

static unsigned package_offset(const X86Cpu *c)
{
    return core_offset(c) + bits_for(MAX(smp(c)->cores, 1) * MAX(smp(c)->dies, 1));
}

static bool is_amd(const X86Cpu *c)
{
    return strcmp(c->vendor, "AuthenticAMD") == 0;
}

static bool is_intel(const X86Cpu *c)
{
    return strcmp(c->vendor, "GenuineIntel") == 0;
}

static void leaf_vendor(const X86Cpu *c, uint32_t max, uint32_t out[4])
{
    out[EAX] = max;
    memcpy(&out[EBX], c->vendor, 4);
    memcpy(&out[EDX], c->vendor + 4, 4);
    memcpy(&out[ECX], c->vendor + 8, 4);
}

static void leaf_1(X86Cpu *c, uint32_t out[4])
{
    unsigned threads = threads_per_die(c);

    out[EAX] = c->cpuid_version;
    out[EBX] = c->apic_id << 24 | 8 << 8;    /* CLFLUSH of 64 bytes */
    out[ECX] = c->features[FW_1_ECX];
    out[EDX] = c->features[FW_1_EDX];
    if (c->cr4 & CR4_OSXSAVE) {
        out[ECX] |= 1u << 27;
    }
    if (threads > 1) {
        out[EBX] |= threads << 16;
        out[EDX] |= 1u << 28;
    }
    if (!c->apic || !(apic_base(c->apic) & APIC_BASE_ENABLE)) {
        out[EDX] &= ~(1u << 9);
    }
}

/* A cache as leaves 4 and 8000_001D have it; lines of 64 bytes. */
typedef struct Cache {
    uint8_t type, level;            /* 1 data, 2 instructions, 3 both */
    uint16_t ways;
    uint32_t sets;
    /*
     * 1: WBINVD reaches no further; 2: inclusive; 4: complex indexing; L2 with none: not
     * self-initializing.
     */
    uint32_t edx;
} Cache;

/* All caches of a processor, and what leaf 2 and AMD's 8000_0005 and 8000_0006 say of them. */
typedef struct Caches {
    Cache cache[4];
    uint32_t leaf2_ecx, leaf2_edx, l1d, l1i, l2, l3;
} Caches;

/* 32K and 32K, 4M, 16M; 2M and 512K in the older forms. */
static const Caches plain_caches = {
    .cache = {{1, 1, 8, 64, 1}, {2, 1, 8, 64, 1}, {3, 2, 16, 4096, 1}, {3, 3, 16, 16384, 6}},
    .leaf2_ecx = 0x4d, .leaf2_edx = 0x2c307d, .l1d = 0x40020140, .l1i = 0x40020140, .l2 = 0x02008140, .l3 = 0x00808140,
};
/* 32K and 64K, 512K, 8M. */
static const Caches zen_caches = {
    .cache = {{1, 1, 8, 64, 1}, {2, 1, 4, 256, 1}, {3, 2, 8, 1024, 0}, {3, 3, 16, 8192, 6}},
    .leaf2_ecx = 0x4b, .leaf2_edx = 0x2cff80, .l1d = 0x20080140, .l1i = 0x40040140, .l2 = 0x02006140, .l3 = 0x00408140,
};
/* 32K and 32K, 512K, 16M or 32M. */
static const Caches rome_caches = {
    .cache = {{1, 1, 8, 64, 1}, {2, 1, 8, 64, 1}, {3, 2, 8, 1024, 0}, {3, 3, 16, 16384, 6}},
    .leaf2_ecx = 0x4d, .leaf2_edx = 0x2c3080, .l1d = 0x20080140, .l1i = 0x20080140, .l2 = 0x02006140, .l3 = 0x00808140,
};
static const Caches milan_caches = {
    .cache = {{1, 1, 8, 64, 1}, {2, 1, 8, 64, 1}, {3, 2, 8, 1024, 0}, {3, 3, 16, 32768, 6}},
    .leaf2_ecx = 0x4d, .leaf2_edx = 0x2c3080, .l1d = 0x20080140, .l1i = 0x20080140, .l2 = 0x02006140, .l3 = 0x01008140,
};

/* 32K and 32K, 1M, 32M. */
static const Caches genoa_caches = {
    .cache = {{1, 1, 8, 64, 1}, {2, 1, 8, 64, 1}, {3, 2, 8, 2048, 0}, {3, 3, 16, 32768, 6}},
    .leaf2_ecx = 0x4d, .leaf2_edx = 0x2c3083, .l1d = 0x20080140, .l1i = 0x20080140, .l2 = 0x04006140, .l3 = 0x01008140,
};

/* What an AMD processor without caches of its own says in 8000_001D: L1 of 64K, L2 of 512K. */
static const Caches plain_amd_caches = {
    .cache = {{1, 1, 2, 512, 1}, {2, 1, 2, 512, 1}, {3, 2, 16, 512, 0}, {3, 3, 16, 16384, 6}},
};

/* The model's own, NULL: it has none. */
static const Caches *model_caches(const X86Cpu *c)
{
    static const struct { const char *prefix; const Caches *caches;
    } rows[] = {
        {"EPYC-Rome", &rome_caches}, {"EPYC-Milan", &milan_caches}, {"EPYC-Genoa", &genoa_caches},
        {"EPYC", &zen_caches},       {"Dhyana", &zen_caches},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        if (g_str_has_prefix(c->model->name, rows[i].prefix)) {
            return rows[i].caches;
        }
    }
    return NULL;
}

bool x86_has_own_caches(const X86Cpu *c)
{
    return model_caches(c) != NULL;
}

static const Caches *caches_of(const X86Cpu *c, const Caches *plain)
{
    const Caches *own = c->legacy_cache ? NULL : model_caches(c);

    return own ? own : plain;
}

static void put_cache(const Cache *k, unsigned sharing, uint32_t out[4])
{
    bool initializes = k->level != 2 || k->edx;

    out[EAX] = k->type | k->level << 5 | initializes << 8 | (sharing - 1) << 14;
    out[EBX] = 63 | (k->ways - 1) << 22;
    out[ECX] = k->sets - 1;
    out[EDX] = k->edx;
}

/* Deterministic cache parameters. */
static void leaf_4(const X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    if (subleaf >= 4 || is_amd(c) || (subleaf == 3 && c->hide_l3)) {
        return;
    }
    const Cache *k = &caches_of(c, &plain_caches)->cache[subleaf];

    put_cache(k, k->level == 1 ? 1 : k->level == 2 ? smp(c)->threads : 1u << die_offset(c), out);
    out[EAX] |= (MAX(smp(c)->cores, 1) - 1) << 26;
}

static void leaf_topology(const X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    if (c->hide_topology) {
        return;
    }
    out[ECX] = subleaf & 0xff;
    out[EDX] = c->apic_id;
    if (subleaf == 0) {
        out[EAX] = core_offset(c);
        out[EBX] = smp(c)->threads;
        out[ECX] |= 1 << 8;
    } else if (subleaf == 1) {
        out[EAX] = package_offset(c);
        out[EBX] = threads_per_die(c);
        out[ECX] |= 2 << 8;
    }
}

/* Leaf 1Fh is the same with dies. */
static void leaf_dies(const X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    if (MAX(smp(c)->dies, 1) < 2) {
        return;
    }
    leaf_topology(c, subleaf, out);
    if (subleaf == 1) {
        out[EAX] = die_offset(c);
    } else if (subleaf == 2) {
        out[EAX] = package_offset(c);
        out[EBX] = threads_per_package(c);
        out[ECX] |= 5 << 8;
    }
}

/*
 * APM 3 E.4.15: caches; E.4.16: IDs of the core (threads in it) and of the node (nodes in a
 * package).
 */
static void leaf_topoext(const X86Cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    if (leaf == 0x8000001e) {
        unsigned core = (c->apic_id & ((1u << die_offset(c)) - 1)) >> core_offset(c);

        out[EAX] = c->apic_id;
        out[EBX] = (smp(c)->threads - 1) << 8 | core;
        out[ECX] = (MAX(smp(c)->dies, 1) - 1) << 8 | (c->apic_id >> die_offset(c) & 0xff);
    } else if (subleaf < 4) {
        const Cache *k = &caches_of(c, &plain_amd_caches)->cache[subleaf];

        put_cache(k, k->level == 3 ? threads_per_die(c) : smp(c)->threads, out);
    }
}

/* Bytes of an XSAVE image of these components. */
static uint32_t image_size(uint64_t components, bool compact)
{
    uint32_t total = 576, offset, size;

    for (unsigned n = 2; n < 32; n++) {
        if (components >> n & 1 && x86_xsave_component(n, &offset, &size)) {
            total = (compact ? total : offset) + size;
        }
    }
    return total;
}

static void leaf_xsave(X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    uint64_t supported = x86_xcr0_supported(c);

    if (!supported) {
        return;
    }
    if (subleaf == 0) {
        out[EAX] = (uint32_t)supported;
        out[EDX] = supported >> 32;
        out[ECX] = image_size(supported, false);
        out[EBX] = image_size(c->xcr0, false);
    } else if (subleaf == 1) {
        out[EAX] = c->features[FW_D_1_EAX];
        out[EBX] = image_size(c->xcr0 | c->xss, true);
    } else if (subleaf < 32 && supported >> subleaf & 1) {
        x86_xsave_component(subleaf, &out[EBX], &out[EAX]);
    }
}

static void leaf_basic(X86Cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    switch (leaf) {
    case 0:
        leaf_vendor(c, c->cpuid_level, out);
        break;
    case 1:
        leaf_1(c, out);
        break;
    case 2:
        if (!is_amd(c)) {
            out[EAX] = 1;    /* caches and TLBs in the old form */
            out[ECX] = c->hide_l3 ? 0 : caches_of(c, &plain_caches)->leaf2_ecx;
            out[EDX] = caches_of(c, &plain_caches)->leaf2_edx;
        }
        break;
    case 4:
        leaf_4(c, subleaf, out);
        break;
    case 5:
        out[ECX] = 3;    /* extensions, break on interrupt */
        break;
    case 6:
        out[EAX] = c->features[FW_6_EAX];
        break;
    case 7:
        if (subleaf == 1) {
            out[EAX] = c->features[FW_7_1_EAX];
        } else if (subleaf == 0) {
            out[EAX] = c->features[FW_7_1_EAX] ? 1 : 0;
            out[EBX] = c->features[FW_7_0_EBX];
            out[ECX] = c->features[FW_7_0_ECX] | (c->cr4 & CR4_PKE ? 1u << 4 : 0);     /* OSPKE */
            out[EDX] = c->features[FW_7_0_EDX];
        }
        break;
    case 0xb:
        leaf_topology(c, subleaf, out);
        break;
    case 0x1f:
        leaf_dies(c, subleaf, out);
        break;
    case 0xd:
        leaf_xsave(c, subleaf, out);
        break;
    default:
        break;
    }
}

static void leaf_extended(X86Cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    unsigned threads = threads_per_die(c);
    char name[48] = {0};

    switch (leaf) {
    case 0x80000000:
        leaf_vendor(c, c->cpuid_xlevel, out);
        break;
    case 0x80000001:
        out[EAX] = c->cpuid_version;
        out[ECX] = c->features[FW_8000_0001_ECX];
        out[EDX] = c->features[FW_8000_0001_EDX];
        if (threads > 1 && !is_intel(c)) {
            out[ECX] |= 2;    /* CmpLegacy */
        }
        break;
    case 0x80000002 ... 0x80000004:
        memcpy(name, c->model_id, MIN(strlen(c->model_id), sizeof(name)));
        memcpy(out, name + (leaf - 0x80000002) * 16, 16);
        break;
    case 0x80000005:    /* L1: AMD's form */
        out[EAX] = 0x01ff01ff;
        out[EBX] = 0x01ff01ff;
        out[ECX] = caches_of(c, &plain_caches)->l1d;
        out[EDX] = caches_of(c, &plain_caches)->l1i;
        break;
    case 0x80000006:
        out[EBX] = 0x42004200;
        out[ECX] = caches_of(c, &plain_caches)->l2;
        out[EDX] = c->hide_l3 ? 0 : caches_of(c, &plain_caches)->l3;
        break;
    case 0x80000007:
        out[EDX] = c->features[FW_8000_0007_EDX];
        break;
    case 0x80000008:
        out[EAX] = c->phys_bits | (!x86_has_feature(c, FEAT_LM)    ? 0
                                   : x86_has_feature(c, FEAT_LA57) ? 57 << 8
                                                                   : 48 << 8);
        out[EBX] = c->features[FW_8000_0008_EBX];
        if (threads > 1) {
            out[ECX] = package_offset(c) << 12 | (threads - 1);
        }
        break;
    case 0x8000001d:
    case 0x8000001e:
        leaf_topoext(c, leaf, subleaf, out);
        break;
    case 0x8000000a:
        if (x86_has_feature(c, FEAT_SVM)) {
            out[EAX] = 1;
            out[EBX] = 16;    /* ASIDs */
            out[EDX] = c->features[FW_8000_000A_EDX];
        }
        break;
    default:
        break;
    }
}

static void leaf_hypervisor(X86Cpu *c, uint32_t leaf, uint32_t out[4])
{
    if (leaf == 0x40000000) {
        out[EAX] = 0x40000001;
        memcpy(&out[EBX], "TCGTCGTCGTCG", 12);
    }
}

void x86_cpuid(X86Cpu *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, 0, 16);
    if (leaf >= 0x40000000 && leaf <= 0x40000001) {
        if (x86_has_feature(c, FEAT_HYPERVISOR) && !c->hide_tcg) {
            leaf_hypervisor(c, leaf, out);
        }
        return;
    }
    if (leaf & 0x80000000) {
        if (leaf <= c->cpuid_xlevel) {
            leaf_extended(c, leaf, subleaf, out);
            return;
        }
    } else if (leaf <= c->cpuid_level) {
        leaf_basic(c, leaf, subleaf, out);
        return;
    }
    /* SDM: beyond the last leaf, the highest basic one answers */
    leaf_basic(c, c->cpuid_level, subleaf, out);
}
