// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio memory balloon (Virtual I/O Device 1.1, 5.5; free page reporting of 1.2): pages that the
 * guest gives up, or reports as free, go back to the host. Left out: free page hints.
 */
#include <json-c/json.h>
#include <sys/mman.h>

#include "exec/memory.h"
#include "hw/virtio/virtio.h"
#include "qapi/qapi-commands.h"
#include "qapi/qapi-events.h"
#include "qom/vm.h"
#include "util/bswap.h"
#include "util/rcu.h"
#include "util/timer.h"

#define PAGE 4096u
#define PFNS_AT_ONCE 256u
#define PFNS_MAX     4096u        /* of a buffer; drivers send 256 to 1024 */
#define NUM_STATS 10u
#define NS_PER_S 1000000000ll

enum {
    BALLOON_F_MUST_TELL_HOST = 0,
    BALLOON_F_STATS = 1,
    BALLOON_F_DEFLATE_ON_OOM = 2,
    BALLOON_F_PAGE_POISON = 4,
    BALLOON_F_REPORTING = 5
};
enum { Q_INFLATE, Q_DEFLATE, Q_STATS, Q_REPORTING };

typedef struct VirtioBalloon {
    VirtioDevice v;
    bool deflate_on_oom, reporting, page_poison;
    uint32_t poison;             /* what the guest's free pages hold */
    uint32_t pages;              /* that the host wants */
    uint32_t actual;             /* that the guest gave */
    uint64_t stats[NUM_STATS];
    int64_t stats_time_s;
    int64_t poll_s;
    VirtqElem *stats_elem;       /* the driver's buffer, held until new ones are wanted */
    Timer poll_timer;
    unsigned reporting_queue;
} VirtioBalloon;

/* Gives [addr, addr + len) back to the host when it is anonymous RAM. */
static void discard(VirtioBalloon *s, hwaddr addr, uint64_t len)
{
    AddressSpace *as = s->v.pci.dev.vm->memory_as;

    while (len >= PAGE) {
        uint64_t done;

        rcu_read_lock();
        Section sec = address_space_lookup(as, addr, true, (MemAttrs){ 0 });
        uint8_t *host = sec.region ? section_host(&sec, true) : NULL;
        RamBlock *b = host ? region_ram_block(sec.region) : NULL;

        done = MAX(MIN(len, sec.len) & ~(uint64_t)(PAGE - 1), PAGE);
        if (b && b->fd < 0 && sec.len >= done && ((uintptr_t)host & (PAGE - 1)) == 0) {
            madvise(host, done, MADV_DONTNEED);
            ram_written(b, host - b->host, done);
        }
        rcu_read_unlock();
        addr += done;
        len -= MIN(done, len);
    }
}

/* What a buffer has beyond PFNS_MAX stays with the guest: it would hold up the main loop. */
static void balloon_pages(VirtioBalloon *s, VirtqElem *e)
{
    uint8_t buf[PFNS_AT_ONCE * 4];
    uint64_t off = 0;
    size_t n;

    while (off < PFNS_MAX * 4 && (n = virtq_read(&s->v, e, off, buf, sizeof(buf))) >= 4) {
        for (size_t i = 0; i + 4 <= n; i += 4) {
            discard(s, (uint64_t)load_le32(buf + i) * PAGE, PAGE);
        }
        off += n;
    }
}

static void balloon_stats(VirtioBalloon *s, VirtqElem *e)
{
    uint8_t entry[10];

    for (uint64_t off = 0; off < NUM_STATS * 4 * sizeof(entry) &&
                           virtq_read(&s->v, e, off, entry, sizeof(entry)) == sizeof(entry);
         off += sizeof(entry)) {
        unsigned tag = load_le16(entry);

        if (tag < NUM_STATS) {
            s->stats[tag] = load_le64(entry + 2);
        }
    }
    s->stats_time_s = g_get_real_time() / G_USEC_PER_SEC;
}

static void report_pages(VirtioBalloon *s, VirtqElem *e)
{
    if (s->poison) {
        return; /* pages that come back are zero, which is not what they must hold */
    }
    for (unsigned i = 0; i < e->num_in; i++) {
        discard(s, e->in[i].addr, e->in[i].len);
    }
}

static void balloon_notify(VirtioDevice *v, unsigned n)
{
    VirtioBalloon *s = (VirtioBalloon *)v;
    VirtqElem *e;

    while ((e = virtq_pop(v, &v->vq[n])) != NULL) {
        if (n == Q_STATS) {
            balloon_stats(s, e);
            if (s->stats_elem) {         /* the driver gave a second one: the first is over */
                virtq_push(v, s->stats_elem, 0);
                g_free(s->stats_elem);
            }
            s->stats_elem = e;
            if (s->poll_s) {
                timer_set_ns(&s->poll_timer, clock_now_ns(CLOCK_GUEST) + s->poll_s * NS_PER_S);
            }
            continue;
        }
        if (n == Q_INFLATE) {
            balloon_pages(s, e);
        } else if (n == s->reporting_queue && s->reporting) {
            report_pages(s, e);
        }
        virtq_push(v, e, 0);
        virtq_notify(v, &v->vq[n]);
        g_free(e);
    }
}

/* Gives the buffer back, by which the driver is asked for new numbers. */
static void ask_stats(void *opaque)
{
    VirtioBalloon *s = opaque;

    if (s->stats_elem) {
        virtq_push(&s->v, s->stats_elem, 0);
        virtq_notify(&s->v, &s->v.vq[Q_STATS]);
        g_clear_pointer(&s->stats_elem, g_free);
    }
}

static uint64_t ram_bytes(const VirtioBalloon *s)
{
    return s->v.pci.dev.vm->ram_size;
}

static uint64_t balloon_features(VirtioDevice *v)
{
    VirtioBalloon *s = (VirtioBalloon *)v;

    return VIRTIO_BIT(BALLOON_F_STATS) |
           (s->page_poison ? VIRTIO_BIT(BALLOON_F_PAGE_POISON) : 0) |
           (s->deflate_on_oom ? VIRTIO_BIT(BALLOON_F_DEFLATE_ON_OOM) : 0) |
           (s->reporting ? VIRTIO_BIT(BALLOON_F_REPORTING) : 0);
}

static void balloon_config_read(VirtioDevice *v)
{
    VirtioBalloon *s = (VirtioBalloon *)v;

    store_le32(v->config, s->pages);
    store_le32(v->config + 4, s->actual);
    store_le32(v->config + 8, 0);
    store_le32(v->config + 12, s->poison);
}

static void balloon_config_write(VirtioDevice *v, uint32_t off, uint32_t len)
{
    VirtioBalloon *s = (VirtioBalloon *)v;
    uint32_t old = s->actual;

    s->poison = virtio_has(v, BALLOON_F_PAGE_POISON) ? load_le32(v->config + 12) : 0;
    s->actual = MIN(load_le32(v->config + 4), ram_bytes(s) / PAGE);
    if (s->actual != old) {
        qapi_event_balloon_change(
            &(BalloonChangeEvent){.actual = ram_bytes(s) - (uint64_t)s->actual * PAGE});
    }
}

static bool balloon_realize(VirtioDevice *v, GError **error)
{
    VirtioBalloon *s = (VirtioBalloon *)v;

    if (vm_published(v->pci.dev.vm, "balloon")) {
        return fail(error, "Only one balloon device is supported");
    }
    vm_publish(v->pci.dev.vm, "balloon", s);
    for (unsigned i = 0; i < 3; i++) {
        virtio_add_queue(v, 128);
    }
    if (s->reporting) {
        s->reporting_queue = v->num_queues;
        virtio_add_queue(v, 32);
    }
    timer_init(&s->poll_timer, CLOCK_GUEST, ask_stats, s);
    return true;
}

static void balloon_unrealize(VirtioDevice *v)
{
    VirtioBalloon *s = (VirtioBalloon *)v;

    timer_cancel(&s->poll_timer);
    g_clear_pointer(&s->stats_elem, g_free);
    vm_publish(v->pci.dev.vm, "balloon", NULL);
}

static void balloon_reset(VirtioDevice *v)
{
    VirtioBalloon *s = (VirtioBalloon *)v;

    timer_cancel(&s->poll_timer);
    g_clear_pointer(&s->stats_elem, g_free);
    memset(s->stats, 0xff, sizeof(s->stats));
    s->stats_time_s = 0;
    s->poison = 0;
}

/* ---- QMP and QOM ---- */

BalloonInfo *qmp_query_balloon(QmpCall *call, GError **error)
{
    VirtioBalloon *s = vm_published(call->vm, "balloon");

    if (!s) {
        fail_class(error, ERROR_DEVICE_NOT_ACTIVE, "No balloon device has been activated");
        return NULL;
    }
    BalloonInfo *info = g_new0(BalloonInfo, 1);

    info->actual = ram_bytes(s) - (uint64_t)s->actual * PAGE;
    return info;
}

bool qmp_balloon(QmpCall *call, const QmpBalloonArgs *args, GError **error)
{
    VirtioBalloon *s = vm_published(call->vm, "balloon");

    if (!s) {
        return fail_class(error, ERROR_DEVICE_NOT_ACTIVE, "No balloon device has been activated");
    }
    if (args->value <= 0) {
        return fail(error, "Parameter 'target' expects a size");
    }
    s->pages = (ram_bytes(s) - MIN((uint64_t)args->value, ram_bytes(s))) / PAGE;
    virtio_config_changed(&s->v);
    return true;
}

/* What libvirt reads: bytes and counts by name, -1 for what the driver did not say. */
static json_object *stats_get(Object *o, const Prop *p, const void *field)
{
    static const char *const names[NUM_STATS] = {
        "stat-swap-in",      "stat-swap-out",     "stat-major-faults",     "stat-minor-faults",
        "stat-free-memory",  "stat-total-memory", "stat-available-memory", "stat-disk-caches",
        "stat-htlb-pgalloc", "stat-htlb-pgfail",
    };
    VirtioBalloon *s = (VirtioBalloon *)o;
    json_object *all = json_object_new_object(), *stats = json_object_new_object();

    json_object_object_add(all, "last-update", json_object_new_int64(s->stats_time_s));
    for (unsigned i = 0; i < NUM_STATS; i++) {
        json_object_object_add(stats, names[i], json_object_new_uint64(s->stats[i]));
    }
    json_object_object_add(all, "stats", stats);
    return all;
}

static const PropType prop_guest_stats = { .name = "guest statistics", .to_json = stats_get };

static bool poll_changed(Object *o, const Prop *p, GError **error)
{
    VirtioBalloon *s = (VirtioBalloon *)o;

    timer_cancel(&s->poll_timer);
    if (s->poll_s < 0 || s->poll_s > UINT32_MAX) {
        s->poll_s = 0;
        return fail(error, "timer value must be at least 0 and at most %u", UINT32_MAX);
    }
    if (s->poll_s && ((Device *)o)->realized) {
        timer_set_ns(&s->poll_timer, clock_now_ns(CLOCK_GUEST) + s->poll_s * NS_PER_S);
    }
    return true;
}

static const Prop balloon_props[] = {
    PROP_BOOL(VirtioBalloon, deflate_on_oom, "deflate-on-oom", false),
    PROP_BOOL(VirtioBalloon, reporting, "free-page-reporting", false),
    PROP_BOOL(VirtioBalloon, page_poison, "page-poison", true),
    PROP(VirtioBalloon, poll_s, "guest-stats-polling-interval", prop_int64, .flags = PROP_LIVE, .changed = poll_changed,
         .help = "seconds; 0: never"),
    PROP(VirtioBalloon, stats, "guest-stats", prop_guest_stats, .flags = PROP_READ_ONLY),
    PROP_END,
};

static const StateField balloon_state[] = {
    STATE(VirtioBalloon, pages), STATE(VirtioBalloon, actual), STATE(VirtioBalloon, poison), STATE_ARRAY(VirtioBalloon, stats),
    STATE(VirtioBalloon, stats_time_s), STATE_TIMER_FIELD(VirtioBalloon, poll_timer),
    HOST_ONLY(VirtioBalloon, stats_elem, "saved with the queue"),
    HOST_ONLY(VirtioBalloon, reporting_queue, "by the property"), STATE_END,
};

static const VirtioType balloon_type = {
    .name = "virtio-balloon", .desc = "Memory balloon", .category = "misc",
    .id = 5, .legacy_pci_id = 0x1002, .pci_class = 0x00ff00, .size = sizeof(VirtioBalloon), .config_size = 16, .vectors = 0,
    .props = balloon_props, .state = balloon_state,
    .realize = balloon_realize, .unrealize = balloon_unrealize, .reset = balloon_reset,
    .features = balloon_features, .config_read = balloon_config_read, .config_write = balloon_config_write,
    .notify = balloon_notify,
};
VIRTIO_TYPE(balloon_type);
