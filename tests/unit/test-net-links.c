// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back ends that meet each other: hubs, streams and datagrams over local sockets; what is refused.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "net/net.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

typedef struct TestNic {
    NetClient client;
    GPtrArray *frames;      /* GBytes */
} TestNic;

static ssize_t nic_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    g_ptr_array_add(((TestNic *)c->opaque)->frames, g_bytes_new(frame, len));
    return (ssize_t)len;
}

static const NetOps nic_ops = { .type = "test", .receive = nic_receive };

static void nic_init(TestNic *n, const char *netdev, const char *option)
{
    GError *error = NULL;

    netdev_add_option(option, &error);
    g_assert_no_error(error);
    NetPeer peer = { netdev_find(netdev) };

    n->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    net_nic_init(&n->client, &nic_ops, n, &peer, netdev);
}

static void nic_fini(TestNic *n)
{
    net_nic_fini(&n->client);
    g_ptr_array_unref(n->frames);
}

/* Frames of all sizes from a to b, in order. */
static void exchange(TestNic *a, TestNic *b, bool large)
{
    static uint8_t frame[60000];
    const size_t sizes[] = { 60, 1514, 14, large ? sizeof(frame) : 9000 };
    guint before = b->frames->len;

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(frame, (int)i + 1, sizes[i]);
        g_assert_true(net_send(&a->client, frame, sizes[i]));
    }
    for (unsigned i = 0; b->frames->len < before + G_N_ELEMENTS(sizes) && i < 1000; i++) {
        main_loop_iterate(true);
    }
    g_assert_cmpuint(b->frames->len, ==, before + G_N_ELEMENTS(sizes));
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        gsize len;
        const uint8_t *data = g_bytes_get_data(g_ptr_array_index(b->frames, before + i), &len);

        g_assert_cmpuint(len, ==, sizes[i]);
        g_assert_cmpuint(data[0], ==, i + 1);
        g_assert_cmpuint(data[len - 1], ==, i + 1);
    }
}

static void test_stream(void)
{
    g_autofree char *folder = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *server =
        g_strdup_printf("stream,id=a,server=on,addr.type=unix,addr.path=%s/s", folder);
    g_autofree char *client = g_strdup_printf(
        "{\"type\": \"stream\", \"id\": \"b\", \"addr\": {\"type\": \"unix\", \"path\": \"%s/s\"}}",
        folder);
    TestNic a, b;

    nic_init(&a, "a", server);
    nic_init(&b, "b", client);
    /* until the server has accepted, nobody is there */
    for (unsigned i = 0; i < 100 && b.frames->len == 0; i++) {
        static const uint8_t hello[60];

        net_send(&a.client, hello, sizeof(hello));
        main_loop_iterate(false);
    }
    exchange(&b, &a, true);
    for (unsigned i = 0; i < 100; i++) {
        main_loop_iterate(false);
    }
    exchange(&a, &b, true);
    nic_fini(&a);
    nic_fini(&b);
    net_cleanup();
    g_rmdir(folder);
}

static void test_dgram(void)
{
    g_autofree char *folder = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *one = g_strdup_printf(
        "dgram,id=a,local.type=unix,local.path=%s/a,remote.type=unix,remote.path=%s/b", folder,
        folder);
    g_autofree char *two = g_strdup_printf(
        "dgram,id=b,local.type=unix,local.path=%s/b,remote.type=unix,remote.path=%s/a", folder,
        folder);
    TestNic a, b;

    nic_init(&a, "a", one);
    nic_init(&b, "b", two);
    exchange(&a, &b, false);
    exchange(&b, &a, false);
    nic_fini(&a);
    nic_fini(&b);
    net_cleanup();
    g_rmdir(folder);
}

static void test_hub(void)
{
    TestNic a, b, c, other;

    nic_init(&a, "a", "hubport,id=a,hubid=3");
    nic_init(&b, "b", "hubport,id=b,hubid=3");
    nic_init(&c, "c", "hubport,id=c,hubid=3");
    nic_init(&other, "d", "hubport,id=d,hubid=4");
    exchange(&a, &b, true);
    g_assert_cmpuint(c.frames->len, ==, 4);
    g_assert_cmpuint(a.frames->len, ==, 0);
    g_assert_cmpuint(other.frames->len, ==, 0);
    nic_fini(&a);
    nic_fini(&b);
    nic_fini(&c);
    nic_fini(&other);
    net_cleanup();
}

static void refuse(const char *option, const char *message)
{
    GError *error = NULL;

    g_assert_false(netdev_add_option(option, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_error_free(error);
}

static void test_errors(void)
{
    refuse("socket,id=x", "exactly one of listen=, connect=, mcast= or udp= is required");
    refuse("socket,id=x,udp=127.0.0.1:1", "localaddr= is mandatory with udp=");
    refuse("socket,id=x,mcast=10.0.0.1:1",
           "specified mcastaddr 10.0.0.1 does not contain a multicast address");
    refuse("socket,id=x,mcast=230.0.0.1",
           "mcast: host address '230.0.0.1' doesn't contain ':' separating host from port");
    refuse("stream,id=x", "Parameter 'addr.type' is missing");
    refuse("stream,id=x,addr.type=inet,addr.host=h", "Parameter 'addr.port' is missing");
    refuse("dgram,id=x", "dgram requires local= or remote= parameter");
    refuse("hubport,id=x", "Parameter 'hubid' is missing");
    refuse("hubport,id=x,hubid=0,netdev=none", "netdev 'none' not found");
    refuse("tap,id=x,fd=0,ifname=t",
           "ifname=, script=, downscript= and helper= are invalid with fd=");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    clock_guest_run(true);
    runstate_set(RUN_STATE_RUNNING);
    g_test_add_func("/links/stream", test_stream);
    g_test_add_func("/links/dgram", test_dgram);
    g_test_add_func("/links/hub", test_hub);
    g_test_add_func("/links/errors", test_errors);
    return g_test_run();
}
