// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * announce-self: after a move, switches learn where the guest is from a frame of its own. A driver
 * that can is asked to send it; for others we send a reverse ARP request (RFC 903).
 */
#include <string.h>

#include "net-internal.h"
#include "net/eth.h"
#include "qapi/qapi-commands.h"
#include "qom/hmp.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/timer.h"

typedef struct Announcement {
    char *id;
    GStrv interfaces;        /* NULL: all */
    int64_t round, rounds, delay_ms, step_ms, max_ms;
    Timer timer;
} Announcement;

/* Those that have rounds left. */
static GPtrArray *running;

static void announcement_free(Announcement *a)
{
    timer_cancel(&a->timer);
    g_free(a->id);
    g_strfreev(a->interfaces);
    g_free(a);
}

static void send_rarp(NetClient *nic, const uint8_t mac[6])
{
    uint8_t f[ETH_MIN_FRAME] = { 0 };

    memset(f, 0xff, 6);
    memcpy(f + 6, mac, 6);
    store_be16(f + 12, 0x8035);
    memcpy(f + 14, "\0\1\x08\0\6\4\0\3", 8);
    memcpy(f + 22, mac, 6);
    memcpy(f + 32, mac, 6);
    net_send(nic, f, sizeof(f));
}

static bool meant(const Announcement *a, const NetClient *c)
{
    return !a->interfaces || g_strv_contains((const char *const *)a->interfaces, c->name) ||
           (c->peer && g_strv_contains((const char *const *)a->interfaces, c->peer->name));
}

static void announce_round(void *opaque)
{
    Announcement *a = opaque;
    NetClient *c;

    for (unsigned i = 0; (c = net_nic_nth(i)) != NULL; i++) {
        if (!meant(a, c)) {
            continue;
        }
        if (!(c->ops->announce && c->ops->announce(c))) {
            send_rarp(c, c->mac);
        }
    }
    if (++a->round >= a->rounds) {
        g_ptr_array_remove(running, a);
        announcement_free(a);
        return;
    }
    a->delay_ms = MIN(a->delay_ms + a->step_ms, a->max_ms);
    timer_set_ns(&a->timer, clock_now_ns(CLOCK_RT) + a->delay_ms * 1000000);
}

static void announce_start(const char *id, GStrv interfaces, int64_t initial, int64_t max,
                           int64_t rounds, int64_t step)
{
    Announcement *a = g_new0(Announcement, 1);

    if (!running) {
        running = g_ptr_array_new();
    }
    for (unsigned i = 0; i < running->len; i++) {
        Announcement *old = g_ptr_array_index(running, i);

        if (g_strcmp0(old->id, id) == 0) {
            g_ptr_array_remove(running, old);
            announcement_free(old);
            break;
        }
    }
    a->id = g_strdup(id);
    a->interfaces = g_strdupv(interfaces);
    a->rounds = rounds;
    a->delay_ms = initial;
    a->step_ms = step;
    a->max_ms = max;
    g_ptr_array_add(running, a);
    timer_init(&a->timer, CLOCK_RT, announce_round, a);
    timer_set_ns(&a->timer, clock_now_ns(CLOCK_RT) + initial * 1000000);
}

void net_announce_all(int64_t initial_ms, int64_t max_ms, int64_t rounds, int64_t step_ms)
{
    announce_start(NULL, NULL, initial_ms, max_ms, rounds, step_ms);
}

bool qmp_announce_self(QmpCall *call, const QmpAnnounceSelfArgs *args, GError **error)
{
    const struct {
        const char *name;
        int64_t value, max;
    } limits[] = {
        {"initial", args->initial, 100000},
        {"max", args->max, 100000},
        {"rounds", args->rounds, 1000},
        {"step", args->step, 10000},
    };

    for (unsigned i = 0; i < ARRAY_COUNT(limits); i++) {
        if (limits[i].value < (i == 2) || limits[i].value > limits[i].max) {
            return fail(error, "Parameter '%s' expects a value between %d and %d", limits[i].name,
                        i == 2, (int)limits[i].max);
        }
    }
    g_autoptr(GPtrArray) names = NULL;

    if (args->interfaces) {
        names = g_ptr_array_new();
        for (unsigned i = 0; i < args->interfaces->len; i++) {
            g_ptr_array_add(names, g_ptr_array_index(args->interfaces, i));
        }
        g_ptr_array_add(names, NULL);
    }
    announce_start(args->id, names ? (GStrv)names->pdata : NULL, args->initial, args->max,
                   args->rounds, args->step);
    return true;
}

static void hmp_announce_self(HmpCall *call, GError **error)
{
    const char *interfaces = hmp_str(call, "interfaces");
    g_auto(GStrv) list = interfaces ? g_strsplit(interfaces, ",", -1) : NULL;

    announce_start(hmp_str(call, "id"), list, 50, 550, 5, 100);
}
HMP_COMMAND(announce_self, hmp_announce_self, "interfaces:s?,id:s?",
            "Trigger GARP/RARP announcements");
