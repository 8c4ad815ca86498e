// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options that stand in files or change others: -readconfig (sections [group "id"] with lines
 * key = "value"), -set group.id.key=value, and -compat.
 */
#include <json-c/json.h>
#include <string.h>

#include "qapi/startup.h"
#include "util/error.h"

/* Groups whose option has another name. */
static const struct {
    const char *group, *option;
} renamed[] = {
    { "smp-opts", "smp" }, { "boot-opts", "boot" }, { "memory", "m" },
};

/* Groups that are objects of their own and have no table of parameters. */
static const char *const plain_groups[] = {
    "device", "drive", "chardev", "netdev", "net", "nic", "object", "machine", "mon", "global", "accel",
    "fsdev", "virtfs", "audiodev", "blockdev", "rtc", "name", "sandbox", "numa", "add-fd", "msg", "overcommit",
    "fw_cfg", "action", "trace", "option-rom", "smbios", "acpi", "tpmdev", "iscsi", "vnc", "spice", "icount",
    "smp-opts", "boot-opts", "memory", NULL,
};

static const char *option_of(const char *group)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(renamed); i++) {
        if (strcmp(renamed[i].group, group) == 0) {
            return renamed[i].option;
        }
    }
    return g_strv_contains(plain_groups, group) ? group : NULL;
}

typedef struct Reader {
    const char *path;
    unsigned line;
    char *option;           /* of the section at hand; NULL: none yet */
    GString *arg;
} Reader;

static void finish(Reader *r)
{
    if (r->option && r->arg->len) {
        option_add(r->option, r->arg->str);
    }
    g_clear_pointer(&r->option, g_free);
    g_string_set_size(r->arg, 0);
}

static void append(Reader *r, const char *key, const char *value)
{
    g_autofree char *text = keyval_escape(value);

    g_string_append_printf(r->arg, "%s%s=%s", r->arg->len ? "," : "", key, text);
}

/* The text between quotes at *p, which moves behind them; NULL: there is none. */
static char *quoted(char **p)
{
    char *start = g_strchug(*p), *end = *start == '"' ? strchr(start + 1, '"') : NULL;

    if (!end) {
        return NULL;
    }
    *p = end + 1;
    return g_strndup(start + 1, (gsize)(end - start - 1));
}

static bool read_section(Reader *r, char *line, GError **error)
{
    char *rest = line + 1;
    size_t len = strcspn(rest, " ]");
    g_autofree char *group = g_strndup(rest, len);

    finish(r);
    rest += len;
    g_autofree char *id = *rest == ' ' ? quoted(&rest) : NULL;

    if (strcmp(g_strchug(rest), "]") != 0) {
        return fail(error, "%s:%u: parse error", r->path, r->line);
    }
    if (!option_of(group)) {
        g_autofree char *hint = suggestion(group, plain_groups);

        return fail(error, "%s:%u: there is no option group '%s'%s", r->path, r->line, group, hint);
    }
    r->option = g_strdup(option_of(group));
    if (id) {
        append(r, "id", id);
    }
    return true;
}

static bool read_pair(Reader *r, char *line, GError **error)
{
    char *eq = strchr(line, '=');
    char *rest = eq ? eq + 1 : NULL;
    g_autofree char *value = rest ? quoted(&rest) : NULL;

    if (!value || *g_strchug(rest)) {
        return fail(error, "%s:%u: parse error", r->path, r->line);
    }
    if (!r->option) {
        return fail(error, "%s:%u: no group defined", r->path, r->line);
    }
    *eq = '\0';
    append(r, g_strstrip(line), value);
    return true;
}

static bool opt_readconfig(struct Vm *vm, const char *arg, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) why = NULL;
    Reader r = { .path = arg, .arg = g_string_new(NULL) };
    bool good = true;

    if (!g_file_get_contents(arg, &text, NULL, &why)) {
        g_string_free(r.arg, TRUE);
        return fail(error, "Could not open '%s': %s", arg, why->message);
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (; good && lines[r.line]; ) {
        char *line = g_strstrip(lines[r.line++]);

        if (*line && *line != '#') {
            good = *line == '[' ? read_section(&r, line, error) : read_pair(&r, line, error);
        }
    }
    if (good) {
        finish(&r);
    }
    g_free(r.option);
    g_string_free(r.arg, TRUE);
    return good;
}

OPTION(readconfig, { .name = "readconfig", .handle = opt_readconfig });

static bool opt_set(struct Vm *vm, const char *arg, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(arg, "=", 2);
    g_auto(GStrv) names = g_strsplit(sides[0] ? sides[0] : "", ".", 3);

    if (g_strv_length(sides) != 2 || g_strv_length(names) != 3) {
        return fail(error, "can't parse: \"%s\"", arg);
    }
    if (!option_of(names[0])) {
        return fail(error, "there is no option group '%s'", names[0]);
    }
    g_autofree char *value = keyval_escape(sides[1]);
    g_autofree char *more = g_strdup_printf(",%s=%s", names[2], value);

    return option_extend(option_of(names[0]), names[1], more) ||
           fail(error, "there is no %s \"%s\" defined", names[0], names[1]);
}

OPTION(set, { .name = "set", .handle = opt_set });

/* No interface of ours is deprecated: there is nothing to reject or to hide. */
static bool opt_compat(struct Vm *vm, const char *arg, GError **error)
{
    static const OptDesc params[] = {
        { "deprecated-input", OPT_STRING }, { "deprecated-output", OPT_STRING },
        { "unstable-input", OPT_STRING },   { "unstable-output", OPT_STRING }, { NULL },
    };
    static const char *const input[] = { "accept", "reject", "crash", NULL };
    static const char *const output[] = { "accept", "hide", NULL };
    json_object *kv = keyval_parse(arg, NULL, error);
    bool good = kv && opts_check(kv, params, NULL, error);

    for (unsigned i = 0; good && params[i].name; i++) {
        const char *text = opts_string(kv, params[i].name, "accept");

        good = g_strv_contains(i % 2 ? output : input, text) ||
               fail(error, "Parameter '%s' does not accept value '%s'", params[i].name, text);
    }
    json_object_put(kv);
    return good;
}

OPTION(compat, { .name = "compat", .handle = opt_compat });
