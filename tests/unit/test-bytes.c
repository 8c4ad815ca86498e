// SPDX-License-Identifier: GPL-2.0-or-later
/* Bits, byte order, scatter/gather lists and checksums. */
#include <glib.h>
#include <string.h>

#include "util/bitops.h"
#include "util/bswap.h"
#include "util/checksum.h"
#include "util/iov.h"

static void test_bits(void)
{
    uint64_t map[3] = {0};

    g_assert_cmphex(extract32(0x12345678, 8, 8), ==, 0x56);
    g_assert_cmphex(extract32(0x12345678, 0, 32), ==, 0x12345678);
    g_assert_cmpint(sextract32(0xf0, 4, 4), ==, -1);
    g_assert_cmpint(sextract64(0x80, 0, 8), ==, -128);
    g_assert_cmphex(deposit32(0xffffffff, 4, 8, 0), ==, 0xfffff00f);
    g_assert_cmphex(deposit64(0, 60, 4, 0xff), ==, 0xf000000000000000);
    g_assert_cmphex(ror32(1, 1), ==, 0x80000000);
    g_assert_cmphex(rol32(1, 0), ==, 1);
    g_assert_cmpuint(clz32(0), ==, 32);
    g_assert_cmpuint(ctz64(0), ==, 64);
    g_assert_cmpuint(pow2_ceil(5), ==, 8);
    g_assert_cmpuint(pow2_ceil(0), ==, 1);
    g_assert_cmpuint(pow2_ceil(UINT64_MAX), ==, 0);
    g_assert_cmpuint(pow2_floor(9), ==, 8);
    g_assert_cmpuint(round_up(4097, 4096), ==, 8192);
    g_assert_cmpuint(div_round_up(UINT64_MAX, 2), ==, 1ull << 63);

    bitmap_set_range(map, 60, 70);
    g_assert_cmphex(map[0], ==, 0xf000000000000000);
    g_assert_cmphex(map[1], ==, UINT64_MAX);
    g_assert_cmphex(map[2], ==, 3);
    g_assert_cmpuint(bitmap_next_set(map, 192, 0), ==, 60);
    g_assert_cmpuint(bitmap_next_clear(map, 192, 60), ==, 130);
    g_assert_cmpuint(bitmap_next_clear(map, 128, 60), ==, 128);
    bitmap_clear_range(map, 61, 100);
    g_assert_cmpuint(bitmap_next_set(map, 192, 61), ==, 192);
    bitmap_set_atomic(map, 64);
    g_assert_true(bitmap_test_clear_atomic(map, 64));
    g_assert_false(bitmap_test(map, 64));
}

static void test_order(void)
{
    uint8_t b[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

    g_assert_cmphex(load_le16(b + 1), ==, 0x0201);
    g_assert_cmphex(load_be32(b + 1), ==, 0x01020304);
    g_assert_cmphex(load_le64(b + 1), ==, 0x0807060504030201);
    store_be64(b + 1, 0x1122334455667788);
    g_assert_cmphex(b[1], ==, 0x11);
    store_sized(b, 0xabcdef, 2, false);
    g_assert_cmphex(load_sized(b, 2, true), ==, 0xefcd);
    g_assert_cmphex(load_sized(b, 1, true), ==, 0xef);
}

static void test_iov(void)
{
    char a[] = "abc", b[] = "", c[] = "defgh", buf[16] = "";
    struct iovec iov[] = {{a, 3}, {b, 0}, {c, 5}}, out[3];

    g_assert_cmpuint(iov_size(iov, 3), ==, 8);
    g_assert_cmpuint(iov_to_buf(iov, 3, 2, buf, 16), ==, 6);
    g_assert_cmpstr(buf, ==, "cdefgh");
    g_assert_cmpuint(iov_to_buf(iov, 3, 9, buf, 1), ==, 0);
    g_assert_cmpuint(iov_from_buf(iov, 3, 1, "XYZ", 3), ==, 3);
    g_assert_cmpstr(a, ==, "aXY");
    g_assert_cmpstr(c, ==, "Zefgh");
    g_assert_cmpuint(iov_slice(out, 3, iov, 3, 2, 3), ==, 2);
    g_assert_true(out[0].iov_base == a + 2 && out[0].iov_len == 1);
    g_assert_true(out[1].iov_base == c && out[1].iov_len == 2);
    g_assert_cmpuint(iov_slice(out, 1, iov, 3, 2, 3), ==, 1);
    g_assert_false(iov_is_zero(iov, 3));
    g_assert_cmpuint(iov_memset(iov, 3, 0, 0, SIZE_MAX), ==, 8);
    g_assert_true(iov_is_zero(iov, 3));
}

static void test_zero(void)
{
    uint8_t buf[200] = {0};

    for (size_t i = 0; i < sizeof(buf); i++) {
        buf[i] = 1;
        g_assert_false(buffer_is_zero(buf, sizeof(buf)));
        g_assert_true(buffer_is_zero(buf, i));
        buf[i] = 0;
    }
}

static void test_checksum(void)
{
    /* the example of RFC 1071, section 3 */
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t copy[8];
    struct iovec iov[] = {{copy, 3}, {copy + 3, 4}, {copy + 7, 1}};

    memcpy(copy, data, 8);
    g_assert_cmphex(checksum_finish(checksum_add(0, data, 8, false)), ==, 0x220d);
    g_assert_cmphex(checksum_finish(checksum_add_iov(0, iov, 3, 0, 8)), ==, 0x220d);
    g_assert_cmphex(checksum_finish(checksum_add_iov(0, iov, 3, 2, 6)), ==,
                    checksum_finish(checksum_add(0, data + 2, 6, false)));
    g_assert_cmphex(checksum_byte(data, 8), ==, (uint8_t)-0xcc);
}

static void test_frame(void)
{
    /* UDP 10.0.2.2:1 to 10.0.2.15:2, "hi" */
    uint8_t frame[44] = {[12] = 0x08, 0x00, 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 2, 2,
                         10, 0, 2, 15, 0, 1, 0, 2, 0, 10, 0, 0, 'h', 'i'};

    checksum_fill_frame(frame, sizeof(frame));
    g_assert_cmphex(load_be16(frame + 24), ==, 0x62bf);
    g_assert_cmphex(load_be16(frame + 40), ==, 0x7f5d);
    /* cut short anywhere: nothing is read or written beyond */
    for (size_t len = 0; len < sizeof(frame); len++) {
        g_autofree uint8_t *part = g_memdup2(frame, MAX(len, 1));

        checksum_fill_frame(part, len);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/bits", test_bits);
    g_test_add_func("/bytes/order", test_order);
    g_test_add_func("/bytes/iov", test_iov);
    g_test_add_func("/bytes/zero", test_zero);
    g_test_add_func("/bytes/checksum", test_checksum);
    g_test_add_func("/bytes/frame", test_frame);
    return g_test_run();
}
