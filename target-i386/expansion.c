// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties of CPU objects beside those that do something, and query-cpu-model-expansion: a model
 * as properties of "base" (static), or as all of its properties (full). Features are those of the
 * model, not only those that exist here: query-cpu-definitions has what is unavailable.
 */
#include <json-c/json.h>
#include <string.h>
#include "target-i386/models.h"
#include "util/error.h"

/*
 * Properties of every CPU object beside features, with their values before realize; bits: of those
 * that do nothing here, how wide they are (signed: negative).
 */
static const struct {
    const char *name;
    int64_t number;
    int bits;
} numbers[] = {
    {"apic-id", UINT32_MAX},
    {"core-id", -1},
    {"die-id", -1},
    {"node-id", -1},
    {"socket-id", -1},
    {"thread-id", -1},
    {"host-phys-bits-limit", 0, 8},
    {"hv-spinlocks", UINT32_MAX, 32},
    {"hv-version-id-build", 14393, 32},
    {"hv-version-id-major", 10, 16},
    {"hv-version-id-minor", 0, 16},
    {"hv-version-id-sbranch", 0, 8},
    {"hv-version-id-snumber", 0, 32},
    {"hv-version-id-spack", 0, 32},
    {"x-hv-max-vps", -1, -32},
    {"min-xlevel2", 0},
    {"xlevel2", 0},
    {"phys-bits", 0},
    {"tsc-frequency", 0},
    {"ucode-rev", 0, 64},
};

enum {
    SWITCH_WORKS = 1,
    SWITCH_ON = 2
};

static const struct {
    const char *name;
    unsigned flags;
} switches[] = {
    {"check", SWITCH_WORKS | SWITCH_ON},
    {"cpuid-0xb", SWITCH_WORKS | SWITCH_ON},
    {"fill-mtrr-mask", SWITCH_ON},
    {"full-cpuid-auto-level", SWITCH_ON},
    {"kvm", SWITCH_ON},
    {"l3-cache", SWITCH_WORKS | SWITCH_ON},
    {"tcg-cpuid", SWITCH_WORKS | SWITCH_ON},
    {"vmware-cpuid-freq", SWITCH_ON},
    {"x-intel-pt-auto-level", SWITCH_ON},
    {"x-migrate-smi-count", SWITCH_ON},
    {"x-vendor-cpuid-only", SWITCH_ON},
    {"enforce", SWITCH_WORKS},
    {"host-phys-bits", 0},
    {"hv-apicv", 0},
    {"hv-avic", 0},
    {"hv-crash", 0},
    {"hv-emsr-bitmap", 0},
    {"hv-enforce-cpuid", 0},
    {"hv-evmcs", 0},
    {"hv-frequencies", 0},
    {"hv-ipi", 0},
    {"hv-passthrough", 0},
    {"hv-reenlightenment", 0},
    {"hv-relaxed", 0},
    {"hv-reset", 0},
    {"hv-runtime", 0},
    {"hv-stimer", 0},
    {"hv-stimer-direct", 0},
    {"hv-syndbg", 0},
    {"hv-synic", 0},
    {"hv-time", 0},
    {"hv-tlbflush", 0},
    {"hv-tlbflush-direct", 0},
    {"hv-tlbflush-ext", 0},
    {"hv-vapic", 0},
    {"hv-vpindex", 0},
    {"hv-xmm-input", 0},
    {"kvm-no-smi-migration", 0},
    {"kvm-pv-enforce-cpuid", 0},
    {"lmce", 0},
    {"start-powered-off", 0},
    {"x-force-features", 0},
    {"x-hv-synic-kvm-only", 0},
};

/* ---- as words of -cpu ---- */

static bool inert_number(const char *key, const char *value, int bits, GError **error)
{
    const char *digits = *value == '-' ? value + 1 : value;
    char *end;
    uint64_t v = g_ascii_strtoull(digits, &end, 0);

    if (end == digits || *end || (bits > 0 && *value == '-')) {
        return fail(error, "Parameter '%s' expects %s", key, bits < 0 ? "int64" : "uint64");
    }
    if (bits > 0 && bits < 64 && v >> bits) {
        return fail(error, "Parameter '%s' expects uint%d_t", key, bits);
    }
    return true;
}

static bool inert_text(const char *key, const char *value, bool *known, GError **error)
{
    *known = true;
    if (x86_same_name(key, "hv-vendor-id")) {
        if (strlen(value) > 12) {
            warn_report("hv-vendor-id truncated to 12 characters");
        }
        return true;
    }
    *known = x86_same_name(key, "hv-no-nonarch-coresharing");
    if (*known && strcmp(value, "on") != 0 && strcmp(value, "off") != 0 &&
        strcmp(value, "auto") != 0) {
        return fail(error, "Parameter '%s' does not accept value '%s'", key, value);
    }
    return true;
}

bool x86_inert_property(const X86Cpu *c, const char *key, const char *value, bool *known,
                        GError **error)
{
    bool on, max = strcmp(c->model->name, "max") == 0 || strcmp(c->model->name, "host") == 0;

    *known = true;
    for (unsigned i = 0; i < ARRAY_COUNT(numbers); i++) {
        if (numbers[i].bits && x86_same_name(key, numbers[i].name)) {
            return inert_number(key, value, numbers[i].bits, error);
        }
    }
    for (unsigned i = 0; i < ARRAY_COUNT(switches); i++) {
        if (!(switches[i].flags & SWITCH_WORKS) && x86_same_name(key, switches[i].name)) {
            return x86_parse_switch(key, value, &on, error);
        }
    }
    if (x86_same_name(key, "pmu") ||
        (max && (x86_same_name(key, "migratable") || x86_same_name(key, "host-cache-info")))) {
        return x86_parse_switch(key, value, &on, error);
    }
    return inert_text(key, value, known, error);
}

/* ---- the expansion ---- */

static void add_switch(struct json_object *to, const char *name, bool on)
{
    json_object_object_add(to, name, json_object_new_boolean(on));
}

static void add_number(struct json_object *to, const char *name, int64_t v)
{
    json_object_object_add(to, name, json_object_new_int64(v));
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, json_object_new_string(text));
}

static bool feature_on(const X86Cpu *c, unsigned w, unsigned b)
{
    return w < FW_VMX_BASIC_HIGH && (c->features[w] >> b & 1);
}

static void add_features(struct json_object *to, const X86Cpu *c)
{
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned b = 0; b < 32; b++) {
            if (x86_feature_names[w][b]) {
                add_switch(to, x86_feature_names[w][b], feature_on(c, w, b));
            }
        }
    }
}

static void add_model(struct json_object *to, const X86Model *m)
{
    add_text(to, "vendor", strcmp(m->name, "base") == 0 ? "" : m->vendor);
    add_text(to, "model-id", m->model_id);
    add_number(to, "family", m->family);
    add_number(to, "model", m->model);
    add_number(to, "stepping", m->stepping);
    add_number(to, "min-level", m->level);
    add_number(to, "min-xlevel", m->xlevel);
    add_switch(to, "lmce", false);
}

static void add_rest(struct json_object *to, const X86Cpu *c)
{
    const X86Model *m = c->model;
    bool max = strcmp(m->name, "max") == 0;

    add_number(to, "level", m->level);
    add_number(to, "xlevel", m->xlevel);
    for (unsigned i = 0; i < x86_num_feature_aliases; i++) {
        int f = x86_feature_find(x86_feature_aliases[i].feature);

        if (f >= 0) {
            add_switch(to, x86_feature_aliases[i].name,
                       feature_on(c, (unsigned)f / 32, (unsigned)f % 32));
        }
    }
    for (unsigned i = 0; i < ARRAY_COUNT(numbers); i++) {
        add_number(to, numbers[i].name, numbers[i].number);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(switches); i++) {
        add_switch(to, switches[i].name, switches[i].flags & SWITCH_ON);
    }
    add_switch(to, "realized", false);
    add_switch(to, "legacy-cache", !x86_has_own_caches(c));
    add_switch(to, "pmu", max);
    if (max) {
        add_switch(to, "migratable", true);
    }
    add_number(to, "level-func7", (c->features[FW_7_1_EAX] & 1u << 5) != 0);
    add_text(to, "hv-no-nonarch-coresharing", "off");
    add_text(to, "hv-vendor-id", "");
    json_object_object_add(to, "lbr-fmt", json_object_new_uint64(UINT64_MAX << 6));
    json_object_object_add(to, "lbr_fmt", json_object_new_uint64(UINT64_MAX << 6));
    add_text(to, "memory", "/machine/unattached/system[0]");
}

static struct json_object *properties(const X86Model *m, bool full)
{
    struct json_object *to = json_object_new_object();
    X86Cpu *c = g_new0(X86Cpu, 1);

    x86_model_apply(c, m);
    if (strcmp(m->name, "base") == 0) {
        c->features[FW_1_ECX] &= ~(1u << FEAT_HYPERVISOR % 32);
    }
    add_features(to, c);
    add_model(to, m);
    if (full) {
        add_rest(to, c);
    }
    g_free(c);
    return to;
}

struct json_object *x86_model_expand(const char *type, const char *model, struct json_object *props,
                                     GError **error)
{
    const X86Model *m = x86_model_find(model);
    bool full = strcmp(type, "static") != 0;
    struct json_object *out, *inner, *values;

    if (!m) {
        return fail_null(error, "CPU model '%s' not found", model);
    }
    values = properties(m, full);
    if (props) {
        json_object_object_foreach(props, key, value)
        {
            json_object_object_add(values, key, json_object_get(value));
        }
    }
    inner = json_object_new_object();
    add_text(inner, "name", full ? model : "base");
    json_object_object_add(inner, "props", values);
    out = json_object_new_object();
    json_object_object_add(out, "model", inner);
    return out;
}
