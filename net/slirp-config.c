// SPDX-License-Identifier: GPL-2.0-or-later
/* The addresses and names of -netdev user, checked and put into libslirp's configuration. */
#include <string.h>

#include "qapi/keyval.h"
#include "slirp.h"
#include "util/error.h"

/* Where the virtual network's own hosts are by default, in its last 16 bits. */
enum { HOST_PART = 0x0202, DNS_PART = 0x0203, DHCP_PART = 0x020f };

static bool parse_ipv4(const char *text, const char *key, struct in_addr *addr, GError **error)
{
    return inet_aton(text, addr) ||
           fail(error, "Failed to parse %s: '%s' is no IPv4 address", key, text);
}

static bool parse_ipv6(const char *text, const char *key, struct in6_addr *addr, GError **error)
{
    return inet_pton(AF_INET6, text, addr) == 1 ||
           fail(error, "Failed to parse %s: '%s' is no IPv6 address", key, text);
}

/* A.B.C.D, A.B.C.D/bits, A.B.C.D/mask; without a mask that of the address's class. */
static bool parse_network(SlirpConfig *cfg, const char *text, GError **error)
{
    g_auto(GStrv) part = g_strsplit(text, "/", 2);
    uint32_t a, m;
    int64_t bits;

    if (!parse_ipv4(part[0], "net", &cfg->vnetwork, error)) {
        return false;
    }
    a = ntohl(cfg->vnetwork.s_addr);
    if (!part[1]) {
        m = !(a >> 31)       ? 0xff000000u
            : (a >> 30) == 2 ? 0xffff0000u
            : (a >> 29) == 6 ? 0xffffff00u
                             : 0xfffffff0u;
    } else if (strchr(part[1], '.')) {
        struct in_addr mask;

        if (!parse_ipv4(part[1], "netmask", &mask, error)) {
            return false;
        }
        m = ntohl(mask.s_addr);
    } else {
        if (!int_parse(part[1], "netmask", true, &bits, error)) {
            return false;
        }
        if (bits < 4 || bits > 31) {
            return fail(error, "Invalid netmask provided (must be in range 4-31)");
        }
        m = ~0u << (32 - bits);
    }
    cfg->vnetmask.s_addr = htonl(m);
    cfg->vnetwork.s_addr = htonl(a & m);
    return true;
}

/* An address of the virtual network: as given, or at its default place. */
static bool parse_member(SlirpConfig *cfg, struct json_object *kv, const char *key, uint32_t part,
                         struct in_addr *addr, GError **error)
{
    const char *text = keyval_get(kv, key);

    addr->s_addr = cfg->vnetwork.s_addr | (htonl(part) & ~cfg->vnetmask.s_addr);
    if (text && !parse_ipv4(text, key, addr, error)) {
        return false;
    }
    if ((addr->s_addr & cfg->vnetmask.s_addr) != cfg->vnetwork.s_addr) {
        return fail(error, "%s '%s' is not within the network", key,
                    text ? text : inet_ntoa(*addr));
    }
    return true;
}

static bool config_ipv4(SlirpConfig *cfg, struct json_object *kv, GError **error)
{
    const char *net = keyval_get(kv, "net");

    if (!parse_network(cfg, net ? net : "10.0.2.0/24", error) ||
        !parse_member(cfg, kv, "host", HOST_PART, &cfg->vhost, error) ||
        !parse_member(cfg, kv, "dhcpstart", DHCP_PART, &cfg->vdhcp_start, error) ||
        !parse_member(cfg, kv, "dns", DNS_PART, &cfg->vnameserver, error)) {
        return false;
    }
    if (cfg->vhost.s_addr == cfg->vnameserver.s_addr) {
        return fail(error, "DNS must be different from host");
    }
    if (cfg->vdhcp_start.s_addr == cfg->vhost.s_addr ||
        cfg->vdhcp_start.s_addr == cfg->vnameserver.s_addr) {
        return fail(error, "DHCP must be different from host and DNS");
    }
    return true;
}

static bool config_ipv6(SlirpConfig *cfg, struct json_object *kv, GError **error)
{
    const char *net = keyval_get(kv, "ipv6-net"), *prefix = keyval_get(kv, "ipv6-prefix");
    const char *len = keyval_get(kv, "ipv6-prefixlen"), *host = keyval_get(kv, "ipv6-host");
    const char *dns = keyval_get(kv, "ipv6-dns");
    g_auto(GStrv) part = g_strsplit(net ? net : prefix ? prefix : "fec0::", "/", 2);
    int64_t bits = 64;

    if (part[0] && part[1]) {
        len = part[1];
    }
    if (!parse_ipv6(part[0], "IPv6 prefix", &cfg->vprefix_addr6, error) ||
        (len && !int_parse(len, "ipv6-prefixlen", true, &bits, error))) {
        return false;
    }
    if (bits < 0 || bits > 126) {
        return fail(error,
                    "Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and 126)");
    }
    cfg->vprefix_len = (uint8_t)bits;
    cfg->vhost6 = cfg->vnameserver6 = cfg->vprefix_addr6;
    cfg->vhost6.s6_addr[15] |= 2;
    cfg->vnameserver6.s6_addr[15] |= 3;
    return (!host || parse_ipv6(host, "ipv6-host", &cfg->vhost6, error)) &&
           (!dns || parse_ipv6(dns, "ipv6-dns", &cfg->vnameserver6, error));
}

/* ipv4=, ipv6=: what is on when only one of them is said. */
static bool config_families(SlirpConfig *cfg, struct json_object *kv, GError **error)
{
    static const char *const v6_keys[] = {"ipv6-net", "ipv6-prefix", "ipv6-prefixlen", "ipv6-host",
                                          "ipv6-dns"};
    const char *v4_text = keyval_get(kv, "ipv4"), *v6_text = keyval_get(kv, "ipv6");
    bool v4 = true, v6 = true;

    if ((v4_text && !bool_parse(v4_text, "ipv4", &v4, error)) ||
        (v6_text && !bool_parse(v6_text, "ipv6", &v6, error))) {
        return false;
    }
    if (!v4_text && v6_text && v6) {
        v4 = false;
    }
    if (!v6_text && v4_text && v4) {
        v6 = false;
    }
    if (!v4 && !v6) {
        return fail(error, "IPv4 and IPv6 disabled");
    }
    if (!v4 && keyval_get(kv, "net")) {
        return fail(error, "IPv4 disabled but net provided");
    }
    for (unsigned i = 0; !v6 && i < ARRAY_COUNT(v6_keys); i++) {
        if (keyval_get(kv, v6_keys[i])) {
            return fail(error, "IPv6 disabled but %s provided", v6_keys[i]);
        }
    }
    cfg->in_enabled = v4;
    cfg->in6_enabled = v6;
    return true;
}

bool slirp_net_config(SlirpConfig *cfg, struct json_object *kv, GPtrArray *keep, GError **error)
{
    const char *restricted = keyval_get(kv, "restrict");
    struct json_object *search;
    bool on = false;

    if (keyval_get(kv, "smb") || keyval_get(kv, "smbserver")) {
        return fail(error, "option 'smb' is not supported yet");
    }
    if (!config_families(cfg, kv, error) || !config_ipv4(cfg, kv, error) ||
        !config_ipv6(cfg, kv, error) ||
        (restricted && !bool_parse(restricted, "restrict", &on, error))) {
        return false;
    }
    cfg->version = 1;
    cfg->restricted = on;
    cfg->vhostname = keyval_get(kv, "hostname");
    cfg->tftp_path = keyval_get(kv, "tftp");
    cfg->tftp_server_name = keyval_get(kv, "tftp-server-name");
    cfg->bootfile = keyval_get(kv, "bootfile");
    cfg->vdomainname = keyval_get(kv, "domainname");
    if (cfg->tftp_path && !g_file_test(cfg->tftp_path, G_FILE_TEST_IS_DIR)) {
        return fail(error, "tftp: '%s' is no folder", cfg->tftp_path);
    }
    if (cfg->vdomainname && (strlen(cfg->vdomainname) > 255 || !*cfg->vdomainname)) {
        return fail(error, "'domainname' parameter must be between 1 and 255 bytes");
    }
    if (cfg->vhostname && strlen(cfg->vhostname) > 32) {
        return fail(error, "'hostname' parameter cannot exceed 32 bytes");
    }
    if (json_object_object_get_ex(kv, "dnssearch", &search)) {
        size_t n = json_object_array_length(search);
        const char **list = g_new0(const char *, n + 1);

        for (size_t i = 0; i < n; i++) {
            list[i] = json_object_get_string(json_object_array_get_idx(search, i));
        }
        cfg->vdnssearch = list;
        g_ptr_array_add(keep, list);
    }
    return true;
}
