// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu-nbd: the command line. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "block/tool.h"
#include "config.h"
#include "tools/qemu-nbd/qemu-nbd.h"
#include "util/cutils.h"

static const char usage_text[] =
    "Usage: qemu-nbd [OPTIONS] FILE\n"
    "  or:  qemu-nbd -L [OPTIONS]\n"
    "QEMU Disk Network Block Device Utility\n"
    "\n"
    "  -h, --help                display this help and exit\n"
    "  -V, --version             output version information and exit\n"
    "\n"
    "Connection properties:\n"
    "  -p, --port=PORT           port to listen on (default `10809')\n"
    "  -b, --bind=IFACE          interface to bind to (default `0.0.0.0')\n"
    "  -k, --socket=PATH         path to the unix socket\n"
    "                            (default '/var/lock/qemu-nbd-DEVICE')\n"
    "  -e, --shared=NUM          device can be shared by NUM clients (default '1')\n"
    "  -t, --persistent          don't exit on the last connection\n"
    "  -v, --verbose             display extra debugging information\n"
    "  -x, --export-name=NAME    expose export by name (default is empty string)\n"
    "  -D, --description=TEXT    export a human-readable description\n"
    "\n"
    "Exposing part of the image:\n"
    "  -o, --offset=OFFSET       offset into the image\n"
    "  -A, --allocation-depth    expose the allocation depth\n"
    "  -B, --bitmap=NAME         expose a persistent dirty bitmap\n"
    "\n"
    "General purpose options:\n"
    "  -L, --list                list exports available from another NBD server\n"
    "  --object type,id=ID,...   define an object such as 'secret' for providing\n"
    "                            passwords and/or encryption keys\n"
    "  --tls-creds=ID            use id of an earlier --object to provide TLS\n"
    "  --tls-authz=ID            use id of an earlier --object to provide\n"
    "                            authorization\n"
    "  --selinux-label=LABEL     set SELinux process label on listening socket\n"
    "  -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]\n"
    "                            specify tracing options\n"
    "  --fork                    fork off the server process and exit the parent\n"
    "                            once the server is running\n"
    "  --pid-file=PATH           store the server's process ID in the given file\n"
    "\n"
    "Kernel NBD client support:\n"
    "  -c, --connect=DEV         connect FILE to the local NBD device DEV\n"
    "  -d, --disconnect          disconnect the specified device\n"
    "\n"
    "Block device options:\n"
    "  -f, --format=FORMAT       set image format (raw, qcow2, ...)\n"
    "  -r, --read-only           export read-only\n"
    "  -s, --snapshot            use FILE as an external snapshot, create a temporary\n"
    "                            file with backing_file=FILE, redirect the write to\n"
    "                            the temporary one\n"
    "  -l, --load-snapshot=SNAPSHOT_PARAM\n"
    "                            load an internal snapshot inside FILE and export it\n"
    "                            as an read-only device, SNAPSHOT_PARAM format is\n"
    "                            'snapshot.id=[ID],snapshot.name=[NAME]', or\n"
    "                            '[ID_OR_NAME]'\n"
    "  -n, --nocache             disable host cache\n"
    "      --cache=MODE          set cache mode used to access the disk image, the\n"
    "                            valid options are: 'none', 'writeback' (default),\n"
    "                            'writethrough', 'directsync' and 'unsafe'\n"
    "      --aio=MODE            set AIO mode (native, io_uring or threads)\n"
    "      --discard=MODE        set discard mode (ignore, unmap)\n"
    "      --detect-zeroes=MODE  set detect-zeroes mode (off, on, unmap)\n"
    "      --image-opts          treat FILE as a full set of image options\n";

enum {
    OPT_CACHE = 256, OPT_AIO, OPT_DISCARD, OPT_ZEROES, OPT_OBJECT, OPT_CREDS, OPT_HOSTNAME, OPT_AUTHZ, OPT_IMAGE_OPTS, OPT_FORK,
    OPT_PID, OPT_SELINUX,
};

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { "bind", required_argument, NULL, 'b' },
    { "port", required_argument, NULL, 'p' }, { "socket", required_argument, NULL, 'k' }, { "offset", required_argument, NULL, 'o' },
    { "read-only", no_argument, NULL, 'r' }, { "allocation-depth", no_argument, NULL, 'A' },
    { "bitmap", required_argument, NULL, 'B' }, { "connect", required_argument, NULL, 'c' }, { "disconnect", no_argument, NULL, 'd' },
    { "list", no_argument, NULL, 'L' }, { "snapshot", no_argument, NULL, 's' }, { "load-snapshot", required_argument, NULL, 'l' },
    { "nocache", no_argument, NULL, 'n' }, { "cache", required_argument, NULL, OPT_CACHE }, { "aio", required_argument, NULL, OPT_AIO },
    { "discard", required_argument, NULL, OPT_DISCARD }, { "detect-zeroes", required_argument, NULL, OPT_ZEROES },
    { "shared", required_argument, NULL, 'e' }, { "format", required_argument, NULL, 'f' }, { "persistent", no_argument, NULL, 't' },
    { "verbose", no_argument, NULL, 'v' }, { "object", required_argument, NULL, OPT_OBJECT },
    { "export-name", required_argument, NULL, 'x' }, { "description", required_argument, NULL, 'D' },
    { "tls-creds", required_argument, NULL, OPT_CREDS }, { "tls-hostname", required_argument, NULL, OPT_HOSTNAME },
    { "tls-authz", required_argument, NULL, OPT_AUTHZ }, { "image-opts", no_argument, NULL, OPT_IMAGE_OPTS },
    { "trace", required_argument, NULL, 'T' }, { "fork", no_argument, NULL, OPT_FORK }, { "pid-file", required_argument, NULL, OPT_PID },
    { "selinux-label", required_argument, NULL, OPT_SELINUX }, { NULL },
};

/* Options that have only a place. */
static const char **place_of(NbdArgs *a, int c)
{
    switch (c) {
    case 'b': return &a->bind;
    case 'p': return &a->port;
    case 'k': return &a->socket;
    case 'B': return &a->bitmap;
    case 'c': return &a->device;
    case 'l': return &a->load_snapshot;
    case 'f': return &a->format;
    case 'x': return &a->export_name;
    case 'D': return &a->description;
    case OPT_CREDS: return &a->tls_creds;
    case OPT_HOSTNAME: return &a->tls_hostname;
    case OPT_AUTHZ: return &a->tls_authz;
    case OPT_SELINUX: return &a->selinux_label;
    case OPT_PID: return &a->pid_file;
    default: return NULL;
    }
}

static int take_option(NbdArgs *a, int c, bool *disconnect)
{
    static const char *const discards[] = { "ignore", "off", "unmap", "on", NULL };
    static const char *const zeroes[] = { "off", "on", "unmap", NULL };
    const char **place = place_of(a, c);
    bool direct, no_flush, through;
    uint64_t n;

    if (place) {
        *place = optarg;
        return -1;
    }
    switch (c) {
    case 'h':
        fputs(usage_text, stdout);
        return 0;
    case 'V':
        printf("qemu-nbd %s\n", CONFIG_VERSION);
        return 0;
    case 's': a->snapshot = true; break;
    case 'n':
    case OPT_CACHE:
        if (a->cache) {
            return tool_error("-n and --cache can only be specified once");
        }
        a->cache = c == 'n' ? "none" : optarg;
        if (!tool_cache_mode(a->cache, &direct, &no_flush, &through)) {
            return tool_error("Invalid cache mode `%s'", optarg);
        }
        break;
    case 'r': a->read_only = true; break;
    case 'A': a->allocation_depth = true; break;
    case 'd': *disconnect = true; break;
    case 'L': a->list = true; break;
    case 't': a->persistent = true; break;
    case 'v': a->verbose = true; break;
    case OPT_IMAGE_OPTS: a->image_opts = true; break;
    case OPT_FORK: a->fork = true; break;
    case OPT_OBJECT:
        if (tool_object_help(optarg)) {
            return 0;
        }
        g_ptr_array_add(a->objects, optarg);
        break;
    case 'T': break;
    case OPT_DISCARD:
        if (!g_strv_contains(discards, optarg)) {
            return tool_error("Invalid discard mode `%s'", optarg);
        }
        a->discard = optarg;
        break;
    case OPT_ZEROES:
        if (!g_strv_contains(zeroes, optarg)) {
            return tool_error("Failed to parse detect_zeroes mode: invalid parameter value: %s",
                              optarg);
        }
        a->detect_zeroes = optarg;
        break;
    case OPT_AIO:
        if (!tool_aio_mode(optarg, &a->open_flags)) {
            return tool_error("Invalid aio mode '%s'", optarg);
        }
        break;
    case 'o':
        if (!parse_size(optarg, 1, &a->offset)) {
            return tool_error("Invalid offset '%s'", optarg);
        }
        break;
    case 'e':
        if (!parse_u64(optarg, &n) || n > INT32_MAX) {
            return tool_error("Invalid shared device number '%s'", optarg);
        }
        a->shared = (unsigned)n;
        break;
    default: return tool_error("Try `qemu-nbd --help' for more information.");
    }
    return -1;
}

/* Options that only make sense together. */
static int check_words(const NbdArgs *a)
{
    bool unmap = a->discard && (strcmp(a->discard, "unmap") == 0 || strcmp(a->discard, "on") == 0);

    if (a->detect_zeroes && strcmp(a->detect_zeroes, "unmap") == 0 && !unmap) {
        return tool_error("setting detect-zeroes to unmap is not allowed without setting discard "
                          "operation to unmap");
    }
    if (a->tls_hostname && !a->tls_creds) {
        return tool_error("--tls-hostname is not permitted without --tls-creds");
    }
    if (a->tls_authz && !a->tls_creds) {
        return tool_error("--tls-authz is not permitted without --tls-creds");
    }
    if (a->socket && *a->socket != '/') {
        return tool_error("socket path must be absolute");
    }
    return -1;
}

static int check_args(NbdArgs *a, int argc, bool disconnect)
{
    if (a->list) {
        return optind != argc ? tool_error("List mode is incompatible with a file name")
               : a->export_name || a->description || a->device || disconnect || a->persistent ||
                       a->bitmap || a->format || a->load_snapshot || a->offset || a->read_only ||
                       a->snapshot || a->cache || a->discard || a->detect_zeroes
                   ? tool_error("List mode is incompatible with per-device settings")
               : a->fork ? tool_error("List mode is incompatible with forking")
                         : -1;
    }
    if (argc - optind != 1) {
        return tool_error(
            "Invalid number of arguments\nTry `qemu-nbd --help' for more information.");
    }
    if (a->image_opts && a->format) {
        return tool_error("--image-opts and -f are mutually exclusive");
    }
    if (a->tls_creds && a->device) {
        return tool_error("TLS is not supported when connecting to a host device");
    }
    return -1;
}

int nbd_parse_args(int argc, char **argv, NbdArgs *a)
{
    bool disconnect = false;
    int c, ret = -1;

    g_set_prgname("qemu-nbd");
    while (ret < 0 && (c = getopt_long(argc, argv, "hVb:o:p:rsnc:dvk:e:f:tl:x:T:D:AB:L",
                                       long_options, NULL)) != -1) {
        ret = take_option(a, c, &disconnect);
    }
    if (ret < 0) {
        ret = check_args(a, argc, disconnect);
    }
    if (ret < 0) {
        ret = check_words(a);
    }
    if (ret < 0 && !a->list) {
        *(disconnect ? &a->disconnect : &a->file) = argv[optind];
    }
    /* a socket of its own for the kernel */
    if (ret < 0 && a->device && !a->socket && !a->port) {
        g_autofree char *base = g_path_get_basename(a->device);

        a->socket = g_strdup_printf("/var/lock/qemu-nbd-%s", base);
    }
    return ret;
}
