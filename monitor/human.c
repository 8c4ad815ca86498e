// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The human monitor's terminal: line editing in the manner of Emacs, history, completion of
 * command names. Output lines end with CR LF.
 */
#include <string.h>

#include "chardev/mux.h"
#include "monitor/internal.h"
#include "util/error.h"

enum { MAX_LINE = 4096, MAX_HISTORY = 64 };

typedef struct Readline Readline;

struct Readline {
    GString *text;
    size_t cursor;              /* bytes from the start of text */
    GPtrArray *history;         /* char *, oldest first */
    guint at;                   /* entry on show; history->len: the line being typed */
    enum { PLAIN, ESCAPE, CSI } state;
    unsigned param;             /* number in an escape sequence */
};

static const char greeting[] = "QEMU 7.2.0 monitor - type 'help' for more information\r\n";

static void put(Monitor *m, const char *text)
{
    monitor_write(m, text, strlen(text));
}

static void prompt(Monitor *m)
{
    put(m, "(qemu) ");
}

/* Lines with \n only, as commands write them. */
static void put_lines(Monitor *m, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *out = g_strjoinv("\r\n", lines);

    put(m, out);
}

/* Shows the line from `from` on, and puts the cursor where it belongs. */
static void redraw(Monitor *m, size_t from, size_t shown_at)
{
    Readline *r = m->line;
    GString *out = g_string_new(NULL);

    for (; shown_at > from; shown_at--) {
        g_string_append(out, "\033[D");
    }
    for (; shown_at < from; shown_at++) {
        g_string_append_c(out, r->text->str[shown_at]);
    }
    g_string_append(out, r->text->str + from);
    g_string_append(out, "\033[K");
    for (size_t i = r->text->len; i > r->cursor; i--) {
        g_string_append(out, "\033[D");
    }
    monitor_write(m, out->str, out->len);
    g_string_free(out, TRUE);
}

static void replace_line(Monitor *m, const char *text)
{
    Readline *r = m->line;
    size_t was = r->cursor;

    g_string_assign(r->text, text);
    r->cursor = r->text->len;
    /* The old cursor may lie beyond the new text: go back to column 0 first. */
    for (; was > 0; was--) {
        put(m, "\033[D");
    }
    redraw(m, 0, 0);
}

static void move_to(Monitor *m, size_t to)
{
    Readline *r = m->line;
    size_t was = r->cursor;

    r->cursor = MIN(to, r->text->len);
    for (; was > r->cursor; was--) {
        put(m, "\033[D");
    }
    for (; was < r->cursor; was++) {
        put(m, "\033[C");
    }
}

static void erase(Monitor *m, size_t from, size_t len)
{
    Readline *r = m->line;
    size_t was = r->cursor;

    if (len && from + len <= r->text->len) {
        g_string_erase(r->text, (gssize)from, (gssize)len);
        r->cursor = from;
        for (; was > from; was--) {
            put(m, "\033[D");
        }
        redraw(m, from, from);
    }
}

static void insert(Monitor *m, char c)
{
    Readline *r = m->line;

    if (r->text->len < MAX_LINE) {
        size_t from = r->cursor;

        g_string_insert_c(r->text, (gssize)from, c);
        r->cursor++;
        if (r->cursor == r->text->len) {
            monitor_write(m, &c, 1);
        } else {
            redraw(m, from, from);
        }
    }
}

static void recall(Monitor *m, int step)
{
    Readline *r = m->line;

    if ((step < 0 && r->at > 0) || (step > 0 && r->at < r->history->len)) {
        r->at += (guint)step;
        replace_line(m, r->at < r->history->len ? r->history->pdata[r->at] : "");
    }
}

/*
 * --- completion --------------------------------------------------------------------------------
 */

typedef struct Completion {
    const char *prefix;
    GPtrArray *found;
} Completion;

static void match(const HmpCommand *c, void *opaque)
{
    Completion *l = opaque;

    if (g_str_has_prefix(c->name, l->prefix)) {
        g_ptr_array_add(l->found, (void *)c->name);
    }
}

static void complete(Monitor *m)
{
    Readline *r = m->line;
    bool info = r->cursor >= 5 && g_str_has_prefix(r->text->str, "info ");
    g_autofree char *prefix = g_strndup(r->text->str + (info ? 5 : 0), r->cursor - (info ? 5 : 0));
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    Completion l = { prefix, found };

    if (strchr(prefix, ' ')) {
        return;
    }
    hmp_foreach(info, match, &l);
    if (found->len == 0) {
        return;
    }
    size_t common = strlen(found->pdata[0]);

    for (guint i = 1; i < found->len; i++) {
        while (strncmp(found->pdata[0], found->pdata[i], common) != 0) {
            common--;
        }
    }
    for (size_t i = strlen(prefix); i < common; i++) {
        insert(m, ((char *)found->pdata[0])[i]);
    }
    if (found->len == 1) {
        insert(m, ' ');
    } else if (common == strlen(prefix)) {
        put(m, "\r\n");
        for (guint i = 0; i < found->len; i++) {
            put(m, found->pdata[i]);
            put(m, i + 1 < found->len ? "  " : "\r\n");
        }
        prompt(m);
        redraw(m, 0, 0);
    }
}

/*
 * --- lines ---------------------------------------------------------------------------------------
 */

static void show_history(Monitor *m)
{
    Readline *r = m->line;

    for (guint i = 0; i < r->history->len; i++) {
        g_autofree char *line = g_strdup_printf("%u: '%s'\r\n", i, (char *)r->history->pdata[i]);

        put(m, line);
    }
}

static void accept_line(Monitor *m)
{
    Readline *r = m->line;
    g_autofree char *line = g_strdup(r->text->str);
    g_autoptr(GString) out = g_string_new(NULL);

    put(m, "\r\n");
    g_strstrip(line);
    if (*line) {
        for (guint i = 0; i < r->history->len; i++) {
            if (strcmp(r->history->pdata[i], line) == 0) {
                g_ptr_array_remove_index(r->history, i);
                break;
            }
        }
        if (r->history->len == MAX_HISTORY) {
            g_ptr_array_remove_index(r->history, 0);
        }
        g_ptr_array_add(r->history, g_strdup(line));
    }
    g_string_truncate(r->text, 0);
    r->cursor = 0;
    r->at = r->history->len;
    if (strcmp(line, "info history") == 0) {
        show_history(m);
    } else {
        hmp_run(m->vm, &m->cpu_index, line, out);
        put_lines(m, out->str);
    }
    prompt(m);
}

static void csi(Monitor *m, char c)
{
    Readline *r = m->line;

    if (g_ascii_isdigit(c)) {
        r->param = r->param < 100 ? r->param * 10 + (unsigned)(c - '0') : r->param;
        return;
    }
    r->state = PLAIN;
    switch (c) {
    case 'A':
        recall(m, -1);
        break;
    case 'B':
        recall(m, 1);
        break;
    case 'C':
        move_to(m, r->cursor + 1);
        break;
    case 'D':
        move_to(m, r->cursor ? r->cursor - 1 : 0);
        break;
    case 'H':
        move_to(m, 0);
        break;
    case 'F':
        move_to(m, r->text->len);
        break;
    case '~':
        if (r->param == 1 || r->param == 7) {
            move_to(m, 0);
        } else if (r->param == 4 || r->param == 8) {
            move_to(m, r->text->len);
        } else if (r->param == 3) {
            erase(m, r->cursor, 1);
        }
        break;
    default:
        break;
    }
}

static size_t word_start(const Readline *r)
{
    size_t i = r->cursor;

    while (i > 0 && r->text->str[i - 1] == ' ') {
        i--;
    }
    while (i > 0 && r->text->str[i - 1] != ' ') {
        i--;
    }
    return i;
}

static void control(Monitor *m, char c)
{
    Readline *r = m->line;

    switch (c) {
    case 1:
        move_to(m, 0);
        break;
    case 2:
        move_to(m, r->cursor ? r->cursor - 1 : 0);
        break;
    case 4:
        erase(m, r->cursor, 1);
        break;
    case 5:
        move_to(m, r->text->len);
        break;
    case 6:
        move_to(m, r->cursor + 1);
        break;
    case 8:
    case 127:
        if (r->cursor) {
            erase(m, r->cursor - 1, 1);
        }
        break;
    case 9:
        complete(m);
        break;
    case 10:
    case 13:
        accept_line(m);
        break;
    case 11:
        erase(m, r->cursor, r->text->len - r->cursor);
        break;
    case 14:
        recall(m, 1);
        break;
    case 16:
        recall(m, -1);
        break;
    case 21:
        erase(m, 0, r->cursor);
        break;
    case 23:
        erase(m, word_start(r), r->cursor - word_start(r));
        break;
    case 27:
        r->state = ESCAPE;
        r->param = 0;
        break;
    default:
        break;
    }
}

void human_receive(Monitor *m, const uint8_t *buf, size_t len)
{
    Readline *r = m->line;

    for (size_t i = 0; i < len; i++) {
        char c = (char)buf[i];

        if (r->state == ESCAPE) {
            r->state = c == '[' || c == 'O' ? CSI : PLAIN;
        } else if (r->state == CSI) {
            csi(m, c);
        } else if (buf[i] < 32 || buf[i] == 127) {
            control(m, c);
        } else {
            insert(m, c);
        }
    }
}

void human_event(Monitor *m, ChardevEvent event)
{
    if (!m->line) {
        Readline *r = g_new0(Readline, 1);

        r->text = g_string_new(NULL);
        r->history = g_ptr_array_new_with_free_func(g_free);
        m->line = r;
    }
    bool shared = chardev_is_mux(m->fe.chr);

    if (event == CHARDEV_CLOSED) {
        m->greeted = false;
    } else if ((event == CHARDEV_OPENED && !shared) || event == CHARDEV_FOCUS_IN) {
        if (!m->greeted) {
            put(m, greeting);
            m->greeted = true;
        } else {
            put(m, "\r\n");
        }
        prompt(m);
        redraw(m, 0, 0);
    }
}

void human_free(Monitor *m)
{
    Readline *r = m->line;

    if (r) {
        g_string_free(r->text, TRUE);
        g_ptr_array_unref(r->history);
        g_free(r);
    }
}
