// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CPUID feature names by word and bit, as -cpu takes them, and the features that the translator
 * implements: only those are ever shown to a guest. SDM 2A CPUID; APM 3 appendix E.
 */
#include "target-i386/models.h"

const char *const x86_feature_names[X86_FEATURE_WORDS][32] = {
    [FW_1_EDX] = {
        "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", NULL, "sep",
        "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", NULL, "ds", "acpi", "mmx",
        "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe",
    },
    [FW_1_ECX] = {
        "pni", "pclmulqdq", "dtes64", "monitor", "ds-cpl", "vmx", "smx", "est", "tm2", "ssse3",
        "cid", NULL, "fma", "cx16", "xtpr", "pdcm", NULL, "pcid", "dca", "sse4.1", "sse4.2",
        "x2apic", "movbe", "popcnt", "tsc-deadline", "aes", "xsave", NULL, "avx", "f16c",
        "rdrand", "hypervisor",
    },
    [FW_7_0_EBX] = {
        "fsgsbase", "tsc-adjust", "sgx", "bmi1", "hle", "avx2", NULL, "smep", "bmi2", "erms",
        "invpcid", "rtm", NULL, NULL, "mpx", NULL, "avx512f", "avx512dq", "rdseed", "adx",
        "smap", "avx512ifma", "pcommit", "clflushopt", "clwb", "intel-pt", "avx512pf",
        "avx512er", "avx512cd", "sha-ni", "avx512bw", "avx512vl",
    },
    [FW_7_0_ECX] = {
        NULL, "avx512vbmi", "umip", "pku", NULL, "waitpkg", "avx512vbmi2", NULL, "gfni", "vaes",
        "vpclmulqdq", "avx512vnni", "avx512bitalg", NULL, "avx512-vpopcntdq", NULL, "la57", NULL,
        NULL, NULL, NULL, NULL, "rdpid", NULL, "bus-lock-detect", "cldemote", NULL, "movdiri",
        "movdir64b", NULL, "sgxlc", "pks",
    },
    [FW_7_0_EDX] = {
        NULL, NULL, "avx512-4vnniw", "avx512-4fmaps", "fsrm", NULL, NULL, NULL,
        "avx512-vp2intersect", NULL, "md-clear", NULL, NULL, NULL, "serialize", NULL,
        "tsx-ldtrk", NULL, NULL, "arch-lbr", NULL, NULL, "amx-bf16", "avx512-fp16", "amx-tile",
        "amx-int8", "spec-ctrl", "stibp", NULL, "arch-capabilities", "core-capability", "ssbd",
    },
    [FW_7_1_EAX] = {
        NULL, NULL, NULL, NULL, "avx-vnni", "avx512-bf16",
    },
    [FW_8000_0001_EDX] = {
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "syscall", NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, "nx", NULL, "mmxext", NULL, NULL, "fxsr-opt",
        "pdpe1gb", "rdtscp", NULL, "lm", "3dnowext", "3dnow",
    },
    [FW_8000_0001_ECX] = {
        "lahf-lm", "cmp-legacy", "svm", "extapic", "cr8legacy", "abm", "sse4a", "misalignsse",
        "3dnowprefetch", "osvw", "ibs", "xop", "skinit", "wdt", NULL, "lwp", "fma4", "tce", NULL,
        "nodeid-msr", NULL, "tbm", "topoext", "perfctr-core", "perfctr-nb",
    },
    [FW_8000_0007_EDX] = {
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "invtsc",
    },
    [FW_8000_0008_EBX] = {
        "clzero", NULL, "xsaveerptr", NULL, NULL, NULL, NULL, NULL, NULL, "wbnoinvd", NULL, NULL,
        "ibpb", NULL, "ibrs", "amd-stibp", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        "amd-ssbd", "virt-ssbd", "amd-no-ssb",
    },
    [FW_8000_000A_EDX] = {
        "npt", "lbrv", "svm-lock", "nrip-save", "tsc-scale", "vmcb-clean", "flushbyasid",
        "decodeassists", NULL, NULL, "pause-filter", NULL, "pfthreshold", "avic", NULL,
        "v-vmsave-vmload", "vgif", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, "svme-addr-chk",
    },
    [FW_D_1_EAX] = {
        "xsaveopt", "xsavec", "xgetbv1", "xsaves", "xfd",
    },
    [FW_6_EAX] = {
        NULL, NULL, "arat",
    },
    [FW_KVM_EAX] = {
        "kvmclock", "kvm-nopiodelay", "kvm-mmu", "kvmclock", "kvm-asyncpf", "kvm-steal-time", "kvm-pv-eoi",
        "kvm-pv-unhalt", NULL, "kvm-pv-tlb-flush", NULL, "kvm-pv-ipi", "kvm-poll-control",
        "kvm-pv-sched-yield", "kvm-asyncpf-int", "kvm-msi-ext-dest-id", NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, "kvmclock-stable-bit",
    },
    [FW_C000_0001_EDX] = {
        [2] = "xstore", [3] = "xstore-en", [6] = "xcrypt", [7] = "xcrypt-en", [8] = "ace2",
        [9] = "ace2-en", [10] = "phe", [11] = "phe-en", [12] = "pmm", [13] = "pmm-en",
    },
    [FW_KVM_EDX] = {
        "kvm-hint-dedicated",
    },
    [FW_12_0_EAX] = {
        "sgx1", "sgx2",
    },
    [FW_12_0_EBX] = {
        "sgx-exinfo",
    },
    [FW_12_1_EAX] = {
        [1] = "sgx-debug", [2] = "sgx-mode64", [4] = "sgx-provisionkey", [5] =
        "sgx-tokenkey", [7] = "sgx-kss",
    },
    [FW_14_0_ECX] = {
        [31] = "intel-pt-lip",
    },
    [FW_ARCH_CAPABILITIES] = {
        "rdctl-no", "ibrs-all", "rsba", "skip-l1dfl-vmentry", "ssb-no", "mds-no",
        "pschange-mc-no", "tsx-ctrl", "taa-no",
    },
    [FW_CORE_CAPABILITY] = {
        [5] = "split-lock-detect",
    },
    [FW_PERF_CAPABILITIES] = {
        [13] = "full-width-write",
    },
    [FW_VMX_BASIC_HIGH] = {
        [22] = "vmx-ins-outs", [23] = "vmx-true-ctls",
    },
    [FW_VMX_PIN] = {
        [0] = "vmx-intr-exit", [3] = "vmx-nmi-exit", [5] = "vmx-vnmi", [6] =
        "vmx-preemption-timer", [7] = "vmx-posted-intr",
    },
    [FW_VMX_PROC] = {
        [2] = "vmx-vintr-pending", [3] = "vmx-tsc-offset", [7] = "vmx-hlt-exit", [9] =
        "vmx-invlpg-exit", [10] = "vmx-mwait-exit", [11] = "vmx-rdpmc-exit", [12] =
        "vmx-rdtsc-exit", [15] = "vmx-cr3-load-noexit", [16] = "vmx-cr3-store-noexit", [19]
        = "vmx-cr8-load-exit", [20] = "vmx-cr8-store-exit", [21] = "vmx-flexpriority", [22]
        = "vmx-vnmi-pending", [23] = "vmx-movdr-exit", [24] = "vmx-io-exit", [25] =
        "vmx-io-bitmap", [27] = "vmx-mtf", [28] = "vmx-msr-bitmap", [29] =
        "vmx-monitor-exit", [30] = "vmx-pause-exit", [31] = "vmx-secondary-ctls",
    },
    [FW_VMX_PROC2] = {
        [0] = "vmx-apicv-xapic", [1] = "vmx-ept", [2] = "vmx-desc-exit", [3] =
        "vmx-rdtscp-exit", [4] = "vmx-apicv-x2apic", [5] = "vmx-vpid", [6] =
        "vmx-wbinvd-exit", [7] = "vmx-unrestricted-guest", [8] = "vmx-apicv-register", [9] =
        "vmx-apicv-vid", [10] = "vmx-ple", [11] = "vmx-rdrand-exit", [12] =
        "vmx-invpcid-exit", [13] = "vmx-vmfunc", [14] = "vmx-shadow-vmcs", [15] =
        "vmx-encls-exit", [16] = "vmx-rdseed-exit", [17] = "vmx-pml", [20] = "vmx-xsaves",
        [25] = "vmx-tsc-scaling",
    },
    [FW_VMX_EXIT] = {
        [2] = "vmx-exit-nosave-debugctl", [12] = "vmx-exit-load-perf-global-ctrl", [15] =
        "vmx-exit-ack-intr", [18] = "vmx-exit-save-pat", [19] = "vmx-exit-load-pat", [20] =
        "vmx-exit-save-efer", [21] = "vmx-exit-load-efer", [22] =
        "vmx-exit-save-preemption-timer", [23] = "vmx-exit-clear-bndcfgs", [25] =
        "vmx-exit-clear-rtit-ctl", [29] = "vmx-exit-load-pkrs",
    },
    [FW_VMX_ENTRY] = {
        [2] = "vmx-entry-noload-debugctl", [9] = "vmx-entry-ia32e-mode", [13] =
        "vmx-entry-load-perf-global-ctrl", [14] = "vmx-entry-load-pat", [15] =
        "vmx-entry-load-efer", [16] = "vmx-entry-load-bndcfgs", [18] =
        "vmx-entry-load-rtit-ctl", [22] = "vmx-entry-load-pkrs",
    },
    [FW_VMX_MISC] = {
        [5] = "vmx-store-lma", [6] = "vmx-activity-hlt", [7] = "vmx-activity-shutdown", [8]
        = "vmx-activity-wait-sipi", [29] = "vmx-vmwrite-vmexit-fields", [30] =
        "vmx-zero-len-inject",
    },
    [FW_VMX_EPT] = {
        [0] = "vmx-ept-execonly", [6] = "vmx-page-walk-4", [7] = "vmx-page-walk-5", [16] =
        "vmx-ept-2mb", [17] = "vmx-ept-1gb", [20] = "vmx-invept", [21] = "vmx-eptad", [22] =
        "vmx-ept-advanced-exitinfo", [25] = "vmx-invept-single-context", [26] =
        "vmx-invept-all-context",
    },
    [FW_VMX_VPID] = {
        [0] = "vmx-invvpid", [8] = "vmx-invvpid-single-addr", [9] =
        "vmx-invept-single-context", [10] = "vmx-invvpid-all-context", [11] =
        "vmx-invept-single-context-noglobals",
    },
    [FW_VMX_VMFUNC] = {
        "vmx-eptp-switching",
    },
};

const X86FeatureAlias x86_feature_aliases[] = {
    {"sse3", "pni"}, {"sse4-1", "sse4.1"}, {"sse4-2", "sse4.2"}, {"pclmuldq", "pclmulqdq"},
    {"xd", "nx"}, {"i64", "lm"}, {"ffxsr", "fxsr-opt"}, {"lahf_lm", "lahf-lm"}, {"nodeid_msr", "nodeid-msr"},
    {"sse4_1", "sse4.1"}, {"sse4_2", "sse4.2"},
    {"cmp_legacy", "cmp-legacy"}, {"ds_cpl", "ds-cpl"}, {"fxsr_opt", "fxsr-opt"},
    {"kvm_asyncpf", "kvm-asyncpf"}, {"kvm_asyncpf_int", "kvm-asyncpf-int"},
    {"kvm_mmu", "kvm-mmu"}, {"kvm_nopiodelay", "kvm-nopiodelay"},
    {"kvm_poll_control", "kvm-poll-control"}, {"kvm_pv_eoi", "kvm-pv-eoi"},
    {"kvm_pv_unhalt", "kvm-pv-unhalt"}, {"kvm_steal_time", "kvm-steal-time"},
    {"nrip_save", "nrip-save"}, {"pause_filter", "pause-filter"},
    {"perfctr_core", "perfctr-core"}, {"perfctr_nb", "perfctr-nb"}, {"svm_lock", "svm-lock"},
    {"tsc_adjust", "tsc-adjust"}, {"tsc_scale", "tsc-scale"}, {"vmcb_clean", "vmcb-clean"},
};
const unsigned x86_num_feature_aliases = ARRAY_COUNT(x86_feature_aliases);

/* What exists here. A bit moves in when its instructions do. */
const uint32_t x86_supported_features[X86_FEATURE_WORDS] = {
    /* all but pn, ds, ht (set by topology), tm, ia64, pbe */
    [FW_1_EDX] = 0x0fcbfbff,
    /* pni pclmulqdq monitor vmx ssse3 fma cx16 pcid sse4.1 sse4.2 x2apic movbe popcnt tsc-deadline aes xsave
     * avx f16c rdrand hypervisor */
    [FW_1_ECX] = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 5 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 17 | 1u << 19 | 1u << 20 | 1u << 21 |
                 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25 | 1u << 26 | 1u << 28 | 1u << 29 | 1u << 30 | 1u << 31,
    /* fsgsbase tsc-adjust bmi1 avx2 smep bmi2 erms invpcid rdseed adx smap clflushopt clwb
     * sha-ni avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl */
    [FW_7_0_EBX] = 1u << 0 | 1u << 1 | 1u << 3 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 18 |
                   1u << 19 | 1u << 20 | 1u << 23 | 1u << 24 | 1u << 29 |
                   1u << 16 | 1u << 17 | 1u << 21 | 1u << 28 | 1u << 30 | 1u << 31,
    /* avx512vbmi avx512-vbmi2 avx512-vnni avx512-bitalg avx512-vpopcntdq umip pku gfni vaes vpclmulqdq la57 rdpid */
    [FW_7_0_ECX] = 1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 2 | 1u << 3 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 16 | 1u << 22,
    /* fsrm avx512-vp2intersect serialize */
    [FW_7_0_EDX] = 1u << 4 | 1u << 8 | 1u << 14,
    /* avx512-bf16 */
    [FW_7_1_EAX] = 1u << 5,
    /* syscall nx mmxext fxsr-opt pdpe1gb rdtscp lm 3dnowext 3dnow, and what AMD repeats of 1.EDX */
    [FW_8000_0001_EDX] = 0x0183f3ff | 1u << 11 | 1u << 20 | 1u << 22 | 1u << 25 | 1u << 26 |
                         1u << 27 | 1u << 29 | 1u << 30 | 1u << 31,
    /* lahf-lm cmp-legacy svm cr8legacy abm sse4a misalignsse 3dnowprefetch topoext */
    [FW_8000_0001_ECX] = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 22,
    /* wbnoinvd */
    [FW_8000_0008_EBX] = 1u << 9,
    /* npt nrip-save flushbyasid decodeassists pause-filter pfthreshold vgif svme-addr-chk */
    [FW_8000_000A_EDX] = 1u << 0 | 1u << 3 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 12 | 1u << 16 | 1u << 28,
    /* xsaveopt xsavec xgetbv1 xsaves */
    [FW_D_1_EAX] = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 3,
    [FW_8000_0007_EDX] = 1u << 8,
    [FW_6_EAX] = 1u << 2,
    /* VMX, whose words count only with the feature itself */
    [FW_VMX_BASIC_HIGH] = 1u << 22 | 1u << 23,
    [FW_VMX_PIN] = PIN_INTR | PIN_NMI | PIN_VNMI | PIN_TIMER | PIN_POSTED,
    [FW_VMX_PROC] = (PROC_ALLOWED & ~PROC_FIXED) | PROC_CR3_LOAD | PROC_CR3_STORE,
    [FW_VMX_PROC2] = PROC2_ALLOWED,
    [FW_VMX_EXIT] = (EXIT_ALLOWED & ~(EXIT_FIXED | EXIT_HOST64)) | EXIT_SAVE_DEBUG,
    [FW_VMX_ENTRY] = (ENTRY_ALLOWED & ~ENTRY_FIXED) | ENTRY_LOAD_DEBUG,
    [FW_VMX_MISC] = 1u << 5 | 1u << 6 | 1u << 29 | 1u << 30,
    /* execonly, four levels, 2 MiB, 1 GiB, INVEPT, accessed and dirty flags, both kinds of INVEPT */
    [FW_VMX_EPT] = 1u << 0 | 1u << 6 | 1u << 16 | 1u << 17 | 1u << 20 | 1u << 21 | 1u << 25 | 1u << 26,
    [FW_VMX_VPID] = 1u << 0 | 0xf00u,
};
