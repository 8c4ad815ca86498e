// SPDX-License-Identifier: GPL-2.0-or-later
/* Hyper-V disks: what the parts of the driver share. Everything in the file is little-endian. */
#ifndef BLOCK_FORMATS_VHDX_H
#define BLOCK_FORMATS_VHDX_H

#include "block/formats/mapped.h"

#define VHDX_GUID 16u
#define VHDX_HEADER_SIZE 4096u
#define VHDX_HEADER_1 (64 * KIB)
#define VHDX_HEADER_2 (128 * KIB)
#define VHDX_REGIONS_1 (192 * KIB)
#define VHDX_REGIONS_2 (256 * KIB)
#define VHDX_TABLE_SIZE (64 * KIB)      /* of regions, and of metadata items */
#define VHDX_MAX_SIZE (64ull << 40)
#define VHDX_MIN_BLOCK (1 * MIB)
#define VHDX_MAX_BLOCK (256 * MIB)
#define VHDX_CHUNK_SECTORS (1ull << 23) /* that a bitmap block covers */

/* Offsets in a header. */
enum {
    XH_CRC = 4, XH_SEQUENCE = 8, XH_FILE_GUID = 16, XH_DATA_GUID = 32, XH_LOG_GUID = 48,
    XH_LOG_VERSION = 64, XH_VERSION = 66, XH_LOG_LENGTH = 68, XH_LOG_OFFSET = 72,
};

/* States of an entry of the block table. */
enum {
    VHDX_ABSENT = 0, VHDX_UNDEFINED = 1, VHDX_ZERO = 2, VHDX_UNMAPPED = 3, VHDX_UNMAPPED_V1 = 5,
    VHDX_PRESENT = 6, VHDX_PARTIAL = 7, VHDX_STATE_MASK = 7,
};

typedef struct VhdxState {
    Mapped map;
    uint8_t header[VHDX_HEADER_SIZE];   /* the current one */
    unsigned header_slot;               /* 0 or 1: where it stands */
    uint64_t table, table_bytes;
    uint64_t metadata, metadata_bytes;
    uint32_t sector, physical;
    uint64_t ratio;                     /* blocks of a chunk */
    bool parent, replayed;
} VhdxState;

extern const uint8_t vhdx_region_table[VHDX_GUID], vhdx_region_metadata[VHDX_GUID];
extern const uint8_t vhdx_item_parameters[VHDX_GUID], vhdx_item_size[VHDX_GUID],
    vhdx_item_id[VHDX_GUID], vhdx_item_sector[VHDX_GUID], vhdx_item_physical[VHDX_GUID],
    vhdx_item_parent[VHDX_GUID];

/* The checksum of a structure whose field for it is at offset 4. */
uint32_t vhdx_crc(const uint8_t *p, size_t len);
/* Writes the header that s->header shall be, to both places, one after the other. */
bool vhdx_write_header(BlockNode *n, GError **error);
bool vhdx_guid_is_zero(const uint8_t *guid);
void vhdx_new_guid(uint8_t *guid);
/* Replays the log that the header names. *any: there was something to be done. */
bool vhdx_replay_log(BlockNode *n, bool *any, GError **error);
bool co_vhdx_format(BlockNode *file, struct json_object *opts, GError **error);
extern const OptDesc vhdx_create_opts[];

#endif
