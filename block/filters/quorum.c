// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several copies of a disk: writes go to all, and a read is what enough of them agree on (or,
 * read-pattern=fifo, the first that can be read). blkverify: two copies that must be equal.
 */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/driver.h"
#include "qapi/qapi-events.h"
#include "util/bitops.h"
#include "util/error.h"
#include "util/iov.h"

#define MAX_CHILDREN 32u
#define PIECE MIB

typedef struct QuorumState {
    BlockNode *children[MAX_CHILDREN];
    unsigned count, threshold;
    unsigned next_index;        /* of the name of a child that is added */
    bool verify, rewrite, fifo;
    bool silent;                /* blkverify: no events */
} QuorumState;

/* ---- what people are told ---- */

/* Child i did not do what it should, or (error 0) has other data than most. */
static void report_bad(const QuorumState *s, unsigned i, QuorumOpType type, uint64_t offset,
                       uint64_t bytes, int error)
{
    QuorumReportBadEvent e = {
        .type = type,
        .error = error ? (char *)g_strerror(-error) : NULL,
        .node_name = s->children[i]->name,
        .sector_num = (int64_t)(offset / 512),
        .sectors_count = (int64_t)div_round_up(bytes, 512),
    };

    qapi_event_quorum_report_bad(&e);
}

static void report_failure(const BlockNode *n, uint64_t offset, uint64_t bytes)
{
    QuorumFailureEvent e = {
        .reference = n->name,
        .sector_num = (int64_t)(offset / 512),
        .sectors_count = (int64_t)div_round_up(bytes, 512),
    };

    qapi_event_quorum_failure(&e);
}

/* ---- reading ---- */

/* The number of children that are equal to child i. */
static unsigned votes(const QuorumState *s, uint8_t *const *bufs, const int *rets, unsigned i,
                      size_t len)
{
    unsigned n = 0;

    for (unsigned k = 0; k < s->count; k++) {
        n += rets[k] == 0 && memcmp(bufs[k], bufs[i], len) == 0;
    }
    return n;
}

static int decide(QuorumState *s, uint8_t *const *bufs, const int *rets, size_t len,
                  unsigned *winner)
{
    unsigned best = 0;
    int error = -EIO;

    for (unsigned i = 0; i < s->count; i++) {
        unsigned n = rets[i] == 0 ? votes(s, bufs, rets, i, len) : 0;

        error = rets[i] < 0 ? rets[i] : error;
        if (n > best) {
            best = n;
            *winner = i;
        }
    }
    if (best == 0) {
        return error;
    }
    return best >= (s->verify ? s->count : s->threshold) ? 0 : -EIO;
}

static int co_read_piece(BlockNode *n, uint64_t offset, size_t len, uint8_t *const *bufs,
                         unsigned *winner)
{
    QuorumState *s = n->state;
    int rets[MAX_CHILDREN], ret;

    for (unsigned i = 0; i < s->count; i++) {
        rets[i] = co_block_pread(s->children[i], offset, bufs[i], len);
        if (rets[i] < 0 && !s->silent) {
            report_bad(s, i, QUORUM_OP_TYPE_READ, offset, len, rets[i]);
        }
        if (s->fifo && rets[i] == 0) {
            *winner = i;
            return 0;
        }
    }
    if (s->fifo) {
        return rets[s->count - 1];
    }
    ret = decide(s, bufs, rets, len, winner);
    if (ret < 0 && s->verify) {
        fprintf(stderr, "quorum: offset=%" G_GUINT64_FORMAT " bytes=%zu contents mismatch\n",
                offset, len);
    }
    if (ret < 0 && !s->silent) {
        report_failure(n, offset, len);
    }
    for (unsigned i = 0; ret == 0 && i < s->count; i++) {
        if (rets[i] < 0 || memcmp(bufs[i], bufs[*winner], len) == 0) {
            continue;
        }
        if (!s->silent) {
            report_bad(s, i, QUORUM_OP_TYPE_READ, offset, len, 0);
        }
        if (s->rewrite) {
            co_block_pwrite(s->children[i], offset, bufs[*winner], len, BLOCK_UNCHANGED);
        }
    }
    return ret;
}

static int co_quorum_preadv(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov)
{
    QuorumState *s = n->state;
    uint8_t *bufs[MAX_CHILDREN] = { NULL };
    size_t room = MIN(bytes, PIECE);
    int ret = 0;

    for (unsigned i = 0; i < s->count; i++) {
        void *p = NULL;

        ret = posix_memalign(&p, 4096, room) == 0 ? ret : -ENOMEM;
        bufs[i] = p;
    }
    for (uint64_t done = 0; done < bytes && ret == 0;) {
        size_t len = MIN(bytes - done, PIECE);
        unsigned winner = 0;

        ret = co_read_piece(n, offset + done, len, bufs, &winner);
        if (ret == 0) {
            iov_from_buf(iov, niov, done, bufs[winner], len);
        }
        done += len;
    }
    for (unsigned i = 0; i < s->count; i++) {
        free(bufs[i]);
    }
    return ret;
}

/* ---- writing ---- */

/* What the children answer to a request that all of them get. */
typedef struct Answers {
    BlockNode *n;
    QuorumOpType type;
    uint64_t offset, bytes;
    unsigned good;
    int error;
} Answers;

static void answer(Answers *a, unsigned i, int ret)
{
    const QuorumState *s = a->n->state;

    if (ret == 0) {
        a->good++;
        return;
    }
    a->error = ret;
    if (!s->silent) {
        report_bad(s, i, a->type, a->offset, a->bytes, ret);
    }
}

/* Good when enough children did it. */
static int outcome(const Answers *a)
{
    const QuorumState *s = a->n->state;

    if (a->good >= s->threshold) {
        return 0;
    }
    if (!s->silent && a->type != QUORUM_OP_TYPE_FLUSH) {
        report_failure(a->n, a->offset, a->bytes);
    }
    return a->error;
}

static int co_quorum_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                             unsigned niov, unsigned flags)
{
    QuorumState *s = n->state;
    Answers a = {.n = n, .type = QUORUM_OP_TYPE_WRITE, .offset = offset, .bytes = bytes};

    for (unsigned i = 0; i < s->count; i++) {
        answer(&a, i, co_block_pwritev(s->children[i], offset, bytes, iov, niov, flags));
    }
    return outcome(&a);
}

static int co_quorum_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    QuorumState *s = n->state;
    Answers a = {.n = n, .type = QUORUM_OP_TYPE_WRITE, .offset = offset, .bytes = bytes};

    for (unsigned i = 0; i < s->count; i++) {
        answer(&a, i, co_block_write_zeroes(s->children[i], offset, bytes, flags));
    }
    return outcome(&a);
}

static int co_quorum_flush(BlockNode *n)
{
    QuorumState *s = n->state;
    Answers a = {.n = n, .type = QUORUM_OP_TYPE_FLUSH, .offset = 0, .bytes = 0};

    for (unsigned i = 0; i < s->count; i++) {
        answer(&a, i, co_block_flush(s->children[i]));
    }
    return outcome(&a);
}

static bool same_lengths(BlockNode *n, QuorumState *s, GError **error)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->children[i]->length != s->children[0]->length) {
            return fail(error, "the children of '%s' have different lengths", n->name);
        }
        n->align = MAX(n->align, s->children[i]->align);
    }
    n->length = s->children[0]->length;
    return true;
}

static void quorum_find_children(BlockNode *n);

static bool quorum_open(BlockNode *n, struct json_object *opts, GError **error)
{
    QuorumState *s = n->state;
    const char *pattern = opts_string(opts, "read-pattern", "quorum");
    uint64_t threshold = opts_number(opts, "vote-threshold", 0);

    quorum_find_children(n);
    s->next_index = s->count;
    s->fifo = strcmp(pattern, "fifo") == 0;
    s->verify = opts_bool(opts, "blkverify", false);
    s->rewrite = opts_bool(opts, "rewrite-corrupted", false);
    if (s->count < 1) {
        return fail(error, "Number of provided children must be 1 or more");
    }
    if (!s->fifo && strcmp(pattern, "quorum") != 0) {
        return fail(error, "Please set read-pattern as fifo or quorum");
    }
    if (!s->fifo && (threshold < 1 || threshold > s->count)) {
        return threshold < 1 ? fail(error, "Parameter 'vote-threshold' expects a value >= 1")
                             : fail(error, "threshold may not exceed children count");
    }
    if (s->verify && (s->fifo || s->count != 2 || threshold != 2)) {
        return fail(
            error,
            "blkverify=on can only be set if there are exactly two files and vote-threshold is 2");
    }
    if (s->rewrite && s->verify) {
        return fail(error, "rewrite-corrupted=on cannot be used with blkverify=on");
    }
    s->threshold = s->fifo ? 1 : (unsigned)threshold;
    return same_lengths(n, s, error);
}

/* Of any name: x-blockdev-change takes children from the middle, too. */
static void quorum_find_children(BlockNode *n)
{
    QuorumState *s = n->state;

    s->count = 0;
    for (unsigned i = 0; i < n->children->len && s->count < MAX_CHILDREN; i++) {
        s->children[s->count++] = ((BlockEdge *)g_ptr_array_index(n->children, i))->node;
    }
}

static bool quorum_add_child(BlockNode *n, BlockNode *child, GError **error)
{
    QuorumState *s = n->state;
    g_autofree char *name = g_strdup_printf("children.%u", s->next_index);

    if (s->verify) {
        return fail(error, "Cannot add a child to a quorum in blkverify mode");
    }
    if (s->count == MAX_CHILDREN || s->next_index == UINT_MAX) {
        return fail(error, "Too many children");
    }
    if (child->length != n->length) {
        return fail(error, "node '%s' is not as long as '%s'", child->name, n->name);
    }
    if (!block_child_attach(n, block_node_ref(child), name, BLOCK_ROLE_DATA, error)) {
        return false;
    }
    s->next_index++;
    quorum_find_children(n);
    return true;
}

static bool quorum_remove_child(BlockNode *n, const char *name, GError **error)
{
    QuorumState *s = n->state;
    unsigned last = s->next_index - 1;
    g_autofree char *last_name = g_strdup_printf("children.%u", last);

    if (s->count <= s->threshold) {
        return fail(error, "The number of children cannot be lower than the vote threshold %u",
                    s->threshold);
    }
    /* the name of the latest one may be given again */
    s->next_index = strcmp(name, last_name) == 0 ? last : s->next_index;
    block_child_detach(n, name);
    quorum_find_children(n);
    return true;
}

static const OptDesc quorum_opts[] = {
    { "vote-threshold", OPT_NUMBER, "The number of vote needed for reaching quorum" },
    { "blkverify", OPT_BOOL, "Trigger block verify mode if set" },
    { "rewrite-corrupted", OPT_BOOL, "Rewrite corrupted block on read quorum" },
    { "read-pattern", OPT_STRING, "Allowed pattern: quorum, fifo. Quorum is default" },
    { NULL },
};

static const BlockChildDesc quorum_children[] = {
    { "children.*", BLOCK_ROLE_DATA, false }, { NULL },
};

static const BlockDriver quorum_driver = {
    .name = "quorum", .desc = "several copies of a disk", .opts = quorum_opts, .children = quorum_children,
    .state_size = sizeof(QuorumState), .open = quorum_open, .co_preadv = co_quorum_preadv, .co_pwritev = co_quorum_pwritev,
    .co_write_zeroes = co_quorum_write_zeroes, .co_flush = co_quorum_flush, .flushes_children = true,
    .children_changed = quorum_find_children, .add_child = quorum_add_child, .remove_child = quorum_remove_child,
};
BLOCK_DRIVER(quorum_driver);

/* ---- blkverify ---- */

static void blkverify_find_children(BlockNode *n)
{
    QuorumState *s = n->state;

    s->children[0] = block_child(n, "test");
    s->children[1] = block_child(n, "raw");
}

/* The child `raw` is what the child `test`, whose driver is tried out, must be equal to. */
static bool blkverify_open(BlockNode *n, struct json_object *opts, GError **error)
{
    QuorumState *s = n->state;

    blkverify_find_children(n);
    s->count = s->threshold = 2;
    s->verify = s->silent = true;
    return same_lengths(n, s, error);
}

/* blkverify:RAW:IMAGE */
static bool blkverify_parse_filename(const char *filename, struct json_object *opts, GError **error)
{
    const char *rest = g_str_has_prefix(filename, "blkverify:") ? filename + 10 : NULL,
               *colon = rest ? strchr(rest, ':') : NULL;
    struct json_object *raw, *test;

    if (!colon) {
        return fail(error, "blkverify requires raw copy and original image path");
    }
    g_autofree char *name = g_strndup(rest, (gsize)(colon - rest));

    raw = block_filename_options(name, error);
    test = raw ? block_filename_options(colon + 1, error) : NULL;
    if (!test) {
        json_object_put(raw);
        return false;
    }
    json_object_object_add(opts, "raw", raw);
    json_object_object_add(opts, "test", test);
    return true;
}

static const BlockChildDesc blkverify_children[] = {
    { "test", BLOCK_ROLE_DATA | BLOCK_ROLE_PRIMARY, false }, { "raw", BLOCK_ROLE_DATA, false }, { NULL },
};

static const BlockDriver blkverify_driver = {
    .name = "blkverify", .desc = "compares an image with a copy", .protocol = true, .children = blkverify_children,
    .state_size = sizeof(QuorumState), .parse_filename = blkverify_parse_filename, .open = blkverify_open,
    .co_preadv = co_quorum_preadv, .co_pwritev = co_quorum_pwritev, .co_write_zeroes = co_quorum_write_zeroes,
    .co_flush = co_quorum_flush, .flushes_children = true, .children_changed = blkverify_find_children,
};
BLOCK_DRIVER(blkverify_driver);
