// SPDX-License-Identifier: GPL-2.0-or-later
/* The descriptor of VMware disks: lines of text that name the extents and the parent. */
#include <stdio.h>
#include <string.h>

#include "block/formats/vmdk.h"
#include "util/cutils.h"
#include "util/error.h"

/* The value of `key=value`, without quotes; NULL: another key. */
static char *line_value(const char *line, const char *key)
{
    size_t len = strlen(key);
    char *value;

    if (g_ascii_strncasecmp(line, key, len) != 0) {
        return NULL;
    }
    line += len;
    line += strspn(line, " \t");
    if (*line != '=') {
        return NULL;
    }
    value = g_strstrip(g_strdup(line + 1));
    len = strlen(value);
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        memmove(value, value + 1, len - 2);
        value[len - 2] = 0;
    }
    return value;
}

static bool parse_hex(const char *text, uint32_t *value)
{
    char *end;
    uint64_t v = g_ascii_strtoull(text, &end, 16);

    if (end == text || *end || v > UINT32_MAX) {
        return false;
    }
    *value = (uint32_t)v;
    return true;
}

/* RW 4194304 SPARSE "name.vmdk" 0 */
static bool parse_part(const char *line, VmdkPart *p, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", 4);
    const char *rest, *end;

    if (g_strv_length(words) < 3 || !parse_u64(words[1], &p->sectors)) {
        return fail(error, "Invalid extent line: %s", line);
    }
    p->writable = strcmp(words[0], "RW") == 0;
    g_strlcpy(p->kind, words[2], sizeof(p->kind));
    if (p->sectors > VMDK_MAX_CAPACITY) {
        return fail(error, "Invalid extent line: %s", line);
    }
    if (strcmp(p->kind, "ZERO") == 0) {
        return true;
    }
    rest = words[3];
    if (!rest || rest[0] != '"' || !(end = strchr(rest + 1, '"')) || end == rest + 1) {
        return fail(error, "Invalid extent line: %s", line);
    }
    p->name = g_strndup(rest + 1, (gsize)(end - rest - 1));
    if (g_str_has_prefix(p->kind, "FLAT") || g_str_has_prefix(p->kind, "VMFS")) {
        g_autofree char *number = g_strstrip(g_strdup(end + 1));

        if ((number[0] && (!parse_u64(number, &p->offset) || p->offset > VMDK_MAX_CAPACITY)) ||
            (!number[0] && strcmp(p->kind, "FLAT") == 0)) {
            g_free(p->name);
            p->name = NULL;
            return fail(error, "Invalid extent line: %s", line);
        }
    }
    return true;
}

static bool is_part(const char *line)
{
    return g_str_has_prefix(line, "RW ") || g_str_has_prefix(line, "RDONLY ") ||
           g_str_has_prefix(line, "NOACCESS ");
}

static bool parse_line(const char *line, VmdkText *t, GError **error)
{
    g_autofree char *value = NULL;

    if (is_part(line)) {
        VmdkPart p = { 0 };

        if (t->parts->len >= VMDK_MAX_EXTENTS) {
            return fail(error, "more than %u extents", VMDK_MAX_EXTENTS);
        }
        if (!parse_part(line, &p, error)) {
            return false;
        }
        g_array_append_val(t->parts, p);
        return true;
    }
    if ((value = line_value(line, "CID"))) {
        return parse_hex(value, &t->cid) || fail(error, "Invalid CID '%s'", value);
    }
    if ((value = line_value(line, "parentCID"))) {
        return parse_hex(value, &t->parent_cid) || fail(error, "Invalid parentCID '%s'", value);
    }
    if ((value = line_value(line, "createType"))) {
        g_free(t->type);
        t->type = g_steal_pointer(&value);
        return true;
    }
    if ((value = line_value(line, "parentFileNameHint"))) {
        g_free(t->parent);
        t->parent = g_steal_pointer(&value);
    }
    return true;
}

bool vmdk_text_parse(const char *text, VmdkText *t, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    *t = (VmdkText){.parent_cid = VMDK_NO_PARENT,
                    .parts = g_array_new(FALSE, TRUE, sizeof(VmdkPart))};
    for (char **l = lines; *l; l++) {
        g_strstrip(*l);
        if (**l != '#' && **l != 0 && !parse_line(*l, t, error)) {
            vmdk_text_clear(t);
            return false;
        }
    }
    return true;
}

void vmdk_text_clear(VmdkText *t)
{
    for (unsigned i = 0; t->parts && i < t->parts->len; i++) {
        g_free(g_array_index(t->parts, VmdkPart, i).name);
    }
    if (t->parts) {
        g_array_free(t->parts, TRUE);
    }
    g_free(t->type);
    g_free(t->parent);
    *t = (VmdkText){ 0 };
}

char *vmdk_text_set_cid(const char *text, uint32_t cid, size_t max)
{
    const char *at = g_str_has_prefix(text, "CID=") ? text : strstr(text, "\nCID=");
    const char *end;
    char *made;

    if (!at) {
        return NULL;
    }
    at += *at == '\n' ? 5 : 4;
    end = at + strcspn(at, "\r\n");
    made = g_strdup_printf("%.*s%08x%s", (int)(at - text), text, cid, end);
    if (strlen(made) > max) {
        g_free(made);
        return NULL;
    }
    return made;
}
