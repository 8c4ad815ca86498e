// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The types of the management interface. scripts/qapi-gen.py turns qapi/\*.json into C types
 * and into constant descriptions of them; one interpreter over those descriptions converts
 * between JSON and C, frees, and answers query-qmp-schema.
 *
 * C forms ("slots"): str `char *`, int and friends `int64_t` etc., bool, number `double`, enum
 * an `int`, any `struct json_object *`, a struct or union `Foo *`, a list `GPtrArray *` (elements
 * that are pointers) or `GArray *` (others). An optional member whose form is no pointer has
 * a `bool has_x` beside it; an absent pointer is NULL.
 */
#ifndef QAPI_QAPI_H
#define QAPI_QAPI_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

typedef struct QapiType QapiType;

typedef enum QapiKind {
    QAPI_STR,
    QAPI_INT,           /* width and sign below */
    QAPI_SIZE,          /* unsigned 64 bits; from key=value text with a suffix such as 4G */
    QAPI_NUMBER,
    QAPI_BOOL,
    QAPI_NULL,
    QAPI_ANY,
    QAPI_ENUM,
    QAPI_OBJECT,        /* struct, or union when it has variants */
    QAPI_ARRAY,
    QAPI_ALTERNATE,     /* `type` (a QapiKind as int) and one slot for the value */
} QapiKind;

typedef struct QapiMember {
    const char *name;
    const QapiType *type;
    uint16_t offset;
    uint16_t has_offset;    /* of has_x; 0: none */
    bool optional;
} QapiMember;

typedef struct QapiVariant {
    int value;              /* of the tag */
    const QapiType *type;   /* its pointer sits at variant_offset */
} QapiVariant;

struct QapiType {
    const char *name;
    uint8_t kind;           /* QapiKind */
    uint8_t width;          /* bytes of an int */
    bool is_unsigned;
    uint8_t tag;            /* index of the member that is a union's tag */
    uint16_t size;          /* sizeof the C struct */
    uint16_t count;         /* members or values */
    uint16_t variant_count;
    uint16_t variant_offset;
    const char *const *values;
    const QapiMember *members;
    const QapiVariant *variants;
    const QapiType *element;
};

typedef struct QapiEvent {
    const char *name;
    const QapiType *data;   /* NULL: none */
    bool throttled;         /* at most one a second reaches a client */
    const char *throttle_key;   /* ... with the same value of this member; NULL: of all */
} QapiEvent;

/*
 * Fills *slot (zeroed by the caller) from value, strictly. Error texts name the member by
 * its path. On failure nothing stays allocated.
 */
bool qapi_from_json(const QapiType *type, struct json_object *value, void *slot, GError **error);
/* The same where scalars may be strings, as after keyval_parse(). */
bool qapi_from_keyval(const QapiType *type, struct json_object *value, void *slot, GError **error);
/* A new JSON value. */
struct json_object *qapi_to_json(const QapiType *type, const void *slot);
/* Frees what the slot owns and zeroes it. */
void qapi_clear(const QapiType *type, void *slot);
/* Frees a struct or union that was allocated by qapi_from_json() or g_new0(). */
void qapi_free(const QapiType *type, void *object);
#define QAPI_FREE(T, p) qapi_free(&qapi_type_##T, (p))

/* Index of text among the values of an enum type, or -1. */
int qapi_enum_parse(const QapiType *type, const char *text);
const char *qapi_enum_name(const QapiType *type, int value);
/* The same with an error for a user, which names the parameter and the nearest value. */
bool qapi_enum_lookup(const QapiType *type, const char *param, const char *text, int *value,
                      GError **error);

/* Sorted by name. */
extern const QapiEvent qapi_events[];
extern const unsigned qapi_event_count;

/*
 * Events leave through one sink, which the monitor sets at start and clears at its end. Called
 * by the generated qapi_event_*() functions. Machine lock.
 */
typedef void QapiEventSink(void *opaque, const QapiEvent *event, struct json_object *data);
void qapi_event_set_sink(QapiEventSink *sink, void *opaque);
void qapi_event_emit(const QapiEvent *event, const void *data);

/* JSON text in the wire form (", " and ": " between members); pretty has indents of 4. */
void json_append(GString *out, struct json_object *value, bool pretty);
char *json_to_text(struct json_object *value);

#endif
