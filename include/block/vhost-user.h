// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of the vhost-user protocol, as both ends use them: a header, a payload in host byte
 * order, and descriptors beside it. The front end asks; with REPLY_ACK it may want an answer to
 * anything.
 */
#ifndef BLOCK_VHOST_USER_H
#define BLOCK_VHOST_USER_H

#include <stdint.h>

enum {
    VU_GET_FEATURES = 1, VU_SET_FEATURES = 2, VU_SET_OWNER = 3, VU_RESET_OWNER = 4, VU_SET_MEM_TABLE = 5,
    VU_SET_LOG_BASE = 6, VU_SET_LOG_FD = 7, VU_SET_VRING_NUM = 8, VU_SET_VRING_ADDR = 9, VU_SET_VRING_BASE = 10,
    VU_GET_VRING_BASE = 11, VU_SET_VRING_KICK = 12, VU_SET_VRING_CALL = 13, VU_SET_VRING_ERR = 14,
    VU_GET_PROTOCOL_FEATURES = 15, VU_SET_PROTOCOL_FEATURES = 16, VU_GET_QUEUE_NUM = 17, VU_SET_VRING_ENABLE = 18,
    VU_SET_BACKEND_REQ_FD = 21, VU_GET_CONFIG = 24, VU_SET_CONFIG = 25, VU_GET_INFLIGHT_FD = 31,
    VU_SET_INFLIGHT_FD = 32, VU_REQUEST_COUNT
};

/* Feature bits that only the two ends see, and those of the protocol. */
#define VU_F_PROTOCOL_FEATURES (1ull << 30)
enum {
    VU_PF_MQ = 0,
    VU_PF_REPLY_ACK = 3,
    VU_PF_BACKEND_REQ = 5,
    VU_PF_CONFIG = 9,
    VU_PF_INFLIGHT_SHMFD = 12
};

#define VU_VERSION 1u
#define VU_VERSION_MASK 3u
#define VU_REPLY 4u
#define VU_NEED_REPLY 8u

#define VU_MAX_REGIONS 8u
#define VU_MAX_CONFIG 256u
/* SET_VRING_KICK and its like: the queue, and a bit that says that there is no descriptor. */
#define VU_VRING_INDEX 0xffu
#define VU_VRING_NO_FD 0x100u

typedef struct VuHeader {
    uint32_t request, flags, size;
} VuHeader;

typedef struct VuRegion {
    uint64_t guest, size, user, offset;     /* offset: in the descriptor's file */
} VuRegion;

typedef struct VuMemTable {
    uint32_t count, padding;
    VuRegion regions[VU_MAX_REGIONS];
} VuMemTable;

typedef struct VuVringState {
    uint32_t index, num;
} VuVringState;

typedef struct VuVringAddr {
    uint32_t index, flags;
    uint64_t desc, used, avail, log;        /* addresses of the front end's process */
} VuVringAddr;

typedef struct VuConfig {
    uint32_t offset, size, flags;
    uint8_t data[VU_MAX_CONFIG];
} VuConfig;
#define VU_CONFIG_HEADER 12u

typedef struct VuInflight {
    uint64_t size, offset;
    uint16_t num_queues, queue_size;
} VuInflight;

typedef union VuPayload {
    uint64_t u64;
    VuMemTable table;
    VuVringState state;
    VuVringAddr addr;
    VuConfig config;
    VuInflight inflight;
} VuPayload;

#endif
