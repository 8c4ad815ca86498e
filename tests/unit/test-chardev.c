// SPDX-License-Identifier: GPL-2.0-or-later
/* Back ends of character devices without a machine: files, ring buffers, sockets, multiplexers. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "chardev/chardev.h"
#include "qapi/keyval.h"
#include "qapi/qapi-commands.h"
#include "util/error.h"
#include "util/main-loop.h"

typedef struct Peer {
    ChardevFe fe;
    GString *got;
    size_t room;
    int opened, closed, drained, focus;
} Peer;

static size_t peer_can_receive(void *opaque)
{
    return ((Peer *)opaque)->room;
}

static void peer_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Peer *p = opaque;

    g_assert_cmpuint(len, <=, p->room);
    g_string_append_len(p->got, (const char *)buf, (gssize)len);
}

static void peer_event(void *opaque, ChardevEvent event)
{
    Peer *p = opaque;

    p->opened += event == CHARDEV_OPENED;
    p->closed += event == CHARDEV_CLOSED;
    p->focus += event == CHARDEV_FOCUS_IN ? 1 : event == CHARDEV_FOCUS_OUT ? -1 : 0;
}

static void peer_drained(void *opaque)
{
    ((Peer *)opaque)->drained++;
}

static const ChardevFeOps peer_ops = {
    .can_receive = peer_can_receive, .receive = peer_receive, .event = peer_event,
    .drained = peer_drained,
};

static Chardev *make(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_object *o = keyval_parse(text, "backend", &error);
    Chardev *c = chardev_new(o, &error);

    json_object_put(o);
    g_assert_no_error(error);
    return c;
}

static void make_bad(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;
    json_object *o = keyval_parse(text, "backend", &error);

    g_assert_null(chardev_new(o, &error));
    json_object_put(o);
    g_assert_cmpstr(error->message, ==, message);
}

static void attach(Peer *p, Chardev *c)
{
    g_autoptr(GError) error = NULL;

    p->got = g_string_new(NULL);
    p->room = 100;
    g_assert_true(chardev_fe_attach(&p->fe, c, &peer_ops, p, &error));
}

static void detach(Peer *p)
{
    chardev_fe_detach(&p->fe);
    g_string_free(p->got, TRUE);
}

static void test_errors(void)
{
    make("null,id=a");
    make_bad("null,id=a", "Duplicate ID 'a' for chardev");
    make_bad("null", "chardev: no id specified");
    make_bad("null,id=1a", "Parameter 'id' expects an identifier");
    make_bad("nul,id=b", "'nul' is not a valid char driver name (did you mean 'null'?)");
    make_bad("null,id=b,foo=1", "Invalid parameter 'foo'");
    make_bad("file,id=b", "chardev: file: no filename given");
    make_bad("socket,id=b,path=x,server=maybe", "Parameter 'server' expects 'on' or 'off'");
    make_bad("socket,id=b,path=x,websocket=on", "Websocket client is not implemented");
    make_bad("socket,id=b,path=x,tls-creds=t",
             "'tls_creds' option is incompatible with 'unix' address type");
    make_bad("socket,id=b,host=h,port=1,tls-creds=t", "No TLS credentials with id 't'");
    make_bad("ringbuf,id=b,size=3", "size of ringbuf chardev must be power of two");
    chardev_cleanup();
}

static void test_ringbuf(void)
{
    g_autoptr(GError) error = NULL;
    Peer p = { 0 };
    QmpCall call = { 0 };
    QmpRingbufReadArgs args = { .device = (char *)"r", .size = 100 };

    attach(&p, make("ringbuf,id=r,size=8"));
    g_assert_cmpint(p.opened, ==, 1);
    g_assert_cmpuint(chardev_write(&p.fe, "0123456789", 10), ==, 10);
    g_autofree char *text = qmp_ringbuf_read(&call, &args, &error);
    g_assert_cmpstr(text, ==, "23456789");
    g_assert_false(chardev_remove("r", &error));
    g_assert_cmpstr(error->message, ==, "Chardev 'r' is busy");
    detach(&p);
    chardev_cleanup();
}

static void test_file_and_log(void)
{
    g_autofree char *dir = g_dir_make_tmp("chardev-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "out", NULL);
    g_autofree char *log = g_build_filename(dir, "log", NULL);
    g_autofree char *text = g_strdup_printf("file,id=f,path=%s,logfile=%s", file, log);
    g_autofree char *a = NULL, *b = NULL;
    Peer p = { 0 };

    attach(&p, make(text));
    g_assert_cmpuint(chardev_write(&p.fe, "hello", 5), ==, 5);
    detach(&p);
    chardev_cleanup();
    g_assert_true(g_file_get_contents(file, &a, NULL, NULL));
    g_assert_true(g_file_get_contents(log, &b, NULL, NULL));
    g_assert_cmpstr(a, ==, "hello");
    g_assert_cmpstr(b, ==, "hello");
    g_unlink(file);
    g_unlink(log);
    g_rmdir(dir);
}

static int dial(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&un, sizeof(un)), ==, 0);
    return fd;
}

static size_t take(int fd)
{
    char buf[65536];
    ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

    return n > 0 ? (size_t)n : 0;
}

static void test_socket(void)
{
    g_autofree char *dir = g_dir_make_tmp("chardev-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);
    g_autofree char *text = g_strdup_printf("socket,id=s,path=%s,server=on,wait=off", path);
    static char big[100000];
    Peer p = { 0 };
    size_t sent = 0, got = 0;

    attach(&p, make(text));
    g_assert_false(chardev_fe_connected(&p.fe));
    g_assert_cmpuint(chardev_write(&p.fe, "lost", 4), ==, 4);
    int fd = dial(path);
    while (!p.opened) {
        main_loop_iterate(true);
    }
    p.room = 2;
    g_assert_cmpint(write(fd, "abc", 3), ==, 3);
    while (p.got->len < 3) {
        main_loop_iterate(true);
    }
    g_assert_cmpstr(p.got->str, ==, "abc");

    /* More than the socket and the ring take: the rest is refused, `drained` says when. */
    while (sent < 4 * sizeof(big)) {
        size_t n = chardev_write(&p.fe, big, sizeof(big));

        sent += n;
        if (n < sizeof(big)) {
            break;
        }
    }
    while (!p.drained) {
        got += take(fd);
        main_loop_iterate(false);
    }
    while (got < sent) {
        got += take(fd);
        main_loop_iterate(false);
    }
    g_assert_cmpuint(got, ==, sent);
    close(fd);
    while (!p.closed) {
        main_loop_iterate(true);
    }
    fd = dial(path);    /* the next client is served */
    while (p.opened < 2) {
        main_loop_iterate(true);
    }
    close(fd);
    detach(&p);
    chardev_cleanup();
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_rmdir(dir);
}

static void test_mux(void)
{
    int fds[2];
    char buf[4096] = "";
    Peer a = { 0 }, b = { 0 };

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    g_autofree char *text = g_strdup_printf("socket,id=m,fd=%d,mux=on", fds[0]);
    Chardev *c = make(text);

    attach(&a, c);
    attach(&b, c);
    g_assert_cmpint(a.focus, ==, 1);
    g_assert_cmpint(b.focus, ==, 0);
    g_assert_cmpint(write(fds[1], "x\1\1y\1cz\1cw", 11), ==, 11);
    while (a.got->len < 4 || b.got->len < 1) {
        main_loop_iterate(true);
    }
    g_assert_cmpstr(a.got->str, ==, "x\1yw");
    g_assert_cmpstr(b.got->str, ==, "z");
    g_assert_cmpuint(chardev_write(&a.fe, "A", 1), ==, 1);
    g_assert_cmpuint(chardev_write(&b.fe, "B", 1), ==, 1);
    g_assert_cmpint(read(fds[1], buf, sizeof(buf)), ==, 2);
    g_assert_cmpstr(buf, ==, "AB");
    g_assert_cmpint(write(fds[1], "\1h", 2), ==, 2);
    memset(buf, 0, sizeof(buf));
    while (recv(fds[1], buf, sizeof(buf) - 1, MSG_DONTWAIT) <= 0) {
        main_loop_iterate(false);
    }
    g_assert_nonnull(strstr(buf, "C-a h    print this help"));
    detach(&b);
    detach(&a);
    chardev_cleanup();
    close(fds[1]);
}

static void test_short(void)
{
    static const struct { const char *spec, *file; } rows[] = {
        { "null", "null" }, { "vc:80Cx24C", "vc" },
        { "tcp:127.0.0.1:0,server=on,wait=off", "disconnected:tcp:127.0.0.1:*,server=on" },
        { "telnet::0,server,nowait", "disconnected:telnet::*,server=on" },
    };
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_nonnull(chardev_new_short("x", rows[i].spec, &error));
        GPtrArray *list = qmp_query_chardev(NULL, &error);

        g_assert_cmpuint(list->len, ==, 1);
        g_assert_true(
            g_pattern_match_simple(rows[i].file, ((ChardevInfo *)list->pdata[0])->filename));
        g_assert_null(strstr(((ChardevInfo *)list->pdata[0])->filename, ":0,"));
        qapi_clear(&qapi_array_ChardevInfo, &list);
        chardev_cleanup();
    }
    g_assert_null(chardev_new_short("x", "none", &error));
    g_assert_no_error(error);
    g_assert_null(chardev_new_short("x", "foo", &error));
    g_assert_cmpstr(error->message, ==, "'foo' is not a valid char driver");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    main_loop_init();
    g_test_add_func("/chardev/errors", test_errors);
    g_test_add_func("/chardev/ringbuf", test_ringbuf);
    g_test_add_func("/chardev/file-and-log", test_file_and_log);
    g_test_add_func("/chardev/socket", test_socket);
    g_test_add_func("/chardev/mux", test_mux);
    g_test_add_func("/chardev/short", test_short);
    return g_test_run();
}
