// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects: a tree of named, typed instances ("/machine/peripheral/net0"), each described by a
 * constant. Types sit in a linker section; nothing runs to register them. All calls: main
 * thread or machine lock held, unless stated.
 */
#ifndef QOM_OBJECT_H
#define QOM_OBJECT_H

#include <glib.h>
#include "qom/prop.h"
#include "util/error.h"
#include "util/types.h"

typedef struct Object Object;
typedef struct ObjectType ObjectType;

typedef enum ObjectKind {
    KIND_OBJECT,       /* plain, e.g. a -object back end */
    KIND_DEVICE,       /* the type is a DeviceType */
    KIND_BUS,          /* the type is a BusType */
    KIND_MACHINE,      /* the type is a MachineType */
    KIND_CPU,          /* the type is a DeviceType that makes a Cpu */
    KIND_INTERFACE,    /* a name for introspection only */
} ObjectKind;

/* What every type descriptor starts with. */
#define OBJECT_TYPE_FIELDS                                                                         \
    const char *name;                                                                              \
    const char *parent;      /* name of the parent type, NULL: the kind's base type */             \
    const char *desc;        /* one line for people */                                             \
    size_t size;             /* of the instance; 0 when abstract */                                \
    const Prop *props;       /* ends with a row without a name; parents' rows are inherited */     \
    bool abstract;                                                                                 \
    bool user_creatable      /* -object / object-add; devices: see DeviceType.internal */

struct ObjectType {
    OBJECT_TYPE_FIELDS;
    /* -object makes it before character devices, which may name it. */
    bool early;
    /* After the properties of -object/object-add are set; may be NULL. */
    bool (*complete)(Object *obj, GError **error);
    /* Undoes complete and frees what the instance owns (not the instance); may be NULL. */
    void (*finalize)(Object *obj);
};

/* Embedded first in every instance; zero-filled apart from what object_new sets. */
struct Object {
    const ObjectType *type;
    ObjectKind kind;
    unsigned refs;
    char *name;              /* component in the parent's path; NULL while not in the tree */
    Object *parent;
    GPtrArray *children;     /* in order of addition; NULL when there are none */
    void (*finalize)(Object *obj);
    GError *global_error;    /* a -global that did not apply; completing or realizing fails with it */
    bool embedded;           /* part of another structure: memory is not freed */
    bool complete;           /* devices: realized; plain objects: complete() succeeded */
};

typedef struct TypeRow {
    ObjectKind kind;
    const ObjectType *type;  /* in truth a DeviceType, MachineType, ... by kind */
    /* For families that come from another table (CPU models): the i-th type or NULL. */
    const ObjectType *(*provide)(unsigned i);
} TypeRow;

#define TYPE_ROW_(kind_, t)                                                                        \
    SECTION_ENTRY(object_types, TypeRow, t##_row,                                                  \
                  { .kind = kind_, .type = (const ObjectType *)&t })
#define OBJECT_TYPE(t) TYPE_ROW_(KIND_OBJECT, t)
#define CPU_TYPE(t) TYPE_ROW_(KIND_CPU, t)
#define INTERFACE_TYPE(t) TYPE_ROW_(KIND_INTERFACE, t)
#define TYPE_PROVIDER(kind_, fn)                                                                   \
    SECTION_ENTRY(object_types, TypeRow, fn##_row, { .kind = kind_, .provide = fn })

/* The type of that name (aliases included), or NULL. kind may be NULL. */
const ObjectType *type_find(const char *name, ObjectKind *kind);
/* Calls fn for every type, in name order, until it returns false. */
void type_foreach(bool (*fn)(const ObjectType *t, ObjectKind kind, void *opaque), void *opaque);
/* The parent's descriptor: the named one, else the base type of the kind; NULL at the top. */
const ObjectType *type_parent(const ObjectType *t);
ObjectKind type_kind(const ObjectType *t);
/* Whether t is `name` or descends from it. */
bool type_is_a(const ObjectType *t, const char *name);
/* NULL-terminated names of all types of a kind for suggestions; freed with g_free. */
const char **type_names(ObjectKind kind);
/* The property row of that name, own or inherited, or NULL. */
const Prop *type_find_prop(const ObjectType *t, const char *name);
/* Own rows first, then the parent's that are not hidden by one of the same name. */
void type_foreach_prop(const ObjectType *t, bool (*fn)(const Prop *p, void *opaque), void *opaque);
/* What introspection calls a property's type: "uint32", "link<iothread>", ... New string. */
char *prop_type_text(const Prop *p);
/* The default as JSON (new reference), NULL: none to speak of. */
struct json_object *prop_default_json(const Prop *p);
/* The help text of a row, or its type's; may be NULL. */
const char *prop_description(const Prop *p);

/* A new instance with default property values and `-global` values applied; one reference. */
Object *object_new(const ObjectType *type, ObjectKind kind);
/* The same in place, for instances embedded in another (already zeroed) structure. */
void object_init_embedded(Object *obj, const ObjectType *type, ObjectKind kind);
/* Runs complete() of a plain object, base type first. On failure the caller drops it. */
bool object_complete(Object *obj, GError **error);
/*
 * -object / object-add: a new object of a user-creatable type as /objects/ID, its properties
 * set from `props` (a JSON object, "id" and "qom-type" are skipped), completed. -object gives
 * texts, object-add typed values: from_text says which.
 */
bool user_object_add(const char *type, const char *id, struct json_object *props, bool from_text,
                     GError **error);
bool user_object_del(const char *id, GError **error);
Object *object_ref(Object *obj);
void object_unref(Object *obj);

/* The root of this process's tree: "/" with machine, objects, chardevs ... */
Object *object_root(void);
/* Child containers are made on demand: object_container("/machine/peripheral"). */
Object *object_container(const char *path);
/* parent takes over the caller's reference. "name[*]" gets the first free index. */
bool object_add_child(Object *parent, const char *name, Object *child, GError **error);
/* Takes obj out of its parent and drops that reference. */
void object_unparent(Object *obj);
Object *object_child(Object *parent, const char *name);
/* Absolute path, or a partial one if unique ("net0"). ambiguous may be NULL. Borrowed. */
Object *object_resolve(const char *path, bool *ambiguous);
/* Canonical path, new string. */
char *object_path(const Object *obj);
/*
 * What qom-list shows: "type", the property rows, then children as "child<TYPE>". type_text is
 * valid during the call only.
 */
void object_foreach_member(Object *obj, void (*fn)(const char *name, const char *type_text,
                           const char *description, void *opaque), void *opaque);
/* obj and everything below it, parents first, until fn returns false; false if it did. */
bool object_walk(Object *obj, bool (*fn)(Object *obj, void *opaque), void *opaque);

/* One property system; see qom/prop.h. Errors name type, property and value. */
bool object_set_text(Object *obj, const char *prop, const char *text, GError **error);
bool object_set_json(Object *obj, const char *prop, struct json_object *value, GError **error);
/* New reference, or NULL with *error set. */
struct json_object *object_get_json(Object *obj, const char *prop, GError **error);
/* A -global driver.property=value; kept for object_new. Checked at the end of start-up. */
void global_prop_add(const char *driver, const char *prop, const char *value);
/* The same for a machine version's defaults: need not be used, gives way to -global. */
void compat_prop_add(const char *driver, const char *prop, const char *value);
/* End of start-up: warns of every -global that met no object. */
void global_props_report_unused(void);
/* A property as `info qtree` shows it, such as "4 (0x4)" or "\"pci.0\"". New string. */
char *object_prop_print(Object *obj, const Prop *p);

/* HMP info qom-tree [path]. */
void object_print_tree(Object *top, GString *out);

#endif
