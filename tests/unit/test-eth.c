// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames as cards treat them: hashes, checksums, segmentation, and merging what was cut. */
#include <string.h>

#include "../../net/gro.h"
#include "net/eth.h"
#include "util/bswap.h"
#include "util/checksum.h"

#define PAYLOAD 20000u
#define SEGMENT 1448u
#define HEADERS (14u + 20u + 32u)

typedef struct Sink {
    NetClient client;
    unsigned takes, frames;
    NetOffload last;
    GByteArray *data;        /* payloads, one behind the other */
} Sink;

static void check_frame(Sink *s, const uint8_t *f, size_t len, bool sums)
{
    EthLayout l;

    g_assert_true(eth_parse(f, len, &l));
    g_assert_true(l.ip4 && l.tcp);
    g_assert_cmpuint(load_be16(f + l.l3 + 2), ==, len - l.l3);
    g_assert_cmpuint(checksum_finish(checksum_add(0, f + l.l3, 20, false)), ==, 0);
    if (sums) {
        g_assert_cmpuint(checksum_finish(checksum_add(eth_pseudo_sum(f, &l, len - l.l4), f + l.l4,
                                                      len - l.l4, false)),
                         ==, 0);
    }
    g_assert_cmpuint(load_be32(f + l.l4 + 4), ==, 1000 + s->data->len);
    g_byte_array_append(s->data, f + l.payload, (guint)(len - l.payload));
    s->frames++;
}

static ssize_t sink_receive(NetClient *c, const uint8_t *f, size_t len)
{
    check_frame(c->opaque, f, len, true);
    return (ssize_t)len;
}

static ssize_t sink_receive_offload(NetClient *c, const uint8_t *f, size_t len, const NetOffload *o)
{
    Sink *s = c->opaque;

    s->last = *o;
    check_frame(s, f, len, !o->checksum);
    return (ssize_t)len;
}

static unsigned sink_takes(NetClient *c)
{
    return ((Sink *)c->opaque)->takes;
}

static const NetOps plain_ops = { .type = "plain", .receive = sink_receive };
static const NetOps offload_ops = {
    .type = "offload", .receive = sink_receive, .receive_offload = sink_receive_offload, .takes = sink_takes,
};

static void sink_init(Sink *s, NetClient *from, const NetOps *ops, unsigned takes)
{
    *s = (Sink){.client = {.ops = ops, .opaque = s, .peer = from},
                .takes = takes,
                .data = g_byte_array_new()};
    g_queue_init(&s->client.queue);
    *from = (NetClient){ .ops = &plain_ops, .peer = &s->client };
    g_queue_init(&from->queue);
}

/* A large frame as a driver leaves it to its card: no lengths, no sums. */
static uint8_t *large_frame(size_t *len)
{
    static const uint8_t head[HEADERS] = {
        0x52, 0x55, 10,   0,    2,    2,    0x52, 0x54, 0, 0x12, 0x34, 0x56, 8,  0, 0x45,
        0,    0,    0,    0x12, 0x34, 0x40, 0,    64,   6, 0,    0,    10,   0,  2, 15,
        10,   0,    2,    2,    0x30, 0x39, 0,    80,   0, 0,    3,    0xe8, 0,  0, 0,
        1,    0x80, 0x18, 0xff, 0xff, 0,    0,    0,    0, 1,    1,    8,    10,
    };
    uint8_t *f = g_malloc(HEADERS + PAYLOAD);

    memcpy(f, head, HEADERS);
    for (unsigned i = 0; i < PAYLOAD; i++) {
        f[HEADERS + i] = (uint8_t)(i * 7 + (i >> 8));
    }
    *len = HEADERS + PAYLOAD;
    return f;
}

static void send_large(Sink *s, NetClient *from)
{
    size_t len;
    g_autofree uint8_t *f = large_frame(&len);
    NetOffload o;

    g_assert_true(eth_offload_tso(f, len, SEGMENT, &o));
    g_assert_true(net_send_offload(from, f, len, &o));
    g_assert_cmpuint(s->data->len, ==, PAYLOAD);
    for (unsigned i = 0; i < PAYLOAD; i++) {
        g_assert_cmpuint(s->data->data[i], ==, (uint8_t)(i * 7 + (i >> 8)));
    }
}

static void test_segments(void)
{
    NetClient from;
    Sink s;

    sink_init(&s, &from, &plain_ops, 0);
    send_large(&s, &from);
    g_assert_cmpuint(s.frames, ==, (PAYLOAD + SEGMENT - 1) / SEGMENT);
    g_byte_array_unref(s.data);
    /* whole, with and without its sum */
    sink_init(&s, &from, &offload_ops, NET_TAKES_TCP4);
    send_large(&s, &from);
    g_assert_cmpuint(s.frames, ==, 1);
    g_assert_false(s.last.checksum);
    g_byte_array_unref(s.data);
    sink_init(&s, &from, &offload_ops, NET_TAKES_TCP4 | NET_TAKES_CHECKSUM);
    send_large(&s, &from);
    g_assert_true(s.last.checksum);
    g_assert_cmpuint(s.last.segment, ==, SEGMENT);
    g_byte_array_unref(s.data);
}

typedef struct Merge {
    NetGro gro;
    NetClient from;
} Merge;

static void merge_segment(void *opaque, const uint8_t *f, size_t len)
{
    Merge *m = opaque;

    g_assert_true(net_gro_send(&m->gro, &m->from, f, len));
}

static void test_merge(void)
{
    size_t len;
    g_autofree uint8_t *f = large_frame(&len);
    NetOffload o;
    Merge m;
    Sink s;

    sink_init(&s, &m.from, &offload_ops, NET_TAKES_TCP4 | NET_TAKES_CHECKSUM);
    net_gro_init(&m.gro);
    g_assert_true(eth_offload_tso(f, len, SEGMENT, &o));
    g_assert_true(eth_segment(f, len, &o, merge_segment, &m));
    net_gro_flush(&m.gro, &m.from);
    g_assert_cmpuint(s.frames, ==, 1);
    g_assert_cmpuint(s.data->len, ==, PAYLOAD);
    g_assert_cmpint(s.last.gso, ==, NET_GSO_TCP4);
    g_assert_cmpuint(s.last.segment, ==, SEGMENT);
    g_assert_true(s.last.checksum);
    /* one alone stays as it is */
    g_byte_array_set_size(s.data, 0);
    f[HEADERS] = 1;
    store_be16(f + 16, HEADERS - 14 + 100);
    store_be16(f + 24, 0);
    store_be16(f + 24, checksum_finish(checksum_add(0, f + 14, 20, false)));
    net_gro_send(&m.gro, &m.from, f, HEADERS + 100);
    g_assert_cmpuint(s.frames, ==, 1);
    s.takes = 0;
    s.client.ops = &offload_ops;
    g_byte_array_unref(s.data);
    net_gro_free(&m.gro);
}

/* Frames that are cut short or lie about their lengths. */
static void test_hostile(void)
{
    size_t len;
    g_autofree uint8_t *f = large_frame(&len);
    NetOffload o = {.gso = NET_GSO_TCP4,
                    .segment = 1,
                    .checksum = true,
                    .sum_start = 65535,
                    .sum_offset = 65535};
    NetClient from;
    EthLayout l;
    Sink s;

    for (size_t n = 0; n < HEADERS; n++) {
        g_autofree uint8_t *cut = g_memdup2(f, n ? n : 1);

        eth_parse(cut, n, &l);
        g_assert_false(eth_offload_tso(cut, n, SEGMENT, &o) && n < HEADERS);
    }
    f[14] = 0x4f;        /* a long IP header, and a TCP header that ends nowhere */
    f[14 + 60 + 12] = 0xf0;
    eth_fill_checksum(f, 80, &o);
    g_assert_false(eth_segment(f, 80, &o, NULL, NULL));
    sink_init(&s, &from, &offload_ops, 0);
    s.client.link_down = true;
    o.gso = NET_GSO_UDP;
    net_send_offload(&from, f, 80, &o);
    g_byte_array_unref(s.data);
}

/* 7.1.2.10.1 of Intel's manuals, and the RSS specification's own vectors. */
static void test_hashes(void)
{
    static const uint8_t key[40] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
        0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
        0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    };
    static const uint8_t flow[12] = { 66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6 };

    g_assert_cmphex(eth_toeplitz(key, flow, 8), ==, 0x323e8fc2);
    g_assert_cmphex(eth_toeplitz(key, flow, 12), ==, 0x51ccc178);
    g_assert_cmphex(eth_fcs("123456789", 9), ==, 0xcbf43926);
    g_assert_cmphex(eth_hash_be((const uint8_t[6]){ 1, 0, 0x5e, 0, 0, 1 }), ==, 0x7fa32d9b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/eth/segments", test_segments);
    g_test_add_func("/eth/merge", test_merge);
    g_test_add_func("/eth/hostile", test_hostile);
    g_test_add_func("/eth/hashes", test_hashes);
    return g_test_run();
}
