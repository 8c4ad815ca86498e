// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NVM Express controller (NVM Express Base Specification 1.4): what its files share. nvme.c has
 * registers, queues and completions, nvme-admin.c the admin commands, nvme-io.c namespaces and
 * their commands. Machine lock held throughout.
 */
#ifndef HW_BLOCK_NVME_H
#define HW_BLOCK_NVME_H

#include "block/drive-conf.h"
#include "hw/pci/pci.h"
#include "util/bswap.h"
#include "util/main-loop.h"

#define NVME_MAX_QUEUES 65u /* with the admin queue */
#define NVME_MAX_NAMESPACES 256u
#define NVME_QUEUE_ENTRIES 2048u /* CAP.MQES + 1 */
#define NVME_SQE 64u
#define NVME_CQE 16u
#define NVME_PAGE 4096u /* of identify structures */
#define NVME_MAX_AERS 4u /* asynchronous event requests that may wait */
#define NVME_NSID_ALL 0xffffffffu

/* Status code type and code, as in a completion's status field without its phase; 4.6.1. */
enum {
    NVME_OK = 0,
    NVME_INVALID_OPCODE = 1,
    NVME_INVALID_FIELD = 2,
    NVME_TRANSFER_ERROR = 4,
    NVME_INTERNAL = 6,
    NVME_ABORTED = 7,
    NVME_INVALID_NAMESPACE = 0xb,
    NVME_INVALID_PRP_OFFSET = 0x13,
    NVME_LBA_RANGE = 0x80,
    NVME_CQ_INVALID = 0x100,
    NVME_QID_INVALID = 0x101,
    NVME_QUEUE_SIZE_INVALID = 0x102,
    NVME_AER_LIMIT = 0x105,
    NVME_INVALID_VECTOR = 0x108,
    NVME_INVALID_LOG = 0x109,
    NVME_INVALID_QUEUE_DELETION = 0x10c,
    NVME_FEATURE_NOT_SAVEABLE = 0x10d,
    NVME_FEATURE_NOT_CHANGEABLE = 0x10e,
    NVME_READ_ONLY_RANGE = 0x182,
    NVME_WRITE_FAULT = 0x280,
    NVME_READ_ERROR = 0x281,
    NVME_COMPARE_FAILURE = 0x285,
    NVME_DNR = 0x4000, /* do not retry */
    NVME_PENDING = -1, /* a handler's word: the completion comes later, or never */
};

typedef struct NvmeCtrl NvmeCtrl;
typedef struct NvmeRequest NvmeRequest;

typedef struct NvmeNamespace {
    BlockFront *drive;
    uint32_t nsid; /* 0: not attached */
    uint32_t block_bytes; /* of a logical block */
    uint8_t uuid[16];
    uint64_t eui64; /* 0: none */
} NvmeNamespace;

typedef struct NvmeSq {
    uint64_t base;
    uint32_t size, head, tail; /* entries; size 0: there is no such queue */
    uint16_t cqid;
    uint16_t in_flight; /* fetched and not completed */
    uint32_t epoch; /* counts deletions: completions of older requests are dropped */
} NvmeSq;

typedef struct NvmeCq {
    uint64_t base;
    uint32_t size, head, tail;
    uint16_t vector;
    uint16_t users; /* submission queues */
    uint8_t phase;
    bool irq_enabled;
    bool interrupting; /* INTx: has entries that the host has not taken */
    GQueue waiting; /* NvmeRequest *, completed while the queue was full */
} NvmeCq;

struct NvmeRequest {
    NvmeCtrl *ctrl;
    NvmeNamespace *ns;
    uint16_t sqid, cid;
    uint32_t epoch;
    uint8_t cmd[NVME_SQE];
    uint32_t result;
    uint16_t status;
    DmaList data;
    bool to_guest;
    uint8_t *own; /* Compare: what the medium holds */
    struct iovec iov;
    uint64_t len; /* bytes of data */
    unsigned parts; /* of a command that is several block requests */
};

struct NvmeCtrl {
    PciDevice pci;
    /* properties */
    BlockFront *drive;
    char *serial;
    uint32_t max_ioqpairs;
    uint16_t msix_qsize;
    DriveConf conf;
    uint32_t aer_max_queued;
    uint8_t aerl, mdts;
    bool use_intel_id;
    int32_t bootindex;
    /* registers */
    uint64_t cap, asq, acq;
    uint32_t vs, intms, cc, csts, nssr, aqa;
    /* state */
    NvmeSq sq[NVME_MAX_QUEUES];
    NvmeCq cq[NVME_MAX_QUEUES];
    uint64_t kicked[2]; /* submission queues whose tail moved */
    uint16_t aer_cids[NVME_MAX_AERS];
    uint8_t num_aers;
    uint8_t events_pending, events_masked; /* bit n: event type n */
    uint8_t event_info[8];
    uint32_t async_config, temperature_high, temperature_low, arbitration, error_recovery,
        power_state;
    uint32_t coalescing;
    uint64_t timestamp_base; /* ms */
    int64_t timestamp_set_ns; /* guest clock when it was set */
    uint64_t host_reads, host_writes, units_read, units_written; /* SMART; units of 512 bytes */
    uint32_t changed_ns[NVME_MAX_NAMESPACES / 32];
    /* host side */
    Bus bus;
    Bh *kick_bh;
    NvmeNamespace *namespaces[NVME_MAX_NAMESPACES + 1]; /* by nsid */
    NvmeNamespace own; /* the one of property "drive" */
};

/* Commands: a status, with NVME_DNR where it applies, or NVME_PENDING. */
int nvme_admin_command(NvmeRequest *r);
int nvme_io_command(NvmeRequest *r);
/* Completes and frees r. */
void nvme_complete(NvmeRequest *r, int status);
/* Maps len bytes at the command's PRPs into r->data (4.3); NVME_OK or a status. */
int nvme_map_prp(NvmeRequest *r, uint64_t len, bool to_guest);
/* Copies to or from the command's PRPs. */
int nvme_reply(NvmeRequest *r, const void *buf, uint64_t len);
int nvme_fetch(NvmeRequest *r, void *buf, uint64_t len);
/* A posting to the asynchronous event queue; type and info of 5.2. */
void nvme_event(NvmeCtrl *s, unsigned type, unsigned info);
void nvme_post_events(NvmeCtrl *s);
/* Queue set-up of the admin commands. */
void nvme_sq_delete(NvmeCtrl *s, unsigned qid);
void nvme_cq_update_irq(NvmeCtrl *s);
/* Attaches ns under its nsid, or the first free one when that is 0. */
bool nvme_ns_attach(NvmeCtrl *s, NvmeNamespace *ns, GError **error);
void nvme_ns_detach(NvmeCtrl *s, NvmeNamespace *ns);
/* Checks the settings of a drive and takes it over. */
bool nvme_ns_setup(NvmeNamespace *ns, BlockFront *drive, DriveConf *conf,
                   GError **error);
extern const BusType nvme_bus_type;

static inline uint32_t nvme_dw(const NvmeRequest *r, unsigned n)
{
    return load_le32(r->cmd + 4 * n);
}

static inline uint64_t nvme_ns_blocks(const NvmeNamespace *ns)
{
    return block_size(ns->drive) / ns->block_bytes;
}

#endif
