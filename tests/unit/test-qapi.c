// SPDX-License-Identifier: GPL-2.0-or-later
/* The conversion between JSON and C, key=value text, sizes, JSON text. */
#include <json-c/json.h>

#include "qapi/keyval.h"
#include "qapi/qapi-types.h"
#include "qapi/qmp.h"
#include "util/error.h"

static void expect_error(const QapiType *t, const char *json, const char *message)
{
    g_autoptr(GError) error = NULL;
    json_object *v = json_from_text(json, &error);
    void *slot = NULL;

    g_assert_no_error(error);
    g_assert_false(qapi_from_json(t, v, &slot, &error));
    g_assert_null(slot);
    g_assert_cmpstr(error->message, ==, message);
    json_object_put(v);
}

static void test_errors(void)
{
    const QapiType *t = &qapi_type_ChardevBackend;

    expect_error(t, "[]", "Invalid parameter type for '', expected: object");
    expect_error(t, "{}", "Parameter 'type' is missing");
    expect_error(t, "{\"type\": \"foo\"}", "Parameter 'type' does not accept value 'foo'");
    expect_error(t, "{\"type\": \"file\", \"data\": {}}", "Parameter 'data.out' is missing");
    expect_error(t, "{\"type\": \"file\", \"data\": {\"out\": 3}}",
                 "Invalid parameter type for 'data.out', expected: string");
    expect_error(t, "{\"type\": \"file\", \"data\": {\"out\": \"x\", \"z\": 1}}",
                 "Parameter 'data.z' is unexpected");
    expect_error(&qapi_type_SchemaInfoEnum, "{\"members\": [3], \"values\": []}",
                 "Invalid parameter type for 'members[0]', expected: object");
    expect_error(&qapi_type_SchemaInfoEnum,
                 "{\"members\": [{\"name\": \"a\"}, {\"name\": \"b\", \"x\": 1}], \"values\": []}",
                 "Parameter 'members[1].x' is unexpected");
    expect_error(&qapi_type_VersionTriple, "{\"major\": 1.5, \"minor\": 0, \"micro\": 0}",
                 "Invalid parameter type for 'major', expected: integer");
    expect_error(&qapi_type_InetSocketAddress, "{\"host\": \"\", \"port\": \"\", \"to\": 70000}",
                 "Parameter 'to' expects uint16");
}

static void test_round_trip(void)
{
    static const char text[] =
        "{\"type\": \"socket\", \"data\": {\"logfile\": \"l\", \"addr\": {\"type\": \"inet\", "
        "\"data\": {\"host\": \"h\", \"port\": \"1\", \"ipv4\": true}}, \"server\": false}}";
    g_autoptr(GError) error = NULL;
    json_object *v = json_from_text(text, &error);
    ChardevBackend *b = NULL;

    g_assert_true(qapi_from_json(&qapi_type_ChardevBackend, v, &b, &error));
    g_assert_cmpint(b->type, ==, CHARDEV_BACKEND_KIND_SOCKET);
    g_assert_cmpstr(b->u.socket->data->addr->u.inet->data->host, ==, "h");
    g_assert_true(b->u.socket->data->has_server);
    g_assert_false(b->u.socket->data->has_wait);
    json_object *back = qapi_to_json(&qapi_type_ChardevBackend, &b);
    g_autofree char *out = json_to_text(back);
    g_assert_cmpstr(out, ==, text);
    json_object_put(back);
    json_object_put(v);
    QAPI_FREE(ChardevBackend, b);
}

static void check_kv(bool nested, const char *text, const char *implied, const char *expected)
{
    g_autoptr(GError) error = NULL;
    json_object *v = nested ? keyval_parse_nested(text, implied, &error)
                            : keyval_parse(text, implied, &error);
    g_autofree char *out = v ? json_to_text(v) : g_strdup(error->message);

    g_assert_cmpstr(out, ==, expected);
    json_object_put(v);
}

static void test_keyval(void)
{
    check_kv(false, "a,b=c", "x", "{\"x\": \"a\", \"b\": \"c\"}");
    check_kv(false, "a=1,,2,on,nowait", NULL,
             "{\"a\": \"1,2\", \"on\": \"on\", \"wait\": \"off\"}");
    check_kv(false, "a.b=1", NULL, "{\"a.b\": \"1\"}");
    check_kv(false, "", "x", "{}");
    check_kv(true, "a.b=1,a.c=2", NULL, "{\"a\": {\"b\": \"1\", \"c\": \"2\"}}");
    check_kv(true, "a.1=y,a.0=x", NULL, "{\"a\": [\"x\", \"y\"]}");
    check_kv(true, "a=1,a.b=2", NULL, "Parameters 'a.*' used inconsistently");
    check_kv(true, "a.0=1,a.2=2", NULL, "Parameter '1' is missing");
    g_assert_true(keyval_wants_help("x,help"));
    g_assert_true(keyval_wants_help("?"));
    g_assert_false(keyval_wants_help("x=help"));
}

static void check_size(const char *text, bool good, uint64_t expected)
{
    g_autoptr(GError) error = NULL;
    uint64_t n = 0;

    g_assert_cmpint(size_parse(text, "s", &n, &error), ==, good);
    g_assert_cmpuint(n, ==, expected);
}

static void test_size(void)
{
    check_size("512", true, 512);
    check_size("1.5G", true, 3ULL << 29);
    check_size("2k", true, 2048);
    check_size("0x10", true, 16);
    check_size("15E", true, 15ULL << 60);
    check_size("16E", false, 0);
    check_size("-1", false, 0);
    check_size("1Q", false, 0);
    check_size("", false, 0);
    check_size("1GB", false, 0);
}

static void test_json(void)
{
    json_object *v = json_object_new_string("a\"\\\n\x01\xc3\xa4\xf0\x9f\x98\x80");
    g_autofree char *out = json_to_text(v);
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(out, ==, "\"a\\\"\\\\\\n\\u0001\\u00E4\\uD83D\\uDE00\"");
    json_object_put(v);
    /* broken UTF-8: in the middle, cut off before another character, cut off at the end */
    static const char *const broken[][2] = {
        { "a\x80\x80z", "\"a\\uFFFDz\"" }, { "a\xc3 z", "\"a\\uFFFD z\"" },
        { "\xe2\x82\"", "\"\\uFFFD\\\"\"" }, { "\xf0\x9f", "\"\\uFFFD\"" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++) {
        v = json_object_new_string(broken[i][0]);
        g_autofree char *text = json_to_text(v);

        g_assert_cmpstr(text, ==, broken[i][1]);
        json_object_put(v);
    }
    g_assert_null(json_from_text("{\"a\": 1", &error));
    g_clear_error(&error);
    g_assert_null(json_from_text("{} x", &error));
}

/* Clients put what query-qmp-schema says into a table by name. */
static void test_schema(void)
{
    json_object *schema = qmp_schema();
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (size_t i = 0; i < json_object_array_length(schema); i++) {
        json_object *o = json_object_array_get_idx(schema, i);
        const char *name = json_object_get_string(json_object_object_get(o, "name"));

        g_assert_nonnull(json_object_object_get(o, "meta-type"));
        if (!g_hash_table_add(names, (gpointer)name)) {
            g_error("%s is there twice", name);
        }
    }
    json_object_put(schema);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qapi/errors", test_errors);
    g_test_add_func("/qapi/round-trip", test_round_trip);
    g_test_add_func("/qapi/keyval", test_keyval);
    g_test_add_func("/qapi/size", test_size);
    g_test_add_func("/qapi/json", test_json);
    g_test_add_func("/qapi/schema", test_schema);
    return g_test_run();
}
