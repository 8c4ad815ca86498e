// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A CPU's model as properties: each feature by its names, and what else -cpu takes, so that
 * -global, -device and introspection know of them. The model's own values are there before any of
 * them is set.
 */
#include <json-c/json.h>
#include <string.h>
#include "target-i386/models.h"

/* ---- features: Prop.offset is the word, Prop.bit the bit ---- */

static void put_bit(const Prop *p, void *field, bool on)
{
    uint32_t bit = 1u << p->bit, *word = field;

    *word = on ? *word | bit : *word & ~bit;
}

static bool feature_parse(struct Object *o, const Prop *p, void *field, const char *text,
                          GError **error)
{
    bool on;

    if (!prop_bool.parse(o, p, &on, text, error)) {
        return false;
    }
    put_bit(p, field, on);
    return true;
}

static bool feature_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                              GError **error)
{
    bool on;

    if (!prop_bool.from_json(o, p, &on, v, error)) {
        return false;
    }
    put_bit(p, field, on);
    return true;
}

static struct json_object *feature_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_boolean(*(const uint32_t *)field >> p->bit & 1);
}

static const PropType prop_feature = {
    .name = "bool", .parse = feature_parse, .from_json = feature_from_json, .to_json = feature_to_json,
};

/* ---- words of -cpu with a value ---- */

static bool word_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    return x86_model_word((X86Cpu *)o, p->name, text, error);
}

static bool word_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                           GError **error)
{
    bool number = p->type->name[0] != 's';

    if (json_object_get_type(v) != (number ? json_type_int : json_type_string)) {
        return prop_fail_json_type(p, number ? "integer" : "string", error);
    }
    return x86_model_word((X86Cpu *)o, p->name, json_object_get_string(v), error);
}

static struct json_object *text_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_string(field);
}

static struct json_object *number_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_int64(*(const uint32_t *)field);
}

/* Family, model and stepping share a word (SDM 2A CPUID, figure 3-6). */
static struct json_object *version_to_json(struct Object *o, const Prop *p, const void *field)
{
    uint32_t v = *(const uint32_t *)field, family = v >> 8 & 15;

    switch (p->name[0]) {
    case 'f':
        return json_object_new_int64(family + (family == 15 ? v >> 20 & 0xff : 0));
    case 'm':
        return json_object_new_int64((v >> 4 & 15) | (v >> 12 & 0xf0));
    default:
        return json_object_new_int64(v & 15);
    }
}

static struct json_object *frequency_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_uint64(*(const uint64_t *)field);
}

/* Names of the features that were asked for and are not there. */
static struct json_object *unavailable_to_json(struct Object *o, const Prop *p, const void *field)
{
    struct json_object *list = json_object_new_array();
    const uint32_t *words = field;

    for (unsigned f = 0; f < X86_FEATURE_WORDS * 32; f++) {
        if (words[f / 32] >> f % 32 & 1 && x86_feature_names[f / 32][f % 32]) {
            json_object_array_add(list, json_object_new_string(x86_feature_names[f / 32][f % 32]));
        }
    }
    return list;
}

/* Words of CPUID as "feature-words" and "filtered-features" list them; in none: 0. */
static const struct {
    const char *reg;
    uint32_t leaf;
    int8_t subleaf, word;               /* -1: none */
} feature_words[] = {
    {"EDX", 13, 1, -1},
    {"ECX", 13, 1, -1},
    {"EAX", 18, 1, FW_12_1_EAX},
    {"EBX", 18, 0, FW_12_0_EBX},
    {"EAX", 18, 0, FW_12_0_EAX},
    {"ECX", 20, 0, FW_14_0_ECX},
    {"EDX", 13, 0, -1},
    {"EAX", 13, 0, FW_XCR0_LO},
    {"EAX", 6, -1, FW_6_EAX},
    {"EAX", 13, 1, FW_D_1_EAX},
    {"EDX", 0x8000000a, -1, FW_8000_000A_EDX},
    {"EDX", 0x40000001, -1, FW_KVM_EDX},
    {"EAX", 0x40000001, -1, FW_KVM_EAX},
    {"EDX", 0xc0000001, -1, FW_C000_0001_EDX},
    {"EBX", 0x80000008, -1, FW_8000_0008_EBX},
    {"EDX", 0x80000007, -1, FW_8000_0007_EDX},
    {"ECX", 0x80000001, -1, FW_8000_0001_ECX},
    {"EDX", 0x80000001, -1, FW_8000_0001_EDX},
    {"EAX", 7, 1, FW_7_1_EAX},
    {"EDX", 7, 0, FW_7_0_EDX},
    {"ECX", 7, 0, FW_7_0_ECX},
    {"EBX", 7, 0, FW_7_0_EBX},
    {"ECX", 1, -1, FW_1_ECX},
    {"EDX", 1, -1, FW_1_EDX},
};

static struct json_object *words_to_json(struct Object *o, const Prop *p, const void *field)
{
    struct json_object *list = json_object_new_array();
    const uint32_t *words = field;
    const X86Cpu *c = (X86Cpu *)o;

    for (unsigned n = 0; n < ARRAY_COUNT(feature_words); n++) {
        int word = feature_words[n].word;
        uint64_t v = word < 0                                     ? 0
                     : word == FW_XCR0_LO && words == c->features ? x86_xcr0_supported(c)
                                                                  : words[word];
        struct json_object *entry = json_object_new_object();

        json_object_object_add(entry, "cpuid-register",
                               json_object_new_string(feature_words[n].reg));
        if (feature_words[n].subleaf >= 0) {
            json_object_object_add(entry, "cpuid-input-ecx",
                                   json_object_new_int(feature_words[n].subleaf));
        }
        json_object_object_add(entry, "cpuid-input-eax",
                               json_object_new_int64(feature_words[n].leaf));
        json_object_object_add(entry, "features", json_object_new_uint64(v));
        json_object_array_add(list, entry);
    }
    return list;
}

/* The first property: the type's model comes into the new CPU before other properties do. */
static void model_default(struct Object *o, const Prop *p, void *field)
{
    g_autofree char *name =
        g_strndup(o->type->name, strlen(o->type->name) - strlen(target_arch->name) - 5);

    x86_model_apply((X86Cpu *)o, x86_model_find(name));
}

static const PropType prop_vendor = {
    .name = "string", .parse = word_parse, .from_json = word_from_json, .to_json = text_to_json, .set_default = model_default,
};
static const PropType prop_text = {
    .name = "string", .parse = word_parse, .from_json = word_from_json, .to_json = text_to_json,
};
static const PropType prop_version = {
    .name = "int", .parse = word_parse, .from_json = word_from_json, .to_json = version_to_json,
};
static const PropType prop_number = {
    .name = "uint32", .parse = word_parse, .from_json = word_from_json, .to_json = number_to_json,
};
static const PropType prop_frequency = {
    .name = "int", .parse = word_parse, .from_json = word_from_json, .to_json = frequency_to_json,
};

static const PropType prop_unavailable = {.name = "strList", .to_json = unavailable_to_json};

static const PropType prop_words = {.name = "X86CPUFeatureWordInfo", .to_json = words_to_json};

static const Prop fixed[] = {
    PROP(X86Cpu, vendor, "vendor", prop_vendor),
    PROP(X86Cpu, model_id, "model-id", prop_text),
    PROP(X86Cpu, cpuid_version, "family", prop_version),
    PROP(X86Cpu, cpuid_version, "model", prop_version),
    PROP(X86Cpu, cpuid_version, "stepping", prop_version),
    PROP(X86Cpu, cpuid_level, "level", prop_number),
    PROP(X86Cpu, cpuid_xlevel, "xlevel", prop_number),
    PROP(X86Cpu, tsc_hz, "tsc-frequency", prop_frequency),
    PROP_U32(X86Cpu, min_level, "min-level", 0),
    PROP_U32(X86Cpu, min_xlevel, "min-xlevel", 0),
    PROP_U32(X86Cpu, phys_bits_opt, "phys-bits", 0),
    PROP(X86Cpu, unavailable, "unavailable-features", prop_unavailable, .flags = PROP_READ_ONLY),
    PROP(X86Cpu, features, "feature-words", prop_words, .flags = PROP_READ_ONLY),
    PROP(X86Cpu, unavailable, "filtered-features", prop_words, .flags = PROP_READ_ONLY),
    PROP_BOOL(X86Cpu, check_features, "check", true),
    PROP_BOOL(X86Cpu, enforce_features, "enforce", false),
};

static void add_feature(GArray *props, const char *name, unsigned feature)
{
    Prop p = {
        .name = name,
        .type = &prop_feature,
        .offset = offsetof(X86Cpu, features) + feature / 32 * sizeof(uint32_t),
        .bit = (uint8_t)(feature % 32),
    };

    for (unsigned i = 0; i < props->len; i++) {
        if (strcmp(g_array_index(props, Prop, i).name, name) == 0) {
            return;                     /* two bits of one name: the first */
        }
    }
    g_array_append_val(props, p);
}

const Prop *x86_model_props(const Prop *others)
{
    GArray *props = g_array_new(true, true, sizeof(Prop));

    g_array_append_vals(props, fixed, ARRAY_COUNT(fixed));
    for (; others->name; others++) {
        g_array_append_val(props, *others);
    }
    for (unsigned f = 0; f < X86_FEATURE_WORDS * 32; f++) {
        if (x86_feature_names[f / 32][f % 32]) {
            add_feature(props, x86_feature_names[f / 32][f % 32], f);
        }
    }
    for (unsigned i = 0; i < x86_num_feature_aliases; i++) {
        add_feature(props, x86_feature_aliases[i].name,
                    (unsigned)x86_feature_find(x86_feature_aliases[i].feature));
    }
    return (const Prop *)g_array_free(props, false);
}
