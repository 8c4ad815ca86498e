// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD client: old and new style handshakes; listing. What a server says is hostile input. */
#include <errno.h>
#include <string.h>

#include "block/nbd/client.h"
#include "block/node.h"
#include "util/bswap.h"
#include "util/error.h"

#define MAX_REPLY (1u << 20)
#define MAX_EXPORTS 10000u
#define MAX_CONTEXTS 1000u

typedef struct Reply {
    uint32_t type, len;
    uint8_t *data;              /* with a 0 behind */
} Reply;

void nbd_info_clear(NbdInfo *info)
{
    g_free(info->name);
    g_free(info->description);
    if (info->contexts) {
        g_ptr_array_free(info->contexts, TRUE);
    }
    *info = (NbdInfo){ 0 };
}

typedef struct Connecting {
    const SocketPlace *place;
    GError *error;
    int fd;
} Connecting;

static int connect_work(void *arg)
{
    Connecting *c = arg;

    c->fd = socket_connect(c->place, &c->error);
    return 0;
}

CoChannel *co_nbd_client_connect(const SocketPlace *place, GError **error)
{
    Connecting c = { .place = place, .fd = -1 };

    co_in_worker(connect_work, &c);
    if (c.fd < 0) {
        if (c.error) {
            g_propagate_error(error, c.error);
        } else {
            fail(error, "Failed to connect");
        }
        return NULL;
    }
    return channel_new(c.fd);
}

static bool co_get(CoChannel *c, void *buf, size_t len, GError **error)
{
    int ret = co_channel_read(c, buf, len);

    return ret > 0 || (ret < 0 ? fail_errno(error, -ret, "Failed to read from the NBD server")
                               : fail(error, "Failed to read initial magic: Unexpected end-of-file "
                                             "before all data were read"));
}

static bool co_send_option(CoChannel *c, uint32_t option, const void *data, uint32_t len,
                           GError **error)
{
    uint8_t head[16];
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)data, len } };
    int ret;

    store_be64(head, NBD_OPTION_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, len);
    ret = co_channel_writev(c, iov, len ? 2 : 1);
    return ret == 0 || fail_errno(error, -ret, "Failed to send option %u", option);
}

static bool co_get_reply(CoChannel *c, uint32_t option, Reply *r, GError **error)
{
    uint8_t head[20];

    *r = (Reply){ 0 };
    if (!co_get(c, head, sizeof(head), error)) {
        return false;
    }
    if (load_be64(head) != NBD_REPLY_MAGIC || load_be32(head + 8) != option) {
        return fail(error, "Unexpected option reply magic or option");
    }
    r->type = load_be32(head + 12);
    r->len = load_be32(head + 16);
    if (r->len > MAX_REPLY) {
        return fail(error, "option reply is too long: %u bytes", r->len);
    }
    r->data = g_malloc0(r->len + 1u);
    if (r->len && !co_get(c, r->data, r->len, error)) {
        g_free(r->data);
        return false;
    }
    return true;
}

static const char *refusal(uint32_t type)
{
    static const char *const texts[] = {
        "",
        "Unsupported option",
        "Denied by server",
        "Invalid parameters",
        "Server lacks support",
        "Server requires TLS",
        "Requested export not available",
        "Server shutting down",
        "Server requires INFO_BLOCK_SIZE",
        "Server refused: too big",
    };
    uint32_t n = type & ~(1u << 31);

    return n && n < ARRAY_COUNT(texts) ? texts[n] : "Unknown error";
}

/* An option without data; false with *refused: the server does not want it. */
static bool co_simple_option(CoChannel *c, uint32_t option, bool *refused, GError **error)
{
    Reply r;

    *refused = false;
    if (!co_send_option(c, option, NULL, 0, error) || !co_get_reply(c, option, &r, error)) {
        return false;
    }
    g_free(r.data);
    *refused = r.type != NBD_REP_ACK;
    return r.type == NBD_REP_ACK || r.type >> 31 ||
           fail(error, "Unexpected reply type %u to option %u", r.type, option);
}

/* Flags of the server; 0 and *old set for the old style. */
static bool co_hello(CoChannel *c, bool *old, uint16_t *flags, NbdInfo *info, GError **error)
{
    uint8_t hello[16], more[2], rest[8 + 4 + 124];
    uint8_t answer[4];
    int ret;

    if (!co_get(c, hello, sizeof(hello), error)) {
        return false;
    }
    if (load_be64(hello) != NBD_MAGIC) {
        return fail(error, "Bad initial magic received: 0x%" G_GINT64_MODIFIER "x",
                    load_be64(hello));
    }
    *old = load_be64(hello + 8) == NBD_OLD_MAGIC;
    if (*old) {
        if (!co_get(c, rest, sizeof(rest), error)) {
            return false;
        }
        info->size = load_be64(rest);
        info->flags = (uint16_t)load_be32(rest + 8);
        return true;
    }
    if (load_be64(hello + 8) != NBD_OPTION_MAGIC) {
        return fail(error, "Bad server magic received: 0x%" G_GINT64_MODIFIER "x",
                    load_be64(hello + 8));
    }
    if (!co_get(c, more, sizeof(more), error)) {
        return false;
    }
    *flags = load_be16(more);
    store_be32(answer, *flags & (NBD_SERVER_FIXED | NBD_SERVER_NO_ZEROES));
    ret = co_channel_write(c, answer, sizeof(answer));
    return ret == 0 || fail_errno(error, -ret, "Failed to send clientflags field");
}

static bool co_tls(CoChannel *c, const NbdConnect *how, uint16_t flags, GError **error)
{
    bool refused;

    if (!how->tls_creds) {
        return true;
    }
    if (!(flags & NBD_SERVER_FIXED)) {
        return fail(error, "Server does not support STARTTLS");
    }
    if (!co_simple_option(c, NBD_OPT_STARTTLS, &refused, error)) {
        return false;
    }
    return refused ? fail(error, "Server rejected request for STARTTLS")
                   : co_channel_start_tls(c, how->tls_creds, false, how->tls_hostname, error);
}

/* The data of meta context options: export, one query (NULL: none). */
static uint8_t *context_data(const char *export, const char *query, uint32_t *len)
{
    uint32_t name = (uint32_t)strlen(export), text = query ? (uint32_t)strlen(query) : 0;
    uint8_t *d = g_malloc0(12u + name + text);

    store_be32(d, name);
    memcpy(d + 4, export, name);
    store_be32(d + 4 + name, query ? 1 : 0);
    if (query) {
        store_be32(d + 8 + name, text);
        memcpy(d + 12 + name, query, text);
    }
    *len = 8 + name + (query ? 4 + text : 0);
    return d;
}

/* Selects a context (info->context), or with query NULL lists them all. */
static bool co_contexts(CoChannel *c, const char *export, const char *query, NbdInfo *info,
                        GError **error)
{
    uint32_t option = query ? NBD_OPT_SET_META : NBD_OPT_LIST_META, len;
    g_autofree uint8_t *data = context_data(export, query, &len);

    if (!co_send_option(c, option, data, len, error)) {
        return false;
    }
    for (unsigned i = 0; i < MAX_CONTEXTS; i++) {
        Reply r;
        bool more;

        if (!co_get_reply(c, option, &r, error)) {
            return false;
        }
        more = r.type == NBD_REP_META && r.len >= 4;
        if (more && query && strcmp((char *)r.data + 4, query) == 0) {
            info->has_context = true;
            info->context = load_be32(r.data);
        } else if (more && !query) {
            g_ptr_array_add(info->contexts, g_strdup((char *)r.data + 4));
        }
        g_free(r.data);
        if (!more) {
            return r.type == NBD_REP_ACK || r.type >> 31 ||
                   fail(error, "Unexpected reply type %u", r.type);
        }
    }
    return fail(error, "the NBD server has too many meta contexts");
}

static void take_info(const Reply *r, NbdInfo *info)
{
    uint16_t type = r->len >= 2 ? load_be16(r->data) : UINT16_MAX;

    if (type == NBD_INFO_EXPORT && r->len >= 12) {
        info->size = load_be64(r->data + 2);
        info->flags = load_be16(r->data + 10);
    } else if (type == NBD_INFO_BLOCK_SIZE && r->len >= 14) {
        info->min_block = load_be32(r->data + 2);
        info->preferred = load_be32(r->data + 6);
        info->max_block = load_be32(r->data + 10);
    } else if (type == NBD_INFO_DESCRIPTION && r->len > 2) {
        g_free(info->description);
        info->description = g_strdup((char *)r->data + 2);
    }
}

/* INFO or GO; *unsupported: the server does not know it. */
static bool co_go(CoChannel *c, uint32_t option, const char *export, NbdInfo *info,
                  bool *unsupported, GError **error)
{
    uint32_t name = (uint32_t)strlen(export);
    g_autofree uint8_t *d = g_malloc0(10u + name);

    *unsupported = false;
    store_be32(d, name);
    memcpy(d + 4, export, name);
    store_be16(d + 4 + name, option == NBD_OPT_INFO ? 2 : 1);
    store_be16(d + 6 + name, NBD_INFO_BLOCK_SIZE);
    store_be16(d + 8 + name, NBD_INFO_DESCRIPTION);
    if (!co_send_option(c, option, d, option == NBD_OPT_INFO ? 10 + name : 8 + name, error)) {
        return false;
    }
    for (unsigned i = 0; i < MAX_CONTEXTS; i++) {
        Reply r;

        if (!co_get_reply(c, option, &r, error)) {
            return false;
        }
        if (r.type == NBD_REP_INFO) {
            take_info(&r, info);
            g_free(r.data);
            continue;
        }
        if (r.type >> 31) {
            *unsupported = r.type == NBD_REP_ERROR(NBD_ERR_UNSUP);
            if (!*unsupported) {
                fail(error, "%s%s%s", refusal(r.type),
                     r.len ? "\nserver reported: " : " for option", r.len ? (char *)r.data : "");
            }
        }
        g_free(r.data);
        return r.type == NBD_REP_ACK || *unsupported ||
               (r.type >> 31 ? false : fail(error, "Unexpected reply type %u", r.type));
    }
    return fail(error, "the NBD server sends too much");
}

static bool co_export_name(CoChannel *c, const char *export, bool no_zeroes, NbdInfo *info,
                           GError **error)
{
    uint8_t data[10 + 124];

    if (!co_send_option(c, NBD_OPT_EXPORT_NAME, export, (uint32_t)strlen(export), error) ||
        !co_get(c, data, no_zeroes ? 10 : sizeof(data), error)) {
        return false;
    }
    info->size = load_be64(data);
    info->flags = load_be16(data + 8);
    return true;
}

bool co_nbd_client_handshake(CoChannel *c, const NbdConnect *how, NbdInfo *info, GError **error)
{
    bool old, refused = true, unsupported = true;
    uint16_t flags = 0;

    if (!co_hello(c, &old, &flags, info, error)) {
        return false;
    }
    if (old) {
        return how->tls_creds   ? fail(error, "Server does not support STARTTLS")
               : how->export[0] ? fail(error, "Server does not support non-empty export names")
                                : true;
    }
    if (!co_tls(c, how, flags, error)) {
        return false;
    }
    if (flags & NBD_SERVER_FIXED) {
        if (!how->simple && !co_simple_option(c, NBD_OPT_STRUCTURED, &refused, error)) {
            return false;
        }
        info->structured = !how->simple && !refused;
        if (info->structured &&
            !co_contexts(c, how->export, how->context ? how->context : "base:allocation", info,
                         error)) {
            return false;
        }
        if (!co_go(c, NBD_OPT_GO, how->export, info, &unsupported, error)) {
            return false;
        }
    }
    return !unsupported ||
           co_export_name(c, how->export, flags & NBD_SERVER_NO_ZEROES, info, error);
}

static bool co_list_names(CoChannel *c, GArray *list, GError **error)
{
    if (!co_send_option(c, NBD_OPT_LIST, NULL, 0, error)) {
        return false;
    }
    for (unsigned i = 0; i < MAX_EXPORTS; i++) {
        Reply r;
        NbdInfo info = { 0 };
        uint32_t len;

        if (!co_get_reply(c, NBD_OPT_LIST, &r, error)) {
            return false;
        }
        if (r.type != NBD_REP_SERVER) {
            bool end = r.type == NBD_REP_ACK;

            g_free(r.data);
            return end || fail(error, "%s", refusal(r.type));
        }
        len = r.len >= 4 ? load_be32(r.data) : UINT32_MAX;
        if (len > NBD_MAX_NAME || len > r.len - 4) {
            g_free(r.data);
            return fail(error, "incorrect option name length");
        }
        info.name = g_strndup((char *)r.data + 4, len);
        info.description =
            r.len > 4 + len ? g_strndup((char *)r.data + 4 + len, r.len - 4 - len) : NULL;
        g_array_append_val(list, info);
        g_free(r.data);
    }
    return fail(error, "the NBD server has too many exports");
}

static void clear_item(void *item)
{
    nbd_info_clear(item);
}

GArray *co_nbd_client_list(CoChannel *c, const NbdConnect *how, GError **error)
{
    GArray *list = g_array_new(FALSE, TRUE, sizeof(NbdInfo));
    NbdInfo first = { 0 };
    bool old, structured_refused, unsupported, good;
    uint16_t flags = 0;

    g_array_set_clear_func(list, clear_item);
    if (!co_hello(c, &old, &flags, &first, error)) {
        g_array_free(list, TRUE);
        return NULL;
    }
    if (old) {
        first.name = g_strdup("");
        g_array_append_val(list, first);
        return list;
    }
    good = co_tls(c, how, flags, error) &&
           co_simple_option(c, NBD_OPT_STRUCTURED, &structured_refused, error) &&
           co_list_names(c, list, error);
    for (unsigned i = 0; good && i < list->len; i++) {
        NbdInfo *info = &g_array_index(list, NbdInfo, i);

        info->structured = !structured_refused;
        info->contexts = g_ptr_array_new_with_free_func(g_free);
        good = co_go(c, NBD_OPT_INFO, info->name, info, &unsupported, error) &&
               (structured_refused || co_contexts(c, info->name, NULL, info, error));
    }
    if (good) {
        co_send_option(c, NBD_OPT_ABORT, NULL, 0, error);
        g_clear_error(error);
        return list;
    }
    g_array_free(list, TRUE);
    return NULL;
}
