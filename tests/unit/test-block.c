// SPDX-License-Identifier: GPL-2.0-or-later
/* Block nodes and fronts: files, short reads, alignment, errors, options, locks, draining. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "block/block.h"
#include "block/driver.h"
#include "qom/runstate.h"
#include "util/error.h"
#include "util/main-loop.h"

static char *dir;

static char *make_file(const char *name, size_t size)
{
    char *path = g_build_filename(dir, name, NULL);
    g_autofree char *data = g_malloc(size + 1);

    for (size_t i = 0; i < size; i++) {
        data[i] = (char)(i / 512 + i);
    }
    g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    return path;
}

static char *read_file(const char *path, size_t *len)
{
    char *data;

    g_assert_true(g_file_get_contents(path, &data, len, NULL));
    return data;
}

static void add_drive(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void add_drive(const char *format, ...)
{
    GError *err = NULL;
    va_list ap;

    va_start(ap, format);
    g_autofree char *text = g_strdup_vprintf(format, ap);

    va_end(ap);
    drive_add_option(text, "none", &err);
    g_assert_no_error(err);
}

static void refuse_drive(const char *text, const char *message)
{
    g_autoptr(GError) err = NULL;

    g_assert_false(drive_add_option(text, "none", &err));
    g_assert_cmpstr(err->message, ==, message);
}

static BlockFront *take(const char *name)
{
    GError *err = NULL;
    BlockFront *b = block_front_take(name, false, &err);

    g_assert_no_error(err);
    return b;
}

static void store(void *opaque, int ret)
{
    *(int *)opaque = ret;
}

static int wait_for(int *ret)
{
    while (*ret == 1) {
        main_loop_iterate(true);
    }
    return *ret;
}

static int do_read(BlockFront *b, uint64_t offset, void *buf, size_t len)
{
    struct iovec iov = { buf, len };
    int ret = 1;

    block_read(b, offset, &iov, 1, store, &ret);
    g_assert_cmpint(ret, ==, 1);
    return wait_for(&ret);
}

static int do_write(BlockFront *b, uint64_t offset, const void *buf, size_t len)
{
    struct iovec iov[2] = { { (void *)buf, len / 2 }, { (char *)buf + len / 2, len - len / 2 } };
    int ret = 1;

    block_write(b, offset, iov, 2, true, store, &ret);
    return wait_for(&ret);
}

/* A file whose length is no multiple of a sector: the tail reads as zeroes, and can be written. */
static void test_file(void)
{
    g_autofree char *path = make_file("a", 1000);
    g_autofree char *data = read_file(path, &(size_t){ 0 });
    uint8_t buf[1024];
    size_t len;

    add_drive("file=%s,format=raw,id=a", path);
    BlockFront *b = take("a");

    g_assert_cmpuint(block_size(b), ==, 1024);
    g_assert_cmpint(do_read(b, 0, buf, 1024), ==, 0);
    g_assert_true(memcmp(buf, data, 1000) == 0);
    g_assert_cmpint(buf[1000] | buf[1023], ==, 0);
    memset(buf, 0x5a, sizeof(buf));
    g_assert_cmpint(do_write(b, 512, buf, 512), ==, 0);
    g_assert_cmpint(do_read(b, 1024, buf, 512), ==, -EIO);
    block_front_release(b);
    g_autofree char *now = read_file(path, &len);

    g_assert_cmpuint(len, ==, 1024);
    g_assert_true(memcmp(now, data, 512) == 0);
    g_assert_cmpint(now[512], ==, 0x5a);
    g_assert_cmpint(now[1023], ==, 0x5a);
}

/* Sectors written next to each other at once, whatever the host's alignment is. */
static void check_parallel(const char *id, const char *options)
{
    g_autofree char *path = make_file(id, 65536);
    g_autofree char *text = g_strdup_printf("file=%s,format=raw,id=%s,%s", path, id, options);
    g_autoptr(GError) err = NULL;
    uint8_t data[16][512];
    struct iovec iov[16];
    int ret[16];

    if (!drive_add_option(text, "none", &err)) {
        g_test_skip(err->message);
        return;
    }
    BlockFront *b = take(id);

    for (unsigned i = 0; i < 16; i++) {
        memset(data[i], (int)(i + 1), 512);
        iov[i] = (struct iovec){ data[i], 512 };
        ret[i] = 1;
        block_write(b, i * 512, &iov[i], 1, false, store, &ret[i]);
    }
    block_drain(b);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmpint(ret[i], ==, 0);
    }
    uint8_t back[512];

    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmpint(do_read(b, i * 512, back, 512), ==, 0);
        g_assert_true(memcmp(back, data[i], 512) == 0);
    }
    block_front_release(b);
}

static void test_direct(void)
{
    check_parallel("direct", "cache=none");
}

static void test_ring(void)
{
    check_parallel("ring", "aio=io_uring");
}

static void test_ring_direct(void)
{
    check_parallel("ringdirect", "aio=io_uring,cache=none");
}

/* More requests than a ring has room for. */
static void test_many(void)
{
    enum { COUNT = 1000 };
    g_autofree char *path = make_file("many", COUNT * 512);
    g_autofree char *data = read_file(path, &(size_t){ 0 });
    g_autofree uint8_t *buf = g_malloc0(COUNT * 512);
    g_autofree struct iovec *iov = g_new(struct iovec, COUNT);
    g_autofree int *ret = g_new(int, COUNT);

    add_drive("file=%s,format=raw,id=many,aio=%s", path,
              aio_engine_find("io_uring") ? "io_uring" : "threads");
    BlockFront *b = take("many");

    for (unsigned i = 0; i < COUNT; i++) {
        iov[i] = (struct iovec){ buf + i * 512, 512 };
        block_read(b, i * 512, &iov[i], 1, store, &ret[i]);
    }
    block_drain(b);
    for (unsigned i = 0; i < COUNT; i++) {
        g_assert_cmpint(ret[i], ==, 0);
    }
    g_assert_true(memcmp(buf, data, COUNT * 512) == 0);
    block_front_release(b);
}

/* A driver that fails as told. */
static int next_error;
static unsigned tries;

static bool failing_open(BlockNode *n, struct json_object *opts, GError **error)
{
    n->length = 4096;
    return true;
}

static int co_failing_rw(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                         unsigned niov)
{
    tries++;
    return -next_error;
}

static int co_failing_write(BlockNode *n, uint64_t offset, uint64_t bytes, const struct iovec *iov,
                            unsigned niov, unsigned flags)
{
    return co_failing_rw(n, offset, bytes, iov, niov);
}

static const BlockDriver failing_driver = {
    .name = "failing", .protocol = true, .open = failing_open, .co_preadv = co_failing_rw,
    .co_pwritev = co_failing_write,
};
BLOCK_DRIVER(failing_driver);

/* A full disk stops the machine; the request is tried again when it goes on. */
static void test_errors(void)
{
    uint8_t buf[512] = { 0 };
    struct iovec iov = { buf, sizeof(buf) };
    int ret = 1;

    add_drive("file.driver=failing,format=raw,id=failing");
    BlockFront *b = take("failing");

    next_error = EIO;
    g_assert_cmpint(do_read(b, 0, buf, 512), ==, -EIO);
    g_assert_cmpint(do_write(b, 0, buf, 512), ==, -EIO);
    b->on_read_error = BLOCK_ON_ERROR_IGNORE;
    g_assert_cmpint(do_read(b, 0, buf, 512), ==, 0);
    next_error = ENOSPC;
    tries = 0;
    block_write(b, 0, &iov, 1, false, store, &ret);
    block_drain(b);
    g_assert_cmpint(ret, ==, 1);
    g_assert_true(b->io_error);
    next_error = 0;
    runstate_set(RUN_STATE_RUNNING);
    g_assert_cmpint(wait_for(&ret), ==, 0);
    g_assert_cmpuint(tries, ==, 2);
    /* one that is held when its device goes away ends with its error */
    next_error = ENOSPC;
    ret = 1;
    block_write(b, 0, &iov, 1, false, store, &ret);
    block_drain(b);
    g_assert_cmpint(ret, ==, 1);
    block_front_release(b);
    g_assert_cmpint(ret, ==, -ENOSPC);
}

static void test_window(void)
{
    g_autofree char *path = make_file("window", 8192);
    g_autofree char *data = read_file(path, &(size_t){ 0 });
    uint8_t buf[1024];

    add_drive(
        "file.driver=file,file.filename=%s,format=raw,offset=1536,size=2048,id=window,read-only=on",
        path);
    BlockFront *b = take("window");

    g_assert_cmpuint(block_size(b), ==, 2048);
    g_assert_true(b->read_only);
    g_assert_cmpint(do_read(b, 512, buf, 1024), ==, 0);
    g_assert_true(memcmp(buf, data + 2048, 1024) == 0);
    g_assert_cmpint(do_write(b, 0, buf, 512), ==, -EPERM);
    block_front_release(b);
}

static void test_zeroes(void)
{
    g_autofree char *path = make_file("zero", 256 * 1024);
    uint8_t buf[4096];
    int ret = 1;

    add_drive("file=%s,format=raw,id=zero,discard=unmap,detect-zeroes=unmap", path);
    BlockFront *b = take("zero");

    block_write_zeroes(b, 512, 128 * 1024, true, store, &ret);
    g_assert_cmpint(wait_for(&ret), ==, 0);
    g_assert_cmpint(do_read(b, 0, buf, sizeof(buf)), ==, 0);
    g_assert_cmpint(buf[511], !=, 0);
    g_assert_cmpint(buf[512] | buf[4095], ==, 0);
    memset(buf, 0, sizeof(buf));
    g_assert_cmpint(do_write(b, 192 * 1024, buf, sizeof(buf)), ==, 0);
    memset(buf, 1, sizeof(buf));
    g_assert_cmpint(do_read(b, 192 * 1024, buf, sizeof(buf)), ==, 0);
    g_assert_cmpint(buf[0] | buf[4095], ==, 0);
    ret = 1;
    block_discard(b, 0, 65536, store, &ret);
    g_assert_cmpint(wait_for(&ret), ==, 0);
    ret = 1;
    block_flush(b, store, &ret);
    g_assert_cmpint(wait_for(&ret), ==, 0);
    block_front_release(b);
}

/* Beyond the end nothing is read or written, and it counts as a failure. */
static void test_range(void)
{
    uint8_t buf[512] = { 1 };
    g_autofree char *path = make_file("limit", 512);

    add_drive("file=%s,format=raw,id=limit,werror=report", path);
    BlockFront *b = take("limit");

    g_assert_cmpint(do_write(b, 512, buf, 512), ==, -EIO);
    g_assert_cmpint(do_write(b, UINT64_MAX - 511, buf, 512), ==, -EIO);
    g_assert_cmpuint(b->stats.failed[BLOCK_OP_WRITE], ==, 2);
    block_front_release(b);
}

static void test_lock(void)
{
    g_autofree char *path = make_file("lock", 4096);
    g_autoptr(GError) err = NULL;
    g_autofree char *text = g_strdup_printf("Failed to get \"write\" lock\n"
                                            "Is another process using the image [%s]?", path);

    add_drive("file=%s,format=raw,id=lock1", path);
    add_drive("file=%s,format=raw,id=lock2", path);
    BlockFront *b = take("lock1");

    g_assert_null(block_front_take("lock2", false, &err));
    g_assert_cmpstr(err->message, ==, text);
    g_clear_error(&err);
    g_assert_null(block_front_take("lock1", false, &err));
    g_assert_cmpstr(err->message, ==, "Drive 'lock1' is already in use by another device");
    block_front_release(b);
    b = take("lock2");
    block_front_release(b);
}

static void test_refused(void)
{
    g_autofree char *path = make_file("r", 4096), *missing = g_build_filename(dir, "none", NULL);
    g_autofree char *qcow = make_file("q", 4096);
    g_autofree char *text = g_strdup_printf("file=%s,format=raw", missing);
    g_autofree char *message =
        g_strdup_printf("Could not open '%s': No such file or directory", missing);
    g_autofree char *folder = g_strdup_printf("file=%s,format=raw", dir);
    g_autofree char *folder_message =
        g_strdup_printf("'file' driver requires '%s' to be a regular file", dir);
    g_autofree char *option = g_strdup_printf("file=%s,format=raw,fooo=1", path);
    g_autofree char *other = g_strdup_printf("file=%s", qcow);
    const char *other_message = "Unsupported cluster size: 2^0";

    refuse_drive(text, message);
    refuse_drive(folder, folder_message);
    refuse_drive(option, "Block format 'raw' does not support the option 'fooo'");
    g_assert_true(g_file_set_contents(qcow, "QFI\xfb\0\0\0\3", 8, NULL));
    refuse_drive(other, other_message);
    refuse_drive("if=foo", "unsupported bus type 'foo'");
    refuse_drive("media=tape", "'tape' invalid media");
    refuse_drive("cache=foo,file=x", "invalid cache option");
    refuse_drive("werror=foo", "'foo' invalid write error action");
    refuse_drive("file=foo:bar", "Unknown protocol 'foo'");
    refuse_drive("file=x,format=rw", "Unknown driver 'rw' (did you mean 'raw'?)");
}

static void test_blockdev(void)
{
    g_autofree char *path = make_file("n", 4096);
    g_autofree char *json =
        g_strdup_printf("{\"driver\":\"file\",\"filename\":\"%s\",\"node-name\":\"n-file\","
                        "\"auto-read-only\":true,\"discard\":\"unmap\"}",
                        path);
    g_autoptr(GError) err = NULL;
    uint8_t buf[512];

    g_assert_true(blockdev_add_option(json, &err));
    g_assert_no_error(err);
    g_assert_true(blockdev_add_option("driver=raw,node-name=n,file=n-file,cache.direct=off", &err));
    g_assert_no_error(err);
    g_assert_false(blockdev_add_option("driver=raw,node-name=n,file=n-file", &err));
    g_assert_cmpstr(err->message, ==, "Duplicate nodes with node-name='n'");
    g_clear_error(&err);
    g_assert_false(block_node_delete("n-file", &err));
    g_assert_cmpstr(err->message, ==, "Block device n-file is in use");
    g_clear_error(&err);
    BlockFront *b = take("n");

    g_assert_cmpint(do_read(b, 0, buf, 512), ==, 0);
    block_front_release(b);
    g_assert_true(block_node_delete("n", &err));
    g_assert_true(block_node_delete("n-file", &err));
    g_assert_null(block_node_find("n-file"));
}

static void test_snapshot(void)
{
    g_autofree char *path = make_file("snap", 200 * 1024);
    g_autofree char *data = read_file(path, &(size_t){ 0 });
    uint8_t buf[8192], back[8192];
    size_t len;

    add_drive("file=%s,format=raw,id=snap,snapshot=on", path);
    BlockFront *b = take("snap");

    g_assert_false(b->read_only);
    memset(buf, 0xee, sizeof(buf));
    g_assert_cmpint(do_write(b, 64 * 1024 - 4096, buf, sizeof(buf)), ==, 0);
    g_assert_cmpint(do_read(b, 64 * 1024 - 4096, back, sizeof(back)), ==, 0);
    g_assert_true(memcmp(buf, back, sizeof(buf)) == 0);
    g_assert_cmpint(do_read(b, 0, back, sizeof(back)), ==, 0);
    g_assert_true(memcmp(data, back, sizeof(back)) == 0);
    block_front_release(b);
    g_autofree char *now = read_file(path, &len);

    g_assert_true(memcmp(now, data, len) == 0);
}

/* Block 0 of an image that was guessed to be raw takes no other format's header. */
static void test_probed(void)
{
    g_autofree char *path = make_file("probed", 4096);
    uint8_t buf[512] = "QFI\xfb\0\0\0\3";

    add_drive("file=%s,id=probed,werror=report", path);
    BlockFront *b = take("probed");

    g_assert_cmpint(do_write(b, 0, buf, 512), ==, -EPERM);
    g_assert_cmpint(do_write(b, 512, buf, 512), ==, 0);
    buf[0] = 'x';
    g_assert_cmpint(do_write(b, 0, buf, 512), ==, 0);
    block_front_release(b);
}

static void test_places(void)
{
    GError *err = NULL;

    g_assert_true(drives_settle("ide", 0, &err));
    g_assert_true(drive_add_option("file=null-co://,format=raw", NULL, &err));
    g_assert_true(drive_add_option("index=2,media=cdrom", NULL, &err));
    g_assert_true(drive_add_option("file=null-co://,format=raw", NULL, &err));
    g_assert_true(drive_add_option("file=null-co://,format=raw,if=virtio", NULL, &err));
    g_assert_no_error(err);
    g_assert_cmpstr(drive_at("ide", 0, 0)->id, ==, "ide0-hd0");
    g_assert_cmpstr(drive_at("ide", 0, 1)->id, ==, "ide0-hd1");
    g_assert_cmpstr(drive_at("ide", 1, 0)->id, ==, "ide1-cd0");
    g_assert_cmpstr(drive_at("virtio", 0, 0)->id, ==, "virtio0");
    g_assert_false(drive_add_option("index=0,media=cdrom", NULL, &err));
    g_assert_cmpstr(err->message, ==, "drive with bus=0, unit=0 (index=0) exists");
    g_clear_error(&err);
    g_assert_false(drives_check_orphans(&err));
    g_clear_error(&err);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    dir = g_dir_make_tmp("block-XXXXXX", NULL);
    g_test_add_func("/block/file", test_file);
    g_test_add_func("/block/direct", test_direct);
    g_test_add_func("/block/ring", test_ring);
    g_test_add_func("/block/ring-direct", test_ring_direct);
    g_test_add_func("/block/many", test_many);
    g_test_add_func("/block/errors", test_errors);
    g_test_add_func("/block/window", test_window);
    g_test_add_func("/block/zeroes", test_zeroes);
    g_test_add_func("/block/range", test_range);
    g_test_add_func("/block/lock", test_lock);
    g_test_add_func("/block/refused", test_refused);
    g_test_add_func("/block/blockdev", test_blockdev);
    g_test_add_func("/block/snapshot", test_snapshot);
    g_test_add_func("/block/probed", test_probed);
    g_test_add_func("/block/places", test_places);
    status = g_test_run();
    block_cleanup();
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(d)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_unlink(path);
    }
    g_dir_close(d);
    g_rmdir(dir);
    return status;
}
