// SPDX-License-Identifier: GPL-2.0-or-later
/* The standard refusals of a value, and how a size is shown. */
#include "qom/object.h"

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
