// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of a machine that stands, as a stream of bytes: guest time, RAM, devices. It can be
 * loaded into a machine of the same options. docs/devel/machine-state.md has the format.
 */
#ifndef MIGRATION_MACHINE_STATE_H
#define MIGRATION_MACHINE_STATE_H

#include "qom/vm.h"

/* Where a stream goes, or comes from. */
typedef struct StateStream StateStream;
struct StateStream {
    /* All of it, or false. One of the two is NULL. May iterate the main loop. */
    bool (*write)(StateStream *s, const void *data, size_t len, GError **error);
    bool (*read)(StateStream *s, void *data, size_t len, GError **error);
    void *opaque;
    uint64_t pos; /* bytes so far */
    /* of machine-state.c */
    uint8_t *buf;
    size_t len, used;
    uint64_t limit; /* readers: bytes that are left; UINT64_MAX: not known */
};

/* Whether all of the machine can be saved: the error names the first device that cannot. */
bool machine_state_possible(Vm *vm, GError **error);
/* The machine is stopped and drained. Main loop. */
bool machine_state_save(Vm *vm, StateStream *s, GError **error);
/*
 * The machine is stopped and was reset. On failure what it has is neither the old state nor the
 * new.
 */
bool machine_state_load(Vm *vm, StateStream *s, GError **error);

#endif
