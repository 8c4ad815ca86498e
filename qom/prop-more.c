// SPDX-License-Identifier: GPL-2.0-or-later
/* Property values with a syntax of their own: MAC addresses, PCI slots, UUIDs, links. */
#include "qom/object.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* from_json of types whose JSON form is the text of the command line. */
static bool text_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                           GError **error)
{
    if (!json_object_is_type(v, json_type_string)) {
        return prop_fail_json_type(p, "string", error);
    }
    return p->type->parse(o, p, field, json_object_get_string(v), error);
}

/* Exactly n hex bytes, each followed by one of `separators` (0: nothing) but for the last. */
static bool parse_hex_bytes(const char *text, uint8_t *out, unsigned n, const char *separators)
{
    for (unsigned i = 0; i < n; i++, text += 2) {
        if (i > 0 && separators != NULL && separators[i] != 0) {
            if (*text != separators[i] && !(separators[i] == ':' && *text == '-')) {
                return false;
            }
            text++;
        }
        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1])) {
            return false;
        }
        out[i] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
    }
    return *text == '\0';
}

/* ---- MAC addresses ---- */

static bool mac_parse(struct Object *o, const Prop *p, void *field, const char *text,
                      GError **error)
{
    uint8_t mac[6];

    if (!parse_hex_bytes(text, mac, 6, "::::::")) {
        return prop_fail_value(o, p, text, error);
    }
    memcpy(field, mac, 6);
    return true;
}

static struct json_object *mac_to_json(struct Object *o, const Prop *p, const void *field)
{
    const uint8_t *m = field;
    g_autofree char *s = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3],
                                         m[4], m[5]);

    return json_object_new_string(s);
}

const PropType prop_mac = {
    .name = "str", .parse = mac_parse, .from_json = text_from_json, .to_json = mac_to_json,
    .desc = "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56",
};

/* ---- PCI slot and function: "06.0", "6" ---- */

/* Digits with or without 0x. */
static bool parse_hex(const char *text, uint64_t max, uint64_t *value)
{
    const char *digits = text + (g_ascii_strncasecmp(text, "0x", 2) == 0 ? 2 : 0);
    g_autofree char *full = g_strdup_printf("0x%s", digits);

    return g_ascii_isxdigit(digits[0]) && parse_u64(full, value) && *value <= max;
}

static bool devfn_parse(struct Object *o, const Prop *p, void *field, const char *text,
                        GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 2);
    uint64_t slot, fn = 0;

    if (!parts[0] || !parse_hex(parts[0], 31, &slot) ||
        (parts[1] && !parse_hex(parts[1], 7, &fn))) {
        return prop_fail_value(o, p, text, error);
    }
    *(int32_t *)field = (int32_t)(slot << 3 | fn);
    return true;
}

static bool devfn_from_json(struct Object *o, const Prop *p, void *field, struct json_object *v,
                            GError **error)
{
    int64_t n;

    if (!json_object_is_type(v, json_type_int)) {
        return text_from_json(o, p, field, v, error);
    }
    n = json_object_get_int64(v);
    if (n < -1 || n > 255) {
        return prop_fail_value(o, p, json_object_get_string(v), error);
    }
    *(int32_t *)field = (int32_t)n;
    return true;
}

static struct json_object *devfn_to_json(struct Object *o, const Prop *p, const void *field)
{
    return json_object_new_int(*(const int32_t *)field);
}

static void devfn_default(struct Object *o, const Prop *p, void *field)
{
    *(int32_t *)field = (int32_t)p->def;
}

static struct json_object *devfn_default_json(const Prop *p)
{
    return json_object_new_int64(p->def);
}

static char *devfn_print(struct Object *o, const Prop *p, const void *field)
{
    int32_t v = *(const int32_t *)field;

    return v < 0 ? g_strdup("<unset>") : g_strdup_printf("%02x.%x", v >> 3, v & 7);
}

const PropType prop_pci_devfn = {
    .name = "int32", .parse = devfn_parse, .from_json = devfn_from_json,
    .to_json = devfn_to_json, .set_default = devfn_default, .print = devfn_print,
    .default_json = devfn_default_json,
    .desc = "Slot and optional function number, example: 06.0 or 06",
};

/* ---- UUIDs ---- */

static bool uuid_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    static const char dashes[16] = {[4] = '-', [6] = '-', [8] = '-', [10] = '-'};
    uint8_t uuid[16];

    if (strcmp(text, "auto") == 0) {
        for (unsigned i = 0; i < 16; i++) {
            uuid[i] = g_random_int_range(0, 256);
        }
        uuid[6] = (uuid[6] & 0x0f) | 0x40;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
    } else if (!parse_hex_bytes(text, uuid, 16, dashes)) {
        return prop_fail_value(o, p, text, error);
    }
    memcpy(field, uuid, 16);
    return true;
}

static struct json_object *uuid_to_json(struct Object *o, const Prop *p, const void *field)
{
    const uint8_t *u = field;
    GString *s = g_string_new(NULL);
    struct json_object *v;

    for (unsigned i = 0; i < 16; i++) {
        g_string_append_printf(s, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               u[i]);
    }
    v = json_object_new_string(s->str);
    g_string_free(s, TRUE);
    return v;
}

const PropType prop_uuid = {
    .name = "str", .parse = uuid_parse, .from_json = text_from_json, .to_json = uuid_to_json,
    .desc = "UUID (aka GUID) or \"auto\" for random value (default)",
};

/* ---- links ---- */

static bool link_parse(struct Object *o, const Prop *p, void *field, const char *text,
                       GError **error)
{
    bool ambiguous = false;
    Object *target = NULL;

    if (text[0] != '\0') {
        /* an id of -object or -device goes before any path */
        target = object_child(object_container("/objects"), text);
        if (target == NULL) {
            target = object_resolve(text, &ambiguous);
        }
        if (ambiguous) {
            return fail(error, "Path '%s' does not uniquely identify an object", text);
        }
        if (target == NULL) {
            return fail_class(error, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", text);
        }
        if (p->link != NULL && !type_is_a(target->type, p->link)) {
            return fail(error, "Invalid parameter type for '%s', expected: %s", p->name, p->link);
        }
    }
    object_ref(target);
    object_unref(*(Object **)field);
    *(Object **)field = target;
    return true;
}

static struct json_object *link_to_json(struct Object *o, const Prop *p, const void *field)
{
    const Object *target = *(Object *const *)field;
    g_autofree char *path = target != NULL ? object_path(target) : g_strdup("");

    return json_object_new_string(path);
}

static void link_release(void *field)
{
    object_unref(*(Object **)field);
    *(Object **)field = NULL;
}

const PropType prop_link = {
    .name = "link<object>", .parse = link_parse, .from_json = text_from_json,
    .to_json = link_to_json, .release = link_release,
};
