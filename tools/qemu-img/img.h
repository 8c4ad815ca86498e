// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * qemu-img: what its commands share. Each command is a function that runs in a coroutine and
 * returns the exit code.
 */
#ifndef TOOLS_QEMU_IMG_H
#define TOOLS_QEMU_IMG_H

#include <getopt.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "block/driver.h"
#include "block/tool.h"

/* Values of long options that have no letter. */
enum {
    OPT_OUTPUT = 256, OPT_BACKING_CHAIN, OPT_OBJECT, OPT_IMAGE_OPTS, OPT_PATTERN, OPT_FLUSH_INTERVAL, OPT_NO_DRAIN,
    OPT_TARGET_IMAGE_OPTS, OPT_SIZE_VALUE, OPT_PREALLOCATION, OPT_SHRINK, OPT_SALVAGE, OPT_TARGET_IS_ZERO, OPT_ADD, OPT_REMOVE,
    OPT_CLEAR, OPT_ENABLE, OPT_DISABLE, OPT_MERGE, OPT_BITMAPS, OPT_FORCE, OPT_SKIP_BROKEN, OPT_START, OPT_LENGTH,
};

/* What most commands take; filled by img_parse. Texts belong to argv. */
typedef struct ImgArgs {
    const char *format, *out_format, *base, *base_format, *cache, *src_cache, *output, *options, *snapshot, *size, *prealloc;
    bool image_opts, target_image_opts, quiet, progress, share, json, unsafe;
    GString *all_options;       /* of several -o, joined; NULL: none */
    int first;                  /* index of the first that is no option */
} ImgArgs;

/*
 * Goes through the options: letters and long ones of the common kind are stored in *a; others are
 * handed to `more` (may be NULL), which returns false after an error. -h prints the help and exits.
 * False: exit with 1.
 */
bool img_parse(int argc, char **argv, const char *letters, const struct option *longs, ImgArgs *a,
               bool (*more)(int opt, const char *arg, void *opaque), void *opaque);
#define IMG_COMMON_LONGS                           \
    {"help", no_argument, 0, 'h'},                 \
    {                                              \
        "object", required_argument, 0, OPT_OBJECT \
    }

/* "Try 'qemu-img --help' for more information". Returns 1. */
int img_usage(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/* Opens as a user with permissions; NULL after a message. */
typedef struct Img {
    BlockNode *n;
    BlockEdge *edge;
} Img;
bool img_open(Img *i, const char *filename, const ImgArgs *a, const char *format, const char *cache,
              unsigned flags, bool write);
void img_close(Img *i);
/* -l: an opened image shows the snapshot from now on; text NULL: nothing. False after a message. */
bool co_img_snapshot_load(BlockNode *n, const char *text);
/* A number of bytes with a suffix; prints a message that names it. */
bool img_size(const char *text, const char *name, uint64_t *value);
bool img_number(const char *text, const char *name, uint64_t min, uint64_t max, uint64_t *value);
/* False after the message `text`: there is no such cache mode. NULL is one. */
bool img_cache_mode(const char *mode, const char *text);
/* The same of -T, which it may not have. */
bool img_source_cache(const ImgArgs *a);
bool img_output_format(const ImgArgs *a, bool *json);

/* -p */
void img_progress_start(bool on);
void img_progress(uint64_t done, uint64_t total);
void img_progress_end(void);

/* Prints a JSON value as query commands print it, with a line feed, and frees it. */
void img_print_json(struct json_object *o);

/*
 * co_block_status_above for who goes through a disk: what was found out is kept in *known (zeroed
 * at first), so that tables are walked once and not for each chunk again.
 */
typedef struct ImgStatus {
    const BlockNode *n;
    uint64_t from, end;
    BlockStatus st;
} ImgStatus;
int co_img_status(ImgStatus *known, BlockNode *n, BlockNode *base, uint64_t at, bool want_zero,
                  BlockStatus *st);

/* Runs n coroutines of fn at once and waits for all. */
void img_parallel(unsigned n, void (*co_fn)(void *opaque), void *opaque);

void img_help(void) G_GNUC_NORETURN;
void img_print_create_options(const BlockDriver *d, const OptDesc *table, const char *filename,
                              bool amend);
/*
 * create, as convert also needs it. options may be NULL. doing: what failed when making the file
 * does; NULL: nothing is said of that.
 */
bool img_create_image(const char *filename, const char *format, const char *base,
                      const char *base_format, bool base_open, const char *options, uint64_t size,
                      bool have_size, bool quiet, const char *doing);

int cmd_amend(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_bitmap(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_commit(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_dd(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_measure(int argc, char **argv);
int cmd_rebase(int argc, char **argv);
int cmd_resize(int argc, char **argv);
int cmd_snapshot(int argc, char **argv);

#endif
