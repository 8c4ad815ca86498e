// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The human monitor's command line: rows collected from all folders by their linker section,
 * arguments split by the row's list, output as text.
 */
#include <json-c/json.h>
#include <string.h>

#include "monitor/internal.h"
#include "qapi/keyval.h"
#include "util/error.h"

extern const HmpCommand __start_hmp_commands[], __stop_hmp_commands[];

const HmpCommand *hmp_find(const char *name, bool info)
{
    for (const HmpCommand *c = __start_hmp_commands; c < __stop_hmp_commands; c++) {
        if (c->info == info && (strcmp(c->name, name) == 0 || g_strcmp0(c->alias, name) == 0)) {
            return c;
        }
    }
    return NULL;
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const HmpCommand *const *)a)->name, (*(const HmpCommand *const *)b)->name);
}

void hmp_foreach(bool info, void (*fn)(const HmpCommand *c, void *opaque), void *opaque)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();

    for (const HmpCommand *c = __start_hmp_commands; c < __stop_hmp_commands; c++) {
        if (c->info == info) {
            g_ptr_array_add(rows, (void *)c);
        }
    }
    g_ptr_array_sort(rows, by_name);
    for (guint i = 0; i < rows->len; i++) {
        fn(rows->pdata[i], opaque);
    }
}

/* --- arguments ------------------------------------------------------------------------------- */

const char *hmp_str(HmpCall *call, const char *name)
{
    return keyval_get(call->args, name);
}

int64_t hmp_int(HmpCall *call, const char *name, int64_t def)
{
    json_object *v;

    return json_object_object_get_ex(call->args, name, &v) ? json_object_get_int64(v) : def;
}

bool hmp_flag(HmpCall *call, const char *name)
{
    return opts_bool(call->args, name, false);
}

static void skip_space(const char **p)
{
    while (g_ascii_isspace(**p)) {
        (*p)++;
    }
}

/* A word, perhaps in double quotes with \n \r \\ \' \" in them; NULL: the quote does not end. */
static char *next_word(const char **p, GError **error)
{
    GString *out = g_string_new(NULL);

    skip_space(p);
    if (**p != '"') {
        while (**p && !g_ascii_isspace(**p)) {
            g_string_append_c(out, *(*p)++);
        }
        return g_string_free(out, FALSE);
    }
    for ((*p)++; **p && **p != '"'; (*p)++) {
        if (**p == '\\' && (*p)[1]) {
            (*p)++;
            g_string_append_c(out, **p == 'n' ? '\n' : **p == 'r' ? '\r' : **p);
        } else {
            g_string_append_c(out, **p);
        }
    }
    if (**p != '"') {
        g_string_free(out, TRUE);
        return fail_null(error, "unterminated string");
    }
    (*p)++;
    return g_string_free(out, FALSE);
}

/* "/4xw" of x, xp, p: count, format and size letters, kept as one word. */
static bool parse_format(const char **p, json_object *args, const char *name, GError **error)
{
    skip_space(p);
    if (**p != '/') {
        return true;
    }
    const char *from = ++*p;

    while (**p && !g_ascii_isspace(**p)) {
        if (!g_ascii_isdigit(**p) && !strchr("xduoicbhwgl", **p)) {
            return fail(error, "invalid char in format: '%c'", **p);
        }
        (*p)++;
    }
    json_object_object_add(args, name, json_object_new_string_len(from, (int)(*p - from)));
    return true;
}

static bool parse_value(HmpCall *call, char kind, const char *name, const char **p, GError **error)
{
    g_autofree char *word = NULL;
    json_object *v = NULL;
    int64_t n;
    uint64_t size;
    bool on;

    switch (kind) {
    case 'i':
        if (!expr_eval(call->vm, call->cpu_index, p, &n, error)) {
            return false;
        }
        v = json_object_new_int64(n);
        break;
    case 'S':
        v = json_object_new_string(*p);
        *p += strlen(*p);
        break;
    default:
        word = next_word(p, error);
        if (!word || (kind == 'o' && !size_parse_unit(word, name, MIB, &size, error))) {
            if (word) {
                g_clear_error(error);
                fail(error, "invalid size");
            }
            return false;
        }
        if (kind == 'b' && !bool_parse(word, name, &on, error)) {
            g_clear_error(error);
            return fail(error, "expected 'on' or 'off'");
        }
        v = kind == 'o' ? json_object_new_uint64(size)
            : kind == 'b' ? json_object_new_boolean(on) : json_object_new_string(word);
        break;
    }
    json_object_object_add(call->args, name, v);
    return true;
}

static bool parse_args(HmpCall *call, const HmpCommand *c, const char *p, GError **error)
{
    g_auto(GStrv) specs = g_strsplit(c->args ? c->args : "", ",", -1);

    for (unsigned i = 0; specs[i] && *specs[i]; i++) {
        char *colon = strchr(specs[i], ':');

        skip_space(&p);
        if (specs[i][0] == '-') {
            if (p[0] == '-' && p[1] == specs[i][1] && (!p[2] || g_ascii_isspace(p[2]))) {
                json_object_object_add(call->args, specs[i] + 1, json_object_new_boolean(true));
                p += 2;
            }
            continue;
        }
        g_autofree char *name = g_strndup(specs[i], (gsize)(colon - specs[i]));

        if (colon[1] == '/') {
            if (!parse_format(&p, call->args, name, error)) {
                return false;
            }
        } else if (!*p) {
            if (colon[2] == '?') {
                continue;
            }
            const char *what = colon[1] == 'F'   ? "filename"
                               : colon[1] == 'B' ? "block device name"
                                                 : "string";

            return colon[1] == 'i' || colon[1] == 'o'
                       ? fail(error, "unexpected end of expression")
                       : fail(error, "%s: %s expected", c->name, what);
        } else if (!parse_value(call, colon[1], name, &p, error)) {
            return false;
        }
    }
    skip_space(&p);
    if (*p) {
        return fail(error, "%s%s%s: extraneous characters at the end of line", c->name,
                    c->alias ? "|" : "", c->alias ? c->alias : "");
    }
    return true;
}

/*
 * --- running a line -----------------------------------------------------------------------------
 */

static void params_text(const HmpCommand *c, GString *out)
{
    g_auto(GStrv) specs = g_strsplit(c->args ? c->args : "", ",", -1);

    if (c->params) {
        g_string_append_printf(out, " %s", c->params);
        return;
    }
    for (unsigned i = 0; specs[i] && *specs[i]; i++) {
        char *colon = strchr(specs[i], ':');

        if (!colon) {
            g_string_append_printf(out, " [%s]", specs[i]);
        } else if (colon[1] == '/') {
            g_string_append(out, " /fmt");
        } else {
            bool optional = colon[2] == '?';

            g_string_append_printf(out, " %s%.*s%s", optional ? "[" : "", (int)(colon - specs[i]),
                                   specs[i], optional ? "]" : "");
        }
    }
}

static void help_line(const HmpCommand *c, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "%s%s%s%s", c->info ? "info " : "", c->name, c->alias ? "|" : "",
                           c->alias ? c->alias : "");
    params_text(c, out);
    g_string_append_printf(out, "%s-- %s\n", out->str[out->len - 1] == ' ' ? "" : " ", c->help);
}

static void help_command(HmpCall *call, GError **error)
{
    const char *name = hmp_str(call, "name");
    g_auto(GStrv) words = g_strsplit(name ? name : "", " ", 2);
    bool info = words[0] && strcmp(words[0], "info") == 0;

    if (!name || !*name) {
        hmp_foreach(false, help_line, call->out);
    } else if (info && (!words[1] || !*words[1])) {
        hmp_foreach(true, help_line, call->out);
    } else {
        const HmpCommand *c = hmp_find(info ? words[1] : name, info);

        if (c) {
            help_line(c, call->out);
        } else {
            g_string_append_printf(call->out, "unknown command: '%s'\n", name);
        }
    }
}

HMP_ROW(help, { .name = "help", .alias = "?", .args = "name:S?", .params = "[cmd]",
                .help = "show the help", .fn = help_command });

static void info_command(HmpCall *call, GError **error)
{
    hmp_foreach(true, help_line, call->out);
}

HMP_ROW(info, { .name = "info", .args = "what:S?", .params = "[subcommand]",
                .help = "show various information about the system state", .fn = info_command });

void hmp_run(Vm *vm, int *cpu_index, const char *line, GString *out)
{
    GError *error = NULL;
    const char *p = line;

    skip_space(&p);
    if (!*p || *p == '#') {
        return;
    }
    size_t n = strcspn(p, " \t/");
    g_autofree char *name = g_strndup(p, n ? n : 1);
    const HmpCommand *c = hmp_find(name, false);

    p += n ? n : 1;
    if (c && strcmp(name, "info") == 0) {
        skip_space(&p);
        size_t m = strcspn(p, " \t");

        if (m) {
            g_autofree char *what = g_strndup(p, m);

            c = hmp_find(what, true);
            p += m;
            if (!c) {
                g_string_append_printf(out, "unknown command: 'info %s'\n", what);
                return;
            }
        }
    }
    if (!c) {
        g_string_append_printf(out, "unknown command: '%s'\n", name);
        return;
    }
    HmpCall call = { .vm = vm, .cpu_index = *cpu_index, .args = json_object_new_object(),
                     .out = out };

    if (!parse_args(&call, c, p, &error)) {
        g_string_append_printf(out, "%s\nTry \"help %s%s\" for more information\n", error->message,
                               c->info ? "info " : "", c->name);
    } else {
        c->fn(&call, &error);
        if (error) {
            g_string_append_printf(out, "Error: %s\n", error->message);
        }
        *cpu_index = call.cpu_index;
    }
    g_clear_error(&error);
    json_object_put(call.args);
}

char *monitor_run_line(Vm *vm, const char *line, int cpu_index)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    hmp_run(vm, &cpu_index, line, out);
    lines = g_strsplit(out->str, "\n", -1);
    return g_strjoinv("\r\n", lines);
}
