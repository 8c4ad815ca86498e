// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line: rows of qapi/options.def matched against argv, old spellings rewritten,
 * handlers called phase by phase.
 */
#include "qapi/startup.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"

extern const OptionHandler __start_option_handlers[], __stop_option_handlers[];
extern const StartHook __start_start_hooks[], __stop_start_hooks[];

typedef struct Given {
    const OptionDef *def;
    char *arg;
    char *shown;        /* as it was written, for errors */
} Given;

/* The command line and how far start-up has come: one of each in a process. */
static GArray *given;
static GPtrArray *started;

static const OptionDef *find_def(const char *name)
{
    for (const OptionDef *d = option_defs; d->name; d++) {
        if (strcmp(d->name, name) == 0 || (d->alias && strcmp(d->alias, name) == 0)) {
            return d;
        }
    }
    return NULL;
}

static const OptionHandler *find_handler(const char *name)
{
    for (const OptionHandler *h = __start_option_handlers; h < __stop_option_handlers; h++) {
        if (strcmp(h->name, name) == 0) {
            return h;
        }
    }
    return NULL;
}

void option_handlers_foreach(void (*fn)(const OptionHandler *h, void *opaque), void *opaque)
{
    for (const OptionHandler *h = __start_option_handlers; h < __stop_option_handlers; h++) {
        fn(h, opaque);
    }
}

static void add(const OptionDef *def, const char *arg, const char *shown)
{
    while (def->rewrite) {
        /* "name text": a % in the text is the argument, with its commas escaped. */
        g_auto(GStrv) parts = g_strsplit(def->rewrite, " ", 2);
        g_autofree char *escaped = keyval_escape(arg);
        g_auto(GStrv) pieces = g_strsplit(parts[1] ? parts[1] : "", "%", -1);
        char *text = g_strjoinv(strcmp(parts[1] ? parts[1] : "", "%") == 0 ? arg : escaped, pieces);

        def = find_def(parts[0]);
        Given g = { def, text, g_strdup(shown) };
        if (!def->rewrite) {
            g_array_append_val(given, g);
            return;
        }
        g_free(g.shown);
        arg = text;     /* leaks a few bytes once, at start-up */
    }
    Given g = { def, g_strdup(arg), g_strdup(shown) };

    g_array_append_val(given, g);
}

static bool unknown_option(const char *shown, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const OptionDef *d = option_defs; d->name; d++) {
        g_ptr_array_add(names, (void *)d->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *hint = suggestion(name, (const char *const *)names->pdata);

    return fail(error, "%s: invalid option%s", shown, hint);
}

bool options_parse(int argc, char **argv, GError **error)
{
    given = g_array_new(FALSE, TRUE, sizeof(Given));
    started = g_ptr_array_new();
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if (word[0] != '-' || !word[1]) {
            g_autofree char *text = keyval_escape(word);
            g_autofree char *drive = g_strdup_printf("file=%s,index=0,media=disk", text);

            add(find_def("drive"), drive, word);
            continue;
        }
        const char *name = word + 1 + (word[1] == '-');
        const OptionDef *def = find_def(name);

        if (!def) {
            return unknown_option(word, name, error);
        }
        if (!def->args) {
            add(def, "", word);
        } else if (i + 1 == argc) {
            return fail(error, "%s: requires an argument", word);
        } else {
            g_autofree char *shown = g_strdup_printf("%s %s", word, argv[i + 1]);

            add(def, argv[++i], shown);
        }
    }
    return true;
}

bool option_given(const char *name)
{
    return option_arg(name, 0) != NULL;
}

const char *option_arg(const char *name, unsigned n)
{
    for (guint i = 0; given && i < given->len; i++) { /* tools have no command line of this kind */
        Given *g = &g_array_index(given, Given, i);

        if (strcmp(g->def->name, name) == 0 && n-- == 0) {
            return g->arg;
        }
    }
    return NULL;
}

static bool device_type_given(const char *type)
{
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("device", i)) != NULL; i++) {
        g_autofree char *json = g_strdup_printf("\"driver\":\"%s\"", type);
        g_autofree char *spaced = g_strdup_printf("\"driver\": \"%s\"", type);
        size_t n = strlen(type);

        if (arg[0] == '{' ? strstr(arg, json) || strstr(arg, spaced)
                          : strncmp(arg, type, n) == 0 && (!arg[n] || arg[n] == ',')) {
            return true;
        }
    }
    return false;
}

bool option_device_given(const char *const *types)
{
    for (; *types; types++) {
        if (device_type_given(*types)) {
            return true;
        }
    }
    return false;
}

bool option_extend(const char *name, const char *id, const char *more)
{
    for (guint i = 0; i < given->len; i++) {
        Given *g = &g_array_index(given, Given, i);
        g_autoptr(GError) ignored = NULL;     /* its own handler will say it */
        json_object *kv = strcmp(g->def->name, name) == 0 && g->arg[0] != '{'
                              ? keyval_parse(g->arg, "first", &ignored) : NULL;
        bool found = kv && g_strcmp0(keyval_get(kv, "id"), id) == 0;

        json_object_put(kv);
        if (found) {
            char *longer = g_strconcat(g->arg, more, NULL);

            g_free(g->arg);
            g->arg = longer;
            return true;
        }
    }
    return false;
}

void option_add(const char *name, const char *arg)
{
    g_autofree char *shown = g_strdup_printf("-%s %s", name, arg);

    add(find_def(name), arg, shown);
}

bool options_help(struct Vm *vm, GString *out, GError **error)
{
    for (guint i = 0; i < given->len; i++) {
        Given *g = &g_array_index(given, Given, i);
        const OptionHandler *h = find_handler(g->def->name);

        if (h && h->help && keyval_wants_help(g->arg)) {
            if (!h->help(vm, g->arg, out, error)) {
                g_prefix_error(error, "%s: ", g->shown);
            }
            return true;
        }
    }
    return false;
}

static int hook_order(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const StartHook *const *)a)->name, (*(const StartHook *const *)b)->name);
}

bool startup_run_phase(struct Vm *vm, StartPhase phase, GError **error)
{
    /* By index: a handler may add options. */
    for (guint i = 0; i < given->len; i++) {
        Given g = g_array_index(given, Given, i);
        const OptionHandler *h = find_handler(g.def->name);

        if (g.def->phase != phase) {
            continue;
        }
        if (!h) {
            return fail(error, "%s: this option is not supported yet", g.shown);
        }
        if (!h->handle(vm, g.arg, error)) {
            g_prefix_error(error, "%s: ", g.shown);
            return false;
        }
    }
    g_autoptr(GPtrArray) hooks = g_ptr_array_new();

    for (const StartHook *h = __start_start_hooks; h < __stop_start_hooks; h++) {
        if (h->phase == phase) {
            g_ptr_array_add(hooks, (void *)h);
        }
    }
    g_ptr_array_sort(hooks, hook_order);
    for (guint i = 0; i < hooks->len; i++) {
        const StartHook *h = hooks->pdata[i];

        if (h->start && !h->start(vm, error)) {
            return false;
        }
        g_ptr_array_add(started, (void *)h);
    }
    return true;
}

void startup_stop(struct Vm *vm)
{
    while (started && started->len) {
        const StartHook *h = started->pdata[started->len - 1];

        g_ptr_array_remove_index(started, started->len - 1);
        if (h->stop) {
            h->stop(vm);
        }
    }
}

static bool works(const OptionDef *d)
{
    while (d->rewrite) {
        g_auto(GStrv) parts = g_strsplit(d->rewrite, " ", 2);

        d = find_def(parts[0]);
    }
    return find_handler(d->name) != NULL;
}

void options_usage(GString *out)
{
    const char *heading = NULL;

    for (const OptionDef *d = option_defs; d->name; d++) {
        heading = d->heading ? d->heading : heading;
        if (!works(d)) {
            continue;
        }
        if (heading) {
            g_string_append_printf(out, "\n%s:\n", heading);
            heading = NULL;
        }
        g_autofree char *left = d->args ? g_strdup_printf("-%s %s", d->name, d->args)
                                        : g_strdup_printf("-%s", d->name);
        g_auto(GStrv) lines = g_strsplit(d->help ? d->help : "", "\n", -1);
        unsigned i = 0;

        if (d->alias && !d->args) {
            char *both = g_strdup_printf("-%s or %s", d->alias, left);

            g_free(left);
            left = both;
        }
        if (strlen(left) < 16 && lines[0]) {
            g_string_append_printf(out, "%-15s %s", left, lines[i++]);
        } else {
            g_string_append(out, left);
        }
        g_string_append_c(out, '\n');
        for (; lines[i]; i++) {
            g_string_append_printf(out, "                %s\n", lines[i]);
        }
    }
}
