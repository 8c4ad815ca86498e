// SPDX-License-Identifier: GPL-2.0-or-later
/* CPU models and feature names, as tables. */
#ifndef TARGET_I386_MODELS_H
#define TARGET_I386_MODELS_H

#include "target-i386/cpu.h"

struct X86Model {
    const char *name, *model_id, *note, *vendor;
    uint32_t level, xlevel;
    uint32_t family, model, stepping;
    uint32_t words[X86_FEATURE_WORDS];
};

typedef struct X86ModelAlias {
    const char *name, *model;
    bool fixed;              /* else "configured by machine type" */
} X86ModelAlias;

typedef struct X86FeatureAlias {
    const char *name, *feature;
} X86FeatureAlias;

extern const X86Model x86_models[];
extern const unsigned x86_num_models;
extern const X86ModelAlias x86_model_aliases[];
extern const unsigned x86_num_model_aliases;
extern const char *const x86_feature_names[X86_FEATURE_WORDS][32];
extern const X86FeatureAlias x86_feature_aliases[];
extern const unsigned x86_num_feature_aliases;
/* What the translator implements. */
extern const uint32_t x86_supported_features[X86_FEATURE_WORDS];
/*
 * An accelerator has others, and models "host" and "max" that are the host's. Kept; before CPUs are
 * made.
 */
void x86_offer_features(const uint32_t *words, const X86Model *host);

/* The row of a name or alias; "max" and "base" have rows of their own. NULL: unknown. */
const X86Model *x86_model_find(const char *name);
/* Underscores count as dashes. */
bool x86_same_name(const char *a, const char *b);
/* on, off and their like. */
bool x86_parse_switch(const char *key, const char *value, bool *on, GError **error);
/*
 * A property that exists and does nothing here (interfaces of Hyper-V and the like); its value is
 * checked. *known: it is one. False: the value is no good.
 */
bool x86_inert_property(const X86Cpu *c, const char *key, const char *value, bool *known,
                        GError **error);
/* X86_FEATURE() number of a feature's name (underscores count as dashes), -1: unknown. */
int x86_feature_find(const char *name);
/* Copies the model into a new CPU; features are not filtered yet. */
void x86_model_apply(X86Cpu *c, const X86Model *m);
/* One word of -cpu that takes a value ("level", "vendor"). */
bool x86_model_word(X86Cpu *c, const char *key, const char *value, GError **error);
/* Properties of all CPU types: those of the model and `others`. For the process's lifetime. */
const Prop *x86_model_props(const Prop *others);
/* Applies feature_text, filters, derives levels. */
bool x86_model_finish(X86Cpu *c, GError **error);

/* cpu-plug.c. Settles index, APIC ID and place of a CPU that is being realized. */
bool x86_cpu_place(X86Cpu *c, GError **error);
/* The board learns of it: it runs now, or it is gone. */
void x86_cpu_tell_slots(X86Cpu *c, bool plugged);
bool x86_cpu_unplug_request(Device *d, GError **error);
/* Whether the model says itself what caches it has (legacy-cache=off). */
bool x86_has_own_caches(const X86Cpu *c);
/* Whether this binary has the model: 64-bit ones need not run on i386 but their names exist. */
const CpuModelInfo *x86_model_info(unsigned i);
void x86_models_help(GString *out);
Cpu *x86_cpu_create(Vm *vm, const char *text, GError **error);
struct json_object *x86_model_expand(const char *type, const char *model, struct json_object *props,
                                     GError **error);

#endif
