// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -smbios: texts and numbers that take the place of the board's in SMBIOS structures, strings of
 * structure 11, and whole structures of files.
 */
#include "hw/nvram/smbios-options.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "exec/loader.h"
#include "qapi/startup.h"
#include "util/cutils.h"
#include "util/error.h"

enum { STRUCTURE_MAX = 64 * KIB, STRING_MAX = 1024 };

typedef struct Fields {
    unsigned type;
    const OptDesc *params;
} Fields;

#define TEXT(name) { name, OPT_STRING }
static const OptDesc bios[] = { TEXT("vendor"), TEXT("version"), TEXT("date"), TEXT("release"),
                                { "uefi", OPT_BOOL }, { NULL } };
static const OptDesc machine[] = {TEXT("manufacturer"), TEXT("product"), TEXT("version"),
                                  TEXT("serial"),       TEXT("uuid"),    TEXT("sku"),
                                  TEXT("family"),       {NULL}};
static const OptDesc board[] = {
    TEXT("manufacturer"), TEXT("product"),  TEXT("version"), TEXT("serial"),
    TEXT("asset"),        TEXT("location"), {NULL}};
static const OptDesc chassis[] = {TEXT("manufacturer"), TEXT("version"), TEXT("serial"),
                                  TEXT("asset"),        TEXT("sku"),     {NULL}};
static const OptDesc cpu[] = {TEXT("sock_pfx"),
                              TEXT("manufacturer"),
                              TEXT("version"),
                              TEXT("serial"),
                              TEXT("asset"),
                              TEXT("part"),
                              {"max-speed", OPT_NUMBER},
                              {"current-speed", OPT_NUMBER},
                              {"processor-id", OPT_NUMBER},
                              {NULL}};
static const OptDesc memory[] = {TEXT("loc_pfx"),       TEXT("bank"),  TEXT("manufacturer"),
                                 TEXT("serial"),        TEXT("asset"), TEXT("part"),
                                 {"speed", OPT_NUMBER}, {NULL}};
static const Fields known[] = {{0, bios},    {1, machine}, {2, board},
                               {3, chassis}, {4, cpu},     {17, memory}};

/* What the command line said, by type; written at start-up only. */
static json_object *given[256];
static GPtrArray *strings;
static GByteArray *blobs[256];

json_object *smbios_fields(unsigned type)
{
    return given[type];
}

const char *smbios_text(unsigned type, const char *key, const char *def)
{
    return given[type] ? opts_string(given[type], key, def) : def;
}

uint64_t smbios_number(unsigned type, const char *key, uint64_t def)
{
    return given[type] ? opts_number(given[type], key, def) : def;
}

bool smbios_flag(unsigned type, const char *key)
{
    return given[type] && opts_bool(given[type], key, false);
}

GPtrArray *smbios_oem_strings(void)
{
    return strings;
}

GByteArray *smbios_blob(unsigned type)
{
    return blobs[type];
}

/* The items of "type=11,value=A,value=B,path=F"; ",," in a value is a comma. */
static bool add_strings(const char *arg, GError **error)
{
    g_autoptr(GString) item = g_string_new(NULL);

    for (const char *p = arg;; p++) {
        if (*p == ',' && p[1] == ',') {
            g_string_append_c(item, *p++);
            continue;
        }
        if (*p && *p != ',') {
            g_string_append_c(item, *p);
            continue;
        }
        if (g_str_has_prefix(item->str, "value=")) {
            g_ptr_array_add(strings, g_strdup(item->str + 6));
        } else if (g_str_has_prefix(item->str, "path=")) {
            g_autofree uint8_t *data = NULL;
            size_t len = 0;

            if (!load_file(item->str + 5, "SMBIOS string", STRING_MAX, &data, &len, error)) {
                return false;
            }
            if (memchr(data, 0, len)) {
                return fail(error, "SMBIOS string '%s' has a zero in it", item->str + 5);
            }
            g_ptr_array_add(strings, g_strndup((char *)data, len));
        } else if (!g_str_has_prefix(item->str, "type=")) {
            return fail(error, "Invalid parameter '%s'", item->str);
        }
        g_string_set_size(item, 0);
        if (!*p) {
            return true;
        }
    }
}

static bool add_file(const char *path, GError **error)
{
    g_autofree uint8_t *data = NULL;
    size_t len = 0;

    if (!load_file(path, "SMBIOS file", STRUCTURE_MAX, &data, &len, error)) {
        return false;
    }
    if (len < 4 || data[1] < 4 || data[1] > len - 2 || data[len - 1] != 0 || data[len - 2] != 0) {
        return fail(error, "SMBIOS file '%s' is no structure with its strings", path);
    }
    if (given[data[0]]) {
        return fail(error, "SMBIOS type %u: a file and fields exclude each other", data[0]);
    }
    if (!blobs[data[0]]) {
        blobs[data[0]] = g_byte_array_new();
    }
    g_byte_array_append(blobs[data[0]], data, (guint)len);
    return true;
}

static bool add_fields(unsigned type, json_object *kv, const char *arg, GError **error)
{
    if (type == 11) {
        return add_strings(arg, error);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (known[i].type != type) {
            continue;
        }
        if (blobs[type]) {
            return fail(error, "SMBIOS type %u: a file and fields exclude each other", type);
        }
        json_object_object_del(kv, "type");
        if (!opts_check(kv, known[i].params, NULL, error)) {
            return false;
        }
        const char *uuid = opts_string(kv, "uuid", NULL),
                   *release = opts_string(kv, "release", NULL);
        unsigned major, minor;

        if (uuid && !g_uuid_string_is_valid(uuid)) {
            return fail(error, "Invalid UUID");
        }
        if (release && sscanf(release, "%u.%u", &major, &minor) != 2) {
            return fail(error, "Invalid release");
        }
        if (!given[type]) {
            given[type] = json_object_new_object();
        }
        json_object_object_foreach (kv, key, value) {
            json_object_object_add(given[type], key, json_object_get(value));
        }
        return true;
    }
    return fail(error, "Don't know how to build fields for SMBIOS type %u", type);
}

static bool opt_smbios(Vm *vm, const char *arg, GError **error)
{
    json_object *kv = keyval_parse(arg, NULL, error);
    const char *file = kv ? keyval_get(kv, "file") : NULL,
               *type = kv ? keyval_get(kv, "type") : NULL;
    uint64_t n = 0;
    bool good = kv != NULL;

    if (!strings) {
        strings = g_ptr_array_new();
    }
    if (good && file) {
        good = add_file(file, error);
    } else if (good && !type) {
        good = fail(error, "Must specify type= or file=");
    } else if (good && (!parse_u64(type, &n) || n > 255)) {
        good = fail(error, "out of range!");
    } else if (good) {
        good = add_fields((unsigned)n, kv, arg, error);
    }
    json_object_put(kv);
    return good;
}

OPTION(smbios, { .name = "smbios", .handle = opt_smbios });
