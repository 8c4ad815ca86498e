// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The QMP wire: requests are JSON objects in a stream of bytes from somebody we do not trust.
 * What cannot be parsed is answered with an error, and the rest of that line is skipped.
 */
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "exec/cpu.h"
#include "monitor/internal.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"
#include "util/fdset.h"

enum { MAX_DEPTH = 256, MAX_MESSAGE = 64 * 1024 * 1024 };

void qmp_send(Monitor *m, json_object *value)
{
    GString *text = g_string_new(NULL);

    json_append(text, value, m->pretty);
    g_string_append(text, "\r\n");
    monitor_write(m, text->str, text->len);
    g_string_free(text, TRUE);
}

static json_object *version_json(void)
{
    json_object *v = json_object_new_object(), *q = json_object_new_object();

    json_object_object_add(q, "micro", json_object_new_int(0));
    json_object_object_add(q, "minor", json_object_new_int(2));
    json_object_object_add(q, "major", json_object_new_int(7));
    json_object_object_add(v, "qemu", q);
    json_object_object_add(v, "package", json_object_new_string(""));
    return v;
}

static json_object *wrap(const char *key, json_object *value)
{
    json_object *o = json_object_new_object();

    json_object_object_add(o, key, value);
    return o;
}

void qmp_opened(Monitor *m)
{
    m->negotiated = false;
    m->skipping = false;
    m->fed = 0;
    if (!m->parser) {
        m->parser = json_tokener_new_ex(MAX_DEPTH);
    }
    json_tokener_reset(m->parser);
    json_object *hello = wrap("version", version_json());

    json_object_object_add(hello, "capabilities", json_object_new_array());
    hello = wrap("QMP", hello);
    qmp_send(m, hello);
    json_object_put(hello);
}

/* Takes err. id may be NULL: none was given. */
static void send_error(Monitor *m, GError *err, bool has_id, json_object *id)
{
    json_object *e = json_object_new_object(), *o = json_object_new_object();

    json_object_object_add(e, "class",
                           json_object_new_string(error_class_name(
                               err->domain == EMU_ERROR ? err->code : ERROR_GENERIC)));
    json_object_object_add(e, "desc", json_object_new_string(err->message));
    if (has_id) {
        json_object_object_add(o, "id", json_object_get(id));
    }
    json_object_object_add(o, "error", e);
    qmp_send(m, o);
    json_object_put(o);
    g_error_free(err);
}

/* Checks the members of a request; the command's name or NULL. */
static const char *check_request(json_object *req, json_object **args, GError **error)
{
    const char *name = NULL;

    *args = NULL;
    if (!json_object_is_type(req, json_type_object)) {
        return fail_null(error, "QMP input must be a JSON object");
    }
    json_object_object_foreach (req, key, value) {
        if (strcmp(key, "execute") == 0) {
            if (!json_object_is_type(value, json_type_string)) {
                return fail_null(error, "QMP input member '%s' must be a string", key);
            }
            name = json_object_get_string(value);
        } else if (strcmp(key, "arguments") == 0) {
            if (!json_object_is_type(value, json_type_object)) {
                return fail_null(error, "QMP input member 'arguments' must be an object");
            }
            *args = value;
        } else if (strcmp(key, "id") != 0) {
            return fail_null(error, "QMP input member '%s' is unexpected", key);
        }
    }
    if (!name) {
        return fail_null(error, "QMP input lacks member 'execute'");
    }
    return name;
}

static json_object *run(Monitor *m, const char *name, json_object *args, GError **error)
{
    QmpCall call = { .vm = m->vm, .monitor = m };
    bool hello = strcmp(name, "qmp_capabilities") == 0;

    if (hello == m->negotiated) {
        const char *text = hello ? "Capabilities negotiation is already complete, command ignored"
                                 : "Expecting capabilities negotiation with 'qmp_capabilities'";

        fail_class(error, ERROR_COMMAND_NOT_FOUND, "%s", text);
        return NULL;
    }
    return qmp_dispatch(&call, name, args, error);
}

static void handle(Monitor *m, json_object *req)
{
    GError *error = NULL;
    json_object *args, *id = NULL, *ret = NULL;
    bool has_id = json_object_is_type(req, json_type_object) &&
                  json_object_object_get_ex(req, "id", &id);
    const char *name = check_request(req, &args, &error);

    if (name) {
        ret = run(m, name, args, &error);
    }
    if (error) {
        send_error(m, error, has_id, id);
    } else {
        json_object *o = wrap("return", ret);

        if (has_id) {
            json_object_object_add(o, "id", json_object_get(id));
        }
        qmp_send(m, o);
        json_object_put(o);
    }
}

/* The message makes no sense: says so and goes on behind the end of its line. */
static void reject(Monitor *m, const char *why)
{
    GError *error = NULL;

    fail(&error, "JSON parse error, %s", why);
    send_error(m, error, false, NULL);
    json_tokener_reset(m->parser);
    m->fed = 0;
    m->skipping = true;
}

void qmp_receive(Monitor *m, const uint8_t *buf, size_t len)
{
    const char *p = (const char *)buf;

    while (len > 0) {
        if (m->skipping) {
            const char *nl = memchr(p, '\n', len);

            m->skipping = nl == NULL;
            len = nl ? len - (size_t)(nl + 1 - p) : 0;
            p = nl ? nl + 1 : p;
            continue;
        }
        if (m->fed == 0 && g_ascii_isspace(*p)) {
            p++;
            len--;
            continue;
        }
        json_object *req = json_tokener_parse_ex(m->parser, p, (int)len);
        enum json_tokener_error err = json_tokener_get_error(m->parser);
        size_t used = MIN(len, json_tokener_get_parse_end(m->parser));

        m->fed += used;
        if (err == json_tokener_continue) {
            if (m->fed > MAX_MESSAGE) {
                reject(m, "message is too large");
            }
            break;
        }
        if (err != json_tokener_success) {
            reject(m, json_tokener_error_desc(err));
        } else {
            m->fed = 0;
            json_tokener_reset(m->parser);
            handle(m, req);
            json_object_put(req);
        }
        p += used;
        len -= used;
    }
}

/* --- commands of the protocol itself -------------------------------------------------------- */

bool qmp_qmp_capabilities(QmpCall *call, const QmpQmpCapabilitiesArgs *args, GError **error)
{
    if (args->enable && args->enable->len) {
        return fail(error, "Capability 'oob' is not available");
    }
    call->monitor->negotiated = true;
    return true;
}

VersionInfo *qmp_query_version(QmpCall *call, GError **error)
{
    VersionInfo *v = g_new0(VersionInfo, 1);

    v->qemu = g_new0(VersionTriple, 1);
    v->qemu->major = 7;
    v->qemu->minor = 2;
    v->package = g_strdup("");
    return v;
}

GPtrArray *qmp_query_commands(QmpCall *call, GError **error)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < qmp_command_count; i++) {
        CommandInfo *c = g_new0(CommandInfo, 1);

        c->name = g_strdup(qmp_commands[i].name);
        g_ptr_array_add(list, c);
    }
    return list;
}

json_object *qmp_query_qmp_schema(QmpCall *call, GError **error)
{
    return qmp_schema();
}

bool qmp_quit(QmpCall *call, GError **error)
{
    request_shutdown(SHUTDOWN_HOST_QMP_QUIT);
    return true;
}

char *qmp_human_monitor_command(QmpCall *call, const QmpHumanMonitorCommandArgs *args,
                                GError **error)
{
    int cpu = args->has_cpu_index ? (int)CLAMP(args->cpu_index, -1, 65535) : 0;

    if (args->has_cpu_index && (cpu < 0 || !cpu_by_index(call->vm, (unsigned)cpu))) {
        return fail_null(error, "Parameter 'cpu-index' expects a CPU number");
    }
    return monitor_run_line(call->vm, args->command_line, cpu);
}

bool qmp_getfd(QmpCall *call, const QmpGetfdArgs *args, GError **error)
{
    int fd = call->monitor ? chardev_fe_take_fd(&call->monitor->fe) : -1;

    if (fd < 0) {
        return fail(error, "No file descriptor supplied via SCM_RIGHTS");
    }
    if (g_ascii_isdigit(args->fdname[0])) {
        close(fd);
        return fail(error, "Parameter 'fdname' expects a name not starting with a digit");
    }
    fd_name_set(args->fdname, fd);
    return true;
}

AddfdInfo *qmp_add_fd(QmpCall *call, const QmpAddFdArgs *args, GError **error)
{
    int fd = call->monitor ? chardev_fe_take_fd(&call->monitor->fe) : -1;
    int64_t set = args->has_fdset_id ? args->fdset_id : -1;

    if (fd < 0) {
        return fail_null(error, "No file descriptor supplied via SCM_RIGHTS");
    }
    if (args->has_fdset_id && set < 0) {
        close(fd);
        return fail_null(error, "Parameter 'fdset-id' expects a non-negative value");
    }
    if (!fdset_add(&set, fd, args->opaque, error)) {
        close(fd);
        return NULL;
    }
    AddfdInfo *info = g_new0(AddfdInfo, 1);

    info->fd = fd;
    info->fdset_id = set;
    return info;
}
