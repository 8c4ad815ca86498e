// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What -object filter-... have in common: the back end that they are on, the direction they look
 * at, their place among the other filters. A filter begins with NetFilter, its properties with
 * NET_FILTER_PROPS; complete() ends with net_filter_attach(), finalize() begins with
 * net_filter_detach(). Machine lock.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net-internal.h"
#include "qom/object.h"

/* rx: what is sent to the back end; tx: what it sends. */
enum { QUEUE_ALL, QUEUE_RX, QUEUE_TX };

typedef struct NetFilter NetFilter;
struct NetFilter {
    Object obj;
    char *netdev, *status, *position, *insert;
    int queue;
    NetClient *client;       /* NULL: gone, or not complete */
    NetWatch watch;
    /* Sees a frame of its direction; true: it takes it, and the frame goes no further. */
    bool (*frame)(NetFilter *f, bool sent_by, const uint8_t *frame, size_t len);
    bool finished;           /* set by complete(): frames must be as they are on a wire */
    void (*switched)(NetFilter *f, bool on);     /* status has changed; may be NULL */
};

extern const char *const net_filter_queues[];
bool net_filter_status_changed(Object *o, const Prop *p, GError **error);

#define NET_FILTER_PROPS(T)                                                            \
    PROP_STRING(T, filter.netdev, "netdev", .help = "back end"),                       \
        PROP_ENUM(T, filter.queue, "queue", QUEUE_ALL, net_filter_queues,              \
                  .link = "NetFilterDirection"),                                       \
        PROP_STRING(T, filter.status, "status", .flags = PROP_LIVE, .help = "on, off", \
                    .changed = net_filter_status_changed),                             \
        PROP_STRING(T, filter.position, "position", .help = "head, tail, id=FILTER"),  \
        PROP_STRING(T, filter.insert, "insert", .help = "before or behind that filter")

/* Takes effect when the back ends are there: -object comes before -netdev. */
bool net_filter_attach(NetFilter *f, GError **error);
void net_filter_detach(NetFilter *f);
bool net_filter_on(const NetFilter *f);
/* Gives a frame to the filters behind f, and to the other end. */
void net_filter_pass_on(NetFilter *f, bool sent_by, const uint8_t *frame, size_t len);

#endif
