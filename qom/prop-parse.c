// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers, sizes and switches as people write them, and the standard refusals of a value. */
#include "qom/object.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool prop_fail_value(struct Object *o, const Prop *p, const char *text, GError **error)
{
    return fail(error, "Property '%s.%s' doesn't take value '%s'", o->type->name, p->name, text);
}

bool prop_fail_json_type(const Prop *p, const char *expected, GError **error)
{
    return fail(error, "Invalid parameter type for '%s', expected: %s", p->name, expected);
}

bool prop_fail_find(struct Object *o, const Prop *p, const char *text, GError **error)
{
    return fail(error, "Property '%s.%s' can't find value '%s'", o->type->name, p->name, text);
}

bool parse_u64(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0';
}

bool parse_i64(const char *text, int64_t *value)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoll(text, &end, 0);
    return errno == 0 && end != text && *end == '\0';
}

bool parse_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"on", "yes", "true", "y"};
    static const char *const no[] = {"off", "no", "false", "n"};

    for (unsigned i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *value = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* The factor of a size suffix, 0: no such suffix. */
static uint64_t size_factor(const char *suffix, uint64_t unit)
{
    static const char letters[] = "bkmgtpe";
    const char *at;

    if (suffix[0] == '\0') {
        return unit;
    }
    at = suffix[1] == '\0' ? strchr(letters, g_ascii_tolower(suffix[0])) : NULL;
    return at == NULL ? 0 : 1ull << (10 * (at - letters));
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes)
{
    char *end;
    uint64_t whole, factor;
    double fraction = 0;

    errno = 0;
    if (!g_ascii_isdigit(text[0])) {
        return false;
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        whole = g_ascii_strtoull(text, &end, 16);
        factor = *end == '\0' ? unit : 0;
    } else {
        whole = g_ascii_strtoull(text, &end, 10);
        if (*end == '.') {
            const char *dot = end;

            fraction = g_ascii_strtod(dot, &end);
            if (end == dot + 1 || fraction >= 1) {
                return false;
            }
        }
        factor = size_factor(end, unit);
    }
    if (errno != 0 || factor == 0 || whole > UINT64_MAX / factor ||
        (fraction != 0 && factor == 1)) {
        return false;
    }
    *bytes = whole * factor + (uint64_t)(fraction * (double)factor);
    return *bytes >= whole * factor;
}

char *size_text(uint64_t bytes)
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    unsigned i = 0;
    double v = (double)bytes;

    while (v >= 1000 && i + 1 < G_N_ELEMENTS(units)) {
        v /= 1024;
        i++;
    }
    return g_strdup_printf("%0.3g %sB", v, units[i]);
}
