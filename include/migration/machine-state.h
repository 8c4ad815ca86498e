// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of a machine as a stream of bytes: memory, guest time, devices. It can be loaded into
 * a machine of the same options. docs/devel/machine-state.md has the format.
 */
#ifndef MIGRATION_MACHINE_STATE_H
#define MIGRATION_MACHINE_STATE_H

#include "qom/vm.h"

/* Where a stream goes, or comes from. */
typedef struct StateStream StateStream;
struct StateStream {
    /* All of it, or false; NULL: it is read. May iterate the main loop. */
    bool (*write)(StateStream *s, const void *data, size_t len, GError **error);
    /* For one that is read, one of the two: all of it; or at least a byte, up to len, 0: failed. */
    bool (*read)(StateStream *s, void *data, size_t len, GError **error);
    size_t (*read_some)(StateStream *s, void *data, size_t len, GError **error);
    void *opaque;
    uint64_t pos; /* bytes so far */
    uint64_t limit; /* readers: bytes that are left; UINT64_MAX: not known */
    bool unlocked; /* readers: loading is not done with the machine lock held */
    bool answer; /* readers, set by loading: the sender waits for an answer */
    GByteArray *bitmaps; /* readers, set by loading: of disks, the caller frees it; NULL: none */
    /* of stream.c */
    uint8_t *buf;
    size_t len, used;
};

/* Whether all of the machine can be saved: the error names the first device that cannot. */
bool machine_state_possible(Vm *vm, GError **error);
/* The machine is stopped and drained. Main loop. */
bool machine_state_save(Vm *vm, StateStream *s, GError **error);
/* What devices do before they are saved: may still write guest memory. Like machine_state_save. */
void machine_state_prepare(Vm *vm);
/* Parts of it, between stream_open and stream_close: how it begins; all but that and memory. */
bool machine_state_save_header(Vm *vm, StateStream *s, GError **error);
bool machine_state_save_devices(Vm *vm, StateStream *s, GError **error);
/*
 * The machine is stopped and was reset. On failure what it has is neither the old state nor the
 * new. Main loop; with s->unlocked a thread without the machine lock, while nothing changes the
 * machine. *was (may be NULL): the run state that the machine was saved in.
 */
bool machine_state_load(Vm *vm, StateStream *s, RunState *was, GError **error);

#endif
