// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing a CPU: -cpu MODEL[,feature=on|off][,prop=value], -cpu help, query-cpu-definitions and
 * query-cpu-model-expansion; and what the identification registers mean for the translator.
 */
#include "target-arm/models.h"

#include <json-c/json.h>
#include <string.h>
#include "qom/vm.h"

/* What an accelerator offers; set once, before there are CPUs. */
static ArmModel host_model = {.name = "max", .aarch64 = true};
static bool host_only;

void arm_model_offer_host(const ArmIdRegs *id)
{
    host_model.id = *id;
    host_only = true;
}

const ArmModel *arm_model_find(const char *name)
{
    if (host_only && (strcmp(name, "host") == 0 || strcmp(name, "max") == 0)) {
        return &host_model;
    }
    for (unsigned i = 0; i < arm_num_models; i++) {
        if (strcmp(arm_models[i].name, name) == 0) {
            return &arm_models[i];
        }
    }
    return NULL;
}

/* Features of AArch64 cores: register, field, least value. */
typedef struct FeatureRow {
    uint8_t feature;
    uint32_t reg;
    uint8_t shift, min;
} FeatureRow;

#define R(f) offsetof(ArmIdRegs, f)
// clang-format off
static const FeatureRow feature_rows[] = {
    {FEATURE_AES, R(isar0), 4, 1}, {FEATURE_PMULL, R(isar0), 4, 2}, {FEATURE_SHA1, R(isar0), 8, 1}, {FEATURE_SHA256, R(isar0), 12, 1},
    {FEATURE_SHA512, R(isar0), 12, 2}, {FEATURE_CRC32, R(isar0), 16, 1}, {FEATURE_LSE, R(isar0), 20, 2}, {FEATURE_RDM, R(isar0), 28, 1},
    {FEATURE_SHA3, R(isar0), 32, 1}, {FEATURE_SM3, R(isar0), 36, 1}, {FEATURE_SM4, R(isar0), 40, 1}, {FEATURE_DOTPROD, R(isar0), 44, 1},
    {FEATURE_FHM, R(isar0), 48, 1}, {FEATURE_FLAGM, R(isar0), 52, 1}, {FEATURE_FLAGM2, R(isar0), 52, 2}, {FEATURE_TLBIOS, R(isar0), 56, 1},
    {FEATURE_TLBIRANGE, R(isar0), 56, 2}, {FEATURE_RNG, R(isar0), 60, 1},
    {FEATURE_DPB, R(isar1), 0, 1}, {FEATURE_DPB2, R(isar1), 0, 2}, {FEATURE_JSCVT, R(isar1), 12, 1}, {FEATURE_FCMA, R(isar1), 16, 1},
    {FEATURE_LRCPC, R(isar1), 20, 1}, {FEATURE_LRCPC2, R(isar1), 20, 2}, {FEATURE_FRINT, R(isar1), 32, 1}, {FEATURE_SB, R(isar1), 36, 1},
    {FEATURE_PREDRES, R(isar1), 40, 1}, {FEATURE_BF16, R(isar1), 44, 1}, {FEATURE_I8MM, R(isar1), 52, 1},
    {FEATURE_HAFDBS, R(mmfr1), 0, 1}, {FEATURE_VHE, R(mmfr1), 8, 1}, {FEATURE_PAN, R(mmfr1), 20, 1}, {FEATURE_ATS1E1, R(mmfr1), 20, 2},
    {FEATURE_XNX, R(mmfr1), 28, 1}, {FEATURE_UAO, R(mmfr2), 4, 1}, {FEATURE_TTST, R(mmfr2), 28, 1},
    {FEATURE_RAS, R(pfr0), 28, 1}, {FEATURE_DIT, R(pfr0), 48, 1}, {FEATURE_SSBS, R(pfr1), 4, 2},
    {FEATURE_SVE, R(pfr0), 32, 1}, {FEATURE_SVE2, R(zfr0), 0, 1}, {FEATURE_SVE_AES, R(zfr0), 4, 1}, {FEATURE_SVE_PMULL, R(zfr0), 4, 2},
    {FEATURE_SVE_BITPERM, R(zfr0), 16, 1}, {FEATURE_SVE_BF16, R(zfr0), 20, 1}, {FEATURE_SVE_SHA3, R(zfr0), 32, 1},
    {FEATURE_SVE_SM4, R(zfr0), 40, 1}, {FEATURE_SVE_I8MM, R(zfr0), 44, 1}, {FEATURE_SVE_F32MM, R(zfr0), 52, 1},
    {FEATURE_SVE_F64MM, R(zfr0), 56, 1},
    {FEATURE_BTI, R(pfr1), 0, 1}, {FEATURE_MTE, R(pfr1), 8, 2}, {FEATURE_LOR, R(mmfr1), 16, 1}, {FEATURE_HCX, R(mmfr1), 40, 1}, {FEATURE_CSV2_2, R(pfr0), 56, 2}, {FEATURE_SEL2, R(pfr0), 36, 1},
};
// clang-format on

static void set_feature(ArmCpu *c, unsigned f, bool on)
{
    uint64_t bit = 1ull << (f % 64);

    c->features[f / 64] = on ? c->features[f / 64] | bit : c->features[f / 64] & ~bit;
}

static uint64_t field(const ArmIdRegs *id, uint32_t reg, unsigned shift)
{
    return *(const uint64_t *)((const char *)id + reg) >> shift & 15;
}

static void derive_features(ArmCpu *c)
{
    const ArmModel *m = c->model;
    uint32_t f = m->aarch64
                     ? ARM_M_V5 | ARM_M_V6 | ARM_M_V6K | ARM_M_V7 | ARM_M_VFP | ARM_M_NEON |
                           ARM_M_LPAE | ARM_M_TIMER | ARM_M_EL3 | ARM_M_EL2 | ARM_M_DIV | ARM_M_VFP4
                     : m->features32;

    c->features[0] = c->features[1] = 0;
    for (unsigned i = 0; m->aarch64 && i < ARRAY_COUNT(feature_rows); i++) {
        set_feature(c, feature_rows[i].feature,
                    field(&c->id, feature_rows[i].reg, feature_rows[i].shift) >=
                        feature_rows[i].min);
    }
    if (m->aarch64) {
        set_feature(c, FEATURE_AARCH64, true);
        set_feature(c, FEATURE_V8, true);
        set_feature(c, FEATURE_FP16, (c->id.pfr0 >> 16 & 15) == 1);
        set_feature(c, FEATURE_PAUTH, c->pauth && (c->id.isar1 & 0xff0));
        set_feature(c, FEATURE_A32_EL0, (c->id.pfr0 & 15) == 2);
        set_feature(c, FEATURE_A32_EL1, (c->id.pfr0 >> 4 & 15) == 2);
    }
    set_feature(c, FEATURE_V5, f & ARM_M_V5);
    set_feature(c, FEATURE_V6, f & ARM_M_V6);
    set_feature(c, FEATURE_V6K, f & ARM_M_V6K);
    set_feature(c, FEATURE_V6T2, f & ARM_M_V7);
    set_feature(c, FEATURE_THUMB2, f & ARM_M_V7);
    set_feature(c, FEATURE_V7, f & ARM_M_V7);
    set_feature(c, FEATURE_DIV_ARM, f & ARM_M_DIV);
    set_feature(c, FEATURE_DIV_THUMB, f & ARM_M_DIV);
    set_feature(c, FEATURE_VFP, f & ARM_M_VFP);
    set_feature(c, FEATURE_VFP3, f & ARM_M_V7 && f & ARM_M_VFP);
    set_feature(c, FEATURE_VFP4, f & ARM_M_VFP4);
    set_feature(c, FEATURE_D32, f & ARM_M_NEON);
    set_feature(c, FEATURE_NEON, f & ARM_M_NEON);
    set_feature(c, FEATURE_LPAE, f & ARM_M_LPAE);
    set_feature(c, FEATURE_GENERIC_TIMER, f & ARM_M_TIMER);
    set_feature(c, FEATURE_M, m->m_profile);
    set_feature(c, FEATURE_M_MAIN, f & ARM_M_MAIN);
    set_feature(c, FEATURE_M_V8, f & ARM_M_V8M);
    set_feature(c, FEATURE_M_SEC, f & ARM_M_SEC);
    set_feature(c, FEATURE_M_DSP, f & ARM_M_DSP && c->has_dsp);
    set_feature(c, FEATURE_VFP_DOUBLE, f & ARM_M_DOUBLE);
    set_feature(c, FEATURE_VFP5, f & ARM_M_VFP5 && c->has_vfp);
    if (m->m_profile && !c->has_vfp) {
        set_feature(c, FEATURE_VFP, false);
    }
    if (m->m_profile && f & ARM_M_DSP && !c->has_dsp) {
        /* the values of an implementation without it (DDI 0553, D1.2.115 to 117) */
        c->id.a32_isar[1] = (c->id.a32_isar[1] & ~0xf000u) | 1u << 12;
        c->id.a32_isar[2] = (c->id.a32_isar[2] & ~0xff0000u) | 0x11u << 16;
        c->id.a32_isar[3] = (c->id.a32_isar[3] & ~0xffu) | 0x10;
    }
}

void arm_model_apply(ArmCpu *c, const ArmModel *m)
{
    c->model = m;
    c->id = m->id;
    c->pauth = c->has_vfp = c->has_dsp = true;
    c->sve = m->sve_map;
}

/* ---- words of -cpu ---- */

bool arm_parse_switch(const char *key, const char *value, bool *on, GError **error)
{
    if (strcmp(value, "on") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "true") == 0) {
        *on = true;
    } else if (strcmp(value, "off") == 0 || strcmp(value, "no") == 0 ||
               strcmp(value, "false") == 0) {
        *on = false;
    } else {
        return fail(error, "Parameter '%s' expects 'on' or 'off'", key);
    }
    return true;
}

typedef struct SwitchRow {
    const char *name;
    uint32_t field;             /* offset of a bool in ArmCpu, 0: accepted and without effect */
    bool max_only;
} SwitchRow;

static const SwitchRow switches[] = {
    {"pmu", offsetof(ArmCpu, has_pmu), false}, {"aarch64", offsetof(ArmCpu, aarch64_prop), false},
    {"pauth", offsetof(ArmCpu, pauth), true}, {"pauth-impdef", offsetof(ArmCpu, pauth_impdef), true},
    {"has_el2", offsetof(ArmCpu, has_el2), false}, {"has_el3", offsetof(ArmCpu, has_el3), false},
    {"start-powered-off", offsetof(ArmCpu, start_powered_off), false}, {"cfgend", offsetof(ArmCpu, cfgend), false},
    {"reset-hivecs", offsetof(ArmCpu, reset_hivecs), false}, {"lpa2", offsetof(ArmCpu, has_lpa2), true},
    {"neon", 0, false}, {"vfp", offsetof(ArmCpu, has_vfp), false}, {"dsp", offsetof(ArmCpu, has_dsp), false}, {"has-mpu", 0, false},
    {"kvm-no-adjvtime", 0, false}, {"kvm-steal-time", 0, false},
};

static bool unknown_property(const ArmCpu *c, const char *key, GError **error)
{
    const char *names[ARRAY_COUNT(switches) + 1] = {NULL};
    g_autofree char *hint = NULL;

    for (unsigned i = 0; i < ARRAY_COUNT(switches); i++) {
        names[i] = switches[i].name;
    }
    hint = suggestion(key, names);
    return fail(error, "Property '%s.%s' not found%s", c->cpu.dev.obj.type->name, key, hint);
}

static bool apply_word(ArmCpu *c, const char *text, GError **error)
{
    g_autofree char *key = g_strdup(text);
    char *eq = strchr(key, '=');
    const char *value = eq ? eq + 1 : "on", *name = key;
    bool on;

    if (eq) {
        *eq = '\0';
    } else if (*key == '+' || *key == '-') {
        value = *key == '+' ? "on" : "off";
        name++;
    }
    if (arm_sve_has_property(c->model, name)) {
        return arm_sve_word(c, name, value, error);
    }
    if (strncmp(name, "sme", 3) == 0 && c->model->max) {
        if (!arm_parse_switch(name, value, &on, error)) {
            return false;
        }
        return !on || fail(error, "%s.%s: there is no SME here; only 'off' is possible",
                           c->cpu.dev.obj.type->name, name);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(switches); i++) {
        if (strcmp(name, switches[i].name) != 0 || (switches[i].max_only && !c->model->max)) {
            continue;
        }
        if (!arm_parse_switch(name, value, &on, error)) {
            return false;
        }
        if (switches[i].field) {
            *(bool *)((char *)c + switches[i].field) = on;
        }
        return true;
    }
    return unknown_property(c, name, error);
}

bool arm_model_finish(ArmCpu *c, GError **error)
{
    for (unsigned i = 0; c->feature_text && i < c->feature_text->len; i++) {
        if (!apply_word(c, c->feature_text->pdata[i], error)) {
            return false;
        }
    }
    if (target_arch->word_bits == 32) {
        c->aarch64_prop = false;
    }
    if (!c->model->aarch64) {
        c->aarch64_prop = false;
        c->has_el2 = c->has_el2 && c->model->features32 & ARM_M_EL2;
        c->has_el3 = c->has_el3 && c->model->features32 & ARM_M_EL3;
    }
    if (c->model->max && !c->pauth) {
        c->id.isar1 &= ~0xff000ff0ull;
    } else if (c->model->max && c->pauth_impdef) {
        c->id.isar1 = (c->id.isar1 & ~0xff000ff0ull) | 0x10000100;
    }
    if (c->has_tags && !c->model->max) {
        return fail(error, "MTE requested, but not supported by the guest CPU");
    }
    c->id.pfr1 |= c->has_tags ? 0x300 : 0;
    c->sve = c->sve && c->aarch64_prop;
    if (!arm_sve_finish(c, error)) {
        return false;
    }
    if (!c->sve) {
        c->id.pfr0 &= ~0xf00000000ull;
        c->id.zfr0 = 0;
    }
    derive_features(c);
    if (!c->has_el3 && !c->model->m_profile) {
        c->id.pfr0 &= ~0xf000ull;
        c->id.a32_pfr1 &= ~0xf0u;
        c->id.a32_dfr0 &= ~0xf0u;
    }
    if (!c->has_el2 && !c->model->m_profile) {
        c->id.pfr0 &= ~0xf00ull;
        c->id.a32_pfr1 &= ~0xf000u;
    }
    if (!c->has_pmu && !c->model->m_profile) {
        c->id.dfr0 &= ~0xf00ull;
        c->id.a32_dfr0 &= ~0xf000000u;
    }
    if (c->cntfrq == 0) {
        return fail(error, "cntfrq must not be 0");
    }
    c->gt_scale_hz = c->cntfrq;
    return true;
}

/* ---- help and lists ---- */

static bool in_this_binary(const ArmModel *m)
{
    return target_arch->word_bits == 64 || !m->aarch64 || m->max;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void arm_models_help(GString *out)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; i < arm_num_models; i++) {
        if (in_this_binary(&arm_models[i])) {
            g_ptr_array_add(names, (gpointer)arm_models[i].name);
        }
    }
    qsort(names->pdata, names->len, sizeof(void *), compare_text);
    g_string_append(out, "Available CPUs:\n");
    for (unsigned i = 0; i < names->len; i++) {
        g_string_append_printf(out, "  %s\n", (const char *)names->pdata[i]);
    }
}

static gpointer build_infos(gpointer unused)
{
    CpuModelInfo *infos = g_new0(CpuModelInfo, arm_num_models + 1);
    unsigned n = 0;

    for (unsigned i = 0; i < arm_num_models; i++) {
        if (in_this_binary(&arm_models[i])) {
            infos[n++] = (CpuModelInfo){
                .name = arm_models[i].name,
                .type_name = g_strdup_printf("%s-arm-cpu", arm_models[i].name),
                .desc = arm_models[i].name,
            };
        }
    }
    return infos;
}

const CpuModelInfo *arm_model_info(unsigned i)
{
    static GOnce once = G_ONCE_INIT;    /* the table is built once from constants */
    const CpuModelInfo *infos = g_once(&once, build_infos, NULL);

    return i < arm_num_models && infos[i].name ? &infos[i] : NULL;
}

static void *unknown_model(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;
    const CpuModelInfo *info;

    for (unsigned i = 0; (info = arm_model_info(i)) != NULL; i++) {
        g_ptr_array_add(names, (gpointer)info->name);
    }
    g_ptr_array_add(names, NULL);
    hint = suggestion(name, (const char *const *)names->pdata);
    return fail_null(error, "unable to find CPU model '%s'%s", name, hint);
}

Cpu *arm_cpu_create(Vm *vm, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autofree char *type = NULL;
    const ArmModel *m;
    ArmCpu *c;

    if (words[0] && g_str_has_suffix(words[0], "-arm-cpu")) {
        words[0][strlen(words[0]) - strlen("-arm-cpu")] = '\0';
    }
    if (!host_only && words[0] && strcmp(words[0], "host") == 0) {
        return fail_null(error, "CPU model 'host' requires KVM or HVF");
    }
    m = arm_model_find(words[0] ? words[0] : "");
    if (!m || !in_this_binary(m)) {
        return unknown_model(words[0] ? words[0] : "", error);
    }
    if (host_only && m != &host_model) {
        return fail_null(error, "KVM runs the host's processor: CPU model '%s' must be 'host'",
                         words[0]);
    }
    type = g_strdup_printf("%s-arm-cpu", m->name);
    c = (ArmCpu *)device_new(vm, type, error);
    if (!c) {
        return NULL;
    }
    c->cpu.arch = target_arch;
    arm_model_apply(c, m);
    c->feature_text = g_ptr_array_new_with_free_func(g_free);
    for (char **w = words + 1; *w; w++) {
        g_ptr_array_add(c->feature_text, g_strdup(*w));
    }
    return &c->cpu;
}

static void add_switch(const char *name, bool on, void *opaque)
{
    json_object_object_add(opaque, name, json_object_new_boolean(on));
}

/* Properties of the request, as words of -cpu. */
static bool apply_props(ArmCpu *c, struct json_object *props, GError **error)
{
    json_object_object_foreach(props, key, value)
    {
        bool known =
            (strcmp(key, "aarch64") == 0 || strcmp(key, "pmu") == 0 ||
             (c->model->max && (strcmp(key, "pauth") == 0 || strcmp(key, "pauth-impdef") == 0)) ||
             (arm_sve_has_property(c->model, key) && strcmp(key, "sve-max-vq") != 0));

        if (!known) {
            return fail(error, "Parameter '%s' is unexpected", key);
        }
        if (!json_object_is_type(value, json_type_boolean)) {
            return fail(error, "Invalid parameter type for '%s', expected: boolean", key);
        }
        if (strcmp(key, "aarch64") == 0 && !json_object_get_boolean(value)) {
            return fail(error, "'aarch64' feature cannot be disabled unless KVM is enabled and "
                               "32-bit EL1 is supported");
        }
        g_autofree char *word =
            g_strdup_printf("%s=%s", key, json_object_get_boolean(value) ? "on" : "off");

        if (!apply_word(c, word, error)) {
            return false;
        }
    }
    return true;
}

struct json_object *arm_model_expand(const char *type, const char *model, struct json_object *props,
                                     GError **error)
{
    const ArmModel *m = arm_model_find(model);
    struct json_object *out, *inner, *values;

    if (strcmp(type, "full") != 0) {
        return fail_null(error, "The requested expansion type is not supported");
    }
    if (strcmp(model, "host") == 0) {
        return fail_null(error, "The CPU type 'host' requires KVM");
    }
    if (!m) {
        return fail_null(error, "The CPU type '%s' is not a recognized ARM CPU type", model);
    }
    g_autofree ArmCpu *c = g_malloc0(sizeof(ArmCpu));

    arm_model_apply(c, m);
    c->has_pmu = true;
    if ((props && !apply_props(c, props, error)) || !arm_sve_finish(c, error)) {
        if (strchr((*error)->message, '\n')) {      /* what follows is for people */
            *strchr((*error)->message, '\n') = '\0';
        }
        return NULL;
    }
    values = json_object_new_object();
    if (m->aarch64) {
        json_object_object_add(values, "aarch64", json_object_new_boolean(true));
    }
    json_object_object_add(values, "pmu", json_object_new_boolean(c->has_pmu));
    if (m->max) {
        json_object_object_add(values, "pauth", json_object_new_boolean(c->pauth));
        json_object_object_add(values, "pauth-impdef", json_object_new_boolean(c->pauth_impdef));
    }
    arm_sve_list(c, add_switch, values);
    inner = json_object_new_object();
    json_object_object_add(inner, "name", json_object_new_string(model));
    json_object_object_add(inner, "props", values);
    out = json_object_new_object();
    json_object_object_add(out, "model", inner);
    return out;
}
