// SPDX-License-Identifier: GPL-2.0-or-later
/* NBD server: the newstyle handshake, by options, up to the choice of an export. */
#include <errno.h>
#include <string.h>

#include "block/nbd/server.h"
#include "util/bswap.h"
#include "util/error.h"

/* The longest option that is looked at; longer ones are read and refused. */
#define MAX_OPTION (64u << 10)
#define MAX_SKIPPED (32u << 20)

static int co_reply(NbdClient *c, uint32_t option, uint32_t type, const void *data, uint32_t len)
{
    uint8_t head[20];
    struct iovec iov[2] = { { head, sizeof(head) }, { (void *)data, len } };

    store_be64(head, NBD_REPLY_MAGIC);
    store_be32(head + 8, option);
    store_be32(head + 12, type);
    store_be32(head + 16, len);
    return co_channel_writev(c->channel, iov, len ? 2 : 1);
}

static int co_refuse(NbdClient *c, uint32_t option, uint32_t error, const char *text)
{
    return co_reply(c, option, NBD_REP_ERROR(error), text, (uint32_t)strlen(text));
}

NbdExport *nbd_find_export(const NbdServer *s, const char *name)
{
    for (unsigned i = 0; i < s->exports->len; i++) {
        NbdExport *e = g_ptr_array_index(s->exports, i);

        if (strcmp(e->name, name) == 0 && !e->closing) {
            return e;
        }
    }
    return NULL;
}

uint16_t nbd_export_flags(const NbdClient *c, const NbdExport *e)
{
    uint16_t flags = NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_SEND_FUA | NBD_SEND_CACHE;

    flags |= e->writable ? NBD_SEND_TRIM | NBD_SEND_ZEROES | NBD_FAST_ZERO : NBD_READ_ONLY;
    /* all connections go through one node, whose flush is all of theirs */
    if (c->server->max != 1 || !e->writable) {
        flags |= NBD_MULTI_CONN;
    }
    return flags | (c->structured ? NBD_SEND_DF : 0);
}

/* A name at *p of an option's data; NULL: cut short or too long. */
static char *take_name(const uint8_t **p, uint32_t *left)
{
    uint32_t len;
    char *name;

    if (*left < 4) {
        return NULL;
    }
    len = load_be32(*p);
    if (len > *left - 4 || len > NBD_MAX_NAME || memchr(*p + 4, 0, len)) {
        return NULL;
    }
    name = g_strndup((const char *)*p + 4, len);
    *p += 4 + len;
    *left -= 4 + len;
    return name;
}

static int co_list(NbdClient *c, uint32_t len)
{
    if (len) {
        return co_refuse(c, NBD_OPT_LIST, NBD_ERR_INVALID, "option 'list' has no data");
    }
    for (unsigned i = 0; i < c->server->exports->len; i++) {
        NbdExport *e = g_ptr_array_index(c->server->exports, i);
        size_t name = strlen(e->name), text = e->description ? strlen(e->description) : 0;
        g_autofree uint8_t *data = g_malloc(4 + name + text + 1);
        int ret;

        store_be32(data, (uint32_t)name);
        memcpy(data + 4, e->name, name);
        if (text) {
            memcpy(data + 4 + name, e->description, text);
        }
        ret = co_reply(c, NBD_OPT_LIST, NBD_REP_SERVER, data, (uint32_t)(4 + name + text));
        if (ret < 0) {
            return ret;
        }
    }
    return co_reply(c, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0);
}

static int co_info_text(NbdClient *c, uint32_t option, uint16_t type, const char *text)
{
    size_t len = strlen(text);
    g_autofree uint8_t *data = g_malloc(2 + len + 1);

    store_be16(data, type);
    memcpy(data + 2, text, len);
    return co_reply(c, option, NBD_REP_INFO, data, (uint32_t)(2 + len));
}

static int co_info_sizes(NbdClient *c, uint32_t option, const NbdExport *e, bool asked)
{
    uint8_t data[14];
    uint32_t least = e->node->align;

    /* who does not ask may send any length */
    store_be16(data, NBD_INFO_BLOCK_SIZE);
    store_be32(data + 2, asked || option == NBD_OPT_INFO ? MAX(least, 1) : 1);
    store_be32(data + 6, MAX(4096, least));
    store_be32(data + 10, NBD_MAX_BYTES);
    return co_reply(c, option, NBD_REP_INFO, data, sizeof(data));
}

/* *chosen: the export of GO. */
static int co_info(NbdClient *c, uint32_t option, const uint8_t *p, uint32_t left,
                   NbdExport **chosen)
{
    g_autofree char *name = take_name(&p, &left);
    bool sizes = false, want_name = false, want_text = false;
    uint8_t data[12];
    NbdExport *e;
    unsigned count;
    int ret = 0;

    if (!name || left < 2 || left != 2 + 2u * (count = load_be16(p))) {
        return co_refuse(c, option, NBD_ERR_INVALID, "the option's data is malformed");
    }
    for (unsigned i = 0; i < count; i++) {
        uint16_t type = load_be16(p + 2 + i * 2);

        sizes |= type == NBD_INFO_BLOCK_SIZE;
        want_name |= type == NBD_INFO_NAME;
        want_text |= type == NBD_INFO_DESCRIPTION;
    }
    e = nbd_find_export(c->server, name);
    if (!e) {
        g_autofree char *text = g_strdup_printf("export '%s' not present", name);

        return co_refuse(c, option, NBD_ERR_UNKNOWN, text);
    }
    if (want_name) {
        ret = co_info_text(c, option, NBD_INFO_NAME, e->name);
    }
    if (ret == 0 && want_text && e->description) {
        ret = co_info_text(c, option, NBD_INFO_DESCRIPTION, e->description);
    }
    ret = ret < 0 ? ret : co_info_sizes(c, option, e, sizes);
    if (ret == 0 && option == NBD_OPT_INFO && !sizes && e->node->align > 1) {
        return co_refuse(c, option, NBD_ERR_BLOCK_SIZE,
                         "request NBD_INFO_BLOCK_SIZE to use this export");
    }
    store_be16(data, NBD_INFO_EXPORT);
    store_be64(data + 2, e->length);
    store_be16(data + 10, nbd_export_flags(c, e));
    ret = ret < 0 ? ret : co_reply(c, option, NBD_REP_INFO, data, sizeof(data));
    ret = ret < 0 ? ret : co_reply(c, option, NBD_REP_ACK, NULL, 0);
    if (ret == 0 && option == NBD_OPT_GO) {
        *chosen = e;
    }
    return ret;
}

/* ---- meta contexts ---- */

typedef struct MetaQuery {
    NbdClient *c;
    NbdExport *e;
    uint32_t option;
    int ret;
} MetaQuery;

static void co_send_context(MetaQuery *q, uint32_t id, const char *name)
{
    NbdClient *c = q->c;
    size_t len = strlen(name);
    g_autofree uint8_t *data = g_malloc(4 + len);

    for (unsigned i = 0; i < c->num_contexts && q->option == NBD_OPT_SET_META; i++) {
        if (c->contexts[i] == id) {
            return;
        }
    }
    if (q->ret < 0 || c->num_contexts == NBD_MAX_CONTEXTS) {
        return;
    }
    if (q->option == NBD_OPT_SET_META) {
        c->contexts[c->num_contexts++] = id;
    }
    store_be32(data, q->option == NBD_OPT_SET_META ? id : 0);
    memcpy(data + 4, name, len);
    q->ret = co_reply(c, q->option, NBD_REP_META, data, (uint32_t)(4 + len));
}

/* Answers a query; query NULL or "qemu:": all of a kind when listing. */
static void co_match(MetaQuery *q, const char *query)
{
    bool list = q->option == NBD_OPT_LIST_META, all = !query;

    if (all || strcmp(query, "base:allocation") == 0 || (list && strcmp(query, "base:") == 0)) {
        co_send_context(q, CONTEXT_ALLOCATION, "base:allocation");
    }
    if (q->e->allocation_depth && (all || strcmp(query, "qemu:allocation-depth") == 0 ||
                                   (list && strcmp(query, "qemu:") == 0))) {
        co_send_context(q, CONTEXT_DEPTH, "qemu:allocation-depth");
    }
    for (unsigned i = 0; i < q->e->bitmaps->len; i++) {
        g_autofree char *name =
            g_strdup_printf("qemu:dirty-bitmap:%s", (char *)q->e->bitmaps->pdata[i]);

        if (all || strcmp(query, name) == 0 ||
            (list && (strcmp(query, "qemu:") == 0 || strcmp(query, "qemu:dirty-bitmap:") == 0))) {
            co_send_context(q, CONTEXT_BITMAPS + i, name);
        }
    }
}

static int co_meta(NbdClient *c, uint32_t option, const uint8_t *p, uint32_t left)
{
    g_autofree char *name = NULL;
    MetaQuery q = { .c = c, .option = option };
    uint32_t count;

    if (!c->structured) {
        return co_refuse(c, option, NBD_ERR_INVALID,
                         "request option 'meta context' when structured reply is not negotiated");
    }
    name = take_name(&p, &left);
    if (!name || left < 4) {
        return co_refuse(c, option, NBD_ERR_INVALID, "the option's data is malformed");
    }
    q.e = nbd_find_export(c->server, name);
    if (!q.e) {
        g_autofree char *text = g_strdup_printf("export '%s' not present", name);

        return co_refuse(c, option, NBD_ERR_UNKNOWN, text);
    }
    count = load_be32(p);
    p += 4;
    left -= 4;
    if (option == NBD_OPT_SET_META) {
        c->num_contexts = 0;
        g_free(c->context_export);
        c->context_export = g_strdup(name);
    }
    if (count == 0 && option == NBD_OPT_LIST_META) {
        co_match(&q, NULL);
    }
    for (uint32_t i = 0; i < count && q.ret == 0; i++) {
        g_autofree char *query = take_name(&p, &left);

        if (!query) {
            return co_refuse(c, option, NBD_ERR_INVALID, "the option's data is malformed");
        }
        co_match(&q, query);
    }
    return q.ret < 0 ? q.ret : co_reply(c, option, NBD_REP_ACK, NULL, 0);
}

/* ---- options ---- */

static int co_start_tls(NbdClient *c, uint32_t len)
{
    g_autoptr(GError) why = NULL;
    int ret;

    if (len) {
        return co_refuse(c, NBD_OPT_STARTTLS, NBD_ERR_INVALID, "option 'starttls' has no data");
    }
    if (!c->server->tls_creds) {
        return co_refuse(c, NBD_OPT_STARTTLS, NBD_ERR_POLICY, "TLS not configured");
    }
    ret = co_reply(c, NBD_OPT_STARTTLS, NBD_REP_ACK, NULL, 0);
    if (ret == 0 && !co_channel_start_tls(c->channel, c->server->tls_creds, true,
                                          c->server->tls_authz, &why)) {
        return -EPROTO;
    }
    c->tls = ret == 0;
    /* what was agreed on before does not count any more */
    c->structured = false;
    c->num_contexts = 0;
    return ret;
}

/* The oldest way: no answer but the export, or the end. */
static int co_export_name(NbdClient *c, const uint8_t *p, uint32_t len, NbdExport **chosen)
{
    g_autofree char *name = g_strndup((const char *)p, MIN(len, NBD_MAX_NAME));
    NbdExport *e = nbd_find_export(c->server, name);
    uint8_t data[10 + 124] = { 0 };

    if (!e || len > NBD_MAX_NAME) {
        return -EINVAL;
    }
    store_be64(data, e->length);
    store_be16(data + 8, nbd_export_flags(c, e));
    *chosen = e;
    return co_channel_write(c->channel, data, c->no_zeroes ? 10 : sizeof(data));
}

/* One option; 1: the client leaves. */
static int co_option(NbdClient *c, uint32_t option, const uint8_t *data, uint32_t len,
                     NbdExport **chosen)
{
    int ret;

    if (c->server->tls_creds && !c->tls && option != NBD_OPT_STARTTLS && option != NBD_OPT_ABORT) {
        if (option == NBD_OPT_EXPORT_NAME) {
            return -EPERM;
        }
        return co_refuse(c, option, NBD_ERR_TLS,
                         "this server requires TLS: use option 'starttls' first");
    }
    switch (option) {
    case NBD_OPT_EXPORT_NAME:
        return co_export_name(c, data, len, chosen);
    case NBD_OPT_ABORT:
        co_reply(c, option, NBD_REP_ACK, NULL, 0);
        return 1;
    case NBD_OPT_LIST:
        return co_list(c, len);
    case NBD_OPT_STARTTLS:
        return c->tls ? co_refuse(c, option, NBD_ERR_INVALID, "TLS already enabled")
                      : co_start_tls(c, len);
    case NBD_OPT_INFO:
    case NBD_OPT_GO:
        return co_info(c, option, data, len, chosen);
    case NBD_OPT_STRUCTURED:
        if (len) {
            return co_refuse(c, option, NBD_ERR_INVALID, "option 'structured reply' has no data");
        }
        if (c->structured) {
            return co_refuse(c, option, NBD_ERR_INVALID, "structured reply already negotiated");
        }
        ret = co_reply(c, option, NBD_REP_ACK, NULL, 0);
        c->structured = true;
        return ret;
    case NBD_OPT_LIST_META:
    case NBD_OPT_SET_META:
        return co_meta(c, option, data, len);
    default:
        return co_refuse(c, option, NBD_ERR_UNSUP, "the option is not supported");
    }
}

static int co_skip(NbdClient *c, uint32_t len)
{
    g_autofree uint8_t *waste = g_malloc(MAX_OPTION);

    while (len > 0) {
        uint32_t now = MIN(len, MAX_OPTION);
        int ret = co_channel_read(c->channel, waste, now);

        if (ret <= 0) {
            return -EPIPE;
        }
        len -= now;
    }
    return 0;
}

static bool co_options(NbdClient *c)
{
    for (NbdExport *chosen = NULL;;) {
        uint8_t head[16];
        g_autofree uint8_t *data = NULL;
        uint32_t option, len;
        int ret = co_channel_read(c->channel, head, sizeof(head));

        if (ret <= 0 || load_be64(head) != NBD_OPTION_MAGIC) {
            return false;
        }
        option = load_be32(head + 8);
        len = load_be32(head + 12);
        if (len > MAX_SKIPPED) {
            return false;
        }
        if (len > MAX_OPTION) {
            if (co_skip(c, len) < 0 ||
                co_refuse(c, option, NBD_ERR_TOO_BIG, "the option is too long") < 0) {
                return false;
            }
            continue;
        }
        data = g_malloc(len + 1);
        if ((len && co_channel_read(c->channel, data, len) <= 0) ||
            co_option(c, option, data, len, &chosen) != 0) {
            return false;
        }
        if (chosen) {
            if (c->context_export && strcmp(c->context_export, chosen->name) != 0) {
                c->num_contexts = 0;
            }
            c->export = chosen;
            return true;
        }
    }
}

bool co_nbd_handshake(NbdClient *c)
{
    uint8_t hello[18], flags[4];

    store_be64(hello, NBD_MAGIC);
    store_be64(hello + 8, NBD_OPTION_MAGIC);
    store_be16(hello + 16, NBD_SERVER_FIXED | NBD_SERVER_NO_ZEROES);
    if (co_channel_write(c->channel, hello, sizeof(hello)) < 0 ||
        co_channel_read(c->channel, flags, sizeof(flags)) <= 0) {
        return false;
    }
    c->fixed = load_be32(flags) & NBD_SERVER_FIXED;
    c->no_zeroes = load_be32(flags) & NBD_SERVER_NO_ZEROES;
    if (load_be32(flags) & ~(uint32_t)(NBD_SERVER_FIXED | NBD_SERVER_NO_ZEROES)) {
        return false;
    }
    return co_options(c);
}
