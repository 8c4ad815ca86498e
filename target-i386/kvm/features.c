// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUID under KVM: what KVM_GET_SUPPORTED_CPUID says becomes the features that models may have, and
 * the models "host" and "max"; a vCPU's leaves are those that the translator answers, with KVM's
 * own in place of the translator's. Features whose state X86Cpu has no room for are not offered.
 */
#include "x86-kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include "util/error.h"

enum { MAX_LEAVES = 256 };
enum { EAX, EBX, ECX, EDX };
/* Documentation/virt/kvm/x86/cpuid.rst */
#define KVM_CPUID_SIGNATURE 0x40000000u
#define KVM_CPUID_FEATURES 0x40000001u

typedef struct CpuidBuffer {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[MAX_LEAVES];
} CpuidBuffer;

/*
 * AVX-512 that the translator lacks but a guest may have: BF16, 4VNNIW, 4FMAPS, VP2INTERSECT, FP16
 * (SDM 2A, CPUID leaf 7).
 */
#define AVX512_EDX (1u << 2 | 1u << 3 | 1u << 8 | 1u << 23)
#define AVX512_1_EAX (1u << 5)
/* steal time, PV EOI, unhalt, TLB flush, IPIs, yield */
#define APIC_FEATURES (1u << 5 | 1u << 6 | 1u << 7 | 1u << 9 | 1u << 11 | 1u << 13)
#define CLOCK_FEATURES (1u << 0 | 1u << 1 | 1u << 3 | 1u << 24)

/*
 * Where a feature word stands, and bits that need nothing of the emulator beside the translator's.
 */
static const struct {
    uint32_t leaf, subleaf;
    uint8_t reg;
    uint32_t plain;
} word_rows[X86_FEATURE_WORDS] = {
    [FW_1_EDX] = {1, 0, EDX},
    [FW_1_ECX] = {1, 0, ECX},
    /* hle rtm */
    [FW_7_0_EBX] = {7, 0, EBX, 1u << 4 | 1u << 11},
    /* movdiri movdir64b */
    [FW_7_0_ECX] = {7, 0, ECX, 1u << 27 | 1u << 28},
    /* md-clear spec-ctrl stibp ssbd */
    [FW_7_0_EDX] = {7, 0, EDX, 1u << 10 | 1u << 26 | 1u << 27 | 1u << 31 | AVX512_EDX},
    /* avx-vnni fzrm fsrs fsrc */
    [FW_7_1_EAX] = {7, 1, EAX, 1u << 4 | 1u << 10 | 1u << 11 | 1u << 12 | AVX512_1_EAX},
    [FW_8000_0001_EDX] = {0x80000001, 0, EDX},
    [FW_8000_0001_ECX] = {0x80000001, 0, ECX},
    [FW_8000_0007_EDX] = {0x80000007, 0, EDX},
    /* ibpb amd-ssbd */
    [FW_8000_0008_EBX] = {0x80000008, 0, EBX, 1u << 12 | 1u << 24},
    [FW_KVM_EAX] = {KVM_CPUID_FEATURES, 0, EAX, CLOCK_FEATURES},
    [FW_D_1_EAX] = {13, 1, EAX},
    [FW_6_EAX] = {6, 0, EAX},
};

/* For the process: filled at start-up, read by the models. */
static uint32_t words[X86_FEATURE_WORDS];
static char host_vendor[13], host_name[49];
static X86Model host = {.name = "host", .note = "", .vendor = host_vendor, .model_id = host_name};

static const uint32_t *find_leaf(const CpuidBuffer *b, uint32_t leaf, uint32_t subleaf)
{
    for (unsigned i = 0; i < b->head.nent; i++) {
        const struct kvm_cpuid_entry2 *e = &b->entries[i];

        if (e->function == leaf &&
            (!(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) || e->index == subleaf)) {
            return &e->eax;
        }
    }
    return NULL;
}

static void read_host(void)
{
    uint32_t v[4];

    __cpuid(0, v[EAX], v[EBX], v[ECX], v[EDX]);
    memcpy(host_vendor, &v[EBX], 4);
    memcpy(host_vendor + 4, &v[EDX], 4);
    memcpy(host_vendor + 8, &v[ECX], 4);
    host.level = MIN(v[EAX], 13);
    __cpuid(1, v[EAX], v[EBX], v[ECX], v[EDX]);
    host.family = v[EAX] >> 8 & 15;
    host.family += host.family == 15 ? v[EAX] >> 20 & 0xff : 0;
    host.model = (v[EAX] >> 4 & 15) | (v[EAX] >> 12 & 0xf0);
    host.stepping = v[EAX] & 15;
    __cpuid(0x80000000, v[EAX], v[EBX], v[ECX], v[EDX]);
    host.xlevel = MIN(v[EAX], 0x80000008u);
    for (unsigned n = 0; n < 3 && v[EAX] >= 0x80000004u; n++) {
        uint32_t w[4];

        __cpuid(0x80000002u + n, w[EAX], w[EBX], w[ECX], w[EDX]);
        memcpy(host_name + 16 * n, w, 16);
    }
}

/* Of KVM's own, those that go with its local APICs. */
static uint32_t kernel_apic_features(const CpuidBuffer *b)
{
    const uint32_t *leaf = find_leaf(b, KVM_CPUID_FEATURES, 0);

    return leaf ? leaf[EAX] & APIC_FEATURES : 0;
}

bool x86_kvm_init_features(Kvm *k, GError **error)
{
    g_autofree CpuidBuffer *b = g_new0(CpuidBuffer, 1);

    b->head.nent = MAX_LEAVES;
    if (kvm_ioctl(k->fd, KVM_GET_SUPPORTED_CPUID, b) < 0) {
        return fail_errno(error, errno, "KVM_GET_SUPPORTED_CPUID");
    }
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        const uint32_t *leaf =
            word_rows[w].leaf ? find_leaf(b, word_rows[w].leaf, word_rows[w].subleaf) : NULL;

        words[w] = leaf ? leaf[word_rows[w].reg] & (x86_supported_features[w] | word_rows[w].plain)
                        : 0;
    }
    if (vm_published(k->accel.vm, X86_KERNEL_IRQ)) {
        if (kvm_has(k, KVM_CAP_TSC_DEADLINE_TIMER)) {
            words[FW_1_ECX] |= 1u << FEAT_TSC_DEADLINE % 32;
        }
        words[FW_KVM_EAX] |= kernel_apic_features(b);
    } else {
        words[FW_1_ECX] &= ~(1u << FEAT_X2APIC % 32 | 1u << FEAT_TSC_DEADLINE % 32);
    }
    /* nested guests, state that is not kept here */
    words[FW_1_ECX] &= ~(1u << FEAT_MONITOR % 32 | 1u << FEAT_VMX % 32);
    words[FW_8000_0001_ECX] &= ~(1u << FEAT_SVM % 32);
    words[FW_1_ECX] |= 1u << FEAT_HYPERVISOR % 32;
    words[FW_1_EDX] |= 1u << FEAT_APIC % 32;
    memcpy(host.words, words, sizeof(words));
    read_host();
    x86_offer_features(words, &host);
    return true;
}

/* ---- a vCPU's leaves ---- */

/*
 * Guests run XSAVE itself: sizes and places of components are the host's, which differ between
 * vendors.
 */
static void host_layout(CpuidBuffer *b)
{
    struct kvm_cpuid_entry2 *whole = NULL;
    uint32_t size = 576;

    for (unsigned i = 0; i < b->head.nent; i++) {
        struct kvm_cpuid_entry2 *e = &b->entries[i];

        if (e->function == 13 && e->index == 0) {
            whole = e;
        } else if (e->function == 13 && e->index > 1 && e->eax) {
            __cpuid_count(13, e->index, e->eax, e->ebx, e->ecx, e->edx);
            size = MAX(size, e->eax + (e->ecx & 1 ? 0 : e->ebx));
        }
    }
    if (whole && whole->eax) {
        whole->ecx = size;
    }
}

static void add(CpuidBuffer *b, X86Cpu *c, uint32_t leaf, uint32_t subleaf, bool indexed)
{
    uint32_t v[4];

    if (b->head.nent == MAX_LEAVES) {
        return;
    }
    x86_cpuid(c, leaf, subleaf, v);
    b->entries[b->head.nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .index = subleaf,
        .flags = indexed ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
        .eax = v[EAX],
        .ebx = v[EBX],
        .ecx = v[ECX],
        .edx = v[EDX],
    };
}

/* Subleaves that a leaf has; 0: it does not look at the index. */
static unsigned subleaves(uint32_t leaf)
{
    switch (leaf) {
    case 4: case 0xb: case 0x8000001d:
        return 5;
    case 7:
        return 2;
    case 13:
        return 10;
    default:
        return 0;
    }
}

static void add_leaf(CpuidBuffer *b, X86Cpu *c, uint32_t leaf)
{
    unsigned n = subleaves(leaf);

    if (n == 0) {
        add(b, c, leaf, 0, false);
    }
    for (unsigned i = 0; i < n; i++) {
        add(b, c, leaf, i, true);
    }
}

static void add_kvm(CpuidBuffer *b, const X86Cpu *c)
{
    struct kvm_cpuid_entry2 e = {.function = KVM_CPUID_SIGNATURE, .eax = KVM_CPUID_FEATURES};

    memcpy(&e.ebx, "KVMKVMKVM\0\0", 12);
    b->entries[b->head.nent++] = e;
    b->entries[b->head.nent++] = (struct kvm_cpuid_entry2){.function = KVM_CPUID_FEATURES,
                                                           .eax = c->features[FW_KVM_EAX],
                                                           .edx = c->features[FW_KVM_EDX]};
}

bool x86_kvm_set_cpuid(Cpu *cpu, GError **error)
{
    g_autofree CpuidBuffer *b = g_new0(CpuidBuffer, 1);
    X86Cpu *c = X86(cpu);

    if (x86_has_feature(c, FEAT_HYPERVISOR)) {
        add_kvm(b, c);
    }
    for (uint32_t leaf = 0; leaf <= MIN(c->cpuid_level, 0x1fu); leaf++) {
        add_leaf(b, c, leaf);
    }
    for (uint32_t leaf = 0x80000000u; leaf <= MIN(c->cpuid_xlevel, 0x8000001fu); leaf++) {
        add_leaf(b, c, leaf);
    }
    host_layout(b);
    if (kvm_ioctl(kvm_cpu(cpu)->fd, KVM_SET_CPUID2, b) < 0) {
        return fail_errno(error, errno, "KVM_SET_CPUID2");
    }
    return true;
}
