// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks of iSCSI targets (libiscsi, RFC 7143; commands of SBC-3). Login and questions about the
 * unit wait in a worker thread; after that the library works in the main loop and each request is
 * one asynchronous SCSI command. Left out: units that are no disks (pass-through), iSER.
 */
#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "block/net/library-watch.h"
#include "lazy/iscsi.h"
#include "qapi/startup.h"
#include "qom/secret.h"
#include "util/cutils.h"
#include "util/error.h"
#include "util/iov.h"

#define TICK_NS 250000000
#define NOP_TICKS 20u
#define MAX_NOPS 3
#define MAX_TRIES 10u
#define ASCQ_NO_SPACE 0x2707

typedef struct IscsiState {
    struct iscsi_context *ctx;
    int lun;
    uint32_t block;             /* bytes */
    bool unmap, write_same_unmap, zero_after_unmap;
    uint32_t max_unmap;         /* blocks */
    uint64_t max_write_same;
    LibraryWatch watch;
    Timer timer;
    unsigned ticks;
} IscsiState;

typedef enum CmdKind { CMD_READ, CMD_WRITE, CMD_FLUSH, CMD_UNMAP, CMD_ZERO, CMD_STATUS } CmdKind;

typedef struct Cmd {
    IscsiState *s;
    CmdKind kind;
    uint64_t lba;
    uint32_t blocks;
    bool fua, may_unmap;
    const struct iovec *iov;
    unsigned niov;
    Coroutine *co;
    bool ended;
    int status;
    struct scsi_task *task;     /* what came back */
} Cmd;

/* ---- the library in the main loop ---- */

static int library_fd(void *ctx)
{
    return iscsi_get_fd(ctx);
}

static int library_events(void *ctx)
{
    return iscsi_which_events(ctx);
}

static void library_service(void *ctx, int events)
{
    iscsi_service(ctx, events);
}

/* Time limits of commands, and a sign of life when nothing else goes on. */
static void on_tick(void *opaque)
{
    IscsiState *s = opaque;

    if (++s->ticks % NOP_TICKS == 0) {
        if (iscsi_get_nops_in_flight(s->ctx) > MAX_NOPS) {
            iscsi_reconnect(s->ctx);
        } else {
            iscsi_nop_out_async(s->ctx, NULL, NULL, 0, NULL);
        }
    }
    iscsi_service(s->ctx, 0);
    library_watch_update(&s->watch);
    timer_set_ns(&s->timer, clock_now_ns(CLOCK_RT) + TICK_NS);
}

static void cmd_ended(struct iscsi_context *ctx, int status, void *data, void *opaque)
{
    Cmd *c = opaque;

    c->status = status;
    c->task = data;
    c->ended = true;
    coroutine_wake(c->co);
}

static struct scsi_task *cmd_send(Cmd *c)
{
    IscsiState *s = c->s;
    uint32_t bytes = c->blocks * s->block;
    struct unmap_list range = { .lba = c->lba, .num = c->blocks };
    static unsigned char zeroes[4096];      /* never written to */

    switch (c->kind) {
    case CMD_READ:
        return iscsi_read16_iov_task(s->ctx, s->lun, c->lba, bytes, (int)s->block, 0, 0, 0, 0, 0,
                                     cmd_ended, c, (struct scsi_iovec *)c->iov, (int)c->niov);
    case CMD_WRITE:
        return iscsi_write16_iov_task(s->ctx, s->lun, c->lba, NULL, bytes, (int)s->block, 0, 0,
                                      c->fua, 0, 0, cmd_ended, c, (struct scsi_iovec *)c->iov,
                                      (int)c->niov);
    case CMD_FLUSH:
        return iscsi_synchronizecache10_task(s->ctx, s->lun, 0, 0, 0, 0, cmd_ended, c);
    case CMD_UNMAP:
        return iscsi_unmap_task(s->ctx, s->lun, 0, 0, &range, 1, cmd_ended, c);
    case CMD_ZERO:
        return iscsi_writesame16_task(s->ctx, s->lun, c->lba, zeroes, s->block, c->blocks, 0,
                                      c->may_unmap && s->write_same_unmap, 0, 0, cmd_ended, c);
    default:
        return iscsi_get_lba_status_task(s->ctx, s->lun, c->lba, 8 + 16, cmd_ended, c);
    }
}

static int cmd_error(const Cmd *c)
{
    const struct scsi_sense *sense = &c->task->sense;

    if (c->status != SCSI_STATUS_CHECK_CONDITION) {
        return -EIO;
    }
    switch (sense->key) {
    case SCSI_SENSE_ILLEGAL_REQUEST:
        return c->kind == CMD_READ || c->kind == CMD_WRITE ? -EIO : -ENOTSUP;
    case SCSI_SENSE_DATA_PROTECTION:
        return sense->ascq == ASCQ_NO_SPACE ? -ENOSPC : -EACCES;
    default:
        return -EIO;
    }
}

static bool worth_another_try(const Cmd *c)
{
    return c->status == SCSI_STATUS_BUSY || c->status == SCSI_STATUS_TASK_SET_FULL ||
           c->status == SCSI_STATUS_TIMEOUT ||
           (c->status == SCSI_STATUS_CHECK_CONDITION && c->task &&
            c->task->sense.key == SCSI_SENSE_UNIT_ATTENTION);
}

/* 0 or -errno. With keep, a good c->task is the caller's. */
static int co_cmd(Cmd *c, bool keep)
{
    c->co = coroutine_self();
    for (unsigned i = 1;; i++) {
        struct scsi_task *sent;
        int ret;

        c->ended = false;
        sent = cmd_send(c);
        if (!sent) {
            return -EIO;
        }
        library_watch_update(&c->s->watch);
        while (!c->ended) {
            co_yield();
        }
        c->task = c->task ? c->task : sent;
        if (c->status == SCSI_STATUS_GOOD) {
            if (!keep) {
                scsi_free_scsi_task(c->task);
            }
            return 0;
        }
        bool again = worth_another_try(c) && i < MAX_TRIES;

        ret = cmd_error(c);
        scsi_free_scsi_task(c->task);
        if (!again) {
            return ret;
        }
        co_sleep_ns(CLOCK_RT, (int64_t)i * 20000000);
    }
}

/* ---- requests ---- */

static int co_iscsi_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                           unsigned niov)
{
    IscsiState *s = n->state;
    Cmd c = {.s = s,
             .kind = CMD_READ,
             .lba = offset / s->block,
             .blocks = (uint32_t)(bytes / s->block),
             .iov = iov,
             .niov = niov};

    return co_cmd(&c, false);
}

static int co_iscsi_flush(BlockNode *n)
{
    Cmd c = { .s = n->state, .kind = CMD_FLUSH };
    int ret = co_cmd(&c, false);

    return ret == -ENOTSUP ? 0 : ret;
}

static int co_iscsi_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov, unsigned flags)
{
    IscsiState *s = n->state;
    Cmd c = {.s = s,
             .kind = CMD_WRITE,
             .lba = offset / s->block,
             .blocks = (uint32_t)(bytes / s->block),
             .iov = iov,
             .niov = niov};
    int ret = co_cmd(&c, false);

    /* not every target knows FUA */
    return ret == 0 && (flags & BLOCK_FUA) ? co_iscsi_flush(n) : ret;
}

static int co_iscsi_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    IscsiState *s = n->state;
    uint64_t lba = offset / s->block, left = bytes / s->block;
    int ret = 0;

    while (s->unmap && left > 0 && ret == 0) {
        Cmd c = {
            .s = s, .kind = CMD_UNMAP, .lba = lba, .blocks = (uint32_t)MIN(left, s->max_unmap)};

        ret = co_cmd(&c, false);
        lba += c.blocks;
        left -= c.blocks;
    }
    return ret == -ENOTSUP ? 0 : ret;
}

static int co_iscsi_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    IscsiState *s = n->state;
    uint64_t lba = offset / s->block, left = bytes / s->block;
    int ret = s->max_write_same ? 0 : -ENOTSUP;

    while (left > 0 && ret == 0) {
        Cmd c = {.s = s,
                 .kind = CMD_ZERO,
                 .lba = lba,
                 .blocks = (uint32_t)MIN(left, s->max_write_same),
                 .may_unmap = (flags & BLOCK_MAY_UNMAP) && s->zero_after_unmap};

        ret = co_cmd(&c, false);
        lba += c.blocks;
        left -= c.blocks;
    }
    if (ret == -ENOTSUP) {
        s->max_write_same = 0;
    }
    return ret == 0 && (flags & BLOCK_FUA) ? co_iscsi_flush(n) : ret;
}

static int co_iscsi_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                           BlockStatus *st)
{
    IscsiState *s = n->state;
    Cmd c = { .s = s, .kind = CMD_STATUS, .lba = offset / s->block };
    const struct scsi_get_lba_status *list;

    st->flags = BLOCK_STATUS_DATA | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
    st->map = offset;
    st->map_node = n;
    if (!want_zero || !s->unmap || co_cmd(&c, true) < 0) {
        return 0;
    }
    list = scsi_datain_unmarshall(c.task);
    if (list && list->num_descriptors > 0 && list->descriptors[0].lba == c.lba &&
        list->descriptors[0].num_blocks > 0) {
        st->bytes = MIN(bytes, (uint64_t)list->descriptors[0].num_blocks * s->block);
        if (list->descriptors[0].provisioning != SCSI_PROVISIONING_TYPE_MAPPED &&
            s->zero_after_unmap) {
            st->flags = BLOCK_STATUS_ZERO | BLOCK_STATUS_OFFSET | BLOCK_STATUS_ALLOCATED;
        }
    }
    scsi_free_scsi_task(c.task);
    return 0;
}

/* ---- opening ---- */

typedef struct Login {
    IscsiState *s;
    BlockNode *n;
    const char *portal;
    GError *error;
} Login;

static bool ask_size(Login *l)
{
    IscsiState *s = l->s;
    struct scsi_task *t = NULL;
    bool good = false;

    /* the first commands of a session may only bring news */
    for (unsigned i = 0; i < MAX_TRIES && !good; i++) {
        t = iscsi_readcapacity16_sync(s->ctx, s->lun);
        good = t && t->status == SCSI_STATUS_GOOD;
        if (!good && t) {
            scsi_free_scsi_task(t);
        }
    }
    const struct scsi_readcapacity16 *c = good ? scsi_datain_unmarshall(t) : NULL;

    if (c && c->block_length >= 512 && c->block_length <= 4096 &&
        (c->block_length & (c->block_length - 1)) == 0 &&
        c->returned_lba < INT64_MAX / c->block_length) {
        s->block = c->block_length;
        l->n->length = (c->returned_lba + 1) * c->block_length;
        s->unmap = c->lbpme;
        s->zero_after_unmap = c->lbprz;
        l->n->align = s->block;
    } else {
        fail(&l->error, "iSCSI: the unit's capacity cannot be read: %s", iscsi_get_error(s->ctx));
        c = NULL;
    }
    if (good) {
        scsi_free_scsi_task(t);
    }
    return c != NULL;
}

/* A page of INQUIRY, or NULL; free the task. */
static struct scsi_task *inquire(IscsiState *s, int vpd, int page)
{
    struct scsi_task *t = iscsi_inquiry_sync(s->ctx, s->lun, vpd, page, 255);

    if (t && t->status != SCSI_STATUS_GOOD) {
        g_clear_pointer(&t, scsi_free_scsi_task);
    }
    return t;
}

static bool ask_kind(Login *l)
{
    struct scsi_task *t = inquire(l->s, 0, 0);
    const struct scsi_inquiry_standard *q = t ? scsi_datain_unmarshall(t) : NULL;
    bool disk = q && q->device_type == SCSI_INQUIRY_PERIPHERAL_DEVICE_TYPE_DIRECT_ACCESS;

    if (!q) {
        fail(&l->error, "iSCSI: the unit cannot be inquired: %s", iscsi_get_error(l->s->ctx));
    } else if (!disk) {
        fail(&l->error, "iSCSI: the unit is no disk (device type %d)", q->device_type);
    }
    if (t) {
        scsi_free_scsi_task(t);
    }
    return disk;
}

static void ask_limits(Login *l)
{
    IscsiState *s = l->s;
    struct scsi_task *t = inquire(s, 1, SCSI_INQUIRY_PAGECODE_BLOCK_LIMITS);
    const struct scsi_inquiry_block_limits *b = t ? scsi_datain_unmarshall(t) : NULL;

    s->max_unmap = b && b->max_unmap ? b->max_unmap : UINT32_MAX;
    s->max_write_same = b && b->max_ws_len ? MIN(b->max_ws_len, UINT32_MAX) : 0xffff;
    l->n->max_transfer = b && b->max_xfer_len && b->max_xfer_len < 32 * MIB / s->block
                             ? b->max_xfer_len * s->block
                             : 32 * MIB;
    if (t) {
        scsi_free_scsi_task(t);
    }
    t = s->unmap ? inquire(s, 1, SCSI_INQUIRY_PAGECODE_LOGICAL_BLOCK_PROVISIONING) : NULL;
    const struct scsi_inquiry_logical_block_provisioning *p = t ? scsi_datain_unmarshall(t) : NULL;

    s->unmap = p && p->lbpu;
    s->write_same_unmap = p && p->lbpws;
    if (t) {
        scsi_free_scsi_task(t);
    }
}

static int login_work(void *arg)
{
    Login *l = arg;

    if (iscsi_full_connect_sync(l->s->ctx, l->portal, l->s->lun) != 0) {
        fail(&l->error, "iSCSI: Failed to connect to LUN : %s", iscsi_get_error(l->s->ctx));
        return -EIO;
    }
    if (!ask_kind(l) || !ask_size(l)) {
        return -EIO;
    }
    ask_limits(l);
    return 0;
}

/* The row of -iscsi for a target, or the one without an id; a new object, NULL: none. */
static struct json_object *session_options(const char *target)
{
    struct json_object *found = NULL;
    const char *arg;

    for (unsigned i = 0; (arg = option_arg("iscsi", i)) != NULL; i++) {
        g_autoptr(GError) ignored = NULL;
        struct json_object *o = keyval_parse(arg, NULL, &ignored);
        const char *id = o ? keyval_get(o, "id") : NULL;

        if (o && (id ? strcmp(id, target) == 0 : !found)) {
            json_object_put(found);
            found = json_object_get(o);
        }
        json_object_put(o);
    }
    return found;
}

/* What the node's own options do not say may be in -iscsi. */
static const char *setting(struct json_object *opts, struct json_object *session, const char *name)
{
    const char *own = opts_string(opts, name, NULL);

    return own || !session ? own : keyval_get(session, name);
}

static bool set_user(IscsiState *s, struct json_object *opts, struct json_object *session,
                     GError **error)
{
    const char *user = setting(opts, session, "user"),
               *id = setting(opts, session, "password-secret");
    const char *plain = session ? keyval_get(session, "password") : NULL;
    g_autofree char *password = g_strdup(plain);
    size_t len;

    if (!user) {
        return true;
    }
    if (id) {
        const uint8_t *bytes = secret_bytes(id, &len, error);

        if (!bytes) {
            return false;
        }
        g_free(password);
        password = g_strndup((const char *)bytes, len);
    }
    password = password ? password : g_strdup(opts_string(opts, "password", NULL));
    if (!password) {
        return fail(error, "CHAP username specified but no password was given");
    }
    return iscsi_set_initiator_username_pwd(s->ctx, user, password) == 0 ||
           fail(error, "Failed to set initiator username and password");
}

static bool set_digest(IscsiState *s, const char *name, GError **error)
{
    static const struct { const char *name; enum iscsi_header_digest value;
    } digests[] = {
        {"crc32c", ISCSI_HEADER_DIGEST_CRC32C},
        {"none", ISCSI_HEADER_DIGEST_NONE},
        {"crc32c-none", ISCSI_HEADER_DIGEST_CRC32C_NONE},
        {"none-crc32c", ISCSI_HEADER_DIGEST_NONE_CRC32C},
    };

    for (unsigned i = 0; name && i < ARRAY_COUNT(digests); i++) {
        if (g_ascii_strcasecmp(name, digests[i].name) == 0) {
            return iscsi_set_header_digest(s->ctx, digests[i].value) == 0;
        }
    }
    return !name ? iscsi_set_header_digest(s->ctx, ISCSI_HEADER_DIGEST_NONE_CRC32C) == 0
                 : fail(error, "Invalid header-digest setting : %s", name);
}

static bool make_context(BlockNode *n, struct json_object *opts, const char *target, GError **error)
{
    IscsiState *s = n->state;
    struct json_object *session = session_options(target);
    const char *name = setting(opts, session, "initiator-name"),
               *timeout = session ? keyval_get(session, "timeout") : NULL;
    uint64_t seconds = opts_number(opts, "timeout", 0);
    bool good;

    s->ctx = iscsi_create_context(name ? name : "iqn.2008-11.org.linux-kvm");
    if (!s->ctx) {
        json_object_put(session);
        return fail(error, "iSCSI: Failed to create iSCSI context.");
    }
    if (timeout && !seconds && !parse_u64(timeout, &seconds)) {
        seconds = 0;
    }
    good = iscsi_set_targetname(s->ctx, target) == 0 ||
           fail(error, "iSCSI: Failed to set target name.");
    good = good && set_user(s, opts, session, error) &&
           set_digest(s, setting(opts, session, "header-digest"), error);
    iscsi_set_session_type(s->ctx, ISCSI_SESSION_NORMAL);
    iscsi_set_timeout(s->ctx, (int)MIN(seconds, 3600));
    json_object_put(session);
    if (!good) {
        iscsi_destroy_context(s->ctx);
    }
    return good;
}

static bool iscsi_open(BlockNode *n, struct json_object *opts, GError **error)
{
    IscsiState *s = n->state;
    const char *portal = opts_string(opts, "portal", NULL),
               *target = opts_string(opts, "target", NULL);
    const char *transport = opts_string(opts, "transport", "tcp");
    Login l = { .s = s, .n = n, .portal = portal };

    if (!portal || !target) {
        return fail(error, "Parameter '%s' is missing", portal ? "target" : "portal");
    }
    if (!lazy_library_load(&lazy_iscsi, error)) {
        return false;
    }
    if (strcmp(transport, "tcp") != 0) {
        return fail(error, "Unknown transport: %s", transport);
    }
    s->lun = (int)opts_number(opts, "lun", 0);
    if (s->lun < 0 || s->lun > 255) {
        return fail(error, "iSCSI: lun must be from 0 to 255");
    }
    if (!make_context(n, opts, target, error)) {
        return false;
    }
    if (co_in_worker(login_work, &l) < 0) {
        iscsi_destroy_context(s->ctx);
        g_propagate_error(error, l.error);
        return false;
    }
    s->watch = (LibraryWatch){.get_fd = library_fd,
                              .get_events = library_events,
                              .service = library_service,
                              .library = s->ctx};
    timer_init(&s->timer, CLOCK_RT, on_tick, s);
    timer_set_ns(&s->timer, clock_now_ns(CLOCK_RT) + TICK_NS);
    library_watch_update(&s->watch);
    g_free(n->filename);
    n->filename = g_strdup_printf("iscsi://%s/%s/%d", portal, target, s->lun);
    return true;
}

static int logout_work(void *arg)
{
    IscsiState *s = arg;

    if (iscsi_is_logged_in(s->ctx)) {
        iscsi_logout_sync(s->ctx);
    }
    iscsi_destroy_context(s->ctx);
    return 0;
}

static void iscsi_close(BlockNode *n)
{
    IscsiState *s = n->state;

    timer_cancel(&s->timer);
    library_watch_stop(&s->watch);
    co_in_worker(logout_work, s);
}

static bool iscsi_refresh_length(BlockNode *n, GError **error)
{
    return true;
}

static bool iscsi_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    if (!lazy_library_load(&lazy_iscsi, error)) {
        return false;
    }
    struct iscsi_context *ctx = iscsi_create_context("iqn.2008-11.org.linux-kvm");
    struct iscsi_url *url = ctx ? iscsi_parse_full_url(ctx, filename) : NULL;
    g_autofree char *lun = url ? g_strdup_printf("%d", url->lun) : NULL;

    if (!url) {
        fail(error, "Failed to parse URL : %s", filename);
    } else {
        const char *const members[][2] = {{"portal", url->portal},
                                          {"target", url->target},
                                          {"lun", lun},
                                          {"user", url->user},
                                          {"password", url->passwd}};

        for (unsigned i = 0; i < ARRAY_COUNT(members); i++) {
            if (*members[i][1]) {
                json_object_object_add(opts, members[i][0], json_object_new_string(members[i][1]));
            }
        }
        json_object_object_add(opts, "transport", json_object_new_string("tcp"));
        iscsi_destroy_url(url);
    }
    if (ctx) {
        iscsi_destroy_context(ctx);
    }
    return lun != NULL;
}

static const OptDesc iscsi_opts[] = {
    { "transport", OPT_STRING, "tcp" }, { "portal", OPT_STRING, "address of the target, HOST[:PORT]" },
    { "target", OPT_STRING, "name of the target" }, { "lun", OPT_NUMBER, "number of the unit" },
    { "user", OPT_STRING, "username for CHAP authentication to target" },
    { "password", OPT_STRING, "password for CHAP, of URLs" },
    { "password-secret", OPT_STRING, "ID of the secret providing password for CHAP authentication to target" },
    { "initiator-name", OPT_STRING, "Initiator iqn name to use when connecting" },
    { "header-digest", OPT_STRING, "HeaderDigest setting. {CRC32C|CRC32C-NONE|NONE-CRC32C|NONE}" },
    { "timeout", OPT_NUMBER, "Request timeout in seconds (default 0 = no timeout)" },
    { NULL },
};

static const BlockDriver iscsi_driver = {
    .name = "iscsi", .desc = "disks of iSCSI targets", .protocol = true, .opts = iscsi_opts, .state_size = sizeof(IscsiState),
    .parse_filename = iscsi_parse_filename, .open = iscsi_open, .close = iscsi_close, .co_preadv = co_iscsi_preadv,
    .co_pwritev = co_iscsi_pwritev, .co_flush = co_iscsi_flush, .co_discard = co_iscsi_discard,
    .co_write_zeroes = co_iscsi_write_zeroes, .co_block_status = co_iscsi_status, .refresh_length = iscsi_refresh_length,
};
BLOCK_DRIVER(iscsi_driver);

/* ---- -iscsi ---- */

static const OptDesc session_params[] = {
    { "user", OPT_STRING, "username for CHAP authentication to target" },
    { "password", OPT_STRING, "password for CHAP authentication to target" },
    { "password-secret", OPT_STRING, "ID of the secret providing password for CHAP authentication to target" },
    { "header-digest", OPT_STRING, "HeaderDigest setting. {CRC32C|CRC32C-NONE|NONE-CRC32C|NONE}" },
    { "initiator-name", OPT_STRING, "Initiator iqn name to use when connecting" },
    { "timeout", OPT_NUMBER, "Request timeout in seconds (default 0 = no timeout)" },
    { NULL },
};

/* Opening looks at the option itself; here it is only checked. */
static bool opt_iscsi(struct Vm *vm, const char *arg, GError **error)
{
    struct json_object *o = keyval_parse(arg, NULL, error);
    bool good = o != NULL;

    if (good) {
        json_object_object_foreach (o, key, value) {
            const OptDesc *d = session_params;

            while (d->name && strcmp(d->name, key) != 0) {
                d++;
            }
            if (good && !d->name && strcmp(key, "id") != 0) {
                good = fail(error, "Invalid parameter '%s'", key);
            }
            (void)value;
        }
        json_object_put(o);
    }
    return good;
}
OPTION(iscsi, { .name = "iscsi", .handle = opt_iscsi, .group = "iscsi", .params = session_params });
