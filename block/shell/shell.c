// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-io's command lines: splitting, looking up, permissions, help. */
#include "block/shell/shell.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/cutils.h"
#include "util/error.h"
#include "util/main-loop.h"

static const IoCommand *const tables[] = { io_data_commands, io_other_commands };

const IoCommand *io_find(const char *name)
{
    for (unsigned t = 0; t < ARRAY_COUNT(tables); t++) {
        for (const IoCommand *c = tables[t]; c->name; c++) {
            if (strcmp(c->name, name) == 0 || (c->alias && strcmp(c->alias, name) == 0)) {
                return c;
            }
        }
    }
    return NULL;
}

static void print_line(const IoCommand *c)
{
    printf("%s %s-- %s\n", c->name, c->args ? c->args : "", c->summary);
}

void io_usage(const IoCommand *c)
{
    print_line(c);
}

int io_fail(IoShell *s, GError *err)
{
    if (s->refused && !*s->refused) {
        *s->refused = err;
        return -EINVAL;
    }
    fprintf(stderr, "%s: %s\n", s->mistake, err->message);
    g_error_free(err);
    return -EINVAL;
}

bool io_number(const char *text, uint64_t *value)
{
    if (!parse_size(text, 1, value)) {
        bool digits = text[0] && strspn(text, "0123456789") == strlen(text);

        printf("Parsing error: %s -- %s\n", digits ? "argument too large"
               : "non-numeric argument, or extraneous/unrecognized suffix", text);
        return false;
    }
    if (*value > INT64_MAX) {
        printf("Parsing error: argument too large -- %s\n", text);
        return false;
    }
    return true;
}

char *io_size_text(double value)
{
    static const char *const units[] = { "EiB", "PiB", "TiB", "GiB", "MiB", "KiB" };

    for (unsigned i = 0; i < ARRAY_COUNT(units); i++) {
        double unit = ldexp(1, 60 - 10 * (int)i);

        if (value >= unit) {
            double in = value / unit;
            g_autofree char *text = g_strdup_printf("%.3f", in);

            return g_str_has_suffix(text, ".000") ? g_strdup_printf("%.0f %s", in, units[i])
                                                  : g_strdup_printf("%s %s", text, units[i]);
        }
    }
    return value == floor(value) ? g_strdup_printf("%.0f bytes", value)
                                 : g_strdup_printf("%f bytes", value);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const IoCommand *const *)a)->name, (*(const IoCommand *const *)b)->name);
}

/* All commands by name, or one with its text. */
static int help(int argc, char **argv)
{
    static const IoCommand self = { "help", "?", NULL, 0, 1, .args = "[command] ",
                                    .summary = "help for one or all commands" };
    const IoCommand *all[64] = { &self };
    unsigned n = 1;

    if (argc > 1) {
        const IoCommand *c = io_find(argv[1]);

        if (!c) {
            printf("command %s not found\n", argv[1]);
            return -EINVAL;
        }
        print_line(c);
        if (c->help) {
            fputs(c->help, stdout);
        }
        return 0;
    }
    for (unsigned t = 0; t < ARRAY_COUNT(tables); t++) {
        for (const IoCommand *c = tables[t]; c->name && n < ARRAY_COUNT(all); c++) {
            all[n++] = c;
        }
    }
    qsort(all, n, sizeof(all[0]), compare_names);
    for (unsigned i = 0; i < n; i++) {
        print_line(all[i]);
    }
    printf("\nUse 'help commandname' for extended help.\n");
    return 0;
}

static bool count_is_right(const IoCommand *c, int argc)
{
    int n = argc - 1;

    if (n >= c->least && (c->most < 0 || n <= c->most)) {
        return true;
    }
    if (c->most < 0) {
        fprintf(stderr, "bad argument count %d to %s, expected at least %d arguments\n", n, c->name,
                c->least);
    } else if (c->least == c->most) {
        fprintf(stderr, "bad argument count %d to %s, expected %d arguments\n", n, c->name,
                c->least);
    } else {
        fprintf(stderr, "bad argument count %d to %s, expected between %d and %d arguments\n", n,
                c->name, c->least, c->most);
    }
    return false;
}

/* The permissions that a command needs, besides reading. */
static bool take_permissions(IoShell *s, const IoCommand *c, GError **error)
{
    unsigned want = (c->writes ? BLOCK_PERM_WRITE : 0) | (c->resizes ? BLOCK_PERM_RESIZE : 0);

    if (!want || !s->edge) {
        return true;
    }
    if (s->node->read_only) {
        return fail(error, "Block node is read-only");
    }
    return s->as_device || (s->edge->perm & want) == want ||
           block_edge_set_perm(s->edge, s->edge->perm | want, s->edge->shared, error);
}

static int run_words(IoShell *s, int argc, char **argv)
{
    const IoCommand *c = io_find(argv[0]);
    GError *err = NULL;

    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "?") == 0) {
        if (argc > 2) {
            fprintf(stderr, "bad argument count %d to help, expected between 0 and 1 arguments\n",
                    argc - 1);
            return -EINVAL;
        }
        return help(argc, argv);
    }
    if (!c) {
        fprintf(stderr, "command \"%s\" not found\n", argv[0]);
        return -EINVAL;
    }
    if (!s->node && !c->can_close) {
        fprintf(stderr, "no file open, try 'help open'\n");
        return -EINVAL;
    }
    if (!count_is_right(c, argc)) {
        return -EINVAL;
    }
    if (!take_permissions(s, c, &err)) {
        return io_fail(s, err);
    }
    optind = 0;
    return c->run(s, argc, argv);
}

int io_shell_run(IoShell *s, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\n", -1);
    g_autoptr(GPtrArray) list = g_ptr_array_new();
    int ret;

    for (char **w = words; *w; w++) {
        if (**w) {
            g_ptr_array_add(list, *w);
        }
    }
    if (list->len == 0) {
        return 0;
    }
    g_ptr_array_add(list, NULL);
    ret = run_words(s, (int)list->len - 1, (char **)list->pdata);
    fflush(stdout);
    return ret;
}

void io_shell_drain(IoShell *s)
{
    while (s->in_flight) {
        main_loop_iterate(true);
    }
}
