// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-bridge-helper: makes a tap interface, puts it on a bridge that the administrator's list
 * allows, and hands its descriptor over. It may be set-user-id root: of all capabilities it keeps
 * only the one for network administration, before it looks at anything that its caller gave it.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIST_FILE "/etc/qemu/bridge.conf"
#define INCLUDE_DEPTH 8

typedef struct Options {
    char *bridge;
    int fd;
    gboolean vnet;
} Options;

static bool complain(const char *what)
{
    fprintf(stderr, "qemu-bridge-helper: %s: %s\n", what, g_strerror(errno));
    return false;
}

/*
 * The first line that names the bridge, or all of them, decides. 1 allowed, 0 denied, -1 not named.
 */
static int list_look_up(const char *path, const char *bridge, unsigned depth)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int verdict = -1;

    if (depth > INCLUDE_DEPTH || !g_file_get_contents(path, &text, NULL, NULL)) {
        return depth == 0 ? -1 : 0;
    }
    lines = g_strsplit(text, "\n", -1);
    for (unsigned i = 0; lines[i] && verdict < 0; i++) {
        g_auto(GStrv) word = g_strsplit_set(g_strstrip(lines[i]), " \t", 2);
        const char *name = word[0] && word[1] ? g_strstrip(word[1]) : NULL;

        if (!name || word[0][0] == '#') {
            continue;
        }
        bool meant = strcmp(name, bridge) == 0 || strcmp(name, "all") == 0;

        if (strcmp(word[0], "include") == 0) {
            verdict = list_look_up(name, bridge, depth + 1);
        } else if (meant && strcmp(word[0], "allow") == 0) {
            verdict = 1;
        } else if (meant && strcmp(word[0], "deny") == 0) {
            verdict = 0;
        }
    }
    return verdict;
}

static bool drop_capabilities(void)
{
    if (geteuid() != 0 || getuid() == 0) {
        return true;        /* not set-user-id: the caller's own rights decide */
    }
    capng_clear(CAPNG_SELECT_BOTH);
    if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN) < 0 ||
        capng_change_id((int)getuid(), (int)getgid(), CAPNG_CLEAR_BOUNDING) != 0) {
        errno = EPERM;
        return complain("failed to drop privileges");
    }
    return true;
}

/* Its own address must not be lower than the bridge's, which would take it over. */
static bool raise_mac(int control, const char *name)
{
    struct ifreq ifr = { 0 };

    g_strlcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
    if (ioctl(control, SIOCGIFHWADDR, &ifr) < 0) {
        return complain("failed to get MAC address of the interface");
    }
    ifr.ifr_hwaddr.sa_data[0] = (char)0xfe;
    return ioctl(control, SIOCSIFHWADDR, &ifr) == 0 ||
           complain("failed to set MAC address of the interface");
}

static bool join_bridge(int control, const char *bridge, const char *name)
{
    struct ifreq br = { 0 }, tap = { 0 };

    g_strlcpy(br.ifr_name, bridge, sizeof(br.ifr_name));
    g_strlcpy(tap.ifr_name, name, sizeof(tap.ifr_name));
    if (ioctl(control, SIOCGIFMTU, &br) < 0) {
        return complain("failed to get MTU of the bridge");
    }
    tap.ifr_mtu = br.ifr_mtu;
    if (ioctl(control, SIOCSIFMTU, &tap) < 0) {
        return complain("failed to set MTU of the interface");
    }
    br.ifr_ifindex = (int)if_nametoindex(name);
    if (ioctl(control, SIOCBRADDIF, &br) < 0) {
        return complain("failed to add the interface to the bridge");
    }
    if (ioctl(control, SIOCGIFFLAGS, &tap) < 0) {
        return complain("failed to get flags of the interface");
    }
    tap.ifr_flags |= IFF_UP;
    return ioctl(control, SIOCSIFFLAGS, &tap) == 0 || complain("failed to bring the interface up");
}

static bool hand_over(int to, int fd)
{
    char byte = 0, space[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    return sendmsg(to, &m, 0) >= 0 || complain("failed to hand the descriptor over");
}

static bool make_interface(const Options *o)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    unsigned features = 0;
    int control = socket(AF_INET, SOCK_STREAM, 0), fd = open("/dev/net/tun", O_RDWR);

    if (control < 0 || fd < 0) {
        return complain("failed to open /dev/net/tun");
    }
    if (o->vnet && ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR)) {
        ifr.ifr_flags |= IFF_VNET_HDR;
    }
    g_strlcpy(ifr.ifr_name, "tap%d", sizeof(ifr.ifr_name));
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        return complain("failed to create a tap interface");
    }
    return raise_mac(control, ifr.ifr_name) && join_bridge(control, o->bridge, ifr.ifr_name) &&
           hand_over(o->fd, fd);
}

int main(int argc, char **argv)
{
    Options o = { .fd = -1 };
    const GOptionEntry entries[] = {
        { "use-vnet", 0, 0, G_OPTION_ARG_NONE, &o.vnet, "frames carry virtio headers", NULL },
        { "br", 0, 0, G_OPTION_ARG_STRING, &o.bridge, "bridge to join", "NAME" },
        { "fd", 0, 0, G_OPTION_ARG_INT, &o.fd, "local socket that takes the descriptor", "N" },
        { 0 },
    };
    g_autoptr(GOptionContext) context = NULL;
    g_autoptr(GError) error = NULL;
    int verdict;

    if (!drop_capabilities()) {
        return 1;
    }
    context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !o.bridge || o.fd < 0) {
        fprintf(stderr, "qemu-bridge-helper: %s\n",
                error ? error->message : "--br and --fd are needed");
        return 1;
    }
    if (strlen(o.bridge) >= IFNAMSIZ) {
        fprintf(stderr, "qemu-bridge-helper: name of bridge '%s' is too long\n", o.bridge);
        return 1;
    }
    verdict = list_look_up(LIST_FILE, o.bridge, 0);
    if (verdict != 1) {
        fprintf(stderr, "qemu-bridge-helper: access to bridge '%s' is %s by %s\n", o.bridge,
                verdict == 0 ? "denied" : "not allowed", LIST_FILE);
        return 1;
    }
    return make_interface(&o) ? 0 : 1;
}
