// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * USB mass storage, bulk-only transport (Universal Serial Bus Mass Storage Class, Bulk-Only
 * Transport 1.0). usb-storage holds one disk of its own (or a CD drive's medium), usb-bot has a bus
 * for devices of any kind. The command's data goes through a buffer.
 */
#include <string.h>

#include "block/drive-conf.h"
#include "hw/scsi/scsi.h"
#include "hw/usb/usb.h"
#include "qom/vm.h"
#include "util/bswap.h"

#define CBW_LEN 31u
#define CSW_LEN 13u
#define CBW_MAGIC 0x43425355u
#define CSW_MAGIC 0x53425355u
#define MAX_LUN 15u

enum {
    GET_MAX_LUN = 0xfe,
    BULK_ONLY_RESET = 0xff,
    CLASS_IN = 0xa1,
    CLASS_OUT = 0x21
};
enum {
    CSW_GOOD,
    CSW_FAILED,
    CSW_PHASE_ERROR
};

typedef enum BotPhase {
    BOT_COMMAND,
    BOT_DATA_OUT,
    BOT_RUNNING,
    BOT_DATA_IN,
    BOT_STATUS
} BotPhase;

typedef struct UsbMsd {
    UsbDevice usb;
    ScsiBus scsi_bus;
    /* properties of usb-storage */
    BlockFront *drive;
    int32_t bootindex;
    DriveConf conf;                /* handed on to the disk */
    bool removable;
    /* state */
    uint8_t phase; /* BotPhase */
    uint32_t tag, residue, data_len, data_pos;
    uint8_t csw_status;
    bool to_host;
    /* host side */
    ScsiRequest *request; /* its buffer holds the data */
    UsbPacket *waiting; /* IN packet that the command's end will satisfy */
    uint32_t epoch; /* counts resets */
} UsbMsd;

typedef struct BotCommand {
    UsbMsd *msd;
    uint32_t epoch;
} BotCommand;

static void free_request(UsbMsd *m)
{
    if (m->request) {
        g_free(m->request->opaque);
        scsi_request_free(m->request);
        m->request = NULL;
    }
}

/* ---- phases, 5.1 to 5.3 ---- */

static void send_status(UsbMsd *m, UsbPacket *p)
{
    uint8_t csw[CSW_LEN];

    store_le32(csw, CSW_MAGIC);
    store_le32(csw + 4, m->tag);
    store_le32(csw + 8, m->residue);
    csw[12] = m->csw_status;
    usb_packet_put(p, csw, sizeof(csw));
    m->phase = BOT_COMMAND;
    free_request(m);
}

/* Gives the host data; a packet that is not filled ends the phase. */
static void send_data(UsbMsd *m, UsbPacket *p)
{
    uint32_t have = m->request && m->csw_status == CSW_GOOD ? m->request->moved : 0;
    uint32_t left = have > m->data_pos ? have - m->data_pos : 0,
             want = MIN(p->size, m->data_len - m->data_pos);
    uint32_t n = MIN(left, want);

    if (n) {
        usb_packet_put(p, m->request->buffer + m->data_pos, n);
    }
    m->data_pos += n;
    m->residue = m->data_len - m->data_pos;
    /*
     * 6.7.2: less than expected ends with a short packet, which firmware takes better than a stall
     */
    if (m->data_pos == m->data_len || n < want) {
        m->phase = BOT_STATUS;
    }
}

static void answer_in(UsbMsd *m, UsbPacket *p)
{
    if (m->phase == BOT_STATUS) {
        send_status(m, p);
    } else {
        send_data(m, p);
    }
}

static void command_done(ScsiRequest *r, void *opaque)
{
    g_autofree BotCommand *c = opaque;
    UsbMsd *m = c->msd;

    if (c->epoch != m->epoch) {
        scsi_request_free(r);
        return;
    }
    r->opaque = NULL;
    m->csw_status = r->status == SCSI_GOOD ? CSW_GOOD : CSW_FAILED;
    if (m->to_host && m->data_len) {
        m->phase = BOT_DATA_IN;
    } else {
        m->residue = m->data_len - MIN(r->moved, m->data_len);
        m->phase = BOT_STATUS;
    }
    if (m->waiting) {
        UsbPacket *p = m->waiting;

        m->waiting = NULL;
        p->status = USB_OK;
        answer_in(m, p);
        usb_packet_done(p, p->status);
    }
}

static void run_command(UsbMsd *m)
{
    ScsiRequest *r = m->request;

    m->phase = BOT_RUNNING;
    scsi_request_run(r, r->buffer ? &r->buffer_iov : NULL, r->buffer ? 1 : 0);
}

static void bad_command(UsbMsd *m, UsbPacket *p)
{
    m->phase = BOT_COMMAND;
    usb_packet_stall(p);
    m->usb.halted_in |= 1u << 1; /* 6.6.1: until reset recovery */
}

static void take_command(UsbMsd *m, UsbPacket *p)
{
    uint8_t cbw[CBW_LEN];

    if (p->size != CBW_LEN || usb_packet_get(p, cbw, CBW_LEN) != CBW_LEN ||
        load_le32(cbw) != CBW_MAGIC || cbw[14] < 1 || cbw[14] > 16) {
        bad_command(m, p);
        return;
    }
    BotCommand *c = g_new(BotCommand, 1);

    *c = (BotCommand){.msd = m, .epoch = m->epoch};
    m->tag = load_le32(cbw + 4);
    m->data_len = m->residue = load_le32(cbw + 8);
    m->data_pos = 0;
    m->to_host = cbw[12] & 0x80;
    m->csw_status = CSW_GOOD;
    m->request =
        scsi_request_new(&m->scsi_bus, 0, 0, cbw[13] & 15, cbw + 15, cbw[14], command_done, c);
    if (!scsi_request_buffer(m->request)) {
        m->csw_status = CSW_FAILED;
        m->phase = m->to_host && m->data_len ? BOT_DATA_IN
                   : m->data_len             ? BOT_DATA_OUT
                                             : BOT_STATUS;
    } else if (m->data_len == 0 || m->to_host) {
        run_command(m);
    } else {
        m->phase = BOT_DATA_OUT;
    }
}

static void take_data(UsbMsd *m, UsbPacket *p)
{
    uint32_t n = MIN(p->size, m->data_len - m->data_pos);
    ScsiRequest *r = m->request;
    uint64_t room = r && r->buffer && r->expected > m->data_pos ? r->expected - m->data_pos : 0;

    if (p->size > m->data_len - m->data_pos) {
        usb_packet_stall(p);
        return;
    }
    usb_packet_get(p, room ? r->buffer + m->data_pos : NULL, MIN(n, room));
    p->actual = n;
    m->data_pos += n;
    if (m->data_pos == m->data_len) {
        if (m->csw_status == CSW_GOOD) {
            run_command(m);
        } else {
            m->phase = BOT_STATUS;
        }
    }
}

static void msd_data(UsbDevice *d, UsbPacket *p)
{
    UsbMsd *m = (UsbMsd *)d;

    if (p->pid == USB_OUT && p->ep == 2) {
        if (m->phase == BOT_COMMAND) {
            take_command(m, p);
        } else if (m->phase == BOT_DATA_OUT) {
            take_data(m, p);
        } else {
            usb_packet_stall(p);
        }
    } else if (p->pid == USB_IN && p->ep == 1) {
        if (m->phase == BOT_RUNNING && !m->waiting) {
            m->waiting = p;
            p->status = USB_ASYNC;
        } else if (m->phase == BOT_DATA_IN || m->phase == BOT_STATUS) {
            answer_in(m, p);
        } else {
            usb_packet_stall(p);
        }
    } else {
        usb_packet_stall(p);
    }
}

static void msd_cancel(UsbDevice *d, UsbPacket *p)
{
    UsbMsd *m = (UsbMsd *)d;

    if (m->waiting == p) {
        m->waiting = NULL;
    }
}

static void bot_reset(UsbMsd *m)
{
    m->waiting = NULL;
    if (m->request && m->phase == BOT_RUNNING) {
        m->epoch++; /* it frees itself when it ends */
        m->request = NULL;
    }
    free_request(m);
    m->phase = BOT_COMMAND;
}

static void msd_reset(UsbDevice *d)
{
    bot_reset((UsbMsd *)d);
}

static unsigned highest_lun(UsbMsd *m)
{
    unsigned highest = 0;

    for (unsigned i = 0; i < m->scsi_bus.bus.devices->len; i++) {
        highest = MAX(highest, ((ScsiDevice *)g_ptr_array_index(m->scsi_bus.bus.devices, i))->lun);
    }
    return highest;
}

static int msd_control(UsbDevice *d, const UsbSetup *s, uint8_t *data)
{
    UsbMsd *m = (UsbMsd *)d;

    switch (s->type << 8 | s->request) {
    case CLASS_OUT << 8 | BULK_ONLY_RESET:
        bot_reset(m);
        return 0;
    case CLASS_IN << 8 | GET_MAX_LUN:
        data[0] = highest_lun(m);
        return 1;
    default:
        return -1;
    }
}

/* ---- the devices ---- */

static const ScsiBusOps msd_bus_ops = {.max_channel = 0, .max_target = 0, .max_lun = MAX_LUN};

static bool bot_realize(Device *dev, GError **error)
{
    UsbMsd *m = (UsbMsd *)dev;

    scsi_bus_init(&m->scsi_bus, dev, &msd_bus_ops);
    if (!m->drive) {
        usb_attach_by_hand(&m->usb);
    }
    return true;
}

static char *size_property(uint64_t bytes)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
}

/* The disk inside takes over the drive and what was said of it. */
static bool storage_realize(Device *dev, GError **error)
{
    static const char *const on_off_auto[] = {"auto", "on", "off"};
    UsbMsd *m = (UsbMsd *)dev;
    BlockFront *b = m->drive;

    if (!b) {
        return fail(error, "drive property not set");
    }
    g_autofree char *name = g_strdup(b->name);
    const DriveConf *c = &m->conf;
    g_autofree char *bootindex = g_strdup_printf("%d", m->bootindex);
    g_autofree char *logical = size_property(c->logical_block_size);
    g_autofree char *physical = size_property(c->physical_block_size);
    g_autofree char *least = size_property(c->min_io_size);
    g_autofree char *best = size_property(c->opt_io_size);
    g_autofree char *discard = size_property(c->discard_granularity);

    bot_realize(dev, error);
    m->drive = NULL;
    block_front_release(b);
    if (!device_create(dev->vm, "scsi-hd", &m->scsi_bus.bus, NULL, error, "share-rw",
                       c->share_rw ? "on" : "off", "drive", name, "removable",
                       m->removable ? "on" : "off", "bootindex", bootindex, "logical_block_size",
                       logical, "physical_block_size", physical, "min_io_size", least,
                       "opt_io_size", best, "discard_granularity", discard, "write-cache",
                       on_off_auto[c->write_cache], "account-invalid",
                       on_off_auto[c->account_invalid], "account-failed",
                       on_off_auto[c->account_failed], "rerror", drive_error_names[c->rerror],
                       "werror", drive_error_names[c->werror], NULL)) {
        bus_fini(&m->scsi_bus.bus);
        return false;
    }
    return true;
}

static void msd_unrealize(Device *dev)
{
    UsbMsd *m = (UsbMsd *)dev;

    bot_reset(m);
    bus_fini(&m->scsi_bus.bus);
}

#define MSD_SPEED(suffix, packet, packet0, bcd, burst)                                \
    static const UsbEndpointRow msd_endpoints_##suffix[] = {                          \
        {.address = 0x81, .attributes = 2, .max_packet = packet, .max_burst = burst}, \
        {.address = 0x02, .attributes = 2, .max_packet = packet, .max_burst = burst}, \
    };                                                                                \
    static const UsbInterfaceRow msd_interfaces_##suffix[] = {                        \
        {.class_code = 8,                                                             \
         .subclass = 6,                                                               \
         .protocol = 0x50,                                                            \
         .endpoints = msd_endpoints_##suffix,                                         \
         .num_endpoints = 2},                                                         \
    };                                                                                \
    static const UsbConfig msd_configs_##suffix[] = {                                 \
        {.attributes = 0xc0,                                                          \
         .value = 1,                                                                  \
         .num_interfaces = 1,                                                         \
         .interfaces = msd_interfaces_##suffix,                                       \
         .num_rows = 1},                                                              \
    };                                                                                \
    static const UsbSpeedInfo msd_##suffix = {                                        \
        .bcd_usb = bcd,                                                               \
        .max_packet0 = packet0,                                                       \
        .configs = msd_configs_##suffix,                                              \
        .num_configs = 1,                                                             \
    };
MSD_SPEED(full, 64, 8, 0x0200, 0)
MSD_SPEED(high, 512, 64, 0x0200, 0)
MSD_SPEED(super, 1024, 9, 0x0300, 15)

static const char *const msd_strings[] = {"QEMU", "QEMU USB HARDDRIVE", "1", NULL};
static const UsbInfo msd_info = {
    .vendor = 0x46f4,
    .product = 0x0001,
    .strings = msd_strings,
    .speeds = {[USB_FULL] = &msd_full, [USB_HIGH] = &msd_high, [USB_SUPER] = &msd_super},
    .control = msd_control,
    .data = msd_data,
    .cancel = msd_cancel,
    .reset = msd_reset,
};

static const Prop storage_props[] = {
    USB_DEVICE_PROPS(UsbMsd),
    PROP_DRIVE(UsbMsd, drive),
    PROP_I32(UsbMsd, bootindex, "bootindex", -1),
    PROP_DRIVE_SIZES(UsbMsd, conf),
    PROP_DRIVE_SHARING(UsbMsd, conf),
    PROP_DRIVE_ERRORS(UsbMsd, conf),
    PROP_BOOL(UsbMsd, removable, "removable", false),
    PROP_END,
};
static const Prop bot_props[] = {USB_DEVICE_PROPS(UsbMsd), PROP_END};

/* A command that was under way stays behind: it has failed. */
static void msd_post_load(Device *d)
{
    UsbMsd *m = (UsbMsd *)d;

    if (m->phase == BOT_COMMAND || m->phase == BOT_STATUS) {
        return;
    }
    m->csw_status = CSW_FAILED;
    if (m->phase == BOT_RUNNING) {
        m->phase = m->to_host && m->data_len ? BOT_DATA_IN : BOT_STATUS;
    }
}

static const StateField msd_state[] = {
    STATE_STRUCT(UsbMsd, usb, usb_device_state),
    STATE_MAX(UsbMsd, phase, BOT_STATUS),
    STATE(UsbMsd, tag),
    STATE(UsbMsd, residue),
    STATE(UsbMsd, data_len),
    STATE_TO(UsbMsd, data_pos, data_len, UINT32_MAX),
    STATE(UsbMsd, csw_status),
    STATE(UsbMsd, to_host),
    HOST_ONLY(UsbMsd, scsi_bus, "devices on it keep their own"),
    HOST_ONLY(UsbMsd, drive, "property"),
    HOST_ONLY(UsbMsd, bootindex, "property"),
    HOST_ONLY(UsbMsd, conf, "properties"),
    HOST_ONLY(UsbMsd, removable, "property"),
    HOST_ONLY(UsbMsd, request, "ended while the machine is stopped"),
    HOST_ONLY(UsbMsd, waiting, "likewise"),
    HOST_ONLY(UsbMsd, epoch, "tells old requests from new"),
    STATE_END,
};

static const DeviceType storage_type = {
    .name = "usb-storage",
    .bus = "usb-bus",
    .category = "storage",
    .desc = "USB mass storage with a disk",
    .size = sizeof(UsbMsd),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &msd_info,
    .props = storage_props,
    .state = msd_state,
    .realize = storage_realize,
    .unrealize = msd_unrealize,
    .post_load = msd_post_load,
};
DEVICE_TYPE(storage_type);

static const DeviceType bot_type = {
    .name = "usb-bot",
    .bus = "usb-bus",
    .category = "storage",
    .desc = "USB mass storage, bulk-only, with a SCSI bus",
    .size = sizeof(UsbMsd),
    .state_version = 1,
    .hotpluggable = true,
    .bus_info = &msd_info,
    .props = bot_props,
    .state = msd_state,
    .realize = bot_realize,
    .unrealize = msd_unrealize,
    .post_load = msd_post_load,
};
DEVICE_TYPE(bot_type);
