// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Properties that devices with a drive have in common. A device with share-rw calls
 * drive_conf_apply() at realize.
 */
#ifndef BLOCK_DRIVE_CONF_H
#define BLOCK_DRIVE_CONF_H

#include "block/block.h"

typedef struct DriveConf {
    int rerror, werror;         /* BlockOnError; auto: as the drive says */
    int write_cache;            /* OnOffAuto; auto: as the drive says */
    bool share_rw;              /* others may write, too */
} DriveConf;

extern const char *const drive_error_names[];

#define PROP_DRIVE_SHARING(T, f)                                         \
    PROP_ON_OFF_AUTO(T, f.write_cache, "write-cache", ON_OFF_AUTO_AUTO), \
        PROP_BOOL(T, f.share_rw, "share-rw", false)
#define PROP_DRIVE_ERRORS(T, f)                                                  \
    PROP_ENUM(T, f.rerror, "rerror", BLOCK_ON_ERROR_AUTO, drive_error_names,     \
              .link = "BlockdevOnError"),                                        \
        PROP_ENUM(T, f.werror, "werror", BLOCK_ON_ERROR_AUTO, drive_error_names, \
                  .link = "BlockdevOnError")

/* Until then a drive of a device with share-rw lets others write. */
bool drive_conf_apply(const DriveConf *c, BlockFront *b, GError **error);

#endif
