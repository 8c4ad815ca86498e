// SPDX-License-Identifier: GPL-2.0-or-later
/* VMware disks: what the parts of the driver share. */
#ifndef BLOCK_FORMATS_VMDK_H
#define BLOCK_FORMATS_VMDK_H

#include "block/formats/mapped.h"

#define VMDK_SECTOR 512u
#define VMDK_HEADER_SIZE 512u
#define VMDK_NO_PARENT 0xffffffffu
#define VMDK_MAX_TEXT (64 * KIB)
#define VMDK_MAX_EXTENTS 4096u
#define VMDK_DESC_SECTORS 20u
#define VMDK_MAX_CAPACITY (INT64_MAX / VMDK_SECTOR)

enum {
    VMDK_NEWLINES = 1, VMDK_REDUNDANT = 2, VMDK_ZERO_GRAINS = 4, VMDK_COMPRESSED = 1 << 16,
    VMDK_MARKERS = 1 << 17,
};

/* Offsets in a sparse extent's header, which is little-endian. */
enum {
    VH_VERSION = 4, VH_FLAGS = 8, VH_CAPACITY = 12, VH_GRAIN = 20, VH_DESC = 28, VH_DESC_SIZE = 36,
    VH_ENTRIES = 44, VH_REDUNDANT = 48, VH_DIRECTORY = 56, VH_DATA = 64, VH_CHECK = 73,
    VH_COMPRESS = 77,
};
#define VMDK_CHECK_BYTES "\n \r\n"

/* What the text describes; offsets and lengths in sectors. */
typedef struct VmdkPart {
    uint64_t sectors, offset;
    char kind[16];              /* "SPARSE", "FLAT", "ZERO", ... */
    char *name;                 /* NULL for ZERO */
    bool writable;
} VmdkPart;

typedef struct VmdkText {
    uint32_t cid, parent_cid;
    char *type, *parent;        /* createType, parentFileNameHint; NULL: not said */
    GArray *parts;              /* VmdkPart */
} VmdkText;

/* text ends with 0. */
bool vmdk_text_parse(const char *text, VmdkText *t, GError **error);
void vmdk_text_clear(VmdkText *t);
/* The text with another CID, at most max bytes long; NULL: has none or gets too long. */
char *vmdk_text_set_cid(const char *text, uint32_t cid, size_t max);

/* One extent of the disk. */
typedef struct VmdkExtent {
    BlockNode *file;            /* NULL: reads as zeroes */
    char *kind;
    uint64_t start, bytes;      /* of the disk */
    bool flat, packed, markers, zero_grains;
    uint64_t flat_offset;
    uint64_t grain;             /* bytes */
    uint64_t directory, redundant;  /* bytes; redundant 0: none */
    uint32_t entries;           /* of a grain table */
    uint64_t tables;            /* in the directory */
    MetaCache meta;
} VmdkExtent;

typedef struct VmdkState {
    Mapped map;
    VmdkExtent *extents;
    unsigned count;
    VmdkText text;
    BlockNode *text_node;       /* has the text at text_offset */
    uint64_t text_offset, text_max;
    bool parent_checked;
    /* the grain that was unpacked last */
    const VmdkExtent *unpacked_of;
    uint64_t unpacked_at;
    uint8_t *unpacked;
    CoMutex unpack_lock;
} VmdkState;

/* co_create of the driver. */
bool co_vmdk_create(const char *filename, struct json_object *opts, GError **error);
extern const OptDesc vmdk_create_opts[];
/* The CID of an open VMDK node. */
uint32_t vmdk_node_cid(BlockNode *n);

#endif
