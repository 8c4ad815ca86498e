// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a device's state consists of, beyond its registers and properties. Every byte of the
 * struct is a register, a property, a pin, one of these rows, or HOST_ONLY with a reason;
 * `make check-state` lists what is left.
 */
#ifndef QOM_STATE_H
#define QOM_STATE_H

#include "util/types.h"

struct Device;
struct DeviceType;

typedef enum StateKind {
    STATE_INT,       /* size 1, 2, 4, 8, count elements */
    STATE_BYTES,     /* size bytes, as they are */
    STATE_TIMER,     /* a Timer */
    STATE_STRUCT_,   /* count structs of `size` bytes described by `fields` */
    STATE_BUFFER,    /* pointer to host memory, length by len() */
    STATE_BYTE_ARRAY, /* GByteArray *, of any length: `saving` makes it, `check_load` takes it */
    STATE_HOST,      /* not state: host side, rebuilt or constant; `why` says so */
} StateKind;

/* What the elements of a STATE_INT are in C. */
typedef enum StateSort {
    STATE_UNSIGNED,
    STATE_SIGNED,
    STATE_BOOL,
} StateSort;

typedef struct StateField {
    const char *name;
    StateKind kind;
    StateSort sort;
    uint32_t offset;
    uint32_t size;       /* of one element */
    uint32_t count;
    /*
     * What each element of a STATE_INT may be: a state that has something else is refused. All 0:
     * anything of its type. Whatever is an index, a length, a count or a shift has a range.
     */
    int64_t min;
    uint64_t max;
    /* A number in the same struct that it may not exceed: its offset and size; size 0: none. */
    uint32_t limit, limit_size;
    bool below_limit;    /* less than that number, or 0 */
    const struct StateField *fields;
    size_t (*len)(struct Device *d);
    bool (*needed)(struct Device *d);    /* NULL: always */
    const char *why;
} StateField;

#define STATE_SORT_(x)                                                                             \
    _Generic((x), bool: STATE_BOOL, signed char: STATE_SIGNED, short: STATE_SIGNED,                \
             int: STATE_SIGNED, long: STATE_SIGNED, long long: STATE_SIGNED,                       \
             default: STATE_UNSIGNED)
#define STATE_FIELD_(T, f, kind_, ...)                                                             \
    { .name = #f, .kind = kind_, .offset = offsetof(T, f), .size = sizeof(((T *)0)->f),            \
      .count = 1, __VA_ARGS__ }
/* Any integer, bool or enum. */
#define STATE(T, f) STATE_RANGE(T, f, 0, 0)
/* From 0 to `most`. */
#define STATE_MAX(T, f, most) STATE_RANGE(T, f, 0, most)
#define STATE_RANGE(T, f, least, most)                                                             \
    STATE_FIELD_(T, f, STATE_INT, .sort = STATE_SORT_(((T *)0)->f), .min = least, .max = most)
/* An index into the array `of` of T; the number of those of its elements that are in use. */
#define STATE_INDEX(T, f, of) STATE_MAX(T, f, ARRAY_COUNT(((T *)0)->of) - 1)
#define STATE_COUNT(T, f, of) STATE_MAX(T, f, ARRAY_COUNT(((T *)0)->of))
/* Up to the value of the field `of`; less than that, or 0. Unsigned; `most` in any case. */
#define STATE_TO(T, f, of, most)                                                                   \
    STATE_FIELD_(T, f, STATE_INT, .max = most, .limit = offsetof(T, of),                           \
                 .limit_size = sizeof(((T *)0)->of))
#define STATE_BELOW(T, f, of, most)                                                                \
    STATE_FIELD_(T, f, STATE_INT, .max = most, .limit = offsetof(T, of),                           \
                 .limit_size = sizeof(((T *)0)->of), .below_limit = true)
/* An array of integers. */
#define STATE_ARRAY(T, f) STATE_ARRAY_MAX(T, f, 0)
#define STATE_ARRAY_MAX(T, f, most)                                                                \
    { .name = #f, .kind = STATE_INT, .sort = STATE_SORT_(((T *)0)->f[0]),                          \
      .offset = offsetof(T, f), .size = sizeof(((T *)0)->f[0]),                                    \
      .count = sizeof(((T *)0)->f) / sizeof(((T *)0)->f[0]), .max = most }
#define STATE_RAW(T, f) STATE_FIELD_(T, f, STATE_BYTES)
#define STATE_TIMER_FIELD(T, f) STATE_FIELD_(T, f, STATE_TIMER)
#define STATE_STRUCT(T, f, fields_) STATE_FIELD_(T, f, STATE_STRUCT_, .fields = fields_)
#define STATE_STRUCTS(T, f, fields_)                                                               \
    { .name = #f, .kind = STATE_STRUCT_, .offset = offsetof(T, f), .size = sizeof(((T *)0)->f[0]), \
      .count = sizeof(((T *)0)->f) / sizeof(((T *)0)->f[0]), .fields = fields_ }
#define STATE_BUF(T, f, len_) STATE_FIELD_(T, f, STATE_BUFFER, .len = len_)
#define STATE_BLOB(T, f) STATE_FIELD_(T, f, STATE_BYTE_ARRAY)
#define HOST_ONLY(T, f, why_) STATE_FIELD_(T, f, STATE_HOST, .why = why_)
#define STATE_END { 0 }

/* One piece of a device's struct, as the walker reports it. */
typedef enum StateOrigin {
    STATE_OF_REG,        /* a register row's field */
    STATE_OF_PIN,        /* the level of an output */
    STATE_OF_FIELD,      /* a StateField row */
    STATE_OF_PROP,       /* configuration: not saved, covers its bytes */
} StateOrigin;

typedef struct StateItem {
    const char *path;    /* "regs.mmio.status", "fifo[2].len": unique in the device */
    StateOrigin origin;
    StateKind kind;      /* never STATE_STRUCT_: those are walked into */
    uint32_t offset;     /* from the start of the device */
    uint32_t size;       /* bytes of an element */
    uint32_t count;
    const StateField *field;    /* STATE_OF_FIELD */
} StateItem;

/*
 * Reports every item of a type and its parents (base first), in table order; what appears
 * twice (a register under two names) is reported once. With d, rows that needed() refuses
 * are left out; without (NULL) all are there.
 */
void state_foreach(const struct DeviceType *t, struct Device *d,
                   void (*fn)(const StateItem *item, void *opaque), void *opaque);
/* The same for fields of a structure that is no device's. */
void state_fields_foreach(const StateField *fields, void (*fn)(const StateItem *item, void *opaque),
                          void *opaque);

/* State that belongs to no device, such as a board's wiring; see vm_state_add. */
typedef struct ExtraState {
    const char *name;           /* unique in the machine */
    const StateField *fields;
    void *base;
} ExtraState;

#endif
