// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory shared between machines as a PCI function, revision 1 of its interface: BAR 0 has four
 * registers, BAR 2 is the memory. ivshmem-plain shows a memory back end and has no interrupts;
 * ivshmem-doorbell gets memory, peers and their event descriptors from a server over a unix socket
 * (messages of 8 bytes, some with a descriptor) and has an MSI-X vector for each event.
 */
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "chardev/chardev.h"
#include "exec/memory-backend.h"
#include "hw/pci/pci.h"
#include "util/bitops.h"
#include "util/main-loop.h"

#define IVSHMEM_PROTOCOL 0
#define IVSHMEM_SERVER_MS 5000
#define IVSHMEM_MAX_ID 65535
#define IVSHMEM_MAX_VECTORS 2048
#define IVSHMEM_NO_MEMORY (-1)

typedef struct Ivshmem {
    PciDevice pci;
    int master;
    uint32_t mask, status;
    Region *memory; /* what BAR 2 shows */
    /* plain */
    Object *backend;
    Region window;
    /* doorbell */
    Chardev *chardev;
    ChardevFe fe;
    uint32_t vectors;
    bool ioeventfd;
    int32_t id; /* -1: not told yet */
    Region shared;
    GHashTable *peers; /* id -> GArray of int, a descriptor for each vector */
    GArray *watches; /* unsigned, of this machine's own descriptors */
    uint8_t message[8];
    unsigned got; /* bytes of the message */
    int got_fd; /* that came with it, -1: none */
    unsigned server_watch;
} Ivshmem;

/* ---- registers ---- */

static uint64_t ivshmem_status_read(Device *d, const RegAccess *a)
{
    Ivshmem *s = (Ivshmem *)d;
    uint32_t v = s->status;

    s->status = 0;
    return v;
}

static uint64_t ivshmem_id_read(Device *d, const RegAccess *a)
{
    Ivshmem *s = (Ivshmem *)d;

    return s->fe.chr ? (uint32_t)s->id : 0;
}

/* Peer in the upper half, vector in the lower. */
static void ivshmem_doorbell_write(Device *d, const RegAccess *a)
{
    Ivshmem *s = (Ivshmem *)d;
    unsigned peer = a->value >> 16 & 0xffff, vector = a->value & 0xffff;
    GArray *fds = s->peers ? g_hash_table_lookup(s->peers, GUINT_TO_POINTER(peer)) : NULL;
    uint64_t one = 1;

    if (!fds || vector >= fds->len) {
        guest_error("ivshmem: peer %u has no vector %u", peer, vector);
    } else if (write(g_array_index(fds, int, vector), &one, sizeof(one)) < 0 && errno != EAGAIN) {
        guest_error("ivshmem: peer %u does not take interrupts", peer);
    }
}

static const Reg ivshmem_regs[] = {
    REG(Ivshmem, 0x00, mask, .wmask = UINT32_MAX, .help = "of the interrupt that revision 0 had"),
    REG(Ivshmem, 0x04, status, .wmask = UINT32_MAX, .read = ivshmem_status_read,
        .help = "likewise; reading clears it"),
    REG_HOOK(0x08, 4, "position", .read = ivshmem_id_read, .help = "this machine's number"),
    REG_HOOK(0x0c, 4, "doorbell", .wmask = UINT32_MAX, .write = ivshmem_doorbell_write,
             .help = "peer << 16 | vector"),
};
static const RegBank ivshmem_banks[] = {
    {.name = "mmio", .size = 0x100, BANK_REGS(ivshmem_regs), .min_access = 4, .max_access = 4},
    {0},
};

/* ---- the server ---- */

static void ivshmem_close_fds(gpointer p)
{
    GArray *fds = p;

    for (guint i = 0; i < fds->len; i++) {
        close(g_array_index(fds, int, i));
    }
    g_array_unref(fds);
}

static bool ivshmem_event(int fd, GIOCondition events, void *opaque)
{
    Ivshmem *s = opaque;
    GArray *own = g_hash_table_lookup(s->peers, GUINT_TO_POINTER((unsigned)s->id));
    uint64_t count;

    if (read(fd, &count, sizeof(count)) == sizeof(count)) {
        for (guint i = 0; own && i < own->len && i < s->vectors; i++) {
            if (g_array_index(own, int, i) == fd && pci_msix_enabled(&s->pci)) {
                pci_msix_notify(&s->pci, i);
            }
        }
    }
    return true;
}

static bool ivshmem_map(Ivshmem *s, int fd, GError **error)
{
    struct stat st;

    if (s->memory) {
        close(fd);
        return fail(error, "server sent the shared memory twice");
    }
    if (fstat(fd, &st) < 0 || st.st_size < 4096 || (st.st_size & (st.st_size - 1))) {
        close(fd);
        return fail(error, "server sent memory whose size is no power of two");
    }
    if (!region_init_ram_fd(&s->shared, &s->pci.dev.obj, "ivshmem", (uint64_t)st.st_size, fd,
                            RAM_SHARED, error)) {
        close(fd);
        return false;
    }
    s->memory = &s->shared;
    return true;
}

static bool ivshmem_peer_fd(Ivshmem *s, unsigned id, int fd, GError **error)
{
    GArray *fds = g_hash_table_lookup(s->peers, GUINT_TO_POINTER(id));

    if (!fds) {
        fds = g_array_new(FALSE, FALSE, sizeof(int));
        g_hash_table_insert(s->peers, GUINT_TO_POINTER(id), fds);
    }
    if (fds->len >= IVSHMEM_MAX_VECTORS || !g_unix_set_fd_nonblocking(fd, TRUE, NULL)) {
        close(fd);
        return fail(error, "server sent too many descriptors of peer %u", id);
    }
    g_array_append_val(fds, fd);
    if (s->id == (int32_t)id) {
        unsigned tag = fd_watch(fd, G_IO_IN, ivshmem_event, s);

        g_array_append_val(s->watches, tag);
    }
    return true;
}

/* -1 brings the memory, a number with a descriptor a peer's next vector, one without its end. */
static bool ivshmem_handle(Ivshmem *s, int64_t value, int fd, GError **error)
{
    if (value == IVSHMEM_NO_MEMORY && fd >= 0) {
        return ivshmem_map(s, fd, error);
    }
    if (value < 0 || value > IVSHMEM_MAX_ID) {
        if (fd >= 0) {
            close(fd);
        }
        return fail(error, "server sent invalid message %" G_GINT64_MODIFIER "d", value);
    }
    if (fd >= 0) {
        return ivshmem_peer_fd(s, (unsigned)value, fd, error);
    }
    if (value == s->id) {
        return fail(error, "server says that this machine has left");
    }
    g_hash_table_remove(s->peers, GUINT_TO_POINTER((unsigned)value));
    return true;
}

/* What there is of a message, without waiting. 1: it is complete, 0: not yet, -1: the end. */
static int ivshmem_receive(Ivshmem *s, int sock)
{
    struct iovec iov = {s->message + s->got, sizeof(s->message) - s->got};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    if (n <= 0) {
        return -1;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int))) {
            if (s->got_fd >= 0) {
                close(s->got_fd);
            }
            memcpy(&s->got_fd, CMSG_DATA(c), sizeof(int));
        }
    }
    s->got += (unsigned)n;
    return s->got == sizeof(s->message);
}

static int64_t ivshmem_take(Ivshmem *s, int *fd)
{
    int64_t value;

    memcpy(&value, s->message, sizeof(value));
    *fd = s->got_fd;
    s->got = 0;
    s->got_fd = -1;
    return GINT64_FROM_LE(value);
}

static void ivshmem_lose(Ivshmem *s)
{
    if (s->server_watch) {
        fd_unwatch(s->server_watch);
        s->server_watch = 0;
    }
}

static bool ivshmem_server_input(int sock, GIOCondition events, void *opaque)
{
    Ivshmem *s = opaque;
    g_autoptr(GError) error = NULL;
    int got, fd;

    while ((got = ivshmem_receive(s, sock)) > 0) {
        int64_t value = ivshmem_take(s, &fd);

        if (!ivshmem_handle(s, value, fd, &error)) {
            warn_report("ivshmem: %s", error->message);
            s->server_watch = 0;
            return false;
        }
    }
    if (got < 0) {
        s->server_watch = 0; /* the memory stays; peers are no longer heard of */
    }
    return got == 0;
}

/* The next message, at start-up: its sender is expected to be quick. */
static bool ivshmem_wait(Ivshmem *s, int sock, int64_t *value, int *fd, GError **error)
{
    struct pollfd p = {.fd = sock, .events = POLLIN};
    int got;

    while ((got = ivshmem_receive(s, sock)) == 0) {
        if (poll(&p, 1, IVSHMEM_SERVER_MS) == 0) {
            return fail(error, "server does not answer");
        }
    }
    if (got < 0) {
        return fail(error, "server closed the connection");
    }
    *value = ivshmem_take(s, fd);
    return true;
}

static bool ivshmem_greet(Ivshmem *s, int sock, GError **error)
{
    int64_t value;
    int fd;

    if (!ivshmem_wait(s, sock, &value, &fd, error)) {
        return false;
    }
    if (value != IVSHMEM_PROTOCOL || fd >= 0) {
        return fail(error, "server sent version %" G_GINT64_MODIFIER "d, expecting %d", value,
                    IVSHMEM_PROTOCOL);
    }
    if (!ivshmem_wait(s, sock, &value, &fd, error)) {
        return false;
    }
    if (value < 0 || value > IVSHMEM_MAX_ID || fd >= 0) {
        return fail(error, "server sent invalid ID message");
    }
    s->id = (int32_t)value;
    while (!s->memory) {
        if (!ivshmem_wait(s, sock, &value, &fd, error) || !ivshmem_handle(s, value, fd, error)) {
            return false;
        }
    }
    return true;
}

/* ---- both devices ---- */

static void ivshmem_show(Ivshmem *s)
{
    pci_set_bar(&s->pci, 2, PCI_BAR_MEM64, true, s->memory);
}

static bool plain_realize(Device *d, GError **error)
{
    Ivshmem *s = (Ivshmem *)d;
    MemoryBackend *b = (MemoryBackend *)s->backend;

    if (!b) {
        return fail(error, "You must specify a 'memdev'");
    }
    if (b->mapped) {
        return fail(error, "can't use already busy memdev: %s", b->obj.name);
    }
    if (b->size & (b->size - 1)) {
        return fail(error, "memdev '%s': size is no power of two", b->obj.name);
    }
    if (!memory_backend_take(b, error)) {
        return false;
    }
    region_init_alias(&s->window, &d->obj, "ivshmem.bar2", &b->region, 0, b->size);
    s->memory = &s->window;
    ivshmem_show(s);
    return true;
}

static void plain_unrealize(Device *d)
{
    Ivshmem *s = (Ivshmem *)d;
    MemoryBackend *b = (MemoryBackend *)s->backend;

    region_fini(&s->window);
    s->memory = NULL;
    b->mapped = false;
    object_unref(&b->obj);
}

static size_t doorbell_can_receive(void *opaque)
{
    return 0; /* the socket is read here */
}

static void doorbell_chardev_event(void *opaque, ChardevEvent event)
{
    if (event == CHARDEV_CLOSED) {
        ivshmem_lose(opaque);
    }
}

static const ChardevFeOps doorbell_fe = {.can_receive = doorbell_can_receive,
                                         .event = doorbell_chardev_event};

static void doorbell_unrealize(Device *d)
{
    Ivshmem *s = (Ivshmem *)d;

    ivshmem_lose(s);
    for (guint i = 0; i < s->watches->len; i++) {
        fd_unwatch(g_array_index(s->watches, unsigned, i));
    }
    g_clear_pointer(&s->watches, g_array_unref);
    g_clear_pointer(&s->peers, g_hash_table_unref);
    if (s->memory) {
        region_fini(&s->shared);
        s->memory = NULL;
    }
    if (s->got_fd >= 0) {
        close(s->got_fd);
    }
    chardev_fe_detach(&s->fe);
}

static bool doorbell_realize(Device *d, GError **error)
{
    Ivshmem *s = (Ivshmem *)d;
    int sock;

    if (!s->chardev) {
        return fail(error, "You must specify a 'chardev'");
    }
    if (s->vectors == 0 || s->vectors > IVSHMEM_MAX_VECTORS) {
        return fail(error, "vectors must be from 1 to %d", IVSHMEM_MAX_VECTORS);
    }
    if (!chardev_fe_attach(&s->fe, s->chardev, &doorbell_fe, s, error)) {
        return false;
    }
    s->id = -1;
    s->got_fd = -1;
    s->peers = g_hash_table_new_full(NULL, NULL, NULL, ivshmem_close_fds);
    s->watches = g_array_new(FALSE, FALSE, sizeof(unsigned));
    sock = chardev_fe_socket(&s->fe);
    if (sock < 0) {
        fail(error, "chardev '%s' is not a connected unix socket", chardev_id(s->chardev));
    } else if (ivshmem_greet(s, sock, error) && pci_msix_init(&s->pci, s->vectors, 1, error)) {
        s->server_watch = fd_watch(sock, G_IO_IN | G_IO_HUP, ivshmem_server_input, s);
        ivshmem_show(s);
        return true;
    }
    doorbell_unrealize(d);
    return false;
}

#define IVSHMEM_MASTER_PROP \
    PROP_ON_OFF_AUTO(Ivshmem, master, "master", ON_OFF_AUTO_OFF, .help = "its memory is migrated")

static const Prop plain_props[] = {
    IVSHMEM_MASTER_PROP,
    PROP_LINK(Ivshmem, backend, "memdev", "memory-backend", .help = "the memory"),
    PROP_END,
};
static const Prop doorbell_props[] = {
    IVSHMEM_MASTER_PROP,
    PROP_CHARDEV(Ivshmem, chardev, .help = "connected to the server"),
    PROP_U32(Ivshmem, vectors, "vectors", 1),
    PROP_BOOL(Ivshmem, ioeventfd, "ioeventfd", true),
    PROP_END,
};

static const StateField ivshmem_state[] = {
    HOST_ONLY(Ivshmem, memory, "region"),
    HOST_ONLY(Ivshmem, window, "region"),
    HOST_ONLY(Ivshmem, shared, "region; its bytes belong to all machines"),
    HOST_ONLY(Ivshmem, backend, "of the plain device: set up anew"),
    HOST_ONLY(Ivshmem, chardev, "of the doorbell: set up anew"),
    HOST_ONLY(Ivshmem, vectors, "likewise"),
    HOST_ONLY(Ivshmem, ioeventfd, "likewise"),
    HOST_ONLY(Ivshmem, fe, "connection"),
    HOST_ONLY(Ivshmem, id, "told by the server"),
    HOST_ONLY(Ivshmem, peers, "told by the server"),
    HOST_ONLY(Ivshmem, watches, "host side"),
    HOST_ONLY(Ivshmem, message, "connection"),
    HOST_ONLY(Ivshmem, got, "connection"),
    HOST_ONLY(Ivshmem, got_fd, "connection"),
    HOST_ONLY(Ivshmem, server_watch, "connection"),
    STATE_END,
};

static const PciInfo ivshmem_pci = {
    .vendor = 0x1af4,
    .device = 0x1110,
    .class_code = 0x050000,
    .revision = 1,
    .bar[0] = {.kind = PCI_BAR_MEM32, .bank = "mmio"},
};

#define IVSHMEM_TYPE                                                                             \
    .parent = "pci-device", .bus = "PCI", .category = "misc", .desc = "Inter-VM shared memory",  \
    .hotpluggable = true, .bus_info = &ivshmem_pci, .size = sizeof(Ivshmem), .state_version = 1, \
    .banks = ivshmem_banks, .state = ivshmem_state

static const DeviceType plain_type = {
    .name = "ivshmem-plain",
    IVSHMEM_TYPE,
    .props = plain_props,
    .realize = plain_realize,
    .unrealize = plain_unrealize,
};
DEVICE_TYPE(plain_type);

static const DeviceType doorbell_type = {
    .name = "ivshmem-doorbell",
    IVSHMEM_TYPE,
    .props = doorbell_props,
    .realize = doorbell_realize,
    .unrealize = doorbell_unrealize,
};
DEVICE_TYPE(doorbell_type);
