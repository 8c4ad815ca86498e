// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * -netdev tap and -netdev bridge: an Ethernet interface of the host (tuntap.txt of Linux), opened
 * here, handed over as a descriptor, or by a helper that may what we may not. Frames carry virtio
 * headers when the host has them, so that checksums and segmentation are left to who can do them
 * best.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "link.h"
#include "net/eth.h"
#include "qapi/keyval.h"
#include "util/error.h"
#include "util/socket.h"

#define SCRIPT_UP "/etc/qemu-ifup"
#define SCRIPT_DOWN "/etc/qemu-ifdown"
#define DEFAULT_BRIDGE "br0"
#define HELPER "qemu-bridge-helper"

/* ---- frames ---- */

static ssize_t tap_receive_offload(NetClient *c, const uint8_t *frame, size_t len,
                                   const NetOffload *o)
{
    NetLink *l = c->opaque;
    uint8_t header[ETH_VNET_BYTES];
    struct iovec iov[2] = { { header, sizeof(header) }, { (void *)frame, len } };

    eth_vnet_store(header, frame, o);
    return writev(l->fd, iov, 2) < 0 ? -1 : (ssize_t)len;
}

static unsigned tap_takes(NetClient *c)
{
    return ((NetLink *)c->opaque)->vnet_header
               ? NET_TAKES_CHECKSUM | NET_TAKES_TCP4 | NET_TAKES_TCP6
               : 0;
}

static const NetOps tap_ops = {
    .type = "tap", NET_LINK_OPS, .receive_offload = tap_receive_offload, .takes = tap_takes,
};
static const NetOps bridge_ops = {
    .type = "bridge", NET_LINK_OPS, .receive_offload = tap_receive_offload, .takes = tap_takes,
};

/* ---- opening ---- */

static bool use_vnet_header(int fd)
{
    unsigned features = 0;
    struct ifreq ifr = { 0 };
    int size = ETH_VNET_BYTES;

    return ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) &&
           ioctl(fd, TUNGETIFF, &ifr) == 0 && (ifr.ifr_flags & IFF_VNET_HDR) &&
           ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 &&
           ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0;
}

static int open_tun(const char *name, bool vnet, bool several, char **made, GError **error)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    unsigned features = 0;
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        fail(error, "could not open /dev/net/tun: %s", g_strerror(errno));
        return -1;
    }
    if (vnet && ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR)) {
        ifr.ifr_flags |= IFF_VNET_HDR;
    }
    ifr.ifr_flags |= several ? IFF_MULTI_QUEUE : 0;
    g_strlcpy(ifr.ifr_name, name ? name : "tap%d", sizeof(ifr.ifr_name));
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        fail(error, "could not configure /dev/net/tun%s%s%s: %s", name ? " (" : "",
             name ? name : "", name ? ")" : "", g_strerror(errno));
        close(fd);
        return -1;
    }
    if (made) {
        *made = g_strdup(ifr.ifr_name);
    }
    return fd;
}

static bool run_script(const char *script, const char *ifname, GError **error)
{
    char *argv[] = { (char *)script, (char *)ifname, NULL };
    int status = 0;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                      &status, error)) {
        g_prefix_error(error, "network script %s: ", script);
        return false;
    }
    return status == 0 || fail(error, "network script %s failed with status %d", script, status);
}

static void tap_gone(NetLink *l)
{
    g_autoptr(GError) refused = NULL;

    if (l->down_script && !run_script(l->down_script, l->ifname, &refused)) {
        warn_report("%s", refused->message);
    }
}

/* ---- the helper ---- */

/* Keeps its end of the pair open in the helper, under the same number. */
static void keep_fd(gpointer data)
{
    int fd = GPOINTER_TO_INT(data);

    fcntl(fd, F_SETFD, 0);
}

static int take_fd(int from, GError **error)
{
    char byte, space[CMSG_SPACE(sizeof(int))];
    struct iovec iov = { &byte, 1 };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    struct cmsghdr *c;
    int fd = -1;

    if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) > 0 && (c = CMSG_FIRSTHDR(&m)) != NULL &&
        c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        return fd;
    }
    fail(error, "bridge helper failed");
    return -1;
}

/* helper: a program, or a command line with arguments (then a shell takes it). */
static int run_helper(const char *helper, const char *bridge, GError **error)
{
    g_autofree char *br = g_strdup_printf("--br=%s", bridge);
    g_autofree char *fd_arg = NULL;
    g_autofree char *line = NULL;
    int pair[2], status = 0, fd;
    GPid pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        fail(error, "socketpair: %s", g_strerror(errno));
        return -1;
    }
    fd_arg = g_strdup_printf("--fd=%d", pair[1]);
    line = g_strdup_printf("exec %s --use-vnet %s %s", helper, fd_arg,
                           strstr(helper, "--br=") ? "" : br);
    char *direct[] = { (char *)helper, (char *)"--use-vnet", fd_arg, br, NULL };
    char *shell[] = { (char *)"/bin/sh", (char *)"-c", line, NULL };
    bool good = g_spawn_async(NULL, strpbrk(helper, " \t") ? shell : direct, NULL,
                              G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, keep_fd,
                              GINT_TO_POINTER(pair[1]), &pid, error);

    close(pair[1]);
    if (!good) {
        close(pair[0]);
        return -1;
    }
    fd = take_fd(pair[0], error);
    close(pair[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return fd;
}

/* Beside the program, or where packages put it. */
static char *find_helper(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(self ? self : ".");
    const char *const places[] = { "", "../libexec", "../lib/qemu" };

    for (unsigned i = 0; i < ARRAY_COUNT(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], HELPER, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE)) {
            return g_steal_pointer(&path);
        }
    }
    return g_strdup("/usr/lib/qemu/" HELPER);
}

/* ---- back ends ---- */

static NetClient *tap_from_fd(const char *id, const NetOps *ops, int fd, const char *info)
{
    NetLink *l = net_link_new(id, ops);

    l->file = true;
    l->vnet_header = use_vnet_header(fd);
    net_link_attach(l, fd, info);
    return &l->client;
}

static NetClient *tap_open(const char *id, struct json_object *kv, bool vnet, unsigned queues,
                           GError **error)
{
    const char *up = keyval_get(kv, "script"), *down = keyval_get(kv, "downscript");
    g_autofree char *ifname = NULL;
    g_autofree char *info = NULL;
    int fd = open_tun(keyval_get(kv, "ifname"), vnet, queues > 1, &ifname, error);

    if (fd < 0) {
        return NULL;
    }
    up = up ? up : SCRIPT_UP;
    down = down ? down : SCRIPT_DOWN;
    if (*up && strcmp(up, "no") != 0 && !run_script(up, ifname, error)) {
        close(fd);
        return NULL;
    }
    info = g_strdup_printf("ifname=%s,script=%s,downscript=%s", ifname, up, down);
    NetClient *c = tap_from_fd(id, &tap_ops, fd, info);
    NetLink *l = c->opaque;

    l->ifname = g_steal_pointer(&ifname);
    l->down_script = *down && strcmp(down, "no") != 0 ? g_strdup(down) : NULL;
    l->on_cleanup = tap_gone;
    for (unsigned i = 1; i < queues; i++) {
        fd = open_tun(l->ifname, vnet, true, NULL, error);
        if (fd < 0) {
            net_link_cleanup(c);
            return NULL;
        }
        use_vnet_header(fd);
        net_link_add_queue(l, fd);
    }
    return c;
}

/* fds=A:B:...: a queue each. */
static NetClient *tap_from_fds(const char *id, const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ":", -1);
    g_autofree char *info = g_strdup_printf("fds=%s", text);
    NetClient *c = NULL;

    for (unsigned i = 0; names[i]; i++) {
        SocketPlace p = { .kind = SOCKET_FD, .fd = names[i] };
        int fd = socket_connect(&p, error);

        if (fd < 0) {
            if (c) {
                net_link_cleanup(c);
            }
            return NULL;
        }
        if (!c) {
            c = tap_from_fd(id, &tap_ops, fd, info);
        } else {
            use_vnet_header(fd);
            net_link_add_queue(c->opaque, fd);
        }
    }
    return c ? c : fail_null(error, "fds= is empty");
}

/*
 * Frames go through this process: vhost=on is a wish that it says it cannot fulfil, what insists
 * on the host's kernel an error.
 */
static bool vhost_fits(struct json_object *kv, GError **error)
{
    bool on = false, force = false;
    const char *text = keyval_get(kv, "vhost"), *forced = keyval_get(kv, "vhostforce");

    if ((text && !bool_parse(text, "vhost", &on, error)) ||
        (forced && !bool_parse(forced, "vhostforce", &force, error))) {
        return false;
    }
    if (force || keyval_get(kv, "vhostfd") || keyval_get(kv, "vhostfds")) {
        if (access("/dev/vhost-net", F_OK) < 0) {
            return fail_errno(error, errno, "tap: open vhost char device failed");
        }
        return fail(error, "tap: vhost-net is not supported: leave 'vhostforce' and 'vhostfd' out");
    }
    if (on) {
        warn_report("tap: vhost-net is not supported: frames go through this process");
    }
    return true;
}

static NetClient *tap_create(const char *id, struct json_object *kv, GError **error)
{
    const char *fd_text = keyval_get(kv, "fd"), *helper = keyval_get(kv, "helper"),
               *bridge = keyval_get(kv, "br");
    const char *vnet_text = keyval_get(kv, "vnet_hdr");
    const char *queues_text = keyval_get(kv, "queues"), *fds = keyval_get(kv, "fds");
    int64_t queues = 1;
    bool vnet = true;
    int fd;

    if (!vhost_fits(kv, error)) {
        return NULL;
    }
    if (vnet_text && !bool_parse(vnet_text, "vnet_hdr", &vnet, error)) {
        return NULL;
    }
    if (queues_text && !int_parse(queues_text, "queues", true, &queues, error)) {
        return NULL;
    }
    if (queues < 1 || queues > 256) {
        return fail_null(error, "queues= must be from 1 to 256");
    }
    if ((fd_text || fds || helper) && (queues_text || (fds && (fd_text || helper)))) {
        return fail_null(
            error, "queues= is invalid with fd=, fds= and helper=, of which there can be one");
    }
    if (fds) {
        return tap_from_fds(id, fds, error);
    }
    if (fd_text || helper) {
        SocketPlace p = { .kind = SOCKET_FD, .fd = fd_text };
        g_autofree char *info =
            g_strdup_printf(fd_text ? "fd=%s" : "helper=%s", fd_text ? fd_text : helper);

        if (keyval_get(kv, "ifname") || keyval_get(kv, "script") || keyval_get(kv, "downscript") ||
            (fd_text && helper)) {
            return fail_null(error, "ifname=, script=, downscript= and helper= are invalid with %s",
                             fd_text ? "fd=" : "helper=");
        }
        fd = fd_text ? socket_connect(&p, error)
                     : run_helper(helper, bridge ? bridge : DEFAULT_BRIDGE, error);
        return fd < 0 ? NULL : tap_from_fd(id, &tap_ops, fd, info);
    }
    return tap_open(id, kv, vnet, (unsigned)queues, error);
}

static const char *const tap_keys[] = {"ifname", "fd",       "script", "downscript", "br",
                                       "helper", "vnet_hdr", "queues", "fds",        "vhost",
                                       "vhostforce", "vhostfd", "vhostfds", NULL};

static const NetdevType tap_type = {
    .name = "tap", .help = "an interface of the host", .keys = tap_keys, .create = tap_create,
};
NETDEV_TYPE(tap_type);

static NetClient *bridge_create(const char *id, struct json_object *kv, GError **error)
{
    const char *helper = keyval_get(kv, "helper"), *bridge = keyval_get(kv, "br");
    g_autofree char *found = helper ? g_strdup(helper) : find_helper();
    g_autofree char *info =
        g_strdup_printf("helper=%s,br=%s", found, bridge ? bridge : DEFAULT_BRIDGE);
    int fd = run_helper(found, bridge ? bridge : DEFAULT_BRIDGE, error);

    return fd < 0 ? NULL : tap_from_fd(id, &bridge_ops, fd, info);
}

static const char *const bridge_keys[] = { "br", "helper", NULL };

static const NetdevType bridge_type = {
    .name = "bridge", .help = "a bridge of the host, by a helper", .keys = bridge_keys, .create = bridge_create,
};
NETDEV_TYPE(bridge_type);
