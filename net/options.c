// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev, -nic and -net: back ends from options, the NICs that a board is asked for, and what a
 * machine has when nothing was said.
 */
#include <stdio.h>
#include <string.h>

#include "net-internal.h"
#include "qapi/keyval.h"
#include "qapi/startup.h"
#include "qom/device.h"
#include "qom/vm.h"
#include "util/error.h"

extern const NetdevType *const __start_netdev_types[], *const __stop_netdev_types[];

static const NetdevType *find_type(const char *name)
{
    for (const NetdevType *const *t = __start_netdev_types; t < __stop_netdev_types; t++) {
        if (strcmp((*t)->name, name) == 0) {
            return *t;
        }
    }
    return NULL;
}

static char *suggest_key(const NetdevType *t, const char *key)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (const char *const *k = t->keys; k && *k; k++) {
        g_ptr_array_add(names, (gpointer)*k);
    }
    for (const char *const *k = t->lists; k && *k; k++) {
        g_ptr_array_add(names, (gpointer)*k);
    }
    g_ptr_array_add(names, NULL);
    return suggestion(key, (const char *const *)names->pdata);
}

/* ---- texts to objects ---- */

/* "v,k=v,k=v": keys that come again make an array of them all. Values double their commas. */
static struct json_object *parse_repeated(const char *text, const char *implied, GError **error)
{
    struct json_object *kv = keyval_parse(text, implied, error);
    g_autoptr(GString) item = g_string_new(NULL);
    const char *p = text;

    if (!kv) {
        return NULL;
    }
    /* keyval_parse kept the last of each: gather the others of the same key in order */
    while (*p) {
        g_string_truncate(item, 0);
        for (; *p && !(*p == ',' && p[1] != ','); p++) {
            p += *p == ',';
            g_string_append_c(item, *p);
        }
        p += *p == ',';
        const char *eq = strchr(item->str, '=');

        if (eq) {
            g_autofree char *key = g_strndup(item->str, (gsize)(eq - item->str));
            g_autofree char *all = g_strconcat("+", key, NULL);
            struct json_object *list;

            if (!json_object_object_get_ex(kv, all, &list)) {
                list = json_object_new_array();
                json_object_object_add(kv, all, list);
            }
            json_object_array_add(list, json_object_new_string(eq + 1));
        }
    }
    return kv;
}

/* A list in JSON's form, [{"str": "..."}] or texts, as an array of texts. */
static struct json_object *text_list(struct json_object *value)
{
    struct json_object *out = json_object_new_array(), *str;

    if (!json_object_is_type(value, json_type_array)) {
        json_object_array_add(out, json_object_new_string(json_object_get_string(value)));
        return out;
    }
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *v = json_object_array_get_idx(value, i);

        if (json_object_is_type(v, json_type_object) && json_object_object_get_ex(v, "str", &str)) {
            v = str;
        }
        json_object_array_add(out, json_object_new_string(json_object_get_string(v)));
    }
    return out;
}

/* {"addr": {"type": "inet"}} as the command line has it: "addr.type". Consumes o. */
static struct json_object *flatten(struct json_object *o)
{
    struct json_object *flat = json_object_new_object();

    json_object_object_foreach (o, key, value) {
        if (!json_object_is_type(value, json_type_object)) {
            json_object_object_add(flat, key, json_object_get(value));
            continue;
        }
        json_object_object_foreach (value, name, inner) {
            g_autofree char *both = g_strconcat(key, ".", name, NULL);

            json_object_object_add(flat, both, json_object_get(inner));
        }
    }
    json_object_put(o);
    return flat;
}

/* The members that type t knows, as texts and arrays of texts; NULL + error for others. */
static struct json_object *check_options(const NetdevType *t, struct json_object *o, GError **error)
{
    struct json_object *kv = json_object_new_object(), *all;

    json_object_object_foreach (o, key, value) {
        bool list = t->lists && g_strv_contains(t->lists, key);
        g_autofree char *repeated = g_strconcat("+", key, NULL);

        if (key[0] == '+' || strcmp(key, "type") == 0 || strcmp(key, "id") == 0) {
            continue;
        }
        if (!list && !g_strv_contains(t->keys, key)) {
            g_autofree char *hint = suggest_key(t, key);

            json_object_put(kv);
            return fail_null(error, "Invalid parameter '%s'%s", key, hint);
        }
        if (list) {
            json_object_object_add(
                kv, key, text_list(json_object_object_get_ex(o, repeated, &all) ? all : value));
        } else if (json_object_is_type(value, json_type_boolean)) {
            json_object_object_add(
                kv, key, json_object_new_string(json_object_get_boolean(value) ? "on" : "off"));
        } else {
            json_object_object_add(kv, key, json_object_new_string(json_object_get_string(value)));
        }
    }
    return kv;
}

NetClient *netdev_create(struct json_object *o, GError **error)
{
    const char *type = keyval_get(o, "type"), *id = keyval_get(o, "id");
    const NetdevType *t = type ? find_type(type) : NULL;
    struct json_object *kv;
    NetClient *c;

    if (!type) {
        return fail_null(error, "Parameter 'type' is missing");
    }
    if (!t) {
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        for (const NetdevType *const *n = __start_netdev_types; n < __stop_netdev_types; n++) {
            g_ptr_array_add(names, (gpointer)(*n)->name);
        }
        g_ptr_array_add(names, NULL);
        g_autofree char *hint = suggestion(type, (const char *const *)names->pdata);

        return fail_null(error, "Parameter 'type' does not accept value '%s'%s", type, hint);
    }
    if (!id) {
        return fail_null(error, "Parameter 'id' is missing");
    }
    if (netdev_find(id)) {
        return fail_null(error, "Duplicate ID '%s' for netdev", id);
    }
    struct json_object *flat = flatten(json_object_get(o));

    kv = check_options(t, flat, error);
    json_object_put(flat);
    c = kv ? t->create(id, kv, error) : NULL;
    json_object_put(kv);
    if (c) {
        net_backend_add(c);
    }
    return c;
}

bool netdev_add_option(const char *text, GError **error)
{
    struct json_object *o =
        text[0] == '{' ? json_from_text(text, error) : parse_repeated(text, "type", error);
    NetClient *c = o ? netdev_create(o, error) : NULL;

    json_object_put(o);
    return c != NULL;
}

void net_cleanup(void)
{
    NetClient *c;

    while ((c = netdev_nth(0)) != NULL) {
        net_backend_remove(c);
    }
}

/* ---- -nic, -net ---- */

/* What the command line said so far; one command line. */
static struct {
    bool any;                   /* one of the options was given: no default NIC */
    bool none;
    unsigned made_up;           /* ids */
    GQueue nics;                /* -net nic without a back end: struct json_object * */
    GQueue backends;            /* -net user and the like without a NIC: NetClient * */
} said = { .nics = G_QUEUE_INIT, .backends = G_QUEUE_INIT };

static bool take_text(struct json_object *o, const char *key, char **text)
{
    const char *value = keyval_get(o, key);
    g_autofree char *all = g_strconcat("+", key, NULL);

    g_free(*text);
    *text = g_strdup(value);
    json_object_object_del(o, key);
    json_object_object_del(o, all);
    return *text != NULL;
}

/* An id for a back end that was given none. */
static void make_up_id(struct json_object *o)
{
    if (!keyval_get(o, "id")) {
        g_autofree char *id = g_strdup_printf("#net%03u", said.made_up++);

        json_object_object_add(o, "id", json_object_new_string(id));
    }
}

static bool check_mac(const char *mac, GError **error)
{
    unsigned m[6];
    int n = 0;

    if (mac && (sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x%n", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5],
                       &n) != 6 ||
                mac[n] != '\0')) {
        return fail(error, "invalid syntax for ethernet address");
    }
    if (mac && (m[0] & 1)) {
        return fail(error, "NIC cannot have multicast MAC address (odd 1st byte)");
    }
    return true;
}

static bool opt_netdev(Vm *vm, const char *arg, GError **error)
{
    said.any = true;
    return netdev_add_option(arg, error);
}

static bool opt_nic(Vm *vm, const char *arg, GError **error)
{
    struct json_object *o = parse_repeated(arg, "type", error);
    g_autofree char *model = NULL, *mac = NULL, *addr = NULL;
    NetClient *c;
    bool good = o != NULL;

    said.any = true;
    if (o && g_strcmp0(keyval_get(o, "type"), "none") == 0) {
        said.none = true;
    } else if (o) {
        take_text(o, "model", &model);
        take_text(o, "mac", &mac);
        take_text(o, "addr", &addr);
        make_up_id(o);
        c = check_mac(mac, error) ? netdev_create(o, error) : NULL;
        good = c != NULL;
        if (c) {
            net_request_nic(model, c->name, mac);
        }
    }
    json_object_put(o);
    return good;
}

static bool opt_net(Vm *vm, const char *arg, GError **error)
{
    struct json_object *o = parse_repeated(arg, "type", error);
    const char *type = o ? keyval_get(o, "type") : NULL;
    bool good = o != NULL;

    said.any = true;
    if (!o) {
        return false;
    }
    if (!type) {
        good = fail(error, "Parameter 'type' is missing");
    } else if (strcmp(type, "none") == 0) {
        said.none = true;
    } else if (strcmp(type, "nic") == 0) {
        good = check_mac(keyval_get(o, "macaddr"), error);
        if (good) {
            g_queue_push_tail(&said.nics, json_object_get(o));
        }
    } else {
        make_up_id(o);
        NetClient *c = netdev_create(o, error);

        good = c != NULL;
        if (c) {
            g_queue_push_tail(&said.backends, c);
        }
    }
    json_object_put(o);
    return good;
}

static unsigned unpaired_nics(void)
{
    unsigned n = 0;

    for (GList *l = said.nics.head; l; l = l->next) {
        n += keyval_get(l->data, "netdev") == NULL;
    }
    return n;
}

/* Pairs the NICs and back ends of -net, and adds the default pair. */
static bool settle_nics(Vm *vm, GError **error)
{
    struct json_object *o;

    /* one of each makes a pair; more of them meet at hub 0 */
    bool hub = unpaired_nics() > 1 || said.backends.length > 1;
    NetClient *c;

    while ((o = g_queue_pop_head(&said.nics)) != NULL) {
        const char *netdev = keyval_get(o, "netdev");

        if (!netdev) {
            c = hub ? net_hub_port(NULL, error) : g_queue_pop_head(&said.backends);
            if (hub && !c) {
                return false;
            }
            netdev = c ? c->name : NULL;
        }
        net_request_nic(keyval_get(o, "model"), netdev, keyval_get(o, "macaddr"));
        json_object_put(o);
    }
    while (hub && (c = g_queue_pop_head(&said.backends)) != NULL) {
        if (!net_hub_port(c->name, error)) {
            return false;
        }
    }
    if (!said.any && vm->use_default_devices && find_type("user")) {
        g_autofree char *id = g_strdup_printf("#net%03u", said.made_up++);
        g_autofree char *text = g_strdup_printf("user,id=%s", id);

        if (!netdev_add_option(text, error)) {
            return false;
        }
        net_request_nic(NULL, id, NULL);
    }
    return true;
}

/* All devices are there: what is connected to nothing is worth a word. */
static bool warn_unconnected(Vm *vm, GError **error)
{
    NetClient *c;

    for (unsigned i = 0; (c = netdev_nth(i)) != NULL; i++) {
        if (!c->peer && c->name[0] != '#') {
            warn_report("netdev %s has no peer", c->name);
        }
    }
    for (unsigned i = 0; (c = net_nic_nth(i)) != NULL; i++) {
        if (!c->peer) {
            warn_report("nic %s has no peer", c->name);
        }
    }
    return true;
}

static void net_stop(Vm *vm)
{
    net_cleanup();
}

static bool help_netdev(Vm *vm, const char *arg, GString *out, GError **error)
{
    g_string_append(out, "Available netdev backend types:\n");
    for (const NetdevType *const *t = __start_netdev_types; t < __stop_netdev_types; t++) {
        g_string_append_printf(out, "%s\n", (*t)->name);
    }
    return true;
}

static bool list_nic(const ObjectType *t, ObjectKind kind, void *opaque)
{
    if (kind == KIND_DEVICE && g_strcmp0(((const DeviceType *)t)->category, "network") == 0 &&
        device_type_pluggable((const DeviceType *)t) && type_is_a(t, "pci-device")) {
        g_string_append_printf(opaque, "%s\n", t->name);
    }
    return true;
}

static bool help_nic(Vm *vm, const char *arg, GString *out, GError **error)
{
    if (!strstr(arg, "model=help") && !strstr(arg, "model=?")) {
        return help_netdev(vm, arg, out, error);
    }
    g_string_append(out, "Supported NIC models:\n");
    type_foreach(list_nic, out);
    return true;
}

OPTION(netdev, { .name = "netdev", .handle = opt_netdev, .help = help_netdev });
OPTION(nic, { .name = "nic", .handle = opt_nic, .help = help_nic });
OPTION(net, { .name = "net", .handle = opt_net, .help = help_nic });
START_HOOK(net_nics, {.phase = START_NET, .name = "nics", .start = settle_nics, .stop = net_stop});
START_HOOK(net_warn, { .phase = START_DONE, .name = "net-warn", .start = warn_unconnected });
