// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties as rows. A row binds a name to a field of the instance (or to hooks); text of
 * the command line, JSON of QMP and -global all end in the same PropType functions.
 */
#ifndef QOM_PROP_H
#define QOM_PROP_H

#include <glib.h>
#include "util/cutils.h"
#include "util/types.h"

struct Object;
struct json_object;
typedef struct Prop Prop;

/* How a kind of value is read and shown. One constant each; see below. */
typedef struct PropType {
    const char *name;    /* QMP type name: "uint32", "bool", "str", "size", "link<...>" ... */
    bool (*parse)(struct Object *o, const Prop *p, void *field, const char *text, GError **error);
    bool (*from_json)(struct Object *o, const Prop *p, void *field, struct json_object *v,
                      GError **error);
    struct json_object *(*to_json)(struct Object *o, const Prop *p, const void *field);
    void (*set_default)(struct Object *o, const Prop *p, void *field);
    void (*release)(void *field);    /* may be NULL */
    /* Optional: */
    const char *desc;                /* for people, when the row has no help of its own */
    char *(*print)(struct Object *o, const Prop *p, const void *field);    /* info qtree's form */
    struct json_object *(*default_json)(const Prop *p);    /* NULL: no default is shown */
} PropType;

typedef enum PropFlags {
    PROP_LIVE = 1,       /* may be set after realize */
    PROP_READ_ONLY = 2,
    PROP_REQUIRED = 4,   /* realize fails with a clear error when unset */
    PROP_HIDDEN = 8,     /* works, but is not listed (x-...) */
} PropFlags;

struct Prop {
    const char *name;
    const PropType *type;
    size_t offset;                  /* of the field in the instance */
    int64_t def;                    /* default of numbers, bools, enums */
    const char *def_str;            /* default of strings, NULL: none */
    uint64_t min, max;              /* numbers; both 0: the type's range */
    const char *const *names;       /* enums: NULL-terminated values in order */
    /* links: type name that the target must have; enums: QAPI name */
    const char *link;
    uint8_t bit;                    /* bits of a uint32/uint64 field */
    unsigned flags;
    const char *help;
    /* Called after the field changed / before it is read; may be NULL. */
    bool (*changed)(struct Object *o, const Prop *p, GError **error);
    void (*refresh)(struct Object *o, const Prop *p);
};

extern const PropType prop_bool, prop_uint8, prop_uint16, prop_uint32, prop_uint64, prop_int32,
    prop_int64, prop_size, prop_string, prop_enum /* int field */,
    prop_on_off_auto /* int field: OnOffAuto */, prop_bit32, prop_bit64, prop_mac /* uint8_t[6] */,
    prop_link /* Object *, counted */,
    prop_chardev /* Chardev *: by chardev; realize attaches a ChardevFe */,
    prop_netdev /* NetPeer *: by net */, prop_drive /* BlockFront *: by block */,
    prop_pci_devfn /* int32_t, -1: automatic */, prop_uuid /* uint8_t[16] */;

typedef enum OnOffAuto { ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF } OnOffAuto;

/* For PropTypes: "Property 'T.p' doesn't take value 'text'" and other standard refusals. */
bool prop_fail_value(struct Object *o, const Prop *p, const char *text, GError **error);
bool prop_fail_json_type(const Prop *p, const char *expected, GError **error);
/* "Property 'T.p' can't find value 'text'". */
bool prop_fail_find(struct Object *o, const Prop *p, const char *text, GError **error);
/* "1.5 GiB", three digits. New string. */
char *size_text(uint64_t bytes);

#define PROP(T, f, name_, type_, ...)                                                              \
    { .name = name_, .type = &type_, .offset = offsetof(T, f), __VA_ARGS__ }
#define PROP_BOOL(T, f, name, def_, ...) PROP(T, f, name, prop_bool, .def = def_, __VA_ARGS__)
#define PROP_U8(T, f, name, def_, ...) PROP(T, f, name, prop_uint8, .def = def_, __VA_ARGS__)
#define PROP_U16(T, f, name, def_, ...) PROP(T, f, name, prop_uint16, .def = def_, __VA_ARGS__)
#define PROP_U32(T, f, name, def_, ...) PROP(T, f, name, prop_uint32, .def = def_, __VA_ARGS__)
#define PROP_U64(T, f, name, def_, ...) PROP(T, f, name, prop_uint64, .def = def_, __VA_ARGS__)
#define PROP_I32(T, f, name, def_, ...) PROP(T, f, name, prop_int32, .def = def_, __VA_ARGS__)
#define PROP_SIZE(T, f, name, def_, ...) PROP(T, f, name, prop_size, .def = def_, __VA_ARGS__)
#define PROP_STRING(T, f, name, ...) PROP(T, f, name, prop_string, __VA_ARGS__)
#define PROP_ENUM(T, f, name, def_, names_, ...)                                                   \
    PROP(T, f, name, prop_enum, .def = def_, .names = names_, __VA_ARGS__)
#define PROP_BIT32(T, f, name, bit_, def_, ...)                                                    \
    PROP(T, f, name, prop_bit32, .bit = bit_, .def = def_, __VA_ARGS__)
#define PROP_BIT64(T, f, name, bit_, def_, ...)                                                    \
    PROP(T, f, name, prop_bit64, .bit = bit_, .def = def_, __VA_ARGS__)
#define PROP_ON_OFF_AUTO(T, f, name, def_, ...)                                                    \
    PROP(T, f, name, prop_on_off_auto, .def = def_, __VA_ARGS__)
#define PROP_MAC(T, f, ...) PROP(T, f, "mac", prop_mac, __VA_ARGS__)
#define PROP_CHARDEV(T, f, ...) PROP(T, f, "chardev", prop_chardev, __VA_ARGS__)
#define PROP_NETDEV(T, f, ...) PROP(T, f, "netdev", prop_netdev, __VA_ARGS__)
#define PROP_DRIVE(T, f, ...) PROP(T, f, "drive", prop_drive, .flags = PROP_LIVE, __VA_ARGS__)
#define PROP_LINK(T, f, name, link_, ...) PROP(T, f, name, prop_link, .link = link_, __VA_ARGS__)
#define PROP_END { 0 }

#endif
