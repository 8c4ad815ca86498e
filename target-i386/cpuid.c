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

static unsigned threads_per_package(const X86Cpu *c)
{
    const SmpConfig *s = smp(c);

    return s->threads * MAX(s->cores, 1) * MAX(s->dies, 1);
}

static bool is_amd(const X86Cpu *c)
{
    return strcmp(c->vendor, "AuthenticAMD") == 0;
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
    unsigned threads = threads_per_package(c);

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

/* Deterministic cache parameters: 32K L1D, 32K L1I, 4M L2, 16M L3. */
static void leaf_4(const X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    static const struct { uint8_t type, level; uint16_t ways, sets_log2; uint32_t edx; } rows[] = {
        {1, 1, 8, 6, 1}, {2, 1, 8, 6, 1}, {3, 2, 16, 12, 1}, {3, 3, 16, 14, 6},
    };
    unsigned threads = threads_per_package(c);

    if (subleaf >= ARRAY_COUNT(rows) || is_amd(c)) {
        return;
    }
    out[EAX] = rows[subleaf].type | rows[subleaf].level << 5 | 1 << 8;
    out[EAX] |= (MAX(smp(c)->cores, 1) - 1) << 26;
    out[EAX] |= ((rows[subleaf].level == 3 ? threads : smp(c)->threads) - 1) << 14;
    out[EBX] = 63 | (rows[subleaf].ways - 1) << 22;
    out[ECX] = (1u << rows[subleaf].sets_log2) - 1;
    out[EDX] = rows[subleaf].edx;
}

static void leaf_topology(const X86Cpu *c, uint32_t subleaf, uint32_t out[4])
{
    const SmpConfig *s = smp(c);
    unsigned thread_bits = bits_for(s->threads), core_bits = bits_for(MAX(s->cores, 1) * MAX(s->dies, 1));

    out[ECX] = subleaf & 0xff;
    out[EDX] = c->apic_id;
    if (subleaf == 0) {
        out[EAX] = thread_bits;
        out[EBX] = s->threads;
        out[ECX] |= 1 << 8;
    } else if (subleaf == 1) {
        out[EAX] = thread_bits + core_bits;
        out[EBX] = threads_per_package(c);
        out[ECX] |= 2 << 8;
    }
}

/* Bytes of an XSAVE image of these components. */
static uint32_t image_size(uint64_t components, bool compact)
{
    uint32_t size = components & XCR0_AVX ? 832 : 576;

    return components & XCR0_PKRU ? (compact ? size : 2688) + 8 : size;
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
    } else if (subleaf == 2 && (supported & XCR0_AVX)) {
        out[EAX] = 256;
        out[EBX] = 576;
    } else if (subleaf == 9 && (supported & XCR0_PKRU)) {
        out[EAX] = 8;
        out[EBX] = 2688;
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
        out[EAX] = 1;    /* caches and TLBs in the old form */
        out[ECX] = 0x4d;
        out[EDX] = 0x2c307d;
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
    case 0xd:
        leaf_xsave(c, subleaf, out);
        break;
    default:
        break;
    }
}

static void leaf_extended(X86Cpu *c, uint32_t leaf, uint32_t out[4])
{
    unsigned threads = threads_per_package(c);
    char name[48] = {0};

    switch (leaf) {
    case 0x80000000:
        leaf_vendor(c, c->cpuid_xlevel, out);
        break;
    case 0x80000001:
        out[EAX] = c->cpuid_version;
        out[ECX] = c->features[FW_8000_0001_ECX];
        out[EDX] = c->features[FW_8000_0001_EDX];
        if (threads > 1 && is_amd(c)) {
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
        out[ECX] = 0x40020140;
        out[EDX] = 0x40020140;
        break;
    case 0x80000006:
        out[EBX] = 0x42004200;
        out[ECX] = 0x02008140;
        out[EDX] = 0x00808140;
        break;
    case 0x80000007:
        out[EDX] = c->features[FW_8000_0007_EDX];
        break;
    case 0x80000008:
        out[EAX] = c->phys_bits | (x86_has_feature(c, FEAT_LM) ? (x86_has_feature(c, FEAT_LA57) ? 57 : 48) << 8
                                                               : 32 << 8);
        out[EBX] = c->features[FW_8000_0008_EBX];
        if (threads > 1) {
            out[ECX] = (bits_for(threads) << 12) | (threads - 1);
        }
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
        if (x86_has_feature(c, FEAT_HYPERVISOR)) {
            leaf_hypervisor(c, leaf, out);
        }
        return;
    }
    if (leaf & 0x80000000) {
        if (leaf <= c->cpuid_xlevel || leaf == 0x80000000) {
            leaf_extended(c, leaf, out);
            return;
        }
    } else if (leaf <= c->cpuid_level) {
        leaf_basic(c, leaf, subleaf, out);
        return;
    }
    /* SDM: beyond the last leaf, the highest basic one answers */
    leaf_basic(c, c->cpuid_level, subleaf, out);
}
