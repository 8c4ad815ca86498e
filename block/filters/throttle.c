// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter `throttle`: limits of bytes and operations per second for all nodes of a group
 * together (block/throttle.h). The group is an object, throttle-group.
 */
#include <json-c/json.h>
#include <string.h>

#include "block/driver.h"
#include "block/throttle.h"
#include "qom/object.h"
#include "util/error.h"

typedef struct GroupObject {
    Object obj;
    ThrottleLimits limits, in_force;    /* as the properties are now, and as the group has them */
    ThrottleGroup *group;
} GroupObject;

typedef struct ThrottleState {
    GroupObject *object;
} ThrottleState;

/* Properties may have been set since. */
static void co_account(BlockNode *n, uint64_t bytes, bool write)
{
    GroupObject *o = ((ThrottleState *)n->state)->object;

    if (memcmp(&o->limits, &o->in_force, sizeof(o->limits)) != 0) {
        o->in_force = o->limits;
        throttle_group_set(o->group, &o->limits);
    }
    co_throttle(o->group, write, bytes);
}

static int co_throttle_preadv(BlockNode *n, uint64_t offset, uint64_t bytes,
                              const struct iovec *iov, unsigned niov)
{
    co_account(n, bytes, false);
    return co_block_preadv(n->file, offset, bytes, iov, niov);
}

static int co_throttle_pwritev(BlockNode *n, uint64_t offset, uint64_t bytes,
                               const struct iovec *iov, unsigned niov, unsigned flags)
{
    co_account(n, bytes, true);
    return co_block_pwritev(n->file, offset, bytes, iov, niov, flags);
}

static int co_throttle_write_zeroes(BlockNode *n, uint64_t offset, uint64_t bytes, unsigned flags)
{
    co_account(n, bytes, true);
    return co_block_write_zeroes(n->file, offset, bytes, flags);
}

static int co_throttle_discard(BlockNode *n, uint64_t offset, uint64_t bytes)
{
    co_account(n, bytes, true);
    return co_block_discard(n->file, offset, bytes);
}

static bool co_throttle_truncate(BlockNode *n, uint64_t length, BlockPrealloc prealloc,
                                 GError **error)
{
    if (!co_block_truncate(n->file, length, prealloc, error)) {
        return false;
    }
    n->length = n->file->length;
    return true;
}

/* ---- the group ---- */

static const char *const limit_names[LIMIT_COUNT] = {"bps-total",  "bps-read",  "bps-write",
                                                     "iops-total", "iops-read", "iops-write"};

/* The place of a member of `limits`; NULL: there is no such member. */
static uint64_t *limit_place(ThrottleLimits *l, const char *name)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        const char *rest =
            g_str_has_prefix(name, limit_names[i]) ? name + strlen(limit_names[i]) : NULL;

        if (rest && strcmp(rest, "") == 0) {
            return &l->avg[i];
        }
        if (rest && strcmp(rest, "-max") == 0) {
            return &l->max[i];
        }
        if (rest && strcmp(rest, "-max-length") == 0) {
            return &l->length[i];
        }
    }
    return strcmp(name, "iops-size") == 0 ? &l->iops_size : NULL;
}

static bool limits_from_json(Object *o, const Prop *p, void *field, struct json_object *v,
                             GError **error)
{
    ThrottleLimits l = { .length = { 1, 1, 1, 1, 1, 1 } };

    if (!json_object_is_type(v, json_type_object)) {
        return prop_fail_json_type(p, "object", error);
    }
    json_object_object_foreach (v, key, value) {
        uint64_t *place = limit_place(&l, key);
        int64_t number = json_object_get_int64(value);

        if (!place) {
            return fail(error, "Parameter 'limits.%s' is unexpected", key);
        }
        if (number < 0) {
            return fail(error, "limits.%s must not be negative", key);
        }
        *place = (uint64_t)number;
    }
    if (!throttle_check(&l, error)) {
        return false;
    }
    *(ThrottleLimits *)field = l;
    return true;
}

static bool limits_parse(Object *o, const Prop *p, void *field, const char *text, GError **error)
{
    return prop_fail_json_type(p, "object", error);
}

static struct json_object *limits_to_json(Object *o, const Prop *p, const void *field)
{
    ThrottleLimits l = *(const ThrottleLimits *)field;
    struct json_object *v = json_object_new_object();

    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        g_autofree char *max = g_strconcat(limit_names[i], "-max", NULL),
                        *length = g_strconcat(limit_names[i], "-max-length", NULL);

        json_object_object_add(v, limit_names[i], json_object_new_uint64(l.avg[i]));
        json_object_object_add(v, max, json_object_new_uint64(l.max[i]));
        json_object_object_add(v, length, json_object_new_uint64(l.length[i]));
    }
    json_object_object_add(v, "iops-size", json_object_new_uint64(l.iops_size));
    return v;
}

static void limits_default(Object *o, const Prop *p, void *field)
{
    *(ThrottleLimits *)field = (ThrottleLimits){ .length = { 1, 1, 1, 1, 1, 1 } };
}

static const PropType prop_limits = {
    .name = "ThrottleLimits", .parse = limits_parse, .from_json = limits_from_json, .to_json = limits_to_json,
    .set_default = limits_default, .desc = "limits of bytes and operations per second",
};

#define LIMIT_PROPS(name, i)                                                        \
    PROP_U64(GroupObject, limits.avg[i], "x-" name, 0, .help = "limit per second"), \
        PROP_U64(GroupObject, limits.max[i], "x-" name "-max", 0,                   \
                 .help = "limit per second of bursts"),                             \
        PROP_U64(GroupObject, limits.length[i], "x-" name "-max-length", 1,         \
                 .help = "length of bursts in seconds")

static const Prop group_props[] = {
    PROP(GroupObject, limits, "limits", prop_limits, .help = "all limits"),
    LIMIT_PROPS("bps-total", LIMIT_BPS_TOTAL), LIMIT_PROPS("bps-read", LIMIT_BPS_READ), LIMIT_PROPS("bps-write", LIMIT_BPS_WRITE),
    LIMIT_PROPS("iops-total", LIMIT_IOPS_TOTAL), LIMIT_PROPS("iops-read", LIMIT_IOPS_READ), LIMIT_PROPS("iops-write", LIMIT_IOPS_WRITE),
    PROP_U64(GroupObject, limits.iops_size, "x-iops-size", 0, .help = "a longer request counts as several"),
    PROP_END,
};

/* Drives may be in the group, too: they name it by the object's id. */
static bool group_complete(Object *obj, GError **error)
{
    GroupObject *o = (GroupObject *)obj;

    if (!throttle_check(&o->limits, error)) {
        return false;
    }
    o->group = throttle_group_get(obj->name);
    o->in_force = o->limits;
    throttle_group_set(o->group, &o->limits);
    return true;
}

static void group_finalize(Object *obj)
{
    throttle_group_unref(((GroupObject *)obj)->group);
}

static const ObjectType group_type = {
    .name = "throttle-group", .desc = "Limits of bytes and operations per second", .size = sizeof(GroupObject),
    .props = group_props, .user_creatable = true, .complete = group_complete, .finalize = group_finalize,
};
OBJECT_TYPE(group_type);

static bool throttle_open(BlockNode *n, struct json_object *opts, GError **error)
{
    ThrottleState *s = n->state;
    const char *id = opts_string(opts, "throttle-group", NULL);
    Object *obj = id ? object_child(object_container("/objects"), id) : NULL;

    if (!id) {
        return fail(error, "Please specify a throttle group");
    }
    if (!obj || obj->type != &group_type) {
        return fail(error, "Throttle group '%s' does not exist", id);
    }
    s->object = (GroupObject *)object_ref(obj);
    n->length = n->file->length;
    n->align = n->file->align;
    return true;
}

static void throttle_close(BlockNode *n)
{
    object_unref(&((ThrottleState *)n->state)->object->obj);
}

static const OptDesc throttle_opts[] = {
    {"throttle-group", OPT_STRING, "Name of the throttle group"}, {NULL}};

static const BlockDriver throttle_driver = {
    .name = "throttle", .desc = "limits of bytes and operations per second", .filter = true, .opts = throttle_opts,
    .state_size = sizeof(ThrottleState), .open = throttle_open, .close = throttle_close, .co_preadv = co_throttle_preadv,
    .co_pwritev = co_throttle_pwritev, .co_write_zeroes = co_throttle_write_zeroes, .co_discard = co_throttle_discard,
    .co_truncate = co_throttle_truncate,
};
BLOCK_DRIVER(throttle_driver);
