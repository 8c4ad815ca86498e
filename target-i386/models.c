// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Choosing a CPU: -cpu MODEL[,+feature][,-feature][,feature=on|off][,prop=value], -cpu help, and
 * what query-cpu-definitions and query-cpu-model-expansion answer.
 */
#include "target-i386/models.h"

#include <json-c/json.h>
#include <string.h>
#include "qom/vm.h"

static const X86Model model_max = {
    .name = "max", .model_id = "QEMU TCG CPU version 2.5+", .note = "", .vendor = "AuthenticAMD",
    .level = 13, .xlevel = 0x8000000a, .family = 15, .model = 107, .stepping = 1,
};
static const X86Model model_base = {
    .name = "base", .model_id = "", .note = "", .vendor = "GenuineIntel"};

/* Set once, by an accelerator that has the host's features instead of the translator's. */
static struct {
    const uint32_t *features;
    const X86Model *host;
} offered = {.features = x86_supported_features};

const X86Model *x86_model_find(const char *name)
{
    if (offered.host && (strcmp(name, "host") == 0 || strcmp(name, "max") == 0)) {
        return offered.host;
    }
    if (strcmp(name, "max") == 0 || strcmp(name, "host") == 0) {
        return &model_max;
    }
    if (strcmp(name, "base") == 0) {
        return &model_base;
    }
    for (unsigned i = 0; i < x86_num_model_aliases; i++) {
        if (strcmp(x86_model_aliases[i].name, name) == 0) {
            name = x86_model_aliases[i].model;
            break;
        }
    }
    for (unsigned i = 0; i < x86_num_models; i++) {
        if (strcmp(x86_models[i].name, name) == 0) {
            return &x86_models[i];
        }
    }
    return NULL;
}

bool x86_same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b)) {
            return false;
        }
    }
    return *a == *b;
}

int x86_feature_find(const char *name)
{
    for (unsigned i = 0; i < x86_num_feature_aliases; i++) {
        if (x86_same_name(name, x86_feature_aliases[i].name)) {
            name = x86_feature_aliases[i].feature;
        }
    }
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned b = 0; b < 32; b++) {
            const char *n = x86_feature_names[w][b];

            if (n &&
                (x86_same_name(name, n) ||
                 (strcmp(n, "sse4.1") == 0 && x86_same_name(name, "sse4-1")) ||
                 (strcmp(n, "sse4.2") == 0 && x86_same_name(name, "sse4-2")))) {
                return X86_FEATURE(w, b);
            }
        }
    }
    return -1;
}

bool x86_has_feature(const X86Cpu *c, unsigned feature)
{
    return c->features[feature / 32] >> (feature % 32) & 1;
}

static void set_feature(uint32_t *words, unsigned feature, bool on)
{
    uint32_t bit = 1u << (feature % 32);

    words[feature / 32] = on ? words[feature / 32] | bit : words[feature / 32] & ~bit;
}

/*
 * AVX-512 is there for models that have it and for +avx512f. It is not in `max`, for it is not in
 * the reference's: what a guest of 7.2 saved must find the same registers here.
 */
static void leave_out_wide(uint32_t *words)
{
    static const unsigned wide[] = {
        FEAT_AVX512F,     FEAT_AVX512DQ,      FEAT_AVX512IFMA,       FEAT_AVX512CD,
        FEAT_AVX512BW,    FEAT_AVX512VL,      FEAT_AVX512VBMI,       FEAT_AVX512_VBMI2,
        FEAT_AVX512_VNNI, FEAT_AVX512_BITALG, FEAT_AVX512_VPOPCNTDQ,
        FEAT_AVX512_BF16, FEAT_AVX512_VP2INTERSECT,
    };

    for (unsigned n = 0; n < ARRAY_COUNT(wide); n++) {
        set_feature(words, wide[n], false);
    }
}

/* What a hardware accelerator leaves out of models unless asked for, as 7.2 does. */
static void leave_out_unasked(uint32_t *words, const X86Model *m)
{
    if (offered.host && m != offered.host) {
        set_feature(words, FEAT_ACPI, false);
        set_feature(words, FEAT_MONITOR, false);
        set_feature(words, FEAT_SVM, false);
    }
}

void x86_model_apply(X86Cpu *c, const X86Model *m)
{
    c->model = m;
    memcpy(c->features, m == &model_max ? offered.features : m->words, sizeof(c->features));
    leave_out_unasked(c->features, m);
    set_feature(c->features, FEAT_HYPERVISOR, true);
    if (m == &model_max) {
        leave_out_wide(c->features);
    }
    /* VMX only when asked for, and then all there is of it */
    set_feature(c->features, FEAT_VMX, false);
    for (unsigned w = FW_VMX_BASIC_HIGH; w <= FW_VMX_VMFUNC; w++) {
        c->features[w] = offered.features[w];
    }
    c->cpuid_level = m->level;
    c->cpuid_xlevel = m->xlevel;
    c->cpuid_version = m->stepping | (m->model & 15) << 4 | (m->model >> 4) << 16 |
                       (m->family > 15 ? 0xf00 | (m->family - 15) << 20 : m->family << 8);
    g_strlcpy(c->vendor, m->vendor, sizeof(c->vendor));
    g_strlcpy(c->model_id, m->model_id, sizeof(c->model_id));
}

/* ---- words of -cpu ---- */

/* Family, model or stepping (SDM 2A CPUID, figure 3-6). */
static bool set_version(X86Cpu *c, const char *key, uint64_t v, GError **error)
{
    uint64_t max = *key == 'f' ? 0xff + 15 : *key == 'm' ? 0xff : 15;

    if (v > max) {
        return fail(error,
                    "Property .%s doesn't take value %" PRId64 " (minimum: 0, maximum: %" PRIu64
                    ")",
                    key, (int64_t)v, max);
    }
    if (*key == 'f') {
        c->cpuid_version =
            (c->cpuid_version & ~0x0ff00f00u) | (v > 15 ? 0xf00 | (v - 15) << 20 : v << 8);
    } else if (*key == 'm') {
        c->cpuid_version = (c->cpuid_version & ~0xf00f0u) | (v & 15) << 4 | (v >> 4 & 15) << 16;
    } else {
        c->cpuid_version = (c->cpuid_version & ~15u) | (v & 15);
    }
    return true;
}

static bool set_number(X86Cpu *c, const char *key, const char *value, bool *known, GError **error)
{
    char *end;
    uint64_t v = g_ascii_strtoull(value, &end, 0);
    bool number = *value && !*end, is_signed = false;
    uint32_t *field = NULL;

    *known = true;
    if (strcmp(key, "vendor") == 0) {
        if (strlen(value) != 12) {
            return fail(error, "Property '.vendor' doesn't take value '%s'", value);
        }
        g_strlcpy(c->vendor, value, sizeof(c->vendor));
        return true;
    }
    if (strcmp(key, "model-id") == 0) {
        g_strlcpy(c->model_id, value, sizeof(c->model_id));
        return true;
    }
    if (strcmp(key, "level") == 0) {
        field = &c->cpuid_level;
    } else if (strcmp(key, "xlevel") == 0) {
        field = &c->cpuid_xlevel;
    } else if (strcmp(key, "min-level") == 0) {
        field = &c->min_level;
    } else if (strcmp(key, "min-xlevel") == 0) {
        field = &c->min_xlevel;
    } else if (strcmp(key, "phys-bits") == 0) {
        field = &c->phys_bits_opt;
    } else if (strcmp(key, "tsc-frequency") == 0 || strcmp(key, "tsc-freq") == 0) {
        c->tsc_hz = v;
        is_signed = true;
    } else if (strcmp(key, "family") == 0 || strcmp(key, "model") == 0 ||
               strcmp(key, "stepping") == 0) {
        is_signed = true;
        if (number) {
            return set_version(c, key, v, error);
        }
    } else {
        *known = false;
        return true;
    }
    if (!number) {
        return fail(error, "Parameter '%s' expects %s", key, is_signed ? "int64" : "uint64");
    }
    if (field) {
        *field = v;
    }
    return true;
}

bool x86_model_word(X86Cpu *c, const char *key, const char *value, GError **error)
{
    bool known;

    return set_number(c, key, value, &known, error);
}

static bool unknown_property(const char *type, const char *key, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;

    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned b = 0; b < 32; b++) {
            if (x86_feature_names[w][b]) {
                g_ptr_array_add(names, (gpointer)x86_feature_names[w][b]);
            }
        }
    }
    g_ptr_array_add(names, NULL);
    hint = suggestion(key, (const char *const *)names->pdata);
    return fail(error, "Property '%s.%s' not found%s", type, key, hint);
}

bool x86_parse_switch(const char *key, const char *value, bool *on, GError **error)
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

/* Switches that are no features of the processor. *known: key is one. */
static bool set_switch(X86Cpu *c, const char *key, const char *value, bool *known, GError **error)
{
    const struct {
        const char *name;
        bool *field;
        bool inverted;
    } rows[] = {
        { "check", &c->check_features, false },
        { "enforce", &c->enforce_features, false },
        { "l3-cache", &c->hide_l3, true },
        { "cpuid-0xb", &c->hide_topology, true },
        { "tcg-cpuid", &c->hide_tcg, true },
        { "legacy-cache", &c->legacy_cache, false },
    };

    *known = true;
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        bool on;

        if (x86_same_name(key, rows[i].name)) {
            if (!x86_parse_switch(key, value, &on, error)) {
                return false;
            }
            *rows[i].field = on != rows[i].inverted;
            c->legacy_cache_given |= rows[i].field == &c->legacy_cache;
            return true;
        }
    }
    *known = false;
    return true;
}

static bool set_word(X86Cpu *c, const char *text, GError **error)
{
    g_autofree char *key = g_strdup(text);
    char *eq = strchr(key, '=');
    const char *value = eq ? eq + 1 : "on";
    const char *name = key;
    bool known, on = false;
    int f;

    if (eq) {
        *eq = '\0';
        if (!set_number(c, key, value, &known, error) || known) {
            return known && *error == NULL;
        }
    } else if (*key == '+' || *key == '-') {
        value = *key == '+' ? "on" : "off";
        name = key + 1;
    }
    if (!set_switch(c, name, value, &known, error) || known) {
        return *error == NULL;
    }
    f = x86_feature_find(name);
    if (f < 0) {
        return x86_inert_property(c, name, value, &known, error) &&
               (known || unknown_property(c->cpu.dev.obj.type->name, name, error));
    }
    if (!x86_parse_switch(name, value, &on, error)) {
        return false;
    }
    set_feature(c->features, f, on);
    return true;
}

/* A word of -cpu; those with a value are called as what they are elsewhere: global properties. */
static bool apply_word(X86Cpu *c, const char *text, GError **error)
{
    if (set_word(c, text, error)) {
        return true;
    }
    if (strchr(text, '=')) {
        g_prefix_error(error, "can't apply global %s.%s: ", c->cpu.dev.obj.type->name, text);
    }
    return false;
}

/* How messages name a word; and the feature without which it says nothing (0: it stands alone). */
static const struct {
    const char *name;
    unsigned needs;
} word_info[X86_FEATURE_WORDS] = {
    [FW_1_EDX] = {"CPUID.01H:EDX", 0},
    [FW_1_ECX] = {"CPUID.01H:ECX", 0},
    [FW_7_0_EBX] = {"CPUID.07H:EBX", 0},
    [FW_7_0_ECX] = {"CPUID.07H:ECX", 0},
    [FW_7_0_EDX] = {"CPUID.07H:EDX", 0},
    [FW_7_1_EAX] = {"CPUID.07H:EAX", 0},
    [FW_8000_0001_EDX] = {"CPUID.80000001H:EDX", 0},
    [FW_8000_0001_ECX] = {"CPUID.80000001H:ECX", 0},
    [FW_8000_0007_EDX] = {"CPUID.80000007H:EDX", 0},
    [FW_8000_0008_EBX] = {"CPUID.80000008H:EBX", 0},
    [FW_8000_000A_EDX] = {"CPUID.8000000AH:EDX", 0},
    [FW_D_1_EAX] = {"CPUID.0DH:EAX", 0},
    [FW_6_EAX] = {"CPUID.06H:EAX", 0},
    [FW_C000_0001_EDX] = {"CPUID.C0000001H:EDX", 0},
    [FW_KVM_EDX] = {"CPUID.40000001H:EDX", 0},
    [FW_12_0_EAX] = {"CPUID.12H:EAX", FEAT_SGX},
    [FW_12_0_EBX] = {"CPUID.12H:EBX", FEAT_SGX},
    [FW_12_1_EAX] = {"CPUID.12H:EAX", FEAT_SGX},
    [FW_14_0_ECX] = {"CPUID.14H:ECX", FEAT_INTEL_PT},
    [FW_ARCH_CAPABILITIES] = {"MSR(10AH)", FEAT_ARCH_CAPABILITIES},
    [FW_CORE_CAPABILITY] = {"MSR(CFH)", FEAT_CORE_CAPABILITY},
    [FW_PERF_CAPABILITIES] = {"MSR(345H)", FEAT_PDCM},
    [FW_VMX_BASIC_HIGH] = {"MSR(480H)", FEAT_VMX},
    [FW_VMX_PIN] = {"MSR(48DH)", FEAT_VMX},
    [FW_VMX_PROC] = {"MSR(48EH)", FEAT_VMX},
    [FW_VMX_PROC2] = {"MSR(48BH)", FEAT_VMX},
    [FW_VMX_EXIT] = {"MSR(48FH)", FEAT_VMX},
    [FW_VMX_ENTRY] = {"MSR(490H)", FEAT_VMX},
    [FW_VMX_MISC] = {"MSR(485H)", FEAT_VMX},
    [FW_VMX_EPT] = {"MSR(48CH)", FEAT_VMX},
    [FW_VMX_VPID] = {"MSR(48CH)", FEAT_VMX},
    [FW_VMX_VMFUNC] = {"MSR(491H)", FEAT_VMX},
};

static void warn_feature(unsigned w, unsigned b, bool alone)
{
    warn_report("%s: %s.%s [bit %u]",
                alone ? "This feature depends on other features that were not requested"
                : offered.host ? "host doesn't support requested feature"
                      : "TCG doesn't support requested feature",
                word_info[w].name, x86_feature_names[w][b], b);
}

/*
 * A requested feature that is not implemented is dropped with the reference's warning. False: some
 * were.
 */
static bool filter(X86Cpu *c, bool warn)
{
    bool all = true;
    uint32_t asked[X86_FEATURE_WORDS];

    memcpy(asked, c->features, sizeof(asked));
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        uint32_t gone = asked[w] & ~offered.features[w];
        unsigned needs = word_info[w].needs;
        bool alone = needs && !(asked[needs / 32] >> needs % 32 & 1);

        c->features[w] &= offered.features[w];
        c->unavailable[w] |= gone;
        for (unsigned b = 0; b < 32; b++) {
            if (!(gone >> b & 1) || !word_info[w].name || !x86_feature_names[w][b]) {
                continue;
            }
            all &= alone;
            if (warn) {
                warn_feature(w, b, alone);
            }
        }
    }
    return all;
}

bool x86_model_finish(X86Cpu *c, GError **error)
{
    for (unsigned i = 0; c->feature_text && i < c->feature_text->len; i++) {
        if (!apply_word(c, c->feature_text->pdata[i], error)) {
            return false;
        }
    }
    if (!filter(c, c->check_features || c->enforce_features) && c->enforce_features) {
        return fail(error, "%s doesn't support requested features", offered.host ? "Host" : "TCG");
    }
    if (c->legacy_cache_given && !c->legacy_cache && !x86_has_own_caches(c)) {
        const char *type = c->cpu.dev.obj.type->name;

        return fail(error, "CPU model '%.*s' doesn't support legacy-cache=off",
                    (int)(strlen(type) - strlen(target_arch->name) - strlen("--cpu")), type);
    }
    if (target_arch->word_bits == 32) {
        set_feature(c->features, FEAT_LM, false);
    }
    if (memcmp(c->vendor, "AuthenticAMD", 12) == 0) {
        c->features[FW_8000_0001_EDX] |= c->features[FW_1_EDX] & 0x0183f3ff;
    }
    if (c->features[FW_6_EAX] && c->cpuid_level < 6) {
        c->cpuid_level = 6;
    }
    if ((c->features[FW_7_0_EBX] | c->features[FW_7_0_ECX] | c->features[FW_7_0_EDX]) &&
        c->cpuid_level < 7) {
        c->cpuid_level = 7;
    }
    /* dies are told of in leaf 1Fh */
    if (c->cpu.dev.vm && c->cpu.dev.vm->smp.dies > 1 && strcmp(c->vendor, "GenuineIntel") == 0 &&
        c->cpuid_level < 0x1f) {
        c->cpuid_level = 0x1f;
    }
    if (x86_has_feature(c, FEAT_TOPOEXT)) {
        c->cpuid_xlevel = MAX(c->cpuid_xlevel, 0x8000001eu);
    }
    c->cpuid_level = MAX(c->cpuid_level, c->min_level);
    c->cpuid_xlevel = MAX(c->cpuid_xlevel, c->min_xlevel);
    if (x86_has_feature(c, FEAT_LM)) {
        c->phys_bits = c->phys_bits_opt ? c->phys_bits_opt : 40;
        c->cpuid_xlevel = MAX(c->cpuid_xlevel, 0x80000008u);
    } else {
        c->phys_bits = x86_has_feature(c, FEAT_PSE36) ? 36 : 32;
    }
    if (c->phys_bits < 32 || c->phys_bits > 52) {
        return fail(error, "phys-bits should be between 32 and 52  (but is %u)", c->phys_bits);
    }
    if (!c->tsc_hz) {
        c->tsc_hz = NANOSECONDS_PER_SECOND;
    }
    return true;
}

/* ---- help and lists ---- */

static void help_row(GString *out, const char *name, const char *text)
{
    g_string_append_printf(out, "x86 %-20s  %s\n", name, text);
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void help_flags(GString *out)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    unsigned column = 0;

    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned b = 0; b < 32; b++) {
            if (x86_feature_names[w][b]) {
                g_ptr_array_add(names, (gpointer)x86_feature_names[w][b]);
            }
        }
    }
    qsort(names->pdata, names->len, sizeof(void *), compare_text);
    g_string_append(out, "\nRecognized CPUID flags:\n");
    for (unsigned i = 0; i < names->len; i++) {
        const char *n = names->pdata[i];

        if (column && column + strlen(n) + 1 > 75) {
            g_string_append_c(out, '\n');
            column = 0;
        }
        g_string_append_printf(out, "%s%s", column ? " " : "  ", n);
        column += strlen(n) + (column ? 1 : 2);
    }
    g_string_append(out, "\n\n");
}

void x86_models_help(GString *out)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < x86_num_models; i++) {
        const X86Model *m = &x86_models[i];

        g_ptr_array_add(rows, *m->note
                                  ? g_strdup_printf("%s\t%s [%s]", m->name, m->model_id, m->note)
                                  : g_strdup_printf("%s\t%s", m->name, m->model_id));
    }
    for (unsigned i = 0; i < x86_num_model_aliases; i++) {
        const X86ModelAlias *a = &x86_model_aliases[i];

        g_ptr_array_add(
            rows, a->fixed ? g_strdup_printf("%s\t(alias of %s)", a->name, a->model)
                           : g_strdup_printf("%s\t(alias configured by machine type)", a->name));
    }
    qsort(rows->pdata, rows->len, sizeof(void *), compare_text);
    g_string_append(out, "Available CPUs:\n");
    for (unsigned i = 0; i < rows->len; i++) {
        g_auto(GStrv) parts = g_strsplit(rows->pdata[i], "\t", 2);

        help_row(out, parts[0], parts[1]);
    }
    help_row(out, "base", "base CPU model type with no features enabled");
    help_row(out, "host", "processor with all supported host features ");
    help_row(out, "max", "Enables all features supported by the accelerator in the current host");
    help_flags(out);
}

/* NULL-terminated names of a model's features that are not implemented. */
static const char *const *unavailable(const char *name)
{
    const X86Model *m = x86_model_find(name);
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    uint32_t words[X86_FEATURE_WORDS];

    memcpy(words, m->words, sizeof(words));
    leave_out_unasked(words, m);
    if (strcmp(name, "host") == 0 && !offered.host) {
        g_ptr_array_add(list, (gpointer)"kvm");
    }
    for (unsigned w = 0; m != &model_max && w < X86_FEATURE_WORDS; w++) {
        uint32_t gone = words[w] & ~offered.features[w];

        for (unsigned b = 0; b < 32; b++) {
            if (gone >> b & 1 && x86_feature_names[w][b]) {
                g_ptr_array_add(list, (gpointer)x86_feature_names[w][b]);
            }
        }
    }
    g_ptr_array_add(list, NULL);
    return (const char *const *)g_ptr_array_free(g_steal_pointer(&list), FALSE);
}

static const char *const others[] = {"base", "max", "host"};

static gpointer build_infos(gpointer unused)
{
    unsigned n = x86_num_models + x86_num_model_aliases, all = n + ARRAY_COUNT(others);
    CpuModelInfo *infos = g_new0(CpuModelInfo, all + 1);

    for (unsigned i = 0; i < all; i++) {
        const char *name = i < x86_num_models ? x86_models[i].name
                           : i < n            ? x86_model_aliases[i - x86_num_models].name
                                              : others[i - n];
        const X86Model *m = x86_model_find(name);

        infos[i] = (CpuModelInfo){
            .name = name,
            .type_name = g_strdup_printf("%s-%s-cpu", name, target_arch->name),
            .desc = m->model_id,
            .alias_of = i >= x86_num_models && i < n
                            ? x86_model_aliases[i - x86_num_models].model
                            : NULL,
            .migration_safe = m != &model_max,
            .is_static = m == &model_base,
            .unavailable = unavailable(name),
        };
    }
    return infos;
}

const CpuModelInfo *x86_model_info(unsigned i)
{
    static GOnce once = G_ONCE_INIT;    /* the table is built once from constants */
    const CpuModelInfo *infos = g_once(&once, build_infos, NULL);

    return infos[i].name ? &infos[i] : NULL;
}

void x86_offer_features(const uint32_t *words, const X86Model *host)
{
    CpuModelInfo *infos = (CpuModelInfo *)x86_model_info(0);

    offered.features = words;
    offered.host = host;
    for (unsigned i = 0; x86_model_info(i); i++) {
        g_free((gpointer)infos[i].unavailable);
        infos[i].unavailable = unavailable(infos[i].name);
    }
}

/* ---- creation ---- */

static bool unknown_model(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *hint = NULL;
    const CpuModelInfo *info;

    for (unsigned i = 0; (info = x86_model_info(i)) != NULL; i++) {
        g_ptr_array_add(names, (gpointer)info->name);
    }
    g_ptr_array_add(names, NULL);
    hint = suggestion(name, (const char *const *)names->pdata);
    return fail(error, "unable to find CPU model '%s'%s", name, hint);
}

Cpu *x86_cpu_create(Vm *vm, const char *text, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);
    g_autofree char *type = NULL;
    const char *name = words[0] ? words[0] : "";
    char *suffix = g_strdup_printf("-%s-cpu", target_arch->name);
    X86Cpu *c;

    if (g_str_has_suffix(name, suffix)) {
        words[0][strlen(name) - strlen(suffix)] = '\0';
    }
    g_free(suffix);
    if (strcmp(name, "host") == 0 && !offered.host) {
        return fail_null(error, "CPU model 'host' requires KVM or HVF");
    }
    if (!x86_model_find(name)) {
        unknown_model(name, error);
        return NULL;
    }
    type = g_strdup_printf("%s-%s-cpu", name, target_arch->name);
    c = (X86Cpu *)device_new(vm, type, error);
    if (!c) {
        return NULL;
    }
    c->cpu.arch = target_arch;
    c->feature_text = g_ptr_array_new_with_free_func(g_free);
    for (char **w = words + 1; *w; w++) {
        if (!apply_word(c, *w, error)) {
            object_unref(&c->cpu.dev.obj);
            return NULL;
        }
        g_ptr_array_add(c->feature_text, g_strdup(*w));
    }
    return &c->cpu;
}
