// SPDX-License-Identifier: GPL-2.0-or-later
/* What outgoing.c, incoming.c, channel.c and qmp.c of a migration share. */
#ifndef MIGRATION_INTERNAL_H
#define MIGRATION_INTERNAL_H

#include <sys/types.h>

#include "migration/migration.h"
#include "migration/stream.h"
#include "qapi/qapi-types.h"
#include "qom/tls.h"
#include "util/socket.h"

/* ---- channel.c: a place, and bytes to or from it ---- */

typedef enum PlaceKind {
    PLACE_SOCKET,
    PLACE_FD,
    PLACE_EXEC
} PlaceKind;

typedef struct Place {
    PlaceKind kind;
    char *text, *host, *port; /* path or command or descriptor; of TCP */
    SocketPlace socket;
} Place;

typedef struct Channel {
    int fd;     /* -1: none */
    int wake;   /* eventfd: readable when waiting has to end */
    pid_t child; /* of exec:, else 0 */
    TlsSession *tls; /* NULL: bytes are not encrypted */
    bool woken; /* its use is over, and a command need not be waited for */
    bool ended; /* nothing more comes: the other end has closed it */
} Channel;

bool place_parse(Place *p, const char *uri, GError **error);
void place_free(Place *p);
/* fd and exec places; the machine lock. */
bool channel_take(Channel *c, const Place *p, bool incoming, GError **error);
/*
 * What follows is encrypted, if tls-creds is set: makes the session (machine lock); then, in any
 * thread, both ends agree on keys. host: whose certificate it has to be, where tls-hostname is not
 * set.
 */
bool channel_encrypt(Channel *c, bool server, const char *host, GError **error);
bool channel_handshake(Channel *c, GError **error);
/* Socket places: waits for the other end, any thread. */
bool channel_connect(Channel *c, const Place *p, GError **error);
bool channel_write(Channel *c, const void *data, size_t len, GError **error);
/* At least a byte; 0: failed. */
size_t channel_read(Channel *c, void *data, size_t len, GError **error);
/* Whether the other end can answer: a socket. */
bool channel_answers(const Channel *c);
/* Ends waits of both, and of channel_pause, for good. Any thread. */
void channel_wake(Channel *c);
/* At most that long. */
void channel_pause(Channel *c, int ms);
/* False: the command of exec: has failed. Waits for its end. */
bool channel_close(Channel *c, GError **error);

/* ---- qmp.c: what is set ---- */

typedef struct MigrationSettings {
    uint64_t max_bandwidth;  /* bytes a second */
    uint64_t downtime_limit; /* ms */
    int64_t announce_initial, announce_max, announce_rounds, announce_step;
    unsigned throttle_threshold, throttle_initial, throttle_increment, throttle_max; /* percent */
    char *tls_creds, *tls_hostname; /* "": none; machine lock */
    GPtrArray *bitmap_mapping; /* of BitmapMigrationNodeAlias; NULL: not set; machine lock */
    bool capability[MIGRATION_CAPABILITY__COUNT];
} MigrationSettings;

/* One process has one migration at a time: machine lock, or a thread that reads a number. */
extern MigrationSettings migration_settings;
extern const MigrationHelpers *migration_helpers;
/* A change of *status, with its event; the other event. Machine lock. */
void migration_status(MigrationStatus *status, MigrationStatus now);
void migration_pass_event(int64_t pass);

/* ---- bitmap-mapping.c: rows of BitmapMigrationNodeAlias ---- */

bool bitmap_mapping_check(const GPtrArray *mapping, GError **error);
/* NULL for NULL. */
GPtrArray *bitmap_mapping_copy(const GPtrArray *mapping);
void bitmap_mapping_free(GPtrArray *mapping);

/* ---- outgoing.c ---- */

typedef struct Outgoing {
    Vm *vm;
    MigrationStatus status;
    GError *error; /* why it failed; NULL: it has not */
    Place place;
    Channel channel;
    pthread_t thread;
    pthread_cond_t changed; /* step_done, go_on, cancel, quit; with the machine lock */
    bool running;           /* the thread is there */
    bool step_done, step_good, go_on;
    bool cancel, quit; /* read by the thread without the lock */
    bool stopped, gave_disks;
    bool unsure; /* all has gone, and it is not known what became of it */
    bool wants_answer;
    bool sent;   /* all has gone: it can no longer be cancelled */
    RunState was;
    GPtrArray *ram;
    GByteArray *devices; /* their part of the stream */
    StateStream stream;
    /* numbers, written by the thread, read by anyone */
    RamCounts counts;
    uint64_t total, pass_bytes, downtime_base, window_bytes, dirty_rate, passes;
    uint64_t left, left_base; /* bytes at the last collection, and pages that had been sent then */
    int64_t start_ms, setup_ms, stop_ms, end_ms, pass_ms, window_ms;
    uint64_t bytes_ms; /* throughput, bytes a ms */
} Outgoing;

/* Of this process; machine lock but for numbers. */
Outgoing *migration_outgoing(void);

/* ---- throttle.c: machine lock ---- */

/* A pass over memory is over: so many bytes went out, so many were written meanwhile. */
void migration_throttle_pass(Vm *vm, uint64_t sent, uint64_t written);
/* vCPUs have all their time again. */
void migration_throttle_end(void);
/* 0: all of their time. Any thread. */
unsigned migration_throttle_percent(void);

/* ---- incoming.c ---- */
/* MIGRATION_STATUS_NONE: no machine is waited for. */
MigrationStatus migration_incoming_status(void);
bool migration_incoming_start(Vm *vm, const char *uri, GError **error);

#endif
