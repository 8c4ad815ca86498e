// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fault injection: rules say that at an event (of a state) requests fail, or that the state
 * changes. Rules come from a file, as lists of options, or are breakpoints that suspend a request.
 */
#include "block/filters/blkdebug.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "util/bitops.h"
#include "util/cutils.h"
#include "util/error.h"

/* Names of kinds of requests, for iotype=. */
enum {
    ON_READ = 1,
    ON_WRITE = 2,
    ON_ZERO = 4,
    ON_DISCARD = 8,
    ON_FLUSH = 16,
    ON_STATUS = 32,
    ON_USUAL = 31
};

static const char *const event_names[] = {
    "l1_update", "l1_grow_alloc_table", "l1_grow_write_table", "l1_grow_activate_table", "l2_load", "l2_update",
    "l2_update_compressed", "l2_alloc_cow_read", "l2_alloc_write", "read_aio", "read_backing_aio", "read_compressed",
    "write_aio", "write_compressed", "vmstate_load", "vmstate_save", "cow_read", "cow_write", "reftable_load",
    "reftable_grow", "reftable_update", "refblock_load", "refblock_update", "refblock_update_part", "refblock_alloc",
    "refblock_alloc_hookup", "refblock_alloc_write", "refblock_alloc_write_blocks", "refblock_alloc_write_table",
    "refblock_alloc_switch_table", "cluster_alloc", "cluster_alloc_bytes", "cluster_free", "flush_to_os",
    "flush_to_disk", "pwritev_rmw_head", "pwritev_rmw_after_head", "pwritev_rmw_tail", "pwritev_rmw_after_tail",
    "pwritev", "pwritev_zero", "pwritev_done", "empty_image_prepare", "l1_shrink_write_table", "l1_shrink_free_l2_clusters",
    "cor_write", "cluster_alloc_space", "none", NULL,
};

typedef enum RuleKind { RULE_ERROR, RULE_STATE, RULE_BREAK } RuleKind;

typedef struct Rule {
    RuleKind kind;
    unsigned event, iotype;
    int state, new_state;       /* state 0: any */
    int error;
    int64_t offset;             /* -1: any */
    bool once, immediately, active;
    char *tag;
} Rule;

typedef struct Suspended {
    char *tag;
    Coroutine *co;
} Suspended;

typedef struct DebugState {
    GPtrArray *rules;           /* Rule */
    GPtrArray *suspended;       /* Suspended */
    int state, new_state;
    uint64_t max_discard, max_zero;
} DebugState;

static void rule_free(void *opaque)
{
    Rule *r = opaque;

    g_free(r->tag);
    g_free(r);
}

static int find_event(const char *name)
{
    /* other spellings of two */
    for (int i = 0; event_names[i]; i++) {
        if (g_ascii_strcasecmp(event_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- events ---- */

static void co_suspend(DebugState *s, const Rule *r)
{
    Suspended *p = g_new0(Suspended, 1);

    p->tag = g_strdup(r->tag);
    p->co = coroutine_self();
    g_ptr_array_remove(s->rules, (void *)r);
    g_ptr_array_add(s->suspended, p);
    co_yield();
    g_free(p->tag);
    g_free(p);
}

static void co_event(DebugState *s, unsigned event)
{
    const Rule *stop = NULL;

    s->new_state = s->state;
    for (unsigned i = 0; i < s->rules->len; i++) {
        Rule *r = g_ptr_array_index(s->rules, i);

        if (r->event != event || (r->state && r->state != s->state)) {
            continue;
        }
        if (r->kind == RULE_ERROR) {
            /* what becomes active last is looked at first */
            r->active = true;
        } else if (r->kind == RULE_STATE) {
            s->new_state = r->new_state;
        } else if (!stop) {
            stop = r;
        }
    }
    s->state = s->new_state;
    if (stop && coroutine_self()) {
        co_suspend(s, stop);
    }
}

static const BlockDriver blkdebug_driver;

void blkdebug_event(BlockNode *file, const char *event)
{
    if (file && file->driver == &blkdebug_driver) {
        int e = find_event(event);

        if (e >= 0) {
            co_event(file->state, (unsigned)e);
        }
    }
}

/* The error of the first active rule that matches, 0: none. */
static int check(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned iotype)
{
    static const unsigned none = ARRAY_COUNT(event_names) - 2;
    DebugState *s = n->state;

    for (unsigned i = s->rules->len; i-- > 0;) {
        Rule *r = g_ptr_array_index(s->rules, i);

        if (r->kind == RULE_ERROR && (r->active || r->event == none) && (r->iotype & iotype) &&
            (r->offset < 0 ||
             ((uint64_t)r->offset >= offset && (uint64_t)r->offset < offset + bytes))) {
            int error = r->error;
            bool immediately = r->immediately;

            if (r->once) {
                g_ptr_array_remove_index(s->rules, i);
            }
            if (!immediately) {
                co_reschedule();
            }
            return -error;
        }
    }
    return 0;
}

/* ---- requests ---- */

static int co_blkdebug_preadv(BlockNode *n, uint64_t offset, uint64_t bytes,
                              const struct iovec *iov, unsigned niov)
{
    int ret = check(n, offset, bytes, ON_READ);

    return ret < 0 ? ret : co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_blkdebug_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes,
                               const struct iovec *iov, unsigned niov, unsigned flags)
{
    int ret = check(n, offset, bytes, ON_WRITE);

    return ret < 0 ? ret : co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
}

static int co_blkdebug_flush(BlockNode *n)
{
    return check(n, 0, 0, ON_FLUSH);
}

static int co_blkdebug_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    int ret = check(n, offset, bytes, ON_DISCARD);

    return ret < 0 ? ret : co_block_discard(n->file, offset, bytes);
}

static int co_blkdebug_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    int ret = check(n, offset, bytes, ON_ZERO);

    return ret < 0 ? ret : co_block_write_zeroes(n->file, offset, bytes, flags);
}

static int co_blkdebug_status(BlockNode *n, uint64_t offset, uint64_t bytes, bool want_zero,
                              BlockStatus *st)
{
    int ret = check(n, offset, bytes, ON_STATUS);

    *st = (BlockStatus){.flags = BLOCK_STATUS_ALLOCATED | BLOCK_STATUS_DATA | BLOCK_STATUS_OFFSET |
                                 BLOCK_STATUS_RECURSE,
                        .bytes = bytes,
                        .map = offset,
                        .map_node = n->file};
    return ret;
}

static bool co_blkdebug_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc,
                                 GError **error)
{
    if (!co_block_truncate(n->file, length, prealloc, error)) {
        return false;
    }
    n->length = n->file->length;
    return true;
}

/* ---- rules ---- */

static bool parse_iotype(const char *text, unsigned *iotype, GError **error)
{
    static const char *const names[] = {"read",    "write", "write-zeroes",
                                        "discard", "flush", "block-status"};

    for (unsigned i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *iotype = 1u << i;
            return true;
        }
    }
    return fail(error, "Invalid parameter '%s'", text);
}

static bool rule_set(Rule *r, const char *key, const char *value, GError **error)
{
    int64_t number = 0;
    bool is_number = parse_i64(value, &number), flag;

    if (strcmp(key, "event") == 0) {
        int e = find_event(value);

        if (e < 0) {
            return fail(error, "Invalid event name \"%s\"", value);
        }
        r->event = (unsigned)e;
    } else if (strcmp(key, "iotype") == 0) {
        return parse_iotype(value, &r->iotype, error);
    } else if (strcmp(key, "once") == 0 || strcmp(key, "immediately") == 0) {
        if (!bool_parse(value, key, &flag, error)) {
            return false;
        }
        *(key[0] == 'o' ? &r->once : &r->immediately) = flag;
    } else if (!is_number) {
        return fail(error, "Parameter '%s' expects a number", key);
    } else if (strcmp(key, "state") == 0) {
        r->state = (int)number;
    } else if (strcmp(key, "new_state") == 0 && r->kind == RULE_STATE) {
        r->new_state = (int)number;
    } else if (strcmp(key, "errno") == 0 && r->kind == RULE_ERROR) {
        r->error = (int)number;
    } else if (strcmp(key, "sector") == 0 && r->kind == RULE_ERROR) {
        r->offset = number < 0 ? -1 : number * 512;
    } else {
        return fail(error, "Invalid parameter '%s'", key);
    }
    return true;
}

static Rule *rule_new(RuleKind kind)
{
    Rule *r = g_new0(Rule, 1);

    r->kind = kind;
    r->error = EIO;
    r->offset = -1;
    r->iotype = ON_USUAL;
    return r;
}

/* [inject-error] and [set-state] sections of `key = "value"`. */
static bool read_config(DebugState *s, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    Rule *r = NULL;

    if (!g_file_get_contents(path, &text, NULL, error)) {
        g_prefix_error(error, "Could not read blkdebug config file: ");
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        char *line = g_strstrip(*l), *eq;

        if (!*line || *line == '#') {
            continue;
        }
        if (*line == '[') {
            bool inject = g_str_has_prefix(line, "[inject-error");

            if (!inject && !g_str_has_prefix(line, "[set-state")) {
                return fail(error, "Could not parse blkdebug config file: unknown section %s",
                            line);
            }
            r = rule_new(inject ? RULE_ERROR : RULE_STATE);
            g_ptr_array_add(s->rules, r);
            continue;
        }
        eq = strchr(line, '=');
        if (!r || !eq) {
            return fail(error, "Could not parse blkdebug config file: %s", line);
        }
        *eq = 0;
        char *value = g_strstrip(eq + 1);
        size_t len = strlen(value);

        if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
            value[len - 1] = 0;
            value++;
        }
        if (!rule_set(r, g_strstrip(line), value, error)) {
            return false;
        }
    }
    return true;
}

/* Flat options: "inject-error.0.event" and so on. */
static bool read_options(DebugState *s, struct json_object *opts, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    json_object_object_foreach (opts, key, value) {
        bool inject = g_str_has_prefix(key, "inject-error."),
             state = g_str_has_prefix(key, "set-state.");
        const char *last = strrchr(key, '.');

        if (!inject && !state) {
            continue;
        }
        g_autofree char *stem = g_strndup(key, (gsize)(last - key));
        Rule *r = g_hash_table_lookup(seen, stem);

        if (!r) {
            r = rule_new(inject ? RULE_ERROR : RULE_STATE);
            g_ptr_array_add(s->rules, r);
            g_hash_table_insert(seen, g_strdup(stem), r);
        }
        if (!rule_set(r, last + 1, json_object_get_string(value), error)) {
            return false;
        }
    }
    return true;
}

static void free_state(DebugState *s)
{
    g_ptr_array_free(s->rules, TRUE);
    g_ptr_array_free(s->suspended, TRUE);
}

static bool blkdebug_open(BlockNode *n, struct json_object *opts, GError **error)
{
    DebugState *s = n->state;
    const char *config = opts_string(opts, "config", NULL);
    uint64_t align = opts_number(opts, "align", 0), most = opts_number(opts, "max-transfer", 0);

    s->rules = g_ptr_array_new_with_free_func(rule_free);
    s->suspended = g_ptr_array_new();
    s->state = 1;
    if ((config && *config && !read_config(s, config, error)) || !read_options(s, opts, error)) {
        free_state(s);
        return false;
    }
    if (align && (!is_power_of_2(align) || align > INT32_MAX)) {
        free_state(s);
        return fail(error, "Cannot meet constraints with align %" G_GUINT64_FORMAT, align);
    }
    if (most && (align ? most % align != 0 : false)) {
        free_state(s);
        return fail(error, "Cannot meet constraints with max-transfer %" G_GUINT64_FORMAT, most);
    }
    n->length = n->file->length;
    n->align = align ? (uint32_t)align : n->file->align;
    n->max_transfer = most ? (uint32_t)most : n->file->max_transfer;
    return true;
}

static void blkdebug_close(BlockNode *n)
{
    free_state(n->state);
}

/* blkdebug:CONFIG:IMAGE */
static bool blkdebug_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    const char *rest = g_str_has_prefix(filename, "blkdebug:") ? filename + 9 : NULL,
               *colon = rest ? strchr(rest, ':') : NULL;

    if (!colon) {
        return fail(error, "blkdebug requires both config file and image path");
    }
    if (colon != rest) {
        g_autofree char *config = g_strndup(rest, (gsize)(colon - rest));

        json_object_object_add(opts, "config", json_object_new_string(config));
    }
    struct json_object *image = block_filename_options(colon + 1, error);

    if (!image) {
        return false;
    }
    json_object_object_add(opts, "image", image);
    return true;
}

/* ---- breakpoints ---- */

/* The blkdebug below n. */
static BlockNode *find(BlockNode *n)
{
    while (n && n->driver != &blkdebug_driver) {
        n = n->file;
    }
    return n;
}

bool blkdebug_break(BlockNode *n, const char *event, const char *tag)
{
    BlockNode *d = find(n);
    int e = find_event(event);
    Rule *r;

    if (!d || e < 0) {
        return false;
    }
    r = rule_new(RULE_BREAK);
    r->event = (unsigned)e;
    r->tag = g_strdup(tag);
    g_ptr_array_add(((DebugState *)d->state)->rules, r);
    return true;
}

bool blkdebug_resume(BlockNode *n, const char *tag)
{
    BlockNode *d = find(n);
    DebugState *s = d ? d->state : NULL;

    for (unsigned i = 0; s && i < s->suspended->len; i++) {
        Suspended *p = g_ptr_array_index(s->suspended, i);

        if (strcmp(p->tag, tag) == 0) {
            g_ptr_array_remove_index(s->suspended, i);
            coroutine_wake(p->co);
            return true;
        }
    }
    return false;
}

bool blkdebug_remove_break(BlockNode *n, const char *tag)
{
    BlockNode *d = find(n);
    DebugState *s = d ? d->state : NULL;
    bool any = false;

    for (unsigned i = s ? s->rules->len : 0; i-- > 0;) {
        Rule *r = g_ptr_array_index(s->rules, i);

        if (r->kind == RULE_BREAK && strcmp(r->tag, tag) == 0) {
            g_ptr_array_remove_index(s->rules, i);
            any = true;
        }
    }
    while (s && blkdebug_resume(n, tag)) {
        any = true;
    }
    return any;
}

bool blkdebug_is_suspended(BlockNode *n, const char *tag)
{
    BlockNode *d = find(n);
    DebugState *s = d ? d->state : NULL;

    for (unsigned i = 0; s && i < s->suspended->len; i++) {
        if (strcmp(((Suspended *)g_ptr_array_index(s->suspended, i))->tag, tag) == 0) {
            return true;
        }
    }
    return false;
}

static const OptDesc blkdebug_opts[] = {
    { "config", OPT_STRING, "Path to the configuration file" },
    { "align", OPT_SIZE, "Required alignment in bytes" },
    { "max-transfer", OPT_SIZE, "Maximum transfer size in bytes" },
    { "opt-write-zero", OPT_SIZE, "Optimum write zero alignment in bytes" },
    { "max-write-zero", OPT_SIZE, "Maximum write zero size in bytes" },
    { "opt-discard", OPT_SIZE, "Optimum discard alignment in bytes" },
    { "max-discard", OPT_SIZE, "Maximum discard size in bytes" },
    { "inject-error.*", OPT_STRING, "" },
    { "set-state.*", OPT_STRING, "" },
    { "take-child-perms.*", OPT_STRING, "" },
    { "unshare-child-perms.*", OPT_STRING, "" },
    { NULL },
};

static const BlockChildDesc blkdebug_children[] = {
    { "image", BLOCK_ROLE_FILTERED | BLOCK_ROLE_PRIMARY, false }, { NULL },
};

static const BlockDriver blkdebug_driver = {
    .name = "blkdebug", .desc = "errors on purpose", .protocol = true, .filter = true, .grows = true, .opts = blkdebug_opts,
    .children = blkdebug_children, .state_size = sizeof(DebugState), .parse_filename = blkdebug_parse_filename,
    .open = blkdebug_open, .close = blkdebug_close, .co_preadv = co_blkdebug_preadv, .co_pwritev = co_blkdebug_pwritev,
    .co_flush = co_blkdebug_flush, .co_discard = co_blkdebug_discard, .co_write_zeroes = co_blkdebug_write_zeroes,
    .co_block_status = co_blkdebug_status, .co_truncate = co_blkdebug_truncate,
};
BLOCK_DRIVER(blkdebug_driver);
