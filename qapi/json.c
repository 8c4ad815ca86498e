// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON text: the writer in the form that the wire has always had (scripts grep in it), and a
 * strict reader of one whole text.
 */
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "qapi/keyval.h"
#include "qapi/qapi.h"
#include "util/error.h"

enum { MAX_DEPTH = 64 };

static void append_string(GString *out, const char *text)
{
    const char *next;

    g_string_append_c(out, '"');
    for (const char *p = text; *p; p = next) {
        gunichar c = g_utf8_get_char_validated(p, -1);

        next = g_utf8_next_char(p);
        switch (c) {
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        case '\b':
            g_string_append(out, "\\b");
            break;
        case '\f':
            g_string_append(out, "\\f");
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\r':
            g_string_append(out, "\\r");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        default:
            if (c == (gunichar)-1 || c == (gunichar)-2) {
                g_string_append(out, "\\uFFFD");
                if (c == (gunichar)-2) {
                    g_string_append_c(out, '"');
                    return;     /* a cut-off sequence at the end */
                }
                for (next = p + 1; (*next & 0xc0) == 0x80; next++) {
                    /* what belongs to the broken sequence */
                }
            } else if (c > 0xffff) {
                c -= 0x10000;
                g_string_append_printf(out, "\\u%04X\\u%04X", 0xd800 + (c >> 10),
                                       0xdc00 + (c & 0x3ff));
            } else if (c < 0x20 || c >= 0x7f) {
                g_string_append_printf(out, "\\u%04X", c);
            } else {
                g_string_append_c(out, (char)c);
            }
        }
    }
    g_string_append_c(out, '"');
}

static void separate(GString *out, bool first, bool pretty, int depth)
{
    if (!first) {
        g_string_append(out, pretty ? "," : ", ");
    }
    if (pretty) {
        g_string_append_printf(out, "\n%*s", depth * 4, "");
    }
}

static void append(GString *out, json_object *value, bool pretty, int depth)
{
    bool first = true;

    switch (json_object_get_type(value)) {
    case json_type_string:
        append_string(out, json_object_get_string(value));
        break;
    case json_type_double: {
        char buf[G_ASCII_DTOSTR_BUF_SIZE];
        double d = json_object_get_double(value);

        g_string_append(out, isfinite(d) ? g_ascii_dtostr(buf, sizeof(buf), d) : "0");
        break;
    }
    case json_type_array:
        g_string_append_c(out, '[');
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            separate(out, first, pretty, depth + 1);
            append(out, json_object_array_get_idx(value, i), pretty, depth + 1);
            first = false;
        }
        if (pretty) {
            g_string_append_printf(out, "\n%*s", depth * 4, "");
        }
        g_string_append_c(out, ']');
        break;
    case json_type_object:
        g_string_append_c(out, '{');
        json_object_object_foreach (value, key, item) {
            separate(out, first, pretty, depth + 1);
            append_string(out, key);
            g_string_append(out, ": ");
            append(out, item, pretty, depth + 1);
            first = false;
        }
        if (pretty) {
            g_string_append_printf(out, "\n%*s", depth * 4, "");
        }
        g_string_append_c(out, '}');
        break;
    default:
        g_string_append(out, json_object_to_json_string(value));
        break;
    }
}

void json_append(GString *out, json_object *value, bool pretty)
{
    append(out, value, pretty, 0);
}

char *json_to_text(json_object *value)
{
    GString *out = g_string_new(NULL);

    json_append(out, value, false);
    return g_string_free(out, FALSE);
}

json_object *json_from_text(const char *text, GError **error)
{
    json_tokener *tok = json_tokener_new_ex(MAX_DEPTH);
    size_t len = strlen(text);
    json_object *value = len > G_MAXINT32 ? NULL : json_tokener_parse_ex(tok, text, (int)len);
    enum json_tokener_error err = json_tokener_get_error(tok);
    size_t end = json_tokener_get_parse_end(tok);

    json_tokener_free(tok);
    if (err != json_tokener_success) {
        fail(error, "JSON parse error, %s",
             err == json_tokener_continue ? "text ends too early" : json_tokener_error_desc(err));
        return NULL;
    }
    for (; text[end]; end++) {
        if (!g_ascii_isspace(text[end])) {
            json_object_put(value);
            fail(error, "JSON parse error, stray '%s'", text + end);
            return NULL;
        }
    }
    return value;
}
