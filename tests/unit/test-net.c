// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links between back ends and NICs: queues of busy sides; -netdev user: DHCP, ARP, forwarding,
 * errors.
 */
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "qom/runstate.h"
#include "util/bswap.h"
#include "util/error.h"
#include "util/main-loop.h"
#include "util/timer.h"

typedef struct TestNic {
    NetClient client;
    bool busy;
    unsigned ready_calls;
    GPtrArray *frames;      /* GBytes */
} TestNic;

static bool nic_can_receive(NetClient *c)
{
    return !((TestNic *)c->opaque)->busy;
}

static ssize_t nic_receive(NetClient *c, const uint8_t *frame, size_t len)
{
    TestNic *n = c->opaque;

    g_ptr_array_add(n->frames, g_bytes_new(frame, len));
    return (ssize_t)len;
}

static void nic_peer_ready(NetClient *c)
{
    ((TestNic *)c->opaque)->ready_calls++;
}

static const NetOps nic_ops = {
    .type = "test", .can_receive = nic_can_receive, .receive = nic_receive, .peer_ready = nic_peer_ready,
};

static void nic_init(TestNic *n, NetClient *backend)
{
    NetPeer peer = { backend };

    memset(n, 0, sizeof(*n));
    n->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    net_nic_init(&n->client, &nic_ops, n, &peer, "nic");
}

static void nic_fini(TestNic *n)
{
    net_nic_fini(&n->client);
    g_ptr_array_unref(n->frames);
}

static NetClient *add(const char *text, const char *id)
{
    GError *err = NULL;

    netdev_add_option(text, &err);
    g_assert_no_error(err);
    return netdev_find(id);
}

static void refuse(const char *text, const char *message)
{
    g_autoptr(GError) err = NULL;

    g_assert_false(netdev_add_option(text, &err));
    g_assert_cmpstr(err->message, ==, message);
}

/* The next frame that the network sends; NULL when none comes within the rounds. */
static const uint8_t *next_frame(TestNic *n, unsigned at, size_t *len)
{
    for (unsigned i = 0; n->frames->len <= at && i < 1000; i++) {
        main_loop_iterate(true);
    }
    g_assert_cmpuint(n->frames->len, >, at);
    return g_bytes_get_data(g_ptr_array_index(n->frames, at), len);
}

static const uint8_t my_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

/* Asks who has 10.0.2.2. */
static void send_arp(TestNic *n)
{
    uint8_t f[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    memcpy(f + 6, my_mac, 6);
    store_be16(f + 12, 0x0806);
    memcpy(f + 14, "\0\1\x08\0\6\4\0\1", 8);
    memcpy(f + 22, my_mac, 6);
    memcpy(f + 28, "\12\0\2\17", 4);
    memcpy(f + 38, "\12\0\2\2", 4);
    g_assert_true(net_send(&n->client, f, sizeof(f)));
}

static void test_arp(void)
{
    NetClient *c = add("user,id=arp", "arp");
    TestNic n;
    size_t len;

    nic_init(&n, c);
    send_arp(&n);
    const uint8_t *f = next_frame(&n, 0, &len);

    g_assert_cmpuint(load_be16(f + 12), ==, 0x0806);
    g_assert_cmpuint(load_be16(f + 20), ==, 2);
    g_assert_true(memcmp(f + 28, "\12\0\2\2", 4) == 0);
    nic_fini(&n);
}

/* A NIC that is busy gets its frames later, in order, and its peer is told. */
static void test_busy(void)
{
    NetClient *c = netdev_find("arp");
    TestNic n;

    nic_init(&n, c);
    n.busy = true;
    for (uint8_t i = 0; i < 10; i++) {
        g_assert_true(net_send(c, &i, 1));
    }
    g_assert_cmpuint(n.frames->len, ==, 0);
    g_assert_cmpuint(n.client.queue.length, ==, 10);
    n.busy = false;
    net_ready(&n.client);
    g_assert_cmpuint(n.frames->len, ==, 10);
    for (uint8_t i = 0; i < 10; i++) {
        g_assert_cmpuint(*(const uint8_t *)g_bytes_get_data(g_ptr_array_index(n.frames, i), NULL),
                         ==, i);
    }
    n.busy = true;
    g_autofree uint8_t *big = g_malloc0(60000);
    unsigned sent = 0;

    while (net_send(c, big, 60000)) {
        sent++;
        g_assert_cmpuint(sent, <, 1000);
    }
    g_assert_cmpuint(n.client.queued_bytes, ==, sent * 60000);
    net_set_link(c, false);
    g_assert_true(net_send(c, big, 60000));
    net_set_link(c, true);
    nic_fini(&n);
    g_assert_null(c->peer);
}

/* While the machine is stopped nothing reaches the NIC. */
static void test_stopped(void)
{
    NetClient *c = netdev_find("arp");
    TestNic n;
    uint8_t byte = 1;

    nic_init(&n, c);
    runstate_set(RUN_STATE_PAUSED);
    net_send(c, &byte, 1);
    g_assert_cmpuint(n.frames->len, ==, 0);
    runstate_set(RUN_STATE_RUNNING);
    g_assert_cmpuint(n.frames->len, ==, 1);
    nic_fini(&n);
}

static void test_dhcp(void)
{
    NetClient *c = netdev_find("arp");
    uint8_t f[342] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    uint8_t *ip = f + 14, *udp = f + 34, *bootp = f + 42;
    uint32_t sum = 0;
    TestNic n;
    size_t len;

    nic_init(&n, c);
    memcpy(f + 6, my_mac, 6);
    store_be16(f + 12, 0x0800);
    ip[0] = 0x45;
    store_be16(ip + 2, sizeof(f) - 14);
    ip[8] = 64;
    ip[9] = 17;
    memset(ip + 16, 0xff, 4);
    for (unsigned i = 0; i < 20; i += 2) {
        sum += load_be16(ip + i);
    }
    store_be16(ip + 10, (uint16_t)~(sum + (sum >> 16)));
    store_be16(udp, 68);
    store_be16(udp + 2, 67);
    store_be16(udp + 4, sizeof(f) - 34);
    memcpy(bootp, "\1\1\6\0abcd", 8);
    memcpy(bootp + 28, my_mac, 6);
    memcpy(bootp + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
    g_assert_true(net_send(&n.client, f, sizeof(f)));
    const uint8_t *r = next_frame(&n, 0, &len);

    g_assert_cmpuint(r[42], ==, 2);
    g_assert_true(memcmp(r + 42 + 16, "\12\0\2\17", 4) == 0);
    nic_fini(&n);
}

static void test_hostile(void)
{
    NetClient *c = netdev_find("arp");
    g_autofree uint8_t *junk = g_malloc(65536);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    TestNic n;

    nic_init(&n, c);
    for (unsigned i = 0; i < 2000; i++) {
        size_t len = (size_t)g_rand_int_range(rand, 0, i % 50 ? 200 : 65536);

        for (size_t j = 0; j < len; j++) {
            junk[j] = (uint8_t)g_rand_int(rand);
        }
        if (len > 40) {
            store_be16(junk + 12, i & 1 ? 0x0800 : i & 2 ? 0x86dd : 0x0806);
            junk[14] = i & 1 ? 0x45 : 0x60;
        }
        net_send(&n.client, junk, len);
    }
    nic_fini(&n);
}

static void test_errors(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    g_assert_true(bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 1) == 0);
    g_assert_true(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    g_autofree char *rule = g_strdup_printf("tcp:127.0.0.1:%u-:22", ntohs(a.sin_port));
    g_autofree char *text =
        g_strdup_printf("user,id=e,hostfwd=tcp:127.0.0.1:0-:23,hostfwd=%s", rule);
    g_autofree char *message =
        g_strdup_printf("Could not set up host forwarding rule '%s': Address already in use", rule);

    refuse(text, message);
    close(fd);
    refuse("user", "Parameter 'id' is missing");
    refuse("foo,id=n", "Parameter 'type' does not accept value 'foo'");
    refuse("user,id=arp", "Duplicate ID 'arp' for netdev");
    refuse("user,id=e,foo=1", "Invalid parameter 'foo'");
    refuse("user,id=e,hostfwd=foo", "Invalid host forwarding rule 'foo' (No : separators)");
    refuse("user,id=e,hostfwd=icmp::1-:2",
           "Invalid host forwarding rule 'icmp::1-:2' (Bad protocol name)");
    refuse("user,id=e,hostfwd=tcp::1-:0",
           "Invalid host forwarding rule 'tcp::1-:0' (Bad guest port)");
    refuse("user,id=e,ipv4=off,ipv6=off", "IPv4 and IPv6 disabled");
    refuse("user,id=e,net=10.0.0.0/40", "Invalid netmask provided (must be in range 4-31)");
    refuse("user,id=e,host=1.2.3.4", "host '1.2.3.4' is not within the network");
    g_assert_null(netdev_find("e"));
}

static void test_json(void)
{
    add("{\"type\":\"user\",\"id\":\"j\",\"restrict\":true,\"hostfwd\":[{\"str\":\"udp:127.0.0.1:0-"
        ":1\"}],"
        "\"dnssearch\":[{\"str\":\"a.example\"},{\"str\":\"b.example\"}]}",
        "j");
    g_assert_nonnull(netdev_find("j"));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    clock_guest_run(true);
    runstate_set(RUN_STATE_RUNNING);
    g_autoptr(GError) err = NULL;

    if (netdev_add_option("user,id=probe", &err)) {
        g_test_add_func("/net/arp", test_arp);
        g_test_add_func("/net/busy", test_busy);
        g_test_add_func("/net/stopped", test_stopped);
        g_test_add_func("/net/dhcp", test_dhcp);
        g_test_add_func("/net/hostile", test_hostile);
        g_test_add_func("/net/errors", test_errors);
        g_test_add_func("/net/json", test_json);
    }
    if (err) {
        printf("1..1\nok 1 - net # SKIP no libslirp (Debian package libslirp-dev)\n");
        return 0;
    }
    status = g_test_run();
    net_cleanup();
    return status;
}
