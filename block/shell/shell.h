// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands of qemu-io: reading, writing and looking at one node by hand. The tool and the human
 * monitor use them. Text goes to stdout, as scripts expect.
 */
#ifndef BLOCK_SHELL_SHELL_H
#define BLOCK_SHELL_SHELL_H

#include "block/node.h"

typedef struct IoShell {
    BlockNode *node;            /* NULL: nothing is open */
    BlockEdge *edge;
    bool as_device;             /* through a drive, whose device has the permissions */
    bool quit;
    bool writethrough;
    unsigned in_flight;         /* asynchronous requests */
    /* `open` and `reopen` of the tool; NULL elsewhere. They say themselves what is wrong. */
    int (*open)(struct IoShell *s, int argc, char **argv);
    const char *mistake;        /* prefix of errors: "qemu-io" */
    GError **refused;           /* where errors go; NULL: to stderr */
} IoShell;

/* Runs a line; 0 or -errno. What is asynchronous may be in flight afterwards. */
int io_shell_run(IoShell *s, const char *line);
/* Waits for asynchronous requests. */
void io_shell_drain(IoShell *s);

/* ---- between the files of this folder ---- */

typedef struct IoCommand {
    const char *name, *alias;
    int (*run)(IoShell *s, int argc, char **argv);
    int least, most;            /* arguments; most -1: any */
    bool can_close;             /* needs no open node */
    bool writes, resizes;       /* needs these permissions */
    const char *args, *summary, *help;
} IoCommand;

extern const IoCommand io_data_commands[], io_other_commands[];

void io_usage(const IoCommand *c);
const IoCommand *io_find(const char *name);
/* A size as people write it; false after a message. */
bool io_number(const char *text, uint64_t *value);
/* "64 KiB", "1.500 KiB", "12 bytes" */
char *io_size_text(double value);
/* Errors of libraries: "qemu-io: text" */
int io_fail(IoShell *s, GError *err);

#endif
