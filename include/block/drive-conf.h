// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties that devices with a drive have in common. A device with share-rw calls
 * drive_conf_apply() at realize, one with sizes drive_conf_sizes() before it looks at them.
 */
#ifndef BLOCK_DRIVE_CONF_H
#define BLOCK_DRIVE_CONF_H

#include "block/block.h"

typedef struct DriveConf {
    int rerror, werror;                  /* BlockOnError; auto: as the drive says */
    int write_cache;                     /* OnOffAuto; auto: as the drive says */
    int account_invalid, account_failed; /* OnOffAuto; auto: as the drive says */
    int backend_defaults;                /* OnOffAuto: sizes that are 0 follow the image */
    bool share_rw;                       /* others may write, too */
    /* bytes; 0: the device's own, after drive_conf_sizes() that */
    uint64_t logical_block_size, physical_block_size;
    uint64_t min_io_size, opt_io_size;   /* bytes, 0: nothing is said */
    uint64_t discard_granularity;        /* bytes; UINT32_MAX: the device's own, likewise */
} DriveConf;

extern const char *const drive_error_names[];

/* As disks say it; 0: not given, after drive_geometry() that of the size. */
typedef struct DriveGeometry {
    uint32_t cyls, heads, secs;
    uint32_t lcyls, lheads, lsecs; /* what firmware makes of it; all 0: its own choice */
} DriveGeometry;
#define PROP_DRIVE_GEOMETRY(T, f)                                                                \
    PROP_U32(T, f.cyls, "cyls", 0), PROP_U32(T, f.heads, "heads", 0),                            \
        PROP_U32(T, f.secs, "secs", 0), PROP_U32(T, f.lcyls, "lcyls", 0),                        \
        PROP_U32(T, f.lheads, "lheads", 0), PROP_U32(T, f.lsecs, "lsecs", 0)

#define PROP_DRIVE_SHARING(T, f)                                                     \
    PROP_ON_OFF_AUTO(T, f.write_cache, "write-cache", ON_OFF_AUTO_AUTO),             \
        PROP_ON_OFF_AUTO(T, f.account_invalid, "account-invalid", ON_OFF_AUTO_AUTO), \
        PROP_ON_OFF_AUTO(T, f.account_failed, "account-failed", ON_OFF_AUTO_AUTO),   \
        PROP_BOOL(T, f.share_rw, "share-rw", false)
#define PROP_DRIVE_SIZES(T, f)                                                                     \
    PROP_SIZE(T, f.logical_block_size, "logical_block_size", 0,                                    \
              .help = "A power of two between 512 B and 2 MiB (default: 0)"),                      \
        PROP_SIZE(T, f.physical_block_size, "physical_block_size", 0,                              \
                  .help = "A power of two between 512 B and 2 MiB (default: 0)"),                  \
        PROP_SIZE(T, f.min_io_size, "min_io_size", 0),                                             \
        PROP_SIZE(T, f.opt_io_size, "opt_io_size", 0),                                             \
        PROP_SIZE(T, f.discard_granularity, "discard_granularity", UINT32_MAX, .max = UINT32_MAX), \
        PROP_ON_OFF_AUTO(T, f.backend_defaults, "backend_defaults", ON_OFF_AUTO_AUTO)
#define PROP_DRIVE_ERRORS(T, f)                                                  \
    PROP_ENUM(T, f.rerror, "rerror", BLOCK_ON_ERROR_AUTO, drive_error_names,     \
              .link = "BlockdevOnError"),                                        \
        PROP_ENUM(T, f.werror, "werror", BLOCK_ON_ERROR_AUTO, drive_error_names, \
                  .link = "BlockdevOnError")

/* Settles what was left open for a disk of `bytes`; up to so many of each are possible. */
bool drive_geometry(DriveGeometry *g, uint64_t bytes, uint32_t cyls, uint32_t heads, uint32_t secs,
                    GError **error);
/* Until then a drive of a device with share-rw lets others write. */
bool drive_conf_apply(const DriveConf *c, BlockFront *b, GError **error);
/*
 * Settles sizes that were left open and checks the others. Blocks are block_bytes unless somebody
 * said otherwise; what is discarded is discard_bytes or a logical block, whichever is larger.
 */
bool drive_conf_sizes(DriveConf *c, uint64_t block_bytes, uint64_t discard_bytes, GError **error);

#endif
