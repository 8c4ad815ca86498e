// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SCSI buses, devices and commands (SAM-5, SPC-4). A host adapter owns a ScsiBus, makes a
 * ScsiRequest of each command it is given, says where its data is, and is told of the end. Devices
 * (scsi-hd, scsi-cd) carry commands out. Machine lock held throughout.
 */
#ifndef HW_SCSI_SCSI_H
#define HW_SCSI_SCSI_H

#include <sys/uio.h>
#include "block/block.h"
#include "qom/device.h"

#define SCSI_CDB_MAX 32
#define SCSI_SENSE_LEN 18
#define SCSI_ANY_LUN UINT32_MAX
/* Most bytes that scsi_request_run_buffered() makes room for, for one request. */
#define SCSI_BUFFER_MAX (16u << 20)

enum {
    SCSI_GOOD = 0,
    SCSI_CHECK_CONDITION = 2,
    SCSI_BUSY = 8,
    SCSI_TASK_ABORTED = 0x40
};
enum {
    SENSE_NO_SENSE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_HARDWARE_ERROR = 4,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
    SENSE_DATA_PROTECT = 7,
    SENSE_ABORTED_COMMAND = 11,
    SENSE_MISCOMPARE = 14
};

typedef struct ScsiBus ScsiBus;
typedef struct ScsiDevice ScsiDevice;
typedef struct ScsiRequest ScsiRequest;
typedef enum ScsiDir {
    SCSI_NO_DATA,
    SCSI_FROM_DEVICE,
    SCSI_TO_DEVICE
} ScsiDir;

/* What a host adapter is told; all may be NULL. */
typedef struct ScsiBusOps {
    void (*plugged)(ScsiBus *b, ScsiDevice *d);
    void (*unplugged)(ScsiBus *b, ScsiDevice *d);
    /* The size of a medium changed. */
    void (*changed)(ScsiBus *b, ScsiDevice *d, uint8_t asc, uint8_t ascq);
    uint32_t max_channel, max_target, max_lun; /* highest valid numbers */
} ScsiBusOps;

struct ScsiBus {
    Bus bus;
    const ScsiBusOps *ops;
    struct EventLoop *loop; /* where the adapter hands over requests; NULL: the main loop */
};
extern const BusType scsi_bus_type; /* "SCSI" */

/* Names it "ID.0" when the adapter has an id, else "scsi.N". */
void scsi_bus_init(ScsiBus *b, Device *owner, const ScsiBusOps *ops);

/* DeviceType.bus_info of a SCSI device. */
typedef struct ScsiDeviceInfo {
    /* Carries out r; ends it by scsi_end() or scsi_fail(), now or later. */
    void (*command)(ScsiDevice *d, ScsiRequest *r);
    uint32_t block_bytes;
} ScsiDeviceInfo;

struct ScsiDevice {
    Device dev;
    uint32_t channel, id, lun; /* properties; UINT32_MAX: the first free */
    BlockFront *drive;
    bool attention; /* a unit attention is due: asc, ascq */
    uint8_t attention_asc, attention_ascq;
    unsigned in_flight; /* host side */
    uint32_t block_bytes; /* 0: as its kind has */
};

struct ScsiRequest {
    ScsiBus *bus;
    ScsiDevice *dev; /* NULL: nothing at that place */
    uint32_t lun;
    uint8_t cdb[SCSI_CDB_MAX];
    ScsiDir dir; /* what the command says */
    uint64_t expected; /* bytes it says that it moves; 0 when the command is unknown */
    /* the adapter's: valid until done() */
    const struct iovec *iov;
    unsigned niov;
    uint64_t size; /* bytes */
    /* the result */
    uint8_t status;
    uint8_t sense[SCSI_SENSE_LEN];
    uint8_t sense_len;
    uint64_t moved; /* bytes of data that were really moved */
    /* Once; perhaps before run() returns. The adapter frees r there or later. */
    void (*done)(ScsiRequest *r, void *opaque);
    void *opaque;
    /* of the device */
    struct iovec *own_iov;
    uint8_t *buffer;
    struct iovec buffer_iov;
    unsigned parts;
};

/* The device at a place; lun SCSI_ANY_LUN: any of the target. NULL: none. */
ScsiDevice *scsi_find(ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun);
/*
 * A command for a place on the bus. cdb_len up to 32 bytes are used. A target without that LUN
 * still answers INQUIRY, REPORT LUNS and REQUEST SENSE; r->dev and *target (may be NULL) tell.
 */
ScsiRequest *scsi_request_new(ScsiBus *b, uint32_t channel, uint32_t id, uint32_t lun,
                              const uint8_t *cdb, size_t cdb_len,
                              void (*done)(ScsiRequest *r, void *opaque), void *opaque);
void scsi_request_run(ScsiRequest *r, const struct iovec *iov, unsigned niov);
/*
 * For adapters that move data in pieces: r->buffer holds r->expected bytes. False: too many; r is
 * untouched.
 */
bool scsi_request_buffer(ScsiRequest *r);
void scsi_request_free(ScsiRequest *r);

/* ---- for devices ---- */
void scsi_end(ScsiRequest *r);
void scsi_fail(ScsiRequest *r, uint8_t key, uint8_t asc, uint8_t ascq);
/* Data for the initiator, cut to what the command and the adapter have room for; then ends r. */
void scsi_reply(ScsiRequest *r, const void *buf, uint64_t len);
/* Copies up to len bytes of the initiator's data; the number of them. */
uint64_t scsi_fetch(ScsiRequest *r, void *buf, uint64_t len);
void scsi_set_attention(ScsiDevice *d, uint8_t asc, uint8_t ascq);
/* 18 bytes of fixed-format sense data (SPC-4, 4.5.3). */
void scsi_build_sense(uint8_t *sense, uint8_t key, uint8_t asc, uint8_t ascq);
/* The command's logical block address and number of blocks, by its group. */
uint64_t scsi_cdb_lba(const uint8_t *cdb);
uint32_t scsi_cdb_blocks(const uint8_t *cdb);
/* INQUIRY page 83h for a device of that kind; the length. */
uint32_t scsi_identification(uint8_t *page, uint8_t device_type, const char *serial, uint64_t wwn);

#define SCSI_PLACE_PROPS(T)                                                               \
    PROP_U32(T, scsi.channel, "channel", 0), PROP_U32(T, scsi.id, "scsi-id", UINT32_MAX), \
        PROP_U32(T, scsi.lun, "lun", UINT32_MAX), PROP_DRIVE(T, scsi.drive)
extern const StateField scsi_device_state[];

#endif
