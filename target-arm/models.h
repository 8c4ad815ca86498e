// SPDX-License-Identifier: GPL-2.0-or-later
/* CPU models as a table of identification registers; features follow from these. */
#ifndef TARGET_ARM_MODELS_H
#define TARGET_ARM_MODELS_H

#include "target-arm/cpu.h"

struct ArmModel {
    const char *name;
    bool aarch64, max;
    bool m_profile, m_no_user;          /* M profile; thread mode is always privileged */
    uint8_t m_regions;                  /* of the MPU, for each state */
    uint16_t sve_map;                   /* SVE: vector lengths that there are, bit n: (n + 1) * 128 bits */
    uint64_t cbar_default;
    uint32_t features32;                /* of AArch32-only models: ARM_M_* */
    ArmIdRegs id;
};

/* What the ID registers of old cores do not tell. */
enum {
    ARM_M_V5 = 1, ARM_M_V6 = 2, ARM_M_V6K = 4, ARM_M_V7 = 8, ARM_M_VFP = 16, ARM_M_NEON = 32, ARM_M_LPAE = 64, ARM_M_TIMER = 128,
    ARM_M_EL3 = 256, ARM_M_EL2 = 512, ARM_M_DIV = 1024, ARM_M_VFP4 = 2048,
    /* M profile */
    ARM_M_MAIN = 4096, ARM_M_V8M = 8192, ARM_M_SEC = 16384, ARM_M_DSP = 32768, ARM_M_DOUBLE = 65536, ARM_M_VFP5 = 131072,
};

extern const ArmModel arm_models[];
extern const unsigned arm_num_models;

const ArmModel *arm_model_find(const char *name);
/*
 * An accelerator that runs the host's processor: from here on there is this one alone, as models
 * "host" and "max". Kept; before CPUs are made.
 */
void arm_model_offer_host(const ArmIdRegs *id);
/*
 * Copies the model into a new CPU; then properties are applied, then arm_model_finish() derives the
 * rest.
 */
void arm_model_apply(ArmCpu *c, const ArmModel *m);
bool arm_model_finish(ArmCpu *c, GError **error);
const CpuModelInfo *arm_model_info(unsigned i);
void arm_models_help(GString *out);
Cpu *arm_cpu_create(Vm *vm, const char *text, GError **error);
struct json_object *arm_model_expand(const char *type, const char *model, struct json_object *props,
                                     GError **error);
bool arm_parse_switch(const char *key, const char *value, bool *on, GError **error);
/*
 * SVE's properties (models-sve.c): a word of -cpu, what follows of all of them, and how they are
 * now.
 */
bool arm_sve_has_property(const ArmModel *m, const char *name);
bool arm_sve_word(ArmCpu *c, const char *name, const char *value, GError **error);
bool arm_sve_finish(ArmCpu *c, GError **error);
void arm_sve_list(const ArmCpu *c, void (*put)(const char *name, bool on, void *opaque),
                  void *opaque);
uint64_t arm_mpidr(const ArmCpu *c);

#endif
