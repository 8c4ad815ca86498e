// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The floppy controller and its drives: fdc.c (registers, phases), fdc-cmd.c (commands), floppy.c
 * (drives).
 */
#ifndef HW_BLOCK_FDC_H
#define HW_BLOCK_FDC_H

#include "block/drive-conf.h"
#include "hw/block/floppy.h"
#include "hw/isa/dma.h"
#include "util/timer.h"

#define FDC_DRIVES 4       /* that can be selected; two can be fitted */
#define FDC_FITTED 2
#define FDC_SECTOR 512u
#define FDC_FIFO 18

typedef struct Fdc Fdc;
typedef struct FloppyDrive FloppyDrive;

/* "auto" finds it by the medium. */
typedef enum FloppyType { FLOPPY_144, FLOPPY_288, FLOPPY_120, FLOPPY_NONE, FLOPPY_AUTO } FloppyType;
extern const char *const floppy_type_names[];

struct FloppyDrive {
    Device dev;
    /* properties */
    BlockFront *drive;
    uint32_t unit;
    int type;                     /* FloppyType */
    DriveConf conf;
    /* the drive */
    uint8_t cylinder;             /* where the heads are */
    bool changed;                 /* the disk change line */
    /* the medium: 0 sectors: none */
    uint8_t cylinders, heads, sectors;
    Fdc *fdc;
};

typedef struct FloppyBus {
    Bus bus;
    Fdc *fdc;
} FloppyBus;
extern const BusType floppy_bus_type;

typedef enum FdcPhase { FDC_COMMAND, FDC_EXECUTE, FDC_RESULT } FdcPhase;

/* A sector on its way; outlives a reset, which forgets it. */
typedef struct FdcRequest {
    Fdc *fdc;                     /* NULL: forgotten */
    struct iovec iov;
    uint8_t data[FDC_SECTOR];
} FdcRequest;

struct Fdc {
    Device dev;
    /* properties */
    uint32_t iobase, irq_line, dma_channel;
    int type[FDC_FITTED], fallback;
    int32_t bootindex[FDC_FITTED];
    Irq irq;
    Device *dma;
    FloppyBus bus;
    FloppyDrive *drives[FDC_FITTED];
    /* registers */
    uint8_t dor, tdr, dsr, ccr;
    /* command, execution, result */
    uint8_t phase;                /* FdcPhase */
    uint8_t fifo[FDC_FIFO];       /* the command, then its result */
    uint8_t pos, len;
    uint8_t reset_left;           /* SENSE INTERRUPT STATUS after a reset, one for each drive */
    uint8_t st0;                  /* of the last seek */
    bool seek_done;
    /* settings: SPECIFY, CONFIGURE, LOCK */
    uint8_t step_rate, head_times, config, precomp, lock, perpendicular;
    /* the transfer at hand */
    uint8_t command, drive, head, cylinder, sector, size, last_sector;
    bool multi_track, write, format, verify, non_dma, over, scanning, scan_failed;
    uint16_t at;                  /* in data */
    bool have_data;
    uint8_t data[FDC_SECTOR];
    FdcRequest *active;
    Timer timer;                  /* READ ID and format take their time */
};

/* ---- fdc.c ---- */
void fdc_raise(Fdc *s);
/* The command is over: n result bytes, with an interrupt if it has one. */
void fdc_result(Fdc *s, const uint8_t *bytes, unsigned n, bool interrupt);
/* ST0..ST2, C, H, R, N. */
void fdc_end_transfer(Fdc *s, uint8_t st0, uint8_t st1, uint8_t st2);
/* Moves what can be moved; called whenever something may have changed. */
void fdc_run(Fdc *s);
void fdc_reset(Fdc *s, bool interrupt);

/* ---- fdc-cmd.c ---- */
/* Bytes of the command with that first byte; 1 for those that do not exist. */
unsigned fdc_command_len(uint8_t first);
void fdc_command(Fdc *s);

/* ---- floppy.c ---- */
/* Geometry from the medium's size. */
void floppy_revalidate(FloppyDrive *d);
bool floppy_loaded(const FloppyDrive *d);
/* What the CMOS says of a drive: 0 none, 2 1.2M, 4 1.44M, 5 2.88M. */
uint8_t floppy_cmos_type(Fdc *s, unsigned unit);

#endif
