// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of the x86 architecture: registers, bits, vectors, MSRs, CPUID features. */
#ifndef TARGET_I386_REGS_H
#define TARGET_I386_REGS_H

enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_9, R_10, R_11, R_12, R_13, R_14, R_15 };
enum { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS };

/* Exception vectors. */
enum {
    EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5, EXC_UD = 6, EXC_NM = 7,
    EXC_DF = 8, EXC_TS = 10, EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14, EXC_MF = 16,
    EXC_AC = 17, EXC_MC = 18, EXC_XM = 19,
};

/* EFLAGS. */
#define FLAG_C  0x00000001u
#define FLAG_1  0x00000002u
#define FLAG_P  0x00000004u
#define FLAG_A  0x00000010u
#define FLAG_Z  0x00000040u
#define FLAG_S  0x00000080u
#define FLAG_TF 0x00000100u
#define FLAG_IF 0x00000200u
#define FLAG_DF 0x00000400u
#define FLAG_O  0x00000800u
#define FLAG_IOPL_SHIFT 12
#define FLAG_IOPL 0x00003000u
#define FLAG_NT 0x00004000u
#define FLAG_RF 0x00010000u
#define FLAG_VM 0x00020000u
#define FLAG_AC 0x00040000u
#define FLAG_VIF 0x00080000u
#define FLAG_VIP 0x00100000u
#define FLAG_ID 0x00200000u
#define FLAGS_CC (FLAG_O | FLAG_S | FLAG_Z | FLAG_A | FLAG_P | FLAG_C)

/* Second word of a descriptor; also X86Seg.flags. */
#define SEG_TYPE_SHIFT 8
#define SEG_TYPE   (15u << 8)
#define SEG_A      (1u << 8)       /* code and data: accessed */
#define SEG_W      (1u << 9)       /* data: writable */
#define SEG_R      (1u << 9)       /* code: readable */
#define SEG_E      (1u << 10)      /* data: expand down */
#define SEG_C      (1u << 10)      /* code: conforming */
#define SEG_CODE   (1u << 11)
#define SEG_S      (1u << 12)      /* code or data, not system */
#define SEG_DPL_SHIFT 13
#define SEG_DPL    (3u << 13)
#define SEG_P      (1u << 15)
#define SEG_AVL    (1u << 20)
#define SEG_L      (1u << 21)
#define SEG_B      (1u << 22)      /* D/B: 32-bit */
#define SEG_G      (1u << 23)

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)

#define CR4_VME (1u << 0)
#define CR4_PVI (1u << 1)
#define CR4_TSD (1u << 2)
#define CR4_DE (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_PCE (1u << 8)
#define CR4_OSFXSR (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define CR4_UMIP (1u << 11)
#define CR4_LA57 (1u << 12)
#define CR4_FSGSBASE (1u << 16)
#define CR4_PCIDE (1u << 17)
#define CR4_OSXSAVE (1u << 18)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define CR4_PKE (1u << 22)

#define EFER_SCE (1u << 0)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define EFER_NXE (1u << 11)
#define EFER_SVME (1u << 12)
#define EFER_FFXSR (1u << 14)

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u
#define XCR0_PKRU 0x200u

#define DR6_FIXED 0xffff0ff0u
#define DR7_FIXED 0x00000400u
#define DR6_BS (1u << 14)
#define DR6_BT (1u << 15)
#define DR6_BD (1u << 13)
#define DR7_GD (1u << 13)

/* x87 status word. */
#define FPSW_IE 0x01u
#define FPSW_DE 0x02u
#define FPSW_ZE 0x04u
#define FPSW_OE 0x08u
#define FPSW_UE 0x10u
#define FPSW_PE 0x20u
#define FPSW_SF 0x40u
#define FPSW_ES 0x80u
#define FPSW_C0 0x100u
#define FPSW_C1 0x200u
#define FPSW_C2 0x400u
#define FPSW_TOP_SHIFT 11
#define FPSW_C3 0x4000u
#define FPSW_B 0x8000u

#define MXCSR_RC_SHIFT 13
#define MXCSR_DAZ 0x40u
#define MXCSR_FTZ 0x8000u
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_IE 1u
#define MXCSR_DE 2u
#define MXCSR_ZE 4u
#define MXCSR_MASK_SHIFT 7
#define MXCSR_MASKS 0x1f80u
#define MXCSR_STICKY 0x3fu

/* CPUID words that models describe; see models.c. */
enum {
    FW_1_EDX, FW_1_ECX, FW_7_0_EBX, FW_7_0_ECX, FW_7_0_EDX, FW_7_1_EAX,
    FW_8000_0001_EDX, FW_8000_0001_ECX, FW_8000_0007_EDX, FW_8000_0008_EBX, FW_8000_000A_EDX,
    FW_C000_0001_EDX, FW_KVM_EAX, FW_KVM_EDX, FW_D_1_EAX, FW_6_EAX, FW_XCR0_LO,
    X86_FEATURE_WORDS = 20,
};
#define X86_FEATURE(word, bit) ((word) * 32 + (bit))

/* The ones that code asks for. */
enum {
    FEAT_FPU = X86_FEATURE(FW_1_EDX, 0), FEAT_VME = X86_FEATURE(FW_1_EDX, 1),
    FEAT_DE = X86_FEATURE(FW_1_EDX, 2), FEAT_PSE = X86_FEATURE(FW_1_EDX, 3),
    FEAT_TSC = X86_FEATURE(FW_1_EDX, 4), FEAT_MSR = X86_FEATURE(FW_1_EDX, 5),
    FEAT_PAE = X86_FEATURE(FW_1_EDX, 6), FEAT_MCE = X86_FEATURE(FW_1_EDX, 7),
    FEAT_CX8 = X86_FEATURE(FW_1_EDX, 8), FEAT_APIC = X86_FEATURE(FW_1_EDX, 9),
    FEAT_SEP = X86_FEATURE(FW_1_EDX, 11), FEAT_MTRR = X86_FEATURE(FW_1_EDX, 12),
    FEAT_PGE = X86_FEATURE(FW_1_EDX, 13), FEAT_MCA = X86_FEATURE(FW_1_EDX, 14),
    FEAT_CMOV = X86_FEATURE(FW_1_EDX, 15), FEAT_PAT = X86_FEATURE(FW_1_EDX, 16),
    FEAT_PSE36 = X86_FEATURE(FW_1_EDX, 17), FEAT_CLFLUSH = X86_FEATURE(FW_1_EDX, 19),
    FEAT_MMX = X86_FEATURE(FW_1_EDX, 23), FEAT_FXSR = X86_FEATURE(FW_1_EDX, 24),
    FEAT_SSE = X86_FEATURE(FW_1_EDX, 25), FEAT_SSE2 = X86_FEATURE(FW_1_EDX, 26),
    FEAT_HT = X86_FEATURE(FW_1_EDX, 28),
    FEAT_SSE3 = X86_FEATURE(FW_1_ECX, 0), FEAT_PCLMULQDQ = X86_FEATURE(FW_1_ECX, 1),
    FEAT_MONITOR = X86_FEATURE(FW_1_ECX, 3), FEAT_SSSE3 = X86_FEATURE(FW_1_ECX, 9),
    FEAT_FMA = X86_FEATURE(FW_1_ECX, 12), FEAT_CX16 = X86_FEATURE(FW_1_ECX, 13),
    FEAT_PCID = X86_FEATURE(FW_1_ECX, 17), FEAT_SSE41 = X86_FEATURE(FW_1_ECX, 19),
    FEAT_SSE42 = X86_FEATURE(FW_1_ECX, 20), FEAT_X2APIC = X86_FEATURE(FW_1_ECX, 21),
    FEAT_MOVBE = X86_FEATURE(FW_1_ECX, 22), FEAT_POPCNT = X86_FEATURE(FW_1_ECX, 23),
    FEAT_TSC_DEADLINE = X86_FEATURE(FW_1_ECX, 24), FEAT_AES = X86_FEATURE(FW_1_ECX, 25),
    FEAT_XSAVE = X86_FEATURE(FW_1_ECX, 26), FEAT_OSXSAVE = X86_FEATURE(FW_1_ECX, 27),
    FEAT_AVX = X86_FEATURE(FW_1_ECX, 28), FEAT_F16C = X86_FEATURE(FW_1_ECX, 29),
    FEAT_RDRAND = X86_FEATURE(FW_1_ECX, 30), FEAT_HYPERVISOR = X86_FEATURE(FW_1_ECX, 31),
    FEAT_FSGSBASE = X86_FEATURE(FW_7_0_EBX, 0), FEAT_BMI1 = X86_FEATURE(FW_7_0_EBX, 3),
    FEAT_AVX2 = X86_FEATURE(FW_7_0_EBX, 5), FEAT_SMEP = X86_FEATURE(FW_7_0_EBX, 7),
    FEAT_BMI2 = X86_FEATURE(FW_7_0_EBX, 8), FEAT_ERMS = X86_FEATURE(FW_7_0_EBX, 9),
    FEAT_INVPCID = X86_FEATURE(FW_7_0_EBX, 10), FEAT_RDSEED = X86_FEATURE(FW_7_0_EBX, 18),
    FEAT_ADX = X86_FEATURE(FW_7_0_EBX, 19), FEAT_SMAP = X86_FEATURE(FW_7_0_EBX, 20),
    FEAT_CLFLUSHOPT = X86_FEATURE(FW_7_0_EBX, 23), FEAT_CLWB = X86_FEATURE(FW_7_0_EBX, 24),
    FEAT_SHA = X86_FEATURE(FW_7_0_EBX, 29),
    FEAT_UMIP = X86_FEATURE(FW_7_0_ECX, 2), FEAT_PKU = X86_FEATURE(FW_7_0_ECX, 3),
    FEAT_GFNI = X86_FEATURE(FW_7_0_ECX, 8), FEAT_VAES = X86_FEATURE(FW_7_0_ECX, 9),
    FEAT_VPCLMULQDQ = X86_FEATURE(FW_7_0_ECX, 10), FEAT_SERIALIZE = X86_FEATURE(FW_7_0_EDX, 14),
    FEAT_WBNOINVD = X86_FEATURE(FW_8000_0008_EBX, 9),
    FEAT_LA57 = X86_FEATURE(FW_7_0_ECX, 16), FEAT_RDPID = X86_FEATURE(FW_7_0_ECX, 22),
    FEAT_SYSCALL = X86_FEATURE(FW_8000_0001_EDX, 11), FEAT_NX = X86_FEATURE(FW_8000_0001_EDX, 20),
    FEAT_MMXEXT = X86_FEATURE(FW_8000_0001_EDX, 22), FEAT_FFXSR = X86_FEATURE(FW_8000_0001_EDX, 25),
    FEAT_PDPE1GB = X86_FEATURE(FW_8000_0001_EDX, 26), FEAT_RDTSCP = X86_FEATURE(FW_8000_0001_EDX, 27),
    FEAT_LM = X86_FEATURE(FW_8000_0001_EDX, 29), FEAT_3DNOWEXT = X86_FEATURE(FW_8000_0001_EDX, 30),
    FEAT_3DNOW = X86_FEATURE(FW_8000_0001_EDX, 31),
    FEAT_LAHF_LM = X86_FEATURE(FW_8000_0001_ECX, 0), FEAT_SVM = X86_FEATURE(FW_8000_0001_ECX, 2),
    FEAT_CR8LEGACY = X86_FEATURE(FW_8000_0001_ECX, 4), FEAT_ABM = X86_FEATURE(FW_8000_0001_ECX, 5),
    FEAT_SSE4A = X86_FEATURE(FW_8000_0001_ECX, 6), FEAT_3DNOWPREFETCH = X86_FEATURE(FW_8000_0001_ECX, 8),
    FEAT_TOPOEXT = X86_FEATURE(FW_8000_0001_ECX, 22),
    FEAT_XSAVEOPT = X86_FEATURE(FW_D_1_EAX, 0), FEAT_XSAVEC = X86_FEATURE(FW_D_1_EAX, 1),
    FEAT_XGETBV1 = X86_FEATURE(FW_D_1_EAX, 2), FEAT_XSAVES = X86_FEATURE(FW_D_1_EAX, 3),
};

#endif
